//! Access transparency: what the vendor's people and programs have seen of an organization, for its
//! administrators. Which entries of the ledger that are is kept with each entry (decision 0026); what
//! they say is read from the entries themselves.

use crate::{App, AppError, Change};
use std::collections::{BTreeMap, HashMap};
use warifu_domain::access::{Actor, Permission};
use warifu_domain::accesses::{AccessKind, Marks, is_told};
use warifu_domain::reports::{Column, Subject};
use warifu_domain::{AttachmentId, CaseId, OrganizationId, PersonId, RunId, Timestamp};
use warifu_ledger::Entry;
use warifu_ledger::body::{ApiPage, ReportRefused};
use warifu_storage::accesses::{self as store, Access, Seen};
use warifu_storage::reports::{self, Run, RunState};
use warifu_storage::{attachments, organizations, people as people_store};

pub use warifu_ledger::{Network, Role};
pub use warifu_storage::accesses::Figures;

/// Whose records a page shows, for those who are told of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Shown {
    /// No person's and no case's, but for one that was recorded as opened.
    #[default]
    Nobody,
    /// A case, which was not opened for it.
    Case(CaseId, OrganizationId),
    /// Somebody's own page.
    One(PersonId, OrganizationId),
    /// Lists of people and of cases.
    Listed(Vec<PersonId>, Vec<CaseId>),
}

impl Shown {
    /// A list of people, by ids.
    pub fn people(ids: impl IntoIterator<Item = i64>) -> Shown {
        Shown::Listed(ids.into_iter().map(PersonId).collect(), Vec::new())
    }

    /// A list of cases, by ids.
    pub fn cases(ids: impl IntoIterator<Item = i64>) -> Shown {
        Shown::default().and_cases(ids)
    }

    /// Those whose records they are.
    pub fn persons(&self) -> &[PersonId] {
        match self {
            Shown::One(person, _) => std::slice::from_ref(person),
            Shown::Listed(people, _) => people,
            Shown::Nobody | Shown::Case(..) => &[],
        }
    }

    /// The same with cases.
    #[must_use]
    pub fn and_cases(self, ids: impl IntoIterator<Item = i64>) -> Shown {
        let people = match self {
            Shown::Listed(people, _) => people,
            Shown::One(person, _) => vec![person],
            Shown::Nobody | Shown::Case(..) => Vec::new(),
        };
        Shown::Listed(people, ids.into_iter().map(CaseId).collect())
    }
}

/// Subject and number of records of an organization.
pub(crate) type Of = (OrganizationId, i64, i64);

/// How many records each organization has, and which one where it is one.
fn by_organization(records: impl IntoIterator<Item = (i64, OrganizationId)>) -> Vec<Of> {
    let mut each: BTreeMap<OrganizationId, (i64, i64)> = BTreeMap::new();
    for (id, organization) in records {
        let (subject, n) = each.entry(organization).or_default();
        *subject = if *n == 0 { id } else { 0 };
        *n += 1;
    }
    each.into_iter().map(|(o, (subject, n))| (o, subject, n)).collect()
}

/// What a page shows of each organization.
#[derive(Debug, Default)]
pub(crate) struct ShownOf {
    kind: Option<(AccessKind, Marks)>,
    of: Vec<Of>,
    cases: Vec<Of>,
}

