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
    Twice(String),
    Name,
}

/// Splits a template.
pub(crate) fn template(text: &str) -> Result<PathTemplate, Unservable> {
    let rest = text.strip_prefix('/').ok_or(Unservable::NoSlash)?;
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
        // `/`, `?` and `#` would end the segment (OpenAPI 3.1 section 4.8.8.1); `*` means the rest of a path elsewhere
        if name.is_empty() || name.starts_with('*') || name.contains(['{', '?', '#']) {
            return Err(Unservable::Name);
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
    // pchar of RFC 3986 section 3.3 without percent-encoding: a path is compared as it is sent
    let fits = |char: char| char.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@".contains(char);
    match literals.iter().flat_map(|text| text.chars()).find(|char| !fits(*char)) {
        Some('{' | '}') => Err(Unservable::Brace(part.to_owned())),
        Some(char) => Err(Unservable::Character(char)),
        None => Ok(segment),
    }
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
        assert_eq!(template("/{a}%20"), Err(Unservable::Character('%')));
        assert_eq!(template("/a//b"), Err(Unservable::EmptySegment));
        assert_eq!(template("/a/../b"), Err(Unservable::DotSegment));
        assert_eq!(template("/a?b=c"), Err(Unservable::Character('?')));
        assert_eq!(template("/{a}/{a}"), Err(Unservable::Twice("a".into())));
        assert_eq!(template("/{*rest}"), Err(Unservable::Name));
    }
}
