//! 34: certificates that are revoked, expired, for something else, from elsewhere, or only claimed.

use super::{entries, notices, verified};
use crate::cards::{Authority, Card, Wish, ask, listener, path_of, register, show, sign_in};
use crate::http::Client;
use crate::passkey::Passkey;
use crate::server::{Engine, Warifu};
use crate::sign_in::{SESSION, enter, invitation, who};
use hyper::Method;
use rcgen::ExtendedKeyUsagePurpose;
use serde_json::{Value, json};
use std::time::{Duration, UNIX_EPOCH};

/// A super administrator with a passkey and a card, both of which sign in.
async fn owner(w: &mut Warifu, ca: &Authority) -> (Client, Passkey, Card) {
    w.serve = ca.arguments();
    w.restart().await;
    let link = invitation(w, "owner@example.com", "super_administrator");
    let mut client = w.client();
    let mut passkey = enter(&mut client, w.base(), &link).await;
    let card = ca.issue(Wish::default());
    register(&mut client, &mut passkey, &card).await;
    (client, passkey, card)
}

/// What a program is told, without what differs each time.
fn told(answer: &crate::http::Answer) -> Value {
    let mut value = answer.value();
    value.as_object_mut().map(|o| o.remove("reference"));
    value
}

async fn reasons(reader: &mut Client) -> Vec<String> {
    let told = entries(reader, "sign_in_refused").await;
    let reason = |e: &Value| {
        assert_eq!(e["body"]["factor"], "certificate");
        e["body"]["reason"].as_str().unwrap_or_default().to_owned()
    };
    told.iter().map(reason).collect()
}

