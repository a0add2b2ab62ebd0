//! Filters, columns and formats in the reader's language.

use crate::i18n::Lang;
use serde_json::Value;
use warifu_domain::Timestamp;
use warifu_domain::dialect::{Dialect, Eol, Quote};
use warifu_domain::reports::{Condition, Definition, Filter, Format, Literal, Op, Subject};

/// The message that names a column.
pub fn column(lang: Lang, subject: Subject, key: &str) -> String {
    let id = match key {
        "created_date" | "created" => "column-created",
        "last_login" => "column-last-login",
        "full_name" => "column-full-name",
        "username" => "column-username",
        "email" => "column-email",
        "company_name" => "column-company-name",
        "user_type" => "column-user-type",
        "address" => "column-address",
        "last_password_change" => "column-last-password-change",
        "role_name" => "column-role-name",
        "role_description" => "column-role-description",
        "phone" => "column-phone",
        "mobile" => "column-mobile",
        "time_zone" => "column-time-zone",
        "saml_federation_id" => "column-saml",
        "active" => "column-active",
        "organization_id" => "column-organization-id",
        "organization" => "column-organization",
        "environment" => "column-environment",
        "products" | "product" => "column-products",
        "number" => "column-number",
        "subject" => "column-subject",
        "status" => "column-status",
        "priority" => "column-priority",
        "tags" => "column-tags",
        "language" => "column-language",
        "updated" => "column-updated",
        "first_reply" => "column-first-reply",
        "solved" => "column-solved",
        "messages" => "column-messages",
        "requester" => "column-requester",
        "requester_email" => "column-requester-email",
        "assignee" => "column-assignee",
        "domain" => "column-domain",
        _ => {
            let known = subject.columns().iter().find(|c| c.key == key);
            return known.map_or(key, |c| c.label).to_owned();
        }
    };
    lang.t(id)
}

/// The message that names a subject.
pub fn subject(lang: Lang, subject: Subject) -> String {
    lang.t(match subject {
        Subject::People => "subject-people",
        Subject::Cases => "subject-cases",
        Subject::Organizations => "subject-organizations",
    })
}

/// The message of a comparison in a list to choose from.
pub fn operator(op: Op) -> &'static str {
    match op {
        Op::Equals => "op-equals",
        Op::NotEquals => "op-not-equals",
        Op::OneOf => "op-one-of",
        Op::Contains => "op-contains",
        Op::StartsWith => "op-starts-with",
        Op::EndsWith => "op-ends-with",
        Op::Before => "op-before",
        Op::From => "op-from",
        Op::Filled => "op-filled",
        Op::Blank => "op-blank",
    }
}

fn sentence(op: Op) -> &'static str {
    match op {
        Op::Equals => "is-equals",
        Op::NotEquals => "is-not-equals",
        Op::OneOf => "is-one-of",
        Op::Contains => "is-contains",
        Op::StartsWith => "is-starts-with",
        Op::EndsWith => "is-ends-with",
        Op::Before => "is-before",
        Op::From => "is-from",
        Op::Filled => "is-filled",
        Op::Blank => "is-blank",
    }
}

/// A value as a form shows and takes it.
pub fn value(literal: &Literal) -> String {
    match literal {
        Literal::Bool(b) => b.to_string(),
        Literal::Number(n) => n.to_string(),
        Literal::Text(t) => t.clone(),
        Literal::List(list) => list.iter().map(value).collect::<Vec<_>>().join(", "),
    }
}

fn condition(lang: Lang, of: Subject, c: &Condition) -> String {
    let name = column(lang, of, &c.column);
    let text = c.value.as_ref().map(value).unwrap_or_default();
    lang.t_args(sentence(c.op), &[("column", &name), ("value", &text)])
}

/// A filter in words; empty for the one that lets everything through.
pub fn filter(lang: Lang, of: Subject, f: &Filter) -> String {
    fn walk(lang: Lang, of: Subject, f: &Filter, inside: bool) -> String {
        let list = |items: &[Filter], id: &str| {
            let parts: Vec<String> = items
                .iter()
                .filter(|f| !f.is_everything())
                .map(|f| walk(lang, of, f, items.len() > 1))
                .collect();
            let several = parts.len() > 1;
            let joined = parts.join(&lang.t(id));
            if several && inside { format!("({joined})") } else { joined }
        };
        match f {
            Filter::All { all } => list(all, "join-all"),
            Filter::Any { any } => list(any, "join-any"),
            Filter::Not { not } => lang.t_args("join-not", &[("text", &walk(lang, of, not, true))]),
            Filter::Is(c) => condition(lang, of, c),
        }
    }
    // Fluent trims the blanks around a message; they stand here.
    walk(lang, of, f, false).replace("␣", " ")
}

