//! `GET /runs`, `GET /runs/{id}`, `POST /runs/{id}/cancel`

use crate::csrf::Form;
use crate::i18n::Lang;
use crate::page::page;
use crate::problem::Problem;
use crate::reports::words;
use crate::session::Staff;
use crate::state::Web;
use crate::views::cases::Pager;
use crate::views::runs::{Download, Run as View, RunList, RunPage, RunReceipt, RunState as Shown};
use crate::views::shell::Place;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use warifu_app::reports::{Run, RunState};
use warifu_domain::RunId;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    before: Option<i64>,
}

const PAGE: i64 = 50;

pub async fn list(
    State(web): State<Web>,
    who: Staff,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let before = RunId(asked.before.unwrap_or(i64::MAX));
    let mut runs = web.app.runs(who.actor(), before, PAGE + 1).await?;
    let more = runs.len() as i64 > PAGE;
    runs.truncate(PAGE as usize);
    let shell = who.shell(Place::Runs, "").await?;
    let names = web.app.names(runs.iter().map(|r| r.actor)).await?;
    let rows: Vec<View> = runs
        .iter()
        .map(|r| view(&web, shell.lang, r, names.get(&r.actor).map_or("", String::as_str)))
        .collect();
    let older = runs.last().filter(|_| more).map(|r| format!("/runs?before={}", r.id));
    let newer = asked.before.map(|_| "/runs".to_owned());
    let pager = Pager { newer, older, shown: rows.len() as i64, total: None };
    page(RunList { shell, rows, pager })
}

/// A run as pages show it, with how far its transfer is.
pub fn view(web: &Web, lang: Lang, r: &Run, who: &str) -> View {
    let progress = web.app.transfers.progress(r.id);
    let (rows, bytes) = match (&progress, r.state) {
        (Some(p), _) => (p.rows() as i64, p.bytes() as i64),
        // What the file will have is known exactly before it leaves.
        (None, RunState::Prepared) => (r.expected_rows, r.expected_bytes.unwrap_or_default()),
        (None, _) => (r.rows, r.bytes),
    };
    View {
        id: r.id.to_string(),
        name: r.name.clone(),
        definition_href: r
            .saved
            .map_or("/reports".into(), |(id, v)| format!("/reports/{id}?version={v}")),
        filter: words::filter(lang, r.definition.subject, &r.definition.filter),
        who: who.to_owned(),
        purpose: r.reason.clone(),
        state: match r.state {
            RunState::Prepared => Shown::Queued,
            RunState::Running => Shown::Running,
            RunState::Done => Shown::Done,
            RunState::Aborted => Shown::Cancelled,
        },
        rows,
        rows_total: (r.state == RunState::Running).then_some(r.expected_rows),
        bytes,
        started: words::at(lang, r.started_at),
        as_of: words::at(lang, r.as_of_at),
        revision: r.as_of.0,
        failure: match r.state {
            RunState::Aborted => lang.t("run-stopped"),
            _ => String::new(),
        },
    }
}

pub async fn run(
    State(web): State<Web>,
    who: Staff,
    Path(id): Path<RunId>,
) -> Result<Response, Problem> {
    let r = web.app.run(who.actor(), id).await?;
    let step_up = web.app.asks_for_the_key(&r).await?;
    let shell = who.shell(Place::Runs, "").await?;
    let lang = shell.lang;
    let names = web.app.names([r.actor]).await?;
    let name = names.get(&r.actor).cloned().unwrap_or_default();
    let receipt = r.start_seq.map(|seq| RunReceipt {
        entry: r.end_seq.filter(|s| *s >= 0).unwrap_or(seq) + 1,
        digest: words::grouped(&r.sha256),
        format: words::format(&r.definition.format),
        columns: words::columns(&r.definition),
        ..RunReceipt::default()
    });
    let receipt = receipt.filter(|_| r.ended_at.is_some());
    let downloads = match (r.ended_at, r.end_seq.filter(|s| *s >= 0)) {
        (Some(at), Some(seq)) => vec![Download {
            entry: seq + 1,
            who: name.clone(),
            at: words::at(lang, at),
            bytes: r.bytes,
            complete: r.state == RunState::Done,
            ..Download::default()
        }],
        _ => Vec::new(),
    };
    page(RunPage {
        run: view(&web, lang, &r, &name),
        ready: r.state == RunState::Prepared && r.actor == who.actor().person,
        receipt,
        downloads,
        step_up,
        shell,
    })
}

#[derive(Deserialize)]
pub struct Nothing {}

pub async fn cancel(
    State(web): State<Web>,
    who: Staff,
    Path(id): Path<RunId>,
    _: Form<Nothing>,
) -> Result<Response, Problem> {
    web.app.cancel_run(who.actor(), id).await?;
    Ok(Redirect::to(&format!("/runs/{id}")).into_response())
}
