//! HAR sanitizing; no I/O beyond Read and Write.
//!
//! A HAR file records a browser's traffic, and with it session cookies, tokens and everything on
//! the pages. [`sanitize`] keeps what is needed to debug (methods, hosts, the shape of paths,
//! status, times, sizes, names, safe header values) and replaces every other value by a digest
//! keyed per file, so that equal values stay equal within the file and nowhere else. Three rules:
//!
//! 1. **Parse, never search and replace.** JSON, forms, multipart, JWT, cookies, URLs, base64 and
//!    what lies inside them are taken apart and put together again.
//! 2. **Allow-list.** What no rule names is replaced.
//! 3. **Distrust 1 and 2.** The output is searched, under every encoding, for every removed value
//!    that could be recognized, and refused if one is left.
//!
//! # Memory
//! One entry is held at a time ([`Limits::max_entry`]); a longer string passes through as a
//! digest. Removed values are remembered as hashes, about 30 bytes each, up to
//! [`Limits::max_values`]; a file with more is refused rather than searched in part.
//!
//! # What the search does not see
//! Removed values under 8 bytes, readable single words, hexadecimal or decimal runs under 13
//! digits (they would be met by chance), values beyond their first 96 bytes, an encoding that is
//! not listed in [`Error::Leak`]. Against those stand rules 1 and 2 only.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod allow;
mod body;
#[cfg(feature = "cli")]
pub mod cli;
mod har;
mod headers;
mod lex;
mod needles;
mod percent;
mod redact;
mod scan;
mod stream;
mod tree;
mod url;
mod value;

use serde::{Serialize, Serializer};
use std::io::{Read, Seek, SeekFrom, Write};

/// What a file may take. The defaults fit a server with a few hundred MB to spare.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of text held for one entry; what exceeds it becomes digests (64 MiB).
    pub max_entry: usize,
    /// Bytes of one string that is taken apart; a longer one becomes a digest (16 MiB).
    pub max_body: usize,
    /// Containers inside one another in the HAR itself; more is an error (128).
    pub max_depth: usize,
    /// Distinct removed values to search for; more is an error (4 million, about 120 MB).
    pub max_values: usize,
    /// Distinct cookie values in the receipt; more is an error (100,000).
    pub max_cookies: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_entry: 64 << 20,
            max_body: 16 << 20,
            max_depth: 128,
            max_values: 4_000_000,
            max_cookies: 100_000,
        }
    }
}

/// How to sanitize one file.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Key of the digests. `None`, the default, draws a random one that is forgotten afterwards:
    /// then no one can test a guess against a digest. A given key makes the output reproducible.
    pub key: Option<[u8; 32]>,
    /// What the file may take.
    pub limits: Limits,
    /// Values known to be secret, which must not be in the output wherever they came from, also
    /// if an allow-list would keep them. At least 8 bytes each.
    pub known_secrets: Vec<Vec<u8>>,
}

/// How many values of one kind were replaced in one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Removed {
    /// Where: `request headers`, `response body`, …
    pub place: &'static str,
    /// What: `cookie`, `JSON string`, `path segment`, …
    pub kind: &'static str,
    /// Occurrences, not distinct values.
    pub count: u64,
}

/// What was done to a file.
#[derive(Debug, Clone, Serialize)]
pub struct Receipt {
    /// Bytes read.
    pub input_bytes: u64,
    /// Bytes written.
    pub output_bytes: u64,
    /// Bytes of the output that are not digests.
    pub kept_bytes: u64,
    /// SHA-256 of the input.
    #[serde(serialize_with = "as_hex")]
    pub input_sha256: [u8; 32],
    /// SHA-256 of the output.
    #[serde(serialize_with = "as_hex")]
    pub output_sha256: [u8; 32],
    /// Requests in the file.
    pub entries: u64,
    /// Sorted by place and kind.
    pub removed: Vec<Removed>,
    /// Distinct removed values (as hashes) that the output was searched for.
    pub searched_values: u64,
    /// SHA-256 of each cookie value seen: as sent, without its quotes, and percent-decoded.
    /// Sorted, distinct. A server compares them with the digests of its own sessions and revokes
    /// what it finds. Not serialized: a digest of a guessable value tells the value.
    #[serde(skip)]
    pub cookie_digests: Vec<[u8; 32]>,
}

impl Receipt {
    /// All occurrences of replaced values.
    pub fn removed_total(&self) -> u64 {
        self.removed.iter().map(|r| r.count).sum()
    }
}

fn as_hex<S: Serializer>(digest: &[u8; 32], s: S) -> Result<S::Ok, S::Error> {
    s.serialize_str(&redact::hex(digest))
}

