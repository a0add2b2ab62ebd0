//! Sign-in and session policy: what holds for whom, how far features have come, who is covered.
//! A change is looked at before it is agreed to: `review` shows what it does, `apply` wants the key.

pub mod approvals;
mod matters;
pub mod words;

use crate::csrf::Form;
use crate::page::{Leaving, Shown, gated, page};
use crate::problem::Problem;
use crate::session::Staff;
use crate::state::Web;
use crate::views::policy as view;
use crate::views::shell::Place;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::json;
use warifu_app::AppError;
use warifu_app::policy_changes::Proposed;
use warifu_domain::access::Permission;
use warifu_domain::assurance::OrganizationAccess;
use warifu_domain::organizations::Environment;
use warifu_domain::policy::{
    DeviceRule, Feature, NetworkRule, Plan, Policies, Proposal, Rollout, Rules, Scope, Stage,
};
use warifu_domain::time::MINUTE;
use warifu_domain::{OrganizationId, Timestamp, refusal};

/// What is chosen for an organization here. Whether its users may be phished is chosen by what they may
/// sign in with, on the organization's own page, until its administrators choose against it.
fn choosable(policies: &Policies, id: OrganizationId) -> impl Iterator<Item = Feature> {
    let here = move |f: &Feature| {
        *f != Feature::PhishingResistant || policies.choices.contains_key(&(id, *f))
    };
    Feature::ALL.into_iter().filter(here)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Whose {
    scope: String,
}

/// `GET /policy`
pub async fn policy(
    State(web): State<Web>,
    who: Staff,
    Query(whose): Query<Whose>,
) -> Result<Response, Problem> {
    who.actor().require(Permission::ReadPolicies).map_err(AppError::from)?;
    let scope = match whose.scope.as_str() {
        "" => Scope::Staff,
        key => Scope::from_key(key).ok_or_else(Problem::not_found)?,
    };
    let lang = who.taste.lang;
    let policies = web.app.policies().await?;
    let organization = match scope {
        Scope::Organization(id) => Some((id, web.app.organization(who.actor(), id).await?)),
        _ => None,
    };
    let name = organization.as_ref().map(|(_, o)| o.line.organization.name.as_str());
    let unset = Rules::default();
    let rules = policies.rules.get(&scope).unwrap_or(&unset);
    let show = words::Words { lang, zone: &who.zone };
    let since = web.app.stages_since(who.actor()).await?;
    let rollouts = Feature::ALL.map(|f| show.feature(f, &policies, since.get(&f).copied()));
    let coverage = web.app.coverage(who.actor()).await?;
    let affected = web.app.affected(who.actor(), None).await?;
    let choices = organization.as_ref().map(|(id, o)| {
        let environment = o.line.organization.environment;
        let choice = |f: Feature| {
            let chosen = policies.choices.get(&(*id, f)).copied();
            show.choice(f, policies.rollout(f), environment, chosen)
        };
        choosable(&policies, *id).map(choice).collect()
    });
    let environments = organization
        .as_ref()
        .map(|(_, o)| show.environments(o.line.organization.environment))
        .unwrap_or_default();
    let networks = organization
        .as_ref()
        .map(|(id, _)| policies.networks.get(id).map(|n| n.join("\n")).unwrap_or_default());
    let leaving = Leaving {
        route: "/policy",
        organization: None,
        query: json!({ "scope": scope.key() }),
        ids: affected.iter().map(|a| a.person.0).collect(),
        shown: Shown::people(affected.iter().map(|a| a.person.0)),
    };
    let page = view::PolicyPage {
        shell: who.shell(Place::Policy, "").await?,
        editable: who.actor().roles.allow(Permission::ManagePolicies),
        scopes: show.scopes(scope, name),
        scope: scope.key(),
        organization: organization.as_ref().map(|(id, _)| id.to_string()).unwrap_or_default(),
        rules: show.rules(rules),
        rollouts: rollouts.to_vec(),
        choices: choices.unwrap_or_default(),
        networks,
        environments,
        coverage: show.coverage(&coverage),
        affected: affected.iter().map(|a| show.affected(a)).collect(),
    };
    gated(&web, &who, StatusCode::OK, leaving, page).await
}

/// The fields of every form of the page; which of them count says `what`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Fields {
    what: String,
    scope: String,
    lifetime: String,
    idle: String,
    network: String,
    device: String,
    synced: String,
    attestation: String,
    authenticators: String,
    feature: String,
    stage: String,
    report_only: String,
    next: String,
    on: String,
    organization: String,
    chosen: String,
    members: String,
    passwords: String,
    weaker_providers: String,
    from: String,
    to: String,
}

