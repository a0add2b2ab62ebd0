//! A report definition: subject, columns, filter, order, limit, format.

use super::{Column, CompiledFilter, Filter, FilterError, Subject};
use crate::dialect::Dialect;
use crate::{Refusal, refusal};
use serde::{Deserialize, Serialize};

/// What is asked. Two definitions that are equal as values give the same bytes on the same state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    pub subject: Subject,
    /// Column keys, in the order of the file.
    pub columns: Vec<String>,
    #[serde(default = "Filter::everything")]
    pub filter: Filter,
    /// The order of rows. The record's id is always appended, so that the order is total.
    #[serde(default)]
    pub order: Vec<OrderKey>,
    /// At most this many rows, after ordering.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    #[serde(default)]
    pub format: Format,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderKey {
    pub column: String,
    #[serde(default)]
    pub descending: bool,
}

/// The file's format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    Csv(Dialect),
    JsonLines,
    Xlsx,
}

impl Default for Format {
    fn default() -> Self {
        Format::Csv(Dialect::default())
    }
}

impl Format {
    pub fn extension(&self) -> &'static str {
        match self {
            Format::Csv(_) => "csv",
            Format::JsonLines => "jsonl",
            Format::Xlsx => "xlsx",
        }
    }

    pub fn media_type(&self) -> &'static str {
        match self {
            Format::Csv(_) => "text/csv",
            Format::JsonLines => "application/jsonl",
            Format::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }

    /// Names the exporter and its version: what a replay must pin.
    pub fn id(&self) -> String {
        match self {
            Format::Csv(dialect) => dialect.id(),
            Format::JsonLines => "warifu-jsonl/1".into(),
            Format::Xlsx => "warifu-xlsx/1".into(),
        }
    }
}

/// What is wrong with a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DefinitionError {
    NoColumns,
    UnknownColumn(String, String),
    Twice(String),
    UnknownOrder(String),
    LongOrder,
    NoRows,
    Filter(FilterError),
}

impl DefinitionError {
    pub fn refusal(&self) -> Refusal {
        match self {
            Self::NoColumns => {
                refusal!("columns-none", "no column is chosen; choose at least one")
            }
            Self::UnknownColumn(column, known) => refusal!(
                "column-unknown",
                "there is no column “{column}” in this report; known are {known}",
                column = column.as_str(),
                known = known.as_str()
            ),
            Self::Twice(column) => {
                refusal!(
                    "column-twice",
                    "the column “{column}” is chosen twice",
                    column = column.as_str()
                )
            }
            Self::UnknownOrder(column) => refusal!(
                "order-unknown",
                "there is no column “{column}” to order by",
                column = column.as_str()
            ),
            Self::LongOrder => refusal!("order-long", "at most four columns can be ordered by"),
            Self::NoRows => refusal!(
                "limit-none",
                "a limit of no rows gives an empty report; leave the limit out or set it above 0"
            ),
            Self::Filter(e) => e.refusal(),
        }
    }
}

crate::refuses!(DefinitionError);

impl From<FilterError> for DefinitionError {
    fn from(e: FilterError) -> Self {
        Self::Filter(e)
    }
}

impl Definition {
    /// A new definition with the columns that the subject shows, everybody, in the order of ids.
    pub fn of_everything(subject: Subject) -> Definition {
        let shown = subject.columns().iter().filter(|c| c.shown);
        Definition {
            subject,
            columns: shown.map(|c| c.key.to_owned()).collect(),
            filter: Filter::everything(),
            order: Vec::new(),
            limit: None,
            format: Format::default(),
        }
    }

