//! One SQL text for SQLite and PostgreSQL, queries by subject, migrations, bulk reads, blobs.
//! No HTTP, no rules.

#[macro_use]
mod db;
#[macro_use]
mod quick;
#[macro_use]
pub mod holders;
pub mod accesses;
pub mod application_sessions;
pub mod applications;
pub mod approvals;
pub mod attachments;
pub mod blobs;
pub mod bulk;
pub mod cases;
pub mod credentials;
pub mod devices;
mod dialect;
mod error;
pub mod idempotency;
pub mod identity_providers;
pub mod imports;
pub mod incidents;
pub mod ledger;
pub mod moment;
pub mod notices;
pub mod organization_access;
pub mod organizations;
pub mod people;
pub mod policies;
pub mod purge;
pub mod reading;
pub mod recovery;
pub mod reminders;
pub mod reports;
pub mod search;
pub mod services;
pub mod sessions;
pub mod settings;
pub mod signing_keys;
pub mod step_ups;
mod together;
pub mod verifications;

pub use db::{Conn, Db, Engine, Reader, Tx};
pub use error::{StorageError, is_disk_full};
pub use quick::Statement;
