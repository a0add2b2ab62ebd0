//! Settings of the installation: small texts by name.

use crate::{Conn, StorageError};

/// # Errors
/// As every query.
pub async fn get(c: &mut Conn<'_>, name: &str) -> Result<Option<String>, StorageError> {
    let row = fetch_optional!(c, (String,): "SELECT value FROM settings WHERE name = $1", name)?;
    Ok(row.map(|r| r.0))
}

/// # Errors
/// As every query.
pub async fn set(c: &mut Conn<'_>, name: &str, value: &str) -> Result<(), StorageError> {
    execute!(
        c,
        "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        name,
        value
    )?;
    Ok(())
}
