//! What happened to somebody's account, told to them: whoever is robbed is the first to know.

use std::collections::BTreeMap;

/// What happened. The names are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeKind {
    /// A session was used from another network and ended (`from`, `to`).
    SessionMoved,
    /// An administrator ended a session.
    SessionEnded,
    /// A session stood in a recording that somebody sent, and ended.
    SessionRecorded,
    /// A passkey was added (`name`).
    FactorAdded,
    /// A passkey was removed (`name`).
    FactorRemoved,
    /// Roles were granted or taken away.
    RolesChanged,
    /// A passkey's counter went back: there may be a copy of it.
    KeyCopied,
    /// Somebody in a session of theirs failed to prove themselves for a protected action.
    StepUpRefused,
    /// A service account of theirs was used from another network, for a page, or with a proof that is
    /// not its own (`name`, `from`).
    ServiceRefused,
}

impl NoticeKind {
    pub const ALL: [NoticeKind; 9] = [
        NoticeKind::SessionMoved,
        NoticeKind::SessionEnded,
        NoticeKind::SessionRecorded,
        NoticeKind::FactorAdded,
        NoticeKind::FactorRemoved,
        NoticeKind::RolesChanged,
        NoticeKind::KeyCopied,
        NoticeKind::StepUpRefused,
        NoticeKind::ServiceRefused,
    ];

    pub fn key(self) -> &'static str {
        match self {
            NoticeKind::SessionMoved => "session_moved",
            NoticeKind::SessionEnded => "session_ended",
            NoticeKind::SessionRecorded => "session_recorded",
            NoticeKind::FactorAdded => "factor_added",
            NoticeKind::FactorRemoved => "factor_removed",
            NoticeKind::RolesChanged => "roles_changed",
            NoticeKind::KeyCopied => "key_copied",
            NoticeKind::StepUpRefused => "step_up_refused",
            NoticeKind::ServiceRefused => "service_refused",
        }
    }

    pub fn from_key(key: &str) -> Option<NoticeKind> {
        NoticeKind::ALL.into_iter().find(|k| k.key() == key)
    }

    /// Whether it may mean that somebody else has been in the account.
    pub fn is_alarm(self) -> bool {
        match self {
            NoticeKind::SessionMoved
            | NoticeKind::SessionRecorded
            | NoticeKind::KeyCopied
            | NoticeKind::StepUpRefused
            | NoticeKind::ServiceRefused => true,
            NoticeKind::SessionEnded
            | NoticeKind::FactorAdded
            | NoticeKind::FactorRemoved
            | NoticeKind::RolesChanged => false,
        }
    }
}

/// What the sentence of a notice needs, by name.
pub type Details = BTreeMap<String, String>;
