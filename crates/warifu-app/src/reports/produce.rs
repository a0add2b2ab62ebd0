//! The one function that makes a report's file: for the download, the replay and the preview's
//! check alike, so that they cannot differ.

use super::file::FileWriter;
use crate::AppError;
use sha2::{Digest, Sha256};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use tokio::runtime::Handle;
use warifu_domain::Revision;
use warifu_domain::reports::{CompiledFilter, Definition, Value};
use warifu_ledger::{Hash, RowKey, RowsCommitment};
use warifu_storage::bulk::{self, Only, Scan};
use warifu_storage::{Db, StorageError};

/// How far a transfer is. Shared between the thread that makes it and the pages that show it.
pub struct Progress {
    pub expected_rows: u64,
    rows: AtomicU64,
    bytes: AtomicU64,
    cancelled: AtomicBool,
}

impl Progress {
    pub fn new(expected_rows: u64) -> Progress {
        Progress {
            expected_rows,
            rows: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            cancelled: AtomicBool::new(false),
        }
    }

    pub fn rows(&self) -> u64 {
        self.rows.load(Relaxed)
    }

    pub fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }

    /// Asks the transfer to stop; it does within some thousand rows.
    pub fn cancel(&self) {
        self.cancelled.store(true, Relaxed);
    }

    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Relaxed)
    }
}

/// Bytes per entry of the list of block checksums.
pub const BLOCK: usize = 64 * 1024;
/// Bytes collected before they are hashed and handed on.
const PIECE: usize = 256 * 1024;
/// Row ids per leaf of the commitment: a leaf of its own for each row would take as long as
/// writing the rows does.
const IDS: usize = 256;

/// What was made, whole or as far as it came.
#[derive(Clone, Debug)]
pub struct Made {
    pub rows: u64,
    pub bytes: u64,
    pub sha256: Hash,
    pub column_bytes: Vec<u64>,
    /// CRC-32 of each [`BLOCK`] of the file, big-endian, one after the other. They only tell
    /// *where* two files differ; whether they do is the SHA-256's to say.
    pub blocks: Vec<u8>,
    /// Commitment to the ids of the rows in their order, 256 to a leaf, 8 bytes big-endian each.
    pub row_ids: Hash,
}

/// Which rows a definition picks as of a revision.
pub(crate) struct Selection {
    pub scan: Scan,
    filter: CompiledFilter,
    limit: u64,
}

impl Selection {
    pub(crate) fn new(definition: &Definition, as_of: Revision) -> Result<Selection, AppError> {
        let filter = definition.check()?;
        let mut columns = definition.column_indices()?;
        columns.extend(filter.columns_used());
        columns.sort_unstable();
        columns.dedup();
        let subject = definition.subject;
        let place = |k: &warifu_domain::reports::OrderKey| {
            subject.index(&k.column).map(|i| (i, k.descending))
        };
        let scan = Scan {
            subject,
            as_of,
            columns,
            only: filter.only_organization(subject).map_or(Only::Everything, Only::Organization),
            order: definition.order.iter().filter_map(place).collect(),
        };
        Ok(Selection { scan, filter, limit: definition.limit.unwrap_or(u64::MAX) })
    }

    /// Hands out every picked row in order.
    pub(crate) fn each(
        &self,
        db: &Db,
        runtime: &Handle,
        row: &mut dyn FnMut(i64, &[Value<'_>]) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        let mut left = self.limit;
        bulk::scan(db, runtime, &self.scan, &mut |id, values| {
            if !self.filter.accepts(&Picked(values)) {
                return ControlFlow::Continue(());
            }
            left -= 1;
            let flow = row(id, values);
            if left == 0 { ControlFlow::Break(()) } else { flow }
        })
    }
}

/// A row as the filter sees it.
pub(super) struct Picked<'a>(pub(super) &'a [Value<'a>]);

impl warifu_domain::reports::Row for Picked<'_> {
    fn value(&self, index: usize) -> Value<'_> {
        self.0.get(index).copied().unwrap_or(Value::Null)
    }
}

/// Counts, hashes and hands on what is written.
struct Outlet<'a> {
    sha256: Sha256,
    block: crc32fast::Hasher,
    in_block: usize,
    blocks: Vec<u8>,
    bytes: u64,
    progress: &'a Progress,
    sink: &'a mut dyn FnMut(&[u8]) -> Result<(), AppError>,
}

