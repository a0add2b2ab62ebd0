//! Time-based one-time codes (RFC 6238): SHA-1, six digits, thirty seconds, which is what every
//! authenticator app has.

use totp_rs::{Algorithm, Builder, Totp};

/// Bytes of a secret (RFC 4226, section 4, R6: 160 bits are recommended).
pub const SECRET: usize = 20;

fn totp(secret: [u8; SECRET]) -> Option<Totp> {
    Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(6)
        .with_skew(1)
        .with_step_duration(30)
        .with_secret(secret)
        .build()
        .ok()
}

/// The step of a code: now, the one before or the one after. `None` when it is no code of these, or
/// of no step after `last`: each is good once (section 5.2).
pub fn step_of(secret: [u8; SECRET], code: &str, seconds: i64, last: u64) -> Option<u64> {
    let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    let step = totp(secret)?.check(&code, u64::try_from(seconds).ok()?)?;
    (step > last).then_some(step)
}

/// What an app reads from the picture (the Key URI Format of Google Authenticator), and the secret as
/// people type it.
pub fn address(secret: [u8; SECRET], issuer: &str, account: &str) -> Option<(String, String)> {
    let typed = totp(secret)?.secret().to_base32();
    let mut url = url::Url::parse("otpauth://totp/").ok()?;
    // A colon parts the two names; it stands in neither.
    let (issuer, account) = (issuer.replace(':', " "), account.replace(':', " "));
    url.set_path(&format!("/{issuer}:{account}"));
    url.query_pairs_mut().append_pair("secret", &typed).append_pair("issuer", &issuer);
    Some((url.to_string().replace('+', "%20"), typed))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B, for SHA-1; our codes are the last six of its eight digits.
    const VECTORS: [(i64, &str); 6] = [
        (59, "94287082"),
        (1_111_111_109, "07081804"),
        (1_111_111_111, "14050471"),
        (1_234_567_890, "89005924"),
        (2_000_000_000, "69279037"),
        (20_000_000_000, "65353130"),
    ];
    const KEY: [u8; SECRET] = *b"12345678901234567890";

    #[test]
    fn codes_are_those_of_the_rfc() {
        for (time, code) in VECTORS {
            let step = u64::try_from(time / 30).unwrap();
            assert_eq!(step_of(KEY, &code[2..], time, 0), Some(step), "{time}");
            assert_eq!(step_of(KEY, &code[2..], time + 30, 0), Some(step), "one step late");
            assert_eq!(step_of(KEY, &code[2..], time - 30, 0), Some(step), "one step early");
            assert_eq!(step_of(KEY, &code[2..], time + 60, 0), None);
            assert_eq!(step_of(KEY, &code[2..], time - 60, 0), None);
            assert_eq!(step_of(KEY, &code[2..], time, step), None, "a second time");
            assert_eq!(step_of([0; SECRET], &code[2..], time, 0), None, "another secret");
        }
        assert_eq!(step_of(KEY, "287 082", 59, 0), Some(1));
        for no in ["", "28708", "2870820", "28708x", "-87082", "２８７０８２"] {
            assert_eq!(step_of(KEY, no, 59, 0), None, "{no}");
        }
    }

    #[test]
    fn an_app_can_read_the_address() {
        let (url, typed) = address(KEY, "Hashira: Support", "haruka@alder.example").unwrap();
        assert_eq!(typed, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        let expected = "otpauth://totp/Hashira%20%20Support:haruka@alder.example?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Hashira%20%20Support";
        assert_eq!(url, expected);
    }
}
