//! People and organizations, and the import of people.

use askama::Template;
use warifu_domain::assurance::OrganizationAccess;

use super::cases::{CaseRow, Pager, Somebody};
use super::markup::{Choice, Tone};
use super::shell::Shell;
use super::way_in::{ContactForm, WayIn};
use crate::i18n::When;

/// `GET /people`
#[derive(Debug, Clone, Template)]
#[template(path = "people/list.html", blocks = ["rows"])]
pub struct PeopleList {
    /// Frame
    pub shell: Shell,
    /// Words
    pub q: String,
    /// Organization to which the list is limited: id and name
    pub organization: Option<Somebody>,
    /// People
    pub rows: Vec<PersonRow>,
    /// Where the list goes on
    pub pager: Pager,
    /// Whether this person may import
    pub import: bool,
    /// Whether this person may add colleagues
    pub add: bool,
}

/// One person in a list.
#[derive(Debug, Clone, Default)]
pub struct PersonRow {
    /// Id and name
    pub who: Somebody,
    /// Whether they belong to the vendor
    pub staff: bool,
    /// Whether they are switched off
    pub off: bool,
    /// Address; masked where the reader may not see it
    pub email: String,
    /// Name of the organization
    pub organization: String,
    /// User type, in the reader's language
    pub user_type: String,
    /// Role, in the reader's language; may be empty
    pub role: String,
    /// Last sign-in
    pub last_login: Option<When>,
}

/// `GET /people/{id}`
#[derive(Debug, Clone, Template)]
#[template(path = "people/person.html")]
pub struct PersonPage {
    /// Frame
    pub shell: Shell,
    /// Id and name
    pub who: Somebody,
    /// Whether they belong to the vendor
    pub staff: bool,
    /// Organization: id and name
    pub organization: Somebody,
    /// The 15 fields in their order: label (in the reader's language) and value; `None` is blank
    pub fields: Vec<FieldValue>,
    /// When set, the record is shown as of this revision, not as it is now
    pub as_of: Option<Version>,
    /// Versions, newest first
    pub versions: Vec<Version>,
    /// Their cases
    pub cases: Vec<CaseRow>,
    /// The roles that they may have, for readers who may change them: key and name
    pub roles: Vec<Choice>,
    /// Whether the reader may open a check of a caller for them
    pub verify: bool,
    /// Their way in, for readers who let people in and out
    pub way_in: Option<WayIn>,
    /// How they are reached, for readers who may change it
    pub contact: Option<ContactForm>,
}

/// One field of a record.
#[derive(Debug, Clone, Default)]
pub struct FieldValue {
    /// Label, in the reader's language
    pub label: String,
    /// Value; `None` is blank
    pub value: Option<String>,
}

/// One version of a record.
#[derive(Debug, Clone, Default)]
pub struct Version {
    /// Revision from which it holds
    pub revision: i64,
    /// When it was committed
    pub at: When,
    /// Who changed it; empty for the system
    pub who: String,
    /// Labels of what changed, in the reader's language
    pub changed: Vec<String>,
    /// Address of the record as of this version
    pub href: String,
    /// Whether it is the one shown
    pub current: bool,
}

/// `GET /organizations`
#[derive(Debug, Clone, Template)]
#[template(path = "people/organizations.html", blocks = ["rows"])]
pub struct OrganizationList {
    /// Frame
    pub shell: Shell,
    /// Words
    pub q: String,
    /// Organizations
    pub rows: Vec<OrganizationRow>,
    /// Where the list goes on
    pub pager: Pager,
}

/// One organization in a list.
#[derive(Debug, Clone, Default)]
pub struct OrganizationRow {
    /// Id
    pub id: String,
    /// Name
    pub name: String,
    /// `preview` or `production`, in the reader's language
    pub environment: String,
    /// Products
    pub products: String,
    /// Number of people
    pub people: i64,
    /// Number of administrators
    pub administrators: i64,
    /// Number of open cases
    pub open_cases: i64,
}

/// `GET /organizations/{id}`
#[derive(Debug, Clone, Template)]
#[template(path = "people/organization.html")]
pub struct OrganizationPage {
    /// Frame
    pub shell: Shell,
    /// The organization
    pub organization: OrganizationRow,
    /// Further terms and values, in the reader's language
    pub facts: Vec<(String, String)>,
    /// Administrators
    pub administrators: Vec<PersonRow>,
    /// Cases
    pub cases: Vec<CaseRow>,
    /// Versions, newest first
    pub versions: Vec<Version>,
    /// What its users may sign in with, for those who may change it
    pub access: Option<OrganizationAccess>,
}

/// `GET /people/import` and `/people/import/{id}`
#[derive(Debug, Clone, Template)]
#[template(path = "people/import.html", blocks = ["progress"])]
pub struct PeopleImport {
    /// Frame
    pub shell: Shell,
    /// The run to show; `None` for the form alone
    pub run: Option<ImportRun>,
    /// Imports before
    pub earlier: Vec<ImportRun>,
    /// What is wrong with the upload, in the reader's language
    pub error: Option<String>,
    /// Largest accepted file in bytes
    pub limit: i64,
}

/// One import.
#[derive(Debug, Clone, Default)]
pub struct ImportRun {
    /// Id
    pub id: String,
    /// Name of the file
    pub file: String,
    /// Whether nothing is written
    pub dry_run: bool,
    /// State
    pub state: RunState,
    /// Bytes read so far
    pub bytes_done: i64,
    /// Bytes in all
    pub bytes_total: i64,
    /// People added
    pub added: i64,
    /// People changed
    pub changed: i64,
    /// People as they were
    pub same: i64,
    /// Rows that were refused
    pub rejected: i64,
    /// The first of those
    pub rejects: Vec<Reject>,
    /// When it began
    pub started: When,
}

/// A row that was refused.
#[derive(Debug, Clone, Default)]
pub struct Reject {
    /// Line of the file, from 1
    pub line: i64,
    /// Column
    pub column: String,
    /// Why, in the reader's language
    pub why: String,
}

/// State of something that runs on the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RunState {
    /// Waits for its turn
    #[default]
    Queued,
    /// Is running
    Running,
    /// Is done
    Done,
    /// Was stopped by somebody
    Cancelled,
    /// Has failed
    Failed,
}

impl RunState {
    /// Message with its name.
    pub fn label(&self) -> &'static str {
        match self {
            RunState::Queued => "state-queued",
            RunState::Running => "state-running",
            RunState::Done => "state-done",
            RunState::Cancelled => "state-cancelled",
            RunState::Failed => "state-failed",
        }
    }

    /// Tone.
    pub fn tone(&self) -> Tone {
        match self {
            RunState::Queued => Tone::Plain,
            RunState::Running => Tone::Ai,
            RunState::Done => Tone::Ok,
            RunState::Cancelled => Tone::Warn,
            RunState::Failed => Tone::Bad,
        }
    }

    /// Whether it may still change.
    pub fn live(&self) -> bool {
        matches!(self, RunState::Queued | RunState::Running)
    }
}
