//! Requests to identity providers: to declared hosts only, in bounded time, of bounded size, and
//! never on to where an answer points.

use std::sync::{Arc, OnceLock};
use std::time::Duration;
use url::Url;
use warifu_auth::oidc::{
    Fetch, FetchError, Fetched, HttpRequest, HttpResponse, OidcError, is_declared,
};

const CONNECT: Duration = Duration::from_secs(4);
const WHOLE: Duration = Duration::from_secs(8);
/// Largest answer in bytes; a provider's description with its keys has some ten thousand.
const LARGEST: usize = 512 << 10;

/// Made when it is first needed: it reads the system's root certificates.
#[derive(Default)]
pub(super) struct Outbound(OnceLock<Result<reqwest::Client, String>>);

impl Outbound {
    /// What sends requests to these hosts.
    ///
    /// # Errors
    /// When there is no TLS to be had, such as without root certificates.
    pub fn to(&self, hosts: Vec<String>) -> Result<Arc<Fetch>, OidcError> {
        let client = self.0.get_or_init(|| {
            reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .connect_timeout(CONNECT)
                .timeout(WHOLE)
                .referer(false)
                .user_agent("Warifu")
                .build()
                .map_err(|e| said(&e))
        });
        let client = client.clone().map_err(OidcError::Unreachable)?;
        Ok(Arc::new(move |request| -> Fetched {
            let (client, hosts) = (client.clone(), hosts.clone());
            Box::pin(async move { send(&client, &hosts, request).await.map_err(FetchError) })
        }))
    }
}

fn said(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {}", said(cause)))
}

async fn send(
    client: &reqwest::Client,
    hosts: &[String],
    request: HttpRequest,
) -> Result<HttpResponse, String> {
    let (parts, body) = request.into_parts();
    let url = Url::parse(&parts.uri.to_string()).map_err(|e| e.to_string())?;
    if !is_declared(&url, hosts) {
        return Err(format!("{url} is on no declared host"));
    }
    let request = client.request(parts.method, url).headers(parts.headers).body(body);
    let mut answer = request.send().await.map_err(|e| said(&e))?;
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
