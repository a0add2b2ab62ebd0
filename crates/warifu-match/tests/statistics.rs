//! Tables, filters, columns and dialects chosen at random: how often the truth is found, and where it
//! stands in the list. Run with `--nocapture` to read the numbers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod checked;

use std::collections::BTreeSet;

use checked::{Row, Seen, Truth, holds, run, unfiltered_first};
use warifu_domain::dialect::RowWriter;
use warifu_match::{
    ColumnKind, ColumnSpec, People, PeopleBuilder, SearchSpec,
    definition::{Format, Known, Op, Operand, Predicate},
    dialects::{Candidate, usual},
    json_lines::JsonLines,
    target::Target,
};

/// xorshift64*; the test is the same every time.
struct Random(u64);

impl Random {
    fn below(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % below
    }

    fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len() as u64) as usize]
    }
}

/// Column kinds; the label is kind and number.
const KINDS: [&str; 6] = ["Name", "Mail", "List", "Sparse", "Date", "Text"];

fn table(random: &mut Random, least: u64) -> (Vec<String>, Vec<Row>) {
    let mut labels = vec!["Full Name".to_owned(), "Email".to_owned()];
    let mut kinds = vec![0, 1];
    for number in 0..4 + random.below(5) {
        let kind = 2 + random.below(4) as usize;
        kinds.push(kind);
        labels.push(format!("{} {number}", KINDS[kind]));
    }
    let share: Vec<u64> = kinds.iter().map(|_| 2 + random.below(9)).collect();
    let few: Vec<u64> = kinds.iter().map(|_| 2 + random.below(8)).collect();
    let words =
        ["Ann", "佐藤", "José", "a, b", "x;y", "\"q\"", "O'Neil", "Łódź", "back\\slash", ""];
    let rows = least + random.below(least);
    let table = (0..rows).map(|_| {
        let cells = kinds.iter().enumerate().map(|(at, kind)| match kind {
            0 => Some(format!(
                "{} {} {}",
                random.pick(&words),
                random.pick(&words),
                random.below(1 << 20)
            )),
            1 => Some(format!("u{}@d{}.example", random.below(1 << 24), random.below(6))),
            2 => Some(format!("value {}", "x".repeat(random.below(few[at]) as usize))),
            3 => (random.below(12) < share[at])
                .then(|| format!("s{}", "y".repeat(random.below(9) as usize))),
            4 => (random.below(12) < share[at] + 2).then(|| {
                let (year, month, day) =
                    (2018 + random.below(5), 1 + random.below(12), 1 + random.below(28));
                format!("{year}-{month:02}-{day:02}T{:02}:00:00Z", random.below(24))
            }),
            _ => (random.below(12) < share[at])
                .then(|| format!("{}{}", random.pick(&words), random.below(1 << 16))),
        });
        cells.collect()
    });
    let table = table.collect();
    (labels, table)
}

/// Predicates that the search says it looks for, on a column.
fn predicate(random: &mut Random, label: &str, table: &[Row], column: usize) -> Option<Predicate> {
    let filled =
        table.iter().filter(|row| row[column].as_deref().is_some_and(|v| !v.is_empty())).count();
    let some_blank = filled > 0 && filled < table.len();
    match label.split(' ').next()? {
        "Email" => Some(Predicate::one(label, Op::Domain, format!("d{}.example", random.below(6)))),
        "List" => {
            let values: BTreeSet<&str> =
                table.iter().filter_map(|row| row[column].as_deref()).collect();
            let values: Vec<&str> = values.into_iter().collect();
            let one = *random.pick(&values);
            match random.below(3) {
                0 if (3..=6).contains(&values.len()) => Some(Predicate::one(label, Op::IsNot, one)),
                1 if (4..=6).contains(&values.len()) => {
                    let two = values.iter().find(|v| **v != one)?;
                    let mut value = vec![one.to_owned(), (*two).to_owned()];
                    value.sort();
                    Some(Predicate {
                        column: label.to_owned(),
                        op: Op::In,
                        value: Operand::Many(value),
                    })
                }
                _ => Some(Predicate::one(label, Op::Is, one)),
            }
        }
        "Date" if random.below(3) > 0 => {
            let year = 2019 + random.below(3);
            let start = format!("{year}-01-01");
            Some(match random.below(3) {
                0 => Predicate::one(label, Op::Before, start),
                1 => Predicate::one(label, Op::From, start),
                _ => {
                    let value = Operand::Many(vec![start, format!("{}-01-01", year + 1)]);
                    Predicate { column: label.to_owned(), op: Op::Between, value }
                }
            })
        }
        _ if some_blank => {
            Some(Predicate::bare(label, if random.below(2) == 0 { Op::Filled } else { Op::Blank }))
        }
        _ => None,
    }
}

