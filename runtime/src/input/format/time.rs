//! `date-time`, `date` and `time`: the grammar of RFC 3339 section 5.6 first, then `jiff`, whose own parser takes much more
//! (a space for the `T`, zone names in brackets, basic format, commas).

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::Offset;

use super::super::{At, Expected, FromText, Violations};
use super::checked;

impl FromText for Timestamp {
    /// The instant, whatever offset it is written with. A leap second reads as the second before it, because instants
    /// are counted without them.
    fn from_text(text: &str) -> Result<Self, Expected> {
        date_time(text.as_bytes()).ok_or(Expected::format("must be a date and time of RFC 3339"))
    }
}

impl FromText for Date {
    fn from_text(text: &str) -> Result<Self, Expected> {
        const WRONG: Expected = Expected::format("must be a date of RFC 3339");
        match full_date(text.as_bytes()) {
            Some((date, [])) => Ok(date),
            _ => Err(WRONG),
        }
    }
}

/// `time`: RFC 3339 section 5.6, `full-time`, which has an offset. It stays text: no type of Rust holds the two.
pub fn time(text: &str, at: &At<'_>, out: &mut Violations) {
    checked(full_time(text.as_bytes()).is_some(), "must be a time of RFC 3339 with its offset", at, out);
}

/// `date-time = full-date "T" full-time`
fn date_time(text: &[u8]) -> Option<Timestamp> {
    let (date, rest) = full_date(text)?;
    let rest = match rest {
        [b'T' | b't', rest @ ..] => rest,
        _ => return None,
    };
    let (time, offset) = full_time(rest)?;
    Offset::from_seconds(offset).ok()?.to_timestamp(date.to_datetime(time)).ok()
}

/// `full-time = partial-time time-offset`, the offset in seconds.
fn full_time(text: &[u8]) -> Option<(Time, i32)> {
    let [h1, h2, b':', m1, m2, b':', s1, s2, rest @ ..] = text else { return None };
    let (hour, minute, second) = (two(*h1, *h2)?, two(*m1, *m2)?, two(*s1, *s2)?);
    let (nanosecond, rest) = fraction(rest)?;
    let offset = offset(rest)?;
    // RFC 3339 section 5.7: `60` is a leap second, which is inserted at the end of a UTC day.
    let leap = second == 60;
    let in_utc = (i32::from(hour) * 60 + i32::from(minute)) * 60 + 59 - offset;
    let last_second_of_a_day = in_utc.rem_euclid(86_400) == 86_399;
    let time = Time::new(hour, minute, if leap { 59 } else { second }, nanosecond).ok()?;
    (!leap || last_second_of_a_day).then_some((time, offset))
}

/// `full-date = date-fullyear "-" date-month "-" date-mday`
fn full_date(text: &[u8]) -> Option<(Date, &[u8])> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, rest @ ..] = text else { return None };
    let year = i16::from(two(*y1, *y2)?) * 100 + i16::from(two(*y3, *y4)?);
    Some((Date::new(year, two(*m1, *m2)?, two(*d1, *d2)?).ok()?, rest))
}

/// `time-secfrac = "." 1*DIGIT`, as many digits as there are. Instants hold nine of them: the rest is cut off, not rounded.
fn fraction(text: &[u8]) -> Option<(i32, &[u8])> {
    let [b'.', rest @ ..] = text else { return Some((0, text)) };
    let end = rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
    let (digits, rest) = rest.split_at_checked(end)?;
    if digits.is_empty() {
        return None;
    }
    let padded = digits.iter().copied().chain(std::iter::repeat(b'0')).take(9);
    Some((padded.fold(0, |sum, digit| sum * 10 + i32::from(digit - b'0')), rest))
}

/// `time-offset = "Z" / time-numoffset`, in seconds. `-00:00` is allowed (section 4.3).
fn offset(text: &[u8]) -> Option<i32> {
    match text {
        [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (two(*h1, *h2)?, two(*m1, *m2)?);
            let seconds = (i32::from(hours) * 60 + i32::from(minutes)) * 60;
            let known = hours <= 23 && minutes <= 59;
            known.then_some(if *sign == b'-' { -seconds } else { seconds })
        }
        _ => None,
    }
}

