//! Opening a case: by a customer in the portal, or by an agent for somebody.

use super::{CaseEvent, Edit, record};
use crate::attachments::Upload;
use crate::live::Event;
use crate::{App, AppError};
use warifu_domain::access::{Actor, Permission};
use warifu_domain::cases::{
    Case, MessageKind, Priority, Status, check_body, check_subject, clean_tags,
};
use warifu_domain::people::KnownPerson;
use warifu_domain::refusal;
use warifu_domain::search::{folded, query};
use warifu_domain::{CaseId, PersonId};
use warifu_storage::{cases as store, people, search};

/// What somebody asks.
#[derive(Clone, Debug, Default)]
pub struct NewCase {
    pub subject: String,
    pub body: String,
    /// One of the installation's product keys; empty for none.
    pub product: String,
    /// `ja` or `en`; anything else is taken as `en`.
    pub language: String,
    /// The installation's default when `None`.
    pub priority: Option<Priority>,
    pub tags: String,
    /// Whom it is for. Only staff may name somebody; a customer's case is always their own.
    pub requester: Option<PersonId>,
    pub files: Vec<Upload>,
}

impl App {
    /// Opens a case and gives its number.
    ///
    /// # Errors
    /// [`AppError::Invalid`] with the field that is wrong.
    pub async fn create_case(&self, actor: &Actor, new: NewCase) -> Result<CaseId, AppError> {
        let subject = check_subject(&new.subject)?;
        let body = check_body(&new.body)?;
        if !new.product.is_empty() && !self.config.products.contains(&new.product) {
            return Err(AppError::invalid(
                "product",
                refusal!("product-unknown", "there is no such product"),
            ));
        }
        let staff = actor.is_staff();
        if staff {
            actor.require(Permission::WorkCases)?;
        }
        let requester = match (staff, new.requester) {
            (true, Some(id)) => id,
            (true, None) => {
                return Err(AppError::invalid(
                    "person",
                    refusal!("requester-none", "name whom it is for"),
                ));
            }
            (false, _) => actor.person,
        };
        let mut change = self.change().await?;
        let at = change.at();
        let revision = change.revision();
        let mut conn = change.conn();
        let person = people::find(&mut conn, requester).await?.filter(|p| p.active);
        let person = person.ok_or_else(|| {
            AppError::invalid("person", refusal!("person-unknown", "there is no such person"))
        })?;
        let case = Case {
            id: CaseId(conn.take_ids("cases", 1).await?),
            organization: person.organization,
            requester,
            assignee: None,
            subject,
            status: Status::New,
            // A customer tells how urgent it is, but does not reach the top of the list by it.
            priority: new.priority.unwrap_or(self.config.default_priority),
            product: new.product,
            tags: if staff { clean_tags(&new.tags) } else { String::new() },
            language: if new.language == "ja" { "ja" } else { "en" }.to_owned(),
            created_at: at,
            updated_at: at,
            first_reply_at: None,
            solved_at: None,
            messages: 0,
        };
        store::insert(&mut conn, revision, std::slice::from_ref(&case)).await?;
        let mut edit = Edit { old: case.clone(), case };
        if staff {
            edit.event(&mut change, actor, &CaseEvent::Opened).await?;
        }
        let kind = if staff { MessageKind::Reply } else { MessageKind::Customer };
        let message = edit.write(&mut change, actor, kind, &body).await?;
        crate::attachments::attach(&mut change, &edit.case, message, new.files).await?;
        store::update(&mut change.conn(), revision, &edit.old, &edit.case).await?;
        record(&mut change, actor, &edit.case, "opened", Some(message), Some(&body)).await?;
        change.tell(Event::Case(edit.case.id, actor.person));
        change.commit().await?;
        Ok(edit.case.id)
    }

    /// The person that an agent names by e-mail address or user name.
    ///
    /// # Errors
    /// [`AppError::Invalid`] when nobody is called so.
    pub async fn find_requester(&self, actor: &Actor, text: &str) -> Result<KnownPerson, AppError> {
        actor.require(Permission::WorkCases)?;
        let text = text.trim();
        let mut reader = self.db.read().await?;
        let mut conn = reader.conn();
        if let Some(person) = people::find_by_email(&mut conn, text).await?.filter(|p| p.active) {
            return Ok(person);
        }
        // There is no index on user names; the search index has their words.
        let wanted = folded(text);
        for id in search::people(&mut conn, &query(text), 50).await? {
            let person = people::find(&mut conn, id).await?.filter(|p| p.active);
            let named =
                |p: &KnownPerson| p.record.username.as_deref().is_some_and(|u| folded(u) == wanted);
            if let Some(person) = person.filter(named) {
                return Ok(person);
            }
        }
        Err(AppError::invalid("person", refusal!("person-unknown", "there is no such person")))
    }
}
