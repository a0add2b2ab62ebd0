//! Cases as versions, their timelines, and the counts that are kept instead of counted.

use crate::{Conn, StorageError, search};
use std::collections::{BTreeMap, HashMap};
use warifu_domain::cases::{Case, MessageKind, Priority, Status, View};
use warifu_domain::{CaseId, MessageId, OrganizationId, PersonId, Revision, Timestamp};

#[derive(sqlx::FromRow)]
struct CaseRow {
    id: i64,
    organization_id: i64,
    requester_id: i64,
    assignee_id: i64,
    status: i64,
    priority: i64,
    subject: String,
    product: String,
    tags: String,
    language: String,
    created_at: i64,
    updated_at: i64,
    first_reply_at: Option<i64>,
    solved_at: Option<i64>,
    messages: i64,
}

impl TryFrom<CaseRow> for Case {
    type Error = StorageError;
    fn try_from(r: CaseRow) -> Result<Case, StorageError> {
        let corrupt = |what, code: i64| StorageError::Corrupt {
            what,
            detail: format!("{code} in case {}", r.id),
        };
        Ok(Case {
            id: CaseId(r.id),
            organization: OrganizationId(r.organization_id),
            requester: PersonId(r.requester_id),
            assignee: (r.assignee_id > 0).then_some(PersonId(r.assignee_id)),
            status: Status::from_code(r.status).ok_or_else(|| corrupt("cases.status", r.status))?,
            priority: Priority::from_code(r.priority)
                .ok_or_else(|| corrupt("cases.priority", r.priority))?,
            subject: r.subject,
            product: r.product,
            tags: r.tags,
            language: r.language,
            created_at: Timestamp(r.created_at),
            updated_at: Timestamp(r.updated_at),
            first_reply_at: r.first_reply_at.map(Timestamp),
            solved_at: r.solved_at.map(Timestamp),
            messages: r.messages,
        })
    }
}

/// A place in a list that is ordered by last change, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub updated_at: Timestamp,
    pub id: CaseId,
}

impl Cursor {
    /// Before the newest.
    pub const START: Cursor = Cursor { updated_at: Timestamp(i64::MAX), id: CaseId(i64::MAX) };
}

macro_rules! list {
    ($where:literal) => {
        concat!(
            "SELECT id, organization_id, requester_id, assignee_id, status, priority, subject, product, tags, language, ",
            "created_at, updated_at, first_reply_at, solved_at, messages FROM cases ",
            "WHERE rev_to = 9223372036854775807 AND ",
            $where,
            " AND (updated_at, id) < ($1, $2) ORDER BY updated_at DESC, id DESC LIMIT $3"
        )
    };
}

/// A page of a view after a place in it, by one index. `active = TRUE`, not `active`: SQLite looks
/// only for a comparison in an index.
///
/// # Errors
/// As every query.
pub async fn list(
    c: &mut Conn<'_>,
    view: View,
    after: Cursor,
    limit: i64,
) -> Result<Vec<Case>, StorageError> {
    let (at, id) = (after.updated_at.0, after.id.0);
    let rows = match view {
        View::Mine(p) => {
            fetch_all!(c, CaseRow: list!("assignee_id = $4 AND active = TRUE"), at, id, limit, p.0)
        }
        View::Unassigned => {
            fetch_all!(c, CaseRow: list!("assignee_id = 0 AND active = TRUE"), at, id, limit)
        }
        View::Active => fetch_all!(c, CaseRow: list!("active = TRUE"), at, id, limit),
        View::WithStatus(s) => {
            fetch_all!(c, CaseRow: list!("status = $4"), at, id, limit, s.code())
        }
        View::Organization(o) => {
            fetch_all!(c, CaseRow: list!("organization_id = $4"), at, id, limit, o.0)
        }
        View::Requester(p) => {
            fetch_all!(c, CaseRow: list!("requester_id = $4"), at, id, limit, p.0)
        }
    }?;
    rows.into_iter().map(TryFrom::try_from).collect()
}

