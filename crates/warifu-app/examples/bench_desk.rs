//! The data of `bench/desk`: a desk of any size, the same on every run.
//!
//! `bench_desk make DIR CASES [DATABASE]` fills an empty installation through the product's own
//! functions, so that versions, search tokens and kept counts are what the product writes. Only the
//! ledger differs: it gets one entry for a batch, as after an import.
//! `bench_desk session DIR [DATABASE]` opens a session of an agent and prints its cookie.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "this is no part of the product")]

use std::env;
use std::path::Path;
use std::sync::Arc;
use warifu_app::{App, AppConfig, SystemRandom};
use warifu_auth::Token;
use warifu_domain::access::{Actor, Role, Roles};
use warifu_domain::cases::{Case, MessageKind, Priority, Status};
use warifu_domain::organizations::{Environment, Organization};
use warifu_domain::people::{KnownPerson, Person};
use warifu_domain::time::{DAY, HOUR, MINUTE, SystemClock};
use warifu_domain::{CaseId, CredentialId, MessageId, OrganizationId, PersonId, Timestamp};
use warifu_ledger::Count;
use warifu_ledger::body::CaseChange;
use warifu_storage::cases::Message;
use warifu_storage::sessions::{self, Session};
use warifu_storage::{Db, cases, organizations, people};

/// Cases of one transaction.
const BATCH: u64 = 2_000;
const AGENTS: u64 = 50;
/// 2021-01-01T00:00:00Z, and five years.
const BEGIN: i64 = 1_609_459_200_000_000;
const SPAN: i64 = 5 * 365 * DAY;

/// SplitMix64: its stream is fixed for ever.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A rank from 0 to below `n`, small ones often: what words of a language do (Zipf).
    fn rank(&mut self, n: usize) -> usize {
        ((n as f64).powf(self.share()) as usize).saturating_sub(1).min(n - 1)
    }
}

const ENGLISH: &str = "the to a of in is and we our for that it on not with this you have are can \
    after be was when users from all by but only which error sign page user account again about \
    their access password certificate token browser group login email session device policy \
    administrator application network update report address domain agent reset window enrolment \
    factor mobile laptop invoice license office directory metadata provider timeout connection \
    redirect request setting role permission export import schedule audit gateway proxy firewall \
    tenant sandbox webhook endpoint latency outage incident escalation rollback maintenance";
const NOUNS: &str = "認証 証明書 利用者 管理者 更新 設定 画面 請求 障害 端末 期限 接続 申請 承認 権限 組織 \
    部署 登録 削除 変更 確認 連絡 対応 調査 原因 再現 手順 資料 添付 送信 受信 転送 遅延 停止 再開 復旧 \
    監査 記録 履歴 台帳 報告 集計 請求書 契約 更改 見積 担当 窓口 営業 開発 検証 本番 環境 試験 移行 同期 \
    暗号 署名 鍵 指紋 顔認証 多要素 二段階 電話 携帯 番号 住所 氏名 会社 支店 工場 倉庫 配送 物流 在庫 発注 \
    ブラウザー サーバー ネットワーク ログイン パスワード アカウント メール セッション トークン グループ";
const SYLLABLES: &str = "ka ri mo to ne sa li an el vi ro da mi ko ha su jo be lu ter man son wick \
    berg ov ez ini dra shi mar";

struct Words {
    english: Vec<String>,
    nouns: Vec<&'static str>,
}

impl Words {
    fn new() -> Words {
        let mut chance = Chance(7);
        let mut english: Vec<String> = ENGLISH.split_whitespace().map(str::to_owned).collect();
        let syllables: Vec<&str> = SYLLABLES.split_whitespace().collect();
        while english.len() < 30_000 {
            let n = 2 + chance.below(4);
            english.push((0..n).map(|_| syllables[chance.below(30) as usize]).collect());
        }
        Words { english, nouns: NOUNS.split_whitespace().collect() }
    }

    fn text(&self, japanese: bool, words: u64, chance: &mut Chance) -> String {
        let mut text = String::new();
        for i in 0..words {
            if japanese {
                text.push_str(self.nouns[chance.rank(self.nouns.len())]);
                let glue =
                    ["の", "を", "が", "は", "に", "で", "と", "から、", "しました。", "です。"];
                text.push_str(glue[chance.below(10) as usize]);
            } else {
                text.push_str(&self.english[chance.rank(self.english.len())]);
                text.push_str(if i % 11 == 10 { ". " } else { " " });
            }
        }
        // One message of 100,000 has a word that nobody else uses.
        if chance.below(100_000) == 0 {
            text.push_str(if japanese { "量子暗号" } else { "heisenbug" });
        }
        text.trim_end().to_owned()
    }

