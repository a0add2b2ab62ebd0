//! The HAR 1.2 format: what stands where, and which rule it falls under. A field that is not
//! named here is a value: its text, numbers and nested names are replaced.

use crate::redact::Redactor;
use crate::tree::Value;
use crate::value::{value, value_as};
use crate::{allow, body, headers, url};
use base64::Engine as _;

type Rule = fn(&mut Redactor, Value) -> Value;

/// The rule of a field, or `None` for one that the format does not know.
type Rules = fn(&str) -> Option<Rule>;

/// A member of `log` other than the lists of entries and pages.
pub(crate) fn log_member(r: &mut Redactor, name: &str, v: Value) -> Value {
    r.place = "log";
    match name {
        "version" => version(r, v),
        "creator" | "browser" => members(r, v, |k| {
            Some(match k {
                "name" => program,
                "version" => version,
                _ => return None,
            })
        }),
        _ => other(r, v),
    }
}

pub(crate) fn page(r: &mut Redactor, v: Value) -> Value {
    r.place = "pages";
    members(r, v, |k| {
        Some(match k {
            "startedDateTime" => date,
            "id" => page_id,
            "title" => title,
            "pageTimings" => numbers,
            _ => return None,
        })
    })
}

pub(crate) fn entry(r: &mut Redactor, v: Value) -> Value {
    r.place = "entry";
    members(r, v, |k| {
        Some(match k {
            "pageref" => page_id,
            "startedDateTime" => date,
            "time" => number,
            "request" => request,
            "response" => response,
            "cache" => cache,
            "timings" => numbers,
            "serverIPAddress" => address,
            "connection" | "_connectionId" => connection,
            "_initiator" => initiator,
            "_initialPriority" | "_priority" | "_resourceType" | "_fromCache"
            | "_securityState" => choice,
            "_webSocketMessages" => web_socket,
            _ => return None,
        })
    })
}

fn request(r: &mut Redactor, v: Value) -> Value {
    r.place = "request";
    members(r, v, |k| {
        Some(match k {
            "method" => method,
            "url" => address_of_resource,
            "httpVersion" => http_version,
            "cookies" => cookies,
            "headers" => header_list,
            "queryString" => query,
            "postData" => post_data,
            "headersSize" | "bodySize" => number,
            _ => return None,
        })
    })
}

fn response(r: &mut Redactor, v: Value) -> Value {
    r.place = "response";
    members(r, v, |k| {
        Some(match k {
            "status" => number,
            "statusText" => reason,
            "httpVersion" => http_version,
            "cookies" => cookies,
            "headers" => header_list,
            "content" => content,
            "redirectURL" => address_of_resource,
            "headersSize" | "bodySize" | "_transferSize" => number,
            "_error" => net_error,
            "_fetchedViaServiceWorker" => choice,
            _ => return None,
        })
    })
}

/// Applies `rules` to the members of an object; names that are not plain are replaced.
fn members(r: &mut Redactor, v: Value, rules: Rules) -> Value {
    let Value::Obj(fields) = v else { return other(r, v) };
    let place = r.place;
    let fields = fields
        .into_iter()
        .map(|(name, field)| {
            let clean = match rules(&name) {
                Some(rule) => rule(r, field),
                None => {
                    r.place = if name == "comment" {
                        "comment"
                    } else if name.starts_with('_') {
                        "extension"
                    } else {
                        place
                    };
                    other(r, field)
                }
            };
            r.place = place;
            (r.name(&name), clean)
        })
        .collect();
    Value::Obj(fields)
}

fn list(r: &mut Redactor, v: Value, rule: impl Fn(&mut Redactor, Value) -> Value) -> Value {
    match v {
        Value::Arr(items) => Value::Arr(items.into_iter().map(|item| rule(r, item)).collect()),
        v => other(r, v),
    }
}

