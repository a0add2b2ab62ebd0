//! Sessions. Only the SHA-256 of a token is kept.

use crate::credentials::factor;
use crate::devices::Device;
use crate::holders::{Holder, HolderRow};
use crate::quick::Statement;
use crate::{Conn, Db, StorageError, moment, quick};
use std::sync::Arc;
use warifu_domain::devices::DeviceKind;
use warifu_domain::factors::Factor;
use warifu_domain::{CredentialId, OrganizationId, PersonId, Timestamp};

#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    pub token_hash: Vec<u8>,
    pub person: PersonId,
    pub csrf: String,
    pub created_at: Timestamp,
    pub used_at: Timestamp,
    pub ends_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub network: String,
    pub agent: String,
    /// What opened it.
    pub credential: CredentialId,
    pub factor: Factor,
    /// Authenticator assurance level, 1 to 3 (NIST SP 800-63B).
    pub assurance: u8,
    /// When the person last proved who they are: at sign-in or a step-up.
    pub proved_at: Timestamp,
    /// The name under which its device's key is kept; `None` for those opened before there was one.
    pub device: Option<Vec<u8>>,
    /// The key that it is bound to.
    pub bound: Option<Device>,
}

quick_row! {
    struct SessionRow {
        token_hash: Vec<u8>,
        person_id: i64,
        csrf: String,
        created_at: i64,
        used_at: i64,
        ends_at: i64,
        ended_at: Option<i64>,
        network: String,
        agent: String,
        credential_id: i64,
        factor: String,
        assurance: i64,
        proved_at: i64,
        device: Option<Vec<u8>>,
        device_kind: Option<String>,
        public_key: Option<Vec<u8>>,
        bound_at: Option<i64>,
        cookie: Option<Vec<u8>>,
        cookie_ends: Option<i64>,
        old_cookie: Option<Vec<u8>>,
        old_ends: Option<i64>,
    }
}

impl TryFrom<SessionRow> for Session {
    type Error = StorageError;
    fn try_from(r: SessionRow) -> Result<Self, StorageError> {
        let at = |time: Option<i64>| Timestamp(time.unwrap_or_default());
        let bound = match r.device_kind {
            Some(key) => Some(Device {
                kind: Device::kind(&key)?,
                public_key: r.public_key.unwrap_or_default(),
                bound_at: at(r.bound_at),
                cookie: (r.cookie.unwrap_or_default(), at(r.cookie_ends)),
                old_cookie: (r.old_cookie.unwrap_or_default(), at(r.old_ends)),
            }),
            None => None,
        };
        Ok(Session {
            device: r.device,
            bound,
            token_hash: r.token_hash,
            person: PersonId(r.person_id),
            csrf: r.csrf,
            created_at: Timestamp(r.created_at),
            used_at: Timestamp(r.used_at),
            ends_at: Timestamp(r.ends_at),
            ended_at: r.ended_at.map(Timestamp),
            network: r.network,
            agent: r.agent,
            credential: CredentialId(r.credential_id),
            factor: factor(&r.factor)?,
            assurance: u8::try_from(r.assurance).unwrap_or(1),
            proved_at: Timestamp(r.proved_at),
        })
    }
}

/// # Errors
/// As every query.
pub async fn insert(c: &mut Conn<'_>, s: &Session) -> Result<(), StorageError> {
    execute!(
        c,
        "INSERT INTO sessions (token_hash, person_id, csrf, created_at, used_at, ends_at, network, agent, credential_id, \
         factor, assurance, proved_at, device) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        &s.token_hash,
        s.person.0,
        &s.csrf,
        s.created_at.0,
        s.used_at.0,
        s.ends_at.0,
        &s.network,
        &s.agent,
        s.credential.0,
        s.factor.key(),
        i64::from(s.assurance),
        s.proved_at.0,
        s.device.as_deref()
    )?;
    Ok(())
}

/// The columns of [`SessionRow`].
macro_rules! session_columns {
    () => {
        "s.token_hash, s.person_id, s.csrf, s.created_at, s.used_at, s.ends_at, s.ended_at, s.network, s.agent, \
         s.credential_id, s.factor, s.assurance, s.proved_at, s.device, d.kind AS device_kind, d.public_key, d.bound_at, \
         d.cookie, d.cookie_ends, d.old_cookie, d.old_ends"
    };
}

macro_rules! session {
    ($where:literal) => {
        concat!(
            "SELECT ",
            session_columns!(),
            " FROM sessions s LEFT JOIN devices d ON d.id = s.device WHERE ",
            $where
        )
    };
}