    fn name(&self, chance: &mut Chance) -> String {
        let mut word = || {
            let w = &self.english[200 + chance.below(20_000) as usize];
            w[..1].to_uppercase() + &w[1..]
        };
        format!("{} {}", word(), word())
    }
}

async fn open(folder: &str, database: Option<&str>) -> App {
    std::fs::create_dir_all(folder).unwrap();
    let db = match database {
        Some(url) => Db::open_postgres(url).await.unwrap(),
        None => Db::open_sqlite(Path::new(folder)).await.unwrap(),
    };
    let config = AppConfig::new(Path::new(folder));
    App::open(db, config, Arc::new(SystemClock::default()), Arc::new(SystemRandom)).unwrap()
}

fn person(
    id: u64,
    organization: OrganizationId,
    name: String,
    domain: &str,
    at: Timestamp,
) -> KnownPerson {
    let email = format!("{}{id}@{domain}", name.replace(' ', ".").to_lowercase());
    let record = Person {
        created_date: Some(at),
        full_name: Some(name),
        username: Some(email.clone()),
        email: Some(email),
        ..Person::default()
    };
    KnownPerson { id: PersonId(id as i64), organization, active: true, record }
}

/// Organizations and people; gives the people's organizations by id.
async fn customers(
    app: &App,
    words: &Words,
    total: u64,
    chance: &mut Chance,
) -> Vec<OrganizationId> {
    let vendor = app.ensure_vendor().await.unwrap();
    let (organizations, persons) = ((total / 50).max(10), (total / 5).max(50));
    let at = Timestamp(BEGIN);
    let mut change = app.change().await.unwrap();
    let revision = change.revision();
    let mut domains = Vec::new();
    for i in 0..organizations {
        let name = words.name(chance);
        let domain = format!("{}{i}.example", name.replace(' ', "-").to_lowercase());
        let o = Organization {
            name,
            environment: Environment::Production,
            products: vec!["wic".into()],
            domain: domain.clone(),
            vendor: false,
        };
        let id = organizations::insert(&mut change.conn(), revision, &o).await.unwrap();
        domains.push((id, domain));
    }
    let first = change.conn().take_ids("people", (AGENTS + persons) as i64).await.unwrap();
    assert_eq!(first, 1, "the installation is empty");
    let mut of = vec![vendor];
    let mut list = Vec::new();
    for i in 1..=AGENTS + persons {
        let name = words.name(chance);
        let p = if i <= AGENTS {
            person(i, vendor, name, "desk.example", at)
        } else {
            // A few customers are large.
            let place = (chance.share() * chance.share() * organizations as f64) as usize;
            person(i, domains[place].0, name, &domains[place].1, at)
        };
        of.push(p.organization);
        list.push(p);
    }
    people::insert(&mut change.conn(), revision, &list).await.unwrap();
    for i in 1..=AGENTS as i64 {
        people::grant(&mut change.conn(), revision, PersonId(i), Role::Agent).await.unwrap();
    }
    for i in (1 + AGENTS as i64..=(AGENTS + persons) as i64).step_by(50) {
        let role = Role::OrganizationAdministrator;
        people::grant(&mut change.conn(), revision, PersonId(i), role).await.unwrap();
    }
    change.commit().await.unwrap();
    of
}

/// One case with its three messages.
fn case(
    id: i64,
    total: u64,
    words: &Words,
    of: &[OrganizationId],
    chance: &mut Chance,
) -> (Case, Vec<Message>) {
    let requester = AGENTS + 1 + chance.below(of.len() as u64 - AGENTS - 1);
    let organization = of[requester as usize];
    let agent = PersonId(1 + chance.below(AGENTS) as i64);
    let japanese = chance.below(100) < 20;
    let created = BEGIN + (SPAN as f64 * id as f64 / total as f64) as i64;
    // Of the older cases 1 of 100 is still open, of the last 2 % one half.
    let young = id as u64 > total - total / 50;
    let status = match (young, chance.below(100)) {
        (true, 0..15) => Status::New,
        (true, 15..35) | (false, 0) => Status::Open,
        (true, 35..50) => Status::Waiting,
        (_, 50..60) => Status::Solved,
        _ => Status::Closed,
    };
    let subject = words.text(japanese, if japanese { 4 } else { 7 }, chance);
    let mut at = created;
    let mut messages = Vec::with_capacity(3);
    let kinds = [
        (MessageKind::Customer, PersonId(requester as i64)),
        (MessageKind::Reply, agent),
        if chance.below(4) == 0 {
            (MessageKind::Note, agent)
        } else {
            (MessageKind::Customer, PersonId(requester as i64))
        },
    ];
    for (i, (kind, author)) in kinds.into_iter().enumerate() {
        let n = if japanese { 20 + chance.below(20) } else { 30 + chance.below(40) };
        messages.push(Message {
            id: MessageId((id - 1) * 3 + 1 + i as i64),
            case: CaseId(id),
            organization,
            kind,
            author,
            at: Timestamp(at),
            body: words.text(japanese, n, chance),
        });
        at += MINUTE + chance.below(40 * HOUR as u64) as i64;
    }
    let case = Case {
        id: CaseId(id),
        organization,
        requester: PersonId(requester as i64),
        assignee: (status != Status::New).then_some(agent),
        subject,
        status,
        priority: Priority::ALL[chance.below(4) as usize],
        product: "wic".into(),
        tags: String::new(),
        language: if japanese { "ja" } else { "en" }.into(),
        created_at: Timestamp(created),
        updated_at: messages[2].at,
        first_reply_at: Some(messages[1].at),
        solved_at: (!status.is_active()).then_some(messages[2].at),
        messages: 3,
    };
    (case, messages)
}

