//! Programs with service accounts, and who makes them.

use crate::attacks::entries;
use crate::http::{Answer, Client};
use crate::identity_provider::another;
use crate::passkey::Passkey;
use crate::server::Warifu;
use crate::sign_in::{enter, invitation};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::Method;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

pub const HOME: &str = "192.0.2.10";
pub const ELSEWHERE: &str = "198.51.100.9";
pub const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A key as a program keeps one.
pub struct Key {
    pub private: EncodingKey,
    pub public: Value,
}

impl Key {
    pub fn new() -> Key {
        let pair = rcgen::KeyPair::generate().unwrap();
        let private = EncodingKey::from_ec_der(&pair.serialize_der());
        let jwk = Jwk::from_encoding_key(&private, Algorithm::ES256).unwrap();
        let mut public = serde_json::to_value(jwk).unwrap();
        let members = ["kty", "crv", "x", "y"];
        public.as_object_mut().unwrap().retain(|name, _| members.contains(&name.as_str()));
        Key { private, public }
    }

    pub fn sign(&self, header: Value, claims: &Value) -> String {
        let header: Header = serde_json::from_value(header).unwrap();
        encode(&header, claims, &self.private).unwrap()
    }
}

/// A program with its account.
pub struct Program {
    pub key: Key,
    /// For its proofs.
    pub proofs: Key,
    pub client: String,
    pub base: String,
    /// Seconds that the server's clock is ahead.
    pub ahead: i64,
}

pub fn changed(mut value: Value, change: &Value) -> Value {
    let change = change.as_object().unwrap().clone();
    value.as_object_mut().unwrap().extend(change);
    value.as_object_mut().unwrap().retain(|_, v| !v.is_null());
    value
}

impl Program {
    pub fn now(&self) -> i64 {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        now.as_secs() as i64 + self.ahead
    }

    pub fn jti() -> String {
        URL_SAFE_NO_PAD.encode(rand::random::<[u8; 16]>())
    }

    pub fn claims(&self, change: &Value) -> Value {
        let claims = json!({
            "iss": self.client, "sub": self.client, "aud": format!("{}/oauth/token", self.base),
            "iat": self.now(), "exp": self.now() + 120, "jti": Program::jti(),
        });
        changed(claims, change)
    }

    pub fn assertion(&self, change: &Value) -> String {
        self.key.sign(json!({ "alg": "ES256" }), &self.claims(change))
    }

    pub fn proof_claims(&self, method: &str, path: &str, token: Option<&str>) -> Value {
        let path = path.split('?').next().unwrap();
        let mut claims = json!({
            "htm": method, "htu": format!("{}{path}", self.base), "iat": self.now(), "jti": Program::jti(),
        });
        if let Some(token) = token {
            claims["ath"] = URL_SAFE_NO_PAD.encode(Sha256::digest(token)).into();
        }
        claims
    }

    pub fn proof(&self, method: &str, path: &str, token: Option<&str>, change: &Value) -> String {
        let header = json!({ "alg": "ES256", "typ": "dpop+jwt", "jwk": self.proofs.public });
        self.proofs.sign(header, &changed(self.proof_claims(method, path, token), change))
    }

    pub async fn exchange(&self, http: &Client, assertion: &str, scope: &str) -> Answer {
        let proof = self.proof("POST", "/oauth/token", None, &json!({}));
        let mut http = http.clone().header("dpop", &proof);
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", ASSERTION),
            ("client_assertion", assertion),
            ("scope", scope),
        ];
        http.post_form("/oauth/token", &fields).await
    }

    pub async fn token(&self, http: &Client) -> String {
        let answer = self.exchange(http, &self.assertion(&json!({})), "").await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let answer = answer.value();
        assert_eq!(answer["token_type"], "DPoP");
        assert!(answer["expires_in"].as_i64().is_some_and(|s| (1..=600).contains(&s)));
        answer["access_token"].as_str().unwrap().to_owned()
    }

    pub async fn with(
        &self,
        http: &Client,
        method: &str,
        path: &str,
        token: &str,
        proof: &str,
    ) -> Answer {
        let mut http =
            http.clone().header("authorization", &format!("DPoP {token}")).header("dpop", proof);
        let method: Method = method.parse().unwrap();
        match method == Method::GET {
            true => http.get(path).await,
            false => http.json(method, path, &json!({})).await,
        }
    }

    pub async fn call(&self, http: &Client, method: &str, path: &str, token: &str) -> Answer {
        let proof = self.proof(method, path, Some(token), &json!({}));
        self.with(http, method, path, token, &proof).await
    }
}

