//! One module for each subcommand; this one has what they share.

mod enrol;
pub mod installation;
mod people;
pub mod serve;

use crate::demo;
use clap::{Parser, Subcommand};
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
    Serve(serve::Serve),
    /// Try it: an installation with a past, made in a folder of its own
    Demo(demo::Demo),
    /// People of the installation
    #[command(subcommand)]
    People(people::People),
    /// Make a one-time link by which a person enrols a passkey
    Enrol(enrol::Enrol),
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
pub fn run(arguments: Arguments) -> Result<(), CliError> {
    let filter = EnvFilter::try_new(&arguments.log)
        .map_err(|e| CliError::Said(format!("--log {}: {e}", arguments.log)))?;
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match arguments.command {
        Command::Serve(serve) => block_on(serve.run()),
        Command::Demo(demo) => block_on(demo.run()),
        Command::People(people) => block_on(people.run()),
        Command::Enrol(enrol) => block_on(enrol.run()),
    }
}

fn block_on(work: impl Future<Output = Result<(), CliError>>) -> Result<(), CliError> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(CliError::io("the runtime cannot be started"))?
        .block_on(work)
}
