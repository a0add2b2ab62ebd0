//! Pages of the applications that people enter with their session here.

use super::markup::Choice;
use super::shell::Shell;
use crate::i18n::Lang;
use askama::Template;

/// `GET /applications`
#[derive(Debug, Clone, Template)]
#[template(path = "applications/list.html")]
pub struct Applications {
    /// Frame
    pub shell: Shell,
    /// By name
    pub rows: Vec<Row>,
}

/// An application in the list.
#[derive(Debug, Clone, Default)]
pub struct Row {
    /// Its id
    pub id: String,
    /// Its name
    pub name: String,
    /// Whether it is a client of OpenID Connect
    pub client: bool,
    /// Its origin, or where codes are sent
    pub place: String,
    /// Which roles may enter, in the reader's language
    pub roles: Vec<String>,
    /// The least proof, in the reader's language
    pub proof: String,
    /// The longest time since somebody proved themselves, in the reader's language
    pub max_age: Option<String>,
}

impl Row {
    fn who(&self, shell: &Shell) -> String {
        self.roles.join(if shell.lang == Lang::Ja { "、" } else { ", " })
    }
}

/// `GET /applications/new`, `GET /applications/{id}`
#[derive(Debug, Clone, Template)]
#[template(path = "applications/edit.html")]
pub struct ApplicationForm {
    /// Frame
    pub shell: Shell,
    /// `None` for a new one
    pub id: Option<String>,
    /// Whether it is a client of OpenID Connect
    pub client: bool,
    /// What such a client calls itself
    pub client_id: Option<String>,
    /// Whether it has a secret
    pub confidential: bool,
    /// Which roles may enter
    pub roles: Vec<Choice>,
    /// What stands in the fields
    pub fields: Fields,
    /// The field that is wrong, and why
    pub wrong: Option<(String, String)>,
}

/// What stands in the fields.
#[derive(Debug, Clone, Default)]
pub struct Fields {
    /// Name
    pub name: String,
    /// Scheme, host and port
    pub origin: String,
    /// Separated by blanks
    pub redirect_uris: String,
    /// Separated by blanks
    pub logout_uris: String,
    /// One address
    pub backchannel_uri: String,
    /// Minutes
    pub max_age: String,
    /// Whether only a key that cannot leave its device is enough
    pub hardware: bool,
    /// Whether it keeps no secret
    pub public: bool,
}

impl ApplicationForm {
    fn error(&self, field: &str) -> Option<&str> {
        self.wrong.as_ref().filter(|(name, _)| name == field).map(|(_, text)| text.as_str())
    }

    fn action(&self) -> String {
        format!("/applications/{}", self.id.as_deref().unwrap_or("new"))
    }

    fn title(&self) -> String {
        let new = if self.client { "application-new-client" } else { "application-new-proxied" };
        if self.id.is_some() { self.fields.name.clone() } else { self.shell.t(new) }
    }

    /// A line of text: its field's name, what stands in it, and whether it must be filled in.
    fn lines(&self) -> Vec<Line<'_>> {
        let f = &self.fields;
        let line = |name, value: &'_ String, kind, required| Line {
            name,
            value: value.clone(),
            kind,
            required,
            error: self.error(name),
        };
        let mut lines = vec![line("name", &f.name, "text", true)];
        if self.client {
            lines.push(line("redirect_uris", &f.redirect_uris, "text", true));
            lines.push(line("logout_uris", &f.logout_uris, "text", false));
            lines.push(line("backchannel_uri", &f.backchannel_uri, "url", false));
        } else {
            lines.push(line("origin", &f.origin, "url", true));
        }
        lines
    }
}

/// A field of one line.
#[derive(Debug, Clone)]
pub struct Line<'a> {
    /// Name of the field
    pub name: &'static str,
    /// What stands in it
    pub value: String,
    /// `type` of the input
    pub kind: &'static str,
    /// Whether it must be filled in
    pub required: bool,
    /// What is wrong with it
    pub error: Option<&'a str>,
}

impl Line<'_> {
    fn label(&self, shell: &Shell) -> String {
        let id = match self.name {
            "redirect_uris" => "application-redirect-uris",
            "logout_uris" => "application-logout-uris",
            "backchannel_uri" => "application-backchannel-uri",
            "origin" => "application-origin",
            _ => "name",
        };
        shell.t(id)
    }

    fn hint(&self, shell: &Shell) -> String {
        let id = match self.name {
            "redirect_uris" => "application-redirect-uris-hint",
            "logout_uris" => "application-logout-uris-hint",
            "backchannel_uri" => "application-backchannel-uri-hint",
            "origin" => "application-origin-hint",
            _ => "application-name-hint",
        };
        shell.t(id)
    }
}

/// `POST /applications/new`, `POST /applications/{id}/secret`: the one time that a secret is shown.
#[derive(Debug, Clone, Template)]
#[template(path = "applications/secret.html")]
pub struct ApplicationSecret {
    /// Frame
    pub shell: Shell,
    /// Name of the application
    pub name: String,
    /// Its id
    pub id: String,
    /// What the client calls itself
    pub client_id: String,
    /// Its secret
    pub secret: String,
}
