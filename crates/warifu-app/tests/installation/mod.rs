//! A throw-away installation on either database, with people, for the test binaries of this crate.
#![allow(dead_code, reason = "each test binary uses a part")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "this is test code"
)]

use futures_util::StreamExt;
use std::sync::Arc;
use warifu_app::reports::NewRun;
use warifu_app::{App, AppConfig, SystemRandom};
use warifu_domain::access::{Actor, Role, Roles};
use warifu_domain::organizations::{Environment, Organization};
use warifu_domain::people::{KnownPerson, Person};
use warifu_domain::reports::Definition;
use warifu_domain::time::SystemClock;
use warifu_domain::{Clock, OrganizationId, PersonId, RunId, Timestamp};
use warifu_storage::reports::{Run, RunState};
use warifu_storage::{Db, organizations, people};

/// A throw-away installation. The folder and the PostgreSQL database go away with it.
pub struct Installation {
    pub app: App,
    _folder: tempfile::TempDir,
    postgres: Option<(String, String)>,
}

impl Installation {
    pub async fn sqlite() -> Installation {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open_sqlite(folder.path()).await.unwrap();
        Self::on(db, folder, None)
    }

    pub async fn postgres() -> Option<Installation> {
        let Ok(server) = std::env::var("WARIFU_TEST_POSTGRES") else {
            assert!(
                std::env::var("WARIFU_SKIP_POSTGRES").is_ok(),
                "set WARIFU_TEST_POSTGRES to a server's address (./test does), or WARIFU_SKIP_POSTGRES=1"
            );
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let name = format!("warifu_app_{}_{}", std::process::id(), rand::random::<u32>());
        let pool = sqlx::PgPool::connect(&server).await.unwrap();
        let make = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
        sqlx::query(make).execute(&pool).await.unwrap();
        let (base, _) = server.rsplit_once('/').unwrap();
        let db = Db::open_postgres(&format!("{base}/{name}")).await.unwrap();
        Some(Self::on(db, folder, Some((server, name))))
    }

    fn on(db: Db, folder: tempfile::TempDir, postgres: Option<(String, String)>) -> Installation {
        let config = AppConfig::new(folder.path());
        let app = App::open(db, config, Arc::new(SystemClock::default()), Arc::new(SystemRandom))
            .unwrap();
        Installation { app, _folder: folder, postgres }
    }

    /// The same installation again: as another node, or after a start with another clock.
    pub fn beside(&self, clock: Arc<dyn Clock>) -> App {
        let config = AppConfig { node: "beside".into(), ..self.app.config.clone() };
        App::open(self.app.db.clone(), config, clock, Arc::new(SystemRandom)).unwrap()
    }

    pub async fn end(self) {
        self.app.db.close().await;
        if let Some((server, name)) = self.postgres {
            let pool = sqlx::PgPool::connect(&server).await.unwrap();
            let drop = sqlx::AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)"));
            sqlx::query(drop).execute(&pool).await.unwrap();
        }
    }

    /// `n` people in 7 organizations, with awkward texts among them.
    pub async fn people(&self, n: i64) -> OrganizationId {
        let mut change = self.app.change().await.unwrap();
        let revision = change.revision();
        let mut first = OrganizationId(0);
        for i in 0..7 {
            let o = Organization {
                name: format!("Organization {i}"),
                environment: if i == 0 { Environment::Preview } else { Environment::Production },
                products: vec!["wic".into()],
                domain: format!("o{i}.example"),
                vendor: i == 0,
            };
            let id = organizations::insert(&mut change.conn(), revision, &o).await.unwrap();
            if i == 0 {
                first = id;
            }
        }
        let id = change.conn().take_ids("people", n).await.unwrap();
        let list: Vec<KnownPerson> =
            (0..n).map(|i| person(id + i, OrganizationId(first.0 + i % 7))).collect();
        people::insert(&mut change.conn(), revision, &list).await.unwrap();
        change.commit().await.unwrap();
        first
    }
}

pub fn person(id: i64, organization: OrganizationId) -> KnownPerson {
    let awkward = [
        "plain",
        "with, comma",
        "with \"quotes\"",
        "two\nlines",
        "tab\there",
        "back\\slash",
        "佐藤 健太",
        "",
    ];
    let text = awkward[id as usize % awkward.len()];
    KnownPerson {
        id: PersonId(id),
        organization,
        active: id % 3 != 0,
        record: Person {
            created_date: Some(Timestamp(1_400_000_000_000_000 + id * 61_000_000)),
            last_login: (id % 2 == 0).then_some(Timestamp(1_695_913_560_000_000 - id * 1_000)),
            full_name: Some(format!("Person {id} {text}")),
            email: Some(format!("p{id}@o{}.example", id % 7)),
            address: (!text.is_empty()).then(|| text.to_owned()),
            user_type: Some(if id % 5 == 0 { "Employee" } else { "Customer Standard" }.into()),
            ..Person::default()
        },
    }
}

pub fn actor(role: Role) -> Actor {
    Actor {
        person: PersonId(1),
        name: "Ada".into(),
        organization: OrganizationId(1),
        roles: Roles::default().with(role),
        session: Some([7; 32]),
        network: "203.0.113.0/24".into(),
    }
}

pub fn super_administrator() -> Actor {
    let mut a = actor(Role::SuperAdministrator);
    a.roles = a.roles.with(Role::Responder);
    a
}

/// As on the command line, where there is no key to ask for.
pub fn console(actor: &Actor) -> Actor {
    Actor { session: None, ..actor.clone() }
}

pub fn ask(definition: Definition) -> NewRun {
    NewRun {
        definition,
        saved: None,
        name: "All users".into(),
        reason: "test".into(),
        decided: true,
        proof: None,
    }
}

pub async fn take(app: &App, actor: &Actor, definition: &Definition) -> (RunId, Vec<u8>) {
    let console = console(actor);
    let run = app.prepare_run(&console, ask(definition.clone())).await.unwrap();
    let mut download = app.download_run(&console, run.id, None).await.unwrap();
    let mut bytes = Vec::new();
    while let Some(piece) = download.body.next().await {
        bytes.extend_from_slice(&piece.unwrap());
    }
    drop(download);
    ended(app, actor, run.id).await;
    (run.id, bytes)
}

/// Waits until the end of a transfer is recorded.
pub async fn ended(app: &App, actor: &Actor, id: RunId) -> Run {
    for _ in 0..6_000 {
        let run = app.run(actor, id).await.unwrap();
        if matches!(run.state, RunState::Done | RunState::Aborted) {
            return run;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the run did not end");
}

/// Runs each test on SQLite and, where there is a server, on PostgreSQL.
#[macro_export]
macro_rules! on_both {
    ($($name:ident)*) => {$(
        mod $name {
            #[tokio::test(flavor = "multi_thread")]
            async fn sqlite() {
                let i = super::Installation::sqlite().await;
                super::$name(&i).await;
                i.end().await;
            }
            #[tokio::test(flavor = "multi_thread")]
            async fn postgres() {
                let Some(i) = super::Installation::postgres().await else { return };
                super::$name(&i).await;
                i.end().await;
            }
        }
    )*};
}
