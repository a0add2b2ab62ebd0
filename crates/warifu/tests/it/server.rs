//! The real program, started on a folder and a database of its own.

use crate::http::Client;
use crate::postgres::Database;
use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Long enough for a debug build on a busy machine with two cores.
const START: Duration = Duration::from_secs(60);

/// Makes two tests of one, `NAME::sqlite` and `NAME::postgres`, each with a fresh installation. Write
/// `mut w` to stop and restart it.
#[allow(unused_macros, reason = "the harness may be all that there is")]
macro_rules! on_both {
    ($($(#[$meta:meta])* async fn $name:ident($($w:ident)+: Warifu) $body:block)*) => {$(
        mod $name {
            #[allow(unused_imports, reason = "the body uses what its file uses")]
            use super::*;

            $(#[$meta])*
            async fn check($($w)+: $crate::server::Warifu) $body

            #[tokio::test(flavor = "multi_thread")]
            async fn sqlite() {
                check($crate::server::Warifu::start($crate::server::Engine::Sqlite).await).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn postgres() {
                if let Some(database) = $crate::postgres::Database::create().await {
                    let engine = $crate::server::Engine::Postgres(database);
                    check($crate::server::Warifu::start(engine).await).await;
                }
            }
        }
    )*};
}

/// Where an installation keeps its records.
pub enum Engine {
    Sqlite,
    Postgres(Database),
}

/// An installation: a data folder, a database, and the running server.
pub struct Warifu {
    // Dropped in this order: first the server, then what it writes to.
    server: Option<Process>,
    data: TempDir,
    pub engine: Engine,
    /// Another way to the database than its own URL.
    pub via: Option<String>,
    /// Further arguments of `warifu serve`, from the next start on.
    pub serve: Vec<String>,
    /// Whether the server's clock is the test's, from the next start on ([`Self::pass`]).
    pub clock: bool,
}

impl Warifu {
    /// Starts a server on an empty folder and waits until it says where it listens.
    pub async fn start(engine: Engine) -> Self {
        let mut warifu = Self::stopped(engine);
        warifu.restart().await;
        warifu
    }

    /// An installation whose server does not run yet: for imports and for damage before the start.
    pub fn stopped(engine: Engine) -> Self {
        Self::stopped_in(engine, &std::env::temp_dir())
    }

    /// As [`Self::stopped`], with its folder in another one: on a disk of its own.
    pub fn stopped_in(engine: Engine, parent: &Path) -> Self {
        let data = TempDir::with_prefix_in("warifu-it-", parent).expect("a temporary folder");
        Self { server: None, data, engine, via: None, serve: Vec::new(), clock: false }
    }

    /// Ends the server if it runs (as [`Self::kill`]) and starts it again on the same data.
    pub async fn restart(&mut self) {
        self.kill();
        let mut command = self.command("serve", &["--listen", "127.0.0.1:0"]);
        command.args(&self.serve);
        if self.clock {
            if !self.clock_file().exists() {
                self.pass(0);
            }
            command
                .env("LD_PRELOAD", clock_library())
                .env("FAKETIME_TIMESTAMP_FILE", self.clock_file())
                .env("FAKETIME_NO_CACHE", "1")
                // Timers go on as they are: what passes is the time of day.
                .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        }
        let started = tokio::task::spawn_blocking(move || Process::start(&mut command)).await;
        let server = started.expect("no panic while waiting").unwrap_or_else(|e| panic!("{e}"));
        self.server = Some(server);
    }

    /// Sets the server's clock so many seconds off the true time.
    pub fn pass(&self, seconds: i64) {
        let new = self.data.path().join("clock.new");
        std::fs::write(&new, format!("{seconds:+}\n")).expect("a file in a folder of ours");
        // Moved into place: the server never reads half of it.
        std::fs::rename(new, self.clock_file()).expect("the same folder");
    }

    fn clock_file(&self) -> std::path::PathBuf {
        self.data.path().join("clock")
    }

    /// Ends the server at once, as a power cut would (`kill -9`).
    pub fn kill(&mut self) {
        self.server = None;
    }

    /// Asks the server to end (SIGTERM) and waits at most `patience` for it.
    pub fn stop(&mut self, patience: Duration) -> ExitStatus {
        let mut server = self.server.take().expect("the server runs");
        let id = server.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().expect("kill(1) is there");
        assert!(sent.success(), "the server was gone before it was asked to stop");
        server.wait(patience).unwrap_or_else(|| panic!("still running:\n{}", server.output()))
    }

    /// `warifu SUBCOMMAND [--data DIR --database URL] ARGUMENTS…` on this installation.
    pub fn command(&self, subcommand: &str, arguments: &[&str]) -> Command {
        let mut command = program();
        command.args(subcommand.split(' ')).arg("--data").arg(self.data.path());
        match (&self.via, &self.engine) {
            (Some(url), _) => {
                command.arg("--database").arg(url);
            }
            (None, Engine::Postgres(database)) => {
                command.arg("--database").arg(database.url());
            }
            (None, Engine::Sqlite) => {}
        }
        command.args(arguments);
        command
    }

    /// Runs a subcommand on this installation to its end.
    pub fn run(&self, subcommand: &str, arguments: &[&str]) -> Output {
        let mut command = self.command(subcommand, arguments);
        command.stdin(Stdio::null()).output().expect("the program starts")
    }

    /// As [`Self::run`], and what it printed; panics where it failed.
    pub fn ok(&self, subcommand: &str, arguments: &[&str]) -> String {
        text_of(self.run(subcommand, arguments))
    }

    /// Runs a statement in the database, past the program: to damage it.
    pub async fn sql(&self, sql: &str) {
        match &self.engine {
            Engine::Postgres(database) => database.execute(sql).await,
            Engine::Sqlite => {
                use sqlx::{Connection as _, Executor as _};
                let path = self.data().join("warifu.db");
                let url = format!("sqlite://{}", path.display());
                let mut connection =
                    sqlx::SqliteConnection::connect(&url).await.expect("the server's database");
                let sql = sqlx::AssertSqlSafe(sql.to_owned());
                connection.execute(sqlx::raw_sql(sql)).await.expect("a statement");
            }
        }
    }

    /// `http://localhost:PORT`, without a slash at the end.
    pub fn base(&self) -> &str {
        &self.server().base
    }

    /// `http://localhost:PORT/path`.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base())
    }

    /// A client without cookies.
    pub fn client(&self) -> Client {
        let client = Client::new(self.base());
        let says = |arg: &str| self.serve.iter().any(|a| a == arg);
        // As a proxy on this machine sends on what comes from this machine.
        match says("--trusted-proxy") && !says("proxy-protocol") {
            true => client.header("x-forwarded-for", "127.0.0.1"),
            false => client,
        }
    }

    /// Process id of the server, for `/proc/PID/status`.
    pub fn pid(&self) -> u32 {
        self.server().child.id()
    }

    /// What the server has printed so far.
    pub fn log(&self) -> String {
        self.server().output()
    }

    /// The data folder.
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    fn server(&self) -> &Process {
        self.server.as_ref().expect("the server runs")
    }
}

/// libfaketime, which stands between a program and the machine's clock.
fn clock_library() -> std::path::PathBuf {
    let found = std::fs::read_dir("/usr/lib").expect("a Unix").flatten();
    let paths = found.map(|folder| folder.path().join("faketime/libfaketime.so.1"));
    paths
        .into_iter()
        .find(|path| path.exists())
        .expect("libfaketime: run ./test, which installs it")
}

/// The program itself, without a data folder: `match`, `exposure`, `har`.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_warifu"));
    // A test must not see the settings of whoever runs it.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("WARIFU_") {
            command.env_remove(name);
        }
    }
    command.env("NO_COLOR", "1");
    command
}

