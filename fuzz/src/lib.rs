//! Parsers of bytes that come from outside, fed for as long as `WARIFU_FUZZ_SECONDS` says (one second
//! without it; `./test` says 60): valid inputs with damage of every kind, and bytes of no kind at all.
//!
//! Without coverage as guidance: libFuzzer wants everything below the parsers compiled once more with its
//! own instruments, which costs more than it may here, and most inputs end in a library anyway.
//!
//! A failure is made as small as it goes, and printed with the seed that repeats it
//! (`WARIFU_FUZZ_SEED`).

#![allow(
    clippy::panic,
    clippy::print_stdout,
    reason = "it is a part of tests: what it finds ends them, and how much it did is said"
)]

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};
use std::cell::{Cell, RefCell};
use std::fmt::Debug;
use std::hash::{BuildHasher, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;
use std::time::{Duration, Instant};

/// How long one input may take, on a machine that does something else as well.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest input, in bytes.
pub const LARGEST: usize = 1 << 20;
/// How much memory the whole program may have had, in KiB: parsers are fed a MiB at most, by a few threads.
const MEMORY: u64 = 2 << 20;

fn seconds() -> u64 {
    std::env::var("WARIFU_FUZZ_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(1)
}

fn seed() -> [u8; 32] {
    let mut seed = [0; 32];
    if let Ok(text) = std::env::var("WARIFU_FUZZ_SEED") {
        for (byte, pair) in seed.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digits = std::str::from_utf8(pair).unwrap_or_default();
            *byte = u8::from_str_radix(digits, 16).unwrap_or_default();
        }
    } else {
        for (n, part) in seed.chunks_mut(8).enumerate() {
            part.copy_from_slice(&RandomState::new().hash_one(n).to_le_bytes());
        }
    }
    seed
}

/// Most memory that this program had at a time, in KiB; none where the system does not say.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
    static SAID: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Runs a check without a word about panics: of thousands while an input is made smaller, the last is told.
fn quietly(check: impl FnOnce()) -> Result<(), String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = take_hook();
        set_hook(Box::new(move |panic| {
            if QUIET.get() {
                SAID.set(panic.to_string());
            } else {
                usual(panic);
            }
        }));
    });
    QUIET.set(true);
    let held = catch_unwind(AssertUnwindSafe(check));
    QUIET.set(false);
    held.map_err(|_| SAID.take())
}

/// Feeds `check` until the time is over. What it asserts has to hold for every input, within five seconds.
///
/// # Panics
/// With the smallest input that was found to break it.
pub fn fuzz<S: Strategy>(name: &str, inputs: S, check: impl Fn(S::Value)) {
    let (seed, began) = (seed(), Instant::now());
    let shown: String = seed.iter().map(|b| format!("{b:02x}")).collect();
    let until = Duration::from_secs(seconds());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let config =
        Config { failure_persistence: None, max_shrink_iters: 20_000, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, rng);
    let mut ran: u64 = 0;
    while ran == 0 || began.elapsed() < until {
        let tree = inputs.new_tree(&mut runner).unwrap_or_else(|e| panic!("{name}: {e}"));
        let done = runner.run_one(tree, |input| {
            let asked = Instant::now();
            let held = quietly(|| check(input));
            prop_assert!(asked.elapsed() < PATIENCE, "it took {:?}", asked.elapsed());
            held.map_err(TestCaseError::fail)
        });
        match done {
            Ok(_) => ran += 1,
            Err(TestError::Fail(why, input)) => {
                let input: String = format!("{input:?}").chars().take(4_000).collect();
                panic!("{name}, input {ran} of WARIFU_FUZZ_SEED={shown}: {why}\n{input}")
            }
            Err(TestError::Abort(why)) => panic!("{name}: {why}"),
        }
    }
    let peak = peak();
    println!("fuzzed {name}: {ran} inputs in {:.0} s", began.elapsed().as_secs_f32());
    assert!(peak.is_none_or(|kib| kib < MEMORY), "{name}: {peak:?} KiB were in use");
}

/// Bytes that are shown as text where they are text.
#[derive(Clone, PartialEq, Eq)]
pub struct Input(pub Vec<u8>);

impl Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "b\"{}\"", self.0.escape_ascii())
    }
}

impl Input {
    /// As text; what is none is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }
}

/// One thing that is done to an input.
#[derive(Clone, Debug)]
enum Damage {
    Flip(Index, u8),
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, Index),
    Again(Index, Index, usize),
    Cut(Index),
    /// The end of another input.
    Graft(Index, Vec<u8>, Index),
}

