//! The one delimited-text writer: appends to a caller's buffer and allocates nothing per row.

use super::{Dialect, EmptyText, Encoding, NullText, Quote, TimestampWriter};

/// One field of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell<'a> {
    /// A missing value.
    Null,
    /// A text; may be empty, which is not the same as missing.
    Text(&'a str),
    /// A number or another value that is no text: bare under [`Quote::NonNumeric`].
    Bare(&'a str),
    /// Microseconds since 1970-01-01T00:00:00Z, written in the dialect's form; bare as a number is.
    Micros(i64),
}

impl<'a> From<Option<&'a str>> for Cell<'a> {
    fn from(text: Option<&'a str>) -> Self {
        text.map_or(Cell::Null, Cell::Text)
    }
}

/// Writes one table. Call [`header`](Self::header) once, then rows, then
/// [`finish`](Self::finish); the buffer may be sent and cleared between any two calls.
#[derive(Clone, Debug)]
pub struct RowWriter {
    dialect: Dialect,
    labels: Vec<String>,
    needs: Needs,
    label_needs: Needs,
    delimiter: u8,
    eol: &'static [u8],
    utf8: bool,
    /// What a missing value becomes, encoded; worked out once because most fields are missing.
    null: Vec<u8>,
    /// Quote texts, or values that are no text, without looking at them.
    quote_text: bool,
    quote_bare: bool,
    started: bool,
    rows: u64,
    columns: Vec<u64>,
    timestamps: TimestampWriter,
    scratch: Vec<u8>,
}

impl RowWriter {
    /// A writer for `labels.len()` columns. Every row must have as many cells.
    #[must_use]
    pub fn new(dialect: &Dialect, labels: &[&str]) -> Self {
        let needs = |quote| Needs::new(dialect.delimiter.byte(), quote == Quote::Sqlite);
        let mut null = Vec::new();
        match (&dialect.null, dialect.quote) {
            (NullText::QuotedEmpty, _) | (NullText::Empty, Quote::All) => {
                put_text("", true, dialect.encoding, &mut null);
            }
            (NullText::Empty, _) => {}
            (NullText::Text(text), quote) => {
                put_text(text, quote == Quote::All, dialect.encoding, &mut null);
            }
        }
        let quote_bare = matches!(dialect.quote, Quote::All | Quote::NonNull);
        Self {
            null,
            quote_text: quote_bare || dialect.quote == Quote::NonNumeric,
            quote_bare,
            needs: needs(dialect.quote),
            label_needs: needs(dialect.header_quote.unwrap_or(dialect.quote)),
            delimiter: dialect.delimiter.byte(),
            eol: dialect.eol.text().as_bytes(),
            utf8: dialect.encoding == Encoding::Utf8,
            started: false,
            rows: 0,
            columns: vec![0; labels.len()],
            labels: labels.iter().map(|label| (*label).to_owned()).collect(),
            timestamps: TimestampWriter::new(dialect),
            scratch: Vec::with_capacity(64),
            dialect: dialect.clone(),
        }
    }

    /// Appends the byte-order mark and the label record, where the dialect has them.
    pub fn header(&mut self, out: &mut Vec<u8>) {
        if self.dialect.bom {
            out.extend_from_slice(self.dialect.encoding.mark());
        }
        if !self.dialect.header {
            return;
        }
        self.open_record(out);
        let quote = self.dialect.header_quote.unwrap_or(self.dialect.quote);
        for (index, label) in self.labels.iter().enumerate() {
            if index > 0 {
                self.structural(self.delimiter, out);
            }
            let quoted = label_quoted(quote, &self.label_needs, label);
            put_text(label, quoted, self.dialect.encoding, out);
        }
        self.close_record(out);
    }

