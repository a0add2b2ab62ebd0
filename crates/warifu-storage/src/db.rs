//! The two engines behind one type, and transactions that hand out revisions.

use crate::application_sessions::Standing;
use crate::moment::{Lately, Wait};
use crate::quick::Quick;
use crate::sessions::Held;
use crate::together::Together;
use crate::{StorageError, dialect};
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions, Postgres};
use sqlx::sqlite::{
    Sqlite, SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool,
    SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, Connection, SqlSafeStr, Transaction};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use warifu_domain::{Revision, Timestamp};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// What was read a moment ago, by the digests of tokens.
#[derive(Default)]
pub struct ReadLately {
    pub(crate) sessions: Lately<Held>,
    pub(crate) applications: Lately<Standing>,
}

/// An open database. Cheap to clone.
#[derive(Clone)]
pub enum Db {
    Sqlite {
        read: SqlitePool,
        write: SqlitePool,
        quick: Arc<Quick>,
        path: PathBuf,
        lately: Arc<ReadLately>,
    },
    Postgres {
        pool: PgPool,
        together: Arc<Together>,
        lately: Arc<ReadLately>,
    },
}

/// A connection on which queries run, inside a transaction or not, and what its transaction has to wait for.
pub enum Conn<'c> {
    Sqlite(&'c mut SqliteConnection, &'c mut Wait),
    Postgres(&'c mut PgConnection, &'c mut Wait),
}

/// A pooled connection for reading.
pub struct Reader {
    inner: ReaderInner,
    /// Whoever only reads waits for nothing.
    wait: Wait,
}

