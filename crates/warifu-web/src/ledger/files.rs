//! The log for other programs: checkpoint, public key, tiles and bundles (C2SP tlog-tiles), and
//! the proof of one entry as text. Whoever may read the ledger may fetch them.

use crate::problem::Problem;
use crate::runs::download::attachment;
use crate::session::Staff;
use crate::state::Web;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use warifu_app::AppError;
use warifu_domain::access::Permission;

fn text(name: Option<&str>, body: String) -> Response {
    let mut response = ([(CONTENT_TYPE, "text/plain; charset=utf-8")], body).into_response();
    if let Some(value) = name.and_then(|n| attachment(n).parse().ok()) {
        response.headers_mut().insert(CONTENT_DISPOSITION, value);
    }
    response
}

/// `GET /ledger/checkpoint`: the signed note.
pub async fn checkpoint(State(web): State<Web>, who: Staff) -> Result<Response, Problem> {
    let bytes = web.app.ledger_file(who.actor(), "checkpoint").await?;
    Ok(text(Some("checkpoint.txt"), String::from_utf8_lossy(&bytes).into_owned()))
}

/// `GET /ledger/key`: the public key that checks it.
pub async fn key(State(web): State<Web>, who: Staff) -> Result<Response, Problem> {
    who.actor().require(Permission::ReadLedger).map_err(AppError::from)?;
    Ok(text(None, format!("{}\n", web.app.ledger_key())))
}

/// `GET /ledger/tile/{path}`: a tile or a bundle of entries.
pub async fn tile(
    State(web): State<Web>,
    who: Staff,
    Path(path): Path<String>,
) -> Result<Response, Problem> {
    let bytes = web.app.ledger_file(who.actor(), &format!("tile/{path}")).await?;
    Ok(([(CONTENT_TYPE, "application/octet-stream")], bytes).into_response())
}

/// `GET /ledger/{number}/proof`: leaf, path and checkpoint, as text.
pub async fn proof(
    State(web): State<Web>,
    who: Staff,
    Path(number): Path<i64>,
) -> Result<Response, Problem> {
    who.actor().require(Permission::ReadLedger).map_err(AppError::from)?;
    let (_, inclusion) = web.app.inclusion(number - 1).await?;
    let mut body = format!(
        "index {}\nsize {}\nleaf {}\n",
        inclusion.index,
        inclusion.size,
        inclusion.leaf.to_base64()
    );
    for hash in &inclusion.path {
        body.push_str(&hash.to_base64());
        body.push('\n');
    }
    body.push('\n');
    body.push_str(&inclusion.checkpoint);
    Ok(text(Some(&format!("entry-{number}-proof.txt")), body))
}
