//! Proofs of step-ups between the touch of the key and the action. Only SHA-256 digests are kept.

use crate::{Conn, StorageError};
use warifu_domain::Timestamp;

/// Keeps a proof, and forgets those that have expired.
///
/// # Errors
/// As every query.
pub async fn insert(
    c: &mut Conn<'_>,
    proof: &[u8],
    session: &[u8],
    action: &[u8],
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<(), StorageError> {
    execute!(c, "DELETE FROM step_ups WHERE expires_at <= $1", now.0)?;
    execute!(
        c,
        "INSERT INTO step_ups (token_hash, session, action, expires_at) VALUES ($1, $2, $3, $4)",
        proof,
        session,
        action,
        expires_at.0
    )?;
    Ok(())
}

/// Takes a proof out; `false` when it was not made in this session for this action, or has expired.
/// Done in the action's own transaction: a proof is spent when the action is done, and only then.
///
/// # Errors
/// As every query.
pub async fn take(
    c: &mut Conn<'_>,
    proof: &[u8],
    session: &[u8],
    action: &[u8],
    now: Timestamp,
) -> Result<bool, StorageError> {
    let n = execute!(
        c,
        "DELETE FROM step_ups WHERE token_hash = $1 AND session = $2 AND action = $3 AND expires_at > $4",
        proof,
        session,
        action,
        now.0
    )?;
    Ok(n == 1)
}
