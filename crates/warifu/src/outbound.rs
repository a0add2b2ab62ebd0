//! The one place from which connections leave the server by themselves: in bounded time, and never on to
//! where an answer points.

use std::sync::Arc;
use std::time::Duration;
use warifu_app::oidc::Outbound;
use warifu_auth::oidc::{FetchError, Fetched, HttpRequest, HttpResponse};

/// How long an identity provider may take.
const PATIENCE: Duration = Duration::from_secs(8);
/// Largest answer in bytes; a provider's description with its keys has some ten thousand.
const LARGEST: usize = 512 << 10;

/// A client whose answers come within a time.
///
/// # Errors
/// When there is no TLS to be had, such as without root certificates.
pub fn client(patience: Duration) -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(patience / 2)
        .timeout(patience)
        .referer(false)
        .user_agent("Warifu")
        .build()
}

/// The way to identity providers.
pub fn providers() -> Outbound {
    let client = client(PATIENCE).map_err(|e| said(&e));
    Outbound::new(Arc::new(move |request| -> Fetched {
        let client = client.clone();
        Box::pin(
            async move { send(client.map_err(FetchError)?, request).await.map_err(FetchError) },
        )
    }))
}

fn said(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {}", said(cause)))
}

async fn send(client: reqwest::Client, request: HttpRequest) -> Result<HttpResponse, String> {
    let (parts, body) = request.into_parts();
    let request = client.request(parts.method, parts.uri.to_string());
    let mut answer =
        request.headers(parts.headers).body(body).send().await.map_err(|e| said(&e))?;
    let mut whole = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|e| said(&e))? {
        if whole.len() + chunk.len() > LARGEST {
            return Err("the answer is too large".into());
        }
        whole.extend_from_slice(&chunk);
    }
    let mut response = HttpResponse::new(whole);
    *response.status_mut() = answer.status();
    *response.headers_mut() = answer.headers().clone();
    Ok(response)
}
