#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;

use super::*;

fn write(dialect: &Dialect, labels: &[&str], rows: &[Vec<Option<String>>]) -> (Vec<u8>, RowWriter) {
    let mut writer = RowWriter::new(dialect, labels);
    let mut out = Vec::new();
    writer.header(&mut out);
    for row in rows {
        writer.row(row.iter().map(Option::as_deref), &mut out);
    }
    writer.finish(&mut out);
    (out, writer)
}

fn row(fields: &[Option<&str>]) -> Vec<Option<String>> {
    fields.iter().map(|field| field.map(str::to_owned)).collect()
}

#[test]
fn default_is_rfc_4180() {
    let rows = [row(&[Some("a,b"), None]), row(&[Some("say \"hi\""), Some("")])];
    let (out, writer) = write(&Dialect::default(), &["One", "Two, or more"], &rows);
    let expected = "One,\"Two, or more\"\r\n\"a,b\",\r\n\"say \"\"hi\"\"\",\"\"\r\n";
    assert_eq!(String::from_utf8(out).unwrap(), expected);
    assert_eq!(writer.rows(), 2);
    assert_eq!(writer.column_bytes(), [5 + 12, 2]);
}

#[test]
fn blank_only_column_is_not_an_empty_line() {
    let (out, _) = write(&Dialect::default(), &["A"], &[row(&[None]), row(&[Some("x")])]);
    assert_eq!(out, b"A\r\n\"\"\r\nx\r\n");
    let bare = Dialect { lone_blank: EmptyText::Bare, ..Dialect::default() };
    let (out, _) = write(&bare, &["A"], &[row(&[None])]);
    assert_eq!(out, b"A\r\n\r\n");
}

#[test]
fn no_final_newline_footer_mark_and_utf16() {
    let dialect = Dialect {
        final_newline: false,
        footer: vec!["end".to_owned()],
        bom: true,
        encoding: Encoding::Utf16Le,
        eol: Eol::Lf,
        ..Dialect::default()
    };
    let (out, _) = write(&dialect, &["A"], &[row(&[Some("é😀")])]);
    let text: Vec<u16> = out.chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    assert_eq!(String::from_utf16(&text).unwrap(), "\u{FEFF}A\né😀\nend");
}

#[test]
fn shift_jis_and_windows_1252_replace_what_they_lack() {
    let mut out = Vec::new();
    push_encoded("佐藤é😀", Encoding::ShiftJis, &mut out);
    assert_eq!(out, b"\x8d\xb2\x93\xa1??");
    assert_eq!(encoded_len("佐藤é😀", Encoding::ShiftJis), 6);
    out.clear();
    push_encoded("é佐", Encoding::Windows1252, &mut out);
    assert_eq!(out, b"\xe9?");
}

#[test]
fn sqlite_quotes_spaces_and_non_ascii() {
    let dialect = Dialect { quote: Quote::Sqlite, empty: EmptyText::Bare, ..Dialect::default() };
    let (out, _) = write(&dialect, &["a", "b", "c"], &[row(&[Some("x y"), Some("é"), Some("xy")])]);
    assert_eq!(String::from_utf8(out).unwrap(), "a,b,c\r\n\"x y\",\"é\",xy\r\n");
}

#[test]
fn cells_that_are_no_text_stay_bare() {
    let dialect = Dialect { quote: Quote::NonNumeric, ..Dialect::default() };
    let mut writer = RowWriter::new(&dialect, &["a", "b", "c", "d"]);
    let mut out = Vec::new();
    let cells = [Cell::Text("x"), Cell::Bare("12"), Cell::Micros(0), Cell::Null];
    writer.row_cells(cells.into_iter(), &mut out);
    assert_eq!(out, b"\"x\",12,1970-01-01T00:00:00Z,\r\n");
}

