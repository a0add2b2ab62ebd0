//! Reports, runs, ledger and incidents over HTTP and on the command line: what leaves, what is
//! recorded of it, and how it is found again.

use crate::http::{Answer, Client};
use crate::passkey::Passkey;
use crate::server::{Warifu, text_of};
use serde_json::json;
use std::time::Duration;

/// Somebody who may run reports over everybody, replay them and investigate.
pub(crate) async fn enter(w: &Warifu) -> Client {
    enter_with_key(w).await.0
}

async fn enter_with_key(w: &Warifu) -> (Client, Passkey) {
    let link = w.ok(
        "enrol",
        &["--email", "ada@example.com", "--role", "super_administrator", "--role", "responder"],
    );
    let path = link.trim().strip_prefix(w.base()).expect("a link to this server").to_owned();
    let mut client = w.client();
    let mut passkey = Passkey::new(w.base());
    let page = client.get(&path).await;
    client.passkey(&page, &mut passkey).await;
    let page = client.get("/sign-in").await;
    assert_eq!(client.passkey(&page, &mut passkey).await.status, 204);
    (client, passkey)
}

pub(crate) fn import(w: &Warifu, people: usize) {
    let mut csv = String::from("Full Name,Email,User Type,Company Name\r\n");
    for i in 0..people {
        let kind = if i % 4 == 0 { "Partner" } else { "Customer" };
        csv.push_str(&format!(
            "Person {i},p{i}@o{}.example,{kind},Organization {}\r\n",
            i % 5,
            i % 5
        ));
    }
    let path = w.data().join("people.csv");
    std::fs::write(&path, csv).expect("a file in a folder of ours");
    w.ok("people import", &[path.to_str().expect("a plain path")]);
}

pub fn csrf(page: &Answer) -> String {
    let form = page.form("method", "post");
    form.fields.iter().find(|(n, _)| n == "csrf").expect("a form with its token").1.clone()
}

/// The proof by which a definition with this digest is prepared.
pub async fn prepares(
    client: &mut Client,
    csrf: &str,
    passkey: &mut Passkey,
    digest: &str,
) -> String {
    let what = json!({ "action": "prepare_report", "parameters": { "definition": digest } });
    let proof = client.prove(csrf, what, passkey).await;
    assert_eq!(proof.status, 200, "{}", proof.text());
    proof.value()["step_up"].as_str().expect("a proof").to_owned()
}

