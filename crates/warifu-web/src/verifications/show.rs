//! Checks as pages show them.

use crate::cases::show::somebody;
use crate::i18n::Lang;
use crate::page::{Leaving, Shown, gated};
use crate::problem::Problem;
use crate::session::{SignedIn, role_message};
use crate::state::Web;
use crate::views::markup::{Choice, Tone};
use crate::views::shell::Place;
use crate::views::verifications::{
    Ask, Check, CheckRow, Halves, PayloadForm, PortalVerification, StepView, VerificationPage,
};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::tz::TimeZone;
use serde_json::json;
use warifu_app::AppError;
use warifu_app::verifications::{Line, VerificationView, reference};
use warifu_domain::time::SECOND;
use warifu_domain::verification::{Channel, Outcome, Stage, Verification, Wish};
use warifu_domain::{PersonId, Refusal, Timestamp, refusal};

/// A time of the day as somebody typed it: `09:18`, today; or date and time.
pub fn moment(text: &str, zone: &TimeZone, now: Timestamp) -> Result<Timestamp, Refusal> {
    let bad = || refusal!("verify-time", "write the time as 2026-12-02 09:18");
    let today = now.to_jiff().to_zoned(zone.clone()).date();
    let whole = match text.len() <= 8 && !text.contains('-') {
        true => format!("{today} {text}"),
        false => text.to_owned(),
    };
    let civil: jiff::civil::DateTime = whole.parse().map_err(|_| bad())?;
    let zoned = civil.to_zoned(zone.clone()).map_err(|_| bad())?;
    Ok(Timestamp(zoned.timestamp().as_microsecond()))
}

/// Now, to be typed over; whole minutes, so it may lie before the request.
fn typed_now(now: Timestamp, zone: &TimeZone) -> String {
    now.to_jiff().to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// What may be asked for.
pub fn wishes(lang: Lang, factors: &[(i64, String)], chosen: &str) -> Vec<Choice> {
    let all = Choice::new("reset_factors", lang.t("wish-reset-factors"), chosen == "reset_factors");
    let one = |(id, name): &(i64, String)| {
        let value = format!("remove_factor:{id}");
        let is = value == chosen;
        Choice::new(value, lang.t_args("wish-remove-factor-of", &[("name", name)]), is)
    };
    // The last one is reset, not removed.
    let each = factors.iter().filter(|_| factors.len() > 1).map(one);
    std::iter::once(all).chain(each).collect()
}

fn channel(c: Channel) -> &'static str {
    match c {
        Channel::Phone => "channel-phone",
        Channel::Video => "channel-video",
        Channel::InPerson => "channel-in-person",
        Channel::Written => "channel-written",
        Channel::RecoveryCode => "channel-recovery-code",
    }
}

/// How a request can reach the desk.
pub fn channels(lang: Lang, chosen: Option<Channel>) -> Vec<Choice> {
    let by_code = |c: &Channel| *c != Channel::RecoveryCode || chosen == Some(*c);
    let choice = |c: Channel| Choice::new(c.key(), lang.t(channel(c)), chosen == Some(c));
    Channel::ALL.into_iter().filter(by_code).map(choice).collect()
}

fn wish(lang: Lang, wish: Wish) -> String {
    lang.t(match wish {
        Wish::ResetFactors => "wish-reset-factors",
        Wish::RemoveFactor(_) => "wish-remove-factor",
    })
}

/// The state of a check in words, and how that sounds.
fn state(lang: Lang, l: &Line, now: Timestamp) -> (String, Tone) {
    let (id, tone) = match (l.outcome, l.stage) {
        (Some(Outcome::Done), _) => ("check-state-done", Tone::Ok),
        (Some(Outcome::Stopped), _) => ("check-state-stopped", Tone::Bad),
        (Some(Outcome::Attack), _) => ("check-state-attack", Tone::Bad),
        (Some(Outcome::Refused), _) => ("check-state-refused", Tone::Plain),
        (None, _) if l.expired => ("check-state-expired", Tone::Plain),
        (None, Stage::CallBack) => ("check-state-call-back", Tone::Plain),
        (None, Stage::Look) => ("check-state-look", Tone::Plain),
        (None, Stage::Tally) => ("check-state-tally", Tone::Plain),
        (None, Stage::Approval) if l.waits_for_me => ("check-state-yours", Tone::Seal),
        (None, Stage::Approval) => ("check-state-approval", Tone::Warn),
        (None, Stage::Approved | Stage::Ended) => match l.due.is_some_and(|due| due <= now) {
            true => ("check-state-ready", Tone::Ai),
            false => ("check-state-delay", Tone::Warn),
        },
    };
    (lang.t(id), tone)
}