/// A format in short: what differs from Warifu's own.
pub fn format(f: &Format) -> String {
    match f {
        Format::JsonLines => "JSON Lines".into(),
        Format::Xlsx => "XLSX".into(),
        Format::Csv(d) => {
            let own = Dialect::default();
            let mut parts = vec!["CSV".to_owned()];
            parts.push(if d.eol == Eol::CrLf { "CRLF" } else { "LF" }.into());
            if d.delimiter != own.delimiter {
                parts.push(match d.delimiter.byte() {
                    b'\t' => "tab".into(),
                    other => char::from(other).to_string(),
                });
            }
            if d.quote != Quote::Minimal {
                parts.push(format!("{:?}", d.quote).to_lowercase());
            }
            if d.encoding != own.encoding {
                parts.push(format!("{:?}", d.encoding));
            }
            if d.bom {
                parts.push("BOM".into());
            }
            if d.zone != own.zone {
                parts.push(d.zone.to_string());
            }
            parts.join(", ")
        }
    }
}

/// How many columns, and how many of them are personal.
pub fn columns(d: &Definition) -> (i64, i64) {
    (d.columns.len() as i64, d.personal_columns() as i64)
}

/// A digest in groups of eight digits.
pub fn grouped(digest: &str) -> String {
    let digits: Vec<char> = digest.chars().collect();
    digits.chunks(8).map(|c| c.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

/// JSON as people read it: what fits in a line stays in one.
pub fn laid_out(value: &Value) -> String {
    let mut out = String::new();
    lay_out(value, 0, &mut out);
    out
}

/// Characters of a line, as wide as the box that shows it.
const LINE: usize = 64;

fn lay_out(value: &Value, indent: usize, out: &mut String) {
    let whole = value.to_string();
    let fits = indent + whole.chars().count() <= LINE;
    let pad = |out: &mut String, indent: usize| {
        while out.ends_with(' ') {
            out.pop();
        }
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', indent));
    };
    match value {
        Value::Object(fields) if !fits => {
            out.push('{');
            for (i, (name, value)) in fields.iter().enumerate() {
                pad(out, indent + 2);
                out.push_str(&format!("{}: ", Value::from(name.as_str())));
                lay_out(value, indent + 2, out);
                out.push_str(if i + 1 < fields.len() { "," } else { "" });
            }
            pad(out, indent);
            out.push('}');
        }
        // Values of a list are short: as many in a line as fit.
        Value::Array(items) if !fits => {
            out.push('[');
            let mut used = LINE;
            for (i, item) in items.iter().enumerate() {
                let comma = if i + 1 < items.len() { ", " } else { "" };
                let length = item.to_string().chars().count() + comma.len();
                if used + length > LINE {
                    pad(out, indent + 2);
                    used = indent + 2;
                }
                lay_out(item, indent + 2, out);
                out.push_str(comma);
                used += length;
            }
            pad(out, indent);
            out.push(']');
        }
        _ => out.push_str(&whole),
    }
}

/// An instant in UTC, as staff read it.
pub fn at(lang: Lang, at: Timestamp) -> crate::i18n::When {
    lang.date_time(at.to_jiff(), &jiff::tz::TimeZone::UTC)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_definition_is_laid_out_without_changing_it() {
        let value = json!({"subject": "people", "order": [], "columns": vec!["a"; 40], "filter":
            {"all": [{"column": "last_login", "op": "from", "value": "2023-07-01T00:00:00Z, and on"}]}});
        let text = laid_out(&value);
        assert_eq!(serde_json::from_str::<Value>(&text).ok(), Some(value));
        assert!(text.lines().all(|l| l.chars().count() <= LINE + 40), "{text}");
        assert!(text.lines().count() < 20, "{text}");
        assert_eq!(laid_out(&json!({"a": 1})), "{\"a\":1}");
    }
}
