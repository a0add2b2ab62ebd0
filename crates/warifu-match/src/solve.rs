//! Which sets of columns have a sum inside a window: two sorted halves, two pointers.

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
        // As the left sum grows, both ends of the right window move down.
        let mut start = self.right.len();
        let mut end = self.right.len();
        for (left, left_bits) in &self.left {
            if *left > to {
                break;
            }
            while end > 0 && self.right[end - 1].0 > to - left {
                end -= 1;
            }
            let least = from.saturating_sub(*left);
            while start > 0 && self.right[start - 1].0 >= least {
                start -= 1;
            }
            for (right, right_bits) in self.right.get(start..end).unwrap_or_default() {
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
