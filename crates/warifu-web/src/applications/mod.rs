//! Applications of the company: declaring them, and how people enter them.

pub mod edit;
pub mod enter;
pub mod verify;

use crate::i18n::Lang;
use crate::page::page as html;
use crate::problem::Problem;
use crate::session::Staff;
use crate::state::Web;
use crate::views::applications::{Applications, Row};
use crate::views::shell::Place;
use axum::extract::State;
use axum::response::Response;
use warifu_app::applications::Application;
use warifu_domain::access::Role;
use warifu_domain::applications::{Acr, Kind};
use warifu_domain::time::SECOND;

/// The message that names a role.
pub fn role(role: Role) -> &'static str {
    match role {
        Role::Agent => "role-agent",
        Role::Administrator => "role-administrator",
        Role::SuperAdministrator => "role-super-administrator",
        Role::Responder => "role-responder",
        Role::OrganizationAdministrator => "role-organization-administrator",
    }
}

/// The message that names the least proof.
pub fn proof(acr: Acr) -> &'static str {
    match acr {
        Acr::PhishingResistant => "application-phr",
        Acr::Hardware => "application-phrh",
    }
}

fn row(lang: Lang, a: Application) -> Row {
    Row {
        id: a.id.to_string(),
        client: a.kind == Kind::OpenId,
        place: match a.kind {
            Kind::ForwardAuth => a.origin,
            Kind::OpenId => a.redirect_uris.join(" "),
        },
        roles: a.entry.roles.iter().map(|r| lang.t(role(r))).collect(),
        proof: lang.t(proof(a.entry.acr)),
        max_age: a.entry.max_age.map(|m| lang.span(m / SECOND)),
        name: a.name,
    }
}

/// `GET /applications`
pub async fn list(State(web): State<Web>, me: Staff) -> Result<Response, Problem> {
    let lang = me.taste.lang;
    let found = web.app.applications(me.actor()).await?;
    html(Applications {
        shell: me.shell(Place::Applications, "").await?,
        rows: found.into_iter().map(|a| row(lang, a)).collect(),
    })
}
