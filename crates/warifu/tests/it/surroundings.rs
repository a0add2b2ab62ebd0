//! Bad surroundings: no room on the disk, no database, two processes, a newer database. Each is
//! told in words, nothing is done by half, and the server goes on when they are good again.

use crate::crash::{PEOPLE, api, people, take_slowly, verify};
use crate::evidence::{csrf, enter};
use crate::http::{Answer, Client};
use crate::postgres::Database;
use crate::proxies::free_port;
use crate::server::{Engine, Warifu, program};
use hyper::Method;
use serde_json::{Value, json};
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Ends with code 2 and one line that says all of `parts`.
#[track_caller]
fn refused(output: &Output, parts: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    for part in parts {
        assert!(said.contains(part), "“{part}” is not in {said}");
    }
}

/// A problem for programs, with its stable name.
#[track_caller]
fn problem(answer: &Answer, status: u16, name: &str) {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(answer.value()["type"], format!("/problems/{name}"));
    assert!(answer.value()["detail"].as_str().is_some_and(|d| d.contains("nothing was changed")));
}

/// Somebody signed in, for the API.
pub async fn program_of(w: &Warifu) -> Client {
    let mut client = enter(w).await;
    let token = csrf(&client.get("/reports/new").await);
    client.header("x-csrf-token", &token).header("accept", "application/json")
}

async fn post(client: &mut Client, path: &str, body: &Value) -> Answer {
    client.json(Method::POST, path, body).await
}

async fn case(client: &mut Client) -> i64 {
    let new = json!({ "subject": "Help", "body": "Please", "requester": 1 });
    api(client, "/api/v1/cases", &new).await.unwrap()["id"].as_i64().unwrap()
}

/// The texts of a case's notes.
async fn notes(client: &mut Client, case: i64) -> Vec<String> {
    let (mut all, mut before) = (Vec::<String>::new(), String::new());
    loop {
        let page = client.get(&format!("/api/v1/cases/{case}/messages{before}")).await;
        assert_eq!(page.status, 200, "{}", page.text());
        let page = page.value();
        let notes = page["messages"].as_array().unwrap().iter().filter(|m| m["kind"] == "note");
        // The newest page comes first.
        all.splice(0..0, notes.map(|m| m["body"].as_str().unwrap().to_owned()));
        match page["next"].as_i64() {
            Some(next) => before = format!("?before={next}"),
            None => return all,
        }
    }
}

