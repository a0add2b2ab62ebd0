//! The engine alone on loaded data: `engine PEOPLE.csv predicates.toml BYTES [DIALECTS]`. Prints CPU
//! and wall seconds of loading and of each search; see bench/match.
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

fn run(arguments: &[String]) -> Result<(), Box<dyn std::error::Error>> {
    let [_, path, predicates, bytes, rest @ ..] = arguments else {
        return Err("usage: engine PEOPLE.csv predicates.toml BYTES [all]".into());
    };
    let predicates = DefinitionFile::parse(&std::fs::read_to_string(predicates)?)?.predicate;
    let (wall, before) = (Instant::now(), cpu());
    let people = read_people(Path::new(path), &ReadOptions::default(), &|_, _| true)?;
    println!("load wall {:.3} cpu {:.3}", wall.elapsed().as_secs_f64(), cpu() - before);
    let dialects =
        if rest.is_empty() { dialects::parse("eol = \"lf\"")? } else { dialects::usual() };
    for threads in [1, 1, 1, 2, 2, 2] {
        let target = Target { bytes: bytes.parse()?, ..Target::default() };
        let mut spec = SearchSpec::new(target, dialects.clone());
        spec.discover = false;
        spec.predicates = predicates.clone();
        spec.threads = threads;
        let stop = AtomicBool::new(false);
        let (wall, before) = (Instant::now(), cpu());
        let answer = search(&people, &spec, &Progress { tell: &|_| (), stop: &stop })?;
        println!(
            "search threads {threads} wall {:.3} cpu {:.3} filters {} definitions {} matched {} first {:?}",
            wall.elapsed().as_secs_f64(),
            cpu() - before,
            answer.searched.filters,
            answer.searched.definitions,
            answer.matched,
            answer.candidates.first().map(|c| (&c.filter, c.columns.len()))
        );
    }
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
