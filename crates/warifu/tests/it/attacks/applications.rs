//! 36: applications behind real proxies. What passes is the session of somebody who may enter, on the
//! network where it was opened, for as long as it holds; and nothing else.

use super::{entries, reaches, verified};
use crate::http::{Answer, Client};
use crate::identity_provider::another;
use crate::passkey::Passkey;
use crate::proxies::{Kind, Proxy, application};
use crate::server::Warifu;
use crate::sign_in::{enter, invitation, sign_in, who};
use hyper::Method;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

const COOKIE: &str = "__Host-warifu-application";
const ENTRY: &str = "__Host-warifu-entry";

/// A super administrator on a server behind proxies on this machine.
async fn administrator(w: &mut Warifu) -> (Client, Passkey) {
    w.serve = ["--trusted-proxy", "127.0.0.0/8"].map(str::to_owned).into();
    w.restart().await;
    let link = invitation(w, "owner@example.com", "super_administrator");
    let mut owner = w.client();
    let passkey = enter(&mut owner, w.base(), &link).await;
    (owner, passkey)
}

async fn csrf(client: &mut Client) -> String {
    client.get("/account/passkeys").await.form("action", "/sign-out").fields[0].1.clone()
}

/// Does something protected through the API, with the key.
pub async fn with_key(
    owner: &mut Client,
    passkey: &mut Passkey,
    (action, parameters): (&str, Value),
    (method, path): (Method, &str),
) -> Answer {
    let token = csrf(owner).await;
    let what = json!({ "action": action, "parameters": parameters });
    let proof = owner.prove(&token, what, passkey).await;
    assert_eq!(proof.status, 200, "{}", proof.text());
    let mut body = parameters;
    body["step_up"] = proof.value()["step_up"].clone();
    let token = csrf(owner).await;
    let mut program =
        owner.clone().header("x-csrf-token", &token).header("accept", "application/json");
    program.json(method, path, &body).await
}

/// An application behind a proxy, as it is declared.
fn proxied(origin: &str, role: &str, max_age: &str) -> Value {
    json!({
        "name": "Builds", "kind": "forward_auth", "origin": origin, "redirect_uris": "", "logout_uris": "",
        "backchannel_uri": "", "role": role, "max_age": max_age, "acr": "phr", "public": "",
    })
}

async fn declare(owner: &mut Client, passkey: &mut Passkey, wanted: Value) -> i64 {
    let to = (Method::POST, "/api/v1/applications");
    let made = with_key(owner, passkey, ("add_application", wanted), to).await;
    assert_eq!(made.status, 201, "{}", made.text());
    made.value()["id"].as_i64().expect("an id")
}

/// From a page of the application to sign-in and back, as a browser with both hosts' cookies goes.
/// Gives the answer at which it stops.
async fn walk(here: &mut Client, there: &mut Client, path: &str) -> Answer {
    let mut answer = there.get(path).await;
    for _ in 0..10 {
        if !answer.status.is_redirection() {
            return answer;
        }
        let to = answer.url.join(&answer.location()).expect("an address");
        let client = if to.origin() == here.base.origin() { &mut *here } else { &mut *there };
        answer = client.get(to.as_str()).await;
    }
    panic!("{path} leads in circles")
}

/// A browser's window at an application.
fn window(base: &str) -> Client {
    Client::new(base).without_header("origin").header("sec-fetch-mode", "navigate")
}

/// What a script of the application's page gets: no redirect.
async fn fetched(client: &Client) -> u16 {
    let mut script = client.clone().header("sec-fetch-mode", "cors");
    script.get("/data").await.status.as_u16()
}

/// A proxy's question about a request with a cookie, asked directly.
async fn asked(w: &Warifu, origin: &str, cookie: &str, more: &[(&str, &str)]) -> Answer {
    asked_to_tell(w, origin, cookie, "", more).await
}

/// The same with a query.
async fn asked_to_tell(
    w: &Warifu,
    origin: &str,
    cookie: &str,
    query: &str,
    more: &[(&str, &str)],
) -> Answer {
    let (scheme, host) = origin.split_once("://").expect("an origin");
    let mut proxy = w.client().header("x-forwarded-proto", scheme).header("x-forwarded-host", host);
    proxy.cookies.insert(COOKIE.to_owned(), cookie.to_owned());
    for (name, value) in more {
        proxy.headers.insert((*name).to_owned(), (*value).to_owned());
    }
    proxy.get(&format!("/auth/verify{query}")).await
}

