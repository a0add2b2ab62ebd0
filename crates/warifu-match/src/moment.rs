//! Reading instants from text, fast enough for several per row.

const SECOND: i64 = 1_000_000;

/// Microseconds since 1970-01-01T00:00:00Z of `2023-09-28`, `2023/09/28`, either followed by ` ` or
/// `T` and `15:06`, `15:06:07` or `15:06:07.123456`, and by nothing (taken as UTC), `Z`, `+09`,
/// `+0900` or `+09:00`. `None` for anything else, impossible dates included.
pub fn parse_moment(text: &[u8]) -> Option<i64> {
    let (date, rest) = text.split_at_checked(10)?;
    let &[y0, y1, y2, y3, s0, m0, m1, s1, d0, d1] = date else { return None };
    if s0 != s1 || (s0 != b'-' && s0 != b'/') {
        return None;
    }
    let year = i64::from(pair(y0, y1)?) * 100 + i64::from(pair(y2, y3)?);
    let (month, day) = (pair(m0, m1)?, pair(d0, d1)?);
    if !(1..=12).contains(&month) || day < 1 || day > month_days(year, month) {
        return None;
    }
    let midnight = days(year, i64::from(month), i64::from(day)) * 86_400 * SECOND;
    let Some((&separator, rest)) = rest.split_first() else { return Some(midnight) };
    if separator != b' ' && separator != b'T' {
        return None;
    }
    let (&[h0, h1, b':', n0, n1], mut rest) = rest.split_first_chunk::<5>()? else { return None };
    let (hour, minute) = (pair(h0, h1)?, pair(n0, n1)?);
    let mut second = 0;
    let mut fraction = 0;
    if let [b':', t0, t1, tail @ ..] = rest {
        second = pair(*t0, *t1)?;
        rest = tail;
        if let [b'.', tail @ ..] = rest {
            let digits = tail.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if digits == 0 {
                return None;
            }
            for place in 0..6 {
                let digit =
                    if place < digits { tail.get(place).map_or(0, |d| d - b'0') } else { 0 };
                fraction = fraction * 10 + i64::from(digit);
            }
            rest = tail.get(digits..)?;
        }
    }
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let offset = match rest {
        [] | [b'Z'] => 0,
        [sign @ (b'+' | b'-'), h0, h1] => signed(*sign, pair(*h0, *h1)?, 0),
        [sign @ (b'+' | b'-'), h0, h1, b':', n0, n1] | [sign @ (b'+' | b'-'), h0, h1, n0, n1] => {
            signed(*sign, pair(*h0, *h1)?, pair(*n0, *n1)?)
        }
        _ => return None,
    };
    let clock = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
    Some(midnight + (clock - offset) * SECOND + fraction)
}

fn signed(sign: u8, hours: u8, minutes: u8) -> i64 {
    let seconds = i64::from(hours) * 3600 + i64::from(minutes) * 60;
    if sign == b'-' { -seconds } else { seconds }
}

#[inline]
fn pair(tens: u8, ones: u8) -> Option<u8> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then(|| tens * 10 + ones)
}

fn month_days(year: i64, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days from 1970-01-01 (Howard Hinnant, "chrono-compatible low-level date algorithms").
pub(crate) fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month = (month + 9) % 12;
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Year of an instant, in UTC.
pub(crate) fn year_of(micros: i64) -> i64 {
    let day = micros.div_euclid(86_400 * SECOND);
    let guess = 1970 + day.div_euclid(366);
    let mut year = guess;
    while days(year + 1, 1, 1) <= day {
        year += 1;
    }
    while days(year, 1, 1) > day {
        year -= 1;
    }
    year
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn reads_the_usual_forms() {
        let noon = 1_695_913_560_000_000;
        for text in [
            "2023-09-28T15:06:00Z",
            "2023-09-28 15:06",
            "2023/09/28 15:06:00.000000",
            "2023-09-29T00:06:00+09:00",
            "2023-09-28 08:06:00-07",
        ] {
            assert_eq!(parse_moment(text.as_bytes()), Some(noon), "{text}");
        }
        assert_eq!(parse_moment(b"2023-09-28T15:06:00.5Z"), Some(noon + 500_000));
        assert_eq!(parse_moment(b"1970-01-01"), Some(0));
        assert_eq!(year_of(noon), 2023);
        assert_eq!(year_of(-1), 1969);
    }

    #[test]
    fn refuses_what_is_no_date() {
        let texts = ["", "2023-02-29", "2023-13-01", "2023-09-28T25:00", "20230928", "2023-09-28x"];
        // What is below or far above a digit is no digit either.
        for text in texts.into_iter().chain(["2 23-09-28", "\u{1}023-09-28", "202\u{7f}-09-28"]) {
            assert_eq!(parse_moment(text.as_bytes()), None, "{text}");
        }
    }
}
