//! The ledger's entries and head. What they mean, and how hashes are made, is warifu-ledger's.

use crate::{Conn, StorageError};
use warifu_domain::{OrganizationId, PersonId, Timestamp};

/// The ledger as it stands: size, the right edge of the tree, and the signed checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    pub size: i64,
    pub frontier: Vec<u8>,
    /// Time of the last entry, microseconds UTC.
    pub at: i64,
    pub checkpoint: String,
}

/// One entry with what it is found by.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Entry {
    pub seq: i64,
    /// Microseconds UTC.
    pub at: i64,
    pub kind: String,
    pub actor_id: i64,
    pub organization_id: i64,
    /// Canonical JSON.
    pub entry: Vec<u8>,
    /// RFC 6962 leaf hash.
    pub hash: Vec<u8>,
}

/// # Errors
/// As every query.
pub async fn head(c: &mut Conn<'_>) -> Result<Head, StorageError> {
    type Row = (i64, Vec<u8>, i64, String);
    let (size, frontier, at, checkpoint): Row = fetch_one!(c, Row:
        "SELECT ledger_size, ledger_frontier, ledger_at, checkpoint FROM head WHERE id = 1")?;
    Ok(Head { size, frontier, at, checkpoint })
}

/// Replaces the head. Only in a transaction that holds its lock ([`crate::Db::begin`]).
///
/// # Errors
/// As every query.
pub async fn set_head(c: &mut Conn<'_>, head: &Head) -> Result<(), StorageError> {
    execute!(
        c,
        "UPDATE head SET ledger_size = $1, ledger_frontier = $2, ledger_at = $3, checkpoint = $4 WHERE id = 1",
        head.size,
        &head.frontier,
        head.at,
        &head.checkpoint
    )?;
    Ok(())
}

/// What an entry is about, for finding it.
pub struct About<'a> {
    pub kind: &'a str,
    pub actor: PersonId,
    /// The organization whose data it concerns; 0 when it is none or several.
    pub organization: OrganizationId,
    pub at: Timestamp,
}

/// # Errors
/// As every query.
pub async fn append(
    c: &mut Conn<'_>,
    seq: i64,
    about: &About<'_>,
    entry: &[u8],
    hash: &[u8],
) -> Result<(), StorageError> {
    execute!(
        c,
        "INSERT INTO ledger_entries (seq, at, kind, actor_id, organization_id, entry, hash) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        seq,
        about.at.0,
        about.kind,
        about.actor.0,
        about.organization.0,
        entry,
        hash
    )?;
    Ok(())
}

/// Keeps the root of a full tile (level 1 and up).
///
/// # Errors
/// As every query.
pub async fn put_hash(
    c: &mut Conn<'_>,
    level: i64,
    index: i64,
    hash: &[u8],
) -> Result<(), StorageError> {
    execute!(
        c,
        "INSERT INTO ledger_hashes (level, idx, hash) VALUES ($1, $2, $3)",
        level,
        index,
        hash
    )?;
    Ok(())
}

/// Hashes of one tile level from an index on, in order: leaf hashes at level 0, roots of full
/// tiles above.
///
/// # Errors
/// As every query.
pub async fn hashes(
    c: &mut Conn<'_>,
    level: i64,
    from: i64,
    limit: i64,
) -> Result<Vec<Vec<u8>>, StorageError> {
    let rows = if level == 0 {
        fetch_all!(c, (Vec<u8>,):
            "SELECT hash FROM ledger_entries WHERE seq >= $1 ORDER BY seq LIMIT $2", from, limit)?
    } else {
        fetch_all!(c, (Vec<u8>,):
            "SELECT hash FROM ledger_hashes WHERE level = $1 AND idx >= $2 ORDER BY idx LIMIT $3", level, from, limit)?
    };
    Ok(rows.into_iter().map(|r| r.0).collect())
}

/// Entries from a sequence number on, in order.
///
/// # Errors
/// As every query.
pub async fn entries(c: &mut Conn<'_>, from: i64, limit: i64) -> Result<Vec<Entry>, StorageError> {
    fetch_all!(c, Entry:
        "SELECT seq, at, kind, actor_id, organization_id, entry, hash FROM ledger_entries WHERE seq >= $1 ORDER BY seq LIMIT $2",
        from, limit)
}

/// A page of entries, newest first, before a sequence number; all, or of one kind, or by one actor.
///
/// # Errors
/// As every query.
pub async fn page(
    c: &mut Conn<'_>,
    before: i64,
    kind: Option<&str>,
    actor: Option<PersonId>,
    limit: i64,
) -> Result<Vec<Entry>, StorageError> {
    match (kind, actor) {
        (None, None) => fetch_all!(c, Entry:
            "SELECT seq, at, kind, actor_id, organization_id, entry, hash FROM ledger_entries WHERE seq < $1 ORDER BY seq DESC LIMIT $2",
            before, limit),
        (Some(kind), None) => fetch_all!(c, Entry:
            "SELECT seq, at, kind, actor_id, organization_id, entry, hash FROM ledger_entries WHERE seq < $1 AND kind = $2 ORDER BY seq DESC LIMIT $3",
            before, kind, limit),
        (None, Some(actor)) => fetch_all!(c, Entry:
            "SELECT seq, at, kind, actor_id, organization_id, entry, hash FROM ledger_entries WHERE seq < $1 AND actor_id = $2 ORDER BY seq DESC LIMIT $3",
            before, actor.0, limit),
        (Some(kind), Some(actor)) => fetch_all!(c, Entry:
            "SELECT seq, at, kind, actor_id, organization_id, entry, hash FROM ledger_entries WHERE seq < $1 AND kind = $2 AND actor_id = $3 ORDER BY seq DESC LIMIT $4",
            before, kind, actor.0, limit),
    }
}
