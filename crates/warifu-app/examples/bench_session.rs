//! The measurements of `bench/session`: what it costs to know who is behind a request.
//!
//! `bench_session DIR [DATABASE]` on an installation that `bench_desk make` filled: cookie → session →
//! device → person, roles, organization → policy → network and idle, as every page does it, one after
//! the other. `bench_session asn FILE`: the lookup of an address in an ASN database.
//! Prints the median of seven rounds with their spread, in µs per call.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "this is no part of the product")]

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use warifu_app::sessions::Use;
use warifu_app::{App, AppConfig, SystemRandom};
use warifu_auth::{Asns, SessionPolicy, Token, network_of};
use warifu_domain::factors::Factor;
use warifu_domain::time::{HOUR, SystemClock};
use warifu_domain::{CredentialId, PersonId};
use warifu_storage::Db;
use warifu_storage::sessions::{self, Session};

const ROUNDS: usize = 7;

/// CPU of this process in seconds, user and system; a tick is 10 ms.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = stat.rsplit(')').next().unwrap_or_default();
    let ticks: f64 =
        after.split_whitespace().skip(11).take(2).filter_map(|t| t.parse::<f64>().ok()).sum();
    ticks / 100.0
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
        [folder] => session(folder, None).await,
        [folder, database] => session(folder, Some(database)).await,
        _ => println!("bench_session DIR [DATABASE] | bench_session asn FILE"),
    }
}

async fn session(folder: &str, database: Option<&str>) {
    const CALLS: usize = 20_000;
    let db = match database {
        Some(url) => Db::open_postgres(url).await.unwrap(),
        None => Db::open_sqlite(Path::new(folder)).await.unwrap(),
    };
    let config = AppConfig::new(Path::new(folder));
    let app =
        App::open(db, config, Arc::new(SystemClock::default()), Arc::new(SystemRandom)).unwrap();
    let token = Token::from_random(app.random_bytes());
    let mut change = app.change().await.unwrap();
    let at = change.at();
    let new = Session {
        token_hash: token.hash().to_vec(),
        person: PersonId(1),
        csrf: Token::from_random(app.random_bytes()).text(),
        created_at: at,
        used_at: at,
        ends_at: at.plus(12 * HOUR),
        ended_at: None,
        network: "loopback".into(),
        agent: "bench/session".into(),
        credential: CredentialId(0),
        factor: Factor::Passkey,
        assurance: 3,
        proved_at: at,
        device: None,
        bound: None,
    };
    sessions::insert(&mut change.conn(), &new).await.unwrap();
    change.commit().await.unwrap();
    let (text, policy) = (token.text(), SessionPolicy::default());
    let (mut walls, mut cpus) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let (from, before) = (Instant::now(), cpu());
        for _ in 0..CALLS {
            let by = Use { network: "loopback", by_hand: true, device: None };
            let found = app.session(&text, by, &policy).await.unwrap();
            assert!(black_box(found).is_ok());
        }
        // The first round warms up.
        if round > 0 {
            walls.push(from.elapsed().as_secs_f64() * 1e6 / CALLS as f64);
            cpus.push((cpu() - before) * 1e6 / CALLS as f64);
        }
    }
    told("session, wall", walls);
    told("session, CPU", cpus);
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
