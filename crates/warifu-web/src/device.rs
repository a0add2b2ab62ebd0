//! Sessions bound to a key of the device.
//!
//! `POST /device/register`, `POST /device/refresh`: the browser's own key (W3C Device Bound Session
//! Credentials). `POST /device/nonce`, `POST /device/key`, and [`Demand`]: the key of a page's script,
//! `assets/device.js`, where the browser has none.

use crate::csrf::Json;
use crate::lang::cookie;
use crate::network;
use crate::problem::Problem;
use crate::session::{COOKIE, SignedIn};
use crate::state::Web;
use axum::body::Bytes;
use axum::extract::{MatchedPath, State};
use axum::http::header::SET_COOKIE;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderName, StatusCode};
use axum::response::{AppendHeaders, IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use warifu_app::devices::{Bound, Issued, Offer, Turned};
use warifu_app::sessions::OpenSession;
use warifu_auth::{DEVICE_COOKIE, ProvenRequest, Token, digest};
use warifu_domain::time::SECOND;

pub const REGISTER: &str = "/device/register";
pub const REFRESH: &str = "/device/refresh";
pub const KEY: &str = "/device/key";

const REGISTRATION: HeaderName = HeaderName::from_static("secure-session-registration");
const CHALLENGE: HeaderName = HeaderName::from_static("secure-session-challenge");
const RESPONSE: HeaderName = HeaderName::from_static("secure-session-response");
const SESSION_ID: HeaderName = HeaderName::from_static("sec-secure-session-id");
/// Carries the signature of a script's key; a form has a field `device` instead, as its last.
const PROOF: HeaderName = HeaderName::from_static("warifu-device");

/// The cookie's attributes, as the browser is told them and as it gets them.
const ATTRIBUTES: &str = "Path=/; Secure; HttpOnly; SameSite=Lax";

/// What is good without the short cookie, and never waits for it.
const OUT_OF_SCOPE: [&str; 5] = ["/assets", "/device", "/sign-in", "/signed-out", "/healthz"];

/// What a session bound to a script's key has to sign: routes on which something important is asked
/// for or taken out.
const SIGNED: [&str; 13] = [
    "/step-up/options",
    "/step-up/verify",
    "/account/passkeys/{id}/remove",
    "/account/password",
    "/account/password/codes",
    "/account/password/codes/first",
    "/people/{id}/roles",
    "/runs/{id}/download",
    "/api/v1/passkeys/{id}",
    "/api/v1/password",
    "/api/v1/password/codes",
    "/api/v1/people/{id}/roles",
    "/api/v1/runs/{id}/download",
];

/// A new session's offer to its browser. One without TLS or without this feature does not look at it.
pub fn offered(offer: &Offer) -> AppendHeaders<[(HeaderName, String); 1]> {
    let (challenge, authorization) = (offer.challenge.text(), offer.authorization.text());
    let value = format!(
        "(ES256);path=\"{REGISTER}\";challenge=\"{challenge}\";authorization=\"{authorization}\""
    );
    AppendHeaders([(REGISTRATION, value)])
}

/// Takes the short cookie away.
pub fn no_cookie() -> String {
    format!("{DEVICE_COOKIE}=; Max-Age=0; {ATTRIBUTES}")
}

/// The value of a header that is a string of a structured field (RFC 9651), with its quotes or without.
pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let value = headers.get(name)?.to_str().ok()?.trim();
    let quoted = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
    Some(quoted.unwrap_or(value))
}

fn challenge(challenge: &Token, name: &str) -> (HeaderName, String) {
    (CHALLENGE, format!("\"{}\";id=\"{name}\"", challenge.text()))
}

/// The short cookie, what it covers, and the next challenge.
fn issued(web: &Web, issued: &Issued) -> Response {
    let policy = &web.config.sessions;
    let (life, cookie) = (policy.device_cookie / SECOND, issued.cookie.text());
    let cookie = format!("{DEVICE_COOKIE}={cookie}; Max-Age={life}; {ATTRIBUTES}");
    let host = web.config.origin.host_str().unwrap_or_default();
    let outside = |path: &str| json!({ "type": "exclude", "domain": host, "path": path });
    let instructions = json!({
        "session_identifier": issued.name,
        "refresh_url": REFRESH,
        "scope": {
            "origin": web.config.origin_text(),
            "include_site": false,
            "scope_specification": OUT_OF_SCOPE.map(outside),
        },
        "credentials": [{ "type": "cookie", "name": DEVICE_COOKIE, "attributes": ATTRIBUTES }],
    });
    let headers = AppendHeaders([(SET_COOKIE, cookie), challenge(&issued.challenge, &issued.name)]);
    (headers, axum::Json(instructions)).into_response()
}

/// Nothing but [`Turned::Challenge`] is tried again; a browser forgets its session for the rest.
fn turned(turned: &Turned, name: &str) -> Response {
    let refused = Problem::new(StatusCode::FORBIDDEN, "device-refused");
    match turned {
        Turned::Gone => Problem::new(StatusCode::UNAUTHORIZED, "unauthorized").into_response(),
        Turned::Refused => refused.into_response(),
        Turned::Challenge(token) => {
            (AppendHeaders([challenge(token, name)]), refused).into_response()
        }
    }
}

/// Counts a try of a network. Keys are counted beside sign-ins: each of these brings one.
fn slow_down(web: &Web, network: &str) -> Result<(), Problem> {
    Ok(web.slow_down(&format!("device {network}"))?)
}

