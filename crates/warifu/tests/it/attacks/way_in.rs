//! Letting people in and out: invitations, new colleagues, switching off and on, and how somebody is
//! reached. Each only with the key, for just this person, and felt by the next request.

mod off;

use super::helpdesk::people::{DAY, Desk, Somebody, asked, contact};
use super::{entries, notices, verified};
use crate::http::Answer;
use crate::server::Warifu;
use crate::sign_in::who;
use hyper::Method;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

impl Somebody {
    async fn invite(&mut self, id: i64, proof: Value) -> Answer {
        let path = format!("/api/v1/people/{id}/invitation");
        self.api(Method::POST, &path, json!({ "step_up": proof })).await
    }

    /// Invites with the key; the link as a path.
    async fn invited_path(&mut self, w: &Warifu, id: i64) -> String {
        let proof = self.proof(of_person("invite_person", id)).await;
        let made = self.invite(id, proof.into()).await;
        assert_eq!(made.status, 201, "{}", made.text());
        path_of(w, &made)
    }

    async fn way_in(&mut self, id: i64) -> Value {
        let found = self.api(Method::GET, &format!("/api/v1/people/{id}/way-in"), json!({})).await;
        assert_eq!(found.status, 200, "{}", found.text());
        found.value()
    }

    /// Switches somebody off or on with the key.
    async fn switch(&mut self, id: i64, on: bool) -> Answer {
        let proof = self.proof(switching(id, on)).await;
        self.switch_with(id, on, proof.into()).await
    }

    async fn switch_with(&mut self, id: i64, on: bool, proof: Value) -> Answer {
        let path = format!("/api/v1/people/{id}/standing");
        self.api(Method::PUT, &path, json!({ "active": on, "step_up": proof })).await
    }

    async fn record(&mut self, id: i64) -> Value {
        let path = format!("/api/v1/people/{id}");
        self.api(Method::GET, &path, json!({})).await.value()["record"].clone()
    }

    async fn put(&mut self, id: i64, record: &Value, proof: Value) -> Answer {
        let path = format!("/api/v1/people/{id}");
        self.api(Method::PUT, &path, json!({ "record": record, "step_up": proof })).await
    }

    async fn acts(&mut self) -> Vec<(String, String)> {
        let text = |e: &Value, name: &str| e["body"][name].as_str().unwrap_or("-").to_owned();
        let told = entries(&mut self.client, "protected_action").await;
        told.iter().map(|e| (text(e, "action"), text(e, "target"))).collect()
    }
}

fn of_person(action: &str, id: i64) -> Value {
    json!({ "action": action, "parameters": { "person": id.to_string() } })
}

fn switching(id: i64, on: bool) -> Value {
    let state = if on { "on" } else { "off" };
    json!({ "action": "switch_person", "parameters": { "person": id.to_string(), "state": state } })
}

fn path_of(w: &Warifu, made: &Answer) -> String {
    let link = made.value()["link"].as_str().expect("a link").to_owned();
    link.strip_prefix(w.base()).expect("a link to this server").to_owned()
}

#[track_caller]
fn asks_for_the_key(answer: &Answer) {
    assert_eq!(answer.status, 403, "{}", answer.text());
    assert_eq!(answer.value()["type"], "/problems/step-up-required");
}

fn act(action: &str, id: i64) -> (String, String) {
    (action.to_owned(), id.to_string())
}

/// A super administrator, an administrator, and somebody of a customer who has no way in.
async fn three(w: &Warifu) -> (Somebody, Somebody, i64) {
    let mut root = Somebody::invited(w, "root@example.com", "super_administrator").await;
    let admin = Somebody::invited(w, "admin@example.com", "administrator").await;
    let new = json!({ "name": "alder", "environment": "production", "products": [], "domain": "" });
    let made = root.api(Method::POST, "/api/v1/organizations", new).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let record = json!({ "full_name": "Haruka Endo", "email": "haruka@alder.example" });
    let new = json!({ "organization": made.value()["id"], "record": record });
    let made = root.api(Method::POST, "/api/v1/people", new).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let customer = made.value()["id"].as_i64().expect("an id");
    (root, admin, customer)
}

