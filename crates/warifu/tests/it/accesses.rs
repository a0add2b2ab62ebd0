//! Access transparency: what the vendor opens, downloads or runs stands in the list of the organization
//! that it is about, and of no other.

use crate::attacks::network::{HOME, asn_database};
use crate::attacks::{entries, verified};
use crate::browser::{Browser, Look};
use crate::http::Client;
use crate::identity_provider::Owner;
use crate::server::Warifu;
use crate::sign_in::{enter, invitation};
use crate::signals::Receiver;
use crate::story::{CUSTOMER, at_every_look, demo, enter as enter_page};
use crate::surroundings::run_ends;
use hyper::Method;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

const NOWHERE: &str = "192.0.2.7";

/// A server behind a proxy on this machine, with an ASN database.
async fn behind_a_proxy(w: &mut Warifu) {
    let path = w.data().join("asn.mmdb");
    asn_database(&path);
    let path = path.display().to_string();
    w.serve = ["--trusted-proxy", "127.0.0.0/8", "--asn-database", &path].map(str::to_owned).into();
    w.restart().await;
}

/// Somebody in a session from an address. Without a role: somebody's own invitation.
async fn somebody(w: &Warifu, link: &str, address: &str) -> Owner {
    let mut client = w.client().header("x-forwarded-for", address);
    let passkey = enter(&mut client, w.base(), link).await;
    let page = client.get("/account/passkeys").await;
    let csrf = page.form("action", "/sign-out").fields[0].1.clone();
    let client = client.header("x-csrf-token", &csrf).header("accept", "application/json");
    Owner { client, passkey, csrf }
}

async fn make(owner: &mut Owner, path: &str, new: Value) -> i64 {
    let made = owner.client.json(Method::POST, path, &new).await;
    assert_eq!(made.status, 201, "{path}: {}", made.text());
    made.value()["id"].as_i64().expect("an id")
}

struct Customer {
    organization: i64,
    person: i64,
    admin: String,
    case: i64,
    file: i64,
    note: i64,
}

/// An organization with two people, a case, its file, and a file of a note.
async fn customer(owner: &mut Owner, name: &str) -> Customer {
    let new = json!({ "name": name, "environment": "production", "products": [], "domain": "" });
    let organization = make(owner, "/api/v1/organizations", new).await;
    let mut people = Vec::new();
    for (who, full) in [("user", "Haruka"), ("admin", "Naoko")] {
        let record = json!({ "full_name": format!("{full} {name}"), "email": format!("{who}@{name}.example") });
        let new = json!({ "organization": organization, "record": record });
        people.push(make(owner, "/api/v1/people", new).await);
    }
    let new = json!({ "subject": name, "body": "secret", "requester": people[0] });
    let case = make(owner, "/api/v1/cases", new).await;
    let mut files = Vec::new();
    for note in ["false", "true"] {
        let file = [("files", "a.txt", "text/plain", &b"secret"[..])];
        let path = format!("/api/v1/cases/{case}/files");
        let sent = owner.client.upload(&path, &[("body", "x"), ("note", note)], &file).await;
        assert_eq!(sent.status, 201, "{}", sent.text());
        let all = owner.client.get(&format!("/api/v1/cases/{case}/messages")).await.value();
        let all = all["messages"].as_array().cloned().expect("messages");
        files.push(all.iter().filter_map(|m| m["files"][0]["id"].as_i64()).max().expect("a file"));
    }
    let admin = format!("admin@{name}.example");
    Customer { organization, person: people[0], admin, case, file: files[0], note: files[1] }
}

