//! Secrets that are shown, and what authenticators answer.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use url::Url;
use warifu_auth::openid::{TokenKey, challenge, verifier_fits};
use warifu_auth::{Passkeys, Token, open_sealed, seal};
use warifu_fuzz::{fuzz, inputs};

#[test]
fn fuzzed_bearer_secrets() {
    let key = TokenKey::derived("k", |_| [7; 32]).unwrap();
    let claims = json!({ "sub": "1", "exp": 1_900_000_000 });
    let own = key.sign("JWT", &claims);
    let token = Token::from_random([0xa5; 32]);
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let fits = challenge("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM").unwrap();
    let sealed = seal(&[3; 32], [1; 12], "provider", "the secret of a provider").unwrap();
    let valid =
        [own.clone().into_bytes(), token.text().into_bytes(), verifier.into(), sealed.clone()];
    fuzz("bearer secrets", inputs(&valid, &[".", "=", "A", "-", "~"]), |input| {
        let text = input.text();
        if let Some(read) = key.claims(&text) {
            // The header is signed with it, but what it says is not asked.
            assert_eq!((read, text.as_str()), (claims.clone(), own.as_str()));
        }
        if let Some(read) = Token::parse(&text) {
            assert_eq!(read.text(), text);
        }
        if let Some(read) = challenge(&text) {
            assert_eq!(BASE64.encode(read), text);
        }
        assert_eq!(verifier_fits(&text, &fits), text == verifier);
        if let Some(opened) = open_sealed(&[3; 32], "provider", &input.0) {
            assert_eq!((opened.expose_secret(), &input.0), ("the secret of a provider", &sealed));
        }
    });
}

#[test]
fn fuzzed_answers_of_authenticators() {
    let site = Passkeys::new(&Url::parse("https://desk.example").unwrap(), "Desk").unwrap();
    let answer = |client: &[u8]| {
        let handle = BASE64.encode([4; 16]);
        json!({
            "id": BASE64.encode(b"credential"), "rawId": BASE64.encode(b"credential"), "type": "public-key",
            "response": {
                "authenticatorData": BASE64.encode([5; 37]), "clientDataJSON": BASE64.encode(client),
                "signature": BASE64.encode([6; 70]), "userHandle": handle,
            },
            "extensions": {},
        })
    };
    let plain = r#"{"type":"webauthn.get","challenge":"AA","origin":"https://desk.example","crossOrigin":false}"#;
    let framed = r#"{"type":"webauthn.get","challenge":"AA","origin":"https://desk.example","crossOrigin":true,"topOrigin":"https://evil.example"}"#;
    let whole = answer(plain.as_bytes()).to_string();
    let words = [
        "\"crossOrigin\":true,",
        "\"topOrigin\":\"x\",",
        "\"topOrigin\":null,",
        "true",
        "null",
        "{",
        "}",
    ];
    fuzz(
        "answers of authenticators",
        (inputs(&[plain, framed], &words), inputs(&[whole], &words)),
        |(client, whole)| {
            let shown = site.presented(answer(&client.0));
            if let (Ok(shown), Some(said)) =
                (shown, serde_json::from_slice::<Value>(&client.0).ok())
            {
                assert!(matches!(said["crossOrigin"], Value::Null | Value::Bool(false)), "{said}");
                assert!(said["topOrigin"].is_null(), "{said}");
                assert_eq!(shown.credential_id, b"credential");
            }
            if let Ok(value) = serde_json::from_slice::<Value>(&whole.0) {
                let _ = site.presented(value.clone());
                let _ = site.finish_enrolment("{}", value);
            }
        },
    );
}
