//! Answers to creating requests that carried an `Idempotency-Key`, so that a repeated request gets
//! the first one's answer instead of a second record.

use crate::{Conn, StorageError};
use warifu_domain::{PersonId, Timestamp};

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Kept {
    /// SHA-256 of the route and body that the key came with first.
    pub request: Vec<u8>,
    /// Microseconds UTC.
    pub at: i64,
    /// HTTP status of the answer; 0 while the first request is still being worked on.
    pub status: i64,
    /// JSON body of the answer.
    pub answer: String,
}

/// Takes a key for a request. `None`: it was free and is now taken. Keys taken before `since`
/// are free again; so is, for the same request, one taken before `lapsed` that has no answer: whoever
/// took it is gone.
///
/// # Errors
/// As every query.
pub async fn take(
    c: &mut Conn<'_>,
    person: PersonId,
    key: &str,
    request: &[u8],
    at: Timestamp,
    since: Timestamp,
    lapsed: Timestamp,
) -> Result<Option<Kept>, StorageError> {
    execute!(c, "DELETE FROM idempotency WHERE at < $1", since.0)?;
    let n = execute!(
        c,
        "INSERT INTO idempotency (person_id, key, request, at, status, answer) VALUES ($1, $2, $3, $4, 0, '') \
         ON CONFLICT (person_id, key) DO NOTHING",
        person.0,
        key,
        request,
        at.0
    )?;
    if n == 1 {
        return Ok(None);
    }
    // One statement: of several that try at once, one finds the old time.
    let n = execute!(
        c,
        "UPDATE idempotency SET at = $4 \
         WHERE person_id = $1 AND key = $2 AND request = $3 AND status = 0 AND at < $5",
        person.0,
        key,
        request,
        at.0,
        lapsed.0
    )?;
    if n == 1 {
        return Ok(None);
    }
    fetch_optional!(c, Kept:
        "SELECT request, at, status, answer FROM idempotency WHERE person_id = $1 AND key = $2", person.0, key)
}

/// Keeps the answer for a key that was taken at `at` and is still held.
///
/// # Errors
/// As every query.
pub async fn keep(
    c: &mut Conn<'_>,
    person: PersonId,
    key: &str,
    at: Timestamp,
    status: i64,
    answer: &str,
) -> Result<(), StorageError> {
    execute!(
        c,
        "UPDATE idempotency SET status = $4, answer = $5 WHERE person_id = $1 AND key = $2 AND at = $3",
        person.0,
        key,
        at.0,
        status,
        answer
    )?;
    Ok(())
}

/// Gives a key that was taken at `at` back after its request failed, so that it can be tried again.
///
/// # Errors
/// As every query.
pub async fn release(
    c: &mut Conn<'_>,
    person: PersonId,
    key: &str,
    at: Timestamp,
) -> Result<(), StorageError> {
    execute!(
        c,
        "DELETE FROM idempotency WHERE person_id = $1 AND key = $2 AND at = $3 AND status = 0",
        person.0,
        key,
        at.0
    )?;
    Ok(())
}
