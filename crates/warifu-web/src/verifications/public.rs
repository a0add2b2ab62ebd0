//! What needs no session: the caller's side of a tally, stopping a reset by the link of a notice, and
//! opening a request with a printed recovery code. None of it gives a session.

use crate::csrf::Form;
use crate::lang::Visitor;
use crate::page::{page as html, page_with};
use crate::problem::Problem;
use crate::sign_in::Caller;
use crate::state::Web;
use crate::views::verifications::{Caller as CallerPage, CallerCode, Recover, StopPage};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use warifu_app::AppError;
use warifu_domain::verification::normal;

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Typed {
    code: String,
}

/// `GET /verify`: where a code that was read out is typed.
pub async fn code(visitor: Visitor, Query(typed): Query<Typed>) -> Result<Response, Problem> {
    if typed.code.is_empty() {
        return Ok(visitor.welcome(html(CallerCode { shell: visitor.shell(), gone: false })?));
    }
    let plain: String = normal(&typed.code).chars().filter(char::is_ascii_alphanumeric).collect();
    Ok(Redirect::to(&format!("/verify/{plain}")).into_response())
}

fn gone(visitor: &Visitor) -> Result<Response, Problem> {
    let page = CallerCode { shell: visitor.shell(), gone: true };
    Ok(visitor.welcome(page_with(StatusCode::GONE, page)?))
}

/// The caller's side, if this browser has it.
async fn side(
    web: &Web,
    visitor: &Visitor,
    caller: &mut Caller,
    code: String,
    problem: Option<String>,
) -> Result<Response, Problem> {
    let shell = visitor.shell();
    // As with invitations: who comes for the first time gets the browser's secret with this answer.
    caller.browser.clone_from(&shell.csrf);
    let Some(side) = web.app.open_tally(&code, caller.from()).await? else { return gone(visitor) };
    let status = match problem {
        None => StatusCode::OK,
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let page = CallerPage {
        shell,
        code,
        half: side.half,
        caller_fits: side.caller_fits,
        agent_fits: side.agent_fits,
        problem,
    };
    // The way in that may come of it opens in this browser, after a delay.
    Ok(visitor.kept(page_with(status, page)?))
}

/// `GET /verify/{code}`
pub async fn caller(
    State(web): State<Web>,
    visitor: Visitor,
    mut caller: Caller,
    Path(code): Path<String>,
) -> Result<Response, Problem> {
    web.slow_down(&caller.network)?;
    side(&web, &visitor, &mut caller, normal(&code), None).await
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Half {
    half: String,
}

/// `POST /verify/{code}`
pub async fn caller_half(
    State(web): State<Web>,
    visitor: Visitor,
    mut caller: Caller,
    Path(code): Path<String>,
    Form(half): Form<Half>,
) -> Result<Response, Problem> {
    web.slow_down(&caller.network)?;
    let code = normal(&code);
    match web.app.caller_half(&code, &half.half, caller.from()).await {
        Ok(()) => Ok(Redirect::to(&format!("/verify/{code}")).into_response()),
        Err(AppError::Invalid { what, .. }) => {
            let said = visitor.taste.lang.refusal(&what);
            side(&web, &visitor, &mut caller, code, Some(said)).await
        }
        Err(AppError::NotFound(_) | AppError::Conflict(_)) => gone(&visitor),
        Err(e) => Err(e.into()),
    }
}

/// `GET /verify/stop/{id}/{token}`. Asking changes nothing: mail programs look links up.
pub async fn stop_page(
    State(web): State<Web>,
    visitor: Visitor,
    caller: Caller,
    Path((id, token)): Path<(i64, String)>,
) -> Result<Response, Problem> {
    web.slow_down(&caller.network)?;
    if !web.app.is_stop_link(id, &token) {
        return Err(Problem::not_found());
    }
    let path = format!("/verify/stop/{id}/{token}");
    let page = StopPage { shell: visitor.shell(), path, done: false, problem: None };
    Ok(visitor.welcome(html(page)?))
}

#[derive(Deserialize)]
pub struct Nothing {}

/// `POST /verify/stop/{id}/{token}`
pub async fn stop(
    State(web): State<Web>,
    visitor: Visitor,
    caller: Caller,
    Path((id, token)): Path<(i64, String)>,
    _: Form<Nothing>,
) -> Result<Response, Problem> {
    web.slow_down(&caller.network)?;
    let problem = match web.app.stop_by_link(id, &token, caller.from()).await {
        Ok(()) => None,
        Err(AppError::Conflict(what)) => Some(visitor.taste.lang.refusal(&what)),
        Err(e) => return Err(e.into()),
    };
    let done = problem.is_none();
    let status = if done { StatusCode::OK } else { StatusCode::CONFLICT };
    let path = format!("/verify/stop/{id}/{token}");
    page_with(status, StopPage { shell: visitor.shell(), path, done, problem })
}

/// `GET /recover`
pub async fn recover_page(visitor: Visitor) -> Result<Response, Problem> {
    Ok(visitor.welcome(html(Recover { shell: visitor.shell(), sent: false })?))
}

/// `POST /recover`: the same answer to every code.
pub async fn recover(
    State(web): State<Web>,
    visitor: Visitor,
    caller: Caller,
    Form(typed): Form<Typed>,
) -> Result<Response, Problem> {
    web.slow_down(&caller.network)?;
    web.app.recover(&typed.code, caller.from()).await?;
    html(Recover { shell: visitor.shell(), sent: true })
}
