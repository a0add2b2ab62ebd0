//! Values of a column as small numbers, up to a limit of different ones.

use rustc_hash::FxHashMap;

#[derive(Clone, Debug, Default)]
pub(crate) struct Dictionary {
    values: Vec<Box<[u8]>>,
    codes: FxHashMap<Box<[u8]>, u32>,
    limit: usize,
    /// Codes by a cheap guess at the value, checked against it: most values repeat, and a hash of all
    /// bytes plus a probe costs several times as much as one comparison.
    recent: Vec<u32>,
}

/// Guesses kept for a column of few values, and for one of many.
const RECENT: [usize; 2] = [1 << 10, 1 << 15];
const FEW: usize = 1 << 12;

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
        let slot = guess(value) & self.recent.len().wrapping_sub(1);
        if let Some(code) = self.recent.get(slot)
            && self.values.get(*code as usize).is_some_and(|have| **have == *value)
        {
            return Some(*code);
        }
        if self.recent.is_empty() {
            self.recent = vec![u32::MAX; RECENT[usize::from(self.limit > FEW)]];
        }
        if let Some(code) = self.codes.get(value) {
            if let Some(recent) = self.recent.get_mut(slot) {
                *recent = *code;
            }
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

    pub(crate) fn values(&self) -> &[Box<[u8]>] {
        &self.values
    }
}