enum ReaderInner {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

/// A transaction. It is rolled back when dropped without [`Tx::commit`].
pub struct Tx {
    inner: TxInner,
    revision: Revision,
    at: Timestamp,
    wait: Wait,
}

enum TxInner {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// Runs one statement text on whichever engine the connection is of. The values are bound in
/// order; the text is the same for both.
macro_rules! on_db {
    ($conn:expr, $fetch:ident, execute: $sql:expr $(, $bind:expr)* $(,)?) => {
        match $conn {
            $crate::Conn::Sqlite(c, wait) => { wait.note($sql); sqlx::query($sql)$(.bind($bind))*.execute(&mut **c).await.map(|d| d.rows_affected()) }
            $crate::Conn::Postgres(c, wait) => { wait.note($sql); sqlx::query($sql)$(.bind($bind))*.execute(&mut **c).await.map(|d| d.rows_affected()) }
        }
        .map_err($crate::StorageError::from)
    };
    ($conn:expr, $fetch:ident, $row:ty: $sql:expr $(, $bind:expr)* $(,)?) => {
        match $conn {
            $crate::Conn::Sqlite(c, wait) => { wait.note($sql); sqlx::query_as::<_, $row>($sql)$(.bind($bind))*.$fetch(&mut **c).await }
            $crate::Conn::Postgres(c, wait) => { wait.note($sql); sqlx::query_as::<_, $row>($sql)$(.bind($bind))*.$fetch(&mut **c).await }
        }
        .map_err($crate::StorageError::from)
    };
}

/// `execute!(conn, SQL, binds…)` → rows affected.
macro_rules! execute { ($conn:expr, $($rest:tt)*) => { on_db!($conn, execute, execute: $($rest)*) }; }
/// `fetch_all!(conn, Row: SQL, binds…)` → every row.
macro_rules! fetch_all { ($conn:expr, $($rest:tt)*) => { on_db!($conn, fetch_all, $($rest)*) }; }
/// `fetch_one!(conn, Row: SQL, binds…)` → the one row there must be.
macro_rules! fetch_one { ($conn:expr, $($rest:tt)*) => { on_db!($conn, fetch_one, $($rest)*) }; }
/// `fetch_optional!(conn, Row: SQL, binds…)` → the row, if there is one.
macro_rules! fetch_optional { ($conn:expr, $($rest:tt)*) => { on_db!($conn, fetch_optional, $($rest)*) }; }

/// Rows of one statement that adds many: enough that the way to the engine no longer counts, and few
/// enough for the engines' limits on values (SQLite 32,766, PostgreSQL 65,535).
pub(crate) const ROWS: usize = 128;

/// `insert_many!(conn, "INSERT INTO t (a, b)", slice, |row| (row.a, row.b))` adds rows by statements
/// of [`ROWS`] rows each, and gives how many were written; a last text may say what happens to rows that are
/// there already.
macro_rules! insert_many {
    ($conn:expr, $into:literal, $rows:expr, |$row:pat_param| ($($value:expr),* $(,)?) $(, $tail:literal)?) => {{
        let mut written = 0;
        for rows in $rows.chunks($crate::db::ROWS) {
            // Only the full size comes again and again.
            let again = rows.len() == $crate::db::ROWS;
            match $conn {
                $crate::Conn::Sqlite(c, wait) => {
                    wait.note($into);
                    let mut sql = sqlx::QueryBuilder::<sqlx::Sqlite>::new(concat!($into, " "));
                    sql.push_values(rows, |mut values, $row| { $(values.push_bind($value);)* });
                    $(sql.push(concat!(" ", $tail));)?
                    written += sql.build().persistent(again).execute(&mut **c).await?.rows_affected();
                }
                $crate::Conn::Postgres(c, wait) => {
                    wait.note($into);
                    let mut sql = sqlx::QueryBuilder::<sqlx::Postgres>::new(concat!($into, " "));
                    sql.push_values(rows, |mut values, $row| { $(values.push_bind($value);)* });
                    $(sql.push(concat!(" ", $tail));)?
                    written += sql.build().persistent(again).execute(&mut **c).await?.rows_affected();
                }
            }
        }
        written
    }};
}

/// `fetch_among!(conn, Row: "SELECT … WHERE id IN (", ids, ") …")` → every row of some keys, by one
/// statement for [`ROWS`] of them: a page asks once for all that it names.
macro_rules! fetch_among {
    ($conn:expr, $row:ty: $start:literal, $keys:expr, $end:literal) => {{
        let mut out: Vec<$row> = Vec::new();
        for keys in $keys.chunks($crate::db::ROWS) {
            match $conn {
                $crate::Conn::Sqlite(c, _) => fetch_among!(@on sqlx::Sqlite, c, out, $row, $start, keys, $end),
                $crate::Conn::Postgres(c, _) => fetch_among!(@on sqlx::Postgres, c, out, $row, $start, keys, $end),
            }
        }
        out
    }};
    (@on $db:ty, $c:expr, $out:expr, $row:ty, $start:literal, $keys:expr, $end:literal) => {{
        let mut sql = sqlx::QueryBuilder::<$db>::new($start);
        let mut list = sql.separated(", ");
        for key in $keys {
            list.push_bind(key);
        }
        let query = sql.push($end).build_query_as::<$row>().persistent(false);
        $out.extend(query.fetch_all(&mut **$c).await?);
    }};
}

/// A migration whose text both engines understand.
macro_rules! same {
    ($version:literal, $name:literal, $file:literal) => {
        each!($version, $name, $file, $file)
    };
}

macro_rules! each {
    ($version:literal, $name:literal, $sqlite:literal, $postgres:literal) => {
        (
            $version,
            $name,
            include_str!(concat!("../migrations/", $sqlite)),
            include_str!(concat!("../migrations/", $postgres)),
        )
    };
}

const MIGRATIONS: &[(i64, &str, &str, &str)] = &[
    same!(1, "records", "0001_records.sql"),
    same!(2, "access", "0002_access.sql"),
    same!(3, "evidence", "0003_evidence.sql"),
    each!(4, "search", "0004_search.sqlite.sql", "0004_search.postgres.sql"),
    same!(5, "desk", "0005_desk.sql"),
    each!(6, "speed", "0006_speed.sqlite.sql", "0006_speed.postgres.sql"),
    same!(7, "leases", "0007_leases.sql"),
    each!(8, "scoped search", "0008_scoped_search.sqlite.sql", "0008_scoped_search.postgres.sql"),
    same!(10, "step-up", "0010_step_up.sql"),
    same!(11, "notices", "0011_notices.sql"),
    same!(12, "factors", "0012_factors.sql"),
    same!(13, "devices", "0013_devices.sql"),
    same!(14, "applications", "0014_applications.sql"),
    same!(15, "identity providers", "0015_identity_providers.sql"),
    same!(16, "certificates", "0016_certificates.sql"),
    same!(17, "verifications", "0017_verifications.sql"),
    same!(18, "policies", "0018_policies.sql"),
    same!(19, "mails", "0019_mails.sql"),
    same!(20, "notice copies", "0020_notice_copies.sql"),
    each!(21, "reminders", "0021_reminders.sqlite.sql", "0021_reminders.postgres.sql"),
    same!(23, "second person", "0023_second_person.sql"),
    same!(24, "accesses", "0024_accesses.sql"),
    same!(25, "reading", "0025_reading.sql"),
];

fn migrator(engine: Engine) -> Migrator {
    let list = MIGRATIONS.iter().map(|(version, name, sqlite, postgres)| {
        let text = if engine == Engine::Sqlite { sqlite } else { postgres };
        // Static texts of this crate, with neutral words replaced: nothing from outside is in them.
        let sql = AssertSqlSafe(dialect::ddl(engine, text)).into_sql_str();
        Migration::new(*version, (*name).into(), MigrationType::Simple, sql, false)
    });
    Migrator::with_migrations(list.collect())
}

fn migrate_error(database: &str, e: MigrateError) -> StorageError {
    match e {
        MigrateError::VersionMissing(version) => {
            StorageError::Newer { database: database.to_owned(), version }
        }
        MigrateError::Execute(e) | MigrateError::ExecuteMigration(e, _) => e.into(),
        other => {
            StorageError::Corrupt { what: "the list of migrations", detail: other.to_string() }
        }
    }
}

/// A node that fell silent in the middle of a transaction loses what it holds, so that the others can
/// go on: PostgreSQL itself would wait for it for hours. No transaction of ours rests for so long. Whoever
/// waits behind it gives up before: else those that fell silent with it would get the lock one after
/// the other, and each would hold it for as long again.
const RELEASE: &str = "SET idle_in_transaction_session_timeout = '20s'; SET lock_timeout = '15s'";
/// A connection to PostgreSQL that was idle for longer is asked whether it still lives,
const RESTED: Duration = Duration::from_secs(1);
/// and has this long to say so.
const ANSWERS: Duration = Duration::from_secs(1);

/// Idle connections of the read pool.
const READERS: u32 = 4;

impl Db {
    /// Opens (or makes) the SQLite database `warifu.db` in a folder and brings it up to date.
    ///
    /// # Errors
    /// When the folder cannot be written, the disk is full, or the database is newer than this program.
    pub async fn open_sqlite(folder: &Path) -> Result<Db, StorageError> {
        let path = folder.join("warifu.db");
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // What is acknowledged survives a power cut.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(20))
            .page_size(8192)
            .pragma("cache_size", "-16384")
            .pragma("mmap_size", "268435456")
            .pragma("temp_store", "memory")
            .statement_cache_capacity(200);
        let write = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(Duration::from_secs(20))
            // SQLite itself rolls back a transaction that finds no room on the disk. sqlx then still
            // counts one and could begin none on this connection: take a new one.
            .before_acquire(|connection, _| {
                Box::pin(async move { Ok(!connection.is_in_transaction()) })
            })
            .connect_with(options.clone())
            .await?;
        migrator(Engine::Sqlite)
            .run(&write)
            .await
            .map_err(|e| migrate_error(&path.display().to_string(), e))?;
        let read = SqlitePoolOptions::new()
            .max_connections(READERS)
            .min_connections(1)
            .acquire_timeout(Duration::from_secs(20))
            .connect_with(options.read_only(true).create_if_missing(false))
            .await?;
        Ok(Db::Sqlite { read, write, quick: Arc::default(), path, lately: Arc::default() })
    }

