//! What service accounts prove themselves with: assertions by private key (RFC 7523) and proofs of
//! possession (DPoP, RFC 9449), from declared networks. No key of theirs is ever a bearer secret.
//!
//! Signatures are checked by `jsonwebtoken` with aws-lc-rs. Which algorithms, which claims and for how
//! long is said here, and the time is a parameter.

mod networks;

pub use networks::{DeclaredNetworks, NetworksError};

use crate::token::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, decode, decode_header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use warifu_domain::{Refusal, Timestamp, refusal};

/// Longest assertion or proof that is looked at, in bytes.
const LONGEST: usize = 8 << 10;
/// Longest `jti`, in bytes.
const JTI: usize = 256;
/// Longest life of an assertion, in seconds.
pub const ASSERTION: i64 = 5 * 60;
/// How old a proof may be, in seconds.
pub const PROOF: i64 = 60;
/// How far clocks may differ, in seconds.
const SKEW: i64 = 30;
/// RSA is not among them, nor is anything with a shared secret, nor `none`.
const ALGORITHMS: [Algorithm; 2] = [Algorithm::ES256, Algorithm::EdDSA];

/// Why an assertion or a proof does not hold. For the ledger and the log only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceFault {
    /// No JWT, or one with an algorithm or a header that is not taken.
    Malformed,
    /// Not signed with the key.
    Signature,
    /// Issuer, subject or audience are others.
    Audience,
    /// Over, not begun, or good for too long.
    Time,
    /// For another request: method, address or token.
    Request,
    /// Another key than the token's.
    Key,
    /// It was used before.
    Replayed,
}

impl ServiceFault {
    /// Its stable name in the ledger.
    pub fn code(self) -> &'static str {
        match self {
            ServiceFault::Malformed => "jwt_malformed",
            ServiceFault::Signature => "jwt_signature",
            ServiceFault::Audience => "jwt_audience",
            ServiceFault::Time => "jwt_time",
            ServiceFault::Request => "dpop_request",
            ServiceFault::Key => "dpop_key",
            ServiceFault::Replayed => "jwt_replayed",
        }
    }
}

/// A public key of a service account.
#[derive(Clone, Debug)]
pub struct ServiceKey(Jwk);

/// Why a text is no key that is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyError {
    Format,
    Private,
}

impl KeyError {
    /// The same for whoever wrote it.
    pub fn refusal(self) -> Refusal {
        match self {
            KeyError::Format => refusal!(
                "service-key",
                "write the public key as one JWK: EC with P-256, or OKP with Ed25519"
            ),
            KeyError::Private => refusal!(
                "service-key-private",
                "this is a private key; it stays where it was made: write its public half"
            ),
        }
    }
}

warifu_domain::refuses!(KeyError);

impl ServiceKey {
    /// Reads a JWK.
    ///
    /// # Errors
    /// When it is no public key of the two kinds.
    pub fn parse(text: &str) -> Result<ServiceKey, KeyError> {
        if text.len() > LONGEST {
            return Err(KeyError::Format);
        }
        let raw: serde_json::Value = serde_json::from_str(text).map_err(|_| KeyError::Format)?;
        if raw.get("d").is_some() || raw.get("k").is_some() {
            return Err(KeyError::Private);
        }
        let key: Jwk = serde_json::from_value(raw).map_err(|_| KeyError::Format)?;
        ServiceKey::of(key)
    }

    fn of(key: Jwk) -> Result<ServiceKey, KeyError> {
        let taken = match &key.algorithm {
            AlgorithmParameters::EllipticCurve(p) => p.curve == EllipticCurve::P256,
            AlgorithmParameters::OctetKeyPair(p) => p.curve == EllipticCurve::Ed25519,
            _ => false,
        };
        let key = ServiceKey(key);
        if taken && DecodingKey::from_jwk(&key.0).is_ok() && key.thumbprint().is_some() {
            Ok(key)
        } else {
            Err(KeyError::Format)
        }
    }

    fn algorithm(&self) -> Algorithm {
        match &self.0.algorithm {
            AlgorithmParameters::OctetKeyPair(_) => Algorithm::EdDSA,
            _ => Algorithm::ES256,
        }
    }

    /// RFC 7638, base64url. `None` for no key that [`ServiceKey::parse`] takes.
    pub fn thumbprint(&self) -> Option<String> {
        self.0.thumbprint(ThumbprintHash::SHA256).ok()
    }

    /// The key alone, as JSON.
    pub fn text(&self) -> String {
        let mut key = self.0.clone();
        key.common = Default::default();
        serde_json::to_string(&key).unwrap_or_default()
    }
}

fn seconds(now: Timestamp) -> i64 {
    now.0.div_euclid(1_000_000)
}

fn header_of(jwt: &str) -> Result<Header, ServiceFault> {
    if jwt.len() > LONGEST {
        return Err(ServiceFault::Malformed);
    }
    let header = decode_header(jwt).map_err(|_| ServiceFault::Malformed)?;
    // What is marked critical would have to be understood.
    if !ALGORITHMS.contains(&header.alg) || header.crit.is_some() {
        return Err(ServiceFault::Malformed);
    }
    Ok(header)
}

