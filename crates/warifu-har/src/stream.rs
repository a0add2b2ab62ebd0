//! One pass over a file: member by member, entry by entry.

use crate::lex::Lexer;
use crate::needles::{MIN, Needles};
use crate::redact::Redactor;
use crate::scan::{Hit, Scanner};
use crate::tree::{self, Budget, Value, read_name};
use crate::{Error, Options, Receipt, har};
use sha2::{Digest, Sha256};
use std::io::Read;

/// Output is handed on in pieces of about this size (bytes).
const FLUSH: usize = 256 << 10;

/// What a consumer of output may fail with.
pub(crate) enum Fault {
    Hit(Hit),
    Io(std::io::Error),
}

impl From<std::io::Error> for Fault {
    fn from(e: std::io::Error) -> Self {
        Fault::Io(e)
    }
}

/// The sink of the output.
type Emit<'a> = &'a mut dyn FnMut(&[u8]) -> Result<(), Fault>;

pub(crate) struct Pass {
    red: Redactor,
    out: Vec<u8>,
    sha: Sha256,
    written: u64,
    /// Offset in the output of each entry, so that a leak can be placed.
    entries: Vec<u64>,
    pub(crate) searched: u64,
}

/// Length and SHA-256 of the input.
#[derive(PartialEq, Eq)]
pub(crate) struct InputSeen(u64, [u8; 32]);

