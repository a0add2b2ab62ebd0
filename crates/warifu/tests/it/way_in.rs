//! Letting a colleague in and out, in a real browser: the page adds and invites them with the key, the
//! link lets them enrol, and after they are switched off their next click is refused. In English and in
//! Japanese; screenshots are kept.

use crate::browser::{Browser, Look, Page};
use crate::server::Warifu;
use crate::story::{OWNER, at_two_looks, demo, enter, sound};

/// Enrols by a link in a page of its own; the page is signed in then.
async fn enrol(browser: &Browser, link: &str, look: Look) -> Page {
    let page = browser.page(look).await;
    page.authenticator().await;
    page.goto(link).await;
    page.fill("#passkey-name", "test key").await;
    page.leads_on(page.click("form[data-passkey] button")).await;
    page.wait_for("form[data-passkey=sign-in] button").await;
    page.leads_on(page.click("form[data-passkey] button")).await;
    page.wait_until("to be signed in", "!location.pathname.startsWith('/sign-in')").await;
    page
}

async fn in_and_out(language: &str) {
    let Some(browser) = Browser::start().await else { return };
    let w: Warifu = demo().await;
    let look = || Look::default().language(language);
    let shot = |name: &str| format!("way-in-{language}-{name}");
    let words = |en: &'static str, ja: &'static str| if language == "ja" { ja } else { en };
    let owner = enter(&w, &browser, OWNER, look()).await;
    owner.goto(&w.url("/people")).await;
    owner.leads_on(owner.click("a[href='/people/new']")).await;
    at_two_looks(&owner, &shot("new")).await;
    owner.fill("#full_name", "Jun Mori").await;
    owner.fill("#email", "jun.mori@hashira.example").await;
    owner.click("input[name=role][value=agent]").await;
    owner.leads_on(owner.click("main form button[type=submit]")).await;
    owner.wait_for("#invitation").await;
    at_two_looks(&owner, &shot("link")).await;
    let link = owner.text_of("#invitation").await;
    assert_eq!(owner.count("button[data-copy]:not([hidden])").await, 1);
    let copies = "document.querySelector('button[data-copy]').dataset.copy";
    assert_eq!(owner.eval(copies).await, link.trim());
    owner.leads_on(owner.click(".box-foot a[href^='/people/']")).await;
    let person = owner.eval("location.pathname").await.as_str().unwrap_or_default().to_owned();
    assert!(!owner.text().await.contains(link.trim()), "shown once");
    at_two_looks(&owner, &shot("open")).await;

    // The link is withdrawn, without a key, and another is made.
    owner.leads_on(owner.click("form[action$='/withdraw'] button")).await;
    owner.wait_gone("form[action$='/withdraw']").await;
    owner.leads_on(owner.click("form[action$='/invite'] button")).await;
    owner.wait_for("#invitation").await;
    let link = owner.text_of("#invitation").await;
    let colleague = enrol(&browser, link.trim(), look()).await;
    colleague.goto(&w.url("/cases")).await;

    // How they are reached, by the keyboard alone.
    owner.goto(&w.url(&person)).await;
    owner.eval("document.querySelector('details summary').focus()").await;
    owner.press("Enter").await;
    owner.wait_until("the form to open", "document.querySelector('details').open").await;
    at_two_looks(&owner, &shot("contact")).await;
    owner.fill("#c-phone", "+81 3 5555 0100").await;
    owner.leads_on(owner.press("Enter")).await;
    owner.wait_text("+81 3 5555 0100").await;

    owner.leads_on(owner.click("form[action$='/standing'] button")).await;
    owner.wait_text(words("Switched off", "停止中")).await;
    at_two_looks(&owner, &shot("off")).await;
    owner.assert_no_errors();
    colleague.leads_on(colleague.click("a[href='/people']")).await;
    colleague.wait_until("to be asked to sign in", "location.pathname === '/sign-in'").await;
    colleague.click("form[data-passkey] button").await;
    colleague.wait_for("[data-passkey-problem=refused]:not([hidden])").await;
    colleague.screenshot(&shot("refused")).await;

    // On again: the key that they have is enough.
    owner.leads_on(owner.click("form[action$='/standing'] button")).await;
    owner.wait_gone("form[action$='/standing'] button:not(.bad)").await;
    sound(&owner, &shot("on")).await;
    colleague.goto(&w.url("/sign-in")).await;
    colleague.leads_on(colleague.click("form[data-passkey] button")).await;
    colleague.wait_until("to be signed in", "!location.pathname.startsWith('/sign-in')").await;
    // The browser has said that it was refused, so that this page is not without errors.
    colleague.goto(&w.url("/account/notices")).await;
    colleague.assert_accessible().await;
    colleague.screenshot(&shot("notices")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_colleague_is_let_in_and_out() {
    in_and_out("en").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_colleague_is_let_in_and_out_in_japanese() {
    in_and_out("ja").await;
}
