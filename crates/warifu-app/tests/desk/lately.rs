//! What forward-auth has read holds for a moment, and nobody is told of a change before it is felt, also on
//! another node (decision 0024).

use crate::{World, on_both};
use futures_util::future::{join, join_all};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;
use tokio::task::yield_now;
use warifu_app::App;
use warifu_app::applications::enter::Turned;
use warifu_app::sessions::Use;
use warifu_auth::applications::Place;
use warifu_auth::{SessionPolicy, Token, Verdict};
use warifu_domain::access::{Role, Roles};
use warifu_domain::applications::{Acr, Application, Entry, Kind};
use warifu_domain::devices::DeviceKind;
use warifu_domain::factors::Factor;
use warifu_domain::people::{KnownPerson, Person};
use warifu_domain::policy::{Feature, Rollout, Rules, Scope};
use warifu_domain::time::{HOUR, MINUTE, SECOND};
use warifu_domain::{ApplicationId, CredentialId, PersonId, Timestamp};
use warifu_storage::application_sessions::{self, ApplicationSession};
use warifu_storage::devices::{self, Device};
use warifu_storage::moment::KEPT;
use warifu_storage::sessions::{self, Session};
use warifu_storage::{applications, people, policies};

const PLACE: Place<'_> = Place { scheme: "https", host: "wiki.example" };

/// Of an application's cookie.
fn token(n: u8) -> Token {
    Token::from_random([n; 32])
}

/// Of the session that it came from.
fn session(n: u8) -> Token {
    Token::from_random([n + 100; 32])
}

fn application(at: Timestamp, roles: Roles) -> Application {
    Application {
        id: ApplicationId(1),
        name: "Wiki".into(),
        kind: Kind::ForwardAuth,
        origin: "https://wiki.example".into(),
        secret: None,
        redirect_uris: Vec::new(),
        logout_uris: Vec::new(),
        backchannel_uri: String::new(),
        entry: Entry { roles, max_age: None, acr: Acr::PhishingResistant },
        created_at: at,
    }
}

fn responders() -> Roles {
    Roles::default().with(Role::Responder)
}

/// A session of the responder's, and what they have open in the application.
async fn enter(w: &World, n: u8) {
    enter_as(w, n, w.responder.person).await;
}

async fn enter_as(w: &World, n: u8, person: PersonId) {
    let mut change = w.app.change().await.unwrap();
    let at = change.at();
    let session = Session {
        token_hash: session(n).hash().to_vec(),
        person,
        csrf: String::new(),
        created_at: at,
        used_at: at,
        ends_at: at.plus(12 * HOUR),
        ended_at: None,
        network: "loopback".into(),
        agent: String::new(),
        credential: CredentialId(1),
        factor: Factor::Passkey,
        assurance: 3,
        proved_at: at,
        device: Some(vec![n; 16]),
        bound: None,
    };
    sessions::insert(&mut change.conn(), &session).await.unwrap();
    let entry = ApplicationSession {
        sid: n.to_string(),
        token_hash: token(n).hash().to_vec(),
        application: ApplicationId(1),
        session: session.token_hash,
        code_hash: vec![n; 32],
        scope: String::new(),
        created_at: at,
        expires_at: Timestamp(i64::MAX),
        tell_at: None,
    };
    application_sessions::insert(&mut change.conn(), &entry).await.unwrap();
    change.commit().await.unwrap();
}

async fn declare(w: &World) {
    let mut change = w.app.change().await.unwrap();
    let at = change.at();
    applications::insert(&mut change.conn(), &application(at, responders())).await.unwrap();
    change.commit().await.unwrap();
}

/// Who an application is told to let in.
async fn asked(app: &App, n: u8, by_hand: bool) -> Result<String, Turned> {
    let by = Use { network: "loopback", by_hand, device: None };
    let text = token(n).text();
    let visitor = app.visitor(PLACE, &text, by, &SessionPolicy::default()).await.unwrap()?;
    let standing = &visitor.standing;
    let roles: Vec<&str> = standing.holder.roles.iter().map(Role::key).collect();
    Ok(format!("{} {} {}", standing.holder.name, roles.join("+"), standing.bound))
}

