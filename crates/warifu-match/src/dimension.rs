//! A column as the few classes that the predicates on it can tell apart.

use rustc_hash::FxHashMap;

use crate::{
    definition::{Op, Predicate},
    moment::parse_moment,
    people::{Codes, People, Segment, Shapes},
    shape::{EMPTY, NULL},
};

/// A predicate and the classes for which it holds.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub predicate: Predicate,
    pub classes: Vec<u16>,
    /// How unlikely, in powers of two.
    pub cost: f32,
}

impl Choice {
    /// Whether the predicate holds for a class; `classes` ascend, and those of dates have no gap.
    #[inline]
    pub(crate) fn holds(&self, class: u16) -> bool {
        let (Some(first), Some(last)) = (self.classes.first(), self.classes.last()) else {
            return false;
        };
        let inside = (*first..=*last).contains(&class);
        let whole = usize::from(last - first) + 1 == self.classes.len();
        inside && (whole || self.classes.binary_search(&class).is_ok())
    }
}

#[derive(Clone, Debug)]
enum Classes {
    /// Per code of the column's values; blank is class 0.
    Values(Vec<u16>),
    /// Class `n` lies before the n-th of these instants (from 1); blank is class 0.
    Moments(Vec<i64>),
    /// Blank 0, filled 1.
    Filled,
}

/// Predicates on one column, no two of which are combined by the search.
#[derive(Clone, Debug)]
pub(crate) struct Dimension {
    pub column: usize,
    pub choices: Vec<Choice>,
    pub count: usize,
    classes: Classes,
}

/// A predicate that the people cannot answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadPredicate(pub String);

impl Dimension {
    /// A dimension of `predicates`, all on `column`.
    pub(crate) fn new(
        people: &People,
        column: usize,
        predicates: Vec<(Predicate, f32)>,
    ) -> Result<Self, BadPredicate> {
        let meta = &people.columns[column];
        let only_blank = predicates.iter().all(|(p, _)| matches!(p.op, Op::Blank | Op::Filled));
        if only_blank {
            let choices = predicates.into_iter().map(|(predicate, cost)| {
                let classes = vec![u16::from(predicate.op == Op::Filled)];
                Choice { predicate, classes, cost }
            });
            let choices = choices.collect();
            return Ok(Self { column, choices, count: 2, classes: Classes::Filled });
        }
        let wants_moments =
            predicates.iter().any(|(p, _)| matches!(p.op, Op::Before | Op::From | Op::Between));
        if wants_moments {
            return Self::of_moments(people, column, predicates);
        }
        let Some(values) = &meta.values else {
            return Err(BadPredicate(format!(
                "{:?} has too many different values (or is a date); name it in a definition so that \
                 its values are kept, or use blank and filled",
                meta.name
            )));
        };
        let holds = |predicate: &Predicate, value: Option<&str>| {
            let value = value.filter(|text| !text.is_empty());
            let listed = value.is_some_and(|value| predicate.values().iter().any(|v| v == value));
            match predicate.op {
                Op::Blank => value.is_none(),
                Op::Filled => value.is_some(),
                Op::IsNot => !listed,
                _ => listed,
            }
        };
        let mut classes: FxHashMap<Vec<bool>, u16> = FxHashMap::default();
        let mut rows: Vec<Vec<bool>> = Vec::new();
        let mut class_of = |value: Option<&str>| {
            let signature: Vec<bool> = predicates.iter().map(|(p, _)| holds(p, value)).collect();
            *classes.entry(signature.clone()).or_insert_with(|| {
                rows.push(signature);
                rows.len() as u16 - 1
            })
        };
        class_of(None);
        let table: Vec<u16> = values.iter().map(|(value, _)| class_of(Some(value))).collect();
        let choices = predicates.iter().enumerate().map(|(index, (predicate, cost))| Choice {
            predicate: predicate.clone(),
            classes: (0..rows.len()).filter(|c| rows[*c][index]).map(|c| c as u16).collect(),
            cost: *cost,
        });
        let choices = choices.collect();
        Ok(Self { column, choices, count: rows.len(), classes: Classes::Values(table) })
    }