/// Why a file was refused. Byte offsets count from 0. No message quotes a value from the file.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not JSON, not UTF-8, or cut off.
    #[error("not valid JSON: {what} at byte {offset}")]
    Syntax { offset: u64, what: &'static str },
    /// JSON, but not a HAR.
    #[error("not a HAR file: {what} at byte {offset}")]
    NotHar { offset: u64, what: &'static str },
    /// An object with two members of the same name.
    #[error("a name occurs twice in one object at byte {offset}")]
    DuplicateKey { offset: u64 },
    /// More containers inside one another than [`Limits::max_depth`].
    #[error("nested deeper than {limit} levels at byte {offset}")]
    TooDeep { offset: u64, limit: usize },
    /// One entry that does not fit [`Limits::max_entry`] even with its texts reduced.
    #[error("too many {what} at byte {offset}")]
    TooLarge { offset: u64, what: &'static str },
    /// More than [`Limits::max_values`] or [`Limits::max_cookies`].
    #[error("too many distinct {what}: the file cannot be searched completely")]
    TooMany { what: &'static str },
    /// A removed value was found in the output. Encodings that are undone in any order, up to six
    /// deep: JSON escapes, percent, HTML entities, base64 and base64url, hexadecimal, UTF-16.
    #[error("a removed value is left in the output ({encoding}), entry {}, output byte {offset}",
        .entry.map_or_else(|| "none".to_owned(), |e| e.to_string()))]
    Leak {
        /// Index of the entry, from 0; `None` outside the entries.
        entry: Option<u64>,
        /// Offset in the output of the string that holds it.
        offset: u64,
        /// `raw`, or the encodings around it, outermost first: `base64 > percent`.
        encoding: String,
    },
    /// The input gave other bytes on the second reading.
    #[error("the input changed while it was read")]
    InputChanged,
    /// A known secret of under 8 bytes.
    #[error("known secrets need at least 8 bytes")]
    ShortSecret,
    /// Reading or writing failed.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

impl From<lex::LexError> for Error {
    fn from(e: lex::LexError) -> Self {
        match e {
            lex::LexError::Syntax { offset, what } => Error::Syntax { offset, what },
            lex::LexError::Io(e) => Error::Io(e),
        }
    }
}

/// Sanitizes by reading the input twice. Nothing is written before the whole input has been read
/// and judged once, and no part of the output before it has been searched; so `output` may be a
/// stream. On an error what was written is incomplete and must be thrown away.
///
/// # Errors
/// See [`Error`]; everything but [`Error::Io`] is the file's fault.
pub fn sanitize<R: Read + Seek, W: Write>(
    mut input: R,
    mut output: W,
    options: &Options,
) -> Result<Receipt, Error> {
    let start = input.stream_position()?;
    let options = &with_key(options);
    let mut first = stream::Pass::new(options)?;
    let read = first.run(&mut input, &mut |_| Ok(()))?;
    let mut scanner = first.scanner();
    let searched = first.searched;

    input.seek(SeekFrom::Start(start))?;
    let mut second = stream::Pass::again(options)?;
    let again = second.run(&mut input, &mut |data| {
        output.write_all(&scanner.push(data).map_err(stream::Fault::Hit)?)?;
        Ok(())
    })?;
    let rest = scanner.finish().map_err(|hit| second.leak(hit))?;
    if again != read {
        return Err(Error::InputChanged);
    }
    output.write_all(&rest)?;
    output.flush()?;
    second.searched = searched;
    Ok(second.receipt(again))
}

/// Sanitizes by reading the input once, e.g. from a pipe, and the output again to search it.
/// Faster than [`sanitize`], but the output holds unsearched bytes until this returns: write to
/// a place that nobody reads, and throw it away on an error.
///
/// # Errors
/// See [`Error`]; everything but [`Error::Io`] is the file's fault.
pub fn sanitize_spooled<R: Read, F: Read + Write + Seek>(
    input: R,
    output: &mut F,
    options: &Options,
) -> Result<Receipt, Error> {
    let start = output.stream_position()?;
    let mut pass = stream::Pass::new(&with_key(options))?;
    let read = pass.run(input, &mut |data| Ok(output.write_all(data)?))?;
    output.flush()?;
    output.seek(SeekFrom::Start(start))?;
    let mut scanner = pass.scanner();
    let mut piece = vec![0; scan::PIECE];
    loop {
        match output.read(&mut piece) {
            Ok(0) => break,
            Ok(n) => drop(scanner.push(&piece[..n]).map_err(|hit| pass.leak(hit))?),
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e.into()),
        }
    }
    scanner.finish().map_err(|hit| pass.leak(hit))?;
    Ok(pass.receipt(read))
}

fn with_key(options: &Options) -> Options {
    let mut options = options.clone();
    #[expect(
        clippy::disallowed_methods,
        reason = "each file gets a key of its own unless one is given"
    )]
    options.key.get_or_insert_with(rand::random);
    options
}
