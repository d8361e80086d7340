//! From a name of a document to an identifier of Rust: cases, keywords, characters.
//!
//! Identifiers are ASCII. Letters of Latin with marks lose the marks, every other character becomes its code point:
//! a reviewer of a generated file must not have to tell a Cyrillic `а` from a Latin one, and rustc warns of them.

use heck::{ToSnakeCase, ToUpperCamelCase};
use proc_macro2::{Ident, Span};

/// How the words of an identifier are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    /// `UpperCamel`: types, traits, variants.
    Upper,
    /// `snake_case`: fields, methods, modules.
    Snake,
}

/// The spelling of `name` in `case`: a valid identifier, apart from being a keyword.
pub(crate) fn spell(name: &str, case: Case) -> String {
    if case == Case::Snake && is_snake(name) {
        return name.to_owned();
    }
    let words = ascii_words(name);
    let mut spelled = match case {
        Case::Upper => words.to_upper_camel_case(),
        Case::Snake => words.to_snake_case(),
    };
    if spelled.is_empty() {
        spelled = if case == Case::Upper { "Empty".into() } else { "empty".into() };
    }
    if spelled.starts_with(|first: char| first.is_ascii_digit()) {
        // Not one letter for both: a pattern must not bind what could be a variant.
        spelled.insert(0, if case == Case::Upper { 'N' } else { '_' });
    }
    spelled
}

/// Whether it is spelled so already, as most members of most documents are.
fn is_snake(name: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    name.starts_with(|first: char| first.is_ascii_lowercase()) && name.split('_').all(is_word)
}

/// An identifier for what [`spell`] gave; keywords become raw, or get an underscore where raw is not allowed.
pub(crate) fn ident(spelled: &str) -> Ident {
    if NEVER_RAW.contains(&spelled) {
        Ident::new(&format!("{spelled}_"), Span::call_site())
    } else if KEYWORDS.contains(&spelled) {
        Ident::new_raw(spelled, Span::call_site())
    } else {
        Ident::new(spelled, Span::call_site())
    }
}

/// The name of a constant that stands for the field `field`.
pub(crate) fn constant(field: &Ident) -> Ident {
    let name = field.to_string();
    Ident::new(&name.trim_start_matches("r#").to_ascii_uppercase(), Span::call_site())
}

/// Only letters and digits of ASCII, and separators.
fn ascii_words(name: &str) -> String {
    let mut words = String::with_capacity(name.len());
    for (position, character) in name.chars().enumerate() {
        match character {
            'a'..='z' | 'A'..='Z' | '0'..='9' => words.push(character),
            // `+1` and `-1` are two words (reactions, sort orders); elsewhere both only separate.
            '+' if position == 0 => words.push_str("plus_"),
            '-' if position == 0 => words.push_str("minus_"),
            _ if character.is_ascii() => words.push('_'),
            _ => match unmarked(character) {
                Some(plain) => words.push_str(plain),
                None => words.push_str(&format!("_u{:x}_", u32::from(character))),
            },
        }
    }
    if words.chars().all(|character| character == '_') { symbols(name) } else { words }
}

/// A name without a letter or digit, spelled out.
fn symbols(name: &str) -> String {
    name.chars().map(|character| format!("_{}", symbol(character))).collect()
}

fn symbol(character: char) -> String {
    let known = match character {
        '!' => "not",
        '"' => "quote",
        '#' => "hash",
        '$' => "dollar",
        '%' => "percent",
        '&' => "and",
        '*' => "star",
        ',' => "comma",
        '.' => "dot",
        '/' => "slash",
        ':' => "colon",
        ';' => "semicolon",
        '<' => "less",
        '=' => "equal",
        '>' => "greater",
        '?' => "question",
        '@' => "at",
        '_' => "underscore",
        '|' => "or",
        '~' => "tilde",
        ' ' => "space",
        _ => return format!("u{:x}", u32::from(character)),
    };
    known.into()
}

/// The letter without its mark, for the letters of Latin-1.
fn unmarked(character: char) -> Option<&'static str> {
    Some(match character {
        'À'..='Å' => "A",
        'Æ' => "AE",
        'Ç' => "C",
        'È'..='Ë' => "E",
        'Ì'..='Ï' => "I",
        'Ñ' => "N",
        'Ò'..='Ö' | 'Ø' => "O",
        'Ù'..='Ü' => "U",
        'Ý' => "Y",
        'ß' => "ss",
        'à'..='å' => "a",
        'æ' => "ae",
        'ç' => "c",
        'è'..='ë' => "e",
        'ì'..='ï' => "i",
        'ñ' => "n",
        'ò'..='ö' | 'ø' => "o",
        'ù'..='ü' => "u",
        'ý' | 'ÿ' => "y",
        _ => return None,
    })
}

/// Keywords that cannot be raw (Rust reference, "Raw identifiers").
const NEVER_RAW: [&str; 5] = ["self", "Self", "super", "crate", "_"];

/// Keywords, strict and reserved, of every edition: a generated file may be included in a crate of any of them.
const KEYWORDS: [&str; 48] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro",
    "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "static", "struct", "trait",
    "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spelled_so_already_is_what_the_long_way_makes_of_it() {
        for name in ["a", "id", "payment_intent", "x1_y", "v2", "a_1", "ip4v6_2b", "q_2_r"] {
            assert!(is_snake(name), "{name}");
            assert_eq!(ascii_words(name).to_snake_case(), name);
        }
        for name in ["", "_", "1a", "_a", "a_", "a__b", "aB", "A", "a-b", "a b", "ä", "+a"] {
            assert!(!is_snake(name), "{name}");
        }
    }

    #[test]
    fn names_are_spelled_in_their_case() {
        for (name, upper, snake) in [
            ("clientRef", "ClientRef", "client_ref"),
            ("X-Request-Id", "XRequestId", "x_request_id"),
            ("accounts:read", "AccountsRead", "accounts_read"),
            ("2fa", "N2fa", "_2fa"),
            ("größe", "Grosse", "grosse"),
            ("名", "U540d", "u540d"),
            ("а", "U430", "u430"),
            ("+1", "Plus1", "plus_1"),
            ("-1", "Minus1", "minus_1"),
            ("*", "Star", "star"),
            ("", "Empty", "empty"),
            ("in", "In", "in"),
        ] {
            assert_eq!(spell(name, Case::Upper), upper, "{name}");
            assert_eq!(spell(name, Case::Snake), snake, "{name}");
        }
    }

    #[test]
    fn every_keyword_becomes_an_identifier_that_parses() {
        for keyword in KEYWORDS {
            let ident = ident(keyword);
            assert_eq!(ident.to_string(), format!("r#{keyword}"));
            syn::parse_str::<Ident>(&ident.to_string()).expect("a raw identifier");
            assert_eq!(constant(&ident).to_string(), keyword.to_ascii_uppercase());
        }
        for keyword in NEVER_RAW {
            let ident = ident(keyword);
            assert_eq!(ident.to_string(), format!("{keyword}_"));
        }
        assert_eq!(ident("account").to_string(), "account");
    }
}
