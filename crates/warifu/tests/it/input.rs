//! Files and requests that are wrong: what, where, and how to mend it; the rest is taken, and the
//! memory stays small.

use crate::evidence::{csrf, enter};
use crate::server::program;
use hyper::Method;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Output;

/// Code 2 and one line that says all of `parts`.
#[track_caller]
fn refused(output: &Output, parts: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_eq!(said.trim_end().lines().count(), 1, "{said}");
    for part in parts {
        assert!(said.contains(part), "“{part}” is not in {said}");
    }
}

fn write(folder: &Path, name: &str, content: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    path
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// A field of 100 MB in the second row.
fn huge(folder: &Path) -> PathBuf {
    let mut text = b"Full Name,Email\nAda,ada@a.example\n\"".to_vec();
    text.resize(text.len() + 100_000_000, b'x');
    text.extend_from_slice(b"\",b@a.example\nCy,cy@a.example\n");
    write(folder, "huge.csv", &text)
}

/// Runs a command with so much address space; what wants more fails.
fn limited(mut command: std::process::Command, mib: u64) -> Output {
    let mut shell = std::process::Command::new("sh");
    shell.arg("-c").arg(format!("ulimit -v {}; exec \"$0\" \"$@\"", mib * 1024));
    shell.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    command.env_clear();
    shell.output().unwrap()
}

on_both! {
    async fn people_files_that_are_wrong_are_told_and_the_rest_is_taken(w: Warifu) {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let import = |path: &Path| w.run("people import", &["--quiet", path.to_str().unwrap()]);
        let head = "Full Name,Email\n";
        let good = "Ada,ada@a.example\n";

        // Files that cannot be read at all.
        let sjis_head = [b"\x8e\x81\x96\xbc,Email\n".as_slice(), good.as_bytes()].concat();
        let cases: [(&str, &[u8], &[&str]); 8] = [
            ("empty.csv", b"", &["empty.csv", "is empty", "first line"]),
            ("bom.csv", b"\xFF\xFEF\0", &["UTF-16", "save it as UTF-8"]),
            ("wide.csv", &utf16(&[head, good].concat()), &["NUL (byte 2)", "UTF-16"]),
            ("sjis.csv", &sjis_head, &["header", "UTF-8 (byte 1", "save the file as UTF-8"]),
            ("twice.csv", b"Full Name,Email,Email\nA,a@b,c@d\n", &["“Email”", "column 2", "column 3"]),
            ("unnamed.csv", b"Full Name,,Email\nA,x,a@b\n", &["column 2 has no header"]),
            ("foreign.csv", b"Colour,Shape\nred,round\n", &["--map", "Colour, Shape"]),
            ("cut.parquet", b"PAR1\x15\x04\x15", &["cut.parquet", "no Parquet file"]),
        ];
        for (name, content, parts) in cases {
            refused(&import(&write(folder, name, content)), parts);
        }
        refused(&import(&folder.join("none.csv")), &["none.csv", "No such file"]);
        refused(&import(folder), &[folder.to_str().unwrap(), "directory"]);

        // Rows that are wrong: named with line and reason, the others are taken.
        let mut rows = format!("{head}{good}Ben\n\"Cy, 3\",cy@a.example,more\n").into_bytes();
        rows.extend_from_slice(b"\x8d\xb2\x93\xa1,sato@a.example\nJos\xe9,jose@a.example\n");
        rows.extend_from_slice(b"D\0n,dan@a.example\nEve,eve.a.example\nFay,fay@a.example\n");
        let output = import(&write(folder, "rows.csv", &rows));
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{said}");
        for part in [
            "8 rows: 2 added, 0 changed, 0 as they were, 6 rejected",
            "line 3: has 1 values, the header has 2",
            "line 4: has 3 values",
            "line 5: value 1 is not UTF-8 (byte 1 of it)",
            "line 6: value 1 is not UTF-8 (byte 4 of it)",
            "line 7: “Full Name” has a NUL character",
            "line 8: “eve.a.example” is no e-mail address",
        ] {
            assert!(said.contains(part), "“{part}” is not in {said}");
        }

        // A field without an end does not fill the memory; what came before it is in.
        let path = huge(folder);
        let command = w.command("people import", &["--quiet", path.to_str().unwrap()]);
        refused(&limited(command, 1_500), &["huge.csv", "after line 2", "closing quote", "are in"]);
        let mut client = enter(&w).await;
        let found = client.get("/api/v1/people?limit=50").await;
        assert_eq!(found.text().matches("@a.example").count(), 2, "{}", found.text());
        assert!(w.ok("ledger verify", &["--quiet"]).starts_with("OK"));
    }

    async fn a_filter_on_an_unknown_column_is_named(w: Warifu) {
        let mut client = enter(&w).await;
        let token = csrf(&client.get("/reports/new").await);
        client = client.header("x-csrf-token", &token);
        let definition = json!({ "subject": "people", "columns": ["email"],
            "filter": { "all": [{ "column": "shoe_size", "op": "equals", "value": "44" }] } });
        for (path, body) in [
            ("/api/v1/reports", definition.clone()),
            ("/api/v1/runs", json!({ "definition": definition, "decided": true, "reason": "x" })),
            ("/api/v1/definitions", json!({ "name": "x", "definition": definition })),
        ] {
            let answer = client.json(Method::POST, path, &body).await;
            assert_eq!(answer.status, 422, "{path}: {}", answer.text());
            let problem = answer.value();
            assert_eq!((&problem["type"], &problem["field"]), (&json!("/problems/invalid"), &json!("filter")));
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.contains("shoe_size") && detail.contains("all[0]"), "{detail}");
        }
        // The page's form shows itself again, with what was chosen and the reason.
        let fields = [("csrf", token.as_str()), ("name", "Mine"), ("subject", "people"), ("g.0", "all"),
            ("column", "email"), ("c.0.0", "shoe_size"), ("o.0.0", "equals"), ("v.0.0", "44"), ("do", "preview")];
        let page = client.post_form("/reports/build", &fields).await;
        assert_eq!(page.status, 422, "{}", page.text());
        assert!(page.text().contains("shoe_size") && page.text().contains("value=\"Mine\""), "{}", page.text());
        assert_eq!(client.get("/api/v1/runs").await.value()["runs"], json!([]));
    }
}

