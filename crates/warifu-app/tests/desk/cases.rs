//! The life of a case.

use crate::on_both;
use warifu_app::AppError;
use warifu_app::cases::{Answer, CaseEvent, Properties, Sent};
use warifu_app::live::Event;
use warifu_domain::cases::{MessageKind, Priority, Status};
use warifu_domain::time::HOUR;
use warifu_domain::{CaseId, MessageId};
use warifu_storage::cases as store;

fn answer(body: &str) -> Answer {
    Answer { body: body.into(), ..Answer::default() }
}

#[test]
fn a_case_from_question_to_closing() {
    on_both(async |w| {
        let mut live = w.app.live.subscribe();
        let id = w.ask(&w.kenta, "Sign-in loop", "It goes round and round.").await;
        assert_eq!(live.try_recv().unwrap(), Event::Case(id, w.kenta.person));
        let read = async || {
            store::find(&mut w.app.db.read().await.unwrap().conn(), id).await.unwrap().unwrap()
        };
        let case = read().await;
        assert_eq!((case.status, case.messages, case.organization), (Status::New, 1, w.mizuno));

        let sent = w.app.reply(&w.agent, id, answer("Which browser?")).await.unwrap();
        assert!(matches!(sent, Sent::Yes(_)));
        let case = read().await;
        let first_reply = case.first_reply_at.unwrap();
        assert_eq!((case.status, case.messages), (Status::Waiting, 2));

        w.app.answer_case(&w.kenta, id, answer("Chromium")).await.unwrap();
        assert_eq!(read().await.status, Status::Open);
        w.app.note(&w.agent, id, "known bug", vec![]).await.unwrap();
        let done = Answer { then: Some(Status::Solved), ..answer("Fixed.") };
        w.app.reply(&w.agent, id, done).await.unwrap();
        let case = read().await;
        assert_eq!((case.status, case.messages), (Status::Solved, 5));
        assert_eq!(case.first_reply_at, Some(first_reply), "only the first reply counts");
        assert!(case.solved_at.is_some());

        w.app.answer_case(&w.kenta, id, answer("Not yet.")).await.unwrap();
        let case = read().await;
        assert_eq!((case.status, case.solved_at), (Status::Open, None));
        w.app.close_case(&w.kenta, id).await.unwrap();
        assert_eq!(read().await.status, Status::Solved);
        w.app.close_case(&w.kenta, id).await.unwrap();

        let closed = Properties { status: Some(Status::Closed), ..Properties::default() };
        w.app.set_properties(&w.agent, id, &closed, None).await.unwrap();
        for refused in [
            w.app.reply(&w.agent, id, answer("x")).await.err(),
            w.app.answer_case(&w.kenta, id, answer("x")).await.err(),
            w.app
                .set_properties(
                    &w.agent,
                    id,
                    &Properties { status: Some(Status::Open), ..closed },
                    None,
                )
                .await
                .err(),
        ] {
            assert!(matches!(refused, Some(AppError::Conflict(_))), "{refused:?}");
        }
        assert_eq!(
            w.case_changes().await,
            [
                "opened",
                "replied",
                "answered",
                "noted",
                "replied",
                "answered",
                "solved",
                "status_changed"
            ]
        );
    });
}

