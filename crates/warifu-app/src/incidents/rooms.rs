//! The workspaces themselves.

use crate::live::Event;
use crate::{App, AppError};
use warifu_domain::access::{Actor, Permission};
use warifu_domain::refusal;
use warifu_domain::{DownloadId, IncidentId};
use warifu_ledger::body::IncidentChange;
use warifu_storage::incidents::{self, Download, Incident};

/// An incident with what was recorded about it.
#[derive(Clone, Debug)]
pub struct Room {
    pub incident: Incident,
    /// By time.
    pub downloads: Vec<Download>,
}

/// Longest title and summary, in characters.
const MAX_TITLE: usize = 200;
const MAX_SUMMARY: usize = 4_000;

impl App {
    /// Incidents, newest first, with their downloads.
    ///
    /// # Errors
    /// Denied.
    pub async fn incidents(&self, actor: &Actor) -> Result<Vec<Room>, AppError> {
        actor.require(Permission::Investigate)?;
        let mut reader = self.db.read().await?;
        let mut conn = reader.conn();
        let mut rooms = Vec::new();
        for incident in incidents::list(&mut conn).await? {
            let downloads = incidents::downloads(&mut conn, IncidentId(incident.id)).await?;
            rooms.push(Room { incident, downloads });
        }
        Ok(rooms)
    }

    /// # Errors
    /// Denied, or not found.
    pub async fn incident(&self, actor: &Actor, id: IncidentId) -> Result<Room, AppError> {
        actor.require(Permission::Investigate)?;
        let mut reader = self.db.read().await?;
        let mut conn = reader.conn();
        let incident =
            incidents::find(&mut conn, id).await?.ok_or(AppError::NotFound("incident"))?;
        let downloads = incidents::downloads(&mut conn, id).await?;
        Ok(Room { incident, downloads })
    }

    /// Opens an incident.
    ///
    /// # Errors
    /// Denied, or what is wrong with title or summary.
    pub async fn open_incident(
        &self,
        actor: &Actor,
        title: &str,
        summary: &str,
    ) -> Result<IncidentId, AppError> {
        actor.require(Permission::Investigate)?;
        let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
        if title.is_empty() || title.chars().count() > MAX_TITLE || title.contains('\0') {
            return Err(AppError::invalid(
                "title",
                refusal!(
                    "incident-title",
                    "ask the question in 1 to {limit} characters",
                    limit = MAX_TITLE
                ),
            ));
        }
        let summary = summary.trim();
        if summary.chars().count() > MAX_SUMMARY || summary.contains('\0') {
            return Err(AppError::invalid(
                "summary",
                refusal!("text-long", "at most {limit} characters are kept", limit = MAX_SUMMARY),
            ));
        }
        let mut change = self.change().await?;
        let at = change.at();
        let id = incidents::insert(&mut change.conn(), &title, summary, actor.person, at).await?;
        change.record(actor, None, &said(id, "opened", None)).await?;
        change.tell(Event::Incident(id));
        change.commit().await?;
        Ok(id)
    }

    /// Closes an incident. What was found stays.
    ///
    /// # Errors
    /// Denied, not found, or it is closed already.
    pub async fn close_incident(&self, actor: &Actor, id: IncidentId) -> Result<(), AppError> {
        actor.require(Permission::Investigate)?;
        let mut change = self.change().await?;
        let at = change.at();
        if incidents::find(&mut change.conn(), id).await?.is_none() {
            return Err(AppError::NotFound("incident"));
        }
        if !incidents::close(&mut change.conn(), id, at).await? {
            return Err(AppError::Conflict(refusal!(
                "incident-closed-already",
                "the incident is closed already"
            )));
        }
        change.record(actor, None, &said(id, "closed", None)).await?;
        change.tell(Event::Incident(id));
        change.commit().await?;
        Ok(())
    }
}

/// The ledger's word about something that happened in an incident.
pub(super) fn said(id: IncidentId, change: &str, download: Option<DownloadId>) -> IncidentChange {
    IncidentChange {
        incident: id.to_string(),
        change: change.to_owned(),
        item: download.map(|d| d.to_string()),
    }
}
