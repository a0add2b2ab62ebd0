//! Help-desk verification: how somebody who has lost their factors gets a new way in, and why nobody
//! gets one by talking. Every step is somebody's; none can be left out, whoever asks.
//!
//! Request → call-back → look → tally → approval → delay → done.

mod rules;
mod tally;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

pub use rules::{VOID, may_approve, may_see, void};
pub use tally::{CODE, HALF, Tally, code_text, halves, normal};

use crate::time::{DAY, HOUR, MINUTE};
use crate::{CredentialId, PersonId, Refusal, Timestamp, refusal};
use serde::{Deserialize, Serialize};

/// A number is called only when it has stood in the record for so long, in microseconds.
pub const ON_RECORD: i64 = 30 * DAY;
/// Until when a check must be approved, from its request on.
pub const OPEN_FOR: i64 = 72 * HOUR;
/// How long an approved reset may be carried out, from the end of its delay on.
pub const READY_FOR: i64 = 72 * HOUR;
/// Least delay of a reset for somebody with a role: long enough to be told and to stop it.
pub const LEAST_DELAY: i64 = 15 * MINUTE;
/// Longest text of who called and why, in characters.
pub const WORDS: usize = 500;

/// What is asked for. Ending every session is part of both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    /// Every factor goes, and a one-time invitation is made.
    ResetFactors,
    /// One factor goes; the person has another.
    RemoveFactor(CredentialId),
}

impl Wish {
    /// The stable name that pages, programs and the ledger use.
    pub fn key(self) -> &'static str {
        match self {
            Wish::ResetFactors => "reset_factors",
            Wish::RemoveFactor(_) => "remove_factor",
        }
    }

    /// The wish of a name and the factor that it is about.
    pub fn from_key(key: &str, factor: Option<CredentialId>) -> Option<Wish> {
        match (key, factor) {
            ("reset_factors", None) => Some(Wish::ResetFactors),
            ("remove_factor", Some(factor)) => Some(Wish::RemoveFactor(factor)),
            _ => None,
        }
    }
}

/// How the request reached the desk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    Phone,
    Video,
    InPerson,
    /// In writing: a case, a mail, a chat.
    Written,
    /// With a printed recovery code; nobody of the desk began it.
    RecoveryCode,
}

impl Channel {
    pub const ALL: [Channel; 5] = [
        Channel::Phone,
        Channel::Video,
        Channel::InPerson,
        Channel::Written,
        Channel::RecoveryCode,
    ];

    pub fn key(self) -> &'static str {
        match self {
            Channel::Phone => "phone",
            Channel::Video => "video",
            Channel::InPerson => "in_person",
            Channel::Written => "written",
            Channel::RecoveryCode => "recovery_code",
        }
    }

    pub fn from_key(key: &str) -> Option<Channel> {
        Channel::ALL.into_iter().find(|c| c.key() == key)
    }
}

/// What is asked for, of whom, and how: what an approver agrees to. Any change voids the approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payload {
    /// Whose account.
    pub person: PersonId,
    pub wish: Wish,
    /// Who called, as they named themselves.
    pub caller: String,
    pub channel: Channel,
    pub reason: String,
}

impl Payload {
    /// # Errors
    /// When a text is empty, too long or no text.
    pub fn checked(mut self) -> Result<Payload, Refusal> {
        for text in [&mut self.caller, &mut self.reason] {
            *text = text.trim().to_owned();
            let length = text.chars().count();
            if length == 0 || length > WORDS || text.chars().any(|c| c.is_control() && c != '\n') {
                return Err(refusal!(
                    "verify-text",
                    "who called and why have 1 to {limit} characters each",
                    limit = WORDS
                ));
            }
        }
        Ok(self)
    }
}

/// Something that was done, by whom and when. Without a person it was a printed recovery code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    pub by: Option<PersonId>,
    pub at: Timestamp,
}

/// The call to a number that was on record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Called {
    pub by: PersonId,
    pub at: Timestamp,
    pub number: String,
    /// Since when the number has stood in the record.
    pub since: Timestamp,
}

/// The look at the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    pub by: PersonId,
    pub at: Timestamp,
    /// A colleague who vouches instead of the photo on record.
    pub colleague: Option<PersonId>,
    /// When the colleague confirmed it in a session of their own.
    pub vouched_at: Option<Timestamp>,
}

impl Look {
    fn passed(&self) -> bool {
        self.colleague.is_none() || self.vouched_at.is_some()
    }
}

/// What the agent saw. One "no" is enough to end the check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Seen {
    /// The face of the photo on record, or the one that the colleague knows.
    pub same_person: bool,
    /// They turned the head and moved a hand across the face when asked.
    pub moved: bool,
    /// Nobody hurries or prompts them.
    pub unhurried: bool,
}

/// The agreement of a second person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    pub by: PersonId,
    pub at: Timestamp,
    /// SHA-256 of [`Verification::text`] as it was agreed to, hexadecimal.
    pub digest: String,
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// What was asked for has been done.
    Done,
    /// The owner of the account stopped it.
    Stopped,
    /// The desk ended it.
    Refused,
    /// The desk ended it as an attack.
    Attack,
}

