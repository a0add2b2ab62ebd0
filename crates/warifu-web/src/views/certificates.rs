//! What stands between a certificate and the page that asked for it.

use super::shell::Shell;
use askama::Template;

/// `GET /step-up/certificate`: hands the proof to the page that asked, and closes.
#[derive(Debug, Clone, Template)]
#[template(path = "sign_in/proven.html")]
pub struct Proven {
    /// Frame; `me` is `None`
    pub shell: Shell,
    /// Good once, in this session, for the action that was asked for
    pub proof: String,
}
