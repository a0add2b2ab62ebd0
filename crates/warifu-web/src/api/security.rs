//! `/api/v1/organizations/{id}/security`: how the people of one organization sign in and what protects
//! them. For its administrators, and for whoever may read everybody's policy.

use super::{Leaving, Shown, gated, json, limit};
use crate::problem::Problem;
use crate::session::SignedIn;
use crate::state::Web;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::json as value;
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};
use warifu_app::coverage::{Affected, Phishable};
use warifu_app::security::{FeatureState, Holding, Ways};
use warifu_domain::access::Role;
use warifu_domain::protected::Protected;
use warifu_domain::time::SECOND;
use warifu_domain::{OrganizationId, PersonId, Timestamp};

/// What protects the people of an organization.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrganizationSecurity {
    features: Vec<FeatureHere>,
    people: PeopleByWay,
    users: Limits,
    administrators: Limits,
    /// Names of the identity providers by which its people may sign in.
    providers: Vec<String>,
    /// Networks that count as one for its sessions.
    networks: Vec<String>,
}

/// A feature, and how it stands for an organization.
#[derive(Debug, Serialize, ToSchema)]
pub struct FeatureHere {
    feature: &'static str,
    /// `early_access`, `preview`, `production`, `everyone`.
    stage: &'static str,
    /// Since when, if it was ever moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    /// The next stage that is planned, and when it comes.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    on: Option<Timestamp>,
    /// `holds`; `reported`: nothing is enforced; `open`: it does not reach the organization yet.
    reach: &'static str,
    /// Whether nothing is enforced for anybody.
    report_only: bool,
    /// What the organization has chosen, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    chosen: Option<bool>,
    /// How many of its people it would have affected, while it is only reported.
    affected: i64,
    /// What the step-up is asked for with by `POST /api/v1/policies` with the proposal `choice`, where
    /// that is left to choose. It cannot be taken back by the organization.
    #[serde(skip_serializing_if = "Option::is_none")]
    choice: Option<Asking>,
}

/// What a step-up is asked for with.
#[derive(Debug, Serialize, ToSchema)]
pub struct Asking {
    action: &'static str,
    parameters: BTreeMap<String, String>,
}

impl From<Protected> for Asking {
    fn from(p: Protected) -> Asking {
        Asking { action: p.action.key(), parameters: p.parameters().clone() }
    }
}

impl From<FeatureState> for FeatureHere {
    fn from(f: FeatureState) -> FeatureHere {
        FeatureHere {
            feature: f.feature.key(),
            stage: f.rollout.stage.key(),
            since: f.since,
            next: f.rollout.plan.map(|p| p.stage.key()),
            on: f.rollout.plan.map(|p| p.at),
            reach: f.reach.key(),
            report_only: f.rollout.report_only,
            chosen: f.chosen,
            affected: f.affected,
            choice: f.choice.map(Into::into),
        }
    }
}

/// Who may sign in. Each counts once, for the weakest way that they have.
#[derive(Debug, Serialize, ToSchema)]
pub struct PeopleByWay {
    people: i64,
    /// With passkeys, security keys and smart cards only.
    keys: i64,
    providers: i64,
    passwords: i64,
    nothing: i64,
    /// Of all: with nothing that can be phished, be it a key or a provider that has to say that it used one.
    resistant: i64,
}

impl From<Ways> for PeopleByWay {
    fn from(w: Ways) -> PeopleByWay {
        let Ways { people, keys, providers, passwords, resistant } = w;
        let nothing = people - keys - providers - passwords;
        PeopleByWay { people, keys, providers, passwords, nothing, resistant }
    }
}

/// What is enforced.
#[derive(Debug, Serialize, ToSchema)]
pub struct Limits {
    /// Seconds.
    lifetime: i64,
    idle: i64,
    /// `record`, `end`.
    network: &'static str,
    /// `off`, `where`, `required`.
    device: &'static str,
    /// Whether a password with a code is enough, and a provider that does not say how it knew somebody.
    passwords: bool,
    weaker_providers: bool,
}

impl From<Holding> for Limits {
    fn from(e: Holding) -> Limits {
        Limits {
            lifetime: e.lifetime / SECOND,
            idle: e.idle / SECOND,
            network: e.network.key(),
            device: e.device.key(),
            passwords: e.access.passwords,
            weaker_providers: e.access.weaker_providers,
        }
    }
}

