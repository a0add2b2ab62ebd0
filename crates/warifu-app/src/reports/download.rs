//! The one download of a run: its start is durable before the first byte leaves, and its end or
//! abort always follows.

use super::produce::{Made, Progress, produce};
use super::runs::Refused;
use crate::live::Event;
use crate::step_up::spend;
use crate::{App, AppError};
use bytes::Bytes;
use futures_util::Stream;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use warifu_domain::access::{Actor, Permission};
use warifu_domain::accesses::Marks;
use warifu_domain::protected::{Action, Protected};
use warifu_domain::refusal;
use warifu_domain::reports::Definition;
use warifu_domain::time::DAY;
use warifu_domain::{RunId, Timestamp};
use warifu_ledger::body::{ColumnBytes, OrderKey, ReportAbort, ReportEnd, ReportStart};
use warifu_ledger::{Count, RowKey};
use warifu_storage::Conn;
use warifu_storage::reports::{self, Run, RunEnd, RunState};

/// A file on its way out.
pub struct Download {
    pub file_name: String,
    pub media_type: &'static str,
    /// Known before for every format but XLSX.
    pub length: Option<u64>,
    pub body: DownloadBody,
}

/// The bytes, as the receiver takes them. Dropping it before the end aborts the transfer.
pub struct DownloadBody {
    pieces: mpsc::Receiver<Result<Bytes, std::io::Error>>,
    taken: u64,
    ended: bool,
    told: Option<oneshot::Sender<Taken>>,
}

/// What the receiver took.
struct Taken {
    bytes: u64,
    /// It saw the end of the file.
    ended: bool,
}

impl Stream for DownloadBody {
    type Item = Result<Bytes, std::io::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let piece = std::task::ready!(self.pieces.poll_recv(cx));
        match &piece {
            Some(Ok(bytes)) => self.taken += bytes.len() as u64,
            Some(Err(_)) => {}
            None => self.ended = true,
        }
        Poll::Ready(piece)
    }
}

impl Drop for DownloadBody {
    fn drop(&mut self) {
        if let Some(told) = self.told.take() {
            let _ = told.send(Taken { bytes: self.taken, ended: self.ended });
        }
    }
}

/// Pieces that may wait for a slow receiver: with 256 KiB each, 1 MiB.
const WAITING: usize = 4;

