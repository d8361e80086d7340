//! The labels of a host name. In ASCII: RFC 1123 section 2.1, and RFC 5890 section 2.3.2.1 where a label announces that it is
//! an encoding. In letters of any script: RFC 5891 section 4.2.
//!
//! 1. The letters are lower case and composed, and mean nothing else to those who map them (RFC 5892 section 2.2).
//! 2. Each of them may stand in a name (RFC 5892 sections 2 and 3), those of appendix A where its rules allow.
//! 3. No mark begins a label, joiners join (appendices A.1 and A.2), and what runs from right to left does so by the rules of
//!    RFC 5893. These look at the whole name.
//! 4. An encoding decodes to such a label and is how it encodes again.

use std::sync::LazyLock;

use idna::punycode;
use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use regex::Regex;

/// Letters, digits and inner hyphens, or the encoding of other letters.
pub(super) fn is_label(label: &str) -> bool {
    let bytes = label.as_bytes();
    (1..=63).contains(&bytes.len())
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
        && has_inner_hyphens(label)
        // RFC 5891 section 4.2.3.1: hyphens in third and fourth place announce an encoding, and `xn` is the only one.
        && (!announces_encoding(label) || is_encoded(label))
}

fn has_inner_hyphens(label: &str) -> bool {
    !label.starts_with('-') && !label.ends_with('-')
}

pub(super) fn announces_encoding(label: &str) -> bool {
    let mut characters = label.chars().skip(2);
    (characters.next(), characters.next()) == (Some('-'), Some('-'))
}

/// `A-label`
fn is_encoded(label: &str) -> bool {
    let label = label.to_ascii_lowercase();
    let Some(encoded) = label.strip_prefix("xn--") else { return false };
    punycode::decode_to_string(encoded).is_some_and(|letters| {
        is_letters(&letters) && punycode::encode_str(&letters).as_deref() == Some(encoded)
    })
}

/// `U-label`: at least one letter beyond ASCII, and no more of them than its encoding has room for.
pub(super) fn is_letters(label: &str) -> bool {
    const MOST: usize = 63 - "xn--".len();
    !label.is_ascii()
        && label.chars().count() <= MOST
        && has_inner_hyphens(label)
        && !announces_encoding(label)
        && finds(&ALLOWED, label)
        && !finds(&OUT_OF_CONTEXT, label)
        && (!label.contains('\u{30FB}') || finds(&EAST_ASIAN, label))
        && unicode(label).is_some_and(|mapped| mapped == label)
        && punycode::encode_str(label).is_some_and(|encoded| encoded.len() <= MOST)
}

/// The name as it is shown, every label composed, in lower case and decoded (UTS #46, ToUnicode).
pub(super) fn unicode(name: &str) -> Option<String> {
    let (mapped, outcome) = Uts46::new().to_unicode(name.as_bytes(), AsciiDenyList::STD3, Hyphens::Check);
    outcome.is_ok().then(|| mapped.into_owned())
}

/// Whether the labels may stand beside each other, and are not too long in ASCII.
pub(super) fn holds_together(name: &str) -> bool {
    Uts46::new().to_ascii(name.as_bytes(), AsciiDenyList::STD3, Hyphens::Check, DnsLength::Verify).is_ok()
}

type Class = LazyLock<Option<Regex>>;

/// A class that does not compile holds for nothing.
fn finds(class: &Class, label: &str) -> bool {
    class.as_ref().is_some_and(|class| class.is_match(label))
}

/// `PVALID`, `CONTEXTJ` and `CONTEXTO` of RFC 5892 section 3, in its order: exceptions (2.6), hyphen, joiners (2.8), old Hangul
/// (2.9) and the blocks of 2.5, then letters and digits (2.1). What is not stable (2.2) is found by mapping it.
static ALLOWED: Class = Class::new(|| {
    Regex::new(
        r"(?x) \A (?:
            [ \- \x{DF} \x{3C2} \x{6FD} \x{6FE} \x{F0B} \x{3007} \x{B7} \x{375} \x{5F3} \x{5F4} \x{30FB} \x{200C} \x{200D} ]
          | [ [ \p{Ll} \p{Lo} \p{Lm} \p{Mn} \p{Mc} \p{Nd} ] -- [
                \x{640} \x{7FA} \x{302E} \x{302F} \x{3031}-\x{3035} \x{303B}
                \x{1100}-\x{11FF} \x{A960}-\x{A97C} \x{D7B0}-\x{D7FB}
                \x{20D0}-\x{20FF} \x{1D100}-\x{1D1FF} \x{1D200}-\x{1D24F} ] ]
        )+ \z",
    )
    .ok()
});

/// RFC 5892 appendix A.3 to A.6, A.8 and A.9: the middle dot stands between two `l`, the keraia before a Greek letter, geresh
/// and gershayim behind a Hebrew one; digits are of one kind.
static OUT_OF_CONTEXT: Class = Class::new(|| {
    Regex::new(
        r"(?x) (?: \A | [^l] ) \x{B7} | \x{B7} (?: [^l] | \z )
          | \x{375} (?: \P{Greek} | \z )
          | (?: \A | \P{Hebrew} ) [ \x{5F3} \x{5F4} ]
          | [ \x{660}-\x{669} ] .* [ \x{6F0}-\x{6F9} ] | [ \x{6F0}-\x{6F9} ] .* [ \x{660}-\x{669} ]",
    )
    .ok()
});

/// RFC 5892 appendix A.7: one of these in a label allows the middle dot of Katakana.
static EAST_ASIAN: Class = Class::new(|| Regex::new(r"[\p{Hiragana}\p{Katakana}\p{Han}]").ok());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_classes_compile() {
        assert!(ALLOWED.is_some() && OUT_OF_CONTEXT.is_some() && EAST_ASIAN.is_some());
    }

    #[test]
    fn letters_of_any_script() {
        for label in [
            "실례",
            "bücher",
            "faß",
            "βόλος",
            "l·l",
            "α͵β",
            "א׳ב",
            "・ぁ",
            "丈・",
            "ب٠ب",
            "۰a",
            "क्\u{200D}ष",
            "बि",
            "a\u{DF}-b",
        ] {
            assert!(is_letters(label), "{label}");
        }
        for label in [
            "abc",
            "",
            "Bücher",
            "-ü",
            "ü-",
            "ab--ü",
            "a·l",
            "l·",
            "α͵S",
            "׳ב",
            "def・",
            "ب٠۰",
            "क\u{200D}ष",
            "☃",
            "\u{302E}실",
            "\u{300}a",
            "cafe\u{301}",
            "\u{FF41}",
            "\u{640}",
            "ü ",
            "ü.",
            "ü。",
            "\u{1100}",
        ] {
            assert!(!is_letters(label), "{label}");
        }
        assert!(is_letters(&"ü".repeat(50)) && !is_letters(&"ü".repeat(64)));
    }

    #[test]
    fn encodings_are_how_their_letters_encode() {
        for label in ["xn--bcher-kva", "XN--Bcher-KVA", "xn--9n2bp8q"] {
            assert!(is_label(label), "{label}");
        }
        for label in [
            "xn--",
            "xn--X",
            "xn--abc-",
            "xn--7a",
            "xn---9uc",
            "ab--c",
            "XN--aa---o47jg78q",
            "xn--Bcher-Kvz9",
        ] {
            assert!(!is_label(label), "{label}");
        }
    }
}
