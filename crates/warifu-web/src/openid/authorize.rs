//! `GET /openid/authorize`: to the client with a code, for whoever is signed in and may enter.

use crate::problem::Problem;
use crate::session::SignedIn;
use crate::state::Web;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use url::Url;
use url::form_urlencoded::byte_serialize;
use warifu_app::applications::Application;
use warifu_app::applications::openid::{Asking, is_openid};
use warifu_auth::applications::Admission;
use warifu_auth::openid::challenge;
use warifu_domain::refusal;
use warifu_domain::time::SECOND;

/// A request of a client. A name that comes twice is refused before anything is looked at.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Request {
    client_id: String,
    redirect_uri: String,
    response_type: String,
    response_mode: Option<String>,
    scope: String,
    state: Option<String>,
    nonce: Option<String>,
    code_challenge: String,
    code_challenge_method: String,
    max_age: Option<String>,
    prompt: Option<String>,
    request: Option<String>,
    request_uri: Option<String>,
    /// Of this server: that the person was sent to prove who they are.
    proved_since: Option<String>,
}

/// Why a client gets no code, by the names of OAuth 2.0 and OpenID Connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Error(&'static str);

/// The longest address that sign-in comes back to.
const LONGEST: usize = 1_900;

impl Request {
    /// What is asked for, where it is well formed.
    fn asking(&self) -> Result<Asking, Error> {
        if self.request.is_some() {
            return Err(Error("request_not_supported"));
        }
        if self.request_uri.is_some() {
            return Err(Error("request_uri_not_supported"));
        }
        if self.response_type != "code" {
            return Err(Error("unsupported_response_type"));
        }
        if !is_openid(&self.scope) {
            return Err(Error("invalid_scope"));
        }
        let invalid = Error("invalid_request");
        if self.response_mode.as_deref().is_some_and(|mode| mode != "query") {
            return Err(invalid);
        }
        if self.code_challenge_method != "S256" {
            return Err(invalid);
        }
        let prompts = self.prompts();
        let known = |p: &&str| matches!(*p, "none" | "login" | "consent" | "select_account");
        if !prompts.iter().all(known) || prompts.contains(&"none") && prompts.len() > 1 {
            return Err(invalid);
        }
        let max_age = match self.max_age.as_deref() {
            None => None,
            Some(text) => Some(i64::from(text.parse::<u32>().map_err(|_| invalid)?) * SECOND),
        };
        let known = ["openid", "profile", "email"];
        let words = self.scope.split_whitespace().filter(|word| known.contains(word));
        Ok(Asking {
            redirect_uri: self.redirect_uri.clone(),
            scope: words.collect::<Vec<_>>().join(" "),
            nonce: self.nonce.clone(),
            challenge: challenge(&self.code_challenge).ok_or(invalid)?,
            max_age,
            proved_since: None,
        })
    }

    fn prompts(&self) -> Vec<&str> {
        self.prompt.as_deref().unwrap_or_default().split_whitespace().collect()
    }

    fn prompts_for(&self, what: &str) -> bool {
        self.prompts().contains(&what)
    }

    /// What makes the request this one and no other.
    fn text(&self) -> String {
        format!("{}\n{}\n{:?}\n{:?}", self.client_id, self.code_challenge, self.nonce, self.state)
    }

    /// The address of an answer to the client.
    fn answer(&self, web: &Web, pairs: &[(&str, &str)]) -> Result<Response, Problem> {
        let mut to =
            Url::parse(&self.redirect_uri).map_err(|e| Problem::internal(e.to_string()))?;
        let mut query = to.query_pairs_mut();
        query.extend_pairs(pairs);
        if let Some(state) = &self.state {
            query.append_pair("state", state);
        }
        query.append_pair("iss", &web.config.origin_text());
        drop(query);
        Ok(Redirect::to(to.as_str()).into_response())
    }

    fn refused(&self, web: &Web, error: Error) -> Result<Response, Problem> {
        self.answer(web, &[("error", error.0)])
    }
}

