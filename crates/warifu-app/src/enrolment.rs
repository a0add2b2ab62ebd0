//! Invitations: one-time links by which a person enrols their first passkey, and who may make them.

use crate::notices::notify;
use crate::step_up::spend;
use crate::{App, AppError, Change};
use warifu_auth::Token;
use warifu_domain::access::{Actor, Denied, Permission, Role, Roles};
use warifu_domain::notices::NoticeKind;
use warifu_domain::people::{KnownPerson, Person, looks_like_email};
use warifu_domain::protected::{Action, Protected};
use warifu_domain::time::HOUR;
use warifu_domain::{OrganizationId, PersonId, Refusal, Timestamp, refusal};
use warifu_ledger::body::{Change as Done, PersonChange, ProtectedAction, RoleChange};
use warifu_ledger::{Count, Role as LedgerRole};
use warifu_storage::{Conn, credentials, organizations, people, services};

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
            return Err(AppError::invalid("email", no_email(email)));
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
                let (person, entry) = new_of_vendor(&mut change, vendor, email, name).await?;
                change.record_own(Some(vendor), &entry).await?;
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
            let entry = granted(&mut change, person.id, *role).await?;
            change.record_own(Some(person.organization), &entry).await?;
        }
        let invitation = self.made_invitation(&mut change, person.id, PersonId(0)).await?;
        change.record_own(Some(person.organization), &invited(person.id)).await?;
        change.commit().await?;
        Ok(invitation)
    }

    /// Invites a person who has no passkey yet. One who has needs the help desk's verification
    /// instead: an invitation must not be a way around it. An earlier link that is open ends.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::NotFound`], [`AppError::StepUp`] without a proof for just this
    /// person, or [`AppError::Conflict`] when the person has a passkey already.
    pub async fn invite(
        &self,
        actor: &Actor,
        person: PersonId,
        proof: Option<&str>,
    ) -> Result<Invitation, AppError> {
        let mut change = self.change().await?;
        let found = reachable(&mut change.conn(), actor, person).await?;
        let found = Some(found).filter(|p| p.active).ok_or(AppError::NotFound("person"))?;
        // Not even one whose factors were reset: what was shown then was shown for one invitation.
        if credentials::ever(&mut change.conn(), person).await? {
            return Err(AppError::Conflict(refusal!(
                "passkey-there",
                "this person has or had a passkey; a check of the help desk comes before a new way in"
            )));
        }
        let what = Protected::new(Action::InvitePerson).with("person", person);
        spend(&mut change, actor, &what, proof).await?;
        let invitation = self.made_invitation(&mut change, person, actor.person).await?;
        change.record(actor, Some(found.organization), &invited(person)).await?;
        notify(&mut change, person, NoticeKind::Invited, &[("by", &actor.name)]).await?;
        change.commit().await?;
        Ok(invitation)
    }

    /// Takes back the one-time links of a person that were not used.
    ///
    /// # Errors
    /// [`AppError::Denied`]; [`AppError::NotFound`] when there is no such person or no open link.
    pub async fn withdraw_invitation(
        &self,
        actor: &Actor,
        person: PersonId,
    ) -> Result<(), AppError> {
        let mut change = self.change().await?;
        let at = change.at();
        let found = reachable(&mut change.conn(), actor, person).await?;
        if credentials::open_enrolment(&mut change.conn(), person, at).await?.is_none() {
            return Err(AppError::NotFound("invitation"));
        }
        credentials::end_enrolments(&mut change.conn(), person, at).await?;
        let body = protected_action("withdraw_invitation", person);
        change.record(actor, Some(found.organization), &body).await?;
        change.commit().await?;
        Ok(())
    }

    /// Makes a new colleague of the vendor with their roles and invites them, in one act.
    ///
    /// # Errors
    /// Denied; [`AppError::Invalid`] for a name or address that is none, an address that somebody has, and
    /// no role or one that is not for the vendor's people; [`AppError::StepUp`] without a proof for just
    /// this.
    pub async fn add_colleague(
        &self,
        actor: &Actor,
        new: &NewColleague,
        proof: Option<&str>,
    ) -> Result<Invitation, AppError> {
        actor.require(Permission::ManageRoles)?;
        actor.require(Permission::Invite)?;
        let (name, email) = (new.full_name.trim(), new.email.trim());
        if name.is_empty() {
            return Err(AppError::invalid(
                "full_name",
                refusal!("name-empty", "the name is empty"),
            ));
        }
        if !looks_like_email(email) {
            return Err(AppError::invalid("email", no_email(email)));
        }
        if new.roles.is_empty() || new.roles.iter().any(|role| !role.is_staff()) {
            let what = refusal!("role-none", "choose what the new colleague may do");
            return Err(AppError::invalid("role", what));
        }
        // Whoever enrols as one is seen before a second person agrees to it.
        if new.roles.has(Role::SuperAdministrator) {
            let what = refusal!(
                "role-second",
                "a super administrator takes two: choose another role now, and that one on their page"
            );
            return Err(AppError::invalid("role", what));
        }
        let vendor = self.ensure_vendor().await?;
        let mut change = self.change().await?;
        if people::find_by_email(&mut change.conn(), email).await?.is_some() {
            let what = refusal!(
                "email-taken",
                "somebody has the address {email} already; invite them from their own page",
                email = email
            );
            return Err(AppError::invalid("email", what));
        }
        spend(&mut change, actor, &new.protected(), proof).await?;
        let (person, entry) = new_of_vendor(&mut change, vendor, email, Some(name)).await?;
        change.record(actor, Some(vendor), &entry).await?;
        for role in new.roles.iter() {
            let entry = granted(&mut change, person.id, role).await?;
            change.record(actor, Some(vendor), &entry).await?;
        }
        let invitation = self.made_invitation(&mut change, person.id, actor.person).await?;
        change.record(actor, Some(vendor), &invited(person.id)).await?;
        notify(&mut change, person.id, NoticeKind::Invited, &[("by", &actor.name)]).await?;
        change.commit().await?;
        Ok(invitation)
    }

    /// A new one-time link of somebody, and the only one; the caller records it.
    async fn made_invitation(
        &self,
        change: &mut Change<'_>,
        person: PersonId,
        by: PersonId,
    ) -> Result<Invitation, AppError> {
        let token = Token::from_random(self.random_bytes());
        let (at, expires_at) = (change.at(), change.at().plus(INVITATION));
        let (hash, mut conn) = (token.hash(), change.conn());
        // Whoever opened another one first, with the mailbox or over a shoulder, has nothing of it.
        credentials::end_enrolments(&mut conn, person, at).await?;
        credentials::insert_enrolment(&mut conn, &hash, person, by, at, expires_at).await?;
        Ok(Invitation { person, token, expires_at })
    }
}

