//! `/api/v1/people`

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
use warifu_domain::access::Roles;
use warifu_domain::people::{KnownPerson, Person as Record};
use warifu_domain::{OrganizationId, PersonId, Revision, Timestamp};

/// A person.
#[derive(Debug, Serialize, ToSchema)]
pub struct Person {
    id: i64,
    organization: i64,
    /// `false` when they are switched off.
    active: bool,
    /// The record: `full_name`, `email`, `phone` …; blank fields are left out.
    #[schema(value_type = Object)]
    record: Value,
    /// Since which revision the record holds; where one person is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<i64>,
    /// What they may do here; left out in search results.
    #[serde(skip_serializing_if = "Option::is_none")]
    roles: Option<Vec<&'static str>>,
}

impl Person {
    fn with(self, roles: Option<Roles>) -> Person {
        let keys = |r: Roles| r.iter().map(|role| role.key()).collect();
        Person { roles: roles.map(keys), ..self }
    }

    pub fn new(p: &KnownPerson, revision: Option<Revision>) -> Result<Person, Problem> {
        let mut record =
            serde_json::to_value(&p.record).map_err(|e| Problem::internal(e.to_string()))?;
        if let Value::Object(fields) = &mut record {
            fields.retain(|_, v| !v.is_null());
        }
        Ok(Person {
            id: p.id.0,
            organization: p.organization.0,
            active: p.active,
            record,
            revision: revision.map(|r| r.0),
            roles: None,
        })
    }
}

/// A page of people.
#[derive(Debug, Serialize, ToSchema)]
pub struct People {
    people: Vec<Person>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<i64>,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
pub struct Asked {
    /// People of one organization.
    #[param(value_type = Option<i64>)]
    organization: Option<OrganizationId>,
    /// The `next` of the page before.
    #[param(value_type = Option<i64>)]
    after: Option<PersonId>,
    /// 1 to 200; 50 by default.
    limit: Option<usize>,
}

/// People by id.
#[utoipa::path(get, path = "/api/v1/people", params(Asked), responses((status = 200, body = People)))]
pub async fn list(
    State(web): State<Web>,
    who: SignedIn,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let limit = limit(asked.limit)?;
    let after = asked.after.unwrap_or(PersonId(0));
    let page = web.app.people_page(who.actor(), asked.organization, after, limit).await?;
    let shown = |p: &KnownPerson| {
        Ok::<_, Problem>(Person::new(p, None)?.with(page.roles.get(&p.id).copied()))
    };
    let people = page.people.iter().map(shown).collect::<Result<Vec<_>, _>>()?;
    let leaving = Leaving {
        route: "/api/v1/people",
        organization: asked.organization,
        query: json!({"organization": asked.organization, "after": after, "limit": limit}),
        ids: people.iter().map(|p| p.id).collect(),
        shown: Shown::people(people.iter().map(|p| p.id)),
    };
    let answer = People { people, next: page.next.map(|n| n.0) };
    gated(&web, &who, leaving, StatusCode::OK, &answer).await
}

/// One person.
#[utoipa::path(get, path = "/api/v1/people/{id}", params(("id" = i64, Path)),
    responses((status = 200, body = Person), (status = 404)))]
pub async fn one(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<PersonId>,
) -> Result<Response, Problem> {
    let view = web.app.person(who.actor(), id).await?;
    let leaving = Leaving {
        route: "/api/v1/people/{id}",
        organization: Some(view.person.organization),
        query: json!({"id": id}),
        ids: vec![id.0],
        shown: Shown::One(id, view.person.organization),
    };
    let revision = view.versions.first().map(|v| v.revision);
    let person = Person::new(&view.person, revision)?.with(Some(view.roles));
    gated(&web, &who, leaving, StatusCode::OK, &person).await
}

/// A version of a record.
#[derive(Debug, Serialize, ToSchema)]
pub struct Version {
    /// From which revision on it holds.
    revision: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
    /// Labels of the fields that differ from the version before; empty for the first.
    changed: Vec<&'static str>,
    person: Person,
}

