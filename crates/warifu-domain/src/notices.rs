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
    /// Something to sign in with was added (`name`, `factor`).
    FactorAdded,
    /// Something to sign in with was removed (`name`, `factor`).
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
    /// Somebody asked the desk for a new way into the account (`check`).
    ResetAsked,
    /// A printed recovery code opened such a request (`check`).
    RecoveryUsed,
    /// The reset was agreed to and is done after `due` unless it is stopped (`check`).
    ResetApproved,
    /// The reset was stopped (`check`).
    ResetStopped,
    /// The factors were reset and every session ended.
    ResetDone,
    /// The same of somebody whose organization one administers (`name`, `check`, `due`).
    ResetOfOther,
    /// … and stopped, by its owner or as an attack (`name`, `check`).
    ResetOfOtherStopped,
    /// … and done (`name`, `check`).
    ResetOfOtherDone,
    /// New printed recovery codes were made.
    RecoveryCodes,
    /// The sealed code of the installation was used for somebody (`name`).
    BreakGlass,
    /// Somebody tried a wrong sealed code for somebody (`name`).
    BreakGlassRefused,
    /// A new sealed code was made.
    BreakGlassSealed,
    /// A service account of theirs was used from another network, for a page, or with a proof that is
    /// not its own (`name`, `from`).
    ServiceRefused,
    /// The password was changed.
    PasswordChanged,
    /// The codes beside the password were changed.
    CodesChanged,
    /// A certificate that one signs in with ends soon (`name`, `due`).
    CertificateEnds,
    /// A service account ends soon (`name`, `due`).
    ServiceEnds,
    /// The approval of a reset, that one asked for or gave, is void (`check`).
    ResetVoid,
    /// A one-time link into the account was made (`by`).
    Invited,
    /// The account was switched off (`by`).
    SwitchedOff,
    /// The account was switched on again (`by`).
    SwitchedOn,
    /// The same of somebody else, for super administrators (`name`, `by`).
    SwitchedOnOther,
    /// Address, user name or telephone numbers were changed (`fields`: their keys with commas, `by`).
    ContactChanged,
    /// Somebody gave the right password, and then one wrong code after the other.
    CodesGuessed,
    /// More people's records than the limit were asked for within a day (`people`), and not shown.
    ReadingStopped,
    /// The same by a service account of theirs (`name`, `people`).
    ServiceReadingStopped,
    /// A session was opened in a network in which they had none before (`from`, `factor`).
    NewNetwork,
    /// A session was opened with a password after tries that failed (`times`, `from`).
    SignedInAfterFailures,
}

impl NoticeKind {
    pub const ALL: [NoticeKind; 40] = [
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
        NoticeKind::ResetAsked,
        NoticeKind::RecoveryUsed,
        NoticeKind::ResetApproved,
        NoticeKind::ResetStopped,
        NoticeKind::ResetDone,
        NoticeKind::ResetOfOther,
        NoticeKind::ResetOfOtherStopped,
        NoticeKind::ResetOfOtherDone,
        NoticeKind::RecoveryCodes,
        NoticeKind::BreakGlass,
        NoticeKind::BreakGlassRefused,
        NoticeKind::BreakGlassSealed,
        NoticeKind::ServiceRefused,
        NoticeKind::PasswordChanged,
        NoticeKind::CodesChanged,
        NoticeKind::CertificateEnds,
        NoticeKind::ServiceEnds,
        NoticeKind::ResetVoid,
        NoticeKind::Invited,
        NoticeKind::SwitchedOff,
        NoticeKind::SwitchedOn,
        NoticeKind::SwitchedOnOther,
        NoticeKind::ContactChanged,
        NoticeKind::CodesGuessed,
        NoticeKind::ReadingStopped,
        NoticeKind::ServiceReadingStopped,
        NoticeKind::NewNetwork,
        NoticeKind::SignedInAfterFailures,
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
            NoticeKind::ResetAsked => "reset_asked",
            NoticeKind::RecoveryUsed => "recovery_used",
            NoticeKind::ResetApproved => "reset_approved",
            NoticeKind::ResetStopped => "reset_stopped",
            NoticeKind::ResetDone => "reset_done",
            NoticeKind::ResetOfOther => "reset_of_other",
            NoticeKind::ResetOfOtherStopped => "reset_of_other_stopped",
            NoticeKind::ResetOfOtherDone => "reset_of_other_done",
            NoticeKind::RecoveryCodes => "recovery_codes",
            NoticeKind::BreakGlass => "break_glass",
            NoticeKind::BreakGlassRefused => "break_glass_refused",
            NoticeKind::BreakGlassSealed => "break_glass_sealed",
            NoticeKind::ServiceRefused => "service_refused",
            NoticeKind::PasswordChanged => "password_changed",
            NoticeKind::CodesChanged => "codes_changed",
            NoticeKind::CertificateEnds => "certificate_ends",
            NoticeKind::ServiceEnds => "service_ends",
            NoticeKind::ResetVoid => "reset_void",
            NoticeKind::Invited => "invited",
            NoticeKind::SwitchedOff => "switched_off",
            NoticeKind::SwitchedOn => "switched_on",
            NoticeKind::SwitchedOnOther => "switched_on_other",
            NoticeKind::ContactChanged => "contact_changed",
            NoticeKind::CodesGuessed => "codes_guessed",
            NoticeKind::ReadingStopped => "reading_stopped",
            NoticeKind::ServiceReadingStopped => "service_reading_stopped",
            NoticeKind::NewNetwork => "new_network",
            NoticeKind::SignedInAfterFailures => "signed_in_after_failures",
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
            | NoticeKind::DeviceKey
            | NoticeKind::ResetAsked
            | NoticeKind::RecoveryUsed
            | NoticeKind::ResetApproved
            | NoticeKind::ResetDone
            | NoticeKind::ResetOfOtherStopped
            | NoticeKind::BreakGlass
            | NoticeKind::BreakGlassRefused
            | NoticeKind::ServiceRefused
            | NoticeKind::SwitchedOnOther
            | NoticeKind::ContactChanged
            | NoticeKind::CodesGuessed
            | NoticeKind::ReadingStopped
            | NoticeKind::ServiceReadingStopped
            | NoticeKind::NewNetwork
            | NoticeKind::SignedInAfterFailures => true,
            NoticeKind::SessionEnded
            | NoticeKind::FactorAdded
            | NoticeKind::FactorRemoved
            | NoticeKind::RolesChanged
            | NoticeKind::PolicyChanged
            | NoticeKind::StageEntered
            | NoticeKind::ResetStopped
            | NoticeKind::ResetOfOther
            | NoticeKind::ResetOfOtherDone
            | NoticeKind::RecoveryCodes
            | NoticeKind::BreakGlassSealed
            | NoticeKind::PasswordChanged
            | NoticeKind::CodesChanged
            | NoticeKind::CertificateEnds
            | NoticeKind::ServiceEnds
            | NoticeKind::ResetVoid
            | NoticeKind::Invited
            | NoticeKind::SwitchedOff
            | NoticeKind::SwitchedOn => false,
        }
    }
}

/// What the sentence of a notice needs, by name.
pub type Details = BTreeMap<String, String>;
