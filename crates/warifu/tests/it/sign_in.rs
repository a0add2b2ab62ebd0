//! Sign-in, enrolment, sessions, and what a forged or late request gets.

use crate::http::{Answer, Client};
use crate::passkey::Passkey;
use crate::server::Warifu;
use hyper::Method;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tempfile::TempDir;
use warifu_app::sessions::Use;
use warifu_app::{App, AppConfig, SystemRandom};
use warifu_domain::time::{HOUR, MINUTE, SECOND};
use warifu_domain::{Clock, Timestamp};
use warifu_storage::Db;
use warifu_web::{Web, WebConfig};

pub const SESSION: &str = "__Host-warifu";

/// A link for a new colleague, as a path.
pub fn invitation(w: &Warifu, email: &str, role: &str) -> String {
    let link = w.ok("enrol", &["--email", email, "--role", role]);
    link.trim().strip_prefix(w.base()).expect("a link to this server").to_owned()
}

/// Enrols a passkey by a link and signs in with it.
pub async fn enter(client: &mut Client, base: &str, link: &str) -> Passkey {
    let mut passkey = Passkey::new(base);
    let page = client.get(link).await;
    assert_eq!(page.status, 200, "{}", page.text());
    let done = client.passkey(&page, &mut passkey).await;
    assert_eq!(done.status, 200, "{}", done.text());
    sign_in(client, &mut passkey).await;
    passkey
}

pub async fn sign_in(client: &mut Client, passkey: &mut Passkey) {
    let page = client.get("/sign-in").await;
    let done = client.passkey(&page, passkey).await;
    assert_eq!(done.status, 204, "{}", done.text());
}

/// What a program is told: the page of one's own passkeys, as JSON.
pub async fn who(client: &mut Client) -> Answer {
    client.clone().header("accept", "application/json").get("/account/passkeys").await
}

/// A client that calls the sign-in endpoints as the page's script does.
pub async fn script(client: &mut Client) -> Client {
    let page = client.get("/sign-in").await;
    let token = page.form("data-passkey", "sign-in").fields[0].1.clone();
    client.clone().header("x-csrf-token", &token).header("accept", "application/json")
}

pub async fn options(script: &mut Client) -> Value {
    script.json(Method::POST, "/sign-in/options", &json!({})).await.value()
}

pub fn reply(options: &Value, passkey: &mut Passkey) -> Value {
    json!({ "ceremony": options["ceremony"], "credential": passkey.get(&options["publicKey"]) })
}

