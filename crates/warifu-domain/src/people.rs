//! A person's record: the 15 fields that the report of autumn 2023 had, in its order.

use crate::{OrganizationId, PersonId, Refusal, Timestamp, refusal};
use serde::{Deserialize, Serialize};

/// The labels of the 15 fields, in report order. `COLUMNS` in [`crate::reports`] gives their types.
pub const FIELD_LABELS: [&str; 15] = [
    "Created Date",
    "Last Login",
    "Full Name",
    "Username",
    "Email",
    "Company Name",
    "User Type",
    "Address",
    "Last Password Change or Reset",
    "Role: Name",
    "Role: Description",
    "Phone",
    "Mobile",
    "Time Zone",
    "SAML Federation ID",
];

/// A person as one version of the record says. Blank fields are `None`, never `""`: a report
/// could not tell them apart, and re-creation must not depend on which it was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub created_date: Option<Timestamp>,
    pub last_login: Option<Timestamp>,
    pub full_name: Option<String>,
    pub username: Option<String>,
    pub email: Option<String>,
    pub company_name: Option<String>,
    pub user_type: Option<String>,
    pub address: Option<String>,
    pub last_password_change: Option<Timestamp>,
    pub role_name: Option<String>,
    pub role_description: Option<String>,
    pub phone: Option<String>,
    pub mobile: Option<String>,
    pub time_zone: Option<String>,
    pub saml_federation_id: Option<String>,
}

/// Name and value of each way to reach somebody.
pub type Contact<'a> = [(&'static str, Option<&'a str>); 4];

/// Longest value of a text field, in bytes.
pub const MAX_FIELD: usize = 4096;

/// What is wrong with a person's record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PersonError {
    Nameless,
    TooLong { field: &'static str, bytes: usize },
    Nul { field: &'static str },
    Email { email: String },
}

impl PersonError {
    pub fn refusal(&self) -> Refusal {
        match self {
            Self::Nameless => refusal!(
                "person-nameless",
                "neither full name nor e-mail address nor user name is filled; give one of them"
            ),
            Self::TooLong { field, bytes } => refusal!(
                "person-long",
                "“{field}” has {bytes} bytes; at most {limit} are kept",
                field = *field,
                bytes = *bytes,
                limit = MAX_FIELD
            ),
            Self::Nul { field } => {
                refusal!("person-nul", "“{field}” has a NUL character; remove it", field = *field)
            }
            Self::Email { email } => refusal!(
                "person-email",
                "“{email}” is no e-mail address; it needs one @ with text on both sides",
                email = email.as_str()
            ),
        }
    }
}

crate::refuses!(PersonError);

/// What somebody is called whose record has no name, address or user name.
pub const NAMELESS: &str = "–";

impl Person {
    /// The 12 text fields with their labels, in report order.
    pub fn texts_mut(&mut self) -> [(&'static str, &mut Option<String>); 12] {
        [
            (FIELD_LABELS[2], &mut self.full_name),
            (FIELD_LABELS[3], &mut self.username),
            (FIELD_LABELS[4], &mut self.email),
            (FIELD_LABELS[5], &mut self.company_name),
            (FIELD_LABELS[6], &mut self.user_type),
            (FIELD_LABELS[7], &mut self.address),
            (FIELD_LABELS[9], &mut self.role_name),
            (FIELD_LABELS[10], &mut self.role_description),
            (FIELD_LABELS[11], &mut self.phone),
            (FIELD_LABELS[12], &mut self.mobile),
            (FIELD_LABELS[13], &mut self.time_zone),
            (FIELD_LABELS[14], &mut self.saml_federation_id),
        ]
    }

    /// What somebody is reached at and signs in under: whoever changes it is half-way into the account.
    /// Names as in the API, in report order.
    pub fn contact(&self) -> Contact<'_> {
        [
            ("username", self.username.as_deref()),
            ("email", self.email.as_deref()),
            ("phone", self.phone.as_deref()),
            ("mobile", self.mobile.as_deref()),
        ]
    }

    /// The names of what differs in that. A mail address is the same in upper and lower case, as it is
    /// where people are looked up by it.
    pub fn contact_changes(&self, new: &Person) -> Vec<&'static str> {
        let same = |name: &str, a: Option<&str>, b: Option<&str>| match (name, a, b) {
            ("email", Some(a), Some(b)) => a.to_lowercase() == b.to_lowercase(),
            (_, a, b) => a == b,
        };
        let pairs = self.contact().into_iter().zip(new.contact());
        pairs.filter(|((name, a), (_, b))| !same(name, *a, *b)).map(|((name, _), _)| name).collect()
    }

    /// Turns empty texts into blanks and checks the limits.
    ///
    /// # Errors
    /// The first rule that the record breaks.
    pub fn checked(mut self) -> Result<Person, PersonError> {
        for (field, value) in self.texts_mut() {
            let Some(text) = value else { continue };
            if text.is_empty() {
                *value = None;
            } else if text.len() > MAX_FIELD {
                return Err(PersonError::TooLong { field, bytes: text.len() });
            } else if text.contains('\0') {
                return Err(PersonError::Nul { field });
            }
        }
        if let Some(email) = &self.email
            && !looks_like_email(email)
        {
            return Err(PersonError::Email { email: email.chars().take(80).collect() });
        }
        if self.full_name.is_none() && self.email.is_none() && self.username.is_none() {
            return Err(PersonError::Nameless);
        }
        Ok(self)
    }

    /// What to call the person on a page.
    pub fn display_name(&self) -> &str {
        [&self.full_name, &self.email, &self.username]
            .into_iter()
            .find_map(|f| f.as_deref())
            .unwrap_or(NAMELESS)
    }
}

