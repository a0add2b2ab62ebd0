//! Changing one's own password, and getting new codes: the current password with a current code proves
//! who asks, as a key does at a step-up.

use super::{Kept, Offer, allowed, written};
use crate::notices::notify;
use crate::oidc::end_with;
use crate::sessions::OpenSession;
use crate::sign_in::From;
use crate::step_up::{Passed, spend};
use crate::{App, AppError, Change};
use secrecy::SecretString;
use std::sync::Arc;
use warifu_auth::breached::Breached;
use warifu_auth::{digest, password, totp};
use warifu_domain::access::Actor;
use warifu_domain::factors::Factor;
use warifu_domain::notices::NoticeKind;
use warifu_domain::protected::{Action, Protected};
use warifu_domain::time::SECOND;
use warifu_domain::{CredentialId, Refusal};
use warifu_ledger::body::{ProtectedAction, SignInRefused};
use warifu_storage::credentials::{self, Credential};
use warifu_storage::{people, sessions};

/// What somebody proves themselves with.
#[derive(Clone, Copy)]
pub struct Current<'a> {
    pub password: &'a SecretString,
    pub code: &'a str,
}

/// What came of a new password.
pub enum Changed {
    Done(Passed),
    /// The current password or code is wrong; it is not said which.
    Refused,
    /// The new one is not taken, and nothing was looked at or used up.
    Unfit(Refusal),
}

/// What came of new codes.
pub enum NewCodes {
    Done,
    /// This is not what the app shows; the same codes go on.
    Again(Box<Offer>, Refusal),
}

/// Somebody has proved who they are, in the change that goes on with it.
struct Proven<'a> {
    change: Change<'a>,
    passed: Passed,
    /// In the session's new token.
    actor: Actor,
    credential: CredentialId,
    /// Of the new password.
    hash: Option<String>,
}

fn none() -> AppError {
    AppError::NotFound("password")
}

/// Ties the new codes to the browser and the session that asked for them.
fn tied(session: &OpenSession, from: From<'_>) -> String {
    format!("{}:{}", from.browser, session.name())
}

impl App {
    async fn own_password(&self, actor: &Actor) -> Result<Option<Credential>, AppError> {
        let mut reader = self.db.read().await?;
        let mut conn = reader.conn();
        let Some(person) = people::find(&mut conn, actor.person).await? else { return Ok(None) };
        if !allowed(&mut conn, &person).await? {
            return Ok(None);
        }
        let own = credentials::of_person(&mut conn, actor.person).await?;
        Ok(own.into_iter().find(|k| k.kind == Factor::Password))
    }

