//! The customers' portal: their cases, a new one, one case.

use askama::Template;

use super::cases::{CaseStatus, Due, Message, Pager, Somebody};
use super::markup::Choice;
use super::shell::Shell;
use crate::i18n::When;

/// `GET /portal/cases`
#[derive(Debug, Clone, Template)]
#[template(path = "portal/cases.html", blocks = ["rows"])]
pub struct PortalCases {
    /// Frame
    pub shell: Shell,
    /// Whether everyone's cases are shown, not only one's own
    pub everyone: bool,
    /// Whether this person may see everyone's
    pub may_everyone: bool,
    /// Cases
    pub rows: Vec<PortalRow>,
    /// Where the list goes on
    pub pager: Pager,
}

/// One case in the portal's list.
#[derive(Debug, Clone, Default)]
pub struct PortalRow {
    /// What people call it; part of its address
    pub reference: String,
    /// Subject
    pub subject: String,
    /// State
    pub status: CaseStatus,
    /// Who opened it
    pub opened_by: Somebody,
    /// Who works on it at the vendor
    pub assignee: Option<Somebody>,
    /// Next answer due
    pub due: Option<Due>,
    /// Last entry
    pub last: When,
}

/// `GET /portal/cases/new`
#[derive(Debug, Clone, Template)]
#[template(path = "portal/new.html")]
pub struct PortalNewCase {
    /// Frame
    pub shell: Shell,
    /// Products
    pub products: Vec<Choice>,
    /// Subject so far
    pub subject: String,
    /// Text so far
    pub text: String,
    /// How urgent: value, and what it means with its promise
    pub urgencies: Vec<Urgency>,
    /// Largest accepted file in bytes
    pub file_limit: i64,
    /// Terms and values: who will see it, how long it is kept; in the reader's language
    pub seen_by: Vec<(String, String)>,
    /// What is wrong: field and sentence in the reader's language
    pub errors: Vec<(String, String)>,
}

/// A degree of urgency.
#[derive(Debug, Clone, Default)]
pub struct Urgency {
    /// What is sent
    pub value: String,
    /// `People cannot work`, in the reader's language
    pub label: String,
    /// `First answer in 30 min, day and night`
    pub promise: String,
    /// Whether it is chosen
    pub chosen: bool,
}

/// `GET /portal/cases/{reference}`
#[derive(Debug, Clone, Template)]
#[template(path = "portal/case.html", blocks = ["talk"])]
pub struct PortalCase {
    /// Frame
    pub shell: Shell,
    /// What people call it
    pub reference: String,
    /// Subject
    pub subject: String,
    /// State
    pub status: CaseStatus,
    /// When it was opened
    pub opened: When,
    /// Who works on it at the vendor
    pub assignee: Option<Somebody>,
    /// Next answer due
    pub due: Option<Due>,
    /// Who else follows
    pub followers: Vec<Somebody>,
    /// Messages, oldest first; notes are never among them
    pub messages: Vec<Message>,
    /// Text that could not be sent
    pub text: String,
    /// Id of the last message that the writer has seen
    pub last_seen: String,
    /// What is wrong with it, in the reader's language
    pub error: Option<String>,
    /// Largest accepted file in bytes
    pub file_limit: i64,
    /// Number of times the vendor opened the case
    pub opened_by_vendor: i64,
}

impl PortalCases {
    /// Whether any of the cases has a time for its next update.
    pub fn due(&self) -> bool {
        self.rows.iter().any(|row| row.due.is_some())
    }
}

impl PortalNewCase {
    fn error(&self, field: &str) -> Option<&str> {
        self.errors.iter().find(|(name, _)| name == field).map(|(_, text)| text.as_str())
    }
}