/// One `@` with something on both sides and no blanks: as much as can be said without sending.
pub fn looks_like_email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && !domain.is_empty()
            && !domain.contains('@')
            && !text.chars().any(char::is_whitespace)
    })
}

/// A person's record with what the installation knows beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownPerson {
    pub id: PersonId,
    pub organization: OrganizationId,
    pub active: bool,
    pub record: Person,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(email: &str) -> Person {
        Person { email: Some(email.into()), ..Person::default() }
    }

    #[test]
    fn blanks_become_none() {
        let p = Person { phone: Some(String::new()), ..named("a@b") }.checked();
        assert_eq!(p.map(|p| p.phone), Ok(None));
    }

    #[test]
    fn tells_what_of_the_contact_changes() {
        let old = Person { phone: Some("1".into()), ..named("a@b.example") };
        let new = Person { full_name: Some("A".into()), ..old.clone() };
        assert!(old.contact_changes(&new).is_empty());
        let new = Person { email: Some("A@B.example".into()), ..new };
        assert!(old.contact_changes(&new).is_empty(), "upper case");
        let new = Person { email: Some("c@b.example".into()), mobile: Some("2".into()), ..new };
        assert_eq!(old.contact_changes(&new), ["email", "mobile"]);
        let new = Person { username: Some("a".into()), phone: None, email: None, ..new };
        assert_eq!(old.contact_changes(&new), ["username", "email", "phone", "mobile"]);
    }

    #[test]
    fn refuses_what_no_record_may_hold() {
        assert_eq!(Person::default().checked(), Err(PersonError::Nameless));
        for bad in ["a", "@b", "a@", "a@b@c", "a b@c"] {
            assert!(matches!(named(bad).checked(), Err(PersonError::Email { .. })), "{bad}");
        }
        let long = Person { address: Some("x".repeat(MAX_FIELD + 1)), ..named("a@b") };
        assert!(matches!(long.checked(), Err(PersonError::TooLong { field: "Address", .. })));
        let nul = Person { phone: Some("1\0".into()), ..named("a@b") };
        assert_eq!(nul.checked(), Err(PersonError::Nul { field: "Phone" }));
    }
}
