//! A log as a folder of static files (C2SP tlog-tiles): writing one and checking one.
//!
//! Both work through closures, so that the files may be on disk, in a bundle or in memory.

use crate::checkpoint::{Checkpoint, CheckpointError, Opened};
use crate::hash::Hash;
use crate::note::{Note, VerifyingKey};
use crate::proof::HashRange;
use crate::tile::{
    Resource, TILE_WIDTH, Tile, TileError, decode_bundle, decode_tile, encode_bundle, encode_tile,
    resources,
};
use crate::verify::{Finding, Report, Verifier, What};

/// Why an export stopped.
#[derive(Debug, thiserror::Error)]
pub enum ExportError<E> {
    /// The store or the sink failed.
    #[error("the log could not be read or the files not be written")]
    Io(#[source] E),
    /// The store answered with another number of entries or hashes than asked for.
    #[error("the store has too few entries or hashes for {0}")]
    Count(String),
    /// An entry does not fit.
    #[error(transparent)]
    Tile(#[from] TileError),
    /// The checkpoint is none.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

/// Yields the files of a static log as (path, bytes) to `sink`: entry bundles, tiles, and the
/// checkpoint last, so that a folder with a checkpoint is whole. One bundle or tile is in memory
/// at a time.
///
/// `entries(first, count)` and `hashes(range)` read from the store; `count` is at most 256.
///
/// # Errors
/// Any [`ExportError`]. The signature is not checked here.
pub fn export<E>(
    checkpoint: &[u8],
    mut entries: impl FnMut(u64, u16) -> Result<Vec<Vec<u8>>, E>,
    mut hashes: impl FnMut(HashRange) -> Result<Vec<Hash>, E>,
    mut sink: impl FnMut(&str, &[u8]) -> Result<(), E>,
) -> Result<(), ExportError<E>> {
    let size = unchecked(checkpoint)?.size;
    for resource in resources(size) {
        let path = resource.to_string();
        let bytes = match resource {
            Resource::Checkpoint => continue,
            Resource::Entries(Tile { index, width, .. }) => {
                let first = index * u64::from(TILE_WIDTH);
                let found = entries(first, width).map_err(ExportError::Io)?;
                if found.len() != usize::from(width) {
                    return Err(ExportError::Count(path));
                }
                encode_bundle(found.iter().map(Vec::as_slice))?
            }
            Resource::Tile(Tile { level, index, width }) => {
                let start = index * u64::from(TILE_WIDTH);
                let range = HashRange { level, start, count: width };
                let found = hashes(range).map_err(ExportError::Io)?;
                if found.len() != usize::from(width) {
                    return Err(ExportError::Count(path));
                }
                encode_tile(&found)
            }
        };
        sink(&path, &bytes).map_err(ExportError::Io)?;
    }
    sink(&Resource::Checkpoint.to_string(), checkpoint).map_err(ExportError::Io)
}

/// Reads a checkpoint without checking its signatures.
fn unchecked(note: &[u8]) -> Result<Checkpoint, CheckpointError> {
    Checkpoint::parse(&Note::parse(note)?.text)
}

/// A folder that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// What was checked.
    pub report: Report,
    /// The head of the folder.
    pub checkpoint: Checkpoint,
    /// Its signatures; `None` if no key was given, which proves nothing about who wrote the log.
    pub signatures: Option<Opened>,
}

/// Why a folder does not hold, or could not be read.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError<E> {
    /// The reader failed.
    #[error("{0} could not be read")]
    Read(String, #[source] E),
    /// The first thing that is wrong.
    #[error(transparent)]
    Finding(#[from] Finding),
}

/// Checks every file of a static log: each entry, each tile, the root and the signatures.
///
/// `read(path)` answers `None` for a file that is not there. `progress(done, all)` is called after
/// each bundle with entry counts. Memory: one bundle and one tile per level.
///
/// # Errors
/// [`VerifyError::Finding`] with the first wrong entry; [`VerifyError::Read`].
pub fn verify_folder<E>(
    keys: &[VerifyingKey],
    mut read: impl FnMut(&str) -> Result<Option<Vec<u8>>, E>,
    mut progress: impl FnMut(u64, u64),
) -> Result<Verified, VerifyError<E>> {
    let mut fetch = |path: &str, first: u64, last: u64| match read(path) {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => {
            Err(VerifyError::from(Finding { first, last, what: What::Missing(path.into()) }))
        }
        Err(error) => Err(VerifyError::Read(path.into(), error)),
    };
    let signature = |error| Finding { first: 0, last: 0, what: What::Signature(error) };
    let note = fetch("checkpoint", 0, 0)?;
    let checkpoint = unchecked(&note).map_err(signature)?;
    let signatures = match keys {
        [] => None,
        keys => Some(Checkpoint::verify(&note, keys).map_err(signature)?),
    };
    let mut verifier = Verifier::new(&checkpoint.origin);
    let mut tiles = Tiles { size: checkpoint.size, cached: Vec::new() };
    for resource in resources(checkpoint.size) {
        let Resource::Entries(Tile { index, width, .. }) = resource else { break };
        let first = index * u64::from(TILE_WIDTH);
        let last = first + u64::from(width) - 1;
        let path = resource.to_string();
        let bytes = fetch(&path, first, last)?;
        let damaged = |path: String| Finding { first, last, what: What::Damaged(path) };
        let entries = decode_bundle(&bytes, width).map_err(|_| damaged(path))?;
        for (at, entry) in (first..).zip(entries) {
            let leaf = tiles.hash(0, at, (at, at), &mut fetch)?;
            for inner in verifier.entry(at, entry, &leaf)? {
                let shift = 8 * u32::from(inner.level);
                let below = (inner.index << shift, ((inner.index + 1) << shift) - 1);
                let found = tiles.hash(inner.level, inner.index, below, &mut fetch)?;
                verifier.stored(&inner, Some(&found))?;
            }
        }
        progress(verifier.size(), checkpoint.size);
    }
    match &signatures {
        Some(_) => verifier.checkpoint(&note, keys).map(drop)?,
        None => verifier.head(&checkpoint)?,
    }
    Ok(Verified { report: verifier.finish()?, checkpoint, signatures })
}

/// The tile of each level that is being read.
struct Tiles {
    size: u64,
    cached: Vec<Option<(u64, Vec<Hash>)>>,
}

impl Tiles {
    /// Hash `at` of a level; `(first, last)` are the entries that it stands for.
    fn hash<E>(
        &mut self,
        level: u8,
        at: u64,
        (first, last): (u64, u64),
        fetch: &mut impl FnMut(&str, u64, u64) -> Result<Vec<u8>, VerifyError<E>>,
    ) -> Result<Hash, VerifyError<E>> {
        let tile_width = u64::from(TILE_WIDTH);
        let (index, within) = (at / tile_width, (at % tile_width) as usize);
        if self.cached.len() <= usize::from(level) {
            self.cached.resize(usize::from(level) + 1, None);
        }
        let slot = self.cached.get_mut(usize::from(level));
        let cached = slot.as_ref().and_then(|slot| slot.as_ref());
        if let Some((_, hashes)) = cached.filter(|(cached, _)| *cached == index)
            && let Some(hash) = hashes.get(within)
        {
            return Ok(*hash);
        }
        let filled = (self.size >> (8 * u32::from(level))) - index * tile_width;
        let width = filled.min(tile_width) as u16;
        let path = Resource::Tile(Tile { level, index, width }).to_string();
        let bytes = fetch(&path, first, last)?;
        let damaged = || Finding { first, last, what: What::Damaged(path.clone()) };
        let hashes = decode_tile(&bytes, width).map_err(|_| damaged())?;
        let hash = *hashes.get(within).ok_or_else(damaged)?;
        if let Some(slot) = slot {
            *slot = Some((index, hashes));
        }
        Ok(hash)
    }
}
