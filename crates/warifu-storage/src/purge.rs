//! Deleting what no decision needs any more, a small batch at a time: each is a short transaction, so
//! that nobody waits for it.

use crate::{Conn, StorageError};
use warifu_domain::Timestamp;
use warifu_domain::time::DAY;

/// Rows of one batch.
pub const BATCH: u64 = 500;

/// What is deleted. The order counts: what hangs on a session goes before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stale {
    Ceremonies,
    StepUps,
    DeviceChallenges,
    SpentTokens,
    UsedProofs,
    ServiceTokens,
    Tallies,
    /// Who was shown whose records, a day after it counts no longer: clocks of nodes differ.
    PeopleShown,
    ReadingAgreed,
    /// Invitations; whether somebody ever had a factor stands with the factors.
    Enrolments,
    Reminders,
    ApplicationCodes,
    /// What was open in applications, when nobody is to be told any more that it ended.
    ApplicationSessions,
    Devices,
    /// Sessions, but not the last of a person in a network: that they were there before lets them in when
    /// others try their password.
    Sessions,
}

impl Stale {
    pub const ALL: [Stale; 15] = [
        Stale::Ceremonies,
        Stale::StepUps,
        Stale::DeviceChallenges,
        Stale::SpentTokens,
        Stale::UsedProofs,
        Stale::ServiceTokens,
        Stale::Tallies,
        Stale::PeopleShown,
        Stale::ReadingAgreed,
        Stale::Enrolments,
        Stale::Reminders,
        Stale::ApplicationCodes,
        Stale::ApplicationSessions,
        Stale::Devices,
        Stale::Sessions,
    ];

    /// Whether it is good for minutes, not days.
    pub fn is_short(self) -> bool {
        use Stale::*;
        match self {
            Ceremonies | StepUps | DeviceChallenges | SpentTokens | UsedProofs | ServiceTokens
            | Tallies | PeopleShown | ReadingAgreed => true,
            Enrolments | Reminders | ApplicationCodes | ApplicationSessions | Devices
            | Sessions => false,
        }
    }
}

/// `expired!(conn, "table", "key", "end", before)`: rows that ended before a time.
macro_rules! expired {
    ($c:expr, $table:literal, $key:literal, $end:literal, $before:expr) => {
        execute!(
            $c,
            concat!(
                "DELETE FROM ",
                $table,
                " WHERE ",
                $key,
                " IN (SELECT ",
                $key,
                " FROM ",
                $table,
                " WHERE ",
                $end,
                " < $1 ORDER BY ",
                $end,
                " LIMIT 500)"
            ),
            $before
        )
    };
}

/// Deletes at most [`BATCH`] rows that ended before a time, and gives how many. One that ended earlier than
/// it would have by itself waits until then.
///
/// # Errors
/// As every query.
pub async fn batch(c: &mut Conn<'_>, what: Stale, before: Timestamp) -> Result<u64, StorageError> {
    let t = before.0;
    match what {
        Stale::Ceremonies => expired!(c, "ceremonies", "token_hash", "expires_at", t),
        Stale::StepUps => expired!(c, "step_ups", "token_hash", "expires_at", t),
        Stale::DeviceChallenges => {
            expired!(c, "device_challenges", "token_hash", "expires_at", t)
        }
        Stale::SpentTokens => expired!(c, "spent_tokens", "token_hash", "expires_at", t),
        Stale::UsedProofs => expired!(c, "used_proofs", "proof", "expires_at", t),
        Stale::ServiceTokens => expired!(c, "service_tokens", "token_hash", "expires_at", t),
        Stale::Tallies => expired!(c, "tallies", "code_hash", "expires_at", t),
        Stale::PeopleShown => execute!(
            c,
            "DELETE FROM people_shown WHERE (actor_id, person_id) IN (SELECT actor_id, person_id \
             FROM people_shown WHERE shown_at < $1 ORDER BY shown_at LIMIT 500)",
            t - DAY
        ),
        Stale::ReadingAgreed => {
            execute!(c, "DELETE FROM reading_agreed WHERE agreed_at < $1", t - DAY)
        }
        Stale::Enrolments => expired!(c, "enrolments", "token_hash", "expires_at", t),
        Stale::Reminders => execute!(c, "DELETE FROM reminders WHERE ends_at < $1", t),
        Stale::ApplicationCodes => expired!(c, "application_codes", "code_hash", "expires_at", t),
        Stale::ApplicationSessions => execute!(
            c,
            "DELETE FROM application_sessions WHERE sid IN (SELECT x.sid FROM application_sessions x \
             JOIN sessions s ON s.token_hash = x.session JOIN applications a ON a.id = x.application_id \
             WHERE s.ends_at < $1 AND (x.tell_at IS NULL OR a.backchannel_uri = '') LIMIT 500)",
            t
        ),
        Stale::Devices => execute!(
            c,
            "DELETE FROM devices WHERE id IN (SELECT d.id FROM devices d \
             JOIN sessions s ON s.device = d.id WHERE s.ends_at < $1 LIMIT 500)",
            t
        ),
        Stale::Sessions => execute!(
            c,
            "DELETE FROM sessions WHERE token_hash IN (SELECT s.token_hash FROM sessions s WHERE s.ends_at < $1 \
             AND EXISTS (SELECT 1 FROM sessions n WHERE n.person_id = s.person_id AND n.network = s.network \
             AND (n.created_at > s.created_at OR n.created_at = s.created_at AND n.token_hash > s.token_hash)) \
             AND NOT EXISTS (SELECT 1 FROM application_sessions x WHERE x.session = s.token_hash) LIMIT 500)",
            t
        ),
    }
}