    /// Whether somebody has a password with which they may sign in now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_password(&self, actor: &Actor) -> Result<bool, AppError> {
        Ok(self.own_password(actor).await?.is_some())
    }

    /// Proves who is in a session, by the password and a code of theirs, for one action. A wrong one
    /// counts as a wrong sign-in does; the ledger says which it was. The new password is hashed in the
    /// same turn, whatever comes of the old one: the time that it takes says nothing.
    async fn prove(
        &self,
        session: &OpenSession,
        what: &Protected,
        current: Current<'_>,
        new: Option<SecretString>,
        from: From<'_>,
    ) -> Result<Option<Proven<'_>>, AppError> {
        let actor = &session.actor;
        let known = self.own_password(actor).await?.ok_or_else(none)?;
        let person = people::find(&mut self.db.read().await?.conn(), actor.person).await?;
        let email = person.and_then(|p| p.record.email);
        let name = email.unwrap_or_else(|| actor.person.to_string());
        self.slow_account(&name, Some(&known), from).await?;
        let kept = serde_json::from_str::<Kept>(&known.verifier).ok().map(|kept| kept.hash);
        let (tried, salt) = (password::normalized(current.password), self.random_bytes());
        let (right, hash) = self
            .in_turn(move || {
                let right = password::is_password(&tried, kept.as_deref());
                (right, new.and_then(|new| password::hash(&new, salt)))
            })
            .await?;
        let mut change = self.change().await?;
        let judged = self.judged_password(&mut change, Some(known), right, current.code).await?;
        if let Err((reason, _)) = &judged {
            let body = SignInRefused {
                factor: Factor::Password.key().into(),
                reason: (*reason).into(),
                person: Some(actor.person.to_string()),
                times: None,
            };
            change.record(actor, Some(actor.organization), &body).await?;
        }
        let passed = self.stepped_up(&mut change, session, what, judged.is_ok()).await?;
        let (Some(passed), Ok((_, by))) = (passed, judged) else {
            change.commit().await?;
            return Ok(None);
        };
        let named = Some(digest(&passed.session.hash()));
        let actor = Actor { session: named, ..actor.clone() };
        Ok(Some(Proven { change, passed, actor, credential: by.credential, hash }))
    }

    /// Changes the actor's own password. Every other session of theirs ends; this one goes on under a
    /// new token.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for whoever has none, or may not sign in with one; [`AppError::TooMany`]
    /// when there were too many tries of late.
    pub async fn change_password(
        &self,
        session: &OpenSession,
        current: Current<'_>,
        new: &SecretString,
        breached: Option<Arc<Breached>>,
        from: From<'_>,
    ) -> Result<Changed, AppError> {
        if !self.has_password(&session.actor).await? {
            return Err(none());
        }
        let new = password::normalized(new);
        if let Some(what) = self.unfit(session.actor.person, &new, breached).await? {
            return Ok(Changed::Unfit(what));
        }
        let what = Protected::new(Action::ChangePassword);
        let proven = self.prove(session, &what, current, Some(new), from).await?;
        let Some(Proven { mut change, passed, actor, credential, hash }) = proven else {
            return Ok(Changed::Refused);
        };
        let hash = hash.ok_or_else(|| AppError::Internal("hashing a password".into()))?;
        spend(&mut change, &actor, &what, Some(&passed.proof.text())).await?;
        let (at, revision) = (change.at(), change.revision());
        let mut conn = change.conn();
        let mut person = people::find(&mut conn, actor.person).await?.ok_or_else(none)?;
        person.record.last_password_change = Some(at);
        people::update(&mut conn, revision, &person).await?;
        let here = passed.session.hash();
        let kind = NoticeKind::PasswordChanged;
        renew(&mut change, (&actor, &here), credential, |kept| Kept { hash, ..kept }).await?;
        tell(&mut change, &actor, Action::ChangePassword, kind).await?;
        change.commit().await?;
        Ok(Changed::Done(passed))
    }

    /// Begins to get new codes, as at enrolment. What was proved here is good for keeping them. `None`
    /// where the current password or code is wrong.
    ///
    /// # Errors
    /// As [`App::change_password`].
    pub async fn begin_new_codes(
        &self,
        session: &OpenSession,
        current: Current<'_>,
        from: From<'_>,
    ) -> Result<Option<(Offer, Passed)>, AppError> {
        let what = Protected::new(Action::ChangeCodes);
        let proven = self.prove(session, &what, current, None, from).await?;
        let Some(Proven { change, passed, actor, .. }) = proven else { return Ok(None) };
        change.commit().await?;
        let session = OpenSession {
            token_hash: passed.session.hash(),
            actor: actor.clone(),
            ..session.clone()
        };
        let secret = self.random_bytes();
        let offer = self.keep_codes(actor.person, secret, &tied(&session, from)).await?;
        Ok(Some((offer, passed)))
    }

    /// Keeps new codes, when the app shows the first of them. Those of before are good for nothing, and
    /// every other session ends.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when the new codes are not of this session or are over, and as
    /// [`App::change_password`]; [`AppError::StepUp`] when what was proved is over.
    pub async fn finish_new_codes(
        &self,
        session: &OpenSession,
        ceremony: &str,
        code: &str,
        proof: Option<&str>,
        from: From<'_>,
    ) -> Result<NewCodes, AppError> {
        let actor = &session.actor;
        let known = self.own_password(actor).await?.ok_or_else(none)?;
        let tied = tied(session, from);
        let taken = self.take_ceremony("password", ceremony, &tied).await?;
        let (person, state) = taken.filter(|(p, _)| *p == actor.person).ok_or_else(none)?;
        let secret = self.codes(person, &state).ok_or_else(none)?;
        let step = totp::step_of(secret, code, self.now().0.div_euclid(SECOND), 0);
        let Some(step) = step else {
            let offer = self.keep_codes(person, secret, &tied).await?;
            return Ok(NewCodes::Again(Box::new(offer), super::wrong_code()));
        };
        let totp = self.sealed_codes(person, &secret)?;
        let mut change = self.change().await?;
        spend(&mut change, actor, &Protected::new(Action::ChangeCodes), proof).await?;
        let here = (actor, &session.token_hash);
        renew(&mut change, here, known.id, |kept| Kept { totp, step, ..kept }).await?;
        tell(&mut change, actor, Action::ChangeCodes, NoticeKind::CodesChanged).await?;
        change.commit().await?;
        Ok(NewCodes::Done)
    }
}

/// Keeps what changed of a password, and ends every session of its owner but one.
async fn renew(
    change: &mut Change<'_>,
    (actor, here): (&Actor, &[u8; 32]),
    credential: CredentialId,
    edit: impl FnOnce(Kept) -> Kept,
) -> Result<(), AppError> {
    let at = change.at();
    let mut conn = change.conn();
    let own = credentials::of_person(&mut conn, actor.person).await?;
    let current = own.into_iter().find(|k| k.id == credential).ok_or_else(none)?;
    let kept: Kept = serde_json::from_str(&current.verifier).map_err(|_| none())?;
    credentials::used(&mut conn, credential, &written(&edit(kept))?, at).await?;
    let open = sessions::of_person(&mut conn, actor.person, at).await?;
    let others = open.into_iter().filter(|hash| hash.as_slice() != here.as_slice());
    let others = others.map(|hash| (hash, actor.person)).collect();
    end_with(change, Some(actor), others, "password").await?;
    Ok(())
}

async fn tell(
    change: &mut Change<'_>,
    actor: &Actor,
    action: Action,
    kind: NoticeKind,
) -> Result<(), AppError> {
    let body = ProtectedAction {
        action: action.key().into(),
        target: Some(actor.person.to_string()),
        approver: None,
    };
    change.record(actor, Some(actor.organization), &body).await?;
    notify(change, actor.person, kind, &[]).await
}
