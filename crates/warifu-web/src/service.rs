//! Programs: the token endpoint, and requests with an access token and a DPoP proof (RFC 9449).
//!
//! A token works in the API only, where [`scope_of`] names a scope, and carries no cookie: the check
//! against other sites' forms does not apply to it. A request that shows a token is the program's,
//! whatever cookie comes with it.

use crate::network::{self, Client};
use crate::problem::Problem;
use crate::state::Web;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, MatchedPath, State};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use std::net::{IpAddr, Ipv4Addr};
use warifu_app::services::{Place, ServiceRefusal, Target};
use warifu_app::sessions::OpenSession;
use warifu_auth::Network;
use warifu_domain::services::Scope;

/// Scheme of the header.
const SCHEME: &str = "dpop";
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// The token endpoint; with the origin in front it is the audience of assertions.
pub const ENDPOINT: &str = "/oauth/token";

/// The scope that an endpoint of the API asks for. What is not listed is not for programs.
fn scope_of(method: &Method, route: &str) -> Option<Scope> {
    let route = route.strip_prefix("/api/v1/")?;
    let first = route.split('/').next().unwrap_or_default();
    let reads = method == Method::GET;
    match (first, route) {
        (_, "people/{id}/sessions" | "people/{id}/sessions/{session}" | "people/{id}/roles") => {
            None
        }
        // It has no key to read on with.
        (_, "people/read-on") => None,
        // A program lets nobody in or out.
        (_, "people/{id}/way-in" | "people/{id}/invitation" | "people/{id}/standing") => None,
        (_, "events" | "cases/{id}/events") => None,
        ("cases" | "attachments" | "views" | "assignees", _) => Some(Scope::Cases),
        ("people" | "organizations", _) if reads => Some(Scope::ReadPeople),
        ("people" | "organizations", _) => Some(Scope::ChangePeople),
        ("search", _) => Some(Scope::Search),
        ("reports" | "runs", _) => Some(Scope::Reports),
        ("definitions", _) if reads => Some(Scope::Reports),
        ("ledger", _) if reads => Some(Scope::ReadLedger),
        _ => None,
    }
}

/// The token of a request that shows one; an empty one where there is only the scheme.
pub(crate) fn token_of(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    scheme.eq_ignore_ascii_case(SCHEME).then(|| token.trim())
}

/// Whether a request shows an access token.
pub fn is_program(headers: &HeaderMap) -> bool {
    token_of(headers).is_some()
}

/// The one proof of a request; none where there are several.
pub(crate) fn proof_of(headers: &HeaderMap) -> &str {
    let mut all = headers.get_all("dpop").iter();
    match (all.next(), all.next()) {
        (Some(one), None) => one.to_str().unwrap_or_default(),
        _ => "",
    }
}

struct Here {
    network: String,
    address: IpAddr,
    system: Option<u32>,
}

impl Here {
    fn of(extensions: &Extensions) -> Here {
        let address = extensions.get::<Client>().map(|c| c.0);
        Here {
            network: network::of(extensions),
            address: address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            system: extensions.get::<Network>().and_then(|n| n.asn),
        }
    }

    fn place(&self) -> Place<'_> {
        Place { network: &self.network, address: self.address, system: self.system }
    }
}

/// Status, name of the problem, and OAuth's own word for it.
fn words(refusal: ServiceRefusal) -> (StatusCode, &'static str, &'static str) {
    match refusal {
        ServiceRefusal::Client => (StatusCode::UNAUTHORIZED, "service-client", "invalid_client"),
        ServiceRefusal::Token => (StatusCode::UNAUTHORIZED, "service-token", "invalid_token"),
        ServiceRefusal::Proof => (StatusCode::UNAUTHORIZED, "service-proof", "invalid_dpop_proof"),
        ServiceRefusal::Scope => (StatusCode::FORBIDDEN, "service-scope", "insufficient_scope"),
        ServiceRefusal::Network => (StatusCode::FORBIDDEN, "service-network", "access_denied"),
        ServiceRefusal::Pages => (StatusCode::FORBIDDEN, "service-pages", "access_denied"),
    }
}

