//! Telling people by mail and a webhook what happened to accounts and policy.

mod mail;
mod ocsf;
mod webhook;

pub use mail::Mailer;
pub use webhook::Webhook;
