//! The search index: who is found by which words. Tokens are the domain's; see `dialect.rs` for
//! how each engine takes them.

pub mod fill;

use crate::db::ROWS;
use crate::{Conn, Engine, StorageError, dialect};
use std::collections::HashMap;
use warifu_domain::search::{Term, tokens};
use warifu_domain::{CaseId, OrganizationId, PersonId};

/// Which index.
#[derive(Clone, Copy)]
pub enum Index {
    Messages,
    People,
    Organizations,
}

/// Puts records' texts into their index, replacing what was there.
///
/// # Errors
/// As every query.
pub async fn index_many(
    c: &mut Conn<'_>,
    index: Index,
    texts: &[(i64, impl AsRef<str>)],
) -> Result<(), StorageError> {
    let of = |(id, text): &(i64, _)| (*id, tokens_of(c.engine(), AsRef::as_ref(text)));
    let rows: Vec<(i64, String)> = texts.iter().map(of).collect();
    let (sqlite, postgres) = match index {
        Index::Messages => (MESSAGES, MESSAGES),
        Index::People => (
            "INSERT OR REPLACE INTO people_search (rowid, tokens) ",
            "INSERT INTO people_search (rowid, tokens) ",
        ),
        Index::Organizations => (
            "INSERT OR REPLACE INTO organization_search (rowid, tokens) ",
            "INSERT INTO organization_search (rowid, tokens) ",
        ),
    };
    put(c, sqlite, postgres, " ON CONFLICT (rowid) DO UPDATE SET tokens = excluded.tokens", &rows)
        .await
}

const MESSAGES: &str = "INSERT INTO message_search (rowid, tokens) ";

fn tokens_of(engine: Engine, text: &str) -> String {
    dialect::index_text(engine, &tokens(text))
}

/// Adds rows of id and tokens to an index by one statement for many.
async fn put(
    c: &mut Conn<'_>,
    sqlite: &'static str,
    postgres: &'static str,
    postgres_tail: &'static str,
    rows: &[(i64, String)],
) -> Result<(), StorageError> {
    // FTS5 writes what it has gathered after each statement: the fewer, the less it has to merge.
    for rows in rows.chunks(16 * ROWS) {
        let again = rows.len() == 16 * ROWS;
        match c {
            Conn::Sqlite(c, wait) => {
                wait.note(sqlite);
                let mut sql = sqlx::QueryBuilder::<sqlx::Sqlite>::new(sqlite);
                sql.push_values(rows, |mut row, (id, tokens)| {
                    row.push_bind(*id).push_bind(tokens.as_str());
                });
                sql.build().persistent(again).execute(&mut **c).await?;
            }
            Conn::Postgres(c, wait) => {
                wait.note(postgres);
                let mut sql = sqlx::QueryBuilder::<sqlx::Postgres>::new(postgres);
                sql.push_values(rows, |mut row, (id, tokens)| {
                    row.push_bind(*id).push_bind(tokens.as_str());
                    row.push_unseparated("::tsvector");
                });
                sql.push(postgres_tail);
                sql.build().persistent(again).execute(&mut **c).await?;
            }
        }
    }
    Ok(())
}

/// A message to be found: its own text with the case's subject, so that words of both find it.
pub struct MessageText<'a> {
    pub id: i64,
    pub case: CaseId,
    pub organization: OrganizationId,
    /// Notes and events: found by staff only.
    pub internal: bool,
    pub subject: &'a str,
    pub body: &'a str,
}

/// A token that every message has which an organization's people may read: what they look for is
/// then answered from their own messages, whatever others wrote. It begins with a character for
/// private use, which no token of a text or a query holds.
fn scope(organization: OrganizationId) -> String {
    format!("\u{E000}{organization}")
}

/// Makes messages findable.
///
/// # Errors
/// As every query.
pub async fn index_messages(
    c: &mut Conn<'_>,
    messages: &[MessageText<'_>],
) -> Result<(), StorageError> {
    let of = |m: &MessageText<'_>| {
        let mut words = tokens(&format!("{} {} {}", m.case, m.subject, m.body));
        if !m.internal {
            words.insert(0, scope(m.organization));
        }
        (m.id, dialect::index_text(c.engine(), &words))
    };
    let rows: Vec<(i64, String)> = messages.iter().map(of).collect();
    put(c, MESSAGES, MESSAGES, "", &rows).await?;
    insert_many!(
        c,
        "INSERT INTO message_cases (message_id, case_id, organization_id, internal)",
        messages,
        |m| (m.id, m.case.0, m.organization.0, m.internal)
    );
    Ok(())
}

