//! A password with a time-based code: for customers' users without roles, where their organization
//! allows it. Enrolled by invitation only.

mod change;
mod sign_in;

pub use change::{Changed, Current, NewCodes};
pub use sign_in::Tried;

use crate::notices::notify_of_factor;
use crate::passkeys::{actor_of, browser_hash};
use crate::policies::access_of;
use crate::sign_in::{CEREMONY, From, ceremony_key};
use crate::{App, AppError, Change};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Semaphore;
use warifu_auth::breached::Breached;
use warifu_auth::password::{self, SHORTEST, Unfit};
use warifu_auth::totp::{self, SECRET};
use warifu_auth::{Throttle, Token, digest, open_sealed, seal};
use warifu_domain::assurance::may_use_password;
use warifu_domain::factors::Factor;
use warifu_domain::notices::NoticeKind;
use warifu_domain::people::KnownPerson;
use warifu_domain::time::{MINUTE, SECOND};
use warifu_domain::{PersonId, Refusal, refusal};
use warifu_ledger::Hash;
use warifu_ledger::body::{Change as Done, Enrolment};
use warifu_storage::credentials::{self, NewCredential};
use warifu_storage::{Conn, organizations, people};

/// Passwords hashed at the same time: each takes 19 MiB and a core.
const AT_ONCE: usize = 2;
/// How long a try waits for its turn.
const TURN: Duration = Duration::from_secs(8);

/// What bounds guessing. Nobody is locked out: a flood from elsewhere does not count for a network
/// from which the person has signed in before.
pub(crate) struct Passwords {
    turns: Semaphore,
    by_account_and_network: Mutex<Throttle>,
    by_account: Mutex<Throttle>,
    /// Wrong codes of those who have the right password, by account.
    codes: Mutex<Throttle>,
}

/// Wrong codes at once behind the right password, and how long until one is forgotten.
const CODES: u32 = 10;
const CODE: i64 = 15 * MINUTE;

/// While guessing goes on, its owner is told once in so long, in microseconds.
const BURST: i64 = CODES as i64 * CODE;

impl Default for Passwords {
    fn default() -> Passwords {
        Passwords {
            turns: Semaphore::new(AT_ONCE),
            by_account_and_network: Mutex::new(Throttle::new(10, 6 * SECOND)),
            by_account: Mutex::new(Throttle::new(60, 36 * SECOND)),
            codes: Mutex::new(Throttle::new(CODES, CODE)),
        }
    }
}

/// What is kept of a password and its codes.
#[derive(Serialize, Deserialize)]
struct Kept {
    hash: String,
    /// The codes' secret, encrypted.
    totp: String,
    /// The step of the last code that was taken.
    step: u64,
}

/// The codes' secret on its way to the person's app.
#[derive(Debug)]
pub struct Offer {
    pub ceremony: Token,
    pub name: String,
    /// For the picture.
    pub address: String,
    /// For typing.
    pub typed: String,
}

/// What somebody chose.
pub struct Choice<'a> {
    pub ceremony: &'a str,
    pub password: &'a SecretString,
    pub code: &'a str,
}

/// What came of it.
#[derive(Debug)]
pub enum Chosen {
    Done,
    /// Something is wrong with it; the same codes go on.
    Again {
        offer: Box<Offer>,
        field: &'static str,
        what: Refusal,
    },
}

fn gone() -> AppError {
    AppError::NotFound("invitation")
}

fn wrong_code() -> Refusal {
    refusal!("password-code", "this is not the code that your app shows now")
}

fn codes_of(person: PersonId) -> String {
    format!("one-time codes of {person}")
}

/// Whether a person may sign in with a password now.
async fn allowed(conn: &mut Conn<'_>, person: &KnownPerson) -> Result<bool, AppError> {
    let roles = people::roles(conn, person.id).await?;
    let organization = organizations::find(conn, person.organization).await?;
    let access = access_of(conn, person, roles).await?;
    let of_vendor = organization.is_none_or(|o| o.vendor);
    Ok(person.active && may_use_password(roles, of_vendor, access))
}

impl App {
    fn codes_key(&self) -> [u8; 32] {
        self.keys.for_purpose("one-time codes' secrets")
    }

    fn sealed_codes(&self, person: PersonId, secret: &[u8; SECRET]) -> Result<String, AppError> {
        let text = SecretString::from(BASE64.encode(secret));
        let nonce = self.random_bytes();
        let sealed = seal(&self.codes_key(), nonce, &codes_of(person), text.expose_secret());
        let sealed = sealed.ok_or_else(|| AppError::Internal("sealing a secret".into()))?;
        Ok(BASE64.encode(sealed))
    }

