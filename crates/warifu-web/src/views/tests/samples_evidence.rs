//! Sample data: reports, runs, ledger, incidents.

use askama::Template;

use super::samples::*;
use crate::i18n::Lang;
use crate::views::cases::Chip;
use crate::views::incidents::*;
use crate::views::ledger::*;
use crate::views::markup::Tally;
use crate::views::people::{RunState, Version};
use crate::views::reports::*;
use crate::views::runs::*;
use crate::views::shell::Place;

const FIELDS: [(&str, &str, bool, i64); 15] = [
    ("Created Date", "作成日", false, 18_432),
    ("Last Login", "最終ログイン", true, 15_911),
    ("Full Name", "氏名", true, 18_432),
    ("Username", "ユーザー名", true, 18_432),
    ("Email", "メール", true, 18_432),
    ("Company Name", "会社名", false, 18_420),
    ("User Type", "ユーザー種別", false, 18_432),
    ("Address", "住所", true, 41),
    ("Last Password Change or Reset", "最終パスワード変更・リセット", false, 2_206),
    ("Role: Name", "ロール：名前", false, 1_871),
    ("Role: Description", "ロール：説明", false, 1_871),
    ("Phone", "電話", true, 58),
    ("Mobile", "携帯電話", true, 22),
    ("Time Zone", "タイムゾーン", false, 3_110),
    ("SAML Federation ID", "SAMLフェデレーションID", true, 1_406),
];

fn preview(lang: Lang, decision: Option<Decision>) -> Preview {
    let row = |name: &str, mail: &str, organization: &str| -> Vec<Option<String>> {
        let mut cells = vec![
            Some("2019-02-11".into()),
            None,
            Some(name.into()),
            Some(mail.into()),
            Some(mail.into()),
            Some(organization.into()),
            Some("Administrator".into()),
        ];
        cells.resize(FIELDS.len(), None);
        cells
    };
    Preview {
        as_of: at(lang, "09:34:12"),
        revision: 88_214_907,
        rows: 18_877,
        organizations: 1_249,
        personal: (8, 8),
        bytes: 3_566_204,
        limits: [Some(500), Some(1), Some(4), if decision.is_some() { Some(250_000) } else { None }],
        everything: (18_877, 1_249),
        header: FIELDS.iter().map(|(en, ja, _, _)| w(lang, en, ja)).collect(),
        sample: vec![row("A•• S•••••", "a•••@asterbank.example", "Aster Bank"), row("H••••• E•••", "h•••@mizuno.example", "Mizuno Freight")],
        decision,
        definition: "report user-directory/1\nsource users\nfilter none\norder created_date, id\nformat csv; bom=yes; eol=crlf; tz=UTC".into(),
        key_for: "definition=b07e41d9".into(),
        digest: "b07e 41d9 66c2 … 0f13".into(),
        format: "CSV, UTF-8 + BOM, CRLF".into(),
    }
}

