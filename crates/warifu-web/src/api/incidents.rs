//! `/api/v1/incidents` with their downloads and matches.

use super::{Made, json};
use crate::csrf::Json;
use crate::problem::Problem;
use crate::session::SignedIn;
use crate::state::Web;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warifu_app::incidents::NewDownload;
use warifu_domain::{DownloadId, IncidentId, Timestamp};

/// An incident.
#[derive(Debug, Serialize, ToSchema)]
pub struct Incident {
    id: i64,
    title: String,
    /// `open` or `closed`.
    state: String,
    opened: String,
    downloads: Vec<Download>,
}

/// A download that something outside recorded.
#[derive(Debug, Serialize, ToSchema)]
pub struct Download {
    id: i64,
    at: String,
    bytes: i64,
    tolerance: String,
    measure: String,
    rows: Option<i64>,
    matched: bool,
}

/// Incidents, newest first.
#[utoipa::path(get, path = "/api/v1/incidents", responses((status = 200, body = [Incident])))]
pub async fn list(State(web): State<Web>, who: SignedIn) -> Result<Response, Problem> {
    let rooms = web.app.incidents(who.actor()).await?;
    let list = rooms.into_iter().map(|room| Incident {
        id: room.incident.id,
        title: room.incident.title,
        state: room.incident.state,
        opened: Timestamp(room.incident.opened_at).to_string(),
        downloads: room
            .downloads
            .into_iter()
            .map(|d| Download {
                id: d.id,
                at: Timestamp(d.at).to_string(),
                bytes: d.bytes,
                tolerance: d.tolerance,
                measure: d.measure,
                rows: d.row_count,
                matched: d.matched_at.is_some(),
            })
            .collect(),
    });
    json(StatusCode::OK, &list.collect::<Vec<_>>())
}

/// An incident to open.
#[derive(Debug, Deserialize, ToSchema)]
pub struct NewIncident {
    title: String,
    #[serde(default)]
    summary: String,
}

/// Opens an incident.
#[utoipa::path(post, path = "/api/v1/incidents", request_body = NewIncident, responses((status = 201, body = Made)))]
pub async fn open(
    State(web): State<Web>,
    who: SignedIn,
    Json(new): Json<NewIncident>,
) -> Result<Response, Problem> {
    let id = web.app.open_incident(who.actor(), &new.title, &new.summary).await?;
    json(StatusCode::CREATED, &Made { id: id.0, reference: Some(format!("INC-{id}")) })
}

/// Telemetry of a download. Texts are read as `warifu match` reads its options.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Telemetry {
    /// RFC 3339.
    #[schema(value_type = String)]
    at: Timestamp,
    bytes: u64,
    #[serde(default)]
    tolerance: String,
    #[serde(default)]
    measure: String,
    rows: Option<u64>,
    #[serde(default)]
    who: String,
    #[serde(default)]
    network: String,
    #[serde(default)]
    source: String,
}

/// Records a download.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/downloads", params(("id" = i64, Path)), request_body = Telemetry, responses((status = 201, body = Made)))]
pub async fn record(
    State(web): State<Web>,
    who: SignedIn,
    Path(incident): Path<IncidentId>,
    Json(t): Json<Telemetry>,
) -> Result<Response, Problem> {
    let new = NewDownload {
        at: Some(t.at),
        bytes: t.bytes.to_string(),
        tolerance: t.tolerance,
        measure: t.measure,
        rows: t.rows,
        who: t.who,
        network: t.network,
        source: t.source,
    };
    let id = web.app.record_download(who.actor(), incident, new).await?;
    json(StatusCode::CREATED, &Made { id: id.0, reference: None })
}

/// A search: running, or its answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct Match {
    /// `none`, `running`, `done`, `failed`.
    state: &'static str,
    /// Thousandths of the work.
    permille: u64,
    /// As `warifu match --json`, and `as_of`, `states`, `exposed`, `guess`.
    #[schema(value_type = Object)]
    answer: Option<serde_json::Value>,
}

/// Begins to search for the definitions behind a download.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/downloads/{download}/match", params(("id" = i64, Path), ("download" = i64, Path)), responses((status = 202, body = Match)))]
pub async fn start(
    State(web): State<Web>,
    who: SignedIn,
    Path((incident, id)): Path<(IncidentId, DownloadId)>,
    _: Json<serde_json::Value>,
) -> Result<Response, Problem> {
    web.app.start_match(who.actor(), incident, id).await?;
    json(StatusCode::ACCEPTED, &Match { state: "running", permille: 0, answer: None })
}

/// How far the search is, or its answer.
#[utoipa::path(get, path = "/api/v1/incidents/{id}/downloads/{download}/match", params(("id" = i64, Path), ("download" = i64, Path)), responses((status = 200, body = Match)))]
pub async fn answer(
    State(web): State<Web>,
    who: SignedIn,
    Path((incident, id)): Path<(IncidentId, DownloadId)>,
) -> Result<Response, Problem> {
    let download = web.app.download(who.actor(), incident, id).await?;
    let answer: Option<serde_json::Value> =
        download.result.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let view = match (web.app.matches.progress(id), &answer) {
        (Some(p), _) => Match { state: "running", permille: p.permille(), answer: None },
        (None, Some(_)) => Match { state: "done", permille: 1_000, answer },
        (None, None) if web.app.matches.failure(id).is_some() => {
            Match { state: "failed", permille: 0, answer: None }
        }
        (None, None) => Match { state: "none", permille: 0, answer: None },
    };
    json(StatusCode::OK, &view)
}
