//! Saved and logged definitions as the match knows them, and candidates back as definitions.

use crate::AppError;
use crate::reports::json_lines;
use warifu_domain::Timestamp;
use warifu_domain::dialect::Dialect;
use warifu_domain::reports::{
    CompiledFilter, Condition, Definition, Filter, Format, Literal, Op, Subject,
};
use warifu_match::definition::{
    Format as FileKind, Known, Op as MatchOp, Operand, OrderKey, Predicate,
};
use warifu_match::dialects::{Candidate as DialectCandidate, FileFormat};

/// A filter that the match's predicates cannot say (a negation, an alternative, a part of a text).
/// It becomes a column of its own, so that it takes part in the search exactly as it decides.
pub(super) struct Marker {
    /// Label of the column.
    pub column: String,
    pub filter: CompiledFilter,
    /// As it was saved.
    pub source: Filter,
}

/// What is known before the search.
#[derive(Default)]
pub(super) struct KnownReports {
    pub known: Vec<Known>,
    pub markers: Vec<Marker>,
    /// Labels whose values must all be kept.
    pub keep: Vec<String>,
    /// How files of this installation are written.
    pub dialects: Vec<DialectCandidate>,
    /// The definition behind each of `known`.
    pub sources: Vec<Definition>,
    /// Definitions that cannot take part, and why.
    pub left_out: Vec<String>,
}

/// Each marker is a column of the search; more would crowd out what the data suggest.
const MOST_MARKERS: usize = 24;

impl KnownReports {
    pub(super) fn new() -> KnownReports {
        let own = DialectCandidate::new(Dialect::default());
        let json = DialectCandidate { cost: 1.0, ..DialectCandidate::json_lines(json_lines()) };
        KnownReports { dialects: vec![own, json], ..KnownReports::default() }
    }

    /// Takes in a definition; `logged` when it was run.
    pub(super) fn add(&mut self, name: &str, definition: &Definition, logged: bool) {
        if definition.subject != Subject::People {
            return;
        }
        let cost = if logged { 0.0 } else { 0.25 };
        match &definition.format {
            // Searched by its columns and people, or written.
            Format::JsonLines => {
                let json = |c: &&mut DialectCandidate| c.format_name() == "jsonl";
                if let Some(candidate) = self.dialects.iter_mut().find(json) {
                    candidate.cost = candidate.cost.min(cost);
                }
            }
            Format::Xlsx => {}
            Format::Csv(dialect) => {
                let have = |c: &DialectCandidate| {
                    c.format == FileFormat::Delimited && c.dialect == *dialect
                };
                if !self.dialects.iter().any(have) {
                    self.dialects.push(DialectCandidate {
                        convert_timestamps: true,
                        cost,
                        ..DialectCandidate::new(dialect.clone())
                    });
                }
            }
        }
        let filter = match predicates(&definition.filter) {
            Some(filter) => filter,
            None => match self.marker(name, &definition.filter) {
                Some(predicate) => vec![predicate],
                None => return,
            },
        };
        let named = filter.iter().filter(|p| {
            matches!(p.op, MatchOp::Is | MatchOp::IsNot | MatchOp::In)
                && !self.keep.contains(&p.column)
        });
        let named: Vec<String> = named.map(|p| p.column.clone()).collect();
        self.keep.extend(named);
        let columns = definition.labels().into_iter().map(str::to_owned).collect();
        let label = |key: &str| {
            let found = Subject::People.columns().iter().find(|c| c.key == key);
            found.map_or_else(|| key.to_owned(), |c| c.label.to_owned())
        };
        let order = definition
            .order
            .iter()
            .map(|key| OrderKey { column: label(&key.column), descending: key.descending });
        let known = Known {
            name: name.to_owned(),
            filter,
            columns,
            logged,
            order: order.collect(),
            limit: definition.limit,
            format: match definition.format {
                Format::Csv(_) => FileKind::Csv,
                Format::JsonLines => FileKind::Jsonl,
                Format::Xlsx => FileKind::Xlsx,
            },
            compression: None,
        };
        let mut have = self.known.iter().zip(&self.sources);
        if !have.any(|(k, s)| *k == known && s == definition) {
            self.known.push(known);
            self.sources.push(definition.clone());
        }
    }

    fn marker(&mut self, name: &str, filter: &Filter) -> Option<Predicate> {
        if let Some(have) = self.markers.iter().find(|m| m.source == *filter) {
            return Some(Predicate::bare(&have.column, MatchOp::Filled));
        }
        let compiled = filter.compile(Subject::People).ok()?;
        if self.markers.len() >= MOST_MARKERS {
            self.left_out.push(format!("{name}: too many saved filters of its kind"));
            return None;
        }
        let column = format!("In “{name}”");
        self.markers.push(Marker {
            column: column.clone(),
            filter: compiled,
            source: filter.clone(),
        });
        Some(Predicate::bare(&column, MatchOp::Filled))
    }

