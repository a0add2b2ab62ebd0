//! The command line: exit codes, the file that --write-top writes, the keys of the JSON answer.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::{fs, path::Path, process::ExitCode, sync::atomic::AtomicBool};

use clap::Parser;
use warifu_match::{
    SearchSpec,
    cli::{ExposureArgs, MatchArgs, run_exposure, run_match},
    dialects::Candidate,
    read::{ReadOptions, read_people},
    search::{Progress, search},
    target::{Measure, Target, Tolerance, parse_size},
};

#[derive(Parser)]
enum Command {
    Match(Box<MatchArgs>),
    Exposure(ExposureArgs),
}

fn run(arguments: &[&str]) -> ExitCode {
    match Command::try_parse_from([&["warifu"], arguments].concat()).unwrap() {
        Command::Match(args) => run_match(&args),
        Command::Exposure(args) => run_exposure(&args),
    }
}

/// People of whom the partners' file is known.
fn people(folder: &Path) -> (String, Vec<u8>) {
    let mut text = "name,kind,since\n".to_owned();
    let mut partners = b"name,kind,since\r\n".to_vec();
    for n in 0..200 {
        let kind = if n % 3 == 0 { "Partner" } else { "Customer" };
        let row = format!("\"Person, {}\",{kind},2023-0{}-01", n * n, n % 9 + 1);
        text.push_str(&row);
        text.push('\n');
        if n % 3 == 0 {
            partners.extend_from_slice(row.as_bytes());
            partners.extend_from_slice(b"\r\n");
        }
    }
    let path = folder.join("people.csv");
    fs::write(&path, text).unwrap();
    (path.to_str().unwrap().to_owned(), partners)
}

#[test]
fn exit_codes_and_the_written_file() {
    let folder = tempfile::tempdir().unwrap();
    let (path, partners) = people(folder.path());
    let top = folder.path().join("top.csv");
    let top = top.to_str().unwrap();
    let bytes = partners.len().to_string();
    let found =
        run(&["match", &path, "--bytes", &bytes, "--rows", "67", "--write-top", top, "--quiet"]);
    assert_eq!(found, ExitCode::SUCCESS);
    assert_eq!(fs::read(top).unwrap(), partners);
    let japanese = ["match", &path, "--bytes", &bytes, "--lang", "ja", "--dialects", "all"];
    assert_eq!(run(&japanese), ExitCode::SUCCESS);
    assert_eq!(run(&["match", &path, "--bytes", "1"]), ExitCode::from(1));
    assert_eq!(run(&["exposure", &path, "--filter", "kind=Partner"]), ExitCode::SUCCESS);
    assert_eq!(run(&["exposure", &path, "--filter", "kind=Nobody"]), ExitCode::from(1));
    let bad: [&[&str]; 8] = [
        &["match", "/nowhere.csv", "--bytes", "1"],
        &["match", &path, "--bytes", "many"],
        &["match", &path, "--bytes", "1", "--measure", "smell"],
        &["match", &path, "--bytes", "1", "--tolerance", "200%"],
        &["match", &path, "--bytes", "1", "--columns", "nonsense"],
        &["match", &path, "--bytes", "1", "--at", "yesterday"],
        &["exposure", &path, "--filter", "kind"],
        &["exposure", &path, "--filter", "nonsense=1"],
    ];
    for arguments in bad {
        assert_eq!(run(arguments), ExitCode::from(2), "{arguments:?}");
    }
}

#[test]
fn json_keys_are_stable() {
    let folder = tempfile::tempdir().unwrap();
    let (path, partners) = people(folder.path());
    let people = read_people(Path::new(&path), &ReadOptions::default(), &|_, _| true).unwrap();
    let target = Target { bytes: partners.len() as u64, ..Target::default() };
    let spec = SearchSpec::new(target, vec![Candidate::new(Default::default())]);
    let stop = AtomicBool::new(false);
    let answer = search(&people, &spec, &Progress { tell: &|_| (), stop: &stop }).unwrap();
    let json = serde_json::to_value(&answer).unwrap();
    for path in [
        "/people/rows",
        "/people/columns",
        "/people/bytes",
        "/target/bytes",
        "/target/tolerance_bytes",
        "/target/rows",
        "/target/measure",
        "/searched/predicates",
        "/searched/filters",
        "/searched/column_sets",
        "/searched/dialects",
        "/searched/definitions",
        "/searched/seconds",
        "/matched",
        "/candidates/0/rank",
        "/candidates/0/filter",
        "/candidates/0/predicates/0/column",
        "/candidates/0/predicates/0/op",
        "/candidates/0/predicates/0/value",
        "/candidates/0/columns",
        "/candidates/0/dialect/delimiter",
        "/candidates/0/dialect/quote",
        "/candidates/0/dialect/eol",
        "/candidates/0/dialect/bom",
        "/candidates/0/dialect/encoding",
        "/candidates/0/dialect/header",
        "/candidates/0/dialect/null",
        "/candidates/0/rows",
        "/candidates/0/bytes",
        "/candidates/0/difference",
        "/candidates/0/prior",
        "/certain",
        "/possible",
        "/excluded",
        "/exposure/people",
    ] {
        assert!(json.pointer(path).is_some(), "{path} in {json:#}");
    }
}

#[test]
fn a_stopped_search_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = people(folder.path());
    let people = read_people(Path::new(&path), &ReadOptions::default(), &|_, _| true).unwrap();
    let spec = SearchSpec::new(Target::default(), vec![Candidate::new(Default::default())]);
    let stop = AtomicBool::new(true);
    let error = search(&people, &spec, &Progress { tell: &|_| (), stop: &stop }).unwrap_err();
    assert_eq!(error.to_string(), "stopped");
    let stopped = read_people(Path::new(&path), &ReadOptions::default(), &|_, _| false);
    assert_eq!(stopped.unwrap_err().to_string(), "stopped");
}

#[test]
fn sizes_tolerances_and_measures_as_written() {
    assert_eq!(parse_size("585_000_000"), Ok(585_000_000));
    assert_eq!(parse_size("64KiB"), Ok(65_536));
    assert_eq!(parse_size("1.5 MB"), Ok(1_500_000));
    assert!(parse_size("-1").is_err() && parse_size("x").is_err() && parse_size("").is_err());
    assert_eq!("0.1%".parse::<Tolerance>().unwrap().bytes(585_000_000), 585_000);
    assert_eq!("rounded:KB".parse(), Ok(Measure::Rounded(1000)));
    assert_eq!("rounded:MiB".parse(), Ok(Measure::Rounded(1 << 20)));
    assert_eq!(Measure::Rounded(4096).name().parse(), Ok(Measure::Rounded(4096)));
    assert!("rounded:".parse::<Measure>().is_err());
}