    /// Checks columns, order and limit, and resolves the filter.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn check(&self) -> Result<CompiledFilter, DefinitionError> {
        if self.columns.is_empty() {
            return Err(DefinitionError::NoColumns);
        }
        self.column_indices()?;
        let mut seen: Vec<&str> = self.columns.iter().map(String::as_str).collect();
        seen.sort_unstable();
        if let Some(pair) = seen.windows(2).find(|w| w[0] == w[1]) {
            return Err(DefinitionError::Twice(pair[0].to_owned()));
        }
        if self.order.len() > 4 {
            return Err(DefinitionError::LongOrder);
        }
        for key in &self.order {
            self.subject
                .index(&key.column)
                .ok_or_else(|| DefinitionError::UnknownOrder(key.column.clone()))?;
        }
        if self.limit == Some(0) {
            return Err(DefinitionError::NoRows);
        }
        Ok(self.filter.compile(self.subject)?)
    }

    /// The places of the chosen columns in a row of the subject.
    ///
    /// # Errors
    /// [`DefinitionError::UnknownColumn`].
    pub fn column_indices(&self) -> Result<Vec<usize>, DefinitionError> {
        let all = self.subject.columns();
        let find = |key: &String| {
            let known =
                || all.iter().filter(|c| c.shown).map(|c| c.key).collect::<Vec<_>>().join(", ");
            let place = all.iter().position(|c| c.shown && c.key == key);
            place.ok_or_else(|| DefinitionError::UnknownColumn(key.clone(), known()))
        };
        self.columns.iter().map(find).collect()
    }

    /// The chosen columns, in order.
    pub fn chosen(&self) -> impl Iterator<Item = &'static Column> {
        let all = self.subject.columns();
        self.columns.iter().filter_map(|key| all.iter().find(|c| c.key == key))
    }

    /// The headers of the file, in order.
    pub fn labels(&self) -> Vec<&'static str> {
        self.chosen().map(|c| c.label).collect()
    }

    /// How many of the chosen columns hold personal data.
    pub fn personal_columns(&self) -> usize {
        let all = self.subject.columns();
        self.columns
            .iter()
            .filter(|k| all.iter().any(|c| c.key == k.as_str() && c.personal))
            .count()
    }

    /// What the report weighs, given how many rows it has.
    pub fn weight(&self, rows: u64, limits: &Limits) -> Weight {
        if self.subject == Subject::People && self.filter.is_everything() {
            Weight::Unfiltered
        } else if self.personal_columns() > 0 && rows > limits.rows {
            Weight::OverLimit { rows, limit: limits.rows }
        } else {
            Weight::Ordinary
        }
    }
}

/// Above these a report is a decision of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Rows of a report with personal columns.
    pub rows: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { rows: 5_000 }
    }
}

/// Whether a run is ordinary work or a decision that needs its own right (and, with the access
/// rules, step-up and a second person).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    Ordinary,
    /// Over every person.
    Unfiltered,
    OverLimit {
        rows: u64,
        limit: u64,
    },
}

impl Weight {
    pub fn is_decision(self) -> bool {
        self != Weight::Ordinary
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_what_is_asked() {
        let good = Definition::of_everything(Subject::People);
        assert_eq!(good.columns.len(), 15);
        assert!(good.check().is_ok());
        let with = |f: &dyn Fn(&mut Definition)| {
            let mut d = good.clone();
            f(&mut d);
            d.check().unwrap_err()
        };
        assert_eq!(with(&|d| d.columns.clear()), DefinitionError::NoColumns);
        assert_eq!(
            with(&|d| d.columns.push("email".into())),
            DefinitionError::Twice("email".into())
        );
        assert_eq!(with(&|d| d.limit = Some(0)), DefinitionError::NoRows);
        // Attributes can be filtered by, never shown.
        assert!(matches!(
            with(&|d| d.columns.push("environment".into())),
            DefinitionError::UnknownColumn(..)
        ));
    }

    #[test]
    fn everybody_is_a_decision_however_few_they_are() {
        let everybody = Definition::of_everything(Subject::People);
        assert_eq!(everybody.weight(1, &Limits::default()), Weight::Unfiltered);
        let filter = r#"{"column":"user_type","op":"equals","value":"Employee"}"#;
        let some = Definition { filter: serde_json::from_str(filter).unwrap(), ..everybody };
        assert_eq!(some.weight(5_000, &Limits::default()), Weight::Ordinary);
        assert!(some.weight(5_001, &Limits::default()).is_decision());
    }

    #[test]
    fn reads_back_what_it_writes() {
        let d = Definition::of_everything(Subject::Cases);
        let text = serde_json::to_string(&d).unwrap();
        assert_eq!(serde_json::from_str::<Definition>(&text).unwrap(), d);
    }
}
