//! Parsing a block of delimited records, eight bytes at a time.

use super::ReadError;
use crate::people::Intake;

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;
const LOWS: u64 = !HIGHS;

/// What is wrong, and at which byte of the block.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    byte: usize,
    line: usize,
    what: String,
}

impl Fault {
    pub(super) fn at(self, offset: u64) -> ReadError {
        // Lines of earlier blocks are counted by the caller of the library's front door.
        ReadError::Text {
            line: self.line as u64 + 1,
            byte: offset + self.byte as u64,
            what: self.what,
        }
    }
}

/// How a file spells "nothing".
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Empties {
    pub bare: u64,
    pub quoted: u64,
}

impl Empties {
    pub(super) fn add(&mut self, other: Self) {
        self.bare += other.bare;
        self.quoted += other.quoted;
    }

    /// A file that quotes everything has no other way to write a missing value.
    pub(super) fn are_null(self) -> bool {
        self.bare == 0 && self.quoted > 0
    }
}

/// High bit of every byte of `word` that equals `byte`, exactly.
#[inline(always)]
fn equal(word: u64, byte: u64) -> u64 {
    let difference = word ^ byte;
    !(((difference & LOWS) + LOWS) | difference | LOWS)
}

/// As [`equal`], but may also mark a byte above a marked one; enough to raise a suspicion.
#[inline(always)]
fn roughly_equal(word: u64, byte: u64) -> u64 {
    let difference = word ^ byte;
    difference.wrapping_sub(ONES) & !difference & HIGHS
}

struct Walk<'a> {
    text: &'a [u8],
    columns: usize,
    start: usize,
    column: usize,
    row: usize,
    /// Quote characters in the current field.
    quotes: usize,
    quoted: bool,
    inside: bool,
    suspect: bool,
    bare: u64,
    scratch: Vec<u8>,
}

/// Parses `text`, whole records, into `intake`; answers how many rows.
pub(super) fn parse(
    text: &[u8],
    delimiter: u8,
    columns: usize,
    intake: &mut Intake,
    empties: &mut Empties,
) -> Result<usize, Fault> {
    check(text)?;
    intake.begin(memchr::memchr_iter(b'\n', text).count());
    let mut walk = Walk {
        text,
        columns,
        start: 0,
        column: 0,
        row: 0,
        quotes: 0,
        quoted: false,
        inside: false,
        suspect: false,
        bare: 0,
        scratch: Vec::new(),
    };
    let splat = |byte: u8| u64::from(byte) * ONES;
    let (delimiters, newlines, quotes) = (splat(delimiter), splat(b'\n'), splat(b'"'));
    let (backslashes, spaces) = (splat(b'\\'), splat(b' '));
    let mut others = [b',', b';', b'\t', b'|'].into_iter().filter(|other| *other != delimiter);
    let others = [(); 3].map(|()| splat(others.next().unwrap_or(b'"')));
    let (words, tail) = text.as_chunks::<8>();
    let mut last = [b'.'; 8];
    last[..tail.len()].copy_from_slice(tail);
    for (index, word) in words.iter().chain(std::iter::once(&last)).enumerate() {
        let word = u64::from_le_bytes(*word);
        let line_ends = equal(word, newlines);
        let mut marks = line_ends | equal(word, delimiters) | equal(word, quotes);
        // A control character is below a space. What ends a field is none, nor is the CR before an
        // LF; another one there is seen to where the record ends.
        let shown = word | (marks >> 2) | (line_ends >> 10);
        let odd = (word & HIGHS)
            | (shown.wrapping_sub(spaces) & HIGHS)
            | roughly_equal(word, backslashes)
            | roughly_equal(word, others[0])
            | roughly_equal(word, others[1])
            | roughly_equal(word, others[2]);
        walk.suspect |= odd != 0;
        while marks != 0 {
            let at = index * 8 + (marks.trailing_zeros() / 8) as usize;
            marks &= marks - 1;
            let Some(&byte) = text.get(at) else { break };
            if byte == b'"' {
                walk.quote(at);
            } else if !walk.inside {
                walk.field(at, byte == b'\n', intake, empties)?;
                walk.suspect = odd != 0;
            }
        }
    }
    if walk.inside {
        return Err(walk.fault(walk.start, "a quote is opened here and never closed"));
    }
    empties.bare += walk.bare;
    Ok(walk.row)
}

fn check(text: &[u8]) -> Result<(), Fault> {
    let fault = |byte: usize, what: &str| {
        let line = memchr::memchr_iter(b'\n', text.get(..byte).unwrap_or_default()).count();
        Err(Fault { byte, line, what: what.to_owned() })
    };
    if let Some(byte) = memchr::memchr(0, text) {
        return fault(byte, "a NUL byte; the file is binary, UTF-16 or damaged");
    }
    match std::str::from_utf8(text) {
        Ok(_) => Ok(()),
        Err(error) => fault(
            error.valid_up_to(),
            "not UTF-8; convert the file, e.g. iconv -f SHIFT_JIS (or WINDOWS-1252) -t UTF-8",
        ),
    }
}

