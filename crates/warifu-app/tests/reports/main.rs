//! Reports on real databases: preview, download, replay under writers, abort.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test that cannot go on fails, and its names are random"
)]

#[path = "../installation/mod.rs"]
mod installation;
mod previews;
mod replays;

use futures_util::StreamExt;
use installation::{Installation, actor, ask, ended, super_administrator, take};
use std::sync::Arc;
use warifu_app::AppError;
use warifu_app::reports::{NewRun, Progress};
use warifu_domain::access::{Actor, Role};
use warifu_domain::reports::{Definition, Format, Subject};
use warifu_domain::time::{HOUR, MINUTE, SECOND, SystemClock};
use warifu_domain::{Clock, OrganizationId, PersonId, RunId, Timestamp};
use warifu_ledger::body::{ReportRefused, ReportStart};
use warifu_ledger::{Count, Entry};
use warifu_storage::reports::{self, RunState};
use warifu_storage::{Engine, ledger, people};

use previews::preview_follows_changes;
use replays::replay_holds_under_writers;

on_both! { preview_is_exact preview_follows_changes replay_holds_under_writers what_is_cut_off_is_aborted a_living_node_is_left_alone a_clock_set_back_does_no_harm only_decided_reports_over_everybody same_bytes_in_every_format }

async fn preview_is_exact(i: &Installation) {
    i.people(500).await;
    let a = super_administrator();
    let mut definition = Definition::of_everything(Subject::People);
    for filter in [
        r#"{"all":[]}"#,
        r#"{"column":"user_type","op":"equals","value":"Employee"}"#,
        r#"{"column":"environment","op":"equals","value":"preview"}"#,
        r#"{"any":[{"column":"address","op":"blank"},{"column":"last_login","op":"from","value":"2023-09-01"}]}"#,
        r#"{"not":{"column":"email","op":"contains","value":"p1"}}"#,
    ] {
        definition.filter = serde_json::from_str(filter).unwrap();
        for format in [Format::default(), Format::JsonLines, Format::Xlsx] {
            definition.format = format;
            let preview = i.app.preview(&a, &definition).await.unwrap();
            let (id, bytes) = take(&i.app, &a, &definition).await;
            let run = i.app.run(&a, id).await.unwrap();
            assert_eq!(preview.bytes, bytes.len() as u64, "{filter}");
            assert_eq!((run.bytes, run.state), (bytes.len() as i64, RunState::Done));
            assert_eq!(run.rows as u64, preview.rows);
            assert_eq!(run.sha256, warifu_ledger::sha256(&bytes).to_string());
            assert!(
                !preview
                    .sample
                    .iter()
                    .flatten()
                    .any(|c| c.contains("p1@") || c.contains("Person 1"))
            );
        }
    }
    let report = i.app.verify_ledger(|_, _| {}).await.unwrap().unwrap();
    assert!(report.open.is_empty(), "every start has its end: {:?}", report.open);
}

async fn what_is_cut_off_is_aborted(i: &Installation) {
    i.people(20_000).await;
    let a = super_administrator();
    let definition = Definition::of_everything(Subject::People);
    // The receiver goes away after the first piece.
    let console = installation::console(&a);
    let run = i.app.prepare_run(&console, ask(definition.clone())).await.unwrap();
    let mut download = i.app.download_run(&console, run.id, None).await.unwrap();
    assert!(download.body.next().await.unwrap().is_ok());
    drop(download);
    assert_eq!(ended(&i.app, &a, run.id).await.state, RunState::Aborted);
    // A second download of the same run is refused.
    assert!(matches!(i.app.download_run(&a, run.id, None).await, Err(AppError::Conflict(_))));
    // A run of this node that was running when the process died is aborted at the next start.
    let id = begun(i, &i.app.config.node, MINUTE).await;
    assert_eq!(i.app.abort_unfinished_runs().await.unwrap(), 1);
    assert_eq!(i.app.run(&a, id).await.unwrap().state, RunState::Aborted);
}

/// A run that a node began, with its start entry, and of which it says that it lives so long.
async fn begun(i: &Installation, node: &str, alive: i64) -> RunId {
    let a = super_administrator();
    let everybody = Definition::of_everything(Subject::People);
    let run = i.app.prepare_run(&installation::console(&a), ask(everybody)).await.unwrap();
    let mut change = i.app.change().await.unwrap();
    let until = i.app.now().plus(alive);
    assert!(reports::start_run(&mut change.conn(), run.id, node, until).await.unwrap());
    let start = ReportStart {
        run: run.id.to_string(),
        definition: run.digest.parse().unwrap(),
        filter: serde_json::json!({ "all": [] }),
        columns: vec!["email".into()],
        order: Vec::new(),
        row_limit: None,
        as_of_revision: Count(run.as_of.0 as u64),
        as_of: run.as_of_at.0,
        dialect: run.definition.format.id(),
    };
    change.record(&a, None, &start).await.unwrap();
    change.commit().await.unwrap();
    run.id
}

