//! `/ledger`: entries, the signed head, one entry with its proof, and the log as static files.

mod files;
mod page;
mod words;

pub use files::{checkpoint, key, proof, tile};
pub use page::{entry, ledger, verify};
