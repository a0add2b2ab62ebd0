//! Telling people by mail and a webhook what happened to accounts and policy.

pub mod mail;
pub mod ocsf;
pub mod webhook;

pub use mail::{MailError, Mailer};
pub use webhook::{Webhook, WebhookError};
