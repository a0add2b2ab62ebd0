//! Sample data: sign-in and session policy, approvals.

use super::samples::{NASTY, on, shell, w};
use crate::i18n::Lang;
use crate::policy::words::Words;
use crate::views::policy::*;
use crate::views::shell::Place;
use askama::Template;
use jiff::tz::TimeZone;
use warifu_app::coverage::Covered;
use warifu_domain::access::Role;
use warifu_domain::organizations::Environment;
use warifu_domain::policy::{
    DeviceRule, Feature, NetworkRule, Plan, Policies, Proposal, Rollout, Rules, Scope, Stage,
};
use warifu_domain::second_person::{Matter, Terms, Way};
use warifu_domain::time::MINUTE;
use warifu_domain::{OrganizationId, Timestamp};

fn set() -> Policies {
    let mut policies = Policies::default();
    let rules = Rules {
        idle: Some(10 * MINUTE),
        network: Some(NetworkRule::End),
        device: Some(DeviceRule::Required),
        synced: Some(false),
        authenticators: Some(["ee882879-721c-4913-9775-3dfcce97072a".to_owned()].into()),
        ..Rules::default()
    };
    policies.rules.insert(Scope::Role(Role::Agent), rules);
    let plan = Plan { stage: Stage::Production, at: Timestamp(1_796_342_400_000_000) };
    let rollout = Rollout { stage: Stage::Preview, report_only: true, plan: Some(plan) };
    policies.rollouts.insert(Feature::DeviceBinding, rollout);
    policies
}

fn covered(name: &str, vendor: bool, people: i64, resistant: i64) -> Covered {
    let organization = OrganizationId(7);
    Covered { organization, name: name.into(), vendor, people, resistant, spare: resistant / 2 }
}

fn policy(lang: Lang, organization: bool, editable: bool) -> PolicyPage {
    let policies = set();
    let words = Words { lang, zone: &TimeZone::UTC };
    let scope = match organization {
        true => Scope::Organization(OrganizationId(7)),
        false => Scope::Role(Role::Agent),
    };
    let unset = Rules::default();
    let since = Some(Timestamp(1_796_000_000_000_000));
    let all = [covered("W", true, 12, 12), covered(NASTY, false, 20, 7), covered("B", false, 3, 3)];
    let affected = AffectedRow {
        feature: w(lang, "Device binding", "端末への固定"),
        person: "4".into(),
        name: NASTY.into(),
        times: 3,
        last: on(lang, "2026-12-02T09:24:00Z"),
    };
    PolicyPage {
        shell: shell(lang, Place::Policy),
        editable,
        scopes: words.scopes(scope, organization.then_some(NASTY)),
        scope: scope.key(),
        organization: if organization { "7".into() } else { String::new() },
        rules: words.rules(policies.rules.get(&scope).unwrap_or(&unset)),
        rollouts: Feature::ALL.map(|f| words.feature(f, &policies, since)).to_vec(),
        choices: Feature::ALL
            .map(|f| {
                let chosen = Some(f == Feature::DeviceBinding);
                words.choice(f, policies.rollout(f), Environment::Production, chosen)
            })
            .to_vec(),
        environments: match organization {
            true => words.environments(Environment::Production),
            false => Vec::new(),
        },
        networks: organization.then(|| "AS64496\n203.0.113.0/24".into()),
        coverage: words.coverage(&all),
        affected: if organization { Vec::new() } else { vec![affected] },
    }
}

fn review(lang: Lang, proposal: &Proposal, others: &[&str]) -> Review {
    let policies = set();
    let words = Words { lang, zone: &TimeZone::UTC };
    Review {
        shell: shell(lang, Place::Policy),
        back: "/policy?scope=role:agent".into(),
        changes: proposal.changes(&policies),
        rows: words.differences(proposal, &policies),
        weakens: !proposal.weakens(&policies).is_empty(),
        others: others.iter().map(|o| (*o).to_owned()).collect(),
        action: proposal.protected().action.key(),
        parameters: crate::policy::parameters(&proposal.protected()),
        proposal: serde_json::to_string(proposal).unwrap(),
    }
}