#[test]
fn timestamps_in_every_form_and_zone() {
    let micros = 1_695_913_560_120_000;
    let form = |timestamps, zone: &str| {
        let dialect =
            Dialect { timestamps, zone: Zone::parse(zone).unwrap(), ..Dialect::default() };
        let mut out = Vec::new();
        TimestampWriter::new(&dialect).write(micros, &mut out);
        String::from_utf8(out).unwrap()
    };
    use TimestampText::*;
    assert_eq!(form(Iso8601, "UTC"), "2023-09-28T15:06:00Z");
    assert_eq!(form(Iso8601, "+09:00"), "2023-09-29T00:06:00+09:00");
    assert_eq!(form(Iso8601, "America/Los_Angeles"), "2023-09-28T08:06:00-07:00");
    assert_eq!(form(Iso8601Millis, "UTC"), "2023-09-28T15:06:00.120Z");
    assert_eq!(form(Iso8601Micros, "UTC"), "2023-09-28T15:06:00.120000Z");
    assert_eq!(form(Space, "-03:30"), "2023-09-28 11:36:00");
    assert_eq!(form(SpaceMicros, "UTC"), "2023-09-28 15:06:00.120000");
    assert_eq!(form(SpaceFraction, "UTC"), "2023-09-28 15:06:00.12");
    assert_eq!(form(Date, "Asia/Tokyo"), "2023-09-29");
    assert_eq!(form(UsDate, "UTC"), "9/28/2023");
    assert_eq!(form(UsMinutes, "America/Los_Angeles"), "9/28/2023 8:06 AM");
    assert_eq!(form(SlashMinutes, "UTC"), "2023/09/28 15:06");
    assert_eq!(form(EpochSeconds, "Asia/Tokyo"), "1695913560");
    assert_eq!(form(EpochMillis, "UTC"), "1695913560120");
}

#[test]
fn zones_are_checked_and_round_trip() {
    assert!(Zone::parse("Mars/Olympus").is_err());
    assert!(Zone::parse("+25:00").is_err());
    for text in ["UTC", "+09:00", "-03:30", "Asia/Tokyo"] {
        assert_eq!(Zone::parse(text).unwrap().to_string(), text);
    }
    // A name is found in any case of letters; one zone has one form, or a definition differs from itself.
    for text in ["utc", "uTC", "UtC", "Z", ""] {
        assert_eq!(Zone::parse(text).unwrap(), Zone::Utc, "{text}");
    }
    assert_eq!(Zone::parse("aSia/tokyo").unwrap(), Zone::parse("Asia/Tokyo").unwrap());
}

#[test]
fn ids_tell_dialects_apart() {
    let id = Dialect::default().id();
    assert_eq!(
        id,
        "warifu-csv/1;,;min;crlf;utf-8;nobom;header;null=;empty=\"\";lone=\"\";iso8601;UTC;final"
    );
    let odd = Dialect {
        footer: vec!["a;b".to_owned(), "c".to_owned()],
        zone: Zone::parse("Asia/Tokyo").unwrap(),
        ..Dialect::default()
    };
    assert!(odd.id().contains("Asia/Tokyo@"));
    assert!(odd.id().ends_with(";foot:a%3Bb;foot:c"));
    let text = serde_json::to_string(&odd).unwrap();
    assert_eq!(serde_json::from_str::<Dialect>(&text).unwrap(), odd);
}

fn any_dialect() -> impl Strategy<Value = Dialect> {
    let delimiter = prop::sample::select(&Delimiter::ALL[..]);
    let quote = prop::sample::select(
        &[Quote::Minimal, Quote::All, Quote::NonNull, Quote::NonNumeric, Quote::Sqlite][..],
    );
    let encoding = prop::sample::select(&Encoding::ALL[..]);
    let null = prop_oneof![
        Just(NullText::Empty),
        Just(NullText::QuotedEmpty),
        Just(NullText::Text("NULL".to_owned()))
    ];
    let empty = prop_oneof![Just(EmptyText::Bare), Just(EmptyText::Quoted)];
    (delimiter, quote, encoding, null, empty, any::<[bool; 4]>()).prop_map(
        |(delimiter, quote, encoding, null, empty, flags)| Dialect {
            delimiter,
            quote,
            encoding,
            null,
            empty,
            eol: if flags[0] { Eol::Lf } else { Eol::CrLf },
            bom: flags[1],
            header: flags[2],
            final_newline: flags[3],
            ..Dialect::default()
        },
    )
}

