//! Signing in with a passkey. Whatever goes wrong, the answer is the same; the ledger has the
//! reason.

use crate::devices::Offer;
use crate::notices::notify;
use crate::policies::session_policy;
use crate::{App, AppError, Change};
use serde_json::Value;
use warifu_auth::{PasskeyError, Passkeys, SessionPolicy, Token, TokenHash, digest, is_new};
use warifu_domain::access::{Actor, Roles};
use warifu_domain::assurance::enough_for_a_role;
use warifu_domain::factors::Factor;
use warifu_domain::notices::NoticeKind;
use warifu_domain::organizations::Organization;
use warifu_domain::people::KnownPerson;
use warifu_domain::policy::{DeviceRule, Subject};
use warifu_domain::time::MINUTE;
use warifu_domain::{CredentialId, PersonId, Timestamp};
use warifu_ledger::body::{SignIn, SignInRefused};
use warifu_storage::sessions::Session;
use warifu_storage::{credentials, organizations, people, sessions};

/// How long a ceremony may take between its two steps, in microseconds.
pub const CEREMONY: i64 = 5 * MINUTE;

/// The first step's answer: `publicKey` for the browser and what names the ceremony.
pub struct Asked {
    pub public_key: Value,
    pub ceremony: Token,
}

/// Where a request comes from.
#[derive(Clone, Copy, Debug)]
pub struct From<'a> {
    /// /24 or /48 prefix.
    pub network: &'a str,
    /// `User-Agent`; at most 200 bytes of it are kept.
    pub agent: &'a str,
    /// A secret of this browser: a ceremony is finished where it began.
    pub browser: &'a str,
}

/// A session that was just opened. The token goes into the cookie and is not kept.
pub struct Opened {
    pub token: Token,
    pub roles: Roles,
    /// For the browser, which may bind a key of its own to the session.
    pub device: Option<Offer>,
}

/// What somebody proved who they are with.
pub(crate) struct SignedInBy {
    pub factor: Factor,
    pub credential: CredentialId,
    /// Authenticator assurance level, 1 to 3 (NIST SP 800-63B).
    pub assurance: u8,
    /// When the factor itself ends, where it does: the session holds no longer.
    pub until: Option<Timestamp>,
}

/// Why nobody was signed in: for the ledger only.
struct Refusal {
    reason: &'static str,
    person: Option<PersonId>,
}

impl Refusal {
    fn of(reason: &'static str) -> Refusal {
        Refusal { reason, person: None }
    }
}

/// What names a ceremony in the database: token and browser, so that neither is enough.
pub(crate) fn ceremony_key(ceremony: &Token, browser: &str) -> TokenHash {
    digest(format!("{}:{browser}", ceremony.text()).as_bytes())
}