/// When each step was taken.
fn times(v: &Verification) -> [Option<Timestamp>; 6] {
    [
        Some(v.requested.at),
        v.called.as_ref().map(|c| c.at),
        v.looked.map(|l| l.vouched_at.unwrap_or(l.at)),
        v.tally.as_ref().filter(|t| t.passed()).map(|t| t.at),
        v.approved.as_ref().map(|a| a.at),
        v.end.filter(|e| e.how == Outcome::Done).map(|e| e.at),
    ]
}

const STEPS: [&str; 6] = [
    "check-step-request",
    "check-step-call-back",
    "check-step-look",
    "check-step-tally",
    "check-step-approval",
    "check-step-delay",
];

/// The picture of steps.
fn steps(who: &SignedIn, l: &Line, at: Option<[Option<Timestamp>; 6]>) -> Vec<StepView> {
    let lang = who.taste.lang;
    let passed = match (l.outcome, l.stage) {
        (Some(Outcome::Done), _) => 6,
        (_, Stage::CallBack) => 1,
        (_, Stage::Look) => 2,
        (_, Stage::Tally) => 3,
        (_, Stage::Approval) => 4,
        (_, Stage::Approved) => 5,
        // Where it ended early, its times say how far it came.
        (_, Stage::Ended) => at.map_or(1, |at| at.iter().take_while(|t| t.is_some()).count()),
    };
    let open = l.outcome.is_none() && !l.expired;
    let step = |(i, id): (usize, &&str)| {
        let done = i < passed;
        let time = at.and_then(|at| at[i]).filter(|_| done);
        let note = match time {
            Some(t) => lang.time(t.to_jiff(), &who.zone).text,
            None if open && i == passed => lang.t("check-step-now"),
            None => String::new(),
        };
        StepView { label: lang.t(id), note, done, current: open && i == passed }
    };
    STEPS.iter().enumerate().map(step).collect()
}

/// A check as a row of a list.
pub fn check_row(web: &Web, who: &SignedIn, l: &Line) -> CheckRow {
    row(web, who, l, None)
}

fn row(web: &Web, who: &SignedIn, l: &Line, at: Option<[Option<Timestamp>; 6]>) -> CheckRow {
    let lang = who.taste.lang;
    let (state, tone) = state(lang, l, web.app.now());
    let role = lang.t(role_message(l.roles));
    CheckRow {
        id: l.id,
        reference: reference(l.id),
        who: somebody(l.person, &l.name),
        what: lang.t_args("check-whose", &[("role", &role), ("organization", &l.organization)]),
        wish: wish(lang, l.wish),
        asked: lang.date_time(l.requested_at.to_jiff(), &who.zone),
        steps: steps(who, l, at),
        state,
        tone,
    }
}

fn facts(who: &SignedIn, view: &VerificationView) -> Vec<(String, String)> {
    let (lang, v) = (who.taste.lang, &view.v);
    let name = |id: PersonId| view.names.get(&id).cloned().unwrap_or_default();
    let time = |t: Timestamp| lang.date_time(t.to_jiff(), &who.zone).text;
    let mut facts = vec![
        (lang.t("check-caller"), v.payload.caller.clone()),
        (lang.t("check-channel"), lang.t(channel(v.payload.channel))),
        (lang.t("check-reason"), v.payload.reason.clone()),
    ];
    let mut say = |term: &str, value: String| facts.push((lang.t(term), value));
    let by = v.requested.by.map_or_else(|| lang.t("channel-recovery-code"), name);
    say("check-by", by);
    if let Some(called) = &v.called {
        let since = lang.date(called.since.to_jiff(), &who.zone).text;
        let (by, number) = (name(called.by), called.number.clone());
        say(
            "check-called-by",
            lang.t_args(
                "check-called-fact",
                &[("name", &by), ("number", &number), ("since", &since)],
            ),
        );
    }
    if let Some(look) = v.looked {
        let by = name(look.by);
        let colleague = look.colleague.map(name).unwrap_or_default();
        let args: [(&str, &dyn crate::i18n::Arg); 2] = [("name", &by), ("colleague", &colleague)];
        let id = match (look.colleague, look.vouched_at) {
            (None, _) => "check-looked-photo",
            (Some(_), Some(_)) => "check-looked-vouched",
            (Some(_), None) => "check-looked-waits",
        };
        say("check-step-look", lang.t_args(id, &args));
    }
    if let Some(tally) = v.tally.as_ref().filter(|t| t.passed()) {
        let (n, by) = (i64::from(tally.number), name(tally.by));
        say("check-step-tally", lang.t_args("check-tally-fact", &[("n", &n), ("name", &by)]));
    }
    if let Some(approval) = &v.approved {
        let (by, at) = (name(approval.by), time(approval.at));
        say(
            "check-step-approval",
            lang.t_args("check-approved-fact", &[("name", &by), ("time", &at)]),
        );
    }
    if let Some(due) = view.due {
        say("check-due", time(due));
    }
    facts
}