/// The versions of a person's record, newest first, at most 200.
#[utoipa::path(get, path = "/api/v1/people/{id}/versions", params(("id" = i64, Path)),
    responses((status = 200, body = [Version]), (status = 404)))]
pub async fn versions(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<PersonId>,
) -> Result<Response, Problem> {
    let view = web.app.person(who.actor(), id).await?;
    let version = |v: &warifu_app::people::Version| {
        let person = Person::new(&v.person, Some(v.revision))?;
        let changed = v.changed.clone();
        Ok::<_, Problem>(Version { revision: v.revision.0, at: v.at, changed, person })
    };
    let versions = view.versions.iter().map(version).collect::<Result<Vec<_>, _>>()?;
    let leaving = Leaving {
        route: "/api/v1/people/{id}/versions",
        organization: Some(view.person.organization),
        query: json!({"id": id}),
        ids: vec![id.0],
        shown: Shown::One(id, view.person.organization),
    };
    gated(&web, &who, leaving, StatusCode::OK, &versions).await
}

/// The next step of reading on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadOn {
    /// Up to how many people are to be shown within the day: what the refusal had in `parameters`.
    people: u64,
    /// What `POST /step-up/verify` answered.
    step_up: Option<String>,
}

/// Lets more people's records be shown. Whoever was shown as many within a day as may be without the key gets
/// 403 `step-up-required` with `action` (`read_on`) and `parameters` (`people`) of the step-up in place of the
/// next page with people, whatever its route; a service account gets 429 `reading-limit`. 409 when it is not the
/// next step.
#[utoipa::path(post, path = "/api/v1/people/read-on", request_body = ReadOn,
    responses((status = 204), (status = 403), (status = 409)))]
pub async fn read_on(
    State(web): State<Web>,
    who: SignedIn,
    Json(next): Json<ReadOn>,
) -> Result<StatusCode, Problem> {
    web.app.read_on(who.actor(), next.people, next.step_up.as_deref()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A new person.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct New {
    #[schema(value_type = i64)]
    organization: OrganizationId,
    #[schema(value_type = Object)]
    record: Record,
}

/// Adds a person. With an `Idempotency-Key` they are added once.
#[utoipa::path(post, path = "/api/v1/people", request_body = New,
    params(("Idempotency-Key" = Option<String>, Header)), responses((status = 201, body = Made)))]
pub async fn create(
    State(web): State<Web>,
    who: SignedIn,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Result<Response, Problem> {
    let new: New = parse(&body)?;
    let act = async {
        let id = web.app.create_person(who.actor(), new.organization, new.record).await?;
        Ok(Made { id: id.0, reference: None })
    };
    idempotency::once(&web, &who, &headers, "POST /api/v1/people", &body, act).await
}

/// A record that takes the place of the present one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Replace {
    #[schema(value_type = Object)]
    record: Record,
    /// The revision that was read: 409 when there is a newer one.
    #[schema(value_type = Option<i64>)]
    revision: Option<Revision>,
    /// What `POST /step-up/verify` answered.
    step_up: Option<String>,
}

/// Replaces a person's record by a new version. Where `username`, `email`, `phone` or `mobile` of somebody
/// changes who has a role, or has or had a factor: 403 `step-up-required` without the proof of a step-up for
/// `change_contact` with the parameter `person` and those four as they will be, empty where blank.
#[utoipa::path(put, path = "/api/v1/people/{id}", params(("id" = i64, Path)), request_body = Replace,
    responses((status = 204), (status = 403), (status = 404), (status = 409)))]
pub async fn replace(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<PersonId>,
    Json(new): Json<Replace>,
) -> Result<StatusCode, Problem> {
    let Replace { record, revision, step_up } = new;
    web.app.change_person(who.actor(), id, record, revision, step_up.as_deref()).await?;
    Ok(StatusCode::NO_CONTENT)
}
