//! `warifu ledger verify --folder DIR`: checks an exported log. The only part with I/O.

use std::io::{self, Write};
use std::path::PathBuf;

use crate::export::{Verified, VerifyError, verify_folder};
use crate::note::VerifyingKey;

/// Arguments of `ledger verify` for an exported folder.
#[derive(Debug, clap::Args)]
pub struct VerifyFolder {
    /// Folder with `checkpoint` and `tile/`.
    #[arg(long)]
    pub folder: PathBuf,
    /// Public key of the log or of a witness (`name+hash+base64`), from another source than the
    /// folder. May be repeated. Without a log key, signatures are not checked.
    #[arg(long = "key", value_name = "VKEY")]
    pub keys: Vec<String>,
    /// No progress on standard error.
    #[arg(long)]
    pub quiet: bool,
}

/// Checks the folder and writes what was found. The answer is the exit code: 0 if everything
/// holds, 1 if something is wrong, 2 if an argument or a file cannot be read.
///
/// # Errors
/// Only if `out` or `err` cannot be written.
pub fn verify(
    arguments: &VerifyFolder,
    out: &mut impl Write,
    err: &mut impl Write,
) -> io::Result<u8> {
    let mut keys = Vec::new();
    for text in &arguments.keys {
        match text.parse::<VerifyingKey>() {
            Ok(key) => keys.push(key),
            Err(error) => {
                writeln!(err, "--key {text}: {error}")?;
                return Ok(2);
            }
        }
    }
    let read = |path: &str| match std::fs::read(arguments.folder.join(path)) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    };
    let mut shown = 0;
    let result = verify_folder(&keys, read, |done, all| {
        let percent = done.saturating_mul(100) / all.max(1);
        if !arguments.quiet && percent != shown {
            shown = percent;
            // Progress that cannot be shown is no reason to stop checking.
            let _ = write!(err, "\r{percent} % of {all} entries");
        }
    });
    if shown > 0 {
        writeln!(err)?;
    }
    match result {
        Ok(verified) => {
            report(&verified, out)?;
            Ok(0)
        }
        Err(VerifyError::Finding(finding)) => {
            writeln!(out, "BAD  {finding}")?;
            Ok(1)
        }
        Err(error @ VerifyError::Read(..)) => {
            let cause = std::error::Error::source(&error);
            writeln!(err, "{error}: {}", cause.map(ToString::to_string).unwrap_or_default())?;
            Ok(2)
        }
    }
}

fn report(verified: &Verified, out: &mut impl Write) -> io::Result<()> {
    let Verified { report, checkpoint, signatures } = verified;
    writeln!(out, "OK   {} entries of {}", report.size, checkpoint.origin)?;
    writeln!(out, "root {}", report.root.to_base64())?;
    match signatures {
        None => writeln!(out, "NOT CHECKED: signatures (no --key given)")?,
        Some(opened) => {
            for by in &opened.log {
                writeln!(out, "signed by {} ({:08x})", by.name, by.id)?;
            }
            for by in &opened.witnesses {
                let at = by.witnessed_at.unwrap_or_default();
                writeln!(out, "witnessed by {} ({:08x}) at {at} s", by.name, by.id)?;
            }
            if opened.unknown > 0 {
                writeln!(out, "{} signatures by unknown keys not checked", opened.unknown)?;
            }
        }
    }
    if report.unknown_kinds > 0 {
        writeln!(out, "{} entries of kinds newer than this program", report.unknown_kinds)?;
    }
    for open in &report.open {
        writeln!(out, "open: run {:?} started in entry {}, without an end", open.run, open.index)?;
    }
    Ok(())
}
