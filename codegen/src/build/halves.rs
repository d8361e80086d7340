//! Half of a pair in a class (`[\ud800-\udbff]`) is no character of any text that arrives: JSON that writes one alone is
//! refused. So a class goes without the halves, and a range that begins or ends among them begins or ends beside them
//! (ECMA-262 section 22.2.1, with the `u` flag). Outside of classes they stay, and are refused.

use std::borrow::Cow;

use super::spelling::{begins_with_set, braced, pair};

/// The pattern, with the same language for texts of whole characters.
pub(super) fn without_halves(pattern: &str) -> Cow<'_, str> {
    let mut rest = pattern;
    let mut out = String::new();
    while let Some((before, class, after)) = next_class(rest) {
        out.push_str(before);
        out.push('[');
        whole(class, &mut out);
        rest = after;
    }
    match out.is_empty() {
        true => Cow::Borrowed(pattern),
        false => Cow::Owned(out + rest),
    }
}

/// What stands before the next class, in it, and from its end on.
fn next_class(pattern: &str) -> Option<(&str, &str, &str)> {
    let begin = unescaped(pattern, '[')?;
    let (before, from) = (pattern.get(..begin)?, pattern.get(begin + 1..)?);
    let end = unescaped(from, ']')?;
    Some((before, from.get(..end)?, from.get(end..)?))
}

/// Where a character stands that no `\` escapes.
fn unescaped(text: &str, wanted: char) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(at, char)| {
        let found = char == wanted && !escaped;
        escaped = char == '\\' && !escaped;
        found.then_some(at)
    })
}

/// What a class holds, without halves of pairs.
fn whole(class: &str, out: &mut String) {
    let (negated, mut rest) = match class.strip_prefix('^') {
        Some(rest) => ("^", rest),
        None => ("", class),
    };
    out.push_str(negated);
    while let Some((first, after)) = member(rest) {
        let last = after.strip_prefix('-').and_then(member);
        let Some((last, after)) = last.filter(|_| !begins_with_set(first)) else {
            out.push_str(if is_half(first) { "" } else { first });
            rest = after;
            continue;
        };
        match (is_half(first), is_half(last)) {
            (true, true) => {}
            (true, false) => out.extend(["\\ue000", "-", last]),
            (false, true) => out.extend([first, "-", "\\ud7ff"]),
            (false, false) => out.extend([first, "-", last]),
        }
        rest = after;
    }
    out.push_str(rest);
}

/// The next member of a class, and what follows it: a character, or an escape whole.
fn member(class: &str) -> Option<(&str, &str)> {
    let length = match class.strip_prefix('\\') {
        None => class.chars().next()?.len_utf8(),
        Some(escaped) => match pair(escaped) {
            Some((_, after)) => class.len() - after.len(),
            None => 1 + escape_length(escaped)?,
        },
    };
    class.split_at_checked(length)
}

fn escape_length(escaped: &str) -> Option<usize> {
    let letter = escaped.chars().next()?;
    let braces = escaped.get(1..).and_then(braced).map(|(name, _)| 1 + name.len());
    Some(match letter {
        'u' | 'p' | 'P' if braces.is_some() => braces?,
        'u' => 5,
        'x' => 3,
        'c' => 2,
        other => other.len_utf8(),
    })
}

fn is_half(member: &str) -> bool {
    let digits = member.strip_prefix("\\u").filter(|digits| digits.len() == 4);
    digits.and_then(|digits| u16::from_str_radix(digits, 16).ok()).is_some_and(|unit| unit & 0xf800 == 0xd800)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_go_without_halves() {
        for (written, meant) in [
            (r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDBFF-\uDC00\uDFFF\t]*", r"[\u0020-\uD7FF\uE000-\uFFFD\t]*"),
            (r"[a-\udfff][\ud800-\uffff][^\ud800-\udfff]", r"[a-\ud7ff][\ue000-\uffff][^]"),
            (r"[\ud800][-\ud800][\]\ud800]\[\ud800", r"[][-][\]]\[\ud800"),
            (r"[\ud83d\ude00-\ud83d\ude05]", r"[\ud83d\ude00-\ud83d\ude05]"),
            (r"[^\p{L}\x41-\cZ\u{1f600}\w-.-]", r"[^\p{L}\x41-\cZ\u{1f600}\w-.-]"),
            (r"[a\u12]x[", r"[a\u12]x["),
        ] {
            assert_eq!(without_halves(written), meant, "{written}");
        }
    }
}
