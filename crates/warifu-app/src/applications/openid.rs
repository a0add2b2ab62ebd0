//! An OpenID provider for the company's applications: codes, tokens, and what a client may read.
//!
//! Whatever a client holds points at the session that it came from and is worth nothing without it.

use super::enter::{CODE, Turned, Visitor};
use crate::policies::Judging;
use crate::sessions::{OpenSession, Use};
use crate::{App, AppError};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use warifu_auth::applications::{Admission, admit};
use warifu_auth::openid::{amr, secret_fits, verifier_fits};
use warifu_auth::{SessionPolicy, Token};
use warifu_domain::Timestamp;
use warifu_domain::access::Role;
use warifu_domain::applications::{Application, Entry, Kind};
use warifu_domain::time::{MINUTE, SECOND};
use warifu_storage::application_sessions::{self, ApplicationSession, Code, Standing};
use warifu_storage::applications;

/// How long an access token and an ID token are good, in microseconds.
pub const TOKEN: i64 = 5 * MINUTE;

/// What a client asks for somebody.
#[derive(Clone, Debug)]
pub struct Asking {
    pub redirect_uri: String,
    pub scope: String,
    pub nonce: Option<String>,
    /// SHA-256 of the PKCE verifier.
    pub challenge: [u8; 32],
    /// Microseconds since the person proved who they are.
    pub max_age: Option<i64>,
    /// The person has to have proved it since then, whatever `max_age` says.
    pub proved_since: Option<Timestamp>,
}

/// What a code is changed for.
pub struct Tokens {
    pub access: Token,
    pub id_token: String,
    pub scope: String,
}

