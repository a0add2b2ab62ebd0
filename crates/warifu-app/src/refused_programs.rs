//! Refusals of programs, counted by account and network: the first of an hour are told one by one, the
//! others as a number. A flood fills neither the ledger nor anybody's mailbox, and as what holds is asked
//! first, it keeps no program out.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use warifu_domain::Timestamp;
use warifu_domain::time::HOUR;

/// Told one by one in an hour: of one account from one network, and of one account in all.
const SINGLY: u32 = 30;
const SINGLY_IN_ALL: u32 = 120;
/// Pairs of account and network that are remembered; beyond, they are counted by account only.
const REMEMBERED: usize = 10_000;

/// What is done about a refusal.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// It gets its own entry.
    pub entry: bool,
    /// Whoever owns the account is told: once in the hour for each network.
    pub notice: bool,
}

/// Refusals that were only counted, whose hour is over.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Counted {
    pub account: Option<i64>,
    pub network: String,
    pub more: u64,
}

struct Hour {
    since: Timestamp,
    told: u32,
    more: u64,
    notice: bool,
}

impl Hour {
    fn new(now: Timestamp) -> Hour {
        Hour { since: now, told: 0, more: 0, notice: false }
    }

    fn is_over(&self, now: Timestamp) -> bool {
        // A clock that was set back begins anew.
        !(0..HOUR).contains(&now.0.saturating_sub(self.since.0))
    }
}

/// By account, `None` for all that name none, and network.
type Hours = HashMap<(Option<i64>, String), Hour>;

/// In memory: each node tells its own.
#[derive(Default)]
pub(crate) struct RefusedPrograms {
    hours: Mutex<Hours>,
    in_all: Mutex<HashMap<Option<i64>, Hour>>,
    /// What was counted in hours that are over, until it is written down.
    over: Mutex<Vec<Counted>>,
}

impl RefusedPrograms {
    /// `alarm`: it takes a key or a token that is right to come so far. The first of an hour is told whatever
    /// was refused before, so that strangers who know no key can drown none.
    pub(crate) fn tell(
        &self,
        account: Option<i64>,
        network: &str,
        alarm: bool,
        now: Timestamp,
    ) -> Told {
        let mut hours = self.hours.lock().unwrap_or_else(PoisonError::into_inner);
        let mut key = (account, network.to_owned());
        if hours.len() >= REMEMBERED && !hours.contains_key(&key) {
            hours.retain(|_, hour| !hour.is_over(now) || hour.more > 0);
            if hours.len() >= REMEMBERED {
                key.1.clear();
            }
        }
        let counted = |more| Counted { account, network: key.1.clone(), more };
        if let Some(hour) = hours.get_mut(&key).filter(|hour| hour.is_over(now)) {
            let more = std::mem::replace(hour, Hour::new(now)).more;
            if more > 0 {
                self.put_back([counted(more)]);
            }
        }
        let hour = hours.entry(key).or_insert_with(|| Hour::new(now));
        let mut in_all = self.in_all.lock().unwrap_or_else(PoisonError::into_inner);
        let all = in_all.entry(account).or_insert_with(|| Hour::new(now));
        if all.is_over(now) {
            *all = Hour::new(now);
        }
        let notice = alarm && !hour.notice;
        if !notice && (hour.told >= SINGLY || all.told >= SINGLY_IN_ALL) {
            hour.more += 1;
            return Told { entry: false, notice };
        }
        (hour.told, all.told) = (hour.told + 1, all.told + 1);
        hour.notice |= alarm;
        Told { entry: true, notice }
    }

    /// Keeps what could not be written down yet.
    pub(crate) fn put_back(&self, counted: impl IntoIterator<Item = Counted>) {
        self.over.lock().unwrap_or_else(PoisonError::into_inner).extend(counted);
    }

    /// Takes out what was counted in hours that are over, and forgets those.
    pub(crate) fn over(&self, now: Timestamp) -> Vec<Counted> {
        let mut hours = self.hours.lock().unwrap_or_else(PoisonError::into_inner);
        let mut over =
            std::mem::take(&mut *self.over.lock().unwrap_or_else(PoisonError::into_inner));
        hours.retain(|(account, network), hour| {
            let ended = hour.is_over(now);
            if ended && hour.more > 0 {
                let (account, network) = (*account, network.clone());
                over.push(Counted { account, network, more: hour.more });
            }
            !ended
        });
        let mut in_all = self.in_all.lock().unwrap_or_else(PoisonError::into_inner);
        in_all.retain(|_, hour| !hour.is_over(now));
        over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_700_000_000_000_000);

    #[test]
    fn a_flood_is_told_and_then_counted() {
        let refused = RefusedPrograms::default();
        let tell = |account, network: &str, now| refused.tell(Some(account), network, true, now);
        let told: Vec<Told> = (0..300).map(|_| tell(1, "a", NOW)).collect();
        assert_eq!(told.iter().filter(|t| t.entry).count(), SINGLY as usize);
        assert_eq!(told.iter().filter(|t| t.notice).count(), 1);
        assert!(tell(2, "a", NOW).notice && tell(1, "b", NOW).notice, "others are told");
        assert_eq!(refused.over(NOW), []);
        let later = NOW.plus(HOUR);
        assert_eq!(tell(1, "a", later), Told { entry: true, notice: true });
        for _ in 0..SINGLY {
            tell(1, "a", later);
        }
        let counted = |more| Counted { account: Some(1), network: "a".into(), more };
        let before = refused.over(later);
        assert_eq!(before, [counted(270)]);
        // Where it could not be written down, it is there the next time.
        refused.put_back(before);
        assert_eq!(refused.over(later.plus(HOUR)), [counted(270), counted(1)]);
        assert_eq!(refused.over(later.plus(HOUR)), []);
    }

    #[test]
    fn who_knows_no_key_drowns_no_alarm() {
        let refused = RefusedPrograms::default();
        for n in 0..1_000 {
            refused.tell(Some(1), &(n % 8).to_string(), false, NOW);
        }
        for network in ["0", "elsewhere"] {
            let told = refused.tell(Some(1), network, true, NOW);
            assert_eq!(told, Told { entry: true, notice: true }, "{network}");
            assert!(!refused.tell(Some(1), network, true, NOW).notice, "once an hour");
        }
    }

    #[test]
    fn a_flood_from_everywhere_is_bounded_too() {
        let refused = RefusedPrograms::default();
        let tell = |n: usize| refused.tell(None, &n.to_string(), false, NOW);
        let told = (0..2 * REMEMBERED).filter(|n| tell(*n).entry).count();
        assert_eq!(told, SINGLY_IN_ALL as usize);
        assert!(refused.hours.lock().unwrap().len() <= REMEMBERED + 1);
    }
}
