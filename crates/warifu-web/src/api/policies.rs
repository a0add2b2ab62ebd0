//! `/api/v1/policies`, `/api/v1/approvals`: sign-in and session policy, and what waits for a second
//! person.

use super::json;
use crate::csrf::Json;
use crate::problem::Problem;
use crate::session::SignedIn;
use crate::state::Web;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use warifu_app::AppError;
use warifu_app::policy_changes::Proposed;
use warifu_app::second_person::{Waiting, agreed};
use warifu_domain::access::Permission;
use warifu_domain::assurance::OrganizationAccess;
use warifu_domain::policy::{Feature, Proposal, Rollout};
use warifu_domain::second_person::Matter;
use warifu_domain::{PersonId, Timestamp};

/// What is set. Times are in microseconds.
#[derive(Debug, Serialize, ToSchema)]
pub struct Set {
    /// By scope: `staff`, `customers`, `role:agent`, `organization:7`.
    #[schema(value_type = Object)]
    rules: BTreeMap<String, Value>,
    /// By feature.
    #[schema(value_type = Object)]
    rollouts: BTreeMap<&'static str, Rollout>,
    /// By feature and organization.
    #[schema(value_type = Object)]
    choices: BTreeMap<String, bool>,
    /// By organization.
    #[schema(value_type = Object)]
    networks: BTreeMap<String, Vec<String>>,
    /// What users without a role may sign in with beyond what everybody may, by organization.
    #[schema(value_type = Object)]
    access: BTreeMap<String, OrganizationAccess>,
}

/// Everything that is set.
#[utoipa::path(get, path = "/api/v1/policies", responses((status = 200, body = Set)))]
pub async fn policies(State(web): State<Web>, who: SignedIn) -> Result<Response, Problem> {
    who.actor().require(Permission::ReadPolicies).map_err(AppError::from)?;
    let policies = web.app.policies().await?;
    let value = |r| serde_json::to_value(r).unwrap_or_default();
    let set = Set {
        rules: policies.rules.iter().map(|(s, r)| (s.key(), value(r))).collect(),
        rollouts: Feature::ALL.into_iter().map(|f| (f.key(), policies.rollout(f))).collect(),
        choices: policies
            .choices
            .iter()
            .map(|((organization, f), chosen)| (format!("{}:{organization}", f.key()), *chosen))
            .collect(),
        access: policies.access.iter().map(|(o, a)| (o.to_string(), *a)).collect(),
        networks: policies.networks.iter().map(|(o, n)| (o.to_string(), n.clone())).collect(),
    };
    json(StatusCode::OK, &set)
}

/// A change.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Change {
    /// `{"what": "rules", "scope": "staff", "rules": {"idle": 600000000}}`; `rollout`, `choice`,
    /// `networks` and `access` likewise; `{"what": "environment", "organization": 7, "from": "preview", "to":
    /// "production"}`.
    #[schema(value_type = Object)]
    proposal: Value,
    /// Why; needed where it weakens something.
    #[serde(default)]
    reason: String,
    /// What `POST /step-up/verify` answered.
    step_up: Option<String>,
}

impl Change {
    fn proposal(&self) -> Result<Proposal, Problem> {
        Proposal::deserialize(&self.proposal)
            .map_err(|e| Problem::invalid("proposal", e.to_string()))
    }
}

/// What a change would do.
#[derive(Debug, Serialize, ToSchema)]
pub struct Review {
    changes: bool,
    /// What it weakens; then a second person decides.
    weakens: Vec<&'static str>,
    /// What the step-up is asked for with.
    action: &'static str,
    parameters: BTreeMap<String, String>,
}

