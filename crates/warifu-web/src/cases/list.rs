//! `GET /cases?view=…`: a view as a table, by pages.

use super::show::{self, Show};
use crate::page::{Leaving, Shown, gated};
use crate::problem::Problem;
use crate::session::Staff;
use crate::state::Web;
use crate::views::cases::{CaseFilter, CaseList, Chip, Pager};
use crate::views::shell::Place;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;
use url::form_urlencoded::Serializer;
use warifu_app::cases::{CasePage, Cursor, Filter};
use warifu_domain::access::Actor;
use warifu_domain::cases::{Status, View};
use warifu_domain::refusal;
use warifu_domain::{OrganizationId, PersonId};

/// The address of a list.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    pub view: String,
    q: String,
    status: String,
    priority: String,
    assignee: String,
    organization: Option<OrganizationId>,
    requester: Option<PersonId>,
    after: String,
}

/// Cases of a page.
const PAGE: usize = 50;

/// The view that a name means.
///
/// # Errors
/// The same as for a page that does not exist.
pub fn view(name: &str, actor: &Actor) -> Result<View, Problem> {
    Ok(match name {
        "" | "mine" => View::Mine(actor.person),
        "unassigned" => View::Unassigned,
        "active" => View::Active,
        key => View::WithStatus(Status::from_key(key).ok_or_else(Problem::not_found)?),
    })
}

/// The address of the same list with one part set anew.
fn address(asked: &Asked, name: &str, value: &str) -> String {
    let organization = asked.organization.map(|o| o.to_string()).unwrap_or_default();
    let requester = asked.requester.map(|o| o.to_string()).unwrap_or_default();
    let mut query = Serializer::new(String::new());
    for (key, old) in [
        ("view", &asked.view),
        ("q", &asked.q),
        ("status", &asked.status),
        ("priority", &asked.priority),
        ("assignee", &asked.assignee),
        ("organization", &organization),
        ("requester", &requester),
    ] {
        let value = if key == name { value } else { old };
        if !value.is_empty() {
            query.append_pair(key, value);
        }
    }
    // A new condition begins at the first page.
    if name == "after" {
        query.append_pair("after", value);
    }
    format!("/cases?{}", query.finish())
}

pub async fn list(
    State(web): State<Web>,
    who: Staff,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let (actor, lang) = (who.actor(), who.taste.lang);
    let name = if asked.view.is_empty() { "mine" } else { asked.view.as_str() };
    let (case_view, mut title) = match (asked.organization, asked.requester) {
        (Some(o), _) => (View::Organization(o), None),
        (None, Some(p)) => (View::Requester(p), None),
        (None, None) => (view(name, actor)?, Some(view_title(&who, name))),
    };
    let filter = Filter {
        status: super::status(&asked.status)?,
        priority: super::priority(&asked.priority)?,
        assignee: super::assignee(&asked.assignee)?,
    };
    let after = if asked.after.is_empty() {
        Cursor::START
    } else {
        show::cursor(&asked.after)
            .ok_or_else(|| Problem::invalid("after", refusal!("place-unknown", "no such place")))?
    };
    let found: CasePage = if asked.q.is_empty() {
        web.app.case_page(actor, case_view, filter, after, PAGE).await?
    } else {
        web.app.search_cases(actor, &asked.q, filter, PAGE).await?
    };
    let staff = web.app.assignees(actor).await?;
    let show = Show::to(&web, &who);

    let mut chips = Vec::new();
    let mut chip = |id: &str, part: &str, value: String| {
        let text = lang.t_args(id, &[("value", &value)]);
        chips.push(Chip { text, without: address(&asked, part, "") });
    };
    if let Some(o) = asked.organization {
        let name = web.app.organization_name(actor, o).await?;
        title.get_or_insert_with(|| lang.t_args("cases-organization", &[("name", &name)]));
        chip("chip-organization", "organization", name);
    }
    if let Some(s) = filter.status {
        chip("chip-status", "status", lang.t(show::status(s).label()));
    }
    if let Some(p) = filter.priority {
        chip("chip-priority", "priority", lang.t(show::priority(p).label()));
    }
    if let Some(a) = filter.assignee {
        let name = a.and_then(|a| staff.iter().find(|s| s.0 == a)).map(|s| s.1.clone());
        chip("chip-assignee", "assignee", name.unwrap_or_else(|| lang.t("nobody")));
    }
    let older = found.next.map(|c| address(&asked, "after", &show::cursor_text(c)));
    let pager = Pager {
        // Pages are found by key, so only the first one's address is known.
        newer: (!asked.after.is_empty()).then(|| address(&asked, "", "")),
        older,
        shown: found.cases.len() as i64,
        total: found.total,
    };
    let leaving = Leaving {
        route: "/cases",
        organization: asked.organization,
        query: json!({"view": name, "q": asked.q, "organization": asked.organization,
            "requester": asked.requester, "status": asked.status, "priority": asked.priority,
            "assignee": asked.assignee, "after": asked.after}),
        ids: found.cases.iter().map(|c| c.id.0).collect(),
        shown: Shown::cases(found.cases.iter().map(|c| c.id.0)),
    };
    let list = CaseList {
        shell: who.shell(Place::Cases, name).await?,
        title: title.unwrap_or_else(|| lang.t("cases")),
        view: name.to_owned(),
        count: found.total,
        chips,
        filter: CaseFilter {
            q: asked.q.clone(),
            statuses: show::statuses(lang, filter.status),
            priorities: show::priorities(lang, filter.priority),
            assignees: show::staff(lang, &staff, &asked.assignee),
        },
        rows: show.rows(&found),
        pager,
        staff: show::staff(lang, &staff, ""),
    };
    gated(&web, &who, StatusCode::OK, leaving, list).await
}

/// The name of a view in the reader's language.
pub fn view_title(who: &Staff, name: &str) -> String {
    let lang = who.taste.lang;
    match name {
        "mine" | "unassigned" | "active" | "waiting" => lang.t(format!("view-{name}")),
        key => match Status::from_key(key) {
            Some(s) => {
                let status = lang.t(show::status(s).label());
                lang.t_args("cases-status", &[("status", &status)])
            }
            None => lang.t("cases"),
        },
    }
}
