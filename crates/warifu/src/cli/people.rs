//! `warifu people import`

use super::CliError;
use super::installation::Installation;
use super::serve::say;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use warifu_app::import::{ImportProgress, ImportRequest};
use warifu_domain::access::{Actor, Role, Roles};
use warifu_domain::{OrganizationId, PersonId};

#[derive(Subcommand)]
pub enum People {
    /// Import people from CSV, TSV, JSON Lines or Parquet; run again, it goes on where it was
    Import(Import),
}

#[derive(Args)]
pub struct Import {
    #[command(flatten)]
    installation: Installation,
    /// The file; its first line names the columns
    file: PathBuf,
    /// Which column is which field, where the names differ: --map 'Mail=Email' --map 'Account=Organization'
    #[arg(long = "map", value_name = "COLUMN=FIELD", value_parser = pair)]
    mapping: Vec<(String, String)>,
    /// No progress bar
    #[arg(long)]
    quiet: bool,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (column, field) = text.split_once('=').ok_or("write COLUMN=FIELD")?;
    Ok((column.trim().to_owned(), field.trim().to_owned()))
}

/// Most rejected rows that are printed; all of them are kept with the import.
const SHOWN: usize = 20;

impl People {
    /// Exit code 0: every row was taken; 1: some were not; 2: the file cannot be imported.
    pub async fn run(self) -> Result<ExitCode, CliError> {
        let People::Import(import) = self;
        import.run().await
    }
}

/// Whoever may write the data folder acts as the installation's administrator.
pub fn console() -> Actor {
    Actor {
        person: PersonId(0),
        name: String::new(),
        organization: OrganizationId(0),
        roles: [Role::SuperAdministrator, Role::Responder].into_iter().collect::<Roles>(),
        session: None,
        network: String::new(),
    }
}

impl Import {
    async fn run(self) -> Result<ExitCode, CliError> {
        let app = self.installation.open().await?;
        let name =
            self.file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let request = ImportRequest { path: self.file, name, mapping: self.mapping };
        let progress = Arc::new(ImportProgress::default());
        let bar = if self.quiet { ProgressBar::hidden() } else { ProgressBar::new(0) };
        let style =
            ProgressStyle::with_template("{bar:32} {percent:>3} %  {msg}  {elapsed}, {eta} left");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        let shown = tokio::spawn(show(bar.clone(), progress.clone()));
        let result = app.import_people(&console(), request, progress.clone()).await;
        shown.abort();
        bar.finish_and_clear();
        let import = result?;
        let rejects = app.import_rejects(&console(), import.id).await?;
        let n = |a: &std::sync::atomic::AtomicU64| a.load(Relaxed);
        say(&format!(
            "{} rows: {} added, {} changed, {} as they were, {} rejected",
            import.rows_done,
            n(&progress.added),
            n(&progress.changed),
            n(&progress.same),
            import.rejected
        ))?;
        for reject in rejects.iter().take(SHOWN) {
            say(&format!("  line {}: {}", reject.line, reject.reason))?;
        }
        if import.rejected as usize > SHOWN {
            say(&format!("  and {} more", import.rejected as usize - SHOWN))?;
        }
        app.db.close().await;
        Ok(if import.rejected > 0 { ExitCode::from(1) } else { ExitCode::SUCCESS })
    }
}

async fn show(bar: ProgressBar, progress: Arc<ImportProgress>) {
    loop {
        bar.set_length(progress.bytes_total.load(Relaxed).max(1));
        bar.set_position(progress.bytes_done.load(Relaxed));
        bar.set_message(format!(
            "{} added, {} rejected",
            progress.added.load(Relaxed),
            progress.rejected.load(Relaxed)
        ));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
