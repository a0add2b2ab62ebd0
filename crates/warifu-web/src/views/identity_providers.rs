//! Identity providers by which people sign in.

use super::shell::Shell;
use askama::Template;

/// `GET /identity-providers`
#[derive(Debug, Clone, Template)]
#[template(path = "identity_providers/list.html")]
pub struct IdentityProviders {
    /// Frame
    pub shell: Shell,
    /// Oldest first
    pub providers: Vec<Provider>,
    /// What the provider has to be told: where people come back to
    pub callback: String,
    /// … where they land after signing out there
    pub signed_out: String,
    /// … and where it tells us that somebody signed out
    pub back_channel: String,
    /// What was entered for another one
    pub entered: Entered,
    /// What is wrong: field and sentence in the reader's language
    pub errors: Vec<(String, String)>,
}

impl IdentityProviders {
    fn error(&self, field: &str) -> Option<&str> {
        self.errors.iter().find(|(name, _)| name == field).map(|(_, text)| text.as_str())
    }
}

/// One provider.
#[derive(Debug, Clone, Default)]
pub struct Provider {
    /// Id
    pub id: String,
    /// What its button says
    pub name: String,
    /// Whose people sign in by it; empty for the vendor's own
    pub organization: String,
    /// The provider's name for itself
    pub issuer: String,
    /// Our name there
    pub client_id: String,
    /// The hosts that may be asked
    pub hosts: String,
    /// Whether people may sign in by it
    pub enabled: bool,
}

impl Provider {
    fn other_state(&self) -> &'static str {
        if self.enabled { "off" } else { "on" }
    }
}

/// What was entered. A secret is not shown again.
#[derive(Debug, Clone, Default)]
pub struct Entered {
    /// Name of the customer; empty for the vendor
    pub organization: String,
    /// What the button says
    pub name: String,
    /// Issuer
    pub issuer: String,
    /// Client id
    pub client_id: String,
    /// Further hosts
    pub hosts: String,
}
