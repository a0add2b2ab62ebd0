//! Proving oneself once more at the provider, for a protected action.

use super::link_id;
use crate::sessions::OpenSession;
use crate::step_up::Passed;
use crate::{App, AppError};
use warifu_auth::oidc::Statement;
use warifu_domain::ProviderId;
use warifu_domain::assurance::phishing_resistant;
use warifu_domain::factors::Factor;
use warifu_domain::protected::Protected;
use warifu_storage::credentials;
use warifu_storage::identity_providers::Provider;

impl App {
    /// Whether a statement proves once more who is in a session, phishing-resistant.
    pub(super) async fn stepped_up_by(
        &self,
        provider: &Provider,
        statement: Option<Statement>,
        session: &OpenSession,
        what: &Protected,
    ) -> Result<Option<Passed>, AppError> {
        let mut change = self.change().await?;
        let mut proven = false;
        if let Some(statement) = statement
            && phishing_resistant(statement.acr.as_deref(), &statement.amr).is_some()
        {
            let id = link_id(&provider.issuer, &statement.subject);
            let known = credentials::find(&mut change.conn(), Factor::Oidc, &id).await?;
            proven = known.is_some_and(|known| known.person == session.actor.person);
        }
        let passed = self.stepped_up(&mut change, session, what, proven).await?;
        change.commit().await?;
        Ok(passed)
    }

    /// The provider at which somebody proves themselves once more: that of their session, where they
    /// have no key here.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn provider_for_step_up(
        &self,
        session: &OpenSession,
    ) -> Result<Option<ProviderId>, AppError> {
        if session.factor != Factor::Oidc {
            return Ok(None);
        }
        let keys = self.passkeys(&session.actor).await?;
        match keys.is_empty() {
            true => self.provider_of(session).await,
            false => Ok(None),
        }
    }
}
