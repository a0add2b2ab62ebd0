//! Free ranges of days ("created between a and b"): sums per day, then two pointers.
//!
//! With a row count, every range that holds so many people is a filter like any other. Without one,
//! each range would have candidates by chance among thirty thousand sets of columns; there the size
//! itself moves the pointers, for the column sets that are allowed if they are few, and otherwise for
//! those that are usual. They are filters on their own: combined with other conditions, so many would
//! have any given size that the list would say nothing.

use rustc_hash::FxHashSet;

use super::{
    ColumnMasks, Progress, SearchError, SearchSpec,
    filters::{Filter, Prepared},
};
use crate::{
    definition::{Op, Operand, Predicate},
    dialects::{Basis, Weights},
    dimension::{Choice, Dimension},
    discover::day_text,
    pass::{Atoms, Layout, run},
    people::People,
    solve::Pointers,
};

/// Rows times date columns that a search may spend on this.
const RANGE_ROWS: u64 = 64_000_000;
/// Column sets tried one by one without a row count.
const MOST_SETS: usize = 256;
/// Ranges of one column that are kept.
const MOST_RANGES: usize = 5_000;
const MOST_DAYS: i64 = 20_000;
const DAY: i64 = 86_400_000_000;
/// The class of the first day; blanks and what lies before are the two below.
const FIRST_DAY: usize = 2;

/// What the search knows beside the people.
pub(super) struct Sizes<'a> {
    pub spec: &'a SearchSpec,
    pub layout: &'a Layout,
    pub masks: &'a ColumnMasks,
    pub weights: &'a [Weights],
}

/// The days of one column in one state.
struct Days<'a> {
    atoms: &'a Atoms,
    /// Per class (see [`FIRST_DAY`]) the atoms that count.
    by_class: Vec<Vec<usize>>,
}

impl Days<'_> {
    fn rows(&self, class: usize) -> u64 {
        self.by_class[class].iter().map(|atom| self.atoms.rows[*atom]).sum()
    }

    /// Rows, print and sums from one class until before another.
    fn total(&self, from: usize, until: usize) -> (u64, u64, Vec<u64>) {
        let (mut rows, mut print) = (0, 0_u64);
        let mut sums = vec![0; self.atoms.width];
        for atom in self.by_class[from..until].iter().flatten() {
            rows += self.atoms.rows[*atom];
            print = print.wrapping_add(self.atoms.prints[*atom]);
            for (into, from) in sums.iter_mut().zip(self.atoms.sums_of(*atom)) {
                *into += from;
            }
        }
        (rows, print, sums)
    }
}

impl Prepared {
    pub(super) fn ranges(
        &mut self,
        people: &People,
        sizes: &Sizes<'_>,
        progress: &Progress<'_>,
    ) -> Result<(), SearchError> {
        let mut affordable = RANGE_ROWS / people.rows.max(1);
        let (sets, complete) = column_sets(sizes.masks);
        let by_size = sizes.spec.targets().any(|target| target.rows.is_none());
        let mut alone: Vec<&str> = Vec::new();
        for (index, column) in people.columns.iter().enumerate() {
            if !column.moments {
                continue;
            }
            let name = &column.name;
            let first = column.first_moment.div_euclid(DAY);
            let last = column.last_moment.div_euclid(DAY);
            if affordable == 0 || last - first > MOST_DAYS {
                let why = if affordable == 0 { "too many people" } else { "too many days" };
                self.not_searched.push(format!("free date ranges on {name} ({why})"));
                continue;
            }
            affordable -= 1;
            alone.push(name);
            if by_size && !complete {
                self.not_searched.push(format!(
                    "free date ranges on {name} with other than {} usual column sets (give the row \
                     count or the columns)",
                    sets.len()
                ));
            }
            let bounds = (first..=last + 1)
                .map(|day| (Predicate::one(name, Op::From, day_text(day)), 0.0))
                .collect();
            let Ok(mut dimension) = Dimension::new(people, index, bounds) else { continue };
            let mut dimensions = vec![&dimension];
            let state = self.state.map(|state| &self.dimensions[state]);
            dimensions.extend(state);
            let atoms = run(people, &dimensions, sizes.layout, sizes.spec.threads(), progress.stop)
                .ok_or(SearchError::Cancelled)?;
            let mut found: Vec<(usize, usize, usize)> = Vec::new();
            let states = state.map_or(1, |state| state.choices.len());
            for number in 0..states {
                let mut by_class = vec![Vec::new(); dimension.count];
                for (atom, classes) in atoms.classes.iter().enumerate() {
                    if state.is_none_or(|state| state.choices[number].holds(classes[1])) {
                        by_class[usize::from(classes[0])].push(atom);
                    }
                }
                let days = Days { atoms: &atoms, by_class };
                for (from, until) in search_days(people, &days, sizes, &sets) {
                    found.push((number, from, until));
                    if found.len() >= MOST_RANGES {
                        break;
                    }
                }
                // Kept while the days of this state are at hand.
                for (state, from, until) in found.iter().filter(|(n, ..)| *n == number) {
                    let (rows, print, sums) = days.total(*from, *until);
                    let mut choices = vec![(0, dimension.choices.len())];
                    if self.state.is_some() {
                        choices.push((1, *state));
                    }
                    let day = |class: usize| first + class as i64 - FIRST_DAY as i64;
                    let cost = cost((first, last + 1), (day(*from), day(*until)));
                    let value = Operand::Many(vec![day_text(day(*from)), day_text(day(*until))]);
                    dimension.choices.push(Choice {
                        predicate: Predicate { column: name.clone(), op: Op::Between, value },
                        classes: (*from as u16..*until as u16).collect(),
                        cost,
                    });
                    let group = self.groups.len();
                    // One for the predicate, as every other has.
                    let cost = 1.0 + cost + self.state_cost(*state);
                    let filter = Filter { choices, rows, print, ..Filter::of(group, *state, cost) };
                    self.filters.add(filter, &sums, sizes.layout.bases.len());
                }
            }
            if found.len() >= MOST_RANGES {
                self.not_searched
                    .push(format!("free date ranges on {name} beyond the first {MOST_RANGES}"));
            }
            let mut group = vec![self.dimensions.len()];
            group.extend(self.state);
            self.dimensions.push(dimension);
            self.groups.push(super::filters::Group { dimensions: group, atoms });
        }
        if !alone.is_empty() && sizes.spec.max_predicates > 1 {
            self.not_searched.push(format!(
                "free date ranges on {} together with other conditions (a range given as a \
                 predicate is combined; so are years, quarters and months)",
                alone.join(", ")
            ));
        }
        Ok(())
    }
}

