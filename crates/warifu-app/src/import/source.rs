//! Rows of a people file, one at a time: CSV, TSV, JSON Lines or Parquet.

use crate::AppError;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

/// Longest record that is taken, in bytes: a file of quotes that never end must not fill the memory.
const MAX_RECORD: usize = 1 << 20;

/// A row, or why it is none. `line` counts from 1 and is where the row begins.
pub struct SourceRow {
    pub line: u64,
    pub values: Result<Vec<Option<String>>, String>,
}

/// An open file: its headers and its rows.
pub struct Source {
    pub headers: Vec<String>,
    pub rows: Box<dyn Iterator<Item = SourceRow> + Send>,
    /// Bytes read so far.
    pub read: Arc<AtomicU64>,
    pub total: u64,
    /// Why the rows end before the file does.
    pub broken: Broken,
}

/// What a file cannot be read beyond: told once, after the rows before it.
pub type Broken = Arc<OnceLock<String>>;

/// Counts the bytes that go through it.
struct Counted {
    file: File,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.file.read(buffer)?;
        self.read.fetch_add(n as u64, Relaxed);
        Ok(n)
    }
}

/// Ends a record that is longer than any that is taken, before the whole of it is in memory.
struct Bounded<R> {
    inner: R,
    left: Arc<AtomicU64>,
}

/// Bytes that are read ahead.
const AHEAD: usize = 256 * 1024;

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.inner.read(buffer)?;
        let left = self.left.load(Relaxed);
        if n as u64 > left {
            return Err(std::io::Error::other(format!(
                "more than {MAX_RECORD} bytes without an end; is a closing quote missing?"
            )));
        }
        self.left.store(left - n as u64, Relaxed);
        Ok(n)
    }
}

/// Opens a people file; the extension says what it is (`.csv`, `.tsv`, `.jsonl`/`.ndjson`, `.parquet`).
///
/// # Errors
/// When the file cannot be read, is of no known kind, or has no header.
pub fn open(path: &Path) -> Result<Source, AppError> {
    let failed = |source| AppError::File { path: path.display().to_string(), source };
    let wrong = |what: String| AppError::Invalid {
        field: "file",
        what: format!("{}: {what}", path.display()).into(),
    };
    let file = File::open(path).map_err(failed)?;
    let total = file.metadata().map_err(failed)?.len();
    if total == 0 {
        return Err(wrong("is empty; it needs a first line with the names of its columns".into()));
    }
    let read = Arc::new(AtomicU64::new(0));
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_lowercase();
    let counted = Counted { file, read: read.clone() };
    let broken = Broken::default();
    let (headers, rows): (_, Box<dyn Iterator<Item = SourceRow> + Send>) = match extension.as_str()
    {
        "csv" | "tsv" | "txt" => {
            let (headers, rows) = delimited(counted, extension == "tsv", &broken).map_err(wrong)?;
            (headers, Box::new(rows))
        }
        "jsonl" | "ndjson" => {
            let (headers, rows) = json_lines(counted, &broken).map_err(wrong)?;
            (headers, Box::new(rows))
        }
        "parquet" => {
            let (headers, rows) = parquet_rows(counted, total).map_err(wrong)?;
            (headers, Box::new(rows))
        }
        other => {
            return Err(wrong(format!(
                "“.{other}” is no people file; give CSV, TSV, JSON Lines (.jsonl) or Parquet"
            )));
        }
    };
    Ok(Source { headers, rows, read, total, broken })
}

type Rows<T> = Result<(Vec<String>, T), String>;

fn utf8(bytes: &[u8], what: &str) -> Result<String, String> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|e| {
        format!("{what} is not UTF-8 (byte {} of it); save the file as UTF-8", e.valid_up_to() + 1)
    })
}

/// The delimiter that stands most often in the first line, outside of quotes.
fn delimiter(first: &[u8]) -> u8 {
    let mut quoted = false;
    let mut counts = [(b',', 0_u32), (b';', 0), (b'\t', 0), (b'|', 0)];
    for b in first {
        match b {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => break,
            b if !quoted => counts.iter_mut().filter(|(d, _)| d == b).for_each(|(_, n)| *n += 1),
            _ => {}
        }
    }
    // The first of equals wins: the comma.
    counts.iter().rev().max_by_key(|(_, n)| *n).map_or(b',', |(d, _)| *d)
}

