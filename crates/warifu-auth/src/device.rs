//! Sessions that are bound to a key of the device, and the proofs that the key makes.
//!
//! Two kinds of keys. The browser's own (W3C Device Bound Session Credentials): it signs a challenge
//! for every short cookie, and no script can use it. Else a key that a script of ours made with
//! WebCrypto and cannot read: it signs protected requests, in the way of RFC 9449.
//!
//! A proof is a JWS in compact form (RFC 7515). There is nothing to negotiate: the one algorithm is
//! ES256, and the type that is expected is the only one that is read.

use crate::session::{SKEW, SessionPolicy};
use crate::token::{Token, TokenHash};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, VerifyingKey};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use subtle::ConstantTimeEq;
use warifu_domain::Timestamp;
use warifu_domain::devices::DeviceKind;

/// Name of the short cookie beside the session's.
pub const DEVICE_COOKIE: &str = "__Host-warifu-device";

/// Longest proof that is looked at, in bytes. Those of browsers have about 500.
const LONGEST: usize = 4_096;
/// Type of what a browser signs for a cookie.
const DBSC: &str = "dbsc+jwt";
/// Type of what signs one request.
const REQUEST: &str = "dpop+jwt";

/// Why a proof is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    #[error("a proof has at most 4096 bytes")]
    TooLong,
    #[error("this is no signed proof")]
    Malformed,
    #[error("a proof is signed with ES256")]
    Algorithm,
    #[error("this is a proof of another type")]
    Type,
    #[error("this is not the key of the device")]
    Key,
    #[error("the signature does not fit")]
    Signature,
    #[error("this was signed for another request")]
    Request,
}

impl ProofError {
    /// Stable code, for the ledger.
    pub fn code(self) -> &'static str {
        match self {
            ProofError::TooLong => "too_long",
            ProofError::Malformed => "malformed",
            ProofError::Algorithm => "algorithm",
            ProofError::Type => "type",
            ProofError::Key => "key",
            ProofError::Signature => "signature",
            ProofError::Request => "request",
        }
    }
}

/// A public key on P-256.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceKey(VerifyingKey);

impl DeviceKey {
    /// The key of what [`DeviceKey::bytes`] gave.
    pub fn from_bytes(bytes: &[u8]) -> Option<DeviceKey> {
        VerifyingKey::from_sec1_bytes(bytes).ok().map(DeviceKey)
    }

    /// The point, uncompressed (SEC 1, section 2.3.3): 65 bytes.
    pub fn bytes(&self) -> Vec<u8> {
        self.0.to_sec1_point(false).as_bytes().to_vec()
    }

    fn of(jwk: &Jwk) -> Option<DeviceKey> {
        if jwk.kty != "EC" || jwk.crv != "P-256" || jwk.d.is_some() {
            return None;
        }
        let mut point = vec![4];
        for coordinate in [&jwk.x, &jwk.y] {
            let bytes: [u8; 32] = URL_SAFE_NO_PAD.decode(coordinate).ok()?.try_into().ok()?;
            point.extend(bytes);
        }
        DeviceKey::from_bytes(&point)
    }
}

/// A key as JSON (RFC 7518, section 6.2).
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    crv: String,
    x: String,
    y: String,
    /// Whoever sends the private part has given it away.
    d: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: String,
    jwk: Option<Jwk>,
    /// Extensions that have to be understood: none is.
    crit: Option<IgnoredAny>,
}

/// What a browser signs at registration.
#[derive(Debug, Deserialize)]
struct Registration {
    jti: String,
    authorization: String,
}

#[derive(Debug, Deserialize)]
struct Refresh {
    jti: String,
}

/// The claims of a proof for one request.
#[derive(Debug, Deserialize)]
struct Claims {
    htm: String,
    htu: String,
    nonce: String,
    /// SHA-256 of the body, base64url.
    body: String,
}

/// A request as the server got it.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub method: &'a str,
    /// Scheme, host, port and path, without a query.
    pub url: &'a str,
    /// SHA-256 of the body.
    pub body: &'a TokenHash,
}