impl Change<'_> {
    /// Keeps which organizations an entry is about, as far as it is told to them.
    pub(crate) async fn saw(
        &mut self,
        actor: &Actor,
        seq: i64,
        kind: AccessKind,
        marks: Marks,
        of: &[Of],
    ) -> Result<(), AppError> {
        let told: Vec<Of> = of.iter().filter(|o| is_told(actor, o.0)).copied().collect();
        let seen = self.seen(actor, seq, kind, marks);
        Ok(store::add(&mut self.conn(), &seen, &told).await?)
    }

    /// The same for all organizations that have rows in a run.
    pub(crate) async fn saw_run(
        &mut self,
        actor: &Actor,
        seq: i64,
        marks: Marks,
        run: &Run,
    ) -> Result<(), AppError> {
        let marks = marks.with(Marks::of(&run.definition));
        let seen = self.seen(actor, seq, AccessKind::Report, marks);
        Ok(store::add_run(&mut self.conn(), &seen, run.id, actor.organization).await?)
    }

    /// The same for a page.
    pub(crate) async fn saw_page(
        &mut self,
        actor: &Actor,
        seq: i64,
        shown: &ShownOf,
    ) -> Result<(), AppError> {
        if let Some((kind, marks)) = shown.kind {
            self.saw(actor, seq, kind, marks, &shown.of).await?;
        }
        self.saw(actor, seq, AccessKind::List, Marks::LISTED, &shown.cases).await
    }

    fn seen(&self, actor: &Actor, seq: i64, kind: AccessKind, marks: Marks) -> Seen {
        let marks = marks.with_if(actor.roles.is_service(), Marks::PROGRAM);
        Seen { seq, at: self.at(), kind, actor: actor.person, marks }
    }
}

/// An access, as it is told.
#[derive(Clone, Debug)]
pub struct Told {
    /// Number of the ledger's entry, from 1.
    pub number: i64,
    pub at: Timestamp,
    pub kind: AccessKind,
    pub marks: Marks,
    pub who: PersonId,
    /// Empty for somebody who is gone.
    pub name: String,
    /// What they acted as; not there for an entry that says nothing about it.
    pub role: Option<Role>,
    /// From where; `None` on the server itself.
    pub network: Option<Network>,
    /// Records of the organization.
    pub records: i64,
    pub what: What,
}

/// What was seen.
#[derive(Clone, Debug)]
pub enum What {
    Case {
        case: CaseId,
        reference: String,
    },
    /// Cases in a list; which one where it is one.
    Cases {
        case: Option<CaseId>,
        reference: String,
        /// The route of the page or of the API.
        route: String,
    },
    File {
        file: AttachmentId,
        name: String,
        reference: String,
        bytes: i64,
        /// JSON receipt of its cleaning, if it was cleaned.
        receipt: Option<String>,
    },
    /// Somebody, or several people where there is no id.
    People {
        person: Option<PersonId>,
        name: String,
        /// The route of the page or of the API.
        route: String,
    },
    Report {
        /// What the rows are.
        subject: Option<Subject>,
        columns: Vec<&'static Column>,
        /// Not there where nothing was prepared, as nobody was asked.
        reason: Option<String>,
        left: Left,
    },
}

/// How much of a report has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// It was refused.
    Nothing,
    /// It leaves now.
    Leaving,
    Whole(i64),
    /// It was broken off after so many bytes.
    Part(i64),
    /// The server stopped meanwhile: all of it may have left.
    Unknown,
}

impl Left {
    fn of(run: &Run) -> Left {
        match run.state {
            RunState::Prepared => Left::Nothing,
            RunState::Running => Left::Leaving,
            RunState::Done => Left::Whole(run.bytes),
            // A process that lived to the end has hashed what it made.
            RunState::Aborted if run.sha256.is_empty() => Left::Unknown,
            RunState::Aborted => Left::Part(run.bytes),
        }
    }
}

/// A page of accesses, newest first.
#[derive(Debug)]
pub struct ToldPage {
    pub accesses: Vec<Told>,
    /// The number before which the list goes on.
    pub next: Option<i64>,
}

/// Numbers of the last weeks.
#[derive(Debug)]
pub struct Summary {
    pub figures: Figures,
    /// When each week begins, accesses, and those without a reason; the present one is the last.
    pub weeks: Vec<(Timestamp, i64, i64)>,
    /// From when on accesses are kept, where the ledger is older.
    pub kept_since: Option<Timestamp>,
}

/// Its administrators see it, and whoever reads the whole ledger.
fn may_see(actor: &Actor, organization: OrganizationId) -> Result<(), AppError> {
    match actor.may_for(organization, Permission::ReadLedger) {
        true => Ok(()),
        false => Err(AppError::NotFound("organization")),
    }
}

