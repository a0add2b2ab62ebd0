//! What is true of a file, and whether an answer agrees with it: everything worked out the slow,
//! obvious way.
#![allow(dead_code, reason = "each test binary uses a part")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::AtomicBool,
};

use warifu_match::{
    People, SearchSpec,
    answer::{Answer, Candidate},
    definition::{Op, Predicate},
    search::{Progress, search},
};

pub type Row = Vec<Option<String>>;

pub fn run(people: &People, spec: &SearchSpec) -> Answer {
    let stop = AtomicBool::new(false);
    search(people, spec, &Progress { tell: &|_| (), stop: &stop }).unwrap()
}

/// Dates are ISO texts in UTC here, so that texts compare as the instants do.
pub fn holds(labels: &[String], row: &Row, predicates: &[Predicate]) -> bool {
    predicates.iter().all(|predicate| {
        let column = labels.iter().position(|label| *label == predicate.column).unwrap();
        let value = row[column].as_deref().filter(|text| !text.is_empty());
        let values = predicate.values();
        let listed = value.is_some_and(|v| values.iter().any(|p| p == v));
        match predicate.op {
            Op::Is | Op::In => listed,
            Op::IsNot => !listed,
            Op::Blank => value.is_none(),
            Op::Filled => value.is_some(),
            Op::Domain => value.is_some_and(|v| v.ends_with(&format!("@{}", values[0]))),
            Op::Before => value.is_some_and(|v| v < values[0].as_str()),
            Op::From => value.is_some_and(|v| v >= values[0].as_str()),
            Op::Between => value.is_some_and(|v| v >= values[0].as_str() && v < values[1].as_str()),
        }
    })
}

/// A file, and what is in it.
pub struct Truth {
    pub bytes: u64,
    pub columns: Vec<String>,
    /// Numbers of the rows in it.
    pub people: BTreeSet<usize>,
}

impl Truth {
    pub fn rows(&self) -> u64 {
        self.people.len() as u64
    }

    /// The place of the true definition in the list (by its people and columns, whatever the filter
    /// is called), from 0.
    pub fn rank(&self, labels: &[String], table: &[Row], answer: &Answer) -> Option<usize> {
        answer.candidates.iter().position(|candidate| {
            candidate.columns == self.columns
                && candidate.rows == self.rows()
                && candidate.bytes == self.bytes
                && table.iter().enumerate().all(|(number, row)| {
                    holds(labels, row, &candidate.predicates) == self.people.contains(&number)
                })
        })
    }

    /// What the answer calls certain, possible or excluded must leave room for the truth.
    /// `organization`: what of a row tells its organization.
    pub fn never_contradicted(
        &self,
        answer: &Answer,
        table: &[Row],
        organization: impl Fn(&Row) -> Option<String>,
    ) {
        let (certain, possible, excluded) = (&answer.certain, &answer.possible, &answer.excluded);
        for column in &certain.columns {
            assert!(self.columns.contains(column), "{column} is not certain");
        }
        for column in &excluded.columns {
            assert!(!self.columns.contains(column), "{column} is not excluded");
        }
        let rows = self.rows();
        assert!((certain.people_at_least..=certain.people_at_most).contains(&rows));
        assert!(certain.people <= rows);
        assert!(excluded.people <= table.len() as u64 - rows);
        assert_eq!(certain.people + possible.people + excluded.people, table.len() as u64);
        let mut inside: BTreeMap<String, bool> = BTreeMap::new();
        for (number, row) in table.iter().enumerate() {
            if let Some(name) = organization(row) {
                *inside.entry(name).or_default() |= self.people.contains(&number);
            }
        }
        for name in &certain.organizations.names {
            assert_eq!(inside.get(name), Some(&true), "{name} is not certain");
        }
        for name in &excluded.organizations.names {
            assert_eq!(inside.get(name), Some(&false), "{name} is not excluded");
        }
        let named = certain.organizations.count
            + possible.organizations.count
            + excluded.organizations.count;
        assert_eq!(named, inside.len() as u64, "every organization is in one of the three");
    }
}

/// Whether nothing but an equal stands before the true definition, which is without a filter and at
/// `rank`. Sizes cannot tell two columns apart that are filled as often with texts as long (two columns
/// of dates, say): everybody's report with the one is then as good as with the other, and that has to
/// be said.
pub fn unfiltered_first(rank: usize, answer: &Answer) -> bool {
    let truth = &answer.candidates[rank];
    let equal = |c: &Candidate| c.predicates.is_empty() && c.bytes == truth.bytes;
    let likelier = answer.candidates[0].prior > truth.prior;
    let said = likelier || answer.ties >= rank as u64;
    answer.candidates[..rank].iter().all(equal) && said
}

/// What a statistics test saw.
#[derive(Debug, Default)]
pub struct Seen {
    pub cases: u64,
    pub found: u64,
    pub exact: u64,
    pub with_rows: u64,
    pub first: u64,
    pub in_ten: u64,
    pub unique: u64,
    pub unfiltered: u64,
    pub unfiltered_first: u64,
    pub saved_first: u64,
    pub candidates: Vec<u64>,
    pub candidates_with_rows: Vec<u64>,
}

impl Seen {
    #[allow(clippy::print_stderr, reason = "the numbers are what the test is read for")]
    pub fn print(&mut self, what: &str) {
        let median = |list: &mut Vec<u64>| {
            list.sort_unstable();
            list.get(list.len() / 2).copied().unwrap_or_default()
        };
        let (all, rows) = (median(&mut self.candidates), median(&mut self.candidates_with_rows));
        eprintln!(
            "{what}: {} cases, the truth among the candidates in {} ({} with its exact size); median \
             candidates {all}; with the row count {rows}: first in {} of {}, in the first ten in {}, \
             the only one in {}; unfiltered first in {} of {}; saved \
             first in {}",
            self.cases,
            self.found,
            self.exact,
            self.first,
            self.with_rows,
            self.in_ten,
            self.unique,
            self.unfiltered_first,
            self.unfiltered,
            self.saved_first,
        );
    }

    /// Counts one answer given with the row count.
    pub fn ranked(&mut self, rank: usize, answer: &Answer, unfiltered: bool) {
        self.with_rows += 1;
        self.candidates_with_rows.push(answer.matched);
        self.first += u64::from(rank == 0);
        self.in_ten += u64::from(rank < 10);
        self.unique += u64::from(answer.matched == 1);
        if answer.matched == 1 {
            assert_eq!(rank, 0);
        }
        if unfiltered {
            self.unfiltered += 1;
            self.unfiltered_first += u64::from(unfiltered_first(rank, answer));
        }
    }
}
