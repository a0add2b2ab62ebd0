//! Predicates, filters and saved definitions: what a report asked for.

use serde::{Deserialize, Serialize};

/// How a predicate compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Op {
    /// Equal to the value.
    #[serde(rename = "=")]
    Is,
    /// Not equal to the value; blank counts as not equal.
    #[serde(rename = "!=")]
    IsNot,
    /// One of the values.
    #[serde(rename = "in")]
    In,
    /// Missing or empty.
    #[serde(rename = "blank")]
    Blank,
    /// Neither missing nor empty.
    #[serde(rename = "filled")]
    Filled,
    /// Before an instant.
    #[serde(rename = "<")]
    Before,
    /// At an instant or later.
    #[serde(rename = ">=")]
    From,
    /// From the first instant until before the second.
    #[serde(rename = "between")]
    Between,
    /// The part of a mail address after `@`.
    #[serde(rename = "domain")]
    Domain,
}

/// What a predicate compares with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Operand {
    /// Nothing (`blank`, `filled`).
    #[default]
    None,
    /// A value, or an instant as `2023-09-28` or `2023-09-28T15:06:00Z`.
    One(String),
    /// Values; for `between` two instants.
    Many(Vec<String>),
}

/// One condition on one column.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Predicate {
    /// The column's label.
    pub column: String,
    /// Comparison.
    pub op: Op,
    /// Compared with.
    #[serde(default)]
    pub value: Operand,
}

/// Languages of the answer's words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Japanese.
    Japanese,
}

impl Predicate {
    /// A predicate without a value.
    #[must_use]
    pub fn bare(column: &str, op: Op) -> Self {
        Self { column: column.to_owned(), op, value: Operand::None }
    }

    /// A predicate with one value.
    #[must_use]
    pub fn one(column: &str, op: Op, value: impl Into<String>) -> Self {
        Self { column: column.to_owned(), op, value: Operand::One(value.into()) }
    }

    /// The values, whatever their number.
    #[must_use]
    pub fn values(&self) -> &[String] {
        match &self.value {
            Operand::None => &[],
            Operand::One(value) => std::slice::from_ref(value),
            Operand::Many(values) => values,
        }
    }

    /// For people to read.
    #[must_use]
    pub fn words(&self, language: Language) -> String {
        let column = &self.column;
        let list = self.values().join(", ");
        let first = self.values().first().map_or("", String::as_str);
        let second = self.values().get(1).map_or("", String::as_str);
        match (language, self.op) {
            (Language::English, Op::Is) => format!("{column} is {list}"),
            (Language::English, Op::IsNot) => format!("{column} is not {list}"),
            (Language::English, Op::In) => format!("{column} is one of {list}"),
            (Language::English, Op::Blank) => format!("{column} is blank"),
            (Language::English, Op::Filled) => format!("{column} is filled"),
            (Language::English, Op::Before) => format!("{column} before {list}"),
            (Language::English, Op::From) => format!("{column} since {list}"),
            (Language::English, Op::Between) => {
                format!("{column} from {first} until before {second}")
            }
            (Language::English, Op::Domain) => format!("{column} ends with @{list}"),
            (Language::Japanese, Op::Is) => format!("{column} が {list}"),
            (Language::Japanese, Op::IsNot) => format!("{column} が {list} 以外"),
            (Language::Japanese, Op::In) => format!("{column} が {list} のいずれか"),
            (Language::Japanese, Op::Blank) => format!("{column} が空"),
            (Language::Japanese, Op::Filled) => format!("{column} が空でない"),
            (Language::Japanese, Op::Before) => format!("{column} が {list} より前"),
            (Language::Japanese, Op::From) => format!("{column} が {list} 以降"),
            (Language::Japanese, Op::Between) => {
                format!("{column} が {first} 以降 {second} より前")
            }
            (Language::Japanese, Op::Domain) => format!("{column} の末尾が @{list}"),
        }
    }
}

/// All predicates hold; none at all means everybody.
#[must_use]
pub fn filter_words(predicates: &[Predicate], language: Language) -> String {
    if predicates.is_empty() {
        return match language {
            Language::English => "everybody (no filter)".to_owned(),
            Language::Japanese => "全員（絞り込みなし）".to_owned(),
        };
    }
    let words: Vec<String> = predicates.iter().map(|p| p.words(language)).collect();
    words.join(if language == Language::English { " and " } else { "、かつ " })
}

/// A definition that exists: saved by somebody, or run and logged.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// Its name.
    pub name: String,
    /// Conditions, all of which hold.
    #[serde(default)]
    pub filter: Vec<Predicate>,
    /// Labels of its columns; none means all.
    #[serde(default)]
    pub columns: Vec<String>,
    /// It was run, so that it is likelier than one only saved.
    #[serde(default)]
    pub logged: bool,
    /// The order of its rows. It moves no size of itself, but decides whom a limit keeps.
    #[serde(default)]
    pub order: Vec<OrderKey>,
    /// At most so many rows, after ordering.
    #[serde(default)]
    pub limit: Option<u64>,
    /// Kind of file.
    #[serde(default)]
    pub format: Format,
    /// How the file is compressed.
    #[serde(default)]
    pub compression: Option<Compression>,
}

impl Known {
    /// Its size is no sum over people: only writing the file tells.
    #[must_use]
    pub fn must_be_written(&self) -> bool {
        self.limit.is_some() || self.compression.is_some() || self.format == Format::Xlsx
    }
}

/// One column to order by; what is missing comes first, or last when descending.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderKey {
    /// The column's label.
    pub column: String,
    /// The largest first.
    #[serde(default)]
    pub descending: bool,
}

/// Kinds of report files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Delimited text, in any of the dialects that are tried.
    #[default]
    Csv,
    /// JSON Lines.
    Jsonl,
    /// A workbook.
    Xlsx,
}

/// How a file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// gzip, level 6.
    Gzip,
}

/// A file of saved definitions (`[[definition]]`) or further predicates (`[[predicate]]`).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DefinitionFile {
    /// Saved definitions.
    #[serde(default)]
    pub definition: Vec<Known>,
    /// Predicates to try.
    #[serde(default)]
    pub predicate: Vec<Predicate>,
}

impl DefinitionFile {
    /// Reads TOML.
    ///
    /// # Errors
    /// What the parser says, with line and column.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }
}
