//! The answer, in the shape of `warifu match --json`. Keys stay stable.

use std::{collections::BTreeMap, sync::atomic::AtomicBool, time::Instant};

use rustc_hash::FxHashSet;
use serde::Serialize;

use crate::{
    definition::{Language, OrderKey, Predicate, filter_words},
    dialects::{Candidate as DialectCandidate, DialectView},
    exposure::{
        Exposure, each_organization, exposure_with, organization_column, organization_names,
    },
    membership::{SKIPPED, membership},
    pass,
    search::{Job, Prepared, SearchError},
    target::{Target, Window},
    verdict::Verdict,
    written::Plan,
};

/// Names listed per kind of organization; the counts are complete.
const NAMES: usize = 50;

/// The people searched.
#[derive(Clone, Debug, Serialize)]
pub struct PeopleView {
    /// How many.
    pub rows: u64,
    /// Labels.
    pub columns: Vec<String>,
    /// Labels of the columns that a report can have.
    pub report_columns: Vec<String>,
    /// Size of their file; 0 when an installation handed them over.
    pub bytes: u64,
}

/// The download looked for.
#[derive(Clone, Debug, Serialize)]
pub struct TargetView {
    /// The recorded number.
    pub bytes: u64,
    /// On either side.
    pub tolerance_bytes: u64,
    /// If known.
    pub rows: Option<u64>,
    /// What the number counts.
    pub measure: String,
    /// File sizes that agree with it.
    pub windows: Vec<Window>,
}

/// How much was searched.
#[derive(Clone, Debug, Serialize)]
pub struct Searched {
    /// Conditions.
    pub predicates: u64,
    /// Conjunctions of them.
    pub filters: u64,
    /// Different groups of people among those that fit the row count.
    pub distinct_filters: u64,
    /// Sets of columns.
    pub column_sets: u64,
    /// Ways to write a file.
    pub dialects: u64,
    /// Product of the three.
    pub definitions: u64,
    /// Wall-clock time.
    pub seconds: f64,
    /// What was left out, and why.
    pub not_searched: Vec<String>,
}

/// A definition whose file has the recorded size.
#[derive(Clone, Debug, Serialize)]
pub struct Candidate {
    /// From 1.
    pub rank: u64,
    /// Words.
    pub filter: String,
    /// The same as data.
    pub predicates: Vec<Predicate>,
    /// Name of the known definition with this filter.
    pub known: Option<String>,
    /// The order of its rows, of a definition with a limit or a compressed file.
    pub order: Vec<OrderKey>,
    /// At most so many rows.
    pub limit: Option<u64>,
    /// Which of the searched states of the data it is made of.
    pub state: u64,
    /// Labels.
    pub columns: Vec<String>,
    /// How it is written.
    pub dialect: DialectView,
    /// People in it.
    pub rows: u64,
    /// Size of the file.
    pub bytes: u64,
    /// Its size minus the recorded one.
    pub difference: i64,
    /// How likely it was before the size was known, relative to the likeliest definition (1).
    pub prior: f64,
    /// Candidates with the same number expose the same people and the same filled fields.
    pub exposure_group: u64,
    /// The file was written and had this size; `None` when it was not written.
    pub verified: Option<bool>,
    #[serde(skip)]
    pub(crate) raw_dialect: DialectCandidate,
    #[serde(skip)]
    pub(crate) plan: Option<Plan>,
    /// Which known definition it is, with its own columns and kind of file.
    #[serde(skip)]
    pub known_index: Option<usize>,
}

/// Organizations, counted and (at most 50) named.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Organizations {
    /// How many.
    pub count: u64,
    /// Some names, in order.
    pub names: Vec<String>,
}

/// What holds for every candidate.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Certain {
    /// The file has at least so many people.
    pub people_at_least: u64,
    /// And at most so many.
    pub people_at_most: u64,
    /// People who are in every candidate.
    pub people: u64,
    /// Columns in every candidate.
    pub columns: Vec<String>,
    /// Organizations with a person in every candidate.
    pub organizations: Organizations,
}

/// What holds for some candidates.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Possible {
    /// People in some candidates but not in all.
    pub people: u64,
    /// Columns in some but not in all.
    pub columns: Vec<String>,
    /// Organizations in some but not surely in all.
    pub organizations: Organizations,
}

