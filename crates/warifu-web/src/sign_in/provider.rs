//! Sign-in at an identity provider: there, back, and what the provider tells us by itself.

use super::{Caller, entered};
use crate::lang::{self, Visitor, local};
use crate::page::{page, page_with};
use crate::problem::Problem;
use crate::session::{COOKIE, SignedIn, session_cookie};
use crate::state::Web;
use crate::step_up::What;
use crate::views::sign_in::SteppedUp;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::json;
use url::form_urlencoded;
use warifu_app::oidc::{Began, Finished, LogoutAnswer, Purpose, Returned};
use warifu_domain::ProviderId;

/// Query of `GET /sign-in/oidc/{provider}`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Asking {
    next: String,
}

/// Whether a link of another site led here: nobody is sent to a provider by one.
fn from_elsewhere(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").and_then(|v| v.to_str().ok());
    !matches!(site, None | Some("same-origin" | "none"))
}

async fn begin(
    web: &Web,
    caller: &Caller,
    provider: ProviderId,
    purpose: Purpose<'_>,
) -> Result<Response, Problem> {
    let origin = &web.config.origin;
    let began = web.app.begin_at_provider(provider, purpose, origin, caller.from()).await?;
    Ok(match began {
        Began::Go(url) => Redirect::to(url.as_str()).into_response(),
        Began::Down => Redirect::to("/sign-in?why=provider-down").into_response(),
    })
}

/// `GET /sign-in/oidc/{provider}`: to the provider.
pub async fn sign_in(
    State(web): State<Web>,
    caller: Caller,
    headers: HeaderMap,
    Path(provider): Path<ProviderId>,
    Query(asking): Query<Asking>,
) -> Result<Response, Problem> {
    web.slow_down(&caller.network)?;
    // A browser without the visit's cookie could not be known again when it comes back.
    if caller.browser.is_empty() || from_elsewhere(&headers) {
        return Ok(Redirect::to("/sign-in").into_response());
    }
    begin(&web, &caller, provider, Purpose::SignIn { next: local(&asking.next) }).await
}

/// `GET /enrol/{invitation}/oidc/{provider}`: to the provider, to redeem an invitation there.
pub async fn enrol(
    State(web): State<Web>,
    caller: Caller,
    headers: HeaderMap,
    Path((invitation, provider)): Path<(String, ProviderId)>,
) -> Result<Response, Problem> {
    web.slow_down(&caller.network)?;
    if caller.browser.is_empty() || from_elsewhere(&headers) {
        return Err(Problem::not_found());
    }
    begin(&web, &caller, provider, Purpose::Enrol { invitation: &invitation }).await
}

/// Query of `GET /step-up/oidc`.
#[derive(Deserialize)]
pub struct Once {
    action: String,
    /// The parameters as a form would send them.
    #[serde(default)]
    parameters: String,
}

/// `GET /step-up/oidc`: to the provider of this session, to prove oneself once more.
pub async fn step_up(
    State(web): State<Web>,
    me: SignedIn,
    caller: Caller,
    headers: HeaderMap,
    Query(once): Query<Once>,
) -> Result<Response, Problem> {
    web.slow_down(&caller.network)?;
    let provider = web.app.provider_for_step_up(&me.session).await?;
    let provider = provider.filter(|_| !caller.browser.is_empty() && !from_elsewhere(&headers));
    let provider = provider.ok_or_else(Problem::not_found)?;
    let parameters = form_urlencoded::parse(once.parameters.as_bytes()).into_owned().collect();
    let what = What::new(once.action, parameters).protected()?;
    let purpose = Purpose::StepUp { session: &me.session, what: &what };
    begin(&web, &caller, provider, purpose).await
}

/// What a provider sends somebody back with.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Back {
    state: String,
    code: Option<String>,
    iss: Option<String>,
}

/// `GET /sign-in/oidc/callback`: a new session under a new token. Whatever is wrong, the answer is
/// the same.
pub async fn callback(
    State(web): State<Web>,
    caller: Caller,
    visitor: Visitor,
    me: Option<SignedIn>,
    headers: HeaderMap,
    Query(back): Query<Back>,
) -> Result<Response, Problem> {
    web.slow_down(&caller.network)?;
    let old = lang::cookie(&headers, COOKIE);
    let returned =
        Returned { state: &back.state, code: back.code.as_deref(), iss: back.iss.as_deref() };
    let (origin, policy) = (&web.config.origin, &web.config.sessions);
    let session = me.as_ref().map(|me| &*me.session);
    let before = (old, session);
    let finished =
        web.app.finish_at_provider(returned, origin, caller.from(), before, policy).await?;
    Ok(match finished {
        Finished::SignedIn { opened, next } => entered(&opened, local(&next)),
        Finished::SteppedUp(passed) => {
            let cookie = AppendHeaders([(SET_COOKIE, session_cookie(&passed.session))]);
            let view = SteppedUp { shell: visitor.shell(), proof: passed.proof.text() };
            (cookie, page(view)?).into_response()
        }
        Finished::StepUpRefused => {
            let view = SteppedUp { shell: visitor.shell(), proof: String::new() };
            page_with(StatusCode::FORBIDDEN, view)?
        }
        Finished::Refused => Redirect::to("/sign-in?why=provider-refused").into_response(),
        Finished::Down => Redirect::to("/sign-in?why=provider-down").into_response(),
    })
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Logout {
    logout_token: String,
}

/// `POST /oidc/backchannel-logout`: a provider's server says that somebody signed out there. Its
/// signature is its proof; no page of ours has a part in it.
pub async fn back_channel(
    State(web): State<Web>,
    caller: Caller,
    body: Bytes,
) -> Result<Response, Problem> {
    let sent: Logout = serde_html_form::from_bytes(&body).unwrap_or_default();
    match web.app.back_channel_logout(&sent.logout_token).await? {
        LogoutAnswer::Ended(_) => Ok(StatusCode::OK.into_response()),
        LogoutAnswer::Refused => {
            // Only what is refused counts: a provider may sign out many at once.
            web.slow_down(&caller.network)?;
            web.app.record_refused_logout(&caller.network).await?;
            let said = json!({ "error": "invalid_request" });
            Ok((StatusCode::BAD_REQUEST, axum::Json(said)).into_response())
        }
    }
}
