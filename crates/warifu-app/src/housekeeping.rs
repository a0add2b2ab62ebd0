//! What is done from time to time, on every node: reminding of what ends, and deleting what no decision
//! needs any more.

use crate::notices::notify;
use crate::{App, AppError};
use std::collections::BTreeSet;
use warifu_domain::access::Role;
use warifu_domain::notices::NoticeKind;
use warifu_domain::time::DAY;
use warifu_storage::people;
use warifu_storage::purge::{self, Stale};
use warifu_storage::reminders::{self, Ending, Kind};

/// How many days before something ends somebody is told, the last time first.
const REMINDERS: [i64; 2] = [2, 14];
/// How long sessions, invitations and what hangs on them are kept after their end, in microseconds.
const KEPT: i64 = 30 * DAY;
/// The same of what is good for minutes: longer than clocks of nodes differ.
const KEPT_SHORT: i64 = DAY;

impl App {
    /// Tells people of certificates with which they sign in, and super administrators and whoever made
    /// them of service accounts, that they end soon: once for each time, whichever node is first. Gives
    /// of how many it told.
    ///
    /// # Errors
    /// When the database fails; the rest is told the next time.
    pub async fn remind(&self) -> Result<usize, AppError> {
        let mut told = 0;
        for days in REMINDERS {
            let now = self.now();
            let until = now.plus(days * DAY);
            let found =
                reminders::untold(&mut self.db.read().await?.conn(), now, until, days).await?;
            for ending in found {
                told += usize::from(self.remind_of(&ending, days).await?);
            }
        }
        Ok(told)
    }

    async fn remind_of(&self, ending: &Ending, days: i64) -> Result<bool, AppError> {
        let mut change = self.change().await?;
        if !reminders::take(&mut change.conn(), ending, days).await? {
            return Ok(false);
        }
        let mut whom = BTreeSet::from([ending.person]);
        let kind = match ending.kind {
            Kind::Certificate => NoticeKind::CertificateEnds,
            Kind::Service => {
                whom.extend(people::holders(&mut change.conn(), Role::SuperAdministrator).await?);
                NoticeKind::ServiceEnds
            }
        };
        let due = ending.ends_at.to_string();
        let details = [("name", ending.name.as_str()), ("due", due.as_str())];
        for person in whom {
            notify(&mut change, person, kind, &details).await?;
        }
        change.commit().await?;
        Ok(true)
    }

    /// Deletes what was over long ago, in batches that nobody waits for. Gives how many rows.
    ///
    /// # Errors
    /// When the database fails; the rest is deleted the next time.
    pub async fn purge(&self) -> Result<u64, AppError> {
        let now = self.now();
        let mut deleted = 0;
        for what in Stale::ALL {
            let before = now.plus(if what.is_short() { -KEPT_SHORT } else { -KEPT });
            loop {
                let mut tx = self.db.begin_plain().await?;
                let rows = purge::batch(&mut tx.conn(), what, before).await?;
                tx.commit().await?;
                deleted += rows;
                if rows < purge::BATCH {
                    break;
                }
            }
        }
        Ok(deleted)
    }
}
