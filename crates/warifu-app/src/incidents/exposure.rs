//! Who and which fields a candidate's file contained, counted on the data as of then.

use super::matching;
use crate::reports::Selection;
use crate::{App, AppError};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;
use tokio::runtime::Handle;
use warifu_domain::access::{Actor, Permission};
use warifu_domain::refusal;
use warifu_domain::reports::{Definition, Subject, Value};
use warifu_domain::{DownloadId, IncidentId, Revision, Timestamp};
use warifu_storage::organizations;

/// What a file contained, in numbers. No name of a person is in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Exposure {
    pub people: u64,
    /// Organizations with at least one person in it.
    pub organizations: u64,
    /// People whose type or role says that they administer something.
    pub administrators: u64,
    /// People whose only contact data in it were full name and e-mail address.
    pub only_name_and_email: u64,
    /// Per column of the file: key and how many people have it filled.
    pub fields: Vec<(String, u64)>,
    /// People by user type, the commonest first; at most 12, blank as the empty text.
    pub user_types: Vec<(String, u64)>,
    /// People by role, as above.
    pub roles: Vec<(String, u64)>,
    /// People by environment of their organization.
    pub environments: Vec<(String, u64)>,
    /// People by year of their last login, oldest first.
    pub last_login_years: Vec<(i64, u64)>,
    /// The organizations with the most people, at most 20.
    pub largest: Vec<OrganizationShare>,
    /// Organizations by number of people: 1, 2–9, 10–99, 100–999, 1,000 and more.
    pub sizes: [u64; 5],
}

/// One organization's part.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OrganizationShare {
    pub id: i64,
    pub name: String,
    pub people: u64,
    /// With a phone, mobile or address in the file.
    pub more: u64,
}

const LISTED: usize = 12;
const ORGANIZATIONS: usize = 20;

fn commonest(counts: HashMap<String, u64>) -> Vec<(String, u64)> {
    let mut list: Vec<_> = counts.into_iter().collect();
    list.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    list.truncate(LISTED);
    list
}

fn says_admin(text: &str) -> bool {
    text.to_lowercase().contains("admin")
}

impl App {
    /// The exposure of a candidate of a matched download, by its rank from 1.
    ///
    /// # Errors
    /// Denied, not found, or no match has been made.
    pub async fn exposure(
        &self,
        actor: &Actor,
        incident: IncidentId,
        download: DownloadId,
        rank: u64,
    ) -> Result<Exposure, AppError> {
        actor.require(Permission::Investigate)?;
        let download = self.download(actor, incident, download).await?;
        let result = download.result.ok_or_else(|| {
            AppError::Conflict(refusal!(
                "download-unmatched",
                "this download has not been matched yet"
            ))
        })?;
        let result: serde_json::Value =
            serde_json::from_str(&result).map_err(|e| AppError::Internal(e.to_string()))?;
        if rank == 1
            && let Ok(exposed) = serde_json::from_value(result["exposed"].clone())
        {
            return Ok(exposed);
        }
        let (definition, ..) =
            matching::candidate(&result, rank).ok_or(AppError::NotFound("candidate"))?;
        let revision = matching::revision(&result, rank);
        self.exposure_of(&definition, revision).await
    }

    pub(super) async fn exposure_of(
        &self,
        definition: &Definition,
        revision: Revision,
    ) -> Result<Exposure, AppError> {
        let names = organizations::as_of(&mut self.db.read().await?.conn(), revision).await?;
        let (app, definition, runtime) = (self.clone(), definition.clone(), Handle::current());
        let work =
            tokio::task::spawn_blocking(move || app.exposed(&runtime, &definition, revision));
        let (mut exposure, mut parts) =
            work.await.map_err(|e| AppError::Internal(e.to_string()))??;
        exposure.organizations = parts.len() as u64;
        for part in &parts {
            let class = match part.people {
                0..=1 => 0,
                2..=9 => 1,
                10..=99 => 2,
                100..=999 => 3,
                _ => 4,
            };
            exposure.sizes[class] += 1;
        }
        parts.sort_by(|a, b| b.people.cmp(&a.people).then(a.id.cmp(&b.id)));
        parts.truncate(ORGANIZATIONS);
        for part in &mut parts {
            let found = names.iter().find(|(id, _)| id.0 == part.id);
            part.name = found.map(|(_, o)| o.name.clone()).unwrap_or_default();
        }
        exposure.largest = parts;
        Ok(exposure)
    }

    fn exposed(
        &self,
        runtime: &Handle,
        definition: &Definition,
        revision: Revision,
    ) -> Result<(Exposure, Vec<OrganizationShare>), AppError> {
        let subject = Subject::People;
        let columns = definition.column_indices()?;
        let place = |key: &str| subject.index(key).unwrap_or(usize::MAX);
        let [organization, environment, user_type, role, last_login] =
            ["organization_id", "environment", "user_type", "role_name", "last_login"].map(place);
        let contact: Vec<usize> = ["phone", "mobile", "address"]
            .map(place)
            .into_iter()
            .filter(|p| columns.contains(p))
            .collect();
        let mut selection = Selection::new(definition, revision)?;
        selection.scan.order.clear();
        selection.scan.columns.extend([organization, environment, user_type, role, last_login]);
        selection.scan.columns.sort_unstable();
        selection.scan.columns.dedup();
        let mut filled = vec![0_u64; columns.len()];
        let mut parts: HashMap<i64, OrganizationShare> = HashMap::new();
        let [mut types, mut roles, mut environments] = [(); 3].map(|()| HashMap::new());
        let mut years: BTreeMap<i64, u64> = BTreeMap::new();
        let mut e = Exposure::default();
        selection.each(&self.db, runtime, &mut |_, values| {
            let text = |place: usize| match values.get(place) {
                Some(Value::Text(t)) => *t,
                _ => "",
            };
            e.people += 1;
            for (n, place) in filled.iter_mut().zip(&columns) {
                *n += u64::from(values.get(*place).is_some_and(|v| !v.is_blank()));
            }
            let more = contact.iter().any(|p| values.get(*p).is_some_and(|v| !v.is_blank()));
            e.only_name_and_email += u64::from(!more);
            e.administrators += u64::from(says_admin(text(user_type)) || says_admin(text(role)));
            for (counts, place) in
                [(&mut types, user_type), (&mut roles, role), (&mut environments, environment)]
            {
                let key = text(place);
                match counts.get_mut(key) {
                    Some(n) => *n += 1,
                    None => drop(counts.insert(key.to_owned(), 1)),
                }
            }
            if let Some(Value::Time(t)) = values.get(last_login) {
                *years.entry(i64::from(year(*t))).or_default() += 1;
            }
            if let Some(Value::Number(id)) = values.get(organization) {
                let part = parts.entry(*id).or_default();
                part.id = *id;
                part.people += 1;
                part.more += u64::from(more);
            }
            ControlFlow::Continue(())
        })?;
        e.fields = definition.columns.iter().cloned().zip(filled).collect();
        e.user_types = commonest(types);
        e.roles = commonest(roles);
        e.environments = commonest(environments);
        e.last_login_years = years.into_iter().collect();
        Ok((e, parts.into_values().collect()))
    }
}

fn year(micros: i64) -> i16 {
    let text = Timestamp(micros).to_string();
    text.get(..4).and_then(|y| y.parse().ok()).unwrap_or_default()
}
