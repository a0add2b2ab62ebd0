//! What all matching definitions have in common, gathered while they are enumerated: there can be
//! millions, of which only the likeliest few are kept.

use std::{cmp::Ordering, collections::BinaryHeap};

use rustc_hash::{FxHashMap, FxHashSet};

const MOST_SETS: usize = 1 << 20;

/// A matching definition.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hit {
    pub cost: f32,
    pub difference: i64,
    pub filter: usize,
    pub dialect: usize,
    pub mask: u64,
    pub bytes: u64,
}

impl Hit {
    /// Likelier first; then closer; then in the order of the search, so that answers are stable.
    fn order(&self, other: &Self) -> Ordering {
        self.cost
            .total_cmp(&other.cost)
            .then(self.difference.unsigned_abs().cmp(&other.difference.unsigned_abs()))
            .then(self.filter.cmp(&other.filter))
            .then(self.dialect.cmp(&other.dialect))
            .then(self.mask.cmp(&other.mask))
    }
}

#[derive(Clone, Debug)]
struct Ranked(Hit);

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.0.order(&other.0) == Ordering::Equal
    }
}
impl Eq for Ranked {}
impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.order(&other.0)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Verdict {
    pub matched: u64,
    /// Columns in every definition / in some.
    pub all_columns: u64,
    pub any_columns: u64,
    pub filters: Vec<u64>,
    pub dialects: Vec<u64>,
    pub masks: FxHashMap<u64, u64>,
    pub exposures: FxHashSet<(u64, u64)>,
    /// Some sets of columns or exposures are not counted one by one any more.
    pub overflowed: bool,
    top: usize,
    best: BinaryHeap<Ranked>,
}

impl Verdict {
    pub(crate) fn new(filters: usize, dialects: usize, top: usize) -> Self {
        Self {
            matched: 0,
            all_columns: u64::MAX,
            any_columns: 0,
            filters: vec![0; filters],
            dialects: vec![0; dialects],
            masks: FxHashMap::default(),
            exposures: FxHashSet::default(),
            overflowed: false,
            top: top.max(1),
            best: BinaryHeap::new(),
        }
    }

    /// Takes in a definition. `cost` is asked for the columns' share only where it can matter.
    #[inline]
    pub(crate) fn add(&mut self, hit: Hit, print: u64, filled: u64, cost: impl Fn(u64) -> f32) {
        self.matched += 1;
        self.all_columns &= hit.mask;
        self.any_columns |= hit.mask;
        self.filters[hit.filter] += 1;
        self.dialects[hit.dialect] += 1;
        if self.masks.len() < MOST_SETS {
            *self.masks.entry(hit.mask).or_default() += 1;
        } else if let Some(count) = self.masks.get_mut(&hit.mask) {
            *count += 1;
        } else {
            self.overflowed = true;
        }
        if self.exposures.len() < MOST_SETS {
            self.exposures.insert((print, hit.mask & filled));
        } else {
            self.overflowed = true;
        }
        // A known definition lowers the cost by one at most.
        if self.best.len() >= self.top
            && self.best.peek().is_some_and(|worst| hit.cost - 1.0 > worst.0.cost)
        {
            return;
        }
        let hit = Hit { cost: hit.cost + cost(hit.mask), ..hit };
        self.keep(Ranked(hit));
    }

    fn keep(&mut self, hit: Ranked) {
        if self.best.len() < self.top {
            self.best.push(hit);
        } else if let Some(mut worst) = self.best.peek_mut()
            && hit < *worst
        {
            *worst = hit;
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.matched += other.matched;
        self.all_columns &= other.all_columns;
        self.any_columns |= other.any_columns;
        self.filters.iter_mut().zip(&other.filters).for_each(|(into, from)| *into += from);
        self.dialects.iter_mut().zip(&other.dialects).for_each(|(into, from)| *into += from);
        for (mask, count) in other.masks {
            *self.masks.entry(mask).or_default() += count;
        }
        self.exposures.extend(other.exposures);
        self.overflowed |= other.overflowed;
        other.best.into_iter().for_each(|hit| self.keep(hit));
    }

    /// The likeliest, best first.
    pub(crate) fn ranked(&self) -> Vec<Hit> {
        let mut best: Vec<Hit> = self.best.iter().map(|ranked| ranked.0).collect();
        best.sort_by(Hit::order);
        best
    }
}