    /// The definition that a candidate is.
    ///
    /// # Errors
    /// When the candidate names what this installation does not have.
    pub(super) fn definition(&self, candidate: &serde_json::Value) -> Result<Definition, AppError> {
        let broken = |what: &str| AppError::Internal(format!("a candidate without {what}"));
        let read = |key: &str| candidate.get(key).cloned().unwrap_or_default();
        let found: Vec<Predicate> =
            serde_json::from_value(read("predicates")).map_err(|_| broken("predicates"))?;
        let labels: Vec<String> =
            serde_json::from_value(read("columns")).map_err(|_| broken("columns"))?;
        let known = candidate["known_index"].as_u64().and_then(|known| usize::try_from(known).ok());
        let source = known.and_then(|known| self.sources.get(known));
        // A file that was written is of a definition that is known to the letter.
        if let Some(source) = source.filter(|_| candidate["verified"] == true) {
            return Ok(source.clone());
        }
        let mut dialect = read("dialect");
        let mut kind = serde_json::Value::Null;
        if let Some(map) = dialect.as_object_mut() {
            map.remove("id");
            map.remove("dates_as_given");
            kind = map.remove("format").unwrap_or_default();
        }
        let dialect: Dialect = serde_json::from_value(dialect).map_err(|_| broken("dialect"))?;
        let format = if kind == "jsonl" { Format::JsonLines } else { Format::Csv(dialect) };
        // The known one has the order of its columns too, which moves no size.
        if let Some(source) = source.filter(|source| source.format == format) {
            return Ok(source.clone());
        }
        let filters: Option<Vec<Filter>> = found.iter().map(|p| self.filter(p)).collect();
        let mut filters = filters.ok_or_else(|| broken("a filter"))?;
        let filter = match filters.len() {
            1 => filters.remove(0),
            _ => Filter::All { all: filters },
        };
        let columns: Option<Vec<String>> = labels.iter().map(|l| key(l)).collect();
        let columns = columns.ok_or_else(|| broken("columns"))?;
        Ok(Definition { columns, filter, format, ..Definition::of_everything(Subject::People) })
    }

    fn filter(&self, p: &Predicate) -> Option<Filter> {
        if let Some(marker) = self.markers.iter().find(|m| m.column == p.column) {
            let not = || Filter::Not { not: Box::new(marker.source.clone()) };
            return Some(if p.op == MatchOp::Filled { marker.source.clone() } else { not() });
        }
        let column = key(&p.column)?;
        let is = |op: Op, value: Option<Literal>| {
            Filter::Is(Condition { column: column.clone(), op, value })
        };
        let first = || p.values().first().map(|v| literal(&column, v));
        let second = || p.values().get(1).map(|v| literal(&column, v));
        Some(match p.op {
            MatchOp::Is => is(Op::Equals, first()),
            MatchOp::IsNot => is(Op::NotEquals, first()),
            MatchOp::In => {
                let list = p.values().iter().map(|v| literal(&column, v)).collect();
                is(Op::OneOf, Some(Literal::List(list)))
            }
            MatchOp::Blank => is(Op::Blank, None),
            MatchOp::Filled => is(Op::Filled, None),
            MatchOp::Before => is(Op::Before, first()),
            MatchOp::From => is(Op::From, first()),
            MatchOp::Between => {
                Filter::All { all: vec![is(Op::From, first()), is(Op::Before, second())] }
            }
            MatchOp::Domain => {
                let domain = p.values().first()?;
                is(Op::EndsWith, Some(Literal::Text(format!("@{domain}"))))
            }
        })
    }
}

fn literal(column: &str, text: &str) -> Literal {
    match (column, text) {
        ("active", "true") => Literal::Bool(true),
        ("active", "false") => Literal::Bool(false),
        _ => Literal::Text(text.to_owned()),
    }
}

/// The key of a column, by its label.
fn key(label: &str) -> Option<String> {
    let found = Subject::People.columns().iter().find(|c| c.label == label);
    found.map(|c| c.key.to_owned())
}

/// Columns of few values: only their values are compared in the match itself.
const LISTS: [&str; 9] = [
    "organization",
    "active",
    "environment",
    "products",
    "company_name",
    "user_type",
    "role_name",
    "role_description",
    "time_zone",
];

