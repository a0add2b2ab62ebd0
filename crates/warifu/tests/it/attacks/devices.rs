//! 2, 3, 32 and 33: a copied session without the key of the device that it is bound to.

use super::{entries, notices, verified};
use crate::device::{COOKIE, Device, REFRESH, REGISTER, ask, challenge, jws, offer};
use crate::http::Client;
use crate::passkey::Passkey;
use crate::server::Warifu;
use crate::sign_in::{SESSION, enter, invitation, sign_in, who};
use hmac::{Hmac, Mac as _};
use hyper::Method;
use serde_json::{Value, json};
use sha2::Sha256;

const MINUTE: i64 = 60;

/// A super administrator in a session that is bound to a device.
async fn bound(w: &Warifu) -> (Client, Passkey, Device) {
    let link = invitation(w, "owner@example.com", "super_administrator");
    let mut client = w.client();
    let mut passkey = enter(&mut client, w.base(), &link).await;
    let device = Device::sign_in(&mut client, &mut passkey).await;
    (client, passkey, device)
}

async fn csrf(client: &mut Client) -> String {
    client.get("/account/passkeys").await.form("action", "/sign-out").fields[0].1.clone()
}

/// Reasons of the refusals in the ledger, newest first.
async fn reasons(reader: &mut Client) -> Vec<String> {
    let told = entries(reader, "sign_in_refused").await;
    let reason = |e: &Value| {
        assert_eq!(e["body"]["factor"], "device", "{e}");
        e["body"]["reason"].as_str().unwrap_or("-").to_owned()
    };
    told.iter().map(reason).collect()
}

