//! `GET /incidents`, `GET /incidents/new`, `GET /incidents/{reference}`

use super::show;
use crate::i18n::Lang;
use crate::page::{Leaving, Shown, gated, page, page_with};
use crate::problem::Problem;
use crate::reports::words::at;
use crate::session::Staff;
use crate::state::Web;
use crate::views::incidents::{
    IncidentList, IncidentRoom, IncidentRow, Moment, MomentKind, NewIncident, TelemetryForm,
};
use crate::views::markup::{Choice, Tone};
use crate::views::shell::{Flash, Place};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use warifu_app::AppError;
use warifu_app::incidents::{Download, Room};
use warifu_domain::access::Permission;
use warifu_domain::{DownloadId, IncidentId, Timestamp};

/// The number in an incident's address: `7` or `INC-7`.
pub fn number(reference: &str) -> Result<IncidentId, Problem> {
    let digits = reference.trim_start_matches("INC-");
    digits.parse().map_err(|_| Problem::not_found())
}

pub fn reference(id: i64) -> String {
    format!("INC-{id}")
}

/// The stored result of a download's match.
pub fn result(download: &Download) -> Option<Value> {
    serde_json::from_str(download.result.as_deref()?).ok()
}

pub async fn list(State(web): State<Web>, who: Staff) -> Result<Response, Problem> {
    let rooms = web.app.incidents(who.actor()).await?;
    let shell = who.shell(Place::Incidents, "").await?;
    let lang = shell.lang;
    let people = |room: &Room| {
        let each = room.downloads.iter().filter_map(result);
        each.filter_map(|r| r["exposed"]["people"].as_i64()).max()
    };
    let rows = rooms.iter().map(|room| IncidentRow {
        reference: reference(room.incident.id),
        title: room.incident.title.clone(),
        open: room.incident.state == "open",
        downloads: room.downloads.len() as i64,
        matched: room.downloads.iter().filter(|d| d.matched_at.is_some()).count() as i64,
        people: people(room),
        opened: at(lang, Timestamp(room.incident.opened_at)),
    });
    page(IncidentList { rows: rows.collect(), shell })
}

pub async fn new(State(_): State<Web>, who: Staff) -> Result<Response, Problem> {
    who.actor().require(Permission::Investigate).map_err(AppError::from)?;
    let shell = who.shell(Place::Incidents, "").await?;
    page(NewIncident { shell, title: String::new(), summary: String::new(), errors: Vec::new() })
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    download: Option<DownloadId>,
    candidate: Option<u64>,
}

pub async fn room(
    State(web): State<Web>,
    who: Staff,
    Path(reference): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let rank = asked.candidate.unwrap_or(1);
    show(&web, &who, number(&reference)?, asked.download, rank, None).await
}

pub async fn show(
    web: &Web,
    who: &Staff,
    id: IncidentId,
    download: Option<DownloadId>,
    rank: u64,
    form: Option<TelemetryForm>,
) -> Result<Response, Problem> {
    let room = web.app.incident(who.actor(), id).await?;
    let mut shell = who.shell(Place::Incidents, "").await?;
    let lang = shell.lang;
    let current = match download {
        Some(d) => room.downloads.iter().find(|x| x.id == d.0),
        None => room.downloads.last(),
    };
    let downloads = room
        .downloads
        .iter()
        .map(|d| show::recorded(web, lang, d, current.is_some_and(|c| c.id == d.id)))
        .collect();
    let failure = current.and_then(|d| web.app.matches.failure(DownloadId(d.id)));
    shell.flash = failure.map(|why| {
        let text = lang.t_args("search-failed", &[("why", &lang.refusal(&why))]);
        Flash { tone: Tone::Bad, text }
    });
    let matching = current.map(|d| show::matching(web, lang, d, rank));
    let exposure = match current {
        Some(d) if matching.as_ref().is_some_and(|m| !m.candidates.is_empty()) => {
            let found = web.app.exposure(who.actor(), id, DownloadId(d.id), rank).await;
            match found {
                Ok(found) => Some((
                    found.largest.iter().map(|o| o.id).collect(),
                    show::exposure(lang, &found),
                )),
                Err(AppError::NotFound(_)) => None,
                Err(e) => return Err(e.into()),
            }
        }
        _ => None,
    };
    let (ids, exposure): (Option<Vec<i64>>, _) = exposure.unzip();
    let status = match form {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    let entry = form.unwrap_or_else(|| TelemetryForm {
        tolerance: "0".into(),
        measures: measures(lang, "body"),
        ..TelemetryForm::default()
    });
    let guesses = match current {
        Some(_) => web.app.definitions(who.actor()).await?,
        None => Vec::new(),
    };
    let guessed = current.and_then(|d| serde_json::from_str::<Value>(&d.guess).ok());
    let guessed = guessed.and_then(|g| g["id"].as_i64());
    let view = IncidentRoom {
        reference: reference(room.incident.id),
        title: room.incident.title.clone(),
        summary: room.incident.summary.clone(),
        downloads,
        entry,
        matching,
        exposure,
        timeline: timeline(lang, &room),
        evidence: Vec::new(),
        bundle_digest: String::new(),
        open: room.incident.state == "open",
        guesses: guesses
            .iter()
            .map(|d| Choice::new(d.id.to_string(), &d.name, Some(d.id.0) == guessed))
            .collect(),
        shell,
    };
    // Which organizations are affected leaves like the API's answer; a room without it is no record.
    let Some(ids) = ids else { return page_with(status, view) };
    let leaving = Leaving {
        route: "/incidents/{reference}",
        organization: None,
        query: json!({"incident": id, "download": download, "candidate": rank}),
        ids,
        shown: Shown::Nobody,
    };
    gated(web, who, status, leaving, view).await
}

/// What a size can measure.
pub fn measures(lang: Lang, chosen: &str) -> Vec<Choice> {
    [
        ("body", "measure-body"),
        ("http", "measure-http"),
        ("tls", "measure-tls"),
        ("base64", "measure-base64"),
        ("rounded:KB", "measure-rounded"),
        ("wrapped32", "measure-wrapped"),
        ("at-least", "measure-at-least"),
    ]
    .into_iter()
    .map(|(value, id)| Choice::new(value, lang.t(id), value == chosen))
    .collect()
}

fn timeline(lang: Lang, room: &Room) -> Vec<Moment> {
    let mut moments: Vec<(i64, Moment)> = Vec::new();
    let mut add = |micros: i64, title: &str, text: String, kind: MomentKind| {
        let moment = Moment { at: at(lang, Timestamp(micros)), title: lang.t(title), text, kind };
        moments.push((micros, moment));
    };
    for d in &room.downloads {
        add(d.at, "moment-downloaded", lang.bytes(d.bytes), MomentKind::Hot);
        if let Some(matched) = d.matched_at {
            let guess = result(d).and_then(|r| {
                let name =
                    r["guess"]["guess"]["name"].as_str().filter(|n| !n.is_empty())?.to_owned();
                Some(lang.t_args("moment-guess", &[("name", &name)]))
            });
            add(matched, "moment-matched", guess.unwrap_or_default(), MomentKind::Revision);
        }
    }
    add(room.incident.opened_at, "moment-opened", String::new(), MomentKind::Plain);
    if let Some(closed) = room.incident.closed_at {
        add(closed, "moment-closed", String::new(), MomentKind::Plain);
    }
    moments.sort_by_key(|(at, _)| *at);
    moments.into_iter().map(|(_, moment)| moment).collect()
}
