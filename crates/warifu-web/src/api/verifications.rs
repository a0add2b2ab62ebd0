//! `/api/v1/verifications`: checks of callers step by step, and printed recovery codes.

use super::{Leaving, Made, Shown, gated, json};
use crate::csrf::Json;
use crate::problem::Problem;
use crate::session::SignedIn;
use crate::state::Web;
use crate::verifications::{wish, wrong_channel};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json as value};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use warifu_app::verifications::{Line, VerificationView, reference};
use warifu_domain::verification::{Channel, Payload, Seen};
use warifu_domain::{CredentialId, PersonId, Timestamp};

/// What a caller asks for.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Asked {
    /// Whose account.
    person: i64,
    /// `reset_factors` or `remove_factor`.
    action: String,
    /// The factor to be removed.
    factor: Option<i64>,
    /// Who called, as they named themselves.
    caller: String,
    /// `phone`, `video`, `in_person`, `written`.
    channel: String,
    reason: String,
}

impl Asked {
    fn payload(self) -> Result<Payload, Problem> {
        Ok(Payload {
            person: PersonId(self.person),
            wish: wish(&self.action, self.factor.map(CredentialId))?,
            caller: self.caller,
            channel: Channel::from_key(&self.channel).ok_or_else(wrong_channel)?,
            reason: self.reason,
        })
    }
}

/// A check in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Check {
    id: i64,
    reference: String,
    person: i64,
    action: &'static str,
    /// `call_back`, `look`, `tally`, `approval`, `approved`, `ended`: what it waits for.
    stage: &'static str,
    expired: bool,
    #[schema(value_type = String, format = DateTime)]
    requested_at: Timestamp,
    /// When the delay is over, once it is approved.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    due: Option<Timestamp>,
    /// Whether it waits for the approval of whoever asks.
    waits_for_me: bool,
}

impl Check {
    fn of(l: Line) -> Check {
        Check {
            id: l.id,
            reference: reference(l.id),
            person: l.person.0,
            action: l.wish.key(),
            stage: l.stage.key(),
            expired: l.expired,
            requested_at: l.requested_at,
            due: l.due,
            waits_for_me: l.waits_for_me,
        }
    }
}

/// Opens a check.
#[utoipa::path(post, path = "/api/v1/verifications", request_body = Asked,
    responses((status = 201, body = Made), (status = 403), (status = 409), (status = 422)))]
pub async fn request(
    State(web): State<Web>,
    who: SignedIn,
    Json(asked): Json<Asked>,
) -> Result<Response, Problem> {
    let id = web.app.request_verification(who.actor(), asked.payload()?).await?;
    json(StatusCode::CREATED, &Made { id, reference: Some(reference(id)) })
}

/// The checks that exist for whoever asks, newest first; at most 100.
#[utoipa::path(get, path = "/api/v1/verifications", responses((status = 200, body = [Check])))]
pub async fn list(State(web): State<Web>, who: SignedIn) -> Result<Response, Problem> {
    let checks = web.app.verifications(who.actor()).await?;
    let checks: Vec<Check> = checks.into_iter().map(Check::of).collect();
    let leaving = Leaving {
        route: "/api/v1/verifications",
        organization: None,
        query: value!({}),
        ids: checks.iter().map(|c| c.person).collect(),
        shown: Shown::people(checks.iter().map(|c| c.person)),
    };
    gated(&web, &who, leaving, StatusCode::OK, &checks).await
}

fn detail(view: &VerificationView) -> Value {
    let v = &view.v;
    let number =
        |n: &warifu_domain::verification::Number| value!({"number": n.text, "since": n.since});
    value!({
        "id": v.id, "reference": reference(v.id), "stage": v.stage().key(), "expired": view.expired,
        "person": v.payload.person, "action": v.payload.wish.key(), "caller": v.payload.caller,
        "channel": v.payload.channel.key(), "reason": v.payload.reason,
        "numbers": view.numbers.iter().map(number).collect::<Vec<_>>(),
        "factors": view.factors.iter().map(|f| value!({"id": f.id, "kind": f.kind.key(), "name": f.name})).collect::<Vec<_>>(),
        "tally": view.tally.as_ref().map(|t| value!({"code": t.code, "half": t.half,
            "opened": t.opened, "agent_fits": t.agent_fits, "caller_fits": t.caller_fits,
            "tries": t.tries, "lives": t.lives})),
        "approver": v.approved.as_ref().map(|a| a.by), "due": view.due,
        // What `POST /step-up/options` takes for the approval of just this.
        "approval": {"action": "approve_reset",
            "parameters": {"verification": v.id.to_string(), "payload": view.digest}},
    })
}

