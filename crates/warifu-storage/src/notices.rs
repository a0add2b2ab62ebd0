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

fn written(details: &Details) -> Result<String, StorageError> {
    serde_json::to_string(details)
        .map_err(|e| StorageError::Corrupt { what: "notices.details", detail: e.to_string() })
}

/// Whether somebody was told of something after a time.
///
/// # Errors
/// As every query.
pub async fn told_since(
    c: &mut Conn<'_>,
    person: PersonId,
    kind: NoticeKind,
    since: Timestamp,
) -> Result<bool, StorageError> {
    let found = fetch_optional!(c, (i64,):
        "SELECT id FROM notices WHERE person_id = $1 AND kind = $2 AND at > $3 LIMIT 1",
        person.0, kind.key(), since.0)?;
    Ok(found.is_some())
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
    execute!(
        c,
        "INSERT INTO notices (id, person_id, at, kind, details, mail_at) VALUES ($1, $2, $3, $4, $5, $3)",
        id,
        person.0,
        at.0,
        kind.key(),
        written(details)?
    )?;
    Ok(())
}

/// The same notice once more, for an address that is no longer in the record: it goes there by mail and is
/// shown nowhere.
///
/// # Errors
/// As every query.
pub async fn insert_copy(
    c: &mut Conn<'_>,
    person: PersonId,
    at: Timestamp,
    (kind, details): (NoticeKind, &Details),
    to: &str,
) -> Result<(), StorageError> {
    let id = c.take_ids("notices", 1).await?;
    execute!(
        c,
        "INSERT INTO notices (id, person_id, at, kind, details, mail_at, seen_at, mail_to) \
         VALUES ($1, $2, $3, $4, $5, $3, $3, $6)",
        id,
        person.0,
        at.0,
        kind.key(),
        written(details)?,
        to
    )?;
    Ok(())
}

/// A notice that is to be mailed.
#[derive(Clone, Debug)]
pub struct Due {
    pub id: i64,
    pub person: PersonId,
    pub at: Timestamp,
    pub kind: NoticeKind,
    pub details: Details,
    /// When it was to be tried.
    pub mail_at: i64,
    /// Where it goes, if not to the address in the record.
    pub mail_to: Option<String>,
}

/// Notices that are to be mailed by a time, the longest due first.
///
/// # Errors
/// As every query.
pub async fn due(c: &mut Conn<'_>, now: Timestamp, limit: i64) -> Result<Vec<Due>, StorageError> {
    type Columns = (i64, i64, i64, String, String, i64, Option<String>);
    let rows = fetch_all!(c, Columns:
        "SELECT id, person_id, at, kind, details, mail_at, mail_to FROM notices \
         WHERE mail_at IS NOT NULL AND mail_at <= $1 ORDER BY mail_at, id LIMIT $2", now.0, limit)?;
    let due = |(id, person, at, kind, details, mail_at, mail_to): Columns| {
        let notice = Notice::try_from(Row { at, kind, details, seen_at: None })?;
        Ok(Due {
            id,
            person: PersonId(person),
            at: notice.at,
            kind: notice.kind,
            details: notice.details,
            mail_at,
            mail_to,
        })
    };
    rows.into_iter().map(due).collect()
}

/// Takes a mail for one try, with the time of the next; `false` when another node has it.
///
/// # Errors
/// As every query.
pub async fn take_mail(
    c: &mut Conn<'_>,
    id: i64,
    was: i64,
    next: Option<Timestamp>,
) -> Result<bool, StorageError> {
    let n = execute!(
        c,
        "UPDATE notices SET mail_at = $3 WHERE id = $1 AND mail_at = $2",
        id,
        was,
        next.map(|t| t.0)
    )?;
    Ok(n == 1)
}

/// A notice was mailed.
///
/// # Errors
/// As every query.
pub async fn mailed(c: &mut Conn<'_>, id: i64) -> Result<(), StorageError> {
    execute!(c, "UPDATE notices SET mail_at = NULL WHERE id = $1", id)?;
    Ok(())
}

/// A person's notices, newest first, at most 100.
///
/// # Errors
/// As every query.
pub async fn of_person(c: &mut Conn<'_>, person: PersonId) -> Result<Vec<Notice>, StorageError> {
    let rows = fetch_all!(c, Row:
        "SELECT at, kind, details, seen_at FROM notices WHERE person_id = $1 AND mail_to IS NULL ORDER BY id DESC LIMIT 100", person.0)?;
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
