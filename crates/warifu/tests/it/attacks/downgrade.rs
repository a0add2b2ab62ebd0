//! 23: getting in with less than what is asked for.

use super::{entries, verified};
use crate::http::Client;
use crate::identity_provider::{IdentityProvider, leave, owner, there_and_back, through};
use crate::oidc::{REFUSED, enrolled, sign_in};
use crate::sign_in::{SESSION, invitation};
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
        let provider = IdentityProvider::start(&w).await;
        let id = owner.connect(&provider.connection("Hashira ID", "")).await;
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
        assert_eq!(told[0]["body"]["person"], "2", "it names who it would have been");
        verified(&w);
    }

    async fn attack_23_nobody_is_let_in_by_a_provider_without_an_invitation(w: Warifu) {
        let mut owner = owner(&w).await;
        let provider = IdentityProvider::start(&w).await;
        let id = owner.connect(&provider.connection("Hashira ID", "")).await;
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
        let provider = IdentityProvider::start(&w).await;
        let new = json!({ "name": "Alder", "environment": "production", "products": [], "domain": "" });
        let made = owner.client.json(hyper::Method::POST, "/api/v1/organizations", &new).await;
        assert_eq!(made.status, 201, "{}", made.text());
        let id = owner.connect(&provider.connection("Alder ID", "Alder")).await;
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
        let provider = IdentityProvider::start(&w).await;
        let id = owner.connect(&provider.connection("Hashira ID", "")).await;
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
}
