//! Path templates, one by one and against each other.

use std::collections::HashMap;

use crate::build::path::{Unservable, template};
use crate::document::{Document, PathItem};
use crate::finding::{Code, Finding, Findings};
use crate::model::{PathTemplate, Segment};

/// Rejects templates that the router cannot hold: `/files/{name}.{ending}`, `/a//b`, `/a?b=c`.
pub(super) fn servable(document: &Document, findings: &mut Findings) {
    for item in &document.paths {
        let text = &item.template.value;
        let Err(fault) = template(text) else { continue };
        let (message, help) = match fault {
            // reported when it was read
            Unservable::NoSlash => continue,
            Unservable::PartialSegment(part) => (
                format!("`{part}` is a parameter and more in one segment"),
                "a parameter is a whole segment: split it in the handler",
            ),
            Unservable::EmptySegment => ("an empty segment in the path".to_owned(), "write one slash"),
            Unservable::DotSegment => {
                ("`.` or `..` in the path".to_owned(), "clients resolve it before they send it")
            }
            Unservable::Character(char @ ('?' | '#')) => {
                (format!("`{char}` ends the path"), "queries are described by parameters with `in: query`")
            }
            Unservable::Character(char) => (
                format!("the character `{char}` cannot stand in a path"),
                "use letters, digits and `-._~!$&'()*+,;=:@`",
            ),
            Unservable::Twice(name) => {
                (format!("the parameter `{name}` stands twice in the path"), "give one another name")
            }
            Unservable::Name => ("a parameter without a proper name".to_owned(), "write `{name}`"),
        };
        findings.push(Finding::error(Code::PathTemplate, message, item.template.place).help(help));
    }
}

/// Rejects two templates that the same requests match: `/a/{x}` and `/a/{y}`; and pairs of which neither is the more
/// concrete, `/a/{x}/b` and `/a/c/{y}`: which of two policies would hold depends on the router.
pub(super) fn distinct(document: &Document, findings: &mut Findings) {
    let parsed: Vec<(&PathItem, PathTemplate)> =
        document.paths.iter().filter_map(|item| Some((item, template(&item.template.value).ok()?))).collect();
    // only templates with equally many segments can meet, and only with the same first literal or a parameter there
    let mut by_length: HashMap<usize, Vec<usize>> = HashMap::new();
    for (at, (item, path)) in parsed.iter().enumerate() {
        let group = by_length.entry(path.segments.len()).or_default();
        for before in group.iter() {
            let Some((other_item, other)) = parsed.get(*before) else { continue };
            if let Some(finding) = meeting(item, path, other_item, other) {
                findings.push(finding);
                // one is enough to show: a path that meets one like this meets many
                break;
            }
        }
        group.push(at);
    }
}

fn meeting(
    item: &PathItem,
    path: &PathTemplate,
    other_item: &PathItem,
    other: &PathTemplate,
) -> Option<Finding> {
    let (mut mine, mut theirs) = (false, false);
    for (one, two) in path.segments.iter().zip(&other.segments) {
        match (one, two) {
            (Segment::Literal(one), Segment::Literal(two)) if one != two => return None,
            (Segment::Literal(text), Segment::Parameter(_)) => {
                mine = true;
                // a parameter never matches an empty segment
                if text.is_empty() {
                    return None;
                }
            }
            (Segment::Parameter(_), Segment::Literal(text)) => {
                theirs = true;
                if text.is_empty() {
                    return None;
                }
            }
            _ => {}
        }
    }
    let (one, two) = (&item.template.value, &other_item.template.value);
    let related = |finding: Finding| finding.related(other_item.template.place, "the other");
    match (mine, theirs) {
        (false, false) => {
            let message = format!("`{one}` and `{two}` are one path");
            let finding = Finding::error(Code::PathTwice, message, item.template.place);
            Some(related(finding).help("they differ in the names of parameters only: merge them"))
        }
        (true, true) => {
            let message = format!("requests can match both `{one}` and `{two}`");
            let finding = Finding::error(Code::PathTwice, message, item.template.place);
            Some(related(finding).help("neither is the more concrete one: rename a segment"))
        }
        _ => None,
    }
}
