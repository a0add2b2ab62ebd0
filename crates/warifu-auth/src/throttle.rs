//! Tries of sign-in per network: slows guessing and flooding down, and locks nobody out, because
//! it knows networks and no accounts.

use std::collections::HashMap;
use warifu_domain::Timestamp;
use warifu_domain::time::SECOND;

/// Token buckets by network, in memory. A network may make [`Throttle::BURST`] tries at once and
/// one more each second, unless [`Throttle::new`] says otherwise.
pub struct Throttle {
    buckets: HashMap<String, Bucket>,
    burst: u32,
    /// Microseconds until one more.
    every: i64,
}

impl Default for Throttle {
    fn default() -> Throttle {
        Throttle::new(Throttle::BURST, SECOND)
    }
}

struct Bucket {
    /// Tries that have been made and not yet forgotten.
    used: u32,
    at: Timestamp,
}

impl Bucket {
    fn forget(&mut self, now: Timestamp, every: i64) {
        let steps = (now.0 - self.at.0).max(0) / every;
        if steps > 0 {
            self.used = self.used.saturating_sub(u32::try_from(steps).unwrap_or(u32::MAX));
            self.at = Timestamp(self.at.0.saturating_add(steps.saturating_mul(every)));
        }
    }
}

impl Throttle {
    /// Tries at once.
    pub const BURST: u32 = 60;
    /// Networks that are remembered; beyond, those with the fewest tries are forgotten first.
    pub const NETWORKS: usize = 10_000;

    /// So many tries at once, and one more each `every` microseconds.
    pub fn new(burst: u32, every: i64) -> Throttle {
        Throttle { buckets: HashMap::new(), burst, every: every.max(1) }
    }

    /// Counts a try.
    ///
    /// # Errors
    /// Seconds to wait when the network has made too many.
    pub fn try_once(&mut self, network: &str, now: Timestamp) -> Result<(), u64> {
        if self.buckets.len() >= Self::NETWORKS && !self.buckets.contains_key(network) {
            self.make_room(now);
        }
        let bucket = self.buckets.entry(network.to_owned()).or_insert(Bucket { used: 0, at: now });
        bucket.forget(now, self.every);
        if bucket.used >= self.burst {
            let steps = i64::from(bucket.used - self.burst) + 1;
            let wait = (steps * self.every + SECOND - 1) / SECOND;
            return Err(u64::try_from(wait).unwrap_or(1));
        }
        bucket.used += 1;
        Ok(())
    }

    /// Whether the next try would have to wait, as far as is known from the last one.
    pub fn is_spent(&self, network: &str) -> bool {
        self.buckets.get(network).is_some_and(|bucket| bucket.used >= self.burst)
    }

    /// Tries that are not forgotten, as far as is known from the last one.
    pub fn used(&self, network: &str) -> u32 {
        self.buckets.get(network).map_or(0, |bucket| bucket.used)
    }

    /// Takes back a try that turned out not to be a guess.
    pub fn give_back(&mut self, network: &str) {
        if let Some(bucket) = self.buckets.get_mut(network) {
            bucket.used = bucket.used.saturating_sub(1);
        }
    }

    fn make_room(&mut self, now: Timestamp) {
        let every = self.every;
        self.buckets.retain(|_, bucket| {
            bucket.forget(now, every);
            bucket.used > 0
        });
        let mut least = 1;
        while self.buckets.len() >= Self::NETWORKS && least <= self.burst {
            self.buckets.retain(|_, bucket| bucket.used > least);
            least += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp(1_700_000_000_000_000);

    #[test]
    fn one_network_waits_and_others_do_not() {
        let mut throttle = Throttle::default();
        for _ in 0..Throttle::BURST {
            assert_eq!(throttle.try_once("a", START), Ok(()));
        }
        assert_eq!(throttle.try_once("a", START), Err(1));
        assert_eq!(throttle.try_once("b", START), Ok(()));
        assert_eq!(throttle.try_once("a", START.plus(SECOND)), Ok(()));
        assert!(throttle.try_once("a", START.plus(SECOND)).is_err());
        assert!(throttle.try_once("a", START.plus(-SECOND)).is_err(), "a clock set back");
        assert_eq!(throttle.try_once("a", START.plus(3600 * SECOND)), Ok(()));
    }

    #[test]
    fn a_slower_one_gives_one_more_after_its_time() {
        let mut throttle = Throttle::new(2, 10 * SECOND);
        assert!(throttle.try_once("a", START).is_ok() && !throttle.is_spent("a"));
        assert!(throttle.try_once("a", START).is_ok() && throttle.is_spent("a"));
        assert_eq!((throttle.used("a"), throttle.used("b")), (2, 0));
        assert_eq!(throttle.try_once("a", START.plus(9 * SECOND)), Err(10));
        assert_eq!(throttle.try_once("a", START.plus(10 * SECOND)), Ok(()));
        assert!(throttle.try_once("a", START.plus(19 * SECOND)).is_err());
    }

    #[test]
    fn memory_is_bounded_and_flooders_are_remembered() {
        let mut throttle = Throttle::default();
        while throttle.try_once("flood", START).is_ok() {}
        for i in 0..3 * Throttle::NETWORKS {
            assert_eq!(throttle.try_once(&i.to_string(), START), Ok(()));
            assert!(throttle.buckets.len() <= Throttle::NETWORKS);
        }
        assert!(throttle.try_once("flood", START).is_err());
    }
}