/// Who is in the session itself, as a page asks.
async fn on_page(app: &App, n: u8, by_hand: bool) -> Result<String, Verdict> {
    let by = Use { network: "loopback", by_hand, device: None };
    let open = app.session(&session(n).text(), by, &SessionPolicy::default()).await.unwrap()?;
    let roles: Vec<&str> = open.actor.roles.iter().map(Role::key).collect();
    Ok(format!("{} {}", open.actor.name, roles.join("+")))
}

/// Asks another node all the time, so that what it knows is as old as it can be when something changes.
async fn busy(another: &App, n: u8, over: &AtomicBool) {
    while !over.load(Ordering::Relaxed) {
        let _ = asked(another, n, false).await;
        let _ = on_page(another, n, false).await;
        yield_now().await;
    }
}

#[test]
fn what_one_node_acknowledges_is_felt_on_another_whatever_it_was() {
    on_both(async |w| {
        declare(w).await;
        let another = w.another_node().await;
        let over = AtomicBool::new(false);
        let (person, role) = (w.responder.person, Role::Responder);
        let dan = |active| KnownPerson {
            id: person,
            organization: w.vendor,
            active,
            record: Person { full_name: Some("Dan".into()), ..Person::default() },
        };
        let changes = async {
            for n in 1..5 {
                enter(w, n).await;
                let name = if n == 1 { "Dan Oda" } else { "Dan" };
                assert_eq!(asked(&another, n, false).await, Ok(format!("{name} responder false")));
                assert_eq!(on_page(&another, n, false).await, Ok(format!("{name} responder")));

                let mut change = w.app.change().await.unwrap();
                let revision = change.revision();
                people::grant(&mut change.conn(), revision, person, Role::Agent).await.unwrap();
                change.commit().await.unwrap();
                assert_eq!(
                    on_page(&another, n, false).await,
                    Ok(format!("{name} agent+responder"))
                );

                let mut change = w.app.change().await.unwrap();
                let revision = change.revision();
                people::revoke(&mut change.conn(), revision, person, Role::Agent).await.unwrap();
                change.commit().await.unwrap();
                assert_eq!(on_page(&another, n, false).await, Ok(format!("{name} responder")));

                let mut change = w.app.change().await.unwrap();
                let revision = change.revision();
                people::revoke(&mut change.conn(), revision, person, role).await.unwrap();
                change.commit().await.unwrap();
                assert_eq!(asked(&another, n, false).await, Err(Turned::Forbidden));

                let mut change = w.app.change().await.unwrap();
                let revision = change.revision();
                people::grant(&mut change.conn(), revision, person, role).await.unwrap();
                people::update(&mut change.conn(), revision, &dan(false)).await.unwrap();
                change.commit().await.unwrap();
                assert_eq!(asked(&another, n, false).await, Err(Turned::SignIn), "switched off");
                assert_eq!(on_page(&another, n, false).await, Err(Verdict::Ended), "switched off");

                let mut change = w.app.change().await.unwrap();
                let revision = change.revision();
                people::update(&mut change.conn(), revision, &dan(true)).await.unwrap();
                change.commit().await.unwrap();
                assert_eq!(asked(&another, n, false).await, Ok("Dan responder false".into()));
                assert_eq!(on_page(&another, n, false).await, Ok("Dan responder".into()));

                // Its owner has proved themselves once more, and back: the token is another one meanwhile.
                let other = [n + 200; 32];
                for (from, to, holds) in
                    [(session(n).hash(), other, false), (other, session(n).hash(), true)]
                {
                    let mut change = w.app.change().await.unwrap();
                    let at = change.at();
                    sessions::rotate(&mut change.conn(), &from, &to, at).await.unwrap();
                    change.commit().await.unwrap();
                    assert_eq!(on_page(&another, n, false).await.is_ok(), holds, "the old token");
                }

                let mut change = w.app.change().await.unwrap();
                let at = change.at();
                let closed = application(at, Roles::default().with(Role::Agent));
                applications::update(&mut change.conn(), &closed).await.unwrap();
                change.commit().await.unwrap();
                assert_eq!(asked(&another, n, false).await, Err(Turned::Forbidden));

                let mut change = w.app.change().await.unwrap();
                let open = application(at, responders());
                applications::update(&mut change.conn(), &open).await.unwrap();
                change.commit().await.unwrap();
                assert_eq!(asked(&another, n, false).await, Ok("Dan responder false".into()));

                // Half of them end while a page may go on, half once they are bound.
                if n % 2 == 1 {
                    let mut tx = w.app.db.begin_plain().await.unwrap();
                    let device = Device {
                        kind: DeviceKind::Browser,
                        public_key: vec![n; 65],
                        bound_at: Timestamp(1),
                        cookie: (vec![n; 32], Timestamp(2)),
                        old_cookie: (Vec::new(), Timestamp(0)),
                    };
                    devices::bind(&mut tx.conn(), &[n; 16], &device).await.unwrap();
                    tx.commit().await.unwrap();
                    assert_eq!(asked(&another, n, false).await, Ok("Dan responder true".into()));
                    assert_eq!(on_page(&another, n, false).await, Err(Verdict::OtherDevice));
                }

                let mut tx = w.app.db.begin_plain().await.unwrap();
                if n % 2 == 0 {
                    sessions::end(&mut tx.conn(), &session(n).hash(), Timestamp(2)).await.unwrap();
                } else {
                    let code = [n; 32];
                    application_sessions::end_of_code(&mut tx.conn(), &code, Timestamp(2))
                        .await
                        .unwrap();
                }
                tx.commit().await.unwrap();
                assert_eq!(asked(&another, n, false).await, Err(Turned::SignIn), "{n} ended");
                let whole = if n % 2 == 0 { Verdict::Ended } else { Verdict::OtherDevice };
                assert_eq!(on_page(&another, n, false).await, Err(whole), "{n} ended");
            }
            over.store(true, Ordering::Relaxed);
        };
        join(changes, join_all((1..5).map(|n| busy(&another, n, &over)))).await;
        another.db.close().await;
    });
}