/// How unlikely a range is, in powers of two: as many bits as it takes to name its two days. Among the
/// millions of ranges some have any given number of people; were they as likely as a condition that a
/// person would choose, they would stand before it in every list.
fn cost(span: (i64, i64), range: (i64, i64)) -> f32 {
    let days = (span.1 - span.0).max(1) as f32;
    // A code without a gap: 1/2 for an open end, 1/4 for all New Years, 1/8 for all firsts of a
    // month, 1/8 for all days.
    let bound = |day: i64, end: i64| {
        let text = day_text(day);
        if day == end {
            1.0
        } else if text.ends_with("-01-01") {
            2.0 + (days / 365.25).max(1.0).log2()
        } else if text.ends_with("-01") {
            3.0 + (days / 30.4).max(1.0).log2()
        } else {
            3.0 + days.log2()
        }
    };
    bound(range.0, span.0) + bound(range.1, span.1)
}

/// All allowed sets if they are few, else the usual ones and those with a column more or less.
fn column_sets(masks: &ColumnMasks) -> (Vec<u64>, bool) {
    let free = masks.allowed & !masks.required;
    if free.count_ones() < usize::BITS && 1_usize << free.count_ones().min(32) <= MOST_SETS {
        // Every subset of the free bits (the usual carry trick).
        let (mut sets, mut subset) = (Vec::new(), 0_u64);
        loop {
            if masks.required | subset != 0 {
                sets.push(masks.required | subset);
            }
            subset = subset.wrapping_sub(free) & free;
            if subset == 0 {
                return (sets, true);
            }
        }
    }
    let mut seen = FxHashSet::default();
    let mut sets = Vec::new();
    let bits = (0..64).map(|bit| 1_u64 << bit).filter(|bit| free & bit != 0);
    let changes: Vec<u64> = std::iter::once(0).chain(bits).collect();
    for change in changes {
        for (usual, _) in &masks.usual {
            let set = ((usual ^ change) & masks.allowed) | masks.required;
            if set != 0 && sets.len() < MOST_SETS && seen.insert(set) {
                sets.push(set);
            }
        }
    }
    (sets, false)
}

