//! Changes that wait for a second person.

use crate::{Conn, StorageError};
use warifu_domain::{PersonId, Timestamp};

/// A change that waits, or waited.
#[derive(Clone, Debug)]
pub struct Approval {
    pub id: i64,
    /// What is to be done, as JSON.
    pub proposal: String,
    /// SHA-256 of that text: what the second person agrees to.
    pub digest: Vec<u8>,
    pub reason: String,
    pub requested_by: PersonId,
    pub requested_at: Timestamp,
    pub expires_at: Timestamp,
    /// `done`, `refused`, `void`; `None` while it waits.
    pub outcome: Option<String>,
    pub decided_by: Option<PersonId>,
    pub decided_at: Option<Timestamp>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    proposal: String,
    digest: Vec<u8>,
    reason: String,
    requested_by: i64,
    requested_at: i64,
    expires_at: i64,
    outcome: Option<String>,
    decided_by: Option<i64>,
    decided_at: Option<i64>,
}

impl From<Row> for Approval {
    fn from(r: Row) -> Self {
        Approval {
            id: r.id,
            proposal: r.proposal,
            digest: r.digest,
            reason: r.reason,
            requested_by: PersonId(r.requested_by),
            requested_at: Timestamp(r.requested_at),
            expires_at: Timestamp(r.expires_at),
            outcome: r.outcome,
            decided_by: r.decided_by.map(PersonId),
            decided_at: r.decided_at.map(Timestamp),
        }
    }
}

/// What is to wait.
pub struct NewApproval<'a> {
    pub proposal: &'a str,
    pub digest: &'a [u8],
    pub reason: &'a str,
    pub by: PersonId,
    pub at: Timestamp,
    pub expires_at: Timestamp,
}

/// Keeps a change until somebody else has decided, and gives its number.
///
/// # Errors
/// As every query.
pub async fn insert(c: &mut Conn<'_>, new: &NewApproval<'_>) -> Result<i64, StorageError> {
    let id = c.take_ids("approvals", 1).await?;
    execute!(
        c,
        "INSERT INTO approvals (id, proposal, digest, reason, requested_by, requested_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        id,
        new.proposal,
        new.digest,
        new.reason,
        new.by.0,
        new.at.0,
        new.expires_at.0
    )?;
    Ok(id)
}

/// # Errors
/// As every query.
pub async fn find(c: &mut Conn<'_>, id: i64) -> Result<Option<Approval>, StorageError> {
    let row = fetch_optional!(c, Row: "SELECT * FROM approvals WHERE id = $1", id)?;
    Ok(row.map(Into::into))
}

/// The newest, waiting or decided.
///
/// # Errors
/// As every query.
pub async fn list(c: &mut Conn<'_>, limit: i64) -> Result<Vec<Approval>, StorageError> {
    let rows = fetch_all!(c, Row: "SELECT * FROM approvals ORDER BY id DESC LIMIT $1", limit)?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// How many wait.
///
/// # Errors
/// As every query.
pub async fn waiting(c: &mut Conn<'_>, now: Timestamp) -> Result<i64, StorageError> {
    let row = fetch_one!(c, (i64,): "SELECT count(*) FROM approvals WHERE outcome IS NULL AND expires_at > $1", now.0)?;
    Ok(row.0)
}

/// Decides a change that waits; `false` when somebody did before.
///
/// # Errors
/// As every query.
pub async fn decide(
    c: &mut Conn<'_>,
    id: i64,
    outcome: &str,
    by: PersonId,
    at: Timestamp,
) -> Result<bool, StorageError> {
    let n = execute!(
        c,
        "UPDATE approvals SET outcome = $2, decided_by = $3, decided_at = $4 WHERE id = $1 AND outcome IS NULL",
        id,
        outcome,
        by.0,
        at.0
    )?;
    Ok(n == 1)
}
