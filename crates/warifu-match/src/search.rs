//! The search: predicates → atoms → filters → sizes → candidates.

mod filters;
mod groups;
mod ranges;
mod states;

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Instant,
};

use crate::{
    answer::{self, Answer},
    definition::{Format, Known, Predicate},
    dialects::{Candidate, FileFormat, Weights, bases},
    dimension::BadPredicate,
    pass::Layout,
    people::People,
    solve::Solver,
    target::{Target, Window},
    verdict::{Hit, Verdict},
    written::Written,
};

pub(crate) use filters::{Filters, Prepared};
pub use states::{State, States};

/// More report columns than this cannot be searched without saying more about them.
const MOST_COLUMNS: usize = 32;

/// Which columns a file has.
#[derive(Clone, Debug, Default)]
pub struct ColumnRule {
    /// Exactly these.
    pub exact: Option<Vec<String>>,
    /// These and perhaps others.
    pub at_least: Vec<String>,
    /// No others than these.
    pub at_most: Option<Vec<String>>,
}

/// What to search.
#[derive(Clone, Debug)]
pub struct SearchSpec {
    /// The recorded download.
    pub target: Target,
    /// Further downloads by the same actor: written by the same exporter, so in the same dialect.
    pub also: Vec<Target>,
    /// What is known of the columns.
    pub columns: ColumnRule,
    /// Dialects to try; at least one.
    pub dialects: Vec<Candidate>,
    /// Definitions that exist.
    pub known: Vec<Known>,
    /// Those of them whose size only writing tells, see [`write_known`](crate::written::write_known).
    pub written: Vec<Written>,
    /// Which states of the data a time may mean, where the people are an installation's own.
    pub states: Option<States>,
    /// Predicates to try beside those found in the data.
    pub predicates: Vec<Predicate>,
    /// Look for predicates in the data.
    pub discover: bool,
    /// Combine at most so many.
    pub max_predicates: usize,
    /// Time of the download, microseconds since 1970 UTC.
    pub at: Option<i64>,
    /// How far `at` may be off, in microseconds: also search people created up to any moment within.
    pub window: i64,
    /// Candidates to list.
    pub top: usize,
    /// Say also who was in it: certain, possible and excluded people and organizations, and the
    /// exposure of the first candidate. That is a third of a search over millions.
    pub who: bool,
    /// Threads; 0 = as many as the machine has, at most 8.
    pub threads: usize,
}

impl SearchSpec {
    /// A search for `target` in `dialects`, with the defaults of the command line.
    #[must_use]
    pub fn new(target: Target, dialects: Vec<Candidate>) -> Self {
        Self {
            target,
            also: Vec::new(),
            columns: ColumnRule::default(),
            dialects,
            known: Vec::new(),
            written: Vec::new(),
            states: None,
            predicates: Vec::new(),
            discover: true,
            max_predicates: 3,
            at: None,
            window: 0,
            top: 20,
            who: true,
            threads: 0,
        }
    }

    pub(crate) fn threads(&self) -> usize {
        match self.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from).min(8),
            threads => threads,
        }
    }

    pub(crate) fn targets(&self) -> impl Iterator<Item = &Target> {
        std::iter::once(&self.target).chain(&self.also)
    }
}

/// Told how far a search is (0 to 1), and asked whether to stop.
pub struct Progress<'a> {
    /// Called with the share done.
    pub tell: &'a (dyn Fn(f64) + Sync),
    /// Set it to stop the search.
    pub stop: &'a AtomicBool,
}

/// Why a search cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SearchError {
    /// A predicate that the people cannot answer.
    #[error(transparent)]
    Predicate(#[from] BadPredicate),
    /// A column that the people do not have.
    #[error("no column {name:?}; the people have: {have}")]
    NoColumn {
        /// As asked for.
        name: String,
        /// All labels.
        have: String,
    },
    /// Too many report columns to try all sets of them.
    #[error(
        "{0} columns could be in the report; with more than {MOST_COLUMNS}, say which with \
         --columns, --columns-at-most or --report-columns"
    )]
    TooManyColumns(usize),
    /// No dialect was given.
    #[error("no dialect to try")]
    NoDialect,
    /// There is nobody to search.
    #[error("the people file has no rows")]
    NoPeople,
    /// Stopped by the caller.
    #[error("stopped")]
    Cancelled,
}

/// The columns of a report as bits over the report columns.
#[derive(Clone, Debug)]
pub(crate) struct ColumnMasks {
    pub columns: Vec<usize>,
    pub required: u64,
    /// Required or free.
    pub allowed: u64,
    /// Sets that exist, with their cost.
    pub usual: Vec<(u64, f32)>,
}

