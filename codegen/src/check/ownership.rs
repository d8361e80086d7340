//! `authorize`: whose object an operation is about.

use std::collections::{BTreeMap, BTreeSet};

use super::access::requirements;
use crate::annotation::Authorize;
use crate::build::{authorize, find};
use crate::document::{Document, Operation, PathItem, Requirement, Requirements, SchemeForm};
use crate::finding::{Code, Finding, Findings};
use crate::model::{AttributeKind, Location};
use crate::source::span::Place;

/// Rejects a rule about things that are not there (resource, owner attribute, path parameter, scope), and a rule where
/// the caller is nobody, or could be one of two people with the same subject.
pub(super) fn holds(document: &Document, findings: &mut Findings) {
    for (item, operation) in document.operations() {
        let Some(rule) = authorize(item, operation) else { continue };
        resource(document, rule, findings);
        identifier(item, operation, rule, findings);
        let Some(requirements) = requirements(document, operation) else { continue };
        caller_is_known(requirements, rule, findings);
        scope(document, requirements, rule, findings);
    }
}

/// Rejects a resource whose owners are compared with the subjects of two issuers, in one operation or in several: `sub` is
/// unique within an issuer only (RFC 7519 section 4.1.2), so two people could own each other's objects.
pub(super) fn owners_are_of_one_issuer(document: &Document, findings: &mut Findings) {
    let mut known: BTreeMap<&str, (String, Place)> = BTreeMap::new();
    let mut told = BTreeSet::new();
    for (item, operation) in document.operations() {
        let Some(rule) = authorize(item, operation) else { continue };
        let Some(requirements) = requirements(document, operation) else { continue };
        let resource = &*rule.resource.value;
        for alternative in &requirements.alternatives {
            let Some(issuer) = issuer(document, alternative) else { continue };
            let (first, place) = known.entry(resource).or_insert((issuer.clone(), alternative.place));
            if *first == issuer || !told.insert(resource) {
                continue;
            }
            let message = format!(
                "the owners of `{resource}` are compared with the subjects of {first} and of {issuer}"
            );
            let finding = Finding::error(Code::Authorize, message, rule.place)
                .related(*place, "subjects of one")
                .related(alternative.place, "subjects of another");
            findings.push(
                finding.help(
                    "two people could have one subject: give each kind of caller a resource of its own",
                ),
            );
        }
    }
}

fn resource(document: &Document, rule: &Authorize, findings: &mut Findings) {
    let resources = &document.rules.resources;
    let Some(resource) = resources.iter().find(|resource| resource.name.value == rule.resource.value) else {
        let message = format!("the resource `{}` is not declared", rule.resource.value);
        let finding = Finding::error(Code::Authorize, message, rule.resource.place);
        let known = resources.iter().map(|resource| &*resource.name.value);
        let finding = finding.help("declare it under `x-palisade.resources` of the document");
        findings.push(finding.nearest(&rule.resource.value, known));
        return;
    };
    let owner = &rule.owner;
    match resource.attributes.iter().find(|(name, _)| name.value == owner.value) {
        Some((_, AttributeKind::String)) => {}
        Some((name, _)) => {
            let message =
                format!("the attribute `{}` is not a string, so it cannot name a subject", owner.value);
            let finding = Finding::error(Code::Authorize, message, owner.place);
            findings.push(
                finding.related(name.place, "declared here").help("name an attribute that is a `string`"),
            );
        }
        None => {
            let message = format!("`{}` has no attribute `{}`", resource.name.value, owner.value);
            let finding = Finding::error(Code::Authorize, message, owner.place);
            let known = resource.attributes.iter().map(|(name, _)| &*name.value);
            let finding = finding.related(resource.name.place, "declared here");
            findings.push(finding.help("declare the attribute at the resource").nearest(&owner.value, known));
        }
    }
}

fn identifier(item: &PathItem, operation: &Operation, rule: &Authorize, findings: &mut Findings) {
    let name = &rule.id.value;
    if find(item, operation, Location::Path, name).is_none() {
        let message =
            format!("`{} {}` has no path parameter `{name}`", operation.method.as_str(), item.template.value);
        let finding = Finding::error(Code::Authorize, message, rule.id.place);
        let known: Vec<&str> = crate::build::merged(item, operation)
            .into_iter()
            .filter(|parameter| parameter.location == Location::Path)
            .map(|parameter| &*parameter.name.value)
            .collect();
        findings.push(finding.help("name a parameter of the path").nearest(name, known));
    }
}

fn caller_is_known(requirements: &Requirements, rule: &Authorize, findings: &mut Findings) {
    let anonymous = requirements.alternatives.iter().find(|alternative| alternative.needs.is_empty());
    let (place, label) = match (requirements.alternatives.is_empty(), anonymous) {
        (true, _) => (requirements.place, "everybody may call"),
        (false, Some(alternative)) => (alternative.place, "this lets anonymous callers in"),
        (false, None) => return,
    };
    let message = "an ownership rule where the caller may be nobody";
    let finding = Finding::error(Code::Authorize, message, rule.place);
    findings.push(
        finding.related(place, label).help("require a scheme in every alternative, or remove `authorize`"),
    );
}

/// Whose subjects a combination speaks of: those of its token if it has one, else of its first scheme.
fn issuer(document: &Document, alternative: &Requirement) -> Option<String> {
    let schemes = || alternative.needs.iter().filter_map(|need| document.scheme(&need.scheme.value));
    let token = schemes().find(|scheme| scheme.form.has_tokens());
    let scheme = token.or_else(|| schemes().next())?;
    Some(match (&token, &scheme.rules.token.issuer) {
        (Some(_), Some(issuer)) => format!("`{}`", issuer.value),
        _ => format!("the scheme `{}`", scheme.name.value),
    })
}

fn scope(document: &Document, requirements: &Requirements, rule: &Authorize, findings: &mut Findings) {
    let Some(scope) = &rule.or_scope else { return };
    if !is_scope(&scope.value) {
        let message = format!("`{}` is no scope", scope.value);
        let finding = Finding::error(Code::InvalidValue, message, scope.place);
        findings.push(finding.help("a scope is one word of printable ASCII without `\"` and `\\`"));
        return;
    }
    let needs = requirements.alternatives.iter().flat_map(|alternative| &alternative.needs);
    let schemes: Vec<_> = needs.filter_map(|need| document.scheme(&need.scheme.value)).collect();
    let mut declared: Vec<&str> = Vec::new();
    for scheme in &schemes {
        match &scheme.form {
            SchemeForm::OAuth2 { scopes } => declared.extend(scopes.iter().map(|(name, _)| name.as_str())),
            // their scopes stand elsewhere and cannot be compared
            _ => return,
        }
    }
    if !schemes.is_empty() && !declared.contains(&&*scope.value) {
        let message = format!("no flow declares the scope `{}`", scope.value);
        let finding = Finding::error(Code::UnknownScope, message, scope.place);
        findings.push(finding.help("declare it under `scopes` of a flow").nearest(&scope.value, declared));
    }
}

/// RFC 6749 section 3.3: `scope-token`.
fn is_scope(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}
