//! Changes that wait for a second person.

use super::words::Words;
use crate::csrf::Form;
use crate::page::page;
use crate::problem::Problem;
use crate::session::Staff;
use crate::state::Web;
use crate::views::policy as view;
use crate::views::shell::Place;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use warifu_app::second_person::{Waiting, agreed};

/// `GET /approvals`
pub async fn list(State(web): State<Web>, who: Staff) -> Result<Response, Problem> {
    let found = web.app.approvals(who.actor()).await?;
    let policies = web.app.policies().await?;
    let words = Words { lang: who.taste.lang, zone: &who.zone };
    let now = web.app.now();
    let row = |w: Waiting| {
        let protected = agreed(w.approval.id, &w.approval.digest);
        let outcome = match w.approval.outcome.as_deref() {
            None if w.approval.expires_at <= now => "approval-expired",
            None => "approval-waiting",
            Some("done") => "approval-done",
            Some("refused") => "approval-refused",
            Some(_) => "approval-void",
        };
        view::ApprovalRow {
            id: w.approval.id.to_string(),
            title: words.matter(&w.matter),
            // What was decided no longer differs from what holds.
            rows: match w.approval.outcome {
                None => words.changed(&w.matter, &w.before, &policies),
                Some(_) => Vec::new(),
            },
            reason: w.approval.reason,
            by: w.requested_by,
            at: words.lang.date_time(w.approval.requested_at.to_jiff(), &who.zone),
            until: words.lang.date_time(w.approval.expires_at.to_jiff(), &who.zone),
            outcome: words.lang.t(outcome),
            decided_by: w.decided_by.unwrap_or_default(),
            waiting: w.decidable,
            own: w.approval.requested_by == who.actor().person,
            action: protected.action.key(),
            parameters: super::parameters(&protected),
        }
    };
    let rows: Vec<view::ApprovalRow> = found.into_iter().map(row).collect();
    page(view::Approvals { shell: who.shell(Place::Approvals, "").await?, rows })
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Decision {
    step_up: Option<String>,
}

/// `POST /approvals/{id}/agree`
pub async fn agree(
    State(web): State<Web>,
    who: Staff,
    Path(id): Path<i64>,
    form: Form<Decision>,
) -> Result<Response, Problem> {
    web.app.decide(who.actor(), id, true, form.step_up.as_deref()).await?;
    Ok(Redirect::to("/approvals").into_response())
}

/// `POST /approvals/{id}/refuse`
pub async fn refuse(
    State(web): State<Web>,
    who: Staff,
    Path(id): Path<i64>,
    _: Form<Decision>,
) -> Result<Response, Problem> {
    web.app.decide(who.actor(), id, false, None).await?;
    Ok(Redirect::to("/approvals").into_response())
}
