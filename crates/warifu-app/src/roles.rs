//! Granting and taking away roles: a protected action, felt by the next request.

use crate::enrolment::{granted, ledger_role};
use crate::notices::notify;
use crate::policy_changes::Proposed;
use crate::second_person::ask;
use crate::sessions::end_too_weak;
use crate::step_up::spend;
use crate::{App, AppError, Change};
use warifu_domain::access::{Actor, Permission, Role, Roles};
use warifu_domain::notices::NoticeKind;
use warifu_domain::people::KnownPerson;
use warifu_domain::protected::{Action, Protected};
use warifu_domain::second_person::{Matter, Terms, Way};
use warifu_domain::{PersonId, refusal};
use warifu_ledger::body::{Change as Done, RoleChange};
use warifu_storage::{credentials, organizations, people, services};

/// What is agreed to: whose roles, and which they will be. The same text as the page's.
fn protected(person: PersonId, roles: Roles) -> Protected {
    let keys: Vec<&str> = roles.iter().map(Role::key).collect();
    Protected::new(Action::ChangeRoles).with("person", person).with("role", keys.join(","))
}

/// What a second person reads of somebody who would be a super administrator: by which factors too, so that
/// one that is added meanwhile makes what was asked for void.
async fn told(
    change: &mut Change<'_>,
    person: &KnownPerson,
    held: bool,
) -> Result<Terms, AppError> {
    let factors = credentials::of_person(&mut change.conn(), person.id).await?;
    let factors: Vec<String> = factors.iter().map(|f| f.id.to_string()).collect();
    let texts = [
        ("name", person.record.display_name().to_owned()),
        ("factors", factors.join(" ")),
        ("enabled", held.to_string()),
    ];
    Ok(texts.into_iter().map(|(name, text)| (name.to_owned(), text)).collect())
}

/// Whether somebody is a super administrator now.
pub(crate) async fn terms(
    change: &mut Change<'_>,
    person: PersonId,
) -> Result<Option<Terms>, AppError> {
    let found = people::find(&mut change.conn(), person).await?.filter(|p| p.active);
    let Some(found) = found else { return Ok(None) };
    let held = people::roles(&mut change.conn(), person).await?;
    Ok(Some(told(change, &found, held.has(Role::SuperAdministrator)).await?))
}

/// Makes somebody a super administrator: a second person has agreed.
pub(crate) async fn let_in(
    change: &mut Change<'_>,
    actor: &Actor,
    person: PersonId,
) -> Result<(), AppError> {
    let found = people::find(&mut change.conn(), person).await?;
    let found = found.ok_or(AppError::NotFound("person"))?;
    grant(change, actor, &found, Role::SuperAdministrator).await?;
    end_too_weak(change, Some(actor), person).await?;
    // A link that somebody below them made enrols nobody above.
    let at = change.at();
    credentials::end_enrolments(&mut change.conn(), person, at).await?;
    notify(change, person, NoticeKind::RolesChanged, &[]).await
}

/// Asks a second person to make somebody a super administrator.
async fn ask_to_let_in(
    change: &mut Change<'_>,
    actor: &Actor,
    person: &KnownPerson,
) -> Result<i64, AppError> {
    let terms = told(change, person, true).await?;
    let matter = Matter::Way { way: Way::SuperAdministrator, id: person.id.0, terms };
    ask(change, actor, Action::ChangeRoles, &matter, "").await
}

async fn grant(
    change: &mut Change<'_>,
    actor: &Actor,
    person: &KnownPerson,
    role: Role,
) -> Result<(), AppError> {
    let entry = granted(change, person.id, role).await?;
    change.record(actor, Some(person.organization), &entry).await?;
    Ok(())
}

impl App {
    /// Gives a person exactly these roles, except that of a super administrator: somebody who gets it waits
    /// for a second person, since whoever makes others like themselves needs nobody.
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
    ) -> Result<Proposed, AppError> {
        actor.require(Permission::ManageRoles)?;
        let mut change = self.change().await?;
        let revision = change.revision();
        let found = people::find(&mut change.conn(), person).await?.filter(|p| p.active);
        let found = found.ok_or(AppError::NotFound("person"))?;
        // A program has scopes, never roles.
        if services::is_account(&mut change.conn(), person).await? {
            return Err(AppError::NotFound("person"));
        }
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
            change.unchanged().await?;
            return Ok(Proposed::Done);
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
        let (mut waits, mut done) = (None, false);
        for role in changed {
            if roles.has(role) && role == above {
                waits = Some(ask_to_let_in(&mut change, actor, &found).await?);
                continue;
            }
            done = true;
            if roles.has(role) {
                grant(&mut change, actor, &found, role).await?;
                continue;
            }
            people::revoke(&mut change.conn(), revision, person, role).await?;
            let body = RoleChange {
                person: person.to_string(),
                role: ledger_role(role),
                change: Done::Removed,
            };
            change.record(actor, Some(found.organization), &body).await?;
        }
        if !roles.is_empty() {
            end_too_weak(&mut change, Some(actor), person).await?;
        }
        if done {
            notify(&mut change, person, NoticeKind::RolesChanged, &[]).await?;
        }
        change.commit().await?;
        Ok(waits.map_or(Proposed::Done, Proposed::Waiting))
    }
}
