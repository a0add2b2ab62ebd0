//! URLs: scheme, host and the shape of the path stay. The split follows RFC 3986 and needs no
//! agreement with any browser's parser, because every part it yields has to pass an allow-list.

use crate::redact::Redactor;
use crate::value::value_as;
use crate::{allow, percent};
use std::net::{IpAddr, Ipv6Addr};

/// Characters kept in a query value besides the unreserved ones: our digests have a colon.
const IN_QUERY: &[u8] = b":/";

/// A URL reference (absolute or relative) where the format says that one stands.
pub(crate) fn reference(r: &mut Redactor, text: &str) -> String {
    if text.is_empty() || text == "about:blank" || text == "about:client" {
        return text.to_owned();
    }
    if let Some(clean) = absolute(r, text) {
        return clean;
    }
    if let Some(rest) = text.strip_prefix("//") {
        return format!("//{}", after_scheme(r, rest));
    }
    // Something with an unknown scheme (`otpauth:`, `javascript:`) is a value, not a path.
    let head = text.split(['/', '?', '#']).next().unwrap_or("");
    if head.contains(':') || text.chars().any(char::is_whitespace) {
        return r.token("URL", text);
    }
    path_and_more(r, text)
}

/// A whole absolute URL of a known scheme, else `None`.
pub(crate) fn absolute(r: &mut Redactor, text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once(':')?;
    let scheme = scheme.to_ascii_lowercase();
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return None;
    }
    match scheme.as_str() {
        "http" | "https" | "ws" | "wss" | "chrome-extension" | "moz-extension" => {
            let rest = rest.strip_prefix("//")?;
            Some(format!("{scheme}://{}", after_scheme(r, rest)))
        }
        // Not a blob in a blob: the recursion must end.
        "blob" if rest.starts_with("http") => Some(format!("blob:{}", absolute(r, rest)?)),
        "data" => {
            let kind = rest.split([';', ',']).next().filter(|m| allow::mime(m)).unwrap_or("");
            let clean = r.token("data URL", rest);
            Some(format!("data:{kind},{clean}"))
        }
        _ => None,
    }
}

fn after_scheme(r: &mut Redactor, rest: &str) -> String {
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let mut out = String::new();
    let place = match authority.rsplit_once('@') {
        Some((user, place)) => {
            for part in user.split(':') {
                // Remembered one by one, so that the password alone is searched for too.
                let decoded = percent::decode(part);
                let _ = r.dashed("user info", &decoded);
            }
            out.push_str(&r.dashed("user info", user));
            out.push('@');
            place
        }
        None => authority,
    };
    out.push_str(&host_port(r, place));
    out.push_str(&path_and_more(r, tail));
    out
}

/// `host`, `host:port`, `[v6]:port`.
pub(crate) fn host_port(r: &mut Redactor, text: &str) -> String {
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, Some(port)),
        _ => (text, None),
    };
    let mut out = host(r, name);
    match port {
        Some("") => out.push(':'),
        Some(port) if allow::digits(port, 5) => {
            out.push(':');
            out.push_str(port);
        }
        Some(port) => {
            let _ = r.dashed("port", port);
        }
        None => {}
    }
    out
}

/// A host name keeps its readable labels; an address other than loopback becomes one of the
/// documentation range 2001:db8::/32, so that it is still valid where an address must stand.
pub(crate) fn host(r: &mut Redactor, name: &str) -> String {
    let bare = name.strip_prefix('[').and_then(|n| n.strip_suffix(']')).unwrap_or(name);
    if let Ok(address) = bare.parse::<IpAddr>() {
        if address.is_loopback() || address.is_unspecified() {
            return name.to_owned();
        }
        let clean = self::address(r, bare);
        return format!("[{clean}]");
    }
    let labels: Vec<String> = name
        .split('.')
        .map(|label| {
            if allow::host_label(label) { label.to_owned() } else { r.dashed("host label", label) }
        })
        .collect();
    labels.join(".")
}

