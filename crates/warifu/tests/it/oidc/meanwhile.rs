//! What ends while an identity provider is asked, and who may have one asked at all.

use super::{REFUSED, connected, enrolled};
use crate::attacks::{entries, verified};
use crate::http::Answer;
use crate::identity_provider::{Owner, another, leave, owner, through};
use crate::sign_in::{SESSION, invitation};
use hyper::Method;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Asks for a provider to be switched.
async fn switch(owner: &mut Owner, id: i64, on: bool) -> Answer {
    let state = if on { "on" } else { "off" };
    let what = json!({ "provider": id.to_string(), "state": state });
    let proof = owner.proof("switch_provider", &what).await;
    let body = json!({ "enabled": on, "step_up": proof });
    owner.client.json(Method::PATCH, &format!("/api/v1/identity-providers/{id}"), &body).await
}

on_both! {
    async fn a_provider_that_is_switched_off_meanwhile_lets_nobody_in(w: Warifu) {
        let Some((mut owner, provider, id)) = connected(&w).await else { return };
        enrolled(&w, &provider, ("admin@example.com", "administrator"), (id, "ada")).await;
        let mut second = another(&w).await;
        let link = invitation(&w, "agent@example.com", "agent");
        // While they are there; while the provider is asked what their code is worth, for both ways in.
        let held = format!("/sign-in/oidc/{id}");
        let invited = format!("{link}/oidc/{id}");
        for (path, login, page, asked) in [(&held, "ada", "/sign-in", false), (&held, "ada", "/sign-in", true), (&invited, "bo", link.as_str(), true)] {
            let mut client = w.client();
            client.get(page).await;
            provider.next(login, Some("phr"), &[]).await;
            let address = leave(&mut client, path).await;
            let back = through(&mut provider.client(), &provider, &address).await;
            if asked {
                provider.hold().await;
            }
            let comes = tokio::spawn(async move {
                let answer = match asked {
                    true => Some(client.get(&back).await),
                    false => None,
                };
                (client, back, answer)
            });
            if asked {
                provider.held().await;
            }
            assert_eq!(switch(&mut owner, id, false).await.status, 204);
            if asked {
                provider.go().await;
            }
            let (mut client, back, answer) = comes.await.expect("an answer");
            let answer = match answer {
                Some(answer) => answer,
                None => client.get(&back).await,
            };
            assert_eq!(answer.location(), REFUSED, "{path}, asked: {asked}");
            assert!(!client.cookies.contains_key(SESSION), "{path}, asked: {asked}");
            assert_eq!(switch(&mut owner, id, true).await.status, 202);
            second.agrees().await;
        }
        let told = entries(&mut owner.client, "sign_in_refused").await;
        let reasons: Vec<_> = told.iter().map(|e| e["body"]["reason"].as_str().unwrap()).collect();
        assert_eq!(reasons, ["provider"; 3]);
        assert_eq!(entries(&mut owner.client, "enrolment").await[0]["body"]["factor"], "passkey", "the second person's");
        verified(&w);
    }

    async fn a_step_up_in_a_session_that_has_ended_meanwhile_has_not_passed(w: Warifu) {
        let Some((mut owner, provider, id)) = connected(&w).await else { return };
        let mut client = enrolled(&w, &provider, ("admin@example.com", "super_administrator"), (id, "ada")).await;
        let page = client.get("/account/passkeys").await;
        let out = page.form("action", "/sign-out");
        let mut script = client.clone().header("x-csrf-token", &out.fields[0].1).header("accept", "application/json");
        let what = json!({ "action": "switch_provider", "parameters": { "provider": id.to_string(), "state": "off" } });
        let asked = script.json(Method::POST, "/step-up/options", &what).await.value();
        provider.next("ada", Some("phr"), &[]).await;
        let address = leave(&mut client, asked["provider"].as_str().expect("the way there")).await;
        let back = through(&mut provider.client(), &provider, &address).await;
        // The key is right. What it was touched for ends while the provider answers.
        provider.hold().await;
        let mut waits = client.clone();
        let comes = tokio::spawn(async move { waits.get(&back).await });
        provider.held().await;
        client.submit(&out, &[]).await;
        provider.go().await;
        let answer = comes.await.expect("an answer");
        assert_eq!(answer.status, 403, "{}", answer.text());
        assert!(answer.text().contains("data-stepped-up=\"\""), "a proof: {}", answer.text());
        let told = entries(&mut owner.client, "step_up").await[0].clone();
        assert_eq!((&told["body"]["action"], &told["body"]["passed"]), (&json!("switch_provider"), &json!(false)), "{told}");
        verified(&w);
    }

    async fn whoever_has_no_proof_sends_this_server_nowhere(w: Warifu) {
        let mut owner = owner(&w).await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                drop(connection);
            }
        });
        let asked = || asked.load(Ordering::SeqCst);
        let connection = json!({ "organization": "", "name": "Inside", "issuer": issuer, "client_id": "x",
            "client_secret": "a-secret-of-the-tests-that-is-long-enough", "hosts": "" });
        let path = "/api/v1/identity-providers";
        let mut other = connection.clone();
        other["name"] = "Another".into();
        for proof in [Value::Null, "x".into(), owner.proof("add_provider", &other).await.into()] {
            let mut body = connection.clone();
            body["step_up"] = proof;
            let said = owner.client.json(Method::POST, path, &body).await;
            assert_eq!((said.status.as_u16(), &said.value()["type"]), (403, &json!("/problems/step-up-required")));
        }
        let mut page = owner.client.clone().header("accept", "text/html");
        let fields = ["organization", "name", "issuer", "client_id", "client_secret", "hosts"];
        let mut form: Vec<_> = fields.iter().map(|f| (*f, connection[f].as_str().unwrap())).collect();
        form.push(("csrf", &owner.csrf));
        assert_eq!(page.post_form("/identity-providers", &form).await.status, 403);
        assert_eq!(asked(), 0, "it was asked about itself for whoever has no proof");
        let mut body = connection.clone();
        body["step_up"] = owner.proof("add_provider", &connection).await.into();
        assert_eq!(owner.client.json(Method::POST, path, &body).await.status, 422);
        assert!(asked() > 0, "with one it is");
    }
}