impl Walk<'_> {
    #[inline]
    fn quote(&mut self, at: usize) {
        if at == self.start {
            self.quoted = true;
            self.inside = true;
            self.quotes = 1;
        } else if self.quoted {
            self.inside = !self.inside;
            self.quotes += 1;
        } else {
            // Inside an unquoted field a quote is a character like any other.
            self.suspect = true;
        }
    }

    #[inline]
    fn field(
        &mut self,
        at: usize,
        ends_row: bool,
        intake: &mut Intake,
        empties: &mut Empties,
    ) -> Result<(), Fault> {
        let mut end = at;
        if ends_row && end > self.start {
            match self.text[end - 1] {
                b'\r' => end -= 1,
                0..b' ' => self.suspect = true,
                _ => {}
            }
        }
        if end == self.start {
            if ends_row && self.column == 0 && self.columns > 1 {
                self.start = at + 1;
                return Ok(());
            }
            self.bare += 1;
        } else if self.column < self.columns {
            let raw = &self.text[self.start..end];
            if self.quoted {
                self.quoted_field(raw, intake, empties)?;
            } else {
                intake.put(self.column, self.row, raw, self.suspect);
            }
        }
        self.column += 1;
        self.quoted = false;
        if ends_row {
            if self.column != self.columns {
                return Err(self.ragged());
            }
            self.column = 0;
            self.row += 1;
        }
        self.start = at + 1;
        Ok(())
    }

    fn quoted_field(
        &mut self,
        raw: &[u8],
        intake: &mut Intake,
        empties: &mut Empties,
    ) -> Result<(), Fault> {
        let Some(content) = raw.get(1..raw.len() - 1).filter(|_| raw.ends_with(b"\"")) else {
            return Err(self.fault(
                self.start,
                "text follows a closing quote; double the quotes inside a quoted field",
            ));
        };
        if self.quotes == 2 {
            empties.quoted += u64::from(content.is_empty());
            intake.put(self.column, self.row, content, true);
            return Ok(());
        }
        self.scratch.clear();
        let mut rest = content;
        while let Some(at) = memchr::memchr(b'"', rest) {
            let (before, after) = rest.split_at(at + 1);
            self.scratch.extend_from_slice(before);
            match after.split_first() {
                Some((b'"', after)) => rest = after,
                _ => {
                    return Err(self.fault(
                        self.start,
                        "text follows a closing quote; double the quotes inside a quoted field",
                    ));
                }
            }
        }
        self.scratch.extend_from_slice(rest);
        intake.put(self.column, self.row, &self.scratch, true);
        Ok(())
    }

    #[cold]
    fn ragged(&self) -> Fault {
        let what = format!(
            "{} fields where the header names {}; a field with the separator in it must be quoted",
            self.column, self.columns
        );
        self.fault(self.start, &what)
    }

    #[cold]
    fn fault(&self, byte: usize, what: &str) -> Fault {
        let before = self.text.get(..byte).unwrap_or_default();
        Fault { byte, line: memchr::memchr_iter(b'\n', before).count(), what: what.to_owned() }
    }
}

/// Calls `visit` with each record of `text` (whole records, but the last may lack its newline) until
/// it answers `false`; answers where the last visited record ends. Not the fast path.
pub(super) fn each_record(
    text: &[u8],
    delimiter: u8,
    visit: &mut dyn FnMut(&[Option<&str>]) -> bool,
) -> Result<usize, Fault> {
    check(text)?;
    let mut at = 0;
    let mut fields: Vec<(bool, Vec<u8>)> = Vec::new();
    while at < text.len() {
        let mut count = 0;
        let mut ended = false;
        while !ended {
            if fields.len() == count {
                fields.push((false, Vec::new()));
            }
            let Some((quoted, field)) = fields.get_mut(count) else { break };
            field.clear();
            *quoted = text.get(at) == Some(&b'"');
            if *quoted {
                let start = at;
                at += 1;
                loop {
                    let Some(next) = memchr::memchr(b'"', text.get(at..).unwrap_or_default())
                    else {
                        let line = memchr::memchr_iter(b'\n', &text[..start]).count();
                        let what = "a quote is opened here and never closed".to_owned();
                        return Err(Fault { byte: start, line, what });
                    };
                    field.extend_from_slice(&text[at..at + next]);
                    at += next + 1;
                    if text.get(at) != Some(&b'"') {
                        break;
                    }
                    field.push(b'"');
                    at += 1;
                }
            }
            let rest = text.get(at..).unwrap_or_default();
            let end = memchr::memchr2(delimiter, b'\n', rest).unwrap_or(rest.len());
            ended = rest.get(end) != Some(&delimiter);
            let mut raw = &rest[..end];
            if ended {
                raw = raw.strip_suffix(b"\r").unwrap_or(raw);
            }
            field.extend_from_slice(raw);
            at += end + 1;
            count += 1;
        }
        let record: Vec<Option<&str>> = fields
            .iter()
            .take(count)
            .map(|(quoted, field)| {
                // The block was checked, and fields are cut at ASCII bytes.
                std::str::from_utf8(field).ok().filter(|text| *quoted || !text.is_empty())
            })
            .collect();
        if !visit(&record) {
            break;
        }
    }
    Ok(at.min(text.len()))
}
