//! The export ledger: entries, checkpoint, one entry with its proof and its re-creation.

use askama::Template;

use super::cases::{Chip, Pager};
use super::markup::{Choice, Tally};
use super::runs::Half;
use super::shell::Shell;
use crate::i18n::When;

/// `GET /ledger` and `GET /ledger/{number}`
#[derive(Debug, Clone, Template)]
#[template(path = "ledger/ledger.html", blocks = ["entries", "entry"])]
pub struct Ledger {
    /// Frame
    pub shell: Shell,
    /// The signed head
    pub checkpoint: Checkpoint,
    /// Result of a check of the whole chain that was just made
    pub verified: Option<Verified>,
    /// Kinds: value, label in the reader's language, chosen
    pub kinds: Vec<Choice>,
    /// Who to filter by
    pub q: String,
    /// First and last day, `2026-09-28`; may be empty
    pub days: (String, String),
    /// Conditions in force
    pub chips: Vec<Chip>,
    /// Entries, newest first
    pub entries: Vec<LedgerRow>,
    /// Where the list goes on
    pub pager: Pager,
    /// Bytes sent by the entries of this filter, where it is known
    pub bytes_sent: Option<i64>,
    /// The entry that is open
    pub entry: Option<LedgerEntry>,
}

/// The signed head of the log.
#[derive(Debug, Clone, Default)]
pub struct Checkpoint {
    /// Number of entries it covers
    pub size: i64,
    /// Root hash, base64 as in the signed note
    pub root: String,
    /// When it was signed
    pub at: When,
    /// Name of the key
    pub key: String,
    /// Whether the last check held; open when there was none
    pub state: Tally,
}

/// Result of a check of the chain.
#[derive(Debug, Clone, Default)]
pub struct Verified {
    /// Whether it holds
    pub holds: bool,
    /// Entries that were checked
    pub entries: i64,
    /// Seconds with one decimal
    pub seconds: String,
    /// What does not hold, in the reader's language
    pub problem: String,
}

/// One line of the ledger.
#[derive(Debug, Clone, Default)]
pub struct LedgerRow {
    /// Number, from 1
    pub number: i64,
    /// When
    pub at: When,
    /// What, in the reader's language: `Run, User directory`
    pub what: String,
    /// More about it: filter, reason
    pub detail: String,
    /// Who
    pub who: String,
    /// People in it
    pub people: Option<i64>,
    /// Bytes made
    pub bytes_made: Option<i64>,
    /// Bytes sent, and of how many when it was aborted
    pub bytes_sent: Option<(i64, Option<i64>)>,
    /// First digits of the digest; empty when not recorded
    pub digest: String,
    /// State of its tally
    pub tally: Tally,
    /// The same in words, in the reader's language: `identical`, `sent in full`, `not yet`
    pub tally_text: String,
    /// The one that is open
    pub current: bool,
}

/// One entry in full.
#[derive(Debug, Clone, Default)]
pub struct LedgerEntry {
    /// Number
    pub number: i64,
    /// Kind, in the reader's language
    pub kind: String,
    /// Address for `POST` to re-create it; `None` when there is nothing to re-create
    pub replay_href: Option<String>,
    /// What was recorded; `None` when it made no file
    pub recorded: Option<Half>,
    /// What was re-created
    pub remade: Option<Half>,
    /// State of the tally
    pub tally: Tally,
    /// How long the re-creation took, in seconds with one decimal
    pub seconds: String,
    /// Terms and values, in the reader's language: who, session, network, filter, purpose …
    pub facts: Vec<(String, String)>,
    /// The entry as canonical JSON
    pub json: String,
    /// That it is in the log
    pub proof: Option<Proof>,
}

/// Inclusion proof of an entry.
#[derive(Debug, Clone, Default)]
pub struct Proof {
    /// Index of the leaf, from 0
    pub index: i64,
    /// Size of the tree
    pub size: i64,
    /// Leaf hash, base64
    pub leaf: String,
    /// Hashes up to the root, base64
    pub path: Vec<String>,
    /// Whether it leads to the root of the checkpoint
    pub holds: bool,
}
