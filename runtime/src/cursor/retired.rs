//! When a key of cursors seals no more, and from when on it opens none.
//!
//! 1. An entry of the list may say from when on nobody seals by its key: `id:base64:2026-12-01T00:00:00Z`. The first seals,
//!    and says none.
//! 2. A cursor lives for the `ttl` of its list. So that long after its time a key opens nothing: what it opened then was
//!    sealed by somebody who should not have it. Before, it opens all that was sealed in time.
//! 3. The log of a start says which keys open for longer than that: those without a time, and those whose time is further away
//!    than it takes to start every server again.

use std::time::Duration;

use zeroize::Zeroizing;

use super::keys::CursorKeyError;
use crate::types::Timestamp;

/// By then every server was started again with the new list.
const SOON: Duration = Duration::from_secs(7 * 24 * 3600);

/// The list without its times, and the time of each entry in seconds since 1970.
pub(super) fn split(list: &str) -> Result<(Zeroizing<String>, Vec<Option<u64>>), CursorKeyError> {
    let mut keys = Zeroizing::new(String::with_capacity(list.len()));
    let mut times = Vec::new();
    for (number, entry) in (1..).zip(super::keys::entries(list)) {
        let (key, time) = match entry.match_indices(':').nth(1).and_then(|(at, _)| entry.split_at_checked(at))
        {
            Some((key, time)) => (key, Some(read(time).ok_or(CursorKeyError::Retired(number))?)),
            None => (entry, None),
        };
        if number == 1 && time.is_some() {
            return Err(CursorKeyError::Retired(number)); // 1
        }
        keys.push_str(key);
        keys.push(' ');
        times.push(time);
    }
    Ok((keys, times))
}

/// With the colon before it.
fn read(time: &str) -> Option<u64> {
    let time: Timestamp = time.strip_prefix(':')?.parse().ok()?;
    u64::try_from(time.as_second()).ok()
}

/// Rule 2, for a list whose cursors live so long.
pub(super) fn opens(retired: Option<u64>, ttl: Duration, now: u64) -> bool {
    retired.is_none_or(|time| now < time.saturating_add(ttl.as_secs()))
}

/// Rule 3, of a key that is not the first.
pub(super) fn outlives(retired: Option<u64>, now: u64) -> bool {
    retired.is_none_or(|time| time > now.saturating_add(SOON.as_secs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TTL: Duration = Duration::from_secs(900);
    const NOW: u64 = 1_800_000_000; // 2027-01-15T08:00:00Z

    #[test]
    fn an_entry_says_from_when_on_nobody_seals_by_it() {
        let (keys, times) = split("new:AAAA,\nold:BBBB:2027-01-15T08:00:00Z oldest:CC==").unwrap();
        assert_eq!(keys.as_str(), "new:AAAA old:BBBB oldest:CC== ");
        assert_eq!(times, [None, Some(NOW), None]);
        for (list, number) in [
            ("new:AAAA:2027-01-15T08:00:00Z", 1), // nothing would seal
            ("new:AAAA old:BBBB:", 2),
            ("new:AAAA old:BBBB:tomorrow", 2),
            ("new:AAAA old:BBBB:2027-01-15", 2),
            ("new:AAAA old:BBBB:1960-01-15T08:00:00Z", 2),
        ] {
            assert_eq!(split(list).unwrap_err(), CursorKeyError::Retired(number), "{list}");
        }
    }

    #[test]
    fn a_key_opens_for_as_long_as_what_was_sealed_in_time_lives() {
        assert!(opens(None, TTL, u64::MAX));
        assert!(opens(Some(NOW), TTL, NOW - 1) && opens(Some(NOW), TTL, NOW + 899));
        assert!(!opens(Some(NOW), TTL, NOW + 900));
    }

    #[test]
    fn a_key_without_a_time_and_one_of_a_far_time_are_told_of() {
        assert!(outlives(None, NOW) && outlives(Some(NOW + 8 * 24 * 3600), NOW));
        assert!(!outlives(Some(NOW), NOW) && !outlives(Some(NOW + 24 * 3600), NOW));
    }
}
