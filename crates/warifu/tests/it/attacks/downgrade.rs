//! 23: getting in with less than what is asked for.

use super::{entries, verified};
use crate::http::Client;
use crate::identity_provider::{IdentityProvider, leave, owner, there_and_back, through};
use crate::oidc::{REFUSED, enrolled, sign_in};
use crate::password::{self, PASSWORD};
use crate::sign_in::{SESSION, invitation, who};
use hyper::Method;
use serde_json::{Value, json};

/// What the ledger says of refusals, newest first: factor and reason.
async fn reasons(reader: &mut Client) -> Vec<(String, String)> {
    let told = entries(reader, "sign_in_refused").await;
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    told.iter().map(|e| (text(&e["body"]["factor"]), text(&e["body"]["reason"]))).collect()
}

fn oidc(reasons: &[&str]) -> Vec<(String, String)> {
    reasons.iter().map(|r| ("oidc".to_owned(), (*r).to_owned())).collect()
}

on_both! {
    async fn attack_23_a_provider_s_lesser_word_opens_nothing(w: Warifu) {
        let mut owner = owner(&w).await;
        let Some(provider) = IdentityProvider::start(&w).await else { return };
        let id = owner.connect(&w, &provider.connection("Hashira ID", "")).await;
        // Neither is an invitation redeemed by it.
        let link = invitation(&w, "admin@example.com", "administrator");
        let mut client = w.client();
        client.get(&link).await;
        provider.next("ada", Some("lesser"), &["pwd", "otp", "mfa"]).await;
        let answer = there_and_back(&mut client, &provider, &format!("{link}/oidc/{id}")).await;
        assert_eq!(answer.location(), REFUSED);
        assert!(!client.cookies.contains_key(SESSION));
        assert_eq!(client.get(&link).await.status, 200, "the invitation is not spent");
        enrolled(&w, &provider, ("admin@example.com", "administrator"), (id, "ada")).await;
        for (acr, amr) in [(Some("lesser"), &["pwd"][..]), (None, &[]), (Some("lesser"), &["otp", "hwk"])] {
            provider.next("ada", acr, amr).await;
            let mut client = w.client();
            assert_eq!(sign_in(&mut client, &provider, id).await, REFUSED, "{acr:?}");
            assert!(!client.cookies.contains_key(SESSION));
        }
        assert_eq!(reasons(&mut owner.client).await, oidc(&["acr"; 4]));
        let told = entries(&mut owner.client, "sign_in_refused").await;
        assert_eq!(told[0]["body"]["person"], "3", "it names who it would have been");
        verified(&w);
    }

    async fn attack_23_nobody_is_let_in_by_a_provider_without_an_invitation(w: Warifu) {
        let mut owner = owner(&w).await;
        let Some(provider) = IdentityProvider::start(&w).await else { return };
        let id = owner.connect(&w, &provider.connection("Hashira ID", "")).await;
        // Somebody of the provider, under the very address of a super administrator.
        provider.next("owner@example.com", Some("phrh"), &[]).await;
        assert_eq!(sign_in(&mut w.client(), &provider, id).await, REFUSED);
        // A second person by the same account there, and an invitation that was spent.
        enrolled(&w, &provider, ("admin@example.com", "administrator"), (id, "ada")).await;
        let link = invitation(&w, "agent@example.com", "agent");
        let mut client = w.client();
        client.get(&link).await;
        let answer = there_and_back(&mut client, &provider, &format!("{link}/oidc/{id}")).await;
        assert_eq!(answer.location(), REFUSED);
        assert_eq!(reasons(&mut owner.client).await, oidc(&["known_subject", "unknown_subject"]));
        verified(&w);
    }

    async fn attack_23_a_customer_s_provider_lets_nobody_else_in(w: Warifu) {
        let mut owner = owner(&w).await;
        let Some(provider) = IdentityProvider::start(&w).await else { return };
        let new = json!({ "name": "Alder", "environment": "production", "products": [], "domain": "" });
        let made = owner.client.json(hyper::Method::POST, "/api/v1/organizations", &new).await;
        assert_eq!(made.status, 201, "{}", made.text());
        let id = owner.connect(&w, &provider.connection("Alder ID", "Alder")).await;
        // Staff are not offered it, and it is of no use to them.
        let link = invitation(&w, "admin@example.com", "administrator");
        let mut client = w.client();
        assert!(!client.get(&link).await.text().contains("Alder ID"));
        provider.next("ada", Some("phrh"), &[]).await;
        let answer = there_and_back(&mut client, &provider, &format!("{link}/oidc/{id}")).await;
        assert_eq!(answer.location(), REFUSED);
        assert_eq!(reasons(&mut owner.client).await, oidc(&["organization"]));
        verified(&w);
    }

    async fn attack_23_an_answer_of_a_provider_is_good_once_and_where_it_was_asked_for(w: Warifu) {
        let mut owner = owner(&w).await;
        let Some(provider) = IdentityProvider::start(&w).await else { return };
        let id = owner.connect(&w, &provider.connection("Hashira ID", "")).await;
        enrolled(&w, &provider, ("admin@example.com", "administrator"), (id, "ada")).await;
        let path = format!("/sign-in/oidc/{id}");
        let browser = async || {
            let mut client = w.client();
            client.get("/sign-in").await;
            client
        };
        let refused = async |client: &mut Client, back: &str| {
            assert_eq!(client.get(back).await.location(), REFUSED, "{back}");
            assert!(!client.cookies.contains_key(SESSION));
        };
        let go = async |client: &mut Client| {
            let address = leave(client, &path).await;
            through(&mut provider.client(), &provider, &address).await
        };
        let state = |back: &str| back.split(['?', '&']).find_map(|p| p.strip_prefix("state=")).unwrap().to_owned();
        // In another browser; then it is spent, in its own as well.
        let (mut victim, mut thief) = (browser().await, browser().await);
        let back = go(&mut victim).await;
        refused(&mut thief, &back).await;
        refused(&mut w.client(), &back).await;
        let mut second = victim.clone();
        assert_eq!(victim.get(&back).await.location(), "/cases");
        refused(&mut second, &back).await;
        // The victim's code with a state of the thief's own: made for another secret.
        let (mut victim, mut thief) = (browser().await, browser().await);
        let (theirs, own) = (go(&mut victim).await, go(&mut thief).await);
        let mixed = theirs.replace(&state(&theirs), &state(&own));
        refused(&mut thief, &mixed).await;
        // Another nonce, another state, another issuer, no code.
        let mut client = browser().await;
        let address = leave(&mut client, &path).await;
        let nonce = address.split('&').find(|p| p.starts_with("nonce=")).unwrap().to_owned();
        let address = address.replace(&nonce, "nonce=another");
        let back = through(&mut provider.client(), &provider, &address).await;
        refused(&mut client, &back).await;
        let back = go(&mut client).await;
        refused(&mut client, &back.replace(&state(&back), "x")).await;
        let issuer = back.split(['?', '&']).find(|p| p.starts_with("iss=")).unwrap().to_owned();
        refused(&mut client, &back.replace(&issuer, "iss=https%3A%2F%2Fevil.example")).await;
        let back = go(&mut client).await;
        refused(&mut client, &format!("/sign-in/oidc/callback?error=access_denied&state={}", state(&back))).await;
        let expected = ["provider_refused", "issuer", "state", "not_verified", "code", "state", "state", "state"];
        assert_eq!(reasons(&mut owner.client).await, oidc(&expected));
        // A link of another site sends nobody there.
        let mut client = browser().await.header("sec-fetch-site", "cross-site");
        assert_eq!(client.get(&path).await.location(), "/sign-in");
        verified(&w);
    }

    async fn attack_23_nobody_gets_a_password_where_it_is_not_allowed(w: Warifu) {
        let mut owner = owner(&w).await;
        // Staff; an organization's administrator, although the organization allows it; a user whose
        // organization does not.
        let (alder, birch) =
            (password::customer(&mut owner, "alder").await, password::customer(&mut owner, "birch").await);
        password::allow(&w, &mut owner, alder.organization, true, true).await;
        let links = [
            invitation(&w, "agent@example.com", "agent"),
            invitation(&w, &alder.email, "organization_administrator"),
            password::invite(&w, &birch.email),
        ];
        for link in &links {
            let mut client = w.client();
            let page = client.get(link).await;
            let path = format!("{link}/password");
            assert!(!page.text().contains(&path), "{}", page.text());
            assert_eq!(client.get(&path).await.status, 404);
            let csrf = page.form("data-passkey", "enrol").fields[0].1.clone();
            let fields = [("csrf", csrf.as_str()), ("ceremony", "x"), ("password", PASSWORD), ("code", "123456")];
            assert_eq!(client.post_form(&path, &fields).await.status, 404);
            // Codes that were offered for another person's invitation fit no other.
            assert_eq!(client.get(link).await.status, 200, "the invitation is not spent");
        }
        for name in ["owner@example.com", "agent@example.com", &alder.email, &birch.email] {
            let mut client = w.client();
            assert_eq!(password::try_in(&mut client, name, PASSWORD, "123456").await.status, 403);
            assert!(!client.cookies.contains_key(SESSION));
        }
        assert_eq!(entries(&mut owner.client, "enrolment").await.len(), 2, "the administrators' keys");
        let refused = ("password".to_owned(), "unknown_account".to_owned());
        assert_eq!(reasons(&mut owner.client).await, vec![refused; 4]);
        verified(&w);
    }

    async fn attack_23_a_password_ends_where_a_role_begins(mut w: Warifu) {
        password::clocked(&mut w).await;
        let mut owner = owner(&w).await;
        let mut customer = password::customer(&mut owner, "alder").await;
        password::allow(&w, &mut owner, customer.organization, true, false).await;
        password::choose(&w, &mut customer, 0).await;
        w.pass(30);
        let mut client = w.client();
        assert_eq!(customer.sign_in(&mut client, 30).await.status, 303);
        assert_eq!(who(&mut client).await.status, 200);
        let role = "organization_administrator";
        let parameters = json!({ "person": customer.person.to_string(), "role": role });
        let proof = owner.proof("change_roles", &parameters).await;
        let path = format!("/api/v1/people/{}/roles", customer.person);
        let to = json!({ "roles": [role], "step_up": proof });
        assert_eq!(owner.client.json(Method::PUT, &path, &to).await.status, 204);
        assert_eq!(who(&mut client).await.status, 401, "the session of before goes on");
        let told = entries(&mut owner.client, "session_revoked").await;
        assert_eq!((told.len(), &told[0]["body"]["reason"]), (1, &json!("factor")));
        w.pass(60);
        let mut client = w.client();
        assert_eq!(customer.sign_in(&mut client, 60).await.status, 403);
        assert!(!client.cookies.contains_key(SESSION));
        let refused = ("password".to_owned(), "not_allowed".to_owned());
        assert_eq!(reasons(&mut owner.client).await, vec![refused]);
        verified(&w);
    }

    async fn attack_23_what_an_organization_allows_no_longer_ends_at_once(mut w: Warifu) {
        password::clocked(&mut w).await;
        let mut owner = owner(&w).await;
        let mut customer = password::customer(&mut owner, "alder").await;
        password::allow(&w, &mut owner, customer.organization, true, true).await;
        password::choose(&w, &mut customer, 0).await;
        w.pass(30);
        let mut client = w.client();
        assert_eq!(customer.sign_in(&mut client, 30).await.status, 303);
        // The same person by their provider, which says nothing about how it knew them.
        let Some(provider) = IdentityProvider::start(&w).await else { return };
        let id = owner.connect(&w, &provider.connection("Alder ID", "alder")).await;
        let link = password::invite(&w, &customer.email);
        let mut other = w.client();
        other.get(&link).await;
        provider.next("haruka", None, &["pwd"]).await;
        let back = there_and_back(&mut other, &provider, &format!("{link}/oidc/{id}")).await;
        assert_eq!(back.location(), "/portal/cases");
        let told = entries(&mut owner.client, "sign_in").await;
        let body = &told[0]["body"];
        assert_eq!((&body["assurance"], &body["phishing_resistant"]), (&json!(1), &json!(false)));
        // First the provider's word alone, then the password.
        password::allow(&w, &mut owner, customer.organization, true, false).await;
        assert_eq!((who(&mut other).await.status.as_u16(), who(&mut client).await.status.as_u16()), (401, 200));
        assert_eq!(sign_in(&mut w.client(), &provider, id).await, REFUSED);
        password::allow(&w, &mut owner, customer.organization, false, false).await;
        assert_eq!(who(&mut client).await.status, 401);
        w.pass(60);
        assert_eq!(customer.sign_in(&mut w.client(), 60).await.status, 403);
        let expected = [("password", "not_allowed"), ("oidc", "acr")];
        let expected = expected.map(|(f, r)| (f.to_owned(), r.to_owned()));
        assert_eq!(reasons(&mut owner.client).await, expected);
        assert_eq!(entries(&mut owner.client, "policy_change").await.len(), 5);
        verified(&w);
    }
}