async fn a_living_node_is_left_alone(i: &Installation) {
    i.people(10).await;
    let a = super_administrator();
    let state = async |id| i.app.run(&a, id).await.unwrap().state;
    let (living, dead) = (begun(i, "b:/data", MINUTE).await, begun(i, "c:/data", -SECOND).await);
    if i.app.db.engine() == Engine::Sqlite {
        // There is no other node: a name that is not ours is ours from before a move.
        assert_eq!(i.app.abort_unfinished_runs().await.unwrap(), 2);
        return;
    }
    assert_eq!(i.app.abort_unfinished_runs().await.unwrap(), 1);
    assert_eq!((state(living).await, state(dead).await), (RunState::Running, RunState::Aborted));
    // Two nodes see at once that the third is silent: one of them records it.
    let mut change = i.app.change().await.unwrap();
    assert!(reports::renew_run(&mut change.conn(), living, i.app.now()).await.unwrap());
    change.commit().await.unwrap();
    let other = i.beside(Arc::new(SystemClock::default()));
    let both = tokio::join!(i.app.abort_unfinished_runs(), other.abort_unfinished_runs());
    assert_eq!(both.0.unwrap() + both.1.unwrap(), 1);
    let mut change = i.app.change().await.unwrap();
    assert!(!reports::renew_run(&mut change.conn(), living, i.app.now()).await.unwrap());
    drop(change);
    let report = i.app.verify_ledger(|_, _| {}).await.unwrap().unwrap();
    assert!(report.open.is_empty(), "{:?}", report.open);
}

/// A machine whose clock is an hour slow.
struct SetBack;

impl Clock for SetBack {
    fn now(&self) -> Timestamp {
        SystemClock::default().now().plus(-HOUR)
    }
}

async fn a_clock_set_back_does_no_harm(i: &Installation) {
    let first = i.people(50).await;
    let a = super_administrator();
    let definition = Definition::of_everything(Subject::People);
    let (before, _) = take(&i.app, &a, &definition).await;
    let (then, as_of) = (i.app.now(), i.app.run(&a, before).await.unwrap().as_of);
    // The program is started again after the clock was set back.
    let late = i.beside(Arc::new(SetBack));
    let mut change = late.change().await.unwrap();
    let revision = change.revision();
    let p = installation::person(7, OrganizationId(first.0 + 1));
    people::update(&mut change.conn(), revision, &p).await.unwrap();
    change.commit().await.unwrap();
    let (after, _) = take(&late, &a, &definition).await;
    // What was done later is never as of an earlier time, and no entry is older than the one before.
    let mut reader = i.app.db.read().await.unwrap();
    for minutes in [90, 60, 30, 1] {
        let known = reader.conn().revision_at(then.plus(-minutes * MINUTE)).await.unwrap();
        assert!(known < as_of, "{minutes} minutes before: {known:?}");
    }
    drop(reader);
    for run in [before, after] {
        let replayed = late.replay(&a, run, None, Arc::new(Progress::new(0))).await.unwrap();
        assert_eq!(replayed.difference, None);
    }
    i.app.verify_ledger(|_, _| {}).await.unwrap().unwrap();
}

async fn only_decided_reports_over_everybody(i: &Installation) {
    i.people(30).await;
    let everybody = || Definition::of_everything(Subject::People);
    let responder = actor(Role::Responder);
    assert!(matches!(
        i.app.prepare_run(&responder, ask(everybody())).await,
        Err(AppError::Denied(_))
    ));
    assert!(matches!(
        i.app.preview(&actor(Role::Agent), &everybody()).await,
        Err(AppError::Denied(_))
    ));
    let a = super_administrator();
    let undecided = NewRun { decided: false, ..ask(everybody()) };
    assert!(matches!(i.app.prepare_run(&a, undecided).await, Err(AppError::NeedsDecision(_))));
    let no_reason = NewRun { reason: " ".into(), ..ask(everybody()) };
    assert!(matches!(
        i.app.prepare_run(&a, no_reason).await,
        Err(AppError::Invalid { field: "reason", .. })
    ));
    // Somebody else's prepared run is not theirs to download.
    let without = i.app.prepare_run(&a, ask(everybody())).await;
    assert!(matches!(without, Err(AppError::StepUp { action: "prepare_report" })));
    let console = installation::console(&a);
    let run = i.app.prepare_run(&console, ask(everybody())).await.unwrap();
    let other = Actor { person: PersonId(2), ..super_administrator() };
    assert!(matches!(i.app.download_run(&other, run.id, None).await, Err(AppError::Conflict(_))));
    // Nor does it leave with whoever has lost the right since, and that is written down as at the first refusal.
    let (before, _) = refusals(i).await;
    assert_eq!(before, 1, "the responder's");
    let lesser = Actor { roles: responder.roles, ..console };
    assert!(matches!(i.app.download_run(&lesser, run.id, None).await, Err(AppError::Denied(_))));
    let (after, last) = refusals(i).await;
    assert_eq!((after, last.rows, &*last.reason), (2, Count(30), "unfiltered"));
    assert_eq!(i.app.run(&a, run.id).await.unwrap().state, RunState::Prepared);
}

/// How many reports were refused, and the last of them.
async fn refusals(i: &Installation) -> (usize, ReportRefused) {
    let mut reader = i.app.db.read().await.unwrap();
    let stored = ledger::entries(&mut reader.conn(), 0, 10_000).await.unwrap();
    let refused: Vec<_> = stored.iter().filter(|e| e.kind == "report_refused").collect();
    let entry = Entry::parse(&refused.last().unwrap().entry).unwrap();
    (refused.len(), entry.body_as::<ReportRefused>().unwrap())
}

async fn same_bytes_in_every_format(i: &Installation) {
    i.people(100).await;
    let a = super_administrator();
    for subject in Subject::ALL {
        for format in [Format::default(), Format::JsonLines, Format::Xlsx] {
            let definition = Definition { format, ..Definition::of_everything(subject) };
            let (id, _) = take(&i.app, &a, &definition).await;
            // An XLSX file says when it was made: that must not be the replay's time.
            tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
            let replayed = i.app.replay(&a, id, None, Arc::new(Progress::new(0))).await.unwrap();
            assert_eq!(replayed.difference, None, "{subject:?} {:?}", definition.format);
        }
    }
}
