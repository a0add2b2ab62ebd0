//! Reading many rows as of a revision, in constant memory, for exports, previews and matches.
//!
//! SQLite is read by rusqlite on the same file (four times faster than through the asynchronous
//! pool); PostgreSQL by `COPY … TO STDOUT`. Both give rows in the same total order.

mod versions;

pub use versions::{Version, scan_versions};

use crate::{Db, Engine, StorageError, dialect};
use futures_util::TryStreamExt;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use std::ops::ControlFlow;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use warifu_domain::Revision;
use warifu_domain::reports::{Kind, Subject, Value};

/// What to read. Every part is a number or a place in [`Subject::columns`]; nothing is text.
#[derive(Clone, Debug)]
pub struct Scan {
    pub subject: Subject,
    pub as_of: Revision,
    /// Places of the columns that are needed; the others come as [`Value::Null`].
    pub columns: Vec<usize>,
    /// Only this organization's records.
    pub organization: Option<i64>,
    /// Order by these columns (place, descending), then by id.
    pub order: Vec<(usize, bool)>,
}

/// The SQL of each column, by subject, in the order of [`Subject::columns`].
fn expression(subject: Subject, index: usize) -> &'static str {
    const PEOPLE: [&str; 20] = [
        "p.created_date",
        "p.last_login",
        "p.full_name",
        "p.username",
        "p.email",
        "p.company_name",
        "p.user_type",
        "p.address",
        "p.last_password_change",
        "p.role_name",
        "p.role_description",
        "p.phone",
        "p.mobile",
        "p.time_zone",
        "p.saml_federation_id",
        "p.active",
        "p.organization_id",
        "o.name",
        "o.environment",
        "o.products",
    ];
    const CASES: [&str; 18] = [
        "p.id",
        "p.subject",
        "CASE p.status WHEN 0 THEN 'new' WHEN 1 THEN 'open' WHEN 2 THEN 'waiting' WHEN 3 THEN 'solved' ELSE 'closed' END",
        "CASE p.priority WHEN 0 THEN 'low' WHEN 1 THEN 'normal' WHEN 2 THEN 'high' ELSE 'urgent' END",
        "p.product",
        "p.tags",
        "p.language",
        "p.created_at",
        "p.updated_at",
        "p.first_reply_at",
        "p.solved_at",
        "p.messages",
        "p.organization_id",
        "o.name",
        "o.environment",
        "q.full_name",
        "q.email",
        "a.full_name",
    ];
    const ORGANIZATIONS: [&str; 5] = ["p.id", "p.name", "p.environment", "p.products", "p.domain"];
    let list: &[&str] = match subject {
        Subject::People => &PEOPLE,
        Subject::Cases => &CASES,
        Subject::Organizations => &ORGANIZATIONS,
    };
    list.get(index).copied().unwrap_or("NULL")
}

impl Scan {
    /// The statement. It is put together from texts of this file and whole numbers only.
    fn sql(&self, engine: Engine) -> String {
        let r = self.as_of.0;
        let mut sql = String::from("SELECT p.id");
        let mut used = String::new();
        for &index in &self.columns {
            let e = expression(self.subject, index);
            used.push_str(e);
            sql.push_str(", ");
            sql.push_str(e);
        }
        for &(index, _) in &self.order {
            used.push_str(expression(self.subject, index));
        }
        let table = match self.subject {
            Subject::People => "people",
            Subject::Cases => "cases",
            Subject::Organizations => "organizations",
        };
        sql.push_str(&format!(" FROM {table} p"));
        for (alias, table, key) in [
            ("o", "organizations", "organization_id"),
            ("q", "people", "requester_id"),
            ("a", "people", "assignee_id"),
        ] {
            if used.contains(&format!("{alias}.")) {
                sql.push_str(&format!(
                    " LEFT JOIN {table} {alias} ON {alias}.id = p.{key} AND {alias}.rev_from <= {r} AND {alias}.rev_to > {r}"
                ));
            }
        }
        sql.push_str(&format!(" WHERE p.rev_from <= {r} AND p.rev_to > {r}"));
        if let Some(organization) = self.organization {
            let key =
                if self.subject == Subject::Organizations { "p.id" } else { "p.organization_id" };
            sql.push_str(&format!(" AND {key} = {organization}"));
        }
        sql.push_str(" ORDER BY ");
        for &(index, descending) in &self.order {
            let text = self.subject.columns().get(index).is_some_and(|c| c.kind == Kind::Text);
            let order = if text { dialect::text_order(engine) } else { "" };
            let direction = if descending { "DESC NULLS LAST" } else { "ASC NULLS FIRST" };
            sql.push_str(&format!("{}{order} {direction}, ", expression(self.subject, index)));
        }
        sql.push_str("p.id");
        sql
    }

