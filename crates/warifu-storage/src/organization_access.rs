//! What organizations let their users sign in with.

use crate::{Conn, StorageError};
use std::collections::BTreeMap;
use warifu_domain::assurance::OrganizationAccess;
use warifu_domain::factors::Factor;
use warifu_domain::{OrganizationId, PersonId};

/// What every organization allows that allows anything.
///
/// # Errors
/// As every query.
pub(crate) async fn all(
    c: &mut Conn<'_>,
) -> Result<BTreeMap<OrganizationId, OrganizationAccess>, StorageError> {
    let rows = fetch_all!(c, (i64, i64, i64):
        "SELECT organization_id, passwords, weaker_providers FROM organization_access")?;
    let access = |(id, passwords, weaker): (i64, i64, i64)| {
        let access =
            OrganizationAccess { passwords: passwords != 0, weaker_providers: weaker != 0 };
        (OrganizationId(id), access)
    };
    Ok(rows.into_iter().map(access).collect())
}

/// # Errors
/// As every query.
pub async fn set(
    c: &mut Conn<'_>,
    organization: OrganizationId,
    access: OrganizationAccess,
) -> Result<(), StorageError> {
    execute!(
        c,
        "INSERT INTO organization_access (organization_id, passwords, weaker_providers) VALUES ($1, $2, $3) \
         ON CONFLICT (organization_id) DO UPDATE SET passwords = excluded.passwords, weaker_providers = excluded.weaker_providers",
        organization.0,
        i64::from(access.passwords),
        i64::from(access.weaker_providers)
    )?;
    Ok(())
}

/// Token hash and person of an organization's sessions that a factor opened with at most some
/// assurance and that have not ended.
///
/// # Errors
/// As every query.
pub async fn sessions(
    c: &mut Conn<'_>,
    organization: OrganizationId,
    factor: Factor,
    assurance: u8,
) -> Result<Vec<(Vec<u8>, PersonId)>, StorageError> {
    let rows = fetch_all!(c, (Vec<u8>, i64):
        "SELECT s.token_hash, s.person_id FROM sessions s JOIN people p ON p.id = s.person_id \
         AND p.rev_to = 9223372036854775807 WHERE p.organization_id = $1 AND s.factor = $2 \
         AND s.assurance <= $3 AND s.ended_at IS NULL",
        organization.0, factor.key(), i64::from(assurance))?;
    Ok(rows.into_iter().map(|(hash, person)| (hash, PersonId(person))).collect())
}