/// Standard output as text; panics with both streams where the program failed.
pub fn text_of(output: Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}\nstdout: {text}\nstderr: {error}", output.status);
    text
}

/// A server program and what it printed; killed when it goes out of scope.
pub struct Process {
    child: Child,
    output: Arc<Mutex<String>>,
    pub base: String,
}

impl Process {
    /// Starts `command` and waits until it prints `listening on http://…`.
    ///
    /// # Errors
    /// What it printed, where it ends or stays silent instead.
    pub fn start(command: &mut Command) -> Result<Self, String> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| format!("cannot start {:?}: {e}", command.get_program()))?;
        let output = Arc::new(Mutex::new(String::new()));
        let (found, base) = mpsc::channel();
        let stdout = child.stdout.take().ok_or("no stdout")?;
        let stderr = child.stderr.take().ok_or("no stderr")?;
        collect(stdout, Arc::clone(&output), Some(found));
        let errors = collect(stderr, Arc::clone(&output), None);
        let mut process = Self { child, output, base: String::new() };
        match base.recv_timeout(START) {
            Ok(base) => {
                process.base = base;
                Ok(process)
            }
            Err(_) => {
                let end = process.wait(Duration::from_millis(500));
                if end.is_some() {
                    // What it said last may still be on its way.
                    let _ = errors.join();
                }
                let end = end.map_or("is silent".to_owned(), |e| format!("ended ({e})"));
                Err(format!("the server {end} instead of listening:\n{}", process.output()))
            }
        }
    }

    fn output(&self) -> String {
        self.output.lock().unwrap_or_else(|e| e.into_inner()).clone()
    }

    fn wait(&mut self, patience: Duration) -> Option<ExitStatus> {
        let until = Instant::now() + patience;
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) if Instant::now() < until => std::thread::sleep(Duration::from_millis(10)),
                _ => return None,
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- the server printed:\n{}---", self.output());
        }
    }
}

/// Keeps what a stream prints, and sends the address that it names.
fn collect(
    stream: impl Read + Send + 'static,
    into: Arc<Mutex<String>>,
    found: Option<mpsc::Sender<String>>,
) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if let Some((_, rest)) = line.split_once("listening on ")
                && let Some(found) = &found
            {
                let base = rest.split_whitespace().next().unwrap_or("").trim_end_matches('/');
                let _ = found.send(base.to_owned());
            }
            let mut into = into.lock().unwrap_or_else(|e| e.into_inner());
            into.push_str(&line);
            into.push('\n');
        }
    })
}
