//! Path templates, one by one and against each other.

use foldhash::HashMap;

use crate::build::path::{Unservable, template};
use crate::document::{Document, PathItem};
use crate::finding::{Code, Finding, Findings};
use crate::model::{Method, Segment};

/// Rejects templates that the router cannot hold: `/files/{name}{ending}`, `/a//b`, `/a?b=c`.
pub(super) fn servable(document: &Document, findings: &mut Findings) {
    for item in &document.paths {
        let text = &item.template.value;
        let Err(fault) = template(text) else { continue };
        let (message, help) = match fault {
            // reported when it was read
            Unservable::NoSlash => continue,
            Unservable::Brace(part) => {
                (format!("a brace of `{part}` has no other"), "a parameter is written `{name}`")
            }
            Unservable::Meet(part) => (
                format!("two parameters meet in `{part}`"),
                "nothing says where one ends: write a character between them",
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
                "use letters, digits and `-._~!$&'()*+,;=:@`, and `%C3%A9` for others",
            ),
            Unservable::Escape(digits) => (
                format!("`%{digits}` in a path is not how clients send it"),
                "write `%` with two digits in capitals, as in `%20`, and what needs none as it is",
            ),
            Unservable::Twice(name) => {
                (format!("the parameter `{name}` stands twice in the path"), "give one another name")
            }
            Unservable::Name(name) => (
                format!("`{{{name}}}` is no parameter of a path here"),
                "a name has one character or more, none of them `{`, `/`, `?` or `#`, and no `*` in front: call it otherwise, here and under `parameters`",
            ),
        };
        findings.push(Finding::error(Code::PathTemplate, message, item.template.place).help(help));
    }
}

/// Rejects a method under two templates that differ in the names of their parameters alone, `/a/{x}` and `/a/{y}`: which
/// of two policies would hold depends on the router. Where the methods differ the two are one path, with a remark: no
/// document should have two of them. Of other templates that match one request the more concrete one is meant
/// (OpenAPI 3.1 section 4.8.8.2).
pub(super) fn distinct(document: &Document, findings: &mut Findings) {
    let mut first: HashMap<(Vec<Segment>, Option<&Method>), &PathItem> = HashMap::default();
    for item in &document.paths {
        let Ok(path) = template(&item.template.value) else { continue };
        let segments: Vec<Segment> = path.segments.iter().map(Segment::without_names).collect();
        let methods = item.operations.iter().map(|one| Some(&one.method));
        for method in methods.chain([None]) {
            let other = *first.entry((segments.clone(), method)).or_insert(item);
            if !std::ptr::eq(other, item) {
                let one_path =
                    format!("`{}` and `{}` are one path", item.template.value, other.template.value);
                let place = item.template.place;
                let finding = match method {
                    Some(method) => {
                        let message = format!("{one_path}, and both answer {}", method.as_str());
                        Finding::error(Code::PathTwice, message, place)
                    }
                    None => Finding::warning(Code::PathTwice, one_path, place),
                };
                let finding = finding.related(other.template.place, "the other");
                findings.push(finding.help("they differ in the names of parameters only: merge them"));
                break;
            }
        }
    }
}