/// What protects the people of an organization.
#[utoipa::path(get, path = "/api/v1/organizations/{id}/security", params(("id" = i64, Path)),
    responses((status = 200, body = OrganizationSecurity), (status = 404)))]
pub async fn security(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<OrganizationId>,
) -> Result<Response, Problem> {
    let found = web.app.security(who.actor(), id).await?;
    let answer = OrganizationSecurity {
        features: found.features.into_iter().map(Into::into).collect(),
        people: found.ways.into(),
        users: found.users.into(),
        administrators: found.administrators.into(),
        providers: found.providers,
        networks: found.networks,
    };
    json(StatusCode::OK, &answer)
}

/// Somebody who has nothing yet, or something that can be phished.
#[derive(Debug, Serialize, ToSchema)]
pub struct CanBePhished {
    id: i64,
    name: String,
    roles: Vec<&'static str>,
    /// What they sign in with; neither: nothing yet.
    password: bool,
    provider: bool,
}

impl From<Phishable> for CanBePhished {
    fn from(p: Phishable) -> CanBePhished {
        CanBePhished {
            id: p.person.id.0,
            name: p.person.record.display_name().to_owned(),
            roles: p.roles.iter().map(Role::key).collect(),
            password: p.password,
            provider: p.provider,
        }
    }
}

/// A page of them.
#[derive(Debug, Serialize, ToSchema)]
pub struct CanBePhishedPage {
    people: Vec<CanBePhished>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<i64>,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
pub struct Asked {
    /// The `next` of the page before.
    #[param(value_type = Option<i64>)]
    after: Option<PersonId>,
    /// 1 to 200; 50 by default.
    limit: Option<usize>,
}

/// The people of an organization who can be phished or have nothing yet, by id.
#[utoipa::path(get, path = "/api/v1/organizations/{id}/security/people", params(("id" = i64, Path), Asked),
    responses((status = 200, body = CanBePhishedPage), (status = 404)))]
pub async fn people(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<OrganizationId>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let (limit, after) = (limit(asked.limit)?, asked.after.unwrap_or(PersonId(0)));
    let page = web.app.phishable(who.actor(), id, after, limit).await?;
    let people: Vec<CanBePhished> = page.people.into_iter().map(Into::into).collect();
    let leaving = Leaving {
        route: "/api/v1/organizations/{id}/security/people",
        organization: Some(id),
        query: value!({"id": id, "after": after, "limit": limit}),
        ids: people.iter().map(|p| p.id).collect(),
        shown: Shown::people(people.iter().map(|p| p.id)),
    };
    let answer = CanBePhishedPage { people, next: page.next.map(|n| n.0) };
    gated(&web, &who, leaving, StatusCode::OK, &answer).await
}

/// Somebody whom a feature would have affected.
#[derive(Debug, Serialize, ToSchema)]
pub struct WouldAffect {
    feature: &'static str,
    person: i64,
    name: String,
    times: i64,
    #[schema(value_type = String, format = DateTime)]
    last_at: Timestamp,
}

impl From<Affected> for WouldAffect {
    fn from(a: Affected) -> WouldAffect {
        WouldAffect {
            feature: a.feature.key(),
            person: a.person.0,
            name: a.name,
            times: a.times,
            last_at: a.last_at,
        }
    }
}

/// The people of an organization whom features that are only reported would have affected, the last
/// first; at most 200.
#[utoipa::path(get, path = "/api/v1/organizations/{id}/security/affected", params(("id" = i64, Path)),
    responses((status = 200, body = [WouldAffect]), (status = 404)))]
pub async fn affected(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<OrganizationId>,
) -> Result<Response, Problem> {
    let found = web.app.affected(who.actor(), Some(id)).await?;
    let affected: Vec<WouldAffect> = found.into_iter().map(Into::into).collect();
    let leaving = Leaving {
        route: "/api/v1/organizations/{id}/security/affected",
        organization: Some(id),
        query: value!({"id": id}),
        ids: affected.iter().map(|a| a.person).collect(),
        shown: Shown::people(affected.iter().map(|a| a.person)),
    };
    gated(&web, &who, leaving, StatusCode::OK, &affected).await
}
