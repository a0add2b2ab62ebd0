//! `Idempotency-Key`: a repeated request gets the first one's answer for 24 hours.

use super::text;
use crate::problem::Problem;
use crate::router::PATIENCE;
use crate::session::SignedIn;
use crate::state::Web;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Serialize;
use serde_json::Value;
use std::future::Future;
use warifu_app::idempotency::{Key, LEASE};

// Whoever holds a key has given up before another may take it.
const _: () = assert!((PATIENCE.as_micros() as i64) < LEASE);

/// Does a creating request once per key. Without the header it is simply done.
///
/// # Errors
/// 422 when the key came with another request before, 409 while the first one is being worked on.
pub async fn once<T: Serialize>(
    web: &Web,
    who: &SignedIn,
    headers: &HeaderMap,
    route: &str,
    body: &Value,
    act: impl Future<Output = Result<T, Problem>>,
) -> Result<Response, Problem> {
    let Some(key) = headers.get("idempotency-key") else {
        return super::json(StatusCode::CREATED, &act.await?);
    };
    let key = key.to_str().ok().filter(|k| (1..=200).contains(&k.len()));
    let key =
        key.ok_or_else(|| Problem::invalid("Idempotency-Key", "1 to 200 ASCII characters"))?;
    let request = format!("{route}\n{body}");
    let taken = match web.app.take_key(who.actor(), key, request.as_bytes()).await? {
        Key::Free(taken) => taken,
        Key::Answered(answer) => return Ok(super::with_body(StatusCode::CREATED, answer)),
    };
    // Uploads have no other limit. A commit may have been on its way: the key is not given back.
    let Ok(done) = tokio::time::timeout(PATIENCE, act).await else {
        return Err(Problem::given_up());
    };
    match done {
        Ok(made) => {
            let answer = text(&made)?;
            web.app.keep_answer(who.actor(), key, taken, &answer).await?;
            Ok(super::with_body(StatusCode::CREATED, answer))
        }
        Err(problem) => {
            // What failed made nothing; the same key may be tried again.
            web.app.release_key(who.actor(), key, taken).await?;
            Err(problem)
        }
    }
}
