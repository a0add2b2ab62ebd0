//! `/api/v1/session`, `/api/v1/passkeys`, `/api/v1/views`: who asks, with which keys, and where
//! they may begin.

use super::json;
use crate::csrf::Json;
use crate::device;
use crate::problem::Problem;
use crate::session::{SignedIn, no_cookie};
use crate::state::Web;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::{AppendHeaders, IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warifu_auth::is_synced;
use warifu_domain::access::Permission;
use warifu_domain::devices::DeviceKind;
use warifu_domain::time::SECOND;
use warifu_domain::{CredentialId, Timestamp};

/// The session that asks.
#[derive(Debug, Serialize, ToSchema)]
pub struct Session {
    /// Id of the person.
    person: i64,
    name: String,
    organization: i64,
    organization_name: String,
    /// `agent`, `administrator`, `super_administrator`, `responder`, `organization_administrator`.
    roles: Vec<&'static str>,
    /// What goes into `X-CSRF-Token` with everything that changes something.
    csrf: String,
    /// The network that the session is bound to.
    network: String,
    /// Where the key is that it is bound to: `device` is the browser's own, which every request is held
    /// against; `script_key` is the page's, which signs what is protected.
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<&'static str>,
    /// Seconds until it ends, and until it ends when nothing is done.
    left: i64,
    idle_left: i64,
}

/// The session that asks. Asking counts as use.
#[utoipa::path(get, path = "/api/v1/session", responses((status = 200, body = Session)))]
pub async fn session(who: SignedIn) -> Result<Response, Problem> {
    let (session, actor) = (&who.session, who.actor());
    let answer = Session {
        person: actor.person.0,
        name: actor.name.clone(),
        organization: actor.organization.0,
        organization_name: session.organization_name.clone(),
        roles: actor.roles.iter().map(|r| r.key()).collect(),
        csrf: session.csrf.clone(),
        network: session.network.clone(),
        device: session.bound.kind().map(DeviceKind::key),
        left: session.left / SECOND,
        idle_left: session.idle_left / SECOND,
    };
    json(StatusCode::OK, &answer)
}

/// Signs out. The session holds for no request that begins after the answer.
#[utoipa::path(delete, path = "/api/v1/session", request_body = Object, responses((status = 204)))]
pub async fn sign_out(
    State(web): State<Web>,
    who: SignedIn,
    _: Json<serde_json::Value>,
) -> Result<Response, Problem> {
    web.app.sign_out(&who.session).await?;
    Ok((
        StatusCode::NO_CONTENT,
        AppendHeaders([(SET_COOKIE, no_cookie()), (SET_COOKIE, device::no_cookie())]),
    )
        .into_response())
}

/// One of one's own passkeys.
#[derive(Debug, Serialize, ToSchema)]
pub struct Passkey {
    id: i64,
    name: String,
    /// Whether it is synced between devices.
    synced: bool,
    #[schema(value_type = String, format = DateTime)]
    added_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    used_at: Option<Timestamp>,
    /// Whether this session was opened with it.
    this_session: bool,
}

/// One's own passkeys, oldest first. Enrolling one is a ceremony of the browser: `POST
/// /enrol/options`, then `POST /enrol/verify`.
#[utoipa::path(get, path = "/api/v1/passkeys", responses((status = 200, body = [Passkey])))]
pub async fn passkeys(State(web): State<Web>, who: SignedIn) -> Result<Response, Problem> {
    let known = web.app.passkeys(who.actor()).await?;
    let list = known.into_iter().map(|k| Passkey {
        id: k.id.0,
        synced: is_synced(&k.verifier),
        added_at: k.created_at,
        used_at: k.last_used_at,
        this_session: k.id == who.session.credential,
        name: k.name,
    });
    json(StatusCode::OK, &list.collect::<Vec<_>>())
}

/// The proof of a step-up: what `POST /step-up/verify` answered.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Proof {
    step_up: Option<String>,
}

impl Proof {
    pub fn step_up(&self) -> Option<&str> {
        self.step_up.as_deref()
    }
}

/// Removes one of one's own passkeys, but not the last. 403 `step-up-required` without the proof of a
/// step-up for `remove_factor` with the parameter `passkey`.
#[utoipa::path(delete, path = "/api/v1/passkeys/{id}", params(("id" = i64, Path)), request_body = Proof,
    responses((status = 204), (status = 403), (status = 404), (status = 409)))]
pub async fn remove_passkey(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<CredentialId>,
    Json(proof): Json<Proof>,
) -> Result<StatusCode, Problem> {
    let proof = proof.step_up.as_deref();
    web.app.remove_passkey(who.actor(), id, &who.session.token_hash, proof).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A view of the desk.
#[derive(Debug, Serialize, ToSchema)]
pub struct View {
    /// For `view` of `GET /api/v1/cases`.
    view: &'static str,
    cases: i64,
}

/// Views with the number of their cases, which is kept and not counted. Customers have one, without
/// a name: the cases that they may see.
#[utoipa::path(get, path = "/api/v1/views", responses((status = 200, body = [View])))]
pub async fn views(State(web): State<Web>, who: SignedIn) -> Result<Response, Problem> {
    let counts = web.app.nav_counts(who.actor()).await?;
    let view = |view, cases| View { view, cases };
    let views = match (who.actor().is_staff(), who.actor().roles.allow(Permission::WorkCases)) {
        (true, true) => vec![
            view("mine", counts.mine),
            view("unassigned", counts.unassigned),
            view("active", counts.active),
            view("waiting", counts.waiting),
        ],
        (true, false) => Vec::new(),
        (false, _) => vec![view("", counts.portal)],
    };
    json(StatusCode::OK, &views)
}

/// Somebody to whom a case can be assigned.
#[derive(Debug, Serialize, ToSchema)]
pub struct Assignee {
    id: i64,
    name: String,
}

/// Who can work on cases.
#[utoipa::path(get, path = "/api/v1/assignees", responses((status = 200, body = [Assignee])))]
pub async fn assignees(State(web): State<Web>, who: SignedIn) -> Result<Response, Problem> {
    let staff = web.app.assignees(who.actor()).await?;
    let list = staff.into_iter().map(|(id, name)| Assignee { id: id.0, name });
    json(StatusCode::OK, &list.collect::<Vec<_>>())
}
