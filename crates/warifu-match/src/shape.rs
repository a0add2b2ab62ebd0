//! What a cell weighs in a file, whatever the dialect, in two bytes.

use rustc_hash::FxHashMap;
use warifu_domain::dialect::{Encoding, encoded_len};

/// The cell is missing.
pub(crate) const NULL: u16 = 0;
/// The cell is an empty text.
pub(crate) const EMPTY: u16 = 1;
/// Ids from here name an entry of [`ShapeTable`]; below, a plain text of `id - 1` bytes.
pub(crate) const SPECIAL: u16 = 4096;
/// The table is full: the shape stands in the segment's own list.
pub(crate) const LISTED: u16 = u16::MAX;

pub(crate) const COMMA: u8 = 1;
pub(crate) const SEMICOLON: u8 = 2;
pub(crate) const TAB: u8 = 4;
pub(crate) const PIPE: u8 = 8;
/// A quote, CR or LF: quoted whatever the delimiter.
pub(crate) const ALWAYS: u8 = 16;
/// Quoted by `sqlite3 -csv`, which also minds spaces, `'`, control and non-ASCII bytes.
pub(crate) const SQLITE: u8 = 32;

/// Lengths and quoting triggers of one text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Shape {
    pub bytes: u32,
    pub utf16: u32,
    pub shift_jis: u32,
    pub chars: u32,
    pub quotes: u32,
    /// What JSON adds for characters that it escapes, quotes aside.
    pub escapes: u32,
    pub flags: u8,
}

impl Shape {
    /// Measures `text`; `sqlite` asks for that flag too.
    pub(crate) fn of(text: &[u8], sqlite: bool) -> Self {
        let mut flags = 0;
        let mut quotes = 0;
        let mut escapes = 0;
        for &byte in text {
            escapes += match byte {
                b'\\' | 8 | b'\t' | b'\n' | 12 | b'\r' => 1,
                0..0x20 => 5,
                _ => 0,
            };
            match byte {
                b',' => flags |= COMMA,
                b';' => flags |= SEMICOLON,
                b'\t' => flags |= TAB,
                b'|' => flags |= PIPE,
                b'"' => {
                    flags |= ALWAYS;
                    quotes += 1;
                }
                b'\r' | b'\n' => flags |= ALWAYS,
                _ => {}
            }
            if sqlite && (byte <= b' ' || byte == b'\'' || byte == b'"' || byte >= 0x7F) {
                flags |= SQLITE;
            }
        }
        let bytes = length(text.len() as u64);
        if text.is_ascii() {
            return Self {
                bytes,
                utf16: bytes,
                shift_jis: bytes,
                chars: bytes,
                quotes,
                escapes,
                flags,
            };
        }
        let text = String::from_utf8_lossy(text);
        Self {
            bytes,
            utf16: length(encoded_len(&text, Encoding::Utf16Le) / 2),
            shift_jis: length(encoded_len(&text, Encoding::ShiftJis)),
            chars: length(encoded_len(&text, Encoding::Windows1252)),
            quotes,
            escapes,
            flags,
        }
    }

    fn plain(self) -> bool {
        self.flags == 0
            && self.escapes == 0
            && self.bytes == self.utf16
            && self.bytes == self.shift_jis
    }
}

/// A text over 4 GiB cannot be held by any reader here; its length is cut rather than wrapped.
fn length(length: u64) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// The shapes of one column that are not plain.
#[derive(Clone, Debug, Default)]
pub(crate) struct ShapeTable {
    shapes: Vec<Shape>,
    ids: FxHashMap<Shape, u16>,
}

impl ShapeTable {
    /// The id of `shape`, or [`LISTED`] when the table is full.
    pub(crate) fn id(&mut self, shape: Shape) -> u16 {
        if shape.plain() && shape.bytes < u32::from(SPECIAL) - 1 {
            return shape.bytes as u16 + 1;
        }
        if let Some(id) = self.ids.get(&shape) {
            return *id;
        }
        let next = self.shapes.len() + usize::from(SPECIAL);
        match u16::try_from(next) {
            Ok(id) if id < LISTED => {
                self.shapes.push(shape);
                self.ids.insert(shape, id);
                id
            }
            _ => LISTED,
        }
    }

    /// The shape behind `id`; plain ones are computed.
    pub(crate) fn shape(&self, id: u16) -> Shape {
        if id < SPECIAL {
            let bytes = u32::from(id.saturating_sub(1));
            return Shape {
                bytes,
                utf16: bytes,
                shift_jis: bytes,
                chars: bytes,
                ..Shape::default()
            };
        }
        self.shapes.get(usize::from(id - SPECIAL)).copied().unwrap_or_default()
    }
}
