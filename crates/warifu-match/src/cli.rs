//! `warifu match` and `warifu exposure`: arguments in, an exit code out.
//!
//! Exit codes: 0 there are candidates, 1 there are none, 2 the input is bad.
#![allow(clippy::print_stderr)]

mod nearest;
mod print;

use std::{
    fs,
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::atomic::AtomicBool,
};

use clap::{Args, ValueEnum};

use crate::{
    definition::{DefinitionFile, Format, Language, Op, Operand, Predicate},
    dialects::{self, FileFormat},
    exposure::exposure_of,
    json_lines::JsonLines,
    moment::parse_moment,
    people::People,
    read::{FileRows, ReadError, ReadOptions, read_people},
    search::{ColumnRule, Progress, SearchSpec, search},
    target::{Measure, Target, Tolerance, parse_size},
    verify,
    written::write_known,
};

/// Files over this size are verified only where `--write-top` asks for one: writing takes longer than
/// searching.
const VERIFY_BYTES: u64 = 64 << 20;
const VERIFY_MOST: usize = 5;

/// Languages of the output.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Lang {
    /// English
    En,
    /// 日本語
    Ja,
}

/// Find which report gives a file of exactly this size.
#[derive(Args, Clone, Debug)]
pub struct MatchArgs {
    /// People file: .csv, .tsv, .jsonl or .parquet
    pub people: PathBuf,
    /// Recorded size of the download, e.g. 585000000 or 64KiB
    #[arg(long, value_name = "N")]
    pub bytes: String,
    /// How far off it may be: bytes, 64KiB or 0.1%
    #[arg(long, default_value = "0", value_name = "T")]
    pub tolerance: String,
    /// What the number counts: body, http, tls, base64, rounded:KB, wrapped32, at-least
    #[arg(long, default_value = "body", value_name = "M")]
    pub measure: String,
    /// Data rows of the file, if known
    #[arg(long, value_name = "N")]
    pub rows: Option<u64>,
    /// The file has exactly these columns
    #[arg(long, value_name = "A,B", value_delimiter = ',', conflicts_with_all = ["columns_at_least", "columns_at_most"])]
    pub columns: Vec<String>,
    /// The file has these columns, and perhaps others
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub columns_at_least: Vec<String>,
    /// The file has no other columns than these
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub columns_at_most: Vec<String>,
    /// Columns that a report can have [default: the 15 fields of a person if all are there, or all]
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub report_columns: Vec<String>,
    /// How the file is written (TOML); default: Warifu's own export, dates as in the people file
    #[arg(long, value_name = "FILE", conflicts_with = "dialects")]
    pub dialect: Option<PathBuf>,
    /// `all`: try the 90 usual ways to write a file
    #[arg(long, value_name = "all", value_parser = ["all"])]
    pub dialects: Option<String>,
    /// Saved definitions (TOML, [[definition]])
    #[arg(long, value_name = "FILE")]
    pub definitions: Option<PathBuf>,
    /// Further predicates to try (TOML, [[predicate]])
    #[arg(long, value_name = "FILE")]
    pub predicates: Option<PathBuf>,
    /// Combine at most so many predicates
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=4))]
    pub max_predicates: u8,
    /// When the download happened, e.g. 2023-09-28T15:06Z
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// How far off that time may be, e.g. 10m
    #[arg(long, value_name = "SPAN", requires = "at")]
    pub window: Option<String>,
    /// Sizes of further downloads by the same actor
    #[arg(long, value_name = "N2", num_args = 1..)]
    pub also: Vec<String>,
    /// Candidates to list
    #[arg(long, default_value_t = 20, value_name = "N")]
    pub top: usize,
    /// Write the first candidate's file here
    #[arg(long, value_name = "FILE")]
    pub write_top: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// No progress bar
    #[arg(long, short)]
    pub quiet: bool,
    /// Language of the output [default: from LANG]
    #[arg(long, value_name = "LANG")]
    pub lang: Option<Lang>,
}

/// Say who and which fields the file of a given definition contained.
#[derive(Args, Clone, Debug)]
pub struct ExposureArgs {
    /// People file: .csv, .tsv, .jsonl or .parquet
    pub people: PathBuf,
    /// A condition, e.g. `user_type=Partner`, `company_name!=`, `created_date>=2023-01-01`,
    /// `email@example.com`; several must all hold
    #[arg(long, value_name = "CONDITION")]
    pub filter: Vec<String>,
    /// Columns of the file [default: all report columns]
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub columns: Vec<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// No progress bar
    #[arg(long, short)]
    pub quiet: bool,
    /// Language of the output [default: from LANG]
    #[arg(long, value_name = "LANG")]
    pub lang: Option<Lang>,
}

/// One line on standard error, and exit code 2.
struct Bad(String);

impl<T: std::fmt::Display> From<T> for Bad {
    fn from(error: T) -> Self {
        Self(error.to_string().replace('\n', " ").trim().to_owned())
    }
}

