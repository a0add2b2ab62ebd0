//! Telling clients that a session has ended (OpenID Connect Back-Channel Logout 1.0). The table of what is
//! open is the queue: nothing has to be done where a session ends, so no way of ending one is forgotten.

use crate::policies::Judging;
use crate::{App, AppError};
use serde_json::json;
use warifu_auth::{SessionPolicy, Token, Verdict};
use warifu_domain::time::{HOUR, MINUTE, SECOND};
use warifu_storage::application_sessions;

/// How often it is tried before it is given up: for about half a day.
const TRIES: i64 = 20;

/// What one client is to be told.
#[derive(Debug)]
pub struct Telling {
    pub sid: String,
    /// The registered address, and no other.
    pub to: String,
    pub logout_token: String,
}

/// 5 s after the first try, then twice as long each time, at most an hour.
fn pause(tries: i64) -> i64 {
    (5 * SECOND).saturating_mul(1 << tries.clamp(0, 10)).min(HOUR)
}

impl App {
    /// What is to be told now; whoever gets it has it to themselves until the next try.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tellings(
        &self,
        issuer: &str,
        policy: &SessionPolicy,
    ) -> Result<Vec<Telling>, AppError> {
        let now = self.now();
        let idle_since = now.plus(-policy.idle);
        let mut reader = self.db.read().await?;
        let due = application_sessions::ended(&mut reader.conn(), now, idle_since).await?;
        drop(reader);
        let mut tellings = Vec::new();
        for due in due {
            if due.idle && self.still_holds(&due.token_hash, policy).await? {
                let mut tx = self.db.begin_plain().await?;
                application_sessions::postpone(&mut tx.conn(), &due.sid, now.plus(MINUTE)).await?;
                // When to tell whom is not what a request is judged by; here and below.
                let _ = tx.commit_at_once().await?;
                continue;
            }
            let last = due.tries + 1 >= TRIES;
            let next = (!last).then(|| now.plus(pause(due.tries)));
            let mut tx = self.db.begin_plain().await?;
            let mine =
                application_sessions::claim(&mut tx.conn(), &due.sid, due.tell_at, next).await?;
            let _ = tx.commit_at_once().await?;
            if !mine {
                continue;
            }
            if last {
                tracing::error!(to = %due.uri, "a client was not told that a session ended; it is given up");
            }
            let claims = json!({
                "iss": issuer, "sub": due.person.to_string(), "aud": due.client_id,
                "iat": now.0 / SECOND, "exp": now.plus(2 * MINUTE).0 / SECOND,
                "jti": Token::from_random(self.random_bytes()).text(), "sid": due.sid,
                "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
            });
            let logout_token = self.token_keys().await?.signing().sign("logout+jwt", &claims);
            tellings.push(Telling { sid: due.sid, to: due.uri, logout_token });
        }
        Ok(tellings)
    }

    /// Whether a session that was not used for a while still holds: its owner's policy may allow more.
    async fn still_holds(
        &self,
        token_hash: &[u8],
        policy: &SessionPolicy,
    ) -> Result<bool, AppError> {
        let Ok(token_hash) = token_hash.try_into() else { return Ok(false) };
        let found = application_sessions::standing(&self.db, token_hash).await?;
        let Some(standing) = found else { return Ok(false) };
        let (policies, network) = (self.policies().await?, &standing.network);
        let judging = Judging { policies: &policies, now: self.now(), network, base: policy };
        let judged = self.standing_judged(&standing, &judging).await?;
        Ok(matches!(judged.verdict, Verdict::Open { .. }))
    }

    /// A client has taken it.
    ///
    /// # Errors
    /// When the database fails: it is told once more then.
    pub async fn told(&self, sid: &str) -> Result<(), AppError> {
        let mut tx = self.db.begin_plain().await?;
        application_sessions::told(&mut tx.conn(), sid).await?;
        let _ = tx.commit_at_once().await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_go_on_for_hours_and_not_for_ever() {
        assert_eq!((pause(0), pause(1), pause(40)), (5 * SECOND, 10 * SECOND, HOUR));
        let whole: i64 = (0..TRIES).map(pause).sum();
        assert!(whole > 10 * HOUR && whole < 24 * HOUR, "{whole}");
    }
}