fn people(labels: &[String], table: &[Row]) -> People {
    let spec = |label: &String| {
        let kind = if label.starts_with("Date") { ColumnKind::Timestamp } else { ColumnKind::Text };
        ColumnSpec { kind, ..ColumnSpec::new(label.clone()) }
    };
    let mut builder = PeopleBuilder::new(labels.iter().map(spec).collect());
    for row in table {
        let fields: Vec<Option<&str>> = row.iter().map(Option::as_deref).collect();
        builder.push(&fields).unwrap();
    }
    builder.finish()
}

fn size(
    way: &Candidate,
    labels: &[String],
    table: &[Row],
    columns: &[usize],
    inside: &BTreeSet<usize>,
) -> u64 {
    let names: Vec<&str> = columns.iter().map(|c| labels[*c].as_str()).collect();
    let mut out = Vec::new();
    if way.format_name() == "jsonl" {
        let json = JsonLines::default();
        for row in inside {
            let cells = columns.iter().map(|c| (labels[*c].as_str(), table[*row][*c].as_deref()));
            json.row(cells, &mut out);
        }
        return out.len() as u64;
    }
    let mut writer = RowWriter::new(&way.dialect, &names);
    writer.header(&mut out);
    for row in inside {
        writer.row(columns.iter().map(|c| table[*row][*c].as_deref()), &mut out);
    }
    writer.finish(&mut out);
    out.len() as u64
}

fn domain(row: &Row) -> Option<String> {
    row[1].as_deref().and_then(|mail| mail.split('@').nth(1)).map(str::to_owned)
}

/// Filter, columns and dialect of one case.
struct Case {
    filter: Vec<Predicate>,
    truth: Truth,
    way: Candidate,
}

fn case(random: &mut Random, labels: &[String], table: &[Row], ways: &[Candidate]) -> Option<Case> {
    let mut filter: Vec<Predicate> = Vec::new();
    for _ in 0..random.below(4) {
        let column = random.below(labels.len() as u64) as usize;
        if filter.iter().all(|p| p.column != labels[column]) {
            filter.extend(predicate(random, &labels[column], table, column));
        }
    }
    let inside: BTreeSet<usize> =
        (0..table.len()).filter(|row| holds(labels, &table[*row], &filter)).collect();
    let mask = 1 + random.below((1 << labels.len()) - 1);
    let columns: Vec<usize> =
        (0..labels.len()).filter(|column| mask & (1 << column) != 0).collect();
    // Files of one column have a rule, and a test, of their own.
    if inside.is_empty() || columns.len() < 2 {
        return None;
    }
    let way = random.pick(ways).clone();
    let bytes = size(&way, labels, table, &columns, &inside);
    let columns = columns.iter().map(|c| labels[*c].clone()).collect();
    Some(Case { filter, truth: Truth { bytes, columns, people: inside }, way })
}

fn all_ways() -> Vec<Candidate> {
    let mut ways = usual();
    ways.push(Candidate::json_lines(JsonLines::default()));
    ways
}

fn spec(case: &Case, rows: bool) -> SearchSpec {
    let rows = rows.then(|| case.truth.rows());
    let target = Target { bytes: case.truth.bytes, rows, ..Target::default() };
    let way = Candidate { cost: 0.0, ..case.way.clone() };
    SearchSpec { top: 1_000_000, threads: 1, ..SearchSpec::new(target, vec![way]) }
}

