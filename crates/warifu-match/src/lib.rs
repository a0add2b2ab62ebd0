//! From a size to the report definitions that give it.
//!
//! A people file (or rows handed over by an installation) becomes [`People`]: per cell not its
//! text but what the text weighs in a file. One pass sums those weights per *atom* (people whom no
//! predicate tells apart); every filter is a union of atoms, every size a linear combination of
//! sums, so that billions of definitions can be compared with one recorded size in well under a
//! second. See [`search::search`] for the entry point.
//!
//! No async, no SQL. Threads are the standard library's.

pub mod answer;
#[cfg(feature = "cli")]
pub mod cli;
pub mod definition;
pub mod dialects;
mod dictionary;
mod dimension;
mod discover;
mod exposure;
pub mod json_lines;
mod maker;
pub mod measure;
mod membership;
mod moment;
mod pass;
pub mod people;
pub mod read;
pub mod rows;
pub mod search;
mod shape;
mod solve;
pub mod target;
mod verdict;
pub mod verify;
pub mod written;

pub use exposure::exposure_of;
pub use people::{ColumnKind, ColumnSpec, People, PeopleBuilder};
pub use rows::Rows;
pub use search::{Progress, SearchSpec, search};
