//! `/verifications`: checks of callers, for the desk, approvers and colleagues who vouch.

pub mod public;
mod show;

pub use show::check_row;

use crate::cases::show::somebody;
use crate::csrf::Form;
use crate::page::{Leaving, Shown, gated, page as html};
use crate::problem::Problem;
use crate::session::{SignedIn, Staff};
use crate::state::Web;
use crate::views::shell::Place;
use crate::views::verifications::{
    PayloadForm, PortalVerificationList, PortalVouch, VerificationList, VerificationNew, Vouch,
    VouchPage,
};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::json;
use show::{again, channels, one, wishes};
use warifu_app::AppError;
use warifu_domain::access::Permission;
use warifu_domain::verification::{Channel, Payload, Seen, Wish};
use warifu_domain::{CredentialId, PersonId, refusal};

/// What is asked for, from its name and the factor that it is about.
pub fn wish(key: &str, factor: Option<CredentialId>) -> Result<Wish, Problem> {
    let unknown = refusal!("verify-wish", "say whether all factors are reset, or which one goes");
    Wish::from_key(key, factor).ok_or_else(|| Problem::invalid("action", unknown))
}

/// No channel of that name.
pub fn wrong_channel() -> Problem {
    Problem::invalid("channel", refusal!("verify-channel", "say how the request reached the desk"))
}

/// `GET /verifications`
pub async fn list(State(web): State<Web>, who: SignedIn) -> Result<Response, Problem> {
    let lines = web.app.verifications(who.actor()).await?;
    let leaving = Leaving {
        route: "/verifications",
        organization: None,
        query: json!({}),
        ids: lines.iter().map(|l| l.person.0).collect(),
        shown: Shown::people(lines.iter().map(|l| l.person.0)),
    };
    let rows = lines.into_iter().map(|l| check_row(&web, &who, &l)).collect();
    let shell = who.shell(Place::Verifications, "").await?;
    match who.actor().is_staff() {
        true => gated(&web, &who, StatusCode::OK, leaving, VerificationList { shell, rows }).await,
        false => {
            gated(&web, &who, StatusCode::OK, leaving, PortalVerificationList { shell, rows }).await
        }
    }
}

#[derive(Deserialize)]
pub struct Whose {
    person: PersonId,
}

/// `GET /verifications/new?person=…`
pub async fn new(
    State(web): State<Web>,
    who: Staff,
    Query(whose): Query<Whose>,
) -> Result<Response, Problem> {
    who.actor().require(Permission::VerifyCallers).map_err(AppError::from)?;
    form(&web, &who, StatusCode::OK, whose.person, PayloadForm::default(), None).await
}

/// The form of a new check, with what was filled in.
async fn form(
    web: &Web,
    who: &Staff,
    status: StatusCode,
    person: PersonId,
    filled: PayloadForm,
    wanted: Option<&Asked>,
) -> Result<Response, Problem> {
    let lang = who.taste.lang;
    let view = web.app.person(who.actor(), person).await?;
    let factors = web.app.factors_of(who.actor(), person).await?;
    let names = factors.into_iter().map(|(id, _, name)| (id, name)).collect::<Vec<_>>();
    let page = VerificationNew {
        shell: who.shell(Place::Verifications, "").await?,
        who: somebody(person, view.person.record.display_name()),
        form: PayloadForm {
            wishes: wishes(lang, &names, wanted.map_or("", |w| w.wish.as_str())),
            channels: channels(lang, wanted.and_then(|w| Channel::from_key(&w.channel))),
            ..filled
        },
    };
    let leaving = Leaving {
        route: "/verifications/new",
        organization: Some(view.person.organization),
        query: json!({ "person": person }),
        ids: vec![person.0],
        shown: Shown::One(person, view.person.organization),
    };
    gated(web, who, status, leaving, page).await
}

/// What a caller asks for, as the form sends it.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    person: Option<PersonId>,
    /// `reset_factors` or `remove_factor:ID`.
    wish: String,
    channel: String,
    caller: String,
    reason: String,
}

impl Asked {
    fn payload(&self) -> Result<Payload, Problem> {
        let (key, factor) = match self.wish.split_once(':') {
            Some((key, id)) => (key, id.parse().ok().map(CredentialId)),
            None => (self.wish.as_str(), None),
        };
        Ok(Payload {
            person: self.person.ok_or_else(Problem::not_found)?,
            wish: wish(key, factor)?,
            caller: self.caller.clone(),
            channel: Channel::from_key(&self.channel).ok_or_else(wrong_channel)?,
            reason: self.reason.clone(),
        })
    }
}

/// `POST /verifications`
pub async fn request(
    State(web): State<Web>,
    who: Staff,
    Form(asked): Form<Asked>,
) -> Result<Response, Problem> {
    let person = asked.person.ok_or_else(Problem::not_found)?;
    let made = match asked.payload() {
        Ok(payload) => {
            web.app.request_verification(who.actor(), payload).await.map_err(Problem::from)
        }
        Err(problem) => Err(problem),
    };
    match made {
        Ok(id) => Ok(Redirect::to(&format!("/verifications/{id}")).into_response()),
        Err(Problem { status, detail: Some(what), .. })
            if matches!(status, StatusCode::UNPROCESSABLE_ENTITY | StatusCode::CONFLICT) =>
        {
            let filled = PayloadForm {
                caller: asked.caller.clone(),
                reason: asked.reason.clone(),
                problem: Some(who.taste.lang.refusal(&what)),
                ..PayloadForm::default()
            };
            form(&web, &who, status, person, filled, Some(&asked)).await
        }
        Err(problem) => Err(problem),
    }
}

