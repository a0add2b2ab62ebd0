//! Cases: who may see which, and what happens to them.
//!
//! Whoever works cases sees all of them. A customer's user sees the cases that they asked; an
//! organization's administrator sees all of that organization. Everything else does not exist for
//! the actor: the answer is the same as for a number that was never given.

mod create;
mod list;
mod open;
mod properties;
mod reads;
mod write;

pub use create::NewCase;
pub use list::{CasePage, Filter};
pub use open::{Entry, OpenCase, Somebody};
pub use properties::{Bulk, Properties};
pub use reads::Reads;
pub use warifu_storage::attachments::Attachment as File;
pub use warifu_storage::cases::{Cursor, Message};
pub use write::{Answer, Sent};

use crate::live::Event;
use crate::{App, AppError, Change};
use serde::{Deserialize, Serialize};
use warifu_domain::access::{Actor, Permission};
use warifu_domain::cases::{Case, MessageKind, Priority, Status};
use warifu_domain::{AttachmentId, CaseId, MessageId, PersonId, search::folded};
use warifu_ledger::body::CaseChange;
use warifu_ledger::{Count, Hash};
use warifu_storage::Conn;
use warifu_storage::cases as store;

/// What happened to a case, as its timeline keeps it: `{"status":["open","solved"]}`. Each change
/// says what was before and what is after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseEvent {
    /// One of the vendor's people opened the case for the requester.
    Opened,
    Assignee(Option<PersonId>, Option<PersonId>),
    Status(Status, Status),
    Priority(Priority, Priority),
    Tags(String, String),
    /// One of the vendor's people opened a file.
    FileOpened(AttachmentId),
}

impl CaseEvent {
    /// What the body of a timeline entry says; `None` when no version of Warifu wrote it.
    pub fn read(body: &str) -> Option<CaseEvent> {
        serde_json::from_str(body).ok()
    }

    /// Whether the customer is shown it: their case's state, and who opened their files. Who works
    /// on it, tags and priority are the vendor's own affair.
    pub fn is_public(&self) -> bool {
        matches!(self, CaseEvent::Opened | CaseEvent::Status(..) | CaseEvent::FileOpened(_))
    }

    fn text(&self) -> Result<String, AppError> {
        serde_json::to_string(self).map_err(|e| AppError::Internal(e.to_string()))
    }
}

impl App {
    /// What people call a case, such as `HC-20417`.
    pub fn case_reference(&self, id: CaseId) -> String {
        format!("{}-{id}", self.config.case_prefix)
    }

    /// The case that a text names: `HC-20417`, `hc 20417`, `#20417` or `20417`.
    pub fn case_number(&self, text: &str) -> Option<CaseId> {
        let text = folded(text);
        let digits = match text.strip_prefix(&folded(&self.config.case_prefix)) {
            Some(rest) => rest.trim_start_matches(['-', ' ', '#']),
            None => text.trim_start_matches('#'),
        };
        // i64's own parser takes a sign.
        let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        plain.then(|| digits.parse().ok().map(CaseId)).flatten()
    }
}

/// Whether a case exists for the actor.
pub(crate) fn sees(actor: &Actor, case: &Case) -> bool {
    if actor.is_staff() {
        return actor.roles.allow(Permission::WorkCases);
    }
    case.organization == actor.organization
        && (case.requester == actor.person || actor.roles.allow(Permission::ReadOwnOrganization))
}

/// The case, if it exists for the actor.
pub(crate) async fn find(c: &mut Conn<'_>, actor: &Actor, id: CaseId) -> Result<Case, AppError> {
    let case = store::find(c, id).await?;
    case.filter(|case| sees(actor, case)).ok_or(AppError::NotFound("case"))
}

/// A change of one case in the making: the version that was read and the one that is to hold.
pub(crate) struct Edit {
    old: Case,
    pub case: Case,
}

impl Edit {
    /// Reads the case under the lock of the change.
    async fn begin(change: &mut Change<'_>, actor: &Actor, id: CaseId) -> Result<Edit, AppError> {
        let old = find(&mut change.conn(), actor, id).await?;
        Ok(Edit { case: old.clone(), old })
    }