/// Anything that no rule names.
fn other(r: &mut Redactor, v: Value) -> Value {
    match v {
        Value::Null | Value::Bool(_) | Value::Huge(_) => v,
        Value::Num(n) => Value::Str(r.token("number", &n)),
        Value::Str(s) => Value::Str(value(r, &s)),
        Value::Arr(items) => Value::Arr(items.into_iter().map(|i| other(r, i)).collect()),
        Value::Obj(fields) => {
            Value::Obj(fields.into_iter().map(|(k, v)| (r.name(&k), other(r, v))).collect())
        }
    }
}

/// A text under a rule; anything but text is treated as unknown.
fn text(r: &mut Redactor, v: Value, rule: impl FnOnce(&mut Redactor, &str) -> String) -> Value {
    match v {
        Value::Str(s) => Value::Str(rule(r, &s)),
        v => other(r, v),
    }
}

fn keep(r: &mut Redactor, v: Value, allowed: impl FnOnce(&str) -> bool) -> Value {
    text(r, v, |r, s| if allowed(s) { s.to_owned() } else { value(r, s) })
}

fn number(r: &mut Redactor, v: Value) -> Value {
    match v {
        Value::Num(n) if allow::number(&n) => Value::Num(n),
        v => other(r, v),
    }
}

fn numbers(r: &mut Redactor, v: Value) -> Value {
    // Timings have extension fields that are times too (`_blocked_queueing`).
    members(r, v, |k| (k != "comment").then_some(number as Rule))
}

fn date(r: &mut Redactor, v: Value) -> Value {
    keep(r, v, allow::date)
}

fn version(r: &mut Redactor, v: Value) -> Value {
    keep(r, v, |s| allow::version(s) || s.is_empty())
}

fn method(r: &mut Redactor, v: Value) -> Value {
    keep(r, v, allow::method)
}

fn http_version(r: &mut Redactor, v: Value) -> Value {
    keep(r, v, allow::http_version)
}

fn reason(r: &mut Redactor, v: Value) -> Value {
    keep(r, v, allow::reason)
}

fn program(r: &mut Redactor, v: Value) -> Value {
    const PROGRAMS: &[&str] = &[
        "WebInspector",
        "Firefox",
        "Chrome",
        "Chromium",
        "Google Chrome",
        "Safari",
        "WebKit Web Inspector",
        "Edge",
        "Opera",
        "Playwright",
        "Puppeteer",
        "Charles Proxy",
        "Fiddler",
        "mitmproxy",
        "Postman",
        "Insomnia",
        "Proxyman",
        "BrowserMob Proxy",
        "chrome-har",
        "warifu",
    ];
    keep(r, v, |s| PROGRAMS.contains(&s))
}

fn page_id(r: &mut Redactor, v: Value) -> Value {
    keep(r, v, |s| s.strip_prefix("page_").is_some_and(|n| allow::digits(n, 6)))
}

fn title(r: &mut Redactor, v: Value) -> Value {
    text(r, v, |r, s| value_as(r, "title", s))
}

fn address(r: &mut Redactor, v: Value) -> Value {
    text(r, v, |r, s| if s.is_empty() { String::new() } else { url::address(r, s) })
}

fn address_of_resource(r: &mut Redactor, v: Value) -> Value {
    text(r, v, url::reference)
}

fn connection(r: &mut Redactor, v: Value) -> Value {
    keep(r, v, |s| allow::digits(s, 8))
}

fn choice(r: &mut Redactor, v: Value) -> Value {
    const CHOICES: &[&str] = &[
        "VeryLow",
        "Low",
        "Medium",
        "High",
        "VeryHigh",
        "document",
        "stylesheet",
        "script",
        "image",
        "font",
        "media",
        "xhr",
        "fetch",
        "websocket",
        "manifest",
        "texttrack",
        "eventsource",
        "ping",
        "preflight",
        "other",
        "memory",
        "disk",
        "secure",
        "insecure",
        "weak",
        "broken",
        "neutral",
        "unknown",
        "parser",
        "preload",
        "SignedExchange",
        "send",
        "receive",
        "request",
        "response",
        "error",
    ];
    keep(r, v, |s| CHOICES.contains(&s))
}

