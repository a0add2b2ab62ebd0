//! Replacing a value by its keyed digest, and remembering (as hashes) that it was removed.

use crate::allow;
use crate::needles::{MAX, Needles};
use crate::{Limits, Removed, headers, percent};
use base64::Engine as _;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// Bytes of the digest that are shown: 48 bits, so that among a million distinct values two meet
/// with a chance of 1 in 500.
const DIGEST: usize = 6;

/// Replaces values within one file.
pub(crate) struct Redactor {
    pub(crate) limits: Limits,
    mac: Hmac<Sha256>,
    pub(crate) needles: Needles,
    removed: BTreeMap<(&'static str, &'static str), u64>,
    /// Where in the HAR we are, for the receipt.
    pub(crate) place: &'static str,
    cookies: BTreeSet<[u8; 32]>,
    pub(crate) cookies_overflow: bool,
    token_bytes: u64,
    /// How many encodings deep the current value lies.
    pub(crate) nested: usize,
}

/// A value that is too long to be held, while it passes through.
pub(crate) struct LongValue {
    mac: Hmac<Sha256>,
    head: Vec<u8>,
}

impl Redactor {
    pub(crate) fn new(key: &[u8; 32], limits: Limits) -> Self {
        // HMAC takes keys of any length, so the block-sized constructor is used: it cannot fail.
        let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
        block[..key.len()].copy_from_slice(key);
        Self {
            mac: <Hmac<Sha256> as hmac::digest::KeyInit>::new(&block),
            needles: Needles::new(limits.max_values),
            removed: BTreeMap::new(),
            place: "log",
            cookies: BTreeSet::new(),
            cookies_overflow: false,
            token_bytes: 0,
            nested: 0,
            limits,
        }
    }

    fn hex(&mut self, mac: Hmac<Sha256>) -> String {
        let digest = mac.finalize().into_bytes();
        self.token_bytes += 2 * DIGEST as u64;
        hex(&digest[..DIGEST])
    }

    fn count(&mut self, kind: &'static str) {
        *self.removed.entry((self.place, kind)).or_default() += 1;
    }

    /// The digest of `value` as 12 hexadecimal digits; counts and remembers it as removed.
    pub(crate) fn digest(&mut self, kind: &'static str, value: &str) -> String {
        self.count(kind);
        self.harvest(value, 0);
        let mut mac = self.mac.clone();
        mac.update(value.as_bytes());
        self.hex(mac)
    }

    /// `redacted:9f3a1c0e2b7d`; an empty value stays empty.
    pub(crate) fn token(&mut self, kind: &'static str, value: &str) -> String {
        if value.is_empty() {
            return String::new();
        }
        format!("redacted:{}", self.digest(kind, value))
    }

    /// `redacted-9f3a1c0e2b7d`, where a colon would not be valid.
    pub(crate) fn dashed(&mut self, kind: &'static str, value: &str) -> String {
        format!("redacted-{}", self.digest(kind, value))
    }

    /// A name: kept if it reads like one.
    pub(crate) fn name(&mut self, name: &str) -> String {
        if name.is_empty() || allow::plain(name) {
            name.to_owned()
        } else {
            self.token("name", name)
        }
    }

    pub(crate) fn long_value(&self) -> LongValue {
        LongValue { mac: self.mac.clone(), head: Vec::new() }
    }

    pub(crate) fn feed(&mut self, long: &mut LongValue, part: &str) {
        long.mac.update(part.as_bytes());
        let room = MAX - long.head.len().min(MAX);
        long.head.extend_from_slice(&part.as_bytes()[..part.len().min(room)]);
        self.tokens(part);
    }

    pub(crate) fn finish_long(&mut self, long: LongValue) -> String {
        self.count("oversize");
        self.needles.add(&long.head);
        format!("redacted:{}", self.hex(long.mac))
    }

    /// Notes a cookie's value for the receipt: as sent, without quotes, and percent-decoded.
    pub(crate) fn saw_cookie(&mut self, value: &str) {
        let bare = value.trim_matches('"');
        for form in [value, bare, &percent::decode(bare)] {
            if form.is_empty() {
                continue;
            }
            if self.cookies.len() >= self.limits.max_cookies {
                self.cookies_overflow = true;
                return;
            }
            self.cookies.insert(Sha256::digest(form.as_bytes()).into());
        }
    }

    /// The counts and cookie digests so far, so that a failed attempt to parse can be undone.
    pub(crate) fn snapshot(&self) -> (BTreeMap<(&'static str, &'static str), u64>, u64) {
        (self.removed.clone(), self.token_bytes)
    }

    pub(crate) fn restore(&mut self, to: (BTreeMap<(&'static str, &'static str), u64>, u64)) {
        (self.removed, self.token_bytes) = to;
    }

