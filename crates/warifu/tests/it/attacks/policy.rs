//! 22 and 37: authenticators that a role forbids, and weakening what protects everybody.

use super::{entries, notices, verified};
use crate::http::{Answer, Client, forms};
use crate::identity_provider::{Owner, signed_in};
use crate::passkey::{Maker, Passkey};
use crate::sign_in::{invitation, options, reply, script, sign_in, who};
use hyper::Method;
use serde_json::{Value, json};
use std::sync::Arc;

const MINUTE: i64 = 60_000_000;

/// Asks for a change, with the key.
pub async fn propose(by: &mut Owner, proposal: &Value, reason: &str) -> Answer {
    let review = json!({ "proposal": proposal });
    let review = by.client.json(Method::POST, "/api/v1/policies/review", &review).await;
    assert_eq!(review.status, 200, "{}", review.text());
    let review = review.value();
    let action = review["action"].as_str().expect("an action");
    let proof = by.proof(action, &review["parameters"]).await;
    let change = json!({ "proposal": proposal, "reason": reason, "step_up": proof });
    by.client.json(Method::POST, "/api/v1/policies", &change).await
}

/// Agrees to somebody's change, with the key.
pub async fn agree(by: &mut Owner, id: i64) -> Answer {
    let all = by.client.get("/api/v1/approvals").await.value();
    let found = all.as_array().unwrap().iter().find(|a| a["id"] == id).expect("it waits");
    let proof = by.proof("approve", &found["parameters"]).await;
    let body = json!({ "agree": true, "step_up": proof });
    by.client.json(Method::POST, &format!("/api/v1/approvals/{id}"), &body).await
}

fn rules(scope: &str, rules: Value) -> Value {
    json!({ "what": "rules", "scope": scope, "rules": rules })
}

async fn set(client: &mut Client, scope: &str) -> Value {
    client.get("/api/v1/policies").await.value()["rules"][scope].clone()
}

