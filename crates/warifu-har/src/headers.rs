//! Header fields: which values stay, and how the others keep their shape.

use crate::redact::{Redactor, base64_text};
use crate::value::{value, value_as};
use crate::{allow, url};

/// A header field's value. Names are compared without case, so HTTP/2's lower-case names and
/// pseudo fields (`:path`) follow the same rules.
pub(crate) fn field(r: &mut Redactor, name: &str, text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let name = name.to_ascii_lowercase();
    match name.as_str() {
        "cookie" => lines(text, |line| cookie(r, line)),
        "set-cookie" | "set-cookie2" => lines(text, |line| set_cookie(r, line)),
        "authorization" | "proxy-authorization" => credentials(r, text),
        "content-type" | "sec-websocket-accept-type" => content_type(r, text),
        "content-disposition" => disposition(r, text),
        ":path" => url::reference(r, text),
        ":authority" | "host" => url::host_port(r, text),
        ":method" => keep(r, text, allow::method),
        ":scheme" => keep(r, text, |t| matches!(t, "http" | "https" | "ws" | "wss")),
        ":status" => keep(r, text, |t| allow::digits(t, 3)),
        ":protocol" => keep(r, text, |t| t == "websocket"),
        "origin" | "access-control-allow-origin" => {
            if matches!(text, "*" | "null") {
                text.to_owned()
            } else {
                url::reference(r, text)
            }
        }
        "referer" | "location" | "content-location" => url::reference(r, text),
        "x-forwarded-host" => url::host_port(r, text),
        "user-agent" => agent(r, text),
        _ => match kind(&name) {
            Some(kind) => keep(r, text, |t| kind.allows(t)),
            None => value_as(r, "header", text),
        },
    }
}

fn keep(r: &mut Redactor, text: &str, allowed: impl Fn(&str) -> bool) -> String {
    if allowed(text) { text.to_owned() } else { value_as(r, "header", text) }
}

/// HAR writers join repeated fields with a line feed.
fn lines(text: &str, mut each: impl FnMut(&str) -> String) -> String {
    text.split('\n').map(&mut each).collect::<Vec<_>>().join("\n")
}

/// What the value of a safe header field may be.
#[derive(Clone, Copy)]
enum Kind {
    /// Digits.
    Number,
    Date,
    /// Directives with numbers: `public, max-age=3600`.
    Directives,
    /// Words that readers of such fields define: `gzip, br`, `GET, POST`, field names.
    Words,
    /// `text/html,application/xml;q=0.9,*/*;q=0.8`.
    Types,
}

const KINDS: [Kind; 5] = [Kind::Number, Kind::Date, Kind::Directives, Kind::Words, Kind::Types];

fn kind(name: &str) -> Option<Kind> {
    Some(match name {
        "content-length"
        | "age"
        | "access-control-max-age"
        | "dnt"
        | "sec-gpc"
        | "upgrade-insecure-requests"
        | "sec-websocket-version"
        | "x-content-length" => Kind::Number,
        "date"
        | "expires"
        | "last-modified"
        | "if-modified-since"
        | "if-unmodified-since"
        | "retry-after" => Kind::Date,
        "cache-control"
        | "pragma"
        | "strict-transport-security"
        | "keep-alive"
        | "x-xss-protection"
        | "priority" => Kind::Directives,
        "accept" => Kind::Types,
        "accept-encoding"
        | "accept-language"
        | "accept-charset"
        | "accept-ranges"
        | "access-control-allow-credentials"
        | "access-control-allow-headers"
        | "access-control-allow-methods"
        | "access-control-expose-headers"
        | "access-control-request-headers"
        | "access-control-request-method"
        | "allow"
        | "connection"
        | "content-encoding"
        | "content-language"
        | "cross-origin-embedder-policy"
        | "cross-origin-opener-policy"
        | "cross-origin-resource-policy"
        | "referrer-policy"
        | "sec-fetch-dest"
        | "sec-fetch-mode"
        | "sec-fetch-site"
        | "sec-fetch-user"
        | "te"
        | "trailer"
        | "transfer-encoding"
        | "upgrade"
        | "vary"
        | "x-content-type-options"
        | "x-frame-options"
        | "x-requested-with"
        | "sec-ch-ua-mobile"
        | "origin-agent-cluster"
        | "sec-purpose"
        | "purpose" => Kind::Words,
        _ => return None,
    })
}

