//! The kept counts are what counting gives, whatever happened.

use crate::{World, on_both};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use warifu_app::cases::{Answer, Properties};
use warifu_domain::CaseId;
use warifu_domain::cases::{Priority, Status, View};
use warifu_storage::cases::{self as store, Cursor};

#[derive(Clone, Debug)]
enum Act {
    Ask(u8),
    Reply(u8, Option<Status>),
    Answer(u8),
    Close(u8),
    Set(Vec<u8>, Option<Status>, Option<Option<bool>>),
}

fn act() -> impl Strategy<Value = Act> {
    let status = || prop::option::of(prop::sample::select(Status::ALL));
    prop_oneof![
        (0..3_u8).prop_map(Act::Ask),
        (any::<u8>(), status()).prop_map(|(c, s)| Act::Reply(c, s)),
        any::<u8>().prop_map(Act::Answer),
        any::<u8>().prop_map(Act::Close),
        (prop::collection::vec(any::<u8>(), 1..6), status(), any::<Option<Option<bool>>>())
            .prop_map(|(c, s, a)| Act::Set(c, s, a)),
    ]
}

async fn run(w: &World, act: &Act, ids: &mut Vec<CaseId>) {
    let customers = [&w.kenta, &w.yui, &w.stranger];
    let pick = |ids: &[CaseId], i: u8| ids[i as usize % ids.len()];
    let text = || Answer { body: "x".into(), ..Answer::default() };
    // Refusals (a closed case, somebody else's) are part of the game; nothing may have changed then.
    match act {
        Act::Ask(who) => ids.push(w.ask(customers[*who as usize], "s", "b").await),
        _ if ids.is_empty() => {}
        Act::Reply(c, then) => {
            let answer = Answer { then: *then, ..text() };
            let _ = w.app.reply(&w.agent, pick(ids, *c), answer).await;
        }
        Act::Answer(c) => {
            let _ = w.app.answer_case(&w.owner, pick(ids, *c), text()).await;
        }
        Act::Close(c) => {
            let _ = w.app.close_case(&w.kenta, pick(ids, *c)).await;
        }
        Act::Set(cases, status, assignee) => {
            let to = assignee
                .map(|a| a.map(|first| if first { w.agent.person } else { w.other_agent.person }));
            let wanted = Properties {
                status: *status,
                assignee: to,
                priority: Some(Priority::High),
                tags: None,
            };
            let cases: Vec<CaseId> = cases.iter().map(|c| pick(ids, *c)).collect();
            let _ = w.app.set_many(&w.agent, &cases, &wanted).await;
        }
    }
}

#[test]
fn kept_counts_are_what_counting_gives() {
    let mut runner = TestRunner::deterministic();
    let acts = prop::collection::vec(act(), 120..121).new_tree(&mut runner).unwrap().current();
    on_both(async |w| {
        let mut ids = Vec::new();
        for (i, act) in acts.iter().enumerate() {
            run(w, act, &mut ids).await;
            if i % 10 != 9 {
                continue;
            }
            let mut views = vec![
                View::Mine(w.agent.person),
                View::Mine(w.other_agent.person),
                View::Unassigned,
                View::Active,
                View::Organization(w.mizuno),
                View::Organization(w.acme),
                View::Requester(w.kenta.person),
                View::Requester(w.yui.person),
                View::Requester(w.stranger.person),
            ];
            views.extend(Status::ALL.iter().map(|s| View::WithStatus(*s)));
            let mut reader = w.app.db.read().await.unwrap();
            let mut conn = reader.conn();
            for view in views {
                let listed = store::list(&mut conn, view, Cursor::START, 10_000).await.unwrap();
                let kept = store::count(&mut conn, view).await.unwrap();
                assert_eq!(kept, listed.len() as i64, "{view:?} after {:?}", &acts[..=i]);
            }
            for (status, n) in
                store::count_by_status(&mut conn, View::Organization(w.mizuno)).await.unwrap()
            {
                let all =
                    store::list(&mut conn, View::Organization(w.mizuno), Cursor::START, 10_000)
                        .await
                        .unwrap();
                assert_eq!(n, all.iter().filter(|c| c.status == status).count() as i64);
            }
        }
        assert!(ids.len() > 10, "the test would prove nothing");
    });
}
