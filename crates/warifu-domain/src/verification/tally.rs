//! The tally: six characters of which each side is shown its own half and types the other's.

use crate::time::MINUTE;
use crate::{PersonId, Timestamp};
use serde::{Deserialize, Serialize};

/// Characters of a half. Two halves: 30 bits, of which either side can guess 15.
pub const HALF: usize = 3;
/// Characters of the code under which the caller opens their side: 50 bits.
pub const CODE: usize = 10;
/// How long a tally lives, in microseconds.
const LIVES: i64 = 10 * MINUTE;
/// Wrong tries of both sides together, after which a tally is good for nothing.
const TRIES: u32 = 3;
/// Tallies of one check.
pub(super) const TALLIES: u32 = 3;

/// Crockford's alphabet: nothing that is misheard or misread.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A tally of a check. The characters themselves are derived anew from the installation's key
/// wherever they are needed; nothing that is kept tells them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// The first of a check is 1.
    pub number: u32,
    pub by: PersonId,
    pub at: Timestamp,
    /// SHA-256 of the one browser in which the caller opened it, hexadecimal.
    pub browser: Option<String>,
    pub agent_fits: bool,
    pub caller_fits: bool,
    pub wrong: u32,
}

impl Tally {
    pub fn passed(&self) -> bool {
        self.agent_fits && self.caller_fits
    }

    pub fn ends_at(&self) -> Timestamp {
        self.at.plus(LIVES)
    }

    /// Whether a half may still be typed.
    pub fn lives(&self, now: Timestamp) -> bool {
        !self.passed() && self.wrong < TRIES && now >= self.at && now < self.ends_at()
    }

    /// Tries that are left.
    pub fn tries(&self) -> u32 {
        TRIES.saturating_sub(self.wrong)
    }
}

fn characters(bits: u64, n: usize) -> String {
    (0..n).map(|i| char::from(ALPHABET[(bits >> (5 * i) & 31) as usize])).collect()
}

fn bits(random: &[u8]) -> u64 {
    random.iter().take(8).fold(0, |all, byte| all << 8 | u64::from(*byte))
}

/// The agent's half and the caller's, from bytes that look random.
pub fn halves(random: &[u8; 32]) -> (String, String) {
    let bits = bits(&random[..8]);
    (characters(bits, HALF), characters(bits >> (5 * HALF), HALF))
}

/// A code that is read out, from bytes that look random.
pub fn code_text(random: &[u8; 32]) -> String {
    characters(bits(&random[..8]), CODE)
}

/// What somebody typed, as it was meant: without blanks and dashes, in capitals, with the digits
/// that were meant by letters that look like them.
pub fn normal(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_whitespace() && *c != '-')
        .take(64)
        .map(|c| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            c => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_of_characters_that_nobody_mistakes() {
        let mut random = [0; 32];
        for i in 0..=255u8 {
            random[..8]
                .copy_from_slice(&(u64::from(i).wrapping_mul(0x9E37_79B9_7F4A_7C15)).to_be_bytes());
            let (agent, caller) = halves(&random);
            for text in [&agent, &caller, &code_text(&random)] {
                assert_eq!(&normal(text), text);
                assert!(text.bytes().all(|b| ALPHABET.contains(&b)), "{text}");
            }
            assert_eq!((agent.len(), caller.len(), code_text(&random).len()), (HALF, HALF, CODE));
        }
        assert_eq!(normal(" o1-lI x"), "0111X");
    }
}