impl ColumnMasks {
    pub(crate) fn mask_of(
        people: &People,
        columns: &[usize],
        names: &[String],
    ) -> Result<u64, SearchError> {
        let mut mask = 0;
        for name in names {
            let position =
                people.column(name).and_then(|index| columns.iter().position(|c| *c == index));
            let Some(position) = position else {
                let have: Vec<&str> =
                    columns.iter().map(|c| people.columns[*c].name.as_str()).collect();
                return Err(SearchError::NoColumn { name: name.clone(), have: have.join(", ") });
            };
            mask |= 1 << position;
        }
        Ok(mask)
    }

    fn new(people: &People, spec: &SearchSpec) -> Result<Self, SearchError> {
        let mut columns = people.report_columns();
        if columns.len() > MOST_COLUMNS
            && let Some(only) = spec.columns.exact.as_ref().or(spec.columns.at_most.as_ref())
        {
            columns.retain(|c| {
                let name = crate::people::fold(&people.columns[*c].name);
                only.iter().any(|only| crate::people::fold(only) == name)
            });
        }
        if columns.len() > MOST_COLUMNS {
            return Err(SearchError::TooManyColumns(columns.len()));
        }
        let all = if columns.is_empty() { 0 } else { u64::MAX >> (64 - columns.len()) };
        let mask = |names: &[String]| Self::mask_of(people, &columns, names);
        let rule = &spec.columns;
        let exact = rule.exact.as_deref().map(mask).transpose()?;
        let required = exact.unwrap_or(0) | mask(&rule.at_least)?;
        let at_most = rule.at_most.as_deref().map(mask).transpose()?;
        let allowed = exact.or(at_most).unwrap_or(all) | required;
        let mut usual = vec![(all, 0.0)];
        for known in spec.known.iter().filter(|known| !known.columns.is_empty()) {
            // A saved definition may name columns that these people do not have.
            if let Ok(mask) = mask(&known.columns) {
                usual.push((mask, if known.logged { 0.0 } else { 0.25 }));
            }
        }
        Ok(Self { columns, required, allowed, usual })
    }

    pub(crate) fn cost(&self, mask: u64) -> f32 {
        let costs = self.usual.iter().map(|(u, cost)| cost + 0.7 * (u ^ mask).count_ones() as f32);
        costs.fold(f32::MAX, f32::min)
    }
}

/// Finds the definitions whose file has the recorded size.
///
/// # Errors
/// [`SearchError`].
pub fn search(
    people: &People,
    spec: &SearchSpec,
    progress: &Progress<'_>,
) -> Result<Answer, SearchError> {
    let started = Instant::now();
    if spec.dialects.is_empty() {
        return Err(SearchError::NoDialect);
    }
    if people.rows == 0 {
        return Err(SearchError::NoPeople);
    }
    let masks = ColumnMasks::new(people, spec)?;
    let any_empty = people.columns.iter().any(|column| column.empty > 0);
    let layout = Layout { columns: masks.columns.clone(), bases: bases(&spec.dialects, any_empty) };
    let labels: Vec<&str> =
        masks.columns.iter().map(|column| people.columns[*column].name.as_str()).collect();
    let weights: Vec<Weights> =
        spec.dialects.iter().map(|c| Weights::new(c, &layout.bases, &labels)).collect();
    let fits = bounds(people, spec, &masks, &layout, &weights);
    let sizes = ranges::Sizes { spec, layout: &layout, masks: &masks, weights: &weights };
    let mut prepared = Prepared::new(people, &sizes, &fits, progress)?;
    prepared.add_written(people, spec, &masks.columns);
    (progress.tell)(0.6);
    let mut dialects = spec.dialects.clone();
    for written in &spec.written {
        if !dialects.contains(&written.dialect) {
            dialects.push(written.dialect.clone());
        }
    }
    let mut allowed = vec![true; dialects.len()];
    let job = Job {
        people,
        spec,
        masks: &masks,
        layout: &layout,
        filters: &prepared.filters,
        weights: &weights,
        dialects,
    };
    let mut verdicts = job.all(&allowed, progress.stop)?;
    if verdicts.len() > 1 {
        let shared: Vec<bool> = (0..allowed.len())
            .map(|dialect| verdicts.iter().all(|verdict| verdict.dialects[dialect] > 0))
            .collect();
        if shared != allowed {
            allowed = shared;
            verdicts = job.all(&allowed, progress.stop)?;
        }
    }
    (progress.tell)(0.9);
    let answer = answer::build(&job, &prepared, verdicts, started, progress.stop)?;
    (progress.tell)(1.0);
    Ok(answer)
}

