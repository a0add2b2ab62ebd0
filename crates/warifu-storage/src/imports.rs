//! Imports of people that can be resumed: which rows of which file are in.

use crate::{Conn, StorageError};
use warifu_domain::Timestamp;

/// An import, found again by its file's digest.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Import {
    pub id: i64,
    pub file_digest: String,
    pub name: String,
    /// Microseconds UTC.
    pub started_at: i64,
    /// Rows of the file that are done, rejected ones among them.
    pub rows_done: i64,
    pub rejected: i64,
    pub ended_at: Option<i64>,
}

/// A row that was not taken.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Reject {
    pub line: i64,
    pub reason: String,
}

/// Finds an import of the same file, or begins one.
///
/// # Errors
/// As every query.
pub async fn begin(
    c: &mut Conn<'_>,
    digest: &str,
    name: &str,
    at: Timestamp,
) -> Result<Import, StorageError> {
    if let Some(found) =
        fetch_optional!(c, Import: "SELECT * FROM imports WHERE file_digest = $1", digest)?
    {
        return Ok(found);
    }
    let id = c.take_ids("imports", 1).await?;
    execute!(
        c,
        "INSERT INTO imports (id, file_digest, name, started_at, rows_done, rejected) VALUES ($1, $2, $3, $4, 0, 0)",
        id,
        digest,
        name,
        at.0
    )?;
    fetch_one!(c, Import: "SELECT * FROM imports WHERE id = $1", id)
}

/// Records that rows are done, in the transaction that adds them.
///
/// # Errors
/// As every query.
pub async fn advance(
    c: &mut Conn<'_>,
    id: i64,
    rows_done: i64,
    rejects: &[Reject],
    ended: Option<Timestamp>,
) -> Result<(), StorageError> {
    insert_many!(
        c,
        "INSERT INTO import_rejects (import_id, line, reason)",
        rejects,
        |r| (id, r.line, r.reason.as_str()),
        "ON CONFLICT (import_id, line) DO NOTHING"
    );
    execute!(
        c,
        "UPDATE imports SET rows_done = $2, rejected = rejected + $3, ended_at = $4 WHERE id = $1",
        id,
        rows_done,
        rejects.len() as i64,
        ended.map(|t| t.0)
    )?;
    Ok(())
}

/// # Errors
/// As every query.
pub async fn list(c: &mut Conn<'_>) -> Result<Vec<Import>, StorageError> {
    fetch_all!(c, Import: "SELECT * FROM imports ORDER BY id DESC LIMIT 100")
}

/// The rejected rows of an import, at most 1,000.
///
/// # Errors
/// As every query.
pub async fn rejects(c: &mut Conn<'_>, id: i64) -> Result<Vec<Reject>, StorageError> {
    fetch_all!(c, Reject: "SELECT line, reason FROM import_rejects WHERE import_id = $1 ORDER BY line LIMIT 1000", id)
}
