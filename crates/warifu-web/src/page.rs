//! Templates as answers.

use crate::problem::Problem;
use crate::session::SignedIn;
use crate::state::Web;
use crate::views::errors::ReadOn;
use crate::views::shell::Shell;
use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use warifu_app::AppError;
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
    /// Whose records it shows: their organizations are told (decision 0026), and they count against how many
    /// somebody is shown within a day (decision 0027).
    pub shown: Shown,
}

impl Leaving<'_> {
    /// Writes the entry for a body that is about to leave.
    ///
    /// # Errors
    /// When it cannot be made durable, or more people would be shown than may be: then the body must not leave.
    pub async fn record(&self, web: &Web, who: &SignedIn, body: &[u8]) -> Result<(), AppError> {
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
/// leaves, else whoever wants to read unseen would read the pages for people. One entry per view. Where it
/// would show more people than may be shown, it asks for the key in its place.
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
    match leaving.record(web, who, html.as_bytes()).await {
        Ok(()) => Ok((status, Html(html)).into_response()),
        Err(AppError::ReadOn { people }) => {
            // What was sent is not sent again: after a form that is shown anew the way goes on from the start.
            let next = if status == StatusCode::OK { &who.here } else { "/" };
            read_on(web, who, people, next)
        }
        Err(e) => Err(e.into()),
    }
}

/// Asks for the key in place of a page with more people than may be shown, and leads back to it.
///
/// # Errors
/// As [`page`].
pub fn read_on(
    web: &Web,
    who: &SignedIn,
    people: u64,
    next: impl Into<String>,
) -> Result<Response, Problem> {
    let shell = Shell {
        lang: who.taste.lang,
        theme: who.taste.theme,
        installation: web.app.config.name.clone(),
        csrf: who.session.csrf.clone(),
        device: who.device(),
        ..Shell::default()
    };
    let (people, next) = (i64::try_from(people).unwrap_or(i64::MAX), next.into());
    page_with(StatusCode::FORBIDDEN, ReadOn { shell, people, next })
}
