//! Keys that make a creating request happen once.

use crate::cases::digest;
use crate::{App, AppError};
use warifu_domain::access::Actor;
use warifu_domain::time::{DAY, MINUTE};
use warifu_domain::{Timestamp, refusal};
use warifu_storage::idempotency;

/// How long a key is held by a request that gives no sign: it was cancelled, or its process died.
/// Longer than any request that carries a key may take, so that it never runs twice at once. What
/// was committed just before a process died is not seen: look before trying again after a fall.
pub const LEASE: i64 = 2 * MINUTE;

/// What a key says about a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// It is new, and taken at this time.
    Free(Timestamp),
    /// The request was done before; this was its answer.
    Answered(String),
}

impl App {
    /// Takes a key of an actor for a request, for 24 hours.
    ///
    /// # Errors
    /// [`AppError::Invalid`] when it came with another request before; [`AppError::Conflict`] while
    /// the first request is being worked on.
    pub async fn take_key(
        &self,
        actor: &Actor,
        key: &str,
        request: &[u8],
    ) -> Result<Key, AppError> {
        let request = digest(request).0;
        let now = self.now();
        let mut tx = self.db.begin_plain().await?;
        let kept = idempotency::take(
            &mut tx.conn(),
            actor.person,
            key,
            &request,
            now,
            now.plus(-DAY),
            now.plus(-LEASE),
        )
        .await?;
        tx.commit().await?;
        match kept {
            None => Ok(Key::Free(now)),
            Some(kept) if kept.request != request => Err(AppError::invalid(
                "Idempotency-Key",
                refusal!("key-other", "this key came with another request before; take a new one"),
            )),
            Some(kept) if kept.status == 0 => Err(AppError::Conflict(refusal!(
                "key-running",
                "the first request with this key is not done yet"
            ))),
            Some(kept) => Ok(Key::Answered(kept.answer)),
        }
    }

    /// Keeps the answer to the request that took a key.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keep_answer(
        &self,
        actor: &Actor,
        key: &str,
        taken: Timestamp,
        answer: &str,
    ) -> Result<(), AppError> {
        let mut tx = self.db.begin_plain().await?;
        idempotency::keep(&mut tx.conn(), actor.person, key, taken, 201, answer).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Gives a key back after its request failed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn release_key(
        &self,
        actor: &Actor,
        key: &str,
        taken: Timestamp,
    ) -> Result<(), AppError> {
        let mut tx = self.db.begin_plain().await?;
        idempotency::release(&mut tx.conn(), actor.person, key, taken).await?;
        tx.commit().await?;
        Ok(())
    }
}
