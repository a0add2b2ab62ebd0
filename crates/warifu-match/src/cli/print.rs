//! Tables for people, in English and Japanese.

use std::io::{self, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::{
    answer::{Answer, Candidate, Organizations},
    definition::{Language, filter_words},
    dialects::FileFormat,
    exposure::Exposure,
};

/// A progress bar on standard error; hidden when nobody looks.
pub(super) fn bar(quiet: bool) -> ProgressBar {
    if quiet || !super::watched() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{wide_bar} {percent:>3} %  {elapsed}");
    if let Ok(style) = style { bar.with_style(style) } else { bar }
}

/// Picks the text of a language.
fn say<'a>(language: Language, english: &'a str, japanese: &'a str) -> &'a str {
    if language == Language::English { english } else { japanese }
}

/// `1234567` → `1,234,567`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Terminal columns: Japanese characters take two.
fn width(text: &str) -> usize {
    text.chars().map(|c| if u32::from(c) >= 0x1100 { 2 } else { 1 }).sum()
}

fn table(out: &mut dyn Write, rows: &[Vec<String>], right: &[usize]) -> io::Result<()> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|c| {
            rows.iter().filter_map(|row| row.get(c)).map(|cell| width(cell)).max().unwrap_or(0)
        })
        .collect();
    for row in rows {
        let mut line = String::new();
        for (index, cell) in row.iter().enumerate() {
            let pad = " ".repeat(widths[index].saturating_sub(width(cell)));
            if right.contains(&index) {
                line.push_str(&pad);
                line.push_str(cell);
            } else {
                line.push_str(cell);
                line.push_str(&pad);
            }
            line.push_str("  ");
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

fn columns_words(candidate: &Candidate, names: &[String], language: Language) -> String {
    let all = names.len();
    let missing: Vec<&str> =
        names.iter().filter(|n| !candidate.columns.contains(n)).map(String::as_str).collect();
    if !missing.is_empty() && missing.len() * 2 < all {
        return match language {
            Language::English => format!("all but {}", missing.join(", ")),
            Language::Japanese => format!("{} 以外", missing.join(", ")),
        };
    }
    if missing.is_empty() {
        return match language {
            Language::English => format!("all {all}"),
            Language::Japanese => format!("全 {all} 列"),
        };
    }
    candidate.columns.join(", ")
}

fn dialect_words(candidate: &Candidate) -> String {
    if candidate.raw_dialect.format != FileFormat::Delimited {
        return candidate.raw_dialect.id().replace(";dates-as-given", "");
    }
    let id = candidate.raw_dialect.dialect.id();
    id.split(';').skip(1).take(5).collect::<Vec<_>>().join(" ")
}

fn candidates(
    out: &mut dyn Write,
    list: &[Candidate],
    all: &[String],
    language: Language,
) -> io::Result<()> {
    let head = |en, ja| say(language, en, ja).to_owned();
    let mut rows = vec![vec![
        "#".to_owned(),
        head("rows", "行数"),
        head("off by", "差"),
        head("prior", "事前"),
        head("same exposure", "同じ流出"),
        head("checked", "検算"),
        head("filter", "絞り込み"),
        head("columns", "列"),
        head("written", "書式"),
    ]];
    for candidate in list {
        let mut words = filter_words(&candidate.predicates, language);
        if let Some(known) = &candidate.known {
            words = format!("{words} [{known}]");
        }
        if let Some(limit) = candidate.limit {
            let limit = grouped(limit);
            words = match language {
                Language::English => format!("{words}, the first {limit} rows"),
                Language::Japanese => format!("{words}、先頭 {limit} 行"),
            };
        }
        rows.push(vec![
            candidate.rank.to_string(),
            grouped(candidate.rows),
            format!("{:+}", candidate.difference),
            format!("{:.3}", candidate.prior),
            candidate.exposure_group.to_string(),
            match candidate.verified {
                Some(true) => head("yes", "済"),
                Some(false) => head("NO", "不一致"),
                None => "-".to_owned(),
            },
            words,
            columns_words(candidate, all, language),
            dialect_words(candidate),
        ]);
    }
    table(out, &rows, &[0, 1, 2, 3, 4])
}

fn list(names: &[String], language: Language) -> String {
    if names.is_empty() { say(language, "none", "なし").to_owned() } else { names.join(", ") }
}

fn organizations(organizations: &Organizations, language: Language) -> String {
    let shown: Vec<String> = organizations.names.iter().take(5).cloned().collect();
    let count = grouped(organizations.count);
    let more = if organizations.count as usize > shown.len() { ", …" } else { "" };
    if shown.is_empty() {
        return count;
    }
    match language {
        Language::English => format!("{count} ({}{more})", shown.join(", ")),
        Language::Japanese => format!("{count}（{}{more}）", shown.join("、")),
    }
}

/// The answer of `warifu match`.
pub(super) fn answer(out: &mut dyn Write, answer: &Answer, language: Language) -> io::Result<()> {
    let searched = &answer.searched;
    let all = answer.people.report_columns.as_slice();
    match language {
        Language::English => writeln!(
            out,
            "{} people; {} definitions ({} filters × {} column sets × {} dialects) in {:.2} s",
            grouped(answer.people.rows),
            grouped(searched.definitions),
            grouped(searched.filters),
            grouped(searched.column_sets),
            searched.dialects,
            searched.seconds
        )?,
        Language::Japanese => writeln!(
            out,
            "{} 人、定義 {} 通り（絞り込み {} × 列の組 {} × 書式 {}）を {:.2} 秒で照合",
            grouped(answer.people.rows),
            grouped(searched.definitions),
            grouped(searched.filters),
            grouped(searched.column_sets),
            searched.dialects,
            searched.seconds
        )?,
    }
    for left in &searched.not_searched {
        writeln!(out, "{} {left}", say(language, "Not searched:", "対象外:"))?;
    }
    if answer.matched == 0 {
        return writeln!(
            out,
            "{}",
            say(
                language,
                "No definition gives this size. Try --dialects all, a --tolerance, --at, or another \
                 --measure; the file may also be compressed, cut off, or made of other people.",
                "このサイズになる定義はありません。--dialects all、--tolerance、--at、--measure を試して\
                 ください。圧縮、途中切断、別の人々のデータという可能性もあります。"
            )
        );
    }
    let others = answer.matched - 1;
    let exposures = grouped(answer.distinct_exposures);
    match (language, others) {
        (Language::English, 0) => writeln!(out, "Only one definition explains the numbers.\n")?,
        (Language::English, _) => writeln!(
            out,
            "{} others explain the numbers equally well as the first; together they expose {exposures} \
             different sets of people and filled fields.\n",
            grouped(others)
        )?,
        (Language::Japanese, 0) => writeln!(out, "この数字を説明する定義は 1 通りだけです。\n")?,
        (Language::Japanese, _) => writeln!(
            out,
            "1 位のほかに {} 通りの定義が同じようにこの数字を説明します。流出内容（人と記入済み項目）は\
             全部で {exposures} 通りです。\n",
            grouped(others)
        )?,
    }
    candidates(out, &answer.candidates, all, language)?;
    if answer.ties > 0 {
        match language {
            Language::English => writeln!(
                out,
                "\n{} other listed candidates are as likely as the first: do not read the order as proof.",
                answer.ties
            )?,
            Language::Japanese => writeln!(
                out,
                "\n表の {} 件は 1 位と同じ確からしさです。順番は証拠になりません。",
                answer.ties
            )?,
        }
    }
    verdict(out, answer, language)?;
    if let Some(first) = &answer.exposure {
        writeln!(out, "\n{}", say(language, "Exposure of candidate 1", "候補 1 の流出内容"))?;
        exposure(out, first, language)?;
    }
    for also in &answer.also {
        writeln!(
            out,
            "\n{} {}: {}",
            say(language, "Also", "別のダウンロード"),
            grouped(also.target.bytes),
            grouped(also.matched)
        )?;
        candidates(out, &also.candidates, all, language)?;
    }
    Ok(())
}

/// What comes nearest when nothing gives the size.
pub(super) fn nearest(out: &mut dyn Write, near: &Candidate, language: Language) -> io::Result<()> {
    let (bytes, rows) = (grouped(near.bytes), grouped(near.rows));
    let off = format!("{:+}", near.difference);
    let columns = near.columns.join(", ");
    match language {
        Language::English => writeln!(
            out,
            "The nearest found: {bytes} bytes ({off}), {rows} rows: {} with {columns}",
            near.filter
        ),
        Language::Japanese => writeln!(
            out,
            "最も近かった定義: {bytes} バイト（差 {off}）、{rows} 行: {}、列 {columns}",
            near.filter
        ),
    }
}

fn verdict(out: &mut dyn Write, answer: &Answer, language: Language) -> io::Result<()> {
    let (certain, possible, excluded) = (&answer.certain, &answer.possible, &answer.excluded);
    let people = |count: u64| match language {
        Language::English => format!("{} people", grouped(count)),
        Language::Japanese => format!("{} 人", grouped(count)),
    };
    let range = format!("{}–{}", grouped(certain.people_at_least), grouped(certain.people_at_most));
    let column = say(language, "columns", "列");
    let organization = say(language, "organizations", "組織");
    writeln!(out)?;
    let rows = [
        (
            say(language, "Certain (all candidates)", "確実（全候補に共通）"),
            certain.people,
            &certain.columns,
            &certain.organizations,
        ),
        (
            say(language, "Possible (some)", "可能性あり（一部の候補）"),
            possible.people,
            &possible.columns,
            &possible.organizations,
        ),
        (
            say(language, "Excluded (none)", "除外（どの候補にもない）"),
            excluded.people,
            &excluded.columns,
            &excluded.organizations,
        ),
    ];
    for (title, count, columns, organizations_of) in rows {
        writeln!(out, "{title}")?;
        writeln!(out, "  {}", people(count))?;
        writeln!(out, "  {column}: {}", list(columns, language))?;
        writeln!(out, "  {organization}: {}", organizations(organizations_of, language))?;
    }
    writeln!(out, "{}: {range}", say(language, "People in the file", "ファイル内の人数"))?;
    if let Some(best) = answer.narrow.first() {
        let fact = match (best.fact.as_str(), language) {
            ("rows", Language::English) => "the row count (--rows)",
            ("rows", Language::Japanese) => "行数 (--rows)",
            ("columns", Language::English) => "the columns (--columns)",
            ("columns", Language::Japanese) => "列 (--columns)",
            ("dialect", Language::English) => "the exporter's dialect (--dialect)",
            ("dialect", Language::Japanese) => "書式 (--dialect)",
            ("second-download", Language::English) => "another download by the same actor (--also)",
            ("second-download", Language::Japanese) => "同じ人の別のダウンロード (--also)",
            ("time", Language::English) => "the exact time",
            ("time", Language::Japanese) => "正確な時刻",
            (_, Language::English) => "the exact size (--tolerance 0)",
            (_, Language::Japanese) => "正確なサイズ (--tolerance 0)",
        };
        match language {
            Language::English => writeln!(
                out,
                "Helps most: {fact}; about {:.0} definitions would be left.",
                best.expected_left
            )?,
            Language::Japanese => writeln!(
                out,
                "最も役立つ情報: {fact}。残る定義は約 {:.0} 通りです。",
                best.expected_left
            )?,
        }
    }
    Ok(())
}

/// The answer of `warifu exposure`.
pub(super) fn exposure(
    out: &mut dyn Write,
    exposure: &Exposure,
    language: Language,
) -> io::Result<()> {
    let share = |part: u64| {
        let whole = exposure.people.max(1) as f64;
        format!("{:.1} %", part as f64 * 100.0 / whole)
    };
    writeln!(out, "{}: {}", say(language, "People", "人数"), grouped(exposure.people))?;
    if let (Some(count), Some(by)) = (exposure.organizations, &exposure.organizations_by) {
        let label = say(language, "Organizations, by", "組織の数、基準は");
        writeln!(out, "{label} {by}: {}", grouped(count))?;
    }
    writeln!(
        out,
        "{}: {} ({})",
        say(language, "Only name and e-mail address as contact data", "連絡先は氏名とメールのみ"),
        grouped(exposure.only_contact_name_and_email),
        share(exposure.only_contact_name_and_email)
    )?;
    writeln!(
        out,
        "{}: {} ({})",
        say(language, "Nothing but name and e-mail address", "氏名とメール以外は空"),
        grouped(exposure.only_name_and_email),
        share(exposure.only_name_and_email)
    )?;
    let rows: Vec<Vec<String>> = exposure
        .fields
        .iter()
        .map(|field| {
            vec![format!("  {}", field.column), grouped(field.filled), share(field.filled)]
        })
        .collect();
    table(out, &rows, &[1, 2])
}
