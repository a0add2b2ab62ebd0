//! Who and which fields a file contained.

use rustc_hash::FxHashSet;
use serde::Serialize;

use crate::{
    definition::Predicate,
    dimension::{BadPredicate, Dimension},
    pass::first_rows,
    people::{Meaning, People, Segment},
    search::SearchError,
    shape::EMPTY,
};

/// One field of a file.
#[derive(Clone, Debug, Serialize)]
pub struct Field {
    /// Label.
    pub column: String,
    /// People for whom it was filled.
    pub filled: u64,
}

/// What a file contained.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Exposure {
    /// People in it.
    pub people: u64,
    /// Per field, how many were filled.
    pub fields: Vec<Field>,
    /// People of whom nothing but name and e-mail address was in it.
    pub only_name_and_email: u64,
    /// People whose only contact data in it were name and e-mail address (no address, phone, mobile).
    pub only_contact_name_and_email: u64,
    /// The same as a share of the people, 0 to 1.
    pub only_contact_share: f64,
    /// Different organizations, by company; where the file has no such column, by mail domain.
    /// `None` when the people file has neither.
    pub organizations: Option<u64>,
    /// Where the organizations were taken from.
    pub organizations_by: Option<String>,
    /// The largest of them, with their people.
    pub largest_organizations: Vec<(String, u64)>,
}

/// The rows for which all `predicates` hold.
#[derive(Debug)]
pub(crate) struct Members {
    dimensions: Vec<Dimension>,
}

impl Members {
    pub(crate) fn new(people: &People, predicates: &[Predicate]) -> Result<Self, SearchError> {
        let mut dimensions = Vec::with_capacity(predicates.len());
        for predicate in predicates {
            let column = people.column(&predicate.column).ok_or_else(|| {
                let have = people.column_names().collect::<Vec<_>>().join(", ");
                SearchError::NoColumn { name: predicate.column.clone(), have }
            })?;
            let dimension: Result<_, BadPredicate> =
                Dimension::new(people, column, vec![(predicate.clone(), 0.0)]);
            dimensions.push(dimension?);
        }
        Ok(Self { dimensions })
    }

    /// Per row of `segment`, whether it is in.
    pub(crate) fn of(&self, people: &People, segment: &Segment) -> Vec<bool> {
        let mut members = vec![true; segment.rows];
        let mut keys = Vec::new();
        for dimension in &self.dimensions {
            keys.clear();
            keys.resize(segment.rows, 0);
            dimension.add_keys(people, segment, 1, &mut keys);
            let Some(choice) = dimension.choices.first() else { continue };
            for (member, key) in members.iter_mut().zip(&keys) {
                *member &= choice.holds(*key as u16);
            }
        }
        members
    }

    /// Per row of the whole table.
    pub(crate) fn all(&self, people: &People) -> Vec<bool> {
        people.segments.iter().flat_map(|segment| self.of(people, segment)).collect()
    }
}

/// The column that tells organizations apart, and the code of a row's in it.
pub(crate) fn organization_column(people: &People) -> Option<usize> {
    let by = |meaning| {
        people.columns.iter().position(|column| {
            column.meaning == meaning && column.values.is_some() && column.filled > 0
        })
    };
    by(Meaning::Organization)
        // Nearly nobody's company is known in some exports; the mail domain is then all there is.
        .filter(|index| people.columns[*index].filled * 2 > people.rows)
        .or_else(|| by(Meaning::Email))
        .or_else(|| by(Meaning::Organization))
}

/// Calls `visit(row, code)` for the rows of `segment` that have an organization.
pub(crate) fn each_organization(
    people: &People,
    segment: &Segment,
    column: usize,
    mut visit: impl FnMut(usize, usize),
) {
    let Some(cells) = segment.columns.get(column) else { return };
    let Some(tables) = people.tables.get(segment.tables).and_then(|t| t.columns.get(column)) else {
        return;
    };
    cells.shapes.for_each(|nth, row, shape| {
        let code = cells.codes.get(nth).and_then(|code| tables.codes.get(code as usize));
        if let Some(code) = code.filter(|_| shape != EMPTY) {
            visit(row, *code as usize);
        }
    });
}

/// As [`each_organization`], for some rows only; see [`Shapes::for_members`](crate::people::Shapes).
fn organizations_of(
    people: &People,
    segment: &Segment,
    column: usize,
    (listed, members): (&[u32], &[bool]),
    mut visit: impl FnMut(usize),
) {
    let cells = &segment.columns[column];
    let tables = &people.tables[segment.tables].columns[column];
    // Codes are numbered by filled cell: where every cell is filled, by row.
    if cells.codes.len() == segment.rows {
        cells.shapes.for_members(listed, members, |row, shape| {
            let code = cells.codes.get(row).and_then(|code| tables.codes.get(code as usize));
            if let Some(code) = code.filter(|_| shape != EMPTY) {
                visit(*code as usize);
            }
        });
    } else {
        each_organization(people, segment, column, |row, code| {
            if members[row] {
                visit(code);
            }
        });
    }
}

