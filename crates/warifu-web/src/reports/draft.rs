//! A definition while it is being built: what the form posts, and each button's act on it.

use super::words;
use crate::views::reports::FilterLine;
use std::collections::BTreeMap;
use warifu_domain::reports::{
    Condition, Definition, Filter, Format, Kind, Literal, Op, OrderKey, Subject,
};

/// Part of the filter tree.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    Group { any: bool, children: Vec<Node> },
    Rule { column: String, operator: String, value: String },
}

/// A definition as the form has it; nothing in it need be right.
#[derive(Clone, Debug)]
pub struct Draft {
    pub id: Option<String>,
    pub version: i64,
    pub name: String,
    pub subject: Subject,
    pub columns: Vec<String>,
    pub root: Node,
    pub order: Vec<(String, bool)>,
    pub limit: String,
    pub settings: BTreeMap<String, String>,
    pub purpose: String,
    /// Of the step-up that preparing it may ask for.
    pub proof: Option<String>,
}

/// Deepest place of a condition that a form is read for.
const MAX_DEPTH: usize = 16;

impl Draft {
    pub fn new(subject: Subject) -> Draft {
        Draft::of(&Definition::of_everything(subject)).unwrap_or_else(|| Draft::empty(subject))
    }

    fn empty(subject: Subject) -> Draft {
        Draft {
            id: None,
            version: 0,
            name: String::new(),
            subject,
            columns: Vec::new(),
            root: Node::Group { any: false, children: Vec::new() },
            order: Vec::new(),
            limit: String::new(),
            settings: BTreeMap::new(),
            purpose: String::new(),
            proof: None,
        }
    }

    /// A definition as a form; `None` when its filter says what the form cannot.
    pub fn of(d: &Definition) -> Option<Draft> {
        let root = match node(&d.filter, false)? {
            group @ Node::Group { .. } => group,
            rule => Node::Group { any: false, children: vec![rule] },
        };
        let settings = match &d.format {
            Format::Csv(dialect) => super::settings::of(dialect)?,
            Format::JsonLines => BTreeMap::from([("format".to_owned(), "jsonl".to_owned())]),
            Format::Xlsx => BTreeMap::from([("format".to_owned(), "xlsx".to_owned())]),
        };
        Some(Draft {
            columns: d.columns.clone(),
            root,
            order: d.order.iter().map(|k| (k.column.clone(), k.descending)).collect(),
            limit: d.limit.map(|n| n.to_string()).unwrap_or_default(),
            settings,
            ..Draft::empty(d.subject)
        })
    }

    /// What a form posted. Places that make no sense are left out.
    pub fn read(pairs: &[(String, String)]) -> (Draft, String) {
        let mut draft = Draft::empty(Subject::People);
        let mut act = String::from("preview");
        let mut parts: BTreeMap<Vec<usize>, BTreeMap<char, String>> = BTreeMap::new();
        let mut order: BTreeMap<usize, (String, bool)> = BTreeMap::new();
        for (name, value) in pairs {
            let value = value.replace("\r\n", "\n");
            match name.as_str() {
                // The first of several: the hidden default button stands before the others.
                "do" => act = value,
                "id" => draft.id = Some(value).filter(|v| !v.is_empty()),
                "version" => draft.version = value.parse().unwrap_or_default(),
                "name" => draft.name = value,
                "subject" => draft.subject = Subject::from_key(&value).unwrap_or(Subject::People),
                "column" => draft.columns.push(value),
                "limit" => draft.limit = value.trim().to_owned(),
                "purpose" => draft.purpose = value,
                "step_up" => draft.proof = Some(value),
                setting if super::settings::NAMES.contains(&setting) => {
                    draft.settings.insert(setting.to_owned(), value);
                }
                other => {
                    let Some((kind, place)) = other.split_once('.') else { continue };
                    match (kind, kind.chars().next()) {
                        ("order" | "direction", _) => {
                            let Ok(n) = place.parse::<usize>() else { continue };
                            let key = order.entry(n).or_default();
                            match kind {
                                "order" => key.0 = value,
                                _ => key.1 = value == "desc",
                            }
                        }
                        ("g" | "c" | "o" | "v", Some(kind)) => {
                            if let Some(path) = path(place) {
                                parts.entry(path).or_default().insert(kind, value);
                            }
                        }
                        _ => {}
                    }
                }
            }
        }
        draft.order = order.into_values().filter(|(c, _)| !c.is_empty()).take(4).collect();
        draft.root = tree(&parts, &[0]);
        // Another subject has other columns.
        let known = |key: &String| draft.subject.columns().iter().any(|c| c.shown && c.key == key);
        if !draft.columns.is_empty() && !draft.columns.iter().any(known) {
            draft.columns = all_columns(draft.subject);
            draft.root = Node::Group { any: false, children: Vec::new() };
            draft.order.clear();
        }
        (draft, act)
    }