fn ask(web: &Web, who: &SignedIn, view: &VerificationView) -> Ask {
    let (lang, v) = (who.taste.lang, &view.v);
    if view.may_approve {
        let delay = lang.span(view.delay / SECOND);
        return Ask::Approve { digest: view.digest.clone(), delay };
    }
    if view.may_finish {
        return Ask::Finish;
    }
    if !view.may_work {
        return Ask::Nothing;
    }
    match v.stage() {
        Stage::CallBack => {
            let number = |n: &warifu_domain::verification::Number| {
                let since = lang.date(n.since.to_jiff(), &who.zone).text;
                let label = lang.t_args("check-number-since", &[("time", &since)]);
                Choice::new(n.text.clone(), label, false)
            };
            Ask::Call {
                numbers: view.numbers.iter().map(number).collect(),
                now: typed_now(web.app.now(), &who.zone),
            }
        }
        Stage::Look if v.looked.is_some() => Ask::Vouching {
            path: format!("{}/verifications/{}/vouch", web.config.origin_text(), v.id),
        },
        Stage::Look => Ask::Look,
        Stage::Tally => match view.tally.as_ref().filter(|t| t.lives) {
            Some(t) => Ask::Halves(Halves {
                address: format!("{}/verify", web.config.origin_text()),
                code: format!("{}-{}", &t.code[..5], &t.code[5..]),
                half: t.half.clone(),
                opened: t.opened,
                caller_fits: t.caller_fits,
                agent_fits: t.agent_fits,
                tries: i64::from(t.tries),
                until: lang.time(t.ends_at.to_jiff(), &who.zone),
            }),
            None => Ask::BeginTally { again: v.tallies > 0 },
        },
        Stage::Approval | Stage::Approved | Stage::Ended => Ask::Nothing,
    }
}

/// The page of a check.
pub async fn one(
    web: &Web,
    who: &SignedIn,
    id: i64,
    status: StatusCode,
    problem: Option<String>,
    invitation: Option<String>,
) -> Result<Response, Problem> {
    let view = web.app.verification(who.actor(), id).await?;
    let lang = who.taste.lang;
    let v = &view.v;
    let line = Line {
        id,
        person: view.owner.id,
        name: view.owner.record.display_name().to_owned(),
        organization: view.organization.clone(),
        roles: view.roles,
        wish: v.payload.wish,
        stage: v.stage(),
        outcome: v.end.map(|e| e.how),
        expired: view.expired,
        requested_at: v.requested.at,
        due: view.due,
        waits_for_me: view.may_approve,
    };
    let open = v.stage() != Stage::Ended && !view.expired;
    let chosen = match v.payload.wish {
        Wish::ResetFactors => "reset_factors".to_owned(),
        Wish::RemoveFactor(id) => format!("remove_factor:{id}"),
    };
    let names: Vec<(i64, String)> = view.factors.iter().map(|f| (f.id.0, f.name.clone())).collect();
    let check = Check {
        row: row(web, who, &line, Some(times(v))),
        facts: facts(who, &view),
        ask: ask(web, who, &view),
        change: view.may_work.then(|| PayloadForm {
            wishes: wishes(lang, &names, &chosen),
            channels: channels(lang, Some(v.payload.channel)),
            caller: v.payload.caller.clone(),
            reason: v.payload.reason.clone(),
            problem: None,
        }),
        may_end: open && view.owner.id != who.actor().person,
        invitation,
        problem,
    };
    // The link is shown once, to whoever has read everything about its owner on the way: nothing may come
    // between it and them.
    let shown = match check.invitation {
        Some(_) => Shown::Nobody,
        None => Shown::One(view.owner.id, view.owner.organization),
    };
    let leaving = Leaving {
        route: "/verifications/{id}",
        organization: Some(view.owner.organization),
        query: json!({ "id": id }),
        ids: vec![view.owner.id.0],
        shown,
    };
    let shell = who.shell(Place::Verifications, "").await?;
    match who.actor().is_staff() {
        true => gated(web, who, status, leaving, VerificationPage { shell, check }).await,
        false => gated(web, who, status, leaving, PortalVerification { shell, check }).await,
    }
}

/// The page with why a step was not taken.
pub async fn again(web: &Web, who: &SignedIn, id: i64, e: AppError) -> Result<Response, Problem> {
    match e {
        AppError::Invalid { ref what, .. } | AppError::Conflict(ref what) => {
            let said = who.taste.lang.refusal(what);
            let status = Problem::from(e).status;
            one(web, who, id, status, Some(said), None).await
        }
        other => Err(other.into()),
    }
}
