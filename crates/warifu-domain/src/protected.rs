//! Protected actions: what is done only after proving once more who one is, for exactly this.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is protected. The names are stable: pages, programs and the ledger use them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// A further passkey of one's own.
    AddFactor,
    /// One's own passkey goes.
    RemoveFactor,
    /// Somebody gets exactly these roles.
    ChangeRoles,
    /// Sign-in and session policy of a scope.
    ChangePolicy,
    /// The stage of a security feature.
    ChangeRollout,
    /// What an organization chooses about a feature.
    ChooseFeature,
    /// Which stages of a rollout concern an organization.
    ChangeEnvironment,
    /// Networks that count as one for an organization.
    ChangeNetworks,
    /// Somebody else's change that waits for a second person.
    Approve,
    /// People may enter a further application.
    AddApplication,
    /// An application gets another policy.
    ChangeApplication,
    /// Nobody enters an application any more.
    RemoveApplication,
    /// An application gets a new secret.
    RenewSecret,
    /// An identity provider by which people may sign in is added.
    AddProvider,
    /// An identity provider is switched on or off.
    SwitchProvider,
    /// An identity provider goes.
    RemoveProvider,
    /// What an organization's users may sign in with.
    ChangeOrganizationAccess,
    /// Somebody's factors are reset after a check of the caller.
    ApproveReset,
    /// A colleague says that a caller is who they say to be.
    Vouch,
    /// New printed recovery codes of one's own.
    RecoveryCodes,
    /// A program gets a service account.
    CreateService,
    /// A report over everybody or over the limits is prepared.
    PrepareReport,
    /// The file of a report over everybody or over the limits leaves.
    DownloadReport,
    /// One's own password; proved by the password and a code.
    ChangePassword,
    /// The codes beside it; proved in the same way.
    ChangeCodes,
    /// Somebody who never had a factor gets a one-time link.
    InvitePerson,
    /// A new colleague of the vendor, with roles and a one-time link.
    AddColleague,
    /// Somebody is switched off or on again.
    SwitchPerson,
    /// Address, user name or telephone numbers of somebody who has a way in.
    ChangeContact,
    /// More people's records than the limit are shown within a day.
    ReadOn,
}

impl Action {
    pub const ALL: [Action; 30] = [
        Action::AddFactor,
        Action::RemoveFactor,
        Action::ChangeRoles,
        Action::ChangePolicy,
        Action::ChangeRollout,
        Action::ChooseFeature,
        Action::ChangeEnvironment,
        Action::ChangeNetworks,
        Action::Approve,
        Action::AddApplication,
        Action::ChangeApplication,
        Action::RemoveApplication,
        Action::RenewSecret,
        Action::AddProvider,
        Action::SwitchProvider,
        Action::RemoveProvider,
        Action::ChangeOrganizationAccess,
        Action::ApproveReset,
        Action::Vouch,
        Action::RecoveryCodes,
        Action::CreateService,
        Action::PrepareReport,
        Action::DownloadReport,
        Action::ChangePassword,
        Action::ChangeCodes,
        Action::InvitePerson,
        Action::AddColleague,
        Action::SwitchPerson,
        Action::ChangeContact,
        Action::ReadOn,
    ];

    pub fn key(self) -> &'static str {
        match self {
            Action::AddFactor => "add_factor",
            Action::RemoveFactor => "remove_factor",
            Action::ChangeRoles => "change_roles",
            Action::ChangePolicy => "change_policy",
            Action::ChangeRollout => "change_rollout",
            Action::ChooseFeature => "choose_feature",
            Action::ChangeEnvironment => "change_environment",
            Action::ChangeNetworks => "change_networks",
            Action::Approve => "approve",
            Action::AddApplication => "add_application",
            Action::ChangeApplication => "change_application",
            Action::RemoveApplication => "remove_application",
            Action::RenewSecret => "renew_secret",
            Action::AddProvider => "add_provider",
            Action::SwitchProvider => "switch_provider",
            Action::RemoveProvider => "remove_provider",
            Action::ChangeOrganizationAccess => "change_organization_access",
            Action::ApproveReset => "approve_reset",
            Action::Vouch => "vouch",
            Action::RecoveryCodes => "recovery_codes",
            Action::CreateService => "create_service",
            Action::PrepareReport => "prepare_report",
            Action::DownloadReport => "download_report",
            Action::ChangePassword => "change_password",
            Action::ChangeCodes => "change_codes",
            Action::InvitePerson => "invite_person",
            Action::AddColleague => "add_colleague",
            Action::SwitchPerson => "switch_person",
            Action::ChangeContact => "change_contact",
            Action::ReadOn => "read_on",
        }
    }

    pub fn from_key(key: &str) -> Option<Action> {
        Action::ALL.into_iter().find(|a| a.key() == key)
    }
}

/// A protected action with its parameters: what somebody agrees to by touching their key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
