//! People: who may read their records, and how a record is changed.

use crate::enrolment::protected_action;
use crate::notices::{notify, notify_at};
use crate::step_up::spend;
use crate::{App, AppError};
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use warifu_domain::access::{Actor, Permission, Roles};
use warifu_domain::cases::{Case, View};
use warifu_domain::notices::NoticeKind;
use warifu_domain::organizations::Organization;
use warifu_domain::people::{FIELD_LABELS, KnownPerson, Person};
use warifu_domain::protected::{Action, Protected};
use warifu_domain::{OrganizationId, PersonId, Revision, Timestamp, refusal};
use warifu_ledger::Count;
use warifu_ledger::body::PersonChange;
use warifu_storage::cases::{self, Cursor};
use warifu_storage::{Conn, credentials, organizations, people as store};

/// A page of people.
#[derive(Debug, Default)]
pub struct PeoplePage {
    pub people: Vec<KnownPerson>,
    pub roles: HashMap<PersonId, Roles>,
    pub organizations: HashMap<OrganizationId, String>,
    /// After whom the next page begins; `None` on the last.
    pub next: Option<PersonId>,
}

/// A version of a record.
#[derive(Debug)]
pub struct Version {
    pub revision: Revision,
    pub at: Option<Timestamp>,
    /// Names of the fields that differ from the version before; empty for the first.
    pub changed: Vec<&'static str>,
    pub person: KnownPerson,
}

/// One person.
#[derive(Debug)]
pub struct PersonView {
    pub person: KnownPerson,
    pub roles: Roles,
    pub organization: Organization,
    /// Newest first, at most 200.
    pub versions: Vec<Version>,
    /// The cases that they asked, the latest first.
    pub cases: Vec<Case>,
    pub cases_total: i64,
}

/// Address, user name and telephone numbers as they were typed; empty is blank.
#[derive(Clone, Debug, Default)]
pub struct NewContact {
    pub username: String,
    pub email: String,
    pub phone: String,
    pub mobile: String,
}

/// The names of the fields in which two records differ, in report order.
pub fn changed_fields(old: &Person, new: &Person) -> Vec<&'static str> {
    let mut changed = Vec::new();
    let (mut old, mut new) = (old.clone(), new.clone());
    if old.created_date != new.created_date {
        changed.push(FIELD_LABELS[0]);
    }
    if old.last_login != new.last_login {
        changed.push(FIELD_LABELS[1]);
    }
    if old.last_password_change != new.last_password_change {
        changed.push(FIELD_LABELS[8]);
    }
    for ((field, a), (_, b)) in old.texts_mut().into_iter().zip(new.texts_mut()) {
        if a != b {
            changed.push(field);
        }
    }
    changed.sort_by_key(|f| FIELD_LABELS.iter().position(|l| l == f));
    changed
}

/// Cases shown beside a person.
const CASES: i64 = 20;

impl App {
    /// A page of people by id, of everybody or of one organization.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for an organization whose people the actor may not read.
    pub async fn people_page(
        &self,
        actor: &Actor,
        organization: Option<OrganizationId>,
        after: PersonId,
        limit: usize,
    ) -> Result<PeoplePage, AppError> {
        let limit = limit.clamp(1, 200);
        let organization = match (Self::whose_people(actor)?, organization) {
            (Some(None), wanted) => wanted,
            (Some(Some(own)), wanted) if wanted.is_none_or(|o| o == own) => Some(own),
            (Some(Some(_)), _) => return Err(AppError::NotFound("organization")),
            (None, _) => return Err(no_people(actor)),
        };
        let mut reader = self.db.read().await?;
        let mut conn = reader.conn();
        let mut page = PeoplePage::default();
        page.people = store::page(&mut conn, organization, after, limit as i64 + 1).await?;
        if page.people.len() > limit {
            page.people.truncate(limit);
            page.next = page.people.last().map(|p| p.id);
        }
        for person in &page.people {
            page.roles.insert(person.id, store::roles(&mut conn, person.id).await?);
            if let Entry::Vacant(unknown) = page.organizations.entry(person.organization) {
                let found = organizations::find(&mut conn, person.organization).await?;
                unknown.insert(found.map(|o| o.name).unwrap_or_default());
            }
        }
        Ok(page)
    }

