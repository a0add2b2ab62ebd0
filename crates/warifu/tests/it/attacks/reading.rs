//! 3 and 35: whoever has a session or a token for a while does not walk through the people with it.

use super::service::programs::{HOME, Owner, bare};
use super::{entries, notices, verified};
use crate::http::{Answer, Client};
use crate::passkey::Passkey;
use crate::server::Warifu;
use crate::sign_in::{enter, invitation, sign_in, who};
use hyper::Method;
use serde_json::{Value, json};

const LIMIT: usize = 100;

async fn owner(w: &Warifu) -> (Client, Passkey, String) {
    let link = invitation(w, "owner@example.com", "super_administrator");
    let mut client = w.client();
    let passkey = enter(&mut client, w.base(), &link).await;
    let csrf = csrf(&mut client).await;
    (client, passkey, csrf)
}

async fn csrf(client: &mut Client) -> String {
    let page = client.get("/account/passkeys").await;
    page.form("action", "/sign-out").fields[0].1.clone()
}

/// The next pages of people, until one is refused: the answer to that, and whom they named.
async fn walk(client: &mut Client, after: &mut i64) -> (Answer, usize) {
    let mut seen = 0;
    loop {
        let page = client.get(&format!("/api/v1/people?limit=50&after={after}")).await;
        if page.status != 200 {
            return (page, seen);
        }
        let people = page.value()["people"].as_array().cloned().unwrap();
        seen += people.len();
        *after = people.last().expect("they do not end before the limit")["id"].as_i64().unwrap();
    }
}

#[track_caller]
fn asks_for_the_key(answer: &Answer, people: usize) {
    assert_eq!(answer.status, 403, "{}: {}", answer.url, answer.text());
    assert!(!answer.text().contains("@o"), "{}: {}", answer.url, answer.text());
    if answer.header("content-type") == "application/problem+json" {
        let said = answer.value();
        assert_eq!(said["type"], "/problems/step-up-required", "{said}");
        assert_eq!(
            (&said["action"], &said["parameters"]["people"]),
            (&json!("read_on"), &json!(people.to_string()))
        );
    } else {
        let form = answer.form("action", "/people/read-on");
        assert_eq!(form.attributes["data-step-up"], "read_on");
        assert!(
            form.fields.contains(&("people".to_owned(), people.to_string())),
            "{:?}",
            form.fields
        );
    }
}

async fn read_on(client: &mut Client, people: usize, proof: &Value) -> u16 {
    let body = json!({ "people": people, "step_up": proof });
    client.json(Method::POST, "/api/v1/people/read-on", &body).await.status.as_u16()
}

