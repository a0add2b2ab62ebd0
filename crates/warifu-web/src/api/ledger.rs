//! `/api/v1/ledger`

use super::{Leaving, gated, limit};
use crate::problem::Problem;
use crate::session::SignedIn;
use crate::state::Web;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// An entry.
#[derive(Debug, Serialize, ToSchema)]
pub struct Entry {
    /// From 1.
    number: i64,
    kind: String,
    /// As it is hashed.
    #[schema(value_type = Object)]
    entry: serde_json::Value,
}

/// A page of entries, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Entries {
    entries: Vec<Entry>,
    /// The signed head: a C2SP checkpoint.
    checkpoint: String,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
pub struct Asked {
    /// Entries before this number.
    before: Option<i64>,
    /// Only this kind, e.g. `report_end`.
    kind: Option<String>,
    /// 1 to 200; 50 by default.
    limit: Option<usize>,
}

/// Entries of the ledger.
#[utoipa::path(get, path = "/api/v1/ledger", params(Asked), responses((status = 200, body = Entries)))]
pub async fn list(
    State(web): State<Web>,
    who: SignedIn,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let before = asked.before.map_or(i64::MAX, |n| n - 1);
    let most = limit(asked.limit)? as i64;
    let page = web.app.ledger_page(who.actor(), before, asked.kind.as_deref(), None, most).await?;
    let answer = Entries {
        entries: page
            .iter()
            .map(|e| Entry {
                number: e.seq + 1,
                kind: e.kind.clone(),
                entry: serde_json::from_slice(&e.entry).unwrap_or_default(),
            })
            .collect(),
        checkpoint: web.app.ledger_head().await?.checkpoint,
    };
    let leaving = Leaving {
        route: "/api/v1/ledger",
        organization: None,
        query: serde_json::json!({"before": asked.before, "kind": asked.kind, "limit": most}),
        ids: page.iter().map(|e| e.seq).collect(),
    };
    gated(&web, &who, leaving, StatusCode::OK, &answer).await
}
