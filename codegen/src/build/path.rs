//! Path templates.

use crate::model::{PathTemplate, Segment};

/// Why a template cannot be served.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unservable {
    NoSlash,
    Brace(String),
    Meet(String),
    EmptySegment,
    DotSegment,
    Character(char),
    /// What follows a `%`.
    Escape(String),
    Twice(String),
    /// What stands between braces.
    Name(String),
}

/// Splits a template.
pub(crate) fn template(text: &str) -> Result<PathTemplate, Unservable> {
    let rest = text.strip_prefix('/').ok_or(Unservable::NoSlash)?;
    let mut braced = rest.split('{').skip(1).filter_map(|inner| inner.split_once('}'));
    if let Some((name, _)) = braced.find(|(name, _)| name.contains('/')) {
        return Err(Unservable::Name(name.to_owned()));
    }
    let parts: Vec<&str> = rest.split('/').collect();
    let mut segments = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        let last = at + 1 == parts.len();
        segments.push(segment(part, last, &segments)?);
    }
    Ok(PathTemplate { text: text.to_owned(), segments })
}

fn segment(part: &str, last: bool, before: &[Segment]) -> Result<Segment, Unservable> {
    let segment = pieces(part)?;
    let known = |name: &str| before.iter().any(|segment| segment.names().any(|known| known == name));
    let mut own: Vec<&str> = Vec::new();
    for name in segment.names() {
        // OpenAPI 3.2 section 4.8.2 would let all but braces stand in a name; the others mean something else to clients and
        // other servers: where a segment or the path ends, that a parameter is optional, the rest of a path
        if name.is_empty() || name.starts_with('*') || name.contains(['{', '?', '#']) {
            return Err(Unservable::Name(name.to_owned()));
        }
        if known(name) || own.contains(&name) {
            return Err(Unservable::Twice(name.to_owned()));
        }
        own.push(name);
    }
    match part {
        "" if !last => return Err(Unservable::EmptySegment),
        "." | ".." => return Err(Unservable::DotSegment),
        _ => {}
    }
    let literals: Vec<&str> = match &segment {
        Segment::Literal(text) => vec![text],
        Segment::Parameter(_) => Vec::new(),
        Segment::Mixed(parts, end) => {
            parts.iter().map(|(text, _)| text.as_str()).chain([end.as_str()]).collect()
        }
    };
    for literal in literals {
        literal_fits(literal).map_err(|fault| match fault {
            Unservable::Character('{' | '}') => Unservable::Brace(part.to_owned()),
            other => other,
        })?;
    }
    Ok(segment)
}

/// `pchar` of RFC 3986 section 3.3, in the spelling of which there is one: a path is compared as it is sent.
fn literal_fits(literal: &str) -> Result<(), Unservable> {
    let mut pieces = literal.split('%');
    let plain = pieces.next().unwrap_or_default();
    let mut texts = vec![plain];
    for piece in pieces {
        let escape = || Unservable::Escape(piece.chars().take(2).collect());
        let (digits, after) = piece.split_at_checked(2).ok_or_else(escape)?;
        texts.push(after);
        let octet = u8::from_str_radix(digits, 16).map_err(|_| escape())?;
        let upper = !digits.contains(|char: char| char.is_ascii_lowercase() || char == '+');
        // section 6.2.2: what need not be escaped is the same without
        if !upper || is_plain(char::from(octet)) || octet.is_ascii_control() {
            return Err(escape());
        }
    }
    match texts.iter().flat_map(|text| text.chars()).find(|char| !is_plain(*char)) {
        Some(char) => Err(Unservable::Character(char)),
        None => Ok(()),
    }
}

fn is_plain(char: char) -> bool {
    char.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@".contains(char)
}

/// Literals and parameters, in turn.
fn pieces(part: &str) -> Result<Segment, Unservable> {
    let mut parts = Vec::new();
    let mut rest = part;
    while let Some((text, inner)) = rest.split_once('{') {
        let (name, after) = inner.split_once('}').ok_or_else(|| Unservable::Brace(part.to_owned()))?;
        parts.push((text.to_owned(), name.to_owned()));
        rest = after;
    }
    // Where one ends and the next begins, nothing would say.
    let meet = parts.iter().skip(1).any(|(text, _)| text.is_empty());
    Ok(match parts.as_slice() {
        [] => Segment::Literal(part.to_owned()),
        [(text, name)] if text.is_empty() && rest.is_empty() => Segment::Parameter(name.clone()),
        _ if meet => return Err(Unservable::Meet(part.to_owned())),
        _ => Segment::Mixed(parts, rest.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates() {
        let parsed = template("/accounts/{accountId}/transfers").unwrap();
        assert_eq!(
            parsed.segments,
            [
                Segment::Literal("accounts".into()),
                Segment::Parameter("accountId".into()),
                Segment::Literal("transfers".into())
            ]
        );
        assert_eq!(template("/").unwrap().segments, [Segment::Literal(String::new())]);
        assert_eq!(template("/a/").unwrap().segments.len(), 2);
        assert_eq!(template("a"), Err(Unservable::NoSlash));
        let mixed = vec![(String::new(), "a".to_owned()), (".".to_owned(), "b".to_owned())];
        assert_eq!(template("/{a}.{b}").unwrap().segments, [Segment::Mixed(mixed, String::new())]);
        assert_eq!(template("/{a}{b}"), Err(Unservable::Meet("{a}{b}".into())));
        assert_eq!(template("/{a"), Err(Unservable::Brace("{a".into())));
        assert_eq!(template("/a}"), Err(Unservable::Brace("a}".into())));
        assert_eq!(template("/{a}-{a}"), Err(Unservable::Twice("a".into())));
        assert!(template("/{a}%20/caf%C3%A9%2F").is_ok());
        for escape in ["%2", "%", "%zz", "%c3", "%61", "%2D", "%00", "%+1"] {
            assert!(matches!(template(&format!("/a{escape}")), Err(Unservable::Escape(_))), "{escape}");
        }
        assert_eq!(template("/a%20 "), Err(Unservable::Character(' ')));
        assert_eq!(template("/a//b"), Err(Unservable::EmptySegment));
        assert_eq!(template("/a/../b"), Err(Unservable::DotSegment));
        assert_eq!(template("/a?b=c"), Err(Unservable::Character('?')));
        assert_eq!(template("/{a}/{a}"), Err(Unservable::Twice("a".into())));
        assert_eq!(template("/{*rest}"), Err(Unservable::Name("*rest".into())));
        assert_eq!(template("/{petId?}"), Err(Unservable::Name("petId?".into())));
        assert_eq!(template("/x/{a/b}.{c}"), Err(Unservable::Name("a/b".into())));
        assert_eq!(template("/{a/{b}"), Err(Unservable::Brace("{a".into())));
    }
}