fn ended(outcome: Result<ExitCode, Bad>) -> ExitCode {
    outcome.unwrap_or_else(|Bad(line)| {
        eprintln!("warifu: {line}");
        ExitCode::from(2)
    })
}

/// Runs `warifu match`.
#[must_use]
pub fn run_match(args: &MatchArgs) -> ExitCode {
    ended(matching(args))
}

/// Runs `warifu exposure`.
#[must_use]
pub fn run_exposure(args: &ExposureArgs) -> ExitCode {
    ended(exposing(args))
}

fn language(lang: Option<Lang>) -> Language {
    match lang {
        Some(Lang::En) => Language::English,
        Some(Lang::Ja) => Language::Japanese,
        None => {
            let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
            let value = set("LC_ALL").or_else(|| set("LC_MESSAGES")).or_else(|| set("LANG"));
            let japanese = value.is_some_and(|value| value.starts_with("ja"));
            if japanese { Language::Japanese } else { Language::English }
        }
    }
}

fn read_text(path: &Path) -> Result<String, Bad> {
    fs::read_to_string(path).map_err(|error| Bad(format!("{}: {error}", path.display())))
}

/// A TOML file; a fault names file, line and column.
fn parse_file<T>(
    path: &Path,
    parse: impl Fn(&str) -> Result<T, toml::de::Error>,
) -> Result<T, Bad> {
    let text = read_text(path)?;
    parse(&text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |rest| rest.chars().count()) + 1;
        let what = error.message().replace('\n', " ");
        Bad(format!("{}: line {line}, column {column}: {what}", path.display()))
    })
}

fn people_of(path: &Path, options: &ReadOptions, quiet: bool) -> Result<People, Bad> {
    let bar = print::bar(quiet);
    let people = read_people(path, options, &|read, size| {
        bar.set_length(size);
        bar.set_position(read);
        true
    });
    bar.finish_and_clear();
    people.map_err(|error| match error {
        ReadError::Io(error) => Bad(format!("{}: {error}", path.display())),
        other => Bad(format!("{}: {other}", path.display())),
    })
}

/// `10m`, `90s`, `2h`, `1d` in microseconds.
fn span(text: &str) -> Result<i64, Bad> {
    let bad = || Bad(format!("--window {text:?} is no span: write 90s, 10m, 2h or 1d"));
    let unit = match text.chars().last() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 3_600,
        Some('d') => 86_400,
        _ => return Err(bad()),
    };
    let number = text.get(..text.len() - 1).and_then(|number| number.parse::<i64>().ok());
    let micros = number.and_then(|number| number.checked_mul(unit * 1_000_000));
    micros.filter(|micros| *micros >= 0).ok_or_else(bad)
}

fn matching(args: &MatchArgs) -> Result<ExitCode, Bad> {
    let language = language(args.lang);
    let option = |name: &str, error: &dyn std::fmt::Display| Bad(format!("{name}: {error}"));
    let measure: Measure = args.measure.parse().map_err(|e| option("--measure", &e))?;
    let tolerance: Tolerance = args.tolerance.parse().map_err(|e| option("--tolerance", &e))?;
    let target = |text: &str, rows| -> Result<Target, Bad> {
        let bytes = parse_size(text).map_err(|e| option("size", &e))?;
        Ok(Target { bytes, tolerance, rows, measure })
    };
    let dialects = match (&args.dialect, &args.dialects) {
        (Some(path), _) => parse_file(path, dialects::parse)?,
        (None, Some(_)) => dialects::usual(),
        (None, None) => vec![dialects::Candidate::new(Default::default())],
    };
    let mut spec = SearchSpec::new(target(&args.bytes, args.rows)?, dialects);
    for also in &args.also {
        spec.also.push(target(also, None)?);
    }
    if let Some(path) = &args.definitions {
        let file = parse_file(path, DefinitionFile::parse)?;
        spec.known = file.definition;
        spec.predicates.extend(file.predicate);
    }
    if let Some(path) = &args.predicates {
        spec.predicates.extend(parse_file(path, DefinitionFile::parse)?.predicate);
    }
    let some = |list: &Vec<String>| (!list.is_empty()).then(|| trimmed(list));
    spec.columns = ColumnRule {
        exact: some(&args.columns),
        at_least: trimmed(&args.columns_at_least),
        at_most: some(&args.columns_at_most),
    };
    if let Some(at) = &args.at {
        let at = parse_moment(at.as_bytes());
        spec.at = Some(at.ok_or_else(|| {
            Bad("--at is no time: write 2023-09-28T15:06Z or 2023-09-28T15:06:00+09:00".to_owned())
        })?);
    }
    // A saved JSON Lines report is looked for as one, whatever else is tried.
    let is_json = |format: &FileFormat| matches!(format, FileFormat::JsonLines(_));
    if spec.known.iter().any(|k| k.format == Format::Jsonl && !k.must_be_written())
        && !spec.dialects.iter().any(|d| is_json(&d.format))
    {
        let json = dialects::Candidate::json_lines(JsonLines::default());
        spec.dialects.push(dialects::Candidate { cost: 1.0, ..json });
    }
    spec.window = args.window.as_deref().map(span).transpose()?.unwrap_or(0);
    spec.max_predicates = usize::from(args.max_predicates);
    spec.top = args.top;
    let named = spec.known.iter().flat_map(|known| &known.filter).chain(&spec.predicates);
    let options = ReadOptions {
        report_columns: some(&args.report_columns),
        keep_values: named.filter(|p| !p.values().is_empty()).map(|p| p.column.clone()).collect(),
        sqlite_quoting: spec
            .dialects
            .iter()
            .any(|c| c.dialect.quote == warifu_domain::dialect::Quote::Sqlite),
        threads: 0,
    };
    let people = people_of(&args.people, &options, args.quiet || args.json)?;
    let mut source = FileRows::new(&args.people, &people);
    let (written, left_out) = write_known(&people, &spec.known, &spec.dialects, &mut source)?;
    spec.written = written;
    let bar = print::bar(args.quiet || args.json);
    bar.set_length(1000);
    let stop = AtomicBool::new(false);
    let tell = |share: f64| bar.set_position((share * 1000.0) as u64);
    let found = search(&people, &spec, &Progress { tell: &tell, stop: &stop });
    bar.finish_and_clear();
    let mut answer = found?;
    answer.searched.not_searched.extend(left_out);
    if answer.candidates.iter().take(VERIFY_MOST).map(|c| c.bytes).sum::<u64>() <= VERIFY_BYTES
        && people.bytes <= VERIFY_BYTES
    {
        verify::verify(&people, &mut answer.candidates, VERIFY_MOST, &mut source)?;
    }
    if let (Some(path), Some(first)) = (&args.write_top, answer.candidates.first_mut()) {
        let place = |error: io::Error| Bad(format!("{}: {error}", path.display()));
        let mut file = fs::File::create(path).map_err(place)?;
        let bytes = verify::write_file(&people, first, &mut source, &mut file)?;
        first.verified = Some(bytes == first.bytes);
    }
    let mut out = io::stdout().lock();
    let printed = if args.json {
        serde_json::to_writer(&mut out, &answer)?;
        writeln!(out)
    } else {
        print::answer(&mut out, &answer, language)
    };
    piped(printed)?;
    if answer.matched == 0
        && !args.json
        && let Some(near) = nearest::nearest(&people, &spec)
    {
        piped(print::nearest(&mut out, &near, language))?;
    }
    Ok(ExitCode::from(u8::from(answer.matched == 0)))
}

