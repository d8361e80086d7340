//! `--assume-public`: what nobody decided about, decided by whoever generates.

use super::{Document, Operation, Requirements, Spanned};
use crate::finding::{Code, Finding, Findings};
use crate::model::AssumedPublic;
use crate::source::span::{FileId, Place};

/// Operations that one message names; the header of the generated file names all of them.
const NAMED: usize = 50;

impl Document {
    /// Makes every operation that says nothing of security public, for `reason`, and says so. An operation that names a
    /// scheme or gives its own reason stays as it is; `security: []` without a reason says nothing.
    pub(crate) fn assume_public(&mut self, reason: &str, findings: &mut Findings) {
        let start = Place::start_of(FileId(0));
        if reason.trim().len() < 3 {
            let finding = Finding::error(Code::InvalidValue, "assuming what is public needs a reason", start);
            findings.push(finding.help("such as `--assume-public \"behind the gateway of the company\"`"));
            return;
        }
        let whole = self.security.as_ref().is_none_or(asks_nobody);
        let mut operations = Vec::new();
        let mut first = None;
        for item in &mut self.paths {
            for operation in &mut item.operations {
                let silent = operation.security.as_ref().map_or(whole, asks_nobody);
                if silent && operation.rules.public.is_none() {
                    first.get_or_insert(operation.place);
                    operations.push(format!("{} {}", operation.method.as_str(), item.template.value));
                    assume(operation, reason);
                }
            }
        }
        if let Some(place) = first {
            findings.push(remark(&operations, reason, place));
            self.assumed = Some(AssumedPublic { reason: reason.to_owned(), operations });
        }
    }
}

fn assume(operation: &mut Operation, reason: &str) {
    operation.rules.public = Some(Spanned::new(reason.to_owned(), operation.place));
    operation.security = Some(Requirements { place: operation.place, alternatives: Vec::new() });
}

/// `[]` and `[{}]` ask nobody for anything.
fn asks_nobody(requirements: &Requirements) -> bool {
    requirements.alternatives.iter().all(|alternative| alternative.needs.is_empty())
}

fn remark(operations: &[String], reason: &str, place: Place) -> Finding {
    let named: Vec<String> = operations.iter().take(NAMED).map(|name| format!("`{name}`")).collect();
    let (says, are) =
        if operations.len() == 1 { ("operation says", "is") } else { ("operations say", "are") };
    let more = match operations.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more, which the header of the generated file names"),
    };
    let message = format!(
        "{} {says} nothing of security and {are} assumed to be public (\"{}\"): {}{more}",
        operations.len(),
        reason.trim(),
        named.join(", ")
    );
    Finding::warning(Code::AssumedPublic, message, place).label("the first of them").help(
        "decide for each: require a scheme, or write `security: []` and `x-palisade: { public: \"<why>\" }`",
    )
}
