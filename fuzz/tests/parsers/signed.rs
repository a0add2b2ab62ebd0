//! What others sign: proofs of devices, assertions and proofs of programs, logout tokens, certificates, keys.
//!
//! Only what a key signed is taken, to the byte; and of what is signed (here by the fuzzer itself, which holds
//! the key) only what another reading finds fitting.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use futures_util::FutureExt as _;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use proptest::prelude::*;
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair,
};
use serde_json::{Value, json};
use std::sync::Arc;
use warifu_auth::oidc::{Discovered, HttpRequest, HttpResponse, LogoutToken, who_is_meant};
use warifu_auth::{
    DeviceKey, PolicyOid, ProvenRequest, ServiceKey, ServiceRequest, Trust, claimed_client, digest,
    read_refresh, read_registration, read_request, verify_assertion, verify_dpop,
};
use warifu_domain::Timestamp;
use warifu_fuzz::{Input, fuzz, inputs};

const AT: i64 = 1_900_000_000;
const NOW: Timestamp = Timestamp(AT * 1_000_000);
const URL: &str = "https://desk.example/api/v1/cases";
const WORDS: [&str; 16] = [
    "\"crit\":[\"b64\"],",
    "\"alg\":\"none\",",
    "\"alg\":\"HS256\",",
    "null",
    "{}",
    "[]",
    "\"d\":\"AA\",",
    "1e999",
    ".",
    "..",
    "\"\\u0000\"",
    "-1",
    "{",
    "ES256",
    "9223372036854775807",
    "\"",
];

fn key() -> SigningKey {
    SigningKey::from_slice(&[7; 32]).unwrap()
}

fn jwk() -> Value {
    let point = key().verifying_key().to_sec1_point(false);
    let half = |range: std::ops::Range<usize>| BASE64.encode(&point.as_bytes()[range]);
    json!({ "kty": "EC", "crv": "P-256", "x": half(1..33), "y": half(33..65) })
}

fn signed(header: &[u8], claims: &[u8]) -> String {
    let signed = format!("{}.{}", BASE64.encode(header), BASE64.encode(claims));
    let signature: Signature = key().sign(signed.as_bytes());
    format!("{signed}.{}", BASE64.encode(signature.to_bytes()))
}

/// Headers and claims, damaged and then signed; and one whole token, damaged after it was signed.
fn tokens(
    header: &[Value],
    claims: &[Value],
) -> impl Strategy<Value = (Input, Input, Input)> + use<> {
    let texts = |all: &[Value]| all.iter().map(Value::to_string).collect::<Vec<_>>();
    let (headers, claims) = (texts(header), texts(claims));
    let whole: Vec<String> = headers
        .iter()
        .flat_map(|h| claims.iter().map(|c| signed(h.as_bytes(), c.as_bytes())))
        .collect();
    (inputs(&headers, &WORDS), inputs(&claims, &WORDS), inputs(&whole, &[".", "=", "AA", "\u{0}"]))
}

/// Whether a text that passed is one that was signed: damage changes something, or nothing.
fn genuine(text: &str, headers: &[Value], claims: &[Value]) -> bool {
    let all = headers.iter().flat_map(|h| claims.iter().map(move |c| (h, c)));
    all.into_iter().any(|(h, c)| signed(h.to_string().as_bytes(), c.to_string().as_bytes()) == text)
}

/// What another reader finds in it; members that are not asked for need not even be text for ours.
fn read(input: &Input) -> Option<Value> {
    serde_json::from_slice(&input.0).ok()
}

#[test]
fn fuzzed_proofs_of_devices() {
    let body = digest(b"body");
    let request = ProvenRequest { method: "POST", url: URL, body: &body };
    let headers =
        ["dbsc+jwt", "dpop+jwt"].map(|t| json!({ "alg": "ES256", "typ": t, "jwk": jwk() }));
    let claims = [
        json!({ "jti": "challenge", "authorization": "secret" }),
        json!({ "htm": "POST", "htu": URL, "nonce": "n", "body": BASE64.encode(body) }),
    ];
    let device =
        DeviceKey::from_bytes(key().verifying_key().to_sec1_point(false).as_bytes()).unwrap();
    fuzz("proofs of devices", tokens(&headers, &claims), |(header, payload, whole)| {
        let whole = whole.text();
        let taken = [
            read_registration(&whole).is_ok(),
            read_refresh(&whole, &device).is_ok(),
            read_request(&whole, None, request).is_ok(),
            read_request(&whole, Some(&device), request).is_ok(),
        ];
        assert!(taken == [false; 4] || genuine(&whole, &headers, &claims), "a damaged proof holds");
        let text = signed(&header.0, &payload.0);
        if let Some(made) = DeviceKey::from_bytes(&payload.0) {
            assert_eq!(DeviceKey::from_bytes(&made.bytes()), Some(made));
        }
        let _ = (
            read_registration(&text),
            read_refresh(&text, &device),
            read_request(&text, None, request),
        );
        let (Some(header), Some(said)) = (read(&header), read(&payload)) else { return };
        let fits = |typ: &str| {
            assert_eq!((&header["alg"], &header["typ"]), (&json!("ES256"), &json!(typ)));
            assert!(header["crit"].is_null() && header["jwk"]["d"].is_null());
        };
        if let Ok((used, jti, authorization)) = read_registration(&text) {
            fits("dbsc+jwt");
            assert_eq!(used, device);
            assert_eq!([&said["jti"], &said["authorization"]], [&jti, &authorization]);
        }
        if let Ok(jti) = read_refresh(&text, &device) {
            fits("dbsc+jwt");
            assert_eq!(said["jti"], jti);
        }
        if let Ok((_, nonce)) = read_request(&text, Some(&device), request) {
            fits("dpop+jwt");
            let expected = json!(["POST", URL, nonce, BASE64.encode(body)]);
            assert_eq!(json!([said["htm"], said["htu"], said["nonce"], said["body"]]), expected);
        }
    });
}