    /// Adds what somebody wrote. Events do not count as messages.
    async fn write(
        &mut self,
        change: &mut Change<'_>,
        actor: &Actor,
        kind: MessageKind,
        body: &str,
    ) -> Result<MessageId, AppError> {
        let at = change.at();
        let mut conn = change.conn();
        let message = Message {
            id: MessageId(conn.take_ids("messages", 1).await?),
            case: self.case.id,
            organization: self.case.organization,
            kind,
            author: actor.person,
            at,
            body: body.to_owned(),
        };
        store::add_message(&mut conn, &self.case.subject, &message).await?;
        if kind != MessageKind::Event {
            self.case.messages += 1;
        }
        Ok(message.id)
    }

    async fn event(
        &mut self,
        change: &mut Change<'_>,
        actor: &Actor,
        event: &CaseEvent,
    ) -> Result<(), AppError> {
        self.write(change, actor, MessageKind::Event, &event.text()?).await.map(drop)
    }

    /// Sets a status with its event and times; the same status changes nothing.
    async fn status(
        &mut self,
        change: &mut Change<'_>,
        actor: &Actor,
        to: Status,
    ) -> Result<bool, AppError> {
        let from = self.case.status;
        if from == to {
            return Ok(false);
        }
        self.case.status = to;
        match (from.is_active(), to.is_active()) {
            (true, false) => self.case.solved_at = Some(change.at()),
            (false, true) => self.case.solved_at = None,
            _ => {}
        }
        self.event(change, actor, &CaseEvent::Status(from, to)).await?;
        Ok(true)
    }

    /// Writes the new version, its ledger entry, and tells open pages.
    async fn finish(
        mut self,
        change: &mut Change<'_>,
        actor: &Actor,
        what: &str,
        item: Option<MessageId>,
        content: Option<&str>,
    ) -> Result<Case, AppError> {
        self.case.updated_at = change.at();
        let revision = change.revision();
        store::update(&mut change.conn(), revision, &self.old, &self.case).await?;
        record(change, actor, &self.case, what, item, content).await?;
        change.tell(Event::Case(self.case.id, actor.person));
        Ok(self.case)
    }
}

/// Writes what was done to a case into the ledger: ids and digests, never the text. Gives the entry's
/// number.
pub(crate) async fn record(
    change: &mut Change<'_>,
    actor: &Actor,
    case: &Case,
    what: &str,
    item: Option<MessageId>,
    content: Option<&str>,
) -> Result<i64, AppError> {
    let body = CaseChange {
        case: case.id.to_string(),
        change: what.to_owned(),
        item: item.map(|i| i.to_string()),
        content: content.map(|text| digest(text.as_bytes())),
        revision: Count(change.revision().0 as u64),
    };
    change.record(actor, Some(case.organization), &body).await
}

pub(crate) fn digest(bytes: &[u8]) -> Hash {
    use sha2::Digest;
    Hash(sha2::Sha256::digest(bytes).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_reads_as_it_was_written() {
        let event = CaseEvent::Status(Status::Open, Status::Solved);
        assert_eq!(event.text().ok().as_deref(), Some(r#"{"status":["open","solved"]}"#));
        for event in [
            event,
            CaseEvent::Opened,
            CaseEvent::Assignee(None, Some(PersonId(3))),
            CaseEvent::Tags("a".into(), String::new()),
        ] {
            assert_eq!(event.text().ok().and_then(|t| CaseEvent::read(&t)), Some(event));
        }
        assert_eq!(CaseEvent::read("hello"), None);
    }

    #[test]
    fn customers_are_not_told_who_works_on_what() {
        assert!(!CaseEvent::Assignee(None, None).is_public());
        assert!(!CaseEvent::Tags("churn-risk".into(), String::new()).is_public());
        assert!(!CaseEvent::Priority(Priority::Low, Priority::High).is_public());
    }
}
