//! The true definition is always among the candidates, with its exact size, and what is called
//! certain or excluded never contradicts it. The files are written by the real row writer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::{collections::BTreeSet, sync::atomic::AtomicBool};

use proptest::prelude::*;
use warifu_domain::dialect::{
    Delimiter, Dialect, EmptyText, Encoding, Eol, NullText, Quote, RowWriter,
};
use warifu_match::{
    ColumnSpec, People, PeopleBuilder, SearchSpec,
    answer::Answer,
    definition::{Known, Op, Predicate},
    dialects::{Candidate, usual},
    search::{ColumnRule, Progress, search},
    target::{Measure, Target, Tolerance},
};

const LABELS: [&str; 7] =
    ["Full Name", "Email", "Company Name", "User Type", "Phone", "Env", "Note"];

type Row = Vec<Option<String>>;

/// A deterministic table: `seed` decides every cell.
fn rows(count: u64, seed: u64) -> Vec<Row> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 16) % below
    };
    let names =
        ["Ann Lee", "佐藤 健太", "José \"Pepe\" Ruiz", "Smith, John", "Łukasz Nowak", "Kim; Lu"];
    (0..count)
        .map(|n| {
            let some = |yes: bool, text: String| yes.then_some(text);
            let name = names[next(6) as usize];
            vec![
                Some(format!("{name} {}", next(100_000))),
                Some(format!("user{}@d{}.example", next(1_000_000), next(20))),
                some(
                    next(3) == 0,
                    format!("Company {}{}", next(30), if n % 4 == 0 { ", Inc." } else { "" }),
                ),
                Some(["Customer", "Partner", "Employee"][next(3) as usize].to_owned()),
                some(next(20) == 0, format!("+1 415 555 {:04}", next(10_000))),
                Some(["prod", "preview"][(next(5) / 4) as usize].to_owned()),
                some(
                    next(10) < 2,
                    if next(2) == 0 { String::new() } else { format!("line\n{}", next(9)) },
                ),
            ]
        })
        .collect()
}

fn people(rows: &[Row]) -> People {
    let mut builder =
        PeopleBuilder::new(LABELS.iter().map(|label| ColumnSpec::new(*label)).collect());
    for row in rows {
        let fields: Vec<Option<&str>> = row.iter().map(Option::as_deref).collect();
        builder.push(&fields).unwrap();
    }
    builder.finish()
}

/// The filters that a truth is drawn from, as predicates and as plain Rust.
fn filter(number: usize) -> (Vec<Predicate>, fn(&Row) -> bool) {
    let user = |value: &str| Predicate::one("User Type", Op::Is, value);
    match number {
        0 => (vec![], |_| true),
        1 => (vec![user("Partner")], |row| row[3].as_deref() == Some("Partner")),
        2 => (vec![Predicate::one("Env", Op::Is, "preview")], |row| {
            row[5].as_deref() == Some("preview")
        }),
        3 => (vec![user("Customer"), Predicate::one("Env", Op::Is, "prod")], |row| {
            row[3].as_deref() == Some("Customer") && row[5].as_deref() == Some("prod")
        }),
        4 => (vec![Predicate::bare("Company Name", Op::Filled), user("Employee")], |row| {
            row[2].is_some() && row[3].as_deref() == Some("Employee")
        }),
        _ => (vec![Predicate::bare("Phone", Op::Filled)], |row| row[4].is_some()),
    }
}

/// Writes the true file; answers its bytes and its rows.
fn truth(rows: &[Row], keep: fn(&Row) -> bool, columns: &[usize], dialect: &Dialect) -> (u64, u64) {
    let labels: Vec<&str> = columns.iter().map(|column| LABELS[*column]).collect();
    let mut writer = RowWriter::new(dialect, &labels);
    let mut out = Vec::new();
    writer.header(&mut out);
    for row in rows.iter().filter(|row| keep(row)) {
        writer.row(columns.iter().map(|column| row[*column].as_deref()), &mut out);
    }
    writer.finish(&mut out);
    (out.len() as u64, writer.rows())
}

fn run(people: &People, spec: &SearchSpec) -> Answer {
    let stop = AtomicBool::new(false);
    search(people, spec, &Progress { tell: &|_| (), stop: &stop }).unwrap()
}

fn spec(bytes: u64, rows: Option<u64>, dialects: Vec<Candidate>) -> SearchSpec {
    let mut spec = SearchSpec::new(Target { bytes, rows, ..Target::default() }, dialects);
    spec.top = 1_000_000;
    spec.threads = 1;
    spec
}

