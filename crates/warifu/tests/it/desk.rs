//! The desk through the real routes, with sessions put into the database by hand.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use std::sync::Arc;
use tower::ServiceExt as _;
use warifu_app::cases::NewCase;
use warifu_app::{App, AppConfig, SystemRandom};
use warifu_auth::Token;
use warifu_domain::access::{Actor, Role, Roles};
use warifu_domain::factors::Factor;
use warifu_domain::organizations::{Environment, Organization};
use warifu_domain::people::{KnownPerson, Person};
use warifu_domain::time::{HOUR, SystemClock};
use warifu_domain::{CaseId, CredentialId, OrganizationId, PersonId};
use warifu_ledger::{Entry, Kind};
use warifu_storage::{Db, organizations, people, sessions};
use warifu_web::{Web, WebConfig};

const ORIGIN: &str = "http://localhost:8080";

struct Desk {
    app: App,
    router: Router,
    _folder: tempfile::TempDir,
    agent: Guest,
    colleague: Guest,
    administrator: Guest,
    kenta: Guest,
    owner: Guest,
    stranger: Guest,
}

/// Somebody with an open session.
struct Guest {
    actor: Actor,
    cookie: String,
    csrf: String,
    router: Router,
}

struct Answer {
    status: StatusCode,
    headers: axum::http::HeaderMap,
    body: String,
}

impl Answer {
    fn location(&self) -> &str {
        self.headers.get(header::LOCATION).map_or("", |v| v.to_str().unwrap())
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }

    #[track_caller]
    fn has(&self, parts: &[&str]) {
        for part in parts {
            assert!(self.body.contains(part), "{part} is not in {}", self.body);
        }
    }

    #[track_caller]
    fn lacks(&self, parts: &[&str]) {
        for part in parts {
            assert!(!self.body.contains(part), "{part} is in {}", self.body);
        }
    }
}

impl Guest {
    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let body = String::from_utf8(body.to_vec()).unwrap();
        assert!(!body.contains('⟦'), "a message is missing in {body}");
        Answer { status, headers, body }
    }

    fn request(&self, method: &str, path: &str) -> axum::http::request::Builder {
        Request::builder()
            .method(method)
            .uri(path)
            .header("cookie", &self.cookie)
            .header("origin", ORIGIN)
            .header("sec-fetch-site", "same-origin")
            .header("accept-language", "en")
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(self.request("GET", path).body(Body::empty()).unwrap()).await
    }

    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("csrf", &self.csrf).extend_pairs(fields);
        let request = self
            .request("POST", path)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(form.finish()));
        self.send(request.unwrap()).await
    }

    /// A form with files, as (field, file name, content); fields without a file name are texts.
    async fn upload(&self, path: &str, parts: &[(&str, Option<&str>, &str)]) -> Answer {
        let mut body = String::new();
        let first = [("csrf", None, self.csrf.as_str())];
        for (name, file, content) in first.iter().chain(parts) {
            let file = file.map_or(String::new(), |f| format!("; filename=\"{f}\""));
            body.push_str(&format!(
                "--x\r\ncontent-disposition: form-data; name=\"{name}\"{file}\r\n\r\n{content}\r\n"
            ));
        }
        body.push_str("--x--\r\n");
        let request = self
            .request("POST", path)
            .header("content-type", "multipart/form-data; boundary=x")
            .body(Body::from(body));
        self.send(request.unwrap()).await
    }

    async fn json(&self, method: &str, path: &str, body: Value, key: Option<&str>) -> Answer {
        let mut request = self
            .request(method, path)
            .header("content-type", "application/json")
            .header("x-csrf-token", &self.csrf);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }
}

