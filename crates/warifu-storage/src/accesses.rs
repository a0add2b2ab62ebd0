//! What the vendor's people and programs have seen of each organization: which entries of the ledger
//! are about it, so that nobody reads the whole ledger for a page of them.

use crate::{Conn, StorageError};
use std::collections::BTreeMap;
use warifu_domain::accesses::{AccessKind, Marks};
use warifu_domain::{CaseId, OrganizationId, PersonId, RunId, Timestamp};

/// One entry, as it is about one organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// Number of the ledger's entry, from 0.
    pub seq: i64,
    pub at: Timestamp,
    pub kind: AccessKind,
    pub actor: PersonId,
    /// Case, file, person or run; 0 for several people, and for a report that was refused.
    pub subject: i64,
    /// Records of the organization.
    pub records: i64,
    pub marks: Marks,
}

/// What is common to the accesses of one entry.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    pub seq: i64,
    pub at: Timestamp,
    pub kind: AccessKind,
    pub actor: PersonId,
    pub marks: Marks,
}

/// Adds what an entry shows of some organizations: subject and records of each.
///
/// # Errors
/// As every query.
pub async fn add(
    c: &mut Conn<'_>,
    seen: &Seen,
    of: &[(OrganizationId, i64, i64)],
) -> Result<(), StorageError> {
    if seen.kind == AccessKind::List {
        insert_many!(
            c,
            "INSERT INTO case_lists (organization_id, at, seq, actor_id, subject_id, n, marks)",
            of,
            |row| (row.0.0, seen.at.0, seen.seq, seen.actor.0, row.1, row.2, seen.marks.0)
        );
        return Ok(());
    }
    insert_many!(
        c,
        "INSERT INTO accesses (organization_id, at, seq, kind, actor_id, subject_id, n, marks)",
        of,
        |row| (
            row.0.0,
            seen.at.0,
            seen.seq,
            seen.kind.number(),
            seen.actor.0,
            row.1,
            row.2,
            seen.marks.0,
        )
    );
    Ok(())
}

/// Keeps how many rows of each organization a run has.
///
/// # Errors
/// As every query.
pub async fn keep_run(
    c: &mut Conn<'_>,
    run: RunId,
    rows: &BTreeMap<OrganizationId, u64>,
) -> Result<(), StorageError> {
    let rows: Vec<(i64, i64)> = rows.iter().map(|(o, n)| (o.0, *n as i64)).collect();
    insert_many!(c, "INSERT INTO run_organizations (run_id, organization_id, n)", rows, |row| (
        run.0, row.0, row.1
    ));
    Ok(())
}

/// Adds what an entry shows of every organization of a run but one, the vendor's own.
///
/// # Errors
/// As every query.
pub async fn add_run(
    c: &mut Conn<'_>,
    seen: &Seen,
    run: RunId,
    vendor: OrganizationId,
) -> Result<(), StorageError> {
    execute!(
        c,
        "INSERT INTO accesses (organization_id, at, seq, kind, actor_id, subject_id, n, marks) \
         SELECT organization_id, $1, $2, $3, $4, run_id, n, $5 FROM run_organizations \
         WHERE run_id = $6 AND organization_id <> $7",
        seen.at.0,
        seen.seq,
        seen.kind.number(),
        seen.actor.0,
        seen.marks.0,
        run.0,
        vendor.0
    )?;
    Ok(())
}

/// The organizations of some people.
///
/// # Errors
/// As every query.
pub async fn organizations_of(
    c: &mut Conn<'_>,
    people: &[PersonId],
) -> Result<Vec<(PersonId, OrganizationId)>, StorageError> {
    let mut ids: Vec<i64> = people.iter().map(|p| p.0).collect();
    ids.sort_unstable();
    ids.dedup();
    let rows = fetch_among!(c, (i64, i64):
        "SELECT id, organization_id FROM people WHERE rev_to = 9223372036854775807 AND id IN (", ids, ") ORDER BY id");
    Ok(rows.into_iter().map(|(id, o)| (PersonId(id), OrganizationId(o))).collect())
}

/// The organizations of some cases.
///
/// # Errors
/// As every query.
pub async fn organizations_of_cases(
    c: &mut Conn<'_>,
    cases: &[CaseId],
) -> Result<Vec<(CaseId, OrganizationId)>, StorageError> {
    let mut ids: Vec<i64> = cases.iter().map(|p| p.0).collect();
    ids.sort_unstable();
    ids.dedup();
    let rows = fetch_among!(c, (i64, i64):
        "SELECT id, organization_id FROM cases WHERE rev_to = 9223372036854775807 AND id IN (", ids, ") ORDER BY id");
    Ok(rows.into_iter().map(|(id, o)| (CaseId(id), OrganizationId(o))).collect())
}

#[derive(sqlx::FromRow)]
struct Row {
    seq: i64,
    at: i64,
    kind: i64,
    actor_id: i64,
    subject_id: i64,
    n: i64,
    marks: i64,
    entry: Vec<u8>,
}