/// Same people (by row count and prior truth) and same columns, whatever the filter is called.
fn rank_of(
    answer: &Answer,
    table: &[Row],
    keep: fn(&Row) -> bool,
    columns: &[&str],
) -> Option<usize> {
    let wanted: Vec<bool> = table.iter().map(keep).collect();
    answer.candidates.iter().position(|candidate| {
        candidate.columns == columns && holds(table, &candidate.predicates) == wanted
    })
}

/// Evaluates predicates the slow, obvious way.
fn holds(table: &[Row], predicates: &[Predicate]) -> Vec<bool> {
    table
        .iter()
        .map(|row| {
            predicates.iter().all(|predicate| {
                let column = LABELS.iter().position(|label| *label == predicate.column).unwrap();
                let value = row[column].as_deref().filter(|text| !text.is_empty());
                let listed = value.is_some_and(|v| predicate.values().iter().any(|p| p == v));
                match predicate.op {
                    Op::Is | Op::In => listed,
                    Op::IsNot => !listed,
                    Op::Blank => value.is_none(),
                    Op::Filled => value.is_some(),
                    Op::Domain => {
                        value.is_some_and(|v| v.ends_with(&format!("@{}", predicate.values()[0])))
                    }
                    Op::Before | Op::From | Op::Between => unreachable!("no dates here"),
                }
            })
        })
        .collect()
}

fn any_dialect() -> impl Strategy<Value = Dialect> {
    (
        prop::sample::select(&Delimiter::ALL[..]),
        prop::sample::select(vec![Quote::Minimal, Quote::All, Quote::NonNull, Quote::NonNumeric]),
        prop::sample::select(&Encoding::ALL[..]),
        prop_oneof![
            Just(NullText::Empty),
            Just(NullText::QuotedEmpty),
            Just(NullText::Text("NULL".to_owned()))
        ],
        any::<[bool; 6]>(),
        prop::collection::vec("[a-z]{0,9}", 0..3),
    )
        .prop_map(|(delimiter, quote, encoding, null, flags, footer)| Dialect {
            delimiter,
            quote,
            encoding,
            null,
            eol: if flags[0] { Eol::Lf } else { Eol::CrLf },
            bom: flags[1],
            header: flags[2],
            final_newline: flags[3],
            empty: if flags[4] { EmptyText::Bare } else { EmptyText::Quoted },
            lone_blank: if flags[5] { EmptyText::Bare } else { EmptyText::Quoted },
            footer,
            ..Dialect::default()
        })
}

fn chosen(mask: u8) -> Vec<usize> {
    (0..LABELS.len()).filter(|column| mask & (1 << column) != 0).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]
    #[test]
    fn truth_is_found_and_never_contradicted(
        seed in 1_u64..1000, count in 20_u64..300, number in 0_usize..6, mask in 1_u8..128,
        dialect in any_dialect(),
    ) {
        let table = rows(count, seed);
        let (predicates, keep) = filter(number);
        let columns = chosen(mask);
        let labels: Vec<&str> = columns.iter().map(|c| LABELS[*c]).collect();
        let (bytes, kept) = truth(&table, keep, &columns, &dialect);
        prop_assume!(kept > 0);
        let people = people(&table);
        let mut spec = spec(bytes, None, vec![Candidate::new(dialect)]);
        spec.max_predicates = 2;
        spec.predicates = predicates;
        let answer = run(&people, &spec);
        let rank = rank_of(&answer, &table, keep, &labels);
        prop_assert!(rank.is_some(), "{} candidates, none is the truth", answer.matched);
        let found = &answer.candidates[rank.unwrap()];
        prop_assert_eq!((found.bytes, found.rows), (bytes, kept));
        prop_assert_eq!(answer.matched, answer.candidates.len() as u64);
        let true_columns: BTreeSet<&str> = labels.iter().copied().collect();
        for certain in &answer.certain.columns {
            prop_assert!(true_columns.contains(certain.as_str()));
        }
        for excluded in &answer.excluded.columns {
            prop_assert!(!true_columns.contains(excluded.as_str()));
        }
        prop_assert!((answer.certain.people_at_least..=answer.certain.people_at_most).contains(&kept));
        prop_assert!(answer.certain.people <= kept);
        prop_assert!(answer.excluded.people <= count - kept);
        // The slow way: every candidate's people, one by one.
        let sets: Vec<Vec<bool>> =
            answer.candidates.iter().take(2000).map(|c| holds(&table, &c.predicates)).collect();
        if sets.len() as u64 == answer.matched {
            let every = (0..table.len()).filter(|row| sets.iter().all(|set| set[*row])).count();
            let some = (0..table.len()).filter(|row| sets.iter().any(|set| set[*row])).count();
            prop_assert_eq!(answer.certain.people, every as u64);
            prop_assert_eq!(answer.possible.people, (some - every) as u64);
        }
    }
}

