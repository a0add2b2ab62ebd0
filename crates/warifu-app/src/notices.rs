//! Telling people what happened to their own accounts.

use crate::{App, AppError, Change};
use warifu_domain::PersonId;
use warifu_domain::access::Actor;
use warifu_domain::factors::Factor;
use warifu_domain::notices::{Details, NoticeKind};
use warifu_storage::notices;
pub use warifu_storage::notices::Notice;

/// Leaves a notice in the transaction of what it is about.
pub(crate) async fn notify(
    change: &mut Change<'_>,
    person: PersonId,
    kind: NoticeKind,
    details: &[(&str, &str)],
) -> Result<(), AppError> {
    let at = change.at();
    notices::insert(&mut change.conn(), person, at, kind, &written(details)).await?;
    Ok(())
}

/// The same of something that somebody signs in with. A password has no name but what readers call it.
pub(crate) async fn notify_of_factor(
    change: &mut Change<'_>,
    person: PersonId,
    kind: NoticeKind,
    factor: Factor,
    name: &str,
) -> Result<(), AppError> {
    notify(change, person, kind, &[("name", name), ("factor", factor.key())]).await
}

/// Mails the same notice to an address that is no longer theirs, too.
pub(crate) async fn notify_at(
    change: &mut Change<'_>,
    person: PersonId,
    kind: NoticeKind,
    details: &[(&str, &str)],
    address: &str,
) -> Result<(), AppError> {
    let at = change.at();
    let notice = (kind, &written(details));
    notices::insert_copy(&mut change.conn(), person, at, notice, address).await?;
    Ok(())
}

fn written(details: &[(&str, &str)]) -> Details {
    details.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

impl App {
    /// The path by which its reader stops what a notice is about, for notices that leave the system.
    pub fn stop_path_of(&self, kind: NoticeKind, details: &Details) -> Option<String> {
        use NoticeKind::{RecoveryUsed, ResetApproved, ResetAsked};
        let id = details.get("check")?.strip_prefix("HD-")?.parse().ok()?;
        matches!(kind, ResetAsked | ResetApproved | RecoveryUsed).then(|| self.stop_path(id))
    }

    /// The actor's own notices, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn notices(&self, actor: &Actor) -> Result<Vec<Notice>, AppError> {
        let mut own = notices::of_person(&mut self.db.read().await?.conn(), actor.person).await?;
        for notice in &mut own {
            if let Some(path) = self.stop_path_of(notice.kind, &notice.details) {
                notice.details.insert("stop".into(), path);
            }
        }
        Ok(own)
    }

    /// The actor has seen all of their notices.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn see_notices(&self, actor: &Actor) -> Result<(), AppError> {
        let mut tx = self.db.begin_plain().await?;
        notices::see(&mut tx.conn(), actor.person, self.now()).await?;
        tx.commit().await?;
        Ok(())
    }
}
