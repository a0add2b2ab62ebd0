//! The people of a check, and the steps that they take.

use crate::http::{Answer, Client};
use crate::passkey::Passkey;
use crate::server::Warifu;
use crate::sign_in::{enter, invitation, sign_in};
use hyper::Method;
use serde_json::{Value, json};

pub const DAY: i64 = 86_400;
pub const HOUR: i64 = 3_600;
pub const PHONE: &str = "+81 3 5555 0100";

/// Somebody with a session, their key, and the token of their pages.
pub struct Somebody {
    pub client: Client,
    pub passkey: Passkey,
    pub csrf: String,
    pub id: i64,
}

impl Somebody {
    /// Enrols by a link.
    pub async fn enter(w: &Warifu, link: &str) -> Somebody {
        Self::enter_in(w.client(), w, link).await
    }

    /// … in a browser that was here before.
    pub async fn enter_in(mut client: Client, w: &Warifu, link: &str) -> Somebody {
        let passkey = enter(&mut client, w.base(), link).await;
        let mut new = Somebody { client, passkey, csrf: String::new(), id: 0 };
        new.known().await;
        new
    }

    pub async fn invited(w: &Warifu, email: &str, role: &str) -> Somebody {
        Self::enter(w, &invitation(w, email, role)).await
    }

    async fn known(&mut self) {
        let session = self.client.clone().header("accept", "application/json");
        let session = session.clone().get("/api/v1/session").await.value();
        self.csrf = session["csrf"].as_str().expect("a token").to_owned();
        self.id = session["person"].as_i64().expect("an id");
    }

    /// A new session, when the old one is over.
    pub async fn again(&mut self, w: &Warifu) {
        self.client = w.client();
        sign_in(&mut self.client, &mut self.passkey).await;
        self.known().await;
    }

    pub async fn api(&mut self, method: Method, path: &str, body: Value) -> Answer {
        let client = self.client.clone().header("accept", "application/json");
        let mut client = client.header("x-csrf-token", &self.csrf);
        match method {
            Method::GET => client.get(path).await,
            method => client.json(method, path, &body).await,
        }
    }

    pub async fn form(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut all = vec![("csrf", self.csrf.as_str())];
        all.extend(fields);
        self.client.clone().post_form(path, &all).await
    }

    /// Touches the key for an action with its parameters, and gives the proof.
    pub async fn proof(&mut self, what: Value) -> String {
        let answer = self.client.prove(&self.csrf, what, &mut self.passkey).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.value()["step_up"].as_str().expect("a proof").to_owned()
    }

    pub async fn is_in(&mut self) -> bool {
        crate::sign_in::who(&mut self.client).await.status == 200
    }
}

/// The desk: a super administrator, two administrators, an agent, and an agent who has lost a phone.
pub struct Desk {
    pub root: Somebody,
    pub admin: Somebody,
    pub agent: Somebody,
    pub owner: Somebody,
    /// The browser in which the caller compared the halves last.
    pub caller: Client,
}

impl Desk {
    /// On a server whose clock is the test's, `days` after the owner's number came into the record.
    pub async fn after(w: &mut Warifu, days: i64) -> Desk {
        w.clock = true;
        w.restart().await;
        let mut desk = Desk {
            root: Somebody::invited(w, "root@example.com", "super_administrator").await,
            admin: Somebody::invited(w, "admin@example.com", "administrator").await,
            agent: Somebody::invited(w, "agent@example.com", "agent").await,
            owner: Somebody::invited(w, "owner@example.com", "administrator").await,
            caller: w.client(),
        };
        desk.root.number(desk.owner.id, PHONE).await;
        w.pass(days * DAY);
        desk.back(w).await;
        desk
    }

    /// All of them sign in again.
    pub async fn back(&mut self, w: &Warifu) {
        for person in [&mut self.root, &mut self.admin, &mut self.agent, &mut self.owner] {
            person.again(w).await;
        }
    }

    /// A check of the owner's account that the agent opened.
    pub async fn request(&mut self) -> i64 {
        let asked = asked(self.owner.id, "reset_factors");
        self.agent.requested(asked).await
    }

    /// … at the approval of a second person.
    pub async fn checked(&mut self, w: &Warifu) -> i64 {
        let id = self.request().await;
        self.agent.call(id).await;
        self.agent.look(id).await;
        self.caller = self.agent.tally(w, id).await;
        id
    }

    /// … approved by the super administrator.
    pub async fn approved(&mut self, w: &Warifu) -> i64 {
        let id = self.checked(w).await;
        let proof = self.root.approval(id).await;
        let said = self.root.approve(id, &proof).await;
        assert_eq!(said.status, 204, "{}", said.text());
        id
    }
}

