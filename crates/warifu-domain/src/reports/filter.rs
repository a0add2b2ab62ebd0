//! The typed filter tree. It is the only way to say which rows: there is no text form that reaches
//! a database. One function decides a row, for preview, run, replay and match on every engine, so
//! that they cannot differ.

use super::{Kind, Subject, Value};
use crate::{Refusal, Timestamp, refusal};
use serde::{Deserialize, Serialize};

/// A boolean expression over columns. JSON: `{"all":[…]}`, `{"any":[…]}`, `{"not":…}` or
/// `{"column":"user_type","op":"equals","value":"Employee"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Filter {
    All { all: Vec<Filter> },
    Any { any: Vec<Filter> },
    Not { not: Box<Filter> },
    Is(Condition),
}

/// One comparison.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    pub column: String,
    pub op: Op,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Literal>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    Equals,
    NotEquals,
    OneOf,
    /// Text only; upper and lower case are the same.
    Contains,
    StartsWith,
    EndsWith,
    /// Strictly less, or earlier.
    Before,
    /// Greater, later, or the same.
    From,
    Filled,
    Blank,
}

impl Op {
    pub const ALL: [Op; 10] = [
        Op::Equals,
        Op::NotEquals,
        Op::OneOf,
        Op::Contains,
        Op::StartsWith,
        Op::EndsWith,
        Op::Before,
        Op::From,
        Op::Filled,
        Op::Blank,
    ];

    pub fn key(self) -> &'static str {
        match self {
            Op::Equals => "equals",
            Op::NotEquals => "not_equals",
            Op::OneOf => "one_of",
            Op::Contains => "contains",
            Op::StartsWith => "starts_with",
            Op::EndsWith => "ends_with",
            Op::Before => "before",
            Op::From => "from",
            Op::Filled => "filled",
            Op::Blank => "blank",
        }
    }

    pub fn from_key(key: &str) -> Option<Op> {
        Op::ALL.into_iter().find(|o| o.key() == key)
    }

    /// Whether the operator can be applied to a column of this kind.
    pub fn fits(self, kind: Kind) -> bool {
        match self {
            Op::Filled | Op::Blank | Op::Equals | Op::NotEquals => true,
            Op::OneOf => matches!(kind, Kind::Text | Kind::Number),
            Op::Contains | Op::StartsWith | Op::EndsWith => kind == Kind::Text,
            Op::Before | Op::From => matches!(kind, Kind::Time | Kind::Number),
        }
    }

    pub fn takes_value(self) -> bool {
        !matches!(self, Op::Filled | Op::Blank)
    }
}

/// A value as written in a definition. Times are RFC 3339 texts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Literal {
    Bool(bool),
    Number(i64),
    Text(String),
    List(Vec<Literal>),
}

/// Where a filter is wrong, what is wrong, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterError {
    /// Place in the tree, such as `.all[1].not`; empty for the whole.
    pub path: String,
    pub what: Refusal,
}

impl FilterError {
    pub fn refusal(&self) -> Refusal {
        self.what.clone().at(format_args!("filter{}: ", self.path))
    }
}

crate::refuses!(FilterError);

/// Deepest nesting of a filter tree.
pub const MAX_DEPTH: usize = 16;
/// Most conditions of a filter tree.
pub const MAX_CONDITIONS: usize = 200;

/// A row that a filter can be asked about.
pub trait Row {
    /// The value of the column at `index` of [`Subject::columns`].
    fn value(&self, index: usize) -> Value<'_>;
}

/// Sets of rows, for those who can answer a comparison for all rows at once.
pub trait Sets {
    type Set;
    type Error;

    /// The rows whose value in `column` passes `test`.
    ///
    /// # Errors
    /// The implementation's own.
    fn passing(&mut self, column: usize, test: &Test) -> Result<Self::Set, Self::Error>;
    /// The rows that are in all of `sets`; of no sets, every row.
    fn all(&self, sets: Vec<Self::Set>) -> Self::Set;
    /// The rows that are in one of `sets`.
    fn any(&self, sets: Vec<Self::Set>) -> Self::Set;
    /// The rows that are not in `set`.
    fn not(&self, set: Self::Set) -> Self::Set;
}

/// A filter whose columns and values are resolved; made by [`Filter::compile`].
#[derive(Debug, Clone, PartialEq)]
pub struct CompiledFilter {
    root: Node,
}

#[derive(Debug, Clone, PartialEq)]
enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    Test(usize, Test),
}

/// One resolved comparison with a column's value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Test(Check);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Check {
    Filled,
    Blank,
    TextIs(String),
    TextIn(Vec<String>),
    /// Folded needle.
    Contains(String),
    StartsWith(String),
    EndsWith(String),
    NumberIs(i64),
    NumberIn(Vec<i64>),
    Before(i64),
    From(i64),
    BoolIs(bool),
}