fn two(tens: u8, ones: u8) -> Option<i8> {
    let digit = |byte: u8| byte.is_ascii_digit().then_some(byte.wrapping_sub(b'0')).map(u8::cast_signed);
    Some(digit(tens)? * 10 + digit(ones)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(text: &str) -> Option<String> {
        Timestamp::from_text(text).ok().map(|instant| instant.to_string())
    }

    #[test]
    fn date_times_keep_their_instant() {
        for (text, utc) in [
            ("1985-04-12T23:20:50Z", "1985-04-12T23:20:50Z"),
            ("1985-04-12t23:20:50.52z", "1985-04-12T23:20:50.52Z"),
            ("1996-12-19T16:39:57-08:00", "1996-12-20T00:39:57Z"),
            ("2020-01-01T00:30:00+01:30", "2019-12-31T23:00:00Z"),
            ("2020-01-01T00:00:00-00:00", "2020-01-01T00:00:00Z"),
            ("1985-04-12T00:59:59.999999999999999Z", "1985-04-12T00:59:59.999999999Z"),
            ("2024-02-29T00:00:00+23:59", "2024-02-28T00:01:00Z"),
        ] {
            assert_eq!(instant(text).as_deref(), Some(utc), "{text}");
        }
    }

    #[test]
    fn leap_seconds_come_at_the_end_of_a_utc_day() {
        assert_eq!(instant("1998-12-31T23:59:60Z").as_deref(), Some("1998-12-31T23:59:59Z"));
        assert_eq!(instant("1990-12-31T15:59:60.123-08:00").as_deref(), Some("1990-12-31T23:59:59.123Z"));
        assert_eq!(instant("1998-12-31T23:58:60Z"), None);
        assert_eq!(instant("1998-12-31T22:59:60Z"), None);
        assert_eq!(instant("1990-12-31T23:59:60-08:00"), None);
        assert_eq!(instant("1998-12-31T23:59:61Z"), None);
    }

    #[test]
    fn other_forms_are_refused() {
        for text in [
            "",
            "1985-04-12",
            "1985-04-12 23:20:50Z",
            "1985-04-12T23:20:50",
            "1985-04-12T23:20Z",
            "1985-04-12T24:00:00Z",
            "1985-04-12T23:20:50+01",
            "1985-04-12T23:20:50+0100",
            "1985-04-12T23:20:50+24:00",
            "1985-04-12T23:20:50+01:60",
            "1985-04-12T23:20:50,5Z",
            "1985-04-12T23:20:50.Z",
            "1985-04-12T23:20:50Z\n",
            "19850412T232050Z",
            "1985-02-29T00:00:00Z",
            "1985-13-01T00:00:00Z",
            "1985-00-01T00:00:00Z",
            "+001985-04-12T23:20:50Z",
            "1985-04-12T23:20:50+01:00[Europe/Paris]",
            "1985-04-1\u{662}T23:20:50Z",
            "1985-W15-5T23:20:50Z",
            "1985-102T23:20:50Z",
            "1985-04-12T1:20:50Z",
            "9999-12-31T23:59:59-23:59",
        ] {
            assert_eq!(instant(text), None, "{text}");
        }
    }

    #[test]
    fn times_have_an_offset() {
        use super::super::tests::holds;
        for text in [
            "08:30:06.283185Z",
            "00:00:00z",
            "12:34:56-00:00",
            "23:59:60Z",
            "15:59:60-08:00",
            "00:29:60+00:30",
        ] {
            assert!(holds(time, text), "{text}");
        }
        for text in [
            "",
            "12:34:56",
            "12:34Z",
            "8:3:6Z",
            "24:00:00Z",
            "12:60:00Z",
            "23:59:61Z",
            "23:58:60Z",
            "23:59:60+00:30",
            "12:34:56+24:00",
            "12:34:56+00:60",
            "12:34:56Z+00:30",
            "12:34:56+0030",
            "12:34:56 Z",
            "12:34:56.Z",
            "2020-11-28T23:55:45Z",
            "1\u{662}:00:00Z",
        ] {
            assert!(!holds(time, text), "{text}");
        }
    }

    #[test]
    fn dates() {
        assert_eq!(Date::from_text("2024-02-29").map(|date| date.to_string()), Ok("2024-02-29".to_owned()));
        for text in [
            "",
            "2023-02-29",
            "2024-2-29",
            "20240229",
            "2024-02-29\0",
            "2024-02-29T",
            "24-02-29",
            "2024/02/29",
            "2024-060",
        ] {
            assert!(Date::from_text(text).is_err(), "{text}");
        }
    }
}
