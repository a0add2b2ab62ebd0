//! `/identity-providers`: which providers people sign in by.

use crate::csrf::Form;
use crate::page::{page, page_with};
use crate::problem::Problem;
use crate::session::Staff;
use crate::state::Web;
use crate::views::identity_providers::{Entered, IdentityProviders, Provider};
use crate::views::shell::Place;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use warifu_app::AppError;
use warifu_app::oidc::{BACK_CHANNEL, CALLBACK, Connection, NewProvider};
use warifu_app::policy_changes::Proposed;
use warifu_domain::ProviderId;

async fn view(
    web: &Web,
    who: &Staff,
    entered: Entered,
    errors: Vec<(String, String)>,
) -> Result<IdentityProviders, Problem> {
    let found = web.app.identity_providers(who.actor()).await?;
    let provider = |c: Connection| Provider {
        id: c.id.to_string(),
        name: c.name,
        organization: if c.vendor { String::new() } else { c.organization_name },
        issuer: c.issuer,
        client_id: c.client_id,
        hosts: c.hosts.join(", "),
        enabled: c.enabled,
    };
    let origin = web.config.origin_text();
    Ok(IdentityProviders {
        shell: who.shell(Place::Elsewhere, "").await?,
        providers: found.into_iter().map(provider).collect(),
        callback: format!("{origin}{CALLBACK}"),
        signed_out: format!("{origin}/signed-out"),
        back_channel: format!("{origin}{BACK_CHANNEL}"),
        entered,
        errors,
    })
}

/// `GET /identity-providers`
pub async fn list(State(web): State<Web>, who: Staff) -> Result<Response, Problem> {
    page(view(&web, &who, Entered::default(), Vec::new()).await?)
}

/// Body of `POST /identity-providers`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct New {
    organization: String,
    name: String,
    issuer: String,
    client_id: String,
    client_secret: String,
    hosts: String,
    reason: String,
    step_up: Option<String>,
}

/// `POST /identity-providers`
pub async fn add(
    State(web): State<Web>,
    who: Staff,
    Form(new): Form<New>,
) -> Result<Response, Problem> {
    let entered = Entered {
        organization: new.organization.clone(),
        name: new.name.clone(),
        issuer: new.issuer.clone(),
        client_id: new.client_id.clone(),
        hosts: new.hosts.clone(),
    };
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
    match web.app.add_identity_provider(who.actor(), &provider, proof).await {
        Ok(_) => Ok(Redirect::to("/approvals").into_response()),
        Err(AppError::Invalid { field, what }) => {
            let errors = vec![(field.to_owned(), who.taste.lang.refusal(&what))];
            let view = view(&web, &who, entered, errors).await?;
            page_with(StatusCode::UNPROCESSABLE_ENTITY, view)
        }
        Err(e) => Err(e.into()),
    }
}

/// Body of `POST /identity-providers/{id}/switch` and `…/remove`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Switch {
    state: String,
    step_up: Option<String>,
}

/// `POST /identity-providers/{id}/switch`
pub async fn switch(
    State(web): State<Web>,
    who: Staff,
    Path(id): Path<ProviderId>,
    form: Form<Switch>,
) -> Result<Response, Problem> {
    let (on, proof) = (form.state == "on", form.step_up.as_deref());
    let next = match web.app.switch_identity_provider(who.actor(), id, on, proof).await? {
        Proposed::Done => "/identity-providers",
        Proposed::Waiting(_) => "/approvals",
    };
    Ok(Redirect::to(next).into_response())
}

/// `POST /identity-providers/{id}/remove`
pub async fn remove(
    State(web): State<Web>,
    who: Staff,
    Path(id): Path<ProviderId>,
    form: Form<Switch>,
) -> Result<Response, Problem> {
    web.app.remove_identity_provider(who.actor(), id, form.step_up.as_deref()).await?;
    Ok(Redirect::to("/identity-providers").into_response())
}