on_both! {
    async fn attack_37_weakening_a_policy_takes_the_key_and_a_second_person(w: Warifu) {
        let mut owner = signed_in(&w, "owner@example.com", "super_administrator").await;
        let mut second = signed_in(&w, "second@example.com", "super_administrator").await;
        let mut admin = signed_in(&w, "admin@example.com", "administrator").await;
        let weaker = rules("staff", json!({ "idle": 60 * MINUTE, "network": "record" }));

        // A stolen session alone changes nothing, stricter or weaker.
        let stricter = rules("staff", json!({ "idle": 10 * MINUTE }));
        for proposal in [&weaker, &stricter] {
            let change = json!({ "proposal": proposal, "reason": "thief" });
            let said = owner.client.json(Method::POST, "/api/v1/policies", &change).await;
            assert_eq!((said.status.as_u16(), &said.value()["type"]), (403, &json!("/problems/step-up-required")));
        }
        // Nor does anybody's who may not.
        let change = json!({ "proposal": weaker, "reason": "thief" });
        assert_eq!(admin.client.json(Method::POST, "/api/v1/policies", &change).await.status, 403);
        // Nor a proof for another change.
        let what = json!({ "action": "change_policy", "parameters": { "scope": "staff", "lifetime": "", "idle": "10",
            "network": "", "device": "", "synced": "", "attestation": "", "authenticators": "" } });
        let proof = owner.client.prove(&owner.csrf, what, &mut owner.passkey).await.value()["step_up"].clone();
        let change = json!({ "proposal": weaker, "reason": "thief", "step_up": proof });
        assert_eq!(owner.client.json(Method::POST, "/api/v1/policies", &change).await.status, 403);
        // Beyond the limits nobody gets, and nobody without a reason.
        let beyond = rules("staff", json!({ "idle": 121 * MINUTE }));
        assert_eq!(propose(&mut owner, &beyond, "why").await.status, 422);
        assert_eq!(propose(&mut owner, &weaker, " ").await.status, 422);

        let waits = propose(&mut owner, &weaker, "the night shift reads long").await;
        assert_eq!(waits.status, 202, "{}", waits.text());
        let id = waits.value()["approval"].as_i64().unwrap();
        assert_eq!(set(&mut owner.client, "staff").await, Value::Null, "nothing has changed yet");
        // Both were told, before anything happened.
        assert_eq!(notices(&mut owner.client).await[0], "policy_proposed");
        assert_eq!(notices(&mut second.client).await[0], "policy_proposed");

        // Nobody agrees to their own, no administrator agrees, and no session without the key.
        let own = agree(&mut owner, id).await;
        assert_eq!((own.status.as_u16(), &own.value()["type"]), (409, &json!("/problems/conflict")));
        let bare = json!({ "agree": true });
        let path = format!("/api/v1/approvals/{id}");
        assert_eq!(second.client.json(Method::POST, &path, &bare).await.status, 403);
        assert_eq!(admin.client.json(Method::POST, &path, &bare).await.status, 403);
        assert_eq!(set(&mut owner.client, "staff").await, Value::Null);

        assert_eq!(agree(&mut second, id).await.status, 204);
        assert_eq!(set(&mut owner.client, "staff").await, json!({ "idle": 60 * MINUTE, "network": "record" }));
        assert_eq!(agree(&mut second, id).await.status, 409, "once");
        let told = entries(&mut owner.client, "policy_change").await;
        assert_eq!(told.len(), 1);
        assert_eq!((&told[0]["body"]["policy"], &told[0]["body"]["before"]), (&json!("rules:staff"), &Value::Null));
        let told = entries(&mut owner.client, "protected_action").await;
        let actions: Vec<_> = told.iter().map(|e| e["body"]["action"].as_str().unwrap()).collect();
        assert_eq!(actions[..2], ["approve", "change_policy"]);
        assert_eq!(told[0]["body"]["approver"], told[0]["actor"]["person"]);
        assert_eq!(notices(&mut owner.client).await[0], "policy_changed");

        // Making it stricter takes the key alone, and holds with the next request.
        assert_eq!(propose(&mut owner, &rules("staff", json!({})), "").await.status, 204);
        assert_eq!(set(&mut owner.client, "staff").await, json!({}));
        verified(&w);
    }

    async fn attack_37_a_change_on_other_ground_than_it_was_asked_for_is_void(w: Warifu) {
        let mut owner = signed_in(&w, "owner@example.com", "super_administrator").await;
        let mut second = signed_in(&w, "second@example.com", "super_administrator").await;
        let weaker = rules("staff", json!({ "idle": 60 * MINUTE }));
        let id = propose(&mut owner, &weaker, "why").await.value()["approval"].as_i64().unwrap();
        // Meanwhile somebody made it stricter, which the old request knows nothing of.
        let stricter = rules("staff", json!({ "idle": 5 * MINUTE, "network": "end" }));
        assert_eq!(propose(&mut second, &stricter, "").await.status, 204);
        assert_eq!(agree(&mut second, id).await.status, 204);
        assert_eq!(set(&mut owner.client, "staff").await, stricter["rules"]);
        let told = entries(&mut owner.client, "protected_action").await;
        assert_eq!(told[0]["body"]["action"], "void");
        verified(&w);
    }

    async fn attack_37_what_an_organization_s_users_may_sign_in_with_is_policy_too(w: Warifu) {
        let mut owner = signed_in(&w, "owner@example.com", "super_administrator").await;
        let mut second = signed_in(&w, "second@example.com", "super_administrator").await;
        let customer = crate::password::customer(&mut owner, "alder").await;
        let access = |organization: i64, passwords: bool| json!({ "what": "access", "organization": organization,
            "access": { "passwords": passwords, "weaker_providers": false } });
        let vendor = propose(&mut owner, &access(1, true), "why").await;
        assert_eq!(vendor.status, 409, "{}", vendor.text());
        let waits = propose(&mut owner, &access(customer.organization, true), "they have no keys yet").await;
        assert_eq!(waits.status, 202, "{}", waits.text());
        let set = async |owner: &mut Owner| {
            let set = owner.client.get("/api/v1/policies").await.value();
            set["access"][customer.organization.to_string()]["passwords"].clone()
        };
        assert_eq!(set(&mut owner).await, Value::Null, "one person allows nothing");
        let id = waits.value()["approval"].as_i64().unwrap();
        assert_eq!(agree(&mut second, id).await.status, 204);
        assert_eq!(set(&mut owner).await, true);
        // Forbidding it takes the key alone.
        assert_eq!(propose(&mut owner, &access(customer.organization, false), "").await.status, 204);
        assert_eq!(set(&mut owner).await, false);
        verified(&w);
    }

    async fn attack_37_a_super_administrator_is_made_by_two(w: Warifu) {
        let mut owner = signed_in(&w, "owner@example.com", "super_administrator").await;
        let mut second = signed_in(&w, "second@example.com", "super_administrator").await;
        let mut made = signed_in(&w, "agent@example.com", "agent").await;
        let mut other = signed_in(&w, "other@example.com", "agent").await;
        let ask = async |owner: &mut Owner, person: i64| {
            let role = "agent,super_administrator";
            let parameters = json!({ "person": person.to_string(), "role": role });
            let proof = owner.proof("change_roles", &parameters).await;
            let body = json!({ "roles": ["agent", "super_administrator"], "step_up": proof });
            let path = format!("/api/v1/people/{person}/roles");
            let said = owner.client.json(Method::PUT, &path, &body).await;
            assert_eq!(said.status, 202, "{}", said.text());
        };
        ask(&mut owner, 3).await;
        assert_eq!(made.client.get("/policy").await.status, 403, "one person makes nobody like themselves");
        let page = owner.client.clone().header("accept", "text/html").get("/approvals").await;
        assert!(page.text().contains("agent@example.com"), "{}", page.text());
        second.agrees().await;
        assert_eq!(made.client.get("/policy").await.status, 200);
        let told = entries(&mut owner.client, "role_change").await[0]["body"].clone();
        assert_eq!((&told["person"], &told["role"]), (&json!("3"), &json!("super_administrator")));
        assert_eq!(notices(&mut owner.client).await[0], "policy_changed");

        // Whoever has other factors meanwhile is not whom the second person would agree to.
        ask(&mut owner, 4).await;
        w.sql("UPDATE credentials SET revoked_at = 1 WHERE person_id = 4").await;
        second.agrees().await;
        let told = entries(&mut owner.client, "protected_action").await;
        assert_eq!(told[0]["body"]["action"], "void");
        assert_ne!(other.client.get("/policy").await.status, 200);
        verified(&w);
    }

    async fn attack_37_a_change_that_was_tampered_with_is_void(w: Warifu) {
        let mut owner = signed_in(&w, "owner@example.com", "super_administrator").await;
        let mut second = signed_in(&w, "second@example.com", "super_administrator").await;
        let weaker = rules("staff", json!({ "idle": 60 * MINUTE }));
        let id = propose(&mut owner, &weaker, "why").await.value()["approval"].as_i64().unwrap();
        let sql = "UPDATE approvals SET proposal = replace(proposal, '3600000000', '7200000000')";
        w.sql(sql).await;
        assert_eq!(agree(&mut second, id).await.status, 204);
        assert_eq!(set(&mut owner.client, "staff").await, Value::Null, "what was agreed to is not what stands there");
        let told = entries(&mut owner.client, "protected_action").await;
        assert_eq!(told[0]["body"]["action"], "void");
        verified(&w);
    }

    async fn attack_37_nobody_shuts_the_other_super_administrators_out_alone(w: Warifu) {
        let mut owner = signed_in(&w, "owner@example.com", "super_administrator").await;
        let mut second = signed_in(&w, "second@example.com", "super_administrator").await;
        let list = json!({ "authenticators": ["07070707-0707-0707-0707-070707070707"] });
        // What concerns others, or still fits, takes the key alone.
        assert_eq!(propose(&mut owner, &rules("role:agent", list.clone()), "").await.status, 204);
        assert_eq!(propose(&mut owner, &rules("role:super_administrator", json!({ "synced": false })), "").await.status, 204);
        // What fits no key of another super administrator takes them, in whatever scope.
        let mut waits = 0;
        for scope in ["staff", "role:super_administrator", "organization:1"] {
            let mut narrow = rules(scope, list.clone());
            narrow["rules"]["synced"] = false.into();
            let review = json!({ "proposal": narrow });
            let review = owner.client.json(Method::POST, "/api/v1/policies/review", &review).await.value();
            assert_eq!(review["weakens"], json!(["super_administrators"]), "{scope}");
            assert_eq!(propose(&mut owner, &narrow, "").await.status, 422, "{scope}: without a reason");
            let said = propose(&mut owner, &narrow, "one make for all of us").await;
            assert_eq!(said.status, 202, "{scope}: {}", said.text());
            waits = said.value()["approval"].as_i64().unwrap();
            assert_eq!(set(&mut owner.client, scope).await["authenticators"], Value::Null, "{scope}");
        }
        sign_in(&mut w.client(), &mut second.passkey).await;
        assert_eq!(agree(&mut owner, waits).await.status, 409, "one's own");
        assert_eq!(agree(&mut second, waits).await.status, 204);
        assert_eq!(set(&mut second.client, "organization:1").await["authenticators"], list["authenticators"]);
        verified(&w);
    }

    async fn attack_37_an_environment_is_policy_and_leaving_it_takes_two(w: Warifu) {
        let mut owner = signed_in(&w, "owner@example.com", "super_administrator").await;
        let mut second = signed_in(&w, "second@example.com", "super_administrator").await;
        let new = json!({ "name": "alder", "environment": "preview", "products": [], "domain": "" });
        let made = owner.client.json(Method::POST, "/api/v1/organizations", &new).await.value();
        let id = made["id"].as_i64().unwrap();
        let path = format!("/api/v1/organizations/{id}");
        let place = async |owner: &mut Owner| owner.client.get(&path).await.value()["environment"].clone();
        let moves = |from: &str, to: &str| json!({ "what": "environment", "organization": id, "from": from, "to": to });
        let preview = json!({ "what": "rollout", "feature": "network_binding",
            "rollout": { "stage": "preview", "report_only": false } });
        let waits = propose(&mut owner, &preview, "as announced").await.value()["approval"].as_i64().unwrap();
        assert_eq!(agree(&mut second, waits).await.status, 204);

        // Not as a field of the record, and not without the key.
        let record = json!({ "name": "alder", "environment": "production", "products": [], "domain": "" });
        let said = owner.client.json(Method::PUT, &path, &record).await;
        assert_eq!((said.status.as_u16(), &said.value()["field"]), (422, &json!("environment")));
        let out = moves("preview", "production");
        let change = json!({ "proposal": out, "reason": "thief" });
        let said = owner.client.json(Method::POST, "/api/v1/policies", &change).await;
        assert_eq!((said.status.as_u16(), &said.value()["type"]), (403, &json!("/problems/step-up-required")));
        // Where the stage would no longer hold, a second person agrees.
        let page = owner.client.get(&format!("/policy?scope=organization:{id}")).await;
        let form = forms(page.text()).into_iter().find(|f| f.fields.contains(&("what".into(), "environment".into())));
        let page = owner.client.submit(&form.expect("a form"), &[("to", "production")]).await;
        assert!(page.text().contains("It takes effect when one of them agrees"), "{}", page.text());
        let waits = propose(&mut owner, &out, "they leave the preview").await;
        assert_eq!(waits.status, 202, "{}", waits.text());
        assert_eq!(place(&mut owner).await, "preview");
        let waits = waits.value()["approval"].as_i64().unwrap();
        assert_eq!(agree(&mut second, waits).await.status, 204);
        assert_eq!(place(&mut owner).await, "production");
        let told = entries(&mut owner.client, "policy_change").await;
        assert_eq!(told[0]["body"]["policy"], format!("environment:{id}"));
        let told = entries(&mut owner.client, "organization_change").await;
        assert_eq!(told[0]["body"]["fields"], json!(["environment"]));
        // Where it stood somewhere else, nothing; where more holds, the key alone.
        assert_eq!(propose(&mut owner, &out, "again").await.status, 409);
        assert_eq!(propose(&mut owner, &moves("production", "preview"), "").await.status, 204);
        assert_eq!(place(&mut owner).await, "preview");
        // What was asked for on other ground is void.
        let waits = propose(&mut owner, &out, "once more").await.value()["approval"].as_i64().unwrap();
        let undo = async |by: &mut Owner, other: &mut Owner| {
            let id = propose(by, &out, "meanwhile").await.value()["approval"].as_i64().unwrap();
            assert_eq!(agree(other, id).await.status, 204);
        };
        undo(&mut second, &mut owner).await;
        assert_eq!(agree(&mut second, waits).await.status, 204);
        let told = entries(&mut owner.client, "protected_action").await;
        assert_eq!(told[0]["body"]["action"], "void");
        verified(&w);
    }

    async fn attack_22_an_authenticator_that_the_role_forbids_is_refused(mut w: Warifu) {
        let listed = [7; 16];
        let maker = Arc::new(Maker::new(listed));
        let roots = w.data().join("makers.pem");
        std::fs::write(&roots, &maker.root).unwrap();
        w.serve.extend(["--authenticator-makers".to_owned(), roots.display().to_string()]);
        w.restart().await;
        let mut owner = signed_in(&w, "owner@example.com", "super_administrator").await;
        // An agent whose key is copied between devices, from before.
        let mut early = Passkey::new(w.base());
        early.synced = true;
        let mut agent = w.client();
        let link = invitation(&w, "early@example.com", "agent");
        let page = agent.get(&link).await;
        assert_eq!(agent.passkey(&page, &mut early).await.status, 200);
        sign_in(&mut agent, &mut early).await;

        let list = json!(["07070707-0707-0707-0707-070707070707"]);
        let strict = json!({ "synced": false, "attestation": true, "authenticators": list });
        assert_eq!(propose(&mut owner, &rules("role:agent", strict), "").await.status, 204);

        // Its next sign-in is refused, with the same words as any other.
        let mut again = w.client();
        let mut script = script(&mut again).await;
        let asked = options(&mut script).await;
        let answer = script.json(Method::POST, "/sign-in/verify", &reply(&asked, &mut early)).await;
        assert_eq!(answer.status, 403, "{}", answer.text());
        assert_eq!(who(&mut script).await.status, 401);
        let told = entries(&mut owner.client, "sign_in_refused").await;
        assert_eq!(told[0]["body"]["reason"], "synced");

        // Enrolment: synced, of another make, of the make but unproved, proved by somebody else.
        let other = Arc::new(Maker::new(listed));
        let make = |aaguid, synced, maker: Option<&Arc<Maker>>| {
            let mut key = Passkey::new(w.base());
            (key.aaguid, key.synced, key.maker) = (aaguid, synced, maker.cloned());
            key
        };
        let wrong = [
            ("unproved", make(listed, false, None)),
            ("another's", make(listed, false, Some(&other))),
            ("another make", make([8; 16], false, Some(&maker))),
            ("synced", make(listed, true, Some(&maker))),
        ];
        for (name, mut key) in wrong {
            let mut client = w.client();
            let link = invitation(&w, &format!("{}@example.com", name.replace([' ', '\''], "")), "agent");
            let page = client.get(&link).await;
            let answer = client.passkey(&page, &mut key).await;
            assert_eq!(answer.status, 422, "{name}: {}", answer.text());
        }
        let mut good = make(listed, false, Some(&maker));
        let mut client = w.client();
        let page = client.get(&invitation(&w, "good@example.com", "agent")).await;
        let answer = client.passkey(&page, &mut good).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        sign_in(&mut client, &mut good).await;
        verified(&w);
    }

    async fn attack_22_a_list_without_proof_still_refuses_what_names_itself_otherwise(w: Warifu) {
        let mut owner = signed_in(&w, "owner@example.com", "super_administrator").await;
        let list = json!({ "authenticators": ["07070707-0707-0707-0707-070707070707"] });
        assert_eq!(propose(&mut owner, &rules("role:agent", list), "").await.status, 204);
        for (aaguid, status) in [([8; 16], 422), ([0; 16], 422), ([7; 16], 200)] {
            let mut key = Passkey::new(w.base());
            key.aaguid = aaguid;
            let mut client = w.client();
            let link = invitation(&w, &format!("a{}@example.com", aaguid[0]), "agent");
            let page = client.get(&link).await;
            assert_eq!(client.passkey(&page, &mut key).await.status, status);
        }
        let told = entries(&mut owner.client, "sign_in_refused").await;
        let reasons: Vec<_> = told.iter().map(|e| e["body"]["reason"].as_str().unwrap()).collect();
        assert_eq!(reasons, ["make", "make"]);
        verified(&w);
    }

    async fn attack_22_an_empty_list_of_makes_is_every_make_on_the_page_and_refused_in_the_api(w: Warifu) {
        let mut owner = signed_in(&w, "owner@example.com", "super_administrator").await;
        let enrols = async |name: &str, aaguid: [u8; 16]| {
            let mut key = Passkey::new(w.base());
            key.aaguid = aaguid;
            let mut client = w.client();
            let page = client.get(&invitation(&w, name, "agent")).await;
            client.passkey(&page, &mut key).await.status.as_u16()
        };
        // A program's empty list would let nobody in, and is none.
        let said = propose(&mut owner, &rules("role:agent", json!({ "authenticators": [] })), "").await;
        assert_eq!((said.status.as_u16(), said.value()["field"].as_str()), (422, Some("authenticators")), "{}", said.text());
        assert!(said.text().contains("name a make, or take the list away"), "{}", said.text());
        assert_eq!(set(&mut owner.client, "role:agent").await, Value::Null);
        assert_eq!(enrols("first@example.com", [9; 16]).await, 200);

        // A field of the page that is left empty, or has nothing but lines in it, is every make.
        let mut page = owner.client.clone().header("accept", "text/html");
        let review = [("csrf", owner.csrf.as_str()), ("what", "rules"), ("scope", "role:agent"), ("idle", "10"), ("authenticators", " \r\n\r\n")];
        let review = page.post_form("/policy/review", &review).await;
        assert_eq!(review.status, 200, "{}", review.text());
        let form = page.step_up(review.form("action", "/policy/apply"), &mut owner.passkey).await;
        assert_eq!(page.submit(&form, &[]).await.status, 303);
        owner.client.cookies = page.cookies.clone();
        assert_eq!(set(&mut owner.client, "role:agent").await, json!({ "idle": 10 * MINUTE }));
        assert_eq!(enrols("second@example.com", [9; 16]).await, 200);
        verified(&w);
    }

    async fn attack_37_whose_stage_an_organization_is_in_is_policy(w: Warifu) {
        let mut owner = signed_in(&w, "owner@example.com", "super_administrator").await;
        let mut admin = signed_in(&w, "admin@example.com", "administrator").await;
        let new = |environment: &str, domain: &str| json!({ "name": "Alder", "environment": environment, "products": [], "domain": domain });
        let made = owner.client.json(Method::POST, "/api/v1/organizations", &new("preview", "")).await;
        let path = format!("/api/v1/organizations/{}", made.value()["id"]);
        // Whoever may write down an organization's domain may not take it out of a feature's stage.
        let domain = admin.client.json(Method::PUT, &path, &new("preview", "alder.example")).await;
        assert_eq!(domain.status, 204, "{}", domain.text());
        let whole = admin.client.json(Method::PUT, &path, &new("production", "alder.example")).await;
        assert_eq!(whole.status, 422, "{}", whole.text());
        let out = json!({ "what": "environment", "organization": made.value()["id"], "from": "preview", "to": "production" });
        let moves = json!({ "proposal": out, "reason": "moved" });
        let moved = admin.client.json(Method::POST, "/api/v1/policies", &moves).await;
        assert_eq!(moved.status, 403, "{}", moved.text());
        assert_eq!(moved.value()["type"], "/problems/forbidden");
        let now = owner.client.get(&path).await.value();
        assert_eq!((&now["environment"], &now["domain"]), (&json!("preview"), &json!("alder.example")), "{now}");
        let told = entries(&mut owner.client, "organization_change").await;
        assert_eq!(told[0]["body"]["fields"], json!(["domain"]), "and nothing after it");
        verified(&w);
    }
}