/// How many cases a view has, from the kept counts.
///
/// # Errors
/// As every query.
pub async fn count(c: &mut Conn<'_>, view: View) -> Result<i64, StorageError> {
    let (scope, key, from, to) = match view {
        View::Mine(p) => ("assignee", p.0, 0, 2),
        View::Unassigned => ("assignee", 0, 0, 2),
        View::Active => ("all", 0, 0, 2),
        View::WithStatus(s) => ("all", 0, s.code(), s.code()),
        View::Organization(o) => ("organization", o.0, 0, 9),
        View::Requester(p) => ("requester", p.0, 0, 9),
    };
    let (n,): (i64,) = fetch_one!(c, (i64,):
        "SELECT CAST(coalesce(sum(n), 0) AS BIGINT) FROM case_counts WHERE scope = $1 AND key = $2 AND status BETWEEN $3 AND $4",
        scope, key, from, to)?;
    Ok(n)
}

/// How many cases of a person, an organization or of all there are in each status, from the kept
/// counts; a status that none has is left out. [`View::Mine`] and the like count every status here.
///
/// # Errors
/// As every query; [`StorageError::Corrupt`] for a status that no version of Warifu knows.
pub async fn count_by_status(
    c: &mut Conn<'_>,
    view: View,
) -> Result<Vec<(Status, i64)>, StorageError> {
    let (scope, key) = match view {
        View::Mine(p) => ("assignee", p.0),
        View::Unassigned => ("assignee", 0),
        View::Active | View::WithStatus(_) => ("all", 0),
        View::Organization(o) => ("organization", o.0),
        View::Requester(p) => ("requester", p.0),
    };
    let rows = fetch_all!(c, (i64, i64):
        "SELECT status, n FROM case_counts WHERE scope = $1 AND key = $2 AND n <> 0 ORDER BY status", scope, key)?;
    let known = |(code, n): (i64, i64)| {
        let status = Status::from_code(code).ok_or_else(|| StorageError::Corrupt {
            what: "case_counts.status",
            detail: code.to_string(),
        })?;
        Ok((status, n))
    };
    rows.into_iter().map(known).collect()
}

/// # Errors
/// As every query.
pub async fn find(c: &mut Conn<'_>, id: CaseId) -> Result<Option<Case>, StorageError> {
    let row = fetch_optional!(c, CaseRow:
        "SELECT id, organization_id, requester_id, assignee_id, status, priority, subject, product, tags, language, \
         created_at, updated_at, first_reply_at, solved_at, messages FROM cases WHERE id = $1 AND rev_to = 9223372036854775807", id.0)?;
    row.map(TryFrom::try_from).transpose()
}

/// Some cases, in the order in which they are asked for.
///
/// # Errors
/// As every query.
pub async fn find_many(c: &mut Conn<'_>, ids: &[CaseId]) -> Result<Vec<Case>, StorageError> {
    let keys: Vec<i64> = ids.iter().map(|i| i.0).collect();
    let rows = fetch_among!(c, CaseRow:
        "SELECT id, organization_id, requester_id, assignee_id, status, priority, subject, product, tags, language, \
         created_at, updated_at, first_reply_at, solved_at, messages FROM cases \
         WHERE rev_to = 9223372036854775807 AND id IN (", keys, ")");
    let cases = rows.into_iter().map(Case::try_from);
    let mut found: HashMap<CaseId, Case> =
        cases.map(|c| c.map(|c| (c.id, c))).collect::<Result<_, _>>()?;
    Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
}

