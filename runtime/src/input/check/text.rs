//! `minLength` and `maxLength`.

use std::ops::RangeInclusive;

use bytes::Bytes;

use super::super::{At, Upload, Violations};
use super::list::count;

/// `minLength` and `maxLength`: JSON Schema counts characters (code points), neither bytes nor UTF-16.
#[inline]
pub fn length(text: &str, allowed: RangeInclusive<usize>, at: &At<'_>, out: &mut Violations) {
    // A character is one to four bytes: most texts need no counting.
    if text.len() <= *allowed.end() && text.len().div_ceil(4) >= *allowed.start() {
        return;
    }
    count(text.chars().count(), &allowed, ["minLength", "maxLength"], "characters", at, out);
}

/// The same of bytes: OpenAPI counts octets there (3.1 section 4.8.24.4).
pub fn size(bytes: &impl Octets, allowed: RangeInclusive<usize>, at: &At<'_>, out: &mut Violations) {
    count(bytes.octets(), &allowed, ["minLength", "maxLength"], "bytes", at, out);
}

/// What has bytes to be counted.
pub trait Octets {
    /// How many.
    fn octets(&self) -> usize;
}

/// So many of them.
impl Octets for usize {
    fn octets(&self) -> usize {
        *self
    }
}

impl Octets for Bytes {
    fn octets(&self) -> usize {
        self.len()
    }
}

impl Octets for Upload {
    fn octets(&self) -> usize {
        usize::try_from(self.len()).unwrap_or(usize::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str, allowed: RangeInclusive<usize>) -> Option<&'static str> {
        let mut out = Violations::new();
        length(text, allowed, &At::root(), &mut out);
        out.iter().map(|violation| violation.rule).next()
    }

    #[test]
    fn counts_characters() {
        assert_eq!(rule("💩💩", 2..=2), None); // eight bytes, four UTF-16 units
        assert_eq!(rule("💩💩", 3..=9), Some("minLength"));
        assert_eq!(rule("💩💩💩", 0..=2), Some("maxLength"));
        assert_eq!(rule("äöü", 0..=3), None);
        assert_eq!(rule("abc", 3..=3), None);
        assert_eq!(rule("ab", 3..=3), Some("minLength"));
        assert_eq!(rule("abcd", 3..=3), Some("maxLength"));
        assert_eq!(rule("", 1..=usize::MAX), Some("minLength"));
        assert_eq!(rule("a", 1..=usize::MAX), None);
    }
}
