//! `/api/v1/cases`

use super::{Leaving, Made, Shown, gated, idempotency, limit};
use crate::cases::show::{cursor, cursor_text};
use crate::cases::{assignee, list, priority, status};
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
use warifu_app::cases::{Cursor, Filter, NewCase, Properties};
use warifu_domain::access::Permission;
use warifu_domain::cases::View;
use warifu_domain::{CaseId, OrganizationId, PersonId, Timestamp};

/// A case.
#[derive(Debug, Serialize, ToSchema)]
pub struct Case {
    id: i64,
    reference: String,
    organization: i64,
    requester: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    assignee: Option<i64>,
    subject: String,
    status: &'static str,
    /// For staff.
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<&'static str>,
    product: String,
    /// For staff.
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<String>>,
    language: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    solved_at: Option<Timestamp>,
}

impl Case {
    pub fn new(web: &Web, staff: bool, c: &warifu_domain::cases::Case) -> Case {
        let tags = || c.tags.split(',').filter(|t| !t.is_empty()).map(str::to_owned).collect();
        Case {
            id: c.id.0,
            reference: web.app.case_reference(c.id),
            organization: c.organization.0,
            requester: c.requester.0,
            assignee: c.assignee.map(|a| a.0),
            subject: c.subject.clone(),
            status: c.status.key(),
            priority: staff.then(|| c.priority.key()),
            product: c.product.clone(),
            tags: staff.then(tags),
            language: c.language.clone(),
            created_at: c.created_at,
            updated_at: c.updated_at,
            solved_at: c.solved_at,
        }
    }
}

/// A page of cases.
#[derive(Debug, Serialize, ToSchema)]
pub struct Cases {
    cases: Vec<Case>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
pub struct Asked {
    /// `mine`, `unassigned`, `active`, or a status. Customers leave it out.
    view: String,
    /// Cases of one organization.
    #[param(value_type = Option<i64>)]
    organization: Option<OrganizationId>,
    /// Cases that one person asked.
    #[param(value_type = Option<i64>)]
    requester: Option<PersonId>,
    /// Words that the cases have; the best first, one page.
    q: String,
    status: String,
    priority: String,
    /// Id of a person, `0` for nobody.
    assignee: String,
    /// The `next` of the page before.
    after: String,
    /// 1 to 200; 50 by default.
    limit: Option<usize>,
}

/// Cases of a view, the latest change first.
#[utoipa::path(get, path = "/api/v1/cases", params(Asked), responses((status = 200, body = Cases)))]
pub async fn list(
    State(web): State<Web>,
    who: SignedIn,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let actor = who.actor();
    let view = match (asked.organization, asked.requester) {
        (Some(o), _) => View::Organization(o),
        (None, Some(p)) => View::Requester(p),
        (None, None) if actor.is_staff() => list::view(&asked.view, actor)?,
        (None, None) if actor.roles.allow(Permission::ReadOwnOrganization) => {
            View::Organization(actor.organization)
        }
        (None, None) => View::Requester(actor.person),
    };
    let filter = Filter {
        status: status(&asked.status)?,
        priority: priority(&asked.priority)?,
        assignee: assignee(&asked.assignee)?,
    };
    let after = match asked.after.as_str() {
        "" => Cursor::START,
        text => cursor(text).ok_or_else(|| Problem::invalid("after", "no such place"))?,
    };
    let limit = limit(asked.limit)?;
    let page = match asked.q.as_str() {
        "" => web.app.case_page(actor, view, filter, after, limit).await?,
        words => web.app.search_cases(actor, words, filter, limit).await?,
    };
    let cases: Vec<Case> =
        page.cases.iter().map(|c| Case::new(&web, actor.is_staff(), c)).collect();
    let leaving = Leaving {
        route: "/api/v1/cases",
        organization: asked.organization,
        query: json!({"view": asked.view, "organization": asked.organization, "requester": asked.requester,
            "q": asked.q, "status": asked.status, "priority": asked.priority,
            "assignee": asked.assignee, "after": asked.after, "limit": limit}),
        ids: cases.iter().map(|c| c.id).collect(),
        shown: Shown::cases(cases.iter().map(|c| c.id)),
    };
    let answer = Cases { cases, next: page.next.map(cursor_text) };
    gated(&web, &who, leaving, StatusCode::OK, &answer).await
}

/// What is asked.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct New {
    subject: String,
    body: String,
    #[serde(default)]
    product: String,
    /// `en` or `ja`.
    #[serde(default)]
    language: String,
    #[serde(default)]
    priority: String,
    /// For staff: whom it is for.
    #[schema(value_type = Option<i64>)]
    requester: Option<PersonId>,
}

/// Opens a case. With an `Idempotency-Key` it is opened once.
#[utoipa::path(post, path = "/api/v1/cases", request_body = New,
    params(("Idempotency-Key" = Option<String>, Header)), responses((status = 201, body = Made)))]
