//! The console: list of cases, one case with its conversation and customer, search, palette.

use askama::Template;

use super::markup::{Choice, Highlighted, Tone};
use super::shell::Shell;
use crate::i18n::When;

/// State of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CaseStatus {
    /// Nobody has answered yet
    #[default]
    New,
    /// Being worked on
    Open,
    /// Waits for the customer
    Waiting,
    /// Answered for good, may be opened again
    Solved,
    /// Closed for good
    Closed,
}

impl CaseStatus {
    /// Every status, in the order of a drop-down list.
    pub const ALL: [CaseStatus; 5] = [
        CaseStatus::New,
        CaseStatus::Open,
        CaseStatus::Waiting,
        CaseStatus::Solved,
        CaseStatus::Closed,
    ];

    /// What forms send.
    pub fn value(&self) -> &'static str {
        match self {
            CaseStatus::New => "new",
            CaseStatus::Open => "open",
            CaseStatus::Waiting => "waiting",
            CaseStatus::Solved => "solved",
            CaseStatus::Closed => "closed",
        }
    }

    /// Message with its name.
    pub fn label(&self) -> &'static str {
        match self {
            CaseStatus::New => "status-new",
            CaseStatus::Open => "status-open",
            CaseStatus::Waiting => "status-waiting",
            CaseStatus::Solved => "status-solved",
            CaseStatus::Closed => "status-closed",
        }
    }

    /// Message with its name as customers read it.
    pub fn portal_label(&self) -> &'static str {
        match self {
            CaseStatus::New => "portal-status-new",
            CaseStatus::Open => "portal-status-open",
            CaseStatus::Waiting => "portal-status-waiting",
            CaseStatus::Solved => "portal-status-solved",
            CaseStatus::Closed => "portal-status-closed",
        }
    }

    /// Icon.
    pub fn icon(&self) -> &'static str {
        match self {
            CaseStatus::New => "st-new",
            CaseStatus::Open => "st-open",
            CaseStatus::Waiting => "st-wait",
            CaseStatus::Solved | CaseStatus::Closed => "st-done",
        }
    }
}

/// How urgent a case is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Priority {
    /// A question
    Low,
    /// The usual
    #[default]
    Normal,
    /// People cannot work
    High,
    /// Everything is down
    Urgent,
}

impl Priority {
    /// Every priority, most urgent first.
    pub const ALL: [Priority; 4] =
        [Priority::Urgent, Priority::High, Priority::Normal, Priority::Low];

    /// What forms send; also the end of its icon's name.
    pub fn value(&self) -> &'static str {
        match self {
            Priority::Low => "low",
            Priority::Normal => "normal",
            Priority::High => "high",
            Priority::Urgent => "urgent",
        }
    }

    /// Message with its name.
    pub fn label(&self) -> &'static str {
        match self {
            Priority::Low => "priority-low",
            Priority::Normal => "priority-normal",
            Priority::High => "priority-high",
            Priority::Urgent => "priority-urgent",
        }
    }

    /// Icon.
    pub fn icon(&self) -> &'static str {
        match self {
            Priority::Low => "pr-low",
            Priority::Normal => "pr-normal",
            Priority::High => "pr-high",
            Priority::Urgent => "pr-urgent",
        }
    }
}

/// Somebody, for a face and a name.
#[derive(Debug, Clone, Default)]
pub struct Somebody {
    /// Id, for forms and links
    pub id: String,
    /// Display name
    pub name: String,
    /// One or two characters
    pub initials: String,
}

/// When something is due.
#[derive(Debug, Clone, Default)]
pub struct Due {
    /// `38 min`, `tomorrow`, `4 Dec`
    pub text: String,
    /// Plain, Warn (soon) or Bad (very soon, or over)
    pub tone: Tone,
    /// How much of the time is left, 0 to 1
    pub left: f64,
}

