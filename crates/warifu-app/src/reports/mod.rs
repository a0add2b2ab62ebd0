//! Reports: saved definitions, preview, the run, its one download, and the replay.

mod definitions;
mod download;
mod file;
mod preview;
mod produce;
mod replay;
mod replays;
mod runs;

pub use definitions::digest;
pub use download::{Download, DownloadBody};
pub use preview::{FieldCount, Preview, mask};
pub use produce::{BLOCK, Made, Progress};
pub(crate) use produce::{Selection, produce};
pub use replay::{Difference, Replayed, compare_files};
pub use replays::{FileCheck, ReplayJob, Replays};
pub use runs::NewRun;
pub use warifu_storage::reports::{Run, RunState, SavedDefinition};

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use warifu_domain::RunId;

/// The transfers that this process is making, for live progress and cancelling.
#[derive(Default)]
pub struct Transfers {
    running: Mutex<HashMap<RunId, Arc<Progress>>>,
}

impl Transfers {
    /// How far a transfer is; `None` when this process makes none for the run.
    pub fn progress(&self, run: RunId) -> Option<Arc<Progress>> {
        self.lock().get(&run).cloned()
    }

    fn begin(&self, run: RunId, expected_rows: u64) -> Arc<Progress> {
        let progress = Arc::new(Progress::new(expected_rows));
        self.lock().insert(run, progress.clone());
        progress
    }

    fn end(&self, run: RunId) {
        self.lock().remove(&run);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<RunId, Arc<Progress>>> {
        // The map is whole between any two statements: a panic elsewhere has not broken it.
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
