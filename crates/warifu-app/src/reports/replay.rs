//! Re-creating a recorded run, byte for byte, as of its revision.

use super::produce::{BLOCK, Made, Progress, produce};
use crate::{App, AppError};
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;
use tokio::runtime::Handle;
use warifu_domain::RunId;
use warifu_domain::access::{Actor, Permission};
use warifu_domain::accesses::Marks;
use warifu_domain::refusal;
use warifu_ledger::body::{Carried, Replay, TransferEnd, TransferStart};
use warifu_ledger::{Count, Hash};
use warifu_storage::reports::{self, Run, RunState};

/// Where a re-created file differs from the recorded one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Somewhere in these bytes (from, to; counted from 0, end excluded): one block of 64 KiB.
    Within { from: u64, to: u64 },
    /// All recorded blocks are the same; one file ends where the other goes on.
    Length { recorded: u64, made: u64 },
    /// Nothing but the digest was recorded.
    Unknown,
}

/// What came of a replay.
#[derive(Clone, Debug)]
pub struct Replayed {
    pub run: Run,
    pub rows: u64,
    pub bytes: u64,
    pub sha256: Hash,
    /// `None`: every byte is the same.
    pub difference: Option<Difference>,
}

impl App {
    /// Re-creates a run's file and compares it with what the ledger recorded. With `out` the file
    /// is written there, which is recorded as a transfer of its own.
    ///
    /// # Errors
    /// Denied, not found, or [`AppError::Conflict`] for a run whose file never left whole.
    pub async fn replay(
        &self,
        actor: &Actor,
        id: RunId,
        out: Option<&Path>,
        progress: Arc<Progress>,
    ) -> Result<Replayed, AppError> {
        actor.require(Permission::Replay)?;
        let run = reports::run(&mut self.db.read().await?.conn(), id)
            .await?
            .ok_or(AppError::NotFound("report run"))?;
        if run.state != RunState::Done {
            return Err(AppError::Conflict(refusal!(
                "run-not-whole",
                "only a run whose file left whole can be compared; this one did not"
            )));
        }
        let recorded: Hash =
            run.sha256.parse().map_err(|_| AppError::Internal("a run's digest is none".into()))?;
        if out.is_some() {
            let mut change = self.change().await?;
            let start = TransferStart {
                run: format!("replay-{id}"),
                carried: Carried::Report,
                object: id.to_string(),
                bytes: Count(run.bytes as u64),
                sha256: recorded,
                from: None,
            };
            let entry = change.record(actor, None, &start).await?;
            change.saw_run(actor, entry, Marks::REMADE, &run).await?;
            change.commit().await?;
        }
        let made = self.recreate(&run, out, progress).await?;
        let identical = made.sha256 == recorded && made.bytes == run.bytes as u64;
        let mut change = self.change().await?;
        if out.is_some() {
            let end = TransferEnd {
                run: format!("replay-{id}"),
                bytes_on_the_wire: Count(made.bytes),
                bytes_acknowledged: None,
            };
            change.record(actor, None, &end).await?;
        }
        let entry =
            Replay { run: id.to_string(), sha256: made.sha256, identical, erased_rows: Count(0) };
        change.record(actor, None, &entry).await?;
        change.commit().await?;
        let difference = (!identical).then(|| difference(&run, &made));
        Ok(Replayed { run, rows: made.rows, bytes: made.bytes, sha256: made.sha256, difference })
    }

    async fn recreate(
        &self,
        run: &Run,
        out: Option<&Path>,
        progress: Arc<Progress>,
    ) -> Result<Made, AppError> {
        let (db, definition, runtime) =
            (self.db.clone(), run.definition.clone(), Handle::current());
        let (as_of, key) = (run.as_of, self.row_key(run.id));
        let path = out.map(Path::to_owned);
        let work = tokio::task::spawn_blocking(move || {
            let named = path.as_ref().map(|p| p.display().to_string()).unwrap_or_default();
            let file = |source| AppError::File { path: named.clone(), source };
            let mut target = match &path {
                // Never over what is there.
                Some(p) => Some(
                    std::fs::OpenOptions::new()
                        .write(true)
                        .create_new(true)
                        .open(p)
                        .map_err(file)?,
                ),
                None => None,
            };
            let mut sink =
                |piece: &[u8]| target.as_mut().map_or(Ok(()), |t| t.write_all(piece).map_err(file));
            produce(&db, &runtime, &definition, as_of, key, &progress, &mut sink)
                .map_err(|broken| broken.1)
        });
        work.await.map_err(|e| AppError::Internal(e.to_string()))?
    }
}

fn difference(run: &Run, made: &Made) -> Difference {
    let recorded = run.blocks.as_deref().unwrap_or_default();
    if recorded.is_empty() {
        return Difference::Unknown;
    }
    let same = recorded.chunks(4).zip(made.blocks.chunks(4)).take_while(|(a, b)| a == b).count();
    let shorter = recorded.len().min(made.blocks.len()) / 4;
    let lengths = Difference::Length { recorded: run.bytes as u64, made: made.bytes };
    if same < shorter {
        let from = (same * BLOCK) as u64;
        Difference::Within { from, to: (from + BLOCK as u64).min(made.bytes.max(run.bytes as u64)) }
    } else {
        lengths
    }
}

/// The first byte (counted from 0) in which two files differ; `None` when they are the same. When
/// one ends first, that is its length.
///
/// # Errors
/// When a file cannot be read.
pub fn compare_files(a: &Path, b: &Path) -> Result<Option<u64>, AppError> {
    let open = |p: &Path| {
        let file = |source| AppError::File { path: p.display().to_string(), source };
        std::fs::File::open(p).map(std::io::BufReader::new).map_err(file)
    };
    let (mut a, mut b) = (open(a)?.bytes(), open(b)?.bytes());
    let read = |source| AppError::File { path: "comparison".into(), source };
    let mut at = 0;
    loop {
        match (a.next().transpose().map_err(read)?, b.next().transpose().map_err(read)?) {
            (None, None) => return Ok(None),
            (x, y) if x != y => return Ok(Some(at)),
            _ => at += 1,
        }
    }
}
