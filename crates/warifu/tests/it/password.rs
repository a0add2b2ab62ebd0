//! Signing in with a password and a code: choosing them by invitation, and what is refused.

use crate::attacks::{entries, notices, policy, verified};
use crate::http::{Answer, Client};
use crate::identity_provider::{Owner, another, owner};
use crate::server::Warifu;
use crate::sign_in::{SESSION, who};
use hyper::Method;
use serde_json::{Value, json};
use std::time::{Instant, UNIX_EPOCH};

pub const PASSWORD: &str = "tally of two halves";
/// As many bytes as a form may have (`warifu-web`), and how often they are sent.
const LONGEST_FORM: usize = 2 << 20;
const TRIES: usize = 40;

/// A customer's user, their organization, and the app with their codes.
pub struct Customer {
    pub organization: i64,
    pub person: i64,
    pub email: String,
    pub secret: String,
}

impl Customer {
    /// The code that the app shows so many seconds from now.
    pub fn code(&self, offset: i64) -> String {
        let secret = totp_rs::Secret::try_from_base32(&self.secret).expect("base32");
        let totp =
            totp_rs::Builder::new().with_secret(secret).build().expect("a secret of 160 bits");
        let now = UNIX_EPOCH.elapsed().unwrap().as_secs();
        totp.generate(now.checked_add_signed(offset).unwrap()).to_string()
    }

    /// Signs in with a code from so many seconds from now.
    pub async fn sign_in(&self, client: &mut Client, offset: i64) -> Answer {
        try_in(client, &self.email, PASSWORD, &self.code(offset)).await
    }
}

/// Fills in the page's form.
pub async fn try_in(client: &mut Client, name: &str, password: &str, code: &str) -> Answer {
    let page = client.get("/sign-in/password").await;
    let form = page.form("action", "/sign-in/password");
    client.submit(&form, &[("name", name), ("password", password), ("code", code)]).await
}

async fn make(owner: &mut Owner, path: &str, new: Value) -> i64 {
    let made = owner.client.json(Method::POST, path, &new).await;
    assert_eq!(made.status, 201, "{path}: {}", made.text());
    made.value()["id"].as_i64().expect("an id")
}

/// A customer's user without any role.
pub async fn customer(owner: &mut Owner, name: &str) -> Customer {
    let new = json!({ "name": name, "environment": "production", "products": [], "domain": "" });
    let organization = make(owner, "/api/v1/organizations", new).await;
    let email = format!("haruka@{name}.example");
    let record = json!({ "full_name": "Haruka Endo", "email": email });
    let new = json!({ "organization": organization, "record": record });
    let person = make(owner, "/api/v1/people", new).await;
    Customer { organization, person, email, secret: String::new() }
}

/// Says what an organization's users may sign in with. What allows more takes a second person.
pub async fn allow(
    w: &Warifu,
    owner: &mut Owner,
    organization: i64,
    passwords: bool,
    weaker: bool,
) {
    let proposal = json!({ "what": "access", "organization": organization,
        "access": { "passwords": passwords, "weaker_providers": weaker } });
    let mut second = another(w).await;
    let said = policy::propose(owner, &proposal, "as agreed").await;
    if said.status == 202 {
        second.agrees().await;
    } else {
        assert_eq!(said.status, 204, "{}", said.text());
    }
}

/// An invitation of somebody who is known, as a path.
pub fn invite(w: &Warifu, email: &str) -> String {
    let link = w.ok("enrol", &["--email", email]);
    link.trim().strip_prefix(w.base()).expect("a link to this server").to_owned()
}

/// The codes that a page of choosing offers.
pub fn offered(page: &Answer) -> String {
    let code = page.text().split("<code>").nth(1).and_then(|rest| rest.split("</code>").next());
    code.unwrap_or_else(|| panic!("no codes:\n{}", page.text())).replace(' ', "")
}

/// Redeems an invitation with a password and the first code.
pub async fn choose(w: &Warifu, customer: &mut Customer, offset: i64) {
    let link = invite(w, &customer.email);
    let mut client = w.client();
    let page = client.get(&link).await;
    assert!(page.text().contains(&format!("{link}/password")), "{}", page.text());
    let page = client.get(&format!("{link}/password")).await;
    customer.secret = offered(&page);
    let form = page.form("action", "/password");
    let filled = [("password", PASSWORD), ("code", &customer.code(offset))];
    let done = client.submit(&form, &filled).await;
    assert_eq!(
        (done.status.as_u16(), done.header("location")),
        (303, "/sign-in/password"),
        "{}",
        done.text()
    );
}

