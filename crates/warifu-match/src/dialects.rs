//! The dialects to try, and what each makes of the sums of a column.

use serde::{Deserialize, Serialize};
use warifu_domain::dialect::{
    Delimiter, Dialect, EmptyText, Encoding, Eol, NullText, Quote, RowWriter, TimestampText, Zone,
    text_len,
};

use crate::{
    json_lines::JsonLines,
    shape::{ALWAYS, COMMA, PIPE, SEMICOLON, TAB},
};

/// What kind of file it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum FileFormat {
    /// Delimited text in the candidate's dialect.
    #[default]
    Delimited,
    /// JSON Lines; the candidate's dialect says nothing about it.
    JsonLines(JsonLines),
    /// A file whose size is no sum over its people; it is known only from writing it. The name is
    /// the exporter's.
    Written(String),
}

/// A dialect that the file may have been written in.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The dialect.
    pub dialect: Dialect,
    /// Write timestamps in the dialect's form; otherwise as they stand in the people file.
    pub convert_timestamps: bool,
    /// How unlikely, in powers of two.
    pub cost: f32,
    /// Kind of file.
    pub format: FileFormat,
}

impl Candidate {
    /// A dialect with timestamps as in the people file.
    #[must_use]
    pub fn new(dialect: Dialect) -> Self {
        let format = FileFormat::Delimited;
        Self { dialect, convert_timestamps: false, cost: 0.0, format }
    }

    /// A dialect of a table that has its instants as instants: they count in the dialect's form,
    /// which costs time unless that is the one in which they are kept.
    #[must_use]
    pub fn of_instants(dialect: Dialect) -> Self {
        let as_they_stand = dialect.timestamps == TimestampText::Iso8601
            && dialect.zone == Zone::Utc
            && matches!(dialect.quote, Quote::Minimal | Quote::All | Quote::NonNull);
        Self { convert_timestamps: !as_they_stand, ..Self::new(dialect) }
    }

    /// JSON Lines with timestamps as in the people file.
    #[must_use]
    pub fn json_lines(json: JsonLines) -> Self {
        let dialect = Dialect { eol: Eol::Lf, header: false, ..Dialect::default() };
        Self { format: FileFormat::JsonLines(json), ..Self::new(dialect) }
    }

    /// Stable name; says when timestamps are taken as they are.
    #[must_use]
    pub fn id(&self) -> String {
        let id = match &self.format {
            FileFormat::Delimited => self.dialect.id(),
            FileFormat::JsonLines(json) => json.id().to_owned(),
            FileFormat::Written(name) => return name.clone(),
        };
        if self.convert_timestamps { id } else { format!("{id};dates-as-given") }
    }

    /// `csv`, `jsonl`, or the name of the exporter.
    #[must_use]
    pub fn format_name(&self) -> &str {
        match &self.format {
            FileFormat::Delimited => "csv",
            FileFormat::JsonLines(_) => "jsonl",
            FileFormat::Written(name) => name,
        }
    }
}

/// The 90 usual ones: `,` `;` tab × minimal, all, non-null quoting × LF, CRLF × UTF-8, UTF-8 with
/// mark, UTF-16, Shift_JIS, Windows-1252. Warifu's own first.
#[must_use]
pub fn usual() -> Vec<Candidate> {
    let mut all = Vec::with_capacity(90);
    let encodings = [
        (Encoding::Utf8, false, 0.0),
        (Encoding::Utf8, true, 1.0),
        (Encoding::ShiftJis, false, 2.5),
        (Encoding::Utf16Le, true, 3.0),
        (Encoding::Windows1252, false, 3.0),
    ];
    let delimiters = [(Delimiter::Comma, 0.0), (Delimiter::Semicolon, 2.0), (Delimiter::Tab, 2.0)];
    let quotes = [(Quote::Minimal, 0.0), (Quote::All, 1.0), (Quote::NonNull, 1.5)];
    for (encoding, bom, encoding_cost) in encodings {
        for (delimiter, delimiter_cost) in delimiters {
            for (quote, quote_cost) in quotes {
                for (eol, eol_cost) in [(Eol::CrLf, 0.0), (Eol::Lf, 0.5)] {
                    let dialect =
                        Dialect { delimiter, quote, eol, bom, encoding, ..Dialect::default() };
                    let cost = encoding_cost + delimiter_cost + quote_cost + eol_cost;
                    all.push(Candidate { cost, ..Candidate::new(dialect) });
                }
            }
        }
    }
    all
}

