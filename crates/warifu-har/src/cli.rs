//! `warifu har …`: the command line over [`crate::sanitize_spooled`].

use crate::{Error, Options, Receipt, redact, sanitize_spooled};
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Work with HAR files.
#[derive(Debug, Subcommand)]
pub enum HarCommand {
    /// Replace everything in a HAR file that could be secret, and check that nothing is left
    Sanitize(Sanitize),
}

/// Arguments of `har sanitize`.
#[derive(Debug, Args)]
pub struct Sanitize {
    /// The HAR file; `-` reads standard input
    pub input: PathBuf,
    /// Where to write the sanitized file; written beside and renamed when it is complete
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Print the receipt as JSON
    #[arg(long)]
    pub json: bool,
}

/// Runs a command; the receipt goes to standard output, one line on standard error on failure.
///
/// Exit codes: 0 done, 1 reading or writing failed, 2 the input was refused.
pub fn run(command: &HarCommand) -> u8 {
    let HarCommand::Sanitize(args) = command;
    let (code, line) = match sanitize_file(args) {
        Ok((receipt, took)) => match print(args, &receipt, took) {
            Ok(()) => return 0,
            Err(e) => (1, format!("standard output: {e}")),
        },
        Err(Error::Io(e)) => (1, e.to_string()),
        Err(e) => (2, format!("{}: {e}", args.input.display())),
    };
    // Nobody is left to tell if standard error is closed.
    let _ = writeln!(io::stderr(), "warifu har sanitize: {line}");
    code
}

fn sanitize_file(args: &Sanitize) -> Result<(Receipt, Duration), Error> {
    let started = Instant::now();
    let named = |path: &Path, e: io::Error| {
        Error::Io(io::Error::new(e.kind(), format!("{}: {e}", path.display())))
    };
    let stdin = args.input.as_os_str() == "-";
    let (reader, size): (Box<dyn io::Read>, Option<u64>) = if stdin {
        (Box::new(io::stdin().lock()), None)
    } else {
        let file = File::open(&args.input).map_err(|e| named(&args.input, e))?;
        let meta = file.metadata().map_err(|e| named(&args.input, e))?;
        if meta.is_dir() {
            return Err(Error::NotHar { offset: 0, what: "it is a folder" });
        }
        if same_file(&args.input, &args.output) {
            return Err(Error::NotHar { offset: 0, what: "the output is the input itself" });
        }
        (Box::new(file), Some(meta.len()))
    };
    let folder = match args.output.parent() {
        Some(p) if !p.as_os_str().is_empty() => p,
        _ => Path::new("."),
    };
    // Only the owner can read it, and it is removed when it is dropped before being renamed.
    let mut temp = tempfile::Builder::new()
        .prefix(".warifu-har-")
        .tempfile_in(folder)
        .map_err(|e| named(folder, e))?;
    let bar = progress(size);
    let receipt = sanitize_spooled(bar.wrap_read(reader), temp.as_file_mut(), &Options::default());
    bar.finish_and_clear();
    let receipt = receipt?;
    temp.as_file().sync_all().map_err(|e| named(&args.output, e))?;
    temp.persist(&args.output).map_err(|e| named(&args.output, e.error))?;
    Ok((receipt, started.elapsed()))
}

/// Both exist and are the same file, also through links.
fn same_file(a: &Path, b: &Path) -> bool {
    match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}

fn progress(size: Option<u64>) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = match size {
        Some(size) => ProgressBar::new(size),
        None => ProgressBar::new_spinner(),
    };
    bar.set_draw_target(ProgressDrawTarget::stderr());
    let template = match size {
        Some(_) => "{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}",
        None => "{spinner} {bytes} {bytes_per_sec}",
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

fn print(args: &Sanitize, receipt: &Receipt, took: Duration) -> io::Result<()> {
    let seconds = took.as_secs_f64();
    let speed = receipt.input_bytes as f64 / 1e6 / seconds.max(1e-6);
    let mut out = io::stdout().lock();
    if args.json {
        let mut value = serde_json::to_value(receipt)?;
        if let Some(fields) = value.as_object_mut() {
            fields.insert("cookie_values".into(), receipt.cookie_digests.len().into());
            fields.insert("seconds".into(), seconds.into());
            fields.insert("mb_per_second".into(), speed.into());
        }
        return writeln!(out, "{value}");
    }
    writeln!(out, "{:>10}  {:<18} kind", "removed", "place")?;
    for r in &receipt.removed {
        writeln!(out, "{:>10}  {:<18} {}", r.count, r.place, r.kind)?;
    }
    writeln!(out, "{:>10}  in {} entries", receipt.removed_total(), receipt.entries)?;
    writeln!(out, "none left  output searched for {} distinct values", receipt.searched_values)?;
    writeln!(
        out,
        "read       {} bytes  sha256:{}",
        receipt.input_bytes,
        redact::hex(&receipt.input_sha256)
    )?;
    writeln!(
        out,
        "written    {} bytes  sha256:{}",
        receipt.output_bytes,
        redact::hex(&receipt.output_sha256)
    )?;
    writeln!(out, "kept       {} bytes", receipt.kept_bytes)?;
    writeln!(out, "took       {seconds:.2} s  {speed:.1} MB/s")
}
