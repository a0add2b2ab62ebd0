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
use warifu_domain::reports::{Definition, Filter, Format, OrderKey, Subject};
use warifu_domain::{DownloadId, PersonId, Timestamp};
use warifu_match::definition::{Format as Kind, Known};
use warifu_match::read::{FileRows, ReadOptions, read_people};
use warifu_match::written::write_known;
use warifu_storage::people;

on_both! { a_removed_filter_is_found saved_filters_take_part_whatever_they_say neighbouring_moments_are_tried a_chance_hit_hides_no_neighbouring_moment reports_of_every_kind_are_found a_workbook_is_the_same_on_its_own not_everybody_may_investigate a_replay_runs_in_the_background }

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

async fn a_chance_hit_hides_no_neighbouring_moment(i: &Installation) {
    i.people(200).await;
    let a = super_administrator();
    let everybody = Definition::of_everything(Subject::People);
    let before = i.app.preview(&a, &everybody).await.unwrap();
    // Three changes within the window, one of them of an organization, one a new person.
    for (person, length) in [(7, 3), (8, 1)] {
        let mut change = i.app.change().await.unwrap();
        let revision = change.revision();
        let mut p = people::find(&mut change.conn(), PersonId(person)).await.unwrap().unwrap();
        p.record.saml_federation_id = Some("x".repeat(length));
        people::update(&mut change.conn(), revision, &p).await.unwrap();
        change.commit().await.unwrap();
    }
    // A size only: at the recorded time other definitions give it by chance.
    let incident = i.app.open_incident(&a, "Which?", "").await.unwrap();
    let new = telemetry(before.bytes, i.app.now());
    let download = i.app.record_download(&a, incident, new).await.unwrap();
    let found = i.app.match_download(&a, incident, download).await.unwrap();
    assert_eq!(found["states"], 4, "one before the people came, and three since");
    let list = found["candidates"].as_array().unwrap();
    let truth = list.iter().find(|c| {
        c["filter"] == "everybody (no filter)" && c["columns"].as_array().unwrap().len() == 15
    });
    let truth = truth.unwrap_or_else(|| panic!("{found:#}"));
    assert_eq!(truth["revision"].as_i64(), Some(before.as_of.0));
    let rank = truth["rank"].as_u64().unwrap();
    let exposed = i.app.exposure(&a, incident, download, rank).await.unwrap();
    assert_eq!(exposed.people, 200);
    let federated = exposed.fields.iter().find(|(k, _)| k == "saml_federation_id").unwrap();
    assert_eq!(federated.1, 0, "nobody had one in that state");
    // People are counted, not their versions.
    let count = |part: &str| found[part]["people"].as_u64().unwrap();
    assert_eq!(count("certain") + count("possible") + count("excluded"), 200);
}

async fn reports_of_every_kind_are_found(i: &Installation) {
    i.people(700).await;
    let a = super_administrator();
    let latest = Definition {
        order: vec![OrderKey { column: "last_login".into(), descending: true }],
        limit: Some(60),
        ..filtered(r#"{"column":"user_type","op":"equals","value":"Customer Standard"}"#)
    };
    let some = |keys: &[&str]| keys.iter().map(|k| (*k).to_owned()).collect::<Vec<_>>();
    let lines = Definition {
        format: Format::JsonLines,
        columns: some(&["full_name", "address", "last_login"]),
        ..filtered(r#"{"column":"last_login","op":"filled"}"#)
    };
    let limited_lines = Definition { format: Format::JsonLines, ..latest.clone() };
    let book = Definition { format: Format::Xlsx, ..filtered(r#"{"all":[]}"#) };
    let incident = i.app.open_incident(&a, "Which?", "").await.unwrap();
    for definition in [&latest, &lines, &limited_lines, &book] {
        i.app.save_definition(&a, None, "Saved", "", definition).await.unwrap();
        let (run, bytes) = take(&i.app, &a, definition).await;
        let download = i.app.record_run(&a, incident, run).await.unwrap();
        let found = i.app.match_download(&a, incident, download).await.unwrap();
        let best = &found["candidates"][0];
        assert_eq!(best["bytes"].as_u64(), Some(bytes.len() as u64), "{found:#}");
        assert_eq!(best["verified"], true, "{best:#}");
        let made: Definition = serde_json::from_value(best["definition"].clone()).unwrap();
        assert_eq!(made, *definition);
        let rows = if definition.limit.is_some() { 60 } else { best["rows"].as_u64().unwrap() };
        let exposed = i.app.exposure(&a, incident, download, 1).await.unwrap();
        assert_eq!(exposed.people, rows);
        assert_eq!(found["exposure"]["people"].as_u64(), Some(rows));
        let count = |part: &str| found[part]["people"].as_u64().unwrap();
        assert!(count("certain") <= rows && count("excluded") <= 700 - rows);
    }
    // Nobody saved this one: JSON Lines sizes are searched as CSV's are.
    let unsaved = Definition {
        columns: some(&["full_name", "email", "user_type", "address"]),
        ..lines.clone()
    };
    let size = i.app.preview(&a, &unsaved).await.unwrap();
    let new = NewDownload { rows: Some(size.rows), ..telemetry(size.bytes, i.app.now()) };
    let download = i.app.record_download(&a, incident, new).await.unwrap();
    let found = i.app.match_download(&a, incident, download).await.unwrap();
    let list = found["candidates"].as_array().unwrap();
    let truth = list.iter().find(|c| {
        let made: Definition = serde_json::from_value(c["definition"].clone()).unwrap();
        made.columns == unsaved.columns && made.format == Format::JsonLines
    });
    assert!(truth.is_some(), "{found:#}");
}

/// `warifu match` writes workbooks by itself where there is no installation: to the byte as one does.
async fn a_workbook_is_the_same_on_its_own(i: &Installation) {
    i.people(150).await;
    let a = super_administrator();
    // Not the last login: a workbook has its milliseconds, and the CSV file has not.
    let columns = ["created_date", "full_name", "email", "address", "user_type"];
    let everybody = Definition {
        columns: columns.map(str::to_owned).to_vec(),
        ..Definition::of_everything(Subject::People)
    };
    let (_, csv) = take(&i.app, &a, &everybody).await;
    let book = Definition { format: Format::Xlsx, ..everybody };
    let (_, taken) = take(&i.app, &a, &book).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("people.csv");
    std::fs::write(&path, csv).unwrap();
    let table = read_people(&path, &ReadOptions::default(), &|_, _| true).unwrap();
    let known = [Known { name: "book".into(), format: Kind::Xlsx, ..Known::default() }];
    let mut source = FileRows::new(&path, &table);
    let (written, left_out) = write_known(&table, &known, &[], &mut source).unwrap();
    assert!(left_out.is_empty(), "{left_out:?}");
    assert_eq!(written[0].bytes, taken.len() as u64);
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
    for _ in 0..6_000 {
        if job.outcome.get().is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let (outcome, _) = job.outcome.get().expect("it ends");
    let replayed = outcome.as_ref().unwrap();
    assert_eq!((replayed.bytes, &replayed.difference), (bytes.len() as u64, &None));
    // Prepared, never taken: there is nothing to compare with.
    let prepared = i.app.prepare_run(&installation::console(&a), ask(everybody)).await.unwrap();
    assert!(matches!(i.app.start_replay(&a, prepared.id).await, Err(AppError::Conflict(_))));
}