fn net_error(r: &mut Redactor, v: Value) -> Value {
    keep(r, v, |s| {
        s.strip_prefix("net::ERR_").is_some_and(|e| {
            e.len() <= 48
                && allow::plain(e)
                && e.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
        })
    })
}

fn initiator(r: &mut Redactor, v: Value) -> Value {
    r.place = "initiator";
    frames(r, v, 0)
}

/// `{type, url, lineNumber, stack: {callFrames: [{functionName, url, …}], parent: {…}}}`.
fn frames(r: &mut Redactor, v: Value, depth: usize) -> Value {
    match v {
        Value::Obj(fields) if depth < 100 => {
            let fields = fields
                .into_iter()
                .map(|(name, field)| {
                    let clean = match name.as_str() {
                        "url" => address_of_resource(r, field),
                        "lineNumber" | "columnNumber" => number(r, field),
                        "type" => choice(r, field),
                        "functionName" => text(r, field, |r, s| r.name(s)),
                        "stack" | "parent" | "callFrames" => frames(r, field, depth + 1),
                        _ => other(r, field),
                    };
                    (r.name(&name), clean)
                })
                .collect();
            Value::Obj(fields)
        }
        Value::Arr(items) if depth < 100 => {
            Value::Arr(items.into_iter().map(|i| frames(r, i, depth + 1)).collect())
        }
        v => other(r, v),
    }
}

fn cache(r: &mut Redactor, v: Value) -> Value {
    r.place = "cache";
    fn state(r: &mut Redactor, v: Value) -> Value {
        members(r, v, |k| {
            Some(match k {
                "expires" | "lastAccess" => date,
                "hitCount" => number,
                _ => return None,
            })
        })
    }
    members(r, v, |k| matches!(k, "beforeRequest" | "afterRequest").then_some(state as Rule))
}

fn cookies(r: &mut Redactor, v: Value) -> Value {
    r.place = if r.place == "request" { "request cookies" } else { "response cookies" };
    list(r, v, |r, v| {
        members(r, v, |k| {
            Some(match k {
                "name" => |r, v| text(r, v, |r, s| r.name(s)),
                "value" => |r, v| text(r, v, headers::cookie_value),
                "path" => |r, v| text(r, v, url::path),
                "domain" => |r, v| text(r, v, url::host),
                "expires" => date,
                "sameSite" => |r, v| {
                    keep(r, v, |s| {
                        matches!(s.to_ascii_lowercase().as_str(), "" | "lax" | "strict" | "none")
                    })
                },
                _ => return None,
            })
        })
    })
}

fn header_list(r: &mut Redactor, v: Value) -> Value {
    r.place = if r.place == "request" { "request headers" } else { "response headers" };
    list(r, v, |r, v| {
        let name = v.str("name").unwrap_or("").to_owned();
        named(r, v, |r, s| headers::field(r, &name, s))
    })
}

fn query(r: &mut Redactor, v: Value) -> Value {
    r.place = "query string";
    list(r, v, |r, v| named(r, v, |r, s| body::listed_value(r, "query", s)))
}

/// `{name, value, …}` with a rule for the value.
fn named(r: &mut Redactor, v: Value, rule: impl Fn(&mut Redactor, &str) -> String) -> Value {
    let Value::Obj(fields) = v else { return other(r, v) };
    let fields = fields
        .into_iter()
        .map(|(key, field)| {
            let clean = match key.as_str() {
                "name" => text(r, field, |r, s| r.name(s)),
                "value" => text(r, field, &rule),
                _ => other(r, field),
            };
            (r.name(&key), clean)
        })
        .collect();
    Value::Obj(fields)
}