/// Whoever finds that somebody else has just done it is told no sooner.
#[test]
fn nor_is_whoever_comes_second_told_before_it_is_felt() {
    on_both(async |w| {
        declare(w).await;
        let another = w.another_node().await;
        let over = AtomicBool::new(false);
        let ends = async {
            for n in 1..6 {
                enter(w, n).await;
                assert!(asked(&another, n, false).await.is_ok());
                let by = Use { network: "loopback", by_hand: false, device: None };
                let text = session(n).text();
                let open = w.app.session(&text, by, &SessionPolicy::default()).await.unwrap();
                let open = open.unwrap();
                let mine = w.app.sign_out(&open);
                let theirs = async {
                    another.sign_out(&open).await.unwrap();
                    assert_eq!(asked(&another, n, false).await, Err(Turned::SignIn), "{n}");
                    assert_eq!(on_page(&another, n, false).await, Err(Verdict::Ended), "{n}");
                };
                let (ended, ()) = join(mine, theirs).await;
                ended.unwrap();
            }
            over.store(true, Ordering::Relaxed);
        };
        join(ends, join_all((1..6).map(|n| busy(&another, n, &over)))).await;
        another.db.close().await;
    });
}

/// Whoever signs out does so with what they have, also where a proof has just given the session another token.
#[test]
fn signing_out_ends_a_session_whose_token_has_just_changed() {
    on_both(async |w| {
        enter(w, 1).await;
        let by = Use { network: "loopback", by_hand: false, device: None };
        let text = session(1).text();
        let open = w.app.session(&text, by, &SessionPolicy::default()).await.unwrap().unwrap();
        let mut change = w.app.change().await.unwrap();
        let at = change.at();
        sessions::rotate(&mut change.conn(), &open.token_hash, &[9; 32], at).await.unwrap();
        change.commit().await.unwrap();
        w.app.sign_out(&open).await.unwrap();
        let found = sessions::held(&w.app.db, &[9; 32]).await.unwrap().unwrap();
        assert!(found.session.ended_at.is_some());
    });
}

