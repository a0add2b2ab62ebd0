//! Files that other exporters wrote are read, and their sizes are matched in their dialects.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::{fs, path::Path, process::Command, sync::atomic::AtomicBool};

use warifu_domain::dialect::{Delimiter, Dialect, EmptyText, Eol, Quote};
use warifu_match::{
    SearchSpec,
    definition::Op,
    dialects::Candidate,
    read::{FileRows, ReadOptions, read_people},
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

#[test]
fn other_exporters_are_read_and_matched() {
    if std::env::var_os("WARIFU_SKIP_PEERS").is_some_and(|value| value == "1") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers.py");
    let run = Command::new("python3").arg(script).arg(folder.path()).output();
    let run = run.expect("python3 is needed (or set WARIFU_SKIP_PEERS=1)");
    assert!(
        run.status.success(),
        "peers.py failed; it needs python3 with duckdb and pyarrow, and sqlite3 (or set \
         WARIFU_SKIP_PEERS=1): {}",
        String::from_utf8_lossy(&run.stderr)
    );
    let mut sources: Vec<String> =
        peers().iter().map(|(name, kind, _)| format!("{name}-all.{kind}")).collect();
    sources.extend(["python-all.jsonl".to_owned(), "pyarrow-all.parquet".to_owned()]);
    for source in sources {
        let path = folder.path().join(&source);
        let options = ReadOptions { sqlite_quoting: true, ..ReadOptions::default() };
        let people = read_people(&path, &options, &|_, _| true).unwrap();
        assert_eq!(people.rows(), 3000, "{source}");
        for (name, kind, dialect) in peers() {
            for part in ["all", "partner"] {
                let file = folder.path().join(format!("{name}-{part}.{kind}"));
                let target =
                    Target { bytes: fs::metadata(&file).unwrap().len(), ..Target::default() };
                let mut spec = SearchSpec::new(target, vec![Candidate::new(dialect.clone())]);
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
