//! Saved definitions with their versions, and runs.

use crate::{Conn, StorageError};
use warifu_domain::reports::Definition;
use warifu_domain::{DefinitionId, PersonId, Revision, RunId, Timestamp};

/// A saved definition at its current version.
#[derive(Clone, Debug)]
pub struct SavedDefinition {
    pub id: DefinitionId,
    pub name: String,
    pub description: String,
    pub owner: PersonId,
    pub version: i64,
    pub definition: Definition,
    /// SHA-256 of the canonical JSON, hexadecimal.
    pub digest: String,
    /// When this version was saved, and by whom.
    pub at: Timestamp,
    pub author: PersonId,
}

#[derive(sqlx::FromRow)]
struct SavedRow {
    id: i64,
    name: String,
    description: String,
    owner_id: i64,
    version: i64,
    body: String,
    digest: String,
    at: i64,
    author_id: i64,
}

fn parse(body: &str) -> Result<Definition, StorageError> {
    serde_json::from_str(body)
        .map_err(|e| StorageError::Corrupt { what: "a stored definition", detail: e.to_string() })
}

impl TryFrom<SavedRow> for SavedDefinition {
    type Error = StorageError;
    fn try_from(r: SavedRow) -> Result<Self, StorageError> {
        Ok(SavedDefinition {
            id: DefinitionId(r.id),
            definition: parse(&r.body)?,
            name: r.name,
            description: r.description,
            owner: PersonId(r.owner_id),
            version: r.version,
            digest: r.digest,
            at: Timestamp(r.at),
            author: PersonId(r.author_id),
        })
    }
}

fn body(definition: &Definition) -> Result<String, StorageError> {
    serde_json::to_string(definition)
        .map_err(|e| StorageError::Corrupt { what: "a definition", detail: e.to_string() })
}

/// All current definitions by name.
///
/// # Errors
/// As every query.
pub async fn definitions(c: &mut Conn<'_>) -> Result<Vec<SavedDefinition>, StorageError> {
    let rows = fetch_all!(c, SavedRow:
        "SELECT d.id, d.name, d.description, d.owner_id, d.version, v.body, v.digest, v.at, v.author_id \
         FROM definitions d JOIN definition_versions v ON v.definition_id = d.id AND v.version = d.version \
         WHERE d.archived_at IS NULL ORDER BY d.name, d.id LIMIT 500")?;
    rows.into_iter().map(TryFrom::try_from).collect()
}

/// A definition at a version, or at its current one.
///
/// # Errors
/// As every query.
pub async fn definition(
    c: &mut Conn<'_>,
    id: DefinitionId,
    version: Option<i64>,
) -> Result<Option<SavedDefinition>, StorageError> {
    let row = fetch_optional!(c, SavedRow:
        "SELECT d.id, d.name, d.description, d.owner_id, v.version, v.body, v.digest, v.at, v.author_id \
         FROM definitions d JOIN definition_versions v ON v.definition_id = d.id AND v.version = coalesce(CAST($2 AS BIGINT), d.version) \
         WHERE d.id = $1", id.0, version)?;
    row.map(TryFrom::try_from).transpose()
}

/// Every version of a definition, newest first.
///
/// # Errors
/// As every query.
pub async fn versions(
    c: &mut Conn<'_>,
    id: DefinitionId,
) -> Result<Vec<SavedDefinition>, StorageError> {
    let rows = fetch_all!(c, SavedRow:
        "SELECT d.id, d.name, d.description, d.owner_id, v.version, v.body, v.digest, v.at, v.author_id \
         FROM definitions d JOIN definition_versions v ON v.definition_id = d.id WHERE d.id = $1 ORDER BY v.version DESC LIMIT 200", id.0)?;
    rows.into_iter().map(TryFrom::try_from).collect()
}

/// Saves a new definition (`id` `None`) or a new version of one, and gives id and version.
///
/// # Errors
/// As every query.
#[expect(clippy::too_many_arguments, reason = "the columns of two tables")]
pub async fn save(
    c: &mut Conn<'_>,
    id: Option<DefinitionId>,
    name: &str,
    description: &str,
    definition: &Definition,
    digest: &str,
    author: PersonId,
    at: Timestamp,
) -> Result<(DefinitionId, i64), StorageError> {
    let (id, version) = match id {
        Some(id) => {
            let (version,): (i64,) = fetch_one!(c, (i64,):
                "UPDATE definitions SET version = version + 1, name = $2, description = $3 WHERE id = $1 RETURNING version",
                id.0, name, description)?;
            (id.0, version)
        }
        None => {
            let id = c.take_ids("definitions", 1).await?;
            execute!(
                c,
                "INSERT INTO definitions (id, name, description, owner_id, version) VALUES ($1, $2, $3, $4, 1)",
                id,
                name,
                description,
                author.0
            )?;
            (id, 1)
        }
    };
    execute!(
        c,
        "INSERT INTO definition_versions (definition_id, version, body, digest, author_id, at) VALUES ($1, $2, $3, $4, $5, $6)",
        id,
        version,
        body(definition)?,
        digest,
        author.0,
        at.0
    )?;
    Ok((DefinitionId(id), version))
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    /// Its start entry is in the ledger; no byte has left.
    Prepared,
    /// Bytes are leaving.
    Running,
    Done,
    /// Cancelled, or the receiver went away, or the server was stopped.
    Aborted,
}

