//! The one statement that every request asks gives what the single ones give, and sees at once what was
//! acknowledged before.

use crate::{World, on_both};
use futures_util::future::{join, join_all};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::task::yield_now;
use warifu_app::sessions::Use;
use warifu_auth::SessionPolicy;
use warifu_auth::applications::Place;
use warifu_domain::access::Role;
use warifu_domain::devices::DeviceKind;
use warifu_domain::factors::Factor;
use warifu_domain::organizations::Organization;
use warifu_domain::people::{KnownPerson, Person};
use warifu_domain::time::HOUR;
use warifu_domain::{CredentialId, OrganizationId, PersonId, Timestamp};
use warifu_storage::devices::{self, Device};
use warifu_storage::holders::Holder;
use warifu_storage::sessions::{self, Held, Session};
use warifu_storage::{Conn, Db, Engine, organizations, people};

/// A session's name is its number.
fn session(n: u8, person: PersonId, at: Timestamp) -> Session {
    Session {
        token_hash: vec![n; 32],
        person,
        csrf: format!("csrf {n}"),
        created_at: at,
        used_at: at.plus(i64::from(n)),
        ends_at: at.plus(HOUR),
        ended_at: None,
        network: format!("203.0.{n}.0/24"),
        agent: "佐藤's browser".into(),
        credential: CredentialId(i64::from(n)),
        factor: [Factor::Passkey, Factor::Password][usize::from(n) % 2],
        assurance: 1 + n % 3,
        proved_at: at,
        device: (!n.is_multiple_of(3)).then(|| vec![n; 16]),
        bound: None,
    }
}

fn device(n: u8, at: Timestamp) -> Device {
    Device {
        kind: [DeviceKind::Browser, DeviceKind::Script][usize::from(n) % 2],
        public_key: vec![n; 65],
        bound_at: at,
        cookie: (vec![n; 32], at.plus(1)),
        old_cookie: (Vec::new(), Timestamp(0)),
    }
}

/// Nobody, or somebody of each kind: named in every way, with every number of roles, changed, gone.
async fn somebody(w: &World) -> Vec<PersonId> {
    let mut change = w.app.change().await.unwrap();
    let mut conn = change.conn();
    let first = conn.take_ids("people", 6).await.unwrap();
    let named = |full_name: Option<&str>, username: Option<&str>, email: Option<&str>| Person {
        full_name: full_name.map(str::to_owned),
        username: username.map(str::to_owned),
        email: email.map(str::to_owned),
        ..Person::default()
    };
    let records = [
        named(Some("Aiko, \"Mori\""), Some("aiko"), Some("aiko@o1.example")),
        named(None, Some("ben"), Some("ben@o1.example")),
        Person { time_zone: Some("Asia/Tokyo".into()), ..named(None, Some("chiyo"), None) },
        named(None, None, None),
        named(Some("Gone"), None, None),
        named(Some("Lost"), None, None),
    ];
    let mut list = Vec::new();
    for (id, record) in (first..).zip(records) {
        let organization = match id - first {
            5 => OrganizationId(9_999),
            n if n % 2 == 0 => w.vendor,
            _ => w.mizuno,
        };
        list.push(KnownPerson { id: PersonId(id), organization, active: id != first + 4, record });
    }
    let revision = change.revision();
    people::insert(&mut change.conn(), revision, &list).await.unwrap();
    for (n, person) in list.iter().enumerate() {
        for role in Role::ALL.into_iter().take(n + 1).skip(1) {
            people::grant(&mut change.conn(), revision, person.id, role).await.unwrap();
        }
    }
    change.commit().await.unwrap();
    // What held before does not count.
    let mut change = w.app.change().await.unwrap();
    let revision = change.revision();
    list[0].record.full_name = Some("Aiko Abe".into());
    list[0].organization = w.acme;
    people::update(&mut change.conn(), revision, &list[0]).await.unwrap();
    people::revoke(&mut change.conn(), revision, list[2].id, Role::Administrator).await.unwrap();
    let acme = organizations::find(&mut change.conn(), w.acme).await.unwrap().unwrap();
    let acme = Organization { name: "Acme Works".into(), ..acme };
    organizations::update(&mut change.conn(), revision, w.acme, &acme).await.unwrap();
    change.commit().await.unwrap();
    list.into_iter().map(|p| p.id).chain([PersonId(9_999)]).collect()
}

