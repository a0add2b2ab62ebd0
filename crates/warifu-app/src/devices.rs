//! Sessions bound to a device: registering its key, giving it the next short cookie, and the proof of
//! a protected request.
//!
//! Whoever answers for a session's device without its key has a copy of the session's cookie: the
//! session ends, the ledger says why, and its owner is told.

use crate::notices::notify;
use crate::sessions::{OpenSession, holder};
use crate::{App, AppError, Change};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use warifu_auth::{
    DeviceKey, ProofError, ProvenRequest, SessionPolicy, Token, TokenHash, Verdict, digest,
    read_refresh, read_registration, read_request,
};
use warifu_domain::access::Actor;
use warifu_domain::devices::DeviceKind;
use warifu_domain::notices::NoticeKind;
use warifu_domain::time::MINUTE;
use warifu_domain::{OrganizationId, Timestamp};
use warifu_ledger::Hash;
use warifu_ledger::body::{Change as Done, Enrolment, SessionRevoked, SignInRefused};
use warifu_storage::devices::{self, Device};
use warifu_storage::moment::Wait;
use warifu_storage::sessions::{self, Session};

/// How long a page may take from asking for a nonce to its request, in microseconds.
const NONCE: i64 = 2 * MINUTE;

const REGISTER: &str = "register";
const REFRESH: &str = "refresh";
const REQUEST: &str = "request";

/// What a new session tells its browser, so that it binds a key of its own to it.
pub struct Offer {
    pub challenge: Token,
    /// Given to the browser alone, and good for one registration.
    pub authorization: Token,
}

/// The next short cookie, and the challenge that the one after it takes.
pub struct Issued {
    /// How browser and server call the session among them; nobody is let in with it.
    pub name: String,
    pub cookie: Token,
    pub challenge: Token,
}

/// Why there is no cookie.
pub enum Turned {
    /// There is no such session (any more): the browser forgets it.
    Gone,
    Refused,
    /// This has to be signed first.
    Challenge(Token),
}

/// A key and how it may become the session's.
#[derive(Clone, Debug)]
pub enum Bound {
    /// To none; whether a script of ours may bind one yet.
    Not {
        may_register: bool,
    },
    Browser,
    /// To a key that signs protected requests: its point.
    Script(Vec<u8>),
}

/// How browser and server call the session of a device among them.
fn name(device: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(device)
}

/// How long a challenge may be answered: it outlives the cookie that it came with.
fn challenge_life(policy: &SessionPolicy) -> i64 {
    policy.device_cookie.saturating_add(policy.idle)
}

/// Challenge and authorization are of no use one without the other.
fn registration_key(challenge: &str, authorization: &str) -> TokenHash {
    digest(format!("{challenge}:{authorization}").as_bytes())
}

impl Bound {
    pub(crate) fn of(session: &Session, now: Timestamp, policy: &SessionPolicy) -> Bound {
        let young = now.0.saturating_sub(session.created_at.0) <= policy.device_register;
        match &session.bound {
            None => Bound::Not { may_register: young && session.device.is_some() },
            Some(device) => match device.kind {
                DeviceKind::Browser => Bound::Browser,
                DeviceKind::Script => Bound::Script(device.public_key.clone()),
            },
        }
    }

    /// Where the key is, if it is bound to one.
    pub fn kind(&self) -> Option<DeviceKind> {
        match self {
            Bound::Not { .. } => None,
            Bound::Browser => Some(DeviceKind::Browser),
            Bound::Script(_) => Some(DeviceKind::Script),
        }
    }
}

impl App {
    /// What a session that is being opened offers its browser.
    pub(crate) async fn offer_device(
        &self,
        change: &mut Change<'_>,
        device: &[u8],
        policy: &SessionPolicy,
    ) -> Result<Offer, AppError> {
        let offer = Offer {
            challenge: Token::from_random(self.random_bytes()),
            authorization: Token::from_random(self.random_bytes()),
        };
        let key = registration_key(&offer.challenge.text(), &offer.authorization.text());
        let (at, end) = (change.at(), change.at().plus(policy.device_register));
        let mut conn = change.conn();
        devices::insert_challenge(&mut conn, &key, device, REGISTER, at, end).await?;
        Ok(offer)
    }

