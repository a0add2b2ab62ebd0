//! The desk on real databases: every test runs on SQLite and on PostgreSQL.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cases;
mod counts;
mod files;
mod held;
mod isolation;
mod keys;
mod lately;
mod paging;
mod search;
mod statements;
mod versions;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use warifu_app::cases::NewCase;
use warifu_app::{App, AppConfig, SystemRandom};
use warifu_domain::access::{Actor, Role, Roles};
use warifu_domain::organizations::{Environment, Organization};
use warifu_domain::people::{KnownPerson, Person};
use warifu_domain::{CaseId, Clock, OrganizationId, PersonId, Timestamp};
use warifu_storage::{Db, Engine, organizations, people};

/// 2026-11-23T09:00:00Z; every look at the clock is a millisecond later.
struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.fetch_add(1_000, Ordering::Relaxed))
    }
}

/// A throw-away installation with a vendor, two customers and the people in [`World`].
pub struct World {
    pub app: App,
    clock: Arc<TestClock>,
    folder: tempfile::TempDir,
    postgres: Option<(String, String)>,
    pub vendor: OrganizationId,
    pub mizuno: OrganizationId,
    pub acme: OrganizationId,
    pub agent: Actor,
    pub other_agent: Actor,
    pub administrator: Actor,
    pub responder: Actor,
    /// Of Mizuno.
    pub kenta: Actor,
    /// Of Mizuno too.
    pub yui: Actor,
    /// Mizuno's administrator.
    pub owner: Actor,
    /// Of Acme.
    pub stranger: Actor,
    /// Acme's administrator.
    pub strange_owner: Actor,
}

impl World {
    async fn on(db: Db, folder: tempfile::TempDir, postgres: Option<(String, String)>) -> World {
        let clock = Arc::new(TestClock(AtomicI64::new(1_795_424_400_000_000)));
        let mut config = AppConfig::new(folder.path());
        config.attachment_limit = 1 << 20;
        let app = App::open(db, config, clock.clone(), Arc::new(SystemRandom)).unwrap();
        let mut change = app.change().await.unwrap();
        let revision = change.revision();
        let mut organization = async |name: &str, vendor| {
            let o = Organization {
                name: name.into(),
                environment: Environment::Production,
                products: vec!["wic".into()],
                domain: format!("{}.example", name.split(' ').next().unwrap().to_lowercase()),
                vendor,
            };
            organizations::insert(&mut change.conn(), revision, &o).await.unwrap()
        };
        let vendor = organization("Hashira Cloud", true).await;
        let mizuno = organization("Mizuno Freight", false).await;
        let acme = organization("Acme Tools", false).await;
        let mut person = async |name: &str, organization: OrganizationId, role: Option<Role>| {
            let mut conn = change.conn();
            let id = PersonId(conn.take_ids("people", 1).await.unwrap());
            let email =
                format!("{}@o{organization}.example", name.to_lowercase().replace(' ', "."));
            let record =
                Person { full_name: Some(name.into()), email: Some(email), ..Person::default() };
            let known = KnownPerson { id, organization, active: true, record };
            people::insert(&mut conn, revision, &[known]).await.unwrap();
            if let Some(role) = role {
                people::grant(&mut conn, revision, id, role).await.unwrap();
            }
            Actor {
                person: id,
                name: name.into(),
                organization,
                roles: role.into_iter().collect::<Roles>(),
                session: Some([id.0 as u8; 32]),
                network: "203.0.113.0/24".into(),
            }
        };
        let owner_role = Some(Role::OrganizationAdministrator);
        let agent = person("Aiko Mori", vendor, Some(Role::Agent)).await;
        let other_agent = person("Ben Ito", vendor, Some(Role::Agent)).await;
        let administrator = person("Chiyo Abe", vendor, Some(Role::Administrator)).await;
        let responder = person("Dan Oda", vendor, Some(Role::Responder)).await;
        let kenta = person("Kenta Sato", mizuno, None).await;
        let yui = person("Yui Tanaka", mizuno, None).await;
        let owner = person("Goro Endo", mizuno, owner_role).await;
        let stranger = person("Pat Doe", acme, None).await;
        let strange_owner = person("Sam Roe", acme, owner_role).await;
        change.commit().await.unwrap();
        World {
            app,
            clock,
            folder,
            postgres,
            vendor,
            mizuno,
            acme,
            agent,
            other_agent,
            administrator,
            responder,
            kenta,
            yui,
            owner,
            stranger,
            strange_owner,
        }
    }

