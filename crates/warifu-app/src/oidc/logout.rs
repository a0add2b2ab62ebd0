//! Signing out at the provider: from here, and told by the provider.

use super::connections::end_with;
use super::{ASK_AGAIN, KNOWN, link_id};
use crate::sessions::OpenSession;
use crate::{App, AppError};
use url::Url;
use warifu_auth::digest;
use warifu_auth::oidc::{LogoutRefused, LogoutToken, who_is_meant};
use warifu_domain::ProviderId;
use warifu_domain::factors::Factor;
use warifu_ledger::body::SignInRefused;
use warifu_storage::credentials;
use warifu_storage::identity_providers::{self, Provider, Which};

/// What a provider is told.
#[derive(Debug, PartialEq, Eq)]
pub enum LogoutAnswer {
    /// So many sessions have ended.
    Ended(usize),
    Refused,
}

impl App {
    /// The provider through which a session was opened.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn provider_of(&self, session: &OpenSession) -> Result<Option<ProviderId>, AppError> {
        let mut reader = self.db.read().await?;
        Ok(identity_providers::of_session(&mut reader.conn(), &session.token_hash).await?)
    }

    /// Where to sign out at a provider as well, with its name; `None` where it has no such place or
    /// does not answer.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sign_out_at(
        &self,
        id: ProviderId,
        back: &Url,
    ) -> Result<Option<(String, Url)>, AppError> {
        let found = identity_providers::find(&mut self.db.read().await?.conn(), id).await?;
        let Some(provider) = found.filter(|p| p.enabled) else { return Ok(None) };
        let Some(discovered) = self.discovered_in_passing(&provider).await else { return Ok(None) };
        Ok(discovered.end_session(&provider.client_id, back).map(|url| (provider.name, url)))
    }

    /// A provider says that somebody signed out there. Their sessions end with the answer.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn back_channel_logout(&self, token: &str) -> Result<LogoutAnswer, AppError> {
        let taken = self.logout_token(token).await?;
        let (provider, taken) = match taken {
            Ok(taken) => taken,
            Err(reason) => {
                tracing::info!(%reason, "a logout token was refused");
                return Ok(LogoutAnswer::Refused);
            }
        };
        let mut change = self.change().await?;
        let (at, id) = (change.at(), digest(taken.id.as_bytes()));
        let mut conn = change.conn();
        if !identity_providers::spend_token(&mut conn, &id, at, taken.expires_at).await? {
            tracing::info!("a logout token came a second time");
            return Ok(LogoutAnswer::Refused);
        }
        let link = match &taken.subject {
            Some(subject) => {
                let link = link_id(&provider.issuer, subject);
                credentials::find(&mut conn, Factor::Oidc, &link).await?
            }
            None => None,
        };
        let which = match (&taken.sid, link) {
            (Some(sid), _) => Some(Which::Sid(sid)),
            (None, Some(link)) => Some(Which::Of(link.id)),
            (None, None) => None,
        };
        let open = match which {
            Some(which) => identity_providers::sessions(&mut conn, provider.id, which).await?,
            None => Vec::new(),
        };
        let ended = end_with(&mut change, None, open, "provider").await?;
        change.commit().await?;
        Ok(LogoutAnswer::Ended(ended))
    }

    /// Writes down that somebody sent a logout token that no provider made. The caller bounds how often.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn record_refused_logout(&self, network: &str) -> Result<(), AppError> {
        let body = SignInRefused {
            factor: Factor::Oidc.key().into(),
            reason: "logout_token".into(),
            person: None,
            times: None,
        };
        let mut change = self.change().await?;
        change.record_stranger(network, &body).await?;
        change.commit().await?;
        Ok(())
    }

    async fn logout_token(
        &self,
        token: &str,
    ) -> Result<Result<(Provider, LogoutToken), LogoutRefused>, AppError> {
        let (issuer, audiences) = match who_is_meant(token) {
            Ok(meant) => meant,
            Err(reason) => return Ok(Err(reason)),
        };
        let found = identity_providers::list(&mut self.db.read().await?.conn()).await?;
        let meant =
            |p: &Provider| p.enabled && p.issuer == issuer && audiences.contains(&p.client_id);
        let Some(provider) = found.into_iter().find(meant) else {
            return Ok(Err(LogoutRefused::Party));
        };
        let now = self.now();
        let mut verified = Err(LogoutRefused::UnknownKey);
        for at_most in [KNOWN, ASK_AGAIN] {
            let Ok(discovered) = self.discovered(&provider, at_most).await else { break };
            verified = LogoutToken::verified(token, &discovered, &provider.client_id, now);
            if !matches!(verified, Err(LogoutRefused::UnknownKey)) {
                break;
            }
        }
        Ok(verified.map(|token| (provider, token)))
    }
}
