//! What the browser sees: one typed context per page, rendered by askama.
//!
//! A context holds plain data, already formatted for its reader where language or zone matter
//! (`i18n`), and a [`shell::Shell`]. Handlers fill it; nothing here reads, decides or changes
//! anything. `context.as_NAME()` renders one block of a page for a partial update.

pub mod accesses;
pub mod applications;
pub mod cases;
pub mod certificates;
pub mod charts;
pub mod errors;
pub mod identity_providers;
pub mod incidents;
pub mod ledger;
pub mod markup;
pub mod notices;
pub mod password;
pub mod people;
pub mod policy;
pub mod portal;
pub mod reports;
pub mod runs;
pub mod security;
pub mod services;
pub mod sessions;
pub mod shell;
pub mod sign_in;
pub mod verifications;
pub mod way_in;

#[cfg(test)]
mod tests;