/// Words that the beginning of a word stands for, at most: the first in their order. Whoever types
/// on gets the others.
const BEGIN: i64 = 32;

/// What is looked for, as the engine's index takes it.
///
/// FTS5 reads every place of every word with a beginning before it gives the first one; of words
/// that are named it reads the newest places only. So on SQLite the words are looked up first.
async fn wanted(c: &mut Conn<'_>, index: Index, terms: &[Term]) -> Result<String, StorageError> {
    macro_rules! words {
        ($table:literal) => {
            concat!(
                "WITH RECURSIVE words (word) AS (SELECT (SELECT term FROM ", $table,
                " WHERE term >= $1 AND term < $2 ORDER BY term LIMIT 1) UNION ALL SELECT (SELECT term FROM ", $table,
                " WHERE term >= words.word || char(1) AND term < $2 ORDER BY term LIMIT 1) FROM words \
                 WHERE words.word IS NOT NULL LIMIT $3) SELECT word FROM words WHERE word IS NOT NULL"
            )
        };
    }
    let mut begun = HashMap::new();
    if let Conn::Sqlite(c, _) = c {
        let sql = match index {
            Index::Messages => words!("message_terms"),
            Index::People => words!("people_terms"),
            Index::Organizations => words!("organization_terms"),
        };
        for term in terms {
            let Term::Prefix(start) = term else { continue };
            let end = format!("{start}\u{10FFFF}");
            let query = sqlx::query_as::<_, (String,)>(sql).bind(start).bind(end).bind(BEGIN);
            let words = query.fetch_all(&mut **c).await?;
            begun.insert(start.as_str(), words.into_iter().map(|w| w.0).collect());
        }
    }
    Ok(dialect::match_text(c.engine(), terms, &begun))
}

/// Messages looked at before it stops looking for further cases: few at first, which are enough
/// for a page unless the same cases come again and again.
const WINDOWS: [i64; 2] = [64, 336];

/// In whose messages is looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// In all of them, the internal ones too.
    Everybodys,
    /// In what an organization's people may read of its cases.
    Organization(OrganizationId),
    /// In what somebody may read of the cases that they asked.
    Requester(OrganizationId, PersonId),
}

/// Cases with a message in which every term occurs, the newest message first.
///
/// # Errors
/// As every query.
pub async fn cases(
    c: &mut Conn<'_>,
    whose: Whose,
    terms: &[Term],
    limit: usize,
) -> Result<Vec<CaseId>, StorageError> {
    if terms.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = wanted(c, Index::Messages, terms).await?;
    if let Whose::Organization(o) | Whose::Requester(o, _) = whose {
        let scope = dialect::match_text(c.engine(), &[Term::Word(scope(o))], &HashMap::new());
        query = dialect::all_of(c.engine(), &[scope, query]);
    }
    let mut found = Vec::new();
    let mut seen = std::collections::HashSet::new();
    let mut before = i64::MAX;
    for window in WINDOWS {
        let rows = window_of(c, whose, &query, before, window).await?;
        let last = (rows.len() as i64) < window;
        before = rows.last().map_or(before, |r| r.1);
        found.extend(rows.into_iter().map(|r| CaseId(r.0)).filter(|id| seen.insert(*id)));
        if last || found.len() >= limit {
            break;
        }
    }
    found.truncate(limit);
    Ok(found)
}

