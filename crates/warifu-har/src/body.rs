//! Bodies: JSON, forms, multipart, event streams and JWT keep their shape; any other text is
//! replaced whole, also that of scripts and pages (allow-list: nobody said that they hold nothing).

use crate::redact::{Redactor, base64_bytes};
use crate::value::{json, value_as};
use crate::{headers, percent, url};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Parts of a multipart body, and multipart inside multipart.
const MAX_PARTS: usize = 10_000;

/// A body's text; `mime` is its media type as recorded, with parameters.
pub(crate) fn text(r: &mut Redactor, mime: &str, text: &str) -> String {
    body(r, mime, text, 0)
}

/// A body in base64: decoded, cleaned and encoded again.
pub(crate) fn base64(r: &mut Redactor, mime: &str, encoded: &str) -> String {
    let compact: String = encoded.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let clean = match base64_bytes(&compact).map(String::from_utf8) {
        Some(Ok(decoded)) => body(r, mime, &decoded, 0),
        Some(Err(e)) if is(mime, "multipart/") => {
            // Parts may be binary; their text neighbours still have a shape.
            let lossy = String::from_utf8_lossy(e.as_bytes()).into_owned();
            body(r, mime, &lossy, 0)
        }
        _ => r.token("body", encoded),
    };
    STANDARD.encode(clean)
}

fn is(mime: &str, prefix: &str) -> bool {
    mime.trim_start().get(..prefix.len()).is_some_and(|m| m.eq_ignore_ascii_case(prefix))
}

fn body(r: &mut Redactor, mime: &str, text: &str, depth: usize) -> String {
    if text.is_empty() {
        return String::new();
    }
    if is(mime, "application/x-www-form-urlencoded") {
        return url::pairs(r, "form", text, true);
    }
    if is(mime, "multipart/") {
        return multipart(r, mime, text, depth).unwrap_or_else(|| r.token("body", text));
    }
    if is(mime, "text/event-stream") || is(mime, "application/x-ndjson") {
        return stream(r, text);
    }
    // Against script inclusion some servers put this before their JSON.
    if let Some(rest) = text.strip_prefix(")]}'")
        && let Some(clean) = json(r, rest.trim_start_matches([',', '\n', '\r']))
    {
        return format!(")]}}'\n{clean}");
    }
    value_as(r, "body", text)
}

/// Server-sent events and JSON lines: line by line.
fn stream(r: &mut Redactor, text: &str) -> String {
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| {
            let line = line.trim_end_matches('\r');
            match line.split_once(':') {
                Some((name @ ("data" | "event" | "id" | "retry"), rest)) => {
                    format!("{name}: {}", value_as(r, "event", rest.trim_start()))
                }
                Some(("", rest)) => format!(":{}", r.token("event", rest)),
                _ => value_as(r, "event", line),
            }
        })
        .collect();
    lines.join("\n")
}

fn multipart(r: &mut Redactor, mime: &str, text: &str, depth: usize) -> Option<String> {
    if depth == 3 {
        return None;
    }
    let boundary = match headers::parameter(mime, "boundary") {
        Some(b) => b,
        None => text.lines().next()?.strip_prefix("--")?.trim_end(),
    };
    if boundary.is_empty() || boundary.len() > 200 {
        return None;
    }
    let mark = format!("--{boundary}");
    let mut pieces = text.split(mark.as_str());
    let preamble = pieces.next()?;
    let shown = r.dashed("media type parameter", boundary);
    let mut out = String::new();
    if !preamble.trim().is_empty() {
        out.push_str(&r.token("body", preamble));
        out.push_str("\r\n");
    }
    let mut closed = false;
    for (n, piece) in pieces.enumerate() {
        if closed || n > MAX_PARTS {
            return None;
        }
        out.push_str("--");
        out.push_str(&shown);
        if let Some(epilogue) = piece.strip_prefix("--") {
            out.push_str("--\r\n");
            if !epilogue.trim().is_empty() {
                out.push_str(&r.token("body", epilogue));
            }
            closed = true;
            continue;
        }
        out.push_str("\r\n");
        out.push_str(&part(r, piece, depth)?);
    }
    Some(out)
}

fn part(r: &mut Redactor, piece: &str, depth: usize) -> Option<String> {
    let piece = piece.strip_prefix("\r\n").or_else(|| piece.strip_prefix('\n'))?;
    let (head, content) = if let Some(rest) = piece.strip_prefix("\r\n") {
        ("", rest)
    } else {
        piece.split_once("\r\n\r\n").or_else(|| piece.split_once("\n\n"))?
    };
    let content = content.strip_suffix('\n').unwrap_or(content);
    let content = content.strip_suffix('\r').unwrap_or(content);
    let (mut mime, mut encoding) = ("text/plain", "");
    let mut out = String::new();
    for line in head.lines() {
        // A folded line, or one that is no field: not worth guessing.
        let (name, value) = line.split_once(':')?;
        let value = value.trim();
        if name.eq_ignore_ascii_case("content-type") {
            mime = value;
        }
        let clean = if name.eq_ignore_ascii_case("content-transfer-encoding") {
            encoding = value;
            match value.to_ascii_lowercase().as_str() {
                "7bit" | "8bit" | "binary" | "base64" | "quoted-printable" => value.to_owned(),
                _ => r.token("header", value),
            }
        } else {
            headers::field(r, name, value)
        };
        out.push_str(&format!("{}: {clean}\r\n", r.name(name)));
    }
    out.push_str("\r\n");
    let clean = if encoding.eq_ignore_ascii_case("base64") {
        let compact: String = content.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        match base64_bytes(&compact).map(String::from_utf8) {
            Some(Ok(decoded)) => STANDARD.encode(body(r, mime, &decoded, depth + 1)),
            _ => STANDARD.encode(r.token("body", content)),
        }
    } else {
        body(r, mime, content, depth + 1)
    };
    out.push_str(&clean);
    out.push_str("\r\n");
    Some(out)
}

/// One `name`/`value` pair of a form or a query as HAR lists them.
pub(crate) fn listed_value(r: &mut Redactor, kind: &'static str, text: &str) -> String {
    // Writers disagree on whether these are decoded; equal values shall stay equal either way.
    value_as(r, kind, &percent::decode(text))
}