on_both! {
    async fn only_the_key_invites_and_only_once_at_a_time(w: Warifu) {
        let (mut root, mut admin, customer) = three(&w).await;
        let mut agent = Somebody::invited(&w, "agent@example.com", "agent").await;
        assert_eq!(agent.invite(customer, Value::Null).await.value()["type"], "/problems/forbidden");
        let denied = agent.api(Method::GET, &format!("/api/v1/people/{customer}/way-in"), json!({})).await;
        assert_eq!(denied.status, 403);
        asks_for_the_key(&admin.invite(customer, Value::Null).await);
        let of_another = admin.proof(of_person("invite_person", agent.id)).await;
        asks_for_the_key(&admin.invite(customer, of_another.into()).await);
        assert!(admin.way_in(customer).await["invitation"].is_null());

        let first = admin.invited_path(&w, customer).await;
        let open = admin.way_in(customer).await["invitation"].clone();
        assert_eq!((&open["by"], &open["opened"]), (&json!("admin@example.com"), &json!(false)));
        let second = admin.invited_path(&w, customer).await;
        assert_eq!(w.client().get(&first).await.status, 410, "the earlier link has ended");
        let mut invited = Somebody::enter(&w, &second).await;
        assert_eq!(invited.id, customer);
        assert_eq!(notices(&mut invited.client).await, ["factor_added", "invited", "invited"]);
        let now = admin.way_in(customer).await;
        assert_eq!((&now["factors"], &now["had_factor"]), (&json!(1), &json!(true)));
        assert!(now["invitation"].is_null(), "{now}");
        let proof = admin.proof(of_person("invite_person", customer)).await;
        assert_eq!(admin.invite(customer, proof.into()).await.status, 409, "a way around the desk");
        assert_eq!(root.acts().await[..2], [act("invite", customer), act("invite", customer)]);
        verified(&w);
    }

    async fn an_invitation_is_withdrawn(w: Warifu) {
        let (mut root, mut admin, customer) = three(&w).await;
        let link = admin.invited_path(&w, customer).await;
        // Opened, and all the same of no use afterwards.
        let mut browser = w.client();
        let page = browser.get(&link).await;
        assert_eq!(admin.way_in(customer).await["invitation"]["opened"], true);
        let path = format!("/api/v1/people/{customer}/invitation");
        assert_eq!(admin.api(Method::DELETE, &path, json!({})).await.status, 204);
        assert_eq!(admin.api(Method::DELETE, &path, json!({})).await.status, 404);
        assert_eq!(browser.get(&link).await.status, 410);
        let form = page.form("data-passkey", "enrol");
        let token = form.fields.iter().find(|(n, _)| n == "csrf").map(|(_, v)| v.clone()).unwrap();
        let mut script = browser.header("x-csrf-token", &token).header("accept", "application/json");
        let body = json!({ "invitation": link.rsplit('/').next().unwrap(), "name": "x" });
        assert_eq!(script.json(Method::POST, "/enrol/options", &body).await.status, 404);
        assert_eq!(root.acts().await[..2], [act("withdraw_invitation", customer), act("invite", customer)]);
        verified(&w);
    }

    async fn a_colleague_is_added_with_roles_and_a_link_in_one_act(w: Warifu) {
        let (mut root, mut admin, _) = three(&w).await;
        assert_eq!(admin.client.get("/people/new").await.status, 403);
        let new = |role: &str, email: &str| json!({ "full_name": "Jun Mori", "email": email, "roles": [role] });
        let what = |role: &str, email: &str| json!({ "action": "add_colleague",
            "parameters": { "full_name": "Jun Mori", "email": email, "role": role } });
        let path = "/api/v1/colleagues";
        let mail = "jun@example.com";
        let with = async |root: &mut Somebody, mut body: Value, what: Value| {
            body["step_up"] = root.proof(what).await.into();
            root.api(Method::POST, path, body).await
        };
        let refused = admin.api(Method::POST, path, new("agent", mail)).await;
        assert_eq!((refused.status.as_u16(), refused.value()["type"].clone()), (403, json!("/problems/forbidden")));
        asks_for_the_key(&root.api(Method::POST, path, new("agent", mail)).await);
        asks_for_the_key(&with(&mut root, new("administrator", mail), what("agent", mail)).await);
        for (role, email, field) in [
            ("organization_administrator", mail, "role"), ("super_administrator", mail, "role"), ("agent", "jun", "email"), ("agent", "ADMIN@example.com", "email"),
        ] {
            let answer = with(&mut root, new(role, email), what(role, email)).await;
            assert_eq!((answer.status.as_u16(), answer.value()["field"].clone()), (422, json!(field)), "{role} {email}");
        }
        let made = with(&mut root, new("agent", mail), what("agent", mail)).await;
        assert_eq!(made.status, 201, "{}", made.text());
        let id = made.value()["person"].as_i64().expect("an id");
        // An administrator has no part in who is above them.
        let above = root.id;
        let proof = admin.proof(of_person("invite_person", above)).await;
        assert_eq!(admin.invite(above, proof.into()).await.value()["type"], "/problems/forbidden");
        assert_eq!(admin.api(Method::DELETE, &format!("/api/v1/people/{above}/invitation"), json!({})).await.status, 403);
        assert_eq!(admin.switch(above, false).await.value()["type"], "/problems/forbidden");

        let told = entries(&mut root.client, "role_change").await[0]["body"].clone();
        assert_eq!((told["person"].as_str(), &told["role"]), (Some(id.to_string().as_str()), &json!("agent")));
        assert_eq!(root.acts().await[0], act("invite", id));
        let mut colleague = Somebody::enter(&w, &path_of(&w, &made)).await;
        assert_eq!(colleague.id, id);
        assert_eq!(colleague.client.get("/cases").await.status, 200);

        // The same from the page, which says what is wrong and keeps what was typed.
        let page = root.client.get("/people/new").await;
        let mut form = page.form("action", "/people/new");
        form.fields.retain(|(name, _)| name == "csrf");
        form.fields.extend([("full_name", "Aoi Ota"), ("email", mail), ("role", "agent")].map(|(n, v)| (n.into(), v.into())));
        let sent = root.client.step_up(form, &mut root.passkey).await;
        let again = root.client.submit(&sent, &[]).await;
        assert_eq!(again.status, 422);
        assert!(again.text().contains("Aoi Ota") && again.text().contains("email-e"), "{}", again.text());
        let mut form = again.form("action", "/people/new");
        form.fields.retain(|(name, _)| name != "email");
        form.fields.push(("email".into(), "aoi@example.com".into()));
        let form = root.client.step_up(form, &mut root.passkey).await;
        let shown = root.client.submit(&form, &[]).await;
        assert_eq!(shown.status, 200, "{}", shown.text());
        assert!(shown.text().contains(&format!("data-copy=\"{}/enrol/", w.base())), "{}", shown.text());
        verified(&w);
    }

    async fn no_request_of_somebody_who_is_switched_off_is_served(w: Warifu) {
        let (mut root, mut admin, _) = three(&w).await;
        let mut agent = Somebody::invited(&w, "agent@example.com", "agent").await;
        let mut elsewhere = w.client();
        crate::sign_in::sign_in(&mut elsewhere, &mut agent.passkey).await;
        asks_for_the_key(&admin.switch_with(agent.id, false, Value::Null).await);
        let other = admin.proof(switching(agent.id, true)).await;
        asks_for_the_key(&admin.switch_with(agent.id, false, other.into()).await);
        assert!(agent.is_in().await);

        let ended = Arc::new(AtomicBool::new(false));
        let racing: Vec<_> = (0..40)
            .map(|_| {
                let (mut racer, ended) = (agent.client.clone(), ended.clone());
                tokio::spawn(async move {
                    let mut served = 0;
                    loop {
                        let late = ended.load(Ordering::SeqCst);
                        let status = who(&mut racer).await.status;
                        assert!(!late || status == 401, "served after the end: {status}");
                        served += u32::from(status == 200);
                        if late {
                            return served;
                        }
                    }
                })
            })
            .collect();
        let page = admin.client.get(&format!("/people/{}", agent.id)).await;
        let form = page.form("action", "/standing");
        let form = admin.client.step_up(form, &mut admin.passkey).await;
        let answer = admin.client.submit(&form, &[]).await;
        ended.store(true, Ordering::SeqCst);
        assert_eq!(answer.location(), format!("/people/{}", agent.id));
        let mut served = 0;
        for task in racing {
            served += task.await.unwrap();
        }
        assert!(served > 0, "nothing raced");
        assert_eq!(who(&mut elsewhere).await.status, 401, "a session elsewhere");

        // The key opens nothing, and says no more than one that is unknown.
        let page = elsewhere.get("/sign-in").await;
        let known = elsewhere.passkey(&page, &mut agent.passkey).await;
        let page = elsewhere.get("/sign-in").await;
        let unknown = elsewhere.passkey(&page, &mut crate::passkey::Passkey::new(w.base())).await;
        let said = |a: &Answer| { let v = a.value(); (a.status.as_u16(), v["type"].clone(), v["detail"].clone()) };
        assert_eq!(said(&known), said(&unknown));
        let reasons = entries(&mut root.client, "sign_in_refused").await;
        assert_eq!(reasons[1]["body"]["reason"], "inactive", "{reasons:?}");
        let console = w.run("enrol", &["--email", "agent@example.com"]);
        assert!(!console.status.success(), "the console invites whoever is switched off");

        let acts = root.acts().await;
        assert_eq!(acts[0], act("switch_person_off", agent.id));
        let revoked = entries(&mut root.client, "session_revoked").await[0]["body"].clone();
        assert_eq!((&revoked["reason"], &revoked["person"]), (&json!("switched_off"), &json!(agent.id.to_string())));
        let changed = entries(&mut root.client, "person_change").await;
        assert!(changed.iter().any(|e| e["body"]["fields"] == json!(["active"])), "{changed:?}");
        verified(&w);
    }

    async fn whoever_comes_back_has_their_key_and_all_super_administrators_know(w: Warifu) {
        let (mut root, mut admin, customer) = three(&w).await;
        let mut second = Somebody::invited(&w, "second@example.com", "super_administrator").await;
        let link = admin.invited_path(&w, customer).await;
        assert_eq!(admin.switch(customer, false).await.status, 204);
        assert_eq!(w.client().get(&link).await.status, 410, "the invitation has ended");
        let proof = admin.proof(of_person("invite_person", customer)).await;
        assert_eq!(admin.invite(customer, proof.into()).await.status, 404, "nobody is switched off and invited");

        // Nobody themselves; a program of somebody is no person.
        let own = root.switch(root.id, false).await;
        assert_eq!(own.status, 409, "{}", own.text());
        assert_eq!(admin.switch(root.id, false).await.status, 403);

        let mut old = second.client.clone();
        assert_eq!(root.switch(second.id, false).await.status, 204);
        asks_for_the_key(&root.switch_with(second.id, true, Value::Null).await);
        // The role that stays with somebody who is switched off does not count as one more holder.
        let path = format!("/api/v1/people/{}/roles", root.id);
        let what = json!({ "action": "change_roles", "parameters": { "person": root.id.to_string(), "role": "agent" } });
        let proof = root.proof(what).await;
        let less = root.api(Method::PUT, &path, json!({ "roles": ["agent"], "step_up": proof })).await;
        assert_eq!(less.status, 409, "{}", less.text());

        assert_eq!(root.switch(second.id, true).await.status, 204);
        assert_eq!(who(&mut old).await.status, 401, "a session of before goes on");
        second.again(&w).await;
        assert_eq!(notices(&mut second.client).await[..2], ["switched_on", "switched_off"]);
        assert_eq!(notices(&mut root.client).await[0], "switched_on_other");
        assert_eq!(root.switch(second.id, true).await.status, 204, "it is so already");
        let told = [act("switch_person_on", second.id), act("switch_person_off", second.id)];
        assert_eq!(root.acts().await[..2], told);
        verified(&w);
    }

    async fn two_who_switch_each_other_off_leave_one(w: Warifu) {
        let (mut root, _, _) = three(&w).await;
        let mut second = Somebody::invited(&w, "second@example.com", "super_administrator").await;
        let (a, b) = (root.proof(switching(second.id, false)).await, second.proof(switching(root.id, false)).await);
        let (first, other) = (root.id, second.id);
        let (x, y) = tokio::join!(root.switch_with(other, false, a.into()), second.switch_with(first, false, b.into()));
        let mut status = [x.status.as_u16(), y.status.as_u16()];
        status.sort_unstable();
        assert!(status[0] == 204 && [401, 409].contains(&status[1]), "{status:?}");
        assert_eq!([root.is_in().await, second.is_in().await].iter().filter(|is| **is).count(), 1);
        let left = if root.is_in().await { &mut root } else { &mut second };
        let done = left.acts().await.into_iter().filter(|(action, _)| action == "switch_person_off");
        assert_eq!(done.count(), 1);
        verified(&w);
    }

    async fn a_check_of_somebody_who_is_switched_off_ends(mut w: Warifu) {
        let mut desk = Desk::after(&mut w, 31).await;
        let id = desk.approved(&w).await;
        assert_eq!(desk.root.switch(desk.owner.id, false).await.status, 204);
        assert_eq!(desk.agent.stage(id).await, "ended");
        w.pass(31 * DAY + 2 * DAY);
        for person in [&mut desk.root, &mut desk.admin, &mut desk.agent] {
            person.again(&w).await;
        }
        assert_eq!(desk.agent.done(id).await.status, 409, "the reset is carried out all the same");
        let anew = asked(desk.owner.id, "reset_factors");
        assert_eq!(desk.agent.api(Method::POST, "/api/v1/verifications", anew).await.status, 404);
        let told = entries(&mut desk.root.client, "verification").await;
        assert!(told.iter().any(|e| e["body"]["method"] == "refused"), "{told:?}");
        verified(&w);
    }

    async fn a_contact_that_lets_somebody_in_is_changed_with_the_key(w: Warifu) {
        let (mut root, mut admin, customer) = three(&w).await;
        let mut agent = Somebody::invited(&w, "agent@example.com", "agent").await;
        let before = admin.record(agent.id).await;
        let mut record = before.clone();
        for (name, value) in [("email", "thief@example.com"), ("username", "thief"), ("phone", "+1"), ("mobile", "+2")] {
            let mut one = before.clone();
            one[name] = value.into();
            asks_for_the_key(&admin.put(agent.id, &one, Value::Null).await);
            record[name] = value.into();
        }
        // Of one number, for another; for another person.
        let mut other = record.clone();
        other["mobile"] = "+3".into();
        let proof = admin.proof(contact(agent.id, &other)).await;
        asks_for_the_key(&admin.put(agent.id, &record, proof.into()).await);
        let proof = admin.proof(contact(customer, &record)).await;
        asks_for_the_key(&admin.put(agent.id, &record, proof.into()).await);
        assert_eq!(admin.record(agent.id).await, before, "nothing has changed");

        // What lets nobody in changes without.
        let mut named = before.clone();
        named["full_name"] = "Jun Mori".into();
        assert_eq!(admin.put(agent.id, &named, Value::Null).await.status, 204);
        let mut free = admin.record(customer).await;
        free["phone"] = "+81 3 0000 0001".into();
        assert_eq!(admin.put(customer, &free, Value::Null).await.status, 204);

        record["full_name"] = "Jun Mori".into();
        let proof = admin.proof(contact(agent.id, &record)).await;
        let changed = admin.put(agent.id, &record, proof.into()).await;
        assert_eq!(changed.status, 204, "{}", changed.text());
        assert_eq!(notices(&mut agent.client).await[0], "contact_changed");
        assert_eq!(notices(&mut agent.client).await.iter().filter(|n| *n == "contact_changed").count(), 1);
        assert_eq!(root.acts().await[0], act("change_contact", agent.id));

        // From the page: with the key for the agent, without for the customer.
        let page = admin.client.get(&format!("/people/{}", agent.id)).await;
        let mut form = page.form("action", "/contact");
        form.fields.retain(|(name, _)| name != "email");
        form.fields.push(("email".into(), "agent@example.com".into()));
        let bare = form.fields.clone();
        let pairs: Vec<_> = bare.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let path = format!("/people/{}/contact", agent.id);
        assert_eq!(admin.client.post_form(&path, &pairs).await.status, 403);
        let form = admin.client.step_up(form, &mut admin.passkey).await;
        assert_eq!(admin.client.submit(&form, &[]).await.location(), format!("/people/{}", agent.id));
        assert_eq!(admin.record(agent.id).await["email"], "agent@example.com");
        let page = admin.client.get(&format!("/people/{customer}")).await;
        let form = page.form("action", "/contact");
        assert!(!form.attributes.contains_key("data-step-up"), "{:?}", form.attributes);
        let wrong = admin.client.submit(&form, &[("email", "nobody")]).await;
        assert_eq!(wrong.status, 422);
        assert!(wrong.text().contains("“nobody” is no e-mail address"), "{}", wrong.text());
        let done = admin.client.submit(&form, &[("email", "h@alder.example")]).await;
        assert_eq!(done.location(), format!("/people/{customer}"));
        assert_eq!(admin.record(customer).await["email"], "h@alder.example");
        verified(&w);
    }
}
