//! The command as a process: receipt, exit codes, what is left in the folder.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod fixture;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Cargo builds examples before it runs tests, beside the folder of the test binaries.
fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().unwrap().parent().unwrap().join("examples/har_sanitize");
    assert!(path.exists(), "{} is missing: cargo build --examples --features cli", path.display());
    path
}

fn sanitize(folder: &Path, args: &[&str], stdin: &[u8]) -> Output {
    let mut child = Command::new(program())
        .arg("sanitize")
        .args(args)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The program may end before it has read everything.
    let _ = child.stdin.take().unwrap().write_all(stdin);
    child.wait_with_output().unwrap()
}

fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|f| f.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_file_is_sanitized_with_a_receipt() {
    let folder = tempfile::tempdir().unwrap();
    let (har, planted) = fixture::planted();
    std::fs::write(folder.path().join("in.har"), har.to_string()).unwrap();
    let out = sanitize(folder.path(), &["in.har", "-o", "out.har"], b"");
    let receipt = String::from_utf8(out.stdout).unwrap();
    assert_eq!(out.status.code(), Some(0), "{}", String::from_utf8_lossy(&out.stderr));
    for line in ["request headers", "cookie", "sha256:", "MB/s", "kept"] {
        assert!(receipt.contains(line), "{line}: {receipt}");
    }
    assert_eq!(files(folder.path()), ["in.har", "out.har"]);
    let text = std::fs::read_to_string(folder.path().join("out.har")).unwrap();
    assert!(
        planted
            .all
            .iter()
            .all(|(_, s)| !text.contains(s.as_str()) && !receipt.contains(s.as_str()))
    );
}

#[test]
fn standard_input_and_json() {
    let folder = tempfile::tempdir().unwrap();
    let (har, _) = fixture::planted();
    let input = har.to_string();
    let out = sanitize(folder.path(), &["-", "-o", "out.har", "--json"], input.as_bytes());
    assert_eq!(out.status.code(), Some(0));
    let receipt: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(receipt["input_bytes"], input.len());
    assert_eq!(receipt["input_sha256"].as_str().unwrap().len(), 64);
    assert!(receipt["removed"][0]["count"].as_u64().unwrap() > 0);
    assert!(receipt["seconds"].as_f64().unwrap() > 0.0 && receipt["mb_per_second"].is_f64());
    assert!(
        receipt["cookie_values"].as_u64().unwrap() > 5 && receipt.get("cookie_digests").is_none()
    );
}

#[test]
fn bad_input_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::write(path.join("bad.har"), r#"{"log":{"entries":[{"a":1"#).unwrap();
    std::fs::write(path.join("old.har"), "before").unwrap();
    let out = sanitize(path, &["bad.har", "-o", "old.har"], b"");
    let line = String::from_utf8(out.stderr).unwrap();
    assert_eq!((out.status.code(), line.lines().count()), (Some(2), 1), "{line}");
    assert!(line.contains("byte 25") && out.stdout.is_empty(), "{line}");
    assert_eq!(std::fs::read_to_string(path.join("old.har")).unwrap(), "before");
    assert_eq!(files(path), ["bad.har", "old.har"]);
}

#[test]
fn the_input_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let input = r#"{"log":{"entries":[]}}"#;
    std::fs::write(path.join("in.har"), input).unwrap();
    std::os::unix::fs::symlink("in.har", path.join("link.har")).unwrap();
    for output in ["in.har", "./in.har", "link.har"] {
        let out = sanitize(path, &["in.har", "-o", output], b"");
        assert_eq!(out.status.code(), Some(2));
        assert_eq!(std::fs::read_to_string(path.join("in.har")).unwrap(), input);
    }
    assert_eq!(files(path), ["in.har", "link.har"]);
}

#[test]
fn failures_of_the_machine_have_their_own_code() {
    let folder = tempfile::tempdir().unwrap();
    let out = sanitize(folder.path(), &["none.har", "-o", "out.har"], b"");
    assert_eq!(out.status.code(), Some(1));
    assert_eq!(String::from_utf8(out.stderr).unwrap().lines().count(), 1);
    let out = sanitize(folder.path(), &["-", "-o", "no/such/out.har"], b"{}");
    assert_eq!(out.status.code(), Some(1));
    assert!(files(folder.path()).is_empty());
}
