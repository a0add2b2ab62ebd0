//! Templates as answers.

use crate::problem::Problem;
use crate::session::SignedIn;
use crate::state::Web;
use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
pub use warifu_app::accesses::Shown;
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

/// What leaves: which route, whose data, what was asked, which records.
pub struct Leaving<'a> {
    pub route: &'a str,
    pub organization: Option<OrganizationId>,
    pub query: serde_json::Value,
    pub ids: Vec<i64>,
    /// Whose records it shows: their organizations are told (decision 0026).
    pub shown: Shown,
}

impl Leaving<'_> {
    /// Writes the entry for a body that is about to leave.
    ///
    /// # Errors
    /// When it cannot be made durable: then the body must not leave.
    pub async fn record(&self, web: &Web, who: &SignedIn, body: &[u8]) -> Result<(), Problem> {
        // A customer's answers hold nothing but their own organization's data.
        let organization = match who.actor().is_staff() {
            true => self.organization,
            false => Some(who.actor().organization),
        };
        let (route, query, ids) = (self.route, &self.query, self.ids.as_slice());
        let page = Page { route, organization, query, ids, shown: &self.shown, body };
        web.app.record_page(who.actor(), &page).await?;
        Ok(())
    }
}

/// A page of records. It passes the gate like a page of the API: its entry is durable before it
/// leaves, else whoever wants to read unseen would read the pages for people. One entry per view.
///
/// # Errors
/// As [`page`], and when the entry cannot be written.
pub async fn gated(
    web: &Web,
    who: &SignedIn,
    status: StatusCode,
    leaving: Leaving<'_>,
    template: impl Template,
) -> Result<Response, Problem> {
    let html = template.render().map_err(|e| Problem::internal(format!("template: {e}")))?;
    leaving.record(web, who, html.as_bytes()).await?;
    Ok((status, Html(html)).into_response())
}
