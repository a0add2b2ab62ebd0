//! A protected action in the browser: the page asks for the key, for just that.

use crate::browser::{Browser, Look, Page};
use crate::story::{AGENT, OWNER, demo, enter, sound_error};
use serde_json::json;

/// On the page of one's own passkeys: adds a second one and removes the first, each with the first.
pub async fn another_key(page: &Page) {
    page.fill("#passkey-name", "second key").await;
    // The first key proves its owner, and is not taken a second time: the proof stays for the next
    // try, with another key.
    page.click("form[data-passkey=enrol] button").await;
    page.wait_for("[data-passkey-problem=refused]").await;
    page.call("WebAuthn.disable", json!({})).await;
    page.authenticator().await;
    page.leads_on(page.click("form[data-passkey=enrol] button")).await;
    page.wait_text("second key").await;
    page.leads_on(page.click("form[action$='/1/remove'] button")).await;
    page.wait_until("the first to be gone", "!document.body.innerText.includes('test key')").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_passkey_is_added_with_the_first_and_removes_it() {
    let Some(browser) = Browser::start().await else { return };
    let w = demo().await;
    let page = enter(&w, &browser, AGENT, Look::default()).await;
    page.goto(&w.url("/account/passkeys")).await;
    another_key(&page).await;
    page.assert_no_errors();
    let page = enter(&w, &browser, OWNER, Look::default()).await;
    page.goto(&w.url("/ledger")).await;
    page.wait_text("Asked again").await;
}

/// A page that was left while it made the database of keys, and that Chromium keeps for the way back: every page
/// after it waits for that database, and none may wait for long.
#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_does_not_give_its_keys_keeps_nobody_waiting() {
    let Some(browser) = Browser::start().await else { return };
    let w = demo().await;
    let page = enter(&w, &browser, AGENT, Look::default()).await;
    let make = "(() => { const open = indexedDB.open('warifu-device', 1); \
        open.onupgradeneeded = () => { const keys = open.result.createObjectStore('keys'); \
            const on = () => { keys.get(0).onsuccess = on; }; on(); }; })()";
    page.eval(make).await;
    page.goto(&w.url("/account/passkeys")).await;
    let hangs = "Promise.race([\
        new Promise((r) => { indexedDB.open('warifu-device', 1).onsuccess = () => r('opened'); }),\
        new Promise((r) => setTimeout(r, 500, 'hangs'))])";
    assert_eq!(page.eval(hangs).await, "hangs");
    another_key(&page).await;
    page.assert_no_errors();
}

/// Whoever was shown as many people as are a day's work goes on where they were, with the key.
async fn reads_on(language: &str, button: &str) {
    let Some(browser) = Browser::start().await else { return };
    let mut w = demo().await;
    w.serve = ["--reading-limit", "60"].map(str::to_owned).into();
    w.restart().await;
    let page = enter(&w, &browser, AGENT, Look::default().language(language)).await;
    page.goto(&w.url("/people")).await;
    assert_eq!(page.count("form[data-step-up=read_on]").await, 0, "fifty are fewer");
    let place = w.url("/people?after=100");
    page.goto(&place).await;
    assert!(page.text_of("form[data-step-up=read_on] button").await.contains(button));
    assert!(!page.text().await.contains('@'), "{}", page.text().await);
    sound_error(&page, &format!("read-on-{language}-wide-light")).await;
    page.size(390, 844).await;
    page.media("screen", true).await;
    sound_error(&page, &format!("read-on-{language}-phone-dark")).await;
    page.leads_on(page.click("form[data-step-up=read_on] button")).await;
    page.wait_for("main a[href^='/people/']").await;
    assert_eq!(page.url().await, place);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_read_on_with_the_key_in_english() {
    reads_on("en", "Read on").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_read_on_with_the_key_in_japanese() {
    reads_on("ja", "続けて閲覧").await;
}
