//! What a report would be, exactly, before anything leaves.

use super::file::{FileWriter, json_lines};
use super::produce::Selection;
use super::table::Question;
use crate::{App, AppError};
use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;
use tokio::runtime::Handle;
use warifu_domain::access::{Actor, Permission};
use warifu_domain::reports::{Definition, Format, Subject, Value, Weight};
use warifu_domain::{OrganizationId, Revision, Timestamp};
use warifu_match::dialects::Candidate;
use warifu_match::measure::ColumnSize;
use warifu_storage::bulk::{self, Only, Scan};

/// How often a column is filled, and the bytes that it gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldCount {
    pub key: &'static str,
    pub label: &'static str,
    pub personal: bool,
    pub filled: u64,
    pub bytes: u64,
}

/// A report without its bytes.
#[derive(Clone, Debug)]
pub struct Preview {
    pub as_of: Revision,
    pub as_of_at: Timestamp,
    pub rows: u64,
    /// How many rows each organization has.
    pub organizations: BTreeMap<OrganizationId, u64>,
    /// The file's size. (That of an XLSX file is known only by writing it, so it takes as long.)
    pub bytes: u64,
    pub fields: Vec<FieldCount>,
    /// Filled fields with personal data, over all rows.
    pub personal_fields: u64,
    /// The first rows, masked.
    pub sample: Vec<Vec<String>>,
    pub weight: Weight,
}

/// Rows of the sample.
const SAMPLE: usize = 5;

/// Keeps the first letter of each word and what separates words; the rest becomes dots. A preview
/// shows which shape the data have, never the data.
pub fn mask(text: &str) -> String {
    let mut inside = 0;
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_alphanumeric() {
            inside += 1;
            match inside {
                1 => out.push(c),
                2..=5 => out.push('•'),
                _ => {}
            }
        } else {
            inside = 0;
            out.push(c);
        }
    }
    out
}

fn shown(value: Value<'_>, personal: bool) -> String {
    match value {
        Value::Null => String::new(),
        Value::Text(t) if personal => mask(t),
        Value::Text(t) => t.to_owned(),
        Value::Time(t) => Timestamp(t).to_string(),
        Value::Number(n) => n.to_string(),
        Value::Bool(b) => b.to_string(),
    }
}

/// Whether everybody may be read into memory for a preview.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Memory {
    /// Somebody builds a report and will ask again.
    Make,
    /// Only what is there is used.
    Use,
}

impl App {
    /// Counts rows, organizations, fields and bytes of a report as of now, and shows a masked
    /// sample. Nothing leaves.
    ///
    /// # Errors
    /// Denied, or what is wrong with the definition.
    pub async fn preview(
        &self,
        actor: &Actor,
        definition: &Definition,
    ) -> Result<Preview, AppError> {
        self.preview_with(actor, definition, Memory::Make).await
    }

    pub(super) async fn preview_with(
        &self,
        actor: &Actor,
        definition: &Definition,
        memory: Memory,
    ) -> Result<Preview, AppError> {
        actor.require(Permission::RunReports)?;
        definition.check()?;
        let as_of = self.db.read().await?.conn().revision().await?;
        let as_of_at = self.now();
        let (app, definition) = (self.clone(), definition.clone());
        let runtime = Handle::current();
        let work = move || {
            let counted = match app.sum(&runtime, &definition, as_of, memory)? {
                Some(counted) => counted,
                None => app.count(&runtime, &definition, as_of)?,
            };
            let subject = definition.subject;
            let fields: Vec<FieldCount> = definition
                .column_indices()?
                .iter()
                .filter_map(|place| subject.columns().get(*place))
                .zip(counted.columns)
                .map(|(column, size)| FieldCount {
                    key: column.key,
                    label: column.label,
                    personal: column.personal,
                    filled: size.filled,
                    bytes: size.bytes,
                })
                .collect();
            Ok(Preview {
                as_of,
                as_of_at,
                rows: counted.rows,
                organizations: counted.organizations,
                bytes: counted.bytes,
                personal_fields: fields.iter().filter(|f| f.personal).map(|f| f.filled).sum(),
                fields,
                sample: counted.sample,
                weight: definition.weight(counted.rows, &app.config.limits),
            })
        };
        tokio::task::spawn_blocking(work).await.map_err(|e| AppError::Internal(e.to_string()))?
    }

