//! The JSON API. Whoever is signed in uses it with their session's cookie and, for what changes
//! something, their token in `X-CSRF-Token`. Every answer with records passes the gate: its ledger
//! entry is durable before it leaves.

pub mod cases;
pub mod idempotency;
pub mod incidents;
pub mod ledger;
pub mod messages;
pub mod organizations;
pub mod people;
pub mod reports;
pub mod search;

use crate::problem::Problem;
use crate::session::SignedIn;
use crate::state::Web;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::OpenApi;
use warifu_app::egress::Page;
use warifu_domain::OrganizationId;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Warifu",
        description = "The desk for programs. Answers that are errors are application/problem+json (RFC 9457). Lists are paged by key: `next` is the value for `after`, and absent on the last page."
    ),
    paths(
        cases::list,
        cases::create,
        cases::one,
        cases::change,
        messages::list,
        messages::write,
        people::list,
        people::create,
        people::one,
        people::replace,
        organizations::list,
        organizations::create,
        organizations::one,
        organizations::replace,
        search::search,
        reports::definitions,
        reports::save,
        reports::count,
        reports::runs,
        reports::prepare,
        reports::run,
        reports::start_replay,
        reports::replay,
        ledger::list,
        incidents::list,
        incidents::open,
        incidents::record,
        incidents::start,
        incidents::answer,
    )
)]
struct Description;

/// `GET /api/v1/openapi.json`
pub async fn openapi() -> Result<Response, Problem> {
    json(StatusCode::OK, &Description::openapi())
}

/// What leaves: which route, whose data, what was asked, which records.
pub struct Leaving<'a> {
    pub route: &'a str,
    pub organization: Option<OrganizationId>,
    pub query: serde_json::Value,
    pub ids: Vec<i64>,
}

/// An answer with records, after its ledger entry.
pub async fn gated(
    web: &Web,
    who: &SignedIn,
    leaving: Leaving<'_>,
    status: StatusCode,
    answer: &impl Serialize,
) -> Result<Response, Problem> {
    let body = text(answer)?;
    let page = Page {
        route: leaving.route,
        // A customer's answers hold nothing but their own organization's data.
        organization: match who.actor().is_staff() {
            true => leaving.organization,
            false => Some(who.actor().organization),
        },
        query: &leaving.query,
        ids: &leaving.ids,
        body: body.as_bytes(),
    };
    web.app.record_page(who.actor(), &page).await?;
    Ok(with_body(status, body))
}

fn text(answer: &impl Serialize) -> Result<String, Problem> {
    serde_json::to_string(answer).map_err(|e| Problem::internal(e.to_string()))
}

fn with_body(status: StatusCode, body: String) -> Response {
    let mut response = (status, body).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// An answer without records.
pub fn json(status: StatusCode, answer: &impl Serialize) -> Result<Response, Problem> {
    Ok(with_body(status, text(answer)?))
}

/// The number of something just made.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Made {
    pub id: i64,
    /// What people call it, where there is such a name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

/// At most so many records in a page of the API.
pub const MOST: usize = 200;

/// Records of a page as asked for; 50 when nothing is said.
pub fn limit(asked: Option<usize>) -> Result<usize, Problem> {
    match asked {
        None => Ok(50),
        Some(n @ 1..=MOST) => Ok(n),
        Some(_) => Err(Problem::invalid("limit", format!("1 to {MOST}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_described() {
        let described = serde_json::to_value(Description::openapi()).unwrap();
        assert!(described["openapi"].as_str().unwrap().starts_with("3.1"));
        let router = include_str!("../router.rs");
        let routes = router.split('"').filter(|p| p.starts_with("/api/v1/"));
        for route in routes.filter(|r| *r != "/api/v1/openapi.json") {
            assert!(described["paths"][route].is_object(), "{route} is not described");
        }
    }
}
