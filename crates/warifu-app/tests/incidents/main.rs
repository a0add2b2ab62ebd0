//! The story of autumn 2023 on real databases: a report over everybody leaves, the log of a proxy
//! has its size, the first analysis guesses a filtered report, the match finds the real one.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test that cannot go on fails, and its names are random"
)]

#[path = "../installation/mod.rs"]
mod installation;

use installation::{Installation, actor, ask, super_administrator, take};
use std::sync::Arc;
use std::time::Duration;
use warifu_app::AppError;
use warifu_app::incidents::{MatchProgress, NewDownload};
use warifu_domain::access::Role;
use warifu_domain::reports::{Definition, Filter, Subject};
use warifu_domain::{DownloadId, PersonId, Timestamp};
use warifu_storage::people;

on_both! { a_removed_filter_is_found saved_filters_take_part_whatever_they_say neighbouring_moments_are_tried not_everybody_may_investigate a_replay_runs_in_the_background }

fn filtered(json: &str) -> Definition {
    Definition {
        filter: serde_json::from_str::<Filter>(json).unwrap(),
        ..Definition::of_everything(Subject::People)
    }
}

fn telemetry(bytes: u64, at: Timestamp) -> NewDownload {
    NewDownload {
        bytes: bytes.to_string(),
        at: Some(at),
        who: "svc-reports".into(),
        network: "AS64496".into(),
        source: "proxy".into(),
        ..NewDownload::default()
    }
}

