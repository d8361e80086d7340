//! Forms of ECMA-262 that the translator does not read, spelled as others that mean the same.
//!
//! 1. `[]` is nothing, and `[^]` any character (section 22.2.2.8);
//! 2. `\b` in a class is U+0008 (section 22.2.1, `ClassEscape`);
//! 3. `\ud83d\ude00` is one character (section 22.2.1, `RegExpUnicodeEscapeSequence`);
//! 4. a `-` beside `\w` and the like in a class is itself (section B.1.2.8.1): there is no range from a set. The `u` flag
//!    refuses it, and documents are full of `[\w-.]`;
//! 5. `]` and `}` that close nothing are themselves (section B.1.2, `ExtendedPatternCharacter`).

use std::str::Chars;

use super::halves::without_halves;

/// The pattern, with the same language.
pub(super) fn spelled_out(pattern: &str) -> String {
    let pattern = without_halves(pattern);
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern.chars();
    let mut class = Class::Outside;
    let mut braced = false;
    while let Some(char) = rest.next() {
        class = match (char, class) {
            ('\\', _) => escape(class, &mut rest, &mut out),
            ('[', Class::Outside) => open(&mut rest, &mut out),
            ('}', Class::Outside) if std::mem::take(&mut braced) => {
                out.push('}');
                class
            }
            (']' | '}', Class::Outside) => {
                out.extend(['\\', char]);
                class
            }
            (']', _) => {
                out.push(']');
                Class::Outside
            }
            ('-', Class::AfterSet) => {
                out.push_str("\\-");
                Class::Inside
            }
            ('-', Class::Inside) if begins_with_set(rest.as_str()) => {
                out.push_str("\\-");
                Class::Inside
            }
            (other, _) => {
                out.push(other);
                braced |= other == '{';
                if class == Class::Outside { class } else { Class::Inside }
            }
        };
    }
    out
}

/// Where in a class the next character stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Outside,
    Inside,
    AfterSet,
}

/// Rule 1.
fn open(rest: &mut Chars<'_>, out: &mut String) -> Class {
    for (written, meant) in [("]", "[^\\s\\S]"), ("^]", "[\\s\\S]")] {
        if let Some(after) = rest.as_str().strip_prefix(written) {
            *rest = after.chars();
            out.push_str(meant);
            return Class::Outside;
        }
    }
    out.push('[');
    Class::Inside
}

pub(super) fn begins_with_set(text: &str) -> bool {
    text.strip_prefix('\\').is_some_and(|escaped| escaped.starts_with(is_set))
}

/// `\d`, `\s`, `\w`, `\p{..}` and what they leave out.
pub(super) const fn is_set(letter: char) -> bool {
    matches!(letter, 'd' | 'D' | 's' | 'S' | 'w' | 'W' | 'p' | 'P')
}

fn escape(class: Class, rest: &mut Chars<'_>, out: &mut String) -> Class {
    let inside = if class == Class::Outside { class } else { Class::Inside };
    if let Some((character, after)) = pair(rest.as_str()) {
        *rest = after.chars();
        out.push_str(&format!("\\u{{{:x}}}", u32::from(character)));
        return inside;
    }
    match rest.next() {
        Some('b') if class != Class::Outside => out.push_str("\\x08"),
        Some(set) if is_set(set) && class != Class::Outside => {
            out.extend(['\\', set]);
            if let Some((name, after)) = braced(rest.as_str()) {
                out.push_str(name);
                *rest = after.chars();
            }
            return Class::AfterSet;
        }
        Some(other) => out.extend(['\\', other]),
        None => out.push('\\'),
    }
    inside
}

pub(super) fn braced(text: &str) -> Option<(&str, &str)> {
    let end = text.starts_with('{').then(|| text.find('}'))??;
    text.split_at_checked(end + 1)
}

/// Rule 3: of what follows a `\`, the character and what comes after it.
pub(super) fn pair(text: &str) -> Option<(char, &str)> {
    let half = |text: &'_ str| u16::from_str_radix(text.get(..4)?, 16).ok();
    let high = text.strip_prefix('u')?;
    let low = high.get(4..)?.strip_prefix("\\u")?;
    let character = char::decode_utf16([half(high)?, half(low)?]).next()?.ok()?;
    (u32::from(character) > 0xffff).then_some((character, low.get(4..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spells_out() {
        for (written, meant) in [
            (r"^[\w-.]+$", r"^[\w\-.]+$"),
            (r"[a-\d]", r"[a\-\d]"),
            (r"[\p{L}-x]", r"[\p{L}\-x]"),
            (r"[a-z\d_-]", r"[a-z\d_-]"),
            (r"\w-.", r"\w-."),
            (r"[\b]\b", r"[\x08]\b"),
            ("a[]b[^]", r"a[^\s\S]b[\s\S]"),
            (r"\ud83d\ude00[\uD83D\uDE00-\uD83D\uDE05]", r"\u{1f600}[\u{1f600}-\u{1f605}]"),
            (r"\ud83d", r"\ud83d"),
            (r"a}]b{2}\p{L}}", r"a\}\]b{2}\p{L}\}"),
            (r"\\u0041\u0042", r"\\u0041\u0042"),
            ("[\\", "[\\"),
        ] {
            assert_eq!(spelled_out(written), meant, "{written}");
        }
    }
}
