//! Incidents: what outside telemetry recorded, which definitions give it, and who was exposed.

mod compare;
mod exposure;
mod known;
mod matching;
mod people;
mod rooms;
mod telemetry;

pub use compare::{Comparison, Guess};
pub use exposure::{Exposure, OrganizationShare};
pub use matching::{MatchProgress, Matches};
pub use rooms::Room;
pub use telemetry::NewDownload;
pub use warifu_storage::incidents::{Download, Incident};

/// How far from its recorded time a download is looked for, in microseconds: clocks of two
/// machines differ, and a log may note the end of a transfer instead of its beginning.
pub const WINDOW: i64 = 10 * warifu_domain::time::MINUTE;