async fn make(folder: &str, total: u64, database: Option<&str>) {
    let app = open(folder, database).await;
    let words = Arc::new(Words::new());
    let mut chance = Chance(20_230_928);
    let of = customers(&app, &words, total, &mut chance).await;
    let (send, mut batches) = tokio::sync::mpsc::channel(2);
    let maker = tokio::task::spawn_blocking(move || {
        for first in (1..=total).step_by(BATCH as usize) {
            let ids = first..(first + BATCH).min(total + 1);
            let batch: Vec<_> =
                ids.map(|id| case(id as i64, total, &words, &of, &mut chance)).collect();
            send.blocking_send(batch).unwrap();
        }
    });
    while let Some(batch) = batches.recv().await {
        let mut change = app.change().await.unwrap();
        let revision = change.revision();
        let n = batch.len() as i64;
        let first = change.conn().take_ids("cases", n).await.unwrap();
        assert_eq!(first, batch[0].0.id.0);
        change.conn().take_ids("messages", 3 * n).await.unwrap();
        let messages: Vec<(&str, &Message)> =
            batch.iter().flat_map(|(c, m)| m.iter().map(|m| (c.subject.as_str(), m))).collect();
        cases::add_messages(&mut change.conn(), &messages).await.unwrap();
        let list: Vec<Case> = batch.iter().map(|(c, _)| c.clone()).collect();
        cases::insert(&mut change.conn(), revision, &list).await.unwrap();
        let body = CaseChange {
            case: format!("{first}+{n}"),
            change: "imported".into(),
            item: None,
            content: None,
            revision: Count(revision.0 as u64),
        };
        change.record_own(None, &body).await.unwrap();
        change.commit().await.unwrap();
    }
    maker.await.unwrap();
    println!("{total} cases, {} messages", 3 * total);
    app.db.close().await;
}

/// A session as a sign-in opens it, of the first agent, for this machine.
async fn session(folder: &str, database: Option<&str>) {
    let app = open(folder, database).await;
    let token = Token::from_random(app.random_bytes());
    let mut change = app.change().await.unwrap();
    let at = change.at();
    let session = Session {
        token_hash: token.hash().to_vec(),
        person: PersonId(1),
        csrf: Token::from_random(app.random_bytes()).text(),
        created_at: at,
        used_at: at,
        ends_at: at.plus(12 * HOUR),
        ended_at: None,
        network: "loopback".into(),
        agent: "bench/desk".into(),
        credential: CredentialId(0),
        factor: warifu_domain::factors::Factor::Passkey,
        assurance: 2,
        proved_at: at,
    };
    sessions::insert(&mut change.conn(), &session).await.unwrap();
    change.commit().await.unwrap();
    let person = people::find(&mut app.db.read().await.unwrap().conn(), PersonId(1)).await.unwrap();
    let actor = Actor {
        person: PersonId(1),
        name: person.unwrap().record.full_name.unwrap_or_default(),
        organization: OrganizationId(1),
        roles: [Role::Agent].into_iter().collect::<Roles>(),
        session: None,
        network: String::new(),
    };
    assert!(app.nav_counts(&actor).await.is_ok(), "the session's person may work cases");
    println!("__Host-warifu={}", token.text());
    app.db.close().await;
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let given: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match given.as_slice() {
        ["make", folder, n] => make(folder, n.parse().unwrap(), None).await,
        ["make", folder, n, url] => make(folder, n.parse().unwrap(), Some(url)).await,
        ["session", folder] => session(folder, None).await,
        ["session", folder, url] => session(folder, Some(url)).await,
        _ => println!("bench_desk make DIR CASES [DATABASE] | session DIR [DATABASE]"),
    }
}
