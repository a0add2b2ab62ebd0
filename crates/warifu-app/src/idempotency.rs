//! Keys that make a creating request happen once.

use crate::cases::digest;
use crate::{App, AppError};
use warifu_domain::access::Actor;
use warifu_domain::refusal;
use warifu_domain::time::DAY;
use warifu_storage::idempotency;

/// What a key says about a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// It is new, and taken now.
    Free,
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
        let kept =
            idempotency::take(&mut tx.conn(), actor.person, key, &request, now, now.plus(-DAY))
                .await?;
        tx.commit().await?;
        match kept {
            None => Ok(Key::Free),
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
        answer: &str,
    ) -> Result<(), AppError> {
        let mut tx = self.db.begin_plain().await?;
        idempotency::keep(&mut tx.conn(), actor.person, key, 201, answer).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Gives a key back after its request failed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn release_key(&self, actor: &Actor, key: &str) -> Result<(), AppError> {
        let mut tx = self.db.begin_plain().await?;
        idempotency::release(&mut tx.conn(), actor.person, key).await?;
        tx.commit().await?;
        Ok(())
    }
}
