//! Notices to people about their own accounts.

use crate::{Conn, StorageError};
use warifu_domain::notices::{Details, NoticeKind};
use warifu_domain::{PersonId, Timestamp};

/// A notice as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub at: Timestamp,
    pub kind: NoticeKind,
    pub details: Details,
    pub seen: bool,
}

#[derive(sqlx::FromRow)]
struct Row {
    at: i64,
    kind: String,
    details: String,
    seen_at: Option<i64>,
}

impl TryFrom<Row> for Notice {
    type Error = StorageError;
    fn try_from(r: Row) -> Result<Notice, StorageError> {
        let kind = NoticeKind::from_key(&r.kind)
            .ok_or(StorageError::Corrupt { what: "notices.kind", detail: r.kind })?;
        let details = serde_json::from_str(&r.details).map_err(|e| StorageError::Corrupt {
            what: "notices.details",
            detail: e.to_string(),
        })?;
        Ok(Notice { at: Timestamp(r.at), kind, details, seen: r.seen_at.is_some() })
    }
}

/// # Errors
/// As every query.
pub async fn insert(
    c: &mut Conn<'_>,
    person: PersonId,
    at: Timestamp,
    kind: NoticeKind,
    details: &Details,
) -> Result<(), StorageError> {
    let id = c.take_ids("notices", 1).await?;
    let details = serde_json::to_string(details)
        .map_err(|e| StorageError::Corrupt { what: "notices.details", detail: e.to_string() })?;
    execute!(
        c,
        "INSERT INTO notices (id, person_id, at, kind, details) VALUES ($1, $2, $3, $4, $5)",
        id,
        person.0,
        at.0,
        kind.key(),
        details
    )?;
    Ok(())
}

/// A person's notices, newest first, at most 100.
///
/// # Errors
/// As every query.
pub async fn of_person(c: &mut Conn<'_>, person: PersonId) -> Result<Vec<Notice>, StorageError> {
    let rows = fetch_all!(c, Row:
        "SELECT at, kind, details, seen_at FROM notices WHERE person_id = $1 ORDER BY id DESC LIMIT 100", person.0)?;
    rows.into_iter().map(TryFrom::try_from).collect()
}

/// How many of a person's notices they have not seen; from an index that holds nothing else.
///
/// # Errors
/// As every query.
pub async fn unseen(c: &mut Conn<'_>, person: PersonId) -> Result<i64, StorageError> {
    let (n,): (i64,) = fetch_one!(c, (i64,):
        "SELECT count(*) FROM notices WHERE person_id = $1 AND seen_at IS NULL", person.0)?;
    Ok(n)
}

/// Marks all as seen.
///
/// # Errors
/// As every query.
pub async fn see(c: &mut Conn<'_>, person: PersonId, at: Timestamp) -> Result<(), StorageError> {
    execute!(
        c,
        "UPDATE notices SET seen_at = $2 WHERE person_id = $1 AND seen_at IS NULL",
        person.0,
        at.0
    )?;
    Ok(())
}
