//! The sessions that hold: one's own, and for administrators everybody's.

use crate::csrf::Form;
use crate::i18n::Lang;
use crate::lang::local;
use crate::page::{Leaving, Shown, gated, page as html};
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
use warifu_app::active_sessions::{ActiveSession, Whose};
use warifu_domain::PersonId;
use warifu_domain::access::Permission;
use warifu_domain::devices::DeviceKind;
use warifu_domain::factors::Factor;
use warifu_domain::time::SECOND;

/// What opened a session, and what its owner calls that.
fn by(lang: Lang, factor: Factor, name: &str) -> String {
    let kind = lang.t(factor_message(factor));
    match factor {
        // There is one of them, and nobody names it.
        Factor::Password => kind,
        _ => lang.t_args("sessions-key", &[("kind", &kind), ("name", &name)]),
    }
}

/// The message that names a kind of factor.
pub fn factor_message(factor: Factor) -> &'static str {
    match factor {
        Factor::Passkey => "factor-passkey",
        Factor::Certificate => "factor-certificate",
        Factor::Oidc => "factor-oidc",
        Factor::Password => "factor-password",
    }
}

/// Sessions as a table, from the page at `back`.
pub async fn table(
    web: &Web,
    me: &SignedIn,
    whose: Whose,
    back: &'static str,
) -> Result<SessionTable, Problem> {
    let lang = me.taste.lang;
    let here = me.session.name();
    let found = web.app.active_sessions(me.actor(), whose).await?;
    let mut sessions: BTreeMap<PersonId, usize> = BTreeMap::new();
    found.iter().for_each(|s| *sessions.entry(s.person).or_default() += 1);
    let row = |s: ActiveSession| Session {
        this: s.name == here,
        several: sessions.get(&s.person).is_some_and(|n| *n > 1),
        since: lang.date_time(s.opened_at.to_jiff(), &me.zone),
        key: by(lang, s.factor, &s.key),
        id: s.name,
        person: s.person.to_string(),
        initials: initials(&s.person_name),
        name: s.person_name,
        role: lang.t(role_message(s.roles)),
        network: s.network,
        device: suggested(&s.agent),
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
        everybody: !matches!(whose, Whose::Person(_)),
        linked: me.actor().is_staff(),
        back,
        me: me.actor().person.to_string(),
        lifetime: me.session.policy.lifetime / SECOND,
    })
}

/// `GET /sessions`
pub async fn list(State(web): State<Web>, me: Staff) -> Result<Response, Problem> {
    me.actor().require(Permission::ManageSessions).map_err(AppError::from)?;
    let table = table(&web, &me, Whose::Everybody, "/sessions").await?;
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
        shown: Shown::people(table.rows.iter().filter_map(|row| row.person.parse().ok())),
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
    let table = table(&web, &me, Whose::Person(me.actor().person), "/account/sessions").await?;
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
