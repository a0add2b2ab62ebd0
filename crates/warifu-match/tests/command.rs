//! The command line: exit codes, the file that --write-top writes, the keys of the JSON answer.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::{collections::BTreeSet, fs, path::Path, process::ExitCode, sync::atomic::AtomicBool};

use clap::Parser;
use warifu_match::{
    SearchSpec,
    cli::{ExposureArgs, MatchArgs, run_exposure, run_match},
    definition::DefinitionFile,
    dialects::Candidate,
    read::{FileRows, ReadOptions, read_people},
    search::{Progress, search},
    target::{Measure, Target, Tolerance, parse_size},
    written::write_known,
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

/// Every path of keys in a value; members of a list are one.
fn paths(value: &serde_json::Value, path: &str, all: &mut BTreeSet<String>) {
    match value {
        serde_json::Value::Object(map) => {
            for (key, value) in map {
                let path = format!("{path}/{key}");
                all.insert(path.clone());
                paths(value, &path, all);
            }
        }
        serde_json::Value::Array(list) => {
            list.iter().for_each(|value| paths(value, &format!("{path}/*"), all));
        }
        _ => {}
    }
}

/// `--json` is read by other programs: a key may be added, none may go.
#[test]
fn json_keys_are_stable() {
    let folder = tempfile::tempdir().unwrap();
    let (path, partners) = people(folder.path());
    let people = read_people(Path::new(&path), &ReadOptions::default(), &|_, _| true).unwrap();
    let target = Target { bytes: partners.len() as u64, ..Target::default() };
    let mut spec = SearchSpec::new(target, vec![Candidate::new(Default::default())]);
    spec.also = vec![target];
    let stop = AtomicBool::new(false);
    let answer = search(&people, &spec, &Progress { tell: &|_| (), stop: &stop }).unwrap();
    let mut found = BTreeSet::new();
    paths(&serde_json::to_value(&answer).unwrap(), "", &mut found);
    let found: Vec<String> = found.into_iter().collect();
    let kept = include_str!("answer_keys.txt").lines().collect::<Vec<_>>();
    assert_eq!(found, kept, "write tests/answer_keys.txt anew when a key is added");
    let exposure = warifu_match::exposure_of(&people, &[], &[]).unwrap();
    let mut found = BTreeSet::new();
    paths(&serde_json::to_value(&exposure).unwrap(), "", &mut found);
    let of_answer = kept.iter().filter_map(|path| path.strip_prefix("/exposure"));
    let of_answer: Vec<&str> = of_answer.filter(|path| !path.is_empty()).collect();
    assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), of_answer);
}

/// Every option of the usage text, on files.
#[test]
fn every_option_works() {
    let folder = tempfile::tempdir().unwrap();
    let (path, partners) = people(folder.path());
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let saved = write(
        "saved.toml",
        r#"
        [[definition]]
        name = "five newest partners"
        filter = [{ column = "kind", op = "=", value = "Partner" }]
        columns = ["name", "kind"]
        order = [{ column = "since", descending = true }]
        limit = 5
        [[definition]]
        name = "compressed"
        compression = "gzip"
        [[definition]]
        name = "workbook"
        format = "xlsx"
        [[definition]]
        name = "lines"
        format = "jsonl"
        logged = true
        "#,
    );
    let predicates = write(
        "extra.toml",
        "[[predicate]]\ncolumn = \"name\"\nop = \"=\"\nvalue = \"Person, 0\"\n",
    );
    let lf = write("lf.toml", "eol = \"lf\"\n");
    let json = write("json.toml", "format = \"jsonl\"\nspaced = true\n");
    let size = partners.len();
    let lf_size = size - 68;
    let text = String::from_utf8(partners.clone()).unwrap();
    let spaced: usize = text
        .lines()
        .skip(1)
        .map(|line| line.len() - 2 - 2 + r#"{"name": "", "kind": "", "since": ""}"#.len() + 1)
        .sum();
    let number = |n: usize| n.to_string();
    let (size, lf_size, spaced) = (number(size), number(lf_size), number(spaced));
    let found = |options: &[&str]| {
        let top = folder.path().join("top");
        let fixed = ["--quiet", "--json", "--write-top", top.to_str().unwrap()];
        let code = run(&[&["match", &path], options, &fixed].concat());
        assert_eq!(code, ExitCode::SUCCESS, "{options:?}");
        fs::read(top).unwrap()
    };
    let rows = ["--rows", "67"];
    assert_eq!(found(&["--bytes", &size, "--columns", "name,kind,since"]).len(), partners.len());
    for more in [
        &["--columns-at-least", "name,since"][..],
        &["--columns-at-most", "name, kind, since"],
        &["--report-columns", "name,kind,since"],
        &["--dialects", "all"],
        &["--max-predicates", "1"],
        &["--at", "2023-09-28T15:06Z", "--window", "10m"],
        &["--top", "1"],
        &["--lang", "ja"],
        &["--also", &size, &size],
        &["--predicates", &predicates],
        &["--definitions", &saved],
        &["--tolerance", "0"],
        &["--measure", "body"],
    ] {
        let file = found(&[&["--bytes", &size], &rows[..], more].concat());
        assert_eq!(file, partners, "{more:?}");
    }
    let lines = found(&["--bytes", &spaced, "--rows", "67", "--dialect", &json]);
    assert_eq!(lines.len().to_string(), spaced);
    assert!(lines.starts_with(b"{\"name\": \"Person, 0\", "));
    assert_eq!(
        found(&["--bytes", &lf_size, "--rows", "67", "--dialect", &lf]).len(),
        size.parse::<usize>().unwrap() - 68
    );
    let wire = partners.len();
    for (measure, bytes, tolerance) in [
        ("http", wire + 300, "0"),
        ("tls", wire + 500 + 22 + 4000, "0"),
        ("base64", wire.div_ceil(3) * 4, "0"),
        ("rounded:KB", (wire + 500) / 1000 * 1000, "0"),
        ("rounded:1024", (wire + 512) / 1024 * 1024, "0"),
        ("wrapped32", wire, "0"),
        ("at-least", wire - 100, "0"),
        ("body", wire + 20, "1%"),
        ("body", wire + 20, "64KiB"),
    ] {
        let bytes = number(bytes);
        let columns = ["--columns", "name,kind,since"];
        let target = ["--bytes", &bytes, "--measure", measure, "--tolerance", tolerance];
        let file = found(&[&target[..], &rows, &columns].concat());
        assert_eq!(file, partners, "{measure} {tolerance}");
    }
    // The files of saved definitions that only writing tells: made once to learn the size, found then.
    let people = read_people(Path::new(&path), &ReadOptions::default(), &|_, _| true).unwrap();
    let known = DefinitionFile::parse(&fs::read_to_string(&saved).unwrap()).unwrap().definition;
    let mut source = FileRows::new(Path::new(&path), &people);
    let csv = [Candidate::new(Default::default())];
    let (written, _) = write_known(&people, &known, &csv, &mut source).unwrap();
    assert_eq!(written.len(), 3);
    for (file, start) in written.iter().zip([&b"name,kind\r\n"[..], &[0x1F, 0x8B], b"PK"]) {
        let bytes = file.bytes.to_string();
        let options = ["--bytes", &bytes, "--definitions", &saved, "--at", "2023-09-28T15:06:00Z"];
        let out = found(&options);
        assert_eq!(out.len() as u64, file.bytes);
        assert!(out.starts_with(start));
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