impl Pass {
    pub(crate) fn new(options: &Options) -> Result<Self, Error> {
        #[expect(
            clippy::disallowed_methods,
            reason = "each file gets a key of its own unless one is given"
        )]
        let key = options.key.unwrap_or_else(rand::random);
        let mut red = Redactor::new(&key, options.limits.clone());
        for secret in &options.known_secrets {
            if secret.len() < MIN {
                return Err(Error::ShortSecret);
            }
            red.needles.add(secret);
        }
        Ok(Self {
            red,
            out: Vec::new(),
            sha: Sha256::new(),
            written: 0,
            entries: Vec::new(),
            searched: 0,
        })
    }

    /// A second pass over the same input: the values to search for are known already.
    pub(crate) fn again(options: &Options) -> Result<Self, Error> {
        let mut pass = Self::new(options)?;
        pass.red.needles = Needles::new(0);
        pass.red.needles.collect = false;
        Ok(pass)
    }

    /// Takes the values removed in this pass.
    pub(crate) fn scanner(&mut self) -> Scanner {
        let needles = std::mem::replace(&mut self.red.needles, Needles::new(0));
        self.searched = needles.len() as u64;
        Scanner::new(needles.into_index())
    }

    pub(crate) fn leak(&self, hit: Hit) -> Error {
        let after = self.entries.partition_point(|&start| start <= hit.offset);
        let entry = after.checked_sub(1).map(|e| e as u64);
        Error::Leak { entry, offset: hit.offset, encoding: hit.encoding }
    }

    pub(crate) fn receipt(mut self, input: InputSeen) -> Receipt {
        let (removed, cookie_digests) = self.red.take_receipt();
        Receipt {
            input_bytes: input.0,
            output_bytes: self.written,
            kept_bytes: self.written.saturating_sub(self.red.token_bytes()),
            input_sha256: input.1,
            output_sha256: self.sha.finalize().into(),
            entries: self.entries.len() as u64,
            removed,
            searched_values: self.searched,
            cookie_digests,
        }
    }

    pub(crate) fn run<R: Read>(&mut self, input: R, emit: Emit<'_>) -> Result<InputSeen, Error> {
        let mut lex = Lexer::new(input, 256 << 10, true);
        match lex.peek()? {
            Some(b'{') => {}
            Some(0xEF | 0xFE | 0xFF) => lex.syntax("a byte order mark before the JSON")?,
            Some(b'[' | b'"') => {
                return Err(Error::NotHar { offset: lex.offset(), what: "no object" });
            }
            Some(_) => lex.syntax("not a JSON value")?,
            None => lex.syntax("the file is empty")?,
        }
        lex.expect(b'{', "expected an object")?;
        self.out.push(b'{');
        let mut seen = Vec::new();
        while lex.more(seen.is_empty(), b'}')? {
            let (name, offset) = self.member_name(&mut lex, &mut seen)?;
            if name == "log" {
                if lex.need()? != b'{' {
                    return Err(Error::NotHar { offset, what: "`log` is no object" });
                }
                self.log(&mut lex, emit)?;
            } else {
                let value = self.read(&mut lex)?;
                let clean = har::log_member(&mut self.red, "", value);
                tree::write(&mut self.out, &clean)?;
            }
        }
        self.out.extend_from_slice(b"}\n");
        let offset = lex.offset();
        let (bytes, digest) = lex.finish()?;
        if !seen.iter().any(|n| n == "log") {
            return Err(Error::NotHar { offset: offset.saturating_sub(1), what: "no `log`" });
        }
        self.checks()?;
        self.flush(emit)?;
        Ok(InputSeen(bytes, digest))
    }

    fn log<R: Read>(&mut self, lex: &mut Lexer<R>, emit: Emit<'_>) -> Result<(), Error> {
        lex.expect(b'{', "expected an object")?;
        self.out.push(b'{');
        let mut seen = Vec::new();
        while lex.more(seen.is_empty(), b'}')? {
            let (name, offset) = self.member_name(lex, &mut seen)?;
            let list = matches!(name.as_str(), "entries" | "pages");
            if list && lex.need()? != b'[' {
                return Err(Error::NotHar { offset, what: "`entries` or `pages` is no array" });
            }
            if list {
                self.items(lex, name == "entries", emit)?;
            } else {
                let value = self.read(lex)?;
                let clean = har::log_member(&mut self.red, &name, value);
                tree::write(&mut self.out, &clean)?;
            }
        }
        self.out.push(b'}');
        if !seen.iter().any(|n| n == "entries") {
            return Err(Error::NotHar { offset: lex.offset() - 1, what: "`log` has no `entries`" });
        }
        Ok(())
    }

    fn items<R: Read>(
        &mut self,
        lex: &mut Lexer<R>,
        entries: bool,
        emit: Emit<'_>,
    ) -> Result<(), Error> {
        lex.expect(b'[', "expected an array")?;
        self.out.push(b'[');
        let mut first = true;
        while lex.more(first, b']')? {
            if !first {
                self.out.push(b',');
            }
            first = false;
            // A line for each, so that two sanitized files can be compared with `diff`.
            self.out.push(b'\n');
            if lex.need()? != b'{' {
                return Err(Error::NotHar { offset: lex.offset(), what: "an entry is no object" });
            }
            let value = self.read(lex)?;
            let clean = if entries {
                self.entries.push(self.written + self.out.len() as u64);
                har::entry(&mut self.red, value)
            } else {
                har::page(&mut self.red, value)
            };
            tree::write(&mut self.out, &clean)?;
            self.checks()?;
            if self.out.len() >= FLUSH {
                self.flush(emit)?;
            }
        }
        self.out.push(b']');
        Ok(())
    }

    /// The name before a value, written to the output; refuses one that occurred before.
    fn member_name<R: Read>(
        &mut self,
        lex: &mut Lexer<R>,
        seen: &mut Vec<String>,
    ) -> Result<(String, u64), Error> {
        if !seen.is_empty() {
            self.out.push(b',');
        }
        let offset = lex.offset();
        let name = read_name(lex)?;
        if seen.contains(&name) {
            return Err(Error::DuplicateKey { offset });
        }
        if seen.len() == 1000 {
            return Err(Error::TooLarge { offset, what: "members of `log`" });
        }
        lex.expect(b':', "expected a colon")?;
        self.red.place = "log";
        let clean = self.red.name(&name);
        tree::write_str(&mut self.out, &clean)?;
        self.out.push(b':');
        seen.push(name.clone());
        Ok((name, offset))
    }

    fn read<R: Read>(&mut self, lex: &mut Lexer<R>) -> Result<Value, Error> {
        let mut budget = Budget::new(&self.red.limits);
        tree::read(lex, &mut self.red, &mut budget, 3)
    }

    fn checks(&self) -> Result<(), Error> {
        if self.red.needles.overflow {
            return Err(Error::TooMany { what: "removed values" });
        }
        if self.red.cookies_overflow {
            return Err(Error::TooMany { what: "cookie values" });
        }
        Ok(())
    }

    fn flush(&mut self, emit: Emit<'_>) -> Result<(), Error> {
        self.sha.update(&self.out);
        self.written += self.out.len() as u64;
        let done = emit(&self.out);
        self.out.clear();
        done.map_err(|fault| match fault {
            Fault::Hit(hit) => self.leak(hit),
            Fault::Io(e) => Error::Io(e),
        })
    }
}
