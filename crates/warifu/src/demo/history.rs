//! Makes the past: organizations and people of 2023, cases, saved reports and their runs, the night
//! of 28 September, and the recorded download that nobody has a definition for.

use super::chance::Chance;
use super::names::{self, Customer};
use super::texts::{TOPICS, Topic, Words};
use crate::cli::CliError;
use futures_util::StreamExt;
use indicatif::ProgressBar;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use warifu_app::reports::NewRun;
use warifu_app::{App, AppConfig, AppError, Change, SystemRandom};
use warifu_domain::access::{Actor, Role, Roles};
use warifu_domain::cases::{Case, MessageKind, Priority, Status};
use warifu_domain::organizations::{Environment, Organization};
use warifu_domain::people::{KnownPerson, Person};
use warifu_domain::reports::{Definition, Filter, Subject};
use warifu_domain::time::{DAY, HOUR, MINUTE, SystemClock};
use warifu_domain::{CaseId, Clock, MessageId, OrganizationId, PersonId, Timestamp};
use warifu_ledger::Count;
use warifu_ledger::body::{CaseChange, IncidentChange, PersonChange};
use warifu_storage::cases::{self, Message};
use warifu_storage::incidents::{self, Download};
use warifu_storage::{Db, organizations, people};

/// A clock that stands where the story is.
struct StoryClock(AtomicI64);

impl Clock for StoryClock {
    fn now(&self) -> Timestamp {
        // A step each time it is asked, so that no two events share an instant.
        Timestamp(self.0.fetch_add(1_000, Ordering::Relaxed))
    }
}

struct Story<'a> {
    app: App,
    clock: Arc<StoryClock>,
    chance: Chance,
    bar: &'a ProgressBar,
    customers: Vec<(OrganizationId, Customer)>,
    staff: Vec<PersonId>,
    /// People with their organization's place in `customers`.
    people: Vec<(PersonId, usize)>,
}

/// 2023-09-28T15:06:00Z.
const EVENT: Timestamp = Timestamp(1_695_913_560_000_000);
/// 2023-01-09T08:00:00Z: the installation begins.
const BEGIN: Timestamp = Timestamp(1_673_251_200_000_000);
const CUSTOMERS: usize = 1_200;

/// Makes the whole past. `people` is how many customers' people there are in the end.
pub async fn make(
    db: &Db,
    data: &Path,
    name: &str,
    people: u64,
    bar: &ProgressBar,
) -> Result<(), CliError> {
    let clock = Arc::new(StoryClock(AtomicI64::new(BEGIN.0)));
    let config = AppConfig { name: name.into(), ..AppConfig::new(data) };
    let app = App::open(db.clone(), config, clock.clone(), Arc::new(SystemRandom))?;
    let now = SystemClock::default().now();
    let customers = CUSTOMERS.min(people as usize / 4);
    let case_count = (people / 5).max(50);
    bar.set_length(people + case_count + customers as u64);
    let mut story = Story {
        app,
        clock,
        chance: Chance::new(20_230_928),
        bar,
        customers: Vec::new(),
        staff: Vec::new(),
        people: Vec::new(),
    };
    story.staff().await?;
    story.customers(customers).await?;
    // Of a hundred people, 96 are there on the night of the event.
    story.people(people * 96 / 100, BEGIN, EVENT.plus(-HOUR)).await?;
    story.reports_before().await?;
    let bytes = story.stolen_size().await?;
    story.go(EVENT.plus(HOUR));
    story.people(people - people * 96 / 100, EVENT.plus(HOUR), EVENT.plus(50 * DAY)).await?;
    story.changes_after(people / 25).await?;
    story.incident(bytes).await?;
    // Two thirds of the cases are of 2023, one third of the last sixty days.
    story.cases(case_count * 2 / 3, EVENT.plus(62 * DAY), now.plus(-60 * DAY), true).await?;
    story
        .cases(case_count - case_count * 2 / 3, now.plus(-60 * DAY), now.plus(-10 * MINUTE), false)
        .await?;
    Ok(())
}

