//! Inclusion and consistency proofs (RFC 6962 sections 2.1.1 and 2.1.2; verification as in
//! RFC 9162 sections 2.1.3.2 and 2.1.4.2).

use crate::hash::{Hash, node_hash, sha256};
use crate::tile::TILE_HEIGHT;

/// A run of stored hashes within one tile level and one tile: what a proof has to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashRange {
    /// Tile level, as in [`crate::StoredHash::level`].
    pub level: u8,
    /// First position within the level.
    pub start: u64,
    /// How many hashes: for proofs a power of two from 1 to 128, for export a tile's width.
    pub count: u16,
}

/// Why a proof cannot be made, or does not hold.
#[derive(Debug, thiserror::Error)]
pub enum ProofError<E = std::convert::Infallible> {
    /// The index is not in the tree, or the old tree is larger than the new one.
    #[error("no such proof: the index or the old size lies outside the tree")]
    Range,
    /// The proof does not lead to the given root.
    #[error("the proof does not lead to the root")]
    Mismatch,
    /// The reader answered with another number of hashes.
    #[error("the store answered {0:?} with another number of hashes")]
    Count(HashRange),
    /// The reader failed.
    #[error("stored hashes could not be read")]
    Read(#[source] E),
}

/// The largest power of two below `size`; `size` is at least 2.
fn split(size: u64) -> u64 {
    1 << (63 - (size - 1).leading_zeros())
}

/// Root of the leaves `[start, start + size)`, where `start` is a multiple of the next power of two.
fn subtree<E>(
    start: u64,
    size: u64,
    read: &mut impl FnMut(HashRange) -> Result<Vec<Hash>, E>,
) -> Result<Hash, ProofError<E>> {
    if !size.is_power_of_two() {
        let left = split(size);
        let left_hash = subtree(start, left, read)?;
        let right_hash = subtree(start + left, size - left, read)?;
        return Ok(node_hash(&left_hash, &right_hash));
    }
    let height = size.trailing_zeros();
    let (level, within) = (height / TILE_HEIGHT, height % TILE_HEIGHT);
    let range =
        HashRange { level: level as u8, start: start >> (level * TILE_HEIGHT), count: 1 << within };
    let mut hashes = read(range).map_err(ProofError::Read)?;
    if hashes.len() != usize::from(range.count) {
        return Err(ProofError::Count(range));
    }
    for _ in 0..within {
        hashes = hashes
            .chunks_exact(2)
            .filter_map(|pair| match pair {
                [left, right] => Some(node_hash(left, right)),
                _ => None,
            })
            .collect();
    }
    hashes.first().copied().ok_or(ProofError::Count(range))
}

/// The root of the first `size` entries, from stored hashes.
///
/// # Errors
/// [`ProofError::Read`] and [`ProofError::Count`] from the reader.
pub fn root_at<E>(
    size: u64,
    mut read: impl FnMut(HashRange) -> Result<Vec<Hash>, E>,
) -> Result<Hash, ProofError<E>> {
    if size == 0 { Ok(sha256(b"")) } else { subtree(0, size, &mut read) }
}

/// The inclusion proof of entry `index` in the tree of the first `size` entries, lowest node
/// first. It reads O(log size) runs of stored hashes.
///
/// # Errors
/// [`ProofError::Range`] if `index` is not below `size`; else what the reader answers.
pub fn inclusion_proof<E>(
    index: u64,
    size: u64,
    mut read: impl FnMut(HashRange) -> Result<Vec<Hash>, E>,
) -> Result<Vec<Hash>, ProofError<E>> {
    if index >= size {
        return Err(ProofError::Range);
    }
    let mut proof = Vec::new();
    let (mut start, mut width) = (0, size);
    while width > 1 {
        let left = split(width);
        if index - start < left {
            proof.push(subtree(start + left, width - left, &mut read)?);
            width = left;
        } else {
            proof.push(subtree(start, left, &mut read)?);
            start += left;
            width -= left;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// The consistency proof between the trees of the first `old` and the first `new` entries, lowest
/// node first. Empty for `old == new` and for `old == 0`.
///
/// # Errors
/// [`ProofError::Range`] if `old` is above `new`; else what the reader answers.
pub fn consistency_proof<E>(
    old: u64,
    new: u64,
    mut read: impl FnMut(HashRange) -> Result<Vec<Hash>, E>,
) -> Result<Vec<Hash>, ProofError<E>> {
    if old > new {
        return Err(ProofError::Range);
    }
    let mut proof = Vec::new();
    if old == 0 || old == new {
        return Ok(proof);
    }
    let (mut start, mut width, mut wanted, mut whole) = (0, new, old, true);
    while wanted < width {
        let left = split(width);
        if wanted <= left {
            proof.push(subtree(start + left, width - left, &mut read)?);
            width = left;
        } else {
            proof.push(subtree(start, left, &mut read)?);
            start += left;
            width -= left;
            wanted -= left;
            whole = false;
        }
    }
    // The old tree itself is known to whoever checks; a part of it is not.
    if !whole {
        proof.push(subtree(start, width, &mut read)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Checks that `leaf` is entry `index` of the tree with `size` entries and the given root.
///
/// # Errors
/// [`ProofError::Range`] if `index` is not below `size`, [`ProofError::Mismatch`] otherwise.
pub fn verify_inclusion(
    proof: &[Hash],
    index: u64,
    leaf: &Hash,
    size: u64,
    root: &Hash,
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::Range);
    }
    let (mut node, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for sibling in proof {
        if last == 0 {
            return Err(ProofError::Mismatch);
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last == 0 && hash == *root { Ok(()) } else { Err(ProofError::Mismatch) }
}

/// Checks that the tree with `old` entries is a prefix of the one with `new` entries.
///
/// # Errors
/// [`ProofError::Range`] if `old` is above `new`, [`ProofError::Mismatch`] otherwise.
pub fn verify_consistency(
    proof: &[Hash],
    old: u64,
    old_root: &Hash,
    new: u64,
    new_root: &Hash,
) -> Result<(), ProofError> {
    let hold = |yes: bool| if yes { Ok(()) } else { Err(ProofError::Mismatch) };
    if old > new {
        return Err(ProofError::Range);
    }
    if old == new {
        return hold(proof.is_empty() && old_root == new_root);
    }
    if old == 0 {
        return hold(proof.is_empty() && *old_root == sha256(b""));
    }
    let mut rest = proof.iter();
    let start = if old.is_power_of_two() { Some(old_root) } else { rest.next() };
    let Some(start) = start else { return Err(ProofError::Mismatch) };
    let shift = (old - 1).trailing_ones();
    let (mut node, mut last) = ((old - 1) >> shift, (new - 1) >> shift);
    let (mut old_hash, mut new_hash) = (*start, *start);
    for sibling in rest {
        if last == 0 {
            return Err(ProofError::Mismatch);
        }
        if node & 1 == 1 || node == last {
            old_hash = node_hash(sibling, &old_hash);
            new_hash = node_hash(sibling, &new_hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = node_hash(&new_hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    hold(last == 0 && old_hash == *old_root && new_hash == *new_root)
}