/// What a change would do, and what its step-up is asked for with.
#[utoipa::path(post, path = "/api/v1/policies/review", request_body = Change, responses((status = 200, body = Review)))]
pub async fn review(
    State(web): State<Web>,
    who: SignedIn,
    Json(change): Json<Change>,
) -> Result<Response, Problem> {
    who.actor().require(Permission::ReadPolicies).map_err(AppError::from)?;
    let proposal = change.proposal()?;
    let policies = web.app.policies().await?;
    let protected = proposal.protected();
    let review = Review {
        changes: proposal.changes(&policies),
        weakens: web.app.weakened(who.actor(), &proposal).await?,
        action: protected.action.key(),
        parameters: protected.parameters().clone(),
    };
    json(StatusCode::OK, &review)
}

/// The number of the approval that it waits for.
#[derive(Debug, Serialize, ToSchema)]
pub struct Waits {
    approval: i64,
}

/// 204 for what is done, 202 for what waits for a second person.
pub fn proposed(what: Proposed) -> Result<Response, Problem> {
    match what {
        Proposed::Done => Ok(StatusCode::NO_CONTENT.into_response()),
        Proposed::Waiting(approval) => json(StatusCode::ACCEPTED, &Waits { approval }),
    }
}

/// Changes policy: 204 when it is done, 202 when it waits for a second person.
#[utoipa::path(post, path = "/api/v1/policies", request_body = Change,
    responses((status = 204), (status = 202, body = Waits), (status = 403), (status = 404)))]
pub async fn change(
    State(web): State<Web>,
    who: SignedIn,
    Json(change): Json<Change>,
) -> Result<Response, Problem> {
    let proposal = change.proposal()?;
    let proof = change.step_up.as_deref();
    proposed(web.app.propose(who.actor(), &proposal, &change.reason, proof).await?)
}

/// What waits for a second person, or waited.
#[derive(Debug, Serialize, ToSchema)]
pub struct Approval {
    id: i64,
    /// `{"policy": …}` with a change as `POST /api/v1/policies` takes it, or `{"way": …}`: what would hold for
    /// an identity provider, a service account or an application.
    #[schema(value_type = Object)]
    matter: Matter,
    reason: String,
    #[schema(value_type = i64)]
    requested_by: PersonId,
    #[schema(value_type = String, format = DateTime)]
    requested_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// `done`, `refused`, `void`; null while it waits.
    outcome: Option<String>,
    #[schema(value_type = Option<i64>)]
    decided_by: Option<PersonId>,
    /// What the step-up for agreeing is asked for with; the action is `approve`.
    parameters: BTreeMap<String, String>,
}

/// What waits or waited, newest first; at most 100.
#[utoipa::path(get, path = "/api/v1/approvals", responses((status = 200, body = [Approval])))]
pub async fn approvals(State(web): State<Web>, who: SignedIn) -> Result<Response, Problem> {
    let approval = |w: Waiting| Approval {
        id: w.approval.id,
        parameters: agreed(w.approval.id, &w.approval.digest).parameters().clone(),
        matter: w.matter,
        reason: w.approval.reason,
        requested_by: w.approval.requested_by,
        requested_at: w.approval.requested_at,
        expires_at: w.approval.expires_at,
        outcome: w.approval.outcome,
        decided_by: w.approval.decided_by,
    };
    let found = web.app.approvals(who.actor()).await?;
    json(StatusCode::OK, &found.into_iter().map(approval).collect::<Vec<_>>())
}

/// What the second person says.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Decision {
    agree: bool,
    /// What `POST /step-up/verify` answered; for agreeing.
    step_up: Option<String>,
}

/// Agrees to somebody else's change, or refuses it.
#[utoipa::path(post, path = "/api/v1/approvals/{id}", params(("id" = i64, Path)), request_body = Decision,
    responses((status = 204), (status = 403), (status = 404), (status = 409)))]
pub async fn decide(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<i64>,
    Json(decision): Json<Decision>,
) -> Result<StatusCode, Problem> {
    web.app.decide(who.actor(), id, decision.agree, decision.step_up.as_deref()).await?;
    Ok(StatusCode::NO_CONTENT)
}
