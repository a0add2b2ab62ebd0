//! How many people's records one person, or one program, is shown within a day: by pages, lists, searches and
//! the API together, on all nodes. The rule is [`warifu_domain::reading`].

use crate::notices::notify;
use crate::step_up::spend;
use crate::{App, AppError, Change};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use warifu_domain::access::Actor;
use warifu_domain::notices::NoticeKind;
use warifu_domain::reading::{Reading, Verdict, WINDOW, read_on};
use warifu_domain::time::{HOUR, SECOND};
use warifu_domain::{PersonId, Timestamp, refusal};
use warifu_ledger::Count;
use warifu_ledger::body::{ProtectedAction, ReadingStopped};
use warifu_storage::{Conn, reading, services};

/// People of a day who are shown without the key.
pub const PEOPLE: u64 = 2_000;

/// Who was told of that they were stopped: by session (a program by its account) and allowance.
type Key = (Option<[u8; 32]>, PersonId, u64);

/// Whoever loads a page that is not shown again and again fills no ledger: one entry an hour. In memory;
/// another node tells once more.
#[derive(Default)]
pub(crate) struct Stopped {
    told: Mutex<HashMap<Key, Timestamp>>,
}

impl Stopped {
    /// Remembered at most; when it is full, everything is forgotten: an entry too many, never one too few.
    const CAPACITY: usize = 10_000;

    fn key(actor: &Actor, allowance: u64) -> Key {
        (actor.session.filter(|_| !actor.roles.is_service()), actor.person, allowance)
    }

