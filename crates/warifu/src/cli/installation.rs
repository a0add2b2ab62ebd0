//! Opening the installation that lies in a data folder.

use super::{CliError, progress};
use clap::Args;
use std::fs::File;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::Arc;
use warifu_app::{App, AppConfig, SystemRandom};
use warifu_domain::time::SystemClock;
use warifu_storage::search::fill::fill;
use warifu_storage::{Db, StorageError};

/// Where an installation lies.
#[derive(Args, Clone)]
pub struct Installation {
    /// Folder with keys, attachments and (without --database) the database; made when missing
    #[arg(long, env = "WARIFU_DATA", value_name = "DIR")]
    pub data: PathBuf,
    /// PostgreSQL instead of the built-in SQLite: `postgres://user@host/name`
    #[arg(long, env = "WARIFU_DATABASE", value_name = "URL", hide_env_values = true)]
    pub database: Option<String>,
    /// The desk's name as its pages show it
    #[arg(long, env = "WARIFU_NAME", default_value = "Warifu", value_name = "NAME")]
    pub name: String,
}

/// Held as long as a server works on a data folder.
#[expect(dead_code, reason = "closing the file is what releases the lock")]
pub struct Lock(File);

impl Installation {
    /// Takes the data folder for one server.
    ///
    /// # Errors
    /// [`StorageError::Locked`] when another process has it.
    pub fn lock(&self) -> Result<Lock, CliError> {
        self.make_folder()?;
        let path = self.data.join("warifu.lock");
        let shown = path.display().to_string();
        let file = File::options().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = file.map_err(CliError::io(&shown))?;
        match file.try_lock() {
            Ok(()) => {
                // Only for the words of whoever comes second: a disk without room for it is no reason
                // not to start.
                let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
                Ok(Lock(file))
            }
            Err(std::fs::TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let _ = file.take(20).read_to_string(&mut holder);
                let holder = holder.trim().parse::<u32>();
                let holder = holder.map_or(String::new(), |id| format!(" (process {id})"));
                let folder = self.data.display().to_string();
                Err(StorageError::Locked { folder, holder }.into())
            }
            Err(std::fs::TryLockError::Error(e)) => Err(CliError::io(shown)(e)),
        }
    }

    /// Opens it, making what is missing.
    ///
    /// # Errors
    /// When folder, keys or database cannot be opened.
    pub async fn open(&self) -> Result<App, CliError> {
        self.open_as(|_| {}).await
    }

    /// Opens it with settings of its own.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn open_as(&self, set: impl FnOnce(&mut AppConfig)) -> Result<App, CliError> {
        self.make_folder()?;
        let db = match &self.database {
            Some(url) => Db::open_postgres(url).await?,
            None => Db::open_sqlite(&self.data).await?,
        };
        fill_search(&db).await?;
        let mut config = AppConfig { name: self.name.clone(), ..AppConfig::new(&self.data) };
        set(&mut config);
        let clock = Arc::new(SystemClock::default());
        let app = App::open(db, config, clock, Arc::new(SystemRandom))?;
        app.ensure_vendor().await?;
        Ok(app)
    }

    fn make_folder(&self) -> Result<(), CliError> {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        // The folder has the keys: nobody else may look in.
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.data).map_err(CliError::io(format!("folder {}", self.data.display())))
    }
}

/// Fills the search index where an update has changed how it is made: once, before anybody is served.
///
/// # Errors
/// When the database fails; the next start goes on where this one stopped.
pub async fn fill_search(db: &Db) -> Result<(), CliError> {
    let bar = progress::spinner("messages made findable again after an update");
    fill(db, |done| bar.set_position(done)).await?;
    bar.finish_and_clear();
    Ok(())
}
