//! `POST /step-up/options`, `POST /step-up/verify`: the key once more, for one action.
//! `assets/passkeys.js` does it before it sends a form that is marked with `data-step-up`.

use crate::certificates;
use crate::csrf::Json;
use crate::problem::Problem;
use crate::session::{SignedIn, session_cookie};
use crate::sign_in::{Caller, answer};
use crate::state::Web;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::{AppendHeaders, IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use url::form_urlencoded::Serializer;
use warifu_domain::factors::Factor;
use warifu_domain::protected::{Action, Protected};

/// What is asked for: the action and its parameters, as the form will send them.
#[derive(Deserialize)]
pub struct What {
    action: String,
    #[serde(default)]
    parameters: BTreeMap<String, String>,
}

impl What {
    pub fn new(action: String, parameters: BTreeMap<String, String>) -> What {
        What { action, parameters }
    }

    pub fn protected(&self) -> Result<Protected, Problem> {
        let unknown = || Problem::invalid("action", format!("there is no action {}", self.action));
        let action = Action::from_key(&self.action).ok_or_else(unknown)?;
        let with = |p: Protected, (name, value): (&String, &String)| p.with(name, value);
        Ok(self.parameters.iter().fold(Protected::new(action), with))
    }
}

pub async fn options(
    State(web): State<Web>,
    me: SignedIn,
    caller: Caller,
    Json(what): Json<What>,
) -> Result<Response, Problem> {
    web.slow_down(&caller.network)?;
    // Whoever has no key here proves themselves where they signed in.
    if web.app.provider_for_step_up(&me.session).await?.is_some() {
        let parameters = Serializer::new(String::new()).extend_pairs(&what.parameters).finish();
        let query = [("action", what.action.as_str()), ("parameters", parameters.as_str())];
        let query = Serializer::new(String::new()).extend_pairs(query).finish();
        let to = format!("/step-up/oidc?{query}");
        return Ok(axum::Json(json!({ "provider": to })).into_response());
    }
    let what = what.protected()?;
    // Who came in with a certificate proves themselves with it.
    if me.session.factor == Factor::Certificate && web.config.certificates.is_some() {
        return certificates::step_up_at(&web, &me, &what, &caller).await;
    }
    let asked = web.app.begin_step_up(&web.passkeys, &me.session, &what, caller.from()).await?;
    Ok(answer(asked))
}

/// Body of the second step.
#[derive(Deserialize)]
pub struct Verify {
    #[serde(flatten)]
    what: What,
    ceremony: String,
    credential: Value,
}

pub async fn verify(
    State(web): State<Web>,
    me: SignedIn,
    caller: Caller,
    Json(body): Json<Verify>,
) -> Result<Response, Problem> {
    web.slow_down(&caller.network)?;
    let what = body.what.protected()?;
    let given = (body.ceremony.as_str(), body.credential);
    let passed =
        web.app.finish_step_up(&web.passkeys, &me.session, &what, given, caller.from()).await?;
    let Some(passed) = passed else {
        return Err(Problem::new(StatusCode::FORBIDDEN, "step-up-refused"));
    };
    let cookie = AppendHeaders([(SET_COOKIE, session_cookie(&passed.session))]);
    Ok((cookie, axum::Json(json!({ "step_up": passed.proof.text() }))).into_response())
}
