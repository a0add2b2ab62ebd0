//! A thousand random reports while eight writers change people: each is re-created byte for byte.

use crate::installation::{Installation, super_administrator, take};
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use warifu_app::App;
use warifu_app::reports::Progress;
use warifu_domain::dialect::{Delimiter, Dialect, EmptyText, Encoding, Eol, Quote, TimestampText};
use warifu_domain::reports::{Definition, Format, Kind, OrderKey, Subject};
use warifu_domain::{OrganizationId, PersonId, RunId};
use warifu_storage::people;

const RUNS: usize = 1_000;
const WRITERS: i64 = 8;
/// Few enough that a run takes milliseconds, and changed so often that hardly two runs see the same.
const PEOPLE: i64 = 120;
/// Runs at the same time: one waits for the disk while another is made.
const RUNNERS: usize = 6;

/// A comparison, a group, or the opposite of one.
fn filter(chance: &mut StdRng, depth: u32) -> Value {
    match chance.random_range(0..if depth == 0 { 1 } else { 5 }) {
        0 | 1 => condition(chance),
        2 => json!({ "not": filter(chance, depth - 1) }),
        group => {
            let inner = |chance: &mut StdRng| filter(chance, depth - 1);
            let list: Vec<_> = (0..chance.random_range(1..4)).map(|_| inner(chance)).collect();
            json!({ if group == 3 { "all" } else { "any" }: list })
        }
    }
}

fn condition(chance: &mut StdRng) -> Value {
    let column = Subject::People.columns().choose(chance).unwrap();
    let is = |op: &str, value: Value| json!({ "column": column.key, "op": op, "value": value });
    let texts =
        ["Employee", "o1", "person 3", "+81 3", "佐藤", "preview", "Organization 2", "a", "\n"];
    let text = texts.choose(chance).copied().unwrap();
    match (column.kind, chance.random_range(0..4)) {
        (_, 0) => {
            let op = if chance.random() { "filled" } else { "blank" };
            json!({ "column": column.key, "op": op })
        }
        (Kind::Text, _) => {
            let ops = ["equals", "not_equals", "contains", "starts_with", "ends_with", "one_of"];
            match ops.choose(chance).copied().unwrap() {
                "one_of" => is("one_of", json!([text, "Customer Standard"])),
                op => is(op, json!(text)),
            }
        }
        (Kind::Time, _) => {
            let at = ["2014-05-13T18:00:00Z", "2023-09-28T15:05:59Z", "2020-01-01"].choose(chance);
            is(if chance.random() { "before" } else { "from" }, json!(at))
        }
        (Kind::Number, _) => is("equals", json!(chance.random_range(1..8))),
        (Kind::Bool, _) => is("equals", json!(chance.random::<bool>())),
    }
}

fn format(chance: &mut StdRng) -> Format {
    match chance.random_range(0..25) {
        0 => return Format::Xlsx,
        1..5 => return Format::JsonLines,
        _ => {}
    }
    let quotes = [Quote::Minimal, Quote::All, Quote::NonNull, Quote::NonNumeric, Quote::Sqlite];
    Format::Csv(Dialect {
        delimiter: *Delimiter::ALL.choose(chance).unwrap(),
        quote: *quotes.choose(chance).unwrap(),
        eol: if chance.random() { Eol::Lf } else { Eol::CrLf },
        bom: chance.random(),
        encoding: *Encoding::ALL.choose(chance).unwrap(),
        header: chance.random_ratio(4, 5),
        empty: if chance.random() { EmptyText::Bare } else { EmptyText::Quoted },
        timestamps: *TimestampText::ALL.choose(chance).unwrap(),
        final_newline: chance.random(),
        ..Dialect::default()
    })
}

fn definition(chance: &mut StdRng) -> Definition {
    let subject = Subject::People;
    let shown: Vec<_> = subject.columns().iter().filter(|c| c.shown).collect();
    let mut columns: Vec<String> = shown.iter().map(|c| c.key.to_owned()).collect();
    columns.shuffle(chance);
    columns.truncate(chance.random_range(1..=columns.len()));
    let most = [0, 0, 1, 2].choose(chance).copied().unwrap();
    let keys = shown.choose_multiple(chance, most);
    let order = keys.map(|c| c.key.to_owned()).collect::<Vec<_>>();
    let order =
        order.into_iter().map(|column| OrderKey { column, descending: chance.random() }).collect();
    let all = chance.random_ratio(1, 6);
    let filter = if all { json!({ "all": [] }) } else { filter(chance, 2) };
    Definition {
        filter: serde_json::from_value(filter).unwrap(),
        columns,
        order,
        limit: chance.random_ratio(1, 4).then(|| chance.random_range(1..PEOPLE as u64)),
        format: format(chance),
        ..Definition::of_everything(subject)
    }
}

