//! Requests that change something must come from a page of ours.
//!
//! [`Form`], [`Json`] and [`Multipart`] give their data only after two checks: where the browser
//! says the request comes from (`Sec-Fetch-Site`, else `Origin`), and a token that only our pages
//! carry. Anything missing is a refusal. A handler that changes something takes its body through
//! one of the three; one without a body takes `Form<()>`.

use crate::device::Demand;
use crate::lang::cookie;
use crate::problem::Problem;
use crate::service;
use crate::session::{NoSession, SignedIn};
use crate::state::{Web, WebConfig};
use axum::body::Bytes;
use axum::extract::multipart::Field;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::{CONTENT_TYPE, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use warifu_auth::{Token, equal};
use warifu_domain::refusal;

/// Name of the field; the header is `X-CSRF-Token`.
const FIELD: &str = "csrf";
const HEADER: &str = "x-csrf-token";
const VISIT: &str = "__Host-warifu-visit";
/// Largest form or JSON body in bytes.
const BODY_LIMIT: usize = 2 << 20;

/// The browser's token of pages before sign-in.
pub fn visit(headers: &HeaderMap) -> Option<Token> {
    cookie(headers, VISIT).and_then(Token::parse)
}

/// What the forms of pages before sign-in carry. The cookie itself never stands in a page.
pub fn of_visit(visit: &Token) -> String {
    visit.derived("csrf")
}

/// How long a browser that has a part in a check of a caller is known, in seconds: longer than any check.
const KNOWN: u32 = 30 * 24 * 60 * 60;

/// The cookie for a browser that is to be known again when it was closed meanwhile.
pub fn kept_visit_cookie(visit: &Token) -> String {
    format!("{}; Max-Age={KNOWN}", visit_cookie(visit))
}

/// `__Host-` ties it to this host alone. Browsers count http://localhost as secure.
pub fn visit_cookie(visit: &Token) -> String {
    format!("{VISIT}={}; Path=/; Secure; HttpOnly; SameSite=Lax", visit.text())
}

/// A refused request. It does not say which check failed: only an attacker would want to know.
fn refused(cause: &'static str) -> Problem {
    let problem = Problem::new(StatusCode::FORBIDDEN, "csrf")
        .with("this request did not come from a page of this site; load the page anew");
    Problem { cause: cause.into(), ..problem }
}

/// Whether the browser says that the request comes from our own origin.
///
/// # Errors
/// A refusal: another site, or a client that does not say.
pub fn check_site(headers: &HeaderMap, config: &WebConfig) -> Result<(), Problem> {
    let text = |name: &str| headers.get(name).map(|v| v.to_str().unwrap_or("?"));
    let own = config.origin_text();
    let origin = text(ORIGIN.as_str());
    match (text("sec-fetch-site"), origin) {
        (Some("same-origin"), None) => Ok(()),
        (Some("same-origin" | "none") | None, Some(o)) if o == own => Ok(()),
        // A document with an opaque origin or reached under another name of ours.
        (Some("same-origin"), Some(_)) => Err(refused("origin")),
        _ => Err(refused("site")),
    }
}

/// The tokens that this browser's pages carry: the session's, and that of pages before sign-in,
/// which may still be open beside them.
enum Expected {
    Tokens(Vec<String>),
    /// A program shows a token of its own that no browser adds by itself: no other site can send it.
    Program,
}

impl Expected {
    fn are(&self, sent: Option<&str>) -> bool {
        match self {
            Expected::Tokens(tokens) => matches(sent, tokens),
            Expected::Program => true,
        }
    }

    fn by_header(&self, headers: &HeaderMap) -> bool {
        self.are(header_token(headers))
    }
}

/// Where a request comes from, and what proves it.
async fn from_page(parts: &mut Parts, web: &Web) -> Result<Expected, Problem> {
    if service::is_program(&parts.headers) {
        let found = <SignedIn as FromRequestParts<Web>>::from_request_parts(parts, web).await;
        return match found {
            Ok(_) => Ok(Expected::Program),
            Err(NoSession::Broken(problem)) => Err(problem),
            Err(_) => Err(refused("no session")),
        };
    }
    check_site(&parts.headers, &web.config)?;
    let found = <SignedIn as FromRequestParts<Web>>::from_request_parts(parts, web).await;
    let session = found.ok().map(|signed_in| signed_in.session.csrf.clone());
    let visit = visit(&parts.headers).map(|v| of_visit(&v));
    Ok(Expected::Tokens(session.into_iter().chain(visit).collect()))
}

fn matches(sent: Option<&str>, expected: &[String]) -> bool {
    sent.is_some_and(|sent| expected.iter().any(|token| equal(sent, token)))
}

fn header_token(headers: &HeaderMap) -> Option<&str> {
    headers.get(HEADER).and_then(|v| v.to_str().ok())
}

fn is_type(headers: &HeaderMap, kind: &str) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(kind)
}

async fn body_of(request: Request) -> Result<Bytes, Problem> {
    axum::body::to_bytes(request.into_body(), BODY_LIMIT).await.map_err(|_| {
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large").with(refusal!(
            "body-large",
            "at most {limit} bytes are taken",
            limit = BODY_LIMIT
        ))
    })
}

