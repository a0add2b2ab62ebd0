//! Changing one's own password and codes (ASVS 6.2.2, 6.2.3): what proves who asks, what it ends, and
//! who has none.

use crate::attacks::{entries, notices, verified};
use crate::browser::{Browser, Look};
use crate::http::{Answer, Client};
use crate::identity_provider::Owner;
use crate::password::{Customer, PASSWORD, allow, invite, offered, try_in, with_a_password};
use crate::server::{Engine, Warifu};
use crate::sign_in::{SESSION, enter, who};
use crate::story::{at_two_looks, sound_error};
use hyper::Method;
use serde_json::{Value, json};

const NEW: &str = "seven slow herons at noon";

/// A new session, with the code of so many seconds from the test's beginning.
async fn signed_in(w: &Warifu, customer: &Customer, at: i64) -> Client {
    w.pass(at);
    let mut client = w.client();
    let done = customer.sign_in(&mut client, at).await;
    assert_eq!(done.status, 303, "{}", done.text());
    client
}

/// Fills in the page's form.
async fn change(client: &mut Client, current: &str, code: &str, new: &str) -> Answer {
    let page = client.get("/account/password").await;
    let form = page.form("action", "/account/password");
    client.submit(&form, &[("current", current), ("code", code), ("password", new)]).await
}

/// The page's own part.
fn own(answer: &Answer) -> String {
    answer.text().split("<main").nth(1).expect("a page").to_owned()
}

/// What the newest entries of a kind say, newest first.
async fn said(owner: &mut Owner, kind: &str, member: &str) -> Vec<Value> {
    entries(&mut owner.client, kind).await.iter().map(|e| e["body"][member].clone()).collect()
}

/// The client as a program of its owner.
async fn program(client: &Client) -> Client {
    let mut program = client.clone().header("accept", "application/json");
    let session = program.get("/api/v1/session").await.value();
    let csrf = session["csrf"].as_str().expect("a token").to_owned();
    program.header("x-csrf-token", &csrf)
}

