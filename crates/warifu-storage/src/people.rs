//! People and their roles, as versions.

use crate::db::ROWS;
use crate::{Conn, StorageError, search};
use std::collections::HashMap;
use warifu_domain::access::{Role, Roles};
use warifu_domain::people::{KnownPerson, Person};
use warifu_domain::{OrganizationId, PersonId, Revision, Timestamp};

/// The columns of one version, in the order of the 15 fields.
#[derive(sqlx::FromRow)]
struct PersonRow {
    id: i64,
    rev_from: i64,
    rev_to: i64,
    organization_id: i64,
    active: bool,
    created_date: Option<i64>,
    last_login: Option<i64>,
    full_name: Option<String>,
    username: Option<String>,
    email: Option<String>,
    company_name: Option<String>,
    user_type: Option<String>,
    address: Option<String>,
    last_password_change: Option<i64>,
    role_name: Option<String>,
    role_description: Option<String>,
    phone: Option<String>,
    mobile: Option<String>,
    time_zone: Option<String>,
    saml_federation_id: Option<String>,
}

impl From<PersonRow> for KnownPerson {
    fn from(r: PersonRow) -> Self {
        KnownPerson {
            id: PersonId(r.id),
            organization: OrganizationId(r.organization_id),
            active: r.active,
            record: Person {
                created_date: r.created_date.map(Timestamp),
                last_login: r.last_login.map(Timestamp),
                full_name: r.full_name,
                username: r.username,
                email: r.email,
                company_name: r.company_name,
                user_type: r.user_type,
                address: r.address,
                last_password_change: r.last_password_change.map(Timestamp),
                role_name: r.role_name,
                role_description: r.role_description,
                phone: r.phone,
                mobile: r.mobile,
                time_zone: r.time_zone,
                saml_federation_id: r.saml_federation_id,
            },
        }
    }
}

/// A version of a person's record and the revisions between which it holds.
pub struct PersonVersion {
    pub from: Revision,
    pub to: Revision,
    pub person: KnownPerson,
}

/// # Errors
/// As every query.
pub async fn find(c: &mut Conn<'_>, id: PersonId) -> Result<Option<KnownPerson>, StorageError> {
    let row = fetch_optional!(c, PersonRow:
        "SELECT * FROM people WHERE id = $1 AND rev_to = 9223372036854775807", id.0)?;
    Ok(row.map(Into::into))
}

