//! Codes by which people enter applications, and what they have open there. Only SHA-256 digests of
//! codes and tokens are kept.

use crate::applications::entry;
use crate::credentials::factor;
use crate::{Conn, Db, StorageError};
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use warifu_domain::access::{Role, Roles};
use warifu_domain::applications::Entry;
use warifu_domain::factors::Factor;
use warifu_domain::organizations::Environment;
use warifu_domain::{ApplicationId, OrganizationId, PersonId, Timestamp};

/// A code.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Code {
    pub code_hash: Vec<u8>,
    pub application_id: i64,
    /// Token hash of the session that it comes from.
    pub session: Vec<u8>,
    /// SHA-256 of what whoever brings it must know.
    pub bound: Vec<u8>,
    /// Where it leads.
    pub redirect: String,
    pub nonce: Option<String>,
    pub scope: String,
    pub expires_at: i64,
    pub used_at: Option<i64>,
}

/// Keeps a code, and forgets those that expired long ago: until then a second use is noticed.
///
/// # Errors
/// As every query.
pub async fn insert_code(
    c: &mut Conn<'_>,
    code: &Code,
    forget: Timestamp,
) -> Result<(), StorageError> {
    execute!(c, "DELETE FROM application_codes WHERE expires_at <= $1", forget.0)?;
    execute!(
        c,
        "INSERT INTO application_codes (code_hash, application_id, session, bound, redirect, nonce, scope, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        &code.code_hash,
        code.application_id,
        &code.session,
        &code.bound,
        &code.redirect,
        code.nonce.as_deref(),
        &code.scope,
        code.expires_at
    )?;
    Ok(())
}

/// # Errors
/// As every query.
pub async fn find_code(c: &mut Conn<'_>, code_hash: &[u8]) -> Result<Option<Code>, StorageError> {
    fetch_optional!(c, Code:
        "SELECT code_hash, application_id, session, bound, redirect, nonce, scope, expires_at, used_at \
         FROM application_codes WHERE code_hash = $1", code_hash)
}

/// Marks a code as used; `false` when somebody was first.
///
/// # Errors
/// As every query.
pub async fn use_code(
    c: &mut Conn<'_>,
    code_hash: &[u8],
    at: Timestamp,
) -> Result<bool, StorageError> {
    let n = execute!(
        c,
        "UPDATE application_codes SET used_at = $2 WHERE code_hash = $1 AND used_at IS NULL",
        code_hash,
        at.0
    )?;
    Ok(n == 1)
}

/// What somebody has open in an application.
#[derive(Clone, Debug)]
pub struct ApplicationSession {
    pub sid: String,
    pub token_hash: Vec<u8>,
    pub application: ApplicationId,
    pub session: Vec<u8>,
    pub code_hash: Vec<u8>,
    pub scope: String,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    /// When the application is told next that it ended.
    pub tell_at: Option<Timestamp>,
}

/// # Errors
/// As every query.
pub async fn insert(c: &mut Conn<'_>, s: &ApplicationSession) -> Result<(), StorageError> {
    execute!(
        c,
        "INSERT INTO application_sessions (sid, token_hash, application_id, session, code_hash, scope, created_at, \
         expires_at, tell_at, tries) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0)",
        &s.sid,
        &s.token_hash,
        s.application.0,
        &s.session,
        &s.code_hash,
        &s.scope,
        s.created_at.0,
        s.expires_at.0,
        s.tell_at.map(|t| t.0)
    )?;
    Ok(())
}

/// Ends what came of a code.
///
/// # Errors
/// As every query.
pub async fn end_of_code(
    c: &mut Conn<'_>,
    code_hash: &[u8],
    at: Timestamp,
) -> Result<u64, StorageError> {
    execute!(
        c,
        "UPDATE application_sessions SET ended_at = $2 WHERE code_hash = $1 AND ended_at IS NULL",
        code_hash,
        at.0
    )
}

