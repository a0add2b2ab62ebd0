//! Everybody in memory as of a revision, and what has changed since: a preview is then a sum over
//! columns instead of a pass over the database.
//!
//! A table is made when somebody builds a report and goes after [`KEPT`] without use. Per person it
//! takes about 70 bytes. Changes are read by an index and laid beside it; when there are many, it is
//! made anew. Cost of a preview: 2 to 5 ns per person and column, plus what has changed.

use super::produce::Picked;
use crate::{App, AppError};
use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use warifu_domain::reports::{CompiledFilter, Kind, Sets, Subject, Test, Value};
use warifu_domain::{OrganizationId, Revision};
use warifu_match::dialects::Candidate;
use warifu_match::measure::{Part, Size, size};
use warifu_match::{ColumnKind, ColumnSpec, People, PeopleBuilder, Rows};
use warifu_storage::bulk::{self, Only, Scan};
use warifu_storage::{Db, people};

/// How long a table is kept without use.
const KEPT: Duration = Duration::from_secs(10 * 60);
/// More people than this are not kept in memory (350 MB): their previews read the database.
const MOST: usize = 5_000_000;
/// With more changes than this, and more than one person in twenty, a table is made anew.
const CHANGES: usize = 10_000;
/// Comparisons of texts whose rows are remembered; each takes one bit per person.
const REMEMBERED: usize = 64;
const SUBJECT: Subject = Subject::People;
/// Columns that the organization decides. They are looked up by its id.
const OF_ORGANIZATION: [&str; 3] = ["organization", "environment", "products"];

/// The columns of a table, as places in a row of the subject: all but the organization's.
fn places() -> Vec<usize> {
    let all = SUBJECT.columns().iter().enumerate();
    all.filter(|(_, c)| !OF_ORGANIZATION.contains(&c.key)).map(|(place, _)| place).collect()
}

fn specs() -> Vec<ColumnSpec> {
    let all = SUBJECT.columns();
    let spec = |place: usize| ColumnSpec {
        kind: if all[place].kind == Kind::Time { ColumnKind::Timestamp } else { ColumnKind::Text },
        report: all[place].shown,
        keep_values: all[place].key == "organization_id",
        ..ColumnSpec::new(all[place].label)
    };
    places().into_iter().map(spec).collect()
}

/// The table of the installation, if there is one now.
#[derive(Default)]
pub struct Tables {
    kept: Mutex<Kept>,
    /// Held while a table is made, so that two who ask at once wait for one.
    making: Mutex<()>,
}

#[derive(Default)]
struct Kept {
    table: Option<Arc<Table>>,
    /// There were too many people when a table was made last, which need not be tried every time.
    too_many: bool,
    uses: u64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing is left half-done between two statements: a panic elsewhere has not broken it.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Everybody as of a revision.
struct Table {
    at: Revision,
    people: People,
    ids: Vec<i64>,
    remembered: Mutex<HashMap<(usize, Test), Arc<Rows>>>,
}

/// Whom a table does not show as they are.
struct Changes {
    gone: Vec<i64>,
    people: People,
    ids: Vec<i64>,
    accepted: Rows,
}

/// A report's size and who is in it, without its bytes.
pub(super) struct Counted {
    pub size: Size,
    pub organizations: BTreeMap<OrganizationId, u64>,
    /// Ids of the first rows in the order of ids.
    pub first: Vec<i64>,
}

impl App {
    /// Makes the table in the background, for somebody who is about to build a report.
    pub fn warm_preview(&self) {
        let (app, runtime) = (self.clone(), Handle::current());
        tokio::task::spawn_blocking(move || {
            let made = runtime
                .block_on(async { Ok(app.db.read().await?.conn().revision().await?) })
                .and_then(|as_of| app.table(&runtime, as_of, true));
            if let Err(error) = made {
                tracing::warn!(%error, "the preview's table could not be made");
            }
        });
    }

    /// Counts a report over people without order and limit from the table in memory. `None` when
    /// there is none (and `make` is not asked for), or when it cannot say. Blocks.
    pub(super) fn count_in_memory(
        &self,
        runtime: &Handle,
        question: &Question<'_>,
        as_of: Revision,
        make: bool,
    ) -> Result<Option<Counted>, AppError> {
        match self.table(runtime, as_of, make)? {
            Some(table) => table.count(&self.db, runtime, question, as_of),
            None => Ok(None),
        }
    }

