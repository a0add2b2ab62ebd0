//! Remembers which session was recorded as having opened which case, or as having been shown it in
//! a list, so that the ledger has one entry per session, case and hour and not one per reload.

use std::collections::HashMap;
use std::sync::Mutex;
use warifu_domain::access::Actor;
use warifu_domain::time::HOUR;
use warifu_domain::{CaseId, PersonId, Timestamp};

/// Pairs kept at most (about 1 MB). When it is full, everything is forgotten: the ledger then has
/// an entry too many, never one too few.
const CAPACITY: usize = 10_000;

/// Who was recorded, by session (or by person for programs and on the command line) and case.
type Key = (Option<[u8; 32]>, PersonId, CaseId);

/// A program has a new session with each token, and may have one for each request: it counts as a whole.
fn key(actor: &Actor, case: CaseId) -> Key {
    (actor.session.filter(|_| !actor.roles.is_service()), actor.person, case)
}

/// The memory of one process. Another node has its own, and records once more.
#[derive(Default)]
pub struct Reads {
    seen: Mutex<HashMap<Key, Timestamp>>,
}

impl Reads {
    /// Whether an entry must be written now.
    pub fn is_due(&self, actor: &Actor, case: CaseId, now: Timestamp) -> bool {
        let key = key(actor, case);
        let seen = self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        seen.get(&key).is_none_or(|at| at.plus(HOUR) <= now)
    }

    /// Remembers an entry that is durable.
    pub fn recorded(&self, actor: &Actor, case: CaseId, now: Timestamp) {
        let mut seen = self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if seen.len() >= CAPACITY {
            seen.retain(|_, at| at.plus(HOUR) > now);
        }
        if seen.len() >= CAPACITY {
            seen.clear();
        }
        seen.insert(key(actor, case), now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use warifu_domain::OrganizationId;
    use warifu_domain::access::{Permission, Roles};

    #[test]
    fn is_due_once_an_hour_and_stays_bounded() {
        let actor = Actor {
            person: PersonId(1),
            name: String::new(),
            organization: OrganizationId(1),
            roles: Roles::default(),
            session: Some([1; 32]),
            network: String::new(),
        };
        let other = Actor { session: Some([2; 32]), ..actor.clone() };
        let reads = Reads::default();
        let t = Timestamp(0);
        assert!(reads.is_due(&actor, CaseId(1), t));
        reads.recorded(&actor, CaseId(1), t);
        assert!(!reads.is_due(&actor, CaseId(1), t.plus(HOUR - 1)));
        assert!(reads.is_due(&actor, CaseId(1), t.plus(HOUR)));
        assert!(reads.is_due(&actor, CaseId(2), t) && reads.is_due(&other, CaseId(1), t));
        // A program's next token is no other reader.
        let roles = Roles::of_service([Permission::WorkCases]);
        let person = PersonId(2);
        let program = |n| Actor { person, session: Some([n; 32]), roles, ..actor.clone() };
        reads.recorded(&program(3), CaseId(1), t);
        assert!(!reads.is_due(&program(4), CaseId(1), t));
        for id in 0..3 * CAPACITY as i64 {
            reads.recorded(&actor, CaseId(id), t);
        }
        let kept = reads.seen.lock().map(|s| s.len()).unwrap_or_default();
        assert!(kept <= CAPACITY, "{kept}");
    }
}
