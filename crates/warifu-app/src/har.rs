//! Which uploads are HAR files, and their sanitizing.

use crate::AppError;
use memchr::memmem;
use std::collections::HashSet;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use warifu_auth::{SESSION_COOKIE, Token};
use warifu_domain::{Refusal, refusal};
use warifu_har::{Error, Options, Receipt, sanitize_spooled};

/// A sanitized file, open at its begin, and what was taken out.
pub(crate) struct Sanitized {
    pub file: File,
    pub receipt: Receipt,
}

/// Bytes looked at to tell whether a broken file was meant as a HAR.
const HEAD: u64 = 64 * 1024;

/// Sanitizes a HAR file; `None` when the file is none. A file that is called `.har`, or looks like
/// one but cannot be taken apart, is refused: it could hold anything. `key` is the file's own, and
/// forgotten afterwards. Blocks.
///
/// # Errors
/// [`AppError::Invalid`] for a file that is refused.
pub(crate) fn sanitize(
    name: &str,
    input: &mut File,
    folder: &Path,
    key: [u8; 32],
) -> Result<Option<Sanitized>, AppError> {
    let io = |source| AppError::File { path: "an upload".into(), source };
    let named =
        Path::new(name).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("har"));
    input.seek(SeekFrom::Start(0)).map_err(io)?;
    let mut head = Vec::new();
    (&mut *input).take(HEAD).read_to_end(&mut head).map_err(io)?;
    input.seek(SeekFrom::Start(0)).map_err(io)?;
    let text = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&head);
    let object = text.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'{');
    if !named && !object {
        return Ok(None);
    }
    let meant = named || (contains(&head, b"\"log\"") && contains(&head, b"\"entries\""));
    let options = Options { key: Some(key), ..Options::default() };
    let mut output = tempfile::tempfile_in(folder).map_err(io)?;
    match sanitize_spooled(std::io::BufReader::new(&mut *input), &mut output, &options) {
        Ok(receipt) => {
            output.seek(SeekFrom::Start(0)).map_err(io)?;
            Ok(Some(Sanitized { file: output, receipt }))
        }
        Err(Error::Io(source)) => Err(io(source)),
        // Some other JSON: the parser says so, and nothing in its name says otherwise.
        Err(Error::NotHar { .. }) if !named => Ok(None),
        Err(error) if meant => Err(AppError::invalid("files", refused(&error))),
        Err(_) => Ok(None),
    }
}

/// Bytes read at once while looking for session tokens, and those that a token may stand after its
/// cookie's name, whichever way a HAR writes the two (`name=value`, or as two JSON members).
const CHUNK: usize = 1 << 20;
const AFTER: usize = 400;