/// A program's own HTTP client: it sends nothing that a browser sends.
pub fn bare(w: &Warifu, address: &str) -> Client {
    w.client()
        .without_header("origin")
        .without_header("sec-fetch-site")
        .header("accept", "application/json")
        .header("x-forwarded-for", address)
}

pub fn wanted(key: &Key, scopes: &[&str]) -> Value {
    json!({ "name": "nightly", "scopes": scopes, "networks": "192.0.2.0/24", "days": 30,
        "jwk": key.public.to_string() })
}

pub fn agreed(wanted: &Value) -> Value {
    let scopes: Vec<&str> =
        wanted["scopes"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    json!({ "action": "create_service", "parameters": {
        "name": wanted["name"], "scopes": scopes.join(","), "networks": wanted["networks"],
        "days": wanted["days"].to_string(), "jwk": wanted["jwk"] } })
}

pub struct Owner {
    pub client: Client,
    pub passkey: Passkey,
    pub csrf: String,
}

impl Owner {
    pub async fn new(w: &mut Warifu) -> Owner {
        w.serve.extend(["--trusted-proxy", "127.0.0.0/8"].map(str::to_owned));
        w.restart().await;
        let link = invitation(w, "owner@example.com", "super_administrator");
        let mut client = w.client().header("x-forwarded-for", "203.0.113.1");
        let passkey = enter(&mut client, w.base(), &link).await;
        let page = client.get("/service-accounts").await;
        assert_eq!(page.status, 200, "{}", page.text());
        let csrf = page.form("action", "/sign-out").fields[0].1.clone();
        Owner { client, passkey, csrf }
    }

    /// A new session, when the old one is over.
    pub async fn again(&mut self, w: &Warifu) {
        self.client = w.client().header("x-forwarded-for", "203.0.113.1");
        crate::sign_in::sign_in(&mut self.client, &mut self.passkey).await;
        let page = self.client.get("/service-accounts").await;
        self.csrf = page.form("action", "/sign-out").fields[0].1.clone();
    }

    pub fn script(&self) -> Client {
        self.client.clone().header("x-csrf-token", &self.csrf).header("accept", "application/json")
    }

    /// Asks for an account after agreeing to something, which may be something else.
    pub async fn ask(&mut self, mut wanted: Value, agreed: Value) -> Answer {
        let proof = self.client.prove(&self.csrf, agreed, &mut self.passkey).await;
        wanted["step_up"] = proof.value()["step_up"].clone();
        self.script().json(Method::POST, "/api/v1/service-accounts", &wanted).await
    }

    pub async fn program(&mut self, w: &Warifu, scopes: &[&str]) -> Program {
        let mut second = another(w).await;
        let program = self.waiting(w, scopes).await;
        second.agrees().await;
        program
    }

    /// A program that nobody else has agreed to yet.
    pub async fn waiting(&mut self, w: &Warifu, scopes: &[&str]) -> Program {
        let key = Key::new();
        let wanted = wanted(&key, scopes);
        let made = self.ask(wanted.clone(), agreed(&wanted)).await;
        assert_eq!(made.status, 201, "{}", made.text());
        let client = made.value()["reference"].as_str().unwrap().to_owned();
        Program { key, proofs: Key::new(), client, base: w.base().to_owned(), ahead: 0 }
    }

    pub async fn reasons(&mut self) -> Vec<String> {
        let told = entries(&mut self.client, "sign_in_refused").await;
        let of = |e: &Value| e["body"]["reason"].as_str().unwrap_or_default().to_owned();
        told.iter().map(of).collect()
    }
}

#[track_caller]
pub fn refused(answer: &Answer, status: u16, name: &str) {
    assert_eq!(answer.status, status, "{}: {}", answer.url, answer.text());
    assert_eq!(answer.value()["type"], format!("/problems/{name}"), "{}", answer.url);
    assert_eq!(answer.header("set-cookie"), "");
}