/// A quick test that spares most filters the solver: is the file of all columns large enough, and
/// that of none but the required ones not too large, in any dialect?
fn bounds<'a>(
    people: &'a People,
    spec: &'a SearchSpec,
    masks: &'a ColumnMasks,
    layout: &'a Layout,
    weights: &'a [Weights],
) -> impl Fn(u64, &[u64]) -> bool + 'a {
    let windows: Vec<Window> = spec.targets().flat_map(|target| target.windows(1 << 50)).collect();
    move |rows, sums| {
        weights.iter().zip(&spec.dialects).any(|(weights, candidate)| {
            let (mut least, mut most) = (weights.base(rows), weights.base(rows));
            for (index, column) in masks.columns.iter().enumerate() {
                let instants = candidate.convert_timestamps && people.columns[*column].moments;
                let sums = sums.get(index * layout.bases.len()..).unwrap_or_default();
                let sums = sums.get(..layout.bases.len()).unwrap_or_default();
                let bit = 1_u64 << index;
                if masks.allowed & bit == 0 {
                    continue;
                }
                let weight = weights.column(index, instants, rows, sums) as i64;
                // The only column of a file may need quotes for its blanks.
                most += weight + 4 * rows as i64;
                if masks.required & bit != 0 {
                    least += weight;
                }
            }
            windows.iter().any(|window| {
                i128::from(window.from) <= i128::from(most)
                    && i128::from(window.to) >= i128::from(least)
            })
        })
    }
}

pub(crate) struct Job<'a> {
    pub people: &'a People,
    pub spec: &'a SearchSpec,
    pub masks: &'a ColumnMasks,
    pub layout: &'a Layout,
    pub filters: &'a Filters,
    weights: &'a [Weights],
    /// Those searched, then those of written files.
    pub dialects: Vec<Candidate>,
}