/// `GET /verifications/{id}`
pub async fn check(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<i64>,
) -> Result<Response, Problem> {
    one(&web, &who, id, StatusCode::OK, None, None).await
}

/// Back to the check where a step was taken; the page with what is wrong where it was not.
async fn taken(
    web: &Web,
    who: &SignedIn,
    id: i64,
    step: Result<(), AppError>,
) -> Result<Response, Problem> {
    match step {
        Ok(()) => Ok(Redirect::to(&format!("/verifications/{id}")).into_response()),
        Err(e) => again(web, who, id, e).await,
    }
}

/// `POST /verifications/{id}/change`
pub async fn change(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<i64>,
    Form(asked): Form<Asked>,
) -> Result<Response, Problem> {
    let done = web.app.change_verification(who.actor(), id, asked.payload()?).await;
    taken(&web, &who, id, done).await
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Call {
    number: String,
    /// In the reader's zone.
    at: String,
}

/// `POST /verifications/{id}/call`
pub async fn call(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<i64>,
    Form(call): Form<Call>,
) -> Result<Response, Problem> {
    let at = match call.at.trim() {
        "" => Ok(None),
        text => show::moment(text, &who.zone, web.app.now()).map(Some),
    };
    let done = match at {
        Ok(at) => web.app.call_back(who.actor(), id, &call.number, at).await,
        Err(what) => Err(AppError::invalid("at", what)),
    };
    taken(&web, &who, id, done).await
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Looked {
    same_person: bool,
    moved: bool,
    unhurried: bool,
    colleague: String,
}

/// `POST /verifications/{id}/look`
pub async fn look(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<i64>,
    Form(l): Form<Looked>,
) -> Result<Response, Problem> {
    let seen = Seen { same_person: l.same_person, moved: l.moved, unhurried: l.unhurried };
    let done = web.app.look(who.actor(), id, seen, Some(&l.colleague)).await;
    taken(&web, &who, id, done).await
}

#[derive(Deserialize)]
pub struct Nothing {}

/// `POST /verifications/{id}/tally`
pub async fn tally(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<i64>,
    _: Form<Nothing>,
) -> Result<Response, Problem> {
    let done = web.app.begin_tally(who.actor(), id).await;
    taken(&web, &who, id, done).await
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Half {
    half: String,
}

/// `POST /verifications/{id}/half`
pub async fn half(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<i64>,
    Form(half): Form<Half>,
) -> Result<Response, Problem> {
    let done = web.app.agent_half(who.actor(), id, &half.half).await;
    taken(&web, &who, id, done).await
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Proof {
    step_up: Option<String>,
}

/// `POST /verifications/{id}/approve`
pub async fn approve(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<i64>,
    Form(proof): Form<Proof>,
) -> Result<Response, Problem> {
    let done = web.app.approve_verification(who.actor(), id, proof.step_up.as_deref()).await;
    taken(&web, &who, id, done).await
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Ending {
    attack: bool,
}

/// `POST /verifications/{id}/end`
pub async fn end(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<i64>,
    Form(ending): Form<Ending>,
) -> Result<Response, Problem> {
    let done = web.app.end_verification(who.actor(), id, ending.attack).await;
    taken(&web, &who, id, done).await
}

/// `POST /verifications/{id}/done`: the page that shows the one-time link, once.
pub async fn done(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<i64>,
    _: Form<Nothing>,
) -> Result<Response, Problem> {
    match web.app.finish_verification(who.actor(), id).await {
        Ok(finished) => {
            let origin = web.config.origin_text();
            let link = finished.invitation.map(|i| format!("{origin}/enrol/{}", i.token.text()));
            one(&web, &who, id, StatusCode::OK, None, link).await
        }
        Err(e) => again(&web, &who, id, e).await,
    }
}

/// `GET /verifications/{id}/vouch`
pub async fn vouching(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<i64>,
) -> Result<Response, Problem> {
    let v = web.app.vouching(who.actor(), id).await?;
    let parameters = crate::policy::parameters(&v.asks);
    let vouch = Vouch { id, name: v.name, agent: v.agent, done: v.done, parameters };
    let shell = who.shell(Place::Elsewhere, "").await?;
    match who.actor().is_staff() {
        true => html(VouchPage { shell, vouch }),
        false => html(PortalVouch { shell, vouch }),
    }
}

/// `POST /verifications/{id}/vouch`
pub async fn vouch(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<i64>,
    Form(proof): Form<Proof>,
) -> Result<Response, Problem> {
    web.app.vouch(who.actor(), id, proof.step_up.as_deref()).await?;
    Ok(Redirect::to(&format!("/verifications/{id}/vouch")).into_response())
}
