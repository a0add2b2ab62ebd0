//! Sample data: the frame, sign-in, problems, people, portal.

use askama::Template;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use warifu_domain::assurance::OrganizationAccess;

use crate::i18n::{Lang, When};
use crate::views::cases::*;
use crate::views::certificates::Proven;
use crate::views::errors::{Problem, ReadOn};
use crate::views::markup::{Choice, Tone, initials};
use crate::views::people::*;
use crate::views::portal::*;
use crate::views::shell::*;
use crate::views::sign_in::*;

/// A string that would be markup if it were not escaped.
pub const NASTY: &str = "<script>alert(1)</script><img src=x>";

/// Either word, by language.
pub fn w(lang: Lang, en: &str, ja: &str) -> String {
    match lang {
        Lang::En => en.to_owned(),
        Lang::Ja => ja.to_owned(),
    }
}

/// An instant of 2 December 2026, `09:24`, as the time of day.
pub fn at(lang: Lang, time: &str) -> When {
    let instant: Timestamp = format!("2026-12-02T{time}Z").parse().unwrap();
    lang.time(instant, &TimeZone::UTC)
}

/// Any instant with its date.
pub fn on(lang: Lang, instant: &str) -> When {
    lang.date_time(instant.parse().unwrap(), &TimeZone::UTC)
}

/// Some minutes before 09:34.
pub fn ago(lang: Lang, minutes: i64) -> When {
    let now: Timestamp = "2026-12-02T09:34:00Z".parse().unwrap();
    let then = Timestamp::from_second(now.as_second() - minutes * 60).unwrap();
    lang.ago(then, now, &TimeZone::UTC)
}

pub fn somebody(name: &str) -> Somebody {
    Somebody { id: "p1".into(), name: name.into(), initials: initials(name) }
}

pub fn shell(lang: Lang, place: Place) -> Shell {
    let view = |en: &str, ja: &str, icon, count, current| ViewLink {
        href: "/cases?view=tokyo".into(),
        label: w(lang, en, ja),
        icon,
        count: Some(count),
        current,
    };
    let desk = place == Place::Cases;
    Shell {
        device: ScriptKey::Nothing,
        lang,
        theme: Theme::System,
        installation: w(lang, "Hashira Cloud Support", "ハシラクラウド サポート"),
        csrf: "token".into(),
        zone: "UTC".into(),
        here: "/cases".into(),
        me: Some(Me {
            name: w(lang, "Aiko Mori", "森 愛子"),
            role: w(lang, "Duty lead, Tokyo", "当番リーダー・東京"),
            initials: w(lang, "AM", "森"),
            organization: None,
            password: false,
        }),
        session: Some(SessionLeft {
            network: "AS64496".into(),
            device_bound: true,
            device_signs: false,
            left: 33_120,
            lifetime: 43_200,
            idle_left: 840,
            idle_limit: 900,
        }),
        nav: Nav {
            place,
            views: vec![
                view("My cases", "自分のケース", "inbox", 7, false),
                view("Unassigned", "未割り当て", "st-new", 5, false),
                view("Tokyo desk", "東京デスク", "globe", 12, desk),
                view("All open", "対応中すべて", "st-open", 1_148, false),
                view("Waiting on customer", "お客様待ち", "st-wait", 61, false),
                view("Due within the hour", "1時間以内に期限", "alarm", 3, false),
            ],
            decisions: 2,
            decisions_href: "/approvals".into(),
            people: true,
            import: true,
            reports: true,
            ledger: true,
            incidents: Some(1),
            portal_cases: 0,
            notices: 2,
            more: Vec::new(),
        },
        flash: None,
    }
}

pub fn gate(lang: Lang) -> Shell {
    Shell { me: None, session: None, nav: Nav::default(), ..shell(lang, Place::Elsewhere) }
}

pub fn customer(lang: Lang, place: Place) -> Shell {
    Shell {
        me: Some(Me {
            name: w(lang, "Haruka Endo", "遠藤 遥"),
            role: w(lang, "Administrator", "管理者"),
            initials: w(lang, "HE", "遠"),
            organization: Some(w(lang, "Mizuno Freight", "水野物流")),
            password: false,
        }),
        installation: w(lang, "Hashira Cloud", "ハシラクラウド"),
        nav: Nav { place, portal_cases: 4, ..Nav::default() },
        ..shell(lang, place)
    }
}

