//! The people of the installation as of a revision, as the match takes them.

use super::known::Marker;
use super::matching::MatchProgress;
use crate::AppError;
use std::ops::ControlFlow;
use tokio::runtime::Handle;
use warifu_domain::Revision;
use warifu_domain::reports::{CompiledFilter, Kind, Row, Subject, Value};
use warifu_match::{ColumnKind, ColumnSpec, People, PeopleBuilder};
use warifu_storage::Db;
use warifu_storage::bulk::{self, Only, Scan};

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

/// Reads everybody as of a revision. `markers` are filters that the match cannot say in its own
/// predicates: each becomes a column that is filled for whom it lets through. `keep` are labels
/// whose every value is kept, because a saved definition names one.
///
/// Blocks; call it on a thread that may.
///
/// # Errors
/// When the database fails or the work is cancelled.
pub(super) fn people_at(
    db: &Db,
    runtime: &Handle,
    revision: Revision,
    markers: &[Marker],
    keep: &[String],
    progress: &MatchProgress,
) -> Result<People, AppError> {
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
    let scan = Scan {
        subject: SUBJECT,
        as_of: revision,
        columns,
        only: Only::Everything,
        order: Vec::new(),
    };
    let mut builder = PeopleBuilder::new(specs);
    let mut rows = 0_u64;
    let mut failed = None;
    bulk::scan(db, runtime, &scan, &mut |_, values| {
        let picked: Vec<Value<'_>> = sources
            .iter()
            .map(|source| match source {
                Source::Mark(filter) if filter.accepts(&Picked(values)) => Value::Text("yes"),
                Source::Mark(_) => Value::Null,
                Source::Place(place) => values.get(*place).copied().unwrap_or(Value::Null),
            })
            .collect();
        if let Err(e) = builder.push_values(&picked) {
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
    match failed {
        Some(e) => Err(e),
        None => Ok(builder.finish()),
    }
}
