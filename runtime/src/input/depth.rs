//! How deep a body may nest: counted before the recursion that it bounds.

use serde::de;

/// How many arrays and objects may still open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Depth {
    left: usize,
    shaped: bool,
}

impl Depth {
    /// `serde_json` stops here by itself, so no document can allow more.
    pub const MOST: Self = Self { left: 127, shaped: false };

    /// This many levels, or as many as can ever be read.
    #[must_use]
    pub const fn of(levels: usize) -> Self {
        if levels < Self::MOST.left { Self { left: levels, shaped: false } } else { Self::MOST }
    }

    /// The same inside a value that was held against its schema as a whole: nothing in it is held against one again.
    pub(super) const fn in_shaped(self) -> Self {
        Self { left: self.left, shaped: true }
    }

    /// Whether the value around was held against its schema as a whole.
    pub(super) const fn is_shaped(self) -> bool {
        self.shaped
    }

    /// One level further down.
    ///
    /// # Errors
    /// When there is no level left.
    #[inline]
    pub fn enter<E: de::Error>(self) -> Result<Self, E> {
        match self.left.checked_sub(1) {
            Some(left) => Ok(Self { left, shaped: self.shaped }),
            None => Err(E::custom("nested too deep")),
        }
    }

    /// Whether `text` nowhere opens more levels than these, whatever else is wrong with it. Does not recurse.
    pub(crate) fn holds(self, text: &str) -> bool {
        let (mut open, mut in_string, mut escaped) = (0_usize, false, false);
        for byte in text.bytes() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if in_string => escaped = true,
                b'"' => in_string = !in_string,
                _ if in_string => {}
                b'[' | b'{' => {
                    open += 1;
                    if open > self.left {
                        return false;
                    }
                }
                b']' | b'}' => open = open.saturating_sub(1),
                _ => {}
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_open_brackets_outside_strings() {
        let two = Depth::of(2);
        assert!(two.holds(r#"{"a":[1,2],"b":[3]}"#));
        assert!(!two.holds(r#"{"a":[[1]]}"#));
        assert!(two.holds(r#"{"a":"[[[\"[[["}"#));
        assert!(!two.holds("[[["));
        assert!(Depth::of(0).holds("1") && !Depth::of(0).holds("[]"));
    }

    #[test]
    fn never_allows_more_than_can_be_read() {
        assert_eq!(Depth::of(usize::MAX), Depth::MOST);
        assert!(Depth::MOST.holds(&"[".repeat(127)) && !Depth::MOST.holds(&"[".repeat(128)));
    }
}
