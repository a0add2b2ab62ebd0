//! A log to play with, in memory.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::convert::Infallible;

use warifu_ledger::export::{Verified, VerifyError, export, verify_folder};
use warifu_ledger::{
    Actor, Checkpoint, Count, Entry, Frontier, Hash, HashRange, Network, Role, SigningKey,
    VerifyingKey, body, leaf_hash, sha256,
};

pub const ORIGIN: &str = "support.example/ledger";
pub type Files = BTreeMap<String, Vec<u8>>;

pub fn key() -> SigningKey {
    SigningKey::from_seed(ORIGIN, &[42; 32]).unwrap()
}

#[derive(Default)]
pub struct Log {
    pub entries: Vec<Vec<u8>>,
    pub hashes: Vec<Vec<Hash>>,
    pub frontier: Frontier,
}

/// Entry `i`: starts and ends of reports in turn, and sign-ins.
pub fn entry(i: u64) -> Entry {
    let at = 1_695_913_560_000_000 + i as i64 / 2;
    let run = format!("run-{}", i / 4);
    let entry = match i % 4 {
        0 => Entry::of(
            at,
            &body::ReportStart {
                run,
                definition: sha256(b"definition"),
                filter: serde_json::json!({"all": [{"column": "Email", "op": "filled"}]}),
                columns: vec!["Full Name".into(), "Email".into(), "会社名".into()],
                order: vec![body::OrderKey { column: "id".into(), descending: false }],
                row_limit: None,
                as_of_revision: Count(i),
                as_of: at,
                dialect: "csv/1 minimal crlf utf-8".into(),
            },
        ),
        1 => Entry::of(
            at,
            &body::SignIn {
                factor: "passkey".into(),
                assurance: 3,
                phishing_resistant: true,
                device_bound: i % 8 == 1,
            },
        ),
        2 => Entry::of(
            at,
            &body::ReportEnd {
                run,
                rows: Count(u64::MAX),
                column_bytes: vec![body::ColumnBytes {
                    column: "Email".into(),
                    bytes: Count(9_007_199_254_740_993),
                }],
                bytes_made: Count(i),
                bytes_on_the_wire: Some(Count(i + 300)),
                bytes_acknowledged: None,
                sha256: sha256(b"file"),
                row_ids: sha256(b"rows"),
            },
        ),
        _ => Entry::of(at, &body::SignOut { reason: Some("idle".into()) }),
    };
    entry
        .unwrap()
        .by(Actor { person: Some(format!("person-{}", i % 7)), role: Role::Agent })
        .in_session(sha256(&i.to_be_bytes()))
        .from_network(Network { prefix: "203.0.113.0/24".into(), asn: Some(64_500) })
}

impl Log {
    pub fn of(size: u64) -> Self {
        let mut log = Self::default();
        (0..size).for_each(|i| log.push(entry(i).to_bytes().unwrap().into_vec()));
        log
    }

    pub fn push(&mut self, entry: Vec<u8>) {
        for stored in self.frontier.push(leaf_hash(&entry)).unwrap() {
            let level = usize::from(stored.level);
            self.hashes.resize(self.hashes.len().max(level + 1), Vec::new());
            self.hashes[level].push(stored.hash);
        }
        self.entries.push(entry);
    }

    pub fn read(&self, range: HashRange) -> Result<Vec<Hash>, Infallible> {
        let start = range.start as usize;
        Ok(self.hashes[usize::from(range.level)][start..start + usize::from(range.count)].to_vec())
    }

    pub fn checkpoint(&self) -> String {
        let head = Checkpoint::new(ORIGIN, self.frontier.size(), self.frontier.root()).unwrap();
        head.sign(&key()).unwrap()
    }

    pub fn files(&self) -> Files {
        let mut files = Files::new();
        export(
            self.checkpoint().as_bytes(),
            |first, count| {
                let first = first as usize;
                Ok::<_, Infallible>(self.entries[first..first + usize::from(count)].to_vec())
            },
            |range| self.read(range),
            |path, bytes| {
                assert!(files.insert(path.into(), bytes.into()).is_none());
                Ok(())
            },
        )
        .unwrap();
        files
    }
}

pub fn verify(files: &Files, keys: &[VerifyingKey]) -> Result<Verified, VerifyError<Infallible>> {
    verify_folder(keys, |path| Ok(files.get(path).cloned()), |_, _| ())
}
