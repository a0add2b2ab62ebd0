//! Enrolling passkeys, by invitation or beside one that the person has, and removing them.

use crate::notices::notify_of_factor;
use crate::sign_in::{Asked, From, subject, subject_of};
use crate::step_up::spend;
use crate::{App, AppError};
use serde_json::Value;
use warifu_auth::{NewPasskey, Passkeys, Token, digest};
use warifu_domain::access::{Actor, Roles};
use warifu_domain::factors::Factor;
use warifu_domain::notices::NoticeKind;
use warifu_domain::people::KnownPerson;
use warifu_domain::policy::Unfit;
use warifu_domain::protected::{Action, Protected};
use warifu_domain::refusal;
use warifu_domain::{CredentialId, PersonId, Timestamp};
use warifu_ledger::Hash;
use warifu_ledger::body::{Change as Done, Enrolment, SignInRefused};
use warifu_storage::credentials::{self, Credential, NewCredential};
use warifu_storage::{organizations, people, sessions};

/// An invitation that this browser may use.
pub struct OpenInvitation {
    pub person: PersonId,
    pub name: String,
    pub roles: Roles,
    pub expires_at: Timestamp,
}

/// Longest name of a passkey, in characters.
const NAME: usize = 60;

/// Ties an invitation to the browser that opens it first.
pub(crate) fn browser_hash(browser: &str) -> [u8; 32] {
    digest(format!("invitation:{browser}").as_bytes())
}

pub(crate) fn gone() -> AppError {
    AppError::NotFound("invitation")
}

/// The stored texts of those factors that are passkeys.
pub(crate) fn passkeys_of(factors: Vec<Credential>) -> Vec<String> {
    let passkeys = factors.into_iter().filter(|f| f.kind == Factor::Passkey);
    passkeys.map(|f| f.verifier).collect()
}

pub(crate) fn checked_name(name: &str) -> Result<String, AppError> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > NAME || name.chars().any(char::is_control) {
        return Err(AppError::invalid(
            "name",
            refusal!("passkey-name", "a name has 1 to {limit} characters", limit = NAME),
        ));
    }
    Ok(name.to_owned())
}

