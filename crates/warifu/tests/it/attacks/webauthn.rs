//! 17 to 21 and 25: assertions that are relayed, replayed or copied, and invitations.

use super::{entries, notices, verified};
use crate::http::Client;
use crate::passkey::Passkey;
use crate::server::Warifu;
use crate::sign_in::{enter, invitation, options, reply, script, sign_in};
use hyper::Method;
use serde_json::Value;

const COOKIE: &str = "__Host-warifu";

/// A super administrator who may read the ledger, and their key.
async fn owner(w: &Warifu) -> (Client, Passkey) {
    let link = invitation(w, "owner@example.com", "super_administrator");
    let mut client = w.client();
    let passkey = enter(&mut client, w.base(), &link).await;
    (client, passkey)
}

/// Tries to sign in with a key; nobody is in afterwards.
async fn refused(w: &Warifu, passkey: &mut Passkey) {
    let mut thief = script(&mut w.client()).await;
    let asked = options(&mut thief).await;
    refused_with(&mut thief, &reply(&asked, passkey)).await;
}

async fn refused_with(thief: &mut Client, body: &Value) {
    let answer = thief.json(Method::POST, "/sign-in/verify", body).await;
    assert_eq!(answer.status, 403, "{}", answer.text());
    assert_eq!(answer.value()["type"], "/problems/sign-in-refused");
    assert!(!thief.cookies.contains_key(COOKIE));
}

/// What the ledger says about refusals, newest first.
async fn reasons(owner: &mut Client) -> Vec<String> {
    let told = entries(owner, "sign_in_refused").await;
    let reason = |e: &Value| e["body"]["reason"].as_str().unwrap_or_default().to_owned();
    told.iter().map(reason).collect()
}

on_both! {
    async fn attack_17_an_assertion_for_a_look_alike_site_is_refused(w: Warifu) {
        let (mut reader, passkey) = owner(&w).await;
        let port = w.base().rsplit_once(':').map(|(_, port)| port).unwrap_or_default();
        for site in [
            "https://warifu.example".to_owned(),
            format!("http://localhost.evil.example:{port}"),
            format!("https://localhost:{port}"),
            "http://localhost:1".to_owned(),
        ] {
            refused(&w, &mut passkey.copied().used_on(&site)).await;
        }
        assert_eq!(reasons(&mut reader).await, ["not_verified"; 4]);
        verified(&w);
    }

    async fn attack_18_an_assertion_from_a_frame_of_another_site_is_refused(w: Warifu) {
        let (mut reader, mut passkey) = owner(&w).await;
        passkey.framed = true;
        refused(&w, &mut passkey).await;
        assert_eq!(reasons(&mut reader).await, ["not_verified"]);
        // And no page of ours may be in a frame.
        let page = w.client().get("/sign-in").await;
        assert!(page.header("content-security-policy").contains("frame-ancestors 'none'"));
        verified(&w);
    }

    async fn attack_19_a_challenge_is_answered_once(w: Warifu) {
        let (mut reader, mut passkey) = owner(&w).await;
        let mut victim = script(&mut w.client()).await;
        let asked = options(&mut victim).await;
        let body = reply(&asked, &mut passkey);
        let mut thief = victim.clone();
        assert_eq!(victim.json(Method::POST, "/sign-in/verify", &body).await.status, 204);
        refused_with(&mut thief, &body).await;
        // The recorded answer with a challenge of the thief's own.
        let mut mixed = body.clone();
        mixed["ceremony"] = options(&mut thief).await["ceremony"].clone();
        refused_with(&mut thief, &mixed).await;
        // A challenge of another browser.
        let mut other = script(&mut w.client()).await;
        let asked = options(&mut other).await;
        refused_with(&mut thief, &reply(&asked, &mut passkey)).await;
        assert_eq!(reasons(&mut reader).await, ["ceremony", "not_verified", "ceremony"]);
        verified(&w);
    }

    async fn attack_20_a_copied_key_shows_by_its_counter(w: Warifu) {
        let (mut reader, mut passkey) = owner(&w).await;
        let mut copy = passkey.copied();
        for _ in 0..3 {
            sign_in(&mut w.client(), &mut passkey).await;
        }
        refused(&w, &mut copy).await;
        refused(&w, &mut copy).await;
        let told = entries(&mut reader, "sign_in_refused").await;
        assert_eq!(told.len(), 2);
        assert_eq!(notices(&mut reader).await[..2], ["key_copied", "key_copied"]);
        assert_eq!((&told[0]["body"]["reason"], &told[0]["body"]["person"]), (&"counter".into(), &"1".into()));
        verified(&w);
    }

    async fn attack_21_a_key_that_verified_nobody_is_refused(w: Warifu) {
        let (mut reader, mut passkey) = owner(&w).await;
        passkey.verifies = false;
        refused(&w, &mut passkey).await;
        assert_eq!(reasons(&mut reader).await, ["not_verified"]);
        // Neither is such a key enrolled.
        let link = invitation(&w, "agent@example.com", "agent");
        let mut client = w.client();
        let page = client.get(&link).await;
        let mut lazy = Passkey::new(w.base());
        lazy.verifies = false;
        assert_eq!(client.passkey(&page, &mut lazy).await.status, 422);
        verified(&w);
    }

    async fn attack_25_an_invitation_works_once_and_where_it_was_opened(w: Warifu) {
        let (mut reader, _) = owner(&w).await;
        let link = invitation(&w, "agent@example.com", "agent");
        let mut first = w.client();
        let page = first.get(&link).await;
        assert_eq!(w.client().get(&link).await.status, 410, "opened elsewhere");
        assert_eq!(reasons(&mut reader).await, ["other_browser"]);
        let done = first.passkey(&page, &mut Passkey::new(w.base())).await;
        assert_eq!(done.status, 200, "{}", done.text());
        assert_eq!(first.get(&link).await.status, 410, "used");
        verified(&w);
    }
}
