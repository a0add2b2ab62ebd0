//! An identity provider that is not ours (node-oidc-provider), and somebody who goes there and back.

use crate::http::{Answer, Client};
use crate::passkey::Passkey;
use crate::proxies::free_port;
use crate::server::{Process, Warifu};
use crate::sign_in::{enter, invitation};
use hyper::Method;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use url::Url;

const SECRET: &str = "a-secret-of-the-tests-that-is-long-enough";

/// The provider; it ends when this is dropped.
pub struct IdentityProvider {
    process: Option<Process>,
    pub issuer: String,
    origin: String,
}

fn command(origin: &str, port: u16) -> Command {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = std::env::var_os("WARIFU_PEERS_DIR").map(PathBuf::from);
    let folder = folder.unwrap_or_else(|| here.join("../../target/peers"));
    let mut command = Command::new("node");
    command
        .arg(here.join("tests/peers/identity-provider.mjs"))
        .arg(folder)
        .args([origin, &port.to_string()]);
    command
}

impl IdentityProvider {
    /// Starts one for a Warifu that runs. `None` where the foreign tools are left out
    /// (`WARIFU_PEERS=1` is not set).
    pub async fn start(w: &Warifu) -> Option<Self> {
        if std::env::var_os("WARIFU_PEERS").is_none_or(|v| v != "1") {
            eprintln!("skipped: WARIFU_PEERS=1 is not set");
            return None;
        }
        let mut provider =
            Self { process: None, issuer: String::new(), origin: w.base().to_owned() };
        provider.begin(free_port()).await;
        Some(provider)
    }

    async fn begin(&mut self, port: u16) {
        let mut command = command(&self.origin, port);
        let started = tokio::task::spawn_blocking(move || Process::start(&mut command)).await;
        let process =
            started.expect("no panic").unwrap_or_else(|e| panic!("{e}; ./test installs it"));
        self.issuer = process.base.clone();
        self.process = Some(process);
    }

    pub fn stop(&mut self) {
        self.process = None;
    }

    /// Starts it where it was, with other keys.
    pub async fn restart(&mut self) {
        self.stop();
        let port = Url::parse(&self.issuer).expect("an address").port().expect("a port");
        self.begin(port).await;
    }

    /// A browser's view of it, without cookies.
    pub fn client(&self) -> Client {
        Client::new(&self.issuer)
    }

    /// Says what the next sign-in will be: who, and how they proved it.
    pub async fn next(&self, login: &str, acr: Option<&str>, amr: &[&str]) {
        let mut next = json!({ "login": login, "acr": acr });
        if !amr.is_empty() {
            next["amr"] = json!(amr);
        }
        assert_eq!(self.client().json(Method::POST, "/test/next", &next).await.status, 200);
    }

    /// Lets who asks for a token next wait until [`Self::go`].
    pub async fn hold(&self) {
        self.client().get("/test/hold").await;
    }

    /// Waits until somebody is held.
    pub async fn held(&self) {
        self.client().get("/test/held").await;
    }

    pub async fn go(&self) {
        self.client().get("/test/go").await;
    }

    /// A token of these claims, signed as the request says.
    pub async fn sign(&self, request: Value) -> String {
        let signed = self.client().json(Method::POST, "/test/sign", &request).await;
        assert_eq!(signed.status, 200, "{}", signed.text());
        signed.text().to_owned()
    }

    /// The texts of a connection to it.
    pub fn connection(&self, name: &str, organization: &str) -> Value {
        json!({
            "organization": organization, "name": name, "issuer": self.issuer,
            "client_id": "warifu", "client_secret": SECRET, "hosts": "",
        })
    }
}

/// A super administrator with a passkey, whose client is set up as a program.
pub struct Owner {
    pub client: Client,
    pub passkey: Passkey,
    pub csrf: String,
}

pub async fn owner(w: &Warifu) -> Owner {
    signed_in(w, "owner@example.com", "super_administrator").await
}

/// Somebody of the vendor with a role, in a session that a program of theirs uses.
pub async fn signed_in(w: &Warifu, email: &str, role: &str) -> Owner {
    let link = invitation(w, email, role);
    let mut client = w.client();
    let passkey = enter(&mut client, w.base(), &link).await;
    let page = client.get("/account/passkeys").await;
    let csrf = page.form("action", "/sign-out").fields[0].1.clone();
    let client = client.header("x-csrf-token", &csrf).header("accept", "application/json");
    Owner { client, passkey, csrf }
}

/// Another super administrator, who agrees to what is asked for afterwards.
pub async fn another(w: &Warifu) -> Owner {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let n = NUMBER.fetch_add(1, Ordering::Relaxed);
    signed_in(w, &format!("another-{n}@example.com"), "super_administrator").await
}

impl Owner {
    /// Proves oneself for an action, and gives the proof.
    pub async fn proof(&mut self, action: &str, parameters: &Value) -> String {
        let what = json!({ "action": action, "parameters": parameters });
        let answer = self.client.prove(&self.csrf, what, &mut self.passkey).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.value()["step_up"].as_str().expect("a proof").to_owned()
    }

    /// Agrees to what somebody else asked for last.
    pub async fn agrees(&mut self) {
        let waiting = self.client.get("/api/v1/approvals").await.value();
        assert_eq!(waiting[0]["outcome"], Value::Null, "{waiting}");
        let id = waiting[0]["id"].as_i64().expect("what waits");
        let agreed = crate::attacks::policy::agree(self, id).await;
        assert_eq!(agreed.status, 204, "{}", agreed.text());
    }

    /// Connects a provider, which a second person agrees to, and gives its id.
    pub async fn connect(&mut self, w: &Warifu, connection: &Value) -> i64 {
        let mut second = another(w).await;
        let mut body = connection.clone();
        body["step_up"] = self.proof("add_provider", connection).await.into();
        let made = self.client.json(Method::POST, "/api/v1/identity-providers", &body).await;
        assert_eq!(made.status, 201, "{}", made.text());
        second.agrees().await;
        made.value()["id"].as_i64().expect("an id")
    }
}

/// The address at the provider to which a page of ours leads.
pub async fn leave(client: &mut Client, path: &str) -> String {
    let answer = client.get(path).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    answer.location()
}

/// Goes through the provider's pages from an address there, and gives the path back here.
pub async fn through(there: &mut Client, provider: &IdentityProvider, address: &str) -> String {
    let mut address = address.to_owned();
    for _ in 0..10 {
        if let Some(path) = address.strip_prefix(&provider.origin) {
            return path.to_owned();
        }
        let answer = there.get(&address).await;
        assert!(answer.status.is_redirection(), "{}: {}", answer.status, answer.text());
        address = answer.location();
    }
    panic!("{address} leads in circles")
}

/// Goes to the provider by a link of ours, and comes back. Gives the answer to coming back.
pub async fn there_and_back(
    client: &mut Client,
    provider: &IdentityProvider,
    path: &str,
) -> Answer {
    let address = leave(client, path).await;
    let back = through(&mut provider.client(), provider, &address).await;
    client.get(&back).await
}
