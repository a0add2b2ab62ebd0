//! One page (tab): going somewhere, looking at it, waiting for it.

use super::connection::{Connection, Event};
use base64::Engine as _;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};

/// How long something may take to appear on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the page believes about its reader and its window.
#[derive(Clone, Debug)]
pub struct Look {
    pub width: u32,
    pub height: u32,
    pub dark: bool,
    /// `en`, `ja`: sent as `Accept-Language` and used by scripts.
    pub language: String,
    pub javascript: bool,
}

impl Default for Look {
    fn default() -> Self {
        let language = "en".to_owned();
        Self { width: 1440, height: 900, dark: false, language, javascript: true }
    }
}

impl Look {
    pub fn phone() -> Self {
        Self { width: 360, height: 780, ..Self::default() }
    }

    pub fn dark(self) -> Self {
        Self { dark: true, ..self }
    }

    pub fn language(self, language: &str) -> Self {
        Self { language: language.to_owned(), ..self }
    }

    pub fn without_javascript(self) -> Self {
        Self { javascript: false, ..self }
    }
}

/// What the browser has told about a page.
#[derive(Default)]
struct Seen {
    /// Loaders whose `load` event has come.
    loaded: Vec<String>,
    errors: Vec<String>,
}

/// A page in its own browser context.
pub struct Page {
    connection: Arc<Connection>,
    session: String,
    context: Value,
    seen: Arc<Mutex<Seen>>,
    changed: watch::Receiver<u64>,
}

impl Page {
    pub(super) async fn open(
        connection: &Arc<Connection>,
        context: &Value,
        look: Look,
        agent: &str,
    ) -> Self {
        let call = async |method: &str, parameters: Value| {
            let answer = connection.call(None, method, parameters).await;
            answer.unwrap_or_else(|e| panic!("{method}: {e}"))
        };
        let target = json!({ "url": "about:blank", "browserContextId": context });
        let target = call("Target.createTarget", target).await;
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = call("Target.attachToTarget", attach).await;
        let session = attached["sessionId"].as_str().expect("a session").to_owned();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let changed = watch_events(connection.events(&session), Arc::clone(&seen));
        let connection = Arc::clone(connection);
        let page = Self { connection, session, context: context.clone(), seen, changed };
        page.call("Page.enable", json!({})).await;
        page.call("Page.setLifecycleEventsEnabled", json!({ "enabled": true })).await;
        page.call("Runtime.enable", json!({})).await;
        page.call("Log.enable", json!({})).await;
        let language = json!({ "userAgent": agent, "acceptLanguage": look.language });
        page.call("Emulation.setUserAgentOverride", language).await;
        page.size(look.width, look.height).await;
        page.media("screen", look.dark).await;
        if !look.javascript {
            page.call("Emulation.setScriptExecutionDisabled", json!({ "value": true })).await;
        }
        page
    }

    /// Sends a command of the protocol to this page; panics where the browser refuses it.
    pub async fn call(&self, method: &str, parameters: Value) -> Value {
        let answer = self.connection.call(Some(&self.session), method, parameters).await;
        answer.unwrap_or_else(|e| panic!("{method}: {e}"))
    }

