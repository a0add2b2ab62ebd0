//! A check of a caller, in a real browser: the agent, the caller on a phone, the second person with a
//! key of their own; then the owner enrols anew. In English and in Japanese; screenshots are kept.

use crate::attacks::helpdesk::people::{DAY, PHONE, Somebody};
use crate::browser::{Browser, Look, Page};
use crate::server::{Engine, Warifu};
use crate::story::{at_every_look, at_two_looks, sound};

const MINUTE: i64 = 60;

/// Enrols by a link in a page of its own; the page is signed in then.
async fn enter(browser: &Browser, link: &str, look: Look) -> Page {
    let page = browser.page(look).await;
    enrol(&page, link).await;
    page
}

async fn enrol(page: &Page, link: &str) {
    page.authenticator().await;
    page.goto(link).await;
    page.fill("#passkey-name", "test key").await;
    page.leads_on(page.click("form[data-passkey] button")).await;
    page.wait_for("form[data-passkey=sign-in] button").await;
    page.leads_on(page.click("form[data-passkey] button")).await;
    page.wait_until("to be signed in", "!location.pathname.startsWith('/sign-in')").await;
}

async fn check(language: &str) {
    let Some(browser) = Browser::start().await else { return };
    let mut w = Warifu::stopped(Engine::Sqlite);
    w.clock = true;
    w.serve = ["--reset-delay", "15m"].map(str::to_owned).into();
    w.restart().await;
    let look = || Look::default().language(language);
    let shot = |name: &str| format!("check-{language}-{name}");
    let link = |w: &Warifu, name: &str, role: &str| {
        let email = format!("{name}@hashira.example");
        let said = w.ok("enrol", &["--email", &email, "--full-name", name, "--role", role]);
        said.trim().to_owned()
    };
    let mut root = Somebody::invited(&w, "root@hashira.example", "super_administrator").await;
    let of_owner = link(&w, "Irma-Vidal", "administrator");
    let owner = enter(&browser, &of_owner, look()).await;
    let found = root.api(hyper::Method::GET, "/api/v1/people", serde_json::json!({})).await.value();
    let people = found["people"].as_array().expect("people").clone();
    let person = people
        .iter()
        .find(|p| p["record"]["full_name"] == "Irma-Vidal")
        .and_then(|p| p["id"].as_i64())
        .expect("the owner");
    root.number(person, PHONE).await;
    w.pass(31 * DAY);
    root.again(&w).await;

    let agent = enter(&browser, &link(&w, "Kenji-Sato", "agent"), look()).await;
    agent.goto(&w.url("/verifications")).await;
    sound(&agent, &shot("list-none")).await;
    agent.goto(&w.url(&format!("/people/{person}"))).await;
    agent.leads_on(agent.click("a[href^='/verifications/new']")).await;
    at_two_looks(&agent, &shot("new")).await;
    agent.fill("#caller", "Irma Vidal").await;
    agent.fill("#reason", "Phone replaced; the security key is at the other office").await;
    agent.leads_on(agent.click("main form button[type=submit]")).await;
    let path = agent.eval("location.pathname").await.as_str().unwrap_or_default().to_owned();
    at_every_look(&agent, &shot("1-call")).await;
    // By the keyboard alone.
    agent.eval("document.querySelector('input[name=number]').focus()").await;
    agent.press(" ").await;
    agent.leads_on(agent.press("Enter")).await;
    agent.wait_for("input[name=same_person]").await;
    at_two_looks(&agent, &shot("2-look")).await;
    for name in ["same_person", "moved", "unhurried"] {
        agent.click(&format!("input[name={name}]")).await;
    }
    // A colleague vouches, with their own key.
    let colleague = enter(&browser, &link(&w, "Mei-Ito", "agent"), look()).await;
    agent.fill("input[name=colleague]", "Mei-Ito@hashira.example").await;
    agent.leads_on(agent.click("form[action$='/look'] button")).await;
    colleague.goto(&w.url(&format!("{path}/vouch"))).await;
    at_two_looks(&colleague, &shot("2-vouch")).await;
    colleague.leads_on(colleague.click("form[data-step-up=vouch] button")).await;
    colleague.wait_for("p.match").await;
    colleague.assert_no_errors();
    agent.goto(&w.url(&path)).await;
    agent.wait_for("form[action$='/tally'] button").await;
    sound(&agent, &shot("3-code")).await;
    agent.leads_on(agent.click("form[action$='/tally'] button")).await;
    agent.wait_for("p.digits").await;
    at_every_look(&agent, &shot("3-halves")).await;

    // The caller, in a browser of their own.
    let code = agent.text_of("section[aria-labelledby=halves-h] .box-head b").await;
    let half = agent.text_of("p.digits").await;
    let caller = browser.page(Look::phone().language(language)).await;
    caller.goto(&w.url("/verify")).await;
    at_two_looks(&caller, &shot("caller-code")).await;
    caller.fill("#code", &code.to_lowercase()).await;
    caller.leads_on(caller.click("form button")).await;
    caller.wait_for("p.digits").await;
    at_every_look(&caller, &shot("caller-half")).await;
    let theirs = caller.text_of("p.digits").await;
    caller.fill("#half", &half).await;
    caller.leads_on(caller.click("form[action^='/verify/'] button")).await;
    caller.wait_for(".match").await;
    agent.fill("#half", &theirs).await;
    agent.leads_on(agent.click("form[action$='/half'] button")).await;
    agent.wait_gone("#half").await;
    caller.goto(&caller.url().await).await;
    caller.wait_for("[data-match=yes]").await;
    at_two_looks(&caller, &shot("caller-fits")).await;

    // The second person, whose list says that it waits for them.
    let approver = enter(&browser, &link(&w, "Aiko-Mori", "administrator"), look()).await;
    approver.goto(&w.url("/verifications")).await;
    at_every_look(&approver, &shot("list")).await;
    approver.leads_on(approver.click("main h2 a")).await;
    at_every_look(&approver, &shot("4-approve")).await;
    approver.leads_on(approver.click("form[action$='/approve'] button")).await;
    approver.wait_gone("form[action$='/approve']").await;
    sound(&approver, &shot("5-delay")).await;
    agent.goto(&w.url(&path)).await;
    assert_eq!(agent.count("form[action$='/done']").await, 0, "the delay runs");

    w.pass(31 * DAY + 8 * MINUTE);
    agent.goto(&w.url("/verifications")).await;
    w.pass(31 * DAY + 16 * MINUTE);
    agent.goto(&w.url(&path)).await;
    at_two_looks(&agent, &shot("6-ready")).await;
    agent.leads_on(agent.click("form[action$='/done'] button")).await;
    agent.wait_for("#invitation").await;
    at_two_looks(&agent, &shot("7-link")).await;
    let invited = agent.text_of("#invitation").await;
    agent.goto(&w.url(&path)).await;
    assert_eq!(agent.count("#invitation").await, 0, "shown once");
    sound(&agent, &shot("8-done")).await;

    // The owner is out everywhere, and in again with a new key.
    owner.goto(&w.url("/account/passkeys")).await;
    owner.wait_until("to be asked to sign in", "location.pathname === '/sign-in'").await;
    // The link opens where the caller compared the halves, and nowhere else.
    let path = invited.trim().strip_prefix(w.base()).expect("a link to this server");
    assert_eq!(w.client().get(path).await.status, 410);
    let owner = caller;
    enrol(&owner, invited.trim()).await;
    owner.goto(&w.url("/account/notices")).await;
    at_two_looks(&owner, &shot("notices")).await;
    owner.goto(&w.url("/account/recovery")).await;
    at_two_looks(&owner, &shot("recovery")).await;
    owner.leads_on(owner.click("form[action$='/codes'] button")).await;
    owner.wait_for("ol.checks code").await;
    at_two_looks(&owner, &shot("recovery-codes")).await;
    let printed = owner.text_of("ol.checks code").await;
    let visitor = browser.page(Look::phone().language(language)).await;
    visitor.goto(&w.url("/recover")).await;
    at_two_looks(&visitor, &shot("recover")).await;
    visitor.fill("#code", &printed).await;
    visitor.leads_on(visitor.click("form[action='/recover'] button")).await;
    visitor.wait_for("main [role=status].callout").await;
    sound(&visitor, &shot("recover-sent")).await;
    // The owner is told and stops it.
    owner.goto(&w.url("/account/recovery")).await;
    at_two_looks(&owner, &shot("recovery-stop")).await;
    owner.leads_on(owner.click("form[action$='/stop'] button")).await;
    owner.wait_gone("form[action$='/stop']").await;
    agent.goto(&w.url("/verifications")).await;
    at_two_looks(&agent, &shot("list-ended")).await;
    agent.assert_no_errors();
}

#[tokio::test(flavor = "multi_thread")]
async fn three_people_let_an_owner_in_again() {
    check("en").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_people_let_an_owner_in_again_in_japanese() {
    check("ja").await;
}
