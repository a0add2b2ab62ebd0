//! Who is behind a request: [`SignedIn`], [`Staff`], [`Customer`] as extractors.
//!
//! A handler that takes one of them does not run for anybody else. What the person may do is
//! still the use case's question (`Actor::require`).

use crate::assets;
use crate::lang::{self, Taste, cookie};
use crate::network;
use crate::problem::{Problem, wants_json};
use crate::service;
use crate::state::Web;
use crate::views::markup;
use crate::views::shell::{Me, Nav, Place, ScriptKey, SessionLeft, Shell, ViewLink};
use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::header::{ACCEPT, REFRESH, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{Html, IntoResponse, Redirect, Response};
use jiff::tz::TimeZone;
use std::ops::Deref;
use std::sync::Arc;
use url::form_urlencoded::byte_serialize;
use warifu_app::devices::Bound;
use warifu_app::sessions::{OpenSession, Use};
use warifu_auth::{DEVICE_COOKIE, SessionPolicy, Token, Verdict};
use warifu_domain::access::{Actor, Permission, Role, Roles};
use warifu_domain::factors::Factor;
use warifu_domain::time::SECOND;

pub use warifu_auth::SESSION_COOKIE as COOKIE;

/// The cookie of a new session. It goes with the browser window; the server knows when it ends.
pub fn session_cookie(token: &Token) -> String {
    format!("{COOKIE}={}; Path=/; Secure; HttpOnly; SameSite=Lax", token.text())
}

/// Takes the cookie away.
pub fn no_cookie() -> String {
    format!("{COOKIE}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax")
}

/// Somebody with a session that holds.
#[derive(Clone)]
pub struct SignedIn {
    pub session: Arc<OpenSession>,
    pub taste: Taste,
    /// Path and query of the request.
    pub here: String,
    /// In which times are shown: UTC for staff, so that two of them speak of the same minute; for
    /// customers their own.
    pub zone: TimeZone,
    web: Web,
}

/// Somebody of the vendor. For others the page does not exist.
#[derive(Clone)]
pub struct Staff(pub SignedIn);

/// A customer's user. For others the page does not exist.
#[derive(Clone)]
pub struct Customer(pub SignedIn);

impl Deref for Staff {
    type Target = SignedIn;
    fn deref(&self) -> &SignedIn {
        &self.0
    }
}

impl Deref for Customer {
    type Target = SignedIn;
    fn deref(&self) -> &SignedIn {
        &self.0
    }
}

impl SignedIn {
    fn new(session: OpenSession, zone: TimeZone, parts: &Parts, web: &Web) -> SignedIn {
        SignedIn {
            zone,
            session: Arc::new(session),
            taste: Taste::of(parts.uri.query(), &parts.headers),
            here: parts.uri.path_and_query().map(|p| p.to_string()).unwrap_or_default(),
            web: web.clone(),
        }
    }

    pub fn actor(&self) -> &Actor {
        &self.session.actor
    }

    fn policy(&self) -> &SessionPolicy {
        &self.session.policy
    }

    /// What `assets/device.js` has to do.
    pub fn device(&self) -> ScriptKey {
        match &self.session.bound {
            Bound::Not { may_register: true } => ScriptKey::Register(self.session.device_name()),
            Bound::Script(_) => ScriptKey::Sign(self.session.device_name()),
            Bound::Not { may_register: false } | Bound::Browser => ScriptKey::Nothing,
        }
    }

    /// The frame of a page at a place of the navigation. `view` is the view of the desk in use
    /// (`mine`, `unassigned`, `active`, `waiting`), or empty.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn shell(&self, place: Place, view: &str) -> Result<Shell, Problem> {
        let actor = self.actor();
        let lang = self.taste.lang;
        let counts = self.web.app.nav_counts(actor).await?;
        let may = |permission| actor.roles.allow(permission);
        let link = |name: &'static str, icon: &'static str, count: i64| ViewLink {
            href: format!("/cases?view={name}"),
            label: lang.t(format!("view-{name}")),
            icon,
            count: Some(count),
            current: place == Place::Cases && view == name,
        };
        let views = if may(Permission::WorkCases) {
            vec![
                link("mine", "inbox", counts.mine),
                link("unassigned", "st-new", counts.unassigned),
                link("active", "st-open", counts.active),
                link("waiting", "st-wait", counts.waiting),
            ]
        } else {
            Vec::new()
        };
        let administration = |permission, href: &str, id: &str, icon, at| {
            may(permission).then(|| ViewLink {
                href: href.into(),
                label: lang.t(id),
                icon,
                count: None,
                current: place == at,
            })
        };
        let more = [
            administration(Permission::ReadPolicies, "/policy", "policy", "sliders", Place::Policy),
            administration(
                Permission::ManageSessions,
                "/sessions",
                "sessions",
                "laptop",
                Place::Sessions,
            ),
            administration(
                Permission::ManageApplications,
                "/applications",
                "applications",
                "globe",
                Place::Applications,
            ),
            administration(
                Permission::ManageSignIn,
                "/identity-providers",
                "providers",
                "key",
                Place::IdentityProviders,
            ),
            administration(
                Permission::ManageRoles,
                "/service-accounts",
                "services",
                "key",
                Place::Services,
            ),
        ];
        // In the portal.
        let own = |href: &str, id: &str, icon, at| match actor.is_staff() {
            true => None,
            false => administration(Permission::ReadOwnOrganization, href, id, icon, at),
        };
        let access = own("/portal/access", "seen", "eye", Place::PortalAccess);
        let security = own("/security", "security", "shield", Place::PortalSecurity);
        let checks = may(Permission::VerifyCallers) || may(Permission::ApproveResets);
        let checks = checks.then(|| ViewLink {
            href: "/verifications".into(),
            label: lang.t("checks-title"),
            icon: "video",
            count: None,
            current: place == Place::Verifications,
        });
        let organization = (!actor.is_staff()).then(|| self.session.organization_name.clone());
        Ok(Shell {
            lang,
            theme: self.taste.theme,
            installation: self.web.app.config.name.clone(),
            csrf: self.session.csrf.clone(),
            zone: self.zone.iana_name().unwrap_or("UTC").to_owned(),
            here: self.here.clone(),
            device: self.device(),
            me: Some(Me {
                name: actor.name.clone(),
                role: lang.t(role_message(actor.roles)),
                initials: markup::initials(&actor.name),
                organization,
                password: self.session.factor == Factor::Password && !actor.roles.is_service(),
            }),
            session: Some(SessionLeft {
                network: self.session.network.clone(),
                device_bound: matches!(self.session.bound, Bound::Browser),
                device_signs: matches!(self.session.bound, Bound::Script(_)),
                left: self.session.left / SECOND,
                lifetime: self.policy().lifetime / SECOND,
                idle_left: self.session.idle_left / SECOND,
                idle_limit: self.policy().idle / SECOND,
            }),
            nav: Nav {
                place,
                views,
                people: may(Permission::ReadPeople),
                // People files are imported on the command line; there is no page for it.
                import: false,
                reports: may(Permission::RunReports),
                ledger: may(Permission::ReadLedger),
                incidents: counts.incidents,
                portal_cases: counts.portal,
                notices: counts.notices,
                more: more.into_iter().chain([access, security]).flatten().chain(checks).collect(),
                decisions: counts.approvals + counts.decisions,
                decisions_href: if counts.approvals > 0 { "/approvals" } else { "/verifications" }
                    .into(),
            },
            flash: None,
        })
    }
}

