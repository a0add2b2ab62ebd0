//! Who is covered: which accounts can be phished, by organization, and whom an announced feature would
//! affect.

use crate::{App, AppError};
use warifu_domain::access::{Actor, Permission};
use warifu_domain::policy::Feature;
use warifu_domain::{OrganizationId, PersonId, Timestamp};
use warifu_storage::policies;
use warifu_storage::{organizations, people};

/// Accounts of an organization. An account can be phished when any of its factors can.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Covered {
    pub organization: OrganizationId,
    pub name: String,
    pub vendor: bool,
    /// People who can sign in.
    pub people: i64,
    /// Of them: with nothing that can be phished.
    pub resistant: i64,
    /// Of them: with a second factor to fall back to.
    pub spare: i64,
}

/// Somebody whom a feature would have affected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Affected {
    pub feature: Feature,
    pub person: PersonId,
    pub name: String,
    pub times: i64,
    pub last_at: Timestamp,
}

/// People shown at once.
const SHOWN: i64 = 200;

impl App {
    /// Coverage by organization: those with accounts, the least covered first.
    ///
    /// # Errors
    /// Denied.
    pub async fn coverage(&self, actor: &Actor) -> Result<Vec<Covered>, AppError> {
        actor.require(Permission::ReadPolicies)?;
        let mut reader = self.db.read().await?;
        let mut conn = reader.conn();
        let mut all = Vec::new();
        for row in policies::coverage(&mut conn).await? {
            let organization = OrganizationId(row.organization_id);
            let Some(found) = organizations::find(&mut conn, organization).await? else { continue };
            all.push(Covered {
                organization,
                name: found.name,
                vendor: found.vendor,
                people: row.people,
                resistant: row.resistant,
                spare: row.spare,
            });
        }
        // Shares compared without dividing.
        all.sort_by_key(|c| (c.resistant * 1_000_000 / c.people.max(1), c.name.clone()));
        Ok(all)
    }

    /// Whom features that are only reported would have affected, the last first; at most 200.
    ///
    /// # Errors
    /// Denied.
    pub async fn affected(&self, actor: &Actor) -> Result<Vec<Affected>, AppError> {
        actor.require(Permission::ReadPolicies)?;
        let mut reader = self.db.read().await?;
        let mut conn = reader.conn();
        let found = policies::affected(&mut conn, SHOWN).await?;
        let names = people::names(&mut conn, found.iter().map(|a| a.person)).await?;
        let name = |id: PersonId| names.iter().find(|(p, _)| *p == id).map(|(_, n)| n.clone());
        let shown = |a: policies::WouldAffect| Affected {
            feature: a.feature,
            person: a.person,
            name: name(a.person).unwrap_or_default(),
            times: a.times,
            last_at: a.last_at,
        };
        Ok(found.into_iter().map(shown).collect())
    }
}
