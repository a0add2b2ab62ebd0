//! Timestamps as text without allocation: a people export writes several per row.

use super::{Dialect, TimestampText, Zone};

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400;

/// Appends `micros` (microseconds since 1970-01-01T00:00:00Z) as `2023-09-28T15:06:00Z`, the form
/// of the default dialect. Fractions are cut towards the past; years beyond four digits keep all
/// their digits, years before 0 get a minus sign.
pub fn write_timestamp(micros: i64, out: &mut Vec<u8>) {
    let seconds = micros.div_euclid(SECOND);
    date(seconds.div_euclid(DAY), b'-', out);
    out.push(b'T');
    clock(seconds.rem_euclid(DAY), out);
    out.push(b'Z');
}

/// Writes timestamps in one dialect's form and zone. Keeps the zone's current offset between calls,
/// so that a named zone costs a tz lookup only when a value crosses a change of its offset.
#[derive(Clone, Debug)]
pub struct TimestampWriter {
    text: TimestampText,
    utc: bool,
    zone: Option<jiff::tz::TimeZone>,
    offset: i64,
    holds_from: i64,
    holds_until: i64,
}

impl TimestampWriter {
    /// For `dialect`'s `timestamps` and `zone`.
    #[must_use]
    pub fn new(dialect: &Dialect) -> Self {
        let (zone, offset) = match &dialect.zone {
            Zone::Utc => (None, 0),
            Zone::Offset(minutes) => (None, i64::from(*minutes) * 60),
            // A ZoneName exists only if the bundled database knows it.
            Zone::Named(name) => (jiff::tz::TimeZoneDatabase::bundled().get(name.as_str()).ok(), 0),
        };
        let (holds_from, holds_until) =
            if zone.is_some() { (i64::MAX, i64::MIN) } else { (i64::MIN, i64::MAX) };
        let utc = dialect.zone == Zone::Utc;
        Self { text: dialect.timestamps, utc, zone, offset, holds_from, holds_until }
    }

    /// Appends `micros` (microseconds since 1970-01-01T00:00:00Z).
    pub fn write(&mut self, micros: i64, out: &mut Vec<u8>) {
        let seconds = micros.div_euclid(SECOND);
        let fraction = micros.rem_euclid(SECOND);
        if seconds < self.holds_from || seconds >= self.holds_until {
            self.look_up(seconds);
        }
        let local = seconds.saturating_add(self.offset);
        let (day, time) = (local.div_euclid(DAY), local.rem_euclid(DAY));
        match self.text {
            TimestampText::Iso8601
            | TimestampText::Iso8601Millis
            | TimestampText::Iso8601Micros => {
                date(day, b'-', out);
                out.push(b'T');
                clock(time, out);
                match self.text {
                    TimestampText::Iso8601Millis => padded(fraction / 1000, 3, out),
                    TimestampText::Iso8601Micros => padded(fraction, 6, out),
                    _ => {}
                }
                self.suffix(out);
            }
            TimestampText::Space | TimestampText::SpaceMicros | TimestampText::SpaceFraction => {
                date(day, b'-', out);
                out.push(b' ');
                clock(time, out);
                if self.text == TimestampText::SpaceMicros {
                    padded(fraction, 6, out);
                } else if self.text == TimestampText::SpaceFraction && fraction != 0 {
                    let (mut value, mut digits) = (fraction, 6);
                    while value % 10 == 0 {
                        value /= 10;
                        digits -= 1;
                    }
                    padded(value, digits, out);
                }
            }
            TimestampText::Date => date(day, b'-', out),
            TimestampText::UsDate => us_date(day, out),
            TimestampText::UsMinutes => {
                us_date(day, out);
                out.push(b' ');
                let (hour, minute) = (time / 3600, time / 60 % 60);
                number(if hour % 12 == 0 { 12 } else { hour % 12 }, out);
                out.push(b':');
                two(minute, out);
                out.extend_from_slice(if hour < 12 { b" AM" } else { b" PM" });
            }
            TimestampText::SlashMinutes => {
                date(day, b'/', out);
                out.push(b' ');
                two(time / 3600, out);
                out.push(b':');
                two(time / 60 % 60, out);
            }
            TimestampText::EpochSeconds => number(seconds, out),
            TimestampText::EpochMillis => number(micros.div_euclid(1000), out),
        }
    }

