//! Every route of the server, one line each.

use crate::around::around;
use crate::state::Web;
use crate::{
    account, api, applications, attachments, cases, certificates, device, headers,
    identity_providers, incidents, lang, ledger, live, openid, organizations, people, policy,
    portal, problem, reports, runs, search, service, services, sign_in, step_up, verifications,
};
use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::{delete, get, patch, post, put};
use std::time::Duration;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::timeout::TimeoutLayer;

/// How long an ordinary request may take until its answer begins.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The whole server.
pub fn router(web: Web) -> Router {
    let timeout = TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, PATIENCE);
    let pages = Router::new()
        .merge(sign_in())
        .merge(applications())
        .merge(cases())
        .merge(portal())
        .merge(people())
        .merge(policies())
        .merge(reports())
        .merge(runs())
        .merge(ledger())
        .merge(incidents())
        .merge(verifications())
        .merge(api())
        .layer(timeout);
    let routes = Router::new()
        .merge(pages)
        .merge(transfers())
        .merge(assets())
        .fallback(|| async { problem::Problem::not_found() })
        .layer(CatchPanicLayer::custom(problem::panicked))
        .layer(from_fn_with_state(web.clone(), around))
        .with_state(web.clone());
    // Asked before every request to every application: it does without what stands around the others.
    let verify = get(applications::verify::verify).fallback(applications::verify::not_this_way);
    let verify = Router::new().route(applications::verify::PATH, verify);
    verify.with_state(web).fallback_service(routes)
}

/// Sign-in, enrolment, one's own account.
fn sign_in() -> Router<Web> {
    Router::new()
        .route("/", get(sign_in::start))
        .route("/sign-in", get(sign_in::page))
        .route("/sign-in/options", post(sign_in::options))
        .route("/sign-in/verify", post(sign_in::verify))
        .route("/sign-in/certificate", get(certificates::signed_in).post(certificates::sign_in))
        .route("/enrol/certificate", get(certificates::enrolled).post(certificates::enrol))
        .route("/step-up/certificate", get(certificates::stepped_up))
        .route("/sign-in/password", get(sign_in::password::page).post(sign_in::password::sign_in))
        .route(
            "/enrol/{invitation}/password",
            get(sign_in::password::choose).post(sign_in::password::chosen),
        )
        .route("/sign-in/oidc/callback", get(sign_in::provider::callback))
        .route("/sign-in/oidc/{provider}", get(sign_in::provider::sign_in))
        .route("/oidc/backchannel-logout", post(sign_in::provider::back_channel))
        .route("/enrol/{invitation}/oidc/{provider}", get(sign_in::provider::enrol))
        .route("/identity-providers", get(identity_providers::list).post(identity_providers::add))
        .route("/identity-providers/{id}/switch", post(identity_providers::switch))
        .route("/identity-providers/{id}/remove", post(identity_providers::remove))
        .route("/oauth/token", post(service::token))
        .route("/service-accounts", get(services::list).post(services::create))
        .route("/service-accounts/{id}/revoke", post(services::revoke))
        .route("/sign-out", post(sign_in::out::sign_out))
        .route(device::REGISTER, post(device::register))
        .route(device::REFRESH, post(device::refresh))
        .route("/device/nonce", post(device::nonce))
        .route(device::KEY, post(device::key))
        .route("/signed-out", get(sign_in::out::signed_out))
        .route("/step-up/options", post(step_up::options))
        .route("/step-up/verify", post(step_up::verify))
        .route("/step-up/oidc", get(sign_in::provider::step_up))
        .route("/enrol/options", post(sign_in::enrol::options))
        .route("/enrol/verify", post(sign_in::enrol::verify))
        .route("/enrol/{invitation}", get(sign_in::enrol::page))
        .route("/account/passkeys", get(account::passkeys::page))
        .route("/account/passkeys/{id}/remove", post(account::passkeys::remove))
        .route("/account/password", get(account::password::page).post(account::password::change))
        .route("/account/password/codes", post(account::password::codes))
        .route("/account/password/codes/first", post(account::password::first_code))
        .route("/account/sessions", get(account::sessions::mine))
        .route("/account/notices", get(account::notices::page))
        .route("/account/notices/seen", post(account::notices::seen))
        .route("/sessions", get(account::sessions::list))
        .route("/sessions/{person}/end", post(account::sessions::end_all))
        .route("/sessions/{person}/{session}/end", post(account::sessions::end))
        .route("/preferences", post(lang::preferences))
        .route("/session/stay", post(account::stay))
        .route("/healthz", get(healthz))
}

