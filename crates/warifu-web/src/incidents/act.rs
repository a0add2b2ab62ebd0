//! What is done in the incident room.

use super::room::{self, number};
use crate::csrf::Form;
use crate::page::page_with;
use crate::problem::Problem;
use crate::session::Staff;
use crate::state::Web;
use crate::views::incidents::{NewIncident, TelemetryForm};
use crate::views::shell::Place;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use warifu_app::AppError;
use warifu_app::incidents::NewDownload;
use warifu_domain::refusal;
use warifu_domain::{DefinitionId, DownloadId, Timestamp};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Opened {
    title: String,
    summary: String,
}

/// `POST /incidents/new`
pub async fn create(
    State(web): State<Web>,
    who: Staff,
    Form(new): Form<Opened>,
) -> Result<Response, Problem> {
    match web.app.open_incident(who.actor(), &new.title, &new.summary).await {
        Ok(id) => Ok(Redirect::to(&format!("/incidents/{id}")).into_response()),
        Err(AppError::Invalid { field, what }) => {
            let shell = who.shell(Place::Incidents, "").await?;
            let errors = vec![(field.to_owned(), who.taste.lang.refusal(&what))];
            let view = NewIncident { shell, title: new.title, summary: new.summary, errors };
            page_with(StatusCode::UNPROCESSABLE_ENTITY, view)
        }
        Err(e) => Err(e.into()),
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Telemetry {
    bytes: String,
    tolerance: String,
    measure: String,
    at: String,
    rows: String,
    who: String,
    network: String,
}

/// `POST /incidents/{reference}/downloads`: records a download and begins to search.
pub async fn record(
    State(web): State<Web>,
    who: Staff,
    Path(reference): Path<String>,
    Form(t): Form<Telemetry>,
) -> Result<Response, Problem> {
    let incident = number(&reference)?;
    let rows: String = t.rows.chars().filter(|c| !matches!(c, ',' | ' ')).collect();
    let rows = match rows.as_str() {
        "" => Ok(None),
        text => text
            .parse()
            .map(Some)
            .map_err(|_| AppError::invalid("rows", refusal!("number", "this is no number"))),
    };
    let at = Timestamp::parse(&t.at).map_err(|e| AppError::invalid("at", e.refusal()));
    let done = async {
        let new = NewDownload {
            at: Some(at?),
            bytes: t.bytes.clone(),
            tolerance: t.tolerance.clone(),
            measure: t.measure.clone(),
            rows: rows?,
            who: t.who.clone(),
            network: t.network.clone(),
            source: String::new(),
        };
        let id = web.app.record_download(who.actor(), incident, new).await?;
        web.app.start_match(who.actor(), incident, id).await?;
        Ok(id)
    };
    match done.await {
        Ok(id) => {
            let to = format!("/incidents/{reference}?download={id}");
            Ok(Redirect::to(&to).into_response())
        }
        Err(AppError::Invalid { field, what }) => {
            let form = TelemetryForm {
                measures: room::measures(who.taste.lang, &t.measure),
                bytes: t.bytes,
                tolerance: t.tolerance,
                at: t.at,
                rows: t.rows,
                who: t.who,
                network: t.network,
                errors: vec![(field.to_owned(), who.taste.lang.refusal(&what))],
            };
            room::show(&web, &who, incident, None, 1, Some(form)).await
        }
        Err(e) => Err(e.into()),
    }
}

#[derive(Deserialize)]
pub struct Nothing {}

/// `POST /incidents/{reference}/downloads/{id}/search`
pub async fn search(
    State(web): State<Web>,
    who: Staff,
    Path((reference, id)): Path<(String, DownloadId)>,
    _: Form<Nothing>,
) -> Result<Response, Problem> {
    web.app.start_match(who.actor(), number(&reference)?, id).await?;
    Ok(Redirect::to(&format!("/incidents/{reference}?download={id}")).into_response())
}

/// `POST /incidents/{reference}/downloads/{id}/cancel`
pub async fn cancel(
    State(web): State<Web>,
    who: Staff,
    Path((reference, id)): Path<(String, DownloadId)>,
    _: Form<Nothing>,
) -> Result<Response, Problem> {
    web.app.cancel_match(who.actor(), id)?;
    Ok(Redirect::to(&format!("/incidents/{reference}?download={id}")).into_response())
}

#[derive(Deserialize)]
pub struct Guessed {
    definition: DefinitionId,
}

/// `POST /incidents/{reference}/downloads/{id}/guess`
pub async fn guess(
    State(web): State<Web>,
    who: Staff,
    Path((reference, id)): Path<(String, DownloadId)>,
    Form(guessed): Form<Guessed>,
) -> Result<Response, Problem> {
    let incident = number(&reference)?;
    web.app.set_guess(who.actor(), incident, id, guessed.definition, None).await?;
    Ok(Redirect::to(&format!("/incidents/{reference}?download={id}#why")).into_response())
}

/// `POST /incidents/{reference}/close`
pub async fn close(
    State(web): State<Web>,
    who: Staff,
    Path(reference): Path<String>,
    _: Form<Nothing>,
) -> Result<Response, Problem> {
    web.app.close_incident(who.actor(), number(&reference)?).await?;
    Ok(Redirect::to("/incidents").into_response())
}
