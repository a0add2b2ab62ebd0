//! Instants as microseconds since the Unix epoch, UTC, and the clock as a parameter.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// An instant: microseconds since 1970-01-01T00:00:00Z. Stored as `BIGINT`, shown as RFC 3339.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

/// One second in a [`Timestamp`]'s unit.
pub const SECOND: i64 = 1_000_000;
/// One minute in a [`Timestamp`]'s unit.
pub const MINUTE: i64 = 60 * SECOND;
/// One hour in a [`Timestamp`]'s unit.
pub const HOUR: i64 = 60 * MINUTE;
/// One day of 24 hours in a [`Timestamp`]'s unit.
pub const DAY: i64 = 24 * HOUR;

impl Timestamp {
    /// The instant as jiff knows it; instants outside the years -9999 to 9999 are clamped.
    pub fn to_jiff(self) -> jiff::Timestamp {
        // Whole seconds: the very last one of jiff's range has no microseconds.
        let (min, max) = (jiff::Timestamp::MIN.as_second(), jiff::Timestamp::MAX.as_second());
        let micros = self.0.clamp(min * SECOND, max * SECOND);
        jiff::Timestamp::from_microsecond(micros).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }

    /// The instant `micros` later (earlier when negative), saturating.
    pub fn plus(self, micros: i64) -> Timestamp {
        Timestamp(self.0.saturating_add(micros))
    }

    /// Its day in UTC: `2026-01-31`.
    pub fn day(self) -> String {
        self.to_jiff().to_zoned(jiff::tz::TimeZone::UTC).date().to_string()
    }

    /// Reads the forms that people files use: RFC 3339 (`2023-09-28T15:06:00Z`), the same with a
    /// blank and without a zone (taken as UTC), a date alone (its midnight UTC).
    ///
    /// # Errors
    /// A sentence that names the text and the forms that are understood.
    pub fn parse(text: &str) -> Result<Timestamp, TimeError> {
        let text = text.trim();
        let bad = || TimeError(text.chars().take(60).collect());
        if let Ok(t) = text.parse::<jiff::Timestamp>() {
            return Ok(Timestamp(t.as_microsecond()));
        }
        // `2023-09-28T15:06Z` has no seconds: put them in, so that one grammar is left.
        let civil_text = text.strip_suffix('Z').unwrap_or(text);
        if let Ok(civil) = civil_text.parse::<jiff::civil::DateTime>() {
            let zoned = civil.to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| bad())?;
            return Ok(Timestamp(zoned.timestamp().as_microsecond()));
        }
        Err(bad())
    }
}

/// A text that is no time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeError(pub String);

impl TimeError {
    pub fn refusal(&self) -> crate::Refusal {
        crate::refusal!(
            "time",
            "“{text}” is no time; write 2023-09-28T15:06:00Z, 2023-09-28 15:06:00 or 2023-09-28",
            text = self.0.as_str()
        )
    }
}

crate::refuses!(TimeError);

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_jiff().fmt(f)
    }
}

impl FromStr for Timestamp {
    type Err = TimeError;
    fn from_str(s: &str) -> Result<Self, TimeError> {
        Timestamp::parse(s)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        Timestamp::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// Where the time comes from. A parameter everywhere, so that tests can move it.
pub trait Clock: Send + Sync + 'static {
    /// The present instant.
    fn now(&self) -> Timestamp;
}

/// The machine's clock. It never runs backwards within a process: a clock set back must not
/// revive what has ended.
#[derive(Default)]
pub struct SystemClock {
    latest: std::sync::atomic::AtomicI64,
}

#[expect(clippy::disallowed_methods, reason = "the one place where time comes in")]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        use std::sync::atomic::Ordering::Relaxed;
        let now = jiff::Timestamp::now().as_microsecond();
        Timestamp(self.latest.fetch_max(now, Relaxed).max(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_forms_that_people_files_use() {
        for text in [
            "2023-09-28T15:06:00Z",
            "2023-09-28T15:06Z",
            "2023-09-28 15:06:00",
            "2023-09-28T17:06:00+02:00",
        ] {
            assert_eq!(Timestamp::parse(text), Ok(Timestamp(1_695_913_560_000_000)), "{text}");
        }
        assert_eq!(Timestamp::parse("2023-09-28"), Ok(Timestamp(1_695_859_200_000_000)));
        for bad in ["", "yesterday", "2023-13-01", "28.09.2023", "2023-02-30T00:00:00Z"] {
            assert!(Timestamp::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn shows_what_it_reads() {
        let t = Timestamp(1_695_913_560_000_001);
        assert_eq!(t.to_string().parse(), Ok(t));
        assert_eq!(Timestamp(i64::MAX).to_string().get(..4), Some("9999"));
    }
}
