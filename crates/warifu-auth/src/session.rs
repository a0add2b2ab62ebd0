//! Whether a session still holds: plain arithmetic on the server's clock.

use crate::network::same_network;
use warifu_domain::Timestamp;
use warifu_domain::time::{HOUR, MINUTE, SECOND};

/// Name of the session's cookie. `__Host-`: secure, of this host alone, for every path.
pub const SESSION_COOKIE: &str = "__Host-warifu";

/// Limits of a session, in microseconds. The defaults are those of NIST SP 800-63B-4 §2.3.3 for
/// the highest level: 12 h at most (SHALL), 15 min without use (SHOULD).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionPolicy {
    pub lifetime: i64,
    pub idle: i64,
    /// The time of last use is written at most this often.
    pub touch_every: i64,
    /// Whether a session holds only in the network in which it was opened.
    pub bind_network: bool,
    /// Life of the short cookie of a session that is bound to a device: as long is a copy of it good
    /// for.
    pub device_cookie: i64,
    /// What was sent before the binding, or before the cookie's rotation, may still arrive for so long.
    pub device_settle: i64,
    /// A key can be bound to a session only so soon after sign-in.
    pub device_register: i64,
}

impl Default for SessionPolicy {
    fn default() -> Self {
        SessionPolicy {
            lifetime: 12 * HOUR,
            idle: 15 * MINUTE,
            touch_every: 15 * SECOND,
            bind_network: true,
            device_cookie: 10 * MINUTE,
            device_settle: 30 * SECOND,
            device_register: 5 * MINUTE,
        }
    }
}

/// What is known about a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionTimes<'a> {
    pub created_at: Timestamp,
    pub used_at: Timestamp,
    pub ends_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    /// The network in which it was opened.
    pub network: &'a str,
}

/// Whether a session holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It holds; both times are in microseconds and positive.
    Open { left: i64, idle_left: i64 },
    /// Signed out or revoked.
    Ended,
    /// Its lifetime is over.
    Over,
    /// It was not used for too long.
    Idle,
    /// It is used from another network.
    Moved,
    /// What opened it is not enough for its owner any more. [`judge`] does not know what is.
    TooWeak,
    /// It is bound to a device, and the request does not show that it comes from there. The session
    /// itself goes on.
    OtherDevice,
}

/// Clocks of several nodes may differ by this much.
pub(crate) const SKEW: i64 = 2 * MINUTE;

/// Judges a session that is used now from a network.
///
/// A clock that was set back revives nothing: a session that was opened or used in the future is
/// refused, because how long it has been idle is then unknown.
pub fn judge(
    session: &SessionTimes<'_>,
    network: &str,
    now: Timestamp,
    policy: &SessionPolicy,
) -> Verdict {
    if session.ended_at.is_some() {
        return Verdict::Ended;
    }
    let future = now.plus(SKEW);
    if session.created_at > future || session.used_at > future {
        return Verdict::Ended;
    }
    // The policy may have become stricter since the session was opened.
    let end = session.ends_at.min(session.created_at.plus(policy.lifetime));
    if now >= end {
        return Verdict::Over;
    }
    let idle = now.0.saturating_sub(session.used_at.0).max(0);
    if idle > policy.idle {
        return Verdict::Idle;
    }
    if policy.bind_network && !same_network(session.network, network) {
        return Verdict::Moved;
    }
    Verdict::Open { left: end.0 - now.0, idle_left: (policy.idle - idle).max(1) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const START: Timestamp = Timestamp(1_700_000_000_000_000);

    fn session() -> SessionTimes<'static> {
        SessionTimes {
            created_at: START,
            used_at: START,
            ends_at: START.plus(12 * HOUR),
            ended_at: None,
            network: "192.0.2.0/24",
        }
    }

    fn at(session: &SessionTimes<'_>, after: i64) -> Verdict {
        judge(session, "192.0.2.0/24", START.plus(after), &SessionPolicy::default())
    }

    #[test]
    fn idle_ends_after_fifteen_minutes() {
        assert!(matches!(at(&session(), 15 * MINUTE), Verdict::Open { idle_left: 1, .. }));
        assert_eq!(at(&session(), 15 * MINUTE + 1), Verdict::Idle);
        assert_eq!(at(&session(), 15 * MINUTE + SECOND), Verdict::Idle);
    }

    #[test]
    fn use_does_not_outlive_the_lifetime() {
        let used = SessionTimes { used_at: START.plus(12 * HOUR - SECOND), ..session() };
        assert!(matches!(at(&used, 12 * HOUR - 1), Verdict::Open { left: 1, .. }));
        assert_eq!(at(&used, 12 * HOUR), Verdict::Over);
        let stretched = SessionTimes { ends_at: START.plus(48 * HOUR), ..used };
        assert_eq!(at(&stretched, 12 * HOUR), Verdict::Over, "a row cannot outlive the policy");
    }

    #[test]
    fn another_network_is_refused_unless_the_policy_says_so() {
        let policy = SessionPolicy::default();
        assert_eq!(judge(&session(), "198.51.100.0/24", START, &policy), Verdict::Moved);
        let free = SessionPolicy { bind_network: false, ..policy };
        assert!(matches!(judge(&session(), "198.51.100.0/24", START, &free), Verdict::Open { .. }));
    }

    #[test]
    fn a_clock_set_back_revives_nothing() {
        assert_eq!(at(&session(), -HOUR), Verdict::Ended);
        let ended = SessionTimes { ended_at: Some(START), ..session() };
        assert_eq!(at(&ended, -MINUTE), Verdict::Ended);
    }

    proptest! {
        #[test]
        fn what_has_ended_never_opens_again(created in 0i64..DAYS, used in 0i64..DAYS, ends in 0i64..DAYS, now in 0i64..DAYS, later in 0i64..DAYS) {
            let s = SessionTimes { created_at: Timestamp(created), used_at: Timestamp(used), ends_at: Timestamp(ends), ended_at: None, network: "n" };
            let policy = SessionPolicy::default();
            let first = judge(&s, "n", Timestamp(now), &policy);
            let then = judge(&s, "n", Timestamp(now + later), &policy);
            if matches!(first, Verdict::Over | Verdict::Idle) {
                prop_assert!(!matches!(then, Verdict::Open { .. }), "{:?} then {:?}", first, then);
            }
            if let Verdict::Open { left, idle_left } = first {
                prop_assert!(left > 0 && left <= policy.lifetime + SKEW && idle_left > 0 && idle_left <= policy.idle);
            }
        }
    }

    const DAYS: i64 = 48 * HOUR;
}
