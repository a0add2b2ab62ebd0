//! `POST /portal/cases/{reference}/reply`: a customer's answer, with files.

use super::case::{Unsent, shown};
use crate::cases::answer::Written;
use crate::cases::number;
use crate::csrf::Multipart;
use crate::problem::Problem;
use crate::session::Customer;
use crate::state::Web;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use warifu_app::AppError;
use warifu_app::cases::{Answer, Sent};
use warifu_domain::Refusal;

pub async fn reply(
    State(web): State<Web>,
    who: Customer,
    Path(reference): Path<String>,
    mut form: Multipart,
) -> Result<Response, Problem> {
    let id = number(&web, &reference)?;
    // Nothing is read for a case that is not there.
    if !web.app.may_see_case(who.actor(), id).await? {
        return Err(Problem::not_found());
    }
    let mut written = Written::read(&web, &mut form).await?;
    let files = std::mem::take(&mut written.files);
    let text = written.get("text").to_owned();
    let last_seen = written.get("last_seen").parse().ok();
    let answer = Answer { body: text.clone(), then: None, last_seen, files };
    let lang = who.taste.lang;
    let why = |what: &Refusal| lang.t_args("error-text", &[("why", &lang.refusal(what))]);
    let (code, error) = match web.app.answer_case(who.actor(), id, answer).await {
        Ok(Sent::Yes(message)) => {
            let reference = web.app.case_reference(id);
            return Ok(
                Redirect::to(&format!("/portal/cases/{reference}#m-{message}")).into_response()
            );
        }
        Ok(Sent::Arrived(message)) => {
            let at = lang.time(message.at.to_jiff(), &who.zone).text;
            (StatusCode::CONFLICT, lang.t_args("error-arrived", &[("time", &at)]))
        }
        Err(AppError::Invalid { what, .. }) => (StatusCode::UNPROCESSABLE_ENTITY, why(&what)),
        Err(AppError::Conflict(what)) => (StatusCode::CONFLICT, why(&what)),
        Err(e) => return Err(e.into()),
    };
    shown(&web, &who, id, Unsent { text, error: Some(error) }, code).await
}
