//! The key of a device in software: what a browser answers for a session that is bound to it (W3C
//! Device Bound Session Credentials), and what a page's script signs, for tests without a browser.

use crate::http::{Answer, Client};
use crate::passkey::Passkey;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use hyper::Method;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

pub const COOKIE: &str = "__Host-warifu-device";
pub const REGISTER: &str = "/device/register";
pub const REFRESH: &str = "/device/refresh";

/// A key, and what the server calls the session that is bound to it.
#[derive(Clone)]
pub struct Device {
    pub key: SigningKey,
    pub id: String,
}

/// Challenge and authorization of an answer that opened a session.
pub fn offer(answer: &Answer) -> (String, String) {
    let offer = answer.header("secure-session-registration");
    assert!(offer.starts_with("(ES256);path=\"/device/register\";"), "{offer}");
    let value = |name: &str| {
        let (_, rest) = offer.split_once(&format!("{name}=\"")).expect(name);
        rest.split('"').next().expect("quoted").to_owned()
    };
    (value("challenge"), value("authorization"))
}

/// The challenge of an answer, for the device of that name.
pub fn challenge(answer: &Answer, id: &str) -> String {
    let header = answer.header("secure-session-challenge");
    let rest = header.strip_prefix('"').unwrap_or_else(|| panic!("no challenge: {header:?}"));
    let (challenge, rest) = rest.split_once('"').expect("quoted");
    assert_eq!(rest, format!(";id=\"{id}\""));
    challenge.to_owned()
}

/// A request of the browser itself: no page sends it, so nothing says where it comes from.
pub async fn ask(client: &mut Client, path: &str, id: Option<&str>, proof: Option<&str>) -> Answer {
    let mut browser = client.clone().without_header("origin").without_header("sec-fetch-site");
    for (name, value) in [("sec-secure-session-id", id), ("secure-session-response", proof)] {
        if let Some(value) = value {
            browser = browser.header(name, &format!("\"{value}\""));
        }
    }
    let answer = browser.send(Method::POST, path, None, bytes::Bytes::new()).await;
    client.cookies = browser.cookies;
    answer
}

/// A JWS of parts that need not fit.
pub fn jws(header: &Value, claims: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let part = |value: &Value| BASE64.encode(value.to_string());
    let signed = format!("{}.{}", part(header), part(claims));
    let signature = sign(signed.as_bytes());
    format!("{signed}.{}", BASE64.encode(signature))
}

impl Device {
    pub fn new() -> Device {
        let key = loop {
            let bytes: [u8; 32] = rand::random();
            if let Ok(key) = SigningKey::from_slice(&bytes) {
                break key;
            }
        };
        Device { key, id: String::new() }
    }

    pub fn jwk(&self) -> Value {
        let point = self.key.verifying_key().to_sec1_point(false);
        let (x, y) = (point.x().expect("not the identity"), point.y().expect("uncompressed"));
        json!({ "kty": "EC", "crv": "P-256", "x": BASE64.encode(x), "y": BASE64.encode(y) })
    }

    /// The public key as bytes: what an attacker knows.
    pub fn public(&self) -> Vec<u8> {
        self.key.verifying_key().to_sec1_point(false).as_bytes().to_vec()
    }

    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        jws(header, claims, |signed| {
            let signature: Signature = self.key.sign(signed);
            signature.to_bytes().to_vec()
        })
    }

    pub fn registration(&self, challenge: &str, authorization: &str) -> String {
        let header = json!({ "alg": "ES256", "typ": "dbsc+jwt", "jwk": self.jwk() });
        self.sign(&header, &json!({ "jti": challenge, "authorization": authorization }))
    }

    pub fn proof(&self, challenge: &str) -> String {
        self.sign(&json!({ "alg": "ES256", "typ": "dbsc+jwt" }), &json!({ "jti": challenge }))
    }

    /// Signs in, and binds the session to a new key as the browser would.
    pub async fn sign_in(client: &mut Client, passkey: &mut Passkey) -> Device {
        // Whoever is signed in sees no page for it.
        client.cookies.remove(crate::sign_in::SESSION);
        let page = client.get("/sign-in").await;
        let done = client.passkey(&page, passkey).await;
        assert_eq!(done.status, 204, "{}", done.text());
        let (challenge, authorization) = offer(&done);
        let mut device = Device::new();
        let proof = device.registration(&challenge, &authorization);
        let answer = ask(client, REGISTER, None, Some(&proof)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        device.id = answer.value()["session_identifier"].as_str().expect("a name").to_owned();
        device
    }

    /// Asks for a challenge.
    pub async fn challenge(&self, client: &mut Client) -> String {
        let answer = ask(client, REFRESH, Some(&self.id), None).await;
        assert_eq!(answer.status, 403, "{}", answer.text());
        challenge(&answer, &self.id)
    }

    /// Fetches the next short cookie.
    pub async fn refresh(&self, client: &mut Client) -> Answer {
        let challenge = self.challenge(client).await;
        let proof = self.proof(&challenge);
        ask(client, REFRESH, Some(&self.id), Some(&proof)).await
    }

    /// The signature of a request, as `assets/device.js` makes it.
    pub fn request(
        &self,
        base: &str,
        method: &str,
        path: &str,
        nonce: &str,
        body: &[u8],
    ) -> String {
        let header = json!({ "alg": "ES256", "typ": "dpop+jwt", "jwk": self.jwk() });
        let claims = json!({
            "htm": method, "htu": format!("{base}{path}"), "nonce": nonce, "jti": "x", "iat": 1,
            "body": BASE64.encode(Sha256::digest(body)),
        });
        self.sign(&header, &claims)
    }
}
