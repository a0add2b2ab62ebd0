//! Signing in at an identity provider: being invited, coming again, its keys, its end of a session.

mod meanwhile;

use crate::attacks::{entries, notices, verified};
use crate::browser::{Browser, Look};
use crate::http::Client;
use crate::identity_provider::{IdentityProvider, Owner, leave, owner, there_and_back, through};
use crate::server::{Engine, Warifu};
use crate::sign_in::{SESSION, invitation, who};
use hyper::Method;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A colleague redeems an invitation at the provider as `login`, with a passkey there.
pub async fn enrolled(
    w: &Warifu,
    provider: &IdentityProvider,
    (email, role): (&str, &str),
    (id, login): (i64, &str),
) -> Client {
    let link = invitation(w, email, role);
    let mut client = w.client();
    let page = client.get(&link).await;
    assert!(page.text().contains(&format!("{link}/oidc/{id}")), "{}", page.text());
    provider.next(login, Some("phr"), &[]).await;
    let back = there_and_back(&mut client, provider, &format!("{link}/oidc/{id}")).await;
    assert_eq!(
        (back.status.as_u16(), back.location().as_str()),
        (303, "/cases"),
        "{}",
        back.text()
    );
    assert_eq!(who(&mut client).await.status, 200);
    client
}

/// Signs in at the provider; gives where it led.
pub async fn sign_in(client: &mut Client, provider: &IdentityProvider, id: i64) -> String {
    client.get("/sign-in").await;
    there_and_back(client, provider, &format!("/sign-in/oidc/{id}")).await.location()
}

pub const REFUSED: &str = "/sign-in?why=provider-refused";

async fn connected(w: &Warifu) -> Option<(Owner, IdentityProvider, i64)> {
    let mut owner = owner(w).await;
    let provider = IdentityProvider::start(w).await?;
    let id = owner.connect(w, &provider.connection("Hashira ID", "")).await;
    Some((owner, provider, id))
}

