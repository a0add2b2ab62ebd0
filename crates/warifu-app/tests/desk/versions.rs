//! As-of reads of cases: what held at a revision is what is read of it later, alike on both engines.

use crate::{World, on_both};
use std::ops::ControlFlow;
use std::sync::Mutex;
use warifu_app::cases::{Answer, Properties};
use warifu_domain::Revision;
use warifu_domain::cases::{Priority, Status};
use warifu_domain::reports::{Subject, Value};
use warifu_storage::bulk::{Only, Scan, scan};

async fn rows(w: &World, as_of: Revision, organization: Option<i64>) -> Vec<String> {
    let columns = Subject::Cases.columns();
    let all: Vec<usize> = (0..columns.len()).collect();
    let order = vec![(Subject::Cases.index("subject").unwrap(), false)];
    let only = organization.map_or(Only::Everything, Only::Organization);
    let wanted = Scan { subject: Subject::Cases, as_of, columns: all, only, order };
    let (db, runtime) = (w.app.db.clone(), tokio::runtime::Handle::current());
    tokio::task::spawn_blocking(move || {
        let mut out = Vec::new();
        scan(&db, &runtime, &wanted, &mut |id, values| {
            let cells: Vec<String> = values
                .iter()
                .map(|v| match v {
                    Value::Text(t) => (*t).to_owned(),
                    other => format!("{other:?}"),
                })
                .collect();
            out.push(format!("{id}|{}", cells.join("|")));
            ControlFlow::Continue(())
        })
        .unwrap();
        out
    })
    .await
    .unwrap()
}

#[test]
fn a_revision_reads_the_same_for_ever_on_both_engines() {
    let engines: Mutex<Vec<Vec<Vec<String>>>> = Mutex::default();
    on_both(async |w| {
        // The clock is a test's own and steps evenly, so both engines see the same instants.
        let mut states = Vec::new();
        let note = async |states: &mut Vec<(Revision, Vec<String>)>| {
            let revision = w.app.db.read().await.unwrap().conn().revision().await.unwrap();
            states.push((revision, rows(w, revision, None).await));
        };
        note(&mut states).await;
        let a = w.ask(&w.kenta, "証明書\tの更新", "a").await;
        note(&mut states).await;
        let b = w.ask(&w.stranger, "back\\slash \"quoted\", comma", "b").await;
        let c = w.ask(&w.yui, "Zebra", "c").await;
        note(&mut states).await;
        w.app.reply(&w.agent, a, Answer { body: "r".into(), ..Answer::default() }).await.unwrap();
        note(&mut states).await;
        let many = Properties {
            status: Some(Status::Solved),
            priority: Some(Priority::Urgent),
            assignee: Some(Some(w.agent.person)),
            tags: Some("saml,更新".into()),
        };
        w.app.set_many(&w.agent, &[a, b, c], &many).await.unwrap();
        note(&mut states).await;
        w.app
            .answer_case(&w.yui, c, Answer { body: "again".into(), ..Answer::default() })
            .await
            .unwrap();
        note(&mut states).await;

        let mut kept = Vec::new();
        for (revision, then) in states {
            assert_eq!(rows(w, revision, None).await, then, "revision {revision}");
            kept.push(then);
        }
        assert_eq!(kept.iter().map(Vec::len).collect::<Vec<_>>(), [0, 1, 3, 3, 3, 3]);
        let head = w.app.db.read().await.unwrap().conn().revision().await.unwrap();
        assert_eq!(rows(w, head, Some(w.acme.0)).await.len(), 1);
        engines.lock().unwrap().push(kept);
    });
    let engines = engines.into_inner().unwrap();
    if let [sqlite, postgres] = &engines[..] {
        assert_eq!(sqlite, postgres);
    }
}
