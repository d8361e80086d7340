//! Patterns that count the characters of one class, such as `^\S{1,2000}$`.
//!
//! The engine would write such a count out, character for character; a length says the same, and is looked up.

/// What it comes to: this pattern, for texts of these lengths.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) pattern: String,
    pub(super) min: u64,
    pub(super) max: Option<u64>,
}

/// Counts up to here are written out, and a text that does not match is told the pattern of the document.
const WRITTEN_OUT: u64 = 255;

/// Takes the count out of `^class{min,max}$`, and the upper one out of `class{min,max}`, which may be a part of the text.
pub(super) fn counted(pattern: &str) -> Option<Counted> {
    let anchored = pattern.strip_prefix('^').and_then(|rest| rest.strip_suffix('$'));
    let body = anchored.unwrap_or(pattern);
    let (class, count) = body.split_at_checked(class_end(body)?)?;
    let (min, max) = bounds(count)?;
    (min.max(max.unwrap_or(0)) > WRITTEN_OUT).then(|| match anchored {
        Some(_) => Counted { pattern: format!("^{class}*$"), min, max },
        None => Counted { pattern: format!("{class}{{{min}}}"), min: 0, max: None },
    })
}

/// Where the class ends that a pattern begins with: `.`, `\S`, `\p{..}` or `[..]`.
fn class_end(pattern: &str) -> Option<usize> {
    if let Some(rest) = pattern.strip_prefix('[') {
        let mut escaped = false;
        let closing = rest.find(|char| {
            let closes = char == ']' && !escaped;
            escaped = char == '\\' && !escaped;
            closes
        });
        return Some(closing? + "[]".len());
    }
    match pattern.strip_prefix('\\').map(|rest| rest.chars().next()) {
        None => pattern.starts_with('.').then_some(1),
        Some(Some('d' | 'D' | 's' | 'S' | 'w' | 'W')) => Some(2),
        Some(Some('p' | 'P')) => Some(pattern.find('}')? + 1),
        Some(_) => None,
    }
}

/// `{min}`, `{min,}` or `{min,max}`.
fn bounds(count: &str) -> Option<(u64, Option<u64>)> {
    let numbers = count.strip_prefix('{')?.strip_suffix('}')?;
    let number =
        |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?;
    let Some((min, max)) = numbers.split_once(',') else {
        let exactly = number(numbers)?;
        return Some((exactly, Some(exactly)));
    };
    let max = if max.is_empty() { None } else { Some(number(max)?) };
    Some((number(min)?, max))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_of_one_class_is_a_length() {
        let lengths = |pattern| counted(pattern).map(|found| (found.pattern, found.min, found.max));
        let said = |pattern: &str, min, max| Some((pattern.to_owned(), min, max));
        assert_eq!(lengths(r"^\S{1,2000}$"), said(r"^\S*$", 1, Some(2000)));
        assert_eq!(lengths("^.{4096}$"), said("^.*$", 4096, Some(4096)));
        assert_eq!(lengths(r"^[^\]\\]{300,}$"), said(r"^[^\]\\]*$", 300, None));
        assert_eq!(lengths(r"^\p{L}{0,999}$"), said(r"^\p{L}*$", 0, Some(999)));
        // what else stands around it is free
        assert_eq!(lengths("[a-z]{3,5000}"), said("[a-z]{3}", 0, None));
    }

    #[test]
    fn others_stay_as_they_are() {
        for other in [
            "^[a-z]{1,255}$",
            "^[a-z]{1,2000}",
            "[a-z]{1,2000}$",
            "^a[b]{1,2000}$",
            "^[a]{1,2000}|[b]$",
            "^[a][b]{1,2000}$",
            "^[a]{1,2000}?$",
            r"^[a]{1,2000}\$",
            r"^\b{1,2000}$",
            "^[a{1,2000}$",
            "^[a]{,2000}$",
            "^[a]{1,x}$",
            "^(ab){1,2000}$",
            "^$",
            "",
        ] {
            assert_eq!(counted(other), None, "{other}");
        }
    }
}
