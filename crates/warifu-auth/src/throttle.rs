//! Tries of sign-in per network: slows guessing and flooding down, and locks nobody out, because
//! it knows networks and no accounts.

use std::collections::HashMap;
use warifu_domain::Timestamp;
use warifu_domain::time::SECOND;

/// Token buckets by network, in memory. A network may make [`Throttle::BURST`] tries at once and
/// one more each second.
#[derive(Default)]
pub struct Throttle {
    buckets: HashMap<String, Bucket>,
}

struct Bucket {
    /// Tries that have been made and not yet forgotten.
    used: u32,
    at: Timestamp,
}

impl Bucket {
    fn forget(&mut self, now: Timestamp) {
        let seconds = (now.0 - self.at.0).max(0) / SECOND;
        if seconds > 0 {
            self.used = self.used.saturating_sub(u32::try_from(seconds).unwrap_or(u32::MAX));
            self.at = Timestamp(self.at.0.saturating_add(seconds.saturating_mul(SECOND)));
        }
    }
}

impl Throttle {
    /// Tries at once.
    pub const BURST: u32 = 60;
    /// Networks that are remembered; beyond, those with the fewest tries are forgotten first.
    pub const NETWORKS: usize = 10_000;

    /// Counts a try.
    ///
    /// # Errors
    /// Seconds to wait when the network has made too many.
    pub fn try_once(&mut self, network: &str, now: Timestamp) -> Result<(), u64> {
        if self.buckets.len() >= Self::NETWORKS && !self.buckets.contains_key(network) {
            self.make_room(now);
        }
        let bucket = self.buckets.entry(network.to_owned()).or_insert(Bucket { used: 0, at: now });
        bucket.forget(now);
        if bucket.used >= Self::BURST {
            return Err(u64::from(bucket.used - Self::BURST) + 1);
        }
        bucket.used += 1;
        Ok(())
    }

    fn make_room(&mut self, now: Timestamp) {
        self.buckets.retain(|_, bucket| {
            bucket.forget(now);
            bucket.used > 0
        });
        let mut least = 1;
        while self.buckets.len() >= Self::NETWORKS && least <= Self::BURST {
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
