//! What an organization's administrators see and decide about sign-in: features before their turn, who
//! of their people can be phished, and their people's sessions.

use crate::attacks::policy::{agree, propose};
use crate::attacks::{entries, verified};
use crate::http::Client;
use crate::identity_provider::{Owner, signed_in};
use crate::password::{self, Customer, allow};
use crate::server::Warifu;
use crate::sign_in::who;
use hyper::Method;
use serde_json::{Value, json};

/// Two super administrators: a weakening takes both.
pub struct Vendor {
    pub owner: Owner,
    pub second: Owner,
}

impl Vendor {
    pub async fn new(w: &Warifu) -> Vendor {
        Vendor {
            owner: signed_in(w, "owner@example.com", "super_administrator").await,
            second: signed_in(w, "second@example.com", "super_administrator").await,
        }
    }

    /// Moves a feature to a stage, wherever it is.
    pub async fn stage(&mut self, feature: &str, rollout: &Value) {
        let proposal = json!({ "what": "rollout", "feature": feature, "rollout": rollout });
        let said = propose(&mut self.owner, &proposal, "as announced").await;
        if said.status == 202 {
            let id = said.value()["approval"].as_i64().expect("a number");
            assert_eq!(agree(&mut self.second, id).await.status, 204);
        } else {
            assert_eq!(said.status, 204, "{}", said.text());
        }
    }

    /// Somebody more of an organization.
    async fn person(&mut self, organization: i64, name: &str, email: &str) -> i64 {
        let record = json!({ "full_name": name, "email": email });
        let new = json!({ "organization": organization, "record": record });
        let made = self.owner.client.json(Method::POST, "/api/v1/people", &new).await;
        assert_eq!(made.status, 201, "{}", made.text());
        made.value()["id"].as_i64().expect("an id")
    }

    /// A customer's user without a role, and their administrator in a session.
    pub async fn customer(&mut self, w: &Warifu, name: &str) -> (Customer, Owner) {
        let user = password::customer(&mut self.owner, name).await;
        let email = format!("admin@{name}.example");
        self.person(user.organization, "Naoko Ishii", &email).await;
        (user, signed_in(w, &email, "organization_administrator").await)
    }
}

async fn security(by: &mut Owner, organization: i64) -> Value {
    let path = format!("/api/v1/organizations/{organization}/security");
    let answer = by.client.get(&path).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.value()
}

fn feature(security: &Value, key: &str) -> Value {
    let all = security["features"].as_array().expect("features");
    all.iter().find(|f| f["feature"] == key).expect("the feature").clone()
}

/// Signs a user without a role in with a password, in a browser of their own.
async fn by_password(w: &Warifu, user: &mut Customer) -> Client {
    password::choose(w, user, -30).await;
    let mut client = w.client();
    assert_eq!(user.sign_in(&mut client, 0).await.status, 303);
    assert_eq!(who(&mut client).await.status, 200);
    client
}

fn early() -> Value {
    json!({ "stage": "early_access", "report_only": false })
}

