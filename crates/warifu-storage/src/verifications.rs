//! Checks of callers, the codes of their tallies, and how long a number has stood in a record.

use crate::people::revision_times;
use crate::{Conn, StorageError};
use warifu_domain::verification::{Number, Stage, Verification};
use warifu_domain::{OrganizationId, PersonId, Revision, Timestamp};

fn read((body,): (String,)) -> Result<Verification, StorageError> {
    let bad = |e: serde_json::Error| StorageError::Corrupt {
        what: "verifications.body",
        detail: e.to_string(),
    };
    serde_json::from_str(&body).map_err(bad)
}

fn written(v: &Verification) -> Result<String, StorageError> {
    serde_json::to_string(v)
        .map_err(|e| StorageError::Corrupt { what: "verifications.body", detail: e.to_string() })
}

/// Adds a check whose id was taken from the `verifications` counter.
///
/// # Errors
/// As every query.
pub async fn insert(c: &mut Conn<'_>, v: &Verification) -> Result<(), StorageError> {
    execute!(
        c,
        "INSERT INTO verifications (id, person_id, stage, requested_at, changed_at, body) VALUES ($1, $2, $3, $4, $5, $6)",
        v.id,
        v.payload.person.0,
        v.stage().key(),
        v.requested.at.0,
        v.requested.at.0,
        written(v)?
    )?;
    Ok(())
}

/// Keeps what a step made of a check.
///
/// # Errors
/// As every query.
pub async fn update(c: &mut Conn<'_>, v: &Verification, at: Timestamp) -> Result<(), StorageError> {
    execute!(
        c,
        "UPDATE verifications SET person_id = $2, stage = $3, changed_at = $4, body = $5 WHERE id = $1",
        v.id,
        v.payload.person.0,
        v.stage().key(),
        at.0,
        written(v)?
    )?;
    Ok(())
}

/// # Errors
/// As every query.
pub async fn find(c: &mut Conn<'_>, id: i64) -> Result<Option<Verification>, StorageError> {
    let row = fetch_optional!(c, (String,): "SELECT body FROM verifications WHERE id = $1", id)?;
    row.map(read).transpose()
}

/// The checks, newest first: those at a stage, or of a person, or all; at most `limit`.
///
/// # Errors
/// As every query.
pub async fn list(
    c: &mut Conn<'_>,
    stage: Option<Stage>,
    person: Option<PersonId>,
    limit: i64,
) -> Result<Vec<Verification>, StorageError> {
    let rows = match (stage, person) {
        (_, Some(person)) => fetch_all!(c, (String,):
            "SELECT body FROM verifications WHERE person_id = $1 ORDER BY id DESC LIMIT $2", person.0, limit),
        (Some(stage), None) => fetch_all!(c, (String,):
            "SELECT body FROM verifications WHERE stage = $1 AND stage <> 'ended' ORDER BY id DESC LIMIT $2",
            stage.key(), limit),
        (None, None) => fetch_all!(c, (String,):
            "SELECT body FROM verifications ORDER BY id DESC LIMIT $1", limit),
    }?;
    rows.into_iter().map(read).collect()
}

/// The checks of an organization's people, newest first; at most `limit`.
///
/// # Errors
/// As every query.
pub async fn of_organization(
    c: &mut Conn<'_>,
    organization: OrganizationId,
    limit: i64,
) -> Result<Vec<Verification>, StorageError> {
    let rows = fetch_all!(c, (String,):
        "SELECT v.body FROM verifications v JOIN people p ON p.id = v.person_id AND p.rev_to = 9223372036854775807 \
         WHERE p.organization_id = $1 ORDER BY v.id DESC LIMIT $2", organization.0, limit)?;
    rows.into_iter().map(read).collect()
}

/// Keeps the code of a tally, and forgets those that are over.
///
/// # Errors
/// As every query.
pub async fn insert_tally(
    c: &mut Conn<'_>,
    code_hash: &[u8],
    id: i64,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<(), StorageError> {
    execute!(c, "DELETE FROM tallies WHERE expires_at <= $1 OR verification_id = $2", now.0, id)?;
    execute!(
        c,
        "INSERT INTO tallies (code_hash, verification_id, expires_at) VALUES ($1, $2, $3)",
        code_hash,
        id,
        expires_at.0
    )?;
    Ok(())
}

/// The check whose tally has this code.
///
/// # Errors
/// As every query.
pub async fn of_tally(
    c: &mut Conn<'_>,
    code_hash: &[u8],
    now: Timestamp,
) -> Result<Option<Verification>, StorageError> {
    let row = fetch_optional!(c, (String,):
        "SELECT v.body FROM tallies t JOIN verifications v ON v.id = t.verification_id \
         WHERE t.code_hash = $1 AND t.expires_at > $2", code_hash, now.0)?;
    row.map(read).transpose()
}

/// Since when each number has stood in the record of a person without a break, under whichever label.
///
/// # Errors
/// As every query.
pub async fn numbers(
    c: &mut Conn<'_>,
    person: PersonId,
    numbers: &[&str],
) -> Result<Vec<Number>, StorageError> {
    let mut out: Vec<Number> = Vec::new();
    for number in numbers {
        // Where the last version without it ends, or with the first version of all.
        let (since,): (Option<i64>,) = fetch_one!(c, (Option<i64>,):
            "SELECT coalesce((SELECT max(rev_to) FROM people WHERE id = $1 \
             AND coalesce(phone, '') <> $2 AND coalesce(mobile, '') <> $2), \
             (SELECT min(rev_from) FROM people WHERE id = $1))", person.0, *number)?;
        let Some(since) = since else { continue };
        let at = revision_times(c, &[Revision(since)]).await?;
        if let Some((_, since)) = at.first()
            && !out.iter().any(|n| n.text == *number)
        {
            out.push(Number { text: (*number).to_owned(), since: *since });
        }
    }
    Ok(out)
}