    fn kinds(&self) -> Vec<Kind> {
        let all = self.subject.columns();
        self.columns.iter().map(|i| all.get(*i).map_or(Kind::Text, |c| c.kind)).collect()
    }
}

/// Reads the rows in order and hands each to `row` with its id, until it says stop. Blocks: call
/// it on a thread that may (`spawn_blocking`); `runtime` is where PostgreSQL's connection lives.
///
/// # Errors
/// As every query; rows handed out before stay handed out.
pub fn scan(
    db: &Db,
    runtime: &Handle,
    scan: &Scan,
    row: &mut dyn FnMut(i64, &[Value<'_>]) -> ControlFlow<()>,
) -> Result<(), StorageError> {
    match db {
        Db::Sqlite { path, .. } => {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection = Connection::open_with_flags(path, flags)?;
            connection.busy_timeout(std::time::Duration::from_secs(20))?;
            connection.pragma_update(None, "mmap_size", 1_i64 << 30)?;
            scan_sqlite(&connection, scan, row)
        }
        Db::Postgres { pool } => scan_postgres(pool, runtime, scan, row),
    }
}

fn scan_sqlite(
    connection: &Connection,
    scan: &Scan,
    row: &mut dyn FnMut(i64, &[Value<'_>]) -> ControlFlow<()>,
) -> Result<(), StorageError> {
    let kinds = scan.kinds();
    let width = scan.subject.columns().len();
    let mut statement = connection.prepare(&scan.sql(Engine::Sqlite))?;
    let mut rows = statement.query([])?;
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
        if row(r.get(0)?, &values[..width]).is_break() {
            break;
        }
    }
    Ok(())
}

/// No subject has more columns.
const MAX_COLUMNS: usize = 24;

fn utf8(bytes: &[u8]) -> Result<&str, StorageError> {
    std::str::from_utf8(bytes).map_err(|e| StorageError::Corrupt {
        what: "a text in a report column",
        detail: e.to_string(),
    })
}

/// Bytes collected from the server before they are handed to the reading thread.
const BATCH: usize = 128 * 1024;

fn scan_postgres(
    pool: &sqlx::PgPool,
    runtime: &Handle,
    scan: &Scan,
    row: &mut dyn FnMut(i64, &[Value<'_>]) -> ControlFlow<()>,
) -> Result<(), StorageError> {
    let kinds = scan.kinds();
    let width = scan.subject.columns().len();
    // Made of static texts and whole numbers; see `Scan::sql`.
    let copy = format!("COPY ({}) TO STDOUT", scan.sql(Engine::Postgres));
    let (batches_in, mut batches) = mpsc::channel(4);
    runtime.spawn(receive(pool.clone(), copy, batches_in));
    // A batch ends where a row ends, so rows are never split between two.
    let mut scratch = Scratch::default();
    while let Some(batch) = batches.blocking_recv() {
        for line in batch?.split(|b| *b == b'\n').filter(|l| !l.is_empty()) {
            if scratch.row(line, scan, &kinds, width, row)?.is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Receives a COPY and hands it on in batches of whole rows. When the reader stops before the
/// end, the connection goes with it: what the server still sends must not meet the next query.
async fn receive(
    pool: sqlx::PgPool,
    copy: String,
    batches: mpsc::Sender<Result<Vec<u8>, StorageError>>,
) {
    let mut connection = match pool.acquire().await {
        Ok(connection) => connection,
        Err(e) => return drop(batches.send(Err(e.into())).await),
    };
    let result = async {
        let mut stream = connection.copy_out_raw(&copy).await?;
        let mut batch: Vec<u8> = Vec::with_capacity(BATCH + 4096);
        while let Some(chunk) = stream.try_next().await? {
            batch.extend_from_slice(&chunk);
            // A line feed inside a value is escaped, so one at the end is the end of a row.
            if batch.len() >= BATCH && batch.ends_with(b"\n") {
                let full = std::mem::replace(&mut batch, Vec::with_capacity(BATCH + 4096));
                batches.send(Ok(full)).await.map_err(|_| StorageError::Stopped)?;
            }
        }
        batches.send(Ok(batch)).await.map_err(|_| StorageError::Stopped)
    }
    .await;
    if let Err(e) = result {
        drop(connection.detach());
        let _ = batches.send(Err(e)).await;
    }
}

/// Buffers for one row in COPY's text format: tabs between values, `\N` for null, backslash
/// escapes (PostgreSQL manual, COPY, "Text Format").
#[derive(Default)]
struct Scratch {
    text: Vec<u8>,
}

impl Scratch {
    fn row(
        &mut self,
        line: &[u8],
        scan: &Scan,
        kinds: &[Kind],
        width: usize,
        row: &mut dyn FnMut(i64, &[Value<'_>]) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, StorageError> {
        // Values with escapes are written unescaped into one buffer first, so that all borrows of
        // it begin after it stopped growing.
        self.text.clear();
        let mut spans = [Span::Null; MAX_COLUMNS + 1];
        for (field, span) in line.split(|b| *b == b'\t').zip(&mut spans) {
            *span = if field == b"\\N" {
                Span::Null
            } else if field.contains(&b'\\') {
                let from = self.text.len();
                unescape(field, &mut self.text);
                Span::Buffer(from, self.text.len())
            } else {
                let from = field.as_ptr() as usize - line.as_ptr() as usize;
                Span::Line(from, from + field.len())
            };
        }
        let bytes = |span: Span| match span {
            Span::Null => None,
            Span::Line(a, b) => line.get(a..b),
            Span::Buffer(a, b) => self.text.get(a..b),
        };
        let mut values = [Value::Null; MAX_COLUMNS];
        for (i, (&place, kind)) in scan.columns.iter().zip(kinds).enumerate() {
            let Some(b) = bytes(spans[i + 1]) else { continue };
            values[place] = match kind {
                Kind::Text => Value::Text(utf8(b)?),
                Kind::Time => Value::Time(number(b)?),
                Kind::Number => Value::Number(number(b)?),
                Kind::Bool => Value::Bool(b == b"t"),
            };
        }
        let id = number(bytes(spans[0]).unwrap_or_default())?;
        Ok(row(id, &values[..width]))
    }
}

#[derive(Clone, Copy)]
enum Span {
    Null,
    Line(usize, usize),
    Buffer(usize, usize),
}

fn number(bytes: &[u8]) -> Result<i64, StorageError> {
    let text = utf8(bytes)?;
    text.parse().map_err(|_| StorageError::Corrupt {
        what: "a number in a report column",
        detail: text.to_owned(),
    })
}

fn unescape(field: &[u8], out: &mut Vec<u8>) {
    let mut bytes = field.iter().copied();
    while let Some(b) = bytes.next() {
        if b != b'\\' {
            out.push(b);
            continue;
        }
        out.push(match bytes.next() {
            Some(b'b') => 8,
            Some(b'f') => 12,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'v') => 11,
            Some(other) => other,
            None => b'\\',
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_has_its_expression() {
        for subject in Subject::ALL {
            assert!(subject.columns().len() <= MAX_COLUMNS);
            for i in 0..subject.columns().len() {
                assert_ne!(expression(subject, i), "NULL", "{subject:?} {i}");
            }
        }
    }

    #[test]
    fn joins_only_what_is_asked_for() {
        let scan = Scan {
            subject: Subject::People,
            as_of: Revision(7),
            columns: vec![2, 4],
            organization: Some(3),
            order: vec![(4, true)],
        };
        assert_eq!(
            scan.sql(Engine::Sqlite),
            "SELECT p.id, p.full_name, p.email FROM people p WHERE p.rev_from <= 7 AND p.rev_to > 7 \
             AND p.organization_id = 3 ORDER BY p.email DESC NULLS LAST, p.id"
        );
        let sql = Scan { columns: vec![18], order: vec![], organization: None, ..scan }
            .sql(Engine::Postgres);
        assert!(
            sql.contains(
                "LEFT JOIN organizations o ON o.id = p.organization_id AND o.rev_from <= 7"
            ),
            "{sql}"
        );
    }

    #[test]
    fn reads_copy_text() {
        let mut out = Vec::new();
        unescape(br"a\tb\\c\nd", &mut out);
        assert_eq!(out, b"a\tb\\c\nd");
    }
}
