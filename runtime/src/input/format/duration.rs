//! `duration`: RFC 3339 appendix A.

use super::super::{At, Violations};
use super::checked;

/// `duration`: RFC 3339 appendix A. No signs, fractions or gaps between the units.
pub fn duration(text: &str, at: &At<'_>, out: &mut Violations) {
    checked(is_duration(text.as_bytes()), "must be a duration of RFC 3339", at, out);
}

/// `duration = "P" (dur-date / dur-time / dur-week)`
fn is_duration(text: &[u8]) -> bool {
    let Some(rest) = text.strip_prefix(b"P") else { return false };
    let time = match units(rest, b"W").filter(|rest| rest.is_empty()).or_else(|| units(rest, b"YMD")) {
        Some([]) => return true,
        Some(behind) => behind,
        None => rest,
    };
    // `dur-time = "T" (dur-hour / dur-minute / dur-second)`
    let behind = time.strip_prefix(b"T").and_then(|time| units(time, b"HMS"));
    behind.is_some_and(<[u8]>::is_empty)
}

/// One unit or several, each with its `1*DIGIT`: from the first that is there, none may be left out before the last.
fn units<'t>(text: &'t [u8], known: &[u8]) -> Option<&'t [u8]> {
    let (unit, mut rest) = counted(text)?;
    let first = known.iter().position(|known| *known == unit)?;
    for next in known.iter().skip(first + 1) {
        match counted(rest) {
            Some((unit, behind)) if unit == *next => rest = behind,
            _ => break,
        }
    }
    Some(rest)
}

/// `1*DIGIT` and the letter behind it.
fn counted(text: &[u8]) -> Option<(u8, &[u8])> {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).filter(|end| *end > 0)?;
    let (unit, rest) = text.get(end..)?.split_first()?;
    Some((*unit, rest))
}

#[cfg(test)]
mod tests {
    use super::super::tests::holds;
    use super::*;

    #[test]
    fn units_follow_each_other() {
        for text in [
            "P1Y2M3DT4H5M6S",
            "P1Y",
            "P1Y2M",
            "P1M2D",
            "P0D",
            "PT0S",
            "PT36H",
            "PT1M2S",
            "P2W",
            "P1DT5M",
            "P4YT1S",
        ] {
            assert!(holds(duration, text), "{text}");
        }
        for text in [
            "", "P", "PT", "P1", "P1S", "PT1D", "P2D1Y", "P1Y2D", "PT1H2S", "P1Y2W", "P1W2D", "P1WT1H",
            "P1DT", "P1D2T3H", "-P1D", "P-1D", "PT0.5S", "PT0,5S", " P1D", "P1D ", "p1d", "P১Y", "1Y",
        ] {
            assert!(!holds(duration, text), "{text}");
        }
    }
}
