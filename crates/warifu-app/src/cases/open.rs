//! One case as somebody opens it.

use super::{CaseEvent, find, record};
use crate::{App, AppError};
use std::collections::HashMap;
use warifu_domain::access::{Actor, Permission};
use warifu_domain::accesses::{AccessKind, Marks};
use warifu_domain::cases::{Case, MessageKind, View};
use warifu_domain::organizations::Organization;
use warifu_domain::people::KnownPerson;
use warifu_domain::{CaseId, MessageId, OrganizationId, PersonId, Timestamp};
use warifu_storage::attachments::{self, Attachment};
use warifu_storage::cases::{self as store, Cursor, Message};
use warifu_storage::{Conn, organizations, people as people_store};

/// Somebody by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Somebody {
    pub name: String,
    pub organization: OrganizationId,
}

/// An entry of the timeline with its files.
#[derive(Clone, Debug)]
pub struct Entry {
    pub message: Message,
    pub files: Vec<Attachment>,
    /// What happened, when the entry is an event.
    pub event: Option<CaseEvent>,
}

/// A case, its conversation and its customer.
#[derive(Debug)]
pub struct OpenCase {
    pub case: Case,
    /// What people call it.
    pub reference: String,
    /// The last entries, oldest first.
    pub entries: Vec<Entry>,
    /// Entries before those; for customers 0 or 1 (there are some), as notes are not told.
    pub earlier: i64,
    /// Names of everybody who is named.
    pub people: HashMap<PersonId, Somebody>,
    pub organization: Organization,
    pub requester: Option<KnownPerson>,
    /// The organization's people and its administrators; for staff.
    pub organization_people: (i64, i64),
    /// Other cases of the organization, the latest first; for staff.
    pub others: Vec<Case>,
    pub others_total: i64,
    /// Who of the vendor's people opened the case, how often, and when last.
    pub views: Vec<(PersonId, i64, Timestamp)>,
}

impl OpenCase {
    /// The last entry, which forms send back as the last one seen.
    pub fn last_entry(&self) -> MessageId {
        self.entries.last().map_or(MessageId(0), |e| e.message.id)
    }

    /// The name of somebody; empty for people who are gone.
    pub fn name(&self, id: PersonId) -> &str {
        self.people.get(&id).map_or("", |p| p.name.as_str())
    }
}

/// Entries shown at once.
const ENTRIES: i64 = 60;
/// Other cases shown beside one.
const OTHERS: usize = 6;

impl App {
    /// Opens a case: the entries before an id, or the last ones. When one of the vendor's people
    /// opens it, the ledger has an entry about it that is durable before anything is shown; one per
    /// session and hour.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when it does not exist for the actor.
    pub async fn open_case(
        &self,
        actor: &Actor,
        id: CaseId,
        before: Option<MessageId>,
    ) -> Result<OpenCase, AppError> {
        self.opened(actor, id, before, None).await
    }

    /// The same with what is known of the requester beside it, for the page of a route: they count as shown.
    ///
    /// # Errors
    /// As [`App::open_case`]; [`AppError::ReadOn`] when more people would be shown than may be within a day.
    pub async fn open_case_and_requester(
        &self,
        actor: &Actor,
        id: CaseId,
        before: Option<MessageId>,
        route: &str,
    ) -> Result<OpenCase, AppError> {
        self.opened(actor, id, before, Some(route)).await
    }

