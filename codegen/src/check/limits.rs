//! Rate limits.

use super::access::requirements;
use crate::annotation::{RateLimit, SharedRules};
use crate::document::{Document, Spanned};
use crate::finding::{Code, Finding, Findings};
use crate::model::Per;

fn names(rules: &SharedRules) -> &[Spanned<String>] {
    match &rules.rate_limit {
        Some(RateLimit::Names(names)) => names,
        Some(RateLimit::None) | None => &[],
    }
}

/// Rejects `rate-limit: [mony]` where the limit is called `money`.
pub(super) fn declared(document: &Document, findings: &mut Findings) {
    let limits = &document.rules.limits;
    let levels = document.paths.iter().map(|item| &item.rules.shared);
    let operations = document.operations().map(|(_, operation)| &operation.rules.shared);
    for rules in std::iter::once(&document.rules.shared).chain(levels).chain(operations) {
        for name in names(rules) {
            if limits.iter().any(|limit| limit.limit.name == name.value) {
                continue;
            }
            let message = format!("the limit `{}` is not declared", name.value);
            let finding = Finding::error(Code::UnknownLimit, message, name.place);
            let known = limits.iter().map(|limit| &*limit.limit.name);
            findings.push(
                finding
                    .help("declare it under `x-palisade.limits` of the document")
                    .nearest(&name.value, known),
            );
        }
    }
}

/// Rejects a public operation that names a limit per principal: it has no principals. Limits that it inherits count
/// such callers by address.
pub(super) fn principals_exist(document: &Document, findings: &mut Findings) {
    for (_, operation) in document.operations() {
        let public = requirements(document, operation).is_some_and(|all| all.alternatives.is_empty());
        for name in names(&operation.rules.shared).iter().filter(|_| public) {
            let found = document.rules.limits.iter().find(|limit| limit.limit.name == name.value);
            if let Some(limit) = found.filter(|limit| limit.limit.per == Per::Principal) {
                let message = format!("`{}` counts principals, and a public operation has none", name.value);
                let finding = Finding::error(Code::LimitWithoutPrincipal, message, name.place);
                findings
                    .push(finding.related(limit.place, "declared here").help("name a limit `per: address`"));
            }
        }
    }
}
