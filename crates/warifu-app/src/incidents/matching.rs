//! The search for the definitions whose file has a recorded size.

use super::WINDOW;
use super::compare::Guess;
use super::known::KnownReports;
use super::people::{Versions, people_in};
use super::rooms::said;
use super::telemetry::target;
use crate::live::Event;
use crate::reports::{Progress as Transfer, Selection, produce};
use crate::{App, AppError};
use serde_json::{Value as Json, json};
use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::runtime::Handle;
use warifu_domain::access::{Actor, Permission};
use warifu_domain::dialect::Dialect;
use warifu_domain::reports::{Definition, Format};
use warifu_domain::{DownloadId, IncidentId, Revision, RunId, Timestamp};
use warifu_domain::{Refusal, refusal};
use warifu_ledger::body::Match;
use warifu_ledger::{Count, RowKey, json as canonical, sha256};
use warifu_match::dialects::{self, Candidate, FileFormat};
use warifu_match::json_lines::JsonLines;
use warifu_match::search::SearchError;
use warifu_match::written::Written;
use warifu_match::{Progress, SearchSpec, search};
use warifu_storage::incidents::{self, Download};
use warifu_storage::{people, reports};

/// How far a search is. Shared between the thread that makes it and the pages that show it.
#[derive(Default)]
pub struct MatchProgress {
    expected: AtomicU64,
    permille: AtomicU64,
    matched: AtomicU64,
    stop: AtomicBool,
}

/// Part of the work that reading the people takes, in thousandths.
const READING: u64 = 500;

impl MatchProgress {
    /// Thousandths of the work that are done.
    pub fn permille(&self) -> u64 {
        self.permille.load(Relaxed)
    }

    /// Definitions found so far.
    pub fn matched(&self) -> u64 {
        self.matched.load(Relaxed)
    }

    /// Asks the search to stop.
    pub fn cancel(&self) {
        self.stop.store(true, Relaxed);
    }

    pub fn is_cancelled(&self) -> bool {
        self.stop.load(Relaxed)
    }

    pub(super) fn read(&self, rows: u64) {
        let expected = self.expected.load(Relaxed).max(1);
        self.tell(rows.saturating_mul(READING) / expected);
    }

    fn tell(&self, permille: u64) {
        self.permille.fetch_max(permille.min(999), Relaxed);
    }
}

/// The searches that this process makes, and how the last of each that failed has ended.
#[derive(Default)]
pub struct Matches {
    running: Mutex<HashMap<DownloadId, Arc<MatchProgress>>>,
    failed: Mutex<HashMap<DownloadId, Refusal>>,
}

impl Matches {
    /// How far a search is; `None` when this process makes none for the download.
    pub fn progress(&self, id: DownloadId) -> Option<Arc<MatchProgress>> {
        lock(&self.running).get(&id).cloned()
    }

    /// Why the last search for a download ended without a result.
    pub fn failure(&self, id: DownloadId) -> Option<Refusal> {
        lock(&self.failed).get(&id).cloned()
    }

    fn begin(&self, id: DownloadId) -> Option<Arc<MatchProgress>> {
        let mut running = lock(&self.running);
        if running.contains_key(&id) {
            return None;
        }
        lock(&self.failed).remove(&id);
        let progress = Arc::new(MatchProgress::default());
        running.insert(id, progress.clone());
        Some(progress)
    }

    fn end(&self, id: DownloadId, failed: Option<Refusal>) {
        if let Some(why) = failed {
            lock(&self.failed).insert(id, why);
        }
        lock(&self.running).remove(&id);
    }
}

