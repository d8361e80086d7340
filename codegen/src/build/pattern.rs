//! `pattern`: from ECMA-262 with the `u` flag (JSON Schema 2020-12 section 6.4) to the linear-time engine.
//!
//! The translator leaves some forms as they are although the engines read them differently; those are rewritten or
//! refused here first.

use std::borrow::Cow;
use std::cell::RefCell;
use std::str::Chars;

use foldhash::HashMap;

use super::edges::trimmed;
use super::look_around::take_apart;
use super::spelling::spelled_out;
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
    Escape,
    TooLarge,
    Property,
    Untranslatable,
}

/// The same, and where the pattern goes on from there; empty where the whole is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) why: Refused,
    near: String,
}

impl Refusal {
    /// Shown of a pattern.
    const SHOWN: usize = 16;

    fn near(why: Refused, rest: &str) -> Self {
        Self { why, near: rest.chars().take(Self::SHOWN).collect() }
    }

    pub(crate) fn message(&self) -> String {
        match self.near.as_str() {
            "" => self.why.message().to_owned(),
            near => format!("{}: `{near}`", self.why.message()),
        }
    }
}

impl From<Refused> for Refusal {
    fn from(why: Refused) -> Self {
        Self { why, near: String::new() }
    }
}

impl Refused {
    fn message(self) -> &'static str {
        match self {
            Self::NotEcma => "this pattern is not a regular expression of ECMA-262",
            Self::LookAround => {
                "look-around has a linear-time form at the ends of a pattern only, next to `^` or `$`"
            }
            Self::BackReference => "back-references have no linear-time form",
            Self::Modifier => "inline flags are not supported",
            Self::Escape => "this pattern uses an escape that is not supported",
            Self::TooLarge => "this pattern becomes too large when it is compiled",
            Self::Property => "ECMA-262 has no such property of characters",
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
            Self::Escape => "write the character itself, or its code as `\\u{1F600}`",
            Self::TooLarge => "use smaller repeat counts; lengths belong in `maxLength`",
            Self::Property => "write a class, such as `[0-9A-Fa-f]` for hexadecimal digits",
            Self::Untranslatable => "write it with classes, groups and counts only",
        }
    }
}

/// The pattern with the same language for the `regex` crate.
pub(crate) fn translate(pattern: &str) -> Result<Pattern, Refusal> {
    let spelled = spelled_out(pattern);
    if !jsonschema_regex::is_valid_ecma_regex(&spelled) {
        return Err(Refused::NotEcma.into());
    }
    let parts = take_apart(&spelled);
    let around = parts
        .around
        .into_iter()
        .map(|(text, holds)| Ok(Around { translated: linear(&text)?, holds }))
        .collect::<Result<_, Refusal>>()?;
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

fn linear(pattern: &str) -> Result<String, Refusal> {
    let rewritten = rewrite(pattern)?;
    let untranslatable = || match unknown_property(&rewritten) {
        Some(rest) => Refusal::near(Refused::Property, rest),
        None => Refused::Untranslatable.into(),
    };
    let translated = jsonschema_regex::to_rust_regex(&rewritten).map_err(|()| untranslatable())?;
    let translated = ascii_boundaries(&translated).into_owned();
    match compiled(&translated) {
        Ok(_) => Ok(translated),
        Err(regex::Error::CompiledTooBig(_)) => {
            let shorter = trimmed(&translated).ok_or(Refused::TooLarge)?;
            compiled(&shorter).map(|_| shorter).map_err(|_| Refused::TooLarge.into())
        }
        Err(_) => Err(untranslatable()),
    }
}

fn compiled(translated: &str) -> Result<regex::Regex, regex::Error> {
    regex::RegexBuilder::new(translated).size_limit(MAX_COMPILED).build()
}

/// Properties of a pattern that are looked at.
const LOOKED_AT: usize = 64;

/// The pattern from the first property on that nobody knows.
fn unknown_property(pattern: &str) -> Option<&str> {
    let properties = pattern.match_indices("\\p{").chain(pattern.match_indices("\\P{"));
    let mut rests = properties.take(LOOKED_AT).filter_map(|(at, _)| pattern.get(at..));
    rests.find(|rest| {
        let named = rest.split_inclusive('}').next();
        named.is_some_and(|named| jsonschema_regex::to_rust_regex(named).is_err() || compiled(named).is_err())
    })
}

/// Refuses what the engine lacks, and writes out what it reads differently: `\<` is a word boundary there.
fn rewrite(pattern: &str) -> Result<String, Refusal> {
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern.chars();
    let mut in_class = false;
    loop {
        let from = rest.as_str();
        let Some(char) = rest.next() else { return Ok(out) };
        let done = match char {
            '\\' => escape(in_class, &mut rest, &mut out),
            '(' if !in_class => {
                out.push('(');
                group(rest.as_str())
            }
            other => {
                in_class = (in_class || other == '[') && other != ']';
                out.push(other);
                Ok(())
            }
        };
        done.map_err(|why| Refusal::near(why, from))?;
    }
}

/// Whether a group that goes on so is one that captures, or that does not.
fn group(rest: &str) -> Result<(), Refused> {
    let Some(kind) = rest.strip_prefix('?') else { return Ok(()) };
    match kind.strip_prefix('<').unwrap_or(kind).chars().next() {
        Some('=' | '!') => Err(Refused::LookAround),
        _ if kind.starts_with([':', '<']) => Ok(()),
        _ => Err(Refused::Modifier),
    }
}

fn escape(in_class: bool, rest: &mut Chars<'_>, out: &mut String) -> Result<(), Refused> {
    match rest.next().ok_or(Refused::NotEcma)? {
        '1'..='9' | 'k' => return Err(Refused::BackReference),
        '0' => out.push_str("\\x00"),
        'B' if in_class => return Err(Refused::Escape),
        angle @ ('<' | '>') => out.push(angle),
        '/' => out.push('/'),
        'u' if !rest.as_str().starts_with('{') => {
            let digits: String = rest.by_ref().take(4).collect();
            // half of a pair is no character
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
        assert!(matches(r"^[\w-.]+$", "a-b.c") && !matches(r"^[\w-.]+$", "a,b"));
        assert!(matches(r"^[\b]$", "\u{8}") && !matches(r"^[\b]$", "b"));
        assert!(matches("^[^]$", "\n") && !matches("[]", "a"));
        assert!(
            matches(r"^[\ud800-\udfff\t]$", "\t") && !matches(r"[\ude00\ud83d]", "😀"),
            "halves of pairs"
        );
        assert!(matches(r"^\{[a-z]+}]$", "{a}]"));
        assert!(matches(r"^\ud83d\ude00$", "😀") && matches(r"^[^\ud83d\ude00]$", "😁"));
    }

    #[test]
    fn says_where() {
        let refusal = translate("^a(?!dmin)[a-z0-9-]{1,20}$").unwrap_err();
        assert!(refusal.message().ends_with(": `(?!dmin)[a-z0-9-`"), "{}", refusal.message());
        assert_eq!(translate("[").unwrap_err().message(), Refused::NotEcma.message());
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
            (r"\ud83d", Refused::Escape),
            (r"[\B]", Refused::NotEcma),
            (r"^\p{XDigit}$", Refused::Property),
            (r"[\p{Alpha}\p{Print}]", Refused::Property),
            ("(a{1000}){1000}b", Refused::TooLarge),
        ] {
            assert_eq!(translate(pattern).map_err(|refusal| refusal.why), Err(why), "{pattern}");
        }
    }
}