/// The program behind a request that shows a token.
///
/// # Errors
/// A problem with one of the stable names; also when the database fails.
pub async fn session(parts: &Parts, web: &Web) -> Result<OpenSession, Problem> {
    let token = token_of(&parts.headers).unwrap_or_default();
    let path = parts.uri.path();
    let route = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let target = match path.starts_with("/api/v1/") {
        true => Target::Api(scope_of(&parts.method, route)),
        false => Target::Page,
    };
    let here = Here::of(&parts.extensions);
    let url = format!("{}{path}", web.config.origin_text());
    let request = (parts.method.as_str(), url.as_str());
    let proof = proof_of(&parts.headers);
    let found = web.app.service_session(token, proof, request, target, here.place()).await?;
    found.map_err(|refusal| {
        let (status, name, _) = words(refusal);
        Problem::new(status, name)
    })
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Asked {
    grant_type: String,
    client_assertion_type: String,
    client_assertion: String,
    scope: String,
}

/// RFC 6749 §5.2, with the stable name of the problem beside OAuth's word.
fn refused(status: StatusCode, name: &str, error: &str) -> Response {
    let body = json!({
        "error": error, "type": format!("/problems/{name}"), "status": status.as_u16(),
    });
    (status, [(CACHE_CONTROL, "no-store")], axum::Json(body)).into_response()
}

/// `POST /oauth/token`: `client_credentials` with an assertion by private key (RFC 7523) and a DPoP
/// proof (RFC 9449).
pub async fn token(
    State(web): State<Web>,
    headers: HeaderMap,
    extensions: Extensions,
    form: Result<Form<Asked>, FormRejection>,
) -> Result<Response, Problem> {
    let here = Here::of(&extensions);
    // A neighbour's flood keeps nobody out: what is right goes through, and only the others wait.
    let slowed = web.slow_down(&here.network);
    let Ok(Form(asked)) = form else {
        slowed?;
        return Ok(refused(StatusCode::BAD_REQUEST, "service-request", "invalid_request"));
    };
    if asked.grant_type != "client_credentials" {
        slowed?;
        let error = "unsupported_grant_type";
        return Ok(refused(StatusCode::BAD_REQUEST, "service-request", error));
    }
    if asked.client_assertion_type != ASSERTION_TYPE {
        slowed?;
        return Ok(refused(StatusCode::UNAUTHORIZED, "service-client", "invalid_client"));
    }
    let endpoint = format!("{}{ENDPOINT}", web.config.origin_text());
    let (assertion, proof) = (&asked.client_assertion, proof_of(&headers));
    let issued = web.app.service_token(assertion, proof, &asked.scope, &endpoint, here.place());
    let issued = match issued.await? {
        Ok(issued) => issued,
        Err(refusal) => {
            slowed?;
            let (status, name, error) = words(refusal);
            let error = if refusal == ServiceRefusal::Scope { "invalid_scope" } else { error };
            return Ok(refused(status, name, error));
        }
    };
    let body = json!({
        "access_token": issued.token.text(), "token_type": "DPoP", "expires_in": issued.left,
        "scope": issued.scopes.text(),
    });
    Ok(([(CACHE_CONTROL, "no-store")], axum::Json(body)).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_of_the_api_says_whether_it_is_for_programs() {
        let of = |method: Method, route: &str| scope_of(&method, &format!("/api/v1/{route}"));
        assert_eq!(of(Method::GET, "cases/{id}"), Some(Scope::Cases));
        assert_eq!(of(Method::PUT, "people/{id}"), Some(Scope::ChangePeople));
        assert_eq!(of(Method::GET, "people/{id}"), Some(Scope::ReadPeople));
        for (method, route) in [
            (Method::PUT, "people/{id}/roles"),
            (Method::GET, "people/{id}/way-in"),
            (Method::POST, "people/{id}/invitation"),
            (Method::PUT, "people/{id}/standing"),
            (Method::POST, "people/read-on"),
            (Method::POST, "colleagues"),
            (Method::DELETE, "people/{id}/sessions"),
            (Method::DELETE, "people/{id}/sessions/{session}"),
            (Method::GET, "session"),
            (Method::DELETE, "session"),
            (Method::GET, "passkeys"),
            (Method::GET, "sessions"),
            (Method::GET, "notices"),
            (Method::GET, "events"),
            (Method::POST, "definitions"),
            (Method::POST, "ledger/verify"),
            (Method::POST, "replays/{id}"),
            (Method::GET, "incidents"),
            (Method::GET, "service-accounts"),
            (Method::POST, "service-accounts"),
            (Method::GET, "what/comes/later"),
        ] {
            assert_eq!(of(method.clone(), route), None, "{method} {route}");
        }
        assert_eq!(scope_of(&Method::GET, "/cases"), None);
    }
}
