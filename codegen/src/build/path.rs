//! Path templates.

use crate::model::{PathTemplate, Segment};

/// Why a template cannot be served.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unservable {
    NoSlash,
    PartialSegment(String),
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
    if let Some(name) = part.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'))
        && !name.contains(['{', '}'])
    {
        // `*` would make the router take the rest of the path
        if name.is_empty() || name.starts_with('*') {
            return Err(Unservable::Name);
        }
        let parameter = Segment::Parameter(name.to_owned());
        return if before.contains(&parameter) {
            Err(Unservable::Twice(name.to_owned()))
        } else {
            Ok(parameter)
        };
    }
    if part.contains(['{', '}']) {
        return Err(Unservable::PartialSegment(part.to_owned()));
    }
    match part {
        "" if !last => return Err(Unservable::EmptySegment),
        "." | ".." => return Err(Unservable::DotSegment),
        _ => {}
    }
    // pchar of RFC 3986 section 3.3 without percent-encoding: a path is compared as it is sent
    let wrong =
        part.chars().find(|char| !(char.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@".contains(*char)));
    match wrong {
        Some(char) => Err(Unservable::Character(char)),
        None => Ok(Segment::Literal(part.to_owned())),
    }
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
        assert_eq!(template("/{a}.{b}"), Err(Unservable::PartialSegment("{a}.{b}".into())));
        assert_eq!(template("/a//b"), Err(Unservable::EmptySegment));
        assert_eq!(template("/a/../b"), Err(Unservable::DotSegment));
        assert_eq!(template("/a?b=c"), Err(Unservable::Character('?')));
        assert_eq!(template("/{a}/{a}"), Err(Unservable::Twice("a".into())));
        assert_eq!(template("/{*rest}"), Err(Unservable::Name));
    }
}