    /// Connects to a PostgreSQL database and brings it up to date.
    ///
    /// # Errors
    /// When the address is not understood, the server cannot be reached within 10 s or refuses,
    /// or the database is newer than this program.
    pub async fn open_postgres(url: &str) -> Result<Db, StorageError> {
        let address = || StorageError::Address(without_password(url));
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(address());
        }
        let options: PgConnectOptions = url.parse().map_err(|_| address())?;
        let options = options.application_name("warifu");
        // Of a server that refuses, the pool would only tell that it waited: it is asked once before.
        let refused =
            |why: String| StorageError::Unreachable(format!("{}: {why}", without_password(url)));
        let first = PgConnection::connect_with(&options);
        let mut connection = tokio::time::timeout(Duration::from_secs(10), first)
            .await
            .map_err(|_| refused("no answer within 10 s".into()))?
            .map_err(|e| refused(e.to_string()))?;
        // Without the limits below: a node that starts beside another waits until that one is done.
        migrator(Engine::Postgres)
            .run(&mut connection)
            .await
            .map_err(|e| migrate_error(&without_password(url), e))?;
        connection.close().await?;
        let pool = PgPoolOptions::new()
            .max_connections(16)
            // Whoever waits for a page gets an answer while a restart of the server goes unnoticed.
            .acquire_timeout(Duration::from_secs(5))
            // A connection that fell silent (a firewall forgot it, a host is gone without a word) is
            // found out here; sqlx's own test would wait for an answer until the time above is over.
            .test_before_acquire(false)
            .after_connect(|connection, _| {
                Box::pin(async move {
                    sqlx::raw_sql(RELEASE).execute(connection).await?;
                    Ok(())
                })
            })
            .before_acquire(|connection, been| {
                Box::pin(async move {
                    if been.idle_for < RESTED {
                        return Ok(true);
                    }
                    let answer = tokio::time::timeout(ANSWERS, connection.ping()).await;
                    Ok(answer.is_ok_and(|pong| pong.is_ok()))
                })
            })
            .connect_with(options)
            .await?;
        Ok(Db::Postgres { pool, together: Arc::default(), lately: Arc::default() })
    }