/// All that the check of one request asks for.
#[derive(Clone, Debug)]
pub struct Standing {
    pub application: ApplicationId,
    /// Its origin, or for a client of OpenID its id.
    pub origin: String,
    pub entry: Entry,
    pub sid: String,
    pub scope: String,
    pub expires_at: Timestamp,
    /// Whether what is open there was ended by itself.
    pub revoked: bool,
    /// The session that it came from.
    pub session: Vec<u8>,
    pub created_at: Timestamp,
    pub used_at: Timestamp,
    pub ends_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub network: String,
    pub factor: Factor,
    pub assurance: u8,
    pub proved_at: Timestamp,
    pub person: PersonId,
    /// Name of the person as their record shows it.
    pub name: String,
    pub email: String,
    pub roles: Roles,
    pub organization: OrganizationId,
    pub environment: Environment,
    pub vendor: bool,
    /// Whether the session is bound to a device.
    pub bound: bool,
}

#[derive(sqlx::FromRow)]
struct StandingRow {
    application_id: i64,
    origin: String,
    roles: String,
    max_age: Option<i64>,
    acr: String,
    sid: String,
    scope: String,
    expires_at: i64,
    revoked_at: Option<i64>,
    session: Vec<u8>,
    created_at: i64,
    used_at: i64,
    ends_at: i64,
    ended_at: Option<i64>,
    network: String,
    factor: String,
    assurance: i64,
    proved_at: i64,
    person_id: i64,
    full_name: Option<String>,
    username: Option<String>,
    email: Option<String>,
    role: Option<String>,
    organization_id: i64,
    environment: String,
    vendor: bool,
    device_kind: Option<String>,
}

/// By one statement: as many rows as the person has roles. The person's newest version is found by the key;
/// every sign-in makes another.
const STANDING: &str = "SELECT x.application_id, a.origin, a.roles, a.max_age, a.acr, x.sid, x.scope, x.expires_at, \
    x.ended_at AS revoked_at, x.session, s.created_at, s.used_at, s.ends_at, s.ended_at, s.network, s.factor, \
    s.assurance, s.proved_at, s.person_id, p.full_name, p.username, p.email, r.role, \
    p.organization_id, o.environment, o.vendor, d.kind AS device_kind \
    FROM application_sessions x JOIN applications a ON a.id = x.application_id \
    JOIN sessions s ON s.token_hash = x.session \
    JOIN people p ON p.id = s.person_id AND p.rev_from = (SELECT max(v.rev_from) FROM people v WHERE v.id = s.person_id) \
    AND p.rev_to = 9223372036854775807 AND p.active \
    JOIN organizations o ON o.id = p.organization_id AND o.rev_to = 9223372036854775807 \
    LEFT JOIN devices d ON d.id = s.device \
    LEFT JOIN role_grants r ON r.person_id = s.person_id AND r.rev_to = 9223372036854775807 \
    WHERE x.token_hash = $1";

fn standing_of(rows: Vec<StandingRow>) -> Result<Option<Standing>, StorageError> {
    let mut roles = Roles::default();
    for key in rows.iter().filter_map(|r| r.role.as_deref()) {
        let role = Role::from_key(key).ok_or_else(|| StorageError::Corrupt {
            what: "role_grants.role",
            detail: key.to_owned(),
        })?;
        roles = roles.with(role);
    }
    let Some(r) = rows.into_iter().next() else { return Ok(None) };
    let shown = [&r.full_name, &r.email, &r.username].into_iter().find_map(|n| n.clone());
    Ok(Some(Standing {
        application: ApplicationId(r.application_id),
        origin: r.origin,
        entry: entry(&r.roles, r.max_age, &r.acr)?,
        sid: r.sid,
        scope: r.scope,
        expires_at: Timestamp(r.expires_at),
        revoked: r.revoked_at.is_some(),
        session: r.session,
        created_at: Timestamp(r.created_at),
        used_at: Timestamp(r.used_at),
        ends_at: Timestamp(r.ends_at),
        ended_at: r.ended_at.map(Timestamp),
        network: r.network,
        factor: factor(&r.factor)?,
        assurance: u8::try_from(r.assurance).unwrap_or(1),
        proved_at: Timestamp(r.proved_at),
        person: PersonId(r.person_id),
        name: shown.unwrap_or_default(),
        email: r.email.unwrap_or_default(),
        roles,
        organization: OrganizationId(r.organization_id),
        environment: Environment::from_key(&r.environment).ok_or(StorageError::Corrupt {
            what: "organizations.environment",
            detail: r.environment,
        })?,
        vendor: r.vendor,
        bound: r.device_kind.is_some(),
    }))
}

