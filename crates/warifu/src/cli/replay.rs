//! `warifu replay RUN`: re-creates a recorded run and says whether it is the same.

use super::installation::Installation;
use super::people::console;
use super::progress::bar;
use super::{CliError, serve::say};
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use warifu_app::reports::{Difference, Progress, compare_files};
use warifu_domain::RunId;

/// Exit code 0: every byte is the same; 1: it differs; 2: it could not be made.
#[derive(Args)]
pub struct Replay {
    /// Number of the run
    #[arg(value_name = "RUN")]
    run: RunId,
    #[command(flatten)]
    installation: Installation,
    /// Write the re-created file here; the ledger records it as a transfer
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Compare with this file too, byte by byte
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// No progress bar
    #[arg(long, short)]
    quiet: bool,
}

impl Replay {
    /// # Errors
    /// When the run cannot be re-created.
    pub async fn run(self) -> Result<ExitCode, CliError> {
        let app = self.installation.open().await?;
        let actor = console();
        let run = app.run(&actor, self.run).await?;
        let progress = Arc::new(Progress::new(run.rows as u64));
        let shown = bar(self.quiet, run.rows as u64);
        let began = app.now();
        // A file to compare with byte by byte has to be written somewhere first.
        let scratch = self.installation.data.join(format!("replay-{}.part", self.run));
        let beside = self.against.is_some() && self.out.is_none();
        let out = if beside { Some(scratch.clone()) } else { self.out.clone() };
        let work = app.replay(&actor, self.run, out.as_deref(), progress.clone());
        tokio::pin!(work);
        let replayed = loop {
            tokio::select! {
                done = &mut work => break done,
                () = tokio::time::sleep(Duration::from_millis(100)) => shown.set_position(progress.rows()),
            }
        };
        shown.finish_and_clear();
        let replayed = replayed?;
        let seconds = (app.now().0 - began.0) as f64 / 1e6;
        let same = replayed.difference.is_none();
        let verdict = match &replayed.difference {
            None => format!("identical: {} bytes, SHA-256 {}", replayed.bytes, replayed.sha256),
            Some(Difference::Within { from, to }) => {
                format!("differs within bytes {} to {to}", from + 1)
            }
            Some(Difference::Length { recorded, made }) => {
                format!(
                    "differs: {recorded} bytes recorded, {made} made, the same up to the shorter"
                )
            }
            Some(Difference::Unknown) => "differs; only the digest was recorded".into(),
        };
        let said = say(&format!("run {}: {verdict} ({seconds:.1} s)", self.run));
        let mut equal = true;
        if let (Some(against), Some(made)) = (&self.against, &out) {
            let differs = compare_files(made, against);
            if beside {
                std::fs::remove_file(&scratch)
                    .map_err(CliError::io(scratch.display().to_string()))?;
            }
            let differs = differs?;
            equal = differs.is_none();
            say(&match differs {
                None => format!("{}: identical", against.display()),
                Some(at) => format!("{}: differs at byte {}", against.display(), at + 1),
            })?;
        }
        app.db.close().await;
        said?;
        Ok(ExitCode::from(u8::from(!(same && equal))))
    }
}