    pub(crate) fn lately(&self) -> &ReadLately {
        let (Db::Sqlite { lately, .. } | Db::Postgres { lately, .. }) = self;
        lately
    }

    pub fn engine(&self) -> Engine {
        match self {
            Db::Sqlite { .. } => Engine::Sqlite,
            Db::Postgres { .. } => Engine::Postgres,
        }
    }

    /// A connection for reading.
    ///
    /// # Errors
    /// When none is free within the pool's time or the server is gone.
    pub async fn read(&self) -> Result<Reader, StorageError> {
        let inner = match self {
            Db::Sqlite { read, .. } => ReaderInner::Sqlite(read.acquire().await?),
            Db::Postgres { pool, .. } => ReaderInner::Postgres(pool.acquire().await?),
        };
        Ok(Reader { inner, wait: Wait::default() })
    }

    /// A transaction that changes no reportable record and appends nothing to the ledger (sessions,
    /// ceremonies). It does not wait for the head row.
    ///
    /// # Errors
    /// As [`Db::read`].
    pub async fn begin_plain(&self) -> Result<Tx, StorageError> {
        let inner = match self {
            Db::Sqlite { write, .. } => TxInner::Sqlite(write.begin_with("BEGIN IMMEDIATE").await?),
            Db::Postgres { pool, .. } => TxInner::Postgres(pool.begin().await?),
        };
        Ok(Tx { inner, revision: Revision(0), at: Timestamp(0), wait: Wait::default() })
    }

    /// A transaction that changes records or appends to the ledger. It takes the next revision,
    /// which locks the head row until the end: revisions therefore appear in their order, and
    /// whoever reads the head sees only revisions whose every change is there to see. Their times
    /// never go back, whatever the machine's clock does: "as of then" has one answer.
    ///
    /// # Errors
    /// As [`Db::read`].
    pub async fn begin(&self, at: Timestamp) -> Result<Tx, StorageError> {
        let mut tx = self.begin_plain().await?;
        let mut conn = tx.conn();
        let (revision,): (i64,) = fetch_one!(&mut conn, (i64,):
            "UPDATE head SET revision = revision + 1 WHERE id = 1 RETURNING revision")?;
        let before: Option<(i64,)> = fetch_optional!(&mut conn, (i64,):
            "SELECT at FROM revisions WHERE revision = $1", revision - 1)?;
        let at = before.map_or(at, |(before,)| at.max(Timestamp(before)));
        execute!(
            &mut conn,
            "INSERT INTO revisions (revision, at) VALUES ($1, $2)",
            revision,
            at.0
        )?;
        (tx.revision, tx.at) = (Revision(revision), at);
        Ok(tx)
    }

