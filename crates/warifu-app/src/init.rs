//! What an empty installation needs before anybody can sign in.

use crate::{App, AppError};
use warifu_domain::OrganizationId;
use warifu_domain::organizations::{Environment, Organization};
use warifu_ledger::Count;
use warifu_ledger::body::OrganizationChange;
use warifu_storage::{organizations, settings};

/// Under which name the origin of the running server is kept, for links that the command line makes.
const ORIGIN: &str = "origin";

impl App {
    /// The vendor's own organization, made when it is missing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn ensure_vendor(&self) -> Result<OrganizationId, AppError> {
        let known = organizations::vendor(&mut self.db.read().await?.conn()).await?;
        if let Some((id, _)) = known {
            return Ok(id);
        }
        let mut change = self.change().await?;
        // Again under the lock: another node may have been first.
        if let Some((id, _)) = organizations::vendor(&mut change.conn()).await? {
            return Ok(id);
        }
        let vendor = Organization {
            name: self.config.name.clone(),
            environment: Environment::Production,
            products: Vec::new(),
            domain: String::new(),
            vendor: true,
        };
        let revision = change.revision();
        let id = organizations::insert(&mut change.conn(), revision, &vendor).await?;
        let body = OrganizationChange {
            organization: id.to_string(),
            fields: vec!["name".into(), "vendor".into()],
            revision: Count(revision.0 as u64),
        };
        change.record_own(Some(id), &body).await?;
        change.commit().await?;
        Ok(id)
    }

    /// Where the server was reached last, e.g. `https://support.example.com`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn origin(&self) -> Result<Option<String>, AppError> {
        Ok(settings::get(&mut self.db.read().await?.conn(), ORIGIN).await?)
    }

    /// Remembers where the server is reached.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remember_origin(&self, origin: &str) -> Result<(), AppError> {
        if self.origin().await?.as_deref() == Some(origin) {
            return Ok(());
        }
        let mut tx = self.db.begin_plain().await?;
        settings::set(&mut tx.conn(), ORIGIN, origin).await?;
        tx.commit().await?;
        Ok(())
    }
}
