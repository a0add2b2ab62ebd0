//! A change of policy: what it is, whether it weakens anything, and what is agreed to by it.

use super::{Feature, Policies, Reach, Rollout, Rules, Scope, Subject};
use crate::OrganizationId;
use crate::access::Roles;
use crate::assurance::OrganizationAccess;
use crate::organizations::Environment;
use crate::protected::{Action, Protected};
use crate::time::MINUTE;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A change of policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case", deny_unknown_fields)]
pub enum Proposal {
    /// What holds for a scope from now on.
    Rules { scope: Scope, rules: Rules },
    /// Where a feature stands from now on.
    Rollout { feature: Feature, rollout: Rollout },
    /// What an organization chooses, where the feature's stage lets it.
    Choice { organization: OrganizationId, feature: Feature, chosen: bool },
    /// The networks that count as one for an organization.
    Networks { organization: OrganizationId, members: Vec<String> },
    /// What an organization's users without a role may sign in with beyond what everybody may.
    Access { organization: OrganizationId, access: OrganizationAccess },
    /// Which stages concern an organization: where it stood when this was asked for, and where it will.
    Environment { organization: OrganizationId, from: Environment, to: Environment },
}

impl Proposal {
    /// Stable name for the ledger: of what is changed, not of how.
    pub fn policy(&self) -> String {
        match self {
            Proposal::Rules { scope, .. } => format!("rules:{}", scope.key()),
            Proposal::Rollout { feature, .. } => format!("rollout:{}", feature.key()),
            Proposal::Choice { organization, feature, .. } => {
                format!("choice:{}:{organization}", feature.key())
            }
            Proposal::Networks { organization, .. } => format!("networks:{organization}"),
            Proposal::Access { organization, .. } => format!("access:{organization}"),
            Proposal::Environment { organization, .. } => format!("environment:{organization}"),
        }
    }

