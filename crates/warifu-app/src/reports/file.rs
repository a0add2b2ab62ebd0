//! How rows become the bytes of a file, by format.

use crate::AppError;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Workbook, Worksheet, XlsxError};
use std::io::{Read, Seek};
use warifu_domain::Timestamp;
use warifu_domain::dialect::{Cell, RowWriter};
use warifu_domain::refusal;
use warifu_domain::reports::{Definition, Format, Subject, Value};
use warifu_match::json_lines::JsonLines;

/// Rows of an XLSX sheet without its header (the format's limit of 1,048,576 less one).
const XLSX_ROWS: u64 = 1_048_575;

/// Writes one report file. Bytes are appended to the buffer that each call is given; it may be
/// sent and cleared between calls. The same rows give the same bytes, always.
pub(super) struct FileWriter {
    kind: Kind,
    columns: Vec<usize>,
}

enum Kind {
    Csv(Box<RowWriter>),
    JsonLines {
        keys: Vec<Vec<u8>>,
        bytes: Vec<u64>,
        rows: u64,
    },
    Xlsx {
        book: Box<Workbook>,
        sheet: Box<Worksheet>,
        labels: Vec<&'static str>,
        bytes: Vec<u64>,
        rows: u64,
    },
}

fn xlsx(e: XlsxError) -> AppError {
    AppError::Internal(format!("XLSX: {e}"))
}

impl FileWriter {
    /// A writer for a checked definition.
    pub(super) fn new(definition: &Definition) -> Result<FileWriter, AppError> {
        let columns = definition.column_indices()?;
        let labels = definition.labels();
        let kind = match &definition.format {
            Format::Csv(dialect) => Kind::Csv(Box::new(RowWriter::new(dialect, &labels))),
            Format::JsonLines => {
                let key = |k: &String| format!("\"{k}\":").into_bytes();
                Kind::JsonLines {
                    keys: definition.columns.iter().map(key).collect(),
                    bytes: vec![0; columns.len()],
                    rows: 0,
                }
            }
            Format::Xlsx => {
                let mut book = Workbook::new();
                // Without it the file would say when it was written: a replay would differ, and a
                // preview's size would not be the run's. When a file was made, its receipt says.
                let made = ExcelDateTime::from_ymd(2000, 1, 1).map_err(xlsx)?;
                book.set_properties(&DocProperties::new().set_creation_datetime(&made));
                let mut sheet = book.new_worksheet_with_constant_memory().map_err(xlsx)?;
                sheet.set_name("Report").map_err(xlsx)?;
                Kind::Xlsx {
                    book: Box::new(book),
                    sheet: Box::new(sheet),
                    labels,
                    bytes: vec![0; columns.len()],
                    rows: 0,
                }
            }
        };
        Ok(FileWriter { kind, columns })
    }

    /// What comes before the first row.
    pub(super) fn header(&mut self, out: &mut Vec<u8>) -> Result<(), AppError> {
        match &mut self.kind {
            Kind::Csv(writer) => writer.header(out),
            Kind::JsonLines { .. } => {}
            Kind::Xlsx { sheet, labels, .. } => {
                for (column, label) in labels.iter().enumerate() {
                    sheet.write(0, column as u16, *label).map_err(xlsx)?;
                }
            }
        }
        Ok(())
    }

