//! Reading people files: every shape of text, and every fault named with its place.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::{fs, io::Cursor, sync::atomic::AtomicBool};

use proptest::prelude::*;
use warifu_domain::dialect::{Delimiter, Dialect, EmptyText, Encoding, Eol, Quote, RowWriter};
use warifu_match::{
    SearchSpec,
    dialects::{Candidate, FileFormat, usual},
    exposure_of,
    json_lines::JsonLines,
    read::{FileRows, ReadOptions, RowSource, read_delimited, read_people, visit_rows},
    search::{ColumnRule, Progress, search},
    target::Target,
};

fn message(text: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("people.csv");
    fs::write(&path, text).unwrap();
    read_people(&path, &ReadOptions::default(), &|_, _| true).unwrap_err().to_string()
}

#[test]
fn faults_say_what_and_where() {
    let cases: [(&[u8], &[&str]); 9] = [
        (b"", &["empty"]),
        (b"a,b\n1,2\n1,2,3\n", &["line 3", "3 fields", "names 2"]),
        (b"a,b\n1,2\n\n1\n", &["line 4", "1 fields"]),
        (b"a,a\n1,2\n", &["columns 1 and 2", "\"a\""]),
        (b"a,,c\n1,2,3\n", &["column 2 has no name"]),
        (b"a,b\n1,\x002\n", &["line 2", "byte 6", "NUL"]),
        (b"a,b\n1,2\n\x8d\xb2,2\n", &["line 3", "byte 8", "UTF-8", "iconv"]),
        (b"\xFF\xFEa\0", &["UTF-16", "iconv"]),
        (b"a,b\n1,\"x\n", &["line 2", "never closed"]),
    ];
    for (text, wanted) in cases {
        let message = message(text);
        for part in wanted {
            assert!(message.contains(part), "{message:?} lacks {part:?}");
        }
        assert!(!message.contains('\n'));
    }
    assert!(message(b"a,b\n1,\"x\"y\n").contains("closing quote"));
}

#[test]
fn a_late_fault_names_its_own_line() {
    let mut text = b"a,b\n".to_vec();
    for n in 0..1_500_000 {
        text.extend_from_slice(format!("{n},x\n").as_bytes());
    }
    text.extend_from_slice(b"1,2,3\n");
    assert!(message(&text).contains("line 1500002"), "{}", message(&text));
}

