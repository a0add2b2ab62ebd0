//! Service accounts: programs that use the API with a key of their own.

use crate::access::Permission;

/// What a service account may be given. The names are stable: pages, programs and tokens use them.
///
/// Roles, invitations, sessions, incidents, replays and what runs over everybody are for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Scope {
    Cases,
    ReadPeople,
    ChangePeople,
    Search,
    Reports,
    ReadLedger,
}

impl Scope {
    pub const ALL: [Scope; 6] = [
        Scope::Cases,
        Scope::ReadPeople,
        Scope::ChangePeople,
        Scope::Search,
        Scope::Reports,
        Scope::ReadLedger,
    ];

    pub fn key(self) -> &'static str {
        match self {
            Scope::Cases => "cases",
            Scope::ReadPeople => "people:read",
            Scope::ChangePeople => "people:change",
            Scope::Search => "search",
            Scope::Reports => "reports",
            Scope::ReadLedger => "ledger:read",
        }
    }

    pub fn from_key(key: &str) -> Option<Scope> {
        Scope::ALL.into_iter().find(|s| s.key() == key)
    }

    pub fn permission(self) -> Permission {
        match self {
            Scope::Cases => Permission::WorkCases,
            Scope::ReadPeople => Permission::ReadPeople,
            Scope::ChangePeople => Permission::ChangePeople,
            Scope::Search => Permission::SearchAll,
            Scope::Reports => Permission::RunReports,
            Scope::ReadLedger => Permission::ReadLedger,
        }
    }
}

/// Scopes as a small set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scopes(u8);

impl Scopes {
    pub fn with(self, scope: Scope) -> Scopes {
        Scopes(self.0 | 1 << scope as u8)
    }

    pub fn has(self, scope: Scope) -> bool {
        self.0 & (1 << scope as u8) != 0
    }

    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |s| self.has(*s))
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether all of another set are in this one.
    pub fn cover(self, other: Scopes) -> bool {
        other.0 & !self.0 == 0
    }

    /// Reads names with spaces between them (RFC 6749 §3.3); `None` where one is unknown.
    pub fn parse(text: &str) -> Option<Scopes> {
        text.split_ascii_whitespace()
            .try_fold(Scopes::default(), |all, key| Some(all.with(Scope::from_key(key)?)))
    }

    /// As [`Scopes::parse`] reads them.
    pub fn text(self) -> String {
        self.iter().map(Scope::key).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_read_as_they_are_written() {
        let all = Scope::ALL.into_iter().fold(Scopes::default(), Scopes::with);
        assert_eq!(Scopes::parse(&all.text()), Some(all));
        let some = Scopes::default().with(Scope::Cases);
        assert!(all.cover(some) && !some.cover(all) && some.cover(Scopes::default()));
        assert_eq!(Scopes::parse("cases everything"), None);
        assert!(Scopes::parse("  ").is_some_and(Scopes::is_empty));
    }
}
