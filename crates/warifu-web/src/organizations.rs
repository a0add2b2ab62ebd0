//! `/organizations`: pages of organizations, and one of them.

use crate::cases::show::Show;
use crate::page::{Leaving, Shown, gated};
use crate::problem::Problem;
use crate::session::Staff;
use crate::state::Web;
use crate::views::cases::Pager;
use crate::views::people::{OrganizationList, OrganizationPage, OrganizationRow, Version};
use crate::views::shell::Place;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;
use std::collections::HashMap;
use warifu_app::organizations::OrganizationLine;
use warifu_domain::OrganizationId;
use warifu_domain::access::Permission;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    q: String,
    after: Option<OrganizationId>,
}

/// Organizations of a page.
const PAGE: usize = 50;

fn row(show: &Show<'_>, line: &OrganizationLine) -> OrganizationRow {
    OrganizationRow {
        id: line.id.to_string(),
        name: line.organization.name.clone(),
        environment: show.lang.t(format!("environment-{}", line.organization.environment.key())),
        products: line.organization.products_text(),
        people: line.people,
        administrators: line.administrators,
        open_cases: line.open_cases,
    }
}

pub async fn list(
    State(web): State<Web>,
    who: Staff,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let show = Show::to(&web, &who);
    let after = asked.after.unwrap_or(OrganizationId(0));
    let (lines, next) = if asked.q.is_empty() {
        let page = web.app.organizations_page(who.actor(), after, PAGE).await?;
        (page.lines, page.next)
    } else {
        (web.app.search_organizations(who.actor(), &asked.q, PAGE).await?, None)
    };
    let rows: Vec<_> = lines.iter().map(|l| row(&show, l)).collect();
    let leaving = Leaving {
        route: "/organizations",
        organization: None,
        query: json!({"q": asked.q, "after": after}),
        ids: lines.iter().map(|l| l.id.0).collect(),
        shown: Shown::Nobody,
    };
    let list = OrganizationList {
        shell: who.shell(Place::Organizations, "").await?,
        q: asked.q,
        pager: Pager {
            newer: asked.after.map(|_| "/organizations".to_owned()),
            older: next.map(|n| format!("/organizations?after={n}")),
            shown: rows.len() as i64,
            total: None,
        },
        rows,
    };
    gated(&web, &who, StatusCode::OK, leaving, list).await
}

pub async fn organization(
    State(web): State<Web>,
    who: Staff,
    Path(id): Path<OrganizationId>,
) -> Result<Response, Problem> {
    let view = web.app.organization(who.actor(), id).await?;
    let show = Show::to(&web, &who);
    let lang = show.lang;
    let o = &view.line.organization;
    let administrators = view.administrators.people.iter();
    let administrators = administrators
        .map(|p| crate::people::row(&show, p, &o.name, view.administrators.roles.get(&p.id)));
    let label = |field: &&str| match *field {
        "name" => lang.t("organization"),
        "environment" => lang.t("organization-environment"),
        "products" => lang.t("organization-products"),
        _ => lang.t("organization-domain"),
    };
    let versions = view.versions.iter().enumerate().map(|(i, (revision, at, changed))| Version {
        revision: revision.0,
        at: at.map(|t| show.at(t)).unwrap_or_default(),
        who: String::new(),
        changed: changed.iter().map(label).collect(),
        href: format!("/organizations/{id}"),
        current: i == 0,
    });
    let access = match who.actor().roles.allow(Permission::ManagePolicies) && !o.vendor {
        true => Some(web.app.policies().await?.access.get(&id).copied().unwrap_or_default()),
        false => None,
    };
    let none = HashMap::new();
    let facts = vec![(lang.t("organization-domain"), o.domain.clone())];
    let leaving = Leaving {
        route: "/organizations/{id}",
        organization: Some(id),
        query: json!({"id": id}),
        ids: vec![id.0],
        shown: Shown::people(view.administrators.people.iter().map(|p| p.id.0))
            .and_cases(view.cases.iter().map(|c| c.id.0)),
    };
    let page = OrganizationPage {
        shell: who.shell(Place::Organizations, "").await?,
        organization: row(&show, &view.line),
        facts: facts.into_iter().filter(|(_, v)| !v.is_empty()).collect(),
        administrators: administrators.collect(),
        cases: view.cases.iter().map(|c| show.row(c, &none, &o.name)).collect(),
        versions: versions.collect(),
        access,
    };
    gated(&web, &who, StatusCode::OK, leaving, page).await
}
