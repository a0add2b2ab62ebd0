//! `kill -9` at random moments: what was acknowledged is there after the restart, the ledger holds,
//! and what was on its way is recorded as aborted.

use crate::evidence::{csrf, enter};
use crate::http::Client;
use crate::server::Warifu;
use http_body_util::BodyExt as _;
use hyper::Method;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Kills of each database: a hundred together.
const KILLS: usize = 50;
/// Cases that are answered at the same time.
const CASES: usize = 4;
/// People with a long text: a file of 6 MB, more than what waits between server and a slow client.
pub const PEOPLE: usize = 1_500;

/// What the server said is done.
#[derive(Default)]
struct Acknowledged {
    /// Message id → its case and text.
    messages: BTreeMap<i64, (i64, String)>,
    /// Message text → SHA-256 of the file that came with it.
    files: BTreeMap<String, (i64, String)>,
    prepared: BTreeSet<i64>,
    /// Run → SHA-256 of the file that came whole.
    taken: BTreeMap<i64, String>,
    /// Runs of which a part had come when the server was killed.
    cut: BTreeSet<i64>,
}

type Shared = Arc<Mutex<Acknowledged>>;

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

pub async fn api(client: &mut Client, path: &str, body: &Value) -> Result<Value, String> {
    let body = body.to_string().into();
    let answer = client.try_send(Method::POST, path, Some("application/json"), body).await?;
    // Everything but success is a fault of the server here: only its death may stop the work.
    assert_eq!(answer.status, 201, "{path}: {}", answer.text());
    Ok(answer.value())
}

/// Answers a case over the API until the server is gone.
async fn write(mut client: Client, case: i64, round: usize, shared: Shared) -> Result<(), String> {
    for n in 0.. {
        let body = format!("round {round}, answer {n}");
        let (path, note) = (format!("/api/v1/cases/{case}/messages"), n % 3 == 0);
        let made = api(&mut client, &path, &json!({ "body": body, "note": note })).await?;
        let id = made["id"].as_i64().expect("the message's number");
        shared.lock().unwrap().messages.insert(id, (case, body));
    }
    Ok(())
}

/// Writes notes with files by the page's form until the server is gone.
async fn attach(mut client: Client, case: i64, round: usize, shared: Shared) -> Result<(), String> {
    let token = client.headers["x-csrf-token"].clone();
    for n in 0.. {
        let body = format!("round {round}, file {n}");
        let content = body.repeat(700);
        let fields = [("csrf", token.as_str()), ("kind", "note"), ("text", body.as_str())];
        let files = [("files", "a.txt", "text/plain", content.as_bytes())];
        let (kind, form) = Client::multipart(&fields, &files);
        let path = format!("/cases/HC-{case}/answer");
        let answer = client.try_send(Method::POST, &path, Some(&kind), form).await?;
        assert_eq!(answer.status, 303, "{}", answer.text());
        shared.lock().unwrap().files.insert(body, (case, hex(content.as_bytes())));
    }
    Ok(())
}

/// Runs small reports and takes their files until the server is gone.
async fn report(mut client: Client, shared: Shared) -> Result<(), String> {
    let filter = json!({ "column": "user_type", "op": "equals", "value": "Partner" });
    let asked = json!({ "definition": {
        "subject": "people", "columns": ["full_name", "email", "user_type"], "filter": filter } });
    loop {
        let run = api(&mut client, "/api/v1/runs", &asked).await?["id"].as_i64().expect("a number");
        shared.lock().unwrap().prepared.insert(run);
        let file = take(&mut client, run, None, &shared).await?;
        shared.lock().unwrap().taken.insert(run, hex(&file));
    }
}

/// Runs the large report and reads its file so slowly that it never ends.
async fn read_slowly(mut client: Client, shared: Shared) -> Result<(), String> {
    let asked = json!({ "decided": true, "reason": "crash", "definition": {
        "subject": "people", "columns": ["full_name", "email", "role_description"],
        "filter": { "column": "email", "op": "contains", "value": "@" } } });
    let run = api(&mut client, "/api/v1/runs", &asked).await?["id"].as_i64().expect("a number");
    shared.lock().unwrap().prepared.insert(run);
    take(&mut client, run, Some(65_536), &shared).await.map(|_| panic!("the file came whole"))
}

