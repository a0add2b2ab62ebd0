//! `/api/v1/definitions`, `/api/v1/reports`, `/api/v1/runs`, `/api/v1/replays`

use super::{Made, json, limit};
use crate::csrf::Json;
use crate::problem::Problem;
use crate::session::SignedIn;
use crate::state::Web;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use warifu_app::reports::{Difference, NewRun, Run, SavedDefinition};
use warifu_domain::reports::{Definition as Asked, Weight};
use warifu_domain::{DefinitionId, RunId};

/// A saved definition at a version.
#[derive(Debug, Serialize, ToSchema)]
pub struct Definition {
    id: i64,
    version: i64,
    name: String,
    description: String,
    /// SHA-256 of the canonical JSON of `definition`.
    digest: String,
    /// Subject, columns, filter, order, limit, format.
    #[schema(value_type = Object)]
    definition: Asked,
    /// When this version was saved.
    at: String,
}

impl From<SavedDefinition> for Definition {
    fn from(d: SavedDefinition) -> Definition {
        Definition {
            id: d.id.0,
            version: d.version,
            name: d.name,
            description: d.description,
            digest: d.digest,
            definition: d.definition,
            at: d.at.to_string(),
        }
    }
}

/// A definition to save.
#[derive(Debug, Deserialize, ToSchema)]
pub struct NewDefinition {
    /// Of the definition that gets a new version; absent for a new one.
    id: Option<i64>,
    name: String,
    #[serde(default)]
    description: String,
    #[schema(value_type = Object)]
    definition: Asked,
}

/// Saved definitions at their current versions.
#[utoipa::path(get, path = "/api/v1/definitions", responses((status = 200, body = [Definition])))]
pub async fn definitions(State(web): State<Web>, who: SignedIn) -> Result<Response, Problem> {
    let list = web.app.definitions(who.actor()).await?;
    json(StatusCode::OK, &list.into_iter().map(Definition::from).collect::<Vec<_>>())
}

/// Saves a definition, or a new version of one.
#[utoipa::path(post, path = "/api/v1/definitions", request_body = NewDefinition, responses((status = 201, body = Made)))]
pub async fn save(
    State(web): State<Web>,
    who: SignedIn,
    Json(new): Json<NewDefinition>,
) -> Result<Response, Problem> {
    let id = new.id.map(DefinitionId);
    let saved = web
        .app
        .save_definition(who.actor(), id, &new.name, &new.description, &new.definition)
        .await?;
    json(StatusCode::CREATED, &Made { id: saved.0.0, reference: None })
}

/// What a report would be.
#[derive(Debug, Serialize, ToSchema)]
pub struct Counted {
    revision: i64,
    rows: u64,
    organizations: u64,
    /// Of the file, exact.
    bytes: u64,
    /// Filled fields with personal data.
    personal_fields: u64,
    /// Whether running it is a decision of its own.
    decision: bool,
}

/// Counts a report exactly. Nothing leaves.
#[utoipa::path(post, path = "/api/v1/reports", request_body = Object, responses((status = 200, body = Counted)))]
pub async fn count(
    State(web): State<Web>,
    who: SignedIn,
    Json(definition): Json<Asked>,
) -> Result<Response, Problem> {
    let p = web.app.preview(who.actor(), &definition).await?;
    let counted = Counted {
        revision: p.as_of.0,
        rows: p.rows,
        organizations: p.organizations,
        bytes: p.bytes,
        personal_fields: p.personal_fields,
        decision: p.weight != Weight::Ordinary,
    };
    json(StatusCode::OK, &counted)
}

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

/// Runs, newest first.
#[utoipa::path(get, path = "/api/v1/runs", params(Paged), responses((status = 200, body = [RunView])))]
pub async fn runs(
    State(web): State<Web>,
    who: SignedIn,
    Query(asked): Query<Paged>,
) -> Result<Response, Problem> {
    let before = RunId(asked.before.unwrap_or(i64::MAX));
    let list = web.app.runs(who.actor(), before, limit(asked.limit)? as i64).await?;
    json(StatusCode::OK, &list.into_iter().map(RunView::from).collect::<Vec<_>>())
}

/// A run to prepare. Its file leaves once, by `POST /runs/{id}/download`.
#[derive(Debug, Deserialize, ToSchema)]
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
}

/// Prepares a run as of now.
#[utoipa::path(post, path = "/api/v1/runs", request_body = RunAsked, responses((status = 201, body = RunView)))]
pub async fn prepare(
    State(web): State<Web>,
    who: SignedIn,
    Json(asked): Json<RunAsked>,
) -> Result<Response, Problem> {
    let RunAsked { definition, name, reason, decided } = asked;
    let new = NewRun { definition, saved: None, name, reason, decided };
    let run = web.app.prepare_run(who.actor(), new).await?;
    json(StatusCode::CREATED, &RunView::from(run))
}

/// A run.
#[utoipa::path(get, path = "/api/v1/runs/{id}", params(("id" = i64, Path)), responses((status = 200, body = RunView)))]
pub async fn run(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<RunId>,
) -> Result<Response, Problem> {
    json(StatusCode::OK, &RunView::from(web.app.run(who.actor(), id).await?))
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

fn replay_of(web: &Web, id: RunId) -> Result<ReplayView, Problem> {
    let job = web.app.replays.job(id).ok_or_else(Problem::not_found)?;
    let view = |state, bytes, detail| ReplayView { run: id.0, state, bytes, detail };
    Ok(match job.outcome.get() {
        None => view("running", job.progress.bytes(), None),
        Some((Err(why), _)) => view("failed", job.progress.bytes(), Some(why.clone())),
        Some((Ok(made), _)) => match &made.difference {
            None => view("identical", made.bytes, None),
            Some(Difference::Within { from, to }) => {
                view("differs", made.bytes, Some(format!("within bytes {} to {to}", from + 1)))
            }
            Some(other) => view("differs", made.bytes, Some(format!("{other:?}"))),
        },
    })
}