pub fn choices(words: &[&str]) -> Vec<Choice> {
    words.iter().enumerate().map(|(i, word)| Choice::new(*word, *word, i == 0)).collect()
}

pub fn pager() -> Pager {
    Pager {
        newer: None,
        older: Some("/cases?before=HC-20390".into()),
        shown: 3,
        total: Some(1_148),
    }
}

pub fn case_row(lang: Lang) -> CaseRow {
    CaseRow {
        reference: "HC-20417".into(),
        subject: w(
            lang,
            "Sign-in loops after SAML certificate rollover",
            "SAML証明書の更新後、サインインが繰り返される",
        ),
        organization: w(lang, "Mizuno Freight", "水野物流"),
        status: CaseStatus::Open,
        priority: Priority::High,
        assignee: Some(somebody(&w(lang, "Aiko Mori", "森 愛子"))),
        due: Some(Due { text: lang.span(2280), tone: Tone::Warn, left: 0.36 }),
        last: ago(lang, 10),
        age: ago(lang, 10),
        unread: false,
        current: true,
        decision: None,
    }
}

pub fn trouble(lang: Lang, kind: SignInTrouble, detail: &str) -> SignInProblem {
    SignInProblem {
        kind,
        detail: detail.into(),
        reference: "W-7Q4K".into(),
        time: at(lang, "09:34:10"),
    }
}

fn sign_in(lang: Lang, problem: Option<SignInProblem>) -> String {
    SignIn {
        shell: gate(lang),
        problem,
        next: "/cases".into(),
        lifetime: 43_200,
        idle: 900,
        network: "AS64496 Hashira Tokyo".into(),
        certificates: true,
        providers: Vec::new(),
        password: String::new(),
    }
    .render()
    .unwrap()
}

fn person_row(lang: Lang) -> PersonRow {
    PersonRow {
        who: somebody(&w(lang, "Haruka Endo", "遠藤 遥")),
        staff: false,
        off: false,
        email: "h.endo@mizuno.example".into(),
        organization: w(lang, "Mizuno Freight", "水野物流"),
        user_type: w(lang, "Administrator", "管理者"),
        role: w(lang, "Super administrator", "スーパー管理者"),
        last_login: Some(ago(lang, 26)),
    }
}

fn versions(lang: Lang) -> Vec<Version> {
    vec![
        Version {
            revision: 88_214_907,
            at: on(lang, "2026-12-01T17:03:55Z"),
            who: "Naoko Ishii".into(),
            changed: vec![w(lang, "Phone", "電話"), w(lang, "Time Zone", "タイムゾーン")],
            href: "/people/p1?revision=88214907".into(),
            current: true,
        },
        Version {
            revision: 41_207,
            at: on(lang, "2019-02-14T08:00:00Z"),
            href: "/people/p1?revision=41207".into(),
            ..Version::default()
        },
    ]
}

fn import_run(lang: Lang, state: RunState) -> ImportRun {
    ImportRun {
        id: "i1".into(),
        file: "people.csv".into(),
        dry_run: true,
        state,
        bytes_done: 147_682,
        bytes_total: 360_201,
        added: 1_204,
        changed: 88,
        same: 16_011,
        rejected: 2,
        rejects: vec![Reject {
            line: 20_118,
            column: "Last Login".into(),
            why: w(lang, "“yesterday” is no date", "「yesterday」は日付ではありません"),
        }],
        started: at(lang, "09:30:00"),
    }
}