/// # Errors
/// As every query.
pub async fn find(c: &mut Conn<'_>, token_hash: &[u8]) -> Result<Option<Session>, StorageError> {
    let row = fetch_optional!(c, SessionRow: session!("s.token_hash = $1"), token_hash)?;
    row.map(TryInto::try_into).transpose()
}

quick_row! {
    struct HeldRow {
        ..session: SessionRow,
        ..holder: HolderRow,
    }
}

/// A session and who is in it.
#[derive(Debug, PartialEq)]
pub struct Held {
    pub session: Session,
    pub holder: Holder,
}

impl TryFrom<HeldRow> for Held {
    type Error = StorageError;
    fn try_from(row: HeldRow) -> Result<Held, StorageError> {
        Ok(Held { session: row.session.try_into()?, holder: row.holder.try_into()? })
    }
}

/// What [`held`] asks.
pub static HELD: Statement = statement!(0:
    "SELECT ",
    session_columns!(),
    ", ",
    holder_columns!(),
    " FROM sessions s",
    holder_tables!(),
    " LEFT JOIN devices d ON d.id = s.device WHERE s.token_hash"
);

/// A session and who is in it, by one statement; `None` when there is no such session, or its person is
/// gone or no longer active. It may have ended.
///
/// # Errors
/// As every query.
pub async fn held(db: &Db, token_hash: &[u8; 32]) -> Result<Option<Arc<Held>>, StorageError> {
    let began = moment::begin();
    let row: Option<HeldRow> = quick::row(db, &HELD, token_hash).await?;
    let held = row.map(Held::try_from).transpose()?.map(Arc::new);
    db.lately().sessions.put(began, &[(*token_hash, held.clone())]);
    Ok(held)
}

/// The same, where it was read within the last [`KEPT`](moment::KEPT).
pub fn held_lately(db: &Db, token_hash: &[u8; 32]) -> Option<Arc<Held>> {
    db.lately().sessions.get(token_hash)
}

/// The session that its device knows by this name.
///
/// # Errors
/// As every query.
pub async fn of_device(c: &mut Conn<'_>, device: &[u8]) -> Result<Option<Session>, StorageError> {
    let row = fetch_optional!(c, SessionRow: session!("s.device = $1"), device)?;
    row.map(TryInto::try_into).transpose()
}

/// A session that holds, with the name of its key.
#[derive(Clone, Debug)]
pub struct Active {
    pub token_hash: Vec<u8>,
    pub person: PersonId,
    pub created_at: Timestamp,
    pub used_at: Timestamp,
    pub ends_at: Timestamp,
    pub network: String,
    pub agent: String,
    /// What opened it, and what its owner calls that.
    pub factor: Factor,
    pub key: String,
    /// Where the key is that it is bound to.
    pub device: Option<DeviceKind>,
}

/// Whose sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    Everybody,
    Organization(OrganizationId),
    Person(PersonId),
}

#[derive(sqlx::FromRow)]
struct ActiveRow {
    token_hash: Vec<u8>,
    person_id: i64,
    created_at: i64,
    used_at: i64,
    ends_at: i64,
    network: String,
    agent: String,
    factor: String,
    key_name: String,
    device_kind: Option<String>,
}

macro_rules! active {
    ($of:literal, $where:literal) => {
        concat!(
            "SELECT s.token_hash, s.person_id, s.created_at, s.used_at, s.ends_at, s.network, s.agent, s.factor, \
             coalesce(k.name, '') AS key_name, d.kind AS device_kind FROM sessions s ",
            $of,
            "LEFT JOIN credentials k ON k.id = s.credential_id LEFT JOIN devices d ON d.id = s.device WHERE ",
            $where,
            "s.ended_at IS NULL AND s.ends_at > $1 AND s.used_at >= $2 ORDER BY s.used_at DESC, s.token_hash LIMIT $3"
        )
    };
}

