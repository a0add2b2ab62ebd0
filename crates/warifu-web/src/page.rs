//! Templates as answers.

use crate::problem::Problem;
use crate::session::SignedIn;
use crate::state::Web;
use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use warifu_app::egress::Page;
use warifu_domain::OrganizationId;

/// A page, or a block of one, as HTML.
///
/// # Errors
/// When the template fails, which only a bug can cause.
pub fn page(template: impl Template) -> Result<Response, Problem> {
    page_with(StatusCode::OK, template)
}

/// A page with another status, e.g. 422 for a form that is shown again with what is wrong.
///
/// # Errors
/// As [`page`].
pub fn page_with(status: StatusCode, template: impl Template) -> Result<Response, Problem> {
    let html = template.render().map_err(|e| Problem::internal(format!("template: {e}")))?;
    Ok((status, Html(html)).into_response())
}

/// A page of people's records for staff. It passes the gate like a page of the API: its entry is
/// durable before it leaves, else whoever wants to read unseen would read the pages for people.
///
/// # Errors
/// As [`page`], and when the entry cannot be written.
pub async fn gated(
    web: &Web,
    who: &SignedIn,
    route: &str,
    query: &serde_json::Value,
    organization: Option<OrganizationId>,
    ids: &[i64],
    template: impl Template,
) -> Result<Response, Problem> {
    let html = template.render().map_err(|e| Problem::internal(format!("template: {e}")))?;
    let page = Page { route, organization, query, ids, body: html.as_bytes() };
    web.app.record_page(who.actor(), &page).await?;
    Ok(Html(html).into_response())
}