/// Ids of the people with a version that begins or ends after a revision, in their order, whether
/// they still are or not.
///
/// # Errors
/// As every query.
pub async fn changed_since(c: &mut Conn<'_>, since: Revision) -> Result<Vec<i64>, StorageError> {
    // Sorted here: with ORDER BY, SQLite would read the whole table in its order instead of the few
    // rows by their indexes.
    let rows = fetch_all!(c, (i64,):
        "SELECT id FROM people WHERE rev_from > $1 \
         UNION ALL SELECT id FROM people WHERE rev_to > $1 AND rev_to < 9223372036854775807",
        since.0)?;
    let mut ids: Vec<i64> = rows.into_iter().map(|(id,)| id).collect();
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

/// The oldest active person with an e-mail address, upper and lower case being the same.
///
/// # Errors
/// As every query.
pub async fn find_by_email(
    c: &mut Conn<'_>,
    email: &str,
) -> Result<Option<KnownPerson>, StorageError> {
    let row = fetch_optional!(c, PersonRow:
        "SELECT * FROM people WHERE lower(email) = lower($1) AND rev_to = 9223372036854775807 ORDER BY id LIMIT 1", email)?;
    Ok(row.map(Into::into))
}

/// How many people an organization has and how many administrators are among them. Looked
/// at are its first 10,000 people: the answer never takes longer than that.
///
/// # Errors
/// As every query.
pub async fn count_of(
    c: &mut Conn<'_>,
    organization: OrganizationId,
) -> Result<(i64, i64), StorageError> {
    fetch_one!(c, (i64, i64):
        "SELECT count(DISTINCT p.id), count(g.person_id) FROM \
         (SELECT id FROM people WHERE organization_id = $1 AND rev_to = 9223372036854775807 ORDER BY id LIMIT 10000) p \
         LEFT JOIN role_grants g ON g.person_id = p.id AND g.role = 'organization_administrator' AND g.rev_to = 9223372036854775807",
        organization.0)
}

/// When each revision was committed; unknown ones are left out. A page asks for at most 200.
///
/// # Errors
/// As every query.
pub async fn revision_times(
    c: &mut Conn<'_>,
    revisions: &[Revision],
) -> Result<Vec<(Revision, Timestamp)>, StorageError> {
    let mut out = Vec::new();
    for &revision in revisions {
        let row =
            fetch_optional!(c, (i64,): "SELECT at FROM revisions WHERE revision = $1", revision.0)?;
        out.extend(row.map(|(at,): (i64,)| (revision, Timestamp(at))));
    }
    Ok(out)
}

/// Every version of a person's record, newest first, at most 200.
///
/// # Errors
/// As every query.
pub async fn versions(c: &mut Conn<'_>, id: PersonId) -> Result<Vec<PersonVersion>, StorageError> {
    let rows = fetch_all!(c, PersonRow: "SELECT * FROM people WHERE id = $1 ORDER BY rev_from DESC LIMIT 200", id.0)?;
    let version = |r: PersonRow| PersonVersion {
        from: Revision(r.rev_from),
        to: Revision(r.rev_to),
        person: r.into(),
    };
    Ok(rows.into_iter().map(version).collect())
}

/// A page of current people by id, of everybody or of one organization, after an id.
///
/// # Errors
/// As every query.
pub async fn page(
    c: &mut Conn<'_>,
    organization: Option<OrganizationId>,
    after: PersonId,
    limit: i64,
) -> Result<Vec<KnownPerson>, StorageError> {
    let rows = match organization {
        Some(o) => fetch_all!(c, PersonRow:
            "SELECT * FROM people WHERE organization_id = $1 AND id > $2 AND rev_to = 9223372036854775807 ORDER BY id LIMIT $3",
            o.0, after.0, limit)?,
        None => fetch_all!(c, PersonRow:
            "SELECT * FROM people WHERE id > $1 AND rev_to = 9223372036854775807 ORDER BY id LIMIT $2", after.0, limit)?,
    };
    Ok(rows.into_iter().map(Into::into).collect())
}

/// The names of some people, by id. At most 200 are asked for at once by a page.
///
/// # Errors
/// As every query.
pub async fn names(
    c: &mut Conn<'_>,
    ids: impl IntoIterator<Item = PersonId>,
) -> Result<Vec<(PersonId, String)>, StorageError> {
    let people = find_many(c, ids).await?;
    Ok(people.into_iter().map(|p| (p.id, p.record.display_name().to_owned())).collect())
}

/// Some people, by id.
///
/// # Errors
/// As every query.
pub async fn find_many(
    c: &mut Conn<'_>,
    ids: impl IntoIterator<Item = PersonId>,
) -> Result<Vec<KnownPerson>, StorageError> {
    let mut ids: Vec<i64> = ids.into_iter().map(|i| i.0).filter(|i| *i > 0).collect();
    ids.sort_unstable();
    ids.dedup();
    let rows = fetch_among!(c, PersonRow:
        "SELECT * FROM people WHERE rev_to = 9223372036854775807 AND id IN (", ids, ") ORDER BY id");
    Ok(rows.into_iter().map(Into::into).collect())
}

/// The first versions of people whose ids have been taken from the `people` counter, and later ones:
/// what holds from a revision on.
async fn insert_versions(
    c: &mut Conn<'_>,
    revision: Revision,
    people: &[&KnownPerson],
) -> Result<(), StorageError> {
    insert_many!(
        c,
        "INSERT INTO people (id, rev_from, rev_to, organization_id, active, created_date, last_login, \
         full_name, username, email, company_name, user_type, address, last_password_change, role_name, \
         role_description, phone, mobile, time_zone, saml_federation_id)",
        people,
        |p| (
            p.id.0,
            revision.0,
            i64::MAX,
            p.organization.0,
            p.active,
            p.record.created_date.map(|t| t.0),
            p.record.last_login.map(|t| t.0),
            p.record.full_name.as_deref(),
            p.record.username.as_deref(),
            p.record.email.as_deref(),
            p.record.company_name.as_deref(),
            p.record.user_type.as_deref(),
            p.record.address.as_deref(),
            p.record.last_password_change.map(|t| t.0),
            p.record.role_name.as_deref(),
            p.record.role_description.as_deref(),
            p.record.phone.as_deref(),
            p.record.mobile.as_deref(),
            p.record.time_zone.as_deref(),
            p.record.saml_federation_id.as_deref()
        )
    );
    let texts: Vec<(i64, String)> = people.iter().map(|p| (p.id.0, text(&p.record))).collect();
    search::index_many(c, search::Index::People, &texts).await
}

/// What a person is found by.
fn text(r: &Person) -> String {
    let text = [&r.full_name, &r.username, &r.email, &r.company_name].into_iter().flatten();
    text.map(String::as_str).collect::<Vec<_>>().join(" ")
}

/// Adds people whose ids have been taken from the `people` counter.
///
/// # Errors
/// As every query.
pub async fn insert(
    c: &mut Conn<'_>,
    revision: Revision,
    people: &[KnownPerson],
) -> Result<(), StorageError> {
    insert_versions(c, revision, &people.iter().collect::<Vec<_>>()).await
}

/// Ends the current version and adds the new one.
///
/// # Errors
/// As every query.
pub async fn update(
    c: &mut Conn<'_>,
    revision: Revision,
    p: &KnownPerson,
) -> Result<(), StorageError> {
    update_many(c, revision, std::slice::from_ref(p)).await
}

/// Runs `… value … AND id IN (…)`.
macro_rules! with_ids {
    ($c:expr, $start:literal, $value:expr, $ids:expr) => { with_ids!($c, $start, $value, "", $ids) };
    ($c:expr, $start:literal, $value:expr, $more:literal, $ids:expr) => {
        match $c {
            Conn::Sqlite(c, wait) => with_ids!(@on sqlx::Sqlite, c, wait, $start, $value, $more, $ids),
            Conn::Postgres(c, wait) => with_ids!(@on sqlx::Postgres, c, wait, $start, $value, $more, $ids),
        }
    };
    (@on $db:ty, $c:expr, $wait:expr, $start:literal, $value:expr, $more:literal, $ids:expr) => {{
        $wait.note($start);
        let mut sql = sqlx::QueryBuilder::<$db>::new($start);
        sql.push_bind($value).push(concat!($more, " AND id IN ("));
        let mut list = sql.separated(", ");
        $ids.for_each(|id| { list.push_bind(id); });
        sql.push(")").build().persistent(false).execute(&mut **$c).await?;
    }};
}

/// The same for several people, each of whom occurs once.
///
/// # Errors
/// As every query.
pub async fn update_many(
    c: &mut Conn<'_>,
    revision: Revision,
    people: &[KnownPerson],
) -> Result<(), StorageError> {
    for people in people.chunks(ROWS) {
        let ids = || people.iter().map(|p| p.id.0);
        // What this very revision has written before; then what held until now.
        with_ids!(c, "DELETE FROM people WHERE rev_from = ", revision.0, ids());
        with_ids!(
            c,
            "UPDATE people SET rev_to = ",
            revision.0,
            " WHERE rev_to = 9223372036854775807",
            ids()
        );
    }
    insert(c, revision, people).await
}

/// For each of some e-mail addresses the oldest person who has it, by the address's place.
///
/// # Errors
/// As every query.
pub async fn find_by_emails(
    c: &mut Conn<'_>,
    emails: &[(i64, &str)],
) -> Result<HashMap<i64, KnownPerson>, StorageError> {
    /// For each address a look into the index for its first entry, whatever is known about the
    /// table's size; prepared anew each time, because an import makes the table grow.
    macro_rules! ids {
        ($db:ty, $c:expr, $emails:expr) => {{
            let mut sql = sqlx::QueryBuilder::<$db>::new("WITH given (place, address) AS (");
            sql.push_values($emails, |mut row, (place, email)| {
                row.push_bind(*place).push_bind(*email);
            });
            sql.push(
                ") SELECT given.place, (SELECT p.id FROM people p WHERE lower(p.email) = lower(given.address) \
                 AND p.rev_to = 9223372036854775807 ORDER BY p.id LIMIT 1) FROM given",
            );
            let query = sql.build_query_as::<(i64, Option<i64>)>().persistent(false);
            query.fetch_all(&mut **$c).await?
        }};
    }
    let mut places = Vec::new();
    for emails in emails.chunks(ROWS) {
        let rows = match c {
            Conn::Sqlite(c, _) => ids!(sqlx::Sqlite, c, emails),
            Conn::Postgres(c, _) => ids!(sqlx::Postgres, c, emails),
        };
        places.extend(rows.into_iter().filter_map(|(place, id)| Some((place, PersonId(id?)))));
    }
    let people = find_many(c, places.iter().map(|p| p.1)).await?;
    let people: HashMap<PersonId, KnownPerson> = people.into_iter().map(|p| (p.id, p)).collect();
    let found = |(place, id)| Some((place, people.get(&id)?.clone()));
    Ok(places.into_iter().filter_map(found).collect())
}

/// # Errors
/// As every query; [`StorageError::Corrupt`] when a role is stored that no version of Warifu knows.
pub async fn roles(c: &mut Conn<'_>, id: PersonId) -> Result<Roles, StorageError> {
    let rows = fetch_all!(c, (String,):
        "SELECT role FROM role_grants WHERE person_id = $1 AND rev_to = 9223372036854775807", id.0)?;
    rows.into_iter().map(|(key,)| role(&key)).collect()
}

pub(crate) fn role(key: &str) -> Result<Role, StorageError> {
    let unknown = || StorageError::Corrupt { what: "role_grants.role", detail: key.to_owned() };
    Role::from_key(key).ok_or_else(unknown)
}

/// Those of some people who have a role.
///
/// # Errors
/// As every query.
pub async fn with_a_role(
    c: &mut Conn<'_>,
    ids: &[PersonId],
) -> Result<Vec<PersonId>, StorageError> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    let rows = fetch_among!(c, (i64,):
        "SELECT DISTINCT person_id FROM role_grants WHERE rev_to = 9223372036854775807 AND person_id IN (", ids, ")");
    Ok(rows.into_iter().map(|r| PersonId(r.0)).collect())
}