async fn a_removed_filter_is_found(i: &Installation) {
    i.people(3_000).await;
    let a = super_administrator();
    // A saved report that somebody runs every month, with its filter.
    let partners = filtered(r#"{"column":"user_type","op":"equals","value":"Employee"}"#);
    let (id, _) = i.app.save_definition(&a, None, "Employees", "", &partners).await.unwrap();
    // What the thief took: the same report without the filter. Only its size is known, so the
    // run itself is made on the quiet here.
    let everybody = Definition::of_everything(Subject::People);
    let size = i.app.preview(&a, &everybody).await.unwrap().bytes;
    let at = i.app.now();
    // Life goes on: what the match must look at is the state of then.
    let mut change = i.app.change().await.unwrap();
    let revision = change.revision();
    let mut p = people::find(&mut change.conn(), PersonId(7)).await.unwrap().unwrap();
    p.record.phone = Some("+81 3 0000 0000".into());
    people::update(&mut change.conn(), revision, &p).await.unwrap();
    change.commit().await.unwrap();

    let incident = i.app.open_incident(&a, "What was in the download?", "").await.unwrap();
    let download = i.app.record_download(&a, incident, telemetry(size, at)).await.unwrap();
    i.app.set_guess(&a, incident, download, id, None).await.unwrap();
    let found = i.app.match_download(&a, incident, download).await.unwrap();

    let best = &found["candidates"][0];
    assert_eq!(best["filter"], "everybody (no filter)", "{found:#}");
    assert_eq!((best["rows"].as_u64(), best["difference"].as_i64()), (Some(3_000), Some(0)));
    assert_eq!(best["verified"], true);
    assert_eq!(best["definition"]["filter"], serde_json::json!({"all": []}));
    let exposed = i.app.exposure(&a, incident, download, 1).await.unwrap();
    assert_eq!((exposed.people, exposed.organizations), (3_000, 7));
    let email = exposed.fields.iter().find(|(k, _)| k == "email").unwrap();
    assert_eq!(email.1, 3_000);
    // One text in eight is empty in the installation's people: they have no address.
    assert_eq!(exposed.only_name_and_email, 375);
    assert_eq!(exposed.largest.iter().map(|o| o.people).sum::<u64>(), 3_000);

    let guess = &found["guess"];
    assert_eq!(guess["rows"], 600);
    assert!(guess["difference"].as_i64().unwrap() < 0, "the guess is smaller: {guess}");
    assert_eq!(guess["conditions_gone"].as_array().unwrap().len(), 1);
    assert_eq!(guess["columns_gone"], serde_json::json!([]));

    // Kept, and in the ledger with a digest.
    let room = i.app.incident(&a, incident).await.unwrap();
    assert!(room.downloads[0].result.as_deref().unwrap().contains("answer_sha256"));
    let report = i.app.verify_ledger(|_, _| {}).await.unwrap().unwrap();
    assert_eq!(report.size as i64, i.app.ledger_head().await.unwrap().size);
    i.app.close_incident(&a, incident).await.unwrap();
    assert!(matches!(i.app.close_incident(&a, incident).await, Err(AppError::Conflict(_))));
}

async fn saved_filters_take_part_whatever_they_say(i: &Installation) {
    i.people(900).await;
    let a = super_administrator();
    // No predicate of the match can say this one.
    let odd = filtered(
        r#"{"any":[{"column":"full_name","op":"contains","value":"QUOTES"},{"not":{"column":"email","op":"ends_with","value":"@o3.example"}}]}"#,
    );
    i.app.save_definition(&a, None, "Odd", "", &odd).await.unwrap();
    let (run, bytes) = take(&i.app, &a, &odd).await;
    let incident = i.app.open_incident(&a, "Which?", "").await.unwrap();
    let download = i.app.record_run(&a, incident, run).await.unwrap();
    let found = i.app.match_download(&a, incident, download).await.unwrap();
    let best = &found["candidates"][0];
    assert_eq!(best["bytes"].as_u64(), Some(bytes.len() as u64), "{found:#}");
    assert_eq!(best["verified"], true);
    assert_eq!(best["definition"]["filter"], serde_json::to_value(&odd.filter).unwrap());
}

async fn neighbouring_moments_are_tried(i: &Installation) {
    i.people(200).await;
    let a = super_administrator();
    let everybody = Definition::of_everything(Subject::People);
    let before = i.app.preview(&a, &everybody).await.unwrap().bytes;
    // The clock of the proxy is late: at its time, somebody had already got a phone number whose
    // length nothing else explains.
    let mut change = i.app.change().await.unwrap();
    let revision = change.revision();
    let mut p = people::find(&mut change.conn(), PersonId(7)).await.unwrap().unwrap();
    p.record.saml_federation_id = Some("x".repeat(977));
    people::update(&mut change.conn(), revision, &p).await.unwrap();
    change.commit().await.unwrap();
    let new = NewDownload { rows: Some(200), ..telemetry(before, i.app.now()) };
    let incident = i.app.open_incident(&a, "Which?", "").await.unwrap();
    let download = i.app.record_download(&a, incident, new).await.unwrap();
    let found = i.app.match_download(&a, incident, download).await.unwrap();
    assert!(found["states"].as_u64().unwrap() >= 2, "{found:#}");
    assert!(found["as_of"]["revision"].as_i64().unwrap() < revision.0);
    assert_eq!(found["candidates"][0]["filter"], "everybody (no filter)");
}

async fn not_everybody_may_investigate(i: &Installation) {
    i.people(10).await;
    let a = super_administrator();
    let incident = i.app.open_incident(&a, "Which?", "").await.unwrap();
    let at = i.app.now();
    for role in [Role::Agent, Role::Administrator, Role::OrganizationAdministrator] {
        let who = actor(role);
        let denied = |e| matches!(e, AppError::Denied(_));
        assert!(denied(i.app.incidents(&who).await.unwrap_err()));
        assert!(denied(i.app.record_download(&who, incident, telemetry(9, at)).await.unwrap_err()));
        assert!(denied(i.app.start_match(&who, incident, DownloadId(1)).await.unwrap_err()));
        assert!(denied(i.app.exposure(&who, incident, DownloadId(1), 1).await.unwrap_err()));
    }
    for (bytes, tolerance, field) in [("many", "0", "bytes"), ("5", "lots", "tolerance")] {
        let new =
            NewDownload { bytes: bytes.into(), tolerance: tolerance.into(), ..telemetry(1, at) };
        let e = i.app.record_download(&a, incident, new).await.unwrap_err();
        assert!(matches!(e, AppError::Invalid { field: f, .. } if f == field), "{e}");
    }
    // A search that is told to stop leaves no result.
    let download = i.app.record_download(&a, incident, telemetry(1_000, at)).await.unwrap();
    let progress: Arc<MatchProgress> = Arc::default();
    progress.cancel();
    let known = i.app.download(&a, incident, download).await.unwrap();
    let e = i.app.find_definitions(&a, &known, &progress).await.unwrap_err();
    assert!(matches!(e, AppError::Cancelled), "{e}");
}

async fn a_replay_runs_in_the_background(i: &Installation) {
    i.people(300).await;
    let a = super_administrator();
    let everybody = Definition::of_everything(Subject::People);
    let (run, bytes) = take(&i.app, &a, &everybody).await;
    i.app.start_replay(&a, run).await.unwrap();
    let job = i.app.replays.job(run).unwrap();
    for _ in 0..500 {
        if job.outcome.get().is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let (outcome, _) = job.outcome.get().unwrap();
    let replayed = outcome.as_ref().unwrap();
    assert_eq!((replayed.bytes, &replayed.difference), (bytes.len() as u64, &None));
    // Prepared, never taken: there is nothing to compare with.
    let prepared = i.app.prepare_run(&a, ask(everybody)).await.unwrap();
    assert!(matches!(i.app.start_replay(&a, prepared.id).await, Err(AppError::Conflict(_))));
}