    fn codes(&self, person: PersonId, sealed: &str) -> Option<[u8; SECRET]> {
        let sealed = BASE64.decode(sealed).ok()?;
        let text = open_sealed(&self.codes_key(), &codes_of(person), &sealed)?;
        BASE64.decode(text.expose_secret()).ok()?.try_into().ok()
    }

    /// Whether somebody who was invited may choose a password.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn may_choose_password(&self, person: PersonId) -> Result<bool, AppError> {
        let mut reader = self.db.read().await?;
        let mut conn = reader.conn();
        match people::find(&mut conn, person).await? {
            Some(person) => allowed(&mut conn, &person).await,
            None => Ok(false),
        }
    }

    /// Whether any organization allows passwords: whether the page offers the way at all.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn passwords_somewhere(&self) -> Result<bool, AppError> {
        Ok(self.policies().await?.access.values().any(|access| access.passwords))
    }

    /// Begins to redeem an invitation with a password: new codes for the person's app.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when the invitation cannot be used in this browser, or not so.
    pub async fn offer_codes(&self, invitation: &str, from: From<'_>) -> Result<Offer, AppError> {
        let open = self.open_invitation(invitation, from).await?.ok_or_else(gone)?;
        if !self.may_choose_password(open.person).await? {
            return Err(gone());
        }
        let tied = format!("{}:{invitation}", from.browser);
        self.keep_codes(open.person, self.random_bytes(), &tied).await
    }

    /// Keeps new codes until the app shows the first of them: in one browser, for what they are tied
    /// to.
    async fn keep_codes(
        &self,
        person: PersonId,
        secret: [u8; SECRET],
        tied: &str,
    ) -> Result<Offer, AppError> {
        let found = people::find(&mut self.db.read().await?.conn(), person).await?;
        let found = found.ok_or_else(gone)?;
        let r = &found.record;
        let account = r.email.as_deref().or(r.username.as_deref()).unwrap_or(r.display_name());
        let shown = totp::address(secret, &self.config.name, account);
        let (address, typed) = shown.ok_or_else(|| AppError::Internal("one-time codes".into()))?;
        let ceremony = Token::from_random(self.random_bytes());
        let key = ceremony_key(&ceremony, tied);
        let state = self.sealed_codes(person, &secret)?;
        let end = self.now().plus(4 * CEREMONY);
        let mut tx = self.db.begin_plain().await?;
        credentials::insert_ceremony(&mut tx.conn(), &key, "password", person, &state, end).await?;
        tx.commit().await?;
        Ok(Offer { ceremony, name: r.display_name().to_owned(), address, typed })
    }

    /// Redeems an invitation with a password and the first code, which shows that the app has them.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when the invitation cannot be used, or not so.
    pub async fn choose_password(
        &self,
        invitation: &str,
        choice: Choice<'_>,
        breached: Option<Arc<Breached>>,
        from: From<'_>,
    ) -> Result<Chosen, AppError> {
        let browser = format!("{}:{invitation}", from.browser);
        let taken = self.take_ceremony("password", choice.ceremony, &browser).await?;
        let (person, state) = taken.ok_or_else(gone)?;
        let secret = self.codes(person, &state).ok_or_else(gone)?;
        let open = self.open_invitation(invitation, from).await?.ok_or_else(gone)?;
        if open.person != person || !self.may_choose_password(person).await? {
            return Err(gone());
        }
        let password = password::normalized(choice.password);
        let step = totp::step_of(secret, choice.code, self.now().0.div_euclid(SECOND), 0);
        let unfit = match self.unfit(person, &password, breached).await? {
            Some(what) => Some(("password", what)),
            None if step.is_none() => Some(("code", wrong_code())),
            None => None,
        };
        if let Some((field, what)) = unfit {
            let offer = self.keep_codes(person, secret, &browser).await?;
            return Ok(Chosen::Again { offer: Box::new(offer), field, what });
        }
        let salt = self.random_bytes();
        let hash = self.in_turn(move || password::hash(&password, salt)).await?;
        let hash = hash.ok_or_else(|| AppError::Internal("hashing a password".into()))?;
        let totp = self.sealed_codes(person, &secret)?;
        let kept = Kept { hash, totp, step: step.unwrap_or_default() };
        let mut change = self.change().await?;
        self.keep_password(&mut change, (invitation, person), &kept, from).await?;
        change.commit().await?;
        Ok(Chosen::Done)
    }

    /// What is wrong with a password.
    async fn unfit(
        &self,
        person: PersonId,
        password: &SecretString,
        breached: Option<Arc<Breached>>,
    ) -> Result<Option<Refusal>, AppError> {
        let mut reader = self.db.read().await?;
        let found = people::find(&mut reader.conn(), person).await?.ok_or_else(gone)?;
        let organization = organizations::find(&mut reader.conn(), found.organization).await?;
        drop(reader);
        let r = &found.record;
        // What somebody who guesses tries first.
        let known = [
            r.email.as_deref(),
            r.username.as_deref(),
            Some(r.display_name()),
            organization.as_ref().map(|o| o.name.as_str()),
            organization.as_ref().map(|o| o.domain.as_str()).filter(|d| !d.is_empty()),
            Some(self.config.name.as_str()),
            Some("warifu"),
        ];
        let known: Vec<&str> = known.into_iter().flatten().collect();
        let what = match password::fit(password, &known, false) {
            Ok(()) => None,
            Err(Unfit::Short) => Some(refusal!(
                "password-short",
                "a password has at least {limit} characters",
                limit = SHORTEST
            )),
            Err(Unfit::Long) => Some(refusal!(
                "password-long",
                "a password has at most {limit} characters",
                limit = password::LONGEST
            )),
            Err(Unfit::Common) => Some(refusal!(
                "password-common",
                "this is among the first that anybody would try; use some words that do not belong together"
            )),
        };
        let Some(breached) = breached.filter(|_| what.is_none()) else { return Ok(what) };
        let password = password.clone();
        let leaked = self.in_turn(move || breached.has(&password)).await?;
        let leaked = leaked
            .map_err(|source| AppError::File { path: "--breached-passwords".into(), source })?;
        Ok(leaked.then(|| {
            refusal!(
                "password-breached",
                "this password stood in a leak somewhere; whoever has such lists tries it first"
            )
        }))
    }

    /// Does slow work when it is its turn.
    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, AppError> {
        let turn = tokio::time::timeout(TURN, self.passwords.turns.acquire()).await;
        let Ok(Ok(_turn)) = turn else { return Err(AppError::TooMany { seconds: 10 }) };
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(|e| AppError::Internal(e.to_string()))
    }

    async fn keep_password(
        &self,
        change: &mut Change<'_>,
        (invitation, person): (&str, PersonId),
        kept: &Kept,
        from: From<'_>,
    ) -> Result<(), AppError> {
        let (at, revision) = (change.at(), change.revision());
        let token = Token::parse(invitation).ok_or_else(gone)?.hash();
        let mut conn = change.conn();
        let found = credentials::find_enrolment(&mut conn, &token).await?;
        let own = browser_hash(from.browser);
        let fits = |e: credentials::Enrolment| {
            e.person == person && e.browser.as_deref() == Some(own.as_slice())
        };
        let mut owner = people::find(&mut conn, person).await?.ok_or_else(gone)?;
        if !found.is_some_and(fits)
            || !allowed(&mut conn, &owner).await?
            || !credentials::spend_enrolment(&mut conn, &token, at).await?
        {
            return Err(gone());
        }
        let name = owner.record.email.as_deref().unwrap_or_default();
        let held = credentials::password_named(&mut conn, name).await?;
        if name.is_empty() || held.as_ref().is_some_and(|k| k.person != person) {
            return Err(AppError::Conflict(refusal!(
                "password-name",
                "a password needs an address that no other account signs in with; ask your administrator"
            )));
        }
        if let Some(held) = held {
            credentials::revoke(&mut conn, person, held.id, at).await?;
        }
        let id = digest(&self.random_bytes::<32>());
        let verifier = written(kept)?;
        let new = NewCredential {
            person,
            kind: Factor::Password,
            credential_id: &id,
            verifier: &verifier,
            make: None,
            name: Factor::Password.key(),
        };
        credentials::insert(&mut conn, &new, at).await?;
        // "Last Password Change" is a field of the person's record, so it has its version.
        owner.record.last_password_change = Some(at);
        people::update(&mut conn, revision, &owner).await?;
        let roles = people::roles(&mut conn, person).await?;
        let actor = actor_of(&owner, roles, from.network);
        let body = Enrolment {
            person: person.to_string(),
            factor: Factor::Password.key().into(),
            credential: Hash(digest(&id)),
            change: Done::Added,
        };
        change.record(&actor, Some(owner.organization), &body).await?;
        let name = Factor::Password.key();
        notify_of_factor(change, person, NoticeKind::FactorAdded, Factor::Password, name).await
    }
}

fn written(kept: &Kept) -> Result<String, AppError> {
    serde_json::to_string(kept).map_err(|e| AppError::Internal(e.to_string()))
}
