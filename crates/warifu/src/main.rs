//! The command line of Warifu.

mod cli;
mod demo;
mod outbound;
mod signals;

use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = cli::arguments();
    match cli::run(arguments) {
        Ok(code) => code,
        Err(e) => {
            // One line: what happened and what to do about it. Nothing is left to do if stderr is gone.
            let _ = writeln!(std::io::stderr(), "warifu: {e}");
            ExitCode::from(2)
        }
    }
}
