//! Reports on real databases: preview, download, replay under writers, abort.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test that cannot go on fails, and its names are random"
)]

#[path = "../installation/mod.rs"]
mod installation;

use futures_util::StreamExt;
use installation::{Installation, actor, ask, ended, super_administrator, take};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use warifu_app::AppError;
use warifu_app::reports::{NewRun, Progress};
use warifu_domain::access::{Actor, Role};
use warifu_domain::organizations::Environment;
use warifu_domain::reports::{Definition, Format, Subject};
use warifu_domain::{OrganizationId, PersonId};
use warifu_storage::reports::RunState;
use warifu_storage::{organizations, people};

on_both! { preview_is_exact preview_follows_changes replay_holds_under_writers what_is_cut_off_is_aborted only_decided_reports_over_everybody same_bytes_in_every_format }

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

/// The first preview reads everybody into memory; the later ones add what has changed since. Each has
/// to say what the file then is.
async fn preview_follows_changes(i: &Installation) {
    let first = i.people(400).await;
    let a = super_administrator();
    let filters = [
        r#"{"all":[]}"#,
        r#"{"column":"phone","op":"filled"}"#,
        r#"{"column":"full_name","op":"contains","value":"7"}"#,
        r#"{"all":[{"column":"environment","op":"not_equals","value":"preview"},
            {"column":"active","op":"equals","value":true}]}"#,
        r#"{"any":[{"column":"last_login","op":"before","value":"2023-09-01"},
            {"column":"organization_id","op":"from","value":3},
            {"not":{"column":"user_type","op":"one_of","value":["Employee","Customer"]}}]}"#,
    ];
    for step in 0..6_i64 {
        let mut change = i.app.change().await.unwrap();
        let revision = change.revision();
        for n in 0..step * 20 {
            let id = PersonId(1 + (n * 37 + step * 53) % 400);
            let mut p = people::find(&mut change.conn(), id).await.unwrap().unwrap();
            p.record.phone = (n % 3 > 0).then(|| format!("+81 {step}, {n}"));
            p.record.full_name = Some(format!("佐藤 {n} \"{step}\""));
            p.active = n % 5 > 0;
            p.organization = OrganizationId(first.0 + n % 7);
            people::update(&mut change.conn(), revision, &p).await.unwrap();
        }
        change.commit().await.unwrap();
        if step == 3 {
            // What a person's organization is called changes without the person.
            let mut change = i.app.change().await.unwrap();
            let revision = change.revision();
            let found = organizations::find(&mut change.conn(), first).await.unwrap();
            let mut of = found.unwrap();
            of.environment = Environment::Production;
            organizations::update(&mut change.conn(), revision, first, &of).await.unwrap();
            change.commit().await.unwrap();
        }
        for filter in filters {
            let mut definition = Definition::of_everything(Subject::People);
            definition.filter = serde_json::from_str(filter).unwrap();
            let preview = i.app.preview(&a, &definition).await.unwrap();
            let (id, bytes) = take(&i.app, &a, &definition).await;
            let run = i.app.run(&a, id).await.unwrap();
            assert_eq!(preview.rows, run.rows as u64, "{step} {filter}");
            assert_eq!(preview.bytes, bytes.len() as u64, "{step} {filter}");
            let columns: Vec<u64> = serde_json::from_str(&run.column_bytes).unwrap();
            let summed: Vec<u64> = preview.fields.iter().map(|f| f.bytes).collect();
            assert_eq!(summed, columns, "{step} {filter}");
            // With a limit the same is counted row by row.
            let counted = Definition { limit: Some(100_000), ..definition };
            let counted = i.app.preview(&a, &counted).await.unwrap();
            assert_eq!(preview.bytes, counted.bytes, "{step} {filter}");
            assert_eq!(preview.organizations, counted.organizations, "{step} {filter}");
            assert_eq!(preview.fields, counted.fields, "{step} {filter}");
            assert_eq!(preview.sample, counted.sample, "{step} {filter}");
        }
    }
}

async fn replay_holds_under_writers(i: &Installation) {
    let first = i.people(400).await;
    let a = super_administrator();
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..8_i64)
        .map(|w| {
            let (app, stop) = (i.app.clone(), stop.clone());
            tokio::spawn(async move {
                let mut n = 0_i64;
                while !stop.load(Ordering::Relaxed) {
                    n += 1;
                    let mut change = app.change().await.unwrap();
                    let revision = change.revision();
                    let id = PersonId(1 + (n * 37 + w * 53) % 400);
                    let mut p = people::find(&mut change.conn(), id).await.unwrap().unwrap();
                    p.record.phone = Some(format!("+81 {w} {n}"));
                    p.organization = OrganizationId(first.0 + n % 7);
                    people::update(&mut change.conn(), revision, &p).await.unwrap();
                    change.commit().await.unwrap();
                }
                n
            })
        })
        .collect();
    let mut runs = Vec::new();
    for k in 0..40 {
        let mut definition = Definition::of_everything(Subject::People);
        if k % 3 == 1 {
            let filter = r#"{"column":"phone","op":"filled"}"#;
            definition.filter = serde_json::from_str(filter).unwrap();
            definition.order =
                serde_json::from_str(r#"[{"column":"phone","descending":true}]"#).unwrap();
        }
        if k % 3 == 2 {
            definition.limit = Some(50);
            definition.order = serde_json::from_str(r#"[{"column":"full_name"}]"#).unwrap();
        }
        let (id, bytes) = take(&i.app, &a, &definition).await;
        runs.push((id, Sha256::digest(&bytes)));
    }
    for (id, digest) in &runs {
        let replayed = i.app.replay(&a, *id, None, Arc::new(Progress::new(0))).await.unwrap();
        assert_eq!(replayed.difference, None, "run {id}");
        assert_eq!(replayed.sha256.as_bytes()[..], digest[..]);
    }
    stop.store(true, Ordering::Relaxed);
    let mut changes = 0;
    for w in writers {
        changes += w.await.unwrap();
    }
    assert!(changes > 40, "the writers did write: {changes}");
    i.app.verify_ledger(|_, _| {}).await.unwrap().unwrap();
}

async fn what_is_cut_off_is_aborted(i: &Installation) {
    i.people(20_000).await;
    let a = super_administrator();
    let definition = Definition::of_everything(Subject::People);
    // The receiver goes away after the first piece.
    let run = i.app.prepare_run(&a, ask(definition.clone())).await.unwrap();
    let mut download = i.app.download_run(&a, run.id).await.unwrap();
    assert!(download.body.next().await.unwrap().is_ok());
    drop(download);
    assert_eq!(ended(&i.app, &a, run.id).await.state, RunState::Aborted);
    // A second download of the same run is refused.
    assert!(matches!(i.app.download_run(&a, run.id).await, Err(AppError::Conflict(_))));
    // A run that was running when the process died is aborted at the next start.
    let run = i.app.prepare_run(&a, ask(definition)).await.unwrap();
    let mut change = i.app.change().await.unwrap();
    assert!(warifu_storage::reports::start_run(&mut change.conn(), run.id).await.unwrap());
    change.commit().await.unwrap();
    assert_eq!(i.app.abort_unfinished_runs().await.unwrap(), 1);
    assert_eq!(i.app.run(&a, run.id).await.unwrap().state, RunState::Aborted);
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
    let run = i.app.prepare_run(&a, ask(everybody())).await.unwrap();
    let other = Actor { person: PersonId(2), ..super_administrator() };
    assert!(matches!(i.app.download_run(&other, run.id).await, Err(AppError::Conflict(_))));
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
