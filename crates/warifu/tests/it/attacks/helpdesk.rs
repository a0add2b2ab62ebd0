//! 26 to 29: recovery, and the check of a caller: with a mailbox only, with a step left out, by one
//! person alone, and for something else than was approved.

mod limits;
pub(crate) mod people;

use super::{entries, notices, verified};
use crate::http::Client;
use crate::sign_in::SESSION;
use hyper::Method;
use people::{DAY, Desk, HOUR, Somebody, asked, at, seen};
use serde_json::{Value, json};
use std::time::Instant;

/// Method and outcome of the newest entries about checks, newest first.
async fn told(reader: &mut Client) -> Vec<(String, bool)> {
    let one = |e: &Value| {
        let body = &e["body"];
        (body["method"].as_str().unwrap_or_default().to_owned(), body["passed"] == true)
    };
    entries(reader, "verification").await.iter().map(one).collect()
}

/// Names of the newest protected actions, newest first.
async fn acts(reader: &mut Client) -> Vec<String> {
    let one = |e: &Value| e["body"]["action"].as_str().unwrap_or_default().to_owned();
    entries(reader, "protected_action").await.iter().map(one).collect()
}

/// The owner's key and session are what they were, and no entry says otherwise.
async fn nothing_reset(desk: &mut Desk) {
    assert!(desk.owner.is_in().await, "the owner's session goes on");
    let removed = entries(&mut desk.root.client, "enrolment").await;
    assert!(removed.iter().all(|e| e["body"]["change"] == "added"), "{removed:?}");
    let done = told(&mut desk.root.client).await;
    assert!(!done.contains(&("carried_out".into(), true)), "{done:?}");
}

/// A step by API (method, path, body) and by form (path, fields).
type Step<'a> = (Method, &'a str, Value, &'a str, &'a [(&'a str, &'a str)]);

