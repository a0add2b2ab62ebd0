//! What makes a size mislead: each of these has cost somebody an afternoon.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod checked;

use std::{collections::BTreeSet, fs, path::Path};

use checked::run;
use warifu_domain::dialect::{
    Cell, Delimiter, Dialect, EmptyText, Encoding, Eol, NullText, Quote, RowWriter, TimestampText,
    Zone,
};
use warifu_match::{
    ColumnKind, ColumnSpec, People, PeopleBuilder, SearchSpec,
    answer::Answer,
    definition::{Compression, Format, Known, Op, OrderKey, Predicate},
    dialects::Candidate,
    read::{FileRows, ReadOptions, read_people},
    search::{ColumnRule, State, States},
    target::{Measure, Target},
    verify::write_file,
    written::write_known,
};

type Cells<'a> = Vec<Option<&'a str>>;

fn people(columns: &[(&str, ColumnKind)], rows: &[Cells<'_>]) -> People {
    let spec =
        |(name, kind): &(&str, ColumnKind)| ColumnSpec { kind: *kind, ..ColumnSpec::new(*name) };
    let mut builder = PeopleBuilder::new(columns.iter().map(spec).collect());
    for row in rows {
        builder.push(row).unwrap();
    }
    builder.finish()
}

fn file(dialect: &Dialect, labels: &[&str], rows: &[Cells<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = RowWriter::new(dialect, labels);
    writer.header(&mut out);
    for row in rows {
        writer.row(row.iter().copied(), &mut out);
    }
    writer.finish(&mut out);
    out
}

/// Everybody with these columns, in this dialect: is it an answer?
fn explains(people: &People, bytes: u64, columns: &[&str], way: Candidate) -> bool {
    let mut spec = SearchSpec::new(Target { bytes, ..Target::default() }, vec![way]);
    spec.max_predicates = 0;
    let exact = columns.iter().map(|c| (*c).to_owned()).collect();
    spec.columns = ColumnRule { exact: Some(exact), ..ColumnRule::default() };
    run(people, &spec).matched == 1
}

const TEXT: ColumnKind = ColumnKind::Text;

#[test]
fn the_dialect_moves_one_reports_size() {
    let names: Vec<String> = (0..500).map(|n| format!("Ann, {n}")).collect();
    let places = ["東京", "Zürich", "plain; text", "tab\there", "say \"hi\""];
    let rows: Vec<Cells<'_>> = names
        .iter()
        .enumerate()
        .map(|(n, name)| vec![Some(name.as_str()), Some(places[n % 5]), None, Some("x")])
        .collect();
    let labels = ["Name", "Place", "Note", "Kind; of"];
    let people = people(&labels.map(|label| (label, TEXT)), &rows);
    let base = Dialect::default();
    let ways = [
        base.clone(),
        Dialect { eol: Eol::Lf, ..base.clone() },
        Dialect { quote: Quote::All, ..base.clone() },
        Dialect { quote: Quote::NonNull, ..base.clone() },
        Dialect { delimiter: Delimiter::Semicolon, ..base.clone() },
        Dialect { delimiter: Delimiter::Tab, ..base.clone() },
        Dialect { bom: true, ..base.clone() },
        Dialect { encoding: Encoding::Utf16Le, bom: true, ..base.clone() },
        Dialect { encoding: Encoding::ShiftJis, ..base.clone() },
        Dialect { header: false, ..base.clone() },
        Dialect { header_quote: Some(Quote::All), ..base.clone() },
        Dialect { final_newline: false, ..base.clone() },
        Dialect { footer: vec!["Confidential".to_owned(), String::new()], ..base.clone() },
        Dialect { null: NullText::Text("NULL".to_owned()), ..base.clone() },
    ];
    let mut sizes = BTreeSet::new();
    for dialect in &ways {
        let bytes = file(dialect, &labels, &rows).len() as u64;
        assert!(explains(&people, bytes, &labels, Candidate::new(dialect.clone())), "{dialect:?}");
        assert!(sizes.insert(bytes), "{dialect:?} must move the size");
        if *dialect != base {
            assert!(
                !explains(&people, bytes, &labels, Candidate::new(base.clone())),
                "{dialect:?}"
            );
        }
    }
    let plain = file(&base, &labels, &rows).len() as f64;
    let quoted = file(&ways[2], &labels, &rows).len() as f64;
    assert!(quoted / plain > 1.17, "more than a sixth");
    // Other labels for the same columns move it too.
    let renamed =
        file(&base, &["Name", "Place", "Note", "A much longer label"], &rows).len() as u64;
    assert!(!explains(&people, renamed, &labels, Candidate::new(base)));
}

#[test]
fn a_missing_value_is_no_empty_one() {
    let rows: Vec<Cells<'_>> =
        (0..90).map(|n| vec![Some("a"), [None, Some(""), Some("v")][n % 3]]).collect();
    let people = people(&[("A", TEXT), ("B", TEXT)], &rows);
    let mut sizes = BTreeSet::new();
    for null in [NullText::Empty, NullText::QuotedEmpty, NullText::Text("-".to_owned())] {
        for empty in [EmptyText::Bare, EmptyText::Quoted] {
            let dialect = Dialect { null: null.clone(), empty, ..Dialect::default() };
            let bytes = file(&dialect, &["A", "B"], &rows).len() as u64;
            sizes.insert(bytes);
            assert!(explains(&people, bytes, &["A", "B"], Candidate::new(dialect)));
        }
    }
    // Nothing or "" for 30 missing, for 30 empty ones, for both; `-` for the missing.
    assert_eq!(sizes.len(), 5);
    // Neither counts as filled.
    let exposure = warifu_match::exposure_of(&people, &[], &[]).unwrap();
    assert_eq!(exposure.fields[1].filled, 30);
}

#[test]
fn a_blank_in_the_only_column_is_quoted() {
    let rows: Vec<Cells<'_>> = (0..60).map(|n| vec![[None, Some(""), Some("v")][n % 3]]).collect();
    let people = people(&[("Only", TEXT)], &rows);
    let mut sizes = BTreeSet::new();
    for lone_blank in [EmptyText::Bare, EmptyText::Quoted] {
        for empty in [EmptyText::Bare, EmptyText::Quoted] {
            let dialect = Dialect { lone_blank, empty, ..Dialect::default() };
            let bytes = file(&dialect, &["Only"], &rows).len() as u64;
            sizes.insert(bytes);
            assert!(explains(&people, bytes, &["Only"], Candidate::new(dialect)));
        }
    }
    assert_eq!(sizes.len(), 3);
}

#[test]
fn the_form_and_the_zone_of_dates_count() {
    let texts: Vec<String> = (0..400)
        .map(|n| format!("2023-{:02}-{:02}T{:02}:59:00Z", n % 12 + 1, n % 28 + 1, n % 24))
        .collect();
    let rows: Vec<Cells<'_>> =
        texts.iter().map(|text| vec![Some("x"), Some(text.as_str())]).collect();
    let people = people(&[("N", TEXT), ("Seen", ColumnKind::Timestamp)], &rows);
    let micros = |text: &str| -> i64 {
        let stamp: warifu_domain::Timestamp = text.parse().unwrap();
        stamp.0
    };
    let mut sizes = BTreeSet::new();
    for timestamps in TimestampText::ALL {
        for zone in ["UTC", "Asia/Tokyo", "America/Los_Angeles", "+05:30"] {
            let dialect =
                Dialect { timestamps, zone: Zone::parse(zone).unwrap(), ..Dialect::default() };
            let mut writer = RowWriter::new(&dialect, &["N", "Seen"]);
            let mut out = Vec::new();
            writer.header(&mut out);
            for text in &texts {
                writer
                    .row_cells([Cell::Text("x"), Cell::Micros(micros(text))].into_iter(), &mut out);
            }
            writer.finish(&mut out);
            let way = Candidate { convert_timestamps: true, ..Candidate::new(dialect.clone()) };
            assert!(explains(&people, out.len() as u64, &["N", "Seen"], way), "{dialect:?}");
            sizes.insert((timestamps as u8, out.len()));
            // A zone by name is only pinned together with the rules that were in force.
            assert_eq!(zone.contains('/'), dialect.id().contains('@'), "{}", dialect.id());
        }
    }
    // A day before or after makes 9/30/2023 out of 10/1/2023.
    let us = sizes.iter().filter(|(form, _)| *form == TimestampText::UsDate as u8).count();
    assert!(us > 1, "the zone moves the size of a short form");
}

/// People whose last logins are spread out, as a file.
fn logins(folder: &Path) -> std::path::PathBuf {
    let mut text = "Full Name,Email,Last Login,Kind\n".to_owned();
    for n in 0_u64..300 {
        let name = format!("Person {}", n * n * 7919 % 1_000_003);
        let login = if n % 7 == 0 {
            String::new()
        } else {
            format!("2023-{:02}-{:02}T{:02}:00:00Z", n * 5 % 12 + 1, n * 11 % 28 + 1, n % 24)
        };
        let kind = if n % 3 == 0 { "Partner" } else { "Customer" };
        text.push_str(&format!("{name},u{}@x{}.example,{login},{kind}\n", n * n, n % 9));
    }
    let path = folder.join("people.csv");
    fs::write(&path, text).unwrap();
    path
}

fn latest(name: &str, limit: u64, descending: bool) -> Known {
    Known {
        name: name.to_owned(),
        filter: vec![Predicate::one("Kind", Op::Is, "Customer")],
        columns: vec!["Full Name".to_owned(), "Email".to_owned()],
        order: vec![OrderKey { column: "Last Login".to_owned(), descending }],
        limit: Some(limit),
        ..Known::default()
    }
}

/// The answer for a file of known definitions, some of which are written.
fn answer_for(path: &Path, people: &People, known: Vec<Known>, target: Target) -> Answer {
    let mut spec = SearchSpec::new(target, vec![Candidate::new(Dialect::default())]);
    let mut source = FileRows::new(path, people);
    let (written, _) = write_known(people, &known, &spec.dialects, &mut source).unwrap();
    (spec.known, spec.written) = (known, written);
    run(people, &spec)
}

#[test]
fn the_order_moves_no_size_but_the_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = logins(folder.path());
    let people = read_people(&path, &ReadOptions::default(), &|_, _| true).unwrap();
    let mut files = Vec::new();
    for descending in [false, true] {
        // A limit above the number of rows keeps everybody: only the order is left of it.
        let known = vec![latest("all of them", 1_000, descending)];
        let mut source = FileRows::new(&path, &people);
        let dialects = [Candidate::new(Dialect::default())];
        let (written, _) = write_known(&people, &known, &dialects, &mut source).unwrap();
        let target = Target { bytes: written[0].bytes, ..Target::default() };
        let answer = answer_for(&path, &people, known, target);
        // The same definition without order and limit explains the size as well.
        assert!(answer.candidates.iter().any(|c| c.limit.is_none() && c.rows == 200));
        let first = &answer.candidates[0];
        assert_eq!((first.known.as_deref(), first.limit), (Some("all of them"), Some(1_000)));
        let mut out = Vec::new();
        write_file(&people, first, &mut FileRows::new(&path, &people), &mut out).unwrap();
        assert_eq!(out.len() as u64, first.bytes);
        files.push(out);
    }
    assert_eq!(files[0].len(), files[1].len());
    assert_ne!(files[0], files[1], "a digest tells them apart");
}

#[test]
fn a_limit_makes_the_order_matter() {
    let folder = tempfile::tempdir().unwrap();
    let path = logins(folder.path());
    let people = read_people(&path, &ReadOptions::default(), &|_, _| true).unwrap();
    let known = vec![latest("first in", 40, false), latest("last in", 40, true)];
    let mut source = FileRows::new(&path, &people);
    let dialects = [Candidate::new(Dialect::default())];
    let (written, _) = write_known(&people, &known, &dialects, &mut source).unwrap();
    assert_ne!(written[0].rows, written[1].rows, "others are in it");
    assert_ne!(written[0].bytes, written[1].bytes);
    // Who never signed in comes first, and last when descending (as in the reports themselves).
    let text = fs::read_to_string(&path).unwrap();
    let blank: Vec<bool> = text.lines().skip(1).map(|line| line.contains(",,")).collect();
    assert!(written[0].rows.iter().filter(|row| blank[**row as usize]).count() > 20);
    assert!(written[1].rows.iter().all(|row| !blank[*row as usize]));
    for (index, name) in ["first in", "last in"].into_iter().enumerate() {
        let target = Target { bytes: written[index].bytes, ..Target::default() };
        let answer = answer_for(&path, &people, known.clone(), target);
        let first = &answer.candidates[0];
        assert_eq!((first.known.as_deref(), first.verified), (Some(name), Some(true)));
        assert_eq!((first.rows, first.limit), (40, Some(40)));
        assert_eq!(answer.exposure.as_ref().unwrap().people, 40);
        assert!(answer.certain.people <= 40 && answer.excluded.people <= 260);
        assert!((answer.certain.people_at_least..=answer.certain.people_at_most).contains(&40));
    }
}

#[test]
fn gzip_and_workbooks_are_no_sums() {
    let folder = tempfile::tempdir().unwrap();
    let path = logins(folder.path());
    let people = read_people(&path, &ReadOptions::default(), &|_, _| true).unwrap();
    let named = |name: &str, columns: &[&str], format, compression| Known {
        name: name.to_owned(),
        columns: columns.iter().map(|c| (*c).to_owned()).collect(),
        format,
        compression,
        ..Known::default()
    };
    let gzip = Some(Compression::Gzip);
    let known = vec![
        named("names", &["Full Name"], Format::Csv, gzip),
        named("mails", &["Email"], Format::Csv, gzip),
        named("both", &["Full Name", "Email"], Format::Csv, gzip),
        named("lines", &["Full Name", "Email"], Format::Jsonl, gzip),
        named("book", &["Full Name", "Email"], Format::Xlsx, None),
    ];
    let dialects = [Candidate::new(Dialect::default())];
    let mut source = FileRows::new(&path, &people);
    let (written, left_out) = write_known(&people, &known, &dialects, &mut source).unwrap();
    assert!(left_out.is_empty());
    let bytes: Vec<u64> = written.iter().map(|w| w.bytes).collect();
    // Uncompressed, the two columns and the delimiters would be the whole to the byte.
    assert_ne!(bytes[0] + bytes[1], bytes[2] - 300);
    assert!(bytes[2] > 1000, "{bytes:?}");
    for (index, definition) in known.iter().enumerate() {
        let target = Target { bytes: bytes[index], ..Target::default() };
        let answer = answer_for(&path, &people, known.clone(), target);
        let first = &answer.candidates[0];
        assert_eq!(first.known.as_ref(), Some(&definition.name), "{bytes:?}");
        let mut out = Vec::new();
        write_file(&people, first, &mut FileRows::new(&path, &people), &mut out).unwrap();
        assert_eq!(out.len() as u64, bytes[index]);
        let magic: &[u8] = if index == 4 { b"PK" } else { &[0x1F, 0x8B] };
        assert!(out.starts_with(magic));
    }
    // A workbook says when it was made, to the second. That is pinned: later it is the same file.
    let target = Target { bytes: bytes[4], ..Target::default() };
    let mut books = Vec::new();
    for _ in 0..2 {
        let answer = answer_for(&path, &people, known.clone(), target);
        let book = answer.candidates.iter().find(|c| c.known.as_deref() == Some("book")).unwrap();
        let mut out = Vec::new();
        write_file(&people, book, &mut FileRows::new(&path, &people), &mut out).unwrap();
        books.push(out);
        std::thread::sleep(std::time::Duration::from_millis(1_100));
    }
    assert_eq!(books[0], books[1]);
}

#[test]
fn an_aborted_download_is_only_a_lower_bound() {
    let names: Vec<String> = (0..300).map(|n| format!("Person {}", n * n)).collect();
    let rows: Vec<Cells<'_>> = names
        .iter()
        .enumerate()
        .map(|(n, name)| vec![Some(name.as_str()), Some(["a", "b", "c"][n % 3])])
        .collect();
    let people = people(&[("Name", TEXT), ("Kind", TEXT)], &rows);
    let whole = file(&Dialect::default(), &["Name", "Kind"], &rows);
    // The connection broke in the middle of a row.
    let recorded = &whole[..whole.len() * 2 / 3 + 5];
    let target =
        Target { bytes: recorded.len() as u64, measure: Measure::AtLeast, ..Target::default() };
    let mut spec = SearchSpec::new(target, vec![Candidate::new(Dialect::default())]);
    spec.top = 1000;
    let answer = run(&people, &spec);
    let is_truth = |c: &warifu_match::answer::Candidate| {
        c.predicates.is_empty() && c.columns.len() == 2 && c.bytes == whole.len() as u64
    };
    assert!(answer.candidates.iter().any(is_truth));
    assert!(answer.candidates.iter().all(|c| c.bytes >= recorded.len() as u64));
    assert!(answer.certain.people <= 300 && answer.certain.people_at_most == 300);
    // Taken as the size of a whole file, the number must not lead to the truth.
    spec.target.measure = Measure::Body;
    assert!(!run(&people, &spec).candidates.iter().any(is_truth));
}

#[test]
fn a_counter_of_32_bits_forgets_four_gib() {
    // 50,000 missing values, each written as a word of 100,000 bytes: 5 GB without a text to hold.
    let rows: Vec<Cells<'_>> =
        (0..50_000).map(|n| vec![Some("x"), (n % 50 == 0).then_some("y")]).collect();
    let people = people(&[("A", TEXT), ("B", TEXT)], &rows);
    let null = NullText::Text("n".repeat(100_000));
    let dialect = Dialect { null, ..Dialect::default() };
    let header = "A,B\r\n".len() as u64;
    let bytes = header + 1_000 * 5 + 49_000 * (4 + 100_000);
    assert!(bytes > 1 << 32);
    let way = Candidate::new(dialect);
    assert!(explains(&people, bytes, &["A", "B"], way.clone()), "a counter of 64 bits");
    let recorded = bytes & 0xFFFF_FFFF;
    assert!(!explains(&people, recorded, &["A", "B"], way.clone()));
    let target = Target { bytes: recorded, measure: Measure::Wrapped32, ..Target::default() };
    let answer = run(&people, &SearchSpec::new(target, vec![way]));
    let truth = answer.candidates.iter().find(|c| c.bytes == bytes && c.columns.len() == 2);
    assert_eq!(truth.map(|c| (c.rows, c.difference)), Some((50_000, 0)));
}

/// A time known to ten minutes may mean several states: rows are versions then.
#[test]
fn a_window_of_time_is_several_states() {
    // Person 0 changes between the first and the second state, person 1 joins in the third,
    // person 2 leaves before the third. "0-1" holds in the first state only.
    let mut rows: Vec<Cells<'_>> = vec![
        vec![Some("old name"), Some("a"), Some("0-1")],
        vec![Some("a much longer name"), Some("a"), Some("1-3")],
        vec![Some("joins"), Some("b"), Some("2-3")],
        vec![Some("leaves, soon"), Some("b"), Some("0-2")],
    ];
    let names: Vec<String> = (0..60).map(|n| format!("Person {}", n * n)).collect();
    for (n, name) in names.iter().enumerate() {
        rows.push(vec![Some(name), Some(["a", "b"][n % 2]), Some("always")]);
    }
    let spec = |name: &str| ColumnSpec { report: name != "held", ..ColumnSpec::new(name) };
    let mut builder = PeopleBuilder::new(["Name", "Kind", "held"].map(spec).to_vec());
    rows.iter().for_each(|row| builder.push(row).unwrap());
    let people = builder.finish();
    let spans = ["0-1", "1-3", "2-3", "0-2"];
    let holds = |span: &str, state: usize| {
        span == "always" || {
            let (from, until) = span.split_once('-').unwrap();
            (from.parse().unwrap()..until.parse().unwrap()).contains(&state)
        }
    };
    let state = |state: usize| {
        let values = spans.iter().copied().chain(["always"]).filter(|span| holds(span, state));
        State { values: values.map(str::to_owned).collect(), cost: state as f32 }
    };
    let states = States {
        column: "held".to_owned(),
        list: (0..3).map(state).collect(),
        versions: vec![vec![0, 1], vec![2], vec![3]],
    };
    for then in 0..3 {
        for kind in [None, Some("a"), Some("b")] {
            let inside: Vec<Cells<'_>> = rows
                .iter()
                .filter(|row| holds(row[2].unwrap(), then) && (kind.is_none() || row[1] == kind))
                .map(|row| row[..2].to_vec())
                .collect();
            let bytes = file(&Dialect::default(), &["Name", "Kind"], &inside).len() as u64;
            let target = Target { bytes, ..Target::default() };
            let mut spec = SearchSpec::new(target, vec![Candidate::new(Dialect::default())]);
            (spec.states, spec.top) = (Some(states.clone()), 1000);
            let answer = run(&people, &spec);
            let truth = answer.candidates.iter().find(|c| {
                let same = match kind {
                    None => c.predicates.is_empty(),
                    Some(kind) => c.predicates == [Predicate::one("Kind", Op::Is, kind)],
                };
                // Where nobody of it changed, it is the same file in the state before.
                same && c.rows == inside.len() as u64 && c.bytes == bytes && c.columns.len() == 2
            });
            let truth = truth.unwrap_or_else(|| panic!("{then} {kind:?} {}", answer.matched));
            assert!(truth.state <= then as u64);
            if kind.is_none() {
                assert_eq!(truth.state, then as u64);
            }
            // People, not versions, are counted: person 0 has two.
            let all = &answer;
            assert_eq!(all.certain.people + all.possible.people + all.excluded.people, 63);
            assert!(all.certain.people <= inside.len() as u64);
            assert!(all.excluded.people <= 63 - inside.len() as u64);
            assert_eq!(answer.people.rows, 62, "in the likeliest state");
        }
    }
}