/// The message that names the strongest of somebody's roles.
pub fn role_message(roles: Roles) -> &'static str {
    let strongest = [
        (Role::SuperAdministrator, "role-super-administrator"),
        (Role::Administrator, "role-administrator"),
        (Role::Responder, "role-responder"),
        (Role::Agent, "role-agent"),
        (Role::OrganizationAdministrator, "role-organization-administrator"),
    ];
    strongest.into_iter().find(|(r, _)| roles.has(*r)).map_or("role-customer", |(_, id)| id)
}

/// Where somebody begins.
pub fn home(roles: Roles) -> &'static str {
    match (roles.allow(Permission::WorkCases), roles.is_staff()) {
        (true, _) => "/cases",
        (false, true) => "/incidents",
        (false, false) => "/portal/cases",
    }
}

/// Why a request has no session: to sign-in for people, 401 for programs and scripts.
#[derive(Debug)]
pub enum NoSession {
    SignIn(String),
    /// The same page again, this time asked for by one of ours.
    Again(String),
    Unauthorized,
    Broken(Problem),
}

impl IntoResponse for NoSession {
    fn into_response(self) -> Response {
        match self {
            NoSession::SignIn(to) => Redirect::to(&to).into_response(),
            NoSession::Again(here) => {
                let headers = [(REFRESH, format!("0; url={here}"))];
                let icon = assets::url("mark.svg");
                let page = format!(
                    "<!doctype html><title>Warifu</title><link rel=\"icon\" href=\"{icon}\">"
                );
                (headers, Html(page)).into_response()
            }
            NoSession::Unauthorized => {
                Problem::new(StatusCode::UNAUTHORIZED, "unauthorized").into_response()
            }
            // RFC 9449 §7.1: what a program may try again with.
            NoSession::Broken(problem)
                if problem.status == StatusCode::UNAUTHORIZED
                    && problem.name.starts_with("service-") =>
            {
                let asked = [(WWW_AUTHENTICATE, "DPoP algs=\"ES256 EdDSA\"")];
                (asked, problem).into_response()
            }
            NoSession::Broken(problem) => problem.into_response(),
        }
    }
}

