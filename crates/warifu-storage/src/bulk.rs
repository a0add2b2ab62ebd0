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

/// Which records of a subject.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Only {
    #[default]
    Everything,
    /// This organization's records.
    Organization(i64),
    /// These records; meant for few.
    Ids(Vec<i64>),
    /// Records with a version that begins or ends after this revision. What it joins (a person's
    /// organization) may have changed besides.
    ChangedSince(Revision),
}

/// What to read. Every part is a number or a place in [`Subject::columns`]; nothing is text.
#[derive(Clone, Debug)]
pub struct Scan {
    pub subject: Subject,
    pub as_of: Revision,
    /// Places of the columns that are needed; the others come as [`Value::Null`].
    pub columns: Vec<usize>,
    pub only: Only,
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
        let table = table(self.subject);
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
        match &self.only {
            Only::Everything => {}
            Only::Organization(id) if self.subject == Subject::Organizations => {
                sql.push_str(&format!(" AND p.id = {id}"));
            }
            Only::Organization(id) => sql.push_str(&format!(" AND p.organization_id = {id}")),
            Only::Ids(ids) => {
                let ids: Vec<String> = ids.iter().map(i64::to_string).collect();
                // `IN ()` is no SQL; no record has the id 0.
                let ids = if ids.is_empty() { "0".to_owned() } else { ids.join(",") };
                sql.push_str(&format!(" AND p.id IN ({ids})"));
            }
            Only::ChangedSince(since) => {
                sql.push_str(&format!(" AND p.id IN ({})", changed_sql(self.subject, *since)));
            }
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

fn table(subject: Subject) -> &'static str {
    match subject {
        Subject::People => "people",
        Subject::Cases => "cases",
        Subject::Organizations => "organizations",
    }
}

/// The ids of records with a version that begins or ends after a revision; both by an index.
fn changed_sql(subject: Subject, since: Revision) -> String {
    let (table, r) = (table(subject), since.0);
    format!(
        "SELECT id FROM {table} WHERE rev_from > {r} \
         UNION SELECT id FROM {table} WHERE rev_to > {r} AND rev_to < 9223372036854775807"
    )
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
    let sql = scan.sql(db.engine());
    each_row(db, runtime, &sql, scan, 0, &mut |id, values, _| row(id, values))
}

/// What a statement gives of one row: id, values, and `numbers` further numbers.
type RowTaker<'a> = dyn FnMut(i64, &[Value<'_>], [i64; 2]) -> ControlFlow<()> + 'a;

/// Runs a statement that selects an id, the scan's columns, and up to two numbers. It is made of static
/// texts and whole numbers; see [`Scan::sql`].
fn each_row(
    db: &Db,
    runtime: &Handle,
    sql: &str,
    scan: &Scan,
    numbers: usize,
    row: &mut RowTaker<'_>,
) -> Result<(), StorageError> {
    match db {
        Db::Sqlite { path, .. } => {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection = Connection::open_with_flags(path, flags)?;
            connection.busy_timeout(std::time::Duration::from_secs(20))?;
            scan_sqlite(&connection, sql, scan, numbers, row)
        }
        Db::Postgres { pool, .. } => scan_postgres(pool, runtime, sql, scan, numbers, row),
    }
}