/// The client, if it may be answered at the address that it names: else nothing goes there.
async fn client(web: &Web, request: &Request) -> Result<Application, Problem> {
    let known = web.app.client(&request.client_id).await?;
    known.filter(|client| client.redirect_uris.contains(&request.redirect_uri)).ok_or_else(|| {
        Problem::new(StatusCode::BAD_REQUEST, "invalid").with(refusal!(
            "openid-client",
            "the application that sent you here is not registered with this address; whoever runs it looks at its client id and redirect URI"
        ))
    })
}

pub async fn authorize(
    State(web): State<Web>,
    me: Option<SignedIn>,
    Query(request): Query<Request>,
    uri: axum::http::Uri,
) -> Result<Response, Problem> {
    let client = client(&web, &request).await?;
    let mut asking = match request.asking() {
        Ok(asking) => asking,
        Err(error) => return request.refused(&web, error),
    };
    let here = uri.path_and_query().map(|p| p.as_str()).unwrap_or_default();
    if here.len() > LONGEST {
        return request.refused(&web, Error("invalid_request"));
    }
    let quiet = request.prompts_for("none");
    let Some(me) = me else {
        return match quiet {
            true => request.refused(&web, Error("login_required")),
            false => Ok(sign_in(here, "")),
        };
    };
    let vouched = request.proved_since.as_deref();
    asking.proved_since = vouched.and_then(|v| web.app.vouched(&request.text(), v));
    let again = request.prompts_for("login") && asking.proved_since.is_none();
    let made = match again {
        true => Err(Admission::Stale),
        false => web.app.authorize(&me.session, &client, &asking).await?,
    };
    match made {
        Ok(code) => request.answer(&web, &[("code", &code.text())]),
        Err(Admission::Stale) if quiet => request.refused(&web, Error("login_required")),
        Err(Admission::Stale) => {
            let voucher = web.app.voucher(&request.text(), web.app.now());
            let here = here.split("&proved_since=").next().unwrap_or(here);
            Ok(sign_in(&format!("{here}&proved_since={voucher}"), "again=1&"))
        }
        Err(_) => request.refused(&web, Error("access_denied")),
    }
}

/// To sign-in, and back to this request.
fn sign_in(here: &str, again: &str) -> Response {
    let next: String = byte_serialize(here.as_bytes()).collect();
    Redirect::to(&format!("/sign-in?{again}next={next}")).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Request {
        Request {
            response_type: "code".into(),
            scope: "openid email other".into(),
            code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".into(),
            code_challenge_method: "S256".into(),
            ..Request::default()
        }
    }

    #[test]
    fn nothing_is_left_out_of_a_request() {
        assert_eq!(request().asking().map(|a| a.scope).as_deref(), Ok("openid email"));
        let error = |change: fn(&mut Request)| {
            let mut request = request();
            change(&mut request);
            request.asking().err().map(|e| e.0)
        };
        assert_eq!(error(|r| r.code_challenge.clear()), Some("invalid_request"));
        assert_eq!(error(|r| r.code_challenge_method.clear()), Some("invalid_request"));
        assert_eq!(error(|r| r.code_challenge_method = "plain".into()), Some("invalid_request"));
        assert_eq!(error(|r| r.scope = "profile".into()), Some("invalid_scope"));
        assert_eq!(error(|r| r.response_type = "token".into()), Some("unsupported_response_type"));
        assert_eq!(error(|r| r.response_mode = Some("fragment".into())), Some("invalid_request"));
        assert_eq!(error(|r| r.request = Some("x".into())), Some("request_not_supported"));
        assert_eq!(error(|r| r.prompt = Some("none login".into())), Some("invalid_request"));
        assert_eq!(error(|r| r.max_age = Some("-1".into())), Some("invalid_request"));
        assert_eq!(error(|r| r.max_age = Some("0".into())), None);
    }
}
