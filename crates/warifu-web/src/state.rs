//! What every handler may ask for: the installation, and how it is reached.

use std::sync::Arc;
use url::Url;
use warifu_app::App;
use warifu_auth::SessionPolicy;

/// How the server is reached.
#[derive(Clone, Debug)]
pub struct WebConfig {
    /// Scheme, host and port as browsers see them, e.g. `https://support.example.com`. Passkeys
    /// belong to its host; requests that change something must come from it.
    pub origin: Url,
    pub sessions: SessionPolicy,
}

impl WebConfig {
    pub fn new(origin: Url) -> WebConfig {
        WebConfig { origin, sessions: SessionPolicy::default() }
    }

    /// Whether browsers reach it over TLS.
    pub fn secure(&self) -> bool {
        self.origin.scheme() == "https"
    }

    /// The origin as browsers send it: no path, no slash.
    pub fn origin_text(&self) -> String {
        self.origin.origin().ascii_serialization()
    }
}

/// State of the router. Cheap to clone.
#[derive(Clone)]
pub struct Web {
    pub app: App,
    pub config: Arc<WebConfig>,
}

impl Web {
    pub fn new(app: App, config: WebConfig) -> Web {
        Web { app, config: Arc::new(config) }
    }
}