/// By how much each kept count changes.
type Counts = BTreeMap<(&'static str, i64, i64), i64>;

fn count_in(counts: &mut Counts, case: &Case, n: i64) {
    for (scope, key) in [
        ("all", 0),
        ("assignee", case.assignee.map_or(0, |a| a.0)),
        ("organization", case.organization.0),
        ("requester", case.requester.0),
    ] {
        *counts.entry((scope, key, case.status.code())).or_default() += n;
    }
}

async fn add_counts(c: &mut Conn<'_>, counts: Counts) -> Result<(), StorageError> {
    let changed: Vec<_> = counts.into_iter().filter(|(_, n)| *n != 0).collect();
    insert_many!(
        c,
        "INSERT INTO case_counts (scope, key, status, n)",
        changed,
        |((scope, key, status), n)| (*scope, *key, *status, *n),
        "ON CONFLICT (scope, key, status) DO UPDATE SET n = case_counts.n + excluded.n"
    );
    Ok(())
}

async fn insert_versions(
    c: &mut Conn<'_>,
    revision: Revision,
    cases: &[Case],
) -> Result<(), StorageError> {
    insert_many!(
        c,
        "INSERT INTO cases (id, rev_from, rev_to, organization_id, requester_id, assignee_id, active, status, priority, \
         subject, product, tags, language, created_at, updated_at, first_reply_at, solved_at, messages)",
        cases,
        |case| (
            case.id.0,
            revision.0,
            i64::MAX,
            case.organization.0,
            case.requester.0,
            case.assignee.map_or(0, |a| a.0),
            case.status.is_active(),
            case.status.code(),
            case.priority.code(),
            case.subject.as_str(),
            case.product.as_str(),
            case.tags.as_str(),
            case.language.as_str(),
            case.created_at.0,
            case.updated_at.0,
            case.first_reply_at.map(|t| t.0),
            case.solved_at.map(|t| t.0),
            case.messages
        )
    );
    Ok(())
}

/// Adds cases whose ids have been taken from the `cases` counter.
///
/// # Errors
/// As every query.
pub async fn insert(
    c: &mut Conn<'_>,
    revision: Revision,
    cases: &[Case],
) -> Result<(), StorageError> {
    insert_versions(c, revision, cases).await?;
    let mut counts = BTreeMap::new();
    for case in cases {
        count_in(&mut counts, case, 1);
    }
    add_counts(c, counts).await
}

/// Ends the current version and adds the new one. `old` is the case as it was read in this
/// transaction.
///
/// # Errors
/// As every query.
pub async fn update(
    c: &mut Conn<'_>,
    revision: Revision,
    old: &Case,
    new: &Case,
) -> Result<(), StorageError> {
    execute!(c, "DELETE FROM cases WHERE id = $1 AND rev_from = $2", new.id.0, revision.0)?;
    execute!(
        c,
        "UPDATE cases SET rev_to = $2 WHERE id = $1 AND rev_to = 9223372036854775807",
        new.id.0,
        revision.0
    )?;
    insert_versions(c, revision, std::slice::from_ref(new)).await?;
    let mut counts = BTreeMap::new();
    count_in(&mut counts, old, -1);
    count_in(&mut counts, new, 1);
    add_counts(c, counts).await
}

/// An entry of a case's timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub id: MessageId,
    pub case: CaseId,
    pub organization: OrganizationId,
    pub kind: MessageKind,
    pub author: PersonId,
    pub at: Timestamp,
    /// The text; of an event, its JSON (`{"status":["open","solved"]}`).
    pub body: String,
}

#[derive(sqlx::FromRow)]
struct MessageRow {
    id: i64,
    case_id: i64,
    organization_id: i64,
    kind: i64,
    author_id: i64,
    at: i64,
    body: String,
}

impl TryFrom<MessageRow> for Message {
    type Error = StorageError;
    fn try_from(r: MessageRow) -> Result<Message, StorageError> {
        let kind = MessageKind::from_code(r.kind).ok_or_else(|| StorageError::Corrupt {
            what: "messages.kind",
            detail: r.kind.to_string(),
        })?;
        Ok(Message {
            id: MessageId(r.id),
            case: CaseId(r.case_id),
            organization: OrganizationId(r.organization_id),
            kind,
            author: PersonId(r.author_id),
            at: Timestamp(r.at),
            body: r.body,
        })
    }
}

/// The last entries of a case's timeline in their order, before an id (for *show earlier*).
///
/// # Errors
/// As every query.
pub async fn timeline(
    c: &mut Conn<'_>,
    case: CaseId,
    before: MessageId,
    limit: i64,
) -> Result<Vec<Message>, StorageError> {
    let rows = fetch_all!(c, MessageRow:
        "SELECT id, case_id, organization_id, kind, author_id, at, body FROM messages \
         WHERE case_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3", case.0, before.0, limit)?;
    let mut list: Vec<Message> =
        rows.into_iter().map(TryFrom::try_from).collect::<Result<_, _>>()?;
    list.reverse();
    Ok(list)
}

/// The same without notes: what may be shown to a customer. Events are among them; which of those
/// a customer sees is the use case's to say.
///
/// # Errors
/// As every query.
pub async fn public_timeline(
    c: &mut Conn<'_>,
    case: CaseId,
    before: MessageId,
    limit: i64,
) -> Result<Vec<Message>, StorageError> {
    let rows = fetch_all!(c, MessageRow:
        "SELECT id, case_id, organization_id, kind, author_id, at, body FROM messages \
         WHERE case_id = $1 AND id < $2 AND kind IN (0, 1, 3) ORDER BY id DESC LIMIT $3", case.0, before.0, limit)?;
    let mut list: Vec<Message> =
        rows.into_iter().map(TryFrom::try_from).collect::<Result<_, _>>()?;
    list.reverse();
    Ok(list)
}

