//! Fills the index of messages again after a migration has emptied it, because its tokens changed.

use super::{MessageText, index_messages};
use crate::{Db, StorageError, settings};
use warifu_domain::cases::MessageKind;
use warifu_domain::{CaseId, OrganizationId};

/// The setting that says how far it is: a case's and a message's number. It is there only while
/// the index is not full.
const FILLED_TO: &str = "search_filled_to";

/// Messages of one transaction: a few MB of text.
const BATCH: i64 = 5_000;

#[derive(sqlx::FromRow)]
struct Row {
    case_id: i64,
    id: i64,
    organization_id: i64,
    kind: i64,
    subject: String,
    body: String,
}

/// Indexes what is not indexed yet and tells how many messages are done. It goes on where it was
/// interrupted; several nodes that start at once take turns.
///
/// # Errors
/// As every query.
pub async fn fill(db: &Db, mut progress: impl FnMut(u64) + Send) -> Result<(), StorageError> {
    let mut done = 0;
    loop {
        let mut tx = db.begin_plain().await?;
        let mut c = tx.conn();
        // Written before it is read: the row's lock makes nodes wait for each other.
        let at: Option<(String,)> = fetch_optional!(&mut c, (String,):
            "UPDATE settings SET value = value WHERE name = $1 RETURNING value", FILLED_TO)?;
        let Some((at,)) = at else { return Ok(()) };
        let corrupt =
            || StorageError::Corrupt { what: "settings.search_filled_to", detail: at.clone() };
        let (case, message) = at.split_once(' ').ok_or_else(corrupt)?;
        let case: i64 = case.parse().map_err(|_| corrupt())?;
        let message: i64 = message.parse().map_err(|_| corrupt())?;
        let mut rows = fetch_all!(&mut c, Row:
            "SELECT m.case_id, m.id, m.organization_id, m.kind, k.subject, m.body FROM messages m \
             JOIN cases k ON k.id = m.case_id AND k.rev_to = 9223372036854775807 \
             WHERE (m.case_id, m.id) > ($1, $2) ORDER BY m.case_id, m.id LIMIT $3", case, message, BATCH)?;
        let Some(last) = rows.last() else {
            execute!(&mut c, "DELETE FROM settings WHERE name = $1", FILLED_TO)?;
            tx.commit().await?;
            return Ok(());
        };
        let at = format!("{} {}", last.case_id, last.id);
        done += rows.len() as u64;
        rows.retain(|r| r.kind != MessageKind::Event.code());
        // FTS5 writes out what it has gathered whenever an id is not above the one before.
        rows.sort_unstable_by_key(|r| r.id);
        let texts: Vec<MessageText<'_>> = rows
            .iter()
            .map(|r| MessageText {
                id: r.id,
                case: CaseId(r.case_id),
                organization: OrganizationId(r.organization_id),
                internal: r.kind == MessageKind::Note.code(),
                subject: &r.subject,
                body: &r.body,
            })
            .collect();
        index_messages(&mut c, &texts).await?;
        settings::set(&mut c, FILLED_TO, &at).await?;
        tx.commit().await?;
        progress(done);
    }
}
