//! Saved definitions and their versions.

use crate::{App, AppError};
use warifu_domain::DefinitionId;
use warifu_domain::access::{Actor, Permission};
use warifu_domain::refusal;
use warifu_domain::reports::Definition;
use warifu_ledger::body::PolicyChange;
use warifu_ledger::{Hash, json, sha256};
use warifu_storage::reports::{self, SavedDefinition};

/// SHA-256 of a definition's canonical JSON: two definitions with one digest ask the same.
///
/// # Errors
/// When a number in the filter has no canonical form (beyond ±2^53).
pub fn digest(definition: &Definition) -> Result<Hash, AppError> {
    let value = serde_json::to_value(definition).map_err(|e| AppError::Internal(e.to_string()))?;
    let bytes =
        json::canonical(&value).map_err(|e| AppError::invalid("filter", e.to_string().into()))?;
    Ok(sha256(&bytes))
}

/// Longest name and description of a saved definition, in characters.
const MAX_NAME: usize = 120;
const MAX_DESCRIPTION: usize = 1_000;

impl App {
    /// # Errors
    /// Denied without the right to run reports.
    pub async fn definitions(&self, actor: &Actor) -> Result<Vec<SavedDefinition>, AppError> {
        actor.require(Permission::RunReports)?;
        Ok(reports::definitions(&mut self.db.read().await?.conn()).await?)
    }

    /// A saved definition at a version, or its current one.
    ///
    /// # Errors
    /// Denied, or not found.
    pub async fn definition(
        &self,
        actor: &Actor,
        id: DefinitionId,
        version: Option<i64>,
    ) -> Result<SavedDefinition, AppError> {
        actor.require(Permission::RunReports)?;
        let found = reports::definition(&mut self.db.read().await?.conn(), id, version).await?;
        found.ok_or(AppError::NotFound("report definition"))
    }

    /// Every version, newest first.
    ///
    /// # Errors
    /// Denied.
    pub async fn definition_versions(
        &self,
        actor: &Actor,
        id: DefinitionId,
    ) -> Result<Vec<SavedDefinition>, AppError> {
        actor.require(Permission::RunReports)?;
        Ok(reports::versions(&mut self.db.read().await?.conn(), id).await?)
    }

    /// Saves a new definition, or a new version of one, and gives id and version.
    ///
    /// # Errors
    /// Denied, or when name, columns, filter, order or limit are wrong.
    pub async fn save_definition(
        &self,
        actor: &Actor,
        id: Option<DefinitionId>,
        name: &str,
        description: &str,
        definition: &Definition,
    ) -> Result<(DefinitionId, i64), AppError> {
        actor.require(Permission::SaveDefinitions)?;
        definition.check()?;
        let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
        if name.is_empty() || name.chars().count() > MAX_NAME || name.contains('\0') {
            return Err(AppError::invalid(
                "name",
                refusal!(
                    "report-name",
                    "give the report a name of 1 to {limit} characters",
                    limit = MAX_NAME
                ),
            ));
        }
        if description.chars().count() > MAX_DESCRIPTION || description.contains('\0') {
            return Err(AppError::invalid(
                "description",
                refusal!(
                    "text-long",
                    "at most {limit} characters are kept",
                    limit = MAX_DESCRIPTION
                ),
            ));
        }
        let digest = digest(definition)?;
        let mut change = self.change().await?;
        let at = change.at();
        let before = match id {
            Some(id) => {
                let old = reports::definition(&mut change.conn(), id, None).await?;
                Some(old.ok_or(AppError::NotFound("report definition"))?)
            }
            None => None,
        };
        let saved = reports::save(
            &mut change.conn(),
            id,
            &name,
            description.trim(),
            definition,
            &digest.to_string(),
            actor.person,
            at,
        )
        .await?;
        let entry = PolicyChange {
            policy: format!("report_definition/{}", saved.0),
            before: before.and_then(|b| b.digest.parse().ok()),
            after: Some(digest),
        };
        change.record(actor, None, &entry).await?;
        change.commit().await?;
        Ok(saved)
    }
}
