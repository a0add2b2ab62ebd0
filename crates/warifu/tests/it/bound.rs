//! A session that is bound to its device, in a real browser: with the browser's own key, and with the
//! key of the page's script where it has none.

use crate::browser::{Browser, Look, Page};
use crate::device::{COOKIE, REFRESH, ask};
use crate::http::Client;
use crate::server::{Engine, Warifu};
use crate::sign_in::{SESSION, who};
use crate::step_up::another_key;
use crate::story::{AGENT, OWNER};
use crate::terminator::Terminator;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Enrols and signs in, on pages below `origin`.
async fn enter(w: &Warifu, page: &Page, email: &str) {
    let link = w.ok("enrol", &["--email", email]);
    page.authenticator().await;
    page.goto(link.trim()).await;
    page.fill("#passkey-name", "test key").await;
    page.leads_on(page.click("form[data-passkey] button")).await;
    page.wait_for("form[data-passkey=sign-in] button").await;
    page.leads_on(page.click("form[data-passkey] button")).await;
    page.wait_for("#session").await;
}

async fn session(page: &Page) -> Value {
    page.eval("fetch('/api/v1/session').then((answer) => answer.json())").await
}

/// Waits until the session is bound to a key.
async fn is_bound(page: &Page, key: &str) {
    let until = Instant::now() + Duration::from_secs(60);
    while session(page).await["device"] != key {
        assert!(Instant::now() < until, "not bound in time: {:?}", page.errors());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// A client with the cookies of a page.
async fn copied(w: &Warifu, page: &Page) -> Client {
    let cookies = page.call("Network.getCookies", json!({})).await;
    let mut thief = w.client();
    for cookie in cookies["cookies"].as_array().into_iter().flatten() {
        let text = |name: &str| cookie[name].as_str().unwrap_or_default().to_owned();
        thief.cookies.insert(text("name"), text("value"));
    }
    thief
}

#[tokio::test(flavor = "multi_thread")]
async fn the_browser_s_own_key_keeps_the_session_and_a_copy_is_worthless() {
    let front = Terminator::listen().await;
    let features = "--enable-features=DeviceBoundSessions:RefreshQuota/false,\
                    EnableBoundSessionCredentialsSoftwareKeysForManualTesting";
    let trusted = format!("--ignore-certificate-errors-spki-list={}", front.key_digest);
    let Some(browser) = Browser::start_with(|_, command| {
        command.args([features, trusted.as_str()]);
    })
    .await
    else {
        return;
    };
    let mut w = Warifu::stopped(Engine::Sqlite);
    w.ok("demo", &["--only-make", "--people", "400"]);
    let origin = front.origin.clone();
    w.serve = ["--origin", &origin, "--device-cookie", "6"].map(str::to_owned).into();
    w.restart().await;
    front.forward(w.base());
    let page = browser.page(Look::default()).await;
    page.call("Network.enable", json!({})).await;
    enter(&w, &page, AGENT).await;
    is_bound(&page, "device").await;
    // The short cookie may end while it is copied.
    let until = Instant::now() + Duration::from_secs(60);
    let thief = loop {
        let thief = copied(&w, &page).await;
        if who(&mut thief.clone()).await.status == 200 {
            break thief;
        }
        assert!(Instant::now() < until, "a fresh copy of both");
        assert_eq!(session(&page).await["device"], "device");
    };
    assert!(thief.cookies.contains_key(COOKIE), "the browser registered no key of its own");

    tokio::time::sleep(Duration::from_secs(8)).await;
    assert_eq!(who(&mut thief.clone()).await.status, 401, "the copy outlives its cookie");
    page.goto(&format!("{origin}/cases?view=active")).await;
    page.wait_for("#rows").await;
    let own = copied(&w, &page).await;
    assert_eq!(own.cookies[SESSION], thief.cookies[SESSION]);
    assert_ne!(own.cookies[COOKIE], thief.cookies[COOKIE], "the short cookie is another");
    page.screenshot("bound-session").await;
    assert!(page.text_of("#session").await.contains("Device"), "{}", page.text().await);
    // Who comes from another site waits for the next cookie,
    page.goto(&w.url("/sign-in")).await;
    tokio::time::sleep(Duration::from_secs(8)).await;
    let link = format!("location.assign('{origin}/cases?view=active')");
    page.leads_on(async { drop(page.eval(&link).await) }).await;
    page.wait_for("#rows").await;
    let own = copied(&w, &page).await;
    // and so does a request of the page's script.
    tokio::time::sleep(Duration::from_secs(8)).await;
    assert_eq!(session(&page).await["device"], "device");
    assert_eq!(who(&mut own.clone()).await.status, 401);
    let answer = ask(&mut own.clone(), REFRESH, Some("AAAAAAAAAAAAAAAAAAAAAA"), None).await;
    assert_eq!(answer.status, 401, "a copy fetches no cookie");
    page.assert_no_errors();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_key_of_the_browser_the_page_s_script_signs_what_is_protected() {
    let Some(browser) = Browser::start().await else { return };
    let mut w = Warifu::stopped(Engine::Sqlite);
    w.ok("demo", &["--only-make", "--people", "400"]);
    w.restart().await;
    let page = browser.page(Look::default()).await;
    page.call("Network.enable", json!({})).await;
    enter(&w, &page, OWNER).await;
    is_bound(&page, "script_key").await;
    let mut thief = copied(&w, &page).await;
    assert!(!thief.cookies.contains_key(COOKIE), "there is no TLS");
    // The key cannot be read, only used.
    let kept = "new Promise((done) => { const open = indexedDB.open('warifu-device'); \
        open.onsuccess = () => { const get = open.result.transaction('keys').objectStore('keys').get('session'); \
        get.onsuccess = () => done(get.result.pair.privateKey.extractable); }; })";
    assert_eq!(page.eval(kept).await, false);

    // What is protected goes on in this browser, also on a page that was opened later,
    page.goto(&w.url("/account/passkeys")).await;
    another_key(&page).await;
    page.goto(&w.url("/reports/new")).await;
    page.fill("#name", "All users").await;
    page.leads_on(page.click(".box-head button[name=do][value=preview]")).await;
    page.fill("#purpose", "Asked for by the auditors.").await;
    page.leads_on(page.click("button[name=do][value=ask]")).await;
    let folder = tempfile::tempdir().expect("a folder");
    page.downloads_to(folder.path()).await;
    page.click("form[action$='/download'] button").await;
    let file = page.downloaded(folder.path()).await;
    let text = std::fs::read_to_string(&file).expect("UTF-8");
    assert!(text.starts_with("Created Date,Last Login,Full Name,"), "{}", &text[..80]);
    page.assert_no_errors();
    // and nowhere else.
    let own = copied(&w, &page).await;
    thief.cookies = own.cookies;
    let form = thief.get("/account/passkeys").await.form("action", "/sign-out");
    let mut script =
        thief.header("x-csrf-token", &form.fields[0].1).header("accept", "application/json");
    let what = json!({ "action": "add_factor", "parameters": {} });
    let answer = script.json(hyper::Method::POST, "/step-up/options", &what).await;
    assert_eq!(answer.status, 403, "{}", answer.text());
    assert_eq!(answer.value()["type"], "/problems/device-proof-required");
}
