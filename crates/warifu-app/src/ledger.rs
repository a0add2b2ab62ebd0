//! Reading and checking the installation's own ledger.

use crate::{App, AppError};
use std::collections::HashMap;
use warifu_domain::PersonId;
use warifu_domain::access::{Actor, Permission};
use warifu_ledger::{Hash, Report, Verifier, VerifyingKey, inclusion_proof, verify_inclusion};
use warifu_ledger::{Resource, Tile, encode_bundle, encode_tile};
use warifu_storage::ledger;
pub use warifu_storage::ledger::{Entry, Head};

/// A proof that an entry is in the ledger that the checkpoint signs.
pub struct Inclusion {
    pub index: u64,
    pub size: u64,
    pub leaf: Hash,
    pub path: Vec<Hash>,
    pub checkpoint: String,
}

/// Entries read at once while verifying.
const PAGE: i64 = 2_000;

impl App {
    /// The public key that checks this installation's checkpoints.
    pub fn ledger_key(&self) -> VerifyingKey {
        self.keys.ledger.verifying_key()
    }

    /// The ledger's head: size, time and signed checkpoint.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn ledger_head(&self) -> Result<Head, AppError> {
        Ok(ledger::head(&mut self.db.read().await?.conn()).await?)
    }

    /// Whether a proof leads to its checkpoint and the checkpoint is signed with this
    /// installation's key.
    pub fn proof_holds(&self, proof: &Inclusion) -> bool {
        let key = self.ledger_key();
        let opened = warifu_ledger::Checkpoint::verify(proof.checkpoint.as_bytes(), &[key]);
        opened.is_ok_and(|opened| {
            let root = &opened.checkpoint.root;
            opened.checkpoint.size == proof.size
                && verify_inclusion(&proof.path, proof.index, &proof.leaf, proof.size, root).is_ok()
        })
    }

    /// A page of entries, newest first, before a sequence number.
    ///
    /// # Errors
    /// Denied.
    pub async fn ledger_page(
        &self,
        actor: &Actor,
        before: i64,
        kind: Option<&str>,
        by: Option<PersonId>,
        limit: i64,
    ) -> Result<Vec<Entry>, AppError> {
        actor.require(Permission::ReadLedger)?;
        Ok(ledger::page(&mut self.db.read().await?.conn(), before, kind, by, limit).await?)
    }

    /// Runs whose file was re-created, newest first, with whether every byte was the same. At most
    /// the 1,000 last replays.
    ///
    /// # Errors
    /// When the database or the ledger is damaged.
    pub async fn replayed(&self) -> Result<HashMap<String, bool>, AppError> {
        let mut reader = self.db.read().await?;
        let page = ledger::page(&mut reader.conn(), i64::MAX, Some("replay"), None, 1_000).await?;
        let mut out = HashMap::new();
        for entry in page {
            let parsed = warifu_ledger::Entry::parse(&entry.entry)?;
            let body: warifu_ledger::body::Replay = parsed.body_as()?;
            out.entry(body.run).or_insert(body.identical);
        }
        Ok(out)
    }

    /// A file of the ledger's static form (C2SP tlog-tiles): a tile of hashes or a bundle of
    /// entries, as the checkpoint covers it now.
    ///
    /// # Errors
    /// Denied, or [`AppError::NotFound`] for what the checkpoint does not cover.
    pub async fn ledger_file(&self, actor: &Actor, path: &str) -> Result<Vec<u8>, AppError> {
        actor.require(Permission::ReadLedger)?;
        let gone = || AppError::NotFound("ledger file");
        let mut reader = self.db.read().await?;
        let mut conn = reader.conn();
        let head = ledger::head(&mut conn).await?;
        let resource = warifu_ledger::parse_path(path).map_err(|_| gone())?;
        let start = |t: &Tile| (t.index * 256) as i64;
        match resource {
            Resource::Checkpoint => Ok(head.checkpoint.into_bytes()),
            Resource::Entries(tile) => {
                let width = i64::from(tile.width);
                if start(&tile) + width > head.size {
                    return Err(gone());
                }
                let found = ledger::entries(&mut conn, start(&tile), width).await?;
                encode_bundle(found.iter().map(|e| e.entry.as_slice()))
                    .map_err(|e| AppError::Ledger(e.to_string()))
            }
            Resource::Tile(tile) => {
                let width = i64::from(tile.width);
                if start(&tile) + width > head.size >> (8 * u32::from(tile.level)) {
                    return Err(gone());
                }
                let level = i64::from(tile.level);
                let found = ledger::hashes(&mut conn, level, start(&tile), width).await?;
                let hashes: Vec<Hash> =
                    found.iter().filter_map(|h| Hash::from_slice(h).ok()).collect();
                Ok(encode_tile(&hashes))
            }
        }
    }

    /// Re-checks every entry, every stored hash and the signed checkpoint, telling how far it is.
    /// The inner result names the first thing that is wrong.
    ///
    /// # Errors
    /// When the database fails: then nothing is known about the ledger.
    pub async fn verify_ledger(
        &self,
        mut progress: impl FnMut(u64, u64) + Send,
    ) -> Result<Result<Report, String>, AppError> {
        let mut reader = self.db.read().await?;
        let mut conn = reader.conn();
        let head = ledger::head(&mut conn).await?;
        let key = self.ledger_key();
        let mut verifier = Verifier::new(key.name());
        let damaged = |seq: i64| format!("entry {seq}: its stored hash is not 32 bytes long");
        while (verifier.size() as i64) < head.size {
            let page =
                ledger::entries(&mut conn, verifier.size() as i64, PAGE.min(head.size)).await?;
            if page.is_empty() {
                break;
            }
            for entry in page.iter().take_while(|e| e.seq < head.size) {
                let Ok(leaf) = Hash::from_slice(&entry.hash) else {
                    return Ok(Err(damaged(entry.seq)));
                };
                let inner = match verifier.entry(entry.seq as u64, &entry.entry, &leaf) {
                    Ok(inner) => inner,
                    Err(finding) => return Ok(Err(finding.to_string())),
                };
                for expected in inner {
                    let found = ledger::hashes(
                        &mut conn,
                        i64::from(expected.level),
                        expected.index as i64,
                        1,
                    )
                    .await?;
                    let found = found.first().and_then(|h| Hash::from_slice(h).ok());
                    if let Err(finding) = verifier.stored(&expected, found.as_ref()) {
                        return Ok(Err(finding.to_string()));
                    }
                }
            }
            progress(verifier.size(), head.size as u64);
        }
        if head.size > 0
            && let Err(finding) = verifier.checkpoint(head.checkpoint.as_bytes(), &[key])
        {
            return Ok(Err(finding.to_string()));
        }
        Ok(verifier.finish().map_err(|finding| finding.to_string()))
    }

    /// The proof that an entry is in the ledger as its checkpoint signs it now.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when there is no such entry.
    pub async fn inclusion(&self, seq: i64) -> Result<(Entry, Inclusion), AppError> {
        let mut reader = self.db.read().await?;
        let mut conn = reader.conn();
        let head = ledger::head(&mut conn).await?;
        let entry = ledger::entries(&mut conn, seq, 1).await?.into_iter().find(|e| e.seq == seq);
        let entry = entry.filter(|_| seq < head.size).ok_or(AppError::NotFound("ledger entry"))?;
        let (index, size) = (seq as u64, head.size as u64);
        // The proof says which hashes it wants while it is computed; ask once with zeros to learn
        // which, read them, then compute it.
        let mut wanted = Vec::new();
        let _ = inclusion_proof(index, size, |range| {
            wanted.push(range);
            Ok::<_, AppError>(vec![Hash([0; 32]); usize::from(range.count)])
        });
        let mut read = HashMap::new();
        for range in wanted {
            let found = ledger::hashes(
                &mut conn,
                i64::from(range.level),
                range.start as i64,
                i64::from(range.count),
            )
            .await?;
            let hashes: Vec<Hash> = found.iter().filter_map(|h| Hash::from_slice(h).ok()).collect();
            read.insert((range.level, range.start), hashes);
        }
        let path = inclusion_proof(index, size, |range| {
            read.remove(&(range.level, range.start))
                .ok_or(AppError::Ledger("a stored hash is missing".into()))
        })
        .map_err(|e| AppError::Ledger(e.to_string()))?;
        let leaf = Hash::from_slice(&entry.hash).map_err(|e| AppError::Ledger(e.to_string()))?;
        Ok((entry, Inclusion { index, size, leaf, path, checkpoint: head.checkpoint }))
    }
}
