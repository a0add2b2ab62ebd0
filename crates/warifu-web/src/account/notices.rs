//! What happened to one's own account.

use crate::csrf::Form;
use crate::page::page as html;
use crate::problem::Problem;
use crate::session::SignedIn;
use crate::state::Web;
use crate::views::notices::{Notice, Notices, PortalNotices};
use crate::views::shell::Place;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use warifu_domain::Timestamp;
use warifu_domain::notices::NoticeKind;

/// `GET /account/notices`
pub async fn page(State(web): State<Web>, me: SignedIn) -> Result<Response, Problem> {
    let lang = me.taste.lang;
    let found = web.app.notices(me.actor()).await?;
    let notice = |n: warifu_app::notices::Notice| {
        let detail = |name: &str| n.details.get(name).cloned().unwrap_or_default();
        let (from, to, name, check) =
            (detail("from"), detail("to"), detail("name"), detail("check"));
        let due = detail("due").parse::<Timestamp>();
        let due = due.map_or(String::new(), |t| lang.date_time(t.to_jiff(), &me.zone).text);
        let words: [(&str, &dyn crate::i18n::Arg); 5] =
            [("from", &from), ("to", &to), ("name", &name), ("check", &check), ("due", &due)];
        Notice {
            at: lang.date_time(n.at.to_jiff(), &me.zone),
            text: lang.t_args(message(n.kind), &words),
            alarm: n.kind.is_alarm(),
            seen: n.seen,
        }
    };
    let notices: Vec<Notice> = found.into_iter().map(notice).collect();
    let shell = me.shell(Place::Elsewhere, "").await?;
    match me.actor().is_staff() {
        true => html(Notices { shell, notices }),
        false => html(PortalNotices { shell, notices }),
    }
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
