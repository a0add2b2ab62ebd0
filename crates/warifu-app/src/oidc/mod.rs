//! Signing in at an organization's identity provider (OpenID Connect).
//!
//! People are found by issuer and subject alone, never by an address; the link is made once, by
//! redeeming an invitation at the provider.

mod connections;
mod logout;
mod outbound;
mod sign_in;
mod step_up;

pub use connections::{Connection, NewProvider};
pub(crate) use connections::{end_with, let_in, terms};
pub use logout::LogoutAnswer;
pub use outbound::Outbound;
pub use sign_in::{Began, Finished, Purpose, Returned};

use crate::{App, AppError};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use url::Url;
use warifu_auth::oidc::{Client, Discovered, OidcError, is_declared};
use warifu_auth::{digest, open_sealed};
use warifu_domain::time::{MINUTE, SECOND};
use warifu_domain::{ProviderId, Timestamp};
use warifu_storage::identity_providers::Provider;

/// Where a provider sends people back to.
pub const CALLBACK: &str = "/sign-in/oidc/callback";
/// Where a provider tells of people who signed out there.
pub const BACK_CHANNEL: &str = "/oidc/backchannel-logout";
/// For how long what a provider says about itself is taken as it is, in microseconds.
const KNOWN: i64 = 10 * MINUTE;
/// An unknown key makes us ask again; strangers' tokens no sooner than after this.
const ASK_AGAIN: i64 = 30 * SECOND;

/// Whoever signs out does not wait for a provider that did not answer so lately; nor does everybody who
/// opens that page ask it.
const SILENT: i64 = MINUTE;

/// What is known about the providers, in memory.
#[derive(Default)]
pub(crate) struct Providers {
    known: Mutex<HashMap<ProviderId, (Timestamp, Arc<Discovered>)>>,
    /// When one was asked last that did not answer.
    silent: Mutex<HashMap<ProviderId, Timestamp>>,
}

/// Unique among all factors: the same person at the same provider, and nobody else.
fn link_id(issuer: &str, subject: &str) -> [u8; 32] {
    digest(format!("oidc\n{}:{issuer}\n{subject}", issuer.len()).as_bytes())
}

fn sealed_for(id: ProviderId) -> String {
    format!("identity provider {id}")
}

fn hosts(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_ascii_lowercase).collect()
}

impl App {
    fn provider_key(&self) -> [u8; 32] {
        self.keys.for_purpose("identity providers' secrets")
    }

    fn provider_client(&self, provider: &Provider, origin: &Url) -> Result<Client, AppError> {
        let secret = open_sealed(&self.provider_key(), &sealed_for(provider.id), &provider.secret);
        let broken = || AppError::Internal(format!("the secret of provider {}", provider.id));
        let redirect = origin.join(CALLBACK).map_err(|e| AppError::Internal(e.to_string()))?;
        Ok(Client {
            issuer: provider.issuer.clone(),
            client_id: provider.client_id.clone(),
            secret: secret.ok_or_else(broken)?,
            redirect,
        })
    }

    /// What a provider says about itself, at most so old.
    async fn discovered(
        &self,
        provider: &Provider,
        at_most: i64,
    ) -> Result<Arc<Discovered>, OidcError> {
        let now = self.now();
        let known = &self.oidc.known;
        let found = {
            let known = known.lock().unwrap_or_else(PoisonError::into_inner);
            known.get(&provider.id).cloned()
        };
        if let Some((at, found)) = found
            && (0..at_most).contains(&(now.0 - at.0))
        {
            return Ok(found);
        }
        let found = Arc::new(self.ask_about(&provider.issuer, &provider.hosts).await?);
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(provider.id, (now, found.clone()));
        Ok(found)
    }

    /// Asks a provider about itself. All that it names must be on its declared hosts.
    async fn ask_about(&self, issuer: &str, declared: &str) -> Result<Discovered, OidcError> {
        let hosts = hosts(declared);
        let fetch = self.config.outbound.to(hosts.clone());
        let found = Discovered::read(issuer.to_owned(), fetch).await?;
        match found.addresses().into_iter().find(|url| !is_declared(url, &hosts)) {
            None => Ok(found),
            Some(url) => Err(OidcError::Refused(url.host_str().unwrap_or_default().to_owned())),
        }
    }

    /// The same for whoever signs out; `None` where it does not answer, which is remembered for a while.
    async fn discovered_in_passing(&self, provider: &Provider) -> Option<Arc<Discovered>> {
        let (now, silent) = (self.now(), &self.oidc.silent);
        let last = {
            let silent = silent.lock().unwrap_or_else(PoisonError::into_inner);
            silent.get(&provider.id).copied()
        };
        if last.is_some_and(|last| (0..SILENT).contains(&(now.0 - last.0))) {
            return None;
        }
        let found = self.discovered(provider, KNOWN).await.ok();
        let mut silent = silent.lock().unwrap_or_else(PoisonError::into_inner);
        if found.is_some() {
            silent.remove(&provider.id);
        } else {
            silent.insert(provider.id, now);
        }
        found
    }

    fn forget_provider(&self, id: ProviderId) {
        self.oidc.silent.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        self.oidc.known.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }
}
