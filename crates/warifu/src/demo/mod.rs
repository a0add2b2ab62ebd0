//! `warifu demo`: an installation with a past. It is made once, with a progress bar, in a folder
//! that it names; the same on every machine but for its keys.

mod chance;
mod history;
mod names;
mod story;
mod texts;

use crate::cli::CliError;
use crate::cli::installation::{Installation, fill_search};
use crate::cli::serve::{self, say, serve, stopped};
use crate::cli::signals::Senders;
use crate::outbound;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::TcpListener;
use warifu_app::{App, AppConfig, SystemRandom};
use warifu_domain::time::SystemClock;
use warifu_storage::{Db, people, settings};

#[derive(Args)]
pub struct Demo {
    /// Folder of the demo installation; made when missing, continued when it is there
    #[arg(long, default_value = "warifu-demo", value_name = "DIR")]
    data: PathBuf,
    /// Address and port; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDR:PORT")]
    listen: SocketAddr,
    /// PostgreSQL instead of the built-in SQLite
    #[arg(long, value_name = "URL", hide_env_values = true)]
    database: Option<String>,
    /// How many people; 20,000 make the story as it was
    #[arg(long, default_value_t = 20_000, value_name = "N", value_parser = clap::value_parser!(u32).range(200..=2_000_000))]
    people: u32,
    /// Make the installation and end
    #[arg(long)]
    only_make: bool,
}

/// The desk's name.
const NAME: &str = "Hashira Cloud";
/// Marks an installation whose past is complete.
const MADE: &str = "demo";

impl Demo {
    pub async fn run(self) -> Result<(), CliError> {
        let installation = Installation {
            data: self.data.clone(),
            database: self.database.clone(),
            name: NAME.into(),
        };
        let _lock = installation.lock()?;
        let half = self.data.join("unfinished");
        let db = match &self.database {
            Some(url) => Db::open_postgres(url).await?,
            None => {
                // A demo that was interrupted while it was made is made anew: half a past is none.
                if half.exists() {
                    clear(&self.data)?;
                }
                Db::open_sqlite(&self.data).await?
            }
        };
        fill_search(&db).await?;
        let made = settings::get(&mut db.read().await?.conn(), MADE).await?.is_some();
        if !made {
            std::fs::write(&half, b"").map_err(CliError::io("the demo's folder"))?;
            say(&format!("making the demo in {}", self.data.display()))?;
            let bar = bar();
            history::make(&db, &self.data, NAME, u64::from(self.people), &bar).await?;
            bar.finish_and_clear();
            let mut tx = db.begin_plain().await?;
            settings::set(&mut tx.conn(), MADE, "made").await?;
            tx.commit().await?;
            std::fs::remove_file(&half).map_err(CliError::io("the demo's folder"))?;
        }
        let outbound = outbound::providers();
        let config = AppConfig { name: NAME.into(), outbound, ..AppConfig::new(&self.data) };
        let app = App::open(db, config, Arc::new(SystemClock::default()), Arc::new(SystemRandom))?;
        if self.only_make {
            app.db.close().await;
            return Ok(());
        }
        app.abort_unfinished_runs().await?;
        let listener = listen(self.listen).await?;
        let address = listener.local_addr().map_err(CliError::io("the listener"))?;
        let origin = format!("http://localhost:{}", address.port());
        let config = serve::config(&origin)?;
        app.remember_origin(&config.origin_text()).await?;
        greet(&app, &origin, &self.data).await?;
        say(&format!("listening on {origin}"))?;
        serve(listener, app, config, Senders::default(), stopped()).await
    }
}

/// The wanted port, or a free one when another program has it.
async fn listen(wanted: SocketAddr) -> Result<TcpListener, CliError> {
    match TcpListener::bind(wanted).await {
        Ok(listener) => Ok(listener),
        Err(e) if e.kind() == std::io::ErrorKind::AddrInUse => {
            let any = SocketAddr::new(wanted.ip(), 0);
            TcpListener::bind(any).await.map_err(CliError::io(format!("cannot listen on {any}")))
        }
        Err(e) => Err(CliError::io(format!("cannot listen on {wanted}"))(e)),
    }
}

fn clear(folder: &std::path::Path) -> Result<(), CliError> {
    for name in ["warifu.db", "warifu.db-wal", "warifu.db-shm", "warifu.key"] {
        match std::fs::remove_file(folder.join(name)) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                return Err(CliError::io(format!("{name} of the unfinished demo"))(e));
            }
            _ => {}
        }
    }
    Ok(())
}

fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:24} {bar:32} {percent:>3} %  {elapsed}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(0).with_style(style)
}

/// Prints the links and what to try.
async fn greet(app: &App, origin: &str, folder: &std::path::Path) -> Result<(), CliError> {
    say("")?;
    say(&format!("  Warifu demo, in {}", folder.display()))?;
    say("")?;
    for (what, email) in story::HEROES {
        let person = people::find_by_email(&mut app.db.read().await?.conn(), email).await?;
        let enrolled = match person {
            Some(p) => {
                !warifu_storage::credentials::of_person(&mut app.db.read().await?.conn(), p.id)
                    .await?
                    .is_empty()
            }
            None => continue,
        };
        if enrolled {
            say(&format!("  {what:<30} {origin}/sign-in   (has a passkey)"))?;
        } else {
            let invitation = app.invite_on_console(email, None, &[]).await?;
            say(&format!("  {what:<30} {origin}/enrol/{}", invitation.token.text()))?;
        }
    }
    say("")?;
    for line in story::TRY {
        say(line)?;
    }
    Ok(())
}
