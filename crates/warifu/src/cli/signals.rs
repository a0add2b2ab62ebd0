//! Where `warifu serve` sends notices and events to.

use super::CliError;
use crate::signals::{Mailer, Webhook};
use clap::Args;
use secrecy::SecretString;
use url::Url;

/// Mail and webhook, by choice. What holds a secret is better given in the environment, which other
/// users of the machine cannot read.
#[derive(Args)]
pub struct Signals {
    /// Mail server for notices: smtp://user:password@host:587?tls=required, or smtps://…
    #[arg(
        long,
        env = "WARIFU_SMTP",
        value_name = "URL",
        requires = "mail_from",
        hide_env_values = true
    )]
    smtp: Option<SecretString>,
    /// Whom notices come from: `Warifu <support@example.com>`
    #[arg(long, env = "WARIFU_MAIL_FROM", value_name = "ADDRESS")]
    mail_from: Option<String>,
    /// Receiver of access events as OCSF JSON: https://…
    #[arg(
        long,
        env = "WARIFU_WEBHOOK",
        value_name = "URL",
        requires = "webhook_secret",
        hide_env_values = true
    )]
    webhook: Option<Url>,
    /// Signs what the receiver gets (HMAC-SHA-256 in X-Warifu-Signature)
    #[arg(long, env = "WARIFU_WEBHOOK_SECRET", value_name = "TEXT", hide_env_values = true)]
    webhook_secret: Option<SecretString>,
}

/// What was asked for, ready to be sent with.
#[derive(Default)]
pub struct Senders {
    pub mailer: Option<Mailer>,
    pub webhook: Option<Webhook>,
}

impl Signals {
    /// # Errors
    /// When an address is none.
    pub fn senders(self) -> Result<Senders, CliError> {
        let mailer = match (self.smtp, self.mail_from) {
            (Some(server), Some(from)) => Some(
                Mailer::new(&server, &from)
                    .map_err(|e| CliError::Said(format!("--smtp, --mail-from: {e}")))?,
            ),
            _ => None,
        };
        let webhook = match (self.webhook, self.webhook_secret) {
            (Some(address), Some(secret)) => Some(
                Webhook::new(address, secret)
                    .map_err(|e| CliError::Said(format!("--webhook: {e}")))?,
            ),
            _ => None,
        };
        Ok(Senders { mailer, webhook })
    }
}
