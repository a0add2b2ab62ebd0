//! `/api/v1/definitions`, `/api/v1/reports`: what can be reported, and what it would be.

use super::cases::parse;
use super::{Made, idempotency, json};
use crate::csrf::Json;
use crate::problem::Problem;
use crate::session::SignedIn;
use crate::state::Web;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use warifu_app::AppError;
use warifu_app::reports::{SavedDefinition, digest};
use warifu_domain::DefinitionId;
use warifu_domain::access::Permission;
use warifu_domain::reports::{Definition as Asked, Op, Subject, Weight};

/// A saved definition at a version.
#[derive(Debug, Serialize, ToSchema)]
pub struct Definition {
    id: i64,
    version: i64,
    name: String,
    description: String,
    /// SHA-256 of the canonical JSON of `definition`.
    digest: String,
    /// Subject, columns, filter, order, limit, format.
    #[schema(value_type = Object)]
    definition: Asked,
    /// When this version was saved.
    at: String,
}

impl From<SavedDefinition> for Definition {
    fn from(d: SavedDefinition) -> Definition {
        Definition {
            id: d.id.0,
            version: d.version,
            name: d.name,
            description: d.description,
            digest: d.digest,
            definition: d.definition,
            at: d.at.to_string(),
        }
    }
}

/// A definition to save.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDefinition {
    /// Of the definition that gets a new version; absent for a new one.
    id: Option<i64>,
    name: String,
    #[serde(default)]
    description: String,
    #[schema(value_type = Object)]
    definition: Asked,
}

/// Saved definitions at their current versions.
#[utoipa::path(get, path = "/api/v1/definitions", responses((status = 200, body = [Definition])))]
pub async fn definitions(State(web): State<Web>, who: SignedIn) -> Result<Response, Problem> {
    let list = web.app.definitions(who.actor()).await?;
    json(StatusCode::OK, &list.into_iter().map(Definition::from).collect::<Vec<_>>())
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
pub struct At {
    /// The current one when it is left out.
    version: Option<i64>,
}

/// A saved definition at a version.
#[utoipa::path(get, path = "/api/v1/definitions/{id}", params(("id" = i64, Path), At),
    responses((status = 200, body = Definition), (status = 404)))]
pub async fn definition(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<DefinitionId>,
    Query(at): Query<At>,
) -> Result<Response, Problem> {
    let found = web.app.definition(who.actor(), id, at.version).await?;
    json(StatusCode::OK, &Definition::from(found))
}

/// Every version of a saved definition, newest first.
#[utoipa::path(get, path = "/api/v1/definitions/{id}/versions", params(("id" = i64, Path)),
    responses((status = 200, body = [Definition]), (status = 404)))]
pub async fn versions(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<DefinitionId>,
) -> Result<Response, Problem> {
    let list = web.app.definition_versions(who.actor(), id).await?;
    if list.is_empty() {
        return Err(Problem::not_found());
    }
    json(StatusCode::OK, &list.into_iter().map(Definition::from).collect::<Vec<_>>())
}

/// What a report can be about.
#[derive(Debug, Serialize, ToSchema)]
pub struct SubjectView {
    /// For `subject` of a definition.
    subject: &'static str,
    columns: Vec<ColumnView>,
    /// For `op` of a condition.
    operators: Vec<&'static str>,
}

/// A column.
#[derive(Debug, Serialize, ToSchema)]
pub struct ColumnView {
    key: &'static str,
    /// The header that a file shows.
    label: &'static str,
    /// Whether a report may show it. The others can only be filtered by.
    shown: bool,
    personal: bool,
}

/// Subjects with their columns.
#[utoipa::path(get, path = "/api/v1/reports/subjects", responses((status = 200, body = [SubjectView])))]
pub async fn subjects(who: SignedIn) -> Result<Response, Problem> {
    who.actor().require(Permission::RunReports).map_err(AppError::from)?;
    let list = Subject::ALL.iter().map(|s| SubjectView {
        subject: s.key(),
        columns: s
            .columns()
            .iter()
            .map(|c| ColumnView {
                key: c.key,
                label: c.label,
                shown: c.shown,
                personal: c.personal,
            })
            .collect(),
        operators: Op::ALL.iter().map(|o| o.key()).collect(),
    });
    json(StatusCode::OK, &list.collect::<Vec<_>>())
}

/// Saves a definition, or a new version of one. With an `Idempotency-Key` it is saved once.
#[utoipa::path(post, path = "/api/v1/definitions", params(("Idempotency-Key" = Option<String>, Header)), request_body = NewDefinition, responses((status = 201, body = Made)))]
pub async fn save(
    State(web): State<Web>,
    who: SignedIn,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Result<Response, Problem> {
    let NewDefinition { id, name, description, definition } = parse(&body)?;
    let act = async {
        let id = id.map(DefinitionId);
        let saved =
            web.app.save_definition(who.actor(), id, &name, &description, &definition).await?;
        Ok(Made { id: saved.0.0, reference: None })
    };
    idempotency::once(&web, &who, &headers, "POST /api/v1/definitions", &body, act).await
}

/// What a report would be.
#[derive(Debug, Serialize, ToSchema)]
pub struct Counted {
    revision: i64,
    rows: u64,
    organizations: u64,
    /// Of the file, exact.
    bytes: u64,
    /// Filled fields with personal data.
    personal_fields: u64,
    /// Whether running it is a decision of its own.
    decision: bool,
    /// SHA-256 of the canonical JSON of the definition.
    digest: String,
    fields: Vec<FieldView>,
    /// The first rows, contact data masked.
    sample: Vec<Vec<String>>,
}

/// A column of the report.
#[derive(Debug, Serialize, ToSchema)]
pub struct FieldView {
    key: &'static str,
    /// Rows that have it filled.
    filled: u64,
    bytes: u64,
}

/// Counts a report exactly. Nothing leaves.
#[utoipa::path(post, path = "/api/v1/reports", request_body = Object, responses((status = 200, body = Counted)))]
pub async fn count(
    State(web): State<Web>,
    who: SignedIn,
    Json(definition): Json<Asked>,
) -> Result<Response, Problem> {
    let p = web.app.preview(who.actor(), &definition).await?;
    let counted = Counted {
        revision: p.as_of.0,
        rows: p.rows,
        organizations: p.organizations.len() as u64,
        bytes: p.bytes,
        personal_fields: p.personal_fields,
        decision: p.weight != Weight::Ordinary,
        digest: digest(&definition)?.to_string(),
        fields: p
            .fields
            .iter()
            .map(|f| FieldView { key: f.key, filled: f.filled, bytes: f.bytes })
            .collect(),
        sample: p.sample,
    };
    json(StatusCode::OK, &counted)
}
