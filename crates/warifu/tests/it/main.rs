//! The integration tests: the real program, real databases, a real browser.
//!
//! A test starts what it needs and says what happens as a sentence:
//!
//! ```ignore
//! on_both! {
//!     async fn a_case_is_answered(w: Warifu) {
//!         let mut agent = w.client();
//!         let page = agent.get("/cases/1").await;
//!         assert_eq!(page.status, 200);
//!     }
//! }
//! ```
//!
//! - [`server`] starts `warifu serve` on a folder of its own; [`on_both!`] makes one test for SQLite
//!   and one for PostgreSQL, each with its own database.
//! - [`http`] is a client with cookies that knows forms; [`passkey`] signs in without a browser.
//! - [`browser`] drives Chromium: clicks, keys, screenshots, passkeys, accessibility.
//!
//! `./test` starts PostgreSQL and sets the variables that these modules read. By hand:
//! `WARIFU_TEST_POSTGRES=postgres://user@127.0.0.1:5432/postgres` (a role that may create
//! databases) or `WARIFU_SKIP_POSTGRES=1`; `WARIFU_SKIP_BROWSER=1` where there is no Chromium.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test that cannot go on fails, and what it waits for is real"
)]

#[macro_use]
#[allow(dead_code, reason = "a harness offers more than the tests of one day use")]
mod server;
#[allow(dead_code, reason = "a harness offers more than the tests of one day use")]
mod browser;
mod cards;
#[allow(dead_code, reason = "a harness offers more than the tests of one day use")]
mod device;
#[allow(dead_code, reason = "a harness offers more than the tests of one day use")]
mod http;
#[allow(dead_code, reason = "a harness offers more than the tests of one day use")]
mod passkey;
#[allow(dead_code, reason = "a harness offers more than the tests of one day use")]
mod postgres;
mod terminator;

mod accesses;
mod api;
mod applications;
mod attacks;
mod bound;
mod certificates;
mod crash;
mod desk;
mod early_access;
mod evidence;
mod factors;
mod harness;
#[allow(dead_code, reason = "a harness offers more than the tests of one day use")]
mod identity_provider;
mod input;
mod noscript;
mod oidc;
mod own_password;
mod password;
mod proxies;
mod security;
mod sign_in;
mod signals;
mod step_up;
mod story;
mod surroundings;
mod verification;
mod watching;
mod way_in;
