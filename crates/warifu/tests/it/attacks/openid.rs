//! The OpenID provider with a client that was not written here (`openid-client` of npm), and what it must
//! refuse.

use super::applications::with_key;
use super::{entries, verified};
use crate::http::{Answer, Client};
use crate::passkey::Passkey;
use crate::proxies::free_port;
use crate::server::Warifu;
use crate::sign_in::{enter, invitation, sign_in};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD as BASE64};
use hyper::Method;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, VecDeque};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

const REDIRECT: &str = "https://wiki.example.com/callback";
const AFTER: &str = "https://wiki.example.com/bye";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// A declared client.
struct Declared {
    id: String,
    secret: String,
}

async fn declare(
    owner: &mut Client,
    key: &mut Passkey,
    backchannel: &str,
    public: bool,
) -> Declared {
    let wanted = json!({
        "name": "Wiki", "kind": "openid", "origin": "", "redirect_uris": REDIRECT, "logout_uris": AFTER,
        "backchannel_uri": backchannel, "role": "super_administrator", "max_age": "", "acr": "phr",
        "public": if public { "on" } else { "" },
    });
    let to = (Method::POST, "/api/v1/applications");
    let made = with_key(owner, key, ("add_application", wanted), to).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let made = made.value();
    let text = |name: &str| made[name].as_str().unwrap_or_default().to_owned();
    Declared { id: text("client_id"), secret: text("client_secret") }
}

/// The other side, in Node.js.
struct RelyingParty {
    _child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    /// What it was told of ended sessions, and nobody asked for yet.
    told: VecDeque<Value>,
}

