//! TLS spoken by `warifu serve` itself, and the listener that asks for client certificates.

use super::CliError;
use super::listening::{self, Gate, TlsListener};
use super::tls::Identity;
use axum::extract::Request;
use axum::response::Response;
use clap::Args;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::watch;
use tower::Service;
use warifu_auth::{Certificates, PolicyOid};
use warifu_web::WebConfig;
use warifu_web::certificates::{CertificateConfig, Peer};

/// TLS spoken by the server itself, and client certificates (PIV, CAC).
#[derive(Args)]
pub struct Tls {
    /// Serves the same over TLS here, beside --listen
    #[arg(long, env = "WARIFU_TLS_LISTEN", value_name = "ADDR:PORT", requires = "tls_certificate")]
    tls_listen: Option<SocketAddr>,
    /// The server's certificate with its chain, PEM. Read again when the file changes
    #[arg(long, env = "WARIFU_TLS_CERTIFICATE", value_name = "FILE", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,
    /// Its private key, PEM
    #[arg(long, env = "WARIFU_TLS_KEY", value_name = "FILE", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
    /// Where browsers are asked for a client certificate: a port of its own on the origin's host, to which
    /// they come directly, not through a proxy that ends TLS
    #[arg(
        long,
        env = "WARIFU_CERTIFICATE_LISTEN",
        value_name = "ADDR:PORT",
        requires = "tls_certificate",
        requires = "client_ca"
    )]
    certificate_listen: Option<SocketAddr>,
    /// How browsers reach it. Without it: https, the origin's host and the port
    #[arg(
        long,
        env = "WARIFU_CERTIFICATE_ORIGIN",
        value_name = "URL",
        requires = "certificate_listen"
    )]
    certificate_origin: Option<url::Url>,
    /// Authorities whose client certificates are taken, PEM. Read again when the file changes
    #[arg(long, env = "WARIFU_CLIENT_CA", value_name = "FILE", requires = "certificate_listen")]
    client_ca: Option<PathBuf>,
    /// Revocation list of one of them or of one below, PEM or DER; may be repeated. With one, every
    /// certificate needs a list that has not expired. Read again when the file changes
    #[arg(
        long,
        env = "WARIFU_CLIENT_CRL",
        value_delimiter = ',',
        value_name = "FILE",
        requires = "client_ca"
    )]
    client_crl: Vec<PathBuf>,
    /// Certificate policy that a client certificate has to carry, one of these where several are named:
    /// 2.16.840.1.101.3.2.1.3.13 is that of PIV cards for authentication. Without it every policy will do
    #[arg(
        long,
        env = "WARIFU_CLIENT_POLICY",
        value_delimiter = ',',
        value_name = "OID",
        requires = "client_ca"
    )]
    client_policy: Vec<String>,
}

/// The listeners that speak TLS.
#[derive(Default)]
pub struct Secured {
    pub identity: Option<Arc<Identity>>,
    pub main: Option<TlsListener>,
    pub asking: Option<TlsListener>,
}

impl Tls {
    /// Binds what was asked for.
    ///
    /// # Errors
    /// When an address or a file cannot be used.
    pub async fn open(
        self,
        config: WebConfig,
        gate: &Arc<Gate>,
    ) -> Result<(Secured, WebConfig), CliError> {
        let policies = self.policies()?;
        let (Some(certificate), Some(key)) = (&self.tls_certificate, &self.tls_key) else {
            return Ok((Secured::default(), config));
        };
        let identity = Identity::open(certificate, key)?;
        let main = match self.tls_listen {
            Some(address) => {
                Some(TlsListener::bind(address, identity.plain()?, gate.clone()).await?)
            }
            None => None,
        };
        let (asking, config) = match (self.certificate_listen, &self.client_ca) {
            (Some(address), Some(authorities)) => {
                let authorities = Certificates::open(authorities, &self.client_crl, policies)
                    .map_err(|e| CliError::Said(e.to_string()))?;
                let authorities = Arc::new(authorities);
                let asking = identity.asking(authorities.clone())?;
                let listener = TlsListener::bind(address, asking, gate.clone()).await?;
                let origin = self.asking_origin(&config, listener.port())?;
                let certificates = Some(CertificateConfig { origin, authorities });
                (Some(listener), WebConfig { certificates, ..config })
            }
            _ => (None, config),
        };
        Ok((Secured { identity: Some(identity), main, asking }, config))
    }

    fn policies(&self) -> Result<Vec<PolicyOid>, CliError> {
        let read = |text: &String| {
            let oid = PolicyOid::parse(text);
            oid.map_err(|e| CliError::Said(format!("--client-policy {text}: {e}")))
        };
        self.client_policy.iter().map(read).collect()
    }

    /// The cookies of the main origin go to every port of its host, and to no other host.
    fn asking_origin(&self, config: &WebConfig, port: u16) -> Result<url::Url, CliError> {
        let bad = || {
            CliError::Said("--certificate-origin: write https, the origin's host, a port".into())
        };
        let origin = match &self.certificate_origin {
            Some(origin) => origin.clone(),
            None => {
                let host = config.origin.host_str().unwrap_or_default();
                format!("https://{host}:{port}").parse().map_err(|_| bad())?
            }
        };
        let fits = origin.scheme() == "https" && origin.host() == config.origin.host();
        if fits { Ok(origin) } else { Err(bad()) }
    }
}

/// Serves behind TLS until the server is told to stop.
pub async fn serve_tls<S>(
    listener: TlsListener,
    front: impl Fn(Peer) -> S + Clone + Send + 'static,
    mut told: watch::Receiver<bool>,
) where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send>
        + Clone
        + Send
        + 'static,
{
    let stop = async move {
        let _ = told.wait_for(|stopped| *stopped).await;
    };
    if let Err(error) = listening::serve(listener, front, stop).await {
        tracing::error!(%error, "a TLS listener broke");
    }
}