#[test]
fn fuzzed_assertions_and_proofs_of_programs() {
    let headers = [
        json!({ "alg": "ES256", "typ": "JWT" }),
        json!({ "alg": "ES256", "typ": "dpop+jwt", "jwk": jwk() }),
    ];
    let claims = [
        json!({ "iss": "svc-1", "sub": "svc-1", "aud": "t", "exp": AT + 60, "iat": AT, "jti": "j" }),
        json!({ "iss": "svc-1", "sub": "svc-1", "aud": ["t"], "exp": AT + 300, "nbf": AT, "jti": "k" }),
        json!({ "htm": "GET", "htu": URL, "iat": AT, "jti": "j" }),
    ];
    let public = ServiceKey::parse(&jwk().to_string()).unwrap();
    let request = ServiceRequest { method: "GET", url: URL, token: None };
    let keys = inputs(
        &[
            jwk().to_string(),
            json!({ "kty": "OKP", "crv": "Ed25519", "x": BASE64.encode([9; 32]) }).to_string(),
        ],
        &WORDS,
    );
    fuzz(
        "assertions and proofs of programs",
        (tokens(&headers, &claims), keys),
        |((header, payload, whole), text)| {
            let whole = whole.text();
            let taken = verify_assertion(&whole, &public, "svc-1", "t", NOW).is_ok()
                || verify_dpop(&whole, request, NOW).is_ok();
            assert!(!taken || genuine(&whole, &headers, &claims), "a damaged token holds");
            if let Ok(key) = ServiceKey::parse(&text.text()) {
                let again = ServiceKey::parse(&key.text()).expect("what is written is read");
                assert_eq!(again.thumbprint(), key.thumbprint());
                assert!(!key.text().contains("\"d\""));
            }
            let jwt = signed(&header.0, &payload.0);
            let _ = (
                verify_assertion(&jwt, &public, "svc-1", "t", NOW),
                verify_dpop(&jwt, request, NOW),
            );
            let client = claimed_client(&jwt);
            let (Some(header), Some(said)) = (read(&header), read(&payload)) else { return };
            if let Some(client) = client {
                assert_eq!(said["sub"], client);
            }
            let time = |name: &str| said[name].as_i64();
            if let Ok(assertion) = verify_assertion(&jwt, &public, "svc-1", "t", NOW) {
                assert_eq!(
                    (&said["iss"], &said["sub"], &said["jti"]),
                    (&json!("svc-1"), &json!("svc-1"), &json!(assertion.jti))
                );
                assert!(said["aud"] == "t" || said["aud"] == json!(["t"]));
                assert_eq!(time("exp"), Some(assertion.until));
                assert!((AT + 1..=AT + 330).contains(&assertion.until));
                assert!(["iat", "nbf"].into_iter().all(|n| time(n).is_none_or(|t| t <= AT + 30)));
                assert!(header["alg"] == "ES256" && header["crit"].is_null());
            }
            if let Ok(proof) = verify_dpop(&jwt, request, NOW) {
                assert!(
                    header["typ"] == "dpop+jwt"
                        && header["alg"] == "ES256"
                        && header["crit"].is_null()
                );
                assert!(header["jwk"]["d"].is_null() && said["ath"].is_null());
                assert!(
                    said["htm"] == "GET"
                        && time("iat").is_some_and(|t| (AT - 60..=AT + 30).contains(&t))
                );
                assert!(
                    said["htu"].as_str().is_some_and(|u| u.split(['?', '#']).next() == Some(URL))
                );
                assert_eq!(Some(proof.thumbprint), public.thumbprint());
            }
        },
    );
}

const ISSUER: &str = "https://id.example";

/// A provider whose one key is ours.
fn provider() -> Discovered {
    let fetch = |request: HttpRequest| {
        let body = if request.uri().path().ends_with("openid-configuration") {
            json!({
                "issuer": ISSUER, "authorization_endpoint": format!("{ISSUER}/a"), "token_endpoint": format!("{ISSUER}/t"),
                "jwks_uri": format!("{ISSUER}/k"), "response_types_supported": ["code"],
                "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["ES256"],
            })
        } else {
            let mut key = jwk();
            key["kid"] = "k".into();
            key["use"] = "sig".into();
            json!({ "keys": [key] })
        };
        let mut answer = HttpResponse::new(body.to_string().into_bytes());
        let kind = "application/json".parse().expect("a header's value");
        answer.headers_mut().insert("content-type", kind);
        std::future::ready(Ok(answer)).boxed() as warifu_auth::oidc::Fetched
    };
    let read = Discovered::read(ISSUER.to_owned(), Arc::new(fetch));
    read.now_or_never().expect("nothing is waited for").expect("a provider")
}

