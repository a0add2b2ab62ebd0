//! Somebody's way in, as those who let people in and out see it.

use super::cases::Somebody;
use super::markup::{Choice, Tone};
use super::shell::Shell;
use crate::i18n::When;
use askama::Template;

/// The part of a person's page.
#[derive(Debug, Clone, Default)]
pub struct WayIn {
    /// What they have, in the reader's words
    pub state: String,
    /// Its tone
    pub tone: Tone,
    /// When a factor was last used
    pub used: Option<When>,
    /// A one-time link that may still be used
    pub invitation: Option<OpenInvitation>,
    /// Whether they may be invited
    pub invite: bool,
    /// Whether only a check of the help desk gives them a new way in
    pub check: bool,
    /// What they can be switched to: `on` or `off`; `None` where not by this reader
    pub switch: Option<&'static str>,
}

impl WayIn {
    /// Whether they can be switched off
    pub fn switches_off(&self) -> bool {
        self.switch == Some("off")
    }
}

/// A one-time link that may still be used.
#[derive(Debug, Clone, Default)]
pub struct OpenInvitation {
    /// Who made it; empty for the console
    pub by: String,
    /// Until when it holds
    pub until: When,
    /// Whether a browser has opened it
    pub opened: bool,
    /// Whether the reader may take it back
    pub withdraw: bool,
}

/// How somebody is reached, to be changed.
#[derive(Debug, Clone, Default)]
pub struct ContactForm {
    /// User name
    pub username: String,
    /// Mail address
    pub email: String,
    /// Telephone
    pub phone: String,
    /// Mobile telephone
    pub mobile: String,
    /// Whether it takes the reader's key
    pub key: bool,
    /// What is wrong with what was typed
    pub wrong: Option<String>,
}

/// The page that shows a one-time link, once.
#[derive(Debug, Clone, Template)]
#[template(path = "people/invited.html")]
pub struct Invited {
    /// Frame
    pub shell: Shell,
    /// Id and name
    pub who: Somebody,
    /// The link
    pub link: String,
    /// Until when it holds
    pub until: When,
}

/// `GET /people/new`
#[derive(Debug, Clone, Template)]
#[template(path = "people/new.html")]
pub struct NewColleague {
    /// Frame
    pub shell: Shell,
    /// What was typed
    pub full_name: String,
    /// What was typed
    pub email: String,
    /// The roles to choose from
    pub roles: Vec<Choice>,
    /// The field that is wrong, and why
    pub wrong: Option<(String, String)>,
}

impl NewColleague {
    fn error(&self, field: &str) -> Option<&str> {
        self.wrong.as_ref().filter(|(name, _)| name == field).map(|(_, text)| text.as_str())
    }
}