    pub(crate) fn token_bytes(&self) -> u64 {
        self.token_bytes
    }

    pub(crate) fn take_receipt(&mut self) -> (Vec<Removed>, Vec<[u8; 32]>) {
        let removed = std::mem::take(&mut self.removed)
            .into_iter()
            .map(|((place, kind), count)| Removed { place, kind, count })
            .collect();
        (removed, std::mem::take(&mut self.cookies).into_iter().collect())
    }

    /// Remembers a removed value and the tokens in it, also those under an encoding.
    fn harvest(&mut self, value: &str, depth: usize) {
        if value.len() < crate::needles::MIN {
            return;
        }
        if worthy(value) {
            self.needles.add(value.as_bytes());
        }
        self.tokens(value);
        if depth == 3 {
            return;
        }
        if value.contains('%') {
            let decoded = percent::decode(value);
            if decoded != value {
                self.harvest(&decoded, depth + 1);
            }
        }
        if value.len() >= 12
            && value.len() <= 1 << 16
            && let Some(decoded) = base64_text(value)
        {
            self.harvest(&decoded, depth + 1);
        }
    }

    fn tokens(&mut self, text: &str) {
        let mut before = ' ';
        for token in text.split_inclusive(|c: char| !in_token(c)) {
            let end = token.chars().next_back().filter(|&c| !in_token(c));
            let bare = &token[..token.len() - end.map_or(0, char::len_utf8)];
            if bare.len() >= crate::needles::MIN && worthy_token(bare, before) {
                self.needles.add(bare.as_bytes());
                for part in bare.split(['-', '_']) {
                    if part.len() >= 12 && part.len() < bare.len() && worthy_token(part, '-') {
                        self.needles.add(part.as_bytes());
                    }
                }
            }
            before = end.unwrap_or(' ');
        }
    }
}

fn in_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-'
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |n: u8| char::from(if n < 10 { b'0' + n } else { b'a' + n - 10 });
    bytes.iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]).collect()
}

/// Standard or URL-safe base64 (padding optional) that holds text.
pub(crate) fn base64_text(value: &str) -> Option<String> {
    let text = String::from_utf8(base64_bytes(value)?).ok()?;
    let odd = text.chars().any(|c| c.is_control() && !c.is_whitespace());
    (!odd && !text.is_empty()).then_some(text)
}

pub(crate) fn base64_bytes(value: &str) -> Option<Vec<u8>> {
    use base64::alphabet::{STANDARD, URL_SAFE};
    use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
    const CONFIG: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    const STD: GeneralPurpose = GeneralPurpose::new(&STANDARD, CONFIG);
    const URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, CONFIG);
    STD.decode(value).or_else(|_| URL.decode(value)).ok()
}

/// Whether a whole value can be searched for without meeting what an allow-list keeps.
fn worthy(value: &str) -> bool {
    if !value.is_ascii() {
        // Nothing that is kept has such characters.
        return value.len() > 8;
    }
    let b = value.as_bytes();
    let has = |f: fn(&u8) -> bool| b.iter().take(512).any(f);
    let address = value.find('@').is_some_and(|at| at > 0 && at + 1 < value.len());
    let special = has(|c| {
        matches!(c, b'!' | b'#' | b'$' | b'%' | b'^' | b'&' | b'*' | b'+' | b'?' | b'=' | b'~')
    });
    let mixed = has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic);
    let phrase = value.len() >= 12 && value.contains(' ');
    (address || (special && mixed) || phrase) && !(value.len() <= 512 && headers::public(value))
}

/// Whether a run of letters, digits, `-` and `_` is like a secret: neither a readable name nor
/// a short number or digest, nor one of the words that the allow-lists keep.
fn worthy_token(token: &str, before: char) -> bool {
    let b = token.as_bytes();
    let digits = b.iter().filter(|c| c.is_ascii_digit()).count();
    if b.iter().all(u8::is_ascii_hexdigit) {
        // 13 and more: our own digests have 12. Digits after a point are a fraction's.
        let mut seen = [false; 256];
        b.iter().for_each(|&c| seen[c as usize] = true);
        let distinct = seen.iter().filter(|&&s| s).count();
        return b.len() >= 13 && distinct >= 4 && !(before == '.' && digits == b.len());
    }
    let numeric = b.iter().all(|c| c.is_ascii_digit() || matches!(c, b'-' | b'_'));
    let longest = token.split(['-', '_']).map(str::len).max().unwrap_or(0);
    !(allow::plain(token)
        || (numeric && longest < 13)
        || allow::date(token)
        || allow::charset(token)
        || allow::agent_word(token)
        || b.iter().all(|&c| c == b[0]))
}
