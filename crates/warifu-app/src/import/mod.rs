//! Importing people: resumable, with a list of the rows that were not taken.

mod fields;
mod source;

pub use fields::FieldMap;

use crate::people::with_a_way_in;
use crate::{App, AppError};
use sha2::{Digest, Sha256};
use source::SourceRow;
use std::collections::{HashMap, HashSet, VecDeque};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU64};
use tokio::sync::mpsc;
use warifu_domain::access::{Actor, Permission};
use warifu_domain::organizations::{Environment, Organization};
use warifu_domain::people::{KnownPerson, Person};
use warifu_domain::{OrganizationId, PersonId, Revision, search::folded};
use warifu_ledger::Count;
use warifu_ledger::body::PersonChange;
use warifu_storage::imports::{self, Import, Reject};
use warifu_storage::moment::Wait;
use warifu_storage::{Conn, organizations, people};

/// Rows per transaction: each is one revision and one ledger entry. More than this are hardly
/// faster, and other writers wait while it is written.
const BATCH: usize = 5_000;
/// Text of a batch, in bytes: long rows make batches of fewer rows, so that memory stays bounded.
const BATCH_BYTES: usize = 8 << 20;
/// Rows that are looked up and written together.
const PART: usize = 2_048;
/// Names of organizations that are remembered between batches.
const NAMES: usize = 100_000;

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
        let (mut known, mut wait) = (HashMap::new(), Wait::default());
        let mut broken_off = Ok(());
        while let Some(batch) = batches.recv().await {
            if progress.cancelled.load(Relaxed) {
                broken_off = Err(AppError::Cancelled);
                break;
            }
            match self.import_batch(actor, import.id, batch, &mut known, &progress).await {
                Ok(part) => wait = wait.max(part),
                Err(e) => {
                    broken_off = Err(e);
                    break;
                }
            }
        }
        // What is in by now is felt, also where the rest did not come in.
        wait.over().await;
        broken_off?;
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
    ) -> Result<Wait, AppError> {
        let Some(done) = batch.last().map(|r| r.count) else { return Ok(Wait::default()) };
        let mut change = self.change().await?;
        let revision = change.revision();
        let mut conn = change.conn();
        let mut rejects = Vec::new();
        let mut rows = VecDeque::with_capacity(batch.len());
        for row in batch {
            match row.record {
                Ok((person, named)) => rows.push_back(Row { line: row.line, person, named }),
                Err(reason) => rejects.push(Reject { line: row.line, reason }),
            }
        }
        if known.len() > NAMES {
            known.clear();
        }
        let mut sums = Sums::default();
        while !rows.is_empty() {
            let part = next_part(&mut rows);
            let again = write_part(&mut conn, revision, part, known, &mut sums).await?;
            again.into_iter().rev().for_each(|row| rows.push_front(row));
        }
        rejects.append(&mut sums.guarded);
        imports::advance(&mut conn, import, done, &rejects, None).await?;
        let entry = PersonChange {
            person: format!("import/{import}/{}+{}", sums.added, sums.changed),
            fields: vec!["imported".into()],
            revision: Count(revision.0 as u64),
        };
        change.record(actor, None, &entry).await?;
        let wait = change.commit_part().await?;
        progress.added.fetch_add(sums.added, Relaxed);
        progress.changed.fetch_add(sums.changed, Relaxed);
        progress.same.fetch_add(sums.same, Relaxed);
        progress.rejected.fetch_add(rejects.len() as u64, Relaxed);
        Ok(wait)
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

/// What became of the rows of a batch.
#[derive(Default)]
struct Sums {
    added: u64,
    changed: u64,
    same: u64,
    /// Rows that would change how somebody with a way in is reached.
    guarded: Vec<Reject>,
}

/// A record with its line in the file, and the organization that its row names.
struct Row {
    line: i64,
    person: Person,
    named: Option<String>,
}

/// The next rows, no two of which have the same address: a later row of the file changes what an
/// earlier one has added, so that the earlier one is written first.
fn next_part(rows: &mut VecDeque<Row>) -> Vec<Row> {
    let mut seen = HashSet::with_capacity(PART);
    let mut part = Vec::with_capacity(PART.min(rows.len()));
    while part.len() < PART
        && let Some(row) = rows.front()
        && row.person.email.as_ref().is_none_or(|e| seen.insert(e.to_lowercase()))
        && let Some(row) = rows.pop_front()
    {
        part.push(row);
    }
    part
}

/// Adds or changes the people of some rows, and gives back the rows that are to be looked at once
/// more: their addresses are spelt differently and are one to the database.
async fn write_part(
    conn: &mut Conn<'_>,
    revision: Revision,
    part: Vec<Row>,
    known: &mut HashMap<String, OrganizationId>,
    sums: &mut Sums,
) -> Result<Vec<Row>, AppError> {
    let place = |(i, row): (usize, &'_ Row)| row.person.email.clone().map(|e| (i as i64, e));
    let emails: Vec<(i64, String)> = part.iter().enumerate().filter_map(place).collect();
    let emails: Vec<(i64, &str)> = emails.iter().map(|(i, e)| (*i, e.as_str())).collect();
    let mut existing = people::find_by_emails(conn, &emails).await?;
    let (mut changed, mut added, mut again) = (Vec::new(), Vec::new(), Vec::new());
    let guarded = guarded(conn, &part, &existing).await?;
    let mut touched = HashSet::new();
    for (i, Row { line, person: record, named }) in part.into_iter().enumerate() {
        match existing.remove(&(i as i64)) {
            Some(person) if !touched.insert(person.id) => {
                again.push(Row { line, person: record, named });
            }
            Some(person) if person.record == record => sums.same += 1,
            Some(person) if guarded.contains(&(i as i64)) => {
                sums.guarded.push(Reject { line, reason: kept(&person.record, &record) });
            }
            Some(person) => changed.push(KnownPerson { record, ..person }),
            None => added.push((folded(&organization_name(&record, &named)), record, named)),
        }
    }
    know_organizations(conn, revision, &added, known).await?;
    let first = conn.take_ids("people", added.len() as i64).await?;
    let ids = (first..).map(PersonId);
    let person = |(id, (name, record, _)): (PersonId, (String, Person, _))| {
        let organization = known.get(&name).copied();
        let organization = organization.ok_or(AppError::NotFound("organization"))?;
        Ok(KnownPerson { id, organization, active: true, record })
    };
    let added: Vec<KnownPerson> = ids.zip(added).map(person).collect::<Result<_, AppError>>()?;
    people::insert(conn, revision, &added).await?;
    people::update_many(conn, revision, &changed).await?;
    sums.added += added.len() as u64;
    sums.changed += changed.len() as u64;
    Ok(again)
}

/// The places of the rows that would change how somebody who has a way in is reached. That takes a key,
/// and a file has none.
async fn guarded(
    conn: &mut Conn<'_>,
    part: &[Row],
    existing: &HashMap<i64, KnownPerson>,
) -> Result<HashSet<i64>, AppError> {
    let moved = part.iter().enumerate().filter_map(|(i, row)| {
        let person = existing.get(&(i as i64))?;
        let changes = person.record.contact_changes(&row.person);
        (!changes.is_empty()).then_some((i as i64, person.id))
    });
    let moved: Vec<(i64, PersonId)> = moved.collect();
    let people: Vec<PersonId> = moved.iter().map(|(_, person)| *person).collect();
    let people = with_a_way_in(conn, &people).await?;
    Ok(moved.into_iter().filter(|(_, p)| people.contains(p)).map(|(place, _)| place).collect())
}

/// Why such a row is not taken.
fn kept(old: &Person, new: &Person) -> String {
    let fields = old.contact_changes(new).join(", ");
    format!(
        "{fields}: this person has a way in, so that changing it takes a key; change it on their page"
    )
}

/// Remembers the organizations of new people by folded name, and makes those that are missing.
async fn know_organizations(
    conn: &mut Conn<'_>,
    revision: Revision,
    added: &[(String, Person, Option<String>)],
    known: &mut HashMap<String, OrganizationId>,
) -> Result<(), AppError> {
    let unknown = added.iter().map(|(name, ..)| name).filter(|n| !known.contains_key(*n));
    let mut names: Vec<String> = unknown.cloned().collect();
    names.sort_unstable();
    names.dedup();
    known.extend(organizations::find_by_names(conn, &names).await?);
    let mut missing: Vec<&String> = Vec::new();
    let mut new = Vec::new();
    let mut seen = HashSet::new();
    for (name, person, named) in added {
        if !known.contains_key(name) && seen.insert(name) {
            missing.push(name);
            new.push(new_organization(&organization_name(person, named), person));
        }
    }
    let first = organizations::insert_many(conn, revision, &new).await?;
    known.extend(missing.into_iter().cloned().zip((first.0..).map(OrganizationId)));
    Ok(())
}

/// The organization that a row names; else its company; else the domain of its address.
fn organization_name(person: &Person, named: &Option<String>) -> String {
    let domain =
        || person.email.as_deref().and_then(|e| e.split_once('@')).map(|(_, d)| d.to_lowercase());
    named
        .clone()
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
    let (mut batch, mut bytes) = (Vec::with_capacity(BATCH), 0);
    for (i, SourceRow { line, values }) in source.rows.enumerate() {
        let count = i as i64 + 1;
        if count <= skip {
            continue;
        }
        bytes += values.iter().flatten().flatten().map(String::len).sum::<usize>();
        let record = values.and_then(|v| map.record(&v));
        batch.push(Numbered { count, line: line as i64, record });
        if batch.len() == BATCH || bytes > BATCH_BYTES {
            bytes = 0;
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
        return Err(AppError::invalid("file", what.into()));
    }
    progress.bytes_done.store(source.total, Relaxed);
    Ok(())
}