on_both! {
    async fn attack_02_a_copy_is_worthless_when_the_short_cookie_is_over(mut w: Warifu) {
        w.clock = true;
        w.restart().await;
        let (mut owner, mut passkey, device) = bound(&w).await;
        let page = owner.get("/account/sessions").await;
        assert!(page.text().contains("bound to it"), "{}", page.text());
        let thief = owner.clone();
        assert_eq!(who(&mut thief.clone()).await.status, 200, "a copy of both is good for minutes");
        w.pass(MINUTE);
        let mut without = thief.clone();
        without.cookies.remove(COOKIE);
        assert_eq!(who(&mut without).await.status, 401, "the session's cookie alone");

        w.pass(10 * MINUTE);
        assert_eq!(who(&mut thief.clone()).await.status, 401);
        let to = thief.clone().get("/cases").await.location();
        assert_eq!(to, "/sign-in?next=%2Fcases&why=device");
        // Who follows a link of another site asks once more, from a page of ours; it is as empty.
        let mut linked = thief.clone().header("sec-fetch-site", "cross-site");
        let answer = linked.get("/cases?view=mine").await;
        assert_eq!(answer.header("refresh"), "0; url=/cases?view=mine");
        assert!(answer.text().starts_with("<!doctype html><title>Warifu</title><link"));
        assert!(answer.text().len() < 200, "{}", answer.text());
        // The device's own browser goes on with its next cookie; the copy stays dead.
        assert_eq!(who(&mut owner).await.status, 401);
        let before = owner.cookies[COOKIE].clone();
        let answer = device.refresh(&mut owner).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_ne!(before, owner.cookies[COOKIE], "the cookie is another");
        assert_eq!(who(&mut owner).await.status, 200);
        assert_eq!(who(&mut thief.clone()).await.status, 401);
        // The challenge for the next one came with it.
        let next = device.proof(&challenge(&answer, &device.id));
        let second = owner.cookies[COOKIE].clone();
        assert_eq!(ask(&mut owner, REFRESH, Some(&device.id), Some(&next)).await.status, 200);
        let mut overtaken = owner.clone();
        overtaken.cookies.insert(COOKIE.into(), second);
        assert_eq!(who(&mut overtaken).await.status, 200, "what was under way arrives");
        w.pass(11 * MINUTE);
        assert_eq!(who(&mut overtaken).await.status, 401, "a cookie that was replaced");
        assert_eq!(who(&mut owner).await.status, 200);

        // The thief gets a challenge and has no key for it.
        let mut thief = thief;
        let challenge = device.challenge(&mut thief).await;
        let own = Device::new().proof(&challenge);
        let answer = ask(&mut thief, REFRESH, Some(&device.id), Some(&own)).await;
        assert_eq!(answer.status, 403, "{}", answer.text());
        assert_eq!(answer.header("set-cookie"), "");
        assert_eq!(who(&mut thief).await.status, 401);
        assert_eq!(who(&mut owner).await.status, 401, "its cookie is known to be stolen");
        sign_in(&mut owner, &mut passkey).await;
        let told = entries(&mut owner, "session_revoked").await;
        assert_eq!((told.len(), &told[0]["body"]["reason"]), (1, &json!("device_key")));
        assert_eq!(reasons(&mut owner).await, ["signature"]);
        assert_eq!(notices(&mut owner).await, ["device_key", "factor_added"]);
        let page = owner.get("/account/notices").await;
        assert!(page.text().contains("without the key of the device"), "{}", page.text());
        verified(&w);
    }

    async fn attack_03_a_fresh_copy_does_nothing_protected(w: Warifu) {
        let (mut owner, _, _) = bound(&w).await;
        let told = entries(&mut owner, "enrolment").await;
        assert_eq!(told[0]["body"]["factor"], "device", "{told:?}");
        let mut thief = owner.clone();
        let csrf = csrf(&mut thief).await;
        let me = who_am_i(&mut thief).await;
        assert_eq!(me["device"], "device");
        let path = format!("/api/v1/people/{}/roles", me["person"]);
        let mut script =
            thief.clone().header("x-csrf-token", &csrf).header("accept", "application/json");
        let roles = json!({ "roles": ["super_administrator", "agent"] });
        let answer = script.json(Method::PUT, &path, &roles).await;
        assert_eq!(answer.status, 403, "{}", answer.text());
        assert_eq!(answer.value()["type"], "/problems/step-up-required");
        let what = json!({
            "action": "change_roles",
            "parameters": { "person": me["person"].to_string(), "role": "agent,super_administrator" },
        });
        let mut key = Passkey::new(w.base());
        assert_eq!(thief.prove(&csrf, what, &mut key).await.status, 403);
        let told = entries(&mut owner, "step_up").await;
        assert_eq!((told.len(), &told[0]["body"]["passed"]), (1, &json!(false)));
        assert!(entries(&mut owner, "role_change").await.len() == 1, "the invitation's own");
        assert_eq!(notices(&mut owner).await, ["step_up_refused", "factor_added"]);
        verified(&w);
    }

    async fn attack_32_forged_proofs_end_the_session(w: Warifu) {
        let (_, mut passkey, first) = bound(&w).await;
        let plain = json!({ "alg": "ES256", "typ": "dbsc+jwt" });
        let with = |alg: &str| json!({ "alg": alg, "typ": "dbsc+jwt" });
        type Forge<'a> = &'a dyn Fn(&Device, &str) -> String;
        let stranger = Device::new();
        let hmac = |device: &Device, signed: &[u8]| {
            let mut mac = Hmac::<Sha256>::new_from_slice(&device.public()).expect("any length");
            mac.update(signed);
            mac.finalize().into_bytes().to_vec()
        };
        let cut = |proof: &str, off: usize| proof[..proof.len() - off].to_owned();
        let forgeries: [(&str, Forge); 10] = [
            ("signature", &|_, c| stranger.proof(c)),
            ("key", &|_, c| stranger.registration(c, "x")),
            ("algorithm", &|_, c| jws(&with("none"), &json!({ "jti": c }), |_| Vec::new())),
            ("algorithm", &|d, c| jws(&with("HS256"), &json!({ "jti": c }), |s| hmac(d, s))),
            ("type", &|d, c| d.sign(&json!({ "alg": "ES256", "typ": "JWT" }), &json!({ "jti": c }))),
            ("signature", &|d, c| jws(&plain, &json!({ "jti": c }), |s| hmac(d, s))),
            ("malformed", &|d, c| d.proof(c).rsplit_once('.').expect("three parts").0.to_owned()),
            ("signature", &|d, c| cut(&d.proof(c), 2)),
            ("too_long", &|d, c| d.proof(&format!("{c}{}", "a".repeat(9_000)))),
            ("malformed", &|_, _| "..".into()),
        ];
        let mut expected = Vec::new();
        for (reason, forge) in forgeries {
            let mut client = w.client();
            let device = Device::sign_in(&mut client, &mut passkey).await;
            let challenge = device.challenge(&mut client).await;
            let forged = forge(&device, &challenge);
            let answer = ask(&mut client, REFRESH, Some(&device.id), Some(&forged)).await;
            assert_eq!(answer.status, 403, "{reason}: {}", answer.text());
            assert_eq!(answer.header("set-cookie"), "", "{reason}");
            assert_eq!(who(&mut client).await.status, 401, "{reason}: the session goes on");
            // It is over for the right key, too.
            let right = device.proof(&challenge);
            let answer = ask(&mut client, REFRESH, Some(&device.id), Some(&right)).await;
            assert_eq!(answer.status, 401, "{reason}: {}", answer.text());
            expected.insert(0, reason.to_owned());
        }
        // A session with the name of another's device, which goes on.
        let mut client = w.client();
        let own = Device::sign_in(&mut client, &mut passkey).await;
        let mut other = w.client();
        let link = invitation(&w, "agent@example.com", "agent");
        let mut key = enter(&mut other, w.base(), &link).await;
        let others = Device::sign_in(&mut other, &mut key).await;
        let stolen = others.challenge(&mut other).await;
        let answer =
            ask(&mut client, REFRESH, Some(&others.id), Some(&own.proof(&stolen))).await;
        assert_eq!(answer.status, 403, "{}", answer.text());
        assert_eq!(who(&mut client).await.status, 401);
        assert_eq!(who(&mut other).await.status, 200);
        assert_eq!(others.refresh(&mut other).await.status, 200);
        expected.insert(0, "foreign".to_owned());
        // Names that are none, and nothing at all.
        for id in ["", "AAAA", "../../etc/passwd", &"A".repeat(5_000), &first.id] {
            let answer = ask(&mut w.client(), REFRESH, Some(id), Some(&own.proof("x"))).await;
            assert!(matches!(answer.status.as_u16(), 401 | 403), "{id}: {}", answer.text());
            assert_eq!(answer.header("set-cookie"), "");
        }
        assert_eq!(ask(&mut w.client(), REFRESH, None, None).await.status, 404);

        let mut reader = w.client();
        sign_in(&mut reader, &mut passkey).await;
        assert_eq!(reasons(&mut reader).await, expected);
        let revoked = entries(&mut reader, "session_revoked").await;
        assert_eq!(revoked.len(), expected.len());
        assert!(revoked.iter().all(|e| e["body"]["reason"] == "device_key"), "{revoked:?}");
        verified(&w);
    }

    async fn attack_32_a_challenge_is_good_once_and_not_for_ever(mut w: Warifu) {
        w.clock = true;
        w.restart().await;
        let (mut owner, _, device) = bound(&w).await;
        let early = device.challenge(&mut owner).await;
        let challenge_now = device.challenge(&mut owner).await;
        let proof = device.proof(&challenge_now);
        assert_eq!(ask(&mut owner, REFRESH, Some(&device.id), Some(&proof)).await.status, 200);
        // Recorded and sent again: another challenge, and no cookie.
        let mut thief = owner.clone();
        let answer = ask(&mut thief, REFRESH, Some(&device.id), Some(&proof)).await;
        assert_eq!((answer.status.as_u16(), answer.header("set-cookie")), (403, ""));
        assert_ne!(challenge(&answer, &device.id), challenge_now);
        // One that was made up, with the right key.
        let made_up = device.proof("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
        let answer = ask(&mut owner, REFRESH, Some(&device.id), Some(&made_up)).await;
        assert_eq!((answer.status.as_u16(), answer.header("set-cookie")), (403, ""));
        for minutes in [9, 18, 27] {
            w.pass(minutes * MINUTE);
            assert_eq!(who(&mut owner).await.status, 200, "{minutes}");
            assert_eq!(device.refresh(&mut owner).await.status, 200, "{minutes}");
        }
        let stale = device.proof(&early);
        let answer = ask(&mut owner, REFRESH, Some(&device.id), Some(&stale)).await;
        assert_eq!((answer.status.as_u16(), answer.header("set-cookie")), (403, ""));
        assert_eq!(who(&mut owner).await.status, 200, "the right key harms nobody");
        assert_eq!(reasons(&mut owner).await, ["challenge"; 3]);
        assert!(entries(&mut owner, "session_revoked").await.is_empty());
        verified(&w);
    }

    async fn attack_32_a_forged_registration_binds_nothing(w: Warifu) {
        let link = invitation(&w, "owner@example.com", "super_administrator");
        let mut owner = w.client();
        let mut passkey = enter(&mut owner, w.base(), &link).await;
        let page = owner.get("/sign-in").await;
        assert_eq!(page.status, 303, "signed in");
        let mut owner = w.client();
        let page = owner.get("/sign-in").await;
        let (challenge, authorization) = offer(&owner.passkey(&page, &mut passkey).await);
        let device = Device::new();
        let registration = |header: Value, jti: &str, authorization: &str| {
            device.sign(&header, &json!({ "jti": jti, "authorization": authorization }))
        };
        let header = json!({ "alg": "ES256", "typ": "dbsc+jwt", "jwk": device.jwk() });
        let with = |name: &str, value: Value| {
            let mut header = header.clone();
            header[name] = value;
            header
        };
        let mut elsewhere = device.jwk();
        elsewhere["y"] = elsewhere["x"].clone();
        let (c, a) = (challenge.as_str(), authorization.as_str());
        let forged = [
            ("algorithm", registration(with("alg", "none".into()), c, a)),
            ("type", registration(with("typ", "JWT".into()), c, a)),
            ("key", registration(with("jwk", Device::new().jwk()["none"].clone()), c, a)),
            ("key", registration(with("jwk", elsewhere), c, a)),
            ("signature", registration(with("jwk", Device::new().jwk()), c, a)),
            ("challenge", registration(header.clone(), a, c)),
            ("challenge", registration(header.clone(), c, "x")),
            ("malformed", "x".into()),
        ];
        for (_, proof) in &forged {
            let answer = ask(&mut owner, REGISTER, None, Some(proof)).await;
            assert_eq!((answer.status.as_u16(), answer.header("set-cookie")), (403, ""), "{proof}");
        }
        assert_eq!(who_am_i(&mut owner).await.get("device"), None);
        // Somebody else's session with what was offered to this one, and nobody's.
        let right = device.registration(c, a);
        let mut agent = w.client();
        let link = invitation(&w, "agent@example.com", "agent");
        enter(&mut agent, w.base(), &link).await;
        assert_eq!(ask(&mut agent, REGISTER, None, Some(&right)).await.status, 403);
        assert_eq!(ask(&mut w.client(), REGISTER, None, Some(&right)).await.status, 401);
        // The right one, once.
        assert_eq!(ask(&mut owner, REGISTER, None, Some(&right)).await.status, 200);
        assert_eq!(ask(&mut owner, REGISTER, None, Some(&right)).await.status, 403);
        assert_eq!(who_am_i(&mut owner).await["device"], "device");
        let mut expected: Vec<&str> = forged.iter().map(|f| f.0).collect();
        expected.extend(["challenge", "challenge"]);
        expected.reverse();
        assert_eq!(reasons(&mut owner).await, expected);
        verified(&w);
    }

    async fn attack_33_no_header_makes_the_short_cookie_needless(mut w: Warifu) {
        w.clock = true;
        w.restart().await;
        let (owner, mut passkey, device) = bound(&w).await;
        w.pass(11 * MINUTE);
        for said in [
            "quota_exceeded".to_owned(),
            "unreachable, server_error".to_owned(),
            format!("unreachable;session_identifier=\"{}\"", device.id),
        ] {
            let mut thief = owner.clone().header("secure-session-skipped", &said);
            assert_eq!(who(&mut thief).await.status, 401, "{said}");
            thief.cookies.remove(COOKIE);
            assert_eq!(who(&mut thief).await.status, 401, "{said}");
            let answer = ask(&mut thief, REFRESH, Some(&device.id), None).await;
            assert_eq!((answer.status.as_u16(), answer.header("set-cookie")), (403, ""));
        }
        let mut owner = owner;
        sign_in(&mut owner, &mut passkey).await;
        assert!(entries(&mut owner, "sign_in_refused").await.is_empty());
        assert!(entries(&mut owner, "session_revoked").await.is_empty());
        verified(&w);
    }

    async fn a_script_s_key_signs_what_is_protected(w: Warifu) {
        let link = invitation(&w, "owner@example.com", "super_administrator");
        let mut owner = w.client();
        let mut passkey = enter(&mut owner, w.base(), &link).await;
        let csrf = csrf(&mut owner).await;
        let script = owner.clone().header("x-csrf-token", &csrf).header("accept", "application/json");
        let device = Device::new();
        let what = json!({ "action": "add_factor", "parameters": {} });
        // Without a key nothing is asked for.
        assert_eq!(script.clone().json(Method::POST, "/step-up/options", &what).await.status, 200);
        assert_eq!(signed(&script, &device, "/device/key", &json!({})).await, 200);
        assert_eq!(who_am_i(&mut owner).await["device"], "script_key");
        assert_eq!(signed(&script, &device, "/device/key", &json!({})).await, 200, "again");
        assert_eq!(signed(&script, &Device::new(), "/device/key", &json!({})).await, 409);

        let answer = script.clone().json(Method::POST, "/step-up/options", &what).await;
        assert_eq!(answer.status, 403, "{}", answer.text());
        assert_eq!(answer.value()["type"], "/problems/device-proof-required");
        assert_eq!(signed(&script, &device, "/step-up/options", &what).await, 200);
        // The same signature again, and one for something else.
        let fresh = nonce(&script).await;
        let body = what.to_string();
        let proof = device.request(w.base(), "POST", "/step-up/options", &fresh, body.as_bytes());
        let mut once = script.clone().header("warifu-device", &proof);
        assert_eq!(once.json(Method::POST, "/step-up/options", &what).await.status, 200);
        assert_eq!(once.json(Method::POST, "/step-up/options", &what).await.status, 403);
        let fresh = nonce(&script).await;
        let proof = device.request(w.base(), "POST", "/step-up/verify", &fresh, body.as_bytes());
        let mut other = script.clone().header("warifu-device", &proof);
        assert_eq!(other.json(Method::POST, "/step-up/options", &what).await.status, 403);
        // A form carries it as its last field.
        let path = "/account/passkeys/99/remove";
        let answer = owner.post_form(path, &[("csrf", &csrf)]).await;
        assert_eq!(answer.status, 403);
        assert!(answer.text().contains("did not sign the request"), "{}", answer.text());
        let fields = format!("csrf={csrf}");
        let proof = device.request(w.base(), "POST", path, &nonce(&script).await, fields.as_bytes());
        let answer = owner.post_form(path, &[("csrf", &csrf), ("device", &proof)]).await;
        assert_eq!(answer.status, 404, "{}", answer.text());
        assert_eq!(who(&mut owner).await.status, 200);
        // A key of the thief's own ends it.
        assert_eq!(signed(&script, &Device::new(), "/step-up/options", &what).await, 403);
        assert_eq!(who(&mut owner).await.status, 401);
        sign_in(&mut owner, &mut passkey).await;
        let told = reasons(&mut owner).await;
        assert_eq!(told, ["key", "no_proof", "request", "challenge", "no_proof", "bound"]);
        assert_eq!(entries(&mut owner, "session_revoked").await.len(), 1);
        let told = entries(&mut owner, "enrolment").await;
        assert_eq!(told[0]["body"]["factor"], "script_key", "{told:?}");
        assert!(owner.cookies.contains_key(SESSION));
        verified(&w);
    }
}

async fn who_am_i(client: &mut Client) -> Value {
    client.clone().header("accept", "application/json").get("/api/v1/session").await.value()
}

async fn nonce(script: &Client) -> String {
    let answer = script.clone().json(Method::POST, "/device/nonce", &json!({})).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.value()["nonce"].as_str().expect("a nonce").to_owned()
}

/// Posts JSON with the signature of a device's key.
async fn signed(script: &Client, device: &Device, path: &str, body: &Value) -> u16 {
    let nonce = nonce(script).await;
    let base = script.base.origin().ascii_serialization();
    let proof = device.request(&base, "POST", path, &nonce, body.to_string().as_bytes());
    let mut script = script.clone().header("warifu-device", &proof);
    script.json(Method::POST, path, body).await.status.as_u16()
}
