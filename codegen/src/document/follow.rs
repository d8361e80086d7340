//! References on what is not a schema, and what is said beside them.

use foldhash::HashSet;

use super::Reader;
use crate::finding::{Code, Finding};
use crate::model::Docs;
use crate::source::tree::Node;

impl<'d> Reader<'d> {
    /// Follows `$ref` on what is not a schema, until something stands there. `kind` is its folder under `components`.
    pub(crate) fn follow(&mut self, node: &'d Node, kind: &'static str) -> Option<(&'d Node, Docs)> {
        let mut docs = Docs::default();
        let mut seen: HashSet<*const Node> = HashSet::default();
        let mut at = node;
        while let Some(reference) = at.as_object().and_then(|object| object.get("$ref")) {
            seen.insert(at);
            let what = "a reference";
            let mut fields = self.fields(at, what)?;
            fields.accept(&["$ref"]);
            let said = self.docs(&mut fields, &["summary", "description"]);
            docs = Docs {
                summary: docs.summary.or(said.summary),
                description: docs.description.or(said.description),
                deprecated: false,
            };
            self.finish(fields);
            let target = self.library.follow(&reference.node, Some(kind));
            at = match target {
                Ok(target) => target,
                Err(finding) => {
                    self.push(*finding);
                    return None;
                }
            };
            if seen.contains(&std::ptr::from_ref(at)) {
                let finding = Finding::error(
                    Code::ReferenceCycle,
                    "this reference leads back to itself",
                    reference.node.place,
                );
                self.push(finding.help("write the thing out in one of the places"));
                return None;
            }
        }
        Some((at, docs))
    }
}

/// What is said beside a reference wins over what is said at its target.
pub(crate) fn overlay(said: Docs, target: Docs) -> Docs {
    Docs {
        summary: said.summary.or(target.summary),
        description: said.description.or(target.description),
        deprecated: said.deprecated || target.deprecated,
    }
}