/// Case and id of the newest messages before one. The organization is asked for by column as well:
/// the token narrows the search, the column decides.
async fn window_of(
    c: &mut Conn<'_>,
    whose: Whose,
    query: &str,
    before: i64,
    window: i64,
) -> Result<Vec<(i64, i64)>, StorageError> {
    // Looked up hit by hit (OFFSET 0 keeps it so): PostgreSQL would rather walk through all of
    // message_cases beside a few hits.
    macro_rules! newest {
        ($source:literal, $where:literal) => {
            concat!(
                $source, ", LATERAL (SELECT case_id, organization_id, internal FROM message_cases WHERE message_id = s.id OFFSET 0) m ",
                "WHERE s.id < $2 ", $where, "ORDER BY s.id DESC LIMIT $3"
            )
        };
    }
    macro_rules! on_engine {
        ($where:literal $(, $bind:expr)*) => {
            match c.engine() {
                // FTS5 gives the newest first by itself and stops.
                Engine::Sqlite => fetch_all!(c, (i64, i64):
                    concat!("SELECT m.case_id, s.rowid FROM message_search s JOIN message_cases m ON m.message_id = s.rowid ",
                        "WHERE message_search MATCH $1 AND s.rowid < $2 ", $where, "ORDER BY s.rowid DESC LIMIT $3"),
                    query, before, window $(, $bind)*),
                Engine::Postgres => fetch_all!(c, (i64, i64):
                    newest!("WITH s AS MATERIALIZED (SELECT rowid AS id FROM message_search WHERE tokens @@ $1::tsquery) \
                        SELECT m.case_id, s.id FROM s", $where), query, before, window $(, $bind)*),
            }
        };
    }
    match whose {
        Whose::Everybodys => {
            if c.engine() == Engine::Postgres {
                let rows = fetch_all!(c, (i64, i64):
                    newest!("SELECT m.case_id, s.id FROM (SELECT rowid AS id, tokens FROM message_search \
                        WHERE rowid < $2 ORDER BY rowid DESC LIMIT 10000) s", "AND s.tokens @@ $1::tsquery "),
                    query, before, window)?;
                if rows.len() as i64 == window {
                    return Ok(rows);
                }
            }
            on_engine!("")
        }
        Whose::Organization(o) => {
            on_engine!("AND m.organization_id = $4 AND NOT m.internal ", o.0)
        }
        Whose::Requester(o, p) => on_engine!(
            "AND m.organization_id = $4 AND NOT m.internal AND (SELECT k.requester_id FROM cases k WHERE k.id = m.case_id \
             AND k.rev_to = 9223372036854775807) = $5 ",
            o.0,
            p.0
        ),
    }
}

/// The first records of an index in which every term occurs. PostgreSQL cannot know how common a word is:
/// by itself it would walk through a whole table for a rare one, or gather every place of a common
/// one. So it walks through the first ten thousand, where a common one is found often enough, and
/// gathers all places only of what is not.
macro_rules! first {
    ($c:expr, $table:literal, $query:expr, $limit:expr) => {
        match $c.engine() {
            Engine::Sqlite => fetch_all!($c, (i64,):
                concat!("SELECT rowid FROM ", $table, " WHERE ", $table, " MATCH $1 ORDER BY rowid LIMIT $2"), $query, $limit),
            Engine::Postgres => {
                let near = fetch_all!($c, (i64,):
                    concat!("SELECT s.id FROM (SELECT rowid AS id, tokens FROM ", $table,
                        " ORDER BY rowid LIMIT 10000) s WHERE s.tokens @@ $1::tsquery ORDER BY s.id LIMIT $2"),
                    $query, $limit)?;
                if near.len() as i64 == $limit {
                    Ok(near)
                } else {
                    fetch_all!($c, (i64,):
                        concat!("WITH s AS MATERIALIZED (SELECT rowid AS id FROM ", $table,
                            " WHERE tokens @@ $1::tsquery) SELECT id FROM s ORDER BY id LIMIT $2"), $query, $limit)
                }
            }
        }
    };
}

/// # Errors
/// As every query.
pub async fn people(
    c: &mut Conn<'_>,
    terms: &[Term],
    limit: i64,
) -> Result<Vec<PersonId>, StorageError> {
    if terms.is_empty() {
        return Ok(Vec::new());
    }
    let query = wanted(c, Index::People, terms).await?;
    let rows = first!(c, "people_search", &query, limit)?;
    Ok(rows.into_iter().map(|r| PersonId(r.0)).collect())
}

/// # Errors
/// As every query.
pub async fn organizations(
    c: &mut Conn<'_>,
    terms: &[Term],
    limit: i64,
) -> Result<Vec<OrganizationId>, StorageError> {
    if terms.is_empty() {
        return Ok(Vec::new());
    }
    let query = wanted(c, Index::Organizations, terms).await?;
    let rows = first!(c, "organization_search", &query, limit)?;
    Ok(rows.into_iter().map(|r| OrganizationId(r.0)).collect())
}