on_both! {
    async fn attack_03_a_stolen_session_does_not_walk_through_the_people(mut w: Warifu) {
        w.clock = true;
        w.serve = ["--reading-limit", "100"].map(str::to_owned).into();
        w.restart().await;
        crate::evidence::import(&w, 600);
        let (mut owner, mut passkey, csrf) = owner(&w).await;
        let mut thief = owner.clone().header("x-csrf-token", &csrf).header("accept", "application/json");
        let mut page = owner.clone();
        let last = json!({ "subject": "Help", "body": "Please", "requester": 500 });
        let case = thief.json(Method::POST, "/api/v1/cases", &last).await;
        assert_eq!(case.status, 201, "{}", case.text());
        let case = case.value();
        let (reference, case) = (case["reference"].as_str().unwrap(), case["id"].as_i64().unwrap());

        let mut after = 0;
        let (refused, seen) = walk(&mut thief, &mut after).await;
        assert_eq!(seen, LIMIT);
        asks_for_the_key(&refused, 200);
        // Nor by any other way that shows somebody's record, a few at a time or one by one.
        for path in [
            "/api/v1/people?limit=1&after=300",
            "/api/v1/people?organization=3&limit=1&after=300",
            "/api/v1/people/300",
            "/api/v1/people/300/versions",
            "/api/v1/people/300/way-in",
            "/api/v1/search?q=p298",
        ] {
            asks_for_the_key(&thief.get(path).await, 200);
        }
        let case_page = format!("/cases/{reference}");
        for path in [
            "/people?after=300",
            "/people?q=p298",
            "/people/300",
            "/search?q=p298",
            "/palette?q=p298",
            "/verifications/new?person=300",
            // The case itself is shown, who asked beside it is not, whether or not it was read by the API before.
            &case_page,
        ] {
            asks_for_the_key(&page.get(path).await, 200);
        }
        assert_eq!(thief.get(&format!("/api/v1/cases/{case}")).await.status, 200);
        asks_for_the_key(&page.get(&case_page).await, 200);
        // What was seen is seen again, and pages without records of people go on.
        for path in ["/api/v1/people?limit=100", "/api/v1/people/50", "/api/v1/organizations", "/api/v1/cases"] {
            assert_eq!(thief.get(path).await.status, 200, "{path}");
        }
        // The ledger has what left, and once that more was asked for; so has its owner.
        let told = entries(&mut owner, "reading_stopped").await;
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0]["body"], json!({ "route": "/api/v1/people", "people": "100", "allowance": "100" }));
        let left = entries(&mut owner, "api_page").await;
        let rows = |e: &Value| e["body"]["rows"].as_str().and_then(|n| n.parse().ok()).unwrap_or(0);
        let of_people = left.iter().filter(|e| e["body"]["route"] == "/api/v1/people");
        assert_eq!(of_people.map(rows).sum::<usize>(), 100 + 100, "50, 50, and the 100 again");
        assert_eq!(notices(&mut owner).await[0], "reading_stopped");

        // Without the key nobody reads on, nor with what it agreed to for something else.
        for proof in [Value::Null, json!(""), json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")] {
            assert_eq!(read_on(&mut thief, 200, &proof).await, 403);
        }
        let other = json!({ "action": "read_on", "parameters": { "people": "300" } });
        let wrong = owner.prove(&csrf, other, &mut passkey).await.value()["step_up"].clone();
        assert_eq!(who(&mut thief.clone()).await.status, 401, "the copied cookie is dead with the first touch");
        let mut own = owner.clone().header("x-csrf-token", &csrf).header("accept", "application/json");
        assert_eq!(read_on(&mut own, 200, &wrong).await, 403);
        assert_eq!(read_on(&mut own, 300, &wrong).await, 409);
        asks_for_the_key(&own.get("/api/v1/people/300").await, 200);

        // With it the page goes on where it was, and for so many more.
        let place = "/people?after=100";
        let form = owner.get(place).await.form("action", "/people/read-on");
        let form = owner.step_up(form, &mut passkey).await;
        let done = owner.submit(&form, &[]).await;
        assert_eq!((done.status.as_u16(), done.header("location")), (303, place));
        assert_eq!(owner.get(place).await.status, 200);
        let agreed = entries(&mut owner, "protected_action").await;
        assert_eq!((&agreed[0]["body"]["action"], &agreed[0]["body"]["target"]), (&json!("read_on"), &json!("200")));
        own.cookies = owner.cookies.clone();
        // Also when the rest is asked for at the same moment, in pages of ten: five fit.
        let mut each: Vec<Client> = (0..12).map(|_| own.clone()).collect();
        let asked = each.iter_mut().enumerate().map(|(i, client)| {
            let path = format!("/api/v1/people?limit=10&after={}", 300 + 10 * i);
            async move { client.get(&path).await.status.as_u16() }
        });
        let answers = futures_util::future::join_all(asked).await;
        assert_eq!(answers.iter().filter(|s| **s == 200).count(), 5, "{answers:?}");
        asks_for_the_key(&own.get("/api/v1/people/599").await, 300);
        // Once for each session and step: the thief's, the owner's own, and the owner's next.
        assert_eq!(entries(&mut owner, "reading_stopped").await.len(), 3);

        // A day later it is a day's work again; another node, or the same started anew, has the same count.
        w.pass(25 * 3600);
        sign_in(&mut owner, &mut passkey).await;
        let mut own = owner.clone().header("accept", "application/json");
        let (refused, seen) = walk(&mut own, &mut after).await;
        assert_eq!(seen, LIMIT);
        asks_for_the_key(&refused, 200);
        w.restart().await;
        let mut anew = w.client().header("accept", "application/json");
        anew.cookies = owner.cookies.clone();
        asks_for_the_key(&anew.get("/api/v1/people/599").await, 200);
        verified(&w);
    }

    async fn attack_35_nor_does_a_program(mut w: Warifu) {
        w.serve = ["--reading-limit", "100"].map(str::to_owned).into();
        let mut owner = Owner::new(&mut w).await;
        crate::evidence::import(&w, 200);
        let program = owner.program(&w, &["people:read", "search"]).await;
        let home = bare(&w, HOME);
        let token = program.token(&home).await;
        for after in [0, 50] {
            let path = format!("/api/v1/people?limit=50&after={after}");
            assert_eq!(program.call(&home, "GET", &path, &token).await.status, 200);
        }
        for path in ["/api/v1/people?limit=50&after=100", "/api/v1/people/150", "/api/v1/search?q=p150"] {
            let said = program.call(&home, "GET", path, &token).await;
            assert_eq!(said.status, 429, "{path}");
            assert_eq!(said.value()["type"], "/problems/reading-limit");
            let seconds: i64 = said.header("retry-after").parse().unwrap();
            assert!((23 * 3600..=24 * 3600).contains(&seconds), "{seconds}");
        }
        // It has no key to read on with.
        let said = program.call(&home, "POST", "/api/v1/people/read-on", &token).await;
        assert_eq!((said.status.as_u16(), &said.value()["type"]), (403, &json!("/problems/service-scope")));
        assert_eq!(program.call(&home, "GET", "/api/v1/people/50", &token).await.status, 200);
        let told = entries(&mut owner.client, "reading_stopped").await;
        assert_eq!((told.len(), &told[0]["actor"]["role"]), (1, &json!("api_client")), "{told:?}");
        assert!(notices(&mut owner.client).await.contains(&"service_reading_stopped".to_owned()));
        verified(&w);
    }
}