/// Applications of the company, and how people enter them.
fn applications() -> Router<Web> {
    use applications::{edit, enter};
    Router::new()
        .route("/applications", get(applications::list))
        .route("/applications/new", get(edit::form).post(edit::add))
        .route("/applications/{id}", get(edit::page).post(edit::change))
        .route("/applications/{id}/remove", post(edit::remove))
        .route("/applications/{id}/secret", post(edit::renew_secret))
        .route("/applications/{id}/enter", get(enter::enter))
        .route("/.warifu/start", get(enter::start))
        .route("/.warifu/callback", get(enter::callback))
        .route("/.well-known/openid-configuration", get(openid::configuration))
        .route("/openid/keys", get(openid::keys))
        .route("/openid/authorize", get(openid::authorize::authorize))
        .route("/openid/token", post(openid::token::token))
        .route("/openid/userinfo", get(openid::token::userinfo).post(openid::token::userinfo))
        .route("/openid/end-session", get(openid::end_session::end_session))
}

/// The console of the desk.
fn cases() -> Router<Web> {
    Router::new()
        .route("/cases", get(cases::list::list))
        .route("/cases/bulk", post(cases::bulk::bulk))
        .route("/cases/new", get(cases::new::form).post(cases::new::create))
        .route("/cases/{reference}", get(cases::case::case))
        .route("/cases/{reference}/properties", post(cases::properties::properties))
        .route("/search", get(search::search))
        .route("/palette", get(search::palette))
        .route("/shortcuts", get(search::shortcuts))
}

/// The customers' portal.
fn portal() -> Router<Web> {
    Router::new()
        .route("/portal/cases", get(portal::cases::cases))
        .route("/portal/cases/new", get(portal::new::form))
        .route("/portal/cases/{reference}", get(portal::case::case))
        .route("/portal/cases/{reference}/close", post(portal::case::close))
        .route("/portal/access", get(portal::access::page))
        .route("/security", get(portal::security::page))
        .route("/security/sessions", get(portal::security::sessions))
        .route("/security/{feature}", post(portal::security::choose))
}

/// People, organizations, import.
fn people() -> Router<Web> {
    Router::new()
        .route("/people", get(people::list))
        .route("/people/new", get(people::way_in::new).post(people::way_in::add))
        .route("/people/read-on", post(people::read_on))
        .route("/people/{id}", get(people::person))
        .route("/people/{id}/roles", post(people::roles))
        .route("/people/{id}/contact", post(people::way_in::contact))
        .route("/people/{id}/invite", post(people::way_in::invite))
        .route("/people/{id}/withdraw", post(people::way_in::withdraw))
        .route("/people/{id}/standing", post(people::way_in::standing))
        .route("/organizations", get(organizations::list))
        .route("/organizations/{id}", get(organizations::organization))
}

/// Sign-in and session policy, and what waits for a second person.
fn policies() -> Router<Web> {
    use api::policies;
    use policy::approvals;
    Router::new()
        .route("/policy", get(policy::policy))
        .route("/policy/review", post(policy::review))
        .route("/policy/apply", post(policy::apply))
        .route("/approvals", get(approvals::list))
        .route("/approvals/{id}/agree", post(approvals::agree))
        .route("/approvals/{id}/refuse", post(approvals::refuse))
        .route("/api/v1/policies", get(policies::policies).post(policies::change))
        .route("/api/v1/policies/review", post(policies::review))
        .route("/api/v1/approvals", get(policies::approvals))
        .route("/api/v1/approvals/{id}", post(policies::decide))
}

