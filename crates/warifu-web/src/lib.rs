//! axum routes, extractors, HTML, JSON API; no SQL, no rules.

mod account;
pub mod assets;
pub mod csrf;
mod headers;
pub mod i18n;
pub mod lang;
pub mod network;
pub mod page;
pub mod problem;
pub mod router;
pub mod session;
mod sign_in;
pub mod state;
pub mod views;

pub use router::router;
pub use state::{Web, WebConfig};
