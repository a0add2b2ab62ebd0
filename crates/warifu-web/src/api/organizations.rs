//! `/api/v1/organizations`

use super::cases::parse;
use super::{Leaving, Made, Shown, gated, idempotency, limit};
use crate::csrf::Json;
use crate::problem::Problem;
use crate::session::SignedIn;
use crate::state::Web;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use warifu_app::organizations::OrganizationLine;
use warifu_domain::organizations::{Environment, Organization as Record};
use warifu_domain::{OrganizationId, Revision, Timestamp};

/// An organization.
#[derive(Debug, Serialize, ToSchema)]
pub struct Organization {
    id: i64,
    name: String,
    /// `preview` or `production`.
    environment: &'static str,
    products: Vec<String>,
    domain: String,
    /// The vendor itself.
    vendor: bool,
    people: i64,
    administrators: i64,
    open_cases: i64,
}

impl From<&OrganizationLine> for Organization {
    fn from(l: &OrganizationLine) -> Organization {
        Organization {
            id: l.id.0,
            name: l.organization.name.clone(),
            environment: l.organization.environment.key(),
            products: l.organization.products.clone(),
            domain: l.organization.domain.clone(),
            vendor: l.organization.vendor,
            people: l.people,
            administrators: l.administrators,
            open_cases: l.open_cases,
        }
    }
}

/// A page of organizations.
#[derive(Debug, Serialize, ToSchema)]
pub struct Organizations {
    organizations: Vec<Organization>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<i64>,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
pub struct Asked {
    /// The `next` of the page before.
    #[param(value_type = Option<i64>)]
    after: Option<OrganizationId>,
    /// 1 to 100; 50 by default.
    limit: Option<usize>,
}

/// Organizations by id.
#[utoipa::path(get, path = "/api/v1/organizations", params(Asked), responses((status = 200, body = Organizations)))]
pub async fn list(
    State(web): State<Web>,
    who: SignedIn,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let limit = limit(asked.limit)?.min(100);
    let after = asked.after.unwrap_or(OrganizationId(0));
    let page = web.app.organizations_page(who.actor(), after, limit).await?;
    let organizations: Vec<Organization> = page.lines.iter().map(Into::into).collect();
    let leaving = Leaving {
        route: "/api/v1/organizations",
        organization: None,
        query: json!({"after": after, "limit": limit}),
        ids: organizations.iter().map(|o| o.id).collect(),
        shown: Shown::Nobody,
    };
    let answer = Organizations { organizations, next: page.next.map(|n| n.0) };
    gated(&web, &who, leaving, StatusCode::OK, &answer).await
}

/// One organization.
#[utoipa::path(get, path = "/api/v1/organizations/{id}", params(("id" = i64, Path)),
    responses((status = 200, body = Organization), (status = 404)))]
pub async fn one(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<OrganizationId>,
) -> Result<Response, Problem> {
    let view = web.app.organization(who.actor(), id).await?;
    let leaving = Leaving {
        route: "/api/v1/organizations/{id}",
        organization: Some(id),
        query: json!({"id": id}),
        ids: vec![id.0],
        shown: Shown::Nobody,
    };
    gated(&web, &who, leaving, StatusCode::OK, &Organization::from(&view.line)).await
}

/// A version of an organization's record.
#[derive(Debug, Serialize, ToSchema)]
pub struct Version {
    /// From which revision on it holds.
    revision: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
    /// Fields that differ from the version before; empty for the first.
    changed: Vec<&'static str>,
}

/// Since when each version of an organization's record holds, newest first.
#[utoipa::path(get, path = "/api/v1/organizations/{id}/versions", params(("id" = i64, Path)),
    responses((status = 200, body = [Version]), (status = 404)))]
pub async fn versions(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<OrganizationId>,
) -> Result<Response, Problem> {
    let view = web.app.organization(who.actor(), id).await?;
    let version = |(revision, at, changed): (Revision, Option<Timestamp>, Vec<&'static str>)| {
        Version { revision: revision.0, at, changed }
    };
    super::json(StatusCode::OK, &view.versions.into_iter().map(version).collect::<Vec<_>>())
}

/// A record of an organization.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct New {
    name: String,
    /// `preview` or `production`.
    #[schema(value_type = String)]
    environment: Environment,
    #[serde(default)]
    products: Vec<String>,
    #[serde(default)]
    domain: String,
}

impl From<New> for Record {
    fn from(n: New) -> Record {
        Record {
            name: n.name,
            environment: n.environment,
            products: n.products,
            domain: n.domain,
            vendor: false,
        }
    }
}

/// Adds an organization. With an `Idempotency-Key` it is added once.
#[utoipa::path(post, path = "/api/v1/organizations", request_body = New,
    params(("Idempotency-Key" = Option<String>, Header)), responses((status = 201, body = Made), (status = 409)))]
pub async fn create(
    State(web): State<Web>,
    who: SignedIn,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Result<Response, Problem> {
    let new: New = parse(&body)?;
    let act = async {
        let id = web.app.create_organization(who.actor(), new.into()).await?;
        Ok(Made { id: id.0, reference: None })
    };
    idempotency::once(&web, &who, &headers, "POST /api/v1/organizations", &body, act).await
}

/// Replaces an organization's record by a new version. 422 for another environment, which is policy: `POST
/// /api/v1/policies`.
#[utoipa::path(put, path = "/api/v1/organizations/{id}", params(("id" = i64, Path)), request_body = New,
    responses((status = 204), (status = 404), (status = 409), (status = 422)))]
pub async fn replace(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<OrganizationId>,
    Json(new): Json<New>,
) -> Result<StatusCode, Problem> {
    web.app.change_organization(who.actor(), id, new.into()).await?;
    Ok(StatusCode::NO_CONTENT)
}
