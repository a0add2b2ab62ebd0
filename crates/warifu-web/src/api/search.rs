//! `/api/v1/search`

use super::cases::Case;
use super::people::Person;
use super::{Leaving, Shown, gated};
use crate::problem::Problem;
use crate::session::SignedIn;
use crate::state::Web;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

/// What was found.
#[derive(Debug, Serialize, ToSchema)]
pub struct Found {
    cases: Vec<Case>,
    people: Vec<Person>,
    organizations: Vec<Named>,
    /// Whether there is more than is listed; add a word.
    more: bool,
}

/// An organization by name.
#[derive(Debug, Serialize, ToSchema)]
pub struct Named {
    id: i64,
    name: String,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
pub struct Asked {
    /// Words in English or Japanese, or a case's number.
    q: String,
    /// 1 to 50 per kind; 20 by default.
    limit: Option<usize>,
}

/// Searches cases, people and organizations.
#[utoipa::path(get, path = "/api/v1/search", params(Asked), responses((status = 200, body = Found)))]
pub async fn search(
    State(web): State<Web>,
    who: SignedIn,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let actor = who.actor();
    let limit = asked.limit.unwrap_or(20).clamp(1, 50);
    let found = web.app.search(actor, &asked.q, limit).await?;
    let people =
        found.people.iter().map(|p| Person::new(p, None)).collect::<Result<Vec<_>, _>>()?;
    let named = found.organizations.iter();
    let answer = Found {
        cases: found.cases.iter().map(|c| Case::new(&web, actor.is_staff(), c)).collect(),
        people,
        organizations: named.map(|(id, o)| Named { id: id.0, name: o.name.clone() }).collect(),
        more: found.more,
    };
    let ids = found.cases.iter().map(|c| c.id.0);
    let ids = ids.chain(found.people.iter().map(|p| p.id.0));
    let leaving = Leaving {
        route: "/api/v1/search",
        organization: None,
        query: json!({"q": asked.q, "limit": limit}),
        ids: ids.chain(found.organizations.iter().map(|(id, _)| id.0)).collect(),
        shown: Shown::people(found.people.iter().map(|p| p.id.0))
            .and_cases(found.cases.iter().map(|c| c.id.0)),
    };
    gated(&web, &who, leaving, StatusCode::OK, &answer).await
}
