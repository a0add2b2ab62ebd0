//! Bytes of attachments, addressed by their SHA-256, in a local folder or any object store.

use crate::StorageError;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path as BlobPath;
use object_store::{ObjectStore, ObjectStoreExt, WriteMultipart};
use std::path::Path;
use std::sync::Arc;
use tokio::io::AsyncReadExt;

/// Where attachments' bytes lie.
#[derive(Clone)]
pub struct Blobs {
    store: Arc<dyn ObjectStore>,
}

impl Blobs {
    /// A store in the folder `blobs` of a data folder, which is made when missing.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn local(data: &Path) -> Result<Blobs, StorageError> {
        let folder = data.join("blobs");
        let file = |source| StorageError::File { path: folder.display().to_string(), source };
        std::fs::create_dir_all(&folder).map_err(file)?;
        let store = LocalFileSystem::new_with_prefix(&folder)?.with_fsync(true);
        Ok(Blobs { store: Arc::new(store) })
    }

    fn path(sha256: &str) -> BlobPath {
        // Two levels keep folders small: 256 of them.
        BlobPath::from(format!("{}/{}", sha256.get(..2).unwrap_or("00"), sha256))
    }

    /// Stores a file under its digest. What is there already is not written again.
    ///
    /// # Errors
    /// When the file cannot be read or the store cannot be written.
    pub async fn put_file(&self, sha256: &str, file: &Path) -> Result<(), StorageError> {
        let read = |source| StorageError::File { path: file.display().to_string(), source };
        self.put_open_file(sha256, tokio::fs::File::open(file).await.map_err(read)?).await
    }

    /// Stores what an open file holds from its present position on: also a file without a name.
    ///
    /// # Errors
    /// As [`Blobs::put_file`].
    pub async fn put_open_file(
        &self,
        sha256: &str,
        mut input: tokio::fs::File,
    ) -> Result<(), StorageError> {
        let path = Self::path(sha256);
        if self.store.head(&path).await.is_ok() {
            return Ok(());
        }
        let read = |source| StorageError::File { path: path.to_string(), source };
        let mut out = WriteMultipart::new(self.store.put_multipart(&path).await?);
        let mut buffer = vec![0; 256 * 1024];
        loop {
            let n = input.read(&mut buffer).await.map_err(read)?;
            if n == 0 {
                break;
            }
            out.wait_for_capacity(4).await?;
            out.write(&buffer[..n]);
        }
        out.finish().await?;
        Ok(())
    }

    /// Stores bytes under their digest.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn put(&self, sha256: &str, bytes: Bytes) -> Result<(), StorageError> {
        self.store.put(&Self::path(sha256), bytes.into()).await?;
        Ok(())
    }

    /// The stored bytes as a stream.
    ///
    /// # Errors
    /// When they are not there or the store cannot be read.
    pub async fn get(
        &self,
        sha256: &str,
    ) -> Result<BoxStream<'static, Result<Bytes, StorageError>>, StorageError> {
        let found = self.store.get(&Self::path(sha256)).await?;
        Ok(found.into_stream().map_err(StorageError::from).boxed())
    }
}
