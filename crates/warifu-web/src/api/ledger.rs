//! `/api/v1/ledger`

use super::{Leaving, Shown, gated, json, limit};
use crate::csrf::Json;
use crate::problem::Problem;
use crate::session::SignedIn;
use crate::state::Web;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use warifu_app::AppError;
use warifu_domain::PersonId;
use warifu_domain::access::Permission;

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
    /// The value of `before` for the entries before these.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<i64>,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
pub struct Asked {
    /// Entries before this number.
    before: Option<i64>,
    /// Only this kind, e.g. `report_end`.
    kind: Option<String>,
    /// Only what this person did.
    #[param(value_type = Option<i64>)]
    by: Option<PersonId>,
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
    let page =
        web.app.ledger_page(who.actor(), before, asked.kind.as_deref(), asked.by, most).await?;
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
        // Entry 1 is the first.
        next: page.last().map(|e| e.seq + 1).filter(|n| *n > 1 && page.len() as i64 == most),
    };
    let leaving = Leaving {
        route: "/api/v1/ledger",
        organization: None,
        query: serde_json::json!({"before": asked.before, "kind": asked.kind, "by": asked.by, "limit": most}),
        ids: page.iter().map(|e| e.seq).collect(),
        shown: Shown::Nobody,
    };
    gated(&web, &who, leaving, StatusCode::OK, &answer).await
}

/// An entry with its proof: hashes that lead from it to the signed checkpoint (RFC 6962).
#[derive(Debug, Serialize, ToSchema)]
pub struct Proven {
    #[serde(flatten)]
    entry: Entry,
    /// Base64, as `path`.
    leaf: String,
    path: Vec<String>,
    /// From 0.
    index: u64,
    size: u64,
    checkpoint: String,
}

/// One entry and the proof that it is in the ledger that the checkpoint signs.
#[utoipa::path(get, path = "/api/v1/ledger/{number}", params(("number" = i64, Path)),
    responses((status = 200, body = Proven), (status = 404)))]
pub async fn one(
    State(web): State<Web>,
    who: SignedIn,
    Path(number): Path<i64>,
) -> Result<Response, Problem> {
    who.actor().require(Permission::ReadLedger).map_err(AppError::from)?;
    let (entry, proof) = web.app.inclusion(number.saturating_sub(1)).await?;
    let answer = Proven {
        entry: Entry {
            number,
            kind: entry.kind.clone(),
            entry: serde_json::from_slice(&entry.entry).unwrap_or_default(),
        },
        leaf: proof.leaf.to_base64(),
        path: proof.path.iter().map(|h| h.to_base64()).collect(),
        index: proof.index,
        size: proof.size,
        checkpoint: proof.checkpoint,
    };
    let leaving = Leaving {
        route: "/api/v1/ledger/{number}",
        organization: None,
        query: serde_json::json!({ "number": number }),
        ids: vec![entry.seq],
        shown: Shown::Nobody,
    };
    gated(&web, &who, leaving, StatusCode::OK, &answer).await
}

/// What checking the whole ledger came to.
#[derive(Debug, Serialize, ToSchema)]
pub struct Verified {
    holds: bool,
    /// Entries that were checked, where it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    entries: Option<u64>,
    /// The first thing that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

/// Checks every entry, every stored hash and the signed checkpoint.
#[utoipa::path(post, path = "/api/v1/ledger/verify", request_body = Object, responses((status = 200, body = Verified)))]
pub async fn verify(
    State(web): State<Web>,
    who: SignedIn,
    _: Json<serde_json::Value>,
) -> Result<Response, Problem> {
    who.actor().require(Permission::ReadLedger).map_err(AppError::from)?;
    let answer = match web.app.verify_ledger(|_, _| {}).await? {
        Ok(report) => Verified { holds: true, entries: Some(report.size), problem: None },
        Err(problem) => Verified { holds: false, entries: None, problem: Some(problem) },
    };
    json(StatusCode::OK, &answer)
}