fn builder(lang: Lang, preview: Option<Preview>) -> ReportBuilder {
    let setting = |name: &str, en: &str, ja: &str, words: &[&str]| Setting {
        name: name.into(),
        label: w(lang, en, ja),
        choices: choices(words),
        ..Setting::default()
    };
    ReportBuilder {
        shell: shell(lang, Place::Reports),
        id: preview.is_some().then(|| "r1".into()),
        version: 3,
        name: if preview.is_some() {
            w(lang, "User directory", "ユーザー一覧")
        } else {
            String::new()
        },
        subjects: choices(&["people", "cases"]),
        columns: FIELDS
            .iter()
            .map(|(en, ja, personal, filled)| Column {
                key: en.to_lowercase().replace([' ', ':'], "_"),
                label: w(lang, en, ja),
                personal: *personal,
                filled: Some(*filled as f64 / 18_432.0),
                chosen: preview.is_some(),
                shown: true,
            })
            .collect(),
        filter: vec![
            FilterLine::Open { path: "0".into(), any: false },
            FilterLine::Rule {
                path: "0.0".into(),
                column: "company_name".into(),
                operator: "is".into(),
                value: NASTY.into(),
            },
            FilterLine::Open { path: "0.1".into(), any: true },
            FilterLine::Rule {
                path: "0.1.0".into(),
                column: "phone".into(),
                operator: "filled".into(),
                value: String::new(),
            },
            FilterLine::Close { path: "0.1".into() },
            FilterLine::Close { path: "0".into() },
        ],
        operators: choices(&["is", "is not", "contains", "filled", "blank"]),
        order: vec![("created_date".into(), false), ("email".into(), true)],
        limit: String::new(),
        settings: vec![
            setting("format", "Format", "形式", &["CSV", "XLSX", "JSON"]),
            setting("eol", "Line ends", "改行", &["CRLF", "LF"]),
            setting("bom", "BOM", "BOM", &["UTF-8 BOM", "–"]),
            setting("quote", "Quotes", "引用符", &["minimal", "all"]),
        ],
        preview,
        approvers: choices(&["Naoko Ishii", "Samuel Oduya"]),
        purpose: String::new(),
        errors: vec![
            (
                "purpose".into(),
                w(
                    lang,
                    "Say what the file is for. Every organization in it will read this.",
                    "利用目的を入力してください。含まれる組織はこの文を読めます。",
                ),
            ),
            ("name".into(), w(lang, "Give it a name.", "名前を入力してください。")),
            ("limit".into(), w(lang, "A whole number.", "整数を入力してください。")),
            (
                "column".into(),
                w(lang, "Choose at least one field.", "項目を一つ以上選んでください。"),
            ),
            (
                "filter".into(),
                w(
                    lang,
                    "Condition 0.0: this field has no such value.",
                    "条件0.0：この値はありません。",
                ),
            ),
        ],
    }
}

fn run(lang: Lang, state: RunState) -> Run {
    Run {
        id: "u1".into(),
        name: w(lang, "User directory", "ユーザー一覧"),
        definition_href: "/reports/r1".into(),
        filter: if state == RunState::Failed {
            String::new()
        } else {
            w(lang, "Company Name is Aster Bank", "会社名が「Aster Bank」")
        },
        who: "Naoko Ishii".into(),
        purpose: w(lang, "Who still needs a smart card", "スマートカード未登録者の確認"),
        state,
        rows: 212,
        rows_total: Some(400),
        bytes: 40_113,
        started: at(lang, "09:22:31"),
        as_of: at(lang, "09:22:30"),
        revision: 88_213_552,
        failure: if state == RunState::Failed {
            w(
                lang,
                "The ledger could not be written. Nothing left.",
                "台帳に書き込めませんでした。外には何も出ていません。",
            )
        } else {
            String::new()
        },
    }
}

fn half(lang: Lang, bytes: i64) -> Half {
    Half {
        bytes,
        digest: "9f2c 03b8 d17a 4e55 6b0c … 81f2".into(),
        at: on(lang, "2026-12-02T09:22:31Z"),
    }
}

fn replay(lang: Lang, remade: Option<Half>, result: ReplayResult) -> String {
    ReplayPage {
        shell: shell(lang, Place::Runs),
        run: run(lang, RunState::Done),
        recorded: half(lang, 40_113),
        remade,
        result,
        seconds: "0.8".into(),
    }
    .render()
    .unwrap()
}

