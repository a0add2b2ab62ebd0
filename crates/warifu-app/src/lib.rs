//! Use cases: authorize → change → ledger, in one transaction. No HTTP, no SQL text.

pub mod active_sessions;
pub mod attachments;
pub mod cases;
pub mod certificates;
mod change;
pub mod egress;
pub mod enrolment;
mod error;
mod har;
pub mod idempotency;
pub mod import;
pub mod incidents;
mod init;
pub mod ledger;
pub mod live;
mod names;
pub mod notices;
pub mod organizations;
pub mod passkeys;
pub mod people;
pub mod reports;
mod roles;
pub mod search;
pub mod services;
pub mod sessions;
pub mod sign_in;
mod state;
pub mod step_up;

pub use change::Change;
pub use error::AppError;
pub use state::{App, AppConfig, Keys, Random, SystemRandom};
