//! axum routes, extractors, HTML, JSON API; no SQL, no rules.

mod account;
mod api;
mod applications;
mod around;
pub mod assets;
mod attachments;
mod cases;
pub mod certificates;
pub mod csrf;
mod device;
mod front;
#[cfg(test)]
mod fuzzed;
mod headers;
pub mod i18n;
mod identity_providers;
mod incidents;
pub mod lang;
mod ledger;
mod live;
pub mod mails;
pub mod network;
mod openid;
mod organizations;
pub mod page;
mod people;
mod policy;
mod portal;
pub mod problem;
mod reports;
pub mod router;
mod runs;
mod search;
mod service;
mod services;
pub mod session;
mod sign_in;
pub mod state;
mod step_up;
mod verifications;
pub mod views;

pub use front::{Front, fronts};
pub use router::router;
pub use state::{Web, WebConfig};
