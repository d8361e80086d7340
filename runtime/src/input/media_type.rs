//! Media types (RFC 9110 section 8.3.1).

/// Which of the declared media types a body of type `sent` is. The one that says most about it is meant
/// (OpenAPI 3.1 section 4.8.13): a type before a suffix, a suffix before a range.
///
/// Parameters of a type must be the declared ones; `charset=utf-8` says what JSON is anyway (RFC 8259 section 8.1) and may
/// stand or not, and every multipart type has a `boundary`. A range takes whatever parameters beside its own (RFC 9110
/// section 12.5.1), but not instead of a type that is declared without them.
pub(crate) fn accepts(declared: &[&str], sent: &str) -> Option<usize> {
    let sent = MediaType::read(sent)?;
    let fitting = declared.iter().enumerate().filter_map(|(index, declared)| {
        let declared = MediaType::read(declared)?;
        let has_more = !sent.carries(&declared);
        declared.takes(&sent).then(|| (declared.breadth(), has_more, index))
    });
    let (breadth, has_more, index) = fitting.min()?;
    (breadth > 0 || !has_more).then_some(index)
}

/// Whether a body is in UTF-8 by its `charset`, or in the one that its declared type says.
pub(super) fn is_readable(declared: &str, sent: &str) -> bool {
    let charset = |text| {
        let parameters = MediaType::read(text).into_iter().flat_map(|read| read.parameters().flatten());
        let own = parameters.filter(|(name, _)| name.eq_ignore_ascii_case("charset"));
        own.map(|(_, value)| value.to_ascii_lowercase()).find(|value| value != "utf-8")
    };
    charset(sent).is_none_or(|sent| charset(declared) == Some(sent))
}

/// How much a range of `Accept` says about a type that it matches; `None`: it does not (RFC 9110 section 12.5.1).
pub(crate) fn media_range(range: &str, media_type: &str) -> Option<u8> {
    let (range, media_type) = (MediaType::read(range)?, MediaType::read(media_type)?);
    let kind = range.kind == "*" || range.kind.eq_ignore_ascii_case(media_type.kind);
    let subtype = range.subtype == "*" || range.subtype.eq_ignore_ascii_case(media_type.subtype);
    let parameters = range.parameters().count();
    (kind && subtype && range.carries(&media_type))
        .then(|| 4 * (3 - range.breadth()) + u8::try_from(parameters.min(3)).unwrap_or(3))
}

/// Whether a body of this type has a value that is written with no byte at all.
pub(super) fn may_be_empty(sent: &str) -> bool {
    MediaType::read(sent).is_some_and(|sent| !sent.is_json() && !sent.kind.eq_ignore_ascii_case("multipart"))
}

/// The boundary of a multipart type. `None`: it has none, or more than one.
pub(super) fn boundary(sent: &str) -> Option<&str> {
    let mut boundaries = MediaType::read(sent)?
        .parameters()
        .flatten()
        .filter(|(name, _)| name.eq_ignore_ascii_case("boundary"))
        .map(|(_, value)| value);
    let first = boundaries.next()?;
    boundaries.next().is_none().then_some(first)
}

/// Whether a declared media type is JSON.
pub(crate) fn is_json(declared: &str) -> bool {
    MediaType::read(declared).is_some_and(|media_type| media_type.is_json())
}

pub(crate) struct MediaType<'a> {
    pub(crate) kind: &'a str,
    pub(crate) subtype: &'a str,
    parameters: &'a str,
}

impl<'a> MediaType<'a> {
    /// `media-type = type "/" subtype parameters`. `None`: not the grammar.
    pub(crate) fn read(text: &'a str) -> Option<Self> {
        let (essence, parameters) = text.split_once(';').unwrap_or((text, ""));
        let (kind, subtype) = essence.trim_matches(WHITE).split_once('/')?;
        let read = Self { kind, subtype, parameters };
        (is_token(kind) && is_token(subtype) && read.parameters().all(|parameter| parameter.is_some()))
            .then_some(read)
    }

    /// `parameters = *( OWS ";" OWS [ parameter ] )`: name and value of each, `None` for what is not one.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = Option<(&'a str, &'a str)>> + use<'a> {
        let pieces = self.parameters.split(';').map(|piece| piece.trim_matches(WHITE));
        pieces.filter(|piece| !piece.is_empty()).map(|piece| {
            let (name, value) = piece.split_once('=')?;
            let quoted = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
            // A quoted value that holds `;`, `"` or `\` is not one that a type here has.
            let plain = match quoted {
                Some(value) => {
                    value.bytes().all(|byte| matches!(byte, b' '..=b'~') && !b"\"\\;".contains(&byte))
                }
                None => is_token(value),
            };
            (is_token(name) && plain).then_some((name, quoted.unwrap_or(value)))
        })
    }

    fn takes(&self, sent: &Self) -> bool {
        let kind = self.kind == "*" || self.kind.eq_ignore_ascii_case(sent.kind);
        let subtype = match self.subtype.strip_prefix("*+") {
            Some(suffix) => sent.suffix().is_some_and(|sent| suffix.eq_ignore_ascii_case(sent)),
            None => self.subtype == "*" || self.subtype.eq_ignore_ascii_case(sent.subtype),
        };
        kind && subtype && self.carries(sent)
    }

    /// How little it says: 0 for a type, more for `application/*+json`, `application/*` and `*/*`.
    fn breadth(&self) -> u8 {
        match (self.kind, self.subtype) {
            ("*", _) => 3,
            (_, "*") => 2,
            (_, subtype) if subtype.starts_with("*+") => 1,
            _ => 0,
        }
    }

    /// Whether `other` has every parameter of this one, except those that a type has anyway.
    fn carries(&self, other: &Self) -> bool {
        let multipart = self.kind.eq_ignore_ascii_case("multipart");
        self.parameters().flatten().all(|(name, value)| {
            (name.eq_ignore_ascii_case("charset") && value.eq_ignore_ascii_case("utf-8"))
                || (multipart && name.eq_ignore_ascii_case("boundary"))
                || other
                    .parameters()
                    .flatten()
                    .any(|(known, has)| name.eq_ignore_ascii_case(known) && value.eq_ignore_ascii_case(has))
        })
    }

    fn suffix(&self) -> Option<&'a str> {
        self.subtype.rsplit_once('+').map(|(_, suffix)| suffix)
    }

    fn is_json(&self) -> bool {
        self.suffix().unwrap_or(self.subtype).eq_ignore_ascii_case("json")
    }
}

