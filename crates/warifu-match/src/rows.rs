//! Sets of rows, and the rows whose value in one column passes a test.

use warifu_domain::reports::Value;

use crate::{
    people::{Codes, People},
    shape::EMPTY,
};

/// A set of a table's rows, one bit per row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows {
    words: Vec<u64>,
    len: usize,
}

impl Rows {
    /// No row of a table with `len` rows.
    #[must_use]
    pub fn none(len: usize) -> Self {
        Self { words: vec![0; len.div_ceil(64)], len }
    }

    /// Every row of a table with `len` rows.
    #[must_use]
    pub fn every(len: usize) -> Self {
        let mut rows = Self { words: vec![u64::MAX; len.div_ceil(64)], len };
        rows.trim();
        rows
    }

    /// Rows past the end stay out, whatever was done to the words.
    fn trim(&mut self) {
        let used = self.len % 64;
        if used > 0
            && let Some(last) = self.words.last_mut()
        {
            *last &= (1 << used) - 1;
        }
    }

    /// Puts a row in; rows past the end are ignored.
    pub fn insert(&mut self, row: usize) {
        if row < self.len {
            self.words[row / 64] |= 1 << (row % 64);
        }
    }

    /// Takes a row out.
    pub fn remove(&mut self, row: usize) {
        if row < self.len {
            self.words[row / 64] &= !(1 << (row % 64));
        }
    }

    /// Whether a row is in.
    #[must_use]
    pub fn contains(&self, row: usize) -> bool {
        self.words.get(row / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    /// Keeps the rows that are in `other` too.
    pub fn intersect(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(mine, theirs)| *mine &= theirs);
    }

    /// Adds the rows of `other`.
    pub fn unite(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(mine, theirs)| *mine |= theirs);
    }

    /// Swaps in for out.
    pub fn invert(&mut self) {
        self.words.iter_mut().for_each(|word| *word = !*word);
        self.trim();
    }

    /// How many rows are in.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.words.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    /// The rows that are in, in order.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.words.iter().enumerate().flat_map(|(at, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let bit = left.trailing_zeros() as usize;
                left &= left.wrapping_sub(1);
                (bit < 64).then_some(at * 64 + bit)
            })
        })
    }
}

impl People {
    /// The rows whose value in `column` passes `test`, asked once per different value where they
    /// are few; `None` when the table does not keep the column's values. Blank cells are asked as
    /// [`Value::Null`].
    #[must_use]
    pub fn rows_where(
        &self,
        column: usize,
        test: &mut dyn FnMut(Value<'_>) -> bool,
    ) -> Option<Rows> {
        let meta = self.columns.get(column)?;
        let len = self.rows as usize;
        let blank = test(Value::Null);
        let mut rows = if blank { Rows::every(len) } else { Rows::none(len) };
        let mut put = |row: usize, passes: bool| match (passes, blank) {
            (true, false) => rows.insert(row),
            (false, true) => rows.remove(row),
            _ => {}
        };
        if meta.filled == meta.empty {
            return Some(rows);
        }
        let passing: Option<Vec<bool>> = match &meta.values {
            _ if meta.moments => None,
            Some(values) if meta.whole => {
                Some(values.iter().map(|(value, _)| test(Value::Text(value))).collect())
            }
            _ => return None,
        };
        let mut first = 0;
        for segment in &self.segments {
            let cells = segment.columns.get(column)?;
            let codes = &self.tables.get(segment.tables)?.columns.get(column)?.codes;
            if passing.is_some() && matches!(cells.codes, Codes::None) {
                return None;
            }
            cells.shapes.for_each(|nth, row, shape| {
                if shape == EMPTY {
                    return;
                }
                let passes = match &passing {
                    None => cells.moments.get(nth).is_some_and(|moment| test(Value::Time(*moment))),
                    Some(passing) => cells
                        .codes
                        .get(nth)
                        .and_then(|code| codes.get(code as usize))
                        .and_then(|code| passing.get(*code as usize))
                        .is_some_and(|passes| *passes),
                };
                put(first + row, passes);
            });
            first += segment.rows;
        }
        Some(rows)
    }

    /// The rows that have a value in `column`.
    #[must_use]
    pub fn rows_filled(&self, column: usize) -> Rows {
        let mut rows = Rows::none(self.rows as usize);
        let mut first = 0;
        for segment in &self.segments {
            if let Some(cells) = segment.columns.get(column) {
                cells.shapes.for_each(|_, row, shape| {
                    if shape != EMPTY {
                        rows.insert(first + row);
                    }
                });
            }
            first += segment.rows;
        }
        rows
    }

    /// Different values of `column` among `rows`, and how many have each; `None` when the table does
    /// not keep them.
    #[must_use]
    pub fn different_values(&self, column: usize, rows: &Rows) -> Option<Vec<(&str, u64)>> {
        let meta = self.columns.get(column).filter(|meta| meta.whole)?;
        let values = meta.values.as_ref()?;
        let mut seen = vec![0_u64; values.len()];
        let mut first = 0;
        for segment in &self.segments {
            let cells = segment.columns.get(column)?;
            let codes = &self.tables.get(segment.tables)?.columns.get(column)?.codes;
            cells.shapes.for_each(|nth, row, _| {
                if rows.contains(first + row)
                    && let Some(code) = cells.codes.get(nth)
                    && let Some(code) = codes.get(code as usize)
                    && let Some(seen) = seen.get_mut(*code as usize)
                {
                    *seen += 1;
                }
            });
            first += segment.rows;
        }
        let named = values.iter().zip(seen).filter(|(_, seen)| *seen > 0);
        Some(named.map(|((value, _), seen)| (value.as_str(), seen)).collect())
    }
}
