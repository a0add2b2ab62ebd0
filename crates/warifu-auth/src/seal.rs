//! Secrets that have to be read again, encrypted at rest: AES-256-GCM (NIST SP 800-38D).

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use secrecy::SecretString;

/// Bytes of a nonce. They are random; one key encrypts a few secrets only, far from 2³².
const NONCE: usize = 12;

/// Encrypts a secret. It can be read only under the same key and for the same place (`what`), so
/// that nobody moves one row's secret into another. The nonce comes first.
pub fn seal(key: &[u8; 32], nonce: [u8; NONCE], what: &str, secret: &str) -> Option<Vec<u8>> {
    let payload = Payload { msg: secret.as_bytes(), aad: what.as_bytes() };
    let sealed = Aes256Gcm::new(key.into()).encrypt(&Nonce::from(nonce), payload).ok()?;
    Some([&nonce[..], &sealed].concat())
}

/// Reads what [`seal`] wrote; `None` when it was changed, moved, or the key is another.
pub fn open_sealed(key: &[u8; 32], what: &str, sealed: &[u8]) -> Option<SecretString> {
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE>()?;
    let payload = Payload { msg: sealed, aad: what.as_bytes() };
    let secret = Aes256Gcm::new(key.into()).decrypt(&Nonce::from(*nonce), payload).ok()?;
    String::from_utf8(secret).ok().map(SecretString::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use secrecy::ExposeSecret;

    proptest! {
        #[test]
        fn only_the_same_key_and_place_read_it(
            key: [u8; 32], nonce: [u8; NONCE], secret in ".{0,40}", at in 0usize..60,
        ) {
            let sealed = seal(&key, nonce, "a", &secret).unwrap();
            let opened = open_sealed(&key, "a", &sealed).unwrap();
            prop_assert_eq!(opened.expose_secret(), secret.as_str());
            prop_assert!(open_sealed(&key, "b", &sealed).is_none());
            let mut other = key;
            other[0] ^= 1;
            prop_assert!(open_sealed(&other, "a", &sealed).is_none());
            let mut changed = sealed.clone();
            let place = at % changed.len();
            changed[place] ^= 1;
            prop_assert!(open_sealed(&key, "a", &changed).is_none());
            prop_assert!(open_sealed(&key, "a", &sealed[..place]).is_none());
        }
    }
}
