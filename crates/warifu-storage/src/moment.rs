//! What was read about a session holds for a moment, and whoever changes it waits as long
//! (decision 0024).
//!
//! An answer may be used again for [`KEPT`] after its statement began. A transaction that writes to a table which
//! such an answer is read from is acknowledged no sooner than that after its commit. So a request that starts after
//! the acknowledgement cannot use an answer from before the commit, on whichever node it arrives: for an answer
//! that begins at b and is used at r, b > r − [`KEPT`] ≥ acknowledgement − [`KEPT`] ≥ commit. Nobody has to be told,
//! no node has to be known, and no clock has to be right: only its rate counts.

use std::any::Any;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

/// How long what was read about a session and whoever is in it may be used again.
pub const KEPT: Duration = Duration::from_millis(100);
/// The same for policies, which are read as a whole.
pub const POLICIES_KEPT: Duration = Duration::from_millis(250);

/// When something begins to be read. Not by the installation's clock, which may be set.
pub fn begin() -> Instant {
    Instant::now()
}

/// The tables that `sessions::HELD` and `application_sessions::STANDING` read.
const OF_SESSIONS: [&str; 7] = [
    "sessions",
    "devices",
    "people",
    "role_grants",
    "organizations",
    "applications",
    "application_sessions",
];
/// The tables that `policies::all` reads.
const OF_POLICIES: [&str; 5] =
    ["policies", "rollouts", "feature_choices", "network_groups", "organization_access"];

/// How long others may go on with what was there before a statement wrote; none where it only reads.
fn felt_after(sql: &str) -> Duration {
    let mut words = sql.split_ascii_whitespace();
    let writes = |w: &str| ["INSERT", "UPDATE", "DELETE"].iter().any(|v| w.eq_ignore_ascii_case(v));
    let table = match words.next() {
        Some("SELECT") => return Duration::ZERO,
        Some("WITH") if !words.any(writes) => return Duration::ZERO,
        Some("INSERT") => words.find(|w| *w == "INTO").and_then(|_| words.next()),
        Some("DELETE") => words.nth(1),
        Some("UPDATE") => words.next(),
        _ => None,
    };
    let table = table.and_then(|table| table.split('(').next());
    let name = |table: &&str| table.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    match table.filter(name) {
        // What is not understood is taken for the worst.
        None | Some("") => POLICIES_KEPT,
        Some(table) if OF_POLICIES.contains(&table) => POLICIES_KEPT,
        Some(table) if OF_SESSIONS.contains(&table) => KEPT,
        Some(_) => Duration::ZERO,
    }
}

/// How long a transaction waits, once it is committed, before it is acknowledged.
#[derive(Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[must_use = "what is acknowledged before may not be felt yet"]
pub struct Wait(Duration);

impl Wait {
    /// A statement is about to run.
    pub(crate) fn note(&mut self, sql: &str) {
        self.0 = self.0.max(felt_after(sql));
    }

    /// For what somebody else may have committed just now.
    pub fn longest() -> Wait {
        Wait(POLICIES_KEPT)
    }

    /// Until nobody goes on with what was there before. A quarter longer: while they are set, clocks of two
    /// machines run at rates that differ by up to a fifth (adjtimex(2): 10 % either way).
    pub async fn over(self) {
        if !self.0.is_zero() {
            tokio::time::sleep(self.0 * 5 / 4).await;
        }
    }
}

/// What was read a moment ago, by the digest that it was asked for. That there was nothing is not kept: whoever
/// has just signed in is let in.
#[derive(Debug)]
pub struct Lately<T>(RwLock<Map<T>>);

#[derive(Debug)]
struct Map<T> {
    read: HashMap<[u8; 32], Kept<T>>,
    /// At how many those are dropped that are too old.
    full: usize,
}

/// Something that was read, for as long as it may be used again.
#[derive(Debug)]
pub struct Kept<T> {
    began: Instant,
    value: Arc<T>,
    asked: AtomicBool,
    renewed: AtomicBool,
}

impl<T> Kept<T> {
    /// What statements found that began at an instant, or some time after it.
    pub fn new(began: Instant, value: &Arc<T>) -> Kept<T> {
        let [asked, renewed] = [AtomicBool::new(false), AtomicBool::new(false)];
        Kept { began, value: value.clone(), asked, renewed }
    }

    /// It, where it is not older than `long`, and whether it is for the caller to read it anew, so that whoever
    /// asks next need not wait: once, when it is older than `fresh`.
    pub fn get(&self, long: Duration, fresh: Duration) -> Option<(Arc<T>, bool)> {
        let now = Instant::now();
        if !self.asked.load(Ordering::Relaxed) {
            self.asked.store(true, Ordering::Relaxed);
        }
        let renew = self.falls_due(now, fresh);
        (self.age(now) < long).then(|| (self.value.clone(), renew))
    }

    fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.began)
    }

    /// Whether it was asked for, is older than `fresh` and not yet being read anew; then it is, from now on.
    fn falls_due(&self, now: Instant, fresh: Duration) -> bool {
        let due = self.age(now) >= fresh && self.asked.load(Ordering::Relaxed);
        due && !self.renewed.swap(true, Ordering::Relaxed)
    }

    /// Whether this is to take the place of what is kept: one that hung may come back after a later one.
    pub fn replaces(&self, kept: Option<&Kept<T>>) -> bool {
        kept.is_none_or(|kept| kept.began <= self.began)
    }
}

/// Fewer than these are never too many, and more than these are not kept: that many who ask within
/// [`KEPT`] are more than one node serves.
const FEW: usize = 256;
const MANY: usize = 16_384;

impl<T> Default for Lately<T> {
    fn default() -> Lately<T> {
        Lately(RwLock::new(Map { read: HashMap::new(), full: FEW }))
    }
}

impl<T> Lately<T> {
    /// Whoever asks holds nobody else up who asks, not even while they wait for a core themselves.
    fn map(&self) -> RwLockReadGuard<'_, Map<T>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is kept.
    pub(crate) fn get(&self, key: &[u8; 32]) -> Option<Arc<T>> {
        self.map().read.get(key)?.get(KEPT, KEPT).map(|(value, _)| value)
    }

    /// What is kept, and what is for the caller to read anew: where this is in the second half of its time, all
    /// that is past the first quarter of it and was asked for. They come together from then on: however many
    /// there are, it is one who reads, twenty to forty times in a second.
    pub(crate) fn get_ahead(&self, key: &[u8; 32]) -> Option<(Arc<T>, Vec<[u8; 32]>)> {
        let map = self.map();
        let (value, renew) = map.read.get(key)?.get(KEPT, KEPT / 2)?;
        let mut due = Vec::new();
        if renew {
            let now = Instant::now();
            let others = map
                .read
                .iter()
                .filter_map(|(other, kept)| kept.falls_due(now, KEPT / 4).then_some(*other));
            due.push(*key);
            due.extend(others);
        }
        Some((value, due))
    }

    /// Keeps what statements found that began at an instant, or some time after it; where they found nothing,
    /// nothing that was read before is kept either.
    pub(crate) fn put(&self, began: Instant, found: &[([u8; 32], Option<Arc<T>>)])
    where
        T: PartialEq,
    {
        let mut map = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for (key, value) in found {
            let Some(value) = value else {
                if map.read.get(key).is_some_and(|kept| kept.began <= began) {
                    map.read.remove(key);
                }
                continue;
            };
            if map.read.len() >= map.full {
                map.read.retain(|_, entry| entry.began.elapsed() < KEPT);
                if map.read.len() > MANY / 2 {
                    map.read.clear();
                }
                // As often as they double: what all of them cost together is in proportion to their number.
                map.full = FEW.max(map.read.len() * 2);
            }
            let before = map.read.get(key);
            // What is as it was goes on being it, with what was made of it.
            let same = before.map(|kept| &kept.value).filter(|before| *before == value);
            let found = Kept::new(began, same.unwrap_or(value));
            if found.replaces(before) {
                map.read.insert(*key, found);
            }
        }
    }
}

/// The one thing that a layer above has made of what was read: it is kept as long, and always of one type.
#[derive(Debug, Default)]
pub struct Made(OnceLock<Box<dyn Any + Send + Sync>>);

/// What is made of the same is the same.
impl PartialEq for Made {
    fn eq(&self, _: &Made) -> bool {
        true
    }
}

impl Made {
    pub fn get<T: Any>(&self) -> Option<&T> {
        self.0.get()?.downcast_ref()
    }