    pub async fn size(&self, width: u32, height: u32) {
        let metrics = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600,
        });
        self.call("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// `media` is `screen` or `print`.
    pub async fn media(&self, media: &str, dark: bool) {
        let scheme = if dark { "dark" } else { "light" };
        let features = json!([
            { "name": "prefers-color-scheme", "value": scheme },
            // Pictures are taken of what has arrived, not of what is on its way.
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ]);
        let emulate = json!({ "media": media, "features": features });
        self.call("Emulation.setEmulatedMedia", emulate).await;
    }

    /// Goes to `url` and waits until everything is loaded.
    pub async fn goto(&self, url: &str) {
        let answer = self.call("Page.navigate", json!({ "url": url })).await;
        if let Some(error) = answer["errorText"].as_str() {
            panic!("{url}: {error}");
        }
        // Without a loader it was a jump within the page.
        if let Some(loader) = answer["loaderId"].as_str()
            && !self.comes(|seen| seen.loaded.iter().any(|l| l == loader)).await
        {
            panic!("{url} is not loaded within {PATIENCE:?}; {}", self.described().await);
        }
    }

    /// Runs `act` (a click, a key) and waits until the page that it leads to is loaded.
    pub async fn leads_on(&self, act: impl Future<Output = ()>) {
        let before = self.seen(|seen| seen.loaded.len());
        act.await;
        if !self.comes(|seen| seen.loaded.len() > before).await {
            let here = self.described().await;
            panic!("no other page is loaded within {PATIENCE:?}; {here}");
        }
    }

    /// Where the page is, how far, and what it shows: for whoever reads why a test failed.
    async fn described(&self) -> String {
        const LOOK: &str = "[location.href, document.readyState, document.hasFocus(), \
            document.activeElement?.outerHTML?.slice(0, 200), \
            document.querySelector('[data-asking], [data-signing]')?.outerHTML?.slice(0, 200), \
            performance.getEntriesByType('resource').slice(-3).map((r) => r.name), \
            document.body?.innerText].map((part) => JSON.stringify(part)).join('\\n')";
        let look = tokio::time::timeout(Duration::from_secs(5), self.try_eval(LOOK)).await;
        let seen = match look {
            Ok(Ok(seen)) => seen.as_str().unwrap_or_default().to_owned(),
            Ok(Err(error)) => error,
            Err(_) => "the page does not answer".to_owned(),
        };
        format!("{:#?}\n{seen}", self.errors())
    }

    /// The value of an expression, awaited where it is a promise; works without JavaScript too.
    pub async fn eval(&self, expression: &str) -> Value {
        self.try_eval(expression).await.unwrap_or_else(|e| panic!("{expression}\n{e}"))
    }

    /// As [`Self::eval`].
    ///
    /// # Errors
    /// What the expression threw, or that the page went away under it.
    pub async fn try_eval(&self, expression: &str) -> Result<Value, String> {
        let evaluate = json!({
            "expression": expression,
            "awaitPromise": true,
            "returnByValue": true,
            "userGesture": true,
        });
        let session = Some(self.session.as_str());
        let mut answer = self.connection.call(session, "Runtime.evaluate", evaluate).await?;
        match answer.get("exceptionDetails") {
            Some(details) => Err(words_of(details)),
            None => Ok(answer["result"]["value"].take()),
        }
    }

    /// Waits until an expression is true; a page change in between does no harm.
    pub async fn wait_until(&self, what: &str, expression: &str) {
        let until = Instant::now() + PATIENCE;
        let expression = format!("Boolean({expression})");
        while !matches!(self.try_eval(&expression).await, Ok(Value::Bool(true))) {
            if Instant::now() > until {
                panic!("{what}: not within {PATIENCE:?}; {}", self.described().await);
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    /// Waits for an element that is shown.
    pub async fn wait_for(&self, selector: &str) {
        let shown = format!("document.querySelector({})?.checkVisibility()", quote(selector));
        self.wait_until(&format!("{selector} is shown"), &shown).await;
    }

    /// Waits until no such element is shown.
    pub async fn wait_gone(&self, selector: &str) {
        let gone = format!("!document.querySelector({})?.checkVisibility()", quote(selector));
        self.wait_until(&format!("{selector} is gone"), &gone).await;
    }

    /// Waits until the page shows this text.
    pub async fn wait_text(&self, text: &str) {
        let shown = format!("document.body?.innerText.includes({})", quote(text));
        self.wait_until(&format!("the page says {text:?}"), &shown).await;
    }

    /// What the page shows.
    pub async fn text(&self) -> String {
        self.eval("document.body.innerText").await.as_str().unwrap_or("").to_owned()
    }

    /// What one element shows; panics where there is none.
    pub async fn text_of(&self, selector: &str) -> String {
        let text = format!("document.querySelector({}).innerText", quote(selector));
        self.eval(&text).await.as_str().unwrap_or("").to_owned()
    }

    /// How many elements there are.
    pub async fn count(&self, selector: &str) -> u64 {
        let count = format!("document.querySelectorAll({}).length", quote(selector));
        self.eval(&count).await.as_u64().unwrap_or(0)
    }

    pub async fn url(&self) -> String {
        self.eval("location.href").await.as_str().unwrap_or("").to_owned()
    }

    /// Whether the page is wider than its window.
    pub async fn scrolls_sideways(&self) -> bool {
        let wider = "document.documentElement.scrollWidth > document.documentElement.clientWidth";
        self.eval(wider).await == Value::Bool(true)
    }

    /// Uncaught exceptions, `console.error`, refusals of the content security policy and failed
    /// requests since the page was opened.
    pub fn errors(&self) -> Vec<String> {
        self.seen(|seen| seen.errors.clone())
    }

    pub fn assert_no_errors(&self) {
        let errors = self.errors();
        assert!(errors.is_empty(), "the browser complains: {errors:#?}");
    }

    /// Keeps a picture of the whole page as `ci-artifacts/NAME.png`.
    pub async fn screenshot(&self, name: &str) -> PathBuf {
        self.call("Page.bringToFront", json!({})).await;
        let format = json!({ "format": "png", "captureBeyondViewport": true });
        let answer = self.call("Page.captureScreenshot", format).await;
        let data = answer["data"].as_str().expect("a picture");
        let bytes = base64::engine::general_purpose::STANDARD.decode(data).expect("base64");
        let path = super::artifacts().join(format!("{name}.png"));
        std::fs::write(&path, bytes).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        path
    }

    /// Saves downloads into `folder` under the name that the server gives.
    pub async fn downloads_to(&self, folder: &Path) {
        let behavior = json!({
            "behavior": "allow", "downloadPath": folder, "browserContextId": self.context,
        });
        let answer = self.connection.call(None, "Browser.setDownloadBehavior", behavior).await;
        answer.unwrap_or_else(|e| panic!("Browser.setDownloadBehavior: {e}"));
    }

    /// Waits for a finished download in `folder`, which was empty before.
    pub async fn downloaded(&self, folder: &Path) -> PathBuf {
        let until = Instant::now() + PATIENCE;
        loop {
            let files = std::fs::read_dir(folder).expect("a folder").flatten().map(|e| e.path());
            let mut files: Vec<_> = files.collect();
            let whole = |p: &PathBuf| p.extension().is_none_or(|e| e != "crdownload");
            if files.len() == 1 && whole(&files[0]) {
                return files.remove(0);
            }
            assert!(Instant::now() < until, "no download within {PATIENCE:?}: {files:?}");
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    fn seen<T>(&self, look: impl FnOnce(&Seen) -> T) -> T {
        look(&self.seen.lock().unwrap_or_else(|e| e.into_inner()))
    }

    /// Waits for what the browser tells; false when it is not told in time.
    async fn comes(&self, is: impl Fn(&Seen) -> bool) -> bool {
        let mut changed = self.changed.clone();
        let wait = changed.wait_for(|_| self.seen(&is));
        match tokio::time::timeout(PATIENCE, wait).await {
            Ok(told) => told.map(|_| true).unwrap_or_else(|_| panic!("the browser is gone")),
            Err(_) => false,
        }
    }
}

/// A string as a JavaScript literal.
pub(super) fn quote(text: &str) -> String {
    Value::from(text).to_string()
}

fn watch_events(
    mut events: mpsc::UnboundedReceiver<Event>,
    seen: Arc<Mutex<Seen>>,
) -> watch::Receiver<u64> {
    let (sender, receiver) = watch::channel(0);
    tokio::spawn(async move {
        while let Some((method, event)) = events.recv().await {
            note(&mut seen.lock().unwrap_or_else(|e| e.into_inner()), &method, &event);
            sender.send_modify(|n| *n += 1);
        }
    });
    receiver
}

fn note(seen: &mut Seen, method: &str, event: &Value) {
    match method {
        "Page.lifecycleEvent" if event["name"] == "load" => {
            seen.loaded.push(event["loaderId"].as_str().unwrap_or("").to_owned());
        }
        "Runtime.exceptionThrown" => seen.errors.push(words_of(&event["exceptionDetails"])),
        "Runtime.consoleAPICalled" if event["type"] == "error" || event["type"] == "assert" => {
            let words = event["args"].as_array().into_iter().flatten().map(|a| {
                a["value"].as_str().or(a["description"].as_str()).unwrap_or("?").to_owned()
            });
            seen.errors.push(words.collect::<Vec<_>>().join(" "));
        }
        "Log.entryAdded" if event["entry"]["level"] == "error" => {
            let entry = &event["entry"];
            let (text, url) = (entry["text"].as_str(), entry["url"].as_str());
            seen.errors.push(format!("{} ({})", text.unwrap_or("?"), url.unwrap_or("")));
        }
        _ => {}
    }
}

fn words_of(exception: &Value) -> String {
    let description = exception["exception"]["description"].as_str();
    description.or(exception["text"].as_str()).unwrap_or("an exception without words").to_owned()
}
