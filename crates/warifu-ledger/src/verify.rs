//! Checking a whole log in one pass, naming the first entry that is wrong.

use std::collections::BTreeMap;
use std::fmt;

use crate::checkpoint::{Checkpoint, CheckpointError, Opened};
use crate::entry::{Kind, Wire};
use crate::frontier::{Frontier, StoredHash};
use crate::hash::{Hash, leaf_hash};
use crate::note::VerifyingKey;
use crate::tile::TILE_HEIGHT;

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum What {
    /// The store's number of the entry is not its position.
    SequenceGap {
        /// Number found.
        found: u64,
    },
    /// The entry's bytes do not have the stored leaf hash.
    HashDiffers,
    /// The bytes are not a canonical entry.
    NotCanonical(String),
    /// Earlier than the entry before it.
    TimeBackwards {
        /// Microseconds by which.
        by: i64,
    },
    /// An end or abort whose start is not there, or already has its end.
    EndWithoutStart(String),
    /// A second start of a run that is still open.
    StartedTwice(String),
    /// A stored inner hash is missing or not the root of what is below it.
    TileDiffers {
        /// Tile level.
        level: u8,
        /// Position within the level.
        index: u64,
    },
    /// The checkpoint's root is not that of the entries.
    RootDiffers,
    /// The log has fewer or more entries than the checkpoint says.
    SizeDiffers {
        /// Entries according to the checkpoint.
        checkpoint: u64,
    },
    /// The checkpoint is not one, or its signature does not hold.
    Signature(CheckpointError),
    /// The checkpoint is that of another log.
    Origin(String),
    /// A file of an exported log is missing.
    Missing(String),
    /// A file of an exported log is damaged.
    Damaged(String),
}

/// The first thing that is wrong: entries `first..=last` are affected. One entry where it can be
/// told which; a range where only a tree node or a checkpoint can tell.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Finding {
    /// Index of the first entry affected, from 0.
    pub first: u64,
    /// Index of the last entry affected.
    pub last: u64,
    /// What is wrong.
    pub what: What,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(f, "entry {}: ", self.first)?;
        } else {
            write!(f, "entries {} to {}: ", self.first, self.last)?;
        }
        match &self.what {
            What::SequenceGap { found } => write!(f, "it is numbered {found}"),
            What::HashDiffers => f.write_str("its bytes do not have the recorded hash"),
            What::NotCanonical(why) => f.write_str(why),
            What::TimeBackwards { by } => {
                write!(f, "it is {by} microseconds earlier than the entry before")
            }
            What::EndWithoutStart(run) => write!(f, "it ends the run {run:?}, which is not open"),
            What::StartedTwice(run) => write!(f, "it starts the run {run:?}, which is open"),
            What::TileDiffers { level, index } => {
                write!(f, "the stored hash {index} of tile level {level} is missing or differs")
            }
            What::RootDiffers => f.write_str("their root is not that of the signed checkpoint"),
            What::SizeDiffers { checkpoint } => {
                write!(f, "the signed checkpoint has {checkpoint} entries")
            }
            What::Signature(error) => write!(f, "the checkpoint does not hold: {error}"),
            What::Origin(origin) => write!(f, "the checkpoint is of another log, {origin:?}"),
            What::Missing(path) => write!(f, "{path} is missing"),
            What::Damaged(path) => write!(f, "{path} is damaged"),
        }
    }
}

/// A run that has a start but no end yet. Not an error by itself: it may still be running, or the
/// machine stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// Id of the run.
    pub run: String,
    /// Index of its start.
    pub index: u64,
    /// Time of its start in microseconds.
    pub at: i64,
}

/// What was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Entries.
    pub size: u64,
    /// Root hash.
    pub root: Hash,
    /// Size of the last checkpoint that held; entries from there on are not signed for.
    pub signed_size: u64,
    /// Starts without an end, by index.
    pub open: Vec<Open>,
    /// Entries of kinds that this version does not know; their integrity is checked all the same.
    pub unknown_kinds: u64,
}

/// Checks a log in one pass. Memory: the tree's right edge and the runs that are open.
///
/// Feed every entry in order with [`Verifier::entry`], the stored inner hashes it asks for with
/// [`Verifier::stored`], and each kept checkpoint when the log has reached its size with
/// [`Verifier::checkpoint`]. The first finding stays: every later call repeats it.
#[derive(Debug, Clone, Default)]
pub struct Verifier {
    frontier: Frontier,
    last_at: i64,
    open: BTreeMap<(bool, String), (u64, i64)>,
    signed_size: u64,
    unknown_kinds: u64,
    origin: Option<String>,
    found: Option<Finding>,
}

impl Verifier {
    /// For the log with this origin; checkpoints of others are refused.
    #[must_use]
    pub fn new(origin: &str) -> Self {
        Self { origin: Some(origin.into()), ..Self::default() }
    }

    /// Entries checked so far.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// The tree's edge so far, to be compared with the stored one at the end.
    #[must_use]
    pub fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    fn refuse<T>(&mut self, first: u64, last: u64, what: What) -> Result<T, Finding> {
        let finding = Finding { first, last, what };
        self.found = Some(finding.clone());
        Err(finding)
    }

    fn still_good(&self) -> Result<(), Finding> {
        self.found.clone().map_or(Ok(()), Err)
    }