impl RunState {
    pub fn key(self) -> &'static str {
        match self {
            RunState::Prepared => "prepared",
            RunState::Running => "running",
            RunState::Done => "done",
            RunState::Aborted => "aborted",
        }
    }

    fn from_key(key: &str) -> Option<RunState> {
        [RunState::Prepared, RunState::Running, RunState::Done, RunState::Aborted]
            .into_iter()
            .find(|s| s.key() == key)
    }
}

/// One execution of a definition.
#[derive(Clone, Debug)]
pub struct Run {
    pub id: RunId,
    pub saved: Option<(DefinitionId, i64)>,
    pub name: String,
    pub definition: Definition,
    pub digest: String,
    pub actor: PersonId,
    pub reason: String,
    pub as_of: Revision,
    pub as_of_at: Timestamp,
    pub state: RunState,
    pub expected_rows: i64,
    /// Exact when the format's size is additive.
    pub expected_bytes: Option<i64>,
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub rows: i64,
    pub bytes: i64,
    /// Hexadecimal; empty until done.
    pub sha256: String,
    /// Bytes that each column gave, as a JSON list; empty until done.
    pub column_bytes: String,
    /// CRC-32 of each 64 KiB of the file, big-endian, one after the other.
    pub blocks: Option<Vec<u8>>,
    pub start_seq: Option<i64>,
    pub end_seq: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct RunRow {
    id: i64,
    definition_id: Option<i64>,
    definition_version: Option<i64>,
    name: String,
    body: String,
    digest: String,
    actor_id: i64,
    reason: String,
    as_of: i64,
    as_of_at: i64,
    state: String,
    expected_rows: i64,
    expected_bytes: Option<i64>,
    started_at: i64,
    ended_at: Option<i64>,
    rows: i64,
    bytes: i64,
    sha256: String,
    column_bytes: String,
    blocks: Option<Vec<u8>>,
    start_seq: Option<i64>,
    end_seq: Option<i64>,
}

impl TryFrom<RunRow> for Run {
    type Error = StorageError;
    fn try_from(r: RunRow) -> Result<Run, StorageError> {
        Ok(Run {
            id: RunId(r.id),
            saved: r.definition_id.map(DefinitionId).zip(r.definition_version),
            definition: parse(&r.body)?,
            name: r.name,
            digest: r.digest,
            actor: PersonId(r.actor_id),
            reason: r.reason,
            as_of: Revision(r.as_of),
            as_of_at: Timestamp(r.as_of_at),
            state: RunState::from_key(&r.state)
                .ok_or(StorageError::Corrupt { what: "runs.state", detail: r.state })?,
            expected_rows: r.expected_rows,
            expected_bytes: r.expected_bytes,
            started_at: Timestamp(r.started_at),
            ended_at: r.ended_at.map(Timestamp),
            rows: r.rows,
            bytes: r.bytes,
            sha256: r.sha256,
            column_bytes: r.column_bytes,
            blocks: r.blocks,
            start_seq: r.start_seq,
            end_seq: r.end_seq,
        })
    }
}

/// Adds a run whose id has been taken from the `runs` counter.
///
/// # Errors
/// As every query.
pub async fn insert_run(c: &mut Conn<'_>, r: &Run) -> Result<(), StorageError> {
    execute!(
        c,
        "INSERT INTO runs (id, definition_id, definition_version, name, body, digest, actor_id, reason, as_of, as_of_at, \
         state, expected_rows, expected_bytes, started_at, rows, bytes, sha256, column_bytes, start_seq) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 0, 0, '', '', $15)",
        r.id.0,
        r.saved.map(|s| s.0.0),
        r.saved.map(|s| s.1),
        &r.name,
        body(&r.definition)?,
        &r.digest,
        r.actor.0,
        &r.reason,
        r.as_of.0,
        r.as_of_at.0,
        r.state.key(),
        r.expected_rows,
        r.expected_bytes,
        r.started_at.0,
        r.start_seq
    )?;
    Ok(())
}

/// Rows of the files that somebody has taken since a time, however early they were prepared.
///
/// # Errors
/// As every query.
pub async fn taken(
    c: &mut Conn<'_>,
    actor: PersonId,
    since: Timestamp,
) -> Result<i64, StorageError> {
    let row = fetch_one!(c, (i64,):
        "SELECT CAST(coalesce(sum(expected_rows), 0) AS BIGINT) FROM runs \
         WHERE actor_id = $1 AND alive_until > $2", actor.0, since.0)?;
    Ok(row.0)
}

/// Moves a prepared run to running on a node, which says until when it certainly lives; `false`
/// when somebody else has: a run's file leaves once.
///
/// # Errors
/// As every query.
pub async fn start_run(
    c: &mut Conn<'_>,
    id: RunId,
    node: &str,
    alive_until: Timestamp,
) -> Result<bool, StorageError> {
    let n = execute!(
        c,
        "UPDATE runs SET state = 'running', node = $2, alive_until = $3 WHERE id = $1 AND state = 'prepared'",
        id.0,
        node,
        alive_until.0
    )?;
    Ok(n == 1)
}

/// The node says that it still makes a run's file; `false` when the run has been ended meanwhile.
///
/// # Errors
/// As every query.
pub async fn renew_run(
    c: &mut Conn<'_>,
    id: RunId,
    alive_until: Timestamp,
) -> Result<bool, StorageError> {
    let n = execute!(
        c,
        "UPDATE runs SET alive_until = $2 WHERE id = $1 AND state = 'running'",
        id.0,
        alive_until.0
    )?;
    Ok(n == 1)
}

/// Keeps which ledger entry says that the run began.
///
/// # Errors
/// As every query.
pub async fn set_start(c: &mut Conn<'_>, id: RunId, seq: i64) -> Result<(), StorageError> {
    execute!(c, "UPDATE runs SET start_seq = $2 WHERE id = $1", id.0, seq)?;
    Ok(())
}

/// What a run came to.
pub struct RunEnd<'a> {
    pub state: RunState,
    pub at: Timestamp,
    pub rows: i64,
    pub bytes: i64,
    pub sha256: &'a str,
    pub column_bytes: &'a str,
    pub blocks: &'a [u8],
    pub end_seq: i64,
}

