//! 9 to 12, 14, 15, 31 and 40: a session that is idle, over or ended, and requests that a page of
//! another site sends.

use super::{entries, reaches, verified};
use crate::http::Client;
use crate::passkey::Passkey;
use crate::server::Warifu;
use crate::sign_in::{enter, invitation, who};
use hyper::Method;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;

/// A super administrator on a server whose clock is the test's.
async fn at_a_clock(w: &mut Warifu) -> (Client, Passkey) {
    w.clock = true;
    w.restart().await;
    let link = invitation(w, "owner@example.com", "super_administrator");
    let mut owner = w.client();
    let passkey = enter(&mut owner, w.base(), &link).await;
    (owner, passkey)
}

async fn is_in(client: &mut Client, whether: bool, when: &str) {
    let status = who(client).await.status;
    assert_eq!(status, if whether { 200 } else { 401 }, "{when}");
}

/// Signs in once more and gives the reasons for which sessions ended by themselves, newest first.
async fn reasons(owner: &mut Client, passkey: &mut Passkey) -> Vec<String> {
    crate::sign_in::sign_in(owner, passkey).await;
    let told = entries(owner, "sign_out").await;
    told.iter().map(|e| e["body"]["reason"].as_str().unwrap_or("-").to_owned()).collect()
}