/// Reads a proof that the key signed; without a key it is the one in the header that counts.
fn read<T: DeserializeOwned>(
    text: &str,
    typ: &str,
    key: Option<&DeviceKey>,
) -> Result<(DeviceKey, T), ProofError> {
    if text.len() > LONGEST {
        return Err(ProofError::TooLong);
    }
    let (signed, signature) = text.rsplit_once('.').ok_or(ProofError::Malformed)?;
    let (header, claims) = signed.split_once('.').ok_or(ProofError::Malformed)?;
    let header: Header = json(header)?;
    if header.alg != "ES256" {
        return Err(ProofError::Algorithm);
    }
    if header.typ != typ {
        return Err(ProofError::Type);
    }
    if header.crit.is_some() {
        return Err(ProofError::Malformed);
    }
    let own = header.jwk.map(|jwk| DeviceKey::of(&jwk).ok_or(ProofError::Key)).transpose()?;
    let key = match (key, own) {
        (Some(key), Some(own)) if *key != own => return Err(ProofError::Key),
        (Some(key), _) => key.clone(),
        (None, Some(own)) => own,
        (None, None) => return Err(ProofError::Key),
    };
    let signature = decoded(signature)?;
    let signature = Signature::from_slice(&signature).map_err(|_| ProofError::Signature)?;
    key.0.verify(signed.as_bytes(), &signature).map_err(|_| ProofError::Signature)?;
    Ok((key, json(claims)?))
}

fn decoded(text: &str) -> Result<Vec<u8>, ProofError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| ProofError::Malformed)
}

fn json<T: DeserializeOwned>(text: &str) -> Result<T, ProofError> {
    serde_json::from_slice(&decoded(text)?).map_err(|_| ProofError::Malformed)
}

/// The key that a browser registers, the challenge and the authorization that it got.
///
/// # Errors
/// When it is not signed by the key that it carries.
pub fn read_registration(text: &str) -> Result<(DeviceKey, String, String), ProofError> {
    let (key, claims) = read::<Registration>(text, DBSC, None)?;
    Ok((key, claims.jti, claims.authorization))
}

/// The challenge that the device's key signed for its next cookie.
///
/// # Errors
/// When the key did not sign it.
pub fn read_refresh(text: &str, key: &DeviceKey) -> Result<String, ProofError> {
    Ok(read::<Refresh>(text, DBSC, Some(key))?.1.jti)
}

/// The key that signed a request, and the server's nonce in it. Without a key it is the one that the
/// proof carries: for the request that registers it.
///
/// # Errors
/// When the key did not sign it, or signed another request.
pub fn read_request(
    text: &str,
    key: Option<&DeviceKey>,
    request: Request<'_>,
) -> Result<(DeviceKey, String), ProofError> {
    let (key, claims) = read::<Claims>(text, REQUEST, key)?;
    let same = claims.htm == request.method
        && claims.htu == request.url
        && claims.body == URL_SAFE_NO_PAD.encode(request.body);
    if same { Ok((key, claims.nonce)) } else { Err(ProofError::Request) }
}

