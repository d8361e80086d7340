//! Styles: values that could be taken for each other, and identifiers that are more than one text.

use crate::build::find;
use crate::document::{Document, Operation, PathItem};
use crate::finding::{Code, Finding, Findings};
use crate::model::{self, Api, Location, Parameter, Style, Taken, WireKind};

/// Rejects `?limit=1` that is a parameter `limit` and a member of an exploded object, and `?f[x]=1` that is a parameter
/// `f[x]` and a member of a `deepObject`: which of the two it is depends on who reads first.
pub(super) fn names_are_apart(document: &Document, api: &Api, findings: &mut Findings) {
    for ((item, written), operation) in document.operations().zip(&api.operations) {
        for (at, later) in operation.parameters.iter().enumerate() {
            for earlier in operation.parameters.iter().take(at) {
                let Some(what) = shared(earlier, later) else { continue };
                let (one, other) = match (taken(earlier).spread(), taken(later).spread()) {
                    (Some(_), None) => (earlier, later),
                    _ => (later, earlier),
                };
                findings.push(clash(item, written, one, other, &what));
            }
        }
    }
}

/// A name that both would take.
fn shared(one: &Parameter, other: &Parameter) -> Option<String> {
    if one.location != other.location || !matches!(one.location, Location::Query | Location::Cookie) {
        return None;
    }
    taken(one).shared(taken(other))
}

/// A parameter by its names in the query or among the cookies.
fn taken(parameter: &Parameter) -> Taken<'_> {
    Taken { name: &parameter.name, wire: &parameter.wire }
}

fn clash(item: &PathItem, written: &Operation, one: &Parameter, other: &Parameter, name: &str) -> Finding {
    let place = |parameter: &Parameter| {
        find(item, written, parameter.location, &parameter.name).map_or(written.place, |found| found.place)
    };
    let message = format!("`{name}` belongs to the parameters `{}` and `{}`", one.name, other.name);
    let finding = Finding::error(Code::ParameterTwice, message, place(one));
    let in_brackets = [one, other].iter().any(|parameter| parameter.wire.style == Style::DeepObject);
    finding.related(place(other), "the other").help(match in_brackets || one.location == Location::Cookie {
        true => "rename one",
        false => "rename one, or write the object in the style `deepObject`",
    })
}

/// Rejects an exploded object of cookies that lets other members through: every cookie there is would be one, and those
/// belong to others.
pub(super) fn cookies_are_named(document: &Document, api: &Api, findings: &mut Findings) {
    for ((item, written), operation) in document.operations().zip(&api.operations) {
        let cookies = operation.parameters.iter().filter(|one| one.location == Location::Cookie);
        for parameter in cookies.filter(|one| taken(one).spread().is_some_and(|(_, open)| open)) {
            let place = find(item, written, Location::Cookie, &parameter.name);
            let message =
                format!("the members of `{}` are cookies, and any cookie would be one", parameter.name);
            let finding =
                Finding::error(Code::Style, message, place.map_or(written.place, |found| found.place));
            findings.push(
                finding
                    .help("declare its members instead of `additionalProperties`, or say `explode: false`"),
            );
        }
    }
}

/// Rejects an object whose member stands where the gate reads a credential: of a cookie the handler would get it, and in the
/// query the gate takes it away, so that the member never comes.
pub(super) fn credentials_are_no_members(document: &Document, api: &Api, findings: &mut Findings) {
    for ((item, written), operation) in document.operations().zip(&api.operations) {
        for parameter in &operation.parameters {
            let is_member = |(place, name): &&(String, String)| has_member(parameter, place, name);
            let Some((_, name)) = written.credentials.iter().find(is_member) else { continue };
            let place = find(item, written, parameter.location, &parameter.name);
            let message =
                format!("the member `{name}` of `{}` is a credential: it is the gate's", parameter.name);
            let finding = Finding::error(
                Code::HeaderIgnored,
                message,
                place.map_or(written.place, |found| found.place),
            );
            findings.push(finding.help("remove the member: no handler gets a credential"));
        }
    }
}

/// Whether a member of a parameter stands under this name. A parameter that has the name itself is ignored, and none of these.
fn has_member(parameter: &Parameter, place: &str, name: &str) -> bool {
    match (&parameter.wire.kind, parameter.location) {
        (WireKind::Form(fields), Location::QueryString) => {
            place == "query" && fields.iter().any(|(field, wire)| Taken { name: field, wire }.takes(name))
        }
        (_, Location::Query | Location::Cookie) => {
            parameter.location.as_str() == place && taken(parameter).takes(name)
        }
        _ => false,
    }
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
