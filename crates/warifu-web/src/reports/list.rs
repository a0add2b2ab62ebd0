//! `GET /reports`

use super::words;
use crate::page::page;
use crate::problem::Problem;
use crate::session::Staff;
use crate::state::Web;
use crate::views::cases::Pager;
use crate::views::people::Version;
use crate::views::reports::{DefinitionRow, ReportList};
use crate::views::shell::Place;
use axum::extract::State;
use axum::response::Response;
use warifu_domain::reports::Subject;

pub async fn list(State(web): State<Web>, who: Staff) -> Result<Response, Problem> {
    let actor = who.actor();
    let shell = who.shell(Place::Reports, "").await?;
    let lang = shell.lang;
    let saved = web.app.definitions(actor).await?;
    let mut rows = Vec::with_capacity(saved.len());
    for d in &saved {
        let versions = web.app.definition_versions(actor, d.id).await?;
        let names = web.app.names(versions.iter().map(|v| v.author)).await?;
        let versions = versions.iter().map(|v| Version {
            revision: v.version,
            who: names.get(&v.author).cloned().unwrap_or_default(),
            at: words::at(lang, v.at),
            href: format!("/reports/{}?version={}", d.id, v.version),
            ..Version::default()
        });
        let (columns, personal) = words::columns(&d.definition);
        rows.push(DefinitionRow {
            id: d.id.to_string(),
            name: d.name.clone(),
            subject: words::subject(lang, d.definition.subject),
            filter: words::filter(lang, d.definition.subject, &d.definition.filter),
            columns,
            personal,
            format: words::format(&d.definition.format),
            needs_approval: d.definition.subject == Subject::People
                && d.definition.filter.is_everything(),
            versions: versions.collect(),
        });
    }
    let shown = rows.len() as i64;
    page(ReportList { shell, rows, pager: Pager { shown, total: Some(shown), ..Pager::default() } })
}