pub fn pages(lang: Lang) -> Vec<(&'static str, String)> {
    let mut pages = vec![
        ("sign-in", sign_in(lang, None)),
        (
            "sign-in-moved",
            sign_in(lang, Some(trouble(lang, SignInTrouble::Moved, "AS64496, AS64507"))),
        ),
        ("sign-in-refused", sign_in(lang, Some(trouble(lang, SignInTrouble::Refused, "")))),
        ("sign-in-none", sign_in(lang, Some(trouble(lang, SignInTrouble::NoPasskey, "")))),
        (
            "sign-in-throttled",
            sign_in(lang, Some(trouble(lang, SignInTrouble::Throttled, "AS64511"))),
        ),
        ("sign-in-idle", sign_in(lang, Some(trouble(lang, SignInTrouble::Idle, &lang.span(900))))),
        (
            "sign-in-over",
            sign_in(lang, Some(trouble(lang, SignInTrouble::Over, &lang.span(43_200)))),
        ),
        ("sign-in-ended", sign_in(lang, Some(trouble(lang, SignInTrouble::Ended, "")))),
        ("sign-in-device", sign_in(lang, Some(trouble(lang, SignInTrouble::Device, "")))),
        (
            "enrol",
            Enrol {
                shell: gate(lang),
                name: w(lang, "Aiko Mori", "森 愛子"),
                role: w(lang, "Agent", "担当者"),
                invitation: "inv-1".into(),
                until: on(lang, "2026-12-03T09:00:00Z"),
                suggested_name: "Chromium".into(),
                next: "/cases".into(),
                certificates: false,
                problem: Some(trouble(lang, SignInTrouble::EnrolFailed, "")),
                providers: Vec::new(),
                password: false,
            }
            .render()
            .unwrap(),
        ),
        ("enrol-gone", EnrolGone { shell: gate(lang) }.render().unwrap()),
        (
            "certificate-proven",
            Proven { shell: gate(lang), proof: "a-proof".into() }.render().unwrap(),
        ),
        ("signed-out", SignedOut { shell: gate(lang), provider: None }.render().unwrap()),
    ];
    let passkey = |name: &str, synced| Passkey {
        id: "k1".into(),
        name: name.into(),
        model: if synced { String::new() } else { "YubiKey 5".into() },
        certificate: (!synced).then(|| ("CN=Mori Aiko".into(), on(lang, "2028-11-30T08:00:00Z"))),
        password: false,
        synced,
        added: on(lang, "2026-11-30T08:00:00Z"),
        used: synced.then(|| ago(lang, 26)),
        this_session: synced,
    };
    let passkeys = |list| Passkeys {
        shell: Shell {
            flash: Some(Flash { tone: Tone::Ok, text: NASTY.into() }),
            ..shell(lang, Place::Passkeys)
        },
        passkeys: list,
        proves: true,
        suggested_name: String::new(),
        certificates: true,
        problem: None,
    };
    let laptop = w(lang, "My laptop", "私のノート");
    let in_portal = PortalPasskeys {
        shell: shell(lang, Place::Passkeys),
        passkeys: vec![
            passkey(&laptop, true),
            Passkey { password: true, certificate: None, ..passkey("password", false) },
        ],
        proves: true,
        suggested_name: "Mac".into(),
        certificates: false,
        problem: None,
    };
    pages.push(("portal-passkeys", in_portal.render().unwrap()));
    let unproved = PortalPasskeys { proves: false, ..in_portal };
    pages.push(("portal-passkeys-unproved", unproved.render().unwrap()));
    pages.push(("passkeys-one", passkeys(vec![passkey(&laptop, true)]).render().unwrap()));
    pages.push((
        "passkeys",
        passkeys(vec![passkey(&laptop, true), passkey(&w(lang, "Blue key", "青いキー"), false)])
            .render()
            .unwrap(),
    ));
    for (status, name) in Problem::STATUSES.into_iter().zip([
        "error-403",
        "error-404",
        "error-409",
        "error-413",
        "error-422",
        "error-429",
        "error-500",
        "error-503",
        "error-507",
    ]) {
        let detail = if status == 413 {
            w(
                lang,
                "trace.har has 61,218,004 bytes, the limit is 50,000,000.",
                "trace.har は 61,218,004 バイトです。上限は 50,000,000 バイトです。",
            )
        } else {
            String::new()
        };
        let problem = Problem {
            name: "",
            shell: gate(lang),
            status,
            detail,
            place: "/cases/HC-20417".into(),
            time: on(lang, "2026-12-02T09:34:10Z"),
            reference: "7Q4K-91".into(),
        };
        pages.push((name, problem.render().unwrap()));
    }
    let read_on = ReadOn { shell: gate(lang), people: 4_000, next: "/people?after=2000".into() };
    pages.push(("read-on", read_on.render().unwrap()));
    pages.extend(people(lang));
    pages.extend(portal(lang));
    pages
}

