//! `/api/v1/cases/{id}/messages`

use super::cases::parse;
use super::{Leaving, Made, Shown, gated, idempotency};
use crate::cases::status;
use crate::csrf::Json;
use crate::problem::Problem;
use crate::session::SignedIn;
use crate::state::Web;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use warifu_app::cases::{Answer, Sent};
use warifu_domain::access::Actor;
use warifu_domain::{CaseId, MessageId, Timestamp};

/// An entry of a case's timeline.
#[derive(Debug, Serialize, ToSchema)]
pub struct Message {
    id: i64,
    /// `customer`, `reply`, `note` (staff only) or `event`.
    kind: &'static str,
    author: i64,
    author_name: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// The text; of an event, its JSON.
    body: String,
    files: Vec<File>,
}

/// A file of a message.
#[derive(Debug, Serialize, ToSchema)]
pub struct File {
    id: i64,
    name: String,
    bytes: i64,
    sha256: String,
    /// Where it is fetched.
    href: String,
    /// Whether it was a HAR and was sanitized before it was stored.
    sanitized: bool,
    /// What was removed from it then.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    receipt: Option<Value>,
}

/// The last entries of a timeline, oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Messages {
    messages: Vec<Message>,
    /// The value of `before` for the entries before these.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<i64>,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
pub struct Asked {
    /// Entries before this id.
    #[param(value_type = Option<i64>)]
    before: Option<MessageId>,
}

/// The conversation, the latest entries first asked.
#[utoipa::path(get, path = "/api/v1/cases/{id}/messages", params(("id" = i64, Path), Asked),
    responses((status = 200, body = Messages), (status = 404)))]
pub async fn list(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<CaseId>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let open = web.app.open_case(who.actor(), id, asked.before).await?;
    let message = |e: &warifu_app::cases::Entry| Message {
        id: e.message.id.0,
        kind: e.message.kind.key(),
        author: e.message.author.0,
        author_name: open.name(e.message.author).to_owned(),
        at: e.message.at,
        body: e.message.body.clone(),
        files: e
            .files
            .iter()
            .map(|f| File {
                id: f.id.0,
                name: f.name.clone(),
                bytes: f.bytes,
                sha256: f.sha256.clone(),
                href: format!("/api/v1/attachments/{}", f.id),
                sanitized: f.har_receipt.is_some(),
                receipt: f.har_receipt.as_deref().and_then(|r| serde_json::from_str(r).ok()),
            })
            .collect(),
    };
    let messages: Vec<Message> = open.entries.iter().map(message).collect();
    let leaving = Leaving {
        route: "/api/v1/cases/{id}/messages",
        organization: Some(open.case.organization),
        query: json!({"id": id, "before": asked.before}),
        ids: messages.iter().map(|m| m.id).collect(),
        shown: Shown::Nobody,
    };
    let next = (open.earlier > 0).then(|| messages.first().map(|m| m.id)).flatten();
    gated(&web, &who, leaving, StatusCode::OK, &Messages { messages, next }).await
}

/// What is written.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct New {
    body: String,
    /// A note, which never leaves the vendor. Customers leave it out.
    #[serde(default)]
    note: bool,
    /// The status to set with a reply.
    #[serde(default)]
    then: String,
    /// The last entry that the writer has seen: 409 when a message came after it.
    #[schema(value_type = Option<i64>)]
    last_seen: Option<MessageId>,
}

/// Writes a reply or a note (staff), or an answer (customers).
#[utoipa::path(post, path = "/api/v1/cases/{id}/messages", params(("id" = i64, Path),
    ("Idempotency-Key" = Option<String>, Header)), request_body = New,
    responses((status = 201, body = Made), (status = 404), (status = 409)))]
pub async fn write(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<CaseId>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Result<Response, Problem> {
    let new: New = parse(&body)?;
    let then = status(&new.then)?;
    let answer = Answer { body: new.body, then, last_seen: new.last_seen, files: Vec::new() };
    let act = send(&web, who.actor(), id, answer, new.note);
    let route = format!("POST /api/v1/cases/{id}/messages");
    idempotency::once(&web, &who, &headers, &route, &body, act).await
}

/// Writes a reply, a note or a customer's answer, whichever the writer may.
pub(super) async fn send(
    web: &Web,
    actor: &Actor,
    id: CaseId,
    answer: Answer,
    note: bool,
) -> Result<Made, Problem> {
    let sent = match (actor.is_staff(), note) {
        (true, true) => Sent::Yes(web.app.note(actor, id, &answer.body, answer.files).await?),
        (true, false) => web.app.reply(actor, id, answer).await?,
        (false, false) => web.app.answer_case(actor, id, answer).await?,
        (false, true) => return Err(Problem::invalid("note", "notes are the vendor's")),
    };
    match sent {
        Sent::Yes(message) => Ok(Made { id: message.0, reference: None }),
        Sent::Arrived(message) => Err(Problem::new(StatusCode::CONFLICT, "conflict")
            .with(format!("message {} came meanwhile; read it and send again", message.id))),
    }
}