/// A colleague who is to be made.
#[derive(Clone, Debug, Default)]
pub struct NewColleague {
    pub full_name: String,
    pub email: String,
    pub roles: Roles,
}

impl NewColleague {
    /// What is agreed to: the same text as the page's.
    fn protected(&self) -> Protected {
        let keys: Vec<&str> = self.roles.iter().map(Role::key).collect();
        Protected::new(Action::AddColleague)
            .with("full_name", &self.full_name)
            .with("email", &self.email)
            .with("role", keys.join(","))
    }
}

/// Somebody whom the actor may let in and out, switched off or not: a person, and nobody above the actor.
///
/// # Errors
/// [`AppError::Denied`], or [`AppError::NotFound`] for nobody and for a program, which has a key and never
/// a person's factor.
pub(crate) async fn reachable(
    conn: &mut Conn<'_>,
    actor: &Actor,
    person: PersonId,
) -> Result<KnownPerson, AppError> {
    actor.require(Permission::Invite)?;
    let found = people::find(conn, person).await?.ok_or(AppError::NotFound("person"))?;
    if services::is_account(conn, person).await? {
        return Err(AppError::NotFound("person"));
    }
    match actor.roles.below(people::roles(conn, person).await?) {
        true => Err(Denied(Permission::Invite).into()),
        false => Ok(found),
    }
}

fn no_email(email: &str) -> Refusal {
    refusal!("email", "“{email}” is no e-mail address", email = email)
}

pub(crate) fn protected_action(action: &str, person: PersonId) -> ProtectedAction {
    ProtectedAction { action: action.into(), target: Some(person.to_string()), approver: None }
}

fn invited(person: PersonId) -> ProtectedAction {
    protected_action("invite", person)
}

/// Adds a person to the vendor; the entry is for the caller to record.
async fn new_of_vendor(
    change: &mut Change<'_>,
    vendor: OrganizationId,
    email: &str,
    name: Option<&str>,
) -> Result<(KnownPerson, PersonChange), AppError> {
    let revision = change.revision();
    let record = Person {
        created_date: Some(change.at()),
        full_name: name.map(str::to_owned),
        username: Some(email.to_owned()),
        email: Some(email.to_owned()),
        ..Person::default()
    };
    let id = PersonId(change.conn().take_ids("people", 1).await?);
    let person = KnownPerson { id, organization: vendor, active: true, record: record.checked()? };
    people::insert(&mut change.conn(), revision, std::slice::from_ref(&person)).await?;
    let entry = PersonChange {
        person: id.to_string(),
        fields: vec!["email".into(), "full_name".into(), "username".into()],
        revision: Count(revision.0 as u64),
    };
    Ok((person, entry))
}

/// Grants a role; the entry is for the caller to record.
pub(crate) async fn granted(
    change: &mut Change<'_>,
    person: PersonId,
    role: Role,
) -> Result<RoleChange, AppError> {
    let revision = change.revision();
    people::grant(&mut change.conn(), revision, person, role).await?;
    Ok(RoleChange { person: person.to_string(), role: ledger_role(role), change: Done::Added })
}
