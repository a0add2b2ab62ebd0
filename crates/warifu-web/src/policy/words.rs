//! Policies in words, in the reader's language.

use crate::i18n::{Lang, When};
use crate::views::markup::Choice;
use crate::views::policy as view;
use jiff::tz::TimeZone;
use std::collections::BTreeSet;
use warifu_app::coverage::{Affected, Covered};
use warifu_domain::Timestamp;
use warifu_domain::access::{Role, Roles};
use warifu_domain::organizations::Environment;
use warifu_domain::policy::{
    DeviceRule, Feature, NetworkRule, Policies, Proposal, Rollout, Rules, Scope, Stage,
};
use warifu_domain::time::{MINUTE, SECOND};

/// For one reader.
pub struct Words<'a> {
    pub lang: Lang,
    pub zone: &'a TimeZone,
}

fn feature_id(feature: Feature) -> &'static str {
    match feature {
        Feature::SessionTimeout => "feature-session-timeout",
        Feature::NetworkBinding => "feature-network-binding",
        Feature::DeviceBinding => "feature-device-binding",
        Feature::PhishingResistant => "feature-phishing-resistant",
    }
}

fn stage_id(stage: Stage) -> &'static str {
    match stage {
        Stage::EarlyAccess => "stage-early-access",
        Stage::Preview => "stage-preview",
        Stage::Production => "stage-production",
        Stage::Everyone => "stage-everyone",
    }
}

fn stage_text_id(stage: Stage) -> &'static str {
    match stage {
        Stage::EarlyAccess => "stage-early-access-text",
        Stage::Preview => "stage-preview-text",
        Stage::Production => "stage-production-text",
        Stage::Everyone => "stage-everyone-text",
    }
}

fn network_id(rule: NetworkRule) -> &'static str {
    match rule {
        NetworkRule::Record => "policy-network-record",
        NetworkRule::End => "policy-network-end",
    }
}

fn device_id(rule: DeviceRule) -> &'static str {
    match rule {
        DeviceRule::Off => "policy-device-off",
        DeviceRule::Where => "policy-device-where",
        DeviceRule::Required => "policy-device-required",
    }
}

pub fn feature(lang: Lang, feature: Feature) -> String {
    lang.t(feature_id(feature))
}

pub fn network(lang: Lang, rule: NetworkRule) -> String {
    lang.t(network_id(rule))
}

pub fn device(lang: Lang, rule: DeviceRule) -> String {
    lang.t(device_id(rule))
}

pub fn stage(lang: Lang, stage: Stage) -> String {
    lang.t(stage_id(stage))
}

/// A policy by the name that the ledger has for it ([`Proposal::policy`]).
pub fn policy(lang: Lang, name: &str) -> String {
    let words = Words { lang, zone: &TimeZone::UTC };
    let (what, rest) = name.split_once(':').unwrap_or((name, ""));
    let text = match what {
        "rules" => Scope::from_key(rest)
            .map(|s| lang.t_args("proposal-rules", &[("scope", &words.scope(s, None))])),
        "rollout" => Feature::from_key(rest)
            .map(|f| lang.t_args("proposal-rollout", &[("feature", &feature(lang, f))])),
        "choice" => rest.split_once(':').and_then(|(key, id)| {
            let name = feature(lang, Feature::from_key(key)?);
            Some(lang.t_args("proposal-choice", &[("feature", &name), ("id", &id.to_owned())]))
        }),
        "networks" => Some(lang.t_args("proposal-networks", &[("id", &rest.to_owned())])),
        "access" => Some(lang.t_args("proposal-access", &[("id", &rest.to_owned())])),
        "environment" => Some(lang.t_args("proposal-environment", &[("id", &rest.to_owned())])),
        "identity_provider" => Some(lang.t_args("matter-provider", &[("name", &rest.to_owned())])),
        "service_account" => Some(lang.t_args("matter-service", &[("name", &rest.to_owned())])),
        "super_administrator" => {
            Some(lang.t_args("matter-super-administrator", &[("name", &rest.to_owned())]))
        }
        "application" => Some(lang.t_args("matter-application", &[("name", &rest.to_owned())])),
        _ => None,
    };
    text.unwrap_or_else(|| name.to_owned())
}