fn post_data(r: &mut Redactor, v: Value) -> Value {
    r.place = "request body";
    let mime = v.str("mimeType").unwrap_or("").to_owned();
    let encoding = v.str("_encoding").or_else(|| v.str("encoding")).unwrap_or("").to_owned();
    let Value::Obj(fields) = v else { return other(r, v) };
    let fields = fields
        .into_iter()
        .map(|(key, field)| {
            let clean = match key.as_str() {
                "mimeType" => text(r, field, headers::content_type),
                "text" => body_text(r, field, &mime, &encoding),
                "encoding" | "_encoding" => keep(r, field, |s| s == "base64"),
                "params" => list(r, field, |r, v| {
                    let content_type = v.str("contentType").unwrap_or("").to_owned();
                    let Value::Obj(fields) = v else { return other(r, v) };
                    let fields = fields
                        .into_iter()
                        .map(|(key, field)| {
                            let clean = match key.as_str() {
                                "name" => text(r, field, |r, s| r.name(s)),
                                "value" if content_type.is_empty() => {
                                    text(r, field, |r, s| body::listed_value(r, "form", s))
                                }
                                "value" => text(r, field, |r, s| body::text(r, &content_type, s)),
                                "fileName" => text(r, field, headers::file_name),
                                "contentType" => text(r, field, headers::content_type),
                                _ => other(r, field),
                            };
                            (r.name(&key), clean)
                        })
                        .collect();
                    Value::Obj(fields)
                }),
                _ => other(r, field),
            };
            (r.name(&key), clean)
        })
        .collect();
    Value::Obj(fields)
}

fn content(r: &mut Redactor, v: Value) -> Value {
    r.place = "response body";
    let mime = v.str("mimeType").unwrap_or("").to_owned();
    let encoding = v.str("encoding").unwrap_or("").to_owned();
    let Value::Obj(fields) = v else { return other(r, v) };
    let fields = fields
        .into_iter()
        .map(|(key, field)| {
            let clean = match key.as_str() {
                "size" | "compression" => number(r, field),
                "mimeType" => text(r, field, headers::content_type),
                "encoding" => keep(r, field, |s| s == "base64"),
                "text" => body_text(r, field, &mime, &encoding),
                _ => other(r, field),
            };
            (r.name(&key), clean)
        })
        .collect();
    Value::Obj(fields)
}

fn body_text(r: &mut Redactor, v: Value, mime: &str, encoding: &str) -> Value {
    if let Value::Huge(clean) = &v
        && encoding == "base64"
    {
        return Value::Huge(base64::engine::general_purpose::STANDARD.encode(clean));
    }
    text(
        r,
        v,
        |r, s| {
            if encoding == "base64" { body::base64(r, mime, s) } else { body::text(r, mime, s) }
        },
    )
}

fn web_socket(r: &mut Redactor, v: Value) -> Value {
    r.place = "WebSocket";
    list(r, v, |r, v| {
        let binary = matches!(v.get("opcode"), Some(Value::Num(n)) if n == "2");
        let Value::Obj(fields) = v else { return other(r, v) };
        let fields = fields
            .into_iter()
            .map(|(key, field)| {
                let clean = match key.as_str() {
                    "type" => choice(r, field),
                    "time" => match field {
                        // Seconds since 1970, with a fraction.
                        Value::Num(n) if allow::number(&n) => Value::Num(n),
                        field => other(r, field),
                    },
                    "opcode" => match field {
                        Value::Num(n) if allow::digits(&n, 2) => Value::Num(n),
                        field => other(r, field),
                    },
                    "data" if binary => text(r, field, |r, s| body::base64(r, "", s)),
                    "data" => text(r, field, |r, s| body::text(r, "", s)),
                    _ => other(r, field),
                };
                (r.name(&key), clean)
            })
            .collect();
        Value::Obj(fields)
    })
}
