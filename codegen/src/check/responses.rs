//! Responses.

use crate::build::status;
use crate::document::Document;
use crate::finding::{Code, Finding, Findings};
use crate::model::StatusKey;

/// Rejects keys that are no status (`OK`, `4xx`), and interim answers (`100`).
pub(super) fn statuses(document: &Document, findings: &mut Findings) {
    for (_, operation) in document.operations() {
        for response in &operation.responses {
            let key = &response.status;
            let finding = match status(&key.value) {
                None => {
                    let message = format!("`{}` is no status", key.value);
                    let help = "write a status such as `\"200\"`, a range such as `4XX`, or `default`";
                    Finding::error(Code::StatusKey, message, key.place).help(help)
                }
                Some(StatusKey::Exactly(100..=199) | StatusKey::Range(1)) => {
                    let message = format!("`{}` is an interim answer, which handlers cannot give", key.value);
                    Finding::error(Code::StatusKey, message, key.place).help("declare final answers only")
                }
                Some(_) => continue,
            };
            findings.push(finding);
        }
    }
}
