//! Applications as a super administrator declares them on their pages, with the key.

use crate::http::{Client, Form};
use crate::passkey::Passkey;
use crate::server::Warifu;
use crate::sign_in::{enter, invitation};
use hyper::Method;
use serde_json::json;

fn fill(form: &mut Form, filled: &[(&str, &str)]) {
    for (name, value) in filled {
        form.fields.retain(|(known, _)| known != name);
        form.fields.push(((*name).to_owned(), (*value).to_owned()));
    }
}

async fn super_administrator(w: &Warifu) -> (Client, Passkey) {
    let link = invitation(w, "owner@example.com", "super_administrator");
    let mut owner = w.client();
    let passkey = enter(&mut owner, w.base(), &link).await;
    (owner, passkey)
}

on_both! {
    async fn an_application_is_declared_changed_and_removed(w: Warifu) {
        let (mut owner, mut passkey) = super_administrator(&w).await;
        assert!(owner.get("/applications").await.text().contains("No application is declared yet."));
        let mut form = owner.get("/applications/new?kind=forward_auth").await.form("action", "/applications/new");
        fill(&mut form, &[("name", "Builds"), ("origin", w.base()), ("role", "agent")]);
        let wrong = owner.submit(&form, &[]).await;
        assert_eq!(wrong.status, 422, "{}", wrong.text());
        assert!(wrong.text().contains("own host") && wrong.text().contains("value=\"Builds\""));
        fill(&mut form, &[("origin", "https://Builds.example.com/")]);
        assert_eq!(owner.submit(&form, &[]).await.status, 403, "without the key");
        let form = owner.step_up(form, &mut passkey).await;
        assert_eq!(owner.submit(&form, &[]).await.location(), "/applications/1");
        assert_eq!(owner.submit(&form, &[]).await.status, 422, "the address is taken");
        // Another port of the host is no other host to a cookie.
        let mut near = owner.get("/applications/new?kind=forward_auth").await.form("action", "/applications/new");
        fill(&mut near, &[("name", "Wiki"), ("origin", "https://builds.example.com:8443"), ("role", "agent")]);
        let near = owner.step_up(near, &mut passkey).await;
        let said = owner.submit(&near, &[]).await;
        assert_eq!(said.status, 422, "{}", said.text());
        assert!(said.text().contains("Builds is on this host already"), "{}", said.text());
        let said = owner.clone().header("accept-language", "ja").submit(&near, &[]).await;
        assert!(said.text().contains("すでにBuildsが登録されています"), "{}", said.text());
        let csrf = &near.fields.iter().find(|(name, _)| name == "csrf").expect("a token").1;
        let mut program = owner.clone().header("x-csrf-token", csrf).header("accept", "application/json");
        let new = json!({ "name": "Wiki", "kind": "forward_auth", "origin": "http://builds.example.com:8080",
            "redirect_uris": "", "logout_uris": "", "backchannel_uri": "", "role": "agent", "max_age": "", "acr": "phr",
            "public": "" });
        for (origin, status) in [("https://builds.example.com:8443", 409), ("https://wiki.example.com:8443", 403)] {
            let mut new = new.clone();
            new["origin"] = origin.into();
            let said = program.json(Method::POST, "/api/v1/applications", &new).await;
            assert_eq!(said.status, status, "{origin}: {}", said.text());
        }
        // Nor for a client of OpenID: its server would see the cookie. At the same place it is the same server.
        for (place, status) in [("https://builds.example.com:9443", 409), ("https://builds.example.com", 403)] {
            let mut new = new.clone();
            (new["kind"], new["origin"]) = ("openid".into(), "".into());
            new["redirect_uris"] = format!("{place}/callback").into();
            let said = program.json(Method::POST, "/api/v1/applications", &new).await;
            assert_eq!(said.status, status, "{place}: {}", said.text());
        }

        let page = owner.get("/applications/1").await;
        assert!(page.text().contains("value=\"https://builds.example.com\""), "{}", page.text());
        // What was agreed to, and nothing else.
        let mut form = page.form("action", "/applications/1");
        fill(&mut form, &[("max_age", "15")]);
        let mut form = owner.step_up(form, &mut passkey).await;
        fill(&mut form, &[("role", "organization_administrator")]);
        assert_eq!(owner.submit(&form, &[]).await.status, 403, "another role than was agreed to");
        fill(&mut form, &[("role", "agent")]);
        assert_eq!(owner.submit(&form, &[]).await.location(), "/applications");
        assert!(owner.get("/applications").await.text().contains("at most 15 min ago"));

        let mut agent = w.client();
        let link = invitation(&w, "agent@example.com", "administrator");
        enter(&mut agent, w.base(), &link).await;
        for path in ["/applications", "/applications/new", "/applications/1", "/api/v1/applications"] {
            assert_eq!(agent.get(path).await.status, 403, "{path}");
        }
        let form = owner.get("/applications/1").await.form("action", "/applications/1/remove");
        assert_eq!(owner.submit(&form, &[]).await.status, 403, "without the key");
        let form = owner.step_up(form, &mut passkey).await;
        assert_eq!(owner.submit(&form, &[]).await.location(), "/applications");
        assert_eq!(owner.get("/applications/1").await.status, 404);
    }

    async fn a_client_s_secret_is_shown_once_and_can_be_renewed(w: Warifu) {
        let (mut owner, mut passkey) = super_administrator(&w).await;
        let mut form = owner.get("/applications/new?kind=openid").await.form("action", "/applications/new");
        let uris = "https://wiki.example.com/callback https://wiki.example.com/other";
        fill(&mut form, &[("name", "Wiki"), ("redirect_uris", uris), ("role", "agent"), ("acr", "phrh")]);
        let form = owner.step_up(form, &mut passkey).await;
        let made = owner.submit(&form, &[]).await;
        assert_eq!(made.status, 200, "{}", made.text());
        let codes = |text: &str| -> Vec<String> {
            let parts = text.split("<code>").skip(1).filter_map(|p| p.split("</code>").next());
            parts.map(str::to_owned).collect()
        };
        let first = codes(made.text());
        assert_eq!((first.len(), first[0].len(), first[1].len()), (2, 32, 43), "{first:?}");
        let page = owner.get("/applications/1").await;
        assert_eq!(codes(page.text()), first[..1], "the id, and no secret");
        let form = page.form("action", "/applications/1/secret");
        let form = owner.step_up(form, &mut passkey).await;
        let second = codes(owner.submit(&form, &[]).await.text());
        assert!(second[0] == first[0] && second[1] != first[1], "{second:?}");
        let mut agent = owner.clone().header("accept", "application/json");
        let shown = agent.get("/api/v1/applications/1").await;
        assert!(!shown.text().contains("secret"), "{}", shown.text());
        assert_eq!(shown.value()["acr"], "phrh");
    }
}
