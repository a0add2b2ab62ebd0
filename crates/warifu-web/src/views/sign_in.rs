//! Sign-in, enrolment by invitation, signed out, and one's own passkeys.

use askama::Template;

use super::markup::Tone;
use super::shell::Shell;
use crate::i18n::When;

/// `GET /sign-in`
#[derive(Debug, Clone, Template)]
#[template(path = "sign_in/sign_in.html")]
pub struct SignIn {
    /// Frame; `me` is `None`
    pub shell: Shell,
    /// What went wrong before, if anything
    pub problem: Option<SignInProblem>,
    /// Whether a client certificate may be used
    pub certificates: bool,
    /// Local path to go to afterwards; the server checks it again
    pub next: String,
    /// Lifetime of a session in seconds
    pub lifetime: i64,
    /// Idle limit in seconds
    pub idle: i64,
    /// The network as it would be bound, e.g. `AS64496 Hashira Tokyo`
    pub network: String,
    /// Identity providers
    pub providers: Vec<ProviderWay>,
    /// Where to sign in with a password; empty where no organization allows it
    pub password: String,
}

/// A button that leads to an identity provider.
#[derive(Debug, Clone, Default)]
pub struct ProviderWay {
    /// Address here from which the browser is sent on
    pub href: String,
    /// Its name
    pub name: String,
}

/// A sign-in that did not work, or a session that ended. It never says whether an account exists.
#[derive(Debug, Clone, Default)]
pub struct SignInProblem {
    /// Which one
    pub kind: SignInTrouble,
    /// What the sentence needs: a network, a length of time, two networks; in the reader's words
    pub detail: String,
    /// What the help desk can look up; may be empty
    pub reference: String,
    /// When
    pub time: When,
}

/// Which problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SignInTrouble {
    /// The browser found no passkey for this site
    NoPasskey,
    /// The assertion was refused, for whatever reason
    #[default]
    Refused,
    /// Too many tries; detail: the network
    Throttled,
    /// Idle limit; detail: its length
    Idle,
    /// Lifetime; detail: its length
    Over,
    /// Another network; detail: both networks
    Moved,
    /// Revoked, signed out elsewhere, role changed
    Ended,
    /// Bound to another device
    Device,
    /// Enrolment failed
    EnrolFailed,
    /// A client certificate was not accepted
    Certificate,
    /// An identity provider's word was not enough
    ProviderRefused,
    /// An identity provider does not answer
    ProviderDown,
}

impl SignInProblem {
    /// How bad it is.
    pub fn tone(&self) -> Tone {
        match self.kind {
            SignInTrouble::Idle | SignInTrouble::Over => Tone::Ai,
            SignInTrouble::Moved => Tone::Warn,
            _ => Tone::Bad,
        }
    }

    /// Icon.
    pub fn icon(&self) -> &'static str {
        match self.kind {
            SignInTrouble::Idle | SignInTrouble::Over => "clock",
            SignInTrouble::Moved => "net",
            SignInTrouble::Throttled | SignInTrouble::Ended | SignInTrouble::Device => "lock",
            SignInTrouble::ProviderRefused | SignInTrouble::ProviderDown => "key",
            _ => "passkey",
        }
    }

    /// Message: what happened.
    pub fn title(&self) -> &'static str {
        match self.kind {
            SignInTrouble::NoPasskey => "sign-in-none-title",
            SignInTrouble::Refused => "sign-in-refused-title",
            SignInTrouble::Throttled => "sign-in-throttled-title",
            SignInTrouble::Idle => "sign-in-idle-title",
            SignInTrouble::Over => "sign-in-over-title",
            SignInTrouble::Moved => "sign-in-moved-title",
            SignInTrouble::Ended => "sign-in-ended-title",
            SignInTrouble::Device => "sign-in-device-title",
            SignInTrouble::EnrolFailed => "enrol-failed-title",
            SignInTrouble::Certificate => "certificate-refused-title",
            SignInTrouble::ProviderRefused => "sign-in-provider-refused-title",
            SignInTrouble::ProviderDown => "sign-in-provider-down-title",
        }
    }

    /// Message: what is so now.
    pub fn what(&self) -> &'static str {
        match self.kind {
            SignInTrouble::NoPasskey => "sign-in-none-what",
            SignInTrouble::Refused => "sign-in-refused-what",
            SignInTrouble::Throttled => "sign-in-throttled-what",
            SignInTrouble::Idle => "sign-in-idle-what",
            SignInTrouble::Over => "sign-in-over-what",
            SignInTrouble::Moved => "sign-in-moved-what",
            SignInTrouble::Ended => "sign-in-ended-what",
            SignInTrouble::Device => "sign-in-device-what",
            SignInTrouble::EnrolFailed => "enrol-failed-what",
            SignInTrouble::Certificate => "certificate-refused-what",
            SignInTrouble::ProviderRefused => "sign-in-provider-refused-what",
            SignInTrouble::ProviderDown => "sign-in-provider-down-what",
        }
    }

    /// Message: what to do.
    pub fn how(&self) -> &'static str {
        match self.kind {
            SignInTrouble::NoPasskey => "sign-in-none-how",
            SignInTrouble::Refused => "sign-in-refused-how",
            SignInTrouble::Throttled => "sign-in-throttled-how",
            SignInTrouble::Idle => "sign-in-idle-how",
            SignInTrouble::Over => "sign-in-over-how",
            SignInTrouble::Moved => "sign-in-moved-how",
            SignInTrouble::Ended => "sign-in-ended-how",
            SignInTrouble::Device => "sign-in-device-how",
            SignInTrouble::EnrolFailed => "enrol-failed-how",
            SignInTrouble::Certificate => "certificate-refused-how",
            SignInTrouble::ProviderRefused => "sign-in-provider-refused-how",
            SignInTrouble::ProviderDown => "sign-in-provider-down-how",
        }
    }
}

