//! `GET /attachments/{id}`: a file on its way out, through the gate.

use crate::problem::Problem;
use crate::session::SignedIn;
use crate::state::Web;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{
    CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue,
};
use axum::response::Response;
use warifu_domain::AttachmentId;

pub async fn download(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<AttachmentId>,
) -> Result<Response, Problem> {
    let download = web.app.open_attachment(who.actor(), id).await?;
    let mut response = Response::new(Body::from_stream(download.stream));
    let headers = response.headers_mut();
    // Never a type that a browser would show: what it is called and said to be is the sender's word.
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(CONTENT_LENGTH, download.attachment.bytes.into());
    let sandbox = HeaderValue::from_static("default-src 'none'; sandbox");
    headers.insert(CONTENT_SECURITY_POLICY, sandbox);
    let disposition = HeaderValue::from_str(&disposition(&download.attachment.name))
        .unwrap_or(HeaderValue::from_static("attachment"));
    headers.insert(CONTENT_DISPOSITION, disposition);
    Ok(response)
}

/// RFC 6266 with RFC 8187: a plain name for old programs, the real one in UTF-8 beside it.
fn disposition(name: &str) -> String {
    use std::fmt::Write;
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._- ".contains(c) { c } else { '_' };
    let ascii: String = name.chars().map(plain).collect();
    let mut out = format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''");
    for byte in name.bytes() {
        // attr-char of RFC 8187, section 3.2.1.
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            out.push(byte.into());
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_header() {
        assert_eq!(
            disposition("a \"b\"; x=1.har"),
            "attachment; filename=\"a _b__ x_1.har\"; filename*=UTF-8''a%20%22b%22%3B%20x%3D1.har"
        );
        assert_eq!(
            disposition("証.txt"),
            "attachment; filename=\"_.txt\"; filename*=UTF-8''%E8%A8%BC.txt"
        );
        assert!(!disposition("a\r\nb").contains('\n'));
    }
}
