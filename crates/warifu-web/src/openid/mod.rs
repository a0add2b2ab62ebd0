//! An OpenID provider for the company's applications: authorization code with PKCE, and nothing else
//! (OpenID Connect Core 1.0, Discovery 1.0, RP-Initiated Logout 1.0, Back-Channel Logout 1.0; RFC 9207).

pub mod authorize;
pub mod end_session;
pub mod token;

use crate::problem::Problem;
use crate::state::Web;
use axum::Json;
use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::response::{AppendHeaders, IntoResponse, Response};
use serde_json::json;
use warifu_auth::openid::TokenKey;

/// `GET /.well-known/openid-configuration`
pub async fn configuration(State(web): State<Web>) -> Response {
    let issuer = web.config.origin_text();
    let at = |path: &str| format!("{issuer}{path}");
    let document = json!({
        "issuer": issuer,
        "authorization_endpoint": at("/openid/authorize"),
        "token_endpoint": at("/openid/token"),
        "userinfo_endpoint": at("/openid/userinfo"),
        "jwks_uri": at("/openid/keys"),
        "end_session_endpoint": at("/openid/end-session"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": ["openid", "profile", "email"],
        "claims_supported": ["iss", "sub", "aud", "iat", "exp", "auth_time", "nonce", "acr", "amr", "sid", "name", "roles", "email"],
        "acr_values_supported": ["phr", "phrh"],
        "prompt_values_supported": ["none", "login"],
        "authorization_response_iss_parameter_supported": true,
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
        "claims_parameter_supported": false,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
    });
    Json(document).into_response()
}

/// `GET /openid/keys`: the key that signs, the next, and the one of before. A client that keeps them for an
/// hour never misses one.
pub async fn keys(State(web): State<Web>) -> Result<Response, Problem> {
    let keys = web.app.token_keys().await?;
    let keys: Vec<_> = keys.all().iter().map(TokenKey::jwk).collect();
    let kept = AppendHeaders([(CACHE_CONTROL, "public, max-age=3600")]);
    Ok((kept, Json(json!({ "keys": keys }))).into_response())
}