#[test]
fn nor_does_a_policy_hold_longer_on_another_node() {
    on_both(async |w| {
        let another = w.another_node().await;
        let over = AtomicBool::new(false);
        let idle = async || {
            let rules = another.policies().await.unwrap().rules.get(&Scope::Staff).cloned();
            rules.unwrap_or_default().idle
        };
        let busy = async {
            while !over.load(Ordering::Relaxed) {
                idle().await;
                yield_now().await;
            }
        };
        let changes = async {
            for n in 1..5 {
                let rules = Rules { idle: Some(n * MINUTE), ..Rules::default() };
                let mut change = w.app.change().await.unwrap();
                let at = change.at();
                policies::set_rules(&mut change.conn(), Scope::Staff, &rules, at).await.unwrap();
                change.commit().await.unwrap();
                assert_eq!(idle().await, Some(n * MINUTE));
            }
            over.store(true, Ordering::Relaxed);
        };
        join(changes, busy).await;
        another.db.close().await;
    });
}

/// The other half: an answer is used again, but not for long.
#[test]
fn an_answer_holds_for_a_moment() {
    on_both(async |w| {
        declare(w).await;
        enter(w, 1).await;
        let began = Instant::now();
        assert!(asked(&w.app, 1, false).await.is_ok());
        assert!(on_page(&w.app, 1, false).await.is_ok());
        let mut tx = w.app.db.begin_plain().await.unwrap();
        sessions::end(&mut tx.conn(), &session(1).hash(), Timestamp(2)).await.unwrap();
        let _ = tx.commit_at_once().await.unwrap();
        let still =
            asked(&w.app, 1, false).await.is_ok() && on_page(&w.app, 1, false).await.is_ok();
        let after = began.elapsed();
        // A machine that was held up tells nothing.
        assert!(still || after >= KEPT, "{after:?}");
        tokio::time::sleep(KEPT).await;
        assert_eq!(asked(&w.app, 1, false).await, Err(Turned::SignIn));
        assert_eq!(on_page(&w.app, 1, false).await, Err(Verdict::Ended));
    });
}

/// What was read a moment ago only says yes: before a session ends for not being used, it is read anew; and a use
/// is written down once.
#[test]
fn nobody_is_sent_away_for_what_was_so_a_moment_ago() {
    on_both(async |w| {
        declare(w).await;
        enter(w, 1).await;
        let used = async || {
            let mut reader = w.app.db.read().await.unwrap();
            sessions::find(&mut reader.conn(), &session(1).hash()).await.unwrap().unwrap().used_at
        };
        let mut before = used().await;
        for n in 0..20 {
            assert!(asked(&w.app, 1, false).await.is_ok());
            assert!(on_page(&w.app, 1, false).await.is_ok());
            w.wait(10 * MINUTE);
            let used_here = match n % 2 {
                0 => asked(&w.app, 1, true).await.is_ok(),
                _ => on_page(&w.app, 1, true).await.is_ok(),
            };
            assert!(used_here, "within the idle time");
            let now = used().await;
            assert!(now > before.plus(9 * MINUTE), "this use counts");
            w.wait(SECOND);
            assert!(asked(&w.app, 1, true).await.is_ok());
            assert!(on_page(&w.app, 1, true).await.is_ok());
            assert_eq!(used().await, now, "and the next one is too soon after it");
            before = now;
        }
        w.wait(15 * MINUTE + SECOND);
        assert_eq!(on_page(&w.app, 1, false).await, Err(Verdict::Idle));
        assert_eq!(asked(&w.app, 1, false).await, Err(Turned::SignIn));
    });
}

