//! Tasks of this repository that are not the product: `cargo run -p xtask -- tidy`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool answers there")]

mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    let root = std::env::args().nth(2).map_or(here.to_owned(), PathBuf::from);
    match std::env::args().nth(1).as_deref() {
        Some("tidy") => tidy::report(&root),
        other => {
            if let Some(other) = other {
                eprintln!("xtask: unknown task '{other}'");
            }
            eprintln!("usage: cargo run -p xtask -- tidy [ROOT]");
            ExitCode::from(2)
        }
    }
}
