//! Organizations, as versions.

use crate::{Conn, StorageError, search};
use std::collections::HashMap;
use warifu_domain::organizations::{Environment, Organization};
use warifu_domain::{OrganizationId, Revision, search::folded};

#[derive(sqlx::FromRow)]
struct OrganizationRow {
    id: i64,
    name: String,
    environment: String,
    products: String,
    domain: String,
    vendor: bool,
}

impl TryFrom<OrganizationRow> for (OrganizationId, Organization) {
    type Error = StorageError;
    fn try_from(r: OrganizationRow) -> Result<Self, StorageError> {
        let environment = Environment::from_key(&r.environment).ok_or(StorageError::Corrupt {
            what: "organizations.environment",
            detail: r.environment,
        })?;
        let products =
            r.products.split(", ").filter(|p| !p.is_empty()).map(str::to_owned).collect();
        let o = Organization {
            name: r.name,
            environment,
            products,
            domain: r.domain,
            vendor: r.vendor,
        };
        Ok((OrganizationId(r.id), o))
    }
}

/// # Errors
/// As every query.
pub async fn find(
    c: &mut Conn<'_>,
    id: OrganizationId,
) -> Result<Option<Organization>, StorageError> {
    let row = fetch_optional!(c, OrganizationRow:
        "SELECT id, name, environment, products, domain, vendor FROM organizations WHERE id = $1 AND rev_to = 9223372036854775807", id.0)?;
    row.map(|r| <(OrganizationId, Organization)>::try_from(r).map(|o| o.1)).transpose()
}

/// The current organization of a name, upper and lower case being the same.
///
/// # Errors
/// As every query.
pub async fn find_by_name(
    c: &mut Conn<'_>,
    name: &str,
) -> Result<Option<(OrganizationId, Organization)>, StorageError> {
    let row = fetch_optional!(c, OrganizationRow:
        "SELECT id, name, environment, products, domain, vendor FROM organizations \
         WHERE name_folded = $1 AND rev_to = 9223372036854775807 ORDER BY id LIMIT 1", folded(name))?;
    row.map(TryFrom::try_from).transpose()
}

/// The current organizations of some folded names, by name.
///
/// # Errors
/// As every query.
pub async fn find_by_names(
    c: &mut Conn<'_>,
    folded: &[String],
) -> Result<HashMap<String, OrganizationId>, StorageError> {
    let rows = fetch_among!(c, (String, i64):
        "SELECT name_folded, id FROM organizations WHERE rev_to = 9223372036854775807 AND name_folded IN (",
        folded, ") ORDER BY id DESC");
    // The oldest comes last and stays.
    Ok(rows.into_iter().map(|(name, id)| (name, OrganizationId(id))).collect())
}

/// The current state of some organizations.
///
/// # Errors
/// As every query.
pub async fn find_many(
    c: &mut Conn<'_>,
    ids: impl IntoIterator<Item = OrganizationId>,
) -> Result<Vec<(OrganizationId, Organization)>, StorageError> {
    let mut ids: Vec<i64> = ids.into_iter().map(|i| i.0).collect();
    ids.sort_unstable();
    ids.dedup();
    let rows = fetch_among!(c, OrganizationRow:
        "SELECT id, name, environment, products, domain, vendor FROM organizations \
         WHERE rev_to = 9223372036854775807 AND id IN (", ids, ") ORDER BY id");
    rows.into_iter().map(TryFrom::try_from).collect()
}

/// A page of current organizations by id, after an id.
///
/// # Errors
/// As every query.
pub async fn page(
    c: &mut Conn<'_>,
    after: OrganizationId,
    limit: i64,
) -> Result<Vec<(OrganizationId, Organization)>, StorageError> {
    let rows = fetch_all!(c, OrganizationRow:
        "SELECT id, name, environment, products, domain, vendor FROM organizations \
         WHERE id > $1 AND rev_to = 9223372036854775807 ORDER BY id LIMIT $2", after.0, limit)?;
    rows.into_iter().map(TryFrom::try_from).collect()
}

