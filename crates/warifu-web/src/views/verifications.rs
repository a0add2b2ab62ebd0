//! Checks of callers: the list, one check with its steps, the caller's side, and recovery codes.

use super::cases::Somebody;
use super::markup::{Choice, Tally, Tone};
use super::shell::Shell;
use crate::i18n::When;
use askama::Template;

/// `GET /verifications`
#[derive(Debug, Clone, Template)]
#[template(path = "verifications/list.html")]
pub struct VerificationList {
    /// Frame
    pub shell: Shell,
    /// Newest first
    pub rows: Vec<CheckRow>,
}

/// The same for organization administrators, in the frame of the portal.
#[derive(Debug, Clone, Template)]
#[template(path = "verifications/list_customer.html")]
pub struct PortalVerificationList {
    /// Frame
    pub shell: Shell,
    /// Newest first
    pub rows: Vec<CheckRow>,
}

/// A check in a list.
#[derive(Debug, Clone, Default)]
pub struct CheckRow {
    /// Number, for addresses
    pub id: i64,
    /// What people call it
    pub reference: String,
    /// Whose account
    pub who: Somebody,
    /// Their role and organization, in the reader's language
    pub what: String,
    /// What is asked for, in the reader's language
    pub wish: String,
    /// When it was asked for
    pub asked: When,
    /// Where it stands
    pub steps: Vec<StepView>,
    /// The same in words
    pub state: String,
    /// How that sounds
    pub tone: Tone,
}

/// A step of the picture.
#[derive(Debug, Clone, Default)]
pub struct StepView {
    /// Name, in the reader's language
    pub label: String,
    /// When it was done, or what is so now
    pub note: String,
    /// Whether it is done
    pub done: bool,
    /// Whether it is the one that comes now
    pub current: bool,
}

/// `GET /verifications/new`
#[derive(Debug, Clone, Template)]
#[template(path = "verifications/new.html")]
pub struct VerificationNew {
    /// Frame
    pub shell: Shell,
    /// Whose account
    pub who: Somebody,
    /// What is asked
    pub form: PayloadForm,
}

/// What a caller asks for, as a form.
#[derive(Debug, Clone, Default)]
pub struct PayloadForm {
    /// What may be asked for: `reset_factors` or `remove_factor:ID`
    pub wishes: Vec<Choice>,
    /// How it reached the desk
    pub channels: Vec<Choice>,
    /// Who called
    pub caller: String,
    /// Why
    pub reason: String,
    /// What is wrong
    pub problem: Option<String>,
}

/// `GET /verifications/{id}`
#[derive(Debug, Clone, Template)]
#[template(path = "verifications/check.html")]
pub struct VerificationPage {
    /// Frame
    pub shell: Shell,
    /// The check
    pub check: Check,
}

/// The same for organization administrators.
#[derive(Debug, Clone, Template)]
#[template(path = "verifications/check_customer.html")]
pub struct PortalVerification {
    /// Frame
    pub shell: Shell,
    /// The check
    pub check: Check,
}

/// One check.
#[derive(Debug, Clone, Default)]
pub struct Check {
    /// Number, reference, whose, steps, state
    pub row: CheckRow,
    /// What is known of it: terms and values, in the reader's language
    pub facts: Vec<(String, String)>,
    /// What is asked of the reader now
    pub ask: Ask,
    /// Another payload; `None` where nothing can be changed
    pub change: Option<PayloadForm>,
    /// Whether the reader may end it
    pub may_end: bool,
    /// The one-time link, shown once
    pub invitation: Option<String>,
    /// What was wrong with what was sent
    pub problem: Option<String>,
}

/// What is asked of the reader of a check.
#[derive(Debug, Clone, Default)]
pub enum Ask {
    /// Nothing: a sentence says what it waits for
    #[default]
    Nothing,
    /// To call one of these numbers; each with since when it is on record
    Call { numbers: Vec<Choice>, now: String },
    /// To look at the caller
    Look,
    /// To wait for a colleague; the path that they open
    Vouching { path: String },
    /// To begin a tally; whether one was used up
    BeginTally { again: bool },
    /// To say and type halves
    Halves(Halves),
    /// To approve: the payload's digest, and what follows
    Approve { digest: String, delay: String },
    /// To carry it out
    Finish,
}