impl Words<'_> {
    pub fn day(&self, t: Timestamp) -> String {
        self.lang.date(t.to_jiff(), self.zone).text
    }

    fn at(&self, t: Timestamp) -> When {
        self.lang.date_time(t.to_jiff(), self.zone)
    }

    fn feature_name(&self, of: Feature) -> String {
        feature(self.lang, of)
    }

    fn role(&self, role: Role) -> String {
        self.lang.t(crate::session::role_message(Roles::default().with(role)))
    }

    pub fn scope(&self, scope: Scope, organization: Option<&str>) -> String {
        match scope {
            Scope::Staff => self.lang.t("scope-staff"),
            Scope::Customers => self.lang.t("scope-customers"),
            Scope::Role(role) => self.role(role),
            Scope::Organization(id) => organization.map_or_else(
                || self.lang.t_args("scope-organization", &[("id", &id.to_string())]),
                str::to_owned,
            ),
        }
    }

    /// The environments, and the one that an organization is in.
    pub fn environments(&self, of: Environment) -> Vec<Choice> {
        let choice = |e: Environment| {
            Choice::new(e.key(), self.lang.t(format!("environment-{}", e.key())), e == of)
        };
        [Environment::Preview, Environment::Production].map(choice).to_vec()
    }

    /// The scopes that can be chosen, and the one that is.
    pub fn scopes(&self, chosen: Scope, organization: Option<&str>) -> Vec<Choice> {
        let mut all = vec![Scope::Staff];
        all.extend(Role::ALL.into_iter().filter(|r| r.is_staff()).map(Scope::Role));
        all.push(Scope::Role(Role::OrganizationAdministrator));
        all.push(Scope::Customers);
        if matches!(chosen, Scope::Organization(_)) {
            all.push(chosen);
        }
        let choice = |s: Scope| Choice::new(s.key(), self.scope(s, organization), s == chosen);
        all.into_iter().map(choice).collect()
    }

    fn unset(&self, chosen: bool, default: String) -> Choice {
        Choice::new("", self.lang.t_args("policy-unset", &[("default", &default)]), chosen)
    }

    pub fn rules(&self, rules: &Rules) -> view::RulesForm {
        let unset = Rules::default();
        let minutes = |t: Option<i64>| t.map(|t| (t / MINUTE).to_string()).unwrap_or_default();
        let network = |r: NetworkRule| {
            Choice::new(r.key(), self.lang.t(network_id(r)), rules.network == Some(r))
        };
        let device = |r: DeviceRule| {
            Choice::new(r.key(), self.lang.t(device_id(r)), rules.device == Some(r))
        };
        let flag = |value: Option<bool>, default: bool, yes: &str, no: &str| {
            let word = |v: bool| self.lang.t(if v { yes } else { no });
            vec![
                self.unset(value.is_none(), word(default)),
                Choice::new("true", word(true), value == Some(true)),
                Choice::new("false", word(false), value == Some(false)),
            ]
        };
        let mut networks =
            vec![self.unset(rules.network.is_none(), self.lang.t(network_id(unset.network())))];
        networks.extend([NetworkRule::Record, NetworkRule::End].map(network));
        let mut devices =
            vec![self.unset(rules.device.is_none(), self.lang.t(device_id(unset.device())))];
        devices.extend([DeviceRule::Off, DeviceRule::Where, DeviceRule::Required].map(device));
        let makes = rules.authenticators.iter().flatten().map(String::as_str);
        view::RulesForm {
            lifetime: minutes(rules.lifetime),
            idle: minutes(rules.idle),
            lifetime_default: unset.lifetime() / MINUTE,
            idle_default: unset.idle() / MINUTE,
            networks,
            devices,
            synced: flag(rules.synced, unset.synced(), "policy-synced-yes", "policy-synced-no"),
            attestation: flag(
                rules.attestation,
                unset.attestation(),
                "policy-attestation-yes",
                "policy-attestation-no",
            ),
            authenticators: makes.collect::<Vec<_>>().join("\n"),
        }
    }

    pub fn feature(
        &self,
        feature: Feature,
        policies: &Policies,
        since: Option<Timestamp>,
    ) -> view::FeatureRow {
        let rollout = policies.rollout(feature);
        let planned =
            |stage: Stage| rollout.plan.filter(|p| p.stage == stage).map(|p| self.at(p.at));
        let step = |stage: Stage| view::Step {
            name: self.lang.t(stage_id(stage)),
            text: self.lang.t(stage_text_id(stage)),
            class: match stage.cmp(&rollout.stage) {
                std::cmp::Ordering::Less => "done",
                std::cmp::Ordering::Equal => "now",
                std::cmp::Ordering::Greater => "",
            },
            since: (stage == rollout.stage).then_some(since).flatten().map(|t| self.at(t)),
            planned: planned(stage),
        };
        let stages =
            Stage::ALL.map(|s| Choice::new(s.key(), self.lang.t(stage_id(s)), s == rollout.stage));
        let mut next =
            vec![Choice::new("", self.lang.t("rollout-no-plan"), rollout.plan.is_none())];
        next.extend(Stage::ALL.map(|s| {
            let chosen = rollout.plan.is_some_and(|p| p.stage == s);
            Choice::new(s.key(), self.lang.t(stage_id(s)), chosen)
        }));
        view::FeatureRow {
            key: feature.key(),
            name: self.feature_name(feature),
            report_only: rollout.report_only,
            steps: Stage::ALL.map(step).to_vec(),
            stages: stages.to_vec(),
            next,
            on: rollout.plan.map(|p| p.at.day()).unwrap_or_default(),
        }
    }

    pub fn choice(
        &self,
        feature: Feature,
        rollout: Rollout,
        environment: Environment,
        chosen: Option<bool>,
    ) -> view::ChoiceRow {
        view::ChoiceRow {
            key: feature.key(),
            name: self.feature_name(feature),
            stage: self.lang.t(stage_id(rollout.stage)),
            fixed: rollout.stage == Stage::Everyone,
            on: rollout.stage.covers(environment, chosen),
        }
    }

    /// Everybody together, and those organizations that lag.
    pub fn coverage(&self, all: &[Covered]) -> view::CoverageFigures {
        let customers = || all.iter().filter(|c| !c.vendor);
        let sum = |of: fn(&Covered) -> i64| customers().map(of).sum::<i64>();
        let lag = customers().filter(|c| c.resistant < c.people);
        view::CoverageFigures {
            organizations: customers().count() as i64,
            covered: customers().filter(|c| c.resistant == c.people).count() as i64,
            people: sum(|c| c.people),
            resistant: sum(|c| c.resistant),
            spare: sum(|c| c.spare),
            staff: all.iter().filter(|c| c.vendor).map(|c| (c.people, c.resistant, c.spare)).next(),
            lagging: lag
                .take(20)
                .map(|c| view::Lagging {
                    id: c.organization.to_string(),
                    name: c.name.clone(),
                    people: c.people,
                    resistant: c.resistant,
                })
                .collect(),
        }
    }

    pub fn affected(&self, a: &Affected) -> view::AffectedRow {
        view::AffectedRow {
            feature: self.feature_name(a.feature),
            person: a.person.to_string(),
            name: a.name.clone(),
            times: a.times,
            last: self.at(a.last_at),
        }
    }

    /// What a proposal is about, in one line.
    pub fn title(&self, proposal: &Proposal) -> String {
        match proposal {
            Proposal::Rules { scope, .. } => {
                self.lang.t_args("proposal-rules", &[("scope", &self.scope(*scope, None))])
            }
            Proposal::Rollout { feature, .. } => {
                self.lang.t_args("proposal-rollout", &[("feature", &self.feature_name(*feature))])
            }
            Proposal::Choice { organization, feature, .. } => self.lang.t_args(
                "proposal-choice",
                &[("feature", &self.feature_name(*feature)), ("id", &organization.to_string())],
            ),
            Proposal::Networks { organization, .. } => {
                self.lang.t_args("proposal-networks", &[("id", &organization.to_string())])
            }
            Proposal::Access { organization, .. } => {
                self.lang.t_args("proposal-access", &[("id", &organization.to_string())])
            }
            Proposal::Environment { organization, .. } => {
                self.lang.t_args("proposal-environment", &[("id", &organization.to_string())])
            }
        }
    }

    /// Before and after, of what differs.
    pub fn differences(&self, proposal: &Proposal, now: &Policies) -> Vec<view::Difference> {
        let rows = match proposal {
            Proposal::Rules { scope, rules } => {
                let unset = Rules::default();
                let before = now.rules.get(scope).unwrap_or(&unset);
                self.rules_rows(before, rules)
            }
            Proposal::Rollout { feature, rollout } => {
                self.rollout_rows(&now.rollout(*feature), rollout)
            }
            Proposal::Choice { organization, feature, chosen } => {
                let before = now.choices.get(&(*organization, *feature)).copied();
                let word = |c: Option<bool>| match c {
                    None => self.lang.t("choice-none"),
                    Some(true) => self.lang.t("choice-on"),
                    Some(false) => self.lang.t("choice-off"),
                };
                vec![(
                    self.feature_name(*feature),
                    word(before),
                    word(Some(*chosen)),
                    before == Some(true) || (!chosen && before.is_none()),
                )]
            }
            Proposal::Networks { organization, members } => {
                let none = Vec::new();
                let before = now.networks.get(organization).unwrap_or(&none);
                let word = |m: &Vec<String>| match m.is_empty() {
                    true => self.lang.t("networks-none"),
                    false => m.join(", "),
                };
                let wider = members.iter().any(|m| !before.contains(m));
                vec![(self.lang.t("networks"), word(before), word(members), wider)]
            }
            Proposal::Access { organization, access } => {
                let before = now.access.get(organization).copied().unwrap_or_default();
                let word = |on: bool| self.lang.t(if on { "choice-on" } else { "choice-off" });
                let row = |id: &str, before: bool, after: bool| {
                    (self.lang.t(id), word(before), word(after), after && !before)
                };
                vec![
                    row("access-passwords", before.passwords, access.passwords),
                    row("access-weaker", before.weaker_providers, access.weaker_providers),
                ]
            }
            Proposal::Environment { from, to, .. } => {
                let word = |e: &Environment| self.lang.t(format!("environment-{}", e.key()));
                let weaker = !proposal.weakens(now).is_empty();
                vec![(self.lang.t("organization-environment"), word(from), word(to), weaker)]
            }
        };
        let row = |(name, before, after, weaker)| view::Difference { name, before, after, weaker };
        rows.into_iter().map(row).filter(|d| d.before != d.after).collect()
    }

    fn rules_rows(&self, before: &Rules, after: &Rules) -> Vec<(String, String, String, bool)> {
        let weaker = after.weaker_than(before);
        let span = |micros: i64| self.lang.span(micros / SECOND);
        let set = |is_set: bool, value: String| match is_set {
            true => value,
            false => self.lang.t_args("policy-unset", &[("default", &value)]),
        };
        let flag = |value: bool, yes: &str, no: &str| self.lang.t(if value { yes } else { no });
        let makes = |makes: &Option<BTreeSet<String>>| match makes {
            None => self.lang.t("policy-makes-all"),
            Some(m) => m.iter().map(String::as_str).collect::<Vec<_>>().join(", "),
        };
        let rows = |r: &Rules| {
            [
                (
                    "lifetime",
                    self.lang.t("policy-lifetime"),
                    set(r.lifetime.is_some(), span(r.lifetime())),
                ),
                ("idle", self.lang.t("policy-idle"), set(r.idle.is_some(), span(r.idle()))),
                (
                    "network",
                    self.lang.t("policy-network"),
                    set(r.network.is_some(), self.lang.t(network_id(r.network()))),
                ),
                (
                    "device",
                    self.lang.t("policy-device"),
                    set(r.device.is_some(), self.lang.t(device_id(r.device()))),
                ),
                (
                    "synced",
                    self.lang.t("policy-synced"),
                    set(
                        r.synced.is_some(),
                        flag(r.synced(), "policy-synced-yes", "policy-synced-no"),
                    ),
                ),
                (
                    "attestation",
                    self.lang.t("policy-attestation"),
                    set(
                        r.attestation.is_some(),
                        flag(r.attestation(), "policy-attestation-yes", "policy-attestation-no"),
                    ),
                ),
                ("authenticators", self.lang.t("policy-makes"), makes(&r.authenticators)),
            ]
        };
        let pairs = rows(before).into_iter().zip(rows(after));
        pairs
            .map(|((field, name, before), (_, _, after))| {
                (name, before, after, weaker.contains(&field))
            })
            .collect()
    }

    fn rollout_rows(
        &self,
        before: &Rollout,
        after: &Rollout,
    ) -> Vec<(String, String, String, bool)> {
        let plan = |r: &Rollout| match r.plan {
            None => self.lang.t("rollout-no-plan"),
            Some(p) => self.lang.t_args(
                "rollout-planned",
                &[("stage", &self.lang.t(stage_id(p.stage))), ("day", &p.at.day())],
            ),
        };
        let mode = |r: &Rollout| {
            self.lang.t(if r.report_only { "rollout-reported" } else { "rollout-enforced" })
        };
        let stage = |r: &Rollout| self.lang.t(stage_id(r.stage));
        vec![
            (self.lang.t("rollout-stage"), stage(before), stage(after), after.stage < before.stage),
            (
                self.lang.t("rollout-mode"),
                mode(before),
                mode(after),
                after.report_only && !before.report_only,
            ),
            (
                self.lang.t("rollout-next"),
                plan(before),
                plan(after),
                after.plan.is_some_and(|p| p.stage < after.stage),
            ),
        ]
    }
}
