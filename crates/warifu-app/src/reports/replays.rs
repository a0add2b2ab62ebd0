//! Replays in the background, and files of others that are held against a run's record.

use super::produce::{BLOCK, Progress};
use super::replay::Replayed;
use crate::live::Event;
use crate::{App, AppError};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use warifu_domain::RunId;
use warifu_domain::access::{Actor, Permission};
use warifu_domain::refusal;
use warifu_ledger::Hash;
use warifu_storage::reports::{Run, RunState};

/// A replay that this process makes or has made.
pub struct ReplayJob {
    pub progress: Arc<Progress>,
    pub started: warifu_domain::Timestamp,
    /// What came of it, and how long it took; not there while it runs.
    pub outcome: OnceLock<(Result<Replayed, String>, Duration)>,
}

/// The last replay of each run.
#[derive(Default)]
pub struct Replays {
    jobs: Mutex<HashMap<RunId, Arc<ReplayJob>>>,
}

/// Replays whose outcome is remembered.
const REMEMBERED: usize = 1_000;

impl Replays {
    /// The last replay of a run in this process.
    pub fn job(&self, run: RunId) -> Option<Arc<ReplayJob>> {
        self.lock().get(&run).cloned()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<RunId, Arc<ReplayJob>>> {
        // The map is whole between any two statements: a panic elsewhere has not broken it.
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl App {
    /// Begins to re-create a run in the background. A replay that is running is not begun twice.
    ///
    /// # Errors
    /// Denied, not found, or a run whose file never left whole.
    pub async fn start_replay(&self, actor: &Actor, id: RunId) -> Result<(), AppError> {
        actor.require(Permission::Replay)?;
        let run = self.run(actor, id).await?;
        if run.state != RunState::Done {
            return Err(AppError::Conflict(refusal!(
                "run-not-whole",
                "only a run whose file left whole can be compared; this one did not"
            )));
        }
        let job = Arc::new(ReplayJob {
            progress: Arc::new(Progress::new(run.rows as u64)),
            started: self.now(),
            outcome: OnceLock::new(),
        });
        {
            let mut jobs = self.replays.lock();
            if jobs.get(&id).is_some_and(|j| j.outcome.get().is_none()) {
                return Ok(());
            }
            if jobs.len() >= REMEMBERED {
                jobs.retain(|_, j| j.outcome.get().is_none());
            }
            jobs.insert(id, job.clone());
        }
        let (app, actor) = (self.clone(), actor.clone());
        tokio::spawn(async move {
            let outcome = app.replay(&actor, id, None, job.progress.clone()).await;
            if let Err(e) = &outcome {
                tracing::warn!(run = %id, error = %e, "a replay ended without a result");
            }
            let took = (app.now().0 - job.started.0).max(0).unsigned_abs();
            let took = Duration::from_micros(took);
            let _first = job.outcome.set((outcome.map_err(|e| e.to_string()), took));
            app.live.tell(Event::Run(id));
        });
        Ok(())
    }

    /// Asks a replay to stop.
    ///
    /// # Errors
    /// Denied, or nothing is running.
    pub fn cancel_replay(&self, actor: &Actor, id: RunId) -> Result<(), AppError> {
        actor.require(Permission::Replay)?;
        match self.replays.job(id).filter(|j| j.outcome.get().is_none()) {
            Some(job) => {
                job.progress.cancel();
                Ok(())
            }
            None => Err(AppError::Conflict(refusal!("replay-ended", "the replay has ended"))),
        }
    }
}

/// Holds a file against a run's record while it comes in. Nothing of it is kept.
pub struct FileCheck {
    sha256: Sha256,
    crc: crc32fast::Hasher,
    in_block: usize,
    block: usize,
    bytes: u64,
    recorded: Vec<u8>,
    differs: Option<u64>,
}

impl FileCheck {
    pub fn new(run: &Run) -> FileCheck {
        FileCheck {
            sha256: Sha256::new(),
            crc: crc32fast::Hasher::new(),
            in_block: 0,
            block: 0,
            bytes: 0,
            recorded: run.blocks.clone().unwrap_or_default(),
            differs: None,
        }
    }

    /// The next bytes of the file.
    pub fn push(&mut self, mut piece: &[u8]) {
        self.sha256.update(piece);
        self.bytes += piece.len() as u64;
        while !piece.is_empty() {
            let (now, later) = piece.split_at(piece.len().min(BLOCK - self.in_block));
            self.crc.update(now);
            self.in_block += now.len();
            if self.in_block == BLOCK {
                self.close_block();
            }
            piece = later;
        }
    }

    fn close_block(&mut self) {
        let crc = std::mem::take(&mut self.crc).finalize().to_be_bytes();
        let recorded = self.recorded.get(self.block * 4..self.block * 4 + 4);
        if self.differs.is_none() && recorded != Some(&crc[..]) {
            self.differs = Some(self.block as u64 * BLOCK as u64);
        }
        self.block += 1;
        self.in_block = 0;
    }

    /// Bytes and digest of the file, and the first block of 64 KiB (its first byte, from 0) in
    /// which it differs from the run's; `None` when every byte is the same.
    pub fn finish(mut self, run: &Run) -> (u64, Hash, Option<u64>) {
        if self.in_block > 0 {
            self.close_block();
        }
        let sha256 = Hash(self.sha256.finalize().into());
        if sha256.to_string() == run.sha256 {
            return (self.bytes, sha256, None);
        }
        let shorter = self.bytes.min(run.bytes as u64);
        (self.bytes, sha256, Some(self.differs.unwrap_or(shorter)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_in_which_block_a_file_differs() {
        let file: Vec<u8> = (0..200_000_u32).map(|i| (i % 251) as u8).collect();
        let blocks: Vec<u8> =
            file.chunks(BLOCK).flat_map(|c| crc32fast::hash(c).to_be_bytes()).collect();
        let check = |other: &[u8]| {
            let mut check = FileCheck {
                sha256: Sha256::new(),
                crc: crc32fast::Hasher::new(),
                in_block: 0,
                block: 0,
                bytes: 0,
                recorded: blocks_of(&blocks),
                differs: None,
            };
            other.chunks(1_000).for_each(|c| check.push(c));
            if check.in_block > 0 {
                check.close_block();
            }
            check.differs
        };
        fn blocks_of(blocks: &[u8]) -> Vec<u8> {
            blocks.to_vec()
        }
        assert_eq!(check(&file), None);
        let mut other = file.clone();
        other[140_000] ^= 1;
        assert_eq!(check(&other), Some(131_072));
        assert_eq!(check(&file[..65_536]), None);
        assert_eq!(check(&file[..70_000]), Some(65_536));
    }
}