impl Kind {
    fn allows(self, text: &str) -> bool {
        let trimmed = text.trim();
        match self {
            Kind::Number => allow::digits(trimmed, 12),
            Kind::Date => allow::date(trimmed) || allow::digits(trimmed, 7) || trimmed == "-1",
            Kind::Directives => {
                text.len() <= 256
                    && text.split([',', ';']).all(|d| match d.trim().split_once('=') {
                        Some((name, value)) => {
                            known_word(name)
                                && (allow::digits(value, 10) || known_word(value.trim_matches('"')))
                        }
                        None => known_word(d.trim()) || allow::digits(d.trim(), 2),
                    })
            }
            Kind::Words => {
                text.len() <= 1024
                    && text.split(',').all(|w| {
                        let mut parts = w.trim().split(';');
                        let word = parts.next().unwrap_or("").trim();
                        (known_word(word) || language(word)) && parts.all(quality)
                    })
            }
            Kind::Types => {
                text.len() <= 1024
                    && text.split(',').all(|t| {
                        let mut parts = t.trim().split(';');
                        allow::mime(parts.next().unwrap_or("").trim())
                            && parts.all(|p| {
                                quality(p)
                                    || p.trim().split_once('=').is_some_and(|(name, value)| {
                                        known_word(name) && (allow::charset(value) || value == "b3")
                                    })
                            })
                    })
            }
        }
    }
}

/// `q=0.9`, `v=b3`.
fn quality(text: &str) -> bool {
    let text = text.trim();
    text == "v=b3" || text.strip_prefix("q=").is_some_and(|q| q.len() <= 5 && allow::version(q))
}

fn language(text: &str) -> bool {
    text.len() <= 11
        && text.split('-').enumerate().all(|(i, p)| {
            (1..=4).contains(&p.len())
                && p.bytes().all(|b| b.is_ascii_alphabetic() || (i > 0 && b.is_ascii_digit()))
        })
}

/// Words of the safe fields, and names of well-known header fields.
fn known_word(word: &str) -> bool {
    const WORDS: &[&str] = &[
        "",
        "*",
        "?0",
        "?1",
        "0",
        "1",
        "gzip",
        "deflate",
        "br",
        "zstd",
        "identity",
        "compress",
        "chunked",
        "trailers",
        "public",
        "private",
        "no-cache",
        "no-store",
        "no-transform",
        "must-revalidate",
        "proxy-revalidate",
        "must-understand",
        "immutable",
        "only-if-cached",
        "max-age",
        "s-maxage",
        "max-stale",
        "min-fresh",
        "stale-while-revalidate",
        "stale-if-error",
        "includeSubDomains",
        "preload",
        "timeout",
        "max",
        "mode",
        "block",
        "u",
        "i",
        "keep-alive",
        "close",
        "upgrade",
        "websocket",
        "h2c",
        "http2-settings",
        "bytes",
        "none",
        "true",
        "false",
        "GET",
        "HEAD",
        "POST",
        "PUT",
        "DELETE",
        "OPTIONS",
        "PATCH",
        "CONNECT",
        "TRACE",
        "nosniff",
        "DENY",
        "SAMEORIGIN",
        "same-origin",
        "same-site",
        "cross-site",
        "cross-origin",
        "cors",
        "no-cors",
        "navigate",
        "document",
        "iframe",
        "image",
        "script",
        "style",
        "font",
        "empty",
        "worker",
        "sharedworker",
        "serviceworker",
        "manifest",
        "media",
        "video",
        "audio",
        "object",
        "embed",
        "report",
        "track",
        "xslt",
        "unsafe-none",
        "require-corp",
        "credentialless",
        "same-origin-allow-popups",
        "no-referrer",
        "no-referrer-when-downgrade",
        "origin-when-cross-origin",
        "strict-origin",
        "strict-origin-when-cross-origin",
        "unsafe-url",
        "XMLHttpRequest",
        "prefetch",
        "prerender",
        "accept",
        "accept-encoding",
        "accept-language",
        "authorization",
        "cache-control",
        "content-encoding",
        "content-language",
        "content-length",
        "content-disposition",
        "content-type",
        "content-range",
        "cookie",
        "date",
        "etag",
        "expires",
        "if-match",
        "if-none-match",
        "if-modified-since",
        "last-modified",
        "link",
        "location",
        "origin",
        "pragma",
        "range",
        "referer",
        "retry-after",
        "set-cookie",
        "user-agent",
        "vary",
        "www-authenticate",
        "x-api-key",
        "x-correlation-id",
        "x-csrf-token",
        "x-forwarded-for",
        "x-request-id",
        "x-requested-with",
        "x-total-count",
        "x-xsrf-token",
        "access-control-request-headers",
        "access-control-request-method",
        "utf-8",
        "iso-8859-1",
        "sec-fetch-dest",
        "sec-fetch-mode",
        "sec-fetch-site",
        "charset",
        "q",
        "v",
    ];
    word.len() <= 40 && WORDS.iter().any(|w| w.eq_ignore_ascii_case(word))
}