pub async fn run_ends(client: &mut Client, run: i64) -> Value {
    for _ in 0..400 {
        let answer = client.get(&format!("/api/v1/runs/{run}")).await;
        if answer.status == 200 && answer.value()["state"] != "running" {
            return answer.value();
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("run {run} did not end")
}

/// A file system of so many MiB, unmounted when it goes out of scope.
struct Disk(PathBuf);

impl Disk {
    /// `None` where the tests may not mount.
    fn new(mib: u32) -> Option<Disk> {
        let path = tempfile::Builder::new().prefix("warifu-disk-").tempdir().unwrap().keep();
        let size = format!("size={mib}m");
        let mount = ["-t", "tmpfs", "-o", size.as_str(), "warifu-test"];
        let mounted = Command::new("mount").args(mount).arg(&path).output();
        if mounted.is_ok_and(|m| m.status.success()) {
            return Some(Disk(path));
        }
        std::fs::remove_dir(&path).unwrap();
        eprintln!("skipped: no file system of its own can be mounted here; run as root");
        None
    }

    /// Takes all the room that is left.
    fn fill(&self) {
        let mut ballast = File::options();
        let mut ballast = ballast.append(true).create(true).open(self.0.join("ballast")).unwrap();
        for size in [1 << 20, 1 << 12, 1] {
            while ballast.write_all(&vec![b'x'; size]).is_ok() {}
        }
    }

    fn free(&self) {
        std::fs::remove_file(self.0.join("ballast")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
        let _ = std::fs::remove_dir(&self.0);
    }
}

/// Works on a full disk until something is refused; gives what was acknowledged.
async fn until_full(client: &mut Client, case: i64, said: &mut Vec<String>) -> Answer {
    for n in 0..2_000 {
        let text = format!("on a full disk {n}");
        let path = format!("/api/v1/cases/{case}/messages");
        let answer = post(client, &path, &json!({ "body": text, "note": true })).await;
        if answer.status != 201 {
            return answer;
        }
        said.push(text);
    }
    panic!("the disk never was full")
}

async fn attach(client: &mut Client, case: i64) -> Answer {
    let token = client.headers["x-csrf-token"].clone();
    let fields = [("csrf", token.as_str()), ("kind", "note"), ("text", "with a file")];
    let content = vec![b'a'; 300_000];
    let file = [("files", "a.bin", "application/octet-stream", content.as_slice())];
    client.upload(&format!("/cases/HC-{case}/answer"), &fields, &file).await
}

async fn a_full_disk(engine: Engine) {
    let Some(disk) = Disk::new(128) else { return };
    let sqlite = matches!(engine, Engine::Sqlite);
    let mut w = Warifu::stopped_in(engine, &disk.0);
    w.restart().await;
    people(&w, PEOPLE);
    let mut client = program_of(&w).await;
    let (case, pid) = (case(&mut client).await, w.pid());
    let asked = json!({ "decided": true, "reason": "disk", "definition": {
        "subject": "people", "columns": ["full_name", "email", "role_description"],
        "filter": { "column": "email", "op": "contains", "value": "@" } } });
    let begun = api(&mut client, "/api/v1/runs", &asked).await.unwrap()["id"].as_i64().unwrap();
    let (mut prepared, mut left) = (Vec::new(), Vec::new());
    for _ in 0..20 {
        let run = api(&mut client, "/api/v1/runs", &asked).await.unwrap();
        prepared.push(run["id"].as_i64().unwrap());
    }
    let token = client.headers["x-csrf-token"].clone();
    let download = async |client: &mut Client, run: i64| {
        client.post_form(&format!("/runs/{run}/download"), &[("csrf", &token)]).await
    };
    let slow = take_slowly(&mut client, begun).await;
    let mut said = Vec::new();
    disk.fill();

    // An attachment: refused as a whole, in words on a page and for programs.
    problem(&attach(&mut client, case).await, 507, "disk-full");
    let page = attach(&mut client.clone().header("accept", "text/html"), case).await;
    assert_eq!(page.status, 507);
    assert!(page.text().contains("disk is full") && page.text().contains("free some space"));
    if sqlite {
        // An answer and a download: their records have no room. After a refusal the database tidies
        // up, and may find a little; what does not leave then can still leave later.
        loop {
            problem(&until_full(&mut client, case, &mut said).await, 507, "disk-full");
            disk.fill();
            let run = *prepared.last().expect("one of so many downloads is refused");
            let answer = download(&mut client, run).await;
            if answer.status != 200 {
                problem(&answer, 507, "disk-full");
                let run = client.get(&format!("/api/v1/runs/{run}")).await;
                assert_eq!(run.value()["state"], "prepared", "what was refused has not left");
                break;
            }
            left.extend(prepared.pop());
        }
        // An import: what was in stays in, and it goes on when there is room.
        let more = tempfile::tempdir().unwrap();
        let file = more.path().join("more.csv");
        let long = "x".repeat(4_000);
        let row = |i| format!("More {i},m{i}@more.example,{long}\n");
        let rows: String = (0..3_000).map(row).collect();
        std::fs::write(&file, format!("Full Name,Email,Role Description\n{rows}")).unwrap();
        let file = file.to_str().unwrap();
        refused(&w.run("people import", &["--quiet", file]), &["disk is full", "free some space"]);
        // What had begun to leave goes on; how it ended is written down when there is room.
        slow.finish().await.expect("a file that needs no room comes whole");
        disk.free();
        let run = run_ends(&mut client, begun).await;
        assert_eq!(run["state"], "done", "{run}");
        let imported = w.ok("people import", &["--quiet", file]);
        assert!(imported.starts_with("3000 rows"), "{imported}");
    } else {
        slow.finish().await.expect("the database has room");
        disk.free();
    }

    // With room everything goes on: the same server, nothing lost, nothing by half.
    assert_eq!(w.pid(), pid);
    assert_eq!(notes(&mut client, case).await, said);
    assert_eq!(attach(&mut client, case).await.status, 303);
    let run = *prepared.last().unwrap();
    assert_eq!(download(&mut client, run).await.status, 200);
    // How others ended that left while there was no room is written down now.
    for run in left.into_iter().chain([run]) {
        assert_eq!(run_ends(&mut client, run).await["state"], "done");
    }
    verify(&w);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_and_survived_sqlite() {
    a_full_disk(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_and_survived_postgres() {
    if let Some(database) = Database::create().await {
        a_full_disk(Engine::Postgres(database)).await;
    }
}

on_both! {
    async fn a_second_process_on_the_same_folder_is_refused(w: Warifu) {
        let (folder, holder) = (w.data().display().to_string(), format!("process {}", w.pid()));
        let second = w.run("serve", &["--listen", "127.0.0.1:0"]);
        refused(&second, &[&folder, &holder, "stop that one first", "--data"]);
        assert_eq!(w.client().get("/healthz").await.status, 200);
    }

    async fn a_newer_database_is_left_alone(mut w: Warifu) {
        w.stop(Duration::from_secs(10));
        let zero = if matches!(w.engine, Engine::Sqlite) { "X'00'" } else { "'\\x00'::bytea" };
        let future = format!(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             VALUES (9999, 'from the future', TRUE, {zero}, 1)"
        );
        match &w.engine {
            Engine::Postgres(database) => database.execute(&future).await,
            Engine::Sqlite => {
                use sqlx::{ConnectOptions as _, Executor as _};
                let options = sqlx::sqlite::SqliteConnectOptions::new();
                let mut db = options.filename(w.data().join("warifu.db")).connect().await.unwrap();
                db.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(future))).await.unwrap();
            }
        }
        for command in [&["serve", "--listen", "127.0.0.1:0"][..], &["ledger verify"]] {
            let output = w.run(command[0], &command[1..]);
            refused(&output, &["newer Warifu", "9999", "restore a backup"]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_database_at_the_start_is_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let serve = |url: &str| {
        let arguments = ["serve", "--listen", "127.0.0.1:0", "--database", url, "--data"];
        program().args(arguments).arg(folder.path()).output().unwrap()
    };
    let port = free_port();
    let begin = std::time::Instant::now();
    let output = serve(&format!("postgres://warifu:secret@127.0.0.1:{port}/warifu"));
    refused(&output, &["cannot be reached", &format!("127.0.0.1:{port}"), "refused", "check that"]);
    assert!(!String::from_utf8_lossy(&output.stderr).contains("secret"));
    assert!(begin.elapsed() < Duration::from_secs(8), "{:?}", begin.elapsed());
    refused(&serve("mysql://a@b/c"), &["is not understood", "postgres://user@host/name"]);
    if let Some(database) = Database::create().await {
        let gone = database.url();
        drop(database);
        refused(&serve(&gone), &["does not exist", "check that"]);
    }
}

/// Between Warifu and its database: a wire that can be cut, or fall silent.
struct Wire {
    port: u16,
    to: String,
    silent: watch::Sender<()>,
    alive: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

impl Wire {
    async fn new(to: &url::Url) -> Wire {
        let to = format!("{}:{}", to.host_str().unwrap(), to.port().unwrap_or(5432));
        let wire =
            Wire { port: free_port(), to, silent: watch::Sender::new(()), alive: Arc::default() };
        wire.mend().await;
        wire
    }

    async fn mend(&self) {
        let listener = TcpListener::bind(("127.0.0.1", self.port)).await.unwrap();
        let (to, alive, silent) = (self.to.clone(), self.alive.clone(), self.silent.clone());
        let accept = tokio::spawn(async move {
            while let Ok((mut from, _)) = listener.accept().await {
                let (to, mut silent) = (to.clone(), silent.subscribe());
                let carry = tokio::spawn(async move {
                    let mut to = TcpStream::connect(to).await.unwrap();
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut from, &mut to) => {}
                        // Nothing more comes through, and neither side is told.
                        _ = silent.changed() => std::future::pending().await,
                    }
                });
                alive.lock().unwrap().push(carry);
            }
        });
        self.alive.lock().unwrap().push(accept);
    }

    /// Carries nothing more on the connections that there are; new ones work.
    fn forget(&self) {
        self.silent.send_replace(());
    }

    /// Breaks every connection and refuses new ones.
    async fn cut(&self) {
        let all = std::mem::take(&mut *self.alive.lock().unwrap());
        for task in &all {
            task.abort();
        }
        for task in all {
            let _ = task.await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_goes_away_comes_back() {
    let Some(database) = Database::create().await else { return };
    let mut url: url::Url = database.url().parse().unwrap();
    let wire = Wire::new(&url).await;
    url.set_port(Some(wire.port)).unwrap();
    let mut w = Warifu::stopped(Engine::Postgres(database));
    w.via = Some(url.to_string());
    w.restart().await;
    people(&w, 3 * PEOPLE);
    let mut client = program_of(&w).await;
    let (case, pid) = (case(&mut client).await, w.pid());
    let path = format!("/api/v1/cases/{case}/messages");
    let note = |text: &str| json!({ "body": text, "note": true });
    let asked = json!({ "decided": true, "reason": "wire", "definition": {
        "subject": "people", "columns": ["full_name", "email", "role_description"],
        "filter": { "column": "email", "op": "contains", "value": "@" } } });
    let run = api(&mut client, "/api/v1/runs", &asked).await.unwrap()["id"].as_i64().unwrap();
    let mut said = Vec::new();
    for n in 0..5 {
        said.push(format!("before {n}"));
        assert_eq!(post(&mut client, &path, &note(&said[n])).await.status, 201);
    }
    let slow = take_slowly(&mut client, run).await;
    // In the middle of requests: whatever is on its way is either acknowledged or refused in words.
    let busy: Vec<_> = (0..4)
        .map(|k| {
            let (mut client, path) = (client.clone(), path.clone());
            tokio::spawn(async move {
                let mut said = Vec::new();
                for n in 0.. {
                    let text = format!("busy {k} {n}");
                    let body = json!({ "body": text, "note": true });
                    let answer = post(&mut client, &path, &body).await;
                    if answer.status != 201 {
                        return (said, answer);
                    }
                    said.push(text);
                }
                unreachable!()
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(300)).await;
    wire.cut().await;
    for task in busy {
        let (acknowledged, answer) = task.await.unwrap();
        problem(&answer, 503, "unavailable");
        assert_eq!(answer.header("retry-after"), "10");
        said.extend(acknowledged);
    }
    assert!(slow.finish().await.is_err(), "a file that is not whole breaks off");
    problem(&client.get("/healthz").await, 503, "unavailable");
    let page = client.clone().header("accept", "text/html").get("/cases").await;
    assert_eq!(page.status, 503);
    assert!(page.text().contains("Try again in a few seconds"), "{}", page.text());
    assert!(!page.text().contains("127.0.0.1"), "where the database is, is nobody's business");
    refused(&w.run("ledger verify", &[]), &["cannot be reached", "check that it runs"]);

    wire.mend().await;
    said.push("after".into());
    assert_eq!(post(&mut client, &path, &note("after")).await.status, 201, "at the first try");
    assert_eq!(w.pid(), pid);
    // Not answered is not the same as not done, but what was answered is done.
    let found = notes(&mut client, case).await;
    for text in &said {
        assert_eq!(found.iter().filter(|t| *t == text).count(), 1, "“{text}”");
    }
    let ended = run_ends(&mut client, run).await;
    assert_eq!(ended["state"], "aborted", "{ended}");
    let number = ended["end_entry"].as_i64().unwrap();
    let page = client.get(&format!("/api/v1/ledger?limit=1&before={}", number + 1)).await;
    let entry = &page.value()["entries"][0];
    assert_eq!(
        (&entry["kind"], &entry["entry"]["body"]["cause"]),
        (&json!("report_abort"), &json!("failed"))
    );
    verify(&w);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_fall_silent_are_given_up() {
    let Some(database) = Database::create().await else { return };
    let mut url: url::Url = database.url().parse().unwrap();
    let wire = Wire::new(&url).await;
    url.set_port(Some(wire.port)).unwrap();
    let mut w = Warifu::stopped(Engine::Postgres(database));
    w.via = Some(url.to_string());
    w.restart().await;
    let client = program_of(&w).await;
    let look = async |mut client: Client| {
        let begin = std::time::Instant::now();
        (client.get("/api/v1/cases").await, begin.elapsed())
    };
    // Some connections at rest, then none of them answers.
    let many: Vec<_> = (0..6).map(|_| look(client.clone())).collect();
    for (answer, _) in futures_util::future::join_all(many).await {
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    wire.forget();
    let mut refused = 0;
    for _ in 0..10 {
        let (answer, took) = look(client.clone()).await;
        assert!(took < Duration::from_secs(8), "{took:?}");
        if answer.status != 200 {
            problem(&answer, 503, "unavailable");
            refused += 1;
        }
    }
    assert!(refused <= 2, "{refused} of 10 were refused");

    // In the middle of requests: an answer comes all the same, and the next ones are served.
    let busy: Vec<_> = (0..8)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move {
                loop {
                    let (answer, took) = look(client.clone()).await;
                    if answer.status != 200 {
                        return Some((answer, took));
                    }
                    if took > Duration::from_secs(1) {
                        return None;
                    }
                }
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(500)).await;
    wire.forget();
    for task in busy {
        if let Some((answer, took)) = task.await.unwrap() {
            assert_eq!(answer.status, 503);
            assert_eq!(answer.header("retry-after"), "10");
            assert_eq!(answer.value()["type"], "/problems/unavailable");
            assert!(took < Duration::from_secs(65), "{took:?}");
        }
    }
    let (answer, took) = look(client.clone()).await;
    assert!(answer.status == 200 && took < Duration::from_secs(5), "{} {took:?}", answer.text());
    verify(&w);
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_on_one_database_leave_each_other_s_downloads_alone() {
    let Some(database) = Database::create().await else { return };
    let url = database.url();
    let mut a = Warifu::stopped(Engine::Postgres(database));
    a.restart().await;
    people(&a, PEOPLE);
    let mut client = program_of(&a).await;
    let asked = json!({ "decided": true, "reason": "nodes", "definition": {
        "subject": "people", "columns": ["full_name", "email", "role_description"],
        "filter": { "column": "email", "op": "contains", "value": "@" } } });
    let begin = async |client: &mut Client| {
        let run = api(client, "/api/v1/runs", &asked).await.unwrap()["id"].as_i64().unwrap();
        (run, take_slowly(client, run).await)
    };
    let (first, slow) = begin(&mut client).await;
    // A second node has the installation's key and a folder of its own.
    let mut b = Warifu::stopped(Engine::Sqlite);
    b.via = Some(url);
    let key = |w: &Warifu| -> PathBuf { Path::new(w.data()).join("warifu.key") };
    std::fs::copy(key(&a), key(&b)).unwrap();
    b.restart().await;
    let state = client.get(&format!("/api/v1/runs/{first}")).await.value()["state"].clone();
    assert_eq!(state, "running", "the second node's start is nothing to the first one's download");
    slow.finish().await.unwrap();
    assert_eq!(run_ends(&mut client, first).await["state"], "done");
    // The first node falls and comes back: its own download is aborted at once.
    let (second, slow) = begin(&mut client).await;
    a.kill();
    assert!(slow.finish().await.is_err());
    b.restart().await;
    let mut elsewhere = client.at(b.base());
    let state = elsewhere.get(&format!("/api/v1/runs/{second}")).await.value()["state"].clone();
    assert_eq!(state, "running", "for a minute nobody can know that it has fallen");
    a.restart().await;
    let state = elsewhere.get(&format!("/api/v1/runs/{second}")).await.value()["state"].clone();
    assert_eq!(state, "aborted");
    verify(&a);
}