    async fn opened(
        &self,
        actor: &Actor,
        id: CaseId,
        before: Option<MessageId>,
        route: Option<&str>,
    ) -> Result<OpenCase, AppError> {
        let staff = actor.is_staff();
        if staff {
            self.record_view(actor, id, route).await?;
        }
        let mut reader = self.db.read().await?;
        let mut conn = reader.conn();
        let case = find(&mut conn, actor, id).await?;
        let before = before.unwrap_or(MessageId(i64::MAX));
        let (messages, files) = if staff {
            (
                store::timeline(&mut conn, id, before, ENTRIES).await?,
                attachments::of_case(&mut conn, id).await?,
            )
        } else {
            (
                store::public_timeline(&mut conn, id, before, ENTRIES).await?,
                attachments::public_of_case(&mut conn, id).await?,
            )
        };
        let first = messages.first().map_or(MessageId(0), |m| m.id);
        let earlier = if messages.len() < ENTRIES as usize {
            0
        } else if staff {
            store::entries_before(&mut conn, id, first).await?
        } else {
            store::public_timeline(&mut conn, id, first, 1).await?.len() as i64
        };
        let entries = entries(messages, files, staff);

        let views = store::views(&mut conn, id).await?;
        let (mut others, mut others_total, mut organization_people) = (Vec::new(), 0, (0, 0));
        if staff {
            let view = View::Organization(case.organization);
            others = store::list(&mut conn, view, Cursor::START, OTHERS as i64 + 1).await?;
            others.retain(|c| c.id != id);
            others.truncate(OTHERS);
            others_total = store::count(&mut conn, view).await?;
            organization_people = people_store::count_of(&mut conn, case.organization).await?;
        }
        let mut ids: Vec<PersonId> = entries.iter().map(|e| e.message.author).collect();
        for entry in &entries {
            if let Some(CaseEvent::Assignee(from, to)) = entry.event {
                ids.extend(from.into_iter().chain(to));
            }
        }
        ids.extend(views.iter().map(|v| v.0));
        ids.extend([Some(case.requester), case.assignee].into_iter().flatten());
        let people = people(&mut conn, ids).await?;
        let organization = organizations::find(&mut conn, case.organization).await?;
        let organization = organization.ok_or(AppError::NotFound("case"))?;
        let requester = people_store::find(&mut conn, case.requester).await?;
        Ok(OpenCase {
            reference: self.case_reference(id),
            case,
            entries,
            earlier,
            people,
            organization,
            requester,
            organization_people,
            others,
            others_total,
            views,
        })
    }

    /// `route`: of the page that shows the requester, too.
    async fn record_view(
        &self,
        actor: &Actor,
        id: CaseId,
        route: Option<&str>,
    ) -> Result<(), AppError> {
        actor.require(Permission::WorkCases)?;
        let now = self.now();
        let view = self.reads.is_due(actor, id, now);
        let route = route.filter(|_| self.dossiers.is_due(actor, id, now));
        if !view && route.is_none() {
            return Ok(());
        }
        let mut change = self.change().await?;
        let case = find(&mut change.conn(), actor, id).await?;
        if let Some(route) = route {
            change = self.show_people(change, actor, route, &[case.requester]).await?;
        }
        if view {
            let entry = record(&mut change, actor, &case, "viewed", None, None).await?;
            let theirs = case.assignee == Some(actor.person);
            let marks = Marks::default().with_if(theirs, Marks::ASSIGNED);
            let of = [(case.organization, id.0, 1)];
            change.saw(actor, entry, AccessKind::Case, marks, &of).await?;
            let at = change.at();
            store::add_view(&mut change.conn(), id, actor.person, at).await?;
        }
        change.commit().await?;
        if view {
            self.reads.recorded(actor, id, now);
        }
        if route.is_some() {
            self.dossiers.recorded(actor, id, now);
        }
        Ok(())
    }

    /// Whether a case exists for the actor: for live updates, which tell numbers only.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn may_see_case(&self, actor: &Actor, id: CaseId) -> Result<bool, AppError> {
        match find(&mut self.db.read().await?.conn(), actor, id).await {
            Ok(_) => Ok(true),
            Err(AppError::NotFound(_)) => Ok(false),
            Err(e) => Err(e),
        }
    }
}

/// Joins messages and their files. For customers, notes go (a second time: the query leaves them
/// out already) and so do events that are the vendor's own affair.
fn entries(messages: Vec<Message>, files: Vec<Attachment>, staff: bool) -> Vec<Entry> {
    let mut by_message: HashMap<MessageId, Vec<Attachment>> = HashMap::new();
    let shown: std::collections::HashSet<_> = files.iter().map(|f| f.id).collect();
    for file in files {
        by_message.entry(file.message).or_default().push(file);
    }
    let entry = |message: Message| {
        let event =
            (message.kind == MessageKind::Event).then(|| CaseEvent::read(&message.body)).flatten();
        let public = match (message.kind, &event) {
            (MessageKind::Note, _) | (MessageKind::Event, None) => false,
            (MessageKind::Event, Some(CaseEvent::FileOpened(file))) => shown.contains(file),
            (MessageKind::Event, Some(event)) => event.is_public(),
            (MessageKind::Customer | MessageKind::Reply, _) => true,
        };
        let files = by_message.remove(&message.id).unwrap_or_default();
        (staff || public).then_some(Entry { message, files, event })
    };
    messages.into_iter().filter_map(entry).collect()
}

/// The names of some people.
pub(super) async fn people(
    conn: &mut Conn<'_>,
    ids: Vec<PersonId>,
) -> Result<HashMap<PersonId, Somebody>, AppError> {
    let somebody = |p: KnownPerson| {
        let name = p.record.display_name().to_owned();
        (p.id, Somebody { name, organization: p.organization })
    };
    Ok(people_store::find_many(conn, ids).await?.into_iter().map(somebody).collect())
}
