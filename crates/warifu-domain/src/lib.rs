//! What Warifu's words mean: ids, records, roles, permissions, cases, report definitions, dialects,
//! filters, the clock. Plain functions and data; no async, no I/O, no SQL, no HTTP.

pub mod access;
pub mod accesses;
pub mod applications;
pub mod assurance;
pub mod cases;
pub mod devices;
pub mod dialect;
pub mod factors;
pub mod ids;
pub mod notices;
pub mod organizations;
pub mod people;
pub mod policy;
pub mod protected;
pub mod reading;
mod refusal;
pub mod reports;
pub mod search;
pub mod second_person;
pub mod services;
pub mod time;
pub mod verification;

pub use ids::*;
pub use refusal::{Refusal, Term};
pub use time::{Clock, Timestamp};
