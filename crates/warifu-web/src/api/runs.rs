//! `/api/v1/runs`, `/api/v1/replays`: reports that are made, and made again.

use super::cases::parse;
use super::{idempotency, json, limit};
use crate::csrf::{Json, Multipart};
use crate::problem::Problem;
use crate::session::SignedIn;
use crate::state::Web;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use warifu_app::reports::{Difference, NewRun, Run};
use warifu_domain::RunId;
use warifu_domain::reports::Definition as Asked;

/// One execution of a definition.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunView {
    id: i64,
    name: String,
    /// `prepared`, `running`, `done`, `aborted`.
    state: &'static str,
    #[schema(value_type = Object)]
    definition: Asked,
    digest: String,
    revision: i64,
    as_of: String,
    rows: i64,
    bytes: i64,
    expected_rows: i64,
    expected_bytes: Option<i64>,
    sha256: String,
    /// Numbers in the ledger, from 1.
    start_entry: Option<i64>,
    end_entry: Option<i64>,
}

impl From<Run> for RunView {
    fn from(r: Run) -> RunView {
        RunView {
            id: r.id.0,
            state: r.state.key(),
            name: r.name,
            definition: r.definition,
            digest: r.digest,
            revision: r.as_of.0,
            as_of: r.as_of_at.to_string(),
            rows: r.rows,
            bytes: r.bytes,
            expected_rows: r.expected_rows,
            expected_bytes: r.expected_bytes,
            sha256: r.sha256,
            start_entry: r.start_seq.map(|s| s + 1),
            end_entry: r.end_seq.filter(|s| *s >= 0).map(|s| s + 1),
        }
    }
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
pub struct Paged {
    /// Runs before this number.
    before: Option<i64>,
    /// 1 to 200; 50 by default.
    limit: Option<usize>,
}

/// A page of runs.
#[derive(Debug, Serialize, ToSchema)]
pub struct Runs {
    runs: Vec<RunView>,
    /// The value of `before` for the runs before these.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<i64>,
}

/// Runs, newest first.
#[utoipa::path(get, path = "/api/v1/runs", params(Paged), responses((status = 200, body = Runs)))]
pub async fn runs(
    State(web): State<Web>,
    who: SignedIn,
    Query(asked): Query<Paged>,
) -> Result<Response, Problem> {
    let before = RunId(asked.before.unwrap_or(i64::MAX));
    let limit = limit(asked.limit)?;
    let mut list = web.app.runs(who.actor(), before, limit as i64 + 1).await?;
    let more = list.len() > limit;
    list.truncate(limit);
    let next = list.last().filter(|_| more).map(|r| r.id.0);
    json(StatusCode::OK, &Runs { runs: list.into_iter().map(RunView::from).collect(), next })
}

/// A run to prepare. Its file leaves once, by `POST /api/v1/runs/{id}/download`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RunAsked {
    #[schema(value_type = Object)]
    definition: Asked,
    #[serde(default)]
    name: String,
    #[serde(default)]
    reason: String,
    /// Run it although it is over everybody or over the limits.
    #[serde(default)]
    decided: bool,
    /// What `POST /step-up/verify` answered for `prepare_report`, where it is a decision.
    #[serde(default)]
    step_up: Option<String>,
}

/// Prepares a run as of now. With an `Idempotency-Key` it is prepared once. 403 `step-up-required` for a
/// report over everybody or over the limits without the proof of a step-up for `prepare_report` with the
/// parameter `definition`: the digest that `POST /api/v1/reports` answers.
#[utoipa::path(post, path = "/api/v1/runs", params(("Idempotency-Key" = Option<String>, Header)), request_body = RunAsked,
    responses((status = 201, body = RunView), (status = 403), (status = 409), (status = 422)))]
pub async fn prepare(
    State(web): State<Web>,
    who: SignedIn,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Result<Response, Problem> {
    let RunAsked { definition, name, reason, decided, step_up: proof } = parse(&body)?;
    let new = NewRun { definition, saved: None, name, reason, decided, proof };
    let act = async { Ok(RunView::from(web.app.prepare_run(who.actor(), new).await?)) };
    idempotency::once(&web, &who, &headers, "POST /api/v1/runs", &body, act).await
}

/// A run.
#[utoipa::path(get, path = "/api/v1/runs/{id}", params(("id" = i64, Path)), responses((status = 200, body = RunView)))]
pub async fn run(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<RunId>,
) -> Result<Response, Problem> {
    let mut view = RunView::from(web.app.run(who.actor(), id).await?);
    if let Some(progress) = web.app.transfers.progress(id) {
        (view.rows, view.bytes) = (progress.rows() as i64, progress.bytes() as i64);
    }
    json(StatusCode::OK, &view)
}

/// The file, once, as it is made. Its start entry is durable before the first byte. 403 `step-up-required`
/// for a report over everybody or over the limits without the proof of a step-up for `download_report` with
/// the parameter `run`.
#[utoipa::path(post, path = "/api/v1/runs/{id}/download", params(("id" = i64, Path)), request_body = crate::runs::download::Given,
    responses((status = 200, content_type = "text/csv"), (status = 403), (status = 404), (status = 409)))]
