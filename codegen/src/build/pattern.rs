//! `pattern`: from ECMA-262 with the `u` flag (JSON Schema 2020-12 section 6.4) to the linear-time engine.
//!
//! The translator leaves some forms as they are although the engines read them differently; those are rewritten or
//! refused here first.

use std::borrow::Cow;

use foldhash::HashMap;
use std::cell::RefCell;

use super::look_around::take_apart;
use crate::model::{Around, Pattern};

/// Compiled size that one pattern may have at run time.
const MAX_COMPILED: usize = 1 << 20;

/// Why a pattern cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    NotEcma,
    LookAround,
    BackReference,
    Modifier,
    EmptyClass,
    Escape,
    TooLarge,
    Untranslatable,
}

impl Refused {
    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::NotEcma => "this pattern is not a regular expression of ECMA-262",
            Self::LookAround => {
                "look-around has a linear-time form at the ends of a pattern only, next to `^` or `$`"
            }
            Self::BackReference => "back-references have no linear-time form",
            Self::Modifier => "inline flags are not supported",
            Self::EmptyClass => "the classes `[]` and `[^]` are not supported",
            Self::Escape => "this pattern uses an escape that is not supported",
            Self::TooLarge => "this pattern becomes too large when it is compiled",
            Self::Untranslatable => "this pattern cannot be translated to the linear-time engine",
        }
    }

    pub(crate) fn help(self) -> &'static str {
        match self {
            Self::NotEcma => "escape brackets and braces that are meant as text",
            Self::LookAround | Self::BackReference => {
                "write what is allowed instead of what is not, and check the rest in the handler"
            }
            Self::Modifier => "write both cases, such as `[Aa]`",
            Self::EmptyClass => "write `[\\s\\S]` for any character",
            Self::Escape => "write the character itself, or its code as `\\u{1F600}`",
            Self::TooLarge => "use smaller repeat counts; lengths belong in `maxLength`",
            Self::Untranslatable => "write it with classes, groups and counts only",
        }
    }
}

/// The pattern with the same language for the `regex` crate.
pub(crate) fn translate(pattern: &str) -> Result<Pattern, Refused> {
    if !jsonschema_regex::is_valid_ecma_regex(pattern) {
        return Err(Refused::NotEcma);
    }
    let parts = take_apart(pattern);
    let around = parts
        .around
        .into_iter()
        .map(|(text, holds)| Ok(Around { translated: linear(&text)?, holds }))
        .collect::<Result<_, _>>()?;
    Ok(Pattern { source: pattern.to_owned(), translated: linear(&parts.main)?, around })
}

/// Patterns as they are compiled, for the values of a document. Compiling takes far longer than matching, and a list of
/// values is compared with one pattern.
#[derive(Debug, Default)]
pub(crate) struct Matchers(RefCell<HashMap<String, Option<Matcher>>>);

/// Compiled patterns that are kept: a megabyte each at the most.
const KEPT: usize = 64;

/// The pattern, and what must or must not be found beside it.
#[derive(Debug)]
struct Matcher(Vec<(regex::Regex, bool)>);

impl Matchers {
    /// Whether `text` matches, as at run time. One that does not translate is matched by everything.
    pub(crate) fn matches(&self, pattern: &str, text: &str) -> bool {
        let mut known = self.0.borrow_mut();
        if known.len() >= KEPT && !known.contains_key(pattern) {
            known.clear();
        }
        let matcher =
            known.entry(pattern.to_owned()).or_insert_with(|| Matcher::of(&translate(pattern).ok()?));
        matcher.as_ref().is_none_or(|matcher| matcher.matches(text))
    }
}

impl Matcher {
    fn of(pattern: &Pattern) -> Option<Self> {
        let around = pattern.around.iter().map(|around| (&around.translated, around.holds));
        let all = std::iter::once((&pattern.translated, true)).chain(around);
        let compiled = |(text, holds): (&String, bool)| Some((regex::Regex::new(text).ok()?, holds));
        all.map(compiled).collect::<Option<_>>().map(Self)
    }

    fn matches(&self, text: &str) -> bool {
        self.0.iter().all(|(regex, holds)| regex.is_match(text) == *holds)
    }
}

/// Whether `text` matches, as at run time.
pub(crate) fn matches(pattern: &Pattern, text: &str) -> bool {
    Matcher::of(pattern).is_some_and(|matcher| matcher.matches(text))
}

fn linear(pattern: &str) -> Result<String, Refused> {
    let rewritten = rewrite(pattern)?;
    let translated = jsonschema_regex::to_rust_regex(&rewritten).map_err(|()| Refused::Untranslatable)?;
    let translated = ascii_boundaries(&translated);
    match regex::RegexBuilder::new(&translated).size_limit(MAX_COMPILED).build() {
        Ok(_) => Ok(translated.into_owned()),
        Err(regex::Error::CompiledTooBig(_)) => Err(Refused::TooLarge),
        Err(_) => Err(Refused::Untranslatable),
    }
}

/// Refuses what the engine lacks, and writes out what it reads differently: `\<` is a word boundary there.
fn rewrite(pattern: &str) -> Result<String, Refused> {
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern.chars().peekable();
    let mut in_class = false;
    while let Some(char) = rest.next() {
        match char {
            '\\' => {
                let Some(escaped) = rest.next() else { return Err(Refused::NotEcma) };
                escape(escaped, in_class, &mut rest, &mut out)?;
            }
            '[' if !in_class => {
                in_class = true;
                out.push('[');
                if rest.peek() == Some(&'^') {
                    rest.next();
                    out.push('^');
                }
                if rest.peek() == Some(&']') {
                    return Err(Refused::EmptyClass);
                }
            }
            ']' => {
                in_class = false;
                out.push(']');
            }
            '(' if !in_class && rest.peek() == Some(&'?') => {
                out.push_str("(?");
                rest.next();
                group(&mut rest, &mut out)?;
            }
            other => out.push(other),
        }
    }
    Ok(out)
}

