//! Sample data: what the vendor has seen of an organization.

use super::samples::{NASTY, customer, on, w};
use crate::i18n::Lang;
use crate::portal::access::kinds;
use crate::views::accesses::{AccessPage, AccessRow, Week};
use crate::views::cases::Pager;
use crate::views::shell::{Place, Shell, ViewLink};
use askama::Template;
use warifu_app::accesses::Figures;
use warifu_domain::accesses::AccessKind;

const CHECKPOINT: &str = "support.example/ledger\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
    — support.example/ledger Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n";

fn frame(lang: Lang) -> Shell {
    let mut shell = customer(lang, Place::PortalAccess);
    let link = |href: &str, id, current| ViewLink {
        href: href.into(),
        label: lang.t(id),
        icon: "eye",
        count: None,
        current,
    };
    shell.nav.more =
        vec![link("/portal/access", "seen", true), link("/security", "security", false)];
    shell
}

fn rows(lang: Lang) -> Vec<AccessRow> {
    let t = |id: &str, args: &[(&str, &dyn crate::i18n::Arg)]| lang.t_args(id, args);
    let mori = w(lang, "Aiko Mori", "森 愛子");
    let base = AccessRow {
        number: 1_041,
        at: on(lang, "2026-12-02T09:34:10Z"),
        who: mori.clone(),
        role: lang.t("role-agent"),
        from: "AS64496 Hashira Tokyo".into(),
        no_why: "seen-not-asked",
        ..AccessRow::default()
    };
    let case = Some("/portal/cases/HC-20417".to_owned());
    let fields =
        w(lang, "Created Date, Last Login, Full Name", "Created Date、Last Login、Full Name");
    vec![
        AccessRow {
            icon: "file",
            what: t("seen-file", &[("name", &"login-loop.har")]),
            href: case.clone(),
            detail: t("file-cleaned", &[("cookies", &14_i64), ("tokens", &3_i64)]),
            why: t("seen-why-assigned", &[("case", &"HC-20417")]),
            bytes: Some(1_962_874),
            ..base.clone()
        },
        AccessRow {
            number: 1_040,
            icon: "eye",
            what: t("seen-case", &[("case", &"HC-20417")]),
            href: case,
            why: "HC-20417".into(),
            ..base.clone()
        },
        AccessRow {
            number: 1_012,
            icon: "users",
            what: t("seen-listed", &[("n", &12_i64)]),
            detail: lang.t("seen-in-search"),
            from: String::new(),
            who: NASTY.into(),
            ..base.clone()
        },
        AccessRow {
            number: 990,
            icon: "table",
            what: t("seen-refused-everybody", &[("n", &38_i64)]),
            no_why: "seen-not-kept",
            detail: format!("{}; {}", lang.t("seen-unfiltered"), lang.t("seen-nothing-made")),
            bytes: Some(0),
            ..base.clone()
        },
        AccessRow {
            number: 871,
            icon: "user",
            what: t("seen-person", &[("name", &NASTY)]),
            why: lang.t("seen-why-check"),
            from: lang.t("seen-from-server"),
            ..base.clone()
        },
        AccessRow {
            number: 512,
            at: on(lang, "2026-09-28T15:06:11Z"),
            who: String::new(),
            role: lang.t("seen-program"),
            icon: "download",
            what: t("seen-report-everybody", &[("n", &38_i64)]),
            detail: format!(
                "{}; {}",
                t("seen-fields", &[("n", &15_i64), ("names", &fields)]),
                lang.t("seen-unfiltered")
            ),
            why: lang.t("seen-no-reason"),
            from: "AS64511 Meridian Hosting".into(),
            bytes: Some(3_481_972),
            flagged: true,
            ..base
        },
    ]
}

fn page(lang: Lang) -> AccessPage {
    let numbers = [11, 9, 14, 15, 12, 8, 10, 17, 19, 13, 16, 22, 18];
    let day = |i: usize| {
        let (month, days) = [(9, 7), (9, 28), (10, 19), (11, 9), (11, 30)][i / 3];
        w(
            lang,
            &format!("{days} {}", ["Sep", "Oct", "Nov"][month - 9]),
            &format!("{month}月{days}日"),
        )
    };
    let weeks = numbers.iter().enumerate();
    AccessPage {
        shell: frame(lang),
        kinds: kinds(lang, None),
        figures: Figures {
            accesses: 184,
            people: 14,
            programs: 1,
            cases: 141,
            different_cases: 23,
            files: 17,
            different_files: 9,
            records: 22,
            reports: 4,
            unfiltered: 1,
            no_reason: 1,
        },
        weeks: weeks
            .map(|(i, n)| Week { day: day(i), n: *n, no_reason: i64::from(i == 3) })
            .collect(),
        rows: rows(lang),
        pager: Pager {
            newer: None,
            older: Some("/portal/access?before=512#rows".into()),
            shown: 6,
            total: None,
        },
        kept_since: Some(on(lang, "2026-09-01T06:24:00Z")),
        entries: 20_852_163,
        checkpoint: CHECKPOINT.into(),
    }
}

pub fn pages(lang: Lang) -> Vec<(&'static str, String)> {
    let full = page(lang);
    let none = AccessPage {
        kinds: kinds(lang, Some(AccessKind::File)),
        figures: Figures::default(),
        weeks: page(lang).weeks.into_iter().map(|w| Week { n: 0, no_reason: 0, ..w }).collect(),
        rows: Vec::new(),
        pager: Pager::default(),
        kept_since: None,
        ..page(lang)
    };
    vec![("portal-access", full.render().unwrap()), ("portal-access-none", none.render().unwrap())]
}
