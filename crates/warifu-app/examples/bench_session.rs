//! The measurements of `bench/session`: what it costs to know who is behind a request.
//!
//! On an installation that `bench_desk make` filled:
//! `bench_session checks DIR [DATABASE]`: cookie → session → device → person, roles, organization → policy →
//! network and idle, as every page does it, and the same for an application behind a proxy, one after the other;
//! then pages of [`AT_ONCE`] who ask at the same time, each with a session of their own.
//! `bench_session many DIR N [DATABASE]` opens N sessions, of everybody in turn: `many` is asked once, and
//! `asked DIR N [DATABASE]` then asks for each of them, in a process of its own.
//! `bench_session asn FILE`: the lookup of an address in an ASN database.
//! Prints the median of the rounds with the lowest and the highest, in µs per call.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "this is no part of the product")]

use futures_util::future::join_all;
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use warifu_app::sessions::Use;
use warifu_app::{App, AppConfig, SystemRandom};
use warifu_auth::applications::Place;
use warifu_auth::{Asns, SessionPolicy, Token, digest, network_of};
use warifu_domain::access::{Role, Roles};
use warifu_domain::applications::{Acr, Application, Entry, Kind};

use warifu_domain::devices::DeviceKind;
use warifu_domain::factors::Factor;
use warifu_domain::time::{HOUR, MINUTE, SystemClock};
use warifu_domain::{ApplicationId, CredentialId, PersonId, Timestamp};
use warifu_storage::application_sessions::{self, ApplicationSession};
use warifu_storage::devices::{self, Device};
use warifu_storage::sessions::{self, Session};
use warifu_storage::{Db, Engine, applications};

const ROUNDS: usize = 15;
/// How many ask at the same time.
const AT_ONCE: usize = 16;
const ORIGIN: &str = "https://wiki.example";

/// CPU of this process in µs, user and system; a tick is 10 ms.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = stat.rsplit(')').next().unwrap_or_default();
    let ticks: f64 =
        after.split_whitespace().skip(11).take(2).filter_map(|t| t.parse::<f64>().ok()).sum();
    ticks * 1e4
}

/// Memory of this process in kB: its own, and pages of files.
fn resident() -> (u64, u64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let of = |name: &str| {
        let line = status.lines().find_map(|l| l.strip_prefix(name)).unwrap_or_default();
        line.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or_default()
    };
    (of("RssAnon:"), of("RssFile:"))
}

fn told(what: &str, mut rounds: Vec<f64>) {
    rounds.sort_by(f64::total_cmp);
    let (low, high) = (rounds[0], rounds[rounds.len() - 1]);
    println!("{what}: {:.2} µs ({low:.2} to {high:.2})", rounds[rounds.len() / 2]);
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["asn", file] => asn(Path::new(file)),
        ["checks", folder] => checks(&open(folder, None).await).await,
        ["checks", folder, url] => checks(&open(folder, Some(url)).await).await,
        ["many", folder, n] => many(&open(folder, None).await, n.parse().unwrap()).await,
        ["many", folder, n, url] => many(&open(folder, Some(url)).await, n.parse().unwrap()).await,
        ["asked", folder, n] => asked(&open(folder, None).await, n.parse().unwrap()).await,
        ["asked", folder, n, url] => {
            asked(&open(folder, Some(url)).await, n.parse().unwrap()).await;
        }
        _ => {
            println!("bench_session checks|many|asked DIR [N] [DATABASE] | bench_session asn FILE")
        }
    }
}

async fn open(folder: &str, database: Option<&str>) -> App {
    let db = match database {
        Some(url) => Db::open_postgres(url).await.unwrap(),
        None => Db::open_sqlite(Path::new(folder)).await.unwrap(),
    };
    let config = AppConfig::new(Path::new(folder));
    App::open(db, config, Arc::new(SystemClock::default()), Arc::new(SystemRandom)).unwrap()
}

/// A session as a sign-in opens it.
fn opened(token: &Token, person: i64, at: Timestamp) -> Session {
    Session {
        token_hash: token.hash().to_vec(),
        person: PersonId(person),
        csrf: token.derived("csrf"),
        created_at: at,
        used_at: at,
        ends_at: at.plus(12 * HOUR),
        ended_at: None,
        network: "loopback".into(),
        agent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
                Chrome/142.0.0.0 Safari/537.36"
            .into(),
        credential: CredentialId(0),
        factor: Factor::Passkey,
        assurance: 3,
        proved_at: at,
        device: Some(token.hash()[..16].to_vec()),
        bound: None,
    }
}