/// What the single statements give.
async fn singly(w: &World, token_hash: &[u8]) -> Option<Held> {
    let mut reader = w.app.db.read().await.unwrap();
    let mut conn = reader.conn();
    let session = sessions::find(&mut conn, token_hash).await.unwrap()?;
    let person = people::find(&mut conn, session.person).await.unwrap().filter(|p| p.active)?;
    let roles = people::roles(&mut conn, person.id).await.unwrap();
    let organization = organizations::find(&mut conn, person.organization).await.unwrap()?;
    let holder = Holder {
        person: person.id,
        name: person.record.display_name().to_owned(),
        email: person.record.email.unwrap_or_default(),
        time_zone: person.record.time_zone,
        roles,
        organization: person.organization,
        organization_name: organization.name,
        environment: organization.environment,
        vendor: organization.vendor,
    };
    Some(Held { session, holder })
}

#[test]
fn one_statement_gives_what_the_single_ones_give() {
    on_both(async |w| {
        let people = somebody(w).await;
        let mut change = w.app.change().await.unwrap();
        let at = change.at();
        for n in 0_u8..84 {
            let new = session(n, people[usize::from(n) % people.len()], at);
            sessions::insert(&mut change.conn(), &new).await.unwrap();
            if let Some(name) = new.device.filter(|_| !n.is_multiple_of(4)) {
                devices::bind(&mut change.conn(), &name, &device(n, at)).await.unwrap();
            }
            if n.is_multiple_of(5) {
                assert!(sessions::end(&mut change.conn(), &[n; 32], at).await.unwrap());
            }
        }
        change.commit().await.unwrap();
        let (mut held, mut bound, mut roles) = (0, 0, 0);
        for n in 0..90 {
            let found = sessions::held(&w.app.db, &[n; 32]).await.unwrap();
            let expected = singly(w, &[n; 32]).await;
            assert_eq!(format!("{found:?}"), format!("{expected:?}"), "{n}");
            let Some(found) = found else { continue };
            held += 1;
            bound += usize::from(found.session.bound.is_some());
            roles = roles.max(found.holder.roles.iter().count());
        }
        // Asked for at once, some by several, as many as fill more than one statement: the same.
        let at_once = (0..1_200_usize).map(async |i| {
            let n = u8::try_from(i % 90).unwrap();
            let found = sessions::held(&w.app.db, &[n; 32]).await.unwrap();
            (n, format!("{found:?}"))
        });
        let answers = join_all(at_once).await;
        let mut expected = Vec::new();
        for n in 0..90 {
            expected.push(format!("{:?}", singly(w, &[n; 32]).await));
        }
        assert!(answers.iter().all(|(n, found)| *found == expected[usize::from(*n)]));
        // Four of seven hold: the others are inactive, of no organization, or nobody.
        assert_eq!((held, roles), (48, 3));
        assert!(bound > 10 && bound < held, "{bound}");
    });
}

#[test]
fn what_was_acknowledged_is_seen_by_the_next_request() {
    on_both(async |w| {
        let db = &w.app.db;
        let ended = async |n| {
            let found = sessions::held(db, &[n; 32]).await.unwrap();
            found.map(|held| held.session.ended_at.is_some())
        };
        for n in 0..40 {
            assert_eq!(ended(n).await, None, "{n}");
            let mut tx = db.begin_plain().await.unwrap();
            let new = session(n, w.agent.person, Timestamp(1));
            sessions::insert(&mut tx.conn(), &new).await.unwrap();
            assert_eq!(ended(n).await, None, "{n} is not there yet");
            tx.commit().await.unwrap();
            assert_eq!(ended(n).await, Some(false), "{n}");
            let mut tx = db.begin_plain().await.unwrap();
            sessions::end(&mut tx.conn(), &[n; 32], Timestamp(2)).await.unwrap();
            tx.commit().await.unwrap();
            assert_eq!(ended(n).await, Some(true), "{n}");
        }
    });
}

/// Many ask all the time; what one of them begins after an acknowledged end never holds.
#[test]
fn nor_does_it_hold_when_many_ask_at_once() {
    on_both(async |w| {
        let db = w.app.db.clone();
        let over = Arc::new(AtomicBool::new(false));
        let busy = async |n: u8| {
            while !over.load(Ordering::Relaxed) {
                sessions::held(&db, &[n % 40; 32]).await.unwrap();
                // On SQLite nothing waits.
                yield_now().await;
            }
        };
        let ends = async {
            for n in 0..40 {
                let mut tx = db.begin_plain().await.unwrap();
                let new = session(n, w.agent.person, Timestamp(1));
                sessions::insert(&mut tx.conn(), &new).await.unwrap();
                tx.commit().await.unwrap();
                assert!(sessions::held(&db, &[n; 32]).await.unwrap().is_some(), "{n}");
                let mut tx = db.begin_plain().await.unwrap();
                sessions::end(&mut tx.conn(), &[n; 32], Timestamp(2)).await.unwrap();
                tx.commit().await.unwrap();
                let ended = sessions::held(&db, &[n; 32]).await.unwrap().unwrap();
                assert!(ended.session.ended_at.is_some(), "{n}");
            }
            over.store(true, Ordering::Relaxed);
        };
        join(ends, join_all((0..20).map(|n| busy(n * 2)))).await;
    });
}

