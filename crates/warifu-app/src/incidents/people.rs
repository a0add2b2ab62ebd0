//! The people of the installation as of a revision, as the match takes them.

use super::known::Marker;
use super::matching::MatchProgress;
use crate::AppError;
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::ControlFlow;
use tokio::runtime::Handle;
use warifu_domain::Revision;
use warifu_domain::dialect::write_timestamp;
use warifu_domain::reports::{CompiledFilter, Kind, Row, Subject, Value};
use warifu_match::search::{State, States};
use warifu_match::{ColumnKind, ColumnSpec, People, PeopleBuilder};
use warifu_storage::Db;
use warifu_storage::bulk::{self, Scan};

/// The attributes beside the 15 fields that a filter can ask about. The organization comes first,
/// so that the match counts organizations by it and not by a field that few people have filled.
pub(super) const ATTRIBUTES: [&str; 4] = ["organization", "active", "environment", "products"];
const SUBJECT: Subject = Subject::People;

/// A column of the table that is searched: a place in a row, or a mark of a saved filter.
enum Source<'a> {
    Place(usize),
    Mark(&'a CompiledFilter),
}

struct Picked<'a>(&'a [Value<'a>]);

impl Row for Picked<'_> {
    fn value(&self, index: usize) -> Value<'_> {
        self.0.get(index).copied().unwrap_or(Value::Null)
    }
}

/// The column that says in which states a row holds.
const HELD: &str = "held in states";
/// It holds in all of them.
const ALWAYS: &str = "always";

/// Everybody in every state that is searched.
pub(super) struct Versions {
    pub people: People,
    pub states: States,
    /// Per row, whose version it is.
    ids: Vec<i64>,
    /// Of rows that do not hold always: from which state, in the order of time, until which.
    held: HashMap<u32, (usize, usize)>,
    /// Per state, its place in the order of time.
    places: Vec<usize>,
}

impl Versions {
    /// The rows of some people in a state, ascending.
    pub(super) fn rows_of(&self, people: &HashSet<i64>, state: usize) -> Vec<u32> {
        let place = self.places.get(state).copied().unwrap_or_default();
        let holds = |row: &u32| {
            self.held.get(row).is_none_or(|(from, until)| (*from..*until).contains(&place))
        };
        let rows = self.ids.iter().zip(0_u32..).filter(|(id, _)| people.contains(id));
        rows.map(|(_, row)| row).filter(holds).collect()
    }
}

