//! Signing in at an identity provider (OpenID Connect Core 1.0, authorization code flow with PKCE,
//! RFC 7636). What goes over the network is the caller's: [`Fetch`].

mod logout;
mod provider;
mod sign_in;

pub use logout::{LogoutRefused, LogoutToken, who_is_meant};
pub use openidconnect::{HttpRequest, HttpResponse};
pub use provider::{Discovered, Fetch, FetchError, Fetched, Later, is_declared};
pub use sign_in::{Answered, Asking, Statement, ask, exchange, verify};

use secrecy::SecretString;
use url::Url;

/// How this installation is known to a provider.
#[derive(Clone, Debug)]
pub struct Client {
    pub issuer: String,
    pub client_id: String,
    pub secret: SecretString,
    /// Where the provider sends people back to.
    pub redirect: Url,
}

/// Why nothing came of it.
#[derive(Debug, thiserror::Error)]
pub enum OidcError {
    /// No answer, or one that is none.
    #[error("the provider cannot be reached: {0}")]
    Unreachable(String),
    /// The provider answered that it will not.
    #[error("the provider refused: {0}")]
    Refused(String),
    /// Signed with a key that is not known: the provider may have a new one.
    #[error("signed with an unknown key: {0}")]
    Key(String),
    /// What it said does not hold.
    #[error("not verified: {0}")]
    NotVerified(String),
}

/// Seconds by which two clocks may differ.
pub(crate) const SKEW: i64 = 60;
/// Seconds after which a token counts as old, whatever it says itself.
pub(crate) const OLD: i64 = 600;
