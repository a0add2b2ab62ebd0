//! Sample data: applications.

use super::samples::{NASTY, shell, w};
use crate::i18n::Lang;
use crate::views::applications::*;
use crate::views::markup::Choice;
use crate::views::shell::Place;
use askama::Template;

fn rows(lang: Lang) -> Vec<Row> {
    let agent = w(lang, "Agent", "担当者");
    let administrator = w(lang, "Administrator", "管理者");
    let proof = w(
        lang,
        "A key or card that no look-alike site can relay",
        "偽サイトが中継できないキーまたはカード",
    );
    vec![
        Row {
            id: "1".into(),
            name: w(lang, "Builds", "ビルド"),
            place: "https://builds.example.com".into(),
            roles: vec![agent.clone(), administrator.clone()],
            proof: proof.clone(),
            max_age: Some(lang.span(900)),
            ..Row::default()
        },
        Row {
            id: "2".into(),
            name: NASTY.into(),
            client: true,
            place: "https://wiki.example.com/callback https://wiki.example.com/other".into(),
            roles: vec![administrator],
            proof,
            ..Row::default()
        },
    ]
}

pub fn pages(lang: Lang) -> Vec<(&'static str, String)> {
    let shell = || shell(lang, Place::Applications);
    let list = |rows| Applications { shell: shell(), rows };
    let roles = |chosen: bool| {
        let choice = |value: &str, en, ja, chosen| Choice {
            value: value.into(),
            label: w(lang, en, ja),
            chosen,
        };
        vec![
            choice("agent", "Agent", "担当者", chosen),
            choice("administrator", "Administrator", "管理者", false),
        ]
    };
    let new = ApplicationForm {
        shell: shell(),
        id: None,
        client: false,
        client_id: None,
        confidential: false,
        roles: roles(false),
        fields: Fields { origin: "https://builds".into(), ..Fields::default() },
        wrong: Some(("origin".into(), "–".into())),
    };
    let client = ApplicationForm {
        shell: shell(),
        id: Some("2".into()),
        client: true,
        client_id: Some("0f1e2d3c4b5a69788796a5b4c3d2e1f0".into()),
        confidential: true,
        roles: roles(true),
        fields: Fields {
            name: NASTY.into(),
            redirect_uris: "https://wiki.example.com/callback".into(),
            hardware: true,
            max_age: "15".into(),
            ..Fields::default()
        },
        wrong: None,
    };
    let secret = ApplicationSecret {
        shell: shell(),
        name: NASTY.into(),
        id: "2".into(),
        client_id: "0f1e2d3c4b5a69788796a5b4c3d2e1f0".into(),
        secret: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".into(),
    };
    vec![
        ("applications", list(rows(lang)).render().unwrap()),
        ("applications-none", list(Vec::new()).render().unwrap()),
        ("application-new", new.render().unwrap()),
        ("application-client", client.render().unwrap()),
        ("application-secret", secret.render().unwrap()),
    ]
}
