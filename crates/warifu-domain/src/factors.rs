//! Factors: the ways in which people prove who they are.

/// A kind of factor. The names are stable: the database, the ledger and programs use them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Factor {
    /// A passkey or security key (WebAuthn).
    Passkey,
    /// An X.509 client certificate: a PIV or CAC card.
    Certificate,
    /// The organization's own identity provider (OpenID Connect).
    Oidc,
    /// A password with a time-based code: customers' users only, where their organization allows it.
    Password,
}

impl Factor {
    pub const ALL: [Factor; 4] =
        [Factor::Passkey, Factor::Certificate, Factor::Oidc, Factor::Password];

    pub fn key(self) -> &'static str {
        match self {
            Factor::Passkey => "passkey",
            Factor::Certificate => "certificate",
            Factor::Oidc => "oidc",
            Factor::Password => "password",
        }
    }

    pub fn from_key(key: &str) -> Option<Factor> {
        Factor::ALL.into_iter().find(|f| f.key() == key)
    }

    /// Whether a look-alike site could not relay it (NIST SP 800-63B-4 §3.2.5). A provider is taken
    /// at its word, and only when it says so (`acr` of `phr` or `phrh`).
    pub fn phishing_resistant(self) -> bool {
        !matches!(self, Factor::Password)
    }
}