on_both! {
    async fn an_organization_takes_a_feature_before_its_turn_with_the_key(w: Warifu) {
        let mut vendor = Vendor::new(&w).await;
        let (user, mut admin) = vendor.customer(&w, "alder").await;
        let (other, mut stranger) = vendor.customer(&w, "birch").await;
        let plan = json!({ "stage": "preview", "at": "2126-12-04T00:00:00Z" });
        let rollout = json!({ "stage": "early_access", "report_only": false, "plan": plan });
        vendor.stage("network_binding", &rollout).await;
        vendor.stage("device_binding", &early()).await;

        let before = security(&mut admin, user.organization).await;
        let network = feature(&before, "network_binding");
        assert_eq!((&network["reach"], &network["stage"]), (&json!("open"), &json!("early_access")));
        assert_eq!((&network["next"], network["since"].is_string()), (&json!("preview"), true), "{network}");
        assert_eq!(network["choice"]["action"], "choose_feature");
        assert_eq!(before["users"]["network"], "record");
        let everyone = feature(&before, "session_timeout");
        assert_eq!((&everyone["reach"], &everyone["choice"]), (&json!("holds"), &Value::Null));

        // The page says what cannot be undone before it asks for the key.
        let page = admin.client.get("/security").await;
        assert_eq!(page.status, 200, "{}", page.text());
        assert!(page.text().contains("You cannot turn it off again."), "{}", page.text());
        assert!(page.text().contains("4 Dec 2126"), "the day of the next stage");
        let form = page.form("action", "/security/network_binding");
        // Neither without the key, nor with a proof for another feature or another organization.
        assert_eq!(admin.client.submit(&form, &[]).await.status, 403);
        let chosen = |organization: i64, feature: &str| {
            json!({ "organization": organization.to_string(), "feature": feature, "chosen": "true" })
        };
        for what in [chosen(user.organization, "device_binding"), chosen(other.organization, "network_binding")] {
            let proof = admin.proof("choose_feature", &what).await;
            assert_eq!(admin.client.submit(&form, &[("step_up", &proof)]).await.status, 403, "{what}");
        }
        let form = admin.client.step_up(form, &mut admin.passkey).await;
        let done = admin.client.submit(&form, &[]).await;
        assert_eq!((done.status.as_u16(), done.header("location")), (303, "/security#network_binding"));

        let after = security(&mut admin, user.organization).await;
        let network = feature(&after, "network_binding");
        assert_eq!((&network["reach"], &network["chosen"], &network["choice"]), (&json!("holds"), &json!(true), &Value::Null));
        assert_eq!((&after["users"]["network"], &after["administrators"]["network"]), (&json!("end"), &json!("end")));
        assert_eq!(feature(&after, "device_binding")["reach"], "open", "nothing else was chosen");
        let theirs = security(&mut stranger, other.organization).await;
        assert_eq!(feature(&theirs, "network_binding")["reach"], "open", "nobody else's choice");
        let told = entries(&mut vendor.owner.client, "policy_change").await;
        assert_eq!(told[0]["body"]["policy"], format!("choice:network_binding:{}", user.organization));
        let told = entries(&mut vendor.owner.client, "step_up").await;
        assert_eq!((&told[0]["body"]["action"], &told[0]["body"]["passed"]), (&json!("choose_feature"), &json!(true)));
        let told = entries(&mut vendor.owner.client, "api_page").await;
        assert!(told.iter().any(|e| e["body"]["route"] == "/security"), "{told:?}");

        // They cannot take it back, nor choose for others; what is not theirs is not told apart from nothing.
        let choose = |organization: i64, chosen: bool| json!({ "proposal": { "what": "choice",
            "organization": organization, "feature": "network_binding", "chosen": chosen }, "reason": "x" });
        for (organization, chosen) in [(user.organization, false), (other.organization, true), (99_999, true)] {
            let said = admin.client.json(Method::POST, "/api/v1/policies", &choose(organization, chosen)).await;
            assert_eq!(said.status, 403, "{organization} {chosen}");
        }
        let csrf = admin.csrf.clone();
        assert_eq!(admin.client.post_form("/security/nothing", &[("csrf", &csrf)]).await.status, 404);

        // Administrators are told of a new stage, and find the page from there.
        vendor.stage("network_binding", &json!({ "stage": "production", "report_only": false })).await;
        let notices = admin.client.get("/account/notices").await;
        assert!(notices.text().contains("href=\"/security\""), "{}", notices.text());
        let notices = vendor.owner.client.get("/account/notices").await;
        assert!(notices.text().contains("href=\"/policy\"") && !notices.text().contains("href=\"/security\""));
        verified(&w);
    }

    async fn administrators_see_how_their_own_people_sign_in(w: Warifu) {
        let mut vendor = Vendor::new(&w).await;
        let (mut user, mut admin) = vendor.customer(&w, "alder").await;
        let (mut foreign, mut stranger) = vendor.customer(&w, "birch").await;
        let late = vendor.person(user.organization, "Late Comer", "late@alder.example").await;
        for organization in [user.organization, foreign.organization] {
            allow(&w, &mut vendor.owner, organization, true, false).await;
        }
        by_password(&w, &mut user).await;
        by_password(&w, &mut foreign).await;

        let seen = security(&mut admin, user.organization).await;
        assert_eq!(seen["people"], json!({ "people": 3, "keys": 1, "providers": 0, "passwords": 1, "nothing": 1, "resistant": 1 }));
        assert_eq!((&seen["users"]["passwords"], &seen["administrators"]["passwords"]), (&json!(true), &json!(false)));
        let list = async |by: &mut Owner, query: &str| {
            let path = format!("/api/v1/organizations/{}/security/people{query}", user.organization);
            by.client.get(&path).await.value()
        };
        let all = list(&mut admin, "").await;
        let ids: Vec<_> = all["people"].as_array().unwrap().iter().map(|p| p["id"].as_i64().unwrap()).collect();
        assert_eq!(ids, [user.person, late], "by id, and nobody with nothing but a key");
        assert_eq!((&all["people"][0]["password"], &all["people"][1]["password"]), (&json!(true), &json!(false)));
        let first = list(&mut admin, "?limit=1").await;
        assert_eq!(first["next"], user.person);
        let second = list(&mut admin, &format!("?limit=1&after={}", user.person)).await;
        assert_eq!((&second["people"][0]["id"], &second["next"]), (&json!(late), &Value::Null));
        // Whoever reads everybody's policy sees the same; the page shows it, and the ledger has who looked.
        assert_eq!(list(&mut vendor.owner, "").await, all);
        let page = admin.client.get("/security").await;
        assert!(page.text().contains("Late Comer") && !page.text().contains("birch.example"), "{}", page.text());
        let told = entries(&mut vendor.owner.client, "api_page").await;
        let of_page = told.iter().find(|e| e["body"]["route"] == "/security").expect("an entry");
        assert_eq!(of_page["body"]["rows"].as_i64().or(of_page["body"]["rows"].as_str().and_then(|n| n.parse().ok())), Some(2));
        // Somebody with a password is one of them only while they have no other organization.
        let theirs = security(&mut stranger, foreign.organization).await;
        assert_eq!(theirs["people"]["people"], 2);

        // For users without a role there is no such page.
        let mut plain = w.client();
        assert_eq!(user.sign_in(&mut plain, 30).await.status, 303);
        for path in ["/security", "/security/sessions"] {
            assert_eq!(plain.get(path).await.status, 404, "{path}");
            assert_eq!(vendor.owner.client.get(path).await.status, 404, "{path}");
        }
        assert!(!plain.get("/portal/cases").await.text().contains("href=\"/security\""));
        assert!(admin.client.get("/portal/cases").await.text().contains("href=\"/security\""));
        verified(&w);
    }

    async fn choosing_against_phishing_ends_what_a_password_opened(w: Warifu) {
        let mut vendor = Vendor::new(&w).await;
        let (mut user, mut admin) = vendor.customer(&w, "alder").await;
        let (other, mut stranger) = vendor.customer(&w, "birch").await;
        allow(&w, &mut vendor.owner, user.organization, true, false).await;
        let mut client = by_password(&w, &mut user).await;

        // Only reported, it ends nothing, and counts whom it would have affected.
        vendor.stage("phishing_resistant", &json!({ "stage": "everyone", "report_only": true })).await;
        assert_eq!(who(&mut client).await.status, 200);
        let seen = feature(&security(&mut admin, user.organization).await, "phishing_resistant");
        assert_eq!((&seen["reach"], &seen["affected"], &seen["choice"]), (&json!("reported"), &json!(1), &Value::Null));
        let affected = format!("/api/v1/organizations/{}/security/affected", user.organization);
        let people = admin.client.get(&affected).await.value();
        assert_eq!((&people[0]["person"], &people[0]["times"]), (&json!(user.person), &json!(1)));
        // The vendor's page of the policy names them, so it is one that left.
        let page = vendor.owner.client.get("/policy").await;
        assert!(page.text().contains(&format!("/people/{}\"", user.person)), "{}", page.text());
        let left = entries(&mut vendor.owner.client, "api_page").await;
        let left = left.iter().find(|e| e["body"]["route"] == "/policy").expect("an entry of the page");
        assert_eq!(left["body"]["rows"], "1", "{left}");
        assert!(admin.client.get("/security").await.text().contains("one of your people"));
        let theirs = feature(&security(&mut stranger, other.organization).await, "phishing_resistant");
        assert_eq!(theirs["affected"], 0, "nobody of theirs");
        assert!(stranger.client.get("/security").await.text().contains("none of your people"));
        let foreign = format!("/api/v1/organizations/{}/security/affected", other.organization);
        assert_eq!(stranger.client.get(&foreign).await.value(), json!([]));

        // Back in production: they allow passwords, so it is theirs to choose.
        vendor.stage("phishing_resistant", &json!({ "stage": "production", "report_only": false })).await;
        assert_eq!(who(&mut client).await.status, 200);
        let page = admin.client.get("/security").await;
        assert!(page.text().contains("One of your people signs in with a password"), "{}", page.text());
        let form = page.form("action", "/security/phishing_resistant");
        let form = admin.client.step_up(form, &mut admin.passkey).await;
        assert_eq!(admin.client.submit(&form, &[]).await.status, 303);
        assert_eq!(who(&mut client).await.status, 401, "what the password opened is over");
        assert_eq!(who(&mut admin.client).await.status, 200, "what the key opened goes on");
        let told = entries(&mut vendor.owner.client, "session_revoked").await;
        assert_eq!((&told[0]["body"]["reason"], &told[0]["body"]["person"]), (&json!("factor"), &json!(user.person.to_string())));
        let again = user.sign_in(&mut w.client(), 30).await;
        assert_ne!(again.status, 303, "and opens nothing any more");
        // The vendor sees the choice, and that is where it can be taken back.
        let path = format!("/policy?scope=organization:{}", user.organization);
        let page = vendor.owner.client.get(&path).await;
        assert!(page.text().contains("value=\"phishing_resistant\"><input type=\"hidden\" name=\"chosen\" value=\"false\""), "{}", page.text());
        verified(&w);
    }

    async fn administrators_end_the_sessions_of_their_own_people(w: Warifu) {
        let mut vendor = Vendor::new(&w).await;
        let (mut user, mut admin) = vendor.customer(&w, "alder").await;
        let (other, mut stranger) = vendor.customer(&w, "birch").await;
        allow(&w, &mut vendor.owner, user.organization, true, false).await;
        let mut first = by_password(&w, &mut user).await;
        let mut second = w.client();
        assert_eq!(user.sign_in(&mut second, 30).await.status, 303);

        let path = format!("/api/v1/organizations/{}/sessions", user.organization);
        let open = admin.client.get(&path).await.value();
        let open = open.as_array().expect("sessions");
        let theirs: Vec<_> = open.iter().filter(|s| s["person"] == user.person).collect();
        assert_eq!((open.len(), theirs.len()), (3, 2), "{open:?}");
        assert_eq!(theirs[0]["factor"], "password");
        assert_eq!(open.iter().filter(|s| s["this"] == true).count(), 1);
        let page = admin.client.get("/security/sessions").await;
        assert!(page.text().contains("Haruka Endo") && page.text().contains("Password and code"), "{}", page.text());
        let told = entries(&mut vendor.owner.client, "api_page").await;
        assert_eq!(told[0]["body"]["route"], "/security/sessions");

        // Another organization's administrator ends nothing here, and learns nothing.
        let id = theirs[0]["id"].as_str().expect("a name");
        for (person, session) in [(user.person, id), (99_999, "00")] {
            for path in [format!("/api/v1/people/{person}/sessions/{session}"), format!("/api/v1/people/{person}/sessions")] {
                let said = stranger.client.json(Method::DELETE, &path, &json!({})).await;
                assert_eq!(said.status, 404, "{path}: {}", said.text());
            }
        }
        let foreign = stranger.client.get(&format!("/api/v1/organizations/{}/sessions", other.organization)).await;
        assert_eq!(foreign.value().as_array().map(Vec::len), Some(1), "their own only");
        // Nor do users without a role, of whomever.
        let form = page.form("action", &format!("/sessions/{}/{id}/end", user.person));
        let csrf = second.get("/account/passkeys").await.form("action", "/sign-out").fields[0].1.clone();
        let admins = open.iter().find(|s| s["this"] == true).expect("the administrator's");
        let path = format!("/sessions/{}/{}/end", admins["person"], admins["id"].as_str().unwrap());
        assert_eq!(second.post_form(&path, &[("csrf", &csrf)]).await.status, 404);
        assert_eq!((who(&mut first).await.status.as_u16(), who(&mut second).await.status.as_u16()), (200, 200));

        // One, then all of one person's; the administrator stays in.
        let done = admin.client.submit(&form, &[]).await;
        assert_eq!((done.status.as_u16(), done.header("location")), (303, "/security/sessions"));
        let left = [who(&mut first).await.status.as_u16(), who(&mut second).await.status.as_u16()];
        assert_eq!(left.iter().filter(|s| **s == 401).count(), 1, "{left:?}");
        let told = entries(&mut vendor.owner.client, "session_revoked").await;
        assert_eq!((&told[0]["body"]["reason"], &told[0]["body"]["person"]), (&json!("administrator"), &json!(user.person.to_string())));
        assert_eq!(told[0]["actor"]["person"], admins["person"].to_string());
        let all = format!("/api/v1/people/{}/sessions", user.person);
        assert_eq!(admin.client.json(Method::DELETE, &all, &json!({})).await.status, 204);
        for client in [&mut first, &mut second] {
            assert_eq!(who(client).await.status, 401);
        }
        assert_eq!(who(&mut admin.client).await.status, 200);
        assert_eq!(entries(&mut vendor.owner.client, "session_revoked").await.len(), 2);
        verified(&w);
    }
}
