//! Signing out, here and at the provider through which somebody signed in.

use crate::csrf::Form;
use crate::device;
use crate::lang::Visitor;
use crate::page::page;
use crate::problem::Problem;
use crate::session::{SignedIn, no_cookie};
use crate::state::Web;
use crate::views::sign_in::{ProviderWay, SignedOut};
use axum::extract::{Query, State};
use axum::http::header::{HeaderValue, REFRESH, SET_COOKIE};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use serde::Deserialize;
use warifu_domain::ProviderId;

/// Body of `POST /sign-out`.
#[derive(Deserialize)]
pub struct Nothing {}

/// `POST /sign-out`
pub async fn sign_out(
    State(web): State<Web>,
    signed_in: SignedIn,
    _: Form<Nothing>,
) -> Result<Response, Problem> {
    let provider = web.app.provider_of(&signed_in.session).await?;
    web.app.sign_out(&signed_in.session).await?;
    let cookies = AppendHeaders([(SET_COOKIE, no_cookie()), (SET_COOKIE, device::no_cookie())]);
    let to = provider.map_or_else(|| "/signed-out".into(), |id| format!("/signed-out?at={id}"));
    Ok((cookies, Redirect::to(&to)).into_response())
}

/// Query of `GET /signed-out`.
#[derive(Deserialize)]
pub struct At {
    at: Option<ProviderId>,
}

/// `GET /signed-out`. The browser goes on to the provider by itself: a form may not lead to another
/// site (`form-action`), so it is this page that does.
pub async fn signed_out(
    State(web): State<Web>,
    visitor: Visitor,
    Query(At { at }): Query<At>,
) -> Result<Response, Problem> {
    let back = web.config.origin.join("/signed-out");
    let back = back.map_err(|e| Problem::internal(e.to_string()))?;
    let provider = match at {
        Some(id) => web.app.sign_out_at(id, &back).await?,
        None => None,
    };
    let provider = provider.map(|(name, url)| ProviderWay { href: url.into(), name });
    let refresh = provider.as_ref().map(|p| HeaderValue::from_str(&format!("0; url={}", p.href)));
    let mut response = page(SignedOut { shell: visitor.shell(), provider })?;
    if let Some(Ok(refresh)) = refresh {
        response.headers_mut().insert(REFRESH, refresh);
    }
    Ok(response)
}
