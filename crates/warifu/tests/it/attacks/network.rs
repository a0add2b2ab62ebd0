//! 1 and 4 to 8: a session somewhere else than where it was opened.

use super::{entries, notices, verified};
use crate::browser::{Browser, Look};
use crate::http::Client;
use crate::passkey::Passkey;
use crate::server::{Engine, Warifu};
use crate::sign_in::{enter, invitation, sign_in, who};
use mmdb_writer::{Value, Writer};
use serde_json::json;
use std::path::Path;

pub const HOME: &str = "203.0.113.10";

/// Two providers, of which one has addresses of both kinds.
pub fn asn_database(path: &Path) {
    let mut writer = Writer::new("Attack-ASN");
    for (network, number) in [
        ("203.0.113.0/24", 64496_u32),
        ("203.0.112.0/24", 64496),
        ("2001:db8:1000::/36", 64496),
        ("198.51.100.0/24", 64497),
    ] {
        let network: mmdb_writer::ipnet::IpNet = network.parse().expect("a network");
        let value = Value::map([
            ("autonomous_system_number", Value::from(number)),
            ("autonomous_system_organization", Value::from(format!("Provider {number}").as_str())),
        ]);
        writer.insert_value(network, value).expect("it can be written");
    }
    let bytes = writer.to_bytes().expect("a database");
    std::fs::write(path, bytes).expect("a file in a folder of ours");
}

/// A server behind a proxy on this machine, with an ASN database.
async fn behind_a_proxy(w: &mut Warifu) {
    let path = w.data().join("asn.mmdb");
    asn_database(&path);
    let path = path.display().to_string();
    w.serve = ["--trusted-proxy", "127.0.0.0/8", "--asn-database", &path].map(str::to_owned).into();
    w.restart().await;
}

fn from(client: &Client, address: &str) -> Client {
    client.clone().header("x-forwarded-for", address)
}

/// A super administrator at home, and their key.
async fn administrator(w: &Warifu) -> (Client, Passkey) {
    let link = invitation(w, "owner@example.com", "super_administrator");
    let mut client = from(&w.client(), HOME);
    let passkey = enter(&mut client, w.base(), &link).await;
    (client, passkey)
}

/// The session holds there.
async fn holds(client: &Client, address: &str) {
    assert_eq!(who(&mut from(client, address)).await.status, 200, "from {address}");
}

