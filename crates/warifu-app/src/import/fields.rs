//! Which column of a file is which of the 15 fields, and how a row becomes a record.

use crate::AppError;
use std::collections::HashMap;
use warifu_domain::Timestamp;
use warifu_domain::people::{FIELD_LABELS, Person};
use warifu_domain::reports::Subject;

/// Where the values of a record stand in a file's rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldMap {
    /// For each of the 15 fields: the place of its column.
    places: [Option<usize>; 15],
    /// The column that names the organization.
    organization: Option<usize>,
}

/// Only letters and digits, folded: `last_pw_change`, `Last PW Change` and `last-pw-change` are one.
fn bare(name: &str) -> String {
    name.trim_start_matches('\u{feff}')
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// Other names under which exports call the fields.
const ALIASES: [(&str, usize); 20] = [
    ("created", 0),
    ("createdat", 0),
    ("lastloginat", 1),
    ("name", 2),
    ("login", 3),
    ("emailaddress", 4),
    ("mail", 4),
    ("company", 5),
    ("type", 6),
    ("lastpwchange", 8),
    ("lastpasswordchange", 8),
    ("dateoflastpasswordchangeorreset", 8),
    ("role", 9),
    ("roledesc", 10),
    ("phonenumber", 11),
    ("mobilephone", 12),
    ("timezone", 13),
    ("tz", 13),
    ("federationid", 14),
    ("samlid", 14),
];

impl FieldMap {
    /// Finds the fields by their names; `given` says otherwise (`file column=field`).
    ///
    /// # Errors
    /// When a header occurs twice, a mapping names what is not there, or no column is a name or
    /// e-mail address.
    pub fn new(headers: &[String], given: &[(String, String)]) -> Result<FieldMap, AppError> {
        let wrong = |what: String| AppError::invalid("columns", what.into());
        let mut known: HashMap<String, usize> = HashMap::new();
        for (i, (column, label)) in Subject::People.columns().iter().zip(FIELD_LABELS).enumerate() {
            known.insert(bare(column.key), i);
            known.insert(bare(label), i);
        }
        known.extend(ALIASES.map(|(name, i)| (name.to_owned(), i)));
        let mut seen = HashMap::new();
        for (i, header) in headers.iter().enumerate() {
            if header.trim().is_empty() {
                return Err(wrong(format!("column {} has no header; give it one", i + 1)));
            }
            if let Some(first) = seen.insert(bare(header), i) {
                let (a, b) = (first + 1, i + 1);
                return Err(wrong(format!(
                    "the header “{header}” stands in column {a} and in column {b}; rename one"
                )));
            }
        }
        let mut map = FieldMap { places: [None; 15], organization: None };
        for (column, field) in given {
            let place = *seen.get(&bare(column)).ok_or_else(|| {
                wrong(format!("the file has no column “{column}”; it has {}", headers.join(", ")))
            })?;
            if bare(field) == "organization" {
                map.organization = Some(place);
                continue;
            }
            let field = *known.get(&bare(field)).ok_or_else(|| {
                wrong(format!(
                    "“{field}” is none of the fields {}, organization",
                    FIELD_LABELS.join(", ")
                ))
            })?;
            map.places[field] = Some(place);
        }
        for (i, header) in headers.iter().enumerate() {
            let taken = map.places.contains(&Some(i)) || map.organization == Some(i);
            let name = bare(header);
            if taken {
                continue;
            }
            if name == "organization" || name == "organisation" || name == "account" {
                map.organization.get_or_insert(i);
            } else if let Some(field) = known.get(&name) {
                map.places[*field].get_or_insert(i);
            }
        }
        if [2, 3, 4].iter().all(|f| map.places[*f].is_none()) {
            return Err(wrong(format!(
                "no column is a full name, user name or e-mail address; the file has {}. Say which is which with --map 'COLUMN=Full Name'",
                headers.join(", ")
            )));
        }
        Ok(map)
    }

    /// Reads one row.
    ///
    /// # Errors
    /// A sentence about the first value that is none, with its field.
    pub fn record(&self, row: &[Option<String>]) -> Result<(Person, Option<String>), String> {
        let text = |field: usize| {
            let value = self.places[field].and_then(|p| row.get(p)).and_then(Option::as_deref);
            value.map(str::trim).filter(|v| !v.is_empty())
        };
        let owned = |field: usize| text(field).map(str::to_owned);
        let time = |field: usize| match text(field) {
            None => Ok(None),
            Some(t) => {
                Timestamp::parse(t).map(Some).map_err(|e| format!("{}: {e}", FIELD_LABELS[field]))
            }
        };
        let person = Person {
            created_date: time(0)?,
            last_login: time(1)?,
            full_name: owned(2),
            username: owned(3),
            email: owned(4),
            company_name: owned(5),
            user_type: owned(6),
            address: owned(7),
            last_password_change: time(8)?,
            role_name: owned(9),
            role_description: owned(10),
            phone: owned(11),
            mobile: owned(12),
            time_zone: owned(13),
            saml_federation_id: owned(14),
        };
        let organization = self.organization.and_then(|p| row.get(p)).and_then(Option::as_deref);
        let organization = organization.map(str::trim).filter(|o| !o.is_empty()).map(str::to_owned);
        Ok((person.checked().map_err(|e| e.to_string())?, organization))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(names: &[&str]) -> Vec<String> {
        names.iter().map(|n| (*n).to_owned()).collect()
    }

    #[test]
    fn finds_the_fields_under_their_usual_names() {
        let map = FieldMap::new(
            &headers(&["full_name", "E-Mail", "Last PW Change", "Account", "x"]),
            &[],
        )
        .unwrap();
        assert_eq!(
            (map.places[2], map.places[4], map.places[8], map.organization),
            (Some(0), Some(1), Some(2), Some(3))
        );
        let row = [
            Some("A".into()),
            Some("a@b.example".into()),
            Some("2023-09-28".into()),
            Some("Acme".into()),
            None,
        ];
        let (person, organization) = map.record(&row).unwrap();
        assert_eq!(person.email.as_deref(), Some("a@b.example"));
        assert_eq!(organization.as_deref(), Some("Acme"));
    }

    #[test]
    fn says_what_is_wrong_with_headers_and_rows() {
        let wrong = |names: &[&str]| FieldMap::new(&headers(names), &[]).unwrap_err().to_string();
        assert!(wrong(&["email", "Email"]).contains("column 1 and in column 2"));
        assert!(wrong(&["email", ""]).contains("column 2 has no header"));
        assert!(wrong(&["shoe", "hat"]).contains("--map"));
        let given = [("hat".to_owned(), "Full Name".to_owned())];
        assert!(FieldMap::new(&headers(&["shoe", "hat"]), &given).is_ok());
        let map = FieldMap::new(&headers(&["email", "last login"]), &[]).unwrap();
        let e = map.record(&[Some("a@b.c".into()), Some("noon".into())]).unwrap_err();
        assert!(e.starts_with("Last Login: “noon” is no time"), "{e}");
        assert!(map.record(&[None, None]).is_err());
    }
}
