//! axum routes, extractors, HTML, JSON API; no SQL, no rules.

mod account;
pub mod assets;
pub mod csrf;
mod headers;
pub mod i18n;
mod incidents;
pub mod lang;
mod ledger;
pub mod network;
pub mod page;
pub mod problem;
mod reports;
pub mod router;
mod runs;
pub mod session;
mod sign_in;
pub mod state;
pub mod views;

pub use router::router;
pub use state::{Web, WebConfig};