/// Those who hung up take nothing from those who asked with them.
#[test]
fn who_hangs_up_takes_nobody_along() {
    on_both(async |w| {
        let mut change = w.app.change().await.unwrap();
        let new = session(1, w.agent.person, change.at());
        sessions::insert(&mut change.conn(), &new).await.unwrap();
        change.commit().await.unwrap();
        for _ in 0..50 {
            let mut gone = Box::pin(sessions::held(&w.app.db, &[1; 32]));
            let begun = futures_util::poll!(&mut gone);
            let others = (0..8).map(async |_| sessions::held(&w.app.db, &[1; 32]).await);
            drop(gone);
            let answers = join_all(others).await;
            assert!(answers.iter().all(|a| a.as_ref().unwrap().is_some()), "{}", begun.is_ready());
        }
    });
}

#[test]
fn where_the_quick_way_fails_the_other_one_answers() {
    on_both(async |w| {
        let mut change = w.app.change().await.unwrap();
        let new = session(1, w.agent.person, change.at());
        sessions::insert(&mut change.conn(), &new).await.unwrap();
        change.commit().await.unwrap();
        // No quick connection was made yet, and none can be.
        let file = w.app.config.data.join("warifu.db");
        let away = w.app.config.data.join("away");
        let moved = std::fs::rename(&file, &away).is_ok();
        assert!(sessions::held(&w.app.db, &[1; 32]).await.unwrap().is_some());
        if moved {
            std::fs::rename(&away, &file).unwrap();
        }
        assert!(sessions::held(&w.app.db, &[1; 32]).await.unwrap().is_some());
    });
}

#[tokio::test]
async fn closing_closes_all_connections() {
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open_sqlite(folder.path()).await.unwrap();
    assert!(sessions::held(&db, &[1; 32]).await.unwrap().is_none());
    let log = folder.path().join("warifu.db-wal");
    assert!(log.exists());
    db.close().await;
    assert!(sessions::held(&db, &[1; 32]).await.is_err());
    assert!(!log.exists(), "the last connection writes back what it holds");
}

/// A table that somebody holds keeps the statement for all waiting: they give it up, and each gets an answer.
#[test]
fn where_one_statement_for_all_takes_too_long_each_asks_alone() {
    on_both(async |w| {
        let mut change = w.app.change().await.unwrap();
        let new = session(1, w.agent.person, change.at());
        sessions::insert(&mut change.conn(), &new).await.unwrap();
        change.commit().await.unwrap();
        let mut holding = w.app.db.begin_plain().await.unwrap();
        if let Conn::Postgres(c, _) = holding.conn() {
            let lock = "LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE";
            sqlx::query(lock).execute(&mut *c).await.unwrap();
        }
        let on_postgres = w.app.db.engine() == Engine::Postgres;
        let began = Instant::now();
        let ask = async |n: u8| {
            let found = sessions::held(&w.app.db, &[n; 32]).await.unwrap();
            (found.is_some(), began.elapsed())
        };
        let asked = join_all((0..8).map(|n| ask(n % 2)));
        let answers = if on_postgres {
            let release = async {
                tokio::time::sleep(Duration::from_millis(900)).await;
                holding.commit().await.unwrap();
            };
            let (answers, ()) = join(asked, release).await;
            // None of them could be answered before, and the statement for all had been given up by then.
            assert!(answers.iter().all(|(_, after)| *after >= Duration::from_millis(890)));
            answers
        } else {
            // There a writer keeps nobody waiting: it is over only when all have been answered.
            let answers = tokio::time::timeout(Duration::from_secs(60), asked).await.unwrap();
            holding.commit().await.unwrap();
            answers
        };
        for (n, (found, _)) in answers.into_iter().enumerate() {
            assert_eq!(found, n % 2 == 1, "{n}");
        }
        assert!(ask(1).await.0, "and together again");
    });
}

/// Every request carries the future of its check, and moves it; what is rare is boxed.
#[test]
fn the_check_of_a_request_stays_small() {
    on_both(async |w| {
        let by = Use { network: "", by_hand: false, device: None };
        let policy = SessionPolicy::default();
        let place = Place { scheme: "https", host: "wiki.example" };
        let sizes = [
            size_of_val(&w.app.session("", by, &policy)),
            size_of_val(&w.app.visitor(place, "", by, &policy)),
        ];
        assert!(sizes.iter().all(|bytes| *bytes < 2_500), "{sizes:?}");
    });
}