on_both! {
    async fn attack_34_a_certificate_that_does_not_hold_is_refused(mut w: Warifu) {
        let ca = Authority::new("Warifu Test CA");
        let elsewhere = Authority::new("Another CA");
        let namesake = Authority::new("Warifu Test CA");
        let (mut reader, _, card) = owner(&mut w, &ca).await;
        let revoked = ca.issue(Wish::default());
        ca.revoke(&[&revoked], 2090);
        let purposes = |p: ExtendedKeyUsagePurpose| Wish { purposes: vec![p], ..Wish::default() };
        let unnamed = Wish { purposes: Vec::new(), ..Wish::default() };
        let tried = [
            (Some(revoked), "certificate_revoked"),
            (Some(ca.issue(Wish { years: (2019, 2020), ..Wish::default() })), "certificate_expired"),
            (Some(ca.issue(Wish { years: (2089, 2090), ..Wish::default() })), "certificate_not_yet_valid"),
            (Some(ca.issue(purposes(ExtendedKeyUsagePurpose::ServerAuth))), "certificate_purpose"),
            (Some(ca.issue(unnamed)), "certificate_purpose"),
            (Some(elsewhere.issue(Wish::default())), "certificate_issuer"),
            // An authority that has taken the name of ours.
            (Some(namesake.issue(Wish::default())), "certificate_not_verified"),
            (Some(Card::self_signed(Wish::default())), "certificate_issuer"),
            (Some(ca.issue(Wish::default())), "unknown_credential"),
            (None, "certificate_missing"),
        ];
        let mut expected = Vec::new();
        let mut first = None;
        for (tried, reason) in tried {
            let mut thief = w.client();
            let url = ask(&mut thief).await;
            let program = thief.clone().header("accept", "application/json");
            let answer = show(&program, tried.as_ref(), &url).await;
            assert_eq!(answer.status, 403, "{reason}: {}", answer.text());
            assert_eq!(answer.header("set-cookie"), "");
            let said = told(&answer);
            assert_eq!(said["type"], "/problems/sign-in-refused");
            assert_eq!(*first.get_or_insert(said.clone()), said, "{reason} tells more than the others");
            expected.insert(0, reason);
        }
        assert_eq!(reasons(&mut reader).await, expected);

        // A certificate in a header is no certificate: here, and at the main origin.
        use base64::Engine as _;
        let der = base64::engine::general_purpose::STANDARD.encode(&card.certificate);
        let pem = format!("-----BEGIN CERTIFICATE-----%0A{der}%0A-----END CERTIFICATE-----");
        let mut thief = w.client();
        let url = ask(&mut thief).await;
        let mut forged = thief.clone().header("accept", "application/json");
        for name in ["x-client-cert", "x-ssl-client-cert", "x-forwarded-client-cert", "client-cert", "x-arr-clientcert"] {
            forged = forged.header(name, &pem);
        }
        let forged = forged.header("x-ssl-client-verify", "SUCCESS").header("ssl-client-verify", "SUCCESS");
        assert_eq!(show(&forged, None, &url).await.status, 403);
        assert_eq!(reasons(&mut reader).await[0], "certificate_missing");
        for path in ["/sign-in/certificate", "/sign-in/certificate?code=x"] {
            let answer = forged.clone().get(path).await;
            assert_eq!((answer.status.as_u16(), answer.header("set-cookie")), (403, ""));
        }
        // People get the page that says so.
        let mut person = w.client();
        let url = ask(&mut person).await;
        let answer = show(&person, None, &url).await;
        assert_eq!((answer.status.as_u16(), path_of(&answer).as_str()), (303, "/sign-in?why=certificate"));
        assert!(person.get("/sign-in?why=certificate").await.text().contains("No certificate was accepted"));
        verified(&w);
    }

    async fn attack_34_a_certificate_signs_in_once_where_it_was_asked_for(mut w: Warifu) {
        let ca = Authority::new("Warifu Test CA");
        let (mut reader, _, card) = owner(&mut w, &ca).await;
        let mut client = w.client();
        sign_in(&mut client, &card).await;
        assert_eq!(who(&mut client).await.status, 200);
        let entry = entries(&mut reader, "sign_in").await[0]["body"].clone();
        assert_eq!(entry, json!({ "factor": "certificate", "assurance": 3, "phishing_resistant": true, "device_bound": false }));

        // An address that somebody else began leads nobody in: neither its victim nor whoever sent it.
        let mut thief = w.client();
        let url = ask(&mut thief).await;
        let mut victim = w.client();
        victim.get("/sign-in").await;
        let lured = show(&victim, Some(&card), &url).await;
        for browser in [&mut victim, &mut w.client()] {
            let answer = browser.get(&path_of(&lured)).await;
            assert_eq!(answer.location(), "/sign-in?why=certificate", "a ceremony of another browser");
            assert!(!browser.cookies.contains_key(SESSION));
        }
        let answer = thief.get(&path_of(&lured)).await;
        assert!(!thief.cookies.contains_key(SESSION), "{}: the code is spent", answer.location());
        // Spent ceremonies, spent codes, codes of another browser.
        let url = ask(&mut victim).await;
        let judged = show(&victim, Some(&card), &url).await;
        assert!(path_of(&judged).starts_with("/sign-in/certificate?code="));
        let again = show(&victim.clone().header("accept", "application/json"), Some(&card), &url).await;
        assert_eq!(again.status, 403, "the ceremony is spent");
        let mut replayed = victim.clone();
        assert_eq!(victim.get(&path_of(&judged)).await.location(), "/cases");
        replayed.get(&path_of(&judged)).await;
        assert!(!replayed.cookies.contains_key(SESSION), "the code is spent");
        // A code for one purpose is none for another.
        let mut other = w.client();
        let url = ask(&mut other).await;
        let code = path_of(&show(&other, Some(&card), &url).await);
        let code = code.replace("/sign-in/", "/enrol/");
        assert_eq!(other.get(&code).await.status, 404);
        // The listener has this one page, and answers once for a handshake.
        let base = listener(&w).await;
        for path in ["/sign-in", "/cases", "/api/v1/session", "/healthz", "/assets/x"] {
            let answer = show(&client, Some(&card), &format!("{base}{path}")).await;
            assert_eq!((answer.status.as_u16(), answer.header("connection")), (404, "close"), "{path}");
        }
        verified(&w);
    }

    async fn attack_34_a_revoked_card_is_out_at_once_and_a_late_list_fails_closed(mut w: Warifu) {
        let ca = Authority::new("Warifu Test CA");
        let (mut reader, mut passkey, card) = owner(&mut w, &ca).await;
        let mut client = w.client();
        sign_in(&mut client, &card).await;
        let refused = async |card: &Card| {
            let mut thief = w.client();
            let url = ask(&mut thief).await;
            show(&thief.header("accept", "application/json"), Some(card), &url).await.status
        };
        // A list that has expired tells nothing.
        ca.revoke(&[], 2021);
        assert_eq!(refused(&card).await, 403);
        assert_eq!(reasons(&mut reader).await[0], "certificate_revocation_unknown");
        assert_eq!(who(&mut client).await.status, 200, "a late list ends no work");
        ca.revoke(&[&card], 2090);
        assert_eq!(refused(&card).await, 403);
        assert_eq!(reasons(&mut reader).await[0], "certificate_revoked");
        let mut left = 100;
        while who(&mut client).await.status != 401 {
            left -= 1;
            assert!(left > 0, "the session goes on");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        let entry = entries(&mut reader, "session_revoked").await[0]["body"].clone();
        assert_eq!(entry["reason"], "certificate_revoked");
        // A broken list changes nothing.
        std::fs::write(ca.file("crl.pem"), "no list").unwrap();
        assert_eq!(refused(&card).await, 403);
        // The owner takes the card off the account; its key never comes back.
        let page = reader.get("/account/passkeys").await;
        assert!(page.text().contains("Mori Aiko"), "{}", page.text());
        let form = reader.step_up(page.form("action", "passkeys/2/remove"), &mut passkey).await;
        assert_eq!(reader.submit(&form, &[]).await.status, 303);
        ca.revoke(&[], 2090);
        assert_eq!(refused(&card).await, 403);
        assert_eq!(reasons(&mut reader).await[0], "unknown_credential");
        let entry = entries(&mut reader, "enrolment").await[0]["body"].clone();
        assert_eq!((&entry["factor"], &entry["change"]), (&json!("certificate"), &json!("removed")));
        verified(&w);
    }

    async fn attack_34_a_session_is_no_longer_than_the_certificate_that_opened_it(mut w: Warifu) {
        const MINUTE: i64 = 60;
        w.clock = true;
        let ca = Authority::new("Warifu Test CA");
        let (mut reader, mut passkey, _) = owner(&mut w, &ca).await;
        let started = UNIX_EPOCH.elapsed().unwrap().as_secs();
        let until = Some(started + 20 * MINUTE as u64);
        let short = ca.issue(Wish { until, ..Wish::default() });
        register(&mut reader, &mut passkey, &short).await;
        let mut client = w.client();
        sign_in(&mut client, &short).await;
        let left = async |client: &mut Client| {
            let session = client.clone().header("accept", "application/json").get("/api/v1/session").await;
            assert_eq!(session.status, 200, "{}", session.text());
            session.value()["left"].as_i64().unwrap()
        };
        let now = left(&mut client).await;
        assert!(now > 15 * MINUTE && now <= 20 * MINUTE, "{now}");
        assert!(left(&mut reader).await > 11 * 60 * MINUTE, "that of a passkey is as long as before");
        // What was judged while it held is not taken when it has ended.
        let mut late = w.client();
        let url = ask(&mut late).await;
        w.pass(10 * MINUTE);
        assert_eq!(who(&mut client).await.status, 200, "it is used");
        w.pass(17 * MINUTE);
        let mut begun = w.client();
        let url_begun = ask(&mut begun).await;
        assert_eq!(who(&mut client).await.status, 200, "used, and not over");
        let judged = show(&begun, Some(&short), &url_begun).await;
        assert!(path_of(&judged).starts_with("/sign-in/certificate?code="), "{}", judged.text());
        let refused = show(&late.header("accept", "application/json"), Some(&short), &url).await;
        assert_eq!(refused.status, 403, "that ceremony is over: {}", refused.text());
        w.pass(20 * MINUTE + 1);
        assert_eq!(who(&mut client).await.status, 401);
        begun.get(&path_of(&judged)).await;
        assert!(!begun.cookies.contains_key(SESSION), "it has ended meanwhile");
        let mut again = w.client();
        crate::sign_in::sign_in(&mut again, &mut passkey).await;
        let ended = entries(&mut again, "sign_out").await[0]["body"].clone();
        assert_eq!(ended["reason"], "lifetime");
        assert_eq!(reasons(&mut again).await[..2], ["certificate_expired", "ceremony"]);
        verified(&w);
    }

    async fn attack_34_a_card_without_the_demanded_policy_is_refused(mut w: Warifu) {
        let ca = Authority::new("Warifu Test CA");
        // 2.16.840.1.101.3.2.1.3.13 (PIV authentication), that of their keys for mail beside it, every policy.
        const PIV: &[u8] = b"\x30\x0e\x30\x0c\x06\x0a\x60\x86\x48\x01\x65\x03\x02\x01\x03\x0d";
        const MAIL: &[u8] = b"\x30\x0e\x30\x0c\x06\x0a\x60\x86\x48\x01\x65\x03\x02\x01\x03\x06";
        const ANY: &[u8] = b"\x30\x08\x30\x06\x06\x04\x55\x1d\x20\x00";
        let card = |policies| ca.issue(Wish { policies, ..Wish::default() });
        let (reader, passkey, plain) = owner(&mut w, &ca).await;
        // As long as none is demanded, any card will do.
        sign_in(&mut w.client(), &plain).await;
        w.serve.extend(["--client-policy", "1.3.6.1.4.1.99999.1,2.16.840.1.101.3.2.1.3.13"].map(str::to_owned));
        w.restart().await;
        let (mut reader, mut passkey) = (reader.at(w.base()), passkey.used_on(w.base()));
        for tried in [plain, card(None), card(Some(MAIL)), card(Some(ANY)), card(Some(b"\x30\x00"))] {
            let mut thief = w.client();
            let url = ask(&mut thief).await;
            let answer = show(&thief.header("accept", "application/json"), Some(&tried), &url).await;
            assert_eq!((answer.status.as_u16(), answer.value()["type"].as_str()), (403, Some("/problems/sign-in-refused")));
        }
        let said = reasons(&mut reader).await;
        assert_eq!(said[1..], ["certificate_policy"; 4]);
        assert!(["certificate_policy", "certificate_malformed"].contains(&said[0].as_str()), "{said:?}");
        // Nor is such a card registered.
        let held = card(Some(PIV));
        register(&mut reader, &mut passkey, &held).await;
        sign_in(&mut w.client(), &held).await;
        let form = reader.get("/account/passkeys").await.form("action", "/enrol/certificate");
        let form = reader.step_up(form, &mut passkey).await;
        let url = reader.submit(&form, &[("name", "another")]).await.location();
        let answer = show(&reader.clone().header("accept", "application/json"), Some(&card(Some(MAIL))), &url).await;
        assert_eq!(answer.status, 403);
        verified(&w);
    }

    async fn attack_34_a_card_is_registered_and_proves_only_for_its_owner(mut w: Warifu) {
        let ca = Authority::new("Warifu Test CA");
        let (mut owner, _, card) = owner(&mut w, &ca).await;
        // Without the key, a stolen session registers no card.
        let page = owner.get("/account/passkeys").await;
        let form = page.form("action", "/enrol/certificate");
        let answer = owner.submit(&form, &[("name", "x")]).await;
        assert_eq!(answer.status, 403, "{}", answer.text());

        // A colleague comes in by a card alone, and proves themselves with it.
        let link = invitation(&w, "agent@example.com", "agent");
        let mut agent = w.client();
        let form = agent.get(&link).await.form("action", "/enrol/certificate");
        let url = agent.submit(&form, &[]).await.location();
        let own = ca.issue(Wish { subject: "Agent A", ..Wish::default() });
        let judged = show(&agent, Some(&own), &url).await;
        assert_eq!(agent.get(&path_of(&judged)).await.location(), "/sign-in");
        assert_eq!(agent.get(&link).await.status, 410, "the invitation is spent");
        sign_in(&mut agent, &own).await;
        let csrf = agent.get("/account/passkeys").await.form("action", "/sign-out").fields[0].1.clone();
        let what = json!({ "action": "add_factor", "parameters": {} });
        let mut script = agent.clone().header("x-csrf-token", &csrf).header("accept", "application/json");
        let begun = script.json(Method::POST, "/step-up/options", &what).await.value();
        let url = begun["certificate"].as_str().expect("where the card is shown").to_owned();
        assert_eq!(show(&script, Some(&card), &url).await.status, 403, "somebody else's card");
        assert_eq!(notices(&mut agent).await[0], "step_up_refused");
        let begun = script.json(Method::POST, "/step-up/options", &what).await.value();
        let judged = show(&script, Some(&own), begun["certificate"].as_str().unwrap()).await;
        let mut stolen = owner.clone().header("accept", "application/json");
        assert_eq!(stolen.get(&path_of(&judged)).await.status, 403, "another session");
        let begun = script.json(Method::POST, "/step-up/options", &what).await.value();
        let judged = show(&script, Some(&own), begun["certificate"].as_str().unwrap()).await;
        let before = script.clone();
        let proof = script.get(&path_of(&judged)).await;
        assert_eq!(proof.status, 200, "{}", proof.text());
        assert_eq!(who(&mut before.clone()).await.status, 401, "the id of before goes on");
        agent.cookies = script.cookies.clone();
        let told = entries(&mut owner, "step_up").await;
        assert_eq!(told[0]["body"]["passed"], true);

        // The proof registers one further card, but not one that is somebody's.
        let proof = proof.value()["step_up"].as_str().unwrap().to_owned();
        let form = agent.get("/account/passkeys").await.form("action", "/enrol/certificate");
        let url = agent.submit(&form, &[("step_up", &proof)]).await.location();
        let judged = show(&agent, Some(&card), &url).await;
        let answer = agent.get(&path_of(&judged)).await;
        assert_eq!(answer.status, 409, "{}", answer.text());
        assert_eq!(agent.submit(&form, &[("step_up", &proof)]).await.status, 403, "once");
        verified(&w);
    }
}

#[test]
fn a_policy_that_is_none_is_said_in_one_line() {
    let ca = Authority::new("Warifu Test CA");
    let w = Warifu::stopped(Engine::Sqlite);
    for (policy, why) in [
        ("piv", "object identifier"),
        ("1.2,3.1", "3.1"),
        ("", "object identifier"),
        ("2.5.29.32.0", "every policy"),
    ] {
        let mut given = ca.arguments();
        given.extend(["--client-policy", policy, "--listen", "127.0.0.1:0"].map(str::to_owned));
        let given: Vec<&str> = given.iter().map(String::as_str).collect();
        let output = w.run("serve", &given);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), said.lines().count()), (Some(2), 1), "{policy}: {said}");
        assert!(said.contains("--client-policy") && said.contains(why), "{policy}: {said}");
    }
}
