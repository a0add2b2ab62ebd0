//! Importing people: resumable, with a list of the rows that were not taken.

mod fields;
mod source;

pub use fields::FieldMap;

use crate::{App, AppError};
use sha2::{Digest, Sha256};
use source::SourceRow;
use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU64};
use tokio::sync::mpsc;
use warifu_domain::access::{Actor, Permission};
use warifu_domain::organizations::{Environment, Organization};
use warifu_domain::people::{KnownPerson, Person};
use warifu_domain::{OrganizationId, PersonId};
use warifu_ledger::Count;
use warifu_ledger::body::PersonChange;
use warifu_storage::imports::{self, Import, Reject};
use warifu_storage::{organizations, people};

/// Rows per transaction: each is one revision and one ledger entry.
const BATCH: usize = 1_000;

/// What to import.
pub struct ImportRequest {
    pub path: PathBuf,
    /// Shown in the list of imports.
    pub name: String,
    /// `file column → field`, where the names differ.
    pub mapping: Vec<(String, String)>,
}

/// How far an import is. Shared with whoever shows it.
#[derive(Default)]
pub struct ImportProgress {
    pub bytes_total: AtomicU64,
    pub bytes_done: AtomicU64,
    pub added: AtomicU64,
    pub changed: AtomicU64,
    pub same: AtomicU64,
    pub rejected: AtomicU64,
    pub cancelled: AtomicBool,
}

/// A row whose file place is known.
struct Numbered {
    /// Rows of the file up to and including this one.
    count: i64,
    line: i64,
    record: Result<(Person, Option<String>), String>,
}

impl App {
    /// Imports a people file. Run again with the same file, it goes on where it was.
    ///
    /// # Errors
    /// Denied; when the file or its header cannot be read; [`AppError::Cancelled`]. Rows that are
    /// wrong are no error: they are listed, and the others taken.
    pub async fn import_people(
        &self,
        actor: &Actor,
        request: ImportRequest,
        progress: Arc<ImportProgress>,
    ) -> Result<Import, AppError> {
        actor.require(Permission::ImportPeople)?;
        let path = request.path.clone();
        let digest = blocking(move || digest_file(&path)).await?;
        let mut change = self.change().await?;
        let at = change.at();
        let import = imports::begin(&mut change.conn(), &digest, &request.name, at).await?;
        change.commit().await?;
        if import.ended_at.is_some() {
            return Ok(import);
        }
        let (batches_in, mut batches) = mpsc::channel::<Vec<Numbered>>(2);
        let (shared, skip) = (progress.clone(), import.rows_done);
        let reader =
            tokio::task::spawn_blocking(move || read(&request, skip, &shared, &batches_in));
        let mut known = HashMap::new();
        while let Some(batch) = batches.recv().await {
            if progress.cancelled.load(Relaxed) {
                return Err(AppError::Cancelled);
            }
            self.import_batch(actor, import.id, batch, &mut known, &progress).await?;
        }
        reader.await.map_err(|e| AppError::Internal(e.to_string()))??;
        let mut change = self.change().await?;
        let at = change.at();
        let done = imports::begin(&mut change.conn(), &digest, "", at).await?.rows_done;
        imports::advance(&mut change.conn(), import.id, done, &[], Some(at)).await?;
        let import = imports::begin(&mut change.conn(), &digest, "", at).await?;
        change.commit().await?;
        Ok(import)
    }

    async fn import_batch(
        &self,
        actor: &Actor,
        import: i64,
        batch: Vec<Numbered>,
        known: &mut HashMap<String, OrganizationId>,
        progress: &ImportProgress,
    ) -> Result<(), AppError> {
        let Some(done) = batch.last().map(|r| r.count) else { return Ok(()) };
        let mut change = self.change().await?;
        let (at, revision) = (change.at(), change.revision());
        let (mut added, mut changed, mut same) = (Vec::new(), 0, 0);
        let mut rejects = Vec::new();
        let mut conn = change.conn();
        for row in batch {
            let (person, organization) = match row.record {
                Ok(record) => record,
                Err(reason) => {
                    rejects.push(Reject { line: row.line, reason });
                    continue;
                }
            };
            let existing = match &person.email {
                Some(email) => people::find_by_email(&mut conn, email).await?,
                None => None,
            };
            if let Some(existing) = existing {
                if existing.record == person {
                    same += 1;
                } else {
                    people::update(
                        &mut conn,
                        revision,
                        &KnownPerson { record: person, ..existing },
                    )
                    .await?;
                    changed += 1;
                }
                continue;
            }
            let name = organization_name(&person, organization);
            let organization = match known.get(&name) {
                Some(id) => *id,
                None => {
                    let id = match organizations::find_by_name(&mut conn, &name).await? {
                        Some((id, _)) => id,
                        None => {
                            organizations::insert(
                                &mut conn,
                                revision,
                                &new_organization(&name, &person),
                            )
                            .await?
                        }
                    };
                    known.insert(name, id);
                    id
                }
            };
            let id = PersonId(conn.take_ids("people", 1).await?);
            let person = KnownPerson { id, organization, active: true, record: person };
            // At once, not at the end: a later row of this batch may have the same address.
            people::insert(&mut conn, revision, std::slice::from_ref(&person)).await?;
            added.push(id);
        }
        imports::advance(&mut conn, import, done, &rejects, None).await?;
        let (n, rejected) = (added.len() as u64, rejects.len() as u64);
        let entry = PersonChange {
            person: format!("import/{import}/{n}+{changed}"),
            fields: vec!["imported".into()],
            revision: Count(revision.0 as u64),
        };
        change.record(actor, None, &entry).await?;
        debug_assert!(change.at() >= at);
        change.commit().await?;
        progress.added.fetch_add(n, Relaxed);
        progress.changed.fetch_add(changed, Relaxed);
        progress.same.fetch_add(same, Relaxed);
        progress.rejected.fetch_add(rejected, Relaxed);
        Ok(())
    }