pub async fn download(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<RunId>,
    given: Json<crate::runs::download::Given>,
) -> Result<Response, Problem> {
    crate::runs::download::file(&web, &who, id, given.step_up.as_deref()).await
}

/// Stops a transfer, or puts a run aside whose file has not begun to leave.
#[utoipa::path(post, path = "/api/v1/runs/{id}/cancel", params(("id" = i64, Path)), request_body = Object,
    responses((status = 204), (status = 404), (status = 409)))]
pub async fn cancel(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<RunId>,
    _: Json<Value>,
) -> Result<StatusCode, Problem> {
    web.app.cancel_run(who.actor(), id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A file to hold against a run's record, as `multipart/form-data`.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes a form, which is read as it comes")]
pub struct Theirs {
    #[schema(format = Binary)]
    file: String,
}

/// What a file is beside the record.
#[derive(Debug, Serialize, ToSchema)]
pub struct Compared {
    identical: bool,
    bytes: u64,
    sha256: String,
    /// Where it differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

/// Holds somebody's file against a run's record. It is read once and not kept.
#[utoipa::path(post, path = "/api/v1/runs/{id}/compare", params(("id" = i64, Path)),
    request_body(content = Theirs, content_type = "multipart/form-data"),
    responses((status = 200, body = Compared), (status = 404), (status = 409)))]
pub async fn compare(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<RunId>,
    mut form: Multipart,
) -> Result<Response, Problem> {
    let checked = crate::runs::compare::check(&web, &who, id, &mut form).await?;
    let answer = Compared {
        identical: checked.difference.is_none(),
        bytes: checked.bytes,
        sha256: checked.sha256,
        detail: checked.difference.as_ref().map(difference),
    };
    json(StatusCode::OK, &answer)
}

fn difference(d: &Difference) -> String {
    match d {
        Difference::Within { from, to } => format!("within bytes {} to {to}", from + 1),
        Difference::Length { recorded, made } => {
            format!("the record has {recorded} bytes, this has {made}; what both have is the same")
        }
        other => format!("{other:?}"),
    }
}

/// A replay: running, or what came of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReplayView {
    run: i64,
    /// `running`, `identical`, `differs`, `failed`.
    state: &'static str,
    bytes: u64,
    /// Where it differs or why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

/// Begins to re-create a run in the background.
#[utoipa::path(post, path = "/api/v1/replays/{id}", params(("id" = i64, Path)), responses((status = 202, body = ReplayView)))]
pub async fn start_replay(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<RunId>,
    _: Json<serde_json::Value>,
) -> Result<Response, Problem> {
    web.app.start_replay(who.actor(), id).await?;
    json(StatusCode::ACCEPTED, &replay_of(&web, id)?)
}

/// How far the replay of a run is, or what came of it.
#[utoipa::path(get, path = "/api/v1/replays/{id}", params(("id" = i64, Path)), responses((status = 200, body = ReplayView)))]
pub async fn replay(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<RunId>,
) -> Result<Response, Problem> {
    web.app.run(who.actor(), id).await?;
    json(StatusCode::OK, &replay_of(&web, id)?)
}

/// Stops a replay.
#[utoipa::path(delete, path = "/api/v1/replays/{id}", params(("id" = i64, Path)), request_body = Object,
    responses((status = 204), (status = 409)))]
pub async fn stop_replay(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<RunId>,
    _: Json<Value>,
) -> Result<StatusCode, Problem> {
    web.app.cancel_replay(who.actor(), id)?;
    Ok(StatusCode::NO_CONTENT)
}

fn replay_of(web: &Web, id: RunId) -> Result<ReplayView, Problem> {
    let job = web.app.replays.job(id).ok_or_else(Problem::not_found)?;
    let view = |state, bytes, detail| ReplayView { run: id.0, state, bytes, detail };
    Ok(match job.outcome.get() {
        None => view("running", job.progress.bytes(), None),
        Some((Err(why), _)) => view("failed", job.progress.bytes(), Some(why.clone())),
        Some((Ok(made), _)) => match &made.difference {
            None => view("identical", made.bytes, None),
            Some(d) => view("differs", made.bytes, Some(difference(d))),
        },
    })
}