#[test]
fn a_customer_who_replies_while_the_agent_types_is_heard_first() {
    on_both(async |w| {
        let id = w.ask(&w.kenta, "Loop", "first").await;
        let seen = w.app.open_case(&w.agent, id, None).await.unwrap().last_entry();
        // What is no message to or from the customer does not stop a reply.
        w.app.note(&w.other_agent, id, "between us", vec![]).await.unwrap();
        let tags = Properties { tags: Some("vip".into()), ..Properties::default() };
        w.app.set_properties(&w.other_agent, id, &tags, None).await.unwrap();
        w.app.answer_case(&w.kenta, id, answer("one more thing")).await.unwrap();

        let mut typed = Answer { last_seen: Some(seen), ..answer("my answer") };
        let before = w.ledger().await.len();
        let Sent::Arrived(arrived) = w.app.reply(&w.agent, id, typed.clone()).await.unwrap() else {
            panic!("it was sent");
        };
        assert_eq!(
            (arrived.body.as_str(), arrived.kind),
            ("one more thing", MessageKind::Customer)
        );
        assert_eq!(w.ledger().await.len(), before, "nothing happened");
        typed.last_seen = Some(arrived.id);
        assert!(matches!(w.app.reply(&w.agent, id, typed).await.unwrap(), Sent::Yes(_)));
        // The customer is told the same of the vendor's reply.
        let typed = Answer { last_seen: Some(arrived.id), ..answer("and?") };
        assert!(matches!(w.app.answer_case(&w.kenta, id, typed).await.unwrap(), Sent::Arrived(_)));
    });
}

#[test]
fn two_changes_of_one_property_do_not_overwrite_each_other() {
    on_both(async |w| {
        let id = w.ask(&w.kenta, "Loop", "first").await;
        let shown = w.app.open_case(&w.agent, id, None).await.unwrap().case.updated_at;
        let urgent = Properties { priority: Some(Priority::Urgent), ..Properties::default() };
        w.app.set_properties(&w.other_agent, id, &urgent, Some(shown)).await.unwrap();
        let low = Properties { priority: Some(Priority::Low), ..Properties::default() };
        let late = w.app.set_properties(&w.agent, id, &low, Some(shown)).await;
        assert!(
            matches!(&late, Err(AppError::Conflict(t)) if t.to_string().contains("Ben Ito")),
            "{late:?}"
        );
        // Another property has not been touched.
        let mine = Properties { assignee: Some(Some(w.agent.person)), ..Properties::default() };
        let case = w.app.set_properties(&w.agent, id, &mine, Some(shown)).await.unwrap();
        assert_eq!((case.priority, case.assignee), (Priority::Urgent, Some(w.agent.person)));
        let open = w.app.open_case(&w.agent, id, None).await.unwrap();
        let last = open.entries.last().unwrap().event.clone();
        assert_eq!(last, Some(CaseEvent::Assignee(None, Some(w.agent.person))));
        for nobody in [w.kenta.person, w.responder.person, warifu_domain::PersonId(999)] {
            let to = Properties { assignee: Some(Some(nobody)), ..Properties::default() };
            let refused = w.app.set_properties(&w.agent, id, &to, None).await;
            assert!(matches!(refused, Err(AppError::Invalid { field: "assignee", .. })));
        }
    });
}

#[test]
fn many_cases_change_in_one_transaction_or_not_at_all() {
    on_both(async |w| {
        let mut ids = Vec::new();
        for i in 0..5 {
            ids.push(w.ask(&w.kenta, &format!("Case {i}"), "text").await);
        }
        let close = Properties { status: Some(Status::Closed), ..Properties::default() };
        w.app.set_properties(&w.agent, ids[0], &close, None).await.unwrap();
        let revision = async || w.app.db.read().await.unwrap().conn().revision().await.unwrap();
        let before = revision().await;
        let solve = Properties { status: Some(Status::Solved), ..Properties::default() };
        let missing = [ids.clone(), vec![CaseId(999)]].concat();
        assert!(matches!(
            w.app.set_many(&w.agent, &missing, &solve).await,
            Err(AppError::NotFound("case"))
        ));
        assert_eq!(revision().await, before, "nothing was changed");
        let done = w.app.set_many(&w.agent, &ids, &solve).await.unwrap();
        assert_eq!(revision().await.0, before.0 + 1);
        assert_eq!((done.changed.as_slice(), done.refused.as_slice()), (&ids[1..], &ids[..1]));
        let again = w.app.set_many(&w.agent, &ids, &solve).await.unwrap();
        assert_eq!((again.changed.len(), again.same.len()), (0, 4));
    });
}

