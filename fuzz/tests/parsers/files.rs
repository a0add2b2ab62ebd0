//! Files that people bring: HAR recordings, lists of people, ledgers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::io::Cursor;
use warifu_fuzz::{fuzz, inputs};
use warifu_har::{Options, sanitize};
use warifu_ledger::{Checkpoint, Entry, Hash, Kind, Note, SigningKey, parse_path};
use warifu_match::read::{FileRows, ReadOptions, RowSource as _, read_people};

/// Nobody could tell it from an ordinary word but by its place.
const SECRET: &str = "kR7vQ2mZx9LpT4wB8nYc";

#[test]
fn fuzzed_recordings() {
    let har = json!({ "log": { "version": "1.2", "creator": { "name": "x", "version": "1" }, "entries": [{
        "startedDateTime": "2026-01-31T12:00:00Z", "time": 12.5,
        "request": {
            "method": "POST", "url": format!("https://u:{SECRET}@a.example/p/{SECRET}?token={SECRET}#f"), "httpVersion": "HTTP/1.1",
            "headers": [{ "name": "Authorization", "value": format!("Bearer {SECRET}") }, { "name": "Host", "value": "a.example" }],
            "cookies": [{ "name": "sid", "value": SECRET }], "queryString": [{ "name": "token", "value": SECRET }],
            "postData": { "mimeType": "application/x-www-form-urlencoded", "text": format!("a=1&password={SECRET}") },
        },
        "response": {
            "status": 200, "statusText": "OK", "httpVersion": "HTTP/1.1", "cookies": [],
            "headers": [{ "name": "Set-Cookie", "value": format!("sid={SECRET}; Path=/") }],
            "content": { "size": 2, "mimeType": "application/json", "text": json!({ "access_token": SECRET }).to_string() },
        },
    }] } });
    let key =
        Options { key: Some([7; 32]), known_secrets: vec![SECRET.into()], ..Options::default() };
    let options = || Options { key: Some([7; 32]), ..Options::default() };
    let words = [
        "\"log\":",
        "\"entries\":[",
        "{\"name\":\"Cookie\",\"value\":\"a=b\"},",
        "\\u0041",
        "\\ud800",
        "null",
        "{",
        "[",
        "]",
        "}",
        "\"encoding\":\"base64\",",
        "%00",
        "=?",
    ];
    fuzz(
        "recordings",
        inputs(&[har.to_string(), har.to_string().replace(',', ",\n ")], &words),
        |input| {
            let mut out = Vec::new();
            if let Ok(receipt) = sanitize(Cursor::new(&input.0), &mut out, &options()) {
                assert_eq!(
                    (receipt.input_bytes, receipt.output_bytes),
                    (input.0.len() as u64, out.len() as u64)
                );
                let written: Value = serde_json::from_slice(&out).expect("what is written is JSON");
                let entries =
                    |har: &Value| har["log"]["entries"].as_array().map_or(0, Vec::len) as u64;
                assert_eq!(receipt.entries, entries(&written));
                // Half a character, as browsers write them, is no text for another reader.
                if let Ok(read) = serde_json::from_slice::<Value>(&input.0) {
                    assert_eq!(receipt.entries, entries(&read));
                }
            }
            // A secret that is known never comes out, wherever it was.
            let mut out = Vec::new();
            if sanitize(Cursor::new(&input.0), &mut out, &key).is_ok() {
                assert!(!String::from_utf8_lossy(&out).contains(SECRET), "a known secret came out");
            }
        },
    );
}

