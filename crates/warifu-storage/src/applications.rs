//! The applications that people enter with their session here.

use crate::{Conn, StorageError};
use warifu_domain::access::{Role, Roles};
use warifu_domain::applications::{Acr, Application, Entry, Kind};
use warifu_domain::{ApplicationId, Timestamp};

#[derive(sqlx::FromRow)]
pub(crate) struct Row {
    id: i64,
    name: String,
    kind: String,
    origin: String,
    secret_hash: Option<Vec<u8>>,
    redirect_uris: String,
    logout_uris: String,
    backchannel_uri: String,
    roles: String,
    max_age: Option<i64>,
    acr: String,
    created_at: i64,
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn corrupt(what: &'static str, detail: &str) -> StorageError {
    StorageError::Corrupt { what, detail: detail.to_owned() }
}

pub(crate) fn entry(roles: &str, max_age: Option<i64>, acr: &str) -> Result<Entry, StorageError> {
    let known = |key: &str| Role::from_key(key).ok_or_else(|| corrupt("applications.roles", key));
    let keys = roles.split(',').filter(|key| !key.is_empty());
    Ok(Entry {
        roles: keys.map(known).collect::<Result<Roles, _>>()?,
        max_age,
        acr: Acr::from_key(acr).ok_or_else(|| corrupt("applications.acr", acr))?,
    })
}

impl TryFrom<Row> for Application {
    type Error = StorageError;
    fn try_from(r: Row) -> Result<Application, StorageError> {
        Ok(Application {
            id: ApplicationId(r.id),
            kind: Kind::from_key(&r.kind).ok_or_else(|| corrupt("applications.kind", &r.kind))?,
            entry: entry(&r.roles, r.max_age, &r.acr)?,
            name: r.name,
            origin: r.origin,
            secret: r.secret_hash,
            redirect_uris: words(&r.redirect_uris),
            logout_uris: words(&r.logout_uris),
            backchannel_uri: r.backchannel_uri,
            created_at: Timestamp(r.created_at),
        })
    }
}

fn role_keys(roles: Roles) -> String {
    roles.iter().map(Role::key).collect::<Vec<_>>().join(",")
}

/// # Errors
/// As every query.
pub async fn list(c: &mut Conn<'_>) -> Result<Vec<Application>, StorageError> {
    let rows = fetch_all!(c, Row: "SELECT * FROM applications ORDER BY name, id")?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// # Errors
/// As every query.
pub async fn find(
    c: &mut Conn<'_>,
    id: ApplicationId,
) -> Result<Option<Application>, StorageError> {
    let row = fetch_optional!(c, Row: "SELECT * FROM applications WHERE id = $1", id.0)?;
    row.map(TryInto::try_into).transpose()
}

/// By its origin, or for a client of OpenID by its id.
///
/// # Errors
/// As every query.
pub async fn find_by_origin(
    c: &mut Conn<'_>,
    origin: &str,
) -> Result<Option<Application>, StorageError> {
    let row = fetch_optional!(c, Row: "SELECT * FROM applications WHERE origin = $1", origin)?;
    row.map(TryInto::try_into).transpose()
}

/// # Errors
/// As every query.
pub async fn insert(c: &mut Conn<'_>, a: &Application) -> Result<(), StorageError> {
    execute!(
        c,
        "INSERT INTO applications (id, name, kind, origin, secret_hash, redirect_uris, logout_uris, backchannel_uri, \
         roles, max_age, acr, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        a.id.0,
        &a.name,
        a.kind.key(),
        &a.origin,
        a.secret.as_deref(),
        a.redirect_uris.join(" "),
        a.logout_uris.join(" "),
        &a.backchannel_uri,
        role_keys(a.entry.roles),
        a.entry.max_age,
        a.entry.acr.key(),
        a.created_at.0
    )?;
    Ok(())
}

/// Everything but its kind and its time.
///
/// # Errors
/// As every query.
pub async fn update(c: &mut Conn<'_>, a: &Application) -> Result<(), StorageError> {
    execute!(
        c,
        "UPDATE applications SET name = $2, origin = $3, secret_hash = $4, redirect_uris = $5, logout_uris = $6, \
         backchannel_uri = $7, roles = $8, max_age = $9, acr = $10 WHERE id = $1",
        a.id.0,
        &a.name,
        &a.origin,
        a.secret.as_deref(),
        a.redirect_uris.join(" "),
        a.logout_uris.join(" "),
        &a.backchannel_uri,
        role_keys(a.entry.roles),
        a.entry.max_age,
        a.entry.acr.key()
    )?;
    Ok(())
}

/// Removes it with all that is open in it.
///
/// # Errors
/// As every query.
pub async fn remove(c: &mut Conn<'_>, id: ApplicationId) -> Result<(), StorageError> {
    execute!(c, "DELETE FROM application_codes WHERE application_id = $1", id.0)?;
    execute!(c, "DELETE FROM application_sessions WHERE application_id = $1", id.0)?;
    execute!(c, "DELETE FROM applications WHERE id = $1", id.0)?;
    Ok(())
}