/// Connections for the check of every request to every application.
///
/// On SQLite the statement takes less time than handing it to another thread and back, which is what the
/// asynchronous driver does; it is therefore run where it is asked for. It waits for no writer (WAL), and
/// begins a new read each time: what was committed before is seen.
#[derive(Default)]
pub struct Checks {
    idle: Mutex<Vec<Connection>>,
}

impl Checks {
    /// Everything about a token of an application; `None` when there is no such token, or its person or
    /// application is gone.
    ///
    /// # Errors
    /// As every query.
    pub async fn standing(
        &self,
        db: &Db,
        token_hash: &[u8],
    ) -> Result<Option<Standing>, StorageError> {
        match db {
            Db::Sqlite { path, .. } => standing_of(self.directly(path, token_hash)?),
            Db::Postgres { .. } => {
                let mut reader = db.read().await?;
                standing(&mut reader.conn(), token_hash).await
            }
        }
    }

    fn directly(&self, path: &Path, token_hash: &[u8]) -> Result<Vec<StandingRow>, StorageError> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = idle().pop();
        let connection = match kept {
            Some(connection) => connection,
            None => {
                let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
                let connection = Connection::open_with_flags(path, flags)?;
                connection.busy_timeout(Duration::from_secs(1))?;
                connection.pragma_update(None, "mmap_size", 268_435_456_i64)?;
                connection
            }
        };
        // One that failed is not kept.
        let rows = {
            let mut statement = connection.prepare_cached(STANDING)?;
            let rows = statement.query_map([token_hash], StandingRow::read)?;
            rows.collect::<Result<Vec<_>, _>>()?
        };
        idle().push(connection);
        Ok(rows)
    }
}

impl StandingRow {
    fn read(r: &rusqlite::Row<'_>) -> rusqlite::Result<StandingRow> {
        Ok(StandingRow {
            application_id: r.get(0)?,
            origin: r.get(1)?,
            roles: r.get(2)?,
            max_age: r.get(3)?,
            acr: r.get(4)?,
            sid: r.get(5)?,
            scope: r.get(6)?,
            expires_at: r.get(7)?,
            revoked_at: r.get(8)?,
            session: r.get(9)?,
            created_at: r.get(10)?,
            used_at: r.get(11)?,
            ends_at: r.get(12)?,
            ended_at: r.get(13)?,
            network: r.get(14)?,
            factor: r.get(15)?,
            assurance: r.get(16)?,
            proved_at: r.get(17)?,
            person_id: r.get(18)?,
            full_name: r.get(19)?,
            username: r.get(20)?,
            email: r.get(21)?,
            role: r.get(22)?,
            organization_id: r.get(23)?,
            environment: r.get(24)?,
            vendor: r.get(25)?,
            device_kind: r.get(26)?,
        })
    }
}

async fn standing(c: &mut Conn<'_>, token_hash: &[u8]) -> Result<Option<Standing>, StorageError> {
    standing_of(fetch_all!(c, StandingRow: STANDING, token_hash)?)
}

/// The token hash of the session that something open in an application came from.
///
/// # Errors
/// As every query.
pub async fn session_of(c: &mut Conn<'_>, sid: &str) -> Result<Option<Vec<u8>>, StorageError> {
    let row = fetch_optional!(c, (Vec<u8>,):
        "SELECT session FROM application_sessions WHERE sid = $1", sid)?;
    Ok(row.map(|r| r.0))
}

