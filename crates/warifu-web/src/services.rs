//! Service accounts: a page for super administrators.

use crate::csrf::Form;
use crate::page::{page as html, page_with};
use crate::problem::Problem;
use crate::session::Staff;
use crate::state::Web;
use crate::views::services::{Row, ScopeBox, Services};
use crate::views::shell::Place;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use warifu_app::AppError;
use warifu_app::services::{NewService, client_id};
use warifu_domain::services::{Scope, Scopes};

/// The message that names a scope.
pub(crate) fn message(scope: Scope) -> &'static str {
    match scope {
        Scope::Cases => "service-scope-cases",
        Scope::ReadPeople => "service-scope-people-read",
        Scope::ChangePeople => "service-scope-people-change",
        Scope::Search => "service-scope-search",
        Scope::Reports => "service-scope-reports",
        Scope::ReadLedger => "service-scope-ledger-read",
    }
}

async fn view(web: &Web, me: &Staff) -> Result<Services, Problem> {
    let accounts = web.app.services(me.actor()).await?;
    let shell = me.shell(Place::Elsewhere, "").await?;
    let (lang, now) = (shell.lang, web.app.now());
    let rows = accounts.into_iter().map(|a| {
        let scopes = Scopes::parse(&a.scopes).unwrap_or_default();
        let scopes: Vec<String> = scopes.iter().map(|s| lang.t(message(s))).collect();
        Row {
            id: a.id.to_string(),
            client: client_id(a.id),
            holds: a.holds(now),
            waits: a.agreed_at.is_none() && a.revoked_at.is_none() && a.expires_at > now,
            revoked: a.revoked_at.is_some(),
            name: a.name,
            scopes: scopes.join(lang.t("list-comma").as_str()),
            networks: a.networks,
            until: lang.date(a.expires_at.to_jiff(), &me.zone),
            used: a.last_used_at.map(|t| lang.date_time(t.to_jiff(), &me.zone)),
        }
    });
    let boxes = Scope::ALL.map(|s| ScopeBox { value: s.key(), label: lang.t(message(s)) });
    Ok(Services {
        rows: rows.collect(),
        scopes: boxes.to_vec(),
        problem: String::new(),
        endpoint: format!("{}{}", web.config.origin_text(), crate::service::ENDPOINT),
        shell,
    })
}

/// `GET /service-accounts`
pub async fn list(State(web): State<Web>, me: Staff) -> Result<Response, Problem> {
    html(view(&web, &me).await?)
}

#[derive(Deserialize)]
pub struct New {
    #[serde(default)]
    name: String,
    #[serde(default)]
    scopes: Vec<String>,
    #[serde(default)]
    networks: String,
    #[serde(default)]
    days: String,
    #[serde(default)]
    jwk: String,
    #[serde(default)]
    reason: String,
    step_up: Option<String>,
}

/// `POST /service-accounts`
pub async fn create(
    State(web): State<Web>,
    me: Staff,
    form: Form<New>,
) -> Result<Response, Problem> {
    // Forms send other line ends than the page's script saw when it asked for the key.
    let lines = |text: &str| text.replace("\r\n", "\n");
    let new = NewService {
        name: form.name.clone(),
        scopes: form.scopes.clone(),
        networks: lines(&form.networks),
        days: form.days.parse().unwrap_or(0),
        jwk: lines(&form.jwk),
        reason: form.reason.clone(),
    };
    match web.app.create_service(me.actor(), &new, form.step_up.as_deref()).await {
        Ok(_) => Ok(Redirect::to("/approvals").into_response()),
        Err(AppError::Invalid { what, .. }) => {
            let mut page = view(&web, &me).await?;
            page.problem = page.shell.lang.refusal(&what);
            page_with(StatusCode::UNPROCESSABLE_ENTITY, page)
        }
        Err(e) => Err(e.into()),
    }
}

#[derive(Deserialize)]
pub struct Nothing {}

/// `POST /service-accounts/{id}/revoke`
pub async fn revoke(
    State(web): State<Web>,
    me: Staff,
    Path(id): Path<i64>,
    _: Form<Nothing>,
) -> Result<Response, Problem> {
    web.app.revoke_service(me.actor(), id).await?;
    Ok(Redirect::to("/service-accounts").into_response())
}
