//! The page of service accounts.

use super::shell::Shell;
use crate::i18n::When;
use askama::Template;

/// `GET /service-accounts`
#[derive(Debug, Clone, Template)]
#[template(path = "services/list.html")]
pub struct Services {
    /// Frame
    pub shell: Shell,
    /// The newest first
    pub rows: Vec<Row>,
    /// What can be chosen
    pub scopes: Vec<ScopeBox>,
    /// Why the last one was not made; may be empty
    pub problem: String,
    /// Where programs get their tokens
    pub endpoint: String,
}

/// A scope to choose.
#[derive(Debug, Clone)]
pub struct ScopeBox {
    /// Its stable name
    pub value: &'static str,
    /// In the reader's words
    pub label: String,
}

/// One account.
#[derive(Debug, Clone)]
pub struct Row {
    /// Id for `POST /service-accounts/{id}/revoke`
    pub id: String,
    /// What it calls itself in assertions
    pub client: String,
    /// As its maker named it
    pub name: String,
    /// What it may do, in the reader's words
    pub scopes: String,
    /// Where it may come from
    pub networks: String,
    /// When it ends
    pub until: When,
    /// When it last got a token
    pub used: Option<When>,
    /// Whether it may be used now
    pub holds: bool,
    /// Whether a second person has not agreed yet
    pub waits: bool,
    /// Whether somebody revoked it
    pub revoked: bool,
}
