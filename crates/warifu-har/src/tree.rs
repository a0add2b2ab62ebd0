//! One HAR entry (or page, or other member of `log`) held in memory: keys in order, numbers as
//! they were written, strings beyond the limits already reduced to a digest.

use crate::lex::{LexError, Lexer};
use crate::redact::Redactor;
use crate::{Error, Limits};
use std::collections::HashSet;
use std::io::{Read, Write};

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Num(String),
    Str(String),
    /// A string that was too long to hold; the text is its replacement.
    Huge(String),
    Arr(Vec<Value>),
    Obj(Vec<(String, Value)>),
}

impl Value {
    pub(crate) fn get(&self, key: &str) -> Option<&Value> {
        match self {
            Value::Obj(o) => o.iter().find(|(k, _)| k == key).map(|(_, v)| v),
            _ => None,
        }
    }

    pub(crate) fn str(&self, key: &str) -> Option<&str> {
        match self.get(key) {
            Some(Value::Str(s)) => Some(s),
            _ => None,
        }
    }
}

/// What one entry may still take of memory.
pub(crate) struct Budget {
    strings: usize,
    nodes: usize,
    names: usize,
}

impl Budget {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            strings: limits.max_entry,
            nodes: limits.max_entry / 64,
            names: limits.max_entry / 4,
        }
    }
}

/// Reads one value. `depth` counts the containers around it.
pub(crate) fn read<R: Read>(
    lex: &mut Lexer<R>,
    red: &mut Redactor,
    budget: &mut Budget,
    depth: usize,
) -> Result<Value, Error> {
    budget.nodes = match budget.nodes.checked_sub(1) {
        Some(n) => n,
        None => return Err(Error::TooLarge { offset: lex.offset(), what: "values in one entry" }),
    };
    if depth > red.limits.max_depth {
        return Err(Error::TooDeep { offset: lex.offset(), limit: red.limits.max_depth });
    }
    match lex.need()? {
        b'{' => {
            lex.expect(b'{', "")?;
            let mut members: Vec<(String, Value)> = Vec::new();
            let mut seen: HashSet<String> = HashSet::new();
            while lex.more(members.is_empty(), b'}')? {
                let offset = lex.offset();
                let name = read_name(lex)?;
                // A parser that takes the first of two equal names and one that takes the last
                // would see different files: refuse.
                let twice = if members.len() < 24 {
                    members.iter().any(|(k, _)| *k == name)
                } else {
                    if seen.is_empty() {
                        seen.extend(members.iter().map(|(k, _)| k.clone()));
                    }
                    !seen.insert(name.clone())
                };
                if twice {
                    return Err(Error::DuplicateKey { offset });
                }
                budget.names = match budget.names.checked_sub(name.len()) {
                    Some(n) => n,
                    None => return Err(Error::TooLarge { offset, what: "names in one entry" }),
                };
                lex.expect(b':', "expected a colon")?;
                let value = read(lex, red, budget, depth + 1)?;
                members.push((name, value));
            }
            Ok(Value::Obj(members))
        }
        b'[' => {
            lex.expect(b'[', "")?;
            let mut items = Vec::new();
            while lex.more(items.is_empty(), b']')? {
                items.push(read(lex, red, budget, depth + 1)?);
            }
            Ok(Value::Arr(items))
        }
        b'"' => {
            let mut text = Vec::new();
            let limit = budget.strings.max(256).min(red.limits.max_body);
            let mut long = red.long_value();
            if lex.string(&mut text, limit, &mut |part| red.feed(&mut long, part))? {
                return Ok(Value::Huge(red.finish_long(long)));
            }
            budget.strings = budget.strings.saturating_sub(text.len());
            Ok(Value::Str(into_text(text)))
        }
        b't' => lex.literal(b"true").map(|()| Value::Bool(true)).map_err(Error::from),
        b'f' => lex.literal(b"false").map(|()| Value::Bool(false)).map_err(Error::from),
        b'n' => lex.literal(b"null").map(|()| Value::Null).map_err(Error::from),
        _ => Ok(Value::Num(lex.number()?)),
    }
}

/// A member name; at most 64 KiB.
pub(crate) fn read_name<R: Read>(lex: &mut Lexer<R>) -> Result<String, LexError> {
    let mut name = Vec::new();
    let offset = lex.offset();
    if lex.need()? != b'"' {
        return lex.syntax("expected a name in quotes");
    }
    if lex.string(&mut name, 64 * 1024, &mut |_| {})? {
        return Err(LexError::Syntax { offset, what: "a name of more than 64 KiB" });
    }
    Ok(into_text(name))
}

/// The lexer has validated the bytes already, so nothing is ever replaced here.
pub(crate) fn into_text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned())
}

pub(crate) fn write(out: &mut impl Write, value: &Value) -> std::io::Result<()> {
    match value {
        Value::Null => out.write_all(b"null"),
        Value::Bool(b) => out.write_all(if *b { b"true" } else { b"false" }),
        Value::Num(n) => out.write_all(n.as_bytes()),
        Value::Str(s) | Value::Huge(s) => write_str(out, s),
        Value::Arr(items) => {
            out.write_all(b"[")?;
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.write_all(b",")?;
                }
                write(out, item)?;
            }
            out.write_all(b"]")
        }
        Value::Obj(members) => {
            out.write_all(b"{")?;
            for (i, (name, item)) in members.iter().enumerate() {
                if i > 0 {
                    out.write_all(b",")?;
                }
                write_str(out, name)?;
                out.write_all(b":")?;
                write(out, item)?;
            }
            out.write_all(b"}")
        }
    }
}

/// A JSON string literal.
pub(crate) fn write_str(out: &mut impl Write, text: &str) -> std::io::Result<()> {
    out.write_all(b"\"")?;
    let bytes = text.as_bytes();
    let mut from = 0;
    for (i, &b) in bytes.iter().enumerate() {
        if b >= 0x20 && b != b'"' && b != b'\\' && b != 0x7f {
            continue;
        }
        out.write_all(&bytes[from..i])?;
        from = i + 1;
        match b {
            b'"' => out.write_all(b"\\\"")?,
            b'\\' => out.write_all(b"\\\\")?,
            b'\n' => out.write_all(b"\\n")?,
            b'\r' => out.write_all(b"\\r")?,
            b'\t' => out.write_all(b"\\t")?,
            _ => write!(out, "\\u{b:04x}")?,
        }
    }
    out.write_all(&bytes[from..])?;
    out.write_all(b"\"")
}
