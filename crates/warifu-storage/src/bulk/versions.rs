//! Every version that people had within a span of revisions: what a time that is known only roughly
//! may mean.

use super::{MAX_COLUMNS, Scan, Scratch, expression, number, receive, utf8};
use crate::{Db, StorageError};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use std::ops::ControlFlow;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use warifu_domain::Revision;
use warifu_domain::reports::{Kind, Subject, Value};

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
/// too. Order and organization of the scan are left aside. Blocks, as [`super::scan`] does.
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
    match db {
        Db::Sqlite { path, .. } => {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection = Connection::open_with_flags(path, flags)?;
            connection.busy_timeout(std::time::Duration::from_secs(20))?;
            connection.pragma_update(None, "mmap_size", 1_i64 << 30)?;
            sqlite(&connection, scan, first, row)
        }
        Db::Postgres { pool } => postgres(pool, runtime, scan, first, row),
    }
}

fn sqlite(
    connection: &Connection,
    scan: &Scan,
    first: Revision,
    row: &mut dyn FnMut(Version<'_>) -> ControlFlow<()>,
) -> Result<(), StorageError> {
    let kinds = scan.kinds();
    let width = scan.subject.columns().len();
    let mut statement = connection.prepare(&sql(scan, first))?;
    let mut rows = statement.query([])?;
    let held = scan.columns.len() + 1;
    while let Some(r) = rows.next()? {
        let mut values = [Value::Null; MAX_COLUMNS];
        for (i, (&place, kind)) in scan.columns.iter().zip(&kinds).enumerate() {
            values[place] = match (r.get_ref(i + 1)?, kind) {
                (ValueRef::Null, _) => Value::Null,
                (ValueRef::Integer(n), Kind::Time) => Value::Time(n),
                (ValueRef::Integer(n), Kind::Bool) => Value::Bool(n != 0),
                (ValueRef::Integer(n), _) => Value::Number(n),
                (ValueRef::Text(t), _) => Value::Text(utf8(t)?),
                (other, _) => {
                    return Err(StorageError::Corrupt {
                        what: "a report column",
                        detail: format!("{:?}", other.data_type()),
                    });
                }
            };
        }
        let (from, until) = (Revision(r.get(held)?), Revision(r.get(held + 1)?));
        let version = Version { id: r.get(0)?, from, until, values: &values[..width] };
        if row(version).is_break() {
            break;
        }
    }
    Ok(())
}

fn postgres(
    pool: &sqlx::PgPool,
    runtime: &Handle,
    scan: &Scan,
    first: Revision,
    row: &mut dyn FnMut(Version<'_>) -> ControlFlow<()>,
) -> Result<(), StorageError> {
    let kinds = scan.kinds();
    let width = scan.subject.columns().len();
    // Made of static texts and whole numbers.
    let copy = format!("COPY ({}) TO STDOUT", sql(scan, first));
    let (batches_in, mut batches) = mpsc::channel(4);
    runtime.spawn(receive(pool.clone(), copy, batches_in));
    let mut scratch = Scratch::default();
    while let Some(batch) = batches.blocking_recv() {
        for line in batch?.split(|b| *b == b'\n').filter(|l| !l.is_empty()) {
            let mut ends = line.rsplitn(3, |b| *b == b'\t');
            let until = Revision(number(ends.next().unwrap_or_default())?);
            let from = Revision(number(ends.next().unwrap_or_default())?);
            let rest = ends.next().unwrap_or_default();
            let mut each = |id: i64, values: &[Value<'_>]| row(Version { id, from, until, values });
            if scratch.row(rest, scan, &kinds, width, &mut each)?.is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asks_for_the_organization_only_where_it_is_needed() {
        let scan = Scan {
            subject: Subject::People,
            as_of: Revision(9),
            columns: vec![2],
            organization: None,
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