fn trimmed(list: &[String]) -> Vec<String> {
    list.iter().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
}

/// A reader that has seen enough (`| head`) is no fault.
fn piped(outcome: io::Result<()>) -> Result<(), Bad> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

/// Reads a condition as written on the command line.
fn condition(text: &str) -> Result<Predicate, Bad> {
    let split = |sign: &str| text.split_once(sign).map(|(a, b)| (a.trim(), b.trim()));
    let (column, op, value) = if let Some((column, value)) = split("!=") {
        (column, if value.is_empty() { Op::Filled } else { Op::IsNot }, value)
    } else if let Some((column, value)) = split(">=") {
        (column, Op::From, value)
    } else if let Some((column, value)) = split("<") {
        (column, Op::Before, value)
    } else if let Some((column, value)) = split("=") {
        (column, if value.is_empty() { Op::Blank } else { Op::Is }, value)
    } else if let Some((column, value)) = split("@") {
        (column, Op::Domain, value)
    } else {
        return Err(Bad(format!(
            "--filter {text:?} is no condition: write column=value, column!=value, column= (blank), \
             column!= (filled), column>=2023-01-01, column<2023-01-01 or email@example.com"
        )));
    };
    let value = match op {
        Op::Filled | Op::Blank => Operand::None,
        Op::Is if value.contains('|') => {
            Operand::Many(value.split('|').map(str::to_owned).collect())
        }
        _ => Operand::One(value.to_owned()),
    };
    let op = if matches!(value, Operand::Many(_)) { Op::In } else { op };
    Ok(Predicate { column: column.to_owned(), op, value })
}

fn exposing(args: &ExposureArgs) -> Result<ExitCode, Bad> {
    let language = language(args.lang);
    let predicates =
        args.filter.iter().map(|text| condition(text)).collect::<Result<Vec<_>, _>>()?;
    let options = ReadOptions {
        keep_values: predicates
            .iter()
            .filter(|p| !matches!(p.op, Op::Domain))
            .map(|p| p.column.clone())
            .collect(),
        ..ReadOptions::default()
    };
    let people = people_of(&args.people, &options, args.quiet || args.json)?;
    let exposure = exposure_of(&people, &predicates, &trimmed(&args.columns))?;
    let mut out = io::stdout().lock();
    let printed = if args.json {
        serde_json::to_writer(&mut out, &exposure)?;
        writeln!(out)
    } else {
        print::exposure(&mut out, &exposure, language)
    };
    piped(printed)?;
    Ok(ExitCode::from(u8::from(exposure.people == 0)))
}

/// Standard error is a terminal.
fn watched() -> bool {
    io::stderr().is_terminal()
}
