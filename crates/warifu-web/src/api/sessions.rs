//! `/api/v1/sessions`, `/api/v1/notices`, `/api/v1/people/{id}/roles`: who is in, what happened to
//! one's account, and who may do what.

use super::policies::{Waits, proposed};
use super::{Leaving, Shown, gated, json};
use crate::csrf::Json;
use crate::problem::Problem;
use crate::session::SignedIn;
use crate::state::Web;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};
use warifu_app::active_sessions::{ActiveSession, Whose};
use warifu_domain::access::{Role, Roles};
use warifu_domain::devices::DeviceKind;
use warifu_domain::time::SECOND;
use warifu_domain::{OrganizationId, PersonId, Timestamp, refusal};

/// A session that is open now.
#[derive(Debug, Serialize, ToSchema)]
pub struct Open {
    /// SHA-256, hexadecimal: what the ledger calls it. It cannot be used as a session.
    id: String,
    person: i64,
    person_name: String,
    /// The network that it is bound to.
    network: String,
    /// `User-Agent`, shortened.
    agent: String,
    /// What opened it: `passkey`, `certificate`, `oidc`, `password`.
    factor: &'static str,
    /// What its owner calls that.
    passkey: String,
    /// Where the key is that it is bound to: `device` is the browser's own, which every request is held
    /// against; `script_key` is the page's, which signs what is protected.
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<&'static str>,
    #[schema(value_type = String, format = DateTime)]
    opened_at: Timestamp,
    /// Seconds until it is over, and since it was used.
    left: i64,
    idle: i64,
    /// Whether it is the one that asks.
    this: bool,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
pub struct Asked {
    /// Everybody's; one's own otherwise.
    everybody: bool,
}

/// The sessions that are open now, the last used first; at most 200.
#[utoipa::path(get, path = "/api/v1/sessions", params(Asked), responses((status = 200, body = [Open])))]
pub async fn list(
    State(web): State<Web>,
    who: SignedIn,
    Query(whose): Query<Asked>,
) -> Result<Response, Problem> {
    let of = match whose.everybody {
        true => Whose::Everybody,
        false => Whose::Person(who.actor().person),
    };
    let open = open(&web, &who, of).await?;
    if !whose.everybody {
        return json(StatusCode::OK, &open);
    }
    let leaving = Leaving {
        route: "/api/v1/sessions",
        organization: None,
        query: serde_json::json!({ "everybody": true }),
        ids: open.iter().map(|s| s.person).collect(),
        shown: Shown::people(open.iter().map(|s| s.person)),
    };
    gated(&web, &who, leaving, StatusCode::OK, &open).await
}

/// The sessions of an organization's people that are open now, the last used first; at most 200. For its
/// administrators, and for whoever may see everybody's.
#[utoipa::path(get, path = "/api/v1/organizations/{id}/sessions", params(("id" = i64, Path)),
    responses((status = 200, body = [Open]), (status = 404)))]
pub async fn of_organization(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<OrganizationId>,
) -> Result<Response, Problem> {
    let open = open(&web, &who, Whose::Organization(id)).await?;
    let leaving = Leaving {
        route: "/api/v1/organizations/{id}/sessions",
        organization: Some(id),
        query: serde_json::json!({ "id": id }),
        ids: open.iter().map(|s| s.person).collect(),
        shown: Shown::people(open.iter().map(|s| s.person)),
    };
    gated(&web, &who, leaving, StatusCode::OK, &open).await
}

async fn open(web: &Web, who: &SignedIn, whose: Whose) -> Result<Vec<Open>, Problem> {
    let found = web.app.active_sessions(who.actor(), whose).await?;
    let here = who.session.name();
    let open = |s: ActiveSession| Open {
        this: s.name == here,
        id: s.name,
        person: s.person.0,
        person_name: s.person_name,
        network: s.network,
        agent: s.agent,
        factor: s.factor.key(),
        passkey: s.key,
        device: s.device.map(DeviceKind::key),
        opened_at: s.opened_at,
        left: s.left / SECOND,
        idle: s.idle / SECOND,
    };
    Ok(found.into_iter().map(open).collect())
}

/// Ends a session. It holds for no request that begins after the answer.
#[utoipa::path(delete, path = "/api/v1/people/{id}/sessions/{session}", request_body = Object,
    params(("id" = i64, Path), ("session" = String, Path)), responses((status = 204), (status = 404)))]