impl App {
    /// The client of an id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn client(&self, client_id: &str) -> Result<Option<Application>, AppError> {
        let mut reader = self.db.read().await?;
        let found = applications::find_by_origin(&mut reader.conn(), client_id).await?;
        Ok(found.filter(|a| a.kind == Kind::OpenId))
    }

    /// The client of an id that proves itself by its secret, or has none and shows none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn authenticated_client(
        &self,
        client_id: &str,
        secret: Option<&str>,
    ) -> Result<Option<Application>, AppError> {
        let found = self.client(client_id).await?;
        Ok(found.filter(|client| match (&client.secret, secret) {
            (Some(kept), Some(secret)) => secret_fits(secret, kept),
            (None, None) => true,
            _ => false,
        }))
    }

    /// Makes a code for a client. The inner error says why the person may not enter.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn authorize(
        &self,
        session: &OpenSession,
        client: &Application,
        asking: &Asking,
    ) -> Result<Result<Token, Admission>, AppError> {
        let now = self.now();
        // Whoever has just proved themselves because it was asked for did it some seconds ago.
        let asked = asking.max_age.filter(|_| asking.proved_since.is_none());
        let max_age = client.entry.max_age.into_iter().chain(asked).min();
        let entry = Entry { max_age, ..client.entry };
        let proof = (session.factor, session.assurance);
        match admit(&entry, session.actor.roles, proof, session.proved_at, now) {
            Admission::Admitted(_) => {}
            refused => return Ok(Err(refused)),
        }
        if asking.proved_since.is_some_and(|since| session.proved_at < since) {
            return Ok(Err(Admission::Stale));
        }
        let code = Token::from_random(self.random_bytes());
        let kept = Code {
            code_hash: code.hash().to_vec(),
            application_id: client.id.0,
            session: session.token_hash.to_vec(),
            bound: asking.challenge.to_vec(),
            redirect: asking.redirect_uri.clone(),
            nonce: asking.nonce.clone(),
            scope: asking.scope.clone(),
            expires_at: now.plus(CODE).0,
            used_at: None,
        };
        Ok(self.keep_code(&kept, now).await?.then_some(code).ok_or(Admission::Stale))
    }

    /// Vouches that somebody was asked at a time to prove who they are, for one request of a client: they
    /// come back with both, and can change neither.
    pub fn voucher(&self, request: &str, at: Timestamp) -> String {
        let key = self.keys.for_purpose("openid proved since");
        let mut mac = match Hmac::<Sha256>::new_from_slice(&key) {
            Ok(mac) => mac,
            Err(_) => unreachable!("HMAC takes keys of every length"),
        };
        mac.update(format!("{}:{request}", at.0).as_bytes());
        format!("{}.{}", at.0, crate::attachments::hex(&mac.finalize().into_bytes()))
    }

    /// The time that a voucher for a request of a client is for.
    pub fn vouched(&self, request: &str, voucher: &str) -> Option<Timestamp> {
        let at = Timestamp(voucher.split_once('.')?.0.parse().ok()?);
        warifu_auth::equal(&self.voucher(request, at), voucher).then_some(at)
    }

    /// Changes a code for tokens, once. `None` when it does not fit the client, the redirect URI and the
    /// verifier, for whatever reason; a second use also ends what came of the first (RFC 6749, section 4.1.2).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn exchange(
        &self,
        issuer: &str,
        client: &Application,
        (code, redirect_uri, verifier): (&str, &str, &str),
        policy: &SessionPolicy,
    ) -> Result<Option<Tokens>, AppError> {
        let Some(code) = Token::parse(code) else { return Ok(None) };
        let now = self.now();
        let access = Token::from_random(self.random_bytes());
        let mut tx = self.db.begin_plain().await?;
        let mut conn = tx.conn();
        let Some(kept) = application_sessions::find_code(&mut conn, &code.hash()).await? else {
            return Ok(None);
        };
        let first = application_sessions::use_code(&mut conn, &kept.code_hash, now).await?;
        if !first {
            application_sessions::end_of_code(&mut conn, &kept.code_hash, now).await?;
        }
        let fits = first
            && kept.application_id == client.id.0
            && now.0 < kept.expires_at
            && kept.redirect == redirect_uri
            && verifier_fits(verifier, &kept.bound);
        if fits {
            let opened = ApplicationSession {
                sid: Token::from_random(self.random_bytes()).text(),
                token_hash: access.hash().to_vec(),
                application: client.id,
                session: kept.session,
                code_hash: kept.code_hash,
                scope: kept.scope.clone(),
                created_at: now,
                expires_at: now.plus(TOKEN),
                tell_at: (!client.backchannel_uri.is_empty()).then_some(now),
            };
            application_sessions::insert(&mut conn, &opened).await?;
        }
        tx.commit().await?;
        if !fits {
            return Ok(None);
        }
        let Ok(visitor) = self.bearer(&access.text(), policy).await? else { return Ok(None) };
        let id_token = self.id_token(issuer, client, &visitor, kept.nonce.as_deref()).await?;
        Ok(Some(Tokens { access, id_token, scope: kept.scope }))
    }

    async fn id_token(
        &self,
        issuer: &str,
        client: &Application,
        visitor: &Visitor,
        nonce: Option<&str>,
    ) -> Result<String, AppError> {
        let (s, now) = (&visitor.standing, self.now());
        let mut claims = json!({
            "iss": issuer, "sub": s.holder.person.to_string(), "aud": client.origin,
            "iat": now.0 / SECOND, "exp": now.plus(TOKEN).0 / SECOND,
            "auth_time": s.proved_at.0 / SECOND, "acr": visitor.acr.key(),
            "amr": amr(s.factor, visitor.acr), "sid": s.sid,
        });
        if let Some(nonce) = nonce {
            claims["nonce"] = nonce.into();
        }
        Ok(self.token_keys().await?.signing().sign("JWT", &claims))
    }

    /// Who is behind an access token. The client calls from a network of its own: the session's holds.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn bearer(
        &self,
        token: &str,
        policy: &SessionPolicy,
    ) -> Result<Result<Visitor, Turned>, AppError> {
        let Some(token) = Token::parse(token) else { return Ok(Err(Turned::SignIn)) };
        let found = application_sessions::standing(&self.db, &token.hash()).await?;
        // The cookie of an application behind a proxy is no access token.
        let Some(standing) = found.filter(|s| is_openid(&s.scope)) else {
            return Ok(Err(Turned::SignIn));
        };
        let from = standing.clone();
        let by = Use { network: &from.network, by_hand: false, device: None };
        let policies = self.policies().await?;
        let judging =
            Judging { policies: &policies, now: self.now(), network: by.network, base: policy };
        self.stands(standing, by, judging).await
    }

    /// Whether what a client calls a session is part of this one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_of_session(&self, sid: &str, session: &OpenSession) -> Result<bool, AppError> {
        let mut reader = self.db.read().await?;
        let found = application_sessions::session_of(&mut reader.conn(), sid).await?;
        Ok(found.is_some_and(|hash| hash == session.token_hash))
    }
}

/// Whether a scope asks for OpenID.
pub fn is_openid(scope: &str) -> bool {
    scope.split_whitespace().any(|word| word == "openid")
}

/// What a client may read about somebody.
pub fn user_info(s: &Standing) -> Value {
    let asked = |word: &str| s.scope.split_whitespace().any(|w| w == word);
    let mut claims = json!({ "sub": s.holder.person.to_string() });
    if asked("profile") {
        claims["name"] = s.holder.name.clone().into();
        claims["roles"] = s.holder.roles.iter().map(Role::key).collect::<Vec<_>>().into();
    }
    if asked("email") {
        claims["email"] = s.holder.email.clone().into();
    }
    claims
}
