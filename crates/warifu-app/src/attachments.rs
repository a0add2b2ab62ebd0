//! Files on their way in: streamed to a nameless temporary file, limited, hashed, and sanitized
//! when they are HAR files. What a HAR file held before is never stored.

use crate::{App, AppError, Change, har};
use sha2::{Digest, Sha256};
use std::io::{Seek, SeekFrom};
use tokio::io::AsyncWriteExt;
use warifu_domain::cases::Case;
use warifu_domain::refusal;
use warifu_domain::{AttachmentId, MessageId};
use warifu_storage::attachments::{self as store, Attachment};

/// Files of one message at most.
pub const MOST_FILES: usize = 20;

/// A file that lies in the blob store and is to be attached to a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    pub name: String,
    pub media_type: String,
    pub bytes: i64,
    /// Hexadecimal.
    pub sha256: String,
    /// JSON receipt, if the file was a HAR and was sanitized.
    pub har_receipt: Option<String>,
}

/// A file that is being received. Dropped before [`Incoming::finish`], nothing of it is left.
pub struct Incoming {
    app: App,
    name: String,
    media_type: String,
    file: tokio::fs::File,
    hash: Sha256,
    bytes: u64,
}

impl App {
    /// Begins to receive a file. Its name and type are what the sender says: metadata only.
    ///
    /// # Errors
    /// When no temporary file can be made.
    pub fn receive(&self, name: &str, media_type: &str) -> Result<Incoming, AppError> {
        let file = tempfile::tempfile_in(&self.config.data).map_err(|source| AppError::File {
            path: self.config.data.display().to_string(),
            source,
        })?;
        Ok(Incoming {
            app: self.clone(),
            name: clean_name(name),
            media_type: media_type.chars().filter(char::is_ascii_graphic).take(100).collect(),
            file: tokio::fs::File::from_std(file),
            hash: Sha256::new(),
            bytes: 0,
        })
    }
}

fn io(source: std::io::Error) -> AppError {
    AppError::File { path: "an upload".into(), source }
}

impl Incoming {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// [`AppError::TooLarge`] beyond the installation's limit; the disk's errors.
    pub async fn write(&mut self, chunk: &[u8]) -> Result<(), AppError> {
        self.bytes += chunk.len() as u64;
        let limit = self.app.config.attachment_limit;
        if self.bytes > limit {
            return Err(AppError::TooLarge { bytes: self.bytes, limit });
        }
        self.hash.update(chunk);
        self.file.write_all(chunk).await.map_err(io)
    }

    /// Stores the file, sanitized if it is a HAR.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for a HAR that cannot be sanitized; the store's errors.
    pub async fn finish(mut self) -> Result<Upload, AppError> {
        self.file.flush().await.map_err(io)?;
        let mut file = self.file.into_std().await;
        let (name, folder) = (self.name.clone(), self.app.config.data.clone());
        let key = self.app.random_bytes();
        let (file, sanitized, stolen) = tokio::task::spawn_blocking(move || {
            // Also in what is no HAR: a command line, a log, a recording that broke off and is refused.
            let stolen = har::session_tokens(&name, &mut file).map_err(io)?;
            let sanitized = har::sanitize(&name, &mut file, &folder, key);
            file.seek(SeekFrom::Start(0)).map_err(io)?;
            Ok::<_, AppError>((file, sanitized, stolen))
        })
        .await
        .map_err(|e| AppError::Internal(e.to_string()))??;
        // Whoever had the recording before had the session too.
        self.app.revoke_recorded(&stolen).await?;
        let sanitized = sanitized?;
        let (file, bytes, sha256, har_receipt) = match sanitized {
            Some(s) => {
                let receipt = serde_json::to_string(&s.receipt)
                    .map_err(|e| AppError::Internal(e.to_string()))?;
                (s.file, s.receipt.output_bytes, hex(&s.receipt.output_sha256), Some(receipt))
            }
            None => (file, self.bytes, hex(&self.hash.finalize()), None),
        };
        self.app.blobs.put_open_file(&sha256, tokio::fs::File::from_std(file)).await?;
        Ok(Upload {
            name: self.name,
            media_type: self.media_type,
            bytes: bytes as i64,
            sha256,
            har_receipt,
        })
    }
}

/// Writes down which files came with a message.
pub(crate) async fn attach(
    change: &mut Change<'_>,
    case: &Case,
    message: MessageId,
    files: Vec<Upload>,
) -> Result<(), AppError> {
    if files.len() > MOST_FILES {
        return Err(AppError::invalid(
            "files",
            refusal!("files-many", "at most {limit} files at once", limit = MOST_FILES),
        ));
    }
    let at = change.at();
    for file in files {
        let mut conn = change.conn();
        let attachment = Attachment {
            id: AttachmentId(conn.take_ids("attachments", 1).await?),
            case: case.id,
            message,
            organization: case.organization,
            name: file.name,
            media_type: file.media_type,
            bytes: file.bytes,
            sha256: file.sha256,
            at,
            har_receipt: file.har_receipt,
        };
        store::insert(&mut conn, &attachment).await?;
    }
    Ok(())
}

/// A name that can be shown: the last part of a path, without control characters and without the
/// marks that turn text around (`gpj.exe` shown as `exe.jpg`), at most 200 characters.
fn clean_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let turns = |c: char| matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    let clean: String = last.chars().filter(|c| !c.is_control() && !turns(*c)).take(200).collect();
    let clean = clean.trim();
    if clean.is_empty() { "file".to_owned() } else { clean.to_owned() }
}

/// What [`hex`] wrote; `None` for anything else.
pub(crate) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, b| {
        let _ = write!(out, "{b:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_only_shown() {
        assert_eq!(clean_name("../../etc/passwd"), "passwd");
        assert_eq!(clean_name("C:\\a\\b.har"), "b.har");
        assert_eq!(clean_name("a\u{202E}gpj.exe\r\n"), "agpj.exe");
        assert_eq!(clean_name("  "), "file");
        assert_eq!(clean_name("証明書.pem"), "証明書.pem");
    }
}
