//! Which sets of columns have a sum inside a window: two sorted halves, two pointers.

use std::ops::Range;

/// Two pointers into ascending sums that only move up.
#[derive(Debug, Default)]
pub(crate) struct Pointers {
    start: usize,
    end: usize,
}

impl Pointers {
    /// Where in `sums` those from `least` to `most` are. Neither bound may be below its last one.
    #[inline]
    pub(crate) fn window<T>(
        &mut self,
        sums: &[T],
        sum: impl Fn(&T) -> u64,
        least: u64,
        most: u64,
    ) -> Range<usize> {
        while sums.get(self.start).is_some_and(|item| sum(item) < least) {
            self.start += 1;
        }
        while sums.get(self.end).is_some_and(|item| sum(item) <= most) {
            self.end += 1;
        }
        self.start..self.end.max(self.start)
    }
}

/// Reused between solves, so that one costs no allocation.
#[derive(Debug, Default)]
pub(crate) struct Solver {
    left: Vec<(u64, u64)>,
    right: Vec<(u64, u64)>,
    merged: Vec<(u64, u64)>,
}

impl Solver {
    /// Calls `visit(set of items, sum)` for every set whose sum lies in `from..=to`. Items are pairs of
    /// weight and bit.
    pub(crate) fn solve(
        &mut self,
        items: &[(u64, u64)],
        from: u64,
        to: u64,
        mut visit: impl FnMut(u64, u64),
    ) {
        let total: u64 = items.iter().map(|(weight, _)| *weight).sum();
        if from > to || total < from {
            return;
        }
        let (first, second) = items.split_at(items.len() / 2);
        sums(first, &mut self.left, &mut self.merged);
        sums(second, &mut self.right, &mut self.merged);
        // As the left sum shrinks, the right window moves up.
        let mut pointers = Pointers::default();
        for (left, left_bits) in self.left.iter().rev().filter(|(left, _)| *left <= to) {
            let least = from.saturating_sub(*left);
            let window = pointers.window(&self.right, |(sum, _)| *sum, least, to - left);
            for (right, right_bits) in self.right.get(window).unwrap_or_default() {
                visit(left_bits | right_bits, left + right);
            }
        }
    }
}

/// All subset sums in ascending order: each item merges the list with itself shifted.
fn sums(items: &[(u64, u64)], out: &mut Vec<(u64, u64)>, merged: &mut Vec<(u64, u64)>) {
    out.clear();
    out.push((0, 0));
    for (weight, bit) in items {
        merged.clear();
        let (mut plain, mut shifted) = (0, 0);
        while plain < out.len() {
            let with = (out[shifted].0 + weight, out[shifted].1 | bit);
            if out[plain].0 <= with.0 {
                merged.push(out[plain]);
                plain += 1;
            } else {
                merged.push(with);
                shifted += 1;
            }
        }
        merged.extend(out[shifted..].iter().map(|(sum, bits)| (sum + weight, bits | bit)));
        std::mem::swap(out, merged);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn finds_exactly_what_brute_force_finds(
            weights in prop::collection::vec(0_u64..60, 0..9), from in 0_u64..200, width in 0_u64..30,
        ) {
            let items: Vec<(u64, u64)> =
                weights.iter().enumerate().map(|(i, w)| (*w, 1 << i)).collect();
            let mut found = Vec::new();
            Solver::default().solve(&items, from, from + width, |bits, sum| found.push((bits, sum)));
            found.sort_unstable();
            let mut expected = Vec::new();
            for bits in 0_u64..1 << weights.len() {
                let sum: u64 = items.iter().filter(|(_, b)| bits & b != 0).map(|(w, _)| w).sum();
                if (from..=from + width).contains(&sum) {
                    expected.push((bits, sum));
                }
            }
            prop_assert_eq!(found, expected);
        }
    }
}
