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
use warifu_domain::notices::NoticeKind;

/// `GET /account/notices`
pub async fn page(State(web): State<Web>, me: SignedIn) -> Result<Response, Problem> {
    let lang = me.taste.lang;
    let found = web.app.notices(me.actor()).await?;
    let notice = |n: warifu_app::notices::Notice| {
        let detail = |name: &str| n.details.get(name).cloned().unwrap_or_default();
        let (from, to, name) = (detail("from"), detail("to"), detail("name"));
        let words: [(&str, &dyn crate::i18n::Arg); 3] =
            [("from", &from), ("to", &to), ("name", &name)];
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
        NoticeKind::ServiceRefused => "notice-service-refused",
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
