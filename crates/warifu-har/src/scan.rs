//! The search of the output, in every encoding, for what was removed.
//!
//! Instead of encoding each of possibly millions of removed values in every way, the output is
//! *decoded* in every way, to a depth of [`DEPTH`] encodings in one another, and each view is
//! searched by the hash of its 8-byte windows. Views: as it is, JSON escapes, percent, HTML
//! entities, base64 and base64url (all four alignments), hexadecimal (both alignments), UTF-16
//! (both byte orders). The output goes through in pieces of 1 MiB that overlap by 32 KiB, so a
//! value whose encoded form is longer than that is found by its beginning only.

use crate::needles::{Index, MIN};
use rustc_hash::FxHashSet;

pub(crate) const PIECE: usize = 1 << 20;
pub(crate) const OVERLAP: usize = 32 << 10;
/// How many encodings inside one another are undone.
const DEPTH: usize = 6;
/// Base64 and hexadecimal runs known to be clean; beyond this many they are decoded again.
const KNOWN: usize = 1 << 20;

/// Where a removed value was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hit {
    /// Byte offset in the output of the piece's string that holds it.
    pub(crate) offset: u64,
    /// The encodings that had to be undone, outermost first, e.g. `base64 > percent`.
    pub(crate) encoding: String,
}

pub(crate) struct Scanner {
    index: Index,
    known: FxHashSet<u64>,
    trail: Vec<&'static str>,
    buffer: Vec<u8>,
    /// Offset in the output of `buffer[0]`.
    base: u64,
}

impl Scanner {
    pub(crate) fn new(index: Index) -> Self {
        let known = FxHashSet::default();
        Self { index, known, trail: Vec::new(), buffer: Vec::new(), base: 0 }
    }

    /// Takes more of the output. What is returned has been searched together with what follows
    /// it, so that it can be passed on: nothing of a leak gets out before the leak is seen.
    pub(crate) fn push(&mut self, data: &[u8]) -> Result<Vec<u8>, Hit> {
        self.buffer.extend_from_slice(data);
        if self.buffer.len() < PIECE + OVERLAP {
            return Ok(Vec::new());
        }
        self.check()?;
        let clean = self.buffer.len() - OVERLAP;
        let rest = self.buffer.split_off(clean);
        self.base += clean as u64;
        Ok(std::mem::replace(&mut self.buffer, rest))
    }

    pub(crate) fn finish(&mut self) -> Result<Vec<u8>, Hit> {
        self.check()?;
        Ok(std::mem::take(&mut self.buffer))
    }

    fn check(&mut self) -> Result<(), Hit> {
        if self.index.is_empty() {
            return Ok(());
        }
        let buffer = std::mem::take(&mut self.buffer);
        self.trail.clear();
        let found = if self.leaks(&buffer, 0) { Some(self.locate(&buffer)) } else { None };
        self.buffer = buffer;
        found.map_or(Ok(()), Err)
    }

    /// Narrows a hit down to one JSON string (or what stands between two of them).
    fn locate(&mut self, piece: &[u8]) -> Hit {
        let encoding = self.describe();
        let mut from = 0;
        while from < piece.len() {
            let mut to = from;
            while to < piece.len() && (piece[to] != b'"' || to == from) {
                to += if piece[to] == b'\\' { 2 } else { 1 };
            }
            let to = to.min(piece.len());
            self.trail.clear();
            self.known.clear();
            if self.leaks(&piece[from..to], 0) {
                return Hit { offset: self.base + from as u64, encoding: self.describe() };
            }
            from = to;
        }
        Hit { offset: self.base, encoding }
    }

    fn describe(&self) -> String {
        if self.trail.is_empty() { "raw".to_owned() } else { self.trail.join(" > ") }
    }

    fn leaks(&mut self, data: &[u8], depth: usize) -> bool {
        if data.len() < MIN {
            return false;
        }
        let folded = data.to_ascii_lowercase();
        if self.index.find(&folded).is_some() {
            return true;
        }
        drop(folded);
        if depth == DEPTH {
            return false;
        }
        self.try_view("JSON escape", unescape_json(data), depth)
            || self.try_view("percent", unescape_percent(data), depth)
            || self.try_view("HTML entity", unescape_html(data), depth)
            || self.try_view("UTF-16", without_nul(data), depth)
            || self.runs(data, depth)
    }

