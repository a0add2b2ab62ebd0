//! Pages by keys: complete, nothing twice, while cases change.

use crate::on_both;
use std::collections::HashSet;
use warifu_app::cases::{Filter, Properties};
use warifu_domain::cases::{Priority, Status, View};
use warifu_storage::cases::Cursor;

#[test]
fn pages_are_complete_and_without_doubles_while_cases_change() {
    on_both(async |w| {
        let mut ids = Vec::new();
        for i in 0..60 {
            ids.push(w.ask(&w.kenta, &format!("Case {i}"), "text").await);
        }
        let (mut seen, mut touched) = (Vec::new(), HashSet::new());
        let mut after = Cursor::START;
        let mut round = 0;
        loop {
            let page =
                w.app.case_page(&w.agent, View::Active, Filter::default(), after, 7).await.unwrap();
            assert_eq!(page.total, Some(60));
            assert!(page.cases.len() <= 7);
            seen.extend(page.cases.iter().map(|c| c.id));
            // Between two pages somebody changes a case from the front, the middle and the end.
            for place in [round, 30 + round, 59 - round] {
                let id = ids[place % 60];
                if touched.insert(id) {
                    w.app.note(&w.other_agent, id, "touched", vec![]).await.unwrap();
                }
            }
            round += 1;
            match page.next {
                Some(next) => after = next,
                None => break,
            }
        }
        let once: HashSet<_> = seen.iter().copied().collect();
        assert_eq!(once.len(), seen.len(), "something came twice");
        // What did not move was seen; what moved did so to the front.
        for id in ids.iter().filter(|id| !touched.contains(id)) {
            assert!(once.contains(id), "{id} was left out");
        }
        assert!(touched.len() < 40, "the test would prove nothing");
    });
}

#[test]
fn a_filter_keeps_pages_complete() {
    on_both(async |w| {
        let mut urgent = Vec::new();
        for i in 0..40 {
            let id = w.ask(&w.kenta, &format!("Case {i}"), "text").await;
            if i % 3 == 0 {
                let p = Properties { priority: Some(Priority::Urgent), ..Properties::default() };
                w.app.set_properties(&w.agent, id, &p, None).await.unwrap();
                urgent.push(id);
            }
        }
        urgent.reverse();
        let filter = Filter { priority: Some(Priority::Urgent), ..Filter::default() };
        let (mut seen, mut after, mut pages) = (Vec::new(), Cursor::START, 0);
        loop {
            let page = w
                .app
                .case_page(&w.agent, View::WithStatus(Status::New), filter, after, 5)
                .await
                .unwrap();
            assert_eq!(page.total, None);
            seen.extend(page.cases.iter().map(|c| c.id));
            pages += 1;
            match page.next {
                Some(next) => after = next,
                None => break,
            }
        }
        assert_eq!((seen, pages), (urgent, 3));
    });
}
