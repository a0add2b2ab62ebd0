//! `/api/v1/service-accounts`: programs with a key of their own. For people: no program manages them.

use super::{Made, json};
use crate::csrf::Json;
use crate::problem::Problem;
use crate::session::SignedIn;
use crate::state::Web;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warifu_app::services::{NewService, client_id};
use warifu_domain::Timestamp;

/// A service account.
#[derive(Debug, Serialize, ToSchema)]
pub struct Account {
    id: i64,
    /// `iss` and `sub` of its assertions.
    client: String,
    /// Whose acts its acts are in the ledger.
    person: i64,
    name: String,
    /// `cases`, `people:read`, `people:change`, `search`, `reports`, `ledger:read`, with spaces.
    scopes: String,
    /// Prefixes and autonomous systems, with spaces.
    networks: String,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// When a second person agreed; it may be used from then on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    agreed_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Timestamp>,
}

/// All service accounts, the newest first; at most 200.
#[utoipa::path(get, path = "/api/v1/service-accounts", responses((status = 200, body = [Account])))]
pub async fn list(State(web): State<Web>, who: SignedIn) -> Result<Response, Problem> {
    let known = web.app.services(who.actor()).await?;
    let list = known.into_iter().map(|a| Account {
        id: a.id,
        client: client_id(a.id),
        person: a.person.0,
        name: a.name,
        scopes: a.scopes,
        networks: a.networks,
        expires_at: a.expires_at,
        agreed_at: a.agreed_at,
        revoked_at: a.revoked_at,
    });
    json(StatusCode::OK, &list.collect::<Vec<_>>())
}

/// A service account that is to be made.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Wanted {
    name: String,
    scopes: Vec<String>,
    /// Prefixes and autonomous systems, with spaces or commas.
    networks: String,
    /// Until it ends, 1 to 365.
    days: i64,
    /// The public key as a JWK, as text.
    jwk: String,
    /// Why, for the second person who agrees.
    #[serde(default)]
    reason: String,
    /// What `POST /step-up/verify` answered.
    step_up: Option<String>,
}

/// Makes a service account; it may be used when a second person has agreed. 403 `step-up-required` without the proof of a step-up for `create_service`
/// with the parameters `name`, `scopes` (with commas), `networks`, `days`, `jwk`.
#[utoipa::path(post, path = "/api/v1/service-accounts", request_body = Wanted,
    responses((status = 201, body = Made), (status = 403), (status = 422)))]
pub async fn create(
    State(web): State<Web>,
    who: SignedIn,
    Json(wanted): Json<Wanted>,
) -> Result<Response, Problem> {
    let Wanted { name, scopes, networks, days, jwk, reason, step_up } = wanted;
    let new = NewService { name, scopes, networks, days, jwk, reason };
    let id = web.app.create_service(who.actor(), &new, step_up.as_deref()).await?;
    json(StatusCode::CREATED, &Made { id, reference: Some(client_id(id)) })
}

/// Revokes a service account: its tokens hold for no request that begins after the answer.
#[utoipa::path(delete, path = "/api/v1/service-accounts/{id}", params(("id" = i64, Path)),
    request_body = Object, responses((status = 204), (status = 403), (status = 404)))]
pub async fn revoke(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<i64>,
    _: Json<serde_json::Value>,
) -> Result<StatusCode, Problem> {
    web.app.revoke_service(who.actor(), id).await?;
    Ok(StatusCode::NO_CONTENT)
}
