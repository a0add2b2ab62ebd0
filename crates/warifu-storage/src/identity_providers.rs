//! Identity providers by which people sign in, and which sessions they opened.

use crate::{Conn, StorageError};
use warifu_domain::{CredentialId, OrganizationId, PersonId, ProviderId, Timestamp};

/// A provider as it is kept.
#[derive(Clone, Debug)]
pub struct Provider {
    pub id: ProviderId,
    /// Whose people sign in by it.
    pub organization: OrganizationId,
    /// What its button says.
    pub name: String,
    pub issuer: String,
    pub client_id: String,
    /// The client's secret, encrypted.
    pub secret: Vec<u8>,
    /// The hosts that may be asked, separated by spaces.
    pub hosts: String,
    pub enabled: bool,
    pub created_at: Timestamp,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    organization_id: i64,
    name: String,
    issuer: String,
    client_id: String,
    secret: Vec<u8>,
    hosts: String,
    enabled: i64,
    created_at: i64,
}

impl From<Row> for Provider {
    fn from(r: Row) -> Provider {
        Provider {
            id: ProviderId(r.id),
            organization: OrganizationId(r.organization_id),
            name: r.name,
            issuer: r.issuer,
            client_id: r.client_id,
            secret: r.secret,
            hosts: r.hosts,
            enabled: r.enabled != 0,
            created_at: Timestamp(r.created_at),
        }
    }
}

/// The providers that are there, oldest first; at most 200.
///
/// # Errors
/// As every query.
pub async fn list(c: &mut Conn<'_>) -> Result<Vec<Provider>, StorageError> {
    let rows = fetch_all!(c, Row:
        "SELECT id, organization_id, name, issuer, client_id, secret, hosts, enabled, created_at \
         FROM identity_providers WHERE removed_at IS NULL ORDER BY id LIMIT 200")?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// The names of the providers by which the people of an organization may sign in now.
///
/// # Errors
/// As every query.
pub async fn names_of(
    c: &mut Conn<'_>,
    organization: OrganizationId,
) -> Result<Vec<String>, StorageError> {
    let rows = fetch_all!(c, (String,):
        "SELECT name FROM identity_providers WHERE organization_id = $1 AND removed_at IS NULL AND enabled = 1 \
         ORDER BY id LIMIT 200", organization.0)?;
    Ok(rows.into_iter().map(|(name,)| name).collect())
}

/// # Errors
/// As every query.
pub async fn find(c: &mut Conn<'_>, id: ProviderId) -> Result<Option<Provider>, StorageError> {
    let row = fetch_optional!(c, Row:
        "SELECT id, organization_id, name, issuer, client_id, secret, hosts, enabled, created_at \
         FROM identity_providers WHERE id = $1 AND removed_at IS NULL", id.0)?;
    Ok(row.map(Into::into))
}

/// Adds a provider under the id that [`new_id`] gave.
///
/// # Errors
/// As every query.
pub async fn insert(c: &mut Conn<'_>, p: &Provider) -> Result<(), StorageError> {
    execute!(
        c,
        "INSERT INTO identity_providers (id, organization_id, name, issuer, client_id, secret, hosts, enabled, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        p.id.0,
        p.organization.0,
        &p.name,
        &p.issuer,
        &p.client_id,
        &p.secret,
        &p.hosts,
        i64::from(p.enabled),
        p.created_at.0
    )?;
    Ok(())
}

/// # Errors
/// As every query.
pub async fn new_id(c: &mut Conn<'_>) -> Result<ProviderId, StorageError> {
    Ok(ProviderId(c.take_ids("identity_providers", 1).await?))
}

/// # Errors
/// As every query.
pub async fn switch(c: &mut Conn<'_>, id: ProviderId, on: bool) -> Result<(), StorageError> {
    execute!(
        c,
        "UPDATE identity_providers SET enabled = $2 WHERE id = $1 AND removed_at IS NULL",
        id.0,
        i64::from(on)
    )?;
    Ok(())
}

/// Removes a provider. Its secret goes; its id never comes back.
///
/// # Errors
/// As every query.
pub async fn remove(c: &mut Conn<'_>, id: ProviderId, at: Timestamp) -> Result<(), StorageError> {
    execute!(
        c,
        "UPDATE identity_providers SET removed_at = $2, enabled = 0, secret = $3 WHERE id = $1",
        id.0,
        at.0,
        Vec::<u8>::new()
    )?;
    Ok(())
}

/// Notes through which provider a session was opened, and the provider's name for its own session.
///
/// # Errors
/// As every query.
pub async fn opened(
    c: &mut Conn<'_>,
    token_hash: &[u8],
    provider: ProviderId,
    sid: Option<&str>,
) -> Result<(), StorageError> {
    execute!(
        c,
        "UPDATE sessions SET provider_id = $2, provider_sid = $3 WHERE token_hash = $1",
        token_hash,
        provider.0,
        sid
    )?;
    Ok(())
}

/// The provider through which a session was opened.
///
/// # Errors
/// As every query.
pub async fn of_session(
    c: &mut Conn<'_>,
    token_hash: &[u8],
) -> Result<Option<ProviderId>, StorageError> {
    let row = fetch_optional!(c, (Option<i64>,):
        "SELECT provider_id FROM sessions WHERE token_hash = $1", token_hash)?;
    Ok(row.and_then(|r| r.0).map(ProviderId))
}

/// Which of a provider's sessions are meant.
#[derive(Clone, Copy, Debug)]
pub enum Which<'a> {
    All,
    /// The provider's own session of this name.
    Sid(&'a str),
    /// Those of one person's link to the provider.
    Of(CredentialId),
}

/// Token hash and person of the sessions that a provider opened and that have not ended.
///
/// # Errors
/// As every query.
pub async fn sessions(
    c: &mut Conn<'_>,
    provider: ProviderId,
    which: Which<'_>,
) -> Result<Vec<(Vec<u8>, PersonId)>, StorageError> {
    type Found = (Vec<u8>, i64);
    let rows = match which {
        Which::All => fetch_all!(c, Found:
            "SELECT token_hash, person_id FROM sessions WHERE provider_id = $1 AND ended_at IS NULL",
            provider.0),
        Which::Sid(sid) => fetch_all!(c, Found:
            "SELECT token_hash, person_id FROM sessions \
             WHERE provider_id = $1 AND provider_sid = $2 AND ended_at IS NULL",
            provider.0, sid),
        Which::Of(credential) => fetch_all!(c, Found:
            "SELECT token_hash, person_id FROM sessions \
             WHERE provider_id = $1 AND credential_id = $2 AND ended_at IS NULL",
            provider.0, credential.0),
    }?;
    Ok(rows.into_iter().map(|(hash, person)| (hash, PersonId(person))).collect())
}

/// Takes a token that is good once; `false` when it was taken before. Forgets those that have expired.
///
/// # Errors
/// As every query.
pub async fn spend_token(
    c: &mut Conn<'_>,
    token_hash: &[u8],
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<bool, StorageError> {
    execute!(c, "DELETE FROM spent_tokens WHERE expires_at <= $1", now.0)?;
    let n = execute!(
        c,
        "INSERT INTO spent_tokens (token_hash, expires_at) VALUES ($1, $2) ON CONFLICT (token_hash) DO NOTHING",
        token_hash,
        expires_at.0
    )?;
    Ok(n == 1)
}