/// One case in a list.
#[derive(Debug, Clone, Default)]
pub struct CaseRow {
    /// What people call it, e.g. `HC-20417`; the last part of its address
    pub reference: String,
    /// Subject
    pub subject: String,
    /// Name of the organization
    pub organization: String,
    /// State
    pub status: CaseStatus,
    /// Urgency
    pub priority: Priority,
    /// Who works on it
    pub assignee: Option<Somebody>,
    /// Next answer due
    pub due: Option<Due>,
    /// Last entry: `10 min ago`
    pub last: When,
    /// The same in short, for the list beside a case
    pub age: When,
    /// Something in it that this person has not seen
    pub unread: bool,
    /// The one that is open beside the list
    pub current: bool,
    /// A check that waits for a decision, already in the reader's language
    pub decision: Option<String>,
}

/// Where a list goes on. Addresses carry the whole query.
#[derive(Debug, Clone, Default)]
pub struct Pager {
    /// Newer entries; `None` on the first page
    pub newer: Option<String>,
    /// Older entries; `None` on the last page
    pub older: Option<String>,
    /// Entries on this page
    pub shown: i64,
    /// All of them, where it is known without a scan
    pub total: Option<i64>,
}

/// One condition of a list, shown as a chip with a link that takes it off.
#[derive(Debug, Clone, Default)]
pub struct Chip {
    /// `Status is not Solved`, in the reader's language
    pub text: String,
    /// The address without it
    pub without: String,
}

/// `GET /cases?view=…`: cases as a table.
#[derive(Debug, Clone, Template)]
#[template(path = "cases/list.html", blocks = ["rows"])]
pub struct CaseList {
    /// Frame
    pub shell: Shell,
    /// Name of the view
    pub title: String,
    /// Value of `view` for links and forms
    pub view: String,
    /// Number of cases in it, as counted without a scan
    pub count: Option<i64>,
    /// Conditions in force
    pub chips: Vec<Chip>,
    /// What to filter by
    pub filter: CaseFilter,
    /// The cases
    pub rows: Vec<CaseRow>,
    /// Where the list goes on
    pub pager: Pager,
    /// Staff to assign to, for the bulk form
    pub staff: Vec<Choice>,
}

impl CaseList {
    /// Whether any of the cases has a time by which it is due.
    pub fn due(&self) -> bool {
        self.rows.iter().any(|row| row.due.is_some())
    }
}

/// The filter form of the case list, with what is chosen.
#[derive(Debug, Clone, Default)]
pub struct CaseFilter {
    /// Words
    pub q: String,
    /// Statuses (the label is in the reader's language)
    pub statuses: Vec<Choice>,
    /// Priorities
    pub priorities: Vec<Choice>,
    /// Staff, plus nobody
    pub assignees: Vec<Choice>,
}

/// `GET /cases/{reference}`: the list, the case and its customer.
#[derive(Debug, Clone, Template)]
#[template(path = "cases/case.html", blocks = ["case_list", "talk", "composer", "presence", "props"])]
pub struct CasePage {
    /// Frame
    pub shell: Shell,
    /// Name of the view on the left
    pub view_title: String,
    /// Its value for links
    pub view: String,
    /// Cases in it
    pub total: i64,
    /// The first of them
    pub rows: Vec<CaseRow>,
    /// The case
    pub case: Case,
    /// The form below it
    pub composer: Composer,
    /// The customer on the right
    pub dossier: Dossier,
}

/// One case.
#[derive(Debug, Clone, Default)]
pub struct Case {
    /// What people call it; part of its address
    pub reference: String,
    /// Subject
    pub subject: String,
    /// Organization: id and name
    pub organization: Somebody,
    /// State
    pub status: CaseStatus,
    /// Urgency
    pub priority: Priority,
    /// Who works on it
    pub assignee: Option<Somebody>,
    /// Tags
    pub tags: Vec<String>,
    /// Staff to assign to, nobody included
    pub staff: Vec<Choice>,
    /// Version, sent back by forms so that two changes do not overwrite each other
    pub version: i64,
    /// Next answer due
    pub due: Option<Due>,
    /// Who else is here
    pub presence: Vec<Presence>,
    /// Address of the entries before those shown, and their number
    pub earlier: Option<(String, i64)>,
    /// The conversation, oldest first
    pub entries: Vec<Entry>,
}

/// Somebody else who has the case open.
#[derive(Debug, Clone, Default)]
pub struct Presence {
    /// Who
    pub who: Somebody,
    /// Whether they are writing
    pub writing: bool,
}

