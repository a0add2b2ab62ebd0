use super::*;
use jsonwebtoken::{EncodingKey, encode};
use proptest::prelude::*;
use serde_json::{Value, json};

const NOW: Timestamp = Timestamp(1_900_000_000_000_000);
const AT: i64 = 1_900_000_000;
const URL: &str = "https://desk.example/api/v1/cases";

fn key() -> (EncodingKey, Value) {
    let pair = rcgen::KeyPair::generate().unwrap();
    let private = EncodingKey::from_ec_der(&pair.serialize_der());
    let jwk = Jwk::from_encoding_key(&private, Algorithm::ES256).unwrap();
    let mut jwk = serde_json::to_value(jwk).unwrap();
    jwk.as_object_mut()
        .unwrap()
        .retain(|name, _| ["kty", "crv", "x", "y"].contains(&name.as_str()));
    (private, jwk)
}

fn signed(private: &EncodingKey, header: Value, claims: &Value) -> String {
    let header: Header = serde_json::from_value(header).unwrap();
    encode(&header, claims, private).unwrap()
}

fn assertion(change: Value) -> Result<Assertion, ServiceFault> {
    let (private, jwk) = key();
    let mut claims =
        json!({ "iss": "svc-1", "sub": "svc-1", "aud": "t", "exp": AT + 60, "jti": "j" });
    claims.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    let jwt = signed(&private, json!({ "alg": "ES256" }), &claims);
    let key = ServiceKey::parse(&jwk.to_string()).unwrap();
    verify_assertion(&jwt, &key, "svc-1", "t", NOW)
}

#[test]
fn an_assertion_is_for_us_from_the_client_and_short() {
    assert_eq!(assertion(json!({})), Ok(Assertion { jti: "j".into(), until: AT + 60 }));
    assert!(assertion(json!({ "aud": ["t"] })).is_ok());
    for (change, fault) in [
        (json!({ "aud": "u" }), ServiceFault::Audience),
        (json!({ "aud": ["t", "u"] }), ServiceFault::Audience),
        (json!({ "iss": "svc-2" }), ServiceFault::Audience),
        (json!({ "sub": "svc-2" }), ServiceFault::Audience),
        (json!({ "exp": AT }), ServiceFault::Time),
        (json!({ "exp": AT + 331 }), ServiceFault::Time),
        (json!({ "exp": i64::MAX }), ServiceFault::Time),
        (json!({ "nbf": AT + 31 }), ServiceFault::Time),
        (json!({ "jti": "" }), ServiceFault::Malformed),
        (json!({ "jti": 1 }), ServiceFault::Malformed),
    ] {
        assert_eq!(assertion(change.clone()), Err(fault), "{change}");
    }
}

fn proof(header: Value, change: Value) -> Result<DpopProof, ServiceFault> {
    let (private, jwk) = key();
    let mut full = json!({ "alg": "ES256", "typ": "dpop+jwt", "jwk": jwk });
    full.as_object_mut().unwrap().extend(header.as_object().unwrap().clone());
    let ath = URL_SAFE_NO_PAD.encode(digest(b"token"));
    let mut claims = json!({ "htm": "GET", "htu": URL, "iat": AT, "jti": "j", "ath": ath });
    claims.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    let jwt = signed(&private, full, &claims);
    verify_dpop(&jwt, Request { method: "GET", url: URL, token: Some("token") }, NOW)
}

#[test]
fn a_proof_is_for_one_request_and_fresh() {
    assert!(proof(json!({}), json!({})).is_ok());
    assert!(proof(json!({}), json!({ "htu": format!("{URL}?a=b#c") })).is_ok());
    for (header, claims, fault) in [
        (json!({}), json!({ "htm": "POST" }), ServiceFault::Request),
        (json!({}), json!({ "htu": "https://other.example/api/v1/cases" }), ServiceFault::Request),
        (json!({}), json!({ "ath": "x" }), ServiceFault::Request),
        (json!({}), json!({ "ath": null }), ServiceFault::Request),
        (json!({}), json!({ "iat": AT - 61 }), ServiceFault::Time),
        (json!({}), json!({ "iat": AT + 31 }), ServiceFault::Time),
        (json!({ "typ": "JWT" }), json!({}), ServiceFault::Malformed),
        (json!({ "jwk": null }), json!({}), ServiceFault::Malformed),
        (json!({ "crit": ["b64"] }), json!({}), ServiceFault::Malformed),
        (json!({ "jwk": key().1 }), json!({}), ServiceFault::Signature),
    ] {
        assert_eq!(proof(header.clone(), claims.clone()), Err(fault), "{header} {claims}");
    }
}

