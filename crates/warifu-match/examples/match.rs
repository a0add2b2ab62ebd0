//! The command line without the server: `cargo run -p warifu-match --example match -- match …`.

use std::process::ExitCode;

use clap::Parser;
use warifu_match::cli::{ExposureArgs, MatchArgs, run_exposure, run_match};

#[derive(Parser)]
#[command(name = "warifu")]
enum Command {
    /// Find which report gives a file of exactly this size
    Match(Box<MatchArgs>),
    /// Say who and which fields the file of a given definition contained
    Exposure(ExposureArgs),
}

fn main() -> ExitCode {
    match Command::parse() {
        Command::Match(args) => run_match(&args),
        Command::Exposure(args) => run_exposure(&args),
    }
}
