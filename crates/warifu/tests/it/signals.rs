//! What goes out: notices by mail through a mail server that is not ours, and access events to a
//! webhook.

use crate::attacks::helpdesk::people::{Somebody, contact};
use crate::attacks::network::asn_database;
use crate::attacks::{notices, verified};
use crate::proxies::free_port;
use crate::security::Vendor;
use crate::server::Warifu;
use crate::sign_in::{enter, invitation, sign_in, who};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use hyper::Method;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// aiosmtpd, which puts what it gets into a Maildir.
struct MailServer {
    child: Child,
    port: u16,
    box_: PathBuf,
}

fn python() -> PathBuf {
    let peers = std::env::var_os("WARIFU_PEERS_DIR").expect("run ./test, which installs aiosmtpd");
    Path::new(&peers).join("venv/bin/python")
}

impl MailServer {
    fn start(port: u16, box_: &Path) -> Self {
        let child = Command::new(python())
            .args(["-m", "aiosmtpd", "-n", "-l", &format!("127.0.0.1:{port}")])
            .args(["-c", "aiosmtpd.handlers.Mailbox"])
            .arg(box_)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("aiosmtpd");
        let server = Self { child, port, box_: box_.to_owned() };
        let until = Instant::now() + Duration::from_secs(30);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < until, "aiosmtpd does not listen");
            std::thread::sleep(Duration::from_millis(50));
        }
        server
    }

    /// What has come: recipient, subject, text, as a mail program reads them.
    fn mails(&self) -> Vec<(String, String, String)> {
        let script = "import json, mailbox, sys, email.policy
box = mailbox.Maildir(sys.argv[1], factory=lambda f: email.message_from_binary_file(f, policy=email.policy.default))
print(json.dumps([[m['to'], m['subject'], m.get_content()] for m in box]))";
        let out =
            Command::new(python()).args(["-c", script]).arg(&self.box_).output().expect("python");
        serde_json::from_slice(&out.stdout)
            .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&out.stderr)))
    }

    /// Waits until so many have come.
    async fn wait(&self, count: usize) -> Vec<(String, String, String)> {
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            let mails = self.mails();
            if mails.len() >= count || Instant::now() > until {
                assert_eq!(mails.len(), count, "{mails:#?}");
                return mails;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A receiver of events: what it got, and how many more times it refuses.
#[derive(Default)]
pub struct Receiver {
    got: Mutex<Vec<(String, Value)>>,
    refuses: Mutex<u32>,
}

async fn receive(State(r): State<Arc<Receiver>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let mut refuses = r.refuses.lock().unwrap();
    if *refuses > 0 {
        *refuses -= 1;
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    let signature = headers["x-warifu-signature"].to_str().unwrap().to_owned();
    use hmac::{Hmac, Mac};
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(b"shared").unwrap();
    mac.update(&body);
    let own: String = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(signature, format!("sha256={own}"));
    r.got.lock().unwrap().push((signature, serde_json::from_slice(&body).unwrap()));
    StatusCode::NO_CONTENT
}

impl Receiver {
    /// `http://127.0.0.1:PORT/events`
    pub async fn listen(self: &Arc<Self>) -> String {
        let router = axum::Router::new().route("/events", post(receive)).with_state(self.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://127.0.0.1:{port}/events")
    }

    /// Waits until it is told of what happens: a webhook is told from the first look on that the server takes.
    pub async fn hears(&self, w: &Warifu) {
        let until = Instant::now() + Duration::from_secs(60);
        for n in 0.. {
            invitation(w, &format!("{n}@example.com"), "agent");
            tokio::time::sleep(Duration::from_millis(500)).await;
            if !self.events().is_empty() {
                return;
            }
            assert!(Instant::now() < until, "nothing is told:\n{}", w.log());
        }
    }

    fn events(&self) -> Vec<Value> {
        let got = self.got.lock().unwrap();
        got.iter().flat_map(|(_, batch)| batch.as_array().cloned().unwrap_or_default()).collect()
    }

    pub async fn wait(&self, done: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            let events = self.events();
            if done(&events) {
                return events;
            }
            assert!(Instant::now() < until, "{events:#?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

on_both! {
    async fn notices_are_mailed_to_whom_they_are_about(mut w: Warifu) {
        let server = MailServer::start(free_port(), &w.data().join("mail"));
        let smtp = format!("smtp://127.0.0.1:{}", server.port);
        w.serve = ["--smtp", &smtp, "--mail-from", "Warifu <desk@example.com>"].map(str::to_owned).into();
        w.restart().await;
        let mut owner = w.client();
        enter(&mut owner, w.base(), &invitation(&w, "owner@example.com", "super_administrator")).await;
        let mails = server.wait(1).await;
        let (to, subject, text) = &mails[0];
        assert!(to.contains("owner@example.com"), "{to}");
        assert!(subject.contains("About your account") && subject.contains("アカウント"), "{subject}");
        assert!(text.contains("was added to what you can sign in with") && text.contains("追加"), "{text}");
        assert!(text.contains("/account/notices") && !text.contains("/enrol/"), "{text}");
        let until = Instant::now() + Duration::from_secs(20);
        let sent = loop {
            let sent = crate::attacks::entries(&mut owner, "mail_sent").await;
            if !sent.is_empty() || Instant::now() > until {
                break sent;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        assert_eq!((sent.len(), &sent[0]["body"]["recipients"]), (1, &json!("1")));
        // Once.
        tokio::time::sleep(Duration::from_secs(3)).await;
        server.wait(1).await;
        let said = w.ok("ledger verify", &["--quiet"]);
        assert!(said.starts_with("OK"), "{said}");
    }

    async fn a_changed_address_is_told_at_the_old_and_the_new(mut w: Warifu) {
        let server = MailServer::start(free_port(), &w.data().join("mail"));
        let smtp = format!("smtp://127.0.0.1:{}", server.port);
        w.serve = ["--smtp", &smtp, "--mail-from", "desk@example.com"].map(str::to_owned).into();
        w.restart().await;
        let mut root = Somebody::invited(&w, "root@example.com", "super_administrator").await;
        let agent = Somebody::invited(&w, "old@example.com", "agent").await;
        server.wait(2).await;
        let path = format!("/api/v1/people/{}", agent.id);
        let mut record = root.api(Method::GET, &path, json!({})).await.value()["record"].clone();
        record["email"] = "new@example.com".into();
        record["phone"] = "+81 3 0000 0001".into();
        let proof = root.proof(contact(agent.id, &record)).await;
        let changed = root.api(Method::PUT, &path, json!({ "record": record, "step_up": proof })).await;
        assert_eq!(changed.status, 204, "{}", changed.text());
        let mails = server.wait(4).await;
        for to in ["old@example.com", "new@example.com"] {
            let told = |m: &(String, String, String)| m.0.contains(to)
                && m.2.contains("root@example.com changed how you are reached: Email, Phone.")
                && m.2.contains("連絡先を変更しました（メール、電話）");
            assert!(mails.iter().any(told), "{to}: {mails:#?}");
        }
        // Whoever is switched off reads no notice here: the mail goes out all the same.
        let what = json!({ "action": "switch_person", "parameters": { "person": agent.id.to_string(), "state": "off" } });
        let proof = root.proof(what).await;
        let body = json!({ "active": false, "step_up": proof });
        let off = root.api(Method::PUT, &format!("{path}/standing"), body).await;
        assert_eq!(off.status, 204, "{}", off.text());
        let mails = server.wait(5).await;
        assert!(mails.iter().any(|m| m.0.contains("new@example.com") && m.2.contains("switched your account off")), "{mails:?}");
        crate::attacks::verified(&w);
    }

    async fn a_sign_in_from_a_network_that_is_new_is_told(mut w: Warifu) {
        let server = MailServer::start(free_port(), &w.data().join("mail"));
        let (smtp, asns) = (format!("smtp://127.0.0.1:{}", server.port), w.data().join("asn.mmdb"));
        asn_database(&asns);
        let asns = asns.display().to_string();
        w.serve = ["--smtp", &smtp, "--mail-from", "desk@example.com", "--trusted-proxy", "127.0.0.0/8",
            "--asn-database", &asns].map(str::to_owned).into();
        w.restart().await;
        let from = |address: &str| w.client().header("x-forwarded-for", address);
        let mut home = from("203.0.113.10");
        let link = invitation(&w, "owner@example.com", "super_administrator");
        let mut passkey = enter(&mut home, w.base(), &link).await;
        // Neither the first ever, nor again there, nor elsewhere within the same provider.
        assert_eq!(notices(&mut home).await, ["factor_added"]);
        for address in ["203.0.113.77", "2001:db8:1000::7"] {
            let mut again = from(address);
            sign_in(&mut again, &mut passkey).await;
            assert_eq!(notices(&mut again).await, ["factor_added"], "{address}");
        }
        let mut away = from("198.51.100.9");
        sign_in(&mut away, &mut passkey).await;
        assert_eq!(notices(&mut away).await, ["new_network", "factor_added"]);
        let mut program = away.clone().header("accept", "application/json");
        let told = program.get("/api/v1/notices").await.value()[0].clone();
        assert_eq!(told["details"], json!({ "from": "AS64497 198.51.100.0/24", "factor": "passkey" }));
        let mails = server.wait(2).await;
        let said = ["from AS64497 198.51.100.0/24, where you have had no session before. Used: Passkey.",
            "（AS64497 198.51.100.0/24）から、あなたのアカウントへのサインインがありました。使われた手段: パスキー。"];
        let of = |m: &(String, String, String)| m.0.contains("owner@example.com") && said.iter().all(|s| m.2.contains(s));
        assert!(mails.iter().any(of), "{mails:#?}");
        // Now it is known, and home still is.
        for address in ["198.51.100.200", "203.0.113.10"] {
            let mut again = from(address);
            sign_in(&mut again, &mut passkey).await;
            assert_eq!(notices(&mut again).await.len(), 2, "{address}");
        }
        verified(&w);
    }

    async fn a_mail_about_a_stage_leads_to_the_page_of_its_reader(mut w: Warifu) {
        let server = MailServer::start(free_port(), &w.data().join("mail"));
        let smtp = format!("smtp://127.0.0.1:{}", server.port);
        w.serve = ["--smtp", &smtp, "--mail-from", "desk@example.com"].map(str::to_owned).into();
        w.restart().await;
        let mut vendor = Vendor::new(&w).await;
        vendor.customer(&w, "alder").await;
        vendor.stage("network_binding", &json!({ "stage": "production", "report_only": false })).await;
        for (to, path) in [("owner@example.com", "/policy"), ("admin@alder.example", "/security")] {
            let until = Instant::now() + Duration::from_secs(60);
            let text = loop {
                let about = |m: &(String, String, String)| m.0.contains(to) && m.2.contains("the stage “Production”");
                if let Some(mail) = server.mails().into_iter().find(about) {
                    break mail.2;
                }
                assert!(Instant::now() < until, "{to}: {:#?}", server.mails());
                tokio::time::sleep(Duration::from_millis(200)).await;
            };
            let address = w.url(path);
            let said = [format!("What holds now, and what comes: {address}\n"), format!("確認できます：{address}\n")];
            assert!(said.iter().all(|s| text.replace('\r', "").contains(s)), "{to}: {text}");
            assert!(!text.contains("/account/notices"), "{to}: {text}");
        }
    }

    async fn a_mail_waits_for_its_server(mut w: Warifu) {
        let port = free_port();
        let smtp = format!("smtp://127.0.0.1:{port}");
        w.serve = ["--smtp", &smtp, "--mail-from", "desk@example.com"].map(str::to_owned).into();
        w.clock = true;
        w.restart().await;
        let mut owner = w.client();
        enter(&mut owner, w.base(), &invitation(&w, "owner@example.com", "super_administrator")).await;
        tokio::time::sleep(Duration::from_secs(4)).await;
        assert_eq!(who(&mut owner).await.status, 200, "a mail server that is away stops nobody");
        let server = MailServer::start(port, &w.data().join("mail"));
        w.pass(6 * 60);
        server.wait(1).await;
    }

    async fn access_events_reach_the_webhook_in_order_and_signed(mut w: Warifu) {
        let receiver = Arc::new(Receiver::default());
        let address = receiver.listen().await;
        w.serve = ["--webhook", &address, "--webhook-secret", "shared"].map(str::to_owned).into();
        w.restart().await;
        receiver.hears(&w).await;
        let mut owner = w.client();
        let link = invitation(&w, "owner@example.com", "super_administrator");
        enter(&mut owner, w.base(), &link).await;
        let logon = |e: &Value| e["class_uid"] == 3002 && e["activity_id"] == 1;
        let events = receiver.wait(|e| e.iter().any(logon)).await;
        let enrolled = events.iter().position(|e| e["class_uid"] == 3001 && e["activity_id"] == 10);
        let entered = events.iter().position(logon);
        assert!(enrolled < entered && enrolled.is_some(), "{events:#?}");
        let numbers: Vec<i64> = events.iter().map(|e| e["metadata"]["uid"].as_str().unwrap().parse().unwrap()).collect();
        assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
        // Nothing in it names anybody, and nothing opens a session.
        let text = serde_json::to_string(&events).unwrap();
        assert!(!text.contains("owner@example.com"), "{text}");
    }
}

#[tokio::test]
async fn a_webhook_is_told_nothing_in_plain_text_over_a_network() {
    let mut command = crate::server::program();
    let output = command
        .args(["serve", "--webhook", "http://siem.example.com/", "--webhook-secret", "x", "--data"])
        .arg(tempfile::tempdir().unwrap().path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(
        error.contains("--webhook") && error.contains("https") && error.trim().lines().count() == 1,
        "{error}"
    );
}