    /// Appends one record of texts.
    pub fn row<'a>(&mut self, fields: impl Iterator<Item = Option<&'a str>>, out: &mut Vec<u8>) {
        self.row_cells(fields.map(Cell::from), out);
    }

    /// Appends one record.
    pub fn row_cells<'a>(&mut self, cells: impl Iterator<Item = Cell<'a>>, out: &mut Vec<u8>) {
        self.open_record(out);
        let lone = self.columns.len() == 1 && self.dialect.lone_blank == EmptyText::Quoted;
        for (index, cell) in cells.enumerate() {
            if index > 0 {
                self.structural(self.delimiter, out);
            }
            let before = out.len();
            self.put(cell, out);
            if lone && out.len() == before {
                put_text("", true, self.dialect.encoding, out);
            }
            let written = out.len() - before;
            if written > 0
                && let Some(bytes) = self.columns.get_mut(index)
            {
                *bytes += written as u64;
            }
        }
        self.rows += 1;
        self.close_record(out);
    }

    /// Appends the footer lines and, where the dialect has none, leaves out the last record's end.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        for line in std::mem::take(&mut self.dialect.footer) {
            self.open_record(out);
            push_encoded(&line, self.dialect.encoding, out);
            self.close_record(out);
        }
    }

    /// Data records written so far.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Bytes that each column's values took in the file so far, their quoting and encoding
    /// included; without delimiters, record ends and labels.
    #[must_use]
    pub fn column_bytes(&self) -> &[u64] {
        &self.columns
    }

    /// Bytes that `field` takes in a row, as [`row`](Self::row) writes it (except that the only
    /// column of a table may turn a blank into `""`, see [`Dialect::lone_blank`]).
    #[must_use]
    pub fn field_len(&self, field: Option<&str>) -> u64 {
        let Some(text) = field else { return self.null.len() as u64 };
        text_len(text, self.quoted(text, true), self.dialect.encoding)
    }

    #[inline]
    fn put(&mut self, cell: Cell<'_>, out: &mut Vec<u8>) {
        match cell {
            Cell::Null => {
                if !self.null.is_empty() {
                    out.extend_from_slice(&self.null);
                }
            }
            Cell::Text(text) => self.put_str(text, true, out),
            Cell::Bare(text) => self.put_str(text, false, out),
            Cell::Micros(micros) => self.put_micros(micros, out),
        }
    }

    #[inline]
    fn put_str(&self, text: &str, is_text: bool, out: &mut Vec<u8>) {
        let quoted = self.quoted(text, is_text);
        if self.utf8 && !quoted {
            out.extend_from_slice(text.as_bytes());
        } else {
            put_text(text, quoted, self.dialect.encoding, out);
        }
    }

    fn put_micros(&mut self, micros: i64, out: &mut Vec<u8>) {
        let quoted = match self.dialect.quote {
            Quote::All | Quote::NonNull => true,
            Quote::Minimal | Quote::NonNumeric => false,
            // Of all timestamp forms only those with a space need it there.
            Quote::Sqlite => {
                self.scratch.clear();
                self.timestamps.write(micros, &mut self.scratch);
                self.scratch.contains(&b' ')
            }
        };
        if self.utf8 {
            if quoted {
                out.push(b'"');
            }
            self.timestamps.write(micros, out);
            if quoted {
                out.push(b'"');
            }
            return;
        }
        self.scratch.clear();
        if quoted {
            self.scratch.push(b'"');
        }
        self.timestamps.write(micros, &mut self.scratch);
        if quoted {
            self.scratch.push(b'"');
        }
        for &byte in &self.scratch {
            push_ascii(byte, self.dialect.encoding, out);
        }
    }

    #[inline]
    fn quoted(&self, text: &str, is_text: bool) -> bool {
        if if is_text { self.quote_text } else { self.quote_bare } {
            true
        } else if text.is_empty() {
            self.dialect.empty == EmptyText::Quoted
        } else {
            self.needs.quoting(text.as_bytes())
        }
    }

    #[inline]
    fn open_record(&mut self, out: &mut Vec<u8>) {
        if self.started && !self.dialect.final_newline {
            self.end(out);
        }
        self.started = true;
    }

    #[inline]
    fn close_record(&self, out: &mut Vec<u8>) {
        if self.dialect.final_newline {
            self.end(out);
        }
    }

    #[inline]
    fn end(&self, out: &mut Vec<u8>) {
        if self.utf8 {
            out.extend_from_slice(self.eol);
        } else {
            for &byte in self.eol {
                push_ascii(byte, self.dialect.encoding, out);
            }
        }
    }

    #[inline]
    fn structural(&self, byte: u8, out: &mut Vec<u8>) {
        if self.utf8 {
            out.push(byte);
        } else {
            push_ascii(byte, self.dialect.encoding, out);
        }
    }
}

fn label_quoted(quote: Quote, needs: &Needs, label: &str) -> bool {
    match quote {
        Quote::All | Quote::NonNull | Quote::NonNumeric => true,
        Quote::Minimal | Quote::Sqlite => needs.quoting(label.as_bytes()),
    }
}

/// Which bytes force quotes.
#[derive(Clone, Debug)]
struct Needs {
    forces: [bool; 256],
    delimiter: u64,
    strict: bool,
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

impl Needs {
    fn new(delimiter: u8, sqlite: bool) -> Self {
        let mut forces = [false; 256];
        for byte in [delimiter, b'"', b'\r', b'\n'] {
            forces[usize::from(byte)] = true;
        }
        if sqlite {
            for (byte, forced) in forces.iter_mut().enumerate() {
                *forced |= byte <= 0x20 || byte == 0x27 || byte >= 0x7F;
            }
        }
        Self { forces, delimiter: u64::from(delimiter) * ONES, strict: sqlite }
    }

