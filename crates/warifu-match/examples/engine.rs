//! The engine alone on loaded data, for bench/match: `engine PEOPLE.csv predicates.toml RUNS TARGET…`
//! with targets as BYTES, BYTES:all (all 90 dialects) or BYTES:who (and who was in it). Prints CPU and wall seconds of loading and of
//! each search, and the most memory that it had.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::{path::Path, process::ExitCode, sync::atomic::AtomicBool, time::Instant};

use warifu_match::{
    SearchSpec,
    definition::DefinitionFile,
    dialects,
    read::{ReadOptions, read_people},
    search::{Progress, search},
    target::Target,
};

/// CPU seconds of this process so far, user and system (Linux, 100 ticks a second).
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = stat.rsplit(')').next().unwrap_or_default();
    let ticks: f64 =
        after.split_whitespace().skip(11).take(2).filter_map(|t| t.parse::<f64>().ok()).sum();
    ticks / 100.0
}

/// The most memory that this process had resident, in bytes.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<u64>().ok()).unwrap_or(0) * 1024
}

fn run(arguments: &[String]) -> Result<(), Box<dyn std::error::Error>> {
    let [_, path, predicates, runs, targets @ ..] = arguments else {
        return Err("usage: engine PEOPLE.csv predicates.toml RUNS BYTES[:all] …".into());
    };
    let runs: u32 = runs.parse()?;
    let predicates = DefinitionFile::parse(&std::fs::read_to_string(predicates)?)?.predicate;
    let (wall, before) = (Instant::now(), cpu());
    let people = read_people(Path::new(path), &ReadOptions::default(), &|_, _| true)?;
    println!("load wall {:.4} cpu {:.4}", wall.elapsed().as_secs_f64(), cpu() - before);
    for (target, threads) in targets.iter().flat_map(|target| [(target, 1), (target, 2)]) {
        let (bytes, what) = target.split_once(':').unwrap_or((target, ""));
        let dialects =
            if what == "all" { dialects::usual() } else { dialects::parse("eol = \"lf\"")? };
        let mut spec =
            SearchSpec::new(Target { bytes: bytes.parse()?, ..Target::default() }, dialects);
        spec.discover = false;
        spec.predicates = predicates.clone();
        spec.threads = threads;
        spec.who = !what.is_empty();
        let stop = AtomicBool::new(false);
        // Ticks are coarse: as many runs as make their sum count.
        let (wall, before) = (Instant::now(), cpu());
        let mut last = None;
        for _ in 0..runs {
            last = Some(search(&people, &spec, &Progress { tell: &|_| (), stop: &stop })?);
        }
        let each = f64::from(runs);
        let Some(answer) = last else { return Err("RUNS is at least 1".into()) };
        println!(
            "search {target} threads {threads} wall {:.4} cpu {:.4} filters {} definitions {} matched {} first {:?}",
            wall.elapsed().as_secs_f64() / each,
            (cpu() - before) / each,
            answer.searched.filters,
            answer.searched.definitions,
            answer.matched,
            answer.candidates.first().map(|c| (&c.filter, c.columns.len()))
        );
    }
    println!("memory {} people {}", memory(), people.rows());
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}