    /// Closes every connection.
    pub async fn close(&self) {
        match self {
            Db::Sqlite { read, write, quick, .. } => {
                quick.close();
                read.close().await;
                write.close().await;
            }
            Db::Postgres { pool, .. } => pool.close().await,
        }
    }
}

fn without_password(url: &str) -> String {
    match (url.find("://"), url.rfind('@')) {
        (Some(start), Some(at)) if start < at => format!("{}://…{}", &url[..start], &url[at..]),
        _ => url.to_owned(),
    }
}

impl Reader {
    pub fn conn(&mut self) -> Conn<'_> {
        match &mut self.inner {
            ReaderInner::Sqlite(c) => Conn::Sqlite(c, &mut self.wait),
            ReaderInner::Postgres(c) => Conn::Postgres(c, &mut self.wait),
        }
    }
}

impl Tx {
    pub fn conn(&mut self) -> Conn<'_> {
        match &mut self.inner {
            TxInner::Sqlite(t) => Conn::Sqlite(t, &mut self.wait),
            TxInner::Postgres(t) => Conn::Postgres(t, &mut self.wait),
        }
    }

    /// The revision that this transaction makes.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// The instant of that revision.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Makes the changes durable. When this returns, every request that starts sees them, on every node.
    ///
    /// # Errors
    /// When the database could not promise that; nothing has changed then.
    pub async fn commit(self) -> Result<Revision, StorageError> {
        let revision = self.revision;
        self.commit_at_once().await?.over().await;
        Ok(revision)
    }

    /// Gives it up, because nothing was to be changed: somebody else has done it, perhaps just now. When this
    /// returns, every request that starts sees that.
    ///
    /// # Errors
    /// As every query.
    pub async fn unchanged(self) -> Result<(), StorageError> {
        match self.inner {
            TxInner::Sqlite(t) => t.rollback().await?,
            TxInner::Postgres(t) => t.rollback().await?,
        }
        Wait::longest().over().await;
        Ok(())
    }

    /// Makes the changes durable, and says what is to be waited for until every request that starts sees them.
    ///
    /// # Errors
    /// As [`Tx::commit`].
    pub async fn commit_at_once(self) -> Result<Wait, StorageError> {
        match self.inner {
            TxInner::Sqlite(t) => t.commit().await?,
            TxInner::Postgres(t) => t.commit().await?,
        }
        Ok(self.wait)
    }
}

impl Conn<'_> {
    pub fn engine(&self) -> Engine {
        match self {
            Conn::Sqlite(..) => Engine::Sqlite,
            Conn::Postgres(..) => Engine::Postgres,
        }
    }

    /// The revision committed last.
    ///
    /// # Errors
    /// As every query.
    pub async fn revision(&mut self) -> Result<Revision, StorageError> {
        let (r,): (i64,) = fetch_one!(self, (i64,): "SELECT revision FROM head WHERE id = 1")?;
        Ok(Revision(r))
    }

    /// The last revision committed at or before an instant; revision 0, the empty state, before
    /// the first.
    ///
    /// # Errors
    /// As every query.
    pub async fn revision_at(&mut self, at: Timestamp) -> Result<Revision, StorageError> {
        let row: Option<(i64,)> = fetch_optional!(self, (i64,):
            "SELECT revision FROM revisions WHERE at <= $1 ORDER BY at DESC, revision DESC LIMIT 1", at.0)?;
        Ok(Revision(row.map_or(0, |r| r.0)))
    }

    /// Takes `n` ids of a counter and gives the first.
    ///
    /// # Errors
    /// As every query.
    pub async fn take_ids(&mut self, counter: &'static str, n: i64) -> Result<i64, StorageError> {
        let (next,): (i64,) = fetch_one!(self, (i64,):
            "UPDATE counters SET next = next + $1 WHERE name = $2 RETURNING next", n, counter)?;
        Ok(next - n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_in_an_error_has_no_password() {
        assert_eq!(without_password("postgres://u:secret@h/db"), "postgres://…@h/db");
    }
}