proptest! {
    #[test]
    fn field_len_is_what_is_written(
        dialect in any_dialect(),
        rows in prop::collection::vec(
            prop::collection::vec(prop::option::of("[a-z ,;|\"\t\r\né佐😀']{0,12}"), 3), 0..6),
    ) {
        let (out, writer) = write(&dialect, &["a", "b \"", "c"], &rows);
        let expected: Vec<u64> = (0..3)
            .map(|c| rows.iter().map(|row| writer.field_len(row[c].as_deref())).sum())
            .collect();
        prop_assert_eq!(writer.column_bytes(), &expected[..]);
        let (empty, _) = write(&dialect, &["a", "b \"", "c"], &[]);
        let unit = dialect.encoding.unit();
        let eol = dialect.eol.text().len() as u64 * unit;
        let mut records = rows.len() as u64 * (2 * unit + eol);
        if !dialect.final_newline && !dialect.header && !rows.is_empty() {
            records -= eol;
        }
        prop_assert_eq!(out.len() as u64, empty.len() as u64 + records + expected.iter().sum::<u64>());
    }

    #[test]
    fn eight_at_a_time_finds_what_one_at_a_time_finds(
        text in prop::collection::vec(any::<u8>(), 0..80), delimiter in prop::sample::select(&Delimiter::ALL[..])
    ) {
        let text = String::from_utf8_lossy(&text).into_owned();
        let dialect = Dialect { delimiter, ..Dialect::default() };
        let writer = RowWriter::new(&dialect, &["a", "b"]);
        let needs = text.is_empty()
            || text.bytes().any(|b| [delimiter.byte(), b'"', b'\r', b'\n'].contains(&b));
        prop_assert_eq!(writer.field_len(Some(&text)) > text.len() as u64, needs);
    }

    #[test]
    fn timestamps_agree_with_jiff(
        instants in prop::collection::vec(-2_000_000_000_i64..6_000_000_000, 1..8),
        zone in prop::sample::select(
            &["UTC", "Europe/London", "Asia/Tokyo", "America/St_Johns"][..]),
    ) {
        let dialect = Dialect {
            zone: Zone::parse(zone).unwrap(),
            timestamps: TimestampText::Space,
            ..Dialect::default()
        };
        let mut writer = TimestampWriter::new(&dialect);
        for seconds in instants {
            let mut out = Vec::new();
            writer.write(seconds * 1_000_000, &mut out);
            let zoned = jiff::Timestamp::from_second(seconds).unwrap().in_tz(zone).unwrap();
            let expected = zoned.strftime("%Y-%m-%d %H:%M:%S").to_string();
            prop_assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }

    #[test]
    fn a_text_does_not_depend_on_what_was_written_before(
        instants in prop::collection::vec(any::<i64>(), 1..6),
        near in prop::collection::vec(-400_000_000_000_i64..400_000_000_000, 1..6),
        zone in prop::sample::select(&["Europe/London", "Asia/Tokyo", "America/St_Johns"][..]),
    ) {
        let dialect = Dialect {
            zone: Zone::parse(zone).unwrap(),
            timestamps: TimestampText::UsMinutes,
            ..Dialect::default()
        };
        let mut writer = TimestampWriter::new(&dialect);
        let near = near.into_iter().map(|seconds| seconds * 1_000_000);
        for micros in instants.into_iter().chain(near) {
            let (mut after, mut alone) = (Vec::new(), Vec::new());
            writer.write(micros, &mut after);
            TimestampWriter::new(&dialect).write(micros, &mut alone);
            prop_assert_eq!(after, alone, "{}", micros);
        }
    }
}
