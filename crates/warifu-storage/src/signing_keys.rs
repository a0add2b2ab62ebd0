//! Names and times of the keys that sign what applications are told. No key is in the database.

use crate::{Conn, StorageError};
use warifu_domain::Timestamp;

/// Names and when each begins to sign, the newest first.
///
/// # Errors
/// As every query.
pub async fn list(c: &mut Conn<'_>) -> Result<Vec<(String, Timestamp)>, StorageError> {
    let rows = fetch_all!(c, (String, i64):
        "SELECT kid, signs_from FROM signing_keys ORDER BY signs_from DESC LIMIT 4")?;
    Ok(rows.into_iter().map(|(kid, from)| (kid, Timestamp(from))).collect())
}

/// Adds one, unless another node has added one for that time.
///
/// # Errors
/// As every query.
pub async fn insert(c: &mut Conn<'_>, kid: &str, from: Timestamp) -> Result<(), StorageError> {
    execute!(
        c,
        "INSERT INTO signing_keys (kid, signs_from) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        kid,
        from.0
    )?;
    Ok(())
}