fn scan_sqlite(
    connection: &Connection,
    sql: &str,
    scan: &Scan,
    numbers: usize,
    row: &mut RowTaker<'_>,
) -> Result<(), StorageError> {
    let kinds = scan.kinds();
    let width = scan.subject.columns().len();
    let mut statement = connection.prepare(sql)?;
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
        let mut further = [0; 2];
        for (i, number) in further.iter_mut().take(numbers).enumerate() {
            *number = r.get(scan.columns.len() + 1 + i)?;
        }
        if row(r.get(0)?, &values[..width], further).is_break() {
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
    sql: &str,
    scan: &Scan,
    numbers: usize,
    row: &mut RowTaker<'_>,
) -> Result<(), StorageError> {
    let kinds = scan.kinds();
    let width = scan.subject.columns().len();
    // Binary, because the text form costs both sides a look at every byte.
    let copy = format!("COPY ({sql}) TO STDOUT (FORMAT binary)");
    let (batches_in, mut batches) = mpsc::channel(4);
    runtime.spawn(receive(pool.clone(), copy, batches_in));
    let mut at_start = true;
    // A batch ends where a row ends, so rows are never split between two.
    while let Some(batch) = batches.blocking_recv() {
        let batch = batch?;
        let mut rest = Binary(&batch);
        if std::mem::take(&mut at_start) {
            rest.header()?;
        }
        while !rest.0.is_empty() {
            let Some(taken) = rest.row(&scan.columns, &kinds, numbers)? else { return Ok(()) };
            if row(taken.id, &taken.values[..width], taken.further).is_break() {
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
            // The server sends every row as a message of its own.
            if batch.len() >= BATCH {
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

/// What is left of a COPY in binary format (PostgreSQL manual, COPY, "Binary Format"): big-endian
/// numbers, a count of fields before each row, a length before each field.
struct Binary<'a>(&'a [u8]);

struct Taken<'a> {
    id: i64,
    values: [Value<'a>; MAX_COLUMNS],
    further: [i64; 2],
}

fn cut_off() -> StorageError {
    StorageError::Corrupt { what: "a binary COPY", detail: "it ends inside a row".into() }
}

impl<'a> Binary<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], StorageError> {
        let (taken, rest) = self.0.split_at_checked(n).ok_or_else(cut_off)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], StorageError> {
        let (taken, rest) = self.0.split_first_chunk().ok_or_else(cut_off)?;
        self.0 = rest;
        Ok(*taken)
    }

    /// Signature, flags, and a header extension, which may be skipped.
    fn header(&mut self) -> Result<(), StorageError> {
        if self.take(11)? != b"PGCOPY\n\xff\r\n\0" {
            let detail = "its signature is another".into();
            return Err(StorageError::Corrupt { what: "a binary COPY", detail });
        }
        self.take(4)?;
        let extension = u32::from_be_bytes(self.array()?);
        self.take(extension as usize)?;
        Ok(())
    }

    /// The next row, whose first field is the id; `None` at the end.
    fn row(
        &mut self,
        columns: &[usize],
        kinds: &[Kind],
        numbers: usize,
    ) -> Result<Option<Taken<'a>>, StorageError> {
        let fields = i16::from_be_bytes(self.array()?);
        if fields == -1 {
            return Ok(None);
        }
        if usize::try_from(fields) != Ok(1 + columns.len() + numbers) {
            let detail = format!("{fields} fields in a row");
            return Err(StorageError::Corrupt { what: "a binary COPY", detail });
        }
        let id = number(self.field()?.unwrap_or_default())?;
        let mut values = [Value::Null; MAX_COLUMNS];
        for (place, kind) in columns.iter().zip(kinds) {
            let Some(bytes) = self.field()? else { continue };
            values[*place] = match kind {
                Kind::Text => Value::Text(utf8(bytes)?),
                Kind::Time => Value::Time(number(bytes)?),
                Kind::Number => Value::Number(number(bytes)?),
                Kind::Bool => Value::Bool(bytes == [1]),
            };
        }
        let mut further = [0; 2];
        for further in further.iter_mut().take(numbers) {
            *further = number(self.field()?.unwrap_or_default())?;
        }
        Ok(Some(Taken { id, values, further }))
    }

    fn field(&mut self) -> Result<Option<&'a [u8]>, StorageError> {
        let length = i32::from_be_bytes(self.array()?);
        // -1 is null; nothing else is negative.
        usize::try_from(length).ok().map(|n| self.take(n)).transpose()
    }
}

fn number(bytes: &[u8]) -> Result<i64, StorageError> {
    let whole = bytes.try_into().map(i64::from_be_bytes);
    whole.map_err(|_| StorageError::Corrupt {
        what: "a number in a report column",
        detail: format!("{} bytes", bytes.len()),
    })
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
            only: Only::Organization(3),
            order: vec![(4, true)],
        };
        assert_eq!(
            scan.sql(Engine::Sqlite),
            "SELECT p.id, p.full_name, p.email FROM people p WHERE p.rev_from <= 7 AND p.rev_to > 7 \
             AND p.organization_id = 3 ORDER BY p.email DESC NULLS LAST, p.id"
        );
        let sql = Scan { columns: vec![18], order: vec![], only: Only::Everything, ..scan }
            .sql(Engine::Postgres);
        assert!(
            sql.contains(
                "LEFT JOIN organizations o ON o.id = p.organization_id AND o.rev_from <= 7"
            ),
            "{sql}"
        );
    }

    #[test]
    fn reads_a_binary_copy() {
        let mut copy = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\x01x".to_vec();
        let field = |copy: &mut Vec<u8>, bytes: &[u8]| {
            copy.extend_from_slice(&(bytes.len() as i32).to_be_bytes());
            copy.extend_from_slice(bytes);
        };
        copy.extend_from_slice(&4_i16.to_be_bytes());
        field(&mut copy, &7_i64.to_be_bytes());
        field(&mut copy, "佐藤\t".as_bytes());
        copy.extend_from_slice(&(-1_i32).to_be_bytes());
        field(&mut copy, &[1]);
        copy.extend_from_slice(&(-1_i16).to_be_bytes());
        let (columns, kinds) = ([2, 0, 15], [Kind::Text, Kind::Time, Kind::Bool]);
        let mut rest = Binary(&copy);
        rest.header().unwrap();
        let taken = rest.row(&columns, &kinds, 0).unwrap().unwrap();
        assert_eq!((taken.id, taken.values[2]), (7, Value::Text("佐藤\t")));
        assert_eq!((taken.values[0], taken.values[15]), (Value::Null, Value::Bool(true)));
        assert!(rest.row(&columns, &kinds, 0).unwrap().is_none());
        // Cut off anywhere it is an error, never a panic or a row.
        for end in 0..copy.len() - 2 {
            let mut rest = Binary(&copy[..end]);
            assert!(rest.header().and_then(|()| rest.row(&columns, &kinds, 0)).is_err(), "{end}");
        }
    }
}
