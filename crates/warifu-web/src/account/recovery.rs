//! One's own recovery codes, and what goes on with one's account.

use crate::csrf::Form;
use crate::page::page as html;
use crate::problem::Problem;
use crate::session::SignedIn;
use crate::state::Web;
use crate::verifications::check_row;
use crate::views::shell::Place;
use crate::views::verifications::{PortalRecovery, Recovery, RecoveryPage};
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

async fn shown(web: &Web, me: &SignedIn, codes: Vec<String>) -> Result<Response, Problem> {
    let lang = me.taste.lang;
    let left = web.app.recovery_codes_left(me.actor()).await?;
    let open = web.app.own_verifications(me.actor()).await?;
    let recovery = Recovery {
        left: left.left,
        made: left.made_at.map(|t| lang.date(t.to_jiff(), &me.zone)),
        codes,
        checks: open.iter().map(|l| check_row(web, me, l)).collect(),
    };
    let shell = me.shell(Place::Elsewhere, "").await?;
    match me.actor().is_staff() {
        true => html(RecoveryPage { shell, recovery }),
        false => html(PortalRecovery { shell, recovery }),
    }
}

/// `GET /account/recovery`
pub async fn page(State(web): State<Web>, me: SignedIn) -> Result<Response, Problem> {
    shown(&web, &me, Vec::new()).await
}

/// Body of `POST /account/recovery/codes`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Proof {
    step_up: Option<String>,
}

/// `POST /account/recovery/codes`: the page that shows a new set, once.
pub async fn codes(
    State(web): State<Web>,
    me: SignedIn,
    Form(proof): Form<Proof>,
) -> Result<Response, Problem> {
    let codes = web.app.make_recovery_codes(me.actor(), proof.step_up.as_deref()).await?;
    shown(&web, &me, codes).await
}

/// Body of `POST /account/recovery/stop`.
#[derive(Deserialize)]
pub struct Which {
    id: i64,
}

/// `POST /account/recovery/stop`
pub async fn stop(
    State(web): State<Web>,
    me: SignedIn,
    Form(which): Form<Which>,
) -> Result<Response, Problem> {
    web.app.stop_verification(me.actor(), which.id).await?;
    Ok(Redirect::to("/account/recovery").into_response())
}