fn range(a: &Index, b: &Index, length: usize) -> std::ops::Range<usize> {
    let (a, b) = (a.index(length + 1), b.index(length + 1));
    a.min(b)..a.max(b)
}

fn damaged(mut bytes: Vec<u8>, damage: &[Damage]) -> Input {
    for one in damage {
        let length = bytes.len();
        match one {
            Damage::Flip(at, bit) if length > 0 => bytes[at.index(length)] ^= 1 << (bit % 8),
            Damage::Set(at, byte) if length > 0 => bytes[at.index(length)] = *byte,
            Damage::Flip(..) | Damage::Set(..) => {}
            Damage::Insert(at, new) => {
                let at = at.index(length + 1);
                bytes.splice(at..at, new.iter().copied());
            }
            Damage::Remove(a, b) => drop(bytes.drain(range(a, b, length))),
            Damage::Again(a, b, times) => {
                let range = range(a, b, length);
                let most = LARGEST.saturating_sub(length) / range.len().max(1);
                let part = bytes[range.clone()].repeat((*times).min(most));
                bytes.splice(range.end..range.end, part);
            }
            Damage::Cut(at) => bytes.truncate(at.index(length + 1)),
            Damage::Graft(at, other, from) => {
                bytes.truncate(at.index(length + 1));
                bytes.extend_from_slice(&other[from.index(other.len() + 1)..]);
            }
        }
    }
    bytes.truncate(LARGEST);
    Input(bytes)
}

/// Valid inputs, most of them with some damage for which `words` of the format are used, and bytes of any kind.
pub fn inputs<T: AsRef<[u8]>>(
    valid: &[T],
    words: &[&str],
) -> impl Strategy<Value = Input> + use<T> {
    let valid: Vec<Vec<u8>> = valid.iter().map(|v| v.as_ref().to_vec()).collect();
    let words: Vec<Vec<u8>> = words.iter().map(|w| w.as_bytes().to_vec()).collect();
    let at = any::<Index>;
    let word = prop_oneof![
        prop::sample::select(if words.is_empty() { vec![Vec::new()] } else { words }),
        prop::collection::vec(any::<u8>(), 1..5),
        prop::sample::select(&b"\0\x01\x7f\x80\xff\r\n\t\"\\%,;.=:/[]{}()+-_ 09aZ"[..])
            .prop_map(|b| vec![b]),
    ];
    let other = prop::sample::select(valid.clone());
    let damage = prop_oneof![
        20 => (at(), 0u8..8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        20 => (at(), any::<u8>()).prop_map(|(at, byte)| Damage::Set(at, byte)),
        40 => (at(), word).prop_map(|(at, new)| Damage::Insert(at, new)),
        20 => (at(), at()).prop_map(|(a, b)| Damage::Remove(a, b)),
        10 => (at(), at(), 1usize..5).prop_map(|(a, b, n)| Damage::Again(a, b, n)),
        10 => at().prop_map(Damage::Cut),
        10 => (at(), other, at()).prop_map(|(at, other, from)| Damage::Graft(at, other, from)),
        // Seldom: a megabyte takes its time.
        1 => (at(), at(), 1usize..100_000).prop_map(|(a, b, n)| Damage::Again(a, b, n)),
    ];
    prop_oneof![
        10 => (prop::sample::select(valid), prop::collection::vec(damage, 0..6))
            .prop_map(|(bytes, damage)| damaged(bytes, &damage)),
        1 => prop::collection::vec(any::<u8>(), 0..200).prop_map(Input),
        1 => "\\PC{0,80}".prop_map(|text| Input(text.into_bytes())),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is to be found is found, and made small.
    #[test]
    fn a_broken_parser_is_found() {
        let broken = |input: Input| assert!(!input.0.ends_with(b"}}"), "it fell over");
        let found = catch_unwind(|| fuzz("broken", inputs(&["{\"a\":1}"], &["{", "}"]), broken));
        let words = *found.unwrap_err().downcast::<String>().unwrap();
        assert!(words.contains("it fell over") && words.contains("WARIFU_FUZZ_SEED="), "{words}");
        assert!(words.lines().last().is_some_and(|l| l.len() < 24), "{words}");
    }

    #[test]
    fn damage_stays_within_bounds() {
        fuzz("damage", inputs(&[&b"seed"[..], b""], &["word"]), |i| assert!(i.0.len() <= LARGEST));
    }
}