/// Small tables, where nearly every size has many explanations: the truth is one of them.
#[test]
fn the_truth_is_always_among_the_candidates() {
    let mut random = Random(20_230_928);
    let (mut seen, ways) = (Seen::default(), all_ways());
    while seen.cases < 48 {
        let (labels, table) = table(&mut random, 100);
        let people = people(&labels, &table);
        for _ in 0..8 {
            let Some(case) = case(&mut random, &labels, &table, &ways) else { continue };
            let answer = run(&people, &spec(&case, false));
            let rank = case.truth.rank(&labels, &table, &answer);
            assert!(rank.is_some(), "{:?} {} of {}", case.filter, case.way.id(), answer.matched);
            assert_eq!(answer.matched, answer.candidates.len() as u64, "the list is complete");
            case.truth.never_contradicted(&answer, &table, domain);
            seen.cases += 1;
            seen.found += 1;
            seen.exact += 1;
            seen.candidates.push(answer.matched);
        }
    }
    seen.print("up to 200 people, size alone");
}

/// Tables large enough that sizes begin to tell definitions apart. `WARIFU_STATISTICS=ROWS,CASES,SEED`
/// asks for other tables; bench/match/README.md lists what came out.
#[test]
#[allow(clippy::print_stderr, reason = "the numbers are what the test is read for")]
fn with_the_row_count_the_truth_is_near_the_top() {
    let asked = std::env::var("WARIFU_STATISTICS").unwrap_or_else(|_| "15000,60,42".to_owned());
    let asked: Vec<u64> =
        asked.split(',').map(|number| number.parse().expect("a number")).collect();
    let [least, cases, seed] = asked[..] else { panic!("ROWS,CASES,SEED") };
    let mut random = Random(seed);
    let (mut seen, mut any_way) = (Seen::default(), Seen::default());
    let ways = all_ways();
    let mut size_alone = 0;
    while seen.cases < cases {
        let (labels, table) = table(&mut random, least);
        let people = people(&labels, &table);
        for _ in 0..10 {
            let Some(case) = case(&mut random, &labels, &table, &ways) else { continue };
            let mut spec = spec(&case, true);
            let answer = run(&people, &spec);
            let rank = case.truth.rank(&labels, &table, &answer).expect("found");
            case.truth.never_contradicted(&answer, &table, domain);
            seen.cases += 1;
            seen.found += 1;
            seen.exact += 1;
            seen.ranked(rank, &answer, case.filter.is_empty());
            if case.filter.is_empty() {
                // Nothing known but the size.
                let answer = run(&people, &self::spec(&case, false));
                let rank = case.truth.rank(&labels, &table, &answer).expect("found");
                size_alone += u64::from(unfiltered_first(rank, &answer));
            }
            // In any of the dialects, JSON Lines among them.
            let open = SearchSpec { dialects: ways.clone(), ..spec.clone() };
            let answer = run(&people, &open);
            let rank = case.truth.rank(&labels, &table, &answer).expect("found in all dialects");
            case.truth.never_contradicted(&answer, &table, domain);
            any_way.cases += 1;
            any_way.found += 1;
            any_way.exact += 1;
            any_way.ranked(rank, &answer, case.filter.is_empty());
            // Saved by somebody, and the row count not known.
            spec.target.rows = None;
            spec.top = 20;
            let format =
                if case.way.format_name() == "jsonl" { Format::Jsonl } else { Format::Csv };
            let columns = case.truth.columns.clone();
            spec.known = vec![
                Known { name: "other".into(), columns: columns[..1].to_vec(), ..Known::default() },
                Known {
                    name: "saved".into(),
                    filter: case.filter.clone(),
                    columns,
                    format,
                    ..Known::default()
                },
            ];
            let answer = run(&people, &spec);
            assert_eq!(answer.candidates[0].known.as_deref(), Some("saved"), "{:?}", case.filter);
            assert_eq!(case.truth.rank(&labels, &table, &answer), Some(0));
            seen.saved_first += 1;
        }
    }
    eprintln!("unfiltered first by its size alone in {size_alone} of {}", seen.unfiltered);
    seen.print(&format!("from {least} people, dialect known"));
    any_way.print(&format!("from {least} people, 91 ways of writing"));
    for seen in [&seen, &any_way] {
        assert!(seen.in_ten * 100 >= seen.with_rows * 95);
        assert_eq!(seen.unfiltered_first, seen.unfiltered);
    }
    assert_eq!(size_alone, seen.unfiltered);
}
