#![allow(clippy::unwrap_used)]

use super::*;

#[test]
fn numbers_are_grouped() {
    assert_eq!(group(0), "0");
    assert_eq!(group(999), "999");
    assert_eq!(group(3_481_972), "3,481,972");
    assert_eq!(group(-18_433), "−18,433");
    assert_eq!(group(i64::MIN), "−9,223,372,036,854,775,808");
    assert_eq!(Lang::En.bytes(1), "1 byte");
    assert_eq!(Lang::En.bytes(3_481_972), "3,481,972 bytes");
    assert_eq!(Lang::Ja.bytes(3_481_972), "3,481,972 バイト");
}

#[test]
fn shares_have_at_most_one_decimal() {
    assert_eq!(Lang::En.percent(1.0), "100%");
    assert_eq!(Lang::En.percent(0.996), "99.6%");
    assert_eq!(Lang::En.percent(0.0), "0%");
}

#[test]
fn times_are_written_as_each_language_does() {
    let at: Timestamp = "2026-09-28T15:06:11Z".parse().unwrap();
    let tokyo = TimeZone::get("Asia/Tokyo").unwrap();
    assert_eq!(Lang::En.time(at, &TimeZone::UTC).text, "15:06 UTC");
    assert_eq!(Lang::En.date_time(at, &TimeZone::UTC).text, "28 Sep 2026 15:06:11 UTC");
    assert_eq!(Lang::Ja.time(at, &tokyo).text, "00:06");
    assert_eq!(Lang::Ja.date(at, &tokyo).text, "2026年9月29日");
    assert_eq!(Lang::Ja.day(at, &TimeZone::UTC).text, "9月28日");
    assert_eq!(Lang::En.time(at, &TimeZone::UTC).iso, "2026-09-28T15:06:11Z");
}

#[test]
fn spans_keep_their_two_largest_units() {
    assert_eq!(Lang::En.span(33_120), "9 h 12 min");
    assert_eq!(Lang::Ja.span(33_120), "9時間12分");
    assert_eq!(Lang::En.span(59), "59 s");
    assert_eq!(Lang::En.span(60), "1 min");
    assert_eq!(Lang::En.span(61), "1 min");
    assert_eq!(Lang::En.span(3_600), "1 h");
    assert_eq!(Lang::En.span(-5), "0 s");
    assert_eq!(Lang::Ja.span(90_000), "1日1時間");
    let now: Timestamp = "2026-09-28T15:06:11Z".parse().unwrap();
    let then: Timestamp = "2026-09-28T14:56:11Z".parse().unwrap();
    assert_eq!(Lang::En.ago(then, now, &TimeZone::UTC).text, "10 min ago");
    assert_eq!(Lang::Ja.ago(then, now, &TimeZone::UTC).text, "10分前");
}

#[test]
fn the_browser_chooses_by_weight() {
    assert_eq!(Lang::negotiate("ja,en;q=0.8"), Lang::Ja);
    assert_eq!(Lang::negotiate("en-GB;q=0.5, ja-JP;q=0.9"), Lang::Ja);
    assert_eq!(Lang::negotiate("fr, de;q=0.8"), Lang::En);
    assert_eq!(Lang::negotiate("ja;q=0"), Lang::En);
    assert_eq!(Lang::negotiate(""), Lang::En);
}

#[test]
fn arguments_are_escaped_where_a_message_has_markup() {
    let text = Lang::En.h_args("composer-to", &[("name", &"<script>"), ("followers", &0_i64)]).0;
    assert!(text.contains("&lt;script&gt;") && !text.contains("<script>"), "{text}");
}

#[test]
fn a_message_that_is_missing_shows_its_id() {
    assert_eq!(Lang::En.t("no-such-message"), "⟦no-such-message⟧");
}

/// Code and English words of every `refusal!` in the sources.
fn refusals() -> std::collections::BTreeMap<String, String> {
    fn walk(folder: &std::path::Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut sources = Vec::new();
    for one in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).unwrap() {
        walk(&one.unwrap().path().join("src"), &mut sources);
    }
    let literal =
        |text: &str| Some(text.trim_start().strip_prefix('"')?.split_once('"')?.0.to_owned());
    let mut all = std::collections::BTreeMap::new();
    for call in sources.iter().flat_map(|s| s.split(concat!("refusal", "!(")).skip(1)) {
        let Some(code) = literal(call) else { continue };
        let rest = call.split_once(',').unwrap().1;
        let english = literal(rest).unwrap_or_else(|| panic!("no words of {code}"));
        if let Some(other) = all.insert(code.clone(), english.clone()) {
            assert_eq!(other, english, "{code} has two meanings");
        }
    }
    all
}

#[test]
fn every_refusal_is_said_in_japanese_and_none_is_unused() {
    let all = refusals();
    assert!(all.len() > 90, "{}", all.len());
    let source = include_str!("../../i18n/refusals/ja.ftl");
    assert!(FluentResource::try_new(source.to_owned()).is_ok());
    for (code, english) in &all {
        // What the Japanese words name, the English ones name too; `har` says more by its kind.
        let mut args = FluentArgs::new();
        let named = english.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0));
        let more: &[&str] = if code == "har" { &["kind", "offset"] } else { &[] };
        named.chain(more.iter().copied()).for_each(|name| args.set(name.to_owned(), "x"));
        let text = format(&REFUSALS_JA, code, Some(&args));
        assert!(!text.contains('⟦'), "{code}: {text}");
        assert!(text.trim_end().ends_with('。'), "{code} is no sentence: {text}");
    }
    for line in source.lines().filter(|l| !l.starts_with([' ', '#', '}'])) {
        let Some((code, _)) = line.split_once(" = ") else { continue };
        assert!(all.contains_key(code), "{code} is unused");
    }
}

#[test]
fn a_refusal_names_columns_as_its_reader_does() {
    let long = warifu_domain::people::PersonError::TooLong { field: "Full Name", bytes: 5_000 };
    let long = long.refusal();
    assert_eq!(Lang::En.refusal(&long), "“Full Name” has 5000 bytes; at most 4096 are kept");
    assert_eq!(
        Lang::Ja.refusal(&long),
        "「氏名」が5,000バイトあります。4,096バイト以内にしてください。"
    );
    assert_eq!(Lang::Ja.refusal(&"a library's words".into()), "");
}