/// The data of a form, once it is known to come from our page. Repeated names make a `Vec`.
pub struct Form<T>(pub T);

impl<T> std::ops::Deref for Form<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: DeserializeOwned> FromRequest<Web> for Form<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, web: &Web) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let expected = from_page(&mut parts, web).await?;
        if !is_type(&parts.headers, "application/x-www-form-urlencoded") {
            return Err(refused("content type"));
        }
        let by_header = expected.by_header(&parts.headers);
        let demand = Demand::of(&parts, web);
        let bytes = body_of(Request::from_parts(parts, body)).await?;
        if !by_header {
            let mut pairs = url::form_urlencoded::parse(&bytes);
            let sent = pairs.find(|(name, _)| name == FIELD).map(|(_, value)| value.into_owned());
            if !expected.are(sent.as_deref()) {
                return Err(refused("token"));
            }
        }
        if let Some(demand) = demand {
            demand.met_by_form(web, &bytes).await?;
        }
        let data = serde_html_form::from_bytes(&bytes)
            .map_err(|e| Problem::invalid("form", e.to_string()))?;
        Ok(Form(data))
    }
}

/// JSON that a script of ours sent.
pub struct Json<T>(pub T);

impl<T> std::ops::Deref for Json<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: DeserializeOwned> FromRequest<Web> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, web: &Web) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let expected = from_page(&mut parts, web).await?;
        // JSON as text/plain is what a form of another site could send without asking first.
        if !is_type(&parts.headers, "application/json") {
            return Err(refused("content type"));
        }
        if !expected.by_header(&parts.headers) {
            return Err(refused("token"));
        }
        let demand = Demand::of(&parts, web);
        let bytes = body_of(Request::from_parts(parts, body)).await?;
        if let Some(demand) = demand {
            demand.met(web, &bytes).await?;
        }
        let data =
            serde_json::from_slice(&bytes).map_err(|e| Problem::invalid("body", e.to_string()))?;
        Ok(Json(data))
    }
}

/// A form with files. The token comes as a header or as the first field, before any file is read.
pub struct Multipart(axum::extract::Multipart);

impl Multipart {
    /// The next field; `None` after the last.
    ///
    /// # Errors
    /// When the body breaks off, is malformed or too large.
    pub async fn next_field(&mut self) -> Result<Option<Field<'_>>, Problem> {
        self.0
            .next_field()
            .await
            .map_err(|e| Problem::new(e.status(), "invalid").with(e.body_text()))
    }
}

impl FromRequest<Web> for Multipart {
    type Rejection = Problem;

    async fn from_request(request: Request, web: &Web) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let expected = from_page(&mut parts, web).await?;
        let by_header = expected.by_header(&parts.headers);
        let request = Request::from_parts(parts, body);
        let inner = axum::extract::Multipart::from_request(request, web).await;
        let inner = inner.map_err(|e| Problem::new(e.status(), "invalid").with(e.body_text()))?;
        let mut multipart = Multipart(inner);
        if !by_header {
            let field = multipart.next_field().await?.filter(|f| f.name() == Some(FIELD));
            let Some(mut field) = field else { return Err(refused("token")) };
            let mut sent = Vec::new();
            while let Ok(Some(chunk)) = field.chunk().await {
                sent.extend_from_slice(&chunk);
                if sent.len() > 200 {
                    return Err(refused("token"));
                }
            }
            if !expected.are(std::str::from_utf8(&sent).ok()) {
                return Err(refused("token"));
            }
        }
        Ok(multipart)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue};

    fn site(headers: &[(&'static str, &'static str)]) -> bool {
        let headers: HeaderMap = headers
            .iter()
            .map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v)))
            .collect();
        let origin = "http://localhost:8080".parse().unwrap();
        check_site(&headers, &WebConfig::new(origin)).is_ok()
    }

    #[test]
    fn only_our_own_origin_passes() {
        const OWN: &str = "http://localhost:8080";
        assert!(site(&[("sec-fetch-site", "same-origin")]));
        assert!(site(&[("sec-fetch-site", "same-origin"), ("origin", OWN)]));
        assert!(site(&[("origin", OWN)]));
        assert!(site(&[("sec-fetch-site", "none"), ("origin", OWN)]));
        assert!(!site(&[]), "who says nothing is refused");
        assert!(!site(&[("sec-fetch-site", "none")]));
        assert!(!site(&[("sec-fetch-site", "cross-site"), ("origin", OWN)]));
        assert!(!site(&[("sec-fetch-site", "same-site"), ("origin", OWN)]));
        assert!(!site(&[("origin", "null")]));
        assert!(!site(&[("origin", "http://localhost:8081")]));
        assert!(!site(&[("sec-fetch-site", "same-origin"), ("origin", "null")]));
    }

    #[test]
    fn no_token_never_matches() {
        let of = |token: &str| vec![token.to_owned()];
        assert!(!matches(None, &[]) && !matches(Some(""), &of("")));
        assert!(!matches(Some("a"), &[]) && !matches(None, &of("a")));
        assert!(matches(Some("a"), &of("a")) && !matches(Some("a"), &of("ab")));
    }
}
