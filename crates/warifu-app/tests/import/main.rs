//! Importing people: what becomes of every row, that an import goes on where it was, and that its
//! memory and its versions are no more than they have to be; on both databases.
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is test code")]

#[path = "../installation/mod.rs"]
mod installation;

use installation::{Installation, super_administrator};
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use warifu_app::AppError;
use warifu_app::import::{ImportProgress, ImportRequest};
use warifu_domain::PersonId;
use warifu_domain::access::Role;
use warifu_domain::factors::Factor;
use warifu_domain::people::KnownPerson;
use warifu_storage::credentials::{self, NewCredential};
use warifu_storage::imports::Import;
use warifu_storage::people;

fn request(path: &Path) -> ImportRequest {
    ImportRequest { path: path.to_owned(), name: "people.csv".into(), mapping: Vec::new() }
}

/// Added, changed, as they were, rejected.
type Sums = (u64, u64, u64, u64);

async fn import(i: &Installation, path: &Path) -> (Import, Sums) {
    let progress = Arc::new(ImportProgress::default());
    let actor = super_administrator();
    let import = i.app.import_people(&actor, request(path), progress.clone()).await.unwrap();
    let n = |a: &std::sync::atomic::AtomicU64| a.load(Relaxed);
    let p = &progress;
    assert_eq!(n(&p.bytes_done), n(&p.bytes_total), "the bar reaches its end");
    (import, (n(&p.added), n(&p.changed), n(&p.same), n(&p.rejected)))
}

async fn by_email(i: &Installation, email: &str) -> KnownPerson {
    let mut reader = i.app.db.read().await.unwrap();
    people::find_by_email(&mut reader.conn(), email).await.unwrap().unwrap()
}

async fn versions(i: &Installation, id: PersonId) -> usize {
    let mut reader = i.app.db.read().await.unwrap();
    people::versions(&mut reader.conn(), id).await.unwrap().len()
}

async fn revision(i: &Installation) -> i64 {
    i.app.db.read().await.unwrap().conn().revision().await.unwrap().0
}

async fn found(i: &Installation, text: &str) -> usize {
    i.app.search(&super_administrator(), text, 50).await.unwrap().people.len()
}

async fn every_row_becomes_what_it_says(i: &Installation) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("people.csv");
    let mut text = String::from("full_name,email,company_name,last_login\n");
    for n in 0..1_500 {
        writeln!(text, "Person {n},p{n}@a{}.example,,2023-09-28", n % 30).unwrap();
    }
    // The same address again, spelt otherwise: the later row of the file is the one that holds.
    text.push_str(
        "Second,P7@A7.example,Seventh & Co,2023-09-29\nThird,p7@a7.EXAMPLE,,2023-09-30\n",
    );
    text.push_str(
        "No Address,,,\nNo Address,,,\nBad,nobody,,\nLate,late@a1.example,,noon\nshort\n",
    );
    std::fs::write(&path, &text).unwrap();
    let (done, sums) = import(i, &path).await;
    assert_eq!(sums, (1_502, 2, 0, 3));
    assert_eq!((done.rows_done, done.rejected, done.ended_at.is_some()), (1_507, 3, true));
    let rejects = i.app.import_rejects(&super_administrator(), done.id).await.unwrap();
    assert_eq!(rejects.iter().map(|r| r.line).collect::<Vec<_>>(), [1_506, 1_507, 1_508]);
    let seventh = by_email(i, "p7@a7.example").await;
    assert_eq!(seventh.record.full_name.as_deref(), Some("Third"));
    // Within one revision there is one version, and the index has the words of that one alone.
    assert_eq!(versions(i, seventh.id).await, 1);
    assert_eq!((found(i, "Second").await, found(i, "Third").await), (0, 1));
    assert_eq!(found(i, "p1499").await, 1);
    let first = by_email(i, "p0@a0.example").await;
    let other = by_email(i, "p30@a0.example").await;
    assert_eq!(first.organization, other.organization, "one organization for one domain");
    assert_ne!(first.organization, by_email(i, "p1@a1.example").await.organization);

    // The next state of the source: one person changed, one new, all others as they were.
    let next = text.replace("Person 3,p3@", "Person Three,p3@").replace("Second", "Third");
    let next =
        next.replace("Seventh & Co,2023-09-29", ",2023-09-30").replace("No Address,,,\n", "");
    let next =
        next.replace("Person 7,p7@a7.example,,2023-09-28", "Third,p7@a7.EXAMPLE,,2023-09-30");
    let next = next.replace("Third,P7@A7.example", "Third,p7@a7.EXAMPLE");
    std::fs::write(&path, next + "New,new@a1.example,,\n").unwrap();
    let (_, sums) = import(i, &path).await;
    assert_eq!(sums, (1, 1, 1_501, 3));
    let third = by_email(i, "p3@a3.example").await;
    assert_eq!(third.record.full_name.as_deref(), Some("Person Three"));
    assert_eq!(versions(i, third.id).await, 2);
    assert_eq!(versions(i, by_email(i, "p4@a4.example").await.id).await, 1);
    assert_eq!(versions(i, seventh.id).await, 1);
}

