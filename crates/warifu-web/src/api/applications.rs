//! `/api/v1/applications`: the applications that people enter with their session here.

use super::json;
use super::policies::{Waits, proposed};
use crate::csrf::Json;
use crate::problem::Problem;
use crate::session::SignedIn;
use crate::state::Web;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warifu_domain::access::Role;
use warifu_domain::applications::Kind;
use warifu_domain::time::MINUTE;
use warifu_domain::{ApplicationId, Timestamp};

/// An application.
#[derive(Debug, Serialize, ToSchema)]
pub struct Application {
    id: i64,
    name: String,
    /// `forward_auth` or `openid`.
    kind: &'static str,
    /// Forward-auth: scheme, host and port.
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<String>,
    /// OpenID.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    redirect_uris: Vec<String>,
    logout_uris: Vec<String>,
    backchannel_uri: String,
    /// Whether it keeps no secret.
    public: bool,
    roles: Vec<&'static str>,
    /// Minutes since the person proved who they are.
    max_age: Option<i64>,
    /// `phr` or `phrh`.
    acr: &'static str,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

fn shown(a: warifu_app::applications::Application) -> Application {
    let client = a.kind == Kind::OpenId;
    Application {
        id: a.id.0,
        kind: a.kind.key(),
        origin: (!client).then(|| a.origin.clone()),
        client_id: client.then_some(a.origin),
        public: client && a.secret.is_none(),
        roles: a.entry.roles.iter().map(Role::key).collect(),
        max_age: a.entry.max_age.map(|m| m / MINUTE),
        acr: a.entry.acr.key(),
        name: a.name,
        redirect_uris: a.redirect_uris,
        logout_uris: a.logout_uris,
        backchannel_uri: a.backchannel_uri,
        created_at: a.created_at,
    }
}

/// An application as it is to be: every field is a text, which is what the proof of the step-up is bound
/// to, under the same names.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct Wanted {
    name: String,
    /// `forward_auth` or `openid`.
    kind: String,
    origin: String,
    /// Separated by blanks.
    redirect_uris: String,
    /// Separated by blanks.
    logout_uris: String,
    backchannel_uri: String,
    /// Separated by commas.
    role: String,
    /// Minutes, or empty.
    max_age: String,
    /// `phr` or `phrh`.
    acr: String,
    /// Not empty for a client that keeps no secret.
    public: String,
    /// Why, for the second person who agrees to a change that asks for less.
    reason: String,
    /// What `POST /step-up/verify` answered.
    step_up: Option<String>,
}

impl Wanted {
    fn wanted(self) -> (warifu_app::applications::Wanted, Option<String>) {
        let wanted = warifu_app::applications::Wanted {
            name: self.name,
            kind: self.kind,
            origin: self.origin,
            redirect_uris: self.redirect_uris,
            logout_uris: self.logout_uris,
            backchannel_uri: self.backchannel_uri,
            role: self.role,
            max_age: self.max_age,
            acr: self.acr,
            public: self.public,
            reason: self.reason,
        };
        (wanted, self.step_up)
    }
}

/// An application just made.
#[derive(Debug, Serialize, ToSchema)]
pub struct MadeApplication {
    id: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    /// Shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
}

/// The proof of a step-up.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ApplicationProof {
    step_up: Option<String>,
}

/// Every application.
#[utoipa::path(get, path = "/api/v1/applications", responses((status = 200, body = [Application])))]
pub async fn list(State(web): State<Web>, who: SignedIn) -> Result<Response, Problem> {
    let found = web.app.applications(who.actor()).await?;
    json(StatusCode::OK, &found.into_iter().map(shown).collect::<Vec<_>>())
}

/// One application.
#[utoipa::path(get, path = "/api/v1/applications/{id}", params(("id" = i64, Path)),
    responses((status = 200, body = Application), (status = 404)))]
pub async fn one(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<ApplicationId>,
) -> Result<Response, Problem> {
    json(StatusCode::OK, &shown(web.app.application(who.actor(), id).await?))
}

/// Declares an application. 403 `step-up-required` without the proof of a step-up for `add_application` with
/// every field of the body but `reason` and `step_up`.
#[utoipa::path(post, path = "/api/v1/applications", request_body = Wanted,
    responses((status = 201, body = MadeApplication), (status = 403), (status = 409)))]
pub async fn add(
    State(web): State<Web>,
    who: SignedIn,
    Json(wanted): Json<Wanted>,
) -> Result<Response, Problem> {
    let (wanted, proof) = wanted.wanted();
    let own = &web.config.origin;
    let (made, secret) =
        web.app.add_application(who.actor(), &wanted, own, proof.as_deref()).await?;
    let answer = MadeApplication {
        id: made.id.0,
        client_id: (made.kind == Kind::OpenId).then_some(made.origin),
        client_secret: secret.map(|s| s.text()),
    };
    json(StatusCode::CREATED, &answer)
}

/// Gives an application another policy; `kind` and `public` stay. One that asks for less waits for a second
/// person: 202 with the number that waits. 403 `step-up-required` without the proof of a step-up for
/// `change_application` with every field of the body but `reason` and `step_up`, and `application`: its id.
#[utoipa::path(put, path = "/api/v1/applications/{id}", params(("id" = i64, Path)), request_body = Wanted,
    responses((status = 202, body = Waits), (status = 204), (status = 403), (status = 404), (status = 409)))]
pub async fn change(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<ApplicationId>,
    Json(wanted): Json<Wanted>,
) -> Result<Response, Problem> {
    let (wanted, proof) = wanted.wanted();
    let own = &web.config.origin;
    let changed = web.app.change_application(who.actor(), id, &wanted, own, proof.as_deref());
    proposed(changed.await?)
}

/// Removes an application. 403 `step-up-required` without the proof of a step-up for `remove_application` with
/// the parameter `application`.
#[utoipa::path(delete, path = "/api/v1/applications/{id}", params(("id" = i64, Path)),
    request_body = ApplicationProof, responses((status = 204), (status = 403), (status = 404)))]
pub async fn remove(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<ApplicationId>,
    Json(proof): Json<ApplicationProof>,
) -> Result<StatusCode, Problem> {
    web.app.remove_application(who.actor(), id, proof.step_up.as_deref()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives a client a new secret. 403 `step-up-required` without the proof of a step-up for `renew_secret` with
/// the parameter `application`.
#[utoipa::path(post, path = "/api/v1/applications/{id}/secret", params(("id" = i64, Path)),
    request_body = ApplicationProof,
    responses((status = 200, body = MadeApplication), (status = 403), (status = 404)))]
pub async fn renew_secret(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<ApplicationId>,
    Json(proof): Json<ApplicationProof>,
) -> Result<Response, Problem> {
    let (made, secret) = web.app.renew_secret(who.actor(), id, proof.step_up.as_deref()).await?;
    let answer = MadeApplication {
        id: made.id.0,
        client_id: Some(made.origin),
        client_secret: Some(secret.text()),
    };
    json(StatusCode::OK, &answer)
}
