//! Signing in with a password and a code, and choosing them by invitation: for customers' users whose
//! organization allows it.

use super::{Caller, entered};
use crate::csrf::Form;
use crate::lang::{self, Visitor, local};
use crate::page::{page as html, page_with};
use crate::problem::Problem;
use crate::session::COOKIE;
use crate::state::Web;
use crate::views::password::{ChoosePassword, PasswordSignIn, Qr};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use qrcode::{Color, EcLevel, QrCode};
use secrecy::SecretString;
use serde::Deserialize;
use warifu_app::password::{Choice, Chosen, Offer, Tried};

/// Query of `GET /sign-in/password`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Asking {
    next: String,
}

/// `GET /sign-in/password`
pub async fn page(visitor: Visitor, Query(asking): Query<Asking>) -> Result<Response, Problem> {
    let next = local(&asking.next).to_owned();
    let view = PasswordSignIn { shell: visitor.shell(), next, refused: false };
    Ok(visitor.welcome(html(view)?))
}

/// Body of `POST /sign-in/password`.
#[derive(Deserialize)]
pub struct Try {
    name: String,
    password: String,
    code: String,
    #[serde(default)]
    next: String,
}

/// `POST /sign-in/password`: a new session under a new token. Whatever is wrong, the answer is the
/// same.
pub async fn sign_in(
    State(web): State<Web>,
    visitor: Visitor,
    caller: Caller,
    headers: HeaderMap,
    Form(sent): Form<Try>,
) -> Result<Response, Problem> {
    web.slow_down(&caller.network)?;
    let password = SecretString::from(sent.password);
    let tried = Tried { name: &sent.name, password: &password, code: &sent.code };
    let (old, policy) = (lang::cookie(&headers, COOKIE), &web.config.sessions);
    let opened = web.app.sign_in_with_password(tried, caller.from(), old, policy).await?;
    let next = local(&sent.next);
    let Some(opened) = opened else {
        let view = PasswordSignIn { shell: visitor.shell(), next: next.to_owned(), refused: true };
        return page_with(StatusCode::FORBIDDEN, view);
    };
    Ok(entered(&opened, next))
}

/// The picture of an address, as squares of one path.
pub(crate) fn picture(address: &str) -> Result<Qr, Problem> {
    let code = QrCode::with_error_correction_level(address, EcLevel::M);
    let code = code.map_err(|e| Problem::internal(e.to_string()))?;
    let width = code.width();
    let mut path = String::new();
    for (i, color) in code.to_colors().into_iter().enumerate() {
        if color == Color::Dark {
            path.push_str(&format!("M{} {}h1v1h-1z", i % width, i / width));
        }
    }
    // Four light squares around it (ISO/IEC 18004, section 6.3.8).
    Ok(Qr { size: width + 8, path })
}

fn view(
    visitor: &Visitor,
    invitation: String,
    offer: Offer,
    errors: Vec<(String, String)>,
) -> Result<ChoosePassword, Problem> {
    Ok(ChoosePassword {
        shell: visitor.shell(),
        invitation,
        ceremony: offer.ceremony.text(),
        name: offer.name,
        picture: picture(&offer.address)?,
        typed: offer.typed,
        errors,
    })
}

/// `GET /enrol/{invitation}/password`
pub async fn choose(
    State(web): State<Web>,
    visitor: Visitor,
    caller: Caller,
    Path(invitation): Path<String>,
) -> Result<Response, Problem> {
    web.slow_down(&caller.network)?;
    let offer = web.app.offer_codes(&invitation, caller.from()).await?;
    html(view(&visitor, invitation, offer, Vec::new())?)
}

/// Body of `POST /enrol/{invitation}/password`.
#[derive(Deserialize)]
pub struct Chose {
    ceremony: String,
    password: String,
    code: String,
}

/// `POST /enrol/{invitation}/password`
pub async fn chosen(
    State(web): State<Web>,
    visitor: Visitor,
    caller: Caller,
    Path(invitation): Path<String>,
    Form(chose): Form<Chose>,
) -> Result<Response, Problem> {
    web.slow_down(&caller.network)?;
    let password = SecretString::from(chose.password);
    let choice = Choice { ceremony: &chose.ceremony, password: &password, code: &chose.code };
    let breached = web.config.breached.clone();
    match web.app.choose_password(&invitation, choice, breached, caller.from()).await? {
        Chosen::Done => Ok(Redirect::to("/sign-in/password").into_response()),
        Chosen::Again { offer, field, what } => {
            let errors = vec![(field.to_owned(), visitor.taste.lang.refusal(&what))];
            let view = view(&visitor, invitation, *offer, errors)?;
            page_with(StatusCode::UNPROCESSABLE_ENTITY, view)
        }
    }
}
