//! The limits of a check: its delay, the age of a number, tries of a tally, other organizations, and
//! the sealed code.

use super::super::{entries, notices, verified};
use super::people::{DAY, Desk, HOUR, PHONE, Somebody, asked, at, digits, seen};
use super::{acts, nothing_reset, told};
use crate::server::Warifu;
use crate::sign_in::{invitation, sign_in};
use hyper::Method;
use serde_json::json;
use std::io::Write;
use std::process::{Output, Stdio};

/// `warifu break-glass open` with a code on standard input.
fn open_glass(w: &Warifu, email: &str, code: &str) -> Output {
    let mut command = w.command("break-glass open", &["--email", email]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(format!("{code}\n").as_bytes()).expect("it reads");
    drop(input);
    child.wait_with_output().expect("it ends")
}

on_both! {
    async fn the_owner_stops_it_within_the_delay(mut w: Warifu) {
        let mut desk = Desk::after(&mut w, 31).await;
        let id = desk.approved(&w).await;
        assert_eq!(desk.agent.done(id).await.status, 409, "at once");
        w.pass(31 * DAY + 23 * HOUR);
        desk.back(&w).await;
        let early = desk.agent.done(id).await;
        assert_eq!(early.status, 409, "{}", early.text());
        let early = desk.agent.form(&format!("/verifications/{id}/done"), &[]).await;
        assert_eq!(early.status, 409, "by form");
        nothing_reset(&mut desk).await;
        // Only the owner stops it, on their own page.
        assert_eq!(desk.agent.api(Method::POST, &at(id, "/stop"), json!({})).await.status, 404);
        let mut page = desk.owner.client.clone();
        let page = page.get("/account/recovery").await;
        assert!(page.text().contains(&format!("HD-{id}")), "{}", page.text());
        let number = id.to_string();
        let stopped = desk.owner.form("/account/recovery/stop", &[("id", &number)]).await;
        assert_eq!(stopped.status, 303, "{}", stopped.text());
        w.pass(31 * DAY + 25 * HOUR);
        desk.back(&w).await;
        assert_eq!(desk.agent.done(id).await.status, 409);
        assert_eq!(told(&mut desk.root.client).await[1], ("stopped".into(), false));
        assert_eq!(acts(&mut desk.root.client).await[0], "stopped");
        assert_eq!(notices(&mut desk.root.client).await[0], "reset_of_other_stopped");
        nothing_reset(&mut desk).await;
        verified(&w);
    }

    async fn a_void_approval_is_told_and_asked_for_anew(mut w: Warifu) {
        let mut desk = Desk::after(&mut w, 31).await;
        let id = desk.checked(&w).await;
        let proof = desk.admin.approval(id).await;
        assert_eq!(desk.admin.approve(id, &proof).await.status, 204);
        // Changed: whoever asked and whoever approved hear of it, and nobody else.
        let mut changed = asked(desk.owner.id, "reset_factors");
        changed["caller"] = "somebody else".into();
        let put = desk.agent.api(Method::PUT, &at(id, ""), changed).await;
        assert_eq!(put.status, 204, "{}", put.text());
        for (who, told) in [(&mut desk.agent, true), (&mut desk.admin, true), (&mut desk.root, false), (&mut desk.owner, false)] {
            assert_eq!(notices(&mut who.client).await.contains(&"reset_void".to_owned()), told);
        }
        // Its approver is none any more.
        let proof = desk.admin.approval(id).await;
        assert_eq!(desk.admin.approve(id, &proof).await.status, 204);
        let roles = json!({ "person": desk.admin.id.to_string(), "role": "agent" });
        let proof = desk.root.proof(json!({ "action": "change_roles", "parameters": roles })).await;
        let path = format!("/api/v1/people/{}/roles", desk.admin.id);
        let wanted = json!({ "roles": ["agent"], "step_up": proof });
        let said = desk.root.api(Method::PUT, &path, wanted).await;
        assert_eq!(said.status, 204, "{}", said.text());
        w.pass(31 * DAY + 25 * HOUR);
        desk.back(&w).await;
        let done = desk.agent.done(id).await;
        assert_eq!(done.status, 409, "{}", done.text());
        assert_eq!(told(&mut desk.root.client).await[..2], [("approval_void".into(), false), ("carried_out".into(), false)]);
        assert_eq!(acts(&mut desk.root.client).await[0], "approval_void");
        assert_eq!(notices(&mut desk.agent.client).await[0], "reset_void");
        assert_eq!(notices(&mut desk.admin.client).await[0], "reset_void");
        assert_eq!(desk.agent.stage(id).await, "approval");
        assert_eq!(desk.agent.done(id).await.status, 409, "without an approval");
        let told_again = notices(&mut desk.agent.client).await;
        assert_eq!(told_again.iter().filter(|n| *n == "reset_void").count(), 2, "once each");
        nothing_reset(&mut desk).await;
        // Somebody who may approves it anew.
        let proof = desk.root.approval(id).await;
        assert_eq!(desk.root.approve(id, &proof).await.status, 204);
        assert_eq!(desk.agent.stage(id).await, "approved");
        verified(&w);
    }

    async fn what_waits_too_long_is_over(mut w: Warifu) {
        let mut desk = Desk::after(&mut w, 31).await;
        let id = desk.approved(&w).await;
        w.pass(31 * DAY + 24 * HOUR + 73 * HOUR);
        desk.back(&w).await;
        let late = desk.agent.done(id).await;
        assert_eq!(late.status, 409, "{}", late.text());
        nothing_reset(&mut desk).await;
        verified(&w);
    }

    async fn a_number_of_twenty_nine_days_is_not_offered(mut w: Warifu) {
        let mut desk = Desk::after(&mut w, 29).await;
        let id = desk.request().await;
        assert_eq!(desk.agent.check(id).await["numbers"], json!([]));
        let call = desk.agent.api(Method::POST, &at(id, "/call"), json!({ "number": PHONE })).await;
        assert_eq!(call.status, 422, "{}", call.text());
        let call = desk.agent.form(&format!("/verifications/{id}/call"), &[("number", PHONE)]).await;
        assert_eq!(call.status, 422, "by form");
        assert!(!call.text().contains("type=\"radio\""));
        // A record that changes elsewhere keeps its number's age; signing in is such a change.
        w.pass(30 * DAY + HOUR);
        desk.back(&w).await;
        assert_eq!(desk.agent.check(id).await["numbers"][0]["number"], PHONE);
        for number in ["+1 202 555 0199", ""] {
            let call = desk.agent.api(Method::POST, &at(id, "/call"), json!({ "number": number })).await;
            assert_eq!(call.status, 422, "{number}");
        }
        // A call before the request, and one that is still to come.
        for when in ["2020-01-01T00:00:00Z", "2100-01-01T00:00:00Z"] {
            let call = json!({ "number": PHONE, "at": when });
            assert_eq!(desk.agent.api(Method::POST, &at(id, "/call"), call).await.status, 422, "{when}");
        }
        // One that was put there and back begins anew.
        desk.root.number(desk.owner.id, "+1 202 555 0199").await;
        desk.root.number(desk.owner.id, PHONE).await;
        assert_eq!(desk.agent.check(id).await["numbers"], json!([]));
        nothing_reset(&mut desk).await;
        verified(&w);
    }

    async fn halves_are_not_guessed(mut w: Warifu) {
        let mut desk = Desk::after(&mut w, 31).await;
        let id = desk.request().await;
        desk.agent.call(id).await;
        desk.agent.look(id).await;
        for round in 1..=3 {
            let (code, half) = desk.agent.begin(id).await;
            let mut caller = w.client();
            let page = caller.get(&format!("/verify/{code}")).await;
            let theirs = digits(&page);
            assert_ne!(half, theirs, "one half does not tell the other");
            // The page is the first browser's alone.
            assert_eq!(w.client().get(&format!("/verify/{code}")).await.status, 410);
            let form = page.form("action", "/verify/");
            // Each side's own half is not the other's.
            assert_eq!(caller.submit(&form, &[("half", &theirs)]).await.status, 422);
            let own = json!({ "half": half });
            assert_eq!(desk.agent.api(Method::PUT, &at(id, "/tally"), own.clone()).await.status, 422);
            assert_eq!(caller.submit(&form, &[("half", "???")]).await.status, 410, "the third wrong one");
            // Now the right ones come too late.
            assert_eq!(caller.submit(&form, &[("half", &half)]).await.status, 410);
            let right = json!({ "half": theirs });
            assert_eq!(desk.agent.api(Method::PUT, &at(id, "/tally"), right).await.status, 409, "round {round}");
        }
        assert_eq!(desk.agent.api(Method::POST, &at(id, "/tally"), json!({})).await.status, 409, "used up");
        let wrong = told(&mut desk.root.client).await;
        assert_eq!(wrong.iter().filter(|(m, passed)| m == "tally_half" && !passed).count(), 9, "{wrong:?}");
        nothing_reset(&mut desk).await;

        // A code that nobody used is over after ten minutes; another agent's is nobody else's.
        let end = desk.agent.api(Method::POST, &at(id, "/end"), json!({ "attack": true })).await;
        assert_eq!(end.status, 204, "{}", end.text());
        let id = desk.request().await;
        desk.agent.call(id).await;
        desk.agent.look(id).await;
        let (code, _) = desk.agent.begin(id).await;
        let theirs = digits(&w.client().get(&format!("/verify/{code}")).await);
        let right = json!({ "half": theirs });
        assert_eq!(desk.admin.api(Method::PUT, &at(id, "/tally"), right).await.status, 409);
        assert_eq!(desk.admin.check(id).await["tally"], json!(null), "another agent's half");
        w.pass(31 * DAY + 11 * 60);
        assert_eq!(w.client().get(&format!("/verify/{code}")).await.status, 410);
        verified(&w);
    }

    async fn a_colleague_vouches_in_a_session_of_their_own(mut w: Warifu) {
        let mut desk = Desk::after(&mut w, 31).await;
        let id = desk.request().await;
        desk.agent.call(id).await;
        let mut look = seen();
        // Somebody without a key has no word to give.
        let new = json!({ "organization": 1, "record": { "full_name": "Keyless", "email": "keyless@example.com" } });
        assert_eq!(desk.root.api(Method::POST, "/api/v1/people", new).await.status, 201);
        for email in ["owner@example.com", "agent@example.com", "nobody@example.com", "keyless@example.com", "x"] {
            look["colleague"] = email.into();
            let said = desk.agent.api(Method::POST, &at(id, "/look"), look.clone()).await;
            assert_eq!(said.status, 422, "{email}: {}", said.text());
        }
        look["colleague"] = "admin@example.com".into();
        assert_eq!(desk.agent.api(Method::POST, &at(id, "/look"), look).await.status, 204);
        assert_eq!(desk.agent.stage(id).await, "look", "it waits");
        assert_eq!(desk.root.api(Method::POST, &at(id, "/vouch"), json!({})).await.status, 404);
        let page = desk.admin.client.clone().get(&format!("/verifications/{id}/vouch")).await;
        assert_eq!(page.status, 200, "{}", page.text());
        // Their session alone vouches for nobody, nor does their key for another check or another person.
        let asked = desk.admin.api(Method::GET, &at(id, "/vouch"), json!({})).await.value();
        assert_eq!(desk.root.api(Method::GET, &at(id, "/vouch"), json!({})).await.status, 404);
        assert_eq!(asked["done"], false, "{asked}");
        let (verification, person) = (&asked["parameters"]["verification"], &asked["parameters"]["person"]);
        let mut proofs = vec![String::new()];
        for parameters in [json!({ "verification": "99", "person": person }), json!({ "verification": verification, "person": "1" })] {
            assert_ne!(parameters, asked["parameters"]);
            proofs.push(desk.admin.proof(json!({ "action": "vouch", "parameters": parameters })).await);
        }
        for proof in proofs {
            let said = desk.admin.api(Method::POST, &at(id, "/vouch"), json!({ "step_up": proof })).await;
            assert_eq!((said.status.as_u16(), &said.value()["type"]), (403, &json!("/problems/step-up-required")));
            let form = desk.admin.form(&format!("/verifications/{id}/vouch"), &[("step_up", &proof)]).await;
            assert_eq!(form.status, 403);
        }
        assert_eq!(desk.agent.stage(id).await, "look", "it still waits");
        let form = page.form("action", &format!("/verifications/{id}/vouch"));
        let form = desk.admin.client.step_up(form, &mut desk.admin.passkey).await;
        let said = desk.admin.client.submit(&form, &[]).await;
        assert_eq!(said.status, 303, "{}", said.text());
        desk.agent.tally(&w, id).await;
        // Who vouched does not approve.
        let proof = desk.admin.approval(id).await;
        assert_eq!(desk.admin.approve(id, &proof).await.status, 409);
        assert_eq!(told(&mut desk.root.client).await[0], ("approval".into(), false));
        verified(&w);
    }

    async fn an_organization_sees_and_approves_its_own_users_only(mut w: Warifu) {
        w.clock = true;
        w.restart().await;
        let mut root = Somebody::invited(&w, "root@example.com", "super_administrator").await;
        let mut agent = Somebody::invited(&w, "agent@example.com", "agent").await;
        let mut ids = Vec::new();
        for name in ["alder", "birch"] {
            let new = json!({ "name": name, "environment": "production", "products": [], "domain": "" });
            let made = root.api(Method::POST, "/api/v1/organizations", new).await.value();
            for who in ["admin", "user"] {
                let record = json!({ "full_name": who, "email": format!("{who}@{name}.example"), "phone": PHONE });
                let new = json!({ "organization": made["id"], "record": record });
                let made = root.api(Method::POST, "/api/v1/people", new).await.value();
                ids.push(made["id"].as_i64().unwrap());
            }
        }
        let mut alder = Somebody::invited(&w, "admin@alder.example", "organization_administrator").await;
        let mut birch = Somebody::invited(&w, "admin@birch.example", "organization_administrator").await;
        let link = w.ok("enrol", &["--email", "user@alder.example"]);
        let mut user = Somebody::enter(&w, link.trim().strip_prefix(w.base()).unwrap()).await;
        w.pass(31 * DAY);
        for person in [&mut root, &mut agent, &mut alder, &mut birch, &mut user] {
            person.again(&w).await;
        }
        // The user of alder, who has no role, and alder's administrator, who has one.
        let id = agent.requested(asked(ids[1], "reset_factors")).await;
        let of_admin = agent.requested(asked(ids[0], "reset_factors")).await;
        agent.call(id).await;
        agent.look(id).await;
        agent.tally(&w, id).await;
        for stranger in [&mut birch, &mut user] {
            for (method, step) in [(Method::GET, ""), (Method::POST, "/approval"), (Method::POST, "/end"), (Method::POST, "/vouch")] {
                let said = stranger.api(method, &at(id, step), json!({})).await;
                assert_eq!(said.status, 404, "{step}: {}", said.text());
            }
            assert_eq!(stranger.client.clone().get(&format!("/verifications/{id}")).await.status, 404);
        }
        assert_eq!(birch.api(Method::GET, "/api/v1/verifications", json!({})).await.value(), json!([]));
        assert_eq!(user.api(Method::GET, "/api/v1/verifications", json!({})).await.status, 404);
        assert_eq!(alder.api(Method::GET, &at(of_admin, ""), json!({})).await.status, 404, "of one with a role");
        let page = alder.client.clone().get("/verifications").await;
        assert!(page.text().contains(&format!("/verifications/{id}\"")), "{}", page.text());
        // It approves, and takes no step of the desk.
        assert_eq!(alder.api(Method::POST, &at(id, "/done"), json!({})).await.status, 403);
        let proof = alder.approval(id).await;
        assert_eq!(alder.approve(id, &proof).await.status, 204);
        // Without a role there is no delay unless one is set.
        let done = agent.done(id).await;
        assert_eq!(done.status, 200, "{}", done.text());
        assert!(!user.is_in().await);
        assert!(notices(&mut alder.client).await.contains(&"reset_of_other_done".to_owned()));
        assert!(!notices(&mut birch.client).await.iter().any(|n| n.starts_with("reset")));
        verified(&w);
    }

    async fn the_sealed_code_opens_once_and_loudly(w: Warifu) {
        let mut root = Somebody::invited(&w, "root@example.com", "super_administrator").await;
        let mut second = Somebody::invited(&w, "second@example.com", "super_administrator").await;
        let agent = Somebody::invited(&w, "agent@example.com", "agent").await;
        // Without a seal there is nothing to open, whatever is typed.
        for code in ["AAAAA", "0"] {
            let said = open_glass(&w, "root@example.com", code);
            assert_eq!(said.status.code(), Some(2), "{said:?}");
        }
        let first = w.ok("break-glass seal", &[]);
        let code = w.ok("break-glass seal", &[]);
        assert_eq!(code.trim().len(), 35, "{code}");
        let refused = [
            ("root@example.com", first.trim()),
            ("root@example.com", "AAAAA-AAAAA-AAAAA-AAAAA-AAAAA-AAAAA"),
            ("agent@example.com", code.trim()),
            ("nobody@example.com", code.trim()),
            ("root@example.com", ""),
        ];
        for (email, code) in refused {
            let said = open_glass(&w, email, code);
            let line = String::from_utf8_lossy(&said.stderr).into_owned();
            assert_eq!(said.status.code(), Some(2), "{line}");
            assert!(said.stdout.is_empty() && line.starts_with("warifu: ") && line.lines().count() == 1, "{line}");
        }
        assert!(root.is_in().await, "nothing has happened");
        let said = open_glass(&w, "root@example.com", &code.trim().to_lowercase());
        assert!(said.status.success(), "{said:?}");
        let link = String::from_utf8(said.stdout).unwrap();
        assert!(!root.is_in().await, "their sessions have ended");
        assert_eq!(open_glass(&w, "root@example.com", code.trim()).status.code(), Some(2), "once");
        let path = link.trim().strip_prefix(w.base()).expect("a link to this server");
        let mut root = Somebody::enter(&w, path).await;
        for reader in [&mut root, &mut second] {
            let told = notices(&mut reader.client).await;
            let count = |kind: &str| told.iter().filter(|n| *n == kind).count();
            assert_eq!((count("break_glass"), count("break_glass_sealed"), count("break_glass_refused")), (1, 2, 5), "{told:?}");
        }
        let acts = acts(&mut root.client).await;
        assert_eq!(acts[..3], ["break_glass", "break_glass_sealed", "break_glass_sealed"]);
        let tries = told(&mut root.client).await;
        assert_eq!(tries.iter().filter(|t| **t == ("break_glass".to_owned(), true)).count(), 1);
        assert_eq!(tries.iter().filter(|t| **t == ("break_glass".to_owned(), false)).count(), 5);
        let ended = entries(&mut root.client, "session_revoked").await;
        assert_eq!(ended[0]["body"]["reason"], "break_glass");
        // Once there was a seal, the console lets nobody in beside it who has a factor.
        let said = w.run("enrol", &["--email", "agent@example.com"]);
        assert_eq!(said.status.code(), Some(2), "{said:?}");
        let _ = agent;
        let role = ["--email", "evil@example.com", "--role", "super_administrator"];
        assert_eq!(w.run("enrol", &role).status.code(), Some(2), "a super administrator beside the seal");
        let link = invitation(&w, "new@example.com", "agent");
        assert!(link.starts_with("/enrol/"));
        sign_in(&mut w.client(), &mut second.passkey).await;
        verified(&w);
    }
}
