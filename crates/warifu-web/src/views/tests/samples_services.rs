//! Sample data: service accounts.

use super::samples::{NASTY, on, shell, w};
use crate::i18n::Lang;
use crate::views::services::*;
use crate::views::shell::Place;
use askama::Template;

pub fn pages(lang: Lang) -> Vec<(&'static str, String)> {
    let row = |name: &str, holds: bool, revoked| Row {
        id: "1".into(),
        client: "svc-1".into(),
        name: name.into(),
        scopes: w(lang, "Work on cases", "問い合わせの対応"),
        networks: "192.0.2.0/24 AS64496".into(),
        until: on(lang, "2027-03-01T08:00:00Z"),
        used: holds.then(|| on(lang, "2026-12-02T08:00:00Z")),
        holds,
        waits: false,
        revoked,
    };
    let scope =
        ScopeBox { value: "cases", label: w(lang, "Work on cases", "問い合わせの対応") };
    let page = |rows: Vec<Row>, problem: &str| Services {
        shell: shell(lang, Place::Elsewhere),
        rows,
        scopes: vec![scope.clone()],
        problem: problem.into(),
        endpoint: "https://desk.example/oauth/token".into(),
    };
    let mut waits = row("waits", false, false);
    waits.waits = true;
    let some = vec![
        waits,
        row(&w(lang, "Nightly export", "夜間の書き出し"), true, false),
        row(NASTY, false, true),
        row("–", false, false),
    ];
    vec![
        ("service-accounts", page(some, "").render().unwrap()),
        ("service-accounts-none", page(Vec::new(), "–").render().unwrap()),
    ]
}
