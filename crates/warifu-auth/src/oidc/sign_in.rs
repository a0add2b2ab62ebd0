//! Asking a provider who somebody is, and what its answer is worth.

use super::provider::{ALGORITHMS, Fetch, FetchError, Later, Sender};
use super::{Client, Discovered, OLD, OidcError, SKEW};
use chrono::{DateTime, TimeDelta, Utc};
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreResponseType,
    CoreRevocableToken, CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AdditionalClaims, AuthenticationContextClass, AuthenticationFlow, AuthorizationCode,
    ClaimsVerificationError, ClientId, ClientSecret, CsrfToken, EmptyExtraTokenFields,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, IdToken, IdTokenFields, IdTokenVerifier, Nonce,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError, StandardErrorResponse,
    StandardTokenResponse, TokenResponse,
};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use url::Url;
use warifu_domain::Timestamp;
use warifu_domain::time::SECOND;

/// The provider's name for its own session (OpenID Connect Back-Channel Logout 1.0, section 2.1).
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Sid {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
}

impl AdditionalClaims for Sid {}

type Fields = IdTokenFields<
    Sid,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;

type Known = openidconnect::Client<
    Sid,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    StandardTokenResponse<Fields, CoreTokenType>,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

fn known(client: &Client, discovered: &Discovered) -> Known {
    let secret = ClientSecret::new(client.secret.expose_secret().to_owned());
    let id = ClientId::new(client.client_id.clone());
    Known::from_provider_metadata(discovered.0.clone(), id, Some(secret))
        .set_redirect_uri(RedirectUrl::from_url(client.redirect.clone()))
}

/// What ties an answer to the question: none of them is used twice.
pub struct Asking {
    pub state: String,
    pub nonce: String,
    /// The secret half of PKCE: 43 to 128 unreserved characters.
    pub pkce: String,
    /// Whether the person has to prove themselves anew, whatever session they have at the provider.
    pub anew: bool,
}

/// The address at the provider where somebody signs in, phishing-resistant if it can.
pub fn ask(client: &Client, discovered: &Discovered, asking: &Asking) -> Url {
    let (state, nonce) = (asking.state.clone(), asking.nonce.clone());
    let pkce = PkceCodeVerifier::new(asking.pkce.clone());
    let known = known(client, discovered);
    let mut request = known
        .authorize_url(
            AuthenticationFlow::<CoreResponseType>::AuthorizationCode,
            move || CsrfToken::new(state),
            move || Nonce::new(nonce),
        )
        .add_auth_context_value(AuthenticationContextClass::new("phr".into()))
        .add_auth_context_value(AuthenticationContextClass::new("phrh".into()))
        .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&pkce));
    if asking.anew {
        request = request.set_max_age(Duration::ZERO).add_prompt(CoreAuthPrompt::Login);
    }
    request.url().0
}

/// A provider's answer that is not verified yet.
pub struct Answered(
    IdToken<Sid, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>,
);

/// Exchanges a code for the provider's statement.
///
/// # Errors
/// [`OidcError::Unreachable`], or [`OidcError::Refused`] for a code that is not good.
pub fn exchange(
    client: &Client,
    discovered: &Discovered,
    code: &str,
    pkce: &str,
    fetch: Arc<Fetch>,
) -> Later<Answered> {
    let known = known(client, discovered);
    let code = AuthorizationCode::new(code.to_owned());
    let pkce = PkceCodeVerifier::new(pkce.to_owned());
    Box::pin(async move {
        let request = known.exchange_code(code);
        let request = request.map_err(|e| OidcError::Unreachable(e.to_string()))?;
        let send = Sender(fetch);
        let answer = request.set_pkce_verifier(pkce).request_async(&send).await;
        let answer = answer.map_err(|e| match e {
            RequestTokenError::ServerResponse(said) => OidcError::Refused(said.to_string()),
            RequestTokenError::Request(FetchError(why)) => OidcError::Unreachable(why),
            other => OidcError::Unreachable(other.to_string()),
        })?;
        let token = answer.id_token().cloned();
        token.map(Answered).ok_or_else(|| OidcError::NotVerified("no ID token".into()))
    })
}

/// What a provider vouches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The person's name at the provider, which no other person there ever has.
    pub subject: String,
    pub sid: Option<String>,
    pub acr: Option<String>,
    pub amr: Vec<String>,
}

fn at(now: Timestamp) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(now.0).unwrap_or_default()
}

/// Verifies a statement: issuer, audience, signature, expiry, nonce, and its age (OpenID Connect
/// Core 1.0, section 3.1.3.7). Asked `anew` at some time, it must have been made after that.
///
/// # Errors
/// [`OidcError::Key`] when it is signed with a key that is not known; else
/// [`OidcError::NotVerified`].
pub fn verify(
    client: &Client,
    discovered: &Discovered,
    answered: &Answered,
    nonce: &str,
    (now, anew): (Timestamp, Option<Timestamp>),
) -> Result<Statement, OidcError> {
    let time = at(now);
    let fresh = anew.map(|asked| at(Timestamp(asked.0 - SKEW * SECOND)));
    let verifier = IdTokenVerifier::new_confidential_client(
        ClientId::new(client.client_id.clone()),
        ClientSecret::new(client.secret.expose_secret().to_owned()),
        discovered.0.issuer().clone(),
        discovered.0.jwks().clone(),
    )
    .set_allowed_algs(ALGORITHMS)
    .set_time_fn(move || time - TimeDelta::seconds(SKEW))
    .set_issue_time_verifier_fn(move |issued| {
        let age = (time - issued).num_seconds();
        if (-SKEW..=OLD).contains(&age) { Ok(()) } else { Err(format!("issued {age} s ago")) }
    })
    .set_auth_time_verifier_fn(move |proved| match (fresh, proved) {
        (None, _) => Ok(()),
        (Some(fresh), Some(proved)) if proved >= fresh => Ok(()),
        _ => Err("not proved anew".into()),
    });
    let claims =
        answered.0.claims(&verifier, &Nonce::new(nonce.to_owned())).map_err(|e| match e {
            ClaimsVerificationError::SignatureVerification(e) => OidcError::Key(e.to_string()),
            other => OidcError::NotVerified(other.to_string()),
        })?;
    // Several audiences need a word about whom it was made for (section 3.1.3.7, 4 and 5).
    let party = claims.authorized_party();
    if party.is_some_and(|p| p.as_str() != client.client_id) {
        return Err(OidcError::NotVerified("made for another party".into()));
    }
    let amr = claims.auth_method_refs().map(Vec::as_slice).unwrap_or_default();
    Ok(Statement {
        subject: claims.subject().to_string(),
        sid: claims.additional_claims().sid.clone(),
        acr: claims.auth_context_ref().map(|acr| acr.to_string()),
        amr: amr.iter().map(|m| m.to_string()).collect(),
    })
}
