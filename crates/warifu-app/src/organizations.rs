//! Organizations: read, added, changed.

use crate::people::PeoplePage;
use crate::{App, AppError};
use std::collections::HashMap;
use warifu_domain::access::{Actor, Permission, Role};
use warifu_domain::cases::{Case, Status, View};
use warifu_domain::organizations::Organization;
use warifu_domain::refusal;
use warifu_domain::search::folded;
use warifu_domain::{OrganizationId, PersonId, Revision, Timestamp};
use warifu_ledger::Count;
use warifu_ledger::body::OrganizationChange;
use warifu_storage::cases::{self, Cursor};
use warifu_storage::{Conn, organizations as store, people};

/// An organization in a list.
#[derive(Debug)]
pub struct OrganizationLine {
    pub id: OrganizationId,
    pub organization: Organization,
    /// At most 10,000 are told.
    pub people: i64,
    pub administrators: i64,
    pub open_cases: i64,
}

/// A page of organizations.
#[derive(Debug)]
pub struct OrganizationsPage {
    pub lines: Vec<OrganizationLine>,
    pub next: Option<OrganizationId>,
}

/// One organization.
#[derive(Debug)]
pub struct OrganizationView {
    pub line: OrganizationLine,
    pub by_status: Vec<(Status, i64)>,
    /// Its administrators.
    pub administrators: PeoplePage,
    /// Its cases, the latest first.
    pub cases: Vec<Case>,
    /// Since when each version holds, newest first, with the names of what changed.
    pub versions: Vec<(Revision, Option<Timestamp>, Vec<&'static str>)>,
}

/// Longest name, in characters.
const MAX_NAME: usize = 200;
/// Cases shown beside an organization.
const CASES: i64 = 20;

/// The names of what differs.
fn changed_fields(old: &Organization, new: &Organization) -> Vec<&'static str> {
    [
        ("name", old.name != new.name),
        ("environment", old.environment != new.environment),
        ("products", old.products_text() != new.products_text()),
        ("domain", old.domain != new.domain),
    ]
    .into_iter()
    .filter_map(|(name, differs)| differs.then_some(name))
    .collect()
}

fn checked(mut o: Organization) -> Result<Organization, AppError> {
    o.name = o.name.split_whitespace().collect::<Vec<_>>().join(" ");
    match o.name.chars().count() {
        0 => return Err(AppError::invalid("name", refusal!("name-empty", "the name is empty"))),
        n if n > MAX_NAME => {
            return Err(AppError::invalid(
                "name",
                refusal!("text-long", "at most {limit} characters are kept", limit = MAX_NAME),
            ));
        }
        _ => {}
    }
    if o.name.contains('\0') {
        return Err(AppError::invalid(
            "name",
            refusal!("name-nul", "the name has a NUL character"),
        ));
    }
    o.domain = folded(&o.domain);
    let label = |c: char| c.is_alphanumeric() || c == '-' || c == '.';
    if o.domain.len() > 253 || !o.domain.chars().all(label) {
        return Err(AppError::invalid("domain", refusal!("domain", "this is no domain name")));
    }
    // Products are stored joined by commas.
    let plain = |p: &String| {
        !p.is_empty()
            && p.len() <= 40
            && p.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c))
    };
    if o.products.len() > 50 || !o.products.iter().all(plain) {
        return Err(AppError::invalid(
            "products",
            refusal!("products", "product keys are letters, digits and - _ ."),
        ));
    }
    o.products.sort_unstable();
    o.products.dedup();
    Ok(o)
}

async fn line(
    c: &mut Conn<'_>,
    id: OrganizationId,
    organization: Organization,
) -> Result<(OrganizationLine, Vec<(Status, i64)>), AppError> {
    let (people, administrators) = people::count_of(c, id).await?;
    let by_status = cases::count_by_status(c, View::Organization(id)).await?;
    let open_cases = by_status.iter().filter(|(s, _)| s.is_active()).map(|(_, n)| n).sum();
    Ok((OrganizationLine { id, organization, people, administrators, open_cases }, by_status))
}

impl App {
    /// A page of organizations by id. Customers see their own only.
    ///
    /// # Errors
    /// When the actor may not read organizations.
    pub async fn organizations_page(
        &self,
        actor: &Actor,
        after: OrganizationId,
        limit: usize,
    ) -> Result<OrganizationsPage, AppError> {
        actor.require(Permission::ReadPeople)?;
        let limit = limit.clamp(1, 100);
        let mut reader = self.db.read().await?;
        let mut conn = reader.conn();
        let mut found = store::page(&mut conn, after, limit as i64 + 1).await?;
        let more = found.len() > limit;
        found.truncate(limit);
        let next = if more { found.last().map(|o| o.0) } else { None };
        let mut lines = Vec::with_capacity(found.len());
        for (id, organization) in found {
            lines.push(line(&mut conn, id, organization).await?.0);
        }
        Ok(OrganizationsPage { lines, next })
    }

    /// Organizations whose name or domain has the words.
    ///
    /// # Errors
    /// When the actor may not read organizations.
    pub async fn search_organizations(
        &self,
        actor: &Actor,
        text: &str,
        limit: usize,
    ) -> Result<Vec<OrganizationLine>, AppError> {
        actor.require(Permission::ReadPeople)?;
        let found = self.search(actor, text, limit).await?.organizations;
        let mut reader = self.db.read().await?;
        let mut conn = reader.conn();
        let mut lines = Vec::with_capacity(found.len());
        for (id, organization) in found {
            lines.push(line(&mut conn, id, organization).await?.0);
        }
        Ok(lines)
    }

