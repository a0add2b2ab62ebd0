//! Assignee, status, priority and tags: of one case, or of many at once.

use super::write::may_become;
use super::{CaseEvent, Edit, record};
use crate::{App, AppError, Change};
use warifu_domain::access::{Actor, Permission};
use warifu_domain::cases::{Case, MessageKind, Priority, Status, clean_tags};
use warifu_domain::refusal;
use warifu_domain::{CaseId, PersonId, Timestamp};
use warifu_storage::{Conn, cases as store, people};

/// What is to change; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Properties {
    pub status: Option<Status>,
    pub priority: Option<Priority>,
    /// `Some(None)`: give it back, to nobody.
    pub assignee: Option<Option<PersonId>>,
    /// All tags, comma-separated.
    pub tags: Option<String>,
}

/// What became of a change of many cases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bulk {
    pub changed: Vec<CaseId>,
    /// Those that were so already.
    pub same: Vec<CaseId>,
    /// Those that a rule kept as they are (a closed case stays closed).
    pub refused: Vec<CaseId>,
}

/// Cases changed in one transaction at most.
pub const MOST: usize = 500;

impl App {
    /// Changes properties of a case. `shown` is the time of the version that the actor saw: when
    /// somebody else changed one of the same properties after it, nothing is changed.
    ///
    /// # Errors
    /// [`AppError::Conflict`] in that case, and when the status cannot follow the present one.
    pub async fn set_properties(
        &self,
        actor: &Actor,
        id: CaseId,
        wanted: &Properties,
        shown: Option<Timestamp>,
    ) -> Result<Case, AppError> {
        actor.require(Permission::WorkCases)?;
        let mut change = self.change().await?;
        check_assignee(&mut change.conn(), wanted).await?;
        let edit = Edit::begin(&mut change, actor, id).await?;
        if let Some(shown) = shown {
            unchanged_since(&mut change.conn(), actor, &edit.case, wanted, shown).await?;
        }
        let before = edit.case.clone();
        match apply(&mut change, actor, edit, wanted).await? {
            Some(case) => {
                change.commit().await?;
                Ok(case)
            }
            None => Ok(before),
        }
    }

    /// Changes properties of many cases in one transaction, all that can be changed.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when one does not exist for the actor: nothing is changed then.
    pub async fn set_many(
        &self,
        actor: &Actor,
        ids: &[CaseId],
        wanted: &Properties,
    ) -> Result<Bulk, AppError> {
        actor.require(Permission::WorkCases)?;
        if ids.len() > MOST {
            return Err(AppError::invalid(
                "case",
                refusal!("cases-many", "at most {limit} cases at once", limit = MOST),
            ));
        }
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids.dedup();
        let mut change = self.change().await?;
        check_assignee(&mut change.conn(), wanted).await?;
        let mut bulk = Bulk::default();
        for id in ids {
            let edit = Edit::begin(&mut change, actor, id).await?;
            if wanted.status.is_some_and(|to| !edit.case.status.may_become(to)) {
                bulk.refused.push(id);
                continue;
            }
            match apply(&mut change, actor, edit, wanted).await? {
                Some(_) => bulk.changed.push(id),
                None => bulk.same.push(id),
            }
        }
        if !bulk.changed.is_empty() {
            change.commit().await?;
        }
        Ok(bulk)
    }

    /// The vendor's people to whom a case can be given, by name.
    ///
    /// # Errors
    /// When the actor does not work cases.
    pub async fn assignees(&self, actor: &Actor) -> Result<Vec<(PersonId, String)>, AppError> {
        use warifu_domain::access::Role;
        actor.require(Permission::WorkCases)?;
        let mut reader = self.db.read().await?;
        let mut conn = reader.conn();
        let mut ids = Vec::new();
        for role in [Role::Agent, Role::Administrator, Role::SuperAdministrator] {
            ids.extend(people::holders(&mut conn, role).await?);
        }
        let mut names = people::names(&mut conn, ids).await?;
        names.sort_by(|a, b| (&a.1, a.0).cmp(&(&b.1, b.0)));
        Ok(names)
    }
}

async fn check_assignee(c: &mut Conn<'_>, wanted: &Properties) -> Result<(), AppError> {
    let Some(Some(id)) = wanted.assignee else { return Ok(()) };
    let person = people::find(c, id).await?.filter(|p| p.active);
    if person.is_some() && people::roles(c, id).await?.allow(Permission::WorkCases) {
        return Ok(());
    }
    Err(AppError::invalid("assignee", refusal!("assignee", "this person does not work cases")))
}

/// Fails when somebody else changed one of the wanted properties after `shown`.
async fn unchanged_since(
    c: &mut Conn<'_>,
    actor: &Actor,
    case: &Case,
    wanted: &Properties,
    shown: Timestamp,
) -> Result<(), AppError> {
    if case.updated_at <= shown {
        return Ok(());
    }
    let last = store::timeline(c, case.id, warifu_domain::MessageId(i64::MAX), 100).await?;
    let same_property = |event: CaseEvent| match event {
        CaseEvent::Status(..) => wanted.status.is_some(),
        CaseEvent::Priority(..) => wanted.priority.is_some(),
        CaseEvent::Assignee(..) => wanted.assignee.is_some(),
        CaseEvent::Tags(..) => wanted.tags.is_some(),
        CaseEvent::Opened | CaseEvent::FileOpened(_) => false,
    };
    let other = last.iter().find(|m| {
        m.kind == MessageKind::Event
            && m.at > shown
            && m.author != actor.person
            && CaseEvent::read(&m.body).is_some_and(same_property)
    });
    let Some(other) = other else { return Ok(()) };
    let name = people::find(c, other.author).await?;
    Err(AppError::Conflict(match &name {
        Some(p) => refusal!(
            "changed-by",
            "{name} changed the same while you looked at it",
            name = p.record.display_name()
        ),
        None => refusal!("changed", "somebody changed the same while you looked at it"),
    }))
}

/// Gives the case as it is then, or `None` when it was so already.
async fn apply(
    change: &mut Change<'_>,
    actor: &Actor,
    mut edit: Edit,
    wanted: &Properties,
) -> Result<Option<Case>, AppError> {
    let mut done = Vec::new();
    if let Some(to) = wanted.status {
        may_become(edit.case.status, to)?;
        if edit.status(change, actor, to).await? {
            done.push("status_changed");
        }
    }
    if let Some(to) = wanted.priority.filter(|to| *to != edit.case.priority) {
        let from = std::mem::replace(&mut edit.case.priority, to);
        edit.event(change, actor, &CaseEvent::Priority(from, to)).await?;
        done.push("priority_changed");
    }
    if let Some(to) = wanted.assignee.filter(|to| *to != edit.case.assignee) {
        let from = std::mem::replace(&mut edit.case.assignee, to);
        edit.event(change, actor, &CaseEvent::Assignee(from, to)).await?;
        done.push("assignee_changed");
    }
    if let Some(to) = wanted.tags.as_deref().map(clean_tags).filter(|to| *to != edit.case.tags) {
        let from = std::mem::replace(&mut edit.case.tags, to.clone());
        edit.event(change, actor, &CaseEvent::Tags(from, to)).await?;
        done.push("tags_changed");
    }
    // One ledger entry per property, so that each has a stable code.
    let Some((last, others)) = done.split_last() else { return Ok(None) };
    for what in others {
        record(change, actor, &edit.case, what, None, None).await?;
    }
    edit.finish(change, actor, last, None, None).await.map(Some)
}