    /// A table whose changes until `as_of` are few.
    fn table(
        &self,
        runtime: &Handle,
        as_of: Revision,
        make: bool,
    ) -> Result<Option<Arc<Table>>, AppError> {
        let usable = |table: Arc<Table>| -> Result<Option<Arc<Table>>, AppError> {
            if table.at > as_of {
                return Ok(None);
            }
            let changed = table.changed(&self.db, runtime)?.len();
            let few = changed <= CHANGES || changed * 20 <= table.ids.len();
            Ok(few.then_some(table))
        };
        if let Some(table) = self.kept_table(runtime)
            && let Some(table) = usable(table)?
        {
            return Ok(Some(table));
        }
        if !make {
            return Ok(None);
        }
        let _one_at_a_time = lock(&self.tables.making);
        if let Some(table) = self.kept_table(runtime)
            && let Some(table) = usable(table)?
        {
            return Ok(Some(table));
        }
        if lock(&self.tables.kept).too_many {
            return Ok(None);
        }
        let table = Table::make(&self.db, runtime, as_of)?.map(Arc::new);
        {
            let mut kept = lock(&self.tables.kept);
            kept.too_many = table.is_none();
            kept.table = table.clone();
        }
        self.kept_table(runtime);
        Ok(table)
    }

    /// The table, which is then kept for [`KEPT`] from now.
    fn kept_table(&self, runtime: &Handle) -> Option<Arc<Table>> {
        let (table, uses) = {
            let mut kept = lock(&self.tables.kept);
            kept.uses += 1;
            (kept.table.clone(), kept.uses)
        };
        let app = self.clone();
        runtime.spawn(async move {
            tokio::time::sleep(KEPT).await;
            let mut kept = lock(&app.tables.kept);
            if kept.uses == uses {
                *kept = Kept { uses, ..Kept::default() };
            }
        });
        table
    }
}

/// What a table is asked: a definition over people, resolved.
pub(super) struct Question<'a> {
    pub filter: &'a CompiledFilter,
    /// Places of the report's columns.
    pub columns: &'a [usize],
    pub form: &'a Candidate,
    /// How many of the first ids.
    pub first: usize,
}

impl Table {
    /// Reads everybody. `None` when there are too many.
    fn make(db: &Db, runtime: &Handle, at: Revision) -> Result<Option<Table>, AppError> {
        let (people, ids) = read(db, runtime, at, Only::Everything, MOST)?;
        let too_many = ids.len() > MOST;
        Ok((!too_many).then(|| Table { at, people, ids, remembered: Mutex::default() }))
    }

    fn changed(&self, db: &Db, runtime: &Handle) -> Result<Vec<i64>, AppError> {
        runtime.block_on(async {
            Ok(people::changed_since(&mut db.read().await?.conn(), self.at).await?)
        })
    }

    fn changes(
        &self,
        db: &Db,
        runtime: &Handle,
        filter: &CompiledFilter,
        as_of: Revision,
    ) -> Result<Changes, AppError> {
        let gone = self.changed(db, runtime)?;
        let mut columns = places();
        columns.extend(filter.columns_used());
        columns.sort_unstable();
        columns.dedup();
        let scan = Scan {
            subject: SUBJECT,
            as_of,
            columns,
            only: Only::ChangedSince(self.at),
            order: Vec::new(),
        };
        let (mut builder, mut ids, mut accepted) = (Taker::new(), Vec::new(), Vec::new());
        if !gone.is_empty() {
            bulk::scan(db, runtime, &scan, &mut |id, values| {
                ids.push(id);
                accepted.push(filter.accepts(&Picked(values)));
                builder.take(values)
            })?;
        }
        let mut rows = Rows::none(ids.len());
        accepted.iter().enumerate().filter(|(_, a)| **a).for_each(|(row, _)| rows.insert(row));
        Ok(Changes { gone, people: builder.finish()?, ids, accepted: rows })
    }