    /// Whether it is to be told now; whoever asks next within the hour is told no.
    fn take(&self, key: Key, now: Timestamp) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that was set back begins anew.
        let over = |at: &Timestamp| !(0..HOUR).contains(&now.0.saturating_sub(at.0));
        if told.get(&key).is_some_and(|at| !over(at)) {
            return false;
        }
        if told.len() >= Self::CAPACITY {
            told.clear();
        }
        told.insert(key, now);
        true
    }

    /// It could not be written down: the next one is told.
    fn put_back(&self, key: &Key) {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

impl App {
    /// Counts whose records are about to be shown, in the transaction that lets them leave: it is under the
    /// lock, so each counts what came before it, and what was not committed did not leave.
    ///
    /// # Errors
    /// [`AppError::ReadOn`], to a program [`AppError::ReadLater`], when they are too many; the ledger has its
    /// entry then, and nothing else of the change has happened.
    pub(crate) async fn show_people<'a>(
        &'a self,
        mut change: Change<'a>,
        actor: &Actor,
        route: &str,
        people: &[PersonId],
    ) -> Result<Change<'a>, AppError> {
        let mut people = people.to_vec();
        people.sort_unstable();
        people.dedup();
        // On the command line there is no thief who is not the machine's owner already.
        if people.is_empty() || actor.session.is_none() {
            return Ok(change);
        }
        let at = change.at();
        let more = reading::count(&mut change.conn(), actor.person, &people, at).await?;
        if more == 0 {
            return Ok(change);
        }
        let mut now = self.reading(&mut change.conn(), actor.person, at).await?;
        now.shown = now.shown.saturating_sub(more);
        let Verdict::UpTo(next) = now.of(more) else { return Ok(change) };
        // Whoever is not shown does not count.
        drop(change);
        let seconds = self.stop(actor, route, &now, more).await?;
        Err(match actor.roles.is_service() {
            true => AppError::ReadLater { seconds },
            false => AppError::ReadOn { people: next },
        })
    }

    async fn reading(
        &self,
        c: &mut Conn<'_>,
        actor: PersonId,
        at: Timestamp,
    ) -> Result<Reading, AppError> {
        let (shown, agreed) = reading::of_late(c, actor, since(at)).await?;
        let limit = self.config.reading_limit;
        Ok(Reading { limit, agreed: agreed.unsigned_abs(), shown: shown.unsigned_abs() })
    }

    /// Writes down that somebody was stopped and tells the account's owner; gives the seconds until as much
    /// may be shown by itself.
    async fn stop(
        &self,
        actor: &Actor,
        route: &str,
        reading: &Reading,
        more: u64,
    ) -> Result<u64, AppError> {
        let (now, allowance) = (self.now(), reading.allowance());
        let key = Stopped::key(actor, allowance);
        if self.stopped.take(key, now) {
            let (app, actor) = (self.clone(), actor.clone());
            let body = ReadingStopped {
                route: route.to_owned(),
                people: Count(reading.shown),
                allowance: Count(allowance),
            };
            // A task of its own: whoever hangs up before the answer is told of all the same.
            let told = tokio::spawn(async move {
                let told = app.tell_stopped(&actor, &body).await;
                if told.is_err() {
                    app.stopped.put_back(&key);
                }
                told
            });
            told.await.map_err(|e| AppError::Internal(e.to_string()))??;
        }
        let nth = reading.too_many(more).saturating_sub(1) as i64;
        let mut reader = self.db.read().await?;
        let until = reading::nth(&mut reader.conn(), actor.person, since(now), nth).await?;
        let left = until.map_or(WINDOW, |at| at.plus(WINDOW).0.saturating_sub(now.0));
        Ok(left.max(0).unsigned_abs().div_ceil(SECOND.unsigned_abs()).max(1))
    }

    async fn tell_stopped(&self, actor: &Actor, body: &ReadingStopped) -> Result<(), AppError> {
        let mut change = self.change().await?;
        change.record(actor, None, body).await?;
        let people = body.people.0.to_string();
        let mut details = vec![("people", people.as_str())];
        let (mut kind, mut owner) = (NoticeKind::ReadingStopped, Some(actor.person));
        if actor.roles.is_service() {
            kind = NoticeKind::ServiceReadingStopped;
            owner = services::owner(&mut change.conn(), actor.person).await?;
            details.push(("name", actor.name.as_str()));
        }
        if let Some(owner) = owner {
            notify(&mut change, owner, kind, &details).await?;
        }
        change.commit().await?;
        Ok(())
    }

    /// Somebody agrees with their key to be shown more people within the day, up to so many in all.
    ///
    /// # Errors
    /// [`AppError::Conflict`] when it is not the next step, because they agreed to it before;
    /// [`AppError::StepUp`] without a proof for just this.
    pub async fn read_on(
        &self,
        actor: &Actor,
        people: u64,
        proof: Option<&str>,
    ) -> Result<(), AppError> {
        let mut change = self.change().await?;
        let at = change.at();
        let next = self.reading(&mut change.conn(), actor.person, at).await?.next();
        if people != next {
            return Err(AppError::Conflict(refusal!(
                "read-on-other",
                "the next step is up to {next} people; load the page anew",
                next = next
            )));
        }
        spend(&mut change, actor, &read_on(people), proof).await?;
        let up_to = i64::try_from(people).unwrap_or(i64::MAX);
        reading::agree(&mut change.conn(), actor.person, up_to, at).await?;
        let action = read_on(people).action.key().to_owned();
        let target = Some(people.to_string());
        let body = ProtectedAction { action, target, approver: None };
        change.record(actor, Some(actor.organization), &body).await?;
        change.commit().await?;
        Ok(())
    }
}

fn since(at: Timestamp) -> Timestamp {
    Timestamp(at.0.saturating_sub(WINDOW))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_stopped_is_told_of_once_an_hour_and_allowance() {
        let stopped = Stopped::default();
        let (now, key) = (Timestamp(HOUR * 1_000), (Some([1; 32]), PersonId(1), 2_000));
        assert!(stopped.take(key, now) && !stopped.take(key, now.plus(HOUR - 1)));
        assert!(stopped.take(key, now.plus(HOUR)));
        assert!(stopped.take(key, now), "a clock that was set back");
        assert!(stopped.take((key.0, key.1, 4_000), now));
        stopped.put_back(&key);
        assert!(stopped.take(key, now));
        for n in 0..2 * Stopped::CAPACITY as i64 {
            stopped.take((None, PersonId(n), 1), now);
        }
        assert!(stopped.told.lock().unwrap().len() <= Stopped::CAPACITY);
    }
}