/// One check.
#[utoipa::path(get, path = "/api/v1/verifications/{id}", params(("id" = i64, Path)),
    responses((status = 200, body = Object), (status = 404)))]
pub async fn one(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<i64>,
) -> Result<Response, Problem> {
    let view = web.app.verification(who.actor(), id).await?;
    let leaving = Leaving {
        route: "/api/v1/verifications/{id}",
        organization: Some(view.owner.organization),
        query: value!({"id": id}),
        ids: vec![view.owner.id.0],
        shown: Shown::One(view.owner.id, view.owner.organization),
    };
    gated(&web, &who, leaving, StatusCode::OK, &detail(&view)).await
}

/// Changes what a check is about; an approval is void then.
#[utoipa::path(put, path = "/api/v1/verifications/{id}", params(("id" = i64, Path)), request_body = Asked,
    responses((status = 204), (status = 404), (status = 409), (status = 422)))]
pub async fn change(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<i64>,
    Json(asked): Json<Asked>,
) -> Result<StatusCode, Problem> {
    web.app.change_verification(who.actor(), id, asked.payload()?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The number that was called.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Call {
    number: String,
    /// When; now where it is left out.
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
}

/// The call-back. Only numbers that have stood in the record for 30 days are taken.
#[utoipa::path(post, path = "/api/v1/verifications/{id}/call", params(("id" = i64, Path)), request_body = Call,
    responses((status = 204), (status = 404), (status = 409), (status = 422)))]
pub async fn call(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<i64>,
    Json(call): Json<Call>,
) -> Result<StatusCode, Problem> {
    web.app.call_back(who.actor(), id, &call.number, call.at).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What the agent saw.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Looked {
    #[serde(default)]
    same_person: bool,
    #[serde(default)]
    moved: bool,
    #[serde(default)]
    unhurried: bool,
    /// Address of a colleague of theirs who vouches, in place of the photo on record.
    colleague: Option<String>,
}

/// The look at the caller.
#[utoipa::path(post, path = "/api/v1/verifications/{id}/look", params(("id" = i64, Path)), request_body = Looked,
    responses((status = 204), (status = 404), (status = 409), (status = 422)))]
pub async fn look(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<i64>,
    Json(l): Json<Looked>,
) -> Result<StatusCode, Problem> {
    let seen = Seen { same_person: l.same_person, moved: l.moved, unhurried: l.unhurried };
    web.app.look(who.actor(), id, seen, l.colleague.as_deref()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What a colleague is asked.
#[derive(Debug, Serialize, ToSchema)]
pub struct Vouching {
    /// Whom it is about.
    name: String,
    /// Who asks.
    agent: String,
    /// Whether the word was given.
    done: bool,
    /// What the step-up is asked for with; the action is `vouch`.
    parameters: BTreeMap<String, String>,
}

/// What the colleague who was named is asked; 404 for everybody else.
#[utoipa::path(get, path = "/api/v1/verifications/{id}/vouch", params(("id" = i64, Path)),
    responses((status = 200, body = Vouching), (status = 404)))]
pub async fn vouching(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<i64>,
) -> Result<Response, Problem> {
    let v = web.app.vouching(who.actor(), id).await?;
    let parameters = v.asks.parameters().clone();
    let asked = Vouching { name: v.name, agent: v.agent, done: v.done, parameters };
    super::json(StatusCode::OK, &asked)
}

/// The word of the colleague who was named. 403 `step-up-required` without the proof of a step-up for `vouch`
/// with the parameters that `GET` has.
#[utoipa::path(post, path = "/api/v1/verifications/{id}/vouch", params(("id" = i64, Path)), request_body = Proof,
    responses((status = 204), (status = 403), (status = 404), (status = 409)))]
pub async fn vouch(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<i64>,
    Json(proof): Json<Proof>,
) -> Result<StatusCode, Problem> {
    web.app.vouch(who.actor(), id, proof.step_up.as_deref()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Begins a tally; `GET` of the check has its code and the agent's half.
#[utoipa::path(post, path = "/api/v1/verifications/{id}/tally", params(("id" = i64, Path)), request_body = Object,
    responses((status = 204), (status = 404), (status = 409)))]