#[test]
fn nobody_of_another_application_is_let_in() {
    on_both(async |w| {
        declare(w).await;
        enter(w, 1).await;
        let elsewhere = Place { scheme: "https", host: "builds.example" };
        let by = Use { network: "loopback", by_hand: false, device: None };
        let text = token(1).text();
        let policy = SessionPolicy::default();
        for place in [PLACE, elsewhere, PLACE, elsewhere] {
            let let_in = w.app.visitor(place, &text, by, &policy).await.unwrap().is_ok();
            assert_eq!(let_in, place.host == PLACE.host);
        }
        let moved = Use { network: "198.51.100.0/24", ..by };
        // Nor by what is kept, while it is.
        let mut kept = None;
        for _ in 0..50 {
            assert!(w.app.visitor(PLACE, &text, by, &policy).await.unwrap().is_ok());
            let at_once = |place, by| w.app.visitor_lately(place, &text, by, &policy).is_some();
            let others = [at_once(elsewhere, by), at_once(PLACE, moved)];
            kept = kept.or_else(|| at_once(PLACE, by).then_some(others));
        }
        assert_eq!(kept, Some([false, false]));
        let visitor = w.app.visitor(PLACE, &text, moved, &policy).await.unwrap();
        assert_eq!(visitor.err(), Some(Turned::SignIn), "another network");
        let visitor = w.app.visitor(PLACE, &text, by, &policy).await.unwrap();
        assert_eq!(visitor.err(), Some(Turned::SignIn), "and it ended everywhere");
    });
}

/// Whom a rule would turn away that is only reported is counted first, and let in at once from then on.
#[test]
fn who_is_only_reported_is_counted_and_waits_no_longer_for_it() {
    on_both(async |w| {
        let (person, role) = (w.owner.person, Role::OrganizationAdministrator);
        let mut change = w.app.change().await.unwrap();
        let at = change.at();
        let entered = application(at, Roles::default().with(role));
        applications::insert(&mut change.conn(), &entered).await.unwrap();
        let feature = Feature::NetworkBinding;
        let rollout = Rollout { report_only: true, ..Rollout::initial(feature) };
        policies::set_rollout(&mut change.conn(), feature, &rollout, true, at).await.unwrap();
        change.commit().await.unwrap();
        enter_as(w, 1, person).await;

        let text = token(1).text();
        let policy = SessionPolicy::default();
        let here = Use { network: "loopback", by_hand: false, device: None };
        let moved = Use { network: "198.51.100.0/24", ..here };
        let let_in = async |by| w.app.visitor(PLACE, &text, by, &policy).await.unwrap().is_ok();
        let at_once = |by| w.app.visitor_lately(PLACE, &text, by, &policy).is_some();
        // What is kept is gone in a moment, so it is tried until it was there when it was asked for.
        let kept = async |by| {
            for _ in 0..50 {
                assert!(let_in(here).await);
                let found = at_once(by);
                if at_once(here) {
                    return found;
                }
            }
            panic!("nothing is ever kept");
        };
        let counted = async || {
            let mut reader = w.app.db.read().await.unwrap();
            let counted = policies::affected(&mut reader.conn(), None, 10).await.unwrap();
            counted.iter().map(|c| (c.feature, c.person, c.times)).collect::<Vec<_>>()
        };
        assert!(kept(here).await);
        assert!(!kept(moved).await, "they have to be counted first");
        assert_eq!(counted().await, []);
        assert!(let_in(moved).await);
        assert_eq!(counted().await, [(feature, person, 1)]);
        assert!(kept(moved).await);
        w.wait(10 * MINUTE);
        assert!(!kept(moved).await, "it is time to count them again");
        assert!(let_in(moved).await);
        assert_eq!(counted().await, [(feature, person, 2)]);
        // Nobody is counted for what was ended already.
        assert!(let_in(Use { by_hand: true, ..here }).await);
        w.wait(10 * MINUTE);
        let mut tx = w.app.db.begin_plain().await.unwrap();
        application_sessions::end_of_code(&mut tx.conn(), &[1; 32], at).await.unwrap();
        tx.commit().await.unwrap();
        assert!(!let_in(moved).await);
        assert_eq!(counted().await, [(feature, person, 2)]);
    });
}
