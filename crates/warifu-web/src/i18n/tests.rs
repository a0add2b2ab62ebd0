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