    /// Looks at eight bytes at once for anything suspicious (a quote, the delimiter, a control
    /// byte), and byte by byte only then: most fields are clean and shorter than 32 bytes, where
    /// starting `memchr` twice costs more than it saves.
    #[inline]
    fn quoting(&self, text: &[u8]) -> bool {
        if self.strict || text.len() < 8 {
            return self.exact(text);
        }
        if text.len() >= 64 {
            return memchr::memchr3(b'"', b'\n', b'\r', text).is_some()
                || memchr::memchr((self.delimiter & 0xFF) as u8, text).is_some();
        }
        let mut found = 0;
        let (chunks, rest) = text.as_chunks::<8>();
        for chunk in chunks {
            found |= self.suspicious(u64::from_le_bytes(*chunk));
        }
        if !rest.is_empty()
            && let Some(last) = text.last_chunk::<8>()
        {
            found |= self.suspicious(u64::from_le_bytes(*last));
        }
        found != 0 && self.exact(text)
    }

    #[inline]
    fn suspicious(&self, word: u64) -> u64 {
        let quote = word ^ (u64::from(b'"') * ONES);
        let delimiter = word ^ self.delimiter;
        let zero = |x: u64| x.wrapping_sub(ONES) & !x;
        let control = word.wrapping_sub(0x20 * ONES) & !word;
        (zero(quote) | zero(delimiter) | control) & HIGHS
    }

    #[inline]
    fn exact(&self, text: &[u8]) -> bool {
        text.iter().any(|&byte| self.forces[usize::from(byte)])
    }
}

/// Bytes of `text` in `encoding`, with its quotes when `quoted`.
#[must_use]
pub fn text_len(text: &str, quoted: bool, encoding: Encoding) -> u64 {
    let plain = encoded_len(text, encoding);
    if !quoted {
        return plain;
    }
    let inner = memchr::memchr_iter(b'"', text.as_bytes()).count() as u64;
    plain + (2 + inner) * encoding.unit()
}

/// Bytes of `text` in `encoding`, unquoted.
#[must_use]
pub fn encoded_len(text: &str, encoding: Encoding) -> u64 {
    match encoding {
        Encoding::Utf8 => text.len() as u64,
        Encoding::Utf16Le => text.encode_utf16().count() as u64 * 2,
        Encoding::Windows1252 => text.chars().count() as u64,
        Encoding::ShiftJis if text.is_ascii() => text.len() as u64,
        Encoding::ShiftJis => {
            let mut bytes = Vec::with_capacity(text.len());
            push_encoded(text, encoding, &mut bytes);
            bytes.len() as u64
        }
    }
}

#[inline]
fn put_text(text: &str, quoted: bool, encoding: Encoding, out: &mut Vec<u8>) {
    if !quoted {
        push_encoded(text, encoding, out);
        return;
    }
    push_ascii(b'"', encoding, out);
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'"', rest.as_bytes()) {
        let (before, after) = rest.split_at(at + 1);
        push_encoded(before, encoding, out);
        push_ascii(b'"', encoding, out);
        rest = after;
    }
    push_encoded(rest, encoding, out);
    push_ascii(b'"', encoding, out);
}

#[inline]
fn push_ascii(byte: u8, encoding: Encoding, out: &mut Vec<u8>) {
    out.push(byte);
    if encoding == Encoding::Utf16Le {
        out.push(0);
    }
}

/// Appends `text` in `encoding`; a character that it lacks becomes `?`.
#[inline]
pub fn push_encoded(text: &str, encoding: Encoding, out: &mut Vec<u8>) {
    if encoding == Encoding::Utf8 {
        out.extend_from_slice(text.as_bytes());
    } else {
        push_converted(text, encoding, out);
    }
}

/// Kept apart so that the UTF-8 path stays small enough to be inlined.
#[inline(never)]
fn push_converted(text: &str, encoding: Encoding, out: &mut Vec<u8>) {
    let legacy = match encoding {
        Encoding::Utf8 => {
            out.extend_from_slice(text.as_bytes());
            return;
        }
        Encoding::Utf16Le => {
            out.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
            return;
        }
        Encoding::ShiftJis => encoding_rs::SHIFT_JIS,
        Encoding::Windows1252 => encoding_rs::WINDOWS_1252,
    };
    let mut encoder = legacy.new_encoder();
    let mut rest = text;
    let mut piece = [0_u8; 256];
    loop {
        let (result, read, written) =
            encoder.encode_from_utf8_without_replacement(rest, &mut piece, true);
        out.extend_from_slice(&piece[..written]);
        rest = &rest[read..];
        match result {
            encoding_rs::EncoderResult::InputEmpty => return,
            encoding_rs::EncoderResult::OutputFull => {}
            encoding_rs::EncoderResult::Unmappable(_) => out.push(b'?'),
        }
    }
}
