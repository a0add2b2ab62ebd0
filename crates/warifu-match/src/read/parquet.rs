//! Parquet through its record reader; instants become the text that the default dialect writes.

use std::fs::File;

use parquet::{
    file::reader::{FileReader, SerializedFileReader},
    record::{Field, Row},
};
use warifu_domain::dialect::write_timestamp;

use super::{ReadError, ReadOptions};
use crate::people::{ColumnKind, ColumnSpec, People, PeopleBuilder};

fn fault(error: impl std::fmt::Display) -> ReadError {
    ReadError::Parquet(error.to_string())
}

/// The cell of a Parquet value as Warifu's export would write it.
fn put(field: &Field, out: &mut Vec<u8>) -> bool {
    match field {
        Field::Null => return false,
        Field::Str(text) => out.extend_from_slice(text.as_bytes()),
        Field::Bytes(bytes) => out.extend_from_slice(bytes.data()),
        Field::TimestampMillis(millis) => write_timestamp(millis.saturating_mul(1000), out),
        Field::TimestampMicros(micros) => write_timestamp(*micros, out),
        other => out.extend_from_slice(other.to_string().trim_matches('"').as_bytes()),
    }
    true
}

fn columns(reader: &SerializedFileReader<File>) -> Vec<ColumnSpec> {
    let schema = reader.metadata().file_metadata().schema();
    schema
        .get_fields()
        .iter()
        .map(|field| {
            let mut column = ColumnSpec::new(field.name());
            let physical =
                if field.is_primitive() { Some(field.get_physical_type()) } else { None };
            let logical = format!(
                "{:?}{:?}",
                field.get_basic_info().logical_type_ref(),
                field.get_basic_info().converted_type()
            );
            if logical.to_ascii_uppercase().contains("TIMESTAMP")
                || logical.contains("Date")
                || physical == Some(parquet::basic::Type::INT96)
            {
                column.kind = ColumnKind::Timestamp;
            }
            column
        })
        .collect()
}

fn each(
    reader: &SerializedFileReader<File>,
    visit: &mut dyn FnMut(&[Option<&str>]) -> bool,
) -> Result<(), ReadError> {
    let mut texts: Vec<(bool, Vec<u8>)> = Vec::new();
    for row in reader.get_row_iter(None).map_err(fault)? {
        let row: Row = row.map_err(fault)?;
        let mut count = 0;
        for (_, field) in row.get_column_iter() {
            if texts.len() == count {
                texts.push((false, Vec::new()));
            }
            if let Some((filled, text)) = texts.get_mut(count) {
                text.clear();
                *filled = put(field, text);
            }
            count += 1;
        }
        let mut fields = Vec::with_capacity(count);
        for (filled, text) in texts.iter().take(count) {
            let text = std::str::from_utf8(text).map_err(fault)?;
            fields.push(filled.then_some(text));
        }
        if !visit(&fields) {
            break;
        }
    }
    Ok(())
}

pub(super) fn read(
    file: File,
    options: &ReadOptions,
    size: u64,
    progress: &(dyn Fn(u64, u64) -> bool + Sync),
) -> Result<People, ReadError> {
    let reader = SerializedFileReader::new(file).map_err(fault)?;
    let total = reader.metadata().file_metadata().num_rows().max(1) as u64;
    let mut columns = columns(&reader);
    options.apply(&mut columns)?;
    let mut builder = PeopleBuilder::with_sqlite_quoting(columns, options.sqlite_quoting);
    let mut wrong = None;
    let mut row = 0_u64;
    let mut stopped = false;
    each(&reader, &mut |fields| {
        row += 1;
        if row.is_multiple_of(65_536) && !progress(size.saturating_mul(row) / total, size) {
            stopped = true;
        }
        wrong = builder.push(fields).err();
        wrong.is_none() && !stopped
    })?;
    match wrong {
        _ if stopped => Err(ReadError::Cancelled),
        Some(wrong) => Err(fault(wrong)),
        None => Ok(builder.finish()),
    }
}

pub(super) fn visit(
    file: File,
    visit: &mut dyn FnMut(&[Option<&str>]) -> bool,
) -> Result<(), ReadError> {
    each(&SerializedFileReader::new(file).map_err(fault)?, visit)
}
