//! `/api/v1/organizations/{id}/accesses`: what the vendor's people and programs have seen of an
//! organization. For its administrators, and for whoever may read the ledger.

use super::{Leaving, Shown, gated, json, limit};
use crate::portal::access::{kind, operator};
use crate::problem::Problem;
use crate::session::SignedIn;
use crate::state::Web;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::json as value;
use utoipa::{IntoParams, ToSchema};
use warifu_app::accesses::{Left, Told, What};
use warifu_auth::Asns;
use warifu_domain::accesses::{Marks, weeks};
use warifu_domain::refusal;
use warifu_domain::reports::Subject;
use warifu_domain::{OrganizationId, Timestamp};

/// An access.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Access {
    /// Number of the ledger's entry, from 1.
    number: i64,
    #[schema(value_type = String, format = DateTime)]
    at: Option<Timestamp>,
    /// `case`, `file`, `person`, `report`; `list`: cases with number and subject.
    kind: &'static str,
    /// `opened`; `listed`: among others in a list; `downloaded`, `refused`, `remade`: a report.
    how: &'static str,
    /// Who, and by which name; it is empty for somebody who was erased.
    who: i64,
    name: String,
    /// Whether it is a program.
    program: bool,
    /// The autonomous system, and who runs it, as far as they are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    asn: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operator: Option<String>,
    /// Records of the organization.
    records: i64,
    /// Its case, by which it is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    case: Option<String>,
    /// Whether the case was theirs to work on.
    #[serde(skip_serializing_if = "Option::is_none")]
    assigned: Option<bool>,
    /// Id and name of a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_name: Option<String>,
    /// The person, where it was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    person: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    person_name: Option<String>,
    /// What a report is about: `people`, `cases`, `organizations`.
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'static str>,
    /// Headers of its fields.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<&'static str>,
    /// Whether it is over everybody.
    #[serde(skip_serializing_if = "Option::is_none")]
    unfiltered: Option<bool>,
    /// Why, as they wrote; empty where they did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// `nothing`, `leaving`, `whole`, `part`, `unknown`: how much of a report has left.
    #[serde(skip_serializing_if = "Option::is_none")]
    left: Option<&'static str>,
    /// Bytes of the file, or those of the report that have left.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<i64>,
}

fn how(told: &Told) -> &'static str {
    match (&told.what, told.marks) {
        (What::Report { .. }, m) if m.has(Marks::REFUSED) => "refused",
        (What::Report { .. }, m) if m.has(Marks::REMADE) => "remade",
        (What::Report { .. }, _) => "downloaded",
        (_, m) if m.has(Marks::LISTED) => "listed",
        _ => "opened",
    }
}

impl Access {
    fn new(told: Told, asns: Option<&Asns>) -> Access {
        let access = Access {
            number: told.number,
            at: Some(told.at),
            kind: told.kind.key(),
            how: how(&told),
            who: told.who.0,
            program: told.marks.has(Marks::PROGRAM),
            asn: told.network.as_ref().and_then(|n| n.asn),
            operator: told.network.as_ref().and_then(|n| operator(n, asns)),
            records: told.records,
            name: told.name,
            ..Access::default()
        };
        let assigned = Some(told.marks.has(Marks::ASSIGNED));
        match told.what {
            What::Case { reference, .. } => Access { case: Some(reference), assigned, ..access },
            What::Cases { reference, .. } => {
                Access { case: Some(reference).filter(|r| !r.is_empty()), ..access }
            }
            What::File { file, name, reference, bytes, .. } => Access {
                case: Some(reference),
                assigned,
                file: Some(file.0),
                file_name: Some(name),
                bytes: Some(bytes),
                ..access
            },
            What::People { person, name, .. } => {
                Access { person: person.map(|p| p.0), person_name: person.map(|_| name), ..access }
            }
            What::Report { subject, columns, reason, left } => {
                let (left, bytes) = match left {
                    Left::Nothing => ("nothing", Some(0)),
                    Left::Leaving => ("leaving", None),
                    Left::Whole(n) => ("whole", Some(n)),
                    Left::Part(n) => ("part", Some(n)),
                    Left::Unknown => ("unknown", None),
                };
                Access {
                    subject: subject.map(Subject::key),
                    fields: columns.into_iter().map(|c| c.label).collect(),
                    unfiltered: Some(told.marks.has(Marks::UNFILTERED)),
                    reason,
                    left: Some(left),
                    bytes,
                    ..access
                }
            }
        }
    }
}

