//! What was removed, kept as hashes only, for the search of the output.
//!
//! A needle is a removed value (or a token inside one) that cannot be mistaken for something an
//! allow-list keeps. Of each the first 96 bytes count, letters folded to lower case; kept are a
//! hash of its first 8 bytes with its length, and a hash of the whole. No raw bytes.

use rustc_hash::FxHashSet;
use std::hash::{BuildHasher, RandomState};

/// Shorter values are not searched for: they would occur by chance.
pub(crate) const MIN: usize = 8;
/// Longer values are represented by this many first bytes.
pub(crate) const MAX: usize = 96;

pub(crate) struct Needles {
    whole: FxHashSet<u64>,
    /// 56 bits of the first window's hash, then the length.
    heads: Vec<u64>,
    hasher: RandomState,
    salt: u64,
    limit: usize,
    /// Set once `limit` was reached; the file must be refused then.
    pub(crate) overflow: bool,
    /// Off in a second pass, which removes the same values again.
    pub(crate) collect: bool,
}

impl Needles {
    pub(crate) fn new(limit: usize) -> Self {
        let hasher = RandomState::new();
        let salt = hasher.hash_one(0x5741_5249_u64);
        Self {
            whole: FxHashSet::default(),
            heads: Vec::new(),
            hasher,
            salt,
            limit,
            overflow: false,
            collect: true,
        }
    }

    fn hash(&self, folded: &[u8]) -> u64 {
        self.hasher.hash_one(folded)
    }

    fn head(&self, folded: &[u8]) -> u64 {
        let mut first = [0; MIN];
        first.copy_from_slice(&folded[..MIN]);
        (u64::from_le_bytes(first) ^ self.salt).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 8
    }

    /// Adds a value of at least [`MIN`] bytes; shorter ones are ignored.
    pub(crate) fn add(&mut self, value: &[u8]) {
        if value.len() < MIN || self.overflow || !self.collect {
            return;
        }
        let mut folded = [0; MAX];
        let n = value.len().min(MAX);
        let folded = &mut folded[..n];
        folded.copy_from_slice(&value[..n]);
        folded.make_ascii_lowercase();
        if self.whole.insert(self.hash(folded)) {
            if self.heads.len() == self.limit {
                self.overflow = true;
                return;
            }
            self.heads.push(self.head(folded) << 8 | n as u64);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.heads.len()
    }

    pub(crate) fn into_index(mut self) -> Index {
        self.heads.sort_unstable();
        self.heads.dedup();
        let words = (self.heads.len() / 4).next_power_of_two().max(1 << 10);
        let mut filter = vec![0_u64; words];
        // The upper bits of a product depend on all bytes of the window, the lower ones do not.
        let shift = 56 - words.trailing_zeros();
        for entry in &self.heads {
            let head = entry >> 8;
            filter[(head >> shift) as usize] |= bits(head);
        }
        Index { needles: self, filter, shift }
    }
}

/// The bits of one window in its word of the filter (a Bloom filter with one memory access: 4
/// needles a word, 3 bits each, lets 1 window in 150 through).
fn bits(head: u64) -> u64 {
    1 << (head >> 28 & 63) | 1 << (head >> 22 & 63) | 1 << (head >> 16 & 63)
}

/// The needles, ready to be looked for.
pub(crate) struct Index {
    needles: Needles,
    filter: Vec<u64>,
    shift: u32,
}

impl Index {
    pub(crate) fn is_empty(&self) -> bool {
        self.needles.heads.is_empty()
    }

    /// Position and length of the first needle in `folded` (lower-case ASCII letters).
    pub(crate) fn find(&self, folded: &[u8]) -> Option<(usize, usize)> {
        if self.is_empty() {
            return None;
        }
        for (at, window) in folded.windows(MIN).enumerate() {
            let head = self.needles.head(window);
            let bits = bits(head);
            if self.filter[(head >> self.shift) as usize] & bits != bits {
                continue;
            }
            let from = self.needles.heads.partition_point(|h| h >> 8 < head);
            for entry in &self.needles.heads[from..] {
                if entry >> 8 != head {
                    break;
                }
                let len = (entry & 0xff) as usize;
                if let Some(text) = folded.get(at..at + len)
                    && self.needles.whole.contains(&self.needles.hash(text))
                {
                    return Some((at, len));
                }
            }
        }
        None
    }

    pub(crate) fn hash(&self, bytes: &[u8]) -> u64 {
        self.needles.hash(bytes)
    }
}
