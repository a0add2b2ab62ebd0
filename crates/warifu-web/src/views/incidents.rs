//! The incident room: what was recorded outside, which definitions give it, who was exposed.

use askama::Template;
use askama::filters::Safe;

use super::charts;
use super::markup::{Choice, Tally};
use super::people::RunState;
use super::shell::Shell;
use crate::i18n::When;

/// `GET /incidents`
#[derive(Debug, Clone, Template)]
#[template(path = "incidents/list.html")]
pub struct IncidentList {
    /// Frame
    pub shell: Shell,
    /// Incidents, newest first
    pub rows: Vec<IncidentRow>,
}

/// One incident in a list.
#[derive(Debug, Clone, Default)]
pub struct IncidentRow {
    /// What people call it, e.g. `INC-2026-03`; the last part of its address
    pub reference: String,
    /// The question
    pub title: String,
    /// Whether it is open
    pub open: bool,
    /// Recorded downloads
    pub downloads: i64,
    /// How many of them are explained
    pub matched: i64,
    /// People exposed so far, where it is known
    pub people: Option<i64>,
    /// When it was opened
    pub opened: When,
}

/// `GET /incidents/new`
#[derive(Debug, Clone, Template)]
#[template(path = "incidents/new.html")]
pub struct NewIncident {
    /// Frame
    pub shell: Shell,
    /// The question
    pub title: String,
    /// What is known so far
    pub summary: String,
    /// What is wrong: field (`title`, `summary`) and sentence in the reader's language
    pub errors: Vec<(String, String)>,
}

impl NewIncident {
    fn error(&self, field: &str) -> Option<&str> {
        self.errors.iter().find(|(name, _)| name == field).map(|(_, text)| text.as_str())
    }
}

/// `GET /incidents/{reference}`
#[derive(Debug, Clone, Template)]
#[template(path = "incidents/room.html", blocks = ["recorded", "candidates", "exposure"])]
pub struct IncidentRoom {
    /// Frame
    pub shell: Shell,
    /// What people call it
    pub reference: String,
    /// The question
    pub title: String,
    /// What is known
    pub summary: String,
    /// Recorded downloads
    pub downloads: Vec<RecordedDownload>,
    /// The form for another one
    pub entry: TelemetryForm,
    /// The search for the chosen download
    pub matching: Option<Matching>,
    /// Who and what was exposed by the best candidate
    pub exposure: Option<Exposure>,
    /// What happened when, oldest first
    pub timeline: Vec<Moment>,
    /// Files of the evidence bundle
    pub evidence: Vec<EvidenceFile>,
    /// SHA-256 of the bundle in groups; empty while there is none
    pub bundle_digest: String,
    /// Whether the incident is open
    pub open: bool,
    /// Saved definitions that could have been the first guess
    pub guesses: Vec<Choice>,
}

/// A download that something outside recorded.
#[derive(Debug, Clone, Default)]
pub struct RecordedDownload {
    /// Id
    pub id: String,
    /// Bytes
    pub bytes: i64,
    /// Instant
    pub at: When,
    /// Allowed difference in words, e.g. `exact`, `±64 bytes`; in the reader's language
    pub tolerance: String,
    /// Rows, where they were recorded
    pub rows: Option<i64>,
    /// Who, as recorded
    pub who: String,
    /// Network, as recorded
    pub network: String,
    /// State of the search
    pub state: RunState,
    /// Number of definitions found
    pub candidates: Option<i64>,
    /// The one shown below
    pub current: bool,
}

impl RecordedDownload {
    /// Whether nobody has searched for it yet.
    fn unasked(&self) -> bool {
        self.state == RunState::Queued && self.candidates.is_none()
    }
}