type Rest<'p> = std::iter::Peekable<std::str::Chars<'p>>;

fn group(rest: &mut Rest<'_>, out: &mut String) -> Result<(), Refused> {
    match rest.next() {
        Some(':') => out.push(':'),
        Some('<') => match rest.peek() {
            Some('=' | '!') => return Err(Refused::LookAround),
            _ => out.push('<'),
        },
        Some('=' | '!') => return Err(Refused::LookAround),
        _ => return Err(Refused::Modifier),
    }
    Ok(())
}

fn escape(escaped: char, in_class: bool, rest: &mut Rest<'_>, out: &mut String) -> Result<(), Refused> {
    match escaped {
        '1'..='9' | 'k' => return Err(Refused::BackReference),
        '0' => out.push_str("\\x00"),
        'b' | 'B' if in_class => return Err(Refused::Escape),
        '<' | '>' => out.push(escaped),
        '/' => out.push('/'),
        'u' if rest.peek() != Some(&'{') => {
            let digits: String = rest.by_ref().take(4).collect();
            // halves of a pair mean one character under the `u` flag
            if matches!(u32::from_str_radix(&digits, 16), Ok(0xd800..=0xdfff) | Err(_)) {
                return Err(Refused::Escape);
            }
            out.push_str("\\u");
            out.push_str(&digits);
        }
        other => {
            out.push('\\');
            out.push(other);
        }
    }
    Ok(())
}

/// `\b` looks at ASCII words only (ECMA-262 section 22.2.2.4, without the `i` flag).
fn ascii_boundaries(translated: &str) -> Cow<'_, str> {
    if !translated.contains("\\b") && !translated.contains("\\B") {
        return Cow::Borrowed(translated);
    }
    let mut out = String::with_capacity(translated.len() + 8);
    let mut rest = translated.chars();
    while let Some(char) = rest.next() {
        match (char, char == '\\') {
            (_, true) => match rest.next() {
                Some(boundary @ ('b' | 'B')) => {
                    out.push_str("(?-u:\\");
                    out.push(boundary);
                    out.push(')');
                }
                Some(other) => {
                    out.push('\\');
                    out.push(other);
                }
                None => out.push('\\'),
            },
            (other, false) => out.push(other),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        super::matches(&translate(pattern).unwrap(), text)
    }

    #[test]
    fn keeps_the_language_of_ecma_262() {
        assert!(matches("^[A-Z]{2}$", "DE") && !matches("^[A-Z]{2}$", "DE\n"));
        assert!(matches("a", "cat"), "not anchored");
        assert!(matches(r"^\d+$", "12") && !matches(r"^\d+$", "١٢"));
        assert!(matches(r"^\w$", "a") && !matches(r"^\w$", "é"));
        assert!(matches(r"\bcat\b", "a cat") && matches(r"\bcat\b", "écaté"), "é is no word character");
        assert!(!matches("^.$", "\r") && !matches("^.$", "\u{2028}"));
        assert!(matches(r"^\s$", "\u{feff}") && !matches(r"^\s$", "\u{85}"));
        assert!(matches(r"^\<a\>$", "<a>"));
        assert!(matches(r"^a\/b$", "a/b"));
        assert!(
            matches(r"^[^\u0000-\u001F\u007F]*$", "fine") && !matches(r"^[^\u0000-\u001F\u007F]*$", "a\u{1}")
        );
        assert!(matches(r"^\0$", "\0"));
        assert!(matches(r"^(?<year>\d{4})$", "2024"));
        assert!(matches("^[a&&b]$", "&"));
    }

    #[test]
    fn look_around_at_the_ends_is_asked_of_the_whole_text() {
        // a name that does not look like an id
        let name = "^(?![0-9a-f]{4}-[0-9a-f]{4}$)^[a-z]([a-z0-9-]*[a-z0-9]+)?$";
        assert!(matches(name, "abcd-12345") && !matches(name, "abcd-1234") && !matches(name, "1bcd"));
        let password = r"^(?=.*[A-Z])(?=.*\d).{4,}$";
        assert!(matches(password, "aB3d") && !matches(password, "ab3d") && !matches(password, "B3d"));
        assert!(matches("^(?!admin)", "user") && !matches("^(?!admin)", "administrator"));
        assert!(matches(r"^.*(?<!\s)$", "a b") && !matches(r"^.*(?<!\s)$", "a b "));
    }

    #[test]
    fn refuses_what_has_no_linear_form() {
        for (pattern, why) in [
            ("^a(?!dmin)", Refused::LookAround),
            ("^(?!a(?=b))", Refused::LookAround),
            ("(?=a)", Refused::LookAround),
            ("(?<=a)b", Refused::LookAround),
            (r"(a)\1", Refused::BackReference),
            (r"(?<x>a)\k<x>", Refused::BackReference),
            ("(?i:a)", Refused::Modifier),
            ("[", Refused::NotEcma),
            (r"a{2", Refused::NotEcma),
            ("[^]", Refused::EmptyClass),
            (r"\ud83d\ude00", Refused::Escape),
            ("(a{1000}){1000}", Refused::TooLarge),
        ] {
            assert_eq!(translate(pattern), Err(why), "{pattern}");
        }
    }
}
