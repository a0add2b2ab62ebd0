//! Signing out.

use crate::csrf::Form;
use crate::device;
use crate::lang::Visitor;
use crate::page::page;
use crate::problem::Problem;
use crate::session::{SignedIn, no_cookie};
use crate::state::Web;
use crate::views::sign_in::SignedOut;
use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use serde::Deserialize;

/// Body of `POST /sign-out`.
#[derive(Deserialize)]
pub struct Nothing {}

/// `POST /sign-out`
pub async fn sign_out(
    State(web): State<Web>,
    signed_in: SignedIn,
    _: Form<Nothing>,
) -> Result<Response, Problem> {
    web.app.sign_out(&signed_in.session).await?;
    let cookies = AppendHeaders([(SET_COOKIE, no_cookie()), (SET_COOKIE, device::no_cookie())]);
    Ok((cookies, Redirect::to("/signed-out")).into_response())
}

/// `GET /signed-out`
pub async fn signed_out(visitor: Visitor) -> Result<Response, Problem> {
    page(SignedOut { shell: visitor.shell() })
}