/// Report definitions.
fn reports() -> Router<Web> {
    Router::new()
        .route("/reports", get(reports::list))
        .route("/reports/new", get(reports::new))
        .route("/reports/build", post(reports::build))
        .route("/reports/{id}", get(reports::edit))
}

/// Runs of reports, and their replay.
fn runs() -> Router<Web> {
    Router::new()
        .route("/runs", get(runs::list))
        .route("/runs/{id}", get(runs::run))
        .route("/runs/{id}/cancel", post(runs::cancel))
        .route("/runs/{id}/replay", get(runs::replay).post(runs::start_replay))
        .route("/runs/{id}/replay/cancel", post(runs::cancel_replay))
}

/// The export ledger.
fn ledger() -> Router<Web> {
    Router::new()
        .route("/ledger", get(ledger::ledger))
        .route("/ledger/verify", post(ledger::verify))
        .route("/ledger/checkpoint", get(ledger::checkpoint))
        .route("/ledger/key", get(ledger::key))
        .route("/ledger/tile/{*path}", get(ledger::tile))
        .route("/ledger/{number}", get(ledger::entry))
        .route("/ledger/{number}/proof", get(ledger::proof))
}

/// Incidents, telemetry, matches, exposure.
fn incidents() -> Router<Web> {
    Router::new()
        .route("/incidents", get(incidents::list))
        .route("/incidents/new", get(incidents::new).post(incidents::create))
        .route("/incidents/{reference}", get(incidents::room))
        .route("/incidents/{reference}/close", post(incidents::close))
        .route("/incidents/{reference}/downloads", post(incidents::record))
        .route("/incidents/{reference}/downloads/{id}/search", post(incidents::search))
        .route("/incidents/{reference}/downloads/{id}/cancel", post(incidents::cancel))
        .route("/incidents/{reference}/downloads/{id}/guess", post(incidents::guess))
}

/// Checks of callers, and what people without a session do in them.
fn verifications() -> Router<Web> {
    use verifications::{self as checks, public};
    Router::new()
        .route("/verifications", get(checks::list).post(checks::request))
        .route("/verifications/new", get(checks::new))
        .route("/verifications/{id}", get(checks::check))
        .route("/verifications/{id}/change", post(checks::change))
        .route("/verifications/{id}/call", post(checks::call))
        .route("/verifications/{id}/look", post(checks::look))
        .route("/verifications/{id}/vouch", get(checks::vouching).post(checks::vouch))
        .route("/verifications/{id}/tally", post(checks::tally))
        .route("/verifications/{id}/half", post(checks::half))
        .route("/verifications/{id}/approve", post(checks::approve))
        .route("/verifications/{id}/end", post(checks::end))
        .route("/verifications/{id}/done", post(checks::done))
        .route("/verify", get(public::code))
        .route("/verify/{code}", get(public::caller).post(public::caller_half))
        .route("/verify/stop/{id}/{token}", get(public::stop_page).post(public::stop))
        .route("/recover", get(public::recover_page).post(public::recover))
        .route("/account/recovery", get(account::recovery::page))
        .route("/account/recovery/codes", post(account::recovery::codes))
        .route("/account/recovery/stop", post(account::recovery::stop))
}