impl Desk {
    async fn new() -> Desk {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open_sqlite(folder.path()).await.unwrap();
        let mut config = AppConfig::new(folder.path());
        config.name = "Hashira Cloud".into();
        let app = App::open(db, config, Arc::new(SystemClock::default()), Arc::new(SystemRandom));
        let app = app.unwrap();
        let web = Web::new(app.clone(), WebConfig::new(ORIGIN.parse().unwrap())).unwrap();
        let router = warifu_web::router(web);
        let mut change = app.change().await.unwrap();
        let revision = change.revision();
        let mut ids = Vec::new();
        for (name, vendor) in
            [("Hashira Cloud", true), ("Mizuno Freight", false), ("Acme Tools", false)]
        {
            let o = Organization {
                name: name.into(),
                environment: Environment::Production,
                products: vec!["wic".into()],
                domain: String::new(),
                vendor,
            };
            ids.push(organizations::insert(&mut change.conn(), revision, &o).await.unwrap());
        }
        let mut guests = Vec::new();
        for (name, organization, role) in [
            ("Aiko Mori", 0, Some(Role::Agent)),
            ("Ben Ito", 0, Some(Role::Agent)),
            ("Chiyo Abe", 0, Some(Role::Administrator)),
            ("Kenta Sato", 1, None),
            ("Goro Endo", 1, Some(Role::OrganizationAdministrator)),
            ("Pat Doe", 2, Some(Role::OrganizationAdministrator)),
        ] {
            guests.push(guest(&app, &mut change, &router, name, ids[organization], role).await);
        }
        change.commit().await.unwrap();
        let mut guests = guests.into_iter();
        let mut next = || guests.next().unwrap();
        let (agent, colleague, administrator) = (next(), next(), next());
        let (kenta, owner, stranger) = (next(), next(), next());
        Desk {
            app,
            router,
            _folder: folder,
            agent,
            colleague,
            administrator,
            kenta,
            owner,
            stranger,
        }
    }

    async fn ask(&self, subject: &str, body: &str) -> CaseId {
        let new = NewCase { subject: subject.into(), body: body.into(), ..NewCase::default() };
        self.app.create_case(&self.kenta.actor, new).await.unwrap()
    }

    async fn ledger(&self, kind: Kind) -> Vec<Entry> {
        let mut reader = self.app.db.read().await.unwrap();
        let stored = warifu_storage::ledger::entries(&mut reader.conn(), 0, 10_000).await.unwrap();
        let all = stored.iter().map(|e| Entry::parse(&e.entry).unwrap());
        all.filter(|e| e.kind == kind).collect()
    }
}