/// Polling, event streams and what a page loads by itself keep no session alive.
fn by_hand(headers: &HeaderMap) -> bool {
    let stream = headers
        .get(ACCEPT)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|v| v.contains("text/event-stream"));
    let marked = ["x-warifu-quiet", "x-warifu-background"].iter().any(|n| headers.contains_key(*n));
    !stream && !marked
}

/// Whether somebody follows a link of another site. Browsers fetch the next cookie of a bound session
/// only for what a page of ours asks for.
fn from_elsewhere(parts: &Parts) -> bool {
    let site = parts.headers.get("sec-fetch-site").and_then(|v| v.to_str().ok());
    parts.method == Method::GET && matches!(site, Some("cross-site" | "same-site"))
}

fn no_session(parts: &Parts, why: Option<Verdict>) -> NoSession {
    let path = parts.uri.path();
    if wants_json(path, &parts.headers) || !by_hand(&parts.headers) {
        return NoSession::Unauthorized;
    }
    if why == Some(Verdict::OtherDevice) && from_elsewhere(parts) {
        return NoSession::Again(
            parts.uri.path_and_query().map(|p| p.to_string()).unwrap_or_default(),
        );
    }
    NoSession::SignIn(sign_in_address(&parts.method, &parts.uri, why))
}

/// `/sign-in?next=…&why=…`. Only what was asked for with GET can be gone on with.
fn sign_in_address(method: &Method, uri: &Uri, why: Option<Verdict>) -> String {
    let mut to = String::from("/sign-in");
    let mut separator = '?';
    if method == Method::GET
        && uri.path() != "/"
        && let Some(next) = uri.path_and_query()
    {
        to.push_str("?next=");
        to.extend(byte_serialize(next.as_str().as_bytes()));
        separator = '&';
    }
    let why = match why {
        Some(Verdict::Idle) => "idle",
        Some(Verdict::Over) => "over",
        Some(Verdict::Moved) => "moved",
        Some(Verdict::Ended | Verdict::TooWeak) => "ended",
        Some(Verdict::OtherDevice) => "device",
        Some(Verdict::Open { .. }) | None => return to,
    };
    to.push(separator);
    to.push_str("why=");
    to.push_str(why);
    to
}