async fn take(
    client: &mut Client,
    run: i64,
    window: Option<u32>,
    shared: &Shared,
) -> Result<Vec<u8>, String> {
    let token = client.headers["x-csrf-token"].clone();
    let form = Some("application/x-www-form-urlencoded");
    let path = format!("/runs/{run}/download");
    let answer =
        client.try_open(Method::POST, &path, form, format!("csrf={token}").into(), window).await?;
    assert_eq!(answer.status(), 200);
    let length: usize = answer.headers()["content-length"].to_str().unwrap().parse().unwrap();
    shared.lock().unwrap().cut.insert(run);
    let (mut body, mut file) = (answer.into_body(), Vec::new());
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|e| e.to_string())?;
        file.extend_from_slice(frame.data_ref().map_or(&[][..], |d| d));
        if window.is_some() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    assert_eq!(file.len(), length, "a file that is not whole must not end like one that is");
    shared.lock().unwrap().cut.remove(&run);
    Ok(file)
}

/// A download of which a first part has come, and no more until it is asked for.
pub struct Slow {
    body: hyper::body::Incoming,
    came: usize,
    length: usize,
}

/// Begins the download of a prepared run.
pub async fn take_slowly(client: &mut Client, run: i64) -> Slow {
    let token = client.headers["x-csrf-token"].clone();
    let form = Some("application/x-www-form-urlencoded");
    let (path, body) = (format!("/runs/{run}/download"), format!("csrf={token}"));
    let answer =
        client.try_open(Method::POST, &path, form, body.into(), Some(65_536)).await.unwrap();
    assert_eq!(answer.status(), 200);
    let length = answer.headers()["content-length"].to_str().unwrap().parse().unwrap();
    let mut slow = Slow { body: answer.into_body(), came: 0, length };
    slow.next().await.unwrap().unwrap();
    slow
}

impl Slow {
    async fn next(&mut self) -> Option<Result<(), String>> {
        let frame = self.body.frame().await?.map_err(|e| e.to_string());
        Some(frame.map(|f| self.came += f.data_ref().map_or(0, |d| d.len())))
    }

    /// Reads a little more.
    pub async fn read(&mut self) {
        self.next().await.unwrap().unwrap();
    }

    /// Reads to the end.
    ///
    /// # Errors
    /// Where it broke off.
    pub async fn finish(mut self) -> Result<(), String> {
        while let Some(next) = self.next().await {
            next?;
        }
        assert_eq!(
            self.came, self.length,
            "a file that is not whole must not end like one that is"
        );
        Ok(())
    }
}

/// Everything that was acknowledged in this round is there.
async fn look(client: &mut Client, cases: &[i64], now: &Acknowledged) -> usize {
    let mut texts: BTreeMap<i64, BTreeMap<i64, Value>> = BTreeMap::new();
    for case in cases {
        let (known, mut before) = (texts.entry(*case).or_default(), String::new());
        let oldest = now.messages.iter().find(|(_, (c, _))| c == case).map_or(i64::MAX, |m| *m.0);
        loop {
            let page = client.get(&format!("/api/v1/cases/{case}/messages{before}")).await;
            assert_eq!(page.status, 200, "{}", page.text());
            let page = page.value();
            for message in page["messages"].as_array().unwrap() {
                known.insert(message["id"].as_i64().unwrap(), message.clone());
            }
            match page["next"].as_i64() {
                Some(next) if next > oldest => before = format!("?before={next}"),
                _ => break,
            }
        }
    }
    for (id, (case, body)) in &now.messages {
        let found = texts[case].get(id).map(|m| m["body"].as_str().unwrap());
        assert_eq!(found, Some(body.as_str()), "message {id} of case {case} was acknowledged");
    }
    for (body, (case, sha256)) in &now.files {
        let note = texts[case].values().find(|m| m["body"] == body.as_str());
        let note = note.unwrap_or_else(|| panic!("“{body}” with a file was acknowledged"));
        let file = client.get(note["files"][0]["href"].as_str().unwrap()).await;
        assert_eq!((file.status.as_u16(), &hex(&file.body)), (200, sha256), "{body}");
    }
    let mut aborted = 0;
    for run in &now.prepared {
        let answer = client.get(&format!("/api/v1/runs/{run}")).await;
        assert_eq!(answer.status, 200, "run {run} was acknowledged: {}", answer.text());
        let (run, id) = (answer.value(), run);
        let state = run["state"].as_str().unwrap().to_owned();
        if let Some(sha256) = now.taken.get(id) {
            // The file came whole a moment before the end could be written down, or it could be.
            assert!(state == "done" && run["sha256"] == sha256.as_str() || state == "aborted");
        }
        if now.cut.contains(id) {
            assert_eq!(state, "aborted", "run {id} was cut off");
        }
        assert_ne!(state, "running", "run {id}");
        if state == "aborted" {
            aborted += 1;
            let number = run["end_entry"].as_i64().expect("an abort has its entry");
            let page = client.get(&format!("/api/v1/ledger?limit=1&before={}", number + 1)).await;
            let entry = &page.value()["entries"][0];
            assert_eq!(entry["kind"], "report_abort", "{entry}");
            assert_eq!(entry["entry"]["body"]["run"], id.to_string(), "{entry}");
            assert_eq!(entry["entry"]["body"]["cause"], "restarted", "{entry}");
        }
    }
    aborted
}

