//! What a client wants to be answered in (RFC 9110 section 12.5.1).
//!
//! 1. Without `Accept`, and with one that is not the grammar, everything is welcome.
//! 2. Of the ranges that match a type, the one that says most gives its weight; 0 is "not that".
//! 3. The type with the greatest weight is best; of equals, the one that the document names first.

use http::HeaderMap;
use http::header::ACCEPT;

use crate::input::media_range;

/// The `Accept` lines of a request.
#[derive(Clone, Copy)]
pub(crate) struct Accept<'r>(&'r HeaderMap);

/// More ranges than these are not looked at.
const MOST: usize = 64;

impl<'r> Accept<'r> {
    pub(crate) fn of(headers: &'r HeaderMap) -> Self {
        Self(headers)
    }

    /// The lines, to outlive the request.
    pub(crate) fn lines(self) -> HeaderMap {
        self.0.get_all(ACCEPT).iter().map(|line| (ACCEPT, line.clone())).collect()
    }

    /// Whether one of the types is welcome, or all are.
    pub(crate) fn takes_any(self, types: &'static [&'static str]) -> bool {
        types.is_empty() || self.names_one_of(types) || self.best(types).is_some()
    }

    /// Whether it is plainly `*/*` or one of the types, as most clients write it: there is nothing to weigh then.
    fn names_one_of(self, types: &[&str]) -> bool {
        let mut lines = self.0.get_all(ACCEPT).iter().map(http::HeaderValue::as_bytes);
        let (Some(line), None) = (lines.next(), lines.next()) else { return false };
        line == b"*/*" || types.iter().any(|media_type| media_type.as_bytes() == line)
    }

    /// The type that is liked best.
    pub(crate) fn best<'t>(self, types: &'t [&'static str]) -> Option<&'t &'static str> {
        let Some(ranges) = self.ranges() else { return types.first() };
        let weigh = |media_type: &&'static str| {
            let matching =
                ranges.iter().filter_map(|(range, weight)| Some((media_range(range, media_type)?, *weight)));
            matching.max_by_key(|(precision, _)| *precision).map_or(0, |(_, weight)| weight)
        };
        let weighed = types.iter().map(|media_type| (weigh(media_type), media_type));
        let welcome = weighed.filter(|(weight, _)| *weight > 0);
        // The first of the greatest: `max_by_key` would give the last.
        welcome
            .fold(None, |best: Option<(u16, _)>, one| match best {
                Some(best) if best.0 >= one.0 => Some(best),
                _ => Some(one),
            })
            .map(|(_, media_type)| media_type)
    }

    /// The ranges with their weights in thousandths. `None`: everything is welcome.
    fn ranges(self) -> Option<Vec<(&'r str, u16)>> {
        let mut ranges = Vec::new();
        for line in self.0.get_all(ACCEPT) {
            for element in line.to_str().ok()?.split(',').map(str::trim).filter(|one| !one.is_empty()) {
                let (range, weight) = weighted(element)?;
                if ranges.len() < MOST {
                    ranges.push((range, weight));
                }
            }
        }
        (!ranges.is_empty()).then_some(ranges)
    }
}

/// `media-range [ weight ]`: the weight is the parameter `q` (RFC 9110 section 12.4.2).
fn weighted(element: &str) -> Option<(&str, u16)> {
    let lower = |text: &str| text.trim_matches([' ', '\t']).to_ascii_lowercase();
    let at = element
        .match_indices(';')
        .find(|(at, _)| element.get(at + 1..).is_some_and(|rest| lower(rest).starts_with("q=")));
    let Some((at, _)) = at else { return Some((element, 1000)) };
    let (range, rest) = element.split_at_checked(at)?;
    let value = rest.split_once('=')?.1.split(';').next()?.trim();
    Some((range, thousandths(value)?))
}

/// `0.5` as 500: at most three decimals, at most 1.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits = decimals.len() <= 3 && decimals.bytes().all(|byte| byte.is_ascii_digit());
    let thousandths: u16 = format!("{decimals:0<3}").parse().ok().filter(|_| digits)?;
    match (whole, thousandths) {
        ("0", _) => Some(thousandths),
        ("1", 0) => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPES: &[&str] = &["application/json", "text/csv", "text/plain"];

    fn best(accept: &str) -> Option<&'static str> {
        let mut headers = HeaderMap::new();
        headers.append(ACCEPT, http::HeaderValue::from_str(accept).unwrap());
        Accept::of(&headers).best(TYPES).copied()
    }

    #[test]
    fn the_heaviest_type_is_best() {
        for (accept, expected) in [
            ("*/*", Some("application/json")),
            ("text/csv", Some("text/csv")),
            ("TEXT/CSV", Some("text/csv")),
            ("text/*", Some("text/csv")),
            ("text/*;q=0.5, text/plain", Some("text/plain")),
            ("application/json;q=0.1, text/csv;q=0.2", Some("text/csv")),
            ("*/*, application/json;q=0", Some("text/csv")),
            ("text/html, */*;q=0.1", Some("application/json")),
            ("application/json; charset=utf-8", Some("application/json")),
            ("text/html", None),
            ("*/*;q=0", None),
            ("application/xml, image/*", None),
            ("", Some("application/json")),
            ("nonsense", None),
            ("text/csv;q=2", Some("application/json")),
        ] {
            assert_eq!(best(accept), expected, "{accept}");
        }
    }

    #[test]
    fn without_accept_everything_is_welcome() {
        let headers = HeaderMap::new();
        assert!(Accept::of(&headers).takes_any(TYPES));
        assert_eq!(Accept::of(&headers).best(TYPES), TYPES.first());
    }

    #[test]
    fn weights() {
        for (text, value) in [("1", Some(1000)), ("1.000", Some(1000)), ("0.25", Some(250)), ("0", Some(0))] {
            assert_eq!(thousandths(text), value, "{text}");
        }
        for text in ["", "1.001", "0.1234", "2", "-1", "0.x", ".5"] {
            assert_eq!(thousandths(text), None, "{text}");
        }
    }
}