on_both! {
    async fn an_administrator_is_invited_and_signs_in_at_the_provider(w: Warifu) {
        let Some((mut owner, provider, id)) = connected(&w).await else { return };
        enrolled(&w, &provider, ("admin@example.com", "administrator"), (id, "ada")).await;
        let told = entries(&mut owner.client, "enrolment").await;
        assert_eq!(told[0]["body"]["factor"], "oidc");
        let told = entries(&mut owner.client, "sign_in").await;
        assert_eq!((&told[0]["body"]["factor"], &told[0]["body"]["assurance"]), (&json!("oidc"), &json!(2)));
        // Again, with hardware this time, to where they wanted to go.
        let mut client = w.client();
        let page = client.get("/sign-in?next=/people").await;
        let href = format!("/sign-in/oidc/{id}?next=%2Fpeople");
        assert!(page.text().contains(&href) && page.text().contains("Continue with Hashira ID"), "{}", page.text());
        provider.next("ada", Some("phrh"), &[]).await;
        let address = leave(&mut client, &href).await;
        for asked in ["acr_values=phr+phrh", "code_challenge_method=S256", "nonce=", "state=", "response_type=code"] {
            assert!(address.contains(asked), "{asked} is not in {address}");
        }
        let back = through(&mut provider.client(), &provider, &address).await;
        assert_eq!(client.get(&back).await.location(), "/people");
        assert_eq!(who(&mut client).await.status, 200);
        let told = entries(&mut owner.client, "sign_in").await;
        let body = &told[0]["body"];
        assert_eq!((&body["assurance"], &body["phishing_resistant"]), (&json!(3), &json!(true)));
        // The same by what the provider says of the methods alone.
        provider.next("ada", None, &["hwk", "user"]).await;
        assert_eq!(sign_in(&mut w.client(), &provider, id).await, "/cases");
        verified(&w);
    }

    async fn somebody_is_told_where_they_had_no_session_before(mut w: Warifu) {
        w.serve = ["--trusted-proxy", "127.0.0.0/8"].map(str::to_owned).into();
        w.restart().await;
        let Some((_owner, provider, id)) = connected(&w).await else { return };
        enrolled(&w, &provider, ("admin@example.com", "administrator"), (id, "ada")).await;
        for (address, told) in [("127.0.0.1", &["factor_added"][..]), ("198.51.100.9", &["new_network", "factor_added"])] {
            let mut client = w.client().header("x-forwarded-for", address);
            provider.next("ada", Some("phr"), &[]).await;
            assert_eq!(sign_in(&mut client, &provider, id).await, "/cases");
            assert_eq!(notices(&mut client).await, told, "{address}");
            if told.len() == 2 {
                let mut program = client.header("accept", "application/json");
                let told = program.get("/api/v1/notices").await.value()[0]["details"].clone();
                assert_eq!(told, json!({ "from": "198.51.100.0/24", "factor": "oidc" }));
            }
        }
        verified(&w);
    }

    async fn a_provider_that_has_new_keys_is_asked_for_them(w: Warifu) {
        let Some((_owner, mut provider, id)) = connected(&w).await else { return };
        enrolled(&w, &provider, ("admin@example.com", "administrator"), (id, "ada")).await;
        provider.restart().await;
        provider.next("ada", Some("phr"), &[]).await;
        assert_eq!(sign_in(&mut w.client(), &provider, id).await, "/cases");
    }

    async fn a_provider_that_is_down_leaves_a_page_to_go_on_with(w: Warifu) {
        let Some((_owner, mut provider, id)) = connected(&w).await else { return };
        enrolled(&w, &provider, ("admin@example.com", "administrator"), (id, "ada")).await;
        // What it said about itself is still known; the code cannot be exchanged.
        let mut client = w.client();
        client.get("/sign-in").await;
        provider.next("ada", Some("phr"), &[]).await;
        let address = leave(&mut client, &format!("/sign-in/oidc/{id}")).await;
        let back = through(&mut provider.client(), &provider, &address).await;
        provider.stop();
        let to = client.get(&back).await.location();
        assert_eq!(to, "/sign-in?why=provider-down");
        let page = client.get(&to).await;
        assert_eq!(page.status, 200);
        assert!(page.text().contains("does not answer") && page.text().contains("data-passkey"), "{}", page.text());
        assert!(!client.cookies.contains_key(SESSION));
    }

    async fn signing_out_leads_to_the_provider(w: Warifu) {
        let Some((_owner, provider, id)) = connected(&w).await else { return };
        let mut client = enrolled(&w, &provider, ("admin@example.com", "administrator"), (id, "ada")).await;
        let page = client.get("/account/passkeys").await;
        let out = client.submit(&page.form("action", "/sign-out"), &[]).await;
        assert_eq!(out.location(), format!("/signed-out?at={id}"));
        let page = client.get(&out.location()).await;
        let refresh = page.header("refresh");
        assert!(refresh.starts_with(&format!("0; url={}/session/end?", provider.issuer)), "{refresh}");
        assert!(refresh.contains("post_logout_redirect_uri=") && page.text().contains("Sign out at Hashira ID"));
    }

    async fn a_provider_that_is_down_is_not_asked_by_everybody_who_signs_out(mut w: Warifu) {
        w.clock = true;
        w.restart().await;
        let Some((_owner, mut provider, id)) = connected(&w).await else { return };
        let at = format!("/signed-out?at={id}");
        assert!(w.client().get(&at).await.header("refresh").contains("/session/end?"));
        let address = url::Url::parse(&provider.issuer).expect("an address");
        provider.stop();
        // What it said is no longer taken as it is, and where it was somebody counts and says nothing.
        w.pass(11 * 60);
        let port = address.port().expect("a port");
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.expect("its place");
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        let counting = tokio::spawn(async move {
            // Counted before it is closed, which may be answered to the page at once.
            while let Ok((connection, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                drop(connection);
            }
        });
        for _ in 0..10 {
            let page = w.client().get(&at).await;
            assert_eq!((page.status.as_u16(), page.header("refresh")), (200, ""));
        }
        let once = asked.load(Ordering::SeqCst);
        // Over one connection it may be tried a second time; never ten times.
        assert!((1..=2).contains(&once), "{once}");
        w.pass(11 * 60 + 61);
        w.client().get(&at).await;
        assert!(asked.load(Ordering::SeqCst) > once, "a minute later it is asked again");
        counting.abort();
    }

    async fn signing_out_at_the_provider_ends_the_session_here_at_once(w: Warifu) {
        let Some((mut owner, provider, id)) = connected(&w).await else { return };
        let mut other = enrolled(&w, &provider, ("admin@example.com", "administrator"), (id, "ada")).await;
        let mut client = w.client();
        client.get("/sign-in").await;
        provider.next("ada", Some("phr"), &[]).await;
        let address = leave(&mut client, &format!("/sign-in/oidc/{id}")).await;
        let mut there = provider.client();
        let back = through(&mut there, &provider, &address).await;
        client.get(&back).await;
        assert_eq!(who(&mut client).await.status, 200);
        // Out, at the provider.
        let page = there.get("/session/end?client_id=warifu").await;
        let form = page.form("action", "/session/end/confirm");
        let done = there.submit(&form, &[("logout", "yes")]).await;
        assert!(done.status.is_redirection(), "{}", done.text());
        assert_eq!(who(&mut client).await.status, 401, "the session goes on");
        assert_eq!(who(&mut other).await.status, 200, "that of another browser ended as well");
        let told = entries(&mut owner.client, "session_revoked").await;
        assert_eq!((told.len(), &told[0]["body"]["reason"]), (1, &json!("provider")));
        // The same token once more.
        let token = provider.client().get("/test/logout-token").await.text().to_owned();
        assert!(token.len() > 100, "{token}");
        let again = w.client().post_form("/oidc/backchannel-logout", &[("logout_token", &token)]).await;
        assert_eq!((again.status.as_u16(), again.header("cache-control")), (400, "no-store"));
        verified(&w);
    }

    async fn a_logout_token_is_verified(w: Warifu) {
        let Some((mut owner, provider, id)) = connected(&w).await else { return };
        let mut client = enrolled(&w, &provider, ("admin@example.com", "administrator"), (id, "ada")).await;
        let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
        let event = json!({ "http://schemas.openid.net/event/backchannel-logout": {} });
        let good = json!({
            "iss": provider.issuer, "aud": "warifu", "iat": now, "exp": now + 120, "jti": "one",
            "sub": "ada", "events": event,
        });
        let with = |name: &str, value: Value| {
            let mut claims = good.clone();
            claims[name] = value;
            json!({ "claims": claims })
        };
        let without = |name: &str| {
            let mut claims = good.clone();
            claims.as_object_mut().unwrap().remove(name);
            json!({ "claims": claims })
        };
        let tell = async |token: &str| {
            w.client().post_form("/oidc/backchannel-logout", &[("logout_token", token)]).await.status.as_u16()
        };
        let bad = [
            json!({ "claims": good, "foreign": true }),
            json!({ "claims": good, "header": { "kid": "other" } }),
            json!({ "claims": good, "header": { "typ": "at+jwt" } }),
            with("iss", "https://elsewhere.example".into()),
            with("aud", "another".into()),
            with("iat", json!(now - 3_600)),
            with("iat", json!(now + 3_600)),
            with("exp", json!(now - 300)),
            with("events", json!({})),
            with("nonce", "n".into()),
            without("events"),
            without("exp"),
            without("iat"),
            without("jti"),
            without("sub"),
        ];
        for request in &bad {
            let token = provider.sign(request.clone()).await;
            assert_eq!(tell(&token).await, 400, "{request}");
        }
        let token = provider.sign(json!({ "claims": good })).await;
        let (head, rest) = token.split_once('.').unwrap();
        let none = format!("eyJhbGciOiJub25lIn0.{}.", rest.split_once('.').unwrap().0);
        for token in ["", "a.b.c", &none, &token[..token.len() - 4], &format!("{head}.{rest}.x")] {
            assert_eq!(tell(token).await, 400, "{token}");
        }
        assert_eq!(who(&mut client).await.status, 200, "a forged token ended it");
        let told = entries(&mut owner.client, "sign_in_refused").await;
        assert_eq!((told.len(), &told[0]["body"]["reason"]), (20, &json!("logout_token")));
        assert_eq!(tell(&token).await, 200);
        assert_eq!(who(&mut client).await.status, 401);
        verified(&w);
    }

    async fn connecting_a_provider_is_a_protected_action(w: Warifu) {
        let Some((mut owner, provider, id)) = connected(&w).await else { return };
        let path = "/api/v1/identity-providers";
        let connection = provider.connection("Second", "");
        let refused = owner.client.json(Method::POST, path, &connection).await;
        assert_eq!((refused.status.as_u16(), &refused.value()["type"]), (403, &json!("/problems/step-up-required")));
        // A proof for other texts.
        let mut other = connection.clone();
        other["step_up"] = owner.proof("add_provider", &connection).await.into();
        other["name"] = "Third".into();
        assert_eq!(owner.client.json(Method::POST, path, &other).await.status, 403);
        // An issuer that is none, and one on a host of which nothing was said.
        for (field, value) in [("issuer", "http://id.example.com"), ("issuer", "nonsense"), ("organization", "Nobody")] {
            let mut bad = connection.clone();
            bad[field] = value.into();
            bad["step_up"] = owner.proof("add_provider", &bad).await.into();
            let answer = owner.client.json(Method::POST, path, &bad).await;
            assert_eq!((answer.status.as_u16(), &answer.value()["field"]), (422, &json!(field)), "{}", answer.text());
        }
        let listed = owner.client.get(path).await;
        let listed = listed.value();
        assert_eq!((listed.as_array().map(Vec::len), &listed[0]["enabled"]), (Some(1), &json!(true)));
        assert!(listed[0]["client_secret"].is_null());
        let told = entries(&mut owner.client, "policy_change").await;
        assert_eq!(told[0]["body"]["policy"], format!("identity_provider:{id}"));

        // One person alone opens no way in, and may take back what they asked for.
        let mut another = connection.clone();
        another["step_up"] = owner.proof("add_provider", &connection).await.into();
        let made = owner.client.json(Method::POST, path, &another).await.value();
        let another = made["id"].as_i64().unwrap();
        let mut client = w.client();
        assert!(!client.get("/sign-in").await.text().contains(&format!("/sign-in/oidc/{another}")));
        assert_eq!(client.get(&format!("/sign-in/oidc/{another}")).await.status, 404);
        let waits = owner.client.get("/api/v1/approvals").await.value()[0].clone();
        assert_eq!(waits["matter"]["way"]["terms"]["issuer"], connection["issuer"]);
        assert!(!waits.to_string().contains(connection["client_secret"].as_str().unwrap()));
        let page = owner.client.clone().header("accept", "text/html").get("/approvals").await;
        assert!(page.text().contains(connection["issuer"].as_str().unwrap()), "{}", page.text());
        let one = format!("/api/v1/approvals/{}", waits["id"]);
        let alone = owner.client.json(Method::POST, &one, &json!({ "agree": true })).await;
        assert_eq!(alone.status, 409, "{}", alone.text());
        let back = owner.client.json(Method::POST, &one, &json!({ "agree": false })).await;
        assert_eq!(back.status, 204, "{}", back.text());

        // Off ends the sessions that it opened, and opens no more.
        let mut client = enrolled(&w, &provider, ("admin@example.com", "administrator"), (id, "ada")).await;
        assert_eq!(client.get("/identity-providers").await.status, 403, "for super administrators only");
        let one = format!("{path}/{id}");
        assert_eq!(owner.client.json(Method::PATCH, &one, &json!({ "enabled": false })).await.status, 403);
        let parameters = json!({ "provider": id.to_string(), "state": "off" });
        let proof = owner.proof("switch_provider", &parameters).await;
        let off = json!({ "enabled": false, "step_up": proof });
        assert_eq!(owner.client.json(Method::PATCH, &one, &off).await.status, 204);
        assert_eq!(who(&mut client).await.status, 401);
        assert_eq!(w.client().get(&format!("/sign-in/oidc/{id}")).await.location(), "/sign-in");
        client.get("/sign-in").await;
        assert_eq!(client.get(&format!("/sign-in/oidc/{id}")).await.status, 404);
        assert_eq!(owner.client.json(Method::DELETE, &one, &json!({})).await.status, 403);
        let proof = owner.proof("remove_provider", &json!({ "provider": id.to_string() })).await;
        assert_eq!(owner.client.json(Method::DELETE, &one, &json!({ "step_up": proof })).await.status, 204);
        assert_eq!(owner.client.get(path).await.value()[0]["id"], another);
        verified(&w);
    }

    async fn a_protected_action_is_proved_at_the_provider(w: Warifu) {
        let Some((mut owner, provider, id)) = connected(&w).await else { return };
        let mut client = enrolled(&w, &provider, ("admin@example.com", "super_administrator"), (id, "ada")).await;
        let page = client.get("/account/passkeys").await;
        let csrf = page.form("action", "/sign-out").fields[0].1.clone();
        let parameters = json!({ "provider": id.to_string(), "state": "off" });
        let mut script = client.clone().header("x-csrf-token", &csrf).header("accept", "application/json");
        let what = json!({ "action": "switch_provider", "parameters": parameters });
        let asked = script.json(Method::POST, "/step-up/options", &what).await.value();
        let path = asked["provider"].as_str().expect("the way to the provider").to_owned();
        let prove = async |client: &mut Client, path: &str| {
            let address = leave(client, path).await;
            assert!(address.contains("max_age=0") && address.contains("prompt=login"), "{address}");
            let back = through(&mut provider.client(), &provider, &address).await;
            let page = client.get(&back).await;
            let proof = page.text().split("data-stepped-up=\"").nth(1).and_then(|r| r.split('"').next());
            (page.status.as_u16(), proof.unwrap_or_default().to_owned())
        };
        // Somebody else, and a lesser proof.
        provider.next("mallory", Some("phrh"), &[]).await;
        assert_eq!(prove(&mut client, &path).await, (403, String::new()));
        provider.next("ada", Some("lesser"), &["pwd"]).await;
        assert_eq!(prove(&mut client, &path).await, (403, String::new()));
        provider.next("ada", Some("phr"), &[]).await;
        let before = client.clone();
        let (status, proof) = prove(&mut client, &path).await;
        assert_eq!(status, 200);
        assert_eq!(who(&mut before.clone()).await.status, 401, "the id of before goes on");
        let told = entries(&mut owner.client, "step_up").await;
        let passed: Vec<_> = told.iter().take(3).map(|e| &e["body"]["passed"]).collect();
        assert_eq!(passed, [true, false, false]);
        // Good for just this, once, in this session.
        let mut script = client.clone().header("x-csrf-token", &csrf).header("accept", "application/json");
        let one = format!("/api/v1/identity-providers/{id}");
        let on = json!({ "enabled": true, "step_up": proof });
        assert_eq!(script.json(Method::PATCH, &one, &on).await.status, 403);
        let off = json!({ "enabled": false, "step_up": proof });
        assert_eq!(owner.client.json(Method::PATCH, &one, &off).await.status, 403, "another session");
        assert_eq!(script.json(Method::PATCH, &one, &off).await.status, 204);
        // An answer to a step-up opens no session, nor does it fit another one's.
        assert_eq!(who(&mut client).await.status, 401, "its own provider is off");
        verified(&w);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_goes_to_the_provider_to_sign_in_and_for_a_protected_action() {
    let Some(browser) = Browser::start().await else { return };
    let w = Warifu::start(Engine::Sqlite).await;
    let Some((_owner, provider, id)) = connected(&w).await else { return };
    let role = "super_administrator";
    enrolled(&w, &provider, ("admin@example.com", role), (id, "ada")).await;
    let page = browser.page(Look::default()).await;
    page.goto(&w.url("/sign-in?next=/account/passkeys")).await;
    page.assert_accessible().await;
    page.leads_on(page.click("a[href^='/sign-in/oidc/']")).await;
    page.wait_for("form[data-passkey=enrol]").await;
    // They have no key here: the page asks the provider, in a window of its own.
    page.authenticator().await;
    page.fill("#passkey-name", "first key").await;
    page.leads_on(page.click("form[data-passkey=enrol] button")).await;
    page.wait_text("first key").await;
    page.goto(&w.url("/identity-providers")).await;
    page.wait_text("Hashira ID").await;
    page.assert_accessible().await;
    page.assert_no_errors();
}
