//! Protected actions: what is done only after proving once more who one is, for exactly this.

use std::collections::BTreeMap;

/// What is protected. The names are stable: pages, programs and the ledger use them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A further passkey of one's own.
    AddFactor,
    /// One's own passkey goes.
    RemoveFactor,
    /// Somebody gets exactly these roles.
    ChangeRoles,
    /// A program gets a service account.
    CreateService,
}

impl Action {
    pub const ALL: [Action; 4] =
        [Action::AddFactor, Action::RemoveFactor, Action::ChangeRoles, Action::CreateService];

    pub fn key(self) -> &'static str {
        match self {
            Action::AddFactor => "add_factor",
            Action::RemoveFactor => "remove_factor",
            Action::ChangeRoles => "change_roles",
            Action::CreateService => "create_service",
        }
    }

    pub fn from_key(key: &str) -> Option<Action> {
        Action::ALL.into_iter().find(|a| a.key() == key)
    }
}

/// A protected action with its parameters: what somebody agrees to by touching their key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protected {
    pub action: Action,
    parameters: BTreeMap<String, String>,
}

impl Protected {
    pub fn new(action: Action) -> Protected {
        Protected { action, parameters: BTreeMap::new() }
    }

    pub fn with(mut self, name: &str, value: impl ToString) -> Protected {
        self.parameters.insert(name.to_owned(), value.to_string());
        self
    }

    pub fn parameters(&self) -> &BTreeMap<String, String> {
        &self.parameters
    }

    /// One text for one action with its parameters, and no other: every part is written with its
    /// length in bytes.
    pub fn text(&self) -> String {
        let mut out = self.action.key().to_owned();
        for part in self.parameters.iter().flat_map(|(name, value)| [name, value]) {
            out.push_str(&format!("\n{}:{part}", part.len()));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_parameters_are_another_text() {
        let of = |action, pairs: &[(&str, &str)]| {
            pairs.iter().fold(Protected::new(action), |p, (n, v)| p.with(n, v)).text()
        };
        let remove = Action::RemoveFactor;
        assert_eq!(of(remove, &[("a", "1"), ("b", "2")]), of(remove, &[("b", "2"), ("a", "1")]));
        let others = [
            of(remove, &[("passkey", "1")]),
            of(remove, &[("passkey", "12")]),
            of(remove, &[("passkey", "1"), ("x", "")]),
            of(remove, &[("passkey", "1\n1:x\n0:")]),
            of(remove, &[]),
            of(Action::AddFactor, &[("passkey", "1")]),
        ];
        for (i, a) in others.iter().enumerate() {
            assert!(others[i + 1..].iter().all(|b| a != b), "{a:?}");
        }
        for action in Action::ALL {
            assert_eq!(Action::from_key(action.key()), Some(action));
        }
    }
}
