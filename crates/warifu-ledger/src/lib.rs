//! The tamper-evident log of Warifu: entry format, Merkle tree, tiles, checkpoints, proofs and
//! verification.
//!
//! No I/O, no clock, no randomness: callers pass bytes, times, seeds and closures, so that this
//! crate can be read and tested alone. The formats are public ones, so that an examiner can check
//! a log without this code:
//!
//! * hashing and proofs: RFC 6962 section 2.1,
//! * tiles, entry bundles and their paths: <https://c2sp.org/tlog-tiles>,
//! * signed heads: <https://c2sp.org/tlog-checkpoint> in a <https://c2sp.org/signed-note>,
//! * witness signatures: <https://c2sp.org/tlog-cosignature>,
//! * entries: canonical JSON, RFC 8785.
//!
//! `docs/ledger.md` says the same for readers who do not read Rust.
//!
//! # Appending
//! ```
//! use warifu_ledger::{Checkpoint, Entry, Frontier, SigningKey, body};
//!
//! let key = SigningKey::from_seed("log.example/ledger", &[7; 32])?; // seed: from a real source
//! let mut frontier = Frontier::default(); // or Frontier::from_bytes(stored)
//! let entry = Entry::of(1_695_913_560_000_000, &body::SignOut { reason: None })?;
//! let bytes = entry.to_bytes()?;
//! let to_store = frontier.push(bytes.leaf_hash())?; // hashes to store in the same transaction
//! assert_eq!(to_store.len(), 1);
//! let head = Checkpoint::new("log.example/ledger", frontier.size(), frontier.root())?;
//! let note = head.sign(&key)?;
//! let opened = Checkpoint::verify(note.as_bytes(), &[key.verifying_key()])?;
//! assert_eq!(opened.checkpoint.size, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod body;
mod checkpoint;
#[cfg(feature = "cli")]
pub mod cli;
mod entry;
pub mod export;
mod frontier;
mod hash;
pub mod json;
mod note;
mod proof;
mod rows;
mod tile;
mod verify;

pub use checkpoint::{Checkpoint, CheckpointError, Opened};
pub use entry::{Actor, Count, ENTRY_LIMIT, Entry, EntryBytes, EntryError, Kind, Network, Role};
pub use frontier::{Frontier, FrontierError, StoredHash};
pub use hash::{Hash, HashError, leaf_hash, node_hash, sha256};
pub use note::{KeyError, Note, NoteError, NoteSignature, SigningKey, VerifiedBy, VerifyingKey};
pub use proof::{
    HashRange, ProofError, consistency_proof, inclusion_proof, root_at, verify_consistency,
    verify_inclusion,
};
pub use rows::{RowKey, RowOpening, RowsCommitment};
pub use tile::{
    PathError, Resource, TILE_WIDTH, Tile, TileError, bundle_path, decode_bundle, decode_tile,
    encode_bundle, encode_tile, parse_path, resources, tile_path,
};
pub use verify::{Finding, Open, Report, Verifier, What};
