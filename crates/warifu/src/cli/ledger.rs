//! `warifu ledger verify` and `warifu ledger export`.

use super::installation::Installation;
use super::people::console;
use super::progress::bar;
use super::{CliError, serve::say};
use clap::{Args, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;
use warifu_ledger::cli::VerifyFolder;

#[derive(Subcommand)]
pub enum Ledger {
    /// Check every entry, hash and signature, and name the first that is wrong
    Verify(Verify),
    /// Write the ledger as a folder of static files (C2SP tlog-tiles)
    Export(Export),
}

/// Exit code 0: everything holds; 1: something is wrong; 2: it could not be read.
#[derive(Args)]
pub struct Verify {
    /// A folder that `ledger export` wrote, instead of the installation's own ledger
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Public key of the log or of a witness, for --folder. May be repeated
    #[arg(long = "key", value_name = "VKEY", requires = "folder")]
    keys: Vec<String>,
    /// Folder of the installation
    #[arg(long, env = "WARIFU_DATA", value_name = "DIR", required_unless_present = "folder")]
    data: Option<PathBuf>,
    /// PostgreSQL instead of the built-in SQLite
    #[arg(long, env = "WARIFU_DATABASE", value_name = "URL", hide_env_values = true)]
    database: Option<String>,
    /// No progress bar
    #[arg(long, short)]
    quiet: bool,
}

#[derive(Args)]
pub struct Export {
    #[command(flatten)]
    installation: Installation,
    /// Folder to write; made when missing, must be empty
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// No progress bar
    #[arg(long, short)]
    quiet: bool,
}

impl Ledger {
    /// # Errors
    /// When ledger or folder cannot be read or written.
    pub async fn run(self) -> Result<ExitCode, CliError> {
        match self {
            Ledger::Verify(verify) => verify.run().await,
            Ledger::Export(export) => export.run().await,
        }
    }
}

impl Verify {
    async fn run(self) -> Result<ExitCode, CliError> {
        if let Some(folder) = self.folder {
            let arguments = VerifyFolder { folder, keys: self.keys, quiet: self.quiet };
            let (mut out, mut err) = (std::io::stdout().lock(), std::io::stderr().lock());
            let code = warifu_ledger::cli::verify(&arguments, &mut out, &mut err)
                .map_err(CliError::io("stdout"))?;
            return Ok(ExitCode::from(code));
        }
        let Some(data) = self.data else {
            return Err(CliError::Said("give --data or --folder".into()));
        };
        let name = String::from("Warifu");
        let installation = Installation { data, database: self.database, name };
        let app = installation.open().await?;
        let shown = bar(self.quiet, 0);
        let found = app
            .verify_ledger(|done, all| {
                shown.set_length(all);
                shown.set_position(done);
            })
            .await;
        shown.finish_and_clear();
        let key = app.ledger_key();
        app.db.close().await;
        match found? {
            Ok(report) => {
                say(&format!("OK   {} entries, root {}", report.size, report.root.to_base64()))?;
                say(&format!("signed with {key}"))?;
                for open in &report.open {
                    let (run, entry) = (&open.run, open.index + 1);
                    say(&format!("open: run {run} began in entry {entry} and has no end"))?;
                }
                Ok(ExitCode::SUCCESS)
            }
            Err(finding) => {
                say(&format!("BAD  {finding}"))?;
                Ok(ExitCode::from(1))
            }
        }
    }
}

impl Export {
    async fn run(self) -> Result<ExitCode, CliError> {
        let app = self.installation.open().await?;
        let actor = console();
        let at = |path: &PathBuf| path.display().to_string();
        std::fs::create_dir_all(&self.out).map_err(CliError::io(at(&self.out)))?;
        let mut there = std::fs::read_dir(&self.out).map_err(CliError::io(at(&self.out)))?;
        if there.next().is_some() {
            return Err(CliError::Said(format!("{} is not empty", at(&self.out))));
        }
        let note = app.ledger_file(&actor, "checkpoint").await?;
        let size = app.ledger_head().await?.size.max(0) as u64;
        let shown = bar(self.quiet, size / 256 + 1);
        let mut count = 0_u64;
        // What the checkpoint covers is never changed, only added to, so that the files of one
        // size stay right while the server goes on. The checkpoint comes last: a folder that has
        // one is whole.
        for resource in warifu_ledger::resources(size) {
            if matches!(resource, warifu_ledger::Resource::Checkpoint) {
                continue;
            }
            let name = resource.to_string();
            let bytes = app.ledger_file(&actor, &name).await?;
            let path = self.out.join(&name);
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder).map_err(CliError::io(at(&path)))?;
            }
            std::fs::write(&path, bytes).map_err(CliError::io(at(&path)))?;
            count += 1;
            shown.inc(1);
        }
        shown.finish_and_clear();
        let path = self.out.join("checkpoint");
        std::fs::write(&path, note).map_err(CliError::io(at(&path)))?;
        say(&format!("{} entries in {} files", size, count + 1))?;
        say(&format!(
            "check it with: warifu ledger verify --folder {} --key '{}'",
            at(&self.out),
            app.ledger_key()
        ))?;
        app.db.close().await;
        Ok(ExitCode::SUCCESS)
    }
}
