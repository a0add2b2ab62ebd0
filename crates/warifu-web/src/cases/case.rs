//! `GET /cases/{reference}`: the list on the left, the case, its customer.

use super::show::{self, Show, somebody};
use crate::page::{Leaving, Shown, gated, page_with, read_on};
use crate::problem::Problem;
use crate::session::{Staff, role_message};
use crate::state::Web;
use crate::views::cases::{Case, CasePage, Composer, Dossier};
use crate::views::shell::Place;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;
use warifu_app::AppError;
use warifu_app::cases::{Cursor, Filter, OpenCase};
use warifu_domain::cases::View;
use warifu_domain::{CaseId, MessageId};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    view: String,
    before: Option<MessageId>,
}

pub async fn case(
    State(web): State<Web>,
    who: Staff,
    Path(reference): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let id = super::number(&web, &reference)?;
    let composer = Composer::default();
    shown(&web, &who, id, &asked.view, asked.before, composer, StatusCode::OK).await
}

/// The page with a composer as given: empty, or with a text that could not be sent.
pub async fn shown(
    web: &Web,
    who: &Staff,
    id: CaseId,
    view: &str,
    before: Option<MessageId>,
    composer: Composer,
    code: StatusCode,
) -> Result<Response, Problem> {
    let actor = who.actor();
    let lang = who.taste.lang;
    let view = if view.is_empty() { "active" } else { view };
    // A view of a link that is gone is no reason not to show the case.
    let list_view = super::list::view(view, actor).unwrap_or(View::Active);
    let route = "/cases/{reference}";
    let open = match web.app.open_case_and_requester(actor, id, before, route).await {
        Err(AppError::ReadOn { people }) => {
            let next = format!("/cases/{}", web.app.case_reference(id));
            let next = if code == StatusCode::OK { who.here.clone() } else { next };
            return read_on(web, who, people, next);
        }
        open => open?,
    };
    let list = web.app.case_page(actor, list_view, Filter::default(), Cursor::START, 50).await?;
    let staff = web.app.assignees(actor).await?;
    let show = Show::to(web, who);
    let mut rows = show.rows(&list);
    for row in &mut rows {
        row.current = row.reference == open.reference;
    }
    let vendor = &web.app.config.name;
    let assignee = open.case.assignee;
    let chosen = assignee.map_or_else(|| super::NOBODY.to_owned(), |a| a.to_string());
    let first = open.entries.first().map(|e| e.message.id);
    let case = Case {
        reference: open.reference.clone(),
        subject: open.case.subject.clone(),
        organization: somebody(open.case.organization, &open.organization.name),
        status: show::status(open.case.status),
        priority: show::priority(open.case.priority),
        assignee: assignee.map(|a| somebody(a, open.name(a))),
        tags: open.case.tags.split(',').filter(|t| !t.is_empty()).map(str::to_owned).collect(),
        staff: show::staff(lang, &staff, &chosen),
        version: open.case.updated_at.0,
        earlier: first.filter(|_| open.earlier > 0).map(|first| {
            (format!("/cases/{}?view={view}&before={first}", open.reference), open.earlier)
        }),
        entries: show.entries(&open, vendor),
        ..Case::default()
    };
    let last_seen = match composer.last_seen.is_empty() {
        true => open.last_entry().to_string(),
        false => composer.last_seen.clone(),
    };
    let composer =
        Composer { to: open.name(open.case.requester).to_owned(), last_seen, ..composer };
    let dossier = dossier(&show, &open);
    let shell = who.shell(Place::Cases, view).await?;
    let view_title = super::list::view_title(who, view);
    let total = list.total.unwrap_or(rows.len() as i64);
    // That the case was opened is recorded already; this is about the list beside it.
    let ids: Vec<i64> = list.cases.iter().map(|c| c.id.0).collect();
    let query = json!({"case": id, "view": view});
    let view = view.to_owned();
    let page = CasePage { shell, view_title, view, total, rows, case, composer, dossier };
    if !web.app.list_is_due(actor, &ids) {
        return page_with(code, page);
    }
    let beside =
        Leaving { route, organization: None, query, shown: Shown::cases(ids.iter().copied()), ids };
    gated(web, who, code, beside, page).await
}

fn dossier(show: &Show<'_>, open: &OpenCase) -> Dossier {
    let lang = show.lang;
    let requester = open.requester.as_ref();
    let mut facts = Vec::new();
    if let Some(p) = requester {
        let r = &p.record;
        for (term, value) in [
            ("people-email", r.email.clone()),
            ("dossier-phone", r.phone.clone().or_else(|| r.mobile.clone())),
            ("dossier-time-zone", r.time_zone.clone()),
            ("people-last", r.last_login.map(|t| show.ago(t).text)),
        ] {
            facts.extend(value.map(|value| (lang.t(term), value)));
        }
    }
    let (people, administrators) = open.organization_people;
    let environment = format!("environment-{}", open.organization.environment.key());
    let organization_facts = vec![
        (lang.t("dossier-people"), lang.n(people)),
        (lang.t("dossier-administrators"), lang.n(administrators)),
        (lang.t("organization-environment"), lang.t(environment)),
        (lang.t("organization-products"), open.organization.products_text()),
    ];
    let role = requester.and_then(|p| p.record.role_name.clone());
    let access = open
        .views
        .iter()
        .map(|(who, n, _)| (open.name(*who).to_owned(), lang.t_args("dossier-times", &[("n", n)])));
    Dossier {
        person: somebody(open.case.requester, open.name(open.case.requester)),
        role: role.unwrap_or_else(|| lang.t(role_message(Default::default()))),
        facts,
        organization: somebody(open.case.organization, &open.organization.name),
        organization_facts,
        cases: open
            .others
            .iter()
            .map(|c| show.row(c, &open.people, &open.organization.name))
            .collect(),
        cases_total: open.others_total,
        access: access.collect(),
    }
}
