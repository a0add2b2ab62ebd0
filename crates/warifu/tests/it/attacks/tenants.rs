//! 38 and 39: another organization's records, and a flood of sign-ins.

use super::{entries, verified};
use crate::http::Client;
use crate::sign_in::{enter, invitation, options, script, who};
use hyper::Method;
use serde_json::{Value, json};
use std::time::Instant;

/// The API with the token of one's own pages.
async fn program(mut client: Client) -> Client {
    let page = client.get("/account/passkeys").await;
    let csrf = page.form("action", "/sign-out").fields[0].1.clone();
    client.header("x-csrf-token", &csrf).header("accept", "application/json")
}

async fn make(owner: &mut Client, path: &str, new: Value) -> i64 {
    let made = owner.json(Method::POST, path, &new).await;
    assert_eq!(made.status, 201, "{path}: {}", made.text());
    made.value()["id"].as_i64().expect("an id")
}

on_both! {
    async fn attack_38_what_belongs_to_another_organization_does_not_exist(w: Warifu) {
        let link = invitation(&w, "owner@example.com", "super_administrator");
        let mut owner = w.client();
        enter(&mut owner, w.base(), &link).await;
        let mut owner = program(owner).await;
        let mut organization = async |name: &str| {
            let new = json!({ "name": name, "environment": "production", "products": [], "domain": "" });
            let id = make(&mut owner, "/api/v1/organizations", new).await;
            let email = format!("admin@{name}.example");
            let record = json!({ "full_name": "A", "email": email });
            let new = json!({ "organization": id, "record": record });
            let person = make(&mut owner, "/api/v1/people", new).await;
            let new = json!({ "subject": name, "body": "secret", "requester": person });
            let case = make(&mut owner, "/api/v1/cases", new).await;
            let file = [("files", "a.txt", "text/plain", &b"secret"[..])];
            let sent = owner.upload(&format!("/api/v1/cases/{case}/files"), &[("body", "x")], &file).await;
            assert_eq!(sent.status, 201, "{}", sent.text());
            let messages = owner.get(&format!("/api/v1/cases/{case}/messages")).await.value();
            let messages = messages["messages"].as_array().cloned().unwrap_or_default();
            let file = messages.iter().find_map(|m| m["files"][0]["id"].as_i64()).expect("the file");
            (id, person, case, file, email)
        };
        let (own, me, case, file, email) = organization("alder").await;
        let (other, person, foreign, secret, _) = organization("birch").await;
        let link = invitation(&w, &email, "organization_administrator");
        let mut client = w.client();
        enter(&mut client, w.base(), &link).await;
        let mut customer = program(client).await;
        for path in [
            format!("/api/v1/organizations/{own}"),
            format!("/api/v1/organizations/{own}/sessions"),
            format!("/api/v1/organizations/{own}/security"),
            format!("/api/v1/organizations/{own}/security/people"),
            format!("/api/v1/organizations/{own}/security/affected"),
            format!("/api/v1/organizations/{own}/accesses"),
            format!("/api/v1/organizations/{own}/accesses/summary"),
            format!("/api/v1/people/{me}"),
            format!("/api/v1/cases/{case}"),
            format!("/api/v1/attachments/{file}"),
        ] {
            assert_eq!(customer.get(&path).await.status, 200, "{path}");
        }
        let nobody = 99_999;
        for (path, absent) in [
            (format!("/api/v1/organizations/{other}"), format!("/api/v1/organizations/{nobody}")),
            (format!("/api/v1/organizations/{other}/versions"), format!("/api/v1/organizations/{nobody}/versions")),
            (format!("/api/v1/organizations/{other}/sessions"), format!("/api/v1/organizations/{nobody}/sessions")),
            (format!("/api/v1/organizations/{other}/security"), format!("/api/v1/organizations/{nobody}/security")),
            (format!("/api/v1/organizations/{other}/security/people"), format!("/api/v1/organizations/{nobody}/security/people")),
            (format!("/api/v1/organizations/{other}/security/affected"), format!("/api/v1/organizations/{nobody}/security/affected")),
            (format!("/api/v1/organizations/{other}/accesses"), format!("/api/v1/organizations/{nobody}/accesses")),
            (format!("/api/v1/organizations/{other}/accesses/summary"), format!("/api/v1/organizations/{nobody}/accesses/summary")),
            (format!("/api/v1/people/{person}"), format!("/api/v1/people/{nobody}")),
            (format!("/api/v1/people/{person}/versions"), format!("/api/v1/people/{nobody}/versions")),
            (format!("/api/v1/cases/{foreign}"), format!("/api/v1/cases/{nobody}")),
            (format!("/api/v1/cases/{foreign}/messages"), format!("/api/v1/cases/{nobody}/messages")),
            (format!("/api/v1/cases/{foreign}/events"), format!("/api/v1/cases/{nobody}/events")),
            (format!("/api/v1/attachments/{secret}"), format!("/api/v1/attachments/{nobody}")),
        ] {
            let (there, absent) = (customer.get(&path).await, customer.get(&absent).await);
            assert_eq!((there.status.as_u16(), absent.status.as_u16()), (404, 404), "{path}");
            let strip = |answer: Value| {
                let mut answer = answer;
                for varying in ["reference", "instance"] {
                    answer.as_object_mut().map(|o| o.remove(varying));
                }
                answer
            };
            assert_eq!(strip(there.value()), strip(absent.value()), "{path} tells that it exists");
        }
        for path in [format!("/portal/cases/HC-{foreign}"), format!("/attachments/{secret}")] {
            assert_eq!(customer.clone().header("accept", "text/html").get(&path).await.status, 404);
        }
        for body in [json!({ "body": "x" }), json!({ "body": "x", "note": true })] {
            let mut write = async |case: i64| {
                let path = format!("/api/v1/cases/{case}/messages");
                customer.json(Method::POST, &path, &body).await.status.as_u16()
            };
            let (there, absent) = (write(foreign).await, write(nobody).await);
            assert!(there == absent && [404, 422].contains(&there), "{there} and {absent}");
        }
        let found = customer.get("/api/v1/search?q=birch").await;
        assert!(!found.text().contains("birch.example") && !found.text().contains("\"subject\":\"birch\""));
        let list = customer.get("/api/v1/people").await;
        assert!(list.status == 404 || !list.text().contains("birch"), "{}", list.text());
        verified(&w);
    }

    async fn attack_39_a_flood_of_sign_ins_locks_nobody_out(mut w: Warifu) {
        w.serve = ["--trusted-proxy", "127.0.0.0/8"].map(str::to_owned).into();
        w.restart().await;
        let link = invitation(&w, "owner@example.com", "super_administrator");
        let mut owner = w.client().header("x-forwarded-for", "203.0.113.1");
        let mut passkey = enter(&mut owner, w.base(), &link).await;
        let mut flood = script(&mut w.client().header("x-forwarded-for", "198.51.100.1")).await;
        // Sixty at once and one more each second; however slow these come, sooner or later they are too many.
        let (began, mut let_in, mut refused) = (Instant::now(), 0, Vec::new());
        for n in 0..400 {
            let body = json!({ "ceremony": "x", "credential": { "n": n } });
            let answer = flood.json(Method::POST, "/sign-in/verify", &body).await;
            assert!([403, 429].contains(&answer.status.as_u16()), "{}", answer.text());
            if answer.status == 429 {
                refused.push(answer);
            } else {
                let_in += 1;
            }
            if refused.len() > 30 {
                break;
            }
        }
        assert!(refused.len() > 30, "{} were slowed down", refused.len());
        assert!(let_in <= 61 + began.elapsed().as_secs(), "{let_in} in {:?}", began.elapsed());
        for answer in refused {
            assert!(answer.header("retry-after").parse::<u32>().is_ok_and(|s| s >= 1));
        }
        // Who is in stays in, and the owner signs in from where no flood comes from.
        assert_eq!(who(&mut owner).await.status, 200);
        crate::sign_in::sign_in(&mut w.client().header("x-forwarded-for", "203.0.113.1"), &mut passkey).await;
        // The network of the flood is let in again as it becomes quiet.
        tokio::time::sleep(std::time::Duration::from_secs(3)).await;
        assert!(options(&mut flood).await["ceremony"].is_string());
        assert!(entries(&mut owner, "sign_in_refused").await.len() == 20, "the tries are in the ledger");
        verified(&w);
    }
}
