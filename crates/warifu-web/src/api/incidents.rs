//! `/api/v1/incidents` with their downloads and matches.

use super::cases::parse;
use super::{Leaving, Made, Shown, gated, idempotency, json};
use crate::csrf::Json;
use crate::problem::Problem;
use crate::session::SignedIn;
use crate::state::Web;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use warifu_app::incidents::{NewDownload, Room};
use warifu_domain::{DefinitionId, DownloadId, IncidentId, Timestamp};

/// An incident.
#[derive(Debug, Serialize, ToSchema)]
pub struct Incident {
    id: i64,
    title: String,
    summary: String,
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
    who: String,
    network: String,
    matched: bool,
}

impl From<Room> for Incident {
    fn from(room: Room) -> Incident {
        let download = |d: warifu_app::incidents::Download| Download {
            id: d.id,
            at: Timestamp(d.at).to_string(),
            bytes: d.bytes,
            tolerance: d.tolerance,
            measure: d.measure,
            rows: d.row_count,
            who: d.who,
            network: d.network,
            matched: d.matched_at.is_some(),
        };
        Incident {
            id: room.incident.id,
            title: room.incident.title,
            summary: room.incident.summary,
            state: room.incident.state,
            opened: Timestamp(room.incident.opened_at).to_string(),
            downloads: room.downloads.into_iter().map(download).collect(),
        }
    }
}

/// Incidents, newest first.
#[utoipa::path(get, path = "/api/v1/incidents", responses((status = 200, body = [Incident])))]
pub async fn list(State(web): State<Web>, who: SignedIn) -> Result<Response, Problem> {
    let rooms = web.app.incidents(who.actor()).await?;
    json(StatusCode::OK, &rooms.into_iter().map(Incident::from).collect::<Vec<_>>())
}

/// One incident.
#[utoipa::path(get, path = "/api/v1/incidents/{id}", params(("id" = i64, Path)), responses((status = 200, body = Incident), (status = 404)))]
pub async fn one(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<IncidentId>,
) -> Result<Response, Problem> {
    json(StatusCode::OK, &Incident::from(web.app.incident(who.actor(), id).await?))
}

/// Closes an incident. What was found stays.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/close", params(("id" = i64, Path)), request_body = Object,
    responses((status = 204), (status = 404), (status = 409)))]
pub async fn close(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<IncidentId>,
    _: Json<Value>,
) -> Result<StatusCode, Problem> {
    web.app.close_incident(who.actor(), id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// An incident to open.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewIncident {
    title: String,
    #[serde(default)]
    summary: String,
}

/// Opens an incident. With an `Idempotency-Key` it is opened once.
#[utoipa::path(post, path = "/api/v1/incidents", params(("Idempotency-Key" = Option<String>, Header)), request_body = NewIncident, responses((status = 201, body = Made)))]
pub async fn open(
    State(web): State<Web>,
    who: SignedIn,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Result<Response, Problem> {
    let new: NewIncident = parse(&body)?;
    let act = async {
        let id = web.app.open_incident(who.actor(), &new.title, &new.summary).await?;
        Ok(Made { id: id.0, reference: Some(format!("INC-{id}")) })
    };
    idempotency::once(&web, &who, &headers, "POST /api/v1/incidents", &body, act).await
}

/// Telemetry of a download. Texts are read as `warifu match` reads its options.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
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

/// Records a download. With an `Idempotency-Key` it is recorded once.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/downloads", params(("id" = i64, Path), ("Idempotency-Key" = Option<String>, Header)), request_body = Telemetry, responses((status = 201, body = Made)))]
pub async fn record(
    State(web): State<Web>,
    who: SignedIn,
    Path(incident): Path<IncidentId>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Result<Response, Problem> {
    let t: Telemetry = parse(&body)?;
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
    let act = async {
        let id = web.app.record_download(who.actor(), incident, new).await?;
        Ok(Made { id: id.0, reference: None })
    };
    let route = format!("POST /api/v1/incidents/{incident}/downloads");
    idempotency::once(&web, &who, &headers, &route, &body, act).await
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

/// Stops a search.
#[utoipa::path(delete, path = "/api/v1/incidents/{id}/downloads/{download}/match", params(("id" = i64, Path), ("download" = i64, Path)), request_body = Object,
    responses((status = 204), (status = 404), (status = 409)))]
pub async fn stop(
    State(web): State<Web>,
    who: SignedIn,
    Path((incident, id)): Path<(IncidentId, DownloadId)>,
    _: Json<Value>,
) -> Result<StatusCode, Problem> {
    web.app.download(who.actor(), incident, id).await?;
    web.app.cancel_match(who.actor(), id)?;
    Ok(StatusCode::NO_CONTENT)
}

/// A first guess: the saved definition that was thought to be the download's.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Guess {
    #[schema(value_type = i64)]
    definition: DefinitionId,
    /// The current one when it is left out.
    version: Option<i64>,
}

/// Keeps the first guess; the answer of the match then says why it differs.
#[utoipa::path(put, path = "/api/v1/incidents/{id}/downloads/{download}/guess", params(("id" = i64, Path), ("download" = i64, Path)), request_body = Guess,
    responses((status = 204), (status = 404)))]
pub async fn guess(
    State(web): State<Web>,
    who: SignedIn,
    Path((incident, id)): Path<(IncidentId, DownloadId)>,
    Json(guess): Json<Guess>,
) -> Result<StatusCode, Problem> {
    web.app.set_guess(who.actor(), incident, id, guess.definition, guess.version).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
pub struct Which {
    /// Rank of a candidate, from 1; the first when it is left out.
    candidate: Option<u64>,
}

/// Who and what a candidate's file contained.
#[utoipa::path(get, path = "/api/v1/incidents/{id}/downloads/{download}/exposure", params(("id" = i64, Path), ("download" = i64, Path), Which),
    responses((status = 200, body = Object), (status = 404)))]
pub async fn exposure(
    State(web): State<Web>,
    who: SignedIn,
    Path((incident, id)): Path<(IncidentId, DownloadId)>,
    Query(which): Query<Which>,
) -> Result<Response, Problem> {
    let rank = which.candidate.unwrap_or(1);
    let found = web.app.exposure(who.actor(), incident, id, rank).await?;
    let leaving = Leaving {
        route: "/api/v1/incidents/{id}/downloads/{download}/exposure",
        organization: None,
        query: serde_json::json!({"id": incident, "download": id, "candidate": rank}),
        ids: found.largest.iter().map(|o| o.id).collect(),
        shown: Shown::Nobody,
    };
    gated(&web, &who, leaving, StatusCode::OK, &found).await
}
