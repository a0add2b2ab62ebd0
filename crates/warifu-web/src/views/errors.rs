//! Problem pages: what happened, where, what to do, and a reference.

use askama::Template;

use super::shell::Shell;
use crate::i18n::When;

/// Any answer that is an error and is shown as a page.
#[derive(Debug, Clone, Template)]
#[template(path = "errors/problem.html")]
pub struct Problem {
    /// Frame; `me` may be `None`
    pub shell: Shell,
    /// Name of the problem; `csrf` and `step-up-required` have words of their own
    pub name: &'static str,
    /// 403, 404, 409, 413, 422, 429, 500, 503 or 507; others read as 500 or 422
    pub status: u16,
    /// One sentence more in the reader's language, e.g. the field and its limit; may be empty
    pub detail: String,
    /// Path that was asked for
    pub place: String,
    /// When
    pub time: When,
    /// What can be found in the log
    pub reference: String,
}

/// In place of a page with more people's records than may be shown within a day: the key is asked for.
#[derive(Debug, Clone, Template)]
#[template(path = "errors/read_on.html")]
pub struct ReadOn {
    /// Frame; without navigation
    pub shell: Shell,
    /// Up to how many people within the day
    pub people: i64,
    /// Path and query of the page
    pub next: String,
}

impl Problem {
    /// Every status that has words of its own.
    pub const STATUSES: [u16; 9] = [403, 404, 409, 413, 422, 429, 500, 503, 507];

    fn title(&self) -> &'static str {
        match self.status {
            403 if self.name == "csrf" => "error-csrf-title",
            403 if self.name == "step-up-required" => "error-step-up-title",
            403 if self.name == "device-proof-required" => "error-device-title",
            403 => "error-403-title",
            404 => "error-404-title",
            409 => "error-409-title",
            413 => "error-413-title",
            429 => "error-429-title",
            503 => "error-503-title",
            507 => "error-507-title",
            400..=499 => "error-422-title",
            _ => "error-500-title",
        }
    }

    fn what(&self) -> &'static str {
        match self.status {
            403 if self.name == "csrf" => "error-csrf-what",
            403 if self.name == "step-up-required" => "error-step-up-what",
            403 if self.name == "device-proof-required" => "error-device-what",
            403 => "error-403-what",
            404 => "error-404-what",
            409 => "error-409-what",
            413 => "error-413-what",
            429 => "error-429-what",
            503 => "error-503-what",
            507 => "error-507-what",
            400..=499 => "error-422-what",
            _ => "error-500-what",
        }
    }

    fn how(&self) -> &'static str {
        match self.status {
            403 if self.name == "csrf" => "error-csrf-how",
            403 if self.name == "step-up-required" => "error-step-up-how",
            403 if self.name == "device-proof-required" => "error-device-how",
            403 => "error-403-how",
            404 => "error-404-how",
            409 => "error-409-how",
            413 => "error-413-how",
            429 => "error-429-how",
            503 => "error-503-how",
            507 => "error-507-how",
            400..=499 => "error-422-how",
            _ => "error-500-how",
        }
    }

    fn icon(&self) -> &'static str {
        match self.status {
            403 if self.name == "csrf" => "warn",
            403 | 404 => "lock",
            409 => "users",
            413 => "file",
            429 => "clock",
            503 => "clock",
            507 => "file",
            _ => "warn",
        }
    }
}
