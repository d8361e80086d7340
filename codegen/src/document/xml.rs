//! `xml` (OpenAPI 3.2 section 4.26). No XML is written by a schema, so that it is read for its form alone.

use iri_string::types::IriStr;

use super::{Fields, Reader};
use crate::finding::{Code, Finding};

/// What a node of a document can be.
const NODE_TYPES: [&str; 5] = ["element", "attribute", "text", "cdata", "none"];

impl<'d> Reader<'d> {
    pub(super) fn xml(&mut self, schema: &mut Fields<'d>) {
        let Some(member) = schema.get("xml") else { return };
        let Some(mut fields) = self.fields(&member.node, "`xml`") else { return };
        for key in ["name", "prefix"] {
            self.string(&mut fields, key);
        }
        // an empty one undoes that around it
        let namespace = self.string(&mut fields, "namespace").filter(|namespace| !namespace.value.is_empty());
        if let Some(namespace) = namespace.filter(|namespace| IriStr::new(&namespace.value).is_err()) {
            let message = format!("the namespace `{}` is no whole IRI", namespace.value);
            let finding = Finding::warning(Code::InvalidValue, message, namespace.place);
            self.push(finding.help("such as `https://example.com/schemas/thing`"));
        }
        for key in ["attribute", "wrapped"] {
            self.boolean(&mut fields, key);
        }
        if self.since_3_2 {
            self.node_type(&mut fields);
        }
        self.finish(fields);
    }

    /// What stands for the older two members, and beside none of them.
    fn node_type(&mut self, fields: &mut Fields<'d>) {
        let Some(word) = self.string(fields, "nodeType") else { return };
        if !NODE_TYPES.contains(&&*word.value) {
            let message = format!("`{}` is no type of a node", word.value);
            let finding = Finding::error(Code::InvalidValue, message, word.place);
            let help = format!("the types are `{}`", NODE_TYPES.join("`, `"));
            self.push(finding.help(help).nearest(&word.value, NODE_TYPES));
        }
        let older = ["attribute", "wrapped"].into_iter().find_map(|key| Some((key, fields.peek(key)?.place)));
        if let Some((key, place)) = older {
            let message = format!("`{key}` beside `nodeType`");
            let finding = Finding::error(Code::InvalidValue, message, place);
            self.push(finding.help("keep `nodeType`, which says what it is"));
        }
    }
}
