//! A real Chromium, driven by the Chrome DevTools protocol, without a driver program.
//!
//! Every test starts its own (half a second), with a profile that goes away. Waiting is on what the
//! page shows, never on a clock.

mod axe;
mod connection;
mod input;
mod page;

pub use page::{Look, Page};

use connection::Connection;
use serde_json::json;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Browsers at a time: more only take each other's processor.
static AT_A_TIME: Semaphore = Semaphore::const_new(2);
const START: Duration = Duration::from_secs(60);

/// A running browser; it and its profile go away when it goes out of scope.
pub struct Browser {
    connection: Arc<Connection>,
    agent: String,
    process: Child,
    _profile: TempDir,
    _permit: SemaphorePermit<'static>,
}

impl Browser {
    /// Starts Chromium. `None` where `WARIFU_SKIP_BROWSER=1` says to do without; a missing browser
    /// fails the test.
    pub async fn start() -> Option<Self> {
        Self::start_with(|_, _| {}).await
    }

    /// The same, after `prepare` has seen its profile's folder and its command.
    pub async fn start_with(prepare: impl FnOnce(&Path, &mut Command)) -> Option<Self> {
        if std::env::var_os("WARIFU_SKIP_BROWSER").is_some_and(|v| v == "1") {
            eprintln!("skipped: WARIFU_SKIP_BROWSER=1");
            return None;
        }
        let permit = AT_A_TIME.acquire().await.expect("never closed");
        let profile = TempDir::with_prefix("warifu-browser-").expect("a temporary folder");
        let log = profile.path().join("log");
        let output = File::create(&log).expect("a file in a folder of ours");
        let mut command = command(profile.path());
        prepare(profile.path(), &mut command);
        let mut process = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(output)
            .spawn()
            .unwrap_or_else(|e| panic!("cannot start Chromium: {e}"));
        let Some(address) = address(profile.path(), &mut process).await else {
            let _ = process.kill();
            let _ = process.wait();
            panic!("Chromium did not start:\n{}", std::fs::read_to_string(log).unwrap_or_default());
        };
        let connection = Connection::open(&address).await;
        let version = connection.call(None, "Browser.getVersion", json!({})).await;
        let version = version.unwrap_or_else(|e| panic!("Browser.getVersion: {e}"));
        // Pages see an ordinary browser, not a headless one.
        let agent = version["userAgent"].as_str().unwrap_or("").replace("Headless", "");
        Some(Self { connection, agent, process, _profile: profile, _permit: permit })
    }

    /// A page in a context of its own: no cookies, no storage, no passkeys of other pages.
    pub async fn page(&self, look: Look) -> Page {
        let context = self.call("Target.createBrowserContext", json!({})).await;
        Page::open(&self.connection, &context["browserContextId"], look, &self.agent).await
    }

    async fn call(&self, method: &str, parameters: serde_json::Value) -> serde_json::Value {
        let answer = self.connection.call(None, method, parameters).await;
        answer.unwrap_or_else(|e| panic!("{method}: {e}"))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Where screenshots and other files for the reader of a test run go.
pub fn artifacts() -> PathBuf {
    let folder = root().join("ci-artifacts");
    std::fs::create_dir_all(&folder).expect("the repository can be written to");
    folder
}

fn root() -> &'static Path {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().and_then(Path::parent).expect("crates/warifu is two levels deep")
}

fn command(profile: &Path) -> Command {
    let mut command = Command::new(program());
    command
        .arg(format!("--user-data-dir={}", profile.display()))
        .args(["--headless", "--remote-debugging-port=0", "--hide-scrollbars", "--disable-gpu"])
        .args(["--no-first-run", "--no-default-browser-check", "--disable-background-networking"])
        .args(["--disable-component-update", "--disable-sync", "--disable-extensions"])
        .args(["--disable-dev-shm-usage", "--password-store=basic", "--use-mock-keychain"])
        .args(["--disable-breakpad", "--force-color-profile=srgb", "--lang=en"])
        // Answers of a page that the test did not ask for would be errors that nobody made.
        .args(["--disable-features=Translate,OptimizationHints,MediaRouter,DialMediaRouteProvider"])
        .arg("about:blank");
    // Chromium's sandbox does not work for root, nor in most containers.
    if is_root() || std::env::var_os("CI").is_some() {
        command.arg("--no-sandbox");
    }
    command
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").is_ok_and(|m| m.uid() == 0)
}

fn program() -> PathBuf {
    if let Some(program) = std::env::var_os("WARIFU_CHROMIUM") {
        return program.into();
    }
    // Debian's /usr/bin/chromium is a script whose flags break headless use.
    let places = [
        "/usr/lib/chromium/chromium",
        "/usr/lib/chromium-browser/chromium-browser",
        "/opt/google/chrome/chrome",
    ];
    let found = places.into_iter().map(PathBuf::from).find(|p| p.exists());
    found.unwrap_or_else(|| {
        panic!("no Chromium: run ./test, or set WARIFU_CHROMIUM, or WARIFU_SKIP_BROWSER=1")
    })
}

/// Waits for the file in which the browser writes its port and the path of its socket.
async fn address(profile: &Path, process: &mut Child) -> Option<String> {
    let until = Instant::now() + START;
    while Instant::now() < until && matches!(process.try_wait(), Ok(None)) {
        let text = std::fs::read_to_string(profile.join("DevToolsActivePort")).unwrap_or_default();
        if let Some((port, path)) = text.trim_end().split_once('\n') {
            return Some(format!("ws://127.0.0.1:{port}{path}"));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    None
}
