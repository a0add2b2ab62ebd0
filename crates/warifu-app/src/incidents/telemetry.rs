//! What a log outside of Warifu recorded about a download.

use super::compare::Guess;
use super::rooms::said;
use crate::live::Event;
use crate::{App, AppError};
use warifu_domain::access::{Actor, Permission};
use warifu_domain::refusal;
use warifu_domain::{DefinitionId, DownloadId, IncidentId, RunId, Timestamp};
use warifu_match::target::{Measure, Target, Tolerance, parse_size};
use warifu_storage::incidents::{self, Download};
use warifu_storage::reports;

/// A download as somebody types it in. Texts are read as `warifu match` reads them.
#[derive(Clone, Debug, Default)]
pub struct NewDownload {
    pub at: Option<Timestamp>,
    /// `585000000`, `585,000,000`, `64KiB`.
    pub bytes: String,
    /// `0`, `0.1%`, `64KiB`; empty for 0.
    pub tolerance: String,
    /// `body`, `http`, `tls`, `base64`, `rounded:KB`, `wrapped32`, `at-least`; empty for `body`.
    pub measure: String,
    pub rows: Option<u64>,
    pub who: String,
    pub network: String,
    /// Which log it came from.
    pub source: String,
}

/// Longest text of who, network and source, in characters.
const MAX_TEXT: usize = 200;

impl App {
    /// Records a download in an incident.
    ///
    /// # Errors
    /// Denied, not found, or what is wrong with the download.
    pub async fn record_download(
        &self,
        actor: &Actor,
        incident: IncidentId,
        new: NewDownload,
    ) -> Result<DownloadId, AppError> {
        actor.require(Permission::Investigate)?;
        let bytes = parse_size(&new.bytes).map_err(|e| AppError::invalid("bytes", e.refusal()))?;
        let bytes = i64::try_from(bytes).ok().filter(|b| *b > 0).ok_or_else(|| {
            AppError::invalid("bytes", refusal!("bytes-none", "a file has at least one byte"))
        })?;
        let tolerance = text_or(&new.tolerance, "0");
        let _: Tolerance = tolerance.parse().map_err(|e: warifu_match::target::BadTarget| {
            AppError::invalid("tolerance", e.refusal())
        })?;
        let measure = text_or(&new.measure, "body");
        let _: Measure = measure.parse().map_err(|e: warifu_match::target::BadTarget| {
            AppError::invalid("measure", e.refusal())
        })?;
        let at = new.at.ok_or_else(|| {
            AppError::invalid("at", refusal!("at-none", "give the time of the download"))
        })?;
        if at > self.now() {
            return Err(AppError::invalid(
                "at",
                refusal!("at-future", "this time is still to come"),
            ));
        }
        let rows = new.rows.map(i64::try_from).transpose().map_err(|_| {
            AppError::invalid("rows", refusal!("rows", "this is no number of rows"))
        })?;
        for (field, text) in [("who", &new.who), ("network", &new.network), ("source", &new.source)]
        {
            if text.chars().count() > MAX_TEXT || text.contains('\0') {
                return Err(AppError::invalid(
                    field,
                    refusal!("text-long", "at most {limit} characters are kept", limit = MAX_TEXT),
                ));
            }
        }
        let download = Download {
            id: 0,
            incident_id: incident.0,
            at: at.0,
            bytes,
            tolerance: tolerance.to_owned(),
            measure: measure.to_owned(),
            row_count: rows,
            who: new.who.trim().to_owned(),
            network: new.network.trim().to_owned(),
            source: new.source.trim().to_owned(),
            guess: String::new(),
            result: None,
            matched_at: None,
        };
        self.keep_download(actor, incident, &download).await
    }

