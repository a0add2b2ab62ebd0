//! Canonical JSON (RFC 8785), restricted to what the ledger needs.
//!
//! The restriction: a number is an integer within ±(2^53 − 1). Fractions and larger integers are
//! refused, because two readers may disagree about them; 64-bit counts are written as decimal
//! strings ([`crate::Count`]). So the one difficult part of RFC 8785, printing doubles, is not
//! needed, and every accepted value has exactly the form that RFC 8785 gives it.

use serde_json::Value;

/// The largest integer that is written as a number.
pub const MAX_INTEGER: i64 = (1 << 53) - 1;
/// The deepest nesting of arrays and objects.
pub const MAX_DEPTH: usize = 64;

/// Why a value has no canonical form here, or bytes are not in it.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// A fraction, an exponent or an integer beyond ±(2^53 − 1).
    #[error("the number {0} is not an integer within ±(2^53 − 1); write it as a string")]
    Number(String),
    /// More than 64 levels.
    #[error("nested more than 64 levels deep")]
    Depth,
    /// Not JSON at all.
    #[error("not JSON")]
    Syntax(#[source] serde_json::Error),
    /// JSON, but spelled in another way than the canonical one.
    #[error("not in the canonical form of RFC 8785")]
    Spelling,
}

/// The canonical bytes of a value.
///
/// # Errors
/// [`JsonError::Number`] and [`JsonError::Depth`].
pub fn canonical(value: &Value) -> Result<Vec<u8>, JsonError> {
    let mut out = String::new();
    write(value, MAX_DEPTH, &mut out)?;
    Ok(out.into_bytes())
}

/// Parses bytes and makes sure that they are the canonical form of what they say. Duplicate keys,
/// white space, other escapes and other spellings of numbers are refused.
///
/// # Errors
/// Any [`JsonError`].
pub fn parse_canonical(bytes: &[u8]) -> Result<Value, JsonError> {
    let value: Value = serde_json::from_slice(bytes).map_err(JsonError::Syntax)?;
    if canonical(&value)? == bytes { Ok(value) } else { Err(JsonError::Spelling) }
}

fn write(value: &Value, depth: usize, out: &mut String) -> Result<(), JsonError> {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => match number.as_i64() {
            Some(n) if (-MAX_INTEGER..=MAX_INTEGER).contains(&n) => out.push_str(&n.to_string()),
            _ => return Err(JsonError::Number(number.to_string())),
        },
        Value::String(text) => write_string(text, out),
        Value::Array(items) => {
            let depth = depth.checked_sub(1).ok_or(JsonError::Depth)?;
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write(item, depth, out)?;
            }
            out.push(']');
        }
        Value::Object(map) => {
            let depth = depth.checked_sub(1).ok_or(JsonError::Depth)?;
            let mut members: Vec<_> = map.iter().collect();
            // RFC 8785 section 3.2.3: by UTF-16 code units, which is not the order of UTF-8 bytes.
            members.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            out.push('{');
            for (i, (key, item)) in members.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_string(key, out);
                out.push(':');
                write(item, depth, out)?;
            }
            out.push('}');
        }
    }
    Ok(())
}

/// RFC 8785 section 3.2.2.2: short escapes where they exist, `\u00xx` for other control
/// characters, everything else as it is.
fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            c if c < ' ' => {
                let code = c as u32;
                out.push_str(if code < 0x10 { "\\u000" } else { "\\u001" });
                out.extend(char::from_digit(code & 0xf, 16));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
