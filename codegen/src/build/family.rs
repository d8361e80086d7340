//! What a media type is to us, by its name.

use super::direction::Direction;
use crate::model::Framing;

/// What a media type is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Json,
    Form,
    Multipart,
    /// Parts of a list; with names where the schema is an object, and bytes where it does not look into them.
    Parts,
    /// Parts that are told by their places.
    Places,
    Stream(Framing),
    /// The same of a request, which is read whole.
    Records(Framing),
    Text,
    Bytes,
}

pub(super) fn family(name: &str, direction: Direction) -> Family {
    let (kind, subtype) = parts(name);
    let listed = |framing| match direction {
        Direction::Answer => Family::Stream(framing),
        _ => Family::Records(framing),
    };
    match (kind.as_str(), subtype.as_str()) {
        _ if is_json(name) => Family::Json,
        ("*" | "application", "*" | "*+json") => Family::Json,
        ("application", "x-www-form-urlencoded") => Family::Form,
        ("multipart", "form-data") => Family::Multipart,
        ("multipart", _) => Family::Parts,
        ("application", "x-ndjson" | "ndjson" | "jsonl" | "x-jsonlines" | "jsonlines") => {
            listed(Framing::Line)
        }
        // RFC 7464 section 4.1, RFC 8091 section 3
        ("application", subtype) if is_sequence(subtype) => listed(Framing::Record),
        ("text", "event-stream") if direction == Direction::Answer => Family::Stream(Framing::Data),
        ("text", "xml") => Family::Bytes,
        ("text", subtype) if !subtype.ends_with("+xml") => Family::Text,
        _ => Family::Bytes,
    }
}

pub(super) const fn word(family: Family) -> &'static str {
    match family {
        Family::Json => "json",
        Family::Form => "form",
        Family::Multipart | Family::Parts | Family::Places => "multipart",
        Family::Stream(framing) | Family::Records(framing) => match framing {
            Framing::Line | Framing::Record => "lines",
            Framing::Data | Framing::Event => "events",
        },
        Family::Text => "text",
        Family::Bytes => "bytes",
    }
}

fn is_sequence(subtype: &str) -> bool {
    subtype == "json-seq" || subtype.ends_with("+json-seq")
}

/// Parameters of the type, such as `charset`, are compared by the runtime.
pub(super) fn is_json(media_type: &str) -> bool {
    let (kind, subtype) = parts(media_type);
    let suffix = subtype.rsplit_once('+').map(|(before, suffix)| (before != "*", suffix));
    match suffix {
        Some((concrete, suffix)) => concrete && suffix == "json",
        None => matches!((kind.as_str(), subtype.as_str()), ("application" | "text", "json")),
    }
}

/// Whether it is text by its name.
pub(super) fn is_text(media_type: &str) -> bool {
    parts(media_type).0 == "text"
}

/// Text that is marked up: without a schema that looks into it, it is a text like any other.
pub(super) fn is_xml(media_type: &str) -> bool {
    let (_, subtype) = parts(media_type);
    subtype == "xml" || subtype.ends_with("+xml")
}

pub(super) fn parts(media_type: &str) -> (String, String) {
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let (kind, subtype) = essence.split_once('/').unwrap_or((&essence, ""));
    (kind.to_owned(), subtype.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_that_are_json() {
        for json in
            ["application/json", "application/problem+json", "Application/JSON; charset=utf-8", "text/json"]
        {
            assert!(is_json(json), "{json}");
        }
        for other in
            ["application/xml", "*/*", "application/json-seq", "application/jsonp", "application/*+json"]
        {
            assert!(!is_json(other), "{other}");
        }
    }

    #[test]
    fn families() {
        for (name, direction, expected) in [
            ("*/*", Direction::Request, Family::Json),
            ("application/*+json", Direction::Request, Family::Json),
            ("application/x-www-form-urlencoded", Direction::Request, Family::Form),
            ("multipart/form-data", Direction::Request, Family::Multipart),
            ("multipart/mixed", Direction::Request, Family::Parts),
            ("text/csv", Direction::Answer, Family::Text),
            ("text/xml", Direction::Answer, Family::Bytes),
            ("text/event-stream", Direction::Answer, Family::Stream(Framing::Data)),
            ("application/jsonl", Direction::Answer, Family::Stream(Framing::Line)),
            ("application/geo+json-seq", Direction::Answer, Family::Stream(Framing::Record)),
            ("application/json-seq", Direction::Request, Family::Records(Framing::Record)),
            ("application/x-ndjson", Direction::Request, Family::Records(Framing::Line)),
            ("image/*", Direction::Request, Family::Bytes),
        ] {
            assert_eq!(family(name, direction), expected, "{name}");
        }
    }
}
