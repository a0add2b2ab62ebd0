//! `POST /runs/{id}/download`: the file, once, as it is made.

use crate::csrf::Form;
use crate::problem::Problem;
use crate::session::{SignedIn, Staff};
use crate::state::Web;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::ToSchema;
use warifu_domain::RunId;

pub async fn download(
    State(web): State<Web>,
    who: Staff,
    Path(id): Path<RunId>,
    form: Form<Given>,
) -> Result<Response, Problem> {
    file(&web, &who, id, form.step_up.as_deref()).await
}

/// The proof of a step-up, where the report is a decision.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct Given {
    /// What `POST /step-up/verify` answered.
    pub step_up: Option<String>,
}

/// The file on its way out.
pub async fn file(
    web: &Web,
    who: &SignedIn,
    id: RunId,
    proof: Option<&str>,
) -> Result<Response, Problem> {
    let file = web.app.download_run(who.actor(), id, proof).await?;
    let mut response = Body::from_stream(file.body).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(file.media_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(length) = file.length {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    let disposition = HeaderValue::from_str(&attachment(&file.file_name))
        .map_err(|e| Problem::internal(e.to_string()))?;
    headers.insert(CONTENT_DISPOSITION, disposition);
    Ok(response)
}

/// `Content-Disposition` after RFC 6266: a plain name for old clients, the real one in UTF-8.
pub fn attachment(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' })
        .collect();
    let mut encoded = String::with_capacity(name.len() * 3);
    for byte in name.bytes() {
        // attr-char of RFC 8187.
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_of_every_script_survive() {
        assert_eq!(
            super::attachment("全員 \"a\".csv"),
            "attachment; filename=\"____a_.csv\"; filename*=UTF-8''%E5%85%A8%E5%93%A1%20%22a%22.csv"
        );
    }
}
