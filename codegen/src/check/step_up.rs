//! `step-up`: how and when the user of a token or a session logged in.

use super::access::requirements;
use crate::build::step_up;
use crate::document::{Document, Requirement, SchemeForm};
use crate::finding::{Code, Finding, Findings};

/// Rejects a rule about logins where a caller may come without a token and without a cookie: on a public operation, beside
/// `{}`, and beside an alternative of other keys, passwords or certificates alone. Whether the cookie has sessions, the server knows
/// when it is built.
pub(super) fn logins_are_told(document: &Document, findings: &mut Findings) {
    for (item, operation) in document.operations() {
        let Some(rule) = step_up(item, operation) else { continue };
        let Some(requirements) = requirements(document, operation) else { continue };
        let without = requirements.alternatives.iter().find(|alternative| !may_tell(document, alternative));
        let (place, label) = match (requirements.alternatives.is_empty(), without) {
            (true, _) => (requirements.place, "everybody may call"),
            (false, Some(alternative)) => (alternative.place, "this has no token and no session"),
            (false, None) => continue,
        };
        let message = format!(
            "`{} {}` asks how its user logged in, and nothing may tell it",
            operation.method.as_str(),
            item.template.value
        );
        let finding = Finding::error(Code::StepUp, message, rule.place).related(place, label);
        findings.push(finding.help(
            "require a token, or a session in a cookie, in every alternative, or write `step-up: none`",
        ));
    }
}

/// A scheme that is not declared is another finding.
fn may_tell(document: &Document, alternative: &Requirement) -> bool {
    alternative.needs.iter().any(|need| {
        document.scheme(&need.scheme.value).is_none_or(|scheme| match &scheme.form {
            SchemeForm::ApiKey { location, .. } => location.value == "cookie",
            other => other.has_tokens(),
        })
    })
}
