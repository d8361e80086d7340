//! Durations `250ms 10s 5m 24h 90d`, sizes `64KiB 2MiB`, rates `100/1m`.

use std::time::Duration;

pub(crate) const DURATION_HELP: &str = "a duration such as `250ms`, `10s`, `5m`, `24h` or `90d`";

/// More than a year is a mistake.
const LONGEST: Duration = Duration::from_secs(400 * 24 * 3600);

/// A duration greater than zero.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = split(text)?;
    let duration = match unit {
        "ms" => Duration::from_millis(number),
        "s" => Duration::from_secs(number),
        "m" => Duration::from_secs(number.checked_mul(60)?),
        "h" => Duration::from_secs(number.checked_mul(3600)?),
        "d" => Duration::from_secs(number.checked_mul(86_400)?),
        _ => return None,
    };
    (!duration.is_zero() && duration <= LONGEST).then_some(duration)
}

/// A duration, or `0s`.
pub(crate) fn duration_or_zero(text: &str) -> Option<Duration> {
    if text == "0s" { Some(Duration::ZERO) } else { duration(text) }
}

/// A size in bytes, greater than zero.
pub(crate) fn size(text: &str) -> Option<usize> {
    let (number, unit) = split(text)?;
    let factor = match unit {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    // 4 GiB is more than any body that fits a JSON tree in memory
    let bytes = number.checked_mul(factor).filter(|bytes| (1..=4 << 30).contains(bytes))?;
    usize::try_from(bytes).ok()
}

/// How many in which time.
pub(crate) fn rate(text: &str) -> Option<(u32, Duration)> {
    let (quota, window) = text.split_once('/')?;
    let quota = digits(quota)?;
    let quota = u32::try_from(quota).ok().filter(|quota| *quota > 0)?;
    Some((quota, duration(window)?))
}

fn split(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|char: char| !char.is_ascii_digit())?;
    Some((digits(text.get(..end)?)?, text.get(end..)?))
}

fn digits(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(duration("250ms"), Some(Duration::from_millis(250)));
        assert_eq!(duration("24h"), Some(Duration::from_secs(86_400)));
        assert_eq!(duration("90d"), Some(Duration::from_secs(90 * 86_400)));
        for wrong in
            ["", "10", "s", "0s", "-1s", "1.5s", "10 s", "10S", "5min", "99999999999999999999s", "5000d"]
        {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
        assert_eq!(duration_or_zero("0s"), Some(Duration::ZERO));
    }

    #[test]
    fn sizes() {
        assert_eq!(size("64KiB"), Some(65_536));
        assert_eq!(size("2MiB"), Some(2 << 20));
        for wrong in ["64", "64KB", "0B", "1TiB", "99999999GiB"] {
            assert_eq!(size(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn rates() {
        assert_eq!(rate("100/1m"), Some((100, Duration::from_secs(60))));
        for wrong in ["100", "0/1m", "100/m", "100/0s", "/1m", "99999999999/1s", "-1/1s"] {
            assert_eq!(rate(wrong), None, "{wrong}");
        }
    }
}
