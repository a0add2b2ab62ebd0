//! One row for the check of a request, or some (decisions 0021, 0024 and 0025).
//!
//! On SQLite such a statement takes less time than handing it to another thread and back, which is what
//! the asynchronous driver does; it is therefore run where it is asked for. It waits for nobody: readers
//! of a WAL wait for no writer, and where SQLite would have to wait all the same, or anything else is
//! amiss, the asynchronous driver is asked the same, and its answer counts. On PostgreSQL those who ask
//! at the same time ask together ([`crate::together`]). Each statement, or some of them together, is a read
//! transaction of its own, which sees all that was committed before it began.

use crate::{Db, StorageError, moment, together};
use rusqlite::{Connection, OpenFlags};
use sqlx::FromRow;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The columns of a row, from the first to the last.
pub(crate) struct Columns<'a> {
    row: &'a rusqlite::Row<'a>,
    next: usize,
}

impl Columns<'_> {
    pub(crate) fn next<T: rusqlite::types::FromSql>(&mut self) -> rusqlite::Result<T> {
        self.next += 1;
        self.row.get(self.next - 1)
    }
}

/// A row that every driver can read; see `quick_row!`.
pub(crate) trait Row:
    for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin
{
    fn read(columns: &mut Columns<'_>) -> rusqlite::Result<Self>;
}

/// `quick_row! { struct Name { field: Type, … ..part: Row, … } }`: a row whose columns come in the order
/// of its fields, and after them those of its parts.
macro_rules! quick_row {
    ($vis:vis struct $name:ident { $($field:ident: $type:ty,)* $(..$part:ident: $row:ty,)* }) => {
        #[derive(sqlx::FromRow)]
        $vis struct $name {
            $(pub(crate) $field: $type,)*
            $(#[sqlx(flatten)] pub(crate) $part: $row,)*
        }

        impl $crate::quick::Row for $name {
            fn read(columns: &mut $crate::quick::Columns<'_>) -> rusqlite::Result<Self> {
                Ok($name {
                    $($field: columns.next()?,)*
                    $($part: <$row as $crate::quick::Row>::read(columns)?,)*
                })
            }
        }
    };
}

/// Connections to SQLite for such statements, as many as threads have asked at once; `None` once closed.
pub struct Quick {
    idle: Mutex<Option<Vec<Connection>>>,
}

impl Default for Quick {
    fn default() -> Quick {
        Quick { idle: Mutex::new(Some(Vec::new())) }
    }
}

impl Quick {
    /// Asks on one of them. One that failed is not kept. `None` when all are closed.
    fn ask<T>(
        &self,
        path: &Path,
        ask: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Option<T>> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let mut connection = match idle().as_mut().map(Vec::pop) {
            None => return Ok(None),
            Some(Some(connection)) => connection,
            Some(None) => open(path)?,
        };
        let answer = ask(&mut connection)?;
        // One that was still in a transaction would see for ever what it saw then.
        if let Some(idle) = idle().as_mut().filter(|_| connection.is_autocommit()) {
            idle.push(connection);
        }
        Ok(Some(answer))
    }

    /// Closes them; whoever asks afterwards hears from the asynchronous driver that it is closed.
    pub(crate) fn close(&self) {
        *self.idle.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

fn one<R: Row>(connection: &Connection, sql: &str, key: &[u8]) -> rusqlite::Result<Option<R>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([key])?;
    rows.next()?.map(|row| R::read(&mut Columns { row, next: 0 })).transpose()
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::ZERO)?;
    connection.pragma_update(None, "mmap_size", 268_435_456_i64)?;
    Ok(connection)
}

/// A statement about a key, whose digest of 32 bytes is the first column of its row.
pub struct Statement {
    /// About `$1`.
    pub one: &'static str,
    /// About each that the array `$1` names; PostgreSQL alone reads it.
    pub(crate) many: &'static str,
    /// Which queue those wait in who ask it.
    pub(crate) queue: usize,
}

/// How many such statements there are.
pub(crate) const STATEMENTS: usize = 2;

/// `statement!(QUEUE: text…)`: the text ends where the column of its key has to be compared.
macro_rules! statement {
    ($queue:literal: $($text:expr),+ $(,)?) => {
        $crate::quick::Statement {
            one: concat!($($text,)+ " = $1"),
            many: concat!($($text,)+ " = ANY($1)"),
            queue: $queue,
        }
    };
}

/// The row of a statement about one key.
///
/// # Errors
/// As every query.
pub(crate) async fn row<R: Row>(
    db: &Db,
    statement: &'static Statement,
    key: &[u8],
) -> Result<Option<R>, StorageError> {
    match db {
        Db::Sqlite { quick, path, .. } => match quick.ask(path, |c| one(c, statement.one, key)) {
            Ok(Some(row)) => return Ok(row),
            Ok(None) => {}
            Err(error) => tracing::debug!(%error, "a quick statement is asked again"),
        },
        Db::Postgres { pool, together, .. } => {
            if let Some(row) = together.row(pool, statement, key).await {
                return Ok(row.as_deref().map(R::from_row).transpose()?);
            }
        }
    }
    // Boxed, so that what is rare makes no larger what every request carries.
    Box::pin(alone(db, statement, key)).await
}

/// How many are asked about in one go on SQLite: some 80 µs, in which the thread does nothing else.
const AT_ONCE: usize = 16;

/// Hands on the rows of many keys, some at a time, with an instant before their statements began and the keys that
/// they are about.
///
/// # Errors
/// As every query. Some may have been handed on before.
pub(crate) async fn rows<R: Row>(
    db: &Db,
    statement: &'static Statement,
    keys: &[[u8; 32]],
    mut found: impl FnMut(Instant, &[[u8; 32]], Vec<R>),
) -> Result<(), StorageError> {
    match db {
        Db::Sqlite { quick, path, .. } => {
            for keys in keys.chunks(AT_ONCE) {
                let began = moment::begin();
                let rows = quick.ask(path, |connection| {
                    let reading = connection.transaction()?;
                    let row = |key: &[u8; 32]| one(&reading, statement.one, key).transpose();
                    keys.iter().filter_map(row).collect()
                });
                // `None` when all are closed: nothing is known then.
                if let Some(rows) = rows? {
                    found(began, keys, rows);
                }
                tokio::task::yield_now().await;
            }
        }
        Db::Postgres { pool, .. } => {
            for keys in keys.chunks(together::MOST) {
                let began = moment::begin();
                let asked: Vec<&[u8]> = keys.iter().map(<[u8; 32]>::as_slice).collect();
                let rows = sqlx::query(statement.many).bind(asked).fetch_all(pool).await?;
                found(began, keys, rows.iter().map(R::from_row).collect::<Result<_, _>>()?);
            }
        }
    }
    Ok(())
}

async fn alone<R: Row>(
    db: &Db,
    statement: &'static Statement,
    key: &[u8],
) -> Result<Option<R>, StorageError> {
    let mut reader = db.read().await?;
    fetch_optional!(&mut reader.conn(), R: statement.one, key)
}
