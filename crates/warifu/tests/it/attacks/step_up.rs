//! 3, 13, 24 and 30: a stolen session and what only the key may do.

use super::{entries, notices, verified};
use crate::http::Client;
use crate::passkey::Passkey;
use crate::server::Warifu;
use crate::sign_in::{enter, invitation, sign_in, who};
use hyper::Method;
use serde_json::{Value, json};

const COOKIE: &str = "__Host-warifu";

async fn administrator(w: &Warifu) -> (Client, Passkey, String) {
    let link = invitation(w, "owner@example.com", "super_administrator");
    let mut client = w.client();
    let passkey = enter(&mut client, w.base(), &link).await;
    let page = client.get("/account/passkeys").await;
    let csrf = page.form("action", "/sign-out").fields[0].1.clone();
    (client, passkey, csrf)
}

/// Tries to add a passkey with a proof or none.
async fn add(thief: &mut Client, csrf: &str, key: &mut Passkey, proof: Option<&str>) -> Answer {
    let mut script =
        thief.clone().header("x-csrf-token", csrf).header("accept", "application/json");
    let options = script.json(Method::POST, "/enrol/options", &json!({})).await.value();
    let body = json!({
        "ceremony": options["ceremony"], "name": "mine", "step_up": proof,
        "credential": key.create(&options["publicKey"]),
    });
    let answer = script.json(Method::POST, "/enrol/verify", &body).await;
    (answer.status.as_u16(), answer.value())
}

type Answer = (u16, Value);

