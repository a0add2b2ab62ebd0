//! `/portal/cases/{reference}`: one case as its customer sees it, and closing it.

use crate::cases::number;
use crate::cases::show::{Show, somebody, status};
use crate::csrf::Form;
use crate::page::page_with;
use crate::problem::Problem;
use crate::session::Customer;
use crate::state::Web;
use crate::views::portal::PortalCase;
use crate::views::shell::Place;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Redirect, Response};
use serde::Deserialize;
use warifu_domain::CaseId;
use warifu_domain::cases::MessageKind;

pub async fn case(
    State(web): State<Web>,
    who: Customer,
    Path(reference): Path<String>,
) -> Result<Response, Problem> {
    let id = number(&web, &reference)?;
    shown(&web, &who, id, Unsent::default(), StatusCode::OK).await
}

/// An answer that could not be sent.
#[derive(Debug, Default)]
pub struct Unsent {
    pub text: String,
    pub error: Option<String>,
}

/// The page with an answer as given.
pub async fn shown(
    web: &Web,
    who: &Customer,
    id: CaseId,
    unsent: Unsent,
    code: StatusCode,
) -> Result<Response, Problem> {
    let open = web.app.open_case(who.actor(), id, None).await?;
    let show = Show::to(web, who);
    let vendor = &web.app.config.name;
    let messages = open
        .entries
        .iter()
        .filter(|e| matches!(e.message.kind, MessageKind::Customer | MessageKind::Reply))
        .map(|e| show.message(&open, e, vendor));
    let page = PortalCase {
        shell: who.shell(Place::PortalCases, "").await?,
        reference: open.reference.clone(),
        subject: open.case.subject.clone(),
        status: status(open.case.status),
        opened: show.at(open.case.created_at),
        assignee: open.case.assignee.map(|a| somebody(a, open.name(a))),
        due: None,
        followers: vec![somebody(open.case.requester, open.name(open.case.requester))],
        messages: messages.collect(),
        text: unsent.text,
        last_seen: open.last_entry().to_string(),
        error: unsent.error,
        file_limit: web.app.config.attachment_limit as i64,
        opened_by_vendor: open.views.iter().map(|v| v.1).sum(),
    };
    page_with(code, page)
}

/// A form that has nothing but its token.
#[derive(Debug, Default, Deserialize)]
pub struct Nothing {}

pub async fn close(
    State(web): State<Web>,
    who: Customer,
    Path(reference): Path<String>,
    _: Form<Nothing>,
) -> Result<Redirect, Problem> {
    let id = number(&web, &reference)?;
    web.app.close_case(who.actor(), id).await?;
    Ok(Redirect::to(&format!("/portal/cases/{}", web.app.case_reference(id))))
}
