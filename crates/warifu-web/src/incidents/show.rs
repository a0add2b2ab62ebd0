//! Recorded downloads, matches and exposures as the room shows them.

use super::room::result;
use crate::i18n::Lang;
use crate::reports::words;
use crate::state::Web;
use crate::views::incidents::{
    Candidate, DiffLine, Difference, ExposedOrganization, Exposure, Matching, RecordedDownload,
};
use crate::views::runs::RunState;
use serde_json::Value;
use warifu_app::incidents::{self, Comparison, Download};
use warifu_domain::reports::{Definition, Subject};
use warifu_domain::{DownloadId, Timestamp};

const PEOPLE: Subject = Subject::People;

fn state(web: &Web, d: &Download) -> RunState {
    let id = DownloadId(d.id);
    if web.app.matches.progress(id).is_some() {
        RunState::Running
    } else if web.app.matches.failure(id).is_some() {
        RunState::Failed
    } else if d.result.is_some() {
        RunState::Done
    } else {
        RunState::Cancelled
    }
}

pub fn recorded(web: &Web, lang: Lang, d: &Download, current: bool) -> RecordedDownload {
    let tolerance = match d.tolerance.as_str() {
        "0" => lang.t("tolerance-exact"),
        other => format!("± {other}"),
    };
    let tolerance =
        if d.measure == "body" { tolerance } else { format!("{tolerance}, {}", d.measure) };
    RecordedDownload {
        id: d.id.to_string(),
        bytes: d.bytes,
        at: words::at(lang, Timestamp(d.at)),
        tolerance,
        rows: d.row_count,
        who: d.who.clone(),
        network: d.network.clone(),
        state: match state(web, d) {
            // Nothing was stopped: nobody has searched yet.
            RunState::Cancelled => RunState::Queued,
            other => other,
        },
        candidates: result(d).and_then(|r| r["matched"].as_i64()),
        current,
    }
}

fn definition(candidate: &Value) -> Option<Definition> {
    serde_json::from_value(candidate["definition"].clone()).ok()
}

fn candidate(lang: Lang, c: &Value, rank: u64) -> Candidate {
    let number = |key: &str| c[key].as_i64().unwrap_or_default();
    let found = definition(c);
    let filter = found.as_ref().map(|d| words::filter(lang, PEOPLE, &d.filter));
    let everybody = filter.as_ref().is_some_and(String::is_empty);
    let filter = filter.filter(|f| !f.is_empty()).unwrap_or_else(|| lang.t("report-no-filter"));
    let name = c["known"].as_str().map(|name| format!("{name}: {filter}"));
    let detail = found.map(|d| {
        let columns = lang.t_args("fields-count", &[("n", &d.columns.len())]);
        format!("{columns}, {}", words::format(&d.format))
    });
    let meaning = match (everybody, c["verified"] == true) {
        (true, _) => "means-everybody",
        (false, true) => "means-verified",
        (false, false) => "means-size",
    };
    Candidate {
        rank: number("rank"),
        definition: name.unwrap_or(filter),
        detail: detail.unwrap_or_default(),
        people: number("rows"),
        bytes: number("bytes"),
        difference: number("difference"),
        meaning: lang.t(meaning),
        verify_href: None,
        current: c["rank"].as_u64() == Some(rank),
    }
}

/// A stored match, or one that is running.
pub fn matching(web: &Web, lang: Lang, d: &Download, rank: u64) -> Matching {
    let progress = web.app.matches.progress(DownloadId(d.id));
    let mut shown = Matching {
        download: recorded(web, lang, d, true),
        state: state(web, d),
        ..Matching::default()
    };
    if let Some(progress) = progress {
        shown.tried = (progress.permille() as i64 / 10, 100);
        shown.matched = progress.matched() as i64;
        return shown;
    }
    let Some(r) = result(d) else { return shown };
    let number = |v: &Value| v.as_i64().unwrap_or_default();
    let searched = &r["searched"];
    let definitions = number(&searched["definitions"]);
    shown.tried = (definitions, definitions);
    shown.space =
        (number(&searched["filters"]), number(&searched["dialects"]), number(&r["states"]));
    shown.seconds = format!("{:.1}", searched["seconds"].as_f64().unwrap_or_default());
    shown.matched = number(&r["matched"]);
    let list = r["candidates"].as_array().map_or(&[][..], Vec::as_slice);
    shown.candidates = list.iter().map(|c| candidate(lang, c, rank)).collect();
    if shown.matched > 0 {
        shown.certain = certain(lang, &r["certain"]);
        shown.possible = common(lang, &r["possible"], "possible-people");
        shown.excluded = common(lang, &r["excluded"], "excluded-people");
    }
    shown.narrow = match r["narrow"][0]["fact"].as_str() {
        Some("rows") => lang.t("narrow-rows"),
        Some("columns") => lang.t("narrow-columns"),
        Some("dialect") => lang.t("narrow-dialect"),
        Some("exact-size") => lang.t("narrow-exact"),
        _ => String::new(),
    };
    let compared: Option<Comparison> = serde_json::from_value(r["guess"].clone()).ok();
    shown.difference = compared.map(|c| difference(lang, &c, d.bytes, &r));
    shown
}

