//! Errors as answers: a page for people, `application/problem+json` (RFC 9457) for programs.
//!
//! A handler returns [`Problem`] (every [`AppError`] becomes one with `?`). It knows neither
//! language nor `Accept`; [`render`], which [`crate::around`] calls for all routes, does. Also what axum
//! itself refuses (no such route, unreadable query, body too large, timeout) goes through it.

use crate::around::Asked;
use crate::page;
use crate::state::Web;
use crate::views::errors;
use crate::views::shell::Shell;
use axum::Json;
use axum::http::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::tz::TimeZone;
use serde::Serialize;
use warifu_app::AppError;
use warifu_domain::protected::Protected;
use warifu_domain::reading::read_on;
use warifu_domain::{Refusal, refusal};

/// An answer that is an error.
#[derive(Debug, Clone)]
pub struct Problem {
    pub status: StatusCode,
    /// Stable name: the last part of `type`.
    pub name: &'static str,
    /// What whoever asked may know: programs in English, people in their language.
    pub detail: Option<Box<Refusal>>,
    /// The field of a form that is wrong.
    pub field: Option<&'static str>,
    /// What the key has to be touched for, where whoever asks cannot know it.
    pub step_up: Option<Box<Protected>>,
    /// Seconds to wait.
    pub retry_after: Option<u64>,
    /// For the log only.
    pub cause: String,
}

impl Problem {
    /// An error without details.
    pub fn new(status: StatusCode, name: &'static str) -> Problem {
        Problem {
            status,
            name,
            detail: None,
            field: None,
            step_up: None,
            retry_after: None,
            cause: String::new(),
        }
    }

    /// Says what is wrong, to whoever asked.
    pub fn with(self, detail: impl Into<Refusal>) -> Problem {
        Problem { detail: Some(Box::new(detail.into())), ..self }
    }

    /// Not there, or not for whoever asks: the same answer for both.
    pub fn not_found() -> Problem {
        Problem::new(StatusCode::NOT_FOUND, "not-found")
    }

    /// Something that was sent is wrong.
    pub fn invalid(field: &'static str, what: impl Into<Refusal>) -> Problem {
        let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid").with(what);
        Problem { field: Some(field), ..problem }
    }

    /// The time for an answer is over. A commit may have been on its way.
    pub fn given_up() -> Problem {
        let problem =
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable").with(refusal!(
                "given-up",
                "the answer took too long and was given up; look whether your change is there before you try again"
            ));
        Problem { retry_after: Some(10), ..problem }
    }

    /// A bug or a broken machine: the log gets the cause, the client a reference.
    pub fn internal(cause: impl Into<String>) -> Problem {
        let problem = Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal");
        Problem { cause: cause.into(), ..problem }
    }
}

impl From<AppError> for Problem {
    fn from(e: AppError) -> Problem {
        let said = e.to_string();
        let detail = e.refusal().map(Box::new);
        let of = |status, name| Problem { detail: detail.clone(), ..Problem::new(status, name) };
        match e {
            AppError::Denied(_) => of(StatusCode::FORBIDDEN, "forbidden"),
            AppError::NotFound(_) => Problem::not_found(),
            AppError::Invalid { field, what } => Problem::invalid(field, what),
            AppError::Conflict(_) => of(StatusCode::CONFLICT, "conflict"),
            AppError::TooLarge { .. } => of(StatusCode::PAYLOAD_TOO_LARGE, "too-large"),
            AppError::TooMany { seconds } => Problem {
                retry_after: Some(seconds),
                ..of(StatusCode::TOO_MANY_REQUESTS, "too-many")
            },
            AppError::StepUp { .. } => of(StatusCode::FORBIDDEN, "step-up-required"),
            AppError::ReadOn { people } => Problem {
                step_up: Some(Box::new(read_on(people))),
                ..of(StatusCode::FORBIDDEN, "step-up-required")
            },
            AppError::ReadLater { seconds } => Problem {
                retry_after: Some(seconds),
                ..of(StatusCode::TOO_MANY_REQUESTS, "reading-limit")
            },
            AppError::NeedsDecision(_) => of(StatusCode::UNPROCESSABLE_ENTITY, "needs-decision"),
            ref e if e.is_disk_full() => {
                Problem { cause: said, ..of(StatusCode::INSUFFICIENT_STORAGE, "disk-full") }
            }
            ref e if e.is_passing() => Problem {
                cause: said,
                retry_after: Some(10),
                ..of(StatusCode::SERVICE_UNAVAILABLE, "unavailable")
            },
            AppError::Ledger(_) => {
                let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable");
                Problem { cause: said, ..problem }
            }
            AppError::Storage(_)
            | AppError::File { .. }
            | AppError::Cancelled
            | AppError::Internal(_) => Problem::internal(said),
        }
    }
}

impl IntoResponse for Problem {
    /// A bare answer that carries the problem; [`render`] gives it its body.
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// A panic as a problem; its message goes to the log only.
pub fn panicked(panic: Box<dyn std::any::Any + Send>) -> Response {
    let said = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without words");
    Problem::internal(format!("panic: {said}")).into_response()
}

/// The body of RFC 9457, with members of our own: `field`, `reference`, and what a step-up is asked for with.
#[derive(Serialize)]
struct Document<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    #[serde(skip_serializing_if = "str::is_empty")]
    detail: &'a str,
    instance: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'static str>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    step_up: Option<&'a Protected>,
    reference: &'a str,
}