/// What holds for no candidate.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Excluded {
    /// People in none.
    pub people: u64,
    /// Columns in none.
    pub columns: Vec<String>,
    /// Organizations in none.
    pub organizations: Organizations,
}

/// A fact that would leave fewer candidates.
#[derive(Clone, Debug, Serialize)]
pub struct Narrowing {
    /// `rows`, `columns`, `dialect`, `second-download`, `time` or `exact-size`.
    pub fact: String,
    /// Candidates that would be left on average, if every candidate were equally likely.
    pub expected_left: f64,
}

/// Another download by the same actor.
#[derive(Clone, Debug, Serialize)]
pub struct Also {
    /// What was recorded.
    pub target: TargetView,
    /// Definitions that come as close.
    pub matched: u64,
    /// The likeliest.
    pub candidates: Vec<Candidate>,
}

/// Everything a search found.
#[derive(Clone, Debug, Serialize)]
pub struct Answer {
    /// Searched among.
    pub people: PeopleView,
    /// Looked for.
    pub target: TargetView,
    /// How far.
    pub searched: Searched,
    /// Definitions that agree with the recorded number; `candidates` lists only the likeliest.
    pub matched: u64,
    /// Different exposures (same people, same filled fields) among them.
    pub distinct_exposures: u64,
    /// Listed candidates that share the first one's prior: nothing but taste ranks them.
    pub ties: u64,
    /// The likeliest first.
    pub candidates: Vec<Candidate>,
    /// True of every candidate.
    pub certain: Certain,
    /// True of some.
    pub possible: Possible,
    /// True of none.
    pub excluded: Excluded,
    /// What the first candidate's file contained.
    pub exposure: Option<Exposure>,
    /// Which further fact helps most, best first.
    pub narrow: Vec<Narrowing>,
    /// The other downloads.
    pub also: Vec<Also>,
}

fn target_view(target: &Target) -> TargetView {
    TargetView {
        bytes: target.bytes,
        tolerance_bytes: target.tolerance.bytes(target.bytes),
        rows: target.rows,
        measure: target.measure.name(),
        windows: target.windows(1 << 40).into_iter().take(4).collect(),
    }
}

fn labels(job: &Job<'_>, mask: u64) -> Vec<String> {
    let columns = job.masks.columns.iter().enumerate();
    columns
        .filter(|(index, _)| mask & (1 << index) != 0)
        .map(|(_, column)| job.people.columns[*column].name.clone())
        .collect()
}

fn candidates(job: &Job<'_>, prepared: &Prepared, verdict: &Verdict) -> Vec<Candidate> {
    let mut groups: Vec<(u64, u64)> = Vec::new();
    let hits = verdict.ranked();
    hits.iter()
        .enumerate()
        .map(|(rank, hit)| {
            let filter = &job.filters.list[hit.filter];
            let predicates = prepared.predicates_of(filter);
            let exposure = (filter.print, hit.mask & filter.filled);
            let group = groups.iter().position(|have| *have == exposure).unwrap_or_else(|| {
                groups.push(exposure);
                groups.len() - 1
            });
            let dialect = &job.dialects[hit.dialect];
            let found = job.known(hit.filter, hit.mask, hit.dialect);
            let known = found.and_then(|(known, _)| job.spec.known.get(known));
            let written = filter.written.and_then(|written| job.spec.written.get(written));
            let of_written = known.filter(|_| written.is_some());
            let predicates = of_written.map_or(predicates, |known| known.filter.clone());
            Candidate {
                rank: rank as u64 + 1,
                filter: filter_words(&predicates, Language::English),
                predicates,
                known: known.map(|known| known.name.clone()),
                order: of_written.map(|known| known.order.clone()).unwrap_or_default(),
                limit: of_written.and_then(|known| known.limit),
                state: filter.state as u64,
                columns: labels(job, hit.mask),
                dialect: dialect.into(),
                rows: filter.rows,
                bytes: hit.bytes,
                difference: hit.difference,
                prior: f64::from(-hit.cost.max(0.0)).exp2(),
                exposure_group: group as u64 + 1,
                verified: written.map(|_| true),
                raw_dialect: dialect.clone(),
                plan: written.and_then(|written| written.plan.clone()),
                known_index: written
                    .map(|written| written.known)
                    .or(found.filter(|(_, exact)| *exact).map(|(known, _)| known)),
            }
        })
        .collect()
}

