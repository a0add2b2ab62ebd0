//! Declaring, changing and removing an application: each asks for the key.

use super::role;
use crate::csrf;
use crate::page::{page as html, page_with};
use crate::problem::Problem;
use crate::session::{SignedIn, Staff};
use crate::state::Web;
use crate::views::applications::{ApplicationForm, ApplicationSecret, Fields};
use crate::views::markup::Choice;
use crate::views::shell::Place;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use warifu_app::AppError;
use warifu_app::applications::{Application, Wanted};
use warifu_app::policy_changes::Proposed;
use warifu_domain::access::{Permission, Role};
use warifu_domain::applications::{Acr, Kind};
use warifu_domain::time::MINUTE;
use warifu_domain::{ApplicationId, Refusal};

/// Body of the form.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Form {
    name: String,
    kind: String,
    origin: String,
    redirect_uris: String,
    logout_uris: String,
    backchannel_uri: String,
    role: Vec<String>,
    max_age: String,
    acr: String,
    public: String,
    reason: String,
    /// The proof of a step-up for just these.
    step_up: Option<String>,
}

impl Form {
    fn wanted(&self) -> Wanted {
        Wanted {
            name: self.name.clone(),
            kind: self.kind.clone(),
            origin: self.origin.clone(),
            redirect_uris: self.redirect_uris.clone(),
            logout_uris: self.logout_uris.clone(),
            backchannel_uri: self.backchannel_uri.clone(),
            role: self.role.join(","),
            max_age: self.max_age.clone(),
            acr: self.acr.clone(),
            public: self.public.clone(),
            reason: self.reason.clone(),
        }
    }

    fn of(a: &Application) -> Form {
        Form {
            name: a.name.clone(),
            kind: a.kind.key().to_owned(),
            origin: a.origin.clone(),
            redirect_uris: a.redirect_uris.join(" "),
            logout_uris: a.logout_uris.join(" "),
            backchannel_uri: a.backchannel_uri.clone(),
            role: a.entry.roles.iter().map(|r| r.key().to_owned()).collect(),
            max_age: a.entry.max_age.map(|m| (m / MINUTE).to_string()).unwrap_or_default(),
            acr: a.entry.acr.key().to_owned(),
            public: String::new(),
            reason: String::new(),
            step_up: None,
        }
    }
}

async fn shown(
    me: &SignedIn,
    form: &Form,
    known: Option<&Application>,
    wrong: Option<(&'static str, &Refusal)>,
) -> Result<ApplicationForm, Problem> {
    let lang = me.taste.lang;
    let roles = Role::ALL.into_iter().map(|r| Choice {
        value: r.key().to_owned(),
        label: lang.t(role(r)),
        chosen: form.role.iter().any(|key| key == r.key()),
    });
    Ok(ApplicationForm {
        shell: me.shell(Place::Applications, "").await?,
        id: known.map(|a| a.id.to_string()),
        client_id: known.filter(|a| a.kind == Kind::OpenId).map(|a| a.origin.clone()),
        confidential: known.is_some_and(|a| a.secret.is_some()),
        client: form.kind == Kind::OpenId.key(),
        roles: roles.collect(),
        fields: Fields {
            name: form.name.clone(),
            origin: form.origin.clone(),
            redirect_uris: form.redirect_uris.clone(),
            logout_uris: form.logout_uris.clone(),
            backchannel_uri: form.backchannel_uri.clone(),
            max_age: form.max_age.clone(),
            hardware: form.acr == Acr::Hardware.key(),
            public: !form.public.is_empty(),
        },
        wrong: wrong.map(|(field, what)| (field.to_owned(), lang.refusal(what))),
    })
}

/// A form that is wrong is shown again with what is wrong; everything else is a problem.
async fn again(
    me: &SignedIn,
    form: &Form,
    known: Option<&Application>,
    e: AppError,
) -> Result<Response, Problem> {
    let wrong = match &e {
        AppError::Invalid { field, what } => (*field, what),
        AppError::Conflict(what) => ("origin", what),
        _ => return Err(e.into()),
    };
    let page = shown(me, form, known, Some(wrong)).await?;
    page_with(StatusCode::UNPROCESSABLE_ENTITY, page)
}

#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    kind: String,
}

/// `GET /applications/new?kind=…`
pub async fn form(me: Staff, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    me.actor().require(Permission::ManageApplications).map_err(AppError::from)?;
    let kind = Kind::from_key(&asked.kind).unwrap_or_default();
    let form = Form { kind: kind.key().to_owned(), ..Form::default() };
    html(shown(&me, &form, None, None).await?)
}

async fn secret(
    me: &SignedIn,
    application: &Application,
    secret: warifu_auth::Token,
) -> Result<Response, Problem> {
    html(ApplicationSecret {
        shell: me.shell(Place::Applications, "").await?,
        name: application.name.clone(),
        id: application.id.to_string(),
        client_id: application.origin.clone(),
        secret: secret.text(),
    })
}

/// `POST /applications/new`
pub async fn add(
    State(web): State<Web>,
    me: Staff,
    form: csrf::Form<Form>,
) -> Result<Response, Problem> {
    let (wanted, proof) = (form.wanted(), form.step_up.as_deref());
    match web.app.add_application(me.actor(), &wanted, &web.config.origin, proof).await {
        Ok((application, Some(made))) => secret(&me, &application, made).await,
        Ok((application, None)) => {
            Ok(Redirect::to(&format!("/applications/{}", application.id)).into_response())
        }
        Err(e) => again(&me, &form, None, e).await,
    }
}

/// `GET /applications/{id}`
pub async fn page(
    State(web): State<Web>,
    me: Staff,
    Path(id): Path<ApplicationId>,
) -> Result<Response, Problem> {
    let known = web.app.application(me.actor(), id).await?;
    html(shown(&me, &Form::of(&known), Some(&known), None).await?)
}

/// `POST /applications/{id}`
pub async fn change(
    State(web): State<Web>,
    me: Staff,
    Path(id): Path<ApplicationId>,
    form: csrf::Form<Form>,
) -> Result<Response, Problem> {
    let known = web.app.application(me.actor(), id).await?;
    let (wanted, proof) = (form.wanted(), form.step_up.as_deref());
    let changed =
        web.app.change_application(me.actor(), id, &wanted, &web.config.origin, proof).await;
    match changed {
        Ok(Proposed::Done) => Ok(Redirect::to("/applications").into_response()),
        Ok(Proposed::Waiting(_)) => Ok(Redirect::to("/approvals").into_response()),
        Err(e) => again(&me, &form, Some(&known), e).await,
    }
}

#[derive(Deserialize)]
pub struct Proof {
    step_up: Option<String>,
}

/// `POST /applications/{id}/remove`
pub async fn remove(
    State(web): State<Web>,
    me: Staff,
    Path(id): Path<ApplicationId>,
    form: csrf::Form<Proof>,
) -> Result<Response, Problem> {
    web.app.remove_application(me.actor(), id, form.step_up.as_deref()).await?;
    Ok(Redirect::to("/applications").into_response())
}

/// `POST /applications/{id}/secret`
pub async fn renew_secret(
    State(web): State<Web>,
    me: Staff,
    Path(id): Path<ApplicationId>,
    form: csrf::Form<Proof>,
) -> Result<Response, Problem> {
    let (application, made) = web.app.renew_secret(me.actor(), id, form.step_up.as_deref()).await?;
    secret(&me, &application, made).await
}
