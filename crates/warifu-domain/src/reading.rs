//! How many people's records somebody is shown within a day before they are asked for their key.
//!
//! Each person counts once in the day after they were counted, however often they are looked at: work on the
//! same people costs nothing, walking through all of them does.

use crate::protected::{Action, Protected};
use crate::time::DAY;

/// For how long a person whose record was shown counts, and for how long an agreement holds, in microseconds.
pub const WINDOW: i64 = DAY;

/// What somebody has been shown of late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// People of a day, and how many more each agreement is good for.
    pub limit: u64,
    /// How often they agreed with their key to read on, within the day.
    pub agreed: u64,
    /// People who count now.
    pub shown: u64,
}

/// Whether a page with people may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Shown,
    /// Only after the key was touched for reading on up to so many.
    UpTo(u64),
}

impl Reading {
    /// How many people may be shown within the day as it stands.
    pub fn allowance(&self) -> u64 {
        self.limit.saturating_mul(self.agreed.saturating_add(1))
    }

    /// What the next agreement raises it to.
    pub fn next(&self) -> u64 {
        self.allowance().saturating_add(self.limit)
    }

    /// Whether so many people more may be shown, of whom none counts yet. A page with nobody new always may.
    pub fn of(&self, more: u64) -> Verdict {
        if more == 0 || self.shown.saturating_add(more) <= self.allowance() {
            Verdict::Shown
        } else {
            Verdict::UpTo(self.next())
        }
    }

    /// How many of those who count now have to count no longer before so many more may be shown: a program
    /// has no key, and waits.
    pub fn too_many(&self, more: u64) -> u64 {
        self.shown.saturating_add(more).saturating_sub(self.allowance()).min(self.shown)
    }
}

/// What somebody agrees to by touching their key: to be shown so many people within the day, in all. A proof
/// fits one step only, and none that another window has taken meanwhile.
pub fn read_on(people: u64) -> Protected {
    Protected::new(Action::ReadOn).with("people", people)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_day_s_work_is_shown_and_the_rest_is_asked_for() {
        let reading = |agreed, shown| Reading { limit: 2_000, agreed, shown };
        assert_eq!(reading(0, 0).of(200), Verdict::Shown);
        assert_eq!(reading(0, 1_800).of(200), Verdict::Shown);
        assert_eq!(reading(0, 1_801).of(200), Verdict::UpTo(4_000));
        assert_eq!(reading(1, 1_801).of(200), Verdict::Shown);
        assert_eq!(reading(1, 4_000).of(1), Verdict::UpTo(6_000));
        // Whom somebody saw before they see again, also when agreements are over.
        assert_eq!(reading(0, 9_000).of(0), Verdict::Shown);
        assert_eq!((reading(0, 1_801).too_many(200), reading(0, 10).too_many(3_000)), (1, 10));
    }

    proptest! {
        /// Whatever is asked for in whatever pieces: nobody is shown more than the allowance, and whoever
        /// agrees often enough is shown everything.
        #[test]
        fn no_way_of_slicing_gets_beyond(
            limit in 1u64..5_000,
            pages in prop::collection::vec(0u64..400, 0..60),
            agrees in any::<bool>(),
        ) {
            let mut reading = Reading { limit, agreed: 0, shown: 0 };
            for more in pages {
                let mut verdict = reading.of(more);
                while let (Verdict::UpTo(people), true) = (verdict, agrees) {
                    prop_assert_eq!(people, reading.allowance() + limit);
                    reading.agreed += 1;
                    prop_assert_eq!(people, reading.allowance());
                    verdict = reading.of(more);
                }
                match verdict {
                    Verdict::Shown => reading.shown += more,
                    Verdict::UpTo(_) => prop_assert!(more > 0 && reading.too_many(more) > 0 || reading.shown == 0),
                }
                prop_assert!(reading.shown <= reading.allowance());
            }
            prop_assert!(agrees || reading.shown <= limit);
        }

        #[test]
        fn nothing_overflows(limit: u64, agreed: u64, shown: u64, more: u64) {
            let reading = Reading { limit, agreed, shown };
            prop_assert!(reading.next() >= reading.allowance());
            prop_assert!(reading.too_many(more) <= shown);
            let _ = reading.of(more);
        }
    }
}