/// `serverIPAddress` and the like; what is not an address becomes a digest.
pub(crate) fn address(r: &mut Redactor, text: &str) -> String {
    let bare = text.strip_prefix('[').and_then(|n| n.strip_suffix(']')).unwrap_or(text);
    let Ok(address) = bare.parse::<IpAddr>() else { return r.token("address", text) };
    if address.is_loopback() || address.is_unspecified() {
        return address.to_string();
    }
    let digest = r.digest("address", &address.to_string());
    let n = u128::from_str_radix(&digest, 16).unwrap_or(0);
    Ipv6Addr::from_bits((0x2001_0db8_u128 << 96) | n).to_string()
}

/// Everything after the authority.
pub(crate) fn path_and_more(r: &mut Redactor, text: &str) -> String {
    let (rest, fragment) = match text.split_once('#') {
        Some((rest, fragment)) => (rest, Some(fragment)),
        None => (text, None),
    };
    let (path, query) = match rest.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (rest, None),
    };
    let mut out = self::path(r, path);
    if let Some(query) = query {
        out.push('?');
        out.push_str(&pairs(r, "query", query, false));
    }
    if let Some(fragment) = fragment {
        out.push('#');
        out.push_str(&self::fragment(r, fragment));
    }
    out
}

/// A fragment may be a route of its own (`#/inbox?x=1`), a form (`#access_token=…`) or a value.
fn fragment(r: &mut Redactor, text: &str) -> String {
    let route = text.strip_prefix('!').unwrap_or(text);
    if route.starts_with('/') {
        let bang = if route.len() < text.len() { "!" } else { "" };
        // A second `#` has no meaning in a route; not followed, so that the recursion ends.
        let (route, more) = route.split_once('#').unwrap_or((route, ""));
        let mut clean = path_and_more(r, route);
        if !more.is_empty() {
            clean.push_str("%23");
            clean.push_str(&r.token("fragment", &percent::decode(more)));
        }
        return format!("{bang}{clean}");
    }
    if text.contains('=') {
        return pairs(r, "fragment", text.trim_start_matches('?'), false);
    }
    r.token("fragment", &percent::decode(text))
}

pub(crate) fn path(r: &mut Redactor, text: &str) -> String {
    let segments: Vec<String> = text.split('/').map(|s| segment(r, s)).collect();
    segments.join("/")
}

fn segment(r: &mut Redactor, text: &str) -> String {
    // Matrix parameters: `;jsessionid=…`.
    let mut parts = text.split(';');
    let mut out = bare_segment(r, parts.next().unwrap_or(""));
    for part in parts {
        out.push(';');
        out.push_str(&pair(r, "path parameter", part, false));
    }
    out
}

fn bare_segment(r: &mut Redactor, text: &str) -> String {
    if allow::path_word(text) {
        return text.to_owned();
    }
    if let Some((stem, ext)) = text.rsplit_once('.')
        && allow::extension(ext)
    {
        let stem = if allow::path_word(stem) {
            stem.to_owned()
        } else {
            percent::encode(&r.token("path segment", &percent::decode(stem)), b":")
        };
        return format!("{stem}.{ext}");
    }
    let decoded = percent::decode(text);
    let clean = value_as(r, "path segment", &decoded);
    percent::encode(&clean, b":")
}

/// `a=b&c=d`: names kept if plain, values replaced. `plus` says that `+` is a space.
pub(crate) fn pairs(r: &mut Redactor, kind: &'static str, text: &str, plus: bool) -> String {
    let pairs: Vec<String> = text.split('&').map(|p| pair(r, kind, p, plus)).collect();
    pairs.join("&")
}

fn pair(r: &mut Redactor, kind: &'static str, text: &str, plus: bool) -> String {
    let decode = if plus { percent::decode_form } else { percent::decode };
    match text.split_once('=') {
        Some((name, value)) => {
            let name = r.name(&decode(name));
            let value = value_as(r, kind, &decode(value));
            format!("{}={}", percent::encode(&name, b":[]$@"), percent::encode(&value, IN_QUERY))
        }
        // A lone word is a value: `?SECRET`.
        None => percent::encode(&value_as(r, kind, &decode(text)), IN_QUERY),
    }
}