    fn try_view(&mut self, name: &'static str, view: Option<Vec<u8>>, depth: usize) -> bool {
        let Some(view) = view else { return false };
        self.trail.push(name);
        if self.leaks(&view, depth + 1) {
            return true;
        }
        self.trail.pop();
        false
    }

    /// Decodes every run of base64 or hexadecimal characters.
    fn runs(&mut self, data: &[u8], depth: usize) -> bool {
        let mut i = 0;
        while i < data.len() {
            if B64[data[i] as usize] == NOT {
                i += 1;
                continue;
            }
            let from = i;
            while i < data.len() && B64[data[i] as usize] != NOT {
                i += 1;
            }
            // Eight bytes take eleven characters of base64.
            if i - from < 11 {
                continue;
            }
            let run = &data[from..i];
            if run.len() == 12 && data[..from].ends_with(b"redacted:") && is_digest(run) {
                continue;
            }
            let hash = self.index.hash(run);
            if self.known.contains(&hash) {
                continue;
            }
            for skip in 0..4 {
                let decoded = from_base64(&run[skip..]);
                if self.decoded("base64", &decoded, depth) {
                    return true;
                }
            }
            if self.hex_in(run, depth) {
                return true;
            }
            if self.known.len() < KNOWN {
                self.known.insert(hash);
            }
        }
        false
    }

    fn hex_in(&mut self, run: &[u8], depth: usize) -> bool {
        let mut i = 0;
        while i < run.len() {
            let from = i;
            while i < run.len() && run[i].is_ascii_hexdigit() {
                i += 1;
            }
            if i - from >= 2 * MIN {
                for skip in 0..2 {
                    let decoded = from_hex(&run[from + skip..i]);
                    if self.decoded("hexadecimal", &decoded, depth) {
                        return true;
                    }
                }
            }
            i += 1;
        }
        false
    }

    /// Text is looked at in all views again; other bytes raw and as UTF-16.
    fn decoded(&mut self, name: &'static str, data: &[u8], depth: usize) -> bool {
        self.trail.push(name);
        let printable = data.iter().filter(|&&b| b >= 0x20 && b != 0x7f).count();
        let texty = printable * 10 >= data.len() * 9 || memchr::memchr(0, data).is_some();
        let found = if texty {
            self.leaks(data, depth + 1)
        } else {
            self.index.find(&data.to_ascii_lowercase()).is_some()
        };
        if found || self.wide(data) {
            return true;
        }
        self.trail.pop();
        false
    }

    /// UTF-16 beyond ASCII (no zero bytes to see it by): both byte orders.
    fn wide(&mut self, data: &[u8]) -> bool {
        if data.len() < MIN || data.is_ascii() {
            return false;
        }
        for skip in 0..2 {
            for unit in [u16::from_le_bytes, u16::from_be_bytes] {
                let units = data[skip..].chunks_exact(2).map(|p| unit([p[0], p[1]]));
                let text: String = char::decode_utf16(units)
                    .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
                    .collect();
                if self.index.find(text.to_ascii_lowercase().as_bytes()).is_some() {
                    self.trail.push("UTF-16");
                    return true;
                }
            }
        }
        false
    }
}

