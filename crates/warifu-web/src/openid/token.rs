//! `POST /openid/token`, `/openid/userinfo`: what clients call, without a browser. They use no cookie, so
//! nothing here can be forged by a page of another site.

use crate::problem::Problem;
use crate::state::Web;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{AppendHeaders, IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;
use url::form_urlencoded;
use warifu_app::applications::openid::{TOKEN, user_info};
use warifu_domain::time::SECOND;

/// Largest request in bytes.
const BODY_LIMIT: usize = 16 << 10;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Request {
    grant_type: String,
    code: String,
    redirect_uri: String,
    code_verifier: String,
    client_id: Option<String>,
    client_secret: Option<String>,
}

/// Name and secret of `Authorization: Basic`, each form-encoded (RFC 6749, section 2.3.1).
pub(crate) fn basic(headers: &HeaderMap) -> Result<Option<(String, String)>, ()> {
    let Some(value) = headers.get(AUTHORIZATION) else { return Ok(None) };
    let text = value.to_str().map_err(drop)?;
    let (scheme, encoded) = text.split_once(' ').ok_or(())?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(());
    }
    let decoded = STANDARD.decode(encoded.trim()).map_err(drop)?;
    let decoded = String::from_utf8(decoded).map_err(drop)?;
    let (name, secret) = decoded.split_once(':').ok_or(())?;
    let plain = |text: &str| {
        let pair = format!("v={text}");
        form_urlencoded::parse(pair.as_bytes()).next().map(|(_, v)| v.into_owned())
    };
    match (plain(name), plain(secret)) {
        (Some(name), Some(secret)) => Ok(Some((name, secret))),
        _ => Err(()),
    }
}

fn error(status: StatusCode, name: &str) -> Response {
    (status, Json(json!({ "error": name }))).into_response()
}

/// Whoever it is, they are not let in by what they sent.
fn unknown_client() -> Response {
    let asks = AppendHeaders([(WWW_AUTHENTICATE, "Basic realm=\"warifu\"")]);
    (asks, error(StatusCode::UNAUTHORIZED, "invalid_client")).into_response()
}

/// `POST /openid/token`
pub async fn token(
    State(web): State<Web>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let invalid = || Ok(error(StatusCode::BAD_REQUEST, "invalid_request"));
    let kind = headers.get("content-type").and_then(|v| v.to_str().ok()).unwrap_or_default();
    if body.len() > BODY_LIMIT || !kind.starts_with("application/x-www-form-urlencoded") {
        return invalid();
    }
    let Ok(request) = serde_html_form::from_bytes::<Request>(&body) else { return invalid() };
    let Ok(shown) = basic(&headers) else { return Ok(unknown_client()) };
    // One way of proving who it is, not two.
    let (client_id, secret) = match (shown, request.client_id, request.client_secret) {
        (Some((name, secret)), None, None) => (name, Some(secret)),
        (Some((name, secret)), Some(id), None) if id == name => (name, Some(secret)),
        (None, Some(id), secret) => (id, secret),
        _ => return Ok(unknown_client()),
    };
    let client = web.app.authenticated_client(&client_id, secret.as_deref()).await?;
    let Some(client) = client else { return Ok(unknown_client()) };
    if request.grant_type != "authorization_code" {
        return Ok(error(StatusCode::BAD_REQUEST, "unsupported_grant_type"));
    }
    let issuer = web.config.origin_text();
    let given =
        (request.code.as_str(), request.redirect_uri.as_str(), request.code_verifier.as_str());
    let made = web.app.exchange(&issuer, &client, given, &web.config.sessions).await?;
    let Some(made) = made else {
        return Ok(error(StatusCode::BAD_REQUEST, "invalid_grant"));
    };
    let answer = json!({
        "access_token": made.access.text(), "token_type": "Bearer", "expires_in": TOKEN / SECOND,
        "id_token": made.id_token, "scope": made.scope,
    });
    Ok(Json(answer).into_response())
}

/// `GET /openid/userinfo`, `POST /openid/userinfo`
pub async fn userinfo(State(web): State<Web>, headers: HeaderMap) -> Result<Response, Problem> {
    let value = headers.get(AUTHORIZATION).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let token = value.split_once(' ').filter(|(s, _)| s.eq_ignore_ascii_case("bearer"));
    let token = token.map_or("", |(_, token)| token.trim());
    match web.app.bearer(token, &web.config.sessions).await? {
        Ok(visitor) => Ok(Json(user_info(&visitor.standing)).into_response()),
        Err(_) => {
            let asks = AppendHeaders([(WWW_AUTHENTICATE, "Bearer error=\"invalid_token\"")]);
            Ok((asks, error(StatusCode::UNAUTHORIZED, "invalid_token")).into_response())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    fn of(value: &str) -> Result<Option<(String, String)>, ()> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_str(value).map_err(drop)?);
        basic(&headers)
    }

    #[test]
    fn names_and_secrets_are_read_as_the_standard_writes_them() {
        let basic = |text: &str| of(&format!("Basic {}", STANDARD.encode(text)));
        assert_eq!(basic("id:s%3Ae+c"), Ok(Some(("id".into(), "s:e c".into()))));
        assert!(basic("no secret").is_err() && of("Bearer x").is_err() && of("Basic").is_err());
        assert_eq!(super::basic(&HeaderMap::new()), Ok(None));
    }

    proptest! {
        #[test]
        fn bytes_of_any_kind_do_no_harm(text in "[ -~]{0,60}", bytes in any::<Vec<u8>>()) {
            let _ = of(&text);
            let _ = of(&format!("Basic {}", STANDARD.encode(&bytes)));
        }
    }
}
