//! Sample data: what an organization's administrators see about sign-in.

use super::samples::{NASTY, customer, on, w};
use crate::i18n::Lang;
use crate::policy::words::Words;
use crate::portal::security::{features, limits};
use crate::views::cases::Pager;
use crate::views::markup::initials;
use crate::views::security::*;
use crate::views::sessions::{Session, SessionTable};
use crate::views::shell::{Place, Shell, ViewLink};
use askama::Template;
use jiff::tz::TimeZone;
use warifu_app::coverage::Affected;
use warifu_app::security::{FeatureState, Security, Ways};
use warifu_domain::access::{Role, Roles};
use warifu_domain::assurance::OrganizationAccess;
use warifu_domain::organizations::Environment;
use warifu_domain::policy::{
    Feature, Plan, Policies, Proposal, Reach, Rollout, Rules, Scope, Stage, Subject,
};
use warifu_domain::time::MINUTE;
use warifu_domain::{OrganizationId, PersonId, Timestamp};

const ID: OrganizationId = OrganizationId(7);

fn frame(lang: Lang) -> Shell {
    let mut shell = customer(lang, Place::PortalSecurity);
    shell.nav.more = vec![ViewLink {
        href: "/security".into(),
        label: lang.t("security"),
        icon: "shield",
        count: None,
        current: true,
    }];
    shell
}

/// Each feature at another stage.
fn set() -> Policies {
    let mut set = Policies::default();
    let plan = Some(Plan { stage: Stage::Preview, at: Timestamp(1_796_342_400_000_000) });
    let mut stand = |feature, stage, report_only, plan| {
        set.rollouts.insert(feature, Rollout { stage, report_only, plan });
    };
    stand(Feature::NetworkBinding, Stage::EarlyAccess, false, plan);
    stand(Feature::DeviceBinding, Stage::Preview, true, None);
    stand(Feature::PhishingResistant, Stage::Production, true, None);
    set.choices.insert((ID, Feature::DeviceBinding), true);
    set.choices.insert((ID, Feature::PhishingResistant), false);
    let rules = Rules { idle: Some(5 * MINUTE), ..Rules::default() };
    set.rules.insert(Scope::Role(Role::OrganizationAdministrator), rules);
    set.access.insert(ID, OrganizationAccess { passwords: true, weaker_providers: true });
    set
}

fn security(set: &Policies, ways: Ways) -> Security {
    let subject = |roles| Subject {
        roles,
        organization: ID,
        environment: Environment::Production,
        vendor: false,
    };
    let user = subject(Roles::default());
    let state = |feature| {
        let reach = set.reach(feature, user);
        let choice = Proposal::Choice { organization: ID, feature, chosen: true };
        FeatureState {
            feature,
            rollout: set.rollout(feature),
            since: Some(Timestamp(1_796_000_000_000_000)),
            reach,
            chosen: set.choices.get(&(ID, feature)).copied(),
            affected: if reach == Reach::Reported { 12 } else { 0 },
            choice: (reach == Reach::Open).then(|| choice.protected()),
        }
    };
    Security {
        name: NASTY.into(),
        features: Feature::ALL.map(state).to_vec(),
        ways,
        users: set.effective(user).into(),
        administrators: set
            .effective(subject(Roles::default().with(Role::OrganizationAdministrator)))
            .into(),
        providers: Vec::new(),
        networks: Vec::new(),
    }
}

fn page(lang: Lang, set: &Policies, ways: Ways, affected: &[Affected]) -> SecurityPage {
    let security = security(set, ways);
    let show = Words { lang, zone: &TimeZone::UTC };
    SecurityPage {
        shell: frame(lang),
        features: features(&show, set, &security, affected),
        coverage: security.ways.into(),
        passwords: security.users.access.passwords,
        weaker_providers: security.users.access.weaker_providers,
        limits: limits(&show, &security.users, &security.administrators),
        providers: security.providers,
        networks: security.networks,
        people: Vec::new(),
        pager: Pager::default(),
    }
}

fn sessions(lang: Lang) -> SecuritySessions {
    let session = |name: &str, key: (&str, &str), this, several| Session {
        id: "5e884898da28047151d0e56f8dc62927".into(),
        person: "4".into(),
        name: name.into(),
        initials: initials(name),
        role: lang.t("role-customer"),
        network: "198.51.100.0/24".into(),
        device: "Mac".into(),
        key: w(lang, key.0, key.1),
        since: on(lang, "2026-12-02T06:24:00Z"),
        bound: "",
        left: 31_000,
        idle: 120,
        this,
        several,
    };
    let own = session("Haruka Endo", ("Passkey “Blue key”", "パスキー「青いキー」"), true, false);
    let other = session(NASTY, ("Password and code", "パスワードとコード"), false, true);
    let table = SessionTable {
        rows: vec![own, other.clone(), other],
        everybody: true,
        linked: false,
        back: "/security/sessions",
        me: "1".into(),
        lifetime: 43_200,
    };
    SecuritySessions { shell: frame(lang), table }
}

pub fn pages(lang: Lang) -> Vec<(&'static str, String)> {
    let affected = Affected {
        feature: Feature::DeviceBinding,
        person: PersonId(4),
        name: NASTY.into(),
        times: 3,
        last_at: Timestamp(1_796_200_000_000_000),
    };
    let ways = Ways { people: 38, keys: 21, providers: 3, passwords: 9, resistant: 21 };
    let mut some = page(lang, &set(), ways, std::slice::from_ref(&affected));
    some.providers = vec![NASTY.into()];
    some.networks = vec!["AS64496".into(), "203.0.113.0/24".into()];
    let person = |name: &str, role: &str, ways: &str| PersonHere {
        name: name.into(),
        initials: initials(name),
        email: "a@mizuno.example".into(),
        role: lang.t(role),
        ways: if ways.is_empty() { String::new() } else { lang.t(ways) },
    };
    some.people = vec![
        person(NASTY, "role-customer", "factor-password"),
        person("Kenta Mori", "role-organization-administrator", ""),
    ];
    some.pager =
        Pager { older: Some("/security?after=4#people".into()), shown: 2, ..Pager::default() };
    let all = Ways { people: 2, keys: 2, providers: 0, passwords: 0, resistant: 2 };
    let safe = page(lang, &Policies::default(), all, &[]);
    vec![
        ("portal-security", some.render().unwrap()),
        ("portal-security-safe", safe.render().unwrap()),
        ("portal-security-sessions", sessions(lang).render().unwrap()),
    ]
}
