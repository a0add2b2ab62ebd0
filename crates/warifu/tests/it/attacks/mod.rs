//! The attacks of the threat model, each by its number, from outside on the running server. Each
//! test asserts what the attacker gets and what the ledger says about it.

mod announced;
mod applications;
mod certificates;
mod devices;
mod downgrade;
pub(crate) mod helpdesk;
pub(crate) mod network;
mod openid;
pub mod policy;
mod reading;
mod service;
mod sessions;
mod step_up;
mod tenants;
mod way_in;
mod webauthn;

use crate::http::Client;
use crate::server::Warifu;
use serde_json::Value;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// The newest entries of the ledger of a kind, newest first, as the API shows them to somebody who may
/// read it.
pub async fn entries(reader: &mut Client, kind: &str) -> Vec<Value> {
    let mut json = reader.clone().header("accept", "application/json");
    let page = json.get(&format!("/api/v1/ledger?kind={kind}&limit=20")).await;
    assert_eq!(page.status, 200, "{}", page.text());
    let entries = page.value()["entries"].as_array().cloned().expect("a page of entries");
    entries.into_iter().map(|e| e["entry"].clone()).collect()
}

/// What somebody was told about their own account, newest first.
pub async fn notices(client: &mut Client) -> Vec<String> {
    let mut json = client.clone().header("accept", "application/json");
    let page = json.get("/api/v1/notices").await;
    assert_eq!(page.status, 200, "{}", page.text());
    let page = page.value();
    let kinds = page.as_array().into_iter().flatten().map(|n| n["kind"].as_str().unwrap_or("-"));
    kinds.map(str::to_owned).collect()
}

/// Waits until others have counted so many.
pub async fn reaches(count: &AtomicUsize, enough: usize) {
    let until = Instant::now() + Duration::from_secs(60);
    while count.load(Ordering::SeqCst) < enough {
        assert!(Instant::now() < until, "{count:?} of {enough}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The ledger is whole.
pub fn verified(w: &Warifu) {
    let said = w.ok("ledger verify", &["--quiet"]);
    assert!(said.starts_with("OK"), "{said}");
}
