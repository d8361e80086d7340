//! How long a credential is good, as people write it.

use std::str::FromStr;
use std::time::Duration;

/// `90s`, `15m`, `12h`, `90d`: the durations of the annotations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lifetime(pub(crate) Duration);

impl FromStr for Lifetime {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "write a number and s, m, h or d, e.g. `90d`";
        let unit = text.chars().next_back().ok_or(FORM)?;
        let seconds: u64 = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            _ => return Err(FORM),
        };
        let count = text.strip_suffix(unit).ok_or(FORM)?;
        if !count.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(FORM);
        }
        // A hundred years: further dates are typing errors, and later arithmetic stays far from its limits.
        match count.parse::<u64>().ok().and_then(|count| count.checked_mul(seconds)) {
            Some(0) => Err("it would be over as it begins"),
            Some(seconds) if seconds <= 36_525 * 86_400 => Ok(Self(Duration::from_secs(seconds))),
            Some(_) => Err("that is more than a hundred years"),
            None => Err(FORM),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_durations_of_the_annotations_are_read() {
        for (text, seconds) in [("90s", 90), ("15m", 900), ("12h", 43_200), ("90d", 7_776_000)] {
            assert_eq!(text.parse(), Ok(Lifetime(Duration::from_secs(seconds))), "{text}");
        }
    }

    #[test]
    fn others_are_refused() {
        for text in [
            "",
            "d",
            "0h",
            "-1d",
            "+1d",
            "1.5h",
            "10",
            "1w",
            "1 h",
            "99999999999999999999d",
            "40000d",
            "1\u{e9}",
        ] {
            assert!(text.parse::<Lifetime>().is_err(), "{text}");
        }
    }
}