    /// One organization.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when it does not exist for the actor.
    pub async fn organization(
        &self,
        actor: &Actor,
        id: OrganizationId,
    ) -> Result<OrganizationView, AppError> {
        let own = actor.roles.allow(Permission::ReadOwnOrganization) && actor.organization == id;
        if !actor.roles.allow(Permission::ReadPeople) && !own {
            return Err(AppError::NotFound("organization"));
        }
        let mut reader = self.db.read().await?;
        let mut conn = reader.conn();
        let organization = store::find(&mut conn, id).await?;
        let organization = organization.ok_or(AppError::NotFound("organization"))?;
        let (line, by_status) = line(&mut conn, id, organization).await?;
        let mut administrators = PeoplePage::default();
        let mut after = PersonId(0);
        // The first thousand people are looked through for administrators; 20 are shown.
        for _ in 0..5 {
            let page = people::page(&mut conn, Some(id), after, 200).await?;
            let Some(last) = page.last() else { break };
            after = last.id;
            for person in page {
                let roles = people::roles(&mut conn, person.id).await?;
                if roles.has(Role::OrganizationAdministrator) {
                    administrators.roles.insert(person.id, roles);
                    administrators.people.push(person);
                }
            }
            if administrators.people.len() >= 20 {
                administrators.people.truncate(20);
                break;
            }
        }
        administrators.organizations.insert(id, line.organization.name.clone());
        let may = !actor.is_staff() || actor.roles.allow(Permission::WorkCases);
        let cases = if may {
            cases::list(&mut conn, View::Organization(id), Cursor::START, CASES).await?
        } else {
            Vec::new()
        };
        let stored = store::versions(&mut conn, id).await?;
        let revisions: Vec<Revision> = stored.iter().map(|v| v.0).collect();
        let times: HashMap<Revision, Timestamp> =
            people::revision_times(&mut conn, &revisions).await?.into_iter().collect();
        let changed = |i: usize| match stored.get(i + 1) {
            Some(before) => changed_fields(&before.1, &stored[i].1),
            None => Vec::new(),
        };
        let versions = (0..stored.len())
            .map(|i| (stored[i].0, times.get(&stored[i].0).copied(), changed(i)))
            .collect();
        Ok(OrganizationView { line, by_status, administrators, cases, versions })
    }

    /// Adds an organization; there is one vendor only, which is made by setting up.
    ///
    /// # Errors
    /// [`AppError::Conflict`] when the name is taken.
    pub async fn create_organization(
        &self,
        actor: &Actor,
        organization: Organization,
    ) -> Result<OrganizationId, AppError> {
        actor.require(Permission::ChangePeople)?;
        let organization = checked(Organization { vendor: false, ..organization })?;
        let mut change = self.change().await?;
        let revision = change.revision();
        let mut conn = change.conn();
        if store::find_by_name(&mut conn, &organization.name).await?.is_some() {
            return Err(AppError::Conflict(refusal!(
                "organization-taken",
                "there is an organization of this name"
            )));
        }
        let id = store::insert(&mut conn, revision, &organization).await?;
        let fields = ["name", "environment", "products", "domain"];
        change.record(actor, Some(id), &change_body(id, &fields, revision)).await?;
        change.commit().await?;
        Ok(id)
    }

    /// Replaces an organization's record by a new version.
    ///
    /// # Errors
    /// [`AppError::Conflict`] when the name is another's; [`AppError::Invalid`] for another environment, which
    /// is policy ([`App::propose`]).
    pub async fn change_organization(
        &self,
        actor: &Actor,
        id: OrganizationId,
        organization: Organization,
    ) -> Result<(), AppError> {
        actor.require(Permission::ChangePeople)?;
        let mut change = self.change().await?;
        let revision = change.revision();
        let mut conn = change.conn();
        let old = store::find(&mut conn, id).await?.ok_or(AppError::NotFound("organization"))?;
        let new = checked(Organization { vendor: old.vendor, ..organization })?;
        let taken = store::find_by_name(&mut conn, &new.name).await?;
        if taken.is_some_and(|(other, _)| other != id) {
            return Err(AppError::Conflict(refusal!(
                "organization-taken",
                "there is an organization of this name"
            )));
        }
        let fields = changed_fields(&old, &new);
        if fields.is_empty() {
            return change.unchanged().await;
        }
        // The stages of a rollout go by it: whoever changes it switches protection on and off.
        if old.environment != new.environment {
            return Err(AppError::invalid(
                "environment",
                refusal!(
                    "environment-policy",
                    "which stages hold for an organization is policy, and is changed there, with your key"
                ),
            ));
        }
        store::update(&mut conn, revision, id, &new).await?;
        change.record(actor, Some(id), &change_body(id, &fields, revision)).await?;
        change.commit().await?;
        Ok(())
    }
}

fn change_body(id: OrganizationId, fields: &[&str], revision: Revision) -> OrganizationChange {
    OrganizationChange {
        organization: id.to_string(),
        fields: fields.iter().map(|f| (*f).to_owned()).collect(),
        revision: Count(revision.0 as u64),
    }
}
