//! Codes by which people enter applications, and what they have open there. Only SHA-256 digests of
//! codes and tokens are kept.

use crate::applications::entry;
use crate::credentials::factor;
use crate::holders::{Holder, HolderRow};
use crate::moment::{KEPT, Made};
use crate::quick::Statement;
use crate::{Conn, Db, StorageError, moment, quick};
use std::collections::HashMap;
use std::sync::Arc;
use warifu_domain::applications::Entry;
use warifu_domain::factors::Factor;
use warifu_domain::{ApplicationId, PersonId, Timestamp};

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
#[derive(Debug, PartialEq)]
pub struct Standing {
    pub token_hash: Vec<u8>,
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
    pub holder: Holder,
    /// Whether the session is bound to a device.
    pub bound: bool,
    /// The headers about whoever is in it.
    pub headers: Made,
}

quick_row! {
    struct StandingRow {
        token_hash: Vec<u8>,
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
        device_kind: Option<String>,
        ..holder: HolderRow,
    }
}

/// What [`standing`] asks.
pub static STANDING: Statement = statement!(1:
    "SELECT x.token_hash, x.application_id, a.origin, a.roles, a.max_age, a.acr, x.sid, x.scope, x.expires_at, \
     x.ended_at AS revoked_at, x.session, s.created_at, s.used_at, s.ends_at, s.ended_at, s.network, s.factor, \
     s.assurance, s.proved_at, d.kind AS device_kind, ",
    holder_columns!(),
    " FROM application_sessions x JOIN applications a ON a.id = x.application_id \
     JOIN sessions s ON s.token_hash = x.session",
    holder_tables!(),
    " LEFT JOIN devices d ON d.id = s.device WHERE x.token_hash"
);

impl TryFrom<StandingRow> for Standing {
    type Error = StorageError;
    fn try_from(r: StandingRow) -> Result<Self, StorageError> {
        Ok(Standing {
            token_hash: r.token_hash,
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
            holder: r.holder.try_into()?,
            bound: r.device_kind.is_some(),
            headers: Made::default(),
        })
    }
}

/// Everything about a token of an application, by one statement; `None` when there is no such token, or its
/// person or application is gone.
///
/// # Errors
/// As every query.
pub async fn standing(
    db: &Db,
    token_hash: &[u8; 32],
) -> Result<Option<Arc<Standing>>, StorageError> {
    let began = moment::begin();
    let row: Option<StandingRow> = quick::row(db, &STANDING, token_hash).await?;
    let standing = row.map(|row| Standing::try_from(row).map(Arc::new)).transpose()?;
    db.lately().applications.put(began, &[(*token_hash, standing.clone())]);
    Ok(standing)
}

/// The same, where it was read within the last [`KEPT`]. When somebody is asked about again in the second half
/// of that time, they are read anew meanwhile, together with all others who were asked about and are past the
/// first quarter of it, so that the next to ask need not wait.
pub fn standing_lately(db: &Db, token_hash: &[u8; 32]) -> Option<Arc<Standing>> {
    let (known, due) = db.lately().applications.get_ahead(token_hash)?;
    if !due.is_empty() {
        let db = db.clone();
        tokio::spawn(async move {
            let keep = |began, keys: &[[u8; 32]], rows: Vec<StandingRow>| {
                // One that makes no sense is told to whoever asks for it.
                let standings = rows.into_iter().filter_map(|row| Standing::try_from(row).ok());
                let by_key = |s: Standing| (s.token_hash.clone(), Arc::new(s));
                let mut standings: HashMap<Vec<u8>, _> = standings.map(by_key).collect();
                let of = |key: &[u8; 32]| (*key, standings.remove(key.as_slice()));
                let found: Vec<_> = keys.iter().map(of).collect();
                db.lately().applications.put(began, &found);
            };
            // What comes later is too old to be used.
            match tokio::time::timeout(KEPT, quick::rows(&db, &STANDING, &due, keep)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::debug!(%error, "whoever asks next asks again"),
                Err(_) => tracing::debug!("no answer in time: whoever asks next asks again"),
            }
        });
    }
    Some(known)
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
