//! `GET /auth/verify`: what a reverse proxy asks before every request to an application (nginx
//! `auth_request`, Caddy `forward_auth`, Traefik `forwardAuth`).
//!
//! 204 with the person in `Remote-…` headers; 401 with the address of sign-in in `Location`; 403 for
//! somebody who may not enter, or a proxy that is not declared. `?answer=redirect`, for proxies that
//! hand the answer on as it is: 302 instead of 401 where a person looks at a page. `?tell=user,groups`, for
//! applications that need not know more: these of the six headers, and no others.

use crate::around::Asked;
use crate::lang::{cookie, local};
use crate::network::{self, Proxied};
use crate::problem::{self, Problem};
use crate::router::PATIENCE;
use crate::state::Web;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT, CACHE_CONTROL, HeaderName, InvalidHeaderValue, LOCATION};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use url::form_urlencoded::{byte_serialize, parse};
use warifu_app::AppError;
use warifu_app::applications::enter::{Turned, Visitor};
use warifu_app::sessions::Use;
use warifu_auth::applications::{APPLICATION_COOKIE, Place, header_text};
use warifu_domain::access::Role;
use warifu_domain::refusal;
use warifu_domain::time::SECOND;

/// Where it is asked.
pub const PATH: &str = "/auth/verify";

static PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
static HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
static ASKED: HeaderName = HeaderName::from_static("x-forwarded-uri");
static METHOD: HeaderName = HeaderName::from_static("x-forwarded-method");
static USER: HeaderName = HeaderName::from_static("sec-fetch-user");

/// The headers about whoever may go on; `tell` names them by what follows `remote-`.
static ABOUT: [HeaderName; 6] = [
    HeaderName::from_static("remote-user"),
    HeaderName::from_static("remote-email"),
    HeaderName::from_static("remote-name"),
    HeaderName::from_static("remote-groups"),
    HeaderName::from_static("remote-acr"),
    HeaderName::from_static("remote-auth-time"),
];

/// How a proxy wants to be answered, as its query says.
struct Wish {
    redirect: bool,
    /// Which of [`ABOUT`], a bit for each.
    tell: u8,
}

const EVERYTHING: u8 = (1 << ABOUT.len()) - 1;

impl Wish {
    /// `None` where it asks to be told what there is not.
    fn of(uri: &Uri) -> Option<Wish> {
        let mut wish = Wish { redirect: false, tell: EVERYTHING };
        for (name, value) in parse(uri.query().unwrap_or_default().as_bytes()) {
            match &*name {
                "answer" => wish.redirect = value == "redirect",
                "tell" => {
                    wish.tell = value.split(',').try_fold(0, |tell, word| {
                        let is = |header: &HeaderName| {
                            header.as_str().strip_prefix("remote-") == Some(word.trim())
                        };
                        Some(tell | 1 << ABOUT.iter().position(is)?)
                    })?
                }
                _ => {}
            }
        }
        Some(wish)
    }
}

/// The one value of a header. Two are one too many: somebody in front of the proxy may have written one.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// The application that a request is for, as a declared proxy names it.
fn place(proxied: bool, headers: &HeaderMap) -> Option<Place<'_>> {
    if !proxied {
        return None;
    }
    Some(Place { scheme: only(headers, &PROTO)?, host: only(headers, &HOST)? })
}

/// Only what the person themselves did counts as use: a page that loads things or polls sends no
/// `Sec-Fetch-User`, and browsers let no script set it.
fn by_hand(headers: &HeaderMap) -> bool {
    headers.get(&USER).is_some_and(|value| value == "?1")
}

/// Whether somebody would see where a redirect leads.
fn looked_at(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let method = only(headers, &METHOD).unwrap_or("GET");
    let shown = match text("sec-fetch-mode") {
        "" => text(ACCEPT.as_str()).contains("text/html"),
        mode => mode == "navigate",
    };
    method == "GET" && shown
}

/// Nearly every answer is that somebody may go on, and nobody but the proxy reads it: it has none of the
/// headers of pages.
pub async fn verify(State(web): State<Web>, request: Request) -> Response {
    let (Parts { method, uri, headers, extensions, .. }, _) = request.into_parts();
    let admitted = admitted(&web, &headers, network::peer(&extensions), &uri);
    let admitted = AssertUnwindSafe(tokio::time::timeout(PATIENCE, admitted)).catch_unwind();
    let turned = match admitted.await {
        Ok(Ok(Ok(identity))) => return yes(identity),
        Ok(Ok(Err(turned))) => turned,
        Ok(Err(_)) => Problem::given_up().into_response(),
        Err(panic) => problem::panicked(panic),
    };
    let asked = Asked::of(&method, &uri, &headers);
    Box::pin(asked.answer(&web, turned)).await
}

/// The same for whoever was asked about a moment ago; `None` for everybody else, and for everything that is
/// not a plain yes.
pub fn at_once(web: &Web, uri: &Uri, headers: &HeaderMap, peer: IpAddr) -> Option<Response> {
    let wish = Wish::of(uri)?;
    let from = network::origin(web, headers, peer).ok()?;
    let place = place(from.proxied, headers)?;
    let network = from.network.to_string();
    let by = Use { network: &network, by_hand: by_hand(headers), device: None };
    let token = cookie(headers, APPLICATION_COOKIE)?;
    let visitor = web.app.visitor_lately(place, token, by, &web.config.sessions)?;
    identity(&visitor, wish.tell).ok().map(yes)
}