    /// One person with versions, roles and cases.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when they do not exist for the actor.
    pub async fn person(&self, actor: &Actor, id: PersonId) -> Result<PersonView, AppError> {
        let mut reader = self.db.read().await?;
        let mut conn = reader.conn();
        let person = store::find(&mut conn, id).await?;
        let person = person.filter(|p| reads(actor, p)).ok_or(AppError::NotFound("person"))?;
        let organization = organizations::find(&mut conn, person.organization).await?;
        let stored = store::versions(&mut conn, id).await?;
        let revisions: Vec<Revision> = stored.iter().map(|v| v.from).collect();
        let times: HashMap<Revision, Timestamp> =
            store::revision_times(&mut conn, &revisions).await?.into_iter().collect();
        let mut versions: Vec<Version> = Vec::with_capacity(stored.len());
        for (i, version) in stored.iter().enumerate() {
            let before = stored.get(i + 1);
            versions.push(Version {
                revision: version.from,
                at: times.get(&version.from).copied(),
                changed: before.map_or_else(Vec::new, |b| {
                    changed_fields(&b.person.record, &version.person.record)
                }),
                person: version.person.clone(),
            });
        }
        // Cases are shown to those who may see them: a responder reads people, not cases.
        let may = !actor.is_staff() || actor.roles.allow(Permission::WorkCases);
        let view = View::Requester(id);
        let (cases, cases_total) = if may {
            (
                cases::list(&mut conn, view, Cursor::START, CASES).await?,
                cases::count(&mut conn, view).await?,
            )
        } else {
            (Vec::new(), 0)
        };
        Ok(PersonView {
            roles: store::roles(&mut conn, id).await?,
            organization: organization.ok_or(AppError::NotFound("person"))?,
            person,
            versions,
            cases,
            cases_total,
        })
    }

    /// Adds a person to an organization.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for a record that breaks a rule.
    pub async fn create_person(
        &self,
        actor: &Actor,
        organization: OrganizationId,
        record: Person,
    ) -> Result<PersonId, AppError> {
        actor.require(Permission::ChangePeople)?;
        let record = record.checked()?;
        let mut change = self.change().await?;
        let revision = change.revision();
        let mut conn = change.conn();
        if organizations::find(&mut conn, organization).await?.is_none() {
            return Err(AppError::invalid(
                "organization",
                refusal!("organization-unknown", "there is no such organization"),
            ));
        }
        let id = PersonId(conn.take_ids("people", 1).await?);
        let fields = changed_fields(&Person::default(), &record);
        let person = KnownPerson { id, organization, active: true, record };
        store::insert(&mut conn, revision, &[person]).await?;
        let body = change_body(id, &fields, revision);
        change.record(actor, Some(organization), &body).await?;
        change.commit().await?;
        Ok(id)
    }

    /// Replaces a person's record by a new version. `shown` is the revision of the version that
    /// the actor saw.
    ///
    /// # Errors
    /// [`AppError::Conflict`] when there is a newer version than the one shown;
    /// [`AppError::Invalid`] for a record that breaks a rule; [`AppError::StepUp`] without a proof for just
    /// the new address, user name and numbers, where they change and the person has a way in.
    pub async fn change_person(
        &self,
        actor: &Actor,
        id: PersonId,
        record: Person,
        shown: Option<Revision>,
        proof: Option<&str>,
    ) -> Result<(), AppError> {
        actor.require(Permission::ChangePeople)?;
        let agreed = protected(id, &record);
        let record = record.checked()?;
        let mut change = self.change().await?;
        let revision = change.revision();
        let mut conn = change.conn();
        let person = store::find(&mut conn, id).await?.ok_or(AppError::NotFound("person"))?;
        // Otherwise an administrator could put their own address into the record of somebody who
        // may do more than they.
        if actor.roles.below(store::roles(&mut conn, id).await?) {
            return Err(AppError::Denied(warifu_domain::access::Denied(Permission::ChangePeople)));
        }
        if let Some(shown) = shown {
            let newest = store::versions(&mut conn, id).await?.first().map(|v| v.from);
            if newest.is_some_and(|newest| newest > shown) {
                return Err(AppError::Conflict(refusal!(
                    "record-changed",
                    "the record was changed meanwhile"
                )));
            }
        }
        let fields = changed_fields(&person.record, &record);
        if fields.is_empty() {
            return change.unchanged().await;
        }
        let organization = person.organization;
        let contact = person.record.contact_changes(&record);
        let guarded = !contact.is_empty() && !with_a_way_in(&mut conn, &[id]).await?.is_empty();
        if guarded {
            spend(&mut change, actor, &agreed, proof).await?;
        }
        let old = person.record.email.clone();
        let changed = KnownPerson { record, ..person };
        store::update(&mut change.conn(), revision, &changed).await?;
        change.record(actor, Some(organization), &change_body(id, &fields, revision)).await?;
        if guarded {
            let body = protected_action(Action::ChangeContact.key(), id);
            change.record(actor, Some(organization), &body).await?;
            let told = contact.join(",");
            let details = [("fields", told.as_str()), ("by", actor.name.as_str())];
            notify(&mut change, id, NoticeKind::ContactChanged, &details).await?;
            // The one who is robbed reads the old address, not the new one.
            if let Some(old) = old.filter(|_| contact.contains(&"email")) {
                notify_at(&mut change, id, NoticeKind::ContactChanged, &details, &old).await?;
            }
        }
        change.commit().await?;
        Ok(())
    }

