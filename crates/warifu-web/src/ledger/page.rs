//! `GET /ledger`, `GET /ledger/{number}`, `POST /ledger/verify`

use super::words;
use crate::csrf::Form;
use crate::i18n::Lang;
use crate::page::page;
use crate::problem::Problem;
use crate::reports::words::{at, grouped};
use crate::session::Staff;
use crate::state::Web;
use crate::views::cases::Pager;
use crate::views::ledger::{Checkpoint, Ledger, LedgerEntry, LedgerRow, Proof, Verified};
use crate::views::markup::Tally;
use crate::views::runs::Half;
use crate::views::shell::Place;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashMap;
use std::time::Duration;
use url::form_urlencoded::Serializer;
use warifu_app::ledger::Entry;
use warifu_domain::time::DAY;
use warifu_domain::{PersonId, RunId, Timestamp};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    kind: String,
    q: String,
    from: String,
    to: String,
    before: Option<i64>,
}

const PAGE: i64 = 50;
/// Entries that are read for one page when days are asked for.
const READ: i64 = 2_000;

impl Asked {
    fn address(&self, before: Option<i64>) -> String {
        let mut query = Serializer::new(String::new());
        for (name, value) in
            [("kind", &self.kind), ("q", &self.q), ("from", &self.from), ("to", &self.to)]
        {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        if let Some(before) = before {
            query.append_pair("before", &before.to_string());
        }
        format!("/ledger?{}", query.finish())
    }
}

pub async fn ledger(
    State(web): State<Web>,
    who: Staff,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    show(&web, &who, asked, None, None).await
}

pub async fn entry(
    State(web): State<Web>,
    who: Staff,
    Path(number): Path<i64>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    show(&web, &who, asked, Some(number), None).await
}

#[derive(Deserialize)]
pub struct Nothing {}

pub async fn verify(
    State(web): State<Web>,
    who: Staff,
    _: Form<Nothing>,
) -> Result<Response, Problem> {
    // Whoever may not read it may not have it read either.
    web.app.ledger_page(who.actor(), 0, None, None, 1).await?;
    let began = web.app.now();
    let found = web.app.verify_ledger(|_, _| {}).await?;
    let took = Duration::from_micros((web.app.now().0 - began.0).max(0) as u64);
    let seconds = format!("{:.1}", took.as_secs_f64());
    let verified = match found {
        Ok(report) => {
            Verified { holds: true, entries: report.size as i64, seconds, ..Verified::default() }
        }
        Err(problem) => Verified { seconds, problem, ..Verified::default() },
    };
    show(&web, &who, Asked::default(), None, Some(verified)).await
}

async fn show(
    web: &Web,
    who: &Staff,
    asked: Asked,
    number: Option<i64>,
    verified: Option<Verified>,
) -> Result<Response, Problem> {
    let actor = who.actor();
    let day = |text: &str| Timestamp::parse(text).ok().map(|t| t.0);
    let (from, to) = (day(&asked.from), day(&asked.to).map(|t| t + DAY));
    let days = from.is_some() || to.is_some();
    let kind = Some(asked.kind.as_str()).filter(|k| !k.is_empty());
    let by = match asked.q.trim() {
        "" => None,
        text => Some(person(web, who, text).await?),
    };
    // The entry that is open stands in the middle of its neighbours.
    let before = asked.before.or(number.map(|n| n + PAGE / 2)).unwrap_or(i64::MAX);
    let limit = if days { READ } else { PAGE + 1 };
    let mut list = web.app.ledger_page(actor, before, kind, by, limit).await?;
    list.retain(|e| from.is_none_or(|f| e.at >= f) && to.is_none_or(|t| e.at < t));
    let more = list.len() as i64 > PAGE;
    list.truncate(PAGE as usize);
    let shell = who.shell(Place::Ledger, "").await?;
    let lang = shell.lang;
    let replayed = web.app.replayed().await?;
    let names = web.app.names(list.iter().map(|e| PersonId(e.actor_id))).await?;
    let name = |id: i64| match names.get(&PersonId(id)) {
        Some(name) => name.clone(),
        None if id == 0 => lang.t("system"),
        None => id.to_string(),
    };
    let rows: Vec<LedgerRow> =
        list.iter().map(|e| row(lang, e, &replayed, name(e.actor_id), number)).collect();
    let open = match number {
        Some(number) => Some(one(web, who, lang, number, &replayed).await?),
        None => None,
    };
    let head = web.app.ledger_head().await?;
    let checkpoint = Checkpoint {
        size: head.size,
        root: head.checkpoint.lines().nth(2).unwrap_or_default().to_owned(),
        at: at(lang, Timestamp(head.at)),
        key: web.app.ledger_key().to_string(),
        state: match &verified {
            Some(v) if v.holds => Tally::Match,
            Some(_) => Tally::No,
            None => Tally::Open,
        },
    };
    let older = list.last().filter(|_| more).map(|e| asked.address(Some(e.seq)));
    let newer = asked.before.map(|_| asked.address(None));
    let sent: i64 = rows.iter().filter_map(|r| r.bytes_sent.map(|s| s.0)).sum();
    page(Ledger {
        checkpoint,
        verified,
        kinds: words::kinds(lang, &asked.kind),
        q: asked.q,
        days: (asked.from, asked.to),
        chips: Vec::new(),
        pager: Pager { newer, older, shown: rows.len() as i64, total: None },
        bytes_sent: (sent > 0 && !more).then_some(sent),
        entries: rows,
        entry: open,
        shell,
    })
}

/// Whose entries are wanted: a number, or the person whose email, user name or name it is; when
/// there is none, nobody's.
async fn person(web: &Web, who: &Staff, text: &str) -> Result<PersonId, Problem> {
    if let Ok(id) = text.parse() {
        return Ok(PersonId(id));
    }
    let found = web.app.search(who.actor(), text, 50).await?.people;
    let is = |field: Option<&str>| field.is_some_and(|f| f.eq_ignore_ascii_case(text));
    let exact = found.iter().find(|p| {
        let r = &p.record;
        is(r.email.as_deref()) || is(r.username.as_deref()) || is(Some(r.display_name()))
    });
    Ok(exact.or(found.first()).map_or(PersonId(-1), |p| p.id))
}

fn body(entry: &Entry) -> Value {
    let entry: Value = serde_json::from_slice(&entry.entry).unwrap_or_default();
    entry["body"].clone()
}

fn short(digest: &str) -> String {
    digest.chars().take(12).collect()
}

/// How the two halves of an entry stand: what was recorded, what was re-created.
fn tally(kind: &str, body: &Value, replayed: &HashMap<String, bool>) -> (Tally, &'static str) {
    let run = body["run"].as_str().unwrap_or_default();
    match (kind, replayed.get(run)) {
        ("report_end", Some(true)) => (Tally::Match, "tally-identical"),
        ("report_end", Some(false)) => (Tally::No, "tally-differs"),
        ("report_end", None) => (Tally::Open, "not-yet"),
        ("replay", _) if body["identical"] == true => (Tally::Match, "tally-identical"),
        ("replay", _) => (Tally::No, "tally-differs"),
        ("report_abort" | "transfer_abort", _) => (Tally::Open, "tally-aborted"),
        ("transfer_end", _) => (Tally::Match, "tally-in-full"),
        // Nothing of it could be made again, so there are no halves to hold together.
        _ => (Tally::Open, ""),
    }
}

fn row(
    lang: Lang,
    entry: &Entry,
    replayed: &HashMap<String, bool>,
    who: String,
    open: Option<i64>,
) -> LedgerRow {
    let body = body(entry);
    let (tally, text) = tally(&entry.kind, &body, replayed);
    let made = words::count(&body, "bytes_made");
    let sent = words::count(&body, "bytes_on_the_wire");
    let digest = body["sha256"].as_str().or(body["answer"].as_str()).unwrap_or_default();
    LedgerRow {
        number: entry.seq + 1,
        at: at(lang, Timestamp(entry.at)),
        what: lang.t(words::kind(&entry.kind)),
        detail: words::detail(&body),
        who,
        people: words::count(&body, "rows"),
        bytes_made: made,
        bytes_sent: sent.map(|n| (n, made.filter(|m| *m > n))),
        digest: short(digest),
        tally,
        tally_text: if text.is_empty() { String::new() } else { lang.t(text) },
        current: open == Some(entry.seq + 1),
    }
}

async fn one(
    web: &Web,
    who: &Staff,
    lang: Lang,
    number: i64,
    replayed: &HashMap<String, bool>,
) -> Result<LedgerEntry, Problem> {
    let (entry, proof) = web.app.inclusion(number - 1).await?;
    let whole: Value = serde_json::from_slice(&entry.entry).unwrap_or_default();
    let body = whole["body"].clone();
    let (tally, _) = tally(&entry.kind, &body, replayed);
    let run: Option<RunId> = body["run"].as_str().and_then(|r| r.parse().ok());
    let of_report = matches!(entry.kind.as_str(), "report_start" | "report_end");
    let mut facts = vec![(lang.t("who"), name(web, lang, entry.actor_id).await?)];
    if let Some(prefix) = whole["network"]["prefix"].as_str() {
        facts.push((lang.t("network"), prefix.to_owned()));
    }
    if let Some(session) = whole["session"].as_str() {
        facts.push((lang.t("fact-session"), short(session)));
    }
    let mut file = None;
    if let Some(run) = run
        && let Ok(run) = web.app.run(who.actor(), run).await
    {
        use crate::reports::words as of;
        facts.push((lang.t("fact-run"), format!("{} ({})", run.name, run.id)));
        let filter = of::filter(lang, run.definition.subject, &run.definition.filter);
        let none = || lang.t("report-no-filter");
        facts.push((
            lang.t("report-filter"),
            Some(filter).filter(|f| !f.is_empty()).unwrap_or_else(none),
        ));
        facts.push((lang.t("purpose"), run.reason.clone()));
        facts.push((lang.t("report-format"), of::format(&run.definition.format)));
        facts.push((lang.t("data-as-of"), at(lang, run.as_of_at).text));
        file = Some(run);
    }
    let half = |bytes: i64, digest: &str, when| Half { bytes, digest: grouped(digest), at: when };
    let recorded = match entry.kind.as_str() {
        "report_end" => Some(half(
            words::count(&body, "bytes_made").unwrap_or_default(),
            body["sha256"].as_str().unwrap_or_default(),
            at(lang, Timestamp(entry.at)),
        )),
        "replay" => file
            .as_ref()
            .map(|r| half(r.bytes, &r.sha256, at(lang, r.ended_at.unwrap_or(r.started_at)))),
        _ => None,
    };
    let job = run.and_then(|r| web.app.replays.job(r));
    let made = job.as_ref().and_then(|j| j.outcome.get());
    let (remade, seconds) = match made {
        Some((Ok(m), took)) => (
            Some(half(
                m.bytes as i64,
                &m.sha256.to_string(),
                at(lang, job.as_ref().map_or(Timestamp(entry.at), |j| j.started)),
            )),
            format!("{:.1}", took.as_secs_f64()),
        ),
        _ => (None, String::new()),
    };
    let holds = web.app.proof_holds(&proof);
    Ok(LedgerEntry {
        number,
        kind: lang.t(words::kind(&entry.kind)),
        replay_href: run.filter(|_| of_report).map(|r| format!("/runs/{r}/replay")),
        remade: remade.filter(|_| recorded.is_some()),
        recorded,
        // What another node re-created is known by its entry, not by its time.
        tally: if seconds.is_empty() && tally == Tally::Match { Tally::Open } else { tally },
        seconds,
        facts: facts.into_iter().filter(|(_, v)| !v.is_empty()).collect(),
        json: String::from_utf8_lossy(&entry.entry).into_owned(),
        proof: Some(Proof {
            index: proof.index as i64,
            size: proof.size as i64,
            leaf: proof.leaf.to_base64(),
            path: proof.path.iter().map(|h| h.to_base64()).collect(),
            holds,
        }),
    })
}

async fn name(web: &Web, lang: Lang, id: i64) -> Result<String, Problem> {
    let names = web.app.names([PersonId(id)]).await?;
    Ok(match names.get(&PersonId(id)) {
        Some(name) => name.clone(),
        None if id == 0 => lang.t("system"),
        None => id.to_string(),
    })
}