impl Outlet<'_> {
    fn put(&mut self, mut piece: &[u8]) -> Result<(), AppError> {
        if piece.is_empty() {
            return Ok(());
        }
        (self.sink)(piece)?;
        self.sha256.update(piece);
        self.bytes += piece.len() as u64;
        self.progress.bytes.store(self.bytes, Relaxed);
        while !piece.is_empty() {
            let (now, later) = piece.split_at(piece.len().min(BLOCK - self.in_block));
            self.block.update(now);
            self.in_block += now.len();
            if self.in_block == BLOCK {
                self.close_block();
            }
            piece = later;
        }
        Ok(())
    }

    fn close_block(&mut self) {
        let block = std::mem::take(&mut self.block);
        self.blocks.extend_from_slice(&block.finalize().to_be_bytes());
        self.in_block = 0;
    }
}

/// Makes the file of a definition as of a revision and hands its bytes to `sink`, in constant
/// memory. Blocks: call it on a thread that may.
///
/// # Errors
/// The error, with what had been made until then. An error of `sink` ends it at once.
pub fn produce(
    db: &Db,
    runtime: &Handle,
    definition: &Definition,
    as_of: Revision,
    row_key: RowKey,
    progress: &Progress,
    sink: &mut dyn FnMut(&[u8]) -> Result<(), AppError>,
) -> Result<Made, Box<(Made, AppError)>> {
    let mut ids = RowsCommitment::new(row_key);
    let mut pending: Vec<u8> = Vec::with_capacity(IDS * 8);
    let mut rows = 0;
    let mut column_bytes = Vec::new();
    let mut outlet = Outlet {
        sha256: Sha256::new(),
        block: crc32fast::Hasher::new(),
        in_block: 0,
        blocks: Vec::new(),
        bytes: 0,
        progress,
        sink,
    };
    let result = (|| {
        let selection = Selection::new(definition, as_of)?;
        let mut file = FileWriter::new(definition)?;
        let mut out = Vec::with_capacity(PIECE + 16 * 1024);
        let mut failed = None;
        file.header(&mut out)?;
        selection.each(db, runtime, &mut |id, values| {
            let step = (|| {
                file.row(values, &mut out)?;
                rows += 1;
                pending.extend_from_slice(&id.to_be_bytes());
                if pending.len() == IDS * 8 {
                    ids.push(&pending).map_err(|e| AppError::Ledger(e.to_string()))?;
                    pending.clear();
                }
                if out.len() >= PIECE || rows % 4096 == 0 {
                    progress.rows.store(rows, Relaxed);
                    if progress.is_cancelled() {
                        return Err(AppError::Cancelled);
                    }
                    if out.len() >= PIECE {
                        outlet.put(&out)?;
                        out.clear();
                    }
                }
                Ok(())
            })();
            match step {
                Ok(()) => ControlFlow::Continue(()),
                Err(e) => {
                    failed = Some(e);
                    ControlFlow::Break(())
                }
            }
        })?;
        if let Some(e) = failed {
            return Err(e);
        }
        let totals = file.finish(&mut out, |piece| outlet.put(piece))?;
        outlet.put(&out)?;
        debug_assert_eq!(totals.rows, rows);
        column_bytes = totals.column_bytes;
        Ok(())
    })();
    progress.rows.store(rows, Relaxed);
    if outlet.in_block > 0 {
        outlet.close_block();
    }
    let last = if pending.is_empty() { Ok(()) } else { ids.push(&pending) };
    let made = Made {
        rows,
        bytes: outlet.bytes,
        sha256: Hash(outlet.sha256.finalize().into()),
        column_bytes,
        blocks: outlet.blocks,
        row_ids: ids.root(),
    };
    match result.and(last.map_err(|e| AppError::Ledger(e.to_string()))) {
        Ok(()) => Ok(made),
        Err(e) => Err(Box::new((made, e))),
    }
}
