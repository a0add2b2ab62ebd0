//! What a provider says about itself (OpenID Connect Discovery 1.0).

use super::OidcError;
use openidconnect::core::{CoreJsonWebKey, CoreJwsSigningAlgorithm};
use openidconnect::{
    AsyncHttpClient, ClientId, DiscoveryError, HttpRequest, HttpResponse, IssuerUrl, LogoutRequest,
    PostLogoutRedirectUrl, ProviderMetadataWithLogout,
};
use std::pin::Pin;
use std::sync::Arc;
use url::{Host, Url};

/// A request that is on its way.
pub type Fetched = Pin<Box<dyn Future<Output = Result<HttpResponse, FetchError>> + Send>>;
/// Sends a request to a provider.
pub type Fetch = dyn Fn(HttpRequest) -> Fetched + Send + Sync;

/// The library's view of [`Fetch`]: a type with a name, else its futures are not known to be `Send`.
pub(super) struct Sender(pub Arc<Fetch>);

impl AsyncHttpClient<'_> for Sender {
    type Error = FetchError;
    type Future = Fetched;

    fn call(&self, request: HttpRequest) -> Fetched {
        self.0(request)
    }
}

/// Something that is being asked for.
pub type Later<T> = Pin<Box<dyn Future<Output = Result<T, OidcError>> + Send>>;

/// Why a request got no answer.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct FetchError(pub String);

/// Whether a request may go to an address: to one of the declared hosts, over TLS; without it only
/// within this machine.
pub fn is_declared(url: &Url, hosts: &[String]) -> bool {
    let Some(host) = url.host() else { return false };
    let within = match &host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(ip) => ip.is_loopback(),
        Host::Ipv6(ip) => ip.is_loopback(),
    };
    let scheme = url.scheme() == "https" || url.scheme() == "http" && within;
    let host = host.to_string();
    scheme && url.username().is_empty() && url.password().is_none() && hosts.contains(&host)
}

/// A provider's own description with its keys.
#[derive(Clone, Debug)]
pub struct Discovered(pub(super) ProviderMetadataWithLogout);

impl Discovered {
    /// Asks the provider.
    ///
    /// # Errors
    /// [`OidcError::Unreachable`], also when it calls itself something else than it was asked as.
    pub fn read(issuer: String, fetch: Arc<Fetch>) -> Later<Discovered> {
        Box::pin(async move {
            let issuer = IssuerUrl::new(issuer);
            let issuer = issuer.map_err(|e| OidcError::Unreachable(e.to_string()))?;
            let client = Sender(fetch);
            let found = ProviderMetadataWithLogout::discover_async(issuer, &client).await;
            found.map(Discovered).map_err(|e: DiscoveryError<FetchError>| {
                let cause = std::error::Error::source(&e).map(|c| format!(": {c}"));
                OidcError::Unreachable(format!("{e}{}", cause.unwrap_or_default()))
            })
        })
    }

    /// Where it will be asked, and where people are sent.
    pub fn addresses(&self) -> Vec<Url> {
        let meta = &self.0;
        let mut all =
            vec![meta.authorization_endpoint().url().clone(), meta.jwks_uri().url().clone()];
        all.extend(meta.token_endpoint().map(|u| u.url().clone()));
        all.extend(self.end_session_endpoint().map(|u| u.url().clone()));
        all
    }

    fn end_session_endpoint(&self) -> Option<&openidconnect::EndSessionUrl> {
        self.0.additional_metadata().end_session_endpoint.as_ref()
    }

    /// Where somebody signs out at the provider as well (OpenID Connect RP-Initiated Logout 1.0).
    pub fn end_session(&self, client_id: &str, back: &Url) -> Option<Url> {
        let request = LogoutRequest::from(self.end_session_endpoint()?.clone())
            .set_client_id(ClientId::new(client_id.to_owned()))
            .set_post_logout_redirect_uri(PostLogoutRedirectUrl::from_url(back.clone()));
        Some(request.http_get_url())
    }

    pub(super) fn keys(&self) -> &[CoreJsonWebKey] {
        self.0.jwks().keys()
    }
}

/// Signatures that are accepted: with a public key only. Never `none`, and no shared secret.
pub(super) const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_declared_hosts_over_tls_are_asked() {
        let hosts =
            ["id.example.com", "127.0.0.1", "localhost", "[::1]", "10.0.0.1"].map(str::to_owned);
        let may = |url: &str| is_declared(&Url::parse(url).unwrap(), &hosts);
        for yes in [
            "https://id.example.com/x",
            "https://ID.example.com:8443/",
            "http://127.0.0.1:3000/jwks",
            "http://localhost/",
            "http://[::1]:8/",
            "https://10.0.0.1/",
        ] {
            assert!(may(yes), "{yes}");
        }
        for no in [
            "http://id.example.com/x",
            "https://example.com/",
            "https://id.example.com.evil.example/",
            "https://id.example.com@evil.example/",
            "https://a:b@id.example.com/",
            "http://10.0.0.1/",
            "http://169.254.169.254/latest",
            "file:///etc/passwd",
            "ftp://id.example.com/",
        ] {
            assert!(!may(no), "{no}");
        }
    }
}