/// The form to enter telemetry. Names: `bytes`, `tolerance`, `measure`, `at`, `rows`, `who`,
/// `network`.
#[derive(Debug, Clone, Default)]
pub struct TelemetryForm {
    /// Bytes as typed
    pub bytes: String,
    /// Tolerance as typed: `0`, `0.1%`, `64KiB`
    pub tolerance: String,
    /// What the size measures: file, HTTP, TLS, base64, rounded; in the reader's language
    pub measures: Vec<Choice>,
    /// Instant as typed, `2026-09-28T15:06:11Z`
    pub at: String,
    /// Rows as typed
    pub rows: String,
    /// Who
    pub who: String,
    /// Network
    pub network: String,
    /// What is wrong: field and sentence in the reader's language
    pub errors: Vec<(String, String)>,
}

impl TelemetryForm {
    fn error(&self, field: &str) -> Option<&str> {
        self.errors.iter().find(|(name, _)| name == field).map(|(_, text)| text.as_str())
    }
}

/// A search for definitions.
#[derive(Debug, Clone, Default)]
pub struct Matching {
    /// The download it is about
    pub download: RecordedDownload,
    /// State
    pub state: RunState,
    /// Definitions tried, and all there are
    pub tried: (i64, i64),
    /// Filters, dialects and states of the data that were searched
    pub space: (i64, i64, i64),
    /// How long it took or has taken, in seconds with one decimal
    pub seconds: String,
    /// Smallest difference so far in bytes
    pub nearest: Option<i64>,
    /// Definitions that fit
    pub matched: i64,
    /// The short list, best first
    pub candidates: Vec<Candidate>,
    /// True of every candidate; sentences in the reader's language
    pub certain: Vec<String>,
    /// True of some
    pub possible: Vec<String>,
    /// True of none
    pub excluded: Vec<String>,
    /// Which further fact would narrow it most; empty for none
    pub narrow: String,
    /// Why the first answer differed, when there was one
    pub difference: Option<Difference>,
}

/// A definition that fits.
#[derive(Debug, Clone, Default)]
pub struct Candidate {
    /// Rank from 1
    pub rank: i64,
    /// Name and filter in words, in the reader's language
    pub definition: String,
    /// Dialect and columns in short
    pub detail: String,
    /// People
    pub people: i64,
    /// Bytes
    pub bytes: i64,
    /// Difference to what was recorded
    pub difference: i64,
    /// What it means, in the reader's language
    pub meaning: String,
    /// Address for `POST` to make its file and compare it; `None` when it was
    pub verify_href: Option<String>,
    /// The one whose exposure is shown
    pub current: bool,
}

/// Why a first answer differed: two definitions side by side.
#[derive(Debug, Clone, Default)]
pub struct Difference {
    /// What differs, in one sentence in the reader's language: `The filter was removed`
    pub title: String,
    /// More about it
    pub text: String,
    /// Recorded, first answer, answer now: label (in the reader's language) and bytes
    pub sizes: Vec<(String, i64)>,
    /// Lines of both definitions
    pub lines: Vec<DiffLine>,
}

/// A line of a comparison.
#[derive(Debug, Clone)]
pub enum DiffLine {
    /// In both
    Same(String),
    /// Only in the first
    Gone(String),
    /// Only in the second
    New(String),
}

/// Who and what a file contained.
#[derive(Debug, Clone, Default)]
pub struct Exposure {
    /// People
    pub people: i64,
    /// Administrators among them
    pub administrators: i64,
    /// Organizations
    pub organizations: i64,
    /// People with nothing but name and e-mail address
    pub name_and_email: i64,
    /// People with a phone, mobile or address
    pub more_contact: i64,
    /// Per field: label (in the reader's language) and how many have it filled
    pub fields: Vec<(String, i64)>,
    /// Organizations by number of people: label (in the reader's language) and number
    pub sizes: Vec<(String, i64)>,
    /// Records created or last used over time: label and number; for the column chart
    pub months: Vec<(String, i64)>,
    /// The organizations with the most people
    pub top: Vec<ExposedOrganization>,
}

/// One organization in an exposure.
#[derive(Debug, Clone, Default)]
pub struct ExposedOrganization {
    /// Id
    pub id: String,
    /// Name
    pub name: String,
    /// People
    pub people: i64,
    /// People with more than name and e-mail address
    pub more: i64,
}

