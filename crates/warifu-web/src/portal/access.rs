//! `/portal/access`: what the vendor has seen of an organization, for its administrators.

use crate::cases::show::{Show, receipt};
use crate::i18n::{Arg, Lang};
use crate::page::{Leaving, Shown, gated};
use crate::problem::Problem;
use crate::reports::words;
use crate::session::Customer;
use crate::state::Web;
use crate::views::accesses::{AccessPage, AccessRow, Week};
use crate::views::cases::Pager;
use crate::views::markup::Choice;
use crate::views::shell::Place;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::json;
use warifu_app::accesses::{Left, Network, Role, Told, What};
use warifu_auth::Asns;
use warifu_domain::Timestamp;
use warifu_domain::accesses::{AccessKind, Marks, weeks};
use warifu_domain::refusal;
use warifu_domain::reports::{Column, Subject};

/// Accesses of a page.
const PAGE: usize = 50;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    kind: String,
    before: Option<i64>,
}

/// A kind by its name; none for an empty one.
pub fn kind(name: &str) -> Result<Option<AccessKind>, Problem> {
    if name.is_empty() {
        return Ok(None);
    }
    let unknown = || Problem::invalid("kind", refusal!("access-kind-unknown", "no such kind"));
    AccessKind::from_key(name).map(Some).ok_or_else(unknown)
}

/// `GET /portal/access`
pub async fn page(
    State(web): State<Web>,
    who: Customer,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let organization = who.actor().organization;
    let only = kind(&asked.kind)?;
    let found = web.app.accesses(who.actor(), organization, only, asked.before, PAGE).await?;
    let edges = weeks(web.app.now(), &who.zone);
    let summary = web.app.access_summary(who.actor(), organization, &edges).await?;
    let head = web.app.ledger_head().await?;
    let show = Words { show: Show::to(&web, &who), asns: web.config.asns.as_deref() };
    let lang = who.taste.lang;
    let address = |before: Option<i64>| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        if !asked.kind.is_empty() {
            query.append_pair("kind", &asked.kind);
        }
        if let Some(before) = before {
            query.append_pair("before", &before.to_string());
        }
        format!("/portal/access?{}#rows", query.finish())
    };
    let leaving = Leaving {
        route: "/portal/access",
        organization: None,
        query: json!({"kind": asked.kind, "before": asked.before}),
        ids: found.accesses.iter().map(|a| a.number).collect(),
        shown: Shown::Nobody,
    };
    let page = AccessPage {
        shell: who.shell(Place::PortalAccess, "").await?,
        kinds: kinds(lang, only),
        figures: summary.figures,
        weeks: summary.weeks.into_iter().map(|w| week(lang, &who.zone, w)).collect(),
        rows: found.accesses.iter().map(|told| show.row(told)).collect(),
        pager: Pager {
            newer: asked.before.map(|_| address(None)),
            older: found.next.map(|n| address(Some(n))),
            shown: found.accesses.len() as i64,
            total: None,
        },
        kept_since: summary.kept_since.map(|t| show.show.at(t)),
        entries: head.size,
        checkpoint: head.checkpoint,
    };
    gated(&web, &who, StatusCode::OK, leaving, page).await
}

/// All, and each kind.
pub fn kinds(lang: Lang, chosen: Option<AccessKind>) -> Vec<Choice> {
    let all = Choice::new("", lang.t("seen-kind-all"), chosen.is_none());
    let each = AccessKind::ALL
        .into_iter()
        .map(|k| Choice::new(k.key(), lang.t(format!("seen-kind-{}", k.key())), chosen == Some(k)));
    std::iter::once(all).chain(each).collect()
}

pub fn week(lang: Lang, zone: &TimeZone, (from, n, no_reason): (Timestamp, i64, i64)) -> Week {
    Week { day: lang.day(from.to_jiff(), zone).text, n, no_reason }
}

/// Who runs a network, as far as it is known; never an address.
pub fn operator(network: &Network, asns: Option<&Asns>) -> Option<String> {
    asns?.operator(network.asn?, &network.prefix)
}

