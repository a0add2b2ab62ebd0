//! Sample data: sessions, notices.

use super::samples::{NASTY, on, shell, w};
use crate::account::notices::sentence;
use crate::i18n::Lang;
use crate::views::markup::initials;
use crate::views::notices::*;
use crate::views::sessions::*;
use crate::views::shell::Place;
use askama::Template;
use jiff::tz::TimeZone;
use warifu_domain::notices::NoticeKind;

fn sessions(lang: Lang) -> Vec<Session> {
    let session =
        |name: &str, role: (&str, &str), network: &str, device: &str, left, idle, this| Session {
            id: "5e884898da28047151d0e56f8dc62927".into(),
            person: "p1".into(),
            name: name.into(),
            initials: initials(name),
            role: w(lang, role.0, role.1),
            network: network.into(),
            device: device.into(),
            key: w(lang, "Passkey “Blue key”", "パスキー「青いキー」"),
            since: on(lang, "2026-12-02T06:24:00Z"),
            bound: if this { "sessions-bound" } else { "sessions-signs" },
            left,
            idle,
            this,
            several: !this,
        };
    let administrator = ("Administrator", "管理者");
    vec![
        session("Naoko Ishii", administrator, "AS64496 203.0.113.0/24", "Mac", 33_120, 0, true),
        session(NASTY, ("Agent", "担当者"), "198.51.100.0/24", "iPad", 1_200, 780, false),
    ]
}

pub fn pages(lang: Lang) -> Vec<(&'static str, String)> {
    let table = |rows, everybody| SessionTable {
        rows,
        everybody,
        linked: everybody,
        back: if everybody { "/sessions" } else { "/account/sessions" },
        me: "p1".into(),
        lifetime: 43_200,
    };
    let everybody = |asns| Sessions {
        shell: shell(lang, Place::Sessions),
        table: table(sessions(lang), true),
        networks: vec![("AS64496".into(), 21), ("198.51.100.0/24".into(), 1)],
        asns,
    };
    let shell_of = || shell(lang, Place::Elsewhere);
    let mine = MySessions { shell: shell_of(), table: table(sessions(lang), false) };
    let one = sessions(lang).into_iter().take(1).collect();
    let portal = PortalSessions { shell: shell_of(), table: table(one, false) };
    let notice = |alarm, seen, text: &str| Notice {
        href: if alarm && seen { "/security" } else { "" },
        at: on(lang, "2026-12-02T09:24:00Z"),
        text: text.into(),
        alarm,
        seen,
    };
    let some = [notice(true, false, NASTY), notice(false, false, "–"), notice(true, true, "–")];
    let said = |kind, details: &[(&str, &str)]| {
        let details = details.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        notice(true, false, &sentence(lang, &TimeZone::UTC, kind, &details))
    };
    let told = [
        said(NoticeKind::NewNetwork, &[("from", "AS64497 198.51.100.0/24"), ("factor", "passkey")]),
        said(
            NoticeKind::SignedInAfterFailures,
            &[("times", "7"), ("from", "AS64497 198.51.100.0/24")],
        ),
        said(NoticeKind::ReadingStopped, &[("people", "2000")]),
        said(NoticeKind::ServiceReadingStopped, &[("people", "2000"), ("name", "nightly")]),
    ];
    let notices = |notices: &[Notice]| Notices {
        shell: shell(lang, Place::Elsewhere),
        notices: notices.to_vec(),
    };
    let mut all_seen = shell(lang, Place::Elsewhere);
    all_seen.nav.notices = 0;
    let in_portal = PortalNotices { shell: all_seen, notices: some[2..].to_vec() };
    vec![
        ("notices", notices(&some).render().unwrap()),
        ("notices-told", notices(&told).render().unwrap()),
        ("notices-none", notices(&[]).render().unwrap()),
        ("portal-notices", in_portal.render().unwrap()),
        ("sessions", everybody(true).render().unwrap()),
        ("sessions-prefixes", everybody(false).render().unwrap()),
        ("sessions-mine", mine.render().unwrap()),
        ("portal-sessions", portal.render().unwrap()),
    ]
}
