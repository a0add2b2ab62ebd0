//! What belongs to others does not exist.

use crate::{World, on_both};
use warifu_app::AppError;
use warifu_app::cases::{Answer, Filter, Properties};
use warifu_domain::access::Actor;
use warifu_domain::cases::{MessageKind, View};
use warifu_domain::{CaseId, OrganizationId, PersonId};
use warifu_storage::cases::Cursor;

/// What an actor gets when they try everything with a case, as one word per attempt.
async fn attempts(w: &World, actor: &Actor, id: CaseId) -> Vec<&'static str> {
    fn word<T>(r: Result<T, AppError>) -> &'static str {
        match r {
            Ok(_) => "yes",
            Err(AppError::NotFound("case")) => "not there",
            Err(AppError::Denied(_)) => "denied",
            Err(e) => panic!("{e}"),
        }
    }
    let answer = || Answer { body: "x".into(), ..Answer::default() };
    vec![
        word(w.app.open_case(actor, id, None).await),
        word(w.app.answer_case(actor, id, answer()).await),
        word(w.app.close_case(actor, id).await),
        word(w.app.reply(actor, id, answer()).await),
        word(w.app.note(actor, id, "x", vec![]).await),
        word(w.app.set_properties(actor, id, &Properties::default(), None).await),
        word(w.app.set_many(actor, &[id], &Properties::default()).await),
        word(
            w.app
                .may_see_case(actor, id)
                .await
                .and_then(|may| may.then_some(()).ok_or(AppError::NotFound("case"))),
        ),
    ]
}

#[test]
fn a_foreign_case_is_answered_like_one_that_was_never_there() {
    on_both(async |w| {
        let id = w.ask(&w.kenta, "Secret", "of Mizuno").await;
        for actor in [&w.stranger, &w.strange_owner, &w.yui] {
            let foreign = attempts(w, actor, id).await;
            assert_eq!(foreign, attempts(w, actor, CaseId(999)).await, "{}", actor.name);
            assert!(!foreign.contains(&"yes"), "{}: {foreign:?}", actor.name);
        }
        let own = ["yes", "yes", "yes", "denied", "denied", "denied", "denied", "yes"];
        assert_eq!(attempts(w, &w.kenta, id).await, own);
        assert_eq!(attempts(w, &w.owner, id).await, own);
        let staff = attempts(w, &w.agent, id).await;
        assert_eq!(staff, ["yes", "not there", "not there", "yes", "yes", "yes", "yes", "yes"]);
        assert!(attempts(w, &w.responder, id).await.iter().all(|a| *a != "yes"));
    });
}

#[test]
fn lists_and_search_end_at_the_organization() {
    on_both(async |w| {
        let kenta = w.ask(&w.kenta, "Printer", "paper jam").await;
        let yui = w.ask(&w.yui, "Printer", "paper jam").await;
        let acme = w.ask(&w.stranger, "Printer", "paper jam").await;
        let page = async |actor: &Actor, view| {
            let page = w.app.case_page(actor, view, Filter::default(), Cursor::START, 50).await;
            page.map(|p| p.cases.iter().map(|c| c.id).collect::<Vec<_>>())
        };
        assert_eq!(page(&w.kenta, View::Requester(w.kenta.person)).await.unwrap(), [kenta]);
        assert_eq!(page(&w.owner, View::Organization(w.mizuno)).await.unwrap(), [yui, kenta]);
        assert_eq!(page(&w.agent, View::Active).await.unwrap(), [acme, yui, kenta]);
        for (actor, view) in [
            (&w.kenta, View::Requester(w.yui.person)),
            (&w.kenta, View::Organization(w.mizuno)),
            (&w.kenta, View::Active),
            (&w.owner, View::Organization(w.acme)),
            (&w.owner, View::Mine(w.agent.person)),
            (&w.responder, View::Active),
        ] {
            assert!(page(actor, view).await.is_err(), "{} {view:?}", actor.name);
        }
        let found = async |actor: &Actor, text: &str| {
            let f = w.app.search(actor, text, 10).await.unwrap();
            (
                f.cases.iter().map(|c| c.id).collect::<Vec<_>>(),
                f.people.len(),
                f.organizations.len(),
            )
        };
        assert_eq!(found(&w.agent, "printer").await.0, [acme, yui, kenta]);
        assert_eq!(found(&w.kenta, "printer").await.0, [kenta]);
        assert_eq!(found(&w.owner, "printer").await.0, [yui, kenta]);
        assert_eq!(found(&w.stranger, "printer").await.0, [acme]);
        // A number of somebody else's case jumps nowhere.
        assert_eq!(found(&w.stranger, &kenta.to_string()).await.0, []);
        assert_eq!(
            w.app.search(&w.kenta, &format!("hc-{kenta}"), 10).await.unwrap().jump,
            Some(kenta)
        );
        // People and organizations.
        assert_eq!(found(&w.owner, "tanaka").await, (vec![], 1, 0));
        assert_eq!(found(&w.owner, "doe").await, (vec![], 0, 0));
        assert_eq!(found(&w.kenta, "tanaka").await, (vec![], 0, 0));
        assert_eq!(found(&w.kenta, "acme").await, (vec![], 0, 0));
        assert_eq!(found(&w.agent, "acme").await.2, 1);
    });
}