    /// Whoever comes second changes nothing.
    pub fn keep<T: Any + Send + Sync>(&self, made: T) {
        let _ = self.0.set(Box::new(made));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application_sessions::STANDING;
    use crate::sessions::HELD;

    #[test]
    fn every_table_that_an_answer_is_read_from_is_waited_for() {
        for (sql, tables) in [(HELD.one, 5), (STANDING.one, 7)] {
            let words: Vec<&str> = sql.split_ascii_whitespace().collect();
            let read = words.windows(2).filter(|w| matches!(w[0], "FROM" | "JOIN"));
            let read: Vec<&str> = read.map(|w| w[1]).collect();
            assert!(read.len() >= tables, "{read:?}");
            for table in read {
                assert!(OF_SESSIONS.contains(&table), "{table}: {sql}");
            }
        }
    }

    #[test]
    fn what_writes_is_told_from_what_reads() {
        for (sql, after) in [
            ("SELECT ended_at FROM sessions", Duration::ZERO),
            ("UPDATE sessions SET ended_at = $1", KEPT),
            ("INSERT INTO role_grants (person_id)", KEPT),
            ("INSERT INTO people(id) VALUES (1)", KEPT),
            ("DELETE FROM devices WHERE id = $1", KEPT),
            ("INSERT INTO network_groups (members) VALUES ($1)", POLICIES_KEPT),
            ("UPDATE cases SET subject = $1", Duration::ZERO),
            ("INSERT INTO session_notes (a) VALUES (1)", Duration::ZERO),
            ("INSERT OR REPLACE INTO devices (id) VALUES (1)", KEPT),
            ("WITH x AS (SELECT 1) SELECT * FROM sessions", Duration::ZERO),
            ("WITH x AS (SELECT 1) UPDATE sessions SET ended_at = 1", POLICIES_KEPT),
            ("WITH x AS (SELECT 1) update sessions set ended_at = 1", POLICIES_KEPT),
            ("update sessions set ended_at = 1", POLICIES_KEPT),
            ("UPDATE OR IGNORE sessions SET ended_at = 1", POLICIES_KEPT),
            ("UPDATE ONLY sessions SET ended_at = 1", POLICIES_KEPT),
            ("UPDATE \"sessions\" SET ended_at = 1", POLICIES_KEPT),
            ("DELETE FROM public.sessions", POLICIES_KEPT),
            ("", POLICIES_KEPT),
        ] {
            assert_eq!(felt_after(sql), after, "{sql}");
        }
    }

    #[test]
    fn what_is_too_old_is_neither_used_nor_kept() {
        let lately = Lately::default();
        let old = Instant::now().checked_sub(KEPT).unwrap();
        let key = |n: u32| {
            let mut key = [0; 32];
            key[..4].copy_from_slice(&n.to_be_bytes());
            key
        };
        for n in 0..10_000 {
            lately.put(old, &[(key(n), Some(Arc::new(n)))]);
            assert!(lately.get(&key(n)).is_none() && lately.get_ahead(&key(n)).is_none());
        }
        assert!(lately.map().read.len() <= FEW);
        // What was asked earlier and comes back later does not take a newer one's place.
        let lately = Lately::default();
        let soon = Instant::now() + Duration::from_secs(60);
        lately.put(soon, &[(key(1), Some(Arc::new(7)))]);
        lately.put(Instant::now(), &[(key(1), Some(Arc::new(8)))]);
        lately.put(Instant::now(), &[(key(1), None)]);
        assert_eq!(lately.get_ahead(&key(1)), Some((Arc::new(7), Vec::new())));
        // What is as it was stays as it is.
        let same = Arc::new(7);
        lately.put(soon, &[(key(1), Some(same.clone())), (key(3), Some(same.clone()))]);
        let is_new = |n| lately.get(&key(n)).is_some_and(|kept| Arc::ptr_eq(&kept, &same));
        assert_eq!([is_new(1), is_new(3)], [false, true]);
        // What is gone is not kept.
        lately.put(soon, &[(key(1), None), (key(2), None)]);
        assert_eq!([1, 2].map(|n| lately.get(&key(n))), [None, None]);
        // However many ask at the same time, no more than so many are kept.
        for n in 0..100_000 {
            lately.put(soon, &[(key(n), Some(Arc::new(n)))]);
            assert_eq!(lately.get(&key(n)), Some(Arc::new(n)));
        }
        assert!(lately.map().read.len() <= MANY);
    }

    #[test]
    fn all_who_are_asked_for_are_read_anew_together() {
        // Until it went fast enough: what was read 60 ms ago is soon too old.
        let due = (0..1_000).find_map(|_| {
            let (began, lately) = (Instant::now(), Lately::default());
            for (key, age) in [(1, 60), (2, 30), (3, 30), (4, 10), (5, 60)] {
                let read = began.checked_sub(Duration::from_millis(age)).unwrap();
                lately.put(read, &[([key; 32], Some(Arc::new(())))]);
            }
            // Nobody asks for the third and the fifth.
            let due = [2, 4, 1, 1].map(|key| lately.get_ahead(&[key; 32]).map(|(_, due)| due));
            let mut due = due.into_iter().collect::<Option<Vec<_>>>().unwrap_or_default();
            due.iter_mut().for_each(|keys| keys.sort_unstable());
            (began.elapsed() < KEPT / 10).then_some(due)
        });
        assert_eq!(due.unwrap(), [vec![], vec![], vec![[1; 32], [2; 32]], vec![]]);
    }
}
