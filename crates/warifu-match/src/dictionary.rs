//! Values of a column as small numbers, up to a limit of different ones.

use rustc_hash::FxHashMap;

#[derive(Clone, Debug, Default)]
pub(crate) struct Dictionary {
    values: Vec<Box<[u8]>>,
    codes: FxHashMap<Box<[u8]>, u32>,
    limit: usize,
    /// Codes of short values by a hash of their bytes, kept with the bytes themselves: most values
    /// repeat, and to look at a value elsewhere in memory costs more than all else.
    short: Vec<Slot>,
    /// Codes of longer ones by a cheap guess at the value, checked against it.
    recent: Vec<u32>,
}

/// Guesses kept for a column of few values, and for one of many.
const RECENT: [usize; 2] = [1 << 10, 1 << 15];
const FEW: usize = 1 << 12;

/// A value of up to 32 bytes as four words, see [`words`].
#[derive(Clone, Copy, Debug)]
struct Slot {
    words: [u64; 4],
    length: u32,
    code: u32,
}

const FREE: Slot = Slot { words: [0; 4], length: u32::MAX, code: 0 };

/// The first and the last bytes of a short value, overlapping where it is shorter than both: with
/// its length they are the value.
#[inline]
fn words(value: &[u8]) -> Option<[u64; 4]> {
    let word = |bytes: Option<&[u8; 8]>| bytes.map_or(0, |b| u64::from_le_bytes(*b));
    let half = |bytes: Option<&[u8; 4]>| bytes.map_or(0, |b| u64::from(u32::from_le_bytes(*b)));
    match value.len() {
        0..4 => {
            let one = |at: usize| value.get(at).map_or(0, |byte| u64::from(*byte));
            Some([one(0) | one(1) << 8 | one(2) << 16, 0, 0, 0])
        }
        4..8 => Some([half(value.first_chunk()) | half(value.last_chunk()) << 32, 0, 0, 0]),
        8..=16 => Some([word(value.first_chunk()), word(value.last_chunk()), 0, 0]),
        17..=32 => {
            let (first, last) = (value.first_chunk::<16>()?, value.last_chunk::<16>()?);
            Some([
                word(first.first_chunk()),
                word(first.last_chunk()),
                word(last.first_chunk()),
                word(last.last_chunk()),
            ])
        }
        _ => None,
    }
}

#[inline]
fn mixed(words: [u64; 4], length: usize) -> usize {
    const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
    let step = |hash: u64, word: u64| (hash.rotate_left(23) ^ word).wrapping_mul(ODD);
    (words.into_iter().fold(length as u64, step) >> 32) as usize
}

/// Length, first and last bytes, mixed.
#[inline]
fn guess(value: &[u8]) -> usize {
    let head = value.first_chunk::<4>().map_or(0, |head| u32::from_le_bytes(*head));
    let tail = value.last_chunk::<4>().map_or_else(
        || value.iter().fold(0, |all, byte| all << 8 | u32::from(*byte)),
        |tail| u32::from_le_bytes(*tail),
    );
    let middle = value.get(value.len() / 2).copied().unwrap_or(0);
    let mixed = (u64::from(head) << 32 | u64::from(tail))
        .wrapping_add(u64::from(middle) << 20)
        .wrapping_add(value.len() as u64)
        .wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed >> 40) as usize
}

impl Dictionary {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    /// The code of `value`; `None` once there are more than the limit.
    #[inline]
    pub(crate) fn code(&mut self, value: &[u8]) -> Option<u32> {
        let Some(words) = words(value) else { return self.code_of_long(value) };
        let length = value.len() as u32;
        let at = mixed(words, value.len()) & self.short.len().wrapping_sub(1);
        if let Some(slot) = self.short.get(at)
            && slot.words == words
            && slot.length == length
        {
            return Some(slot.code);
        }
        if self.short.is_empty() {
            self.short = vec![FREE; RECENT[usize::from(self.limit > FEW)]];
        }
        let code = self.look_up(value)?;
        if let Some(slot) = self.short.get_mut(at) {
            *slot = Slot { words, length, code };
        }
        Some(code)
    }

    #[inline(never)]
    fn look_up(&mut self, value: &[u8]) -> Option<u32> {
        if let Some(code) = self.codes.get(value) {
            return Some(*code);
        }
        if self.values.len() >= self.limit {
            return None;
        }
        let code = self.values.len() as u32;
        self.values.push(value.into());
        self.codes.insert(value.into(), code);
        Some(code)
    }

    fn code_of_long(&mut self, value: &[u8]) -> Option<u32> {
        let slot = guess(value) & self.recent.len().wrapping_sub(1);
        if let Some(code) = self.recent.get(slot)
            && self.values.get(*code as usize).is_some_and(|have| **have == *value)
        {
            return Some(*code);
        }
        if self.recent.is_empty() {
            self.recent = vec![u32::MAX; RECENT[usize::from(self.limit > FEW)]];
        }
        let code = self.look_up(value)?;
        if let Some(recent) = self.recent.get_mut(slot) {
            *recent = code;
        }
        Some(code)
    }

    pub(crate) fn values(&self) -> &[Box<[u8]>] {
        &self.values
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::Dictionary;

    proptest! {
        #[test]
        fn equal_values_and_only_they_share_a_code(
            values in prop::collection::vec(prop::collection::vec(0_u8..3, 0..40), 1..400),
        ) {
            let mut dictionary = Dictionary::new(1 << 20);
            let mut seen: HashMap<&[u8], u32> = HashMap::new();
            for value in values.iter().chain(&values) {
                let code = dictionary.code(value).unwrap();
                prop_assert_eq!(*seen.entry(value).or_insert(code), code);
                prop_assert_eq!(&*dictionary.values()[code as usize], value.as_slice());
            }
            prop_assert_eq!(dictionary.values().len(), seen.len());
        }
    }
}
