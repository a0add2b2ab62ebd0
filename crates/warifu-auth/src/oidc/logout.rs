//! Logout tokens: a provider says that somebody has signed out there (OpenID Connect Back-Channel
//! Logout 1.0, sections 2.4 and 2.6).

use super::provider::ALGORITHMS;
use super::{Discovered, OLD, SKEW};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::core::CoreJwsSigningAlgorithm;
use openidconnect::{JsonWebKey, JsonWebKeyAlgorithm};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use warifu_domain::Timestamp;
use warifu_domain::time::SECOND;

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// Longest token that is looked at, in bytes.
const LONGEST: usize = 16 << 10;

/// Why a token is not taken. For the log and the ledger only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogoutRefused {
    #[error("no token")]
    NoToken,
    #[error("another type of token")]
    Type,
    #[error("an algorithm that is not accepted")]
    Algorithm,
    #[error("signed with an unknown key")]
    UnknownKey,
    #[error("a signature that does not fit")]
    Signature,
    #[error("another issuer or audience")]
    Party,
    #[error("expired, too old, or of the future")]
    Time,
    #[error("not about a logout")]
    Event,
    #[error("it names neither a session nor a person")]
    Nobody,
}

/// Who is signed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoutToken {
    pub subject: Option<String>,
    pub sid: Option<String>,
    /// Its name: it is taken once.
    pub id: String,
    /// Until when it must be remembered.
    pub expires_at: Timestamp,
}

#[derive(Deserialize)]
struct Header {
    alg: CoreJwsSigningAlgorithm,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    fn names(&self) -> &[String] {
        match self {
            Audience::One(name) => std::slice::from_ref(name),
            Audience::Several(names) => names,
        }
    }
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: Audience,
    iat: i64,
    exp: i64,
    jti: String,
    #[serde(default)]
    sub: Option<String>,
    #[serde(default)]
    sid: Option<String>,
    #[serde(default)]
    events: Value,
    #[serde(default)]
    nonce: Option<Value>,
}

fn part<T: DeserializeOwned>(text: &str) -> Result<T, LogoutRefused> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| LogoutRefused::NoToken)?;
    serde_json::from_slice(&bytes).map_err(|_| LogoutRefused::NoToken)
}

fn parts(token: &str) -> Result<[&str; 3], LogoutRefused> {
    let parts: Vec<&str> = token.split('.').collect();
    let parts = parts.try_into().map_err(|_| LogoutRefused::NoToken)?;
    if token.len() > LONGEST { Err(LogoutRefused::NoToken) } else { Ok(parts) }
}

/// Issuer and audiences that a token claims, unverified: whose keys to verify it with.
///
/// # Errors
/// When it is no token.
pub fn who_is_meant(token: &str) -> Result<(String, Vec<String>), LogoutRefused> {
    let [_, claims, _] = parts(token)?;
    let claims: Claims = part(claims)?;
    Ok((claims.iss, claims.aud.names().to_vec()))
}

impl LogoutToken {
    /// Verifies a token for a client at a provider.
    ///
    /// # Errors
    /// Why it is not taken.
    pub fn verified(
        token: &str,
        discovered: &Discovered,
        client_id: &str,
        now: Timestamp,
    ) -> Result<LogoutToken, LogoutRefused> {
        let [head, body, signature] = parts(token)?;
        let header: Header = part(head)?;
        let typ = header.typ.as_deref().unwrap_or("JWT").to_ascii_lowercase();
        if !matches!(typ.trim_start_matches("application/"), "jwt" | "logout+jwt") {
            return Err(LogoutRefused::Type);
        }
        if header.crit.is_some() || !ALGORITHMS.contains(&header.alg) {
            return Err(LogoutRefused::Algorithm);
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| LogoutRefused::NoToken)?;
        let signed = token.rsplit_once('.').map_or("", |(signed, _)| signed);
        signed_by(discovered, &header, signed.as_bytes(), &signature)?;
        let claims: Claims = part(body)?;
        let issuer = discovered.0.issuer().as_str();
        if claims.iss != issuer || !claims.aud.names().iter().any(|name| name == client_id) {
            return Err(LogoutRefused::Party);
        }
        let seconds = now.0.div_euclid(SECOND);
        let age = seconds.saturating_sub(claims.iat);
        if claims.exp.saturating_add(SKEW) <= seconds || !(-SKEW..=OLD).contains(&age) {
            return Err(LogoutRefused::Time);
        }
        if !claims.events.get(EVENT).is_some_and(Value::is_object) || claims.nonce.is_some() {
            return Err(LogoutRefused::Event);
        }
        if claims.sub.is_none() && claims.sid.is_none() {
            return Err(LogoutRefused::Nobody);
        }
        // Past this instant its age alone refuses it.
        let end = claims.iat.saturating_add(OLD + SKEW).saturating_mul(SECOND);
        Ok(LogoutToken {
            subject: claims.sub,
            sid: claims.sid,
            id: format!("{issuer}\n{}", claims.jti),
            expires_at: Timestamp(end),
        })
    }
}

fn signed_by(
    discovered: &Discovered,
    header: &Header,
    signed: &[u8],
    signature: &[u8],
) -> Result<(), LogoutRefused> {
    let fits = |key: &&openidconnect::core::CoreJsonWebKey| {
        let named = match (&header.kid, key.key_id()) {
            (Some(kid), id) => id.is_some_and(|id| id.as_str() == kid),
            (None, _) => true,
        };
        let use_fits = key.key_use().is_none_or(openidconnect::JsonWebKeyUse::allows_signature);
        let algorithm = match key.signing_alg() {
            JsonWebKeyAlgorithm::Algorithm(alg) => *alg == header.alg,
            JsonWebKeyAlgorithm::Unspecified => true,
            JsonWebKeyAlgorithm::Unsupported => false,
        };
        named && use_fits && algorithm
    };
    let keys: Vec<_> = discovered.keys().iter().filter(fits).collect();
    if keys.is_empty() {
        return Err(LogoutRefused::UnknownKey);
    }
    let verified = keys.iter().any(|k| k.verify_signature(&header.alg, signed, signature).is_ok());
    if verified { Ok(()) } else { Err(LogoutRefused::Signature) }
}
