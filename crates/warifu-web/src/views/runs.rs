//! Report runs: list, one run with its progress and receipt, and its replay.

use askama::Template;

use super::cases::Pager;
use super::markup::Tally;
pub use super::people::RunState;
use super::shell::Shell;
use crate::i18n::When;

/// `GET /runs`
#[derive(Debug, Clone, Template)]
#[template(path = "runs/list.html", blocks = ["rows"])]
pub struct RunList {
    /// Frame
    pub shell: Shell,
    /// Runs, newest first
    pub rows: Vec<Run>,
    /// Where the list goes on
    pub pager: Pager,
}

/// One execution of a definition.
#[derive(Debug, Clone, Default)]
pub struct Run {
    /// Id
    pub id: String,
    /// Name of the report
    pub name: String,
    /// Address of its definition
    pub definition_href: String,
    /// Filter in words; empty for none
    pub filter: String,
    /// Who ran it
    pub who: String,
    /// What it is for
    pub purpose: String,
    /// State
    pub state: RunState,
    /// Rows written so far
    pub rows: i64,
    /// Rows in all, where it is known
    pub rows_total: Option<i64>,
    /// Bytes written so far
    pub bytes: i64,
    /// When it began
    pub started: When,
    /// Instant of the data
    pub as_of: When,
    /// Revision of the data
    pub revision: i64,
    /// Why it failed, in the reader's language
    pub failure: String,
}

/// `GET /runs/{id}`
#[derive(Debug, Clone, Template)]
#[template(path = "runs/run.html", blocks = ["progress"])]
pub struct RunPage {
    /// Frame
    pub shell: Shell,
    /// The run
    pub run: Run,
    /// What the gate wrote; once it is done
    pub receipt: Option<RunReceipt>,
    /// Downloads of its file
    pub downloads: Vec<Download>,
    /// Whether a download asks for the passkey again
    pub step_up: bool,
    /// Whether the file has yet to leave and is for this person to take
    pub ready: bool,
}

/// The receipt of a run.
#[derive(Debug, Clone, Default)]
pub struct RunReceipt {
    /// Number of the entry in the ledger
    pub entry: i64,
    /// SHA-256 of the file in hexadecimal, in groups
    pub digest: String,
    /// Dialect in short
    pub format: String,
    /// Columns, and how many of them are personal
    pub columns: (i64, i64),
    /// Organizations whose people are in it
    pub organizations: i64,
    /// Who approved it; empty for nobody
    pub approved_by: String,
    /// When the file goes; `None` when it is gone
    pub file_until: Option<When>,
}

/// One transfer of a file.
#[derive(Debug, Clone, Default)]
pub struct Download {
    /// Number of the entry in the ledger
    pub entry: i64,
    /// Who
    pub who: String,
    /// When
    pub at: When,
    /// Network
    pub network: String,
    /// Bytes that went out
    pub bytes: i64,
    /// Whether all of them did
    pub complete: bool,
}

/// `GET /runs/{id}/replay`
#[derive(Debug, Clone, Template)]
#[template(path = "runs/replay.html", blocks = ["progress"])]
pub struct ReplayPage {
    /// Frame
    pub shell: Shell,
    /// The run
    pub run: Run,
    /// What was recorded
    pub recorded: Half,
    /// What came out; `None` while it is being made
    pub remade: Option<Half>,
    /// How it ended
    pub result: ReplayResult,
    /// How long it took, in seconds with one decimal, e.g. `0.8`
    pub seconds: String,
}

/// One half of a tally: a file.
#[derive(Debug, Clone, Default)]
pub struct Half {
    /// Bytes
    pub bytes: i64,
    /// SHA-256 in hexadecimal, in groups; empty when not recorded
    pub digest: String,
    /// When it was made
    pub at: When,
}

/// How a replay ended.
#[derive(Debug, Clone)]
pub enum ReplayResult {
    /// Still running: bytes compared, all identical so far
    Running {
        /// Bytes compared
        compared: i64,
    },
    /// Every byte is the same
    Identical,
    /// They differ
    Differs {
        /// First byte that differs, from 1
        at: i64,
        /// Bytes around it as recorded, in hexadecimal
        recorded: String,
        /// The same of the new file
        remade: String,
        /// Why, where it is known, in the reader's language
        why: String,
    },
    /// It cannot be made, e.g. because people were erased; the reason in the reader's language
    Impossible {
        /// Why
        why: String,
    },
}

impl ReplayPage {
    fn tally(&self) -> Tally {
        match self.result {
            ReplayResult::Running { .. } | ReplayResult::Impossible { .. } => Tally::Open,
            ReplayResult::Identical => Tally::Match,
            ReplayResult::Differs { .. } => Tally::No,
        }
    }
}