#[test]
fn with_the_row_count_the_truth_is_in_the_first_ten() {
    let (mut first_ten, mut total) = (0, 0);
    for seed in 1..=20 {
        let table = rows(400, seed);
        let people = people(&table);
        for number in 0..6 {
            let (_, keep) = filter(number);
            let mask = 3 + ((seed * 37 + number as u64 * 11) % 31) as u8 * 4;
            let columns = chosen(mask);
            let labels: Vec<&str> = columns.iter().map(|c| LABELS[*c]).collect();
            let (bytes, kept) = truth(&table, keep, &columns, &Dialect::default());
            let dialects = vec![Candidate::new(Dialect::default())];
            let answer = run(&people, &spec(bytes, Some(kept), dialects));
            let rank = rank_of(&answer, &table, keep, &labels).expect("the truth is a candidate");
            first_ten += usize::from(rank < 10);
            total += 1;
            if number == 0 && columns.len() == LABELS.len() || answer.matched == 1 {
                assert_eq!(rank, 0);
            }
        }
    }
    assert!(first_ten * 100 >= total * 95, "{first_ten} of {total}");
}

#[test]
fn unfiltered_and_saved_definitions_come_first() {
    let table = rows(500, 7);
    let people = people(&table);
    let all: Vec<usize> = (0..LABELS.len()).collect();
    let (bytes, _) = truth(&table, |_| true, &all, &Dialect::default());
    let answer = run(&people, &spec(bytes, None, usual()));
    assert_eq!(answer.candidates[0].predicates, vec![]);
    assert_eq!(answer.candidates[0].columns, LABELS);
    let (predicates, keep) = filter(3);
    let (bytes, _) = truth(&table, keep, &[0, 1, 4], &Dialect::default());
    let mut spec = spec(bytes, None, vec![Candidate::new(Dialect::default())]);
    spec.known = vec![Known {
        name: "Customers".to_owned(),
        filter: predicates,
        columns: vec!["Full Name".to_owned(), "Email".to_owned(), "Phone".to_owned()],
        ..Known::default()
    }];
    let answer = run(&people, &spec);
    assert_eq!(answer.candidates[0].known.as_deref(), Some("Customers"));
    assert_eq!(answer.candidates[0].columns, ["Full Name", "Email", "Phone"]);
}

#[test]
fn all_ninety_dialects_give_their_own_exact_size() {
    let table = rows(300, 3);
    let people = people(&table);
    let columns = [0, 1, 2, 6];
    let names: Vec<String> = columns.iter().map(|c| LABELS[*c].to_owned()).collect();
    let dialects = usual();
    assert_eq!(dialects.len(), 90);
    let mut sizes = BTreeSet::new();
    for candidate in &dialects {
        let (bytes, kept) = truth(&table, |_| true, &columns, &candidate.dialect);
        sizes.insert(bytes);
        let mut spec = spec(bytes, Some(kept), usual());
        spec.max_predicates = 0;
        spec.columns = ColumnRule { exact: Some(names.clone()), ..ColumnRule::default() };
        let answer = run(&people, &spec);
        let id = candidate.id();
        let found = answer
            .candidates
            .iter()
            .any(|c| serde_json::to_value(&c.dialect).unwrap()["id"] == id.as_str());
        assert!(found, "{id}");
    }
    assert!(sizes.len() > 20, "dialects must move the size");
}

#[test]
fn column_rules_hold() {
    let table = rows(200, 5);
    let people = people(&table);
    let (bytes, _) = truth(&table, |_| true, &[0, 1], &Dialect::default());
    let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let mut spec = spec(bytes, None, vec![Candidate::new(Dialect::default())]);
    spec.columns.at_least = names(&["email"]);
    spec.columns.at_most = Some(names(&["full_name", "Email", "Phone"]));
    let answer = run(&people, &spec);
    assert!(answer.matched > 0);
    for candidate in &answer.candidates {
        assert!(candidate.columns.contains(&"Email".to_owned()));
        assert!(
            candidate.columns.iter().all(|c| ["Full Name", "Email", "Phone"].contains(&c.as_str()))
        );
    }
    spec.columns.at_most = Some(names(&["nonsense"]));
    let stop = AtomicBool::new(false);
    let error = search(&people, &spec, &Progress { tell: &|_| (), stop: &stop }).unwrap_err();
    assert!(error.to_string().contains("nonsense") && error.to_string().contains("Full Name"));
}