impl App {
    /// What was seen of an organization, newest first, before an entry's number.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when the organization does not exist for the actor.
    pub async fn accesses(
        &self,
        actor: &Actor,
        organization: OrganizationId,
        kind: Option<AccessKind>,
        before: Option<i64>,
        limit: usize,
    ) -> Result<ToldPage, AppError> {
        may_see(actor, organization)?;
        let mut reader = self.db.read().await?;
        let mut conn = reader.conn();
        let found = organizations::find(&mut conn, organization).await?;
        found.ok_or(AppError::NotFound("organization"))?;
        let before = before.map_or(i64::MAX, |n| n.saturating_sub(1));
        let most = i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1;
        let mut rows = store::page(&mut conn, organization, kind, before, most).await?;
        let more = rows.len() > limit;
        rows.truncate(limit);

        let of = |kind: AccessKind| {
            let of_kind = rows.iter().filter(move |(a, _)| a.kind == kind && a.subject != 0);
            of_kind.map(|(a, _)| a.subject)
        };
        let files = of(AccessKind::File).map(AttachmentId);
        let files = attachments::find_many(&mut conn, files).await?;
        let runs = reports::runs_of(&mut conn, of(AccessKind::Report).map(RunId)).await?;
        let people = of(AccessKind::Person).map(PersonId).chain(rows.iter().map(|(a, _)| a.actor));
        let people = people_store::names(&mut conn, people).await?;
        let known = Known {
            app: self,
            files: files.into_iter().map(|f| (f.id.0, f)).collect(),
            runs: runs.into_iter().map(|r| (r.id.0, r)).collect(),
            people: people.into_iter().collect(),
        };
        let accesses = rows.iter().map(|(a, entry)| known.told(a, entry));
        let mut accesses: Vec<Told> = accesses.collect::<Result<_, _>>()?;
        // Whoever reads the ledger alone sees there that it was a file, not what it was called.
        if actor.is_staff() && !actor.roles.allow(Permission::WorkCases) {
            for told in &mut accesses {
                if let What::File { name, receipt, .. } = &mut told.what {
                    name.clear();
                    *receipt = None;
                }
            }
        }
        let next = accesses.last().filter(|_| more).map(|a| a.number);
        Ok(ToldPage { accesses, next })
    }

    /// Some weeks in numbers: where each begins, and where the last one ends.
    ///
    /// # Errors
    /// As [`App::accesses`].
    pub async fn access_summary(
        &self,
        actor: &Actor,
        organization: OrganizationId,
        edges: &[Timestamp],
    ) -> Result<Summary, AppError> {
        may_see(actor, organization)?;
        let mut reader = self.db.read().await?;
        let mut conn = reader.conn();
        let found = organizations::find(&mut conn, organization).await?;
        found.ok_or(AppError::NotFound("organization"))?;
        let since = edges.first().copied().unwrap_or(Timestamp(0));
        let figures = store::figures(&mut conn, organization, since).await?;
        let mut counted = Vec::with_capacity(edges.len());
        for (from, until) in edges.iter().zip(edges.iter().skip(1)) {
            let (n, no_reason) = store::count(&mut conn, organization, *from, *until).await?;
            counted.push((*from, n, no_reason));
        }
        let kept_since = store::kept_since(&mut conn).await?;
        Ok(Summary { figures, weeks: counted, kept_since })
    }

