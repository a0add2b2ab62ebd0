//! Letting people in and out: one-time links, new colleagues, switching off and on, and how somebody is
//! reached.

use super::{Wrong, choices, shown};
use crate::cases::show::somebody;
use crate::csrf::Form;
use crate::page::{page as html, page_with};
use crate::problem::Problem;
use crate::session::Staff;
use crate::state::Web;
use crate::views::shell::Place;
use crate::views::way_in::{Invited, NewColleague as View};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use warifu_app::AppError;
use warifu_app::enrolment::{Invitation, NewColleague};
use warifu_app::people::NewContact;
use warifu_domain::PersonId;
use warifu_domain::access::{Permission, Role, Roles};

/// The proof of a step-up.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Proof {
    step_up: Option<String>,
}

fn back(id: PersonId) -> Response {
    Redirect::to(&format!("/people/{id}")).into_response()
}

/// The address of a one-time link.
pub fn link(web: &Web, invitation: &Invitation) -> String {
    format!("{}/enrol/{}", web.config.origin_text(), invitation.token.text())
}

/// The page that shows a link, once.
async fn invited(
    web: &Web,
    who: &Staff,
    invitation: &Invitation,
    name: &str,
) -> Result<Response, Problem> {
    let shell = who.shell(Place::People, "").await?;
    html(Invited {
        who: somebody(invitation.person, name),
        link: link(web, invitation),
        until: shell.lang.date_time(invitation.expires_at.to_jiff(), &who.zone),
        shell,
    })
}

/// `POST /people/{id}/invite`
pub async fn invite(
    State(web): State<Web>,
    who: Staff,
    Path(id): Path<PersonId>,
    Form(proof): Form<Proof>,
) -> Result<Response, Problem> {
    let invitation = web.app.invite(who.actor(), id, proof.step_up.as_deref()).await?;
    let name = web.app.person(who.actor(), id).await?.person;
    invited(&web, &who, &invitation, name.record.display_name()).await
}

/// `POST /people/{id}/withdraw`
pub async fn withdraw(
    State(web): State<Web>,
    who: Staff,
    Path(id): Path<PersonId>,
    _: Form<Proof>,
) -> Result<Response, Problem> {
    web.app.withdraw_invitation(who.actor(), id).await?;
    Ok(back(id))
}

/// Body of `POST /people/{id}/standing`.
#[derive(Deserialize)]
pub struct Standing {
    state: String,
    step_up: Option<String>,
}

/// `POST /people/{id}/standing`: `on` or `off`.
pub async fn standing(
    State(web): State<Web>,
    who: Staff,
    Path(id): Path<PersonId>,
    Form(to): Form<Standing>,
) -> Result<Response, Problem> {
    let on = match to.state.as_str() {
        "on" => true,
        "off" => false,
        _ => return Err(Problem::not_found()),
    };
    web.app.switch_person(who.actor(), id, on, to.step_up.as_deref()).await?;
    Ok(back(id))
}

/// Body of `POST /people/{id}/contact`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Contact {
    username: String,
    email: String,
    phone: String,
    mobile: String,
    step_up: Option<String>,
}

/// `POST /people/{id}/contact`: address, user name and numbers.
pub async fn contact(
    State(web): State<Web>,
    who: Staff,
    Path(id): Path<PersonId>,
    Form(typed): Form<Contact>,
) -> Result<Response, Problem> {
    let Contact { username, email, phone, mobile, step_up } = typed;
    let new = NewContact { username, email, phone, mobile };
    match web.app.change_contact(who.actor(), id, &new, step_up.as_deref()).await {
        Ok(()) => Ok(back(id)),
        Err(AppError::Invalid { what, .. }) => {
            shown(&web, &who, id, None, Some(Wrong { typed: new, what })).await
        }
        Err(e) => Err(e.into()),
    }
}

async fn form(
    who: &Staff,
    typed: &Colleague,
    roles: Roles,
    wrong: Option<(&str, String)>,
) -> Result<View, Problem> {
    let shell = who.shell(Place::People, "").await?;
    Ok(View {
        full_name: typed.full_name.clone(),
        email: typed.email.clone(),
        // A super administrator takes two; it is asked for on the person's own page.
        roles: choices(shell.lang, roles, true)
            .into_iter()
            .filter(|c| c.value != Role::SuperAdministrator.key())
            .collect(),
        wrong: wrong.map(|(field, text)| (field.to_owned(), text)),
        shell,
    })
}

/// `GET /people/new`: a new colleague.
pub async fn new(who: Staff) -> Result<Response, Problem> {
    who.actor().require(Permission::ManageRoles).map_err(AppError::from)?;
    html(form(&who, &Colleague::default(), Roles::default(), None).await?)
}

/// Body of `POST /people/new`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Colleague {
    full_name: String,
    email: String,
    role: Vec<String>,
    step_up: Option<String>,
}

/// `POST /people/new`
pub async fn add(
    State(web): State<Web>,
    who: Staff,
    Form(typed): Form<Colleague>,
) -> Result<Response, Problem> {
    let known = |key: &String| Role::from_key(key).ok_or_else(Problem::not_found);
    let roles = typed.role.iter().map(known).collect::<Result<Roles, _>>()?;
    let new =
        NewColleague { full_name: typed.full_name.clone(), email: typed.email.clone(), roles };
    match web.app.add_colleague(who.actor(), &new, typed.step_up.as_deref()).await {
        Ok(invitation) => invited(&web, &who, &invitation, new.full_name.trim()).await,
        Err(AppError::Invalid { field, what }) => {
            let wrong = Some((field, who.taste.lang.refusal(&what)));
            page_with(StatusCode::UNPROCESSABLE_ENTITY, form(&who, &typed, roles, wrong).await?)
        }
        Err(e) => Err(e.into()),
    }
}
