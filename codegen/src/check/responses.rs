//! Responses.

use crate::build::{answers, is_interim, status};
use crate::document::Document;
use crate::finding::{Code, Finding, Findings};

/// Rejects keys that are no status (`OK`, `4xx`), and operations with interim answers alone (`101`); beside others, those are
/// left out with a remark.
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
                Some(interim) if is_interim(interim) => {
                    let message = format!("`{}` is an interim answer, which handlers cannot give", key.value);
                    match answers(operation).next() {
                        Some(_) => Finding::warning(Code::StatusKey, message, key.place)
                            .help("left out: the server gives the other answers"),
                        None => Finding::error(Code::StatusKey, message, key.place)
                            .help("declare the answers that come after it"),
                    }
                }
                Some(_) => continue,
            };
            findings.push(finding);
        }
    }
}