    /// Counts a checked definition from the people in memory; `None` when it has to be counted by
    /// [`count`](Self::count), which gives the same.
    fn sum(
        &self,
        runtime: &Handle,
        definition: &Definition,
        as_of: Revision,
        memory: Memory,
    ) -> Result<Option<Count>, AppError> {
        if definition.subject != Subject::People || definition.limit.is_some() {
            return Ok(None);
        }
        let form = match &definition.format {
            Format::Csv(dialect) => Candidate::of_instants(dialect.clone()),
            Format::JsonLines => Candidate::json_lines(json_lines()),
            Format::Xlsx => return Ok(None),
        };
        let (filter, columns) = (definition.check()?, definition.column_indices()?);
        let question = Question { filter: &filter, columns: &columns, form: &form, first: SAMPLE };
        let Some(counted) =
            self.count_in_memory(runtime, &question, as_of, memory == Memory::Make)?
        else {
            return Ok(None);
        };
        let all = definition.subject.columns();
        let mut sample = Vec::with_capacity(SAMPLE);
        let scan = Scan {
            subject: definition.subject,
            as_of,
            columns: columns.clone(),
            only: Only::Ids(counted.first),
            order: Vec::new(),
        };
        bulk::scan(&self.db, runtime, &scan, &mut |_, values| {
            sample.push(columns.iter().map(|c| shown(values[*c], all[*c].personal)).collect());
            ControlFlow::Continue(())
        })?;
        Ok(Some(Count {
            rows: counted.size.rows,
            organizations: counted.organizations,
            bytes: counted.size.bytes,
            columns: counted.size.columns,
            sample,
        }))
    }

    /// Counts a checked definition by writing it to nowhere. Blocks.
    pub(crate) fn count(
        &self,
        runtime: &Handle,
        definition: &Definition,
        as_of: Revision,
    ) -> Result<Count, AppError> {
        let subject = definition.subject;
        let columns = definition.column_indices()?;
        let all = subject.columns();
        let organization = subject.index("organization_id");
        let mut selection = Selection::new(definition, as_of)?;
        if let Some(place) = organization
            && !selection.scan.columns.contains(&place)
        {
            selection.scan.columns.push(place);
        }
        // The order moves neither size nor counts, except of a compressed file; without a limit it
        // need not be computed.
        if definition.limit.is_none() && !matches!(definition.format, Format::Xlsx) {
            selection.scan.order.clear();
        }
        let mut file = FileWriter::new(definition)?;
        let mut filled = vec![0_u64; columns.len()];
        let mut organizations: HashMap<i64, u64> = HashMap::new();
        let (mut rows, mut bytes) = (0_u64, 0_u64);
        let mut sample = Vec::with_capacity(SAMPLE);
        let mut out = Vec::with_capacity(16 * 1024);
        let mut failed = None;
        file.header(&mut out)?;
        selection.each(&self.db, runtime, &mut |id, values| {
            rows += 1;
            for (n, place) in filled.iter_mut().zip(&columns) {
                *n += u64::from(!values[*place].is_blank());
            }
            let whose = match organization.map(|o| values[o]) {
                Some(Value::Number(organization)) => organization,
                // A row about an organization is its own.
                _ => id,
            };
            *organizations.entry(whose).or_default() += 1;
            if sample.len() < SAMPLE {
                sample.push(columns.iter().map(|c| shown(values[*c], all[*c].personal)).collect());
            }
            if let Err(e) = file.row(values, &mut out) {
                failed = Some(e);
                return ControlFlow::Break(());
            }
            bytes += out.len() as u64;
            out.clear();
            ControlFlow::Continue(())
        })?;
        if let Some(e) = failed {
            return Err(e);
        }
        let totals = file.finish(&mut out, |piece| {
            bytes += piece.len() as u64;
            Ok(())
        })?;
        bytes += out.len() as u64;
        Ok(Count {
            rows,
            organizations: organizations
                .into_iter()
                .map(|(id, n)| (OrganizationId(id), n))
                .collect(),
            bytes,
            columns: filled
                .iter()
                .zip(&totals.column_bytes)
                .map(|(filled, bytes)| ColumnSize { filled: *filled, bytes: *bytes })
                .collect(),
            sample,
        })
    }
}

/// What a preview counts, in whichever way.
pub(crate) struct Count {
    pub rows: u64,
    organizations: BTreeMap<OrganizationId, u64>,
    pub bytes: u64,
    columns: Vec<ColumnSize>,
    sample: Vec<Vec<String>>,
}

#[cfg(test)]
mod tests {
    use super::mask;

    #[test]
    fn a_sample_shows_shapes_only() {
        assert_eq!(mask("Renée O'Neil"), "R•••• O'N•••");
        assert_eq!(mask("jo.doe@mail.example"), "j•.d••@m•••.e••••");
        assert_eq!(mask("佐藤 健太"), "佐• 健•");
        assert_eq!(mask(""), "");
    }
}
