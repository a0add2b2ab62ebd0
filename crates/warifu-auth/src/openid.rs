//! What applications are told by signed tokens, and how a code is proved to belong to who asked for it
//! (OpenID Connect Core 1.0, Back-Channel Logout 1.0, RFC 7636).
//!
//! Tokens are only ever made and checked with one algorithm, ES256: which one a token names is not asked.
//! Signatures are deterministic (RFC 6979): no randomness is taken here.

use crate::token::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use p256::ecdsa::signature::{Signer, Verifier};
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};
use subtle::ConstantTimeEq;
use warifu_domain::applications::Acr;
use warifu_domain::factors::Factor;

/// A key that signs tokens for applications.
pub struct TokenKey {
    kid: String,
    key: SigningKey,
}

impl TokenKey {
    /// The key of a name, from secrets that are derived for each try: not every number is a key, so a second
    /// may be needed, once in 2³² keys.
    pub fn derived(kid: &str, secret: impl Fn(u32) -> [u8; 32]) -> Option<TokenKey> {
        let key = (0..16).find_map(|n| SigningKey::from_slice(&secret(n)).ok())?;
        Some(TokenKey { kid: kid.to_owned(), key })
    }

    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public half (RFC 7517).
    pub fn jwk(&self) -> Value {
        let point = self.key.verifying_key().to_sec1_point(false);
        let part = |half: Option<&[u8]>| BASE64.encode(half.unwrap_or_default());
        json!({
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.kid,
            "x": part(point.x().map(|x| x.as_slice())), "y": part(point.y().map(|y| y.as_slice())),
        })
    }

    /// A token of a type with claims.
    pub fn sign(&self, kind: &str, claims: &Value) -> String {
        let header = json!({ "alg": "ES256", "typ": kind, "kid": self.kid });
        let encode = |part: &Value| BASE64.encode(part.to_string());
        let signed = format!("{}.{}", encode(&header), encode(claims));
        let signature: Signature = self.key.sign(signed.as_bytes());
        format!("{signed}.{}", BASE64.encode(signature.to_bytes()))
    }

    /// The claims of a token that this key signed; its times are not judged.
    pub fn claims(&self, token: &str) -> Option<Value> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (_, claims) = signed.split_once('.')?;
        let signature = Signature::from_slice(&BASE64.decode(signature).ok()?).ok()?;
        self.key.verifying_key().verify(signed.as_bytes(), &signature).ok()?;
        serde_json::from_slice(&BASE64.decode(claims).ok()?).ok()
    }
}

/// The SHA-256 that a PKCE challenge (S256) is; `None` for every text that is none.
pub fn challenge(text: &str) -> Option<[u8; 32]> {
    BASE64.decode(text).ok()?.try_into().ok()
}

/// Whether a PKCE verifier is of the right form and fits (RFC 7636, section 4.6).
pub fn verifier_fits(verifier: &str, challenge: &[u8]) -> bool {
    let unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    (43..=128).contains(&verifier.len())
        && verifier.bytes().all(unreserved)
        && bool::from(digest(verifier.as_bytes()).ct_eq(challenge))
}

/// Whether a client's secret is the one whose SHA-256 is kept.
pub fn secret_fits(secret: &str, kept: &[u8]) -> bool {
    bool::from(digest(secret.as_bytes()).ct_eq(kept))
}

/// How somebody proved who they are (RFC 8176).
pub fn amr(factor: Factor, acr: Acr) -> &'static [&'static str] {
    match (factor, acr) {
        (Factor::Certificate, _) => &["sc", "hwk", "mfa"],
        (Factor::Passkey, Acr::Hardware) => &["hwk", "user", "mfa"],
        (Factor::Passkey, Acr::PhishingResistant) => &["swk", "user", "mfa"],
        (Factor::Oidc | Factor::Password, _) => &["mfa"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(n: u8) -> TokenKey {
        TokenKey::derived("k", |_| [n; 32]).unwrap()
    }

    #[test]
    fn a_token_is_read_by_its_own_key_only() {
        let claims = json!({ "sub": "1" });
        let token = key(7).sign("JWT", &claims);
        assert_eq!(key(7).claims(&token), Some(claims));
        assert_eq!(key(8).claims(&token), None);
        // Whatever algorithm a token names.
        let (head, rest) = token.split_once('.').unwrap();
        let none = BASE64.encode(r#"{"alg":"none"}"#);
        assert_eq!(key(7).claims(&format!("{none}.{rest}")), None);
        let (body, _) = rest.split_once('.').unwrap();
        assert_eq!(key(7).claims(&format!("{head}.{body}.")), None);
        assert_eq!(key(7).claims(&format!("{none}.{body}.")), None);
    }

    #[test]
    fn a_number_that_is_no_key_is_passed_over() {
        let made = TokenKey::derived("k", |n| if n == 0 { [0xff; 32] } else { [7; 32] }).unwrap();
        assert_eq!(made.jwk(), key(7).jwk());
        assert!(TokenKey::derived("k", |_| [0; 32]).is_none());
    }

    #[test]
    fn the_example_of_the_standard_fits() {
        // RFC 7636, appendix B.
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let made = challenge("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM").unwrap();
        assert!(verifier_fits(verifier, &made));
        assert!(!verifier_fits("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl", &made));
        assert!(!verifier_fits("short", &digest(b"short")), "a verifier that can be guessed");
        assert!(challenge("").is_none() && challenge(verifier).is_some());
    }

    proptest! {
        #[test]
        fn tokens_of_any_kind_are_refused(text in ".{0,80}", parts in "[A-Za-z0-9_.-]{0,200}") {
            prop_assert_eq!(key(7).claims(&text), None);
            prop_assert_eq!(key(7).claims(&parts), None);
            let _ = (challenge(&text), verifier_fits(&parts, &[0; 32]));
        }
    }
}