/// `GET /enrol/{invitation}`
#[derive(Debug, Clone, Template)]
#[template(path = "sign_in/enrol.html")]
pub struct Enrol {
    /// Frame; `me` is `None`
    pub shell: Shell,
    /// Who was invited
    pub name: String,
    /// The role they will have, in their language
    pub role: String,
    /// The token of the invitation
    pub invitation: String,
    /// When the invitation ends
    pub until: When,
    /// A name for the passkey to begin with, e.g. from the browser
    pub suggested_name: String,
    /// Where to go afterwards
    pub next: String,
    /// Whether a client certificate may be used
    pub certificates: bool,
    /// What went wrong before
    pub problem: Option<SignInProblem>,
    /// Identity providers where the invitation can be redeemed instead
    pub providers: Vec<ProviderWay>,
    /// Whether it can be redeemed with a password
    pub password: bool,
}

/// `GET /enrol/{invitation}` when it cannot be used; the answer does not say why.
#[derive(Debug, Clone, Template)]
#[template(path = "sign_in/enrol_gone.html")]
pub struct EnrolGone {
    /// Frame; `me` is `None`
    pub shell: Shell,
}

/// `GET /signed-out`
#[derive(Debug, Clone, Template)]
#[template(path = "sign_in/signed_out.html")]
pub struct SignedOut {
    /// Frame; `me` is `None`
    pub shell: Shell,
    /// Where the browser goes on to, to sign out there as well
    pub provider: Option<ProviderWay>,
}

/// The window that comes back from a provider after a step-up.
#[derive(Debug, Clone, Template)]
#[template(path = "sign_in/stepped_up.html")]
pub struct SteppedUp {
    /// Frame; `me` is `None`
    pub shell: Shell,
    /// The proof; empty where it was refused
    pub proof: String,
}

/// `GET /account/passkeys`
#[derive(Debug, Clone, Template)]
#[template(path = "account/passkeys.html")]
pub struct Passkeys {
    /// Frame
    pub shell: Shell,
    /// Those of the person who is signed in
    pub passkeys: Vec<Passkey>,
    /// Whether they can prove what it takes to add or remove one; a password proves too little
    pub proves: bool,
    /// A name for the next one
    pub suggested_name: String,
    /// Whether a client certificate may be used
    pub certificates: bool,
    /// What went wrong before
    pub problem: Option<SignInProblem>,
}

/// The same for customers, in the frame of the portal.
#[derive(Debug, Clone, Template)]
#[template(path = "account/customer.html")]
pub struct PortalPasskeys {
    /// Frame
    pub shell: Shell,
    /// Those of the person who is signed in
    pub passkeys: Vec<Passkey>,
    /// Whether they can prove what it takes to add or remove one; a password proves too little
    pub proves: bool,
    /// A name for the next one
    pub suggested_name: String,
    /// Whether a client certificate may be used
    pub certificates: bool,
    /// What went wrong before
    pub problem: Option<SignInProblem>,
}

/// One passkey.
#[derive(Debug, Clone, Default)]
pub struct Passkey {
    /// Id for `POST /account/passkeys/{id}/remove`
    pub id: String,
    /// As its owner named it
    pub name: String,
    /// Model, when attestation told; else empty
    pub model: String,
    /// Who a certificate says its holder is, and when it expires; `None` for a passkey
    pub certificate: Option<(String, When)>,
    /// Whether it is no passkey but a password with codes
    pub password: bool,
    /// Whether it is synced between devices (BE=1)
    pub synced: bool,
    /// When it was enrolled
    pub added: When,
    /// When it was last used; `None` for never
    pub used: Option<When>,
    /// Whether this session was opened with it
    pub this_session: bool,
}