pub fn asked(person: i64, action: &str) -> Value {
    json!({ "person": person, "action": action, "caller": "the owner", "channel": "phone",
        "reason": "phone in the lake" })
}

/// What is agreed to with a key where somebody's contact changes.
pub fn contact(person: i64, record: &Value) -> Value {
    let of = |name: &str| record[name].as_str().unwrap_or_default();
    json!({ "action": "change_contact", "parameters": { "person": person.to_string(),
        "username": of("username"), "email": of("email"), "phone": of("phone"), "mobile": of("mobile") } })
}

pub fn at(id: i64, step: &str) -> String {
    format!("/api/v1/verifications/{id}{step}")
}

impl Somebody {
    pub async fn number(&mut self, person: i64, number: &str) {
        let path = format!("/api/v1/people/{person}");
        let mut record = self.api(Method::GET, &path, json!({})).await.value()["record"].clone();
        record["phone"] = number.into();
        let proof = self.proof(contact(person, &record)).await;
        let body = json!({ "record": record, "step_up": proof });
        let changed = self.api(Method::PUT, &path, body).await;
        assert_eq!(changed.status, 204, "{}", changed.text());
    }

    pub async fn requested(&mut self, asked: Value) -> i64 {
        let made = self.api(Method::POST, "/api/v1/verifications", asked).await;
        assert_eq!(made.status, 201, "{}", made.text());
        made.value()["id"].as_i64().expect("an id")
    }

    pub async fn check(&mut self, id: i64) -> Value {
        let answer = self.api(Method::GET, &at(id, ""), json!({})).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.value()
    }

    pub async fn stage(&mut self, id: i64) -> String {
        self.check(id).await["stage"].as_str().unwrap_or_default().to_owned()
    }

    pub async fn call(&mut self, id: i64) {
        let number = json!({ "number": PHONE });
        let called = self.api(Method::POST, &at(id, "/call"), number).await;
        assert_eq!(called.status, 204, "{}", called.text());
    }

    pub async fn look(&mut self, id: i64) {
        let looked = self.api(Method::POST, &at(id, "/look"), seen()).await;
        assert_eq!(looked.status, 204, "{}", looked.text());
    }

    /// Begins a tally; the code and the agent's half.
    pub async fn begin(&mut self, id: i64) -> (String, String) {
        let begun = self.api(Method::POST, &at(id, "/tally"), json!({})).await;
        assert_eq!(begun.status, 204, "{}", begun.text());
        let tally = self.check(id).await["tally"].clone();
        let text = |name: &str| tally[name].as_str().expect("a text").to_owned();
        (text("code"), text("half"))
    }

    /// Both sides compare their halves.
    pub async fn tally(&mut self, w: &Warifu, id: i64) -> Client {
        let (code, half) = self.begin(id).await;
        let mut caller = w.client();
        let page = caller.get(&format!("/verify/{code}")).await;
        let theirs = digits(&page);
        let form = page.form("action", "/verify/");
        let typed = caller.submit(&form, &[("half", &half)]).await;
        assert_eq!(typed.status, 303, "{}", typed.text());
        let heard = json!({ "half": theirs });
        let typed = self.api(Method::PUT, &at(id, "/tally"), heard).await;
        assert_eq!(typed.status, 204, "{}", typed.text());
        let page = caller.get(&format!("/verify/{code}")).await;
        assert!(page.text().contains("data-match=\"yes\""), "{}", page.text());
        assert!(!caller.cookies.contains_key(crate::sign_in::SESSION));
        caller
    }

    /// A proof for the approval of what the check says now.
    pub async fn approval(&mut self, id: i64) -> String {
        let what = self.check(id).await["approval"].clone();
        self.proof(what).await
    }

    pub async fn approve(&mut self, id: i64, proof: &str) -> Answer {
        self.api(Method::POST, &at(id, "/approval"), json!({ "step_up": proof })).await
    }

    pub async fn done(&mut self, id: i64) -> Answer {
        self.api(Method::POST, &at(id, "/done"), json!({})).await
    }
}

pub fn seen() -> Value {
    json!({ "same_person": true, "moved": true, "unhurried": true })
}

/// The half that a caller's page shows.
pub fn digits(page: &Answer) -> String {
    assert_eq!(page.status, 200, "{}", page.text());
    let (_, rest) = page.text().split_once("class=\"digits\">").expect("a half");
    rest[..3].to_owned()
}