/// Whether some allow-list would keep `text` as it is, so that meeting it in the output means
/// nothing.
pub(crate) fn public(text: &str) -> bool {
    allow::reason(text)
        || allow::date(text)
        || allow::mime(text)
        || KINDS.iter().any(|k| k.allows(text))
        || agent_pieces(text).all(|(word, _)| word.is_empty() || allow::agent_word(word))
        || media_type_is_plain(text)
}

fn media_type_is_plain(text: &str) -> bool {
    let mut parts = text.split(';');
    allow::mime(parts.next().unwrap_or("").trim())
        && parts.all(|p| {
            p.trim().split_once('=').is_some_and(|(name, value)| {
                name.trim().eq_ignore_ascii_case("charset")
                    && allow::charset(value.trim().trim_matches('"'))
            })
        })
}

/// `type/subtype; charset=…`; other parameters become digests.
pub(crate) fn content_type(r: &mut Redactor, text: &str) -> String {
    if text.is_empty() || media_type_is_plain(text) {
        return text.to_owned();
    }
    let mut parts = text.split(';');
    let essence = parts.next().unwrap_or("").trim();
    if !allow::mime(essence) {
        return r.token("media type", text);
    }
    let mut out = essence.to_owned();
    for part in parts {
        let (name, value) = part.trim().split_once('=').unwrap_or((part.trim(), ""));
        out.push_str("; ");
        out.push_str(&r.name(name.trim()));
        let bare = value.trim().trim_matches('"');
        if allow::charset(bare) && name.trim().eq_ignore_ascii_case("charset") {
            out.push('=');
            out.push_str(bare);
        } else if !bare.is_empty() {
            out.push('=');
            out.push_str(&r.dashed("media type parameter", bare));
        }
    }
    out
}

/// The value of a parameter such as `boundary`, without quotes.
pub(crate) fn parameter<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.split(';').skip(1).find_map(|p| {
        let (key, value) = p.trim().split_once('=')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"'))
    })
}

/// `form-data; name="avatar"; filename="…"`: the disposition and the field's name stay.
pub(crate) fn disposition(r: &mut Redactor, text: &str) -> String {
    let mut parts = text.split(';');
    let first = parts.next().unwrap_or("").trim();
    let mut out = match first.to_ascii_lowercase().as_str() {
        "form-data" | "attachment" | "inline" | "filename" => first.to_owned(),
        _ => r.token("header", first),
    };
    for part in parts {
        let (name, value) = part.trim().split_once('=').unwrap_or((part.trim(), ""));
        let bare = value.trim().trim_matches('"');
        let clean = if name.trim().eq_ignore_ascii_case("name") {
            r.name(bare)
        } else if name.trim().eq_ignore_ascii_case("filename") {
            file_name(r, bare)
        } else {
            r.token("header parameter", &crate::percent::decode(bare))
        };
        out.push_str(&format!("; {}=\"{clean}\"", r.name(name.trim())));
    }
    out
}

