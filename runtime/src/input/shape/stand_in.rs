//! What stands for a file where a form is held against a schema. To the schema a file is a string (OpenAPI 3.1 section
//! 4.8.14.3), and bytes have none: a string stands there that no client can send, and that says how many they are.
//!
//! It is of the type `string`, its length is that of the file in bytes, and it is no text: no pattern, no format and no value
//! of the document describes it. It never leaves the check: what a handler gets is the file.

use std::hash::{BuildHasher, RandomState};
use std::ops::RangeInclusive;
use std::sync::LazyLock;

use super::super::{At, Upload, Violations, size};
use super::Keyword;
use super::told::Told;
use crate::input::Octets;

/// Random for each process, as the keys of `canonical` are.
static MARK: LazyLock<String> = LazyLock::new(|| {
    let random = || RandomState::new().hash_one("file");
    format!("\0{:016x}{:016x} ", random(), random())
});

/// The string for a file. Two files have two.
pub(super) fn stand_in(file: &Upload) -> String {
    format!("{}{} {file:p}", *MARK, file.octets())
}

/// How many bytes the file has that a text stands for, if it does.
pub(super) fn stands_for(text: &str) -> Option<usize> {
    // the first byte tells nearly all others apart
    let length = text.strip_prefix('\0').and_then(|_| text.strip_prefix(&**MARK))?;
    length.split_once(' ')?.0.parse().ok()
}

/// A keyword of strings over a file of so many bytes.
pub(super) fn check(keyword: &Keyword, bytes: usize, at: &At<'_>, told: &mut Told<'_>) {
    let counted = |allowed: RangeInclusive<usize>| move |out: &mut Violations| size(&bytes, allowed, at, out);
    match keyword {
        Keyword::Length(min, max) => told.run(counted(*min..=*max)),
        Keyword::Pattern(_) => told.broken(at, "pattern", "must be text, and not a file"),
        Keyword::Format(_) => told.broken(at, "format", "must be text, and not a file"),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_how_long_the_file_is_and_is_nothing_else() {
        let (one, other) = (Upload::new(vec![0xff; 70]), Upload::new(vec![0xff; 70]));
        assert_eq!(stands_for(&stand_in(&one)), Some(70));
        assert_ne!(stand_in(&one), stand_in(&other));
        for text in ["", "70", "\0", "\0 70 ", "\u{0}00000000000000000000000000000000 70 0x0"] {
            assert_eq!(stands_for(text), None, "{text:?}");
        }
    }
}