/// The entries of a case after an id, oldest first, at most 200.
///
/// # Errors
/// As every query.
pub async fn entries_after(
    c: &mut Conn<'_>,
    case: CaseId,
    after: MessageId,
) -> Result<Vec<Message>, StorageError> {
    let rows = fetch_all!(c, MessageRow:
        "SELECT id, case_id, organization_id, kind, author_id, at, body FROM messages \
         WHERE case_id = $1 AND id > $2 ORDER BY id LIMIT 200", case.0, after.0)?;
    rows.into_iter().map(TryFrom::try_from).collect()
}

/// One entry of a case.
///
/// # Errors
/// As every query.
pub async fn message(
    c: &mut Conn<'_>,
    case: CaseId,
    id: MessageId,
) -> Result<Option<Message>, StorageError> {
    let row = fetch_optional!(c, MessageRow:
        "SELECT id, case_id, organization_id, kind, author_id, at, body FROM messages WHERE case_id = $1 AND id = $2",
        case.0, id.0)?;
    row.map(TryFrom::try_from).transpose()
}

/// How many entries a case has before an id.
///
/// # Errors
/// As every query.
pub async fn entries_before(
    c: &mut Conn<'_>,
    case: CaseId,
    before: MessageId,
) -> Result<i64, StorageError> {
    let (n,): (i64,) = fetch_one!(c, (i64,):
        "SELECT count(*) FROM messages WHERE case_id = $1 AND id < $2", case.0, before.0)?;
    Ok(n)
}

/// Notes that one of the vendor's people opened a case.
///
/// # Errors
/// As every query.
pub async fn add_view(
    c: &mut Conn<'_>,
    case: CaseId,
    person: PersonId,
    at: Timestamp,
) -> Result<(), StorageError> {
    execute!(
        c,
        "INSERT INTO case_views (case_id, person_id, n, last_at) VALUES ($1, $2, 1, $3) \
         ON CONFLICT (case_id, person_id) DO UPDATE SET n = case_views.n + 1, last_at = excluded.last_at",
        case.0,
        person.0,
        at.0
    )?;
    Ok(())
}

/// Who of the vendor's people opened a case, how often and when last, the latest first.
///
/// # Errors
/// As every query.
pub async fn views(
    c: &mut Conn<'_>,
    case: CaseId,
) -> Result<Vec<(PersonId, i64, Timestamp)>, StorageError> {
    let rows = fetch_all!(c, (i64, i64, i64):
        "SELECT person_id, n, last_at FROM case_views WHERE case_id = $1 ORDER BY last_at DESC, person_id LIMIT 200", case.0)?;
    Ok(rows.into_iter().map(|(p, n, at)| (PersonId(p), n, Timestamp(at))).collect())
}

/// Adds an entry whose id has been taken from the `messages` counter, and makes it findable.
///
/// # Errors
/// As every query.
pub async fn add_message(c: &mut Conn<'_>, subject: &str, m: &Message) -> Result<(), StorageError> {
    add_messages(c, &[(subject, m)]).await
}

/// The same for many entries, each with its case's subject.
///
/// # Errors
/// As every query.
pub async fn add_messages(
    c: &mut Conn<'_>,
    messages: &[(&str, &Message)],
) -> Result<(), StorageError> {
    insert_many!(
        c,
        "INSERT INTO messages (case_id, id, organization_id, kind, author_id, at, body)",
        messages,
        |(_, m)| (
            m.case.0,
            m.id.0,
            m.organization.0,
            m.kind.code(),
            m.author.0,
            m.at.0,
            m.body.as_str()
        )
    );
    let found = messages.iter().filter(|(_, m)| m.kind != MessageKind::Event);
    let texts: Vec<search::MessageText<'_>> = found
        .map(|(subject, m)| search::MessageText {
            id: m.id.0,
            case: m.case,
            organization: m.organization,
            internal: m.kind == MessageKind::Note,
            subject,
            body: &m.body,
        })
        .collect();
    search::index_messages(c, &texts).await
}
