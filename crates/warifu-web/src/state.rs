//! What every handler may ask for: the installation, and how it is reached.

use crate::certificates::CertificateConfig;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};
use url::Url;
use warifu_app::{App, AppError};
use warifu_auth::breached::Breached;
use warifu_auth::{Asns, PasskeyError, Passkeys, Proxies, SessionPolicy, Throttle};

/// How the server is reached.
#[derive(Clone, Debug)]
pub struct WebConfig {
    /// Scheme, host and port as browsers see them, e.g. `https://support.example.com`. Passkeys
    /// belong to its host; requests that change something must come from it.
    pub origin: Url,
    pub sessions: SessionPolicy,
    /// Whose word about a client's address is taken.
    pub proxies: Proxies,
    /// Which autonomous system announces an address; without it the prefix counts.
    pub asns: Option<Arc<Asns>>,
    /// Certificates of makers of authenticators, in PEM: with them a make is proved.
    pub makers: Option<String>,
    /// Where client certificates are asked for, if anywhere.
    pub certificates: Option<CertificateConfig>,
    /// Passwords that stood in somebody's leak.
    pub breached: Option<Arc<Breached>>,
}

impl WebConfig {
    pub fn new(origin: Url) -> WebConfig {
        WebConfig {
            origin,
            sessions: SessionPolicy::default(),
            proxies: Proxies::default(),
            asns: None,
            makers: None,
            certificates: None,
            breached: None,
        }
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

/// State of the router. Every request clones it several times, so it is one pointer.
#[derive(Clone)]
pub struct Web {
    inner: Arc<Inner>,
}

pub struct Inner {
    pub app: App,
    pub config: WebConfig,
    pub passkeys: Passkeys,
    throttle: Mutex<Throttle>,
}

impl Deref for Web {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.inner
    }
}

impl Web {
    /// # Errors
    /// When the origin cannot have passkeys.
    pub fn new(app: App, config: WebConfig) -> Result<Web, PasskeyError> {
        let passkeys = Passkeys::new(&config.origin, &app.config.name)?;
        let passkeys = match &config.makers {
            Some(pem) => passkeys.with_roots(pem)?,
            None => passkeys,
        };
        Ok(Web { inner: Arc::new(Inner { app, config, passkeys, throttle: Mutex::default() }) })
    }

    /// Counts a try of sign-in or enrolment of a network.
    ///
    /// # Errors
    /// [`AppError::TooMany`] when there were too many of late.
    pub fn slow_down(&self, network: &str) -> Result<(), AppError> {
        let mut throttle = self.throttle.lock().unwrap_or_else(PoisonError::into_inner);
        let tried = throttle.try_once(network, self.app.now());
        tried.map_err(|seconds| AppError::TooMany { seconds })
    }
}