/// The same for programs.
fn api_verifications() -> Router<Web> {
    use api::verifications as checks;
    Router::new()
        .route("/api/v1/verifications", get(checks::list).post(checks::request))
        .route("/api/v1/verifications/{id}", get(checks::one).put(checks::change))
        .route("/api/v1/verifications/{id}/call", post(checks::call))
        .route("/api/v1/verifications/{id}/look", post(checks::look))
        .route("/api/v1/verifications/{id}/vouch", get(checks::vouching).post(checks::vouch))
        .route("/api/v1/verifications/{id}/tally", post(checks::tally).put(checks::half))
        .route("/api/v1/verifications/{id}/approval", post(checks::approve))
        .route("/api/v1/verifications/{id}/end", post(checks::end))
        .route("/api/v1/verifications/{id}/stop", post(checks::stop))
        .route("/api/v1/verifications/{id}/done", post(checks::done))
        .route("/api/v1/recovery-codes", get(checks::codes_left).post(checks::make_codes))
}

/// For programs.
fn api() -> Router<Web> {
    Router::new()
        .route("/api/v1/openapi.json", get(api::openapi))
        .merge(api_desk())
        .merge(api_verifications())
        .merge(api_evidence())
}

/// Session, cases, people, organizations.
fn api_desk() -> Router<Web> {
    use api::{
        accesses, applications, cases, identity_providers as providers, messages, organizations,
        password, people, security, session, sessions, way_in,
    };
    Router::new()
        .route("/api/v1/session", get(session::session).delete(session::sign_out))
        .route("/api/v1/passkeys", get(session::passkeys))
        .route("/api/v1/passkeys/{id}", delete(session::remove_passkey))
        .route("/api/v1/password", post(password::change))
        .route("/api/v1/password/codes", post(password::begin).put(password::finish))
        .route("/api/v1/sessions", get(sessions::list))
        .route("/api/v1/notices", get(sessions::notices))
        .route("/api/v1/notices/seen", post(sessions::see_notices))
        .route("/api/v1/people/{id}/sessions", delete(sessions::end_all))
        .route("/api/v1/people/{id}/sessions/{session}", delete(sessions::end))
        .route("/api/v1/people/{id}/roles", put(sessions::roles))
        .route("/api/v1/people/{id}/way-in", get(way_in::way_in))
        .route("/api/v1/people/{id}/invitation", post(way_in::invite).delete(way_in::withdraw))
        .route("/api/v1/people/{id}/standing", put(way_in::switch))
        .route("/api/v1/colleagues", post(way_in::add))
        .route("/api/v1/applications", get(applications::list).post(applications::add))
        .route(
            "/api/v1/applications/{id}",
            get(applications::one).put(applications::change).delete(applications::remove),
        )
        .route("/api/v1/applications/{id}/secret", post(applications::renew_secret))
        .route("/api/v1/identity-providers", get(providers::list).post(providers::add))
        .route(
            "/api/v1/identity-providers/{id}",
            patch(providers::switch).delete(providers::remove),
        )
        .route("/api/v1/service-accounts", get(api::services::list).post(api::services::create))
        .route("/api/v1/service-accounts/{id}", delete(api::services::revoke))
        .route("/api/v1/views", get(session::views))
        .route("/api/v1/assignees", get(session::assignees))
        .route("/api/v1/cases", get(cases::list).post(cases::create))
        .route("/api/v1/cases/bulk", post(cases::bulk))
        .route("/api/v1/cases/{id}", get(cases::one).patch(cases::change))
        .route("/api/v1/cases/{id}/close", post(cases::close))
        .route("/api/v1/cases/{id}/messages", get(messages::list).post(messages::write))
        .route("/api/v1/people", get(people::list).post(people::create))
        .route("/api/v1/people/read-on", post(people::read_on))
        .route("/api/v1/people/{id}", get(people::one).put(people::replace))
        .route("/api/v1/people/{id}/versions", get(people::versions))
        .route("/api/v1/organizations", get(organizations::list).post(organizations::create))
        .route("/api/v1/organizations/{id}", get(organizations::one).put(organizations::replace))
        .route("/api/v1/organizations/{id}/versions", get(organizations::versions))
        .route("/api/v1/organizations/{id}/sessions", get(sessions::of_organization))
        .route("/api/v1/organizations/{id}/accesses", get(accesses::list))
        .route("/api/v1/organizations/{id}/accesses/summary", get(accesses::summary))
        .route("/api/v1/organizations/{id}/security", get(security::security))
        .route("/api/v1/organizations/{id}/security/people", get(security::people))
        .route("/api/v1/organizations/{id}/security/affected", get(security::affected))
        .route("/api/v1/search", get(api::search::search))
}

