//! `/cases/new`: a case that an agent opens for somebody.

use super::show;
use crate::csrf::Form;
use crate::i18n::Lang;
use crate::page::page_with;
use crate::problem::Problem;
use crate::session::Staff;
use crate::state::Web;
use crate::views::cases as view;
use crate::views::shell::Place;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use warifu_app::AppError;
use warifu_app::cases::NewCase;
use warifu_domain::Refusal;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    person: String,
    subject: String,
    text: String,
    priority: String,
}

pub async fn form(State(web): State<Web>, who: Staff) -> Result<Response, Problem> {
    who.actor().require(warifu_domain::access::Permission::WorkCases).map_err(AppError::from)?;
    shown(&web, &who, &Asked::default(), Vec::new()).await
}

pub async fn create(
    State(web): State<Web>,
    who: Staff,
    form: Form<Asked>,
) -> Result<Response, Problem> {
    let lang = who.taste.lang;
    let priority = super::priority(&form.priority)?;
    let made = async {
        let person = web.app.find_requester(who.actor(), &form.person).await?;
        let new = NewCase {
            subject: form.subject.clone(),
            body: form.text.clone(),
            language: lang.tag().to_owned(),
            priority,
            requester: Some(person.id),
            ..NewCase::default()
        };
        web.app.create_case(who.actor(), new).await
    };
    match made.await {
        Ok(id) => {
            Ok(Redirect::to(&format!("/cases/{}", web.app.case_reference(id))).into_response())
        }
        Err(AppError::Invalid { field, what }) => {
            shown(&web, &who, &form, vec![error(lang, field, &what, &form.subject)]).await
        }
        Err(e) => Err(e.into()),
    }
}

/// What is wrong with a new case: the form's field and a sentence in the reader's language.
pub fn error(lang: Lang, field: &'static str, what: &Refusal, subject: &str) -> (String, String) {
    let (field, text) = match field {
        "subject" if subject.trim().is_empty() => ("subject", lang.t("error-no-subject")),
        "subject" => ("subject", lang.t("error-long-subject")),
        "body" if what.code() == "body-empty" => ("text", lang.t("error-no-text")),
        "person" => ("person", lang.t("error-person")),
        "body" => ("text", lang.t_args("error-text", &[("why", &lang.refusal(what))])),
        other => (other, lang.t_args("error-text", &[("why", &lang.refusal(what))])),
    };
    (field.to_owned(), text)
}

async fn shown(
    web: &Web,
    who: &Staff,
    asked: &Asked,
    errors: Vec<(String, String)>,
) -> Result<Response, Problem> {
    let code = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let chosen = super::priority(&asked.priority)?.unwrap_or(web.app.config.default_priority);
    let page = view::NewCase {
        shell: who.shell(Place::Cases, "").await?,
        subject: asked.subject.clone(),
        text: asked.text.clone(),
        person: asked.person.clone(),
        priorities: show::priorities(who.taste.lang, Some(chosen)),
        errors,
    };
    page_with(code, page)
}
