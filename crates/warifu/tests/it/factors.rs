//! What somebody signs in with, as their own pages, their organization and the vendor see it.

use crate::attacks::notices;
use crate::http::Client;
use crate::passkey::Passkey;
use crate::password::{allow, choose, invite};
use crate::security::Vendor;
use crate::server::Warifu;
use crate::sign_in::SESSION;
use serde_json::{Value, json};

/// A customer's user who has chosen a password, in a session that it opened.
async fn by_password(w: &Warifu, vendor: &mut Vendor, name: &str) -> (Client, i64, i64, String) {
    let (mut user, _) = vendor.customer(w, name).await;
    allow(w, &mut vendor.owner, user.organization, true, false).await;
    choose(w, &mut user, -30).await;
    let mut client = w.client();
    assert_eq!(user.sign_in(&mut client, 0).await.status, 303);
    assert!(client.cookies.contains_key(SESSION));
    (client, user.organization, user.person, user.email)
}

async fn ways(vendor: &mut Vendor, organization: i64) -> Value {
    let path = format!("/api/v1/organizations/{organization}/security");
    vendor.owner.client.get(&path).await.value()["people"].clone()
}

on_both! {
    async fn whoever_has_a_password_reads_what_that_is(w: Warifu) {
        let mut vendor = Vendor::new(&w).await;
        let (mut client, _, person, _) = by_password(&w, &mut vendor, "alder").await;
        assert_eq!(notices(&mut client).await[0], "factor_added");
        let told = async |client: &Client, language: &str, said: &str| {
            let page = client.clone().header("accept-language", language).get("/account/notices").await;
            assert!(page.text().contains(said), "{said} is not in {}", page.text());
        };
        let both = async |client: &Client| {
            told(client, "en", "Password was added to what you can sign in with").await;
            told(client, "ja", "サインインの方法として「パスワード」が追加されました").await;
        };
        both(&client).await;
        // One of before says no more than the key.
        w.sql(&format!("UPDATE notices SET details = '{{\"name\":\"password\"}}' WHERE person_id = {person}")).await;
        both(&client).await;
        // What somebody calls their own passkey stays as they wrote it.
        w.sql(&format!("UPDATE notices SET details = '{{\"name\":\"password\",\"factor\":\"passkey\"}}' WHERE person_id = {person}")).await;
        told(&client, "ja", "「password」").await;
    }

    async fn whoever_cannot_prove_it_is_not_offered_it(w: Warifu) {
        let mut vendor = Vendor::new(&w).await;
        let (mut client, _, person, email) = by_password(&w, &mut vendor, "alder").await;
        let account = async |client: &mut Client| {
            let page = client.get("/account/passkeys").await.text().to_owned();
            (page.contains("id=\"proves-nothing\""), page.contains("data-step-up"), page.contains("/remove\""))
        };
        assert_eq!(account(&mut client).await, (true, false, false), "a password alone");
        // A passkey beside it: what it takes is there, whatever opened the session.
        let link = invite(&w, &email);
        let mut other = w.client();
        let page = other.get(&link).await;
        assert_eq!(other.passkey(&page, &mut Passkey::new(w.base())).await.status, 200);
        assert_eq!(account(&mut client).await, (false, true, true));
        // A provider beside it proves nothing in a session that the password opened.
        w.sql(&format!("UPDATE credentials SET kind = 'oidc' WHERE person_id = {person} AND kind = 'passkey'")).await;
        assert_eq!(account(&mut client).await, (true, false, false), "a password and a provider");
        let ja = client.clone().header("accept-language", "ja").get("/account/passkeys").await;
        assert!(ja.text().contains("パスワードでは、ここで追加や削除はできません。"), "{}", ja.text());
    }

    async fn a_provider_that_has_to_say_so_is_counted_as_safe(w: Warifu) {
        let mut vendor = Vendor::new(&w).await;
        let (_, organization, person, _) = by_password(&w, &mut vendor, "alder").await;
        let counted = |people: i64, keys: i64, providers: i64, passwords: i64, resistant: i64| json!({ "people": people, "keys": keys,
            "providers": providers, "passwords": passwords, "nothing": 0, "resistant": resistant });
        assert_eq!(ways(&mut vendor, organization).await, counted(2, 1, 0, 1, 1));
        let lags = async |vendor: &mut Vendor| {
            let page = vendor.owner.client.clone().header("accept", "text/html").get("/policy").await;
            let row = page.text().split("<tr>").find(|r| r.contains(&format!("scope=organization:{organization}\"")));
            row.map(|row| row.split("class=\"n\">").nth(1).unwrap().split('<').next().unwrap().to_owned())
        };
        assert_eq!(lags(&mut vendor).await.as_deref(), Some("1 / 2"));
        // At a provider instead, whose word is taken only when it says that it used a key.
        w.sql(&format!("UPDATE credentials SET kind = 'oidc' WHERE person_id = {person}")).await;
        assert_eq!(ways(&mut vendor, organization).await, counted(2, 1, 1, 0, 2));
        assert_eq!(lags(&mut vendor).await, None);
        // As soon as less is enough, it is not; for an administrator it never is.
        allow(&w, &mut vendor.owner, organization, false, true).await;
        assert_eq!(ways(&mut vendor, organization).await, counted(2, 1, 1, 0, 1));
        assert_eq!(lags(&mut vendor).await.as_deref(), Some("1 / 2"));
        w.sql(&format!("UPDATE credentials SET kind = 'oidc' WHERE person_id = {}", person + 1)).await;
        assert_eq!(ways(&mut vendor, organization).await, counted(2, 0, 2, 0, 1));
        // Whoever is switched off signs in with nothing.
        w.sql(&format!("UPDATE people SET active = FALSE WHERE id = {person}")).await;
        assert_eq!(ways(&mut vendor, organization).await, counted(1, 0, 1, 0, 1));
        assert_eq!(lags(&mut vendor).await, None);
    }
}
