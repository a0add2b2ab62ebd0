//! How the people of one organization sign in and what protects them: what its administrators see.

use crate::{App, AppError};
use std::sync::Arc;
use warifu_domain::access::{Actor, Permission, Role, Roles};
use warifu_domain::assurance::OrganizationAccess;
use warifu_domain::organizations::Organization;
use warifu_domain::policy::{
    DeviceRule, Effective, Feature, NetworkRule, Policies, Proposal, Reach, Rollout, Subject,
};
use warifu_domain::protected::Protected;
use warifu_domain::{OrganizationId, Timestamp};
pub use warifu_storage::policies::Ways;
use warifu_storage::{identity_providers, organizations, policies};

/// A feature, and how it stands for an organization.
#[derive(Clone, Debug)]
pub struct FeatureState {
    pub feature: Feature,
    pub rollout: Rollout,
    /// Since when it has stood at its stage, if it was ever moved.
    pub since: Option<Timestamp>,
    pub reach: Reach,
    /// What the organization has chosen, if anything.
    pub chosen: Option<bool>,
    /// How many of its people it would have affected; 0 where it is not only reported.
    pub affected: i64,
    /// What is agreed to by choosing it, where that is left to choose.
    pub choice: Option<Protected>,
}

/// What holds for somebody's sessions, and what they may sign in with.
#[derive(Clone, Copy, Debug)]
pub struct Holding {
    /// Microseconds.
    pub lifetime: i64,
    /// Microseconds.
    pub idle: i64,
    pub network: NetworkRule,
    pub device: DeviceRule,
    pub access: OrganizationAccess,
}

impl From<Effective<'_>> for Holding {
    fn from(e: Effective<'_>) -> Holding {
        Holding {
            lifetime: e.lifetime,
            idle: e.idle,
            network: e.network,
            device: e.device,
            access: e.access,
        }
    }
}

/// What protects the people of an organization.
#[derive(Clone, Debug)]
pub struct Security {
    pub name: String,
    pub features: Vec<FeatureState>,
    pub ways: Ways,
    /// What holds for its users without a role, and for its administrators.
    pub users: Holding,
    pub administrators: Holding,
    /// Names of the identity providers by which its people may sign in.
    pub providers: Vec<String>,
    /// Networks that count as one for its sessions.
    pub networks: Vec<String>,
}

/// Its administrators see an organization, and whoever may read everybody's policy.
pub(crate) fn may_see(actor: &Actor, organization: OrganizationId) -> Result<(), AppError> {
    match actor.may_for(organization, Permission::ReadPolicies) {
        true => Ok(()),
        false => Err(AppError::NotFound("organization")),
    }
}

/// Somebody of an organization with these roles.
pub(crate) fn somebody(id: OrganizationId, organization: &Organization, roles: Roles) -> Subject {
    let (environment, vendor) = (organization.environment, organization.vendor);
    Subject { roles, organization: id, environment, vendor }
}

fn state(policies: &Policies, feature: Feature, user: Subject) -> FeatureState {
    let reach = policies.reach(feature, user);
    let organization = user.organization;
    let choice = Proposal::Choice { organization, feature, chosen: true };
    FeatureState {
        feature,
        rollout: policies.rollout(feature),
        since: None,
        reach,
        chosen: policies.choices.get(&(organization, feature)).copied(),
        affected: 0,
        choice: (reach == Reach::Open).then(|| choice.protected()),
    }
}

impl App {
    /// What protects the people of an organization.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when it does not exist for the actor.
    pub async fn security(
        &self,
        actor: &Actor,
        organization: OrganizationId,
    ) -> Result<Security, AppError> {
        may_see(actor, organization)?;
        let set: Arc<Policies> = self.policies().await?;
        let mut reader = self.db.read().await?;
        let mut conn = reader.conn();
        let found = organizations::find(&mut conn, organization).await?;
        let found = found.ok_or(AppError::NotFound("organization"))?;
        let user = somebody(organization, &found, Roles::default());
        let roles = Roles::default().with(Role::OrganizationAdministrator);
        let administrator = somebody(organization, &found, roles);
        let since = policies::since(&mut conn).await?;
        let affected = policies::count_affected(&mut conn, organization).await?;
        let state = |feature: Feature| FeatureState {
            since: since.get(&feature).copied(),
            affected: affected.get(&feature).copied().unwrap_or_default(),
            ..state(&set, feature, user)
        };
        let users: Holding = set.effective(user).into();
        let weaker = users.access.weaker_providers;
        Ok(Security {
            name: found.name,
            features: Feature::ALL.map(state).to_vec(),
            ways: policies::ways(&mut conn, organization, weaker).await?,
            users,
            administrators: set.effective(administrator).into(),
            providers: identity_providers::names_of(&mut conn, organization).await?,
            networks: set.networks.get(&organization).cloned().unwrap_or_default(),
        })
    }
}
