//! `POST /cases/bulk`: one change of many cases.

use crate::csrf::Form;
use crate::lang::local;
use crate::problem::Problem;
use crate::session::Staff;
use crate::state::Web;
use axum::extract::State;
use axum::response::Redirect;
use serde::Deserialize;
use warifu_app::cases::Properties;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    case: Vec<String>,
    status: String,
    assignee: String,
    back: String,
}

pub async fn bulk(
    State(web): State<Web>,
    who: Staff,
    form: Form<Asked>,
) -> Result<Redirect, Problem> {
    let ids = form.case.iter().map(|r| super::number(&web, r)).collect::<Result<Vec<_>, _>>()?;
    let wanted = Properties {
        status: super::status(&form.status)?,
        assignee: super::assignee(&form.assignee)?,
        ..Properties::default()
    };
    web.app.set_many(who.actor(), &ids, &wanted).await?;
    let back = local(&form.back);
    Ok(Redirect::to(if back == "/" { "/cases" } else { back }))
}