    /// What a button does to the draft itself. Others (preview, save, run) change nothing here.
    pub fn act(&mut self, act: &str) {
        let (verb, place) = act.split_once(':').unwrap_or((act, ""));
        match verb {
            "columns-all" => self.columns = all_columns(self.subject),
            "columns-none" => self.columns.clear(),
            "add-order" => {
                if let Some(first) = all_columns(self.subject).first() {
                    self.order.push((first.clone(), false));
                }
            }
            "remove-order" => {
                if let Ok(n) = place.parse::<usize>()
                    && n < self.order.len()
                {
                    self.order.remove(n);
                }
            }
            "add-rule" | "add-group" => {
                let column = all_columns(self.subject).first().cloned().unwrap_or_default();
                let rule =
                    Node::Rule { column, operator: Op::Equals.key().into(), value: String::new() };
                let made = match verb {
                    "add-rule" => rule,
                    _ => Node::Group { any: true, children: vec![rule] },
                };
                if let Some(Node::Group { children, .. }) =
                    path(place).and_then(|p| self.root.at(p.get(1..)?))
                {
                    children.push(made);
                }
            }
            "remove" => {
                if let Some(path) = path(place)
                    && let Some((last, parent)) = path.get(1..).and_then(|p| p.split_last())
                    && let Some(Node::Group { children, .. }) = self.root.at(parent)
                    && *last < children.len()
                {
                    children.remove(*last);
                }
            }
            _ => {}
        }
    }

    /// The definition that the draft means. What is wrong with it, [`Definition::check`] says.
    ///
    /// # Errors
    /// The limit is no number: the field and what is typed.
    pub fn definition(&self) -> Result<Definition, (&'static str, String)> {
        let digits: String = self.limit.chars().filter(|c| !matches!(c, ',' | ' ')).collect();
        let limit = match digits.as_str() {
            "" => None,
            text => Some(text.parse().map_err(|_| ("limit", format!("“{text}” is no number")))?),
        };
        let order = self.order.iter().map(|(column, descending)| OrderKey {
            column: column.clone(),
            descending: *descending,
        });
        // The file's order is the subject's, whatever the order of the boxes was.
        let columns =
            all_columns(self.subject).into_iter().filter(|c| self.columns.contains(c)).collect();
        Ok(Definition {
            subject: self.subject,
            columns,
            filter: self.root.filter(self.subject),
            order: order.collect(),
            limit,
            format: self.format()?,
        })
    }

    fn format(&self) -> Result<Format, (&'static str, String)> {
        match self.settings.get("format").map(String::as_str) {
            Some("jsonl") => Ok(Format::JsonLines),
            Some("xlsx") => Ok(Format::Xlsx),
            _ => super::settings::dialect(&self.settings).map(Format::Csv),
        }
    }

    /// The filter as the page draws it.
    pub fn lines(&self) -> Vec<FilterLine> {
        let mut lines = Vec::new();
        self.root.lines("0".into(), &mut lines);
        lines
    }
}

