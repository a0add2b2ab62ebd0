//! What `warifu serve` looks at again while it runs.

use super::tls::Identity;
use std::sync::Arc;
use std::time::Duration;
use warifu_app::App;
use warifu_auth::{Asns, Certificates};

/// How often it is looked whether a feature's next stage has come.
const STAGES: Duration = Duration::from_secs(30);

/// Brings features on to their planned stages, and counts up refusals of programs.
pub async fn stages(app: App) {
    loop {
        match app.enter_stages().await {
            Ok(0) => {}
            Ok(n) => tracing::info!(n, "features entered their next stage"),
            Err(error) => tracing::error!(%error, "stages of features were not looked at"),
        }
        if let Err(error) = app.settle_refusals().await {
            tracing::error!(%error, "refusals of programs were not counted up");
        }
        tokio::time::sleep(STAGES).await;
    }
}

/// How often it is looked for what ends soon and what was over long ago.
const HOUSEKEEPING: Duration = Duration::from_secs(3_600);

/// Reminds people of what ends, and deletes what no decision needs any more.
pub async fn housekeeping(app: App) {
    loop {
        match app.remind().await {
            Ok(0) => {}
            Ok(n) => {
                tracing::info!(n, "people were reminded of certificates and accounts that end")
            }
            Err(error) => tracing::error!(%error, "nobody was reminded of what ends"),
        }
        match app.purge().await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(rows, "what was over long ago was deleted"),
            Err(error) => tracing::error!(%error, "what was over long ago was not deleted"),
        }
        tokio::time::sleep(HOUSEKEEPING).await;
    }
}

/// Reads certificates, authorities and revocation lists again whenever their files were replaced, and
/// ends the sessions of certificates that are revoked now.
pub async fn certificates(
    app: App,
    identity: Arc<Identity>,
    authorities: Option<Arc<Certificates>>,
) {
    let mut judged = None;
    loop {
        tokio::time::sleep(CERTIFICATES).await;
        let (identity, authorities) = (identity.clone(), authorities.clone());
        let read = tokio::task::spawn_blocking(move || {
            (identity.reload(), authorities.map(|a| a.trust()))
        });
        let Ok((own, trust)) = read.await else { continue };
        match own {
            Ok(true) => tracing::info!("the server's certificate was read again"),
            Ok(false) => {}
            Err(error) => {
                tracing::error!(%error, "the server's certificate of before stays in use")
            }
        }
        let Some((trust, trouble)) = trust else { continue };
        if let Some(error) = trouble {
            tracing::error!(%error, "authorities and revocation lists of before stay in use");
        }
        if judged.as_ref().is_some_and(|before| Arc::ptr_eq(before, &trust)) {
            continue;
        }
        match app.end_revoked_certificates(&trust).await {
            Ok(ended) => {
                if ended > 0 {
                    tracing::warn!(ended, "sessions of revoked certificates were ended");
                }
                judged = Some(trust);
            }
            Err(error) => tracing::error!(%error, "revoked certificates are looked for again"),
        }
    }
}

/// How often changed certificates are looked for.
const CERTIFICATES: Duration = Duration::from_secs(2);

/// How often a changed ASN database is looked for.
const ASNS: Duration = Duration::from_secs(5);

/// Reads the ASN database again whenever its file was replaced.
pub async fn asns(asns: Arc<Asns>) {
    loop {
        tokio::time::sleep(ASNS).await;
        let asns = asns.clone();
        match tokio::task::spawn_blocking(move || asns.reload()).await {
            Ok(Ok(true)) => tracing::info!("the ASN database was read again"),
            Ok(Ok(false)) => {}
            Ok(Err(error)) => tracing::error!(%error, "the ASN database of before stays in use"),
            Err(error) => tracing::error!(%error, "the ASN database was not looked at"),
        }
    }
}
