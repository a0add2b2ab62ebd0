//! Sample data: checks of callers, recovery.

use super::samples::{NASTY, on, shell, w};
use crate::i18n::Lang;
use crate::views::cases::Somebody;
use crate::views::markup::{Choice, Tone};
use crate::views::shell::Place;
use crate::views::verifications::*;
use askama::Template;

fn steps(lang: Lang, passed: usize) -> Vec<StepView> {
    let names = [
        "check-step-request",
        "check-step-call-back",
        "check-step-look",
        "check-step-tally",
        "check-step-approval",
        "check-step-delay",
    ];
    let step = |(i, id): (usize, &&str)| StepView {
        label: lang.t(id),
        note: if i < passed { "09:14".into() } else { String::new() },
        done: i < passed,
        current: i == passed,
    };
    names.iter().enumerate().map(step).collect()
}

fn row(lang: Lang, passed: usize, state: &'static str, tone: Tone) -> CheckRow {
    CheckRow {
        id: 412 + passed as i64,
        reference: format!("HD-{}", 412 + passed),
        who: Somebody { id: "9".into(), name: NASTY.into(), initials: "N".into() },
        what: w(
            lang,
            "Organization administrator, Brightwell Health",
            "組織管理者、ブライトウェル",
        ),
        wish: lang.t("wish-reset-factors"),
        asked: on(lang, "2026-12-02T09:14:00Z"),
        steps: steps(lang, passed),
        state: lang.t(state),
        tone,
    }
}

fn form(lang: Lang) -> PayloadForm {
    PayloadForm {
        wishes: vec![
            Choice::new("reset_factors", lang.t("wish-reset-factors"), true),
            Choice::new("remove_factor:7", NASTY, false),
        ],
        channels: vec![Choice::new("phone", lang.t("channel-phone"), true)],
        caller: NASTY.into(),
        reason: NASTY.into(),
        problem: None,
    }
}

pub fn pages(lang: Lang) -> Vec<(&'static str, String)> {
    let shell = || shell(lang, Place::Verifications);
    let rows = || {
        vec![
            row(lang, 4, "check-state-yours", Tone::Seal),
            row(lang, 2, "check-state-look", Tone::Plain),
            row(lang, 6, "check-state-done", Tone::Ok),
        ]
    };
    let check = |passed, state, tone, ask| VerificationPage {
        shell: shell(),
        check: Check {
            row: row(lang, passed, state, tone),
            facts: vec![(lang.t("check-caller"), NASTY.into())],
            ask,
            change: Some(form(lang)),
            may_end: true,
            invitation: None,
            problem: None,
        },
    };
    let number = |n: &str| {
        let since = lang.t_args("check-number-since", &[("time", &"2025-03-04")]);
        Choice::new(n, since, false)
    };
    let now = || "2026-12-02 09:18:00".to_owned();
    let call = Ask::Call { numbers: vec![number("+1 312 555 0144")], now: now() };
    let none = Ask::Call { numbers: Vec::new(), now: now() };
    let halves = |fits| {
        Ask::Halves(Halves {
            address: "https://support.example.com/verify".into(),
            code: "7K2M9-QX4TD".into(),
            half: "4F9".into(),
            opened: true,
            caller_fits: fits,
            agent_fits: false,
            tries: 2,
            until: on(lang, "2026-12-02T09:35:00Z"),
        })
    };
    let approve = Ask::Approve { digest: "5e88".into(), delay: lang.span(86_400) };
    let mut done = check(6, "check-state-done", Tone::Ok, Ask::Nothing);
    done.check.invitation = Some("https://support.example.com/enrol/x".into());
    (done.check.change, done.check.may_end) = (None, false);
    let mut wrong = check(3, "check-state-tally", Tone::Plain, Ask::BeginTally { again: true });
    wrong.check.problem = Some(NASTY.into());
    let vouching =
        Ask::Vouching { path: "https://support.example.com/verifications/1/vouch".into() };
    let in_portal = PortalVerification {
        shell: shell(),
        check: check(4, "check-state-yours", Tone::Seal, approve.clone()).check,
    };
    let vouch = |done| Vouch {
        id: 1,
        name: NASTY.into(),
        agent: NASTY.into(),
        done,
        parameters: "verification=1&person=7".into(),
    };
    let mut visitor = shell();
    (visitor.me, visitor.session) = (None, None);
    let caller = |caller_fits, problem| Caller {
        shell: visitor.clone(),
        code: "7K2M9QX4TD".into(),
        half: "702".into(),
        caller_fits,
        agent_fits: caller_fits,
        problem,
    };
    let stop = |done| StopPage {
        shell: visitor.clone(),
        path: "/verify/stop/1/x".into(),
        done,
        problem: None,
    };
    let recovery = |codes: &[&str], checks| Recovery {
        left: 8,
        made: Some(on(lang, "2026-12-02T09:24:00Z")),
        codes: codes.iter().map(|c| (*c).to_owned()).collect(),
        checks,
    };
    let stoppable = recovery(&[], vec![row(lang, 5, "check-state-delay", Tone::Warn)]);
    let made = recovery(&["7K2M9-QX4TD-00000-ABCDE", "7K2M9-QX4TD-00000-ABCDF"], Vec::new());
    vec![
        ("checks", VerificationList { shell: shell(), rows: rows() }.render().unwrap()),
        ("checks-none", VerificationList { shell: shell(), rows: Vec::new() }.render().unwrap()),
        (
            "portal-checks",
            PortalVerificationList { shell: shell(), rows: rows() }.render().unwrap(),
        ),
        (
            "check-new",
            VerificationNew {
                shell: shell(),
                who: Somebody { id: "9".into(), name: NASTY.into(), initials: "N".into() },
                form: PayloadForm { problem: Some(NASTY.into()), ..form(lang) },
            }
            .render()
            .unwrap(),
        ),
        ("check-call", check(1, "check-state-call-back", Tone::Plain, call).render().unwrap()),
        ("check-call-none", check(1, "check-state-call-back", Tone::Plain, none).render().unwrap()),
        ("check-look", check(2, "check-state-look", Tone::Plain, Ask::Look).render().unwrap()),
        ("check-vouching", check(2, "check-state-look", Tone::Plain, vouching).render().unwrap()),
        ("check-tally", wrong.render().unwrap()),
        (
            "check-halves",
            check(3, "check-state-tally", Tone::Plain, halves(true)).render().unwrap(),
        ),
        ("check-approve", check(4, "check-state-yours", Tone::Seal, approve).render().unwrap()),
        ("check-finish", check(5, "check-state-ready", Tone::Ai, Ask::Finish).render().unwrap()),
        ("check-done", done.render().unwrap()),
        ("portal-check", in_portal.render().unwrap()),
        ("vouch", VouchPage { shell: shell(), vouch: vouch(false) }.render().unwrap()),
        ("portal-vouch", PortalVouch { shell: shell(), vouch: vouch(true) }.render().unwrap()),
        ("caller-code", CallerCode { shell: visitor.clone(), gone: true }.render().unwrap()),
        ("caller", caller(false, Some(NASTY.into())).render().unwrap()),
        ("caller-fits", caller(true, None).render().unwrap()),
        ("stop", stop(false).render().unwrap()),
        ("stop-done", stop(true).render().unwrap()),
        ("recover", Recover { shell: visitor.clone(), sent: true }.render().unwrap()),
        ("recovery", RecoveryPage { shell: shell(), recovery: made }.render().unwrap()),
        (
            "portal-recovery",
            PortalRecovery { shell: shell(), recovery: stoppable }.render().unwrap(),
        ),
    ]
}
