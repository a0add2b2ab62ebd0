//! axum routes, extractors, HTML, JSON API; no SQL, no rules.