/// One entry of the conversation.
#[derive(Debug, Clone)]
pub enum Entry {
    /// What a customer wrote, or what we wrote to them
    Message(Message),
    /// What only staff sees
    Note(Message),
    /// What happened
    Event(Event),
}

/// A message or a note.
#[derive(Debug, Clone, Default)]
pub struct Message {
    /// Id; the anchor is `m-{id}`
    pub id: String,
    /// Who wrote it
    pub author: Somebody,
    /// Whether staff wrote it
    pub ours: bool,
    /// Organization and way in, e.g. `Mizuno Freight, via portal`; in the reader's language
    pub side: String,
    /// When
    pub at: When,
    /// The text; line breaks are kept
    pub paragraphs: Vec<String>,
    /// Files
    pub files: Vec<Attachment>,
}

/// A file of a message.
#[derive(Debug, Clone, Default)]
pub struct Attachment {
    /// Address; opening it goes through the gate
    pub href: String,
    /// Name as it came
    pub name: String,
    /// Size in bytes as stored
    pub size: i64,
    /// What was taken out before it was stored; for HAR files
    pub receipt: Option<CleanReceipt>,
}

/// What was removed from a file before it was stored.
#[derive(Debug, Clone, Default)]
pub struct CleanReceipt {
    /// Size in bytes as it came
    pub original_size: i64,
    /// Removed cookies
    pub cookies: i64,
    /// Removed tokens and other secrets
    pub tokens: i64,
    /// In detail
    pub removed: Vec<Removed>,
}

/// One kind of removed value.
#[derive(Debug, Clone, Default)]
pub struct Removed {
    /// `Cookie`, `Bearer token`; in the reader's language
    pub kind: String,
    /// Names of what was removed
    pub names: String,
    /// Where it stood
    pub place: String,
    /// How often
    pub count: i64,
}

/// Something that happened to the case.
#[derive(Debug, Clone, Default)]
pub struct Event {
    /// Who did it
    pub who: String,
    /// What
    pub kind: EventKind,
    /// To whom or what, already in the reader's language; may be empty
    pub what: String,
    /// When
    pub at: When,
}

/// Kinds of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EventKind {
    /// Opened the case
    #[default]
    Opened,
    /// Took it
    Took,
    /// Gave it to somebody
    Assigned,
    /// Changed the status
    Status,
    /// Changed the priority
    Priority,
    /// Changed the tags
    Tags,
    /// Opened a file
    FileOpened,
}

impl EventKind {
    /// Message with `who` and `what`.
    pub fn text(&self) -> &'static str {
        match self {
            EventKind::Opened => "event-opened",
            EventKind::Took => "event-took",
            EventKind::Assigned => "event-assigned",
            EventKind::Status => "event-status",
            EventKind::Priority => "event-priority",
            EventKind::Tags => "event-tags",
            EventKind::FileOpened => "event-file",
        }
    }

    /// Icon.
    pub fn icon(&self) -> &'static str {
        match self {
            EventKind::Opened => "plus",
            EventKind::Took | EventKind::Assigned => "user",
            EventKind::Status => "st-open",
            EventKind::Priority => "pr-normal",
            EventKind::Tags => "link",
            EventKind::FileOpened => "eye",
        }
    }
}

/// The form to answer or to note.
#[derive(Debug, Clone, Default)]
pub struct Composer {
    /// Text that was kept, or that could not be sent
    pub text: String,
    /// Whether it is a note; a reply otherwise
    pub note: bool,
    /// Who gets a reply
    pub to: String,
    /// How many follow besides
    pub followers: i64,
    /// Id of the last entry that the writer has seen
    pub last_seen: String,
    /// Who answered while this was being written, and when; the text was not sent
    pub arrived: Option<Arrived>,
    /// What is wrong with it, in the reader's language
    pub error: Option<String>,
    /// `Draft kept 09:34`
    pub kept: Option<When>,
}

/// Somebody answered while a text was being written.
#[derive(Debug, Clone, Default)]
pub struct Arrived {
    /// Who
    pub who: String,
    /// Whether it was the customer
    pub customer: bool,
    /// When
    pub at: When,
    /// Id of their message
    pub id: String,
}

