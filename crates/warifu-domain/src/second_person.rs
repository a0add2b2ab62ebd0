//! What a second person is asked about before it holds: whatever weakens policy, and whatever opens a
//! way in.

use crate::policy::Proposal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What lets people or programs in. The names are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// An identity provider by which people sign in.
    IdentityProvider,
    /// A program with a key of its own.
    ServiceAccount,
    /// An application that people enter with their session here.
    Application,
    /// Somebody who would decide over all of it.
    SuperAdministrator,
}

impl Way {
    pub fn key(self) -> &'static str {
        match self {
            Way::IdentityProvider => "identity_provider",
            Way::ServiceAccount => "service_account",
            Way::Application => "application",
            Way::SuperAdministrator => "super_administrator",
        }
    }
}

/// What holds for a way in, as texts by name; never a secret.
pub type Terms = BTreeMap<String, String>;

/// What a second person is asked about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Matter {
    /// A weakening of policy.
    Policy(Proposal),
    /// What would hold for a way in from then on.
    Way { way: Way, id: i64, terms: Terms },
}

impl Matter {
    /// Stable name for the ledger: of what is changed, not of how.
    pub fn policy(&self) -> String {
        match self {
            Matter::Policy(proposal) => proposal.policy(),
            Matter::Way { way, id, .. } => format!("{}:{id}", way.key()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Rules, Scope};

    #[test]
    fn a_matter_is_read_as_it_was_written() {
        let terms = Terms::from([("issuer".to_owned(), "https://id.example".to_owned())]);
        let matters = [
            Matter::Policy(Proposal::Rules { scope: Scope::Staff, rules: Rules::default() }),
            Matter::Way { way: Way::IdentityProvider, id: 7, terms },
        ];
        for matter in matters {
            let text = serde_json::to_string(&matter).unwrap();
            assert_eq!(serde_json::from_str::<Matter>(&text).unwrap(), matter);
        }
    }
}