#[test]
fn a_quote_inside_an_unquoted_field_is_a_character() {
    let mut text = b"name,size\n".to_vec();
    // Odd quotes all over, and blocks enough that a wrong cut would show.
    for n in 0..700_000 {
        text.extend_from_slice(format!("pipe {n},5\" wide\n").as_bytes());
        if n % 3 == 0 {
            text.extend_from_slice(b"\"quoted\nline\",x\n");
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("people.csv");
    fs::write(&path, &text).unwrap();
    let people = read_people(&path, &ReadOptions::default(), &|_, _| true).unwrap();
    assert_eq!(people.rows(), 700_000 + 233_334);
}

#[test]
fn large_fields_are_weighed_not_kept() {
    let mut text = b"a,b\n1,\"".to_vec();
    text.resize(text.len() + 100_000_000, b'x');
    text.extend_from_slice(b"\"\n2,y\n");
    let people = read_delimited(Cursor::new(text), &ReadOptions::default(), false).unwrap();
    assert_eq!(people.rows(), 2);
}

#[test]
fn the_fifteen_fields_make_the_rest_attributes() {
    let text = "Created Date,Last Login,Full Name,USERNAME,email,Company_Name,User Type,Address,\
                last_pw_change,Role Name,Role Description,Phone,Mobile,Time Zone,\
                SAML Federation ID,env\n2023-01-01,,A,,a@b.c,,,,,,,,,,,prod\n";
    let people = read_delimited(Cursor::new(text), &ReadOptions::default(), false).unwrap();
    let exposure = exposure_of(&people, &[], &[]).unwrap();
    assert_eq!(exposure.fields.len(), 15);
    assert!(exposure.fields.iter().all(|field| field.column != "env"));
    let options =
        ReadOptions { report_columns: Some(vec!["Env".to_owned()]), ..ReadOptions::default() };
    let people = read_delimited(Cursor::new(text), &options, false).unwrap();
    assert_eq!(exposure_of(&people, &[], &[]).unwrap().fields.len(), 1);
}

fn table() -> impl Strategy<Value = Vec<Vec<Option<String>>>> {
    let cell = prop::option::of("[a-z ,;|\"\t\r\né佐😀']{0,9}");
    prop::collection::vec(prop::collection::vec(cell, 3), 1..40)
}

/// Cells with control characters, backslashes, a CR anywhere: all that a format may have to escape.
fn odd_table() -> impl Strategy<Value = Vec<Vec<Option<String>>>> {
    let cell = prop::option::of("[a-z ,;|\\\\\u{1}\u{8}\u{b}\u{c}\u{1f}\u{7f}\t\ré佐😀']{1,20}");
    prop::collection::vec(prop::collection::vec(cell, 2), 1..20)
}

fn ways() -> Vec<Candidate> {
    let json = [JsonLines::default(), JsonLines { spaced: true, ..JsonLines::default() }];
    // As often JSON as delimited text.
    let json = json.into_iter().map(Candidate::json_lines).cycle().take(90);
    usual().into_iter().chain(json).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    /// Whatever is written is read back, by the fast reader and by the simple one.
    #[test]
    fn round_trip(
        rows in table(), delimiter in prop::sample::select(&Delimiter::ALL[..]),
        all in any::<bool>(), lf in any::<bool>(), bom in any::<bool>(), last in any::<bool>(),
    ) {
        let dialect = Dialect {
            delimiter, bom,
            quote: if all { Quote::NonNull } else { Quote::Minimal },
            eol: if lf { Eol::Lf } else { Eol::CrLf },
            final_newline: last,
            empty: EmptyText::Quoted,
            ..Dialect::default()
        };
        let mut writer = RowWriter::new(&dialect, &["one", "two", "three"]);
        let mut out = Vec::new();
        writer.header(&mut out);
        for row in &rows {
            writer.row(row.iter().map(Option::as_deref), &mut out);
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("people.csv");
        fs::write(&path, &out).unwrap();
        let people = read_people(&path, &ReadOptions::default(), &|_, _| true).unwrap();
        prop_assert_eq!(people.rows(), rows.len() as u64);
        for (column, name) in ["one", "two", "three"].into_iter().enumerate() {
            let filled = rows.iter().filter(|r| r[column].as_deref().is_some_and(|t| !t.is_empty())).count();
            let exposure = exposure_of(&people, &[], &[name.to_owned()]).unwrap();
            prop_assert_eq!(exposure.fields[0].filled, filled as u64);
        }
        let mut read: Vec<Vec<Option<String>>> = Vec::new();
        FileRows { path, empty_is_null: false }.each(&mut |row| {
            read.push(row.iter().map(|field| field.map(str::to_owned)).collect());
            true
        }).unwrap();
        prop_assert_eq!(read, rows);
    }

    /// Whatever stands in an unquoted field, sizes worked out from it are those of the real writers.
    #[test]
    fn unquoted_fields_weigh_what_is_written(
        rows in odd_table(), delimiter in prop::sample::select(&Delimiter::ALL[..]),
        crlf in any::<bool>(), way in prop::sample::select(ways()),
    ) {
        let separator = match delimiter {
            Delimiter::Comma => ",",
            Delimiter::Semicolon => ";",
            Delimiter::Tab => "\t",
            Delimiter::Pipe => "|",
        };
        let eol = if crlf { "\r\n" } else { "\n" };
        // No writer of ours leaves a CR bare, but others do; right before a line's end it is no text.
        let mut text = ["zero", "one", "two"].join(separator) + eol;
        for row in &rows {
            text.push('x');
            for cell in row.iter().map(|cell| cell.as_deref().unwrap_or_default()) {
                let quote = if cell.contains(separator) || cell.ends_with('\r') { "\"" } else { "" };
                text.extend([separator, quote, cell, quote]);
            }
            text.push_str(eol);
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("people.csv");
        fs::write(&path, &text).unwrap();
        let people = read_people(&path, &ReadOptions::default(), &|_, _| true).unwrap();
        let labels = ["one", "two"];
        let mut out = Vec::new();
        if let FileFormat::JsonLines(json) = &way.format {
            for row in &rows {
                json.row(labels.into_iter().zip(row.iter().map(Option::as_deref)), &mut out);
            }
        } else {
            let mut writer = RowWriter::new(&way.dialect, &labels);
            writer.header(&mut out);
            for row in &rows {
                writer.row(row.iter().map(Option::as_deref), &mut out);
            }
            writer.finish(&mut out);
        }
        let target = Target { bytes: out.len() as u64, ..Target::default() };
        let exact = Some(labels.map(str::to_owned).to_vec());
        let spec = SearchSpec {
            columns: ColumnRule { exact, ..ColumnRule::default() },
            discover: false,
            ..SearchSpec::new(target, vec![way])
        };
        let stop = AtomicBool::new(false);
        let answer = search(&people, &spec, &Progress { tell: &|_| (), stop: &stop }).unwrap();
        prop_assert_eq!(answer.matched, 1);
    }

    /// Arbitrary bytes never panic, and both readers agree on how many records there are.
    #[test]
    fn arbitrary_bytes(text in prop::collection::vec(prop::sample::select(
        &b"ab,\"\n\r;\t|\xC3\xA9\0 1"[..]), 0..200), exact in any::<bool>()) {
        let fast = read_delimited(Cursor::new(&text), &ReadOptions::default(), exact);
        let mut rows = 0_u64;
        let slow = visit_rows(Cursor::new(&text), &mut |_| { rows += 1; true });
        if let (Ok(people), Ok(())) = (&fast, &slow) {
            prop_assert_eq!(people.rows(), rows);
        }
        if let Err(error) = fast {
            prop_assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn any_bytes_at_all(text in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read_delimited(Cursor::new(&text), &ReadOptions::default(), false);
        let _ = visit_rows(Cursor::new(&text), &mut |_| true);
    }
}

#[test]
fn encodings_that_are_not_utf8_are_named() {
    let dialect = Dialect { encoding: Encoding::ShiftJis, ..Dialect::default() };
    let mut writer = RowWriter::new(&dialect, &["名前", "種別"]);
    let mut out = Vec::new();
    writer.header(&mut out);
    assert!(message(&out).contains("SHIFT_JIS"));
}