impl FromRequestParts<Web> for SignedIn {
    type Rejection = NoSession;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, NoSession> {
        // A body's check and the handler both ask; the database is asked once.
        if let Some(known) = parts.extensions.get::<SignedIn>() {
            return Ok(known.clone());
        }
        // Whoever shows a token is the program that it is of, or nobody.
        if service::is_program(&parts.headers) {
            let session = service::session(parts, web).await.map_err(NoSession::Broken)?;
            let signed_in = SignedIn::new(session, TimeZone::UTC, parts, web);
            parts.extensions.insert(signed_in.clone());
            return Ok(signed_in);
        }
        let Some(token) = cookie(&parts.headers, COOKIE) else {
            return Err(no_session(parts, None));
        };
        let network = network::of(&parts.extensions);
        let device = cookie(&parts.headers, DEVICE_COOKIE);
        let by = Use { network: &network, by_hand: by_hand(&parts.headers), device };
        let found = web.app.session(token, by, &web.config.sessions).await;
        let session = match found {
            Ok(Ok(session)) => session,
            Ok(Err(verdict)) => return Err(no_session(parts, Some(verdict))),
            Err(e) => return Err(NoSession::Broken(e.into())),
        };
        let zone = match session.actor.is_staff() {
            true => None,
            false => lang::zone(&parts.headers, session.time_zone.as_deref()),
        };
        let signed_in = SignedIn::new(session, zone.unwrap_or(TimeZone::UTC), parts, web);
        parts.extensions.insert(signed_in.clone());
        Ok(signed_in)
    }
}

/// `Option<SignedIn>`: a page for everybody that looks different when somebody is signed in.
impl OptionalFromRequestParts<Web> for SignedIn {
    type Rejection = NoSession;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Option<Self>, NoSession> {
        match <SignedIn as FromRequestParts<Web>>::from_request_parts(parts, web).await {
            Ok(signed_in) => Ok(Some(signed_in)),
            Err(NoSession::Broken(problem)) => Err(NoSession::Broken(problem)),
            Err(_) => Ok(None),
        }
    }
}

/// Nobody's page: the same answer as for one that does not exist.
fn elsewhere() -> NoSession {
    NoSession::Broken(Problem::not_found())
}

impl FromRequestParts<Web> for Staff {
    type Rejection = NoSession;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, NoSession> {
        let signed_in = <SignedIn as FromRequestParts<Web>>::from_request_parts(parts, web).await?;
        if signed_in.actor().is_staff() { Ok(Staff(signed_in)) } else { Err(elsewhere()) }
    }
}

impl FromRequestParts<Web> for Customer {
    type Rejection = NoSession;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, NoSession> {
        let signed_in = <SignedIn as FromRequestParts<Web>>::from_request_parts(parts, web).await?;
        if signed_in.actor().is_staff() { Err(elsewhere()) } else { Ok(Customer(signed_in)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coming_back_after_sign_in() {
        let uri = |text: &'static str| Uri::from_static(text);
        let get = |u, why| sign_in_address(&Method::GET, &uri(u), why);
        assert_eq!(get("/cases?view=mine", None), "/sign-in?next=%2Fcases%3Fview%3Dmine");
        assert_eq!(get("/", None), "/sign-in");
        assert_eq!(get("/", Some(Verdict::Idle)), "/sign-in?why=idle");
        assert_eq!(get("/cases", Some(Verdict::Over)), "/sign-in?next=%2Fcases&why=over");
        let post = sign_in_address(&Method::POST, &uri("/cases/HC-1/reply"), None);
        assert_eq!(post, "/sign-in");
    }

    #[test]
    fn everybody_has_a_home() {
        let of = |role| home(Roles::default().with(role));
        assert_eq!(of(Role::Agent), "/cases");
        assert_eq!(of(Role::SuperAdministrator), "/cases");
        assert_eq!(of(Role::Responder), "/incidents");
        assert_eq!(of(Role::OrganizationAdministrator), "/portal/cases");
        assert_eq!(home(Roles::default()), "/portal/cases");
    }
}
