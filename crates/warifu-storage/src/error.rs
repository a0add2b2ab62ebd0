//! What can go wrong between Warifu and its database.

/// Storage failures, sorted by what can be done about them.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    #[error(
        "the data folder {folder} is in use by another warifu{holder}; stop that one first, or give this one a folder of its own (--data)"
    )]
    Locked {
        folder: String,
        /// ` (process 4711)`; empty when it is not known.
        holder: String,
    },
    #[error(
        "the database {database} was written by a newer Warifu (it knows migration {version}); install that version or restore a backup"
    )]
    Newer { database: String, version: i64 },
    #[error(
        "the database cannot be reached: {0}; check that it runs and that the address is right"
    )]
    Unreachable(String),
    #[error("the disk is full; free some space, nothing that was acknowledged is lost")]
    DiskFull,
    #[error("{what} holds a value that no version of Warifu writes: {detail}")]
    Corrupt { what: &'static str, detail: String },
    #[error("the database address “{0}” is not understood; write postgres://user@host/name")]
    Address(String),
    #[error("file {path}: {source}")]
    File { path: String, source: std::io::Error },
    #[error("attachment store: {0}")]
    Blob(#[source] object_store::Error),
    #[error("the reader of the rows stopped")]
    Stopped,
    #[error("database: {0}")]
    Database(#[source] sqlx::Error),
    #[error("database: {0}")]
    Bulk(#[source] rusqlite::Error),
}

impl From<sqlx::Error> for StorageError {
    fn from(e: sqlx::Error) -> Self {
        match &e {
            sqlx::Error::Io(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            // A connection that breaks while it is made reads as an answer that makes no sense.
            | sqlx::Error::Protocol(_)
            | sqlx::Error::Tls(_) => StorageError::Unreachable(e.to_string()),
            sqlx::Error::Database(d) => match d.code().as_deref() {
                // SQLITE_FULL; SQLITE_IOERR_SHMSIZE, the WAL's index could not grow; PostgreSQL
                // 53100 disk_full.
                Some("13" | "4874" | "53100") => StorageError::DiskFull,
                // PostgreSQL: shutting down, crashed, starting, too many connections, a lock that
                // nobody gave back; and the connection broke (class 08).
                Some(
                    "57P01" | "57P02" | "57P03" | "53300" | "55P03" | "08000" | "08003" | "08006",
                ) => StorageError::Unreachable(e.to_string()),
                _ => StorageError::Database(e),
            },
            _ => StorageError::Database(e),
        }
    }
}

impl From<object_store::Error> for StorageError {
    fn from(e: object_store::Error) -> Self {
        if is_disk_full(&e) { StorageError::DiskFull } else { StorageError::Blob(e) }
    }
}

/// Whether an error comes, at whatever depth, from a disk without room.
pub fn is_disk_full(error: &(dyn std::error::Error + 'static)) -> bool {
    use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    let io = error.downcast_ref::<std::io::Error>();
    if io.is_some_and(|e| matches!(e.kind(), StorageFull | QuotaExceeded | FileTooLarge)) {
        return true;
    }
    // What an I/O error wraps is not its source, only that one's source is.
    let inner =
        io.and_then(std::io::Error::get_ref).map(|e| e as &(dyn std::error::Error + 'static));
    inner.or_else(|| error.source()).is_some_and(is_disk_full)
}

impl From<rusqlite::Error> for StorageError {
    fn from(e: rusqlite::Error) -> Self {
        match e.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => StorageError::DiskFull,
            _ => StorageError::Bulk(e),
        }
    }
}

impl StorageError {
    /// Whether the same call may go through a moment later.
    pub fn is_passing(&self) -> bool {
        matches!(self, StorageError::Unreachable(_) | StorageError::DiskFull)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Error, ErrorKind};

    #[test]
    fn a_full_disk_is_known_at_any_depth() {
        let full = || Error::from(ErrorKind::StorageFull);
        assert!(is_disk_full(&full()));
        assert!(is_disk_full(&Error::other(Error::other(full()))));
        let file = StorageError::File { path: "a".into(), source: full() };
        assert!(is_disk_full(&Error::other(file)));
        assert!(!is_disk_full(&Error::other(Error::from(ErrorKind::NotFound))));
        let blob = object_store::Error::Generic { store: "local", source: Box::new(full()) };
        assert!(matches!(StorageError::from(blob), StorageError::DiskFull));
    }
}
