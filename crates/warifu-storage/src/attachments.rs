//! What is known of files that came with messages; their bytes lie in `blobs`.

use crate::{Conn, StorageError};
use warifu_domain::{AttachmentId, CaseId, MessageId, OrganizationId, Timestamp};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    pub id: AttachmentId,
    pub case: CaseId,
    pub message: MessageId,
    pub organization: OrganizationId,
    /// The name the sender gave: metadata only, never a path.
    pub name: String,
    pub media_type: String,
    pub bytes: i64,
    /// SHA-256 of the stored bytes, hexadecimal: its address in the blob store.
    pub sha256: String,
    pub at: Timestamp,
    /// JSON receipt of the sanitizing, if the file was a HAR.
    pub har_receipt: Option<String>,
}

#[derive(sqlx::FromRow)]
struct AttachmentRow {
    id: i64,
    case_id: i64,
    message_id: i64,
    organization_id: i64,
    name: String,
    media_type: String,
    bytes: i64,
    sha256: String,
    at: i64,
    har_receipt: Option<String>,
}

impl From<AttachmentRow> for Attachment {
    fn from(r: AttachmentRow) -> Self {
        Attachment {
            id: AttachmentId(r.id),
            case: CaseId(r.case_id),
            message: MessageId(r.message_id),
            organization: OrganizationId(r.organization_id),
            name: r.name,
            media_type: r.media_type,
            bytes: r.bytes,
            sha256: r.sha256,
            at: Timestamp(r.at),
            har_receipt: r.har_receipt,
        }
    }
}

/// Adds a record whose id has been taken from the `attachments` counter.
///
/// # Errors
/// As every query.
pub async fn insert(c: &mut Conn<'_>, a: &Attachment) -> Result<(), StorageError> {
    execute!(
        c,
        "INSERT INTO attachments (id, case_id, message_id, organization_id, name, media_type, bytes, sha256, at, har_receipt) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        a.id.0,
        a.case.0,
        a.message.0,
        a.organization.0,
        &a.name,
        &a.media_type,
        a.bytes,
        &a.sha256,
        a.at.0,
        a.har_receipt.as_deref()
    )?;
    Ok(())
}

/// # Errors
/// As every query.
pub async fn of_case(c: &mut Conn<'_>, case: CaseId) -> Result<Vec<Attachment>, StorageError> {
    let rows = fetch_all!(c, AttachmentRow: "SELECT * FROM attachments WHERE case_id = $1 ORDER BY id LIMIT 1000", case.0)?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// The same without what hangs on internal notes: what a customer may see.
///
/// # Errors
/// As every query.
pub async fn public_of_case(
    c: &mut Conn<'_>,
    case: CaseId,
) -> Result<Vec<Attachment>, StorageError> {
    let rows = fetch_all!(c, AttachmentRow:
        "SELECT a.id, a.case_id, a.message_id, a.organization_id, a.name, a.media_type, a.bytes, a.sha256, a.at, a.har_receipt \
         FROM attachments a JOIN messages m ON m.case_id = a.case_id AND m.id = a.message_id \
         WHERE a.case_id = $1 AND m.kind IN (0, 1) ORDER BY a.id LIMIT 1000", case.0)?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// # Errors
/// As every query.
pub async fn find(c: &mut Conn<'_>, id: AttachmentId) -> Result<Option<Attachment>, StorageError> {
    let row = fetch_optional!(c, AttachmentRow: "SELECT * FROM attachments WHERE id = $1", id.0)?;
    Ok(row.map(Into::into))
}

/// Some files, by id.
///
/// # Errors
/// As every query.
pub async fn find_many(
    c: &mut Conn<'_>,
    ids: impl IntoIterator<Item = AttachmentId>,
) -> Result<Vec<Attachment>, StorageError> {
    let ids: Vec<i64> = ids.into_iter().map(|i| i.0).collect();
    let rows = fetch_among!(c, AttachmentRow: "SELECT * FROM attachments WHERE id IN (", ids, ")");
    Ok(rows.into_iter().map(Into::into).collect())
}
