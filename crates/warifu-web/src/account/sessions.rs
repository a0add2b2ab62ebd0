//! The sessions that hold: one's own, and for administrators everybody's.

use crate::csrf::Form;
use crate::lang::local;
use crate::page::{Leaving, gated, page as html};
use crate::problem::Problem;
use crate::session::{SignedIn, Staff, role_message};
use crate::sign_in::enrol::suggested;
use crate::state::Web;
use crate::views::markup::initials;
use crate::views::sessions::{MySessions, PortalSessions, Session, SessionTable, Sessions};
use crate::views::shell::Place;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;
use warifu_app::AppError;
use warifu_app::active_sessions::ActiveSession;
use warifu_domain::PersonId;
use warifu_domain::access::Permission;
use warifu_domain::devices::DeviceKind;
use warifu_domain::time::SECOND;

async fn table(web: &Web, me: &SignedIn, own: bool) -> Result<SessionTable, Problem> {
    let lang = me.taste.lang;
    let here = me.session.name();
    let found = web.app.active_sessions(me.actor(), own).await?;
    let row = |s: ActiveSession| Session {
        this: s.name == here,
        id: s.name,
        person: s.person.to_string(),
        initials: initials(&s.person_name),
        name: s.person_name,
        role: lang.t(role_message(s.roles)),
        network: s.network,
        device: suggested(&s.agent),
        key: s.key,
        bound: match s.device {
            Some(DeviceKind::Browser) => "sessions-bound",
            Some(DeviceKind::Script) => "sessions-signs",
            None => "",
        },
        left: s.left / SECOND,
        idle: s.idle / SECOND,
    };
    Ok(SessionTable {
        rows: found.into_iter().map(row).collect(),
        everybody: !own,
        me: me.actor().person.to_string(),
        lifetime: me.session.policy.lifetime / SECOND,
    })
}

/// `GET /sessions`
pub async fn list(State(web): State<Web>, me: Staff) -> Result<Response, Problem> {
    me.actor().require(Permission::ManageSessions).map_err(AppError::from)?;
    let table = table(&web, &me, false).await?;
    let mut networks: BTreeMap<&str, i64> = BTreeMap::new();
    for row in &table.rows {
        // By provider where it is known: `AS64496 192.0.2.0/24` counts as AS64496.
        let network = row.network.split_once(' ').map_or(row.network.as_str(), |(asn, _)| asn);
        *networks.entry(network).or_default() += 1;
    }
    let mut networks: Vec<_> = networks.into_iter().map(|(n, k)| (n.to_owned(), k)).collect();
    networks.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let leaving = Leaving {
        route: "/sessions",
        organization: None,
        query: json!({}),
        ids: table.rows.iter().filter_map(|row| row.person.parse().ok()).collect(),
    };
    let page = Sessions {
        shell: me.shell(Place::Sessions, "").await?,
        table,
        networks,
        asns: web.config.asns.is_some(),
    };
    gated(&web, &me, StatusCode::OK, leaving, page).await
}

/// `GET /account/sessions`
pub async fn mine(State(web): State<Web>, me: SignedIn) -> Result<Response, Problem> {
    let table = table(&web, &me, true).await?;
    let shell = me.shell(Place::Elsewhere, "").await?;
    match me.actor().is_staff() {
        true => html(MySessions { shell, table }),
        false => html(PortalSessions { shell, table }),
    }
}

#[derive(Deserialize)]
pub struct Back {
    #[serde(default)]
    back: String,
}

/// `POST /sessions/{person}/{session}/end`
pub async fn end(
    State(web): State<Web>,
    me: SignedIn,
    Path((person, session)): Path<(PersonId, String)>,
    form: Form<Back>,
) -> Result<Response, Problem> {
    web.app.end_session(me.actor(), person, &session).await?;
    Ok(Redirect::to(local(&form.back)).into_response())
}

/// `POST /sessions/{person}/end`: all of a person's, but not the one in which this is asked.
pub async fn end_all(
    State(web): State<Web>,
    me: SignedIn,
    Path(person): Path<PersonId>,
    form: Form<Back>,
) -> Result<Response, Problem> {
    web.app.end_sessions(&me.session, person).await?;
    Ok(Redirect::to(local(&form.back)).into_response())
}
