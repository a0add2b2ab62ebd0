//! What is done from time to time, on both databases and by two nodes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test that cannot go on fails, and its names are random"
)]

#[path = "../installation/mod.rs"]
mod installation;

use installation::Installation;
use std::sync::Arc;
use warifu_app::App;
use warifu_domain::access::{Role, Roles};
use warifu_domain::applications::{Acr, Application, Entry, Kind};
use warifu_domain::devices::DeviceKind;
use warifu_domain::factors::Factor;
use warifu_domain::notices::NoticeKind;
use warifu_domain::time::{DAY, HOUR};
use warifu_domain::{ApplicationId, Clock, CredentialId, PersonId, Timestamp};
use warifu_storage::application_sessions::{self, ApplicationSession};
use warifu_storage::credentials::{self, NewCredential};
use warifu_storage::devices::{self, Device};
use warifu_storage::services::{self, ServiceAccount};
use warifu_storage::sessions::{self, Session};
use warifu_storage::{Conn, applications, notices, people, reading, step_ups};

on_both! { two_nodes_remind_once what_was_over_long_ago_goes_and_no_more }

/// A clock that stands.
struct At(Timestamp);

impl Clock for At {
    fn now(&self) -> Timestamp {
        self.0
    }
}

async fn told(app: &App, person: i64) -> Vec<(NoticeKind, String)> {
    let mut reader = app.db.read().await.unwrap();
    let list = notices::of_person(&mut reader.conn(), PersonId(person)).await.unwrap();
    list.into_iter().map(|n| (n.kind, n.details["name"].clone())).collect()
}

/// Registers a certificate.
async fn certificate(c: &mut Conn<'_>, person: i64, name: &str, ends: Timestamp) -> CredentialId {
    let new = NewCredential {
        person: PersonId(person),
        kind: Factor::Certificate,
        credential_id: name.as_bytes(),
        verifier: "{}",
        make: None,
        name,
    };
    let id = credentials::insert(c, &new, Timestamp(1)).await.unwrap();
    credentials::ends(c, id, ends).await.unwrap();
    id
}

