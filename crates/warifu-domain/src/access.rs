//! Roles, permissions, and who is acting. Deny by default: what is not listed is not allowed.

use crate::{OrganizationId, PersonId};
use serde::{Deserialize, Serialize};

/// What a person may be granted. Everybody else is a customer's user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Role {
    Agent,
    Administrator,
    SuperAdministrator,
    Responder,
    OrganizationAdministrator,
}

impl Role {
    pub const ALL: [Role; 5] = [
        Role::Agent,
        Role::Administrator,
        Role::SuperAdministrator,
        Role::Responder,
        Role::OrganizationAdministrator,
    ];

    /// The stable name used in the database, the API and the ledger.
    pub fn key(self) -> &'static str {
        match self {
            Role::Agent => "agent",
            Role::Administrator => "administrator",
            Role::SuperAdministrator => "super_administrator",
            Role::Responder => "responder",
            Role::OrganizationAdministrator => "organization_administrator",
        }
    }

    pub fn from_key(key: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|r| r.key() == key)
    }

    /// Whether the role belongs to the vendor's own people.
    pub fn is_staff(self) -> bool {
        self != Role::OrganizationAdministrator
    }

    fn permissions(self) -> &'static [Permission] {
        use Permission::*;
        match self {
            Role::Agent => &[WorkCases, ReadPeople, SearchAll, VerifyCallers],
            Role::Administrator => &[
                WorkCases,
                ReadPeople,
                SearchAll,
                ChangePeople,
                ImportPeople,
                RunReports,
                SaveDefinitions,
                ReadLedger,
                Invite,
                ManageSessions,
                ReadPolicies,
                VerifyCallers,
                ApproveResets,
            ],
            Role::SuperAdministrator => &[
                WorkCases,
                ReadPeople,
                SearchAll,
                ChangePeople,
                ImportPeople,
                RunReports,
                RunUnfilteredReports,
                SaveDefinitions,
                ReadLedger,
                Invite,
                ManageSessions,
                ManageRoles,
                ReadPolicies,
                ManagePolicies,
                ManageApplications,
                ManageSignIn,
                Investigate,
                VerifyCallers,
                ApproveResets,
            ],
            Role::Responder => &[
                ReadPeople,
                SearchAll,
                RunReports,
                SaveDefinitions,
                ReadLedger,
                Replay,
                Investigate,
            ],
            Role::OrganizationAdministrator => &[ReadOwnOrganization, ApproveResets],
        }
    }
}

/// One thing that can be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u32)]
pub enum Permission {
    /// See and change every customer's cases, write replies and notes, open their attachments.
    WorkCases,
    /// See the records of people and organizations.
    ReadPeople,
    ChangePeople,
    ImportPeople,
    /// Search over cases, people and organizations of every customer.
    SearchAll,
    /// Run a report that has a filter and stays within the limits.
    RunReports,
    /// Run a report over everybody, or over the limits.
    RunUnfilteredReports,
    SaveDefinitions,
    ReadLedger,
    /// Re-create a recorded run.
    Replay,
    /// Open incidents, enter telemetry, match, see exposure.
    Investigate,
    /// Let people in and out: hand out enrolment links, switch people off and on again.
    Invite,
    /// Grant and take away roles.
    ManageRoles,
    /// Declare the applications that people enter with their session here.
    ManageApplications,
    /// Connect identity providers.
    ManageSignIn,
    /// See everybody's sessions and end them.
    ManageSessions,
    /// See sign-in and session policy, and who is covered by it.
    ReadPolicies,
    /// Change policy, stages of features and groups of networks, and agree to others' changes.
    ManagePolicies,
    /// See the people and cases of one's own organization.
    ReadOwnOrganization,
    /// Open checks of callers and take their steps.
    VerifyCallers,
    /// Agree to the reset of somebody's factors; [`crate::verification::may_approve`] says whose.
    ApproveResets,
}

/// The roles of one person, as a small set; of a service account, what it may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Roles {
    roles: u8,
    /// Permissions of a service account, which has no role.
    service: u32,
}

impl Roles {
    pub fn with(self, role: Role) -> Roles {
        Roles { roles: self.roles | 1 << role as u8, ..self }
    }

    /// What a service account may do, and nothing else.
    pub fn of_service(permissions: impl IntoIterator<Item = Permission>) -> Roles {
        let all = permissions.into_iter().fold(0, |all, p| all | 1 << p as u32);
        Roles { roles: 0, service: all }
    }

    /// Whether they are a service account's.
    pub fn is_service(self) -> bool {
        self.service != 0
    }

