//! Enrolling a passkey: by invitation, or beside one that the signed-in person has.

use super::{Caller, answer, ways};
use crate::csrf::Json;
use crate::lang::Visitor;
use crate::page::{page as html, page_with};
use crate::problem::Problem;
use crate::session::{SignedIn, role_message};
use crate::state::Web;
use crate::views::sign_in::{Enrol, EnrolGone};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::{Value, json};
use warifu_app::passkeys::Answer;
use warifu_auth::Token;

/// `GET /enrol/{invitation}`: the first browser that opens it is the only one that may use it.
pub async fn page(
    State(web): State<Web>,
    visitor: Visitor,
    mut caller: Caller,
    Path(invitation): Path<String>,
) -> Result<Response, Problem> {
    web.slow_down(&caller.network)?;
    // Who comes for the first time gets the browser's secret with this very answer. A session of
    // somebody else in this browser has no part in it.
    let shell = visitor.shell();
    caller.browser.clone_from(&shell.csrf);
    let Some(open) = web.app.open_invitation(&invitation, caller.from()).await? else {
        return page_with(StatusCode::GONE, EnrolGone { shell });
    };
    let lang = shell.lang;
    let providers = web.app.providers_for(Some(open.person)).await?;
    let password = web.app.may_choose_password(open.person).await?;
    let view = Enrol {
        password,
        providers: ways(providers, |id| format!("/enrol/{invitation}/oidc/{id}")),
        name: open.name,
        role: lang.t(role_message(open.roles)),
        invitation,
        until: lang.date_time(open.expires_at.to_jiff(), &TimeZone::UTC),
        suggested_name: suggested(&caller.agent),
        next: "/sign-in".into(),
        certificates: web.config.certificates.is_some(),
        problem: None,
        shell,
    };
    Ok(visitor.welcome(html(view)?))
}

/// A name to begin with, from what the browser says about its machine.
pub fn suggested(agent: &str) -> String {
    let known = ["iPhone", "iPad", "Android", "Windows", "Macintosh", "CrOS", "Linux"];
    let found = known.into_iter().find(|name| agent.contains(name));
    match found {
        Some("Macintosh") => "Mac",
        Some("CrOS") => "Chromebook",
        other => other.unwrap_or("Passkey"),
    }
    .to_owned()
}

/// Body of the first step.
#[derive(Deserialize)]
pub struct Options {
    invitation: Option<String>,
}

/// `POST /enrol/options`
pub async fn options(
    State(web): State<Web>,
    signed_in: Option<SignedIn>,
    caller: Caller,
    Json(body): Json<Options>,
) -> Result<Response, Problem> {
    web.slow_down(&caller.network)?;
    let asked = match (body.invitation, signed_in) {
        (Some(invitation), _) => {
            web.app.begin_invited(&web.passkeys, &invitation, caller.from()).await?
        }
        (None, Some(me)) => web.app.begin_further(&web.passkeys, me.actor(), caller.from()).await?,
        (None, None) => return Err(unauthorized()),
    };
    Ok(answer(asked))
}

fn unauthorized() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "unauthorized")
}

/// Body of the second step.
#[derive(Deserialize)]
pub struct Verify {
    invitation: Option<String>,
    ceremony: String,
    #[serde(default)]
    name: String,
    /// The proof of a step-up, for a further passkey.
    #[serde(default)]
    step_up: Option<String>,
    credential: Value,
}

/// `POST /enrol/verify`
pub async fn verify(
    State(web): State<Web>,
    signed_in: Option<SignedIn>,
    caller: Caller,
    Json(body): Json<Verify>,
) -> Result<Response, Problem> {
    web.slow_down(&caller.network)?;
    let answer = Answer { ceremony: &body.ceremony, credential: body.credential, name: &body.name };
    let next = match (&body.invitation, signed_in) {
        (Some(invitation), _) => {
            // An invitation that is no token cannot have begun anything.
            Token::parse(invitation).ok_or_else(Problem::not_found)?;
            web.app.finish_invited(&web.passkeys, invitation, answer, caller.from()).await?;
            "/sign-in"
        }
        (None, Some(me)) => {
            let proof = body.step_up.as_deref();
            web.app.finish_further(&web.passkeys, me.actor(), answer, proof, caller.from()).await?;
            "/account/passkeys"
        }
        (None, None) => return Err(unauthorized()),
    };
    Ok(axum::Json(json!({ "next": next })).into_response())
}