    /// What it weakens, by name. Anything weakened needs a second person.
    pub fn weakens(&self, now: &Policies) -> Vec<&'static str> {
        match self {
            Proposal::Rules { scope, rules } => {
                let unset = Rules::default();
                let before = now.rules.get(scope).unwrap_or(&unset);
                // Somebody may be in another scope too: what this one no longer sets, that one does.
                let others = now.rules.iter().filter(|(s, _)| *s != scope).map(|(_, r)| r);
                let weaker: BTreeSet<_> = std::iter::once(&unset)
                    .chain(others)
                    .flat_map(|o| rules.strictest(o).weaker_than(&before.strictest(o)))
                    .collect();
                weaker.into_iter().collect()
            }
            Proposal::Rollout { feature, rollout } => {
                let weaker = rollout.weaker_than(&now.rollout(*feature));
                if weaker { vec!["rollout"] } else { Vec::new() }
            }
            Proposal::Choice { organization, feature, chosen } => {
                let before = now.choices.get(&(*organization, *feature)).copied();
                if *chosen || before == Some(false) { Vec::new() } else { vec!["choice"] }
            }
            Proposal::Networks { organization, members } => {
                let before = now.networks.get(organization);
                let known = |m: &String| before.is_some_and(|b| b.contains(m));
                if members.iter().all(known) { Vec::new() } else { vec!["networks"] }
            }
            Proposal::Access { organization, access } => {
                let before = now.access.get(organization).copied().unwrap_or_default();
                if access.exceeds(before) { vec!["access"] } else { Vec::new() }
            }
            Proposal::Environment { organization, from, to } => {
                let user = |environment| Subject {
                    roles: Roles::default(),
                    organization: *organization,
                    environment,
                    vendor: false,
                };
                let holds = |f, environment| now.reach(f, user(environment)) == Reach::Holds;
                let lost = Feature::ALL.into_iter().any(|f| holds(f, *from) && !holds(f, *to));
                if lost { vec!["environment"] } else { Vec::new() }
            }
        }
    }

    /// Whether it would change anything.
    pub fn changes(&self, now: &Policies) -> bool {
        match self {
            Proposal::Rules { scope, rules } => {
                now.rules.get(scope).unwrap_or(&Rules::default()) != rules
            }
            Proposal::Rollout { feature, rollout } => now.rollout(*feature) != *rollout,
            Proposal::Choice { organization, feature, chosen } => {
                now.choices.get(&(*organization, *feature)) != Some(chosen)
            }
            Proposal::Networks { organization, members } => {
                now.networks.get(organization).map_or(&[][..], Vec::as_slice) != members
            }
            Proposal::Access { organization, access } => {
                now.access.get(organization).copied().unwrap_or_default() != *access
            }
            Proposal::Environment { from, to, .. } => from != to,
        }
    }

    /// What stands there before, as canonical JSON; `None` where nothing was set.
    pub fn before(&self, now: &Policies) -> Option<String> {
        let text = match self {
            Proposal::Rules { scope, .. } => serde_json::to_string(now.rules.get(scope)?),
            Proposal::Rollout { feature, .. } => serde_json::to_string(&now.rollout(*feature)),
            Proposal::Choice { organization, feature, .. } => {
                serde_json::to_string(now.choices.get(&(*organization, *feature))?)
            }
            Proposal::Networks { organization, .. } => {
                serde_json::to_string(now.networks.get(organization)?)
            }
            Proposal::Access { organization, .. } => {
                serde_json::to_string(now.access.get(organization)?)
            }
            Proposal::Environment { from, .. } => serde_json::to_string(from),
        };
        text.ok()
    }

    /// What stands there afterwards, as canonical JSON.
    pub fn after(&self) -> Option<String> {
        let text = match self {
            Proposal::Rules { rules, .. } => serde_json::to_string(rules),
            Proposal::Rollout { rollout, .. } => serde_json::to_string(rollout),
            Proposal::Choice { chosen, .. } => serde_json::to_string(chosen),
            Proposal::Networks { members, .. } => serde_json::to_string(members),
            Proposal::Access { access, .. } => serde_json::to_string(access),
            Proposal::Environment { to, .. } => serde_json::to_string(to),
        };
        text.ok()
    }

    /// What is agreed to by touching the key: the same texts that the page's form has.
    pub fn protected(&self) -> Protected {
        match self {
            Proposal::Rules { scope, rules } => rules_agreed(*scope, rules),
            Proposal::Rollout { feature, rollout } => {
                let plan = rollout.plan;
                Protected::new(Action::ChangeRollout)
                    .with("feature", feature.key())
                    .with("stage", rollout.stage.key())
                    .with("report_only", rollout.report_only)
                    .with("next", plan.map_or("", |p| p.stage.key()))
                    .with("on", plan.map_or(String::new(), |p| p.at.day()))
            }
            Proposal::Choice { organization, feature, chosen } => {
                Protected::new(Action::ChooseFeature)
                    .with("organization", organization)
                    .with("feature", feature.key())
                    .with("chosen", chosen)
            }
            Proposal::Networks { organization, members } => Protected::new(Action::ChangeNetworks)
                .with("organization", organization)
                .with("members", members.join("\n")),
            Proposal::Access { organization, access } => {
                Protected::new(Action::ChangeOrganizationAccess)
                    .with("organization", organization)
                    .with("passwords", access.passwords)
                    .with("weaker_providers", access.weaker_providers)
            }
            Proposal::Environment { organization, from, to } => {
                Protected::new(Action::ChangeEnvironment)
                    .with("organization", organization)
                    .with("from", from.key())
                    .with("to", to.key())
            }
        }
    }
}