pub fn people(w: &Warifu, n: usize) {
    let long = "x".repeat(4_000);
    let mut csv = String::from("Full Name,Email,User Type,Company Name,Role Description\n");
    for i in 0..n {
        let kind = if i % 10 == 0 { "Partner" } else { "Customer" };
        csv.push_str(&format!("Person {i},p{i}@o.example,{kind},Organization,{long}\n"));
    }
    let path = w.data().join("people.csv");
    std::fs::write(&path, csv).expect("a file in a folder of ours");
    w.ok("people import", &[path.to_str().expect("a plain path")]);
}

pub fn verify(w: &Warifu) {
    let said = w.ok("ledger verify", &["--quiet"]);
    assert!(said.starts_with("OK") && !said.contains("open:"), "{said}");
}

on_both! {
    async fn nothing_acknowledged_is_lost_by_kill_9(mut w: Warifu) {
        let seed = std::env::var("WARIFU_CRASH_SEED").ok().and_then(|s| s.parse().ok());
        let seed: u64 = seed.unwrap_or_else(rand::random);
        eprintln!("WARIFU_CRASH_SEED={seed}");
        let mut chance = StdRng::seed_from_u64(seed);
        // Its many files leave one after the other, without a key in between.
        w.serve.extend(["--report-limit", "1000000"].map(str::to_owned));
        w.restart().await;
        people(&w, PEOPLE);
        let mut client = enter(&w).await;
        let token = csrf(&client.get("/reports/new").await);
        client = client.header("x-csrf-token", &token).header("accept", "application/json");
        let mut cases = Vec::new();
        for n in 0..CASES {
            let new = json!({ "subject": format!("Case {n}"), "body": "Help", "requester": 1 + n });
            let made = api(&mut client, "/api/v1/cases", &new).await.unwrap();
            cases.push(made["id"].as_i64().unwrap());
        }

        // Half of the moments are any; half fall when some was answered and while a file is certainly on its way.
        let mut certain: Vec<bool> = (0..KILLS).map(|n| n % 2 == 0).collect();
        certain.shuffle(&mut chance);
        let (mut answers, mut aborted, mut done) = (0, 0, Vec::new());
        for round in 0..KILLS {
            let shared = Shared::default();
            let mut work = tokio::task::JoinSet::new();
            for case in &cases {
                work.spawn(write(client.clone(), *case, round, shared.clone()));
            }
            work.spawn(attach(client.clone(), cases[round % CASES], round, shared.clone()));
            work.spawn(report(client.clone(), shared.clone()));
            work.spawn(read_slowly(client.clone(), shared.clone()));
            if certain[round] {
                let begun = || {
                    let shared = shared.lock().unwrap();
                    !shared.cut.is_empty() && shared.messages.len() > 2
                };
                let until = Instant::now() + Duration::from_secs(60);
                while !begun() {
                    assert!(Instant::now() < until, "round {round}: nothing is answered");
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
            tokio::time::sleep(Duration::from_millis(chance.random_range(10..500))).await;
            w.kill();
            while let Some(ended) = work.join_next().await {
                // Whoever worked saw the server go, and nothing else.
                ended.unwrap().unwrap_err();
            }
            if chance.random_ratio(1, 5) {
                // Once more while it starts.
                let mut starting = w.command("serve", &["--listen", "127.0.0.1:0"]);
                let mut starting = starting.stdout(Stdio::null()).spawn().unwrap();
                tokio::time::sleep(Duration::from_millis(chance.random_range(0..250))).await;
                starting.kill().unwrap();
                starting.wait().unwrap();
            }
            w.restart().await;
            client = client.at(w.base());
            let now = std::mem::take(&mut *shared.lock().unwrap());
            aborted += look(&mut client, &cases, &now).await;
            answers += now.messages.len() + now.files.len();
            done.extend(now.taken.into_keys());
            if round % 10 == 9 {
                verify(&w);
            }
        }
        eprintln!("{answers} answers, {} files taken, {aborted} aborted", done.len());
        assert!(answers > KILLS && aborted > KILLS / 10, "there was work to interrupt");
        for run in done.iter().rev().take(3) {
            let run = client.get(&format!("/api/v1/runs/{run}")).await.value();
            if run["state"] == "done" {
                let said = w.ok("replay", &[&run["id"].to_string()]);
                assert!(said.contains("identical"), "{said}");
            }
        }
    }
}