/// Accesses in the reader's words.
pub struct Words<'a> {
    pub show: Show<'a>,
    pub asns: Option<&'a Asns>,
}

impl Words<'_> {
    fn t(&self, id: &str, args: &[(&str, &dyn Arg)]) -> String {
        self.show.lang.t_args(id, args)
    }

    pub fn row(&self, told: &Told) -> AccessRow {
        let lang = self.show.lang;
        let row = AccessRow {
            number: told.number,
            at: self.show.at(told.at),
            who: told.name.clone(),
            role: lang.t(role(told.role)),
            from: self.from(told.network.as_ref()),
            // What was asked for and refused is not kept: a text of somebody's.
            no_why: match told.marks.has(Marks::REFUSED) {
                true => "seen-not-kept",
                false => "seen-not-asked",
            },
            flagged: told.marks.has(Marks::NO_REASON),
            ..AccessRow::default()
        };
        let case = |reference: &str| Some(format!("/portal/cases/{reference}"));
        match &told.what {
            What::Case { reference, .. } => AccessRow {
                icon: "eye",
                what: self.t("seen-case", &[("case", reference)]),
                href: case(reference),
                why: self.why_case(reference, told.marks),
                ..row
            },
            What::Cases { reference, route, .. } => AccessRow {
                icon: "table",
                what: match reference.is_empty() {
                    true => self.t("seen-cases", &[("n", &told.records)]),
                    false => self.t("seen-cases-one", &[("case", reference)]),
                },
                href: Some(reference).filter(|r| !r.is_empty()).and_then(|r| case(r)),
                detail: place(route).1.map(|id| lang.t(id)).unwrap_or_default(),
                ..row
            },
            What::File { name, reference, bytes, receipt, .. } => AccessRow {
                icon: "file",
                what: self.t("seen-file", &[("name", name)]),
                href: case(reference),
                detail: receipt.as_deref().map(|r| self.cleaned(r)).unwrap_or_default(),
                why: self.why_case(reference, told.marks),
                bytes: Some(*bytes),
                ..row
            },
            What::People { person, name, route } => {
                let listed = told.marks.has(Marks::LISTED);
                let (check, place) = place(route);
                let what = match (person, listed, name.is_empty()) {
                    (Some(_), false, false) => self.t("seen-person", &[("name", name)]),
                    (Some(_), false, true) => lang.t("seen-person-gone"),
                    (Some(_), true, false) => self.t("seen-listed-one", &[("name", name)]),
                    (Some(_), true, true) => lang.t("seen-listed-gone"),
                    (None, ..) => self.t("seen-listed", &[("n", &told.records)]),
                };
                AccessRow {
                    icon: if listed { "users" } else { "user" },
                    what,
                    detail: place.filter(|_| listed).map(|id| lang.t(id)).unwrap_or_default(),
                    why: if check && !listed { lang.t("seen-why-check") } else { String::new() },
                    ..row
                }
            }
            What::Report { subject, columns, reason, left } => {
                let bytes = match left {
                    Left::Nothing => Some(0),
                    Left::Whole(n) | Left::Part(n) => Some(*n),
                    Left::Leaving | Left::Unknown => None,
                };
                AccessRow {
                    icon: if *left == Left::Nothing { "table" } else { "download" },
                    what: self.report(told, *subject),
                    detail: self.details(told.marks, *subject, columns, *left),
                    why: match reason.as_deref() {
                        Some("") => lang.t("seen-no-reason"),
                        Some(reason) => reason.to_owned(),
                        None => String::new(),
                    },
                    bytes,
                    ..row
                }
            }
        }
    }

    fn why_case(&self, reference: &str, marks: Marks) -> String {
        match marks.has(Marks::ASSIGNED) {
            true => self.t("seen-why-assigned", &[("case", &reference)]),
            false => reference.to_owned(),
        }
    }

    fn cleaned(&self, stored: &str) -> String {
        let clean = receipt(stored).filter(|r| r.cookies + r.tokens > 0);
        let text = clean
            .map(|r| self.t("file-cleaned", &[("cookies", &r.cookies), ("tokens", &r.tokens)]));
        text.unwrap_or_default()
    }

    fn report(&self, told: &Told, subject: Option<Subject>) -> String {
        let marks = told.marks;
        let everybody = marks.has(Marks::UNFILTERED) && !marks.has(Marks::LIMITED);
        // Downloaded, refused, made once more.
        let [done, refused, remade] = match subject {
            Some(Subject::Cases) => {
                ["seen-report-cases", "seen-refused-cases", "seen-remade-cases"]
            }
            Some(Subject::Organizations) => [
                "seen-report-organization",
                "seen-refused-organization",
                "seen-remade-organization",
            ],
            Some(Subject::People) | None if everybody => {
                ["seen-report-everybody", "seen-refused-everybody", "seen-remade-everybody"]
            }
            Some(Subject::People) | None => {
                ["seen-report-people", "seen-refused-people", "seen-remade-people"]
            }
        };
        let id = match marks {
            m if m.has(Marks::REFUSED) => refused,
            m if m.has(Marks::REMADE) => remade,
            _ => done,
        };
        self.t(id, &[("n", &told.records)])
    }

    fn details(
        &self,
        marks: Marks,
        subject: Option<Subject>,
        columns: &[&Column],
        left: Left,
    ) -> String {
        let lang = self.show.lang;
        let comma = if lang == Lang::Ja { "、" } else { ", " };
        let mut parts = Vec::new();
        if let Some(subject) = subject.filter(|_| !columns.is_empty()) {
            let names = columns.iter().map(|c| words::column(lang, subject, c.key));
            let names = names.collect::<Vec<_>>().join(comma);
            parts.push(self.t("seen-fields", &[("n", &columns.len()), ("names", &names)]));
        }
        if marks.has(Marks::UNFILTERED) {
            parts.push(lang.t("seen-unfiltered"));
        }
        let how = match left {
            Left::Nothing => Some("seen-nothing-made"),
            Left::Leaving => Some("seen-leaving"),
            Left::Part(_) => Some("seen-broken-off"),
            Left::Unknown => Some("seen-unknown-end"),
            Left::Whole(_) => None,
        };
        parts.extend(how.map(|id| lang.t(id)));
        parts.join(if lang == Lang::Ja { "。" } else { "; " })
    }

    fn from(&self, network: Option<&Network>) -> String {
        match network {
            // The command line, and a browser on the same machine.
            None => self.show.lang.t("seen-from-server"),
            Some(n) if n.prefix == "loopback" => self.show.lang.t("seen-from-server"),
            Some(n) => match (n.asn, operator(n, self.asns)) {
                (Some(number), Some(name)) => format!("AS{number} {name}"),
                (Some(number), None) => format!("AS{number}"),
                (None, _) => String::new(),
            },
        }
    }
}

/// Whether a list or page belongs to a check of a caller, and the message that says which one it is.
fn place(route: &str) -> (bool, Option<&'static str>) {
    let has = |part: &str| route.contains(part);
    if has("verifications") {
        (true, Some("seen-in-checks"))
    } else if has("/search") || has("/palette") {
        (false, Some("seen-in-search"))
    } else if has("sessions") {
        (false, Some("seen-in-sessions"))
    } else if has("security") {
        (false, Some("seen-in-security"))
    } else if has("organizations") {
        (false, Some("seen-in-organization"))
    } else {
        (false, None)
    }
}

fn role(role: Option<Role>) -> &'static str {
    match role {
        Some(Role::SuperAdministrator) => "role-super-administrator",
        Some(Role::Administrator) => "role-administrator",
        Some(Role::Responder) => "role-responder",
        Some(Role::ApiClient) => "seen-program",
        // Whoever has another role is told of nobody.
        _ => "role-agent",
    }
}