#[test]
fn what_is_internal_never_reaches_a_customer() {
    on_both(async |w| {
        let id = w.ask(&w.kenta, "Loop", "hello").await;
        w.app.note(&w.agent, id, "zanzibar", vec![]).await.unwrap();
        let internal = Properties {
            tags: Some("churn-risk".into()),
            assignee: Some(Some(w.agent.person)),
            priority: Some(warifu_domain::cases::Priority::Low),
            ..Properties::default()
        };
        w.app.set_properties(&w.agent, id, &internal, None).await.unwrap();
        let open = w.app.open_case(&w.owner, id, None).await.unwrap();
        assert_eq!(open.entries.len(), 1, "{:?}", open.entries);
        assert!(open.entries.iter().all(|e| e.message.kind != MessageKind::Note));
        assert!(open.others.is_empty() && open.organization_people == (0, 0));
        assert_eq!(w.app.search(&w.agent, "zanzibar", 10).await.unwrap().cases.len(), 1);
        for actor in [&w.kenta, &w.owner] {
            assert_eq!(w.app.search(actor, "zanzibar", 10).await.unwrap().cases.len(), 0);
        }
    });
}

#[test]
fn people_and_organizations_of_others_do_not_exist() {
    on_both(async |w| {
        let page = async |actor: &Actor, o| {
            w.app.people_page(actor, o, PersonId(0), 50).await.map(|p| p.people.len())
        };
        assert_eq!(page(&w.agent, None).await.unwrap(), 9);
        assert_eq!(page(&w.agent, Some(w.acme)).await.unwrap(), 2);
        assert_eq!(page(&w.owner, None).await.unwrap(), 3);
        assert!(matches!(page(&w.owner, Some(w.acme)).await, Err(AppError::NotFound(_))));
        assert!(matches!(page(&w.kenta, None).await, Err(AppError::Denied(_))));

        assert!(w.app.person(&w.owner, w.kenta.person).await.is_ok());
        assert!(w.app.person(&w.kenta, w.kenta.person).await.is_ok());
        for (actor, person) in [(&w.owner, &w.stranger), (&w.owner, &w.agent), (&w.kenta, &w.yui)] {
            let got = w.app.person(actor, person.person).await;
            assert!(matches!(got, Err(AppError::NotFound("person"))));
        }
        assert!(w.app.organization(&w.owner, w.mizuno).await.is_ok());
        for (actor, o) in [(&w.owner, w.acme), (&w.kenta, w.mizuno), (&w.agent, OrganizationId(99))]
        {
            let got = w.app.organization(actor, o).await;
            assert!(matches!(got, Err(AppError::NotFound("organization"))));
        }
        let all = w.app.organizations_page(&w.agent, OrganizationId(0), 2).await.unwrap();
        assert_eq!((all.lines.len(), all.next), (2, Some(w.mizuno)));
        assert_eq!((all.lines[1].people, all.lines[1].administrators), (3, 1));
    });
}

#[test]
fn records_change_as_versions_with_the_names_of_fields() {
    on_both(async |w| {
        let mut record = w.app.person(&w.agent, w.kenta.person).await.unwrap().person.record;
        record.phone = Some("+81 3 0000 0000".into());
        record.user_type = Some("Customer".into());
        let change = async |actor: &Actor| {
            w.app.change_person(actor, w.kenta.person, record.clone(), None, None).await
        };
        assert!(matches!(change(&w.agent).await, Err(AppError::Denied(_))));
        change(&w.administrator).await.unwrap();
        let before = w.ledger().await.len();
        change(&w.administrator).await.unwrap();
        assert_eq!(w.ledger().await.len(), before, "what is so already is no change");
        let view = w.app.person(&w.agent, w.kenta.person).await.unwrap();
        assert_eq!(view.versions.len(), 2);
        assert_eq!(view.versions[0].changed, ["User Type", "Phone"]);
        assert!(view.versions[0].at > view.versions[1].at);
        let entry = w.ledger().await.pop().unwrap();
        assert_eq!(entry.body["fields"], serde_json::json!(["User Type", "Phone"]));
        let old = view.versions[1].revision;
        record.phone = None;
        let late =
            w.app.change_person(&w.administrator, w.kenta.person, record, Some(old), None).await;
        assert!(matches!(late, Err(AppError::Conflict(_))));

        let acme = w.app.organization(&w.agent, w.acme).await.unwrap().line.organization;
        let taken = warifu_domain::organizations::Organization {
            name: "mizuno FREIGHT".into(),
            ..acme.clone()
        };
        let refused = w.app.change_organization(&w.administrator, w.acme, taken).await;
        assert!(matches!(refused, Err(AppError::Conflict(_))));
        let renamed = warifu_domain::organizations::Organization { name: "Acme".into(), ..acme };
        w.app.change_organization(&w.administrator, w.acme, renamed).await.unwrap();
        let view = w.app.organization(&w.agent, w.acme).await.unwrap();
        assert_eq!(view.versions[0].2, ["name"]);
        assert_eq!(w.app.search(&w.agent, "tools", 5).await.unwrap().organizations.len(), 0);
    });
}