/// Reports, runs, ledger, incidents.
fn api_evidence() -> Router<Web> {
    use api::{incidents, ledger, reports, runs};
    Router::new()
        .route("/api/v1/definitions", get(reports::definitions).post(reports::save))
        .route("/api/v1/definitions/{id}", get(reports::definition))
        .route("/api/v1/definitions/{id}/versions", get(reports::versions))
        .route("/api/v1/reports", post(reports::count))
        .route("/api/v1/reports/subjects", get(reports::subjects))
        .route("/api/v1/runs", get(runs::runs).post(runs::prepare))
        .route("/api/v1/runs/{id}", get(runs::run))
        .route("/api/v1/runs/{id}/cancel", post(runs::cancel))
        .route(
            "/api/v1/replays/{id}",
            get(runs::replay).post(runs::start_replay).delete(runs::stop_replay),
        )
        .route("/api/v1/ledger", get(ledger::list))
        .route("/api/v1/ledger/verify", post(ledger::verify))
        .route("/api/v1/ledger/{number}", get(ledger::one))
        .route("/api/v1/incidents", get(incidents::list).post(incidents::open))
        .route("/api/v1/incidents/{id}", get(incidents::one))
        .route("/api/v1/incidents/{id}/close", post(incidents::close))
        .route("/api/v1/incidents/{id}/downloads", post(incidents::record))
        .route(
            "/api/v1/incidents/{id}/downloads/{download}/match",
            get(incidents::answer).post(incidents::start).delete(incidents::stop),
        )
        .route("/api/v1/incidents/{id}/downloads/{download}/guess", put(incidents::guess))
        .route("/api/v1/incidents/{id}/downloads/{download}/exposure", get(incidents::exposure))
}

/// What may take longer than a page or be larger: uploads, downloads, event streams. No timeout;
/// the handlers set their own limits of size.
fn transfers() -> Router<Web> {
    Router::new()
        .route("/runs/{id}/download", post(runs::download::download))
        .route("/runs/{id}/compare", post(runs::compare::compare))
        .route("/cases/{reference}/answer", post(cases::answer::answer))
        .route("/cases/{reference}/events", get(live::case))
        .route("/portal/cases/new", post(portal::new::create))
        .route("/portal/cases/{reference}/reply", post(portal::reply::reply))
        .route("/portal/cases/{reference}/events", get(live::case))
        .route("/attachments/{id}", get(attachments::download))
        .route("/events", get(live::all))
        .route("/api/v1/events", get(live::all))
        .route("/api/v1/cases/{id}/events", get(live::case))
        .route("/api/v1/cases/{id}/files", post(api::files::write))
        .route("/api/v1/attachments/{id}", get(api::files::read))
        .route("/api/v1/runs/{id}/download", post(api::runs::download))
        .route("/api/v1/runs/{id}/compare", post(api::runs::compare))
        .layer(DefaultBodyLimit::disable())
}

/// Embedded files. Only they are compressed: a compressed page that holds a secret and repeats
/// what was sent tells the secret by its length (BREACH).
fn assets() -> Router<Web> {
    Router::new().route("/assets/{file}", get(headers::asset)).layer(CompressionLayer::new())
}

/// `GET /healthz`: whether this node can serve.
async fn healthz(State(web): State<Web>) -> Result<&'static str, problem::Problem> {
    web.app.health().await?;
    Ok("ok\n")
}
