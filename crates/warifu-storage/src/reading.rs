//! Whose records somebody was shown of late.

use crate::{Conn, StorageError};
use warifu_domain::{PersonId, Timestamp};

/// Counts people as shown, each once for a day, and gives how many did not count yet. The list must name
/// nobody twice.
///
/// # Errors
/// As every query.
pub async fn count(
    c: &mut Conn<'_>,
    actor: PersonId,
    people: &[PersonId],
    at: Timestamp,
) -> Result<u64, StorageError> {
    // The day is `warifu_domain::reading::WINDOW`.
    let written = insert_many!(
        c,
        "INSERT INTO people_shown (actor_id, person_id, shown_at)",
        people,
        |person| (actor.0, person.0, at.0),
        "ON CONFLICT (actor_id, person_id) DO UPDATE SET shown_at = excluded.shown_at \
         WHERE people_shown.shown_at <= excluded.shown_at - 86400000000"
    );
    Ok(written)
}

/// How many people count since a time, and how often was agreed to read on.
///
/// # Errors
/// As every query.
pub async fn of_late(
    c: &mut Conn<'_>,
    actor: PersonId,
    since: Timestamp,
) -> Result<(i64, i64), StorageError> {
    fetch_one!(c, (i64, i64):
        "SELECT (SELECT count(*) FROM people_shown WHERE actor_id = $1 AND shown_at > $2), \
         (SELECT count(*) FROM reading_agreed WHERE actor_id = $1 AND agreed_at > $2)",
        actor.0, since.0)
}

/// When the nth of those who count since a time was counted, the first being 0.
///
/// # Errors
/// As every query.
pub async fn nth(
    c: &mut Conn<'_>,
    actor: PersonId,
    since: Timestamp,
    n: i64,
) -> Result<Option<Timestamp>, StorageError> {
    let row = fetch_optional!(c, (i64,):
        "SELECT shown_at FROM people_shown WHERE actor_id = $1 AND shown_at > $2 \
         ORDER BY shown_at LIMIT 1 OFFSET $3", actor.0, since.0, n)?;
    Ok(row.map(|(at,)| Timestamp(at)))
}

/// Keeps that somebody agreed to be shown so many people.
///
/// # Errors
/// As every query.
pub async fn agree(
    c: &mut Conn<'_>,
    actor: PersonId,
    people: i64,
    at: Timestamp,
) -> Result<(), StorageError> {
    execute!(
        c,
        "INSERT INTO reading_agreed (actor_id, agreed_at, people) VALUES ($1, $2, $3)",
        actor.0,
        at.0,
        people
    )?;
    Ok(())
}
