//! The JSON API. Whoever is signed in uses it with their session's cookie and, for what changes
//! something, their token in `X-CSRF-Token`. Every answer with records passes the gate: its ledger
//! entry is durable before it leaves.

pub mod accesses;
pub mod applications;
pub mod cases;
pub mod files;
pub mod idempotency;
pub mod identity_providers;
pub mod incidents;
pub mod ledger;
pub mod messages;
pub mod organizations;
pub mod password;
pub mod people;
pub mod policies;
pub mod reports;
pub mod runs;
pub mod search;
pub mod security;
pub mod services;
pub mod session;
pub mod sessions;
pub mod verifications;
pub mod way_in;

pub use crate::page::{Leaving, Shown};
use crate::problem::Problem;
use crate::session::SignedIn;
use crate::state::Web;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json as value};
use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Warifu",
        description = "The desk for programs. Answers that are errors are application/problem+json (RFC 9457). Lists are paged by key: `next` is the value for `after` (for `before` where the newest come first), and absent on the last page. What changes something takes a JSON body (`{}` where it needs nothing) or a form, and the token of `GET /api/v1/session` in `X-CSRF-Token`."
    ),
    paths(
        session::session,
        session::sign_out,
        session::passkeys,
        session::remove_passkey,
        password::change,
        password::begin,
        password::finish,
        session::views,
        session::assignees,
        sessions::list,
        sessions::of_organization,
        sessions::end,
        sessions::end_all,
        sessions::roles,
        sessions::notices,
        sessions::see_notices,
        applications::list,
        applications::one,
        applications::add,
        applications::change,
        applications::remove,
        applications::renew_secret,
        identity_providers::list,
        identity_providers::add,
        identity_providers::switch,
        identity_providers::remove,
        verifications::request,
        verifications::list,
        verifications::one,
        verifications::change,
        verifications::call,
        verifications::look,
        verifications::vouching,
        verifications::vouch,
        verifications::tally,
        verifications::half,
        verifications::approve,
        verifications::end,
        verifications::stop,
        verifications::done,
        verifications::codes_left,
        verifications::make_codes,
        services::list,
        services::create,
        services::revoke,
        cases::list,
        cases::create,
        cases::bulk,
        cases::one,
        cases::change,
        cases::close,
        messages::list,
        messages::write,
        files::write,
        files::read,
        crate::live::case,
        crate::live::all,
        people::list,
        people::create,
        people::one,
        people::replace,
        people::versions,
        people::read_on,
        way_in::way_in,
        way_in::invite,
        way_in::withdraw,
        way_in::switch,
        way_in::add,
        organizations::list,
        organizations::create,
        organizations::one,
        organizations::replace,
        organizations::versions,
        accesses::list,
        accesses::summary,
        security::security,
        security::people,
        security::affected,
        search::search,
        policies::policies,
        policies::review,
        policies::change,
        policies::approvals,
        policies::decide,
        reports::subjects,
        reports::definitions,
        reports::definition,
        reports::versions,
        reports::save,
        reports::count,
        runs::runs,
        runs::prepare,
        runs::run,
        runs::download,
        runs::cancel,
        runs::compare,
        runs::start_replay,
        runs::replay,
        runs::stop_replay,
        ledger::list,
        ledger::one,
        ledger::verify,
        incidents::list,
        incidents::open,
        incidents::one,
        incidents::close,
        incidents::record,
        incidents::start,
        incidents::answer,
        incidents::stop,
        incidents::guess,
        incidents::exposure,
    )
)]
struct Description;

/// `GET /api/v1/openapi.json`
pub async fn openapi() -> Result<Response, Problem> {
    json(StatusCode::OK, &description()?)
}

/// The description, with what every operation has: words for each status, and the document that
/// comes with an error.
fn description() -> Result<Value, Problem> {
    let made = serde_json::to_value(Description::openapi());
    let mut made = made.map_err(|e| Problem::internal(e.to_string()))?;
    let problem = |status: StatusCode| {
        let words = status.canonical_reason().unwrap_or("An answer");
        match status.is_client_error() {
            true => value!({"description": words, "content": {"application/problem+json":
                {"schema": {"$ref": "#/components/schemas/Problem"}}}}),
            false => value!({ "description": words }),
        }
    };
    let paths = made["paths"].as_object_mut().into_iter().flatten();
    let each = paths.flat_map(|(path, of)| {
        let operations = of.as_object_mut().into_iter().flatten();
        operations.map(move |(method, operation)| (format!("{method} {path}"), operation))
    });
    for (name, operation) in each {
        let plain = name.replace("/api/v1/", "").replace(['{', '}'], "");
        operation["operationId"] = plain.replace([' ', '/', '.'], "_").into();
        let Some(responses) = operation["responses"].as_object_mut() else { continue };
        for status in ["401", "403", "422"] {
            responses.entry(status).or_insert_with(|| value!({}));
        }
        for (status, response) in responses {
            let status = status.parse().unwrap_or(StatusCode::OK);
            let Value::Object(whole) = problem(status) else { continue };
            for (name, value) in whole {
                let known = response[&name].as_str().is_some_and(|text| !text.is_empty());
                if !known {
                    response[&name] = value;
                }
            }
        }
    }
    made["components"]["securitySchemes"]["session"] =
        value!({"type": "apiKey", "in": "cookie", "name": crate::session::COOKIE});
    made["security"] = value!([{ "session": [] }]);
    let (text, number) = (value!({"type": "string"}), value!({"type": "integer"}));
    made["components"]["schemas"]["Problem"] = value!({
        "type": "object",
        "description": "RFC 9457.",
        "required": ["type", "title", "status", "instance", "reference"],
        "properties": {
            "type": text, "title": text, "status": number, "detail": text, "instance": text,
            "field": text, "reference": text, "action": text, "parameters": {"type": "object"},
        },
    });
    Ok(made)
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
    leaving.record(web, who, body.as_bytes()).await?;
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
        let described = description().unwrap();
        assert!(described["openapi"].as_str().unwrap().starts_with("3.1"));
        let router = include_str!("../router.rs");
        let routes = router.split('"').filter(|p| p.starts_with("/api/v1/"));
        for route in routes.filter(|r| *r != "/api/v1/openapi.json") {
            assert!(described["paths"][route].is_object(), "{route} is not described");
        }
    }
}