fn claims<T: DeserializeOwned + Clone>(
    jwt: &str,
    header: &Header,
    key: &ServiceKey,
) -> Result<T, ServiceFault> {
    if header.alg != key.algorithm() {
        return Err(ServiceFault::Signature);
    }
    let mut validation = Validation::new(header.alg);
    validation.required_spec_claims.clear();
    // Against the server's clock, below.
    validation.validate_exp = false;
    validation.validate_aud = false;
    let public = DecodingKey::from_jwk(&key.0).map_err(|_| ServiceFault::Malformed)?;
    let read = decode::<T>(jwt, &public, &validation);
    read.map(|data| data.claims).map_err(|e| match e.kind() {
        jsonwebtoken::errors::ErrorKind::InvalidSignature => ServiceFault::Signature,
        _ => ServiceFault::Malformed,
    })
}

fn known(jti: &str) -> Result<(), ServiceFault> {
    if jti.is_empty() || jti.len() > JTI { Err(ServiceFault::Malformed) } else { Ok(()) }
}

#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Some(Vec<String>),
}

#[derive(Clone, Deserialize)]
struct AssertionClaims {
    iss: String,
    sub: String,
    aud: Audience,
    exp: i64,
    #[serde(default)]
    iat: Option<i64>,
    #[serde(default)]
    nbf: Option<i64>,
    jti: String,
}

/// An assertion that holds. It is good once: its `jti` until it is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assertion {
    pub jti: String,
    /// Seconds since 1970.
    pub until: i64,
}

/// Whom an assertion says it is of, unverified: to find the key by.
pub fn claimed_client(jwt: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Subject {
        sub: String,
    }
    header_of(jwt).ok()?;
    let payload = URL_SAFE_NO_PAD.decode(jwt.split('.').nth(1)?).ok()?;
    serde_json::from_slice::<Subject>(&payload).ok().map(|s| s.sub)
}

/// Verifies a client's assertion (RFC 7523 §3): `iss` and `sub` are the client, `aud` is the token
/// endpoint alone, good for at most five minutes.
///
/// # Errors
/// Why it does not hold.
pub fn verify_assertion(
    jwt: &str,
    key: &ServiceKey,
    client: &str,
    audience: &str,
    now: Timestamp,
) -> Result<Assertion, ServiceFault> {
    let header = header_of(jwt)?;
    let claims: AssertionClaims = claims(jwt, &header, key)?;
    let aud = match &claims.aud {
        Audience::One(one) => one == audience,
        // Also for others: whoever else takes it could send it on to here.
        Audience::Some(some) => some.len() == 1 && some[0] == audience,
    };
    if claims.iss != client || claims.sub != client || !aud {
        return Err(ServiceFault::Audience);
    }
    let now = seconds(now);
    let begun =
        [claims.iat, claims.nbf].into_iter().flatten().all(|at| at <= now.saturating_add(SKEW));
    if claims.exp <= now || claims.exp > now.saturating_add(ASSERTION + SKEW) || !begun {
        return Err(ServiceFault::Time);
    }
    known(&claims.jti)?;
    Ok(Assertion { jti: claims.jti, until: claims.exp })
}

#[derive(Clone, Deserialize)]
struct ProofClaims {
    htm: String,
    htu: String,
    iat: i64,
    jti: String,
    #[serde(default)]
    ath: Option<String>,
}

/// A proof of possession that holds for its request. It is good once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DpopProof {
    /// Thumbprint of the key (RFC 7638).
    pub thumbprint: String,
    pub jti: String,
    /// Seconds since 1970 after which it is too old anyway.
    pub until: i64,
}

/// The request that a proof is for.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub method: &'a str,
    /// Origin and path, without query and fragment.
    pub url: &'a str,
    /// The access token, where one is sent.
    pub token: Option<&'a str>,
}

/// Verifies a DPoP proof (RFC 9449 §4.3).
///
/// # Errors
/// Why it does not hold.
pub fn verify_dpop(
    proof: &str,
    request: Request<'_>,
    now: Timestamp,
) -> Result<DpopProof, ServiceFault> {
    let header = header_of(proof)?;
    if header.typ.as_deref() != Some("dpop+jwt") {
        return Err(ServiceFault::Malformed);
    }
    // The library's reader forgets a private member; the text does not.
    let raw = proof.split('.').next().and_then(|h| URL_SAFE_NO_PAD.decode(h).ok());
    let raw = raw.and_then(|h| serde_json::from_slice::<serde_json::Value>(&h).ok());
    let jwk = raw.as_ref().and_then(|h| h.get("jwk")).map(ToString::to_string);
    let key = jwk.and_then(|k| ServiceKey::parse(&k).ok()).ok_or(ServiceFault::Malformed)?;
    let claims: ProofClaims = claims(proof, &header, &key)?;
    let target = claims.htu.split(['?', '#']).next().unwrap_or_default();
    let bound = request.token.map(|t| URL_SAFE_NO_PAD.encode(digest(t.as_bytes())));
    if claims.htm != request.method || target != request.url || claims.ath != bound {
        return Err(ServiceFault::Request);
    }
    let now = seconds(now);
    if claims.iat < now.saturating_sub(PROOF) || claims.iat > now.saturating_add(SKEW) {
        return Err(ServiceFault::Time);
    }
    known(&claims.jti)?;
    let thumbprint = key.thumbprint().ok_or(ServiceFault::Malformed)?;
    Ok(DpopProof { thumbprint, jti: claims.jti, until: claims.iat + PROOF + SKEW })
}

#[cfg(test)]
mod tests;
