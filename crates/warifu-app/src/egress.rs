//! The gate: what leaves gets its ledger entry first, and leaves only once that is durable.

use crate::accesses::Shown;
use crate::attachments::hex;
use crate::cases::{CaseEvent, find};
use crate::live::Event;
use crate::{App, AppError};
use bytes::Bytes;
use futures_util::stream::BoxStream;
use warifu_domain::access::Actor;
use warifu_domain::accesses::{AccessKind, Marks};
use warifu_domain::cases::MessageKind;
use warifu_domain::{AttachmentId, CaseId, MessageId, OrganizationId};
use warifu_ledger::body::{ApiPage, AttachmentDownload};
use warifu_ledger::{Count, Hash, RowKey, RowsCommitment};
use warifu_storage::attachments::{self as files, Attachment};
use warifu_storage::cases::{self as cases, Message};
use warifu_storage::{StorageError, blobs::Blobs};

/// A file that may leave, with the number of its ledger entry.
pub struct Download {
    pub attachment: Attachment,
    pub entry: i64,
    pub stream: BoxStream<'static, Result<Bytes, StorageError>>,
}

/// A page of records as it will leave.
#[derive(Debug)]
pub struct Page<'a> {
    /// Route as registered, without what was filled in: `/api/v1/people`.
    pub route: &'a str,
    /// Whose data it is, when it is one organization's.
    pub organization: Option<OrganizationId>,
    /// What was asked: an object of texts and whole numbers.
    pub query: &'a serde_json::Value,
    /// Ids of the records in their order.
    pub ids: &'a [i64],
    /// Whose records it shows: their organizations are told, and they count as shown to whoever reads it.
    pub shown: &'a Shown,
    /// The whole body.
    pub body: &'a [u8],
}

impl App {
    /// Lets an attachment out. When one of the vendor's people opens it, the case's timeline says
    /// so, which its customer can read.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when it does not exist for the actor: foreign cases, and files of
    /// internal notes for customers.
    pub async fn open_attachment(
        &self,
        actor: &Actor,
        id: AttachmentId,
    ) -> Result<Download, AppError> {
        let gone = || AppError::NotFound("attachment");
        let mut change = self.change().await?;
        let mut conn = change.conn();
        let attachment = files::find(&mut conn, id).await?.ok_or_else(gone)?;
        let case = match find(&mut conn, actor, attachment.case).await {
            Err(AppError::NotFound(_)) => return Err(gone()),
            other => other?,
        };
        let message = cases::message(&mut conn, case.id, attachment.message).await?;
        let public =
            message.is_some_and(|m| matches!(m.kind, MessageKind::Customer | MessageKind::Reply));
        if !actor.is_staff() && !public {
            return Err(gone());
        }
        // Opened before the entry: a file that is not there does not leave.
        let stream = open(&self.blobs, &attachment).await?;
        let body = AttachmentDownload {
            attachment: id.to_string(),
            case: case.id.to_string(),
            bytes: Count(attachment.bytes as u64),
            sha256: hash(&attachment.sha256)?,
        };
        let entry = change.record(actor, Some(case.organization), &body).await?;
        // What hangs on a note is the vendor's own, and customers do not learn that it is there.
        if public {
            let of = [(case.organization, id.0, 1)];
            change.saw(actor, entry, AccessKind::File, Marks::default(), &of).await?;
        }
        if actor.is_staff() {
            let at = change.at();
            let mut conn = change.conn();
            let message = Message {
                id: MessageId(conn.take_ids("messages", 1).await?),
                case: case.id,
                organization: case.organization,
                kind: MessageKind::Event,
                author: actor.person,
                at,
                body: serde_json::to_string(&CaseEvent::FileOpened(id))
                    .map_err(|e| AppError::Internal(e.to_string()))?,
            };
            cases::add_message(&mut conn, &case.subject, &message).await?;
            change.tell(Event::Case(case.id, actor.person));
        }
        change.commit().await?;
        Ok(Download { attachment, entry, stream })
    }

    /// Whether a list of cases beside something else needs an entry: it shows one that was not
    /// recorded as shown to this session within the hour.
    pub fn list_is_due(&self, actor: &Actor, ids: &[i64]) -> bool {
        let now = self.now();
        ids.iter().any(|id| self.listed.is_due(actor, CaseId(*id), now))
    }

    /// Writes the entry for a page of records that is about to leave, and gives its number.
    ///
    /// # Errors
    /// When the entry cannot be made durable, or more people would be shown than may be within a day: then the
    /// page must not leave.
    pub async fn record_page(&self, actor: &Actor, page: &Page<'_>) -> Result<i64, AppError> {
        let query = warifu_ledger::json::canonical(page.query)
            .map_err(|e| AppError::Internal(format!("query of {}: {e}", page.route)))?;
        let (query, sha256) = (crate::cases::digest(&query), crate::cases::digest(page.body));
        // The key follows from the entry and the installation's secret: an examiner who is given
        // the secret can open any row.
        let run = format!("page {} {} {}", page.route, hex(&query.0), hex(&sha256.0));
        let key = RowKey::derive(&self.keys.for_purpose("row commitments"), &run);
        let mut rows = RowsCommitment::new(key);
        for id in page.ids {
            rows.push(id.to_string().as_bytes()).map_err(|e| AppError::Ledger(e.to_string()))?;
        }
        let body = ApiPage {
            route: page.route.to_owned(),
            query,
            rows: Count(page.ids.len() as u64),
            bytes: Count(page.body.len() as u64),
            sha256,
            row_ids: rows.root(),
        };
        // Before the lock is taken.
        let of = self.shown_of(actor, page.shown).await?;
        let change = self.change().await?;
        let persons = page.shown.persons();
        let mut change = self.show_people(change, actor, page.route, persons).await?;
        let entry = change.record(actor, page.organization, &body).await?;
        change.saw_page(actor, entry, &of).await?;
        change.commit().await?;
        if let Shown::Listed(_, cases) = page.shown {
            let now = self.now();
            cases.iter().for_each(|case| self.listed.recorded(actor, *case, now));
        }
        Ok(entry)
    }
}

async fn open(
    blobs: &Blobs,
    attachment: &Attachment,
) -> Result<BoxStream<'static, Result<Bytes, StorageError>>, AppError> {
    Ok(blobs.get(&attachment.sha256).await?)
}

fn hash(hex: &str) -> Result<Hash, AppError> {
    let bytes: Option<Vec<u8>> = (0..hex.len())
        .step_by(2)
        .map(|i| hex.get(i..i + 2).and_then(|b| u8::from_str_radix(b, 16).ok()))
        .collect();
    let corrupt = || StorageError::Corrupt { what: "attachments.sha256", detail: hex.to_owned() };
    Ok(Hash::from_slice(&bytes.ok_or_else(corrupt)?).map_err(|_| corrupt())?)
}