pub(crate) fn build(
    job: &Job<'_>,
    prepared: &Prepared,
    verdicts: Vec<Verdict>,
    started: Instant,
    stop: &AtomicBool,
) -> Result<Answer, SearchError> {
    let people = job.people;
    let names = |columns: &[usize]| -> Vec<String> {
        columns.iter().map(|column| people.columns[*column].name.clone()).collect()
    };
    let all_columns: Vec<usize> = (0..people.columns.len()).collect();
    let free = (job.masks.allowed & !job.masks.required).count_ones();
    let column_sets = (1_u64 << free) - u64::from(job.masks.required == 0);
    let dialects = job.spec.dialects.len() as u64;
    let verdict = &verdicts[0];
    let candidates_of = |verdict: &Verdict| candidates(job, prepared, verdict);
    let listed = candidates_of(verdict);
    let (mut certain, mut possible, mut excluded) =
        (Certain::default(), Possible::default(), Excluded::default());
    if verdict.matched > 0 {
        judge(job, prepared, verdict, stop, &mut certain, &mut possible, &mut excluded)?;
    }
    let exposure = match (verdict.ranked().first(), listed.first()) {
        (Some(hit), Some(first)) if job.spec.who => {
            Some(exposed(job, prepared, hit.filter, first)?)
        }
        _ => None,
    };
    let ties = listed
        .first()
        .map_or(0, |first| listed.iter().filter(|c| c.prior == first.prior).count() as u64 - 1);
    Ok(Answer {
        people: PeopleView {
            rows: prepared.people_in_state(people.rows),
            columns: names(&all_columns),
            report_columns: names(&job.masks.columns),
            bytes: people.bytes,
        },
        target: target_view(&job.spec.target),
        searched: Searched {
            predicates: prepared.predicates as u64,
            filters: job.filters.tried,
            distinct_filters: job.filters.list.len() as u64,
            column_sets,
            dialects,
            definitions: job.filters.tried.saturating_mul(column_sets).saturating_mul(dialects),
            seconds: started.elapsed().as_secs_f64(),
            not_searched: prepared.not_searched.clone(),
        },
        matched: verdict.matched,
        distinct_exposures: verdict.exposures.len() as u64,
        ties,
        narrow: narrow(job, verdict),
        candidates: listed,
        certain,
        possible,
        excluded,
        exposure,
        also: job
            .spec
            .also
            .iter()
            .zip(&verdicts[1..])
            .map(|(target, verdict)| Also {
                target: target_view(target),
                matched: verdict.matched,
                candidates: candidates_of(verdict),
            })
            .collect(),
    })
}

/// What the first candidate's file contained.
fn exposed(
    job: &Job<'_>,
    prepared: &Prepared,
    filter: usize,
    first: &Candidate,
) -> Result<Exposure, SearchError> {
    let people = job.people;
    let filter = &job.filters.list[filter];
    let written = filter.written.and_then(|at| job.spec.written.get(at));
    if let Some(written) = written {
        let mut members = vec![false; people.rows as usize];
        for row in &written.rows {
            if let Some(member) = members.get_mut(*row as usize) {
                *member = true;
            }
        }
        return exposure_with(people, &members, &first.columns);
    }
    let group = &prepared.groups[filter.group];
    let classes = group.atoms.classes.iter();
    let inside: Vec<bool> =
        classes.map(|classes| prepared.holds(filter.group, &filter.choices, classes)).collect();
    let dimensions = prepared.group_dimensions(filter.group);
    let members = pass::members(people, &dimensions, &group.atoms, &inside);
    exposure_with(people, &members, &first.columns)
}