impl Job<'_> {
    fn all(&self, allowed: &[bool], stop: &AtomicBool) -> Result<Vec<Verdict>, SearchError> {
        self.spec.targets().map(|target| self.one(target, allowed, stop)).collect()
    }

    /// Every definition for one target.
    fn one(
        &self,
        target: &Target,
        allowed: &[bool],
        stop: &AtomicBool,
    ) -> Result<Verdict, SearchError> {
        const CHUNK: usize = 64;
        let windows = target.windows(1 << 50);
        let threads = self.spec.threads();
        let next = AtomicUsize::new(0);
        let count = self.filters.list.len();
        let empty = || Verdict::new(count, self.dialects.len(), self.spec.top);
        let parts: Vec<Verdict> = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads)
                .map(|_| {
                    let (next, windows) = (&next, &windows);
                    scope.spawn(move || {
                        let mut verdict = empty();
                        let mut solver = Solver::default();
                        let mut items = Vec::with_capacity(MOST_COLUMNS);
                        loop {
                            let start = next.fetch_add(CHUNK, Ordering::Relaxed);
                            if start >= count || stop.load(Ordering::Relaxed) {
                                break;
                            }
                            for filter in start..(start + CHUNK).min(count) {
                                let meta = &self.filters.list[filter];
                                if target.rows.is_some_and(|wanted| wanted != meta.rows) {
                                    continue;
                                }
                                if let Some(written) = meta.written {
                                    self.written(
                                        target,
                                        windows,
                                        filter,
                                        written,
                                        allowed,
                                        &mut verdict,
                                    );
                                    continue;
                                }
                                for dialect in (0..self.weights.len()).filter(|d| allowed[*d]) {
                                    self.definitions(
                                        target,
                                        windows,
                                        filter,
                                        dialect,
                                        &mut solver,
                                        &mut items,
                                        &mut verdict,
                                    );
                                }
                            }
                        }
                        verdict
                    })
                })
                .collect();
            workers.into_iter().filter_map(|worker| worker.join().ok()).collect()
        });
        if stop.load(Ordering::Relaxed) || parts.len() != threads {
            return Err(SearchError::Cancelled);
        }
        let mut all = empty();
        parts.into_iter().for_each(|part| all.merge(part));
        Ok(all)
    }

    /// The column sets of one filter in one dialect.
    #[allow(clippy::too_many_arguments)]
    fn definitions(
        &self,
        target: &Target,
        windows: &[Window],
        filter: usize,
        dialect: usize,
        solver: &mut Solver,
        items: &mut Vec<(u64, u64)>,
        verdict: &mut Verdict,
    ) {
        let meta = &self.filters.list[filter];
        let weights = &self.weights[dialect];
        let mut base = weights.base(meta.rows);
        items.clear();
        let mut lone = [0_u64; 64];
        for (index, column) in self.masks.columns.iter().enumerate() {
            let bit = 1_u64 << index;
            if self.masks.allowed & bit == 0 {
                continue;
            }
            let sums = self.filters.sums_of(filter, index, self.layout.bases.len());
            let convert = self.spec.dialects[dialect].convert_timestamps;
            let instants = convert && self.people.columns[*column].moments;
            let weight = weights.column(index, instants, meta.rows, sums);
            let empty = self.layout.bases.iter().position(|b| *b == crate::dialects::Basis::Empty);
            let empty = empty.and_then(|at| sums.get(at)).copied().unwrap_or(0);
            lone[index] = weights.lone(meta.rows, sums.get(1).copied().unwrap_or(0), empty);
            if self.masks.required & bit != 0 {
                base += weight as i64;
            } else {
                items.push((weight, bit));
            }
        }
        let required = self.masks.required;
        let cost = meta.cost + self.spec.dialects[dialect].cost;
        let (filled, groups) = (meta.filled, meta.print);
        let mut hit = |mask: u64, bytes: u64| {
            let difference = target.difference(bytes);
            let hit = Hit { cost, difference, filter, dialect, mask, bytes };
            verdict.add(hit, groups, filled, |mask| {
                let known = self.known(filter, mask, dialect).is_some_and(|(_, exact)| exact);
                self.masks.cost(mask) - if known { 1.0 } else { 0.0 }
            });
        };
        for window in windows {
            let below = |end: u64| i128::from(end) - i128::from(base);
            let (from, to) = (below(window.from), below(window.to));
            if to < 0 {
                continue;
            }
            let from = u64::try_from(from.max(0)).unwrap_or(u64::MAX);
            let to = u64::try_from(to).unwrap_or(u64::MAX);
            let size = |sum: u64| (i128::from(base) + i128::from(sum)) as u64;
            solver.solve(items, from, to, |bits, sum| {
                let mask = required | bits;
                // Files of one column have a rule of their own, below.
                if mask.count_ones() > 1 {
                    hit(mask, size(sum));
                }
            });
            let mut single = |mask: u64, sum: u64| {
                let bytes = size(sum) + lone[mask.trailing_zeros() as usize];
                let fits = (window.from..=window.to).contains(&bytes);
                if fits {
                    hit(mask, bytes);
                }
            };
            match required.count_ones() {
                0 => items.iter().for_each(|(weight, bit)| single(*bit, *weight)),
                1 => single(required, 0),
                _ => {}
            }
        }
    }

    /// A definition whose file was written, with the size that came out.
    fn written(
        &self,
        target: &Target,
        windows: &[Window],
        filter: usize,
        written: usize,
        allowed: &[bool],
        verdict: &mut Verdict,
    ) {
        let meta = &self.filters.list[filter];
        let written = &self.spec.written[written];
        let Some(mask) = self.columns_of(written.known) else { return };
        let dialect = self.dialects.iter().position(|dialect| *dialect == written.dialect);
        let Some(dialect) = dialect.filter(|dialect| allowed[*dialect]) else { return };
        let fits = windows.iter().any(|w| (w.from..=w.to).contains(&written.bytes));
        let (required, allowed) = (self.masks.required, self.masks.allowed);
        if !fits || mask & required != required || mask & !allowed != 0 {
            return;
        }
        let (bytes, difference) = (written.bytes, target.difference(written.bytes));
        let cost = meta.cost + self.dialects[dialect].cost;
        let hit = Hit { cost, difference, filter, dialect, mask, bytes };
        verdict.add(hit, meta.print, meta.filled, |mask| self.masks.cost(mask) - 1.0);
    }

    /// The known definition that a filter belongs to, and whether columns and kind of file are its
    /// own too.
    pub(crate) fn known(&self, filter: usize, mask: u64, dialect: usize) -> Option<(usize, bool)> {
        let known = &self.filters.list[filter].known;
        let json = matches!(self.dialects[dialect].format, FileFormat::JsonLines(_));
        let exact = known.iter().find(|known| {
            let format = self.spec.known.get(**known).map(|known| known.format);
            self.columns_of(**known) == Some(mask) && (format == Some(Format::Jsonl)) == json
        });
        exact.map(|known| (*known, true)).or_else(|| known.first().map(|known| (*known, false)))
    }

    fn columns_of(&self, known: usize) -> Option<u64> {
        let known = self.spec.known.get(known)?;
        if known.columns.is_empty() {
            return Some(u64::MAX >> (64 - self.masks.columns.len().max(1)));
        }
        ColumnMasks::mask_of(self.people, &self.masks.columns, &known.columns).ok()
    }
}