fn ledger(lang: Lang, state: Tally, verified: Option<Verified>) -> Ledger {
    let row = |number, en: &str, ja: &str, tally, text_en: &str, text_ja: &str| LedgerRow {
        number,
        at: on(lang, "2026-12-02T09:22:31Z"),
        what: w(lang, en, ja),
        detail: w(lang, "Company Name is Aster Bank; 9 fields", "会社名が「Aster Bank」・9項目"),
        who: "Naoko Ishii".into(),
        people: Some(212),
        bytes_made: Some(40_113),
        bytes_sent: None,
        digest: "9f2c 03b8".into(),
        tally,
        tally_text: w(lang, text_en, text_ja),
        current: tally == Tally::Match,
    };
    Ledger {
        shell: shell(lang, Place::Ledger),
        checkpoint: Checkpoint {
            size: 52_141,
            root: "kq3nXj…Zk4=".into(),
            at: on(lang, "2026-12-02T09:30:00Z"),
            key: "hashira.example/warifu".into(),
            state,
        },
        verified,
        kinds: choices(&["all", "run", "download"]),
        q: String::new(),
        days: ("2026-11-25".into(), String::new()),
        chips: vec![Chip { text: w(lang, "Last 7 days", "過去7日"), without: "/ledger".into() }],
        entries: vec![
            row(
                52_140,
                "Run, User directory",
                "実行：ユーザー一覧",
                Tally::Match,
                "identical",
                "完全一致",
            ),
            LedgerRow {
                bytes_made: None,
                bytes_sent: Some((114_688, Some(360_201))),
                ..row(
                    52_139,
                    "Download of 52,131",
                    "52,131のダウンロード",
                    Tally::Open,
                    "not yet",
                    "未実施",
                )
            },
            LedgerRow {
                people: None,
                bytes_sent: Some((18_204, None)),
                digest: String::new(),
                ..row(
                    41_207,
                    "Download, from the old system’s log",
                    "ダウンロード（旧システムのログ）",
                    Tally::No,
                    "differs",
                    "不一致",
                )
            },
        ],
        pager: pager(),
        bytes_sent: Some(9_804_377),
        entry: Some(LedgerEntry {
            number: 52_140,
            kind: w(lang, "Run", "実行"),
            replay_href: Some("/runs/u1/replay".into()),
            recorded: Some(half(lang, 40_113)),
            remade: (state != Tally::Open).then(|| half(lang, 40_113)),
            tally: state,
            seconds: "0.8".into(),
            facts: vec![
                (w(lang, "Who", "実行者"), "Naoko Ishii".into()),
                (w(lang, "Session", "セッション"), "3b90…e114".into()),
                (w(lang, "Network", "ネットワーク"), "AS64496 Hashira Tokyo".into()),
                (w(lang, "Step-up", "追加認証"), w(lang, "Passkey, 09:22:12", "パスキー 09:22:12")),
            ],
            json: "{\"kind\":\"run\"}".into(),
            proof: Some(Proof {
                index: 52_139,
                size: 52_141,
                leaf: "b64leaf=".into(),
                path: vec!["h0=".into(), "h1=".into()],
                holds: state != Tally::No,
            }),
        }),
    }
}

fn download(lang: Lang, state: RunState) -> RecordedDownload {
    RecordedDownload {
        id: "d1".into(),
        bytes: 3_481_972,
        at: on(lang, "2026-09-28T15:06:11Z"),
        tolerance: w(lang, "exact", "完全一致"),
        rows: None,
        who: "support-ops-2".into(),
        network: "AS64511 Meridian Hosting".into(),
        state,
        candidates: (state == RunState::Done).then_some(6),
        current: true,
    }
}

fn matching(lang: Lang, state: RunState) -> Matching {
    let candidate =
        |rank, en: &str, ja: &str, people, bytes: i64, en2: &str, ja2: &str| Candidate {
            rank,
            definition: w(lang, en, ja),
            detail: "CSV, CRLF, BOM; 15".into(),
            people,
            bytes,
            difference: bytes - 3_481_972,
            meaning: w(lang, en2, ja2),
            verify_href: (rank > 1).then(|| "/incidents/INC-2026-03/downloads/d1/verify/2".into()),
            current: rank == 1,
        };
    let done = state == RunState::Done;
    Matching {
        download: download(lang, state),
        state,
        tried: if done { (1_152, 1_152) } else { (612, 1_152) },
        space: (16, 4, 3),
        seconds: "41.0".into(),
        nearest: Some(18_433),
        matched: if done { 6 } else { 0 },
        candidates: if done {
            vec![
                candidate(1, "User directory, filter removed", "ユーザー一覧・フィルターなし", 18_432, 3_481_972, "exact", "完全一致"),
                candidate(2, "The same, without BOM", "同上・BOMなし", 18_432, 3_481_969, "same people", "対象者は同じ"),
                candidate(3, "As saved: Company Name is one of 134", "保存どおり・会社名が134件のいずれか", 6_388, 1_207_655, "the first answer", "最初の結論"),
            ]
        } else {
            Vec::new()
        },
        certain: if done { vec![w(lang, "18,432 people", "18,432名"), w(lang, "Full Name and Email", "氏名とメール")] } else { Vec::new() },
        possible: if done { vec![w(lang, "Mobile", "携帯電話")] } else { Vec::new() },
        excluded: Vec::new(),
        narrow: w(lang, "the number of rows", "行数"),
        difference: done.then(|| Difference {
            title: w(lang, "The filter was removed", "フィルターが外されていました"),
            text: w(lang, "On 2 November the report was re-created as saved, with its filter. That file was 2,274,317 bytes too small. With the filter removed the size fits to the byte.", "11月2日には、レポートを保存どおりフィルター付きで再作成しました。そのファイルは記録より 2,274,317 バイト小さいものでした。フィルターを外すと1バイトまで一致します。"),
            sizes: vec![
                (w(lang, "Recorded, 28 Sep", "記録（9月28日）"), 3_481_972),
                (w(lang, "With the filter, 2 Nov", "フィルターあり（11月2日）"), 1_207_655),
                (w(lang, "Without it, 27 Nov", "フィルターなし（11月27日）"), 3_481_972),
            ],
            lines: vec![
                DiffLine::Same("report user-directory/1".into()),
                DiffLine::Gone("filter company_name in (134)".into()),
                DiffLine::New("filter none".into()),
            ],
        }),
    }
}

