//! Client certificates in what people have: a browser's own store, and a card behind PKCS#11.

use crate::attacks::{entries, notices, verified};
use crate::browser::{Browser, Look};
use crate::cards::{Authority, Card, Wish, ask, listener, path_of, register, send, show, sign_in};
use crate::http::Client;
use crate::server::{Engine, Warifu};
use crate::sign_in::{SESSION, enter, invitation, who};
use base64::Engine as _;
use bytes::Bytes;
use hyper::Method;
use serde_json::json;
use std::path::Path;
use std::process::Command;

/// Runs a foreign program to its end.
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|e| {
        panic!("{:?}: {e}; ./test installs it", command.get_program());
    });
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {error}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).filter_map(|l| str::from_utf8(l).ok()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// Puts a card into the certificate store of whoever has this home.
fn store(card: &Card, home: &Path) {
    let database = home.join(".pki/nssdb");
    std::fs::create_dir_all(&database).unwrap();
    let (certificate, key, both) = (home.join("c.pem"), home.join("c.key"), home.join("c.p12"));
    std::fs::write(&certificate, pem("CERTIFICATE", &card.certificate)).unwrap();
    std::fs::write(&key, pem("PRIVATE KEY", &card.key)).unwrap();
    run(Command::new("openssl")
        .args(["pkcs12", "-export", "-passout", "pass:x", "-name", "card"])
        .arg("-in")
        .arg(&certificate)
        .arg("-inkey")
        .arg(&key)
        .arg("-out")
        .arg(&both));
    let database = format!("sql:{}", database.display());
    run(Command::new("certutil").args(["-d", &database, "-N", "--empty-password"]));
    run(Command::new("pk12util").args(["-d", &database, "-W", "x", "-i"]).arg(&both));
}

on_both! {
    async fn somebody_is_told_where_they_had_no_session_before(mut w: Warifu) {
        let ca = Authority::new("Warifu Test CA");
        w.serve = ca.arguments();
        w.serve.extend(["--trusted-proxy", "127.0.0.0/8"].map(str::to_owned));
        w.restart().await;
        let mut owner = w.client();
        let link = invitation(&w, "owner@example.com", "super_administrator");
        let mut passkey = enter(&mut owner, w.base(), &link).await;
        let card = ca.issue(Wish::default());
        register(&mut owner, &mut passkey, &card).await;
        let added = ["factor_added", "factor_added"];
        for (address, new) in [("127.0.0.1", None), ("198.51.100.9", Some("new_network"))] {
            let mut client = w.client().header("x-forwarded-for", address);
            sign_in(&mut client, &card).await;
            let told = notices(&mut client).await;
            assert!(told.iter().map(String::as_str).eq(new.into_iter().chain(added)), "{address}: {told:?}");
            if new.is_some() {
                let mut program = client.header("accept", "application/json");
                let told = program.get("/api/v1/notices").await.value()[0]["details"].clone();
                assert_eq!(told, json!({ "from": "198.51.100.0/24", "factor": "certificate" }));
            }
        }
        verified(&w);
    }

    async fn a_code_is_redeemed_where_it_began_and_while_the_card_holds(mut w: Warifu) {
        let ca = Authority::new("Warifu Test CA");
        w.serve = ca.arguments();
        w.restart().await;
        let mut owner = w.client();
        let mut passkey = enter(&mut owner, w.base(), &invitation(&w, "owner@example.com", "super_administrator")).await;
        let card = ca.issue(Wish::default());
        register(&mut owner, &mut passkey, &card).await;
        let other = ca.issue(Wish::default());
        let reason = async |owner: &mut Client| {
            let told = entries(owner, "sign_in_refused").await;
            (told.len(), told[0]["body"]["reason"].as_str().unwrap().to_owned())
        };
        let mut refused = 0;

        for revoked in [false, true] {
            let why = if revoked { "certificate_revoked" } else { "ceremony" };
            // Where a code is redeemed: in another browser, or in its own when its card is none any more.
            let elsewhere = async |own: &Client| {
                if revoked {
                    ca.revoke(&[&card, &other], 2090);
                    return own.clone();
                }
                let mut client = w.client();
                client.get("/sign-in").await;
                client
            };

            let mut client = w.client();
            let url = ask(&mut client).await;
            let judged = show(&client, Some(&card), &url).await;
            let mut late = elsewhere(&client).await;
            assert_eq!(late.get(&path_of(&judged)).await.location(), "/sign-in?why=certificate");
            assert!(!late.cookies.contains_key(SESSION), "{why}");
            refused += 1;
            assert_eq!(reason(&mut owner).await, (refused, why.to_owned()), "a sign-in");
            ca.revoke(&[], 2090);
            client.get(&path_of(&judged)).await;
            assert!(!client.cookies.contains_key(SESSION), "{why}: it is spent");
            refused += 1;

            // The first factor of somebody who was invited.
            let link = invitation(&w, &format!("agent-{revoked}@example.com"), "agent");
            let mut invited = w.client();
            let form = invited.get(&link).await.form("action", "/enrol/certificate");
            let url = invited.submit(&form, &[]).await.location();
            let judged = show(&invited, Some(&other), &url).await;
            let mut late = elsewhere(&invited).await;
            assert_eq!(late.get(&path_of(&judged)).await.status, 404, "{why}");
            refused += 1;
            assert_eq!(reason(&mut owner).await, (refused, why.to_owned()), "an invitation");
            ca.revoke(&[], 2090);
            assert_eq!(invited.get(&link).await.status, 200, "the invitation is not spent");

            // A proof: with the session's cookie alone it is another browser.
            let mut client = w.client();
            sign_in(&mut client, &card).await;
            let csrf = client.get("/account/passkeys").await.form("action", "/sign-out").fields[0].1.clone();
            let mut script = client.clone().header("x-csrf-token", &csrf).header("accept", "application/json");
            let what = json!({ "action": "add_factor", "parameters": {} });
            let begun = script.json(Method::POST, "/step-up/options", &what).await.value();
            let judged = show(&script, Some(&card), begun["certificate"].as_str().unwrap()).await;
            let mut late = elsewhere(&script).await.header("accept", "application/json");
            late.cookies.insert(SESSION.to_owned(), client.cookies[SESSION].clone());
            let answer = late.get(&path_of(&judged)).await;
            assert!([401, 403].contains(&answer.status.as_u16()) && !answer.text().contains("step_up\":"), "{why}: {}", answer.text());
            // Where the list was read again first, the session itself is over.
            if answer.status == 403 {
                refused += 1;
                assert_eq!(reason(&mut owner).await, (refused, why.to_owned()), "a proof");
            }
            ca.revoke(&[], 2090);
        }
        assert!(entries(&mut owner, "step_up").await.iter().all(|e| e["body"]["passed"] == true), "the owner's own");
        verified(&w);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_in_the_browser_s_store_enrols_signs_in_and_proves() {
    if std::env::var_os("WARIFU_SKIP_BROWSER").is_some() {
        return;
    }
    let ca = Authority::new("Warifu Test CA");
    let mut w = Warifu::stopped(Engine::Sqlite);
    w.serve = ca.arguments();
    w.restart().await;
    let origin = listener(&w).await;
    let link = invitation(&w, "agent@example.com", "agent");
    let card = ca.issue(Wish::default());
    let browser = Browser::start_with(|profile, command| {
        store(&card, profile);
        command.env("HOME", profile).arg("--ignore-certificate-errors");
        // As a person who always answers "this one" when the browser asks which certificate.
        let chosen = serde_json::json!({ "setting": { "filters": [{}] } });
        let preferences = serde_json::json!({ "profile": { "content_settings": { "exceptions": {
            "auto_select_certificate": { format!("{origin},*"): chosen } } } } });
        std::fs::create_dir_all(profile.join("Default")).unwrap();
        std::fs::write(profile.join("Default/Preferences"), preferences.to_string()).unwrap();
    });
    let Some(browser) = browser.await else { return };
    let page = browser.page(Look::default()).await;
    page.goto(&w.url(&link)).await;
    page.leads_on(page.click_text("Register a certificate")).await;
    page.wait_until("enrolled", "location.pathname + location.search === '/sign-in'").await;
    page.leads_on(page.click_text("Continue with a certificate")).await;
    page.wait_until("the desk", "location.pathname === '/cases'").await;
    // A protected action: the card is shown in a window of its own, and the page goes on by itself.
    page.goto(&w.url("/account/passkeys")).await;
    page.wait_text("Mori Aiko").await;
    page.assert_accessible().await;
    page.fill("#card-name", "once more").await;
    page.leads_on(page.click("form[action='/enrol/certificate'] button")).await;
    // It is the same card, so that is as far as it goes.
    page.wait_text("registered already").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_never_leaves_its_token_signs_in() {
    let ca = Authority::new("Warifu Test CA");
    let mut w = Warifu::stopped(Engine::Sqlite);
    w.serve = ca.arguments();
    w.restart().await;
    let link = invitation(&w, "owner@example.com", "super_administrator");
    let mut owner = w.client();
    let mut passkey = enter(&mut owner, w.base(), &link).await;
    let card = ca.issue(Wish { rsa: true, ..Wish::default() });
    register(&mut owner, &mut passkey, &card).await;

    let module = ["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm.so"];
    let module =
        module.into_iter().find(|p| Path::new(p).exists()).expect("SoftHSM: ./test installs it");
    let folder = ca.file("token");
    std::fs::create_dir(&folder).unwrap();
    let settings =
        format!("directories.tokendir = {}\nobjectstore.backend = file\n", folder.display());
    std::fs::write(ca.file("softhsm2.conf"), settings).unwrap();
    std::fs::write(ca.file("card.p8"), pem("PRIVATE KEY", &card.key)).unwrap();
    std::fs::write(ca.file("card.der"), &card.certificate).unwrap();
    let tool = |name: &str| {
        let mut command = Command::new(name);
        command.env("SOFTHSM2_CONF", ca.file("softhsm2.conf")).env("PKCS11_MODULE_PATH", module);
        command
    };
    run(tool("softhsm2-util").args([
        "--init-token",
        "--free",
        "--label",
        "card",
        "--pin",
        "1234",
        "--so-pin",
        "4321",
    ]));
    run(tool("softhsm2-util")
        .arg("--import")
        .arg(ca.file("card.p8"))
        .args(["--token", "card", "--label", "mine", "--id", "01", "--pin", "1234"]));
    run(tool("pkcs11-tool")
        .args([
            "--module", module, "--login", "--pin", "1234", "--type", "cert", "--id", "01",
            "--label", "mine",
        ])
        .arg("--write-object")
        .arg(ca.file("card.der")));
    // From here on the key is in the token only.
    std::fs::remove_file(ca.file("card.p8")).unwrap();

    let mut client = w.client();
    let url = ask(&mut client).await;
    let cookies: Vec<String> = client.cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
    let object = |kind: &str| format!("pkcs11:token=card;object=mine;type={kind};pin-value=1234");
    let mut curl = tool("curl");
    curl.args(["--silent", "--show-error", "--cacert"])
        .arg(ca.file("ca.pem"))
        .args(["--engine", "pkcs11", "--key-type", "ENG", "--key", &object("private")])
        .args(["--cert-type", "ENG", "--cert", &object("cert")])
        .args(["--header", &format!("Cookie: {}", cookies.join("; "))])
        .args(["--output", "/dev/null", "--write-out", "%{http_code} %{redirect_url}", &url]);
    let told = run(&mut curl);
    let code = told.strip_prefix("303 ").unwrap_or_else(|| panic!("{told}"));
    let code: url::Url = code.parse().unwrap();
    let done = client.get(&code[url::Position::BeforePath..]).await;
    assert_eq!((done.status.as_u16(), done.location().as_str()), (303, "/cases"));
    assert!(client.cookies.contains_key(SESSION));
    assert_eq!(who(&mut client).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_speaks_tls_itself_and_takes_a_new_certificate() {
    let (ca, other) = (Authority::new("Warifu Test CA"), Authority::new("Another CA"));
    let mut w = Warifu::stopped(Engine::Sqlite);
    w.serve = ca.arguments();
    w.serve.extend(["--tls-listen", "127.0.0.1:0"].map(str::to_owned));
    w.restart().await;
    listener(&w).await;
    let log = w.log();
    let base = log.lines().find_map(|l| l.strip_prefix("with TLS on ")).expect("where it is");
    let url = format!("{base}/healthz");
    let answer = send(&w.client(), None, Method::GET, &url, None, Bytes::new()).await;
    assert_eq!((answer.status.as_u16(), answer.text()), (200, "ok\n"));
    // A card that is shown here says nothing: the main origin asks for none.
    let card = ca.issue(Wish::default());
    let url = format!("{base}/sign-in/certificate?code=x");
    let answer = send(&w.client(), Some(&card), Method::GET, &url, None, Bytes::new()).await;
    assert_eq!(path_of_path(&answer), "/sign-in?why=certificate");
    let with = |name: &str| {
        let port: url::Url = base.parse().unwrap();
        let url = format!("{base}/healthz");
        let resolve = format!("localhost:{}:127.0.0.1", port.port().unwrap());
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--resolve", &resolve, "--cacert"]).arg(name).arg(url);
        curl.status().unwrap().success()
    };
    assert!(with(&ca.file("ca.pem").display().to_string()));
    for name in ["site.pem", "site.key"] {
        std::fs::copy(other.file(name), ca.file(name)).unwrap();
    }
    let mut left = 100;
    while !with(&other.file("ca.pem").display().to_string()) {
        left -= 1;
        assert!(left > 0, "the certificate of before is still shown");
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
}

fn path_of_path(answer: &crate::http::Answer) -> String {
    let location = answer.location();
    if location.starts_with('/') { location } else { path_of(answer) }
}