fn yes(identity: HeaderMap) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    *response.headers_mut() = identity;
    response
}

/// Asked in any other way.
pub async fn not_this_way(State(web): State<Web>, request: Request) -> Response {
    let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed");
    Asked::of(request.method(), request.uri(), request.headers()).answer(&web, problem).await
}

/// The headers about whoever may go on, or the answer to whoever may not.
async fn admitted(
    web: &Web,
    headers: &HeaderMap,
    peer: IpAddr,
    uri: &Uri,
) -> Result<HeaderMap, Response> {
    let wish = Wish::of(uri).ok_or_else(|| unknown_header().into_response())?;
    let from = network::origin(web, headers, peer);
    let from = from.map_err(IntoResponse::into_response)?;
    let place = place(from.proxied, headers).ok_or_else(|| undeclared().into_response())?;
    let network = from.network.to_string();
    let by = Use { network: &network, by_hand: by_hand(headers), device: None };
    let token = cookie(headers, APPLICATION_COOKIE).unwrap_or_default();
    match web.app.visitor(place, token, by, &web.config.sessions).await {
        Ok(Ok(visitor)) => {
            let headers = identity(&visitor, wish.tell);
            headers.map_err(|e| Problem::internal(e.to_string()).into_response())
        }
        Ok(Err(Turned::Forbidden)) => {
            Err(Problem::new(StatusCode::FORBIDDEN, "forbidden").into_response())
        }
        Ok(Err(Turned::SignIn)) => {
            Err(Box::pin(sign_in(web, place, headers, wish.redirect)).await.into_response())
        }
        Err(e) => Err(Problem::from(e).into_response()),
    }
}

/// The proxy's configuration asks for a header that there is not.
fn unknown_header() -> Problem {
    Problem::invalid(
        "tell",
        refusal!(
            "tell",
            "the proxy asks to be told what there is not: tell= names user, email, name, groups, acr and auth-time, with commas between them"
        ),
    )
}

/// A proxy or an application that nobody declared: nothing is said about who asks.
fn undeclared() -> Problem {
    let cause = "no declared proxy and application: see docs/applications/README.md";
    let problem = Problem::new(StatusCode::FORBIDDEN, "forbidden");
    tracing::warn!(cause, "a verification was refused");
    Problem { cause: cause.into(), ..problem }
}

/// To sign-in by way of the application's own host, which is a declared one.
async fn sign_in(
    web: &Web,
    place: Place<'_>,
    headers: &HeaderMap,
    redirect: bool,
) -> Result<Response, Problem> {
    let origin = place.origin().ok_or_else(undeclared)?;
    if web.app.application_at(&origin).await?.is_none() {
        return Err(undeclared());
    }
    let looked_at = looked_at(headers);
    let mut to = format!("{origin}/.warifu/start?to=");
    let path = only(headers, &ASKED).unwrap_or("/");
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
    Ok(response)
}

/// Who it is, as far as the application is told. Of what is asked for every header is there, also an empty one, so
/// that none of the client's own stays.
fn identity(visitor: &Visitor, tell: u8) -> Result<HeaderMap, InvalidHeaderValue> {
    let kept = &visitor.standing.headers;
    let made;
    let all = match kept.get::<HeaderMap>() {
        Some(all) => all,
        None => {
            made = about(visitor)?;
            kept.keep(made.clone());
            &made
        }
    };
    if tell == EVERYTHING {
        return Ok(all.clone());
    }
    let mut headers = HeaderMap::with_capacity(8);
    let asked = ABOUT.iter().enumerate().filter(|(n, _)| tell & 1 << n != 0);
    for name in asked.map(|(_, name)| name).chain([&CACHE_CONTROL]) {
        if let Some(value) = all.get(name) {
            headers.insert(name, value.clone());
        }
    }
    Ok(headers)
}

/// All that an application can be told.
fn about(visitor: &Visitor) -> Result<HeaderMap, InvalidHeaderValue> {
    let s = &visitor.standing;
    let holder = &s.holder;
    let roles: Vec<&str> = holder.roles.iter().map(Role::key).collect();
    let values = [
        holder.person.to_string(),
        header_text(&holder.email),
        header_text(&holder.name),
        roles.join(","),
        visitor.acr.key().to_owned(),
        (s.proved_at.0 / SECOND).to_string(),
    ];
    let mut headers = HeaderMap::with_capacity(8);
    for (name, value) in ABOUT.iter().zip(values) {
        headers.insert(name, value.try_into()?);
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(headers)
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
    let proxied = extensions.get::<Proxied>() == Some(&Proxied(true));
    let place = place(proxied, headers).and_then(|place| place.origin());
    let origin = place.ok_or_else(Problem::not_found)?;
    let found = web.app.application_at(&origin).await?;
    Ok(found.ok_or(AppError::NotFound("application"))?)
}
