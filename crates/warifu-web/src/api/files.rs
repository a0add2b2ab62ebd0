//! Files: a message that carries some, and one on its way out.

use super::messages::send;
use super::{Made, idempotency};
use crate::cases::answer::Written;
use crate::cases::status;
use crate::csrf::Multipart;
use crate::problem::Problem;
use crate::session::SignedIn;
use crate::state::Web;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::json;
use utoipa::ToSchema;
use warifu_app::cases::Answer;
use warifu_domain::{AttachmentId, CaseId};

/// A message with files, as `multipart/form-data`. HAR files are sanitized before they are stored.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes a form, which is read field by field")]
pub struct Upload {
    /// The text.
    body: String,
    /// `true` for a note, which never leaves the vendor.
    note: Option<bool>,
    /// The status to set with a reply.
    then: Option<String>,
    /// The last entry that the writer has seen: 409 when a message came after it.
    last_seen: Option<i64>,
    #[schema(value_type = Vec<String>, format = Binary)]
    files: Vec<String>,
}

/// Writes a message with files. With an `Idempotency-Key` it is written once.
#[utoipa::path(post, path = "/api/v1/cases/{id}/files", params(("id" = i64, Path),
    ("Idempotency-Key" = Option<String>, Header)),
    request_body(content = Upload, content_type = "multipart/form-data"),
    responses((status = 201, body = Made), (status = 404), (status = 409), (status = 413)))]
pub async fn write(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<CaseId>,
    headers: HeaderMap,
    mut form: Multipart,
) -> Result<Response, Problem> {
    let actor = who.actor();
    // Nothing is read for a case that is not there.
    if !web.app.may_see_case(actor, id).await? {
        return Err(Problem::not_found());
    }
    let mut written = Written::read(&web, &mut form).await?;
    let files = std::mem::take(&mut written.files);
    let then = status(written.get("then"))?;
    let last_seen = match written.get("last_seen") {
        "" => None,
        text => Some(text.parse().map_err(|_| Problem::invalid("last_seen", "no number"))?),
    };
    let note = written.get("note") == "true";
    let asked = json!({
        "body": written.get("body"), "note": note, "then": written.get("then"),
        "last_seen": written.get("last_seen"),
        "files": files.iter().map(|f| [&f.name, &f.sha256]).collect::<Vec<_>>(),
    });
    let body = written.get("body").to_owned();
    let act = send(&web, actor, id, Answer { body, then, last_seen, files }, note);
    let route = format!("POST /api/v1/cases/{id}/files");
    idempotency::once(&web, &who, &headers, &route, &asked, act).await
}

/// A file, as it is stored. Its ledger entry is durable before the first byte.
#[utoipa::path(get, path = "/api/v1/attachments/{id}", params(("id" = i64, Path)),
    responses((status = 200, content_type = "application/octet-stream"), (status = 404)))]
pub async fn read(
    state: State<Web>,
    who: SignedIn,
    id: Path<AttachmentId>,
) -> Result<Response, Problem> {
    crate::attachments::download(state, who, id).await
}