/// The filter as predicates that all hold; `None` when they cannot say it exactly.
fn predicates(filter: &Filter) -> Option<Vec<Predicate>> {
    match filter {
        Filter::All { all } => {
            let parts: Option<Vec<Vec<Predicate>>> = all.iter().map(predicates).collect();
            let list: Vec<Predicate> = parts?.into_iter().flatten().collect();
            // The search combines no two predicates of one column by itself.
            let mut columns: Vec<&str> = list.iter().map(|p| p.column.as_str()).collect();
            columns.sort_unstable();
            let twice = columns.windows(2).any(|w| w[0] == w[1]);
            (!twice && list.len() <= 3).then_some(list)
        }
        Filter::Is(condition) => predicate(condition).map(|p| vec![p]),
        Filter::Any { .. } | Filter::Not { .. } => None,
    }
}

fn predicate(c: &Condition) -> Option<Predicate> {
    let place = Subject::People.index(&c.column)?;
    let column = Subject::People.columns().get(place)?;
    let searched = column.shown || super::people::ATTRIBUTES.contains(&column.key);
    if !searched {
        return None;
    }
    let text = |value: &Literal| match value {
        Literal::Text(t) => Some(t.clone()),
        Literal::Bool(b) => Some(b.to_string()),
        _ => None,
    };
    let time = |value: &Literal| match value {
        Literal::Text(t) => Timestamp::parse(t).ok().map(|t| t.to_string()),
        _ => None,
    };
    let listed = LISTS.contains(&column.key);
    let one = |op, text: Option<String>| {
        text.map(|t| Predicate { column: column.label.to_owned(), op, value: Operand::One(t) })
    };
    match (c.op, &c.value) {
        (Op::Filled, None) => Some(Predicate::bare(column.label, MatchOp::Filled)),
        (Op::Blank, None) => Some(Predicate::bare(column.label, MatchOp::Blank)),
        (Op::Equals, Some(v)) if listed => one(MatchOp::Is, text(v)),
        (Op::NotEquals, Some(v)) if listed => one(MatchOp::IsNot, text(v)),
        (Op::OneOf, Some(Literal::List(list))) if listed => {
            let values: Option<Vec<String>> = list.iter().map(text).collect();
            let value = Operand::Many(values?);
            Some(Predicate { column: column.label.to_owned(), op: MatchOp::In, value })
        }
        (Op::Before, Some(v)) => one(MatchOp::Before, time(v)),
        (Op::From, Some(v)) => one(MatchOp::From, time(v)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition(filter: &str) -> Definition {
        Definition {
            filter: serde_json::from_str(filter).unwrap(),
            ..Definition::of_everything(Subject::People)
        }
    }

    #[test]
    fn what_predicates_cannot_say_becomes_a_column() {
        let mut known = KnownReports::new();
        known.add(
            "A",
            &definition(r#"{"column":"user_type","op":"equals","value":"Partner"}"#),
            true,
        );
        known.add(
            "B",
            &definition(r#"{"not":{"column":"email","op":"contains","value":"x"}}"#),
            false,
        );
        known.add("C", &definition(r#"{"all":[]}"#), false);
        assert_eq!(known.known.len(), 3);
        assert_eq!(known.markers.len(), 1);
        assert_eq!(known.known[0].filter, [Predicate::one("User Type", MatchOp::Is, "Partner")]);
        assert_eq!(known.known[1].filter, [Predicate::bare("In “B”", MatchOp::Filled)]);
        assert!(known.known[2].filter.is_empty());
        assert_eq!(known.keep, ["User Type"]);
    }

    #[test]
    fn a_candidate_is_a_definition_again() {
        let mut known = KnownReports::new();
        let saved = definition(
            r#"{"any":[{"column":"phone","op":"filled"},{"column":"mobile","op":"filled"}]}"#,
        );
        known.add("Reachable", &saved, false);
        let candidate = serde_json::json!({
            "predicates": [
                {"column": "In “Reachable”", "op": "blank", "value": null},
                {"column": "Active", "op": "=", "value": "true"},
                {"column": "Created Date", "op": "between", "value": ["2023-01-01", "2024-01-01"]},
            ],
            "columns": ["Full Name", "Email"],
            "dialect": {"id": "x", "dates_as_given": true, "delimiter": ";"},
        });
        let made = known.definition(&candidate).unwrap();
        assert!(made.check().is_ok());
        assert_eq!(made.columns, ["full_name", "email"]);
        let json = serde_json::to_string(&made.filter).unwrap();
        assert!(json.contains(r#"{"not":{"any":"#), "{json}");
        assert!(json.contains(r#""op":"equals","value":true"#), "{json}");
        assert!(made.format.id().contains(';'), "{}", made.format.id());
    }
}
