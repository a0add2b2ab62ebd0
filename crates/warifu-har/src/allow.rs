//! The allow-lists: what may stay as it is. Everything else is replaced.

use rustc_hash::FxHashSet;
use std::sync::LazyLock;

/// For each letter, the letters (bit 0 is `a`) that follow it in under 3 of 10,000 letter pairs
/// of the words in a large body of source code and manuals, each word weighted by the logarithm
/// of how often it occurs.
const RARE: [u32; 26] = [
    0x2014280, 0x2e124e0, 0x2c10200, 0x3c10680, 0x2000200, 0x2e106c0, 0x3e1062e, 0x2e1a6e6,
    0x1510780, 0x3efbfee, 0x3f3fee6, 0x2c102c0, 0x3e126e0, 0x2c10200, 0x3010280, 0x2e12200,
    0x3efffff, 0x2810280, 0x2800200, 0x2010600, 0x3f10680, 0x3fbaeee, 0x3f99e66, 0x3f77eca,
    0x3f346eb, 0x3fffeee,
];

/// Whether a *name* (header, cookie, parameter, JSON key, function) reads like one that a
/// programmer chose, and not like a value used as a name: words of letters that follow one
/// another as they do in words, few digits, seldom between letters.
pub(crate) fn plain(name: &str) -> bool {
    let b = name.as_bytes();
    if b.is_empty() || b.len() > 64 {
        return false;
    }
    let (mut letters, mut digits, mut words, mut run) = (0_u32, 0_u32, 0_u32, 0_u32);
    let (mut pairs, mut rare, mut groups) = (0_u32, 0_u32, 0_u32);
    let mut before = b' ';
    for (i, &c) in b.iter().enumerate() {
        match c {
            b'a'..=b'z' | b'A'..=b'Z' => {
                letters += 1;
                run = if before.is_ascii_alphabetic() { run + 1 } else { 1 };
                let capital = c.is_ascii_uppercase();
                // `xsrfToken`, and the `R` of `HTTPRequest`.
                let starts = !before.is_ascii_alphabetic()
                    || (before.is_ascii_lowercase() && capital)
                    || (capital && b.get(i + 1).is_some_and(u8::is_ascii_lowercase));
                if starts {
                    words += 1;
                } else {
                    pairs += 1;
                    let row = RARE[usize::from((before | 0x20) - b'a')];
                    rare += row >> ((c | 0x20) - b'a') & 1;
                }
            }
            b'0'..=b'9' => {
                digits += 1;
                let closes = b.get(i + 1).is_some_and(u8::is_ascii_alphabetic);
                let opens = b[..i].iter().rev().find(|c| !c.is_ascii_digit());
                if closes && opens.is_some_and(u8::is_ascii_alphabetic) {
                    groups += 1;
                }
            }
            b'_' | b'-' | b'.' | b':' | b'[' | b']' | b'$' | b'@' => {}
            _ => return false,
        }
        if run > 24 {
            return false;
        }
        before = c;
    }
    let odd = if pairs < 8 { 2 } else { pairs / 8 };
    digits <= 4
        && groups <= 1
        && letters > 0
        && rare <= odd
        && (words <= 2 || letters >= words * 2)
        && (words <= 4 || letters >= words * 3)
}

/// Segments of a URL path that say what kind of thing is addressed, not which one.
static PATH_WORDS: LazyLock<FxHashSet<&str>> =
    LazyLock::new(|| include_str!("path_words.txt").split_ascii_whitespace().collect());
const EXTENSIONS: &[&str] = &[
    "asp",
    "aspx",
    "avif",
    "bmp",
    "cgi",
    "css",
    "csv",
    "do",
    "doc",
    "docx",
    "eot",
    "gif",
    "gz",
    "har",
    "htm",
    "html",
    "ico",
    "jpeg",
    "jpg",
    "js",
    "json",
    "jsp",
    "log",
    "map",
    "mjs",
    "mp3",
    "mp4",
    "otf",
    "pdf",
    "php",
    "png",
    "ppt",
    "pptx",
    "svg",
    "tar",
    "txt",
    "ttf",
    "wasm",
    "wav",
    "webm",
    "webmanifest",
    "webp",
    "woff",
    "woff2",
    "xls",
    "xlsx",
    "xml",
    "zip",
];

