//! Printed recovery codes: only SHA-256 digests are kept.

use crate::{Conn, StorageError};
use warifu_domain::{PersonId, Timestamp};

/// Puts new codes in the place of a person's old ones.
///
/// # Errors
/// As every query.
pub async fn replace(
    c: &mut Conn<'_>,
    person: PersonId,
    hashes: &[[u8; 32]],
    at: Timestamp,
) -> Result<(), StorageError> {
    execute!(c, "DELETE FROM recovery_codes WHERE person_id = $1", person.0)?;
    for hash in hashes {
        execute!(
            c,
            "INSERT INTO recovery_codes (code_hash, person_id, created_at) VALUES ($1, $2, $3)",
            hash.as_slice(),
            person.0,
            at.0
        )?;
    }
    Ok(())
}

/// Takes a code out: it is good once. Gives whose it was.
///
/// # Errors
/// As every query.
pub async fn take(c: &mut Conn<'_>, hash: &[u8]) -> Result<Option<PersonId>, StorageError> {
    let row = fetch_optional!(c, (i64,):
        "DELETE FROM recovery_codes WHERE code_hash = $1 RETURNING person_id", hash)?;
    Ok(row.map(|r| PersonId(r.0)))
}

/// How many codes a person has left, and when they were made.
///
/// # Errors
/// As every query.
pub async fn left(
    c: &mut Conn<'_>,
    person: PersonId,
) -> Result<(i64, Option<Timestamp>), StorageError> {
    let (n, at): (i64, Option<i64>) = fetch_one!(c, (i64, Option<i64>):
        "SELECT count(*), max(created_at) FROM recovery_codes WHERE person_id = $1", person.0)?;
    Ok((n, at.map(Timestamp)))
}
