//! No page of the desk reads a whole table: every statement that its pages run on SQLite is
//! collected, and its plan is asked for. A view whose index was there but was not used took two
//! seconds with 100,000 cases, and every other test passed.
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is test code")]

#[path = "../installation/mod.rs"]
mod installation;

use installation::{Installation, actor, super_administrator};
use std::collections::BTreeSet;
use std::io::Write;
use std::sync::{Arc, Mutex};
use warifu_app::cases::{Answer, Cursor, Filter, NewCase};
use warifu_app::import::ImportRequest;
use warifu_domain::access::{Actor, Role, Roles};
use warifu_domain::accesses::AccessKind;
use warifu_domain::cases::{Status, View};
use warifu_domain::{OrganizationId, PersonId, Timestamp};
use warifu_storage::{application_sessions, sessions};

/// What sqlx says of the statements that it runs, one JSON object a line.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<u8>>>);

impl Write for Heard {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Heard {
    fn statements(&self) -> BTreeSet<String> {
        let heard = self.0.lock().unwrap();
        let lines = heard.split(|b| *b == b'\n').filter(|l| !l.is_empty());
        let said = lines.filter_map(|l| serde_json::from_slice::<serde_json::Value>(l).ok());
        let text = |v: serde_json::Value| {
            let full = v["fields"]["db.statement"].as_str().unwrap_or_default().trim().to_owned();
            if full.is_empty() {
                v["fields"]["summary"].as_str().map(str::to_owned)
            } else {
                Some(full)
            }
        };
        said.filter_map(text).map(|s| s.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
    }
}

/// What may be read from end to end, by words of the statement: it is small whatever the desk has.
const SMALL: [(&str, &str); 5] = [
    // The addresses that are looked up, a beginning's words, the hits of a search.
    ("WITH given", "SCAN given"),
    ("WITH RECURSIVE words", "SCAN words"),
    ("ORDER BY s.id DESC", "SCAN s"),
    // The first 10,000 people of one organization.
    ("LIMIT 10000) p", "SCAN p"),
    // Rooms of incidents, of which there are as many as incidents.
    ("FROM incidents", "SCAN incidents"),
];

fn is_harmless(statement: &str, step: &str) -> bool {
    let small = |(words, scan): &(&str, &str)| statement.contains(words) && step.starts_with(scan);
    !step.starts_with("SCAN ")
        || step.contains("VIRTUAL TABLE INDEX")
        || step.contains("CONSTANT ROW")
        || step.contains("VALUES CLAUSE")
        // It has the vendor and nobody else.
        || step.contains("organizations_vendor")
        || SMALL.iter().any(small)
}

async fn use_the_desk(i: &Installation) {
    let first = i.people(300).await;
    let agent = Actor { organization: first, ..actor(Role::Agent) };
    let customer = Actor {
        person: PersonId(11),
        organization: OrganizationId(first.0 + 3),
        roles: Roles::default(),
        ..agent.clone()
    };
    let owner = Actor {
        roles: [Role::OrganizationAdministrator].into_iter().collect(),
        ..customer.clone()
    };
    let app = &i.app;
    let mut ids = Vec::new();
    for n in 0..5 {
        let new = NewCase {
            subject: format!("Certificate {n}"),
            body: "認証が繰り返されます".into(),
            ..NewCase::default()
        };
        ids.push(app.create_case(&customer, new).await.unwrap());
    }
    let answer = Answer { body: "Yes".into(), then: None, last_seen: None, files: Vec::new() };
    app.reply(&agent, ids[0], answer).await.unwrap();
    let later = Cursor { id: ids[3], ..Cursor::START };
    for view in [
        View::Mine(agent.person),
        View::Unassigned,
        View::Active,
        View::WithStatus(Status::Closed),
        View::Organization(customer.organization),
        View::Requester(customer.person),
    ] {
        for after in [Cursor::START, later] {
            app.case_page(&agent, view, Filter::default(), after, 50).await.unwrap();
            let filter = Filter { status: Some(Status::Open), ..Filter::default() };
            app.case_page(&agent, view, filter, after, 50).await.unwrap();
        }
    }
    app.case_page(&owner, View::Organization(owner.organization), Filter::default(), later, 50)
        .await
        .unwrap();
    for who in [&agent, &customer, &owner] {
        app.nav_counts(who).await.unwrap();
        app.open_case(who, ids[0], None).await.unwrap();
        for text in ["certificate", "cert", "認証", "繰り返", "認", "certificate 認証", "person"]
        {
            app.search(who, text, 20).await.unwrap();
        }
    }
    for kind in [None, Some(AccessKind::Case), Some(AccessKind::List)] {
        for before in [None, Some(7)] {
            app.accesses(&owner, owner.organization, kind, before, 50).await.unwrap();
        }
    }
    let weeks = [Timestamp(0), Timestamp(1), Timestamp(2)];
    app.access_summary(&owner, owner.organization, &weeks).await.unwrap();
    app.assignees(&agent).await.unwrap();
    app.people_page(&agent, None, PersonId(0), 50).await.unwrap();
    app.people_page(&agent, Some(first), PersonId(0), 50).await.unwrap();
    app.person(&agent, PersonId(9)).await.unwrap();
    app.organizations_page(&agent, OrganizationId(0), 50).await.unwrap();
    app.organization(&agent, first).await.unwrap();
    app.ensure_vendor().await.unwrap();
    let path = i.app.config.data.join("people.csv");
    std::fs::write(&path, "email,full name\np1@o1.example,New Name\nnew@o9.example,New\n").unwrap();
    let request = ImportRequest { path, name: "people.csv".into(), mapping: Vec::new() };
    app.import_people(&super_administrator(), request, Arc::default()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_of_the_desk_reads_a_whole_table() {
    let heard = Heard::default();
    let writer = heard.clone();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_env_filter("sqlx::query=debug")
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let i = Installation::sqlite().await;
    heard.0.lock().unwrap().clear();
    use_the_desk(&i).await;
    let statements = heard.statements();

    let path = i.app.config.data.join("warifu.db");
    let pool =
        sqlx::SqlitePool::connect(&format!("sqlite:{}?mode=ro", path.display())).await.unwrap();
    let verbs = ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH"];
    let mut bad = Vec::new();
    for statement in statements.iter().filter(|s| verbs.iter().any(|v| s.starts_with(v))) {
        bad.extend(faults(&pool, statement).await);
    }
    // The checks of requests, which sqlx does not run and so does not tell of.
    for statement in [sessions::HELD.one, application_sessions::STANDING.one] {
        bad.extend(faults(&pool, statement).await);
    }
    let lists = statements.iter().filter(|s| s.contains(LIST)).count();
    assert!(statements.len() > 40 && lists >= 6, "{} heard, {lists} lists", statements.len());
    let accesses = statements.iter().filter(|s| s.contains(LISTS[1])).count();
    assert_eq!(accesses, 3, "of all kinds, of one, of lists");
    assert!(bad.is_empty(), "{}", bad.join("\n"));
    // The view that was slow is recognized, so that an empty list says something.
    let slow = "SELECT id FROM cases WHERE rev_to = 9223372036854775807 AND active \
                AND (updated_at, id) < (1, 1) ORDER BY updated_at DESC, id DESC LIMIT 5";
    assert!(!faults(&pool, slow).await.is_empty());
    i.end().await;
}

/// A page of a view: it comes from its index in its order, not from sorting all its cases.
const LIST: &str = "ORDER BY updated_at DESC";
const LISTS: [&str; 2] = [LIST, "ORDER BY a.at DESC"];

/// The steps of a statement's plan that read or sort a whole table.
async fn faults(pool: &sqlx::SqlitePool, statement: &str) -> Vec<String> {
    type Step = (i64, i64, i64, String);
    let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
    let plan: Vec<Step> = sqlx::query_as(explain).fetch_all(pool).await.unwrap();
    let listed = LISTS.iter().any(|list| statement.contains(list));
    let sorts = |step: &str| listed && step.contains("TEMP B-TREE");
    let steps = plan.into_iter().map(|(.., step)| step);
    let wrong = steps.filter(|step| !is_harmless(statement, step) || sorts(step));
    wrong
        .map(|step| format!("{step}: {}", statement.chars().take(300).collect::<String>()))
        .collect()
}
