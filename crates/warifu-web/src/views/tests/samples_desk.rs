//! Sample data: the console.

use askama::Template;

use super::samples::*;
use crate::i18n::Lang;
use crate::views::cases::*;
use crate::views::markup::{Highlighted, Tone};
use crate::views::shell::Place;

fn rows(lang: Lang) -> Vec<CaseRow> {
    let row = |reference: &str, en: &str, ja: &str, organization: &str, status, priority| CaseRow {
        reference: reference.into(),
        subject: w(lang, en, ja),
        organization: organization.into(),
        status,
        priority,
        assignee: None,
        due: None,
        last: ago(lang, 58),
        age: ago(lang, 58),
        unread: false,
        current: false,
        decision: None,
    };
    vec![
        CaseRow {
            unread: true,
            due: Some(Due { text: lang.span(480), tone: Tone::Bad, left: 0.1 }),
            ..row(
                "HC-20421",
                "Administrators cannot sign in with smart cards",
                "管理者がスマートカードでサインインできない",
                "Aster Bank",
                CaseStatus::New,
                Priority::Urgent,
            )
        },
        case_row(lang),
        CaseRow {
            decision: Some(w(lang, "Identity check", "本人確認")),
            due: Some(Due { text: lang.span(4_200), tone: Tone::Plain, left: 0.8 }),
            ..row(
                "HC-20415",
                "Caller asks to reset an administrator’s phone number",
                "管理者の電話番号変更を求める電話",
                "Brightwell Health",
                CaseStatus::Waiting,
                Priority::Normal,
            )
        },
        row("HC-20402", NASTY, NASTY, "Orchard & Lane", CaseStatus::Solved, Priority::Low),
        row(
            "HC-20390",
            "Smart card reader list for macOS",
            "macOSで使えるカードリーダーの一覧",
            "Aster Bank",
            CaseStatus::Closed,
            Priority::Low,
        ),
    ]
}

fn har(lang: Lang) -> Attachment {
    Attachment {
        href: "/cases/HC-20417/files/f1".into(),
        name: "login-loop.har".into(),
        size: 1_962_874,
        receipt: Some(CleanReceipt {
            original_size: 2_418_221,
            cookies: 14,
            tokens: 3,
            removed: vec![
                Removed {
                    kind: w(lang, "Cookie", "クッキー"),
                    names: "sid, idx, DT".into(),
                    place: "Cookie, Set-Cookie".into(),
                    count: 14,
                },
                Removed {
                    kind: w(lang, "Bearer token", "Bearerトークン"),
                    names: "Authorization".into(),
                    place: w(lang, "Request headers", "リクエストヘッダー"),
                    count: 2,
                },
                Removed {
                    kind: w(lang, "Token in a body", "本文中のトークン"),
                    names: "id_token".into(),
                    place: "POST /callback".into(),
                    count: 1,
                },
            ],
        }),
    }
}

pub fn messages(lang: Lang) -> Vec<Message> {
    vec![
        Message {
            id: "1".into(),
            author: somebody(&w(lang, "Kenji Sato", "佐藤 健司")),
            ours: true,
            side: "Hashira Cloud".into(),
            at: at(lang, "09:16:00"),
            paragraphs: vec![w(
                lang,
                "Thank you, Haruka. Please send a HAR recording of one failed sign-in. We remove cookies and tokens from it before anyone here can open it.",
                "遠藤様、ご連絡ありがとうございます。サインインに失敗したときのHARファイルをお送りください。クッキーとトークンは、当社の担当者が開く前に自動で取り除かれます。",
            )],
            files: Vec::new(),
        },
        Message {
            id: "2".into(),
            author: somebody(&w(lang, "Haruka Endo", "遠藤 遥")),
            ours: false,
            side: w(lang, "Mizuno Freight, via portal", "水野物流・ポータルから"),
            at: at(lang, "09:24:00"),
            paragraphs: vec![
                w(
                    lang,
                    "Attached. It starts at 09:18:40. Our IdP shows the assertion as accepted, then your side sends us back to the sign-in page. 38 people are affected, so this is urgent for us.",
                    "添付します。09:18:40 UTC から記録しています。IdP側ではアサーションは受理済みと表示されますが、その後サインイン画面に戻されます。38名全員に影響が出ており、急ぎで確認をお願いします。",
                ),
                NASTY.into(),
            ],
            files: vec![
                har(lang),
                Attachment {
                    href: "/cases/HC-20417/files/f2".into(),
                    name: NASTY.into(),
                    size: 1,
                    receipt: None,
                },
            ],
        },
    ]
}

