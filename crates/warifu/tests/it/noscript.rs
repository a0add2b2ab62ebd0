//! The story with JavaScript off. Only a passkey needs a script: people sign in with it on, and
//! everything after that is links and forms.

use crate::browser::{Browser, Look, Page};
use crate::server::Warifu;
use crate::story::{AGENT, CUSTOMER, HAR, OWNER, RESPONDER, demo, enter};
use serde_json::json;

/// Signs in, and turns scripts off for the rest of the page's life.
async fn enter_plain(w: &Warifu, browser: &Browser, email: &str) -> Page {
    let page = enter(w, browser, email, Look::default()).await;
    page.call("Emulation.setScriptExecutionDisabled", json!({ "value": true })).await;
    page.goto(&w.url("/")).await;
    page
}

async fn sign_out(page: &Page) {
    page.leads_on(page.click("form[action='/sign-out'] button")).await;
    assert!(page.url().await.ends_with("/signed-out"), "{}", page.url().await);
    page.assert_no_errors();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_story_goes_without_a_script() {
    let Some(browser) = Browser::start().await else { return };
    let w = demo().await;

    // A case is read, answered, noted, assigned, its status set; a search finds it.
    let agent = enter_plain(&w, &browser, AGENT).await;
    agent.goto(&w.url("/cases?view=unassigned")).await;
    agent.leads_on(agent.click("main a[href^='/cases/HC-']")).await;
    let case = agent.eval("location.pathname").await.as_str().unwrap_or_default().to_owned();
    agent.fill("#answer-text", "We have found the cause.").await;
    agent.leads_on(agent.click("#answer button[data-send]")).await;
    agent.wait_text("We have found the cause.").await;
    agent.click("#answer input[name=kind][value=note]").await;
    agent.fill("#answer-text", "Only for us: zeppelin.").await;
    agent.leads_on(agent.click("#answer button[data-send]")).await;
    assert_eq!(agent.count(".msg.internal").await, 1, "the note is a note");
    assert_eq!(agent.count(".msg .attach").await, 0, "no file was chosen");
    let own = "[...document.querySelector('#p-assignee').options].find((o) => o.text === 'Mika Tanaka').value";
    let own = agent.eval(own).await.as_str().unwrap_or_default().to_owned();
    for (details, field, value) in [
        ("details[data-key=a]", "#p-assignee", own.as_str()),
        ("details[data-key=s]", "#p-status", "solved"),
    ] {
        agent.click(&format!("{details} > summary")).await;
        agent.choose(field, value).await;
        agent.leads_on(agent.click(&format!("{details} button[type=submit]"))).await;
    }
    let props = agent.text_of("#props").await;
    assert!(props.contains("Mika Tanaka") && props.contains("Solved"), "{props}");
    agent.leads_on(agent.click(".rail a.jump")).await;
    agent.fill("#q", "zeppelin").await;
    agent.leads_on(agent.click("main form[role=search] button")).await;
    assert!(agent.count(&format!("main a[href='{case}']")).await > 0, "the note is found");

    // A customer opens a case with a file, and answers.
    let customer = enter_plain(&w, &browser, CUSTOMER).await;
    customer.goto(&w.url("/portal/cases/new")).await;
    customer.fill("#subject", "Sign-in fails").await;
    customer.fill("#text", "Here is a recording.").await;
    let har = w.data().join("session.har");
    std::fs::write(&har, HAR).expect("a file in a folder of ours");
    customer.attach("#files", &[&har]).await;
    customer.leads_on(customer.click("main form button[data-send]")).await;
    customer.wait_text("session.har").await;
    // The agent writes while the customer answers: the text comes back, and goes when it is meant.
    let theirs = customer.eval("location.pathname.replace('/portal', '')").await;
    agent.goto(&w.url(theirs.as_str().unwrap_or_default())).await;
    agent.fill("#answer-text", "Since when?").await;
    customer.fill("#answer-text", "It began on Monday.").await;
    customer.leads_on(customer.click("main form button[data-send]")).await;
    customer.wait_text("It began on Monday.").await;
    agent.leads_on(agent.click("#answer button[data-send]")).await;
    agent.wait_for("#arrived").await;
    agent.leads_on(agent.click("#arrived button")).await;
    assert!(
        agent.text_of("#talk").await.contains("Since when?"),
        "sent although it came meanwhile"
    );
    // The one thing that the browser has to say is the conflict.
    assert!(agent.errors().iter().all(|e| e.contains("409")), "{:?}", agent.errors());
    agent.leads_on(agent.click("form[action='/sign-out'] button")).await;
    assert!(agent.url().await.ends_with("/signed-out"));
    customer.click(".portal-bar summary").await;
    sign_out(&customer).await;

    // A report is built with a condition, counted, run and downloaded.
    let owner = enter_plain(&w, &browser, OWNER).await;
    owner.goto(&w.url("/reports/new")).await;
    owner.fill("#name", "Partners").await;
    owner.leads_on(owner.click("button[name=do][value='add-rule:0']")).await;
    owner.choose("select[name='c.0.0']", "user_type").await;
    owner.choose("select[name='o.0.0']", "equals").await;
    owner.fill("input[name='v.0.0']", "Partner").await;
    owner.leads_on(owner.click(".box-head button[name=do][value=preview]")).await;
    let rows = owner.text_of(".gauges .v").await;
    owner.fill("#purpose", "Asked for by the auditors.").await;
    owner.leads_on(owner.click("button[name=do][value=run]")).await;
    let run = owner.url().await;
    assert!(run.contains("/runs/"), "{run}");
    let folder = tempfile::tempdir().expect("a folder");
    owner.downloads_to(folder.path()).await;
    owner.click("form[action$='/download'] button").await;
    let file = owner.downloaded(folder.path()).await;
    let lines = std::fs::read_to_string(&file).expect("UTF-8").lines().count();
    assert_eq!((lines - 1).to_string(), rows.trim(), "as many rows as were counted");
    owner.goto(&run).await;
    owner.wait_for("form[action$='/replay'] button").await;
    sign_out(&owner).await;

    // The responder has the recorded download matched, looking again by hand.
    let responder = enter_plain(&w, &browser, RESPONDER).await;
    responder.goto(&w.url("/incidents")).await;
    responder.leads_on(responder.click("main a[href^='/incidents/']:not([href$='/new'])")).await;
    responder.leads_on(responder.click("form[action$='/search'] button")).await;
    let room = responder.url().await;
    for _ in 0..120 {
        if responder.count("#exposure").await > 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(250)).await;
        responder.goto(&room).await;
    }
    assert!(responder.count("#exposure").await > 0, "a candidate is found");
    sign_out(&responder).await;
}