/// Session tokens of this installation's cookie in a file that somebody recorded, or in its name. Blocks.
///
/// # Errors
/// When the file cannot be read.
pub(crate) fn session_tokens(called: &str, file: &mut File) -> std::io::Result<Vec<Token>> {
    let cookie = SESSION_COOKIE.as_bytes();
    let (mut found, mut seen) = (Vec::new(), HashSet::new());
    let mut look = |text: &[u8], found: &mut Vec<Token>| {
        for at in memmem::find_iter(text, cookie) {
            let after = &text[at + cookie.len()..text.len().min(at + AFTER)];
            let words = after.split(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')));
            let tokens = words.filter_map(|word| Token::parse(std::str::from_utf8(word).ok()?));
            found.extend(tokens.filter(|token| seen.insert(token.hash())));
        }
    };
    look(called.as_bytes(), &mut found);
    let (mut buffer, mut kept) = (vec![0; CHUNK], 0);
    file.seek(SeekFrom::Start(0))?;
    loop {
        let read = file.read(&mut buffer[kept..])?;
        let text = &buffer[..kept + read];
        look(text, &mut found);
        if read == 0 {
            return Ok(found);
        }
        // What may go on in the next part is looked at once more with it.
        kept = text.len().min(AFTER);
        let end = text.len();
        buffer.copy_within(end - kept..end, 0);
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|w| w == part)
}

/// Why a HAR file was not stored: what is wrong with it, and where.
fn refused(error: &warifu_har::Error) -> Refusal {
    use warifu_har::Error;
    let (kind, offset) = match error {
        Error::Syntax { offset, .. } => ("json", *offset),
        Error::NotHar { offset, .. } => ("har", *offset),
        Error::DuplicateKey { offset } => ("twice", *offset),
        Error::TooDeep { offset, .. } => ("deep", *offset),
        Error::TooLarge { offset, .. } => ("large", *offset),
        _ => ("unsafe", 0),
    };
    let words =
        refusal!("har", "the HAR file was refused and not stored: {why}", why = error.to_string());
    words.with("kind", kind).with("offset", &offset)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn run(name: &str, text: &str) -> Result<Option<(String, Receipt)>, AppError> {
        let folder = tempfile::tempdir().unwrap();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        Ok(sanitize(name, &mut file, folder.path(), [7; 32])?.map(|mut s| {
            let mut out = String::new();
            s.file.read_to_string(&mut out).unwrap();
            (out, s.receipt)
        }))
    }

    const HAR: &str = r#"{"log":{"version":"1.2","creator":{"name":"b","version":"1"},"entries":[
        {"startedDateTime":"2026-11-23T09:00:00.000Z","time":1,"request":{"method":"GET","url":"https://a.example/x","httpVersion":"h2","cookies":[],
        "headers":[{"name":"Cookie","value":"sid=planted-session-token-1"}],"queryString":[],"headersSize":1,"bodySize":0},
        "response":{"status":200,"statusText":"OK","httpVersion":"h2","cookies":[],"headers":[],"content":{"size":0,"mimeType":"text/plain"},"redirectURL":"","headersSize":1,"bodySize":0},
        "cache":{},"timings":{"send":0,"wait":1,"receive":0}}]}}"#;

    #[test]
    fn a_har_is_known_by_name_and_by_content() {
        for name in ["trace.HAR", "trace.json", "trace"] {
            let (out, receipt) = run(name, HAR).unwrap().unwrap();
            assert!(!out.contains("planted-session-token-1"), "{name}: {out}");
            assert!(receipt.removed_total() > 0, "{name}");
        }
    }

    #[test]
    fn our_own_sessions_are_found_wherever_a_recording_has_them() {
        let tokens: Vec<Token> = (0..5).map(|n| Token::from_random([n; 32])).collect();
        let text = |n: usize| tokens[n].text();
        let mut file = tempfile::tempfile().unwrap();
        let far = "x".repeat(CHUNK - 20);
        write!(
            file,
            "{{\"Cookie\":\"a=b; __Host-warifu={}; c=d\"}} {{\"name\":\"__Host-warifu\",\"path\":\"/\",\"value\":\"{}\"}} \
             {far}__Host-warifu={} __Host-warifu=short unrelated={} -H '__Host-warifu={}' __Host-warifu={}",
            text(0), text(1), text(2), text(3).to_lowercase(), text(4), text(0)
        )
        .unwrap();
        let found: Vec<_> =
            session_tokens("a.txt", &mut file).unwrap().iter().map(Token::text).collect();
        assert_eq!(found, [0, 1, 2, 4].map(text));
    }

    #[test]
    fn a_broken_har_is_refused_and_other_json_is_not_touched() {
        let cut = &HAR[..HAR.len() / 2];
        assert!(matches!(run("a.json", cut), Err(AppError::Invalid { field: "files", .. })));
        assert!(matches!(run("a.har", "hello"), Err(AppError::Invalid { field: "files", .. })));
        assert!(matches!(run("a.har", r#"{"a":1}"#), Err(AppError::Invalid { .. })));
        assert!(run("a.json", r#"{"a":1}"#).unwrap().is_none());
        assert!(run("a.txt", "{ not json").unwrap().is_none());
    }
}
