//! `POST /runs/{id}/compare`: somebody's file against the record. It is read once and not kept.

use super::replay::{outcome, show, tenths};
use crate::csrf::Multipart;
use crate::problem::Problem;
use crate::reports::words;
use crate::session::{SignedIn, Staff};
use crate::state::Web;
use crate::views::runs::Half;
use axum::extract::{Path, State};
use axum::response::Response;
use std::time::Duration;
use warifu_app::AppError;
use warifu_app::reports::{BLOCK, Difference, FileCheck, Run};
use warifu_domain::RunId;
use warifu_domain::access::Permission;
use warifu_domain::refusal;

/// A file beside a run's record.
pub struct Checked {
    pub run: Run,
    pub bytes: u64,
    pub sha256: String,
    pub difference: Option<Difference>,
}

/// Reads the field `file` of a form and holds it against the record of a run.
///
/// # Errors
/// Denied, not found, nothing recorded, or no file in the form.
pub async fn check(
    web: &Web,
    who: &SignedIn,
    id: RunId,
    form: &mut Multipart,
) -> Result<Checked, Problem> {
    who.actor().require(Permission::Replay).map_err(AppError::from)?;
    let run = web.app.run(who.actor(), id).await?;
    if run.sha256.is_empty() {
        return Err(AppError::Conflict(refusal!(
            "run-unrecorded",
            "nothing was recorded of this run's file"
        ))
        .into());
    }
    let mut check = FileCheck::new(&run);
    while let Some(mut field) = form.next_field().await? {
        if field.name() != Some("file") {
            continue;
        }
        loop {
            let chunk = field.chunk().await;
            let chunk =
                chunk.map_err(|e| Problem::new(e.status(), "invalid").with(e.body_text()))?;
            let Some(chunk) = chunk else { break };
            check.push(&chunk);
        }
        let (bytes, sha256, from) = check.finish(&run);
        let difference = from.map(|from| {
            let shorter = bytes.min(run.bytes as u64);
            if from >= shorter {
                Difference::Length { recorded: run.bytes as u64, made: bytes }
            } else {
                let to = (from + BLOCK as u64).min(bytes.max(run.bytes as u64));
                Difference::Within { from, to }
            }
        });
        return Ok(Checked { run, bytes, sha256: sha256.to_string(), difference });
    }
    Err(Problem::invalid("file", refusal!("file-none", "choose a file")))
}

pub async fn compare(
    State(web): State<Web>,
    who: Staff,
    Path(id): Path<RunId>,
    mut form: Multipart,
) -> Result<Response, Problem> {
    let began = web.app.now();
    let checked = check(&web, &who, id, &mut form).await?;
    let now = web.app.now();
    let lang = who.taste.lang;
    let half = Half {
        bytes: checked.bytes as i64,
        digest: words::grouped(&checked.sha256),
        at: words::at(lang, now),
    };
    let took = Duration::from_micros((now.0 - began.0).max(0) as u64);
    let result = outcome(lang, checked.difference.as_ref());
    show(&web, &who, checked.run, Some(half), result, tenths(took)).await
}