/// The current holders of a role who are not switched off, by id.
///
/// # Errors
/// As every query.
pub async fn holders(c: &mut Conn<'_>, role: Role) -> Result<Vec<PersonId>, StorageError> {
    let rows = fetch_all!(c, (i64,):
        "SELECT g.person_id FROM role_grants g JOIN people p ON p.id = g.person_id AND p.rev_to = 9223372036854775807 \
         WHERE g.role = $1 AND g.rev_to = 9223372036854775807 AND p.active ORDER BY g.person_id LIMIT 1000",
        role.key())?;
    Ok(rows.into_iter().map(|r| PersonId(r.0)).collect())
}

/// Grants a role; granting what is held already changes nothing.
///
/// # Errors
/// As every query.
pub async fn grant(
    c: &mut Conn<'_>,
    revision: Revision,
    id: PersonId,
    role: Role,
) -> Result<(), StorageError> {
    execute!(
        c,
        "INSERT INTO role_grants (person_id, role, rev_from, rev_to) \
         SELECT CAST($1 AS BIGINT), CAST($2 AS TEXT), CAST($3 AS BIGINT), 9223372036854775807 WHERE NOT EXISTS \
         (SELECT 1 FROM role_grants WHERE person_id = $1 AND role = $2 AND rev_to = 9223372036854775807)",
        id.0,
        role.key(),
        revision.0
    )?;
    Ok(())
}