#[test]
fn staff_who_open_a_case_are_recorded_once_an_hour_and_session() {
    on_both(async |w| {
        let id = w.ask(&w.kenta, "Loop", "first").await;
        let viewed = async || w.case_changes().await.iter().filter(|c| *c == "viewed").count();
        for _ in 0..3 {
            w.app.open_case(&w.agent, id, None).await.unwrap();
        }
        assert_eq!(viewed().await, 1);
        w.app.open_case(&w.other_agent, id, None).await.unwrap();
        assert_eq!(viewed().await, 2);
        let mut second_session = w.agent.clone();
        second_session.session = Some([99; 32]);
        w.app.open_case(&second_session, id, None).await.unwrap();
        assert_eq!(viewed().await, 3);
        w.wait(HOUR);
        w.app.open_case(&w.agent, id, None).await.unwrap();
        assert_eq!(viewed().await, 4);
        // Customers reading their own case leave no entry, and see who else read it.
        let open = w.app.open_case(&w.kenta, id, None).await.unwrap();
        assert_eq!(viewed().await, 4);
        assert_eq!(open.views.iter().map(|v| v.1).sum::<i64>(), 4);
        // The ledger names the case, never its words.
        for entry in w.ledger().await {
            let text = String::from_utf8(entry.to_bytes().unwrap().into_vec()).unwrap();
            assert!(!text.contains("Loop") && !text.contains("first"), "{text}");
        }
        assert!(w.app.open_case(&w.responder, id, None).await.is_err());
    });
}

#[test]
fn a_long_conversation_is_read_in_pieces() {
    on_both(async |w| {
        let id = w.ask(&w.kenta, "Long", "message 0").await;
        for i in 1..=70 {
            w.app.note(&w.agent, id, &format!("note {i}"), vec![]).await.unwrap();
        }
        let last = w.app.open_case(&w.agent, id, None).await.unwrap();
        assert_eq!((last.entries.len(), last.earlier), (60, 11));
        let before = Some(last.entries[0].message.id);
        let first = w.app.open_case(&w.agent, id, before).await.unwrap();
        assert_eq!((first.entries.len(), first.earlier), (11, 0));
        assert_eq!(first.entries[0].message.body, "message 0");
        // A customer sees neither notes nor how many there are.
        let own = w.app.open_case(&w.kenta, id, None).await.unwrap();
        assert_eq!((own.entries.len(), own.earlier), (1, 0));
        assert_eq!(own.last_entry(), MessageId(own.entries[0].message.id.0));
    });
}

#[test]
fn wrong_texts_are_refused_with_their_field() {
    on_both(async |w| {
        let new = |subject: &str, body: &str| warifu_app::cases::NewCase {
            subject: subject.into(),
            body: body.into(),
            ..Default::default()
        };
        for (case, field) in [(new("", "b"), "subject"), (new("s", " \n"), "body")] {
            let refused = w.app.create_case(&w.kenta, case).await;
            assert!(matches!(refused, Err(AppError::Invalid { field: f, .. }) if f == field));
        }
        let mut wrong = new("s", "b");
        wrong.product = "nope".into();
        assert!(matches!(
            w.app.create_case(&w.kenta, wrong).await,
            Err(AppError::Invalid { field: "product", .. })
        ));
        assert!(matches!(
            w.app.create_case(&w.agent, new("s", "b")).await,
            Err(AppError::Invalid { field: "person", .. })
        ));
        let found = w.app.find_requester(&w.agent, " Kenta.Sato@o2.example ").await.unwrap();
        assert_eq!(found.id, w.kenta.person);
        let mut new = new("On the phone", "They called.");
        new.requester = Some(found.id);
        let id = w.app.create_case(&w.agent, new).await.unwrap();
        let open = w.app.open_case(&w.kenta, id, None).await.unwrap();
        assert_eq!(open.case.requester, w.kenta.person);
        assert_eq!(open.entries[0].event, Some(CaseEvent::Opened));
    });
}