/// The protected actions on applications, newest first.
async fn done(owner: &mut Client) -> Vec<String> {
    let told = entries(owner, "protected_action").await;
    let actions = told.iter().map(|e| e["body"]["action"].as_str().unwrap_or("-").to_owned());
    actions.filter(|action| action != "invite").collect()
}

on_both! {
    async fn attack_36_nothing_but_a_session_that_holds_passes_a_proxy(mut w: Warifu) {
        let (mut owner, mut passkey) = administrator(&mut w).await;
        let behind = application().await;
        let mut others: Option<String> = None;
        for kind in Kind::ALL {
            let proxy = Proxy::start(kind, w.base(), &behind).await;
            let mut browser = window(&proxy.base);
            assert_eq!(fetched(&browser).await, 403, "{kind:?}: undeclared");
            declare(&mut owner, &mut passkey, proxied(&proxy.base, "super_administrator", "")).await;

            // Nobody, whatever they call themselves.
            let spoofed = |c: &Client| {
                ["remote-user", "remote_user", "remote-groups", "remote-email", "remote-acr", "x-forwarded-user"]
                    .iter().fold(c.clone(), |c, name| c.header(name, "999"))
            };
            assert_eq!(fetched(&browser).await, 401, "{kind:?}");
            assert_eq!(fetched(&spoofed(&browser)).await, 401, "{kind:?}");
            let first = browser.get("/a?b=c&d=//e.example").await;
            let start = format!("{}/.warifu/start?to=%2Fa%3Fb%3Dc%26d%3D%2F%2Fe.example", proxy.base);
            assert_eq!((first.status.as_u16(), first.location()), (302, start), "{kind:?}");

            // Somebody who may enter, and who they are.
            let page = walk(&mut owner, &mut browser, "/a?b=c&d=//e.example").await;
            assert_eq!(page.status, 200, "{kind:?}: {}", page.text());
            browser.cookies.insert("theirs".into(), "1".into());
            let page = spoofed(&browser).get("/a?b=c").await.value();
            for (name, value) in [
                ("path", "/a?b=c"), ("remote-user", "1"), ("remote-email", "owner@example.com"),
                ("remote-groups", "super_administrator"), ("remote-acr", "phrh"), ("cookie", "theirs=1"),
            ] {
                assert_eq!(page[name], value, "{kind:?}: {page}");
            }
            assert!(page["remote-auth-time"].as_str().is_some_and(|t| t.len() == 10), "{page}");
            assert!(page.get("remote_user").is_none(), "{kind:?}: {page}");
            assert!(browser.get("/.warifu/verify").await.status != 200, "{kind:?}: the question itself is no page");

            // What was read a moment ago gives the same answer, and to nobody else.
            let good = browser.cookies[COOKIE].clone();
            tokio::time::sleep(Duration::from_millis(150)).await;
            let mut answers = Vec::new();
            for _ in 0..3 {
                let answer = asked(&w, &proxy.base, &good, &[]).await;
                assert_eq!(answer.status, 204, "{kind:?}");
                let mut headers = answer.headers.clone();
                headers.remove("date");
                answers.push(headers);
            }
            assert!(answers[0].contains_key("remote-user") && answers[0].contains_key("cache-control"));
            assert!(answers.iter().all(|headers| *headers == answers[0]), "{kind:?}: {answers:?}");
            assert_ne!(asked(&w, "http://elsewhere.example", &good, &[]).await.status, 204);

            // An application that need not know more is told no more, at once and after a while.
            for wait in [0, 150, 0] {
                tokio::time::sleep(Duration::from_millis(wait)).await;
                for (tell, names) in [
                    ("user", &["cache-control", "remote-user"][..]),
                    ("groups,user", &["cache-control", "remote-groups", "remote-user"]),
                    ("auth-time%2C+acr", &["cache-control", "remote-acr", "remote-auth-time"]),
                ] {
                    let answer = asked_to_tell(&w, &proxy.base, &good, &format!("?tell={tell}"), &[]).await;
                    assert_eq!(answer.status, 204, "{}", answer.text());
                    let mut told: Vec<&str> = answer.headers.keys().map(|n| n.as_str()).filter(|n| !["date", "connection"].contains(n)).collect();
                    told.sort_unstable();
                    assert_eq!(told, names);
                    assert!(told.iter().all(|n| answer.headers[*n] == answers[0][*n]), "{tell}");
                }
                for query in ["?tell=", "?tell=user,password", "?answer=redirect&tell=remote-user"] {
                    let answer = asked_to_tell(&w, &proxy.base, &good, query, &[("accept", "application/json")]).await;
                    assert_eq!(answer.status, 422, "{query}: {}", answer.text());
                    assert_eq!((&answer.value()["type"], &answer.value()["field"]), (&json!("/problems/invalid"), &json!("tell")));
                    assert!(!answer.headers.contains_key("remote-user"), "{query}");
                }
            }

            // Cookies of any other kind.
            let session = owner.cookies["__Host-warifu"].clone();
            let other = others.replace(good.clone()).unwrap_or_default();
            for cookie in ["", "garbage", &good[1..], &session, &other, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
                let mut thief = window(&proxy.base);
                thief.cookies.insert(COOKIE.to_owned(), cookie.to_owned());
                assert_eq!(fetched(&thief).await, 401, "{kind:?}: {cookie}");
            }
            // A step-up changes the session's token, not what it is.
            let what = json!({ "action": "add_factor", "parameters": {} });
            let token = csrf(&mut owner).await;
            assert_eq!(owner.prove(&token, what, &mut passkey).await.status, 200);
            assert_eq!(fetched(&browser).await, 200, "{kind:?}: after a step-up");

            // The next request after the end of the session.
            let form = owner.get("/account/passkeys").await.form("action", "/sign-out");
            assert_eq!(owner.submit(&form, &[]).await.location(), "/signed-out");
            assert_eq!(fetched(&browser).await, 401, "{kind:?}: after sign-out");
            sign_in(&mut owner, &mut passkey).await;
            assert_eq!(fetched(&browser).await, 401, "{kind:?}: and not by another session");
            assert_eq!(walk(&mut owner, &mut browser, "/").await.status, 200, "{kind:?}");
        }
        assert_eq!(entries(&mut owner, "sign_out").await.len(), 2);
        assert_eq!(done(&mut owner).await, ["add_application", "add_application"]);
        assert_eq!(entries(&mut owner, "policy_change").await[0]["body"]["policy"], "application:2");
        verified(&w);
    }

    async fn attack_36_nobody_tells_an_application_what_it_did_not_ask_for(mut w: Warifu) {
        let (mut owner, mut passkey) = administrator(&mut w).await;
        let behind = application().await;
        for kind in Kind::ALL {
            let proxy = Proxy::telling(kind, w.base(), &behind, Some("user,acr")).await;
            let mut browser = window(&proxy.base);
            declare(&mut owner, &mut passkey, proxied(&proxy.base, "super_administrator", "")).await;
            assert_eq!(walk(&mut owner, &mut browser, "/").await.status, 200);
            for name in ["user", "email", "name", "groups", "acr", "auth-time"] {
                browser = browser.header(&format!("remote-{name}"), "999");
            }
            let page = browser.get("/a").await.value();
            assert_eq!((&page["remote-user"], &page["remote-acr"]), (&json!("1"), &json!("phrh")), "{kind:?}");
            for name in ["email", "name", "groups", "auth-time"] {
                let said = page.get(format!("remote-{name}"));
                assert!(said.is_none_or(|said| said == ""), "{kind:?}: {page}");
            }
        }
    }

    async fn attack_36_no_request_that_starts_after_the_end_passes(mut w: Warifu) {
        let (mut owner, mut passkey) = administrator(&mut w).await;
        let behind = application().await;
        for kind in Kind::ALL {
            let proxy = Proxy::start(kind, w.base(), &behind).await;
            let mut browser = window(&proxy.base);
            declare(&mut owner, &mut passkey, proxied(&proxy.base, "super_administrator", "")).await;
            assert_eq!(walk(&mut owner, &mut browser, "/").await.status, 200);
            let ended = Arc::new(AtomicBool::new(false));
            let served = Arc::new(AtomicUsize::new(0));
            let racing: Vec<_> = (0..20).map(|_| {
                let (browser, ended, served) = (browser.clone(), ended.clone(), served.clone());
                tokio::spawn(async move {
                    loop {
                        let late = ended.load(Ordering::SeqCst);
                        let status = fetched(&browser).await;
                        assert!(!late || status == 401, "served after the end: {status}");
                        served.fetch_add(usize::from(status == 200), Ordering::SeqCst);
                        if late {
                            return;
                        }
                    }
                })
            }).collect();
            reaches(&served, 100).await;
            let form = owner.get("/account/passkeys").await.form("action", "/sign-out");
            assert_eq!(owner.submit(&form, &[]).await.location(), "/signed-out");
            ended.store(true, Ordering::SeqCst);
            for task in racing {
                task.await.unwrap();
            }
            sign_in(&mut owner, &mut passkey).await;
        }
        assert_eq!(entries(&mut owner, "sign_out").await.len(), 2);
        verified(&w);
    }

    async fn attack_36_what_is_taken_away_is_felt_by_the_next_request(mut w: Warifu) {
        let (mut owner, mut passkey) = administrator(&mut w).await;
        let behind = application().await;
        let proxy = Proxy::start(Kind::Nginx, w.base(), &behind).await;
        let id = declare(&mut owner, &mut passkey, proxied(&proxy.base, "agent", "")).await;
        let mut agent = w.client();
        let link = invitation(&w, "agent@example.com", "agent");
        enter(&mut agent, w.base(), &link).await;
        let mut browser = window(&proxy.base);
        assert_eq!(walk(&mut owner, &mut window(&proxy.base), "/").await.status, 403, "not the owner's");
        assert_eq!(walk(&mut agent, &mut browser, "/").await.status, 200);

        // A cookie that is carried to another network is dead in both, with the session.
        let stolen = browser.clone().header("x-forwarded-for", "203.0.113.66");
        assert_eq!(fetched(&browser).await, 200);
        assert_eq!(fetched(&stolen).await, 401, "from another network");
        assert_eq!(fetched(&browser).await, 401, "it goes on where it was opened");
        assert_eq!(who(&mut agent).await.status, 401, "the session goes on");
        let told = entries(&mut owner, "session_revoked").await;
        assert_eq!(told[0]["body"]["reason"], "other_network");
        assert_eq!(told[0]["network"], json!({ "prefix": "203.0.113.0/24" }));

        // A role.
        let mut second = w.client();
        let link = invitation(&w, "second@example.com", "agent");
        enter(&mut second, w.base(), &link).await;
        let mut browser = window(&proxy.base);
        assert_eq!(walk(&mut second, &mut browser, "/").await.status, 200);
        let page = owner.get("/people/3").await;
        let mut form = page.form("action", "/people/3/roles");
        form.fields.retain(|(name, _)| name != "role");
        form.fields.push(("role".to_owned(), "responder".to_owned()));
        let form = owner.step_up(form, &mut passkey).await;
        assert_eq!(owner.submit(&form, &[]).await.status, 303);
        assert_eq!(fetched(&browser).await, 403, "after the role");

        // The policy, then the application itself.
        let mut third = another(&w).await;
        let mut wanted = proxied(&proxy.base, "responder", "");
        wanted["application"] = id.to_string().into();
        let path = format!("/api/v1/applications/{id}");
        let changed = with_key(&mut owner, &mut passkey, ("change_application", wanted.clone()), (Method::PUT, &path)).await;
        assert_eq!(changed.status, 202, "{}", changed.text());
        assert_eq!(fetched(&browser).await, 403, "one person lets nobody in");
        third.agrees().await;
        assert_eq!(fetched(&browser).await, 200);
        // Not without the key for just this.
        let token = csrf(&mut owner).await;
        let mut program = owner.clone().header("x-csrf-token", &token).header("accept", "application/json");
        wanted["role"] = "agent".into();
        let refused = program.json(Method::PUT, &path, &wanted).await;
        assert_eq!((refused.status.as_u16(), &refused.value()["type"]), (403, &json!("/problems/step-up-required")));
        let removed = json!({ "application": id.to_string() });
        let gone = with_key(&mut owner, &mut passkey, ("remove_application", removed), (Method::DELETE, &path)).await;
        assert_eq!(gone.status, 204, "{}", gone.text());
        assert_eq!(fetched(&browser).await, 403, "nobody declared it");
        let done = done(&mut owner).await;
        assert_eq!(done, ["remove_application", "change_application", "approve", "change_application", "add_application"]);
        verified(&w);
    }

    async fn attack_36_a_request_that_names_another_application_is_not_for_this_one(mut w: Warifu) {
        let (mut owner, mut passkey) = administrator(&mut w).await;
        let behind = application().await;
        for kind in Kind::ALL {
            let wiki = Proxy::start(kind, w.base(), &behind).await;
            let builds = Proxy::start(kind, w.base(), &behind).await;
            declare(&mut owner, &mut passkey, proxied(&wiki.base, "super_administrator", "")).await;
            declare(&mut owner, &mut passkey, proxied(&builds.base, "responder", "")).await;
            let mut browser = window(&wiki.base);
            let page = walk(&mut owner, &mut browser, "/").await;
            assert_eq!(page.status, 200);
            let host = wiki.base.strip_prefix("http://").unwrap();
            for host in [host.to_owned(), host.replace('.', "%2e")] {
                let mut other = window(&builds.base).header("host", &host);
                other.cookies.clone_from(&browser.cookies);
                let answer = other.get("/").await;
                assert_ne!(answer.text(), page.text(), "{kind:?} {host}");
                assert!(answer.status != 200 || answer.text().is_empty(), "{}", answer.text());
            }
        }
        verified(&w);
    }

    async fn attack_36_a_code_is_for_one_browser_one_application_once(mut w: Warifu) {
        let (mut owner, mut passkey) = administrator(&mut w).await;
        let behind = application().await;
        let proxies = [Proxy::start(Kind::Nginx, w.base(), &behind).await, Proxy::start(Kind::Nginx, w.base(), &behind).await];
        for proxy in &proxies {
            declare(&mut owner, &mut passkey, proxied(&proxy.base, "super_administrator", "")).await;
        }
        let code = async |owner: &mut Client, browser: &mut Client| {
            let start = browser.get("/.warifu/start?to=/a").await.location();
            owner.get(&start).await.location()
        };
        // In a browser that did not ask for it: somebody else's session is put upon nobody.
        let (mut asked_for_it, mut victim) = (window(&proxies[0].base), window(&proxies[0].base));
        let callback = code(&mut owner, &mut asked_for_it).await;
        assert_eq!(victim.get(&callback).await.status, 403);
        assert_eq!(asked_for_it.get(&callback).await.status, 403, "it was used up");
        // At another application.
        let mut elsewhere = window(&proxies[1].base);
        let callback = code(&mut owner, &mut asked_for_it).await;
        elsewhere.cookies.insert(ENTRY.to_owned(), asked_for_it.cookies[ENTRY].clone());
        let there = callback.replace(&proxies[0].base, &proxies[1].base);
        assert_eq!(elsewhere.get(&there).await.status, 403);
        // A second time: what came of the first is over.
        let callback = code(&mut owner, &mut asked_for_it).await;
        let secret = asked_for_it.cookies[ENTRY].clone();
        assert_eq!(asked_for_it.get(&callback).await.location(), "/a");
        assert_eq!(fetched(&asked_for_it).await, 200);
        asked_for_it.cookies.insert(ENTRY.to_owned(), secret);
        assert_eq!(asked_for_it.get(&callback).await.status, 403);
        assert_eq!(fetched(&asked_for_it).await, 401, "what a replayed code gave goes on");
        // Nowhere but to declared applications.
        for to in ["//evil.example", "https://evil.example/", "/\\evil.example", "/\tevil"] {
            let to: String = url::form_urlencoded::byte_serialize(to.as_bytes()).collect();
            let start = asked_for_it.get(&format!("/.warifu/start?to={to}")).await.location();
            assert!(start.starts_with(&w.url("/applications/1/enter?browser=")) && start.ends_with("&to=%2F"), "{start}");
        }
        let cookie = asked_for_it.cookies[COOKIE].clone();
        for origin in ["https://evil.example", "http://127.0.0.1"] {
            let answer = asked(&w, origin, &cookie, &[]).await;
            assert_eq!((answer.status.as_u16(), answer.header("location")), (403, ""), "{origin}");
        }
        verified(&w);
    }

    async fn attack_40_an_application_s_cookie_in_a_recording_ends_the_session(mut w: Warifu) {
        let (mut owner, mut passkey) = administrator(&mut w).await;
        let behind = application().await;
        let proxy = Proxy::start(Kind::Nginx, w.base(), &behind).await;
        declare(&mut owner, &mut passkey, proxied(&proxy.base, "agent", "")).await;
        let mut victim = w.client();
        let link = invitation(&w, "agent@example.com", "agent");
        enter(&mut victim, w.base(), &link).await;
        let mut browser = window(&proxy.base);
        assert_eq!(walk(&mut victim, &mut browser, "/").await.status, 200);
        let cookie = format!("{COOKIE}={}; x=s3cr3t", browser.cookies[COOKIE]);
        let recording = crate::story::HAR.replace("sid=s3cr3t", &cookie);
        let token = csrf(&mut owner).await;
        let mut program = owner.clone().header("x-csrf-token", &token).header("accept", "application/json");
        let new = json!({ "subject": "Help", "body": "Please", "requester": 1 });
        let case = program.json(Method::POST, "/api/v1/cases", &new).await.value()["id"].clone();
        let files = [("files", "session.har", "application/json", recording.as_bytes())];
        let fields = [("body", "the recording"), ("note", "true")];
        let sent = program.upload(&format!("/api/v1/cases/{case}/files"), &fields, &files).await;
        assert_eq!(sent.status, 201, "{}", sent.text());
        assert_eq!(fetched(&browser).await, 401, "it goes on at the application");
        assert_eq!(who(&mut victim).await.status, 401, "it goes on here");
        assert_eq!(entries(&mut owner, "session_revoked").await[0]["body"]["reason"], "recorded");
        verified(&w);
    }

    async fn attack_36_a_proxy_that_nobody_declared_is_told_nothing(mut w: Warifu) {
        let (mut owner, mut passkey) = administrator(&mut w).await;
        let behind = application().await;
        let proxy = Proxy::start(Kind::Caddy, w.base(), &behind).await;
        declare(&mut owner, &mut passkey, proxied(&proxy.base, "super_administrator", "")).await;
        let mut browser = window(&proxy.base);
        assert_eq!(walk(&mut owner, &mut browser, "/").await.status, 200);
        let cookie = browser.cookies[COOKIE].clone();
        assert_eq!(asked(&w, &proxy.base, &cookie, &[]).await.status, 204);
        w.serve = ["--trusted-proxy", "10.0.0.1"].map(str::to_owned).into();
        w.restart().await;
        let answer = asked(&w, &proxy.base, &cookie, &[]).await;
        assert_eq!((answer.status.as_u16(), answer.header("remote-user")), (403, ""));
        verified(&w);
    }

    async fn attack_36_polling_an_application_keeps_no_session_alive(mut w: Warifu) {
        w.clock = true;
        let (mut owner, mut passkey) = administrator(&mut w).await;
        let behind = application().await;
        let proxy = Proxy::start(Kind::Nginx, w.base(), &behind).await;
        declare(&mut owner, &mut passkey, proxied(&proxy.base, "super_administrator", "20")).await;
        let mut browser = window(&proxy.base);
        assert_eq!(walk(&mut owner, &mut browser, "/").await.status, 200);
        let mut minute = 0;
        // Somebody who goes from page to page stays in …
        for _ in 0..2 {
            minute += 9;
            w.pass(minute * 60);
            assert_eq!(browser.clone().header("sec-fetch-user", "?1").get("/").await.status, 200, "{minute}");
        }
        // … until they have to prove once more who they are, as this application wants it,
        minute += 3;
        w.pass(minute * 60);
        assert_eq!(fetched(&browser).await, 401, "proved 21 minutes ago");
        let again = walk(&mut owner, &mut browser, "/").await;
        assert!(again.url.query().is_some_and(|q| q.starts_with("again=1&next=%2Fapplications%2F1")), "{}", again.url);
        assert_eq!(owner.passkey(&again, &mut passkey).await.status, 204);
        assert_eq!(walk(&mut owner, &mut browser, "/").await.status, 200);
        // … and a page that asks by itself does not keep anybody in.
        for _ in 0..14 {
            minute += 1;
            w.pass(minute * 60);
            assert_eq!(fetched(&browser).await, 200, "{minute}");
            assert_eq!(browser.get("/").await.status, 200, "a page that loads itself anew");
        }
        w.pass((minute + 1) * 60 + 1);
        assert_eq!(fetched(&browser).await, 401, "polled all the time");
        sign_in(&mut owner, &mut passkey).await;
        assert_eq!(entries(&mut owner, "sign_out").await[0]["body"]["reason"], "idle");
        verified(&w);
    }
}
