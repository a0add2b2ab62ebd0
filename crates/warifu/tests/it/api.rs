//! The JSON API does what the pages do, on both databases, and says so in a description that
//! somebody else's validator accepts.

use crate::evidence::{enter, import};
use crate::http::{Answer, Client};
use crate::server::{Engine, Warifu};
use hyper::Method;
use serde_json::{Value, json};
use std::time::Duration;

/// A program with a session: the token of `GET /api/v1/session` goes with every change.
struct Program(Client);

impl Program {
    async fn new(w: &Warifu) -> (Program, Value) {
        let mut client = enter(w).await.header("accept", "application/json");
        let session = client.get("/api/v1/session").await;
        assert_eq!(session.status, 200, "{}", session.text());
        let session = session.value();
        let token = session["csrf"].as_str().expect("a token");
        (Program(client.header("x-csrf-token", token)), session)
    }

    /// # Panics
    /// When the answer's status is another one; errors have to be problem documents.
    async fn ask(&mut self, status: u16, method: Method, path: &str, body: Value) -> Answer {
        let answer = match method {
            Method::GET => self.0.get(path).await,
            method => self.0.json(method, path, &body).await,
        };
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
        if status >= 400 {
            assert_eq!(answer.header("content-type"), "application/problem+json");
            let problem = answer.value();
            assert_eq!(problem["status"], status);
            assert!(problem["type"].as_str().unwrap_or("").starts_with("/problems/"), "{problem}");
        }
        answer
    }

    async fn get(&mut self, path: &str) -> Value {
        self.ask(200, Method::GET, path, Value::Null).await.value()
    }

    async fn post(&mut self, status: u16, path: &str, body: Value) -> Answer {
        self.ask(status, Method::POST, path, body).await
    }

    /// Makes something twice with one key: it is made once.
    async fn make(&mut self, key: &str, path: &str, body: Value) -> i64 {
        let mut keyed = Program(self.0.clone().header("idempotency-key", key));
        let first = keyed.post(201, path, body.clone()).await;
        let second = keyed.post(201, path, body).await;
        assert_eq!(first.body, second.body, "{path} with the same key");
        keyed.post(422, path, json!({"other": "body"})).await;
        first.value()["id"].as_i64().expect("an id")
    }