impl App {
    /// Begins a sign-in; the same for everybody.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin_sign_in(
        &self,
        passkeys: &Passkeys,
        from: From<'_>,
    ) -> Result<Asked, AppError> {
        let begun = passkeys.begin_sign_in().map_err(|e| AppError::Internal(e.to_string()))?;
        self.keep_ceremony("sign_in", PersonId(0), begun, from.browser).await
    }

    pub(crate) async fn keep_ceremony(
        &self,
        kind: &str,
        person: PersonId,
        begun: warifu_auth::Begun,
        browser: &str,
    ) -> Result<Asked, AppError> {
        let ceremony = Token::from_random(self.random_bytes());
        let key = ceremony_key(&ceremony, browser);
        let expires = self.now().plus(CEREMONY);
        let mut tx = self.db.begin_plain().await?;
        credentials::insert_ceremony(&mut tx.conn(), &key, kind, person, &begun.state, expires)
            .await?;
        tx.commit().await?;
        Ok(Asked { public_key: begun.public_key, ceremony })
    }

    /// Takes a ceremony out, whatever comes of it: a challenge is good for one try.
    pub(crate) async fn take_ceremony(
        &self,
        kind: &str,
        ceremony: &str,
        browser: &str,
    ) -> Result<Option<(PersonId, String)>, AppError> {
        let Some(ceremony) = Token::parse(ceremony) else { return Ok(None) };
        let key = ceremony_key(&ceremony, browser);
        let mut tx = self.db.begin_plain().await?;
        let taken = credentials::take_ceremony(&mut tx.conn(), &key, kind, self.now()).await?;
        tx.commit().await?;
        Ok(taken)
    }

    /// Finishes a sign-in: a new session with a new token; one that this browser had (`old`) ends.
    /// `None` when the answer is refused, for whatever reason.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn finish_sign_in(
        &self,
        passkeys: &Passkeys,
        ceremony: &str,
        answer: Value,
        from: From<'_>,
        old: Option<&str>,
        policy: &SessionPolicy,
    ) -> Result<Option<Opened>, AppError> {
        match self.verified(passkeys, ceremony, answer, from, old, policy).await? {
            Ok(opened) => Ok(Some(opened)),
            Err(refusal) => {
                let body = SignInRefused {
                    factor: "passkey".into(),
                    reason: refusal.reason.into(),
                    person: refusal.person.map(|p| p.to_string()),
                    times: None,
                };
                let mut change = self.change().await?;
                change.record_stranger(from.network, &body).await?;
                if let Some(person) =
                    refusal.person.filter(|_| refusal.reason == PasskeyError::Counter.code())
                {
                    notify(&mut change, person, NoticeKind::KeyCopied, &[]).await?;
                }
                change.commit().await?;
                Ok(None)
            }
        }
    }

    async fn verified(
        &self,
        passkeys: &Passkeys,
        ceremony: &str,
        answer: Value,
        from: From<'_>,
        old: Option<&str>,
        policy: &SessionPolicy,
    ) -> Result<Result<Opened, Refusal>, AppError> {
        let Some((_, state)) = self.take_ceremony("sign_in", ceremony, from.browser).await? else {
            return Ok(Err(Refusal::of("ceremony")));
        };
        let presented = match passkeys.presented(answer) {
            Ok(presented) => presented,
            Err(e) => return Ok(Err(Refusal::of(e.code()))),
        };
        // One change from reading the counter to writing it: of two answers with one counter, one
        // is refused.
        let mut change = self.change().await?;
        let known =
            credentials::find(&mut change.conn(), Factor::Passkey, &presented.credential_id)
                .await?;
        let Some(known) = known else { return Ok(Err(Refusal::of("unknown_credential"))) };
        let refusal = |reason| Refusal { reason, person: Some(known.person) };
        let proven =
            match passkeys.finish_sign_in(&state, &presented, known.person, &known.verifier) {
                Ok(proven) => proven,
                Err(e) => return Ok(Err(refusal(e.code()))),
            };
        let person = people::find(&mut change.conn(), known.person).await?;
        let Some(person) = person.filter(|p| p.active) else {
            return Ok(Err(refusal("inactive")));
        };
        let roles = people::roles(&mut change.conn(), person.id).await?;
        let subject = subject(&mut change, &person, roles).await?;
        let policies = self.policies_in(&mut change).await?;
        let effective = policies.effective(subject);
        // A role that came after the passkey may forbid it.
        if let Err(unfit) = effective.fits(known.make.as_deref(), proven.synced) {
            return Ok(Err(refusal(unfit.code())));
        }
        let at = change.at();
        credentials::used(&mut change.conn(), known.id, &proven.passkey, at).await?;
        let by = SignedInBy {
            factor: Factor::Passkey,
            credential: known.id,
            assurance: if proven.synced { 2 } else { 3 },
            until: None,
        };
        let opened = self.open_session(&mut change, person, by, from, old, policy).await?;
        change.commit().await?;
        Ok(Ok(opened))
    }

    /// Opens a session for somebody who has proved who they are, by whatever factor; one that this
    /// browser had (`old`) ends. The caller commits.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn open_session(
        &self,
        change: &mut Change<'_>,
        mut person: KnownPerson,
        by: SignedInBy,
        from: From<'_>,
        old: Option<&str>,
        base: &SessionPolicy,
    ) -> Result<Opened, AppError> {
        let (at, revision) = (change.at(), change.revision());
        Self::give_up(change, old).await?;
        let roles = people::roles(&mut change.conn(), person.id).await?;
        let subject = subject(change, &person, roles).await?;
        let policies = self.policies_in(change).await?;
        let effective = policies.effective(subject);
        let token = Token::from_random(self.random_bytes());
        let hash = token.hash();
        let end = at.plus(session_policy(&effective, base).lifetime);
        let device = (effective.device != DeviceRule::Off).then(|| self.random_bytes::<16>());
        let session = Session {
            token_hash: hash.to_vec(),
            person: person.id,
            csrf: Token::from_random(self.random_bytes()).text(),
            created_at: at,
            used_at: at,
            ends_at: by.until.map_or(end, |until| until.min(end)),
            ended_at: None,
            network: from.network.to_owned(),
            agent: shortened(from.agent),
            credential: by.credential,
            factor: by.factor,
            assurance: by.assurance,
            proved_at: at,
            device: device.map(|d| d.to_vec()),
            bound: None,
        };
        let before = sessions::networks_of(&mut change.conn(), person.id).await?;
        let group = policies.networks.get(&subject.organization).map_or(&[][..], Vec::as_slice);
        if is_new(&before, group, from.network) {
            let details = [("from", from.network), ("factor", by.factor.key())];
            notify(change, person.id, NoticeKind::NewNetwork, &details).await?;
        }
        sessions::insert(&mut change.conn(), &session).await?;
        // "Last Login" is a field of the person's record, so it has its version.
        person.record.last_login = Some(at);
        people::update(&mut change.conn(), revision, &person).await?;
        let actor = Actor {
            person: person.id,
            name: person.record.display_name().to_owned(),
            organization: person.organization,
            roles,
            session: Some(digest(&hash)),
            network: from.network.to_owned(),
        };
        let body = SignIn {
            factor: by.factor.key().into(),
            assurance: by.assurance,
            phishing_resistant: enough_for_a_role(by.factor, by.assurance),
            // A key is bound afterwards, with an entry of its own.
            device_bound: false,
        };
        change.record(&actor, Some(actor.organization), &body).await?;
        let device = match device {
            Some(device) => Some(self.offer_device(change, &device, base).await?),
            None => None,
        };
        Ok(Opened { token, roles, device })
    }
}

/// Somebody as policy looks at them.
///
/// # Errors
/// When the database fails, or the person's organization is not there.
pub(crate) async fn subject(
    change: &mut Change<'_>,
    person: &KnownPerson,
    roles: Roles,
) -> Result<Subject, AppError> {
    let organization = organizations::find(&mut change.conn(), person.organization).await?;
    let organization = organization.ok_or(AppError::NotFound("organization"))?;
    Ok(subject_of(person, roles, &organization))
}

pub(crate) fn subject_of(
    person: &KnownPerson,
    roles: Roles,
    organization: &Organization,
) -> Subject {
    Subject {
        roles,
        organization: person.organization,
        environment: organization.environment,
        vendor: organization.vendor,
    }
}

fn shortened(agent: &str) -> String {
    let mut end = agent.len().min(200);
    while !agent.is_char_boundary(end) {
        end -= 1;
    }
    agent[..end].to_owned()
}