fn delimited(
    file: Counted,
    tsv: bool,
    broken: &Broken,
) -> Rows<impl Iterator<Item = SourceRow> + Send + use<>> {
    const ALLOWED: u64 = (MAX_RECORD + 2 * AHEAD) as u64;
    let left = Arc::new(AtomicU64::new(ALLOWED));
    let mut input = BufReader::with_capacity(AHEAD, Bounded { inner: file, left: left.clone() });
    let first = input.fill_buf().map_err(|e| e.to_string())?;
    if first.starts_with(b"\xFF\xFE") || first.starts_with(b"\xFE\xFF") {
        return Err("is UTF-16; save it as UTF-8".into());
    }
    let header = first.split(|b| *b == b'\n').next().unwrap_or_default();
    if let Some(byte) = header.iter().position(|b| *b == 0) {
        return Err(format!(
            "has a NUL (byte {}) in its first line: it is UTF-16 or no text; save it as UTF-8",
            byte + 1
        ));
    }
    let delimiter = if tsv { b'\t' } else { delimiter(first) };
    // The reader ends a record at CR and meets the LF with the next one: its line is one behind.
    let behind =
        first.iter().position(|b| *b == b'\n').is_some_and(|i| i > 0 && first[i - 1] == b'\r');
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .has_headers(true)
        .from_reader(input);
    let headers = reader.byte_headers().map_err(|e| e.to_string())?.clone();
    let headers: Vec<String> = headers
        .iter()
        .map(|h| utf8(h, "the header").map(|h| h.trim_start_matches('\u{feff}').to_owned()))
        .collect::<Result<_, _>>()?;
    let width = headers.len();
    let (broken, mut after) = (broken.clone(), 1);
    let mut records = reader.into_byte_records();
    let rows = std::iter::from_fn(move || {
        let record = match records.next()? {
            Ok(record) => record,
            Err(e) => {
                // Bytes are never wrong to this reader: the file could not be read on.
                let why = match e.into_kind() {
                    csv::ErrorKind::Io(e) => e.to_string(),
                    other => format!("{other:?}"),
                };
                let _ = broken.set(format!("the record after line {after}: {why}"));
                return None;
            }
        };
        left.store(ALLOWED, Relaxed);
        let line = record.position().map_or(after + 1, |p| p.line() + u64::from(behind));
        after = line;
        Some(SourceRow { line, values: texts(&record, width) })
    });
    Ok((headers, rows))
}

fn texts(record: &csv::ByteRecord, width: usize) -> Result<Vec<Option<String>>, String> {
    if record.len() != width {
        return Err(format!(
            "has {} values, the header has {width}; is a quote or delimiter missing?",
            record.len()
        ));
    }
    if record.as_slice().len() > MAX_RECORD {
        return Err(format!(
            "has {} bytes; at most {MAX_RECORD} are taken. Is a closing quote missing?",
            record.as_slice().len()
        ));
    }
    let text = |(i, v): (usize, &[u8])| {
        if v.is_empty() { Ok(None) } else { utf8(v, &format!("value {}", i + 1)).map(Some) }
    };
    record.iter().enumerate().map(text).collect()
}

fn json_text(value: &serde_json::Value) -> Result<Option<String>, String> {
    use serde_json::Value;
    match value {
        Value::Null => Ok(None),
        Value::String(s) if s.is_empty() => Ok(None),
        Value::String(s) => Ok(Some(s.clone())),
        Value::Number(n) => Ok(Some(n.to_string())),
        Value::Bool(b) => Ok(Some(b.to_string())),
        Value::Array(_) | Value::Object(_) => {
            Err("has a value that is a list or object; a field is a text".into())
        }
    }
}

/// Lines with one object each. The first object's keys are the columns; later ones may leave out
/// some, but not bring others.
fn json_lines(
    file: Counted,
    broken: &Broken,
) -> Rows<impl Iterator<Item = SourceRow> + Send + use<>> {
    let mut input = BufReader::with_capacity(AHEAD, file);
    let mut line = String::new();
    let mut number = 0_u64;
    let first = loop {
        line.clear();
        number += 1;
        let n =
            (&mut input).take(MAX_RECORD as u64).read_line(&mut line).map_err(|e| e.to_string())?;
        if n == 0 {
            return Err("has no object".into());
        }
        if !line.trim().is_empty() {
            break line.clone();
        }
    };
    let parse = |text: &str| -> Result<serde_json::Map<String, serde_json::Value>, String> {
        serde_json::from_str(text).map_err(|e| format!("is no JSON object: {e}"))
    };
    let headers: Vec<String> =
        parse(&first).map_err(|e| format!("line {number} {e}"))?.keys().cloned().collect();
    let columns = headers.clone();
    let read = move |text: &str| -> Result<Vec<Option<String>>, String> {
        let object = parse(text)?;
        if let Some(other) = object.keys().find(|k| !columns.contains(k)) {
            return Err(format!("has “{other}”, which the first line does not have"));
        }
        columns.iter().map(|c| object.get(c).map_or(Ok(None), json_text)).collect()
    };
    let (mut pending, broken) = (Some(first), broken.clone());
    let rows = std::iter::from_fn(move || {
        loop {
            let (at, text) = match pending.take() {
                Some(text) => (number, text),
                None => {
                    let mut bytes = Vec::new();
                    let n = (&mut input).take(MAX_RECORD as u64 + 1).read_until(b'\n', &mut bytes);
                    number += 1;
                    match n {
                        Ok(0) => return None,
                        Ok(n) if n > MAX_RECORD => {
                            // The rest of the line is passed over, so that the next is read whole.
                            let _ = skip_line(&mut input);
                            let why = format!("has more than {MAX_RECORD} bytes");
                            return Some(SourceRow { line: number, values: Err(why) });
                        }
                        Ok(_) => match utf8(&bytes, "it") {
                            Ok(text) => (number, text),
                            Err(e) => return Some(SourceRow { line: number, values: Err(e) }),
                        },
                        Err(e) => {
                            let _ = broken.set(format!("line {number}: {e}"));
                            return None;
                        }
                    }
                }
            };
            if !text.trim().is_empty() {
                return Some(SourceRow { line: at, values: read(&text) });
            }
        }
    });
    Ok((headers, rows))
}