fn judge(
    job: &Job<'_>,
    prepared: &Prepared,
    verdict: &Verdict,
    stop: &AtomicBool,
    certain: &mut Certain,
    possible: &mut Possible,
    excluded: &mut Excluded,
) -> Result<(), SearchError> {
    let people = job.people;
    let hit = || {
        let filters = job.filters.list.iter().zip(&verdict.filters);
        filters.filter(|(_, count)| **count > 0).map(|(filter, _)| filter.rows)
    };
    certain.people_at_least = hit().min().unwrap_or(0);
    certain.people_at_most = hit().max().unwrap_or(0);
    let all = u64::MAX >> (64 - job.masks.columns.len().max(1));
    certain.columns = labels(job, verdict.all_columns & all);
    possible.columns = labels(job, verdict.any_columns & !verdict.all_columns & all);
    excluded.columns = labels(job, !verdict.any_columns & all);
    if !job.spec.who {
        return Ok(());
    }
    let members = membership(job, prepared, verdict, stop)?;
    for member in &members {
        match member {
            3 => certain.people += 1,
            2 => possible.people += 1,
            &SKIPPED => {}
            _ => excluded.people += 1,
        }
    }
    let Some(column) = organization_column(people) else { return Ok(()) };
    let mut sets: [FxHashSet<usize>; 3] = Default::default();
    let known = people.columns[column].values.as_ref().map_or(0, Vec::len);
    // Per organization: 0 nobody seen, else one more than the best of its people.
    let mut best = vec![0_u8; known];
    let mut first = 0;
    for segment in &people.segments {
        each_organization(people, segment, column, |row, code| {
            let member = members.get(first + row).copied().unwrap_or(0);
            let level = match member {
                SKIPPED => 0,
                _ if member & 2 == 0 => 1,
                _ => member + 1,
            };
            if let Some(slot) = best.get_mut(code) {
                *slot = (*slot).max(level);
            }
        });
        first += segment.rows;
    }
    for (code, level) in best.into_iter().enumerate() {
        let set = match level {
            0 => continue,
            4 => 0,
            3 => 1,
            _ => 2,
        };
        sets[set].insert(code);
    }
    let organizations = |codes: &FxHashSet<usize>| Organizations {
        count: codes.len() as u64,
        names: organization_names(people, column, codes, NAMES),
    };
    certain.organizations = organizations(&sets[0]);
    possible.organizations = organizations(&sets[1]);
    excluded.organizations = organizations(&sets[2]);
    Ok(())
}

/// How many candidates each further fact would leave: knowing a value that `n` of `m` candidates
/// share leaves `n`, and it is that value with probability `n/m`.
fn narrow(job: &Job<'_>, verdict: &Verdict) -> Vec<Narrowing> {
    if verdict.matched < 2 {
        return Vec::new();
    }
    let expected = |counts: &mut dyn Iterator<Item = u64>| {
        counts.map(|count| (count as f64).powi(2)).sum::<f64>() / verdict.matched as f64
    };
    let mut rows: BTreeMap<u64, u64> = BTreeMap::new();
    for (filter, count) in job.filters.list.iter().zip(&verdict.filters) {
        *rows.entry(filter.rows).or_default() += count;
    }
    let mut facts = vec![
        ("rows", expected(&mut rows.values().copied())),
        ("dialect", expected(&mut verdict.dialects.iter().copied())),
    ];
    if job.spec.states.is_some() {
        let mut states: BTreeMap<usize, u64> = BTreeMap::new();
        for (filter, count) in job.filters.list.iter().zip(&verdict.filters) {
            *states.entry(filter.state).or_default() += count;
        }
        facts.push(("time", expected(&mut states.values().copied())));
    }
    // A second download by the same actor is in the same dialect: what that fact says and a
    // dialect of its own both leave fewer, so that it helps at least as much as the dialect.
    if job.spec.also.is_empty() && job.dialects.len() > 1 {
        let shared = expected(&mut verdict.dialects.iter().copied());
        facts.push(("second-download", shared));
    }
    if !verdict.overflowed {
        facts.push(("columns", expected(&mut verdict.masks.values().copied())));
    }
    let tolerance = job.spec.target.tolerance.bytes(job.spec.target.bytes);
    if tolerance > 0 {
        facts.push(("exact-size", (verdict.matched as f64 / (2 * tolerance + 1) as f64).max(1.0)));
    }
    let mut facts: Vec<Narrowing> = facts
        .into_iter()
        .filter(|(_, left)| *left < verdict.matched as f64 * 0.999)
        .map(|(fact, expected_left)| Narrowing { fact: fact.to_owned(), expected_left })
        .collect();
    facts.sort_by(|a, b| a.expected_left.total_cmp(&b.expected_left));
    facts
}