/// With a clock of the test's own.
pub async fn clocked(w: &mut Warifu) {
    w.clock = true;
    w.restart().await;
}

/// The owner, and a customer's user who has chosen a password; the test moves the clock.
pub async fn with_a_password(w: &mut Warifu) -> (Owner, Customer) {
    clocked(w).await;
    let mut owner = owner(w).await;
    let mut customer = customer(&mut owner, "alder").await;
    allow(w, &mut owner, customer.organization, true, false).await;
    choose(w, &mut customer, 0).await;
    (owner, customer)
}

on_both! {
    async fn a_customer_chooses_a_password_and_signs_in(mut w: Warifu) {
        let leaked = w.data().join("leaked.txt");
        // SHA-1 of "umbrella lighthouse marmalade".
        std::fs::write(&leaked, "0000218152E8C9E2B792B0C1286D1080927AD132:1\r\nA0A0218152E8C9E2B792B0C1286D1080927AD132:4\r\n").unwrap();
        w.serve = vec!["--breached-passwords".into(), leaked.display().to_string()];
        clocked(&mut w).await;
        let mut owner = owner(&w).await;
        assert!(!w.client().get("/sign-in").await.text().contains("/sign-in/password"));
        let mut customer = customer(&mut owner, "alder").await;
        allow(&w, &mut owner, customer.organization, true, false).await;
        assert!(w.client().get("/sign-in").await.text().contains("/sign-in/password"));
        let link = invite(&w, &customer.email);
        let mut client = w.client();
        client.get(&link).await;
        let page = client.get(&format!("{link}/password")).await;
        assert!(!page.text().contains('⟦'), "{}", page.text());
        customer.secret = offered(&page);
        // What is refused leaves the codes as they are.
        let mut page = page;
        for (password, code, why) in [
            ("short", customer.code(0), "at least 8 characters"),
            ("password1", customer.code(0), "among the first"),
            (customer.email.as_str(), customer.code(0), "among the first"),
            ("umbrella lighthouse marmalade", customer.code(0), "in a leak"),
            (PASSWORD, "000000".to_owned(), "not the code"),
        ] {
            let form = page.form("action", "/password");
            page = client.submit(&form, &[("password", password), ("code", &code)]).await;
            assert_eq!(page.status, 422, "{password}");
            assert!(page.text().contains(why), "{password}: {}", page.text());
            assert_eq!(offered(&page), customer.secret);
        }
        let form = page.form("action", "/password");
        let taken = customer.code(0);
        let filled = [("password", PASSWORD), ("code", &*taken)];
        assert_eq!(client.submit(&form, &filled).await.location(), "/sign-in/password");
        assert_eq!(client.get(&link).await.status, 410, "the invitation is spent");
        // The code of the enrolment was taken; the next one is good, once.
        let mut client = w.client();
        let with = async |client: &mut Client, code: &str| try_in(client, &customer.email, PASSWORD, code).await;
        assert_eq!(with(&mut client, &taken).await.status, 403);
        w.pass(30);
        let taken = customer.code(30);
        let done = with(&mut client, &taken).await;
        assert_eq!((done.status.as_u16(), done.header("location")), (303, "/portal/cases"), "{}", done.text());
        assert_eq!(who(&mut client).await.status, 200);
        let told = entries(&mut owner.client, "sign_in").await;
        let body = &told[0]["body"];
        assert_eq!((&body["factor"], &body["assurance"], &body["phishing_resistant"]), (&json!("password"), &json!(2), &json!(false)));
        assert_eq!(with(&mut w.client(), &taken).await.status, 403, "a code twice");
        let told = entries(&mut owner.client, "sign_in_refused").await;
        let reasons: Vec<_> = told.iter().map(|e| &e["body"]["reason"]).collect();
        assert_eq!(reasons, ["code", "code"]);
        verified(&w);
    }

    async fn whatever_is_wrong_the_answer_is_the_same(mut w: Warifu) {
        let (mut owner, customer) = with_a_password(&mut w).await;
        w.pass(30);
        let mut answers = Vec::new();
        let good = customer.code(30);
        for (name, password, code) in [
            ("nobody@alder.example", PASSWORD, good.as_str()),
            ("owner@example.com", PASSWORD, &good),
            (&customer.email, "tally of two halve", &good),
            (&customer.email, PASSWORD, "000000"),
            (&customer.email, PASSWORD, ""),
        ] {
            let mut client = w.client();
            let answer = try_in(&mut client, name, password, code).await;
            assert!(!client.cookies.contains_key(SESSION));
            let csrf = answer.form("action", "/sign-in/password").fields[0].1.clone();
            answers.push((answer.status.as_u16(), answer.text().replace(&csrf, "–")));
        }
        assert_eq!(answers[0].0, 403);
        assert!(answers.iter().all(|a| *a == answers[0]), "{answers:#?}");
        let told = entries(&mut owner.client, "sign_in_refused").await;
        let reasons: Vec<_> = told.iter().map(|e| e["body"]["reason"].as_str().unwrap()).collect();
        assert_eq!(reasons, ["code", "code", "password", "unknown_account", "unknown_account"]);
        // The upper and lower case of an address are the same; nobody is locked out by all this.
        let done = try_in(&mut w.client(), &customer.email.to_uppercase(), PASSWORD, &good).await;
        assert_eq!(done.status, 303, "{}", done.text());
        verified(&w);
    }

    async fn codes_are_not_guessed_by_whoever_has_the_password(mut w: Warifu) {
        w.serve = vec!["--trusted-proxy".into(), "127.0.0.1".into()];
        let (mut owner, customer) = with_a_password(&mut w).await;
        let from = |n: usize| w.client().header("x-forwarded-for", &format!("198.51.{n}.7"));
        w.pass(30);
        assert_eq!(customer.sign_in(&mut from(200), 30).await.status, 303);
        for n in 0..10 {
            assert_eq!(try_in(&mut from(n), &customer.email, PASSWORD, "000000").await.status, 403);
        }
        // Not even the right one then, from nowhere, and the answer is the same.
        w.pass(60);
        assert_eq!(customer.sign_in(&mut from(20), 60).await.status, 403);
        assert_eq!(customer.sign_in(&mut from(200), 60).await.status, 403);
        let told = entries(&mut owner.client, "sign_in_refused").await;
        let reasons: Vec<&str> = told.iter().filter_map(|e| e["body"]["reason"].as_str()).collect();
        assert_eq!(reasons[..4], ["codes", "codes", "codes_guessed", "code"], "{reasons:?}");
        w.pass(14 * 60);
        assert!(who(&mut owner.client).await.status == 200, "somebody else goes on");
        w.pass(16 * 60);
        let mut home = from(200);
        assert_eq!(customer.sign_in(&mut home, 16 * 60).await.status, 303);
        // They were told, once; and again when it begins again.
        let told = |kinds: &[String]| kinds.iter().filter(|k| *k == "codes_guessed").count();
        assert_eq!(told(&notices(&mut home).await), 1);
        for n in 0..12 {
            try_in(&mut from(n), &customer.email, PASSWORD, "000000").await;
        }
        assert_eq!(told(&notices(&mut home).await), 1, "within the same burst");
        w.pass(16 * 60 + 3 * 3600);
        for n in 0..12 {
            try_in(&mut from(n), &customer.email, PASSWORD, "000000").await;
        }
        w.pass(16 * 60 + 6 * 3600);
        assert_eq!(customer.sign_in(&mut home, 16 * 60 + 6 * 3600).await.status, 303);
        assert_eq!(told(&notices(&mut home).await), 2);
        let page = home.get("/account/notices").await;
        assert!(page.text().contains("Somebody gave your password"), "{}", page.text());
        verified(&w);
    }

    async fn a_sign_in_after_tries_that_failed_is_told(mut w: Warifu) {
        w.serve = vec!["--trusted-proxy".into(), "127.0.0.1".into()];
        let (_, customer) = with_a_password(&mut w).await;
        let from = |n: usize| w.client().header("x-forwarded-for", &format!("198.51.{n}.7"));
        let mut home = from(200);
        for (fails, at) in [(4, 600), (5, 1_200)] {
            w.pass(at);
            for n in 0..fails {
                assert_eq!(try_in(&mut from(n), &customer.email, "not the password", "000000").await.status, 403);
            }
            assert_eq!(customer.sign_in(&mut home, at).await.status, 303);
            let told = notices(&mut home).await;
            assert_eq!(told.contains(&"signed_in_after_failures".to_owned()), fails == 5, "{told:?}");
        }
        let page = home.get("/account/notices").await;
        assert!(page.text().contains("from 198.51.200.0/24 after 5 tries that failed"), "{}", page.text());
        // A password opens a session in a new network like a key does.
        w.pass(1_800);
        let mut away = from(201);
        assert_eq!(customer.sign_in(&mut away, 1_800).await.status, 303);
        assert_eq!(notices(&mut away).await[0], "new_network");
        assert!(away.get("/account/notices").await.text().contains("Used: Password and code"));
        verified(&w);
    }

    async fn guessing_is_slowed_down_and_locks_nobody_out(mut w: Warifu) {
        w.serve = vec!["--trusted-proxy".into(), "127.0.0.1".into()];
        let (_, customer) = with_a_password(&mut w).await;
        let from = |n: usize| w.client().header("x-forwarded-for", &format!("198.51.{n}.7"));
        w.pass(30);
        assert_eq!(customer.sign_in(&mut from(200), 30).await.status, 303);
        // One network, then many.
        let (began, mut one) = (Instant::now(), from(0));
        for _ in 0..10 {
            assert_eq!(try_in(&mut one, &customer.email, "wrong", "000000").await.status, 403);
        }
        // One more is let in each six seconds that all of them take.
        let mut let_in = 10;
        loop {
            let slow = try_in(&mut one, &customer.email, "wrong", "000000").await;
            if slow.status == 429 {
                break;
            }
            assert_eq!(slow.status, 403);
            let_in += 1;
            assert!(let_in <= 10 + began.elapsed().as_secs() / 6, "{let_in} in {:?}", began.elapsed());
        }
        for n in 1..7 {
            let mut other = from(n);
            for _ in 0..9 {
                try_in(&mut other, &customer.email, "wrong", "000000").await;
            }
        }
        assert_eq!(try_in(&mut from(8), &customer.email, "wrong", "000000").await.status, 429);
        assert_eq!(try_in(&mut from(8), "nobody@alder.example", "wrong", "000000").await.status, 403);
        // The owner, where they have been before.
        w.pass(60);
        assert_eq!(customer.sign_in(&mut from(200), 60).await.status, 303);
    }

    async fn names_of_megabytes_are_not_remembered(mut w: Warifu) {
        w.serve = vec!["--trusted-proxy".into(), "127.0.0.1".into()];
        w.restart().await;
        let mut owner = owner(&w).await;
        let customer = customer(&mut owner, "alder").await;
        allow(&w, &mut owner, customer.organization, true, false).await;
        let form = w.client().get("/sign-in/password").await.form("action", "/sign-in/password");
        assert!(!form.fields.is_empty());
        let used = || {
            let status = std::fs::read_to_string(format!("/proc/{}/status", w.pid())).unwrap();
            let line = status.lines().find(|l| l.starts_with("VmRSS")).unwrap();
            line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
        };
        // As long as a form may be; each from another network and with another name.
        let long = "n".repeat(LONGEST_FORM - 1_000);
        let attacker = async |n: usize| {
            let mut client = w.client().header("x-forwarded-for", &format!("198.51.{n}.7"));
            try_in(&mut client, &format!("{n}{long}"), "wrong", "000000").await.status.as_u16()
        };
        // What the allocator keeps for such requests is there after the first of them.
        for n in 0..TRIES {
            assert_eq!(attacker(n).await, 403);
        }
        let before = used();
        for n in TRIES..2 * TRIES {
            assert_eq!(attacker(n).await, 403);
        }
        let after = used();
        let sent = (TRIES * LONGEST_FORM) as u64 / 1024 / 1024;
        assert!(after < before + sent / 2, "{before} MiB before, {after} MiB after {sent} MiB of names");
    }
}