fn people(lang: Lang) -> Vec<(&'static str, String)> {
    let field = |en: &str, ja: &str, value: Option<&str>| FieldValue {
        label: w(lang, en, ja),
        value: value.map(Into::into),
    };
    let organization = OrganizationRow {
        id: "o1".into(),
        name: w(lang, "Mizuno Freight", "水野物流"),
        environment: w(lang, "Production", "本番"),
        products: "Cloud, Edge".into(),
        people: 38,
        administrators: 4,
        open_cases: 3,
    };
    let mut nasty = person_row(lang);
    nasty.who.name = NASTY.into();
    nasty.staff = true;
    nasty.role = String::new();
    nasty.last_login = None;
    let list = |rows, q: &str| PeopleList {
        shell: shell(lang, Place::People),
        q: q.into(),
        organization: Some(somebody(&organization.name)),
        rows,
        pager: pager(),
        import: true,
        add: true,
    };
    let fields = vec![
        field("Created Date", "作成日", Some("2019-02-14")),
        field("Last Login", "最終ログイン", Some("2026-12-02 09:08")),
        field("Full Name", "氏名", Some(&w(lang, "Haruka Endo", "遠藤 遥"))),
        field("Username", "ユーザー名", Some("h.endo@mizuno.example")),
        field("Email", "メール", Some("h.endo@mizuno.example")),
        field("Company Name", "会社名", Some(&organization.name)),
        field("User Type", "ユーザー種別", Some(&w(lang, "Administrator", "管理者"))),
        field("Address", "住所", None),
        field("Last Password Change or Reset", "最終パスワード変更・リセット", None),
        field("Role: Name", "ロール：名前", Some(&w(lang, "Org Admin", "組織管理者"))),
        field(
            "Role: Description",
            "ロール：説明",
            Some(&w(lang, "Manages people and cases", "人とケースを管理")),
        ),
        field("Phone", "電話", Some("+81 3 0000 0144")),
        field("Mobile", "携帯電話", None),
        field("Time Zone", "タイムゾーン", Some("Asia/Tokyo")),
        field("SAML Federation ID", "SAMLフェデレーションID", None),
    ];
    let import = |run, error| PeopleImport {
        shell: shell(lang, Place::Import),
        run,
        earlier: vec![import_run(lang, RunState::Done)],
        error,
        limit: 2_000_000_000,
    };
    vec![
        ("people", list(vec![person_row(lang), nasty], "endo").render().unwrap()),
        ("people-none", list(Vec::new(), "xyz").render().unwrap()),
        (
            "person",
            PersonPage {
                shell: shell(lang, Place::People),
                who: somebody(&w(lang, "Haruka Endo", "遠藤 遥")),
                staff: false,
                organization: somebody(&organization.name),
                fields,
                as_of: versions(lang).pop(),
                versions: versions(lang),
                cases: vec![case_row(lang)],
                verify: true,
                way_in: None,
                contact: None,
                roles: vec![Choice::new(
                    "organization_administrator",
                    w(lang, "Organization administrator", "組織管理者"),
                    true,
                )],
            }
            .render()
            .unwrap(),
        ),
        (
            "organizations",
            OrganizationList {
                shell: shell(lang, Place::Organizations),
                q: String::new(),
                rows: vec![organization.clone()],
                pager: pager(),
            }
            .render()
            .unwrap(),
        ),
        (
            "organizations-none",
            OrganizationList {
                shell: shell(lang, Place::Organizations),
                q: "xyz".into(),
                rows: Vec::new(),
                pager: Pager::default(),
            }
            .render()
            .unwrap(),
        ),
        (
            "organization",
            OrganizationPage {
                shell: shell(lang, Place::Organizations),
                organization,
                facts: vec![(w(lang, "Region", "地域"), w(lang, "Tokyo, Osaka", "東京・大阪"))],
                administrators: vec![person_row(lang)],
                cases: Vec::new(),
                versions: versions(lang),
                access: Some(OrganizationAccess { passwords: true, weaker_providers: false }),
            }
            .render()
            .unwrap(),
        ),
        ("import", import(Some(import_run(lang, RunState::Running)), None).render().unwrap()),
        (
            "import-error",
            import(
                None,
                Some(w(
                    lang,
                    "The file has no column “Username”.",
                    "「Username」の列がありません。",
                )),
            )
            .render()
            .unwrap(),
        ),
    ]
}