pub async fn create(
    State(web): State<Web>,
    who: SignedIn,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Result<Response, Problem> {
    let new: New = parse(&body)?;
    let new = NewCase {
        subject: new.subject,
        body: new.body,
        product: new.product,
        language: new.language,
        priority: priority(&new.priority)?,
        requester: new.requester,
        ..NewCase::default()
    };
    let act = async {
        let id = web.app.create_case(who.actor(), new).await?;
        Ok(Made { id: id.0, reference: Some(web.app.case_reference(id)) })
    };
    idempotency::once(&web, &who, &headers, "POST /api/v1/cases", &body, act).await
}

/// Reads a body of which the text was needed too.
pub fn parse<T: for<'de> Deserialize<'de>>(body: &Value) -> Result<T, Problem> {
    T::deserialize(body).map_err(|e| Problem::invalid("body", e.to_string()))
}

/// One case.
#[utoipa::path(get, path = "/api/v1/cases/{id}", params(("id" = i64, Path)),
    responses((status = 200, body = Case), (status = 404)))]
pub async fn one(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<CaseId>,
) -> Result<Response, Problem> {
    let open = web.app.open_case(who.actor(), id, None).await?;
    let leaving = Leaving {
        route: "/api/v1/cases/{id}",
        organization: Some(open.case.organization),
        query: json!({"id": id}),
        ids: vec![id.0],
        shown: Shown::Nobody,
    };
    let case = Case::new(&web, who.actor().is_staff(), &open.case);
    gated(&web, &who, leaving, StatusCode::OK, &case).await
}

/// What is to change; what is left out stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Change {
    status: String,
    priority: String,
    /// Id of a person, `0` for nobody.
    #[schema(value_type = Option<i64>)]
    assignee: Option<PersonId>,
    tags: Option<Vec<String>>,
    /// The `updated_at` that was read: 409 when somebody else changed the same
    /// property after it.
    #[schema(value_type = Option<String>, format = DateTime)]
    version: Option<Timestamp>,
}

impl Change {
    fn wanted(&self) -> Result<Properties, Problem> {
        Ok(Properties {
            status: status(&self.status)?,
            priority: priority(&self.priority)?,
            assignee: self.assignee.map(|a| (a.0 != 0).then_some(a)),
            tags: self.tags.as_ref().map(|t| t.join(",")),
        })
    }
}

/// Changes properties of a case.
#[utoipa::path(patch, path = "/api/v1/cases/{id}", params(("id" = i64, Path)), request_body = Change,
    responses((status = 200, body = Case), (status = 404), (status = 409)))]
pub async fn change(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<CaseId>,
    Json(change): Json<Change>,
) -> Result<Response, Problem> {
    let wanted = change.wanted()?;
    let case = web.app.set_properties(who.actor(), id, &wanted, change.version).await?;
    let leaving = Leaving {
        route: "/api/v1/cases/{id}",
        organization: Some(case.organization),
        query: json!({"id": id}),
        ids: vec![id.0],
        shown: Shown::Case(id, case.organization),
    };
    let case = Case::new(&web, who.actor().is_staff(), &case);
    gated(&web, &who, leaving, StatusCode::OK, &case).await
}

/// One change of many cases.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Many {
    /// At most 500.
    #[schema(value_type = Vec<i64>)]
    cases: Vec<CaseId>,
    change: Change,
}

/// What became of them.
#[derive(Debug, Serialize, ToSchema)]
pub struct Bulk {
    changed: Vec<i64>,
    /// Those that were so already.
    same: Vec<i64>,
    /// Those that a rule kept as they are.
    refused: Vec<i64>,
}

/// Changes properties of many cases in one transaction.
#[utoipa::path(post, path = "/api/v1/cases/bulk", request_body = Many,
    responses((status = 200, body = Bulk), (status = 404)))]
pub async fn bulk(
    State(web): State<Web>,
    who: SignedIn,
    Json(many): Json<Many>,
) -> Result<Response, Problem> {
    let done = web.app.set_many(who.actor(), &many.cases, &many.change.wanted()?).await?;
    let ids = |list: Vec<CaseId>| list.into_iter().map(|id| id.0).collect();
    let answer =
        Bulk { changed: ids(done.changed), same: ids(done.same), refused: ids(done.refused) };
    super::json(StatusCode::OK, &answer)
}

/// A customer's "it is solved": closes one of their cases.
#[utoipa::path(post, path = "/api/v1/cases/{id}/close", params(("id" = i64, Path)), request_body = Object,
    responses((status = 204), (status = 404), (status = 409)))]
pub async fn close(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<CaseId>,
    _: Json<Value>,
) -> Result<StatusCode, Problem> {
    web.app.close_case(who.actor(), id).await?;
    Ok(StatusCode::NO_CONTENT)
}
