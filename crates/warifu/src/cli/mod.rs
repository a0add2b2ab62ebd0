//! One module for each subcommand; this one has what they share.

mod break_glass;
mod enrol;
mod follow;
pub mod installation;
mod ledger;
pub mod listening;
mod people;
mod progress;
mod replay;
mod search;
mod secured;
pub mod serve;
pub mod signals;
mod tell;
mod tls;

use crate::demo;
use clap::{Parser, Subcommand};
use std::ffi::OsString;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

/// Warifu: the support desk that survives its own breach.
#[derive(Parser)]
#[command(name = "warifu", version, about, max_term_width = 100)]
pub struct Arguments {
    /// What is logged to stderr, e.g. `info` or `warifu_web=debug`
    #[arg(long, env = "RUST_LOG", default_value = "warn", global = true, value_name = "FILTER")]
    log: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server
    Serve(Box<serve::Serve>),
    /// Try it: an installation with a past, made in a folder of its own
    Demo(demo::Demo),
    /// People of the installation
    #[command(subcommand)]
    People(people::People),
    /// Re-create a recorded run and say whether every byte is the same
    Replay(replay::Replay),
    /// Check the ledger, or write it as static files
    #[command(subcommand)]
    Ledger(ledger::Ledger),
    /// Find which report gives a file of exactly this size
    #[command(
        after_help = "With --data DIR in place of PEOPLE the installation's own records are searched, as they were at --at; see `warifu match-data --help`."
    )]
    Match(Box<warifu_match::cli::MatchArgs>),
    /// The same on the installation's own records
    #[command(hide = true)]
    MatchData(search::MatchData),
    /// Say who and which fields the file of a given definition contained
    Exposure(warifu_match::cli::ExposureArgs),
    /// Work with HAR files
    #[command(subcommand)]
    Har(warifu_har::cli::HarCommand),
    /// Make a one-time link by which a person enrols a passkey
    Enrol(enrol::Enrol),
    /// The sealed code of the installation, for when no super administrator gets in any more
    #[command(subcommand)]
    BreakGlass(break_glass::BreakGlass),
}

/// Why a subcommand did not do what was asked: one line for whoever typed it.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    #[error(transparent)]
    App(#[from] warifu_app::AppError),
    #[error(transparent)]
    Storage(#[from] warifu_storage::StorageError),
    #[error("{0}")]
    Said(String),
    #[error("{what}: {source}")]
    Io { what: String, source: std::io::Error },
}

impl CliError {
    pub fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> CliError {
        let what = what.into();
        move |source| CliError::Io { what, source }
    }
}

/// Runs a subcommand.
///
/// # Errors
/// What the subcommand could not do, in one line.
pub fn run(arguments: Arguments) -> Result<ExitCode, CliError> {
    let filter = EnvFilter::try_new(&arguments.log)
        .map_err(|e| CliError::Said(format!("--log {}: {e}", arguments.log)))?;
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match arguments.command {
        Command::Serve(serve) => block_on(serve.run()),
        Command::Demo(demo) => block_on(demo.run()),
        Command::People(people) => return block_on(people.run()),
        Command::Enrol(enrol) => block_on(enrol.run()),
        Command::BreakGlass(seal) => block_on(seal.run()),
        Command::Replay(replay) => return block_on(replay.run()),
        Command::Ledger(ledger) => return block_on(ledger.run()),
        Command::MatchData(search) => return block_on(search.run()),
        Command::Match(arguments) => return Ok(warifu_match::cli::run_match(&arguments)),
        Command::Exposure(arguments) => return Ok(warifu_match::cli::run_exposure(&arguments)),
        Command::Har(command) => return Ok(ExitCode::from(warifu_har::cli::run(&command))),
    }?;
    Ok(ExitCode::SUCCESS)
}

/// The command line. `match --data DIR` searches the installation instead of a file: the two take
/// different arguments, so that it is a subcommand of its own behind the scenes.
pub fn arguments() -> Arguments {
    let mut given: Vec<OsString> = std::env::args_os().collect();
    let of_data = |a: &OsString| a == "--data" || a.to_string_lossy().starts_with("--data=");
    if given.iter().any(of_data)
        && let Some(word) = given.iter_mut().skip(1).find(|a| *a == "match")
    {
        *word = "match-data".into();
    }
    Arguments::parse_from(given)
}

fn block_on<T>(work: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(CliError::io("the runtime cannot be started"))?
        .block_on(work)
}
