//! What can go wrong between Warifu and its database.

/// Storage failures, sorted by what can be done about them.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    #[error("the data folder {0} is in use by another warifu process; stop it first")]
    Locked(String),
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
    Blob(#[from] object_store::Error),
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
            | sqlx::Error::Tls(_) => StorageError::Unreachable(e.to_string()),
            sqlx::Error::Database(d) => match d.code().as_deref() {
                // SQLITE_FULL; PostgreSQL 53100 disk_full.
                Some("13" | "53100") => StorageError::DiskFull,
                // PostgreSQL: shutting down, crashed, starting, too many connections.
                Some("57P01" | "57P02" | "57P03" | "53300") => {
                    StorageError::Unreachable(e.to_string())
                }
                _ => StorageError::Database(e),
            },
            _ => StorageError::Database(e),
        }
    }
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