    /// Records the download of a run of this installation: size, rows and time as its receipt says.
    ///
    /// # Errors
    /// Denied, not found, or a run whose file has not left.
    pub async fn record_run(
        &self,
        actor: &Actor,
        incident: IncidentId,
        run: RunId,
    ) -> Result<DownloadId, AppError> {
        actor.require(Permission::Investigate)?;
        let found = reports::run(&mut self.db.read().await?.conn(), run).await?;
        let run = found.ok_or(AppError::NotFound("report run"))?;
        if run.ended_at.is_none() || run.bytes == 0 {
            return Err(AppError::Conflict(refusal!(
                "run-not-left",
                "the file of this run has not left"
            )));
        }
        let whole = run.state == reports::RunState::Done;
        let download = Download {
            id: 0,
            incident_id: incident.0,
            at: run.as_of_at.0,
            bytes: run.bytes,
            tolerance: "0".into(),
            measure: if whole { "body" } else { "at-least" }.into(),
            row_count: whole.then_some(run.rows),
            who: format!("person {}", run.actor),
            network: String::new(),
            source: format!("run {}", run.id),
            guess: String::new(),
            result: None,
            matched_at: None,
        };
        self.keep_download(actor, incident, &download).await
    }

    async fn keep_download(
        &self,
        actor: &Actor,
        incident: IncidentId,
        download: &Download,
    ) -> Result<DownloadId, AppError> {
        let mut change = self.change().await?;
        let found = incidents::find(&mut change.conn(), incident).await?;
        let found = found.ok_or(AppError::NotFound("incident"))?;
        if found.state != "open" {
            return Err(AppError::Conflict(refusal!("incident-closed", "the incident is closed")));
        }
        let id = incidents::insert_download(&mut change.conn(), download).await?;
        change.record(actor, None, &said(incident, "download_recorded", Some(id))).await?;
        change.tell(Event::Incident(incident));
        change.commit().await?;
        Ok(id)
    }

    /// Keeps which saved definition was thought to be the download's. When the match has been made
    /// already, the comparison is made now; else with the match.
    ///
    /// # Errors
    /// Denied, or not found.
    pub async fn set_guess(
        &self,
        actor: &Actor,
        incident: IncidentId,
        id: DownloadId,
        definition: DefinitionId,
        version: Option<i64>,
    ) -> Result<(), AppError> {
        actor.require(Permission::Investigate)?;
        let download = self.download(actor, incident, id).await?;
        let found =
            reports::definition(&mut self.db.read().await?.conn(), definition, version).await?;
        let saved = found.ok_or(AppError::NotFound("report definition"))?;
        let guess = Guess {
            id: saved.id,
            version: saved.version,
            name: saved.name,
            definition: saved.definition,
        };
        let text = serde_json::to_string(&guess).map_err(|e| AppError::Internal(e.to_string()))?;
        let result = match &download.result {
            Some(result) => Some(self.compared(result, &guess).await?),
            None => None,
        };
        let mut change = self.change().await?;
        incidents::set_guess(&mut change.conn(), id, &text).await?;
        if let Some(result) = result {
            let at = Timestamp(download.matched_at.unwrap_or_default());
            incidents::set_result(&mut change.conn(), id, &result, at).await?;
        }
        change.record(actor, None, &said(incident, "guess_set", Some(id))).await?;
        change.tell(Event::Incident(incident));
        change.commit().await?;
        Ok(())
    }

    /// # Errors
    /// Denied, or not found.
    pub async fn download(
        &self,
        actor: &Actor,
        incident: IncidentId,
        id: DownloadId,
    ) -> Result<Download, AppError> {
        actor.require(Permission::Investigate)?;
        let found = incidents::download(&mut self.db.read().await?.conn(), incident, id).await?;
        found.ok_or(AppError::NotFound("recorded download"))
    }
}

/// What is looked for, from a stored download.
pub(super) fn target(download: &Download) -> Result<Target, AppError> {
    Ok(Target {
        bytes: download.bytes as u64,
        tolerance: download.tolerance.parse().map_err(|e: warifu_match::target::BadTarget| {
            AppError::invalid("tolerance", e.refusal())
        })?,
        rows: download.row_count.map(|n| n as u64),
        measure: download.measure.parse().map_err(|e: warifu_match::target::BadTarget| {
            AppError::invalid("measure", e.refusal())
        })?,
    })
}

fn text_or<'a>(text: &'a str, default: &'a str) -> &'a str {
    match text.trim() {
        "" => default,
        text => text,
    }
}