    fn suffix(&self, out: &mut Vec<u8>) {
        if self.utc {
            out.push(b'Z');
            return;
        }
        out.push(if self.offset < 0 { b'-' } else { b'+' });
        let minutes = self.offset.abs() / 60;
        two(minutes / 60, out);
        out.push(b':');
        two(minutes % 60, out);
    }

    /// The offset that holds at `seconds`, and from when until when it does.
    fn look_up(&mut self, seconds: i64) {
        let Some(zone) = &self.zone else { return };
        // Beyond jiff's years −9999 to 9999 the offset at their end holds: a text must not depend on
        // what was written before it.
        let (first, last) = (jiff::Timestamp::MIN.as_second(), jiff::Timestamp::MAX.as_second());
        let seconds = seconds.clamp(first, last);
        let Ok(instant) = jiff::Timestamp::from_second(seconds) else { return };
        self.offset = i64::from(zone.to_offset(instant).seconds());
        self.holds_until =
            zone.following(instant).next().map_or(i64::MAX, |next| next.timestamp().as_second());
        let after = jiff::Timestamp::from_second(seconds.saturating_add(1)).unwrap_or(instant);
        self.holds_from = zone
            .preceding(after)
            .next()
            .map_or(i64::MIN, |previous| previous.timestamp().as_second());
    }
}

fn two(value: i64, out: &mut Vec<u8>) {
    let value = (value % 100) as u8;
    out.extend_from_slice(&[b'0' + value / 10, b'0' + value % 10]);
}

/// `.` and `value` in exactly `digits` digits.
fn padded(mut value: i64, digits: usize, out: &mut Vec<u8>) {
    let mut text = [b'0'; 6];
    let digits = digits.min(text.len());
    for place in text[..digits].iter_mut().rev() {
        *place = b'0' + (value % 10) as u8;
        value /= 10;
    }
    out.push(b'.');
    out.extend_from_slice(&text[..digits]);
}

fn number(value: i64, out: &mut Vec<u8>) {
    let mut text = [0_u8; 20];
    let mut at = text.len();
    let mut rest = value.unsigned_abs();
    loop {
        at -= 1;
        text[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&text[at..]);
}

#[inline]
fn date(day: i64, between: u8, out: &mut Vec<u8>) {
    let (year, month, day) = civil(day);
    if !(0..=9999).contains(&year) {
        number(year, out);
        out.push(between);
        two(month, out);
        out.push(between);
        two(day, out);
        return;
    }
    let (century, year) = ((year / 100) as u8, (year % 100) as u8);
    let (month, day) = (month as u8, day as u8);
    out.extend_from_slice(&[
        b'0' + century / 10,
        b'0' + century % 10,
        b'0' + year / 10,
        b'0' + year % 10,
        between,
        b'0' + month / 10,
        b'0' + month % 10,
        between,
        b'0' + day / 10,
        b'0' + day % 10,
    ]);
}

fn us_date(day: i64, out: &mut Vec<u8>) {
    let (year, month, day) = civil(day);
    number(month, out);
    out.push(b'/');
    number(day, out);
    out.push(b'/');
    number(year, out);
}

#[inline]
fn clock(time: i64, out: &mut Vec<u8>) {
    let time = time as u32;
    let (hour, minute, second) = ((time / 3600) as u8, (time / 60 % 60) as u8, (time % 60) as u8);
    out.extend_from_slice(&[
        b'0' + hour / 10,
        b'0' + hour % 10,
        b':',
        b'0' + minute / 10,
        b'0' + minute % 10,
        b':',
        b'0' + second / 10,
        b'0' + second % 10,
    ]);
}

/// Year, month and day of a day number since 1970-01-01 in the proleptic Gregorian calendar
/// (Howard Hinnant, "chrono-compatible low-level date algorithms", `civil_from_days`).
#[inline]
fn civil(day: i64) -> (i64, i64, i64) {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097) as u32;
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = i64::from(year_of_era) + era * 400 + i64::from(month <= 2);
    (year, i64::from(month), i64::from(day))
}