pub async fn end(
    State(web): State<Web>,
    who: SignedIn,
    Path((person, session)): Path<(PersonId, String)>,
    _: Json<serde_json::Value>,
) -> Result<StatusCode, Problem> {
    web.app.end_session(who.actor(), person, &session).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends every session of a person but the one that asks.
#[utoipa::path(delete, path = "/api/v1/people/{id}/sessions", request_body = Object,
    params(("id" = i64, Path)), responses((status = 204), (status = 404)))]
pub async fn end_all(
    State(web): State<Web>,
    who: SignedIn,
    Path(person): Path<PersonId>,
    _: Json<serde_json::Value>,
) -> Result<StatusCode, Problem> {
    web.app.end_sessions(&who.session, person).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Exactly the roles that a person is to have.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Wanted {
    /// `agent`, `administrator`, `super_administrator`, `responder`, `organization_administrator`.
    roles: Vec<String>,
    /// What `POST /step-up/verify` answered.
    step_up: Option<String>,
}

/// Grants and takes away roles; whoever would be a super administrator waits for a second person: 202 with the
/// number that waits. 403 `step-up-required` without the proof of a step-up for `change_roles` with
/// the parameters `person` and `role`: the roles in the order above, separated by commas.
#[utoipa::path(put, path = "/api/v1/people/{id}/roles", params(("id" = i64, Path)), request_body = Wanted,
    responses((status = 202, body = Waits), (status = 204), (status = 403), (status = 404), (status = 409)))]
pub async fn roles(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<PersonId>,
    Json(wanted): Json<Wanted>,
) -> Result<Response, Problem> {
    let known = |key: &String| {
        let unknown = refusal!("role-unknown", "there is no role {role}", role = key.as_str());
        Role::from_key(key).ok_or_else(|| Problem::invalid("roles", unknown))
    };
    let roles = wanted.roles.iter().map(known).collect::<Result<Roles, _>>()?;
    let proof = wanted.step_up.as_deref();
    proposed(web.app.change_roles(who.actor(), id, roles, proof).await?)
}

/// What happened to one's own account. Of a check of callers: `reset_asked`, `reset_approved`,
/// `reset_stopped`, `reset_done`, `reset_of_other` (also with `_stopped`, `_done`), `recovery_used`,
/// `recovery_codes`, `break_glass` (also with `_refused`, `_sealed`).
#[derive(Debug, Serialize, ToSchema)]
pub struct Notice {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// `session_moved`, `session_ended`, `session_recorded`, `factor_added`, `factor_removed`,
    /// `roles_changed`, `key_copied`, `step_up_refused`, `device_key`, `service_refused`,
    /// `password_changed`, `codes_changed`, `certificate_ends`, `service_ends`, `invited`, `switched_off`,
    /// `switched_on`, `switched_on_other`, `contact_changed`, `codes_guessed`, `reading_stopped`,
    /// `service_reading_stopped`, `new_network`, `signed_in_after_failures`, those of policies and of resets (`reset_void`).
    kind: &'static str,
    /// `from` and `to` of networks, `name` of a factor, service account or person, `by`, `fields`, `check`, `due`, `people`, `times`, `factor`; `stop`: the path of a page that
    /// stops a reset and does nothing else.
    details: BTreeMap<String, String>,
    seen: bool,
}

/// What happened to one's own account, newest first; at most 100.
#[utoipa::path(get, path = "/api/v1/notices", responses((status = 200, body = [Notice])))]
pub async fn notices(State(web): State<Web>, who: SignedIn) -> Result<Response, Problem> {
    let notice = |n: warifu_app::notices::Notice| Notice {
        at: n.at,
        kind: n.kind.key(),
        details: n.details,
        seen: n.seen,
    };
    let notices = web.app.notices(who.actor()).await?;
    json(StatusCode::OK, &notices.into_iter().map(notice).collect::<Vec<_>>())
}

/// All of them have been seen.
#[utoipa::path(post, path = "/api/v1/notices/seen", request_body = Object, responses((status = 204)))]
pub async fn see_notices(
    State(web): State<Web>,
    who: SignedIn,
    _: Json<serde_json::Value>,
) -> Result<StatusCode, Problem> {
    web.app.see_notices(who.actor()).await?;
    Ok(StatusCode::NO_CONTENT)
}
