//! The right edge of the tree: all that is needed to append.

use crate::hash::{Hash, node_hash, sha256};
use crate::tile::TILE_HEIGHT;

/// First byte of the stored form, so that the form can change one day.
const FORMAT: u8 = 1;

/// The largest tree: indexes stay below 2^53 so that they survive JSON readers with doubles.
pub const MAX_SIZE: u64 = 1 << 53;

/// A hash that tiles contain: at tile level `level` (0 = leaf hashes, 1 = roots of full level-0
/// tiles, …) and position `index` within that level.
///
/// These are the only hashes worth storing; every other node is computed from at most 128 of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredHash {
    /// Tile level, 0 to 6.
    pub level: u8,
    /// Position within the level, from 0.
    pub index: u64,
    /// The hash.
    pub hash: Hash,
}

/// The state of an append-only tree: its size and the roots of the perfect subtrees on its right
/// edge, at most 53 hashes.
///
/// The storage keeps [`Frontier::to_bytes`] in the row that it locks while appending.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    /// Largest subtree first: one hash for each bit set in `size`.
    peaks: Vec<Hash>,
}

/// Why a stored frontier cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrontierError {
    /// The bytes are not a frontier that this version writes.
    #[error("the stored frontier is damaged or of an unknown format")]
    Malformed,
    /// No further entry fits.
    #[error("the log is full (2^53 entries)")]
    Full,
}

impl Frontier {
    /// Number of entries.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf hash and says which hashes are now final and have to be stored: the leaf
    /// itself and, each time a tile is full, the tile's root one level up. Amortized cost: two
    /// hashes.
    ///
    /// # Errors
    /// [`FrontierError::Full`] at 2^53 entries; nothing has changed then.
    pub fn push(&mut self, leaf: Hash) -> Result<Vec<StoredHash>, FrontierError> {
        if self.size >= MAX_SIZE {
            return Err(FrontierError::Full);
        }
        let index = self.size;
        let mut stored = vec![StoredHash { level: 0, index, hash: leaf }];
        let mut hash = leaf;
        // Each trailing one bit of the index is a perfect subtree waiting for a right sibling.
        for height in 1..=index.trailing_ones() {
            let Some(left) = self.peaks.pop() else { return Err(FrontierError::Malformed) };
            hash = node_hash(&left, &hash);
            if height % TILE_HEIGHT == 0 {
                let level = (height / TILE_HEIGHT) as u8;
                stored.push(StoredHash { level, index: index >> height, hash });
            }
        }
        self.peaks.push(hash);
        self.size += 1;
        Ok(stored)
    }

    /// The root hash of the tree. The empty tree has the hash of nothing (RFC 6962).
    #[must_use]
    pub fn root(&self) -> Hash {
        self.peaks
            .iter()
            .rev()
            .copied()
            .reduce(|right, left| node_hash(&left, &right))
            .unwrap_or_else(|| sha256(b""))
    }

    /// Stored form: a format byte (1), the size as 8 bytes big-endian, then the subtree roots,
    /// largest first, 32 bytes each. At most 1,705 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(9 + 32 * self.peaks.len());
        out.push(FORMAT);
        out.extend_from_slice(&self.size.to_be_bytes());
        self.peaks.iter().for_each(|hash| out.extend_from_slice(hash.as_bytes()));
        out
    }

    /// The inverse of [`Frontier::to_bytes`]. It cannot tell whether the hashes are right: compare
    /// [`Frontier::root`] with the signed checkpoint for that.
    ///
    /// # Errors
    /// [`FrontierError::Malformed`] for an unknown format or a length that does not fit the size.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FrontierError> {
        let (head, tail) = bytes.split_at_checked(9).ok_or(FrontierError::Malformed)?;
        let (format, size) = head.split_first().ok_or(FrontierError::Malformed)?;
        let size = u64::from_be_bytes(size.try_into().map_err(|_| FrontierError::Malformed)?);
        if *format != FORMAT || size > MAX_SIZE || tail.len() != 32 * size.count_ones() as usize {
            return Err(FrontierError::Malformed);
        }
        let peaks: Result<Vec<_>, _> = tail.chunks_exact(32).map(Hash::from_slice).collect();
        Ok(Self { size, peaks: peaks.map_err(|_| FrontierError::Malformed)? })
    }
}
