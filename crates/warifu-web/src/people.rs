//! `/people`: pages of people, and one person's record with its versions.

pub mod way_in;

use crate::cases::show::{Show, somebody};
use crate::csrf::Form;
use crate::i18n::Lang;
use crate::lang::local;
use crate::page::{Leaving, Shown, gated};
use crate::problem::Problem;
use crate::session::{SignedIn, Staff, role_message};
use crate::state::Web;
use crate::views::cases::Pager;
use crate::views::markup::{Choice, Tone};
use crate::views::people::{FieldValue, PeopleList, PersonPage, PersonRow, Version};
use crate::views::shell::Place;
use crate::views::way_in::{ContactForm, OpenInvitation, WayIn};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::json;
use std::collections::HashMap;
use url::form_urlencoded::Serializer;
use warifu_app::people::NewContact;
use warifu_app::policy_changes::Proposed;
use warifu_app::way_in::WayIn as Known;
use warifu_domain::access::{Permission, Role, Roles};
use warifu_domain::people::{KnownPerson, Person};
use warifu_domain::{OrganizationId, PersonId, Refusal, Revision};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    q: String,
    organization: Option<OrganizationId>,
    after: Option<PersonId>,
}

/// People of a page.
const PAGE: usize = 50;

pub fn row(
    show: &Show<'_>,
    p: &KnownPerson,
    organization: &str,
    roles: Option<&Roles>,
) -> PersonRow {
    let roles = roles.copied().unwrap_or_default();
    PersonRow {
        who: somebody(p.id, p.record.display_name()),
        staff: roles.is_staff(),
        off: !p.active,
        email: p.record.email.clone().unwrap_or_default(),
        organization: organization.to_owned(),
        user_type: p.record.user_type.clone().unwrap_or_default(),
        role: show.lang.t(role_message(roles)),
        last_login: p.record.last_login.map(|t| show.ago(t)),
    }
}