    async fn until(&mut self, path: &str, field: &str, value: &str) -> Value {
        for _ in 0..1_200 {
            let now = self.get(path).await;
            if now[field] == value {
                return now;
            }
            assert_ne!(now[field], "failed", "{now}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{path}: {field} never became {value}: {}", self.get(path).await)
    }
}

const HAR: &[u8] = br#"{"log":{"version":"1.2","creator":{"name":"t","version":"1"},"entries":[{"startedDateTime":"2023-09-28T15:06:00.000Z","time":1,"request":{"method":"GET","url":"https://app.example/","httpVersion":"HTTP/1.1","headers":[{"name":"Cookie","value":"sid=s3cr3t-value-0002"}],"queryString":[],"cookies":[{"name":"sid","value":"s3cr3t-value-0002"}],"headersSize":-1,"bodySize":0},"response":{"status":200,"statusText":"OK","httpVersion":"HTTP/1.1","headers":[],"cookies":[],"content":{"size":2,"mimeType":"text/plain","text":"ok"},"redirectURL":"","headersSize":-1,"bodySize":2},"cache":{},"timings":{"send":0,"wait":1,"receive":0}}]}}"#;

on_both! {
    async fn programs_work_the_desk(w: Warifu) {
        let (mut p, session) = Program::new(&w).await;
        assert!(session["roles"].as_array().is_some_and(|r| r.len() == 2), "{session}");
        let record = json!({"name": "Orca", "environment": "production", "products": ["wic"]});
        let orca = p.make("o", "/api/v1/organizations", record).await;
        let neo = json!({"organization": orca, "record": {"full_name": "Neo", "email": "neo@orca.example"}});
        let neo = p.make("p", "/api/v1/people", neo).await;
        let record = json!({"record": {"full_name": "Neo A", "email": "neo@orca.example"}});
        p.ask(204, Method::PUT, &format!("/api/v1/people/{neo}"), record).await;
        let versions = p.get(&format!("/api/v1/people/{neo}/versions")).await;
        assert_eq!(versions[0]["changed"], json!(["Full Name"]), "{versions}");
        assert_eq!(versions[1]["person"]["record"]["full_name"], "Neo");
        let renamed = json!({"name": "Orca Ltd", "environment": "production"});
        p.ask(204, Method::PUT, &format!("/api/v1/organizations/{orca}"), renamed).await;
        let versions = p.get(&format!("/api/v1/organizations/{orca}/versions")).await;
        assert_eq!(versions.as_array().map(Vec::len), Some(2), "{versions}");

        let case = json!({"subject": "Loop", "body": "first", "requester": neo, "priority": "high"});
        let case = p.make("c", "/api/v1/cases", case).await;
        let one = format!("/api/v1/cases/{case}");
        let me = p.get("/api/v1/assignees").await[0]["id"].as_i64().expect("somebody");
        let changed = p.ask(200, Method::PATCH, &one, json!({"assignee": me, "tags": ["vip"]})).await;
        assert_eq!(changed.value()["assignee"], me);
        let again = json!({"assignee": me, "version": changed.value()["updated_at"]});
        p.ask(200, Method::PATCH, &one, again).await;
        let mine = p.get("/api/v1/views").await;
        assert_eq!(mine[0], json!({"view": "mine", "cases": 1}));
        for q in ["view=mine", "view=active&assignee=0", "view=active&q=loop", "view=active&priority=high"] {
            let found = p.get(&format!("/api/v1/cases?{q}")).await;
            let expected = usize::from(q != "view=active&assignee=0");
            assert_eq!(found["cases"].as_array().map(Vec::len), Some(expected), "{q}: {found}");
        }
        let many = json!({"cases": [case], "change": {"status": "waiting"}});
        assert_eq!(p.post(200, "/api/v1/cases/bulk", many).await.value()["changed"], json!([case]));

        // A note with a HAR file: sanitized, described, fetched through the gate.
        let fields = [("body", "see the recording"), ("note", "true")];
        let file = [("files", "a.har", "application/json", HAR)];
        let sent = p.0.upload(&format!("{one}/files"), &fields, &file).await;
        assert_eq!(sent.status, 201, "{}", sent.text());
        let messages = p.get(&format!("{one}/messages")).await;
        let last = messages["messages"].as_array().and_then(|m| m.iter().rfind(|m| m["kind"] == "note"));
        let file = last.expect("the note")["files"][0].clone();
        assert_eq!(file["sanitized"], true);
        assert!(file["receipt"]["removed"].as_array().is_some_and(|r| !r.is_empty()), "{file}");
        let got = p.0.get(file["href"].as_str().expect("an address")).await;
        assert_eq!(got.status, 200);
        assert!(!got.text().contains("s3cr3t-value-0002") && got.text().contains("app.example"));
        // A customer's act is not the vendor's.
        p.post(404, &format!("{one}/close"), json!({})).await;

        p.post(422, "/api/v1/cases", json!({"subject": "", "body": "x", "requester": neo})).await;
        p.ask(404, Method::GET, "/api/v1/cases/99", Value::Null).await;
        let keys = p.get("/api/v1/passkeys").await;
        let path = format!("/api/v1/passkeys/{}", keys[0]["id"]);
        p.ask(409, Method::DELETE, &path, json!({})).await;
        // Who is in, and who may do what.
        let open = p.get("/api/v1/sessions?everybody=true").await;
        assert_eq!((open.as_array().map(Vec::len), &open[0]["this"]), (Some(1), &json!(true)), "{open}");
        let me = open[0]["person"].as_i64().expect("an id");
        p.ask(404, Method::DELETE, &format!("/api/v1/people/{me}/sessions/ffff"), json!({})).await;
        p.ask(204, Method::DELETE, &format!("/api/v1/people/{me}/sessions"), json!({})).await;
        let roles = format!("/api/v1/people/{me}/roles");
        p.ask(422, Method::PUT, &roles, json!({"roles": ["king"]})).await;
        let refused = p.ask(403, Method::PUT, &roles, json!({"roles": ["super_administrator"]})).await;
        assert_eq!(refused.value()["type"], "/problems/step-up-required");
        p.ask(204, Method::DELETE, "/api/v1/session", json!({})).await;
        p.ask(401, Method::GET, "/api/v1/session", Value::Null).await;
    }

    async fn programs_make_reports_and_find_them_again(w: Warifu) {
        import(&w, 300);
        let (mut p, _) = Program::new(&w).await;
        let subjects = p.get("/api/v1/reports/subjects").await;
        assert_eq!(subjects[0]["subject"], "people");
        let definition = json!({"subject": "people", "columns": ["full_name", "email", "user_type"],
            "filter": {"all": [{"column": "user_type", "op": "equals", "value": "Partner"}]},
            "order": [], "format": {"csv": {}}});
        let new = json!({"name": "Partners", "definition": definition});
        let id = p.make("d", "/api/v1/definitions", new).await;
        let next = json!({"id": id, "name": "Partners 2", "definition": definition});
        p.post(201, "/api/v1/definitions", next).await;
        let versions = p.get(&format!("/api/v1/definitions/{id}/versions")).await;
        assert_eq!((&versions[0]["version"], &versions[1]["version"]), (&json!(2), &json!(1)));
        let first = p.get(&format!("/api/v1/definitions/{id}?version=1")).await;
        assert_eq!(first["version"], 1);
        p.ask(404, Method::GET, "/api/v1/definitions/99/versions", Value::Null).await;

        let counted = p.post(200, "/api/v1/reports", definition.clone()).await.value();
        assert_eq!(counted["rows"], 75, "{counted}");
        assert!(!counted["sample"].to_string().contains("p4@o4.example"), "{counted}");
        let asked = json!({"definition": definition, "name": "Partners", "reason": "check"});
        let run = p.make("r", "/api/v1/runs", asked.clone()).await;
        let file = p.post(200, &format!("/api/v1/runs/{run}/download"), json!({})).await;
        assert_eq!(Some(file.body.len() as u64), counted["bytes"].as_u64());
        p.post(409, &format!("/api/v1/runs/{run}/download"), json!({})).await;
        let done = p.until(&format!("/api/v1/runs/{run}"), "state", "done").await;
        let second = p.post(201, "/api/v1/runs", asked).await.value()["id"].as_i64().expect("an id");
        p.post(204, &format!("/api/v1/runs/{second}/cancel"), json!({})).await;
        let page = p.get("/api/v1/runs?limit=1").await;
        assert_eq!((&page["runs"][0]["state"], &page["next"]), (&json!("aborted"), &json!(second)));
        let page = p.get(&format!("/api/v1/runs?limit=1&before={second}")).await;
        assert_eq!((&page["runs"][0]["id"], page["next"].is_null()), (&json!(run), true));

        p.post(202, &format!("/api/v1/replays/{run}"), json!({})).await;
        p.until(&format!("/api/v1/replays/{run}"), "state", "identical").await;
        p.ask(409, Method::DELETE, &format!("/api/v1/replays/{run}"), json!({})).await;
        let mut other = file.body.to_vec();
        other[20] ^= 1;
        for (bytes, identical) in [(file.body.to_vec(), true), (other, false)] {
            let theirs = [("file", "a.csv", "text/csv", bytes.as_slice())];
            let answer = p.0.upload(&format!("/api/v1/runs/{run}/compare"), &[], &theirs).await;
            assert_eq!(answer.value()["identical"], identical, "{}", answer.text());
        }

        let page = p.get("/api/v1/ledger?limit=3").await;
        let next = page["next"].as_i64().expect("more entries");
        let older = p.get(&format!("/api/v1/ledger?limit=3&before={next}")).await;
        assert!(older["entries"][0]["number"].as_i64() < Some(next), "{older}");
        let entry = done["end_entry"].as_i64().expect("an end entry");
        let proven = p.get(&format!("/api/v1/ledger/{entry}")).await;
        assert_eq!(proven["kind"], "report_end");
        assert!(proven["path"].as_array().is_some_and(|p| !p.is_empty()), "{proven}");
        assert_eq!(p.post(200, "/api/v1/ledger/verify", json!({})).await.value()["holds"], true);

        let room = json!({"title": "What was in it?", "summary": "a log has its size"});
        let room = p.make("i", "/api/v1/incidents", room).await;
        let telemetry = json!({"at": done["as_of"], "bytes": file.body.len(), "rows": 75});
        let at = format!("/api/v1/incidents/{room}");
        let download = p.make("t", &format!("{at}/downloads"), telemetry).await;
        let at_download = format!("{at}/downloads/{download}");
        p.ask(204, Method::PUT, &format!("{at_download}/guess"), json!({"definition": id})).await;
        p.post(202, &format!("{at_download}/match"), json!({})).await;
        let found = p.until(&format!("{at_download}/match"), "state", "done").await;
        assert!(found["answer"]["matched"].as_i64() > Some(0), "{found}");
        p.ask(409, Method::DELETE, &format!("{at_download}/match"), json!({})).await;
        let exposed = p.get(&format!("{at_download}/exposure?candidate=1")).await;
        assert_eq!(exposed["people"], 75, "{exposed}");
        p.post(204, &format!("{at}/close"), json!({})).await;
        assert_eq!(p.get(&at).await["state"], "closed");
    }
}

/// With a validator that was not written here: `openapi-spec-validator` of PyPI.
#[tokio::test(flavor = "multi_thread")]
async fn the_description_is_openapi() {
    if std::env::var_os("WARIFU_PEERS").is_none_or(|v| v != "1") {
        return;
    }
    let w = Warifu::start(Engine::Sqlite).await;
    let described = w.client().get("/api/v1/openapi.json").await;
    let file = w.data().join("openapi.json");
    std::fs::write(&file, &described.body).expect("a file in a folder of ours");
    let script = "import json, sys; from openapi_spec_validator import OpenAPIV31SpecValidator; \
        OpenAPIV31SpecValidator(json.load(open(sys.argv[1]))).validate()";
    let run = std::process::Command::new("python3").args(["-c", script]).arg(&file).output();
    let run = run.expect("python3 with openapi-spec-validator (./test installs it)");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
}
