//! Sign-in with a passkey, and where it leads. `assets/passkeys.js` is the other side.

pub mod enrol;
pub mod out;
pub mod password;
pub mod provider;

use crate::csrf::{self, Json};
use crate::device;
use crate::lang::{self, Visitor, local};
use crate::network;
use crate::page::page as html;
use crate::problem::Problem;
use crate::session::{COOKIE, SignedIn, home, session_cookie};
use crate::state::Web;
use crate::views::sign_in::{ProviderWay, SignIn, SignInProblem, SignInTrouble};
use axum::extract::{FromRequestParts, Query, State};
use axum::http::header::{SET_COOKIE, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use std::convert::Infallible;
use url::form_urlencoded::byte_serialize;
use warifu_app::sign_in::{Asked, From, Opened};
use warifu_domain::ProviderId;
use warifu_domain::time::SECOND;

/// Where a request comes from, as the ceremonies want to know it.
pub struct Caller {
    pub network: String,
    pub agent: String,
    /// The secret that this browser's forms carry.
    pub browser: String,
}

impl Caller {
    pub fn from(&self) -> From<'_> {
        From { network: &self.network, agent: &self.agent, browser: &self.browser }
    }
}

impl FromRequestParts<Web> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Web) -> Result<Self, Infallible> {
        let agent = parts.headers.get(USER_AGENT).and_then(|v| v.to_str().ok());
        let agent = agent.unwrap_or_default().to_owned();
        let network = network::of(&parts.extensions);
        // No browser without this cookie gets past the check of its forms.
        let browser = csrf::visit(&parts.headers).map(|v| csrf::of_visit(&v)).unwrap_or_default();
        Ok(Caller { network, agent, browser })
    }
}

/// `GET /`: to where the person begins.
pub async fn start(signed_in: SignedIn) -> Redirect {
    Redirect::to(home(signed_in.actor().roles))
}

/// Query of `GET /sign-in`.
#[derive(Deserialize)]
pub struct Asking {
    #[serde(default)]
    next: String,
    #[serde(default)]
    why: String,
    /// Not empty: whoever is signed in proves once more who they are.
    #[serde(default)]
    again: String,
}

/// `GET /sign-in`. Who is signed in already goes on.
pub async fn page(
    State(web): State<Web>,
    signed_in: Option<SignedIn>,
    visitor: Visitor,
    caller: Caller,
    Query(asking): Query<Asking>,
) -> Result<Response, Problem> {
    let next = local(&asking.next);
    if let Some(signed_in) = signed_in.filter(|_| asking.again.is_empty()) {
        let to = if next == "/" { home(signed_in.actor().roles) } else { next };
        return Ok(Redirect::to(to).into_response());
    }
    let policy = &web.config.sessions;
    let lang = visitor.taste.lang;
    let span = |micros: i64| lang.span(micros / SECOND);
    let trouble = match asking.why.as_str() {
        "idle" => Some((SignInTrouble::Idle, span(policy.idle))),
        "over" => Some((SignInTrouble::Over, span(policy.lifetime))),
        "moved" => Some((SignInTrouble::Moved, caller.network.clone())),
        "certificate" => Some((SignInTrouble::Certificate, String::new())),
        "ended" => Some((SignInTrouble::Ended, String::new())),
        "device" => Some((SignInTrouble::Device, String::new())),
        "provider-refused" => Some((SignInTrouble::ProviderRefused, String::new())),
        "provider-down" => Some((SignInTrouble::ProviderDown, String::new())),
        _ => None,
    };
    let problem =
        trouble.map(|(kind, detail)| SignInProblem { kind, detail, ..SignInProblem::default() });
    let view = SignIn {
        shell: visitor.shell(),
        certificates: web.config.certificates.is_some(),
        problem,
        next: next.to_owned(),
        lifetime: policy.lifetime / SECOND,
        idle: policy.idle / SECOND,
        network: caller.network,
        password: match web.app.passwords_somewhere().await? {
            true => format!(
                "/sign-in/password?next={}",
                byte_serialize(next.as_bytes()).collect::<String>()
            ),
            false => String::new(),
        },
        providers: ways(web.app.providers_for(None).await?, |id| {
            let next: String = byte_serialize(next.as_bytes()).collect();
            format!("/sign-in/oidc/{id}?next={next}")
        }),
    };
    Ok(visitor.welcome(html(view)?))
}

/// A button for each provider.
pub(crate) fn ways(
    providers: Vec<(ProviderId, String)>,
    href: impl Fn(ProviderId) -> String,
) -> Vec<ProviderWay> {
    providers.into_iter().map(|(id, name)| ProviderWay { href: href(id), name }).collect()
}

/// Body of the first step; nobody is named.
#[derive(Deserialize)]
pub struct Nothing {}

pub(crate) fn answer(asked: Asked) -> Response {
    let body = json!({ "publicKey": asked.public_key, "ceremony": asked.ceremony.text() });
    axum::Json(body).into_response()
}

/// `POST /sign-in/options`
pub async fn options(
    State(web): State<Web>,
    caller: Caller,
    _: Json<Nothing>,
) -> Result<Response, Problem> {
    web.slow_down(&caller.network)?;
    Ok(answer(web.app.begin_sign_in(&web.passkeys, caller.from()).await?))
}

/// A new session for a browser, on its way to where it was going: a path of this site, as [`local`] gives
/// it; `/` is where its person begins.
pub fn entered(opened: &Opened, next: &str) -> Response {
    let to = if next == "/" { home(opened.roles) } else { next };
    let cookie = AppendHeaders([(SET_COOKIE, session_cookie(&opened.token))]);
    (cookie, opened.device.as_ref().map(device::offered), Redirect::to(to)).into_response()
}

/// Body of the second step.
#[derive(Deserialize)]
pub struct Verify {
    ceremony: String,
    credential: Value,
}

/// `POST /sign-in/verify`: a new session under a new token. Whatever is wrong, the answer is the
/// same.
pub async fn verify(
    State(web): State<Web>,
    caller: Caller,
    headers: HeaderMap,
    Json(body): Json<Verify>,
) -> Result<Response, Problem> {
    web.slow_down(&caller.network)?;
    let old = lang::cookie(&headers, COOKIE);
    let opened = web
        .app
        .finish_sign_in(
            &web.passkeys,
            &body.ceremony,
            body.credential,
            caller.from(),
            old,
            &web.config.sessions,
        )
        .await?;
    let Some(opened) = opened else {
        return Err(Problem::new(StatusCode::FORBIDDEN, "sign-in-refused"));
    };
    let cookie = session_cookie(&opened.token);
    let headers = AppendHeaders([(SET_COOKIE, cookie)]);
    // Where to go on is the page's to say (`data-next`).
    let offered = opened.device.as_ref().map(device::offered);
    Ok((StatusCode::NO_CONTENT, headers, offered, ()).into_response())
}
