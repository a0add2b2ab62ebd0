//! `/incidents`: the incident room.

mod act;
mod room;
mod show;

pub use act::{cancel, close, create, guess, record, search};
pub use room::{list, new, room};