/// A page of an organization's accesses with the entries that they are, newest first, before an entry.
/// Lists of cases are asked for by themselves.
///
/// # Errors
/// As every query; [`StorageError::Corrupt`] when a kind is stored that no version of Warifu knows.
pub async fn page(
    c: &mut Conn<'_>,
    organization: OrganizationId,
    kind: Option<AccessKind>,
    before: i64,
    limit: i64,
) -> Result<Vec<(Access, Vec<u8>)>, StorageError> {
    // An entry is never earlier than the one before it: the order by time is the order of the entries.
    let rows = match kind {
        None => fetch_all!(c, Row:
            "SELECT a.seq, a.at, a.kind, a.actor_id, a.subject_id, a.n, a.marks, e.entry \
             FROM accesses a JOIN ledger_entries e ON e.seq = a.seq WHERE a.organization_id = $1 AND a.seq < $2 \
             AND a.at <= coalesce((SELECT at FROM ledger_entries WHERE seq = $2), 9223372036854775807) \
             ORDER BY a.at DESC, a.seq DESC LIMIT $3",
            organization.0, before, limit)?,
        Some(AccessKind::List) => fetch_all!(c, Row:
            "SELECT a.seq, a.at, CAST(4 AS BIGINT) AS kind, a.actor_id, a.subject_id, a.n, a.marks, e.entry \
             FROM case_lists a JOIN ledger_entries e ON e.seq = a.seq WHERE a.organization_id = $1 AND a.seq < $2 \
             AND a.at <= coalesce((SELECT at FROM ledger_entries WHERE seq = $2), 9223372036854775807) \
             ORDER BY a.at DESC, a.seq DESC LIMIT $3",
            organization.0, before, limit)?,
        Some(kind) => fetch_all!(c, Row:
            "SELECT a.seq, a.at, a.kind, a.actor_id, a.subject_id, a.n, a.marks, e.entry \
             FROM accesses a JOIN ledger_entries e ON e.seq = a.seq \
             WHERE a.organization_id = $1 AND a.kind = $2 AND a.seq < $3 \
             AND a.at <= coalesce((SELECT at FROM ledger_entries WHERE seq = $3), 9223372036854775807) \
             ORDER BY a.at DESC, a.seq DESC LIMIT $4",
            organization.0, kind.number(), before, limit)?,
    };
    let access = |r: Row| {
        let unknown =
            || StorageError::Corrupt { what: "accesses.kind", detail: r.kind.to_string() };
        let access = Access {
            seq: r.seq,
            at: Timestamp(r.at),
            kind: AccessKind::from_number(r.kind).ok_or_else(unknown)?,
            actor: PersonId(r.actor_id),
            subject: r.subject_id,
            records: r.n,
            marks: Marks(r.marks),
        };
        Ok((access, r.entry))
    };
    rows.into_iter().map(access).collect()
}

/// An organization's accesses since a time, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Figures {
    pub accesses: i64,
    /// Different people of the vendor, and programs.
    pub people: i64,
    pub programs: i64,
    /// Cases were opened so often; so many different ones.
    pub cases: i64,
    pub different_cases: i64,
    pub files: i64,
    pub different_files: i64,
    /// Records of people, on pages and in lists.
    pub records: i64,
    /// Reports that were not refused, and those of them over everybody.
    pub reports: i64,
    pub unfiltered: i64,
    /// Reports that left without a reason.
    pub no_reason: i64,
}

/// # Errors
/// As every query.
pub async fn figures(
    c: &mut Conn<'_>,
    organization: OrganizationId,
    since: Timestamp,
) -> Result<Figures, StorageError> {
    fetch_one!(c, Figures:
        "SELECT count(*) AS accesses, \
         count(DISTINCT CASE WHEN marks & 1 = 0 THEN actor_id END) AS people, \
         count(DISTINCT CASE WHEN marks & 1 <> 0 THEN actor_id END) AS programs, \
         count(CASE WHEN kind = 0 THEN 1 END) AS cases, \
         count(DISTINCT CASE WHEN kind = 0 THEN subject_id END) AS different_cases, \
         count(CASE WHEN kind = 1 THEN 1 END) AS files, \
         count(DISTINCT CASE WHEN kind = 1 THEN subject_id END) AS different_files, \
         count(CASE WHEN kind = 2 THEN 1 END) AS records, \
         count(CASE WHEN kind = 3 AND marks & 8 = 0 THEN 1 END) AS reports, \
         count(CASE WHEN kind = 3 AND marks & 8 = 0 AND marks & 32 <> 0 THEN 1 END) AS unfiltered, \
         count(CASE WHEN marks & 64 <> 0 THEN 1 END) AS no_reason \
         FROM accesses WHERE organization_id = $1 AND at >= $2",
        organization.0, since.0)
}

/// How many accesses there were from a time until another, and how many of them without a reason.
///
/// # Errors
/// As every query.
pub async fn count(
    c: &mut Conn<'_>,
    organization: OrganizationId,
    from: Timestamp,
    until: Timestamp,
) -> Result<(i64, i64), StorageError> {
    fetch_one!(c, (i64, i64):
        "SELECT count(*), count(CASE WHEN marks & 64 <> 0 THEN 1 END) FROM accesses \
         WHERE organization_id = $1 AND at >= $2 AND at < $3",
        organization.0, from.0, until.0)
}

/// From when on accesses are kept, where the ledger is older than that.
///
/// # Errors
/// As every query.
pub async fn kept_since(c: &mut Conn<'_>) -> Result<Option<Timestamp>, StorageError> {
    let text = crate::settings::get(c, "accesses_since").await?;
    Ok(text.and_then(|t| t.parse().ok()).map(Timestamp))
}
