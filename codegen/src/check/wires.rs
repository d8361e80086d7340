//! Styles: values that could be taken for each other, and identifiers that are more than one text.

use crate::build::find;
use crate::document::{Document, Operation, PathItem};
use crate::finding::{Code, Finding, Findings};
use crate::model::{self, Api, Location, Parameter, Style, WireKind};

/// Rejects `?limit=1` that is a parameter `limit` and a member of an exploded object: which of the two it is depends on
/// who reads first.
pub(super) fn names_are_apart(document: &Document, api: &Api, findings: &mut Findings) {
    for ((item, written), operation) in document.operations().zip(&api.operations) {
        for (at, parameter) in operation.parameters.iter().enumerate() {
            let Some((members, open)) = spread(parameter) else { continue };
            for other in operation.parameters.iter().take(at) {
                // what is whose would depend on which of them is read first
                let others = spread(other).is_some_and(|(_, other_open)| open || other_open);
                let others = others && other.location == parameter.location;
                let shared = members.iter().find(|member| takes(other, parameter.location, member));
                if let Some(what) = shared.cloned().or_else(|| others.then(|| "any other name".to_owned())) {
                    findings.push(clash(item, written, parameter, other, &what));
                }
            }
            for other in operation.parameters.iter().skip(at + 1) {
                if let Some(member) = members.iter().find(|member| takes(other, parameter.location, member)) {
                    findings.push(clash(item, written, parameter, other, member));
                }
            }
        }
    }
}

/// The members of an object that stand as names of their own, and whether it takes every other name.
fn spread(parameter: &Parameter) -> Option<(&[String], bool)> {
    let own_names = matches!(parameter.location, Location::Query | Location::Cookie)
        && parameter.wire.style == Style::Form
        && parameter.wire.explode;
    match &parameter.wire.kind {
        WireKind::Object(members, open) if own_names => Some((members, *open)),
        _ => None,
    }
}

/// Whether a parameter takes this name.
fn takes(parameter: &Parameter, location: Location, name: &str) -> bool {
    let named = match spread(parameter) {
        Some((members, _)) => members.iter().any(|member| member == name),
        None if parameter.wire.style == Style::DeepObject => {
            let rest = name.strip_prefix(parameter.name.as_str());
            let plain = parameter.wire.kind == WireKind::Either;
            rest.is_some_and(|rest| rest.starts_with('[') || (plain && rest.is_empty()))
        }
        None => parameter.name == name,
    };
    parameter.location == location && named
}

fn clash(item: &PathItem, written: &Operation, one: &Parameter, other: &Parameter, name: &str) -> Finding {
    let place = |parameter: &Parameter| {
        find(item, written, parameter.location, &parameter.name).map_or(written.place, |found| found.place)
    };
    let message = format!("`{name}` belongs to the parameters `{}` and `{}`", one.name, other.name);
    let finding = Finding::error(Code::ParameterTwice, message, place(one));
    finding
        .related(place(other), "the other")
        .help("rename one, or write the object in the style `deepObject`")
}

/// Rejects an ownership rule over a parameter of the style `label`: the object is looked up by the text of the path.
pub(super) fn identifiers_are_plain(document: &Document, api: &Api, findings: &mut Findings) {
    for ((item, written), operation) in document.operations().zip(&api.operations) {
        let Some(rule) = &operation.ownership else { continue };
        let plain = |one: &&model::Parameter| {
            one.location == Location::Path
                && one.name == rule.id
                && (one.wire.style != Style::Simple || one.wire.kind != WireKind::Scalar)
        };
        let Some(parameter) = operation.parameters.iter().find(plain) else { continue };
        let place =
            find(item, written, Location::Path, &parameter.name).map_or(written.place, |found| found.place);
        let message =
            format!("an object is identified by one text, and `{}` is written otherwise", parameter.name);
        let finding = Finding::error(Code::Authorize, message, place);
        findings.push(finding.help("leave its `style` out, and give it a scalar type"));
    }
}
