//! Reading and checking the installation's own ledger.

use crate::{App, AppError};
use std::collections::HashMap;
use warifu_ledger::{Hash, Report, Verifier, VerifyingKey, inclusion_proof};
use warifu_storage::ledger::{self, Entry, Head};

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
