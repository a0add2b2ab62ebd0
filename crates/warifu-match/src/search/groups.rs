//! Which dimensions are summed in one pass.
//!
//! All in one would be best, but atoms multiply. The common pass takes what keeps their number
//! small; every combination of predicates that it lacks is in some further pass, as far as passes are
//! affordable, and said to be left out otherwise.

use rustc_hash::FxHashSet;

use crate::{
    dimension::Dimension,
    pass::{Sample, sample},
    people::People,
};

/// Dimensions are added to a pass while a sample of people shows at most so many atoms.
const SAMPLED_ATOMS: usize = 6_000;
const SAMPLE: usize = 40_000;
/// Rows times extra passes that a search may spend on dimensions outside the common pass.
const EXTRA_ROWS: u64 = 16_000_000;

/// Tells which dimensions go together.
pub(super) struct Planner<'a> {
    people: &'a People,
    samples: Vec<Sample>,
    /// The first is the dimension of states, which is in every group.
    states: bool,
}

impl<'a> Planner<'a> {
    pub(super) fn new(people: &'a People, states: bool) -> Self {
        Self { people, samples: Vec::new(), states }
    }

    fn keys(&mut self, dimensions: &[Dimension], group: &[usize]) -> Vec<u64> {
        for dimension in &dimensions[self.samples.len()..] {
            self.samples.push(sample(self.people, dimension, SAMPLE));
        }
        let rows = self.samples.first().map_or(0, Vec::len);
        group.iter().fold(vec![0; rows], |keys, dimension| {
            keys.iter()
                .zip(&self.samples[*dimension])
                .map(|(key, class)| joined(*key, *class))
                .collect()
        })
    }

    /// Whether a dimension can be in a pass with those of `group`.
    pub(super) fn fits(&mut self, dimensions: &[Dimension], group: &[usize], more: usize) -> bool {
        let keys = self.keys(dimensions, group);
        self.fits_keys(dimensions, &keys, more)
    }

    fn fits_keys(&mut self, dimensions: &[Dimension], keys: &[u64], more: usize) -> bool {
        let _ = self.keys(dimensions, &[]);
        let mut seen = FxHashSet::default();
        for (key, class) in keys.iter().zip(&self.samples[more]) {
            seen.insert(joined(*key, *class));
            if seen.len() > SAMPLED_ATOMS {
                return false;
            }
        }
        true
    }

    /// The groups of dimensions, the common one first, and how many combinations of up to `most`
    /// predicates' dimensions are in none.
    pub(super) fn groups(
        &mut self,
        dimensions: &[Dimension],
        core: Vec<usize>,
        side: &[usize],
        most: usize,
    ) -> (Vec<Vec<usize>>, Vec<Vec<usize>>) {
        let fixed = usize::from(self.states);
        let all: Vec<usize> = core[fixed..].iter().chain(side).copied().collect();
        let state = core[..fixed].to_vec();
        let mut affordable = EXTRA_ROWS / self.people.rows.max(1);
        let mut groups: Vec<FxHashSet<usize>> = vec![core.iter().copied().collect()];
        let (mut lists, mut missing) = (vec![core], Vec::new());
        if side.is_empty() {
            return (lists, missing);
        }
        let clash = |group: &[usize], other: usize| {
            group.iter().any(|one| dimensions[*one].column == dimensions[other].column)
        };
        for size in 1..=most.max(1) {
            let mut combinations = Vec::new();
            super::filters::subsets(0, all.len(), size, &mut Vec::new(), &mut |subset| {
                let of: Vec<usize> = subset.iter().map(|at| all[*at]).collect();
                let clashes = (1..of.len()).any(|at| clash(&of[..at], of[at]));
                if !clashes && of.iter().any(|dimension| side.contains(dimension)) {
                    combinations.push(of);
                }
            });
            for of in combinations {
                if groups.iter().any(|group| of.iter().all(|one| group.contains(one))) {
                    continue;
                }
                if affordable == 0 {
                    missing.push(of);
                    continue;
                }
                affordable -= 1;
                let mut group = state.clone();
                group.extend(of);
                let mut keys = self.keys(dimensions, &group);
                // Those of the common pass last: they are combined with each other there.
                for other in side.iter().chain(&all) {
                    if !clash(&group, *other) && self.fits_keys(dimensions, &keys, *other) {
                        group.push(*other);
                        keys = self.keys(dimensions, &group);
                    }
                }
                groups.push(group.iter().copied().collect());
                lists.push(group);
            }
        }
        (lists, missing)
    }
}

#[inline]
fn joined(key: u64, class: u16) -> u64 {
    (key.rotate_left(19) ^ u64::from(class)).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}