/// What broke inside is for the log.
fn broke() -> Refusal {
    refusal!("search-broke", "something broke on our side; the server's log says what")
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // The maps are whole between any two statements: a panic elsewhere has not broken them.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// States of the data that are tried around the recorded time.
const MOST_STATES: usize = 64;
/// Of those, the nearest ones for which files are written that have to be.
const WRITTEN_STATES: usize = 3;
/// Definitions whose files are written, the newest first.
const MOST_WRITTEN: usize = 12;
/// Definitions and runs that the search knows, the newest first.
const MOST_KNOWN: i64 = 400;
/// Candidates whose real file is counted.
const VERIFIED: usize = 3;
/// Candidates that are kept.
const TOP: usize = 20;

/// What a search works on.
struct Job {
    spec: SearchSpec,
    known: KnownReports,
    /// States to try, the likeliest first.
    states: Vec<Revision>,
    guess: Option<Guess>,
    at: Timestamp,
}

/// A candidate of a stored result by its rank from 1: definition, rows, bytes.
pub(super) fn candidate(result: &Json, rank: u64) -> Option<(Definition, u64, u64)> {
    let list = result["candidates"].as_array()?;
    let found = list.iter().find(|c| c["rank"].as_u64() == Some(rank))?;
    let definition = serde_json::from_value(found["definition"].clone()).ok()?;
    Some((definition, found["rows"].as_u64()?, found["bytes"].as_u64()?))
}

/// The state that a candidate of a stored result is made of.
pub(super) fn revision(result: &Json, rank: u64) -> Revision {
    let list = result["candidates"].as_array().into_iter().flatten();
    let found = list.into_iter().find(|c| c["rank"].as_u64() == Some(rank));
    let own = found.and_then(|c| c["revision"].as_i64());
    Revision(own.or_else(|| result["as_of"]["revision"].as_i64()).unwrap_or_default())
}

impl App {
    /// Begins the search in the background. Its progress is in [`crate::state::Inner::matches`].
    ///
    /// # Errors
    /// Denied, not found, or it is running already.
    pub async fn start_match(
        &self,
        actor: &Actor,
        incident: IncidentId,
        id: DownloadId,
    ) -> Result<(), AppError> {
        // What is wrong with the request is said now; the rest when it shows.
        self.download(actor, incident, id).await?;
        let progress = self.matches.begin(id).ok_or_else(|| {
            AppError::Conflict(refusal!(
                "search-running",
                "this download is being searched already"
            ))
        })?;
        let (app, actor) = (self.clone(), actor.clone());
        tokio::spawn(async move {
            let done = app.match_with(&actor, incident, id, &progress).await;
            if let Err(e) = &done {
                tracing::warn!(download = %id, error = %e, "a match ended without a result");
            }
            app.matches.end(id, done.err().map(|e| e.refusal().unwrap_or_else(broke)));
            app.live.tell(Event::Incident(incident));
        });
        Ok(())
    }

    /// Asks a search to stop.
    ///
    /// # Errors
    /// Denied, or nothing is running.
    pub fn cancel_match(&self, actor: &Actor, id: DownloadId) -> Result<(), AppError> {
        actor.require(Permission::Investigate)?;
        match self.matches.progress(id) {
            Some(progress) => {
                progress.cancel();
                Ok(())
            }
            None => Err(AppError::Conflict(refusal!("search-ended", "the search has ended"))),
        }
    }

    /// Searches for a recorded download and keeps what was found. The answer has the form of
    /// `warifu match --json` and some members more: `as_of`, `states`, `exposed`, `guess`, and in
    /// each candidate its `definition`.
    ///
    /// # Errors
    /// Denied, not found, cancelled, or nobody was in the installation at that time.
    pub async fn match_download(
        &self,
        actor: &Actor,
        incident: IncidentId,
        id: DownloadId,
    ) -> Result<Json, AppError> {
        self.match_with(actor, incident, id, &Arc::default()).await
    }

    async fn match_with(
        &self,
        actor: &Actor,
        incident: IncidentId,
        id: DownloadId,
        progress: &Arc<MatchProgress>,
    ) -> Result<Json, AppError> {
        let download = self.download(actor, incident, id).await?;
        let mut result = self.find_definitions(actor, &download, progress).await?;
        let number = |v: &Json| v.as_u64().unwrap_or_default();
        let answer = sha256(
            &canonical::canonical(&hashable(&result))
                .map_err(|e| AppError::Ledger(e.to_string()))?,
        );
        result["answer_sha256"] = answer.to_string().into();
        let entry = Match {
            telemetry: Some(id.to_string()),
            bytes: Count(download.bytes as u64),
            tolerance: Count(number(&result["target"]["tolerance_bytes"])),
            matched: Count(number(&result["matched"])),
            answer,
        };
        let mut change = self.change().await?;
        let at = change.at();
        incidents::set_result(&mut change.conn(), id, &result.to_string(), at).await?;
        change.record(actor, None, &entry).await?;
        change.record(actor, None, &said(incident, "matched", Some(id))).await?;
        change.tell(Event::Incident(incident));
        change.commit().await?;
        Ok(result)
    }

    /// The search itself: nothing is kept. Also for downloads that are in no incident.
    ///
    /// # Errors
    /// As [`App::match_download`].
    pub async fn find_definitions(
        &self,
        actor: &Actor,
        download: &Download,
        progress: &Arc<MatchProgress>,
    ) -> Result<Json, AppError> {
        actor.require(Permission::Investigate)?;
        let job = self.job(download, progress).await?;
        let (app, runtime, shared) = (self.clone(), Handle::current(), progress.clone());
        let work = tokio::task::spawn_blocking(move || app.search_states(&runtime, job, &shared));
        let mut result = work.await.map_err(|e| AppError::Internal(e.to_string()))??;
        if let Some((definition, ..)) = candidate(&result, 1) {
            let revision = Revision(result["as_of"]["revision"].as_i64().unwrap_or_default());
            let exposed = self.exposure_of(&definition, revision).await?;
            result["exposed"] =
                serde_json::to_value(exposed).map_err(|e| AppError::Internal(e.to_string()))?;
        }
        Ok(result)
    }

    async fn job(&self, download: &Download, progress: &MatchProgress) -> Result<Job, AppError> {
        let at = Timestamp(download.at);
        let mut reader = self.db.read().await?;
        let mut conn = reader.conn();
        let exact = conn.revision_at(at).await?;
        let first = conn.revision_at(at.plus(-WINDOW)).await?;
        let last = conn.revision_at(at.plus(WINDOW)).await?;
        let changes = people::states_between(&mut conn, first, last, 512).await?;
        progress.expected.store(people::at_most(&mut conn).await?.max(1) as u64, Relaxed);
        let mut known = KnownReports::new();
        for run in reports::runs(&mut conn, RunId(i64::MAX), MOST_KNOWN).await? {
            known.add(&run.name, &run.definition, true);
        }
        let mut guess = match download.guess.as_str() {
            "" => None,
            text => Some(Guess::parse(text)?),
        };
        for saved in reports::all_versions(&mut conn, MOST_KNOWN).await? {
            // A bare definition that somebody saved has its name.
            if let Some(guess) = guess.as_mut().filter(|g| g.name.is_empty())
                && guess.definition == saved.definition
            {
                (guess.id, guess.version) = (saved.id, saved.version);
                guess.name.clone_from(&saved.name);
            }
            let name = format!("{}, version {}", saved.name, saved.version);
            known.add(&name, &saved.definition, false);
        }
        let mut spec = SearchSpec::new(target(download)?, known.dialects.clone());
        spec.known = known.known.clone();
        spec.at = Some(at.0);
        spec.top = TOP;
        let states = nearest(exact, first, changes);
        let mut states = states.into_iter();
        let kept = states.by_ref().take(MOST_STATES).collect();
        let further = states.count();
        if further > 0 {
            let why = format!("{further} states of the data further from the recorded time");
            known.left_out.push(why);
        }
        Ok(Job { spec, known, states: kept, guess, at })
    }

    fn search_states(
        &self,
        runtime: &Handle,
        mut job: Job,
        progress: &MatchProgress,
    ) -> Result<Json, AppError> {
        let tell = |share: f64| {
            progress.tell(READING + (share.clamp(0.0, 1.0) * (1000 - READING) as f64) as u64);
        };
        let steps = Progress { tell: &tell, stop: &progress.stop };
        let KnownReports { markers, keep, .. } = &job.known;
        let versions = people_in(&self.db, runtime, &job.states, markers, keep, progress)?;
        job.spec.states = Some(versions.states.clone());
        job.spec.written = self.write_known(runtime, &mut job, &versions)?;
        let people = versions.people;
        let mut answer = search(&people, &job.spec, &steps).map_err(failed)?;
        // Nothing in the ways in which this installation writes: then in the usual ones of others.
        if answer.matched == 0 {
            job.spec.dialects = dialects::usual();
            answer = search(&people, &job.spec, &steps).map_err(failed)?;
        }
        progress.matched.store(answer.matched, Relaxed);
        let revision_of = |state: u64| {
            let state = usize::try_from(state).ok().and_then(|state| job.states.get(state));
            state.copied().unwrap_or(job.states[0])
        };
        let known: Vec<Option<usize>> = answer.candidates.iter().map(|c| c.known_index).collect();
        let revision = revision_of(answer.candidates.first().map_or(0, |c| c.state));
        let mut result =
            serde_json::to_value(answer).map_err(|e| AppError::Internal(e.to_string()))?;
        result["as_of"] = json!({ "revision": revision.0, "time": job.at });
        result["states"] = job.states.len().into();
        let list = result["candidates"].as_array_mut().into_iter().flatten();
        for (c, known) in list.zip(known) {
            c["known_index"] = known.into();
            c["revision"] = revision_of(c["state"].as_u64().unwrap_or_default()).0.into();
        }
        if let Some(list) = result["searched"]["not_searched"].as_array_mut() {
            list.extend(job.known.left_out.iter().map(|why| Json::from(why.as_str())));
        }
        self.confirm(runtime, &mut result, &job)?;
        if let Some(guess) = &job.guess {
            let best = candidate(&result, 1);
            let recorded = job.spec.target.bytes;
            let made = self.comparison(runtime, guess, best.as_ref(), recorded, revision)?;
            result["guess"] =
                serde_json::to_value(made).map_err(|e| AppError::Internal(e.to_string()))?;
        }
        Ok(result)
    }

    /// Writes the files of the known definitions whose size nothing else tells: with a limit of rows,
    /// or as workbooks.
    fn write_known(
        &self,
        runtime: &Handle,
        job: &mut Job,
        versions: &Versions,
    ) -> Result<Vec<Written>, AppError> {
        let must = job.known.known.iter().enumerate().filter(|(_, k)| k.must_be_written());
        let must: Vec<usize> = must.map(|(known, _)| known).collect();
        for left in must.iter().skip(MOST_WRITTEN) {
            let name = &job.known.known[*left].name;
            job.known.left_out.push(format!("{name}: only {MOST_WRITTEN} such files are written"));
        }
        let mut written = Vec::new();
        for known in must.into_iter().take(MOST_WRITTEN) {
            let definition = job.known.sources[known].clone();
            let dialect = match &definition.format {
                Format::Csv(dialect) => {
                    let convert_timestamps = *dialect != Dialect::default();
                    Candidate { convert_timestamps, ..Candidate::new(dialect.clone()) }
                }
                Format::JsonLines => {
                    let json = job.spec.dialects.iter().find(|c| c.format_name() == "jsonl");
                    json.cloned().unwrap_or_else(|| Candidate::json_lines(JsonLines::default()))
                }
                Format::Xlsx => Candidate {
                    format: FileFormat::Written(definition.format.id()),
                    ..Candidate::new(Dialect::default())
                },
            };
            for (state, revision) in job.states.iter().enumerate().take(WRITTEN_STATES) {
                let (bytes, people) = self.file_of(runtime, &definition, *revision)?;
                let rows = versions.rows_of(&people, state);
                let dialect = dialect.clone();
                written.push(Written { known, rows, state, bytes, dialect, plan: None });
            }
        }
        Ok(written)
    }

    /// Size of a definition's file, and whose rows are in it.
    fn file_of(
        &self,
        runtime: &Handle,
        definition: &Definition,
        revision: Revision,
    ) -> Result<(u64, HashSet<i64>), AppError> {
        let mut people = HashSet::new();
        Selection::new(definition, revision)?.each(&self.db, runtime, &mut |id, _| {
            people.insert(id);
            ControlFlow::Continue(())
        })?;
        // Nothing leaves: the bytes are counted, and the commitment to the rows is thrown away.
        let key = RowKey::derive(&[0; 32], "match");
        let progress = Transfer::new(people.len() as u64);
        let sink = &mut |_: &[u8]| Ok(());
        let made = produce(&self.db, runtime, definition, revision, key, &progress, sink)
            .map_err(|failed| failed.1)?;
        Ok((made.bytes, people))
    }

    /// Gives each candidate its definition and makes the files of the first few, to the byte.
    fn confirm(&self, runtime: &Handle, result: &mut Json, job: &Job) -> Result<(), AppError> {
        let Some(list) = result["candidates"].as_array_mut() else { return Ok(()) };
        for (rank, candidate) in list.iter_mut().enumerate() {
            let definition = job.known.definition(candidate)?;
            let revision = Revision(candidate["revision"].as_i64().unwrap_or_default());
            // Some files were written before the search.
            if rank < VERIFIED && candidate["verified"].is_null() {
                let counted = self.count(runtime, &definition, revision)?;
                let same = Some(counted.bytes) == candidate["bytes"].as_u64()
                    && Some(counted.rows) == candidate["rows"].as_u64();
                candidate["verified"] = same.into();
            }
            candidate["definition"] =
                serde_json::to_value(definition).map_err(|e| AppError::Internal(e.to_string()))?;
        }
        Ok(())
    }
}

fn failed(e: SearchError) -> AppError {
    match e {
        SearchError::Cancelled => AppError::Cancelled,
        other => AppError::Internal(other.to_string()),
    }
}

/// The states that a time may mean: the one in force, then its neighbours by distance.
fn nearest(exact: Revision, first: Revision, changes: Vec<Revision>) -> Vec<Revision> {
    let mut states = vec![first];
    states.extend(changes);
    let here = states.iter().rposition(|r| *r <= exact).unwrap_or(0);
    if let Some(state) = states.get_mut(here) {
        *state = exact;
    }
    let mut order: Vec<usize> = (0..states.len()).collect();
    order.sort_by_key(|i| i.abs_diff(here));
    order.into_iter().filter_map(|i| states.get(i).copied()).collect()
}

/// The answer as the ledger can hash it: fractions and large numbers as texts.
fn hashable(value: &Json) -> Json {
    match value {
        Json::Number(n) => match n.as_i64() {
            Some(i) if i.unsigned_abs() <= canonical::MAX_INTEGER as u64 => value.clone(),
            _ => Json::String(n.to_string()),
        },
        Json::Array(items) => items.iter().map(hashable).collect(),
        Json::Object(map) => map.iter().map(|(k, v)| (k.clone(), hashable(v))).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_in_force_comes_first() {
        let r = |list: &[i64]| list.iter().copied().map(Revision).collect::<Vec<_>>();
        // Revision 12 changed nothing about people: it is the state that 11 made.
        assert_eq!(nearest(Revision(12), Revision(8), r(&[9, 11, 14])), r(&[12, 9, 14, 8]));
        assert_eq!(nearest(Revision(8), Revision(8), r(&[])), r(&[8]));
        assert_eq!(nearest(Revision(0), Revision(0), r(&[3])), r(&[0, 3]));
    }

    #[test]
    fn every_answer_can_be_hashed() {
        let answer = json!({"seconds": 0.25, "to": u64::MAX, "n": -3, "list": [1.5]});
        let text = String::from_utf8(canonical::canonical(&hashable(&answer)).unwrap()).unwrap();
        assert_eq!(text, r#"{"list":["1.5"],"n":-3,"seconds":"0.25","to":"18446744073709551615"}"#);
    }
}
