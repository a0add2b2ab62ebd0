//! A progress bar on standard error, where somebody watches it.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;

/// A bar of `length` steps; drawn only on a terminal.
pub fn bar(quiet: bool, length: u64) -> ProgressBar {
    let bar = ProgressBar::new(length);
    if quiet || !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {percent} %  {pos} of {len}  {eta}") {
        bar.set_style(style);
    }
    bar
}

/// A count of work whose end is not known before.
pub fn spinner(what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{human_pos} {msg}  {elapsed}");
    ProgressBar::new_spinner()
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
        .with_message(what)
}