    /// Whether somebody with the other roles is above whoever has these: who lets people in and out, or
    /// changes their records, must not become more than they are by it.
    pub fn below(self, other: Roles) -> bool {
        let above = Role::SuperAdministrator;
        other.has(above) && !self.has(above)
    }

    pub fn has(self, role: Role) -> bool {
        self.roles & (1 << role as u8) != 0
    }

    pub fn is_empty(self) -> bool {
        self.roles == 0 && self.service == 0
    }

    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL.into_iter().filter(move |r| self.has(*r))
    }

    /// Whether any of the roles is one of the vendor's, as a service account is.
    pub fn is_staff(self) -> bool {
        self.is_service() || self.iter().any(Role::is_staff)
    }

    pub fn allow(self, permission: Permission) -> bool {
        self.service & (1 << permission as u32) != 0
            || self.iter().any(|r| r.permissions().contains(&permission))
    }
}

impl FromIterator<Role> for Roles {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        roles.into_iter().fold(Roles::default(), Roles::with)
    }
}

/// Who is acting, in one request: the person, what they may do, and through which session and
/// network. It is what the ledger's `actor` says.
#[derive(Clone, Debug)]
pub struct Actor {
    pub person: PersonId,
    pub name: String,
    pub organization: OrganizationId,
    pub roles: Roles,
    /// SHA-256 of the stored token hash: names the session without being usable as one. `None` on
    /// the command line.
    pub session: Option<[u8; 32]>,
    /// The client's network as it may be recorded: a /24 or /48 prefix; empty on the command line.
    pub network: String,
}

impl Actor {
    /// # Errors
    /// [`Denied`] when none of the actor's roles has the permission.
    pub fn require(&self, permission: Permission) -> Result<(), Denied> {
        if self.roles.allow(permission) { Ok(()) } else { Err(Denied(permission)) }
    }

    pub fn is_staff(&self) -> bool {
        self.roles.is_staff()
    }

    /// Whether the actor may do for an organization what a permission allows for every one: with it, or
    /// as an administrator of just this organization.
    pub fn may_for(&self, organization: OrganizationId, permission: Permission) -> bool {
        let own = self.organization == organization;
        self.roles.allow(permission) || own && self.roles.has(Role::OrganizationAdministrator)
    }
}

/// The actor lacks a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this needs the permission {0:?}, which none of your roles has")]
pub struct Denied(pub Permission);

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod table;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_without_a_role_may_do_anything() {
        let none = Roles::default();
        assert!(!none.allow(Permission::WorkCases) && !none.allow(Permission::ReadOwnOrganization));
        assert!(!none.is_staff());
    }

    #[test]
    fn only_a_super_administrator_runs_over_everybody() {
        for role in Role::ALL {
            let may = Roles::default().with(role).allow(Permission::RunUnfilteredReports);
            assert_eq!(may, role == Role::SuperAdministrator, "{role:?}");
        }
    }

    #[test]
    fn a_service_account_may_do_what_it_was_given() {
        let roles = Roles::of_service([Permission::WorkCases, Permission::ReadLedger]);
        assert!(roles.allow(Permission::WorkCases) && roles.allow(Permission::ReadLedger));
        assert!(!roles.allow(Permission::ManageRoles) && !roles.allow(Permission::SearchAll));
        assert!(roles.is_staff() && roles.iter().next().is_none());
        assert!(!Roles::of_service([]).is_service());
    }

    #[test]
    fn an_organization_administrator_is_no_staff() {
        let roles = Roles::default().with(Role::OrganizationAdministrator);
        assert!(!roles.is_staff() && !roles.allow(Permission::SearchAll));
    }

    #[test]
    fn an_organization_administrator_acts_for_their_own_organization() {
        let actor = |roles| Actor {
            person: PersonId(1),
            name: String::new(),
            organization: OrganizationId(7),
            roles,
            session: None,
            network: String::new(),
        };
        let may = |roles, organization| {
            actor(roles).may_for(OrganizationId(organization), Permission::ManageSessions)
        };
        let of = |role| Roles::default().with(role);
        assert!(may(of(Role::OrganizationAdministrator), 7));
        assert!(!may(of(Role::OrganizationAdministrator), 8));
        assert!(!may(Roles::default(), 7) && !may(of(Role::Agent), 7));
        assert!(may(of(Role::Administrator), 7) && may(of(Role::Administrator), 8));
        let service = Roles::of_service([Permission::ReadOwnOrganization]);
        assert!(!may(service, 7), "a program has no role");
    }
}
