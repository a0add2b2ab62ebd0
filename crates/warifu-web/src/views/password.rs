//! Signing in with a password and a code, and choosing them.

use super::shell::Shell;
use askama::Template;

/// `GET /sign-in/password`
#[derive(Debug, Clone, Template)]
#[template(path = "sign_in/password.html")]
pub struct PasswordSignIn {
    /// Frame; `me` is `None`
    pub shell: Shell,
    /// Local path to go to afterwards; the server checks it again
    pub next: String,
    /// Whether the try before was refused, for whatever reason
    pub refused: bool,
}

/// `GET /enrol/{invitation}/password`
#[derive(Debug, Clone, Template)]
#[template(path = "sign_in/choose_password.html")]
pub struct ChoosePassword {
    /// Frame; `me` is `None`
    pub shell: Shell,
    /// The token of the invitation
    pub invitation: String,
    /// What names these codes
    pub ceremony: String,
    /// Who was invited
    pub name: String,
    /// The codes' secret for the app's camera
    pub picture: Qr,
    /// The same for typing
    pub typed: String,
    /// What is wrong: field and sentence in the reader's language
    pub errors: Vec<(String, String)>,
}

impl ChoosePassword {
    fn error(&self, field: &str) -> Option<&str> {
        self.errors.iter().find(|(name, _)| name == field).map(|(_, text)| text.as_str())
    }

    fn grouped(&self) -> String {
        grouped(&self.typed)
    }
}

/// In groups of four, as people type it.
fn grouped(typed: &str) -> String {
    let characters: Vec<char> = typed.chars().collect();
    let groups: Vec<String> = characters.chunks(4).map(|c| c.iter().collect()).collect();
    groups.join(" ")
}

/// `GET /account/password`
#[derive(Debug, Clone, Template)]
#[template(path = "account/password.html")]
pub struct OwnPassword {
    /// Frame
    pub shell: Shell,
    /// The form whose password or code was wrong: `password`, `codes`; empty for none
    pub refused: String,
    /// What is wrong with the new password, in the reader's language
    pub unfit: Option<String>,
}

/// `POST /account/password/codes`
#[derive(Debug, Clone, Template)]
#[template(path = "account/codes.html")]
pub struct NewCodes {
    /// Frame
    pub shell: Shell,
    /// What names these codes
    pub ceremony: String,
    /// The proof that lets them be kept
    pub step_up: String,
    /// The codes' secret for the app's camera
    pub picture: Qr,
    /// The same for typing
    pub typed: String,
    /// What is wrong with the first code, in the reader's language
    pub wrong: Option<String>,
}

impl NewCodes {
    fn grouped(&self) -> String {
        grouped(&self.typed)
    }
}

/// A QR code.
#[derive(Debug, Clone, Default)]
pub struct Qr {
    /// Squares of a side, with its margin
    pub size: usize,
    /// SVG path of its dark squares
    pub path: String,
}