    /// Binds the browser's own key to its new session.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn register_device(
        &self,
        token: Option<&str>,
        proof: Option<&str>,
        network: &str,
        policy: &SessionPolicy,
    ) -> Result<Result<Issued, Turned>, AppError> {
        let Some(session) = self.standing(token, network, policy).await? else {
            return Ok(Err(Turned::Gone));
        };
        let Some(device) = session.device.clone() else { return Ok(Err(Turned::Gone)) };
        let refuse = async |reason| {
            self.refuse_device(&session, network, reason).await?;
            Ok(Err(Turned::Refused))
        };
        let (key, challenge, authorization) = match proof.map(read_registration) {
            Some(Ok(read)) => read,
            Some(Err(e)) => return refuse(e.code()).await,
            None => return refuse("no_proof").await,
        };
        let challenge = registration_key(&challenge, &authorization);
        if !self.take_challenge(&challenge, &device, REGISTER).await? {
            return refuse("challenge").await;
        }
        match self.bind(&session, &device, DeviceKind::Browser, &key, network, policy).await? {
            Some(issued) => Ok(Ok(issued)),
            None => refuse("bound").await,
        }
    }

    /// Binds a key that a page's script made to its session: in the first minutes, where there is none
    /// yet. The request that brings it is signed with it. Gives the session's kind of binding
    /// afterwards, and `None` where it stays bound to another key.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn register_script_key(
        &self,
        token: Option<&str>,
        proof: Option<&str>,
        request: ProvenRequest<'_>,
        network: &str,
        policy: &SessionPolicy,
    ) -> Result<Option<DeviceKind>, AppError> {
        let Some(session) = self.standing(token, network, policy).await? else { return Ok(None) };
        let Some(device) = session.device.clone() else { return Ok(None) };
        let refuse = async |reason| {
            self.refuse_device(&session, network, reason).await?;
            Ok(None)
        };
        // Perhaps only just: whoever is told so is bound everywhere (decision 0024).
        let already = async |kind| {
            Wait::longest().over().await;
            Ok(Some(kind))
        };
        if session.bound.as_ref().is_some_and(|d| d.kind == DeviceKind::Browser) {
            return already(DeviceKind::Browser).await;
        }
        let (key, nonce) = match proof.map(|proof| read_request(proof, None, request)) {
            Some(Ok(read)) => read,
            Some(Err(e)) => return refuse(e.code()).await,
            None => return refuse("no_proof").await,
        };
        if !self.take_challenge(&digest(nonce.as_bytes()), &device, REQUEST).await? {
            return refuse("challenge").await;
        }
        if let Some(bound) = &session.bound {
            // Another tab of the same browser was first, or somebody else.
            return match bound.public_key == key.bytes() {
                true => already(DeviceKind::Script).await,
                false => refuse("bound").await,
            };
        }
        if self.now().0 - session.created_at.0 > policy.device_register {
            return refuse("late").await;
        }
        match self.bind(&session, &device, DeviceKind::Script, &key, network, policy).await? {
            Some(_) => Ok(Some(DeviceKind::Script)),
            None => refuse("bound").await,
        }
    }

    /// Gives the device of a session its next cookie for a challenge that it signed. Without one, or for
    /// one that is no longer good, there is another challenge.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn refresh_device(
        &self,
        id: &str,
        token: Option<&str>,
        proof: Option<&str>,
        network: &str,
        policy: &SessionPolicy,
    ) -> Result<Result<Issued, Turned>, AppError> {
        let own = self.standing(token, network, policy).await?;
        let Ok(device) = URL_SAFE_NO_PAD.decode(id) else { return Ok(Err(Turned::Gone)) };
        let mut reader = self.db.read().await?;
        let named = sessions::of_device(&mut reader.conn(), &device).await?;
        drop(reader);
        let Some(session) = named.filter(|s| s.ended_at.is_none()) else {
            return Ok(Err(Turned::Gone));
        };
        match own {
            Some(own) if own.token_hash == session.token_hash => {}
            // Two sessions that both hold are in two browsers: this one knows the other's name.
            Some(own) => {
                self.revoke_device(&own, network, "foreign").await?;
                return Ok(Err(Turned::Refused));
            }
            // A step-up gave the session a new token meanwhile: the next try brings it.
            None => return Ok(Err(Turned::Challenge(self.challenge(&device, policy).await?))),
        }
        let Some(bound) = session.bound.as_ref().filter(|d| d.kind == DeviceKind::Browser) else {
            return Ok(Err(Turned::Gone));
        };
        let Some(proof) = proof else {
            return Ok(Err(Turned::Challenge(self.challenge(&device, policy).await?)));
        };
        let key = DeviceKey::from_bytes(&bound.public_key).ok_or(ProofError::Key);
        let signed = match key.and_then(|key| read_refresh(proof, &key)) {
            Ok(signed) => signed,
            Err(e) => {
                self.revoke_device(&session, network, e.code()).await?;
                return Ok(Err(Turned::Refused));
            }
        };
        if !self.take_challenge(&digest(signed.as_bytes()), &device, REFRESH).await? {
            // The right key, and a challenge that was answered before or is too old: after a lost
            // answer the browser comes so, and a recorded proof does.
            self.refuse_device(&session, network, "challenge").await?;
            return Ok(Err(Turned::Challenge(self.challenge(&device, policy).await?)));
        }
        let now = self.now();
        let issued = self.issue(&device);
        let mut tx = self.db.begin_plain().await?;
        let mut conn = tx.conn();
        let old_ends = bound.cookie.1.min(now.plus(policy.device_settle));
        let ends = now.plus(policy.device_cookie);
        devices::rotate(&mut conn, &device, &issued.cookie.hash(), ends, old_ends).await?;
        self.keep_challenge(&mut conn, &issued.challenge, &device, policy).await?;
        tx.commit().await?;
        Ok(Ok(issued))
    }

    /// A nonce for the next request that a page's script signs.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn device_nonce(&self, session: &OpenSession) -> Result<Token, AppError> {
        let nonce = Token::from_random(self.random_bytes());
        let (now, hash) = (self.now(), digest(nonce.text().as_bytes()));
        let mut tx = self.db.begin_plain().await?;
        let (mut conn, end) = (tx.conn(), now.plus(NONCE));
        devices::insert_challenge(&mut conn, &hash, &session.device_id, REQUEST, now, end).await?;
        tx.commit().await?;
        Ok(nonce)
    }

    /// Whether a protected request was signed by the key that its session is bound to. What is signed
    /// by another ends the session.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn device_signed(
        &self,
        session: &OpenSession,
        key: &[u8],
        proof: Option<&str>,
        request: ProvenRequest<'_>,
    ) -> Result<bool, AppError> {
        let mut reader = self.db.read().await?;
        let found = sessions::find(&mut reader.conn(), &session.token_hash).await?;
        drop(reader);
        let Some(found) = found else { return Ok(false) };
        let network = session.actor.network.as_str();
        let key = DeviceKey::from_bytes(key).ok_or(ProofError::Key);
        let read = |proof| read_request(proof, Some(key.as_ref().map_err(|e| *e)?), request);
        let reason = match proof.map(read) {
            Some(Ok((_, nonce))) => {
                let nonce = digest(nonce.as_bytes());
                if self.take_challenge(&nonce, &session.device_id, REQUEST).await? {
                    return Ok(true);
                }
                "challenge"
            }
            Some(Err(e @ (ProofError::Key | ProofError::Signature | ProofError::Algorithm))) => {
                self.revoke_device(&found, network, e.code()).await?;
                return Ok(false);
            }
            Some(Err(e)) => e.code(),
            None => "no_proof",
        };
        let mut change = self.change().await?;
        record_refusal(&mut change, &session.actor, reason).await?;
        notify(&mut change, session.actor.person, NoticeKind::DeviceKey, &[]).await?;
        change.commit().await?;
        Ok(false)
    }

    /// The session of a token, where it holds in a network; asking is no use of it.
    async fn standing(
        &self,
        token: Option<&str>,
        network: &str,
        policy: &SessionPolicy,
    ) -> Result<Option<Session>, AppError> {
        let Some(token) = token.and_then(Token::parse) else { return Ok(None) };
        let found = sessions::held(&self.db, &token.hash()).await?;
        let Some(held) = found else { return Ok(None) };
        let (session, holder) = (&held.session, &held.holder);
        let (subject, times) = (holder.subject(), crate::sessions::times(session));
        let opened = (session.factor, session.assurance);
        match self.judged(holder.person, subject, &times, opened, network, policy).await?.verdict {
            Verdict::Open { .. } => Ok(Some(session.clone())),
            verdict => {
                self.bury(session, verdict, network).await?;
                Ok(None)
            }
        }
    }

    fn issue(&self, device: &[u8]) -> Issued {
        Issued {
            name: name(device),
            cookie: Token::from_random(self.random_bytes()),
            challenge: Token::from_random(self.random_bytes()),
        }
    }

    /// `None` where the session has a key already.
    async fn bind(
        &self,
        session: &Session,
        id: &[u8],
        kind: DeviceKind,
        key: &DeviceKey,
        network: &str,
        policy: &SessionPolicy,
    ) -> Result<Option<Issued>, AppError> {
        let issued = self.issue(id);
        let mut change = self.change().await?;
        let at = change.at();
        let device = Device {
            kind,
            public_key: key.bytes(),
            bound_at: at,
            cookie: match kind {
                DeviceKind::Browser => {
                    (issued.cookie.hash().to_vec(), at.plus(policy.device_cookie))
                }
                DeviceKind::Script => (Vec::new(), Timestamp(0)),
            },
            old_cookie: (Vec::new(), Timestamp(0)),
        };
        if !devices::bind(&mut change.conn(), id, &device).await? {
            return Ok(None);
        }
        if kind == DeviceKind::Browser {
            self.keep_challenge(&mut change.conn(), &issued.challenge, id, policy).await?;
        }
        if let Some(actor) = holder(&mut change, session, network).await? {
            let body = Enrolment {
                person: actor.person.to_string(),
                factor: kind.key().into(),
                credential: Hash(digest(&device.public_key)),
                change: Done::Added,
            };
            change.record(&actor, Some(actor.organization), &body).await?;
        }
        change.commit().await?;
        Ok(Some(issued))
    }

    async fn challenge(&self, device: &[u8], policy: &SessionPolicy) -> Result<Token, AppError> {
        let challenge = Token::from_random(self.random_bytes());
        let mut tx = self.db.begin_plain().await?;
        self.keep_challenge(&mut tx.conn(), &challenge, device, policy).await?;
        tx.commit().await?;
        Ok(challenge)
    }

    async fn keep_challenge(
        &self,
        conn: &mut warifu_storage::Conn<'_>,
        challenge: &Token,
        device: &[u8],
        policy: &SessionPolicy,
    ) -> Result<(), AppError> {
        let (now, hash) = (self.now(), digest(challenge.text().as_bytes()));
        let end = now.plus(challenge_life(policy));
        devices::insert_challenge(conn, &hash, device, REFRESH, now, end).await?;
        Ok(())
    }

    /// Takes a challenge out, whatever comes of it: it is good for one answer.
    async fn take_challenge(
        &self,
        challenge: &[u8],
        device: &[u8],
        purpose: &str,
    ) -> Result<bool, AppError> {
        let mut tx = self.db.begin_plain().await?;
        let now = self.now();
        let taken =
            devices::take_challenge(&mut tx.conn(), challenge, device, purpose, now).await?;
        tx.commit().await?;
        Ok(taken)
    }

    /// Leaves in the ledger why a device got nothing; the session goes on.
    async fn refuse_device(
        &self,
        session: &Session,
        network: &str,
        reason: &'static str,
    ) -> Result<(), AppError> {
        let mut change = self.change().await?;
        if let Some(actor) = holder(&mut change, session, network).await? {
            record_refusal(&mut change, &actor, reason).await?;
            change.commit().await?;
        }
        Ok(())
    }

    /// Ends a session whose cookie is with somebody who does not have its key.
    async fn revoke_device(
        &self,
        session: &Session,
        network: &str,
        reason: &'static str,
    ) -> Result<(), AppError> {
        let mut change = self.change().await?;
        let at = change.at();
        if !sessions::end(&mut change.conn(), &session.token_hash, at).await? {
            return change.unchanged().await;
        }
        let actor = holder(&mut change, session, network).await?;
        let organization: Option<OrganizationId> = actor.as_ref().map(|a| a.organization);
        if let Some(actor) = &actor {
            record_refusal(&mut change, actor, reason).await?;
            let body = SessionRevoked {
                person: session.person.to_string(),
                revoked: Some(Hash(digest(&session.token_hash))),
                reason: "device_key".into(),
                bound_to: None,
            };
            change.record(actor, organization, &body).await?;
        }
        notify(&mut change, session.person, NoticeKind::DeviceKey, &[]).await?;
        change.commit().await?;
        Ok(())
    }
}

async fn record_refusal(
    change: &mut Change<'_>,
    actor: &Actor,
    reason: &'static str,
) -> Result<(), AppError> {
    let body = SignInRefused {
        factor: "device".into(),
        reason: reason.into(),
        person: Some(actor.person.to_string()),
        times: None,
    };
    change.record(actor, Some(actor.organization), &body).await?;
    Ok(())
}

impl OpenSession {
    /// How browser and server call the session among them.
    pub fn device_name(&self) -> String {
        name(&self.device_id)
    }
}
