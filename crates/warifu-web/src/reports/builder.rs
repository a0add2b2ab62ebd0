//! `GET /reports/new`, `GET /reports/{id}`, `POST /reports/build`: the builder. Every button posts
//! the whole form, so that it works without a script.

use super::draft::Draft;
use super::{settings, words};
use crate::csrf::Form;
use crate::i18n::Lang;
use crate::page::{page, page_with};
use crate::problem::Problem;
use crate::session::Staff;
use crate::state::Web;
use crate::views::markup::{Choice, Tone};
use crate::views::reports::{Column, Decision, Preview, ReportBuilder};
use crate::views::shell::{Flash, Place};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use warifu_app::AppError;
use warifu_app::reports::{self, NewRun, SavedDefinition};
use warifu_domain::DefinitionId;
use warifu_domain::refusal;
use warifu_domain::reports::{Definition, Op, Subject};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    version: Option<i64>,
    subject: Option<String>,
    saved: Option<String>,
}

pub async fn new(
    State(web): State<Web>,
    who: Staff,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let subject = asked.subject.as_deref().and_then(Subject::from_key).unwrap_or(Subject::People);
    if subject == Subject::People {
        web.app.warm_preview();
    }
    show(&web, &who, Draft::new(subject), None, Vec::new(), None).await
}

pub async fn edit(
    State(web): State<Web>,
    who: Staff,
    Path(id): Path<DefinitionId>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let saved = web.app.definition(who.actor(), id, asked.version).await?;
    let by_program = || {
        Problem::new(StatusCode::CONFLICT, "conflict").with(refusal!(
            "report-by-program",
            "This filter was made through the API; change it there."
        ))
    };
    let mut draft = Draft::of(&saved.definition).ok_or_else(by_program)?;
    draft.id = Some(id.to_string());
    draft.version = saved.version;
    draft.name = saved.name;
    let flash =
        asked.saved.map(|_| Flash { tone: Tone::Ok, text: who.taste.lang.t("report-saved-now") });
    let counted = web.app.preview(who.actor(), &saved.definition).await?;
    show(&web, &who, draft, Some((saved.definition, counted)), Vec::new(), flash).await
}

/// `POST /reports/build`
pub async fn build(
    State(web): State<Web>,
    who: Staff,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let actor = who.actor();
    let (mut draft, act) = Draft::read(&pairs);
    draft.act(&act);
    if act == "restore-filter"
        && let Some(saved) = saved(&web, &who, &draft).await?
        && let Some(kept) = Draft::of(&saved.definition)
    {
        draft.root = kept.root;
    }
    let definition = match draft.definition() {
        Ok(definition) => definition,
        Err((field, what)) => {
            return show(&web, &who, draft, None, vec![(field.into(), what)], None).await;
        }
    };
    let failed = match act.as_str() {
        "save" => {
            let id = draft.id.as_deref().and_then(|id| id.parse().ok());
            match web.app.save_definition(actor, id, &draft.name, "", &definition).await {
                Ok((id, _)) => {
                    return Ok(Redirect::to(&format!("/reports/{id}?saved=1")).into_response());
                }
                Err(e) => Some(e),
            }
        }
        "run" | "ask" => {
            let saved = saved(&web, &who, &draft).await?;
            let same = saved.filter(|s| s.definition == definition);
            let new = NewRun {
                definition: definition.clone(),
                saved: same.map(|s| (s.id, s.version)),
                name: draft.name.clone(),
                reason: draft.purpose.clone(),
                decided: act == "ask",
                proof: draft.proof.take(),
            };
            match web.app.prepare_run(actor, new).await {
                Ok(run) => return Ok(Redirect::to(&format!("/runs/{}", run.id)).into_response()),
                // The page shows the decision with its reason.
                Err(AppError::NeedsDecision(_)) => None,
                Err(e) => Some(e),
            }
        }
        _ => None,
    };
    let lang = who.taste.lang;
    let mut errors = Vec::new();
    if let Some(e) = failed {
        errors.push(error(lang, e)?);
    }
    // Half a condition is no mistake while the form is being filled in.
    let building = act.starts_with("add-") || act.starts_with("remove") || act == "columns-none";
    let counted = match web.app.preview(actor, &definition).await {
        Ok(counted) => Some((definition, counted)),
        Err(AppError::Invalid { .. }) if building => None,
        Err(e) => {
            if errors.is_empty() {
                errors.push(error(lang, e)?);
            }
            None
        }
    };
    show(&web, &who, draft, counted, errors, None).await
}

