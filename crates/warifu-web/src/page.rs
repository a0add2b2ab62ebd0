//! Templates as answers.

use crate::problem::Problem;
use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};

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