/// Takes a role away.
///
/// # Errors
/// As every query.
pub async fn revoke(
    c: &mut Conn<'_>,
    revision: Revision,
    id: PersonId,
    role: Role,
) -> Result<(), StorageError> {
    execute!(
        c,
        "UPDATE role_grants SET rev_to = $3 WHERE person_id = $1 AND role = $2 AND rev_to = 9223372036854775807",
        id.0,
        role.key(),
        revision.0
    )?;
    Ok(())
}

/// Revisions after `from` up to and including `to` that changed a person or an organization,
/// oldest first, at most `limit`: the different states that a moment given only roughly can mean.
///
/// # Errors
/// As every query.
pub async fn states_between(
    c: &mut Conn<'_>,
    from: Revision,
    to: Revision,
    limit: i64,
) -> Result<Vec<Revision>, StorageError> {
    let rows = fetch_all!(c, (i64,):
        "SELECT rev_from FROM people WHERE rev_from > $1 AND rev_from <= $2 \
         UNION SELECT rev_from FROM organizations WHERE rev_from > $1 AND rev_from <= $2 ORDER BY 1 LIMIT $3",
        from.0, to.0, limit)?;
    Ok(rows.into_iter().map(|r| Revision(r.0)).collect())
}

/// People ids handed out so far: no state has more people.
///
/// # Errors
/// As every query.
pub async fn at_most(c: &mut Conn<'_>) -> Result<i64, StorageError> {
    let (next,): (i64,) = fetch_one!(c, (i64,): "SELECT next FROM counters WHERE name = 'people'")?;
    Ok(next - 1)
}
