//! `GET /openid/end-session`: somebody signed out at a client (OpenID Connect RP-Initiated Logout 1.0).
//!
//! A session is ended without asking only where the client shows an ID token of just that session: a link
//! of another site's signs nobody out.

use crate::problem::Problem;
use crate::session::{SignedIn, no_cookie};
use crate::state::Web;
use axum::extract::{Query, State};
use axum::http::header::SET_COOKIE;
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use serde::Deserialize;
use url::Url;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    id_token_hint: String,
    client_id: Option<String>,
    post_logout_redirect_uri: Option<String>,
    state: Option<String>,
}

/// What the hint says, if this server signed it.
async fn hint(web: &Web, token: &str) -> Result<Option<(String, String)>, Problem> {
    let keys = web.app.token_keys().await?;
    let claims = keys.all().iter().find_map(|key| key.claims(token));
    let claims = claims.filter(|c| c["iss"] == web.config.origin_text());
    let text = |name: &str| claims.as_ref()?.get(name)?.as_str().map(str::to_owned);
    // A logout token is none.
    Ok(text("aud")
        .zip(text("sid"))
        .filter(|_| claims.as_ref().is_some_and(|c| c["events"].is_null())))
}

pub async fn end_session(
    State(web): State<Web>,
    me: Option<SignedIn>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let hint = hint(&web, &asked.id_token_hint).await?;
    let hint = hint.filter(|(client, _)| asked.client_id.as_ref().is_none_or(|id| id == client));
    let mut to = String::from("/signed-out");
    if let (Some((client, _)), Some(wanted)) = (&hint, &asked.post_logout_redirect_uri)
        && let Some(client) = web.app.client(client).await?
        && client.logout_uris.contains(wanted)
        && let Ok(mut url) = Url::parse(wanted)
    {
        if let Some(state) = &asked.state {
            url.query_pairs_mut().append_pair("state", state);
        }
        to = url.into();
    }
    let Some(me) = me else { return Ok(Redirect::to(&to).into_response()) };
    let own = match &hint {
        Some((_, sid)) => web.app.is_of_session(sid, &me.session).await?,
        None => false,
    };
    if !own {
        // Their own sessions, and the button that ends this one.
        return Ok(Redirect::to("/account/sessions").into_response());
    }
    web.app.sign_out(&me.session).await?;
    Ok((AppendHeaders([(SET_COOKIE, no_cookie())]), Redirect::to(&to)).into_response())
}
