//! One search over cases, people and organizations.

use crate::cases::sees;
use crate::{App, AppError};
use std::collections::HashMap;
use warifu_domain::access::{Actor, Permission};
use warifu_domain::cases::Case;
use warifu_domain::organizations::Organization;
use warifu_domain::people::KnownPerson;
use warifu_domain::search::query;
use warifu_domain::{CaseId, OrganizationId};
use warifu_storage::{cases, organizations, people, search};

/// What was found, the best first.
#[derive(Debug, Default)]
pub struct Found {
    /// The case whose number was typed.
    pub jump: Option<CaseId>,
    pub cases: Vec<Case>,
    pub people: Vec<KnownPerson>,
    pub organizations: Vec<(OrganizationId, Organization)>,
    /// Names of the organizations of what was found.
    pub names: HashMap<OrganizationId, String>,
    /// Whether there is more than is shown.
    pub more: bool,
}

impl App {
    /// Searches in what exists for the actor. Staff find everything; an organization's
    /// administrator finds its cases and people; anybody else their own cases. `limit` is per kind.
    ///
    /// # Errors
    /// When staff may not search ([`Permission::SearchAll`]).
    pub async fn search(&self, actor: &Actor, text: &str, limit: usize) -> Result<Found, AppError> {
        let staff = actor.is_staff();
        if staff {
            actor.require(Permission::SearchAll)?;
        }
        let limit = limit.clamp(1, 50);
        let terms = query(text);
        let mut found = Found::default();
        let mut reader = self.db.read().await?;
        let mut conn = reader.conn();

        if let Some(id) = self.case_number(text)
            && let Some(case) = cases::find(&mut conn, id).await?
            && sees(actor, &case)
        {
            found.jump = Some(id);
            found.cases.push(case);
        }
        let whose = if staff {
            search::Whose::Everybodys
        } else if actor.roles.allow(Permission::ReadOwnOrganization) {
            search::Whose::Organization(actor.organization)
        } else {
            search::Whose::Requester(actor.organization, actor.person)
        };
        let ids = search::cases(&mut conn, whose, &terms, limit + 1).await?;
        for case in cases::find_many(&mut conn, &ids).await? {
            if found.jump != Some(case.id) && sees(actor, &case) && found.cases.len() <= limit {
                found.cases.push(case);
            }
        }

        let whose = Self::whose_people(actor)?;
        let reach = if whose == Some(None) { limit as i64 + 1 } else { 200 };
        let ids = match whose {
            Some(_) => search::people(&mut conn, &terms, reach).await?,
            None => Vec::new(),
        };
        let own = |p: &KnownPerson| whose.flatten().is_none_or(|o| o == p.organization);
        let list = people::find_many(&mut conn, ids).await?;
        found.people.extend(list.into_iter().filter(own).take(limit + 1));
        if staff && actor.roles.allow(Permission::ReadPeople) {
            let ids = search::organizations(&mut conn, &terms, limit as i64 + 1).await?;
            found.organizations = organizations::find_many(&mut conn, ids).await?;
        }
        found.more = found.cases.len() > limit
            || found.people.len() > limit
            || found.organizations.len() > limit;
        found.cases.truncate(limit);
        found.people.truncate(limit);
        found.organizations.truncate(limit);
        let named = found.cases.iter().map(|c| c.organization);
        let named: Vec<_> = named.chain(found.people.iter().map(|p| p.organization)).collect();
        let names = organizations::find_many(&mut conn, named).await?;
        found.names = names.into_iter().map(|(id, o)| (id, o.name)).collect();
        Ok(found)
    }

    /// Whose people the actor may read: `Some(None)` everybody, `Some(Some(o))` those of one
    /// organization, `None` nobody.
    pub(crate) fn whose_people(actor: &Actor) -> Result<Option<Option<OrganizationId>>, AppError> {
        Ok(if actor.is_staff() {
            actor.roles.allow(Permission::ReadPeople).then_some(None)
        } else {
            actor.roles.allow(Permission::ReadOwnOrganization).then_some(Some(actor.organization))
        })
    }
}
