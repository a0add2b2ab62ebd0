//! Access transparency: what the vendor's people and programs have seen of an organization, as its
//! administrators are told.

use crate::access::Actor;
use crate::reports::{Definition, Subject};
use crate::{OrganizationId, Timestamp};
use jiff::ToSpan;
use jiff::tz::TimeZone;

/// What was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i64)]
pub enum AccessKind {
    Case = 0,
    /// A file that came with a message.
    File = 1,
    /// Records of people, on a page or in a list.
    Person = 2,
    /// Rows of a report.
    Report = 3,
    /// Cases in a list, with number and subject. There are many of them: they are told by themselves.
    List = 4,
}

impl AccessKind {
    pub const ALL: [AccessKind; 5] = [
        AccessKind::Case,
        AccessKind::File,
        AccessKind::Person,
        AccessKind::Report,
        AccessKind::List,
    ];

    /// The stable name used in addresses and the API.
    pub fn key(self) -> &'static str {
        match self {
            AccessKind::Case => "case",
            AccessKind::File => "file",
            AccessKind::Person => "person",
            AccessKind::Report => "report",
            AccessKind::List => "list",
        }
    }

    pub fn from_key(key: &str) -> Option<AccessKind> {
        AccessKind::ALL.into_iter().find(|k| k.key() == key)
    }

    /// The number used in the database.
    pub fn number(self) -> i64 {
        self as i64
    }

    pub fn from_number(number: i64) -> Option<AccessKind> {
        AccessKind::ALL.into_iter().find(|k| k.number() == number)
    }
}

/// What else is true of an access, as a small set. The bits are in the database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks(pub i64);

impl Marks {
    /// A program did it.
    pub const PROGRAM: Marks = Marks(1);
    /// The case was theirs to work on at that moment.
    pub const ASSIGNED: Marks = Marks(2);
    /// Among others, in a list.
    pub const LISTED: Marks = Marks(4);
    /// It was refused: nothing was made.
    pub const REFUSED: Marks = Marks(8);
    /// The file of an earlier run was made once more.
    pub const REMADE: Marks = Marks(16);
    /// A report on people without a filter.
    pub const UNFILTERED: Marks = Marks(32);
    /// Nobody said why, where it is asked.
    pub const NO_REASON: Marks = Marks(64);
    /// A report of at most so many rows: not everybody needs to be in it.
    pub const LIMITED: Marks = Marks(128);

    /// What is true of every report that a definition makes.
    pub fn of(definition: &Definition) -> Marks {
        let people = definition.subject == Subject::People;
        Marks::default()
            .with_if(people && definition.filter.is_everything(), Marks::UNFILTERED)
            .with_if(definition.limit.is_some(), Marks::LIMITED)
    }

    #[must_use]
    pub fn with(self, mark: Marks) -> Marks {
        Marks(self.0 | mark.0)
    }

    #[must_use]
    pub fn with_if(self, condition: bool, mark: Marks) -> Marks {
        if condition { self.with(mark) } else { self }
    }

    pub fn has(self, mark: Marks) -> bool {
        self.0 & mark.0 != 0
    }
}

/// Whether what an actor sees of an organization is told to its administrators: what somebody of the
/// vendor, or a program, sees of a customer.
pub fn is_told(actor: &Actor, organization: OrganizationId) -> bool {
    actor.is_staff() && actor.organization != organization && organization.0 != 0
}

/// Weeks that are counted.
pub const WEEKS: usize = 13;

/// Where the last [`WEEKS`] weeks begin, from Monday in a time zone, the present one last; and where
/// that one ends.
pub fn weeks(now: Timestamp, zone: &TimeZone) -> [Timestamp; WEEKS + 1] {
    let today = now.to_jiff().to_zoned(zone.clone()).date();
    let monday = today.saturating_sub(i64::from(today.weekday().to_monday_zero_offset()).days());
    std::array::from_fn(|i| {
        let weeks = i as i64 + 1 - WEEKS as i64;
        let begins = monday.saturating_add(weeks.weeks()).to_zoned(zone.clone());
        begins.map_or(now, |z| Timestamp(z.timestamp().as_microsecond()))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::PersonId;
    use crate::access::{Permission, Role, Roles};

    #[test]
    fn what_the_vendor_sees_of_a_customer_is_told() {
        let actor = |roles, organization| Actor {
            person: PersonId(1),
            name: String::new(),
            organization: OrganizationId(organization),
            roles,
            session: None,
            network: String::new(),
        };
        let agent = Roles::default().with(Role::Agent);
        assert!(is_told(&actor(agent, 1), OrganizationId(7)));
        assert!(is_told(&actor(Roles::of_service([Permission::WorkCases]), 1), OrganizationId(7)));
        assert!(!is_told(&actor(agent, 1), OrganizationId(1)), "the vendor's own");
        let own = Roles::default().with(Role::OrganizationAdministrator);
        assert!(!is_told(&actor(own, 7), OrganizationId(7)));
        assert!(!is_told(&actor(Roles::default(), 7), OrganizationId(7)));
    }

    #[test]
    fn weeks_begin_on_monday_where_the_reader_is() {
        let zone = TimeZone::get("America/New_York").unwrap();
        // A Monday in UTC, still Sunday there; the clocks went back on 1 November.
        let found = weeks(Timestamp::parse("2026-11-30T03:00:00Z").unwrap(), &zone);
        let text = |i: usize| found[i].to_jiff().to_string();
        assert_eq!(text(0), "2026-08-31T04:00:00Z");
        assert_eq!(text(12), "2026-11-23T05:00:00Z");
        assert_eq!(text(13), "2026-11-30T05:00:00Z");
    }

    #[test]
    fn names_and_numbers_are_one_to_one() {
        for kind in AccessKind::ALL {
            assert_eq!(AccessKind::from_key(kind.key()), Some(kind));
            assert_eq!(AccessKind::from_number(kind.number()), Some(kind));
        }
        let marks = Marks::default().with(Marks::LISTED).with_if(false, Marks::REFUSED);
        assert!(marks.has(Marks::LISTED) && !marks.has(Marks::REFUSED));
    }
}