impl Filter {
    /// The filter that lets everything through.
    pub fn everything() -> Filter {
        Filter::All { all: Vec::new() }
    }

    /// Whether no row can be left out because there is no condition at all.
    pub fn is_everything(&self) -> bool {
        match self {
            Filter::All { all } => all.iter().all(Filter::is_everything),
            Filter::Any { .. } | Filter::Not { .. } | Filter::Is(_) => false,
        }
    }

    /// The columns that the filter asks about, in order of appearance, with repetitions.
    pub fn conditions(&self) -> Vec<&Condition> {
        match self {
            Filter::All { all: list } | Filter::Any { any: list } => {
                list.iter().flat_map(Filter::conditions).collect()
            }
            Filter::Not { not } => not.conditions(),
            Filter::Is(c) => vec![c],
        }
    }

    /// Resolves columns, operators and values.
    ///
    /// # Errors
    /// The first place where the tree is wrong.
    pub fn compile(&self, subject: Subject) -> Result<CompiledFilter, FilterError> {
        let mut conditions = 0;
        let root = self.node(subject, "", 0, &mut conditions)?;
        Ok(CompiledFilter { root })
    }

    fn node(
        &self,
        subject: Subject,
        path: &str,
        depth: usize,
        conditions: &mut usize,
    ) -> Result<Node, FilterError> {
        let err = |what: Refusal| FilterError { path: path.to_owned(), what };
        if depth > MAX_DEPTH {
            return Err(err(refusal!(
                "filter-deep",
                "nested more than {limit} deep",
                limit = MAX_DEPTH
            )));
        }
        let mut list = |name: &str, items: &[Filter]| {
            let nodes = items.iter().enumerate();
            nodes
                .map(|(i, f)| {
                    f.node(subject, &format!("{path}.{name}[{i}]"), depth + 1, conditions)
                })
                .collect::<Result<Vec<_>, _>>()
        };
        match self {
            Filter::All { all } => list("all", all).map(Node::All),
            Filter::Any { any } if any.is_empty() => Err(err(refusal!(
                "filter-any",
                "“any” of nothing lets no row through; add a condition"
            ))),
            Filter::Any { any } => list("any", any).map(Node::Any),
            Filter::Not { not } => {
                let inner = not.node(subject, &format!("{path}.not"), depth + 1, conditions)?;
                Ok(Node::Not(Box::new(inner)))
            }
            Filter::Is(c) => {
                *conditions += 1;
                if *conditions > MAX_CONDITIONS {
                    return Err(err(refusal!(
                        "filter-long",
                        "more than {limit} conditions",
                        limit = MAX_CONDITIONS
                    )));
                }
                c.test(subject).map_err(err)
            }
        }
    }
}

impl Condition {
    fn test(&self, subject: Subject) -> Result<Node, Refusal> {
        let index = subject.index(&self.column).ok_or_else(|| {
            let known: Vec<_> = subject.columns().iter().map(|c| c.key).collect();
            refusal!(
                "filter-column",
                "no column “{column}” in {subject}; known are {known}",
                column = self.column.as_str(),
                subject = subject.key(),
                known = known.join(", ")
            )
        })?;
        let kind = subject.columns()[index].kind;
        if !self.op.fits(kind) {
            return Err(refusal!(
                "filter-fits",
                "“{op}” does not fit “{column}”, which is {kind}",
                op = self.op.key(),
                column = self.column.as_str(),
                kind = format!("{kind:?}")
            ));
        }
        let value = match (&self.value, self.op.takes_value()) {
            (Some(v), true) => v,
            (None, false) => {
                let check = if self.op == Op::Filled { Check::Filled } else { Check::Blank };
                return Ok(Node::Test(index, Test(check)));
            }
            (None, true) => {
                return Err(refusal!("filter-value", "“{op}” needs a value", op = self.op.key()));
            }
            (Some(_), false) => {
                return Err(refusal!(
                    "filter-no-value",
                    "“{op}” takes no value",
                    op = self.op.key()
                ));
            }
        };
        let check = match self.op {
            Op::OneOf => {
                let Literal::List(items) = value else {
                    return Err(refusal!("filter-list", "“one_of” needs a list"));
                };
                if kind == Kind::Text {
                    Check::TextIn(items.iter().map(text).collect::<Result<_, _>>()?)
                } else {
                    Check::NumberIn(items.iter().map(number).collect::<Result<_, _>>()?)
                }
            }
            Op::Contains => Check::Contains(text(value)?.to_lowercase()),
            Op::StartsWith => Check::StartsWith(text(value)?),
            Op::EndsWith => Check::EndsWith(text(value)?),
            Op::Before => Check::Before(point(kind, value)?),
            Op::From => Check::From(point(kind, value)?),
            Op::Equals | Op::NotEquals => match kind {
                Kind::Text => Check::TextIs(text(value)?),
                Kind::Bool => match value {
                    Literal::Bool(b) => Check::BoolIs(*b),
                    Literal::Text(t) if t == "true" || t == "false" => Check::BoolIs(t == "true"),
                    _ => return Err(refusal!("filter-bool", "needs true or false")),
                },
                Kind::Time | Kind::Number => Check::NumberIs(point(kind, value)?),
            },
            Op::Filled | Op::Blank => {
                return Err(refusal!(
                    "filter-no-value",
                    "“{op}” takes no value",
                    op = self.op.key()
                ));
            }
        };
        let node = Node::Test(index, Test(check));
        Ok(if self.op == Op::NotEquals { Node::Not(Box::new(node)) } else { node })
    }
}

