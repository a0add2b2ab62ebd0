//! Predicates that the data themselves suggest.

use std::collections::BTreeMap;

use warifu_domain::dialect::write_timestamp;

use crate::{
    definition::{Op, Operand, Predicate},
    moment::{days, year_of},
    people::{Meaning, People},
};

const DAY: i64 = 86_400_000_000;
/// A column with up to so many values offers each; beyond, the commonest.
const EACH: usize = 16;
const DOMAINS: usize = 8;

/// Predicates per column; `fine` ones (quarters, months) are only worth a pass of their own.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub coarse: BTreeMap<usize, Vec<(Predicate, f32)>>,
    pub fine: BTreeMap<usize, Vec<(Predicate, f32)>>,
}

/// A day since 1970 as `2023-09-28`.
pub(crate) fn day_text(day: i64) -> String {
    let mut text = Vec::new();
    write_timestamp(day * DAY, &mut text);
    text.truncate(10);
    String::from_utf8(text).unwrap_or_default()
}

fn instant_text(micros: i64) -> String {
    let mut text = Vec::new();
    write_timestamp(micros, &mut text);
    String::from_utf8(text).unwrap_or_default()
}

/// All predicates worth trying on `people`; `at` is the time of the download, if known, in
/// microseconds.
pub(crate) fn discover(people: &People, at: Option<i64>) -> Found {
    let mut found = Found::default();
    for (index, column) in people.columns.iter().enumerate() {
        let name = column.name.as_str();
        let filled = column.filled - column.empty;
        let mut coarse: Vec<(Predicate, f32)> = Vec::new();
        if column.moments {
            dates(name, (column.first_moment, column.last_moment), at, &mut coarse);
            let mut fine = Vec::new();
            months(name, (column.first_moment, column.last_moment), &mut fine);
            if !fine.is_empty() {
                found.fine.insert(index, fine);
            }
        } else if let Some(values) = &column.values {
            let mut values: Vec<(&str, u64)> = values
                .iter()
                .filter(|(value, count)| !value.is_empty() && *count > 0)
                .map(|(value, count)| (value.as_str(), *count))
                .collect();
            values.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
            if column.meaning == Meaning::Email {
                for (domain, _) in values.iter().take(DOMAINS) {
                    coarse.push((Predicate::one(name, Op::Domain, *domain), 3.0));
                }
            } else {
                of_values(name, &values, people.rows, &mut coarse);
            }
        }
        if filled > 0 && filled < people.rows {
            coarse.push((Predicate::bare(name, Op::Filled), 2.0));
            coarse.push((Predicate::bare(name, Op::Blank), 2.0));
        }
        if !coarse.is_empty() {
            found.coarse.insert(index, coarse);
        }
    }
    found
}

fn of_values(name: &str, values: &[(&str, u64)], rows: u64, out: &mut Vec<(Predicate, f32)>) {
    let only_value = values.len() == 1 && values[0].1 == rows;
    // A value that is nearly unique says nothing about reports; it is somebody's name.
    if values.is_empty() || only_value || values.len() > EACH && values[0].1 * 200 < rows {
        return;
    }
    for (value, _) in values.iter().take(EACH) {
        out.push((Predicate::one(name, Op::Is, *value), 1.0));
    }
    if (3..=6).contains(&values.len()) {
        for (value, _) in values {
            out.push((Predicate::one(name, Op::IsNot, *value), 2.0));
        }
    }
    if (4..=6).contains(&values.len()) {
        for (index, (first, _)) in values.iter().enumerate() {
            for (second, _) in &values[index + 1..] {
                let value = Operand::Many(vec![(*first).to_owned(), (*second).to_owned()]);
                out.push((Predicate { column: name.to_owned(), op: Op::In, value }, 2.5));
            }
        }
    }
}

fn between(name: &str, from: i64, until: i64) -> Predicate {
    let value = Operand::Many(vec![day_text(from), day_text(until)]);
    Predicate { column: name.to_owned(), op: Op::Between, value }
}

fn dates(name: &str, span: (i64, i64), at: Option<i64>, out: &mut Vec<(Predicate, f32)>) {
    let (first, last) = (year_of(span.0), year_of(span.1));
    if last - first < 40 {
        for year in first..=last {
            let start = days(year, 1, 1);
            out.push((between(name, start, days(year + 1, 1, 1)), 2.0));
            if year > first {
                out.push((Predicate::one(name, Op::Before, day_text(start)), 2.5));
                out.push((Predicate::one(name, Op::From, day_text(start)), 2.5));
            }
        }
    }
    let Some(at) = at else { return };
    for count in [30, 90, 365] {
        let midnight = day_text(at.div_euclid(DAY) - count);
        out.push((Predicate::one(name, Op::From, midnight), 1.5));
        out.push((Predicate::one(name, Op::From, instant_text(at - count * DAY)), 2.0));
    }
    if span.1 > at {
        out.push((Predicate::one(name, Op::Before, instant_text(at)), 0.5));
    }
}

fn months(name: &str, span: (i64, i64), out: &mut Vec<(Predicate, f32)>) {
    let (first, last) = (year_of(span.0), year_of(span.1));
    if last - first >= 20 {
        return;
    }
    for year in first..=last {
        for month in 1..=12 {
            let (start, end) = (days(year, month, 1), days(year + month / 12, month % 12 + 1, 1));
            if end * DAY > span.0 && start * DAY <= span.1 {
                out.push((between(name, start, end), 3.0));
                if month % 3 == 1 {
                    let end = days(year + (month + 2) / 12, (month + 2) % 12 + 1, 1);
                    out.push((between(name, start, end), 3.0));
                }
            }
        }
    }
}