fn rules_agreed(scope: Scope, rules: &Rules) -> Protected {
    let minutes = |time: Option<i64>| time.map_or(String::new(), |t| (t / MINUTE).to_string());
    let flag = |value: Option<bool>| value.map_or("", |v| if v { "true" } else { "false" });
    let makes = rules.authenticators.iter().flatten().map(String::as_str).collect::<Vec<_>>();
    Protected::new(Action::ChangePolicy)
        .with("scope", scope.key())
        .with("lifetime", minutes(rules.lifetime))
        .with("idle", minutes(rules.idle))
        .with("network", rules.network.map_or("", super::NetworkRule::key))
        .with("device", rules.device.map_or("", super::DeviceRule::key))
        .with("synced", flag(rules.synced))
        .with("attestation", flag(rules.attestation))
        .with("authenticators", makes.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Role;
    use crate::policy::{Plan, Stage};
    use proptest::prelude::*;

    fn networks(members: &[&str]) -> Proposal {
        let members = members.iter().map(|m| (*m).to_owned()).collect();
        Proposal::Networks { organization: OrganizationId(7), members }
    }

    #[test]
    fn widening_is_weakening_and_narrowing_is_not() {
        let mut now = Policies::default();
        assert_eq!(networks(&["AS64496"]).weakens(&now), ["networks"]);
        now.networks.insert(OrganizationId(7), vec!["AS64496".into(), "AS64497".into()]);
        assert!(networks(&["AS64496"]).weakens(&now).is_empty());
        assert!(networks(&[]).weakens(&now).is_empty());
        assert_eq!(networks(&["AS64496", "AS1"]).weakens(&now), ["networks"]);
    }

    #[test]
    fn what_one_scope_no_longer_sets_another_does() {
        let idle = |minutes| Rules { idle: Some(minutes * MINUTE), ..Rules::default() };
        let unset = Proposal::Rules { scope: Scope::Staff, rules: Rules::default() };
        let mut now = Policies::default();
        now.rules.insert(Scope::Staff, idle(60));
        assert!(unset.weakens(&now).is_empty(), "the default is stricter");
        now.rules.insert(Scope::Role(Role::Agent), idle(90));
        assert_eq!(unset.weakens(&now), ["idle"], "an agent would have 90 minutes");
        let stricter = Proposal::Rules { scope: Scope::Staff, rules: idle(30) };
        assert!(stricter.weakens(&now).is_empty());
    }

    proptest! {
        /// Whoever is in whatever scopes: what needs no second person makes nothing weaker for them.
        #[test]
        fn what_is_no_weakening_is_none_for_anybody(
            before in proptest::option::of(1_i64..5), after in proptest::option::of(1_i64..5),
            others in proptest::collection::vec(proptest::option::of(1_i64..5), 0..4), chosen in any::<u8>(),
        ) {
            // 1 to 4 stand for 5 to 20 minutes: below, at and above the default of 15.
            let rules = |n: Option<i64>| Rules { idle: n.map(|n| 5 * n * MINUTE), ..Rules::default() };
            let scope = Scope::Staff;
            let mut now = Policies::default();
            now.rules.insert(scope, rules(before));
            for (i, n) in others.iter().enumerate() {
                now.rules.insert(Scope::Role(Role::ALL[i]), rules(*n));
            }
            let proposal = Proposal::Rules { scope, rules: rules(after) };
            let mut then = now.clone();
            then.rules.insert(scope, rules(after));
            let roles = Role::ALL.into_iter().enumerate().filter(|(i, _)| chosen >> i & 1 == 1);
            let subject = Subject {
                roles: roles.map(|(_, r)| r).collect(), organization: OrganizationId(1),
                environment: Environment::Production, vendor: true,
            };
            let weaker = then.effective(subject).idle > now.effective(subject).idle;
            prop_assert!(!weaker || !proposal.weakens(&now).is_empty());
        }
    }

    #[test]
    fn choosing_against_a_feature_is_weakening() {
        let now = Policies::default();
        let choose = |chosen| Proposal::Choice {
            organization: OrganizationId(7),
            feature: Feature::PhishingResistant,
            chosen,
        };
        assert_eq!(choose(false).weakens(&now), ["choice"]);
        assert!(choose(true).weakens(&now).is_empty());
    }

    #[test]
    fn leaving_an_environment_weakens_where_a_stage_no_longer_holds() {
        let moves = |from, to| Proposal::Environment { organization: OrganizationId(7), from, to };
        let (preview, production) = (Environment::Preview, Environment::Production);
        let out = moves(preview, production);
        let at = |stage, report_only| {
            let rollout = Rollout { stage, report_only, plan: None };
            let rollouts = Feature::ALL.map(|f| (f, rollout)).into();
            Policies { rollouts, ..Policies::default() }
        };
        assert_eq!(out.weakens(&at(Stage::Preview, false)), ["environment"]);
        assert!(moves(production, preview).weakens(&at(Stage::Preview, false)).is_empty());
        for nothing in
            [at(Stage::EarlyAccess, false), at(Stage::Production, false), at(Stage::Preview, true)]
        {
            assert!(out.weakens(&nothing).is_empty(), "the same holds there and here");
        }
        // What the organization has chosen goes with it.
        let mut chosen = at(Stage::Preview, false);
        chosen.choices = Feature::ALL.map(|f| ((OrganizationId(7), f), true)).into();
        assert!(out.weakens(&chosen).is_empty());
    }

    #[test]
    fn a_proposal_is_read_back_and_agreed_to_as_a_whole() {
        let plan = Plan { stage: Stage::Everyone, at: crate::Timestamp(1_767_225_600_000_000) };
        let rollout = Rollout { stage: Stage::Preview, report_only: true, plan: Some(plan) };
        let all = [
            Proposal::Rules { scope: Scope::Staff, rules: Rules::default() },
            Proposal::Rollout { feature: Feature::DeviceBinding, rollout },
            networks(&["AS64496"]),
        ];
        for one in &all {
            let text = serde_json::to_string(one).unwrap();
            assert_eq!(&serde_json::from_str::<Proposal>(&text).unwrap(), one);
        }
        assert!(all[1].protected().text().contains("2026-01-01"));
    }
}