    /// The next entry: its number in the store, its bytes and its stored leaf hash. The answer
    /// are the inner hashes (level 1 and up) that are now complete; pass what the store has for
    /// each to [`Verifier::stored`]. Mostly there are none.
    ///
    /// # Errors
    /// The first finding.
    pub fn entry(
        &mut self,
        sequence: u64,
        bytes: &[u8],
        stored_leaf: &Hash,
    ) -> Result<Vec<StoredHash>, Finding> {
        self.still_good()?;
        let index = self.size();
        if sequence != index {
            return self.refuse(index, index, What::SequenceGap { found: sequence });
        }
        let leaf = leaf_hash(bytes);
        if leaf != *stored_leaf {
            return self.refuse(index, index, What::HashDiffers);
        }
        let wire = match Wire::parse(bytes) {
            Ok(wire) => wire,
            Err(why) => return self.refuse(index, index, What::NotCanonical(why.to_string())),
        };
        if wire.at < self.last_at {
            let by = self.last_at - wire.at;
            return self.refuse(index, index, What::TimeBackwards { by });
        }
        self.last_at = wire.at;
        if let Err(what) = self.pair(index, &wire) {
            return self.refuse(index, index, what);
        }
        match self.frontier.push(leaf) {
            Ok(stored) => Ok(stored.into_iter().filter(|hash| hash.level > 0).collect()),
            Err(why) => self.refuse(index, index, What::NotCanonical(why.to_string())),
        }
    }

    /// Keeps track of starts and ends.
    fn pair(&mut self, index: u64, wire: &Wire) -> Result<(), What> {
        let Ok(kind) = wire.kind.parse::<Kind>() else {
            self.unknown_kinds += 1;
            return Ok(());
        };
        let (report, start) = match kind {
            Kind::ReportStart => (true, true),
            Kind::ReportEnd | Kind::ReportAbort => (true, false),
            Kind::TransferStart => (false, true),
            Kind::TransferEnd | Kind::TransferAbort => (false, false),
            _ => return Ok(()),
        };
        let Some(run) = wire.body.get("run").and_then(|run| run.as_str()) else {
            return Err(What::NotCanonical(format!("the {kind} entry names no run")));
        };
        let key = (report, run.to_owned());
        if !start {
            return match self.open.remove(&key) {
                Some(_) => Ok(()),
                None => Err(What::EndWithoutStart(key.1)),
            };
        }
        match self.open.insert(key, (index, wire.at)) {
            None => Ok(()),
            Some(_) => Err(What::StartedTwice(run.into())),
        }
    }

    /// Compares an inner hash with what the store has (`None`: nothing).
    ///
    /// # Errors
    /// The first finding; it names the entries below that node.
    pub fn stored(&mut self, expected: &StoredHash, found: Option<&Hash>) -> Result<(), Finding> {
        self.still_good()?;
        if found == Some(&expected.hash) {
            return Ok(());
        }
        let StoredHash { level, index, .. } = *expected;
        let shift = TILE_HEIGHT * u32::from(level);
        let first = index << shift;
        let last = first + ((1 << shift) - 1);
        self.refuse(first, last, What::TileDiffers { level, index })
    }

    /// Compares a signed checkpoint with the entries so far. Call it when [`Verifier::size`] is
    /// the checkpoint's size; every checkpoint that holds also shows that the log was only
    /// appended to since the one before.
    ///
    /// # Errors
    /// The first finding; it names the entries since the last checkpoint that held.
    pub fn checkpoint(&mut self, note: &[u8], keys: &[VerifyingKey]) -> Result<Opened, Finding> {
        self.still_good()?;
        let size = self.size();
        let (first, last) = (self.signed_size, size.saturating_sub(1).max(self.signed_size));
        let opened = match Checkpoint::verify(note, keys) {
            Ok(opened) => opened,
            Err(error) => return self.refuse(first, last, What::Signature(error)),
        };
        self.head(&opened.checkpoint)?;
        self.signed_size = size;
        Ok(opened)
    }

    /// Compares a head whose signatures somebody else checked, or nobody, with the entries so far.
    ///
    /// # Errors
    /// As [`Verifier::checkpoint`].
    pub fn head(&mut self, head: &Checkpoint) -> Result<(), Finding> {
        self.still_good()?;
        let size = self.size();
        let (first, last) = (self.signed_size, size.saturating_sub(1).max(self.signed_size));
        let Checkpoint { origin, size: signed, root, .. } = head;
        if self.origin.as_ref().is_some_and(|own| own != origin) {
            return self.refuse(first, last, What::Origin(origin.clone()));
        }
        if *signed != size {
            // The first entry that is missing, or the first that is too many.
            let first = size.min(*signed);
            let last = size.max(*signed) - 1;
            return self.refuse(first, last, What::SizeDiffers { checkpoint: *signed });
        }
        if *root != self.frontier.root() {
            return self.refuse(first, last, What::RootDiffers);
        }
        Ok(())
    }

    /// Ends the check.
    ///
    /// # Errors
    /// The first finding, if there was one.
    pub fn finish(self) -> Result<Report, Finding> {
        self.still_good()?;
        let mut open: Vec<_> =
            self.open.into_iter().map(|((_, run), (index, at))| Open { run, index, at }).collect();
        open.sort_by_key(|open| open.index);
        Ok(Report {
            size: self.frontier.size(),
            root: self.frontier.root(),
            signed_size: self.signed_size,
            open,
            unknown_kinds: self.unknown_kinds,
        })
    }
}
