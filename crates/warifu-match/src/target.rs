//! What was measured, as the window that the file's own size must fall into.

use std::str::FromStr;

use serde::Serialize;
use warifu_domain::{Refusal, refusal};

/// A text that is no size, tolerance or measure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadTarget(Refusal);

impl BadTarget {
    pub fn refusal(&self) -> Refusal {
        self.0.clone()
    }
}

warifu_domain::refuses!(BadTarget);

/// What the recorded number counts. Every model is an assumption, and stated in the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Measure {
    /// The file's bytes.
    #[default]
    Body,
    /// The file and the response's status line and headers: 100 to 2,000 bytes more.
    Http,
    /// As `Http` and TLS records around it: 22 to 29 bytes for each 4 to 16 KiB, and 0 to 8 KiB of
    /// handshake.
    Tls,
    /// Base64 without line breaks: four bytes for three.
    Base64,
    /// Rounded to the nearest multiple of so many bytes.
    Rounded(u64),
    /// A 32-bit counter that wrapped: the size modulo 4 GiB.
    Wrapped32,
    /// The download was aborted: the file is at least as large.
    AtLeast,
}

impl Measure {
    /// Its name, as on the command line.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Body => "body".to_owned(),
            Self::Http => "http".to_owned(),
            Self::Tls => "tls".to_owned(),
            Self::Base64 => "base64".to_owned(),
            Self::Rounded(unit) => format!("rounded:{unit}"),
            Self::Wrapped32 => "wrapped32".to_owned(),
            Self::AtLeast => "at-least".to_owned(),
        }
    }
}

impl FromStr for Measure {
    type Err = BadTarget;

    fn from_str(text: &str) -> Result<Self, BadTarget> {
        Ok(match text {
            "body" => Self::Body,
            "http" => Self::Http,
            "tls" => Self::Tls,
            "base64" => Self::Base64,
            "wrapped32" => Self::Wrapped32,
            "at-least" => Self::AtLeast,
            // `rounded:KB` is a unit, `rounded:4096` a number of bytes.
            _ => match text.strip_prefix("rounded:").map(|unit| {
                let named = unit.starts_with(|c: char| c.is_ascii_alphabetic());
                parse_size(&if named { format!("1{unit}") } else { unit.to_owned() })
            }) {
                Some(Ok(unit)) if unit > 0 => Self::Rounded(unit),
                _ => {
                    return Err(BadTarget(refusal!(
                        "measure",
                        "{text} is no measure: body, http, tls, base64, rounded:KB (or KiB, MB, MiB), wrapped32 or at-least",
                        text = format!("{text:?}")
                    )));
                }
            },
        })
    }
}

/// Reads `585000000`, `585_000_000`, `64KiB`, `1.5 MB`; K, M, G are decimal with `B` alone and
/// binary with `iB`.
///
/// # Errors
/// [`BadTarget`] says what a size looks like.
pub fn parse_size(text: &str) -> Result<u64, BadTarget> {
    let bad = || {
        BadTarget(refusal!(
            "size",
            "{text} is no size: write bytes, or 64KiB, 1.5MB, 2GiB",
            text = format!("{text:?}")
        ))
    };
    let clean: String = text.chars().filter(|c| !matches!(c, '_' | ' ' | ',')).collect();
    let split = clean.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(clean.len());
    let (number, unit) = clean.split_at(split);
    let unit: u64 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" => 1_000,
        "m" | "mb" => 1_000_000,
        "g" | "gb" => 1_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        _ => return Err(bad()),
    };
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(unit).ok_or_else(bad);
    }
    let value = number.parse::<f64>().map_err(|_| bad())? * unit as f64;
    if value.is_finite() && (0.0..9e15).contains(&value) {
        Ok(value.round() as u64)
    } else {
        Err(bad())
    }
}