fn all_columns(subject: Subject) -> Vec<String> {
    subject.columns().iter().filter(|c| c.shown).map(|c| c.key.to_owned()).collect()
}

/// `0.2.1` as numbers; the first is the root.
fn path(text: &str) -> Option<Vec<usize>> {
    let path: Option<Vec<usize>> = text.split('.').map(|n| n.parse().ok()).collect();
    path.filter(|p| p.first() == Some(&0) && p.len() <= MAX_DEPTH)
}

fn tree(parts: &BTreeMap<Vec<usize>, BTreeMap<char, String>>, at: &[usize]) -> Node {
    let own = parts.get(at);
    let children = parts
        .iter()
        .filter(|(path, _)| path.len() == at.len() + 1 && path.starts_with(at))
        .map(|(path, part)| {
            if part.contains_key(&'g') {
                return tree(parts, path);
            }
            let get = |kind: char| part.get(&kind).cloned().unwrap_or_default();
            Node::Rule { column: get('c'), operator: get('o'), value: get('v') }
        });
    let any = own.and_then(|p| p.get(&'g')).is_some_and(|g| g == "any");
    Node::Group { any, children: children.collect() }
}

impl Node {
    fn at(&mut self, path: &[usize]) -> Option<&mut Node> {
        let Some((first, rest)) = path.split_first() else { return Some(self) };
        match self {
            Node::Group { children, .. } => children.get_mut(*first)?.at(rest),
            Node::Rule { .. } => None,
        }
    }

    fn filter(&self, subject: Subject) -> Filter {
        match self {
            Node::Group { any, children } => {
                let list = children.iter().map(|c| c.filter(subject)).collect::<Vec<_>>();
                // An empty group lets everything through, as the page shows it: no condition.
                if *any && !list.is_empty() {
                    Filter::Any { any: list }
                } else {
                    Filter::All { all: list }
                }
            }
            Node::Rule { column, operator, value } => {
                let op = Op::from_key(operator).unwrap_or(Op::Equals);
                let kind = subject.columns().iter().find(|c| c.key == column).map(|c| c.kind);
                let one = |text: &str| match (kind, text) {
                    (Some(Kind::Bool), "true") => Literal::Bool(true),
                    (Some(Kind::Bool), "false") => Literal::Bool(false),
                    (Some(Kind::Number), text) => {
                        text.parse().map_or_else(|_| Literal::Text(text.into()), Literal::Number)
                    }
                    _ => Literal::Text(text.to_owned()),
                };
                let value = match op {
                    Op::Filled | Op::Blank => None,
                    Op::OneOf => {
                        let parts = value.split(',').map(str::trim).filter(|t| !t.is_empty());
                        Some(Literal::List(parts.map(one).collect()))
                    }
                    _ => Some(one(value.trim())),
                };
                Filter::Is(Condition { column: column.clone(), op, value })
            }
        }
    }

    fn lines(&self, path: String, out: &mut Vec<FilterLine>) {
        match self {
            Node::Group { any, children } => {
                out.push(FilterLine::Open { path: path.clone(), any: *any });
                for (i, child) in children.iter().enumerate() {
                    child.lines(format!("{path}.{i}"), out);
                }
                out.push(FilterLine::Close { path });
            }
            Node::Rule { column, operator, value } => out.push(FilterLine::Rule {
                path,
                column: column.clone(),
                operator: operator.clone(),
                value: value.clone(),
            }),
        }
    }
}

