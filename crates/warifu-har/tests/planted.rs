//! None of the planted secrets survives, in any encoding.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod fixture;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::Digest;
use std::collections::BTreeSet;
use std::io::Cursor;
use warifu_har::{Error, Options, Receipt, sanitize, sanitize_spooled};

const KEY: [u8; 32] = [7; 32];

fn options() -> Options {
    Options { key: Some(KEY), ..Options::default() }
}

fn clean(har: &Value) -> (String, Receipt) {
    let input = serde_json::to_vec(har).unwrap();
    let mut out = Vec::new();
    let receipt = sanitize(Cursor::new(&input), &mut out, &options()).unwrap();
    let mut spool = Cursor::new(Vec::new());
    let other = sanitize_spooled(input.as_slice(), &mut spool, &options()).unwrap();
    assert_eq!(spool.into_inner(), out, "one pass and two passes must agree");
    assert_eq!(other.output_sha256, receipt.output_sha256);
    (String::from_utf8(out).unwrap(), receipt)
}

/// Base64 of `s` at the three offsets within a longer text, without the characters that depend
/// on the neighbours.
fn base64_inside(s: &[u8]) -> Vec<String> {
    (0..3)
        .map(|skip| {
            let mut padded = vec![0; skip];
            padded.extend_from_slice(s);
            let text = STANDARD.encode(&padded);
            let from = [0, 2, 3][skip];
            let to =
                text.trim_end_matches('=').len() - usize::from(!padded.len().is_multiple_of(3));
            text[from..to].to_owned()
        })
        .collect()
}

/// An oracle that shares no code with the crate: encodes the secret instead of decoding the output.
fn encodings(s: &str) -> Vec<String> {
    let percent = fixture::percent(s);
    let mut all = vec![
        s.to_owned(),
        percent.clone(),
        percent.to_lowercase(),
        percent.replace('%', "%25"),
        fixture::hex(s),
        fixture::hex(s).to_uppercase(),
        fixture::escapes(s),
        fixture::escapes(s).to_uppercase().replace("\\U", "\\u"),
        fixture::escapes(s).replace('\\', "\\\\"),
        fixture::entities(s),
        s.chars().map(|c| format!("&#x{:x};", u32::from(c))).collect(),
        s.to_lowercase(),
    ];
    for bytes in [s.as_bytes().to_vec(), fixture::utf16(s, true), fixture::utf16(s, false)] {
        for text in base64_inside(&bytes) {
            all.push(text.replace('+', "-").replace('/', "_"));
            all.push(text);
        }
        all.push(bytes.iter().map(|b| format!("{b:02x}")).collect());
    }
    all
}

/// The text, and all that is in it under base64, as deep as it goes.
fn layers(text: &str, depth: usize) -> Vec<String> {
    let mut all = vec![text.to_owned()];
    if depth == 6 {
        return all;
    }
    let b64 = |c: char| c.is_ascii_alphanumeric() || "+/-_".contains(c);
    for run in text.split(|c| !b64(c)).filter(|r| r.len() >= 12) {
        let run = run.replace('-', "+").replace('_', "/");
        let whole = &run[..run.len() - usize::from(run.len() % 4 == 1)];
        let engine = base64::engine::GeneralPurpose::new(
            &base64::alphabet::STANDARD,
            base64::engine::GeneralPurposeConfig::new()
                .with_decode_padding_mode(base64::engine::DecodePaddingMode::Indifferent)
                .with_decode_allow_trailing_bits(true),
        );
        if let Some(inner) = engine.decode(whole).ok().and_then(|b| String::from_utf8(b).ok()) {
            all.extend(layers(&inner, depth + 1));
        }
    }
    all
}

#[test]
fn no_planted_secret_survives() {
    let (har, planted) = fixture::planted();
    assert!(planted.all.len() >= 60, "only {} secrets", planted.all.len());
    let input = har.to_string();
    let (output, receipt) = clean(&har);
    let layers = layers(&output, 0);
    let mut left = Vec::new();
    for (place, secret) in &planted.all {
        for form in encodings(secret) {
            if layers.iter().any(|layer| layer.contains(&form)) {
                left.push(format!("{place}: {secret} as {form}"));
            }
        }
    }
    assert!(left.is_empty(), "{} left of {}:\n{}", left.len(), planted.all.len(), left.join("\n"));
    assert!(receipt.removed_total() >= planted.all.len() as u64);
    assert_eq!(receipt.input_bytes, input.len() as u64);
    assert_eq!(receipt.output_sha256, <[u8; 32]>::from(sha2::Sha256::digest(output.as_bytes())));
    assert_eq!(receipt.entries, har["log"]["entries"].as_array().unwrap().len() as u64);
}

