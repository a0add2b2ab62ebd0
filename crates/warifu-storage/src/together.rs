//! On PostgreSQL the checks of requests that come at the same time are one statement (decision 0025).
//!
//! The way to the database and back costs far more than the row. Whoever asks while a statement is on its
//! way waits for it to come back, and goes with the next one, together with all that came meanwhile: the
//! busier the server, the less each costs. A statement begins after all whom it answers have asked, so each
//! sees what was committed before it came, as if it had asked alone. Who gets no answer (it failed, it took
//! too long) asks alone, and waits or fails alone.

use crate::StorageError;
use crate::quick::{STATEMENTS, Statement};
use sqlx::Row as _;
use sqlx::postgres::{PgPool, PgRow};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::oneshot;

/// How long one statement may take.
const ONE: Duration = Duration::from_millis(250);
/// How long somebody waits for an answer before they ask alone: for the statement that is on its way, and for
/// the one that they go with.
const PATIENCE: Duration = Duration::from_millis(550);
/// How many one statement is about, at most.
pub(crate) const MOST: usize = 512;

type Answer = Option<Arc<PgRow>>;

struct Waiting {
    key: Vec<u8>,
    tell: oneshot::Sender<Answer>,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<Waiting>,
    /// Alive while somebody asks for those who wait; gone with them, however they end.
    asking: Weak<()>,
}

/// Those who wait, by what they ask.
#[derive(Default)]
pub struct Together {
    queues: [Mutex<Queue>; STATEMENTS],
}

impl Together {
    fn queue(&self, statement: &Statement) -> MutexGuard<'_, Queue> {
        self.queues[statement.queue].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The row of a key, which may be none; `None` where one has to ask alone.
    pub(crate) async fn row(
        self: &Arc<Self>,
        pool: &PgPool,
        statement: &'static Statement,
        key: &[u8],
    ) -> Option<Answer> {
        let (tell, told) = oneshot::channel();
        let turn = {
            let mut queue = self.queue(statement);
            queue.waiting.push(Waiting { key: key.to_vec(), tell });
            (queue.asking.strong_count() == 0).then(|| {
                let turn = Arc::new(());
                queue.asking = Arc::downgrade(&turn);
                turn
            })
        };
        if let Some(turn) = turn {
            // A task of its own: whoever began it may hang up before it has answered the others.
            tokio::spawn(self.clone().ask(pool.clone(), statement, turn));
        }
        tokio::time::timeout(PATIENCE, told).await.ok()?.ok()
    }

    /// Asks until nobody waits.
    async fn ask(self: Arc<Self>, pool: PgPool, statement: &'static Statement, turn: Arc<()>) {
        loop {
            let waiting: Vec<Waiting> = {
                let mut queue = self.queue(statement);
                // Whoever gave up or hung up is asked for no more.
                queue.waiting.retain(|w| !w.tell.is_closed());
                if queue.waiting.is_empty() {
                    // Within the lock: whoever comes next finds that nobody asks.
                    drop(turn);
                    return;
                }
                let most = queue.waiting.len().min(MOST);
                queue.waiting.drain(..most).collect()
            };
            match tokio::time::timeout(ONE, rows(&pool, statement, &waiting)).await {
                Ok(Ok(rows)) => {
                    for Waiting { key, tell } in waiting {
                        // Whoever is gone needs no answer.
                        let _ = tell.send(rows.get(&key).cloned());
                    }
                }
                Ok(Err(error)) => tracing::debug!(%error, "they ask again, each alone"),
                Err(_) => tracing::debug!("no answer in time: they ask again, each alone"),
            }
        }
    }
}

/// The rows of all who wait, by their keys.
async fn rows(
    pool: &PgPool,
    statement: &'static Statement,
    waiting: &[Waiting],
) -> Result<HashMap<Vec<u8>, Arc<PgRow>>, StorageError> {
    let mut keys: Vec<&[u8]> = waiting.iter().map(|w| w.key.as_slice()).collect();
    keys.sort_unstable();
    keys.dedup();
    let rows = sqlx::query(statement.many).bind(keys).fetch_all(pool).await?;
    let by_key = |row: PgRow| Ok((row.try_get(0)?, Arc::new(row)));
    rows.into_iter().map(by_key).collect()
}
