//! Sign-in, enrolment and step-up with an X.509 client certificate.
//!
//! Browsers ask their user for a certificate before any page is shown, so only a listener of its own
//! asks for one, at another port of the same host. It has one page, which answers with a code for the
//! main origin ([`warifu_app::certificates`]). The certificate comes from the TLS connection and from
//! nowhere else: no header is read.

use crate::around::around_certificates;
use crate::csrf::Form;
use crate::lang::{self, Visitor};
use crate::page::page as html;
use crate::problem::{self, Problem, wants_json};
use crate::session::{COOKIE, SignedIn, session_cookie};
use crate::sign_in::{Caller, entered};
use crate::state::Web;
use crate::views::certificates::Proven;
use axum::Router;
use axum::extract::{Query, Request, State};
use axum::http::header::{CONNECTION, SET_COOKIE};
use axum::http::{Extensions, HeaderMap, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use axum::routing::get;
use serde::Deserialize;
use serde_json::json;
use std::net::SocketAddr;
use std::sync::Arc;
use tower_http::catch_panic::CatchPanicLayer;
use url::Url;
use warifu_app::certificates::GoOn;
use warifu_auth::{Certificates, Token, Trust};

/// How certificates are asked for.
#[derive(Clone, Debug)]
pub struct CertificateConfig {
    /// Origin of the listener that asks; its host is the main origin's.
    pub origin: Url,
    pub authorities: Arc<Certificates>,
}

impl CertificateConfig {
    /// As browsers write it: no path, no slash.
    pub fn origin_text(&self) -> String {
        self.origin.origin().ascii_serialization()
    }
}

/// The other side of a connection, as listeners put it into a request's extensions: its address, and the
/// certificates that it showed, its own first.
#[derive(Clone, Debug)]
pub struct Peer {
    pub address: SocketAddr,
    pub certificates: Arc<Vec<Vec<u8>>>,
}

/// The listener that asks for certificates. One request for a connection: every one has a handshake of
/// its own, so that a certificate is asked for anew.
pub fn router(web: Web) -> Router {
    Router::new()
        .route("/certificate", get(present))
        .fallback(|| async { Problem::not_found() })
        .layer(CatchPanicLayer::custom(problem::panicked))
        .layer(from_fn_with_state(web.clone(), around_certificates))
        .layer(from_fn(one_request))
        .with_state(web)
}

async fn one_request(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

fn shown(extensions: &Extensions) -> Arc<Vec<Vec<u8>>> {
    extensions.get::<Peer>().map(|p| p.certificates.clone()).unwrap_or_default()
}

/// Whatever is wrong, the answer is the same.
fn refused() -> Problem {
    Problem::new(StatusCode::FORBIDDEN, "sign-in-refused")
}

fn configured(web: &Web) -> Result<&CertificateConfig, Problem> {
    web.config.certificates.as_ref().ok_or_else(Problem::not_found)
}

/// Where the browser shows its certificate.
fn listener(web: &Web, ceremony: &Token) -> Result<String, Problem> {
    let origin = configured(web)?.origin_text();
    Ok(format!("{origin}/certificate?ceremony={}", ceremony.text()))
}

#[derive(Deserialize)]
pub struct Ceremony {
    #[serde(default)]
    ceremony: String,
}

/// The authorities and revocation lists as they are now.
async fn trust(web: &Web) -> Result<Arc<Trust>, Problem> {
    let authorities = configured(web)?.authorities.clone();
    let read = tokio::task::spawn_blocking(move || authorities.trust()).await;
    let (trust, trouble) = read.map_err(|e| Problem::internal(e.to_string()))?;
    if let Some(error) = trouble {
        tracing::error!(%error, "authorities and revocation lists of before stay in use");
    }
    Ok(trust)
}

/// `GET /certificate` of the listener: judges what the connection showed.
async fn present(
    State(web): State<Web>,
    caller: Caller,
    Query(asked): Query<Ceremony>,
    request: Request,
) -> Result<Response, Problem> {
    web.slow_down(&caller.network)?;
    let trust = trust(&web).await?;
    let chain = shown(request.extensions());
    let judged =
        web.app.present_certificate(&trust, &asked.ceremony, &chain, caller.from()).await?;
    let main = web.config.origin_text();
    let json = wants_json(request.uri().path(), request.headers());
    let Some((go_on, code)) = judged else {
        return match json {
            true => Err(refused()),
            // The main origin has the page that says so.
            false => Ok(Redirect::to(&format!("{main}/sign-in?why=certificate")).into_response()),
        };
    };
    let path = match go_on {
        GoOn::SignIn => "/sign-in/certificate",
        GoOn::Enrol => "/enrol/certificate",
        GoOn::StepUp => "/step-up/certificate",
    };
    Ok(Redirect::to(&format!("{main}{path}?code={}", code.text())).into_response())
}

#[derive(Deserialize)]
pub struct SignIn {
    #[serde(default)]
    next: String,
}

/// `POST /sign-in/certificate`: on to the listener.
pub async fn sign_in(
    State(web): State<Web>,
    caller: Caller,
    form: Form<SignIn>,
) -> Result<Response, Problem> {
    configured(&web)?;
    web.slow_down(&caller.network)?;
    let ceremony =
        web.app.begin_certificate_sign_in(lang::local(&form.next), caller.from()).await?;
    Ok(Redirect::to(&listener(&web, &ceremony)?).into_response())
}

#[derive(Deserialize)]
pub struct Code {
    #[serde(default)]
    code: String,
}

/// `GET /sign-in/certificate?code=…`: a new session under a new token.
pub async fn signed_in(
    State(web): State<Web>,
    caller: Caller,
    headers: HeaderMap,
    Query(code): Query<Code>,
) -> Result<Response, Problem> {
    web.slow_down(&caller.network)?;
    let trust = trust(&web).await?;
    let old = lang::cookie(&headers, COOKIE);
    let (from, policy) = (caller.from(), &web.config.sessions);
    let finished =
        web.app.finish_certificate_sign_in(&trust, &code.code, from, old, policy).await?;
    let Some((opened, next)) = finished else {
        return match wants_json("/", &headers) {
            true => Err(refused()),
            false => Ok(Redirect::to("/sign-in?why=certificate").into_response()),
        };
    };
    Ok(entered(&opened, lang::local(&next)))
}

#[derive(Deserialize)]
pub struct Enrol {
    #[serde(default)]
    name: String,
    invitation: Option<String>,
    /// The proof of a step-up, for a further factor.
    step_up: Option<String>,
}

/// `POST /enrol/certificate`: on to the listener.
pub async fn enrol(
    State(web): State<Web>,
    me: Option<SignedIn>,
    caller: Caller,
    form: Form<Enrol>,
) -> Result<Response, Problem> {
    configured(&web)?;
    web.slow_down(&caller.network)?;
    let Enrol { name, invitation, step_up } = form.0;
    let ceremony = match (invitation, me) {
        (Some(invitation), _) => {
            web.app.begin_certificate_invited(&invitation, &name, caller.from()).await?
        }
        (None, Some(me)) => {
            let proof = step_up.as_deref();
            web.app.begin_certificate_further(me.actor(), &name, proof, caller.from()).await?
        }
        (None, None) => return Err(Problem::new(StatusCode::UNAUTHORIZED, "unauthorized")),
    };
    Ok(Redirect::to(&listener(&web, &ceremony)?).into_response())
}

/// `GET /enrol/certificate?code=…`: the certificate is registered.
pub async fn enrolled(
    State(web): State<Web>,
    me: Option<SignedIn>,
    caller: Caller,
    Query(code): Query<Code>,
) -> Result<Response, Problem> {
    web.slow_down(&caller.network)?;
    let trust = trust(&web).await?;
    let (actor, from) = (me.as_ref().map(SignedIn::actor), caller.from());
    let invited = web.app.finish_certificate_enrolment(&trust, &code.code, actor, from).await?;
    Ok(Redirect::to(if invited { "/sign-in" } else { "/account/passkeys" }).into_response())
}

/// Where a step-up with a certificate begins, for a session that one opened.
pub async fn step_up_at(
    web: &Web,
    me: &SignedIn,
    what: &warifu_domain::protected::Protected,
    caller: &Caller,
) -> Result<Response, Problem> {
    let ceremony = web.app.begin_certificate_step_up(&me.session, what, caller.from()).await?;
    Ok(axum::Json(json!({ "certificate": listener(web, &ceremony)? })).into_response())
}

/// `GET /step-up/certificate?code=…`: the proof, for the page that asked (`assets/passkeys.js`).
pub async fn stepped_up(
    State(web): State<Web>,
    me: SignedIn,
    visitor: Visitor,
    caller: Caller,
    headers: HeaderMap,
    Query(code): Query<Code>,
) -> Result<Response, Problem> {
    web.slow_down(&caller.network)?;
    let trust = trust(&web).await?;
    let (code, from) = (&code.code, caller.from());
    let passed = web.app.finish_certificate_step_up(&trust, code, &me.session, from).await?;
    let Some(passed) = passed else {
        return Err(Problem::new(StatusCode::FORBIDDEN, "step-up-refused"));
    };
    let cookie = AppendHeaders([(SET_COOKIE, session_cookie(&passed.session))]);
    let proof = passed.proof.text();
    Ok(match wants_json("/", &headers) {
        true => (cookie, axum::Json(json!({ "step_up": proof }))).into_response(),
        false => (cookie, html(Proven { shell: visitor.shell(), proof })?).into_response(),
    })
}