on_both! {
    async fn a_colleague_enrols_signs_in_and_out(w: Warifu) {
        let link = invitation(&w, "agent@example.com", "agent");
        let mut client = w.client();
        enter(&mut client, w.base(), &link).await;
        assert_eq!(client.get("/").await.location(), "/cases");
        let page = client.get("/account/passkeys").await;
        assert_eq!(page.status, 200);
        assert!(!page.text().contains('⟦'), "{}", page.text());

        let stolen = client.clone();
        let form = page.form("action", "/sign-out");
        assert_eq!(client.submit(&form, &[]).await.location(), "/signed-out");
        assert!(!client.cookies.contains_key(SESSION));
        let answer = who(&mut stolen.clone()).await;
        assert_eq!(answer.status, 401, "a session after sign-out");
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }

    async fn a_responder_begins_with_incidents(w: Warifu) {
        let link = invitation(&w, "responder@example.com", "responder");
        let mut client = w.client();
        enter(&mut client, w.base(), &link).await;
        assert_eq!(client.get("/").await.location(), "/incidents");
    }

    async fn an_invitation_is_used_once_and_in_one_browser(w: Warifu) {
        let link = invitation(&w, "agent@example.com", "agent");
        let mut first = w.client();
        let page = first.get(&link).await;
        let mut second = w.client();
        assert_eq!(second.get(&link).await.status, 410, "another browser opened it");
        // The second browser has a cookie and a token of its own; with the first one's page it
        // still gets nowhere.
        let visit = second.get("/sign-in").await;
        let token = visit.form("data-passkey", "sign-in").fields[0].1.clone();
        let body = json!({ "invitation": link.rsplit('/').next().unwrap(), "name": "x" });
        let mut forged = second.header("x-csrf-token", &token).header("accept", "application/json");
        assert_eq!(forged.json(Method::POST, "/enrol/options", &body).await.status, 404);

        let done = first.passkey(&page, &mut Passkey::new(w.base())).await;
        assert_eq!(done.status, 200, "{}", done.text());
        assert_eq!(first.get(&link).await.status, 410, "it was used");
        assert_eq!(w.client().get("/enrol/nonsense").await.status, 410);
    }

    async fn a_challenge_is_good_for_one_try(w: Warifu) {
        let link = invitation(&w, "agent@example.com", "agent");
        let mut client = w.client();
        let mut passkey = enter(&mut client, w.base(), &link).await;
        let mut client = w.client();
        let page = client.get("/sign-in").await;
        let token = page.form("data-passkey", "sign-in").fields[0].1.clone();
        let mut script = client
            .clone()
            .header("x-csrf-token", &token)
            .header("accept", "application/json");
        let options = script.json(Method::POST, "/sign-in/options", &json!({})).await.value();
        let body = json!({
            "ceremony": options["ceremony"], "credential": passkey.get(&options["publicKey"]),
        });
        let mut thief = script.clone();
        assert_eq!(script.json(Method::POST, "/sign-in/verify", &body).await.status, 204);
        let replay = thief.json(Method::POST, "/sign-in/verify", &body).await;
        assert_eq!(replay.status, 403, "{}", replay.text());
        assert!(!thief.cookies.contains_key(SESSION));
        // The same answer to a challenge of its own.
        let other = thief.json(Method::POST, "/sign-in/options", &json!({})).await.value();
        let mut mixed = body.clone();
        mixed["ceremony"] = other["ceremony"].clone();
        assert_eq!(thief.json(Method::POST, "/sign-in/verify", &mixed).await.status, 403);
    }

    async fn a_look_alike_site_and_an_unknown_key_are_refused(w: Warifu) {
        let link = invitation(&w, "agent@example.com", "agent");
        let passkey = enter(&mut w.client(), w.base(), &link).await;
        let mut relayed = passkey.used_on("http://warifu.example");
        let mut client = w.client();
        let page = client.get("/sign-in").await;
        assert_eq!(client.passkey(&page, &mut relayed).await.status, 403);
        let page = client.get("/sign-in").await;
        let stranger = client.passkey(&page, &mut Passkey::new(w.base())).await;
        assert_eq!(stranger.status, 403, "an unknown key gets the same answer");
    }

    async fn a_copied_key_shows_by_its_counter(w: Warifu) {
        let link = invitation(&w, "agent@example.com", "agent");
        let mut passkey = enter(&mut w.client(), w.base(), &link).await;
        let mut script = script(&mut w.client()).await;
        let earlier = options(&mut script).await;
        let later = options(&mut script).await;
        let earlier = reply(&earlier, &mut passkey);
        let later = reply(&later, &mut passkey);
        assert_eq!(script.clone().json(Method::POST, "/sign-in/verify", &later).await.status, 204);
        let copied = script.json(Method::POST, "/sign-in/verify", &earlier).await;
        assert_eq!(copied.status, 403, "the counter went back");
    }

    async fn a_further_passkey_can_be_added_and_the_last_not_removed(w: Warifu) {
        let link = invitation(&w, "agent@example.com", "agent");
        let mut client = w.client();
        let mut first = enter(&mut client, w.base(), &link).await;
        let page = client.get("/account/passkeys").await;
        let mut second = Passkey::new(w.base());
        let form = client.step_up(page.form("data-passkey", "enrol"), &mut first).await;
        let body = client.passkey_form(&form, &mut second).await;
        assert_eq!(body.status, 200, "{}", body.text());
        let mut other = w.client();
        sign_in(&mut other, &mut second).await;
        let page = client.get("/account/passkeys").await;
        let remove = page.text().match_indices("/remove\"").count();
        assert_eq!(remove, 2);
        let form = client.step_up(page.form("action", "passkeys/2/remove"), &mut first).await;
        assert_eq!(client.submit(&form, &[]).await.status, 303);
        assert_eq!(who(&mut other).await.status, 401, "a session of the removed key goes on");
        let form = client.step_up(page.form("action", "passkeys/1/remove"), &mut first).await;
        assert_eq!(client.submit(&form, &[]).await.status, 409);
    }

    async fn forged_requests_are_refused(w: Warifu) {
        let link = invitation(&w, "agent@example.com", "agent");
        let mut client = w.client();
        enter(&mut client, w.base(), &link).await;
        let page = client.get("/account/passkeys").await;
        let csrf = page.form("action", "/sign-out").fields[0].1.clone();
        let right = [("csrf", csrf.as_str())];
        let refused = async |mut client: Client, fields: &[(&str, &str)]| {
            let answer = client.post_form("/sign-out", fields).await;
            assert_eq!(answer.status, 403, "{}", answer.text());
        };
        refused(client.clone(), &[]).await;
        refused(client.clone(), &[("csrf", "wrong")]).await;
        refused(client.clone().header("sec-fetch-site", "cross-site"), &right).await;
        refused(client.clone().header("sec-fetch-site", "same-site"), &right).await;
        refused(client.clone().header("origin", "null"), &right).await;
        refused(client.clone().without_header("sec-fetch-site").without_header("origin"), &right).await;
        // JSON that a form of another site can send without asking first.
        let text = client
            .clone()
            .header("x-csrf-token", &csrf)
            .send(Method::POST, "/enrol/options", Some("text/plain"), "{}".into())
            .await;
        assert_eq!(text.status, 403);
        assert_eq!(client.post_form("/sign-out", &right).await.status, 303);
    }

    async fn a_second_link_of_the_console_ends_the_first(w: Warifu) {
        let first = invitation(&w, "agent@example.com", "agent");
        let mut early = w.client();
        let page = early.get(&first).await;
        let token = page.form("data-passkey", "enrol").fields[0].1.clone();
        let mut script = early.clone().header("x-csrf-token", &token).header("accept", "application/json");
        let mut body = json!({ "invitation": first.rsplit('/').next().unwrap(), "name": "x" });
        let options = script.json(Method::POST, "/enrol/options", &body).await;
        assert_eq!(options.status, 200, "{}", options.text());

        let second = invitation(&w, "agent@example.com", "agent");
        // Not where it was opened either, and not by what had begun there.
        assert_eq!(w.client().get(&first).await.status, 410);
        assert_eq!(early.get(&first).await.status, 410);
        let options = options.value();
        body["ceremony"] = options["ceremony"].clone();
        body["credential"] = Passkey::new(w.base()).create(&options["publicKey"]);
        let late = script.json(Method::POST, "/enrol/verify", &body).await;
        assert_eq!(late.status, 404, "{}", late.text());
        enter(&mut w.client(), w.base(), &second).await;
    }
}

