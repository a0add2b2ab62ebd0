//! One's own password and the codes beside it: for customers' users who sign in with them.

use crate::csrf::Form;
use crate::page::{page as html, page_with};
use crate::problem::Problem;
use crate::session::{SignedIn, session_cookie};
use crate::sign_in::Caller;
use crate::sign_in::password::picture;
use crate::state::Web;
use crate::views::markup::Tone;
use crate::views::password::{NewCodes as NewCodesPage, OwnPassword};
use crate::views::shell::{Flash, Place};
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use secrecy::SecretString;
use serde::Deserialize;
use warifu_app::password::{Changed, Current, NewCodes, Offer};

/// Query of `GET /account/password`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Asking {
    /// What was just changed: `password`, `codes`.
    done: String,
}

async fn view(me: &SignedIn) -> Result<OwnPassword, Problem> {
    let shell = me.shell(Place::Passkeys, "").await?;
    Ok(OwnPassword { shell, refused: String::new(), unfit: None })
}

/// `GET /account/password`
pub async fn page(
    State(web): State<Web>,
    me: SignedIn,
    Query(asking): Query<Asking>,
) -> Result<Response, Problem> {
    if !web.app.has_password(me.actor()).await? {
        return Err(Problem::not_found());
    }
    let mut view = view(&me).await?;
    let done = match asking.done.as_str() {
        "password" => Some("password-changed"),
        "codes" => Some("codes-changed"),
        _ => None,
    };
    let flash = |message| Flash { tone: Tone::Ok, text: view.shell.lang.t(message) };
    view.shell.flash = done.map(flash);
    html(view)
}

async fn refused(me: &SignedIn, form: &str) -> Result<Response, Problem> {
    let view = OwnPassword { refused: form.to_owned(), ..view(me).await? };
    page_with(StatusCode::FORBIDDEN, view)
}

/// Body of `POST /account/password`.
#[derive(Deserialize)]
pub struct Change {
    current: String,
    code: String,
    password: String,
}

/// `POST /account/password`: the session goes on under a new token, every other one ends.
pub async fn change(
    State(web): State<Web>,
    me: SignedIn,
    caller: Caller,
    Form(sent): Form<Change>,
) -> Result<Response, Problem> {
    web.slow_down(&caller.network)?;
    let (password, new) = (SecretString::from(sent.current), SecretString::from(sent.password));
    let current = Current { password: &password, code: &sent.code };
    let breached = web.config.breached.clone();
    let changed =
        web.app.change_password(&me.session, current, &new, breached, caller.from()).await?;
    match changed {
        Changed::Done(passed) => {
            let cookie = AppendHeaders([(SET_COOKIE, session_cookie(&passed.session))]);
            Ok((cookie, Redirect::to("/account/password?done=password")).into_response())
        }
        Changed::Refused => refused(&me, "password").await,
        Changed::Unfit(what) => {
            let unfit = Some(me.taste.lang.refusal(&what));
            let view = OwnPassword { unfit, ..view(&me).await? };
            page_with(StatusCode::UNPROCESSABLE_ENTITY, view)
        }
    }
}

/// Body of `POST /account/password/codes`.
#[derive(Deserialize)]
pub struct Prove {
    current: String,
    code: String,
}

async fn offered(
    me: &SignedIn,
    offer: Offer,
    step_up: String,
    wrong: Option<String>,
) -> Result<NewCodesPage, Problem> {
    Ok(NewCodesPage {
        shell: me.shell(Place::Passkeys, "").await?,
        ceremony: offer.ceremony.text(),
        step_up,
        picture: picture(&offer.address)?,
        typed: offer.typed,
        wrong,
    })
}

/// `POST /account/password/codes`: new codes for the app, which count from its first one on.
pub async fn codes(
    State(web): State<Web>,
    me: SignedIn,
    caller: Caller,
    Form(sent): Form<Prove>,
) -> Result<Response, Problem> {
    web.slow_down(&caller.network)?;
    let password = SecretString::from(sent.current);
    let current = Current { password: &password, code: &sent.code };
    let begun = web.app.begin_new_codes(&me.session, current, caller.from()).await?;
    let Some((offer, passed)) = begun else { return refused(&me, "codes").await };
    let view = offered(&me, offer, passed.proof.text(), None).await?;
    let cookie = AppendHeaders([(SET_COOKIE, session_cookie(&passed.session))]);
    Ok((cookie, html(view)?).into_response())
}

/// Body of `POST /account/password/codes/first`.
#[derive(Deserialize)]
pub struct First {
    ceremony: String,
    step_up: String,
    code: String,
}

/// `POST /account/password/codes/first`: the app has the new codes, as its first one shows.
pub async fn first_code(
    State(web): State<Web>,
    me: SignedIn,
    caller: Caller,
    Form(sent): Form<First>,
) -> Result<Response, Problem> {
    web.slow_down(&caller.network)?;
    let proof = Some(sent.step_up.as_str());
    let (ceremony, code, from) = (&sent.ceremony, &sent.code, caller.from());
    match web.app.finish_new_codes(&me.session, ceremony, code, proof, from).await? {
        NewCodes::Done => Ok(Redirect::to("/account/password?done=codes").into_response()),
        NewCodes::Again(offer, what) => {
            let wrong = Some(me.taste.lang.refusal(&what));
            let view = offered(&me, *offer, sent.step_up, wrong).await?;
            page_with(StatusCode::UNPROCESSABLE_ENTITY, view)
        }
    }
}
