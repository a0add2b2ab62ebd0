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
    /// Somebody asks to weaken a policy (`policy`, `by`): a second person decides.
    PolicyProposed,
    /// A policy changed (`policy`, `by`).
    PolicyChanged,
    /// A security feature entered a stage (`feature`, `stage`).
    StageEntered,
    /// Somebody used a session of theirs without the key of the device that it is bound to.
    DeviceKey,
}

impl NoticeKind {
    pub const ALL: [NoticeKind; 12] = [
        NoticeKind::SessionMoved,
        NoticeKind::SessionEnded,
        NoticeKind::SessionRecorded,
        NoticeKind::FactorAdded,
        NoticeKind::FactorRemoved,
        NoticeKind::RolesChanged,
        NoticeKind::KeyCopied,
        NoticeKind::StepUpRefused,
        NoticeKind::PolicyProposed,
        NoticeKind::PolicyChanged,
        NoticeKind::StageEntered,
        NoticeKind::DeviceKey,
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
            NoticeKind::PolicyProposed => "policy_proposed",
            NoticeKind::PolicyChanged => "policy_changed",
            NoticeKind::StageEntered => "stage_entered",
            NoticeKind::DeviceKey => "device_key",
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
            | NoticeKind::PolicyProposed
            | NoticeKind::DeviceKey => true,
            NoticeKind::SessionEnded
            | NoticeKind::FactorAdded
            | NoticeKind::FactorRemoved
            | NoticeKind::RolesChanged
            | NoticeKind::PolicyChanged
            | NoticeKind::StageEntered => false,
        }
    }
}

/// What the sentence of a notice needs, by name.
pub type Details = BTreeMap<String, String>;
