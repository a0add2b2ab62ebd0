//! Sample data: letting people in and out.

use super::samples::{NASTY, on, shell, somebody, w};
use crate::i18n::Lang;
use crate::views::markup::{Choice, Tone};
use crate::views::people::{FieldValue, PersonPage};
use crate::views::shell::Place;
use crate::views::way_in::*;
use askama::Template;

fn person(lang: Lang, way_in: WayIn, contact: ContactForm) -> String {
    let email = w(lang, "Email", "メール");
    PersonPage {
        shell: shell(lang, Place::People),
        who: somebody(&w(lang, "Jun Mori", "森 潤")),
        staff: true,
        organization: somebody(&w(lang, "Hashira", "ハシラ")),
        fields: vec![FieldValue { label: email, value: Some("j.mori@hashira.example".into()) }],
        as_of: None,
        versions: Vec::new(),
        cases: Vec::new(),
        roles: Vec::new(),
        verify: true,
        way_in: Some(way_in),
        contact: Some(contact),
    }
    .render()
    .unwrap()
}

pub fn pages(lang: Lang) -> Vec<(&'static str, String)> {
    let open = |by: &str, opened| OpenInvitation {
        by: by.into(),
        until: on(lang, "2026-12-03T09:24:00Z"),
        opened,
        withdraw: true,
    };
    let contact = |key, wrong: Option<&str>| ContactForm {
        username: "j.mori".into(),
        email: "j.mori@hashira.example".into(),
        phone: NASTY.into(),
        mobile: String::new(),
        key,
        wrong: wrong.map(Into::into),
    };
    let invited = WayIn {
        state: w(lang, "No factor yet", "認証要素は未登録"),
        invitation: Some(open(NASTY, false)),
        invite: true,
        switch: Some("off"),
        ..WayIn::default()
    };
    let enrolled = WayIn {
        state: w(lang, "2 factors", "認証要素2件"),
        tone: Tone::Ok,
        used: Some(on(lang, "2026-12-02T08:00:00Z")),
        switch: Some("off"),
        ..WayIn::default()
    };
    let lost = WayIn {
        state: w(lang, "No factor any more", "認証要素なし（以前は登録あり）"),
        tone: Tone::Warn,
        invitation: Some(open("", true)),
        check: true,
        ..WayIn::default()
    };
    let off = WayIn {
        state: w(lang, "Switched off", "停止中"),
        tone: Tone::Bad,
        switch: Some("on"),
        ..WayIn::default()
    };
    let link = Invited {
        shell: shell(lang, Place::People),
        who: somebody(NASTY),
        link: "https://desk.example/enrol/vJ0n1y0nOnWJQd2fVYg0a1b2c3d4e5f6g7h8i9j0k1l".into(),
        until: on(lang, "2026-12-03T09:24:00Z"),
    };
    let agent = |chosen| Choice::new("agent", w(lang, "Agent", "担当者"), chosen);
    let new = |wrong: Option<&str>| NewColleague {
        shell: shell(lang, Place::People),
        full_name: wrong.map(|_| NASTY.into()).unwrap_or_default(),
        email: wrong.map(|_| "j.mori".into()).unwrap_or_default(),
        roles: vec![agent(wrong.is_some())],
        wrong: wrong.map(|field| (field.to_owned(), "–".to_owned())),
    };
    vec![
        ("person-invited", person(lang, invited, contact(false, None))),
        ("person-enrolled", person(lang, enrolled, contact(true, None))),
        ("person-lost", person(lang, lost, contact(true, Some("–")))),
        ("person-off", person(lang, off, contact(true, None))),
        ("invited", link.render().unwrap()),
        ("colleague-new", new(None).render().unwrap()),
        ("colleague-wrong", new(Some("email")).render().unwrap()),
    ]
}