#[test]
fn fuzzed_lists_of_people() {
    let csv = "id,email,name,created\r\n1,a@example.com,\"O'Neil, \"\"Jo\"\"\",2026-01-31T12:00:00Z\r\n2,,佐藤,\r\n";
    let valid = [
        csv.to_owned(),
        csv.replace(',', ";").replace("\r\n", "\n"),
        csv.replace(',', "\t"),
        format!("\u{feff}{csv}"),
        "{\"id\":1,\"email\":\"a@example.com\",\"n\":null}\n{\"id\":2,\"email\":\"\\u3042\\ud83d\\ude00\"}\n".to_owned(),
        "a|b\n".to_owned() + &"x|\"y\n\"\n".repeat(40),
    ];
    let words = [
        "\"", "\"\"", "\r\n", "\n", "\r", ",", ";", "\t", "|", "\0", "\u{feff}", "\\ud800", "{",
        "}", "[]", "é",
    ];
    let folder = tempfile::tempdir().unwrap();
    fuzz("lists of people", (inputs(&valid, &words), any::<bool>()), |(input, lines)| {
        let path = folder.path().join(if lines { "people.jsonl" } else { "people.csv" });
        std::fs::write(&path, &input.0).unwrap();
        let options = ReadOptions { threads: 2, ..ReadOptions::default() };
        let Ok(people) = read_people(&path, &options, &|_, _| true) else { return };
        let mut rows: Vec<Vec<Option<String>>> = Vec::new();
        let visit = &mut |row: &[Option<&str>]| {
            rows.push(row.iter().map(|field| field.map(str::to_owned)).collect());
            true
        };
        // The simple reader reads what the fast one has measured.
        FileRows { path, empty_is_null: false }.each(visit).expect("it was read before");
        assert_eq!(people.rows(), rows.len() as u64);
        if lines {
            return;
        }
        // And so does a library, where the file is one that it knows.
        let text = String::from_utf8_lossy(&input.0);
        let text = text.trim_start_matches('\u{feff}');
        let header = text.lines().next().unwrap_or_default();
        let [comma, others @ ..] =
            [b',', b';', b'\t', b'|'].map(|d| header.bytes().filter(|b| *b == d).count());
        // A CR without its LF ends a record there and is a byte of its field here.
        let lone = text.matches('\r').count() != text.matches("\r\n").count();
        if comma == 0 || others.iter().any(|n| *n > 0) || lone {
            return;
        }
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
        if let Ok(all) = reader.records().collect::<Result<Vec<_>, _>>()
            && !header.contains('"')
            && all.iter().all(|r| r.len() == comma + 1)
        {
            let theirs: Vec<Vec<&str>> = all.iter().map(|r| r.iter().collect()).collect();
            let ours: Vec<Vec<&str>> = rows
                .iter()
                .map(|r| r.iter().map(|f| f.as_deref().unwrap_or_default()).collect())
                .collect();
            assert_eq!(ours, theirs);
        }
    });
}

#[test]
fn fuzzed_ledgers() {
    let key = SigningKey::from_seed("log.example", &[7; 32]).unwrap();
    let entry = Entry::new(
        Kind::CaseChange,
        1_900_000_000_000_000,
        json!({ "case": "HC-1", "n": [1, null, "é"] }),
    );
    let root = Hash([9; 32]);
    let head = format!("log.example\n42\n{}\n", STANDARD.encode(root.0));
    let note = Checkpoint::parse(&head).unwrap().sign(&key).unwrap();
    let valid = [
        entry.to_bytes().unwrap().into_vec(),
        note.clone().into_bytes(),
        head.clone().into_bytes(),
        b"tile/0/x001/234.p/5".to_vec(),
        b"tile/entries/067".to_vec(),
        key.verifying_key().to_string().into_bytes(),
    ];
    let words = [
        "\n",
        "\u{2014} ",
        "log.example",
        "+1",
        "00",
        "{",
        "}",
        ",",
        "\\u0041",
        "tile/",
        ".p/",
        "/x",
        "9007199254740993",
    ];
    fuzz("ledgers", inputs(&valid, &words), |input| {
        if let Ok(read) = Entry::parse(&input.0) {
            assert_eq!(read.to_bytes().expect("what was read is written").into_vec(), input.0);
        }
        let text = input.text();
        if let Ok(read) = Note::parse(&input.0) {
            let same = Note::parse(read.to_string().as_bytes());
            assert_eq!(same.ok(), Some(read));
        }
        if let Ok(read) = Checkpoint::parse(&text) {
            assert_eq!(read.to_string(), text);
        }
        if let Ok(opened) = Checkpoint::verify(&input.0, &[key.verifying_key()]) {
            assert_eq!(opened.checkpoint.to_string(), head, "what nobody signed holds");
        }
        if let Ok(path) = parse_path(&text) {
            assert_eq!(path.to_string(), text);
        }
        let _ = (text.parse::<Hash>(), SigningKey::from_text(&text));
    });
}