/// Reads a dialect file: the keys of one dialect, or several `[[dialect]]` tables. Where
/// `timestamps` or `zone` is given, dates are converted to it; otherwise they count as they stand in
/// the people file. `format = "jsonl"` with `spaced` and `keys` is JSON Lines.
///
/// # Errors
/// What the TOML parser says, with line and column.
pub fn parse(text: &str) -> Result<Vec<Candidate>, toml::de::Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Several {
        dialect: Vec<toml::Table>,
    }
    let table: toml::Table = toml::from_str(text)?;
    let tables = if table.contains_key("dialect") {
        table.try_into::<Several>()?.dialect
    } else {
        vec![table]
    };
    tables
        .into_iter()
        .map(|mut table| {
            if table.get("format").and_then(toml::Value::as_str) == Some("jsonl") {
                table.remove("format");
                return Ok(Candidate::json_lines(table.try_into::<JsonLines>()?));
            }
            if table.get("format").and_then(toml::Value::as_str) == Some("csv") {
                table.remove("format");
            }
            let convert_timestamps = table.contains_key("timestamps") || table.contains_key("zone");
            let dialect = table.try_into::<Dialect>()?;
            Ok(Candidate { convert_timestamps, ..Candidate::new(dialect) })
        })
        .collect()
}

/// A sum that a pass must make per column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Basis {
    /// UTF-8 bytes, inner quotes doubled.
    Bytes,
    /// Cells that are not missing.
    Filled,
    /// Empty texts.
    Empty,
    /// Cells with one of these flags.
    Needs(u8),
    /// What UTF-16 needs fewer than `Bytes`, in units.
    LessUtf16,
    /// What Shift_JIS needs fewer.
    LessShiftJis,
    /// What a one-byte encoding needs fewer.
    LessSingle,
    /// What JSON adds for escapes, quotes aside.
    Escapes,
    /// Length of instants in this form (an index into the list of dialects that convert).
    Moments(Dialect),
}

fn trigger(dialect: &Dialect) -> u8 {
    let delimiter = match dialect.delimiter {
        Delimiter::Comma => COMMA,
        Delimiter::Semicolon => SEMICOLON,
        Delimiter::Tab => TAB,
        Delimiter::Pipe => PIPE,
    };
    let sqlite = if dialect.quote == Quote::Sqlite { crate::shape::SQLITE } else { 0 };
    delimiter | ALWAYS | sqlite
}

/// What [`Basis::Moments`] depends on, and nothing else, so that equal sums are made once.
fn moment_form(dialect: &Dialect) -> Dialect {
    Dialect { timestamps: dialect.timestamps, zone: dialect.zone.clone(), ..Dialect::default() }
}

/// The sums that `candidates` need; `Bytes` and `Filled` first.
pub(crate) fn bases(candidates: &[Candidate], any_empty: bool) -> Vec<Basis> {
    let mut bases = vec![Basis::Bytes, Basis::Filled];
    if any_empty {
        bases.push(Basis::Empty);
    }
    let mut add = |basis: Basis| {
        if !bases.contains(&basis) {
            bases.push(basis);
        }
    };
    for candidate in candidates {
        match &candidate.format {
            FileFormat::Delimited => {}
            FileFormat::JsonLines(_) => {
                add(Basis::Escapes);
                continue;
            }
            FileFormat::Written(_) => continue,
        }
        let dialect = &candidate.dialect;
        if matches!(dialect.quote, Quote::Minimal | Quote::Sqlite) {
            add(Basis::Needs(trigger(dialect)));
        }
        match dialect.encoding {
            Encoding::Utf8 => {}
            Encoding::Utf16Le => add(Basis::LessUtf16),
            Encoding::ShiftJis => add(Basis::LessShiftJis),
            Encoding::Windows1252 => add(Basis::LessSingle),
        }
        if candidate.convert_timestamps {
            add(Basis::Moments(moment_form(dialect)));
        }
    }
    bases
}