impl App {
    /// Opens an invitation in a browser, which ties it to that browser. `None` when it was used,
    /// has expired, was opened elsewhere or never was: nobody learns which.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open_invitation(
        &self,
        token: &str,
        from: From<'_>,
    ) -> Result<Option<OpenInvitation>, AppError> {
        let Some(token) = Token::parse(token) else { return Ok(None) };
        let now = self.now();
        let mut tx = self.db.begin_plain().await?;
        let mut conn = tx.conn();
        let found = credentials::find_enrolment(&mut conn, &token.hash()).await?;
        let Some(found) = found.filter(|e| e.used_at.is_none() && e.expires_at > now) else {
            return Ok(None);
        };
        let person = people::find(&mut conn, found.person).await?.filter(|p| p.active);
        let Some(person) = person else { return Ok(None) };
        let browser = browser_hash(from.browser);
        if !credentials::bind_enrolment(&mut conn, &token.hash(), &browser).await? {
            drop(tx);
            let body = SignInRefused {
                factor: "invitation".into(),
                reason: "other_browser".into(),
                person: Some(person.id.to_string()),
                times: None,
            };
            let mut change = self.change().await?;
            change.record_stranger(from.network, &body).await?;
            change.commit().await?;
            return Ok(None);
        }
        let roles = people::roles(&mut conn, person.id).await?;
        tx.commit().await?;
        Ok(Some(OpenInvitation {
            person: person.id,
            name: person.record.display_name().to_owned(),
            roles,
            expires_at: found.expires_at,
        }))
    }

    /// Begins to enrol by invitation.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when the invitation cannot be used in this browser.
    pub async fn begin_invited(
        &self,
        passkeys: &Passkeys,
        invitation: &str,
        from: From<'_>,
    ) -> Result<Asked, AppError> {
        let open = self.open_invitation(invitation, from).await?.ok_or_else(gone)?;
        // Tied to the invitation as well: another one's ceremony does not fit.
        let browser = format!("{}:{invitation}", from.browser);
        self.begin_enrolment(passkeys, open.person, &browser).await
    }

    /// Begins to enrol a further passkey.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin_further(
        &self,
        passkeys: &Passkeys,
        actor: &Actor,
        from: From<'_>,
    ) -> Result<Asked, AppError> {
        self.begin_enrolment(passkeys, actor.person, from.browser).await
    }

    async fn begin_enrolment(
        &self,
        passkeys: &Passkeys,
        person: PersonId,
        browser: &str,
    ) -> Result<Asked, AppError> {
        let mut reader = self.db.read().await?;
        let known = credentials::of_person(&mut reader.conn(), person).await?;
        let found = people::find(&mut reader.conn(), person).await?.ok_or_else(gone)?;
        let roles = people::roles(&mut reader.conn(), person).await?;
        let organization = organizations::find(&mut reader.conn(), found.organization).await?;
        drop(reader);
        let organization = organization.ok_or_else(gone)?;
        let policies = self.policies().await?;
        let makes = policies.effective(subject_of(&found, roles, &organization)).proved_makes();
        let known: Vec<String> = passkeys_of(known);
        let r = &found.record;
        let user_name = r.username.as_deref().or(r.email.as_deref());
        let user_name = user_name.unwrap_or(r.display_name());
        let begun = passkeys
            .begin_enrolment(person, user_name, r.display_name(), &known, makes.as_ref())
            .map_err(|e| AppError::Internal(e.to_string()))?;
        self.keep_ceremony("enrol", person, begun, browser).await
    }

    /// Finishes by invitation, which is spent with it.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when the invitation was used meanwhile; [`AppError::Invalid`] when
    /// the answer does not fit.
    pub async fn finish_invited(
        &self,
        passkeys: &Passkeys,
        invitation: &str,
        answer: Answer<'_>,
        from: From<'_>,
    ) -> Result<(), AppError> {
        let token = Token::parse(invitation).ok_or_else(gone)?;
        let name = checked_name(answer.name)?;
        let browser = format!("{}:{invitation}", from.browser);
        let (person, new) = self.made(passkeys, answer, &browser).await?;
        let mut change = self.change().await?;
        let at = change.at();
        let found = credentials::find_enrolment(&mut change.conn(), &token.hash()).await?;
        let own = browser_hash(from.browser);
        let fits = |e: &credentials::Enrolment| {
            e.person == person && e.browser.as_deref() == Some(own.as_slice())
        };
        if !found.is_some_and(|e| fits(&e))
            || !credentials::spend_enrolment(&mut change.conn(), &token.hash(), at).await?
        {
            return Err(gone());
        }
        let owner = people::find(&mut change.conn(), person).await?.filter(|p| p.active);
        let owner = owner.ok_or_else(gone)?;
        let roles = people::roles(&mut change.conn(), person).await?;
        let actor = actor_of(&owner, roles, from.network);
        if let Err(unfit) = self.fits(&mut change, &owner, roles, &new).await? {
            drop(change);
            return Err(self.refuse_passkey(person, unfit, from.network).await?);
        }
        self.keep_passkey(&mut change, &actor, new, &name).await?;
        change.commit().await?;
        Ok(())
    }

    /// Finishes a further passkey: only somebody with a key that is enrolled already may add one.
    ///
    /// # Errors
    /// [`AppError::StepUp`] without a proof for it;
    /// [`AppError::Invalid`] when the answer does not fit or is not this person's ceremony.
    pub async fn finish_further(
        &self,
        passkeys: &Passkeys,
        actor: &Actor,
        answer: Answer<'_>,
        proof: Option<&str>,
        from: From<'_>,
    ) -> Result<(), AppError> {
        let name = checked_name(answer.name)?;
        let (person, new) = self.made(passkeys, answer, from.browser).await?;
        if person != actor.person {
            return Err(gone());
        }
        let mut change = self.change().await?;
        spend(&mut change, actor, &Protected::new(Action::AddFactor), proof).await?;
        let owner = people::find(&mut change.conn(), person).await?.ok_or_else(gone)?;
        if let Err(unfit) = self.fits(&mut change, &owner, actor.roles, &new).await? {
            drop(change);
            return Err(self.refuse_passkey(person, unfit, from.network).await?);
        }
        self.keep_passkey(&mut change, actor, new, &name).await?;
        change.commit().await?;
        Ok(())
    }

    async fn made(
        &self,
        passkeys: &Passkeys,
        answer: Answer<'_>,
        browser: &str,
    ) -> Result<(PersonId, NewPasskey), AppError> {
        let taken = self.take_ceremony("enrol", answer.ceremony, browser).await?;
        let (person, state) = taken.ok_or_else(|| {
            AppError::invalid("ceremony", refusal!("ceremony-over", "it is over; begin again"))
        })?;
        let new = passkeys.finish_enrolment(&state, answer.credential).map_err(|e| {
            AppError::invalid("credential", refusal!("credential", "{why}", why = e.to_string()))
        })?;
        Ok((person, new))
    }

    /// Whether policy lets somebody have a passkey.
    async fn fits(
        &self,
        change: &mut crate::Change<'_>,
        owner: &KnownPerson,
        roles: Roles,
        new: &NewPasskey,
    ) -> Result<Result<(), Unfit>, AppError> {
        let subject = subject(change, owner, roles).await?;
        let policies = self.policies_in(change).await?;
        Ok(policies.effective(subject).fits(new.make.as_deref(), new.synced))
    }

    /// Writes down that a passkey was refused, and says why.
    async fn refuse_passkey(
        &self,
        person: PersonId,
        unfit: Unfit,
        network: &str,
    ) -> Result<AppError, AppError> {
        let body = SignInRefused {
            factor: "passkey".into(),
            reason: unfit.code().into(),
            person: Some(person.to_string()),
            times: None,
        };
        let mut change = self.change().await?;
        change.record_stranger(network, &body).await?;
        change.commit().await?;
        let why = match unfit {
            Unfit::Synced => refusal!(
                "passkey-synced",
                "this passkey is copied between devices, which your role does not allow; use a security key"
            ),
            Unfit::Make => refusal!(
                "passkey-make",
                "your role allows only certain authenticators, and this is none of them"
            ),
        };
        Ok(AppError::invalid("credential", why))
    }

    async fn keep_passkey(
        &self,
        change: &mut crate::Change<'_>,
        actor: &Actor,
        new: NewPasskey,
        name: &str,
    ) -> Result<(), AppError> {
        let at = change.at();
        // `find` knows only what is not revoked; a revoked key never comes back (UNIQUE).
        if credentials::find(&mut change.conn(), Factor::Passkey, &new.credential_id)
            .await?
            .is_some()
        {
            return Err(AppError::Conflict(refusal!(
                "passkey-known",
                "this passkey is enrolled already"
            )));
        }
        let id = &new.credential_id;
        let kept = NewCredential {
            person: actor.person,
            kind: Factor::Passkey,
            credential_id: id,
            verifier: &new.passkey,
            make: new.make.as_deref(),
            name,
        };
        credentials::insert(&mut change.conn(), &kept, at).await?;
        let body = Enrolment {
            person: actor.person.to_string(),
            factor: "passkey".into(),
            credential: Hash(digest(id)),
            change: Done::Added,
        };
        change.record(actor, Some(actor.organization), &body).await?;
        let (kind, factor) = (NoticeKind::FactorAdded, Factor::Passkey);
        notify_of_factor(change, actor.person, kind, factor, name).await?;
        Ok(())
    }

    /// The actor's passkeys, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn passkeys(&self, actor: &Actor) -> Result<Vec<Credential>, AppError> {
        let mut own = self.factors(actor).await?;
        own.retain(|f| f.kind == Factor::Passkey);
        Ok(own)
    }

    /// The actor's factors of every kind, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn factors(&self, actor: &Actor) -> Result<Vec<Credential>, AppError> {
        Ok(credentials::of_person(&mut self.db.read().await?.conn(), actor.person).await?)
    }

    /// Removes one of the actor's factors, of whichever kind, but not the last. Sessions that it opened end, except
    /// the one (`keep`) in which this is asked.
    ///
    /// # Errors
    /// [`AppError::StepUp`] without a proof for it; [`AppError::NotFound`], or
    /// [`AppError::Conflict`] for the last.
    pub async fn remove_passkey(
        &self,
        actor: &Actor,
        id: CredentialId,
        keep: &[u8; 32],
        proof: Option<&str>,
    ) -> Result<(), AppError> {
        let mut change = self.change().await?;
        let own = credentials::of_person(&mut change.conn(), actor.person).await?;
        let fits = |c: &&Credential| c.id == id;
        let removed = own.iter().find(fits).ok_or(AppError::NotFound("passkey"))?;
        if own.len() == 1 {
            return Err(AppError::Conflict(refusal!(
                "passkey-last",
                "the last passkey cannot be removed"
            )));
        }
        let what = Protected::new(Action::RemoveFactor).with("passkey", id);
        spend(&mut change, actor, &what, proof).await?;
        let at = change.at();
        credentials::revoke(&mut change.conn(), actor.person, id, at).await?;
        sessions::end_of_credential(&mut change.conn(), id, keep, at).await?;
        let body = Enrolment {
            person: actor.person.to_string(),
            factor: removed.kind.key().into(),
            credential: Hash(digest(&removed.credential_id)),
            change: Done::Removed,
        };
        change.record(actor, Some(actor.organization), &body).await?;
        let (kind, factor) = (NoticeKind::FactorRemoved, removed.kind);
        notify_of_factor(&mut change, actor.person, kind, factor, &removed.name).await?;
        change.commit().await?;
        Ok(())
    }
}

/// The browser's answer to an enrolment.
pub struct Answer<'a> {
    pub ceremony: &'a str,
    pub credential: Value,
    /// What the owner calls the passkey.
    pub name: &'a str,
}

pub(crate) fn actor_of(person: &KnownPerson, roles: Roles, network: &str) -> Actor {
    Actor {
        person: person.id,
        name: person.record.display_name().to_owned(),
        organization: person.organization,
        roles,
        session: None,
        network: network.to_owned(),
    }
}
