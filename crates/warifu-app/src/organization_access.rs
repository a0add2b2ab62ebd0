//! What an organization's users may sign in with, beyond what everybody may: a protected action.

use crate::oidc::end_with;
use crate::step_up::spend;
use crate::{App, AppError};
use serde_json::json;
use warifu_auth::digest;
use warifu_domain::access::{Actor, Permission};
use warifu_domain::assurance::OrganizationAccess;
use warifu_domain::factors::Factor;
use warifu_domain::protected::{Action, Protected};
use warifu_domain::{OrganizationId, refusal};
use warifu_ledger::Hash;
use warifu_ledger::body::{PolicyChange, ProtectedAction};
use warifu_storage::{organization_access as store, organizations};

/// What the page's form sends for a box that is ticked, and for one that is not.
fn word(ticked: bool) -> &'static str {
    if ticked { "yes" } else { "" }
}

fn state(access: OrganizationAccess) -> Hash {
    let state =
        json!({ "passwords": access.passwords, "weaker_providers": access.weaker_providers });
    Hash(digest(state.to_string().as_bytes()))
}

impl App {
    /// # Errors
    /// Denied without [`Permission::ManageSignIn`].
    pub async fn organization_access(
        &self,
        actor: &Actor,
        id: OrganizationId,
    ) -> Result<OrganizationAccess, AppError> {
        actor.require(Permission::ManageSignIn)?;
        Ok(store::of(&mut self.db.read().await?.conn(), id).await?)
    }

    /// Changes it. What is allowed no longer ends the sessions that were opened so.
    ///
    /// # Errors
    /// Denied; [`AppError::StepUp`] without a proof for just this; [`AppError::NotFound`];
    /// [`AppError::Conflict`] for the vendor's own organization.
    pub async fn change_organization_access(
        &self,
        actor: &Actor,
        id: OrganizationId,
        to: OrganizationAccess,
        proof: Option<&str>,
    ) -> Result<(), AppError> {
        actor.require(Permission::ManageSignIn)?;
        let mut change = self.change().await?;
        let organization = organizations::find(&mut change.conn(), id).await?;
        let organization = organization.ok_or(AppError::NotFound("organization"))?;
        if organization.vendor {
            return Err(AppError::Conflict(refusal!(
                "access-vendor",
                "the vendor's own people sign in with phishing-resistant factors only"
            )));
        }
        let what = Protected::new(Action::ChangeOrganizationAccess)
            .with("organization", id)
            .with("passwords", word(to.passwords))
            .with("weaker_providers", word(to.weaker_providers));
        spend(&mut change, actor, &what, proof).await?;
        let before = store::of(&mut change.conn(), id).await?;
        store::set(&mut change.conn(), id, to).await?;
        let body = ProtectedAction {
            action: Action::ChangeOrganizationAccess.key().into(),
            target: Some(id.to_string()),
            approver: None,
        };
        change.record(actor, Some(id), &body).await?;
        let body = PolicyChange {
            policy: format!("organization_access:{id}"),
            before: Some(state(before)),
            after: Some(state(to)),
        };
        change.record(actor, Some(id), &body).await?;
        for (ends, factor, assurance) in
            [(!to.passwords, Factor::Password, 3), (!to.weaker_providers, Factor::Oidc, 1)]
        {
            if ends {
                let open = store::sessions(&mut change.conn(), id, factor, assurance).await?;
                end_with(&mut change, Some(actor), open, "factor").await?;
            }
        }
        change.commit().await?;
        Ok(())
    }
}