on_both! {
    async fn attack_01_a_cookie_from_another_provider_is_refused_and_dead_everywhere(mut w: Warifu) {
        behind_a_proxy(&mut w).await;
        let (mut owner, mut passkey) = administrator(&w).await;
        holds(&owner, HOME).await;
        let thief = from(&owner, "198.51.100.66");
        assert_eq!(who(&mut thief.clone()).await.status, 401);
        assert_eq!(who(&mut thief.clone()).await.status, 401, "and not at a second try");
        assert_eq!(who(&mut owner).await.status, 401, "it goes on where it was opened");
        let to = owner.get("/cases").await.location();
        assert!(to.starts_with("/sign-in?next=%2Fcases"), "{to}");

        // Only a fresh authentication goes on, and the thief has no key.
        sign_in(&mut owner, &mut passkey).await;
        holds(&owner, HOME).await;
        assert_eq!(who(&mut thief.clone()).await.status, 401);
        let told = entries(&mut owner, "session_revoked").await;
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0]["body"]["reason"], "other_network");
        assert_eq!(told[0]["network"], json!({ "asn": 64497, "prefix": "198.51.100.0/24" }));
        let bound = &told[0]["body"]["bound_to"];
        assert_eq!(bound, &json!({ "asn": 64496, "prefix": "203.0.113.0/24" }));
        assert_eq!(notices(&mut owner).await, ["session_moved", "factor_added"]);
        let page = owner.get("/account/notices").await;
        assert!(page.text().contains("was used from AS64497 198.51.100.0/24"), "{}", page.text());
        assert_eq!(owner.submit(&page.form("action", "/notices/seen"), &[]).await.status, 303);
        let seen = owner.clone().header("accept", "application/json").get("/api/v1/notices").await;
        assert!(seen.value().as_array().is_some_and(|n| n.iter().all(|n| n["seen"] == true)));
        verified(&w);
    }

    async fn attack_04_without_a_known_provider_the_prefix_counts(mut w: Warifu) {
        behind_a_proxy(&mut w).await;
        let link = invitation(&w, "owner@example.com", "super_administrator");
        for (opened, same, other) in [
            ("192.0.2.7", "192.0.2.200", "192.0.3.7"),
            ("2001:db8:ffff:1::1", "2001:db8:ffff:2::9", "2001:db8:fffe:1::1"),
            // Known where it was opened, unknown where it is used.
            (HOME, "203.0.112.1", "192.0.2.7"),
        ] {
            let link = match opened {
                "192.0.2.7" => link.clone(),
                _ => invitation(&w, &format!("{}@example.com", opened.len()), "agent"),
            };
            let mut client = from(&w.client(), opened);
            enter(&mut client, w.base(), &link).await;
            holds(&client, same).await;
            assert_eq!(who(&mut from(&client, other)).await.status, 401, "{opened} from {other}");
            assert_eq!(who(&mut client).await.status, 401);
        }
        let (mut owner, _) = administrator(&w).await;
        let told = entries(&mut owner, "session_revoked").await;
        assert_eq!(told.len(), 3, "{told:?}");
        assert_eq!(told[2]["network"], json!({ "prefix": "192.0.3.0/24" }));
        verified(&w);
    }

    async fn attack_05_addresses_of_one_provider_are_one_network(mut w: Warifu) {
        behind_a_proxy(&mut w).await;
        let (owner, _) = administrator(&w).await;
        for address in ["2001:db8:1001::1", "2001:db8:1fff:9::2", "203.0.112.9", HOME] {
            holds(&owner, address).await;
        }
    }

    async fn attack_07_a_client_s_own_header_is_not_believed(mut w: Warifu) {
        let path = w.data().join("asn.mmdb");
        asn_database(&path);
        let path = path.display().to_string();
        w.serve = ["--trusted-proxy", "10.0.0.1", "--asn-database", &path].map(str::to_owned).into();
        w.restart().await;
        let link = invitation(&w, "owner@example.com", "super_administrator");
        let mut owner = w.client();
        enter(&mut owner, w.base(), &link).await;
        for header in ["x-forwarded-for", "forwarded", "x-real-ip"] {
            let said = if header == "forwarded" { "for=198.51.100.66" } else { "198.51.100.66" };
            let mut spoofed = owner.clone().header(header, said);
            assert_eq!(who(&mut spoofed).await.status, 200, "{header}");
        }
        let signed_in = entries(&mut owner, "sign_in").await;
        assert_eq!(signed_in[0]["network"], json!({ "prefix": "loopback" }));
        assert!(entries(&mut owner, "session_revoked").await.is_empty());
    }

    async fn attack_08_what_a_proxy_says_wrongly_is_refused(mut w: Warifu) {
        behind_a_proxy(&mut w).await;
        let (mut owner, _) = administrator(&w).await;
        for said in ["unknown", "", "203.0.113.10, garbage", "203.0.113.10;drop", "999.1.1.1"] {
            let answer = who(&mut from(&owner, said)).await;
            assert_eq!(answer.status, 400, "{said}: {}", answer.text());
            assert_eq!(answer.value()["type"], "/problems/forwarded");
        }
        // A proxy that says nothing would make everybody its neighbour; its look at the health is its own.
        let mut silent = owner.clone().without_header("x-forwarded-for");
        for path in ["/api/v1/session", "/sign-in", "/cases", "/assets/x"] {
            let answer = silent.get(path).await;
            assert_eq!(answer.status, 400, "{path}: {}", answer.text());
            assert!(answer.text().contains("x-forwarded-for header does not say"), "{}", answer.text());
        }
        assert_eq!(silent.get("/healthz").await.status, 200);
        assert_eq!(from(&silent, "unknown").get("/healthz").await.status, 400);
        // Left of the rightmost address that is no proxy's, anybody may have written anything.
        for said in ["198.51.100.66, 203.0.113.10", "garbage, 203.0.113.10, 127.0.0.9"] {
            holds(&owner, said).await;
        }
        holds(&owner, HOME).await;
        assert!(entries(&mut owner, "session_revoked").await.is_empty());
        verified(&w);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_06_somebody_who_roams_proves_themselves_and_keeps_the_draft() {
    let Some(browser) = Browser::start().await else { return };
    let mut w = Warifu::stopped(Engine::Sqlite);
    w.ok("demo", &["--only-make", "--people", "400"]);
    behind_a_proxy(&mut w).await;
    let link = w.ok("enrol", &["--email", crate::story::AGENT]);
    let page = browser.page(Look::default()).await;
    let network = async |address: &str| {
        let headers = json!({ "headers": { "X-Forwarded-For": address } });
        page.call("Network.setExtraHTTPHeaders", headers).await;
    };
    page.call("Network.enable", json!({})).await;
    network(HOME).await;
    page.authenticator().await;
    page.goto(link.trim()).await;
    page.fill("#passkey-name", "test key").await;
    page.leads_on(page.click("form[data-passkey] button")).await;
    page.wait_for("form[data-passkey=sign-in] button").await;
    page.leads_on(page.click("form[data-passkey] button")).await;
    page.goto(&w.url("/cases?view=active")).await;
    page.leads_on(page.click("main a[href^='/cases/HC-']")).await;
    let case = page.eval("location.pathname").await;
    page.click("#answer-text").await;
    page.type_text("Half an answer, written on the train.").await;
    // From Wi-Fi to the mobile network in the middle of it.
    network("198.51.100.20").await;
    page.leads_on(page.click("#answer button[data-send]")).await;
    page.wait_for("form[data-passkey=sign-in] button").await;
    page.screenshot("roaming-sign-in").await;
    page.leads_on(page.click("form[data-passkey] button")).await;
    page.goto(&w.url(case.as_str().unwrap_or_default())).await;
    let kept = "document.querySelector('#answer-text').value.includes('on the train')";
    page.wait_until("the draft to be there", kept).await;
    page.leads_on(page.click("#answer button[data-send]")).await;
    page.wait_text("Half an answer, written on the train.").await;
}