/// What the file of a definition contained: the people for whom all of `predicates` hold, with the
/// columns called `columns` (all report columns when empty).
///
/// # Errors
/// [`SearchError`] for columns or predicates that the people cannot answer.
pub fn exposure_of(
    people: &People,
    predicates: &[Predicate],
    columns: &[String],
) -> Result<Exposure, SearchError> {
    let members = Members::new(people, predicates)?;
    exposure_with(people, &members.all(people), columns)
}

/// As [`exposure_of`], of the people whom `members` names, row by row.
pub(crate) fn exposure_with(
    people: &People,
    members: &[bool],
    columns: &[String],
) -> Result<Exposure, SearchError> {
    let columns: Vec<usize> = if columns.is_empty() {
        people.report_columns()
    } else {
        let find = |name: &String| {
            people.column(name).ok_or_else(|| {
                let have = people.column_names().collect::<Vec<_>>().join(", ");
                SearchError::NoColumn { name: name.clone(), have }
            })
        };
        columns.iter().map(find).collect::<Result<_, _>>()?
    };
    let organizations = organization_column(people);
    let mut counts: Vec<u64> = organizations
        .and_then(|column| people.columns[column].values.as_ref())
        .map_or_else(Vec::new, |values| vec![0; values.len()]);
    let mut exposure = Exposure::default();
    let mut filled = vec![0_u64; columns.len()];
    for (segment, first) in people.segments.iter().zip(first_rows(people)) {
        let members = members.get(first as usize..).unwrap_or_default();
        let members = members.get(..segment.rows).unwrap_or(members);
        let listed: Vec<u32> =
            members.iter().zip(0_u32..).filter(|(m, _)| **m).map(|(_, row)| row).collect();
        // Bit 0: anything beyond name and e-mail; bit 1: contact data beyond them.
        let mut beyond = vec![0_u8; segment.rows];
        for (position, column) in columns.iter().enumerate() {
            let marks = match people.columns[*column].meaning {
                Meaning::Name | Meaning::Email => 0,
                Meaning::Contact => 3,
                Meaning::Organization | Meaning::Other => 1,
            };
            segment.columns[*column].shapes.for_members(&listed, members, |row, shape| {
                let counts = u8::from(shape != EMPTY);
                filled[position] += u64::from(counts);
                beyond[row] |= marks * counts;
            });
        }
        exposure.people += listed.len() as u64;
        for beyond in listed.iter().map(|row| beyond[*row as usize]) {
            exposure.only_name_and_email += u64::from(beyond == 0);
            exposure.only_contact_name_and_email += u64::from(beyond & 2 == 0);
        }
        if let Some(column) = organizations {
            organizations_of(people, segment, column, (&listed, members), |code| {
                if let Some(count) = counts.get_mut(code) {
                    *count += 1;
                }
            });
        }
    }
    let name = |column: &usize| people.columns[*column].name.clone();
    exposure.fields = columns
        .iter()
        .zip(filled)
        .map(|(column, filled)| Field { column: name(column), filled })
        .collect();
    if exposure.people > 0 {
        exposure.only_contact_share =
            exposure.only_contact_name_and_email as f64 / exposure.people as f64;
    }
    if let Some(column) = organizations {
        exposure.organizations = Some(counts.iter().filter(|count| **count > 0).count() as u64);
        exposure.organizations_by = Some(name(&column));
        exposure.largest_organizations = largest(people, column, &counts, 5);
    }
    Ok(exposure)
}

fn largest(people: &People, column: usize, counts: &[u64], most: usize) -> Vec<(String, u64)> {
    let Some(values) = &people.columns[column].values else { return Vec::new() };
    let mut order: Vec<usize> = (0..counts.len()).filter(|code| counts[*code] > 0).collect();
    order.sort_by(|a, b| counts[*b].cmp(&counts[*a]).then_with(|| values[*a].0.cmp(&values[*b].0)));
    order.into_iter().take(most).map(|code| (values[code].0.clone(), counts[code])).collect()
}

/// Names of some codes, at most `most`.
pub(crate) fn organization_names(
    people: &People,
    column: usize,
    codes: &FxHashSet<usize>,
    most: usize,
) -> Vec<String> {
    let Some(values) = &people.columns[column].values else { return Vec::new() };
    let mut names: Vec<String> =
        codes.iter().filter_map(|code| values.get(*code)).map(|(name, _)| name.clone()).collect();
    names.sort();
    names.truncate(most);
    names
}