    fn count(
        &self,
        db: &Db,
        runtime: &Handle,
        question: &Question<'_>,
        as_of: Revision,
    ) -> Result<Option<Counted>, AppError> {
        let mut leaves = Leaves { table: self, db, runtime, as_of, organizations: None };
        let Some(mut rows) = found(question.filter.rows(&mut leaves))? else { return Ok(None) };
        let changes = self.changes(db, runtime, question.filter, as_of)?;
        for id in &changes.gone {
            if let Ok(row) = self.ids.binary_search(id) {
                rows.remove(row);
            }
        }
        let places = places();
        let columns: Option<Vec<usize>> =
            question.columns.iter().map(|c| places.iter().position(|p| p == c)).collect();
        let Some(columns) = columns else { return Ok(None) };
        let parts = [
            Part { people: &self.people, rows: &rows },
            Part { people: &changes.people, rows: &changes.accepted },
        ];
        let Some(size) = size(&parts, &columns, question.form, 2) else { return Ok(None) };
        let Some(by) = places.iter().position(|p| Some(*p) == SUBJECT.index("organization_id"))
        else {
            return Ok(None);
        };
        let mut organizations: BTreeMap<OrganizationId, u64> = BTreeMap::new();
        for part in &parts {
            let Some(found) = part.people.different_values(by, part.rows) else { return Ok(None) };
            for (id, rows) in found {
                let Ok(id) = id.parse() else { return Ok(None) };
                *organizations.entry(OrganizationId(id)).or_default() += rows;
            }
        }
        let mut first: Vec<i64> = rows
            .iter()
            .take(question.first)
            .map(|row| self.ids[row])
            .chain(changes.accepted.iter().take(question.first).map(|row| changes.ids[row]))
            .collect();
        first.sort_unstable();
        first.truncate(question.first);
        Ok(Some(Counted { size, organizations, first }))
    }
}

/// Puts rows of the subject into a table.
struct Taker {
    builder: PeopleBuilder,
    places: Vec<usize>,
    failed: Option<AppError>,
}

impl Taker {
    fn new() -> Taker {
        Taker { builder: PeopleBuilder::new(specs()), places: places(), failed: None }
    }

    fn take(&mut self, values: &[Value<'_>]) -> ControlFlow<()> {
        let mut picked = [Value::Null; 24];
        for (to, place) in picked.iter_mut().zip(&self.places) {
            *to = values.get(*place).copied().unwrap_or(Value::Null);
        }
        match self.builder.push_values(&picked[..self.places.len()]) {
            Ok(()) => ControlFlow::Continue(()),
            Err(e) => {
                self.failed = Some(AppError::Internal(e.to_string()));
                ControlFlow::Break(())
            }
        }
    }

    fn finish(self) -> Result<People, AppError> {
        match self.failed {
            Some(e) => Err(e),
            None => Ok(self.builder.finish()),
        }
    }
}

/// Reads people and their ids, at most one more than `most`.
fn read(
    db: &Db,
    runtime: &Handle,
    as_of: Revision,
    only: Only,
    most: usize,
) -> Result<(People, Vec<i64>), AppError> {
    let scan = Scan { subject: SUBJECT, as_of, columns: places(), only, order: Vec::new() };
    let (mut taker, mut ids) = (Taker::new(), Vec::new());
    bulk::scan(db, runtime, &scan, &mut |id, values| {
        ids.push(id);
        if ids.len() > most { ControlFlow::Break(()) } else { taker.take(values) }
    })?;
    Ok((taker.finish()?, ids))
}

/// Why a set could not be made.
enum NoSet {
    Failed(AppError),
    CannotSay,
}

fn found(rows: Result<Rows, NoSet>) -> Result<Option<Rows>, AppError> {
    match rows {
        Ok(rows) => Ok(Some(rows)),
        Err(NoSet::CannotSay) => Ok(None),
        Err(NoSet::Failed(e)) => Err(e),
    }
}

/// Answers the comparisons of a filter for all rows of a table.
struct Leaves<'a> {
    table: &'a Table,
    db: &'a Db,
    runtime: &'a Handle,
    as_of: Revision,
    organizations: Option<HashMap<i64, [Option<String>; 3]>>,
}

