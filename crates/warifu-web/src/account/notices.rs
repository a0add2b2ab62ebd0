//! What happened to one's own account.

use super::sessions::factor_message;
use crate::csrf::Form;
use crate::i18n::Lang;
use crate::page::page as html;
use crate::policy::words;
use crate::problem::Problem;
use crate::session::SignedIn;
use crate::state::Web;
use crate::views::notices::{Notice, Notices, PortalNotices};
use crate::views::shell::Place;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::tz::TimeZone;
use serde::Deserialize;
use warifu_domain::Timestamp;
use warifu_domain::access::{Permission, Role, Roles};
use warifu_domain::factors::Factor;
use warifu_domain::notices::{Details, NoticeKind};
use warifu_domain::policy::{Feature, Stage};

/// `GET /account/notices`
pub async fn page(State(web): State<Web>, me: SignedIn) -> Result<Response, Problem> {
    let lang = me.taste.lang;
    let found = web.app.notices(me.actor()).await?;
    let roles = me.actor().roles;
    let notice = |n: warifu_app::notices::Notice| Notice {
        href: page_of(n.kind, roles).unwrap_or_default(),
        at: lang.date_time(n.at.to_jiff(), &me.zone),
        text: sentence(lang, &me.zone, n.kind, &n.details),
        alarm: n.kind.is_alarm(),
        seen: n.seen,
    };
    let notices: Vec<Notice> = found.into_iter().map(notice).collect();
    let shell = me.shell(Place::Elsewhere, "").await?;
    match me.actor().is_staff() {
        true => html(Notices { shell, notices }),
        false => html(PortalNotices { shell, notices }),
    }
}

/// The page on which somebody with these roles sees how what a notice is about stands now.
pub fn page_of(kind: NoticeKind, roles: Roles) -> Option<&'static str> {
    match kind {
        NoticeKind::StageEntered if roles.allow(Permission::ReadPolicies) => Some("/policy"),
        NoticeKind::StageEntered if roles.has(Role::OrganizationAdministrator) => Some("/security"),
        _ => None,
    }
}

/// What happened, in one sentence.
pub fn sentence(lang: Lang, zone: &TimeZone, kind: NoticeKind, details: &Details) -> String {
    let detail = |name: &str| details.get(name).cloned().unwrap_or_default();
    let [from, to, name, by, check, people, times] =
        ["from", "to", "name", "by", "check", "people", "times"].map(detail);
    let factor = Factor::from_key(&detail("factor")).map(|f| lang.t(factor_message(f)));
    let factor = factor.unwrap_or_default();
    // A password has no name of its own: what stands there is a key.
    let password = Some(Factor::Password.key());
    let said = details.get("factor").or(details.get("name").filter(|_| is_of_factor(kind)));
    let name = match said.map(String::as_str) == password {
        true => lang.t("password"),
        false => name,
    };
    let fields = detail("fields");
    let fields: Vec<String> = fields.split(',').filter_map(contact).map(|f| lang.t(f)).collect();
    let fields = fields.join(lang.t("list-comma").as_str());
    let due = detail("due").parse::<Timestamp>();
    let due = due.map_or(String::new(), |t| lang.date_time(t.to_jiff(), zone).text);
    let feature = Feature::from_key(&detail("feature")).map(|f| words::feature(lang, f));
    let stage = Stage::from_key(&detail("stage")).map(|s| words::stage(lang, s));
    let (feature, stage) = (feature.unwrap_or_default(), stage.unwrap_or_default());
    let policy = words::policy(lang, &detail("policy"));
    let words: [(&str, &dyn crate::i18n::Arg); 13] = [
        ("from", &from),
        ("to", &to),
        ("name", &name),
        ("by", &by),
        ("feature", &feature),
        ("stage", &stage),
        ("policy", &policy),
        ("check", &check),
        ("due", &due),
        ("fields", &fields),
        ("people", &people),
        ("times", &times),
        ("factor", &factor),
    ];
    lang.t_args(message(kind), &words)
}

fn message(kind: NoticeKind) -> &'static str {
    match kind {
        NoticeKind::SessionMoved => "notice-session-moved",
        NoticeKind::SessionEnded => "notice-session-ended",
        NoticeKind::SessionRecorded => "notice-session-recorded",
        NoticeKind::FactorAdded => "notice-factor-added",
        NoticeKind::FactorRemoved => "notice-factor-removed",
        NoticeKind::RolesChanged => "notice-roles-changed",
        NoticeKind::KeyCopied => "notice-key-copied",
        NoticeKind::StepUpRefused => "notice-step-up-refused",
        NoticeKind::PolicyProposed => "notice-policy-proposed",
        NoticeKind::PolicyChanged => "notice-policy-changed",
        NoticeKind::StageEntered => "notice-stage-entered",
        NoticeKind::DeviceKey => "notice-device-key",
        NoticeKind::ResetAsked => "notice-reset-asked",
        NoticeKind::RecoveryUsed => "notice-recovery-used",
        NoticeKind::ResetApproved => "notice-reset-approved",
        NoticeKind::ResetStopped => "notice-reset-stopped",
        NoticeKind::ResetDone => "notice-reset-done",
        NoticeKind::ResetOfOther => "notice-reset-of-other",
        NoticeKind::ResetOfOtherStopped => "notice-reset-of-other-stopped",
        NoticeKind::ResetOfOtherDone => "notice-reset-of-other-done",
        NoticeKind::RecoveryCodes => "notice-recovery-codes",
        NoticeKind::BreakGlass => "notice-break-glass",
        NoticeKind::BreakGlassRefused => "notice-break-glass-refused",
        NoticeKind::BreakGlassSealed => "notice-break-glass-sealed",
        NoticeKind::ServiceRefused => "notice-service-refused",
        NoticeKind::PasswordChanged => "notice-password-changed",
        NoticeKind::CodesChanged => "notice-codes-changed",
        NoticeKind::CertificateEnds => "notice-certificate-ends",
        NoticeKind::ServiceEnds => "notice-service-ends",
        NoticeKind::ResetVoid => "notice-reset-void",
        NoticeKind::Invited => "notice-invited",
        NoticeKind::SwitchedOff => "notice-switched-off",
        NoticeKind::SwitchedOn => "notice-switched-on",
        NoticeKind::SwitchedOnOther => "notice-switched-on-other",
        NoticeKind::ContactChanged => "notice-contact-changed",
        NoticeKind::CodesGuessed => "notice-codes-guessed",
        NoticeKind::ReadingStopped => "notice-reading-stopped",
        NoticeKind::ServiceReadingStopped => "notice-service-reading-stopped",
        NoticeKind::NewNetwork => "notice-new-network",
        NoticeKind::SignedInAfterFailures => "notice-signed-in-after-failures",
    }
}

/// Whether a notice is about something to sign in with; those of before do not say of what kind it is.
fn is_of_factor(kind: NoticeKind) -> bool {
    matches!(kind, NoticeKind::FactorAdded | NoticeKind::FactorRemoved)
}

/// The label of a way to reach somebody.
fn contact(key: &str) -> Option<&'static str> {
    match key {
        "username" => Some("field-username"),
        "email" => Some("field-email"),
        "phone" => Some("field-phone"),
        "mobile" => Some("field-mobile"),
        _ => None,
    }
}

#[derive(Deserialize)]
pub struct Nothing {}

/// `POST /account/notices/seen`
pub async fn seen(
    State(web): State<Web>,
    me: SignedIn,
    _: Form<Nothing>,
) -> Result<Response, Problem> {
    web.app.see_notices(me.actor()).await?;
    Ok(Redirect::to("/account/notices").into_response())
}