/// Twelve hexadecimal digits, as we write them: 48 bits cannot hold a needle in any encoding.
fn is_digest(run: &[u8]) -> bool {
    run.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

const NOT: u8 = 0xff;
const B64: [u8; 256] = {
    let mut t = [NOT; 256];
    let mut i = 0;
    while i < 26 {
        t[b'A' as usize + i] = i as u8;
        t[b'a' as usize + i] = 26 + i as u8;
        i += 1;
    }
    let mut i = 0;
    while i < 10 {
        t[b'0' as usize + i] = 52 + i as u8;
        i += 1;
    }
    t[b'+' as usize] = 62;
    t[b'-' as usize] = 62;
    t[b'/' as usize] = 63;
    t[b'_' as usize] = 63;
    t
};

/// Lenient on purpose: both alphabets at once, no padding, a remainder is dropped.
fn from_base64(run: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(run.len() / 4 * 3 + 3);
    for group in run.chunks(4) {
        let mut bits = 0_u32;
        for &c in group {
            bits = bits << 6 | u32::from(B64[c as usize]);
        }
        bits <<= 6 * (4 - group.len());
        let bytes = bits.to_be_bytes();
        out.extend_from_slice(&bytes[1..group.len().max(1)]);
    }
    out
}

fn nibble(c: u8) -> Option<u8> {
    char::from(c).to_digit(16).map(|d| d as u8)
}

fn from_hex(run: &[u8]) -> Vec<u8> {
    run.chunks_exact(2).filter_map(|p| Some(nibble(p[0])? << 4 | nibble(p[1])?)).collect()
}

fn push_char(out: &mut Vec<u8>, code: u32) {
    let c = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

fn hex4(at: &[u8]) -> Option<u32> {
    let mut code = 0;
    for &c in at.get(..4)? {
        code = code << 4 | u32::from(nibble(c)?);
    }
    Some(code)
}

fn unescape_json(data: &[u8]) -> Option<Vec<u8>> {
    memchr::memchr(b'\\', data)?;
    let mut out = Vec::with_capacity(data.len());
    let mut i = 0;
    while i < data.len() {
        if data[i] != b'\\' || i + 1 == data.len() {
            out.push(data[i]);
            i += 1;
            continue;
        }
        i += 2;
        match data[i - 1] {
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'x' if data.len() >= i + 2 => {
                if let (Some(h), Some(l)) = (nibble(data[i]), nibble(data[i + 1])) {
                    push_char(&mut out, u32::from(h << 4 | l));
                    i += 2;
                }
            }
            b'u' => match hex4(&data[i..]) {
                Some(high @ 0xD800..0xDC00) if data[i + 4..].starts_with(b"\\u") => {
                    let low = hex4(&data[i + 6..]).unwrap_or(0);
                    i += 4;
                    if (0xDC00..0xE000).contains(&low) {
                        push_char(&mut out, 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00));
                        i += 6;
                    }
                }
                Some(code) => {
                    push_char(&mut out, code);
                    i += 4;
                }
                None => out.push(b'u'),
            },
            other => out.push(other),
        }
    }
    Some(out)
}

fn unescape_percent(data: &[u8]) -> Option<Vec<u8>> {
    memchr::memchr(b'%', data)?;
    let mut out = Vec::with_capacity(data.len());
    let mut changed = false;
    let mut i = 0;
    while i < data.len() {
        if data[i] == b'%'
            && let (Some(&h), Some(&l)) = (data.get(i + 1), data.get(i + 2))
            && let (Some(h), Some(l)) = (nibble(h), nibble(l))
        {
            out.push(h << 4 | l);
            i += 3;
            changed = true;
            continue;
        }
        out.push(data[i]);
        i += 1;
    }
    changed.then_some(out)
}

fn unescape_html(data: &[u8]) -> Option<Vec<u8>> {
    memchr::memmem::find(data, b"&")?;
    let mut out = Vec::with_capacity(data.len());
    let mut changed = false;
    let mut i = 0;
    while i < data.len() {
        if data[i] == b'&'
            && let Some((code, len)) = entity(&data[i + 1..])
        {
            push_char(&mut out, code);
            i += 1 + len;
            changed = true;
            continue;
        }
        out.push(data[i]);
        i += 1;
    }
    changed.then_some(out)
}

/// Code point and length of the entity after an ampersand; the semicolon may be missing.
fn entity(at: &[u8]) -> Option<(u32, usize)> {
    const NAMED: [(&[u8], u8); 12] = [
        (b"amp", b'&'),
        (b"lt", b'<'),
        (b"gt", b'>'),
        (b"quot", b'"'),
        (b"apos", b'\''),
        (b"sol", b'/'),
        (b"commat", b'@'),
        (b"period", b'.'),
        (b"equals", b'='),
        (b"plus", b'+'),
        (b"colon", b':'),
        (b"lowbar", b'_'),
    ];
    let (code, mut len) = if let Some(number) = at.strip_prefix(b"#") {
        let (radix, skip) =
            if matches!(number.first(), Some(b'x' | b'X')) { (16, 1) } else { (10, 0) };
        let digits =
            number[skip..].iter().take(12).take_while(|&&c| char::from(c).is_digit(radix)).count();
        let text = std::str::from_utf8(&number[skip..skip + digits]).ok()?;
        (u32::from_str_radix(text, radix).ok()?, 1 + skip + digits)
    } else {
        let (name, c) = NAMED.iter().find(|(name, _)| at.starts_with(name))?;
        (u32::from(*c), name.len())
    };
    if at.get(len) == Some(&b';') {
        len += 1;
    }
    Some((code, len))
}

fn without_nul(data: &[u8]) -> Option<Vec<u8>> {
    memchr::memchr(0, data)?;
    Some(data.iter().copied().filter(|&b| b != 0).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::needles::Needles;
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

    const SECRET: &str = "Zk9?Qv7>LmXt2Rb8~é";

    fn scanner() -> Scanner {
        let mut needles = Needles::new(1000);
        needles.add(SECRET.as_bytes());
        needles.add("もう一つの秘密".as_bytes());
        Scanner::new(needles.into_index())
    }

    fn found(text: &[u8]) -> Option<String> {
        let mut s = scanner();
        s.push(text).and_then(|_| s.finish()).err().map(|hit| hit.encoding)
    }

    fn percent(s: &str) -> String {
        s.bytes().map(|b| format!("%{b:02x}")).collect()
    }

    fn utf16(s: &str, little: bool) -> Vec<u8> {
        s.encode_utf16()
            .flat_map(|u| if little { u.to_le_bytes() } else { u.to_be_bytes() })
            .collect()
    }

    #[test]
    fn every_encoding_is_undone() {
        let escapes: String = SECRET.encode_utf16().map(|u| format!("\\u{u:04X}")).collect();
        let decimal: String = SECRET.chars().map(|c| format!("&#{};", u32::from(c))).collect();
        let mut forms = vec![
            SECRET.to_owned(),
            SECRET.to_uppercase().replace('É', "é"),
            percent(SECRET),
            percent(&percent(SECRET)),
            escapes.clone(),
            escapes.replace('\\', "\\\\"),
            decimal,
            SECRET.replace('>', "&gt;"),
            SECRET.bytes().map(|b| format!("{b:02x}")).collect(),
            SECRET.bytes().map(|b| format!("{b:02X}")).collect(),
        ];
        for skip in 0..3 {
            let text = format!("{}{SECRET}..", ".".repeat(skip));
            forms.push(STANDARD.encode(&text));
            forms.push(URL_SAFE_NO_PAD.encode(&text));
            forms.push(format!("/{}", STANDARD.encode(STANDARD.encode(&text))));
            forms.push(STANDARD.encode(percent(&text)));
            forms.push(percent(&STANDARD.encode(&text)));
        }
        for little in [true, false] {
            for secret in [SECRET, "もう一つの秘密"] {
                forms.push(STANDARD.encode(utf16(secret, little)));
                forms.push(utf16(secret, little).iter().map(|b| format!("{b:02x}")).collect());
            }
        }
        let json = serde_json::json!({"a": STANDARD.encode(serde_json::json!({"b": percent(SECRET)}).to_string())});
        forms.push(serde_json::Value::String(json.to_string()).to_string());
        for form in forms {
            let text = format!("{{\"x\": \"{form}\"}}");
            assert!(found(text.as_bytes()).is_some(), "{form}");
        }
    }

    #[test]
    fn other_text_is_clean() {
        assert_eq!(found(br#"{"startedDateTime":"2026","v":"Zk9?Qv7>LmXt2Rb8"}"#), None);
        assert_eq!(found(STANDARD.encode("nothing of interest in here").as_bytes()), None);
    }

    #[test]
    fn a_leak_across_pieces_is_found_before_any_of_it_is_passed_on() {
        for at in [PIECE - 7, PIECE + OVERLAP - 7, PIECE + OVERLAP + 5, 2 * PIECE - 3] {
            let mut text = vec![b'.'; at];
            text.extend_from_slice(percent(SECRET).as_bytes());
            text.resize(3 * PIECE, b'.');
            let mut s = scanner();
            let mut passed = 0;
            let mut hit = None;
            for part in text.chunks(1000) {
                match s.push(part) {
                    Ok(clean) => passed += clean.len(),
                    Err(h) => {
                        hit = Some(h);
                        break;
                    }
                }
            }
            assert!(hit.is_some_and(|h| h.encoding == "percent"), "{at}");
            assert!(passed <= at, "{passed} of {at}");
        }
    }
}
