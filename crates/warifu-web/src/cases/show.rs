//! Records of the desk as the templates take them.

use crate::i18n::Lang;
use crate::session::SignedIn;
use crate::state::Web;
use crate::views::cases::{self as view, Attachment, CaseRow, CleanReceipt, Entry, EventKind};
use crate::views::markup::{Choice, initials};
use jiff::tz::TimeZone;
use serde::Deserialize;
use std::collections::HashMap;
use warifu_app::cases::{CaseEvent, CasePage, OpenCase, Somebody};
use warifu_domain::cases::{Case, MessageKind, Priority, Status};
use warifu_domain::{OrganizationId, PersonId, Timestamp};

/// What is needed to show records to one reader.
pub struct Show<'a> {
    pub web: &'a Web,
    pub lang: Lang,
    pub now: Timestamp,
    zone: TimeZone,
}

pub fn status(s: Status) -> view::CaseStatus {
    match s {
        Status::New => view::CaseStatus::New,
        Status::Open => view::CaseStatus::Open,
        Status::Waiting => view::CaseStatus::Waiting,
        Status::Solved => view::CaseStatus::Solved,
        Status::Closed => view::CaseStatus::Closed,
    }
}

pub fn priority(p: Priority) -> view::Priority {
    match p {
        Priority::Low => view::Priority::Low,
        Priority::Normal => view::Priority::Normal,
        Priority::High => view::Priority::High,
        Priority::Urgent => view::Priority::Urgent,
    }
}

/// Somebody with a face.
pub fn somebody(id: impl ToString, name: &str) -> view::Somebody {
    view::Somebody { id: id.to_string(), name: name.to_owned(), initials: initials(name) }
}

/// Statuses to choose from.
pub fn statuses(lang: Lang, chosen: Option<Status>) -> Vec<Choice> {
    let choice = |s: &Status| Choice::new(s.key(), lang.t(status(*s).label()), chosen == Some(*s));
    Status::ALL.iter().map(choice).collect()
}

/// Priorities to choose from, the most urgent first.
pub fn priorities(lang: Lang, chosen: Option<Priority>) -> Vec<Choice> {
    let choice =
        |p: &Priority| Choice::new(p.key(), lang.t(priority(*p).label()), chosen == Some(*p));
    Priority::ALL.iter().rev().map(choice).collect()
}

/// Staff to choose from, nobody first. `chosen`: as a form says it.
pub fn staff(lang: Lang, people: &[(PersonId, String)], chosen: &str) -> Vec<Choice> {
    let nobody = Choice::new(super::NOBODY, lang.t("nobody"), chosen == super::NOBODY);
    let choice = |(id, name): &(PersonId, String)| {
        let id = id.to_string();
        let chosen = id == chosen;
        Choice::new(id, name, chosen)
    };
    std::iter::once(nobody).chain(people.iter().map(choice)).collect()
}

/// A text as paragraphs: blank lines part them.
pub fn paragraphs(text: &str) -> Vec<String> {
    text.split("\n\n").map(|p| p.trim_matches('\n').to_owned()).filter(|p| !p.is_empty()).collect()
}

/// The parts of a stored receipt that are shown.
#[derive(Deserialize)]
struct Receipt {
    input_bytes: i64,
    removed: Vec<RemovedPart>,
}

#[derive(Deserialize)]
struct RemovedPart {
    place: String,
    kind: String,
    count: i64,
}

/// What was taken out of a file, from its stored receipt.
pub fn receipt(json: &str) -> Option<CleanReceipt> {
    let receipt: Receipt = serde_json::from_str(json).ok()?;
    let cookie = |r: &RemovedPart| r.kind.to_ascii_lowercase().contains("cookie");
    let cookies = receipt.removed.iter().filter(|r| cookie(r)).map(|r| r.count).sum();
    let all: i64 = receipt.removed.iter().map(|r| r.count).sum();
    let part = |r: RemovedPart| view::Removed {
        kind: r.kind,
        names: String::new(),
        place: r.place,
        count: r.count,
    };
    Some(CleanReceipt {
        original_size: receipt.input_bytes,
        cookies,
        tokens: all - cookies,
        removed: receipt.removed.into_iter().map(part).collect(),
    })
}

fn attachment(file: &warifu_app::cases::File) -> Attachment {
    Attachment {
        href: format!("/attachments/{}", file.id),
        name: file.name.clone(),
        size: file.bytes,
        receipt: file.har_receipt.as_deref().and_then(receipt),
    }
}

