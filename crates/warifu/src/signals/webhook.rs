//! Ledger entries about access, as OCSF events, to one address: in order, at least once. An event's
//! `metadata.uid` is the entry's number, by which a receiver knows one that it has.

use super::ocsf;
use crate::outbound;
use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use std::time::Duration;
use url::Url;
use warifu_web::Web;

/// How often it is looked for entries, and how long a receiver that refuses is left alone.
const LOOK: Duration = Duration::from_secs(1);
const REFUSED: Duration = Duration::from_secs(30);
/// How long the receiver may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Why a receiver was not told.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    #[error("it has to be https, or http on this machine")]
    Plain,
    #[error("{0}")]
    Client(reqwest::Error),
    #[error("the receiver answered {0}")]
    Refused(u16),
    #[error(transparent)]
    App(#[from] warifu_app::AppError),
}

/// A receiver of events.
pub struct Webhook {
    client: reqwest::Client,
    address: Url,
    secret: SecretString,
}

impl Webhook {
    /// The secret signs each request: `X-Warifu-Signature: sha256=HEX` over the body.
    ///
    /// # Errors
    /// When the address is neither https nor on this machine.
    pub fn new(address: Url, secret: SecretString) -> Result<Webhook, WebhookError> {
        let here = matches!(address.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        if address.scheme() != "https" && !(address.scheme() == "http" && here) {
            return Err(WebhookError::Plain);
        }
        let client = outbound::client(PATIENCE).map_err(WebhookError::Client)?;
        Ok(Webhook { client, address, secret })
    }

    /// Tells what is new, for ever.
    pub async fn deliver(self, web: Web) {
        loop {
            let pause = match self.tell(&web).await {
                Ok(()) => LOOK,
                Err(error) => {
                    tracing::warn!(%error, "the webhook was not told");
                    REFUSED
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    async fn tell(&self, web: &Web) -> Result<(), WebhookError> {
        loop {
            let (entries, up_to) = web.app.untold().await?;
            if entries.is_empty() {
                return Ok(());
            }
            let events: Vec<_> =
                entries.iter().filter_map(|(number, entry)| ocsf::event(*number, entry)).collect();
            if !events.is_empty() {
                self.post(serde_json::Value::Array(events).to_string()).await?;
            }
            web.app.webhook_told(up_to).await?;
        }
    }

    async fn post(&self, body: String) -> Result<(), WebhookError> {
        let request = self
            .client
            .post(self.address.clone())
            .header("content-type", "application/json")
            .header("x-warifu-signature", signature(self.secret.expose_secret(), body.as_bytes()))
            .body(body);
        // The address may hold a token: it is in no error and so in no log.
        let answer = request.send().await.map_err(|e| WebhookError::Client(e.without_url()))?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            status => Err(WebhookError::Refused(status.as_u16())),
        }
    }
}

/// HMAC-SHA-256 (RFC 2104) in hexadecimal, with its name in front.
fn signature(secret: &str, body: &[u8]) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        // HMAC takes keys of every length; there is no other failure.
        return String::new();
    };
    mac.update(body);
    let digest = mac.finalize().into_bytes();
    digest.iter().fold("sha256=".to_owned(), |out, b| out + &format!("{b:02x}"))
}
