//! Granting and taking away roles: a protected action, felt by the next request.

use crate::enrolment::ledger_role;
use crate::notices::notify;
use crate::sessions::end_too_weak;
use crate::step_up::spend;
use crate::{App, AppError};
use warifu_domain::access::{Actor, Permission, Role, Roles};
use warifu_domain::notices::NoticeKind;
use warifu_domain::protected::{Action, Protected};
use warifu_domain::{PersonId, refusal};
use warifu_ledger::body::{Change as Done, RoleChange};
use warifu_storage::{organizations, people};

/// What is agreed to: whose roles, and which they will be. The same text as the page's.
fn protected(person: PersonId, roles: Roles) -> Protected {
    let keys: Vec<&str> = roles.iter().map(Role::key).collect();
    Protected::new(Action::ChangeRoles).with("person", person).with("role", keys.join(","))
}

impl App {
    /// Gives a person exactly these roles.
    ///
    /// # Errors
    /// Denied; [`AppError::StepUp`] without a proof for just these; [`AppError::Invalid`] for a role that is
    /// not for the person's organization; [`AppError::Conflict`] for the last super administrator.
    pub async fn change_roles(
        &self,
        actor: &Actor,
        person: PersonId,
        roles: Roles,
        proof: Option<&str>,
    ) -> Result<(), AppError> {
        actor.require(Permission::ManageRoles)?;
        let mut change = self.change().await?;
        let revision = change.revision();
        let found = people::find(&mut change.conn(), person).await?.filter(|p| p.active);
        let found = found.ok_or(AppError::NotFound("person"))?;
        let organization = organizations::find(&mut change.conn(), found.organization).await?;
        let of_vendor = organization.is_some_and(|o| o.vendor);
        if roles.iter().any(|role| role.is_staff() != of_vendor) {
            let what =
                refusal!("role-organization", "a role is not for this person's organization");
            return Err(AppError::invalid("role", what));
        }
        let held = people::roles(&mut change.conn(), person).await?;
        let changed: Vec<Role> =
            Role::ALL.into_iter().filter(|role| held.has(*role) != roles.has(*role)).collect();
        if changed.is_empty() {
            return Ok(());
        }
        let above = Role::SuperAdministrator;
        if changed.contains(&above) && held.has(above) {
            let holders = people::holders(&mut change.conn(), above).await?;
            if holders == [person] {
                return Err(AppError::Conflict(refusal!(
                    "role-last",
                    "the last super administrator stays one; name another first"
                )));
            }
        }
        spend(&mut change, actor, &protected(person, roles), proof).await?;
        for role in changed {
            let done = if roles.has(role) {
                people::grant(&mut change.conn(), revision, person, role).await?;
                Done::Added
            } else {
                people::revoke(&mut change.conn(), revision, person, role).await?;
                Done::Removed
            };
            let body =
                RoleChange { person: person.to_string(), role: ledger_role(role), change: done };
            change.record(actor, Some(found.organization), &body).await?;
        }
        if !roles.is_empty() {
            end_too_weak(&mut change, Some(actor), person).await?;
        }
        notify(&mut change, person, NoticeKind::RolesChanged, &[]).await?;
        change.commit().await?;
        Ok(())
    }
}