on_both! {
    async fn a_customer_changes_the_password_and_every_other_session_ends(mut w: Warifu) {
        let (mut owner, customer) = with_a_password(&mut w).await;
        let mut client = signed_in(&w, &customer, 30).await;
        let mut other = signed_in(&w, &customer, 60).await;
        let page = client.get("/account/passkeys").await;
        assert!(page.text().contains("href=\"/account/password\""), "{}", page.text());
        w.pass(90);
        let good = customer.code(90);
        // What is not taken leaves everything as it is, the code too.
        for (new, why) in [
            ("short", "at least 8 characters"),
            ("password1", "among the first"),
            (customer.email.as_str(), "among the first"),
        ] {
            let answer = change(&mut client, PASSWORD, &good, new).await;
            assert_eq!(answer.status, 422, "{new}");
            assert!(answer.text().contains(why), "{new}: {}", answer.text());
        }
        assert!(!said(&mut owner, "step_up", "action").await.contains(&json!("change_password")));
        let mut before = client.clone();
        let done = change(&mut client, PASSWORD, &good, NEW).await;
        assert_eq!((done.status.as_u16(), done.header("location")), (303, "/account/password?done=password"));
        let page = client.get(&done.location()).await;
        assert!(page.text().contains("Your password was changed"), "{}", page.text());
        // This session has a new token, every other one has ended.
        assert_ne!(client.cookies[SESSION], before.cookies[SESSION]);
        assert_eq!(who(&mut client).await.status, 200);
        assert_eq!(who(&mut before).await.status, 401, "the old token");
        assert_eq!(who(&mut other).await.status, 401, "the other session");
        assert_eq!(notices(&mut client).await[0], "password_changed");
        let acts = entries(&mut owner.client, "protected_action").await;
        assert_eq!((&acts[0]["body"]["action"], &acts[0]["body"]["target"]), (&json!("change_password"), &json!(customer.person.to_string())));
        assert_eq!(acts[0]["actor"]["person"], json!(customer.person.to_string()));
        let proof = &entries(&mut owner.client, "step_up").await[0]["body"];
        assert_eq!((&proof["action"], &proof["passed"]), (&json!("change_password"), &json!(true)));
        assert_eq!(said(&mut owner, "session_revoked", "reason").await, ["password"]);
        let record = owner.client.get(&format!("/api/v1/people/{}", customer.person)).await.value();
        assert!(record["record"]["last_password_change"].is_string(), "{record}");
        // The old one is good for nothing, and the code was used up.
        let code = try_in(&mut w.client(), &customer.email, NEW, &good).await;
        assert_eq!(code.status, 403, "a code twice");
        w.pass(120);
        let next = customer.code(120);
        assert_eq!(try_in(&mut w.client(), &customer.email, PASSWORD, &next).await.status, 403);
        assert_eq!(try_in(&mut w.client(), &customer.email, NEW, &next).await.status, 303);
        verified(&w);
    }

    async fn whichever_is_wrong_the_answer_is_the_same_and_tries_are_counted(mut w: Warifu) {
        let (mut owner, customer) = with_a_password(&mut w).await;
        let mut client = signed_in(&w, &customer, 30).await;
        w.pass(60);
        let good = customer.code(60);
        let mut answers = Vec::new();
        for (current, code) in [
            ("tally of two halve", good.as_str()),
            (PASSWORD, "000000"),
            ("wrong", "000000"),
            (PASSWORD, ""),
        ] {
            let answer = change(&mut client, current, code, NEW).await;
            answers.push((answer.status.as_u16(), own(&answer)));
        }
        assert_eq!(answers[0].0, 403);
        assert!(answers.iter().all(|a| *a == answers[0]), "{answers:#?}");
        assert!(answers[0].1.contains("do not belong together"));
        // Only the ledger knows which it was; its owner hears of each.
        assert_eq!(said(&mut owner, "sign_in_refused", "reason").await, ["code", "password", "code", "password"]);
        assert_eq!(said(&mut owner, "step_up", "passed").await[..4], [false; 4]);
        assert_eq!(said(&mut owner, "step_up", "action").await[..4], ["change_password"; 4]);
        assert_eq!(notices(&mut client).await[..4], ["step_up_refused"; 4]);
        assert!(!said(&mut owner, "protected_action", "action").await.contains(&json!("change_password")));
        assert_eq!(change(&mut client, PASSWORD, &good, NEW).await.status, 303, "nobody is locked out");
        // Ten in a row, and then one in six seconds: they are counted together, wherever they are made.
        let form = client.get("/account/password").await.form("action", "/account/password/codes");
        for (place, most) in [("password", 25), ("codes", 3), ("sign-in", 3)] {
            let mut last = 0;
            for _ in 0..most {
                let wrong = [("current", "wrong"), ("code", "000000")];
                let answer = match place {
                    "password" => change(&mut client, "wrong", "000000", NEW).await,
                    "codes" => client.submit(&form, &wrong).await,
                    _ => try_in(&mut w.client(), &customer.email, "wrong", "000000").await,
                };
                last = answer.status.as_u16();
                if last == 429 {
                    break;
                }
                assert_eq!(last, 403, "{place}: {}", answer.text());
            }
            assert_eq!(last, 429, "{place}");
        }
        assert_eq!(try_in(&mut w.client(), "nobody@alder.example", "wrong", "000000").await.status, 403);
        verified(&w);
    }

    async fn nobody_else_has_a_password_to_change(mut w: Warifu) {
        let (mut owner, customer) = with_a_password(&mut w).await;
        let mut mine = signed_in(&w, &customer, 30).await;
        let body = json!({ "current": PASSWORD, "code": "000000", "password": NEW });
        let prove = json!({ "current": PASSWORD, "code": "000000" });
        let first = json!({ "ceremony": "x", "step_up": "x", "code": "000000" });
        // Of the vendor's with a role, and a customer with a passkey where passwords are allowed.
        let record = json!({ "full_name": "Ren Abe", "email": "ren@alder.example" });
        let new = json!({ "organization": customer.organization, "record": record });
        let made = owner.client.json(Method::POST, "/api/v1/people", &new).await;
        assert_eq!(made.status, 201, "{}", made.text());
        let mut keyed = w.client();
        enter(&mut keyed, w.base(), &invite(&w, "ren@alder.example")).await;
        let page = keyed.get("/account/passkeys").await;
        assert!(!page.text().contains("/account/password"), "{}", page.text());
        for client in [&mut keyed, &mut owner.client] {
            assert_eq!(client.get("/account/password").await.status, 404);
            let mut program = program(client).await;
            for (method, path, body) in [
                (Method::POST, "/api/v1/password", &body),
                (Method::POST, "/api/v1/password/codes", &prove),
                (Method::PUT, "/api/v1/password/codes", &first),
            ] {
                let answer = program.json(method, path, body).await;
                assert_eq!(answer.status, 404, "{path}: {}", answer.text());
            }
        }
        // Nor does whoever is not signed in, or may not sign in so any more.
        let answer = w.client().header("accept", "application/json").get("/account/password").await;
        assert_eq!(answer.status, 401);
        let form = mine.get("/account/password").await.form("action", "/account/password");
        allow(&w, &mut owner, customer.organization, false, false).await;
        let filled = [("current", PASSWORD), ("code", &*customer.code(60)), ("password", NEW)];
        let answer = mine.submit(&form, &filled).await;
        assert_eq!(answer.location(), "/sign-in?why=ended", "{}", answer.text());
        assert!(!said(&mut owner, "step_up", "action").await.contains(&json!("change_password")));
        verified(&w);
    }

    async fn new_codes_count_from_their_first_one_on(mut w: Warifu) {
        let (mut owner, mut customer) = with_a_password(&mut w).await;
        let mut client = signed_in(&w, &customer, 30).await;
        let mut other = signed_in(&w, &customer, 60).await;
        w.pass(90);
        let form = client.get("/account/password").await.form("action", "/account/password/codes");
        let wrong = client.submit(&form, &[("current", PASSWORD), ("code", "000000")]).await;
        assert_eq!(wrong.status, 403, "{}", wrong.text());
        let mut before = client.clone();
        let filled = [("current", PASSWORD), ("code", &*customer.code(90))];
        let page = client.submit(&form, &filled).await;
        assert_eq!(page.status, 200, "{}", page.text());
        assert_eq!(who(&mut before).await.status, 401, "the old token");
        let old = std::mem::replace(&mut customer.secret, offered(&page));
        assert_ne!(old, customer.secret);
        // Until the app shows the first of them, nothing has changed.
        let form = page.form("action", "/codes/first");
        let again = client.submit(&form, &[("code", "000000")]).await;
        assert_eq!((again.status.as_u16(), offered(&again)), (422, customer.secret.clone()));
        assert_eq!(who(&mut other).await.status, 200);
        let form = again.form("action", "/codes/first");
        let mut unproven = form.clone();
        unproven.fields.retain(|(name, _)| name != "step_up");
        let refused = client.submit(&unproven, &[("code", &*customer.code(90)), ("step_up", "x")]).await;
        assert_eq!(refused.status, 403, "without what was proved: {}", refused.text());
        assert_eq!(client.submit(&form, &[("code", &*customer.code(90))]).await.status, 404, "codes are good for one try");
        // Once more from the beginning.
        w.pass(120);
        customer.secret = old;
        let form = client.get("/account/password").await.form("action", "/account/password/codes");
        let filled = [("current", PASSWORD), ("code", &*customer.code(120))];
        let page = client.submit(&form, &filled).await;
        let old = std::mem::replace(&mut customer.secret, offered(&page));
        let form = page.form("action", "/codes/first");
        let done = client.submit(&form, &[("code", &*customer.code(120))]).await;
        assert_eq!((done.status.as_u16(), done.header("location")), (303, "/account/password?done=codes"), "{}", done.text());
        assert_eq!(client.submit(&form, &[("code", &*customer.code(120))]).await.status, 404, "once");
        assert_eq!(who(&mut client).await.status, 200);
        assert_eq!(who(&mut other).await.status, 401);
        assert_eq!(notices(&mut client).await[0], "codes_changed");
        assert_eq!(said(&mut owner, "protected_action", "action").await[0], "change_codes");
        assert_eq!(said(&mut owner, "session_revoked", "reason").await, ["password"]);
        w.pass(150);
        let new = customer.code(150);
        customer.secret = old;
        assert_eq!(customer.sign_in(&mut w.client(), 150).await.status, 403, "an old code");
        assert_eq!(try_in(&mut w.client(), &customer.email, PASSWORD, &new).await.status, 303);
        verified(&w);
    }

    async fn a_program_changes_password_and_codes(mut w: Warifu) {
        let (mut owner, mut customer) = with_a_password(&mut w).await;
        let client = signed_in(&w, &customer, 30).await;
        let mut program = program(&client).await;
        w.pass(60);
        let wish = |current: &str, code: &str, new: &str| {
            json!({ "current": current, "code": code, "password": new })
        };
        let good = customer.code(60);
        let weak = program.json(Method::POST, "/api/v1/password", &wish(PASSWORD, &good, "short")).await;
        assert_eq!((weak.status.as_u16(), &weak.value()["field"]), (422, &json!("password")));
        let wrong = program.json(Method::POST, "/api/v1/password", &wish("wrong", &good, NEW)).await;
        assert_eq!((wrong.status.as_u16(), &wrong.value()["type"]), (403, &json!("/problems/step-up-refused")));
        let token = program.cookies[SESSION].clone();
        let done = program.json(Method::POST, "/api/v1/password", &wish(PASSWORD, &good, NEW)).await;
        assert_eq!(done.status, 204, "{}", done.text());
        assert_ne!(program.cookies[SESSION], token);
        w.pass(90);
        let prove = json!({ "current": NEW, "code": customer.code(90) });
        let begun = program.json(Method::POST, "/api/v1/password/codes", &prove).await;
        assert_eq!(begun.status, 200, "{}", begun.text());
        let begun = begun.value();
        assert!(begun["address"].as_str().expect("a text").starts_with("otpauth://totp/"));
        customer.secret = begun["secret"].as_str().expect("a text").to_owned();
        let first = json!({ "ceremony": begun["ceremony"], "step_up": begun["step_up"], "code": customer.code(90) });
        let done = program.json(Method::PUT, "/api/v1/password/codes", &first).await;
        assert_eq!(done.status, 204, "{}", done.text());
        assert_eq!(said(&mut owner, "protected_action", "action").await[..2], ["change_codes", "change_password"]);
        w.pass(120);
        let done = try_in(&mut w.client(), &customer.email, NEW, &customer.code(120)).await;
        assert_eq!(done.status, 303, "{}", done.text());
        verified(&w);
    }
}