/// Gives an error its body; what is none stays as it is.
pub async fn render(web: &Web, asked: &Asked, mut response: Response) -> Response {
    let status = response.status();
    let Some(problem) = found(&mut response).await else { return response };
    let Asked { method, path, taste, json, .. } = asked;

    let detail = problem.detail.as_ref().map(ToString::to_string).unwrap_or_default();
    let reference = reference(web.app.random_bytes());
    if status.is_server_error() {
        tracing::error!(%reference, %method, %path, status = status.as_u16(), cause = %problem.cause, "request failed");
    } else {
        tracing::debug!(%reference, %method, %path, status = status.as_u16(), %detail, "request refused");
    }
    let mut answer = if *json {
        let document = Document {
            r#type: format!("/problems/{}", problem.name),
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: &detail,
            instance: path,
            field: problem.field,
            step_up: problem.step_up.as_deref(),
            reference: &reference,
        };
        let mut answer = (status, Json(document)).into_response();
        let kind = HeaderValue::from_static("application/problem+json");
        answer.headers_mut().insert(CONTENT_TYPE, kind);
        answer
    } else {
        // "You may not" and "not there" have words of their own that say no more than they should.
        let detail = match status {
            StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => String::new(),
            _ => problem.detail.as_ref().map(|r| taste.lang.refusal(r)).unwrap_or_default(),
        };
        let shell = Shell {
            lang: taste.lang,
            theme: taste.theme,
            installation: web.app.config.name.clone(),
            ..Shell::default()
        };
        let view = errors::Problem {
            time: taste.lang.date_time(web.app.now().to_jiff(), &TimeZone::UTC),
            shell,
            name: problem.name,
            status: status.as_u16(),
            detail,
            place: path.clone(),
            reference,
        };
        page::page_with(status, view).unwrap_or_else(|_| status.into_response())
    };
    // What the refused answer said in headers (Allow, Retry-After, Set-Cookie) stays true.
    for (name, value) in response.headers() {
        if name != CONTENT_TYPE && name != axum::http::header::CONTENT_LENGTH {
            answer.headers_mut().append(name.clone(), value.clone());
        }
    }
    if let Some(seconds) = problem.retry_after {
        answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    answer
}

/// The problem in an answer: a handler's, or what axum said in plain text.
async fn found(response: &mut Response) -> Option<Problem> {
    let status = response.status();
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        return Some(problem);
    }
    if !status.is_client_error() && !status.is_server_error() {
        return None;
    }
    let kind = response.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok());
    if kind.is_some_and(|k| !k.starts_with("text/plain")) {
        return None;
    }
    let body = std::mem::take(response.body_mut());
    let text = axum::body::to_bytes(body, 4_096).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    if status == StatusCode::SERVICE_UNAVAILABLE {
        return Some(Problem::given_up());
    }
    let name = match status {
        StatusCode::NOT_FOUND => "not-found",
        StatusCode::METHOD_NOT_ALLOWED => "method-not-allowed",
        StatusCode::PAYLOAD_TOO_LARGE => "too-large",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "unsupported-media-type",
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => "invalid",
        s if s.is_client_error() => "refused",
        _ => "internal",
    };
    let problem = Problem::new(status, name);
    Some(if status.is_server_error() {
        Problem { cause: text, ..problem }
    } else {
        problem.with(text)
    })
}

/// Programs get JSON: below `/api/`, and where JSON is asked for and HTML is not.
pub fn wants_json(path: &str, headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    path.starts_with("/api/") || accept.contains("json") && !accept.contains("text/html")
}

/// Eight characters to find a request in the log by.
fn reference(random: [u8; 5]) -> String {
    // Crockford's alphabet: nothing that is misread on the phone.
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let bits = random.iter().fold(0u64, |all, byte| all << 8 | u64::from(*byte));
    (0..8).map(|i| char::from(ALPHABET[(bits >> (35 - 5 * i) & 31) as usize])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use warifu_domain::access::{Denied, Permission};

    #[test]
    fn what_broke_inside_is_not_told() {
        let secret = "password=hunter2";
        for e in [AppError::Internal(secret.into()), AppError::Ledger(secret.into())] {
            let problem = Problem::from(e);
            assert!(problem.status.is_server_error());
            assert!(problem.detail.is_none() && problem.cause.contains(secret));
        }
    }

    #[test]
    fn what_is_not_there_and_what_is_hidden_look_the_same() {
        let a = Problem::from(AppError::NotFound("case"));
        let b = Problem::from(AppError::NotFound("person"));
        assert_eq!((a.status, a.name, a.detail), (b.status, b.name, b.detail));
    }

    #[test]
    fn refusals_have_their_status() {
        let status = |e: AppError| Problem::from(e).status.as_u16();
        assert_eq!(status(Denied(Permission::WorkCases).into()), 403);
        assert_eq!(
            status(AppError::invalid("subject", refusal!("subject-empty", "the subject is empty"))),
            422
        );
        assert_eq!(status(AppError::Conflict("late".into())), 409);
        assert_eq!(status(AppError::TooLarge { bytes: 2, limit: 1 }), 413);
        assert_eq!(status(AppError::TooMany { seconds: 3 }), 429);
    }

    #[test]
    fn references_use_all_bits() {
        assert_eq!(reference([0; 5]), "00000000");
        assert_eq!(reference([255; 5]), "ZZZZZZZZ");
        assert_eq!(reference([0, 0, 0, 0, 33]), "00000011");
    }

    #[test]
    fn programs_get_json() {
        let mut headers = HeaderMap::new();
        assert!(wants_json("/api/v1/cases", &headers) && !wants_json("/cases", &headers));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        assert!(wants_json("/cases", &headers));
        headers.insert(ACCEPT, HeaderValue::from_static("text/html,application/json"));
        assert!(!wants_json("/cases", &headers));
    }
}
