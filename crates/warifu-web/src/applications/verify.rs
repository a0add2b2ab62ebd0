//! `GET /auth/verify`: what a reverse proxy asks before every request to an application (nginx
//! `auth_request`, Caddy `forward_auth`, Traefik `forwardAuth`).
//!
//! 204 with the person in `Remote-…` headers; 401 with the address of sign-in in `Location`; 403 for
//! somebody who may not enter, or a proxy that is not declared. `?answer=redirect`, for proxies that
//! hand the answer on as it is: 302 instead of 401 where a person looks at a page.

use crate::lang::{cookie, local};
use crate::network::{self, Proxied};
use crate::problem::Problem;
use crate::state::Web;
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT, LOCATION};
use axum::http::{Extensions, HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use url::form_urlencoded::byte_serialize;
use warifu_app::AppError;
use warifu_app::applications::enter::{Turned, Visitor};
use warifu_app::sessions::Use;
use warifu_auth::applications::{APPLICATION_COOKIE, forwarded_origin, header_text};
use warifu_domain::access::Role;
use warifu_domain::time::SECOND;

/// The one value of a header. Two are one too many: somebody in front of the proxy may have written one.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// The origin of the application that a request is for, as a declared proxy names it.
pub fn origin(extensions: &Extensions, headers: &HeaderMap) -> Option<String> {
    if extensions.get::<Proxied>() != Some(&Proxied(true)) {
        return None;
    }
    let (scheme, host) = (only(headers, "x-forwarded-proto")?, only(headers, "x-forwarded-host")?);
    forwarded_origin(scheme, host)
}

/// Only what the person themselves did counts as use: a page that loads things or polls sends no
/// `Sec-Fetch-User`, and browsers let no script set it.
fn by_hand(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-user").is_some_and(|value| value == "?1")
}

/// Whether somebody would see where a redirect leads.
fn looked_at(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let method = only(headers, "x-forwarded-method").unwrap_or("GET");
    let shown = match text("sec-fetch-mode") {
        "" => text(ACCEPT.as_str()).contains("text/html"),
        mode => mode == "navigate",
    };
    method == "GET" && shown
}

pub async fn verify(State(web): State<Web>, request: Request) -> Result<Response, Problem> {
    let (headers, extensions) = (request.headers(), request.extensions());
    let Some(origin) = origin(extensions, headers) else { return Err(undeclared()) };
    let network = network::of(extensions);
    let by = Use { network: &network, by_hand: by_hand(headers), device: None };
    let token = cookie(headers, APPLICATION_COOKIE).unwrap_or_default();
    match web.app.visitor(&origin, token, by, &web.config.sessions).await? {
        Ok(visitor) => Ok((StatusCode::NO_CONTENT, identity(&visitor)).into_response()),
        Err(Turned::Forbidden) => Err(Problem::new(StatusCode::FORBIDDEN, "forbidden")),
        Err(Turned::SignIn) => {
            if web.app.application_at(&origin).await?.is_none() {
                return Err(undeclared());
            }
            let redirect = request.uri().query() == Some("answer=redirect");
            Ok(sign_in(&origin, headers, redirect))
        }
    }
}

/// A proxy or an application that nobody declared: nothing is said about who asks.
fn undeclared() -> Problem {
    let cause = "no declared proxy and application: see docs/applications/README.md";
    let problem = Problem::new(StatusCode::FORBIDDEN, "forbidden");
    tracing::warn!(cause, "a verification was refused");
    Problem { cause: cause.into(), ..problem }
}

/// To sign-in by way of the application's own host, which is a declared one.
fn sign_in(origin: &str, headers: &HeaderMap, redirect: bool) -> Response {
    let looked_at = looked_at(headers);
    let mut to = format!("{origin}/.warifu/start?to=");
    let path = only(headers, "x-forwarded-uri").unwrap_or("/");
    to.extend(byte_serialize(local(path).as_bytes()));
    let status = match redirect && looked_at {
        true => StatusCode::FOUND,
        false => StatusCode::UNAUTHORIZED,
    };
    // A body of its own: the page of a problem would be shown on the application's host.
    let kind = [("content-type", "application/json")];
    let mut response = (status, kind, "{}").into_response();
    if looked_at && let Ok(to) = HeaderValue::from_str(&to) {
        response.headers_mut().insert(LOCATION, to);
    }
    response
}

/// Who it is, as the application is told. Every header is there, also an empty one, so that none of the
/// client's own stays.
fn identity(visitor: &Visitor) -> [(&'static str, String); 6] {
    let s = &visitor.standing;
    let holder = &s.holder;
    let roles: Vec<&str> = holder.roles.iter().map(Role::key).collect();
    [
        ("remote-user", holder.person.to_string()),
        ("remote-email", header_text(&holder.email)),
        ("remote-name", header_text(&holder.name)),
        ("remote-groups", roles.join(",")),
        ("remote-acr", visitor.acr.key().to_owned()),
        ("remote-auth-time", (s.proved_at.0 / SECOND).to_string()),
    ]
}

/// The application that a request through a declared proxy is for.
///
/// # Errors
/// Not found: nobody declared it.
pub async fn application(
    web: &Web,
    extensions: &Extensions,
    headers: &HeaderMap,
) -> Result<warifu_app::applications::Application, Problem> {
    let origin = origin(extensions, headers).ok_or_else(Problem::not_found)?;
    let found = web.app.application_at(&origin).await?;
    Ok(found.ok_or(AppError::NotFound("application"))?)
}
