//! axum routes, extractors, HTML, JSON API; no SQL, no rules.

mod account;
mod api;
pub mod assets;
mod attachments;
mod cases;
pub mod certificates;
pub mod csrf;
mod headers;
pub mod i18n;
mod incidents;
pub mod lang;
mod ledger;
mod live;
pub mod network;
mod organizations;
pub mod page;
mod people;
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
pub mod views;

pub use router::router;
pub use state::{Web, WebConfig};