    /// One row of the subject; the report's columns are picked from it.
    pub(super) fn row(&mut self, values: &[Value<'_>], out: &mut Vec<u8>) -> Result<(), AppError> {
        let value = |place: usize| values.get(place).copied().unwrap_or(Value::Null);
        match &mut self.kind {
            Kind::Csv(writer) => {
                let mut digits = std::array::from_fn::<_, 24, _>(|_| itoa::Buffer::new());
                let cells =
                    self.columns.iter().zip(&mut digits).map(|(place, digits)| {
                        match value(*place) {
                            Value::Null => Cell::Null,
                            Value::Text(t) => Cell::Text(t),
                            Value::Time(t) => Cell::Micros(t),
                            Value::Number(n) => Cell::Bare(digits.format(n)),
                            Value::Bool(b) => Cell::Bare(if b { "true" } else { "false" }),
                        }
                    });
                writer.row_cells(cells, out);
            }
            Kind::JsonLines { keys, bytes, rows } => {
                *rows += 1;
                for (i, (place, key)) in self.columns.iter().zip(keys).enumerate() {
                    out.push(if i == 0 { b'{' } else { b',' });
                    out.extend_from_slice(key);
                    let before = out.len();
                    json_value(value(*place), out)?;
                    bytes[i] += (out.len() - before) as u64;
                }
                out.extend_from_slice(b"}\n");
            }
            Kind::Xlsx { sheet, bytes, rows, .. } => {
                *rows += 1;
                if *rows > XLSX_ROWS {
                    return Err(AppError::invalid(
                        "format",
                        refusal!(
                            "xlsx-rows",
                            "XLSX holds at most {limit} rows; choose CSV or JSON Lines, or add a filter",
                            limit = XLSX_ROWS
                        ),
                    ));
                }
                let row = *rows as u32;
                for (i, place) in self.columns.iter().enumerate() {
                    let column = i as u16;
                    bytes[i] += match value(*place) {
                        Value::Null => 0,
                        Value::Text(t) => {
                            sheet.write_string(row, column, t).map_err(xlsx)?;
                            t.len() as u64
                        }
                        // Times as texts: a spreadsheet's own dates have neither zone nor microseconds.
                        Value::Time(t) => {
                            let text = Timestamp(t).to_string();
                            sheet.write_string(row, column, &text).map_err(xlsx)?;
                            text.len() as u64
                        }
                        Value::Number(n) => {
                            sheet.write_number(row, column, n as f64).map_err(xlsx)?;
                            8
                        }
                        Value::Bool(b) => {
                            sheet.write_boolean(row, column, b).map_err(xlsx)?;
                            1
                        }
                    };
                }
            }
        }
        Ok(())
    }

    /// What comes after the last row, handed to `sink` in pieces when it is large.
    pub(super) fn finish(
        self,
        out: &mut Vec<u8>,
        mut sink: impl FnMut(&[u8]) -> Result<(), AppError>,
    ) -> Result<Totals, AppError> {
        match self.kind {
            Kind::Csv(mut writer) => {
                writer.finish(out);
                Ok(Totals { rows: writer.rows(), column_bytes: writer.column_bytes().to_vec() })
            }
            Kind::JsonLines { bytes, rows, .. } => Ok(Totals { rows, column_bytes: bytes }),
            Kind::Xlsx { mut book, sheet, bytes, rows, .. } => {
                book.push_worksheet(*sheet);
                let file = |source| AppError::File { path: "temporary file".into(), source };
                let mut temporary = tempfile::tempfile().map_err(file)?;
                book.save_to_writer(&mut temporary).map_err(xlsx)?;
                temporary.rewind().map_err(file)?;
                let mut piece = vec![0; 128 * 1024];
                loop {
                    let n = temporary.read(&mut piece).map_err(file)?;
                    if n == 0 {
                        break;
                    }
                    sink(&piece[..n])?;
                }
                Ok(Totals { rows, column_bytes: bytes })
            }
        }
    }
}

/// What a finished file holds.
pub(super) struct Totals {
    pub rows: u64,
    pub column_bytes: Vec<u64>,
}

/// How this installation writes JSON Lines: with the keys of the columns, as
/// the match has to know it.
pub(crate) fn json_lines() -> JsonLines {
    let columns = Subject::People.columns().iter();
    let keys = columns.map(|c| (c.label.to_owned(), c.key.to_owned())).collect();
    JsonLines { spaced: false, keys }
}

fn json_value(value: Value<'_>, out: &mut Vec<u8>) -> Result<(), AppError> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Text(t) => {
            serde_json::to_writer(out, t).map_err(|e| AppError::Internal(e.to_string()))?
        }
        Value::Time(t) => {
            out.push(b'"');
            warifu_domain::dialect::write_timestamp(t, out);
            out.push(b'"');
        }
        Value::Number(n) => out.extend_from_slice(itoa::Buffer::new().format(n).as_bytes()),
        Value::Bool(b) => out.extend_from_slice(if b { b"true" } else { b"false" }),
    }
    Ok(())
}
