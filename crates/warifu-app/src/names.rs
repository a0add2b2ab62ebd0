//! Names of people for pages that show records with ids.

use crate::{App, AppError};
use std::collections::HashMap;
use warifu_domain::PersonId;
use warifu_storage::people;

impl App {
    /// Display names by id. Whose names may be seen is decided by whoever shows the records.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn names(
        &self,
        ids: impl IntoIterator<Item = PersonId>,
    ) -> Result<HashMap<PersonId, String>, AppError> {
        let names = people::names(&mut self.db.read().await?.conn(), ids).await?;
        Ok(names.into_iter().collect())
    }
}