impl Fields {
    fn proposal(&self) -> Result<Proposal, Problem> {
        let organization = || self.organization.parse().map(OrganizationId);
        let feature = || Feature::from_key(&self.feature).ok_or_else(Problem::not_found);
        Ok(match self.what.as_str() {
            "rules" => Proposal::Rules {
                scope: Scope::from_key(&self.scope).ok_or_else(Problem::not_found)?,
                rules: self.rules()?,
            },
            "rollout" => Proposal::Rollout { feature: feature()?, rollout: self.rollout()? },
            "choice" => Proposal::Choice {
                organization: organization().map_err(|_| Problem::not_found())?,
                feature: feature()?,
                chosen: self.chosen == "true",
            },
            "networks" => Proposal::Networks {
                organization: organization().map_err(|_| Problem::not_found())?,
                members: self.members.split_whitespace().map(str::to_owned).collect(),
            },
            "access" => Proposal::Access {
                organization: organization().map_err(|_| Problem::not_found())?,
                access: OrganizationAccess {
                    passwords: self.passwords == "yes",
                    weaker_providers: self.weaker_providers == "yes",
                },
            },
            "environment" => {
                let place = |key: &str| Environment::from_key(key).ok_or_else(Problem::not_found);
                Proposal::Environment {
                    organization: organization().map_err(|_| Problem::not_found())?,
                    from: place(&self.from)?,
                    to: place(&self.to)?,
                }
            }
            _ => return Err(Problem::not_found()),
        })
    }

    fn rules(&self) -> Result<Rules, Problem> {
        let chosen = |text: &str| (!text.is_empty()).then(|| text == "true");
        let makes: std::collections::BTreeSet<String> =
            self.authenticators.split_whitespace().map(str::to_lowercase).collect();
        Ok(Rules {
            lifetime: minutes("lifetime", &self.lifetime)?,
            idle: minutes("idle", &self.idle)?,
            network: NetworkRule::from_key(&self.network),
            device: DeviceRule::from_key(&self.device),
            synced: chosen(&self.synced),
            attestation: chosen(&self.attestation),
            authenticators: (!makes.is_empty()).then_some(makes),
        })
    }

    fn rollout(&self) -> Result<Rollout, Problem> {
        let stage = Stage::from_key(&self.stage).ok_or_else(Problem::not_found)?;
        let plan = match Stage::from_key(&self.next) {
            None => None,
            Some(stage) => {
                let at =
                    Timestamp::parse(&self.on).map_err(|e| Problem::invalid("on", e.refusal()))?;
                Some(Plan { stage, at })
            }
        };
        Ok(Rollout { stage, report_only: self.report_only == "true", plan })
    }
}

/// Minutes from a field; empty is not set.
fn minutes(field: &'static str, text: &str) -> Result<Option<i64>, Problem> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let bad = || Problem::invalid(field, refusal!("policy-minutes", "a whole number of minutes"));
    let minutes: i64 = text.parse().map_err(|_| bad())?;
    minutes.checked_mul(MINUTE).map(Some).ok_or_else(bad)
}

/// `POST /policy/review`: what a change does, before it is agreed to.
pub async fn review(
    State(web): State<Web>,
    who: Staff,
    form: Form<Fields>,
) -> Result<Response, Problem> {
    who.actor().require(Permission::ManagePolicies).map_err(AppError::from)?;
    let proposal = form.proposal()?;
    let policies = web.app.policies().await?;
    let show = words::Words { lang: who.taste.lang, zone: &who.zone };
    let weaker = web.app.weakened(who.actor(), &proposal).await?;
    let others = web.app.deciders(who.actor()).await?;
    let text = serde_json::to_string(&proposal).map_err(|e| Problem::internal(e.to_string()))?;
    let protected = proposal.protected();
    page(view::Review {
        shell: who.shell(Place::Policy, "").await?,
        back: back(&proposal),
        changes: proposal.changes(&policies),
        rows: show.differences(&proposal, &policies),
        weakens: !weaker.is_empty(),
        others,
        action: protected.action.key(),
        parameters: parameters(&protected),
        proposal: text,
    })
}

/// Where somebody came from.
fn back(proposal: &Proposal) -> String {
    match proposal {
        Proposal::Rules { scope, .. } => format!("/policy?scope={}", scope.key()),
        Proposal::Rollout { .. } => "/policy".into(),
        Proposal::Choice { organization, .. }
        | Proposal::Networks { organization, .. }
        | Proposal::Environment { organization, .. } => {
            format!("/policy?scope=organization:{organization}")
        }
        Proposal::Access { organization, .. } => format!("/organizations/{organization}"),
    }
}

/// Parameters for `data-parameters` of a form.
pub(crate) fn parameters(protected: &warifu_domain::protected::Protected) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(protected.parameters())
        .finish()
}

/// What is sent with the key's proof.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Agreed {
    proposal: String,
    reason: String,
    step_up: Option<String>,
}

/// `POST /policy/apply`
pub async fn apply(
    State(web): State<Web>,
    who: Staff,
    form: Form<Agreed>,
) -> Result<Response, Problem> {
    let proposal: Proposal = serde_json::from_str(&form.proposal)
        .map_err(|e| Problem::invalid("proposal", e.to_string()))?;
    let proof = form.step_up.as_deref();
    match web.app.propose(who.actor(), &proposal, &form.reason, proof).await? {
        Proposed::Done => Ok(Redirect::to(&back(&proposal)).into_response()),
        Proposed::Waiting(_) => Ok(Redirect::to("/approvals").into_response()),
    }
}
