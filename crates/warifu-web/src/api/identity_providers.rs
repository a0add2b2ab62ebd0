//! `/api/v1/identity-providers`: which providers people sign in by.

use super::policies::{Waits, proposed};
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
use warifu_app::oidc::{Connection, NewProvider};
use warifu_domain::ProviderId;

/// A connection to a provider. Its secret is never told.
#[derive(Debug, Serialize, ToSchema)]
pub struct IdentityProvider {
    id: i64,
    /// Whose people sign in by it.
    organization: i64,
    /// What its button says.
    name: String,
    issuer: String,
    client_id: String,
    /// The hosts that may be asked.
    hosts: Vec<String>,
    enabled: bool,
}

/// The providers, oldest first.
#[utoipa::path(get, path = "/api/v1/identity-providers", responses((status = 200, body = [IdentityProvider])))]
pub async fn list(State(web): State<Web>, who: SignedIn) -> Result<Response, Problem> {
    let shown = |c: Connection| IdentityProvider {
        id: c.id.0,
        organization: c.organization.0,
        name: c.name,
        issuer: c.issuer,
        client_id: c.client_id,
        hosts: c.hosts,
        enabled: c.enabled,
    };
    let found = web.app.identity_providers(who.actor()).await?;
    json(StatusCode::OK, &found.into_iter().map(shown).collect::<Vec<_>>())
}

/// A provider to be connected.
#[derive(Debug, Deserialize, ToSchema)]
pub struct NewIdentityProvider {
    /// Name of the customer; empty for the vendor's own people.
    #[serde(default)]
    organization: String,
    name: String,
    issuer: String,
    client_id: String,
    client_secret: String,
    /// Further hosts beside the issuer's, separated by spaces.
    #[serde(default)]
    hosts: String,
    /// Why, for the second person who agrees.
    #[serde(default)]
    reason: String,
    /// What `POST /step-up/verify` answered.
    step_up: Option<String>,
}

/// Connects a provider, which is asked about itself first; people sign in by it when a second person has
/// agreed. 403 `step-up-required` without the proof of a
/// step-up for `add_provider` with the first six texts as parameters.
#[utoipa::path(post, path = "/api/v1/identity-providers", request_body = NewIdentityProvider,
    responses((status = 201, body = Made), (status = 403), (status = 422)))]
pub async fn add(
    State(web): State<Web>,
    who: SignedIn,
    Json(new): Json<NewIdentityProvider>,
) -> Result<Response, Problem> {
    let provider = NewProvider {
        organization: new.organization,
        name: new.name,
        issuer: new.issuer,
        client_id: new.client_id,
        client_secret: new.client_secret.into(),
        hosts: new.hosts,
        reason: new.reason,
    };
    let proof = new.step_up.as_deref();
    let id = web.app.add_identity_provider(who.actor(), &provider, proof).await?;
    json(StatusCode::CREATED, &Made { id: id.0, reference: None })
}

/// Whether people may sign in by it.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Switched {
    #[serde(default)]
    enabled: bool,
    /// What `POST /step-up/verify` answered.
    step_up: Option<String>,
}

/// Switches a provider off, which ends the sessions that it opened, or asks a second person to switch it on:
/// 202 with the number that waits. 403 `step-up-required` without the
/// proof of a step-up for `switch_provider` with the parameters `provider` and `state` (`on`, `off`).
#[utoipa::path(patch, path = "/api/v1/identity-providers/{id}", params(("id" = i64, Path)),
    request_body = Switched,
    responses((status = 202, body = Waits), (status = 204), (status = 403), (status = 404)))]
pub async fn switch(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<ProviderId>,
    Json(to): Json<Switched>,
) -> Result<Response, Problem> {
    let proof = to.step_up.as_deref();
    proposed(web.app.switch_identity_provider(who.actor(), id, to.enabled, proof).await?)
}

/// Removes a provider and ends the sessions that it opened. 403 `step-up-required` without the proof of a
/// step-up for `remove_provider` with the parameter `provider`.
#[utoipa::path(delete, path = "/api/v1/identity-providers/{id}", params(("id" = i64, Path)),
    request_body = super::session::Proof, responses((status = 204), (status = 403), (status = 404)))]
pub async fn remove(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<ProviderId>,
    Json(proof): Json<super::session::Proof>,
) -> Result<StatusCode, Problem> {
    web.app.remove_identity_provider(who.actor(), id, proof.step_up()).await?;
    Ok(StatusCode::NO_CONTENT)
}
