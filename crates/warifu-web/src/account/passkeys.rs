//! One's own passkeys.

use crate::csrf::Form;
use crate::page::page as html;
use crate::problem::Problem;
use crate::session::SignedIn;
use crate::sign_in::{Caller, enrol::suggested};
use crate::state::Web;
use crate::views::shell::Place;
use crate::views::sign_in::{Passkey, Passkeys, PortalPasskeys};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use warifu_app::certificates;
use warifu_auth::is_synced;
use warifu_domain::CredentialId;
use warifu_domain::factors::Factor;

/// `GET /account/passkeys`
pub async fn page(
    State(web): State<Web>,
    me: SignedIn,
    caller: Caller,
) -> Result<Response, Problem> {
    let shell = me.shell(Place::Passkeys, "").await?;
    let lang = shell.lang;
    let known = web.app.factors(me.actor()).await?;
    let certificates = web.config.certificates.is_some();
    let proves = known.iter().any(|k| k.kind == Factor::Passkey)
        || (me.session.factor == Factor::Certificate && certificates)
        || web.app.provider_for_step_up(&me.session).await?.is_some();
    let passkeys = known.into_iter().map(|k| Passkey {
        id: k.id.to_string(),
        password: k.kind == Factor::Password,
        synced: k.kind == Factor::Passkey && is_synced(&k.verifier),
        certificate: certificates::shown(&k)
            .map(|c| (c.subject, lang.date(c.not_after.to_jiff(), &me.zone))),
        added: lang.date(k.created_at.to_jiff(), &me.zone),
        used: k.last_used_at.map(|t| lang.date_time(t.to_jiff(), &me.zone)),
        this_session: k.id == me.session.credential,
        name: k.name,
        model: String::new(),
    });
    let (passkeys, suggested_name) = (passkeys.collect(), suggested(&caller.agent));
    match me.actor().is_staff() {
        true => {
            html(Passkeys { passkeys, proves, suggested_name, certificates, problem: None, shell })
        }
        false => html(PortalPasskeys {
            passkeys,
            proves,
            suggested_name,
            certificates,
            problem: None,
            shell,
        }),
    }
}

/// Body of `POST /account/passkeys/{id}/remove`.
#[derive(Deserialize)]
pub struct Remove {
    /// The proof of a step-up for this passkey.
    #[serde(default)]
    step_up: Option<String>,
}

/// `POST /account/passkeys/{id}/remove`
pub async fn remove(
    State(web): State<Web>,
    me: SignedIn,
    Path(id): Path<CredentialId>,
    form: Form<Remove>,
) -> Result<Response, Problem> {
    let proof = form.step_up.as_deref();
    web.app.remove_passkey(me.actor(), id, &me.session.token_hash, proof).await?;
    Ok(Redirect::to("/account/passkeys").into_response())
}
