//! Sanitized files still open in other people's programs: a HAR validator and a HAR viewer from
//! npm. Runs when `WARIFU_PEERS=1` is set (it needs Node.js and the registry), and fails then if
//! anything is missing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod fixture;

use std::io::Cursor;
use std::path::Path;
use std::process::Command;
use warifu_har::{Options, sanitize};

fn run(command: &mut Command) -> String {
    let shown = format!("{command:?}");
    let out = command.output().unwrap_or_else(|e| panic!("{shown}: {e}"));
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(out.status.success(), "{shown}\n{text}\n{}", String::from_utf8_lossy(&out.stderr));
    text
}

#[test]
fn a_validator_and_a_viewer_open_what_was_sanitized() {
    if std::env::var_os("WARIFU_PEERS").is_none_or(|v| v != "1") {
        return;
    }
    let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers");
    run(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&peers));

    let (mut har, _) = fixture::planted();
    // Entries that were no valid HAR to begin with prove nothing here.
    har["log"]["entries"].as_array_mut().unwrap().retain(|e| {
        e["response"]["status"].is_number()
            && e["request"]["url"].as_str().unwrap().contains("www.")
    });
    har["log"]["entries"][1]["request"]["method"] = "POST".into();
    let page = har["log"]["pages"][1]["id"].clone();
    har["log"]["entries"][0]["pageref"] = page;
    let folder = tempfile::tempdir().unwrap();
    let (before, after) = (folder.path().join("before.har"), folder.path().join("after.har"));
    std::fs::write(&before, har.to_string()).unwrap();
    let out = std::fs::File::create(&after).unwrap();
    sanitize(Cursor::new(har.to_string()), out, &Options::default()).unwrap();
    let said = run(Command::new("node").arg(peers.join("open.mjs")).arg(&before).arg(&after));
    assert!(said.starts_with("valid, "), "{said}");
}