async fn until(client: &mut Client, path: &str, what: &str) -> Answer {
    for _ in 0..1_200 {
        let page = client.get(path).await;
        assert_eq!(page.status, 200, "{}", page.text());
        if page.text().contains(what) {
            return page;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{path} never showed {what}:\n{}", client.get(path).await.text())
}

/// The columns of a report over people.
const COLUMNS: [&str; 4] = ["full_name", "email", "user_type", "company_name"];

fn asked<'a>(csrf: &'a str, act: &'a str, rest: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut fields =
        vec![("csrf", csrf), ("name", "All users"), ("subject", "people"), ("g.0", "all")];
    fields.extend(COLUMNS.iter().map(|c| ("column", *c)));
    fields.extend(rest);
    fields.push(("do", act));
    fields
}

on_both! {
    async fn what_leaves_is_recorded_recreated_and_found(w: Warifu) {
        import(&w, 300);
        let (mut client, mut passkey) = enter_with_key(&w).await;
        let page = client.get("/reports/new").await;
        assert_eq!(page.status, 200, "{}", page.text());
        let token = csrf(&page);

        // A condition is added and taken off without a script.
        let rule = [("c.0.0", "user_type"), ("o.0.0", "equals"), ("v.0.0", "Partner")];
        let page = client.post_form("/reports/build", &asked(&token, "preview", &rule)).await;
        assert_eq!(page.status, 200, "{}", page.text());
        assert!(page.text().contains("<b>75</b>") || page.text().contains(">75<"), "{}", page.text());
        assert!(page.text().contains('•') && !page.text().contains(".example"), "{}", page.text());
        let page = client.post_form("/reports/build", &asked(&token, "save", &rule)).await;
        assert!(page.location().starts_with("/reports/1"), "{}", page.location());
        let page = client.post_form("/reports/build", &asked(&token, "remove:0.0", &rule)).await;
        assert!(page.text().contains("data-tone=\"seal\""), "everybody is a decision");

        // Over everybody it runs only when it is decided, with a reason.
        let page = client.post_form("/reports/build", &asked(&token, "run", &[])).await;
        assert_eq!(page.status, 200);
        let page = client.post_form("/reports/build", &asked(&token, "ask", &[])).await;
        assert_eq!(page.status, 422);
        let why = [("purpose", "quarterly check")];
        let page = client.post_form("/reports/build", &asked(&token, "ask", &why)).await;
        assert_eq!(page.status, 422);
        assert!(page.text().contains("for exactly the report that is counted here"), "{}", page.text());
        let digest = page.text().split("data-parameters=\"definition=").nth(1).expect("what the key is for");
        let digest = digest.split('"').next().unwrap();
        let proof = prepares(&mut client, &token, &mut passkey, digest).await;
        // Changed after it was counted: the proof does not fit, and the page counts again.
        let other = [("purpose", "quarterly check"), ("column", "phone"), ("step_up", &proof)];
        let page = client.post_form("/reports/build", &asked(&token, "ask", &other)).await;
        assert_eq!(page.status, 422);
        assert!(!page.text().contains(digest), "another report is counted");
        let why = [("purpose", "quarterly check"), ("step_up", &proof)];
        let page = client.post_form("/reports/build", &asked(&token, "ask", &why)).await;
        assert_eq!(page.location(), "/runs/1");

        // The file leaves once, with its exact length.
        let form = client.get("/runs/1").await.form("action", "/runs/1/download");
        let form = client.step_up(form, &mut passkey).await;
        let file = client.submit(&form, &[]).await;
        assert_eq!(file.status, 200, "{}", file.text());
        assert_eq!(file.header("content-length"), file.text().len().to_string());
        assert!(file.header("content-disposition").contains("filename*=UTF-8''All-users-"));
        assert!(file.text().contains("p299@o4.example"));
        let again = client.post_form("/runs/1/download", &[("csrf", &token)]).await;
        assert_eq!(again.status, 409);
        let without = client.clone().post_form("/runs/1/download", &[]).await;
        assert_eq!(without.status, 403);
        until(&mut client, "/runs/1", "/runs/1/replay").await;

        // Re-created, and held against files.
        let page = client.post_form("/runs/1/replay", &[("csrf", &token)]).await;
        assert_eq!(page.location(), "/runs/1/replay");
        until(&mut client, "/runs/1/replay", "data-match=\"yes\"").await;
        let fields = [("csrf", token.as_str())];
        let body = file.text().as_bytes().to_vec();
        let same = [("file", "a.csv", "text/csv", body.as_slice())];
        let page = client.upload("/runs/1/compare", &fields, &same).await;
        assert!(page.text().contains("data-match=\"yes\""), "{}", page.text());
        let mut other = body.clone();
        other[100] ^= 1;
        let changed = [("file", "a.csv", "text/csv", other.as_slice())];
        let page = client.upload("/runs/1/compare", &fields, &changed).await;
        assert!(page.text().contains("data-match=\"no\""), "{}", page.text());

        // The ledger holds, for people and for programs.
        let page = client.post_form("/ledger/verify", &[("csrf", &token)]).await;
        assert!(page.text().contains("data-tone=\"ok\""), "{}", page.text());
        let page = client.get("/ledger?kind=report_end").await;
        assert!(page.text().contains("/ledger/"), "{}", page.text());
        let proof = client.get("/ledger/1/proof").await;
        assert!(proof.text().contains("warifu.local/ledger"), "{}", proof.text());
        assert_eq!(client.get("/ledger/tile/0/000").await.status, 404, "no full tile yet");
        assert_eq!(client.get("/ledger/1").await.status, 200);

        // Known by its size alone: the match finds that the filter was not there.
        let page = client.get("/incidents/new").await;
        let form = page.form("action", "/incidents/new");
        let room = client.submit(&form, &[("title", "What was in it?")]).await.location();
        let size = body.len().to_string();
        let now = client.get("/api/v1/runs/1").await.value()["as_of"].as_str().unwrap().to_owned();
        let telemetry =
            [("csrf", token.as_str()), ("bytes", &size), ("tolerance", "0"), ("measure", "body"), ("at", &now)];
        let page = client.post_form(&format!("{room}/downloads"), &telemetry).await;
        let shown = page.location();
        let page = until(&mut client, &shown, "id=\"exposure\"").await;
        assert!(page.text().contains("data-match=\"yes\""), "{}", page.text());
        let entries = client.get("/ledger?kind=api_page").await;
        assert!(entries.text().contains("/incidents/{reference}"), "{}", entries.text());
        assert!(!entries.text().contains("/reports/build"), "a masked sample is no record");
        let guess = [("csrf", token.as_str()), ("definition", "1")];
        let page = client.post_form(&format!("{room}/downloads/1/guess"), &guess).await;
        assert_eq!(page.status, 303);
        let page = client.get(&shown).await;
        assert!(page.text().contains("id=\"why\"") && page.text().contains("<del>"), "{}", page.text());
        let bad = [("csrf", token.as_str()), ("bytes", "many"), ("at", &now)];
        let page = client.post_form(&format!("{room}/downloads"), &bad).await;
        assert_eq!(page.status, 422);

        // The same on the command line.
        let said = w.ok("ledger verify", &[]);
        assert!(said.starts_with("OK"), "{said}");
        let taken = w.data().join("taken.csv");
        std::fs::write(&taken, &body).expect("a file in a folder of ours");
        let taken = taken.to_str().expect("a plain path");
        let said = w.ok("replay", &["1", "--against", taken]);
        assert!(said.contains("run 1: identical") && said.contains("taken.csv: identical"), "{said}");
        std::fs::write(taken, &other).expect("a file in a folder of ours");
        let output = w.run("replay", &["1", "--against", taken]);
        assert_eq!(output.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&output.stdout).contains("differs at byte 101"));
        let folder = w.data().join("static");
        let folder = folder.to_str().expect("a plain path");
        w.ok("ledger export", &["--out", folder]);
        let checked = crate::server::program()
            .args(["ledger", "verify", "--folder", folder])
            .output()
            .expect("the program starts");
        assert!(text_of(checked).starts_with("OK"));
        let found = w.ok("match", &["--at", &now, "--bytes", &size]);
        assert!(found.contains("everybody (no filter)"), "{found}");
    }
}
