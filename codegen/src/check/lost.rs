//! The last rule: what the document says about security is in the model, whole. A difference is a fault of the
//! generator, and stops it.

use foldhash::HashSet;

use super::access::requirements;
use crate::build::{answers, merged};
use crate::document::{Document, Operation, PathItem};
use crate::finding::{Code, Finding, Findings};
use crate::model::{self, Access, Api};

/// Rejects a model that lacks an operation, an alternative, a scheme, a scope, a parameter or an answer.
pub(super) fn nothing(document: &Document, api: &Api, findings: &mut Findings) {
    let written = document.operations().count();
    let root = document.operations().next().map(|(_, operation)| operation.place);
    if let Some(place) = root.filter(|_| written != api.operations.len()) {
        findings.push(lost("an operation", place));
    }
    let schemes: HashSet<&str> = api.schemes.iter().map(|kept| &*kept.name).collect();
    if let Some(scheme) = document.schemes.iter().find(|scheme| !schemes.contains(&*scheme.name.value)) {
        findings.push(lost("a security scheme", scheme.name.place));
    }
    for ((item, operation), kept) in document.operations().zip(&api.operations) {
        if let Some(what) = difference(document, api, item, operation, kept) {
            findings.push(lost(what, operation.place));
        }
    }
}

fn difference(
    document: &Document,
    api: &Api,
    item: &PathItem,
    written: &Operation,
    kept: &model::Operation,
) -> Option<&'static str> {
    let requirements = requirements(document, written)?;
    let whole = match &kept.access {
        Access::Public(_) => requirements.alternatives.is_empty(),
        Access::Any(alternatives) => {
            alternatives.len() == requirements.alternatives.len()
                && alternatives.iter().zip(&requirements.alternatives).all(|(kept, written)| {
                    kept.len() == written.needs.len()
                        && kept.iter().zip(&written.needs).all(|(kept, written)| {
                            let scopes: HashSet<&str> = kept.scopes.iter().map(String::as_str).collect();
                            api.scheme(kept.scheme).name == written.scheme.value
                                && written.scopes.iter().all(|scope| scopes.contains(&*scope.value))
                        })
                })
        }
    };
    if !whole {
        return Some("a requirement");
    }
    if merged(item, written).len() != kept.parameters.len() {
        return Some("a parameter");
    }
    if answers(written).count() != kept.responses.len() {
        return Some("an answer");
    }
    if written.body.is_some() != kept.body.is_some() {
        return Some("the body");
    }
    if crate::build::authorize(item, written).is_some() != kept.ownership.is_some() {
        return Some("the ownership rule");
    }
    None
}

fn lost(what: &str, place: crate::source::span::Place) -> Finding {
    let message = format!("palisade would lose {what} here, so it stops");
    Finding::error(Code::NotSupported, message, place)
        .help("this is a fault of palisade: please report the document")
}
