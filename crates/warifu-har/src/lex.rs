//! A pull lexer for JSON over any `Read`, with byte offsets and bounded strings.
//!
//! Neither `serde_json` (which buffers a string whole and cannot bound it) nor `struson` (bounded,
//! but 35 MB/s measured, and it refuses the lone surrogates that browsers write into bodies)
//! streams a file of hundreds of MB well, so the token layer is our own. It follows RFC 8259;
//! the one leniency is that an unpaired `\uD800` escape becomes U+FFFD.

use sha2::{Digest, Sha256};
use std::io::Read;

/// A number literal longer than this is refused (bytes).
const MAX_NUMBER: usize = 1024;

/// Why the text is not JSON, or could not be read.
#[derive(Debug)]
pub(crate) enum LexError {
    /// Not JSON: byte offset from the start of the input, and what was wrong.
    Syntax { offset: u64, what: &'static str },
    /// The reader failed.
    Io(std::io::Error),
}

type Result<T> = std::result::Result<T, LexError>;

pub(crate) struct Lexer<R> {
    src: R,
    buf: Vec<u8>,
    pos: usize,
    end: usize,
    base: u64,
    eof: bool,
    hash: Option<Sha256>,
}

impl<R: Read> Lexer<R> {
    /// Reads through a buffer of `capacity` bytes; `hash` also takes the SHA-256 of what was read.
    pub(crate) fn new(src: R, capacity: usize, hash: bool) -> Self {
        let buf = vec![0; capacity.max(16)];
        Self { src, buf, pos: 0, end: 0, base: 0, eof: false, hash: hash.then(Sha256::new) }
    }

    /// Byte offset of the next unread byte.
    pub(crate) fn offset(&self) -> u64 {
        self.base + self.pos as u64
    }

    pub(crate) fn syntax<T>(&self, what: &'static str) -> Result<T> {
        Err(LexError::Syntax { offset: self.offset(), what })
    }

    fn fill(&mut self) -> Result<bool> {
        if self.pos < self.end {
            return Ok(true);
        }
        if self.eof {
            return Ok(false);
        }
        self.base += self.end as u64;
        self.pos = 0;
        self.end = 0;
        loop {
            match self.src.read(&mut self.buf) {
                Ok(0) => {
                    self.eof = true;
                    return Ok(false);
                }
                Ok(n) => {
                    if let Some(hash) = &mut self.hash {
                        hash.update(&self.buf[..n]);
                    }
                    self.end = n;
                    return Ok(true);
                }
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) => return Err(LexError::Io(e)),
            }
        }
    }

    fn peek_raw(&mut self) -> Result<Option<u8>> {
        Ok(if self.fill()? { Some(self.buf[self.pos]) } else { None })
    }

    /// The next byte that is not white space, not consumed.
    pub(crate) fn peek(&mut self) -> Result<Option<u8>> {
        while let Some(b) = self.peek_raw()? {
            if !matches!(b, b' ' | b'\t' | b'\r' | b'\n') {
                return Ok(Some(b));
            }
            self.pos += 1;
        }
        Ok(None)
    }

    /// Like [`Self::peek`], but the end of the input is an error.
    pub(crate) fn need(&mut self) -> Result<u8> {
        match self.peek()? {
            Some(b) => Ok(b),
            None => self.syntax("the file ends too early"),
        }
    }

    pub(crate) fn expect(&mut self, byte: u8, what: &'static str) -> Result<()> {
        if self.need()? != byte {
            return self.syntax(what);
        }
        self.pos += 1;
        Ok(())
    }

    /// After an opening bracket or an element: `true` if another element follows.
    pub(crate) fn more(&mut self, first: bool, close: u8) -> Result<bool> {
        let b = self.need()?;
        if b == close {
            self.pos += 1;
            return Ok(false);
        }
        if first {
            return Ok(true);
        }
        if b != b',' {
            return self.syntax("expected a comma or a closing bracket");
        }
        self.pos += 1;
        if self.need()? == close {
            return self.syntax("a comma before a closing bracket");
        }
        Ok(true)
    }

    pub(crate) fn literal(&mut self, word: &'static [u8]) -> Result<()> {
        for &w in word {
            match self.peek_raw()? {
                Some(b) if b == w => self.pos += 1,
                Some(_) => return self.syntax("not a JSON value"),
                None => return self.syntax("the file ends too early"),
            }
        }
        Ok(())
    }

    /// A number literal, as it is written.
    pub(crate) fn number(&mut self) -> Result<String> {
        let start = self.offset();
        let mut text = String::new();
        while let Some(b) = self.peek_raw()? {
            if !matches!(b, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E') {
                break;
            }
            if text.len() == MAX_NUMBER {
                return self.syntax("a number of more than 1024 characters");
            }
            text.push(char::from(b));
            self.pos += 1;
        }
        if !is_number(text.as_bytes()) {
            return Err(LexError::Syntax { offset: start, what: "not a JSON value" });
        }
        Ok(text)
    }