fn text(value: &Literal) -> Result<String, Refusal> {
    match value {
        Literal::Text(t) if t.is_empty() => {
            Err(refusal!("filter-empty", "an empty text is written as “blank”"))
        }
        Literal::Text(t) => Ok(t.clone()),
        _ => Err(refusal!("filter-text", "needs a text")),
    }
}

fn number(value: &Literal) -> Result<i64, Refusal> {
    match value {
        Literal::Number(n) => Ok(*n),
        Literal::Text(t) => t.trim().parse().map_err(|_| {
            refusal!("filter-number", "“{text}” is no whole number", text = t.as_str())
        }),
        _ => Err(refusal!("filter-whole", "needs a whole number")),
    }
}

fn point(kind: Kind, value: &Literal) -> Result<i64, Refusal> {
    match (kind, value) {
        (Kind::Time, Literal::Text(t)) => Timestamp::parse(t).map(|t| t.0).map_err(|e| e.refusal()),
        (Kind::Time, _) => {
            Err(refusal!("filter-time", "needs a time, such as 2023-09-28T15:06:00Z"))
        }
        _ => number(value),
    }
}

impl CompiledFilter {
    /// Whether the row is in.
    pub fn accepts<R: Row + ?Sized>(&self, row: &R) -> bool {
        self.root.accepts(row)
    }

    /// The rows that [`accepts`](Self::accepts) lets through, put together from sets: the same
    /// tree and the same comparisons.
    ///
    /// # Errors
    /// The first error of `sets`.
    pub fn rows<S: Sets>(&self, sets: &mut S) -> Result<S::Set, S::Error> {
        self.root.rows(sets)
    }

    /// If every accepted row has one organization id, that id: the database then reads by its
    /// index instead of everything.
    pub fn only_organization(&self, subject: Subject) -> Option<i64> {
        let column = subject.index("organization_id")?;
        fn find(node: &Node, column: usize) -> Option<i64> {
            match node {
                Node::All(nodes) => nodes.iter().find_map(|n| find(n, column)),
                Node::Test(c, Test(Check::NumberIs(id))) if *c == column => Some(*id),
                _ => None,
            }
        }
        find(&self.root, column)
    }

    /// The columns that must be read to decide a row.
    pub fn columns_used(&self) -> Vec<usize> {
        fn walk(node: &Node, out: &mut Vec<usize>) {
            match node {
                Node::All(nodes) | Node::Any(nodes) => nodes.iter().for_each(|n| walk(n, out)),
                Node::Not(node) => walk(node, out),
                Node::Test(column, _) => out.push(*column),
            }
        }
        let mut out = Vec::new();
        walk(&self.root, &mut out);
        out.sort_unstable();
        out.dedup();
        out
    }
}

impl Node {
    fn accepts<R: Row + ?Sized>(&self, row: &R) -> bool {
        match self {
            Node::All(nodes) => nodes.iter().all(|n| n.accepts(row)),
            Node::Any(nodes) => nodes.iter().any(|n| n.accepts(row)),
            Node::Not(node) => !node.accepts(row),
            Node::Test(column, test) => test.holds(row.value(*column)),
        }
    }

    fn rows<S: Sets>(&self, sets: &mut S) -> Result<S::Set, S::Error> {
        Ok(match self {
            Node::All(nodes) => {
                let inner = nodes.iter().map(|n| n.rows(sets)).collect::<Result<_, _>>()?;
                sets.all(inner)
            }
            Node::Any(nodes) => {
                let inner = nodes.iter().map(|n| n.rows(sets)).collect::<Result<_, _>>()?;
                sets.any(inner)
            }
            Node::Not(node) => {
                let inner = node.rows(sets)?;
                sets.not(inner)
            }
            Node::Test(column, test) => sets.passing(*column, test)?,
        })
    }
}

impl Test {
    /// Whether it only asks if there is a value at all.
    pub fn asks_only_for_presence(&self) -> bool {
        matches!(self.0, Check::Filled | Check::Blank)
    }