async fn in_the_browser(language: &str) {
    let Some(browser) = Browser::start().await else { return };
    let mut w = Warifu::stopped(Engine::Sqlite);
    w.clock = true;
    let (_, mut customer) = with_a_password(&mut w).await;
    let shot = |name: &str| format!("password-{language}-{name}");
    w.pass(30);
    let page = browser.page(Look::default().language(language)).await;
    page.goto(&w.url("/sign-in/password")).await;
    page.fill("#name", &customer.email).await;
    page.fill("#password", PASSWORD).await;
    page.fill("#code", &customer.code(30)).await;
    page.leads_on(page.click("form[action='/sign-in/password'] button")).await;
    page.wait_until("the portal", "location.pathname === '/portal/cases'").await;
    page.click("#session summary").await;
    page.leads_on(page.click("#session a[href='/account/password']")).await;
    at_two_looks(&page, &shot("own")).await;
    // What is typed can be looked at, and is sent as it was.
    w.pass(60);
    page.fill("#current", PASSWORD).await;
    page.fill("#code", &customer.code(60)).await;
    page.fill("#password", "password1").await;
    let kind = "document.querySelector('#password').type";
    assert_eq!(page.eval(kind).await, "password");
    page.click("[data-reveal=password]").await;
    assert_eq!(page.eval(kind).await, "text");
    page.leads_on(page.click("form[action='/account/password'] button[type=submit]")).await;
    page.wait_for("#password-e").await;
    sound_error(&page, &shot("unfit")).await;
    assert_eq!(page.eval(kind).await, "password");
    // By the keyboard alone, with the same code: it was not used up.
    page.fill("#current", PASSWORD).await;
    page.fill("#code", &customer.code(60)).await;
    page.fill("#password", NEW).await;
    page.leads_on(page.press("Enter")).await;
    page.wait_for(".callout.flash").await;
    sound_error(&page, &shot("done")).await;
    w.pass(90);
    page.fill("#codes-current", "wrong").await;
    page.fill("#codes-code", "000000").await;
    page.leads_on(page.click("form[action$='/codes'] button[type=submit]")).await;
    page.wait_for("main [role=alert]").await;
    sound_error(&page, &shot("refused")).await;
    page.fill("#codes-current", NEW).await;
    page.fill("#codes-code", &customer.code(90)).await;
    page.leads_on(page.click("form[action$='/codes'] button[type=submit]")).await;
    page.wait_for("svg.qr").await;
    page.size(390, 844).await;
    page.media("screen", true).await;
    sound_error(&page, &shot("codes-phone-dark")).await;
    page.media("screen", false).await;
    page.size(1440, 900).await;
    customer.secret = page.text_of("main code").await.replace(' ', "");
    page.fill("#code", &customer.code(90)).await;
    page.leads_on(page.press("Enter")).await;
    page.wait_for(".callout.flash").await;
    w.pass(120);
    let done = customer.sign_in(&mut w.client(), 120).await;
    assert_eq!(done.status, 403, "the old password");
    let done = try_in(&mut w.client(), &customer.email, NEW, &customer.code(120)).await;
    assert_eq!(done.status, 303, "{}", done.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_changes_password_and_codes_in_the_browser() {
    in_the_browser("en").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_changes_password_and_codes_in_the_browser_in_japanese() {
    in_the_browser("ja").await;
}
