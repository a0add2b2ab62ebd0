//! What a report can show and filter by. One list per subject; a column's place in it is its place
//! in a row, for the database reader, the filter and the writer alike.

use crate::people::FIELD_LABELS;
use serde::{Deserialize, Serialize};

/// What a report is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    People,
    Cases,
    Organizations,
}

/// A column's type; it decides which operators fit and how values are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Text,
    Time,
    Number,
    Bool,
}

/// One column of a subject.
#[derive(Debug, PartialEq, Eq)]
pub struct Column {
    /// Stable name in definitions, the API and the database.
    pub key: &'static str,
    /// The header that a file shows.
    pub label: &'static str,
    pub kind: Kind,
    /// Whether a report may show it. The others can only be filtered by.
    pub shown: bool,
    /// Whether it is personal data of a customer's people.
    pub personal: bool,
}

const fn column(
    key: &'static str,
    label: &'static str,
    kind: Kind,
    shown: bool,
    personal: bool,
) -> Column {
    Column { key, label, kind, shown, personal }
}

const fn field(key: &'static str, index: usize, kind: Kind) -> Column {
    column(key, FIELD_LABELS[index], kind, true, true)
}

static PEOPLE: [Column; 20] = [
    field("created_date", 0, Kind::Time),
    field("last_login", 1, Kind::Time),
    field("full_name", 2, Kind::Text),
    field("username", 3, Kind::Text),
    field("email", 4, Kind::Text),
    field("company_name", 5, Kind::Text),
    field("user_type", 6, Kind::Text),
    field("address", 7, Kind::Text),
    field("last_password_change", 8, Kind::Time),
    field("role_name", 9, Kind::Text),
    field("role_description", 10, Kind::Text),
    field("phone", 11, Kind::Text),
    field("mobile", 12, Kind::Text),
    field("time_zone", 13, Kind::Text),
    field("saml_federation_id", 14, Kind::Text),
    column("active", "Active", Kind::Bool, false, false),
    column("organization_id", "Organization ID", Kind::Number, false, false),
    column("organization", "Organization", Kind::Text, false, false),
    column("environment", "Environment", Kind::Text, false, false),
    column("products", "Products", Kind::Text, false, false),
];

static CASES: [Column; 18] = [
    column("number", "Case", Kind::Number, true, false),
    column("subject", "Subject", Kind::Text, true, true),
    column("status", "Status", Kind::Text, true, false),
    column("priority", "Priority", Kind::Text, true, false),
    column("product", "Product", Kind::Text, true, false),
    column("tags", "Tags", Kind::Text, true, false),
    column("language", "Language", Kind::Text, true, false),
    column("created", "Created", Kind::Time, true, false),
    column("updated", "Updated", Kind::Time, true, false),
    column("first_reply", "First reply", Kind::Time, true, false),
    column("solved", "Solved", Kind::Time, true, false),
    column("messages", "Messages", Kind::Number, true, false),
    column("organization_id", "Organization ID", Kind::Number, true, false),
    column("organization", "Organization", Kind::Text, true, false),
    column("environment", "Environment", Kind::Text, true, false),
    column("requester", "Requester", Kind::Text, true, true),
    column("requester_email", "Requester e-mail", Kind::Text, true, true),
    column("assignee", "Assignee", Kind::Text, true, false),
];

static ORGANIZATIONS: [Column; 5] = [
    column("organization_id", "Organization ID", Kind::Number, true, false),
    column("organization", "Organization", Kind::Text, true, false),
    column("environment", "Environment", Kind::Text, true, false),
    column("products", "Products", Kind::Text, true, false),
    column("domain", "Domain", Kind::Text, true, false),
];

impl Subject {
    pub const ALL: [Subject; 3] = [Subject::People, Subject::Cases, Subject::Organizations];

    pub fn key(self) -> &'static str {
        match self {
            Subject::People => "people",
            Subject::Cases => "cases",
            Subject::Organizations => "organizations",
        }
    }

    pub fn from_key(key: &str) -> Option<Subject> {
        Subject::ALL.into_iter().find(|s| s.key() == key)
    }

    /// Every column, in row order.
    pub fn columns(self) -> &'static [Column] {
        match self {
            Subject::People => &PEOPLE,
            Subject::Cases => &CASES,
            Subject::Organizations => &ORGANIZATIONS,
        }
    }

    /// A column's place in a row.
    pub fn index(self, key: &str) -> Option<usize> {
        self.columns().iter().position(|c| c.key == key)
    }

    /// The column that makes any order total: each record has one of its own. For people it is the
    /// id, which no report shows.
    pub fn id_column(self) -> &'static str {
        match self {
            Subject::People => "id",
            Subject::Cases => "number",
            Subject::Organizations => "organization_id",
        }
    }
}

/// A value of a row, borrowed from wherever the row lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    Null,
    Text(&'a str),
    /// Microseconds since the epoch, UTC.
    Time(i64),
    Number(i64),
    Bool(bool),
}

impl Value<'_> {
    /// Nothing in it: null, or an empty text.
    pub fn is_blank(&self) -> bool {
        matches!(self, Value::Null | Value::Text(""))
    }
}