impl<'a> Show<'a> {
    pub fn to(web: &'a Web, who: &SignedIn) -> Show<'a> {
        Show { web, lang: who.taste.lang, now: web.app.now(), zone: who.zone.clone() }
    }

    /// `10 min ago`
    pub fn ago(&self, at: Timestamp) -> crate::i18n::When {
        self.lang.ago(at.to_jiff(), self.now.to_jiff(), &self.zone)
    }

    /// `10 min`, under a heading that says what it is.
    fn age(&self, at: Timestamp) -> crate::i18n::When {
        self.lang.age(at.to_jiff(), self.now.to_jiff(), &self.zone)
    }

    /// Date and time.
    pub fn at(&self, at: Timestamp) -> crate::i18n::When {
        self.lang.date_time(at.to_jiff(), &self.zone)
    }

    /// The time today, the day and the time else.
    pub fn moment(&self, at: Timestamp) -> crate::i18n::When {
        self.lang.moment(at.to_jiff(), self.now.to_jiff(), &self.zone)
    }

    pub fn row(
        &self,
        case: &Case,
        people: &HashMap<PersonId, Somebody>,
        organization: &str,
    ) -> CaseRow {
        let assignee =
            case.assignee.map(|id| somebody(id, people.get(&id).map_or("", |p| p.name.as_str())));
        CaseRow {
            reference: self.web.app.case_reference(case.id),
            subject: case.subject.clone(),
            organization: organization.to_owned(),
            status: status(case.status),
            priority: priority(case.priority),
            assignee,
            last: self.ago(case.updated_at),
            age: self.age(case.updated_at),
            ..CaseRow::default()
        }
    }

    pub fn rows(&self, page: &CasePage) -> Vec<CaseRow> {
        let name = |id: &OrganizationId| page.organizations.get(id).map_or("", String::as_str);
        page.cases.iter().map(|c| self.row(c, &page.people, name(&c.organization))).collect()
    }

    /// The conversation. `staff`: with notes and events.
    pub fn entries(&self, open: &OpenCase, vendor: &str) -> Vec<Entry> {
        open.entries.iter().filter_map(|e| self.entry(open, e, vendor)).collect()
    }

    pub fn message(
        &self,
        open: &OpenCase,
        e: &warifu_app::cases::Entry,
        vendor: &str,
    ) -> view::Message {
        let m = &e.message;
        let ours = m.kind != MessageKind::Customer;
        let side = if ours { vendor.to_owned() } else { open.organization.name.clone() };
        view::Message {
            id: m.id.to_string(),
            author: somebody(m.author, open.name(m.author)),
            ours,
            side,
            at: self.moment(m.at),
            paragraphs: paragraphs(&m.body),
            files: e.files.iter().map(attachment).collect(),
        }
    }

    fn entry(&self, open: &OpenCase, e: &warifu_app::cases::Entry, vendor: &str) -> Option<Entry> {
        Some(match e.message.kind {
            MessageKind::Customer | MessageKind::Reply => {
                Entry::Message(self.message(open, e, vendor))
            }
            MessageKind::Note => Entry::Note(self.message(open, e, vendor)),
            MessageKind::Event => {
                let (kind, what) = self.event(open, e.message.author, e.event.as_ref()?);
                let who = open.name(e.message.author).to_owned();
                Entry::Event(view::Event { who, kind, what, at: self.moment(e.message.at) })
            }
        })
    }

    fn event(&self, open: &OpenCase, by: PersonId, event: &CaseEvent) -> (EventKind, String) {
        let t = |id: &str| self.lang.t(id);
        match event {
            CaseEvent::Opened => (EventKind::Opened, String::new()),
            CaseEvent::Assignee(_, Some(to)) if *to == by => (EventKind::Took, String::new()),
            CaseEvent::Assignee(_, Some(to)) => (EventKind::Assigned, open.name(*to).to_owned()),
            CaseEvent::Assignee(_, None) => (EventKind::Assigned, t("nobody")),
            CaseEvent::Status(_, to) => (EventKind::Status, t(status(*to).label())),
            CaseEvent::Priority(_, to) => (EventKind::Priority, t(priority(*to).label())),
            CaseEvent::Tags(_, to) if to.is_empty() => (EventKind::Tags, t("case-tags-none")),
            CaseEvent::Tags(_, to) => (EventKind::Tags, to.replace(',', ", ")),
            CaseEvent::FileOpened(id) => {
                let mut files = open.entries.iter().flat_map(|e| &e.files);
                let name = files.find(|f| f.id == *id).map(|f| f.name.clone());
                (EventKind::FileOpened, name.unwrap_or_default())
            }
        }
    }
}

/// What a case list's cursor looks like in an address: `updated_at-id`, in microseconds.
pub fn cursor(text: &str) -> Option<warifu_app::cases::Cursor> {
    let (at, id) = text.split_once('-')?;
    Some(warifu_app::cases::Cursor {
        updated_at: Timestamp(at.parse().ok()?),
        id: warifu_domain::CaseId(id.parse().ok()?),
    })
}

pub fn cursor_text(c: warifu_app::cases::Cursor) -> String {
    format!("{}-{}", c.updated_at.0, c.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receipts_are_counted() {
        let json = r#"{"input_bytes":9,"removed":[{"place":"request headers","kind":"cookie","count":3},{"place":"url","kind":"path segment","count":2}]}"#;
        let r = receipt(json).unwrap();
        assert_eq!((r.original_size, r.cookies, r.tokens, r.removed.len()), (9, 3, 2, 2));
        assert!(receipt("{}").is_none());
    }

    #[test]
    fn cursors_read_as_written() {
        let c = cursor("17-4").unwrap();
        assert_eq!((c.updated_at, c.id.0, cursor_text(c).as_str()), (Timestamp(17), 4, "17-4"));
        for bad in ["", "1", "a-b", "1-"] {
            assert!(cursor(bad).is_none(), "{bad}");
        }
    }
}
