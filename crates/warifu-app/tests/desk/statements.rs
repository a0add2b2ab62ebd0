//! Every function of the desk's storage is called once on each engine: a statement that one of
//! them does not understand fails here.

use crate::on_both;
use warifu_domain::access::Role;
use warifu_domain::cases::{Status, View};
use warifu_domain::search::query;
use warifu_domain::{
    AttachmentId, CaseId, MessageId, OrganizationId, PersonId, Revision, Timestamp,
};
use warifu_storage::attachments::{self, Attachment};
use warifu_storage::cases::{self, Cursor};
use warifu_storage::{idempotency, organizations, people, search, sessions, settings};

#[test]
fn every_statement_runs_on_both_engines() {
    on_both(async |w| {
        let id = w.ask(&w.kenta, "Subject", "text").await;
        let mut tx = w.app.db.begin(w.app.now()).await.unwrap();
        let revision = tx.revision();
        let mut conn = tx.conn();
        let c = &mut conn;
        let case = cases::find(c, id).await.unwrap().unwrap();
        for view in [
            View::Mine(w.agent.person),
            View::Unassigned,
            View::Active,
            View::WithStatus(Status::New),
            View::Organization(w.mizuno),
            View::Requester(w.kenta.person),
        ] {
            cases::list(c, view, Cursor::START, 5).await.unwrap();
            cases::count(c, view).await.unwrap();
            cases::count_by_status(c, view).await.unwrap();
        }
        cases::update(c, revision, &case, &case).await.unwrap();
        let last = MessageId(i64::MAX);
        let all = cases::timeline(c, id, last, 5).await.unwrap();
        assert_eq!(cases::public_timeline(c, id, last, 5).await.unwrap(), all);
        assert_eq!(cases::entries_after(c, id, MessageId(0)).await.unwrap(), all);
        assert_eq!(cases::entries_before(c, id, last).await.unwrap(), 1);
        assert_eq!(cases::message(c, id, all[0].id).await.unwrap().as_ref(), all.first());
        assert_eq!(cases::message(c, CaseId(99), all[0].id).await.unwrap(), None);
        cases::add_view(c, id, w.agent.person, Timestamp(1)).await.unwrap();
        cases::add_view(c, id, w.agent.person, Timestamp(2)).await.unwrap();
        let views = cases::views(c, id).await.unwrap();
        assert_eq!(views, [(w.agent.person, 2, Timestamp(2))]);

        let file = Attachment {
            id: AttachmentId(c.take_ids("attachments", 1).await.unwrap()),
            case: id,
            message: all[0].id,
            organization: w.mizuno,
            name: "a".into(),
            media_type: "b".into(),
            bytes: 1,
            sha256: "00".repeat(32),
            at: Timestamp(1),
            har_receipt: None,
        };
        attachments::insert(c, &file).await.unwrap();
        assert_eq!(attachments::of_case(c, id).await.unwrap(), std::slice::from_ref(&file));
        assert_eq!(attachments::public_of_case(c, id).await.unwrap(), std::slice::from_ref(&file));
        assert_eq!(attachments::find(c, file.id).await.unwrap(), Some(file));

        let person = people::find(c, w.kenta.person).await.unwrap().unwrap();
        let email = person.record.email.clone().unwrap().to_uppercase();
        assert_eq!(people::find_by_email(c, &email).await.unwrap(), Some(person.clone()));
        people::update(c, revision, &person).await.unwrap();
        assert_eq!(people::versions(c, person.id).await.unwrap().len(), 2);
        assert_eq!(people::page(c, None, PersonId(0), 100).await.unwrap().len(), 9);
        assert_eq!(people::page(c, Some(w.mizuno), PersonId(0), 100).await.unwrap().len(), 3);
        assert_eq!(people::names(c, [person.id, PersonId(0)]).await.unwrap().len(), 1);
        people::grant(c, revision, person.id, Role::Agent).await.unwrap();
        people::grant(c, revision, person.id, Role::Agent).await.unwrap();
        assert!(people::roles(c, person.id).await.unwrap().has(Role::Agent));
        assert!(people::holders(c, Role::Agent).await.unwrap().contains(&person.id));
        people::revoke(c, revision, person.id, Role::Agent).await.unwrap();
        assert!(!people::roles(c, person.id).await.unwrap().has(Role::Agent));
        assert_eq!(people::count_of(c, w.mizuno).await.unwrap(), (3, 1));
        assert_eq!(people::count_of(c, OrganizationId(99)).await.unwrap(), (0, 0));
        let times = people::revision_times(c, &[revision, Revision(999)]).await.unwrap();
        assert_eq!(times.len(), 1);

        let mizuno = organizations::find(c, w.mizuno).await.unwrap().unwrap();
        organizations::update(c, revision, w.mizuno, &mizuno).await.unwrap();
        assert_eq!(organizations::versions(c, w.mizuno).await.unwrap().len(), 2);
        assert_eq!(organizations::page(c, OrganizationId(0), 10).await.unwrap().len(), 3);
        assert_eq!(organizations::as_of(c, revision).await.unwrap().len(), 3);
        assert_eq!(organizations::vendor(c).await.unwrap().unwrap().0, w.vendor);
        let named = organizations::find_by_name(c, "MIZUNO freight").await.unwrap();
        assert_eq!(named.unwrap().0, w.mizuno);

        for text in ["subject", "証明書", "a b c", "証"] {
            let of_mizuno = search::Whose::Organization(w.mizuno);
            let of_kenta = search::Whose::Requester(w.mizuno, w.kenta.person);
            for whose in [search::Whose::Everybodys, of_mizuno, of_kenta] {
                search::cases(c, whose, &query(text), 5).await.unwrap();
            }
            search::people(c, &query(text), 5).await.unwrap();
            search::organizations(c, &query(text), 5).await.unwrap();
        }

        let (who, now) = (w.agent.person, Timestamp(1_000));
        let take = async |c: &mut _, at, since| {
            idempotency::take(c, who, "k", b"r", at, since, Timestamp(0)).await.unwrap()
        };
        assert_eq!(take(c, now, Timestamp(0)).await, None);
        let held = take(c, now, Timestamp(0)).await.unwrap();
        assert_eq!((held.status, held.request.as_slice()), (0, &b"r"[..]));
        idempotency::keep(c, who, "k", now, 201, "{}").await.unwrap();
        idempotency::release(c, who, "k", now).await.unwrap();
        assert_eq!(take(c, now, Timestamp(0)).await.unwrap().status, 201);
        assert_eq!(take(c, Timestamp(2_000), Timestamp(1_001)).await, None, "a day later");
        idempotency::release(c, who, "k", Timestamp(2_000)).await.unwrap();
        assert_eq!(take(c, now, Timestamp(0)).await, None);

        settings::set(c, "a", "b").await.unwrap();
        assert_eq!(settings::get(c, "a").await.unwrap().as_deref(), Some("b"));
        assert!(sessions::find(c, b"none").await.unwrap().is_none());
        assert_eq!(c.revision_at(Timestamp(0)).await.unwrap(), Revision(0));
        tx.commit().await.unwrap();
    });
}
