//! Service accounts, their access tokens, and the proofs that were used.

use crate::{Conn, StorageError};
use warifu_domain::{PersonId, Timestamp};

/// A service account.
#[derive(Clone, Debug)]
pub struct ServiceAccount {
    pub id: i64,
    /// Whose acts its acts are in the ledger.
    pub person: PersonId,
    pub name: String,
    pub owner: PersonId,
    pub scopes: String,
    pub networks: String,
    pub jwk: String,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    /// When a second person agreed to it.
    pub agreed_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
}

impl ServiceAccount {
    /// Whether it may be used.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.agreed_at.is_some() && self.revoked_at.is_none() && self.expires_at > now
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    person_id: i64,
    name: String,
    owner_id: i64,
    scopes: String,
    networks: String,
    jwk: String,
    created_at: i64,
    expires_at: i64,
    agreed_at: Option<i64>,
    revoked_at: Option<i64>,
    last_used_at: Option<i64>,
}

impl From<Row> for ServiceAccount {
    fn from(r: Row) -> ServiceAccount {
        ServiceAccount {
            id: r.id,
            person: PersonId(r.person_id),
            name: r.name,
            owner: PersonId(r.owner_id),
            scopes: r.scopes,
            networks: r.networks,
            jwk: r.jwk,
            created_at: Timestamp(r.created_at),
            expires_at: Timestamp(r.expires_at),
            agreed_at: r.agreed_at.map(Timestamp),
            revoked_at: r.revoked_at.map(Timestamp),
            last_used_at: r.last_used_at.map(Timestamp),
        }
    }
}

/// Adds an account; its id was taken before.
///
/// # Errors
/// As every query.
pub async fn insert(c: &mut Conn<'_>, a: &ServiceAccount) -> Result<(), StorageError> {
    execute!(
        c,
        "INSERT INTO service_accounts (id, person_id, name, owner_id, scopes, networks, jwk, created_at, expires_at, agreed_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        a.id,
        a.person.0,
        &a.name,
        a.owner.0,
        &a.scopes,
        &a.networks,
        &a.jwk,
        a.created_at.0,
        a.expires_at.0,
        a.agreed_at.map(|t| t.0)
    )?;
    Ok(())
}

/// All accounts, the newest first; at most 200.
///
/// # Errors
/// As every query.
pub async fn list(c: &mut Conn<'_>) -> Result<Vec<ServiceAccount>, StorageError> {
    let rows = fetch_all!(c, Row:
        "SELECT id, person_id, name, owner_id, scopes, networks, jwk, created_at, expires_at, agreed_at, revoked_at, last_used_at \
         FROM service_accounts ORDER BY id DESC LIMIT 200")?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// # Errors
/// As every query.
pub async fn find(c: &mut Conn<'_>, id: i64) -> Result<Option<ServiceAccount>, StorageError> {
    let row = fetch_optional!(c, Row:
        "SELECT id, person_id, name, owner_id, scopes, networks, jwk, created_at, expires_at, agreed_at, revoked_at, last_used_at \
         FROM service_accounts WHERE id = $1", id)?;
    Ok(row.map(Into::into))
}

/// Whether a person's acts are those of an account.
///
/// # Errors
/// As every query.
pub async fn is_account(c: &mut Conn<'_>, person: PersonId) -> Result<bool, StorageError> {
    let row = fetch_optional!(c, (i64,):
        "SELECT id FROM service_accounts WHERE person_id = $1", person.0)?;
    Ok(row.is_some())
}

/// Who made the account as which a person acts.
///
/// # Errors
/// As every query.
pub async fn owner(c: &mut Conn<'_>, person: PersonId) -> Result<Option<PersonId>, StorageError> {
    let row = fetch_optional!(c, (i64,):
        "SELECT owner_id FROM service_accounts WHERE person_id = $1", person.0)?;
    Ok(row.map(|(id,)| PersonId(id)))
}

/// A second person has agreed to an account.
///
/// # Errors
/// As every query.
pub async fn agree(c: &mut Conn<'_>, id: i64, at: Timestamp) -> Result<(), StorageError> {
    execute!(c, "UPDATE service_accounts SET agreed_at = $2 WHERE id = $1", id, at.0)?;
    Ok(())
}

/// Revokes an account and takes its tokens away; `false` when it was revoked before.
///
/// # Errors
/// As every query.
pub async fn revoke(c: &mut Conn<'_>, id: i64, at: Timestamp) -> Result<bool, StorageError> {
    let n = execute!(
        c,
        "UPDATE service_accounts SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL",
        id,
        at.0
    )?;
    execute!(c, "DELETE FROM service_tokens WHERE account_id = $1", id)?;
    Ok(n == 1)
}

/// An access token.
#[derive(Clone, Debug)]
pub struct ServiceToken {
    pub account: i64,
    pub scopes: String,
    pub key_thumbprint: String,
    pub expires_at: Timestamp,
}

/// Keeps a token and forgets those that are over.
///
/// # Errors
/// As every query.
pub async fn insert_token(
    c: &mut Conn<'_>,
    hash: &[u8],
    token: &ServiceToken,
    at: Timestamp,
) -> Result<(), StorageError> {
    execute!(c, "DELETE FROM service_tokens WHERE expires_at <= $1", at.0)?;
    execute!(
        c,
        "INSERT INTO service_tokens (token_hash, account_id, scopes, key_thumbprint, expires_at) VALUES ($1, $2, $3, $4, $5)",
        hash,
        token.account,
        &token.scopes,
        &token.key_thumbprint,
        token.expires_at.0
    )?;
    execute!(
        c,
        "UPDATE service_accounts SET last_used_at = $2 WHERE id = $1",
        token.account,
        at.0
    )?;
    Ok(())
}

/// # Errors
/// As every query.
pub async fn find_token(
    c: &mut Conn<'_>,
    hash: &[u8],
) -> Result<Option<ServiceToken>, StorageError> {
    let row = fetch_optional!(c, (i64, String, String, i64):
        "SELECT account_id, scopes, key_thumbprint, expires_at FROM service_tokens WHERE token_hash = $1", hash)?;
    Ok(row.map(|(account, scopes, key_thumbprint, expires)| ServiceToken {
        account,
        scopes,
        key_thumbprint,
        expires_at: Timestamp(expires),
    }))
}

/// Uses a proof up; `false` when it was used before. Those that are over are forgotten.
///
/// # Errors
/// As every query.
pub async fn use_proof(
    c: &mut Conn<'_>,
    proof: &[u8],
    until: Timestamp,
    now: Timestamp,
) -> Result<bool, StorageError> {
    execute!(c, "DELETE FROM used_proofs WHERE expires_at <= $1", now.0)?;
    let n = execute!(
        c,
        "INSERT INTO used_proofs (proof, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        proof,
        until.0
    )?;
    Ok(n == 1)
}
