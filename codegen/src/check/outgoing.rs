//! What the server sends of its own accord.

use crate::document::Document;
use crate::finding::{Code, Finding, Findings};

/// Rejects `x-palisade` on a webhook or a callback, where nobody calls whom it could keep out.
pub(super) fn is_not_guarded(document: &Document, findings: &mut Findings) {
    for item in document.outgoing() {
        let places = item.operations.iter().map(|operation| operation.annotation);
        for place in places.chain([item.annotation]).flatten() {
            let message = "a rule for callers on what the server sends itself";
            let finding = Finding::error(Code::Misplaced, message, place);
            findings.push(finding.help("rules stand on the operations under `paths`: remove it"));
        }
    }
}