fn case(lang: Lang) -> Case {
    let mut entries: Vec<Entry> = messages(lang).into_iter().map(Entry::Message).collect();
    entries.push(Entry::Note(Message {
        id: "3".into(),
        author: somebody("Lena Fischer"),
        ours: true,
        side: String::new(),
        at: at(lang, "09:29:00"),
        paragraphs: vec![w(lang, "Same pattern as HC-20388: metadata cached with the old certificate. Refreshing the metadata should be enough.", "HC-20388 と同じ症状です。メタデータに古い証明書が残っています。メタデータの再取得で直るはずです。")],
        files: Vec::new(),
    }));
    for (kind, what) in [
        (EventKind::Opened, ""),
        (EventKind::Took, ""),
        (EventKind::Assigned, "Kenji Sato"),
        (EventKind::Status, "Open"),
        (EventKind::Priority, "High"),
        (EventKind::Tags, "saml"),
        (EventKind::FileOpened, "login-loop.har"),
    ] {
        entries.push(Entry::Event(Event {
            who: w(lang, "Aiko Mori", "森 愛子"),
            kind,
            what: what.into(),
            at: at(lang, "09:31:00"),
        }));
    }
    let row = case_row(lang);
    Case {
        reference: row.reference,
        subject: row.subject,
        organization: somebody(&row.organization),
        status: row.status,
        priority: row.priority,
        assignee: row.assignee,
        tags: vec!["saml".into(), w(lang, "certificate", "証明書")],
        staff: choices(&["Aiko Mori", "Kenji Sato", "Lena Fischer"]),
        version: 7,
        due: row.due,
        presence: vec![
            Presence { who: somebody(&w(lang, "Kenji Sato", "佐藤 健司")), writing: true },
            Presence { who: somebody("Lena Fischer"), writing: false },
        ],
        earlier: Some(("/cases/HC-20417?before=m1".into(), 3)),
        entries,
    }
}

fn dossier(lang: Lang) -> Dossier {
    Dossier {
        person: somebody(&w(lang, "Haruka Endo", "遠藤 遥")),
        role: w(lang, "Super administrator", "スーパー管理者"),
        facts: vec![
            (
                w(lang, "Sign-in", "サインイン"),
                w(lang, "Passkey, today 09:08", "パスキー（今日 18:08）"),
            ),
            (w(lang, "Network", "ネットワーク"), "AS64507 Kita Mobile".into()),
            (w(lang, "Local time", "現地時刻"), w(lang, "18:34 Tokyo", "18:34 東京")),
            (w(lang, "Mail", "メール"), "h.endo@mizuno.example".into()),
        ],
        organization: somebody(&w(lang, "Mizuno Freight", "水野物流")),
        organization_facts: vec![
            (
                w(lang, "People", "人数"),
                w(lang, "38, of them 4 administrators", "38名（うち管理者4名）"),
            ),
            (w(lang, "Service", "サポート"), w(lang, "24 h, every day", "24時間・毎日")),
        ],
        cases: rows(lang).into_iter().skip(2).take(2).collect(),
        cases_total: 23,
        access: vec![(
            w(lang, "Cases opened", "ケースの閲覧"),
            w(lang, "17, by 5 people", "17件・5名"),
        )],
    }
}

fn case_page(lang: Lang, composer: Composer) -> CasePage {
    CasePage {
        shell: shell(lang, Place::Cases),
        view_title: w(lang, "Tokyo desk", "東京デスク"),
        view: "tokyo".into(),
        total: 12,
        rows: rows(lang),
        case: case(lang),
        composer,
        dossier: dossier(lang),
    }
}

fn list(lang: Lang, rows: Vec<CaseRow>, filtered: bool) -> CaseList {
    let filter = CaseFilter {
        q: if filtered { "saml".into() } else { String::new() },
        statuses: CaseStatus::ALL
            .iter()
            .map(|s| crate::views::markup::Choice::new(s.value(), lang.t(s.label()), false))
            .collect(),
        priorities: Priority::ALL
            .iter()
            .map(|p| crate::views::markup::Choice::new(p.value(), lang.t(p.label()), false))
            .collect(),
        assignees: choices(&["Aiko Mori", "Kenji Sato"]),
    };
    CaseList {
        shell: shell(lang, Place::Cases),
        title: w(lang, "Tokyo desk", "東京デスク"),
        view: "tokyo".into(),
        count: Some(12),
        chips: if filtered {
            vec![Chip {
                text: w(lang, "Status is not Solved", "状態が「解決」以外"),
                without: "/cases?view=tokyo".into(),
            }]
        } else {
            Vec::new()
        },
        filter,
        rows,
        pager: pager(),
        staff: choices(&["Aiko Mori", "Kenji Sato"]),
    }
}

