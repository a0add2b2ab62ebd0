//! Telling applications that sessions have ended: at addresses that a super administrator registered.

use crate::outbound;
use std::time::Duration;
use warifu_app::App;
use warifu_app::applications::tell::Telling;
use warifu_auth::SessionPolicy;

/// How often it is looked for what is to be told.
const LOOK: Duration = Duration::from_secs(2);
/// How long a client may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Tells them until it is stopped.
pub async fn tell(app: App, issuer: String, policy: SessionPolicy) {
    let client = outbound::client(PATIENCE);
    let client = match client {
        Ok(client) => client,
        Err(error) => {
            tracing::error!(%error, "applications are not told that sessions end");
            return;
        }
    };
    loop {
        tokio::time::sleep(LOOK).await;
        match app.tellings(&issuer, &policy).await {
            Ok(all) => {
                let each = all.into_iter().map(|telling| one(&app, &client, telling));
                futures_util::future::join_all(each).await;
            }
            Err(error) => tracing::error!(%error, "it was not looked for who is to be told"),
        }
    }
}

async fn one(app: &App, client: &reqwest::Client, telling: Telling) {
    // Base64url and dots: nothing of it has to be encoded.
    let body = format!("logout_token={}", telling.logout_token);
    let kind = "application/x-www-form-urlencoded";
    let sent = client.post(&telling.to).header("content-type", kind).body(body).send().await;
    let taken = match sent {
        Ok(answer) if answer.status().is_success() => app.told(&telling.sid).await,
        Ok(answer) => {
            let status = answer.status().as_u16();
            tracing::warn!(to = %telling.to, status, "a client did not take that a session ended");
            return;
        }
        Err(error) => {
            tracing::warn!(to = %telling.to, %error, "a client was not told that a session ended");
            return;
        }
    };
    if let Err(error) = taken {
        tracing::error!(%error, "a client will be told once more");
    }
}
