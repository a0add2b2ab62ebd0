//! Use cases: authorize → change → ledger, in one transaction. No HTTP, no SQL text.

mod change;
pub mod enrolment;
mod error;
pub mod incidents;
mod init;
pub mod ledger;
pub mod live;
pub mod reports;
pub mod sessions;
mod state;

pub use change::Change;
pub use error::AppError;
pub use state::{App, AppConfig, Keys, Random, SystemRandom};
