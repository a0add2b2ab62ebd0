//! `/security`: what protects an organization's people, for its administrators, and what they may choose.

use crate::account::sessions::{factor_message, table};
use crate::csrf::Form;
use crate::page::{Leaving, Shown, gated};
use crate::policy::words::Words;
use crate::policy::{parameters, words};
use crate::problem::Problem;
use crate::session::{Customer, role_message};
use crate::state::Web;
use crate::views::cases::Pager;
use crate::views::markup::initials;
use crate::views::security as view;
use crate::views::shell::Place;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::json;
use warifu_app::active_sessions::Whose;
use warifu_app::coverage::{Affected, Phishable};
use warifu_app::security::{FeatureState, Holding, Security};
use warifu_domain::PersonId;
use warifu_domain::factors::Factor;
use warifu_domain::policy::{Feature, Policies, Proposal, Reach};
use warifu_domain::time::SECOND;

/// People of a page.
const PAGE: usize = 50;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    after: Option<PersonId>,
}

/// `GET /security`
pub async fn page(
    State(web): State<Web>,
    who: Customer,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let organization = who.actor().organization;
    let security = web.app.security(who.actor(), organization).await?;
    let affected = web.app.affected(who.actor(), Some(organization)).await?;
    let after = asked.after.unwrap_or(PersonId(0));
    let phishable = web.app.phishable(who.actor(), organization, after, PAGE).await?;
    let policies = web.app.policies().await?;
    let mut ids: Vec<i64> = affected.iter().map(|a| a.person.0).collect();
    ids.extend(phishable.people.iter().map(|p| p.person.id.0));
    let leaving = Leaving {
        route: "/security",
        organization: None,
        query: json!({ "after": after }),
        shown: Shown::people(ids.iter().copied()),
        ids,
    };
    let show = Words { lang: who.taste.lang, zone: &who.zone };
    let shown = phishable.people.len() as i64;
    let page = view::SecurityPage {
        shell: who.shell(Place::PortalSecurity, "").await?,
        features: features(&show, &policies, &security, &affected),
        coverage: security.ways.into(),
        passwords: security.users.access.passwords,
        weaker_providers: security.users.access.weaker_providers,
        limits: limits(&show, &security.users, &security.administrators),
        providers: security.providers,
        networks: security.networks,
        people: phishable.people.into_iter().map(|p| person(&show, p)).collect(),
        pager: Pager {
            newer: asked.after.map(|_| "/security#people".to_owned()),
            older: phishable.next.map(|n| format!("/security?after={n}#people")),
            shown,
            total: None,
        },
    };
    gated(&web, &who, StatusCode::OK, leaving, page).await
}

/// How each feature stands for an organization.
pub fn features(
    show: &Words<'_>,
    policies: &Policies,
    security: &Security,
    affected: &[Affected],
) -> Vec<view::FeatureHere> {
    let feature = |f: &FeatureState| view::FeatureHere {
        row: show.feature(f.feature, policies, f.since),
        text: match f.feature {
            Feature::SessionTimeout => "security-session-timeout",
            Feature::NetworkBinding => "security-network-binding",
            Feature::DeviceBinding => "security-device-binding",
            Feature::PhishingResistant => "security-phishing-resistant",
        },
        reach: f.reach,
        chosen: f.chosen,
        count: f.affected,
        affected: affected
            .iter()
            .filter(|a| a.feature == f.feature && f.reach == Reach::Reported)
            .map(|a| show.affected(a))
            .collect(),
        choice: f.choice.as_ref().map(|p| view::Choosing {
            action: p.action.key(),
            parameters: parameters(p),
            passwords: match f.feature {
                Feature::PhishingResistant => security.ways.passwords,
                _ => 0,
            },
            providers: f.feature == Feature::PhishingResistant
                && security.users.access.weaker_providers,
        }),
    };
    security.features.iter().map(feature).collect()
}

/// The limits of users and of administrators, side by side.
pub fn limits(show: &Words<'_>, users: &Holding, administrators: &Holding) -> Vec<view::Limit> {
    let of = |e: &Holding| {
        [
            show.lang.span(e.lifetime / SECOND),
            show.lang.span(e.idle / SECOND),
            words::network(show.lang, e.network),
            words::device(show.lang, e.device),
        ]
    };
    let names = ["policy-lifetime", "policy-idle", "policy-network", "policy-device"];
    let both = of(users).into_iter().zip(of(administrators));
    let limit = |(name, (users, administrators))| view::Limit { name, users, administrators };
    names.into_iter().zip(both).map(limit).collect()
}

fn person(show: &Words<'_>, p: Phishable) -> view::PersonHere {
    let ways = [(p.password, Factor::Password), (p.provider, Factor::Oidc)];
    let ways = ways.into_iter().filter(|(has, _)| *has);
    let ways: Vec<String> = ways.map(|(_, f)| show.lang.t(factor_message(f))).collect();
    let name = p.person.record.display_name();
    view::PersonHere {
        initials: initials(name),
        name: name.to_owned(),
        email: p.person.record.email.clone().unwrap_or_default(),
        role: show.lang.t(role_message(p.roles)),
        ways: ways.join(", "),
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Chosen {
    step_up: Option<String>,
}

/// `POST /security/{feature}`: the organization chooses a feature before its turn.
pub async fn choose(
    State(web): State<Web>,
    who: Customer,
    Path(feature): Path<String>,
    form: Form<Chosen>,
) -> Result<Response, Problem> {
    let feature = Feature::from_key(&feature).ok_or_else(Problem::not_found)?;
    let organization = who.actor().organization;
    let proposal = Proposal::Choice { organization, feature, chosen: true };
    web.app.propose(who.actor(), &proposal, "", form.step_up.as_deref()).await?;
    Ok(Redirect::to(&format!("/security#{}", feature.key())).into_response())
}

/// `GET /security/sessions`
pub async fn sessions(State(web): State<Web>, who: Customer) -> Result<Response, Problem> {
    let whose = Whose::Organization(who.actor().organization);
    let table = table(&web, &who, whose, "/security/sessions").await?;
    let ids: Vec<i64> = table.rows.iter().filter_map(|row| row.person.parse().ok()).collect();
    let leaving = Leaving {
        route: "/security/sessions",
        organization: None,
        query: json!({}),
        shown: Shown::people(ids.iter().copied()),
        ids,
    };
    let page = view::SecuritySessions { shell: who.shell(Place::PortalSecurity, "").await?, table };
    gated(&web, &who, StatusCode::OK, leaving, page).await
}
