//! Pages of the sessions that hold.

use super::shell::Shell;
use crate::i18n::When;
use askama::Template;

/// `GET /sessions`: everybody's.
#[derive(Debug, Clone, Template)]
#[template(path = "sessions/list.html")]
pub struct Sessions {
    /// Frame
    pub shell: Shell,
    /// The sessions
    pub table: SessionTable,
    /// Sessions by network, the most first
    pub networks: Vec<(String, i64)>,
    /// Whether an ASN database is in use
    pub asns: bool,
}

impl Sessions {
    fn most(&self) -> &i64 {
        self.networks.first().map_or(&1, |(_, n)| n)
    }
}

/// `GET /account/sessions`: one's own, for the vendor's people.
#[derive(Debug, Clone, Template)]
#[template(path = "sessions/mine.html")]
pub struct MySessions {
    /// Frame
    pub shell: Shell,
    /// The sessions
    pub table: SessionTable,
}

/// The same for customers, in the frame of the portal.
#[derive(Debug, Clone, Template)]
#[template(path = "sessions/customer.html")]
pub struct PortalSessions {
    /// Frame
    pub shell: Shell,
    /// The sessions
    pub table: SessionTable,
}

/// Sessions in a table.
#[derive(Debug, Clone, Default)]
pub struct SessionTable {
    /// The last used first
    pub rows: Vec<Session>,
    /// Whether they are others' too
    pub everybody: bool,
    /// Whether people have a page where the reader is
    pub linked: bool,
    /// Where to go after ending one
    pub back: &'static str,
    /// Id of whoever looks
    pub me: String,
    /// Longest life of a session, in seconds
    pub lifetime: i64,
}

impl SessionTable {
    /// A customer is drawn round; who they all are in the portal.
    pub(super) fn face(&self) -> &'static str {
        if self.linked { "" } else { "cust" }
    }

    fn count(&self, shell: &Shell) -> String {
        shell.n(&(self.rows.len() as i64))
    }
}

/// One session.
#[derive(Debug, Clone, Default)]
pub struct Session {
    /// What the ledger calls it
    pub id: String,
    /// Id of the person
    pub person: String,
    /// Their name
    pub name: String,
    /// Their initials
    pub initials: String,
    /// Their strongest role, in the reader's language
    pub role: String,
    /// The network that it is bound to
    pub network: String,
    /// The machine, as the browser names it
    pub device: String,
    /// What opened it, with its owner's name for that
    pub key: String,
    /// When it was opened
    pub since: When,
    /// Message: how it is bound to a key of this machine; empty where it is not
    pub bound: &'static str,
    /// Seconds until it is over
    pub left: i64,
    /// Seconds since it was used
    pub idle: i64,
    /// Whether it is the reader's own
    pub this: bool,
    /// Whether its owner has another one here
    pub several: bool,
}

impl Session {
    /// The last hour stands out.
    pub(super) fn tone(&self) -> &'static str {
        if self.left < 3_600 { "warn" } else { "fill" }
    }
}