fn skip_line(input: &mut impl BufRead) -> std::io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(());
        }
        let (n, found) = match buffer.iter().position(|b| *b == b'\n') {
            Some(i) => (i + 1, true),
            None => (buffer.len(), false),
        };
        input.consume(n);
        if found {
            return Ok(());
        }
    }
}

fn parquet_rows(file: Counted, total: u64) -> Rows<impl Iterator<Item = SourceRow> + Send> {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;
    let Counted { file, read } = file;
    let reader = SerializedFileReader::new(file).map_err(|e| format!("is no Parquet file: {e}"))?;
    let schema = reader.metadata().file_metadata().schema();
    let all = reader.metadata().file_metadata().num_rows().max(1) as u64;
    let headers: Vec<String> = schema.get_fields().iter().map(|f| f.name().to_owned()).collect();
    let text = |field: &Field| match field {
        Field::Null => None,
        Field::Str(s) => Some(s.clone()).filter(|s| !s.is_empty()),
        Field::TimestampMicros(t) => Some(warifu_domain::Timestamp(*t).to_string()),
        Field::TimestampMillis(t) => {
            Some(warifu_domain::Timestamp(t.saturating_mul(1_000)).to_string())
        }
        other => Some(other.to_string()),
    };
    let rows = reader.into_iter().enumerate().map(move |(i, row)| {
        // Parquet is read here and there: how far it is, the rows say.
        read.store((total as f64 * (i + 1) as f64 / all as f64) as u64, Relaxed);
        let values = row
            .map(|row| row.get_column_iter().map(|(_, field)| text(field)).collect())
            .map_err(|e| format!("cannot be read: {e}"));
        SourceRow { line: i as u64 + 1, values }
    });
    Ok((headers, rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Values = Result<Vec<Option<String>>, String>;

    fn rows(name: &str, content: &[u8]) -> Result<Vec<(u64, Values)>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        let source = open(&path).map_err(|e| e.to_string())?;
        Ok(source.rows.map(|r| (r.line, r.values)).collect())
    }

    #[test]
    fn reads_what_spreadsheets_write() {
        let got =
            rows("a.csv", "\u{feff}name;mail\r\n\"a;b\";x@y\r\n\"two\nlines\";\r\n".as_bytes())
                .unwrap();
        assert_eq!(got[0], (2, Ok(vec![Some("a;b".into()), Some("x@y".into())])));
        assert_eq!(got[1].0, 3);
        assert_eq!(got[1].1, Ok(vec![Some("two\nlines".into()), None]));
    }

    #[test]
    fn names_the_line_of_a_bad_row_and_goes_on() {
        let got = rows("a.csv", b"a,b\n1,2\n1\n1,2,3\n\xff,2\n5,6\n").unwrap();
        assert!(got[1].1.as_ref().unwrap_err().contains("has 1 values, the header has 2"));
        assert!(got[2].1.is_err() && got[3].1.as_ref().unwrap_err().contains("UTF-8"));
        assert_eq!(got[4], (6, Ok(vec![Some("5".into()), Some("6".into())])));
        let got =
            rows("a.jsonl", b"{\"a\":1,\"b\":\"x\"}\n\n[]\n{\"a\":null}\n{\"c\":1}\n").unwrap();
        assert_eq!(got[0].1, Ok(vec![Some("1".into()), Some("x".into())]));
        assert!(got[1].1.as_ref().unwrap_err().contains("no JSON object"));
        assert_eq!(got[2], (4, Ok(vec![None, None])));
        assert!(got[3].1.as_ref().unwrap_err().contains("“c”"));
    }

    #[test]
    fn refuses_what_is_no_people_file() {
        assert!(rows("a.csv", b"").unwrap_err().contains("is empty"));
        assert!(rows("a.xls", b"x").unwrap_err().contains("no people file"));
        assert!(rows("a.csv", b"\xff\xfea\0").unwrap_err().contains("UTF-16"));
        assert!(rows("a.csv", b"n\0a\0m\0e\0\n\0").unwrap_err().contains("UTF-16"));
        assert!(rows("a.parquet", b"PAR1").unwrap_err().contains("no Parquet file"));
    }
}