/// Which field of the form a refusal is about.
fn error(lang: Lang, e: AppError) -> Result<(String, String), Problem> {
    match e {
        AppError::Invalid { field, what } => {
            let field = match field {
                "columns" => "column",
                "reason" => "purpose",
                other => other,
            };
            Ok((field.to_owned(), lang.refusal(&what)))
        }
        AppError::Denied(_) => Ok(("purpose".into(), lang.t("report-may-not"))),
        // Nothing was touched, or the form was changed after it was counted.
        AppError::StepUp { .. } => Ok(("purpose".into(), lang.t("report-step-up"))),
        other => Err(other.into()),
    }
}

async fn saved(web: &Web, who: &Staff, draft: &Draft) -> Result<Option<SavedDefinition>, Problem> {
    let Some(id) = draft.id.as_deref().and_then(|id| id.parse().ok()) else { return Ok(None) };
    Ok(Some(web.app.definition(who.actor(), id, None).await?))
}

async fn show(
    web: &Web,
    who: &Staff,
    draft: Draft,
    counted: Option<(Definition, reports::Preview)>,
    errors: Vec<(String, String)>,
    flash: Option<Flash>,
) -> Result<Response, Problem> {
    let mut shell = who.shell(Place::Reports, "").await?;
    shell.flash = flash;
    let lang = shell.lang;
    let subject = draft.subject;
    let preview = match &counted {
        Some((definition, counted)) => {
            let mut removed = None;
            if definition.filter.is_everything()
                && let Some(before) = saved(web, who, &draft).await?
                && !before.definition.filter.is_everything()
            {
                let had = web.app.preview(who.actor(), &before.definition).await?;
                let words = words::filter(lang, subject, &before.definition.filter);
                removed = Some((words, had.rows as i64, had.bytes as i64));
            }
            Some(preview(web, lang, definition, counted, removed)?)
        }
        None => None,
    };
    let columns = subject.columns().iter().map(|c| {
        let field = counted.as_ref().and_then(|(_, p)| {
            p.fields.iter().find(|f| f.key == c.key).map(|f| (f.filled, p.rows))
        });
        Column {
            key: c.key.to_owned(),
            label: words::column(lang, subject, c.key),
            personal: c.personal,
            filled: field.filter(|f| f.1 > 0).map(|f| f.0 as f64 / f.1 as f64),
            chosen: draft.columns.iter().any(|k| k == c.key),
            shown: c.shown,
        }
    });
    let operators =
        Op::ALL.iter().map(|o| Choice::new(o.key(), lang.t(words::operator(*o)), false));
    let subjects = Subject::ALL
        .iter()
        .map(|s| Choice::new(s.key(), words::subject(lang, *s), *s == subject))
        .collect();
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let view = ReportBuilder {
        columns: columns.collect(),
        filter: draft.lines(),
        operators: operators.collect(),
        settings: settings::fields(lang, &draft.settings),
        id: draft.id,
        version: draft.version,
        name: draft.name,
        subjects,
        order: draft.order,
        limit: draft.limit,
        preview,
        approvers: Vec::new(),
        purpose: draft.purpose,
        errors,
        shell,
    };
    if status == StatusCode::OK { page(view) } else { page_with(status, view) }
}

fn preview(
    web: &Web,
    lang: Lang,
    definition: &Definition,
    counted: &reports::Preview,
    removed: Option<(String, i64, i64)>,
) -> Result<Preview, Problem> {
    let everybody = definition.subject == Subject::People && definition.filter.is_everything();
    let decision = counted.weight.is_decision().then_some(if everybody {
        Decision::NoFilter { removed }
    } else {
        Decision::OverLimit
    });
    let personal = definition.subject.columns().iter().filter(|c| c.shown && c.personal).count();
    let header = definition.columns.iter().map(|k| words::column(lang, definition.subject, k));
    let digest = reports::digest(definition)?.to_string();
    let limit = (definition.personal_columns() > 0).then_some(web.app.config.limits.rows as i64);
    Ok(Preview {
        as_of: words::at(lang, counted.as_of_at),
        revision: counted.as_of.0,
        rows: counted.rows as i64,
        organizations: counted.organizations.len() as i64,
        personal: (definition.personal_columns() as i64, personal as i64),
        bytes: counted.bytes as i64,
        limits: [limit, None, None, None],
        everything: (counted.rows as i64, counted.organizations.len() as i64),
        header: header.collect(),
        sample: counted
            .sample
            .iter()
            .map(|row| row.iter().map(|c| Some(c.clone()).filter(|c| !c.is_empty())).collect())
            .collect(),
        decision,
        definition: serde_json::to_value(definition)
            .map(|v| words::laid_out(&v))
            .map_err(|e| Problem::internal(e.to_string()))?,
        key_for: format!("definition={digest}"),
        digest: words::grouped(&digest),
        format: words::format(&definition.format),
    })
}