/// `POST /device/register`: the browser sends the key that it made for a new session.
pub async fn register(
    State(web): State<Web>,
    extensions: Extensions,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let network = network::of(&extensions);
    slow_down(&web, &network)?;
    let token = cookie(&headers, COOKIE);
    let proof = text(&headers, &RESPONSE);
    let policy = &web.config.sessions;
    Ok(match web.app.register_device(token, proof, &network, policy).await? {
        Ok(next) => issued(&web, &next),
        Err(why) => turned(&why, ""),
    })
}

/// `POST /device/refresh`: the browser fetches the next short cookie. What it says about cookies that
/// it does without (`Secure-Session-Skipped`) is not read, here or anywhere.
pub async fn refresh(
    State(web): State<Web>,
    extensions: Extensions,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let network = network::of(&extensions);
    let Some(id) = text(&headers, &SESSION_ID) else { return Err(Problem::not_found()) };
    let token = cookie(&headers, COOKIE);
    let proof = text(&headers, &RESPONSE);
    let policy = &web.config.sessions;
    Ok(match web.app.refresh_device(id, token, proof, &network, policy).await? {
        Ok(next) => issued(&web, &next),
        Err(why) => turned(&why, id),
    })
}

/// Body of a request that says everything in its headers.
#[derive(Deserialize)]
pub struct Nothing {}

/// `POST /device/nonce`: what the next signature of a script's key has to carry.
pub async fn nonce(
    State(web): State<Web>,
    me: SignedIn,
    _: Json<Nothing>,
) -> Result<Response, Problem> {
    let nonce = web.app.device_nonce(&me.session).await?;
    Ok(axum::Json(json!({ "nonce": nonce.text() })).into_response())
}

/// `POST /device/key`: binds the key of a page's script to a session of which the browser made no key.
pub async fn key(
    State(web): State<Web>,
    me: SignedIn,
    headers: HeaderMap,
    _: Json<Nothing>,
) -> Result<Response, Problem> {
    slow_down(&web, &me.actor().network)?;
    let body = digest(b"{}");
    let url = format!("{}{KEY}", web.config.origin_text());
    let request = ProvenRequest { method: "POST", url: &url, body: &body };
    let (token, proof) = (cookie(&headers, COOKIE), text(&headers, &PROOF));
    let (network, policy) = (&me.actor().network, &web.config.sessions);
    let bound = web.app.register_script_key(token, proof, request, network, policy).await?;
    let bound = bound.ok_or_else(|| Problem::new(StatusCode::CONFLICT, "device-refused"))?;
    Ok(axum::Json(json!({ "bound": bound.key() })).into_response())
}

/// A request that goes on only with the signature of the key that its session is bound to.
pub struct Demand {
    session: Arc<OpenSession>,
    key: Vec<u8>,
    method: String,
    url: String,
    proof: Option<String>,
}

impl Demand {
    /// What a request has to show; `None` where its session has no such key, or where it may go on
    /// without.
    pub fn of(parts: &Parts, web: &Web) -> Option<Demand> {
        let route = parts.extensions.get::<MatchedPath>()?;
        if !SIGNED.contains(&route.as_str()) {
            return None;
        }
        let session = &parts.extensions.get::<SignedIn>()?.session;
        let Bound::Script(key) = &session.bound else { return None };
        Some(Demand {
            session: Arc::clone(session),
            key: key.clone(),
            method: parts.method.to_string(),
            url: format!("{}{}", web.config.origin_text(), parts.uri.path()),
            proof: text(&parts.headers, &PROOF).map(str::to_owned),
        })
    }

    /// # Errors
    /// A refusal, which is in the ledger.
    pub async fn met(&self, web: &Web, body: &[u8]) -> Result<(), Problem> {
        self.check(web, self.proof.as_deref(), body).await
    }

    /// A form carries the signature over the fields before it.
    ///
    /// # Errors
    /// As [`Demand::met`].
    pub async fn met_by_form(&self, web: &Web, body: &Bytes) -> Result<(), Problem> {
        if self.proof.is_some() {
            return self.met(web, body).await;
        }
        const FIELD: &[u8] = b"&device=";
        let at = body.windows(FIELD.len()).rposition(|part| part == FIELD);
        let (before, proof) = at.map_or((&body[..], None), |at| {
            (&body[..at], std::str::from_utf8(&body[at + FIELD.len()..]).ok())
        });
        self.check(web, proof, before).await
    }

    async fn check(&self, web: &Web, proof: Option<&str>, body: &[u8]) -> Result<(), Problem> {
        let body = digest(body);
        let request = ProvenRequest { method: &self.method, url: &self.url, body: &body };
        if web.app.device_signed(&self.session, &self.key, proof, request).await? {
            return Ok(());
        }
        slow_down(web, &self.session.actor.network)?;
        Err(Problem::new(StatusCode::FORBIDDEN, "device-proof-required"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn strings_come_with_quotes_or_without() {
        let mut headers = HeaderMap::new();
        assert_eq!(text(&headers, &SESSION_ID), None);
        for (sent, read) in [("\"a.b\"", "a.b"), ("a.b", "a.b"), ("\"", "\""), ("", "")] {
            headers.insert(SESSION_ID, HeaderValue::from_str(sent).unwrap());
            assert_eq!(text(&headers, &SESSION_ID), Some(read));
        }
    }
}
