//! JSON Lines: one object per line; columns in the order in which keys first appear.

use std::io::BufRead;

use serde_json::{Map, Value};

use super::{ReadError, ReadOptions};
use crate::{
    moment::parse_moment,
    people::{ColumnKind, ColumnSpec, People, PeopleBuilder},
};

/// Objects looked at for column names and dates before the first is taken in.
const SAMPLE: usize = 20_000;

fn object(line: &str, number: u64, byte: u64) -> Result<Map<String, Value>, ReadError> {
    serde_json::from_str(line).map_err(|error| ReadError::Text {
        line: number,
        byte,
        what: format!("no JSON object: {error}"),
    })
}

/// The cell of a JSON value as an export would write it.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn objects(
    mut reader: impl BufRead,
    each: &mut dyn FnMut(u64, u64, Map<String, Value>) -> Result<bool, ReadError>,
) -> Result<(), ReadError> {
    let (mut number, mut byte) = (0, 0);
    let mut line = String::new();
    loop {
        line.clear();
        let count = reader.read_line(&mut line).map_err(|error| match error.kind() {
            std::io::ErrorKind::InvalidData => ReadError::Text {
                line: number + 1,
                byte,
                what: "not UTF-8; convert the file with iconv".to_owned(),
            },
            _ if error.to_string() == "stopped" => ReadError::Cancelled,
            _ => error.into(),
        })?;
        if count == 0 {
            return Ok(());
        }
        number += 1;
        if !line.trim().is_empty() && !each(number, byte, object(&line, number, byte)?)? {
            return Ok(());
        }
        byte += count as u64;
    }
}

pub(super) fn read(reader: impl BufRead, options: &ReadOptions) -> Result<People, ReadError> {
    let mut sample: Vec<(u64, u64, Map<String, Value>)> = Vec::new();
    let mut builder: Option<(Vec<String>, PeopleBuilder)> = None;
    objects(reader, &mut |line, byte, object| {
        if let Some((names, builder)) = &mut builder {
            push(names, builder, line, byte, &object)?;
        } else {
            sample.push((line, byte, object));
            if sample.len() == SAMPLE {
                builder = Some(begin(&mut sample, options)?);
            }
        }
        Ok(true)
    })?;
    if builder.is_none() {
        if sample.is_empty() {
            return Err(ReadError::Header("the file has no objects".to_owned()));
        }
        builder = Some(begin(&mut sample, options)?);
    }
    match builder {
        Some((_, builder)) => Ok(builder.finish()),
        None => Err(ReadError::Header("the file has no objects".to_owned())),
    }
}

fn begin(
    sample: &mut Vec<(u64, u64, Map<String, Value>)>,
    options: &ReadOptions,
) -> Result<(Vec<String>, PeopleBuilder), ReadError> {
    let mut names: Vec<String> = Vec::new();
    for (_, _, object) in sample.iter() {
        for name in object.keys() {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
    }
    let mut columns: Vec<ColumnSpec> = names.iter().map(ColumnSpec::new).collect();
    for column in &mut columns {
        let mut values =
            sample.iter().filter_map(|(_, _, object)| match object.get(&column.name) {
                Some(Value::Null) | None => None,
                Some(value) => Some(value),
            });
        let is_moment =
            |value: &Value| value.as_str().is_some_and(|t| parse_moment(t.as_bytes()).is_some());
        if values.next().is_some_and(is_moment) && values.all(is_moment) {
            column.kind = ColumnKind::Timestamp;
        }
    }
    options.apply(&mut columns)?;
    let mut builder = PeopleBuilder::with_sqlite_quoting(columns, options.sqlite_quoting);
    for (line, byte, object) in sample.drain(..) {
        push(&names, &mut builder, line, byte, &object)?;
    }
    Ok((names, builder))
}

fn push(
    names: &[String],
    builder: &mut PeopleBuilder,
    line: u64,
    byte: u64,
    object: &Map<String, Value>,
) -> Result<(), ReadError> {
    if let Some(unknown) = object.keys().find(|key| !names.contains(key)) {
        let what =
            format!("the key {unknown:?} is not in the first {SAMPLE} objects; put it there");
        return Err(ReadError::Text { line, byte, what });
    }
    let texts: Vec<Option<String>> =
        names.iter().map(|name| object.get(name).and_then(text)).collect();
    let fields: Vec<Option<&str>> = texts.iter().map(Option::as_deref).collect();
    builder.push(&fields).map_err(|error| ReadError::Header(error.to_string()))
}

pub(super) fn visit(
    reader: impl BufRead,
    visit: &mut dyn FnMut(&[Option<&str>]) -> bool,
) -> Result<(), ReadError> {
    let mut names: Vec<String> = Vec::new();
    let mut sample: Vec<Map<String, Value>> = Vec::new();
    let mut sampled = false;
    let mut emit = |names: &[String], object: &Map<String, Value>| {
        let texts: Vec<Option<String>> =
            names.iter().map(|name| object.get(name).and_then(text)).collect();
        let fields: Vec<Option<&str>> = texts.iter().map(Option::as_deref).collect();
        visit(&fields)
    };
    objects(reader, &mut |_, _, object| {
        if sampled {
            return Ok(emit(&names, &object));
        }
        for name in object.keys() {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        sample.push(object);
        if sample.len() == SAMPLE {
            sampled = true;
            return Ok(sample.drain(..).all(|object| emit(&names, &object)));
        }
        Ok(true)
    })?;
    for object in sample {
        if !emit(&names, &object) {
            break;
        }
    }
    Ok(())
}
