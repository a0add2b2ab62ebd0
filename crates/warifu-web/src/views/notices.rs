//! Pages of what happened to one's own account.

use super::shell::Shell;
use crate::i18n::When;
use askama::Template;

/// `GET /account/notices`, for the vendor's people.
#[derive(Debug, Clone, Template)]
#[template(path = "account/notices.html")]
pub struct Notices {
    /// Frame
    pub shell: Shell,
    /// Newest first
    pub notices: Vec<Notice>,
}

/// The same for customers, in the frame of the portal.
#[derive(Debug, Clone, Template)]
#[template(path = "account/notices_customer.html")]
pub struct PortalNotices {
    /// Frame
    pub shell: Shell,
    /// Newest first
    pub notices: Vec<Notice>,
}

/// One notice.
#[derive(Debug, Clone, Default)]
pub struct Notice {
    /// When it happened
    pub at: When,
    /// What happened, in the reader's language
    pub text: String,
    /// Where what it is about can be seen; may be empty
    pub href: &'static str,
    /// Whether somebody else may have been in the account
    pub alarm: bool,
    /// Whether it was seen before
    pub seen: bool,
}