#[test]
fn measures_contain_the_truth() {
    let table = rows(300, 11);
    let people = people(&table);
    let all: Vec<usize> = (0..LABELS.len()).collect();
    let (body, _) = truth(&table, |_| true, &all, &Dialect::default());
    let tls = body + 700 + (body + 700).div_ceil(16_384) * 22 + 3000;
    let recorded = [
        (Measure::Body, body, Tolerance::Bytes(0)),
        (Measure::Http, body + 412, Tolerance::Bytes(0)),
        (Measure::Tls, tls, Tolerance::Bytes(0)),
        (Measure::Base64, body.div_ceil(3) * 4, Tolerance::Bytes(0)),
        (Measure::Rounded(1000), (body + 500) / 1000 * 1000, Tolerance::Bytes(0)),
        (Measure::Wrapped32, body, Tolerance::Bytes(0)),
        (Measure::AtLeast, body / 2, Tolerance::Bytes(0)),
        (Measure::Body, body + 40, Tolerance::Share(0.01)),
    ];
    for (measure, bytes, tolerance) in recorded {
        let target = Target { bytes, tolerance, rows: None, measure };
        let mut spec = SearchSpec::new(target, vec![Candidate::new(Dialect::default())]);
        spec.max_predicates = 0;
        spec.top = 1000;
        let answer = run(&people, &spec);
        let found = answer.candidates.iter().any(|c| c.bytes == body && c.columns == LABELS);
        assert!(found, "{measure:?}");
    }
}

#[test]
fn counters_over_four_gib_and_wrapped_ones() {
    let target = Target { bytes: 5 << 30, ..Target::default() };
    assert_eq!(target.windows(1 << 50)[0].from, 5 << 30);
    let wrapped = Target { bytes: 1 << 30, measure: Measure::Wrapped32, ..Target::default() };
    let windows = wrapped.windows(10 << 30);
    assert!(windows.iter().any(|window| window.from == 5 << 30));
}

#[test]
fn several_downloads_share_a_dialect() {
    let table = rows(300, 13);
    let people = people(&table);
    let odd = Dialect { delimiter: Delimiter::Semicolon, eol: Eol::Lf, ..Dialect::default() };
    let all: Vec<usize> = (0..LABELS.len()).collect();
    let (first, first_rows) = truth(&table, |_| true, &all, &odd);
    let (second, second_rows) = truth(&table, filter(1).1, &all, &odd);
    let mut alone = spec(first, Some(first_rows), usual());
    alone.max_predicates = 1;
    let before = run(&people, &alone).matched;
    let mut both = alone.clone();
    both.also = vec![Target { bytes: second, rows: Some(second_rows), ..Target::default() }];
    let answer = run(&people, &both);
    assert!(answer.matched <= before);
    assert_eq!(answer.also.len(), 1);
    let id = Candidate::new(odd).id();
    let has = |list: &[warifu_match::answer::Candidate]| {
        list.iter().any(|c| serde_json::to_value(&c.dialect).unwrap()["id"] == id.as_str())
    };
    assert!(has(&answer.candidates) && has(&answer.also[0].candidates));
}

#[test]
fn nothing_gives_an_impossible_size() {
    let people = people(&rows(50, 1));
    let answer = run(&people, &spec(1, None, usual()));
    assert_eq!((answer.matched, answer.candidates.len()), (0, 0));
    assert!(answer.exposure.is_none());
}

#[test]
fn date_ranges_and_the_time_of_the_download() {
    let mut builder = PeopleBuilder::new(vec![
        ColumnSpec::new("Name"),
        ColumnSpec { kind: warifu_match::ColumnKind::Timestamp, ..ColumnSpec::new("Created Date") },
    ]);
    let mut total = 0_u64;
    let mut rows = 0;
    let label = "Name,Created Date\r\n".len() as u64;
    for n in 0..2000_u64 {
        let (year, month, day) = (2020 + n % 4, n / 4 % 12 + 1, n * 7 % 28 + 1);
        let name = format!("Person {}", n * n);
        let created = format!("{year}-{month:02}-{day:02}T10:00:00Z");
        if ("2021-03-05".."2022-07-21").contains(&&created[..10]) {
            total += (name.len() + created.len() + 3) as u64;
            rows += 1;
        }
        builder.push(&[Some(&name), Some(&created)]).unwrap();
    }
    let people = builder.finish();
    let answer =
        run(&people, &spec(total + label, Some(rows), vec![Candidate::new(Dialect::default())]));
    // A day more or less is the same people when nobody was created then.
    let truth = |p: &Predicate| {
        p.op == Op::Between
            && p.column == "Created Date"
            && ("2021-02-28".."2021-03-10").contains(&p.values()[0].as_str())
            && ("2022-07-14".."2022-07-23").contains(&p.values()[1].as_str())
    };
    let found = answer
        .candidates
        .iter()
        .any(|candidate| candidate.columns.len() == 2 && candidate.predicates.iter().any(truth));
    assert!(found, "{} candidates", answer.matched);
    // What is not tried is named.
    let left = &answer.searched.not_searched;
    assert!(left.iter().any(|left| left.contains("Created Date together with")), "{left:?}");
}