/// The token hash of the session that the token of an application came from.
///
/// # Errors
/// As every query.
pub async fn session_of_token(
    c: &mut Conn<'_>,
    token_hash: &[u8],
) -> Result<Option<Vec<u8>>, StorageError> {
    let row = fetch_optional!(c, (Vec<u8>,):
        "SELECT session FROM application_sessions WHERE token_hash = $1", token_hash)?;
    Ok(row.map(|r| r.0))
}

/// A session that ended, and of which a client is not told yet.
#[derive(Clone, Debug)]
pub struct Ended {
    pub sid: String,
    pub person: PersonId,
    pub client_id: String,
    pub uri: String,
    pub tell_at: Timestamp,
    pub tries: i64,
    /// The token by which its standing is found.
    pub token_hash: Vec<u8>,
    /// Whether it only was not used for a while, which the policy of its owner may allow.
    pub idle: bool,
}

type Row = (String, i64, String, String, i64, i64, Vec<u8>, i64);

/// Those whose clients are to be told at a time: their session was ended, is over, or was not used since
/// another time. At most 100.
///
/// # Errors
/// As every query.
pub async fn ended(
    c: &mut Conn<'_>,
    now: Timestamp,
    idle_since: Timestamp,
) -> Result<Vec<Ended>, StorageError> {
    let rows = fetch_all!(c, Row:
        "SELECT x.sid, s.person_id, a.origin, a.backchannel_uri, x.tell_at, x.tries, x.token_hash, \
         CAST(CASE WHEN s.ended_at IS NOT NULL OR s.ends_at <= $1 OR x.ended_at IS NOT NULL THEN 0 ELSE 1 END AS BIGINT) FROM application_sessions x \
         JOIN applications a ON a.id = x.application_id JOIN sessions s ON s.token_hash = x.session \
         WHERE x.tell_at IS NOT NULL AND x.tell_at <= $1 AND a.backchannel_uri <> '' \
         AND (s.ended_at IS NOT NULL OR s.ends_at <= $1 OR s.used_at < $2 OR x.ended_at IS NOT NULL) \
         ORDER BY x.tell_at LIMIT 100", now.0, idle_since.0)?;
    let ended = |(sid, person, client_id, uri, tell_at, tries, token_hash, idle): Row| Ended {
        sid,
        person: PersonId(person),
        client_id,
        uri,
        tell_at: Timestamp(tell_at),
        tries,
        token_hash,
        idle: idle == 1,
    };
    Ok(rows.into_iter().map(ended).collect())
}

/// Takes the telling of one on oneself until the next try; `false` when another node was first.
///
/// # Errors
/// As every query.
pub async fn claim(
    c: &mut Conn<'_>,
    sid: &str,
    tell_at: Timestamp,
    next: Option<Timestamp>,
) -> Result<bool, StorageError> {
    let n = execute!(
        c,
        "UPDATE application_sessions SET tell_at = $3, tries = tries + 1 WHERE sid = $1 AND tell_at = $2",
        sid,
        tell_at.0,
        next.map(|t| t.0)
    )?;
    Ok(n == 1)
}

/// It still holds: it is looked at again at a time.
///
/// # Errors
/// As every query.
pub async fn postpone(c: &mut Conn<'_>, sid: &str, to: Timestamp) -> Result<(), StorageError> {
    execute!(
        c,
        "UPDATE application_sessions SET tell_at = $2 WHERE sid = $1 AND tell_at IS NOT NULL",
        sid,
        to.0
    )?;
    Ok(())
}

/// It has been told.
///
/// # Errors
/// As every query.
pub async fn told(c: &mut Conn<'_>, sid: &str) -> Result<(), StorageError> {
    execute!(c, "UPDATE application_sessions SET tell_at = NULL WHERE sid = $1", sid)?;
    Ok(())
}
