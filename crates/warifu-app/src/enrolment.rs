//! Invitations: one-time links by which a person enrols their first passkey.

use crate::{App, AppError};
use warifu_auth::{Token, TokenHash};
use warifu_domain::access::{Actor, Denied, Permission, Role};
use warifu_domain::people::{KnownPerson, Person, looks_like_email};
use warifu_domain::refusal;
use warifu_domain::time::HOUR;
use warifu_domain::{PersonId, Timestamp};
use warifu_ledger::body::{Change as Done, PersonChange, ProtectedAction, RoleChange};
use warifu_ledger::{Count, Role as LedgerRole};
use warifu_storage::{credentials, organizations, people, services};

/// How long an invitation holds, at most (access.md: ≤ 24 h), in microseconds.
pub const INVITATION: i64 = 24 * HOUR;

/// An invitation that was just made. The token is shown once and is not kept.
pub struct Invitation {
    pub person: PersonId,
    pub token: Token,
    pub expires_at: Timestamp,
}

pub(crate) fn ledger_role(role: Role) -> LedgerRole {
    match role {
        Role::Agent => LedgerRole::Agent,
        Role::Administrator => LedgerRole::Administrator,
        Role::SuperAdministrator => LedgerRole::SuperAdministrator,
        Role::Responder => LedgerRole::Responder,
        Role::OrganizationAdministrator => LedgerRole::OrganizationAdministrator,
    }
}

impl App {
    /// Invites on the console: whoever may write the data folder. An unknown e-mail address with a
    /// staff role becomes a new person of the vendor.
    ///
    /// # Errors
    /// [`AppError::Invalid`] when the address is none, is unknown and no role is given, or a role
    /// does not fit the person's organization; [`AppError::Conflict`] for somebody who has or had a factor,
    /// once the installation has a sealed code: that code is the console's way in then.
    pub async fn invite_on_console(
        &self,
        email: &str,
        name: Option<&str>,
        roles: &[Role],
    ) -> Result<Invitation, AppError> {
        if !looks_like_email(email) {
            return Err(AppError::invalid(
                "email",
                refusal!("email", "“{email}” is no e-mail address", email = email),
            ));
        }
        let sealed = self.is_sealed().await?;
        if sealed && roles.contains(&Role::SuperAdministrator) {
            return Err(AppError::Conflict(refusal!(
                "role-sealed",
                "this installation has a sealed code: a super administrator names others, or use `warifu break-glass open`"
            )));
        }
        let vendor = self.ensure_vendor().await?;
        let mut change = self.change().await?;
        let revision = change.revision();
        let known = people::find_by_email(&mut change.conn(), email).await?;
        let person = match known {
            Some(person) if person.active => {
                if sealed && credentials::ever(&mut change.conn(), person.id).await? {
                    return Err(AppError::Conflict(refusal!(
                        "email-enrolled",
                        "{email} has or had a factor; use the help desk's check, or `warifu break-glass open`",
                        email = email
                    )));
                }
                person
            }
            Some(_) => {
                return Err(AppError::invalid(
                    "email",
                    refusal!("email-off", "{email} is switched off", email = email),
                ));
            }
            None if roles.iter().any(|r| r.is_staff()) => {
                let record = Person {
                    created_date: Some(change.at()),
                    full_name: name.map(str::to_owned),
                    username: Some(email.to_owned()),
                    email: Some(email.to_owned()),
                    ..Person::default()
                };
                let id = PersonId(change.conn().take_ids("people", 1).await?);
                let person = KnownPerson {
                    id,
                    organization: vendor,
                    active: true,
                    record: record.checked()?,
                };
                people::insert(&mut change.conn(), revision, std::slice::from_ref(&person)).await?;
                let body = PersonChange {
                    person: id.to_string(),
                    fields: vec!["email".into(), "full_name".into(), "username".into()],
                    revision: Count(revision.0 as u64),
                };
                change.record_own(Some(vendor), &body).await?;
                person
            }
            None => {
                return Err(AppError::invalid(
                    "email",
                    refusal!(
                        "email-unknown",
                        "nobody has the address {email}; add --role to make a new colleague",
                        email = email
                    ),
                ));
            }
        };
        let organization = organizations::find(&mut change.conn(), person.organization).await?;
        let of_vendor = organization.is_some_and(|o| o.vendor);
        for role in roles {
            if role.is_staff() != of_vendor {
                let what = if of_vendor { "the vendor" } else { "a customer" };
                return Err(AppError::invalid(
                    "role",
                    refusal!(
                        "role-not-theirs",
                        "{email} belongs to {whose}; the role {role} is not for them",
                        email = email,
                        whose = what,
                        role = role.key()
                    ),
                ));
            }
        }
        let held = people::roles(&mut change.conn(), person.id).await?;
        for role in roles.iter().filter(|r| !held.has(**r)) {
            people::grant(&mut change.conn(), revision, person.id, *role).await?;
            let body = RoleChange {
                person: person.id.to_string(),
                role: ledger_role(*role),
                change: Done::Added,
            };
            change.record_own(Some(person.organization), &body).await?;
        }
        let token = Token::from_random(self.random_bytes());
        let expires_at = change.at().plus(INVITATION);
        let at = change.at();
        credentials::insert_enrolment(
            &mut change.conn(),
            &token.hash(),
            person.id,
            PersonId(0),
            at,
            expires_at,
        )
        .await?;
        let body = ProtectedAction {
            action: "invite".into(),
            target: Some(person.id.to_string()),
            approver: None,
        };
        change.record_own(Some(person.organization), &body).await?;
        change.commit().await?;
        Ok(Invitation { person: person.id, token, expires_at })
    }

    /// Invites a person who has no passkey yet. One who has needs the help desk's verification
    /// instead: an invitation must not be a way around it.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::NotFound`], or [`AppError::Conflict`] when the person has
    /// a passkey already.
    pub async fn invite(&self, actor: &Actor, person: PersonId) -> Result<Invitation, AppError> {
        actor.require(Permission::Invite)?;
        let mut change = self.change().await?;
        let found = people::find(&mut change.conn(), person).await?.filter(|p| p.active);
        let found = found.ok_or(AppError::NotFound("person"))?;
        // A program has a key, never a person's factor.
        if services::is_account(&mut change.conn(), person).await? {
            return Err(AppError::NotFound("person"));
        }
        // Who may invite must not become more than they are by inviting.
        let roles = people::roles(&mut change.conn(), person).await?;
        let above = Role::SuperAdministrator;
        if roles.has(above) && !actor.roles.has(above) {
            return Err(Denied(Permission::Invite).into());
        }
        // Not even one whose factors were reset: what was shown then was shown for one invitation.
        if credentials::ever(&mut change.conn(), person).await? {
            return Err(AppError::Conflict(refusal!(
                "passkey-there",
                "this person has or had a passkey; a check of the help desk comes before a new way in"
            )));
        }
        let token = Token::from_random(self.random_bytes());
        let (at, expires_at) = (change.at(), change.at().plus(INVITATION));
        let hash: TokenHash = token.hash();
        credentials::insert_enrolment(
            &mut change.conn(),
            &hash,
            person,
            actor.person,
            at,
            expires_at,
        )
        .await?;
        let body = ProtectedAction {
            action: "invite".into(),
            target: Some(person.to_string()),
            approver: None,
        };
        change.record(actor, Some(found.organization), &body).await?;
        change.commit().await?;
        Ok(Invitation { person, token, expires_at })
    }
}
