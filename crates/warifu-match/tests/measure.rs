//! The size computed from sums is the size of the file that the writer writes.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use warifu_domain::dialect::{
    Cell, Delimiter, Dialect, EmptyText, Encoding, Eol, NullText, Quote, RowWriter, TimestampText,
    Zone,
};
use warifu_domain::reports::Value;
use warifu_match::dialects::Candidate;
use warifu_match::measure::{Part, size};
use warifu_match::{ColumnKind, ColumnSpec, People, PeopleBuilder, Rows};

const LABELS: [&str; 4] = ["Full Name", "Last Login", "E,mail", "備考"];

type Person = (Option<String>, Option<i64>, Option<String>, Option<String>);

fn text() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        3 => Just(None),
        1 => Just(Some(String::new())),
        4 => "[a-z ,;\"|\t\r\né佐🦀\\\\']{0,12}".prop_map(Some),
        1 => Just(Some("x".repeat(5_000))),
    ]
}

fn person() -> impl Strategy<Value = Person> {
    // Years 1 to 9999 and some before and after, which are longer.
    let moment = proptest::option::of(-70_000_000_000_000_000_i64..300_000_000_000_000_000);
    (text(), moment, text(), text())
}

fn dialect() -> impl Strategy<Value = Dialect> {
    let quote =
        prop::sample::select(vec![Quote::Minimal, Quote::All, Quote::NonNull, Quote::NonNumeric]);
    let null = prop::sample::select(vec![
        NullText::Empty,
        NullText::QuotedEmpty,
        NullText::Text("NULL".into()),
    ]);
    let blank = || prop::sample::select(vec![EmptyText::Bare, EmptyText::Quoted]);
    let zone = prop::sample::select(vec!["UTC", "Asia/Tokyo", "-03:30", "America/New_York"]);
    let looks = (
        prop::sample::select(Delimiter::ALL.to_vec()),
        quote,
        prop::bool::ANY,
        prop::sample::select(Encoding::ALL.to_vec()),
        prop::bool::ANY,
        prop::bool::ANY,
    );
    let values = (
        null,
        blank(),
        blank(),
        prop::sample::select(TimestampText::ALL.to_vec()),
        zone,
        prop::bool::ANY,
        prop::collection::vec("[a-z日]{0,5}", 0..2),
    );
    (looks, values).prop_map(|(looks, values)| {
        let (delimiter, quote, lf, encoding, bom, header) = looks;
        let (null, empty, lone_blank, timestamps, zone, final_newline, footer) = values;
        Dialect {
            delimiter,
            quote,
            eol: if lf { Eol::Lf } else { Eol::CrLf },
            bom,
            encoding,
            header,
            header_quote: None,
            null,
            empty,
            lone_blank,
            timestamps,
            zone: Zone::parse(zone).unwrap(),
            final_newline,
            footer,
        }
    })
}

fn values((name, login, email, note): &Person) -> [Value<'_>; 4] {
    let text = |t| Option::<&String>::map_or(t, Value::Null, |t| Value::Text(t));
    [
        text(name.as_ref()),
        login.map_or(Value::Null, Value::Time),
        text(email.as_ref()),
        text(note.as_ref()),
    ]
}

fn table(people: &[Person]) -> People {
    let spec = |label: &&str| ColumnSpec {
        kind: if *label == LABELS[1] { ColumnKind::Timestamp } else { ColumnKind::Text },
        ..ColumnSpec::new(*label)
    };
    let mut builder = PeopleBuilder::new(LABELS.iter().map(spec).collect());
    for person in people {
        builder.push_values(&values(person)).unwrap();
    }
    builder.finish()
}

fn written(people: &[&Person], columns: &[usize], dialect: &Dialect) -> (Vec<u8>, Vec<u64>) {
    let labels: Vec<&str> = columns.iter().map(|c| LABELS[*c]).collect();
    let mut writer = RowWriter::new(dialect, &labels);
    let mut out = Vec::new();
    writer.header(&mut out);
    for person in people {
        let all = values(person);
        let cells = columns.iter().map(|c| match all[*c] {
            Value::Text(t) => Cell::Text(t),
            Value::Time(t) => Cell::Micros(t),
            _ => Cell::Null,
        });
        writer.row_cells(cells, &mut out);
    }
    writer.finish(&mut out);
    (out, writer.column_bytes().to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn sums_are_what_is_written(
        first in prop::collection::vec(person(), 0..12),
        second in prop::collection::vec(person(), 0..4),
        picked in any::<u64>(),
        set in 1_usize..16,
        dialect in dialect(),
    ) {
        let columns: Vec<usize> = (0..4).filter(|c| set >> c & 1 == 1).collect();
        let tables = [table(&first), table(&second)];
        let mut rows = [Rows::none(first.len()), Rows::none(second.len())];
        let mut people = Vec::new();
        for (n, person) in first.iter().chain(&second).enumerate() {
            if picked >> n & 1 == 1 {
                people.push(person);
                match n.checked_sub(first.len()) {
                    None => rows[0].insert(n),
                    Some(n) => rows[1].insert(n),
                }
            }
        }
        let parts = [
            Part { people: &tables[0], rows: &rows[0] },
            Part { people: &tables[1], rows: &rows[1] },
        ];
        let (file, columns_written) = written(&people, &columns, &dialect);
        let sized = size(&parts, &columns, &Candidate::of_instants(dialect), 2).unwrap();
        prop_assert_eq!(sized.rows, people.len() as u64);
        prop_assert_eq!(sized.bytes, file.len() as u64);
        let bytes: Vec<u64> = sized.columns.iter().map(|c| c.bytes).collect();
        prop_assert_eq!(bytes, columns_written);
        for (column, size) in columns.iter().zip(&sized.columns) {
            let filled = people.iter().filter(|p| !values(p)[*column].is_blank()).count();
            prop_assert_eq!(size.filled, filled as u64);
        }
    }

    #[test]
    fn rows_are_those_that_pass(people in prop::collection::vec(person(), 0..80)) {
        let table = table(&people);
        for column in 0..4 {
            let mut test = |v: Value<'_>| match v {
                Value::Text(t) => t.len() % 2 == 0,
                Value::Time(t) => t > 0,
                _ => true,
            };
            let rows = table.rows_where(column, &mut test);
            if column == 2 {
                // Its label folds to that of e-mail addresses, of which only domains are kept.
                let filled = people.iter().any(|p| !values(p)[column].is_blank());
                prop_assert_eq!(rows.is_none(), filled);
            }
            let Some(rows) = rows else { continue };
            let expected: Vec<usize> = people
                .iter()
                .enumerate()
                .filter(|(_, p)| {
                    let v = values(p)[column];
                    test(if v.is_blank() { Value::Null } else { v })
                })
                .map(|(n, _)| n)
                .collect();
            prop_assert_eq!(rows.iter().collect::<Vec<_>>(), expected.clone());
            prop_assert_eq!(rows.count(), expected.len() as u64);
            let mut others = rows.clone();
            others.invert();
            prop_assert_eq!(others.count(), (people.len() - expected.len()) as u64);
            let filled = (0..people.len()).filter(|n| !values(&people[*n])[column].is_blank());
            prop_assert_eq!(table.rows_filled(column).iter().collect::<Vec<_>>(), filled.collect::<Vec<_>>());
        }
    }
}
