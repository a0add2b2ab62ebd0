//! Rust text taken apart just far enough: what is code, what is inside string literals.

/// A Rust file in two views of the same shape: both have the length and the line breaks of the
/// original, everything that does not belong to the view is blank.
pub struct Source {
    /// Code without comments and without what stands in literals.
    pub code: String,
    /// Only what stands inside string literals.
    pub strings: String,
}

impl Source {
    /// Takes `text` apart and blanks what is compiled for tests only.
    pub fn shipped(text: &str) -> Self {
        let mut source = Self::split(text);
        for (from, to) in test_only(&source.code) {
            source.code = blank(&source.code, from, to);
            source.strings = blank(&source.strings, from, to);
        }
        source
    }

    fn split(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut code = blank(text, 0, text.len()).into_bytes();
        let mut strings = code.clone();
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            if rest.starts_with(b"//") {
                at += rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
            } else if rest.starts_with(b"/*") {
                at += block_comment(rest);
            } else if let Some((open, body, close)) = string_literal(bytes, at) {
                strings[at + open..at + open + body]
                    .copy_from_slice(&bytes[at + open..at + open + body]);
                code[at..at + open].copy_from_slice(&bytes[at..at + open]);
                at += open + body + close;
            } else if let Some(length) = char_literal(rest) {
                at += length;
            } else {
                code[at] = bytes[at];
                at += 1;
            }
        }
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self { code: text(code), strings: text(strings) }
    }
}

/// `text` with bytes `from..to` replaced by spaces; line breaks stay, so that lines can be counted.
fn blank(text: &str, from: usize, to: usize) -> String {
    let bytes = text.bytes().enumerate().map(|(at, b)| {
        let keep = at < from || at >= to || b == b'\n';
        if keep { b } else { b' ' }
    });
    String::from_utf8_lossy(&bytes.collect::<Vec<u8>>()).into_owned()
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                break;
            }
        } else {
            at += 1;
        }
    }
    at.min(rest.len())
}

/// Lengths of the opening, the content and the closing of a string literal that starts at `at`.
fn string_literal(bytes: &[u8], at: usize) -> Option<(usize, usize, usize)> {
    let in_word = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
    let rest = &bytes[at..];
    if rest[0] == b'"' {
        let (mut end, mut escaped) = (1, false);
        while end < rest.len() && (escaped || rest[end] != b'"') {
            escaped = !escaped && rest[end] == b'\\';
            end += 1;
        }
        return Some((1, end - 1, usize::from(end < rest.len())));
    }
    if in_word {
        return None;
    }
    let raw = [&b"r"[..], b"br", b"cr"].into_iter().find(|p| rest.starts_with(p))?.len();
    let hashes = rest[raw..].iter().take_while(|b| **b == b'#').count();
    let open = raw + hashes + 1;
    if rest.get(open - 1) != Some(&b'"') {
        return None;
    }
    let closing: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
    let body = rest[open..].windows(closing.len()).position(|w| w == closing);
    match body {
        Some(body) => Some((open, body, closing.len())),
        None => Some((open, rest.len() - open, 0)),
    }
}

/// Length of a character literal; `None` for a lifetime.
fn char_literal(rest: &[u8]) -> Option<usize> {
    if rest[0] != b'\'' {
        return None;
    }
    if rest.get(1) == Some(&b'\\') {
        let end = rest.iter().skip(3).position(|b| *b == b'\'')?;
        return Some(end + 4);
    }
    let end = rest.iter().take(6).skip(2).position(|b| *b == b'\'')?;
    // `'a, 'b` has a quote nearby too: between the quotes of a literal there is one character.
    let inside = std::str::from_utf8(&rest[1..end + 2]).ok()?;
    (inside.chars().count() == 1).then_some(end + 3)
}

/// Byte ranges of items behind `#[cfg(test)]`.
fn test_only(code: &str) -> Vec<(usize, usize)> {
    let mut ranges = Vec::new();
    for (from, _) in code.match_indices("#[cfg(test)]") {
        let (mut depth, mut end) = (0_usize, code.len());
        for (at, byte) in code.bytes().enumerate().skip(from) {
            match byte {
                b'{' => depth += 1,
                b'}' => depth = depth.saturating_sub(1),
                b';' if depth == 0 => {}
                _ => continue,
            }
            if depth == 0 {
                end = at + 1;
                break;
            }
        }
        ranges.push((from, end));
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_and_strings_part_and_keep_their_places() {
        let text = "let a = \"x // y\\\" z\"; // \"no\"\nlet b = r#\"q\"q\"#; /* /* c */ d */ let c = '\"';\nfn f<'a>(x: &'a str) {}\n";
        let source = Source::split(text);
        assert_eq!(source.code.lines().count(), 3);
        assert!(source.code.starts_with("let a = \"          "), "{}", source.code);
        assert!(source.code.contains("let c =") && !source.code.contains('d'), "{}", source.code);
        assert!(source.code.contains("fn f<'a>(x: &'a str) {}"), "{}", source.code);
        assert!(source.strings.contains("x // y\\\" z") && source.strings.contains("q\"q"));
        assert!(!source.strings.contains("no"));
    }

    #[test]
    fn what_is_compiled_for_tests_is_blank() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n fn b() { x(); }\n}\nfn c() {}\n#[cfg(test)]\nuse d;\nfn e() {}";
        let source = Source::shipped(text);
        assert!(!source.code.contains('b') && !source.code.contains("use d"), "{}", source.code);
        assert!(source.code.contains("fn c() {}") && source.code.contains("fn e() {}"));
    }
}