/// A linear look-up: the lists are short, and most words fail on the length alone.
fn in_list(list: &[&str], word: &str) -> bool {
    word.len() <= 24 && list.iter().any(|w| w.eq_ignore_ascii_case(word))
}

pub(crate) fn path_word(segment: &str) -> bool {
    let version = segment.strip_prefix(['v', 'V']).is_some_and(|n| {
        !n.is_empty() && n.len() <= 5 && n.bytes().all(|b| b.is_ascii_digit() || b == b'.')
    });
    matches!(segment, "" | "." | "..")
        || version
        || (segment.len() <= 24 && PATH_WORDS.contains(segment.to_ascii_lowercase().as_str()))
}

pub(crate) fn extension(ext: &str) -> bool {
    in_list(EXTENSIONS, ext)
}

/// One label of a host name: readable words; punycode and generated names are not.
pub(crate) fn host_label(label: &str) -> bool {
    label.is_empty()
        || (plain(label)
            && !label.starts_with("xn--")
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')))
}

pub(crate) fn method(text: &str) -> bool {
    const METHODS: &[&str] = &[
        "GET",
        "HEAD",
        "POST",
        "PUT",
        "DELETE",
        "CONNECT",
        "OPTIONS",
        "TRACE",
        "PATCH",
        "PROPFIND",
        "PROPPATCH",
        "MKCOL",
        "COPY",
        "MOVE",
        "LOCK",
        "UNLOCK",
        "REPORT",
        "SEARCH",
        "QUERY",
    ];
    text.is_empty() || in_list(METHODS, text)
}

pub(crate) fn http_version(text: &str) -> bool {
    const VERSIONS: &[&str] = &[
        "",
        "HTTP/0.9",
        "HTTP/1.0",
        "HTTP/1.1",
        "HTTP/2",
        "HTTP/2.0",
        "HTTP/3",
        "HTTP/3.0",
        "h2",
        "h2c",
        "h3",
        "h3-29",
        "http/2+quic",
        "spdy/3.1",
        "unknown",
        "ws",
        "wss",
        "data",
        "blob",
        "about",
        "chrome-extension",
    ];
    in_list(VERSIONS, text)
}

/// Reason phrases of the IANA registry of status codes, and those browsers add.
pub(crate) fn reason(text: &str) -> bool {
    const REASONS: &[&str] = &[
        "",
        "Continue",
        "Switching Protocols",
        "Processing",
        "Early Hints",
        "OK",
        "Created",
        "Accepted",
        "Non-Authoritative Information",
        "No Content",
        "Reset Content",
        "Partial Content",
        "Multi-Status",
        "Already Reported",
        "IM Used",
        "Multiple Choices",
        "Moved Permanently",
        "Found",
        "See Other",
        "Not Modified",
        "Use Proxy",
        "Temporary Redirect",
        "Permanent Redirect",
        "Moved Temporarily",
        "Internal Redirect",
        "Bad Request",
        "Unauthorized",
        "Payment Required",
        "Forbidden",
        "Not Found",
        "Method Not Allowed",
        "Not Acceptable",
        "Proxy Authentication Required",
        "Request Timeout",
        "Conflict",
        "Gone",
        "Length Required",
        "Precondition Failed",
        "Content Too Large",
        "Payload Too Large",
        "URI Too Long",
        "Unsupported Media Type",
        "Range Not Satisfiable",
        "Expectation Failed",
        "I'm a teapot",
        "Misdirected Request",
        "Unprocessable Content",
        "Unprocessable Entity",
        "Locked",
        "Failed Dependency",
        "Too Early",
        "Upgrade Required",
        "Precondition Required",
        "Too Many Requests",
        "Request Header Fields Too Large",
        "Unavailable For Legal Reasons",
        "Internal Server Error",
        "Not Implemented",
        "Bad Gateway",
        "Service Unavailable",
        "Gateway Timeout",
        "HTTP Version Not Supported",
        "Variant Also Negotiates",
        "Insufficient Storage",
        "Loop Detected",
        "Not Extended",
        "Network Authentication Required",
        "WebSocket Protocol Handshake",
    ];
    REASONS.iter().any(|r| r.eq_ignore_ascii_case(text))
}

/// ISO 8601, HTTP dates and cookie dates: only digits (at most 9 together), separators and the
/// words that dates have.
pub(crate) fn date(text: &str) -> bool {
    const WORDS: &[&str] = &[
        "T",
        "Z",
        "GMT",
        "UTC",
        "Mon",
        "Tue",
        "Wed",
        "Thu",
        "Fri",
        "Sat",
        "Sun",
        "Jan",
        "Feb",
        "Mar",
        "Apr",
        "May",
        "Jun",
        "Jul",
        "Aug",
        "Sep",
        "Oct",
        "Nov",
        "Dec",
        "Monday",
        "Tuesday",
        "Wednesday",
        "Thursday",
        "Friday",
        "Saturday",
        "Sunday",
    ];
    if text.len() > 40 || !text.is_ascii() {
        return false;
    }
    let b = text.as_bytes();
    let (mut i, mut digits) = (0, 0);
    while i < b.len() {
        let from = i;
        if b[i].is_ascii_digit() {
            while i < b.len() && b[i].is_ascii_digit() {
                i += 1;
            }
            digits += i - from;
            if i - from > 9 {
                return false;
            }
        } else if b[i].is_ascii_alphabetic() {
            while i < b.len() && b[i].is_ascii_alphabetic() {
                i += 1;
            }
            if !in_list(WORDS, &text[from..i]) {
                return false;
            }
        } else if matches!(b[i], b' ' | b',' | b':' | b'-' | b'+' | b'.' | b'/') {
            i += 1;
        } else {
            return false;
        }
    }
    (6..=23).contains(&digits)
}

/// `537.36`, `120.0.6099.129`.
pub(crate) fn version(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 24
        && text.split(['.', '_']).all(|n| n.len() <= 5 && n.bytes().all(|b| b.is_ascii_digit()))
}

/// A number where the HAR format has a number: a status, a size, a time.
pub(crate) fn number(text: &str) -> bool {
    text.len() <= 32 && text.parse::<f64>().is_ok_and(|n| n.is_finite() && n.abs() < 1e15)
}

/// Whether `text` is a digit string of at most `max` characters.
pub(crate) fn digits(text: &str, max: usize) -> bool {
    !text.is_empty() && text.len() <= max && text.bytes().all(|b| b.is_ascii_digit())
}

/// `type/subtype` of known top-level types, without parameters.
pub(crate) fn mime(text: &str) -> bool {
    const TYPES: &[&str] = &[
        "application",
        "audio",
        "example",
        "font",
        "image",
        "message",
        "model",
        "multipart",
        "text",
        "video",
        "x-unknown",
        "*",
    ];
    text.split_once('/').is_some_and(|(kind, sub)| {
        in_list(TYPES, kind)
            && sub.len() <= 80
            && (sub == "*"
                || sub.split(['.', '+', '-']).all(|w| {
                    w.len() <= 24
                        && w.bytes().all(|b| b.is_ascii_alphanumeric())
                        && (w.len() <= 5 || plain(w))
                }))
    })
}

pub(crate) fn charset(text: &str) -> bool {
    const CHARSETS: &[&str] = &[
        "utf-8",
        "utf8",
        "utf-16",
        "utf-16le",
        "utf-16be",
        "us-ascii",
        "ascii",
        "iso-8859-1",
        "iso-8859-15",
        "iso-2022-jp",
        "shift_jis",
        "sjis",
        "euc-jp",
        "euc-kr",
        "gbk",
        "gb2312",
        "gb18030",
        "big5",
        "windows-1250",
        "windows-1251",
        "windows-1252",
        "koi8-r",
        "x-user-defined",
    ];
    in_list(CHARSETS, text)
}

/// Words of a user agent string; versions are judged by [`version`].
pub(crate) fn agent_word(word: &str) -> bool {
    const WORDS: &[&str] = &[
        "Mozilla",
        "AppleWebKit",
        "Chrome",
        "Chromium",
        "HeadlessChrome",
        "Safari",
        "Firefox",
        "Gecko",
        "Edg",
        "Edge",
        "OPR",
        "Opera",
        "Version",
        "Mobile",
        "KHTML",
        "like",
        "Windows",
        "NT",
        "Win64",
        "x64",
        "WOW64",
        "Macintosh",
        "Intel",
        "Mac",
        "OS",
        "X",
        "X11",
        "Linux",
        "x86",
        "64",
        "x86_64",
        "Ubuntu",
        "Debian",
        "Fedora",
        "Android",
        "iPhone",
        "iPad",
        "CPU",
        "rv",
        "Trident",
        "MSIE",
        "compatible",
        "CrOS",
        "curl",
        "Wget",
        "python-requests",
        "Go-http-client",
        "Java",
        "okhttp",
        "K",
        "U",
        "en-US",
        "SamsungBrowser",
        "CriOS",
        "FxiOS",
        "EdgA",
        "Vivaldi",
        "Not",
        "A",
        "Brand",
        "Google",
        "Microsoft",
        "macOS",
        "v",
        "8",
    ];
    in_list(WORDS, word) || version(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_programs_are_plain() {
        for name in [
            "XMLHttpRequest",
            "PHPSESSID",
            "csrfmiddlewaretoken",
            "xsrfToken",
            "JSESSIONID",
            "startedDateTime",
            "sec-ch-ua-platform-version",
            "x-amz-security-token",
            "__cf_bm",
            "SAMLRequest",
            "RelayState",
            "sid",
            "q",
            "id",
            "access_token",
            "utf8",
            "oauth2Client",
            "x-b3-traceid",
            "items[0]",
            "@type",
            "$ref",
            ":authority",
            "user.name",
            "_ga",
            "content-security-policy-report-only",
            "AWSALBCORS",
            "okta-oauth-nonce",
            "gclid",
            "isOK",
            "userID",
            "x-content-type-options",
            "sha256",
            "base64url",
            "redirect_uri",
            "code_challenge_method",
            "__Host-session",
            "connect.sid",
            "laravel_session",
            "grant_type",
        ] {
            assert!(plain(name), "{name}");
        }
    }

    /// Random names of letters and digits pass seldom: the rate is the point.
    #[test]
    fn random_names_are_not_plain() {
        let sets: [(&[u8], usize, usize); 4] = [
            (b"abcdefghijklmnopqrstuvwxyz", 16, 30),
            (b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", 16, 5),
            (b"abcdefghijklmnopqrstuvwxyz234567", 16, 10),
            (b"0123456789abcdef", 16, 2),
        ];
        let mut x = 88_172_645_463_325_252_u64;
        for (set, len, most) in sets {
            let mut passed = 0;
            for _ in 0..1000 {
                let name: String = (0..len)
                    .map(|_| {
                        x ^= x << 13;
                        x ^= x >> 7;
                        x ^= x << 17;
                        char::from(set[(x >> 20) as usize % set.len()])
                    })
                    .collect();
                passed += usize::from(plain(&name));
            }
            assert!(passed <= most, "{passed} of 1000 in {}", String::from_utf8_lossy(set));
        }
    }
}
