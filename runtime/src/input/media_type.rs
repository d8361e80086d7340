//! Media types (RFC 9110 section 8.3.1).

/// Whether a body of type `sent` is one that the document declares.
///
/// Parameters must be the declared ones; `charset=utf-8` says what JSON is anyway (RFC 8259 section 8.1) and may stand or
/// not. A declared range (`application/*`) takes the JSON types in it: no other can be decoded.
pub(super) fn accepts(declared: &[&str], sent: &str) -> bool {
    let Some(sent) = MediaType::read(sent) else { return false };
    declared.iter().any(|declared| MediaType::read(declared).is_some_and(|declared| declared.takes(&sent)))
}

struct MediaType<'a> {
    kind: &'a str,
    subtype: &'a str,
    parameters: &'a str,
}

impl<'a> MediaType<'a> {
    /// `media-type = type "/" subtype parameters`. `None`: not the grammar.
    fn read(text: &'a str) -> Option<Self> {
        let (essence, parameters) = text.split_once(';').unwrap_or((text, ""));
        let (kind, subtype) = essence.trim_matches(WHITE).split_once('/')?;
        let read = Self { kind, subtype, parameters };
        (is_token(kind) && is_token(subtype) && read.parameters().all(|parameter| parameter.is_some()))
            .then_some(read)
    }

    /// `parameters = *( OWS ";" OWS [ parameter ] )`: name and value of each, `None` for what is not one.
    fn parameters(&self) -> impl Iterator<Item = Option<(&'a str, &'a str)>> + use<'a> {
        let pieces = self.parameters.split(';').map(|piece| piece.trim_matches(WHITE));
        pieces.filter(|piece| !piece.is_empty()).map(|piece| {
            let (name, value) = piece.split_once('=')?;
            // A quoted value that needs its quotes is not one that JSON types have.
            let value = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
            (is_token(name) && is_token(value)).then_some((name, value))
        })
    }

    fn takes(&self, sent: &Self) -> bool {
        let ranged = self.subtype == "*";
        let kind = self.kind == "*" || self.kind.eq_ignore_ascii_case(sent.kind);
        let subtype = if ranged { sent.is_json() } else { self.subtype.eq_ignore_ascii_case(sent.subtype) };
        kind && subtype && self.carries(sent) && sent.carries(self)
    }

    /// Whether `other` has every parameter of this one, except the character set that JSON has anyway.
    fn carries(&self, other: &Self) -> bool {
        self.parameters().flatten().all(|(name, value)| {
            (name.eq_ignore_ascii_case("charset") && value.eq_ignore_ascii_case("utf-8"))
                || other
                    .parameters()
                    .flatten()
                    .any(|(known, has)| name.eq_ignore_ascii_case(known) && value.eq_ignore_ascii_case(has))
        })
    }

    fn is_json(&self) -> bool {
        let suffix = self.subtype.rsplit_once('+').map_or(self.subtype, |(_, suffix)| suffix);
        suffix.eq_ignore_ascii_case("json")
    }
}

/// Optional white space (RFC 9110 section 5.6.3).
const WHITE: [char; 2] = [' ', '\t'];

/// `token` (RFC 9110 section 5.6.2).
fn is_token(text: &str) -> bool {
    let special = |byte: u8| b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || special(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert!(!accepts(&["application/*"], "application/xml") && !accepts(&["*/*"], "text/plain"));
        assert!(accepts(&["*/*"], "application/json"));
    }
}
