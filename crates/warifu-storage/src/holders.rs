//! Who is in a session, as far as the check of a request asks.

use crate::{StorageError, people};
use warifu_domain::access::Roles;
use warifu_domain::organizations::Environment;
use warifu_domain::people::NAMELESS;
use warifu_domain::policy::Subject;
use warifu_domain::{OrganizationId, PersonId};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    pub person: PersonId,
    /// What to call them; see [`warifu_domain::people::Person::display_name`].
    pub name: String,
    /// Empty where their record has none.
    pub email: String,
    /// The time zone in their record, as it stands there.
    pub time_zone: Option<String>,
    pub roles: Roles,
    pub organization: OrganizationId,
    pub organization_name: String,
    pub environment: Environment,
    /// Whether the organization is the vendor itself.
    pub vendor: bool,
}

impl Holder {
    pub fn subject(&self) -> Subject {
        Subject {
            roles: self.roles,
            organization: self.organization,
            environment: self.environment,
            vendor: self.vendor,
        }
    }
}

quick_row! {
    pub(crate) struct HolderRow {
        holder_id: i64,
        full_name: Option<String>,
        email: Option<String>,
        username: Option<String>,
        time_zone: Option<String>,
        held_roles: Option<String>,
        organization_id: i64,
        organization_name: String,
        environment: String,
        vendor: bool,
    }
}

/// The columns of [`HolderRow`]; see `holder_tables!`.
macro_rules! holder_columns {
    () => {
        "p.id AS holder_id, p.full_name, p.email, p.username, p.time_zone, \
         (SELECT string_agg(g.role, ',') FROM role_grants g WHERE g.person_id = p.id \
         AND g.rev_to = 9223372036854775807) AS held_roles, \
         p.organization_id, o.name AS organization_name, o.environment, o.vendor"
    };
}

/// What they are read from: the active person of a session `s`, and their organization. The person's newest
/// version is found by the key; every sign-in makes another.
macro_rules! holder_tables {
    () => {
        " JOIN people p ON p.id = s.person_id AND p.rev_from = (SELECT max(v.rev_from) FROM people v WHERE v.id = s.person_id) \
         AND p.rev_to = 9223372036854775807 AND p.active \
         JOIN organizations o ON o.id = p.organization_id AND o.rev_to = 9223372036854775807"
    };
}

impl TryFrom<HolderRow> for Holder {
    type Error = StorageError;
    fn try_from(r: HolderRow) -> Result<Self, StorageError> {
        let held = r.held_roles.as_deref().unwrap_or_default();
        let roles = held.split(',').filter(|key| !key.is_empty()).map(people::role);
        let name = r.full_name.or_else(|| r.email.clone()).or(r.username);
        Ok(Holder {
            person: PersonId(r.holder_id),
            name: name.unwrap_or_else(|| NAMELESS.to_owned()),
            email: r.email.unwrap_or_default(),
            time_zone: r.time_zone,
            roles: roles.collect::<Result<_, _>>()?,
            organization: OrganizationId(r.organization_id),
            organization_name: r.organization_name,
            environment: Environment::from_key(&r.environment).ok_or(StorageError::Corrupt {
                what: "organizations.environment",
                detail: r.environment,
            })?,
            vendor: r.vendor,
        })
    }
}