async fn guest(
    app: &App,
    change: &mut warifu_app::Change<'_>,
    router: &Router,
    name: &str,
    organization: OrganizationId,
    role: Option<Role>,
) -> Guest {
    let revision = change.revision();
    let now = app.now();
    let mut conn = change.conn();
    let id = PersonId(conn.take_ids("people", 1).await.unwrap());
    let email = format!("{}@o{organization}.example", name.to_lowercase().replace(' ', "."));
    let record = Person { full_name: Some(name.into()), email: Some(email), ..Person::default() };
    people::insert(&mut conn, revision, &[KnownPerson { id, organization, active: true, record }])
        .await
        .unwrap();
    if let Some(role) = role {
        people::grant(&mut conn, revision, id, role).await.unwrap();
    }
    let token = Token::from_random([id.0 as u8; 32]);
    let csrf = format!("csrf of {id}");
    let session = sessions::Session {
        token_hash: token.hash().to_vec(),
        person: id,
        csrf: csrf.clone(),
        created_at: now,
        used_at: now,
        ends_at: now.plus(12 * HOUR),
        ended_at: None,
        // Where requests that come from no socket come from.
        network: "loopback".into(),
        agent: String::new(),
        credential: CredentialId(0),
        factor: Factor::Passkey,
        assurance: 3,
        proved_at: now,
        device: None,
        bound: None,
    };
    sessions::insert(&mut conn, &session).await.unwrap();
    Guest {
        actor: Actor {
            person: id,
            name: name.into(),
            organization,
            roles: role.into_iter().collect::<Roles>(),
            session: None,
            network: String::new(),
        },
        cookie: format!("__Host-warifu={}", token.text()),
        csrf,
        router: router.clone(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_goes_from_the_portal_to_the_console_and_back() {
    let d = Desk::new().await;
    d.kenta.get("/portal/cases").await.has(&["No case yet"]);
    d.kenta.get("/portal/cases/new").await.has(&["WIC", "name=\"csrf\""]);
    let empty =
        d.kenta.upload("/portal/cases/new", &[("subject", None, ""), ("text", None, "x")]).await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
    empty.has(&["Write in a few words what it is about."]);
    let fields = [
        ("subject", None, "証明書 <b>loop</b>"),
        ("text", None, "first line\r\n\r\nsecond"),
        ("priority", None, "urgent"),
        ("files", Some("../evil\".html"), "<script>alert(1)</script>"),
        ("files", Some(""), ""),
    ];
    let made = d.kenta.upload("/portal/cases/new", &fields).await;
    assert_eq!((made.status, made.location()), (StatusCode::SEE_OTHER, "/portal/cases/HC-1#new"));
    let list = d.agent.get("/cases?view=unassigned").await;
    list.has(&["証明書 &#60;b&#62;loop", "/cases/HC-1?view=unassigned", "Mizuno Freight", "High"]);
    let page = d.agent.get("/cases/HC-1").await;
    assert_eq!(page.status, StatusCode::OK);
    page.has(&[
        "<p>first line</p><p>second</p>",
        "Kenta Sato",
        "/attachments/1",
        "kenta.sato@o2.example",
    ]);
    page.lacks(&["<b>loop"]);

    let version = d.app.open_case(&d.agent.actor, CaseId(1), None).await.unwrap().case.updated_at;
    let mine =
        [("version", &*version.0.to_string()), ("assignee", &*d.agent.actor.person.to_string())];
    let set = d.agent.post("/cases/HC-1/properties", &mine).await;
    assert_eq!((set.status, set.location()), (StatusCode::SEE_OTHER, "/cases/HC-1"));
    let changes = [("version", &*version.0.to_string()), ("assignee", "0")];
    let late = d.colleague.post("/cases/HC-1/properties", &changes).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    late.has(&["Aiko Mori changed the same"]);
    let late = d.colleague.post("/cases/HC-1/properties?lang=ja", &changes).await;
    late.has(&["Aiko Moriさんが同じ項目を変更しました。"]);
    late.lacks(&["while you looked"]);

    let note = [("kind", None, "note"), ("text", None, "zanzibar")];
    assert_eq!(d.agent.upload("/cases/HC-1/answer", &note).await.status, StatusCode::SEE_OTHER);
    let reply = [("kind", None, "reply"), ("last_seen", None, "99"), ("text", None, "Try this.")];
    let sent = d.agent.upload("/cases/HC-1/answer", &reply).await;
    assert!(sent.location().starts_with("/cases/HC-1#m-"), "{}", sent.location());
    let page = d.agent.get("/cases/HC-1").await;
    page.has(&["zanzibar", "Try this.", "took the case", "Waiting on customer"]);
    let own = d.kenta.get("/portal/cases/HC-1").await;
    own.has(&["Try this.", "Waiting for you", "/attachments/1"]);
    own.lacks(&["zanzibar", "took the case", "changed"]);
    assert_eq!(d.kenta.post("/portal/cases/HC-1/close", &[]).await.status, StatusCode::SEE_OTHER);
    d.owner.get("/portal/cases").await.has(&["証明書", "Solved"]);
    d.agent.get("/cases?view=solved").await.has(&["HC-1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_survives_a_message_that_came_meanwhile() {
    let d = Desk::new().await;
    d.ask("Loop", "first").await;
    let seen = d.app.open_case(&d.agent.actor, CaseId(1), None).await.unwrap().last_entry();
    let answer = [("text", None, "one more thing"), ("last_seen", None, &*seen.to_string())];
    let sent = d.kenta.upload("/portal/cases/HC-1/reply", &answer).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER);
    let typed = [
        ("kind", None, "reply"),
        ("last_seen", None, &*seen.to_string()),
        ("text", None, "my <draft>"),
    ];
    let arrived = d.agent.upload("/cases/HC-1/answer", &typed).await;
    assert_eq!(arrived.status, StatusCode::CONFLICT);
    arrived.has(&[
        "Kenta Sato replied while you were typing",
        "my &#60;draft&#62;",
        "one more thing",
    ]);
    let anyway = [
        ("kind", None, "reply"),
        ("last_seen", None, &*seen.to_string()),
        ("anyway", None, "2"),
        ("text", None, "sent"),
    ];
    assert_eq!(d.agent.upload("/cases/HC-1/answer", &anyway).await.status, StatusCode::SEE_OTHER);
    let empty = [("kind", None, "reply"), ("text", None, " ")];
    assert_eq!(
        d.agent.upload("/cases/HC-1/answer", &empty).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let empty = d.agent.upload("/cases/HC-1/answer?lang=ja", &empty).await;
    empty.has(&["この文は送信できません：本文が空です。"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_of_somebody_else_is_the_page_of_nothing() {
    let d = Desk::new().await;
    let file = [("subject", None, "Log"), ("text", None, "x"), ("files", Some("a.txt"), "secret")];
    d.kenta.upload("/portal/cases/new", &file).await;
    let person = format!("/people/{}", d.kenta.actor.person);
    let routes = [
        "/portal/cases/HC-1",
        "/portal/cases/HC-1/events",
        "/attachments/1",
        "/api/v1/cases/1",
        "/api/v1/cases/1/messages",
        "/api/v1/people/4",
        "/api/v1/organizations/2",
    ];
    for route in routes {
        let foreign = d.stranger.get(route).await;
        let nothing = d
            .stranger
            .get(
                &route
                    .replace("HC-1", "HC-99")
                    .replace("/1", "/99")
                    .replace("/4", "/99")
                    .replace("/2", "/99"),
            )
            .await;
        assert_eq!(
            (foreign.status, nothing.status),
            (StatusCode::NOT_FOUND, StatusCode::NOT_FOUND),
            "{route}"
        );
        foreign.lacks(&["Log", "Kenta", "secret"]);
    }
    for route in
        ["/cases", "/cases/HC-1", "/cases/new", "/people", &person, "/organizations", "/shortcuts"]
    {
        for guest in [&d.kenta, &d.owner, &d.stranger] {
            assert_eq!(guest.get(route).await.status, StatusCode::NOT_FOUND, "{route}");
        }
    }
    for route in ["/portal/cases", "/portal/cases/new", "/portal/cases/HC-1"] {
        assert_eq!(d.agent.get(route).await.status, StatusCode::NOT_FOUND, "{route}");
    }
    let answer = [("text", None, "hello")];
    assert_eq!(
        d.stranger.upload("/portal/cases/HC-1/reply", &answer).await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        d.stranger.post("/portal/cases/HC-1/close", &[]).await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        d.kenta.post("/cases/bulk", &[("case", "HC-1"), ("status", "closed")]).await.status,
        StatusCode::NOT_FOUND
    );
    d.stranger.get("/search?q=log").await.lacks(&["Mizuno", "HC-1"]);
    assert_eq!(d.owner.get("/attachments/1").await.body, "secret");
    let forged = d
        .agent
        .request("POST", "/cases/bulk")
        .header("content-type", "application/x-www-form-urlencoded");
    let forged = d.agent.send(forged.body(Body::from("case=HC-1&status=closed")).unwrap()).await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_leaves_as_a_download_and_never_as_a_page() {
    let d = Desk::new().await;
    let file = [
        ("subject", None, "Log"),
        ("text", None, "x"),
        ("files", Some("証 a.html"), "<script>1</script>"),
    ];
    d.kenta.upload("/portal/cases/new", &file).await;
    let got = d.agent.get("/attachments/1").await;
    let header = |name: &str| got.headers.get(name).unwrap().to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "application/octet-stream");
    assert_eq!(
        header("content-disposition"),
        "attachment; filename=\"_ a.html\"; filename*=UTF-8''%E8%A8%BC%20a.html"
    );
    assert_eq!(header("content-security-policy"), "default-src 'none'; sandbox");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("content-length"), "18");
    assert_eq!(d.ledger(Kind::AttachmentDownload).await.len(), 1);
    d.agent.get("/cases/HC-1").await.has(&["opened the file"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_organizations_search_and_palette_are_pages() {
    let d = Desk::new().await;
    d.ask("Cannot sign in", "VPN").await;
    d.agent.get("/people").await.has(&["Kenta Sato", "Mizuno Freight", "Goro Endo"]);
    assert_eq!(d.ledger(Kind::ApiPage).await.last().unwrap().body["route"], "/people");
    d.agent.get("/people?q=sato").await.has(&["Kenta Sato"]);
    d.agent.get("/people?organization=3").await.lacks(&["Kenta Sato"]);
    let page = d.agent.get(&format!("/people/{}", d.kenta.actor.person)).await;
    page.has(&["kenta.sato@o2.example", "Cannot sign in", "SAML federation ID"]);
    let mut record =
        d.app.person(&d.agent.actor, d.kenta.actor.person).await.unwrap().person.record;
    record.phone = Some("+81 3 1234 5678".into());
    d.app
        .change_person(&d.administrator.actor, d.kenta.actor.person, record, None, None)
        .await
        .unwrap();
    let old = format!("/people/{}?revision=1", d.kenta.actor.person);
    d.agent.get(&old).await.lacks(&["+81 3 1234 5678"]);
    assert_eq!(d.agent.get(&old.replace("=1", "=77")).await.status, StatusCode::NOT_FOUND);
    d.agent.get("/organizations").await.has(&["Acme Tools", "Mizuno Freight"]);
    d.agent.get("/organizations?q=acme").await.lacks(&["Mizuno Freight</a>"]);
    d.agent.get("/organizations/2").await.has(&["Goro Endo", "Cannot sign in"]);
    d.agent.get("/search?q=vpn").await.has(&["Cannot sign in"]);
    d.agent.get("/palette?q=sato").await.has(&["Kenta", "<mark>Sato</mark>"]);
    assert_eq!(d.agent.get("/search?q=hc-1").await.location(), "/cases/HC-1");
    assert_eq!(d.kenta.get("/search?q=1").await.location(), "/portal/cases/HC-1");
    assert_eq!(d.agent.get("/shortcuts").await.status, StatusCode::OK);
    let japanese = d.agent.get("/cases?view=active&status=new&lang=ja").await;
    japanese.has(&["<html lang=\"ja\"", "状態："]);
    for bad in ["/cases?view=nope", "/people/0", "/organizations/99", "/cases/HC-99", "/cases/x"] {
        assert_eq!(d.agent.get(bad).await.status, StatusCode::NOT_FOUND, "{bad}");
    }
    assert_eq!(d.agent.get("/cases?after=x").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    d.agent.get("/cases?after=x").await.has(&["no such place"]);
    let japanese = d.agent.get("/cases?after=x&lang=ja").await;
    japanese.has(&["一覧のその位置は見つかりません。"]);
    japanese.lacks(&["no such place"]);
}

/// One entry per view, of whatever page shows records, before it leaves.
#[tokio::test(flavor = "multi_thread")]
async fn pages_of_records_are_recorded() {
    let d = Desk::new().await;
    d.ask("Cannot sign in", "VPN").await;
    for (guest, path, route, rows) in [
        (&d.agent, "/organizations", "/organizations", Some(3)),
        (&d.agent, "/organizations?q=acme", "/organizations", Some(1)),
        (&d.agent, "/organizations/2", "/organizations/{id}", Some(1)),
        (&d.agent, "/search?q=vpn", "/search", Some(1)),
        (&d.agent, "/search?q=nothing-like-it", "/search", Some(0)),
        (&d.agent, "/palette?q=sato", "/palette", None),
        (&d.agent, "/cases?view=active", "/cases", Some(1)),
        (&d.colleague, "/cases/HC-1", "/cases/{reference}", Some(1)),
        (&d.kenta, "/portal/cases", "/portal/cases", Some(1)),
        (&d.kenta, "/search?q=vpn", "/search", Some(1)),
    ] {
        let before = d.ledger(Kind::ApiPage).await.len();
        // A page that loads itself again is no less a page.
        let request = guest.request("GET", path).header("x-warifu-quiet", "1");
        let page = guest.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        let entries = d.ledger(Kind::ApiPage).await;
        assert_eq!(entries.len(), before + 1, "{path}");
        let body = &entries.last().unwrap().body;
        assert_eq!(body["route"], route, "{path}");
        assert_eq!(body["bytes"], page.body.len().to_string(), "{path}");
        if let Some(rows) = rows {
            assert_eq!(body["rows"], rows.to_string(), "{path}");
        }
    }
    // What shows nothing, or nothing new to the session, writes nothing.
    let before = d.ledger(Kind::ApiPage).await.len();
    for path in ["/search", "/palette", "/cases/HC-1", "/shortcuts", "/account/passkeys"] {
        assert_eq!(d.agent.get(path).await.status, StatusCode::OK, "{path}");
    }
    assert_eq!(d.ledger(Kind::ApiPage).await.len(), before);
    d.ask("Another one", "VPN").await;
    d.agent.get("/cases/HC-1").await.has(&["Another one"]);
    assert_eq!(d.ledger(Kind::ApiPage).await.len(), before + 1, "the list had a new case");
}

/// Customers read their own time, staff UTC.
#[tokio::test(flavor = "multi_thread")]
async fn times_are_local_for_customers() {
    let d = Desk::new().await;
    d.ask("Loop", "first").await;
    let page = async |guest: &Guest, path: &str, zone: &str| {
        let cookie = format!("{}; warifu-zone={zone}", guest.cookie);
        let request = Request::builder().uri(path).header("cookie", cookie);
        guest.send(request.body(Body::empty()).unwrap()).await
    };
    let own = "/portal/cases/HC-1";
    let tokyo = page(&d.kenta, own, "Asia/Tokyo").await;
    tokyo.has(&["data-zone=\"Asia/Tokyo\""]);
    tokyo.lacks(&[" UTC</time>"]);
    page(&d.kenta, own, "Mars/Olympus").await.has(&["data-zone=\"UTC\"", " UTC</time>"]);
    page(&d.agent, "/cases/HC-1", "Asia/Tokyo").await.has(&[" UTC</time>"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_open_cases_and_change_many() {
    let d = Desk::new().await;
    let new = [
        ("person", "kenta.sato@o2.example"),
        ("subject", "Call"),
        ("text", "They called."),
        ("priority", "high"),
    ];
    assert_eq!(d.agent.post("/cases/new", &new).await.location(), "/cases/HC-1");
    let wrong =
        [("person", "nobody@x.example"), ("subject", "Call"), ("text", "Text"), ("priority", "")];
    let wrong = d.agent.post("/cases/new", &wrong).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    wrong.has(&["There is no such person", "value=\"nobody@x.example\""]);
    d.ask("Two", "x").await;
    let many =
        [("case", "HC-1"), ("case", "HC-2"), ("status", "solved"), ("back", "/cases?view=active")];
    let done = d.agent.post("/cases/bulk", &many).await;
    assert_eq!((done.status, done.location()), (StatusCode::SEE_OTHER, "/cases?view=active"));
    d.agent.get("/cases?view=solved").await.has(&["HC-1", "HC-2"]);
    let away = [("case", "HC-1"), ("back", "//evil.example")];
    assert_eq!(d.agent.post("/cases/bulk", &away).await.location(), "/cases");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_does_the_same_and_every_page_has_its_entry() {
    let d = Desk::new().await;
    let new = json!({"subject": "Loop", "body": "first"});
    let made = d.kenta.json("POST", "/api/v1/cases", new.clone(), Some("key-1")).await;
    assert_eq!(
        (made.status, made.json()),
        (StatusCode::CREATED, json!({"id": 1, "reference": "HC-1"}))
    );
    let again = d.kenta.json("POST", "/api/v1/cases", new.clone(), Some("key-1")).await;
    assert_eq!((again.status, again.json()["id"].as_i64()), (StatusCode::CREATED, Some(1)));
    let other = d
        .kenta
        .json("POST", "/api/v1/cases", json!({"subject": "X", "body": "y"}), Some("key-1"))
        .await;
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY);
    // A key is its owner's, and one that failed can be used again.
    assert_eq!(
        d.owner.json("POST", "/api/v1/cases", new.clone(), Some("key-1")).await.json()["id"],
        2
    );
    let bad = json!({"subject": "", "body": "y"});
    for _ in 0..2 {
        let bad = d.kenta.json("POST", "/api/v1/cases", bad.clone(), Some("key-2")).await;
        assert_eq!(
            (bad.status, bad.json()["field"].as_str()),
            (StatusCode::UNPROCESSABLE_ENTITY, Some("subject"))
        );
        assert_eq!(bad.headers[header::CONTENT_TYPE], "application/problem+json");
    }

    let note = json!({"body": "between us", "note": true});
    assert_eq!(
        d.agent.json("POST", "/api/v1/cases/1/messages", note.clone(), None).await.status,
        StatusCode::CREATED
    );
    assert_eq!(
        d.kenta.json("POST", "/api/v1/cases/1/messages", note, None).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let change = json!({"status": "solved", "tags": ["vip"], "assignee": d.agent.actor.person.0});
    let changed = d.agent.json("PATCH", "/api/v1/cases/1", change, None).await.json();
    assert_eq!((&changed["status"], &changed["tags"]), (&json!("solved"), &json!(["vip"])));
    let seen = d.kenta.get("/api/v1/cases/1").await;
    seen.lacks(&["vip", "priority"]);
    d.kenta.get("/api/v1/cases/1/messages").await.lacks(&["between us", "vip"]);
    d.agent.get("/api/v1/cases/1/messages").await.has(&["between us"]);

    let before = d.ledger(Kind::ApiPage).await.len();
    let mut ids = Vec::new();
    let mut path = "/api/v1/people?limit=2".to_owned();
    loop {
        let page = d.agent.get(&path).await;
        let answer = page.json();
        ids.extend(answer["people"].as_array().unwrap().iter().map(|p| p["id"].as_i64().unwrap()));
        let entry = d.ledger(Kind::ApiPage).await.pop().unwrap();
        assert_eq!(entry.body["bytes"], page.body.len().to_string());
        assert_eq!(entry.body["route"], "/api/v1/people");
        match answer["next"].as_i64() {
            Some(next) => path = format!("/api/v1/people?limit=2&after={next}"),
            None => break,
        }
    }
    assert_eq!(ids, [1, 2, 3, 4, 5, 6]);
    assert_eq!(d.ledger(Kind::ApiPage).await.len(), before + 3);

    let record =
        json!({"record": {"full_name": "Neo", "email": "neo@o2.example"}, "organization": 2});
    assert_eq!(
        d.agent.json("POST", "/api/v1/people", record.clone(), None).await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(d.administrator.json("POST", "/api/v1/people", record, None).await.json()["id"], 7);
    let replaced =
        json!({"record": {"full_name": "Neo A", "email": "neo@o2.example"}, "revision": 1});
    assert_eq!(
        d.administrator.json("PUT", "/api/v1/people/7", replaced, None).await.status,
        StatusCode::CONFLICT
    );
    let o = json!({"name": "Orca", "environment": "preview", "products": ["wic"]});
    assert_eq!(
        d.administrator.json("POST", "/api/v1/organizations", o.clone(), None).await.status,
        StatusCode::CREATED
    );
    assert_eq!(
        d.administrator.json("POST", "/api/v1/organizations", o, None).await.status,
        StatusCode::CONFLICT
    );
    let found = d.agent.get("/api/v1/search?q=orca").await.json();
    assert_eq!(found["organizations"][0]["name"], "Orca");

    // Without a token nothing is changed; without a session nothing is said.
    let bare = d.agent.request("POST", "/api/v1/cases").header("content-type", "application/json");
    assert_eq!(
        d.agent.send(bare.body(Body::from("{}")).unwrap()).await.status,
        StatusCode::FORBIDDEN
    );
    let nobody = Guest {
        cookie: String::new(),
        csrf: String::new(),
        actor: d.agent.actor.clone(),
        router: d.router.clone(),
    };
    assert_eq!(nobody.get("/api/v1/people").await.status, StatusCode::UNAUTHORIZED);
    let described = nobody.get("/api/v1/openapi.json").await.json();
    assert!(described["openapi"].as_str().unwrap().starts_with("3.1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_page_hears_of_changes_it_may_see_and_of_the_end() {
    let d = Desk::new().await;
    d.ask("Loop", "first").await;
    let listen = async |guest: &Guest, path: &str| {
        let request = guest.request("GET", path).header("accept", "text/event-stream");
        let response =
            guest.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        response.into_body()
    };
    let next = async |body: &mut Body| {
        let frame = tokio::time::timeout(std::time::Duration::from_secs(5), body.frame()).await;
        let frame = frame.ok()??.ok()?;
        Some(String::from_utf8(frame.into_data().ok()?.to_vec()).unwrap())
    };
    let mut console = listen(&d.agent, "/cases/HC-1/events").await;
    let mut foreign = listen(&d.stranger, "/events").await;
    d.app.note(&d.colleague.actor, CaseId(1), "x", vec![]).await.unwrap();
    let told = next(&mut console).await.unwrap();
    assert!(told.contains("event: stale") && told.contains("data: #talk"), "{told}");
    // The stranger hears nothing of it; what they hear next is that their session ended.
    let mut tx = d.app.db.begin_plain().await.unwrap();
    let (who, now) = (d.stranger.actor.person, d.app.now());
    sessions::end_all(&mut tx.conn(), who, now).await.unwrap();
    tx.commit().await.unwrap();
    d.app.note(&d.colleague.actor, CaseId(1), "y", vec![]).await.unwrap();
    let told = next(&mut foreign).await.unwrap();
    assert!(told.contains("event: ended"), "{told}");
}
