//! `/api/v1/people/{id}/way-in` and beside it, `/api/v1/colleagues`: letting people in and out. For people:
//! no program does it.

use super::{Leaving, Shown, gated, json};
use crate::csrf::Json;
use crate::people::way_in::link;
use crate::problem::Problem;
use crate::session::SignedIn;
use crate::state::Web;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::json as value;
use utoipa::ToSchema;
use warifu_app::enrolment::{Invitation, NewColleague};
use warifu_domain::access::{Role, Roles};
use warifu_domain::{PersonId, Timestamp, refusal};

/// A one-time link that may still be used.
#[derive(Debug, Serialize, ToSchema)]
pub struct OpenInvitation {
    /// Name of who made it; empty for the console.
    by: String,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// Whether a browser has opened it, so that no other can.
    opened: bool,
}

/// What somebody can come in with.
#[derive(Debug, Serialize, ToSchema)]
pub struct WayIn {
    /// `false` when they are switched off.
    active: bool,
    factors: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    used_at: Option<Timestamp>,
    /// Whether they have or had a factor: then they cannot be invited.
    had_factor: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    invitation: Option<OpenInvitation>,
}

/// What a person can come in with.
#[utoipa::path(get, path = "/api/v1/people/{id}/way-in", params(("id" = i64, Path)),
    responses((status = 200, body = WayIn), (status = 403), (status = 404)))]
pub async fn way_in(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<PersonId>,
) -> Result<Response, Problem> {
    let way = web.app.way_in(who.actor(), id).await?;
    let person = web.app.person(who.actor(), id).await?.person;
    let leaving = Leaving {
        route: "/api/v1/people/{id}/way-in",
        organization: Some(person.organization),
        query: value!({"id": id}),
        ids: vec![id.0],
        shown: Shown::One(id, person.organization),
    };
    let invitation = way.invitation.map(|open| OpenInvitation {
        by: open.by,
        expires_at: open.expires_at,
        opened: open.opened,
    });
    let answer = WayIn {
        active: way.active,
        factors: way.factors,
        used_at: way.used_at,
        had_factor: way.ever,
        invitation,
    };
    gated(&web, &who, leaving, StatusCode::OK, &answer).await
}

/// A one-time link. It works once, in the browser that opens it first, and is shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub struct Link {
    person: i64,
    link: String,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

fn made(web: &Web, invitation: &Invitation) -> Result<Response, Problem> {
    let link = Link {
        person: invitation.person.0,
        link: link(web, invitation),
        expires_at: invitation.expires_at,
    };
    json(StatusCode::CREATED, &link)
}

/// The proof of a step-up.
#[derive(Debug, Deserialize, ToSchema)]
pub struct InvitationProof {
    step_up: Option<String>,
}

/// Invites somebody who never had a factor; a link that is open ends. 403 `step-up-required` without the
/// proof of a step-up for `invite_person` with the parameter `person`.
#[utoipa::path(post, path = "/api/v1/people/{id}/invitation", params(("id" = i64, Path)),
    request_body = InvitationProof,
    responses((status = 201, body = Link), (status = 403), (status = 404), (status = 409)))]
pub async fn invite(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<PersonId>,
    Json(proof): Json<InvitationProof>,
) -> Result<Response, Problem> {
    made(&web, &web.app.invite(who.actor(), id, proof.step_up.as_deref()).await?)
}

/// Takes back a link that was not used.
#[utoipa::path(delete, path = "/api/v1/people/{id}/invitation", params(("id" = i64, Path)),
    request_body = Object, responses((status = 204), (status = 403), (status = 404)))]
pub async fn withdraw(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<PersonId>,
    _: Json<serde_json::Value>,
) -> Result<StatusCode, Problem> {
    web.app.withdraw_invitation(who.actor(), id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whether somebody is to be let in.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Standing {
    active: bool,
    /// What `POST /step-up/verify` answered.
    step_up: Option<String>,
}

/// Switches somebody off, which ends whatever they have open before the answer, or on again. 403
/// `step-up-required` without the proof of a step-up for `switch_person` with the parameters `person` and
/// `state`: `on` or `off`. 409 for oneself and for the last super administrator.
#[utoipa::path(put, path = "/api/v1/people/{id}/standing", params(("id" = i64, Path)),
    request_body = Standing,
    responses((status = 204), (status = 403), (status = 404), (status = 409)))]
pub async fn switch(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<PersonId>,
    Json(to): Json<Standing>,
) -> Result<StatusCode, Problem> {
    web.app.switch_person(who.actor(), id, to.active, to.step_up.as_deref()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A colleague of the vendor who is to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Colleague {
    full_name: String,
    email: String,
    /// `agent`, `administrator`, `super_administrator`, `responder`.
    roles: Vec<String>,
    /// What `POST /step-up/verify` answered.
    step_up: Option<String>,
}

/// Adds a colleague with their roles, and invites them. 403 `step-up-required` without the proof of a step-up
/// for `add_colleague` with the parameters `full_name`, `email` and `role`: the roles in the order above,
/// separated by commas.
#[utoipa::path(post, path = "/api/v1/colleagues", request_body = Colleague,
    responses((status = 201, body = Link), (status = 403), (status = 422)))]
pub async fn add(
    State(web): State<Web>,
    who: SignedIn,
    Json(wanted): Json<Colleague>,
) -> Result<Response, Problem> {
    let known = |key: &String| {
        let unknown = refusal!("role-unknown", "there is no role {role}", role = key.as_str());
        Role::from_key(key).ok_or_else(|| Problem::invalid("roles", unknown))
    };
    let roles = wanted.roles.iter().map(known).collect::<Result<Roles, _>>()?;
    let new = NewColleague { full_name: wanted.full_name, email: wanted.email, roles };
    made(&web, &web.app.add_colleague(who.actor(), &new, wanted.step_up.as_deref()).await?)
}