async fn told(by: &mut Owner, organization: i64, query: &str) -> Value {
    let answer =
        by.client.get(&format!("/api/v1/organizations/{organization}/accesses{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.value()
}

fn all(told: &Value) -> Vec<Value> {
    told["accesses"].as_array().cloned().expect("accesses")
}

/// Which of them, newest first: kind and how.
fn kinds(told: &Value) -> Vec<String> {
    let text = |a: &Value| format!("{} {}", a["kind"], a["how"]).replace('"', "");
    all(told).iter().map(text).collect()
}

/// Prepares a report over some people and takes its file.
async fn report(by: &mut Owner, filter: Value, reason: &str) -> usize {
    let asked = json!({ "reason": reason, "definition": { "subject": "people",
        "columns": ["full_name", "email"], "filter": filter } });
    let run = make(by, "/api/v1/runs", asked).await;
    let file =
        by.client.json(Method::POST, &format!("/api/v1/runs/{run}/download"), &json!({})).await;
    assert_eq!(file.status, 200, "{}", file.text());
    run_ends(&mut by.client, run).await;
    file.text().len()
}

/// Weeks since 1970, which began on a Thursday; they begin on Monday, in UTC.
fn week() -> u64 {
    (UNIX_EPOCH.elapsed().unwrap().as_secs() / 86_400 + 3) / 7
}

fn page(client: &Client) -> Client {
    client.clone().header("accept", "text/html")
}

on_both! {
    async fn an_organization_sees_what_the_vendor_has_seen_of_it(mut w: Warifu) {
        let began = week();
        behind_a_proxy(&mut w).await;
        let link = invitation(&w, "owner@example.com", "super_administrator");
        let mut owner = somebody(&w, &link, NOWHERE).await;
        let alder = customer(&mut owner, "alder").await;
        let birch = customer(&mut owner, "birch").await;
        let link = invitation(&w, "lead@example.com", "administrator");
        let mut lead = somebody(&w, &link, HOME).await;
        let link = invitation(&w, &alder.admin, "organization_administrator");
        let mut admin = somebody(&w, &link, NOWHERE).await;
        let link = invitation(&w, &birch.admin, "organization_administrator");
        let mut stranger = somebody(&w, &link, NOWHERE).await;
        let before = told(&mut admin, alder.organization, "").await["accesses"][0]["number"].clone();
        let before = before.as_i64().expect("what the owner did");

        // What the organization does itself is no access of the vendor's.
        assert_eq!(admin.client.get(&format!("/api/v1/cases/{}", alder.case)).await.status, 200);
        assert_eq!(admin.client.get(&format!("/api/v1/attachments/{}", alder.file)).await.status, 200);

        let html = &mut page(&lead.client);
        assert_eq!(html.get(&format!("/cases/HC-{}", alder.case)).await.status, 200);
        assert_eq!(html.get(&format!("/cases/HC-{}", alder.case)).await.status, 200, "within the hour");
        assert_eq!(html.get(&format!("/attachments/{}", alder.file)).await.status, 200);
        assert_eq!(html.get(&format!("/attachments/{}", alder.note)).await.status, 200);
        assert_eq!(html.get(&format!("/people/{}", alder.person)).await.status, 200);
        assert_eq!(html.get("/search?q=haruka").await.status, 200);
        assert_eq!(html.get(&format!("/people/{}", birch.person)).await.status, 200);
        assert_eq!(lead.client.get("/api/v1/people?limit=200").await.status, 200);
        let one = json!({ "column": "email", "op": "equals", "value": "user@alder.example" });
        let bytes = report(&mut lead, one.clone(), "for alder's review").await;
        report(&mut lead, json!({ "column": "email", "op": "contains", "value": "birch" }), "").await;
        report(&mut lead, json!({ "column": "email", "op": "contains", "value": "user@" }), "").await;
        let everybody = json!({ "decided": true, "reason": "all", "definition": { "subject": "people",
            "columns": ["full_name"] } });
        assert_eq!(lead.client.json(Method::POST, "/api/v1/runs", &everybody).await.status, 403);

        let own = told(&mut admin, alder.organization, "").await;
        let new: Vec<Value> =
            all(&own).into_iter().filter(|a| a["number"].as_i64() > Some(before)).collect();
        let own_new = json!({ "accesses": new });
        assert_eq!(
            kinds(&own_new),
            [
                "report refused", "report downloaded", "report downloaded", "person listed",
                "person listed", "person opened", "file opened", "case opened",
            ],
            "{own}"
        );
        assert!(!own.to_string().contains("birch"), "{own}");
        let [refused, silent, review, list, search, person, file, case] = &new[..] else { panic!("{own}") };
        for access in &new {
            assert_eq!((&access["asn"], &access["operator"]), (&json!(64496), &json!("Provider 64496")), "{access}");
            assert!(access["name"].as_str().is_some_and(|n| !n.is_empty()), "{access}");
            assert_eq!(access["program"], false);
        }
        assert!(!own.to_string().contains("203.0.113"), "no address: {own}");
        assert_eq!((&refused["records"], &refused["unfiltered"]), (&json!(2), &json!(true)), "{refused}");
        assert_eq!((&refused["left"], &refused["bytes"]), (&json!("nothing"), &json!(0)), "{refused}");
        assert_eq!((&silent["records"], &silent["reason"]), (&json!(1), &json!("")), "{silent}");
        assert_eq!((&review["records"], &review["reason"]), (&json!(1), &json!("for alder's review")));
        assert_eq!((&review["left"], &review["bytes"]), (&json!("whole"), &json!(bytes)), "{review}");
        assert_eq!(review["fields"], json!(["Full Name", "Email"]));
        assert_eq!(list["records"], 2, "{list}");
        assert_eq!((&search["records"], &search["person_name"]), (&json!(1), &json!("Haruka alder")));
        assert_eq!((&person["person"], &person["person_name"]), (&json!(alder.person), &json!("Haruka alder")));
        assert_eq!((&file["file_name"], &file["bytes"]), (&json!("a.txt"), &json!(6)), "{file}");
        assert_eq!(case["case"], format!("HC-{}", alder.case));

        // A change of a case shows it.
        let path = format!("/api/v1/cases/{}", alder.case);
        assert_eq!(lead.client.json(Method::PATCH, &path, &json!({})).await.status, 200);
        let own = told(&mut admin, alder.organization, "").await;
        assert_eq!(kinds(&own)[0], "case opened", "{own}");

        // Lists of cases stand by themselves: what a search has found, and a case once an hour.
        for _ in 0..2 {
            assert_eq!(html.get("/cases?view=active").await.status, 200);
            assert_eq!(lead.client.get("/api/v1/cases?view=active").await.status, 200);
        }
        let lists = told(&mut admin, alder.organization, "?kind=list").await;
        let of_lead = all(&lists).into_iter().filter(|a| a["asn"] == 64496);
        let of_lead: Vec<Value> = of_lead.map(|a| json!([a["kind"], a["how"], a["case"]])).collect();
        assert_eq!(of_lead, [json!(["list", "listed", format!("HC-{}", alder.case)])], "{lists}");
        let shown = page(&admin.client).get("/portal/access?kind=list").await;
        assert!(shown.text().contains(&format!("Saw the case HC-{} in a list", alder.case)), "{}", shown.text());

        // Page after page, the same, and of one kind.
        let (mut paged, mut next) = (Vec::new(), String::new());
        loop {
            let part = told(&mut admin, alder.organization, &format!("?limit=3{next}")).await;
            assert!(all(&part).len() <= 3);
            paged.extend(all(&part));
            let Some(n) = part["next"].as_i64() else { break };
            next = format!("&before={n}");
        }
        assert_eq!(paged, all(&own));
        let reports = told(&mut admin, alder.organization, "?kind=report").await;
        assert_eq!(kinds(&reports), ["report refused", "report downloaded", "report downloaded"]);
        let wrong = admin.client.get(&format!("/api/v1/organizations/{}/accesses?kind=x", alder.organization)).await;
        assert_eq!(wrong.status, 422);
        let summary = format!("/api/v1/organizations/{}/accesses/summary", alder.organization);
        let numbers = admin.client.get(&summary).await.value();
        assert_eq!(numbers["accesses"], all(&own).len(), "{numbers}");
        assert_eq!((&numbers["reports"], &numbers["no_reason"]), (&json!(2), &json!(1)), "{numbers}");
        assert_eq!((&numbers["people"], &numbers["programs"]), (&json!(2), &json!(0)), "{numbers}");
        let weeks = [11, 12].map(|n| numbers["weeks"][n]["accesses"].as_u64().unwrap_or_default());
        assert_eq!(weeks[0] + weeks[1], all(&own).len() as u64, "{numbers}");
        // All in the last, which may have begun meanwhile.
        assert!(weeks[0] == 0 || week() > began, "{numbers}");
        assert_eq!(numbers["weeks"].as_array().map(Vec::len), Some(13));

        // The page says the same, and its own reading is recorded.
        let shown = page(&admin.client).get("/portal/access").await;
        assert_eq!(shown.status, 200, "{}", shown.text());
        let text = shown.text();
        for part in [
            "for alder&#39;s review", "none given", "Was refused a report with all 2 of your people",
            "AS64496 Provider 64496", "Opened the person Haruka alder", "Opened the file a.txt",
            "warifu.local/ledger", "class=\"flag\"",
        ] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
        assert!(!text.contains("birch") && !text.contains("203.0.113"), "{text}");
        let shown = page(&admin.client).get("/portal/access?kind=file").await;
        assert!(!shown.text().contains("review"), "{}", shown.text());
        let pages = crate::attacks::entries(&mut owner.client, "api_page").await;
        assert!(pages.iter().any(|e| e["body"]["route"] == "/portal/access"), "{pages:?}");
        let nav = page(&admin.client).get("/portal/cases").await;
        assert!(nav.text().contains("/portal/access"), "{}", nav.text());

        // The other organization sees its own.
        let theirs = told(&mut stranger, birch.organization, "").await;
        assert!(!theirs.to_string().contains("alder"), "{theirs}");
        assert_eq!(kinds(&theirs)[..4], ["report refused", "report downloaded", "report downloaded", "person listed"]);
        let foreign = format!("/api/v1/organizations/{}/accesses", alder.organization);
        assert_eq!(stranger.client.get(&foreign).await.status, 404);

        // For a user without a role there is no such page, nor for somebody of the vendor.
        let mut user = user(&w, &mut owner, &alder).await;
        for path in [foreign.as_str(), summary.as_str(), "/portal/access"] {
            assert_eq!(user.get(path).await.status, 404, "{path}");
        }
        assert!(!page(&user).get("/portal/cases").await.text().contains("/portal/access"));
        assert_eq!(page(&owner.client).get("/portal/access").await.status, 404);
        // Whoever reads the whole ledger may look up what a customer is told.
        let files = told(&mut owner, alder.organization, "?kind=file").await;
        assert_eq!(all(&files)[0]["file_name"], "a.txt", "{files}");
        // Without the cases they see that it was a file, not what it was called.
        let link = invitation(&w, "responder@example.com", "responder");
        let mut responder = somebody(&w, &link, HOME).await;
        let files = told(&mut responder, alder.organization, "?kind=file").await;
        let file = &all(&files)[0];
        assert_eq!((&file["file_name"], &file["bytes"]), (&json!(""), &json!(6)), "{files}");
        assert!(!files.to_string().contains("a.txt"), "{files}");
        verified(&w);
    }

    async fn whoever_is_refused_again_and_again_is_written_down_each_time_and_told_of_a_few_times(mut w: Warifu) {
        let receiver = Arc::new(Receiver::default());
        let address = receiver.listen().await;
        behind_a_proxy(&mut w).await;
        w.serve.extend(["--webhook", &address, "--webhook-secret", "shared"].map(str::to_owned));
        w.clock = true;
        w.restart().await;
        receiver.hears(&w).await;
        let link = invitation(&w, "owner@example.com", "super_administrator");
        let mut owner = somebody(&w, &link, NOWHERE).await;
        let alder = customer(&mut owner, "alder").await;
        let link = invitation(&w, "lead@example.com", "administrator");
        let mut lead = somebody(&w, &link, HOME).await;
        let everybody = json!({ "decided": true, "reason": "all", "definition": { "subject": "people",
            "columns": ["full_name"] } });
        let mut tries = async |times: usize| {
            for _ in 0..times {
                assert_eq!(lead.client.json(Method::POST, "/api/v1/runs", &everybody).await.status, 403);
            }
        };
        let mut told = async || told(&mut owner, alder.organization, "?kind=report").await;
        tries(12).await;
        // The clock is the test's: five at once, and one more for each three minutes.
        assert_eq!(kinds(&told().await), ["report refused"; 5]);
        w.pass(3 * 60);
        tries(2).await;
        assert_eq!(kinds(&told().await), ["report refused"; 6]);
        let refused = |e: &&Value| e["message"] == "report_refused";
        let events = receiver.wait(|events| events.iter().filter(refused).count() >= 14).await;
        let refused: Vec<&Value> = events.iter().filter(refused).collect();
        assert_eq!(refused.len(), 14);
        for event in refused {
            assert_eq!((&event["class_uid"], &event["activity_id"], &event["status"]),
                (&json!(6003), &json!(2), &json!("Failure")), "{event}");
            assert_eq!(event["status_detail"], "unfiltered", "{event}");
        }
        assert_eq!(entries(&mut owner.client, "report_refused").await.len(), 14);
        verified(&w);
    }

    async fn what_was_prepared_before_it_was_counted_does_not_leave(mut w: Warifu) {
        crate::evidence::import(&w, 5);
        let mut client = crate::evidence::enter(&w).await;
        let page = client.get("/account/passkeys").await;
        let csrf = page.form("action", "/sign-out").fields[0].1.clone();
        let mut json = client.clone().header("x-csrf-token", &csrf).header("accept", "application/json");
        let asked = json!({ "definition": { "subject": "people", "columns": ["email"],
            "filter": { "column": "email", "op": "contains", "value": "p" } } });
        assert_eq!(json.json(Method::POST, "/api/v1/runs", &asked).await.status, 201);
        // As it was left by a version that did not count.
        w.kill();
        w.sql("DROP TABLE accesses").await;
        w.sql("DROP TABLE case_lists").await;
        w.sql("DROP TABLE run_organizations").await;
        w.sql("DELETE FROM _sqlx_migrations WHERE version = 24").await;
        w.restart().await;
        let mut json = json.at(w.base());
        let run = json.get("/api/v1/runs/1").await.value();
        assert_eq!(run["state"], "aborted", "{run}");
        let left = json.json(Method::POST, "/api/v1/runs/1/download", &json!({})).await;
        assert_eq!(left.status, 409, "{}", left.text());
        // Whoever asks is told from when on there is a list.
        let people = json.get("/api/v1/people").await.value();
        let organization = people["people"][0]["organization"].as_i64().expect("an organization");
        let path = format!("/api/v1/organizations/{organization}/accesses/summary");
        let summary = json.get(&path).await.value();
        assert!(summary["kept_since"].is_string(), "{summary}");
    }
}

/// The page in a real browser. Screenshots are kept.
async fn looked_at(language: &str) {
    let Some(browser) = Browser::start().await else { return };
    let w = demo().await;
    let mut vendor = crate::identity_provider::owner(&w).await;
    assert_eq!(vendor.client.get("/api/v1/people?limit=200").await.status, 200);
    let organization = of(&mut vendor).await;
    let some = json!({ "column": "organization_id", "op": "equals", "value": organization });
    report(&mut vendor, some.clone(), "").await;
    report(&mut vendor, some, "weekly review").await;

    let page = enter_page(&w, &browser, CUSTOMER, Look::default().language(language)).await;
    page.goto(&w.url("/portal/cases")).await;
    page.leads_on(page.click("nav a[href='/portal/access']")).await;
    at_every_look(&page, &format!("access-{language}")).await;
    assert_eq!(page.count("tr.flag").await, 1, "the report without a reason stands out");
    page.leads_on(page.click(".seg a[href*='kind=report']")).await;
    assert!(page.count("#rows tbody tr").await >= 2, "these and the demo's own");
    assert_eq!(page.count("#rows tbody a").await, 0, "no case and no file");
    // By the keyboard alone.
    page.eval("document.querySelector('#rows details summary').focus()").await;
    page.press("Enter").await;
    page.wait_for("#rows details[open] pre").await;
    at_every_look(&page, &format!("access-{language}-reports")).await;
    page.assert_no_errors();
}

/// The organization of the demo's customer.
async fn of(vendor: &mut Owner) -> i64 {
    let found = vendor.client.get("/api/v1/people?limit=200").await.value();
    let people = found["people"].as_array().expect("people");
    let one = people.iter().find(|p| p["record"]["email"] == CUSTOMER).expect("the customer");
    one["organization"].as_i64().expect("an organization")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_looks_at_accesses() {
    looked_at("en").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_looks_at_accesses_in_japanese() {
    looked_at("ja").await;
}

/// A user without a role, in a session.
async fn user(w: &Warifu, owner: &mut Owner, of: &Customer) -> Client {
    let proof = owner.proof("invite_person", &json!({ "person": of.person.to_string() })).await;
    let path = format!("/api/v1/people/{}/invitation", of.person);
    let made = owner.client.json(Method::POST, &path, &json!({ "step_up": proof })).await;
    assert!(made.status.is_success(), "{}", made.text());
    let link = made.value()["link"].as_str().expect("a link").to_owned();
    let link = link.strip_prefix(w.base()).unwrap_or(&link).to_owned();
    somebody(w, &link, NOWHERE).await.client
}
