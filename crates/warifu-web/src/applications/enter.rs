//! From an application's host to this one and back, with a code that only the same browser can use.
//!
//! `/.warifu/start` and `/.warifu/callback` are asked for on the application's host; its proxy hands them
//! to this server.

use super::verify::application;
use crate::lang::{cookie, local};
use crate::network;
use crate::problem::Problem;
use crate::session::SignedIn;
use crate::state::Web;
use axum::extract::{Path, Query, Request, State};
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use serde::Deserialize;
use url::form_urlencoded::byte_serialize;
use warifu_app::sessions::Use;
use warifu_auth::Token;
use warifu_auth::applications::{APPLICATION_COOKIE, Admission, ENTRY_COOKIE};
use warifu_domain::ApplicationId;

/// Seconds in which somebody may sign in on the way.
const PATIENCE: u32 = 600;

fn encoded(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

#[derive(Deserialize)]
pub struct Start {
    #[serde(default)]
    to: String,
}

/// `GET /.warifu/start?to=PATH`: gives the browser a secret, and sends it here with its digest.
pub async fn start(
    State(web): State<Web>,
    Query(asked): Query<Start>,
    request: Request,
) -> Result<Response, Problem> {
    let application = application(&web, request.extensions(), request.headers()).await?;
    let secret = Token::from_random(web.app.random_bytes());
    let digest = Token::from_random(secret.hash());
    let to = format!(
        "{}/applications/{}/enter?browser={}&to={}",
        web.config.origin_text(),
        application.id,
        digest.text(),
        encoded(local(&asked.to)),
    );
    let keep = format!(
        "{ENTRY_COOKIE}={}; Path=/; Max-Age={PATIENCE}; Secure; HttpOnly; SameSite=Lax",
        secret.text()
    );
    Ok((AppendHeaders([(SET_COOKIE, keep)]), Redirect::to(&to)).into_response())
}

#[derive(Deserialize)]
pub struct Enter {
    browser: String,
    #[serde(default)]
    to: String,
}

/// `GET /applications/{id}/enter`: to the application with a code, for whoever may enter.
pub async fn enter(
    State(web): State<Web>,
    me: SignedIn,
    Path(id): Path<ApplicationId>,
    Query(asked): Query<Enter>,
) -> Result<Response, Problem> {
    let browser = Token::parse(&asked.browser).ok_or_else(Problem::not_found)?;
    let way = web.app.enter_application(&me.session, id, &browser, local(&asked.to)).await?;
    match way {
        Ok(way) => {
            let code = way.code.text();
            let to = format!("{}/.warifu/callback?code={code}", way.application.origin);
            Ok(Redirect::to(&to).into_response())
        }
        Err(Admission::Stale) => {
            let to = format!("/sign-in?again=1&next={}", encoded(&me.here));
            Ok(Redirect::to(&to).into_response())
        }
        Err(_) => Err(Problem::new(StatusCode::FORBIDDEN, "forbidden")),
    }
}

#[derive(Deserialize)]
pub struct Callback {
    #[serde(default)]
    code: String,
}

/// `GET /.warifu/callback?code=…`: the cookie of the application's host. A code that does not fit is
/// refused, whatever is wrong with it.
pub async fn callback(
    State(web): State<Web>,
    Query(given): Query<Callback>,
    request: Request,
) -> Result<Response, Problem> {
    let application = application(&web, request.extensions(), request.headers()).await?;
    let network = network::of(request.extensions());
    let by = Use { network: &network, by_hand: true, device: None };
    let browser = cookie(request.headers(), ENTRY_COOKIE).unwrap_or_default();
    let given = (given.code.as_str(), browser);
    let opened = web.app.arrive(&application, given, by, &web.config.sessions).await?;
    let Some((token, path)) = opened else {
        return Err(Problem::new(StatusCode::FORBIDDEN, "forbidden"));
    };
    let set =
        format!("{APPLICATION_COOKIE}={}; Path=/; Secure; HttpOnly; SameSite=Lax", token.text());
    let spent = format!("{ENTRY_COOKIE}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax");
    let cookies = AppendHeaders([(SET_COOKIE, set), (SET_COOKIE, spent)]);
    Ok((cookies, Redirect::to(local(&path))).into_response())
}