fn labels(lang: Lang, list: &Value) -> String {
    let all = PEOPLE.columns();
    let names = list.as_array().into_iter().flatten().filter_map(Value::as_str).map(|label| {
        let known = all.iter().find(|c| c.label == label);
        known.map_or(label.to_owned(), |c| words::column(lang, PEOPLE, c.key))
    });
    names.collect::<Vec<_>>().join(", ")
}

fn certain(lang: Lang, v: &Value) -> Vec<String> {
    let n = |key: &str| v[key].as_i64().unwrap_or_default();
    let range: [(&str, &dyn crate::i18n::Arg); 2] =
        [("least", &n("people_at_least")), ("most", &n("people_at_most"))];
    let mut out = vec![lang.t_args("certain-range", &range)];
    out.extend(common(lang, v, "certain-people"));
    out
}

fn common(lang: Lang, v: &Value, people: &str) -> Vec<String> {
    let mut out = Vec::new();
    let n = v["people"].as_i64().unwrap_or_default();
    if n > 0 {
        out.push(lang.t_args(people, &[("n", &n)]));
    }
    let columns = labels(lang, &v["columns"]);
    if !columns.is_empty() {
        out.push(lang.t_args("certain-columns", &[("text", &columns)]));
    }
    let organizations = v["organizations"]["count"].as_i64().unwrap_or_default();
    if organizations > 0 {
        out.push(lang.t_args("certain-organizations", &[("n", &organizations)]));
    }
    out
}

fn difference(lang: Lang, c: &Comparison, recorded: i64, r: &Value) -> Difference {
    let title = if !c.conditions_gone.is_empty() || !c.conditions_new.is_empty() {
        "differs-filter"
    } else if !c.columns_gone.is_empty() || !c.columns_new.is_empty() {
        "differs-columns"
    } else if c.formats.is_some() {
        "differs-format"
    } else {
        "differs-none"
    };
    let filter = |f: &warifu_domain::reports::Filter| words::filter(lang, PEOPLE, f);
    let column = |key: &String| words::column(lang, PEOPLE, key);
    let mut lines: Vec<DiffLine> = Vec::new();
    lines.extend(c.conditions_same.iter().map(|f| DiffLine::Same(filter(f))));
    lines.extend(c.conditions_gone.iter().map(|f| DiffLine::Gone(filter(f))));
    lines.extend(c.conditions_new.iter().map(|f| DiffLine::New(filter(f))));
    lines.extend(c.columns_gone.iter().map(|k| DiffLine::Gone(column(k))));
    lines.extend(c.columns_new.iter().map(|k| DiffLine::New(column(k))));
    if let Some((a, b)) = &c.formats {
        lines.push(DiffLine::Gone(a.clone()));
        lines.push(DiffLine::New(b.clone()));
    }
    if lines.iter().all(|l| !matches!(l, DiffLine::New(_)))
        && let Some(best) = definition(&r["candidates"][0])
        && best.filter.is_everything()
    {
        lines.push(DiffLine::New(lang.t("report-no-filter")));
    }
    let mut sizes = vec![(lang.t("size-recorded"), recorded)];
    if let Some(bytes) = c.bytes {
        sizes.push((lang.t("size-guess"), bytes as i64));
    }
    if let Some((_, bytes)) = c.best {
        sizes.push((lang.t("size-best"), bytes as i64));
    }
    let text: [(&str, &dyn crate::i18n::Arg); 3] = [
        ("name", &c.guess.name),
        ("rows", &(c.rows as i64)),
        ("best", &(c.best.map_or(0, |b| b.0) as i64)),
    ];
    Difference { title: lang.t(title), text: lang.t_args("differs-text", &text), sizes, lines }
}

pub fn exposure(lang: Lang, e: &incidents::Exposure) -> Exposure {
    let sizes = ["class-1", "class-9", "class-99", "class-999", "class-more"];
    let signed = |n: u64| n as i64;
    Exposure {
        people: signed(e.people),
        administrators: signed(e.administrators),
        organizations: signed(e.organizations),
        name_and_email: signed(e.only_name_and_email),
        more_contact: signed(e.people - e.only_name_and_email),
        fields: e
            .fields
            .iter()
            .map(|(k, n)| (words::column(lang, PEOPLE, k), signed(*n)))
            .collect(),
        sizes: sizes.iter().zip(e.sizes).map(|(id, n)| (lang.t(*id), signed(n))).collect(),
        months: e.last_login_years.iter().map(|(y, n)| (y.to_string(), signed(*n))).collect(),
        top: e
            .largest
            .iter()
            .take(8)
            .map(|o| ExposedOrganization {
                id: o.id.to_string(),
                name: o.name.clone(),
                people: signed(o.people),
                more: signed(o.more),
            })
            .collect(),
    }
}