    /// Another node of the same installation.
    pub async fn another_node(&self) -> App {
        let db = match &self.postgres {
            Some((server, name)) => {
                let (base, _) = server.rsplit_once('/').unwrap();
                Db::open_postgres(&format!("{base}/{name}")).await.unwrap()
            }
            None => Db::open_sqlite(self.folder.path()).await.unwrap(),
        };
        let (config, clock) = (self.app.config.clone(), self.clock.clone());
        App::open(db, config, clock, Arc::new(SystemRandom)).unwrap()
    }

    /// Moves the clock, in microseconds.
    pub fn wait(&self, micros: i64) {
        self.clock.0.fetch_add(micros, Ordering::Relaxed);
    }

    /// A case that somebody of a customer opens.
    pub async fn ask(&self, actor: &Actor, subject: &str, body: &str) -> CaseId {
        let new = NewCase { subject: subject.into(), body: body.into(), ..NewCase::default() };
        self.app.create_case(actor, new).await.unwrap()
    }

    /// The kinds and bodies of the ledger, oldest first.
    pub async fn ledger(&self) -> Vec<warifu_ledger::Entry> {
        let mut reader = self.app.db.read().await.unwrap();
        let stored = warifu_storage::ledger::entries(&mut reader.conn(), 0, 100_000).await.unwrap();
        stored.iter().map(|e| warifu_ledger::Entry::parse(&e.entry).unwrap()).collect()
    }

    /// The `change` codes of the ledger's entries about cases.
    pub async fn case_changes(&self) -> Vec<String> {
        let entries = self.ledger().await;
        let cases = entries.iter().filter(|e| e.kind == warifu_ledger::Kind::CaseChange);
        cases.map(|e| e.body["change"].as_str().unwrap().to_owned()).collect()
    }

    async fn end(self) {
        // Whatever a test did, its ledger must hold.
        self.app.verify_ledger(|_, _| {}).await.unwrap().unwrap();
        self.app.db.close().await;
        drop(self.folder);
        if let Some((server, name)) = self.postgres {
            drop_database(&server, &name).await;
        }
    }
}

async fn drop_database(server: &str, name: &str) {
    let pool = sqlx::PgPool::connect(server).await.unwrap();
    let drop = sqlx::AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)"));
    sqlx::query(drop).execute(&pool).await.unwrap();
}

/// Runs a test on both engines, each with a world of its own.
pub fn on_both(test: impl AsyncFn(&World)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open_sqlite(folder.path()).await.unwrap();
        let world = World::on(db, folder, None).await;
        test(&world).await;
        world.end().await;

        let Ok(server) = std::env::var("WARIFU_TEST_POSTGRES") else {
            assert!(
                std::env::var("WARIFU_SKIP_POSTGRES").is_ok(),
                "set WARIFU_TEST_POSTGRES to a server's address, or WARIFU_SKIP_POSTGRES=1"
            );
            return;
        };
        let folder = tempfile::tempdir().unwrap();
        // The folder's name is one that nobody else has.
        let own = folder.path().file_name().unwrap().to_str().unwrap().to_lowercase();
        let own = own.replace(|c: char| !c.is_ascii_alphanumeric(), "");
        let name = format!("warifu_desk_{}_{own}", std::process::id());
        let pool = sqlx::PgPool::connect(&server).await.unwrap();
        let make = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
        sqlx::query(make).execute(&pool).await.unwrap();
        let (base, _) = server.rsplit_once('/').unwrap();
        let db = Db::open_postgres(&format!("{base}/{name}")).await.unwrap();
        assert_eq!(db.engine(), Engine::Postgres);
        let world = World::on(db, folder, Some((server, name))).await;
        test(&world).await;
        world.end().await;
    });
}