impl App {
    /// Starts the download of a prepared run. What is a decision asks for the key: a stolen session
    /// takes nobody's records with it. On the command line there is no key, and no thief either who is
    /// not the machine's owner already.
    ///
    /// # Errors
    /// Denied, not found, [`AppError::Conflict`] when its file has left before, [`AppError::StepUp`]
    /// without a proof for just this run.
    pub async fn download_run(
        &self,
        actor: &Actor,
        id: RunId,
        proof: Option<&str>,
    ) -> Result<Download, AppError> {
        let run = self.run(actor, id).await?;
        let decision = self.is_decision(&run);
        if decision && !actor.roles.allow(Permission::RunUnfilteredReports) {
            self.record_refused(actor, Refused::Run(&run)).await?;
        }
        if decision {
            actor.require(Permission::RunUnfilteredReports)?;
        }
        if run.actor != actor.person {
            return Err(AppError::Conflict(refusal!(
                "run-not-yours",
                "only whoever prepared the run downloads its file"
            )));
        }
        let mut change = self.change().await?;
        // Slices under the limit are over it together, also those that are asked for at the same moment:
        // under the lock, so that each counts those before it.
        let key = decision || self.is_over_in_a_day(&mut change.conn(), &run).await?;
        if !reports::start_run(&mut change.conn(), id, &self.config.node, self.lease()).await? {
            return Err(AppError::Conflict(refusal!(
                "run-left",
                "the file of this run has left before; run the report again"
            )));
        }
        if key && actor.session.is_some() {
            let what = Protected::new(Action::DownloadReport).with("run", id);
            spend(&mut change, actor, &what, proof).await?;
        }
        let seq = change.record(actor, None, &start_entry(&run)?).await?;
        reports::set_start(&mut change.conn(), id, seq).await?;
        let marks = Marks::default().with_if(run.reason.is_empty(), Marks::NO_REASON);
        change.saw_run(actor, seq, marks, &run).await?;
        change.tell(Event::Run(id));
        // Known as being sent before anybody can see that it runs.
        let progress = self.transfers.begin(id, run.expected_rows as u64);
        if let Err(e) = change.commit().await {
            self.transfers.end(id);
            return Err(e);
        }

        let (pieces_in, pieces) = mpsc::channel(WAITING);
        let (told, taken) = oneshot::channel();
        let file_name = file_name(&run);
        let media_type = run.definition.format.media_type();
        let length = run.expected_bytes.map(|b| b as u64);
        let (app, actor) = (self.clone(), actor.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = app.deliver(&actor, &run, progress.clone(), pieces_in, taken) => {}
                () = app.keep_lease(run.id, &progress) => {}
            }
            app.transfers.end(run.id);
            app.live.tell(Event::Run(run.id));
        });
        Ok(Download {
            file_name,
            media_type,
            length,
            body: DownloadBody { pieces, taken: 0, ended: false, told: Some(told) },
        })
    }

    /// Whether a run is over everybody or over the limits.
    fn is_decision(&self, run: &Run) -> bool {
        run.definition.weight(run.expected_rows as u64, &self.config.limits).is_decision()
    }

    /// Whether somebody has taken more than the limit within a day, with this run.
    async fn is_over_in_a_day(&self, c: &mut Conn<'_>, run: &Run) -> Result<bool, AppError> {
        if run.definition.personal_columns() == 0 {
            return Ok(false);
        }
        let since = Timestamp(self.now().0.saturating_sub(DAY));
        let taken = reports::taken(c, run.actor, since).await?;
        let limit = i64::try_from(self.config.limits.rows).unwrap_or(i64::MAX);
        Ok(taken.saturating_add(run.expected_rows) > limit)
    }

    /// Whether the file of a run leaves with the key only.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn asks_for_the_key(&self, run: &Run) -> Result<bool, AppError> {
        let mut reader = self.db.read().await?;
        Ok(self.is_decision(run) || self.is_over_in_a_day(&mut reader.conn(), run).await?)
    }

    /// Sends the file and records how that ended, also when the database is away for a while.
    async fn deliver(
        &self,
        actor: &Actor,
        run: &Run,
        progress: Arc<Progress>,
        pieces: mpsc::Sender<Result<Bytes, std::io::Error>>,
        taken: oneshot::Receiver<Taken>,
    ) {
        let result = self.send(run, progress, pieces).await;
        let taken = taken.await.unwrap_or(Taken { bytes: 0, ended: false });
        let mut pause = Duration::from_secs(1);
        while let Err(e) = self.close(actor, run, &result, &taken).await {
            tracing::error!(run = %run.id, error = %e, "the end of a transfer could not be recorded");
            if !e.is_passing() {
                // The run stays open, and is recorded as aborted as one that nobody makes.
                return;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(15));
        }
    }

    /// Makes the file on a thread of its own and hands it to the receiver piece by piece.
    async fn send(
        &self,
        run: &Run,
        progress: Arc<Progress>,
        pieces: mpsc::Sender<Result<Bytes, std::io::Error>>,
    ) -> Result<Made, Box<(Option<Made>, AppError)>> {
        let (db, definition, runtime) =
            (self.db.clone(), run.definition.clone(), Handle::current());
        let (as_of, key) = (run.as_of, self.row_key(run.id));
        let work = tokio::task::spawn_blocking(move || {
            let mut sink = |piece: &[u8]| {
                pieces
                    .blocking_send(Ok(Bytes::copy_from_slice(piece)))
                    .map_err(|_| AppError::Cancelled)
            };
            let made = produce(&db, &runtime, &definition, as_of, key, &progress, &mut sink);
            if let Err(broken) = &made {
                let error = &broken.1;
                // The receiver must see that the file is not whole.
                let _ = pieces.blocking_send(Err(std::io::Error::other(error.to_string())));
            }
            made
        });
        match work.await {
            Ok(made) => made.map_err(|broken| Box::new((Some(broken.0), broken.1))),
            Err(e) => Err(Box::new((None, AppError::Internal(e.to_string())))),
        }
    }

    /// Writes the end or abort entry and the run's outcome, together.
    async fn close(
        &self,
        actor: &Actor,
        run: &Run,
        result: &Result<Made, Box<(Option<Made>, AppError)>>,
        taken: &Taken,
    ) -> Result<(), AppError> {
        let mut change = self.change().await?;
        let at = change.at();
        let state = reports::run(&mut change.conn(), run.id).await?.map(|run| run.state);
        if state != Some(RunState::Running) {
            // Another node has taken this one for dead: a second end would contradict the first.
            tracing::error!(run = %run.id, "a transfer was recorded as aborted while it was made");
            return Ok(());
        }
        let whole = matches!(result, Ok(made) if taken.ended || taken.bytes == made.bytes);
        let (made, cause) = match result {
            Ok(made) => (Some(made), "client_gone"),
            Err(broken) => match &**broken {
                (made, AppError::Cancelled) => {
                    let by_hand = self.transfers.progress(run.id).is_some_and(|p| p.is_cancelled());
                    (made.as_ref(), if by_hand { "cancelled" } else { "client_gone" })
                }
                (made, error) => {
                    tracing::error!(run = %run.id, %error, "a transfer failed");
                    (made.as_ref(), "failed")
                }
            },
        };
        let seq = match made {
            Some(made) if whole => change.record(actor, None, &end_entry(run, made, taken)).await?,
            made => {
                let body = ReportAbort {
                    run: run.id.to_string(),
                    cause: cause.into(),
                    rows: Count(made.map_or(0, |m| m.rows)),
                    bytes_made: Count(made.map_or(0, |m| m.bytes)),
                    bytes_on_the_wire: Some(Count(taken.bytes)),
                    bytes_acknowledged: None,
                    sha256: made.map(|m| m.sha256),
                    row_ids: made.map(|m| m.row_ids),
                };
                change.record(actor, None, &body).await?
            }
        };
        let state = if whole { RunState::Done } else { RunState::Aborted };
        let sha256 = made.map(|m| m.sha256.to_string()).unwrap_or_default();
        let columns =
            made.map(|m| serde_json::json!(m.column_bytes).to_string()).unwrap_or_default();
        let end = RunEnd {
            state,
            at,
            rows: made.map_or(0, |m| m.rows as i64),
            bytes: if whole { made.map_or(0, |m| m.bytes as i64) } else { taken.bytes as i64 },
            sha256: &sha256,
            column_bytes: &columns,
            blocks: made.map_or(&[], |m| &m.blocks),
            end_seq: seq,
        };
        reports::end_run(&mut change.conn(), run.id, &end).await?;
        change.commit().await?;
        Ok(())
    }

    /// The key under which a run's row ids are committed to.
    pub(super) fn row_key(&self, id: RunId) -> RowKey {
        RowKey::derive(&self.keys.for_purpose("row commitments"), &id.to_string())
    }
}

