//! Passwords: which are taken, and how they are kept (NIST SP 800-63B-4, section 3.1.1).

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use secrecy::{ExposeSecret, SecretString};
use std::sync::OnceLock;
use unicode_normalization::UnicodeNormalization;
use zxcvbn::{Score, zxcvbn};

/// Fewest characters beside a second factor, and of a password alone.
pub const SHORTEST: usize = 8;
pub const SHORTEST_ALONE: usize = 15;
/// Most characters.
pub const LONGEST: usize = 256;

/// Why a password is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    Short,
    Long,
    /// Among the first that anybody would try.
    Common,
}

/// A password as it is compared: what looks the same is the same (NFC), however it was typed.
pub fn normalized(password: &SecretString) -> SecretString {
    password.expose_secret().nfc().collect::<String>().into()
}

/// Whether a password may be chosen. There are no rules about kinds of characters.
///
/// # Errors
/// What is wrong with it. `known` are words by which others know the person.
pub fn fit(password: &SecretString, known: &[&str], alone: bool) -> Result<(), Unfit> {
    let password = password.expose_secret();
    let length = password.chars().count();
    if length < if alone { SHORTEST_ALONE } else { SHORTEST } {
        return Err(Unfit::Short);
    }
    if length > LONGEST {
        return Err(Unfit::Long);
    }
    match zxcvbn(password, known).score() {
        Score::Zero | Score::One => Err(Unfit::Common),
        _ => Ok(()),
    }
}

/// Argon2id as OWASP's Password Storage Cheat Sheet has it: 19 MiB, two passes, one lane.
fn argon2() -> Argon2<'static> {
    let params = Params::new(19 << 10, 2, 1, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// What is kept of a password. It takes some 20 ms and 19 MiB: do not call it where others wait.
pub fn hash(password: &SecretString, salt: [u8; 16]) -> Option<String> {
    let salt = SaltString::encode_b64(&salt).ok()?;
    let hash = argon2().hash_password(password.expose_secret().as_bytes(), &salt).ok()?;
    Some(hash.to_string())
}

/// Whether it is the password; takes as long as [`hash`]. Without a hash it is not, and takes just as
/// long.
pub fn is_password(password: &SecretString, hash: Option<&str>) -> bool {
    static NOBODY: OnceLock<Option<String>> = OnceLock::new();
    let nobody = NOBODY.get_or_init(|| self::hash(&SecretString::from("nobody's"), [0; 16]));
    let Some(kept) = hash.or(nobody.as_deref()) else { return false };
    let Ok(parsed) = PasswordHash::new(kept) else { return false };
    let fits = argon2().verify_password(password.expose_secret().as_bytes(), &parsed).is_ok();
    fits && hash.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> SecretString {
        text.to_owned().into()
    }

    #[test]
    fn only_the_password_fits_its_hash() {
        let kept = hash(&of("tally of two halves"), [3; 16]).unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert!(is_password(&of("tally of two halves"), Some(&kept)));
        assert!(!is_password(&of("tally of two halve"), Some(&kept)));
        assert!(!is_password(&of(""), Some(&kept)));
        assert!(!is_password(&of("nobody's"), None));
        assert!(!is_password(&of("x"), Some("no hash")));
    }

    #[test]
    fn length_counts_and_kinds_of_characters_do_not() {
        let fit =
            |text: &str| super::fit(&of(text), &["haruka.endo@alder.example", "Alder"], false);
        assert_eq!(fit("1234567"), Err(Unfit::Short));
        assert_eq!(fit(&"a tally ".repeat(33)), Err(Unfit::Long));
        for common in
            ["password", "12345678", "qwertyuiop", "Password1!", "haruka.endo@alder.example"]
        {
            assert_eq!(fit(common), Err(Unfit::Common), "{common}");
        }
        let long = "a tally that was cut ".repeat(12);
        for fine in ["tally of two halves", "割符の片割れを持つ者", "xkqvbnwz", &long[..250]]
        {
            assert_eq!(fit(fine), Ok(()), "{fine}");
        }
        assert_eq!(super::fit(&of("tally of halve"), &[], true), Err(Unfit::Short));
    }

    #[test]
    fn what_looks_the_same_is_the_same() {
        let typed = normalized(&of("nai\u{308}ve au lait"));
        assert_eq!(typed.expose_secret(), "na\u{ef}ve au lait");
    }
}