pub fn pages(lang: Lang) -> Vec<(&'static str, String)> {
    let scope = Scope::Role(Role::Agent);
    let weaker = Proposal::Rules { scope, rules: Rules::default() };
    let same = Proposal::Rules { scope, rules: set().rules[&scope].clone() };
    let stricter = Proposal::Rollout {
        feature: Feature::DeviceBinding,
        rollout: Rollout { stage: Stage::Everyone, report_only: false, plan: None },
    };
    let wider = Proposal::Networks {
        organization: OrganizationId(7),
        members: vec!["AS64496".into(), NASTY.into()],
    };
    let against = Proposal::Choice {
        organization: OrganizationId(7),
        feature: Feature::PhishingResistant,
        chosen: false,
    };
    let words = Words { lang, zone: &TimeZone::UTC };
    let policies = set();
    let before: Terms = [("enabled", "false")].map(|(n, t)| (n.to_owned(), t.to_owned())).into();
    let approval = |matter: &Matter, outcome: &str, waiting, own| ApprovalRow {
        id: "3".into(),
        title: words.matter(matter),
        rows: words.changed(matter, &before, &policies),
        reason: NASTY.into(),
        by: NASTY.into(),
        at: on(lang, "2026-12-02T09:24:00Z"),
        until: on(lang, "2026-12-09T09:24:00Z"),
        outcome: lang.t(outcome),
        decided_by: if waiting { String::new() } else { "Samuel Oduya".into() },
        waiting,
        own,
        action: "approve",
        parameters: "approval=3&digest=00".into(),
    };
    let provider = [
        ("enabled", "true"),
        ("organization", NASTY),
        ("name", "Alder ID"),
        ("issuer", "https://id.alder.example"),
        ("client_id", "warifu"),
        ("hosts", "id.alder.example"),
    ];
    let way = |way, terms: &[(&str, &str)]| Matter::Way {
        way,
        id: 5,
        terms: terms.iter().map(|(n, t)| ((*n).to_owned(), (*t).to_owned())).collect(),
    };
    let provider = way(Way::IdentityProvider, &provider);
    let program = way(
        Way::ServiceAccount,
        &[
            ("enabled", "true"),
            ("name", NASTY),
            ("scopes", "cases people:read"),
            ("networks", "192.0.2.0/24 AS64496"),
            ("key", "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"),
            ("expires_at", "2027-03-01T08:00:00Z"),
        ],
    );
    let wiki = way(
        Way::Application,
        &[
            ("enabled", "false"),
            ("name", "Wiki"),
            ("roles", "agent,responder"),
            ("max_age", ""),
            ("acr", "phr"),
        ],
    );
    let mut ways =
        [&provider, &program, &wiki].map(|m| approval(m, "approval-waiting", true, false));
    for (i, row) in ways.iter_mut().enumerate() {
        row.id = (10 + i).to_string();
    }
    let [m_wider, m_weaker, m_against] =
        [&wider, &weaker, &against].map(|p| Matter::Policy(p.clone()));
    let mut own = approval(&m_wider, "approval-waiting", true, true);
    own.id = "4".into();
    let mut done = approval(&m_against, "approval-done", false, false);
    done.id = "2".into();
    let approvals = Approvals {
        shell: shell(lang, Place::Approvals),
        rows: vec![own, approval(&m_weaker, "approval-waiting", true, false), done],
    };
    let ways = Approvals { shell: shell(lang, Place::Approvals), rows: ways.into() };
    let none = Approvals { shell: shell(lang, Place::Approvals), rows: Vec::new() };
    vec![
        ("policy", policy(lang, false, true).render().unwrap()),
        ("policy-organization", policy(lang, true, true).render().unwrap()),
        ("policy-read-only", policy(lang, false, false).render().unwrap()),
        ("policy-review", review(lang, &weaker, &["Samuel Oduya", NASTY]).render().unwrap()),
        ("policy-review-alone", review(lang, &wider, &[]).render().unwrap()),
        ("policy-review-choice", review(lang, &against, &["Samuel Oduya"]).render().unwrap()),
        ("policy-review-stricter", review(lang, &stricter, &[]).render().unwrap()),
        ("policy-review-same", review(lang, &same, &[]).render().unwrap()),
        ("approvals", approvals.render().unwrap()),
        ("approvals-ways", ways.render().unwrap()),
        ("approvals-none", none.render().unwrap()),
    ]
}