async fn goes_on_where_it_was(i: &Installation) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("people.jsonl");
    let mut text = String::new();
    for n in 0..12_000 {
        writeln!(text, r#"{{"full_name":"Person {n}","email":"p{n}@a.example"}}"#).unwrap();
    }
    std::fs::write(&path, &text).unwrap();
    let actor = super_administrator();
    let progress = Arc::new(ImportProgress::default());
    // Stopped as soon as something is in: what is in stays in, what is not has left no trace.
    let stopper = {
        let progress = progress.clone();
        tokio::spawn(async move {
            while progress.added.load(Relaxed) == 0 {
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
            progress.cancelled.store(true, Relaxed);
        })
    };
    let before = revision(i).await;
    let stopped = i.app.import_people(&actor, request(&path), progress.clone()).await;
    assert!(matches!(stopped, Err(AppError::Cancelled)), "{stopped:?}");
    stopper.await.unwrap();
    let half = progress.added.load(Relaxed);
    assert!(half > 0 && half < 12_000, "{half}");
    let rows = i.app.imports(&actor).await.unwrap()[0].rows_done;
    assert_eq!(rows as u64, half);
    let (done, (added, changed, same, rejected)) = import(i, &path).await;
    assert_eq!((half + added, changed, same, rejected), (12_000, 0, 0, 0));
    assert_eq!(done.rows_done, 12_000);
    assert_eq!(found(i, "p11999").await, 1);
    // A revision and an entry for some thousand rows, not for each.
    let made = revision(i).await - before;
    assert!(made < 12, "{made} revisions");
    let (_, sums) = import(i, &path).await;
    assert_eq!(sums, (0, 0, 0, 0), "a file that is in is not read again");
}

async fn long_rows_make_small_batches(i: &Installation) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("people.csv");
    let mut text = String::from("email,address,role description\n");
    let long = "x".repeat(4_000);
    for n in 0..2_500 {
        writeln!(text, "p{n}@a.example,{long},{long}").unwrap();
    }
    std::fs::write(&path, &text).unwrap();
    let before = revision(i).await;
    let (_, sums) = import(i, &path).await;
    assert_eq!(sums, (2_500, 0, 0, 0));
    // 20 MB of text in batches of 8 MiB.
    assert!(revision(i).await - before >= 4, "{}", revision(i).await - before);
}

/// A file has no key: how somebody with a way in is reached stays as it is, and the row with it.
async fn a_row_changes_no_way_to_reach_somebody_with_a_way_in(i: &Installation) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("people.csv");
    let rows = |phone: &str, name: &str| {
        let mut text = String::from("full_name,username,email,phone\n");
        for who in ["role", "factor", "neither", "named"] {
            let phone = if who == "named" { "1" } else { phone };
            writeln!(text, "{name},{who},{who}@a.example,{phone}").unwrap();
        }
        text
    };
    std::fs::write(&path, rows("1", "Before")).unwrap();
    assert_eq!(import(i, &path).await.1, (4, 0, 0, 0));
    let mut change = i.app.change().await.unwrap();
    let (at, revision) = (change.at(), change.revision());
    let id = async |name: &str| by_email(i, &format!("{name}@a.example")).await.id;
    let (role, factor, named) = (id("role").await, id("factor").await, id("named").await);
    people::grant(&mut change.conn(), revision, role, Role::OrganizationAdministrator)
        .await
        .unwrap();
    for person in [factor, named] {
        let key = NewCredential {
            person,
            kind: Factor::Passkey,
            credential_id: &person.0.to_be_bytes(),
            verifier: "{}",
            make: None,
            name: "key",
        };
        credentials::insert(&mut change.conn(), &key, at).await.unwrap();
    }
    change.commit().await.unwrap();

    std::fs::write(&path, rows("2", "After")).unwrap();
    let (done, sums) = import(i, &path).await;
    assert_eq!(sums, (0, 2, 0, 2));
    let rejects = i.app.import_rejects(&super_administrator(), done.id).await.unwrap();
    assert_eq!(rejects.iter().map(|r| r.line).collect::<Vec<_>>(), [2, 3]);
    assert!(rejects[0].reason.starts_with("phone: this person has a way in"), "{rejects:?}");
    for (who, name, phone) in [
        ("role", "Before", "1"),
        ("factor", "Before", "1"),
        ("neither", "After", "2"),
        ("named", "After", "1"),
    ] {
        let record = by_email(i, &format!("{who}@a.example")).await.record;
        let found = (record.full_name.as_deref(), record.phone.as_deref());
        assert_eq!(found, (Some(name), Some(phone)), "{who}");
    }
}

on_both! {
    every_row_becomes_what_it_says
    goes_on_where_it_was
    long_rows_make_small_batches
    a_row_changes_no_way_to_reach_somebody_with_a_way_in
}
