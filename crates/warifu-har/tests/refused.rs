//! What is not a HAR is refused with the place; what is one never panics.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod fixture;

use proptest::prelude::*;
use serde_json::{Value, json};
use std::io::Cursor;
use warifu_har::{Error, Limits, Options, sanitize, sanitize_spooled};

fn run(input: &[u8]) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    sanitize(Cursor::new(input), &mut out, &Options { key: Some([1; 32]), ..Options::default() })
        .map(|_| out)
}

fn in_log(member: &str) -> String {
    format!(r#"{{"log":{{"version":"1.2","entries":[],{member}}}}}"#)
}

#[test]
fn errors_name_the_byte() {
    let deep = in_log(&format!("\"_x\":{}", "[".repeat(10_000)));
    let cases: Vec<(Vec<u8>, u64, &str)> = vec![
        (b"".to_vec(), 0, "the file is empty"),
        (b"\xef\xbb\xbf{}".to_vec(), 0, "a byte order mark"),
        (b"\xff\xfe{\0}\0".to_vec(), 0, "a byte order mark"),
        (b"<html>".to_vec(), 0, "not a JSON value"),
        (br#"{"log":{"version":"1."#.to_vec(), 21, "ends inside a string"),
        (br#"{"log":{"entries":["#.to_vec(), 19, "ends too early"),
        (br#"{"log":{"entries":[]}} x"#.to_vec(), 23, "something follows"),
        (br#"{"log":{"entries":[{}{}]}}"#.to_vec(), 21, "a comma or a closing bracket"),
        (br#"{"log":{"entries":[{},]}}"#.to_vec(), 22, "a comma before a closing"),
        (in_log(r#""t":NaN"#).into_bytes(), 41, "not a JSON value"),
        (in_log(r#""t":-Infinity"#).into_bytes(), 41, "not a JSON value"),
        (in_log(r#""t":01"#).into_bytes(), 41, "not a JSON value"),
        (in_log("\"t\":\"a\nb\"").into_bytes(), 43, "a control character"),
        (in_log(r#""t":"\x""#).into_bytes(), 43, "an unknown escape"),
        (br#"{"log":{"entries":[],"version":"1","entries":[]}}"#.to_vec(), 35, "occurs twice"),
        (in_log(r#""_x":{"a":1,"b":{},"a":2}"#).into_bytes(), 56, "occurs twice"),
        (deep.into_bytes(), 168, "nested deeper than 128"),
        (b"[]".to_vec(), 0, "not a HAR file: no object"),
        (b"{}".to_vec(), 1, "no `log`"),
        (br#"{"log":{}}"#.to_vec(), 8, "no `entries`"),
        (br#"{"log":[]}"#.to_vec(), 1, "`log` is no object"),
        (br#"{"log":{"entries":{}}}"#.to_vec(), 8, "no array"),
        (br#"{"log":{"entries":[1]}}"#.to_vec(), 19, "an entry is no object"),
    ];
    for (input, byte, what) in cases {
        let shown = String::from_utf8_lossy(&input[..input.len().min(60)]).into_owned();
        let message = run(&input).expect_err(&shown).to_string();
        assert!(message.contains(what), "{shown}: {message}");
        assert!(message.ends_with(&format!("byte {byte}")), "{shown}: {message}, not {byte}");
    }
    let mut bad = in_log(r#""t":"日本"#).into_bytes();
    bad.truncate(bad.len() - 2);
    let at = bad.len() as u64;
    bad.extend_from_slice(b"\xff\"}}");
    let message = run(&bad).unwrap_err().to_string();
    assert!(message.contains(&format!("invalid UTF-8 at byte {at}")), "{message} {at}");
}

#[test]
fn every_truncation_is_an_error() {
    let (har, _) = fixture::planted();
    let text = har.to_string();
    for cut in (0..text.len()).step_by(211) {
        assert!(run(&text.as_bytes()[..cut]).is_err(), "{cut}");
    }
}

#[test]
fn lone_surrogates_are_let_through_as_browsers_write_them() {
    let out = run(in_log(r#""comment":"\ud800\ud83d\ude00 \ud83dx \udc00""#).as_bytes()).unwrap();
    assert!(String::from_utf8(out).unwrap().contains("redacted:"));
}

/// A reader that makes the file up while it is read: no 100 MB in memory for the test either.
struct Endless {
    head: &'static [u8],
    middle: u64,
    tail: &'static [u8],
}

impl std::io::Read for Endless {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let source = if self.head.is_empty() && self.middle > 0 {
            let n = buf.len().min(usize::try_from(self.middle).unwrap());
            buf[..n].fill(b'x');
            self.middle -= n as u64;
            return Ok(n);
        } else if self.head.is_empty() {
            &mut self.tail
        } else {
            &mut self.head
        };
        let n = source.read(buf)?;
        Ok(n)
    }
}

#[test]
fn a_string_of_100_mb_becomes_a_digest() {
    let input = Endless {
        head: br#"{"log":{"version":"1.2","entries":[{"response":{"content":{"encoding":"base64","text":""#,
        middle: 100 << 20,
        tail: br#""}}}]}}"#,
    };
    let mut out = Cursor::new(Vec::new());
    let receipt = sanitize_spooled(input, &mut out, &Options::default()).unwrap();
    assert!(receipt.input_bytes > 100 << 20);
    assert!(receipt.output_bytes < 300);
    assert_eq!(receipt.removed[0].kind, "oversize");
    let out: Value = serde_json::from_slice(out.get_ref()).unwrap();
    let text = out["log"]["entries"][0]["response"]["content"]["text"].as_str().unwrap();
    assert_eq!(text.len(), 28, "still base64: {text}");
}

#[test]
fn limits_refuse_rather_than_search_in_part() {
    let (har, _) = fixture::planted();
    let limits = Limits { max_values: 10, ..Limits::default() };
    let e = sanitize(
        Cursor::new(har.to_string()),
        Vec::new(),
        &Options { limits, ..Options::default() },
    );
    assert!(matches!(e, Err(Error::TooMany { what: "removed values" })), "{e:?}");
    let limits = Limits { max_cookies: 2, ..Limits::default() };
    let e = sanitize(
        Cursor::new(har.to_string()),
        Vec::new(),
        &Options { limits, ..Options::default() },
    );
    assert!(matches!(e, Err(Error::TooMany { what: "cookie values" })), "{e:?}");
    let limits = Limits { max_entry: 640, ..Limits::default() };
    let e = sanitize(
        Cursor::new(har.to_string()),
        Vec::new(),
        &Options { limits, ..Options::default() },
    );
    assert!(matches!(e, Err(Error::TooLarge { .. })), "{e:?}");
}

/// Texts made to recurse: each must end as a digest, not as a stack overflow.
#[test]
fn hostile_nesting_ends() {
    let mut wrapped = "x".to_owned();
    for _ in 0..12 {
        wrapped = fixture::b64(&json!({"a": wrapped}).to_string());
    }
    for text in [
        "#/".repeat(200_000),
        format!("https://a/{}", "#/".repeat(200_000)),
        format!("{}http://a/b", "blob:".repeat(200_000)),
        format!("https://a/b{}", ".js".repeat(200_000)),
        "[".repeat(200_000),
        "{\"a\":".repeat(200_000),
        "--".repeat(200_000),
        format!("https://a/?{}", "a=https://a/?".repeat(50_000)),
        fixture::percent(&fixture::percent(&"%25".repeat(50_000))),
        "ey.".repeat(100_000),
        wrapped.clone(),
        "(".repeat(500),
    ] {
        let mut e = fixture::entry(
            &text,
            json!([
            {"name": "content-type", "value": text}, {"name": "cookie", "value": text}, {"name": "set-cookie", "value": text},
            {"name": "content-disposition", "value": text}, {"name": "authorization", "value": format!("Bearer {text}")},
            {"name": "user-agent", "value": text}, {"name": "accept", "value": text}, {"name": "host", "value": text}]),
            json!([]),
        );
        e["response"]["content"] = json!({"mimeType": "multipart/mixed; boundary=-", "text": text});
        e["request"]["postData"] =
            json!({"mimeType": "application/x-www-form-urlencoded", "text": text});
        e["_initiator"] = json!({"url": text});
        let har = json!({"log": {"entries": [e]}}).to_string();
        match run(har.as_bytes()) {
            Ok(_) => {}
            // Twelve times the same wrapping: what is too deep to be followed begins like what
            // was. Such a file is refused, which is the safe side.
            Err(Error::Leak { .. }) if text == wrapped => {}
            Err(e) => panic!("{e}: {}", &text[..text.len().min(50)]),
        }
    }
}

/// The kinds of the values and the names in their order, not the values.
fn shape(v: &Value) -> Value {
    match v {
        Value::Object(o) => o
            .iter()
            .map(|(k, v)| {
                let k = if k.starts_with("redacted") {
                    k[..9].to_owned() + &k.len().to_string()
                } else {
                    k.clone()
                };
                json!([k, shape(v)])
            })
            .collect(),
        Value::Array(a) => a.iter().map(shape).collect(),
        Value::String(s) => match s.parse::<Value>() {
            Ok(v @ (Value::Object(_) | Value::Array(_))) => shape(&v),
            _ => {
                let mut s = s.clone();
                while let Some(i) = s.find("redacted:") {
                    s.replace_range(i..(i + 21).min(s.len()), "#");
                }
                while let Some(i) = s.find("redacted-") {
                    s.replace_range(i..(i + 21).min(s.len()), "#");
                }
                // JWT and base64 differ in the digests inside them.
                let run = |c: char| c.is_ascii_alphanumeric() || "+-_=".contains(c);
                let parts: Vec<String> = s
                    .split_inclusive(|c| !run(c))
                    .map(|p| if p.len() > 24 { p.len().to_string() } else { p.to_owned() })
                    .collect();
                json!(parts.concat())
            }
        },
        Value::Null => json!("null"),
        Value::Bool(_) => json!("bool"),
        Value::Number(n) => json!(n),
    }
}

#[test]
fn sanitizing_twice_keeps_the_shape() {
    let (har, _) = fixture::planted();
    let once = run(har.to_string().as_bytes()).unwrap();
    let twice = run(&once).unwrap();
    let (once, twice): (Value, Value) =
        (serde_json::from_slice(&once).unwrap(), serde_json::from_slice(&twice).unwrap());
    let entries = |v: &Value| v["log"]["entries"].as_array().unwrap().clone();
    for (i, (a, b)) in entries(&once).iter().zip(entries(&twice)).enumerate() {
        for part in ["request", "response", "_webSocketMessages", "timings", "_initiator"] {
            let same = |v: &Value| {
                // Addresses of 2001:db8::/32 are replaced by others.
                let text = shape(&v[part]).to_string();
                text.split("2001:db8")
                    .map(|s| s.trim_start_matches(|c: char| c.is_ascii_hexdigit() || c == ':'))
                    .collect::<String>()
            };
            assert_eq!(same(a), same(&b), "entry {i} {part}");
        }
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
        "[A-Za-z0-9+/=%&;:?#.\\\\{}\"-]{0,60}".prop_map(Value::from),
    ];
    let name = prop_oneof![
        Just("request".to_owned()),
        Just("response".to_owned()),
        Just("headers".to_owned()),
        Just("cookies".to_owned()),
        Just("name".to_owned()),
        Just("value".to_owned()),
        Just("url".to_owned()),
        Just("content".to_owned()),
        Just("text".to_owned()),
        Just("mimeType".to_owned()),
        Just("encoding".to_owned()),
        Just("postData".to_owned()),
        Just("params".to_owned()),
        Just("_webSocketMessages".to_owned()),
        Just("data".to_owned()),
        Just("_initiator".to_owned()),
        Just("timings".to_owned()),
        ".{0,20}",
    ];
    leaf.prop_recursive(6, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..8)
                .prop_map(|m| Value::Object(m.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_json_never_panics(v in any_json()) {
        let _ = run(v.to_string().as_bytes());
    }

    #[test]
    fn arbitrary_entries_are_sanitized_to_json(v in any_json()) {
        let v = if v.is_object() { v } else { json!({"_x": v, "request": v, "response": {"content": {"text": v}}}) };
        let har = json!({"log": {"version": "1.2", "entries": [v]}});
        let out = run(har.to_string().as_bytes());
        prop_assert!(out.is_ok(), "{:?}", out.err());
        let back: Value = serde_json::from_slice(&out.unwrap()).unwrap();
        prop_assert_eq!(back["log"]["entries"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(run(&bytes).is_err());
    }

    #[test]
    fn damaged_files_never_panic(at in 0_usize..20_000, byte in any::<u8>(), text in "[\\x00-\\x7f]{0,8}") {
        let (har, _) = fixture::planted();
        let mut bytes = har.to_string().into_bytes();
        let at = at % bytes.len();
        bytes[at] = byte;
        bytes.splice(at..at, text.bytes());
        let _ = run(&bytes);
    }

    /// Any value of some length in any place: gone.
    #[test]
    fn arbitrary_values_do_not_survive(secret in "[A-Za-z0-9!#@ ]{12,40}".prop_filter("a digit and more", |s| s.bytes().filter(u8::is_ascii_digit).count() > 4)) {
        let mut e = fixture::entry("https://www.example.com/", json!([{"name": "x-thing", "value": secret}]), json!([]));
        e["response"]["content"]["text"] = json!(json!({"a": secret, "b": fixture::b64(&secret)}).to_string());
        e["comment"] = json!(secret);
        let out = run(json!({"log": {"entries": [e]}}).to_string().as_bytes());
        prop_assert!(out.is_ok(), "{:?}", out.err());
        let out = String::from_utf8(out.unwrap()).unwrap();
        prop_assert!(!out.contains(&secret));
        prop_assert!(!out.contains(&fixture::b64(&secret)));
    }
}