/// A page of accesses, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Accesses {
    accesses: Vec<Access>,
    /// The signed head of the ledger: a C2SP checkpoint.
    checkpoint: String,
    /// The value of `before` for the accesses before these.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<i64>,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
pub struct Asked {
    /// Accesses before this number.
    before: Option<i64>,
    /// `case`, `file`, `person`, `report` or `list`; by default all but lists of cases.
    kind: String,
    /// 1 to 200; 50 by default.
    limit: Option<usize>,
}

/// What the vendor has seen of an organization.
#[utoipa::path(get, path = "/api/v1/organizations/{id}/accesses", params(("id" = i64, Path), Asked),
    responses((status = 200, body = Accesses), (status = 404)))]
pub async fn list(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<OrganizationId>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let (limit, only) = (limit(asked.limit)?, kind(&asked.kind)?);
    let page = web.app.accesses(who.actor(), id, only, asked.before, limit).await?;
    let people = page.accesses.iter().filter_map(|a| match a.what {
        What::People { person, .. } => person,
        _ => None,
    });
    let leaving = Leaving {
        route: "/api/v1/organizations/{id}/accesses",
        organization: Some(id),
        query: value!({"id": id, "before": asked.before, "kind": asked.kind, "limit": limit}),
        ids: page.accesses.iter().map(|a| a.number).collect(),
        shown: Shown::people(people.map(|p| p.0)),
    };
    let asns = web.config.asns.as_deref();
    let answer = Accesses {
        accesses: page.accesses.into_iter().map(|told| Access::new(told, asns)).collect(),
        checkpoint: web.app.ledger_head().await?.checkpoint,
        next: page.next,
    };
    gated(&web, &who, leaving, StatusCode::OK, &answer).await
}

/// A week, from Monday.
#[derive(Debug, Serialize, ToSchema)]
pub struct Week {
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    accesses: i64,
    /// Of them: reports that left without a reason.
    no_reason: i64,
}

/// The last 13 weeks in numbers, without lists of cases.
#[derive(Debug, Serialize, ToSchema)]
pub struct Summary {
    accesses: i64,
    /// Different people of the vendor, and programs.
    people: i64,
    programs: i64,
    /// How often cases were opened, and how many different ones.
    cases: i64,
    different_cases: i64,
    files: i64,
    different_files: i64,
    /// How often people were opened, alone and in lists.
    persons: i64,
    /// Reports that were not refused, and those of them over everybody.
    reports: i64,
    unfiltered: i64,
    /// Reports that left without a reason.
    no_reason: i64,
    /// The present one is the last.
    weeks: Vec<Week>,
    /// From when on accesses are kept, where the ledger is older.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    kept_since: Option<Timestamp>,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
pub struct Zone {
    /// Where weeks begin, by its IANA name; `UTC` by default.
    time_zone: String,
}

/// What the vendor has seen of an organization in the last 13 weeks, in numbers.
#[utoipa::path(get, path = "/api/v1/organizations/{id}/accesses/summary", params(("id" = i64, Path), Zone),
    responses((status = 200, body = Summary), (status = 404)))]
pub async fn summary(
    State(web): State<Web>,
    who: SignedIn,
    Path(id): Path<OrganizationId>,
    Query(asked): Query<Zone>,
) -> Result<Response, Problem> {
    let zone = match asked.time_zone.as_str() {
        "" => TimeZone::UTC,
        name => TimeZone::get(name).map_err(|_| {
            Problem::invalid("time_zone", refusal!("time-zone-unknown", "no such time zone"))
        })?,
    };
    let edges = weeks(web.app.now(), &zone);
    let found = web.app.access_summary(who.actor(), id, &edges).await?;
    let f = found.figures;
    let week = |(from, accesses, no_reason)| Week { from, accesses, no_reason };
    let answer = Summary {
        accesses: f.accesses,
        people: f.people,
        programs: f.programs,
        cases: f.cases,
        different_cases: f.different_cases,
        files: f.files,
        different_files: f.different_files,
        persons: f.records,
        reports: f.reports,
        unfiltered: f.unfiltered,
        no_reason: f.no_reason,
        weeks: found.weeks.into_iter().map(week).collect(),
        kept_since: found.kept_since,
    };
    json(StatusCode::OK, &answer)
}
