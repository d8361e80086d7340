//! Findings for programs.

use foldhash::HashMap;
use serde_json::{Value, json};

use super::{Finding, Findings, Severity};
use crate::source::pointer::Pointer;
use crate::source::span::FileId;
use crate::source::tree::Node;
use crate::source::{self, Sources};

/// An array of objects, one a finding.
pub(super) fn all(findings: &Findings, sources: &Sources) -> String {
    let mut trees = Trees { sources, read: HashMap::default() };
    let list: Vec<Value> = findings.iter().map(|finding| one(findings, finding, &mut trees)).collect();
    Value::from(list).to_string()
}

fn one(findings: &Findings, finding: &Finding, trees: &mut Trees<'_>) -> Value {
    let (file, line, column) = findings.position(finding).unwrap_or(("", 1, 1));
    let severity = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    json!({
        "code": finding.code.as_str(),
        "severity": severity,
        "message": finding.message,
        "file": file,
        "line": line,
        "column": column,
        "start": finding.place.span.start,
        "end": finding.place.span.end,
        "pointer": trees.pointer(finding),
        "help": finding.help_text(),
        "suggestion": finding.suggestion,
    })
}

/// The files of the findings, read once more: trees are not kept for findings that are only shown to people.
struct Trees<'s> {
    sources: &'s Sources,
    read: HashMap<FileId, Option<Node>>,
}

impl Trees<'_> {
    /// The JSON pointer of a finding; `None` in a file that has no tree.
    fn pointer(&mut self, finding: &Finding) -> Option<String> {
        let id = finding.place.file;
        let file = self.sources.get(id)?;
        let tree = self.read.entry(id).or_insert_with(|| source::read_tree(id, file).ok());
        tree.as_ref().map(|root| Pointer::of_place(root, finding.place).to_string())
    }
}

#[cfg(test)]
mod tests {
    use crate::source::Source;

    #[test]
    fn a_finding_names_its_node() {
        let text = "openapi: 3.1.0\ninfo: { title: T, version: \"1\" }\npaths:\n  /a~b: { gett: {} }\n";
        let findings = crate::understand(&Source::text("a.yaml", text)).unwrap_err();
        let list: serde_json::Value = serde_json::from_str(&findings.to_json()).unwrap();
        assert_eq!(list[0]["pointer"], "/paths/~1a~0b/gett");
        assert_eq!((&list[0]["line"], &list[0]["column"]), (&4.into(), &11.into()));
        assert_eq!(list[0]["suggestion"], "get");
    }
}
