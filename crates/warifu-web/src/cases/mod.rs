//! The console of the desk.

pub mod answer;
pub mod bulk;
pub mod case;
pub mod list;
pub mod new;
pub mod properties;
pub mod show;

use crate::problem::Problem;
use crate::state::Web;
use warifu_domain::cases::{Priority, Status};
use warifu_domain::refusal;
use warifu_domain::{CaseId, PersonId};

/// The case that an address names.
///
/// # Errors
/// The same as for a case that does not exist.
pub fn number(web: &Web, reference: &str) -> Result<CaseId, Problem> {
    web.app.case_number(reference).ok_or_else(Problem::not_found)
}

/// A status that a form names; `None` for an empty text.
pub fn status(text: &str) -> Result<Option<Status>, Problem> {
    match text {
        "" => Ok(None),
        key => Status::from_key(key).map(Some).ok_or_else(|| {
            Problem::invalid("status", refusal!("status-unknown", "there is no such status"))
        }),
    }
}

/// A priority that a form names; `None` for an empty text.
pub fn priority(text: &str) -> Result<Option<Priority>, Problem> {
    match text {
        "" => Ok(None),
        key => Priority::from_key(key).map(Some).ok_or_else(|| {
            Problem::invalid("priority", refusal!("priority-unknown", "there is no such priority"))
        }),
    }
}

/// What a form says for nobody.
pub const NOBODY: &str = "0";

/// An assignee that a form names: a person, nobody, or (empty) no change.
pub fn assignee(text: &str) -> Result<Option<Option<PersonId>>, Problem> {
    match text {
        "" => Ok(None),
        NOBODY => Ok(Some(None)),
        id => id.parse().map(|id| Some(Some(id))).map_err(|_| {
            Problem::invalid("assignee", refusal!("person-unknown", "there is no such person"))
        }),
    }
}
