//! A value whose meaning nobody told us: what it holds decides. JWT, JSON, URLs and base64 of
//! these keep their shape; anything else becomes a digest.

use crate::lex::{LexError, Lexer};
use crate::redact::{Redactor, base64_text};
use crate::tree::{into_text, read_name, write_str};
use crate::{headers, url};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// Encodings inside one another that are followed; what lies deeper is replaced whole.
const NESTED: usize = 6;
/// Containers inside one another in one embedded JSON text.
const DEPTH: usize = 64;

/// Any text value.
pub(crate) fn value(r: &mut Redactor, text: &str) -> String {
    value_as(r, "value", text)
}

/// [`value`], with the kind that the receipt shows if it is replaced whole.
pub(crate) fn value_as(r: &mut Redactor, kind: &'static str, text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    if r.nested < NESTED && text.len() <= r.limits.max_body {
        r.nested += 1;
        let shaped = shaped(r, text);
        r.nested -= 1;
        if let Some(shaped) = shaped {
            return shaped;
        }
    }
    r.token(kind, text)
}

fn shaped(r: &mut Redactor, text: &str) -> Option<String> {
    match text.trim_start().as_bytes().first()? {
        b'{' | b'[' => return json(r, text),
        b'"' => return None,
        _ => {}
    }
    if let Some(jwt) = jwt(r, text) {
        return Some(jwt);
    }
    if let Some(url) = url::absolute(r, text) {
        return Some(url);
    }
    if text.len() >= 16 {
        let decoded = base64_text(text)?;
        if decoded.starts_with(['{', '[']) {
            let clean = json(r, &decoded)?;
            let url_safe = text.contains(['-', '_']) || !text.len().is_multiple_of(4);
            return Some(if url_safe {
                URL_SAFE_NO_PAD.encode(clean)
            } else {
                STANDARD.encode(clean)
            });
        }
    }
    None
}

/// A JSON object or array with every leaf replaced; `None` if `text` is not exactly that.
pub(crate) fn json(r: &mut Redactor, text: &str) -> Option<String> {
    let before = r.snapshot();
    let mut lex = Lexer::new(text.as_bytes(), text.len().min(1 << 16), false);
    let mut out = Vec::with_capacity(text.len());
    // Numbers grow when they are replaced: a text of nothing but digits must not take memory
    // without bound.
    let most = r.limits.max_body.saturating_mul(2);
    let done = json_value(r, &mut lex, &mut out, 0, most, None).is_ok() && lex.finish().is_ok();
    if done {
        return Some(into_text(out));
    }
    r.restore(before);
    None
}

/// Why an embedded JSON text is not followed; it is replaced whole then.
struct Unfit;

impl From<LexError> for Unfit {
    fn from(_: LexError) -> Self {
        Unfit
    }
}

impl From<std::io::Error> for Unfit {
    fn from(_: std::io::Error) -> Self {
        Unfit
    }
}

fn json_value(
    r: &mut Redactor,
    lex: &mut Lexer<&[u8]>,
    out: &mut Vec<u8>,
    depth: usize,
    most: usize,
    key: Option<&str>,
) -> Result<(), Unfit> {
    if depth > DEPTH || out.len() > most {
        return Err(Unfit);
    }
    match lex.need()? {
        b'{' => {
            lex.expect(b'{', "")?;
            out.push(b'{');
            let mut first = true;
            while lex.more(first, b'}')? {
                if !first {
                    out.push(b',');
                }
                first = false;
                let name = read_name(lex)?;
                write_str(out, &r.name(&name))?;
                out.push(b':');
                lex.expect(b':', "")?;
                json_value(r, lex, out, depth + 1, most, Some(&name))?;
            }
            out.push(b'}');
        }
        b'[' => {
            lex.expect(b'[', "")?;
            out.push(b'[');
            let mut first = true;
            while lex.more(first, b']')? {
                if !first {
                    out.push(b',');
                }
                first = false;
                json_value(r, lex, out, depth + 1, most, key)?;
            }
            out.push(b']');
        }
        b'"' => {
            let mut text = Vec::new();
            lex.string(&mut text, usize::MAX, &mut |_| {})?;
            let text = into_text(text);
            let clean = match key {
                Some(k) if k.eq_ignore_ascii_case("cookie") => headers::cookie(r, &text),
                Some(k) if k.eq_ignore_ascii_case("set-cookie") => headers::set_cookie(r, &text),
                _ => value_as(r, "JSON string", &text),
            };
            write_str(out, &clean)?;
        }
        b't' => {
            lex.literal(b"true")?;
            out.extend_from_slice(b"true");
        }
        b'f' => {
            lex.literal(b"false")?;
            out.extend_from_slice(b"false");
        }
        b'n' => {
            lex.literal(b"null")?;
            out.extend_from_slice(b"null");
        }
        _ => {
            let number = lex.number()?;
            write_str(out, &r.token("JSON number", &number))?;
        }
    }
    Ok(())
}

/// JWS (three parts) or JWE (five): the header keeps its algorithm and type, the payload the
/// names of its claims; the rest becomes digests in base64url, so that decoders still open it.
fn jwt(r: &mut Redactor, text: &str) -> Option<String> {
    let parts: Vec<&str> = text.split('.').collect();
    if !matches!(parts.len(), 3 | 5) || !parts[0].starts_with("ey") {
        return None;
    }
    let header = base64_text(parts[0])?;
    let serde_json::Value::Object(fields) = serde_json::from_str(&header).ok()? else {
        return None;
    };
    let before = r.snapshot();
    let mut clean = serde_json::Map::new();
    for (name, field) in fields {
        let field = match field {
            serde_json::Value::String(s)
                if matches!(name.as_str(), "alg" | "typ" | "enc" | "cty" | "zip")
                    && s.len() <= 24
                    && s.bytes().all(|b| b.is_ascii_alphanumeric() || b"-+/".contains(&b)) =>
            {
                serde_json::Value::String(s)
            }
            serde_json::Value::String(s) => value_as(r, "JWT header", &s).into(),
            other => r.token("JWT header", &other.to_string()).into(),
        };
        clean.insert(r.name(&name), field);
    }
    let header = serde_json::to_string(&clean).ok()?;
    let mut out = URL_SAFE_NO_PAD.encode(header);
    for (i, part) in parts.iter().enumerate().skip(1) {
        out.push('.');
        let payload = (parts.len() == 3 && i == 1).then(|| base64_text(part)).flatten();
        let clean = match payload {
            Some(payload) => match json(r, &payload) {
                Some(clean) => clean,
                None => r.token("JWT", part),
            },
            None => r.token("JWT", part),
        };
        if clean.is_empty() && i == 1 && parts.len() == 3 {
            r.restore(before);
            return None;
        }
        out.push_str(&URL_SAFE_NO_PAD.encode(clean));
    }
    Some(out)
}