/// A dialect as weights: a column's bytes are a sum of its bases times these.
#[derive(Clone, Debug)]
pub(crate) struct Weights {
    /// Per basis.
    text: Vec<i64>,
    /// Per basis, for columns of instants.
    moments: Vec<i64>,
    /// Per row.
    per_row: i64,
    /// Per report column, in every record: the delimiter, in JSON the key too.
    per_cell: Vec<u64>,
    /// Bytes of each report column's label.
    labels: Vec<u64>,
    /// Everything that depends on neither rows nor columns.
    fixed: i64,
    /// What `fixed` takes away for the end of the last record, where there is no record.
    without_records: i64,
    /// Per record, less the delimiter that each column brings along.
    per_record: i64,
    header: u64,
    lone_blank: u64,
    lone_is_nothing: bool,
    lone_empty_is_nothing: bool,
}

impl Weights {
    pub(crate) fn new(candidate: &Candidate, bases: &[Basis], labels: &[&str]) -> Self {
        if let FileFormat::JsonLines(json) = &candidate.format {
            return Self::json_lines(json, bases, labels);
        }
        let dialect = &candidate.dialect;
        let unit = dialect.encoding.unit() as i64;
        let missing = match (&dialect.null, dialect.quote) {
            (NullText::QuotedEmpty, _) | (NullText::Empty, Quote::All) => 2 * unit,
            (NullText::Empty, _) => 0,
            (NullText::Text(text), quote) => {
                text_len(text, quote == Quote::All, dialect.encoding) as i64
            }
        };
        let all = matches!(dialect.quote, Quote::All | Quote::NonNull);
        let all_texts = all || dialect.quote == Quote::NonNumeric;
        let weigh = |converted: bool| -> Vec<i64> {
            bases
                .iter()
                .map(|basis| match basis {
                    Basis::Bytes if converted => 0,
                    Basis::Bytes => unit,
                    Basis::Filled => {
                        let spaced = matches!(
                            dialect.timestamps,
                            TimestampText::Space
                                | TimestampText::SpaceMicros
                                | TimestampText::SpaceFraction
                                | TimestampText::UsMinutes
                                | TimestampText::SlashMinutes
                        );
                        let quoted = if converted {
                            all || dialect.quote == Quote::Sqlite && spaced
                        } else {
                            all_texts
                        };
                        if quoted { 2 * unit - missing } else { -missing }
                    }
                    Basis::Empty => {
                        let quoted = !all_texts && dialect.empty == EmptyText::Quoted;
                        if quoted { 2 * unit } else { 0 }
                    }
                    Basis::Needs(flags) => {
                        let mine = matches!(dialect.quote, Quote::Minimal | Quote::Sqlite)
                            && *flags == trigger(dialect);
                        if mine && !converted { 2 * unit } else { 0 }
                    }
                    Basis::LessUtf16 => less(dialect, Encoding::Utf16Le, converted, unit),
                    Basis::LessShiftJis => less(dialect, Encoding::ShiftJis, converted, unit),
                    Basis::LessSingle => less(dialect, Encoding::Windows1252, converted, unit),
                    Basis::Escapes => 0,
                    Basis::Moments(form) => {
                        if converted && *form == moment_form(dialect) {
                            unit
                        } else {
                            0
                        }
                    }
                })
                .collect()
        };
        // The label record of all columns at once, then what each label adds to it.
        let written = |labels: &[&str]| {
            let plain = Dialect { bom: false, footer: Vec::new(), header: true, ..dialect.clone() };
            let mut out = Vec::new();
            RowWriter::new(&Dialect { final_newline: true, ..plain }, labels).header(&mut out);
            out.len() as u64
        };
        let eol = dialect.eol.text().len() as i64 * unit;
        let mut frame = Vec::new();
        let mut writer = RowWriter::new(&Dialect { header: false, ..dialect.clone() }, &[]);
        writer.header(&mut frame);
        writer.finish(&mut frame);
        let mut fixed = frame.len() as i64;
        if !dialect.final_newline && !dialect.footer.is_empty() {
            fixed += eol;
        }
        if !dialect.final_newline {
            fixed -= eol;
        }
        let nothing = !dialect.final_newline && dialect.footer.is_empty();
        Self {
            text: weigh(false),
            moments: weigh(candidate.convert_timestamps),
            per_row: missing,
            per_cell: vec![unit as u64; labels.len()],
            labels: labels
                .iter()
                .map(|label| written(&[label]).saturating_sub(eol as u64))
                .collect(),
            fixed,
            without_records: if nothing { eol } else { 0 },
            per_record: eol - unit,
            header: u64::from(dialect.header),
            lone_blank: if dialect.lone_blank == EmptyText::Quoted { 2 * unit as u64 } else { 0 },
            lone_is_nothing: missing == 0,
            lone_empty_is_nothing: !all_texts && dialect.empty == EmptyText::Bare,
        }
    }