    /// A blank value fails every test but `Blank`: what is not there equals nothing and lies
    /// before nothing. `not` of it therefore holds, as it should: “not an employee” includes
    /// those of whom nothing is known.
    pub fn holds(&self, value: Value<'_>) -> bool {
        match (&self.0, value) {
            (Check::Blank, v) => v.is_blank(),
            (Check::Filled, v) => !v.is_blank(),
            (Check::TextIs(t), Value::Text(v)) => t == v,
            (Check::TextIn(list), Value::Text(v)) => list.iter().any(|t| t == v),
            (Check::Contains(needle), Value::Text(v)) => v.to_lowercase().contains(needle.as_str()),
            (Check::StartsWith(t), Value::Text(v)) => v.starts_with(t.as_str()),
            (Check::EndsWith(t), Value::Text(v)) => v.ends_with(t.as_str()),
            (Check::NumberIs(n), Value::Time(v) | Value::Number(v)) => *n == v,
            (Check::NumberIn(list), Value::Number(v)) => list.contains(&v),
            (Check::Before(n), Value::Time(v) | Value::Number(v)) => v < *n,
            (Check::From(n), Value::Time(v) | Value::Number(v)) => v >= *n,
            (Check::BoolIs(b), Value::Bool(v)) => *b == v,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Sparse(Vec<(usize, Value<'static>)>);
    impl Row for Sparse {
        fn value(&self, index: usize) -> Value<'_> {
            self.0.iter().find(|(i, _)| *i == index).map_or(Value::Null, |(_, v)| *v)
        }
    }

    fn read(json: &str) -> Filter {
        serde_json::from_str(json).unwrap()
    }

    fn person(values: &[(&str, Value<'static>)]) -> Sparse {
        let at = |k: &str| Subject::People.index(k).unwrap();
        Sparse(values.iter().map(|(k, v)| (at(k), *v)).collect())
    }

    #[test]
    fn decides_rows() {
        let f = read(
            r#"{"all":[{"column":"user_type","op":"equals","value":"Employee"},
                {"not":{"column":"phone","op":"blank"}},
                {"any":[{"column":"last_login","op":"from","value":"2023-01-01"},{"column":"email","op":"contains","value":"ADMIN"}]}]}"#,
        );
        let c = f.compile(Subject::People).unwrap();
        let employee = [("user_type", Value::Text("Employee")), ("phone", Value::Text("1"))];
        assert!(!c.accepts(&person(&employee)));
        let with = |more| person(&[employee[0], employee[1], more]);
        assert!(c.accepts(&with(("email", Value::Text("the.Admin@x.example")))));
        assert!(c.accepts(&with(("last_login", Value::Time(1_700_000_000_000_000)))));
        assert!(!c.accepts(&with(("last_login", Value::Time(0)))));
        assert!(!f.is_everything() && Filter::everything().is_everything());
    }

    #[test]
    fn not_equals_includes_the_blank() {
        let f = read(r#"{"column":"user_type","op":"not_equals","value":"Employee"}"#);
        assert!(f.compile(Subject::People).unwrap().accepts(&person(&[])));
    }

    #[test]
    fn errors_say_where_and_what() {
        let cases = [
            (r#"{"all":[{"column":"shoe","op":"blank"}]}"#, ".all[0]", "no column “shoe”"),
            (r#"{"column":"email","op":"before","value":"x"}"#, "", "does not fit"),
            (r#"{"column":"last_login","op":"before","value":"x"}"#, "", "no time"),
            (r#"{"column":"email","op":"equals"}"#, "", "needs a value"),
            (r#"{"column":"email","op":"equals","value":""}"#, "", "blank"),
            (r#"{"not":{"any":[]}}"#, ".not", "no row"),
        ];
        for (json, path, what) in cases {
            let e = read(json).compile(Subject::People).unwrap_err();
            assert_eq!(e.path, path, "{json}");
            assert!(e.what.to_string().contains(what), "{json}: {}", e.what);
        }
        let deep = (0..40).fold(Filter::everything(), |f, _| Filter::Not { not: Box::new(f) });
        assert!(deep.compile(Subject::People).is_err());
    }

    #[test]
    fn one_organization_is_seen() {
        let f = read(
            r#"{"all":[{"column":"organization_id","op":"equals","value":7},{"column":"phone","op":"filled"}]}"#,
        );
        assert_eq!(f.compile(Subject::People).unwrap().only_organization(Subject::People), Some(7));
        let f = read(
            r#"{"any":[{"column":"organization_id","op":"equals","value":7},{"column":"phone","op":"filled"}]}"#,
        );
        assert_eq!(f.compile(Subject::People).unwrap().only_organization(Subject::People), None);
    }
}
