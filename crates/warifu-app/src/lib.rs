//! Use cases: authorize → change → ledger, in one transaction. No HTTP, no SQL text.

mod change;
mod error;
pub mod import;
pub mod ledger;
pub mod live;
pub mod reports;
mod state;

pub use change::Change;
pub use error::AppError;
pub use state::{App, AppConfig, Keys, Random, SystemRandom};