/// Ends a run that has not ended; `false` when it has.
///
/// # Errors
/// As every query.
pub async fn end_run(c: &mut Conn<'_>, id: RunId, end: &RunEnd<'_>) -> Result<bool, StorageError> {
    let n = execute!(
        c,
        "UPDATE runs SET state = $2, ended_at = $3, rows = $4, bytes = $5, sha256 = $6, column_bytes = $7, end_seq = $8, blocks = $9 \
         WHERE id = $1 AND state IN ('prepared', 'running')",
        id.0,
        end.state.key(),
        end.at.0,
        end.rows,
        end.bytes,
        end.sha256,
        end.column_bytes,
        end.end_seq,
        end.blocks
    )?;
    Ok(n == 1)
}

/// # Errors
/// As every query.
pub async fn run(c: &mut Conn<'_>, id: RunId) -> Result<Option<Run>, StorageError> {
    let row = fetch_optional!(c, RunRow: "SELECT * FROM runs WHERE id = $1", id.0)?;
    row.map(TryFrom::try_from).transpose()
}

/// Some runs, by id.
///
/// # Errors
/// As every query.
pub async fn runs_of(
    c: &mut Conn<'_>,
    ids: impl IntoIterator<Item = RunId>,
) -> Result<Vec<Run>, StorageError> {
    let ids: Vec<i64> = ids.into_iter().map(|i| i.0).collect();
    let rows = fetch_among!(c, RunRow: "SELECT * FROM runs WHERE id IN (", ids, ")");
    rows.into_iter().map(TryFrom::try_from).collect()
}

/// Runs, newest first, before an id.
///
/// # Errors
/// As every query.
pub async fn runs(c: &mut Conn<'_>, before: RunId, limit: i64) -> Result<Vec<Run>, StorageError> {
    let rows = fetch_all!(c, RunRow: "SELECT * FROM runs WHERE id < $1 ORDER BY id DESC LIMIT $2", before.0, limit)?;
    rows.into_iter().map(TryFrom::try_from).collect()
}

/// A run whose file is being made, by whom, and until when that node has said that it lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    pub run: RunId,
    pub node: String,
    pub alive_until: Timestamp,
}

/// Runs that have begun and not ended.
///
/// # Errors
/// As every query.
pub async fn running(c: &mut Conn<'_>) -> Result<Vec<Lease>, StorageError> {
    let rows = fetch_all!(c, (i64, String, i64):
        "SELECT id, node, alive_until FROM runs WHERE state = 'running' ORDER BY id")?;
    let lease = |(id, node, until)| Lease { run: RunId(id), node, alive_until: Timestamp(until) };
    Ok(rows.into_iter().map(lease).collect())
}

/// Every version of every saved definition, newest first, at most `limit`.
///
/// # Errors
/// As every query.
pub async fn all_versions(
    c: &mut Conn<'_>,
    limit: i64,
) -> Result<Vec<SavedDefinition>, StorageError> {
    let rows = fetch_all!(c, SavedRow:
        "SELECT d.id, d.name, d.description, d.owner_id, v.version, v.body, v.digest, v.at, v.author_id \
         FROM definitions d JOIN definition_versions v ON v.definition_id = d.id ORDER BY v.at DESC, d.id, v.version DESC LIMIT $1",
        limit)?;
    rows.into_iter().map(TryFrom::try_from).collect()
}
