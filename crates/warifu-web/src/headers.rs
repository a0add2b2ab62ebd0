//! Headers that every answer carries.

use crate::i18n::Lang;
use crate::lang;
use crate::state::Web;
use axum::extract::Request;
use axum::http::header::{self, HeaderName};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;

/// No inline script or style, nothing from elsewhere, no framing; text becomes markup only in the
/// one Trusted Types policy of `assets/swap.js`.
pub const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; \
    base-uri 'none'; require-trusted-types-for 'script'; trusted-types warifu";

/// Two years, as the preload lists ask for; preloading is the operator's decision.
const HSTS: &str = "max-age=63072000; includeSubDomains";

const PERMISSIONS: &str = "accelerometer=(), browsing-topics=(), camera=(), display-capture=(), \
    geolocation=(), gyroscope=(), microphone=(), midi=(), payment=(), usb=(), serial=(), hid=(), \
    publickey-credentials-create=(self), publickey-credentials-get=(self), clipboard-write=(self)";

/// Adds them, and the language that the address asked for. A handler may set its own content security
/// policy and cache rule (attachments, assets); the others cannot be changed.
pub fn secure(web: &Web, asked: Option<Lang>, headers: &mut HeaderMap) {
    let secure = web.config.secure();
    if let Some(lang) = asked
        && let Ok(value) = HeaderValue::from_str(&lang::lang_cookie(lang, secure))
    {
        headers.append(header::SET_COOKIE, value);
    }
    let or = |headers: &mut HeaderMap, name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    // The listener for certificates is a way on from forms of ours.
    if let Some(certificates) = &web.config.certificates
        && !headers.contains_key(header::CONTENT_SECURITY_POLICY)
        && let Ok(wider) = HeaderValue::from_str(&CSP.replace(
            "form-action 'self'",
            &format!("form-action 'self' {}", certificates.origin_text()),
        ))
    {
        headers.insert(header::CONTENT_SECURITY_POLICY, wider);
    }
    or(headers, header::CONTENT_SECURITY_POLICY, CSP);
    or(headers, header::CACHE_CONTROL, "no-store");
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("permissions-policy", PERMISSIONS),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if secure {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(HSTS));
    }
}

/// `GET /assets/…`: embedded files under names with their digest, so they never change.
pub async fn asset(request: Request) -> Result<Response, crate::problem::Problem> {
    let found = crate::assets::at(request.uri().path());
    let asset = found.ok_or_else(crate::problem::Problem::not_found)?;
    let tag = format!("\"{}\"", asset.url.trim_start_matches("/assets/"));
    let seen = request.headers().get(header::IF_NONE_MATCH);
    let same = seen.and_then(|v| v.to_str().ok()).is_some_and(|v| v.contains(&tag));
    let mut response = if same {
        let mut response = Response::default();
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        Response::new(asset.bytes.into())
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.mime));
    let forever = HeaderValue::from_static("public, max-age=31536000, immutable");
    headers.insert(header::CACHE_CONTROL, forever);
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    Ok(response)
}