/// Sessions that are neither over at a time nor unused since another, the last used first.
///
/// # Errors
/// As every query.
pub async fn active(
    c: &mut Conn<'_>,
    whose: Whose,
    now: Timestamp,
    used_since: Timestamp,
    limit: i64,
) -> Result<Vec<Active>, StorageError> {
    let rows = match whose {
        Whose::Person(p) => {
            fetch_all!(c, ActiveRow: active!("", "s.person_id = $4 AND "), now.0, used_since.0, limit, p.0)
        }
        Whose::Organization(o) => fetch_all!(c, ActiveRow: active!(
            "JOIN people p ON p.id = s.person_id AND p.rev_to = 9223372036854775807 ",
            "p.organization_id = $4 AND "), now.0, used_since.0, limit, o.0),
        Whose::Everybody => fetch_all!(c, ActiveRow: active!("", ""), now.0, used_since.0, limit),
    }?;
    let active = |r: ActiveRow| -> Result<Active, StorageError> {
        Ok(Active {
            token_hash: r.token_hash,
            person: PersonId(r.person_id),
            created_at: Timestamp(r.created_at),
            used_at: Timestamp(r.used_at),
            ends_at: Timestamp(r.ends_at),
            network: r.network,
            agent: r.agent,
            factor: factor(&r.factor)?,
            key: r.key_name,
            device: r.device_kind.as_deref().and_then(DeviceKind::from_key),
        })
    };
    rows.into_iter().map(active).collect()
}

/// Token hashes of a person's sessions that have not ended and are not over at a time.
///
/// # Errors
/// As every query.
pub async fn of_person(
    c: &mut Conn<'_>,
    person: PersonId,
    now: Timestamp,
) -> Result<Vec<Vec<u8>>, StorageError> {
    let rows = fetch_all!(c, (Vec<u8>,):
        "SELECT token_hash FROM sessions WHERE person_id = $1 AND ended_at IS NULL AND ends_at > $2 ORDER BY created_at",
        person.0, now.0)?;
    Ok(rows.into_iter().map(|r| r.0).collect())
}

/// Whether a person ever had a session in a network.
///
/// # Errors
/// As every query.
pub async fn was_in(
    c: &mut Conn<'_>,
    person: PersonId,
    network: &str,
) -> Result<bool, StorageError> {
    let row = fetch_optional!(c, (i64,):
        "SELECT person_id FROM sessions WHERE person_id = $1 AND network = $2 LIMIT 1", person.0, network)?;
    Ok(row.is_some())
}

/// The networks in which a person ever had a session.
///
/// # Errors
/// As every query.
pub async fn networks_of(c: &mut Conn<'_>, person: PersonId) -> Result<Vec<String>, StorageError> {
    let rows = fetch_all!(c, (String,): "SELECT DISTINCT network FROM sessions WHERE person_id = $1", person.0)?;
    Ok(rows.into_iter().map(|(network,)| network).collect())
}

/// Moves the time of last use forward, never back.
///
/// # Errors
/// As every query.
pub async fn touch(c: &mut Conn<'_>, token_hash: &[u8], at: Timestamp) -> Result<(), StorageError> {
    execute!(
        c,
        "UPDATE sessions SET used_at = $2 WHERE token_hash = $1 AND used_at < $2",
        token_hash,
        at.0
    )?;
    Ok(())
}

/// Gives a session a new token where its person has proved themselves once more; `false` when it has
/// ended meanwhile.
///
/// # Errors
/// As every query.
pub async fn rotate(
    c: &mut Conn<'_>,
    from: &[u8],
    to: &[u8],
    at: Timestamp,
) -> Result<bool, StorageError> {
    let n = execute!(
        c,
        "UPDATE sessions SET token_hash = $2, proved_at = $3 WHERE token_hash = $1 AND ended_at IS NULL",
        from,
        to,
        at.0
    )?;
    Ok(n == 1)
}

/// Ends a session; one that has ended stays ended at its first time.
///
/// # Errors
/// As every query.
pub async fn end(c: &mut Conn<'_>, token_hash: &[u8], at: Timestamp) -> Result<bool, StorageError> {
    let n = execute!(
        c,
        "UPDATE sessions SET ended_at = $2 WHERE token_hash = $1 AND ended_at IS NULL",
        token_hash,
        at.0
    )?;
    Ok(n == 1)
}

/// Ends every session of a person.
///
/// # Errors
/// As every query.
pub async fn end_all(
    c: &mut Conn<'_>,
    person: PersonId,
    at: Timestamp,
) -> Result<u64, StorageError> {
    execute!(
        c,
        "UPDATE sessions SET ended_at = $2 WHERE person_id = $1 AND ended_at IS NULL",
        person.0,
        at.0
    )
}

/// Ends the sessions that a credential opened, except one.
///
/// # Errors
/// As every query.
pub async fn end_of_credential(
    c: &mut Conn<'_>,
    credential: CredentialId,
    keep: &[u8],
    at: Timestamp,
) -> Result<u64, StorageError> {
    execute!(
        c,
        "UPDATE sessions SET ended_at = $3 WHERE credential_id = $1 AND token_hash <> $2 AND ended_at IS NULL",
        credential.0,
        keep,
        at.0
    )
}
