//! axum routes, extractors, HTML, JSON API; no SQL, no rules.

pub mod assets;
pub mod i18n;
pub mod views;
