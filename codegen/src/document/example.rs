//! Examples (OpenAPI 3.2 section 4.19).

use super::{Fields, Reader};
use crate::finding::{Code, Finding};
use crate::source::tree::Node;

/// What excludes what: each but the first came with 3.2.
const EXCLUSIVE: [(&str, &[&str]); 2] =
    [("value", &["externalValue", "dataValue", "serializedValue"]), ("serializedValue", &["externalValue"])];

impl<'d> Reader<'d> {
    /// `example` and `examples`, as values.
    pub(super) fn examples(&mut self, fields: &mut Fields<'d>) -> Vec<Node> {
        let mut values: Vec<Node> =
            fields.get("example").map(|member| member.node.clone()).into_iter().collect();
        if let (Some(example), Some(_)) = (fields.peek("example"), fields.peek("examples")) {
            let message = "`example` beside `examples`";
            let finding = Finding::error(Code::InvalidValue, message, example.place);
            self.push(finding.help("keep one of the two"));
        }
        for member in self.map(fields, "examples") {
            values.extend(self.example(&member.node));
        }
        values
    }

    /// An entry of `examples`, and its `value`.
    pub(super) fn example(&mut self, node: &'d Node) -> Option<Node> {
        let (node, _) = self.follow(node, "examples")?;
        let mut example = self.fields(node, "an example")?;
        self.docs(&mut example, &["summary", "description"]);
        self.string(&mut example, "externalValue");
        if self.since_3_2 {
            example.accept(&["dataValue"]);
            self.string(&mut example, "serializedValue");
        }
        for (one, others) in EXCLUSIVE {
            let said = others.iter().find_map(|key| Some((*key, example.peek(key)?.place)));
            if let (Some(_), Some((other, place))) = (example.peek(one), said) {
                let message = format!("`{other}` beside `{one}`");
                let finding = Finding::error(Code::InvalidValue, message, place);
                self.push(finding.help("an example is said in one way: keep one of the two"));
            }
        }
        let value = example.get("value").map(|member| member.node.clone());
        self.finish(example);
        value
    }
}
