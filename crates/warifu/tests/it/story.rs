//! The first whole story, in a real browser: a newcomer makes the demo, signs in with a passkey,
//! works a case, and what an organization's administrator, the super administrator and the
//! responder do after that. In English and in Japanese; screenshots are kept.

use crate::browser::{Browser, Look, Page};
use crate::server::{Engine, Warifu};
use sha2::{Digest as _, Sha256};

/// The demo's people whose story it is.
pub(crate) const AGENT: &str = "mika.tanaka@hashira.example";
pub(crate) const OWNER: &str = "irene.laurent@hashira.example";
pub(crate) const RESPONDER: &str = "noah.okafor@hashira.example";
pub(crate) const CUSTOMER: &str = "kenta.sato@aoba-denki.example";

/// A running demo, small enough for a test.
pub(crate) async fn demo() -> Warifu {
    let mut warifu = Warifu::stopped(Engine::Sqlite);
    let said = warifu.ok("demo", &["--only-make", "--people", "400"]);
    assert!(said.contains("making the demo in"), "{said}");
    warifu.restart().await;
    warifu
}

/// Enrols a passkey by a one-time link in a page of its own; the page is signed in then.
pub(crate) async fn enter(warifu: &Warifu, browser: &Browser, email: &str, look: Look) -> Page {
    let link = warifu.ok("enrol", &["--email", email]);
    let page = browser.page(look).await;
    page.authenticator().await;
    page.goto(link.trim()).await;
    page.fill("#passkey-name", "test key").await;
    page.leads_on(page.click("form[data-passkey] button")).await;
    // The new passkey then has to prove itself.
    page.wait_for("form[data-passkey=sign-in] button").await;
    page.leads_on(page.click("form[data-passkey] button")).await;
    page.wait_until("to be signed in", "!location.pathname.startsWith('/sign-in')").await;
    page
}

/// What every page of the story must hold.
pub(crate) async fn sound(page: &Page, name: &str) {
    page.screenshot(name).await;
    page.assert_no_errors();
    page.assert_accessible().await;
    assert!(!page.scrolls_sideways().await, "{name} scrolls sideways");
}

/// The same page at every look that people have.
pub(crate) async fn at_every_look(page: &Page, name: &str) {
    for (width, height, size) in [(1440, 900, "wide"), (390, 844, "phone")] {
        page.size(width, height).await;
        for (dark, scheme) in [(false, "light"), (true, "dark")] {
            page.media("screen", dark).await;
            sound(page, &format!("{name}-{size}-{scheme}")).await;
        }
    }
    // On A4 paper, dark theme or not: black on white, without what only a screen needs.
    page.size(794, 1123).await;
    page.media("print", true).await;
    page.screenshot(&format!("{name}-print")).await;
    assert!(!page.scrolls_sideways().await, "{name} is wider than paper");
    page.media("screen", false).await;
    page.size(1440, 900).await;
}

/// The same page at two looks that differ in everything.
pub(crate) async fn at_two_looks(page: &Page, name: &str) {
    sound(page, &format!("{name}-wide-light")).await;
    page.size(390, 844).await;
    page.media("screen", true).await;
    sound(page, &format!("{name}-phone-dark")).await;
    page.media("screen", false).await;
    page.size(1440, 900).await;
}

/// Pages that answer with an error are sound too; the browser says that it could not load them.
pub(crate) async fn sound_error(page: &Page, name: &str) {
    page.screenshot(name).await;
    page.assert_accessible().await;
    assert!(!page.scrolls_sideways().await, "{name} scrolls sideways");
}