#[test]
fn fuzzed_logout_tokens() {
    let events = json!({ "http://schemas.openid.net/event/backchannel-logout": {} });
    let headers =
        [json!({ "alg": "ES256", "typ": "logout+jwt", "kid": "k" }), json!({ "alg": "ES256" })];
    let claims = [
        json!({ "iss": ISSUER, "aud": "warifu", "iat": AT, "exp": AT + 120, "jti": "1", "sub": "p", "events": events }),
        json!({ "iss": ISSUER, "aud": ["a", "warifu"], "iat": AT, "exp": AT + 120, "jti": "2", "sid": "s", "events": events }),
    ];
    let provider = provider();
    let whole = signed(headers[0].to_string().as_bytes(), claims[0].to_string().as_bytes());
    assert!(LogoutToken::verified(&whole, &provider, "warifu", NOW).is_ok());
    fuzz("logout tokens", tokens(&headers, &claims), |(header, payload, whole)| {
        let whole = whole.text();
        let taken = LogoutToken::verified(&whole, &provider, "warifu", NOW).is_ok();
        assert!(!taken || genuine(&whole, &headers, &claims), "a damaged token holds");
        let token = signed(&header.0, &payload.0);
        let (meant, verified) =
            (who_is_meant(&token), LogoutToken::verified(&token, &provider, "warifu", NOW));
        let (Some(header), Some(said)) = (read(&header), read(&payload)) else { return };
        if let Ok((issuer, audiences)) = meant {
            assert_eq!(said["iss"], issuer);
            assert!(said["aud"] == json!(audiences) || vec![said["aud"].clone()] == audiences);
        }
        if let Ok(out) = verified {
            assert!(header["alg"] == "ES256" && header["crit"].is_null());
            assert!(said["iss"] == ISSUER && said["nonce"].is_null());
            let audience = &said["aud"];
            assert!(
                audience == "warifu"
                    || audience.as_array().is_some_and(|a| a.contains(&json!("warifu")))
            );
            assert_eq!(
                (said["sub"].as_str(), said["sid"].as_str()),
                (out.subject.as_deref(), out.sid.as_deref())
            );
            assert!(out.subject.is_some() || out.sid.is_some());
            assert!(said["iat"].as_i64().is_some_and(|t| (AT - 600..=AT + 60).contains(&t)));
            assert!(said["exp"].as_i64().is_some_and(|t| t > AT - 60));
        }
    });
}

#[test]
fn fuzzed_certificates() {
    let authority = |name: &str| {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        // 2.16.840.1.101.3.2.1.3.13, alone.
        let piv = b"\x30\x0e\x30\x0c\x06\x0a\x60\x86\x48\x01\x65\x03\x02\x01\x03\x0d".to_vec();
        params.custom_extensions.push(CustomExtension::from_oid_content(&[2, 5, 29, 32], piv));
        params
    };
    let (root, key) = (authority("Root"), KeyPair::generate().unwrap());
    let anchor = root.self_signed(&key).unwrap();
    let anchor = webpki::anchor_from_trusted_cert(anchor.der()).unwrap().to_owned();
    let root = Issuer::new(root, key);
    let (middle, key) = (authority("Between"), KeyPair::generate().unwrap());
    let between = middle.signed_by(&key, &root).unwrap().der().to_vec();
    let issuer = Issuer::new(middle, key);
    let mut person = authority("Person");
    person.is_ca = IsCa::NoCa;
    person.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let own = person.signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap().der().to_vec();
    let policy = PolicyOid::parse("2.16.840.1.101.3.2.1.3.13").unwrap();
    let trust = Trust::new(vec![anchor], Vec::new(), vec![policy]);
    assert!(trust.judge(&[own.clone(), between.clone()], NOW).is_ok());
    let words = [
        "\x30\x00",
        "\x06\x03\x55\x1d\x20",
        "\x06\x03\x55\x1d\x25",
        "\x05\x00",
        "\u{1}\u{1}\u{7f}",
    ];
    let chains = prop::collection::vec(inputs(&[own.clone(), between.clone()], &words), 0..4);
    let mixed = (chains, any::<bool>()).prop_map({
        let between = between.clone();
        move |(mut chain, helped)| {
            if helped {
                chain.push(Input(between.clone()));
            }
            chain
        }
    });
    fuzz("certificates", mixed, |chain| {
        let chain: Vec<Vec<u8>> = chain.into_iter().map(|i| i.0).collect();
        if let Ok(held) = trust.judge(&chain, NOW) {
            assert_eq!(chain[0], own, "what nobody signed holds");
            assert!(chain[1..].contains(&between), "without the authority between");
            assert_eq!((held.thumbprint, held.subject.as_str()), (digest(&own), "CN=Person"));
        }
    });
}
