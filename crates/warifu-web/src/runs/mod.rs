//! `/runs`: runs of reports, their one download, and their replay.

pub mod compare;
pub mod download;
mod replay;
mod run;

pub use replay::{cancel_replay, replay, start_replay};
pub use run::{cancel, list, run};