/// The oracle itself can fail: it finds each secret in the unsanitized file.
#[test]
fn the_oracle_sees_what_is_there() {
    for place in ["raw", "percent", "base64"] {
        let secret = "kXy7Qw2Er9Tz4Ui6Op1A";
        let text = match place {
            "raw" => format!("..{secret}.."),
            "percent" => fixture::percent(secret),
            _ => STANDARD.encode(format!("a{{\"b\":\"{secret}\"}}")),
        };
        let layers = layers(&text, 0);
        assert!(encodings(secret).iter().any(|f| layers.iter().any(|l| l.contains(f))), "{place}");
    }
}

#[test]
fn what_is_needed_to_debug_stays() {
    let (har, _) = fixture::planted();
    let (output, _) = clean(&har);
    let out: Value = serde_json::from_str(&output).unwrap();
    let log = &out["log"];
    assert_eq!(log["version"], "1.2");
    assert_eq!(log["creator"]["name"], "WebInspector");
    let e = &log["entries"][1];
    assert_eq!(e["startedDateTime"], "2026-11-23T10:20:30.123Z");
    assert_eq!(e["time"], har["log"]["entries"][1]["time"]);
    assert_eq!(e["timings"], har["log"]["entries"][1]["timings"]);
    assert_eq!(e["request"]["url"], "https://www.example.com/api/v1/users");
    assert_eq!(e["response"]["status"], 200);
    let sent: Vec<&str> = e["response"]["headers"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|h| matches!(h["name"].as_str(), Some("content-type" | "date")))
        .map(|h| h["value"].as_str().unwrap())
        .collect();
    assert_eq!(sent, ["text/html; charset=utf-8", "Wed, 21 Oct 2026 07:28:00 GMT"]);
    let bearer = e["request"]["headers"][2]["value"].as_str().unwrap();
    let claims = bearer.strip_prefix("Bearer ").unwrap().split('.').nth(1).unwrap();
    let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(claims).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert!(claims["nested"]["email"].as_str().unwrap().starts_with("redacted:"), "{claims}");
    let body = log["entries"][3]["response"]["content"].clone();
    assert_eq!(body["size"], har["log"]["entries"][3]["response"]["content"]["size"]);
    let body: Value = serde_json::from_str(body["text"].as_str().unwrap()).unwrap();
    let inner: Value = serde_json::from_str(body["inner"].as_str().unwrap()).unwrap();
    assert!(inner["refresh"].as_str().unwrap().starts_with("redacted:"));
    let multipart = har["log"]["entries"]
        .as_array()
        .unwrap()
        .iter()
        .position(|e| e["request"]["postData"]["mimeType"] == "multipart/form-data; boundary=XX")
        .unwrap();
    let multipart = log["entries"][multipart]["request"]["postData"]["text"].as_str().unwrap();
    assert!(multipart.contains("form-data; name=\"doc\"; filename=\"redacted:"), "{multipart}");
    assert!(multipart.contains("Content-Type: application/json"), "{multipart}");
}

#[test]
fn equal_values_stay_equal_wherever_they_stand() {
    let s = "Zk9Qv7LmXt2Rb8Wc4Nd6";
    let mut e = fixture::entry(
        &format!("https://www.example.com/{s}?a={s}&b={}", fixture::percent(s)),
        json!([{"name": "authorization", "value": format!("Bearer {s}")},
               {"name": "cookie", "value": format!("a={s}")}]),
        json!([]),
    );
    e["response"]["content"]["text"] = json!(json!({"t": s, "u": {"v": [s]}}).to_string());
    let har = json!({"log": {"version": "1.2", "entries": [e], "comment": s}});
    let (output, _) = clean(&har);
    let tokens: BTreeSet<&str> =
        output.match_indices("redacted:").map(|(i, _)| &output[i..i + 21]).collect();
    // The address, too, has a digest, but not of this form.
    assert_eq!(tokens.len(), 1, "{output}");
    assert_eq!(output.matches("redacted:").count(), 8, "{output}");
    let other = Options { key: Some([8; 32]), ..Options::default() };
    let mut out = Vec::new();
    sanitize(Cursor::new(har.to_string()), &mut out, &other).unwrap();
    assert!(!String::from_utf8(out).unwrap().contains(tokens.first().unwrap()));
}