/// What is known about the device of a session.
#[derive(Clone, Copy, Debug)]
pub struct Binding<'a> {
    pub kind: DeviceKind,
    pub bound_at: Timestamp,
    /// SHA-256 of the cookie, and when it ends.
    pub cookie: (&'a [u8], Timestamp),
    /// The same of the cookie before it.
    pub old_cookie: (&'a [u8], Timestamp),
}

/// Whether a request with this short cookie comes from the device. A script's key makes no cookies:
/// it signs requests one by one.
pub fn device_cookie_holds(
    binding: &Binding<'_>,
    cookie: Option<&Token>,
    now: Timestamp,
    policy: &SessionPolicy,
) -> bool {
    if binding.kind == DeviceKind::Script {
        return true;
    }
    // The pages of sign-in are under way while the browser makes its key. It takes no longer than the
    // cookie is good for.
    let settle = policy.device_settle.min(policy.device_cookie);
    if (0..settle).contains(&now.0.saturating_sub(binding.bound_at.0)) {
        return true;
    }
    let Some(cookie) = cookie.map(Token::hash) else { return false };
    // A clock that was set back makes no cookie good for longer than it was made for.
    let longest = policy.device_cookie.saturating_add(SKEW);
    [binding.cookie, binding.old_cookie].into_iter().any(|(hash, ends)| {
        let left = ends.0.saturating_sub(now.0);
        bool::from(cookie[..].ct_eq(hash)) && left > 0 && left <= longest
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest;
    use p256::ecdsa::SigningKey;
    use p256::ecdsa::signature::Signer;
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use warifu_domain::time::{MINUTE, SECOND};

    fn signing(seed: u8) -> SigningKey {
        SigningKey::from_slice(&[seed.max(1); 32]).unwrap()
    }

    fn jwk(key: &SigningKey) -> Value {
        let point = DeviceKey(*key.verifying_key()).bytes();
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({ "kty": "EC", "crv": "P-256", "x": text(&point[1..33]), "y": text(&point[33..]) })
    }

    fn jws(key: &SigningKey, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature: Signature = key.sign(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }

    fn header(key: &SigningKey, typ: &str) -> Value {
        json!({ "alg": "ES256", "typ": typ, "jwk": jwk(key) })
    }

    #[test]
    fn a_registration_gives_key_challenge_and_authorization() {
        let key = signing(7);
        let claims = json!({ "jti": "c", "authorization": "a", "aud": "x", "iat": 1 });
        let text = jws(&key, &header(&key, DBSC), &claims);
        let (read, jti, authorization) = read_registration(&text).unwrap();
        assert_eq!(
            (read.bytes(), &*jti, &*authorization),
            (DeviceKey(*key.verifying_key()).bytes(), "c", "a")
        );
        assert_eq!(read_refresh(&text, &read), Ok("c".into()));
        assert_eq!(DeviceKey::from_bytes(&read.bytes()), Some(read));
    }

    #[test]
    fn only_the_device_s_key_and_only_es256_counts() {
        let (key, other) = (signing(7), signing(8));
        let device = DeviceKey(*key.verifying_key());
        let claims = json!({ "jti": "c" });
        let refused = |header: Value, by: &SigningKey| {
            read_refresh(&jws(by, &header, &claims), &device).unwrap_err()
        };
        let plain = json!({ "alg": "ES256", "typ": DBSC });
        assert_eq!(refused(plain.clone(), &other), ProofError::Signature);
        assert_eq!(refused(header(&other, DBSC), &other), ProofError::Key);
        assert_eq!(refused(header(&key, DBSC), &other), ProofError::Signature);
        assert_eq!(refused(header(&key, REQUEST), &key), ProofError::Type);
        for alg in ["none", "None", "HS256", "RS256", "ES384", "es256", ""] {
            let header = json!({ "alg": alg, "typ": DBSC });
            assert_eq!(refused(header, &key), ProofError::Algorithm, "{alg}");
        }
        let critical = json!({ "alg": "ES256", "typ": DBSC, "crit": ["b64"], "b64": false });
        assert_eq!(refused(critical, &key), ProofError::Malformed);
        let mut private = header(&key, DBSC);
        private["jwk"]["d"] = "AA".into();
        assert_eq!(refused(private, &key), ProofError::Key);
        let whole = jws(&key, &plain, &claims);
        assert!(read_refresh(&whole, &device).is_ok());
        let unsigned = whole.rsplit_once('.').unwrap().0;
        assert_eq!(read_refresh(&format!("{unsigned}."), &device), Err(ProofError::Signature));
        assert_eq!(read_refresh(&"a".repeat(LONGEST + 1), &device), Err(ProofError::TooLong));
        for end in 0..whole.len() {
            assert!(read_refresh(&whole[..end], &device).is_err(), "cut off at {end}");
        }
    }

    #[test]
    fn a_point_that_is_not_on_the_curve_is_no_key() {
        let key = signing(7);
        let mut header = header(&key, DBSC);
        header["jwk"]["y"] = header["jwk"]["x"].clone();
        let text = jws(&key, &header, &json!({ "jti": "c", "authorization": "a" }));
        assert_eq!(read_registration(&text).unwrap_err(), ProofError::Key);
        assert_eq!(DeviceKey::from_bytes(&[0]), None, "the point at infinity");
    }

    #[test]
    fn a_request_s_proof_is_for_that_request() {
        let key = signing(7);
        let (body, other) = (digest(b"role=agent"), digest(b"role=super_administrator"));
        let request = Request { method: "POST", url: "https://x/people/1/roles", body: &body };
        let claims = json!({
            "htm": "POST", "htu": "https://x/people/1/roles", "nonce": "n",
            "body": URL_SAFE_NO_PAD.encode(body),
        });
        let text = jws(&key, &header(&key, REQUEST), &claims);
        assert_eq!(read_request(&text, None, request).unwrap().1, "n");
        for wrong in [
            Request { method: "PUT", ..request },
            Request { url: "https://x/people/2/roles", ..request },
            Request { body: &other, ..request },
        ] {
            assert_eq!(read_request(&text, None, wrong).unwrap_err(), ProofError::Request);
        }
        let device = DeviceKey(*signing(8).verifying_key());
        assert_eq!(read_request(&text, Some(&device), request).unwrap_err(), ProofError::Key);
    }

    const START: Timestamp = Timestamp(1_700_000_000_000_000);

    #[test]
    fn a_cookie_is_good_until_it_ends() {
        let policy = SessionPolicy::default();
        let (new, old) = (Token::from_random([1; 32]), Token::from_random([2; 32]));
        let (new_hash, old_hash) = (new.hash(), old.hash());
        let issued = START.plus(MINUTE);
        let binding = Binding {
            kind: DeviceKind::Browser,
            bound_at: START,
            cookie: (&new_hash, issued.plus(policy.device_cookie)),
            old_cookie: (&old_hash, issued.plus(policy.device_settle)),
        };
        let holds = |cookie: Option<&Token>, after: i64| {
            device_cookie_holds(&binding, cookie, START.plus(after), &policy)
        };
        assert!(holds(None, 0) && holds(None, policy.device_settle - 1), "pages under way");
        assert!(!holds(None, policy.device_settle) && !holds(None, -1));
        assert!(holds(Some(&new), 2 * MINUTE) && holds(Some(&new), 11 * MINUTE - 1));
        assert!(!holds(Some(&new), 11 * MINUTE));
        assert!(holds(Some(&old), 80 * SECOND) && !holds(Some(&old), 90 * SECOND));
        assert!(!holds(Some(&Token::from_random([3; 32])), 2 * MINUTE));
        assert!(!holds(Some(&new), -10 * MINUTE), "a clock set back");
        let none = Binding { cookie: (&[], START), old_cookie: (&[], START), ..binding };
        assert!(!device_cookie_holds(&none, Some(&new), START.plus(MINUTE), &policy));
        let script = Binding { kind: DeviceKind::Script, ..binding };
        assert!(device_cookie_holds(&script, None, START.plus(20 * MINUTE), &policy));
    }

    proptest! {
        #[test]
        fn no_text_does_harm(text in ".{0,200}", parts in prop::collection::vec("[A-Za-z0-9_=-]{0,80}", 0..5)) {
            let key = DeviceKey(*signing(7).verifying_key());
            for text in [text, parts.join(".")] {
                prop_assert!(read_registration(&text).is_err());
                prop_assert!(read_refresh(&text, &key).is_err());
            }
        }

        #[test]
        fn one_changed_character_is_another_text(at in any::<prop::sample::Index>(), to in "[A-Za-z0-9_.-]") {
            let key = signing(7);
            let device = DeviceKey(*key.verifying_key());
            let text = jws(&key, &header(&key, DBSC), &json!({ "jti": "challenge" }));
            let at = at.index(text.len());
            let changed = format!("{}{to}{}", &text[..at], &text[at + 1..]);
            if changed != text {
                prop_assert!(read_refresh(&changed, &device).is_err(), "{}", changed);
            }
        }

        #[test]
        fn any_header_and_claims_are_read_or_refused(header in json_text(), claims in json_text()) {
            let key = signing(7);
            let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
            let signed = format!("{}.{}", part(&header), part(&claims));
            let signature: Signature = key.sign(signed.as_bytes());
            let text = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()));
            let _ = read_registration(&text);
            if read_refresh(&text, &DeviceKey(*key.verifying_key())).is_ok() {
                let header: Value = serde_json::from_str(&header).unwrap();
                prop_assert_eq!(&header["alg"], "ES256");
                prop_assert_eq!(&header["typ"], DBSC);
            }
        }
    }

    fn json_text() -> impl Strategy<Value = String> {
        let name =
            prop::sample::select(vec!["alg", "typ", "jwk", "crit", "jti", "authorization", "kty"]);
        let value = prop::sample::select(vec![
            "\"ES256\"",
            "\"none\"",
            "\"dbsc+jwt\"",
            "\"c\"",
            "null",
            "1",
            "[]",
            "{\"kty\":\"EC\"}",
        ]);
        prop::collection::vec((name, value), 0..5).prop_map(|pairs| {
            let pairs: Vec<String> = pairs.iter().map(|(n, v)| format!("\"{n}\":{v}")).collect();
            format!("{{{}}}", pairs.join(","))
        })
    }
}
