//! Media types (RFC 9110 section 8.3.1) as keys of `content`, compared as the runtime compares them.

use std::collections::BTreeSet;

use super::parameter::is_token;

/// A media type, or a range of some, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MediaType {
    kind: String,
    subtype: String,
    /// Without those that say what is so anyway.
    parameters: BTreeSet<String>,
}

impl MediaType {
    pub(crate) fn read(text: &str) -> Self {
        let text = text.to_ascii_lowercase();
        let mut pieces = text.split(';').map(str::trim);
        let essence = pieces.next().unwrap_or_default();
        let (kind, subtype) = essence.split_once('/').unwrap_or((essence, ""));
        let unquoted = pieces.filter(|piece| !piece.is_empty()).map(|piece| piece.replace('"', ""));
        // the boundary of parts (RFC 2046 section 5.1.1) is each sender's own
        let is_boundary = |piece: &str| kind == "multipart" && piece.starts_with("boundary=");
        let says_more = |piece: &String| piece != "charset=utf-8" && !is_boundary(piece);
        let parameters = unquoted.filter(says_more).collect();
        Self { kind: kind.to_owned(), subtype: subtype.to_owned(), parameters }
    }

    /// Whether the text is a media type, or a range of some (RFC 9110 sections 8.3.1 and 12.5.1).
    pub(crate) fn is_one(text: &str) -> bool {
        let (essence, parameters) = text.split_once(';').unwrap_or((text, ""));
        let Some((kind, subtype)) = essence.trim_end_matches(WHITE).split_once('/') else { return false };
        let any_kind = kind != "*" || subtype == "*";
        let mut pieces = parameters.split(';').map(|piece| piece.trim_matches(WHITE));
        is_token(kind) && is_token(subtype) && any_kind && pieces.all(is_parameter)
    }

    /// How one is written, where the text is none.
    pub(crate) fn help(text: &str) -> &'static str {
        let unquoted = |piece: &str| {
            let value = piece.split_once('=').map(|(_, value)| value.trim_matches(WHITE));
            value.is_some_and(|value| value.contains('/') && !value.starts_with('"'))
        };
        match text.split(';').skip(1).any(unquoted) {
            true => {
                "a value with `/` stands in quotes (RFC 9110 section 5.6.6): `multipart/related; type=\"text/html\"`"
            }
            false => "such as `application/json`, or a range such as `image/*`",
        }
    }

    /// Whether it is a narrower range than the other, or one type.
    pub(crate) fn says_more_than(&self, other: &Self) -> bool {
        self.breadth() < other.breadth()
    }

    /// Whether the other is this one, or a part of this range, which takes whatever parameters beside its own (RFC 9110 section
    /// 12.5.1).
    pub(crate) fn takes(&self, other: &Self) -> bool {
        let suffix = |subtype: &str| subtype.rsplit_once('+').map(|(_, suffix)| suffix.to_owned());
        let subtype = match self.subtype.strip_prefix("*+") {
            Some(own) => suffix(&other.subtype).is_some_and(|other| other == own),
            None => self.subtype == "*" || self.subtype == other.subtype,
        };
        let parameters = match self.breadth() {
            0 => self.parameters == other.parameters,
            _ => self.parameters.is_subset(&other.parameters),
        };
        (self.kind == "*" || self.kind == other.kind) && subtype && parameters
    }

    fn breadth(&self) -> u8 {
        match (&*self.kind, &*self.subtype) {
            ("*", _) => 3,
            (_, "*") => 2,
            (_, subtype) if subtype.starts_with("*+") => 1,
            _ => 0,
        }
    }
}

/// Optional white space (RFC 9110 section 5.6.3).
const WHITE: [char; 2] = [' ', '\t'];

/// `[ parameter ]` (RFC 9110 section 5.6.6), with a quoted value of characters that need no escape.
fn is_parameter(piece: &str) -> bool {
    let plain = |byte: u8| matches!(byte, b' '..=b'~') && !b"\"\\;".contains(&byte);
    let quoted = |value: &str| {
        let inner = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        inner.is_some_and(|inner| inner.bytes().all(plain))
    };
    let whole = |(name, value): (&str, &str)| is_token(name) && (is_token(value) || quoted(value));
    piece.is_empty() || piece.split_once('=').is_some_and(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_media_type() {
        let json = MediaType::read("application/json");
        for same in
            ["application/JSON", "Application/json; charset=UTF-8", "application/json;charset=\"utf-8\""]
        {
            assert_eq!(MediaType::read(same), json, "{same}");
        }
        assert_eq!(MediaType::read("multipart/mixed; boundary=\"a b\""), MediaType::read("multipart/mixed"));
        for other in ["text/json", "application/json; v=1", "application/*", "application/problem+json"] {
            assert_ne!(MediaType::read(other), json, "{other}");
        }
    }

    #[test]
    fn what_is_no_media_type() {
        for one in [
            "application/json",
            "*/*",
            "image/*",
            "application/*+json",
            "text/plain;charset=utf-8",
            "multipart/related; boundary=\"a b\"; type=x",
            "application/vnd.api+json;",
            "text/plain ; a=b",
        ] {
            assert!(MediaType::is_one(one), "{one}");
        }
        for other in [
            "",
            ";",
            "json",
            "application/",
            "/json",
            "a/b/c",
            "text /plain",
            " text/plain",
            "text/plain, text/html",
            "text/plain\r\nX: y",
            "application/json; charset",
            "a/b; c=\"",
            "*/json",
            "*/*+json",
            "a/b; =c",
        ] {
            assert!(!MediaType::is_one(other), "{other}");
        }
    }

    #[test]
    fn ranges_take_what_is_in_them() {
        let takes = |range: &str, other: &str| MediaType::read(range).takes(&MediaType::read(other));
        for (range, within) in [
            ("*/*", "text/json"),
            ("application/*", "application/*+json"),
            ("application/*+json", "application/a+json"),
            ("text/*", "text/plain; charset=latin1"),
            ("text/*; a=b", "text/plain; c=d; a=b"),
        ] {
            assert!(takes(range, within) && !takes(within, range), "{range}");
        }
        assert!(!takes("application/*+json", "application/json") && !takes("text/*", "application/json"));
        assert!(!takes("application/json; v=1", "application/json") && !takes("a/b", "a/b; v=1"));
        assert!(!takes("text/*; a=b", "text/plain"));
    }

    #[test]
    fn a_type_says_more_than_a_suffix_and_that_more_than_a_range() {
        let all = ["application/json", "application/*+json", "application/*", "*/*"].map(MediaType::read);
        assert!(
            all.windows(2).all(|pair| pair[0].says_more_than(&pair[1]) && !pair[1].says_more_than(&pair[0]))
        );
    }
}