/// The extension of a file name says what was uploaded; the rest goes.
pub(crate) fn file_name(r: &mut Redactor, name: &str) -> String {
    match name.rsplit_once('.') {
        Some((stem, ext)) if allow::extension(ext) => {
            format!("{}.{ext}", r.token("file name", stem))
        }
        _ => r.token("file name", name),
    }
}

/// `Cookie: a=1; b=2`.
pub(crate) fn cookie(r: &mut Redactor, text: &str) -> String {
    let pairs: Vec<String> = text
        .split(';')
        .map(|pair| match pair.trim().split_once('=') {
            Some((name, value)) => {
                let value = cookie_value(r, value);
                format!("{}={value}", r.name(name))
            }
            None => cookie_value(r, pair.trim()),
        })
        .collect();
    pairs.join("; ")
}

/// A cookie's value alone; noted for the receipt.
pub(crate) fn cookie_value(r: &mut Redactor, text: &str) -> String {
    r.saw_cookie(text);
    let clean = value_as(r, "cookie", text);
    // A value that kept its shape (JSON) must not break the list.
    if clean.contains([';', ',', ' ', '"']) { r.token("cookie", text) } else { clean }
}

pub(crate) fn set_cookie(r: &mut Redactor, text: &str) -> String {
    let mut parts = text.split(';');
    let mut out = cookie(r, parts.next().unwrap_or(""));
    for part in parts {
        let part = part.trim();
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let clean = match name.to_ascii_lowercase().as_str() {
            "secure" | "httponly" | "partitioned" => String::new(),
            "path" => url::path(r, value),
            "domain" => url::host(r, value),
            "expires" if allow::date(value) => value.to_owned(),
            "max-age" if allow::digits(value.trim_start_matches('-'), 12) => value.to_owned(),
            "samesite"
                if matches!(value.to_ascii_lowercase().as_str(), "lax" | "strict" | "none") =>
            {
                value.to_owned()
            }
            "priority"
                if matches!(value.to_ascii_lowercase().as_str(), "low" | "medium" | "high") =>
            {
                value.to_owned()
            }
            _ => r.token("cookie attribute", value),
        };
        let name = r.name(name);
        out.push_str("; ");
        out.push_str(&name);
        if !clean.is_empty() {
            out.push('=');
            out.push_str(&clean);
        }
    }
    out
}

/// `Bearer …`, `Basic …`: the scheme stays.
fn credentials(r: &mut Redactor, text: &str) -> String {
    const SCHEMES: &[&str] = &[
        "Basic",
        "Bearer",
        "Digest",
        "Negotiate",
        "NTLM",
        "DPoP",
        "Token",
        "SSWS",
        "Hawk",
        "AWS4-HMAC-SHA256",
        "ApiKey",
    ];
    let Some((scheme, rest)) = text.split_once(' ') else { return value(r, text) };
    if !SCHEMES.iter().any(|s| s.eq_ignore_ascii_case(scheme)) {
        return value_as(r, "credentials", text);
    }
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("basic")
        && let Some(pair) = base64_text(rest)
    {
        // Both halves are remembered, so that the password alone is searched for too.
        for half in pair.splitn(2, ':') {
            let _ = r.dashed("credentials", half);
        }
    }
    format!("{scheme} {}", value_as(r, "credentials", rest))
}

fn agent_pieces(text: &str) -> impl Iterator<Item = (&str, Option<char>)> {
    text.split_inclusive([' ', '/', '(', ')', ';', ',', ':', '=', '"']).map(|piece| {
        match piece.chars().next_back() {
            Some(c @ (' ' | '/' | '(' | ')' | ';' | ',' | ':' | '=' | '"')) => {
                (&piece[..piece.len() - 1], Some(c))
            }
            _ => (piece, None),
        }
    })
}

/// Known products and platforms with their versions stay, so that a browser bug can be found.
fn agent(r: &mut Redactor, text: &str) -> String {
    if text.len() > 512 {
        return r.token("header", text);
    }
    let mut out = String::new();
    for (word, end) in agent_pieces(text) {
        if word.is_empty() || allow::agent_word(word) {
            out.push_str(word);
        } else {
            // With a dash: a colon separates words here.
            out.push_str(&r.dashed("header", word));
        }
        out.extend(end);
    }
    out
}
