//! The harness tested by itself: that it sees what is there, and that it fails where it should.

use crate::browser::{Browser, Look};
use crate::http::{Client, forms};
use crate::passkey::Passkey;
use crate::postgres::Database;
use crate::server::Process;
use axum::http::HeaderMap;
use axum::response::Html;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::Value;
use std::process::Command;
use std::sync::Arc;
use webauthn_rs::prelude::*;

const PAGE: &str = r##"<!doctype html><html lang="en"><head><title>Tally</title>
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,"></head>
<body><main><h1>Tally</h1><form action="/sent" method="get"><label for="n">Name</label>
<input id="n" name="n"><input type="hidden" name="token" value="a&#38;b"><button>Send</button></form>
<p id="script">static</p></main>
<script>document.querySelector("#script").textContent = "script runs in " + navigator.language;
addEventListener("keydown", (e) => { if (e.ctrlKey && e.key === "k") document.title = "palette" });
</script></body></html>"##;

/// A tiny server to look at; it lives as long as the test's runtime.
async fn site() -> String {
    let sent = |headers: HeaderMap, uri: axum::http::Uri| async move {
        let language = headers.get("accept-language").and_then(|v| v.to_str().ok()).unwrap_or("");
        let query = uri.query().unwrap_or("").to_owned();
        ([("set-cookie", "s=1; Path=/")], format!("{query} {language}"))
    };
    let broken =
        r#"<html><body><img src="/none.png"><script>console.error("said so"); nope()</script>"#;
    let app = Router::new()
        .route("/", get(async || Html(PAGE)))
        .route("/sent", get(sent))
        .route("/broken", get(async move || Html(broken)));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://localhost:{port}")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_browser_reads_types_clicks_and_sees_errors() {
    let Some(browser) = Browser::start().await else { return };
    let site = site().await;
    let page = browser.page(Look::default()).await;
    page.goto(&site).await;
    page.wait_text("script runs in en").await;
    page.assert_no_errors();
    page.press("Control+k").await;
    page.wait_until("the shortcut works", "document.title === 'palette'").await;
    page.fill("#n", "割符").await;
    page.leads_on(page.click_text("Send")).await;
    assert!(page.text().await.starts_with("n=%E5%89%B2%E7%AC%A6&token=a%26b en"));
    page.goto(&format!("{site}/broken")).await;
    page.wait_until("done", "document.readyState === 'complete'").await;
    let errors = page.errors().join("\n");
    for part in ["said so", "nope is not defined", "none.png"] {
        assert!(errors.contains(part), "{part} is not in {errors}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_browser_takes_on_languages_windows_and_colours() {
    let Some(browser) = Browser::start().await else { return };
    let site = site().await;
    let page = browser.page(Look::phone().dark().language("ja")).await;
    page.goto(&site).await;
    page.wait_text("script runs in ja").await;
    let look =
        page.eval("[innerWidth, matchMedia('(prefers-color-scheme: dark)').matches].join()").await;
    assert_eq!(look, "360,true");
    assert!(!page.scrolls_sideways().await);
    let picture = std::fs::read(page.screenshot("harness-phone").await).unwrap();
    assert!(picture.starts_with(b"\x89PNG"));
    page.goto(&format!("{site}/sent")).await;
    assert!(page.text().await.contains("ja"), "{}", page.text().await);

    let page = browser.page(Look::default().without_javascript()).await;
    page.goto(&site).await;
    assert_eq!(page.text_of("#script").await, "static");
    page.leads_on(page.click("button")).await;
    assert!(page.url().await.contains("/sent?n="));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_browser_holds_passkeys() {
    let Some(browser) = Browser::start().await else { return };
    let site = site().await;
    let page = browser.page(Look::default()).await;
    page.goto(&site).await;
    let authenticator = page.authenticator().await;
    let create = "navigator.credentials.create({ publicKey: { challenge: new Uint8Array(32), \
        rp: { name: 'Warifu' }, user: { id: new Uint8Array(8), name: 'a', displayName: 'A' }, \
        pubKeyCredParams: [{ type: 'public-key', alg: -7 }], \
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' } } }) \
        .then((c) => c.type)";
    assert_eq!(page.eval(create).await, "public-key");
    assert_eq!(page.passkeys(&authenticator).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_browser_judges_accessibility() {
    let Some(browser) = Browser::start().await else { return };
    let site = site().await;
    let page = browser.page(Look::default()).await;
    page.goto(&site).await;
    page.assert_accessible().await;
    page.eval("document.querySelector('label').remove()").await;
    let found = page.accessibility().await;
    assert!(found.iter().any(|v| v.id == "label"), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_keeps_cookies_and_fills_forms() {
    let mut client = Client::new(&site().await);
    let form = client.get("/").await.form("action", "/sent");
    assert_eq!(form.fields, [("n".into(), String::new()), ("token".into(), "a&b".into())]);
    let answer = client.get("/sent?x=1").await;
    assert_eq!((answer.status.as_u16(), answer.text()), (200, "x=1 en"));
    assert_eq!(client.cookies["s"], "1");
    let parts = forms(
        "<form><input type=checkbox name=a><input type=\"checkbox\" name=\"b\" checked>\
        <textarea name=\"c\">x &lt; y</textarea><input type=\"submit\" name=\"d\"></form>",
    );
    assert_eq!(parts[0].fields, [("b".into(), "on".into()), ("c".into(), "x < y".into())]);
}

#[test]
fn the_software_passkey_satisfies_an_independent_verifier() {
    let origin = Url::parse("http://localhost:8080").unwrap();
    let site = WebauthnBuilder::new("localhost", &origin).unwrap().build().unwrap();
    let mut passkey = Passkey::new("http://localhost:8080");
    let (options, state) = site.start_passkey_registration(Uuid::nil(), "a", "A", None).unwrap();
    let options = serde_json::to_value(options).unwrap();
    let credential = passkey.create(&options["publicKey"]);
    let credential = serde_json::from_value(credential).unwrap();
    let known = site.finish_passkey_registration(&credential, &state).unwrap();

    let sign_in = |passkey: &mut Passkey| {
        let (options, state) =
            site.start_passkey_authentication(std::slice::from_ref(&known)).unwrap();
        let options = serde_json::to_value(options).unwrap();
        let credential = serde_json::from_value(passkey.get(&options["publicKey"])).unwrap();
        site.finish_passkey_authentication(&credential, &state)
    };
    assert!(sign_in(&mut passkey).unwrap().user_verified());
    let mut elsewhere = passkey.used_on("http://warifu.example");
    assert!(sign_in(&mut elsewhere).is_err(), "a look-alike site got in");
}

/// A site with one form that enrols a passkey, as the pages of the product do it.
async fn enrolling_site() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    let url = Url::parse(&origin).unwrap();
    let site = Arc::new(WebauthnBuilder::new("localhost", &url).unwrap().build().unwrap());
    let (options, state) = site.start_passkey_registration(Uuid::nil(), "a", "A", None).unwrap();
    let form = r#"<form data-passkey="enrol" data-options="/options" data-verify="/verify">
        <input type="hidden" name="csrf" value="t"><input name="name" value="Key"></form>"#;
    let asked = move |headers: HeaderMap| async move {
        assert_eq!(headers["x-csrf-token"], "t");
        let mut options = serde_json::to_value(&options).unwrap();
        options["ceremony"] = "7".into();
        Json(options)
    };
    let answered = async move |Json(body): Json<Value>| {
        let credential = serde_json::from_value(body["credential"].clone()).unwrap();
        site.finish_passkey_registration(&credential, &state).unwrap();
        format!("{} {} {}", body["name"], body["ceremony"], body["csrf"])
    };
    let app = Router::new()
        .route("/", get(async move || Html(form)))
        .route("/options", post(asked))
        .route("/verify", post(answered));
    tokio::spawn(async move { axum::serve(listener, app).await });
    origin
}

#[tokio::test]
async fn the_client_goes_through_a_passkey_form() {
    let site = enrolling_site().await;
    let mut client = Client::new(&site);
    let page = client.get("/").await;
    let answer = client.passkey(&page, &mut Passkey::new(&site)).await;
    assert_eq!(answer.text(), r#""Key" "7" null"#);
}

#[tokio::test]
async fn a_database_is_empty_and_goes_away() {
    let Some(database) = Database::create().await else { return };
    database.execute("CREATE TABLE a (b BIGINT)").await;
    let url = database.url();
    drop(database);
    use sqlx::Connection as _;
    let error = sqlx::PgConnection::connect(&url).await.expect_err("the database is gone");
    assert!(error.to_string().contains("does not exist"), "{error}");
}

#[test]
fn a_server_is_found_where_it_says_and_its_failure_is_told() {
    let mut shell = Command::new("sh");
    shell.args(["-c", "echo listening on http://localhost:4711/; exec sleep 60"]);
    assert_eq!(Process::start(&mut shell).unwrap().base, "http://localhost:4711");
    let mut shell = Command::new("sh");
    shell.args(["-c", "echo the data folder is in use >&2; exit 3"]);
    let error = Process::start(&mut shell).err().unwrap();
    assert!(error.contains("exit status: 3") && error.contains("folder is in use"), "{error}");
}