/// How far off a size may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tolerance {
    /// Bytes on either side.
    Bytes(u64),
    /// Part of the size on either side; 0.001 is 0.1 %.
    Share(f64),
}

impl Default for Tolerance {
    fn default() -> Self {
        Self::Bytes(0)
    }
}

impl Tolerance {
    /// In bytes, for a recorded size of `bytes`.
    #[must_use]
    pub fn bytes(self, bytes: u64) -> u64 {
        match self {
            Self::Bytes(tolerance) => tolerance,
            Self::Share(share) => (bytes as f64 * share).ceil() as u64,
        }
    }
}

impl FromStr for Tolerance {
    type Err = BadTarget;

    fn from_str(text: &str) -> Result<Self, BadTarget> {
        match text.strip_suffix('%').map(|share| share.trim().parse::<f64>()) {
            Some(Ok(percent)) if (0.0..=100.0).contains(&percent) => {
                Ok(Self::Share(percent / 100.0))
            }
            Some(_) => Err(BadTarget(refusal!(
                "percentage",
                "{text} is no percentage between 0% and 100%",
                text = format!("{text:?}")
            ))),
            None => parse_size(text).map(Self::Bytes),
        }
    }
}

/// One recorded download.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Target {
    /// The recorded number, in bytes.
    pub bytes: u64,
    /// How far off it may be.
    pub tolerance: Tolerance,
    /// Data rows of the file, if known.
    pub rows: Option<u64>,
    /// What the number counts.
    pub measure: Measure,
}

/// File sizes that agree with a [`Target`], both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Window {
    /// At least, in bytes.
    pub from: u64,
    /// At most, in bytes.
    pub to: u64,
}

impl Target {
    /// The windows up to `largest` bytes.
    #[must_use]
    pub fn windows(&self, largest: u64) -> Vec<Window> {
        let tolerance = self.tolerance.bytes(self.bytes);
        let low = self.bytes.saturating_sub(tolerance);
        let high = self.bytes.saturating_add(tolerance);
        let one = |from: u64, to: u64| vec![Window { from, to }];
        match self.measure {
            Measure::Body => one(low, high),
            Measure::Http => one(low.saturating_sub(2000), high.saturating_sub(100)),
            Measure::Tls => {
                // n bytes inside travel as at least n + 22·⌈n/16384⌉, at most n + 29·⌈n/4096⌉ + 8192.
                let most = high - (high / (16_384 + 22)) * 22;
                let least = low.saturating_sub(8192);
                let least = least.saturating_sub((least / (4096 + 29) + 1) * 29);
                one(least.saturating_sub(2000), most.saturating_sub(100))
            }
            Measure::Base64 => one((low / 4 * 3).saturating_sub(2), high / 4 * 3 + 3),
            Measure::Rounded(unit) => {
                one(low.saturating_sub(unit / 2), high.saturating_add(unit.div_ceil(2)))
            }
            Measure::AtLeast => one(low, u64::MAX),
            Measure::Wrapped32 => {
                let wrap = 1_u64 << 32;
                (0..=largest / wrap)
                    .map(|turn| Window { from: low + turn * wrap, to: high + turn * wrap })
                    .collect()
            }
        }
    }

    /// How far a file of `size` bytes is off: recorded number minus what it should be without
    /// overheads; 0 inside the window of a model that has a range.
    #[must_use]
    pub fn difference(&self, size: u64) -> i64 {
        let signed = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        match self.measure {
            Measure::Body => signed(size).saturating_sub(signed(self.bytes)),
            Measure::Wrapped32 => signed(size & 0xFFFF_FFFF) - signed(self.bytes & 0xFFFF_FFFF),
            Measure::Base64 => signed(size.div_ceil(3).saturating_mul(4)) - signed(self.bytes),
            Measure::Rounded(_) | Measure::Http | Measure::Tls | Measure::AtLeast => {
                signed(size).saturating_sub(signed(self.bytes))
            }
        }
    }
}