on_both! {
    async fn attack_09_a_session_ends_after_fifteen_minutes_without_use(mut w: Warifu) {
        let (mut owner, mut passkey) = at_a_clock(&mut w).await;
        w.pass(14 * MINUTE);
        is_in(&mut owner, true, "after 14 minutes").await;
        w.pass(28 * MINUTE);
        is_in(&mut owner, true, "14 minutes after that").await;
        w.pass(28 * MINUTE + 15 * MINUTE + 1);
        is_in(&mut owner, false, "idle for 15:01").await;
        w.pass(28 * MINUTE + MINUTE);
        is_in(&mut owner, false, "with the clock set back").await;
        assert_eq!(reasons(&mut owner, &mut passkey).await, ["idle"]);
        verified(&w);
    }

    async fn attack_10_polling_keeps_no_session_alive(mut w: Warifu) {
        let (mut owner, mut passkey) = at_a_clock(&mut w).await;
        for minute in 1..=14 {
            w.pass(minute * MINUTE);
            for (name, value) in [("x-warifu-quiet", "1"), ("accept", "text/event-stream")] {
                let mut quiet = owner.clone().header(name, value);
                assert_eq!(quiet.get("/account/passkeys").await.status, 200, "{name}, {minute}");
            }
        }
        w.pass(15 * MINUTE + 1);
        is_in(&mut owner, false, "polled all the time").await;
        assert_eq!(reasons(&mut owner, &mut passkey).await, ["idle"]);
    }

    async fn attack_11_a_session_ends_after_twelve_hours_of_use(mut w: Warifu) {
        let (mut owner, mut passkey) = at_a_clock(&mut w).await;
        for n in 1..72 {
            w.pass(n * 10 * MINUTE);
            is_in(&mut owner, true, &format!("after {n} times ten minutes")).await;
        }
        w.pass(12 * HOUR);
        is_in(&mut owner, false, "after twelve hours").await;
        assert_eq!(reasons(&mut owner, &mut passkey).await, ["lifetime"]);
    }

    async fn attack_12_a_clock_set_back_revives_nothing(mut w: Warifu) {
        let (mut owner, mut passkey) = at_a_clock(&mut w).await;
        let mut over = owner.clone();
        w.pass(12 * HOUR);
        is_in(&mut over, false, "over").await;
        for back in [11 * HOUR, HOUR, 0, -HOUR] {
            w.pass(back);
            is_in(&mut over, false, &format!("at {back}")).await;
        }
        // A server that is started in what is now the past: how long a session of the future has been
        // idle is unknown, so it is over.
        w.pass(24 * HOUR);
        crate::sign_in::sign_in(&mut owner, &mut passkey).await;
        is_in(&mut owner, true, "signed in a day later").await;
        w.pass(0);
        w.restart().await;
        assert_eq!(who(&mut Client { cookies: owner.cookies.clone(), ..w.client() }).await.status, 401);
        verified(&w);
    }

    async fn attack_14_a_session_is_dead_after_sign_out(w: Warifu) {
        let link = invitation(&w, "owner@example.com", "super_administrator");
        let mut owner = w.client();
        let mut passkey = enter(&mut owner, w.base(), &link).await;
        let mut stolen = owner.clone();
        let page = owner.get("/account/passkeys").await;
        owner.submit(&page.form("action", "/sign-out"), &[]).await;
        for _ in 0..3 {
            assert_eq!(who(&mut stolen).await.status, 401);
        }
        crate::sign_in::sign_in(&mut owner, &mut passkey).await;
        assert_eq!(who(&mut stolen).await.status, 401);
        assert_eq!(entries(&mut owner, "sign_out").await.len(), 1);
        verified(&w);
    }

    async fn attack_15_no_request_that_starts_after_the_end_is_served(w: Warifu) {
        let link = invitation(&w, "owner@example.com", "super_administrator");
        let mut owner = w.client();
        let mut passkey = enter(&mut owner, w.base(), &link).await;
        let page = owner.get("/account/passkeys").await;
        let ended = Arc::new(AtomicBool::new(false));
        let served = Arc::new(AtomicUsize::new(0));
        let racing: Vec<_> = (0..100)
            .map(|_| {
                let (mut thief, ended, served) = (owner.clone(), ended.clone(), served.clone());
                tokio::spawn(async move {
                    loop {
                        let late = ended.load(Ordering::SeqCst);
                        let status = who(&mut thief).await.status;
                        assert!(!late || status == 401, "served after the end: {status}");
                        served.fetch_add(usize::from(status == 200), Ordering::SeqCst);
                        if late {
                            return;
                        }
                    }
                })
            })
            .collect();
        reaches(&served, 100).await;
        let answer = owner.submit(&page.form("action", "/sign-out"), &[]).await;
        ended.store(true, Ordering::SeqCst);
        assert_eq!(answer.location(), "/signed-out");
        for task in racing {
            task.await.unwrap();
        }
        crate::sign_in::sign_in(&mut owner, &mut passkey).await;
        assert_eq!(entries(&mut owner, "sign_out").await.len(), 1);
        verified(&w);
    }

    async fn attack_40_a_session_in_a_recording_is_removed_and_revoked(w: Warifu) {
        let link = invitation(&w, "owner@example.com", "super_administrator");
        let mut owner = w.client();
        enter(&mut owner, w.base(), &link).await;
        let mut victim = w.client();
        enter(&mut victim, w.base(), &invitation(&w, "agent@example.com", "agent")).await;
        let token = victim.cookies["__Host-warifu"].clone();
        let recording = crate::story::HAR.replace("sid=s3cr3t", &format!("__Host-warifu={token}; x=s3cr3t"));
        let page = owner.get("/account/passkeys").await;
        let csrf = page.form("action", "/sign-out").fields[0].1.clone();
        let mut program = owner.clone().header("x-csrf-token", &csrf).header("accept", "application/json");
        let new = serde_json::json!({ "subject": "Help", "body": "Please", "requester": 1 });
        let case = program.json(Method::POST, "/api/v1/cases", &new).await.value()["id"].clone();
        assert_eq!(who(&mut victim).await.status, 200);
        let files = [("files", "session.har", "application/json", recording.as_bytes())];
        let fields = [("body", "the recording"), ("note", "true")];
        let sent = program.upload(&format!("/api/v1/cases/{case}/files"), &fields, &files).await;
        assert_eq!(sent.status, 201, "{}", sent.text());
        assert_eq!(who(&mut victim).await.status, 401, "it goes on");
        assert_eq!(who(&mut owner).await.status, 200, "others' sessions too");
        let messages = program.get(&format!("/api/v1/cases/{case}/messages")).await.value();
        let stored = messages["messages"].as_array().and_then(|m| m.last()).expect("the note")["files"][0]["href"].clone();
        let stored = program.get(stored.as_str().expect("an address")).await;
        assert!(stored.status == 200 && !stored.text().contains(&token));
        let told = entries(&mut owner, "session_revoked").await;
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!((&told[0]["body"]["reason"], &told[0]["body"]["person"]), (&"recorded".into(), &"2".into()));
        verified(&w);
    }

    async fn attack_16_a_role_that_is_taken_away_is_gone_with_the_next_request(w: Warifu) {
        let link = invitation(&w, "owner@example.com", "super_administrator");
        let mut owner = w.client();
        let mut passkey = enter(&mut owner, w.base(), &link).await;
        let mut agent = w.client();
        enter(&mut agent, w.base(), &invitation(&w, "admin@example.com", "administrator")).await;
        assert_eq!(agent.get("/ledger").await.status, 200);

        // Only with the key, for just these roles, and not by whoever has them.
        let page = owner.get("/people/2").await;
        let form = page.form("action", "/people/2/roles");
        assert_eq!(owner.submit(&form, &[]).await.location(), "/people/2", "nothing changes");
        let csrf = form.fields[0].1.clone();
        let fewer = [("csrf", csrf.as_str()), ("role", "agent")];
        let answer = owner.post_form("/people/2/roles", &fewer).await;
        assert_eq!(answer.status, 403, "{}", answer.text());
        let own = agent.get("/account/passkeys").await.form("action", "/sign-out").fields[0].1.clone();
        let more = [("csrf", own.as_str()), ("role", "super_administrator")];
        assert_eq!(agent.post_form("/people/2/roles", &more).await.status, 403);
        let mut form = page.form("action", "/people/2/roles");
        form.fields.retain(|(name, _)| name != "role");
        form.fields.push(("role".into(), "agent".into()));
        let form = owner.step_up(form, &mut passkey).await;
        let mut other = form.fields.clone();
        other.push(("role".into(), "administrator".into()));
        let pairs: Vec<_> = other.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(owner.post_form("/people/2/roles", &pairs).await.status, 403, "more roles");
        other.retain(|(_, value)| value != "administrator" && value != "agent");
        let pairs: Vec<_> = other.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(owner.post_form("/people/2/roles", &pairs).await.status, 403, "no roles");
        assert_eq!(owner.submit(&form, &[]).await.status, 303);

        assert_eq!(agent.get("/ledger").await.status, 403, "the role is gone");
        assert_eq!(agent.get("/cases").await.status, 200, "the session is not");
        let told = entries(&mut owner, "role_change").await;
        let last: Vec<_> = told[..2].iter().map(|e| (e["body"]["role"].clone(), e["body"]["change"].clone())).collect();
        assert_eq!(last, [("administrator".into(), "removed".into()), ("agent".into(), "added".into())]);

        // The last super administrator stays one.
        let page = owner.get("/people/1").await;
        let mut form = page.form("action", "/people/1/roles");
        form.fields.retain(|(name, _)| name != "role");
        let form = owner.step_up(form, &mut passkey).await;
        assert_eq!(owner.submit(&form, &[]).await.status, 409);
        verified(&w);
    }

    async fn a_session_is_ended_by_its_owner_and_by_an_administrator(w: Warifu) {
        let link = invitation(&w, "owner@example.com", "super_administrator");
        let mut owner = w.client();
        let mut own = enter(&mut owner, w.base(), &link).await;
        let mut elsewhere = w.client();
        crate::sign_in::sign_in(&mut elsewhere, &mut own).await;
        let mut agent = w.client();
        enter(&mut agent, w.base(), &invitation(&w, "agent@example.com", "agent")).await;

        // An agent sees their own only, and ends no one else's.
        assert_eq!(agent.get("/sessions").await.status, 403);
        let page = owner.get("/sessions").await;
        let foreign = page.form("action", "/sessions/1/").attributes["action"].clone();
        let mine = agent.get("/account/sessions").await;
        assert!(!mine.text().contains("/sessions/1/"), "{}", mine.text());
        let csrf = mine.form("action", "/sign-out").fields[0].1.clone();
        for path in [foreign.as_str(), "/sessions/1/end", "/sessions/2/ffff/end"] {
            assert_eq!(agent.post_form(path, &[("csrf", &csrf)]).await.status, 404, "{path}");
        }
        assert_eq!(who(&mut elsewhere).await.status, 200);

        // The owner ends all others of their own, and the agent's.
        let page = owner.get("/account/sessions").await;
        let answer = owner.submit(&page.form("action", "/sessions/1/end"), &[]).await;
        assert_eq!(answer.location(), "/account/sessions");
        assert_eq!(who(&mut elsewhere).await.status, 401);
        let page = owner.get("/sessions").await;
        let answer = owner.submit(&page.form("action", "/sessions/2/"), &[]).await;
        assert_eq!(answer.location(), "/sessions");
        assert_eq!(who(&mut agent).await.status, 401);
        assert_eq!(who(&mut owner).await.status, 200);
        let told = entries(&mut owner, "session_revoked").await;
        let reasons: Vec<_> = told.iter().map(|e| e["body"]["reason"].clone()).collect();
        assert_eq!(reasons, ["administrator", "owner"]);
        verified(&w);
    }

    async fn attack_31_a_page_of_another_site_changes_nothing(w: Warifu) {
        let link = invitation(&w, "owner@example.com", "super_administrator");
        let mut owner = w.client();
        enter(&mut owner, w.base(), &link).await;
        let page = owner.get("/account/passkeys").await;
        let csrf = page.form("action", "/sign-out").fields[0].1.clone();
        let case = r#"{"subject":"forged","body":"x","requester":1}"#;
        for (header, value) in [
            ("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "null"),
            ("origin", "https://evil.example"),
        ] {
            let mut forged = owner.clone().header(header, value);
            assert_eq!(forged.post_form("/sign-out", &[("csrf", &csrf)]).await.status, 403);
            let mut forged = forged.header("x-csrf-token", &csrf);
            let kind = Some("application/json");
            let answer = forged.send(Method::POST, "/api/v1/cases", kind, case.into()).await;
            assert_eq!(answer.status, 403, "{header}: {value}");
        }
        // JSON in the one kind of body that a form may send elsewhere without asking.
        for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
            let mut forged = owner.clone();
            let answer = forged.send(Method::POST, "/api/v1/cases", Some(kind), case.into()).await;
            assert_eq!(answer.status, 403, "{kind}: {}", answer.text());
        }
        assert_eq!(who(&mut owner).await.status, 200);
        assert!(entries(&mut owner, "case_change").await.is_empty());
        assert!(entries(&mut owner, "sign_out").await.is_empty());
        verified(&w);
    }

    async fn attack_40_a_session_in_whatever_is_uploaded_is_revoked(w: Warifu) {
        let link = invitation(&w, "owner@example.com", "super_administrator");
        let mut owner = w.client();
        let mut passkey = enter(&mut owner, w.base(), &link).await;
        let page = owner.get("/account/passkeys").await;
        let csrf = page.form("action", "/sign-out").fields[0].1.clone();
        let mut program = owner.clone().header("x-csrf-token", &csrf).header("accept", "application/json");
        let new = serde_json::json!({ "subject": "Help", "body": "Please", "requester": 1 });
        let case = program.json(Method::POST, "/api/v1/cases", &new).await.value()["id"].clone();
        let curl = "curl -H 'Cookie: a=b; __Host-warifu=TOKEN' https://desk.example/cases";
        let packed = format!("PK\u{3}\u{4}…{curl}");
        let files = [
            ("a command line", "notes.txt", curl, 201),
            ("another JSON", "cookies.json", r#"{"cookies": {"a": 1, "__Host-warifu": "TOKEN"}}"#, 201),
            ("a recording that broke off", "trace.json", r#"{"log":{"entries":[{"name":"__Host-warifu","value":"TOKEN""#, 422),
            ("an archive that is not packed", "logs.zip", &packed, 201),
            ("a name", "__Host-warifu=TOKEN.txt", "hello", 201),
        ];
        for (what, name, text, status) in files {
            let mut victim = w.client();
            crate::sign_in::sign_in(&mut victim, &mut passkey).await;
            let token = victim.cookies["__Host-warifu"].clone();
            let (name, text) = (name.replace("TOKEN", &token), text.replace("TOKEN", &token));
            let files = [("files", name.as_str(), "application/octet-stream", text.as_bytes())];
            let fields = [("body", "see there"), ("note", "true")];
            let sent = program.upload(&format!("/api/v1/cases/{case}/files"), &fields, &files).await;
            assert_eq!(sent.status, status, "{what}: {}", sent.text());
            assert_eq!(who(&mut victim).await.status, 401, "{what}: it goes on");
            let told = entries(&mut owner, "session_revoked").await;
            assert_eq!(told[0]["body"]["reason"], "recorded", "{what}");
        }
        assert_eq!(entries(&mut owner, "session_revoked").await.len(), 5);
        assert_eq!(who(&mut owner).await.status, 200, "others' sessions too");
        verified(&w);
    }
}
