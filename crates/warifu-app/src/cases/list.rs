//! Pages of cases, and the counts beside the views.

use super::{Somebody, sees};
use crate::{App, AppError};
use std::collections::HashMap;
use warifu_domain::access::{Actor, Permission};
use warifu_domain::cases::{Case, Priority, Status, View};
use warifu_domain::{OrganizationId, PersonId};
use warifu_storage::cases::{self as store, Cursor};
use warifu_storage::{Conn, organizations};

/// Conditions on a view's cases. They are checked row by row behind the view's index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    pub status: Option<Status>,
    pub priority: Option<Priority>,
    /// `Some(None)`: assigned to nobody.
    pub assignee: Option<Option<PersonId>>,
}

impl Filter {
    pub fn is_empty(&self) -> bool {
        *self == Filter::default()
    }

    fn takes(&self, case: &Case) -> bool {
        self.status.is_none_or(|s| s == case.status)
            && self.priority.is_none_or(|p| p == case.priority)
            && self.assignee.is_none_or(|a| a == case.assignee)
    }
}

/// A page of cases with the names that it shows.
#[derive(Debug, Default)]
pub struct CasePage {
    pub cases: Vec<Case>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<Cursor>,
    /// All cases of the view, from the kept counts; `None` under a filter.
    pub total: Option<i64>,
    pub people: HashMap<PersonId, Somebody>,
    pub organizations: HashMap<OrganizationId, String>,
}

/// Rows read behind the index for one page under a filter; then the page ends early and says
/// where it goes on.
const LOOKED_AT: usize = 2_000;

impl App {
    /// The view that an actor gets when they ask for one: staff as asked; a customer's
    /// administrator their organization or themselves; anybody else their own cases.
    pub(crate) fn allowed_view(actor: &Actor, view: View) -> Result<View, AppError> {
        if actor.is_staff() {
            actor.require(Permission::WorkCases)?;
            return Ok(view);
        }
        match view {
            View::Organization(o)
                if o == actor.organization
                    && actor.roles.allow(Permission::ReadOwnOrganization) =>
            {
                Ok(view)
            }
            View::Requester(p) if p == actor.person => Ok(view),
            _ => Err(AppError::NotFound("view")),
        }
    }

    /// A page of a view, the latest change first, after a place in it.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for a view that is not the actor's.
    pub async fn case_page(
        &self,
        actor: &Actor,
        view: View,
        filter: Filter,
        after: Cursor,
        limit: usize,
    ) -> Result<CasePage, AppError> {
        let view = Self::allowed_view(actor, view)?;
        let limit = limit.clamp(1, 200);
        let mut reader = self.db.read().await?;
        let mut conn = reader.conn();
        let mut page = CasePage::default();
        let (mut cursor, mut looked) = (after, 0);
        let step = if filter.is_empty() { limit + 1 } else { 200 };
        'pages: loop {
            let rows = store::list(&mut conn, view, cursor, step as i64).await?;
            let last = rows.len() < step;
            for case in rows {
                // Asked once more per row: a view is an index, not a permission.
                let wanted = filter.takes(&case) && sees(actor, &case);
                if wanted && page.cases.len() == limit {
                    page.next = Some(cursor);
                    break 'pages;
                }
                cursor = Cursor { updated_at: case.updated_at, id: case.id };
                looked += 1;
                if wanted {
                    page.cases.push(case);
                }
            }
            if last {
                break;
            }
            if looked >= LOOKED_AT {
                page.next = Some(cursor);
                break;
            }
        }
        if filter.is_empty() {
            page.total = Some(store::count(&mut conn, view).await?);
        }
        names(&mut conn, &mut page).await?;
        Ok(page)
    }
}

impl App {
    /// Cases in which words occur, as a page without a next one.
    ///
    /// # Errors
    /// As [`App::search`].
    pub async fn search_cases(
        &self,
        actor: &Actor,
        text: &str,
        filter: Filter,
        limit: usize,
    ) -> Result<CasePage, AppError> {
        let mut cases = self.search(actor, text, limit).await?.cases;
        cases.retain(|c| filter.takes(c));
        let mut page = CasePage { cases, ..CasePage::default() };
        names(&mut self.db.read().await?.conn(), &mut page).await?;
        Ok(page)
    }

    /// The name of somebody who wrote in a case that the actor sees; empty for people who are gone.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn name_of(&self, id: PersonId) -> Result<String, AppError> {
        let found = super::open::people(&mut self.db.read().await?.conn(), vec![id]).await?;
        Ok(found.into_values().next().map(|p| p.name).unwrap_or_default())
    }

    /// The name of an organization whose cases the actor sees.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when it does not exist for them.
    pub async fn organization_name(
        &self,
        actor: &Actor,
        id: OrganizationId,
    ) -> Result<String, AppError> {
        if !actor.roles.allow(Permission::WorkCases) && actor.organization != id {
            return Err(AppError::NotFound("organization"));
        }
        let found = organizations::find(&mut self.db.read().await?.conn(), id).await?;
        Ok(found.ok_or(AppError::NotFound("organization"))?.name)
    }
}

async fn names(conn: &mut Conn<'_>, page: &mut CasePage) -> Result<(), AppError> {
    let ids = page.cases.iter().flat_map(|c| [Some(c.requester), c.assignee]).flatten();
    page.people = super::open::people(conn, ids.collect::<Vec<_>>()).await?;
    let of = page.cases.iter().map(|c| c.organization);
    let found = organizations::find_many(conn, of).await?;
    page.organizations = found.into_iter().map(|(id, o)| (id, o.name)).collect();
    Ok(())
}