/// One moment of the timeline.
#[derive(Debug, Clone, Default)]
pub struct Moment {
    /// When
    pub at: When,
    /// What happened
    pub title: String,
    /// More; may be empty
    pub text: String,
    /// How it is drawn
    pub kind: MomentKind,
}

/// How a moment is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MomentKind {
    /// Like most
    #[default]
    Plain,
    /// The harm
    Hot,
    /// A published revision
    Revision,
    /// Waits for a decision
    Next,
}

impl MomentKind {
    fn class(&self) -> &'static str {
        match self {
            MomentKind::Plain => "",
            MomentKind::Hot => "hot",
            MomentKind::Revision => "rev",
            MomentKind::Next => "next",
        }
    }
}

/// A file of the evidence bundle.
#[derive(Debug, Clone, Default)]
pub struct EvidenceFile {
    /// Name
    pub name: String,
    /// SHA-256, shortened
    pub digest: String,
    /// Bytes
    pub bytes: i64,
}

impl IncidentRoom {
    fn evidence_bytes(&self) -> i64 {
        self.evidence.iter().map(|file| file.bytes).sum()
    }
}

impl Matching {
    /// Whether the search came to its end: only then is "none found" an answer.
    fn done(&self) -> bool {
        self.state == RunState::Done
    }

    fn unasked(&self) -> bool {
        self.download.unasked()
    }

    fn best(&self) -> Option<&Candidate> {
        self.candidates.iter().find(|candidate| candidate.current).or(self.candidates.first())
    }

    fn tally(&self) -> Tally {
        match self.best() {
            None => Tally::Open,
            Some(best) if best.difference == 0 => Tally::Match,
            Some(_) if self.matched > 0 => Tally::Match,
            Some(_) => Tally::No,
        }
    }

    fn bar(&self, candidate: &Candidate) -> Safe<String> {
        let share = charts::share(candidate.difference.abs(), self.download.bytes);
        charts::bar(share, if candidate.difference == 0 { "fill" } else { "ink" }, "", None)
    }

    fn size_bar(&self, bytes: &i64) -> Safe<String> {
        let tone = if *bytes == self.download.bytes { "fill" } else { "warn" };
        charts::bar(charts::share(*bytes, self.download.bytes), tone, "thick", None)
    }
}

impl Exposure {
    fn only_share(&self) -> f64 {
        charts::share(self.name_and_email, self.people)
    }

    /// Squares of a thousand that are drawn in the warning colour: at least one as soon as there
    /// is anybody.
    fn squares(&self) -> u32 {
        let rest = 1.0 - self.only_share();
        let squares = (rest * 1000.0).round() as u32;
        if self.name_and_email < self.people { squares.max(1) } else { 0 }
    }

    fn waffle(&self, shell: &Shell) -> Safe<String> {
        let squares = i64::from(self.squares());
        let title = shell.t2("waffle-title", "n", 1000 - squares, "rest", squares);
        charts::waffle("contact", self.squares(), &title)
    }

    fn field_bar(&self, filled: &i64) -> Safe<String> {
        let share = charts::share(*filled, self.people);
        charts::bar(share, if share >= 0.5 { "fill" } else { "soft" }, "", None)
    }

    fn size_bar(&self, organizations: &i64) -> Safe<String> {
        let top = self.sizes.iter().map(|(_, n)| *n).max().unwrap_or(0);
        charts::bar(charts::share(*organizations, top), "fill", "", None)
    }

    fn month_chart(&self, shell: &Shell) -> Safe<String> {
        let title: Vec<String> =
            self.months.iter().map(|(label, n)| format!("{label} {}", shell.n(n))).collect();
        let values: Vec<(i64, bool)> = self.months.iter().map(|(_, n)| (*n, false)).collect();
        charts::columns("months", &values, &title.join(", "))
    }
}
