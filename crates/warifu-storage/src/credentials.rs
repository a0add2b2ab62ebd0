//! Factors of every kind, one-time enrolment links and ceremonies between their two steps.

use crate::{Conn, StorageError};
use warifu_domain::factors::Factor;
use warifu_domain::{CredentialId, PersonId, Timestamp};

/// A factor that somebody has.
#[derive(Clone, Debug)]
pub struct Credential {
    pub id: CredentialId,
    pub person: PersonId,
    pub kind: Factor,
    /// What its kind knows it by; unique among all factors.
    pub credential_id: Vec<u8>,
    /// What it is verified with, as its kind has it: of a passkey, the WebAuthn library's JSON of the
    /// public key, counter and flags.
    pub verifier: String,
    /// The make of a passkey's authenticator, as it named it (AAGUID).
    pub make: Option<String>,
    pub name: String,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
}

#[derive(sqlx::FromRow)]
struct CredentialRow {
    id: i64,
    person_id: i64,
    kind: String,
    credential_id: Vec<u8>,
    verifier: String,
    aaguid: Option<String>,
    name: String,
    created_at: i64,
    last_used_at: Option<i64>,
}

impl TryFrom<CredentialRow> for Credential {
    type Error = StorageError;
    fn try_from(r: CredentialRow) -> Result<Self, StorageError> {
        Ok(Credential {
            id: CredentialId(r.id),
            person: PersonId(r.person_id),
            kind: factor(&r.kind)?,
            credential_id: r.credential_id,
            verifier: r.verifier,
            make: r.aaguid,
            name: r.name,
            created_at: Timestamp(r.created_at),
            last_used_at: r.last_used_at.map(Timestamp),
        })
    }
}

/// The kind of a factor from its stored name.
pub(crate) fn factor(key: &str) -> Result<Factor, StorageError> {
    let unknown = || StorageError::Corrupt { what: "the kind of a factor", detail: key.to_owned() };
    Factor::from_key(key).ok_or_else(unknown)
}