pub async fn tally(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<i64>,
    _: Json<Value>,
) -> Result<StatusCode, Problem> {
    web.app.begin_tally(who.actor(), id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The other side's half.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Half {
    half: String,
}

/// The caller's half, as it was heard.
#[utoipa::path(put, path = "/api/v1/verifications/{id}/tally", params(("id" = i64, Path)), request_body = Half,
    responses((status = 204), (status = 404), (status = 409), (status = 422)))]
pub async fn half(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<i64>,
    Json(half): Json<Half>,
) -> Result<StatusCode, Problem> {
    web.app.agent_half(who.actor(), id, &half.half).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The proof of a step-up.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Proof {
    /// What `POST /step-up/verify` answered.
    step_up: Option<String>,
}

/// Approves a check. 403 `step-up-required` without the proof of a step-up for the action and parameters
/// that the check names as `approval`.
#[utoipa::path(post, path = "/api/v1/verifications/{id}/approval", params(("id" = i64, Path)), request_body = Proof,
    responses((status = 204), (status = 403), (status = 404), (status = 409)))]
pub async fn approve(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<i64>,
    Json(proof): Json<Proof>,
) -> Result<StatusCode, Problem> {
    web.app.approve_verification(who.actor(), id, proof.step_up.as_deref()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// How the desk ends a check.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct Ending {
    /// Whether it was an attack: everybody whom it concerns is told.
    attack: bool,
}

/// Ends a check without doing anything.
#[utoipa::path(post, path = "/api/v1/verifications/{id}/end", params(("id" = i64, Path)), request_body = Ending,
    responses((status = 204), (status = 404), (status = 409)))]
pub async fn end(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<i64>,
    Json(ending): Json<Ending>,
) -> Result<StatusCode, Problem> {
    web.app.end_verification(who.actor(), id, ending.attack).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Its owner stops what goes on with their account.
#[utoipa::path(post, path = "/api/v1/verifications/{id}/stop", params(("id" = i64, Path)), request_body = Object,
    responses((status = 204), (status = 404), (status = 409)))]
pub async fn stop(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<i64>,
    _: Json<Value>,
) -> Result<StatusCode, Problem> {
    web.app.stop_verification(who.actor(), id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What was done.
#[derive(Debug, Serialize, ToSchema)]
pub struct Finished {
    /// The one-time link to be handed over; shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    invitation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

/// Does what was approved, when its delay is over.
#[utoipa::path(post, path = "/api/v1/verifications/{id}/done", params(("id" = i64, Path)), request_body = Object,
    responses((status = 200, body = Finished), (status = 404), (status = 409)))]
pub async fn done(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<i64>,
    _: Json<Value>,
) -> Result<Response, Problem> {
    let made = web.app.finish_verification(who.actor(), id).await?.invitation;
    let link = |t: &warifu_auth::Token| format!("{}/enrol/{}", web.config.origin_text(), t.text());
    let finished = Finished {
        invitation: made.as_ref().map(|i| link(&i.token)),
        expires_at: made.map(|i| i.expires_at),
    };
    json(StatusCode::OK, &finished)
}

/// How many of one's own recovery codes are left.
#[utoipa::path(get, path = "/api/v1/recovery-codes", responses((status = 200, body = Object)))]
pub async fn codes_left(State(web): State<Web>, who: SignedIn) -> Result<Response, Problem> {
    let codes = web.app.recovery_codes_left(who.actor()).await?;
    json(StatusCode::OK, &value!({ "left": codes.left, "made_at": codes.made_at }))
}

/// A new set of recovery codes in the place of the old one, shown once. 403 `step-up-required` without
/// the proof of a step-up for `recovery_codes`.
#[utoipa::path(post, path = "/api/v1/recovery-codes", request_body = Proof,
    responses((status = 201, body = [String]), (status = 403)))]
pub async fn make_codes(
    State(web): State<Web>,
    who: SignedIn,
    Json(proof): Json<Proof>,
) -> Result<Response, Problem> {
    let codes = web.app.make_recovery_codes(who.actor(), proof.step_up.as_deref()).await?;
    json(StatusCode::CREATED, &codes)
}
