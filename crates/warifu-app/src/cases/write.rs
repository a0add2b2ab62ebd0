//! Replies, notes and customers' answers.

use super::Edit;
use crate::attachments::{Upload, attach};
use crate::{App, AppError, Change};
use warifu_domain::access::{Actor, Permission};
use warifu_domain::cases::{MessageKind, Status, check_body};
use warifu_domain::refusal;
use warifu_domain::{CaseId, MessageId};
use warifu_storage::cases::{self as store, Message};

/// What somebody writes in a case.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    pub body: String,
    /// The status to set with it; by itself a reply waits for the customer.
    pub then: Option<Status>,
    /// The last entry that the writer has seen. When the other side or a colleague wrote to the
    /// customer after it, nothing is sent and the new message is given back.
    pub last_seen: Option<MessageId>,
    pub files: Vec<Upload>,
}

/// What became of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    Yes(MessageId),
    /// Not sent: this message came while it was being written.
    Arrived(Box<Message>),
}

impl App {
    /// Writes to the customer.
    ///
    /// # Errors
    /// [`AppError::Conflict`] when the case is closed.
    pub async fn reply(&self, actor: &Actor, id: CaseId, answer: Answer) -> Result<Sent, AppError> {
        actor.require(Permission::WorkCases)?;
        let body = check_body(&answer.body)?;
        let mut change = self.change().await?;
        let mut edit = Edit::begin(&mut change, actor, id).await?;
        not_closed(edit.case.status)?;
        if let Some(message) = arrived(&mut change, actor, id, answer.last_seen).await? {
            return Ok(Sent::Arrived(Box::new(message)));
        }
        let message = edit.write(&mut change, actor, MessageKind::Reply, &body).await?;
        attach(&mut change, &edit.case, message, answer.files).await?;
        edit.case.first_reply_at.get_or_insert(change.at());
        let then = answer.then.unwrap_or_else(|| edit.case.status.after_reply());
        may_become(edit.case.status, then)?;
        edit.status(&mut change, actor, then).await?;
        edit.finish(&mut change, actor, "replied", Some(message), Some(&body)).await?;
        change.commit().await?;
        Ok(Sent::Yes(message))
    }

    /// Writes what never leaves the vendor. A closed case takes notes too.
    ///
    /// # Errors
    /// As every use case of cases.
    pub async fn note(
        &self,
        actor: &Actor,
        id: CaseId,
        body: &str,
        files: Vec<Upload>,
    ) -> Result<MessageId, AppError> {
        actor.require(Permission::WorkCases)?;
        let body = check_body(body)?;
        let mut change = self.change().await?;
        let mut edit = Edit::begin(&mut change, actor, id).await?;
        let message = edit.write(&mut change, actor, MessageKind::Note, &body).await?;
        attach(&mut change, &edit.case, message, files).await?;
        edit.finish(&mut change, actor, "noted", Some(message), Some(&body)).await?;
        change.commit().await?;
        Ok(message)
    }

    /// A customer's answer: the case is open again.
    ///
    /// # Errors
    /// [`AppError::Conflict`] when the case is closed.
    pub async fn answer_case(
        &self,
        actor: &Actor,
        id: CaseId,
        answer: Answer,
    ) -> Result<Sent, AppError> {
        customers_only(actor)?;
        let body = check_body(&answer.body)?;
        let mut change = self.change().await?;
        let mut edit = Edit::begin(&mut change, actor, id).await?;
        not_closed(edit.case.status)?;
        if let Some(message) = arrived(&mut change, actor, id, answer.last_seen).await? {
            return Ok(Sent::Arrived(Box::new(message)));
        }
        let message = edit.write(&mut change, actor, MessageKind::Customer, &body).await?;
        attach(&mut change, &edit.case, message, answer.files).await?;
        let then = edit.case.status.after_customer();
        edit.status(&mut change, actor, then).await?;
        edit.finish(&mut change, actor, "answered", Some(message), Some(&body)).await?;
        change.commit().await?;
        Ok(Sent::Yes(message))
    }

    /// A customer says that it is done. It is solved, not closed: an answer opens it again.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when it does not exist for the actor.
    pub async fn close_case(&self, actor: &Actor, id: CaseId) -> Result<(), AppError> {
        customers_only(actor)?;
        let mut change = self.change().await?;
        let mut edit = Edit::begin(&mut change, actor, id).await?;
        if !edit.case.status.is_active() {
            return Ok(());
        }
        edit.status(&mut change, actor, Status::Solved).await?;
        edit.finish(&mut change, actor, "solved", None, None).await?;
        change.commit().await?;
        Ok(())
    }
}

/// Staff act through the console, where what they write is a reply, not a customer's message.
fn customers_only(actor: &Actor) -> Result<(), AppError> {
    if actor.is_staff() { Err(AppError::NotFound("case")) } else { Ok(()) }
}

fn not_closed(status: Status) -> Result<(), AppError> {
    match status {
        Status::Closed => Err(AppError::Conflict(refusal!(
            "case-closed",
            "the case is closed; open a new one that names it"
        ))),
        _ => Ok(()),
    }
}

pub(super) fn may_become(from: Status, to: Status) -> Result<(), AppError> {
    if from.may_become(to) {
        return Ok(());
    }
    Err(AppError::Conflict(refusal!(
        "case-status",
        "a case that is {from} cannot become {to}",
        from = from.key(),
        to = to.key()
    )))
}

/// The first message to or from the customer that somebody else wrote after what the writer saw.
async fn arrived(
    change: &mut Change<'_>,
    actor: &Actor,
    id: CaseId,
    last_seen: Option<MessageId>,
) -> Result<Option<Message>, AppError> {
    let Some(last_seen) = last_seen else { return Ok(None) };
    let entries = store::entries_after(&mut change.conn(), id, last_seen).await?;
    let to_the_customer = |m: &Message| {
        matches!(m.kind, MessageKind::Customer | MessageKind::Reply) && m.author != actor.person
    };
    Ok(entries.into_iter().find(to_the_customer))
}