/// The factors of a person that are not revoked, of every kind, oldest first.
///
/// # Errors
/// As every query.
pub async fn of_person(
    c: &mut Conn<'_>,
    person: PersonId,
) -> Result<Vec<Credential>, StorageError> {
    let rows = fetch_all!(c, CredentialRow:
        "SELECT id, person_id, kind, credential_id, verifier, aaguid, name, created_at, last_used_at FROM credentials \
         WHERE person_id = $1 AND revoked_at IS NULL ORDER BY id LIMIT 50", person.0)?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// The factor with an identifier that its kind gives it: of a passkey, the credential id.
///
/// # Errors
/// As every query.
pub async fn find(
    c: &mut Conn<'_>,
    kind: Factor,
    credential_id: &[u8],
) -> Result<Option<Credential>, StorageError> {
    let row = fetch_optional!(c, CredentialRow:
        "SELECT id, person_id, kind, credential_id, verifier, aaguid, name, created_at, last_used_at FROM credentials \
         WHERE credential_id = $1 AND kind = $2 AND revoked_at IS NULL", credential_id, kind.key())?;
    row.map(TryInto::try_into).transpose()
}

/// Every factor of a kind that is not revoked and opened a session that is still open.
///
/// # Errors
/// As every query.
pub async fn in_use(c: &mut Conn<'_>, kind: Factor) -> Result<Vec<Credential>, StorageError> {
    let rows = fetch_all!(c, CredentialRow:
        "SELECT id, person_id, kind, credential_id, verifier, aaguid, name, created_at, last_used_at FROM credentials \
         WHERE kind = $1 AND revoked_at IS NULL AND id IN \
         (SELECT credential_id FROM sessions WHERE factor = $1 AND ended_at IS NULL) ORDER BY id", kind.key())?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// The password of whoever has an address; the oldest, where several do.
///
/// # Errors
/// As every query.
pub async fn password_named(
    c: &mut Conn<'_>,
    email: &str,
) -> Result<Option<Credential>, StorageError> {
    let row = fetch_optional!(c, CredentialRow:
        "SELECT k.id, k.person_id, k.kind, k.credential_id, k.verifier, k.aaguid, k.name, k.created_at, k.last_used_at \
         FROM people p JOIN credentials k ON k.person_id = p.id AND k.kind = 'password' AND k.revoked_at IS NULL \
         WHERE lower(p.email) = lower($1) AND p.rev_to = 9223372036854775807 ORDER BY k.id LIMIT 1", email)?;
    row.map(TryInto::try_into).transpose()
}

/// Whether an identifier was ever registered, for whatever kind.
///
/// # Errors
/// As every query.
pub async fn is_taken(c: &mut Conn<'_>, credential_id: &[u8]) -> Result<bool, StorageError> {
    let row = fetch_optional!(c, (i64,):
        "SELECT id FROM credentials WHERE credential_id = $1", credential_id)?;
    Ok(row.is_some())
}

/// A factor to be added.
pub struct NewCredential<'a> {
    pub person: PersonId,
    pub kind: Factor,
    /// Unique among all factors, revoked ones too.
    pub credential_id: &'a [u8],
    pub verifier: &'a str,
    /// The make of a passkey's authenticator, as it names it (AAGUID).
    pub make: Option<&'a str>,
    pub name: &'a str,
}

/// Adds a factor and gives its id.
///
/// # Errors
/// As every query; also when its identifier is registered already.
pub async fn insert(
    c: &mut Conn<'_>,
    new: &NewCredential<'_>,
    at: Timestamp,
) -> Result<CredentialId, StorageError> {
    let id = c.take_ids("credentials", 1).await?;
    execute!(
        c,
        "INSERT INTO credentials (id, person_id, kind, credential_id, verifier, aaguid, name, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        id,
        new.person.0,
        new.kind.key(),
        new.credential_id,
        new.verifier,
        new.make,
        new.name,
        at.0
    )?;
    Ok(CredentialId(id))
}

/// Keeps what a successful proof changed (a passkey's counter) and its time.
///
/// # Errors
/// As every query.
pub async fn used(
    c: &mut Conn<'_>,
    id: CredentialId,
    verifier: &str,
    at: Timestamp,
) -> Result<(), StorageError> {
    execute!(
        c,
        "UPDATE credentials SET verifier = $2, last_used_at = $3 WHERE id = $1",
        id.0,
        verifier,
        at.0
    )?;
    Ok(())
}

/// When a factor ends by itself.
///
/// # Errors
/// As every query.
pub async fn ends(c: &mut Conn<'_>, id: CredentialId, at: Timestamp) -> Result<(), StorageError> {
    execute!(c, "UPDATE credentials SET expires_at = $2 WHERE id = $1", id.0, at.0)?;
    Ok(())
}

/// Revokes a person's credential; `false` when there is none.
///
/// # Errors
/// As every query.
pub async fn revoke(
    c: &mut Conn<'_>,
    person: PersonId,
    id: CredentialId,
    at: Timestamp,
) -> Result<bool, StorageError> {
    let n = execute!(
        c,
        "UPDATE credentials SET revoked_at = $3 WHERE id = $1 AND person_id = $2 AND revoked_at IS NULL",
        id.0,
        person.0,
        at.0
    )?;
    Ok(n == 1)
}

/// A one-time link.
#[derive(Clone, Debug)]
pub struct Enrolment {
    pub person: PersonId,
    pub expires_at: Timestamp,
    pub used_at: Option<Timestamp>,
    /// SHA-256 of the cookie of the browser that opened it first.
    pub browser: Option<Vec<u8>>,
}

/// # Errors
/// As every query.
pub async fn insert_enrolment(
    c: &mut Conn<'_>,
    token_hash: &[u8],
    person: PersonId,
    by: PersonId,
    at: Timestamp,
    expires_at: Timestamp,
) -> Result<(), StorageError> {
    execute!(
        c,
        "INSERT INTO enrolments (token_hash, person_id, created_by, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)",
        token_hash,
        person.0,
        by.0,
        at.0,
        expires_at.0
    )?;
    Ok(())
}

/// # Errors
/// As every query.
pub async fn find_enrolment(
    c: &mut Conn<'_>,
    token_hash: &[u8],
) -> Result<Option<Enrolment>, StorageError> {
    type Row = (i64, i64, Option<i64>, Option<Vec<u8>>);
    let row = fetch_optional!(c, Row:
        "SELECT person_id, expires_at, used_at, browser_hash FROM enrolments WHERE token_hash = $1", token_hash)?;
    Ok(row.map(|(person, expires, used, browser)| Enrolment {
        person: PersonId(person),
        expires_at: Timestamp(expires),
        used_at: used.map(Timestamp),
        browser,
    }))
}

/// Binds a link to the browser that opens it first; `false` when another did before.
///
/// # Errors
/// As every query.
pub async fn bind_enrolment(
    c: &mut Conn<'_>,
    token_hash: &[u8],
    browser: &[u8],
) -> Result<bool, StorageError> {
    let n = execute!(
        c,
        "UPDATE enrolments SET browser_hash = $2 WHERE token_hash = $1 AND (browser_hash IS NULL OR browser_hash = $2)",
        token_hash,
        browser
    )?;
    Ok(n == 1)
}

/// Spends a link; `false` when it was spent before or has expired.
///
/// # Errors
/// As every query.
pub async fn spend_enrolment(
    c: &mut Conn<'_>,
    token_hash: &[u8],
    at: Timestamp,
) -> Result<bool, StorageError> {
    let n = execute!(
        c,
        "UPDATE enrolments SET used_at = $2 WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2",
        token_hash,
        at.0
    )?;
    Ok(n == 1)
}

/// A one-time link that may still be used.
#[derive(Clone, Copy, Debug)]
pub struct OpenEnrolment {
    /// Who made it; 0 for the console.
    pub by: PersonId,
    pub expires_at: Timestamp,
    /// Whether a browser has opened it.
    pub opened: bool,
}

/// The link of a person that may still be used; the one that holds longest, where there are several.
///
/// # Errors
/// As every query.
pub async fn open_enrolment(
    c: &mut Conn<'_>,
    person: PersonId,
    now: Timestamp,
) -> Result<Option<OpenEnrolment>, StorageError> {
    let row = fetch_optional!(c, (i64, i64, Option<Vec<u8>>):
        "SELECT created_by, expires_at, browser_hash FROM enrolments \
         WHERE person_id = $1 AND used_at IS NULL AND expires_at > $2 ORDER BY expires_at DESC LIMIT 1",
        person.0, now.0)?;
    Ok(row.map(|(by, expires, browser)| OpenEnrolment {
        by: PersonId(by),
        expires_at: Timestamp(expires),
        opened: browser.is_some(),
    }))
}

/// Ends every link of a person that was not used.
///
/// # Errors
/// As every query.
pub async fn end_enrolments(
    c: &mut Conn<'_>,
    person: PersonId,
    at: Timestamp,
) -> Result<u64, StorageError> {
    execute!(
        c,
        "UPDATE enrolments SET used_at = $2 WHERE person_id = $1 AND used_at IS NULL",
        person.0,
        at.0
    )
}

/// Ends every link that a person made for somebody else and that was not used; gives for whom they were.
/// Those for people who have or had a factor stay: such a link comes from a check, to which two agreed.
///
/// # Errors
/// As every query.
pub async fn end_enrolments_by(
    c: &mut Conn<'_>,
    by: PersonId,
    at: Timestamp,
) -> Result<Vec<PersonId>, StorageError> {
    let rows = fetch_all!(c, (i64,):
        "UPDATE enrolments SET used_at = $2 WHERE created_by = $1 AND used_at IS NULL AND expires_at > $2 \
           AND NOT EXISTS (SELECT 1 FROM credentials k WHERE k.person_id = enrolments.person_id) \
         RETURNING person_id", by.0, at.0)?;
    Ok(rows.into_iter().map(|r| PersonId(r.0)).collect())
}

/// Whether a person has or had a factor.
///
/// # Errors
/// As every query.
pub async fn ever(c: &mut Conn<'_>, person: PersonId) -> Result<bool, StorageError> {
    let row = fetch_optional!(c, (i64,):
        "SELECT id FROM credentials WHERE person_id = $1 LIMIT 1", person.0)?;
    Ok(row.is_some())
}

/// Those of some people who have or had a factor.
///
/// # Errors
/// As every query.
pub async fn ever_among(c: &mut Conn<'_>, ids: &[PersonId]) -> Result<Vec<PersonId>, StorageError> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    let rows = fetch_among!(c, (i64,):
        "SELECT DISTINCT person_id FROM credentials WHERE person_id IN (", ids, ")");
    Ok(rows.into_iter().map(|r| PersonId(r.0)).collect())
}

/// # Errors
/// As every query.
pub async fn insert_ceremony(
    c: &mut Conn<'_>,
    token_hash: &[u8],
    kind: &str,
    person: PersonId,
    state: &str,
    expires_at: Timestamp,
) -> Result<(), StorageError> {
    execute!(
        c,
        "INSERT INTO ceremonies (token_hash, kind, person_id, state, expires_at) VALUES ($1, $2, $3, $4, $5)",
        token_hash,
        kind,
        person.0,
        state,
        expires_at.0
    )?;
    Ok(())
}

/// Takes a ceremony out: it can be finished once. Expired ones go with it.
///
/// # Errors
/// As every query.
pub async fn take_ceremony(
    c: &mut Conn<'_>,
    token_hash: &[u8],
    kind: &str,
    at: Timestamp,
) -> Result<Option<(PersonId, String)>, StorageError> {
    let row = fetch_optional!(c, (i64, String):
        "DELETE FROM ceremonies WHERE token_hash = $1 AND kind = $2 AND expires_at > $3 RETURNING person_id, state",
        token_hash, kind, at.0)?;
    execute!(c, "DELETE FROM ceremonies WHERE expires_at <= $1", at.0)?;
    Ok(row.map(|(person, state)| (PersonId(person), state)))
}