    /// Imports before, newest first.
    ///
    /// # Errors
    /// Denied.
    pub async fn imports(&self, actor: &Actor) -> Result<Vec<Import>, AppError> {
        actor.require(Permission::ImportPeople)?;
        Ok(imports::list(&mut self.db.read().await?.conn()).await?)
    }

    /// The rows of an import that were not taken.
    ///
    /// # Errors
    /// Denied.
    pub async fn import_rejects(
        &self,
        actor: &Actor,
        import: i64,
    ) -> Result<Vec<Reject>, AppError> {
        actor.require(Permission::ImportPeople)?;
        Ok(imports::rejects(&mut self.db.read().await?.conn(), import).await?)
    }
}

/// The organization that a row names; else its company; else the domain of its address.
fn organization_name(person: &Person, named: Option<String>) -> String {
    let domain =
        || person.email.as_deref().and_then(|e| e.split_once('@')).map(|(_, d)| d.to_lowercase());
    named
        .or_else(|| person.company_name.clone())
        .or_else(domain)
        .unwrap_or_else(|| "Unknown".into())
}

fn new_organization(name: &str, person: &Person) -> Organization {
    let domain =
        person.email.as_deref().and_then(|e| e.split_once('@')).map(|(_, d)| d.to_lowercase());
    Organization {
        name: name.to_owned(),
        environment: Environment::Production,
        products: Vec::new(),
        domain: domain.unwrap_or_default(),
        vendor: false,
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, AppError> + Send + 'static,
) -> Result<T, AppError> {
    tokio::task::spawn_blocking(work).await.map_err(|e| AppError::Internal(e.to_string()))?
}

fn digest_file(path: &Path) -> Result<String, AppError> {
    let failed = |source| AppError::File { path: path.display().to_string(), source };
    let mut file = std::fs::File::open(path).map_err(failed)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let n = file.read(&mut buffer).map_err(failed)?;
        if n == 0 {
            return Ok(warifu_ledger::Hash(hash.finalize().into()).to_string());
        }
        hash.update(&buffer[..n]);
    }
}

/// Reads rows after the first `skip` and hands them on in batches.
fn read(
    request: &ImportRequest,
    skip: i64,
    progress: &ImportProgress,
    batches: &mpsc::Sender<Vec<Numbered>>,
) -> Result<(), AppError> {
    let source = source::open(&request.path)?;
    let map = FieldMap::new(&source.headers, &request.mapping)?;
    progress.bytes_total.store(source.total, Relaxed);
    let mut batch = Vec::with_capacity(BATCH);
    for (i, SourceRow { line, values }) in source.rows.enumerate() {
        let count = i as i64 + 1;
        if count <= skip {
            continue;
        }
        let record = values.and_then(|v| map.record(&v));
        batch.push(Numbered { count, line: line as i64, record });
        if batch.len() == BATCH {
            progress.bytes_done.store(source.read.load(Relaxed), Relaxed);
            // The receiver is gone only when the import has failed, and then says so itself.
            if batches
                .blocking_send(std::mem::replace(&mut batch, Vec::with_capacity(BATCH)))
                .is_err()
            {
                return Ok(());
            }
        }
    }
    let _ = batches.blocking_send(batch);
    if let Some(why) = source.broken.get() {
        // What came before is in; the import stays open.
        let what = format!("{}: {why}; the rows before it are in", request.path.display());
        return Err(AppError::Invalid { field: "file", what });
    }
    progress.bytes_done.store(source.total, Relaxed);
    Ok(())
}
