//! Values of a column as small numbers, up to a limit of different ones.

use rustc_hash::FxHashMap;

#[derive(Clone, Debug, Default)]
pub(crate) struct Dictionary {
    values: Vec<Box<[u8]>>,
    codes: FxHashMap<Box<[u8]>, u32>,
    limit: usize,
}

impl Dictionary {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    /// The code of `value`; `None` once there are more than the limit.
    #[inline]
    pub(crate) fn code(&mut self, value: &[u8]) -> Option<u32> {
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

    pub(crate) fn values(&self) -> &[Box<[u8]>] {
        &self.values
    }
}
