//! An organization's administrator takes a feature before its turn, with their key, and ends a session
//! of somebody of theirs, in a real browser. In English and in Japanese; screenshots are kept.

use crate::browser::{Browser, Look};
use crate::password::allow;
use crate::security::Vendor;
use crate::story::{CUSTOMER, at_every_look, at_two_looks, demo, enter, sound};
use serde_json::{Value, json};

async fn early_access(language: &str) {
    let Some(browser) = Browser::start().await else { return };
    let w = demo().await;
    let look = || Look::default().language(language);
    let shot = |name: &str| format!("security-{language}-{name}");

    let mut vendor = Vendor::new(&w).await;
    let found = vendor.owner.client.get("/api/v1/people?limit=200").await.value();
    let people = found["people"].as_array().expect("people");
    let of = |email: &str| people.iter().find(|p| p["record"]["email"] == email).expect("a person");
    let organization = of(CUSTOMER)["organization"].as_i64().expect("an organization");
    let user = |p: &&Value| p["organization"] == organization && p["roles"] == json!([]);
    let user = people.iter().find(user).expect("a user")["record"]["email"].clone();
    let user = user.as_str().expect("an address");
    // It is reported from when their session begins; two features wait for somebody who wants them.
    let plan = json!({ "stage": "preview", "at": "2126-12-04T00:00:00Z" });
    let early = json!({ "stage": "early_access", "report_only": false, "plan": plan });
    vendor.stage("network_binding", &early).await;
    let reported = json!({ "stage": "everyone", "report_only": true });
    vendor.stage("device_binding", &reported).await;
    allow(&w, &mut vendor.owner, organization, true, false).await;

    let theirs = enter(&w, &browser, user, look()).await;
    let page = enter(&w, &browser, CUSTOMER, look()).await;
    page.goto(&w.url("/portal/cases")).await;
    page.leads_on(page.click("nav a[href='/security']")).await;
    at_every_look(&page, &shot("features")).await;
    assert_eq!(page.count("form[data-step-up=choose_feature]").await, 2);
    let before = page.text_of("#network_binding .pill").await;
    // By the keyboard alone.
    page.eval("document.querySelector('#network_binding form button').focus()").await;
    page.leads_on(page.press("Enter")).await;
    page.wait_gone("#network_binding form").await;
    assert_ne!(page.text_of("#network_binding .pill").await, before);
    assert_eq!(page.count("form[data-step-up=choose_feature]").await, 1, "the other still waits");
    at_two_looks(&page, &shot("chosen")).await;

    page.leads_on(page.click("main .acts a[href='/security/sessions']")).await;
    at_every_look(&page, &shot("sessions")).await;
    page.leads_on(page.click("main form[action$='/end'] button")).await;
    page.wait_gone("main form[action$='/end']").await;
    theirs.goto(&w.url("/portal/cases")).await;
    theirs.wait_until("to be asked to sign in", "location.pathname === '/sign-in'").await;

    // A notice of a new stage leads there.
    vendor.stage("network_binding", &json!({ "stage": "production", "report_only": false })).await;
    page.goto(&w.url("/account/notices")).await;
    sound(&page, &shot("notices")).await;
    page.leads_on(page.click("main a[href='/security']")).await;
    page.wait_for("#network_binding").await;
    page.assert_no_errors();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_takes_a_feature_before_its_turn() {
    early_access("en").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_takes_a_feature_before_its_turn_in_japanese() {
    early_access("ja").await;
}