/// A filter without negations: they move inwards until an operator takes them up. `None` where
/// none can.
fn node(filter: &Filter, negated: bool) -> Option<Node> {
    let list = |items: &[Filter], any: bool| {
        let children: Option<Vec<Node>> = items.iter().map(|f| node(f, negated)).collect();
        Some(Node::Group { any: any != negated, children: children? })
    };
    match filter {
        Filter::All { all } if all.is_empty() && negated => None,
        Filter::All { all } => list(all, false),
        Filter::Any { any } => list(any, true),
        Filter::Not { not } => node(not, !negated),
        Filter::Is(c) => {
            let value = c.value.as_ref().map(words::value).unwrap_or_default();
            let comma = matches!(&c.value, Some(Literal::List(list))
                if list.iter().any(|v| words::value(v).contains(',')));
            if comma {
                return None;
            }
            let rule = |op: Op, value: &str| Node::Rule {
                column: c.column.clone(),
                operator: op.key().into(),
                value: value.to_owned(),
            };
            // What is blank lies neither before nor after: the opposite of both includes it.
            let or_blank = |op: Op| Node::Group {
                any: true,
                children: vec![rule(Op::Blank, ""), rule(op, &value)],
            };
            Some(match (c.op, negated) {
                (op, false) => rule(op, &value),
                (Op::Equals, true) => rule(Op::NotEquals, &value),
                (Op::NotEquals, true) => rule(Op::Equals, &value),
                (Op::Filled, true) => rule(Op::Blank, ""),
                (Op::Blank, true) => rule(Op::Filled, ""),
                (Op::Before, true) => or_blank(Op::From),
                (Op::From, true) => or_blank(Op::Before),
                (Op::OneOf | Op::Contains | Op::StartsWith | Op::EndsWith, true) => return None,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
    }

    #[test]
    fn a_form_is_read_as_a_tree() {
        let (mut draft, act) = Draft::read(&pairs(&[
            ("do", "add-rule:0.1"),
            ("subject", "people"),
            ("column", "email"),
            ("column", "full_name"),
            ("g.0", "all"),
            ("c.0.0", "user_type"),
            ("o.0.0", "equals"),
            ("v.0.0", "Partner"),
            ("g.0.1", "any"),
            ("c.0.1.0", "phone"),
            ("o.0.1.0", "filled"),
            ("v.0.1.0", ""),
            ("c.7777777777777777777777", "x"),
            ("limit", "1,000"),
        ]));
        draft.act(&act);
        let d = draft.definition().unwrap();
        assert_eq!(d.columns, ["full_name", "email"]);
        assert_eq!(d.limit, Some(1_000));
        let json = serde_json::to_string(&d.filter).unwrap();
        assert_eq!(
            json,
            r#"{"all":[{"column":"user_type","op":"equals","value":"Partner"},{"any":[{"column":"phone","op":"filled"},{"column":"created_date","op":"equals","value":""}]}]}"#
        );
        draft.act("remove:0.1");
        draft.act("remove:0.9");
        draft.act("remove:0");
        assert_eq!(draft.lines().len(), 3);
    }

    #[test]
    fn a_definition_comes_back_from_its_form() {
        let filters = [
            r#"{"all":[]}"#,
            r#"{"all":[{"column":"active","op":"equals","value":true}]}"#,
            r#"{"any":[{"column":"created_date","op":"before","value":"2023-01-01"},{"all":[{"column":"user_type","op":"one_of","value":["A","B"]}]}]}"#,
        ];
        for filter in filters {
            let mut d = Definition::of_everything(Subject::People);
            d.filter = serde_json::from_str(filter).unwrap();
            d.limit = Some(7);
            assert_eq!(Draft::of(&d).unwrap().definition().unwrap(), d, "{filter}");
        }
    }

    #[test]
    fn negations_move_inwards() {
        let read = |json: &str| node(&serde_json::from_str(json).unwrap(), false);
        let rule = read(r#"{"not":{"not":{"column":"phone","op":"filled"}}}"#).unwrap();
        assert!(matches!(rule, Node::Rule { operator, .. } if operator == "filled"));
        let group = read(
            r#"{"not":{"all":[{"column":"phone","op":"filled"},{"column":"email","op":"blank"}]}}"#,
        );
        assert!(matches!(group, Some(Node::Group { any: true, .. })));
        assert_eq!(read(r#"{"not":{"column":"email","op":"contains","value":"x"}}"#), None);
    }
}
