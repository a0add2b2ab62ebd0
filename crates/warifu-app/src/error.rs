//! What a use case answers when it does not do what was asked.

use warifu_domain::access::Denied;
use warifu_domain::cases::WritingError;
use warifu_domain::people::PersonError;
use warifu_domain::reports::DefinitionError;
use warifu_domain::{Refusal, refusal};
use warifu_storage::{StorageError, is_disk_full};

#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Not there, or not for the actor to know: the same answer for both.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// Something that was sent is wrong: which field, and what to do about it.
    #[error("{what}")]
    Invalid { field: &'static str, what: Refusal },
    /// Somebody else was first, or the thing is no longer in the state that was shown.
    #[error("{0}")]
    Conflict(Refusal),
    #[error("it has {bytes} bytes; at most {limit} are taken")]
    TooLarge { bytes: u64, limit: u64 },
    #[error("too many attempts; wait {seconds} seconds")]
    TooMany { seconds: u64 },
    /// A protected action, and no fresh proof for it.
    #[error("this asks for your passkey once more: {action}")]
    StepUp { action: &'static str },
    /// More people than may be shown within a day without the key: up to how many the next touch is good for.
    #[error("{people} people within a day ask for your passkey")]
    ReadOn { people: u64 },
    /// The same for a program, which has no key.
    #[error("too many people's records within a day; wait {seconds} seconds")]
    ReadLater { seconds: u64 },
    /// A report over everybody or over the limits, without the decision to run it all the same.
    #[error("{0}")]
    NeedsDecision(Refusal),
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error("ledger: {0}")]
    Ledger(String),
    #[error("file {path}: {source}")]
    File { path: String, source: std::io::Error },
    /// The work was cancelled by whoever asked for it.
    #[error("cancelled")]
    Cancelled,
    #[error("internal: {0}")]
    Internal(String),
}

impl AppError {
    pub fn invalid(field: &'static str, what: Refusal) -> AppError {
        AppError::Invalid { field, what }
    }

    /// What whoever asked may know; `None` for what is for the log only.
    pub fn refusal(&self) -> Option<Refusal> {
        match self {
            AppError::Invalid { what, .. }
            | AppError::Conflict(what)
            | AppError::NeedsDecision(what) => Some(what.clone()),
            AppError::TooLarge { bytes, limit } => Some(refusal!(
                "too-large",
                "it has {bytes} bytes; at most {limit} are taken",
                bytes = *bytes,
                limit = *limit
            )),
            AppError::TooMany { seconds } => Some(refusal!(
                "too-many",
                "too many attempts; wait {seconds} seconds",
                seconds = *seconds
            )),
            AppError::StepUp { .. } => Some(refusal!(
                "step-up",
                "this asks for your passkey once more; load the page anew and use its button, with JavaScript on"
            )),
            AppError::ReadOn { people } => Some(refusal!(
                "read-on",
                "your passkey is asked for before more people's records are shown, up to {people} within a day",
                people = *people
            )),
            AppError::ReadLater { seconds } => Some(refusal!(
                "read-later",
                "so many people's records are shown within a day and no more; wait {seconds} seconds",
                seconds = *seconds
            )),
            AppError::Cancelled => Some(refusal!("cancelled", "cancelled")),
            // Its words name a permission; a page has words of its own for it.
            AppError::Denied(e) => Some(e.to_string().into()),
            e if e.is_disk_full() => Some(refusal!(
                "disk-full",
                "the server's disk is full and nothing was changed; whoever runs this installation frees some space, then try again"
            )),
            // Where the database is, and what it said, is for the log only.
            e if e.is_passing() => Some(refusal!(
                "unavailable",
                "the database cannot be reached and nothing was changed; try again in a few seconds"
            )),
            _ => None,
        }
    }

    /// Whether there was no room on the disk, in the database or for a file.
    pub fn is_disk_full(&self) -> bool {
        match self {
            AppError::Storage(StorageError::DiskFull) => true,
            AppError::Storage(StorageError::File { source, .. })
            | AppError::File { source, .. } => is_disk_full(source),
            _ => false,
        }
    }

    /// Whether the same may go through a little later, when room or database are back.
    pub fn is_passing(&self) -> bool {
        self.is_disk_full() || matches!(self, AppError::Storage(e) if e.is_passing())
    }
}

impl From<DefinitionError> for AppError {
    fn from(e: DefinitionError) -> Self {
        let field = match e {
            DefinitionError::Filter(_) => "filter",
            DefinitionError::UnknownOrder(_) | DefinitionError::LongOrder => "order",
            DefinitionError::NoRows => "limit",
            _ => "columns",
        };
        AppError::invalid(field, e.refusal())
    }
}

impl From<WritingError> for AppError {
    fn from(e: WritingError) -> Self {
        let field = match e {
            WritingError::NoSubject | WritingError::LongSubject(_) => "subject",
            _ => "body",
        };
        AppError::invalid(field, e.refusal())
    }
}

impl From<PersonError> for AppError {
    fn from(e: PersonError) -> Self {
        AppError::invalid("record", e.refusal())
    }
}

impl From<warifu_ledger::EntryError> for AppError {
    fn from(e: warifu_ledger::EntryError) -> Self {
        AppError::Ledger(e.to_string())
    }
}
