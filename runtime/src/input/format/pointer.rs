//! `json-pointer` and `relative-json-pointer`.

use super::super::{At, Violations};
use super::checked;

/// `json-pointer`: RFC 6901 section 3. Not the form in a URI fragment (section 6).
pub fn json_pointer(text: &str, at: &At<'_>, out: &mut Violations) {
    checked(is_pointer(text), "must be a JSON pointer", at, out);
}

/// `relative-json-pointer`: draft-handrews-relative-json-pointer-01 section 3.
pub fn relative_json_pointer(text: &str, at: &At<'_>, out: &mut Violations) {
    let levels = text.bytes().take_while(u8::is_ascii_digit).count();
    let holds = text.split_at_checked(levels).is_some_and(|(levels, rest)| {
        let counts = levels == "0" || (!levels.is_empty() && !levels.starts_with('0'));
        counts && (rest == "#" || is_pointer(rest))
    });
    checked(holds, "must be a relative JSON pointer", at, out);
}

/// `json-pointer = *( "/" reference-token )`, in which `~` is `~0` or `~1`.
fn is_pointer(text: &str) -> bool {
    let mut tildes = text.split('~').skip(1);
    (text.is_empty() || text.starts_with('/')) && tildes.all(|behind| behind.starts_with(['0', '1']))
}

#[cfg(test)]
mod tests {
    use super::super::tests::holds;
    use super::*;

    #[test]
    fn pointers() {
        for text in ["", "/", "/a/b~0~1c//é", "/foo/-", "/0"] {
            assert!(holds(json_pointer, text), "{text}");
        }
        for text in ["a", "#", "#/a", "/~", "/~2", "/a~b", "/~-1"] {
            assert!(!holds(json_pointer, text), "{text}");
        }
    }

    #[test]
    fn relative_pointers() {
        for text in ["0", "1", "10/a", "0#", "2/", "0//", "120/foo/bar"] {
            assert!(holds(relative_json_pointer, text), "{text}");
        }
        for text in ["", "/a", "#", "-1", "+1/a", "01", "01#", "0##", "0a", "0/~", "\u{661}/a"] {
            assert!(!holds(relative_json_pointer, text), "{text}");
        }
    }
}