impl Story<'_> {
    fn go(&self, to: Timestamp) {
        self.clock.0.fetch_max(to.0, Ordering::Relaxed);
    }

    fn actor(&self, person: PersonId, roles: &[Role]) -> Actor {
        Actor {
            person,
            name: String::new(),
            organization: OrganizationId(1),
            roles: roles.iter().copied().collect::<Roles>(),
            session: None,
            network: "192.0.2.0/24".into(),
        }
    }

    async fn staff(&mut self) -> Result<(), AppError> {
        self.bar.set_message("staff");
        let vendor = self.app.ensure_vendor().await?;
        let list: [(&str, &str, &[Role]); 8] = [
            ("Mika Tanaka", "mika.tanaka", &[Role::Agent]),
            ("Irene Laurent", "irene.laurent", &[Role::SuperAdministrator]),
            ("Noah Okafor", "noah.okafor", &[Role::Responder]),
            ("Priya Banerjee", "priya.banerjee", &[Role::Agent]),
            ("Emil Dahl", "emil.dahl", &[Role::Agent]),
            ("山本 さくら", "sakura.yamamoto", &[Role::Agent]),
            ("Carla Ruiz", "carla.ruiz", &[Role::Agent, Role::Administrator]),
            ("Viktor Holm", "viktor.holm", &[Role::SuperAdministrator]),
        ];
        let mut change = self.app.change().await?;
        let (at, revision) = (change.at(), change.revision());
        for (name, mail, roles) in list {
            let id = PersonId(change.conn().take_ids("people", 1).await?);
            let email = format!("{mail}@hashira.example");
            let record = Person {
                created_date: Some(at),
                full_name: Some(name.into()),
                username: Some(email.clone()),
                email: Some(email),
                user_type: Some("Employee".into()),
                role_name: Some("Support".into()),
                ..Person::default()
            };
            let person = KnownPerson { id, organization: vendor, active: true, record };
            people::insert(&mut change.conn(), revision, &[person]).await?;
            for role in roles {
                people::grant(&mut change.conn(), revision, id, *role).await?;
            }
            self.staff.push(id);
        }
        change.commit().await?;
        Ok(())
    }

    async fn customers(&mut self, n: usize) -> Result<(), AppError> {
        self.bar.set_message("organizations");
        let mut change = self.app.change().await?;
        let revision = change.revision();
        for i in 0..n {
            let customer = if i == 0 { aoba() } else { names::customer(i, &mut self.chance) };
            let id =
                organizations::insert(&mut change.conn(), revision, &customer.organization).await?;
            self.customers.push((id, customer));
            self.bar.inc(1);
        }
        // The organization administrator of the story.
        let (organization, customer) = &self.customers[0];
        let id = PersonId(change.conn().take_ids("people", 1).await?);
        let mut record = names::record(customer, 0, BEGIN, EVENT, &mut self.chance);
        record.full_name = Some("佐藤 健太".into());
        record.email = Some(super::story::HEROES[3].1.into());
        record.username.clone_from(&record.email);
        record.user_type = Some("Customer Admin".into());
        record.role_name = Some("Org Super Admin".into());
        let person = KnownPerson { id, organization: *organization, active: true, record };
        people::insert(&mut change.conn(), revision, &[person]).await?;
        people::grant(&mut change.conn(), revision, id, Role::OrganizationAdministrator).await?;
        self.people.push((id, 0));
        change.commit().await?;
        Ok(())
    }

    /// Adds people in forty steps between two instants.
    async fn people(&mut self, n: u64, from: Timestamp, to: Timestamp) -> Result<(), AppError> {
        self.bar.set_message("people");
        let (steps, span) = (40, to.0 - from.0);
        for step in 0..steps {
            self.go(from.plus(span * step as i64 / steps as i64));
            let here = n * (step + 1) / steps - n * step / steps;
            if here == 0 {
                continue;
            }
            let mut change = self.app.change().await?;
            let (at, revision) = (change.at(), change.revision());
            let first = change.conn().take_ids("people", here as i64).await?;
            let mut list = Vec::with_capacity(here as usize);
            for i in 0..here as i64 {
                // A few customers are large: the square of an even draw.
                let n = self.customers.len() as u64;
                let place = (self.chance.below(n) * self.chance.below(n) / n.max(1)) as usize;
                let (organization, customer) = &self.customers[place];
                // The records are older than this system: they came with an import.
                let created = Timestamp(at.0 - (self.chance.below(2_000) * DAY as u64) as i64);
                let record = names::record(customer, first + i, created, EVENT, &mut self.chance);
                let id = PersonId(first + i);
                list.push(KnownPerson {
                    id,
                    organization: *organization,
                    active: !self.chance.permille(130),
                    record,
                });
                self.people.push((id, place));
            }
            people::insert(&mut change.conn(), revision, &list).await?;
            self.bar.inc(here);
            let body = PersonChange {
                person: format!("import/{first}+{here}"),
                fields: vec!["imported".into()],
                revision: Count(revision.0 as u64),
            };
            change.record_own(None, &body).await?;
            change.commit().await?;
        }
        Ok(())
    }

    /// The saved report that the first investigators took for the stolen one, and its honest runs.
    async fn reports_before(&mut self) -> Result<(), AppError> {
        self.bar.set_message("reports");
        let who = self.actor(self.staff[1], &[Role::SuperAdministrator]);
        let filtered = recent();
        let name = "Signed in within 90 days";
        let (id, version) = self
            .app
            .save_definition(
                &who,
                None,
                name,
                "Users of the support portal, for the quarterly review",
                &filtered,
            )
            .await?;
        let employees = Definition {
            filter: filter(r#"{"column":"user_type","op":"equals","value":"Employee"}"#),
            columns: ["full_name", "email", "role_name", "last_login"].map(str::to_owned).to_vec(),
            ..Definition::of_everything(Subject::People)
        };
        self.app.save_definition(&who, None, "Employees", "", &employees).await?;
        let preview = Definition {
            filter: filter(
                r#"{"all":[{"column":"environment","op":"equals","value":"preview"},{"column":"user_type","op":"equals","value":"Customer Admin"}]}"#,
            ),
            columns: ["full_name", "email", "company_name"].map(str::to_owned).to_vec(),
            ..Definition::of_everything(Subject::People)
        };
        self.app
            .save_definition(&who, None, "Administrators of preview organizations", "", &preview)
            .await?;
        for week in (1..=4).rev() {
            self.go(EVENT.plus(-week * 7 * DAY - 6 * HOUR));
            let run = NewRun {
                definition: filtered.clone(),
                saved: Some((id, version)),
                name: name.into(),
                reason: "Quarterly review".into(),
                decided: true,
                proof: None,
            };
            let run = self.app.prepare_run(&who, run).await?;
            let mut download = self.app.download_run(&who, run.id, None).await?;
            while let Some(piece) = download.body.next().await {
                piece.map_err(|e| AppError::Internal(e.to_string()))?;
            }
            drop(download);
            self.settled(&who, run.id).await?;
        }
        Ok(())
    }

    /// Waits until a transfer's end is in the ledger.
    async fn settled(&self, who: &Actor, run: warifu_domain::RunId) -> Result<(), AppError> {
        use warifu_storage::reports::RunState;
        while !matches!(self.app.run(who, run).await?.state, RunState::Done | RunState::Aborted) {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        Ok(())
    }

    /// How large the report over every user was at 15:06. That it ran is in no ledger: the telemetry
    /// of another system saw the download.
    async fn stolen_size(&mut self) -> Result<u64, AppError> {
        self.go(EVENT);
        let who = self.actor(self.staff[1], &[Role::SuperAdministrator]);
        Ok(self.app.preview(&who, &Definition::of_everything(Subject::People)).await?.bytes)
    }

    /// Records go on changing, so that a report of today is not the report of that night.
    async fn changes_after(&mut self, n: u64) -> Result<(), AppError> {
        for step in 0..10 {
            self.go(EVENT.plus(51 * DAY + step * 6 * HOUR));
            let mut change = self.app.change().await?;
            let (at, revision) = (change.at(), change.revision());
            for _ in 0..n / 10 {
                let Some(&(id, _)) = self.chance.pick(&self.people) else { break };
                let Some(mut person) = people::find(&mut change.conn(), id).await? else {
                    continue;
                };
                person.record.last_login = Some(at);
                if self.chance.permille(100) {
                    person.active = false;
                }
                people::update(&mut change.conn(), revision, &person).await?;
            }
            change.commit().await?;
        }
        Ok(())
    }

    async fn incident(&mut self, bytes: u64) -> Result<(), AppError> {
        self.go(EVENT.plus(55 * DAY));
        let who = self.actor(self.staff[2], &[Role::Responder]);
        let mut change = self.app.change().await?;
        let at = change.at();
        let id = incidents::insert(
            &mut change.conn(),
            "Support system entered with stolen credentials",
            "A service account was used from a network that is none of ours. The web gateway's log has one large download. The first analysis re-created a saved report with its filter, and its file was smaller.",
            who.person,
            at,
        )
        .await?;
        let guess =
            serde_json::to_string(&recent()).map_err(|e| AppError::Internal(e.to_string()))?;
        let download = Download {
            id: 0,
            incident_id: id.0,
            at: EVENT.0,
            bytes: bytes as i64,
            tolerance: "0".into(),
            measure: "body".into(),
            row_count: None,
            who: "service account svc-support".into(),
            network: "AS64511 (documentation)".into(),
            source: "web gateway log".into(),
            guess,
            result: None,
            matched_at: None,
        };
        let download = incidents::insert_download(&mut change.conn(), &download).await?;
        for (what, item) in [("opened", None), ("download_recorded", Some(download.to_string()))] {
            let body = IncidentChange { incident: id.to_string(), change: what.into(), item };
            change.record(&who, None, &body).await?;
        }
        change.commit().await?;
        Ok(())
    }

    async fn cases(
        &mut self,
        n: u64,
        from: Timestamp,
        to: Timestamp,
        old: bool,
    ) -> Result<(), AppError> {
        self.bar.set_message("cases");
        const STEP: u64 = 50;
        let span = (to.0 - from.0).max(1);
        let mut made = 0;
        while made < n {
            let here = STEP.min(n - made);
            self.go(from.plus(span * (made + here) as i64 / n as i64));
            let app = self.app.clone();
            let mut change = app.change().await?;
            for i in 0..here {
                // The case's own times lie before this step's instant, never after.
                let opened = change.at().plus(-(self.chance.below(20 * HOUR as u64) as i64));
                let newest = !old && made + i + 40 >= n;
                self.case(&mut change, opened, old, newest).await?;
            }
            change.commit().await?;
            made += here;
            self.bar.inc(here);
        }
        Ok(())
    }

    async fn case(
        &mut self,
        change: &mut Change<'_>,
        opened: Timestamp,
        old: bool,
        newest: bool,
    ) -> Result<(), AppError> {
        let revision = change.revision();
        let latest = change.at();
        let Some(&(requester, place)) = (if newest && self.chance.permille(120) {
            self.people.first()
        } else {
            self.chance.pick(&self.people)
        }) else {
            return Ok(());
        };
        let (organization, japanese) = (self.customers[place].0, self.customers[place].1.japanese);
        let Some(topic) = self.chance.pick(&TOPICS) else { return Ok(()) };
        let topic: &Topic = topic;
        let words: &Words = if japanese { &topic.ja } else { &topic.en };
        let number = (3 + self.chance.below(90)).to_string();
        let status = match (old, newest, self.chance.below(100)) {
            (true, _, 0..97) => Status::Closed,
            (true, ..) => Status::Solved,
            (_, true, 0..55) => Status::New,
            (_, true, _) => Status::Open,
            (_, _, 0..62) => Status::Closed,
            (_, _, 62..80) => Status::Solved,
            (_, _, 80..90) => Status::Waiting,
            _ => Status::Open,
        };
        let agents = [self.staff[0], self.staff[3], self.staff[4], self.staff[5], self.staff[6]];
        let agent = agents[self.chance.below(5) as usize];
        let assigned =
            status != Status::New && !(status == Status::Open && self.chance.permille(150));
        let subject = words.subject.replace("{n}", &number);
        let id = CaseId(change.conn().take_ids("cases", 1).await?);
        let mut lines = vec![(MessageKind::Customer, requester, words.body)];
        if status != Status::New {
            if self.chance.permille(350) {
                lines.push((MessageKind::Note, agent, words.note));
            }
            if !(status == Status::Open && self.chance.permille(500)) {
                lines.push((MessageKind::Reply, agent, words.reply));
                if status != Status::Waiting {
                    lines.push((MessageKind::Customer, requester, words.answer));
                }
            }
        }
        let first = change.conn().take_ids("messages", lines.len() as i64).await?;
        let mut at = opened;
        let mut first_reply_at = None;
        for (i, (kind, author, text)) in lines.iter().enumerate() {
            if *kind == MessageKind::Reply {
                first_reply_at = Some(at);
            }
            let message = Message {
                id: MessageId(first + i as i64),
                case: id,
                organization,
                kind: *kind,
                author: *author,
                at,
                body: text.replace("{n}", &number),
            };
            cases::add_message(&mut change.conn(), &subject, &message).await?;
            let pause = MINUTE + self.chance.below(3 * HOUR as u64) as i64;
            at = Timestamp((at.0 + pause).min(latest.0));
        }
        let done = matches!(status, Status::Solved | Status::Closed);
        let case = Case {
            id,
            organization,
            requester,
            assignee: assigned.then_some(agent),
            subject,
            status,
            priority: match self.chance.below(100) {
                0..3 => Priority::Urgent,
                3..18 => Priority::High,
                18..85 => Priority::Normal,
                _ => Priority::Low,
            },
            product: topic.product.into(),
            tags: topic.tags.into(),
            language: if japanese { "ja" } else { "en" }.into(),
            created_at: opened,
            updated_at: at,
            first_reply_at,
            solved_at: done.then_some(at),
            messages: lines.len() as i64,
        };
        cases::insert(&mut change.conn(), revision, &[case]).await?;
        let who = self.actor(requester, &[]);
        let body = CaseChange {
            case: id.to_string(),
            change: "opened".into(),
            item: Some(first.to_string()),
            content: None,
            revision: Count(revision.0 as u64),
        };
        change.record(&who, Some(organization), &body).await?;
        Ok(())
    }
}

/// The customer of the story.
fn aoba() -> Customer {
    Customer {
        organization: Organization {
            name: "青葉電機株式会社".into(),
            environment: Environment::Production,
            products: vec!["wic".into()],
            domain: "aoba-denki.example".into(),
            vendor: false,
        },
        japanese: true,
    }
}

/// The saved report: everybody who signed in within the quarter before the event.
fn recent() -> Definition {
    Definition {
        filter: filter(
            r#"{"all":[{"column":"last_login","op":"from","value":"2023-07-01T00:00:00Z"}]}"#,
        ),
        ..Definition::of_everything(Subject::People)
    }
}

/// A filter of this file; one that does not read would be caught by the demo's test.
fn filter(json: &str) -> Filter {
    serde_json::from_str(json).unwrap_or_else(|_| Filter::everything())
}