pub async fn list(
    State(web): State<Web>,
    who: Staff,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let actor = who.actor();
    let show = Show::to(&web, &who);
    let after = asked.after.unwrap_or(PersonId(0));
    let (people, roles, names, next) = if asked.q.is_empty() {
        let page = web.app.people_page(actor, asked.organization, after, PAGE).await?;
        (page.people, page.roles, page.organizations, page.next)
    } else {
        actor.require(Permission::ReadPeople).map_err(warifu_app::AppError::from)?;
        let found = web.app.search(actor, &asked.q, PAGE).await?;
        let mut people = found.people;
        people.retain(|p| asked.organization.is_none_or(|o| o == p.organization));
        (people, HashMap::new(), found.names, None)
    };
    let name = |id: &OrganizationId| names.get(id).map_or("", String::as_str);
    let rows: Vec<PersonRow> =
        people.iter().map(|p| row(&show, p, name(&p.organization), roles.get(&p.id))).collect();
    let address = |after: Option<PersonId>| {
        let mut query = Serializer::new(String::new());
        if let Some(o) = asked.organization {
            query.append_pair("organization", &o.to_string());
        }
        if let Some(after) = after {
            query.append_pair("after", &after.to_string());
        }
        format!("/people?{}", query.finish())
    };
    let organization = match asked.organization {
        None => None,
        Some(o) => {
            let view = web.app.organization(actor, o).await?;
            Some(somebody(o, &view.line.organization.name))
        }
    };
    let leaving = Leaving {
        route: "/people",
        organization: asked.organization,
        query: json!({"q": asked.q, "organization": asked.organization, "after": after}),
        ids: people.iter().map(|p| p.id.0).collect(),
        shown: Shown::people(people.iter().map(|p| p.id.0)),
    };
    let list = PeopleList {
        shell: who.shell(Place::People, "").await?,
        q: asked.q,
        organization,
        pager: Pager {
            newer: asked.after.map(|_| address(None)),
            older: next.map(|n| address(Some(n))),
            shown: rows.len() as i64,
            total: None,
        },
        rows,
        import: actor.roles.allow(Permission::ImportPeople),
        add: actor.roles.allow(Permission::ManageRoles),
    };
    gated(&web, &who, StatusCode::OK, leaving, list).await
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct AsOf {
    revision: Option<Revision>,
}

/// The messages with the labels of the 15 fields, in report order.
const LABELS: [&str; 15] = [
    "field-created",
    "field-last-login",
    "field-full-name",
    "field-username",
    "field-email",
    "field-company",
    "field-user-type",
    "field-address",
    "field-password",
    "field-role-name",
    "field-role-description",
    "field-phone",
    "field-mobile",
    "field-time-zone",
    "field-saml",
];

fn fields(show: &Show<'_>, record: &Person) -> Vec<FieldValue> {
    let time = |t: Option<warifu_domain::Timestamp>| t.map(|t| show.at(t).text);
    let r = record;
    let values = [
        time(r.created_date),
        time(r.last_login),
        r.full_name.clone(),
        r.username.clone(),
        r.email.clone(),
        r.company_name.clone(),
        r.user_type.clone(),
        r.address.clone(),
        time(r.last_password_change),
        r.role_name.clone(),
        r.role_description.clone(),
        r.phone.clone(),
        r.mobile.clone(),
        r.time_zone.clone(),
        r.saml_federation_id.clone(),
    ];
    let field =
        |(label, value): (&str, Option<String>)| FieldValue { label: show.lang.t(label), value };
    LABELS.into_iter().zip(values).map(field).collect()
}

pub async fn person(
    State(web): State<Web>,
    who: Staff,
    Path(id): Path<PersonId>,
    Query(as_of): Query<AsOf>,
) -> Result<Response, Problem> {
    shown(&web, &who, id, as_of.revision, None).await
}

/// What was typed as somebody's contact, and what is wrong with it.
struct Wrong {
    typed: NewContact,
    what: Refusal,
}

/// The page of a person, as of a revision or as it is now.
async fn shown(
    web: &Web,
    who: &Staff,
    id: PersonId,
    as_of: Option<Revision>,
    wrong: Option<Wrong>,
) -> Result<Response, Problem> {
    let status = match wrong {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    let view = web.app.person(who.actor(), id).await?;
    let show = Show::to(web, who);
    let lang = show.lang;
    let newest = view.versions.first().map(|v| v.revision);
    let shown = as_of.or(newest);
    let label = |field: &&str| {
        let place = warifu_domain::people::FIELD_LABELS.iter().position(|l| l == field);
        place.and_then(|i| LABELS.get(i)).map_or_else(|| (*field).to_owned(), |l| lang.t(l))
    };
    let versions: Vec<Version> = view
        .versions
        .iter()
        .map(|v| Version {
            revision: v.revision.0,
            at: v.at.map(|t| show.at(t)).unwrap_or_default(),
            who: String::new(),
            changed: v.changed.iter().map(label).collect(),
            href: format!("/people/{id}?revision={}", v.revision),
            current: Some(v.revision) == shown,
        })
        .collect();
    let version = view.versions.iter().find(|v| Some(v.revision) == shown);
    let version = version.ok_or_else(Problem::not_found)?;
    let as_of = (shown != newest).then(|| versions.iter().find(|v| v.current).cloned()).flatten();
    let none = HashMap::new();
    let may = |permission| as_of.is_none() && who.actor().roles.allow(permission);
    let may_change = view.person.active && may(Permission::ManageRoles);
    let way = match may(Permission::Invite) {
        true => Some(web.app.way_in(who.actor(), id).await?),
        false => None,
    };
    let contact = way.as_ref().filter(|w| w.may && may(Permission::ChangePeople)).map(|w| {
        let key = w.ever || !view.roles.is_empty();
        contact_form(lang, &version.person.record, key, wrong)
    });
    let verify = view.person.active
        && who.actor().roles.allow(Permission::VerifyCallers)
        && who.actor().person != id;
    let way_in = way.map(|w| way_in_part(&show, who, id, w));
    let page = PersonPage {
        shell: who.shell(Place::People, "").await?,
        who: somebody(id, version.person.record.display_name()),
        staff: view.roles.is_staff(),
        organization: somebody(view.person.organization, &view.organization.name),
        fields: fields(&show, &version.person.record),
        as_of,
        versions,
        cases: view.cases.iter().map(|c| show.row(c, &none, &view.organization.name)).collect(),
        roles: match may_change {
            true => choices(lang, view.roles, view.organization.vendor),
            false => Vec::new(),
        },
        verify,
        contact,
        way_in,
    };
    let leaving = Leaving {
        route: "/people/{id}",
        organization: Some(view.person.organization),
        query: json!({"id": id, "revision": shown}),
        ids: vec![id.0],
        shown: Shown::One(id, view.person.organization),
    };
    gated(web, who, status, leaving, page).await
}

fn contact_form(lang: Lang, record: &Person, key: bool, wrong: Option<Wrong>) -> ContactForm {
    if let Some(Wrong { typed, what }) = wrong {
        let NewContact { username, email, phone, mobile } = typed;
        let wrong = Some(lang.refusal(&what));
        return ContactForm { username, email, phone, mobile, key, wrong };
    }
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    ContactForm {
        username: text(&record.username),
        email: text(&record.email),
        phone: text(&record.phone),
        mobile: text(&record.mobile),
        key,
        wrong: None,
    }
}

fn way_in_part(show: &Show<'_>, who: &Staff, id: PersonId, way: Known) -> WayIn {
    let lang = show.lang;
    let (state, tone) = match (way.active, way.factors, way.ever) {
        (false, ..) => (lang.t("way-in-off-now"), Tone::Bad),
        (true, 0, false) => (lang.t("way-in-none"), Tone::Plain),
        (true, 0, true) => (lang.t("way-in-lost"), Tone::Warn),
        (true, n, _) => (lang.t_args("way-in-factors", &[("n", &n)]), Tone::Ok),
    };
    WayIn {
        state,
        tone,
        used: way.used_at.map(|t| show.ago(t)),
        invitation: way.invitation.map(|open| OpenInvitation {
            by: open.by,
            until: show.at(open.expires_at),
            opened: open.opened,
            withdraw: way.may,
        }),
        invite: way.may && way.active && !way.ever,
        check: way.active && way.ever && way.factors == 0,
        switch: (way.may && who.actor().person != id).then_some(if way.active {
            "off"
        } else {
            "on"
        }),
    }
}

/// The roles that somebody of the vendor or of a customer may have.
fn choices(lang: Lang, held: Roles, vendor: bool) -> Vec<Choice> {
    let fitting = Role::ALL.into_iter().filter(|role| role.is_staff() == vendor);
    let choice = |role: Role| {
        let name = lang.t(role_message(Roles::default().with(role)));
        Choice::new(role.key(), name, held.has(role))
    };
    fitting.map(choice).collect()
}

/// Body of `POST /people/{id}/roles`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Chosen {
    role: Vec<String>,
    step_up: Option<String>,
}

/// `POST /people/{id}/roles`: exactly the roles that are ticked.
pub async fn roles(
    State(web): State<Web>,
    who: Staff,
    Path(id): Path<PersonId>,
    Form(chosen): Form<Chosen>,
) -> Result<Response, Problem> {
    let known = |key: &String| Role::from_key(key).ok_or_else(Problem::not_found);
    let roles = chosen.role.iter().map(known).collect::<Result<Roles, _>>()?;
    let next = match web.app.change_roles(who.actor(), id, roles, chosen.step_up.as_deref()).await?
    {
        Proposed::Done => format!("/people/{id}"),
        Proposed::Waiting(_) => "/approvals".to_owned(),
    };
    Ok(Redirect::to(&next).into_response())
}

/// Body of `POST /people/read-on`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct ReadOn {
    people: u64,
    next: String,
    step_up: Option<String>,
}

/// `POST /people/read-on`: more people are shown, and the page that was asked for.
pub async fn read_on(
    State(web): State<Web>,
    who: SignedIn,
    Form(asked): Form<ReadOn>,
) -> Result<Response, Problem> {
    web.app.read_on(who.actor(), asked.people, asked.step_up.as_deref()).await?;
    Ok(Redirect::to(local(&asked.next)).into_response())
}
