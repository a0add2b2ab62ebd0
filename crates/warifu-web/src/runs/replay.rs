//! `GET` and `POST /runs/{id}/replay`

use super::run::{Nothing, view};
use crate::csrf::Form;
use crate::i18n::Lang;
use crate::page::page;
use crate::problem::Problem;
use crate::reports::words;
use crate::session::Staff;
use crate::state::Web;
use crate::views::runs::{Half, ReplayPage, ReplayResult};
use crate::views::shell::Place;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use std::time::Duration;
use warifu_app::AppError;
use warifu_app::reports::{Difference, Run};
use warifu_domain::RunId;
use warifu_domain::access::Permission;

pub async fn start_replay(
    State(web): State<Web>,
    who: Staff,
    Path(id): Path<RunId>,
    _: Form<Nothing>,
) -> Result<Response, Problem> {
    web.app.start_replay(who.actor(), id).await?;
    Ok(Redirect::to(&format!("/runs/{id}/replay")).into_response())
}

pub async fn cancel_replay(
    State(web): State<Web>,
    who: Staff,
    Path(id): Path<RunId>,
    _: Form<Nothing>,
) -> Result<Response, Problem> {
    web.app.cancel_replay(who.actor(), id)?;
    Ok(Redirect::to(&format!("/runs/{id}")).into_response())
}

pub async fn replay(
    State(web): State<Web>,
    who: Staff,
    Path(id): Path<RunId>,
) -> Result<Response, Problem> {
    who.actor().require(Permission::Replay).map_err(AppError::from)?;
    let run = web.app.run(who.actor(), id).await?;
    let Some(job) = web.app.replays.job(id) else {
        // Made by another node, or before a restart: what came of it is in the ledger.
        return Ok(Redirect::to(&format!("/runs/{id}")).into_response());
    };
    let lang = who.taste.lang;
    let (remade, result, seconds) = match job.outcome.get() {
        None => {
            let compared = job.progress.bytes() as i64;
            (None, ReplayResult::Running { compared }, String::new())
        }
        Some((Ok(made), took)) => {
            let half = Half {
                bytes: made.bytes as i64,
                digest: words::grouped(&made.sha256.to_string()),
                at: words::at(lang, job.started),
            };
            (Some(half), outcome(lang, made.difference.as_ref()), tenths(*took))
        }
        Some((Err(why), took)) => {
            (None, ReplayResult::Impossible { why: why.clone() }, tenths(*took))
        }
    };
    show(&web, &who, run, remade, result, seconds).await
}

pub async fn show(
    web: &Web,
    who: &Staff,
    run: Run,
    remade: Option<Half>,
    result: ReplayResult,
    seconds: String,
) -> Result<Response, Problem> {
    let shell = who.shell(Place::Runs, "").await?;
    let names = web.app.names([run.actor]).await?;
    let name = names.get(&run.actor).map_or("", String::as_str);
    let recorded = Half {
        bytes: run.bytes,
        digest: words::grouped(&run.sha256),
        at: words::at(shell.lang, run.ended_at.unwrap_or(run.started_at)),
    };
    page(ReplayPage {
        run: view(web, shell.lang, &run, name),
        recorded,
        remade,
        result,
        seconds,
        shell,
    })
}

pub fn outcome(lang: Lang, difference: Option<&Difference>) -> ReplayResult {
    let differs = |at: u64, why: String| ReplayResult::Differs {
        at: at as i64,
        recorded: String::new(),
        remade: String::new(),
        why,
    };
    match difference {
        None => ReplayResult::Identical,
        Some(Difference::Within { from, to }) => {
            let range: [(&str, &dyn crate::i18n::Arg); 2] =
                [("from", &(*from as i64 + 1)), ("to", &(*to as i64))];
            differs(from + 1, lang.t_args("replay-within", &range))
        }
        Some(Difference::Length { recorded, made }) => {
            differs(recorded.min(made) + 1, lang.t("replay-length"))
        }
        Some(Difference::Unknown) => differs(0, lang.t("replay-unknown")),
    }
}

/// Seconds with one decimal.
pub fn tenths(took: Duration) -> String {
    format!("{:.1}", took.as_secs_f64())
}
