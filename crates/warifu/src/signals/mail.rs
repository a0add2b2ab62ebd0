//! Notices by mail.

use lettre::message::{Mailbox, SinglePart};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;
use warifu_app::signals::DueMail;
use warifu_web::{Web, mails};

/// How often it is looked for mails.
const LOOK: Duration = Duration::from_secs(2);
/// How long the mail server may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Why mails cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    #[error("it is no SMTP address: {0}")]
    Server(String),
    #[error("it is no address to send from: {0}")]
    From(String),
    #[error("it is no address: {0}")]
    To(String),
    #[error("the mail server: {0}")]
    Refused(String),
}

/// A way to a mail server.
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Mailer {
    /// `smtp://`, or `smtps://` for TLS from the first byte; `?tls=required` for STARTTLS.
    ///
    /// # Errors
    /// When one of the two does not read.
    pub fn new(server: &SecretString, from: &str) -> Result<Mailer, MailError> {
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(server.expose_secret())
            .map_err(|e| MailError::Server(e.to_string()))?;
        let from = from.parse().map_err(|_| MailError::From(from.to_owned()))?;
        Ok(Mailer { transport: transport.timeout(Some(PATIENCE)).build(), from })
    }

    /// Sends what is due, for ever.
    pub async fn deliver(self, web: Web) {
        loop {
            match web.app.due_mails().await {
                Ok(due) => {
                    for mail in due {
                        if let Err(error) = self.send(&web, &mail).await {
                            tracing::warn!(notice = mail.notice, %error, "a mail was not sent");
                        }
                    }
                }
                Err(error) => tracing::warn!(%error, "mails were not looked for"),
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn send(
        &self,
        web: &Web,
        mail: &DueMail,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let address = mail.address.parse().map_err(|_| MailError::To(mail.address.clone()))?;
        let to = Mailbox::new(Some(mail.name.clone()), address);
        let (subject, text) = mails::words(web, mail);
        let message = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(subject)
            .singlepart(SinglePart::plain(text))?;
        let bytes = message.formatted();
        let sent = self.transport.send(message).await;
        sent.map_err(|e| MailError::Refused(e.to_string()))?;
        web.app.mail_sent(mail, &bytes).await?;
        Ok(())
    }
}