/// The end of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    pub how: Outcome,
    /// `None`: by the link of a notice.
    pub by: Option<PersonId>,
    pub at: Timestamp,
}

/// What a check waits for. The names are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    CallBack,
    Look,
    Tally,
    Approval,
    /// Agreed to; the delay runs, or is over.
    Approved,
    Ended,
}

impl Stage {
    pub const ALL: [Stage; 6] = [
        Stage::CallBack,
        Stage::Look,
        Stage::Tally,
        Stage::Approval,
        Stage::Approved,
        Stage::Ended,
    ];

    pub fn key(self) -> &'static str {
        match self {
            Stage::CallBack => "call_back",
            Stage::Look => "look",
            Stage::Tally => "tally",
            Stage::Approval => "approval",
            Stage::Approved => "approved",
            Stage::Ended => "ended",
        }
    }
}

/// A check from its request to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    pub id: i64,
    pub payload: Payload,
    pub requested: Done,
    pub called: Option<Called>,
    pub looked: Option<Look>,
    pub tally: Option<Tally>,
    /// Tallies begun so far.
    pub tallies: u32,
    /// Who wrote what is asked for now, where it was changed.
    #[serde(default)]
    pub changed_by: Option<PersonId>,
    pub approved: Option<Approval>,
    pub end: Option<End>,
}

/// A number of a record and since when it has stood there without a break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number {
    pub text: String,
    pub since: Timestamp,
}

impl Number {
    /// Whether it has been on record for so long that whoever took over the account this week
    /// cannot have put it there.
    pub fn qualifies(&self, now: Timestamp) -> bool {
        self.since.plus(ON_RECORD) <= now
    }
}

impl Verification {
    /// # Errors
    /// When a text does not do, or somebody asks for their own account.
    pub fn open(
        id: i64,
        payload: Payload,
        by: Option<PersonId>,
        at: Timestamp,
    ) -> Result<Verification, Refusal> {
        let payload = payload.checked()?;
        let new = Verification {
            id,
            payload,
            requested: Done { by, at },
            called: None,
            looked: None,
            tally: None,
            tallies: 0,
            changed_by: None,
            approved: None,
            end: None,
        };
        by.map_or(Ok(()), |by| new.not_own(by))?;
        Ok(new)
    }

    pub fn stage(&self) -> Stage {
        if self.end.is_some() {
            Stage::Ended
        } else if self.called.is_none() {
            Stage::CallBack
        } else if !self.looked.is_some_and(|l| l.passed()) {
            Stage::Look
        } else if !self.tally.as_ref().is_some_and(Tally::passed) {
            Stage::Tally
        } else if self.approved.is_none() {
            Stage::Approval
        } else {
            Stage::Approved
        }
    }

    /// When the delay is over: never before the approval.
    pub fn due(&self, delay: i64) -> Option<Timestamp> {
        self.approved.as_ref().map(|a| a.at.plus(delay.max(0)))
    }

    /// Whether its time is over without an end.
    pub fn expired(&self, now: Timestamp, delay: i64) -> bool {
        let last = match self.due(delay) {
            Some(due) => due.plus(READY_FOR),
            None => self.requested.at.plus(OPEN_FOR),
        };
        self.end.is_none() && now > last
    }

    /// What is agreed to, as one text: the payload and every step that stands behind it.
    pub fn text(&self) -> String {
        #[derive(Serialize)]
        struct Agreed<'a>(
            i64,
            &'a Payload,
            &'a Done,
            &'a Option<Called>,
            &'a Option<Look>,
            &'a Option<Tally>,
            Option<PersonId>,
        );
        let of = Agreed(
            self.id,
            &self.payload,
            &self.requested,
            &self.called,
            &self.looked,
            &self.tally,
            self.changed_by,
        );
        // Plain data with text keys: there is nothing that JSON cannot say.
        serde_json::to_string(&of).unwrap_or_default()
    }

    /// Everybody who had a part in it before the approval.
    pub fn involved(&self) -> impl Iterator<Item = PersonId> + '_ {
        let looked = self.looked.as_ref();
        [
            self.requested.by,
            self.called.as_ref().map(|c| c.by),
            looked.map(|l| l.by),
            looked.and_then(|l| l.colleague),
            self.tally.as_ref().map(|t| t.by),
            self.changed_by,
        ]
        .into_iter()
        .flatten()
    }

    fn not_own(&self, by: PersonId) -> Result<(), Refusal> {
        match by == self.payload.person {
            true => Err(refusal!(
                "verify-own",
                "this is your own account; others take part in its check"
            )),
            false => Ok(()),
        }
    }

    /// Whether this is the step that comes now.
    fn at_stage(&self, wanted: Stage) -> Result<(), Refusal> {
        let stage = self.stage();
        match stage {
            Stage::Ended => Err(refusal!("verify-ended", "this check has ended; begin a new one")),
            _ if stage == wanted => Ok(()),
            _ => Err(refusal!(
                "verify-step",
                "this is not the step that comes now; it is {step}",
                step = stage.key()
            )),
        }
    }
}
