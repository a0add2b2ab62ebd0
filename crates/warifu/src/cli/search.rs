//! `warifu match`: on a people file, or with `--data` on the installation's own records.

use super::installation::Installation;
use super::people::console;
use super::progress::bar;
use super::{CliError, serve::say};
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use warifu_app::incidents::{Download, MatchProgress};
use warifu_domain::Timestamp;
use warifu_match::target::parse_size;

/// Exit code 0: there are candidates; 1: there are none; 2: the input is bad.
#[derive(Args)]
pub struct MatchData {
    /// Folder of the installation whose records are searched, as they were at --at
    #[arg(long, env = "WARIFU_DATA", value_name = "DIR")]
    data: PathBuf,
    /// PostgreSQL instead of the built-in SQLite
    #[arg(long, env = "WARIFU_DATABASE", value_name = "URL", hide_env_values = true)]
    database: Option<String>,
    /// When the download happened, e.g. 2023-09-28T15:06Z
    #[arg(long, value_name = "TIME")]
    at: Timestamp,
    /// Recorded size of the download, e.g. 585000000 or 64KiB
    #[arg(long, value_name = "N")]
    bytes: String,
    /// How far off it may be: bytes, 64KiB or 0.1%
    #[arg(long, default_value = "0", value_name = "T")]
    tolerance: String,
    /// What the number counts: body, http, tls, base64, rounded:KB, wrapped32, at-least
    #[arg(long, default_value = "body", value_name = "M")]
    measure: String,
    /// Data rows of the file, if known
    #[arg(long, value_name = "N")]
    rows: Option<i64>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// No progress bar
    #[arg(long, short)]
    quiet: bool,
}

impl MatchData {
    /// # Errors
    /// When the records cannot be read or the request is wrong.
    pub async fn run(self) -> Result<ExitCode, CliError> {
        let name = String::from("Warifu");
        let installation = Installation { data: self.data, database: self.database, name };
        let app = installation.open().await?;
        let bytes = parse_size(&self.bytes).map_err(|e| CliError::Said(format!("--bytes: {e}")))?;
        let download = Download {
            id: 0,
            incident_id: 0,
            at: self.at.0,
            bytes: i64::try_from(bytes).map_err(|_| CliError::Said("--bytes: too many".into()))?,
            tolerance: self.tolerance,
            measure: self.measure,
            row_count: self.rows,
            who: String::new(),
            network: String::new(),
            source: String::new(),
            guess: String::new(),
            result: None,
            matched_at: None,
        };
        let progress: Arc<MatchProgress> = Arc::default();
        let shown = bar(self.quiet || self.json, 1000);
        let actor = console();
        let found = {
            let work = app.find_definitions(&actor, &download, &progress);
            tokio::pin!(work);
            loop {
                tokio::select! {
                    done = &mut work => break done,
                    () = tokio::time::sleep(Duration::from_millis(100)) => shown.set_position(progress.permille()),
                }
            }
        };
        shown.finish_and_clear();
        app.db.close().await;
        let found = found?;
        let matched = found["matched"].as_u64().unwrap_or_default();
        if self.json {
            say(&found.to_string())?;
            return Ok(ExitCode::from(u8::from(matched == 0)));
        }
        say(&format!(
            "{matched} definitions give {bytes} bytes as of revision {}",
            found["as_of"]["revision"]
        ))?;
        for c in found["candidates"].as_array().into_iter().flatten() {
            let text = |key: &str| c[key].as_str().unwrap_or_default().to_owned();
            let columns = c["columns"].as_array().map_or(0, Vec::len);
            say(&format!(
                "{:>3}  {:>10} people {:>14} bytes {:>8} off  {columns} columns  {}",
                c["rank"],
                c["rows"],
                c["bytes"],
                c["difference"],
                text("filter")
            ))?;
        }
        let exposed = &found["exposed"];
        if exposed.is_object() {
            say(&format!(
                "exposed by the first: {} people of {} organizations, {} with nothing but name and e-mail to reach them by",
                exposed["people"], exposed["organizations"], exposed["only_name_and_email"]
            ))?;
        }
        Ok(ExitCode::from(u8::from(matched == 0)))
    }
}
