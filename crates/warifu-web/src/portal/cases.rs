//! `GET /portal/cases`: the cases of a customer's user, or of the organization for its
//! administrators.

use crate::cases::show::{Show, cursor, cursor_text, somebody, status};
use crate::page::{Leaving, Shown, gated};
use crate::problem::Problem;
use crate::session::Customer;
use crate::state::Web;
use crate::views::cases::Pager;
use crate::views::portal::{PortalCases, PortalRow};
use crate::views::shell::Place;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;
use warifu_app::cases::{Cursor, Filter};
use warifu_domain::access::Permission;
use warifu_domain::cases::View;
use warifu_domain::refusal;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    whose: String,
    after: String,
}

/// Cases of a page.
const PAGE: usize = 50;

pub async fn cases(
    State(web): State<Web>,
    who: Customer,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let actor = who.actor();
    let may_everyone = actor.roles.allow(Permission::ReadOwnOrganization);
    let everyone = may_everyone && asked.whose != "mine";
    let view = match everyone {
        true => View::Organization(actor.organization),
        false => View::Requester(actor.person),
    };
    let after = if asked.after.is_empty() {
        Cursor::START
    } else {
        cursor(&asked.after)
            .ok_or_else(|| Problem::invalid("after", refusal!("place-unknown", "no such place")))?
    };
    let found = web.app.case_page(actor, view, Filter::default(), after, PAGE).await?;
    let show = Show::to(&web, &who);
    let name = |id| found.people.get(&id).map_or("", |p| p.name.as_str());
    let rows = found.cases.iter().map(|c| PortalRow {
        reference: web.app.case_reference(c.id),
        subject: c.subject.clone(),
        status: status(c.status),
        opened_by: somebody(c.requester, name(c.requester)),
        assignee: c.assignee.map(|a| somebody(a, name(a))),
        due: None,
        last: show.ago(c.updated_at),
    });
    let rows: Vec<_> = rows.collect();
    let whose = if everyone { "everyone" } else { "mine" };
    let pager = Pager {
        newer: (!asked.after.is_empty()).then(|| format!("/portal/cases?whose={whose}")),
        older: found.next.map(|c| format!("/portal/cases?whose={whose}&after={}", cursor_text(c))),
        shown: rows.len() as i64,
        total: found.total,
    };
    let shell = who.shell(Place::PortalCases, "").await?;
    let leaving = Leaving {
        route: "/portal/cases",
        organization: None,
        query: json!({"whose": whose, "after": asked.after}),
        ids: found.cases.iter().map(|c| c.id.0).collect(),
        shown: Shown::Nobody,
    };
    let list = PortalCases { shell, everyone, may_everyone, rows, pager };
    gated(&web, &who, StatusCode::OK, leaving, list).await
}