fn exposure(lang: Lang) -> Exposure {
    let organization = |name: &str, people, more| ExposedOrganization {
        id: "o1".into(),
        name: name.into(),
        people,
        more,
    };
    Exposure {
        people: 18_432,
        administrators: 11_906,
        organizations: 1_214,
        name_and_email: 18_358,
        more_contact: 74,
        fields: FIELDS.iter().map(|(en, ja, _, n)| (w(lang, en, ja), *n)).collect(),
        sizes: vec![
            (w(lang, "1 to 5", "1〜5名"), 611),
            (w(lang, "6 to 20", "6〜20名"), 398),
            (w(lang, "21 to 100", "21〜100名"), 172),
            (w(lang, "101 to 500", "101〜500名"), 30),
            (w(lang, "over 500", "500名超"), 3),
        ],
        months: (1..=9).map(|m| (format!("2026-{m:02}"), 200 * m)).collect(),
        top: vec![organization("Polaris Devices", 812, 0), organization("Tamagawa Rail", 540, 2)],
    }
}

fn room(lang: Lang, matching: Option<Matching>, exposure: Option<Exposure>) -> IncidentRoom {
    let moment = |instant: &str, en: &str, ja: &str, kind| Moment {
        at: on(lang, instant),
        title: w(lang, en, ja),
        text: if kind == MomentKind::Hot {
            w(lang, "Session moved from AS64496 to AS64511", "セッションがAS64496からAS64511へ移動")
        } else {
            String::new()
        },
        kind,
    };
    let known = matching.is_some();
    IncidentRoom {
        shell: shell(lang, Place::Incidents),
        reference: "INC-2026-03".into(),
        title: w(
            lang,
            "What was in the download of 28 September?",
            "9月28日のダウンロードには何が含まれていたか",
        ),
        summary: w(
            lang,
            "The download was made in the system used before. Its log kept time, size and session.",
            "旧システムでのダウンロードです。ログには時刻、サイズ、セッションだけが残っています。",
        ),
        downloads: if known {
            vec![
                download(lang, RunState::Done),
                RecordedDownload {
                    id: "d2".into(),
                    rows: Some(212),
                    current: false,
                    ..download(lang, RunState::Running)
                },
            ]
        } else {
            Vec::new()
        },
        entry: TelemetryForm {
            bytes: "3481972".into(),
            tolerance: "0".into(),
            measures: choices(&["file", "http"]),
            at: "2026-09-28".into(),
            errors: if known {
                Vec::new()
            } else {
                vec![
                    (
                        "at".into(),
                        w(
                            lang,
                            "Write date and time in UTC.",
                            "日付と時刻をUTCで入力してください。",
                        ),
                    ),
                    ("bytes".into(), w(lang, "A whole number.", "整数を入力してください。")),
                    (
                        "tolerance".into(),
                        w(lang, "0, or a share, or a size.", "0、割合、サイズのいずれか。"),
                    ),
                    ("rows".into(), w(lang, "A whole number.", "整数を入力してください。")),
                ]
            },
            ..TelemetryForm::default()
        },
        matching,
        exposure,
        timeline: vec![
            moment(
                "2026-09-28T15:06:11Z",
                "Download of 3,481,972 bytes",
                "3,481,972 バイトのダウンロード",
                MomentKind::Hot,
            ),
            moment(
                "2026-11-02T10:00:00Z",
                "First answer: 6,388 people",
                "最初の結論：6,388名",
                MomentKind::Plain,
            ),
            moment(
                "2026-11-03T09:00:00Z",
                "Statement, revision 1",
                "公表文 第1版",
                MomentKind::Revision,
            ),
            moment(
                "2026-12-02T09:34:00Z",
                "Waits for your decision",
                "あなたの判断待ち",
                MomentKind::Next,
            ),
        ],
        evidence: if known {
            vec![
                EvidenceFile {
                    name: "candidates.csv".into(),
                    digest: "51aa 0e96 … 3c02".into(),
                    bytes: 88_310,
                },
                EvidenceFile {
                    name: "ledger-proof.txt".into(),
                    digest: "04d1 b5e2 … c1f8".into(),
                    bytes: 3_118,
                },
            ]
        } else {
            Vec::new()
        },
        bundle_digest: if known { "2c6e 88d1 04fa … 71b9".into() } else { String::new() },
        open: true,
        guesses: Vec::new(),
    }
}

