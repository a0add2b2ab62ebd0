//! Cases: status, priority, and what may follow what.

use crate::{CaseId, OrganizationId, PersonId, Refusal, Timestamp, refusal};
use serde::{Deserialize, Serialize};

macro_rules! keyed {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $key:literal / $code:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($variant,)* }

        impl $name {
            pub const ALL: &'static [$name] = &[$($name::$variant,)*];
            /// The stable name used in the API and in reports.
            pub fn key(self) -> &'static str { match self { $($name::$variant => $key,)* } }
            /// The number stored in the database.
            pub fn code(self) -> i64 { match self { $($name::$variant => $code,)* } }
            pub fn from_key(key: &str) -> Option<$name> { match key { $($key => Some($name::$variant),)* _ => None } }
            pub fn from_code(code: i64) -> Option<$name> { match code { $($code => Some($name::$variant),)* _ => None } }
        }
    };
}

keyed! {
    /// Where a case stands.
    Status {
        New = "new" / 0,
        Open = "open" / 1,
        Waiting = "waiting" / 2,
        Solved = "solved" / 3,
        Closed = "closed" / 4,
    }
}

keyed! {
    Priority { Low = "low" / 0, Normal = "normal" / 1, High = "high" / 2, Urgent = "urgent" / 3, }
}

keyed! {
    /// What a timeline entry is. A `Note` never leaves the vendor.
    MessageKind { Customer = "customer" / 0, Reply = "reply" / 1, Note = "note" / 2, Event = "event" / 3, }
}

impl Status {
    /// Still somebody's work: everything but solved and closed.
    pub fn is_active(self) -> bool {
        matches!(self, Status::New | Status::Open | Status::Waiting)
    }

    /// The status after a customer's message: a closed case stays closed (a new one is opened
    /// instead), every other is open again.
    pub fn after_customer(self) -> Status {
        match self {
            Status::New => Status::New,
            Status::Closed => Status::Closed,
            _ => Status::Open,
        }
    }

    /// The status after an agent's reply when none is chosen.
    pub fn after_reply(self) -> Status {
        match self {
            Status::New | Status::Open => Status::Waiting,
            other => other,
        }
    }

    /// Whether a person may set it by hand. `New` is only where a case begins; `Closed` is final.
    pub fn may_become(self, to: Status) -> bool {
        self != Status::Closed && to != Status::New || self == to
    }
}

/// A case as one version of the record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    pub id: CaseId,
    pub organization: OrganizationId,
    pub requester: PersonId,
    pub assignee: Option<PersonId>,
    pub subject: String,
    pub status: Status,
    pub priority: Priority,
    pub product: String,
    /// Comma-separated, folded, sorted.
    pub tags: String,
    /// BCP 47 primary language of the conversation: `en` or `ja`.
    pub language: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub first_reply_at: Option<Timestamp>,
    pub solved_at: Option<Timestamp>,
    pub messages: i64,
}

/// Longest subject in characters.
pub const MAX_SUBJECT: usize = 250;
/// Longest message in bytes.
pub const MAX_MESSAGE: usize = 256 * 1024;

/// What is wrong with what somebody wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WritingError {
    NoSubject,
    LongSubject(usize),
    NoBody,
    LongBody(usize),
    Nul,
}

impl WritingError {
    pub fn refusal(&self) -> Refusal {
        match self {
            Self::NoSubject => refusal!("subject-empty", "the subject is empty"),
            Self::LongSubject(n) => refusal!(
                "subject-long",
                "the subject has {n} characters; at most {limit} are kept",
                n = *n,
                limit = MAX_SUBJECT
            ),
            Self::NoBody => refusal!("body-empty", "the message is empty"),
            Self::LongBody(n) => refusal!(
                "body-long",
                "the message has {n} bytes; at most {limit} are kept",
                n = *n,
                limit = MAX_MESSAGE
            ),
            Self::Nul => refusal!("text-nul", "the text has a NUL character"),
        }
    }
}

crate::refuses!(WritingError);

/// # Errors
/// When the subject is empty or too long.
pub fn check_subject(subject: &str) -> Result<String, WritingError> {
    let subject = subject.split_whitespace().collect::<Vec<_>>().join(" ");
    match subject.chars().count() {
        0 => Err(WritingError::NoSubject),
        _ if subject.contains('\0') => Err(WritingError::Nul),
        n if n > MAX_SUBJECT => Err(WritingError::LongSubject(n)),
        _ => Ok(subject),
    }
}

/// Line ends become `\n`; blanks at the end go.
///
/// # Errors
/// When the message is empty or too long.
pub fn check_body(body: &str) -> Result<String, WritingError> {
    let body = body.replace("\r\n", "\n");
    let body = body.trim_end();
    match body.len() {
        _ if body.trim().is_empty() => Err(WritingError::NoBody),
        _ if body.contains('\0') => Err(WritingError::Nul),
        n if n > MAX_MESSAGE => Err(WritingError::LongBody(n)),
        _ => Ok(body.to_owned()),
    }
}

/// Tags as they are stored: folded, blanks turned to `-`, sorted, each once, at most 20 of 40
/// characters.
pub fn clean_tags(text: &str) -> String {
    let mut tags: Vec<String> = text
        .split([',', '、', '\n'])
        .map(|t| t.split_whitespace().collect::<Vec<_>>().join("-").to_lowercase())
        .filter(|t| !t.is_empty())
        .map(|t| t.chars().filter(|c| *c != '\0').take(40).collect())
        .collect();
    tags.sort_unstable();
    tags.dedup();
    tags.truncate(20);
    tags.join(",")
}

/// The saved views every desk starts with. Each is answered by one index and its count is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum View {
    /// Active cases assigned to one agent.
    Mine(PersonId),
    /// Active cases assigned to nobody.
    Unassigned,
    /// Every active case.
    Active,
    /// Cases with one status.
    WithStatus(Status),
    /// All cases of one organization.
    Organization(OrganizationId),
    /// All cases that one person asked.
    Requester(PersonId),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_keys_are_stable() {
        for s in Status::ALL {
            assert_eq!(Status::from_key(s.key()), Some(*s));
            assert_eq!(Status::from_code(s.code()), Some(*s));
        }
        assert_eq!(Status::from_code(9), None);
    }

    #[test]
    fn a_closed_case_stays_closed() {
        assert_eq!(Status::Closed.after_customer(), Status::Closed);
        assert!(Status::ALL.iter().all(|s| *s == Status::Closed || !Status::Closed.may_become(*s)));
        assert!(!Status::Open.may_become(Status::New));
        assert_eq!(Status::Solved.after_customer(), Status::Open);
    }

    #[test]
    fn tags_are_cleaned() {
        assert_eq!(clean_tags("SAML, saml ,Sign in,, "), "saml,sign-in");
    }

    #[test]
    fn writing_is_checked() {
        assert_eq!(check_subject("  a \n b "), Ok("a b".into()));
        assert_eq!(check_subject(" "), Err(WritingError::NoSubject));
        assert_eq!(check_body("a\r\nb \n"), Ok("a\nb".into()));
        assert_eq!(check_body(" \n"), Err(WritingError::NoBody));
        assert_eq!(check_body("\0"), Err(WritingError::Nul));
    }
}
