//! Management applications of the company, which people enter with their session here.

use crate::access::Roles;
use crate::{ApplicationId, Timestamp};

/// How an application learns who is there. The names are stable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// A reverse proxy asks before every request.
    #[default]
    ForwardAuth,
    /// It is a client of OpenID Connect.
    OpenId,
}

impl Kind {
    pub const ALL: [Kind; 2] = [Kind::ForwardAuth, Kind::OpenId];

    pub fn key(self) -> &'static str {
        match self {
            Kind::ForwardAuth => "forward_auth",
            Kind::OpenId => "openid",
        }
    }

    pub fn from_key(key: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|k| k.key() == key)
    }
}

/// How somebody proved who they are, as programs write it (OpenID Extended Authentication Profile
/// ACR Values 1.0). What is not phishing-resistant has none. The greater is the stronger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Acr {
    /// A look-alike site could not have relayed it.
    #[default]
    PhishingResistant,
    /// The same, with a key that cannot leave its device.
    Hardware,
}

impl Acr {
    pub const ALL: [Acr; 2] = [Acr::PhishingResistant, Acr::Hardware];

    pub fn key(self) -> &'static str {
        match self {
            Acr::PhishingResistant => "phr",
            Acr::Hardware => "phrh",
        }
    }

    pub fn from_key(key: &str) -> Option<Acr> {
        Acr::ALL.into_iter().find(|a| a.key() == key)
    }
}

/// Who may enter an application.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// One of these roles is needed.
    pub roles: Roles,
    /// Microseconds that may have passed since the person proved who they are.
    pub max_age: Option<i64>,
    /// The least that is enough.
    pub acr: Acr,
}

/// An application as it was declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    pub id: ApplicationId,
    pub name: String,
    pub kind: Kind,
    /// Forward-auth: scheme, host and port as browsers see them. OpenID: the client's id.
    pub origin: String,
    /// OpenID: SHA-256 of the secret; `None` for a public client.
    pub secret: Option<Vec<u8>>,
    /// OpenID: where a code may be sent.
    pub redirect_uris: Vec<String>,
    /// OpenID: where somebody may be sent after signing out.
    pub logout_uris: Vec<String>,
    /// OpenID: where ended sessions are told; empty for nowhere.
    pub backchannel_uri: String,
    pub entry: Entry,
    pub created_at: Timestamp,
}