/// Optional white space (RFC 9110 section 5.6.3).
const WHITE: [char; 2] = [' ', '\t'];

/// `token` (RFC 9110 section 5.6.2).
pub(crate) fn is_token(text: &str) -> bool {
    let special = |byte: u8| b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || special(byte))
}

#[cfg(test)]
mod tests {
    fn accepts(declared: &[&str], sent: &str) -> bool {
        super::accepts(declared, sent).is_some()
    }

    #[test]
    fn the_declared_type_and_its_spellings() {
        let json = &["application/json"];
        for sent in [
            "application/json",
            "Application/JSON",
            "application/json; charset=utf-8",
            "application/json;charset=\"UTF-8\"",
            "application/json ; ",
        ] {
            assert!(accepts(json, sent), "{sent}");
        }
        for sent in [
            "",
            "application",
            "application/",
            "text/json",
            "text/plain",
            "application/json, text/plain",
            "application/json; charset=utf-16",
            "application/json; charset",
            "application/json; v=1",
            "application/json; charset=utf-8; v=1",
            "application/problem+json",
            "application/json\u{b}",
            "application/x-www-form-urlencoded",
            "*/*",
            "application/*",
        ] {
            assert!(!accepts(json, sent), "{sent}");
        }
    }

    #[test]
    fn parameters_and_suffixes_are_compared() {
        let declared = &["application/vnd.bank+json; v=2", "text/json"];
        assert!(
            accepts(declared, "application/vnd.bank+json;V=2; charset=utf-8")
                && accepts(declared, "text/json")
        );
        assert!(
            !accepts(declared, "application/vnd.bank+json")
                && !accepts(declared, "application/vnd.bank+json;v=1")
        );
        assert!(accepts(&["application/*"], "application/problem+json"));
        assert!(accepts(&["application/*"], "application/xml") && !accepts(&["application/*"], "text/plain"));
        assert!(accepts(&["application/*+json"], "application/problem+json"));
        assert!(!accepts(&["application/*+json"], "application/json"));
        assert!(accepts(&["*/*"], "application/json") && accepts(&["*/*"], "text/plain"));
    }

    /// RFC 9110 section 12.5.1.
    #[test]
    fn ranges_take_any_parameters() {
        for (range, sent) in [
            ("*/*", "text/plain; charset=iso-8859-1"),
            ("image/*", "image/png; a=b"),
            ("application/*+json", "application/vnd.bank+json; v=2"),
            ("text/*; a=b", "text/plain; c=d; A=b"),
        ] {
            assert!(accepts(&[range], sent), "{range} {sent}");
        }
        assert!(!accepts(&["text/*; a=b"], "text/plain") && !accepts(&["text/*; a=b"], "text/plain; a=c"));
        assert!(!accepts(&["*/*"], "text/plain; a"));
        let declared = &["*/*", "text/plain", "text/plain; a=b", "application/json; v=1"];
        for (sent, which) in [
            ("text/plain; charset=utf-8", Some(1)),
            ("text/plain; a=b", Some(2)),
            // what is declared is not another type by a parameter more, and is one by a parameter less
            ("text/plain; b=c", None),
            ("text/plain; a=b; c=d", None),
            ("application/json", Some(0)),
            ("application/json; v=2", Some(0)),
            ("application/json; v=1; w=2", None),
        ] {
            assert_eq!(super::accepts(declared, sent), which, "{sent}");
        }
    }

    #[test]
    fn what_is_read_is_in_utf_8() {
        let readable = super::is_readable;
        assert!(readable("*/*", "text/plain") && readable("text/*", "text/plain; charset=\"UTF-8\"; a=b"));
        assert!(!readable("text/*", "text/plain; charset=latin1"));
        assert!(!readable("text/*", "text/plain; charset=utf-8; charset=latin1"));
        assert!(readable("text/plain; charset=latin1", "text/plain; charset=Latin1"));
    }

    #[test]
    fn the_type_that_says_most_is_meant() {
        let declared = &["*/*", "application/*", "application/*+json", "application/a+json"];
        for (sent, which) in
            [("application/a+json", 3), ("application/b+json", 2), ("application/x", 1), ("a/b", 0)]
        {
            assert_eq!(super::accepts(declared, sent), Some(which), "{sent}");
        }
    }

    #[test]
    fn a_multipart_type_has_a_boundary() {
        assert!(accepts(&["multipart/form-data"], "multipart/form-data; boundary=\"a b\""));
        assert!(!accepts(&["application/json"], "application/json; boundary=a"));
    }
}
