//! Tiles, entry bundles and their paths (C2SP tlog-tiles).

use std::fmt;

use crate::frontier::MAX_SIZE;
use crate::hash::Hash;

/// Height of a tile in tree levels (fixed by tlog-tiles).
pub(crate) const TILE_HEIGHT: u32 = 8;
/// Hashes in a full tile and entries in a full bundle (fixed by tlog-tiles).
pub const TILE_WIDTH: u16 = 256;
/// The highest tile level of a log with at most 2^53 entries.
const TOP_LEVEL: u8 = 6;
/// The highest level that tlog-tiles allows in a path.
const MAX_PATH_LEVEL: u8 = 63;

/// A tile of hashes or a bundle of entries, by position; `width` says how many of at most 256
/// places are filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    /// Tile level: 0 for leaf hashes. Bundles have level 0 as well.
    pub level: u8,
    /// Position of the tile within its level, from 0.
    pub index: u64,
    /// Filled places, 1 to 256; below 256 the tile is partial.
    pub width: u16,
}

/// What a path of a static log names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// `checkpoint`
    Checkpoint,
    /// `tile/<level>/<index>[.p/<width>]`
    Tile(Tile),
    /// `tile/entries/<index>[.p/<width>]`
    Entries(Tile),
}

/// The path is not one that tlog-tiles defines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a path of a tiled log")]
pub struct PathError;

/// Why bytes are not a tile or a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TileError {
    /// The length does not fit the number of hashes.
    #[error("the tile does not have {0} hashes")]
    Width(u16),
    /// The bundle ends within an entry, or has more or fewer entries than its path says.
    #[error("the entry bundle does not have exactly {0} whole entries")]
    Bundle(u16),
    /// An entry of 64 KiB or more does not fit the length prefix.
    #[error("an entry of {0} bytes does not fit into a bundle (at most 65,535)")]
    TooLong(usize),
}

/// Index in groups of three digits: `1234067` is `x001/x234/067`.
fn write_index(f: &mut impl fmt::Write, index: u64) -> fmt::Result {
    let mut groups = vec![index % 1000];
    let mut rest = index / 1000;
    while rest > 0 {
        groups.push(rest % 1000);
        rest /= 1000;
    }
    for (left, group) in groups.iter().enumerate().rev() {
        if left > 0 {
            write!(f, "x{group:03}/")?;
        } else {
            write!(f, "{group:03}")?;
        }
    }
    Ok(())
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tile = match self {
            Self::Checkpoint => return f.write_str("checkpoint"),
            Self::Tile(tile) => {
                write!(f, "tile/{}/", tile.level)?;
                tile
            }
            Self::Entries(tile) => {
                f.write_str("tile/entries/")?;
                tile
            }
        };
        write_index(f, tile.index)?;
        if tile.width < TILE_WIDTH { write!(f, ".p/{}", tile.width) } else { Ok(()) }
    }
}

/// Path of a tile: `tile/0/x001/234`, partial ones end in `.p/<width>`.
#[must_use]
pub fn tile_path(level: u8, index: u64, width: u16) -> String {
    Resource::Tile(Tile { level, index, width }).to_string()
}

/// Path of an entry bundle: `tile/entries/x001/234`, partial ones end in `.p/<width>`.
#[must_use]
pub fn bundle_path(index: u64, width: u16) -> String {
    Resource::Entries(Tile { level: 0, index, width }).to_string()
}

/// Parses any path of a static log; accepts exactly what [`Resource`] prints.
///
/// # Errors
/// [`PathError`] for everything else, also for other spellings of the same number.
pub fn parse_path(path: &str) -> Result<Resource, PathError> {
    if path == "checkpoint" {
        return Ok(Resource::Checkpoint);
    }
    let rest = path.strip_prefix("tile/").ok_or(PathError)?;
    let (level, rest) = rest.split_once('/').ok_or(PathError)?;
    let (index, width) = match rest.split_once(".p/") {
        Some((index, width)) => (index, width.parse().map_err(|_| PathError)?),
        None => (rest, TILE_WIDTH),
    };
    let mut number: u64 = 0;
    for group in index.split('/') {
        let digits = group.strip_prefix('x').unwrap_or(group);
        if digits.len() != 3 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(PathError);
        }
        let value: u64 = digits.parse().map_err(|_| PathError)?;
        number = number.checked_mul(1000).and_then(|n| n.checked_add(value)).ok_or(PathError)?;
    }
    if number >= MAX_SIZE || width == 0 || width > TILE_WIDTH {
        return Err(PathError);
    }
    let resource = if level == "entries" {
        Resource::Entries(Tile { level: 0, index: number, width })
    } else {
        let level: u8 = level.parse().map_err(|_| PathError)?;
        if level > MAX_PATH_LEVEL {
            return Err(PathError);
        }
        Resource::Tile(Tile { level, index: number, width })
    };
    // Printing again refuses leading zeros, plus signs, missing x and a `.p/256`.
    if resource.to_string() == path { Ok(resource) } else { Err(PathError) }
}

/// Everything that a static log of `size` entries consists of, except the checkpoint: entry
/// bundles, then tiles level by level, in order; only the last of each level may be partial.
pub fn resources(size: u64) -> impl Iterator<Item = Resource> {
    let tiles = move |level: u8| {
        let filled = size >> (TILE_HEIGHT * u32::from(level));
        let width = u64::from(TILE_WIDTH);
        (0..filled.div_ceil(width)).map(move |index| Tile {
            level,
            index,
            width: (filled - index * width).min(width) as u16,
        })
    };
    tiles(0).map(Resource::Entries).chain((0..=TOP_LEVEL).flat_map(tiles).map(Resource::Tile))
}

/// The bytes of a tile: its hashes one after the other.
#[must_use]
pub fn encode_tile(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

/// The hashes of a tile of the given width.
///
/// # Errors
/// [`TileError::Width`] if the length is not `width` times 32 bytes.
pub fn decode_tile(bytes: &[u8], width: u16) -> Result<Vec<Hash>, TileError> {
    if bytes.len() != usize::from(width) * 32 {
        return Err(TileError::Width(width));
    }
    bytes
        .chunks_exact(32)
        .map(|chunk| Hash::from_slice(chunk).map_err(|_| TileError::Width(width)))
        .collect()
}

/// The bytes of an entry bundle: each entry after its length (2 bytes, big-endian).
///
/// # Errors
/// [`TileError::TooLong`] for an entry of 64 KiB or more.
pub fn encode_bundle<'a>(
    entries: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Vec<u8>, TileError> {
    let mut out = Vec::new();
    for entry in entries {
        let length = u16::try_from(entry.len()).map_err(|_| TileError::TooLong(entry.len()))?;
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(entry);
    }
    Ok(out)
}

/// The entries of a bundle of the given width.
///
/// # Errors
/// [`TileError::Bundle`] if there are not exactly `width` whole entries.
pub fn decode_bundle(bytes: &[u8], width: u16) -> Result<Vec<&[u8]>, TileError> {
    let mut rest = bytes;
    let mut entries = Vec::with_capacity(usize::from(width));
    while let Some((length, tail)) = rest.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length));
        let (entry, tail) = tail.split_at_checked(length).ok_or(TileError::Bundle(width))?;
        entries.push(entry);
        rest = tail;
    }
    if rest.is_empty() && entries.len() == usize::from(width) {
        Ok(entries)
    } else {
        Err(TileError::Bundle(width))
    }
}