/// The agent's side of a tally.
#[derive(Debug, Clone, Default)]
pub struct Halves {
    /// Where the caller goes, without the code
    pub address: String,
    /// What they type there
    pub code: String,
    /// The agent's half
    pub half: String,
    /// Whether the caller has opened it, typed this half; the agent has typed theirs
    pub opened: bool,
    pub caller_fits: bool,
    pub agent_fits: bool,
    /// Tries that are left
    pub tries: i64,
    /// When it is over
    pub until: When,
}

impl Halves {
    /// Icon of a side.
    pub fn icon(&self, fits: &bool) -> &'static str {
        if *fits { "tally" } else { "tally-open" }
    }

    /// State of the tally as it is drawn.
    pub fn tally(&self) -> Tally {
        match self.agent_fits && self.caller_fits {
            true => Tally::Match,
            false => Tally::Open,
        }
    }
}

/// `GET /verifications/{id}/vouch`
#[derive(Debug, Clone, Template)]
#[template(path = "verifications/vouch.html")]
pub struct VouchPage {
    /// Frame
    pub shell: Shell,
    /// What is asked
    pub vouch: Vouch,
}

/// The same for customers.
#[derive(Debug, Clone, Template)]
#[template(path = "verifications/vouch_customer.html")]
pub struct PortalVouch {
    /// Frame
    pub shell: Shell,
    /// What is asked
    pub vouch: Vouch,
}

/// What a colleague is asked.
#[derive(Debug, Clone, Default)]
pub struct Vouch {
    /// Number of the check
    pub id: i64,
    /// Whom it is about
    pub name: String,
    /// Who asks
    pub agent: String,
    /// Whether the word was given
    pub done: bool,
    /// What the key is asked for with
    pub parameters: String,
}

/// `GET /verify`
#[derive(Debug, Clone, Template)]
#[template(path = "verifications/caller_code.html")]
pub struct CallerCode {
    /// Frame; `me` is `None`
    pub shell: Shell,
    /// Whether the code that was typed cannot be used
    pub gone: bool,
}

/// `GET /verify/{code}`
#[derive(Debug, Clone, Template)]
#[template(path = "verifications/caller.html")]
pub struct Caller {
    /// Frame; `me` is `None`
    pub shell: Shell,
    /// The code, for the form's address
    pub code: String,
    /// The caller's half
    pub half: String,
    /// Whether the caller has typed the desk's half, and the desk theirs
    pub caller_fits: bool,
    pub agent_fits: bool,
    /// What was wrong
    pub problem: Option<String>,
}

impl Caller {
    /// State of the tally as it is drawn.
    pub fn tally(&self) -> Tally {
        match self.agent_fits && self.caller_fits {
            true => Tally::Match,
            false => Tally::Open,
        }
    }
}

/// `GET /verify/stop/{id}/{token}`
#[derive(Debug, Clone, Template)]
#[template(path = "verifications/stop.html")]
pub struct StopPage {
    /// Frame; `me` is `None`
    pub shell: Shell,
    /// Where the form goes
    pub path: String,
    /// Whether it has been stopped now
    pub done: bool,
    /// Why it could not
    pub problem: Option<String>,
}

/// `GET /recover`
#[derive(Debug, Clone, Template)]
#[template(path = "recovery/recover.html")]
pub struct Recover {
    /// Frame; `me` is `None`
    pub shell: Shell,
    /// Whether a code was sent; the answer does not say which
    pub sent: bool,
}

/// `GET /account/recovery`
#[derive(Debug, Clone, Template)]
#[template(path = "recovery/codes.html")]
pub struct RecoveryPage {
    /// Frame
    pub shell: Shell,
    /// What is there
    pub recovery: Recovery,
}

/// The same for customers.
#[derive(Debug, Clone, Template)]
#[template(path = "recovery/codes_customer.html")]
pub struct PortalRecovery {
    /// Frame
    pub shell: Shell,
    /// What is there
    pub recovery: Recovery,
}

/// Recovery codes, and what goes on with one's account.
#[derive(Debug, Clone, Default)]
pub struct Recovery {
    /// Codes that are left
    pub left: i64,
    /// When they were made
    pub made: Option<When>,
    /// Codes that were just made, shown once
    pub codes: Vec<String>,
    /// Open checks of the own account
    pub checks: Vec<CheckRow>,
}