fn start_entry(run: &Run) -> Result<ReportStart, AppError> {
    let definition: &Definition = &run.definition;
    let mut order: Vec<OrderKey> = definition
        .order
        .iter()
        .map(|k| OrderKey { column: k.column.clone(), descending: k.descending })
        .collect();
    order.push(OrderKey { column: definition.subject.id_column().into(), descending: false });
    Ok(ReportStart {
        run: run.id.to_string(),
        definition: run
            .digest
            .parse()
            .map_err(|_| AppError::Internal("a run's digest is none".into()))?,
        filter: serde_json::to_value(&definition.filter)
            .map_err(|e| AppError::Internal(e.to_string()))?,
        columns: definition.columns.clone(),
        order,
        row_limit: definition.limit.map(Count),
        as_of_revision: Count(run.as_of.0 as u64),
        as_of: run.as_of_at.0,
        dialect: definition.format.id(),
    })
}

fn end_entry(run: &Run, made: &Made, taken: &Taken) -> ReportEnd {
    let columns = run.definition.columns.iter().zip(&made.column_bytes);
    ReportEnd {
        run: run.id.to_string(),
        rows: Count(made.rows),
        column_bytes: columns
            .map(|(c, n)| ColumnBytes { column: c.clone(), bytes: Count(*n) })
            .collect(),
        bytes_made: Count(made.bytes),
        bytes_on_the_wire: Some(Count(taken.bytes)),
        bytes_acknowledged: None,
        sha256: made.sha256,
        row_ids: made.row_ids,
    }
}

/// Letters and digits of the report's name, the day, the run: safe in every file system.
fn file_name(run: &Run) -> String {
    let mut stem: String =
        run.name.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).take(60).collect();
    while stem.contains("--") {
        stem = stem.replace("--", "-");
    }
    let day: String = run.as_of_at.to_string().chars().take(10).collect();
    format!("{}-{day}-run{}.{}", stem.trim_matches('-'), run.id, run.definition.format.extension())
}
