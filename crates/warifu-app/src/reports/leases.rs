//! Which node makes a run's file. A node that lives says so again and again while a file leaves;
//! what no living node makes is recorded as aborted.

use super::Progress;
use crate::{App, AppError};
use std::path::Path;
use std::time::Duration;
use warifu_domain::time::MINUTE;
use warifu_domain::{RunId, Timestamp};
use warifu_ledger::Count;
use warifu_ledger::body::ReportAbort;
use warifu_storage::Engine;
use warifu_storage::reports::{self, Lease, RunEnd, RunState};

/// How long a node's word holds, in microseconds. The clocks of nodes on one database have to
/// agree to within half of it.
const LEASE: i64 = MINUTE;
/// How often a node renews its word, and looks for those that have run out.
const RENEWAL: Duration = Duration::from_secs(15);

/// A name for whoever works on a data folder of this machine: the same after a restart, so that a
/// node knows at once that what it was sending before is not being sent any more.
pub fn node_name(data: &Path) -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname")
        .or_else(|_| std::env::var("HOSTNAME"))
        .unwrap_or_default();
    let folder = std::fs::canonicalize(data).unwrap_or_else(|_| data.to_owned());
    format!("{}:{}", host.trim(), folder.display())
}

impl App {
    pub(super) fn lease(&self) -> Timestamp {
        self.now().plus(LEASE)
    }

    /// Renews a run's lease until it is dropped. The transfer is cancelled when the lease is lost:
    /// somebody else may have recorded its abort, and a file must not leave after that.
    pub(super) async fn keep_lease(&self, id: RunId, progress: &Progress) {
        let mut until = self.lease();
        loop {
            tokio::time::sleep(RENEWAL).await;
            let next = self.lease();
            match self.renew(id, next).await {
                Ok(true) => until = next,
                Ok(false) => progress.cancel(),
                Err(error) => {
                    tracing::warn!(run = %id, %error, "the lease of a transfer could not be renewed");
                    if self.now() > until {
                        progress.cancel();
                    }
                }
            }
        }
    }

    async fn renew(&self, id: RunId, until: Timestamp) -> Result<bool, AppError> {
        let mut tx = self.db.begin_plain().await?;
        let renewed = reports::renew_run(&mut tx.conn(), id, until).await?;
        tx.commit().await?;
        Ok(renewed)
    }

    /// Records as aborted what nobody sends any more: transfers of this node from before its start,
    /// and those of nodes that have not said for a minute that they live.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn abort_unfinished_runs(&self) -> Result<usize, AppError> {
        let running = reports::running(&mut self.db.read().await?.conn()).await?;
        let mut aborted = 0;
        for lease in running.iter().filter(|lease| self.has_ended(lease)) {
            aborted += usize::from(self.abort_left(lease.run).await?);
        }
        Ok(aborted)
    }

    /// [`App::abort_unfinished_runs`] again and again, for as long as the server lives.
    pub async fn watch_unfinished_runs(self) {
        loop {
            tokio::time::sleep(RENEWAL).await;
            match self.abort_unfinished_runs().await {
                Ok(0) => {}
                Ok(n) => tracing::warn!(runs = n, "transfers that nobody makes were aborted"),
                Err(error) => {
                    tracing::warn!(%error, "unfinished transfers could not be looked for")
                }
            }
        }
    }

    fn has_ended(&self, lease: &Lease) -> bool {
        if self.transfers.progress(lease.run).is_some() {
            return false;
        }
        // Whoever has SQLite's folder is the only node there is; whoever has the name, its only bearer.
        self.db.engine() == Engine::Sqlite
            || lease.node == self.config.node
            || lease.alive_until < self.now()
    }

    async fn abort_left(&self, id: RunId) -> Result<bool, AppError> {
        let mut change = self.change().await?;
        // Again under the lock: it may have ended by itself, been renewed, or been aborted by
        // another node. A second end would contradict the first.
        let running = reports::running(&mut change.conn()).await?;
        if !running.iter().any(|lease| lease.run == id && self.has_ended(lease)) {
            return Ok(false);
        }
        let body = ReportAbort {
            run: id.to_string(),
            cause: "restarted".into(),
            rows: Count(0),
            bytes_made: Count(0),
            bytes_on_the_wire: None,
            bytes_acknowledged: None,
            sha256: None,
            row_ids: None,
        };
        let seq = change.record_own(None, &body).await?;
        let end = RunEnd {
            state: RunState::Aborted,
            at: change.at(),
            rows: 0,
            bytes: 0,
            sha256: "",
            column_bytes: "",
            blocks: &[],
            end_seq: seq,
        };
        reports::end_run(&mut change.conn(), id, &end).await?;
        change.tell(crate::live::Event::Run(id));
        change.commit().await?;
        Ok(true)
    }
}
