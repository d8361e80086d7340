//! `regex`.

use super::super::{At, Violations};
use super::checked;

/// What a client may send as a pattern, in bytes: to check it takes time in the square of its groups.
const MOST: usize = 4096;

/// `regex`: a pattern of ECMA-262 with the `u` flag (section 22.2.1), of at most 4096 bytes. It is not run here; where it is,
/// its time is for who runs it to bound.
pub fn regex(text: &str, at: &At<'_>, out: &mut Violations) {
    let holds = text.len() <= MOST && jsonschema_regex::is_valid_ecma_regex(text);
    checked(holds, "must be a regular expression of ECMA-262", at, out);
}

#[cfg(test)]
mod tests {
    use super::super::tests::holds;
    use super::*;

    #[test]
    fn patterns_of_ecma_262() {
        for text in
            ["", "^a[b-d]+$", "(?<n>a)\\k<n>", "(?<=a+)b", "(?!a)b", "\\p{L}", "\\u{1F600}", "a{2,3}?"]
        {
            assert!(holds(regex, text), "{text}");
        }
        for text in [
            "(",
            "[",
            "a**",
            "^\\S(|(.|\\n)*\\S)\\Z",
            "(?P<name>x)",
            "(?#c)a",
            "\\a",
            "a{3,2}",
            "[b-a]",
            "\\2(a)",
            "\\",
            "(?<é",
        ] {
            assert!(!holds(regex, text), "{text}");
        }
    }

    #[test]
    fn long_ones_are_refused() {
        assert!(holds(regex, &"a".repeat(MOST)));
        assert!(!holds(regex, &"a".repeat(MOST + 1)));
        assert!(!holds(regex, &"(".repeat(1 << 20)));
        assert!(!holds(regex, &"(?<a>".repeat(MOST / 5)));
    }
}
