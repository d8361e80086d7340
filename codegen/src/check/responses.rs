//! Responses.

use crate::build::status;
use crate::document::Document;
use crate::finding::{Code, Finding, Findings};
use crate::model::StatusKey;

/// Rejects keys that are no status (`OK`, `4xx`), interim answers (`100`), and a body where HTTP has none (`204`).
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
                // RFC 9110 sections 15.3.5 and 15.4.5, and 15.3.6 for 205
                Some(StatusKey::Exactly(204 | 205 | 304)) if !response.content.is_empty() => {
                    let message = format!("an answer with status {} has no body", key.value);
                    Finding::error(Code::Contradiction, message, key.place).help("remove `content`")
                }
                Some(_) => continue,
            };
            findings.push(finding);
        }
    }
}
