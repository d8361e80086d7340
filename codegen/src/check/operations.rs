//! Names of operations.

use foldhash::HashMap;

use crate::build::operation_ids;
use crate::document::Document;
use crate::finding::{Code, Finding, Findings};

/// Rejects one `operationId` on two operations.
pub(super) fn ids_are_unique(document: &Document, findings: &mut Findings) {
    let mut first = HashMap::default();
    let stated = document.operations().filter_map(|(_, operation)| operation.id.as_ref());
    let outgoing = document.outgoing().flat_map(|item| &item.operations);
    for id in stated.chain(outgoing.filter_map(|operation| operation.id.as_ref())) {
        if id.value.trim().is_empty() {
            findings.push(Finding::error(Code::InvalidValue, "an empty `operationId`", id.place));
            continue;
        }
        if let Some(place) = first.get(&id.value) {
            let message = format!("the operation id `{}` stands twice", id.value);
            let finding = Finding::error(Code::OperationIdTwice, message, id.place);
            findings.push(finding.related(*place, "first here").help("ids are unique in the document"));
        } else {
            first.insert(&id.value, id.place);
        }
    }
}

/// Remarks that an operation has no `operationId`, and which name it gets.
pub(super) fn ids_are_stated(document: &Document, findings: &mut Findings) {
    for (id, (_, operation)) in operation_ids(document).into_iter().zip(document.operations()) {
        if operation.id.is_none() {
            let message = "this operation has no `operationId`";
            let finding = Finding::warning(Code::OperationIdMissing, message, operation.place);
            findings.push(finding.help(format!("it is called `{id}` until it has one")));
        }
    }
}