/// The customer of a case.
#[derive(Debug, Clone, Default)]
pub struct Dossier {
    /// The person
    pub person: Somebody,
    /// Their role, in the reader's language
    pub role: String,
    /// Terms (in the reader's language) and values: sign-in, network, local time, mail …
    pub facts: Vec<(String, String)>,
    /// Organization: id and name
    pub organization: Somebody,
    /// Terms and values: people, administrators, service, region …
    pub organization_facts: Vec<(String, String)>,
    /// Other cases of the organization
    pub cases: Vec<CaseRow>,
    /// Number of all of them
    pub cases_total: i64,
    /// Own access in the last 30 days; terms and values
    pub access: Vec<(String, String)>,
}

/// `GET /cases/new`, for staff.
#[derive(Debug, Clone, Template)]
#[template(path = "cases/new.html")]
pub struct NewCase {
    /// Frame
    pub shell: Shell,
    /// Subject so far
    pub subject: String,
    /// Text so far
    pub text: String,
    /// E-mail or user name of the person it is for
    pub person: String,
    /// Priorities
    pub priorities: Vec<Choice>,
    /// What is wrong: field (`subject`, `text`, `person`) and sentence in the reader's language
    pub errors: Vec<(String, String)>,
}

impl NewCase {
    fn error(&self, field: &str) -> Option<&str> {
        self.errors.iter().find(|(name, _)| name == field).map(|(_, text)| text.as_str())
    }
}

/// `GET /search?q=…`
#[derive(Debug, Clone, Template)]
#[template(path = "cases/search.html")]
pub struct Search {
    /// Frame
    pub shell: Shell,
    /// What was asked; empty before the first search
    pub q: String,
    /// Cases
    pub cases: Vec<Hit>,
    /// People
    pub people: Vec<Hit>,
    /// Organizations
    pub organizations: Vec<Hit>,
    /// Whether there is more than is shown
    pub more: bool,
}

impl Search {
    /// The headings are messages.
    fn sections(&self) -> [(&'static str, &Vec<Hit>); 3] {
        [("cases", &self.cases), ("people", &self.people), ("organizations", &self.organizations)]
    }
}

/// One result.
#[derive(Debug, Clone, Default)]
pub struct Hit {
    /// Address
    pub href: String,
    /// Icon of the sprite
    pub icon: &'static str,
    /// Subject or name
    pub title: Highlighted,
    /// Reference, organization …
    pub sub: Highlighted,
    /// The passage that matched; may be empty
    pub passage: Highlighted,
    /// At the end of the line: a time, a kind
    pub end: String,
}

/// `GET /palette?q=…`: the options of the command palette; as a page for those without a script
/// there is [`Search`].
#[derive(Debug, Clone, Template)]
#[template(path = "cases/palette.html")]
pub struct Palette {
    /// Frame (only its language is used)
    pub shell: Shell,
    /// Groups with their headings in the reader's language
    pub groups: Vec<PaletteGroup>,
}

/// One group of options.
#[derive(Debug, Clone, Default)]
pub struct PaletteGroup {
    /// Heading
    pub title: String,
    /// Options
    pub hits: Vec<Hit>,
}

/// `GET /shortcuts`
#[derive(Debug, Clone, Template)]
#[template(path = "cases/shortcuts.html")]
pub struct Shortcuts {
    /// Frame
    pub shell: Shell,
}

impl Shortcuts {
    /// Key as the page has it, and the message that says what it does.
    pub const KEYS: [(&'static str, &'static str); 16] = [
        ("j", "key-next"),
        ("k", "key-previous"),
        ("x", "key-mark"),
        ("r", "key-reply"),
        ("n", "key-note"),
        ("a", "key-assign"),
        ("s", "key-status"),
        ("e", "key-solve"),
        ("c", "key-new"),
        ("f", "key-filter"),
        ("/", "key-search"),
        ("g l", "key-go-ledger"),
        ("g o", "key-go-open"),
        ("g p", "key-go-people"),
        ("g r", "key-go-reports"),
        ("?", "key-help"),
    ];

    fn keys(&self) -> [(&'static str, &'static str); 16] {
        Shortcuts::KEYS
    }
}
