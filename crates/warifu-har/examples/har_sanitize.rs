//! `warifu har` without the rest of Warifu, for tests and benchmarks.

use clap::Parser;
use std::process::ExitCode;

#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: warifu_har::cli::HarCommand,
}

fn main() -> ExitCode {
    ExitCode::from(warifu_har::cli::run(&Cli::parse().command))
}