#[test]
fn the_receipt_knows_the_cookies_by_digest_only() {
    let (har, planted) = fixture::planted();
    let (_, receipt) = clean(&har);
    for place in [
        "Cookie",
        "Cookie in percent",
        "Set-Cookie",
        "second Set-Cookie",
        "cookies",
        "response cookies",
        "Cookie in JSON",
    ] {
        let secret = &planted.all.iter().find(|(p, _)| p == place).unwrap().1;
        let digest: [u8; 32] = sha2::Sha256::digest(secret).into();
        assert!(receipt.cookie_digests.contains(&digest), "{place}");
    }
    let text = serde_json::to_string(&receipt).unwrap() + &format!("{receipt:?}");
    for (place, secret) in &planted.all {
        assert!(!text.contains(secret.as_str()), "{place}");
    }
}

/// The last wall alone: a value that an allow-list keeps, but that is known to be secret.
#[test]
fn a_secret_that_would_be_kept_is_found_and_nothing_is_passed_on() {
    let secret = "internal-vault";
    let forms = [
        ("raw", format!("https://{secret}.example.com/")),
        ("raw", format!("https://{}.example.com/", secret.to_uppercase())),
    ];
    for (encoding, url) in forms {
        let har = json!({"log": {"version": "1.2", "entries": [
            fixture::entry("https://www.example.com/", json!([]), json!([])),
            fixture::entry(&url, json!([]), json!([]))]}});
        let known = Options { known_secrets: vec![secret.into()], ..options() };
        let mut out = Vec::new();
        let e = sanitize(Cursor::new(har.to_string()), &mut out, &known).unwrap_err();
        match e {
            Error::Leak { entry: Some(1), encoding: found, offset } if found == encoding => {
                assert!(offset > 0);
            }
            e => panic!("{e:?}"),
        }
        assert!(out.is_empty());
    }
    let short = Options { known_secrets: vec![b"short".to_vec()], ..options() };
    let e = sanitize(Cursor::new("{}"), Vec::new(), &short).unwrap_err();
    assert!(matches!(e, Error::ShortSecret));
}

/// Pages echo what the browser sent; such values must not get a file refused.
#[test]
fn echoes_of_kept_values_are_no_leaks() {
    let agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36";
    let echo = json!({
        "userAgent": agent, "type": "text/html; charset=utf-8", "date": "Wed, 21 Oct 2026 07:28:00 GMT",
        "iso": "2026-11-23T10:20:30.123Z", "iso2": "2026-11-23T10:20:30", "encoding": "gzip, deflate, br", "accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "cache": "public, max-age=31536000", "status": "Internal Server Error", "url": "https://www.example.com/api/items",
        "host": "www.example.com", "n": 0.300_000_000_000_000_04, "e": 12.345_678_901_234_5, "charset": "iso-8859-15", "lang": "en-US,en;q=0.9",
        "words": "application/vnd.api+json", "key": "startedDateTime", "v": "HTTP/1.1", "t": 1_700_000_000_123_u64
    });
    let mut e = fixture::entry(
        "https://www.example.com/api/items",
        json!([
        {"name": "user-agent", "value": agent},
        {"name": "accept", "value": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"},
        {"name": "accept-encoding", "value": "gzip, deflate, br"}, {"name": "accept-language", "value": "en-US,en;q=0.9"}]),
        json!([{"name": "content-type", "value": "text/html; charset=iso-8859-15"},
        {"name": "cache-control", "value": "public, max-age=31536000"}, {"name": "date", "value": "Wed, 21 Oct 2026 07:28:00 GMT"}]),
    );
    e["response"]["statusText"] = json!("Internal Server Error");
    e["timings"]["wait"] = json!(0.300_000_000_000_000_04);
    e["response"]["content"] =
        json!({"size": 1, "mimeType": "application/json", "text": echo.to_string()});
    let (output, _) = clean(&json!({"log": {"version": "1.2", "entries": [e]}}));
    assert!(output.contains(agent), "{output}");
}
