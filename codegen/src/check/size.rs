//! How far references lead. What is read is bounded by the reader; what is made of it, where it is made.

use crate::document::Document;
use crate::finding::{Code, Finding, Findings};

/// References that lead to one another. People write two or three.
const MOST_LINKS: u32 = 64;

/// Rejects a schema from which references lead on and on. Each is a name of its own for the next one's type, which the
/// compiler and whatever else walks along them would have to follow.
pub(super) fn references_end_soon(document: &Document, findings: &mut Findings) {
    let long = document.components.iter().find(|(_, id)| document.end(*id).links > MOST_LINKS);
    if let Some((name, id)) = long {
        let links = document.end(*id).links;
        let message = format!("{links} references lead from `{}` to what it is", name.value);
        let finding = Finding::error(Code::NotSupported, message, name.place);
        findings.push(finding.help(format!("refer to it directly: at most {MOST_LINKS} are followed")));
    }
}
