//! Incidents and the downloads that outside telemetry recorded.

use crate::{Conn, StorageError};
use warifu_domain::{DownloadId, IncidentId, PersonId, Timestamp};

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Incident {
    pub id: i64,
    pub title: String,
    /// `open` or `closed`.
    pub state: String,
    pub opened_by: i64,
    /// Microseconds UTC.
    pub opened_at: i64,
    pub summary: String,
    pub closed_at: Option<i64>,
}

/// A download that telemetry recorded: the size is what is known, the definition is what is sought.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Download {
    pub id: i64,
    pub incident_id: i64,
    /// Microseconds UTC.
    pub at: i64,
    pub bytes: i64,
    /// As `warifu match --tolerance` reads it: `0`, `0.1%`, `64KiB`.
    pub tolerance: String,
    /// As `--measure`: `body`, `http`, `tls`, `base64`, `rounded:KB`.
    pub measure: String,
    pub row_count: Option<i64>,
    pub who: String,
    pub network: String,
    /// Which log it came from.
    pub source: String,
    /// JSON of the definition that was guessed first, or empty.
    pub guess: String,
    /// JSON of the match, when it has been made.
    pub result: Option<String>,
    pub matched_at: Option<i64>,
}

/// # Errors
/// As every query.
pub async fn insert(
    c: &mut Conn<'_>,
    title: &str,
    summary: &str,
    by: PersonId,
    at: Timestamp,
) -> Result<IncidentId, StorageError> {
    let id = c.take_ids("incidents", 1).await?;
    execute!(
        c,
        "INSERT INTO incidents (id, title, state, opened_by, opened_at, summary) VALUES ($1, $2, 'open', $3, $4, $5)",
        id,
        title,
        by.0,
        at.0,
        summary
    )?;
    Ok(IncidentId(id))
}

/// Newest first, at most 200.
///
/// # Errors
/// As every query.
pub async fn list(c: &mut Conn<'_>) -> Result<Vec<Incident>, StorageError> {
    fetch_all!(c, Incident: "SELECT * FROM incidents ORDER BY id DESC LIMIT 200")
}

/// # Errors
/// As every query.
pub async fn find(c: &mut Conn<'_>, id: IncidentId) -> Result<Option<Incident>, StorageError> {
    fetch_optional!(c, Incident: "SELECT * FROM incidents WHERE id = $1", id.0)
}

/// Closes an open incident; `false` when there is none.
///
/// # Errors
/// As every query.
pub async fn close(c: &mut Conn<'_>, id: IncidentId, at: Timestamp) -> Result<bool, StorageError> {
    let n = execute!(
        c,
        "UPDATE incidents SET state = 'closed', closed_at = $2 WHERE id = $1 AND state = 'open'",
        id.0,
        at.0
    )?;
    Ok(n == 1)
}

/// Adds a download; its `id` field is ignored and the new one returned.
///
/// # Errors
/// As every query.
pub async fn insert_download(c: &mut Conn<'_>, d: &Download) -> Result<DownloadId, StorageError> {
    let id = c.take_ids("downloads", 1).await?;
    execute!(
        c,
        "INSERT INTO downloads (id, incident_id, at, bytes, tolerance, measure, row_count, who, network, source, guess) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        id,
        d.incident_id,
        d.at,
        d.bytes,
        &d.tolerance,
        &d.measure,
        d.row_count,
        &d.who,
        &d.network,
        &d.source,
        &d.guess
    )?;
    Ok(DownloadId(id))
}

/// # Errors
/// As every query.
pub async fn downloads(
    c: &mut Conn<'_>,
    incident: IncidentId,
) -> Result<Vec<Download>, StorageError> {
    fetch_all!(c, Download: "SELECT * FROM downloads WHERE incident_id = $1 ORDER BY at, id LIMIT 500", incident.0)
}

/// # Errors
/// As every query.
pub async fn download(
    c: &mut Conn<'_>,
    incident: IncidentId,
    id: DownloadId,
) -> Result<Option<Download>, StorageError> {
    fetch_optional!(c, Download: "SELECT * FROM downloads WHERE incident_id = $1 AND id = $2", incident.0, id.0)
}

/// Keeps the result of a match.
///
/// # Errors
/// As every query.
pub async fn set_result(
    c: &mut Conn<'_>,
    id: DownloadId,
    result: &str,
    at: Timestamp,
) -> Result<(), StorageError> {
    execute!(
        c,
        "UPDATE downloads SET result = $2, matched_at = $3 WHERE id = $1",
        id.0,
        result,
        at.0
    )?;
    Ok(())
}

/// Keeps the definition that was guessed.
///
/// # Errors
/// As every query.
pub async fn set_guess(c: &mut Conn<'_>, id: DownloadId, guess: &str) -> Result<(), StorageError> {
    execute!(c, "UPDATE downloads SET guess = $2 WHERE id = $1", id.0, guess)?;
    Ok(())
}