on_both! {
    async fn attack_13_the_session_s_id_changes_with_a_step_up(w: Warifu) {
        let (mut owner, mut passkey, csrf) = administrator(&w).await;
        let before = owner.clone();
        let what = json!({ "action": "add_factor", "parameters": {} });
        assert_eq!(owner.prove(&csrf, what, &mut passkey).await.status, 200);
        assert_ne!(before.cookies[COOKIE], owner.cookies[COOKIE]);
        assert_eq!(who(&mut before.clone()).await.status, 401, "the id of before goes on");
        assert_eq!(who(&mut owner).await.status, 200);
        let told = entries(&mut owner, "step_up").await;
        assert_eq!((told.len(), &told[0]["body"]["passed"]), (1, &json!(true)));
        verified(&w);
    }

    async fn attack_03_a_stolen_session_takes_nobody_s_records_with_it(w: Warifu) {
        crate::evidence::import(&w, 40);
        let (mut owner, mut passkey, csrf) = administrator(&w).await;
        let mut thief = owner.clone().header("x-csrf-token", &csrf);
        let mut json = thief.clone().header("accept", "application/json");
        let asked = json!({ "decided": true, "reason": "all of them", "definition": {
            "subject": "people", "columns": ["full_name", "email"] } });
        let other = json!({ "subject": "people", "columns": ["full_name"] });
        let prove = async |owner: &mut Client, passkey: &mut Passkey, definition: &Value| {
            let mut own = owner.clone().header("x-csrf-token", &csrf);
            let counted = own.json(Method::POST, "/api/v1/reports", definition).await.value();
            assert_eq!(counted["decision"], true, "{counted}");
            let digest = counted["digest"].as_str().unwrap();
            json!(crate::evidence::prepares(owner, &csrf, passkey, digest).await)
        };
        let with = |proof: &Value| {
            let mut asked = asked.clone();
            asked["step_up"] = proof.clone();
            asked
        };
        // Without the key nothing is prepared either, nor with a proof for another definition.
        for proof in [Value::Null, json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")] {
            let said = json.json(Method::POST, "/api/v1/runs", &with(&proof)).await;
            assert_eq!(said.status, 403, "{}", said.text());
            assert_eq!(said.value()["type"], "/problems/step-up-required");
        }
        let wrong = prove(&mut owner, &mut passkey, &other).await;
        json.cookies = owner.cookies.clone();
        assert_eq!(json.json(Method::POST, "/api/v1/runs", &with(&wrong)).await.status, 403);
        assert_eq!(owner.get("/api/v1/runs").await.value()["runs"], json!([]));
        let right = prove(&mut owner, &mut passkey, &asked["definition"]).await;
        json.cookies = owner.cookies.clone();
        let run = json.json(Method::POST, "/api/v1/runs", &with(&right)).await;
        assert_eq!(run.status, 201, "{}", run.text());
        // It was good for one.
        assert_eq!(json.json(Method::POST, "/api/v1/runs", &with(&right)).await.status, 403);
        thief.cookies = owner.cookies.clone();
        let run = run.value()["id"].as_i64().unwrap();
        let (api, page) = (format!("/api/v1/runs/{run}/download"), format!("/runs/{run}/download"));
        for proof in [Value::Null, json!(""), json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")] {
            let said = json.json(Method::POST, &api, &json!({ "step_up": proof })).await;
            assert_eq!(said.status, 403, "{}", said.text());
            assert_eq!(said.value()["type"], "/problems/step-up-required");
        }
        assert_eq!(thief.post_form(&page, &[("csrf", &csrf)]).await.status, 403);
        // A proof for another run is none for this one.
        let other = json!({ "action": "download_report", "parameters": { "run": (run + 1).to_string() } });
        let wrong = owner.prove(&csrf, other, &mut passkey).await.value()["step_up"].clone();
        let mut own = owner.clone().header("x-csrf-token", &csrf).header("accept", "application/json");
        assert_eq!(own.json(Method::POST, &api, &json!({ "step_up": wrong })).await.status, 403);
        assert!(entries(&mut owner, "report_start").await.is_empty(), "nothing began to leave");

        let form = owner.get(&format!("/runs/{run}")).await.form("action", &page);
        let form = owner.step_up(form, &mut passkey).await;
        let file = owner.submit(&form, &[]).await;
        assert_eq!(file.status, 200);
        assert!(file.text().contains("p39@o4.example"), "{}", file.text());
        assert_eq!(entries(&mut owner, "report_start").await.len(), 1);
        assert_eq!(entries(&mut owner, "step_up").await[0]["body"]["action"], "download_report");
    }

    async fn attack_03_nor_does_it_take_them_in_slices(mut w: Warifu) {
        w.clock = true;
        w.restart().await;
        crate::evidence::import(&w, 3_000);
        let (mut owner, mut passkey, csrf) = administrator(&w).await;
        let mut thief = owner.clone().header("x-csrf-token", &csrf).header("accept", "application/json");
        let asked = json!({ "definition": { "subject": "people", "columns": ["full_name", "email"],
            "filter": { "column": "email", "op": "contains", "value": "@" } } });
        let mut runs = Vec::new();
        for _ in 0..3 {
            let run = thief.json(Method::POST, "/api/v1/runs", &asked).await;
            assert_eq!(run.status, 201, "{}", run.text());
            runs.push(format!("/api/v1/runs/{}/download", run.value()["id"]));
        }
        // Also when both are asked for at the same moment.
        let (mut a, mut b, none) = (thief.clone(), thief.clone(), json!({}));
        let both = tokio::join!(a.json(Method::POST, &runs[0], &none), b.json(Method::POST, &runs[1], &none));
        let mut both = [both.0, both.1];
        both.sort_by_key(|answer| answer.status);
        assert_eq!((both[0].status.as_u16(), both[1].status.as_u16()), (200, 403));
        assert_eq!(both[1].value()["type"], "/problems/step-up-required");
        assert_eq!(entries(&mut owner, "report_start").await.len(), 1, "nothing more began to leave");
        // A day later it is a day's work again.
        w.pass(25 * 3600);
        sign_in(&mut owner, &mut passkey).await;
        let page = owner.get("/account/passkeys").await;
        let csrf = page.form("action", "/sign-out").fields[0].1.clone();
        let mut own = owner.clone().header("x-csrf-token", &csrf).header("accept", "application/json");
        assert_eq!(own.json(Method::POST, &runs[2], &json!({})).await.status, 200);
        verified(&w);
    }

    async fn attack_24_a_stolen_cookie_enrols_no_key(w: Warifu) {
        let (mut owner, _, csrf) = administrator(&w).await;
        let mut thief = owner.clone();
        let mut key = Passkey::new(w.base());
        for proof in [None, Some(""), Some("x"), Some("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")] {
            let (status, said) = add(&mut thief, &csrf, &mut key, proof).await;
            assert_eq!(status, 403, "{said}");
            assert_eq!(said["type"], "/problems/step-up-required");
        }
        // A key of the thief's own proves nothing about the owner.
        let what = json!({ "action": "add_factor", "parameters": {} });
        assert_eq!(thief.prove(&csrf, what, &mut key).await.status, 403);
        let page = owner.get("/account/passkeys").await;
        assert_eq!(page.text().matches("class=\"person\"").count(), 1, "still one key");
        let told = entries(&mut owner, "step_up").await;
        assert_eq!((told.len(), &told[0]["body"]["passed"]), (1, &json!(false)));
        assert_eq!(entries(&mut owner, "enrolment").await.len(), 1, "the owner's own");
        assert_eq!(notices(&mut owner).await, ["step_up_refused", "factor_added"]);
        verified(&w);
    }

    async fn attack_30_a_proof_for_one_action_is_none_for_another(w: Warifu) {
        let (mut owner, mut passkey, csrf) = administrator(&w).await;
        let proof = async |owner: &mut Client, passkey: &mut Passkey, what: Value| {
            let answer = owner.prove(&csrf, what, passkey).await;
            answer.value()["step_up"].as_str().unwrap_or_default().to_owned()
        };
        let mut second = Passkey::new(w.base());
        let other = json!({ "action": "remove_factor", "parameters": { "passkey": "1" } });
        let wrong = proof(&mut owner, &mut passkey, other).await;
        let (status, said) = add(&mut owner, &csrf, &mut second, Some(&wrong)).await;
        assert_eq!((status, &said["type"]), (403, &json!("/problems/step-up-required")));

        let what = json!({ "action": "add_factor", "parameters": {} });
        let right = proof(&mut owner, &mut passkey, what.clone()).await;
        assert_eq!(add(&mut owner, &csrf, &mut second, Some(&right)).await.0, 200);
        let mut third = Passkey::new(w.base());
        assert_eq!(add(&mut owner, &csrf, &mut third, Some(&right)).await.0, 403, "once");

        // Other parameters of the same action, and another session of the same person.
        let remove = |id: i64| json!({ "action": "remove_factor", "parameters": { "passkey": id.to_string() } });
        let path = |id: i64| format!("/account/passkeys/{id}/remove");
        let one = proof(&mut owner, &mut passkey, remove(1)).await;
        let answer = owner.post_form(&path(2), &[("csrf", &csrf), ("step_up", &one)]).await;
        assert_eq!(answer.status, 403, "{}", answer.text());
        let two = proof(&mut owner, &mut passkey, remove(2)).await;
        let mut elsewhere = w.client();
        crate::sign_in::sign_in(&mut elsewhere, &mut passkey).await;
        let page = elsewhere.get("/account/passkeys").await;
        let form = page.form("action", "passkeys/2/remove");
        assert_eq!(elsewhere.submit(&form, &[("step_up", &two)]).await.status, 403);
        // Where it was made it is good, once.
        let answer = owner.post_form(&path(2), &[("csrf", &csrf), ("step_up", &two)]).await;
        assert_eq!(answer.status, 303);

        // An answer to a challenge for one action does not fit another.
        let mut script = owner.clone().header("x-csrf-token", &csrf);
        let options = script.json(Method::POST, "/step-up/options", &what).await.value();
        let mut body = remove(2);
        body["ceremony"] = options["ceremony"].clone();
        body["credential"] = passkey.get(&options["publicKey"]);
        assert_eq!(script.json(Method::POST, "/step-up/verify", &body).await.status, 403);
        verified(&w);
    }
}