/// The first agent's session with a cookie of its device, and what they have open in an application:
/// token, cookie, token.
async fn signed_in(app: &App) -> (String, String, String) {
    let mut change = app.change().await.unwrap();
    let at = change.at();
    let [token, cookie, entered] = [0; 3].map(|_| Token::from_random(app.random_bytes()));
    let new = opened(&token, 1, at);
    sessions::insert(&mut change.conn(), &new).await.unwrap();
    let device = Device {
        kind: DeviceKind::Browser,
        public_key: vec![4; 65],
        bound_at: at.plus(-HOUR),
        cookie: (cookie.hash().to_vec(), at.plus(10 * MINUTE)),
        old_cookie: (Vec::new(), Timestamp(0)),
    };
    devices::bind(&mut change.conn(), &new.device.unwrap(), &device).await.unwrap();
    let application = Application {
        id: ApplicationId(at.0),
        name: "Wiki".into(),
        kind: Kind::ForwardAuth,
        origin: format!("{ORIGIN}:{}", at.0),
        secret: None,
        redirect_uris: Vec::new(),
        logout_uris: Vec::new(),
        backchannel_uri: String::new(),
        entry: Entry {
            roles: Roles::default().with(Role::Agent),
            max_age: None,
            acr: Acr::PhishingResistant,
        },
        created_at: at,
    };
    applications::insert(&mut change.conn(), &application).await.unwrap();
    let entry = ApplicationSession {
        sid: entered.derived("sid"),
        token_hash: entered.hash().to_vec(),
        application: application.id,
        session: new.token_hash,
        code_hash: entered.hash().to_vec(),
        scope: String::new(),
        created_at: at,
        expires_at: Timestamp(i64::MAX),
        tell_at: None,
    };
    application_sessions::insert(&mut change.conn(), &entry).await.unwrap();
    change.commit().await.unwrap();
    (token.text(), cookie.text(), format!("{} {}", application.origin, entered.text()))
}

async fn checks(app: &App) {
    // Enough for the tick, and few enough for a way over the network.
    let calls = if app.db.engine() == Engine::Sqlite { 50_000 } else { 5_000 };
    let (token, cookie, entered) = signed_in(app).await;
    let (origin, entered) = entered.split_once(' ').unwrap();
    let (scheme, host) = origin.split_once("://").unwrap();
    let place = Place { scheme, host };
    let policy = SessionPolicy::default();
    let by = Use { network: "loopback", by_hand: true, device: Some(&cookie) };
    let mut others = Vec::new();
    for _ in 0..AT_ONCE {
        others.push(signed_in(app).await);
    }
    let ask = async |(token, cookie, _): &(String, String, String)| {
        let by = Use { device: Some(cookie), ..by };
        for _ in 0..calls as usize / AT_ONCE {
            assert!(black_box(app.session(token, by, &policy).await.unwrap()).is_ok());
        }
    };
    let [mut of_page, mut wall, mut of_application, mut together] = [const { Vec::new() }; 4];
    for round in 0..=ROUNDS {
        let (from, before) = (Instant::now(), cpu());
        for _ in 0..calls {
            assert!(black_box(app.session(&token, by, &policy).await.unwrap()).is_ok());
        }
        let (between, took) = (cpu(), from.elapsed());
        for _ in 0..calls {
            assert!(black_box(app.visitor(place, entered, by, &policy).await.unwrap()).is_ok());
        }
        let apart = cpu();
        join_all(others.iter().map(ask)).await;
        // The first round warms up.
        if round > 0 {
            of_page.push((between - before) / f64::from(calls));
            wall.push(took.as_secs_f64() * 1e6 / f64::from(calls));
            of_application.push((apart - between) / f64::from(calls));
            together.push((cpu() - apart) / f64::from(calls));
        }
    }
    told("a page's session, CPU", of_page);
    told("a page's session, wall", wall);
    told("an application's, CPU", of_application);
    told(&format!("a page's session, {AT_ONCE} at once, CPU"), together);
    app.db.close().await;
}

/// The token of one of many sessions.
fn nth(i: usize) -> Token {
    Token::from_random(digest(&i.to_be_bytes()))
}

async fn many(app: &App, n: usize) {
    // The agents and the first customers of `bench_desk`.
    const PEOPLE: usize = 100;
    for first in (0..n).step_by(1_000) {
        let mut change = app.change().await.unwrap();
        let at = change.at();
        for i in first..(first + 1_000).min(n) {
            let new = opened(&nth(i), 1 + (i % PEOPLE) as i64, at);
            sessions::insert(&mut change.conn(), &new).await.unwrap();
        }
        change.commit().await.unwrap();
    }
    app.db.close().await;
}

async fn asked(app: &App, n: usize) {
    let policy = SessionPolicy::default();
    let by = Use { network: "loopback", by_hand: false, device: None };
    let ask = async |i| assert!(app.session(&nth(i).text(), by, &policy).await.unwrap().is_ok());
    for _ in 0..1_000 {
        ask(0).await;
    }
    let (before, from) = (resident(), cpu());
    for i in 0..n {
        ask(i).await;
    }
    let (after, took) = (resident(), cpu() - from);
    println!("{n} sessions, each asked for once: {:.2} µs of CPU each", took / n as f64);
    println!("own memory: {} kB before, {} kB after", before.0, after.0);
    println!("pages of files: {} kB before, {} kB after", before.1, after.1);
    app.db.close().await;
}

fn asn(file: &Path) {
    const CALLS: u32 = 1_000_000;
    let asns = Asns::open(file).unwrap();
    let mut rounds = Vec::new();
    for round in 0..=ROUNDS as u32 {
        let from = Instant::now();
        for i in 0..CALLS {
            // Addresses all over: an odd factor walks through every number once.
            let bits = (i ^ round << 20).wrapping_mul(2_654_435_769);
            black_box(network_of(IpAddr::V4(Ipv4Addr::from(bits)), Some(&asns)));
        }
        if round > 0 {
            rounds.push(from.elapsed().as_secs_f64() * 1e6 / f64::from(CALLS));
        }
    }
    told("network of an address", rounds);
}
