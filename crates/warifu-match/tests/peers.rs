//! Files that other exporters wrote are read, and their sizes are matched in their dialects.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod checked;

use std::{collections::BTreeSet, fs, path::Path, process::Command, sync::atomic::AtomicBool};

use checked::{Row, Seen, Truth, run};

use warifu_domain::dialect::{Delimiter, Dialect, EmptyText, Eol, Quote};
use warifu_match::{
    SearchSpec,
    definition::Op,
    dialects::Candidate,
    json_lines::JsonLines,
    read::{FileRows, ReadOptions, RowSource, read_people},
    search::{Progress, search},
    target::Target,
    verify::verify,
};

/// How each peer writes; the sizes below prove it.
fn peers() -> Vec<(&'static str, &'static str, Dialect)> {
    let python = Dialect { empty: EmptyText::Bare, ..Dialect::default() };
    let duckdb = Dialect { eol: Eol::Lf, ..Dialect::default() };
    vec![
        ("python", "csv", python.clone()),
        ("python-quoted", "csv", Dialect { quote: Quote::All, eol: Eol::Lf, ..python.clone() }),
        ("python-semicolon", "csv", Dialect { delimiter: Delimiter::Semicolon, ..python.clone() }),
        ("duckdb", "csv", duckdb.clone()),
        ("duckdb-tab", "tsv", Dialect { delimiter: Delimiter::Tab, ..duckdb.clone() }),
        ("sqlite", "csv", Dialect { quote: Quote::Sqlite, eol: Eol::Lf, ..python }),
        (
            "pyarrow",
            "csv",
            Dialect { quote: Quote::NonNull, header_quote: Some(Quote::All), ..duckdb },
        ),
    ]
}

/// Definitions that Python chose at random, with other columns and predicates than the other tests,
/// written by exporters that know nothing of Warifu.
#[test]
fn random_definitions_of_other_exporters_are_found() {
    if std::env::var_os("WARIFU_SKIP_PEERS").is_some_and(|value| value == "1") {
        return;
    }
    #[derive(serde::Deserialize)]
    struct Case {
        file: String,
        tool: String,
        dialect: Dialect,
        people: BTreeSet<usize>,
        columns: Vec<String>,
        predicates: usize,
    }
    let folder = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/definitions.py");
    let seed = std::env::var("WARIFU_SEED").unwrap_or_else(|_| "1".to_owned());
    let mut command = Command::new("python3");
    let run_script = command.arg(script).arg(folder.path()).args(["60", &seed]).output().unwrap();
    assert!(run_script.status.success(), "{}", String::from_utf8_lossy(&run_script.stderr));
    let cases = fs::read_to_string(folder.path().join("cases.json")).unwrap();
    let cases: Vec<Case> = serde_json::from_str(&cases).unwrap();
    let path = folder.path().join("people.csv");
    let options = ReadOptions { sqlite_quoting: true, ..ReadOptions::default() };
    let people = read_people(&path, &options, &|_, _| true).unwrap();
    let labels: Vec<String> = people.column_names().map(str::to_owned).collect();
    let mut table: Vec<Row> = Vec::new();
    FileRows::new(&path, &people)
        .each(&mut |fields| {
            table.push(fields.iter().map(|field| field.map(str::to_owned)).collect());
            true
        })
        .unwrap();
    let domain = |row: &Row| row[2].as_deref().and_then(|m| m.split('@').nth(1)).map(str::to_owned);
    let mut seen = Seen::default();
    for case in cases {
        let bytes = fs::metadata(folder.path().join(&case.file)).unwrap().len();
        let truth = Truth { bytes, columns: case.columns, people: case.people };
        let target = Target { bytes, ..Target::default() };
        let mut spec = SearchSpec::new(target, vec![Candidate::new(case.dialect.clone())]);
        spec.top = 1_000_000;
        let answer = run(&people, &spec);
        let rank = truth.rank(&labels, &table, &answer);
        let what = (&case.tool, &case.file, &case.dialect, &truth.columns, bytes);
        assert!(rank.is_some(), "{what:?}: not among {}", answer.matched);
        truth.never_contradicted(&answer, &table, domain);
        seen.cases += 1;
        seen.found += 1;
        seen.exact += 1;
        seen.candidates.push(answer.matched);
        spec.target.rows = Some(truth.rows());
        let answer = run(&people, &spec);
        let rank = truth.rank(&labels, &table, &answer).expect("found with its row count");
        truth.never_contradicted(&answer, &table, domain);
        seen.ranked(rank, &answer, case.predicates == 0);
    }
    seen.print("1,500 people, files of Python csv, DuckDB, pyarrow and sqlite3");
}

#[test]
fn other_exporters_are_read_and_matched() {
    if std::env::var_os("WARIFU_SKIP_PEERS").is_some_and(|value| value == "1") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers.py");
    let script = Command::new("python3").arg(script).arg(folder.path()).output();
    let script = script.expect("python3 is needed (or set WARIFU_SKIP_PEERS=1)");
    assert!(
        script.status.success(),
        "peers.py failed; it needs python3 with duckdb and pyarrow, and sqlite3 (or set \
         WARIFU_SKIP_PEERS=1): {}",
        String::from_utf8_lossy(&script.stderr)
    );
    let mut sources: Vec<String> =
        peers().iter().map(|(name, kind, _)| format!("{name}-all.{kind}")).collect();
    sources.extend(["python-all.jsonl".to_owned(), "pyarrow-all.parquet".to_owned()]);
    for source in sources {
        let path = folder.path().join(&source);
        let options = ReadOptions { sqlite_quoting: true, ..ReadOptions::default() };
        let people = read_people(&path, &options, &|_, _| true).unwrap();
        assert_eq!(people.rows(), 3000, "{source}");
        let csv = peers().into_iter().map(|(name, kind, d)| (name, kind, Candidate::new(d)));
        let spaced = JsonLines { spaced: true, ..JsonLines::default() };
        let json = [
            ("python", "jsonl", Candidate::json_lines(spaced)),
            ("duckdb", "jsonl", Candidate::json_lines(JsonLines::default())),
        ];
        for (name, kind, way) in csv.chain(json) {
            for part in ["all", "partner"] {
                let file = folder.path().join(format!("{name}-{part}.{kind}"));
                let target =
                    Target { bytes: fs::metadata(&file).unwrap().len(), ..Target::default() };
                let mut spec = SearchSpec::new(target, vec![way.clone()]);
                spec.max_predicates = 1;
                let stop = AtomicBool::new(false);
                let progress = Progress { tell: &|_| (), stop: &stop };
                let mut answer = search(&people, &spec, &progress).unwrap();
                let truth = answer.candidates.iter().position(|candidate| {
                    let all = part == "all" && candidate.predicates.is_empty();
                    let partner = candidate
                        .predicates
                        .first()
                        .is_some_and(|p| p.op == Op::Is && p.values() == ["Partner"]);
                    candidate.columns.len() == 5 && (all || part == "partner" && partner)
                });
                let truth = truth.unwrap_or_else(|| panic!("{name}-{part} from {source}"));
                let mut rows = FileRows::new(&path, &people);
                verify(&people, &mut answer.candidates[truth..=truth], 1, &mut rows).unwrap();
                assert_eq!(answer.candidates[truth].verified, Some(true), "{name} from {source}");
            }
        }
    }
}
