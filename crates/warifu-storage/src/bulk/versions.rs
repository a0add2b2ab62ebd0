//! Every version that people had within a span of revisions: what a time that is known only roughly
//! may mean.

use super::{Scan, each_row, expression};
use crate::{Db, StorageError};
use std::ops::ControlFlow;
use tokio::runtime::Handle;
use warifu_domain::Revision;
use warifu_domain::reports::{Subject, Value};

/// A version of a person as a [`scan_versions`] hands it out.
#[derive(Clone, Copy, Debug)]
pub struct Version<'a> {
    pub id: i64,
    /// It held from this revision,
    pub from: Revision,
    /// until before this one.
    pub until: Revision,
    /// As in [`super::scan`].
    pub values: &'a [Value<'a>],
}

/// The statement: as [`Scan::sql`], of people only, with the span in which each row held at its end.
fn sql(scan: &Scan, first: Revision) -> String {
    let (first, last) = (first.0, scan.as_of.0);
    let mut sql = String::from("SELECT p.id");
    let mut joined = false;
    for &index in &scan.columns {
        let e = expression(Subject::People, index);
        joined |= e.starts_with("o.");
        sql.push_str(", ");
        sql.push_str(e);
    }
    if joined {
        sql.push_str(
            ", CASE WHEN o.rev_from > p.rev_from THEN o.rev_from ELSE p.rev_from END AS held_from\
             , CASE WHEN o.rev_to < p.rev_to THEN o.rev_to ELSE p.rev_to END AS held_to",
        );
    } else {
        sql.push_str(", p.rev_from AS held_from, p.rev_to AS held_to");
    }
    sql.push_str(" FROM people p");
    if joined {
        sql.push_str(&format!(
            " LEFT JOIN organizations o ON o.id = p.organization_id AND o.rev_from <= {last} \
             AND o.rev_to > {first} AND o.rev_from < p.rev_to AND o.rev_to > p.rev_from"
        ));
    }
    sql.push_str(&format!(
        " WHERE p.rev_from <= {last} AND p.rev_to > {first} ORDER BY p.id, held_from"
    ));
    sql
}

/// Reads every version of every person that held at some revision from `first` up to the scan's own;
/// versions of one person follow each other. A change of the person's organization makes a version
/// too. Order and choice of the scan are left aside. Blocks, as [`super::scan`] does.
///
/// # Errors
/// As every query; rows handed out before stay handed out.
pub fn scan_versions(
    db: &Db,
    runtime: &Handle,
    scan: &Scan,
    first: Revision,
    row: &mut dyn FnMut(Version<'_>) -> ControlFlow<()>,
) -> Result<(), StorageError> {
    each_row(db, runtime, &sql(scan, first), scan, 2, &mut |id, values, [from, until]| {
        row(Version { id, from: Revision(from), until: Revision(until), values })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bulk::Only;

    #[test]
    fn asks_for_the_organization_only_where_it_is_needed() {
        let scan = Scan {
            subject: Subject::People,
            as_of: Revision(9),
            columns: vec![2],
            only: Only::Everything,
            order: Vec::new(),
        };
        assert_eq!(
            sql(&scan, Revision(5)),
            "SELECT p.id, p.full_name, p.rev_from AS held_from, p.rev_to AS held_to FROM people p \
             WHERE p.rev_from <= 9 AND p.rev_to > 5 ORDER BY p.id, held_from"
        );
        let named = sql(&Scan { columns: vec![17], ..scan }, Revision(5));
        assert!(named.contains("o.rev_from < p.rev_to AND o.rev_to > p.rev_from"), "{named}");
    }
}