    /// Gives a person another address, user name and telephone numbers, as they were typed; the rest of
    /// the record stays.
    ///
    /// # Errors
    /// As [`App::change_person`].
    pub async fn change_contact(
        &self,
        actor: &Actor,
        id: PersonId,
        new: &NewContact,
        proof: Option<&str>,
    ) -> Result<(), AppError> {
        actor.require(Permission::ChangePeople)?;
        let mut reader = self.db.read().await?;
        let known = store::versions(&mut reader.conn(), id).await?;
        drop(reader);
        let newest = known.into_iter().next().ok_or(AppError::NotFound("person"))?;
        let typed = |text: &str| Some(text.to_owned()).filter(|t| !t.is_empty());
        let record = Person {
            username: typed(&new.username),
            email: typed(&new.email),
            phone: typed(&new.phone),
            mobile: typed(&new.mobile),
            ..newest.person.record
        };
        self.change_person(actor, id, record, Some(newest.from), proof).await
    }
}

/// What is agreed to: whose contact, and what it will be. The same text as the page's.
fn protected(id: PersonId, record: &Person) -> Protected {
    let what = Protected::new(Action::ChangeContact).with("person", id);
    let each = record.contact().into_iter();
    each.fold(what, |what, (name, value)| what.with(name, value.unwrap_or_default()))
}

/// Those of some people who have a role, or have or had a factor.
///
/// # Errors
/// When the database fails.
pub(crate) async fn with_a_way_in(
    conn: &mut Conn<'_>,
    ids: &[PersonId],
) -> Result<HashSet<PersonId>, AppError> {
    let mut found: HashSet<PersonId> = store::with_a_role(conn, ids).await?.into_iter().collect();
    found.extend(credentials::ever_among(conn, ids).await?);
    Ok(found)
}

fn change_body(id: PersonId, fields: &[&str], revision: Revision) -> PersonChange {
    PersonChange {
        person: id.to_string(),
        fields: fields.iter().map(|f| (*f).to_owned()).collect(),
        revision: Count(revision.0 as u64),
    }
}

/// Whether a person's record exists for the actor. Everybody may read their own.
fn reads(actor: &Actor, person: &KnownPerson) -> bool {
    if person.id == actor.person {
        return true;
    }
    if actor.is_staff() {
        return actor.roles.allow(Permission::ReadPeople);
    }
    actor.roles.allow(Permission::ReadOwnOrganization) && person.organization == actor.organization
}

fn no_people(actor: &Actor) -> AppError {
    let permission =
        if actor.is_staff() { Permission::ReadPeople } else { Permission::ReadOwnOrganization };
    AppError::Denied(warifu_domain::access::Denied(permission))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changed_fields_are_named_in_report_order() {
        let old = Person { email: Some("a@b".into()), ..Person::default() };
        let new = Person {
            email: Some("c@d".into()),
            last_login: Some(Timestamp(1)),
            mobile: Some("1".into()),
            ..old.clone()
        };
        assert_eq!(changed_fields(&old, &new), ["Last Login", "Email", "Mobile"]);
        assert!(changed_fields(&old, &old).is_empty());
    }
}
