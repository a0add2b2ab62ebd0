//! Bearer secrets: session cookies, enrolment links, ceremonies. Only their SHA-256 is stored.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// SHA-256 of a token: what is stored, and all that a stolen database gives away.
pub type TokenHash = [u8; 32];

/// A secret of 256 random bits (ASVS 5.0 §7.2.3 asks for 128). Its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Token([u8; 32]);

impl Token {
    /// A token of bytes that the caller took from a random source.
    pub fn from_random(bytes: [u8; 32]) -> Token {
        Token(bytes)
    }

    /// As it stands in a cookie or a link: 43 characters of base64url.
    pub fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// The token of a text; `None` for every text that [`Token::text`] does not make.
    pub fn parse(text: &str) -> Option<Token> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        bytes.try_into().ok().map(Token)
    }

    /// The bytes of one that is no secret, such as a digest in an address.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub fn hash(&self) -> TokenHash {
        digest(&self.0)
    }

    /// A second secret for another purpose that says nothing about this one.
    pub fn derived(&self, purpose: &str) -> String {
        let mut hasher = Sha256::new();
        hasher.update(purpose.as_bytes());
        hasher.update([0]);
        hasher.update(self.0);
        URL_SAFE_NO_PAD.encode(hasher.finalize())
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

/// SHA-256.
pub fn digest(bytes: &[u8]) -> TokenHash {
    Sha256::digest(bytes).into()
}

/// Whether two secrets are the same, in a time that does not depend on where they differ. Empty
/// ones never are.
pub fn equal(a: &str, b: &str) -> bool {
    !a.is_empty() && bool::from(a.as_bytes().ct_eq(b.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_token_reads_what_it_writes(bytes: [u8; 32]) {
            let token = Token::from_random(bytes);
            prop_assert_eq!(token.text().len(), 43);
            prop_assert_eq!(Token::parse(&token.text()), Some(token.clone()));
            prop_assert_ne!(token.hash(), bytes);
            let shown = format!("{token:?}");
            prop_assert!(!shown.contains(&token.text()));
        }

        #[test]
        fn nothing_else_is_a_token(text in ".{0,60}") {
            if let Some(token) = Token::parse(&text) {
                prop_assert_eq!(token.text(), text);
            }
        }
    }

    #[test]
    fn equality_is_exact_and_never_of_nothing() {
        assert!(equal("abc", "abc"));
        assert!(!equal("abc", "abx") && !equal("abc", "ab") && !equal("", ""));
    }

    #[test]
    fn purposes_do_not_mix() {
        let token = Token::from_random([7; 32]);
        assert_ne!(token.derived("a"), token.derived("b"));
        assert_ne!(token.derived("a"), token.text());
    }
}
