//! The command over a real folder.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod sample;

use sample::{Log, key};
use warifu_ledger::cli::{VerifyFolder, verify};

#[test]
fn a_folder_is_checked_and_a_change_named() {
    let folder = tempfile::tempdir().unwrap();
    for (path, bytes) in Log::of(301).files() {
        let file = folder.path().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, bytes).unwrap();
    }
    let run = |keys: Vec<String>| {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let folder = folder.path().to_owned();
        let code = verify(&VerifyFolder { folder, keys, quiet: true }, &mut out, &mut err).unwrap();
        (code, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
    };
    let vkey = key().verifying_key().to_string();
    let (code, out, _) = run(vec![vkey.clone()]);
    assert_eq!(code, 0);
    assert!(out.starts_with("OK   301 entries of support.example/ledger\n"), "{out}");
    assert!(out.contains("signed by support.example/ledger"), "{out}");
    assert!(out.contains("open: run \"run-75\" started in entry 300"), "{out}");
    let (code, out, _) = run(vec![]);
    assert!(code == 0 && out.contains("NOT CHECKED: signatures"), "{out}");
    let (code, _, err) = run(vec!["nonsense".into()]);
    assert!(code == 2 && err.contains("not a note key"), "{err}");

    let bundle = folder.path().join("tile/entries/001.p/45");
    let mut bytes = std::fs::read(&bundle).unwrap();
    let last = bytes.len() - 3;
    bytes[last] ^= 1;
    std::fs::write(&bundle, &bytes).unwrap();
    let (code, out, _) = run(vec![vkey.clone()]);
    assert_eq!(
        (code, out.as_str()),
        (1, "BAD  entry 300: its bytes do not have the recorded hash\n")
    );
    std::fs::remove_file(&bundle).unwrap();
    let (code, out, _) = run(vec![vkey]);
    assert_eq!(code, 1);
    assert_eq!(out, "BAD  entries 256 to 300: tile/entries/001.p/45 is missing\n");
}

/// What docs/ledger.md tells an examiner to type.
#[test]
fn the_commands_of_the_documentation() {
    let folder = tempfile::tempdir().unwrap();
    for (path, bytes) in Log::of(1).files() {
        let file = folder.path().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, bytes).unwrap();
    }
    let sh = |command: &str| {
        let output = std::process::Command::new("sh")
            .args(["-c", command])
            .env("DIR", folder.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let hash = sh(r"(printf '\0'; tail -c +3 $DIR/tile/entries/000.p/1) | sha256sum | cut -c1-64");
    let root = sh("sed -n 3p $DIR/checkpoint | base64 -d | od -An -v -tx1 | tr -d ' \n'");
    assert_eq!(hash.trim(), root);
}
