//! Who is covered: which accounts can be phished, by organization and within one, and whom an announced
//! feature would affect.

use crate::security::{may_see, somebody};
use crate::{App, AppError};
use warifu_domain::access::{Actor, Permission, Roles};
use warifu_domain::people::KnownPerson;
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

/// Somebody of an organization who has nothing yet, or something that can be phished.
#[derive(Clone, Debug)]
pub struct Phishable {
    pub person: KnownPerson,
    pub roles: Roles,
    /// What they sign in with.
    pub password: bool,
    pub provider: bool,
}

/// A page of them.
#[derive(Clone, Debug, Default)]
pub struct PhishablePage {
    pub people: Vec<Phishable>,
    /// After whom the next page begins; `None` on the last.
    pub next: Option<PersonId>,
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
        let set = self.policies().await?;
        let mut reader = self.db.read().await?;
        let mut conn = reader.conn();
        let mut all = Vec::new();
        for row in policies::coverage(&mut conn).await? {
            let organization = OrganizationId(row.organization_id);
            let Some(found) = organizations::find(&mut conn, organization).await? else { continue };
            let user = somebody(organization, &found, Roles::default());
            let weaker = set.effective(user).access.weaker_providers;
            all.push(Covered {
                organization,
                name: found.name,
                vendor: found.vendor,
                people: row.people,
                resistant: row.resistant - if weaker { row.providers } else { 0 },
                spare: row.spare,
            });
        }
        // Shares compared without dividing.
        all.sort_by_key(|c| (c.resistant * 1_000_000 / c.people.max(1), c.name.clone()));
        Ok(all)
    }

    /// Whom features that are only reported would have affected, of everybody or of one organization, the
    /// last first; at most 200.
    ///
    /// # Errors
    /// Denied; [`AppError::NotFound`] for an organization that is not the actor's.
    pub async fn affected(
        &self,
        actor: &Actor,
        organization: Option<OrganizationId>,
    ) -> Result<Vec<Affected>, AppError> {
        match organization {
            None => actor.require(Permission::ReadPolicies)?,
            Some(id) => may_see(actor, id)?,
        }
        let mut reader = self.db.read().await?;
        let mut conn = reader.conn();
        let found = policies::affected(&mut conn, organization, SHOWN).await?;
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

    /// A page, by id, of the people of an organization who can be phished or have nothing yet.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for an organization that is not the actor's.
    pub async fn phishable(
        &self,
        actor: &Actor,
        organization: OrganizationId,
        after: PersonId,
        limit: usize,
    ) -> Result<PhishablePage, AppError> {
        may_see(actor, organization)?;
        let limit = limit.clamp(1, 200);
        let set = self.policies().await?;
        let mut reader = self.db.read().await?;
        let mut conn = reader.conn();
        let whose = organizations::find(&mut conn, organization).await?;
        let whose = whose.ok_or(AppError::NotFound("organization"))?;
        let user = somebody(organization, &whose, Roles::default());
        let weaker = set.effective(user).access.weaker_providers;
        let mut found =
            policies::phishable(&mut conn, organization, weaker, after, limit as i64 + 1).await?;
        let more = found.len() > limit;
        found.truncate(limit);
        let next = if more { found.last().map(|f| f.0) } else { None };
        let mut page = PhishablePage { people: Vec::with_capacity(found.len()), next };
        for person in people::find_many(&mut conn, found.iter().map(|f| f.0)).await? {
            let Some((_, password, provider)) = found.iter().find(|f| f.0 == person.id) else {
                continue;
            };
            let (roles, password, provider) =
                (people::roles(&mut conn, person.id).await?, *password, *provider);
            page.people.push(Phishable { person, roles, password, provider });
        }
        Ok(page)
    }
}