#[test]
fn only_public_keys_of_two_kinds_are_taken() {
    let (_, jwk) = key();
    let mut private = jwk.clone();
    private["d"] = "AA".into();
    assert_eq!(ServiceKey::parse(&private.to_string()).unwrap_err(), KeyError::Private);
    let shared = json!({ "kty": "oct", "k": "AA" }).to_string();
    assert_eq!(ServiceKey::parse(&shared).unwrap_err(), KeyError::Private);
    for other in ["", "{}", "[]", r#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#] {
        assert_eq!(ServiceKey::parse(other).unwrap_err(), KeyError::Format, "{other}");
    }
    let again = ServiceKey::parse(&jwk.to_string()).unwrap();
    let same = ServiceKey::parse(&again.text()).unwrap();
    assert_eq!(again.thumbprint(), same.thumbprint());
}

#[test]
fn neither_none_nor_a_shared_secret_signs() {
    let (_, jwk) = key();
    let key = ServiceKey::parse(&jwk.to_string()).unwrap();
    let claims = json!({ "iss": "svc-1", "sub": "svc-1", "aud": "t", "exp": AT + 60, "jti": "j" });
    let part = |v: &Value| URL_SAFE_NO_PAD.encode(v.to_string());
    let none = format!("{}.{}.", part(&json!({ "alg": "none" })), part(&claims));
    let shared = EncodingKey::from_secret(jwk.to_string().as_bytes());
    let hs = signed(&shared, json!({ "alg": "HS256" }), &claims);
    for jwt in [none, hs] {
        let said = verify_assertion(&jwt, &key, "svc-1", "t", NOW);
        assert_eq!(said, Err(ServiceFault::Malformed));
        assert_eq!(claimed_client(&jwt), None);
    }
}

#[test]
fn networks_are_declared_and_not_everybody() {
    let of = DeclaredNetworks::parse;
    let some = of("192.0.2.0/24, 2001:db8::/48\nAS64496").unwrap();
    assert_eq!(some.to_string(), "192.0.2.0/24 2001:db8::/48 AS64496");
    let contain = |a: &str, s| some.contain(a.parse().unwrap(), s);
    assert!(contain("192.0.2.9", None) && contain("::ffff:192.0.2.9", None));
    assert!(contain("198.51.100.1", Some(64496)) && contain("2001:db8::1", None));
    assert!(!contain("198.51.100.1", None) && !contain("198.51.100.1", Some(1)));
    assert_eq!(of(" ,"), Err(NetworksError::Number));
    assert!(matches!(of("0.0.0.0/0"), Err(NetworksError::Wide(_))));
    assert!(matches!(of("::/0"), Err(NetworksError::Wide(_))));
    for wrong in ["AS", "AS0", "ASx", "192.0.2.0/33", "home", "192.0.2.0/24x"] {
        assert!(matches!(of(wrong), Err(NetworksError::Format(_))), "{wrong}");
    }
}

proptest! {
    #[test]
    fn no_text_is_taken_for_a_proof(text in "\\PC{0,80}(\\.\\PC{0,80}){0,3}") {
        let request = Request { method: "GET", url: URL, token: None };
        prop_assert!(verify_dpop(&text, request, NOW).is_err());
        let _ = claimed_client(&text);
        prop_assert!(ServiceKey::parse(&text).is_err());
    }

    #[test]
    fn declared_networks_are_read_as_they_are_written(text in "[AS0-9a-f:./, ]{0,60}") {
        if let Ok(list) = DeclaredNetworks::parse(&text) {
            prop_assert_eq!(DeclaredNetworks::parse(&list.to_string()).unwrap(), list);
        }
    }
}