/// A clock that a test moves.
struct HandClock(AtomicI64);

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// The product in this process, with a clock of its own.
struct Inside {
    app: App,
    clock: Arc<HandClock>,
    base: String,
    _data: TempDir,
}

impl Inside {
    async fn start() -> Inside {
        let data = TempDir::with_prefix("warifu-it-").unwrap();
        let clock = Arc::new(HandClock(AtomicI64::new(1_700_000_000_000_000)));
        let db = Db::open_sqlite(data.path()).await.unwrap();
        let config = AppConfig::new(data.path());
        let app = App::open(db, config, clock.clone(), Arc::new(SystemRandom)).unwrap();
        app.ensure_vendor().await.unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://localhost:{}", listener.local_addr().unwrap().port());
        let web = Web::new(app.clone(), WebConfig::new(base.parse().unwrap())).unwrap();
        tokio::spawn(async move { axum::serve(listener, warifu_web::router(web)).await });
        Inside { app, clock, base, _data: data }
    }

    async fn link(&self) -> String {
        let roles = [warifu_domain::access::Role::Agent];
        let invited = self.app.invite_on_console("agent@example.com", None, &roles).await.unwrap();
        format!("/enrol/{}", invited.token.text())
    }

    fn pass(&self, time: i64) {
        self.clock.0.fetch_add(time, Ordering::SeqCst);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_when_idle_and_no_clock_revives_it() {
    let inside = Inside::start().await;
    let mut client = Client::new(&inside.base);
    enter(&mut client, &inside.base, &inside.link().await).await;
    inside.pass(14 * MINUTE);
    assert_eq!(who(&mut client).await.status, 200);
    inside.pass(15 * MINUTE);
    assert_eq!(who(&mut client).await.status, 200, "use keeps it");
    inside.pass(15 * MINUTE + SECOND);
    assert_eq!(who(&mut client).await.status, 401, "idle for 15:01");
    inside.pass(-10 * MINUTE);
    assert_eq!(who(&mut client).await.status, 401, "a clock set back revived it");
    let to = client.get("/account/passkeys").await.location();
    assert!(to.starts_with("/sign-in?next=%2Faccount%2Fpasskeys&why="), "{to}");
    assert!(inside.app.verify_ledger(|_, _| {}).await.unwrap().is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn polling_keeps_no_session_alive() {
    let inside = Inside::start().await;
    let mut client = Client::new(&inside.base);
    enter(&mut client, &inside.base, &inside.link().await).await;
    for (name, value) in [("x-warifu-quiet", "1"), ("accept", "text/event-stream")] {
        inside.pass(5 * MINUTE);
        let mut quiet = client.clone().header(name, value);
        assert_eq!(quiet.get("/account/passkeys").await.status, 200, "{name}");
    }
    inside.pass(5 * MINUTE + SECOND);
    assert_eq!(who(&mut client).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_over_after_twelve_hours_of_use() {
    let inside = Inside::start().await;
    let mut client = Client::new(&inside.base);
    enter(&mut client, &inside.base, &inside.link().await).await;
    let mut passed = 0;
    while passed + 10 * MINUTE < 12 * HOUR {
        inside.pass(10 * MINUTE);
        passed += 10 * MINUTE;
        assert_eq!(who(&mut client).await.status, 200, "after {passed}");
    }
    inside.pass(12 * HOUR - passed);
    assert_eq!(who(&mut client).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_and_a_ceremony_expire() {
    let inside = Inside::start().await;
    let mut client = Client::new(&inside.base);
    let mut passkey = enter(&mut client, &inside.base, &inside.link().await).await;
    let link = inside.link().await;
    inside.pass(24 * HOUR - SECOND);
    assert_eq!(client.get(&link).await.status, 200);
    inside.pass(SECOND);
    assert_eq!(client.get(&link).await.status, 410);

    let mut script = script(&mut client).await;
    let body = reply(&options(&mut script).await, &mut passkey);
    inside.pass(5 * MINUTE);
    assert_eq!(script.json(Method::POST, "/sign-in/verify", &body).await.status, 403);
    let body = reply(&options(&mut script).await, &mut passkey);
    inside.pass(5 * MINUTE - SECOND);
    assert_eq!(script.json(Method::POST, "/sign-in/verify", &body).await.status, 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_seen_in_another_network_is_dead_everywhere() {
    let inside = Inside::start().await;
    let mut client = Client::new(&inside.base);
    enter(&mut client, &inside.base, &inside.link().await).await;
    let thief = Use { network: "198.51.100.0/24", by_hand: true, device: None };
    let policy = WebConfig::new(inside.base.parse().unwrap()).sessions;
    let token = &client.cookies[SESSION];
    let seen = inside.app.session(token, thief, &policy).await.unwrap();
    assert_eq!(format!("{:?}", seen.err()), "Some(Moved)");
    assert_eq!(who(&mut client).await.status, 401, "it goes on where it was");
}

#[tokio::test(flavor = "multi_thread")]
async fn cookies_are_tied_down_and_the_session_changes_at_sign_in() {
    let inside = Inside::start().await;
    let mut client = Client::new(&inside.base);
    let first = client.get("/sign-in").await;
    let cookie = first.header("set-cookie").to_owned();
    let mut passkey = enter(&mut client, &inside.base, &inside.link().await).await;
    let before = client.clone();
    // Sign in again in the same browser: another id, and the old one is dead.
    let mut again = client.clone();
    again.cookies.remove(SESSION);
    let page = again.get("/sign-in").await;
    again.cookies = before.cookies.clone();
    let answer = again.passkey(&page, &mut passkey).await;
    assert_eq!(answer.status, 204, "{}", answer.text());
    for cookie in [cookie.as_str(), answer.header("set-cookie")] {
        for part in ["__Host-warifu", "; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax"] {
            assert!(cookie.contains(part), "{cookie} has no {part}");
        }
        assert!(!cookie.contains("Domain"));
    }
    assert_ne!(before.cookies[SESSION], again.cookies[SESSION]);
    assert_eq!(who(&mut before.clone()).await.status, 401);
    assert_eq!(who(&mut again).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_is_slowed_down_and_nobody_locked_out() {
    let inside = Inside::start().await;
    let mut client = Client::new(&inside.base);
    enter(&mut client, &inside.base, &inside.link().await).await;
    let mut flood = Client::new(&inside.base);
    let page = flood.get("/sign-in").await;
    let token = page.form("data-passkey", "sign-in").fields[0].1.clone();
    let mut flood = flood.header("x-csrf-token", &token).header("accept", "application/json");
    let mut last = flood.json(Method::POST, "/sign-in/options", &json!({})).await;
    for _ in 0..60 {
        last = flood.json(Method::POST, "/sign-in/options", &json!({})).await;
    }
    assert_eq!(last.status, 429);
    assert_eq!(last.header("retry-after"), "1");
    assert_eq!(who(&mut client).await.status, 200, "who is in stays in");
    inside.pass(2 * SECOND);
    let again = flood.json(Method::POST, "/sign-in/options", &json!({})).await;
    assert_eq!(again.status, 200);
}