    /// A string into `out`. Once it is longer than `limit` bytes, `spill` gets it piece by piece
    /// instead and `Ok(true)` is returned with `out` empty: memory stays bounded by `limit`.
    pub(crate) fn string(
        &mut self,
        out: &mut Vec<u8>,
        limit: usize,
        spill: &mut dyn FnMut(&str),
    ) -> Result<bool> {
        out.clear();
        self.expect(b'"', "expected a string")?;
        let mut valid = 0;
        let mut spilled = false;
        loop {
            if !self.fill()? {
                return self.syntax("the file ends inside a string");
            }
            let rest = &self.buf[self.pos..self.end];
            let stop = memchr::memchr2(b'"', b'\\', rest).unwrap_or(rest.len());
            if let Some(at) = rest[..stop].iter().position(|&b| b < 0x20) {
                self.pos += at;
                return self.syntax("a control character inside a string");
            }
            out.extend_from_slice(&rest[..stop]);
            let special = rest.get(stop).copied();
            self.pos += stop;
            match std::str::from_utf8(&out[valid..]) {
                Ok(_) => valid = out.len(),
                Err(e) => {
                    valid += e.valid_up_to();
                    if e.error_len().is_some() || special.is_some() {
                        let behind = (out.len() - valid) as u64;
                        return Err(LexError::Syntax {
                            offset: self.offset() - behind,
                            what: "invalid UTF-8",
                        });
                    }
                }
            }
            match special {
                Some(b'"') => {
                    self.pos += 1;
                    if spilled {
                        spill(&String::from_utf8_lossy(out));
                        out.clear();
                    }
                    return Ok(spilled);
                }
                Some(_) => {
                    self.pos += 1;
                    let c = self.escape()?;
                    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                    valid = out.len();
                }
                None => {}
            }
            if out.len() > limit {
                spilled = true;
                spill(&String::from_utf8_lossy(&out[..valid]));
                out.drain(..valid);
                valid = 0;
            }
        }
    }

    fn escape(&mut self) -> Result<char> {
        let Some(b) = self.peek_raw()? else {
            return self.syntax("the file ends inside a string");
        };
        let c = match b {
            b'"' | b'\\' | b'/' => char::from(b),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                self.pos += 1;
                return self.unicode_escape();
            }
            _ => return self.syntax("an unknown escape in a string"),
        };
        self.pos += 1;
        Ok(c)
    }

    fn hex4(&mut self) -> Result<u32> {
        let mut n = 0;
        for _ in 0..4 {
            match self.peek_raw()?.and_then(|b| char::from(b).to_digit(16)) {
                Some(d) => n = n * 16 + d,
                None => return self.syntax("expected four hexadecimal digits"),
            }
            self.pos += 1;
        }
        Ok(n)
    }

    fn unicode_escape(&mut self) -> Result<char> {
        let mut unit = self.hex4()?;
        // A high surrogate may be followed by anything: look ahead, and let what turns out not to
        // be its low half stand for itself.
        while (0xD800..0xDC00).contains(&unit) {
            if !self.next_is(b"\\u")? {
                return Ok(char::REPLACEMENT_CHARACTER);
            }
            self.pos += 2;
            let low = self.hex4()?;
            if (0xDC00..0xE000).contains(&low) {
                let c = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
                return Ok(char::from_u32(c).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            unit = low;
        }
        Ok(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    /// Whether the two unread bytes are `pair`; moves the tail of the buffer when it has to.
    fn next_is(&mut self, pair: &[u8; 2]) -> Result<bool> {
        if self.end - self.pos < 2 && !self.eof {
            self.base += self.pos as u64;
            self.buf.copy_within(self.pos..self.end, 0);
            self.end -= self.pos;
            self.pos = 0;
            while self.end < 2 {
                match self.src.read(&mut self.buf[self.end..]) {
                    Ok(0) => {
                        self.eof = true;
                        break;
                    }
                    Ok(n) => {
                        if let Some(hash) = &mut self.hash {
                            hash.update(&self.buf[self.end..self.end + n]);
                        }
                        self.end += n;
                    }
                    Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                    Err(e) => return Err(LexError::Io(e)),
                }
            }
        }
        Ok(self.buf[self.pos..self.end].starts_with(pair))
    }

    /// Demands that nothing but white space follows; gives the number of bytes read and, if it was
    /// asked for, their SHA-256.
    pub(crate) fn finish(mut self) -> Result<(u64, [u8; 32])> {
        if self.peek()?.is_some() {
            return self.syntax("something follows the JSON value");
        }
        let digest = self.hash.take().map(|h| h.finalize().into()).unwrap_or_default();
        Ok((self.offset(), digest))
    }
}

/// RFC 8259 `number`.
fn is_number(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let digits = |t: &[u8]| t.iter().take_while(|b| b.is_ascii_digit()).count();
    let int = digits(text);
    if int == 0 || (int > 1 && text[0] == b'0') {
        return false;
    }
    let mut rest = &text[int..];
    if let Some(frac) = rest.strip_prefix(b".") {
        let n = digits(frac);
        if n == 0 {
            return false;
        }
        rest = &frac[n..];
    }
    if let [b'e' | b'E', exp @ ..] = rest {
        let exp = exp.strip_prefix(b"+").or_else(|| exp.strip_prefix(b"-")).unwrap_or(exp);
        let n = digits(exp);
        return n > 0 && n == exp.len();
    }
    rest.is_empty()
}