/// Ranges that fit a target: from a class until before another.
fn search_days(
    people: &People,
    days: &Days<'_>,
    sizes: &Sizes<'_>,
    sets: &[u64],
) -> Vec<(usize, usize)> {
    let count = days.by_class.len();
    let rows: Vec<u64> = (0..count).map(|class| days.rows(class)).collect();
    let mut seen = FxHashSet::default();
    let mut found = Vec::new();
    let mut keep = |from: usize, until: usize| {
        if found.len() < MOST_RANGES && seen.insert((from, until)) {
            found.push((from, until));
        }
        found.len() < MOST_RANGES
    };
    for target in sizes.spec.targets() {
        if let Some(wanted) = target.rows {
            days_between(&rows, &rows, wanted, wanted, &mut keep);
            continue;
        }
        let windows = target.windows(1 << 50);
        let mut per_day = vec![0_u64; count];
        for (weights, candidate) in sizes.weights.iter().zip(&sizes.spec.dialects) {
            let columns: Vec<Vec<u64>> = (0..sizes.layout.columns.len())
                .map(|index| {
                    let instants = candidate.convert_timestamps
                        && people.columns[sizes.layout.columns[index]].moments;
                    let none = weights.column(index, instants, 0, &[]);
                    (0..count)
                        .map(|class| {
                            let sums = column_sums(days, class, index, sizes.layout);
                            weights.column(index, instants, rows[class], &sums) - none
                        })
                        .collect()
                })
                .collect();
            for set in sets {
                let mut fixed = weights.base(0);
                for (class, day) in per_day.iter_mut().enumerate() {
                    *day = (weights.base(rows[class]) - weights.base(0)).max(0) as u64;
                }
                for (index, column) in columns.iter().enumerate() {
                    if set & (1 << index) == 0 {
                        continue;
                    }
                    fixed += weights.column(index, false, 0, &[]) as i64;
                    per_day.iter_mut().zip(column).for_each(|(day, bytes)| *day += bytes);
                    if set.count_ones() == 1 {
                        for (class, day) in per_day.iter_mut().enumerate() {
                            let sums = column_sums(days, class, index, sizes.layout);
                            let empty = sizes.layout.bases.iter().position(|b| *b == Basis::Empty);
                            let empty = empty.map_or(0, |at| sums[at]);
                            *day += weights.lone(rows[class], sums[1], empty);
                        }
                    }
                }
                for window in &windows {
                    let below = |end: u64| (i128::from(end) - i128::from(fixed)).max(0) as u64;
                    if i128::from(window.to) < i128::from(fixed) {
                        continue;
                    }
                    if !days_between(
                        &rows,
                        &per_day,
                        below(window.from),
                        below(window.to),
                        &mut keep,
                    ) {
                        return found;
                    }
                }
            }
        }
    }
    found
}

fn column_sums(days: &Days<'_>, class: usize, index: usize, layout: &Layout) -> Vec<u64> {
    let bases = layout.bases.len();
    let mut all = vec![0; bases];
    for atom in &days.by_class[class] {
        let sums = days.atoms.sums_of(*atom).get(index * bases..(index + 1) * bases);
        all.iter_mut().zip(sums.unwrap_or_default()).for_each(|(all, sum)| *all += sum);
    }
    all
}

/// Ranges of days whose weights add up to between `least` and `most`, each beginning and ending on a
/// day with somebody: an empty day more is the same people. Weights only add up, so that as the
/// first day moves on, so does the last. `false` once `keep` wants no more.
fn days_between(
    rows: &[u64],
    weights: &[u64],
    least: u64,
    most: u64,
    keep: &mut dyn FnMut(usize, usize) -> bool,
) -> bool {
    let mut sum = 0;
    // What the days before each have, the first two classes being no days.
    let before: Vec<u64> = std::iter::once(0)
        .chain(weights.iter().skip(FIRST_DAY).map(|weight| {
            sum += weight;
            sum
        }))
        .collect();
    let mut pointers = Pointers::default();
    for (start, (rows_of_day, passed)) in rows.iter().skip(FIRST_DAY).zip(&before).enumerate() {
        if *rows_of_day == 0 {
            continue;
        }
        let bounds = (passed.saturating_add(least), passed.saturating_add(most));
        let window = pointers.window(&before, |sum| *sum, bounds.0, bounds.1);
        if window.start == before.len() {
            return true;
        }
        for until in window.start.max(start + 1)..window.end {
            let (from, until) = (start + FIRST_DAY, until + FIRST_DAY);
            if rows[until - 1] > 0 && !keep(from, until) {
                return false;
            }
        }
    }
    true
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use proptest::prelude::*;

    use super::days_between;

    proptest! {
        #[test]
        fn finds_exactly_what_brute_force_finds(
            days in prop::collection::vec((0_u64..4, 1_u64..9), 1..14), least in 1_u64..40, width in 0_u64..10,
        ) {
            let rows: Vec<u64> = [0, 0].into_iter().chain(days.iter().map(|(rows, _)| *rows)).collect();
            let weights: Vec<u64> =
                [0, 0].into_iter().chain(days.iter().map(|(rows, each)| rows * each)).collect();
            let mut found = Vec::new();
            days_between(&rows, &weights, least, least + width, &mut |from, until| {
                found.push((from, until));
                true
            });
            let mut expected = Vec::new();
            for from in 2..rows.len() {
                for until in from + 1..=rows.len() {
                    let sum: u64 = weights[from..until].iter().sum();
                    let tight = rows[from] > 0 && rows[until - 1] > 0;
                    if tight && (least..=least + width).contains(&sum) {
                        expected.push((from, until));
                    }
                }
            }
            prop_assert_eq!(found, expected);
        }
    }
}
