//! Responses.

use crate::build::{answers, is_interim, status};
use crate::document::Document;
use crate::finding::{Code, Finding, Findings};

/// Rejects keys that are no status (`OK`, `4xx`), wherever they stand.
pub(super) fn keys_are_statuses(document: &Document, findings: &mut Findings) {
    for (_, operation) in document.operations_anywhere() {
        for key in operation.responses.iter().map(|response| &response.status) {
            if status(&key.value).is_none() {
                let message = format!("`{}` is no status", key.value);
                let help = "write a status such as `\"200\"`, a range such as `4XX`, or `default`";
                findings.push(Finding::error(Code::StatusKey, message, key.place).help(help));
            }
        }
    }
}

/// Rejects operations with interim answers alone (`101`); beside others, those are left out with a remark.
pub(super) fn are_final(document: &Document, findings: &mut Findings) {
    for (_, operation) in document.operations() {
        for key in operation.responses.iter().map(|response| &response.status) {
            if !status(&key.value).is_some_and(is_interim) {
                continue;
            }
            let message = format!("`{}` is an interim answer, which handlers cannot give", key.value);
            findings.push(match answers(operation).next() {
                Some(_) => Finding::warning(Code::StatusKey, message, key.place)
                    .help("left out: the server gives the other answers"),
                None => Finding::error(Code::StatusKey, message, key.place)
                    .help("declare the answers that come after it"),
            });
        }
    }
}