pub fn pages(lang: Lang) -> Vec<(&'static str, String)> {
    let version = |revision, current| Version {
        revision,
        at: on(lang, "2026-11-02T10:00:00Z"),
        who: "Naoko Ishii".into(),
        changed: vec![w(lang, "filter", "フィルター")],
        href: "/reports/r1?version=1".into(),
        current,
    };
    let definition = |filter: &str| DefinitionRow {
        id: "r1".into(),
        name: w(lang, "User directory", "ユーザー一覧"),
        subject: w(lang, "People", "人"),
        filter: filter.into(),
        columns: 15,
        personal: 8,
        format: "CSV, CRLF, BOM".into(),
        needs_approval: filter.is_empty(),
        versions: vec![version(3, true), version(2, false), version(1, false)],
    };
    let reports = |rows| ReportList { shell: shell(lang, Place::Reports), rows, pager: pager() };
    let removed = Decision::NoFilter {
        removed: Some((
            w(lang, "Company Name is Aster Bank", "会社名が「Aster Bank」"),
            212,
            40_113,
        )),
    };
    let receipt = RunReceipt {
        entry: 52_140,
        digest: half(lang, 0).digest,
        format: "CSV, CRLF, BOM".into(),
        columns: (9, 4),
        organizations: 1,
        approved_by: "Samuel Oduya".into(),
        file_until: Some(on(lang, "2026-12-03T09:22:00Z")),
    };
    let run_page = |state, receipt: Option<RunReceipt>| RunPage {
        shell: shell(lang, Place::Runs),
        run: run(lang, state),
        downloads: if receipt.is_some() {
            vec![Download {
                entry: 52_141,
                who: "Naoko Ishii".into(),
                at: at(lang, "09:27:54"),
                network: "AS64496".into(),
                bytes: 18_204,
                complete: false,
            }]
        } else {
            Vec::new()
        },
        ready: false,
        step_up: receipt.as_ref().is_some_and(|receipt| receipt.file_until.is_some()),
        receipt,
    };
    let runs = |rows| RunList { shell: shell(lang, Place::Runs), rows, pager: pager() };
    let incidents = |rows| IncidentList { shell: shell(lang, Place::Incidents), rows };
    let incident = |open| IncidentRow {
        reference: "INC-2026-03".into(),
        title: w(
            lang,
            "What was in the download of 28 September?",
            "9月28日のダウンロードには何が含まれていたか",
        ),
        open,
        downloads: 2,
        matched: if open { 1 } else { 2 },
        people: (!open).then_some(18_432),
        opened: on(lang, "2026-10-17T08:00:00Z"),
    };
    let empty_ledger = Ledger {
        entries: Vec::new(),
        entry: None,
        ..ledger(
            lang,
            Tally::No,
            Some(Verified {
                holds: false,
                entries: 52_141,
                seconds: "1.2".into(),
                problem: w(
                    lang,
                    "Entry 48,207 does not lead to the root.",
                    "記録48,207がルートに到達しません。",
                ),
            }),
        )
    };
    let mut none_found = matching(lang, RunState::Done);
    none_found.candidates.clear();
    none_found.matched = 0;
    none_found.difference = None;
    vec![
        (
            "reports",
            reports(vec![
                definition(&w(lang, "Company Name is Aster Bank", "会社名が「Aster Bank」")),
                definition(""),
            ])
            .render()
            .unwrap(),
        ),
        ("reports-none", reports(Vec::new()).render().unwrap()),
        ("builder", builder(lang, Some(preview(lang, Some(removed)))).render().unwrap()),
        (
            "builder-over",
            builder(lang, Some(preview(lang, Some(Decision::OverLimit)))).render().unwrap(),
        ),
        ("builder-within", builder(lang, Some(preview(lang, None))).render().unwrap()),
        (
            "builder-new",
            ReportBuilder {
                filter: vec![
                    FilterLine::Open { path: "0".into(), any: false },
                    FilterLine::Close { path: "0".into() },
                ],
                errors: Vec::new(),
                ..builder(lang, None)
            }
            .render()
            .unwrap(),
        ),
        (
            "runs",
            runs(vec![
                run(lang, RunState::Running),
                run(lang, RunState::Done),
                run(lang, RunState::Failed),
                run(lang, RunState::Queued),
                run(lang, RunState::Cancelled),
            ])
            .render()
            .unwrap(),
        ),
        ("runs-none", runs(Vec::new()).render().unwrap()),
        ("run-live", run_page(RunState::Running, None).render().unwrap()),
        ("run-done", run_page(RunState::Done, Some(receipt.clone())).render().unwrap()),
        (
            "run-gone",
            run_page(
                RunState::Done,
                Some(RunReceipt { file_until: None, approved_by: String::new(), ..receipt }),
            )
            .render()
            .unwrap(),
        ),
        ("run-failed", run_page(RunState::Failed, None).render().unwrap()),
        ("replay-running", replay(lang, None, ReplayResult::Running { compared: 16_384 })),
        ("replay-identical", replay(lang, Some(half(lang, 40_113)), ReplayResult::Identical)),
        (
            "replay-differs",
            replay(
                lang,
                Some(half(lang, 40_001)),
                ReplayResult::Differs {
                    at: 20_118,
                    recorded: "0d 0a".into(),
                    remade: "0a".into(),
                    why: w(
                        lang,
                        "Format version 2 wrote CRLF, version 3 writes LF.",
                        "形式の第2版はCRLF、第3版はLFで書き出します。",
                    ),
                },
            ),
        ),
        (
            "replay-impossible",
            replay(
                lang,
                None,
                ReplayResult::Impossible {
                    why: w(
                        lang,
                        "2 people were erased; their bytes are gone, the sizes still add up.",
                        "2名の情報が消去されています。サイズの合計は一致します。",
                    ),
                },
            ),
        ),
        (
            "ledger",
            ledger(
                lang,
                Tally::Match,
                Some(Verified {
                    holds: true,
                    entries: 52_141,
                    seconds: "1.2".into(),
                    problem: String::new(),
                }),
            )
            .render()
            .unwrap(),
        ),
        ("ledger-open", ledger(lang, Tally::Open, None).render().unwrap()),
        ("ledger-differs", ledger(lang, Tally::No, None).render().unwrap()),
        ("ledger-broken", empty_ledger.render().unwrap()),
        ("incidents", incidents(vec![incident(true), incident(false)]).render().unwrap()),
        ("incidents-none", incidents(Vec::new()).render().unwrap()),
        (
            "incident-new",
            NewIncident {
                shell: shell(lang, Place::Incidents),
                title: String::new(),
                summary: String::new(),
                errors: vec![(
                    "title".into(),
                    w(lang, "Write the question.", "問いを入力してください。"),
                )],
            }
            .render()
            .unwrap(),
        ),
        ("incident-start", room(lang, None, None).render().unwrap()),
        (
            "incident-running",
            room(lang, Some(matching(lang, RunState::Running)), None).render().unwrap(),
        ),
        ("incident-none-found", room(lang, Some(none_found), None).render().unwrap()),
        (
            "incident",
            room(lang, Some(matching(lang, RunState::Done)), Some(exposure(lang)))
                .render()
                .unwrap(),
        ),
    ]
}
