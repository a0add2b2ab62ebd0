//! `/portal/cases/new`: a customer opens a case.

use crate::cases::answer::Written;
use crate::cases::{new, priority};
use crate::csrf::Multipart;
use crate::page::page_with;
use crate::problem::Problem;
use crate::session::Customer;
use crate::state::Web;
use crate::views::markup::Choice;
use crate::views::portal::{PortalNewCase, Urgency};
use crate::views::shell::Place;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use warifu_app::AppError;
use warifu_app::cases::NewCase;
use warifu_domain::cases::Priority;

pub async fn form(State(web): State<Web>, who: Customer) -> Result<Response, Problem> {
    shown(&web, &who, &Written::default(), Vec::new()).await
}

pub async fn create(
    State(web): State<Web>,
    who: Customer,
    mut form: Multipart,
) -> Result<Response, Problem> {
    let mut written = Written::read(&web, &mut form).await?;
    // Urgent is the vendor's word: it wakes people.
    let wanted = priority(written.get("priority"))?.map(|p| p.min(Priority::High));
    let lang = who.taste.lang;
    let new = NewCase {
        subject: written.get("subject").to_owned(),
        body: written.get("text").to_owned(),
        product: written.get("product").to_owned(),
        language: lang.tag().to_owned(),
        priority: wanted,
        files: std::mem::take(&mut written.files),
        ..NewCase::default()
    };
    match web.app.create_case(who.actor(), new).await {
        Ok(id) => Ok(Redirect::to(&format!("/portal/cases/{}#new", web.app.case_reference(id)))
            .into_response()),
        Err(AppError::Invalid { field, what }) => {
            let error = new::error(lang, field, &what, written.get("subject"));
            shown(&web, &who, &written, vec![error]).await
        }
        Err(e) => Err(e.into()),
    }
}

async fn shown(
    web: &Web,
    who: &Customer,
    written: &Written,
    errors: Vec<(String, String)>,
) -> Result<Response, Problem> {
    let lang = who.taste.lang;
    let code = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let chosen = match written.get("priority") {
        "" => Priority::Normal.key(),
        key => key,
    };
    let products = web.app.config.products.iter();
    let urgencies = [Priority::Low, Priority::Normal, Priority::High].map(|p| Urgency {
        value: p.key().to_owned(),
        label: lang.t(format!("priority-{}-portal", p.key())),
        promise: String::new(),
        chosen: p.key() == chosen,
    });
    let vendor = &web.app.config.name;
    let page = PortalNewCase {
        shell: who.shell(Place::PortalNew, "").await?,
        products: products
            .map(|p| Choice::new(p, p.to_uppercase(), p == written.get("product")))
            .collect(),
        subject: written.get("subject").to_owned(),
        text: written.get("text").to_owned(),
        urgencies: urgencies.into(),
        file_limit: web.app.config.attachment_limit as i64,
        seen_by: vec![
            (lang.t("portal-here"), lang.t("seen-by-admins")),
            (
                lang.t_args("portal-at", &[("who", vendor)]),
                lang.t_args("seen-by-staff", &[("who", vendor)]),
            ),
        ],
        errors,
    };
    page_with(code, page)
}