on_both! {
    async fn the_whole_check_lets_its_owner_in_again(mut w: Warifu) {
        let mut desk = Desk::after(&mut w, 31).await;
        let id = desk.approved(&w).await;
        assert_eq!(notices(&mut desk.owner.client).await[..2], ["reset_approved", "reset_asked"]);
        assert_eq!(notices(&mut desk.root.client).await[0], "reset_of_other");
        w.pass(31 * DAY + 25 * HOUR);
        desk.back(&w).await;
        let done = desk.agent.done(id).await;
        assert_eq!(done.status, 200, "{}", done.text());
        let link = done.value()["invitation"].as_str().expect("a link").to_owned();
        assert!(!desk.owner.is_in().await, "their sessions have ended");
        // The old key is good for nothing.
        let mut old = w.client();
        let page = old.get("/sign-in").await;
        assert_eq!(old.passkey(&page, &mut desk.owner.passkey).await.status, 403);
        let path = link.strip_prefix(w.base()).expect("a link to this server");
        // Neither for whoever carried it out, nor for whoever has their session: it is the caller's.
        for mut other in [desk.agent.client.clone(), w.client()] {
            assert_eq!(other.get(path).await.status, 410);
        }
        let mut owner = Somebody::enter_in(desk.caller.clone(), &w, path).await;
        assert_eq!(owner.id, desk.owner.id);
        assert!(notices(&mut owner.client).await.contains(&"reset_done".to_owned()));
        assert_eq!(notices(&mut desk.root.client).await[0], "reset_of_other_done");
        assert_eq!(desk.agent.done(id).await.status, 409, "once");
        let (root, told) = (desk.root.id.to_string(), entries(&mut desk.root.client, "protected_action").await);
        let acts: Vec<&str> = told.iter().take(4).map(|e| e["body"]["action"].as_str().unwrap()).collect();
        assert_eq!(acts, ["invite", "reset_factors", "approve_reset", "verified"]);
        for e in &told[..3] {
            assert_eq!(e["body"]["approver"], json!(root), "{e}");
        }
        let steps = self::told(&mut desk.root.client).await;
        let steps: Vec<(&str, bool)> = steps.iter().map(|(m, p)| (m.as_str(), *p)).collect();
        assert_eq!(steps, [("carried_out", false), ("carried_out", true), ("approval", true), ("tally", true),
            ("tally_half", true), ("tally_begun", true), ("visual", true), ("call_back", true), ("request", true)]);
        let ended = entries(&mut desk.root.client, "session_revoked").await;
        assert_eq!((&ended[0]["body"]["reason"], &ended[0]["body"]["person"]),
            (&json!("reset"), &json!(desk.owner.id.to_string())));
        verified(&w);
    }

    async fn attack_26_what_comes_by_mail_or_on_paper_is_no_session(mut w: Warifu) {
        let mut desk = Desk::after(&mut w, 31).await;
        let none = desk.owner.api(Method::POST, "/api/v1/recovery-codes", json!({})).await;
        assert_eq!((none.status.as_u16(), &none.value()["type"]), (403, &json!("/problems/step-up-required")));
        let proof = desk.owner.proof(json!({ "action": "recovery_codes", "parameters": {} })).await;
        let codes = desk.owner.api(Method::POST, "/api/v1/recovery-codes", json!({ "step_up": proof })).await;
        assert_eq!(codes.status, 201, "{}", codes.text());
        let codes: Vec<String> = serde_json::from_value(codes.value()).unwrap();
        assert_eq!(codes.len(), 8);

        let mut thief = w.client();
        let page = thief.get("/recover").await;
        let form = page.form("action", "/recover");
        let wrong = thief.submit(&form, &[("code", "AAAAA-AAAAA-AAAAA-AAAAA")]).await;
        let right = thief.submit(&form, &[("code", &codes[0].to_lowercase())]).await;
        let again = thief.submit(&form, &[("code", &codes[0])]).await;
        for answer in [&right, &again] {
            assert_eq!((answer.status, answer.text()), (wrong.status, wrong.text()), "it tells codes apart");
        }
        assert!(!thief.cookies.contains_key(SESSION));
        assert_eq!(told(&mut desk.root.client).await[0], ("recovery_code".into(), true));
        let refused = entries(&mut desk.root.client, "sign_in_refused").await;
        assert_eq!(refused.len(), 2, "{refused:?}");
        assert_eq!(refused[0]["body"]["factor"], "recovery_code");
        assert_eq!(notices(&mut desk.owner.client).await[0], "recovery_used");

        // It opened a request that has every step before it.
        let checks = desk.agent.api(Method::GET, "/api/v1/verifications", json!({})).await.value();
        assert_eq!((&checks[0]["stage"], &checks[0]["person"]), (&json!("call_back"), &json!(desk.owner.id)));
        let id = checks[0]["id"].as_i64().unwrap();
        assert_eq!(desk.agent.done(id).await.status, 409);

        // Whatever else is asked with a code or a link from a notice: no session comes of it.
        let shown = desk.owner.api(Method::GET, "/api/v1/notices", json!({})).await.value();
        let stop = shown[0]["details"]["stop"].as_str().expect("a link").to_owned();
        let token = stop.rsplit('/').next().unwrap();
        for secret in [codes[1].as_str(), token] {
            for path in ["/enrol/", "/verify/"] {
                let answer = thief.get(&format!("{path}{secret}")).await;
                assert_eq!(answer.status, 410, "{path}: {}", answer.text());
            }
            for path in ["/verifications", "/account/recovery", "/account/passkeys"] {
                thief.cookies.insert(SESSION.into(), secret.into());
                assert_eq!(thief.get(path).await.status, 303, "{path}");
                thief.cookies.remove(SESSION);
            }
            let mut script = crate::sign_in::script(&mut thief.clone()).await;
            let body = json!({ "invitation": secret, "name": "x" });
            assert_eq!(script.json(Method::POST, "/enrol/options", &body).await.status, 404);
            let body = json!({ "ceremony": secret, "credential": {} });
            assert_eq!(script.json(Method::POST, "/sign-in/verify", &body).await.status, 403);
        }
        // The link stops, and does nothing else; a wrong one is nothing.
        assert_eq!(thief.get(&format!("/verify/stop/{id}/{}", codes[1])).await.status, 404);
        let page = thief.get(&stop).await;
        assert_eq!(desk.agent.stage(id).await, "call_back", "looking a link up changes nothing");
        let stopped = thief.submit(&page.form("action", "/verify/stop/"), &[]).await;
        assert_eq!(stopped.status, 200, "{}", stopped.text());
        assert!(!thief.cookies.contains_key(SESSION));
        assert_eq!(desk.agent.stage(id).await, "ended");
        assert_eq!(told(&mut desk.root.client).await[0], ("stopped".into(), false));
        // Guessing is slowed down.
        let mut slowed = 0;
        let (began, mut tried) = (Instant::now(), 0);
        while slowed <= 20 && tried < 400 {
            tried += 1;
            slowed += u64::from(thief.submit(&form, &[("code", "x")]).await.status == 429);
        }
        assert!(slowed > 20, "{slowed} of {tried}");
        // Sixty at once, and one more each second.
        assert!(tried - slowed <= 61 + began.elapsed().as_secs(), "{slowed} of {tried}");
        nothing_reset(&mut desk).await;
        verified(&w);
    }

    async fn attack_27_no_step_is_left_out(mut w: Warifu) {
        let mut desk = Desk::after(&mut w, 31).await;
        let id = desk.request().await;
        let half = || json!({ "half": "AAA" });
        let steps: [Step; 7] = [
            (Method::POST, "/call", json!({ "number": people::PHONE }), "call", &[("number", people::PHONE)]),
            (Method::POST, "/look", seen(), "look", &[("same_person", "true"), ("moved", "true"), ("unhurried", "true")]),
            (Method::POST, "/tally", json!({}), "tally", &[]),
            (Method::PUT, "/tally", half(), "half", &[("half", "AAA")]),
            (Method::POST, "/approval", json!({}), "approve", &[]),
            (Method::POST, "/done", json!({}), "done", &[]),
            (Method::POST, "/vouch", json!({}), "vouch", &[]),
        ];
        // Which steps may be tried at which stage; all others are refused by form and by API.
        let stages: [(&str, &[usize]); 4] = [("call_back", &[0]), ("look", &[1]), ("tally", &[2, 3]), ("approval", &[4])];
        for (stage, fits) in stages {
            assert_eq!(desk.root.stage(id).await, stage);
            for (n, (method, path, body, form, fields)) in steps.iter().enumerate() {
                if fits.contains(&n) {
                    continue;
                }
                let agents = *path == "/approval";
                for (who, denied) in [(&mut desk.agent, agents), (&mut desk.root, false)] {
                    // An agent may not approve at all.
                    let refused: &[u16] = if denied { &[403] } else { &[409, 404] };
                    let said = who.api(method.clone(), &at(id, path), body.clone()).await;
                    assert!(refused.contains(&said.status.as_u16()), "{stage} {path}: {}", said.text());
                    let said = who.form(&format!("/verifications/{id}/{form}"), fields).await;
                    assert!(refused.contains(&said.status.as_u16()), "{stage} {form}: {}", said.text());
                }
                assert_eq!(desk.root.stage(id).await, stage, "{path} moved it");
            }
            match stage {
                "call_back" => desk.agent.call(id).await,
                "look" => {
                    // One "no" is no look.
                    let mut no = seen();
                    no["unhurried"] = false.into();
                    assert_eq!(desk.agent.api(Method::POST, &at(id, "/look"), no).await.status, 422);
                    desk.agent.look(id).await;
                }
                "tally" => drop(desk.agent.tally(&w, id).await),
                _ => {}
            }
        }
        let proofless = desk.root.approve(id, "").await;
        assert_eq!((proofless.status.as_u16(), &proofless.value()["type"]), (403, &json!("/problems/step-up-required")));
        assert_eq!(desk.agent.done(id).await.status, 409, "not approved");
        let entries = told(&mut desk.root.client).await;
        assert_eq!(entries[0], ("carried_out".into(), false));
        assert!(!acts(&mut desk.root.client).await.contains(&"approve_reset".to_owned()));
        nothing_reset(&mut desk).await;
        verified(&w);
    }

    async fn attack_28_nobody_approves_what_they_have_a_part_in(mut w: Warifu) {
        let mut desk = Desk::after(&mut w, 31).await;
        // Nobody has a part in their own account's check, not even to ask for it.
        let own = asked(desk.agent.id, "reset_factors");
        assert_eq!(desk.agent.api(Method::POST, "/api/v1/verifications", own).await.status, 409);
        // The super administrator asks, calls, looks and compares; each of them is a part.
        let id = desk.root.requested(asked(desk.owner.id, "reset_factors")).await;
        desk.agent.call(id).await;
        desk.agent.look(id).await;
        desk.agent.tally(&w, id).await;
        let proof = desk.root.approval(id).await;
        assert_eq!(desk.root.approve(id, &proof).await.status, 409, "whoever asked approves");
        let by_form = desk.root.form(&format!("/verifications/{id}/approve"), &[("step_up", &proof)]).await;
        assert_eq!(by_form.status, 409, "by form");
        // An agent may not approve at all, and the owner not their own.
        let proof = desk.agent.approval(id).await;
        assert_eq!(desk.agent.approve(id, &proof).await.status, 403);
        let proof = desk.owner.approval(id).await;
        assert_eq!(desk.owner.approve(id, &proof).await.status, 409, "the owner approves");
        // A proof of somebody else, and one for another check.
        let of_agent = desk.agent.approval(id).await;
        assert_eq!(desk.admin.approve(id, &of_agent).await.status, 403);
        let mut other = desk.admin.check(id).await["approval"].clone();
        other["parameters"]["verification"] = "4711".into();
        let for_other = desk.admin.proof(other).await;
        let said = desk.admin.approve(id, &for_other).await;
        assert_eq!((said.status.as_u16(), &said.value()["type"]), (403, &json!("/problems/step-up-required")));
        assert_eq!(desk.admin.stage(id).await, "approval");
        let refusals = told(&mut desk.root.client).await;
        assert_eq!(refusals[..3], [("approval".into(), false), ("approval".into(), false), ("approval".into(), false)]);
        let by = entries(&mut desk.root.client, "verification").await;
        assert_eq!(by[0]["body"]["approver"], json!(desk.owner.id.to_string()));
        // A second person may; who approved does not get the link, too.
        let proof = desk.admin.approval(id).await;
        assert_eq!(desk.admin.approve(id, &proof).await.status, 204);
        w.pass(31 * DAY + 25 * HOUR);
        desk.back(&w).await;
        assert_eq!(desk.admin.done(id).await.status, 409, "approver and carrier in one");
        nothing_reset(&mut desk).await;
        // Nobody below a super administrator approves for one.
        let id_before = id;
        let id = desk.agent.requested(asked(desk.root.id, "reset_factors")).await;
        let said = desk.admin.approve(id, "x").await;
        assert_eq!((said.status.as_u16(), &said.value()["type"]), (403, &json!("/problems/forbidden")));
        // Nor does anybody approve what they wrote into a check of others.
        let end = desk.agent.api(Method::POST, &at(id_before, "/end"), json!({ "attack": false })).await;
        assert_eq!(end.status, 204, "{}", end.text());
        let id = desk.checked(&w).await;
        let mut rewritten = asked(desk.owner.id, "reset_factors");
        rewritten["reason"] = "as I would have it".into();
        let put = desk.admin.api(Method::PUT, &at(id, ""), rewritten).await;
        assert_eq!(put.status, 204, "{}", put.text());
        let proof = desk.admin.approval(id).await;
        assert_eq!(desk.admin.approve(id, &proof).await.status, 409);
        let proof = desk.root.approval(id).await;
        assert_eq!(desk.root.approve(id, &proof).await.status, 204);
        verified(&w);
    }

    async fn attack_29_what_was_approved_and_changed_is_void(mut w: Warifu) {
        let mut desk = Desk::after(&mut w, 31).await;
        let id = desk.checked(&w).await;
        // Changed between the approver's look and their word.
        let early = desk.root.approval(id).await;
        let mut changed = asked(desk.owner.id, "reset_factors");
        changed["reason"] = "phone stolen".into();
        let put = desk.agent.api(Method::PUT, &at(id, ""), changed.clone()).await;
        assert_eq!(put.status, 204, "{}", put.text());
        let said = desk.root.approve(id, &early).await;
        assert_eq!((said.status.as_u16(), &said.value()["type"]), (403, &json!("/problems/step-up-required")));
        let mut voided = 0;
        for (field, value) in [("channel", json!("video")), ("caller", json!("somebody else"))] {
            let proof = desk.root.approval(id).await;
            assert_eq!(desk.root.approve(id, &proof).await.status, 204);
            assert_eq!(desk.agent.stage(id).await, "approved");
            changed[field] = value;
            let put = desk.agent.api(Method::PUT, &at(id, ""), changed.clone()).await;
            assert_eq!(put.status, 204, "{}", put.text());
            voided += 1;
            assert_eq!(desk.agent.stage(id).await, "approval", "{field}");
            assert_eq!(desk.agent.done(id).await.status, 409);
            assert_eq!(told(&mut desk.root.client).await[1], ("approval_void".into(), false));
            assert_eq!(acts(&mut desk.root.client).await[0], "approval_void");
            let void = entries(&mut desk.root.client, "protected_action").await;
            assert_eq!(void[0]["body"]["approver"], json!(desk.root.id.to_string()));
        }
        assert_eq!(voided, 2);
        // Another account: nothing that was shown about the first holds for it, and by form as well.
        let proof = desk.root.approval(id).await;
        assert_eq!(desk.root.approve(id, &proof).await.status, 204);
        let admin = desk.admin.id.to_string();
        let fields = [("person", admin.as_str()), ("wish", "reset_factors"), ("channel", "phone"), ("caller", "x"), ("reason", "y")];
        let put = desk.agent.form(&format!("/verifications/{id}/change"), &fields).await;
        assert_eq!(put.status, 303, "{}", put.text());
        assert_eq!(desk.agent.stage(id).await, "call_back");
        assert_eq!(desk.agent.done(id).await.status, 409);
        w.pass(31 * DAY + 25 * HOUR);
        desk.back(&w).await;
        assert_eq!(desk.agent.done(id).await.status, 409);
        nothing_reset(&mut desk).await;
        assert!(desk.admin.is_in().await);
        verified(&w);
    }
}