    fn of_moments(
        people: &People,
        column: usize,
        predicates: Vec<(Predicate, f32)>,
    ) -> Result<Self, BadPredicate> {
        let meta = &people.columns[column];
        if !meta.moments {
            return Err(BadPredicate(format!("{:?} is no column of dates", meta.name)));
        }
        let mut bounds = Vec::new();
        let mut ranges = Vec::new();
        for (predicate, _) in &predicates {
            let mut instants = Vec::new();
            for value in predicate.values() {
                let instant = parse_moment(value.as_bytes()).ok_or_else(|| {
                    BadPredicate(format!(
                        "{value:?} is no date; write 2023-09-28 or 2023-09-28T15:06Z"
                    ))
                })?;
                instants.push(instant);
            }
            let range = match (predicate.op, instants.as_slice()) {
                (Op::Blank, _) => None,
                (Op::Filled, _) => Some((i64::MIN, i64::MAX)),
                (Op::Before, [until]) => Some((i64::MIN, *until)),
                (Op::From, [from]) => Some((*from, i64::MAX)),
                (Op::Between, [from, until]) => Some((*from, *until)),
                _ => {
                    let words = predicate.words(crate::definition::Language::English);
                    return Err(BadPredicate(format!("dates know <, >=, between: {words}")));
                }
            };
            bounds.extend(instants);
            ranges.push(range);
        }
        bounds.sort_unstable();
        bounds.dedup();
        let count = bounds.len() + 2;
        let choices = predicates.into_iter().zip(ranges).map(|((predicate, cost), range)| {
            let classes = match range {
                None => vec![0],
                Some((from, until)) => (1..count)
                    .filter(|class| {
                        let start = if *class == 1 { i64::MIN } else { bounds[class - 2] };
                        start >= from && start < until || from == i64::MIN && *class == 1
                    })
                    .map(|class| class as u16)
                    .collect(),
            };
            Choice { predicate, classes, cost }
        });
        let choices = choices.collect();
        Ok(Self { column, choices, count, classes: Classes::Moments(bounds) })
    }

    /// Adds `class × stride` to the key of every row of `segment`; class 0 needs nothing.
    pub(crate) fn add_keys(
        &self,
        people: &People,
        segment: &Segment,
        stride: u64,
        keys: &mut [u64],
    ) {
        let Some(cells) = segment.columns.get(self.column) else { return };
        match &self.classes {
            Classes::Filled => {
                cells.shapes.for_each(|_, row, shape| {
                    if let Some(key) = keys.get_mut(row) {
                        *key += stride * u64::from(shape != EMPTY);
                    }
                });
            }
            Classes::Moments(bounds) => {
                // Few bounds are compared one by one, without a branch to be guessed wrong.
                let few = bounds.len() <= 8;
                let class = |moment: i64| {
                    let after = if few {
                        bounds.iter().map(|bound| u64::from(*bound <= moment)).sum()
                    } else {
                        bounds.partition_point(|bound| *bound <= moment) as u64
                    };
                    stride * (after + 1) * u64::from(moment != i64::MIN)
                };
                if cells.moments.len() == keys.len() {
                    for (key, moment) in keys.iter_mut().zip(&cells.moments) {
                        *key += class(*moment);
                    }
                    return;
                }
                each_nth(&cells.shapes, keys, |nth| {
                    class(cells.moments.get(nth).copied().unwrap_or(i64::MIN))
                });
            }
            Classes::Values(table) => {
                let tables = people.tables.get(segment.tables);
                let Some(codes) = tables.and_then(|t| t.columns.get(self.column)) else { return };
                let class = |code: &u32| table.get(*code as usize).copied().unwrap_or(0);
                let local: Vec<u64> =
                    codes.codes.iter().map(|code| stride * u64::from(class(code))).collect();
                let step = |code: usize| local.get(code).copied().unwrap_or(0);
                match &cells.codes {
                    // Nobody's value is missing: straight through.
                    Codes::Narrow(codes) if codes.len() == keys.len() => {
                        for (key, code) in keys.iter_mut().zip(codes) {
                            *key += step(usize::from(*code));
                        }
                    }
                    codes => each_nth(&cells.shapes, keys, |nth| {
                        codes.get(nth).map_or(0, |code| step(code as usize))
                    }),
                }
            }
        }
    }
}

/// Adds `step(nth)` to the key of the row of the nth cell that is not missing. Which cells are missing
/// cannot be guessed, so that it is multiplied instead of asked.
#[inline]
fn each_nth(shapes: &Shapes, keys: &mut [u64], step: impl Fn(usize) -> u64) {
    match shapes {
        Shapes::Dense(shapes) => {
            let mut nth = 0;
            for (key, shape) in keys.iter_mut().zip(shapes) {
                let filled = usize::from(*shape != NULL);
                *key += step(nth) * filled as u64;
                nth += filled;
            }
        }
        Shapes::Sparse(cells) => {
            for (nth, (row, _)) in cells.iter().enumerate() {
                if let Some(key) = keys.get_mut(*row as usize) {
                    *key += step(nth);
                }
            }
        }
    }
}