/// Reads everybody in each of `revisions`, the likeliest first. `markers` are filters that the match cannot say in its own
/// predicates: each becomes a column that is filled for whom it lets through. `keep` are labels
/// whose every value is kept, because a saved definition names one.
///
/// Blocks; call it on a thread that may.
///
/// # Errors
/// When the database fails or the work is cancelled.
pub(super) fn people_in(
    db: &Db,
    runtime: &Handle,
    revisions: &[Revision],
    markers: &[Marker],
    keep: &[String],
    progress: &MatchProgress,
) -> Result<Versions, AppError> {
    let mut ascending = revisions.to_vec();
    ascending.sort_unstable();
    let (Some(first), Some(last)) = (ascending.first().copied(), ascending.last().copied()) else {
        return Err(AppError::Internal("no state to search".into()));
    };
    let all = SUBJECT.columns();
    let mut specs = Vec::new();
    let mut sources = Vec::new();
    let mut take = |place: usize, report: bool| {
        let Some(column) = all.get(place) else { return };
        specs.push(ColumnSpec {
            name: column.label.to_owned(),
            kind: if column.kind == Kind::Time { ColumnKind::Timestamp } else { ColumnKind::Text },
            report,
            keep_values: keep.iter().any(|k| k == column.label),
        });
        sources.push(Source::Place(place));
    };
    for key in ATTRIBUTES {
        if let Some(place) = SUBJECT.index(key) {
            take(place, false);
        }
    }
    for (place, _) in all.iter().enumerate().filter(|(_, c)| c.shown) {
        take(place, true);
    }
    for marker in markers {
        let kept = ColumnSpec { report: false, ..ColumnSpec::new(marker.column.clone()) };
        specs.push(kept);
        sources.push(Source::Mark(&marker.filter));
    }
    let held = ColumnSpec { report: false, keep_values: true, ..ColumnSpec::new(HELD) };
    specs.push(held);
    let mut columns: Vec<usize> = sources
        .iter()
        .filter_map(|s| match s {
            Source::Place(place) => Some(*place),
            Source::Mark(_) => None,
        })
        .collect();
    columns.extend(markers.iter().flat_map(|m| m.filter.columns_used()));
    columns.sort_unstable();
    columns.dedup();
    let scan =
        Scan { subject: SUBJECT, as_of: last, columns, organization: None, order: Vec::new() };
    let mut builder = PeopleBuilder::new(specs);
    let mut texts: Vec<Vec<u8>> = vec![Vec::new(); sources.len()];
    let mut rows = 0_u64;
    let mut failed = None;
    let mut ids: Vec<i64> = Vec::new();
    let mut changed: Vec<(i64, u32)> = Vec::new();
    let mut held_in: HashMap<u32, (usize, usize)> = HashMap::new();
    bulk::scan_versions(db, runtime, &scan, first, &mut |version| {
        let values = version.values;
        // The states in which it holds: from the first until before the second.
        let from = ascending.partition_point(|r| *r < version.from);
        let until = ascending.partition_point(|r| *r < version.until);
        if from >= until {
            return ControlFlow::Continue(());
        }
        let held = if until - from == ascending.len() {
            Cow::Borrowed(ALWAYS)
        } else {
            held_in.insert(ids.len() as u32, (from, until));
            changed.push((version.id, ids.len() as u32));
            Cow::Owned(span_text(from, until))
        };
        ids.push(version.id);
        // Times and flags become text in buffers of their own; texts are borrowed as they lie.
        for (source, text) in sources.iter().zip(&mut texts) {
            let Source::Place(place) = source else { continue };
            text.clear();
            match values.get(*place) {
                Some(Value::Time(t)) => write_timestamp(*t, text),
                Some(Value::Bool(b)) => text.extend_from_slice(if *b { b"true" } else { b"false" }),
                Some(Value::Number(n)) => text.extend_from_slice(n.to_string().as_bytes()),
                _ => {}
            }
        }
        let cells: Vec<Option<&str>> = sources
            .iter()
            .zip(&texts)
            .map(|(source, text)| match source {
                Source::Mark(filter) => filter.accepts(&Picked(values)).then_some("yes"),
                Source::Place(place) => match values.get(*place) {
                    None | Some(Value::Null) => None,
                    Some(Value::Text(t)) => Some(*t),
                    Some(_) => std::str::from_utf8(text).ok(),
                },
            })
            .chain(std::iter::once(Some(&*held)))
            .collect();
        if let Err(e) = builder.push(&cells) {
            failed = Some(AppError::Internal(e.to_string()));
            return ControlFlow::Break(());
        }
        rows += 1;
        if rows.is_multiple_of(4096) {
            progress.read(rows);
            if progress.is_cancelled() {
                failed = Some(AppError::Cancelled);
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    })?;
    if let Some(e) = failed {
        return Err(e);
    }
    let spans: BTreeSet<(usize, usize)> = held_in.values().copied().collect();
    let place = |revision: &Revision| ascending.partition_point(|r| r < revision);
    let state = |revision: &Revision| {
        let at = place(revision);
        let here = spans.iter().filter(|(from, until)| (*from..*until).contains(&at));
        let spans = here.map(|(from, until)| span_text(*from, *until));
        let values = std::iter::once(ALWAYS.to_owned()).chain(spans).collect();
        // The clock of the log is as likely to be right as all its errors together.
        State { values, cost: if *revision == revisions[0] { 0.0 } else { 1.0 } }
    };
    let list = revisions.iter().map(state).collect();
    let same = |a: &(i64, u32), b: &(i64, u32)| a.0 == b.0;
    let versions =
        changed.chunk_by(same).map(|v| v.iter().map(|(_, row)| *row).collect()).collect();
    let states = States { column: HELD.to_owned(), list, versions };
    let places = revisions.iter().map(place).collect();
    Ok(Versions { people: builder.finish(), states, ids, held: held_in, places })
}

fn span_text(from: usize, until: usize) -> String {
    format!("{from}-{until}")
}