async fn story(language: &str) {
    let Some(browser) = Browser::start().await else { return };
    let warifu = demo().await;
    let look = || Look::default().language(language);
    let words = |en: &'static str, ja: &'static str| if language == "ja" { ja } else { en };
    let shot = |name: &str| format!("story-{language}-{name}");

    // The agent works a case.
    let visitor = browser.page(look()).await;
    for (name, path) in [("sign-in", "/sign-in"), ("sign-in-moved", "/sign-in?why=moved")] {
        visitor.goto(&warifu.url(path)).await;
        at_two_looks(&visitor, &shot(name)).await;
    }
    visitor.goto(&warifu.url("/enrol/nonsense")).await;
    sound_error(&visitor, &shot("enrol-gone")).await;
    visitor.goto(&warifu.url("/nothing")).await;
    sound_error(&visitor, &shot("error-404")).await;
    let agent = enter(&warifu, &browser, AGENT, look()).await;
    agent.goto(&warifu.url("/cases?view=active")).await;
    at_every_look(&agent, &shot("case-list")).await;
    agent.leads_on(agent.click("main a[href^='/cases/HC-']")).await;
    let case = agent.eval("location.pathname").await.as_str().unwrap_or_default().to_owned();
    at_every_look(&agent, &shot("case")).await;
    let reply = words("We have found the cause.", "原因が分かりました。");
    agent.fill("#answer-text", reply).await;
    agent.leads_on(agent.click("#answer button[data-send]")).await;
    agent.wait_text(reply).await;
    let note = words("Only for us.", "社内のみ。");
    agent.goto(&warifu.url(&case)).await;
    agent.click("#answer input[name=kind][value=note]").await;
    agent.fill("#answer-text", note).await;
    agent.leads_on(agent.click("#answer button[data-send]")).await;
    agent.wait_text(note).await;
    // A search that a trigram index could not answer: two characters.
    agent.goto(&warifu.url("/search?q=%E8%AA%8D%E8%A8%BC")).await;
    assert!(agent.count("main a[href^='/cases/']").await > 0, "認証 is found");
    sound(&agent, &shot("search")).await;
    for (name, path) in [
        ("people", "/people"),
        ("person", "/people/9"),
        ("organizations", "/organizations"),
        ("organization", "/organizations/2"),
        ("passkeys", "/account/passkeys"),
        ("sessions-mine", "/account/sessions"),
        ("notices", "/account/notices"),
        ("shortcuts", "/shortcuts"),
        ("case-new", "/cases/new"),
    ] {
        agent.goto(&warifu.url(path)).await;
        at_two_looks(&agent, &shot(name)).await;
    }
    agent.goto(&warifu.url("/ledger")).await;
    sound_error(&agent, &shot("error-403")).await;

    // The customer's administrator opens a case and sees what became of the HAR file.
    let customer = enter(&warifu, &browser, CUSTOMER, look()).await;
    customer.goto(&warifu.url("/portal/cases")).await;
    at_every_look(&customer, &shot("portal")).await;
    customer.goto(&warifu.url("/portal/cases/new")).await;
    sound(&customer, &shot("portal-new")).await;
    customer.fill("#subject", words("Sign-in fails", "サインインできません")).await;
    customer.fill("#text", words("Here is a recording.", "記録を添付します。")).await;
    let har = warifu.data().join("session.har");
    std::fs::write(&har, HAR).expect("a file in a folder of ours");
    customer.attach("#files", &[&har]).await;
    customer.leads_on(customer.click("main form button[data-send]")).await;
    customer.wait_text("session.har").await;
    sound(&customer, &shot("portal-case")).await;
    customer.goto(&warifu.url("/account/passkeys")).await;
    sound(&customer, &shot("portal-passkeys")).await;
    customer.goto(&warifu.url("/account/sessions")).await;
    sound(&customer, &shot("portal-sessions")).await;

    // The super administrator runs the report over everybody and downloads it.
    let owner = enter(&warifu, &browser, OWNER, look()).await;
    owner.goto(&warifu.url("/reports")).await;
    at_every_look(&owner, &shot("reports")).await;
    owner.goto(&warifu.url("/reports/new")).await;
    at_every_look(&owner, &shot("builder")).await;
    owner.fill("#name", "All users").await;
    owner.leads_on(owner.click(".box-head button[name=do][value=preview]")).await;
    owner.wait_for("button[name=do][value=ask]").await;
    at_every_look(&owner, &shot("builder-counted")).await;
    owner.fill("#purpose", words("Asked for by the auditors.", "監査人の依頼。")).await;
    owner.leads_on(owner.click("button[name=do][value=ask]")).await;
    let run = owner.eval("location.pathname").await.as_str().unwrap_or_default().to_owned();
    assert!(run.starts_with("/runs/"), "the decided report is prepared: {run}");
    sound(&owner, &shot("run-prepared")).await;
    let folder = tempfile::tempdir().expect("a folder");
    owner.downloads_to(folder.path()).await;
    owner.click("form[action$='/download'] button").await;
    let file = owner.downloaded(folder.path()).await;
    let text = std::fs::read_to_string(&file).expect("UTF-8");
    assert!(text.starts_with("Created Date,Last Login,Full Name,"), "{}", &text[..80]);
    // The demo's 400 people, its administrator and its staff.
    assert!(text.lines().count() > 400, "{} lines", text.lines().count());
    owner.goto(&warifu.url(&run)).await;
    owner.wait_text(&format!("{:x}", Sha256::digest(&text))[..8]).await;
    at_every_look(&owner, &shot("run-done")).await;
    owner.goto(&warifu.url("/runs")).await;
    sound(&owner, &shot("runs")).await;
    owner.goto(&warifu.url("/ledger")).await;
    at_every_look(&owner, &shot("ledger")).await;
    owner.goto(&warifu.url("/sessions")).await;
    at_every_look(&owner, &shot("sessions")).await;

    // The responder finds from a byte count which report left, and who was in it.
    let responder = enter(&warifu, &browser, RESPONDER, look()).await;
    responder.goto(&warifu.url("/incidents")).await;
    sound(&responder, &shot("incidents")).await;
    responder.leads_on(responder.click("main a[href^='/incidents/']:not([href$='/new'])")).await;
    sound(&responder, &shot("room-before")).await;
    responder.leads_on(responder.click("form[action$='/search'] button")).await;
    let room = responder.url().await;
    for _ in 0..60 {
        if responder.count("#exposure").await > 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        responder.goto(&room).await;
    }
    assert!(responder.count("#exposure").await > 0, "a candidate is found");
    at_every_look(&responder, &shot("room")).await;
    // The downloaded file is re-created, byte for byte.
    responder.goto(&warifu.url(&format!("{run}/replay"))).await;
    responder.leads_on(responder.click("main form[action$='/replay'] button")).await;
    responder.wait_for("[data-match=yes]").await;
    sound(&responder, &shot("replay")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_english() {
    story("en").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_japanese() {
    story("ja").await;
}

/// One request with a session cookie in it.
pub(crate) const HAR: &str = r#"{"log":{"version":"1.2","creator":{"name":"t","version":"1"},"entries":[{"startedDateTime":"2023-09-28T15:06:00.000Z","time":1,
"request":{"method":"GET","url":"https://app.example/session?token=s3cr3t-value-0001","httpVersion":"HTTP/1.1","headers":[{"name":"Cookie","value":"sid=s3cr3t-value-0002"}],"queryString":[{"name":"token","value":"s3cr3t-value-0001"}],"cookies":[{"name":"sid","value":"s3cr3t-value-0002"}],"headersSize":-1,"bodySize":0},
"response":{"status":200,"statusText":"OK","httpVersion":"HTTP/1.1","headers":[],"cookies":[],"content":{"size":2,"mimeType":"text/plain","text":"ok"},"redirectURL":"","headersSize":-1,"bodySize":2},"cache":{},"timings":{"send":0,"wait":1,"receive":0}}]}}"#;
