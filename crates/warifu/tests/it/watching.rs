//! What somebody at the screen can do while the server works: go elsewhere by keys, see a download
//! grow, stop it.

use crate::browser::{Browser, Look};
use crate::crash::{PEOPLE, api, people, take_slowly, verify};
use crate::server::{Engine, Warifu};
use crate::story::enter;
use crate::surroundings::{program_of, run_ends};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_download_is_seen_to_grow_and_is_stopped_by_the_page() {
    let Some(browser) = Browser::start().await else { return };
    let w = Warifu::start(Engine::Sqlite).await;
    people(&w, 3 * PEOPLE);
    let mut program = program_of(&w).await;
    let page = enter(&w, &browser, "ada@example.com", Look::default()).await;

    for (keys, path) in [("r", "/reports"), ("l", "/ledger"), ("p", "/people"), ("o", "/cases")] {
        page.press("g").await;
        page.leads_on(page.press(keys)).await;
        assert_eq!(page.eval("location.pathname").await, path, "g {keys}");
    }
    // In a text field they are letters.
    page.goto(&w.url("/people")).await;
    page.press("/").await;
    page.type_text("gl").await;
    assert_eq!(page.eval("location.pathname").await, "/people");
    assert_eq!(page.eval("document.activeElement.value").await, "gl");

    let asked = json!({ "decided": true, "reason": "watched", "definition": {
        "subject": "people", "columns": ["full_name", "email", "role_description"],
        "filter": { "column": "email", "op": "contains", "value": "@" } } });
    let run = api(&mut program, "/api/v1/runs", &asked).await.unwrap()["id"].as_i64().unwrap();
    page.goto(&w.url(&format!("/runs/{run}"))).await;
    page.wait_for("form[action$='/download'] button").await;
    let mut slow = take_slowly(&mut program, run).await;
    // The page notices by itself, and its figure grows by itself.
    page.wait_gone("form[action$='/download']").await;
    let bytes = ".figs .fig:nth-child(2) dd";
    let before = page.text_of(bytes).await;
    for _ in 0..20 {
        slow.read().await;
    }
    let changed = format!("document.querySelector({bytes:?}).textContent !== {before:?}");
    page.wait_until("the figure to grow", &changed).await;
    page.leads_on(page.click("form[action$='/cancel'] button")).await;
    assert!(slow.finish().await.is_err(), "the file does not come whole");
    let ended = run_ends(&mut program, run).await;
    assert_eq!(ended["state"], "aborted", "{ended}");
    let before = ended["end_entry"].as_i64().unwrap() + 1;
    let entry = program.get(&format!("/api/v1/ledger?limit=1&before={before}")).await.value();
    assert_eq!(entry["entries"][0]["entry"]["body"]["cause"], "cancelled", "{entry}");
    page.wait_gone("form[action$='/cancel']").await;
    page.wait_text("Stopped").await;
    page.assert_no_errors();
    page.assert_accessible().await;
    verify(&w);
}
