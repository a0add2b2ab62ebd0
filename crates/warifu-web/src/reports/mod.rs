//! `/reports`: saved definitions and the builder.

mod builder;
pub(crate) mod draft;
mod list;
mod settings;
pub mod words;

pub use builder::{build, edit, new};
pub use list::list;
