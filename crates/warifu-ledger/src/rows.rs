//! A keyed commitment to the ids of the rows of a report.
//!
//! It is the RFC 6962 root over one leaf per row in the order of the file, each leaf being
//! `blind || id` with `blind = HMAC-SHA-256(row key, id)`. Why so:
//!
//! * **Keyed**: ids are guessable. Without the key nobody can try ids against the commitment, and
//!   as each run has a key of its own, two runs over the same people cannot be linked.
//! * **A tree**: one row can be shown to have been in a file ([`RowOpening`]) to somebody who
//!   gets neither the key nor another row; an HMAC over all ids could not do that.
//! * **In file order**, not sorted: it needs memory for at most 53 hashes however long the report
//!   is, and a replay, whose order is total and pinned, gives the same root. A changed order is a
//!   change of the file and should show.
//!
//! That a row was *not* in a file is shown by replaying the run, or by giving the key to an
//! examiner; this commitment does not prove absence to people without the key.

use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::frontier::{Frontier, FrontierError};
use crate::hash::{Hash, leaf_hash};
use crate::proof::{ProofError, verify_inclusion};

/// The key of one run, derived from the installation's secret.
#[derive(Clone)]
pub struct RowKey([u8; 32]);

/// HMAC-SHA-256 over parts, each after its length, so that parts cannot run into each other.
fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC takes keys of any length, so that the error branch is never taken.
    let Ok(mut mac) = <Hmac<Sha256> as Mac>::new_from_slice(key) else { return [0; 32] };
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

impl RowKey {
    /// Derives the key of a run.
    #[must_use]
    pub fn derive(secret: &[u8; 32], run: &str) -> Self {
        Self(mac(secret, &[b"warifu row ids v1", run.as_bytes()]))
    }

    /// What shows one row: its id and its blind. Together with an inclusion proof of its leaf it
    /// can be given to others.
    #[must_use]
    pub fn open(&self, id: &[u8]) -> RowOpening {
        RowOpening { id: id.into(), blind: mac(&self.0, &[id]) }
    }
}

/// One row, shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowOpening {
    /// Id of the row.
    pub id: Vec<u8>,
    /// What kept it from being guessed.
    pub blind: [u8; 32],
}

impl RowOpening {
    /// The leaf that stands for this row.
    #[must_use]
    pub fn leaf(&self) -> Hash {
        let mut bytes = self.blind.to_vec();
        bytes.extend_from_slice(&self.id);
        leaf_hash(&bytes)
    }

    /// Checks that this is row `index` (from 0) of a file with `rows` rows and this commitment.
    ///
    /// # Errors
    /// As [`verify_inclusion`].
    pub fn verify(
        &self,
        proof: &[Hash],
        index: u64,
        rows: u64,
        commitment: &Hash,
    ) -> Result<(), ProofError> {
        verify_inclusion(proof, index, &self.leaf(), rows, commitment)
    }
}

/// Takes the ids of a report's rows as they are written; constant memory.
#[derive(Clone)]
pub struct RowsCommitment {
    key: RowKey,
    frontier: Frontier,
}

impl RowsCommitment {
    /// Before the first row.
    #[must_use]
    pub fn new(key: RowKey) -> Self {
        Self { key, frontier: Frontier::default() }
    }

    /// The next row.
    ///
    /// # Errors
    /// [`FrontierError::Full`] at 2^53 rows.
    pub fn push(&mut self, id: &[u8]) -> Result<(), FrontierError> {
        self.frontier.push(self.key.open(id).leaf()).map(drop)
    }

    /// Rows so far.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.frontier.size()
    }

    /// The commitment to the rows so far.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.frontier.root()
    }
}