fn portal(lang: Lang) -> Vec<(&'static str, String)> {
    let row = |status, subject: &str| PortalRow {
        reference: "HC-20417".into(),
        subject: subject.into(),
        status,
        opened_by: somebody(&w(lang, "Haruka Endo", "遠藤 遥")),
        assignee: (status != CaseStatus::New).then(|| somebody(&w(lang, "Aiko Mori", "森 愛子"))),
        due: (status != CaseStatus::Solved)
            .then(|| Due { text: w(lang, "by 19:12", "19:12まで"), ..Due::default() }),
        last: ago(lang, 10),
    };
    let cases = |rows| PortalCases {
        shell: customer(lang, Place::PortalCases),
        everyone: true,
        may_everyone: true,
        rows,
        pager: Pager { shown: 3, total: Some(23), ..Pager::default() },
    };
    let subject = case_row(lang).subject;
    let urgency =
        |value: &str, en: &str, ja: &str, promise_en: &str, promise_ja: &str, chosen| Urgency {
            value: value.into(),
            label: w(lang, en, ja),
            promise: w(lang, promise_en, promise_ja),
            chosen,
        };
    let case = |status, error| PortalCase {
        shell: customer(lang, Place::PortalCases),
        reference: "HC-20417".into(),
        subject: subject.clone(),
        status,
        opened: on(lang, "2026-12-02T09:02:00Z"),
        assignee: Some(somebody(&w(lang, "Aiko Mori", "森 愛子"))),
        due: Some(Due { text: w(lang, "by 19:12", "19:12まで"), ..Due::default() }),
        followers: vec![
            somebody(&w(lang, "Takumi Kondo", "近藤 匠")),
            somebody(&w(lang, "Yui Oshima", "大島 結")),
        ],
        messages: super::samples_desk::messages(lang),
        text: String::new(),
        last_seen: "m2".into(),
        error,
        file_limit: 50_000_000,
        opened_by_vendor: 9,
    };
    vec![
        (
            "portal-cases",
            cases(vec![
                row(CaseStatus::Open, &subject),
                row(
                    CaseStatus::Waiting,
                    &w(lang, "Rate limit on group sync", "グループ同期の制限"),
                ),
                row(CaseStatus::New, NASTY),
                row(
                    CaseStatus::Solved,
                    &w(lang, "Certificate expires in 30 days", "証明書が30日後に失効"),
                ),
                row(CaseStatus::Closed, &w(lang, "Invoice address", "請求先住所")),
            ])
            .render()
            .unwrap(),
        ),
        ("portal-cases-none", cases(Vec::new()).render().unwrap()),
        (
            "portal-new",
            PortalNewCase {
                shell: customer(lang, Place::PortalNew),
                products: choices(&["Cloud", "Edge"]),
                subject: subject.clone(),
                text: String::new(),
                urgencies: vec![
                    urgency(
                        "urgent",
                        "Everything is down",
                        "すべて止まっている",
                        "First answer in 15 min, day and night",
                        "初回回答15分以内・24時間",
                        false,
                    ),
                    urgency(
                        "high",
                        "People cannot work",
                        "業務が止まっている",
                        "First answer in 30 min, day and night",
                        "初回回答30分以内・24時間",
                        true,
                    ),
                    urgency(
                        "normal",
                        "It is a nuisance",
                        "支障がある",
                        "First answer in 4 working hours",
                        "初回回答4営業時間以内",
                        false,
                    ),
                    urgency(
                        "low",
                        "A question",
                        "質問",
                        "First answer in 1 working day",
                        "初回回答1営業日以内",
                        false,
                    ),
                ],
                file_limit: 50_000_000,
                seen_by: vec![
                    (
                        w(lang, "Here", "貴社"),
                        w(lang, "you and 3 administrators", "あなたと管理者3名"),
                    ),
                    (
                        w(lang, "Kept", "保存"),
                        w(lang, "2 years, files 90 days", "2年間、ファイルは90日間"),
                    ),
                ],
                errors: vec![
                    (
                        "text".into(),
                        w(lang, "Say what happened.", "起きたことを入力してください。"),
                    ),
                    (
                        "files".into(),
                        w(
                            lang,
                            "trace.zip is locked with a password. It was not stored.",
                            "trace.zip はパスワード付きのため、保存していません。",
                        ),
                    ),
                ],
            }
            .render()
            .unwrap(),
        ),
        (
            "portal-case",
            case(
                CaseStatus::Waiting,
                Some(w(lang, "Write something.", "本文を入力してください。")),
            )
            .render()
            .unwrap(),
        ),
        ("portal-case-closed", case(CaseStatus::Closed, None).render().unwrap()),
    ]
}
