//! Signing in with a password and a code.

use super::{BURST, Kept, allowed, written};
use crate::attachments::hex;
use crate::notices::notify;
use crate::sign_in::{From, Opened, SignedInBy};
use crate::{App, AppError, Change};
use secrecy::SecretString;
use std::sync::{Mutex, PoisonError};
use warifu_auth::{SessionPolicy, Throttle, digest, password, totp};
use warifu_domain::PersonId;
use warifu_domain::factors::Factor;
use warifu_domain::notices::NoticeKind;
use warifu_domain::people::KnownPerson;
use warifu_domain::time::SECOND;
use warifu_ledger::body::SignInRefused;
use warifu_storage::credentials::{self, Credential};
use warifu_storage::{notices, people, sessions};

/// What somebody tries to sign in with.
pub struct Tried<'a> {
    /// The address in their record.
    pub name: &'a str,
    pub password: &'a SecretString,
    pub code: &'a str,
}

/// Tries that fail before one that is right are told from so many on: fewer are typing.
const FAILURES: u32 = 5;
/// What somebody is told whose codes are guessed.
const KIND: NoticeKind = NoticeKind::CodesGuessed;

/// Why nobody was signed in, and who it would have been.
type Refused = (&'static str, Option<PersonId>);

impl App {
    /// Signs in with a password and a code. `None` when it is refused, for whatever reason: the answer
    /// and the time it takes are the same, also when there is no such account. The ledger has the
    /// reason.
    ///
    /// # Errors
    /// [`AppError::TooMany`] when there were too many tries of late.
    pub async fn sign_in_with_password(
        &self,
        tried: Tried<'_>,
        from: From<'_>,
        old: Option<&str>,
        policy: &SessionPolicy,
    ) -> Result<Option<Opened>, AppError> {
        let name = tried.name.trim();
        let known = credentials::password_named(&mut self.db.read().await?.conn(), name).await?;
        self.slow_account(name, known.as_ref(), from).await?;
        let kept = known.as_ref().and_then(|k| serde_json::from_str::<Kept>(&k.verifier).ok());
        let hash = kept.map(|kept| kept.hash);
        let password = password::normalized(tried.password);
        let right = self.in_turn(move || password::is_password(&password, hash.as_deref())).await?;
        let mut change = self.change().await?;
        let judged = self.judged_password(&mut change, known, right, tried.code).await?;
        let (reason, person) = match judged {
            Ok((person, by)) => {
                let failed = self.failed(person.id);
                if failed >= FAILURES {
                    let times = failed.to_string();
                    let details = [("times", times.as_str()), ("from", from.network)];
                    let kind = NoticeKind::SignedInAfterFailures;
                    notify(&mut change, person.id, kind, &details).await?;
                }
                let opened = self.open_session(&mut change, person, by, from, old, policy).await?;
                change.commit().await?;
                return Ok(Some(opened));
            }
            Err(refused) => refused,
        };
        let body = SignInRefused {
            factor: Factor::Password.key().into(),
            reason: reason.into(),
            person: person.map(|p| p.to_string()),
            times: None,
        };
        change.record_stranger(from.network, &body).await?;
        change.commit().await?;
        Ok(None)
    }

    /// How many tries failed of late before the one that is right, which is no guess.
    fn failed(&self, person: PersonId) -> u32 {
        let mut tries = self.passwords.by_account.lock().unwrap_or_else(PoisonError::into_inner);
        tries.give_back(&person.to_string());
        tries.used(&person.to_string())
    }

    /// Everything but the password itself, in the change that opens the session: a code is good once.
    pub(super) async fn judged_password(
        &self,
        change: &mut Change<'_>,
        known: Option<Credential>,
        right: bool,
        code: &str,
    ) -> Result<Result<(KnownPerson, SignedInBy), Refused>, AppError> {
        let (at, mut conn) = (change.at(), change.conn());
        let Some(known) = known else { return Ok(Err(("unknown_account", None))) };
        let no = |reason| Ok(Err((reason, Some(known.person))));
        let person = people::find(&mut conn, known.person).await?;
        let Some(person) = person.filter(|p| p.active) else { return no("inactive") };
        if !allowed(&mut conn, &person).await? {
            return no("not_allowed");
        }
        if !right {
            return no("password");
        }
        // As it is now: another try may have taken the code meanwhile.
        let own = credentials::of_person(&mut conn, person.id).await?;
        let Some(current) = own.into_iter().find(|k| k.id == known.id) else {
            return no("unknown_account");
        };
        let Ok(mut kept) = serde_json::from_str::<Kept>(&current.verifier) else {
            return no("unknown_account");
        };
        // Whoever comes so far has the password: nobody else is kept out by this, and the answer is that
        // of a wrong one, so that it tells nobody that the password is right.
        let account = person.id.to_string();
        let guesses = || self.passwords.codes.lock().unwrap_or_else(PoisonError::into_inner);
        if guesses().try_once(&account, at).is_err() {
            return no("codes");
        }
        let secret = self.codes(person.id, &kept.totp);
        let seconds = at.0.div_euclid(SECOND);
        let step = secret.and_then(|secret| totp::step_of(secret, code, seconds, kept.step));
        let Some(step) = step else {
            if !guesses().is_spent(&account)
                || notices::told_since(&mut conn, person.id, KIND, at.plus(-BURST)).await?
            {
                return no("code");
            }
            // Somebody has the password: its owner hears of it before a code fits.
            notify(change, person.id, KIND, &[]).await?;
            return no("codes_guessed");
        };
        guesses().give_back(&account);
        kept.step = step;
        credentials::used(&mut conn, current.id, &written(&kept)?, at).await?;
        Ok(Ok((
            person,
            SignedInBy {
                factor: Factor::Password,
                credential: current.id,
                assurance: 2,
                until: None,
            },
        )))
    }

    pub(super) async fn slow_account(
        &self,
        name: &str,
        known: Option<&Credential>,
        from: From<'_>,
    ) -> Result<(), AppError> {
        // However long a name is, and however it is written where it is known.
        let account = match known {
            Some(known) => known.person.to_string(),
            None => hex(&digest(name.to_lowercase().as_bytes())),
        };
        let now = self.now();
        let count = |throttle: &Mutex<Throttle>, key: &str| {
            throttle.lock().unwrap_or_else(PoisonError::into_inner).try_once(key, now)
        };
        let both = format!("{}\n{account}", from.network);
        count(&self.passwords.by_account_and_network, &both)
            .map_err(|seconds| AppError::TooMany { seconds })?;
        let Err(seconds) = count(&self.passwords.by_account, &account) else { return Ok(()) };
        if let Some(known) = known {
            let mut reader = self.db.read().await?;
            if sessions::was_in(&mut reader.conn(), known.person, from.network).await? {
                return Ok(());
            }
        }
        Err(AppError::TooMany { seconds })
    }
}
