//! Rate limits.

use super::access::requirements;
use crate::annotation::{NamedLimit, RateLimit, SharedRules};
use crate::document::{Document, Spanned};
use crate::finding::{Code, Finding, Findings};
use crate::model::{Api, Per};

pub(super) fn names(rules: &SharedRules) -> &[Spanned<String>] {
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

/// Rejects a public operation that names a limit per principal or per tenant: it has neither. Limits that it inherits count
/// such callers by address.
pub(super) fn principals_exist(document: &Document, findings: &mut Findings) {
    for (_, operation) in document.operations() {
        let public = requirements(document, operation).is_some_and(|all| all.alternatives.is_empty());
        for name in names(&operation.rules.shared).iter().filter(|_| public) {
            let found = document.rules.limits.iter().find(|limit| limit.limit.name == name.value);
            let what = |limit: &NamedLimit| match &limit.limit.per {
                per if per.contains(&Per::Principal) => Some("principals"),
                per if per.contains(&Per::Tenant) => Some("tenants"),
                _ => None,
            };
            if let Some((limit, what)) = found.and_then(|limit| Some((limit, what(limit)?))) {
                let message = format!("`{}` counts {what}, and a public operation has none", name.value);
                let finding = Finding::error(Code::LimitWithoutPrincipal, message, name.place);
                findings
                    .push(finding.related(limit.place, "declared here").help("name a limit `per: address`"));
            }
        }
    }
}

/// Rejects a cost that is more than a limit lets through at once: no request would ever pass.
pub(super) fn costs_fit(document: &Document, api: &Api, findings: &mut Findings) {
    for ((_, written), operation) in document.operations().zip(&api.operations) {
        let Some(cost) = &written.rules.cost else { continue };
        let named = operation.limits.iter().filter_map(|id| document.rules.limits.get(id.position()));
        for named in named.filter(|named| named.limit.burst < cost.value) {
            let limit = &named.limit;
            let message = format!(
                "a request counts as {}, and `{}` lets {} through at once",
                cost.value, limit.name, limit.burst
            );
            let finding = Finding::error(Code::LimitMisfit, message, cost.place);
            findings
                .push(finding.related(named.place, "declared here").help("lower `cost`, or raise the limit"));
        }
        if operation.limits.is_empty() {
            let finding = Finding::error(Code::LimitMisfit, "`cost` counts under no limit", cost.place);
            findings.push(finding.help("name a limit under `rate-limit`, or leave `cost` out"));
        }
    }
}
