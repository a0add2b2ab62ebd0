//! Checkpoints: the signed head of the log (C2SP tlog-checkpoint).

use std::fmt;

use crate::frontier::MAX_SIZE;
use crate::hash::Hash;
use crate::note::{Note, NoteError, SigningKey, VerifiedBy, VerifyingKey};

/// The head of a log: what a checkpoint's signatures cover. `Display` writes the note text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log: a schema-less URL, equal to the name of the log's key.
    pub origin: String,
    /// Number of entries.
    pub size: u64,
    /// Root hash of the tree of that size.
    pub root: Hash,
    /// Further lines, covered by the signatures. The specification advises against them.
    pub extensions: Vec<String>,
}

/// A checkpoint whose signatures were checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// The head.
    pub checkpoint: Checkpoint,
    /// Signatures by known keys of the log.
    pub log: Vec<VerifiedBy>,
    /// Cosignatures by known witnesses, with their times.
    pub witnesses: Vec<VerifiedBy>,
    /// How many signature lines come from keys that were not given, and were not checked.
    pub unknown: usize,
}

/// Why a checkpoint is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The text is not origin, size, root and non-empty extension lines.
    #[error("not a checkpoint")]
    Format,
    /// Not a note, or not signed by a known key.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// Known keys signed, but none is a log key named like the origin.
    #[error("no known key of the log {0} signed this checkpoint")]
    NotByLog(String),
    /// The signing key is a witness's, or has another name than the origin.
    #[error("the key {0} cannot sign for this log")]
    Key(String),
}

impl Checkpoint {
    /// A checkpoint without extension lines.
    ///
    /// # Errors
    /// [`CheckpointError::Format`] for an origin that is empty or has a control character, or a
    /// size above 2^53.
    pub fn new(origin: impl Into<String>, size: u64, root: Hash) -> Result<Self, CheckpointError> {
        let checkpoint = Self { origin: origin.into(), size, root, extensions: Vec::new() };
        checkpoint.check()?;
        Ok(checkpoint)
    }

    fn check(&self) -> Result<(), CheckpointError> {
        let line = |text: &String| !text.is_empty() && !text.contains(|c: char| c < ' ');
        if line(&self.origin) && self.extensions.iter().all(line) && self.size <= MAX_SIZE {
            Ok(())
        } else {
            Err(CheckpointError::Format)
        }
    }

    /// Parses a note text (without signatures).
    ///
    /// # Errors
    /// [`CheckpointError::Format`] for anything that this type would not write itself.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let body = text.strip_suffix('\n').ok_or(CheckpointError::Format)?;
        let mut lines = body.split('\n');
        let mut next = || lines.next().ok_or(CheckpointError::Format);
        let (origin, size, root) = (next()?, next()?, next()?);
        let checkpoint = Self {
            origin: origin.into(),
            size: size.parse().map_err(|_| CheckpointError::Format)?,
            root: Hash::from_base64(root).map_err(|_| CheckpointError::Format)?,
            extensions: lines.map(str::to_owned).collect(),
        };
        checkpoint.check()?;
        // Refuses `+1`, `01` and the like.
        if checkpoint.to_string() == text { Ok(checkpoint) } else { Err(CheckpointError::Format) }
    }

    /// Signs with the log's key, whose name has to be the origin. The answer is the whole note.
    ///
    /// # Errors
    /// [`CheckpointError::Key`]; [`CheckpointError::Format`] if fields were set to something that
    /// cannot be written.
    pub fn sign(&self, key: &SigningKey) -> Result<String, CheckpointError> {
        self.check()?;
        let text = self.to_string();
        match key.sign(&text) {
            Some(signature) if key.name() == self.origin => {
                Ok(Note { text, signatures: vec![signature] }.to_string())
            }
            _ => Err(CheckpointError::Key(key.name().into())),
        }
    }

    /// Parses a signed checkpoint and checks all signatures whose keys are given. At least one has
    /// to be of a log key (not a witness) that has the origin as its name, so that the head of
    /// one log cannot stand in for another's.
    ///
    /// # Errors
    /// Any [`CheckpointError`] but `Key`.
    pub fn verify(note: &[u8], keys: &[VerifyingKey]) -> Result<Opened, CheckpointError> {
        let note = Note::parse(note)?;
        let verified = note.verify(keys)?;
        let checkpoint = Self::parse(&note.text)?;
        let known = |name: &str, id| keys.iter().any(|k| k.name() == name && k.id() == id);
        let unknown = note.signatures.iter().filter(|s| !known(&s.name, s.id)).count();
        let (witnesses, mut log): (Vec<_>, Vec<_>) =
            verified.into_iter().partition(|v| v.witnessed_at.is_some());
        log.retain(|v| v.name == checkpoint.origin);
        if log.is_empty() {
            return Err(CheckpointError::NotByLog(checkpoint.origin));
        }
        Ok(Opened { checkpoint, log, witnesses, unknown })
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, self.root.to_base64())?;
        self.extensions.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}