#[test]
fn people_files_that_match_cannot_read_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let run = |path: &Path, rest: &[&str]| {
        program().arg("match").arg(path).args(["--bytes", "700"]).args(rest).output().unwrap()
    };
    let cases: [(&str, &[u8], &[&str]); 9] = [
        ("empty.csv", b"", &["empty.csv", "empty"]),
        ("ragged.csv", b"a,b\n1,2\n1,2,3\n", &["ragged.csv", "line 3", "3 fields"]),
        ("nul.csv", b"a,b\n1,\x002\n", &["line 2", "NUL"]),
        ("wide.csv", &utf16("a,b\n1,2\n"), &["line 1", "NUL", "UTF-16"]),
        ("sjis.csv", b"a,b\n\x8d\xb2,2\n", &["line 2", "UTF-8", "iconv"]),
        ("latin.csv", b"a,b\n1,2\nJos\xe9,2\n", &["line 3", "UTF-8", "iconv"]),
        ("twice.csv", b"a,a\n1,2\n", &["columns 1 and 2"]),
        ("unnamed.csv", b"a,,c\n1,2,3\n", &["column 2 has no name"]),
        ("cut.parquet", b"PAR1\x15\x04\x15", &["cut.parquet", "Parquet"]),
    ];
    for (name, content, parts) in cases {
        refused(&run(&write(folder, name, content), &[]), parts);
    }
    refused(&run(&folder.join("none.csv"), &[]), &["none.csv", "No such file"]);
    refused(&run(folder, &[]), &[folder.to_str().unwrap(), "directory"]);

    let people = write(folder, "people.csv", b"name,kind\nAda,Customer\nBen,Partner\n");
    let unknown = b"[[definition]]\nname = \"x\"\ncolumns = [\"name\"]\nfilter = [{ column = \"shoe\", op = \"=\", value = \"44\" }]\n";
    let definitions = write(folder, "definitions.toml", unknown);
    let output = run(&people, &["--definitions", definitions.to_str().unwrap()]);
    refused(&output, &["shoe", "name, kind"]);
    // A size that nothing gives is an answer, not a failure.
    let output = run(&people, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("No definition gives this size"));
    let mut near = program();
    let near = near.arg("match").arg(&people).args(["--bytes", "48"]).output().unwrap();
    let said = String::from_utf8_lossy(&near.stdout);
    assert_eq!(near.status.code(), Some(1), "{said}");
    assert!(said.contains("The nearest found: 38 bytes (-10), 2 rows"), "{said}");
}

#[test]
fn a_field_of_100_mb_is_weighed_in_bounded_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = huge(folder.path());
    let mut command = program();
    command.arg("match").arg(path).args(["--bytes", "100000058", "--quiet"]);
    let output = limited(command, 2_000);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{} {said}", output.status);
}
