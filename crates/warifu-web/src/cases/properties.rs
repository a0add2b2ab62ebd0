//! `POST /cases/{reference}/properties`: status, priority, assignee or tags.

use crate::csrf::Form;
use crate::problem::Problem;
use crate::session::Staff;
use crate::state::Web;
use axum::extract::{Path, State};
use axum::response::Redirect;
use serde::Deserialize;
use warifu_app::cases::Properties;
use warifu_domain::Timestamp;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    version: Option<i64>,
    status: String,
    priority: String,
    assignee: String,
    tags: Option<String>,
}

pub async fn properties(
    State(web): State<Web>,
    who: Staff,
    Path(reference): Path<String>,
    form: Form<Asked>,
) -> Result<Redirect, Problem> {
    let id = super::number(&web, &reference)?;
    let wanted = Properties {
        status: super::status(&form.status)?,
        priority: super::priority(&form.priority)?,
        assignee: super::assignee(&form.assignee)?,
        tags: form.tags.clone(),
    };
    web.app.set_properties(who.actor(), id, &wanted, form.version.map(Timestamp)).await?;
    Ok(Redirect::to(&format!("/cases/{}", web.app.case_reference(id))))
}
