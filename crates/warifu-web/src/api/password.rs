//! `/api/v1/password`: one's own password and the codes beside it, for customers' users who sign in with
//! them. Whoever has none gets 404.

use super::json;
use crate::csrf::Json;
use crate::problem::Problem;
use crate::session::{SignedIn, session_cookie};
use crate::sign_in::Caller;
use crate::state::Web;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::{AppendHeaders, IntoResponse, Response};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warifu_app::password::{Changed, Current, NewCodes, Offer};

/// What proves who asks, and the new password.
#[derive(Deserialize, ToSchema)]
pub struct PasswordChange {
    /// The current password.
    current: String,
    /// A code that the app shows now; it is used up.
    code: String,
    /// The new password: 8 to 256 characters.
    password: String,
}

fn refused() -> Problem {
    Problem::new(StatusCode::FORBIDDEN, "step-up-refused")
}

/// Changes one's own password. Every other session ends; this one gets a new cookie. 403
/// `step-up-refused` when the current password or the code is wrong, it is not said which.
#[utoipa::path(post, path = "/api/v1/password", request_body = PasswordChange,
    responses((status = 204), (status = 403), (status = 404), (status = 422), (status = 429)))]
pub async fn change(
    State(web): State<Web>,
    who: SignedIn,
    caller: Caller,
    Json(sent): Json<PasswordChange>,
) -> Result<Response, Problem> {
    web.slow_down(&caller.network)?;
    let (password, new) = (SecretString::from(sent.current), SecretString::from(sent.password));
    let current = Current { password: &password, code: &sent.code };
    let breached = web.config.breached.clone();
    let changed =
        web.app.change_password(&who.session, current, &new, breached, caller.from()).await?;
    match changed {
        Changed::Done(passed) => {
            let cookie = AppendHeaders([(SET_COOKIE, session_cookie(&passed.session))]);
            Ok((StatusCode::NO_CONTENT, cookie).into_response())
        }
        Changed::Refused => Err(refused()),
        Changed::Unfit(what) => Err(Problem::invalid("password", what)),
    }
}

/// What proves who asks.
#[derive(Deserialize, ToSchema)]
pub struct PasswordProof {
    /// The current password.
    current: String,
    /// A code that the app shows now; it is used up.
    code: String,
}

/// New codes, which count from the first one that is sent back on.
#[derive(Serialize, ToSchema)]
pub struct CodesOffered {
    ceremony: String,
    /// Lets them be kept, for five minutes.
    step_up: String,
    /// `otpauth:` address for an authenticator app.
    address: String,
    /// The same secret for typing, Base32.
    secret: String,
}

/// Begins to get new codes. 403 `step-up-refused` when the current password or the code is wrong. The
/// session gets a new cookie.
#[utoipa::path(post, path = "/api/v1/password/codes", request_body = PasswordProof,
    responses((status = 200, body = CodesOffered), (status = 403), (status = 404), (status = 429)))]
pub async fn begin(
    State(web): State<Web>,
    who: SignedIn,
    caller: Caller,
    Json(sent): Json<PasswordProof>,
) -> Result<Response, Problem> {
    web.slow_down(&caller.network)?;
    let password = SecretString::from(sent.current);
    let current = Current { password: &password, code: &sent.code };
    let begun = web.app.begin_new_codes(&who.session, current, caller.from()).await?;
    let (Offer { ceremony, address, typed, .. }, passed) = begun.ok_or_else(refused)?;
    let (ceremony, step_up) = (ceremony.text(), passed.proof.text());
    let offered = CodesOffered { ceremony, step_up, address, secret: typed };
    let cookie = AppendHeaders([(SET_COOKIE, session_cookie(&passed.session))]);
    Ok((cookie, json(StatusCode::OK, &offered)?).into_response())
}

/// The first of the new codes.
#[derive(Deserialize, ToSchema)]
pub struct FirstCode {
    ceremony: String,
    step_up: String,
    code: String,
}

/// Keeps the new codes, and ends every other session. A wrong code is 422, and the new codes have to be
/// asked for again.
#[utoipa::path(put, path = "/api/v1/password/codes", request_body = FirstCode,
    responses((status = 204), (status = 403), (status = 404), (status = 422)))]
pub async fn finish(
    State(web): State<Web>,
    who: SignedIn,
    caller: Caller,
    Json(sent): Json<FirstCode>,
) -> Result<StatusCode, Problem> {
    web.slow_down(&caller.network)?;
    let (proof, from) = (Some(sent.step_up.as_str()), caller.from());
    match web.app.finish_new_codes(&who.session, &sent.ceremony, &sent.code, proof, from).await? {
        NewCodes::Done => Ok(StatusCode::NO_CONTENT),
        NewCodes::Again(_, what) => Err(Problem::invalid("code", what)),
    }
}