async fn two_nodes_remind_once(i: &Installation) {
    i.people(4).await;
    let start = i.app.now();
    let ends = start.plus(30 * DAY);
    let mut change = i.app.change().await.unwrap();
    let revision = change.revision();
    let mut conn = change.conn();
    let c = &mut conn;
    people::grant(c, revision, PersonId(1), Role::SuperAdministrator).await.unwrap();
    let card = certificate(c, 2, "card", ends).await;
    let gone = certificate(c, 2, "gone", ends).await;
    credentials::revoke(c, PersonId(2), gone, start).await.unwrap();
    let mut account = ServiceAccount {
        id: 1,
        person: PersonId(4),
        name: "nightly".into(),
        owner: PersonId(3),
        scopes: "cases".into(),
        networks: "192.0.2.0/24".into(),
        jwk: "{}".into(),
        created_at: start,
        expires_at: ends,
        agreed_at: Some(start),
        revoked_at: None,
        last_used_at: None,
    };
    services::insert(c, &account).await.unwrap();
    account = ServiceAccount { id: 2, person: PersonId(5), name: "revoked".into(), ..account };
    services::insert(c, &account).await.unwrap();
    services::revoke(c, 2, start).await.unwrap();
    change.commit().await.unwrap();

    let node = |after: i64| i.beside(Arc::new(At(start.plus(after))));
    assert_eq!(node(15 * DAY).remind().await.unwrap(), 0, "15 days before");
    let (one, other) = (node(17 * DAY), node(17 * DAY));
    let (first, second) = tokio::join!(one.remind(), other.remind());
    assert_eq!(first.unwrap() + second.unwrap(), 2);
    let certificate_ends = |n| vec![(NoticeKind::CertificateEnds, "card".to_owned()); n];
    let service_ends = |n| vec![(NoticeKind::ServiceEnds, "nightly".to_owned()); n];
    assert_eq!(told(&i.app, 2).await, certificate_ends(1));
    assert_eq!(told(&i.app, 3).await, service_ends(1), "who made it");
    assert_eq!(told(&i.app, 1).await, service_ends(1), "the super administrator");
    assert_eq!(node(27 * DAY).remind().await.unwrap(), 0, "once");
    assert_eq!(node(28 * DAY + HOUR).remind().await.unwrap(), 2, "2 days before");
    assert_eq!(node(29 * DAY).remind().await.unwrap(), 0, "once more and no more");
    assert_eq!(told(&i.app, 2).await, certificate_ends(2));
    assert_eq!(told(&i.app, 1).await, service_ends(2));
    // A certificate that was renewed has another end; what has ended is nobody's business.
    let mut tx = i.app.db.begin_plain().await.unwrap();
    credentials::ends(&mut tx.conn(), card, start.plus(60 * DAY)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(node(31 * DAY).remind().await.unwrap(), 0);
    assert_eq!(node(59 * DAY).remind().await.unwrap(), 1, "late: the first telling is left out");
    assert_eq!(told(&i.app, 2).await, certificate_ends(3));
    assert_eq!(node(61 * DAY).remind().await.unwrap(), 0);
}

/// A session of twelve hours in a network, with a key of its device.
async fn session(c: &mut Conn<'_>, name: u8, network: &str, at: Timestamp) -> Vec<u8> {
    let ends_at = at.plus(12 * HOUR);
    let session = Session {
        token_hash: vec![name; 32],
        person: PersonId(1),
        csrf: String::new(),
        created_at: at,
        used_at: at,
        ends_at,
        ended_at: None,
        network: network.into(),
        agent: String::new(),
        credential: CredentialId(1),
        factor: Factor::Passkey,
        assurance: 2,
        proved_at: at,
        device: Some(vec![name; 16]),
        bound: None,
    };
    sessions::insert(c, &session).await.unwrap();
    let device = Device {
        kind: DeviceKind::Script,
        public_key: vec![4],
        bound_at: at,
        cookie: (Vec::new(), at),
        old_cookie: (Vec::new(), at),
    };
    assert!(devices::bind(c, &[name; 16], &device).await.unwrap());
    session.token_hash
}

async fn entered(c: &mut Conn<'_>, session: &[u8], sid: &str, tell: bool, at: Timestamp) {
    let entered = ApplicationSession {
        sid: sid.into(),
        token_hash: sid.as_bytes().to_vec(),
        application: ApplicationId(1),
        session: session.to_vec(),
        code_hash: Vec::new(),
        scope: String::new(),
        created_at: at,
        expires_at: at.plus(HOUR),
        tell_at: tell.then_some(at),
    };
    application_sessions::insert(c, &entered).await.unwrap();
}

async fn what_was_over_long_ago_goes_and_no_more(i: &Installation) {
    i.people(2).await;
    let now = i.app.now();
    let ago = |days: i64| now.plus(-days * DAY);
    let mut tx = i.app.db.begin_plain().await.unwrap();
    let mut conn = tx.conn();
    let c = &mut conn;
    let application = Application {
        id: ApplicationId(1),
        name: "Console".into(),
        kind: Kind::OpenId,
        origin: "console".into(),
        secret: None,
        redirect_uris: Vec::new(),
        logout_uris: Vec::new(),
        backchannel_uri: "https://console.example/logout".into(),
        entry: Entry {
            roles: Roles::default().with(Role::Agent),
            max_age: None,
            acr: Acr::PhishingResistant,
        },
        created_at: now,
    };
    applications::insert(c, &application).await.unwrap();
    let old = session(c, 1, "192.0.2.0/24", ago(45)).await;
    entered(c, &old, "over", false, ago(45)).await;
    let last = session(c, 2, "192.0.2.0/24", ago(40)).await;
    let untold = session(c, 3, "203.0.113.0/24", ago(45)).await;
    entered(c, &untold, "untold", true, ago(45)).await;
    let recent = session(c, 4, "203.0.113.0/24", ago(20)).await;
    entered(c, &recent, "recent", false, ago(20)).await;
    let open = session(c, 5, "203.0.113.0/24", now).await;
    // More than one batch.
    for n in 0..1_203_u32 {
        let (key, end) = (n.to_be_bytes(), ago(2));
        credentials::insert_ceremony(c, &key, "x", PersonId(1), "", end).await.unwrap();
    }
    let end = now.plus(HOUR);
    credentials::insert_ceremony(c, b"begun", "x", PersonId(1), "", end).await.unwrap();
    step_ups::insert(c, b"over", b"s", b"a", ago(3), ago(2)).await.unwrap();
    let shown = [PersonId(7), PersonId(8)];
    assert_eq!(reading::count(c, PersonId(1), &shown, ago(3)).await.unwrap(), 2);
    assert_eq!(reading::count(c, PersonId(2), &shown, now).await.unwrap(), 2);
    reading::agree(c, PersonId(1), 4_000, ago(3)).await.unwrap();
    for (link, end) in [(b"old", ago(31)), (b"new", ago(29))] {
        let (person, by) = (PersonId(2), PersonId(1));
        credentials::insert_enrolment(c, link, person, by, ago(40), end).await.unwrap();
    }
    let card = certificate(c, 2, "card", ago(100)).await;
    credentials::revoke(c, PersonId(2), card, ago(90)).await.unwrap();
    tx.commit().await.unwrap();

    // One session, what was open from it, three devices, the ceremonies, a proof, an invitation; who was shown
    // two people, and agreed to more.
    assert_eq!(i.app.purge().await.unwrap(), 1 + 1 + 3 + 1_203 + 1 + 1 + 2 + 1);
    assert_eq!(i.app.purge().await.unwrap(), 0);

    let mut tx = i.app.db.begin_plain().await.unwrap();
    let mut conn = tx.conn();
    let c = &mut conn;
    assert_eq!(reading::of_late(c, PersonId(2), ago(1)).await.unwrap(), (2, 0));
    assert!(sessions::find(c, &old).await.unwrap().is_none());
    assert!(sessions::was_in(c, PersonId(1), "192.0.2.0/24").await.unwrap(), "it is asked later");
    for (kept, bound) in [(&last, false), (&untold, false), (&recent, true), (&open, true)] {
        let kept = sessions::find(c, kept).await.unwrap().expect("it stays");
        assert_eq!(kept.bound.is_some(), bound, "the key of its device");
    }
    let open_there = async |c: &mut Conn<'_>, sid| {
        application_sessions::session_of(c, sid).await.unwrap().is_some()
    };
    assert!(!open_there(c, "over").await);
    assert!(open_there(c, "untold").await, "its client is still to be told");
    assert!(open_there(c, "recent").await);
    assert!(credentials::ever(c, PersonId(2)).await.unwrap(), "they had a factor");
    assert!(credentials::find_enrolment(c, b"old").await.unwrap().is_none());
    assert!(credentials::find_enrolment(c, b"new").await.unwrap().is_some());
    let begun = credentials::take_ceremony(c, b"begun", "x", now).await.unwrap();
    assert!(begun.is_some(), "what has begun goes on");
}