impl Sets for Leaves<'_> {
    type Set = Rows;
    type Error = NoSet;

    fn passing(&mut self, column: usize, test: &Test) -> Result<Rows, NoSet> {
        let key = SUBJECT.columns().get(column).map(|c| c.key).ok_or(NoSet::CannotSay)?;
        if let Some(at) = OF_ORGANIZATION.iter().position(|k| *k == key) {
            return self.by_organization(at, test);
        }
        let at = places().iter().position(|p| *p == column).ok_or(NoSet::CannotSay)?;
        let kind = SUBJECT.columns()[column].kind;
        let people = &self.table.people;
        if test.asks_only_for_presence() {
            let mut rows = people.rows_filled(at);
            if test.holds(Value::Null) {
                rows.invert();
            }
            return Ok(rows);
        }
        let known = people.rows_where(at, &mut |value| test.holds(typed(kind, value)));
        match known {
            Some(rows) => Ok(rows),
            None => self.by_reading(column, test),
        }
    }

    fn all(&self, sets: Vec<Rows>) -> Rows {
        let mut all = Rows::every(self.table.ids.len());
        sets.iter().for_each(|set| all.intersect(set));
        all
    }

    fn any(&self, sets: Vec<Rows>) -> Rows {
        let mut any = Rows::none(self.table.ids.len());
        sets.iter().for_each(|set| any.unite(set));
        any
    }

    fn not(&self, mut set: Rows) -> Rows {
        set.invert();
        set
    }
}

/// Numbers and flags are kept as texts.
fn typed(kind: Kind, value: Value<'_>) -> Value<'_> {
    match (kind, value) {
        (Kind::Number, Value::Text(t)) => t.parse().map_or(Value::Null, Value::Number),
        (Kind::Bool, Value::Text(t)) => Value::Bool(t == "true"),
        _ => value,
    }
}

impl Leaves<'_> {
    fn by_organization(&mut self, at: usize, test: &Test) -> Result<Rows, NoSet> {
        let organizations = match self.organizations.take() {
            Some(known) => known,
            None => self.read_organizations().map_err(NoSet::Failed)?,
        };
        let by = SUBJECT.index("organization_id");
        let by = places().iter().position(|p| Some(*p) == by).ok_or(NoSet::CannotSay)?;
        let rows = self.table.people.rows_where(by, &mut |value| {
            let id = match typed(Kind::Number, value) {
                Value::Number(id) => Some(id),
                _ => None,
            };
            let text = id.and_then(|id| organizations.get(&id)).and_then(|o| o[at].as_deref());
            test.holds(text.map_or(Value::Null, Value::Text))
        });
        self.organizations = Some(organizations);
        rows.ok_or(NoSet::CannotSay)
    }

    fn read_organizations(&self) -> Result<HashMap<i64, [Option<String>; 3]>, AppError> {
        let subject = Subject::Organizations;
        let columns: Vec<usize> = OF_ORGANIZATION.iter().filter_map(|k| subject.index(k)).collect();
        let scan = Scan {
            subject,
            as_of: self.as_of,
            columns: columns.clone(),
            only: Only::Everything,
            order: Vec::new(),
        };
        let mut all = HashMap::new();
        bulk::scan(self.db, self.runtime, &scan, &mut |id, values| {
            let text = |at: usize| match columns.get(at).and_then(|c| values.get(*c)) {
                Some(Value::Text(t)) => Some((*t).to_owned()),
                _ => None,
            };
            all.insert(id, [text(0), text(1), text(2)]);
            ControlFlow::Continue(())
        })?;
        Ok(all)
    }

    /// A comparison with texts that the table does not keep: read that one column, once.
    fn by_reading(&self, column: usize, test: &Test) -> Result<Rows, NoSet> {
        let remembered = || lock(&self.table.remembered);
        let key = (column, test.clone());
        if let Some(rows) = remembered().get(&key) {
            return Ok(Rows::clone(rows));
        }
        let scan = Scan {
            subject: SUBJECT,
            as_of: self.table.at,
            columns: vec![column],
            only: Only::Everything,
            order: Vec::new(),
        };
        let mut rows = Rows::none(self.table.ids.len());
        let mut row = 0;
        bulk::scan(self.db, self.runtime, &scan, &mut |_, values| {
            if test.holds(values.get(column).copied().unwrap_or(Value::Null)) {
                rows.insert(row);
            }
            row += 1;
            ControlFlow::Continue(())
        })
        .map_err(|e| NoSet::Failed(e.into()))?;
        let mut remembered = remembered();
        if remembered.len() >= REMEMBERED {
            remembered.clear();
        }
        remembered.insert(key, Arc::new(rows.clone()));
        Ok(rows)
    }
}