    /// Every part of a JSON Lines file is a sum over rows: `null` for what is missing, quotes and
    /// escapes for texts, key, colon and comma for every cell, braces and the line end per row.
    fn json_lines(json: &JsonLines, bases: &[Basis], labels: &[&str]) -> Self {
        const NULL: i64 = 4;
        let text = bases
            .iter()
            .map(|basis| match basis {
                Basis::Bytes | Basis::Escapes => 1,
                Basis::Filled => 2 - NULL,
                _ => 0,
            })
            .collect::<Vec<i64>>();
        let comma = json.separator() as i64;
        Self {
            moments: text.clone(),
            text,
            per_row: NULL,
            per_cell: labels.iter().map(|label| json.per_cell(label)).collect(),
            labels: vec![0; labels.len()],
            fixed: 0,
            without_records: 0,
            per_record: 3 - comma,
            header: 0,
            lone_blank: 0,
            lone_is_nothing: false,
            lone_empty_is_nothing: false,
        }
    }

    /// Bytes that do not depend on which columns there are.
    pub(crate) fn base(&self, rows: u64) -> i64 {
        let records = (rows + self.header) as i64;
        self.fixed + records * self.per_record + if records == 0 { self.without_records } else { 0 }
    }

    /// Bytes that a column brings along, its delimiter in every record included.
    pub(crate) fn column(&self, index: usize, instants: bool, rows: u64, sums: &[u64]) -> u64 {
        self.cells(instants, rows, sums) + self.frame(index, rows)
    }

    /// Bytes of a column's label and of its delimiter in every record.
    pub(crate) fn frame(&self, index: usize, rows: u64) -> u64 {
        let label = if self.header == 1 { self.labels.get(index).copied().unwrap_or(0) } else { 0 };
        label + (rows + self.header) * self.per_cell.get(index).copied().unwrap_or(0)
    }

    /// Bytes of a column's values with their quotes.
    pub(crate) fn cells(&self, instants: bool, rows: u64, sums: &[u64]) -> u64 {
        let weights = if instants { &self.moments } else { &self.text };
        let cells: i64 = weights.iter().zip(sums).map(|(w, sum)| w * *sum as i64).sum();
        (cells + rows as i64 * self.per_row).max(0) as u64
    }

    /// What a file of this one column adds for its blank rows.
    pub(crate) fn lone(&self, rows: u64, filled: u64, empty: u64) -> u64 {
        let mut blanks = if self.lone_is_nothing { rows - filled.min(rows) } else { 0 };
        if self.lone_empty_is_nothing {
            blanks += empty;
        }
        blanks * self.lone_blank
    }
}

fn less(dialect: &Dialect, encoding: Encoding, converted: bool, unit: i64) -> i64 {
    if dialect.encoding == encoding && !converted { -unit } else { 0 }
}

/// A dialect as the answer shows it.
#[derive(Clone, Debug, Serialize)]
pub struct DialectView {
    id: String,
    /// `csv`, `jsonl`, or the exporter whose real file was written.
    format: String,
    #[serde(flatten)]
    dialect: Dialect,
    dates_as_given: bool,
}

impl From<&Candidate> for DialectView {
    fn from(candidate: &Candidate) -> Self {
        Self {
            id: candidate.id(),
            format: candidate.format_name().to_owned(),
            dialect: candidate.dialect.clone(),
            dates_as_given: !candidate.convert_timestamps,
        }
    }
}
