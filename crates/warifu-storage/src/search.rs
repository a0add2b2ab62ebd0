//! The search index: who is found by which words. Tokens are the domain's; see `dialect.rs` for
//! how each engine takes them.

use crate::{Conn, Engine, StorageError, dialect};
use warifu_domain::search::{Term, tokens};
use warifu_domain::{CaseId, OrganizationId, PersonId};

/// Which index.
#[derive(Clone, Copy)]
pub enum Index {
    People,
    Organizations,
}

/// Puts a record's text into its index, replacing what was there.
///
/// # Errors
/// As every query.
pub async fn index(
    c: &mut Conn<'_>,
    index: Index,
    id: i64,
    text: &str,
) -> Result<(), StorageError> {
    let tokens = dialect::index_text(c.engine(), &tokens(text));
    match (index, c.engine()) {
        (Index::People, Engine::Sqlite) => {
            execute!(
                c,
                "INSERT OR REPLACE INTO people_search (rowid, tokens) VALUES ($1, $2)",
                id,
                tokens
            )
        }
        (Index::Organizations, Engine::Sqlite) => {
            execute!(
                c,
                "INSERT OR REPLACE INTO organization_search (rowid, tokens) VALUES ($1, $2)",
                id,
                tokens
            )
        }
        (Index::People, Engine::Postgres) => execute!(
            c,
            "INSERT INTO people_search (rowid, tokens) VALUES ($1, $2::tsvector) \
             ON CONFLICT (rowid) DO UPDATE SET tokens = excluded.tokens",
            id,
            tokens
        ),
        (Index::Organizations, Engine::Postgres) => execute!(
            c,
            "INSERT INTO organization_search (rowid, tokens) VALUES ($1, $2::tsvector) \
             ON CONFLICT (rowid) DO UPDATE SET tokens = excluded.tokens",
            id,
            tokens
        ),
    }?;
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

/// # Errors
/// As every query.
pub async fn index_message(c: &mut Conn<'_>, m: &MessageText<'_>) -> Result<(), StorageError> {
    let tokens =
        dialect::index_text(c.engine(), &tokens(&format!("{} {} {}", m.case, m.subject, m.body)));
    match c.engine() {
        Engine::Sqlite => {
            execute!(c, "INSERT INTO message_search (rowid, tokens) VALUES ($1, $2)", m.id, tokens)
        }
        Engine::Postgres => {
            execute!(
                c,
                "INSERT INTO message_search (rowid, tokens) VALUES ($1, $2::tsvector)",
                m.id,
                tokens
            )
        }
    }?;
    execute!(
        c,
        "INSERT INTO message_cases (message_id, case_id, organization_id, internal) VALUES ($1, $2, $3, $4)",
        m.id,
        m.case.0,
        m.organization.0,
        m.internal
    )?;
    Ok(())
}

/// Messages looked at per query before it stops looking for further cases.
const WINDOW: i64 = 400;

/// Cases with a message in which every term occurs, the newest message first.
///
/// # Errors
/// As every query.
pub async fn cases(
    c: &mut Conn<'_>,
    terms: &[Term],
    limit: usize,
) -> Result<Vec<CaseId>, StorageError> {
    if terms.is_empty() {
        return Ok(Vec::new());
    }
    let query = dialect::match_text(c.engine(), terms);
    let rows = match c.engine() {
        Engine::Sqlite => fetch_all!(c, (i64,):
            "SELECT m.case_id FROM (SELECT rowid AS id FROM message_search WHERE message_search MATCH $1 ORDER BY rowid DESC LIMIT $2) s \
             JOIN message_cases m ON m.message_id = s.id ORDER BY s.id DESC", query, WINDOW),
        Engine::Postgres => fetch_all!(c, (i64,):
            "SELECT m.case_id FROM (SELECT rowid AS id FROM message_search WHERE tokens @@ $1::tsquery ORDER BY rowid DESC LIMIT $2) s \
             JOIN message_cases m ON m.message_id = s.id ORDER BY s.id DESC", query, WINDOW),
    }?;
    let mut seen = std::collections::HashSet::new();
    Ok(rows.into_iter().filter(|r| seen.insert(r.0)).map(|r| CaseId(r.0)).take(limit).collect())
}

/// The same within one organization and without what is internal: what a customer may find.
///
/// # Errors
/// As every query.
pub async fn cases_of(
    c: &mut Conn<'_>,
    organization: OrganizationId,
    terms: &[Term],
    limit: usize,
) -> Result<Vec<CaseId>, StorageError> {
    if terms.is_empty() {
        return Ok(Vec::new());
    }
    let query = dialect::match_text(c.engine(), terms);
    let rows = match c.engine() {
        Engine::Sqlite => fetch_all!(c, (i64,):
            "SELECT m.case_id FROM message_search s JOIN message_cases m ON m.message_id = s.rowid \
             WHERE message_search MATCH $1 AND m.organization_id = $2 AND NOT m.internal ORDER BY s.rowid DESC LIMIT $3",
            query, organization.0, WINDOW),
        Engine::Postgres => fetch_all!(c, (i64,):
            "SELECT m.case_id FROM message_search s JOIN message_cases m ON m.message_id = s.rowid \
             WHERE s.tokens @@ $1::tsquery AND m.organization_id = $2 AND NOT m.internal ORDER BY s.rowid DESC LIMIT $3",
            query, organization.0, WINDOW),
    }?;
    let mut seen = std::collections::HashSet::new();
    Ok(rows.into_iter().filter(|r| seen.insert(r.0)).map(|r| CaseId(r.0)).take(limit).collect())
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
    let query = dialect::match_text(c.engine(), terms);
    let rows = match c.engine() {
        Engine::Sqlite => fetch_all!(c, (i64,):
            "SELECT rowid FROM people_search WHERE people_search MATCH $1 ORDER BY rowid LIMIT $2", query, limit),
        Engine::Postgres => fetch_all!(c, (i64,):
            "SELECT rowid FROM people_search WHERE tokens @@ $1::tsquery ORDER BY rowid LIMIT $2", query, limit),
    }?;
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
    let query = dialect::match_text(c.engine(), terms);
    let rows = match c.engine() {
        Engine::Sqlite => fetch_all!(c, (i64,):
            "SELECT rowid FROM organization_search WHERE organization_search MATCH $1 ORDER BY rowid LIMIT $2", query, limit),
        Engine::Postgres => fetch_all!(c, (i64,):
            "SELECT rowid FROM organization_search WHERE tokens @@ $1::tsquery ORDER BY rowid LIMIT $2", query, limit),
    }?;
    Ok(rows.into_iter().map(|r| OrganizationId(r.0)).collect())
}