impl RelyingParty {
    async fn start(w: &Warifu, client: &Declared, port: u16) -> RelyingParty {
        let folder = std::env::var("WARIFU_PEERS_DIR").expect("./test sets it");
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/relying_party.mjs");
        let mut child = Command::new("node")
            .args([script, &folder, w.base(), &client.id, &client.secret, &port.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("node: run ./test, which installs it");
        let input = child.stdin.take().expect("a pipe");
        let output = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let mut party = RelyingParty { _child: child, input, output, told: VecDeque::new() };
        assert_eq!(party.said().await["ready"], true);
        party
    }

    async fn said(&mut self) -> Value {
        let line = tokio::time::timeout(Duration::from_secs(40), self.output.next_line()).await;
        let line = line.expect("it says something in time").expect("a line").expect("it goes on");
        serde_json::from_str(&line).expect("JSON")
    }

    async fn act(&mut self, what: Value) -> Value {
        self.input.write_all(format!("{what}\n").as_bytes()).await.expect("it listens");
        loop {
            let said = self.said().await;
            if said.get("told").is_none() {
                return said;
            }
            self.told.push_back(said);
        }
    }

    /// What it is told of a session.
    async fn told_of(&mut self, sid: &Value) -> Value {
        loop {
            let told = match self.told.pop_front() {
                Some(told) => told,
                None => self.said().await,
            };
            assert!(told["told"].is_object(), "{told}");
            if told["told"]["sid"] == *sid {
                return told;
            }
        }
    }
}

/// The query of an address.
fn query(address: &str) -> BTreeMap<String, String> {
    let url = url::Url::parse(address).unwrap_or_else(|e| panic!("{address}: {e}"));
    url.query_pairs().into_owned().collect()
}

fn skipped() -> bool {
    std::env::var_os("WARIFU_PEERS").is_none_or(|v| v != "1")
}

async fn administrator(w: &Warifu) -> (Client, Passkey) {
    let link = invitation(w, "owner@example.com", "super_administrator");
    let mut owner = w.client();
    let passkey = enter(&mut owner, w.base(), &link).await;
    (owner, passkey)
}

/// A request of a client, with some names changed; an empty value leaves one out.
fn request(client: &Declared, changed: &[(&str, &str)]) -> String {
    let challenge = BASE64.encode(Sha256::digest(VERIFIER));
    let mut pairs = BTreeMap::from([
        ("client_id", client.id.as_str()),
        ("redirect_uri", REDIRECT),
        ("response_type", "code"),
        ("scope", "openid email"),
        ("state", "s"),
        ("nonce", "n"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ]);
    pairs.extend(changed.iter().copied());
    pairs.retain(|_, value| !value.is_empty());
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    format!("/openid/authorize?{query}")
}

/// What a client sends for a code, with some names changed.
async fn exchange(w: &Warifu, client: &Declared, code: &str, changed: &[(&str, &str)]) -> Answer {
    let mut pairs = BTreeMap::from([
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ]);
    pairs.extend(changed.iter().copied());
    pairs.retain(|_, value| !value.is_empty());
    let shown = STANDARD.encode(format!("{}:{}", client.id, client.secret));
    let mut program = Client { headers: BTreeMap::new(), ..w.client() };
    if client.secret.is_empty() {
        pairs.insert("client_id", &client.id);
    } else {
        program.headers.insert("authorization".into(), format!("Basic {shown}"));
    }
    let pairs: Vec<_> = pairs.into_iter().collect();
    program.post_form("/openid/token", &pairs).await
}

async fn code(owner: &mut Client, client: &Declared) -> String {
    let location = owner.get(&request(client, &[])).await.location();
    let said = query(&location);
    assert!(location.starts_with(REDIRECT) && said["state"] == "s", "{location}");
    said["code"].clone()
}

async fn user_info(w: &Warifu, token: &str) -> u16 {
    let mut program = w.client().header("authorization", &format!("Bearer {token}"));
    program.get("/openid/userinfo").await.status.as_u16()
}

on_both! {
    async fn a_client_of_another_library_signs_in_and_is_told_when_it_is_over(w: Warifu) {
        if skipped() {
            return;
        }
        let (mut owner, mut passkey) = administrator(&w).await;
        let port = free_port();
        let backchannel = format!("http://127.0.0.1:{port}/told");
        for public in [false, true] {
            let client = declare(&mut owner, &mut passkey, if public { "" } else { &backchannel }, public).await;
            let mut party = RelyingParty::start(&w, &client, if public { free_port() } else { port }).await;
            let asked = party.act(json!({ "act": "authorize", "redirect_uri": REDIRECT })).await;
            let to = asked["url"].as_str().expect("an address").to_owned();
            // Who is not signed in comes back to the request after it.
            let stranger = w.client().get(&to).await.location();
            assert!(stranger.starts_with("/sign-in?next=%2Fopenid%2Fauthorize"), "{stranger}");
            let back = owner.get(&to).await.location();
            let got = party.act(json!({ "act": "callback", "url": back })).await;
            assert_eq!(got["error"], Value::Null, "{got}");
            let claims = &got["claims"];
            assert_eq!((&claims["sub"], &claims["acr"], &got["alg"]), (&json!("1"), &json!("phrh"), &json!("ES256")));
            assert_eq!(claims["amr"], json!(["hwk", "user", "mfa"]));
            assert_eq!(got["user"], json!({ "sub": "1", "name": "owner@example.com", "email": "owner@example.com", "roles": ["super_administrator"] }));
            // A code is for once, also for the library.
            let again = party.act(json!({ "act": "callback", "url": back })).await;
            assert_eq!(again["error"], "invalid_grant", "{again}");
            assert!(party.act(json!({ "act": "user" })).await["error"] != Value::Null, "the token of a replayed code");

            // Another verifier; an old proof; no page.
            let asked = party.act(json!({ "act": "authorize", "redirect_uri": REDIRECT })).await;
            let back = owner.get(asked["url"].as_str().unwrap_or_default()).await.location();
            let wrong = party.act(json!({ "act": "callback", "url": back, "verifier": "x".repeat(43) })).await;
            assert_eq!(wrong["error"], "invalid_grant", "{wrong}");
            let fresh = json!({ "act": "authorize", "redirect_uri": REDIRECT, "more": { "max_age": "0", "prompt": "login" } });
            let asked = party.act(fresh).await;
            let to = owner.get(asked["url"].as_str().unwrap_or_default()).await.location();
            assert!(to.starts_with("/sign-in?again=1&next="), "{to}");
            let page = owner.get(&to).await;
            assert_eq!(page.status, 200, "asked although signed in");
            let next = page.form("data-passkey", "sign-in").attributes["data-next"].clone();
            assert!(owner.get(&next).await.location().starts_with("/sign-in?again=1"), "without proving it");
            tokio::time::sleep(Duration::from_millis(1_100)).await;
            assert_eq!(owner.passkey(&page, &mut passkey).await.status, 204);
            let back = owner.get(&next).await.location();
            let got = party.act(json!({ "act": "callback", "url": back })).await;
            assert_eq!(got["error"], Value::Null, "{got}");

            // Signing out at the client signs out here, and the client is told, until it takes it.
            if !public {
                let sid = got["claims"]["sid"].clone();
                let leave = party.act(json!({ "act": "leave", "to": AFTER })).await;
                let gone = owner.get(leave["url"].as_str().unwrap_or_default()).await.location();
                assert_eq!(gone, format!("{AFTER}?state=bye"));
                assert_eq!(user_info(&w, got["access_token"].as_str().unwrap_or_default()).await, 401);
                let told = party.told_of(&sid).await;
                assert_eq!(told["told"]["sub"], "1", "{told}");
                assert_eq!(told["told"]["events"], json!({ "http://schemas.openid.net/event/backchannel-logout": {} }));
                assert_eq!(told["told"]["nonce"], Value::Null);
                sign_in(&mut owner, &mut passkey).await;
            }
        }
        assert_eq!(entries(&mut owner, "sign_out").await.len(), 1);
        verified(&w);
    }

    async fn a_client_that_asks_wrongly_gets_nothing(w: Warifu) {
        let (mut owner, mut passkey) = administrator(&w).await;
        let client = declare(&mut owner, &mut passkey, "", false).await;
        let other = declare(&mut owner, &mut passkey, "", false).await;
        let public = declare(&mut owner, &mut passkey, "", true).await;
        assert!(public.secret.is_empty() && !client.secret.is_empty() && client.id != other.id);

        // Nothing is sent to an address that nobody registered.
        for uri in ["https://evil.example/", "https://wiki.example.com/callback/", "https://wiki.example.com/callback?x", "https://wiki.example.com:443/callback", "HTTPS://wiki.example.com/callback"] {
            let answer = owner.get(&request(&client, &[("redirect_uri", uri)])).await;
            assert_eq!((answer.status.as_u16(), answer.header("location")), (400, ""), "{uri}");
        }
        let unknown = owner.get(&request(&client, &[("client_id", "x")])).await;
        assert_eq!((unknown.status.as_u16(), unknown.header("location")), (400, ""));
        let twice = owner.get(&format!("{}&redirect_uri=https://evil.example/", request(&client, &[]))).await;
        assert_eq!((twice.status.as_u16(), twice.header("location")), (400, ""));
        for (changed, error) in [
            (("code_challenge", ""), "invalid_request"),
            (("code_challenge_method", ""), "invalid_request"),
            (("code_challenge_method", "plain"), "invalid_request"),
            (("response_type", "token"), "unsupported_response_type"),
            (("response_type", "id_token"), "unsupported_response_type"),
            (("scope", "email"), "invalid_scope"),
            (("request", "e30.e30."), "request_not_supported"),
        ] {
            let said = query(&owner.get(&request(&client, &[changed])).await.location());
            assert_eq!((said["error"].as_str(), said.get("code")), (error, None), "{changed:?}");
            assert_eq!((said["state"].as_str(), said["iss"].as_str()), ("s", w.base()));
        }
        let nobody = query(&w.client().get(&request(&client, &[("prompt", "none")])).await.location());
        assert_eq!(nobody["error"], "login_required");
        let mut agent = w.client();
        enter(&mut agent, w.base(), &invitation(&w, "agent@example.com", "agent")).await;
        let denied = query(&agent.get(&request(&client, &[])).await.location());
        assert_eq!((denied["error"].as_str(), denied.get("code")), ("access_denied", None));

        // Each code is used up by whoever tries.
        let renamed = Declared { id: client.id.clone(), secret: other.secret.clone() };
        let silent = Declared { id: client.id.clone(), secret: String::new() };
        for (who, changed, error) in [
            (&other, ("", ""), "invalid_grant"),
            (&public, ("", ""), "invalid_grant"),
            (&renamed, ("", ""), "invalid_client"),
            (&silent, ("", ""), "invalid_client"),
            (&client, ("redirect_uri", "https://wiki.example.com/bye"), "invalid_grant"),
            (&client, ("redirect_uri", ""), "invalid_grant"),
            (&client, ("code_verifier", "xBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"), "invalid_grant"),
            (&client, ("code_verifier", ""), "invalid_grant"),
            (&client, ("grant_type", "password"), "unsupported_grant_type"),
        ] {
            let code = code(&mut owner, &client).await;
            let answer = exchange(&w, who, &code, &[changed]).await;
            assert_eq!(answer.value()["error"], error, "{changed:?}: {}", answer.text());
            assert!(answer.value().get("access_token").is_none());
            if error == "invalid_grant" {
                assert_eq!(exchange(&w, &client, &code, &[]).await.value()["error"], "invalid_grant");
            }
        }
        // Once; a second use takes back what the first gave.
        let good = code(&mut owner, &client).await;
        let given = exchange(&w, &client, &good, &[]).await;
        assert_eq!(given.status, 200, "{}", given.text());
        let given = given.value();
        let token = given["access_token"].as_str().unwrap_or_default();
        assert_eq!(user_info(&w, token).await, 200);
        assert_eq!(exchange(&w, &client, &good, &[]).await.value()["error"], "invalid_grant");
        assert_eq!(user_info(&w, token).await, 401);
        for token in ["", "x", &good, &owner.cookies["__Host-warifu"], given["id_token"].as_str().unwrap_or_default()] {
            assert_eq!(user_info(&w, token).await, 401);
        }

        // A hint that nobody signed ends no session, whatever algorithm it names.
        let id_token = given["id_token"].as_str().unwrap_or_default();
        let (_, rest) = id_token.split_once('.').expect("three parts");
        let (claims, _) = rest.split_once('.').expect("three parts");
        let none = BASE64.encode(r#"{"alg":"none"}"#);
        for hint in [format!("{none}.{claims}."), format!("{none}.{rest}"), String::new()] {
            let path = format!("/openid/end-session?id_token_hint={hint}&post_logout_redirect_uri={AFTER}");
            assert_eq!(owner.get(&path).await.location(), "/account/sessions", "{hint}");
        }
        let path = format!("/openid/end-session?id_token_hint={id_token}&post_logout_redirect_uri=https://evil.example/");
        assert_eq!(owner.get(&path).await.location(), "/signed-out", "and to nowhere that is not registered");
        assert_eq!(entries(&mut agent_of(&w, &mut passkey).await, "sign_out").await.len(), 1);
        verified(&w);
    }

    async fn codes_and_tokens_expire_and_end_with_the_session(mut w: Warifu) {
        w.clock = true;
        w.restart().await;
        let (mut owner, mut passkey) = administrator(&w).await;
        let client = declare(&mut owner, &mut passkey, "", false).await;
        let late = code(&mut owner, &client).await;
        w.pass(61);
        assert_eq!(exchange(&w, &client, &late, &[]).await.value()["error"], "invalid_grant");
        let good = code(&mut owner, &client).await;
        let given = exchange(&w, &client, &good, &[]).await.value();
        let token = given["access_token"].as_str().unwrap_or_default();
        assert_eq!(user_info(&w, token).await, 200);
        w.pass(61 + 5 * 60 + 1);
        assert_eq!(user_info(&w, token).await, 401, "after five minutes");

        let ended = code(&mut owner, &client).await;
        let open = code(&mut owner, &client).await;
        let given = exchange(&w, &client, &open, &[]).await.value();
        let token = given["access_token"].as_str().unwrap_or_default();
        assert_eq!(user_info(&w, token).await, 200);
        let form = owner.get("/account/passkeys").await.form("action", "/sign-out");
        owner.submit(&form, &[]).await;
        assert_eq!(user_info(&w, token).await, 401, "after sign-out");
        assert_eq!(exchange(&w, &client, &ended, &[]).await.value()["error"], "invalid_grant");
        sign_in(&mut owner, &mut passkey).await;

        // Keys: the next is shown before it signs, and what was signed before can still be read.
        let keys = async |w: &Warifu| -> Vec<String> {
            let keys = w.client().get("/openid/keys").await.value();
            let keys = keys["keys"].as_array().cloned().unwrap_or_default();
            assert!(keys.iter().all(|k| k.get("d").is_none() && k["alg"] == "ES256"), "{keys:?}");
            keys.iter().map(|k| k["kid"].as_str().unwrap_or_default().to_owned()).collect()
        };
        let before = keys(&w).await;
        w.pass(31 * 24 * 3600);
        let after = keys(&w).await;
        assert_eq!((before.len(), after.len()), (2, 3));
        assert_eq!(after[1..], before[..], "the next of before signs, and the one that signed is the third");
        verified(&w);
    }
}

/// The owner, signed in anew.
async fn agent_of(w: &Warifu, passkey: &mut Passkey) -> Client {
    let mut owner = w.client();
    sign_in(&mut owner, passkey).await;
    owner
}