fn hit(lang: Lang) -> Hit {
    Hit {
        href: "/cases/HC-20417".into(),
        icon: "st-open",
        title: Highlighted(vec![
            (w(lang, "Sign-in loops after ", ""), false),
            ("SAML".into(), true),
            (w(lang, " certificate rollover", "証明書の更新後、サインインが繰り返される"), false),
        ]),
        sub: Highlighted::plain("HC-20417, Mizuno Freight"),
        passage: Highlighted(vec![
            ("… the ".into(), false),
            ("SAML".into(), true),
            (" assertion …".into(), false),
        ]),
        end: w(lang, "yesterday", "昨日"),
    }
}

pub fn pages(lang: Lang) -> Vec<(&'static str, String)> {
    let to = w(lang, "Haruka Endo", "遠藤 遥");
    let reply = Composer {
        text: w(
            lang,
            "Thank you, the recording shows it: we still hold the certificate from before your rollover. I am refreshing your metadata now and will confirm by 09:50 UTC.",
            "記録をありがとうございます。弊社側に更新前の証明書が残っていることを確認しました。いまメタデータを再取得しており、18:50までに結果をご連絡します。",
        ),
        note: false,
        to: to.clone(),
        followers: 1,
        last_seen: "3".into(),
        arrived: None,
        error: None,
        kept: Some(at(lang, "09:34:00")),
    };
    let arrived = |customer, who: &str| {
        Some(Arrived { who: who.into(), customer, at: at(lang, "09:34:02"), id: "2".into() })
    };
    let search = |q: &str, found: bool| Search {
        shell: shell(lang, Place::Elsewhere),
        q: q.into(),
        cases: if found { vec![hit(lang), hit(lang)] } else { Vec::new() },
        people: if found {
            vec![Hit {
                icon: "user",
                title: Highlighted::plain(NASTY),
                passage: Highlighted::default(),
                ..hit(lang)
            }]
        } else {
            Vec::new()
        },
        organizations: Vec::new(),
        more: found,
    };
    vec![
        ("cases", list(lang, rows(lang), true).render().unwrap()),
        ("cases-empty", list(lang, Vec::new(), false).render().unwrap()),
        ("cases-none-match", list(lang, Vec::new(), true).render().unwrap()),
        ("case", case_page(lang, reply.clone()).render().unwrap()),
        (
            "case-arrived",
            case_page(lang, Composer { arrived: arrived(true, &to), ..reply.clone() })
                .render()
                .unwrap(),
        ),
        (
            "case-note",
            case_page(
                lang,
                Composer {
                    note: true,
                    followers: 0,
                    arrived: arrived(false, "Kenji Sato"),
                    error: Some(w(lang, "Write something.", "本文を入力してください。")),
                    kept: None,
                    ..reply
                },
            )
            .render()
            .unwrap(),
        ),
        (
            "case-new",
            NewCase {
                shell: shell(lang, Place::Cases),
                subject: String::new(),
                text: String::new(),
                person: "h.endo@mizuno.example".into(),
                priorities: choices(&["normal", "high"]),
                errors: vec![(
                    "subject".into(),
                    w(lang, "Give it a subject.", "件名を入力してください。"),
                )],
            }
            .render()
            .unwrap(),
        ),
        ("search", search("saml", true).render().unwrap()),
        ("search-none", search("xyzzy", false).render().unwrap()),
        ("search-start", search("", false).render().unwrap()),
        (
            "palette",
            Palette {
                shell: shell(lang, Place::Elsewhere),
                groups: vec![
                    PaletteGroup {
                        title: w(lang, "Cases", "ケース"),
                        hits: vec![hit(lang), hit(lang)],
                    },
                    PaletteGroup { title: w(lang, "Actions", "操作"), hits: vec![hit(lang)] },
                ],
            }
            .render()
            .unwrap(),
        ),
        ("shortcuts", Shortcuts { shell: shell(lang, Place::Elsewhere) }.render().unwrap()),
    ]
}

#[test]
fn blocks_are_rendered_alone() {
    let page = case_page(Lang::En, Composer { to: "x".into(), ..Composer::default() });
    let talk = page.as_talk().render().unwrap();
    assert!(talk.trim_start().starts_with("<div class=\"talk\" id=\"talk\">"), "{talk}");
    assert!(!talk.contains("<html"));
    let empty = Palette { shell: shell(Lang::En, Place::Elsewhere), groups: Vec::new() };
    assert!(empty.render().unwrap().contains("Nothing found"));
}