/// The revisions at which an organization's versions begin, newest first, at most 200, with each
/// version.
///
/// # Errors
/// As every query.
pub async fn versions(
    c: &mut Conn<'_>,
    id: OrganizationId,
) -> Result<Vec<(Revision, Organization)>, StorageError> {
    #[derive(sqlx::FromRow)]
    struct VersionRow {
        rev_from: i64,
        #[sqlx(flatten)]
        row: OrganizationRow,
    }
    let rows = fetch_all!(c, VersionRow:
        "SELECT id, name, environment, products, domain, vendor, rev_from FROM organizations WHERE id = $1 \
         ORDER BY rev_from DESC LIMIT 200", id.0)?;
    let version = |r: VersionRow| {
        <(OrganizationId, Organization)>::try_from(r.row).map(|o| (Revision(r.rev_from), o.1))
    };
    rows.into_iter().map(version).collect()
}

/// Every organization as of a revision. There are thousands of these, not millions.
///
/// # Errors
/// As every query.
pub async fn as_of(
    c: &mut Conn<'_>,
    revision: Revision,
) -> Result<Vec<(OrganizationId, Organization)>, StorageError> {
    let rows = fetch_all!(c, OrganizationRow:
        "SELECT id, name, environment, products, domain, vendor FROM organizations WHERE rev_from <= $1 AND rev_to > $1 ORDER BY id",
        revision.0)?;
    rows.into_iter().map(TryFrom::try_from).collect()
}

/// The vendor's own organization.
///
/// # Errors
/// As every query.
pub async fn vendor(
    c: &mut Conn<'_>,
) -> Result<Option<(OrganizationId, Organization)>, StorageError> {
    let row = fetch_optional!(c, OrganizationRow:
        "SELECT id, name, environment, products, domain, vendor FROM organizations \
         WHERE vendor AND rev_to = 9223372036854775807 ORDER BY id LIMIT 1")?;
    row.map(TryFrom::try_from).transpose()
}

async fn insert_versions(
    c: &mut Conn<'_>,
    revision: Revision,
    list: &[(OrganizationId, &Organization)],
) -> Result<(), StorageError> {
    insert_many!(
        c,
        "INSERT INTO organizations (id, rev_from, rev_to, name, name_folded, environment, products, domain, vendor)",
        list,
        |(id, o)| (
            id.0,
            revision.0,
            i64::MAX,
            o.name.as_str(),
            folded(&o.name),
            o.environment.key(),
            o.products_text(),
            o.domain.as_str(),
            o.vendor
        )
    );
    let text =
        |(id, o): &(OrganizationId, &Organization)| (id.0, format!("{} {}", o.name, o.domain));
    let texts: Vec<(i64, String)> = list.iter().map(text).collect();
    search::index_many(c, search::Index::Organizations, &texts).await
}

/// Adds an organization and gives its id.
///
/// # Errors
/// As every query.
pub async fn insert(
    c: &mut Conn<'_>,
    revision: Revision,
    o: &Organization,
) -> Result<OrganizationId, StorageError> {
    insert_many(c, revision, std::slice::from_ref(o)).await
}

/// Adds organizations and gives the id of the first; the others' follow in order.
///
/// # Errors
/// As every query.
pub async fn insert_many(
    c: &mut Conn<'_>,
    revision: Revision,
    list: &[Organization],
) -> Result<OrganizationId, StorageError> {
    let first = c.take_ids("organizations", list.len() as i64).await?;
    let list: Vec<_> = (first..).map(OrganizationId).zip(list).collect();
    insert_versions(c, revision, &list).await?;
    Ok(OrganizationId(first))
}

/// Ends the current version and adds the new one.
///
/// # Errors
/// As every query.
pub async fn update(
    c: &mut Conn<'_>,
    revision: Revision,
    id: OrganizationId,
    o: &Organization,
) -> Result<(), StorageError> {
    execute!(c, "DELETE FROM organizations WHERE id = $1 AND rev_from = $2", id.0, revision.0)?;
    execute!(
        c,
        "UPDATE organizations SET rev_to = $2 WHERE id = $1 AND rev_to = 9223372036854775807",
        id.0,
        revision.0
    )?;
    insert_versions(c, revision, &[(id, o)]).await
}