/// Changes one person after the other until it is told to stop, and counts them.
async fn write(
    app: App,
    first: OrganizationId,
    w: i64,
    (stop, changes): (Arc<AtomicBool>, Arc<AtomicUsize>),
) {
    let mut n = 0;
    while !stop.load(Ordering::Relaxed) {
        n += 1;
        let mut change = app.change().await.unwrap();
        let revision = change.revision();
        let id = PersonId(1 + (n * 37 + w * 53) % PEOPLE);
        let mut p = people::find(&mut change.conn(), id).await.unwrap().unwrap();
        p.record.phone = (n % 5 > 0).then(|| format!("+81 {w} {n}"));
        p.record.user_type = Some(if n % 4 == 0 { "Employee" } else { "Partner" }.into());
        p.organization = OrganizationId(first.0 + n % 7);
        p.active = n % 3 > 0;
        people::update(&mut change.conn(), revision, &p).await.unwrap();
        change.commit().await.unwrap();
        changes.fetch_add(1, Ordering::Relaxed);
        // Eight who do nothing but wait for each other would only make the runs wait too.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Until more changes are made than there were runs: however slow the disk is, hardly two see the same.
async fn changed(changes: &AtomicUsize, runs: usize) {
    let enough = async {
        while changes.load(Ordering::Relaxed) < runs {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), enough).await.expect("nobody writes any more");
}

/// Runs reports until there are enough, and replays each: some at once, the others at the end.
async fn run(
    app: App,
    seed: u64,
    (count, changes): (Arc<AtomicUsize>, Arc<AtomicUsize>),
) -> Vec<(RunId, Vec<u8>)> {
    let mut chance = StdRng::seed_from_u64(seed);
    let (a, mut later) = (super_administrator(), Vec::new());
    loop {
        let runs = count.fetch_add(1, Ordering::Relaxed);
        if runs >= RUNS {
            return later;
        }
        changed(&changes, runs + 2).await;
        let (id, bytes) = take(&app, &a, &definition(&mut chance)).await;
        let made = (id, Sha256::digest(&bytes).to_vec());
        if chance.random() {
            same(&app, &made).await;
        } else {
            later.push(made);
        }
    }
}

async fn same(app: &App, (id, digest): &(RunId, Vec<u8>)) {
    let again = app.replay(&super_administrator(), *id, None, Arc::new(Progress::new(0))).await;
    let again = again.unwrap();
    assert_eq!(again.difference, None, "run {id}: {:?}", again.run.definition);
    assert_eq!(again.sha256.as_bytes()[..], digest[..], "run {id}");
}

pub async fn replay_holds_under_writers(i: &Installation) {
    let seed = std::env::var("WARIFU_REPLAY_SEED").ok().and_then(|s| s.parse().ok());
    let seed: u64 = seed.unwrap_or_else(rand::random);
    eprintln!("WARIFU_REPLAY_SEED={seed}");
    let first = i.people(PEOPLE).await;
    let stop = Arc::new(AtomicBool::new(false));
    let [count, changes] = std::array::from_fn(|_| Arc::new(AtomicUsize::new(0)));
    let writer = |w| write(i.app.clone(), first, w, (stop.clone(), changes.clone()));
    let writers: Vec<_> = (0..WRITERS).map(|w| tokio::spawn(writer(w))).collect();
    let runner = |r| run(i.app.clone(), seed.wrapping_add(r), (count.clone(), changes.clone()));
    let runners: Vec<_> = (0..RUNNERS as u64).map(|r| tokio::spawn(runner(r))).collect();
    let mut later = Vec::new();
    for runner in runners {
        later.extend(runner.await.unwrap());
    }
    for made in &later {
        same(&i.app, made).await;
    }
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }
    let changes = changes.load(Ordering::Relaxed);
    eprintln!("{RUNS} runs, {} of them replayed at the end; {changes} changes", later.len());
    assert!(changes > RUNS, "the writers did write: {changes}");
    i.app.verify_ledger(|_, _| {}).await.unwrap().unwrap();
}