    /// Whose records are on a page. A case counts once an hour for each session.
    pub(crate) async fn shown_of(&self, actor: &Actor, shown: &Shown) -> Result<ShownOf, AppError> {
        let one = |kind, organization: &OrganizationId, id| ShownOf {
            kind: Some((kind, Marks::default())),
            of: vec![(*organization, id, 1)],
            cases: Vec::new(),
        };
        let (people, cases) = match shown {
            Shown::Nobody => return Ok(ShownOf::default()),
            Shown::Case(case, organization) => {
                return Ok(one(AccessKind::Case, organization, case.0));
            }
            Shown::One(person, organization) => {
                return Ok(one(AccessKind::Person, organization, person.0));
            }
            // Customers' own lists are told to nobody.
            Shown::Listed(..) if !actor.is_staff() => return Ok(ShownOf::default()),
            Shown::Listed(people, cases) => (people, cases),
        };
        let now = self.now();
        let due = |case: &&CaseId| self.listed.is_due(actor, **case, now);
        let cases: Vec<CaseId> = cases.iter().filter(due).copied().collect();
        if people.is_empty() && cases.is_empty() {
            return Ok(ShownOf::default());
        }
        let mut reader = self.db.read().await?;
        let mut conn = reader.conn();
        let people = store::organizations_of(&mut conn, people).await?;
        let cases = store::organizations_of_cases(&mut conn, &cases).await?;
        Ok(ShownOf {
            kind: Some((AccessKind::Person, Marks::LISTED)),
            of: by_organization(people.into_iter().map(|(p, o)| (p.0, o))),
            cases: by_organization(cases.into_iter().map(|(c, o)| (c.0, o))),
        })
    }
}

/// Records that a page's accesses are about.
struct Known<'a> {
    app: &'a App,
    files: HashMap<i64, attachments::Attachment>,
    runs: HashMap<i64, Run>,
    people: HashMap<PersonId, String>,
}

impl Known<'_> {
    fn told(&self, access: &Access, entry: &[u8]) -> Result<Told, AppError> {
        let entry = Entry::parse(entry)?;
        let name = |id: PersonId| self.people.get(&id).cloned().unwrap_or_default();
        let what = match access.kind {
            AccessKind::Case => {
                let case = CaseId(access.subject);
                What::Case { case, reference: self.app.case_reference(case) }
            }
            AccessKind::File => {
                let file = self.files.get(&access.subject);
                What::File {
                    file: AttachmentId(access.subject),
                    name: file.map(|f| f.name.clone()).unwrap_or_default(),
                    reference: file.map(|f| self.app.case_reference(f.case)).unwrap_or_default(),
                    bytes: file.map_or(0, |f| f.bytes),
                    receipt: file.and_then(|f| f.har_receipt.clone()),
                }
            }
            AccessKind::Person => {
                let person = (access.subject != 0).then_some(PersonId(access.subject));
                let route = entry.body_as::<ApiPage>()?.route;
                What::People { person, name: person.map(name).unwrap_or_default(), route }
            }
            AccessKind::List => {
                let case = (access.subject != 0).then_some(CaseId(access.subject));
                let reference = case.map(|c| self.app.case_reference(c)).unwrap_or_default();
                What::Cases { case, reference, route: entry.body_as::<ApiPage>()?.route }
            }
            AccessKind::Report => self.report(access, &entry)?,
        };
        Ok(Told {
            number: access.seq + 1,
            at: access.at,
            kind: access.kind,
            marks: access.marks,
            who: access.actor,
            name: name(access.actor),
            role: entry.actor.map(|a| a.role),
            network: entry.network,
            records: access.records,
            what,
        })
    }

    fn report(&self, access: &Access, entry: &Entry) -> Result<What, AppError> {
        if access.marks.has(Marks::REFUSED) {
            let subject = Subject::from_key(&entry.body_as::<ReportRefused>()?.subject);
            return Ok(What::Report {
                subject,
                columns: Vec::new(),
                reason: None,
                left: Left::Nothing,
            });
        }
        let run = self.runs.get(&access.subject);
        Ok(What::Report {
            subject: run.map(|r| r.definition.subject),
            columns: run.map(|r| r.definition.chosen().collect()).unwrap_or_default(),
            // Whoever makes a file once more is not asked why.
            reason: run.filter(|_| !access.marks.has(Marks::REMADE)).map(|r| r.reason.clone()),
            left: run.map_or(Left::Unknown, Left::of),
        })
    }
}
